"""Density in full and what changed, as files: plain, and workbooks with a sheet for each table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext

from crm.analysis.report_files import Cell, Sheet, SheetColumn
from crm.domain.density import PeopleRange, TotalDensity
from crm.domain.headcount import Workforce
from crm.domain.movement import ADDS, Whole
from crm.domain.numbers import NOT_APPLICABLE
from crm.domain.report import Figure, FigureKind, FigureRow, between, count, share, written
from crm.features.density.changes import CAUSES
from crm.features.density.queries import Changes
from crm.reads.measures import Basis, Beside, Measures
from crm.web.filters import day as day_text
from crm.web.labels import label


def _(message: str, **words: object) -> str:
    return str(gettext(message, **words))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: its code for the plain file, its words, and its place if it has one."""

    code: str
    words: str
    figures: Mapping[str, Figure]
    place_id: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table. measures: the heading of each measure's column."""

    name: str
    caption: str
    first: str
    measures: Mapping[str, str]
    lines: tuple[Line, ...]


def rows_of(
    tables: Iterable[Table],
    *,
    part: str,
    unit: str,
    basis: str,
    as_at: date,
    after: date | None = None,
) -> list[FigureRow]:
    """Return every figure as a row of the plain file, with the columns that reports have.

    name: the basis, which is what the figures are out of. after: None = how things stood on as_at.
    """
    return [
        FigureRow(
            unit=unit,
            part=part,
            table=table.name,
            place_id=line.place_id or NOT_APPLICABLE,
            place=line.place or unit,
            line=line.code,
            name=basis,
            measure=measure,
            kind=line.figures[measure].kind.value,
            after=after,
            as_at=as_at,
            numerator=line.figures[measure].numerator,
            out_of_low=line.figures[measure].out_of_low,
            out_of_high=line.figures[measure].out_of_high,
            low=written(line.figures[measure], line.figures[measure].low),
            high=written(line.figures[measure], line.figures[measure].high),
            not_known=line.figures[measure].not_known,
        )
        for table in tables
        for line in table.lines
        for measure in table.measures
        if measure in line.figures
    ]


def sheets_of(tables: Iterable[Table]) -> list[Sheet]:
    """Return a sheet for each table that has lines."""
    return [_sheet(table) for table in tables if table.lines]


def _sheet(table: Table) -> Sheet:
    kinds = {
        measure: next(
            (line.figures[measure].kind for line in table.lines if measure in line.figures),
            FigureKind.COUNT,
        )
        for measure in table.measures
    }
    columns = [SheetColumn(table.first)]
    for measure, words in table.measures.items():
        columns += [
            SheetColumn(_("%(measure)s: %(end)s", measure=words, end=end) if end else words, share)
            for end, share in _ends(kinds[measure])
        ]
    rows: list[tuple[Cell, ...]] = [
        (
            line.words,
            *(
                cell
                for measure in table.measures
                for cell in _cells(line.figures.get(measure), kinds[measure])
            ),
        )
        for line in table.lines
    ]
    return Sheet(table.caption, tuple(columns), tuple(rows))


def _ends(kind: FigureKind) -> Iterator[tuple[str, bool]]:
    if kind is FigureKind.COUNT:
        yield "", False
    else:
        yield _("at least"), kind is FigureKind.SHARE
        yield _("at most"), kind is FigureKind.SHARE


def _cells(figure: Figure | None, kind: FigureKind) -> list[Cell]:
    if figure is None:
        return [NOT_APPLICABLE] if kind is FigureKind.COUNT else [NOT_APPLICABLE, NOT_APPLICABLE]
    if kind is FigureKind.COUNT:
        return [figure.numerator]
    return [written(figure, figure.low), written(figure, figure.high)]


# --- Density in full --------------------------------------------------------------------------


