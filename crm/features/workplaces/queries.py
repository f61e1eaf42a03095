"""What the pages about places show. Every read runs under a scope and hands out plain rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from crm.access.facts import known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.assessment import ExpiryRule, Freshness, freshness_of
from crm.domain.errors import NotFound
from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.headcount import Headcount as Estimate
from crm.domain.identity import fold
from crm.domain.vocabulary import AreaKind, PlaceTieKind, Sector
from crm.models.contacts import Contact, Job, StateSpan
from crm.models.conversations import Conversation
from crm.models.places import (
    Area,
    BargainingUnit,
    Branch,
    Employer,
    ExternalId,
    Headcount,
    MemberCount,
    Place,
    PlaceClosure,
    PlaceEdge,
    PlaceTie,
    Recognition,
    Region,
    Shift,
    Union,
    UnionAffiliation,
    Workplace,
)
from crm.reads.people import names_of_users
from crm.reads.places import Choice, headcounts_on

WORKPLACES_A_PAGE = 50
PEOPLE_A_PAGE = 100
# A longer list of employers is no help on a phone; the search box finds them all.
EMPLOYERS_TO_PICK = 100
SUPPLIERS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class PlaceLink:
    """A place to link to."""

    public_id: uuid.UUID
    name: str


@dataclass(frozen=True, slots=True)
class DatedLink:
    """A place linked to another for the days [valid_from, valid_to)."""

    place: PlaceLink
    more: str | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Succession:
    """What a workplace became on a day, or, if came_of, which one it came of."""

    place: PlaceLink
    kind: PlaceTieKind
    on_day: date
    came_of: bool


@dataclass(frozen=True, slots=True)
class Suppliers:
    """Workplaces that supply an employer, by name. more: there are others."""

    shown: tuple[DatedLink, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class CountLine:
    """A headcount as shown: people (or full-time equivalents), its day, source and fate.

    high None: no upper limit is known. believed: False once corrected or withdrawn;
    replaced: True when a correction took its place.
    """

    public_id: uuid.UUID
    place_name: str
    on_day: date
    counts: Counts
    low: float
    best: float | None
    high: float | None
    rounded_to: float | None
    source_kind: HeadcountSource
    source_note: str | None
    recorded_at: datetime
    recorded_by: str | None
    superseded_at: datetime | None
    replaced: bool

    @property
    def believed(self) -> bool:
        """True while no correction or withdrawal has come."""
        return self.superseded_at is None


@dataclass(frozen=True, slots=True)
class MemberLine:
    """A stated number of members as shown. union None: all unions together."""

    public_id: uuid.UUID
    place_name: str
    union: str | None
    on_day: date
    members: float
    covered: float | None
    rounded_to: float | None
    source_kind: HeadcountSource
    source_note: str | None
    recorded_at: datetime
    recorded_by: str | None
    superseded_at: datetime | None
    replaced: bool

    @property
    def believed(self) -> bool:
        """True while no correction or withdrawal has come."""
        return self.superseded_at is None


@dataclass(frozen=True, slots=True)
class WorkplaceRow:
    """A line of the list. people: those of it on the reader's list, None when not theirs to see.

    headcount: the count that holds today, never in full-time equivalents; None = not known.
    """

    public_id: uuid.UUID
    name: str
    postcode: str | None
    closed_on: date | None
    people: int | None
    headcount: Estimate | None


@dataclass(frozen=True, slots=True)
class EmployerGroup:
    """Workplaces of one employer. employer None: it is outside what the reader may see."""

    employer: PlaceLink | None
    rows: tuple[WorkplaceRow, ...]


@dataclass(frozen=True, slots=True)
class WorkplacePage:
    """One page of the list. total: workplaces that fit; first and last: 1-based, 0 for none."""

    groups: tuple[EmployerGroup, ...]
    total: int
    page: int
    first: int
    last: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least 1."""
        return max(1, -(-self.total // WORKPLACES_A_PAGE))


@dataclass(frozen=True, slots=True)
class AreaRow:
    """An area in the tree. depth 0 lies in the workplace itself.

    people: distinct people with a job there or in an area inside it; None = not the reader's.
    """

    public_id: uuid.UUID
    name: str
    kind: AreaKind
    depth: int
    closed_on: date | None
    people: int | None


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """A shift. starts_at and ends_at None: not known."""

    public_id: uuid.UUID
    name: str
    starts_at: time | None
    ends_at: time | None
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A bargaining unit and the unions recognised for it. place_name: where it applies."""

    public_id: uuid.UUID
    name: str
    covers: str | None
    place_name: str
    unions: tuple[DatedLink, ...]


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person at work here today. member None = not known; rating None = not asked."""

    public_id: uuid.UUID
    name: str
    area: str | None
    shift: str | None
    job_title: str | None
    rating: int | None
    firm: bool
    freshness: Freshness
    member: bool | None
    last_talk_on: date | None
    do_not_contact: bool


@dataclass(frozen=True, slots=True)
class PeopleHere:
    """One page of the people at a place. total: distinct people; partly: areas, not all of it."""

    rows: tuple[PersonLine, ...]
    total: int
    page: int
    partly: bool

    @property
    def pages(self) -> int:
        """How many pages there are, at least 1."""
        return max(1, -(-self.total // PEOPLE_A_PAGE))


@dataclass(frozen=True, slots=True)
class Counted:
    """The stated counts of some places, newest first."""

    headcounts: tuple[CountLine, ...]
    member_counts: tuple[MemberLine, ...]


@dataclass(frozen=True, slots=True)
class WorkplaceView:
    """Everything on a workplace's page. people None: not the reader's to see."""

    public_id: uuid.UUID
    name: str
    employer: PlaceLink | None
    address: str | None
    postcode: str | None
    region: str | None
    country: str | None
    time_zone: str
    latitude: float | None
    longitude: float | None
    closed_on: date | None
    external_ids: tuple[tuple[str, str], ...]
    areas: tuple[AreaRow, ...]
    shifts: tuple[ShiftRow, ...]
    counted: Counted
    headcount: Estimate | None
    units: tuple[UnitRow, ...]
    branches: tuple[DatedLink, ...]
    supplies: tuple[DatedLink, ...]
    successions: tuple[Succession, ...]
    people: PeopleHere | None
    may_write: bool


@dataclass(frozen=True, slots=True)
class AreaView:
    """Everything on an area's page."""

    public_id: uuid.UUID
    name: str
    kind: AreaKind
    workplace: PlaceLink
    time_zone: str
    parent: PlaceLink | None
    closed_on: date | None
    inside: tuple[AreaRow, ...]
    counted: Counted
    headcount: Estimate | None
    people: PeopleHere | None
    may_write: bool


@dataclass(frozen=True, slots=True)
class EmployerView:
    """Everything on an employer's page."""

    public_id: uuid.UUID
    name: str
    country: str | None
    company_number: str | None
    sector: Sector | None
    sic_codes: tuple[str, ...]
    address: str | None
    parent: PlaceLink | None
    parts: tuple[PlaceLink, ...]
    workplaces: WorkplacePage
    counted: Counted
    units: tuple[UnitRow, ...]
    suppliers: Suppliers
    may_edit: bool
    may_write: bool


@dataclass(frozen=True, slots=True)
class UnionRow:
    """A union in the list."""

    public_id: uuid.UUID
    name: str
    abbreviation: str | None
    branches: int


@dataclass(frozen=True, slots=True)
class UnionView:
    """Everything on a union's page. affiliations: (body, from, to)."""

    public_id: uuid.UUID
    name: str
    abbreviation: str | None
    country: str | None
    affiliations: tuple[tuple[str, date, date | None], ...]
    branches: tuple[PlaceLink, ...]


@dataclass(frozen=True, slots=True)
class BranchView:
    """Everything on a branch's page. workplaces: those in scope where it organises."""

    public_id: uuid.UUID
    name: str
    abbreviation: str | None
    union: PlaceLink
    parent: PlaceLink | None
    country: str | None
    workplaces: WorkplacePage


def list_workplaces(
    session: Session,
    scope: Scope,
    *,
    today: date,
    text: str | None = None,
    employer_id: int | None = None,
    branch_id: int | None = None,
    page: int = 1,
) -> WorkplacePage:
    """Return one page of the workplaces in scope, by employer and name. Three statements.

    text: words that must each stand in the workplace's or employer's name in any spelling of
    case and accent, or one postcode. page: from 1. employer_id, branch_id: only what is inside.
    """
    owner = aliased(Place)
    statement = (
        scope.select(
            Workplace.id,
            Workplace.public_id,
            Workplace.name,
            Workplace.postcode,
            Workplace.closed_on,
            owner.public_id.label("employer_public_id"),
            owner.name.label("employer_name"),
            scope.reach(Permission.CONTACT_READ, Workplace.id).label("sees_people"),
            sa.func.count().over().label("total"),
        )
        .outerjoin(owner, owner.id == Workplace.employer_id)
        .order_by(
            Workplace.closed_on.is_not(None),
            owner.name.is_(None),
            owner.name,
            Workplace.employer_id,
            Workplace.name,
            Workplace.id,
        )
        .limit(WORKPLACES_A_PAGE)
        .offset((page - 1) * WORKPLACES_A_PAGE)
    )
    words = fold(text or "").split()
    if text and not words:
        # Signs alone name no place: an empty answer is truer than the whole list.
        statement = statement.where(sa.false())
    for word in words:
        statement = statement.where(
            sa.or_(
                Workplace.name_key.contains(word, autoescape=True),
                owner.name_key.contains(word, autoescape=True),
                _bare_postcode().contains(word.upper(), autoescape=True),
            )
        )
    if employer_id is not None:
        statement = statement.where(Workplace.employer_id == employer_id)
    if branch_id is not None:
        statement = statement.where(
            Workplace.id.in_(
                sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == branch_id)
            )
        )
    found = session.execute(statement).all()
    ids = [int(row.id) for row in found]
    headcounts = headcounts_on(session, scope, ids, today)
    people = _people_at(session, scope, ids, today)
    groups: list[EmployerGroup] = []
    for row in found:
        employer = (
            PlaceLink(row.employer_public_id, row.employer_name) if row.employer_public_id else None
        )
        known_people = people.get(row.id, 0 if row.sees_people else None)
        line = WorkplaceRow(
            row.public_id,
            row.name,
            row.postcode,
            row.closed_on,
            known_people,
            headcounts.get(row.id),
        )
        if groups and groups[-1].employer == employer:
            groups[-1] = EmployerGroup(employer, (*groups[-1].rows, line))
        else:
            groups.append(EmployerGroup(employer, (line,)))
    first = (page - 1) * WORKPLACES_A_PAGE + 1 if found else 0
    return WorkplacePage(
        groups=tuple(groups),
        total=int(found[0].total) if found else 0,
        page=page,
        first=first,
        last=first + len(found) - 1 if found else 0,
    )


def _bare_postcode() -> sa.ColumnElement[str]:
    return sa.func.replace(sa.func.upper(sa.func.coalesce(Workplace.postcode, "")), " ", "")


def list_employer_choices(session: Session, scope: Scope) -> list[Choice]:
    """Return the employers in scope for a select field; none when they are too many to pick."""
    rows = session.execute(
        scope.select(Employer.public_id, Employer.name)
        .order_by(Employer.name, Employer.id)
        .limit(EMPLOYERS_TO_PICK + 1)
    ).all()
    if len(rows) > EMPLOYERS_TO_PICK:
        return []
    return [Choice(str(public_id), name) for public_id, name in rows]


def find_employer(session: Session, scope: Scope, public_id: uuid.UUID) -> tuple[int, str] | None:
    """Return the inner id and name of an employer in scope, or None."""
    row = session.execute(
        scope.select(Employer.id, Employer.name).where(Employer.public_id == public_id)
    ).one_or_none()
    return None if row is None else (int(row[0]), str(row[1]))


def list_union_choices(session: Session, scope: Scope) -> list[Choice]:
    """Return all unions by name, for a select field."""
    rows = session.execute(scope.select(Union.public_id, Union.name).order_by(Union.name, Union.id))
    return [Choice(str(public_id), name) for public_id, name in rows]


def list_branch_choices(
    session: Session, scope: Scope, *, union_id: int | None = None
) -> list[Choice]:
    """Return the branches with their union's name, by union and name; or one union's own."""
    union = aliased(Place)
    statement = (
        scope.select(Branch.public_id, Branch.name, union.name)
        .join(union, union.id == Branch.union_id)
        .order_by(union.name, Branch.name, Branch.id)
    )
    if union_id is not None:
        statement = statement.where(Branch.union_id == union_id)
    return [
        Choice(str(public_id), name if union_id is not None else f"{union_name}: {name}")
        for public_id, name, union_name in session.execute(statement)
    ]


def list_region_choices(session: Session, scope: Scope) -> list[Choice]:
    """Return all regions by name, for a select field."""
    rows = session.execute(
        scope.select(Region.public_id, Region.name).order_by(Region.name, Region.id)
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


def get_workplace_view(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    *,
    today: date,
    expiry: ExpiryRule,
    page: int = 1,
) -> WorkplaceView:
    """Return a workplace's page. Raises NotFound if absent or out of scope.

    expiry: how long an assessment counts. page: of the people, from 1.
    """
    owner, region = aliased(Place), aliased(Place)
    row = session.execute(
        scope.select(
            Workplace,
            owner.public_id,
            owner.name,
            region.name,
            scope.reach(Permission.PLACE_WRITE, Workplace.id),
            scope.reach(Permission.CONTACT_READ, Workplace.id),
        )
        .outerjoin(owner, owner.id == Workplace.employer_id)
        .outerjoin(region, region.id == Workplace.region_id)
        .where(Workplace.public_id == public_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"workplace {public_id}")
    workplace, employer_public_id, employer_name, region_name, may_write, sees_people = row
    areas = _areas_of(session, scope, workplace.id)
    area_people = _people_in_areas(session, scope, [area.id for area in areas], today)
    people = _people_here(
        session,
        scope,
        today=today,
        expiry=expiry,
        page=page,
        whole=bool(sees_people),
        workplace_id=workplace.id,
    )
    counted = _counted(session, scope, [workplace.id, *(area.id for area in areas)])
    return WorkplaceView(
        public_id=workplace.public_id,
        name=workplace.name,
        employer=PlaceLink(employer_public_id, employer_name) if employer_public_id else None,
        address=workplace.address,
        postcode=workplace.postcode,
        region=region_name,
        country=workplace.country,
        time_zone=workplace.time_zone,
        latitude=workplace.latitude,
        longitude=workplace.longitude,
        closed_on=workplace.closed_on,
        external_ids=_external_ids(session, scope, workplace.id),
        areas=_as_tree(areas, area_people if people is not None else None, None),
        shifts=_shifts_of(session, scope, workplace.id),
        counted=counted,
        headcount=headcounts_on(session, scope, [workplace.id], today).get(workplace.id),
        units=_units_at(session, scope, [workplace.id, workplace.employer_id]),
        branches=_branches_of(session, scope, workplace.id),
        supplies=_supplied_by(session, scope, workplace.id),
        successions=_successions(session, scope, workplace.id),
        people=people,
        may_write=bool(may_write),
    )


def get_area_view(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    *,
    today: date,
    expiry: ExpiryRule,
    page: int = 1,
) -> AreaView:
    """Return an area's page. Raises NotFound if absent or out of scope.

    expiry: how long an assessment counts. page: of the people, from 1.
    """
    parent = aliased(Place)
    row = session.execute(
        scope.select(
            Area,
            parent.public_id,
            parent.name,
            scope.reach(Permission.PLACE_WRITE, Area.id),
            scope.reach(Permission.CONTACT_READ, Area.id),
        )
        .outerjoin(parent, parent.id == Area.parent_area_id)
        .where(Area.public_id == public_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"area {public_id}")
    area, parent_public_id, parent_name, may_write, sees_people = row
    home = session.execute(
        scope.select(Workplace.public_id, Workplace.name, Workplace.time_zone).where(
            Workplace.id == area.workplace_id
        )
    ).one()
    areas = _areas_of(session, scope, area.workplace_id)
    people = _people_here(
        session,
        scope,
        today=today,
        expiry=expiry,
        page=page,
        whole=bool(sees_people),
        workplace_id=area.workplace_id,
        area_id=area.id,
    )
    counts = _people_in_areas(session, scope, [each.id for each in areas], today)
    return AreaView(
        public_id=area.public_id,
        name=area.name,
        kind=area.area_kind,
        workplace=PlaceLink(home[0], home[1]),
        time_zone=home[2],
        parent=PlaceLink(parent_public_id, parent_name) if parent_public_id else None,
        closed_on=area.closed_on,
        inside=_as_tree(areas, counts if people is not None else None, area.id),
        counted=_counted(session, scope, [area.id]),
        headcount=headcounts_on(session, scope, [area.id], today).get(area.id),
        people=people,
        may_write=bool(may_write),
    )


def get_employer_view(
    session: Session, scope: Scope, public_id: uuid.UUID, *, today: date, page: int = 1
) -> EmployerView:
    """Return an employer's page. Raises NotFound if absent or out of scope.

    page: of its workplaces, from 1.
    """
    parent = aliased(Place)
    row = session.execute(
        scope.select(
            Employer,
            parent.public_id,
            parent.name,
            scope.reach(Permission.EMPLOYER_WRITE, Employer.id),
            scope.reach(Permission.PLACE_WRITE, Employer.id),
        )
        .outerjoin(parent, parent.id == Employer.parent_employer_id)
        .where(Employer.public_id == public_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"employer {public_id}")
    employer, parent_public_id, parent_name, may_edit, may_write = row
    parts = session.execute(
        scope.select(Employer.public_id, Employer.name)
        .where(Employer.parent_employer_id == employer.id)
        .order_by(Employer.name, Employer.id)
    )
    return EmployerView(
        public_id=employer.public_id,
        name=employer.name,
        country=employer.country,
        company_number=employer.company_number,
        sector=employer.sector,
        sic_codes=tuple(employer.sic_codes or ()),
        address=employer.address,
        parent=PlaceLink(parent_public_id, parent_name) if parent_public_id else None,
        parts=tuple(PlaceLink(part[0], part[1]) for part in parts),
        workplaces=list_workplaces(session, scope, today=today, employer_id=employer.id, page=page),
        counted=_counted(session, scope, [employer.id]),
        units=_units_at(session, scope, [employer.id]),
        suppliers=_suppliers_of(session, scope, employer.id),
        may_edit=bool(may_edit),
        may_write=bool(may_write),
    )


def list_unions(session: Session, scope: Scope) -> list[UnionRow]:
    """Return all unions by name, with how many branches each has here."""
    rows = session.execute(
        scope.select(Union.id, Union.public_id, Union.name, Union.abbreviation).order_by(
            Union.name, Union.id
        )
    ).all()
    counted = session.execute(
        scope.select(Branch.union_id, sa.func.count(Branch.id)).group_by(Branch.union_id)
    )
    branches = {row[0]: row[1] for row in counted}
    return [UnionRow(row[1], row[2], row[3], branches.get(row[0], 0)) for row in rows]


def get_union_view(session: Session, scope: Scope, public_id: uuid.UUID) -> UnionView:
    """Return a union's page. Raises NotFound when there is no such union."""
    union = session.scalars(scope.select(Union).where(Union.public_id == public_id)).one_or_none()
    if union is None:
        raise NotFound(f"union {public_id}")
    affiliations = session.execute(
        scope.select(
            UnionAffiliation.body_name, UnionAffiliation.valid_from, UnionAffiliation.valid_to
        )
        .where(UnionAffiliation.union_id == union.id, known(UnionAffiliation))
        .order_by(UnionAffiliation.body_name, UnionAffiliation.valid_from)
    )
    branches = session.execute(
        scope.select(Branch.public_id, Branch.name)
        .where(Branch.union_id == union.id)
        .order_by(Branch.name, Branch.id)
    )
    return UnionView(
        public_id=union.public_id,
        name=union.name,
        abbreviation=union.abbreviation,
        country=union.country,
        affiliations=tuple((row[0], row[1], row[2]) for row in affiliations),
        branches=tuple(PlaceLink(row[0], row[1]) for row in branches),
    )


def get_branch_view(
    session: Session, scope: Scope, public_id: uuid.UUID, *, today: date, page: int = 1
) -> BranchView:
    """Return a branch's page with the workplaces in scope. NotFound when there is none."""
    union = aliased(Place)
    row = session.execute(
        scope.select(Branch, union.public_id, union.name)
        .join(union, union.id == Branch.union_id)
        .where(Branch.public_id == public_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"branch {public_id}")
    branch, union_public_id, union_name = row
    parent = parent_branch(session, scope, branch.id)
    return BranchView(
        public_id=branch.public_id,
        name=branch.name,
        abbreviation=branch.abbreviation,
        union=PlaceLink(union_public_id, union_name),
        parent=parent,
        country=branch.country,
        workplaces=list_workplaces(session, scope, today=today, branch_id=branch.id, page=page),
    )


def parent_branch(session: Session, scope: Scope, branch_id: int) -> PlaceLink | None:
    """Return the branch that a branch lies in, or None when it is directly under its union."""
    row = session.execute(
        scope.select(Branch.public_id, Branch.name)
        .join(PlaceEdge, PlaceEdge.parent_id == Branch.id)
        .where(
            PlaceEdge.child_id == branch_id,
            known(PlaceEdge),
            PlaceEdge.valid_to.is_(None),
        )
        .limit(1)
    ).one_or_none()
    return None if row is None else PlaceLink(row[0], row[1])


def get_branches_to_change(
    session: Session, scope: Scope, public_id: uuid.UUID
) -> tuple[str, tuple[DatedLink, ...]]:
    """Return a workplace's name and its branches, past ones too. NotFound if not the reader's."""
    row = session.execute(
        scope.select(Workplace.id, Workplace.name, permission=Permission.PLACE_WRITE).where(
            Workplace.public_id == public_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"workplace {public_id}")
    return row[1], _branches_of(session, scope, row[0])


def density_place(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    permission: Permission = Permission.DENSITY_READ,
) -> int | None:
    """Return a workplace's inner id where the permission holds over it, else None."""
    return session.scalars(
        scope.select(Workplace.id, permission=permission).where(Workplace.public_id == public_id)
    ).one_or_none()


def list_area_parents(
    session: Session, scope: Scope, workplace_id: int, *, without: int | None = None
) -> list[Choice]:
    """Return the open areas of a workplace that an area may lie in, by name.

    without: the area to be moved. It and all inside it are left out: they cannot contain it.
    """
    statement = (
        scope.select(Area.public_id, Area.name, permission=Permission.PLACE_WRITE)
        .where(Area.workplace_id == workplace_id, Area.closed_on.is_(None))
        .order_by(Area.name, Area.id)
    )
    if without is not None:
        statement = statement.where(
            Area.id.not_in(
                sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == without)
            )
        )
    return [Choice(str(public_id), name) for public_id, name in session.execute(statement)]


def _today(today: date) -> tuple[sa.ColumnElement[bool], ...]:
    return (StateSpan.from_day <= today, StateSpan.to_day > today)


def _people_at(
    session: Session, scope: Scope, workplace_ids: list[int], today: date
) -> dict[int, int]:
    if not workplace_ids or not scope.may(Permission.CONTACT_READ):
        return {}
    rows = session.execute(
        scope.select(StateSpan.workplace_id, sa.func.count(StateSpan.contact_id.distinct()))
        .where(StateSpan.workplace_id.in_(workplace_ids), *_today(today))
        .group_by(StateSpan.workplace_id)
    )
    return {int(place_id): int(people) for place_id, people in rows}


def _people_in_areas(
    session: Session, scope: Scope, area_ids: list[int], today: date
) -> dict[int, int]:
    if not area_ids or not scope.may(Permission.CONTACT_READ):
        return {}
    rows = session.execute(
        scope.select(PlaceClosure.ancestor_id, sa.func.count(StateSpan.contact_id.distinct()))
        .join(StateSpan, StateSpan.place_id == PlaceClosure.descendant_id)
        .where(PlaceClosure.ancestor_id.in_(area_ids), *_today(today))
        .group_by(PlaceClosure.ancestor_id)
    )
    return {int(area_id): int(people) for area_id, people in rows}


def _areas_of(session: Session, scope: Scope, workplace_id: int) -> list[Any]:
    return list(
        session.execute(
            scope.select(
                Area.id,
                Area.public_id,
                Area.name,
                Area.area_kind,
                Area.parent_area_id,
                Area.closed_on,
            )
            .where(Area.workplace_id == workplace_id)
            .order_by(Area.name, Area.id)
        )
    )


def _as_tree(
    areas: list[Any], people: dict[int, int] | None, top: int | None
) -> tuple[AreaRow, ...]:
    """Return the areas inside ``top`` (None: the workplace) in the order of a tree."""
    seen = {area.id for area in areas}
    inside: dict[int | None, list[Any]] = {}
    for area in areas:
        parent = area.parent_area_id if area.parent_area_id in seen else None
        inside.setdefault(parent, []).append(area)
    rows: list[AreaRow] = []
    waiting = [(area, 0) for area in reversed(inside.get(top, []))]
    while waiting:
        area, depth = waiting.pop()
        rows.append(
            AreaRow(
                area.public_id,
                area.name,
                area.area_kind,
                depth,
                area.closed_on,
                None if people is None else people.get(area.id, 0),
            )
        )
        waiting.extend((each, depth + 1) for each in reversed(inside.get(area.id, [])))
    return tuple(rows)


def _shifts_of(session: Session, scope: Scope, workplace_id: int) -> tuple[ShiftRow, ...]:
    rows = session.execute(
        scope.select(Shift.public_id, Shift.name, Shift.starts_at, Shift.ends_at, Shift.closed_on)
        .where(Shift.place_id == workplace_id)
        .order_by(Shift.closed_on.is_not(None), Shift.name, Shift.id)
    )
    return tuple(ShiftRow(*row) for row in rows)


def _external_ids(session: Session, scope: Scope, place_id: int) -> tuple[tuple[str, str], ...]:
    rows = session.execute(
        scope.select(ExternalId.scheme, ExternalId.value)
        .where(ExternalId.place_id == place_id)
        .order_by(ExternalId.scheme, ExternalId.value)
    )
    return tuple((scheme, value) for scheme, value in rows)


def _branches_of(session: Session, scope: Scope, workplace_id: int) -> tuple[DatedLink, ...]:
    union = aliased(Place)
    rows = session.execute(
        scope.select(
            Branch.public_id, Branch.name, union.name, PlaceEdge.valid_from, PlaceEdge.valid_to
        )
        .join(PlaceEdge, PlaceEdge.parent_id == Branch.id)
        .join(union, union.id == Branch.union_id)
        .where(PlaceEdge.child_id == workplace_id, known(PlaceEdge))
        .order_by(PlaceEdge.valid_to.is_not(None), Branch.name, PlaceEdge.valid_from)
    )
    return tuple(DatedLink(PlaceLink(row[0], row[1]), row[2], row[3], row[4]) for row in rows)


def _supplied_by(session: Session, scope: Scope, workplace_id: int) -> tuple[DatedLink, ...]:
    """Return the employers that a workplace supplies, as far as the scope sees them."""
    rows = session.execute(
        scope.select(
            Employer.public_id,
            Employer.name,
            PlaceTie.source_note,
            PlaceTie.valid_from,
            PlaceTie.valid_to,
        )
        .join(PlaceTie, PlaceTie.other_id == Employer.id)
        .where(
            PlaceTie.place_id == workplace_id,
            PlaceTie.kind == PlaceTieKind.SUPPLIES,
            known(PlaceTie),
        )
        .order_by(PlaceTie.valid_to.is_not(None), Employer.name, PlaceTie.id)
    )
    return tuple(DatedLink(PlaceLink(row[0], row[1]), row[2], row[3], row[4]) for row in rows)


def _successions(session: Session, scope: Scope, workplace_id: int) -> tuple[Succession, ...]:
    """Return what a workplace became and what it came of, as far as the scope sees the others."""
    found = []
    for own, other, came_of in (
        (PlaceTie.place_id, PlaceTie.other_id, False),
        (PlaceTie.other_id, PlaceTie.place_id, True),
    ):
        rows = session.execute(
            scope.select(Workplace.public_id, Workplace.name, PlaceTie.kind, PlaceTie.valid_from)
            .join(PlaceTie, other == Workplace.id)
            .where(own == workplace_id, PlaceTie.kind != PlaceTieKind.SUPPLIES, known(PlaceTie))
            .order_by(PlaceTie.valid_from, Workplace.name, PlaceTie.id)
        )
        found += [Succession(PlaceLink(row[0], row[1]), row[2], row[3], came_of) for row in rows]
    return tuple(found)


def _suppliers_of(session: Session, scope: Scope, employer_id: int) -> Suppliers:
    """Return the workplaces that supply an employer, of those that the scope sees."""
    rows = session.execute(
        scope.select(
            Workplace.public_id,
            Workplace.name,
            Workplace.country,
            PlaceTie.valid_from,
            PlaceTie.valid_to,
        )
        .join(PlaceTie, PlaceTie.place_id == Workplace.id)
        .where(
            PlaceTie.other_id == employer_id,
            PlaceTie.kind == PlaceTieKind.SUPPLIES,
            known(PlaceTie),
        )
        .order_by(PlaceTie.valid_to.is_not(None), Workplace.name, PlaceTie.id)
        .limit(SUPPLIERS_SHOWN + 1)
    ).all()
    shown = tuple(
        DatedLink(PlaceLink(row[0], row[1]), row[2], row[3], row[4])
        for row in rows[:SUPPLIERS_SHOWN]
    )
    return Suppliers(shown, len(rows) > SUPPLIERS_SHOWN)


def _units_at(session: Session, scope: Scope, place_ids: list[int]) -> tuple[UnitRow, ...]:
    home = aliased(Place)
    units = session.execute(
        scope.select(
            BargainingUnit.id,
            BargainingUnit.public_id,
            BargainingUnit.name,
            BargainingUnit.covers,
            home.name,
        )
        .join(home, home.id == BargainingUnit.place_id)
        .where(BargainingUnit.place_id.in_(place_ids))
        .order_by(BargainingUnit.name, BargainingUnit.id)
    ).all()
    unions = _recognised(session, scope, [int(unit[0]) for unit in units])
    return tuple(
        UnitRow(unit[1], unit[2], unit[3], unit[4], tuple(unions.get(unit[0], ())))
        for unit in units
    )


def _recognised(session: Session, scope: Scope, unit_ids: list[int]) -> dict[int, list[DatedLink]]:
    if not unit_ids:
        return {}
    rows = session.execute(
        scope.select(
            Recognition.unit_id,
            Union.public_id,
            Union.name,
            Union.abbreviation,
            Recognition.valid_from,
            Recognition.valid_to,
        )
        .join(Union, Union.id == Recognition.union_id)
        .where(Recognition.unit_id.in_(unit_ids), known(Recognition))
        .order_by(Recognition.valid_to.is_not(None), Union.name, Recognition.valid_from)
    )
    found: dict[int, list[DatedLink]] = {}
    for unit_id, public_id, name, short, since, until in rows:
        found.setdefault(int(unit_id), []).append(
            DatedLink(PlaceLink(public_id, name), short, since, until)
        )
    return found


def get_unit_row(session: Session, scope: Scope, public_id: uuid.UUID) -> UnitRow:
    """Return a bargaining unit the reader may change. NotFound if absent or out of scope."""
    home = aliased(Place)
    unit = session.execute(
        scope.select(
            BargainingUnit.id,
            BargainingUnit.public_id,
            BargainingUnit.name,
            BargainingUnit.covers,
            home.name,
            permission=Permission.PLACE_WRITE,
        )
        .join(home, home.id == BargainingUnit.place_id)
        .where(BargainingUnit.public_id == public_id)
    ).one_or_none()
    if unit is None:
        raise NotFound(f"bargaining unit {public_id}")
    unions = _recognised(session, scope, [int(unit[0])])
    return UnitRow(unit[1], unit[2], unit[3], unit[4], tuple(unions.get(unit[0], ())))


def _counted(session: Session, scope: Scope, place_ids: list[int]) -> Counted:
    """Return all counts of the places, also those no longer believed, newest day first."""
    home = aliased(Place)
    heads = session.execute(
        scope.select(Headcount, home.name)
        .join(home, home.id == Headcount.place_id)
        .where(Headcount.place_id.in_(place_ids))
        .order_by(Headcount.on_day.desc(), Headcount.recorded_at.desc(), Headcount.id.desc())
    ).all()
    union = aliased(Place)
    members = session.execute(
        scope.select(MemberCount, home.name, union.name)
        .join(home, home.id == MemberCount.place_id)
        .outerjoin(union, union.id == MemberCount.union_id)
        .where(MemberCount.place_id.in_(place_ids))
        .order_by(MemberCount.on_day.desc(), MemberCount.recorded_at.desc(), MemberCount.id.desc())
    ).all()
    facts = [*(row[0] for row in heads), *(row[0] for row in members)]
    names = names_of_users(
        session, {fact.recorded_by_id for fact in facts if fact.recorded_by_id is not None}
    )
    head_starts = _starts(row[0] for row in heads)
    member_starts = _starts(row[0] for row in members)
    return Counted(
        headcounts=tuple(
            CountLine(
                public_id=fact.public_id,
                place_name=place_name,
                on_day=fact.on_day,
                counts=fact.counts,
                low=fact.low,
                best=fact.best,
                high=fact.high,
                rounded_to=fact.rounded_to,
                source_kind=fact.source_kind,
                source_note=fact.source_note,
                recorded_at=fact.recorded_at,
                recorded_by=names.get(fact.recorded_by_id),
                superseded_at=fact.superseded_at,
                replaced=head_starts.get((fact.place_id, fact.superseded_at), 0) > fact.id,
            )
            for fact, place_name in heads
        ),
        member_counts=tuple(
            MemberLine(
                public_id=fact.public_id,
                place_name=place_name,
                union=union_name,
                on_day=fact.on_day,
                members=fact.members,
                covered=fact.covered,
                rounded_to=fact.rounded_to,
                source_kind=fact.source_kind,
                source_note=fact.source_note,
                recorded_at=fact.recorded_at,
                recorded_by=names.get(fact.recorded_by_id),
                superseded_at=fact.superseded_at,
                replaced=member_starts.get((fact.place_id, fact.superseded_at), 0) > fact.id,
            )
            for fact, place_name, union_name in members
        ),
    )


def _starts(facts: Iterable[Any]) -> dict[tuple[int, datetime | None], int]:
    """Return the last row that begins at a place at each moment.

    A correction is recorded at the very moment at which the old row stops being believed.
    """
    last: dict[tuple[int, datetime | None], int] = {}
    for fact in facts:
        key = (fact.place_id, fact.recorded_at)
        last[key] = max(fact.id, last.get(key, 0))
    return last


def _people_here(
    session: Session,
    scope: Scope,
    *,
    today: date,
    expiry: ExpiryRule,
    page: int,
    whole: bool,
    workplace_id: int,
    area_id: int | None = None,
) -> PeopleHere | None:
    """Return a page of the people at a place today, or None when they are not the reader's.

    whole: the reader holds the whole place; otherwise at most some areas of it.
    """
    if not scope.may(Permission.CONTACT_READ):
        return None
    here = [
        Job.workplace_id == workplace_id,
        known(Job),
        Job.valid_from <= today,
        sa.or_(Job.valid_to.is_(None), Job.valid_to > today),
    ]
    if area_id is not None:
        here.append(
            Job.place_id.in_(
                sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == area_id)
            )
        )
    total = session.execute(
        scope.select(sa.func.count(Job.contact_id.distinct())).where(*here)
    ).scalar_one()
    if not total and not whole:
        return None
    area = aliased(Place)
    rows = session.execute(
        scope.select(
            Contact.id,
            Contact.public_id,
            sa.func.coalesce(Contact.known_as, Contact.placeholder_label),
            Contact.do_not_contact,
            area.name,
            Shift.name,
            Job.job_title,
            StateSpan.score,
            StateSpan.score_firm,
            StateSpan.scored_on,
            StateSpan.member,
        )
        .join(Job, Job.contact_id == Contact.id)
        .outerjoin(area, area.id == Job.area_id)
        .outerjoin(Shift, Shift.id == Job.shift_id)
        .outerjoin(
            StateSpan,
            sa.and_(
                StateSpan.contact_id == Contact.id,
                StateSpan.place_id == Job.place_id,
                *_today(today),
            ),
        )
        .where(*here)
        .order_by(Contact.name_key, Contact.id, Job.id)
        .limit(PEOPLE_A_PAGE)
        .offset((page - 1) * PEOPLE_A_PAGE)
    ).all()
    talks = _last_talks(session, scope, [int(row[0]) for row in rows])
    return PeopleHere(
        rows=tuple(_person_line(row, talks, today, expiry) for row in rows),
        total=int(total),
        page=page,
        partly=not whole,
    )


def _person_line(row: Any, talks: dict[int, date], today: date, expiry: ExpiryRule) -> PersonLine:
    key, public_id, name, do_not_contact, area, shift, title, score, firm, scored_on, member = row
    return PersonLine(
        public_id=public_id,
        name=name,
        area=area,
        shift=shift,
        job_title=title,
        rating=score,
        firm=firm is not False,
        freshness=(
            Freshness.FRESH if scored_on is None else freshness_of((today - scored_on).days, expiry)
        ),
        member=member,
        last_talk_on=talks.get(key),
        do_not_contact=do_not_contact,
    )


def _last_talks(session: Session, scope: Scope, contact_ids: list[int]) -> dict[int, date]:
    if not contact_ids:
        return {}
    rows = session.execute(
        scope.select(Conversation.contact_id, sa.func.max(Conversation.day))
        .where(Conversation.contact_id.in_(contact_ids))
        .group_by(Conversation.contact_id)
    )
    return {int(contact_id): day for contact_id, day in rows}
