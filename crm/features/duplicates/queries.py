"""Reads about people who may be here twice: pairs of the scope, two people side by side, merges."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.audit import record_view
from crm.access.facts import known
from crm.access.merging import Since, written_since
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.likeness import compare, points_of_words, prepare
from crm.domain.errors import NotFound
from crm.domain.likeness import OF_PLACES, Band, Likeness, Reason
from crm.domain.merging import contradict
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import HowKnown, PointKind
from crm.models.contacts import Contact, ContactPoint, Job, Membership
from crm.models.conversations import Conversation
from crm.models.likeness import LikenessState, LikePair, PersonLook
from crm.models.merging import DifferentPeople, MergedPerson
from crm.models.places import Place, PlaceClosure, Workplace
from crm.reads.duplicates import Candidate, find_candidates, read_known
from crm.reads.people import get_contact, names_of_users, shown_name
from crm.reads.places import Choice, names_of
from crm.reads.search import find_people

# Of more pairs the page says that there are more.
MOST_COUNTED: Final = 500
_MOST_CHOICES: Final = 300
_MOST_FOUND: Final = 10
_WRITE: Final = Permission.CONTACT_WRITE


@dataclass(frozen=True, slots=True)
class Twin:
    """Two people who may be one, the older record first."""

    first: uuid.UUID
    second: uuid.UUID
    names: tuple[str, str]
    workplaces: tuple[str, ...]
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Queue:
    """The pairs of a scope, the surest first, and of how many people they are.

    total: how many pairs there are, of which pairs holds some; at_least: True when there are more
    than were counted. people: how many the reader holds; compared: how many of them were held
    against all others, last when ``looked_at`` says. None: not everybody was looked at yet.
    """

    pairs: list[Twin]
    total: int
    at_least: bool
    people: int
    compared: int
    looked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Side:
    """One of two people as the page shows them beside the other. None = not known."""

    contact_id: int
    public_id: uuid.UUID
    name: str
    version: int
    known_as: str | None
    full_name: str | None
    placeholder_label: str | None
    pronouns: str | None
    languages: tuple[str, ...]
    how_known: HowKnown | None
    do_not_contact: bool
    points: tuple[tuple[PointKind, str], ...]
    jobs: tuple[WorkedAt, ...]
    memberships: tuple[MemberOf, ...]
    talks: int


@dataclass(frozen=True, slots=True)
class WorkedAt:
    """A job as far as it is shown: where, what, from a day to a day."""

    places: tuple[str, ...]
    job_title: str | None
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class MemberOf:
    """A membership as it is shown. union None: of any union at all."""

    union: str | None
    status: MembershipStatus
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people side by side. kept is the older record; it is the one whose address stays.

    contradict: True when their memberships cannot both be true. different: True when somebody
    has said that they are two people.
    """

    kept: Side
    gone: Side
    likeness: Likeness
    contradict: bool
    different: bool


@dataclass(frozen=True, slots=True)
class Made:
    """A merge: the name of the record that went, when, by whom (None = not known)."""

    public_id: uuid.UUID
    gone_name: str
    at: datetime
    by: str | None
    undone_at: datetime | None