def tables_of_measures(found: Measures) -> list[Table]:
    """Return the tables of the page "Density in full", with every number of it."""
    people = {"people": _("People"), "reps": _("Reps"), "nobody": _("With no rep")}
    return [
        Table(
            "bases",
            _("By whom it counts"),
            _("Out of"),
            {
                "members": _("Members"),
                "workers": _("Workers"),
                "density": _("Density"),
                "surely": _("Surely belong"),
                "places_counted": _("Places counted"),
                "places": _("Places"),
            },
            tuple(_basis(one) for one in found.bases),
        ),
        Table(
            "beside",
            _("Reps, active, organised"),
            _("Measure"),
            {"people": _("People"), "of_workers": _("Of all workers")},
            _beside(found.beside),
        ),
        Table(
            "contracts",
            _("Kinds of contract"),
            _("Contract"),
            people,
            tuple(
                Line(
                    one.contract.value if one.contract else "not_known",
                    label(one.contract),
                    _counts(people=one.people, reps=one.reps, nobody=one.nobody),
                )
                for one in found.contracts
            ),
        ),
        Table(
            "cells",
            _("Areas and shifts"),
            _("Area and shift"),
            people,
            tuple(
                Line(
                    f"{one.area or '[x]'}, {one.shift or '[x]'}",
                    f"{one.area or _('area not known')}, {one.shift or _('shift not known')}",
                    _counts(people=one.people, reps=one.reps, nobody=one.nobody),
                )
                for one in found.cells
            ),
        ),
        Table(
            "unions",
            _("Unions side by side"),
            _("Workplace and union"),
            {"members": _("Members named")},
            tuple(_unions(found)),
        ),
    ]


def _counts(**counts: int) -> dict[str, Figure]:
    return {name: count(number) for name, number in counts.items()}


def _range(ends: PeopleRange | Workforce | None) -> Figure:
    if ends is None:
        return between(None, None, None)
    return between(ends.low, ends.best if isinstance(ends, Workforce) else None, ends.high)


def _density(
    members: PeopleRange | None, workers: Workforce | None, low: float | None, high: float | None
) -> Figure:
    if members is None or workers is None or low is None or high is None:
        return Figure(FigureKind.SHARE, None, None, None, None, None, None)
    most = min(members.high, workers.high)
    return Figure(
        kind=FigureKind.SHARE,
        numerator=members.low,
        low=low,
        high=high,
        out_of_low=workers.low,
        out_of_high=workers.high,
        not_known=max(0.0, most - members.low),
    )


def _basis(one: Basis) -> Line:
    ends = (None, None) if one.share is None else (one.share.low, one.share.high)
    return Line(
        one.counts.value,
        label(one.counts),
        {
            "members": _range(one.members),
            "workers": _range(one.workers),
            "density": _density(one.members, one.workers, *ends),
            **_counts(surely=one.surely, places_counted=one.counted_places, places=one.places),
        },
    )


def _beside(one: Beside) -> tuple[Line, ...]:
    told = {
        "reps": (_("Reps"), one.reps),
        "active": (_("Active"), one.active),
        "organised": (_("Organised"), one.organised),
    }
    lines = []
    for code, (words, people) in told.items():
        used = one.workers
        known = used is not None and used.high > 0
        lines.append(
            Line(
                code,
                words,
                {
                    "people": count(people),
                    "of_workers": Figure(
                        FigureKind.SHARE,
                        people,
                        min(1.0, people / used.high) if known and used else None,
                        (min(1.0, people / used.low) if used.low else float(people > 0))
                        if known and used
                        else None,
                        used.low if used else None,
                        used.high if used else None,
                    ),
                },
            )
        )
    return tuple(lines)


def _unions(found: Measures) -> Iterator[Line]:
    for site in found.workplaces:
        of = {"place_id": str(site.place.public_id), "place": site.place.name}
        for union, members in sorted(
            site.by_union.items(), key=lambda one: found.unions.get(one[0], "")
        ):
            name = found.unions.get(union, "")
            words = f"{site.place.name}: {name}"
            yield Line(name, words, {"members": count(members)}, **of)
        for code, words, members in (
            ("any", _("Members of any"), site.any_union),
            ("several", _("In more than one"), site.several),
        ):
            figures = {"members": count(members)}
            yield Line(code, f"{site.place.name}: {words}", figures, **of)


# --- What changed -----------------------------------------------------------------------------


