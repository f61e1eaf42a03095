"""Reads for a membership list: which person each line is about, and what is to be done about it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.place_likeness import union_named
from crm.domain.errors import NotFound
from crm.domain.identity import fold
from crm.domain.ids import UnionId
from crm.domain.likeness import Band, Known, Reason
from crm.domain.member_list import Here, Line, Queue, Trouble, queue_of
from crm.domain.place_likeness import with_and_without_dots
from crm.domain.timeline import MembershipSpell, MembershipStatus, member_of
from crm.domain.vocabulary import ChangeState, PointKind, PointState
from crm.models.contacts import Contact, ContactPoint, Job, Membership
from crm.models.member_lists import (
    MemberList,
    MemberListAct,
    MemberListChange,
    MemberListLine,
    MemberListPart,
)
from crm.models.places import Branch, Place, Union, Workplace
from crm.reads.duplicates import Candidate, find_candidates, known_of, read_known
from crm.reads.people import shown_name
from crm.reads.places import Choice, names_of
from crm.reads.voters import Lacking, members_lacking

NEW, ASIDE = "new", "aside"
# Before the public id of a member who is not on the list.
OFF: Final = "off "
_WRITE: Final = Permission.CONTACT_WRITE
_AT_ONCE: Final = 500
_MOST_CANDIDATES: Final = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list with what is held of the person.

    person: inner id, public id and name; None when nobody is sure. candidates: who it may be.
    points: what the list has and we do not, as (kind, text). job_title: what their one job is to
    be called, which has no name yet; None = nothing to add. workplace_id: the inner id of the
    workplace the line names, where the scope may write about its people; None = not known.
    """

    line: Line
    queue: Queue
    person: Member | None
    candidates: tuple[Candidate, ...]
    points: tuple[tuple[PointKind, str], ...]
    job_title: str | None
    workplace_id: int | None

    @property
    def can_confirm(self) -> bool:
        """True when one press does what the queue says."""
        if self.queue is Queue.NOT_HERE:
            return self.workplace_id is not None
        return self.queue in {
            *(Queue.JOINED, Queue.LEFT, Queue.LAPSED, Queue.MOVED, Queue.CHANGED),
            Queue.BAD_ADDRESS,
        }


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody known here: the person a line is about, or a member who is not on the list."""

    contact_id: int
    public_id: uuid.UUID
    name: str
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class Lookup:
    """What one run over a list asks for once: the workplaces, and everybody ever in the union.

    All are read when they are first needed. branches: the names of the union's branches, by name.
    by_name: by each name of two words or more, in any order of the words.
    """

    places: dict[str, int | None] | None = None
    branches: dict[str, str] | None = None
    by_name: dict[str, list[Member]] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many lines of a list are in each queue; lines that were not looked at are in none."""

    by_queue: Mapping[Queue, int]
    lines: int
    looked_at: datetime | None

    @property
    def looked(self) -> int:
        """How many lines have a queue."""
        return sum(self.by_queue.values())


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was said yes to. queue None: members who are not on the list.

    by_state: how many people it is about, by what became of it. kept: the names of those whom the
    way back left as they are, of those the reader still sees.
    """

    public_id: uuid.UUID
    whose: str
    as_at: date
    queue: Queue | None
    at: datetime
    undoing_at: datetime | None
    undone_at: datetime | None
    by_state: Mapping[ChangeState, int]
    kept: tuple[tuple[uuid.UUID, str], ...] = ()

    @property
    def people(self) -> int:
        """How many people it wrote about."""
        return sum(self.by_state.values())


def unions_and_branches(session: Session, scope: Scope) -> list[Choice]:
    """Return whose list it may be: each union, and each of its branches behind it.

    A value is the union's public id, or that and the branch's with a space between.
    """
    unions = session.execute(
        scope.select(Union.id, Union.public_id, Union.name)
        .where(Union.closed_on.is_(None))
        .order_by(Union.name, Union.id)
    ).all()
    branches = session.execute(
        scope.select(Branch.public_id, Branch.name, Branch.union_id)
        .where(Branch.closed_on.is_(None))
        .order_by(Branch.name, Branch.id)
    ).all()
    found: list[Choice] = []
    for union in unions:
        found.append(Choice(str(union.public_id), union.name))
        found.extend(
            Choice(f"{union.public_id} {branch.public_id}", f"{union.name}: {branch.name}")
            for branch in branches
            if branch.union_id == union.id
        )
    return found


def list_lists(session: Session, scope: Scope) -> list[tuple[MemberList, str]]:
    """Return the reader's lists that are not closed, the latest first, each with whose it is."""
    rows = session.scalars(
        scope.select(MemberList)
        .where(MemberList.closed_at.is_(None))
        .order_by(MemberList.id.desc())
    ).all()
    return [(row, whose(session, scope, row)) for row in rows]


