"""Everything the organisation has written down, in open formats, for whoever runs the server.

A ZIP with a table of values (CSV) for each table, a dictionary of all columns, and one SQLite file
with the same rows. With it the records can be taken to any other program; nobody is locked in.
"""

from __future__ import annotations

import csv
import enum
import io
import json
import os
import sqlite3
import tempfile
import uuid
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.analysis.safe_files import neutral
from crm.models.base import Base

DATABASE: Final = "shopfloor.sqlite"
DICTIONARY: Final = "dictionary.csv"
# Rows that are held in memory at once.
_AT_ONCE: Final = 2000

# Tables that are not in the file, each with the reason; the words go into the dictionary.
LEFT_OUT: Final = {
    "invitation": "Links to sign in: they would open accounts.",
    "user_session": "Who is signed in now.",
    "sign_in_attempt": "Failed attempts to sign in, kept for some minutes.",
    "calendar_feed": "Secret addresses of calendars.",
    "task_file": "Files that were handed to the server for one piece of work.",
    "report_file": "Files that the server made. Their figures are in the other tables.",
    "taken_tap": "Random marks by which a phone’s tap is not stored twice.",
    "vote_told": "What people told us of voting. It is erased with the result; a copy is not.",
    "probe": "One row by which the server knows that it can write.",
    "search_entry": "Made from names, phones, jobs and areas, for the search.",
    "search_cut": "Made from names, for the search.",
    "person_block": "Made from names, phones, mail and addresses, to find who is here twice.",
}
# Columns that are not in the file, with the reason as well.
LEFT_OUT_COLUMNS: Final = {
    ("user_account", "password_hash"): "It opens an account.",
    ("member_list_part", "sealed"): "An uploaded file, sealed; only this server can open it.",
    ("list_import", "sealed_file"): "An uploaded file, sealed; only this server can open it.",
    ("list_import", "sealed_table"): "An uploaded file, sealed; only this server can open it.",
    ("list_import", "sealed_front"): "An uploaded file, sealed; only this server can open it.",
}


class CannotExport(Exception):
    """The file cannot be made; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the file holds."""

    tables: int
    rows: int


def write(session: Session, scope: Scope, file: Path, *, now: datetime) -> Written:
    """Write everything to a new ZIP file that only its owner can read.

    session: of one unit of work, so that all rows are of one moment. scope: over everything.
    now: the moment that stands in the file. Raises CannotExport, PermissionRefused.
    """
    if not scope.is_everything:
        raise CannotExport("Only whoever runs the server takes everything out.")
    if file.exists():
        raise CannotExport("That file is there already. Choose another name.")
    if not file.parent.is_dir():
        raise CannotExport("There is no such folder. Make it first.")
    # Made first and empty, so that the records are never in a file that others may read.
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with (
            os.fdopen(handle, "wb") as out,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
            # Beside the file: a folder for temporary files may be on another disk, or be kept.
            tempfile.TemporaryDirectory(dir=file.parent, prefix=".export-") as folder,
        ):
            return _write_all(session, scope, archive, Path(folder) / DATABASE, now)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def tables() -> tuple[sa.Table, ...]:
    """Return the tables that are in the file, those that others point at first."""
    return tuple(table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT)


def columns_of(table: sa.Table) -> tuple[sa.Column[Any], ...]:
    """Return the columns of a table that are in the file."""
    return tuple(
        column for column in table.columns if (table.name, column.name) not in LEFT_OUT_COLUMNS
    )


def _write_all(
    session: Session, scope: Scope, archive: zipfile.ZipFile, copy: Path, now: datetime
) -> Written:
    database = sqlite3.connect(copy)
    copy.chmod(0o600)
    total = 0
    try:
        # All rows or none: the block ends the transaction.
        with database:
            for table in tables():
                total += _write_table(session, scope, archive, database, table)
    finally:
        database.close()
    archive.write(copy, DATABASE)
    archive.writestr(DICTIONARY, _dictionary())
    archive.writestr("README.txt", _read_me(now, len(tables()), total))
    return Written(len(tables()), total)


