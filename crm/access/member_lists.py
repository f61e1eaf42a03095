"""Membership lists that nobody works through any more. Nobody's scope is needed: none is read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.scope import MARK
from crm.models.base import table_of
from crm.models.member_lists import MemberList

# A list is for the work of some weeks; the next one comes after a month.
KEPT_FOR: Final = timedelta(days=30)


def has_old(session: Session, *, now: datetime) -> bool:
    """Return True when some list is too old: a cheap look before the write lock is taken."""
    table = table_of(MemberList)
    found = session.connection().execute(
        sa.select(sa.literal(1))
        .select_from(table)
        .where(table.c.made_at <= now - KEPT_FOR, table.c.closed_at.is_(None))
        .limit(1)
        .execution_options(**{MARK: True})
    )
    return found.first() is not None


def close_old(session: Session, *, now: datetime) -> None:
    """Throw away the lines of lists that are too old, of everybody. What came of them stays."""
    table = table_of(MemberList)
    session.connection().execute(
        sa.update(table)
        .where(table.c.made_at <= now - KEPT_FOR, table.c.closed_at.is_(None))
        .values(sealed=None, decided={}, closed_at=now)
    )
