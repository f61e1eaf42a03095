"""What every file that leaves has in common: no cell is a formula, no copy lies in a temporary
folder, invented records are marked, and a workbook says what it is."""

from __future__ import annotations

import csv
import io
import re
import string
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import xlsxwriter

PRACTICE: Final = "PRACTICE"
# A spreadsheet runs a cell that starts with one of these as a formula; the last four are the same
# signs in the wide form of East Asian keyboards, which some programs turn back.
_DANGEROUS: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# What a reader does not see before a sign: blanks of all kinds, and signs without a width.
_NO_WIDTH: Final = string.whitespace + (
    "\u00a0\u2007\u202f\u3000\u200b\u200e\u200f\u2060\ufeff"
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_BEHIND_A_CUT: Final = re.compile(f'([;\t\r\n][{_NO_WIDTH}"]*)([{re.escape("".join(_DANGEROUS))}])')
# Excel takes no longer name of a sheet.
_SHEET_NAME: Final = 31


@dataclass(frozen=True, slots=True)
class About:
    """The sheet that says what a workbook is.

    name: of the sheet. title: "" leaves it out. lines: of (what, value). words: sentences below.
    """

    name: str
    title: str
    lines: tuple[tuple[str, str], ...]
    words: tuple[str, ...]


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


def csv_bytes(lines: Iterable[Sequence[str]]) -> bytes:
    """Return lines as CSV: UTF-8 with a byte order mark, for the spreadsheets that need it.

    The caller has made each cell of somebody's own words `neutral`.
    """
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerows(lines)
    return file.getvalue().encode("utf-8-sig")


def workbook_bytes(fill: Callable[[Any], None]) -> bytes:
    """Return the workbook that `fill` writes into an xlsxwriter book. No text is ever a formula."""
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
    fill(book)
    book.close()
    return file.getvalue()


def write_about(book: Any, about: About, *, practice: bool) -> None:
    """Add the sheet that says what the workbook is. practice: it says that all is invented."""
    bold = book.add_format({"bold": True, "valign": "top"})
    title = book.add_format({"bold": True, "font_size": 16})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet(sheet_names([about.name])[0])
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 100)
    at = 0
    for words in ([PRACTICE] if practice else []) + ([about.title] if about.title else []):
        sheet.write_string(at, 0, neutral(words), title)
        at += 1
    if about.title:
        at += 1
    for what, value in about.lines:
        sheet.write_string(at, 0, neutral(what), bold)
        sheet.write_string(at, 1, neutral(value), wrapped)
        at += 1
    at += 1
    for words in about.words:
        sheet.write_string(at, 0, neutral(words))
        at += 1


def write_day(sheet: Any, line: int, at: int, value: date, look: Any) -> None:
    """Write a day as a day. look: the format of the book that shows it."""
    moment = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a spreadsheet's days have no zone
    sheet.write_datetime(line, at, moment, look)


def sheet_names(wanted: Sequence[str]) -> list[str]:
    """Return names that Excel takes: 31 letters, some signs left out, each only once."""
    found: list[str] = []
    for name in wanted:
        plain = re.sub(r"[\[\]:*?/\\]", " ", name).strip("' ")[:_SHEET_NAME] or "Sheet"
        number, one = 1, plain
        while one.casefold() in {other.casefold() for other in found}:
            number += 1
            one = f"{plain[: _SHEET_NAME - 1 - len(str(number))]} {number}"
        found.append(one)
    return found
