"""Working through a membership list: what was said of a line becomes a fact here, once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import facts, tasks
from crm.access.audit import UNDONE, changed_since, count_of_request
from crm.access.holding import hold_lists, hold_to_remove
from crm.access.member_lists import forget_lines
from crm.access.permissions import Permission
from crm.access.removal import named_elsewhere, remove_people
from crm.access.scope import Scope
from crm.access.spans import refresh_many, refresh_spans
from crm.access.undoing import CannotUndo, SomethingNewer, has_way_back, take_back
from crm.domain.errors import NotFound, Refusal
from crm.domain.identity import fold
from crm.domain.member_list import (
    REPEATED,
    Line,
    Part,
    Queue,
    Settings,
    Standing,
    Trouble,
    settings_of,
)
from crm.domain.merging import contradict
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import (
    ChangeState,
    HowKnown,
    MembershipSource,
    PointKind,
    PointState,
    Verb,
)
from crm.features.reconcile import queries
from crm.features.reconcile.queries import ASIDE, NEW, Row
from crm.models.audit import AuditEntry
from crm.models.base import table_of
from crm.models.contacts import Contact, ContactPoint, Job, Membership
from crm.models.member_lists import (
    MemberList,
    MemberListAct,
    MemberListChange,
    MemberListLine,
    MemberListPart,
)
from crm.models.places import Workplace
from crm.reads.duplicates import known_of

MOST_LINES = 100_000
# Longer lists are held against what is known by the worker; so is saying yes to more people.
AT_ONCE = 1500
AT_ONCE_CONFIRMED = 100
# Lines of one transaction: on SQLite others wait to write while it lasts.
CHUNK = 100
UNDO_DAYS = 30
LOOK_TASK = "look-through-member-list"
CONFIRM_TASK = "confirm-member-list"
UNDO_TASK = "undo-member-list"
_WRITE = Permission.CONTACT_WRITE
# A number of so many is more than a database counts to.
_DIGITS = 10


class NotYet(Refusal):
    """The day of the list has not come."""

    default_message = "This day has not come yet. Choose the day the union made the list."


class TooLong(Refusal):
    """The list is longer than can be worked through here."""

    default_message = "The list has more than 100,000 lines. Ask for the list of one branch."


class NoHeadings(Refusal):
    """The file has no row with the names of its columns."""

    default_message = (
        "We found no names of columns in the first rows. Put them into the first row of the file."
    )


class NoLines(Refusal):
    """The file has names of columns and nothing below them."""

    default_message = (
        "This file has names of columns, but no line below them. Choose the file, or save the "
        "sheet, that holds the members."
    )


class ColumnsFirst(Refusal):
    """Nobody has looked yet where the columns of the list go."""

    default_message = "First look whether each column goes to the right place."


class NoNames(Refusal):
    """No column holds names."""

    default_message = "Choose the column that holds the names."


class Twice(Refusal):
    """Two columns hold what only one can."""

    default_message = "Two columns go to the same thing. Leave one of them out."


class TooLate(Refusal):
    """The days in which an act can be taken back are over."""

    default_message = "The 30 days are over, so this cannot be undone in one go any more."


class UndoneAlready(Refusal):
    """The act was taken back before."""

    default_message = "This is undone already."


class NotLookedThrough(Refusal):
    """Of a list that was not read to its end nobody can say who is not on it."""

    default_message = "Not every line of this list is looked at. Look at all lines again first."


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
    settings: Settings,
    parts: Mapping[int, str],
    *,
    public_id: uuid.UUID,
    lines: int,
    as_at: date,
    today: date,
    now: datetime,
) -> None:
    """Keep a list to be worked through, for its owner only.

    chosen: the union, or the union and the branch, as the form offers them. parts: the rows of
    the file by the number of their first, closed to whoever reads the database. Raises NotYet,
    TooLong, NotFound.
    """
    if as_at > today:
        raise NotYet()
    if lines > MOST_LINES:
        raise TooLong()
    union_id, branch_id = queries.place_ids(session, scope, chosen)
    if scope.actor_id is None:
        raise NotFound("nobody to work through the list")
    member_list = MemberList(
        public_id=public_id,
        owner_id=scope.actor_id,
        union_id=union_id,
        branch_id=branch_id,
        as_at=as_at,
        made_at=now,
        lines=lines,
        settings=settings.as_plain(),
        decided={},
    )
    session.add(member_list)
    session.flush()
    session.add_all(
        MemberListPart(
            list_id=member_list.id, owner_id=scope.actor_id, first_number=number, sealed=sealed
        )
        for number, sealed in parts.items()
    )


def close_list(session: Session, scope: Scope, list_id: uuid.UUID, *, now: datetime) -> None:
    """Throw the lines of a list away. What was confirmed stays. Raises NotFound."""
    member_list = queries.get_list(session, scope, list_id)
    session.flush()
    forget_lines(session, [member_list.id])
    member_list.decided = {}
    member_list.settings = {}
    member_list.closed_at = now


def match(session: Session, scope: Scope, list_id: uuid.UUID, settings: Settings) -> MemberList:
    """Keep what the columns hold; every line is to be looked at anew. Raises NoNames, NotFound.

    What was said of single lines is kept where the same columns make up the name: else the name
    of a line may be another one.
    """
    if not settings.has_name:
        raise NoNames()
    once = [part for part in settings.parts if part not in REPEATED]
    if len(once) != len(set(once)):
        raise Twice()
    member_list = queries.get_list(session, scope, list_id)
    before = settings_of(member_list.settings)
    names = (Part.NAME, Part.FIRST, Part.LAST)
    forget = any(before.columns(part) != settings.columns(part) for part in names)
    _make_stale(session, member_list, **({"told": None} if forget else {}))
    member_list.settings = replace(settings, confirmed=True).as_plain()
    return member_list


def columns_are_guessed(member_list: MemberList) -> bool:
    """Return True for a list that was never looked through, its columns confirmed by nobody."""
    guessed = not settings_of(member_list.settings).confirmed if member_list.settings else False
    return guessed and member_list.looked_at is None


def look_again(session: Session, scope: Scope, list_id: uuid.UUID) -> MemberList:
    """Let every line be held anew against what is known by now. Raises NotFound, ColumnsFirst."""
    member_list = queries.get_list(session, scope, list_id)
    if columns_are_guessed(member_list):
        raise ColumnsFirst()
    _make_stale(session, member_list)
    return member_list


def _make_stale(session: Session, member_list: MemberList, **more: None) -> None:
    line = table_of(MemberListLine)
    session.flush()
    session.connection().execute(
        sa.update(line).where(line.c.list_id == member_list.id).values(stale=True, **more)
    )
    member_list.looked_at = None


def start_look(session: Session, scope: Scope, list_id: uuid.UUID, *, now: datetime) -> uuid.UUID:
    """Hand the looking through a list to the worker, and return the public id of the task."""
    return _hand_in(session, scope, LOOK_TASK, {"list": str(list_id)}, now=now)


def _hand_in(
    session: Session, scope: Scope, kind: str, payload: Mapping[str, str], *, now: datetime
) -> uuid.UUID:
    return tasks.enqueue(session, scope, kind=kind, payload=payload, now=now).public_id


def look_at(
    session: Session,
    scope: Scope,
    member_list: MemberList,
    lines: Sequence[Line],
    lookup: queries.Lookup,
    *,
    marks: Mapping[int, tuple[bool, bool]] | None = None,
) -> list[Row]:
    """Keep in which queue each of these lines is, as things stand now, and return them.

    marks: for each number whether the same row stands in the file before, and whether no other
    row has its name; only the first look at a list gives them.
    """
    session.flush()
    kept = queries.marks_of(session, scope, member_list, [line.number for line in lines])
    for line in lines:
        repeats, alone = (marks or {}).get(line.number, (False, False))
        mark = kept.get(line.number)
        if mark is None:
            mark = MemberListLine(
                list_id=member_list.id, owner_id=member_list.owner_id, number=line.number
            )
            session.add(mark)
            kept[line.number] = mark
        elif marks is None:
            continue
        mark.repeats, mark.alone = repeats, alone
    rows = queries.work_out(
        session,
        scope,
        member_list,
        [as_marked(line, kept[line.number]) for line in lines],
        told={number: mark.told for number, mark in kept.items() if mark.told is not None},
        alone={number for number, mark in kept.items() if mark.alone},
        lookup=lookup,
    )
    for row in rows:
        mark = kept[row.line.number]
        mark.queue = row.queue
        mark.stale = False
        mark.can_confirm = row.can_confirm
        mark.contact_id = None if row.person is None else row.person.contact_id
        ids = [one.contact_id for one in row.candidates]
        mark.candidates = {"ids": ids} if row.queue is Queue.NOT_SURE else None
    session.flush()
    return rows


def as_marked(line: Line, mark: MemberListLine) -> Line:
    """Return the line; one that stands in the file twice says only that."""
    if mark.repeats and line.trouble is None:
        return Line(number=line.number, name=line.name, trouble=Trouble.TWICE)
    return line


def looked_through(session: Session, scope: Scope, member_list: MemberList, now: datetime) -> None:
    """Note that every line of the list has been looked at."""
    member_list.looked_at = now


def decide(session: Session, scope: Scope, list_id: uuid.UUID, key: str, value: str) -> MemberList:
    """Remember what somebody said of a line, or of a member who is not on the list.

    key: the number of the line, or "off " and a public id. value: the public id of the person it
    is about, NEW for nobody here, ASIDE to leave it as it is. Raises NotFound.
    """
    member_list = queries.get_list(session, scope, list_id, hold=True)
    if value not in {NEW, ASIDE}:
        _hold(session, scope, value)
    if key.startswith(queries.OFF):
        member_list.decided = {**member_list.decided, key: value}
        return member_list
    number = number_of(key)
    mark = queries.marks_of(session, scope, member_list, [number]).get(number)
    if mark is None:
        raise NotFound("no such line")
    mark.told = value
    return member_list


def number_of(text: str) -> int:
    """Return the number of a line as a form sends it; 0, which no line has, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _DIGITS else 0


