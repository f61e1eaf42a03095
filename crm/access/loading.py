"""Many rows into a table by the shortest way that each database has: COPY on PostgreSQL, and on
SQLite one statement over plain tuples.

For a list of a hundred thousand people SQLAlchemy spends longer on the parameters of each row than
the database does on the row. Here a column is bound at a time, by the type of the column, so that
the database holds the same as by any other way. Constraints and keys are checked as ever. Scope
and trail are up to the caller: only the modules named in tests/meta/test_code.py call this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

Columns = Mapping[str, Sequence[Any]]


def put(
    connection: sa.Connection,
    table: sa.Table,
    columns: Columns,
    *,
    as_they_are: frozenset[str] = frozenset(),
) -> None:
    """Put rows into a table, in the transaction of the connection.

    columns: the values of all rows, by the name of their column; those that are not named get what
    the database itself gives them (no default of the model). as_they_are: columns whose values are
    already what the database takes. Raises ValueError for columns of unlike length, and what the
    driver raises for rows that break a constraint.
    """
    bound = [
        values if name in as_they_are else _bound(table.c[name].type, values, connection.dialect)
        for name, values in columns.items()
    ]
    rows = list(zip(*bound, strict=True))
    if not rows:
        return
    statement = _statement(table, tuple(columns), connection.dialect)
    if connection.dialect.name != "postgresql":
        connection.exec_driver_sql(statement, rows)
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def put_missing(connection: sa.Connection, table: sa.Table, columns: Columns) -> None:
    """Put in those of the rows whose key is not there yet, in the transaction of the connection.

    For SQLite alone: COPY knows no such thing. columns: as for ``put``.
    """
    statement = _statement(table, tuple(columns), connection.dialect, "INSERT OR IGNORE INTO")
    bound = [
        _bound(table.c[name].type, values, connection.dialect) for name, values in columns.items()
    ]
    connection.exec_driver_sql(statement, list(zip(*bound, strict=True)))


def change(
    connection: sa.Connection, table: sa.Table, keys: Sequence[int], columns: Columns
) -> None:
    """Give the rows of these keys new values, in the transaction of the connection.

    keys: of the column ``id``. columns: the values of all these rows, in the order of the keys, by
    the name of their column.
    """
    bound = {
        name: _bound(table.c[name].type, values, connection.dialect)
        for name, values in columns.items()
    }
    if not keys:
        return
    statement = _change(table, tuple(bound), connection.dialect)
    rows = list(zip(*bound.values(), keys, strict=True))
    if connection.dialect.name != "postgresql":
        connection.exec_driver_sql(statement, rows)
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.executemany(statement, rows)


def analyse(connection: sa.Connection, tables: Sequence[sa.Table]) -> None:
    """Have PostgreSQL look anew at how much is in the tables; SQLite asks for nothing like it.

    PostgreSQL does so by itself, once a minute at most. A table that was nearly empty a moment ago
    is read from end to end until then, for every statement.
    """
    if connection.dialect.name == "postgresql":
        quote = connection.dialect.identifier_preparer
        connection.exec_driver_sql("ANALYZE " + ", ".join(map(quote.format_table, tables)))


def dicts(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Return rows, given as columns by name, as ``put`` takes them. All name the same columns."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _bound(kind: sa.types.TypeEngine[Any], values: Sequence[Any], dialect: sa.Dialect) -> Any:
    """Return what the driver takes for each value of a column."""
    bind = _binder(kind, dialect)
    if bind is None:
        return values
    if isinstance(kind, sa.Uuid):
        return [bind(value) for value in values]
    # A list has one moment, one day and few kinds: the same object over and over. (By what they
    # are, not by what they equal: 1 and True are not the same.)
    known: dict[int, Any] = {}
    found = []
    for value in values:
        key = id(value)
        if key not in known:
            known[key] = bind(value)
        found.append(known[key])
    return found


def _binder(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


@lru_cache(maxsize=256)
def _statement(
    table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect, begin: str = "INSERT INTO"
) -> str:
    """Return the statement that puts rows in. It is made of names of our tables alone."""
    quote = dialect.identifier_preparer
    whole = quote.format_table(table)
    listed = ", ".join(quote.quote(table.c[name].name) for name in names)
    if dialect.name == "postgresql":
        return f"COPY {whole} ({listed}) FROM STDIN"
    return f"{begin} {whole} ({listed}) VALUES ({', '.join('?' * len(names))})"


@lru_cache(maxsize=256)
def _change(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> str:
    quote = dialect.identifier_preparer
    mark = "%s" if dialect.name == "postgresql" else "?"
    said = ", ".join(f"{quote.quote(table.c[name].name)} = {mark}" for name in names)
    return f"UPDATE {quote.format_table(table)} SET {said} WHERE id = {mark}"  # noqa: S608
