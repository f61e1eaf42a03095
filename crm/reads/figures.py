"""Density for places as at a day: the counts behind every figure, under a scope.

Two ways lead to the same counts. ``state_span`` answers for any union as known now; the dated
facts themselves answer for one union, and for "as we knew then". A test compares the two.
"""

from __future__ import annotations

import enum
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from crm.access.facts import covers, known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.density import Density, StatedMembers, TotalDensity, density, total
from crm.domain.headcount import (
    Counts,
    Workforce,
    current_headcount,
    rounding_interval,
    workforce_from,
)
from crm.domain.headcount import Headcount as Estimate
from crm.domain.timeline import MembershipStatus
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


class GroupBy(enum.StrEnum):
    """What a table of densities has a row for."""

    WORKPLACE = "workplace"
    AREA = "area"
    EMPLOYER = "employer"
    UNION = "union"
    BRANCH = "branch"
    REGION = "region"
    SECTOR = "sector"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: on which day, of whom, ÷ whom, and how the answer is cut up.

    known_at: None = as we know now; a moment = as we knew then. union_id: None = members of any
    union. within: only places inside this one. counts: what the headcount counts.
    """

    as_at: date
    group_by: GroupBy = GroupBy.WORKPLACE
    counts: Counts = Counts.SITE_ALL
    known_at: datetime | None = None
    union_id: int | None = None
    within: tuple[int, ...] = ()
    sector: str | None = None


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
    density: Density
    headcount: HeadcountUsed | None
    stated: StatedUsed | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: its place (None for "no branch" and the like) and its figure."""

    key: str
    label: str
    detail: str
    public_id: uuid.UUID | None
    figure: TotalDensity
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows, largest confirmed share first, unknown last; and the total over all parts."""

    question: Question
    rows: tuple[Row, ...]
    total: TotalDensity
    parts: tuple[Part, ...]
    other_bases: dict[Counts, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Site:
    place_id: int
    public_id: uuid.UUID
    name: str
    workplace_name: str
    employer_id: int
    region_id: int | None
    sector: str | None


@dataclass(frozen=True, slots=True)
class _People:
    """Counts per place, and the few people who are at more than one of the places."""

    by_place: dict[int, Counter[str]]
    shared: dict[int, tuple[str, tuple[int, ...]]]


MEMBER, NOT_MEMBER, NOT_KNOWN = "member", "not_member", "not_known"


def density_table(session: Session, scope: Scope, question: Question) -> Table:
    """Return the densities the question asks for, over the places of the scope.

    Every row is sum over sum of its parts; a person at two places counts once in each and once
    in the total. Places without a headcount on the asked basis are left out of the fractions,
    and counted as left out.
    """
    sites = _sites(session, scope, question)
    if question.group_by is GroupBy.UNION:
        return _by_union(session, scope, question, sites)
    parts, people = _measure(session, scope, question, sites)
    groups = _groups(session, scope, question, parts)
    rows = [
        Row(
            key=key,
            label=label,
            detail=detail,
            public_id=public_id,
            figure=_total(members, people),
            parts=tuple(members),
        )
        for (key, label, detail, public_id), members in groups
    ]
    return Table(
        question=question,
        rows=tuple(sorted(rows, key=_order)),
        total=_total(parts, people),
        parts=tuple(parts),
        other_bases=_other_bases(session, scope, question, sites),
    )


def workplace_figure(
    session: Session, scope: Scope, workplace_id: int, question: Question
) -> Part | None:
    """Return the figure of one workplace, or None when the scope does not see it."""
    asked = replace(question, group_by=GroupBy.WORKPLACE, within=(workplace_id,))
    sites = [site for site in _sites(session, scope, asked) if site.place_id == workplace_id]
    if not sites:
        return None
    parts, _ = _measure(session, scope, asked, sites)
    return parts[0]


def trend(
    session: Session, scope: Scope, question: Question, days: Sequence[date]
) -> list[tuple[date, TotalDensity]]:
    """Return the total as at each of the days, for any union or one, as known now."""
    sites = _sites(session, scope, question)
    estimates = _headcounts(session, scope, question, sites, until=max(days))
    statements = _statements(session, scope, question, sites, until=max(days))
    people = _people_on_days(session, scope, question, days)
    answer = []
    for day in days:
        on_day = people.get(day, _People({}, {}))
        parts = [_part(site, day, question, on_day, estimates, statements) for site in sites]
        answer.append((day, _total(parts, on_day)))
    return answer


def _measure(
    session: Session, scope: Scope, question: Question, sites: Sequence[_Site]
) -> tuple[list[Part], _People]:
    people = _people(session, scope, question)
    estimates = _headcounts(session, scope, question, sites, until=question.as_at)
    statements = _statements(session, scope, question, sites, until=question.as_at)
    parts = [_part(site, question.as_at, question, people, estimates, statements) for site in sites]
    return parts, people


def _part(
    site: _Site,
    day: date,
    question: Question,
    people: _People,
    estimates: dict[int, list[HeadcountUsed]],
    statements: dict[int, list[StatedUsed]],
) -> Part:
    counts = people.by_place.get(site.place_id, Counter())
    used = _current(estimates.get(site.place_id, []), day, question.counts)
    stated = _latest_statement(statements.get(site.place_id, []), day)
    return Part(
        place_id=site.place_id,
        public_id=site.public_id,
        name=site.name,
        workplace_name=site.workplace_name,
        employer_id=site.employer_id,
        region_id=site.region_id,
        sector=site.sector,
        density=density(
            members=counts[MEMBER],
            not_members=counts[NOT_MEMBER],
            not_known_named=counts[NOT_KNOWN],
            workforce=_workforce(used),
            stated=_stated(stated),
        ),
        headcount=used,
        stated=stated,
    )


def _current(rows: Sequence[HeadcountUsed], day: date, counts: Counts) -> HeadcountUsed | None:
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


def _total(parts: Sequence[Part], people: _People) -> TotalDensity:
    """Return the total over the parts; people at several counted parts are taken once."""
    counted = {part.place_id for part in parts if part.density.workforce_used is not None}
    sums: dict[str, float] = defaultdict(float)
    for part in parts:
        if part.place_id in counted:
            sums[MEMBER] += part.density.members
            sums[NOT_MEMBER] += part.density.not_members
            sums[NOT_KNOWN] += part.density.not_known_named
    for state, places in people.shared.values():
        here = sum(place in counted for place in places)
        if here > 1:
            sums[state] -= here - 1
    return total(
        [part.density for part in parts],
        distinct_members=sums[MEMBER],
        distinct_not_members=sums[NOT_MEMBER],
        distinct_not_known_named=sums[NOT_KNOWN],
    )


def _order(row: Row) -> tuple[bool, float, str]:
    found = row.figure.fraction_range
    return (found is None, -(found.low if found else 0.0), row.label.casefold())


# Which places are measured


def _within(question: Question, column: Any) -> list[sa.ColumnElement[bool]]:
    closure = table_of(PlaceClosure)
    return [
        column.in_(sa.select(closure.c.descendant_id).where(closure.c.ancestor_id == ancestor))
        for ancestor in question.within
    ]


# The tables of the place tree share one parent table, so each second one in a join is an alias.
_Owner = aliased(Employer, flat=True)
_AreaSite = aliased(Workplace, flat=True)


def _open_then(model: Any, question: Question) -> list[sa.ColumnElement[bool]]:
    return [sa.or_(model.closed_on.is_(None), model.closed_on > question.as_at)]


def _sites(session: Session, scope: Scope, question: Question) -> list[_Site]:
    """Return the workplaces (or areas) to measure, by name."""
    if question.group_by is GroupBy.AREA:
        rows = session.execute(
            scope.select(
                Area.id,
                Area.public_id,
                Area.name,
                _AreaSite.name.label("workplace_name"),
                _AreaSite.employer_id,
                _AreaSite.region_id,
                _Owner.sector,
                permission=Permission.DENSITY_READ,
            )
            .join(_AreaSite, _AreaSite.id == Area.workplace_id)
            .outerjoin(_Owner, _Owner.id == _AreaSite.employer_id)
            .where(*_open_then(_AreaSite, question), *_where(question, Area.id))
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
                _Owner.sector,
                permission=Permission.DENSITY_READ,
            )
            .outerjoin(_Owner, _Owner.id == Workplace.employer_id)
            .where(*_open_then(Workplace, question), *_where(question, Workplace.id))
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
        )
        for row in rows
    ]


def _where(question: Question, place: Any) -> list[sa.ColumnElement[bool]]:
    sector = [] if question.sector is None else [_Owner.sector == question.sector]
    return [*_within(question, place), *sector]


def _headcounts(
    session: Session, scope: Scope, question: Question, sites: Sequence[_Site], *, until: date
) -> dict[int, list[HeadcountUsed]]:
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
            Headcount.counts == question.counts,
            Headcount.on_day <= until,
            known(Headcount, question.known_at),
            *_within(question, Headcount.place_id),
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
                    counts=question.counts,
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
    rows = session.execute(
        scope.select(
            MemberCount.place_id,
            MemberCount.on_day,
            MemberCount.recorded_at,
            MemberCount.members,
            MemberCount.rounded_to,
            MemberCount.source_kind,
            MemberCount.source_note,
        ).where(
            MemberCount.union_id == question.union_id
            if question.union_id is not None
            else MemberCount.union_id.is_(None),
            MemberCount.on_day <= until,
            known(MemberCount, question.known_at),
            *_within(question, MemberCount.place_id),
        )
    )
    wanted = {site.place_id for site in sites}
    found: dict[int, list[StatedUsed]] = defaultdict(list)
    for row in rows:
        if row[0] in wanted:
            found[row[0]].append(
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
    rows = session.execute(
        scope.select(Headcount.counts, sa.func.count(sa.distinct(Headcount.place_id)))
        .where(
            Headcount.on_day <= question.as_at,
            Headcount.counts.not_in([question.counts, Counts.FTE]),
            known(Headcount, question.known_at),
            *_within(question, Headcount.place_id),
        )
        .group_by(Headcount.counts)
    )
    return {counts: int(places) for counts, places in rows} if sites else {}


# Who is counted


def _people(session: Session, scope: Scope, question: Question) -> _People:
    if question.union_id is None and question.known_at is None:
        return _people_on_days(session, scope, question, [question.as_at]).get(
            question.as_at, _People({}, {})
        )
    return recount(session, scope, question)


def _people_on_days(
    session: Session, scope: Scope, question: Question, days: Sequence[date]
) -> dict[date, _People]:
    """Count from the spans (any union, as known now), or day by day from the facts."""
    if question.union_id is not None or question.known_at is not None:
        return {day: recount(session, scope, _on(question, day)) for day in days}
    place = _span_place(question)
    answer = {}
    for day in days:
        there = (
            StateSpan.from_day <= day,
            StateSpan.to_day > day,
            place.is_not(None),
            *_within(question, StateSpan.place_id),
        )
        counts = session.execute(
            scope.select(
                place,
                StateSpan.member,
                sa.func.count(sa.distinct(StateSpan.contact_id)),
                permission=Permission.DENSITY_READ,
            )
            .where(*there)
            .group_by(place, StateSpan.member)
        )
        by_place: dict[int, Counter[str]] = defaultdict(Counter)
        for place_id, member, people in counts:
            by_place[place_id][_state(member)] += people
        several = (
            scope.select(StateSpan.contact_id, permission=Permission.DENSITY_READ)
            .where(*there)
            .group_by(StateSpan.contact_id)
            .having(sa.func.min(place) < sa.func.max(place))
        )
        shared_rows = session.execute(
            scope.select(
                StateSpan.contact_id, place, StateSpan.member, permission=Permission.DENSITY_READ
            )
            .where(*there, StateSpan.contact_id.in_(several))
            .distinct()
        )
        answer[day] = _People(
            dict(by_place),
            _shared((contact, at, _state(member)) for contact, at, member in shared_rows),
        )
    return answer


def recount(session: Session, scope: Scope, question: Question) -> _People:
    """Count people from the dated facts themselves: any day, any union or one, as known at any
    moment. The rule is that of crm/domain/timeline.py, written as SQL; a test compares them.
    """
    state = _state_column(question)
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
            permission=Permission.DENSITY_READ,
        )
        .outerjoin(Membership, status)
        .where(
            covers(Job, question.as_at),
            known(Job, question.known_at),
            place.is_not(None),
            *_within(question, Job.place_id),
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


def _state_column(question: Question) -> sa.ColumnElement[int]:
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
    return sa.func.max(sa.case((member, 2), (not_member, 1), else_=0))


def _span_place(question: Question) -> Any:
    return StateSpan.area_id if question.group_by is GroupBy.AREA else StateSpan.workplace_id


def _state(member: bool | None) -> str:
    return NOT_KNOWN if member is None else (MEMBER if member else NOT_MEMBER)


def _shared(rows: Iterable[tuple[int, int, str]]) -> dict[int, tuple[str, tuple[int, ...]]]:
    places: dict[int, list[int]] = defaultdict(list)
    states: dict[int, str] = {}
    for contact, place, state in rows:
        places[contact].append(place)
        states[contact] = state
    return {contact: (states[contact], tuple(at)) for contact, at in places.items() if len(at) > 1}


def _on(question: Question, day: date) -> Question:
    return replace(question, as_at=day)


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


def _by_union(session: Session, scope: Scope, question: Question, sites: Sequence[_Site]) -> Table:
    """A row for each union: its own members ÷ all workers. Rows may sum to more than any-union."""
    unions = session.execute(
        scope.select(Union.id, Union.public_id, Union.name).order_by(Union.name)
    ).all()
    rows = []
    for union_id, public_id, name in unions:
        own = replace(question, union_id=union_id, group_by=GroupBy.WORKPLACE)
        parts, people = _measure(session, scope, own, sites)
        figure = _total(parts, people)
        if figure.all_members or any(part.stated for part in parts):
            rows.append(Row(str(public_id), name, "", public_id, figure, tuple(parts)))
    every = replace(question, union_id=None, group_by=GroupBy.WORKPLACE)
    parts, people = _measure(session, scope, every, sites)
    return Table(
        question=question,
        rows=tuple(sorted(rows, key=_order)),
        total=_total(parts, people),
        parts=tuple(parts),
        other_bases=_other_bases(session, scope, question, sites),
    )
