"""What a density is asked for, and what the answer is made of: values only."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from crm.access.permissions import Permission
from crm.domain.bases import (
    Basis,
)
from crm.domain.density import Density, Known, TotalDensity
from crm.domain.headcount import (
    Counts,
)
from crm.domain.headcount import Headcount as Estimate


class GroupBy(enum.StrEnum):
    """What a table of densities has a row for."""

    WORKPLACE = "workplace"
    AREA = "area"
    EMPLOYER = "employer"
    UNION = "union"
    BRANCH = "branch"
    REGION = "region"
    SECTOR = "sector"
    # The section of SIC 2007 of the employer's first code.
    INDUSTRY = "industry"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: on which day, of whom, ÷ whom, and how the answer is cut up.

    known_at: None = as we know now; a moment = as we knew then. union_id: None = members of any
    union. within: only places that lie inside every one of these, as places lie now. counts: what
    the headcount counts. industry: a letter of SIC 2007. permission: the right that must hold at
    each place measured. people: the inner ids of those on a saved list, when `counts` is a list:
    they alone are counted, and the share is out of them.
    """

    as_at: date
    group_by: GroupBy = GroupBy.WORKPLACE
    counts: Basis = Counts.SITE_ALL
    known_at: datetime | None = None
    union_id: int | None = None
    within: tuple[int, ...] = ()
    sector: str | None = None
    industry: str | None = None
    permission: Permission = Permission.DENSITY_READ
    people: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class HeadcountUsed(Estimate):
    """The headcount row a figure was made with."""

    rounded_to: float | None
    note: str | None


@dataclass(frozen=True, slots=True)
class StatedUsed:
    """The stated member count a figure was made with."""

    on_day: date
    recorded_at: datetime
    members: float
    rounded_to: float | None
    source: str
    note: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """One measured place: a workplace, or an area when areas are asked for."""

    place_id: int
    public_id: uuid.UUID
    name: str
    workplace_name: str
    employer_id: int
    region_id: int | None
    sector: str | None
    industry: str | None
    density: Density
    headcount: HeadcountUsed | None
    stated: StatedUsed | None


@dataclass(frozen=True, slots=True)
class NamedPeople:
    """People on the list at some places, each counted once, with or without a headcount there.

    Of a part of those who work there: those who surely belong. perhaps: those of whom that is not
    known; None when everybody counts.
    """

    members: int
    not_members: int
    not_known: int
    perhaps: Known | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: its place (None for "no branch" and the like) and its figure.

    named: everybody on the list at the row's places, also where the workforce is not known.
    """

    key: str
    label: str
    detail: str
    public_id: uuid.UUID | None
    figure: TotalDensity
    parts: tuple[Part, ...]
    named: NamedPeople


@dataclass(frozen=True, slots=True)
class Table:
    """The rows, largest confirmed share first, unknown last; and the total over all parts."""

    question: Question
    rows: tuple[Row, ...]
    total: TotalDensity
    parts: tuple[Part, ...]
    named: NamedPeople
    other_bases: dict[Counts, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Survey:
    """The table of a day, the same table on another day, and the total over a run of days.

    trend_places: of each day of the trend, the number of the set of places that its total is the
    sum of. Days with the same number have the very same places, and members stated at the same of
    them; the numbers mean nothing else.
    """

    table: Table
    compared: Table | None
    trend: tuple[tuple[date, TotalDensity], ...]
    trend_places: tuple[int, ...] = ()


def places_counted(parts: Iterable[Part]) -> frozenset[int]:
    """Return the inner ids of the places with a headcount, which a total is the sum of."""
    return frozenset(part.place_id for part in parts if part.density.workforce_used is not None)


def stated_places(parts: Iterable[Part]) -> frozenset[int]:
    """Return the inner ids of the places where a union stated how many members it has."""
    return frozenset(part.place_id for part in parts if part.stated is not None)


def places_told_of(parts: Sequence[Part]) -> frozenset[int]:
    """Return the inner ids of the places that the members of a row are of: those with a headcount,
    and where there are none, all of them. As density_row in crm/domain/density_row.py."""
    return places_counted(parts) or frozenset(part.place_id for part in parts)