def start_act(
    session: Session,
    scope: Scope,
    member_list: MemberList,
    queue: Queue | None,
    *,
    public_id: uuid.UUID,
    now: datetime,
) -> MemberListAct:
    """Open what is said yes to. The trail names all that it writes by its id."""
    act = MemberListAct(
        public_id=public_id,
        list_id=member_list.id,
        owner_id=member_list.owner_id,
        queue=queue,
        at=now,
    )
    session.add(act)
    session.flush()
    session.info["request_id"] = public_id.hex
    return act


def hand_in_act(session: Session, scope: Scope, act: MemberListAct, *, now: datetime) -> uuid.UUID:
    """Hand an act on many people to the worker, and return the public id of the task."""
    return _hand_in(session, scope, CONFIRM_TASK, {"act": str(act.public_id)}, now=now)


def wait_for_turn(session: Session) -> None:
    """Wait for whoever brings people in from another list: each would add the same ones.

    Before the lines are looked at; they wait until this unit of work ends.
    """
    hold_lists(session.connection())


def confirm_rows(
    session: Session,
    scope: Scope,
    member_list: MemberList,
    act: MemberListAct,
    rows: Sequence[Row],
    *,
    now: datetime,
) -> int:
    """Write down what the rows say, and return how many were done; the others need a hand.

    rows: as ``look_at`` gave them in this same unit of work. Raises DoItByHand when it was one
    row, and it could not be done.
    """
    session.info["request_id"] = act.public_id.hex
    done: dict[int, bool] = {}
    came: dict[int, int] = {}
    count = 0
    for row in rows:
        if _brought_by_another_list(session, scope, member_list, row, came.values()):
            continue
        contact_id = _confirm(session, scope, member_list, row, now=now)
        if contact_id is not None:
            count += 1
            done[contact_id] = row.queue is Queue.NOT_HERE
            if row.queue is Queue.NOT_HERE:
                came[row.line.number] = contact_id
    _note_who_came(session, scope, member_list, came)
    if not count and len(rows) == 1:
        raise DoItByHand()
    _note_changes(session, scope, act, done)
    return count


