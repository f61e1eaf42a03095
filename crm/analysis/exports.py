"""Tables as files: CSV and XLSX bytes, safe to open in a spreadsheet, unknown said as such."""

from __future__ import annotations

import csv
import io
import re
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import xlsxwriter

from crm.domain.density import NoDensity
from crm.domain.density_row import FRACTION_PLACES, DensityRow
from crm.domain.numbers import NOT_APPLICABLE, UNKNOWN, round_half_up

PRACTICE: Final = "PRACTICE"
# A spreadsheet runs a cell that starts with one of these as a formula; the last four are the same
# signs in the wide form of East Asian keyboards, which some programs turn back.
_DANGEROUS: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# What a reader does not see before a sign: blanks of all kinds, and signs without a width.
_NO_WIDTH: Final = string.whitespace + "\u00a0\u2007\u202f\u3000\u200b\u200e\u200f\u2060\ufeff"
_BEHIND_A_CUT: Final = re.compile(f'([;\t\r\n][{_NO_WIDTH}"]*)([{re.escape("".join(_DANGEROUS))}])')


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    DAY = "day"
    COUNT = "count"
    FRACTION = "fraction"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an exported table: its name in the heading row, and what it holds."""

    name: str
    kind: Kind


DENSITY_COLUMNS: Final = (
    Column("row", Kind.TEXT),
    Column("as_at", Kind.DAY),
    Column("by", Kind.TEXT),
    Column("basis", Kind.TEXT),
    Column("union", Kind.TEXT),
    Column("place", Kind.TEXT),
    Column("place_detail", Kind.TEXT),
    Column("members", Kind.COUNT),
    Column("members_low", Kind.COUNT),
    Column("members_high", Kind.COUNT),
    Column("not_members", Kind.COUNT),
    Column("not_known_named", Kind.COUNT),
    Column("not_named_low", Kind.COUNT),
    Column("not_named_high", Kind.COUNT),
    Column("workers_low", Kind.COUNT),
    Column("workers_best", Kind.COUNT),
    Column("workers_high", Kind.COUNT),
    Column("low_fraction", Kind.FRACTION),
    Column("high_fraction", Kind.FRACTION),
    Column("confirmed_fraction", Kind.FRACTION),
    Column("low_percent", Kind.PERCENT),
    Column("high_percent", Kind.PERCENT),
    Column("places", Kind.COUNT),
    Column("places_counted", Kind.COUNT),
    Column("members_left_out", Kind.COUNT),
    Column("headcount_on", Kind.DAY),
    Column("headcount_source", Kind.TEXT),
    Column("notes", Kind.TEXT),
    Column("place_id", Kind.TEXT),
)
# Without a headcount these are not known; with a workforce of nobody, a share does not apply.
_SHARES: Final = frozenset(
    {"low_fraction", "high_fraction", "confirmed_fraction", "low_percent", "high_percent"}
)
_MAY_BE_EMPTY: Final = frozenset({"place", "place_detail", "place_id", "notes"})


@dataclass(frozen=True, slots=True)
class Cover:
    """The first sheet of a workbook: a title, lines of (what, value), and sentences below them."""

    title: str
    lines: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
    sheet_name: str
    table_name: str


def density_value(row: DensityRow, column: Column) -> str | float | date | None:
    """Return what a cell holds before it is written: None is not known, `[z]` does not apply."""
    value = getattr(row, column.name)
    if column.name == "notes":
        return " ".join(row.notes) or NOT_APPLICABLE
    if column.name in _SHARES and value is None:
        small = column.kind is Kind.PERCENT and row.is_small
        return NOT_APPLICABLE if small or row.no_density is NoDensity.NO_WORKERS else None
    if column.name in _MAY_BE_EMPTY and value == "":
        return NOT_APPLICABLE
    found: str | float | date | None = value
    return found


def neutral(text: str) -> str:
    """Return the text with an apostrophe before whatever a spreadsheet would run as a formula.

    Spaces and signs without a width in front do not help an attacker: they are looked past. Many
    European spreadsheets cut a CSV file at semicolons, and others at tabs, whatever the quotes
    say: a sign behind one of those begins a cell, too.
    """
    inside = _BEHIND_A_CUT.sub(r"\1'\2", text)
    if text.startswith(("\t", "\r", "\n")) or text.lstrip(_NO_WIDTH).startswith(_DANGEROUS):
        return f"'{inside}"
    return inside


def density_csv(rows: Sequence[DensityRow], *, practice: bool) -> bytes:
    """Return the rows as CSV: UTF-8 with a byte order mark, one heading row, dots in decimals.

    practice: marks every row as invented in a first column.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    first = ["practice"] if practice else []
    writer.writerow([*first, *(column.name for column in DENSITY_COLUMNS)])
    mark = [PRACTICE] if practice else []
    for row in rows:
        writer.writerow(
            [*mark, *(_text(density_value(row, column), column) for column in DENSITY_COLUMNS)]
        )
    return file.getvalue().encode("utf-8-sig")


