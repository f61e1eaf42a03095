"""The part "density": members ÷ workers of the unit, of each place in it, and month by month."""

from __future__ import annotations

from datetime import date

from crm.domain.density import NoDensity, TotalDensity
from crm.domain.numbers import NOT_APPLICABLE
from crm.domain.report import (
    SMALLEST_GROUP,
    Figure,
    FigureKind,
    Line,
    LineKind,
    PartName,
    ReportPart,
    ReportTable,
    Value,
    between,
    count,
    hidden,
    share,
)
from crm.reads.figures import NamedPeople, Row, Survey, Table, places_counted, stated_places
from crm.reads.report_material import Material, group_of

PLACES = ("members", "not_members", "named_not_known", "workers", "density", "density_then")
COVERAGE = ("places_counted", "places_counted_then", "counted_on_both", "members_there")
MONTHS = ("members_at_least", "workers", "density", "same_places")


def build(material: Material) -> ReportPart:
    """Return the densities: members of any union ÷ all who work on site, as features/density."""
    found, secret = material.density(), material.member_lines()
    return ReportPart(
        PartName.DENSITY,
        (
            ReportTable(
                "places", PLACES, _places(material, found, material.cut), drawn=("density",)
            ),
            ReportTable(
                "coverage",
                COVERAGE,
                (_coverage(material, found, secret=secret.all_together or secret.counted),),
            ),
            ReportTable(
                "months",
                MONTHS,
                tuple(
                    _month(
                        day,
                        figure,
                        same_places=places == found.trend_places[-1],
                        secret=secret.whole or secret.counted or _is_few(figure),
                    )
                    for (day, figure), places in zip(found.trend, found.trend_places, strict=True)
                ),
                drawn=("density",),
            ),
        ),
    )


def _is_few(figure: TotalDensity) -> bool:
    return 0 < group_of(figure) < SMALLEST_GROUP


def _places(material: Material, found: Survey, cut: Survey) -> tuple[Line, ...]:
    whole = Line(
        LineKind.WHOLE,
        "",
        "",
        material.asked.as_at,
        _figures(
            found.table.total,
            found.table.named,
            _total_then(found),
            secret=material.member_lines().whole,
            no_sums=material.member_lines().sums,
            no_density=material.member_lines().counted,
        ),
    )
    earlier = {row.key: row for row in cut.compared.rows} if cut.compared else {}
    rows = [row for row in cut.table.rows if len(cut.table.rows) > 1 or cut is not found]
    secrets = material.member_lines().places
    return (
        whole,
        *(
            Line(
                LineKind.PLACE,
                str(row.public_id or ""),
                row.label,
                material.asked.as_at,
                _figures(
                    row.figure,
                    row.named,
                    _row_then(earlier.get(row.key)),
                    secret=row.parts[0].place_id in secrets,
                ),
            )
            for row in rows
        ),
    )


def _coverage(material: Material, found: Survey, *, secret: bool) -> Line:
    """Return for how many places the workers were counted, and how many members are there.

    A member with jobs at two places counts at each here: what is measured is the list of places.
    Unless the same were counted on both days in the same way, by name or as a union states them,
    the shares of the two days are of other workplaces.
    """
    figure, then = found.table.total, _total_then(found)
    parts = found.table.parts
    earlier = found.compared.parts if found.compared else ()
    both = places_counted(parts) & places_counted(earlier)
    both -= stated_places(parts) ^ stated_places(earlier)
    return Line(
        LineKind.WHOLE,
        "",
        "",
        material.asked.as_at,
        {
            "places_counted": share(figure.counted_places, figure.all_places),
            "places_counted_then": share(then.counted_places, then.all_places)
            if then
            else Figure(FigureKind.SHARE, None, None, None),
            "counted_on_both": count(len(both)),
            "members_there": hidden(FigureKind.SHARE)
            if secret or _is_few(figure)
            else share(figure.counted_members, figure.all_members),
        },
    )


def _total_then(found: Survey) -> TotalDensity | None:
    table: Table | None = found.compared
    return None if table is None else table.total


def _row_then(row: Row | None) -> TotalDensity | None:
    return None if row is None else row.figure


def _figures(
    figure: TotalDensity,
    named: NamedPeople,
    then: TotalDensity | None,
    *,
    secret: bool,
    no_sums: bool = False,
    no_density: bool = False,
) -> dict[str, Figure]:
    """Return the figures of a line. no_sums: those of all the people on the list are hidden;
    no_density: those of all places together whose workers were counted."""
    if secret:
        kinds = dict.fromkeys(PLACES[:3], FigureKind.COUNT)
        kinds |= dict.fromkeys(PLACES[4:], FigureKind.SHARE)
        return {name: hidden(kind) for name, kind in kinds.items()} | {"workers": _workers(figure)}
    if no_sums:
        people = dict.fromkeys(PLACES[:3], hidden(FigureKind.COUNT))
    else:
        # Everybody on the list, also at places that nobody has counted the workers of.
        people = {
            "members": count(named.members, not_known=named.not_known),
            "not_members": count(named.not_members),
            "named_not_known": count(named.not_known),
        }
    return people | {
        "workers": _workers(figure),
        "density": _hidden_or(figure, no_density),
        "density_then": Figure(FigureKind.SHARE, None, None, None)
        if then is None
        else _hidden_or(then, no_density),
    }


def _hidden_or(figure: TotalDensity, is_hidden: bool) -> Figure:
    return hidden(FigureKind.SHARE) if is_hidden or _is_few(figure) else _density(figure)


def _month(day: date, figure: TotalDensity, *, same_places: bool, secret: bool) -> Line:
    """Return a month. same_places: its sums are of the very places that those of the last day are
    of; else the two must not be taken from each other."""
    return Line(
        LineKind.DAY,
        day.isoformat(),
        "",
        day,
        {
            "members_at_least": hidden(FigureKind.COUNT)
            if secret
            # With no place counted the sum is of none: it is no number of members.
            else count(figure.member_range.low)
            if figure.workforce
            else Figure(FigureKind.COUNT, None, None, None),
            "workers": _workers(figure),
            "density": hidden(FigureKind.SHARE) if secret else _density(figure),
            "same_places": count(int(same_places))
            if figure.workforce
            else Figure(FigureKind.COUNT, NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE),
        },
    )


def _workers(figure: TotalDensity) -> Figure:
    used = figure.workforce
    return between(*((used.low, used.best, used.high) if used else (None, None, None)))


def _density(figure: TotalDensity) -> Figure:
    used, found = figure.workforce, figure.fraction_range
    if used is None or found is None:
        none: Value = NOT_APPLICABLE if figure.no_density is NoDensity.NO_WORKERS else None
        return Figure(
            FigureKind.SHARE,
            # The members of places without a headcount are in no density: none is no number.
            none,
            none,
            none,
            used.low if used else None,
            used.high if used else None,
            not_known=None,
        )
    members = figure.member_range
    return Figure(
        kind=FigureKind.SHARE,
        numerator=members.low,
        low=found.low,
        high=found.high,
        out_of_low=used.low,
        out_of_high=used.high,
        not_known=max(0.0, min(members.high, used.high) - members.low),
        small=figure.show_as_count,
    )
