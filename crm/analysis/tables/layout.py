"""Where a list begins and ends in a sheet: the heading row, and rows that are totals or notes.

Lists arrive with titles above them and sums below. What is found here is a proposal: the person
who brings the list sees it and can choose otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from crm.domain.identity import fold

_LOOKED_AT: Final = 40  # rows from the top
_LAST: Final = 6  # rows from the end
_TOTALS: Final = frozenset(
    {"total", "totals", "grand total", "sub total", "subtotal", "sum", "all", "overall", "average"}
)
_HINT: Final = re.compile(r"total|sum|all|average", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[-+£$€]?\s*[0-9][0-9,. ]*%?")

# Kinds of value that a machine can tell; the heading of such a column is not of its kind.
_KINDS: Final = (
    _NUMBER,  # Numbers, and phone numbers.
    re.compile(r"[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}(?:[ T][0-9:]+)?"),
    re.compile(r"[^@ ]+@[^@ ]+"),
)

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand, by row numbers as a spreadsheet shows them (the first is 1).

    heading_row: 0 when the list has no headings. left_out: rows of the body that look like totals,
    notes or a second line of headings.
    """

    heading_row: int
    left_out: tuple[int, ...]


def find_layout(rows: Rows) -> Layout:
    """Return where the heading row most likely is, and which rows below it are not of the list."""
    heading = find_heading_row(rows)
    return Layout(heading, find_left_out(rows, heading))


def find_heading_row(rows: Rows) -> int:
    """Return the number of the row that most likely holds the headings, or 0 for none.

    It is the first row that fills most of the columns in use with different words, none of them
    a number, and has something below it.
    """
    sample = rows[:_LOOKED_AT]
    usual = _usual_width(sample)
    for number, row in enumerate(sample, start=1):
        filled = [cell for cell in row if cell]
        if not filled or len(filled) < max(1, round(usual * 0.6)):
            continue
        if any(_NUMBER.fullmatch(cell) for cell in filled):
            # A row of values: what stands above it was a title, not headings.
            return 0
        if len({fold(cell) for cell in filled}) == len(filled) and number < len(rows):
            return number
        return 0
    return 0


def _usual_width(rows: Rows) -> int:
    """Return how many cells a row of the list itself fills: the larger half of the rows say."""
    widths = sorted((sum(1 for cell in row if cell) for row in rows), reverse=True)
    used = [width for width in widths if width]
    return used[len(used) // 4] if used else 0


def find_left_out(rows: Rows, heading_row: int) -> tuple[int, ...]:
    """Return the numbers of the rows below the headings that are not of the list, as they look.

    A total begins with a word such as "Total". A note fills one cell of a list of three columns
    or more, and only notes or empty rows follow it. Empty rows are neither. A second line of
    headings stands right below the first ("dd/mm/yyyy", "1-5").
    """
    body = range(heading_row + 1, len(rows) + 1)
    used = (number for number in reversed(body) if any(rows[number - 1]))
    last = set(islice(used, _LAST))
    found = {
        number
        for number, row in enumerate(rows, start=1)
        if number > heading_row and _is_total(row, at_the_end=number in last)
    }
    usual = _usual_width(rows[heading_row : heading_row + _LOOKED_AT])
    for number in reversed(body):
        filled = sum(1 for cell in rows[number - 1] if cell)
        if filled == 0 or number in found:
            continue
        if usual >= 3 and filled == 1 and rows[number - 1][0]:
            found.add(number)
        else:
            break
    if heading_row and _is_second_heading(rows[heading_row : heading_row + _LOOKED_AT]):
        found.add(heading_row + 1)
    return tuple(sorted(found))


def _is_second_heading(rows: Rows) -> bool:
    """Whether the first of the rows says what the columns hold, and holds nothing of that kind.

    Two columns at least must say so: one odd cell in a first row is a slip, not a heading.
    """
    if len(rows) < 4:
        return False
    odd = 0
    for at, cell in enumerate(rows[0]):
        if not cell:
            continue
        below = [row[at] for row in rows[1:] if at < len(row) and row[at]]
        for kind in _KINDS:
            alike = sum(1 for value in below if kind.fullmatch(value))
            if alike >= 3 and alike >= 0.6 * len(below):
                if kind.fullmatch(cell):
                    return False
                odd += 1
                break
    return odd >= 2


def _is_total(row: Sequence[str], *, at_the_end: bool) -> bool:
    """A firm may be called "Total Gas": a longer text counts only near the end of the list."""
    cell = next((cell for cell in row if cell), "")
    if cell.isascii() and not _HINT.search(cell):
        return False  # Most rows, without folding a name a row of a million.
    words = fold(cell)
    return words in _TOTALS or (at_the_end and words.startswith(("total ", "grand total")))