def words_csv(
    headings: Sequence[str], lines: Iterable[Sequence[str | None]], *, practice: bool
) -> bytes:
    """Return lines of words as CSV: UTF-8 with a byte order mark, and a heading row.

    None is an empty cell. No text is ever a formula. practice: marks every line as invented in a
    first column.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([*(["practice"] if practice else []), *map(neutral, headings)])
    mark = [PRACTICE] if practice else []
    for line in lines:
        writer.writerow([*mark, *("" if cell is None else neutral(cell) for cell in line)])
    return file.getvalue().encode("utf-8-sig")


def density_xlsx(rows: Sequence[DensityRow], cover: Cover, *, practice: bool) -> bytes:
    """Return the rows as a workbook: a cover sheet, and a sheet with one heading row.

    Numbers are numbers, what is not known is `[x]`, and no text is ever a formula.
    """
    file = io.BytesIO()
    book = xlsxwriter.Workbook(
        file,
        {
            # A file of union data must not lie in a folder for temporary files.
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    _write_cover(book, cover, practice=practice)
    _write_table(book, rows, cover, practice=practice)
    book.close()
    return file.getvalue()


def _text(value: str | float | date | None, column: Column) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        return neutral(value)
    if column.kind is Kind.FRACTION:
        return str(round_half_up(value, FRACTION_PLACES))
    return str(int(value)) if float(value).is_integer() else repr(value)


def _write_cover(book: Any, cover: Cover, *, practice: bool) -> None:
    bold = book.add_format({"bold": True})
    title = book.add_format({"bold": True, "font_size": 16})
    plain = book.add_format({"text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet(cover.sheet_name)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 80)
    at = 0
    if practice:
        sheet.write_string(at, 0, PRACTICE, title)
        at += 1
    sheet.write_string(at, 0, neutral(cover.title), title)
    at += 2
    for what, value in cover.lines:
        sheet.write_string(at, 0, neutral(what), bold)
        sheet.write_string(at, 1, neutral(value), plain)
        at += 1
    at += 1
    for words in cover.words:
        sheet.write_string(at, 0, neutral(words))
        at += 1


def _write_table(book: Any, rows: Sequence[DensityRow], cover: Cover, *, practice: bool) -> None:
    sheet = book.add_worksheet(cover.table_name)
    heading = book.add_format({"bold": True, "bottom": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    fraction = book.add_format({"num_format": "0.000000"})
    shift = int(practice)
    names = [column.name for column in DENSITY_COLUMNS]
    for at, name in enumerate([*(["practice"] if practice else []), *names]):
        sheet.set_column(at, at, 28 if name in {"place", "place_detail"} else 14)
        sheet.write_string(0, at, name, heading)
    sheet.freeze_panes(1, shift)
    for line, row in enumerate(rows, start=1):
        if practice:
            sheet.write_string(line, 0, PRACTICE)
        for at, column in enumerate(DENSITY_COLUMNS, start=shift):
            value = density_value(row, column)
            if value is None:
                sheet.write_string(line, at, UNKNOWN)
            elif isinstance(value, str):
                _write_words(sheet, line, at, value, column)
            elif isinstance(value, date):
                sheet.write_datetime(line, at, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001 - a spreadsheet's days have no zone
            elif column.kind is Kind.FRACTION:
                sheet.write_number(line, at, value, fraction)
            else:
                sheet.write_number(line, at, value)
    sheet.autofilter(0, 0, len(rows), len(DENSITY_COLUMNS) - 1 + shift)


def _write_words(sheet: Any, line: int, at: int, value: str, column: Column) -> None:
    if column.kind is Kind.PERCENT and value.isdigit():
        sheet.write_number(line, at, int(value))
    else:
        sheet.write_string(line, at, neutral(value))