def _write_table(
    session: Session,
    scope: Scope,
    archive: zipfile.ZipFile,
    database: sqlite3.Connection,
    table: sa.Table,
) -> int:
    """Write the rows of a table to both, and return how many there are."""
    columns = columns_of(table)
    database.execute(_table_of(table, columns))
    marks = ", ".join("?" for _column in columns)
    store = f'INSERT INTO "{table.name}" VALUES ({marks})'  # noqa: S608 - our own names
    count = 0
    with (
        archive.open(f"tables/{table.name}.csv", "w", force_zip64=True) as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text,
    ):
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([column.name for column in columns])
        for rows in _rows(session, scope, table, columns):
            count += len(rows)
            writer.writerows([[_cell(value) for value in row] for row in rows])
            database.executemany(store, rows)
    return count


def _rows(
    session: Session, scope: Scope, table: sa.Table, columns: Sequence[sa.Column[Any]]
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows in lists, in the order of their keys, as SQLite keeps them."""
    wanted = scope.select(*columns).order_by(*table.primary_key.columns)
    found = session.execute(wanted.execution_options(yield_per=_AT_ONCE))
    for some in found.partitions():
        yield [tuple(_plain(value) for value in row) for row in some]


def _plain(value: Any) -> str | int | float | None:
    """Return a value as text or a number: true is 1, days are 2026-05-14, moments are in UTC."""
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, int | float | str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _cell(value: Any) -> Any:
    return neutral(value) if isinstance(value, str) else value


def _kind(column: sa.Column[Any]) -> str:
    if isinstance(column.type, sa.Boolean | sa.Integer):
        return "INTEGER"
    return "REAL" if isinstance(column.type, sa.Float | sa.Numeric) else "TEXT"


def _table_of(table: sa.Table, columns: Sequence[sa.Column[Any]]) -> str:
    parts = [
        f'"{column.name}" {_kind(column)}{"" if column.nullable else " NOT NULL"}'
        for column in columns
    ]
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
    return f'CREATE TABLE "{table.name}" ({", ".join(parts)}, PRIMARY KEY ({keys}))'


def _dictionary() -> bytes:
    """Return one row for each column, and one for each table that is left out."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(
        ["table", "column", "kind", "may_be_not_known", "points_at", "values", "meaning_of_table"]
    )
    meanings = {
        table.name: " ".join((mapper.class_.__doc__ or "").split("\n\n")[0].split())
        for mapper in Base.registry.mappers
        for table in (mapper.local_table,)
        if isinstance(table, sa.Table)
    }
    for table in tables():
        for column in columns_of(table):
            points_at = ", ".join(sorted(key.target_fullname for key in column.foreign_keys))
            writer.writerow(
                [
                    table.name,
                    column.name,
                    _words_for(column),
                    "yes" if column.nullable else "no",
                    points_at,
                    ", ".join(column.type.enums) if isinstance(column.type, sa.Enum) else "",
                    meanings.get(table.name, ""),
                ]
            )
    for name, reason in LEFT_OUT.items():
        writer.writerow([name, "", "left out", "", "", "", reason])
    for (name, column_name), reason in LEFT_OUT_COLUMNS.items():
        writer.writerow([name, column_name, "left out", "", "", "", reason])
    return file.getvalue().encode("utf-8-sig")


def _words_for(column: sa.Column[Any]) -> str:
    if isinstance(column.type, sa.Boolean):
        return "1 for yes, 0 for no"
    if isinstance(column.type, sa.JSON):
        return "JSON"
    python: Any = column.type.python_type
    words = {datetime: "moment in UTC", date: "day", uuid.UUID: "id", int: "whole number"}
    return words.get(python, "number" if python is float else "text")


def _read_me(now: datetime, count: int, rows: int) -> str:
    return f"""Everything in Shopfloor, taken out on {now.astimezone(UTC):%d %B %Y, %H:%M} UTC.

{rows:,} rows in {count} tables.

tables/          one CSV file for each table, in UTF-8; open it in any spreadsheet
{DICTIONARY}   every column: its kind, what it points at, the values it can have
{DATABASE}   the same rows as one SQLite file; any SQLite program opens it

An empty cell means: not known. It never means no.
In the CSV files a text that a spreadsheet would run as a sum has an apostrophe in front of it. In
the SQLite file it stands as it was typed.
A fact with superseded_at was corrected later. A fact with valid_to was true until that day.

This file is not encrypted. It names people who can lose their jobs if an employer sees it. Keep it
on an encrypted disk, and delete it when you no longer need it.
"""
