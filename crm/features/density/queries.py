"""What the density page, its explanations and its files are made from."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.assessment import DEFAULT_EXPIRY, ExpiryRule
from crm.domain.bases import Basis, total_density
from crm.domain.density import Density, Known, TotalDensity
from crm.domain.density_row import DensityRow, HeadcountFact, Heading, compared, density_row
from crm.domain.errors import NotFound
from crm.domain.headcount import Counts
from crm.domain.movement import YearOfChange
from crm.domain.vocabulary import PlaceKind
from crm.models.places import Employer, Place
from crm.reads.figures import (
    GroupBy,
    NamedPeople,
    Part,
    Question,
    Row,
    Survey,
    Table,
    places_told_of,
    stated_places,
    survey,
)
from crm.reads.measures import Measures, measures
from crm.reads.movement import Movement, movement, year_of_change
from crm.reads.people import ids_of
from crm.reads.saved_lists import get_saved, list_saved

ANY_UNION = "any"
MONTHS = 12
MOST_EMPLOYERS_OFFERED = 200
_FILTERED = {
    "union": PlaceKind.UNION,
    "branch": PlaceKind.BRANCH,
    "region": PlaceKind.REGION,
    "employer": PlaceKind.EMPLOYER,
    "workplace": PlaceKind.WORKPLACE,
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What somebody asked for, by public ids: see Question. None is no filter.

    known_at: the moment whose knowledge counts; None is now. compare: a second day. saved: a saved
    list, whose people alone are counted; counts is then Roster.LIST. expiry: how long where
    somebody stands counts, which a list can ask for.
    """

    as_at: date
    by: GroupBy = GroupBy.WORKPLACE
    counts: Basis = Counts.SITE_ALL
    union: uuid.UUID | None = None
    branch: uuid.UUID | None = None
    region: uuid.UUID | None = None
    employer: uuid.UUID | None = None
    workplace: uuid.UUID | None = None
    sector: str | None = None
    industry: str | None = None
    known_at: datetime | None = None
    compare: date | None = None
    saved: uuid.UUID | None = None
    expiry: ExpiryRule = DEFAULT_EXPIRY


@dataclass(frozen=True, slots=True)
class Asked:
    """The question, and the names of the places it is limited to, by the name of the filter."""

    question: Question
    names: dict[str, str]

    @property
    def union(self) -> str:
        """The union asked for, or `any`."""
        return self.names.get("union", ANY_UNION)


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The total on one day: the fewest members, the workers, the fractions. None is not known.

    members, workers_low, workers_high: of the places counted, which may be others on another day:
    they are the very same on days whose same_places are equal.
    """

    day: date
    places_counted: int
    same_places: int
    members: float | None
    workers_low: float | None
    workers_high: float | None
    low_fraction: float | None
    high_fraction: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything a page, a file or a print of densities shows.

    rows: in the order of the screen. earlier, earlier_total: the same places as at the second
    day; None when none was asked for. other_bases: how many places have a headcount that counts
    something else. covered_fraction: the share of our members who are at places with a headcount.
    """

    names: dict[str, str]
    rows: tuple[DensityRow, ...]
    total: DensityRow
    stale_places: int
    covered_fraction: float | None
    earlier: tuple[DensityRow, ...] | None
    earlier_total: DensityRow | None
    trend: tuple[TrendPoint, ...]
    other_bases: dict[Counts, int]

    @property
    def everything(self) -> list[DensityRow]:
        """The rows of a file: the places and their total, then the same on the second day."""
        found = [*self.rows, self.total]
        if self.earlier is not None and self.earlier_total is not None:
            found += [*self.earlier, self.earlier_total]
        return found


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer, as (public id, name). None of employers: too many to list.

    lists: the saved lists of the reader and those shared with them.
    """

    unions: tuple[tuple[str, str], ...]
    branches: tuple[tuple[str, str], ...]
    regions: tuple[tuple[str, str], ...]
    employers: tuple[tuple[str, str], ...] | None
    lists: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One figure taken apart. parts: a row for each workplace (or area) it is the sum of.

    density: the single place's figure; None for a sum. headcount_note, headcount_rounded_to and
    stated_...: of the single place, where there are any.
    """

    names: dict[str, str]
    row: DensityRow
    kind: GroupBy | None
    parts: tuple[DensityRow, ...]
    density: Density | None
    headcount_low: float | None
    headcount_high: float | None
    headcount_note: str | None
    headcount_rounded_to: float | None
    stated_members: float | None
    stated_on: date | None
    stated_source: str | None
    stated_note: str | None
    stated_rounded_to: float | None


