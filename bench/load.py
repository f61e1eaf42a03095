"""Bulk loading past the app: rows first, indexes and foreign keys afterwards.

What is dropped before is put back from the database's own definitions, so the tables end as the
migrations made them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from flask import Flask

from bench.generate import COLUMNS, Batch, Generator, Size
from crm.access.scope import Scope
from crm.access.search_index import refresh_many
from crm.access.spans import next_people
from crm.web import migrating
from crm.web.db import db, unit_of_work


class AlreadyUsed(SystemExit):
    """The database holds records: invented ones are never put among them."""


@dataclass(slots=True)
class Loaded:
    """What one load stored. Seconds: rows (made and stored), indexes with foreign keys, and the
    lines for the search."""

    size: str
    dialect: str
    rows: dict[str, int] = field(default_factory=dict)
    rows_seconds: float = 0.0
    index_seconds: float = 0.0
    search_seconds: float = 0.0

    @property
    def total_rows(self) -> int:
        """All rows of all tables."""
        return sum(self.rows.values())


class _Target(Protocol):
    def prepare(self) -> None: ...

    def write(self, table: str, columns: Iterable[str], rows: list[tuple[Any, ...]]) -> None: ...

    def finish(self) -> None: ...


def load(app: Flask, size: Size, *, seed: int, today: date) -> Loaded:
    """Migrate the app's database, fill it with invented records of this size, say what was done.

    Raises AlreadyUsed when the database holds a workplace or a contact.
    """
    with app.app_context():
        migrating.upgrade()
        dialect = db.engine.dialect.name
        with db.engine.connect() as connection:
            root_id, last_id, people = connection.exec_driver_sql(
                "SELECT (SELECT id FROM place WHERE kind = 'everything'),"
                " (SELECT max(id) FROM place), (SELECT count(*) FROM contact)",
                execution_options={"crm_scope": True},
            ).one()
        if people or last_id != root_id:
            raise AlreadyUsed("This database holds records. Name an empty one.")
        db.engine.dispose()
        pooled = db.engine.raw_connection()
        driver: Any = pooled.driver_connection
        target: _Target = _Sqlite(driver) if dialect == "sqlite" else _Postgres(driver)
        generator = Generator(size, seed=seed, today=today, root_id=root_id, first_id=last_id + 1)
        loaded = Loaded(size=size.name, dialect=dialect)
        started = time.perf_counter()
        target.prepare()
        _write(target, generator.batches(), loaded)
        middle = time.perf_counter()
        loaded.rows_seconds = middle - started
        target.finish()
        loaded.index_seconds = time.perf_counter() - middle
        pooled.invalidate()
        pooled.close()
        db.engine.dispose()
        started = time.perf_counter()
        _fill_search()
        loaded.search_seconds = time.perf_counter() - started
    return loaded


def _fill_search() -> None:
    """Derive the lines that the search for people reads, as `crm search rebuild` does."""
    scope = Scope.everything(reason="invented records are made searchable")
    last = 0
    while True:
        with unit_of_work(scope) as session:
            people = next_people(session, after=last)
            if not people:
                return
            refresh_many(session, people)
        last = people[-1]


def _write(target: _Target, batches: Iterable[Batch], loaded: Loaded) -> None:
    for table, columns, rows in batches:
        target.write(table, columns, rows)
        loaded.rows[table] = loaded.rows.get(table, 0) + len(rows)


class _Sqlite:
    """executemany of tuples in one transaction, with no journal: a load that breaks is redone."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._indexes: list[str] = []

    def prepare(self) -> None:
        run = self._connection.execute
        for pragma in ("foreign_keys=OFF", "journal_mode=OFF", "synchronous=OFF"):
            run(f"PRAGMA {pragma}").fetchall()
        run("PRAGMA cache_size=-1000000")
        found = run(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        run("BEGIN IMMEDIATE")
        for name, sql in found:
            run(f'DROP INDEX "{name}"')
            self._indexes.append(sql)

    def write(self, table: str, columns: Iterable[str], rows: list[tuple[Any, ...]]) -> None:
        names = list(columns)
        marks = ", ".join("?" * len(names))
        self._connection.executemany(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows
        )

    def finish(self) -> None:
        run = self._connection.execute
        for sql in self._indexes:
            run(sql)
        run("COMMIT")
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            run(f"PRAGMA {pragma}").fetchall()


class _Postgres:
    """COPY, without secondary indexes, unique constraints and foreign keys until the end."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._restore: list[str] = []

    def prepare(self) -> None:
        run = self._connection.execute
        run("SET TIME ZONE 'UTC'")
        run("SET maintenance_work_mem = '512MB'")
        tables = list(COLUMNS)
        constraints = run(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE conrelid::regclass::text = ANY(%s)"
            " AND contype IN ('f', 'u') ORDER BY contype DESC",
            (tables,),
        ).fetchall()
        for table, name, definition in constraints:
            run(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            self._restore.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        indexes = run(
            "SELECT i.indexname, i.indexdef FROM pg_indexes i"
            " WHERE i.schemaname = current_schema() AND i.tablename = ANY(%s) AND NOT EXISTS"
            " (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)",
            (tables,),
        ).fetchall()
        for name, definition in indexes:
            run(f'DROP INDEX "{name}"')
            self._restore.insert(0, definition)

    def write(self, table: str, columns: Iterable[str], rows: list[tuple[Any, ...]]) -> None:
        statement = f'COPY "{table}" ({", ".join(columns)}) FROM STDIN'
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def finish(self) -> None:
        run = self._connection.execute
        for statement in self._restore:
            run(statement)
        for table, columns in COLUMNS.items():
            if "id" in columns and table not in _KEYED_BY_ANOTHER:
                run(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"
                    f" (SELECT max(id) FROM {table}))"
                )
        self._connection.commit()
        # A server that runs does this by itself within a minute of such a load.
        self._connection.autocommit = True
        run("ANALYZE")


# Their key is that of the place they are.
_KEYED_BY_ANOTHER = frozenset({"trade_union", "branch", "employer", "workplace", "area"})
