"""What changes about places. Decides first, writes second, never commits.

Records that are edited carry a version: a save that was based on an older one is refused with
``EditConflict``. Counts are dated facts: they are corrected or taken back, never overwritten.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import tree
from crm.access.facts import known, revise, withdraw
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import (
    DatesOutOfOrder,
    EditConflict,
    LoopInTree,
    NotFound,
    Refusal,
)
from crm.domain.headcount import MOST_PEOPLE, Counts, HeadcountSource, check_headcount
from crm.domain.identity import fold
from crm.domain.sic import sic_section
from crm.domain.spells import overlaps
from crm.domain.vocabulary import AreaKind, Sector
from crm.features.workplaces import queries
from crm.models.places import (
    Area,
    BargainingUnit,
    Branch,
    Employer,
    Headcount,
    MemberCount,
    Place,
    PlaceEdge,
    Recognition,
    Region,
    Shift,
    Union,
    UnionAffiliation,
    Workplace,
)
from crm.reads.places import get_place

Node = TypeVar("Node", bound=Place)
Count = TypeVar("Count", Headcount, MemberCount)
Versioned = Workplace | Employer | Area | Union | Branch | Shift | BargainingUnit

_GB_POSTCODE = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})")


@dataclass(frozen=True, slots=True)
class EmployerValues:
    """What is written down of an employer. parent: the name or company number typed."""

    name: str
    country: str | None
    company_number: str | None
    sector: Sector | None
    sic_codes: tuple[str, ...]
    address: str | None
    parent: str | None


@dataclass(frozen=True, slots=True)
class WorkplaceValues:
    """What is written down of a workplace. time_zone: an IANA name; coordinates in degrees."""

    name: str
    address: str | None
    postcode: str | None
    region: uuid.UUID | None
    country: str | None
    time_zone: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class AreaValues:
    """What is written down of an area."""

    name: str
    area_kind: AreaKind


@dataclass(frozen=True, slots=True)
class ShiftValues:
    """What is written down of a shift. A time not known is None."""

    name: str
    starts_at: time | None
    ends_at: time | None
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class UnitValues:
    """What is written down of a bargaining unit."""

    name: str
    covers: str | None


@dataclass(frozen=True, slots=True)
class UnionValues:
    """What is written down of a union."""

    name: str
    abbreviation: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class BranchValues:
    """What is written down of a branch. parent: the branch it lies in, None = the union itself."""

    name: str
    abbreviation: str | None
    parent: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class RegionValues:
    """What is written down of a region."""

    name: str
    country: str | None


@dataclass(frozen=True, slots=True)
class HeadcountValues:
    """A count of workers. high None: no upper limit is known. rounded_to: the source's step."""

    on_day: date
    counts: Counts
    low: float
    best: float | None
    high: float | None
    rounded_to: float | None
    source_kind: HeadcountSource
    source_note: str | None


@dataclass(frozen=True, slots=True)
class MemberCountValues:
    """A number of members stated without names. union None: all unions together."""

    union: uuid.UUID | None
    on_day: date
    members: float
    covered: float | None
    rounded_to: float | None
    source_kind: HeadcountSource
    source_note: str | None


def normal_postcode(text: str | None, country: str | None) -> str | None:
    """Return a postcode as it is written: for GB in capitals with one space, others as typed.

    Text that has not the shape of a GB postcode is kept in capitals, not refused: a register or
    a sign on a gate may be wrong, and the workplace is there all the same.
    """
    if text is None:
        return None
    plain = " ".join(text.split())
    if country not in {None, "GB"}:
        return plain
    bare = plain.upper().replace(" ", "")
    match = _GB_POSTCODE.fullmatch(bare)
    if match:
        return f"{match[1]} {match[2]}"
    return plain.upper() if country == "GB" else plain


# Editing ------------------------------------------------------------------------------------


def _locked(
    session: Session, scope: Scope, kind: type[Node], public_id: uuid.UUID, permission: Permission
) -> Node:
    """Return the place to be changed, held until the end of the work so that nobody saves between.

    Raises NotFound where the permission does not hold.
    """
    found: Node | None = session.scalars(
        scope.select(kind, permission=permission)
        .where(kind.public_id == public_id)
        .with_for_update(of=kind)
    ).one_or_none()
    if found is None:
        raise NotFound(f"{kind.__name__} {public_id}")
    return found