def get_list(
    session: Session, scope: Scope, list_id: uuid.UUID, *, hold: bool = False
) -> MemberList:
    """Return the reader's list. Raises NotFound when it is another's, or closed.

    hold: wait for whoever writes down what it says, and keep others out until the end of the unit
    of work: else two presses at once write everything twice.
    """
    wanted = scope.select(MemberList).where(
        MemberList.public_id == list_id, MemberList.closed_at.is_(None)
    )
    if hold:
        wanted = wanted.with_for_update(of=MemberList)
    found: MemberList | None = session.scalars(wanted).one_or_none()
    if found is None:
        raise NotFound(f"member list {list_id}")
    return found


def whose(session: Session, scope: Scope, member_list: MemberList) -> str:
    """Return the name of the union, and of the branch where the list is of one."""
    ids = [member_list.union_id, member_list.branch_id]
    names = names_of(session, scope, {one for one in ids if one is not None})
    return ": ".join(names[one] for one in ids if one is not None and one in names)


def count_lines(session: Session, scope: Scope, member_list: MemberList) -> Counts:
    """Return how many lines of the list are in each queue, as they were last looked at."""
    rows = session.execute(
        scope.select(MemberListLine.queue, sa.func.count(MemberListLine.id))
        .where(MemberListLine.list_id == member_list.id, MemberListLine.stale.is_(False))
        .group_by(MemberListLine.queue)
    )
    return Counts(
        {queue: int(number) for queue, number in rows}, member_list.lines, member_list.looked_at
    )


def numbers_in(
    session: Session,
    scope: Scope,
    member_list: MemberList,
    queue: Queue,
    *,
    after: int = 0,
    limit: int,
    can_confirm: bool = False,
) -> list[int]:
    """Return the numbers of the first lines of a queue, after a line, in the order of the file.

    can_confirm: only those of which one press does what the queue says.
    """
    only = [MemberListLine.can_confirm.is_(True)] if can_confirm else []
    return list(
        session.scalars(
            scope.select(MemberListLine.number)
            .where(
                MemberListLine.list_id == member_list.id,
                MemberListLine.queue == queue,
                MemberListLine.number > after,
                *only,
            )
            .order_by(MemberListLine.number)
            .limit(limit)
        )
    )


def count_to_confirm(session: Session, scope: Scope, member_list: MemberList, queue: Queue) -> int:
    """Return how many lines of a queue can be done with one press."""
    return int(
        session.scalars(
            scope.select(sa.func.count(MemberListLine.id)).where(
                MemberListLine.list_id == member_list.id,
                MemberListLine.queue == queue,
                MemberListLine.can_confirm.is_(True),
            )
        ).one()
    )


def numbers_about(
    session: Session, scope: Scope, member_list: MemberList, contact_ids: Collection[int]
) -> list[int]:
    """Return the numbers of the lines that are about these people."""
    return list(
        session.scalars(
            scope.select(MemberListLine.number).where(
                MemberListLine.list_id == member_list.id,
                MemberListLine.contact_id.in_(sorted(contact_ids)),
            )
        )
    )


def fresh_numbers(
    session: Session, scope: Scope, member_list: MemberList, numbers: Collection[int]
) -> set[int]:
    """Return which of these lines have been looked at as the columns are matched now."""
    return {
        number
        for number, mark in marks_of(session, scope, member_list, numbers).items()
        if not mark.stale
    }


