"""Membership lists that nobody works through any more. Nobody's scope is needed: none is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.scope import MARK
from crm.models.base import table_of
from crm.models.member_lists import (
    MemberList,
    MemberListAct,
    MemberListChange,
    MemberListLine,
    MemberListPart,
)

# A list is for the work of some weeks; the next one comes after a month. What was said yes to can
# be taken back for as long.
KEPT_FOR: Final = timedelta(days=30)


def has_old(session: Session, *, now: datetime) -> bool:
    """Return True when something is too old: a cheap look before the write lock is taken."""
    lists, acts = table_of(MemberList), table_of(MemberListAct)
    old: tuple[sa.Select[Any], ...] = (
        sa.select(sa.literal(1)).where(*_old_lists(lists, now)),
        sa.select(sa.literal(1)).where(acts.c.at <= now - KEPT_FOR),
    )
    return any(
        session.connection().execute(one.limit(1).execution_options(**{MARK: True})).first()
        is not None
        for one in old
    )


def _old_lists(table: sa.Table, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.made_at <= now - KEPT_FOR, table.c.closed_at.is_(None)


def close_old(session: Session, *, now: datetime) -> None:
    """Throw away the lines of lists that are too old, of everybody. What came of them stays.

    What the way back of an act needs goes too, when its days are over.
    """
    table, acts, changes = map(table_of, (MemberList, MemberListAct, MemberListChange))
    connection = session.connection()
    marked = {MARK: True}
    old = (
        connection.execute(
            sa.select(table.c.id).where(*_old_lists(table, now)).execution_options(**marked)
        )
        .scalars()
        .all()
    )
    forget_lines(session, old)
    connection.execute(
        sa.update(table)
        .where(table.c.id.in_(old))
        .values(settings={}, decided={}, closed_at=now, looked_at=None)
    )
    over = sa.select(acts.c.id).where(acts.c.at <= now - KEPT_FOR)
    connection.execute(sa.delete(changes).where(changes.c.act_id.in_(over)))
    connection.execute(sa.delete(acts).where(acts.c.at <= now - KEPT_FOR))


def forget_lines(session: Session, list_ids: Sequence[int]) -> None:
    """Delete the sealed rows of lists, and what is to be done about each."""
    for model in (MemberListPart, MemberListLine):
        table = table_of(model)
        session.connection().execute(sa.delete(table).where(table.c.list_id.in_(list_ids)))
