"""Working through a membership list: what was said of a line becomes a fact here, once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from crm.access import facts
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.spans import refresh_spans
from crm.domain.errors import NotFound, Refusal
from crm.domain.identity import fold
from crm.domain.member_list import Line, Queue, Standing
from crm.domain.merging import contradict
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import HowKnown, MembershipSource
from crm.features.reconcile import queries
from crm.features.reconcile.queries import ASIDE, NEW, Row
from crm.models.contacts import Contact, ContactPoint, Job, Membership
from crm.models.member_lists import MemberList
from crm.models.places import Workplace
from crm.reads.duplicates import known_of

MOST_LINES = 5000
_WRITE = Permission.CONTACT_WRITE


class NotYet(Refusal):
    """The day of the list has not come."""

    default_message = "This day has not come yet. Choose the day the union made the list."


class TooLong(Refusal):
    """The list is longer than can be worked through here."""

    default_message = "The list has more than 5,000 lines. Ask for the list of one branch."


class NoNames(Refusal):
    """No column holds names."""

    default_message = (
        "We found no column with names. Name it “Name”, or “First name” and “Surname”, "
        "in the first row."
    )


class DoItByHand(Refusal):
    """One press cannot do what the line asks for."""

    default_message = (
        "This cannot be done with one press. Open the person, put it right there, "
        "then set this line aside."
    )


def add_list(
    session: Session,
    scope: Scope,
    chosen: str,
    lines: Sequence[Line],
    *,
    public_id: uuid.UUID,
    sealed: str,
    as_at: date,
    today: date,
    now: datetime,
) -> None:
    """Keep a list to be worked through, for its owner only.

    chosen: the union, or the union and the branch, as the form offers them. sealed: the lines,
    closed to whoever reads the database. Raises NotYet, TooLong, NotFound.
    """
    if as_at > today:
        raise NotYet()
    if len(lines) > MOST_LINES:
        raise TooLong()
    union_id, branch_id = queries.place_ids(session, scope, chosen)
    if scope.actor_id is None:
        raise NotFound("nobody to work through the list")
    session.add(
        MemberList(
            public_id=public_id,
            owner_id=scope.actor_id,
            union_id=union_id,
            branch_id=branch_id,
            as_at=as_at,
            made_at=now,
            lines=len(lines),
            sealed=sealed,
            decided={},
        )
    )


def close_list(session: Session, scope: Scope, list_id: uuid.UUID, *, now: datetime) -> None:
    """Throw the lines of a list away. What was confirmed stays. Raises NotFound."""
    member_list = queries.get_list(session, scope, list_id)
    member_list.sealed = None
    member_list.decided = {}
    member_list.closed_at = now


def decide(session: Session, scope: Scope, list_id: uuid.UUID, key: str, value: str) -> None:
    """Remember what somebody said of a line, or of a member who is not on the list.

    key: the number of the line, or "off " and a public id. value: the public id of the person it
    is about, NEW for nobody here, ASIDE to leave it as it is. Raises NotFound.
    """
    member_list = queries.get_list(session, scope, list_id)
    if value not in {NEW, ASIDE}:
        _hold(session, scope, value)
    member_list.decided = {**member_list.decided, key: value}


def confirm_rows(
    session: Session,
    scope: Scope,
    member_list: MemberList,
    rows: Sequence[Row],
    *,
    now: datetime,
) -> int:
    """Write down what the rows say, and return how many were done; the others need a hand.

    rows: as ``work_out`` gave them in this same unit of work. Raises DoItByHand when it was one
    row, and it could not be done.
    """
    done = 0
    for row in rows:
        if _confirm(session, scope, member_list, row, now=now):
            done += 1
    if not done and len(rows) == 1:
        raise DoItByHand()
    return done


def end_members(
    session: Session,
    scope: Scope,
    member_list: MemberList,
    people: Sequence[queries.Member],
    *,
    now: datetime,
) -> int:
    """Write down that these people are no members from the day of the list on; return how many."""
    for person in people:
        contact = _hold(session, scope, str(person.public_id))
        _no_member(session, scope, member_list, contact, member_list.as_at, now=now)
    return len(people)


def _confirm(
    session: Session, scope: Scope, member_list: MemberList, row: Row, *, now: datetime
) -> bool:
    line = row.line
    if row.queue is Queue.NOT_HERE:
        return _add_person(session, scope, member_list, row, now=now)
    if row.person is None:
        return False
    contact = _hold(session, scope, str(row.person.public_id))
    if row.queue is Queue.JOINED:
        since = min(line.since or member_list.as_at, member_list.as_at)
        _member(session, scope, member_list, contact, line, since, now=now)
        return True
    if row.queue in {Queue.LEFT, Queue.LAPSED}:
        until = min(line.until or member_list.as_at, member_list.as_at)
        _no_member(session, scope, member_list, contact, until, now=now)
        return True
    if row.queue is Queue.MOVED:
        return _moved(session, scope, member_list, contact, row, now=now)
    if row.queue is Queue.CHANGED:
        _add_points(session, scope, contact, row.points, now=now)
        return True
    return False


def _hold(session: Session, scope: Scope, public_id: str) -> Contact:
    try:
        wanted = uuid.UUID(public_id)
    except ValueError as error:
        raise NotFound("no such person") from error
    found: Contact | None = session.scalars(
        scope.select(Contact, permission=_WRITE)
        .where(Contact.public_id == wanted)
        .with_for_update(of=Contact)
    ).one_or_none()
    if found is None:
        raise NotFound(f"contact {public_id}")
    return found


def _spells(session: Session, scope: Scope, contact: Contact) -> list[Membership]:
    return list(
        session.scalars(
            scope.select(Membership)
            .where(Membership.contact_id == contact.id, facts.known(Membership))
            .order_by(Membership.valid_from, Membership.id)
        )
    )


def _end(session: Session, scope: Scope, spell: Membership, day: date, *, now: datetime) -> None:
    """Let a membership be true until the day; one that began on it or later never was."""
    if spell.valid_from < day:
        facts.revise(session, spell, now=now, actor_id=scope.actor_id, valid_to=day)
    else:
        facts.withdraw(spell, now=now)
    session.flush()


def _member(
    session: Session,
    scope: Scope,
    member_list: MemberList,
    contact: Contact,
    line: Line,
    since: date,
    *,
    now: datetime,
) -> None:
    named = queries.branch_named(session, scope, member_list.union_id, line.branch)
    new = (member_list.union_id, MembershipStatus.MEMBER, (since, None))
    for spell in _spells(session, scope, contact):
        if contradict((spell.union_id, spell.status, (spell.valid_from, spell.valid_to)), new):
            _end(session, scope, spell, since, now=now)
    session.add(
        _membership(
            scope,
            member_list,
            contact,
            MembershipStatus.MEMBER,
            since,
            named or member_list.branch_id,
            now=now,
        )
    )
    refresh_spans(session, contact.id)


def _membership(
    scope: Scope,
    member_list: MemberList,
    contact: Contact,
    status: MembershipStatus,
    since: date,
    branch_id: int | None,
    *,
    now: datetime,
) -> Membership:
    return Membership(
        contact_id=contact.id,
        union_id=member_list.union_id,
        branch_id=branch_id,
        status=status,
        source=MembershipSource.UNION_LIST,
        valid_from=since,
        recorded_at=now,
        recorded_by_id=scope.actor_id,
    )


def _no_member(
    session: Session,
    scope: Scope,
    member_list: MemberList,
    contact: Contact,
    day: date,
    *,
    now: datetime,
) -> None:
    for spell in _spells(session, scope, contact):
        of_this = spell.union_id == member_list.union_id
        if of_this and spell.status is MembershipStatus.MEMBER and _goes_on(spell, day):
            _end(session, scope, spell, day, now=now)
    session.add(
        _membership(scope, member_list, contact, MembershipStatus.NOT_MEMBER, day, None, now=now)
    )
    refresh_spans(session, contact.id)


def _goes_on(spell: Membership, day: date) -> bool:
    return spell.valid_to is None or spell.valid_to > day


def _moved(
    session: Session,
    scope: Scope,
    member_list: MemberList,
    contact: Contact,
    row: Row,
    *,
    now: datetime,
) -> bool:
    """Write down another branch, another workplace, or both; False when neither can be."""
    done = False
    branch_id = queries.branch_named(session, scope, member_list.union_id, row.line.branch)
    for spell in _spells(session, scope, contact) if branch_id is not None else ():
        of_this = spell.union_id == member_list.union_id
        member = of_this and spell.status is MembershipStatus.MEMBER
        if member and spell.branch_id != branch_id and _goes_on(spell, member_list.as_at):
            if spell.branch_id is None or spell.valid_from >= member_list.as_at:
                facts.revise(session, spell, now=now, actor_id=scope.actor_id, branch_id=branch_id)
            else:
                _end(session, scope, spell, member_list.as_at, now=now)
                session.add(
                    _membership(
                        scope,
                        member_list,
                        contact,
                        MembershipStatus.MEMBER,
                        member_list.as_at,
                        branch_id,
                        now=now,
                    )
                )
            session.flush()
            done = True
    if row.workplace_id is not None and _move_job(
        session, scope, contact, row.workplace_id, member_list.as_at, now=now
    ):
        done = True
    refresh_spans(session, contact.id)
    return done


def _move_job(
    session: Session, scope: Scope, contact: Contact, workplace_id: int, day: date, *, now: datetime
) -> bool:
    """End the one job somebody has and start one at the other workplace; False for several."""
    jobs = [
        job
        for job in session.scalars(
            scope.select(Job, permission=_WRITE).where(
                Job.contact_id == contact.id, facts.known(Job)
            )
        )
        if job.valid_to is None or job.valid_to > day
    ]
    if len(jobs) != 1 or jobs[0].workplace_id == workplace_id or jobs[0].valid_from >= day:
        return False
    session.add(_job(scope, contact, workplace_id, day, now=now, first_seen=True))
    # The new job comes first: without any the person would be at no place that is held.
    session.flush()
    facts.revise(session, jobs[0], now=now, actor_id=scope.actor_id, valid_to=day)
    session.flush()
    return True


def _job(
    scope: Scope, contact: Contact, workplace_id: int, day: date, *, now: datetime, first_seen: bool
) -> Job:
    return Job(
        contact_id=contact.id,
        place_id=workplace_id,
        workplace_id=workplace_id,
        valid_from=day,
        from_is_first_seen=first_seen,
        recorded_at=now,
        recorded_by_id=scope.actor_id,
    )


def _add_points(
    session: Session, scope: Scope, contact: Contact, points: Sequence[Any], *, now: datetime
) -> None:
    for kind, text in points:
        session.add(
            ContactPoint(
                contact_id=contact.id,
                kind=kind,
                value=text[:300],
                value_key=_KEYS[kind.value](text)[:300],
                recorded_at=now,
                recorded_by_id=scope.actor_id,
            )
        )
    session.flush()


_KEYS: Mapping[str, Any] = {
    "phone": lambda text: next(iter(known_of((), phones=(text,)).phones), ""),
    "email": lambda text: next(iter(known_of((), mails=(text,)).mails), ""),
    "address": fold,
}


def _add_person(
    session: Session, scope: Scope, member_list: MemberList, row: Row, *, now: datetime
) -> bool:
    """Store somebody who is not here, with the job and membership that the list tells of."""
    line = row.line
    if row.workplace_id is None:
        return False
    held = session.execute(
        scope.select(Workplace.id, permission=_WRITE).where(Workplace.id == row.workplace_id)
    ).first()
    if held is None:
        return False
    contact = Contact(
        known_as=line.name,
        full_name=line.name,
        name_key=f"{fold(line.name)} {fold(line.name)}"[:330],
        how_known=HowKnown.UNION_LIST,
        do_not_contact=False,
        created_at=now,
        created_by_id=scope.actor_id,
        version=1,
    )
    session.add(contact)
    session.flush()
    session.add(_job(scope, contact, row.workplace_id, member_list.as_at, now=now, first_seen=True))
    session.flush()
    empty = queries.nobody()
    _add_points(session, scope, contact, queries.new_points(line, empty), now=now)
    if line.standing is Standing.MEMBER:
        since = min(line.since or member_list.as_at, member_list.as_at)
        _member(session, scope, member_list, contact, line, since, now=now)
    else:
        until = min(line.until or member_list.as_at, member_list.as_at)
        _no_member(session, scope, member_list, contact, until, now=now)
    refresh_spans(session, contact.id)
    return True
