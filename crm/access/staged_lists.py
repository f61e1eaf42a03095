"""Lists on their way in that nobody came back for. Nobody's scope is needed: none is read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.scope import MARK
from crm.domain.vocabulary import ImportState
from crm.models.base import table_of
from crm.models.imports import ImportRow, ListImport

# A list that is worked on is not taken away under the work, unless that has stood still so long.
LEFT_ALONE: Final = timedelta(days=7)
# Rows of one transaction: on SQLite others wait to write while it lasts.
_AT_ONCE: Final = 5000
_IN_ONE_STATEMENT: Final = 500
# The rows of a list are looked through for so long after its days are over.
_LOOKED_FOR: Final = timedelta(days=30)
_AT_WORK: Final = (ImportState.IMPORTING, ImportState.STOPPING, ImportState.UNDOING)


def has_expired(session: Session, *, now: datetime) -> bool:
    """Return True when something must go: a look before the write lock is taken."""
    lists = table_of(ListImport)
    sealed = sa.select(sa.literal(1)).where(
        _is_over(now), sa.or_(lists.c.sealed_file.is_not(None), lists.c.sealed_table.is_not(None))
    )
    rows = _rows(now).where(lists.c.expires_at > now - _LOOKED_FOR)
    return any(
        session.connection().execute(one.limit(1).execution_options(**{MARK: True})).first()
        is not None
        for one in (sealed, rows)
    )


def forget_some(session: Session, *, now: datetime) -> int:
    """Take away the files of lists whose days are over, and of some rows what the way back needed
    and whom they could be about; return of how many rows, 0 at the end. Of everybody."""
    lists, rows = table_of(ListImport), table_of(ImportRow)
    connection = session.connection()
    connection.execute(
        sa.update(lists)
        .where(_is_over(now))
        .values(sealed_file=None, sealed_table=None, sealed_front=None)
    )
    some = connection.execute(
        _rows(now).limit(_AT_ONCE).execution_options(**{MARK: True})
    ).scalars()
    ids = list(some)
    for start in range(0, len(ids), _IN_ONE_STATEMENT):
        connection.execute(
            sa.update(rows)
            .where(rows.c.id.in_(ids[start : start + _IN_ONE_STATEMENT]))
            # Nothing at all: a plain None would be stored as a word of JSON.
            .values(effects=sa.null(), candidates=sa.null())
        )
    return len(ids)


def _is_over(now: datetime) -> sa.ColumnElement[bool]:
    lists = table_of(ListImport)
    return sa.and_(
        lists.c.expires_at < now,
        sa.or_(lists.c.state.not_in(_AT_WORK), lists.c.expires_at < now - LEFT_ALONE),
    )


def _rows(now: datetime) -> sa.Select[Any]:
    lists, rows = table_of(ListImport), table_of(ImportRow)
    return (
        sa.select(rows.c.id)
        .join(lists, lists.c.id == rows.c.import_id)
        .where(_is_over(now), sa.or_(rows.c.effects.is_not(None), rows.c.candidates.is_not(None)))
    )
