"""New people in great numbers, past the session: the one way round the object mapper.

An import of a hundred thousand people spends most of its time on making, tracking and flushing
objects that nobody looks at. Here their rows go straight into the tables, a statement a table.
What the session does at a flush is done here for all rows together, and by the same rules: the
scope of the writer is held against every row (storing.refuse_new_people), keys that the trail has
seen are not used again (audit.next_key), every row leaves its entry in the trail
(audit.record_created), and spans and lines of the search are derived from the same rows. Only
people who are new; whatever changes goes through the session. Why: docs/decisions/0012.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import audit, loading, search_index, spans
from crm.access.scope import MARK
from crm.access.storing import refuse_new_people
from crm.models.base import Base, table_of
from crm.models.contacts import Contact, ContactPoint, Job, Membership
from crm.models.conversations import Assessment

# In the order they are stored: the job puts a person into the scope before more is said of them.
KINDS: Final[tuple[type[Any], ...]] = (Contact, Job, ContactPoint, Membership, Assessment)


def reserve_people(session: Session, count: int) -> list[int]:
    """Return keys for so many new people, which nobody had before."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return [audit.next_key(session, connection, Contact) for _ in range(count)]
    return _from_sequence(session, Contact, count)


def last_key(session: Session, model: type[Base]) -> int:
    """Return the highest key of a table, 0 for an empty one: a number that tells of nobody."""
    highest = sa.select(sa.func.max(table_of(model).c.id)).execution_options(**{MARK: True})
    return int(session.connection().execute(highest).scalar_one() or 0)


def store_people(
    session: Session, rows: Mapping[type[Base], Sequence[dict[str, Any]]]
) -> dict[type[Base], list[int]]:
    """Store new people and what is known of them; return the keys of the rows, in their order.

    rows: for each kind of KINDS, columns by name; of Contact with a key of ``reserve_people``.
    Each person needs a job. Defaults of the models are filled in; a column that is not named is
    empty. Raises OutsideScopeError, before anything is stored, for rows outside the scope of this
    unit of work, and ValueError for any other table.
    """
    if not set(rows) <= set(KINDS):
        raise ValueError("Only people and what is dated about them are stored in bulk.")
    refuse_new_people(session, rows)
    session.flush()
    some = {model: rows[model] for model in KINDS if rows.get(model)}
    if not some:
        return {}
    _number(session, {model: of for model, of in some.items() if model is not Contact})
    whole = {model: _filled(model, of) for model, of in some.items()}
    connection = session.connection()
    for model, columns in whole.items():
        loading.put(connection, table_of(model), columns)
    audit.record_created(session, whole)
    spans.add_new(
        connection,
        jobs=some.get(Job, ()),
        memberships=some.get(Membership, ()),
        assessments=some.get(Assessment, ()),
    )
    search_index.add_new(
        connection,
        people=some.get(Contact, ()),
        jobs=some.get(Job, ()),
        points=some.get(ContactPoint, ()),
    )
    return {model: list(columns["id"]) for model, columns in whole.items()}


def _number(session: Session, rows: Mapping[type[Base], Sequence[dict[str, Any]]]) -> None:
    """Give each row its key."""
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        for model, some in rows.items():
            for row, key in zip(some, _from_sequence(session, model, len(some)), strict=True):
                row["id"] = key
        return
    # SQLite would number them like this. Whoever writes holds the lock: nobody comes between.
    highest = sa.select(
        *(sa.select(sa.func.max(table_of(model).c.id)).scalar_subquery() for model in rows)
    )
    last = connection.execute(highest.execution_options(**{MARK: True})).one()
    for before, some in zip(last, rows.values(), strict=True):
        for key, row in enumerate(some, start=(before or 0) + 1):
            row["id"] = key


def _filled(model: type[Base], rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return the columns of the rows, with the defaults of the model where a row says nothing."""
    named = dict.fromkeys(name for row in rows for name in row)
    empty: dict[str, Any] = dict.fromkeys(named)
    for column in table_of(model).columns:
        default: Any = column.default
        if default is not None and default.is_scalar:
            empty[column.key] = default.arg
    columns = {
        name: [row.get(name, default) for row in rows]
        for name, default in empty.items()
        if name != "public_id"
    }
    return {**columns, "public_id": [row.get("public_id") or uuid.uuid4() for row in rows]}


def _from_sequence(session: Session, model: type[Base], count: int) -> list[int]:
    sequence = sa.func.pg_get_serial_sequence(table_of(model).name, "id")
    numbers = sa.func.generate_series(1, count).table_valued("number")
    taken = sa.select(sa.func.nextval(sequence)).select_from(numbers)
    return list(session.connection().execute(taken).scalars())
