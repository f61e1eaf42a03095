"""Reports as files: tidy CSV, and workbooks with a sheet, a table and a chart for each table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from crm.analysis.safe_files import (
    PRACTICE,
    About,
    csv_bytes,
    neutral,
    sheet_names,
    workbook_bytes,
    write_about,
    write_day,
)
from crm.domain.numbers import NOT_APPLICABLE, UNKNOWN
from crm.domain.report import FigureRow

FIGURE_COLUMNS: Final = tuple(field.name for field in fields(FigureRow))
# What a day or a text may lack without being unknown.
_DOES_NOT_APPLY: Final = frozenset({"after", "line", "name"})

Cell = str | float | date | None


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """A column of a sheet: its heading, and whether it holds fractions of 1."""

    label: str
    fraction: bool = False


@dataclass(frozen=True, slots=True)
class SheetChart:
    """A chart beside the table. columns: the numbers of the columns that are drawn.

    across: one line is drawn, its columns being the bars; else a bar for each line of `lines`, the
    first and last one (from 0). kind: "bar" or "line".
    """

    title: str
    kind: str
    columns: tuple[int, ...]
    lines: tuple[int, int]
    across: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook: one heading row, then the lines."""

    name: str
    columns: tuple[SheetColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    chart: SheetChart | None = None


def figures_csv(rows: Sequence[FigureRow], *, practice: bool) -> bytes:
    """Return one row for each figure as CSV: UTF-8 with a byte order mark, dots in decimals.

    Not known is `[x]`, does not apply `[z]`, hidden `[c]`. practice: marks every row as invented.
    """
    mark = [PRACTICE] if practice else []
    return csv_bytes(
        [
            [*(["practice"] if practice else []), *FIGURE_COLUMNS],
            *([*mark, *(_text(row, name) for name in FIGURE_COLUMNS)] for row in rows),
        ]
    )


def figure_value(row: FigureRow, name: str) -> Cell:
    """Return what a cell holds: None is not known, `[z]` does not apply, `[c]` hidden."""
    value: Cell = getattr(row, name)
    if name in _DOES_NOT_APPLY and not value:
        return NOT_APPLICABLE
    return value


def _text(row: FigureRow, name: str) -> str:
    value = figure_value(row, name)
    if value is None:
        return UNKNOWN
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return neutral(value)
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def workbook(about: About, sheets: Sequence[Sheet], *, practice: bool) -> bytes:
    """Return a workbook with native tables and charts. Numbers are numbers, not known is `[x]`,
    and no text is ever a formula."""

    def fill(book: Any) -> None:
        write_about(book, about, practice=practice)
        names = sheet_names([about.name, *(sheet.name for sheet in sheets)])[1:]
        for number, (sheet, name) in enumerate(zip(sheets, names, strict=True), start=1):
            _write_sheet(book, sheet, name, f"Table{number}", practice=practice)

    return workbook_bytes(fill)


def _write_sheet(book: Any, sheet: Sheet, name: str, table_name: str, *, practice: bool) -> None:
    page = book.add_worksheet(name)
    labels = _once([neutral(column.label) for column in sheet.columns])
    formats = {
        True: book.add_format({"num_format": "0.0%"}),
        False: book.add_format({"num_format": "#,##0"}),
    }
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    last = len(sheet.rows)
    page.add_table(
        0,
        0,
        max(last, 1),
        len(labels) - 1,
        {
            "name": table_name,
            "style": "Table Style Light 1",
            "columns": [{"header": label} for label in labels],
        },
    )
    page.freeze_panes(1, 1)
    page.set_column(0, 0, 32)
    page.set_column(1, len(labels) - 1, 16)
    for line, row in enumerate(sheet.rows, start=1):
        for at, value in enumerate(row):
            if value is None:
                page.write_string(line, at, UNKNOWN)
            elif isinstance(value, str):
                page.write_string(line, at, neutral(value))
            elif isinstance(value, date):
                write_day(page, line, at, value, day)
            else:
                page.write_number(line, at, value, formats[sheet.columns[at].fraction])
    if practice:
        page.write_string(last + 2, 0, PRACTICE)
    if sheet.chart is not None:
        page.insert_chart(last + 4, 0, _chart(book, sheet, sheet.chart, name, labels))


def _once(labels: Sequence[str]) -> list[str]:
    """Return the headings, with a number behind one that is there already: Excel wants that."""
    found: list[str] = []
    for label in labels:
        number, one = 1, label
        while one.casefold() in {other.casefold() for other in found}:
            number += 1
            one = f"{label} {number}"
        found.append(one)
    return found


def _chart(book: Any, sheet: Sheet, wanted: SheetChart, name: str, labels: Sequence[str]) -> Any:
    chart = book.add_chart({"type": wanted.kind})
    first, last = (line + 1 for line in wanted.lines)
    if wanted.across:
        left, right = min(wanted.columns), max(wanted.columns)
        chart.add_series(
            {
                "name": wanted.title,
                "categories": [name, 0, left, 0, right],
                "values": [name, first, left, first, right],
                "data_labels": {"value": True},
                **_LOOK[0],
            }
        )
    else:
        for number, column in enumerate(wanted.columns):
            chart.add_series(
                {
                    "name": labels[column],
                    "categories": [name, first, 0, last, 0],
                    "values": [name, first, column, last, column],
                    **(
                        _LOOK[number % len(_LOOK)]
                        if wanted.kind == "bar"
                        else _LINES[number % len(_LINES)]
                    ),
                }
            )
    if wanted.kind == "bar":
        # The first line stands on top, as in the table.
        chart.set_y_axis({"reverse": True})
    if wanted.across or len(wanted.columns) == 1:
        chart.set_legend({"none": True})
    chart.set_title({"name": wanted.title, "overlay": False})
    chart.set_size({"width": 760, "height": max(300, 90 + 26 * (last - first + 1))})
    return chart


# Told apart in black and white: one is dark, the next light with a dark edge.
_LOOK: Final = (
    {"fill": {"color": "#12436D"}, "border": {"color": "#16161D"}},
    {"fill": {"color": "#A9C6DD"}, "border": {"color": "#16161D"}},
)
_LINES: Final = (
    {"line": {"color": "#12436D", "width": 2.5}},
    {"line": {"color": "#16161D", "width": 2, "dash_type": "dash"}},
)
