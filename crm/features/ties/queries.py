"""How far leaders reach at a workplace, and what the forms about ties are filled with."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.cover import Cover, Foot, Stage, foot
from crm.domain.errors import NotFound
from crm.domain.headcount import Headcount as Estimate
from crm.domain.vocabulary import GroupKind
from crm.domain.wallchart import subtree
from crm.models.contacts import Contact, Job
from crm.models.places import Area, Shift, Workplace
from crm.models.ties import GroupMember, Leading, SocialGroup, Tie
from crm.reads.people import get_contact, shown_name
from crm.reads.places import get_place, headcounts_on
from crm.reads.ties import Following, SiteTies, get_following, ties_of


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody to name and to link to. area: None = not known, or none there."""

    public_id: uuid.UUID
    name: str
    area: str | None


@dataclass(frozen=True, slots=True)
class LeaderLine:
    """A leader with those who come to them. named_by: different people who named them."""

    person: Named
    stage: Stage
    named_by: int
    followers: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class CoverRow:
    """An area with its feet, one for each shift of the page and then the whole of it.

    label: None = the people whose area is not known. inside: it counts the areas inside it too.
    A foot is None where nobody works.
    """

    label: str | None
    inside: bool
    cells: tuple[Foot | None, ...]
    whole: Foot


@dataclass(frozen=True, slots=True)
class CoverPage:
    """Leaders of a workplace by area and shift, as at a day. shifts: None = not known.

    whole: the reader holds the whole workplace; else all figures are of the reader's areas.
    """

    public_id: uuid.UUID
    name: str
    as_at: date
    whole: bool
    shifts: tuple[str | None, ...]
    rows: tuple[CoverRow, ...]
    total: Foot
    headcount: Estimate | None
    leaders: tuple[LeaderLine, ...]
    uncovered: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """The person a form is about, at one of their workplaces."""

    public_id: uuid.UUID
    name: str
    site: SiteTies


@dataclass(frozen=True, slots=True)
class Fact:
    """A tie or the word that somebody leads, for the form that takes it off.

    of: the person whose page it stands on. other: to whom they listen; None for leading.
    """

    of_id: uuid.UUID
    of: str
    other: str | None
    since: date


def get_cover(session: Session, scope: Scope, public_id: uuid.UUID, *, as_at: date) -> CoverPage:
    """Return how far leaders reach at a workplace on a day, as we know now. Seven statements.

    Raises NotFound when the workplace is out of scope, or none of its people are the reader's.
    """
    site = session.execute(
        scope.select(
            Workplace.id,
            Workplace.name,
            scope.reach(Permission.CONTACT_READ, Workplace.id).label("whole"),
        ).where(Workplace.public_id == public_id)
    ).one_or_none()
    if site is None:
        raise NotFound(f"workplace {public_id}")
    areas = session.execute(
        scope.select(Area.id, Area.name, Area.parent_area_id)
        .where(Area.workplace_id == site.id, scope.reach(Permission.CONTACT_READ, Area.id))
        .order_by(Area.name, Area.id)
    ).all()
    if not site.whole and not areas:
        raise NotFound(f"people at workplace {public_id}")
    shifts = session.execute(
        scope.select(Shift.id, Shift.name)
        .where(Shift.place_id == site.id)
        .order_by(Shift.starts_at.is_(None), Shift.starts_at, Shift.name, Shift.id)
    ).all()
    jobs = session.execute(
        scope.select(
            Job.contact_id,
            Job.place_id,
            Job.area_id,
            Job.shift_id,
            Contact.public_id,
            Contact.known_as,
            Contact.placeholder_label,
        )
        .join(Contact, Contact.id == Job.contact_id)
        .where(Job.workplace_id == site.id, known(Job), covers(Job, as_at))
        .order_by(Contact.name_key, Contact.id, Job.id)
    ).all()
    following = get_following(session, scope, site.id, as_at=as_at)
    headcounts = headcounts_on(session, scope, {site.id, *(area.id for area in areas)}, as_at)
    found = following.cover({job.contact_id for job in jobs})
    names = {area.id: str(area.name) for area in areas}
    people: dict[int, Named] = {}
    for job in jobs:
        people.setdefault(
            job.contact_id,
            Named(
                job.public_id, job.known_as or job.placeholder_label or "", names.get(job.area_id)
            ),
        )
    grid = _Grid(site.id, areas, shifts, jobs, following, found, headcounts)
    return CoverPage(
        public_id=public_id,
        name=site.name,
        as_at=as_at,
        whole=bool(site.whole),
        shifts=grid.shift_names(),
        rows=tuple(grid.rows()),
        total=foot(set(people), following.stages, found, workers=_likely(headcounts.get(site.id))),
        headcount=headcounts.get(site.id),
        leaders=_leaders(people, following, found),
        uncovered=tuple(one for key, one in people.items() if key in found.uncovered),
    )


