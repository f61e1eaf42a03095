"""Spreadsheets (XLSX, XLS, ODS): the values that stand in the cells, as text.

A formula's last result is read, never the formula: nothing is worked out.
"""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from crm.analysis.tables.found import MAX_CELL_LETTERS, Asked, CannotRead, Table
from crm.analysis.tables.texts import even, refuse_size, tidy, unguarded
from crm.domain.signs import plain_signs


def read_sheet(content: bytes, kind: str, asked: Asked) -> Table:
    """Return the rows of one sheet: the one asked for, else the first that holds the most cells.

    Raises CannotRead for a damaged file, a sheet that is not there, or too many cells.
    """
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    except (CalamineError, OSError, ValueError) as error:
        raise CannotRead("damaged") from error
    names = tuple(str(name) for name in book.sheet_names)
    if not names:
        raise CannotRead("empty")
    name = asked.sheet if asked.sheet is not None else _fullest(book, names)
    if name not in names:
        raise CannotRead("no_sheet")
    rows = _rows(book, name)
    return Table(kind=kind, rows=even(rows), sheet=name, sheets=names)


def _fullest(book: CalamineWorkbook, names: tuple[str, ...]) -> str:
    """Return the first sheet, unless it is a mere cover with under a tenth of another's rows."""
    sizes = {name: _height(book, name) for name in names[:20]}
    first = names[0]
    biggest = max(sizes, key=lambda name: sizes[name])
    return biggest if sizes[first] * 10 < sizes[biggest] else first


def _height(book: CalamineWorkbook, name: str) -> int:
    try:
        return int(book.get_sheet_by_name(name).total_height)
    except (CalamineError, OSError, ValueError):
        return 0


def _rows(book: CalamineWorkbook, name: str) -> list[list[str]]:
    try:
        sheet = book.get_sheet_by_name(name)
        refuse_size(int(sheet.total_height), 0, 0)
        # Row numbers must be those that the spreadsheet shows: empty rows above count too.
        found = sheet.to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError) as error:
        raise CannotRead("damaged") from error
    rows: list[list[str]] = []
    cells = 0
    for row in found:
        texts = [as_text(value) for value in row]
        while texts and not texts[-1]:
            texts.pop()
        cells += len(texts)
        refuse_size(len(rows) + 1, len(texts), cells)
        if any(len(text) > MAX_CELL_LETTERS for text in texts):
            raise CannotRead("cell_too_long", MAX_CELL_LETTERS)
        rows.append(texts)
    return rows


def as_text(value: Any) -> str:
    """Return a cell's value as a person would type it: 14/05/2026 as 2026-05-14, 12.0 as 12."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, timedelta):
        return str(value)
    return unguarded(tidy(plain_signs(str(value))))