def tables_of_changes(found: Changes) -> list[Table]:
    """Return the tables of the page "What changed", with every number of it."""
    return [_moves(found), _share(found), _year(found)]


def _moves(found: Changes) -> Table:
    moved = found.movement
    counted = moved.everywhere.by_cause()
    then, now = moved.everywhere.before, moved.everywhere.after
    stated = moved.stated_after - moved.stated_before
    lines = [
        Line(
            "first_day",
            day_text(moved.first),
            {
                "members": count(then.members + moved.stated_before, not_known=then.not_known),
                "listed": count(then.people),
            },
        ),
        *(
            Line(
                cause.value,
                str(words),
                {
                    "people": count(counted[cause]),
                    "members": count(counted[cause] * ADDS[cause][0]),
                    "listed": count(counted[cause] * ADDS[cause][1]),
                },
            )
            for cause, words in CAUSES.items()
            if cause in counted
        ),
        Line("stated", _("Members a union states without names"), {"members": count(stated)}),
        Line(
            "last_day",
            day_text(moved.last),
            {
                "members": count(now.members + moved.stated_after, not_known=now.not_known),
                "listed": count(now.people),
            },
        ),
    ]
    return Table(
        "members",
        _("Members"),
        _("What happened"),
        {"people": _("People"), "members": _("Members"), "listed": _("On our list")},
        tuple(lines),
    )


def _share(found: Changes) -> Table:
    """The share on both days, and what each cause added to its low end as a fraction of 1."""
    moved = found.movement
    lines = [
        Line("first_day", day_text(moved.first), _whole(moved.before, moved.total_before)),
        *(
            Line(
                one.cause.value,
                str(CAUSES[one.cause]),
                {
                    "members": count(float(one.members)),
                    "workers": count(float(one.workers)),
                    "share": Figure(
                        FigureKind.SHARE,
                        float(one.members),
                        None if one.share is None else float(one.share),
                        None if one.share is None else float(one.share),
                    ),
                },
            )
            for one in moved.effects
            if one.members or one.workers
        ),
        Line("last_day", day_text(moved.last), _whole(moved.after, moved.total_after)),
    ]
    return Table(
        "share",
        _("Share"),
        _("What happened"),
        {"members": _("Members"), "workers": _("Workers"), "share": _("Share")},
        tuple(lines),
    )


def _whole(whole: Whole, total: TotalDensity) -> dict[str, Figure]:
    """Return the share of one day: at least so much, over the places that the causes are of; where
    there are no causes, the range over all places."""
    if not whole.workers:
        return {"share": _total(total)}
    low = whole.members / whole.workers
    return {
        "members": count(whole.members),
        "workers": count(whole.workers),
        "share": Figure(
            FigureKind.SHARE, whole.members, low, None, whole.workers, whole.workers, None
        ),
    }


def _total(total: TotalDensity) -> Figure:
    ends = total.fraction_range
    return _density(
        total.member_range,
        total.workforce,
        *((None, None) if ends is None else (ends.low, ends.high)),
    )


def _year(found: Changes) -> Table:
    year = found.year
    mean = None if year.named_on_average is None else float(year.named_on_average)
    figures: dict[str, Any] = {
        **_counts(
            left=year.left,
            members_left=year.members_left,
            resigned=year.resigned,
            no_longer_known=year.no_longer_known,
            stand_still=year.stand_still,
        ),
        "named_on_average": between(mean, mean, mean),
        "leaver_share": Figure(FigureKind.SHARE, year.left, None, None, None, None)
        if not mean
        else share(year.left, mean),
    }
    return Table(
        "year",
        _("Leavers in 12 months"),
        _("From"),
        {
            "left": _("Left the job"),
            "members_left": _("Members who left the job"),
            "resigned": _("Still here, and left the union"),
            "no_longer_known": _("Still here, were members, now not known"),
            "stand_still": _("Must join in such a year just to stand still"),
            "named_on_average": _("Named on average"),
            "leaver_share": _("Share who left"),
        },
        (Line("year", day_text(found.year_from), figures),),
    )