def get_subject(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    workplace: uuid.UUID | None,
    *,
    today: date,
) -> Subject:
    """Return the person at the workplace, or at the first of theirs when none is given.

    Raises NotFound when the person is not the actor's to write about, or has no job there today.
    """
    contact = get_contact(session, scope, public_id, permission=Permission.CONTACT_WRITE)
    sites = ties_of(session, scope, contact.id, as_at=today)
    fitting = [site for site in sites if workplace is None or site.workplace_id == workplace]
    if not fitting:
        raise NotFound(f"contact {public_id} at workplace {workplace}")
    return Subject(public_id=public_id, name=shown_name(contact), site=fitting[0])


def get_tie(session: Session, scope: Scope, public_id: uuid.UUID) -> Fact:
    """Return the tie for the form that takes it off. Raises NotFound if absent or out of scope."""
    tie = find_fact(session, scope, Tie, public_id)
    names = {
        one.id: one
        for one in session.scalars(
            scope.select(Contact).where(Contact.id.in_([tie.contact_id, tie.leader_id]))
        )
    }
    of = names[tie.contact_id]
    return Fact(of.public_id, shown_name(of), shown_name(names[tie.leader_id]), tie.valid_from)


def get_leading(session: Session, scope: Scope, public_id: uuid.UUID) -> Fact:
    """Return the word that somebody leads. Raises NotFound if absent or out of scope."""
    fact = find_fact(session, scope, Leading, public_id)
    of = session.scalars(scope.select(Contact).where(Contact.id == fact.contact_id)).one()
    return Fact(of.public_id, shown_name(of), None, fact.valid_from)


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group in the list. people: those in it whom the reader may see."""

    public_id: uuid.UUID
    name: str
    kind: GroupKind
    need_to_know: bool
    people: int


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a workplace that go on, by name."""

    name: str
    lines: tuple[GroupLine, ...]


@dataclass(frozen=True, slots=True)
class InGroup:
    """Somebody in a group. member_id: of the fact that they are."""

    member_id: uuid.UUID
    person_id: uuid.UUID
    name: str
    since: date


@dataclass(frozen=True, slots=True)
class GroupPage:
    """A group with the people in it today. closed_on: None = it goes on."""

    name: str
    kind: GroupKind
    need_to_know: bool
    closed_on: date | None
    workplace_id: uuid.UUID
    workplace: str
    version: int
    people: tuple[InGroup, ...]


def list_groups(session: Session, scope: Scope, workplace: uuid.UUID, *, today: date) -> Groups:
    """Return the groups of a workplace that the reader may know of.

    Raises NotFound when the reader does not hold the whole workplace.
    """
    site = get_place(session, scope, Workplace, workplace, permission=Permission.CONTACT_READ)
    rows = session.execute(
        scope.select(
            SocialGroup.public_id,
            SocialGroup.name,
            SocialGroup.kind,
            SocialGroup.need_to_know,
            sa.func.count(GroupMember.contact_id.distinct()),
        )
        .outerjoin(
            GroupMember,
            sa.and_(
                GroupMember.group_id == SocialGroup.id,
                known(GroupMember),
                covers(GroupMember, today),
            ),
        )
        .where(SocialGroup.place_id == site.id, SocialGroup.closed_on.is_(None))
        .group_by(SocialGroup.id)
        .order_by(SocialGroup.name, SocialGroup.id)
    )
    return Groups(name=site.name, lines=tuple(GroupLine(*row) for row in rows))