def _brought_by_another_list(
    session: Session, scope: Scope, member_list: MemberList, row: Row, came: Iterable[int]
) -> bool:
    """Return True for a line that would add somebody who came after this list, by another way.

    "Somebody new" was said of it when they were not here yet: of the same name at the same
    workplace, and not brought by this list itself. came: whom it has brought in this unit of work.
    """
    if row.queue is not Queue.NOT_HERE or row.workplace_id is None:
        return False
    brought = session.scalars(
        scope.select(MemberListChange.contact_id)
        .join(MemberListAct, MemberListAct.id == MemberListChange.act_id)
        .where(MemberListAct.list_id == member_list.id, MemberListChange.is_new.is_(True))
    )
    key = fold(row.line.name)
    same = session.scalars(
        scope.select(Contact.id, permission=_WRITE)
        .join(Job, Job.contact_id == Contact.id)
        .where(
            Contact.name_key.in_([key, f"{key} {key}"[:330]]),
            Contact.created_at > member_list.made_at,
            Job.workplace_id == row.workplace_id,
            facts.known(Job),
        )
    )
    return bool(set(same) - {*brought, *came})


def _note_who_came(
    session: Session, scope: Scope, member_list: MemberList, came: Mapping[int, int]
) -> None:
    """Say of each line, by number, whom it brought: else "somebody new" would bring them twice."""
    people = queries.people_of(session, scope, sorted(came.values()))
    public_ids = {one.contact_id: str(one.public_id) for one in people}
    for number, mark in queries.marks_of(session, scope, member_list, came).items():
        mark.told = public_ids[came[number]]


