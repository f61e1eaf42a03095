"""The part "tests": the structure tests at the unit, over everyone on each frozen list."""

from __future__ import annotations

from crm.domain.report import (
    SMALLEST_GROUP,
    Figure,
    FigureKind,
    Line,
    LineKind,
    PartName,
    ReportPart,
    ReportTable,
    between,
    count,
    hidden,
    share,
)
from crm.domain.structure import Tally
from crm.reads.report_material import Material
from crm.reads.structure import list_tests

MEASURES = ("listed", "did", "did_not", "not_done", "unheard", "target", "still_needed")
# The tests of about a year, the last ones: more are no longer read at a meeting.
MOST_TESTS = 12


def build(material: Material) -> ReportPart:
    """Return the last tests whose lists were frozen by the day, as we know now; oldest first.

    Lists of fewer than five people here are hidden. Two statements.
    """
    asked = material.asked
    held = list_tests(material.session, material.scope, unit=asked.place_id, as_at=asked.as_at)[
        -MOST_TESTS:
    ]
    lines = tuple(
        Line(
            LineKind.TEST,
            str(one.public_id),
            one.name,
            one.frozen_on,
            _figures(one.tally, one.target),
        )
        for one in held
    )
    table = ReportTable("tests", MEASURES, lines, drawn=("did",))
    return ReportPart(PartName.TESTS, (table,), nothing=not lines)


def _figures(tally: Tally, target: int | None) -> dict[str, Figure]:
    if tally.listed < SMALLEST_GROUP:
        kinds = dict.fromkeys(MEASURES, FigureKind.COUNT) | {"did": FigureKind.SHARE}
        return {name: hidden(kind) for name, kind in kinds.items()} | {
            "listed": count(tally.listed)
        }
    return {
        "listed": count(tally.listed),
        "did": share(tally.did, tally.listed, not_known=tally.unknown),
        "did_not": count(tally.did_not),
        # They say they will, or have not yet: not known until they did it.
        "not_done": count(tally.unknown - tally.unheard),
        "unheard": count(tally.unheard),
        # In per cent of everyone on the list; nobody may have set one.
        "target": between(target, target, target),
        "still_needed": between(None, None, None)
        if target is None
        else count(tally.needed(target)),
    }
