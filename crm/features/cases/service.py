"""Writes for cases: only their team makes them, and nobody is left without a way in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.speakers import list_speakers
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.vocabulary import CaseKind, CaseMatter, CaseOutcome, CaseRole, CaseStep
from crm.features.cases import queries
from crm.models.cases import Case, CaseDeadline, CaseEntry, CasePerson, CaseTeamMember
from crm.models.places import Place
from crm.reads.people import get_contact, shown_name
from crm.reads.places import get_place

LONGEST_AHEAD = timedelta(days=5 * 366)


class NotYet(Refusal):
    """The day has not come yet."""

    default_message = "This day has not come yet. Choose today or a day before."


class BeforeItOpened(Refusal):
    """The day lies before the case was opened."""

    default_message = "This is before the case was opened. Check both days."


class OpenedAfterItClosed(Refusal):
    """The day the case was opened lies after the day it was closed."""

    default_message = "This is after the case was closed. Check both days."


class DueTooFarAhead(Refusal):
    """The day is too far ahead to be anything but a slip."""

    default_message = "This day is more than five years ahead. Check the year."


class NothingWritten(Refusal):
    """A note without words."""

    default_message = "Write the note, or choose what happened."


class InItAlready(Refusal):
    """The person has a part in the case."""

    default_message = "%(name)s is in this case already."


class MayNotJoin(Refusal):
    """The one chosen cannot be put on the team."""

    default_message = (
        "The one you chose does not hold the place of this case, or is on the team already. "
        "Choose somebody from the list."
    )


class NobodyLeft(Refusal):
    """The last one who can read the case would go."""

    default_message = (
        "Nobody else on the team could open this case then. Put somebody on the team first."
    )


class ClosedAlready(Refusal):
    """A closed case is not closed again."""

    default_message = "This case is closed already. Open it again to change how it ended."


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What a case is. affected: how many workers it is about, None = not known."""

    reference: str
    kind: CaseKind
    matter: CaseMatter
    opened_on: date
    affected: int | None


@dataclass(frozen=True, slots=True)
class FirstPerson:
    """Somebody who has a part in a case from the start. contact: their public id."""

    contact: uuid.UUID
    role: CaseRole


def open_case(
    session: Session,
    scope: Scope,
    facts: CaseFacts,
    *,
    place: uuid.UUID,
    case_id: uuid.UUID,
    person: FirstPerson | None,
    now: datetime,
    today: date,
) -> uuid.UUID:
    """Store a case with the actor as its team and return its public id.

    place: public id of a workplace or area. case_id: made with the form, so that sending it twice
    opens one case. Raises NotFound for a place or person out of scope, NotYet.
    """
    if facts.opened_on > today:
        raise NotYet()
    if _is_stored(session, scope, Case, case_id):
        return case_id
    site = queries.get_site(session, scope, place)
    found = get_place(
        session, scope, Place, site.public_id, permission=Permission.CONVERSATION_WRITE
    )
    case = Case(
        public_id=case_id,
        place_id=found.id,
        created_at=now,
        created_by_id=scope.actor_id,
        **_columns(facts),
    )
    _add_once(session, case)
    session.add(
        CaseTeamMember(
            case_id=case.id, user_id=scope.actor_id, joined_at=now, added_by_id=scope.actor_id
        )
    )
    session.flush()
    if person is not None:
        _add_person(session, scope, case, person, now=now)
    return case_id


def change_case(
    session: Session,
    scope: Scope,
    case_id: uuid.UUID,
    facts: CaseFacts,
    *,
    version: int,
    today: date,
) -> None:
    """Store what a case is. version: of the case as the actor saw it.

    Raises NotFound, NotYet, OpenedAfterItClosed, EditConflict.
    """
    case = queries.find_case(session, scope, case_id, lock=True)
    if case.version != version:
        raise EditConflict(
            current={"version": case.version, **_columns(case)}, yours=_columns(facts)
        )
    if facts.opened_on > today:
        raise NotYet()
    if case.closed_on is not None and facts.opened_on > case.closed_on:
        raise OpenedAfterItClosed()
    for name, value in _columns(facts).items():
        setattr(case, name, value)
    case.version += 1


