"""The part "issues": what people raised in the talks of three months, as the page of issues."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from crm.domain.report import (
    FEWEST_WHO_RAISED,
    FigureKind,
    Line,
    LineKind,
    PartName,
    ReportPart,
    ReportTable,
    count,
    hidden,
    share,
)
from crm.domain.vocabulary import ISSUES
from crm.reads.issues import Raised, raised_by_group
from crm.reads.report_material import Material

DAYS: Final = 91
BASE = ("on_list", "talked_to", "noted")


def build(material: Material) -> ReportPart:
    """Return how many people raised what, of those of whom it was noted; the most raised first.

    What fewer than three people raised is hidden. Each person counts once for each thing.
    """
    asked = material.asked
    first = asked.as_at - timedelta(days=DAYS - 1)
    found = raised_by_group(
        material.session, material.scope, asked.place_id, (first, asked.as_at), None
    ).get(None) or Raised(None, None, 0, 0, 0, {})
    base = Line(
        LineKind.WHOLE,
        "",
        "",
        asked.as_at,
        {
            "on_list": count(found.on_list),
            "talked_to": count(found.talked),
            # What matters to all the others is not known.
            "noted": count(found.noted, not_known=found.on_list - found.noted),
        },
    )
    before = first - timedelta(days=1)
    return ReportPart(
        PartName.ISSUES,
        (
            ReportTable(
                "issues", ("raised",), _lines(material, found), drawn=("raised",), after=before
            ),
            ReportTable("base", BASE, (base,), after=before),
        ),
        nothing=found.noted == 0,
    )


def _lines(material: Material, found: Raised) -> tuple[Line, ...]:
    told = {
        code: people if people >= FEWEST_WHO_RAISED else 0
        for code, people in found.by_issue.items()
    }
    lines = []
    # Those that are hidden stand in the order of the vocabulary: it must not tell which is more.
    for code in sorted(ISSUES, key=lambda code: (-told.get(code, 0), ISSUES.index(code))):
        people = found.by_issue.get(code, 0)
        figure = (
            hidden(FigureKind.SHARE)
            if 0 < people < FEWEST_WHO_RAISED
            else share(people, found.noted)
        )
        if people:
            lines.append(Line(LineKind.ISSUE, code, "", material.asked.as_at, {"raised": figure}))
    return tuple(lines)