def month_ends(as_at: date, months: int = MONTHS) -> list[date]:
    """Return the last days of the months before the day, oldest first, and the day itself."""
    days = [as_at]
    for _ in range(months):
        days.append(days[-1].replace(day=1) - timedelta(days=1))
    return days[::-1]


def year_before(day: date) -> date:
    """Return the same day a year before; 28 February for a 29 February."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def read_answer(
    session: Session,
    scope: Scope,
    filters: Filters,
    *,
    days: Sequence[date] = (),
    permission: Permission = Permission.DENSITY_READ,
) -> Answer:
    """Return the densities asked for. Raises NotFound for a filter on a place out of scope.

    days: of the trend. permission: the right that must hold at each place measured.
    """
    asked = find_question(session, scope, filters, permission=permission)
    found = survey(session, scope, asked.question, days=days, compare=filters.compare)
    return _answer(asked, found)


def find_question(
    session: Session, scope: Scope, filters: Filters, *, permission: Permission
) -> Asked:
    """Return the question with inner ids. Raises NotFound for a place absent or out of scope."""
    wanted = {
        name: public_id for name in _FILTERED if (public_id := getattr(filters, name)) is not None
    }
    found = {}
    if wanted:
        found = {
            public_id: (place_id, kind, name)
            for place_id, public_id, kind, name in session.execute(
                scope.select(Place.id, Place.public_id, Place.kind, Place.name).where(
                    Place.public_id.in_(sorted(wanted.values()))
                )
            )
        }
    ids: dict[str, int] = {}
    names: dict[str, str] = {}
    for name, public_id in wanted.items():
        place_id, kind, label = found.get(public_id, (None, None, ""))
        if place_id is None or kind != _FILTERED[name]:
            raise NotFound(f"{name} {public_id}")
        ids[name], names[name] = place_id, label
    people = None
    if filters.saved is not None:
        saved = get_saved(session, scope, filters.saved)
        names["saved"] = saved.name
        # A filter that this program does not understand keeps nobody, as on its own page.
        people = (
            frozenset()
            if saved.chosen is None
            else ids_of(
                session,
                scope,
                saved.chosen,
                as_at=filters.as_at,
                permission=permission,
                expiry=filters.expiry,
            )
        )
    question = Question(
        as_at=filters.as_at,
        group_by=filters.by,
        counts=filters.counts,
        known_at=filters.known_at,
        union_id=None if filters.by is GroupBy.UNION else ids.get("union"),
        within=tuple(ids[name] for name in ids if name != "union"),
        sector=filters.sector,
        industry=filters.industry,
        permission=permission,
        people=people,
    )
    return Asked(question, names)


def list_choices(session: Session, scope: Scope) -> Choices:
    """Return what the filters can be set to, by name."""
    rows = session.execute(
        scope.select(Place.kind, Place.public_id, Place.name)
        .where(Place.kind.in_([PlaceKind.UNION, PlaceKind.BRANCH, PlaceKind.REGION]))
        .order_by(Place.name)
    ).all()
    employers = session.execute(
        scope.select(Employer.public_id, Employer.name)
        .order_by(Employer.name)
        .limit(MOST_EMPLOYERS_OFFERED + 1)
    ).all()

    def _of(kind: PlaceKind) -> tuple[tuple[str, str], ...]:
        return tuple((str(public_id), name) for found, public_id, name in rows if found == kind)

    return Choices(
        unions=_of(PlaceKind.UNION),
        branches=_of(PlaceKind.BRANCH),
        regions=_of(PlaceKind.REGION),
        employers=tuple((str(public_id), name) for public_id, name in employers)
        if len(employers) <= MOST_EMPLOYERS_OFFERED
        else None,
        lists=tuple((str(one.public_id), one.name) for one in list_saved(session, scope))
        if scope.may(Permission.CONTACT_READ)
        else (),
    )


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a day; and who left from `year_from` to the last day, of those named."""

    names: dict[str, str]
    movement: Movement
    year: YearOfChange
    year_from: date


