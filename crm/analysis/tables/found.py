"""What reading a file gives, and what the reader may be told about it. Plain values only."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crm.analysis.tables.packed import Packed

# As many as a sheet of a spreadsheet program holds. Text files only: a spreadsheet is unpacked
# before its rows are counted, and guards.py stops it long before.
MAX_ROWS: Final = 1_048_576
MAX_COLUMNS: Final = 200
MAX_CELLS: Final = 12_000_000
MAX_SHEET_CELLS: Final = 3_000_000
MAX_CELL_LETTERS: Final = 20_000
# The most that the reading process answers, in letters of JSON.
MAX_ANSWER: Final = 240 * 1024 * 1024

# How text is turned into letters when a file does not say so itself, in the order they are tried.
# The last fits any bytes, so it is a guess that the reader checks.
ENCODINGS: Final = ("utf-8", "cp1252")
# What a reader may choose instead.
MORE_ENCODINGS: Final = ("utf-16", "cp1250", "cp1251", "cp1253", "cp1254", "mac_roman")
DELIMITERS: Final = (",", ";", "\t", "|", "¬")


@dataclass(frozen=True, slots=True)
class Asked:
    """How a file is to be read. None = find out.

    encoding: one of ENCODINGS or MORE_ENCODINGS. delimiter: one of DELIMITERS. sheet: the name of
    a sheet. The first two are for text files, the last is for spreadsheets.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file as text, and how they were read.

    kind: "csv", "xlsx", "xls", "ods" or "vcard". sheets: the names of all sheets, in order. rows:
    all of one width, without spaces at their ends; a cell without anything is "". The row at
    position 0 is what a spreadsheet calls row 1. Long lists are kept packed. found: what callers
    have worked out from the rows, to be looked up again.
    """

    kind: str
    rows: Sequence[tuple[str, ...]]
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    found: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def width(self) -> int:
        """Return how many columns there are; 0 for a table without rows."""
        return len(self.rows[0]) if self.rows else 0

    def as_plain(self) -> dict[str, Any]:
        """Return values that JSON can hold."""
        rows: Any = self.rows
        if isinstance(rows, Packed):
            blocks = [b64encode(block).decode() for block in rows.blocks]
            rows = {"blocks": blocks, "count": len(self.rows), "width": rows.width}
        return {
            "kind": self.kind,
            "rows": rows,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "sheet": self.sheet,
            "sheets": self.sheets,
        }

    def with_cells(self, cells: Mapping[tuple[int, int], str]) -> Table:
        """Return the table with other texts in some cells, by row number and column."""
        by_row: dict[int, dict[int, str]] = {}
        for (row_no, column), text in cells.items():
            by_row.setdefault(row_no - 1, {})[column] = text
        changed = {
            place: tuple(texts.get(column, cell) for column, cell in enumerate(self.rows[place]))
            for place, texts in by_row.items()
        }
        rows: Sequence[tuple[str, ...]]
        if isinstance(self.rows, Packed):
            rows = self.rows.with_rows(changed)
        else:
            rows = tuple(changed.get(place, row) for place, row in enumerate(self.rows))
        return Table(self.kind, rows, self.encoding, self.delimiter, self.sheet, self.sheets)


def table_of(plain: Mapping[str, Any]) -> Table:
    """Return the table that ``as_plain`` wrote down."""
    rows = plain["rows"]
    packed = isinstance(rows, Mapping)
    return Table(
        kind=plain["kind"],
        rows=(
            Packed([b64decode(one) for one in rows["blocks"]], rows["count"], rows["width"])
            if packed
            else tuple(tuple(row) for row in rows)
        ),
        encoding=plain["encoding"],
        delimiter=plain["delimiter"],
        sheet=plain["sheet"],
        sheets=tuple(plain["sheets"]),
    )


class CannotRead(Exception):
    """A file is refused. The text is a key of SENTENCES; ``number`` fills its place."""

    def __init__(self, key: str, number: int | None = None) -> None:
        super().__init__(key)
        self.key = key
        self.number = number


# Each says what is wrong and what to do. Nothing of the file's content stands in them.
EMPTY = "This file is empty. Choose another file."
UNKNOWN = "This is not a list that we can read. Save it as CSV, XLSX, ODS or vCard, then try again."
LETTERS = "Some letters in this file cannot be read. Save it as “CSV UTF-8”, then try again."
DAMAGED = "This file is damaged. Save it again, then try once more."
LOCKED = "This file is locked with a password. Take the password off, then try again."
MACROS = "This file holds macros, which are small programs. Save it as XLSX or CSV, then try again."
UNSAFE = (
    "This file is built in a way that could harm the server. Open it, copy the list into a "
    "new file, and choose that one."
)
TOO_BIG = (
    "This file is far larger inside than it looks. Copy the list into a new file, and choose "
    "that one."
)
TOO_SLOW = "This file takes too long to read. Save the list by itself as CSV, and choose that file."
TOO_MANY_ROWS = "This list has more than %(number)s rows. Split it into smaller files."
TOO_MANY_COLUMNS = "This list has more than %(number)s columns. Take out those you do not need."
TOO_MANY_CELLS = "This list has more than %(number)s cells. Split it into smaller files."
CELL_TOO_LONG = (
    "A cell of this list holds more than %(number)s letters. Shorten it, then try again."
)
OPEN_QUOTE = "Row %(number)s cannot be read. Check that each quote mark in it is closed."
NO_SHEET = "There is no such sheet in this file. Choose another one."
SENTENCES: Final[Mapping[str, str]] = {
    "empty": EMPTY,
    "unknown": UNKNOWN,
    "letters": LETTERS,
    "damaged": DAMAGED,
    "locked": LOCKED,
    "macros": MACROS,
    "unsafe": UNSAFE,
    "too_big": TOO_BIG,
    "too_slow": TOO_SLOW,
    "too_many_rows": TOO_MANY_ROWS,
    "too_many_columns": TOO_MANY_COLUMNS,
    "too_many_cells": TOO_MANY_CELLS,
    "cell_too_long": CELL_TOO_LONG,
    "open_quote": OPEN_QUOTE,
    "no_sheet": NO_SHEET,
}