def find_group(session: Session, scope: Scope, public_id: uuid.UUID) -> SocialGroup:
    """Return the group, for its page or to write. Raises NotFound if absent or not to be known."""
    found: SocialGroup | None = session.scalars(
        scope.select(SocialGroup).where(SocialGroup.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotFound(f"group {public_id}")
    return found


def get_group(session: Session, scope: Scope, public_id: uuid.UUID, *, today: date) -> GroupPage:
    """Return a group with those in it today whom the reader may see. Raises as find_group does."""
    group = find_group(session, scope, public_id)
    site = session.execute(
        scope.select(Workplace.public_id, Workplace.name).where(Workplace.id == group.place_id)
    ).one()
    rows = session.execute(
        scope.select(
            GroupMember.public_id,
            Contact.public_id.label("person_id"),
            sa.func.coalesce(Contact.known_as, Contact.placeholder_label),
            GroupMember.valid_from,
        )
        .join(Contact, Contact.id == GroupMember.contact_id)
        .where(GroupMember.group_id == group.id, known(GroupMember), covers(GroupMember, today))
        .order_by(Contact.name_key, Contact.id, GroupMember.id)
    )
    return GroupPage(
        name=group.name,
        kind=group.kind,
        need_to_know=group.need_to_know,
        closed_on=group.closed_on,
        workplace_id=site.public_id,
        workplace=site.name,
        version=group.version,
        people=tuple(InGroup(*row) for row in rows),
    )


def get_member(session: Session, scope: Scope, public_id: uuid.UUID) -> tuple[Fact, uuid.UUID]:
    """Return the word that somebody is in a group, and the group. Raises NotFound."""
    fact = find_fact(session, scope, GroupMember, public_id)
    of = session.scalars(scope.select(Contact).where(Contact.id == fact.contact_id)).one()
    group = session.scalars(scope.select(SocialGroup).where(SocialGroup.id == fact.group_id)).one()
    return (
        Fact(of.public_id, shown_name(of), group.name, fact.valid_from),
        group.public_id,
    )


def find_fact(session: Session, scope: Scope, model: Any, public_id: uuid.UUID) -> Any:
    """Return a Tie, Leading or GroupMember, believed and the actor's to write; or NotFound."""
    found = session.scalars(
        scope.select(model, permission=Permission.CONTACT_WRITE).where(
            model.public_id == public_id, known(model)
        )
    ).one_or_none()
    if found is None:
        raise NotFound(f"{model.__name__} {public_id}")
    return found


def _likely(estimate: Estimate | None) -> float | None:
    if estimate is None:
        return None
    return estimate.low if estimate.best is None else estimate.best


def _leaders(
    people: Mapping[int, Named], following: Following, found: Cover[int]
) -> tuple[LeaderLine, ...]:
    """Return the leaders who work there, those with the most followers first."""
    lines = [
        LeaderLine(
            person=one,
            stage=following.stages[key],
            named_by=following.named_by.get(key, 0),
            followers=tuple(
                other for inner, other in people.items() if inner in found.followers_of[key]
            ),
        )
        for key, one in people.items()
        if key in following.stages
    ]
    return tuple(sorted(lines, key=lambda line: -len(line.followers)))


@dataclass(frozen=True, slots=True)
class _Grid:
    workplace_id: int
    areas: Sequence[Any]
    shifts: Sequence[Any]
    jobs: Sequence[Any]
    following: Following
    found: Cover[int]
    headcounts: Mapping[int, Estimate]

    def _shift_ids(self) -> list[int | None]:
        """The shifts that somebody works, and None when of somebody it is not known.

        A shift that the reader may not see is not known to them.
        """
        worked = {self._shift(job) for job in self.jobs}
        named: list[int | None] = [shift.id for shift in self.shifts if shift.id in worked]
        return [*named, None] if None in worked else named

    def _shift(self, job: Any) -> int | None:
        return job.shift_id if any(shift.id == job.shift_id for shift in self.shifts) else None

    def shift_names(self) -> tuple[str | None, ...]:
        """Return the heads of the columns."""
        names = {shift.id: str(shift.name) for shift in self.shifts}
        return tuple(None if one is None else names[one] for one in self._shift_ids())

    def rows(self) -> list[CoverRow]:
        """Return a row for each area where somebody works, then for those of no area."""
        shown = {area.id for area in self.areas}
        parents: dict[int, int | None] = {self.workplace_id: None}
        for area in self.areas:
            above = area.parent_area_id
            parents[area.id] = above if above in shown else self.workplace_id
        found = []
        for area in self.areas:
            places = subtree(parents, area.id)
            row = self._row(area.name, places, self.headcounts.get(area.id))
            if row.whole.people:
                found.append(row)
        rest = self._row(None, {self.workplace_id}, None)
        return [*found, rest] if rest.whole.people else found

    def _row(self, label: str | None, places: set[int], estimate: Estimate | None) -> CoverRow:
        here = [job for job in self.jobs if job.place_id in places]
        cells = []
        for shift_id in self._shift_ids():
            some = {job.contact_id for job in here if self._shift(job) == shift_id}
            cells.append(foot(some, self.following.stages, self.found) if some else None)
        return CoverRow(
            label=label,
            inside=len(places) > 1,
            cells=tuple(cells),
            whole=foot(
                {job.contact_id for job in here},
                self.following.stages,
                self.found,
                workers=_likely(estimate),
            ),
        )