def close_case(
    session: Session,
    scope: Scope,
    case_id: uuid.UUID,
    *,
    closed_on: date,
    outcome: CaseOutcome,
    words: str | None,
    today: date,
) -> None:
    """Close a case with how it ended. Raises NotFound, ClosedAlready, NotYet, BeforeItOpened."""
    case = queries.find_case(session, scope, case_id, lock=True)
    if case.closed_on is not None:
        raise ClosedAlready()
    if closed_on > today:
        raise NotYet()
    if closed_on < case.opened_on:
        raise BeforeItOpened()
    case.closed_on, case.outcome, case.outcome_words = closed_on, outcome, words
    case.version += 1


def reopen_case(session: Session, scope: Scope, case_id: uuid.UUID) -> None:
    """Open a closed case again; how it had ended is no longer said. Raises NotFound."""
    case = queries.find_case(session, scope, case_id, lock=True)
    if case.closed_on is None:
        return
    case.closed_on, case.outcome, case.outcome_words = None, None, None
    case.version += 1


def add_entry(
    session: Session,
    scope: Scope,
    case_id: uuid.UUID,
    *,
    entry_id: uuid.UUID,
    day: date,
    step: CaseStep,
    words: str | None,
    now: datetime,
    today: date,
) -> None:
    """Write down what happened, or a note. entry_id: made with the form, so that it is kept once.

    Raises NotFound, NotYet, NothingWritten.
    """
    case = queries.find_case(session, scope, case_id)
    if day > today:
        raise NotYet()
    if step is CaseStep.NOTE and words is None:
        raise NothingWritten()
    if _is_stored(session, scope, CaseEntry, entry_id):
        return
    _add_once(
        session,
        CaseEntry(
            public_id=entry_id,
            case_id=case.id,
            day=day,
            step=step,
            words=words,
            author_id=scope.actor_id,
            recorded_at=now,
        ),
    )


def add_deadline(
    session: Session,
    scope: Scope,
    case_id: uuid.UUID,
    *,
    deadline_id: uuid.UUID,
    due_on: date,
    what: str,
    now: datetime,
    today: date,
) -> None:
    """Write down something to be done by a day; a day that is over is taken too, as overdue.

    deadline_id: made with the form. Raises NotFound, BeforeItOpened, DueTooFarAhead.
    """
    case = queries.find_case(session, scope, case_id)
    if due_on < case.opened_on:
        raise BeforeItOpened()
    if due_on > today + LONGEST_AHEAD:
        raise DueTooFarAhead()
    if _is_stored(session, scope, CaseDeadline, deadline_id):
        return
    _add_once(
        session,
        CaseDeadline(
            public_id=deadline_id,
            case_id=case.id,
            due_on=due_on,
            what=what,
            created_at=now,
            created_by_id=scope.actor_id,
        ),
    )


def mark_deadline(
    session: Session,
    scope: Scope,
    case_id: uuid.UUID,
    deadline_id: uuid.UUID,
    *,
    done: bool,
    now: datetime,
) -> str:
    """Tick a deadline off, or put it back; return what was to be done. Raises NotFound."""
    case = queries.find_case(session, scope, case_id)
    found: CaseDeadline | None = session.scalars(
        scope.select(CaseDeadline)
        .where(CaseDeadline.public_id == deadline_id, CaseDeadline.case_id == case.id)
        .with_for_update(of=CaseDeadline)
    ).one_or_none()
    if found is None:
        raise NotFound(f"deadline {deadline_id}")
    if done and found.done_at is None:
        found.done_at, found.done_by_id = now, scope.actor_id
    elif not done:
        found.done_at, found.done_by_id = None, None
    return found.what


def add_person(
    session: Session,
    scope: Scope,
    case_id: uuid.UUID,
    person: FirstPerson,
    *,
    now: datetime,
) -> str:
    """Give a contact a part in a case and return their name. Raises NotFound, InItAlready."""
    case = queries.find_case(session, scope, case_id, lock=True)
    return _add_person(session, scope, case, person, now=now)


def remove_person(
    session: Session, scope: Scope, case_id: uuid.UUID, in_case_id: uuid.UUID, *, now: datetime
) -> None:
    """End a contact's part in a case. Raises NotFound."""
    case = queries.find_case(session, scope, case_id)
    found: CasePerson | None = session.scalars(
        scope.select(CasePerson).where(
            CasePerson.public_id == in_case_id, CasePerson.case_id == case.id
        )
    ).one_or_none()
    if found is None:
        raise NotFound(f"person {in_case_id} in a case")
    if found.removed_at is None:
        found.removed_at = now