def places_to_choose(session: Session, scope: Scope) -> list[Choice]:
    """Return the workplaces where this scope may write about people, by name."""
    rows = session.execute(
        scope.select(Workplace.public_id, Workplace.name, permission=_WRITE)
        .order_by(Workplace.name, Workplace.id)
        .limit(_MOST_CHOICES)
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


def find_queue(session: Session, scope: Scope, *, place: uuid.UUID | None, limit: int) -> Queue:
    """Return the pairs of people of the scope, or with one of one place in it, as last looked at.

    Both people are in the scope, and nobody has said that they are two. What makes a pair at a
    place that the reader does not hold is left out, and so is a pair that is none without it. At
    most fifteen statements for each 500 pairs.
    """
    kept = list(
        session.scalars(
            scope.select(LikePair, permission=_WRITE)
            .where(*_at(scope, place))
            .order_by(LikePair.points.desc(), LikePair.id)
            .limit(MOST_COUNTED + 1)
        )
    )
    pairs = kept[:MOST_COUNTED]
    people = _people_of(session, scope, {one for pair in pairs for one in _both(pair)})
    different = _different(session, scope)
    found = []
    for pair in pairs:
        if not people.keys() >= set(_both(pair)) or frozenset(_both(pair)) in different:
            continue
        one, other = people[pair.contact_id], people[pair.other_id]
        likeness = _as_seen(pair, one, other)
        if likeness.band is not None:
            found.append((one, other, likeness))
    found.sort(key=lambda one: (one[2].band is Band.MAYBE, -one[2].points))
    names = names_of(
        session,
        scope,
        {at for one, other, _ in found[:limit] for at in one.workplaces | other.workplaces},
    )
    here = sa.select(Job.contact_id).where(known(Job), *_inside(place))
    return Queue(
        pairs=[_twin(one, other, likeness, names) for one, other, likeness in found[:limit]],
        total=len(found),
        at_least=len(kept) > MOST_COUNTED,
        people=_count(session, scope, Contact.id, Contact.id.in_(here)),
        compared=_count(session, scope, PersonLook.contact_id, PersonLook.contact_id.in_(here)),
        looked_at=session.scalars(sa.select(LikenessState.looked_at)).one_or_none(),
    )


def _count(session: Session, scope: Scope, column: Any, condition: Any) -> int:
    statement = scope.select(sa.func.count(column), permission=_WRITE).where(condition)
    return int(session.scalars(statement).one())


def _both(pair: LikePair) -> tuple[int, int]:
    return pair.contact_id, pair.other_id


def _at(scope: Scope, place: uuid.UUID | None) -> list[sa.ColumnElement[bool]]:
    if place is None:
        return []
    here = scope.select(Job.contact_id, permission=_WRITE).where(known(Job), *_inside(place))
    return [sa.or_(LikePair.contact_id.in_(here), LikePair.other_id.in_(here))]


@dataclass(frozen=True, slots=True)
class _Shown:
    """Somebody of a pair, with the places of their jobs that the reader holds."""

    public_id: uuid.UUID
    name: str
    created_at: datetime
    workplaces: frozenset[int]
    areas: frozenset[int]


def _people_of(session: Session, scope: Scope, ids: set[int]) -> dict[int, _Shown]:
    found: dict[int, _Shown] = {}
    order = sorted(ids)
    for start in range(0, len(order), 500):
        some = order[start : start + 500]
        places: dict[int, tuple[set[int], set[int]]] = {}
        for row in session.execute(
            scope.select(Job.contact_id, Job.workplace_id, Job.area_id, permission=_WRITE).where(
                Job.contact_id.in_(some), known(Job)
            )
        ):
            workplaces, areas = places.setdefault(row.contact_id, (set(), set()))
            workplaces.add(row.workplace_id)
            if row.area_id is not None:
                areas.add(row.area_id)
        for contact in session.scalars(
            scope.select(Contact, permission=_WRITE).where(Contact.id.in_(some))
        ):
            workplaces, areas = places.get(contact.id, (set(), set()))
            found[contact.id] = _Shown(
                public_id=contact.public_id,
                name=shown_name(contact),
                created_at=contact.created_at,
                workplaces=frozenset(workplaces),
                areas=frozenset(areas),
            )
    return found


def _as_seen(pair: LikePair, one: _Shown, other: _Shown) -> Likeness:
    """Return how alike the two are by what the reader may know of them."""
    reasons = tuple((Reason(code), float(value)) for code, value in pair.reasons.items())
    kept = Likeness(pair.points, None, reasons, pair.can_be_sure)
    hidden: set[Reason] = set()
    if not one.workplaces & other.workplaces:
        hidden |= OF_PLACES
    elif not one.areas & other.areas:
        hidden.add(Reason.SAME_AREA)
    return kept.without(hidden)


def _twin(one: _Shown, other: _Shown, likeness: Likeness, names: dict[int, str]) -> Twin:
    first, second = sorted((one, other), key=lambda person: person.created_at)
    return Twin(
        first=first.public_id,
        second=second.public_id,
        names=(first.name, second.name),
        workplaces=tuple(
            sorted(names[at] for at in one.workplaces | other.workplaces if at in names)
        ),
        likeness=likeness,
    )


def _inside(place: uuid.UUID | None) -> list[sa.ColumnElement[bool]]:
    if place is None:
        return []
    inside = (
        sa.select(PlaceClosure.descendant_id)
        .join(Place, Place.id == PlaceClosure.ancestor_id)
        .where(Place.public_id == place)
    )
    return [Job.place_id.in_(inside)]


def _different(session: Session, scope: Scope) -> set[frozenset[int]]:
    rows = session.execute(scope.select(DifferentPeople.contact_id, DifferentPeople.other_id))
    return {frozenset((int(one), int(other))) for one, other in rows}


def read_pair(session: Session, scope: Scope, one_id: uuid.UUID, other_id: uuid.UUID) -> Pair:
    """Return two people side by side. Raises NotFound unless the scope may write about both."""
    one = get_contact(session, scope, one_id, permission=_WRITE)
    other = get_contact(session, scope, other_id, permission=_WRITE)
    if one.id == other.id:
        raise NotFound("one person, not two")
    kept, gone = sorted((one, other), key=lambda contact: (contact.created_at, contact.id))
    people = read_known(session, scope, (kept.id, gone.id))
    likeness = Likeness(0.0, None)
    if len(people) == 2:
        prepared = [prepare(people[kept.id].known), prepare(people[gone.id].known)]
        likeness = compare(prepared[0], prepared[1], points_of_words(prepared))
    memberships = {contact.id: _memberships(session, scope, contact.id) for contact in (kept, gone)}
    return Pair(
        kept=_side(session, scope, kept, memberships[kept.id]),
        gone=_side(session, scope, gone, memberships[gone.id]),
        likeness=likeness,
        contradict=any(
            contradict(_said(mine), _said(theirs))
            for mine in memberships[kept.id]
            for theirs in memberships[gone.id]
        ),
        different=frozenset((kept.id, gone.id)) in _different(session, scope),
    )


def _said(row: Membership) -> Any:
    return row.union_id, row.status, (row.valid_from, row.valid_to)


def _memberships(session: Session, scope: Scope, contact_id: int) -> list[Membership]:
    return list(
        session.scalars(
            scope.select(Membership)
            .where(Membership.contact_id == contact_id, known(Membership))
            .order_by(Membership.valid_from, Membership.id)
        )
    )


def _side(
    session: Session, scope: Scope, contact: Contact, memberships: Iterable[Membership]
) -> Side:
    jobs = session.scalars(
        scope.select(Job)
        .where(Job.contact_id == contact.id, known(Job))
        .order_by(Job.valid_from, Job.id)
    ).all()
    points = session.execute(
        scope.select(ContactPoint.kind, ContactPoint.value)
        .where(ContactPoint.contact_id == contact.id, known(ContactPoint))
        .order_by(ContactPoint.kind, ContactPoint.id)
    )
    talks = session.execute(
        scope.select(sa.func.count(Conversation.id)).where(Conversation.contact_id == contact.id)
    ).scalar_one()
    wanted = {job.workplace_id for job in jobs}
    wanted |= {job.area_id for job in jobs if job.area_id is not None}
    wanted |= {row.union_id for row in memberships if row.union_id is not None}
    names = names_of(session, scope, wanted)
    return Side(
        contact_id=contact.id,
        public_id=contact.public_id,
        name=shown_name(contact),
        version=contact.version,
        known_as=contact.known_as,
        full_name=contact.full_name,
        placeholder_label=contact.placeholder_label,
        pronouns=contact.pronouns,
        languages=tuple(contact.languages or ()),
        how_known=contact.how_known,
        do_not_contact=contact.do_not_contact,
        points=tuple((kind, value) for kind, value in points),
        jobs=tuple(
            WorkedAt(
                places=tuple(
                    names[place]
                    for place in (job.workplace_id, job.area_id)
                    if place is not None and place in names
                ),
                job_title=job.job_title,
                since=job.valid_from,
                until=job.valid_to,
            )
            for job in jobs
        ),
        memberships=tuple(
            MemberOf(
                union=names.get(row.union_id) if row.union_id is not None else None,
                status=row.status,
                since=row.valid_from,
                until=row.valid_to,
            )
            for row in memberships
        ),
        talks=int(talks),
    )


def candidates_for(
    session: Session, scope: Scope, contact: Contact, *, today: date
) -> list[Candidate]:
    """Return the people who may be the same as this one, likeliest first."""
    people = read_known(session, scope, (contact.id,), permission=_WRITE)
    if contact.id not in people:
        return []
    different = _different(session, scope)
    (found,) = find_candidates(
        session,
        scope,
        (people[contact.id].known,),
        permission=_WRITE,
        near_names_on=today,
        but=(contact.id,),
    )
    return [one for one in found if frozenset((contact.id, one.contact_id)) not in different]


def find_others(
    session: Session, scope: Scope, contact: Contact, text: str, *, today: date
) -> list[tuple[uuid.UUID, str]]:
    """Return people found by what was typed, by public id and name, without this one."""
    found = find_people(session, scope, text, as_at=today, permission=_WRITE, most=_MOST_FOUND + 1)
    if not found.ids:
        return []
    rows = {
        contact_found.id: contact_found
        for contact_found in session.scalars(
            scope.select(Contact, permission=_WRITE).where(Contact.id.in_(found.ids))
        )
    }
    return [
        (rows[one].public_id, shown_name(rows[one]))
        for one in found.ids
        if one in rows and one != contact.id
    ][:_MOST_FOUND]


def get_person(session: Session, scope: Scope, contact_id: uuid.UUID) -> Contact:
    """Return the person. Raises NotFound unless the scope may write about them."""
    return get_contact(session, scope, contact_id, permission=_WRITE)


def merges_of(session: Session, scope: Scope, contact_id: int) -> list[Made]:
    """Return the merges that this record came out of, the latest first."""
    rows = session.scalars(
        scope.select(MergedPerson)
        .where(
            MergedPerson.contact_id == contact_id,
            # Apart again, the other is somebody whom this reader may not see.
            sa.or_(
                MergedPerson.undone_at.is_(None),
                MergedPerson.gone_id.in_(scope.select(Contact.id)),
            ),
        )
        .order_by(MergedPerson.id.desc())
    ).all()
    users = names_of_users(session, {row.merged_by_id for row in rows if row.merged_by_id})
    return [
        Made(
            public_id=row.public_id,
            gone_name=row.gone_name,
            at=row.merged_at,
            by=users.get(row.merged_by_id) if row.merged_by_id is not None else None,
            undone_at=row.undone_at,
        )
        for row in rows
    ]


def get_merge(session: Session, scope: Scope, merge_id: uuid.UUID) -> tuple[MergedPerson, Contact]:
    """Return a merge that holds, and the record that stayed. Raises NotFound.

    The scope must be allowed to write about the person.
    """
    record = session.scalars(
        scope.select(MergedPerson, permission=_WRITE).where(
            MergedPerson.public_id == merge_id, MergedPerson.undone_at.is_(None)
        )
    ).one_or_none()
    if record is None:
        raise NotFound(f"merge {merge_id}")
    kept = session.scalars(
        scope.select(Contact, permission=_WRITE).where(Contact.id == record.contact_id)
    ).one_or_none()
    if kept is None:
        raise NotFound(f"the person of merge {merge_id}")
    return record, kept


def since_merge(session: Session, scope: Scope, record: MergedPerson, kept: Contact) -> list[Since]:
    """Return what was written about the person since, by table."""
    return written_since(session, scope, record, kept)


def note_looks(session: Session, scope: Scope, pair: Pair) -> None:
    """Record that the reader looked at both people."""
    for side in (pair.kept, pair.gone):
        record_view(session, contact_id=side.contact_id, contact_public_id=side.public_id)
