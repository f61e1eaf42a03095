"""Which places a density is measured at, and what is written down of each: how many work there, and
how many members a union stated."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from crm.access.facts import known
from crm.access.many import one_of
from crm.access.scope import Scope
from crm.domain.bases import (
    Basis,
    Roster,
)
from crm.domain.headcount import (
    Counts,
    current_headcount,
)
from crm.models.base import table_of
from crm.models.places import (
    Area,
    Employer,
    Headcount,
    MemberCount,
    PlaceClosure,
    Workplace,
)
from crm.reads.density_question import (
    GroupBy,
    HeadcountUsed,
    Question,
    StatedUsed,
)


@dataclass(frozen=True, slots=True)
class Site:
    """A workplace or area that can be measured. closed_on None: it is open."""

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


def read_sites(
    session: Session, scope: Scope, question: Question, days: Sequence[date]
) -> list[Site]:
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
        Site(
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


def read_headcounts(
    session: Session, scope: Scope, question: Question, sites: Sequence[Site], *, until: date
) -> dict[int, list[HeadcountUsed]]:
    """Return the headcounts of each place on the asked basis up to a day; of a list, none."""
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


def read_statements(
    session: Session, scope: Scope, question: Question, sites: Sequence[Site], *, until: date
) -> dict[int, list[StatedUsed]]:
    """Return what the asked union (or all unions together) stated of each place."""
    wanted = (
        MemberCount.union_id.is_(None)
        if question.union_id is None
        else MemberCount.union_id == question.union_id
    )
    found = read_statements_by_union(session, scope, question, sites, wanted, until=until)
    return found.get(question.union_id, {})


def read_statements_by_union(
    session: Session,
    scope: Scope,
    question: Question,
    sites: Sequence[Site],
    *more: sa.ColumnElement[bool],
    until: date,
) -> dict[int | None, dict[int, list[StatedUsed]]]:
    """Return what each union (None = all together) stated of each place up to a day."""
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


def other_bases(
    session: Session, scope: Scope, question: Question, sites: Sequence[Site]
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


def headcount_of(rows: Sequence[HeadcountUsed], day: date, counts: Basis) -> HeadcountUsed | None:
    """Return the headcount of a place that holds on a day; None when there is none.

    rows: all of the place. A list of names has none.
    """
    if isinstance(counts, Roster):
        return None
    found = current_headcount(rows, day, counts)
    return found if isinstance(found, HeadcountUsed) else None


def newest_statement(rows: Sequence[StatedUsed], day: date) -> StatedUsed | None:
    """Return the newest statement of a place as at a day; None when there is none."""
    found = [row for row in rows if row.on_day <= day]
    return max(found, key=lambda row: (row.on_day, row.recorded_at, row.members), default=None)
