"""The write that proves the database takes writes, and the check of the clock."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.models.tasks import Probe

# Clocks drift and machines of one cluster differ a little; hours back means a wrong clock, and
# with it wrong "recorded at" moments on everything saved meanwhile.
LARGEST_STEP_BACK = timedelta(minutes=5)


def write_probe(session: Session, scope: Scope, *, now: datetime) -> bool:
    """Write the moment into the probe row. Return False when the clock has gone back."""
    probe = session.scalars(sa.select(Probe).order_by(Probe.id).with_for_update()).first()
    if probe is None:
        session.add(Probe(at=now))
        return True
    clock_is_right = now >= probe.at - LARGEST_STEP_BACK
    if clock_is_right:
        probe.at = max(now, probe.at)
    return clock_is_right
