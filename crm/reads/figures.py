"""Density for places as at a day: the counts behind every figure, under a scope.

Two ways lead to the same counts. ``state_span`` answers one day for any union as known now; the
dated facts themselves answer for one union, and for "as we knew then". A test compares the two.

Several days are answered from one read of the facts. The days asked for are numbered, and what
holds over a run of them is a bit mask: bit 0 is the first day. So a page with a trend, a second
date and a table costs as many statements as the table alone.
"""

from __future__ import annotations

import enum
import uuid
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from crm.access.facts import covers, known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.bases import (
    PARTS,
    Basis,
    Repeats,
    Roster,
    part_figure,
    total_density,
    total_of_named,
)
from crm.domain.density import Density, Known, StatedMembers, TotalDensity, density
from crm.domain.headcount import (
    Counts,
    Workforce,
    current_headcount,
    rounding_interval,
    workforce_from,
)
from crm.domain.headcount import Headcount as Estimate
from crm.domain.sic import sections
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import ContractType
from crm.models.ballots import Ballot, BallotEntry, BallotPart
from crm.models.base import table_of
from crm.models.contacts import Job, Membership, StateSpan
from crm.models.places import (
    Area,
    Branch,
    Employer,
    Headcount,
    MemberCount,
    PlaceClosure,
    PlaceEdge,
    Region,
    Union,
    Workplace,
)
from crm.reads.places import one_of


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
    """The table of a day, the same table on another day, and the total over a run of days."""

    table: Table
    compared: Table | None
    trend: tuple[tuple[date, TotalDensity], ...]


@dataclass(frozen=True, slots=True)
class _Site:
    place_id: int
    public_id: uuid.UUID
    name: str
    workplace_name: str
    employer_id: int
    region_id: int | None
    sector: str | None
    industry: str | None
    closed_on: date | None

    def is_open(self, day: date) -> bool:
        """Whether the workplace was open that day."""
        return self.closed_on is None or self.closed_on > day


@dataclass(frozen=True, slots=True)
class _People:
    """Counts per place; and of the few people at more than one of the places, state and places.

    On the basis of a part, state and place say whether somebody belongs there, as in _belonging;
    repeats, repeats_not: the places of members, and of people known to be none, who surely or
    perhaps belong at several.
    """

    by_place: dict[int, Counter[str]]
    shared: tuple[tuple[str, tuple[int, ...]], ...]
    repeats: tuple[tuple[int, ...], ...] = ()
    repeats_not: tuple[tuple[int, ...], ...] = ()


MEMBER, NOT_MEMBER, NOT_KNOWN = "member", "not_member", "not_known"
_SURELY, _PERHAPS, _OUTSIDE = 2, 1, 0
# Whoever surely belongs is called by their membership alone, as on the basis of everybody.
_BELONGS = {_SURELY: "", _PERHAPS: "perhaps_", _OUTSIDE: "outside_"}


_NOBODY = Counter[str]()


def density_table(session: Session, scope: Scope, question: Question) -> Table:
    """Return the densities the question asks for, over the places of the scope.

    Every row is sum over sum of its parts; a person at two places counts once in each and once
    in the total. Places without a headcount on the asked basis are left out of the fractions,
    and counted as left out.
    """
    return survey(session, scope, question).table


def trend(
    session: Session, scope: Scope, question: Question, days: Sequence[date]
) -> list[tuple[date, TotalDensity]]:
    """Return the total as at each of the days; each equals the total of that day's table."""
    return list(survey(session, scope, question, days=days).trend)


def survey(
    session: Session,
    scope: Scope,
    question: Question,
    *,
    days: Sequence[date] = (),
    compare: date | None = None,
) -> Survey:
    """Return the table as at the day, the same as at `compare`, and the total on each of `days`.

    The number of statements does not grow with the days.
    """
    if (question.people is not None) != (question.counts is Roster.LIST):
        raise ValueError("The people of a list are asked for on the basis of a list.")
    wanted = sorted({question.as_at, *days, *([] if compare is None else [compare])})
    sites = _sites(session, scope, question, wanted)
    read = _Read(
        days=tuple(wanted),
        estimates=_headcounts(session, scope, question, sites, until=wanted[-1]),
        of_sites=_headcounts(
            session, scope, replace(question, counts=Counts.SITE_ALL), sites, until=wanted[-1]
        )
        if question.counts in PARTS
        else None,
        roster=question.counts if isinstance(question.counts, Roster) else None,
    )
    if question.group_by is GroupBy.UNION:
        table, compared, totals = _by_union(session, scope, question, sites, read, compare)
        return Survey(table, compared, tuple((day, totals[day]) for day in days))
    statements = (
        {}
        if read.roster is not None
        else _statements(session, scope, question, sites, until=wanted[-1])
    )
    people = _people_on_days(session, scope, question, wanted)
    measured = {
        day: read.measure(question, sites, statements, people[day], day)
        for day in ([question.as_at] if compare is None else [question.as_at, compare])
    }

    def _table_of(day: date) -> Table:
        parts = measured[day]
        asked = replace(question, as_at=day)
        groups = _groups(session, scope, asked, parts)
        rows = [
            Row(key, label, detail, place, *_summed(members, people[day], read.roster))
            for (key, label, detail, place), members in groups
        ]
        figure, _, named = _summed(parts, people[day], read.roster)
        return Table(
            question=asked,
            rows=tuple(sorted(rows, key=_order)),
            total=figure,
            parts=tuple(parts),
            named=named,
            other_bases=_other_bases(session, scope, asked, sites),
        )

    table = _table_of(question.as_at)
    return Survey(
        table=table,
        compared=None if compare is None else _table_of(compare),
        trend=tuple(
            (
                day,
                table.total
                if day == question.as_at
                else read.total(question, sites, statements, people[day], day),
            )
            for day in days
        ),
    )


