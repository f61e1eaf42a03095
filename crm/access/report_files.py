"""Files of reports that have expired. Nobody's scope is needed: what they hold is not read."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.scope import MARK
from crm.models.base import table_of
from crm.models.reports import ReportFile


def has_expired(session: Session, *, now: datetime) -> bool:
    """Return True when some file has expired: a cheap look before the write lock is taken."""
    file = table_of(ReportFile)
    found = session.connection().execute(
        sa.select(sa.literal(1))
        .select_from(file)
        .where(file.c.expires_at <= now)
        .limit(1)
        .execution_options(**{MARK: True})
    )
    return found.first() is not None


def delete_expired(session: Session, *, now: datetime) -> None:
    """Delete the files that have expired, of everybody. Their making stays in the trail."""
    file = table_of(ReportFile)
    session.connection().execute(sa.delete(file).where(file.c.expires_at <= now))
