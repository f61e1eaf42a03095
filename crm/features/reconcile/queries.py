"""Reads for a membership list: which person each line is about, and what is to be done about it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.domain.identity import fold
from crm.domain.ids import UnionId
from crm.domain.likeness import Band, Known, Reason
from crm.domain.member_list import Here, Line, Queue, queue_of
from crm.domain.timeline import MembershipSpell, MembershipStatus, member_of
from crm.domain.vocabulary import PointKind
from crm.models.contacts import Contact, Job, Membership
from crm.models.member_lists import MemberList
from crm.models.places import Branch, Place, Union, Workplace
from crm.reads.duplicates import Candidate, find_candidates, known_of, read_known
from crm.reads.people import shown_name
from crm.reads.places import Choice, names_of

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
    points: what the list has and we do not, as (kind, text). workplace_id: the inner id of the
    workplace the line names, where the scope may write about its people; None = not known.
    """

    line: Line
    queue: Queue
    person: Member | None
    candidates: tuple[Candidate, ...]
    points: tuple[tuple[PointKind, str], ...]
    workplace_id: int | None

    @property
    def can_confirm(self) -> bool:
        """True when one press does what the queue says."""
        if self.queue is Queue.NOT_HERE:
            return self.workplace_id is not None
        return self.queue in {
            *(Queue.JOINED, Queue.LEFT, Queue.LAPSED, Queue.MOVED, Queue.CHANGED),
        }


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody known here: the person a line is about, or a member who is not on the list."""

    contact_id: int
    public_id: uuid.UUID
    name: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Worked:
    """The whole list held against what is known: each line once, and who is not on it.

    not_on_list: people we hold as members on that day whom no line is about.
    """

    rows: list[Row]
    not_on_list: list[Member]

    def of(self, queue: Queue) -> list[Row]:
        """Return the rows of one queue, in the order of the file."""
        return [row for row in self.rows if row.queue is queue]


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


def get_list(session: Session, scope: Scope, list_id: uuid.UUID) -> MemberList:
    """Return the reader's list. Raises NotFound when it is another's, or closed."""
    found: MemberList | None = session.scalars(
        scope.select(MemberList).where(
            MemberList.public_id == list_id, MemberList.closed_at.is_(None)
        )
    ).one_or_none()
    if found is None:
        raise NotFound(f"member list {list_id}")
    return found


def whose(session: Session, scope: Scope, member_list: MemberList) -> str:
    """Return the name of the union, and of the branch where the list is of one."""
    ids = [member_list.union_id, member_list.branch_id]
    names = names_of(session, scope, {one for one in ids if one is not None})
    return ": ".join(names[one] for one in ids if one is not None and one in names)


def work_out(
    session: Session, scope: Scope, member_list: MemberList, lines: Sequence[Line]
) -> Worked:
    """Return each line with its queue, as things stand now, and who is not on the list.

    Only people whom the scope may write about take part. About twenty statements, and a few more
    for each 500 people.
    """
    places = _workplaces(session, scope)
    sound = [line for line in lines if line.trouble is None]
    asked = [_known(line, places) for line in sound]
    found = dict(
        zip(
            (line.number for line in sound),
            find_candidates(session, scope, asked, permission=_WRITE),
            strict=True,
        )
    )
    decided = {str(key): str(value) for key, value in member_list.decided.items()}
    members = _members(session, scope, member_list)
    # Also those who were members once: a list says of them that they left.
    ever = _members(session, scope, member_list, ever=True)
    chosen = _chosen(session, scope, decided.values())
    by_name = _by_name(ever.values())
    named = Counter(_name_key(line.name) for line in sound)
    people: dict[int, Member] = {}
    for line in sound:
        told = decided.get(str(line.number))
        if told in chosen:
            people[line.number] = chosen[told]
        elif told != NEW:
            sure = _surely(found[line.number], ever)
            if sure is not None:
                people[line.number] = Member(sure.contact_id, sure.public_id, sure.name)
            elif not found[line.number] and named[_name_key(line.name)] == 1:
                # The only member of this name, and the only line: the list has nothing else of
                # them that we know.
                alike = by_name.get(_name_key(line.name), [])
                if len(alike) == 1:
                    people[line.number] = alike[0]
    here = _here(session, scope, member_list, {one.contact_id for one in people.values()})
    rows = []
    for line in lines:
        person = people.get(line.number)
        candidates = tuple(found.get(line.number, ())[:_MOST_CANDIDATES])
        points = () if person is None else new_points(line, here[person.contact_id])
        rows.append(
            Row(
                line=line,
                queue=_queue(line, decided.get(str(line.number)), person, candidates, here, points),
                person=person,
                candidates=candidates,
                points=points,
                workplace_id=places.get(fold(line.workplace or "")),
            )
        )
    about = {one.contact_id for one in people.values()}
    about |= {
        one.contact_id for row in rows if row.queue is Queue.NOT_SURE for one in row.candidates
    }
    aside = {key.removeprefix(OFF) for key in decided if key.startswith(OFF)}
    return Worked(
        rows=rows,
        not_on_list=[
            person
            for contact_id, person in members.items()
            if contact_id not in about and str(person.public_id) not in aside
        ],
    )


def _queue(
    line: Line,
    told: str | None,
    person: Member | None,
    candidates: Sequence[Candidate],
    here: Mapping[int, Here],
    points: Sequence[tuple[PointKind, str]],
) -> Queue:
    if line.trouble is not None:
        return Queue.PROBLEM
    if told == ASIDE:
        return Queue.SET_ASIDE
    if person is not None:
        return queue_of(line, here[person.contact_id], [kind.value for kind, _ in points])
    return Queue.NOT_SURE if candidates and told != NEW else Queue.NOT_HERE


def _known(line: Line, places: Mapping[str, int]) -> Known:
    at = places.get(fold(line.workplace or ""))
    return known_of(
        (line.name,),
        phones=line.phones,
        mails=(line.mail,),
        addresses=(line.address,),
        workplaces=() if at is None else (at,),
    )


def _surely(candidates: Sequence[Candidate], members: Mapping[int, Member]) -> Candidate | None:
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


def _name_key(name: str) -> str:
    return " ".join(sorted(fold(name).split()))


def _by_name(members: Iterable[Member]) -> dict[str, list[Member]]:
    """Return the members by each of their names of two words or more, in any order of the words."""
    found: dict[str, list[Member]] = {}
    for member in members:
        for key in {_name_key(name) for name in member.names}:
            if " " in key:
                found.setdefault(key, []).append(member)
    return found


def _workplaces(session: Session, scope: Scope) -> dict[str, int]:
    """Return the workplaces by folded name; a name that two of them have is left out."""
    rows = session.execute(
        scope.select(Workplace.id, Workplace.name, permission=_WRITE).where(
            Workplace.closed_on.is_(None)
        )
    )
    found: dict[str, list[int]] = {}
    for place_id, name in rows:
        found.setdefault(fold(name), []).append(int(place_id))
    return {name: ids[0] for name, ids in found.items() if len(ids) == 1}


def _members(
    session: Session, scope: Scope, member_list: MemberList, *, ever: bool = False
) -> dict[int, Member]:
    """Return whom we hold as members on the day of the list, of its union or branch.

    ever: everybody of whom something is known about this union, on any day.
    """
    narrower: list[sa.ColumnElement[bool]] = []
    if not ever:
        narrower = [
            Membership.status == MembershipStatus.MEMBER,
            covers(Membership, member_list.as_at),
        ]
        if member_list.branch_id is not None:
            narrower.append(Membership.branch_id == member_list.branch_id)
    rows = session.scalars(
        scope.select(Contact, permission=_WRITE)
        .where(
            Contact.id.in_(
                scope.select(Membership.contact_id, permission=_WRITE).where(
                    Membership.union_id == member_list.union_id,
                    known(Membership),
                    *narrower,
                )
            )
        )
        .order_by(Contact.name_key, Contact.id)
    )
    return {
        row.id: Member(
            row.id,
            row.public_id,
            shown_name(row),
            tuple(name for name in (row.known_as, row.full_name) if name),
        )
        for row in rows
    }


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
    jobs: dict[int, set[int]] = {}
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
        for contact_id, workplace_id in session.execute(
            scope.select(Job.contact_id, Job.workplace_id).where(
                Job.contact_id.in_(some), known(Job), _open_after(Job, member_list.as_at)
            )
        ):
            jobs.setdefault(contact_id, set()).add(workplace_id)
    wanted = {one for ids in jobs.values() for one in ids}
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
                fold(names[one]) for one in jobs.get(contact_id, ()) if one in names
            ),
            phones=record.phones,
            mails=record.mails,
            addresses=record.addresses,
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
    for text in line.phones:
        if not known_of((), phones=(text,)).phones <= here.phones:
            found.append((PointKind.PHONE, text))
    if line.mail and not known_of((), mails=(line.mail,)).mails <= here.mails:
        found.append((PointKind.EMAIL, line.mail))
    if line.address and not known_of((), addresses=(line.address,)).addresses <= here.addresses:
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