def workplace_figure(
    session: Session, scope: Scope, workplace_id: int, question: Question
) -> Part | None:
    """Return the figure of one workplace, or None when the scope does not see it."""
    asked = replace(question, group_by=GroupBy.WORKPLACE, within=(workplace_id,))
    parts = survey(session, scope, asked).table.parts
    return next((part for part in parts if part.place_id == workplace_id), None)


@dataclass(slots=True)
class _Read:
    """What was read once for all the days; densities worked out on one day serve the next.

    of_sites: the headcounts of everybody at each place, when a part of them is asked for.
    roster: the sort of list that everybody counted stands on; None = a headcount counts them.
    """

    days: tuple[date, ...]
    estimates: dict[int, list[HeadcountUsed]]
    of_sites: dict[int, list[HeadcountUsed]] | None = None
    roster: Roster | None = None
    _densities: dict[Any, Density] = field(default_factory=dict)

    def measure(
        self,
        question: Question,
        sites: Sequence[_Site],
        statements: Mapping[int, list[StatedUsed]],
        people: _People,
        day: date,
    ) -> list[Part]:
        """Return the figure of each place that was open that day."""
        parts = []
        for site in sites:
            if not self._counts(site, people, day):
                continue
            used = _headcount(self.estimates, site.place_id, day, question.counts)
            stated = _latest_statement(statements.get(site.place_id, ()), day)
            parts.append(
                Part(
                    place_id=site.place_id,
                    public_id=site.public_id,
                    name=site.name,
                    workplace_name=site.workplace_name,
                    employer_id=site.employer_id,
                    region_id=site.region_id,
                    sector=site.sector,
                    industry=site.industry,
                    density=self._density(
                        people.by_place.get(site.place_id, _NOBODY),
                        used,
                        self._of_site(site.place_id, day),
                        stated,
                    ),
                    headcount=used,
                    stated=stated,
                )
            )
        return parts

    def total(
        self,
        question: Question,
        sites: Sequence[_Site],
        statements: Mapping[int, list[StatedUsed]],
        people: _People,
        day: date,
    ) -> TotalDensity:
        """Return the total that day, without the parts it is made of."""
        return _total(
            {
                site.place_id: self._density(
                    people.by_place.get(site.place_id, _NOBODY),
                    _headcount(self.estimates, site.place_id, day, question.counts),
                    self._of_site(site.place_id, day),
                    _latest_statement(statements.get(site.place_id, ()), day),
                )
                for site in sites
                if self._counts(site, people, day)
            },
            people,
            self.roster,
        )

    def _counts(self, site: _Site, people: _People, day: date) -> bool:
        """Whether the place is measured that day. Where nobody stands on a list of names, there is
        nothing to measure."""
        if self.roster is not None and not people.by_place.get(site.place_id):
            return False
        return site.is_open(day)

    def _of_site(self, place_id: int, day: date) -> HeadcountUsed | None:
        if self.of_sites is None:
            return None
        return _headcount(self.of_sites, place_id, day, Counts.SITE_ALL)

    def _density(
        self,
        counts: Counter[str],
        used: HeadcountUsed | None,
        of_site: HeadcountUsed | None,
        stated: StatedUsed | None,
    ) -> Density:
        # Most places do not change from one month to the next, and many have few people.
        key: Any = (counts[MEMBER], counts[NOT_MEMBER], counts[NOT_KNOWN], id(used), id(stated))
        if self.of_sites is not None:
            perhaps, outside = (
                Known(
                    counts[_BELONGS[belongs] + MEMBER],
                    counts[_BELONGS[belongs] + NOT_MEMBER],
                    counts[_BELONGS[belongs] + NOT_KNOWN],
                )
                for belongs in (_PERHAPS, _OUTSIDE)
            )
            key = (*key, perhaps, outside, id(of_site))
        found = self._densities.get(key)
        if found is None:
            if self.roster is not None:
                named = counts[MEMBER] + counts[NOT_MEMBER] + counts[NOT_KNOWN]
                found = density(
                    members=counts[MEMBER],
                    not_members=counts[NOT_MEMBER],
                    not_known_named=counts[NOT_KNOWN],
                    workforce=Workforce.exactly(named) if named else None,
                )
            elif self.of_sites is None:
                found = density(
                    members=counts[MEMBER],
                    not_members=counts[NOT_MEMBER],
                    not_known_named=counts[NOT_KNOWN],
                    workforce=_workforce(used),
                    stated=_stated(stated),
                )
            else:
                found = part_figure(
                    Known(counts[MEMBER], counts[NOT_MEMBER], counts[NOT_KNOWN]),
                    perhaps,
                    outside,
                    _workforce(used),
                    _workforce(of_site),
                    _stated(stated),
                )
            self._densities[key] = found
        return found


def _headcount(
    estimates: Mapping[int, list[HeadcountUsed]], place_id: int, day: date, counts: Basis
) -> HeadcountUsed | None:
    rows = estimates.get(place_id)
    if not rows:
        return None
    if len(rows) == 1:
        return rows[0] if rows[0].on_day <= day else None
    return _current(rows, day, counts)


