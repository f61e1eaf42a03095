"""Density for places as at a day: the counts behind every figure, under a scope.

What is asked and answered stands in ``density_question``, the places with their headcounts in
``density_places``, who is counted in ``density_people``. Other modules need this one alone.

Several days are answered from one read of the facts. The days asked for are numbered, and what
holds over a run of them is a bit mask: bit 0 is the first day. So a page with a trend, a second
date and a table costs as many statements as the table alone.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.scope import Scope
from crm.analysis.people_counts import Counted
from crm.domain.bases import PARTS, Basis, Roster
from crm.domain.density import TotalDensity
from crm.domain.headcount import Counts
from crm.domain.sic import sections
from crm.models.places import Branch, Employer, PlaceEdge, Region, Union
from crm.reads.density_days import Bottom, DayFigures, Picked, pick_headcounts, pick_statements
from crm.reads.density_people import (
    Facts,
    entitled,
    people_from_facts,
    people_on_days,
    read_facts,
)
from crm.reads.density_places import (
    Site,
    other_bases,
    read_headcounts,
    read_sites,
    read_statements,
    read_statements_by_union,
)
from crm.reads.density_question import (
    GroupBy,
    HeadcountUsed,
    NamedPeople,
    Part,
    Question,
    Row,
    StatedUsed,
    Survey,
    Table,
)

__all__ = [
    "GroupBy",
    "HeadcountUsed",
    "NamedPeople",
    "Part",
    "Question",
    "Row",
    "StatedUsed",
    "Survey",
    "Table",
    "density_table",
    "survey",
    "trend",
    "workplace_figure",
]


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
    read = _read(session, scope, question, wanted)
    if question.group_by is GroupBy.UNION:
        by_union = _by_union(session, scope, question, read)

        def _table_of(day: date) -> Table:
            return _union_table(session, scope, replace(question, as_at=day), read, by_union)

        figures = by_union.figures[None]
    else:
        stated = (
            {}
            if read.bottom.roster is not None
            else read_statements(session, scope, question, read.sites, until=wanted[-1])
        )
        people = people_on_days(session, scope, question, wanted)
        figures = read.figures(people, stated)

        def _table_of(day: date) -> Table:
            return _table(session, scope, replace(question, as_at=day), read.sites, figures)

    table = _table_of(question.as_at)
    return Survey(
        table=table,
        compared=None if compare is None else _table_of(compare),
        trend=tuple(
            (day, table.total if day == question.as_at else figures.total(day)[0]) for day in days
        ),
    )


def workplace_figure(
    session: Session, scope: Scope, workplace_id: int, question: Question
) -> Part | None:
    """Return the figure of one workplace, or None when the scope does not see it."""
    asked = replace(question, group_by=GroupBy.WORKPLACE, within=(workplace_id,))
    parts = survey(session, scope, asked).table.parts
    return next((part for part in parts if part.place_id == workplace_id), None)


@dataclass(frozen=True, slots=True)
class _Read:
    """The places, and what their people are held against, read once for all the days."""

    days: Sequence[date]
    sites: Sequence[Site]
    bottom: Bottom

    def figures(self, people: Counted, stated: Mapping[int, Sequence[StatedUsed]]) -> DayFigures:
        """Return the figures of these people."""
        picked = pick_statements(stated, self.sites, self.days)
        return DayFigures(self.sites, self.days, people, self.bottom, picked)


def _read(session: Session, scope: Scope, question: Question, days: Sequence[date]) -> _Read:
    sites = read_sites(session, scope, question, days)

    def _headcounts(counts: Basis) -> Picked[HeadcountUsed]:
        asked = replace(question, counts=counts)
        found = read_headcounts(session, scope, asked, sites, until=days[-1])
        return pick_headcounts(found, sites, days, counts)

    return _Read(
        days,
        sites,
        Bottom(
            _headcounts(question.counts),
            of_sites=_headcounts(Counts.SITE_ALL) if question.counts in PARTS else None,
            roster=question.counts if isinstance(question.counts, Roster) else None,
        ),
    )


def _table(
    session: Session, scope: Scope, question: Question, sites: Sequence[Site], figures: DayFigures
) -> Table:
    """Return the table of one day."""
    parts = figures.parts(question.as_at)
    groups = _groups(session, scope, question, parts)
    totals = figures.totals(question.as_at, [members for _key, members in groups])
    rows = [
        Row(key, label, detail, place, figure, tuple(parts[one] for one in members), named)
        for ((key, label, detail, place), members), (figure, named) in zip(
            groups, totals, strict=True
        )
    ]
    total, named = figures.total(question.as_at)
    return Table(
        question=question,
        rows=tuple(sorted(rows, key=_order)),
        total=total,
        parts=tuple(parts),
        named=named,
        other_bases=other_bases(session, scope, question, sites),
    )


def _order(row: Row) -> tuple[bool, float, str]:
    found = row.figure.fraction_range
    return (found is None, -(found.low if found else 0.0), row.label.casefold())


# How the parts are cut up


_Key = tuple[str, str, str, uuid.UUID | None]


def _groups(
    session: Session, scope: Scope, question: Question, parts: Sequence[Part]
) -> list[tuple[_Key, list[int]]]:
    """Return the rows of the table with the numbers of the parts in each."""
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
                [number],
            )
            for number, part in enumerate(parts)
        ]
    keys = _keys(session, scope, question, parts)
    groups: dict[_Key, list[int]] = defaultdict(list)
    for number, part in enumerate(parts):
        for key in keys.get(part.place_id) or [("none", "", "", None)]:
            groups[key].append(number)
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


@dataclass(frozen=True, slots=True)
class _Unions:
    """The unions that anything is known of, by name; and the figures of each, and of any (None)."""

    named: Sequence[tuple[int, uuid.UUID, str]]
    figures: Mapping[int | None, DayFigures]


def _by_union(session: Session, scope: Scope, question: Question, read: _Read) -> _Unions:
    """Work out each union's own members ÷ all workers. Rows may sum to more than any-union.

    Out of those entitled in a ballot, each union is held against its own ballots: two statements
    more for each union.
    """
    unions = session.execute(
        scope.select(Union.id, Union.public_id, Union.name).order_by(Union.name)
    ).all()
    facts = read_facts(session, scope, question, read.days)
    stated = (
        {}
        if read.bottom.roster is not None
        else read_statements_by_union(session, scope, question, read.sites, until=read.days[-1])
    )
    involved = {*facts.sayings.named(), *stated, None}

    def _facts_of(union: int | None) -> Facts:
        if union is None or question.counts is not Roster.BALLOT:
            return facts
        own = replace(question, union_id=union)
        return replace(facts, jobs=entitled(session, scope, own, read.days))

    return _Unions(
        named=[(union, public, name) for union, public, name in unions if union in involved],
        figures={
            union: read.figures(
                people_from_facts(_facts_of(union), union, len(read.days)), stated.get(union, {})
            )
            for union in involved
        },
    )


def _union_table(
    session: Session, scope: Scope, question: Question, read: _Read, unions: _Unions
) -> Table:
    """Return the table of one day with a row for each union that has members."""
    day, rows = question.as_at, []
    for union, public_id, name in unions.named:
        parts = unions.figures[union].parts(day)
        figure, named = unions.figures[union].total(day)
        if figure.all_members or any(part.stated for part in parts):
            rows.append(Row(str(public_id), name, "", public_id, figure, tuple(parts), named))
    total, named = unions.figures[None].total(day)
    return Table(
        question=question,
        rows=tuple(sorted(rows, key=_order)),
        total=total,
        parts=tuple(unions.figures[None].parts(day)),
        named=named,
        other_bases=other_bases(session, scope, question, read.sites),
    )