def first_numbers(session: Session, scope: Scope, member_list: MemberList) -> list[int]:
    """Return the number of the first row of each sealed part of the file, in order."""
    return list(
        session.scalars(
            scope.select(MemberListPart.first_number)
            .where(MemberListPart.list_id == member_list.id)
            .order_by(MemberListPart.first_number)
        )
    )


def sealed_parts(
    session: Session, scope: Scope, member_list: MemberList, first_numbers: Collection[int]
) -> list[str]:
    """Return the sealed parts of the file that begin with these rows, in order."""
    return list(
        session.scalars(
            scope.select(MemberListPart.sealed)
            .where(
                MemberListPart.list_id == member_list.id,
                MemberListPart.first_number.in_(sorted(first_numbers)),
            )
            .order_by(MemberListPart.first_number)
        )
    )


def marks_of(
    session: Session, scope: Scope, member_list: MemberList, numbers: Collection[int]
) -> dict[int, MemberListLine]:
    """Return what is kept of these lines, by number."""
    return {
        row.number: row
        for row in session.scalars(
            scope.select(MemberListLine).where(
                MemberListLine.list_id == member_list.id,
                MemberListLine.number.in_(sorted(numbers)),
            )
        )
    }


def work_out(
    session: Session,
    scope: Scope,
    member_list: MemberList,
    lines: Sequence[Line],
    *,
    told: Mapping[int, str],
    alone: Collection[int],
    lookup: Lookup,
) -> list[Row]:
    """Return each of these lines with its queue, as things stand now.

    told: what somebody said of a line, by its number. alone: the numbers of lines whose name
    stands nowhere else in the file. Only people whom the scope may write about take part. About
    twenty statements for some hundred lines.
    """
    if lookup.places is None:
        lookup.places = _workplaces(session, scope)
    places = lookup.places
    lines = [_with_branch(session, scope, member_list, line, lookup) for line in lines]
    # Also of a line that cannot be used somebody is known, so that nobody says they are not on it.
    named = [line for line in lines if line.trouble not in {Trouble.NO_NAME, Trouble.TWICE}]
    asked = [_known(line, places) for line in named]
    found = dict(
        zip(
            (line.number for line in named),
            find_candidates(session, scope, asked, permission=_WRITE),
            strict=True,
        )
    )
    # Also those who were members once: a list says of them that they left.
    ever = _ever(
        session, scope, member_list, {one.contact_id for some in found.values() for one in some}
    )
    chosen = _chosen(session, scope, told.values())
    people: dict[int, Member] = {}
    by_name: dict[int, int] = {}
    for line in named:
        said = told.get(line.number)
        if said in chosen:
            people[line.number] = chosen[said]
        elif said != NEW:
            sure = _surely(found[line.number], ever)
            if sure is not None:
                people[line.number] = Member(sure.contact_id, sure.public_id, sure.name)
            elif not found[line.number] and line.number in alone:
                # The only member of this name, and the only line: the list has nothing else of
                # them that we know.
                if lookup.by_name is None:
                    lookup.by_name = _by_name(_members(session, scope, member_list))
                alike = lookup.by_name.get(name_key(line.name), [])
                if len(alike) == 1:
                    people[line.number] = alike[0]
                    by_name[line.number] = alike[0].contact_id
    # The names were read when the run began: somebody may be gone since.
    still = _ever(session, scope, member_list, by_name.values())
    for number, contact_id in by_name.items():
        if contact_id not in still:
            del people[number]
    here = _here(session, scope, member_list, {one.contact_id for one in people.values()})
    rows = []
    for line in lines:
        person = people.get(line.number)
        candidates = tuple(found.get(line.number, ())[:_MOST_CANDIDATES])
        held = None if person is None else here[person.contact_id]
        points = () if held is None else new_points(line, held)
        title = line.job_title if held is not None and held.untitled_job else None
        rows.append(
            Row(
                line=line,
                queue=_queue(line, told.get(line.number), held, candidates, points, title),
                person=person,
                candidates=candidates,
                points=points,
                job_title=title,
                workplace_id=_place_named(places, line.workplace),
            )
        )
    return rows