def _current(rows: Sequence[HeadcountUsed], day: date, counts: Basis) -> HeadcountUsed | None:
    if isinstance(counts, Roster):
        return None
    found = current_headcount(rows, day, counts)
    return found if isinstance(found, HeadcountUsed) else None


def _workforce(used: HeadcountUsed | None) -> Workforce | None:
    found = workforce_from(used)
    if found is None or used is None or not used.rounded_to:
        return found
    # Both ends were rounded by the source, so each may be half a step further out.
    return Workforce(
        low=rounding_interval(found.low, used.rounded_to)[0],
        best=found.best,
        high=rounding_interval(found.high, used.rounded_to)[1],
    )


def _latest_statement(rows: Sequence[StatedUsed], day: date) -> StatedUsed | None:
    found = [row for row in rows if row.on_day <= day]
    return max(found, key=lambda row: (row.on_day, row.recorded_at, row.members), default=None)


def _stated(used: StatedUsed | None) -> StatedMembers | None:
    if used is None:
        return None
    if used.rounded_to:
        return StatedMembers.rounded(used.members, used.rounded_to)
    return StatedMembers.exactly(used.members)


def _total(
    densities: Mapping[int, Density], people: _People, roster: Roster | None
) -> TotalDensity:
    """Return the total over the places; people at several counted places are taken once."""
    counted = {place for place, figure in densities.items() if figure.workforce_used is not None}
    named = _named_at(counted, densities, people)
    surely = Known(named.members, named.not_members, named.not_known)
    if roster is not None:
        return total_of_named(densities.values(), surely)

    def _too_often(repeats: Iterable[tuple[int, ...]]) -> int:
        return sum(max(0, len(counted.intersection(at)) - 1) for at in repeats)

    return total_density(
        densities.values(),
        surely=surely,
        perhaps=named.perhaps or Known(),
        repeats=Repeats(_too_often(people.repeats), _too_often(people.repeats_not)),
    )


def _named_at(places: set[int], densities: Mapping[int, Density], people: _People) -> NamedPeople:
    """Return the people on the list at the places, each counted once."""
    sums: Counter[str] = Counter()
    parts = False
    for place in places:
        figure = densities[place]
        sums[MEMBER] += int(figure.members)
        sums[NOT_MEMBER] += int(figure.not_members)
        sums[NOT_KNOWN] += int(figure.not_known_named)
        if figure.part is not None:
            parts, perhaps = True, figure.part.perhaps
            sums[_BELONGS[_PERHAPS] + MEMBER] += perhaps.members
            sums[_BELONGS[_PERHAPS] + NOT_MEMBER] += perhaps.not_members
            sums[_BELONGS[_PERHAPS] + NOT_KNOWN] += perhaps.not_known
    for state, at in people.shared:
        here = len(places.intersection(at))
        if here > 1:
            sums[state] -= here - 1
    surely, of_whom_not_known = (
        Known(*(sums[_BELONGS[belongs] + state] for state in (MEMBER, NOT_MEMBER, NOT_KNOWN)))
        for belongs in (_SURELY, _PERHAPS)
    )
    return NamedPeople(
        surely.members,
        surely.not_members,
        surely.not_known,
        perhaps=of_whom_not_known if parts else None,
    )


def _summed(
    parts: Sequence[Part], people: _People, roster: Roster | None
) -> tuple[TotalDensity, tuple[Part, ...], NamedPeople]:
    densities = {part.place_id: part.density for part in parts}
    if len(parts) == 1:
        # Nobody is at two places of one: the walk over everybody with two jobs can be spared.
        people = _People({}, ())
    named = _named_at(set(densities), densities, people)
    return _total(densities, people, roster), tuple(parts), named


def _order(row: Row) -> tuple[bool, float, str]:
    found = row.figure.fraction_range
    return (found is None, -(found.low if found else 0.0), row.label.casefold())


# Which places are measured


