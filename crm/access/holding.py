"""People and the tree of places held still while somebody writes, where two can write at once.

SQLite lets one writer in at a time. On PostgreSQL two transactions that change the same person each
see only half of what both of them write: spans worked out of that count the person twice, and a
talk saved while two records become one would stay with the record that is no longer shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session, UOWTransaction

from crm.access.scope import MARK, Scope
from crm.domain.errors import NotFound
from crm.domain.vocabulary import PlaceKind
from crm.models.base import Base, table_of
from crm.models.contacts import Contact, ContactPoint, Job, Membership
from crm.models.conversations import Assessment
from crm.models.places import Place

# What spans and the lines of the search are worked out from.
_WORKED_OUT_FROM: Final = (Job, Membership, Assessment, ContactPoint)
_AT_ONCE: Final = 5000
# Any number that nothing else here takes as the name of a lock.
_LISTS: Final = 0x5307F1

_contact = table_of(Contact)
_place = table_of(Place)


def install_holding(session_class: Any) -> None:
    """Have every flush of the session class hold the people it writes about, and find them there.

    A flush raises NotFound for somebody who was taken out, or put into another record, meanwhile.
    """
    if not event.contains(session_class, "before_flush", _hold_flushed):
        event.listen(session_class, "before_flush", _hold_flushed)


def hold_people(connection: sa.Connection, contact_ids: Iterable[int]) -> None:
    """Wait for whoever works these people out, and keep others from it until the transaction ends.

    Rows that only name one of them can still be stored meanwhile.
    """
    if connection.dialect.name != "sqlite":
        _living(connection, contact_ids, shared=False)


def hold_to_remove(
    connection: sa.Connection, model: type[Contact] | type[Place], ids: Iterable[int]
) -> None:
    """Wait for whoever stores anything that names these people, or these places; keep others from
    it until the transaction ends.

    Before somebody looks whether they may be taken out: what is stored between the looking and the
    taking out would go with them.
    """
    wanted = sorted(set(ids))
    if connection.dialect.name == "sqlite":
        return
    own = table_of(model).c.id
    for start in range(0, len(wanted), _AT_ONCE):
        connection.execute(
            sa.select(own)
            .where(own.in_(wanted[start : start + _AT_ONCE]))
            .order_by(own)
            .with_for_update()
            .execution_options(**{MARK: True})
        )


def hold_tree(connection: sa.Connection) -> None:
    """Wait for whoever changes the tree of places; keep others from it until the transaction ends.

    Who sees what hangs on what the tree is worked out to. To read it nobody waits.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(
            sa.select(_place.c.id)
            .where(_place.c.kind == PlaceKind.EVERYTHING)
            .with_for_update(key_share=True)
            .execution_options(**{MARK: True})
        )


def hold_lists(connection: sa.Connection) -> None:
    """Wait for whoever stores rows of a list; keep others from it until the transaction ends.

    Whether a row is about somebody new hangs on whom all other lists have brought by then: of two
    at once each would add them. Not even lists of other branches go side by side, because a phone
    finds people anywhere; but each waits for one part of another, not for the whole of it.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LISTS)))


@lru_cache(maxsize=1)
def _naming() -> dict[type[Any], tuple[str, ...]]:
    """Return the attributes of each mapped class that name people by key."""
    found = {}
    for mapper in Base.registry.mappers:
        names = tuple(
            attribute.key
            for attribute in mapper.column_attrs
            for key in attribute.columns[0].foreign_keys
            if key.column.table is _contact
        )
        if names:
            found[mapper.class_] = names
    return found


def _hold_flushed(session: Session, context: UOWTransaction, instances: Any) -> None:
    scope: Scope | None = session.info.get("scope")
    # Work over everything holds whom it changes by itself: a merge both records.
    if scope is None or scope.is_everything or session.get_bind().dialect.name == "sqlite":
        return
    worked_out: set[int] = set()
    named: set[int] = set()
    for row in session.new:
        keys = [getattr(row, name) for name in _naming().get(type(row), ())]
        some = {key for key in keys if key is not None}
        if isinstance(row, _WORKED_OUT_FROM):
            worked_out |= some
        else:
            named |= some
    worked_out |= {row.contact_id for row in session.dirty if isinstance(row, _WORKED_OUT_FROM)}
    connection = session.connection()
    for ids, shared in ((worked_out, False), (named - worked_out, True)):
        if ids and len(_living(connection, ids, shared=shared)) < len(ids):
            raise NotFound("a person, who was taken out or put into another record")


def _living(connection: sa.Connection, contact_ids: Iterable[int], *, shared: bool) -> list[int]:
    """Hold the people who have a record of their own, in one order for all; return their ids."""
    wanted = sorted(set(contact_ids))
    found: list[int] = []
    for start in range(0, len(wanted), _AT_ONCE):
        statement = (
            sa.select(_contact.c.id)
            .where(
                _contact.c.id.in_(wanted[start : start + _AT_ONCE]),
                _contact.c.merged_into_id.is_(None),
            )
            .order_by(_contact.c.id)
            .with_for_update(key_share=True, read=shared)
        )
        found.extend(connection.execute(statement.execution_options(**{MARK: True})).scalars())
    return found