def _note_changes(
    session: Session, scope: Scope, act: MemberListAct, done: Mapping[int, bool]
) -> None:
    before = set(
        session.scalars(
            scope.select(MemberListChange.contact_id).where(
                MemberListChange.act_id == act.id, MemberListChange.contact_id.in_(sorted(done))
            )
        )
    )
    session.add_all(
        MemberListChange(
            act_id=act.id,
            owner_id=act.owner_id,
            contact_id=contact_id,
            is_new=is_new,
            state=ChangeState.DONE,
        )
        for contact_id, is_new in done.items()
        if contact_id not in before
    )
    session.flush()


def end_members(
    session: Session,
    scope: Scope,
    member_list: MemberList,
    act: MemberListAct,
    people: Sequence[queries.Member],
    *,
    now: datetime,
) -> int:
    """Write down that these people are no members from the day of the list on; return how many.

    Raises NotLookedThrough.
    """
    if member_list.looked_at is None:
        raise NotLookedThrough()
    session.info["request_id"] = act.public_id.hex
    done: dict[int, bool] = {}
    for person in people:
        contact = _hold(session, scope, str(person.public_id))
        _no_member(session, scope, member_list, contact, member_list.as_at, now=now)
        done[contact.id] = False
    _note_changes(session, scope, act, done)
    return len(people)


# --- The way back -----------------------------------------------------------------------------


def start_undo(session: Session, scope: Scope, act_id: uuid.UUID, *, now: datetime) -> int:
    """Begin to take an act back; return how many people it is about.

    Raises TooLate after 30 days, UndoneAlready, NotFound.
    """
    act, _ = queries.find_act(session, scope, act_id, hold=True)
    if now >= act.at + timedelta(days=UNDO_DAYS):
        raise TooLate()
    if act.undone_at is not None:
        raise UndoneAlready()
    act.undoing_at = act.undoing_at or now
    return queries.get_act(session, scope, act_id).people