def inside(question: Question, column: Any) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that the place in the column lies inside each of question.within."""
    closure = table_of(PlaceClosure)
    return [
        column.in_(sa.select(closure.c.descendant_id).where(closure.c.ancestor_id == ancestor))
        for ancestor in question.within
    ]


def only_those(question: Question, column: Any) -> list[sa.ColumnElement[bool]]:
    """Return the condition that the contact in the column is on the list asked for, if any is."""
    return [] if question.people is None else [one_of(column, question.people)]


# Only what kind of employer a measured workplace has. The table, and not the mapped class: the
# right to density holds at the workplace, and the rule would hide the employer above it.
_owner = table_of(Employer).alias("owner")
# The tables of the place tree share one parent table, so each second one in a join is an alias.
_AreaSite = aliased(Workplace, flat=True)


def _open_since(model: Any, days: Sequence[date]) -> list[sa.ColumnElement[bool]]:
    return [sa.or_(model.closed_on.is_(None), model.closed_on > days[0])]


def _sites(session: Session, scope: Scope, question: Question, days: Sequence[date]) -> list[_Site]:
    """Return the workplaces (or areas) that were open on any of the days, by name."""
    if question.group_by is GroupBy.AREA:
        rows = session.execute(
            scope.select(
                Area.id,
                Area.public_id,
                Area.name,
                _AreaSite.name.label("workplace_name"),
                _AreaSite.employer_id,
                _AreaSite.region_id,
                _owner.c.sector,
                _owner.c.sic_section,
                _AreaSite.closed_on,
                permission=question.permission,
            )
            .join(_AreaSite, _AreaSite.id == Area.workplace_id)
            .outerjoin(_owner, _owner.c.id == _AreaSite.employer_id)
            .where(*_open_since(_AreaSite, days), *_where(question, Area.id))
            .order_by(_AreaSite.name, Area.name, Area.id)
        )
    else:
        rows = session.execute(
            scope.select(
                Workplace.id,
                Workplace.public_id,
                Workplace.name,
                Workplace.name.label("workplace_name"),
                Workplace.employer_id,
                Workplace.region_id,
                _owner.c.sector,
                _owner.c.sic_section,
                Workplace.closed_on,
                permission=question.permission,
            )
            .outerjoin(_owner, _owner.c.id == Workplace.employer_id)
            .where(*_open_since(Workplace, days), *_where(question, Workplace.id))
            .order_by(Workplace.name, Workplace.id)
        )
    return [
        _Site(
            place_id=row[0],
            public_id=row[1],
            name=row[2],
            workplace_name=row[3],
            employer_id=row[4],
            region_id=row[5],
            sector=row[6],
            industry=row[7],
            closed_on=row[8],
        )
        for row in rows
    ]


def _where(question: Question, place: Any) -> list[sa.ColumnElement[bool]]:
    wanted = ((_owner.c.sector, question.sector), (_owner.c.sic_section, question.industry))
    return [
        *inside(question, place),
        *(column == value for column, value in wanted if value is not None),
    ]


def _headcounts(
    session: Session, scope: Scope, question: Question, sites: Sequence[_Site], *, until: date
) -> dict[int, list[HeadcountUsed]]:
    if isinstance(question.counts, Roster):
        return {}
    counts = question.counts
    rows = session.execute(
        scope.select(
            Headcount.place_id,
            Headcount.on_day,
            Headcount.recorded_at,
            Headcount.source_kind,
            Headcount.low,
            Headcount.best,
            Headcount.high,
            Headcount.rounded_to,
            Headcount.source_note,
        ).where(
            Headcount.counts == counts,
            Headcount.on_day <= until,
            known(Headcount, question.known_at),
            *inside(question, Headcount.place_id),
        )
    )
    wanted = {site.place_id for site in sites}
    found: dict[int, list[HeadcountUsed]] = defaultdict(list)
    for row in rows:
        if row[0] in wanted:
            found[row[0]].append(
                HeadcountUsed(
                    on_day=row[1],
                    recorded_at=row[2],
                    counts=counts,
                    source=row[3],
                    low=row[4],
                    best=row[5],
                    high=row[6],
                    rounded_to=row[7],
                    note=row[8],
                )
            )
    return found


def _statements(
    session: Session, scope: Scope, question: Question, sites: Sequence[_Site], *, until: date
) -> dict[int, list[StatedUsed]]:
    """Return what the asked union (or all unions together) stated of each place."""
    wanted = (
        MemberCount.union_id.is_(None)
        if question.union_id is None
        else MemberCount.union_id == question.union_id
    )
    found = _statements_by_union(session, scope, question, sites, wanted, until=until)
    return found.get(question.union_id, {})


def _statements_by_union(
    session: Session,
    scope: Scope,
    question: Question,
    sites: Sequence[_Site],
    *more: sa.ColumnElement[bool],
    until: date,
) -> dict[int | None, dict[int, list[StatedUsed]]]:
    rows = session.execute(
        scope.select(
            MemberCount.place_id,
            MemberCount.on_day,
            MemberCount.recorded_at,
            MemberCount.members,
            MemberCount.rounded_to,
            MemberCount.source_kind,
            MemberCount.source_note,
            MemberCount.union_id,
        ).where(
            MemberCount.on_day <= until,
            known(MemberCount, question.known_at),
            *inside(question, MemberCount.place_id),
            *more,
        )
    )
    wanted = {site.place_id for site in sites}
    found: dict[int | None, dict[int, list[StatedUsed]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row[0] in wanted:
            found[row[7]][row[0]].append(
                StatedUsed(
                    on_day=row[1],
                    recorded_at=row[2],
                    members=row[3],
                    rounded_to=row[4],
                    source=row[5],
                    note=row[6],
                )
            )
    return found


def _other_bases(
    session: Session, scope: Scope, question: Question, sites: Sequence[_Site]
) -> dict[Counts, int]:
    """Return how many of the places have a headcount on each other basis, to say where to look."""
    if isinstance(question.counts, Roster):
        return {}
    rows = session.execute(
        scope.select(Headcount.counts, sa.func.count(sa.distinct(Headcount.place_id)))
        .where(
            Headcount.on_day <= question.as_at,
            Headcount.counts.not_in([question.counts, Counts.FTE]),
            known(Headcount, question.known_at),
            *inside(question, Headcount.place_id),
        )
        .group_by(Headcount.counts)
    )
    return {counts: int(places) for counts, places in rows} if sites else {}


# Who is counted


_LANE = 32
_LANE_FULL = (1 << _LANE) - 1
# Contact, place, the days as a mask, and whether the job belongs to the part that is counted.
_Spell = tuple[int, int, int, int]
# Contact, union (None = of any), whether a member of it, and the days as a mask.
_Saying = tuple[int, int | None, bool, int]


def _people_on_days(
    session: Session, scope: Scope, question: Question, days: Sequence[date]
) -> dict[date, _People]:
    """Count one day inside the database, from the spans or the facts; several from the facts, and
    so whoever belongs to a part, which only a job tells."""
    if len(days) > 1 or question.counts in PARTS or isinstance(question.counts, Roster):
        facts = _read_facts(session, scope, question, days)
        return _from_facts(facts, question.union_id, days)
    if question.union_id is None and question.known_at is None:
        return {days[0]: _from_spans(session, scope, question, days[0])}
    return {days[0]: recount(session, scope, replace(question, as_at=days[0]))}


def _from_spans(session: Session, scope: Scope, question: Question, day: date) -> _People:
    place = _span_place(question)
    there = (
        StateSpan.from_day <= day,
        StateSpan.to_day > day,
        place.is_not(None),
        *inside(question, StateSpan.place_id),
    )
    counts = session.execute(
        scope.select(
            place,
            StateSpan.member,
            sa.func.count(sa.distinct(StateSpan.contact_id)),
            permission=question.permission,
        )
        .where(*there)
        .group_by(place, StateSpan.member)
    )
    by_place: dict[int, Counter[str]] = defaultdict(Counter)
    for place_id, member, people in counts:
        by_place[place_id][_state(member)] += people
    several = (
        scope.select(StateSpan.contact_id, permission=question.permission)
        .where(*there)
        .group_by(StateSpan.contact_id)
        .having(sa.func.min(place) < sa.func.max(place))
    )
    shared = session.execute(
        scope.select(StateSpan.contact_id, place, StateSpan.member, permission=question.permission)
        .where(*there, StateSpan.contact_id.in_(several))
        .distinct()
    )
    return _People(
        dict(by_place), _shared((contact, at, _state(member)) for contact, at, member in shared)
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    """Jobs as spells, and what is said of membership: contact, union, member or not, days."""

    jobs: list[_Spell]
    sayings: list[_Saying]


def _read_facts(session: Session, scope: Scope, question: Question, days: Sequence[date]) -> _Facts:
    sayings = _read_sayings(session, scope, question, days)
    if question.counts is Roster.BALLOT:
        return _Facts(_entitled(session, scope, question, days), sayings)
    place = Job.area_id if question.group_by is GroupBy.AREA else Job.workplace_id
    found = scope.select(
        Job.contact_id,
        place,
        Job.valid_from,
        Job.valid_to,
        _belonging(question),
        permission=question.permission,
    ).where(
        *_overlaps(Job, days),
        known(Job, question.known_at),
        place.is_not(None),
        *inside(question, Job.place_id),
    )
    if question.counts is Counts.EMPLOYER_DIRECT:
        found = found.outerjoin(_job_site, _job_site.c.id == Job.workplace_id)
    jobs = session.execute(found)
    number = _Numbers(days)
    return _Facts(
        jobs=[
            (contact, at, _mask(number[start], number[end]), int(belongs))
            for contact, at, start, end, belongs in jobs
            if question.people is None or contact in question.people
        ],
        sayings=sayings,
    )


def _read_sayings(
    session: Session, scope: Scope, question: Question, days: Sequence[date]
) -> list[_Saying]:
    number = _Numbers(days)
    return [
        (contact, union, bool(member), _mask(number[start], number[end]))
        for contact, union, member, start, end in session.execute(
            scope.select(
                Membership.contact_id,
                Membership.union_id,
                Membership.status == MembershipStatus.MEMBER,
                Membership.valid_from,
                Membership.valid_to,
            ).where(*_overlaps(Membership, days), known(Membership, question.known_at))
        )
    ]


def _entitled(
    session: Session, scope: Scope, question: Question, days: Sequence[date]
) -> list[_Spell]:
    """Return whom the last list of those entitled names, at each workplace on each day.

    A list counts from the day whose records it was made of, until a later one is made there or the
    ballot is called off. Of one union, only its own ballots count. Two statements.
    """
    site, made = BallotPart.place_id, Ballot.frozen_on
    lists = session.execute(
        scope.select(BallotPart.id, site, made, Ballot.called_off_on)
        .join(Ballot, Ballot.id == BallotPart.ballot_id)
        .where(
            made <= days[-1],
            *([] if question.union_id is None else [Ballot.union_id == question.union_id]),
            *([] if question.known_at is None else [Ballot.frozen_at <= question.known_at]),
        )
        .order_by(made, Ballot.frozen_at, Ballot.id)
    ).all()
    in_force: dict[int, int] = {}
    for bit, day in enumerate(days):
        last = {
            at: part
            for part, at, made_on, called_off in lists
            if made_on <= day and (called_off is None or called_off > day)
        }
        for part in last.values():
            in_force[part] = in_force.get(part, 0) | 1 << bit
    if not in_force:
        return []
    place = BallotEntry.place_id if question.group_by is GroupBy.AREA else site
    rows = session.execute(
        scope.select(BallotEntry.contact_id, place, BallotEntry.part_id)
        .join(BallotPart, BallotPart.id == BallotEntry.part_id)
        .where(
            BallotEntry.entitled.is_(True),
            BallotEntry.part_id.in_(sorted(in_force)),
            *inside(question, BallotEntry.place_id),
        )
    )
    return [(contact, at, in_force[part], _SURELY) for contact, at, part in rows]


def _from_facts(facts: _Facts, union_id: int | None, days: Sequence[date]) -> dict[date, _People]:
    """Count as member_of_any or, for one union, member_of of crm/domain/timeline.py says."""
    members: dict[int, int] = {}
    not_members: dict[int, int] = {}
    for contact, union, member, mask in facts.sayings:
        if member:
            if union_id is None or union == union_id:
                members[contact] = members.get(contact, 0) | mask
        elif union is None or (union_id is not None and union == union_id):
            not_members[contact] = not_members.get(contact, 0) | mask
    return _tally(facts.jobs, members, not_members, days)


# Only who owns the site of a job; the table for the reason given at _owner.
_job_site = table_of(Workplace).alias("job_site")


def _belonging(question: Question) -> sa.ColumnElement[int]:
    """Return a column over jobs: whether the job belongs to what the headcount counts.

    The employer's own staff: those paid by it, and not those of an agency; of others nobody has
    written down who pays them. Nobody writes down who is in a bargaining unit.
    """
    if question.counts is Counts.BARGAINING_UNIT:
        return sa.literal(_PERHAPS)
    if question.counts is Counts.EMPLOYER_DIRECT:
        return sa.case(
            (Job.contract_type == ContractType.AGENCY, _OUTSIDE),
            (Job.employer_of_record_id.is_(None), _PERHAPS),
            (Job.employer_of_record_id == _job_site.c.employer_id, _SURELY),
            else_=_OUTSIDE,
        )
    return sa.literal(_SURELY)


class _Lanes(dict[int, int]):
    """A mask of days as one person on each of them: one whole number, 32 bits a day.

    Adding such numbers adds the counts of all days in one operation.
    """

    def __missing__(self, mask: int) -> int:
        found = sum(1 << _LANE * bit for bit in range(mask.bit_length()) if mask >> bit & 1)
        self[mask] = found
        return found


def _tally(
    jobs: Sequence[_Spell],
    members: Mapping[int, int],
    not_members: Mapping[int, int],
    days: Sequence[date],
) -> dict[date, _People]:
    """Return the people of each day.

    members, not_members: the days on which each person is known to be one; being a member wins.
    Of somebody with several jobs at a place, the one that surely belongs wins, then perhaps.
    """
    if all(belongs == _SURELY for _contact, _at, _days, belongs in jobs):
        return _tally_whole(jobs, members, not_members, days)
    lanes = _Lanes()
    sums: dict[tuple[int, str], int] = defaultdict(int)
    shared: list[list[tuple[str, tuple[int, ...]]]] = [[] for _ in days]
    repeats: list[list[tuple[int, ...]]] = [[] for _ in days]
    repeats_not: list[list[tuple[int, ...]]] = [[] for _ in days]
    for contact, jobs_at in _held(jobs).items():
        yes = members.get(contact, 0)
        no = not_members.get(contact, 0) & ~yes
        for at, held in jobs_at.items():
            for belongs, prefix in _BELONGS.items():
                mask = held[belongs]
                for state, on in (
                    (MEMBER, mask & yes),
                    (NOT_MEMBER, mask & no),
                    (NOT_KNOWN, mask & ~(yes | no)),
                ):
                    if on:
                        sums[at, prefix + state] += lanes[on]
        if len(jobs_at) > 1:
            for bit, state, here in _at_several(jobs_at, yes, no, len(days)):
                shared[bit].append((state, here))
            _add_repeats(repeats, jobs_at, yes)
            _add_repeats(repeats_not, jobs_at, no)
    by_day = _unpacked(sums, len(days))
    return {
        day: _People(by_day[bit], tuple(shared[bit]), tuple(repeats[bit]), tuple(repeats_not[bit]))
        for bit, day in enumerate(days)
    }


def _tally_whole(
    jobs: Sequence[_Spell],
    members: Mapping[int, int],
    not_members: Mapping[int, int],
    days: Sequence[date],
) -> dict[date, _People]:
    """Return the same where everybody counts: a fifth of the time, and this is the usual page."""
    places: dict[int, dict[int, int]] = {}
    for contact, at, mask, _belongs in jobs:
        held = places.get(contact)
        if held is None:
            places[contact] = {at: mask}
        else:
            held[at] = held.get(at, 0) | mask
    lanes = _Lanes()
    sums: dict[tuple[int, str], int] = defaultdict(int)
    shared: list[list[tuple[str, tuple[int, ...]]]] = [[] for _ in days]
    for contact, held in places.items():
        yes = members.get(contact, 0)
        no = not_members.get(contact, 0) & ~yes
        for at, mask in held.items():
            for state, on in (
                (MEMBER, mask & yes),
                (NOT_MEMBER, mask & no),
                (NOT_KNOWN, mask & ~(yes | no)),
            ):
                if on:
                    sums[at, state] += lanes[on]
        if len(held) > 1:
            for bit, here in _together(held, len(days)):
                state = MEMBER if yes >> bit & 1 else NOT_MEMBER if no >> bit & 1 else NOT_KNOWN
                shared[bit].append((state, here))
    by_day = _unpacked(sums, len(days))

    def _repeats(bit: int, of: str) -> tuple[tuple[int, ...], ...]:
        return tuple(here for state, here in shared[bit] if state == of)

    return {
        day: _People(
            by_day[bit], tuple(shared[bit]), _repeats(bit, MEMBER), _repeats(bit, NOT_MEMBER)
        )
        for bit, day in enumerate(days)
    }


def _unpacked(sums: Mapping[tuple[int, str], int], days: int) -> list[dict[int, Counter[str]]]:
    """Return the counts of each day at each place, out of the whole numbers that hold all days."""
    by_day: list[dict[int, Counter[str]]] = [defaultdict(Counter) for _ in range(days)]
    for (at, state), packed in sums.items():
        for bit in range(days):
            number = packed >> _LANE * bit & _LANE_FULL
            if number:
                by_day[bit][at][state] = number
    return [dict(one) for one in by_day]


def _held(jobs: Sequence[_Spell]) -> dict[int, dict[int, list[int]]]:
    """Return the days on which each person has jobs at each place, by whether they belong there."""
    places: dict[int, dict[int, list[int]]] = {}
    for contact, at, mask, belongs in jobs:
        places.setdefault(contact, {}).setdefault(at, [0, 0, 0])[belongs] |= mask
    for jobs_at in places.values():
        for held in jobs_at.values():
            held[_PERHAPS] &= ~held[_SURELY]
            held[_OUTSIDE] &= ~(held[_SURELY] | held[_PERHAPS])
    return places


def _add_repeats(
    found: Sequence[list[tuple[int, ...]]], jobs_at: Mapping[int, Sequence[int]], when: int
) -> None:
    """Add the places where a person surely or perhaps belongs to several, on each of these days."""
    could = {at: (held[_SURELY] | held[_PERHAPS]) & when for at, held in jobs_at.items()}
    for bit, here in _together(could, len(found)):
        found[bit].append(here)


def _at_several(
    jobs_at: Mapping[int, Sequence[int]], yes: int, no: int, days: int
) -> Iterable[tuple[int, str, tuple[int, ...]]]:
    """Yield the days on which a person belongs, or perhaps belongs, at several of the places; what
    they are then; and those places."""
    for belongs in (_SURELY, _PERHAPS):
        only = {at: held[belongs] for at, held in jobs_at.items() if held[belongs]}
        for bit, here in _together(only, days):
            state = MEMBER if yes >> bit & 1 else NOT_MEMBER if no >> bit & 1 else NOT_KNOWN
            yield bit, _BELONGS[belongs] + state, here


def _together(held: Mapping[int, int], days: int) -> Iterable[tuple[int, tuple[int, ...]]]:
    """Yield the days on which a person is at several of the places, and those places."""
    seen = several = 0
    for mask in held.values():
        several |= seen & mask
        seen |= mask
    for bit in range(days) if several else ():
        if several >> bit & 1:
            yield bit, tuple(at for at, mask in held.items() if mask >> bit & 1)


def _overlaps(model: Any, days: Sequence[date]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        model.valid_from <= days[-1],
        sa.or_(model.valid_to.is_(None), model.valid_to > days[0]),
    )


class _Numbers(dict[date | None, int]):
    """Which of the days is the first on or after a date; past the last one if none is.

    No date (a spell that goes on) lies past the last day. Each date is looked up once: thousands
    of spells share a few hundred dates, and asking the database for the number cost far more.
    """

    def __init__(self, days: Sequence[date]) -> None:
        super().__init__({None: len(days)})
        self._days = days

    def __missing__(self, day: date | None) -> int:
        number = len(self._days) if day is None else bisect_left(self._days, day)
        self[day] = number
        return number


def _mask(start: int, end: int) -> int:
    return (1 << end) - (1 << start) if end > start else 0


def recount(session: Session, scope: Scope, question: Question) -> _People:
    """Count people from the dated facts themselves: any day, any union or one, as known at any
    moment. The rule is that of crm/domain/timeline.py, written as SQL; a test compares them.
    """
    state = membership_state(question)
    place = Job.area_id if question.group_by is GroupBy.AREA else Job.workplace_id
    status = sa.and_(
        Membership.contact_id == Job.contact_id,
        covers(Membership, question.as_at),
        known(Membership, question.known_at),
    )
    people = (
        scope.select(
            place.label("place_id"),
            Job.contact_id.label("contact_id"),
            state.label("state"),
            permission=question.permission,
        )
        .outerjoin(Membership, status)
        .where(
            covers(Job, question.as_at),
            known(Job, question.known_at),
            place.is_not(None),
            *inside(question, Job.place_id),
        )
        .group_by(place, Job.contact_id)
    ).subquery()
    counts = session.execute(
        scope.select(people.c.place_id, people.c.state, sa.func.count()).group_by(
            people.c.place_id, people.c.state
        )
    )
    by_place: dict[int, Counter[str]] = defaultdict(Counter)
    for place_id, found, number in counts:
        by_place[place_id][_STATES[found]] += number
    several = (
        sa.select(people.c.contact_id).group_by(people.c.contact_id).having(sa.func.count() > 1)
    )
    shared_rows = session.execute(
        scope.select(people.c.contact_id, people.c.place_id, people.c.state).where(
            people.c.contact_id.in_(several)
        )
    )
    return _People(
        dict(by_place),
        _shared((contact, at, _STATES[found]) for contact, at, found in shared_rows),
    )


_STATES = {2: MEMBER, 1: NOT_MEMBER, 0: NOT_KNOWN}


def membership_state(question: Question, *when: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """Return a column for a statement grouped by person over their memberships: 2 = a member of
    the union asked for, or of any; 1 = known not to be; 0 = not known.

    when: only memberships for which this holds count, such as that they cover a day.
    """
    member = Membership.status == MembershipStatus.MEMBER
    not_member = sa.and_(
        Membership.status == MembershipStatus.NOT_MEMBER, Membership.union_id.is_(None)
    )
    if question.union_id is not None:
        member = sa.and_(member, Membership.union_id == question.union_id)
        not_member = sa.and_(
            Membership.status == MembershipStatus.NOT_MEMBER,
            sa.or_(Membership.union_id.is_(None), Membership.union_id == question.union_id),
        )
    return sa.func.max(
        sa.case((sa.and_(member, *when), 2), (sa.and_(not_member, *when), 1), else_=0)
    )


def _span_place(question: Question) -> Any:
    return StateSpan.area_id if question.group_by is GroupBy.AREA else StateSpan.workplace_id


def _state(member: bool | None) -> str:
    return NOT_KNOWN if member is None else (MEMBER if member else NOT_MEMBER)


def _shared(rows: Iterable[tuple[int, int, str]]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    places: dict[int, list[int]] = defaultdict(list)
    states: dict[int, str] = {}
    for contact, place, state in rows:
        places[contact].append(place)
        states[contact] = state
    return tuple((states[contact], tuple(at)) for contact, at in places.items() if len(at) > 1)


# How the parts are cut up


_Key = tuple[str, str, str, uuid.UUID | None]


def _groups(
    session: Session, scope: Scope, question: Question, parts: Sequence[Part]
) -> list[tuple[_Key, list[Part]]]:
    if question.group_by in {GroupBy.WORKPLACE, GroupBy.AREA}:
        area = question.group_by is GroupBy.AREA
        return [
            (
                (
                    str(part.public_id),
                    part.name,
                    part.workplace_name if area else "",
                    part.public_id,
                ),
                [part],
            )
            for part in parts
        ]
    keys = _keys(session, scope, question, parts)
    groups: dict[_Key, list[Part]] = defaultdict(list)
    for part in parts:
        for key in keys.get(part.place_id) or [("none", "", "", None)]:
            groups[key].append(part)
    return list(groups.items())


def _keys(
    session: Session, scope: Scope, question: Question, parts: Sequence[Part]
) -> dict[int, list[_Key]]:
    """Return the group or groups each workplace falls into as at the day."""
    if question.group_by is GroupBy.SECTOR:
        return {
            part.place_id: [(part.sector, part.sector, "", None)] for part in parts if part.sector
        }
    if question.group_by is GroupBy.INDUSTRY:
        return {
            part.place_id: [(part.industry, part.industry, sections()[part.industry], None)]
            for part in parts
            if part.industry
        }
    if question.group_by is GroupBy.BRANCH:
        links = session.execute(
            scope.select(PlaceEdge.child_id, Branch.public_id, Branch.name)
            .join(Branch, Branch.id == PlaceEdge.parent_id)
            .where(covers(PlaceEdge, question.as_at), known(PlaceEdge, question.known_at))
            .order_by(Branch.name)
        )
        found: dict[int, list[_Key]] = defaultdict(list)
        for child, public_id, name in links:
            found[child].append((str(public_id), name, "", public_id))
        return found
    kind, of = (
        (Employer, {part.place_id: part.employer_id for part in parts})
        if question.group_by is GroupBy.EMPLOYER
        else (Region, {part.place_id: part.region_id for part in parts})
    )
    named = {
        place_id: (str(public_id), name, "", public_id)
        for place_id, public_id, name in session.execute(
            scope.select(kind.id, kind.public_id, kind.name)
        )
    }
    return {
        place: [named[group]] for place, group in of.items() if group is not None and group in named
    }


def _by_union(
    session: Session,
    scope: Scope,
    question: Question,
    sites: Sequence[_Site],
    read: _Read,
    compare: date | None,
) -> tuple[Table, Table | None, dict[date, TotalDensity]]:
    """A row for each union: its own members ÷ all workers. Rows may sum to more than any-union.

    Out of those entitled in a ballot, each union is held against its own ballots: two statements
    more for each union.
    """
    unions = session.execute(
        scope.select(Union.id, Union.public_id, Union.name).order_by(Union.name)
    ).all()
    facts = _read_facts(session, scope, question, read.days)
    statements = (
        {}
        if read.roster is not None
        else _statements_by_union(session, scope, question, sites, until=read.days[-1])
    )
    involved = {union for _, union, _, _ in facts.sayings} | set(statements)

    def _facts_of(union: int | None) -> _Facts:
        if union is None or question.counts is not Roster.BALLOT:
            return facts
        own = replace(question, union_id=union)
        return replace(facts, jobs=_entitled(session, scope, own, read.days))

    people = {union: _from_facts(_facts_of(union), union, read.days) for union in {None, *involved}}

    def _table_of(day: date) -> Table:
        asked = replace(question, as_at=day)
        rows = []
        for union_id, public_id, name in unions:
            if union_id not in involved:
                continue
            stated = statements.get(union_id, {})
            parts = read.measure(asked, sites, stated, people[union_id][day], day)
            figure, _, named = _summed(parts, people[union_id][day], read.roster)
            if figure.all_members or any(part.stated for part in parts):
                rows.append(Row(str(public_id), name, "", public_id, figure, tuple(parts), named))
        parts = read.measure(asked, sites, statements.get(None, {}), people[None][day], day)
        figure, _, named = _summed(parts, people[None][day], read.roster)
        return Table(
            question=asked,
            rows=tuple(sorted(rows, key=_order)),
            total=figure,
            parts=tuple(parts),
            named=named,
            other_bases=_other_bases(session, scope, asked, sites),
        )

    totals = {
        day: read.total(question, sites, statements.get(None, {}), people[None][day], day)
        for day in read.days
    }
    return (
        _table_of(question.as_at),
        None if compare is None else _table_of(compare),
        totals,
    )