def read_changes(
    session: Session,
    scope: Scope,
    filters: Filters,
    *,
    since: date,
    permission: Permission = Permission.DENSITY_READ,
) -> Changes:
    """Return what changed at the places asked for. Raises NotFound as read_answer does.

    since: a day before filters.as_at; ValueError otherwise. permission: as for read_answer.
    """
    asked = find_question(
        session, scope, replace(filters, by=GroupBy.WORKPLACE), permission=permission
    )
    year_from = year_before(filters.as_at)
    return Changes(
        names=asked.names,
        movement=movement(session, scope, asked.question, since=since),
        year=year_of_change(
            session,
            scope,
            asked.question,
            since=year_from,
            month_ends=month_ends(filters.as_at)[:-1],
        ),
        year_from=year_from,
    )


def read_measures(
    session: Session,
    scope: Scope,
    filters: Filters,
    *,
    expiry: ExpiryRule,
    day: date,
    permission: Permission = Permission.DENSITY_READ,
) -> tuple[dict[str, str], Measures]:
    """Return the names asked for, and the measures. Raises NotFound as read_answer does.

    day: today in UTC. permission: as for read_answer.
    """
    asked = find_question(
        session, scope, replace(filters, by=GroupBy.WORKPLACE), permission=permission
    )
    return asked.names, measures(session, scope, asked.question, expiry=expiry, day=day)


def explain_place(
    session: Session, scope: Scope, filters: Filters, public_id: uuid.UUID
) -> Explanation:
    """Return how one place's figure was made. Raises NotFound if absent or out of scope.

    The place may be of any kind that rows stand for; the other filters hold as in the table.
    """
    kind = session.execute(
        scope.select(Place.kind).where(Place.public_id == public_id)
    ).scalar_one_or_none()
    if kind is None or kind == PlaceKind.EVERYTHING:
        raise NotFound(f"place {public_id}")
    by = GroupBy(kind.value)
    asked = find_question(
        session, scope, replace(filters, by=by), permission=Permission.DENSITY_READ
    )
    table = survey(session, scope, asked.question).table
    found = next((row for row in table.rows if row.public_id == public_id), None)
    if found is None:
        raise NotFound(f"figure of place {public_id}")
    return _explanation(asked, by, _row_of(asked, found), found.parts)


def explain_total(session: Session, scope: Scope, filters: Filters) -> Explanation:
    """Return how the total of the table was made."""
    asked = find_question(session, scope, filters, permission=Permission.DENSITY_READ)
    table = survey(session, scope, asked.question).table
    return _explanation(asked, None, _total_of(asked, table), table.parts)


def _explanation(
    asked: Asked, kind: GroupBy | None, row: DensityRow, parts: Sequence[Part]
) -> Explanation:
    only = parts[0] if kind in {GroupBy.WORKPLACE, GroupBy.AREA} else None
    headcount = only.headcount if only else None
    stated = only.stated if only else None
    return Explanation(
        names=asked.names,
        row=row,
        kind=kind,
        parts=() if only else tuple(_part_row(asked, row.union, part) for part in parts),
        density=only.density if only else None,
        headcount_low=headcount.low if headcount else None,
        headcount_high=headcount.high if headcount else None,
        headcount_note=headcount.note if headcount else None,
        headcount_rounded_to=headcount.rounded_to if headcount else None,
        stated_members=stated.members if stated else None,
        stated_on=stated.on_day if stated else None,
        stated_source=str(stated.source) if stated else None,
        stated_note=stated.note if stated else None,
        stated_rounded_to=stated.rounded_to if stated else None,
    )


