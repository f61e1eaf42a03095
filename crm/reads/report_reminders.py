"""The part "reminders": whom somebody promised to speak to again, by when. Counts only."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

import sqlalchemy as sa

from crm.domain.report import Figure, PartName, ReportPart, ReportTable, count
from crm.models.conversations import FollowUp
from crm.reads.report_material import Material

WEEK = timedelta(days=7)
MEASURES = ("late", "this_week", "next_week", "after", "open")


def build(material: Material) -> ReportPart:
    """Return how many reminders were open at the end of the day, by when they are due."""
    asked = material.asked
    rows = material.session.execute(
        material.scope.select(FollowUp.place_id, FollowUp.due_on).where(
            FollowUp.place_id.in_(material.inside()),
            FollowUp.created_at < asked.day_end,
            sa.or_(FollowUp.done_at.is_(None), FollowUp.done_at >= asked.day_end),
        )
    )
    whole = dict.fromkeys(MEASURES, 0)
    by_place = defaultdict[int | None, dict[str, int]](lambda: dict.fromkeys(MEASURES, 0))
    for place_id, due_on in rows:
        for tally in (whole, by_place[material.line_place(place_id)]):
            tally[due(due_on, asked.as_at)] += 1
            tally["open"] += 1
    lines = material.lines(
        _figures(whole), {place: _figures(tally) for place, tally in by_place.items()}
    )
    table = ReportTable("reminders", MEASURES, lines, drawn=MEASURES[:-1])
    return ReportPart(PartName.REMINDERS, (table,), nothing=whole["open"] == 0)


def due(due_on: date, as_at: date) -> str:
    """Return in which of the first four measures something due on a day is counted."""
    if due_on < as_at:
        return "late"
    if due_on < as_at + WEEK:
        return "this_week"
    return "next_week" if due_on < as_at + 2 * WEEK else "after"


def _figures(tally: dict[str, int]) -> dict[str, Figure]:
    return {name: count(number) for name, number in tally.items()}