def off_list(session: Session, scope: Scope, member_list: MemberList) -> list[tuple[int, str]]:
    """Return whom we hold as members on the day of the list and no line is about, by name.

    As (inner id, public id). Nobody whom a line may be about, and nobody who was set aside. Only
    of a list of which every line was looked at.
    """
    maybe: set[int] = set()
    for candidates in session.scalars(
        scope.select(MemberListLine.candidates).where(
            MemberListLine.list_id == member_list.id, MemberListLine.queue == Queue.NOT_SURE
        )
    ):
        maybe.update((candidates or {}).get("ids", ()))
    aside = {key.removeprefix(OFF) for key in member_list.decided if key.startswith(OFF)}
    line = sa.select(sa.literal(1)).where(
        MemberListLine.list_id == member_list.id, MemberListLine.contact_id == Contact.id
    )
    narrower = [
        Membership.status == MembershipStatus.MEMBER,
        covers(Membership, member_list.as_at),
    ]
    if member_list.branch_id is not None:
        narrower.append(Membership.branch_id == member_list.branch_id)
    rows = session.execute(
        scope.select(Contact.id, Contact.public_id, permission=_WRITE)
        .where(
            Contact.id.in_(
                scope.select(Membership.contact_id, permission=_WRITE).where(
                    Membership.union_id == member_list.union_id, known(Membership), *narrower
                )
            ),
            ~line.exists(),
        )
        .order_by(Contact.name_key, Contact.id)
    )
    return [
        (int(contact_id), str(public_id))
        for contact_id, public_id in rows
        if contact_id not in maybe and str(public_id) not in aside
    ]


def people_of(session: Session, scope: Scope, contact_ids: Sequence[int]) -> list[Member]:
    """Return these people by name, as far as the scope may write about them; at most 500."""
    rows = session.scalars(
        scope.select(Contact, permission=_WRITE)
        .where(Contact.id.in_(contact_ids))
        .order_by(Contact.name_key, Contact.id)
    )
    return [Member(row.id, row.public_id, shown_name(row)) for row in rows]


def lines_people(session: Session, scope: Scope, member_list: MemberList) -> list[int]:
    """Return the inner ids of everybody whom a line of the list is about."""
    return list(
        session.scalars(
            scope.select(MemberListLine.contact_id)
            .where(MemberListLine.list_id == member_list.id, MemberListLine.contact_id.is_not(None))
            .distinct()
        )
    )


def lacking(session: Session, scope: Scope, member_list: MemberList, day: date) -> Lacking:
    """Return what a ballot would still have to find out about the people on the list."""
    people = lines_people(session, scope, member_list)
    return members_lacking(session, scope, member_list.union_id, people, day)


def list_acts(
    session: Session, scope: Scope, *, since: datetime, list_id: int | None = None
) -> list[Act]:
    """Return what the reader said yes to since a moment, the latest first; of one list, or all."""
    only = [] if list_id is None else [MemberListAct.list_id == list_id]
    rows = session.execute(
        scope.select(MemberListAct, MemberList)
        .join(MemberList, MemberList.id == MemberListAct.list_id)
        .where(MemberListAct.at > since, *only)
        .order_by(MemberListAct.id.desc())
    ).all()
    counts = _count_changes(session, scope, [act.id for act, _ in rows])
    return [_act(session, scope, act, of, counts.get(act.id, {})) for act, of in rows]


def get_act(session: Session, scope: Scope, act_id: uuid.UUID) -> Act:
    """Return one act of the reader, with whom its way back left alone. Raises NotFound."""
    act, of = find_act(session, scope, act_id)
    kept = session.scalars(
        scope.select(MemberListChange.contact_id).where(
            MemberListChange.act_id == act.id, MemberListChange.state == ChangeState.KEPT
        )
    ).all()
    people = people_of(session, scope, list(kept)[:_AT_ONCE])
    return _act(
        session,
        scope,
        act,
        of,
        _count_changes(session, scope, [act.id]).get(act.id, {}),
        tuple((one.public_id, one.name) for one in people),
    )