def hand_in_undo(session: Session, scope: Scope, act_id: uuid.UUID, *, now: datetime) -> uuid.UUID:
    """Hand the way back of an act to the worker, and return the public id of the task."""
    return _hand_in(session, scope, UNDO_TASK, {"act": str(act_id)}, now=now)


def undo_some(session: Session, scope: Scope, act_id: uuid.UUID, *, now: datetime) -> list[int]:
    """Take back what an act wrote about some people; return who they are, nobody at the end.

    Kept as they are: people about whom anybody wrote since, whom something else names if they
    came with the list (a talk, a tie, a case), and whom the scope may not write about any more.
    """
    act, _ = queries.find_act(session, scope, act_id, hold=True)
    if act.undoing_at is None or act.undone_at is not None:
        return []
    changes = session.scalars(
        scope.select(MemberListChange)
        .where(MemberListChange.act_id == act.id, MemberListChange.state == ChangeState.DONE)
        .order_by(MemberListChange.id.desc())
        .limit(CHUNK)
    ).all()
    if not changes:
        act.undone_at = now
        return []
    written_by = act.public_id.hex
    session.info["request_id"] = f"u{written_by[:31]}"
    session.info["reason"] = UNDONE
    ids = [one.contact_id for one in changes]
    hold_to_remove(session.connection(), Contact, ids)
    people = {
        person.id: person
        for person in session.scalars(
            scope.select(Contact, permission=_WRITE).where(Contact.id.in_(ids))
        )
    }
    changed = changed_since(session, written_by, ids)
    came = sorted(one.contact_id for one in changes if one.is_new)
    named = named_elsewhere(session, came) if came else set()
    gone: list[Contact] = []
    back: list[int] = []
    for change in changes:
        person = people.get(change.contact_id)
        change.state = ChangeState.KEPT
        if person is None or person.id in changed:
            continue
        if not change.is_new and _put_back(session, scope, person, written_by, now=now):
            change.state = ChangeState.UNDONE
            back.append(person.id)
        elif change.is_new and person.id not in named:
            change.state = ChangeState.UNDONE
            gone.append(person)
    session.flush()
    refresh_many(session, back)
    if gone:
        remove_people(session, scope, gone)
    return ids


def _put_back(
    session: Session, scope: Scope, person: Contact, written_by: str, *, now: datetime
) -> bool:
    """Return True when all that the act wrote about somebody could be taken back; else nothing."""
    entries = session.scalars(
        scope.select(AuditEntry, history=True)
        .where(
            AuditEntry.request_id == written_by,
            AuditEntry.contact_id == person.id,
            AuditEntry.verb.in_([Verb.CREATE, Verb.UPDATE, Verb.DELETE]),
        )
        .order_by(AuditEntry.id.desc())
    ).all()
    if count_of_request(session, written_by, AuditEntry.contact_id, person.id) != len(entries):
        return False
    try:
        with session.begin_nested():
            for entry in entries:
                fields = {*(entry.old or {}), *(entry.new or {})}
                if not has_way_back(entry.subject, entry.verb, fields):
                    raise CannotUndo()
                take_back(session, scope, entry, now=now)
    except (CannotUndo, SomethingNewer):
        return False
    return True


# --- What one line says -----------------------------------------------------------------------


