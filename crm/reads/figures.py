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
from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.scope import Scope
from crm.domain.density import TotalDensity
from crm.domain.sic import sections
from crm.models.places import Branch, Employer, PlaceEdge, Region, Union
from crm.reads.density_days import DayFigures
from crm.reads.density_places import Site, other_bases
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
    places_counted,
    places_told_of,
    stated_places,
)
from crm.reads.density_reading import Reading

__all__ = [
    "GroupBy",
    "HeadcountUsed",
    "NamedPeople",
    "Part",
    "Question",
    "Reading",
    "Row",
    "StatedUsed",
    "Survey",
    "Table",
    "density_table",
    "places_counted",
    "places_told_of",
    "stated_places",
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
    wanted = sorted({question.as_at, *days, *([] if compare is None else [compare])})
    reading = Reading(session, scope, question, wanted)
    if question.group_by is GroupBy.UNION:
        by_union = reading.by_union(question.counts)
        unions = _named_unions(session, scope)
        figures = by_union[None]

        def _table_of(day: date) -> Table:
            asked = replace(question, as_at=day)
            return _union_table(session, scope, asked, reading.sites, unions, by_union)

    else:
        figures = reading.figures(question.counts)

        def _table_of(day: date) -> Table:
            return _table(session, scope, replace(question, as_at=day), reading.sites, figures)

    table = _table_of(question.as_at)
    sets: dict[bytes, int] = {}
    return Survey(
        table=table,
        compared=None if compare is None else _table_of(compare),
        trend=tuple(
            (day, table.total if day == question.as_at else figures.total(day)[0]) for day in days
        ),
        trend_places=tuple(sets.setdefault(figures.ways_counted(day), len(sets)) for day in days),
    )


def workplace_figure(
    session: Session, scope: Scope, workplace_id: int, question: Question
) -> Part | None:
    """Return the figure of one workplace, or None when the scope does not see it."""
    asked = replace(question, group_by=GroupBy.WORKPLACE, within=(workplace_id,))
    parts = survey(session, scope, asked).table.parts
    return next((part for part in parts if part.place_id == workplace_id), None)


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


_NamedUnion = tuple[int, uuid.UUID, str]


def _named_unions(session: Session, scope: Scope) -> list[_NamedUnion]:
    found = session.execute(
        scope.select(Union.id, Union.public_id, Union.name).order_by(Union.name)
    )
    return [(union, public_id, name) for union, public_id, name in found]


def _union_table(
    session: Session,
    scope: Scope,
    question: Question,
    sites: Sequence[Site],
    unions: Sequence[_NamedUnion],
    figures: Mapping[int | None, DayFigures],
) -> Table:
    """Return the table of one day with a row for each union that has members: its own ÷ all
    workers. Rows may sum to more than any-union."""
    day, rows = question.as_at, []
    for union, public_id, name in unions:
        if union in figures:
            parts = figures[union].parts(day)
            figure, named = figures[union].total(day)
            if figure.all_members or any(part.stated for part in parts):
                rows.append(Row(str(public_id), name, "", public_id, figure, tuple(parts), named))
    total, named = figures[None].total(day)
    return Table(
        question=question,
        rows=tuple(sorted(rows, key=_order)),
        total=total,
        parts=tuple(figures[None].parts(day)),
        named=named,
        other_bases=other_bases(session, scope, question, sites),
    )