def find_act(
    session: Session, scope: Scope, act_id: uuid.UUID, *, hold: bool = False
) -> tuple[MemberListAct, MemberList]:
    """Return the act and its list. Raises NotFound when it is another's, or forgotten.

    hold: as of get_list, for both.
    """
    wanted = (
        scope.select(MemberListAct, MemberList)
        .join(MemberList, MemberList.id == MemberListAct.list_id)
        .where(MemberListAct.public_id == act_id)
    )
    if hold:
        wanted = wanted.with_for_update(of=[MemberListAct, MemberList])
    row = session.execute(wanted).one_or_none()
    if row is None:
        raise NotFound(f"act {act_id}")
    return row[0], row[1]


def _count_changes(
    session: Session, scope: Scope, act_ids: Sequence[int]
) -> dict[int, dict[ChangeState, int]]:
    found: dict[int, dict[ChangeState, int]] = {}
    for act_id, state, number in session.execute(
        scope.select(
            MemberListChange.act_id, MemberListChange.state, sa.func.count(MemberListChange.id)
        )
        .where(MemberListChange.act_id.in_(act_ids))
        .group_by(MemberListChange.act_id, MemberListChange.state)
    ):
        found.setdefault(act_id, {})[state] = int(number)
    return found


def _act(
    session: Session,
    scope: Scope,
    act: MemberListAct,
    of: MemberList,
    by_state: Mapping[ChangeState, int],
    kept: tuple[tuple[uuid.UUID, str], ...] = (),
) -> Act:
    return Act(
        public_id=act.public_id,
        whose=whose(session, scope, of),
        as_at=of.as_at,
        queue=act.queue,
        at=act.at,
        undoing_at=act.undoing_at,
        undone_at=act.undone_at,
        by_state=by_state,
        kept=kept,
    )


def undo_until(act: Act, days: int) -> datetime:
    """Return the moment until which an act can be taken back."""
    return act.at + timedelta(days=days)


def _with_branch(
    session: Session, scope: Scope, member_list: MemberList, line: Line, lookup: Lookup
) -> Line:
    """Return the line with the name of the branch that it surely means, as we write it."""
    if line.branch is None:
        return line
    if lookup.branches is None:
        names = session.scalars(
            scope.select(Branch.name).where(Branch.union_id == member_list.union_id)
        ).all()
        lookup.branches = {name: name for name in names}
    if any(fold(name) == fold(line.branch) for name in lookup.branches):
        return line
    meant = union_named(line.branch, lookup.branches)
    return line if meant is None else replace(line, branch=str(meant))


def _queue(
    line: Line,
    told: str | None,
    held: Here | None,
    candidates: Sequence[Candidate],
    points: Sequence[tuple[PointKind, str]],
    title: str | None,
) -> Queue:
    if line.trouble is not None:
        return Queue.PROBLEM
    if told == ASIDE:
        return Queue.SET_ASIDE
    if held is not None:
        new = [*(kind.value for kind, _ in points), *(["job_title"] if title else [])]
        return queue_of(line, held, new)
    return Queue.NOT_SURE if candidates and told != NEW else Queue.NOT_HERE


def _known(line: Line, places: Mapping[str, int | None]) -> Known:
    at = _place_named(places, line.workplace)
    return known_of(
        (line.name,),
        phones=line.phones,
        mails=(line.mail,),
        addresses=(line.address,),
        workplaces=() if at is None else (at,),
    )


def _place_named(places: Mapping[str, int | None], name: str | None) -> int | None:
    """Return the inner id of the workplace of a name, dots or no dots; None for none or two."""
    key = fold(name or "")
    if key in places:
        return places[key]
    dotted = {places[one] for one in with_and_without_dots(key) if one in places}
    return dotted.pop() if len(dotted) == 1 else None


def _surely(candidates: Sequence[Candidate], members: Collection[int]) -> Candidate | None:
    """Return who a line is about when it can be nobody else.

    Almost surely the same by name and phone, mail or address; or the only one of the name, which
    is written alike, who is a member already or works at the place the line names.
    """
    sure = [one for one in candidates if one.likeness.band is Band.SURE]
    if len(sure) == 1:
        return sure[0]
    if sure:
        return None
    alike = [one for one in candidates if Reason.SAME_NAME in dict(one.likeness.reasons)]
    if len(alike) != 1 or len(fold(alike[0].name).split()) < 2:
        return None
    reasons = dict(alike[0].likeness.reasons)
    if {Reason.OTHER_PHONE, Reason.OTHER_MAIL} <= reasons.keys():
        return None
    tied = Reason.SAME_WORKPLACE in reasons or alike[0].contact_id in members
    return alike[0] if tied else None