def _locked_part(session: Session, scope: Scope, kind: Any, public_id: uuid.UUID) -> Any:
    """Return the row at a place (a shift, unit or count) to be changed, held as above."""
    found = session.scalars(
        scope.select(kind, permission=Permission.PLACE_WRITE)
        .where(kind.public_id == public_id)
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound(f"{kind.__name__} {public_id}")
    return found


def _check_version(
    row: Versioned, seen: str, *, current: Mapping[str, object], yours: Mapping[str, object]
) -> None:
    if str(row.version) != seen:
        raise EditConflict(current={**current, "version": str(row.version)}, yours=yours)


def _link(
    session: Session,
    scope: Scope,
    child: Place,
    parent_id: int,
    *,
    since: date,
    now: datetime,
) -> None:
    tree.link(
        session,
        child_id=child.id,
        parent_id=parent_id,
        since=since,
        now=now,
        actor_id=scope.actor_id,
    )


def _move(
    session: Session,
    scope: Scope,
    child: Place,
    *,
    old: int,
    new: int,
    today: date,
    now: datetime,
) -> None:
    """Hang a place under another parent from today. Raises LoopInTree, and then writes nothing."""
    if old == new:
        return
    _link(session, scope, child, new, since=today, now=now)
    tree.end_links(
        session,
        child_id=child.id,
        parent_ids=[old],
        until=today,
        now=now,
        actor_id=scope.actor_id,
    )


# Employers ----------------------------------------------------------------------------------


def employer_now(
    session: Session, scope: Scope, public_id: uuid.UUID
) -> tuple[str, dict[str, Any]]:
    """Return an employer's name and the values its form starts with. NotFound if not yours."""
    row = get_place(session, scope, Employer, public_id, permission=Permission.EMPLOYER_WRITE)
    return row.name, {**_employer_fields(session, scope, row), "version": str(row.version)}


def _employer_fields(session: Session, scope: Scope, row: Employer) -> dict[str, Any]:
    parent = None
    if row.parent_employer_id is not None:
        parent = session.scalars(
            scope.select(Employer.name).where(Employer.id == row.parent_employer_id)
        ).one_or_none()
    return {
        "name": row.name,
        "country": row.country,
        "company_number": row.company_number,
        "sector": row.sector.value if row.sector else None,
        "sic_codes": ", ".join(row.sic_codes or ()) or None,
        "address": row.address,
        "parent": parent,
    }


def add_employer(
    session: Session, scope: Scope, values: EmployerValues, *, now: datetime, today: date
) -> uuid.UUID:
    """Store a new employer under its parent, or under the whole; return its public id."""
    scope.require_everywhere(Permission.EMPLOYER_WRITE)
    parent = _find_parent(session, scope, values.parent)
    row = Employer(
        created_at=now,
        parent_employer_id=parent.id if parent else None,
        **_employer_columns(values),
    )
    session.add(row)
    session.flush()
    home = parent.id if parent else tree.everything_id(session)
    _link(session, scope, row, home, since=today, now=now)
    return row.public_id


def edit_employer(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    values: EmployerValues,
    *,
    seen: str,
    now: datetime,
    today: date,
) -> None:
    """Change an employer. seen: the version the form was made from.

    Raises EditConflict, LoopInTree when it would lie inside itself, or Refusal for the parent.
    """
    row = _locked(session, scope, Employer, public_id, Permission.EMPLOYER_WRITE)
    _check_version(row, seen, current=_employer_fields(session, scope, row), yours=asdict(values))
    parent = _find_parent(session, scope, values.parent)
    if parent is not None and parent.id == row.id:
        raise LoopInTree()
    root = tree.everything_id(session)
    _move(
        session,
        scope,
        row,
        old=row.parent_employer_id or root,
        new=parent.id if parent else root,
        today=today,
        now=now,
    )
    row.parent_employer_id = parent.id if parent else None
    for key, value in _employer_columns(values).items():
        setattr(row, key, value)
    row.version += 1


def _employer_columns(values: EmployerValues) -> dict[str, Any]:
    section = sic_section(values.sic_codes[0]) if values.sic_codes else None
    number = values.company_number
    return {
        "name": values.name,
        "country": values.country,
        "company_number": "".join(number.split()).upper() if number else None,
        "sector": values.sector,
        "sic_codes": list(values.sic_codes) or None,
        "sic_section": section[0] if section else None,
        "address": values.address,
    }


def _find_parent(session: Session, scope: Scope, typed: str | None) -> Employer | None:
    """Return the employer that the name or company number stands for; None for nothing typed."""
    if typed is None:
        return None
    number = "".join(typed.split()).upper()
    found = session.scalars(
        scope.select(Employer)
        .where(sa.or_(Employer.name_key == fold(typed)[:400], Employer.company_number == number))
        .order_by(Employer.id)
        .limit(2)
    ).all()
    if not found:
        raise Refusal("There is no employer with that name here. Check it, or add it first.")
    if len(found) > 1:
        raise Refusal("More than one employer has that name. Enter its company number instead.")
    employer: Employer = found[0]
    return employer


def employer_named(session: Session, scope: Scope, public_id: uuid.UUID) -> str:
    """Return the name of an employer that workplaces may be added to. NotFound if not yours."""
    row = get_place(session, scope, Employer, public_id, permission=Permission.PLACE_WRITE)
    return row.name


# Workplaces ---------------------------------------------------------------------------------


def workplace_now(
    session: Session, scope: Scope, public_id: uuid.UUID
) -> tuple[str, dict[str, Any]]:
    """Return a workplace's name and the values its form starts with. NotFound if not yours."""
    row = get_place(session, scope, Workplace, public_id, permission=Permission.PLACE_WRITE)
    return row.name, {**_workplace_fields(session, scope, row), "version": str(row.version)}


def _workplace_fields(session: Session, scope: Scope, row: Workplace) -> dict[str, Any]:
    region = None
    if row.region_id is not None:
        region = session.scalars(
            scope.select(Region.public_id).where(Region.id == row.region_id)
        ).one_or_none()
    return {
        "name": row.name,
        "address": row.address,
        "postcode": row.postcode,
        "region": str(region) if region else None,
        "country": row.country,
        "time_zone": row.time_zone,
        "latitude": row.latitude,
        "longitude": row.longitude,
    }


def add_workplace(
    session: Session,
    scope: Scope,
    employer_id: uuid.UUID,
    values: WorkplaceValues,
    *,
    branch_id: uuid.UUID | None,
    branch_since: date | None,
    now: datetime,
    today: date,
) -> uuid.UUID:
    """Store a new workplace under its employer, region and branch; return its public id.

    branch_since: None means from today. Raises NotFound where PLACE_WRITE does not hold.
    """
    owner = get_place(session, scope, Employer, employer_id, permission=Permission.PLACE_WRITE)
    region = _region(session, scope, values.region)
    branch = get_place(session, scope, Branch, branch_id) if branch_id else None
    _check_past(branch_since or today, today)
    row = Workplace(
        created_at=now,
        employer_id=owner.id,
        region_id=region.id if region else None,
        **_workplace_columns(values),
    )
    session.add(row)
    session.flush()
    _link(session, scope, row, owner.id, since=today, now=now)
    if region is not None:
        _link(session, scope, row, region.id, since=today, now=now)
    if branch is not None:
        _link(session, scope, row, branch.id, since=branch_since or today, now=now)
    return row.public_id


def edit_workplace(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    values: WorkplaceValues,
    *,
    seen: str,
    now: datetime,
    today: date,
) -> None:
    """Change a workplace. seen: the version the form was made from. Raises EditConflict."""
    row = _locked(session, scope, Workplace, public_id, Permission.PLACE_WRITE)
    _check_version(row, seen, current=_workplace_fields(session, scope, row), yours=asdict(values))
    region = _region(session, scope, values.region)
    new = region.id if region else None
    if new != row.region_id:
        if new is not None:
            _link(session, scope, row, new, since=today, now=now)
        if row.region_id is not None:
            tree.end_links(
                session,
                child_id=row.id,
                parent_ids=[row.region_id],
                until=today,
                now=now,
                actor_id=scope.actor_id,
            )
        row.region_id = new
    for key, value in _workplace_columns(values).items():
        setattr(row, key, value)
    row.version += 1


def _workplace_columns(values: WorkplaceValues) -> dict[str, Any]:
    return {
        "name": values.name,
        "address": values.address,
        "postcode": normal_postcode(values.postcode, values.country),
        "country": values.country,
        "time_zone": values.time_zone,
        "latitude": values.latitude,
        "longitude": values.longitude,
    }


def _region(session: Session, scope: Scope, public_id: uuid.UUID | None) -> Region | None:
    return None if public_id is None else get_place(session, scope, Region, public_id)


def add_branch_link(
    session: Session,
    scope: Scope,
    workplace_id: uuid.UUID,
    branch_id: uuid.UUID,
    *,
    since: date,
    now: datetime,
    today: date,
) -> None:
    """Say that a branch organises at a workplace from a day. Refused if it already does.

    The tree that scopes look at holds what is so today: raises FutureDay for a day to come.
    """
    _check_past(since, today)
    row = _locked(session, scope, Workplace, workplace_id, Permission.PLACE_WRITE)
    branch = get_place(session, scope, Branch, branch_id)
    if _open_links(session, row.id, branch.id):
        raise Refusal("That branch organises here already.")
    _link(session, scope, row, branch.id, since=since, now=now)


def end_branch_link(
    session: Session,
    scope: Scope,
    workplace_id: uuid.UUID,
    branch_id: uuid.UUID,
    *,
    until: date,
    now: datetime,
    today: date,
) -> None:
    """Say that a branch stopped organising at a workplace on a day. Raises DatesOutOfOrder."""
    _check_past(until, today)
    row = _locked(session, scope, Workplace, workplace_id, Permission.PLACE_WRITE)
    branch = get_place(session, scope, Branch, branch_id)
    edges = _open_links(session, row.id, branch.id)
    if not edges:
        raise Refusal("That branch has stopped already, or never organised here.")
    if any(until < edge.valid_from for edge in edges):
        raise DatesOutOfOrder()
    tree.end_links(
        session,
        child_id=row.id,
        parent_ids=[branch.id],
        until=until,
        now=now,
        actor_id=scope.actor_id,
    )


def _open_links(session: Session, child_id: int, parent_id: int) -> list[PlaceEdge]:
    return list(
        session.scalars(
            sa.select(PlaceEdge).where(
                PlaceEdge.child_id == child_id,
                PlaceEdge.parent_id == parent_id,
                known(PlaceEdge),
                PlaceEdge.valid_to.is_(None),
            )
        )
    )


def close_place(
    session: Session,
    scope: Scope,
    kind: type[Workplace] | type[Area],
    public_id: uuid.UUID,
    *,
    on_day: date | None,
    seen: str,
) -> None:
    """Write down the day a workplace or area closed; None opens it again. Raises EditConflict."""
    row = _locked(session, scope, kind, public_id, Permission.PLACE_WRITE)
    _check_version(row, seen, current={"closed_on": row.closed_on}, yours={"closed_on": on_day})
    row.closed_on = on_day
    row.version += 1


def close_workplace(
    session: Session, scope: Scope, public_id: uuid.UUID, *, on_day: date | None, seen: str
) -> None:
    """Write down the day a workplace closed; None opens it again. Raises EditConflict."""
    close_place(session, scope, Workplace, public_id, on_day=on_day, seen=seen)


def close_area(
    session: Session, scope: Scope, public_id: uuid.UUID, *, on_day: date | None, seen: str
) -> None:
    """Write down the day an area closed; None opens it again. Raises EditConflict."""
    close_place(session, scope, Area, public_id, on_day=on_day, seen=seen)


def closing_now(
    session: Session, scope: Scope, public_id: uuid.UUID, kind: str
) -> tuple[str, dict[str, Any]]:
    """Return the name of a place of that kind to close, and the values its form starts with."""
    row = get_place(session, scope, Place, public_id, permission=Permission.PLACE_WRITE)
    if row.kind != kind:
        raise NotFound(f"{kind} {public_id}")
    return row.name, {"closed_on": row.closed_on, "version": str(row.version)}


# Areas and shifts ---------------------------------------------------------------------------


def area_parents(
    session: Session, scope: Scope, workplace_id: uuid.UUID
) -> tuple[str, list[tuple[str, str]]]:
    """Return a workplace's name and the areas a new area may lie in. NotFound if not yours."""
    home = get_place(session, scope, Workplace, workplace_id, permission=Permission.PLACE_WRITE)
    choices = queries.list_area_parents(session, scope, home.id)
    return home.name, [(choice.value, choice.label) for choice in choices]


def area_now(session: Session, scope: Scope, public_id: uuid.UUID) -> tuple[str, dict[str, Any]]:
    """Return an area's name and the values its form starts with. NotFound if not yours."""
    row = get_place(session, scope, Area, public_id, permission=Permission.PLACE_WRITE)
    return row.name, {**_area_fields(row), "version": str(row.version)}


def _area_fields(row: Area) -> dict[str, Any]:
    return {"name": row.name, "area_kind": row.area_kind.value}


def add_area(
    session: Session,
    scope: Scope,
    workplace_id: uuid.UUID,
    values: AreaValues,
    *,
    parent_id: uuid.UUID | None,
    now: datetime,
    today: date,
) -> uuid.UUID:
    """Store a new area of a workplace, inside another area when one is given."""
    home = get_place(session, scope, Workplace, workplace_id, permission=Permission.PLACE_WRITE)
    parent = _parent_area(session, scope, home.id, parent_id)
    _check_area_name(session, scope, home.id, values.name)
    row = Area(
        created_at=now,
        workplace_id=home.id,
        parent_area_id=parent.id if parent else None,
        **asdict(values),
    )
    session.add(row)
    session.flush()
    _link(session, scope, row, parent.id if parent else home.id, since=today, now=now)
    return row.public_id


def edit_area(
    session: Session, scope: Scope, public_id: uuid.UUID, values: AreaValues, *, seen: str
) -> None:
    """Change an area's name and kind. Raises EditConflict."""
    row = _locked(session, scope, Area, public_id, Permission.PLACE_WRITE)
    _check_version(row, seen, current=_area_fields(row), yours=asdict(values))
    if fold(values.name) != fold(row.name):
        _check_area_name(session, scope, row.workplace_id, values.name)
    row.name = values.name
    row.area_kind = values.area_kind
    row.version += 1


def _check_area_name(session: Session, scope: Scope, workplace_id: int, name: str) -> None:
    same = session.scalars(
        scope.select(Area.id).where(
            Area.workplace_id == workplace_id,
            Area.name_key == fold(name)[:400],
            Area.closed_on.is_(None),
        )
    ).first()
    if same is not None:
        raise Refusal("There is an area with that name here. Choose another name.")


def move_area(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    parent_id: uuid.UUID | None,
    *,
    seen: str,
    now: datetime,
    today: date,
) -> None:
    """Put an area inside another of the same workplace; None puts it directly in the workplace.

    Raises LoopInTree if it would lie inside itself, and EditConflict.
    """
    row = _locked(session, scope, Area, public_id, Permission.PLACE_WRITE)
    _check_version(
        row,
        seen,
        current={"parent": _public_id_of(session, scope, row.parent_area_id)},
        yours={"parent": parent_id},
    )
    parent = _parent_area(session, scope, row.workplace_id, parent_id)
    _move(
        session,
        scope,
        row,
        old=row.parent_area_id or row.workplace_id,
        new=parent.id if parent else row.workplace_id,
        today=today,
        now=now,
    )
    row.parent_area_id = parent.id if parent else None
    row.version += 1


def moving_now(
    session: Session, scope: Scope, public_id: uuid.UUID
) -> tuple[str, dict[str, Any], list[tuple[str, str]]]:
    """Return an area's name, its form's first values, and the areas it may go into."""
    row = get_place(session, scope, Area, public_id, permission=Permission.PLACE_WRITE)
    start = {
        "parent": _public_id_of(session, scope, row.parent_area_id),
        "version": str(row.version),
    }
    choices = queries.list_area_parents(session, scope, row.workplace_id, without=row.id)
    return row.name, start, [(choice.value, choice.label) for choice in choices]


def _public_id_of(session: Session, scope: Scope, place_id: int | None) -> str | None:
    if place_id is None:
        return None
    found = session.scalars(scope.select(Place.public_id).where(Place.id == place_id)).one_or_none()
    return str(found) if found else None


def _parent_area(
    session: Session, scope: Scope, workplace_id: int, public_id: uuid.UUID | None
) -> Area | None:
    if public_id is None:
        return None
    parent = get_place(session, scope, Area, public_id, permission=Permission.PLACE_WRITE)
    if parent.workplace_id != workplace_id:
        raise Refusal("Choose an area of the same workplace.")
    return parent


def shift_now(
    session: Session, scope: Scope, public_id: uuid.UUID
) -> tuple[str, dict[str, Any], uuid.UUID]:
    """Return a shift's name, its form's first values, and its workplace's public id."""
    row = _part(session, scope, Shift, public_id)
    return row.name, {**_shift_fields(row), "version": str(row.version)}, _home(session, scope, row)


def _shift_fields(row: Shift) -> dict[str, Any]:
    return {
        "name": row.name,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "closed_on": row.closed_on,
    }


def add_shift(session: Session, scope: Scope, workplace_id: uuid.UUID, values: ShiftValues) -> None:
    """Store a new shift of a workplace."""
    home = get_place(session, scope, Workplace, workplace_id, permission=Permission.PLACE_WRITE)
    session.add(Shift(place_id=home.id, **asdict(values)))


def edit_shift(
    session: Session, scope: Scope, public_id: uuid.UUID, values: ShiftValues, *, seen: str
) -> None:
    """Change a shift, or write down the day it ended. Raises EditConflict."""
    row = _locked_part(session, scope, Shift, public_id)
    _check_version(row, seen, current=_shift_fields(row), yours=asdict(values))
    for key, value in asdict(values).items():
        setattr(row, key, value)
    row.version += 1


def _part(session: Session, scope: Scope, kind: Any, public_id: uuid.UUID) -> Any:
    found = session.scalars(
        scope.select(kind, permission=Permission.PLACE_WRITE).where(kind.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotFound(f"{kind.__name__} {public_id}")
    return found


def _home(session: Session, scope: Scope, row: Any) -> uuid.UUID:
    """Return the public id of the place a row belongs to."""
    found: uuid.UUID = session.scalars(
        scope.select(Place.public_id).where(Place.id == row.place_id)
    ).one()
    return found


# Counts -------------------------------------------------------------------------------------


def place_named(session: Session, scope: Scope, public_id: uuid.UUID) -> tuple[str, str]:
    """Return the name and kind of an employer, workplace or area that counts may be added to."""
    row = _countable(session, scope, public_id)
    return row.name, row.kind.value


def _countable(session: Session, scope: Scope, public_id: uuid.UUID) -> Place:
    row = get_place(session, scope, Place, public_id, permission=Permission.PLACE_WRITE)
    if not isinstance(row, Employer | Workplace | Area):
        raise NotFound(f"{row.kind} {public_id}")
    return row


def add_headcount(
    session: Session,
    scope: Scope,
    place_id: uuid.UUID,
    values: HeadcountValues,
    *,
    now: datetime,
    today: date,
) -> None:
    """Record how many people work at a place on a day. Raises InvalidHeadcount, Refusal."""
    _check_headcount(values, today)
    home = _countable(session, scope, place_id)
    session.add(
        Headcount(
            place_id=home.id,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
            **asdict(values),
        )
    )


def _check_headcount(values: HeadcountValues, today: date) -> None:
    check_headcount(low=values.low, best=values.best, high=values.high)
    _check_past(values.on_day, today)
    _check_step(values.rounded_to)


def _check_past(day: date, today: date) -> None:
    if day > today:
        raise FutureDay()


class FutureDay(Refusal):
    """A day that has not come yet is given for something that has happened."""

    default_message = "This day has not come yet. Enter today or an earlier day."


def _check_step(step: float | None) -> None:
    if step is not None and not 0 < step < MOST_PEOPLE:
        raise InvalidStep()


class InvalidStep(Refusal):
    """The step a source rounded to is not above 0."""

    default_message = "Enter a step above 0, such as 100. Leave it empty if it was not rounded."


def correct_headcount(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    values: HeadcountValues,
    *,
    seen: str,
    now: datetime,
    today: date,
) -> None:
    """Put a corrected row in a headcount's place; the old one stays readable.

    seen: the public id of the row the form was made from. Raises EditConflict when that one was
    corrected meanwhile, and Refusal when it was taken back.
    """
    _check_headcount(values, today)
    row = _believed(session, scope, Headcount, public_id)
    if str(row.public_id) != seen:
        raise EditConflict(
            current={**_headcount_fields(row), "version": str(row.public_id)}, yours=asdict(values)
        )
    revise(session, row, now=now, actor_id=scope.actor_id, **asdict(values))


def withdraw_headcount(
    session: Session, scope: Scope, public_id: uuid.UUID, *, now: datetime
) -> uuid.UUID:
    """Take a headcount back: no figure uses it from now on. Returns its place's public id."""
    row = _believed(session, scope, Headcount, public_id)
    withdraw(row, now=now)
    return _home(session, scope, row)


def headcount_now(
    session: Session, scope: Scope, public_id: uuid.UUID
) -> tuple[str, str, uuid.UUID, dict[str, Any]]:
    """Return a headcount's place (name, kind, public id) and the values its form starts with."""
    row = _believed(session, scope, Headcount, public_id, lock=False)
    home = session.scalars(scope.select(Place).where(Place.id == row.place_id)).one()
    start = {**_headcount_fields(row), "version": str(row.public_id)}
    return home.name, home.kind.value, home.public_id, start


def _headcount_fields(row: Headcount) -> dict[str, Any]:
    return {
        "on_day": row.on_day,
        "counts": row.counts.value,
        "low": row.low,
        "best": row.best,
        "high": row.high,
        "rounded_to": row.rounded_to,
        "source_kind": row.source_kind.value,
        "source_note": row.source_note,
    }


def _believed(
    session: Session,
    scope: Scope,
    kind: type[Count],
    public_id: uuid.UUID,
    *,
    lock: bool = True,
) -> Count:
    """Return the row that is believed now in place of the one named, following corrections."""
    row: Count = (_locked_part if lock else _part)(session, scope, kind, public_id)
    while row.superseded_at is not None:
        successor = session.scalars(
            scope.select(kind, permission=Permission.PLACE_WRITE)
            .where(
                kind.place_id == row.place_id,
                kind.recorded_at == row.superseded_at,
                # A correction is always the later row: so the walk ends, whatever the clock says.
                kind.id > row.id,
            )
            .order_by(kind.id)
        ).first()
        if successor is None:
            raise Refusal(
                "This count was taken back. If it is right after all, add it to the place again."
            )
        row = successor
    return row


def add_member_count(
    session: Session,
    scope: Scope,
    place_id: uuid.UUID,
    values: MemberCountValues,
    *,
    now: datetime,
    today: date,
) -> None:
    """Record a number of members stated without names. Raises Refusal, InvalidStep, FutureDay."""
    home = _countable(session, scope, place_id)
    session.add(
        MemberCount(
            place_id=home.id,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
            **_member_columns(session, scope, values, today),
        )
    )


def _member_columns(
    session: Session, scope: Scope, values: MemberCountValues, today: date
) -> dict[str, Any]:
    check_headcount(low=values.members, best=None, high=None)
    if values.covered is not None:
        check_headcount(low=values.covered, best=None, high=None)
    _check_past(values.on_day, today)
    _check_step(values.rounded_to)
    columns = asdict(values)
    named = columns.pop("union")
    columns["union_id"] = get_place(session, scope, Union, named).id if named else None
    return columns


def correct_member_count(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    values: MemberCountValues,
    *,
    seen: str,
    now: datetime,
    today: date,
) -> None:
    """Put a corrected row in a stated count's place. As correct_headcount."""
    columns = _member_columns(session, scope, values, today)
    row = _believed(session, scope, MemberCount, public_id)
    if str(row.public_id) != seen:
        current = {**_member_fields(session, scope, row), "version": str(row.public_id)}
        raise EditConflict(current=current, yours=asdict(values))
    revise(session, row, now=now, actor_id=scope.actor_id, **columns)


def withdraw_member_count(
    session: Session, scope: Scope, public_id: uuid.UUID, *, now: datetime
) -> uuid.UUID:
    """Take a stated count back. Returns its place's public id."""
    row = _believed(session, scope, MemberCount, public_id)
    withdraw(row, now=now)
    return _home(session, scope, row)


def member_count_now(
    session: Session, scope: Scope, public_id: uuid.UUID
) -> tuple[str, str, uuid.UUID, dict[str, Any]]:
    """Return a stated count's place (name, kind, public id) and its form's first values."""
    row = _believed(session, scope, MemberCount, public_id, lock=False)
    home = session.scalars(scope.select(Place).where(Place.id == row.place_id)).one()
    start = {**_member_fields(session, scope, row), "version": str(row.public_id)}
    return home.name, home.kind.value, home.public_id, start


def _member_fields(session: Session, scope: Scope, row: MemberCount) -> dict[str, Any]:
    return {
        "union": _public_id_of(session, scope, row.union_id),
        "on_day": row.on_day,
        "members": row.members,
        "covered": row.covered,
        "rounded_to": row.rounded_to,
        "source_kind": row.source_kind.value,
        "source_note": row.source_note,
    }


# Bargaining units ---------------------------------------------------------------------------


def unit_now(
    session: Session, scope: Scope, public_id: uuid.UUID
) -> tuple[str, dict[str, Any], uuid.UUID, str]:
    """Return a unit's name, its form's first values, and its place's public id and kind."""
    row = _part(session, scope, BargainingUnit, public_id)
    start = {"name": row.name, "covers": row.covers, "version": str(row.version)}
    home = session.scalars(scope.select(Place).where(Place.id == row.place_id)).one()
    return row.name, start, home.public_id, home.kind.value


def add_unit(
    session: Session,
    scope: Scope,
    place_id: uuid.UUID,
    values: UnitValues,
    *,
    union_id: uuid.UUID | None,
    since: date | None,
    now: datetime,
    today: date,
) -> uuid.UUID:
    """Store a bargaining unit, with the union recognised for it when one is given."""
    home = _countable(session, scope, place_id)
    if isinstance(home, Area):
        raise NotFound(f"no bargaining unit at an area: {place_id}")
    row = BargainingUnit(place_id=home.id, **asdict(values))
    session.add(row)
    session.flush()
    if union_id is not None:
        _recognise(session, scope, row, union_id, since=since or today, until=None, now=now)
    return row.public_id


def edit_unit(
    session: Session, scope: Scope, public_id: uuid.UUID, values: UnitValues, *, seen: str
) -> None:
    """Change a bargaining unit's words. Raises EditConflict."""
    row = _locked_part(session, scope, BargainingUnit, public_id)
    _check_version(
        row, seen, current={"name": row.name, "covers": row.covers}, yours=asdict(values)
    )
    row.name = values.name
    row.covers = values.covers
    row.version += 1


def add_recognition(
    session: Session,
    scope: Scope,
    unit_id: uuid.UUID,
    union_id: uuid.UUID,
    *,
    since: date,
    until: date | None,
    now: datetime,
) -> None:
    """Record that a union is recognised for a unit. Raises DatesOutOfOrder, or Refusal."""
    row = _locked_part(session, scope, BargainingUnit, unit_id)
    _recognise(session, scope, row, union_id, since=since, until=until, now=now)


def _recognise(
    session: Session,
    scope: Scope,
    unit: BargainingUnit,
    union_id: uuid.UUID,
    *,
    since: date,
    until: date | None,
    now: datetime,
) -> None:
    if until is not None and until < since:
        raise DatesOutOfOrder()
    union = get_place(session, scope, Union, union_id)
    others = _recognitions(session, scope, unit.id, union.id)
    if any(overlaps(one.valid_from, one.valid_to, since, until) for one in others):
        raise Refusal("This union is recognised here on some of those days already.")
    session.add(
        Recognition(
            place_id=unit.place_id,
            unit_id=unit.id,
            union_id=union.id,
            valid_from=since,
            valid_to=until,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
        )
    )


def end_recognition(
    session: Session,
    scope: Scope,
    unit_id: uuid.UUID,
    union_id: uuid.UUID,
    *,
    until: date,
    now: datetime,
) -> None:
    """Record the day a union's recognition ended. Raises DatesOutOfOrder, or Refusal."""
    row = _locked_part(session, scope, BargainingUnit, unit_id)
    union = get_place(session, scope, Union, union_id)
    going_on = [
        one for one in _recognitions(session, scope, row.id, union.id) if one.valid_to is None
    ]
    if not going_on:
        raise Refusal("That recognition has ended already. Load the page again to see it.")
    for one in going_on:
        if until < one.valid_from:
            raise DatesOutOfOrder()
        revise(session, one, now=now, actor_id=scope.actor_id, valid_to=until)


def _recognitions(session: Session, scope: Scope, unit_id: int, union_id: int) -> list[Recognition]:
    return list(
        session.scalars(
            scope.select(Recognition).where(
                Recognition.unit_id == unit_id,
                Recognition.union_id == union_id,
                known(Recognition),
            )
        )
    )


# Unions, branches and regions -----------------------------------------------------------------


def union_now(session: Session, scope: Scope, public_id: uuid.UUID) -> tuple[str, dict[str, Any]]:
    """Return a union's name and the values its form starts with. NotFound if not yours."""
    row = get_place(session, scope, Union, public_id, permission=Permission.UNION_WRITE)
    return row.name, {**_union_fields(row), "version": str(row.version)}


def _union_fields(row: Union) -> dict[str, Any]:
    return {"name": row.name, "abbreviation": row.abbreviation, "country": row.country}


def add_union(
    session: Session, scope: Scope, values: UnionValues, *, now: datetime, today: date
) -> uuid.UUID:
    """Store a new union; return its public id. Refused when one has that name already."""
    scope.require_everywhere(Permission.UNION_WRITE)
    _check_union_name(session, scope, values.name)
    row = Union(created_at=now, **asdict(values))
    session.add(row)
    session.flush()
    _link(session, scope, row, tree.everything_id(session), since=today, now=now)
    return row.public_id


def edit_union(
    session: Session, scope: Scope, public_id: uuid.UUID, values: UnionValues, *, seen: str
) -> None:
    """Change a union. Raises EditConflict."""
    row = _locked(session, scope, Union, public_id, Permission.UNION_WRITE)
    _check_version(row, seen, current=_union_fields(row), yours=asdict(values))
    if fold(values.name) != fold(row.name):
        _check_union_name(session, scope, values.name)
    for key, value in asdict(values).items():
        setattr(row, key, value)
    row.version += 1


def _check_union_name(session: Session, scope: Scope, name: str) -> None:
    same = session.scalars(scope.select(Union.id).where(Union.name_key == fold(name)[:400])).first()
    if same is not None:
        raise Refusal("There is a union with that name already. Use that one.")


def add_region(
    session: Session, scope: Scope, values: RegionValues, *, now: datetime, today: date
) -> uuid.UUID:
    """Store a new region; return its public id. Refused when one has that name already."""
    scope.require_everywhere(Permission.UNION_WRITE)
    same = scope.select(Region.id).where(Region.name_key == fold(values.name)[:400])
    if session.scalars(same).first() is not None:
        raise Refusal("There is a region with that name already. Use that one.")
    row = Region(created_at=now, **asdict(values))
    session.add(row)
    session.flush()
    _link(session, scope, row, tree.everything_id(session), since=today, now=now)
    return row.public_id


def add_affiliation(
    session: Session,
    scope: Scope,
    union_id: uuid.UUID,
    *,
    body_name: str,
    since: date,
    until: date | None,
    now: datetime,
) -> None:
    """Record that a union belongs to a wider body. Raises DatesOutOfOrder, or Refusal."""
    row = _locked(session, scope, Union, union_id, Permission.UNION_WRITE)
    if until is not None and until < since:
        raise DatesOutOfOrder()
    same = [one for one in _affiliations(session, row.id) if fold(one.body_name) == fold(body_name)]
    if any(overlaps(one.valid_from, one.valid_to, since, until) for one in same):
        raise Refusal("The union belongs to that body on some of those days already.")
    session.add(
        UnionAffiliation(
            union_id=row.id,
            body_name=body_name,
            valid_from=since,
            valid_to=until,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
        )
    )


def end_affiliation(
    session: Session,
    scope: Scope,
    union_id: uuid.UUID,
    *,
    body_name: str,
    until: date,
    now: datetime,
) -> None:
    """Record the day a union left a wider body. Raises DatesOutOfOrder, or Refusal."""
    row = _locked(session, scope, Union, union_id, Permission.UNION_WRITE)
    going_on = [
        one
        for one in _affiliations(session, row.id)
        if one.valid_to is None and one.body_name == body_name
    ]
    if not going_on:
        raise Refusal("The union has left that body already. Load the page again to see it.")
    for one in going_on:
        if until < one.valid_from:
            raise DatesOutOfOrder()
        revise(session, one, now=now, actor_id=scope.actor_id, valid_to=until)


def _affiliations(session: Session, union_id: int) -> list[UnionAffiliation]:
    return list(
        session.scalars(
            sa.select(UnionAffiliation).where(
                UnionAffiliation.union_id == union_id, known(UnionAffiliation)
            )
        )
    )


def branch_now(
    session: Session, scope: Scope, public_id: uuid.UUID
) -> tuple[str, dict[str, Any], list[tuple[str, str]]]:
    """Return a branch's name, its form's first values, and the branches it may lie in."""
    row = get_place(session, scope, Branch, public_id, permission=Permission.UNION_WRITE)
    start = {**_branch_fields(session, scope, row), "version": str(row.version)}
    choices = queries.list_branch_choices(session, scope, union_id=row.union_id)
    return (
        row.name,
        start,
        [(one.value, one.label) for one in choices if one.value != str(public_id)],
    )


def branches_in_union(
    session: Session, scope: Scope, union_id: uuid.UUID
) -> tuple[str, list[tuple[str, str]]]:
    """Return a union's name and its branches, for the form of a new branch."""
    union = get_place(session, scope, Union, union_id, permission=Permission.UNION_WRITE)
    choices = queries.list_branch_choices(session, scope, union_id=union.id)
    return union.name, [(one.value, one.label) for one in choices]


def _branch_fields(session: Session, scope: Scope, row: Branch) -> dict[str, Any]:
    parent = queries.parent_branch(session, scope, row.id)
    return {
        "name": row.name,
        "abbreviation": row.abbreviation,
        "parent": str(parent.public_id) if parent else None,
    }


def add_branch(
    session: Session,
    scope: Scope,
    union_id: uuid.UUID,
    values: BranchValues,
    *,
    now: datetime,
    today: date,
) -> uuid.UUID:
    """Store a new branch of a union, inside another branch when one is given."""
    scope.require_everywhere(Permission.UNION_WRITE)
    union = get_place(session, scope, Union, union_id, permission=Permission.UNION_WRITE)
    parent = _parent_branch(session, scope, union.id, values.parent)
    row = Branch(
        created_at=now,
        union_id=union.id,
        name=values.name,
        abbreviation=values.abbreviation,
        country=union.country,
    )
    session.add(row)
    session.flush()
    _link(session, scope, row, parent.id if parent else union.id, since=today, now=now)
    return row.public_id


def edit_branch(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    values: BranchValues,
    *,
    seen: str,
    now: datetime,
    today: date,
) -> None:
    """Change a branch's names, or the branch it lies in. Raises EditConflict, LoopInTree."""
    row = _locked(session, scope, Branch, public_id, Permission.UNION_WRITE)
    _check_version(row, seen, current=_branch_fields(session, scope, row), yours=asdict(values))
    old = _parent_branch_row(session, scope, row)
    new = _parent_branch(session, scope, row.union_id, values.parent)
    _move(
        session,
        scope,
        row,
        old=old.id if old else row.union_id,
        new=new.id if new else row.union_id,
        today=today,
        now=now,
    )
    row.name = values.name
    row.abbreviation = values.abbreviation
    row.version += 1


def _parent_branch_row(session: Session, scope: Scope, row: Branch) -> Branch | None:
    found = queries.parent_branch(session, scope, row.id)
    return get_place(session, scope, Branch, found.public_id) if found else None


def _parent_branch(
    session: Session, scope: Scope, union_id: int, public_id: uuid.UUID | None
) -> Branch | None:
    if public_id is None:
        return None
    parent = get_place(session, scope, Branch, public_id)
    if parent.union_id != union_id:
        raise Refusal("Choose a branch of the same union.")
    return parent
