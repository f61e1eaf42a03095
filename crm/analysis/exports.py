"""Tables as files: CSV and XLSX bytes, safe to open in a spreadsheet, unknown said as such."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from crm.analysis.safe_files import (
    PRACTICE,
    About,
    csv_bytes,
    neutral,
    workbook_bytes,
    write_about,
    write_day,
)
from crm.domain.density import NoDensity
from crm.domain.density_row import FRACTION_PLACES, DensityRow
from crm.domain.numbers import NOT_APPLICABLE, UNKNOWN, round_half_up


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
    Column("perhaps_members", Kind.COUNT),
    Column("perhaps_not_members", Kind.COUNT),
    Column("perhaps_not_known", Kind.COUNT),
    Column("headcount_on", Kind.DAY),
    Column("headcount_source", Kind.TEXT),
    Column("compared_with", Kind.DAY),
    Column("members_change", Kind.COUNT),
    Column("no_change", Kind.TEXT),
    Column("notes", Kind.TEXT),
    Column("place_id", Kind.TEXT),
)
# Without a headcount these are not known; with a workforce of nobody, a share does not apply.
_SHARES: Final = frozenset(
    {"low_fraction", "high_fraction", "confirmed_fraction", "low_percent", "high_percent"}
)
# Out of everybody who works there, nobody can be in doubt.
_OF_PARTS: Final = frozenset({"perhaps_members", "perhaps_not_members", "perhaps_not_known"})
# Without another day there is nothing to compare; where members_change is not known, no_change
# says why.
_OF_COMPARING: Final = frozenset({"compared_with", "members_change", "no_change"})
_MAY_BE_EMPTY: Final = frozenset({"place", "place_detail", "place_id", "notes"})


def density_value(row: DensityRow, column: Column) -> str | float | date | None:
    """Return what a cell holds before it is written: None is not known, `[z]` does not apply."""
    value = getattr(row, column.name)
    if column.name == "notes":
        return " ".join(row.notes) or NOT_APPLICABLE
    if column.name in _SHARES and value is None:
        small = column.kind is Kind.PERCENT and row.is_small
        return NOT_APPLICABLE if small or row.no_density is NoDensity.NO_WORKERS else None
    if column.name in _OF_COMPARING and value is None:
        unknown = column.name == "members_change" and row.compared_with is not None
        return None if unknown else NOT_APPLICABLE
    if column.name in _OF_PARTS and value is None:
        return NOT_APPLICABLE
    if column.name in _MAY_BE_EMPTY and value == "":
        return NOT_APPLICABLE
    found: str | float | date | None = value
    return found


def density_csv(rows: Sequence[DensityRow], *, practice: bool) -> bytes:
    """Return the rows as CSV: UTF-8 with a byte order mark, one heading row, dots in decimals.

    practice: marks every row as invented in a first column.
    """
    first = ["practice"] if practice else []
    mark = [PRACTICE] if practice else []
    return csv_bytes(
        [
            [*first, *(column.name for column in DENSITY_COLUMNS)],
            *(
                [*mark, *(_text(density_value(row, column), column) for column in DENSITY_COLUMNS)]
                for row in rows
            ),
        ]
    )


def words_csv(
    headings: Sequence[str], lines: Iterable[Sequence[str | None]], *, practice: bool
) -> bytes:
    """Return lines of words as CSV: UTF-8 with a byte order mark, and a heading row.

    None is an empty cell. No text is ever a formula. practice: marks every line as invented in a
    first column.
    """
    mark = [PRACTICE] if practice else []
    return csv_bytes(
        [
            [*(["practice"] if practice else []), *map(neutral, headings)],
            *([*mark, *("" if cell is None else neutral(cell) for cell in line)] for line in lines),
        ]
    )


def density_xlsx(
    rows: Sequence[DensityRow], about: About, table_name: str, *, practice: bool
) -> bytes:
    """Return the rows as a workbook: what it is, and a sheet with one heading row.

    Numbers are numbers, what is not known is `[x]`, and no text is ever a formula.
    """

    def fill(book: Any) -> None:
        write_about(book, about, practice=practice)
        _write_table(book, rows, table_name, practice=practice)

    return workbook_bytes(fill)


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


def _write_table(book: Any, rows: Sequence[DensityRow], name: str, *, practice: bool) -> None:
    sheet = book.add_worksheet(name)
    heading = book.add_format({"bold": True, "bottom": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    fraction = book.add_format({"num_format": "0.000000"})
    shift = int(practice)
    columns = [column.name for column in DENSITY_COLUMNS]
    for at, words in enumerate([*(["practice"] if practice else []), *columns]):
        sheet.set_column(at, at, 28 if words in {"place", "place_detail"} else 14)
        sheet.write_string(0, at, words, heading)
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
                write_day(sheet, line, at, value, day)
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