def name_key(name: str) -> str:
    """Return a name as lines are told apart by it: its folded words, whatever their order."""
    return " ".join(sorted(fold(name).split()))


def _by_name(members: Iterable[Member]) -> dict[str, list[Member]]:
    """Return the members by each of their names of two words or more, in any order of the words."""
    found: dict[str, list[Member]] = {}
    for member in members:
        for key in {name_key(name) for name in member.names}:
            if " " in key:
                found.setdefault(key, []).append(member)
    return found


def _workplaces(session: Session, scope: Scope) -> dict[str, int | None]:
    """Return the workplaces by folded name; None for a name that two of them have."""
    rows = session.execute(
        scope.select(Workplace.id, Workplace.name, permission=_WRITE).where(
            Workplace.closed_on.is_(None)
        )
    )
    found: dict[str, list[int]] = {}
    for place_id, name in rows:
        found.setdefault(fold(name), []).append(int(place_id))
    return {name: ids[0] if len(ids) == 1 else None for name, ids in found.items()}


def _ever(
    session: Session, scope: Scope, member_list: MemberList, contact_ids: Collection[int]
) -> set[int]:
    """Return of whom of these people something is known about this union, on any day."""
    found: set[int] = set()
    order = sorted(contact_ids)
    for start in range(0, len(order), _AT_ONCE):
        found |= set(
            session.scalars(
                scope.select(Membership.contact_id, permission=_WRITE).where(
                    Membership.union_id == member_list.union_id,
                    known(Membership),
                    Membership.contact_id.in_(order[start : start + _AT_ONCE]),
                )
            )
        )
    return found


def _members(session: Session, scope: Scope, member_list: MemberList) -> list[Member]:
    """Return everybody of whom something is known about this union, on any day."""
    rows = session.execute(
        scope.select(
            Contact.id,
            Contact.public_id,
            Contact.known_as,
            Contact.full_name,
            Contact.placeholder_label,
            permission=_WRITE,
        ).where(
            Contact.id.in_(
                scope.select(Membership.contact_id, permission=_WRITE).where(
                    Membership.union_id == member_list.union_id, known(Membership)
                )
            )
        )
    )
    return [
        Member(
            row.id,
            row.public_id,
            row.known_as or row.placeholder_label or "",
            tuple(name for name in (row.known_as, row.full_name) if name),
        )
        for row in rows
    ]


def _chosen(session: Session, scope: Scope, values: Iterable[str]) -> dict[str, Member]:
    """Return the people who were picked for lines, by public id, as far as they are still seen."""
    ids = []
    for value in values:
        try:
            ids.append(uuid.UUID(value))
        except ValueError:
            continue
    found: dict[str, Member] = {}
    for start in range(0, len(ids), _AT_ONCE):
        rows = session.scalars(
            scope.select(Contact, permission=_WRITE).where(
                Contact.public_id.in_(ids[start : start + _AT_ONCE])
            )
        )
        found |= {
            str(row.public_id): Member(row.id, row.public_id, shown_name(row)) for row in rows
        }
    return found


