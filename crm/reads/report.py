"""A report of a unit: what every part is made from, and the one place that puts parts together.

Each part is worked out in a module of its own, ``report_<part>.py``, from the same material, so
that two parts never disagree about who works where.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.assessment import ExpiryRule
from crm.domain.report import ALWAYS, PartName, ReportPack, ReportPart
from crm.models.places import Place
from crm.reads import (
    report_ballots,
    report_cases,
    report_changes,
    report_density,
    report_issues,
    report_leaders,
    report_readiness,
    report_reminders,
    report_support,
    report_tests,
)
from crm.reads.places import get_place
from crm.reads.report_material import Asked, Material

BUILDERS: Final[dict[PartName, Callable[[Material], ReportPart]]] = {
    PartName.CHANGES: report_changes.build,
    PartName.DENSITY: report_density.build,
    PartName.SUPPORT: report_support.build,
    PartName.TESTS: report_tests.build,
    PartName.READINESS: report_readiness.build,
    PartName.LEADERS: report_leaders.build,
    PartName.BALLOTS: report_ballots.build,
    PartName.ISSUES: report_issues.build,
    PartName.REMINDERS: report_reminders.build,
    PartName.CASES: report_cases.build,
}


def build_report(
    session: Session,
    scope: Scope,
    unit_id: uuid.UUID,
    *,
    since: date,
    as_at: date,
    day: date,
    day_end: datetime,
    expiry: ExpiryRule,
    parts: Sequence[PartName] = ALWAYS,
    permission: Permission = Permission.DENSITY_READ,
    on_part: Callable[[int, int], None] | None = None,
) -> ReportPack:
    """Return the report of a place of any kind, as we know now. Counts only, nobody's name.

    since: the day of the last meeting, before as_at; what happened on that day is not in. day:
    today in UTC, as grants are reckoned. day_end:
    the first moment after as_at where the reader lives. expiry: how long an assessment counts.
    permission: the right that must hold over the whole unit, beside the right to see its people.
    on_part: told (parts done, parts in all) before each part.
    Raises NotFound when the unit is absent or either right does not hold over all of it.
    """
    unit = get_place(session, scope, Place, unit_id, permission=permission)
    get_place(session, scope, Place, unit_id, permission=Permission.CONTACT_READ)
    material = Material(
        session,
        scope,
        Asked(
            place_id=unit.id,
            public_id=unit.public_id,
            name=unit.name,
            kind=unit.kind,
            since=since,
            as_at=as_at,
            day=day,
            day_end=day_end,
            expiry=expiry,
            permission=permission,
        ),
    )
    wanted = [part for part in PartName if part in set(parts)]
    made = []
    for done, part in enumerate(wanted):
        if on_part is not None:
            on_part(done, len(wanted))
        made.append(BUILDERS[part](material))
    return ReportPack(
        unit_id=str(unit.public_id),
        unit=unit.name,
        unit_kind=unit.kind.value,
        as_at=as_at,
        since=since,
        parts=tuple(made),
    )
