"""What every register reader shares: unpacking, decoding, rows with numbers, and problems."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import BinaryIO, Literal

from crm.domain.errors import Refusal

# The largest register is under 4 MiB unpacked. Whatever is far beyond would only fill the memory.
MAX_EXPANDED_BYTES = 32 * 1024 * 1024
MAX_LINES = 500_000
MAX_CELLS = 1_000
MAX_PROBLEMS = 10_000
MAX_VALUE_SHOWN = 80  # characters

_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGIC = b"PK\x03\x04"
_CHUNK_BYTES = 1024 * 1024
_NUMBER = re.compile(r"-?(?:[0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\.[0-9]{1,30})?")

WRONG_NUMBER_OF_CELLS = (
    "This row does not have the same number of cells as the heading row. "
    "Look for a missing comma or quote mark."
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing in a file that could not be used, and what to do about it.

    row_number: the row that a spreadsheet shows, so the heading row is 1.
    column: the heading as it stands in the file; None when the whole row is meant.
    value_shown: what the cell holds, cut to 80 characters.
    message: a whole fixed sentence, with nothing put into it, so that it can be translated.
    row_left_out: False when the row was still read and only this cell is not known.
    """

    row_number: int
    column: str | None
    value_shown: str
    message: str
    row_left_out: bool = True


class Problems:
    """Collects problems in file order and gives up when the file is plainly the wrong one."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def leave_out(self, row_number: int, column: str | None, value: str, message: str) -> None:
        """Records why a row was not read. Raises Refusal after 10,000 problems."""
        self._add(Problem(row_number, column, shorten(value), message))

    def keep_without(self, row_number: int, column: str, value: str, message: str) -> None:
        """Records why one cell of a row that was read is not known.

        Raises Refusal after 10,000 problems.
        """
        self._add(Problem(row_number, column, shorten(value), message, row_left_out=False))

    def _add(self, problem: Problem) -> None:
        # Without an end, a large file of rubbish would fill the memory with complaints.
        if len(self._found) >= MAX_PROBLEMS:
            raise Refusal(
                "This file has more than %(limit)s problems. Check that it is the right file.",
                limit=MAX_PROBLEMS,
            )
        self._found.append(problem)

    def in_order(self) -> list[Problem]:
        """Returns the problems found so far, sorted by row number."""
        return sorted(self._found, key=lambda problem: problem.row_number)


@dataclass(frozen=True, slots=True)
class HeadedTable:
    """The body of a file whose first row names its columns.

    rows: each row's number in a spreadsheet (the first below the headings is 2) and its cells,
    always as many as there are headings. Rows are read as they are asked for.
    """

    headings: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]

    def position(self, column: str) -> int:
        """Returns where a column stands, from 0. Raises KeyError when the file lacks it."""
        return self._positions()[heading_key(column)]

    def find_position(self, column: str) -> int | None:
        """Returns where a column stands, from 0, or None when the file lacks it."""
        return self._positions().get(heading_key(column))

    def _positions(self) -> Mapping[str, int]:
        return {heading_key(heading): place for place, heading in enumerate(self.headings)}


def heading_key(heading: str) -> str:
    """Returns a heading in the form used to compare: small letters, `_` for spaces."""
    return "_".join(heading.casefold().split())


def shorten(value: str) -> str:
    """Returns a cell's text on one line, cut to 80 characters with an ellipsis."""
    text = tidy(value)
    return text if len(text) <= MAX_VALUE_SHOWN else text[: MAX_VALUE_SHOWN - 1] + "…"


def tidy(text: str) -> str:
    """Returns text without spaces at the ends and with single spaces inside."""
    return " ".join(text.split())


def read_text(stream: BinaryIO, *, encodings: Sequence[str] = ("utf-8-sig",)) -> str:
    """Returns the whole text of a stream, unpacked when it is gzip.

    The encodings are tried in order; the first that fits is used. Raises Refusal when the stream
    is empty, a spreadsheet file, damaged, larger than 32 MiB unpacked, or fits no encoding.
    """
    content = _read_bytes(stream)
    if not content.strip():
        raise Refusal("This file is empty. Choose another file.")
    if content.startswith(_ZIP_MAGIC):
        raise Refusal("This is a spreadsheet or zip file. Save it as CSV and choose that file.")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # PostgreSQL cannot store this character, and no text file has a use for it.
        if "\x00" not in text:
            return text
    raise Refusal(
        "Some letters in this file cannot be read. Save it as “CSV UTF-8”, then try again."
    )