def _here(
    session: Session, scope: Scope, member_list: MemberList, contact_ids: set[int]
) -> dict[int, Here]:
    """Return what is held of these people on the day of the list."""
    order = sorted(contact_ids)
    people = read_known(session, scope, order, permission=_WRITE)
    spells: dict[int, list[Any]] = {}
    jobs: dict[int, list[tuple[int, str | None]]] = {}
    good: dict[int, set[str]] = {}
    for start in range(0, len(order), _AT_ONCE):
        some = order[start : start + _AT_ONCE]
        for row in session.execute(
            scope.select(
                Membership.contact_id,
                Membership.union_id,
                Membership.branch_id,
                Membership.status,
                Membership.valid_from,
                Membership.valid_to,
            ).where(Membership.contact_id.in_(some), known(Membership))
        ):
            spells.setdefault(row.contact_id, []).append(row)
        for contact_id, workplace_id, title in session.execute(
            scope.select(Job.contact_id, Job.workplace_id, Job.job_title).where(
                Job.contact_id.in_(some), known(Job), _open_after(Job, member_list.as_at)
            )
        ):
            jobs.setdefault(contact_id, []).append((workplace_id, title))
        for contact_id, key in session.execute(
            scope.select(ContactPoint.contact_id, ContactPoint.value_key).where(
                ContactPoint.contact_id.in_(some),
                ContactPoint.kind == PointKind.ADDRESS,
                sa.or_(ContactPoint.state.is_(None), ContactPoint.state != PointState.BAD),
                known(ContactPoint),
            )
        ):
            good.setdefault(contact_id, set()).add(key)
    wanted = {one for held in jobs.values() for one, _ in held}
    wanted |= {row.branch_id for rows in spells.values() for row in rows if row.branch_id}
    names = names_of(session, scope, wanted)
    union = UnionId(member_list.union_id)
    found = {}
    for contact_id in order:
        mine = spells.get(contact_id, [])
        at_home = [
            row.branch_id
            for row in mine
            if row.union_id == member_list.union_id
            and row.status is MembershipStatus.MEMBER
            and row.valid_from <= member_list.as_at
            and (row.valid_to is None or row.valid_to > member_list.as_at)
        ]
        record = people[contact_id].known if contact_id in people else Known(())
        found[contact_id] = Here(
            member=member_of(
                [
                    MembershipSpell(
                        union_id=None if row.union_id is None else UnionId(row.union_id),
                        status=row.status,
                        valid_from=row.valid_from,
                        valid_to=row.valid_to,
                    )
                    for row in mine
                ],
                union,
                member_list.as_at,
            ),
            branch=next((fold(names[one]) for one in at_home if one in names), None),
            workplaces=frozenset(
                fold(names[one]) for one, _ in jobs.get(contact_id, ()) if one in names
            ),
            phones=record.phones,
            mails=record.mails,
            addresses=record.addresses,
            good_addresses=frozenset(good.get(contact_id, ())),
            untitled_job=[title for _, title in jobs.get(contact_id, ())] == [None],
        )
    return found


def _open_after(model: Any, day: date) -> sa.ColumnElement[bool]:
    # A job that began after the day of the list counts too: we may know of it before the list does.
    return sa.or_(model.valid_to.is_(None), model.valid_to > day)


def nobody() -> Here:
    """Return what is held of somebody who is not here: nothing."""
    none: frozenset[str] = frozenset()
    return Here(None, None, none, none, none, none)


def new_points(line: Line, here: Here) -> tuple[tuple[PointKind, str], ...]:
    """Return the phones, mail and address of a line that are not held yet, by kind."""
    found: list[tuple[PointKind, str]] = []
    for text in dict.fromkeys(line.phones):
        if not known_of((), phones=(text,)).phones <= here.phones:
            found.append((PointKind.PHONE, text))
    if line.mail and not known_of((), mails=(line.mail,)).mails <= here.mails:
        found.append((PointKind.EMAIL, line.mail))
    if (
        line.address
        and not line.bad_address
        and not known_of((), addresses=(line.address,)).addresses <= here.addresses
    ):
        found.append((PointKind.ADDRESS, line.address))
    return tuple(found)


def branch_named(session: Session, scope: Scope, union_id: int, name: str | None) -> int | None:
    """Return the inner id of the union's branch of that name; None when there is no such one."""
    if not name:
        return None
    rows = session.execute(scope.select(Branch.id, Branch.name).where(Branch.union_id == union_id))
    return next((int(one) for one, called in rows if fold(called) == fold(name)), None)


def place_ids(session: Session, scope: Scope, value: str) -> tuple[int, int | None]:
    """Return the inner ids of the union and branch that were chosen. Raises NotFound."""
    found: list[int] = []
    for text in value.split(" ")[:2]:
        try:
            public_id = uuid.UUID(text)
        except ValueError as error:
            raise NotFound("no such union") from error
        row = session.execute(scope.select(Place.id).where(Place.public_id == public_id)).first()
        if row is None:
            raise NotFound(f"union or branch {public_id}")
        found.append(int(row.id))
    return found[0], found[1] if len(found) > 1 else None