def _answer(asked: Asked, found: Survey) -> Answer:
    rows = tuple(_row_of(asked, row) for row in found.table.rows)
    total = _total_of(asked, found.table)
    earlier = earlier_total = None
    if found.compared is not None:
        day = found.compared.question.as_at
        earlier = tuple(_row_of(asked, row, day) for row in found.compared.rows)
        earlier_total = _total_of(asked, found.compared)
        then = {one.key: (row, one) for row, one in zip(earlier, found.compared.rows, strict=True)}
        rows = tuple(
            _compared(row, one, then.get(one.key), day)
            for row, one in zip(rows, found.table.rows, strict=True)
        )
        total = _compared(total, found.table, (earlier_total, found.compared), day)
    return Answer(
        names=asked.names,
        rows=rows,
        total=total,
        stale_places=found.table.total.stale_places,
        covered_fraction=found.table.total.covered_fraction,
        earlier=earlier,
        earlier_total=earlier_total,
        trend=tuple(
            _point(day, figure, places)
            for (day, figure), places in zip(found.trend, found.trend_places, strict=True)
        ),
        other_bases=found.table.other_bases,
    )


def _compared(
    row: DensityRow, now: Row | Table, then: tuple[DensityRow, Row | Table] | None, day: date
) -> DensityRow:
    if then is None:
        return compared(row, None, day=day, same_places=False, same_statements=False)
    places = places_told_of(now.parts)
    return compared(
        row,
        then[0],
        day=day,
        same_places=places == places_told_of(then[1].parts),
        same_statements=places & stated_places(now.parts) == places & stated_places(then[1].parts),
    )


def _heading(
    asked: Asked,
    row: str,
    day: date | None = None,
    *,
    union: str | None = None,
    place_id: str = "",
    place: str = "",
    detail: str = "",
) -> Heading:
    question = asked.question
    return Heading(
        row=row,
        as_at=day or question.as_at,
        by=question.group_by.value,
        basis=question.counts.value,
        union=union or asked.union,
        place_id=place_id,
        place=place,
        place_detail=detail,
    )


def _row_of(asked: Asked, row: Row, day: date | None = None) -> DensityRow:
    by_union = asked.question.group_by is GroupBy.UNION
    heading = _heading(
        asked,
        "place",
        day,
        union=row.label if by_union else None,
        place_id=str(row.public_id) if row.public_id else "",
        place=row.label,
        detail=row.detail,
    )
    return _made(heading, row.figure, row.parts, row.named)


def _total_of(asked: Asked, table: Table) -> DensityRow:
    union = ANY_UNION if table.question.group_by is GroupBy.UNION else None
    heading = _heading(asked, "total", table.question.as_at, union=union)
    return _made(heading, table.total, table.parts, table.named)


def _part_row(asked: Asked, union: str, part: Part) -> DensityRow:
    heading = replace(
        _heading(
            asked,
            "place",
            union=union,
            place_id=str(part.public_id),
            place=part.name,
            detail="" if part.name == part.workplace_name else part.workplace_name,
        ),
        by=GroupBy.WORKPLACE.value,
    )
    one = part.density
    return _made(
        heading,
        _alone(one),
        (part,),
        NamedPeople(
            int(one.members),
            int(one.not_members),
            int(one.not_known_named),
            perhaps=one.part.perhaps if one.part else None,
        ),
    )


def _alone(one: Density) -> TotalDensity:
    counted = one.workforce_used is not None
    surely = Known(int(one.members), int(one.not_members), int(one.not_known_named))
    return total_density(
        [one],
        surely=surely if counted else Known(),
        perhaps=one.part.perhaps if one.part and counted else Known(),
    )


def _point(day: date, figure: TotalDensity, same_places: int) -> TrendPoint:
    used, found = figure.workforce, figure.fraction_range
    return TrendPoint(
        day=day,
        places_counted=figure.counted_places,
        same_places=same_places,
        members=figure.member_range.low if used else None,
        workers_low=used.low if used else None,
        workers_high=used.high if used else None,
        low_fraction=found.low if found else None,
        high_fraction=found.high if found else None,
    )


def _made(
    heading: Heading, figure: TotalDensity, parts: Sequence[Part], named: NamedPeople
) -> DensityRow:
    used = [part for part in parts if part.headcount and part.density.workforce_used is not None]
    return density_row(
        heading,
        figure,
        [part.density for part in parts],
        named=(named.members, named.not_members, named.not_known),
        perhaps=named.perhaps,
        headcounts=[
            HeadcountFact(
                part.headcount.on_day, part.headcount.source.value, bool(part.headcount.rounded_to)
            )
            for part in used
            if part.headcount
        ],
        stated_rounded=any(part.stated is not None and part.stated.rounded_to for part in parts),
    )