def read_rows(
    text: str, *, delimiter: str = ",", quoted: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """Yields the row number, from 1, and the cells of each row that is not blank.

    A cell over several lines counts as one row, as it does in a spreadsheet, and blank rows are
    counted. Raises Refusal when a quote mark is never closed or a cell is over 128 KiB.
    """
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    lines = csv.reader(
        _narrow_lines(text, delimiter), delimiter=delimiter, quoting=quoting, strict=True
    )
    row_number = 0
    while True:
        row_number += 1
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refusal(
                "Row %(row)s cannot be read. Check that each quote mark in it is closed.",
                row=row_number,
            ) from error
        if any(cell and not cell.isspace() for cell in cells):
            yield row_number, cells


def _narrow_lines(text: str, delimiter: str) -> Iterator[str]:
    """Yields the lines of a text. Raises Refusal for more lines or cells than any register has.

    A line of millions of commas would become millions of cells, and take gigabytes.
    """
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if number > MAX_LINES:
            raise Refusal(
                "This file has more than %(limit)s lines. Check that it is the right file.",
                limit=MAX_LINES,
            )
        if line.count(delimiter) >= MAX_CELLS:
            raise Refusal(
                "Line %(line)s has more than %(limit)s cells. Check that it is the right file.",
                line=number,
                limit=MAX_CELLS,
            )
        yield line


def read_headed_table(
    text: str,
    problems: Problems,
    *,
    required: Sequence[str],
    delimiter: str = ",",
    quoted: bool = True,
    every_row_counts: bool = False,
) -> HeadedTable:
    """Returns the table in a text whose first row holds the headings.

    Headings are compared without regard to capitals and spaces. A row with too few or too many
    cells is left out and reported; with `every_row_counts`, for a file that is summed, the file is
    refused instead. Raises Refusal when a required column is missing or a heading stands twice,
    and while rows are read as `read_rows` does.
    """
    rows = read_rows(text, delimiter=delimiter, quoted=quoted)
    _, headings = next(rows, (0, []))
    keys = [heading_key(heading) for heading in headings]
    missing = [column for column in required if heading_key(column) not in keys]
    if missing:
        raise Refusal(
            "This file has no column called %(columns)s. Check that it is the right file.",
            columns=", ".join(missing),
        )
    times = Counter(keys)
    twice = next((key for key in keys if key and times[key] > 1), None)
    if twice is not None:
        raise Refusal(
            "Two columns of this file are called %(column)s. Rename or delete one of them.",
            column=twice,
        )
    full_rows = _full_rows(rows, len(headings), None if every_row_counts else problems)
    return HeadedTable(tuple(headings), full_rows)


def find_number(text: str) -> Decimal | None:
    """Returns the number that a cell holds, or None when it holds none.

    Accepts plain digits, a decimal point, a minus and commas between thousands. Refuses
    exponents, "nan", "inf" and digits of other scripts: a count is never written that way.
    """
    bare = text.strip()
    if not _NUMBER.fullmatch(bare):
        return None
    return Decimal(bare.replace(",", ""))


def _full_rows(
    rows: Iterator[tuple[int, list[str]]], width: int, problems: Problems | None
) -> Iterator[tuple[int, list[str]]]:
    for row_number, cells in rows:
        if len(cells) == width:
            yield row_number, cells
        elif problems is None:
            raise Refusal(
                "Row %(row)s does not have the same number of cells as the heading row, so no "
                "total can be trusted. Look for a missing comma or quote mark.",
                row=row_number,
            )
        else:
            problems.leave_out(row_number, None, ", ".join(cells), WRONG_NUMBER_OF_CELLS)


def _read_bytes(stream: BinaryIO) -> bytes:
    content = _read_up_to_limit(stream)
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content), mode="rb") as unpacked:
            return _read_up_to_limit(unpacked)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Refusal("This file is damaged. Download it again, then try once more.") from error


def _read_up_to_limit(stream: BinaryIO | gzip.GzipFile) -> bytes:
    # Read in pieces: a small gzip file can unpack to far more than the machine's memory.
    pieces: list[bytes] = []
    size = 0
    while piece := stream.read(_CHUNK_BYTES):
        size += len(piece)
        if size > MAX_EXPANDED_BYTES:
            raise Refusal(
                "This file is larger than %(limit)s MB unpacked. Split it into smaller files.",
                limit=MAX_EXPANDED_BYTES // (1024 * 1024),
            )
        pieces.append(piece)
    return b"".join(pieces)
