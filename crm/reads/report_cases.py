"""The part "cases": deadlines of the reader's own cases. Only for the whole, never by place.

A case is known to its team alone; at a small place a count of one would tell others of it.
"""

from __future__ import annotations

import sqlalchemy as sa

from crm.domain.report import PartName, ReportPart, ReportTable, count
from crm.models.cases import Case, CaseDeadline
from crm.reads.report_material import Material
from crm.reads.report_reminders import due

MEASURES = ("cases", "late", "this_week", "next_week", "after")


def build(material: Material) -> ReportPart:
    """Return the open cases of the unit whose team the reader is on, and what is due in them."""
    asked = material.asked
    cases = material.session.execute(
        material.scope.select(sa.func.count(Case.id).label("cases")).where(
            Case.place_id.in_(material.inside()),
            Case.opened_on <= asked.as_at,
            sa.or_(Case.closed_on.is_(None), Case.closed_on > asked.as_at),
        )
    ).scalar_one()
    rows = material.session.execute(
        material.scope.select(CaseDeadline.due_on)
        .join(Case, Case.id == CaseDeadline.case_id)
        .where(
            Case.place_id.in_(material.inside()),
            Case.opened_on <= asked.as_at,
            sa.or_(Case.closed_on.is_(None), Case.closed_on > asked.as_at),
            CaseDeadline.created_at < asked.day_end,
            sa.or_(CaseDeadline.done_at.is_(None), CaseDeadline.done_at >= asked.day_end),
        )
    )
    tally = dict.fromkeys(MEASURES, 0) | {"cases": int(cases)}
    for row in rows:
        tally[due(row.due_on, asked.as_at)] += 1
    lines = material.lines({name: count(number) for name, number in tally.items()}, {})
    return ReportPart(
        PartName.CASES, (ReportTable("cases", MEASURES, lines),), nothing=tally["cases"] == 0
    )