def _confirm(
    session: Session, scope: Scope, member_list: MemberList, row: Row, *, now: datetime
) -> int | None:
    """Write down what a row says; return the inner id of whom it is about, None for not done."""
    line = row.line
    if row.queue is Queue.NOT_HERE:
        return _add_person(session, scope, member_list, row, now=now)
    if row.person is None:
        return None
    contact = _hold(session, scope, str(row.person.public_id))
    done = True
    if row.queue is Queue.JOINED:
        since = min(line.since or member_list.as_at, member_list.as_at)
        _member(session, scope, member_list, contact, line, since, now=now)
    elif row.queue in {Queue.LEFT, Queue.LAPSED}:
        until = min(line.until or member_list.as_at, member_list.as_at)
        _no_member(session, scope, member_list, contact, until, now=now)
    elif row.queue is Queue.MOVED:
        done = _moved(session, scope, member_list, contact, row, now=now)
    elif row.queue is Queue.CHANGED:
        _add_points(session, scope, contact, row.points, now=now)
        if row.job_title is not None:
            _call_job(session, scope, contact, row.job_title, now=now)
    elif row.queue is Queue.BAD_ADDRESS:
        done = _mark_addresses(session, scope, contact, line, now=now)
    else:
        done = False
    return contact.id if done else None


def _call_job(
    session: Session, scope: Scope, contact: Contact, title: str, *, now: datetime
) -> None:
    """Say what the one job is called that nobody has named; another one's name stays."""
    jobs = session.scalars(
        scope.select(Job, permission=_WRITE).where(
            Job.contact_id == contact.id, facts.known(Job), Job.valid_to.is_(None)
        )
    ).all()
    if len(jobs) == 1 and jobs[0].job_title is None:
        facts.revise(session, jobs[0], now=now, actor_id=scope.actor_id, job_title=title)
        session.flush()
        refresh_spans(session, contact.id)


def _mark_addresses(
    session: Session, scope: Scope, contact: Contact, line: Line, *, now: datetime
) -> bool:
    """Mark the addresses bad of which the list says so: a ballot must ask for another one."""
    wanted = None if line.address is None else fold(line.address)[:300]
    points = session.scalars(
        scope.select(ContactPoint, permission=_WRITE).where(
            ContactPoint.contact_id == contact.id,
            ContactPoint.kind == PointKind.ADDRESS,
            facts.known(ContactPoint),
        )
    ).all()
    done = False
    for point in points:
        if point.state is not PointState.BAD and wanted in {None, point.value_key}:
            facts.revise(session, point, now=now, actor_id=scope.actor_id, state=PointState.BAD)
            done = True
    session.flush()
    return done


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
    session: Session,
    scope: Scope,
    contact: Contact,
    points: Sequence[Any],
    *,
    now: datetime,
    state: PointState | None = None,
) -> None:
    for kind, text in points:
        session.add(
            ContactPoint(
                contact_id=contact.id,
                kind=kind,
                value=text[:300],
                value_key=_KEYS[kind.value](text)[:300],
                state=state,
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
) -> int | None:
    """Store somebody who is not here, with the job and membership that the list tells of.

    Return their inner id; None when the list names no workplace that is held.
    """
    line = row.line
    if row.workplace_id is None:
        return None
    held = session.execute(
        scope.select(Workplace.id, permission=_WRITE).where(Workplace.id == row.workplace_id)
    ).first()
    if held is None:
        return None
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
    job = _job(scope, contact, row.workplace_id, member_list.as_at, now=now, first_seen=True)
    job.job_title = line.job_title
    session.add(job)
    session.flush()
    empty = queries.nobody()
    _add_points(session, scope, contact, queries.new_points(line, empty), now=now)
    if line.address and line.bad_address:
        _add_points(
            session,
            scope,
            contact,
            ((PointKind.ADDRESS, line.address),),
            now=now,
            state=PointState.BAD,
        )
    if line.standing is Standing.MEMBER:
        since = min(line.since or member_list.as_at, member_list.as_at)
        _member(session, scope, member_list, contact, line, since, now=now)
    else:
        until = min(line.until or member_list.as_at, member_list.as_at)
        _no_member(session, scope, member_list, contact, until, now=now)
    refresh_spans(session, contact.id)
    return contact.id