def add_to_team(
    session: Session,
    scope: Scope,
    case_id: uuid.UUID,
    *,
    user: uuid.UUID,
    now: datetime,
) -> str:
    """Put a user on the team and return their name: from now on they read all of the case.

    Raises NotFound; MayNotJoin for anybody whose role does not cover the place of the case.
    """
    case = queries.find_case(session, scope, case_id, lock=True)
    offered = queries.list_to_join(session, scope, case_id, day=now.date())
    speakers = list_speakers(session, [case.place_id], day=now.date())
    chosen = next((one for one in speakers if one.public_id == user), None)
    if chosen is None or user not in {public_id for public_id, _name in offered}:
        raise MayNotJoin()
    session.add(
        CaseTeamMember(
            case_id=case.id, user_id=chosen.user_id, joined_at=now, added_by_id=scope.actor_id
        )
    )
    return chosen.name


def take_off_team(
    session: Session,
    scope: Scope,
    case_id: uuid.UUID,
    *,
    user: uuid.UUID,
    now: datetime,
) -> str:
    """Take somebody off the team, or leave it oneself; return their name.

    They read nothing of the case from then on. Raises NotFound for somebody who is not on it;
    NobodyLeft unless another stays who can open the case, by a role that covers its place.
    """
    # Two who leave at the same moment must not both find the other still there.
    case = queries.find_case(session, scope, case_id, lock=True)
    team = queries.team_of(session, scope, case, day=now.date())
    leaver = next((one for one in team if one.user_public_id == user), None)
    if leaver is None:
        raise NotFound(f"user {user} on the team")
    if not any(one.holds for one in team if one.user_public_id != user):
        raise NobodyLeft()
    row = session.scalars(
        scope.select(CaseTeamMember).where(
            CaseTeamMember.public_id == leaver.member_id, CaseTeamMember.left_at.is_(None)
        )
    ).one()
    row.left_at, row.ended_by_id = now, scope.actor_id
    return leaver.name


def give_stuck(
    session: Session, scope: Scope, case_id: uuid.UUID, *, sign_in_name: str, now: datetime
) -> str:
    """Put a user on the team of a case that nobody can open; return their name.

    For whoever runs the server, over everything. Raises NotFound for a case that somebody can
    open or that is closed, and MayNotJoin for a user whose role does not cover its place.
    """
    stuck = {one.public_id for one in queries.list_stuck(session, scope, day=now.date())}
    if case_id not in stuck:
        raise NotFound(f"case {case_id} that nobody can open")
    case = queries.find_case(session, scope, case_id, lock=True)
    user_id = queries.user_by_sign_in_name(session, scope, sign_in_name)
    speakers = list_speakers(session, [case.place_id], day=now.date())
    chosen = next((one for one in speakers if one.user_id == user_id), None)
    if chosen is None:
        raise MayNotJoin()
    session.add(CaseTeamMember(case_id=case.id, user_id=chosen.user_id, joined_at=now))
    return chosen.name


def _columns(facts: CaseFacts | Case) -> dict[str, Any]:
    names = ("reference", "kind", "matter", "opened_on", "affected")
    return {name: getattr(facts, name) for name in names}


def _add_person(
    session: Session, scope: Scope, case: Case, person: FirstPerson, *, now: datetime
) -> str:
    contact = get_contact(session, scope, person.contact, permission=Permission.CONVERSATION_WRITE)
    there = session.execute(
        scope.select(CasePerson.id).where(
            CasePerson.case_id == case.id,
            CasePerson.contact_id == contact.id,
            CasePerson.removed_at.is_(None),
        )
    ).first()
    if there is not None:
        raise InItAlready(name=shown_name(contact))
    session.add(
        CasePerson(
            case_id=case.id,
            contact_id=contact.id,
            role=person.role,
            added_at=now,
            added_by_id=scope.actor_id,
        )
    )
    return shown_name(contact)


def _is_stored(session: Session, scope: Scope, model: Any, public_id: uuid.UUID) -> bool:
    found = session.execute(scope.select(model.id).where(model.public_id == public_id))
    return found.first() is not None


def _add_once(session: Session, row: Any) -> None:
    """Store a row under the id its form was given. Raises NotFound for an id of somebody else's."""
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        if "public_id" not in str(error.orig):
            raise
        raise NotFound("an id that stands for something else") from error
