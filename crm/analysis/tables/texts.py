"""CSV files of any sort, read as text: the encoding, the sign between cells, the rows."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from typing import Final

from crm.analysis.tables.found import (
    DELIMITERS,
    ENCODINGS,
    MAX_CELL_LETTERS,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_ROWS,
    MORE_ENCODINGS,
    Asked,
    CannotRead,
    Table,
)

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT: Final = 50  # rows
# Stands in a row of its own after the last one, where a quote mark that is left open shows.
_END: Final = "end of the list"


def read_csv(content: bytes, asked: Asked) -> Table:
    """Return the rows of a CSV file. Raises CannotRead when they cannot be told or are too many."""
    text, encoding = decode(content, asked.encoding)
    if not text.strip():
        raise CannotRead("empty")
    declared, text = _declared_delimiter(text)
    delimiter = asked.delimiter if asked.delimiter in DELIMITERS else None
    delimiter = delimiter or declared or likely_delimiter(text)
    rows = list(_rows(text, delimiter))
    return Table(kind="csv", rows=even(rows), encoding=encoding, delimiter=delimiter)


def decode(content: bytes, asked: str | None = None) -> tuple[str, str]:
    """Return the letters of a file and the encoding they were read by.

    By its mark if it has one, else as asked, else the first of ENCODINGS that fits. A guesser of
    encodings was tried and called a short list of Western names Korean. Raises CannotRead.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decoded(content[len(mark) :] if encoding == "utf-8" else content, encoding)
    if asked in (*ENCODINGS, *MORE_ENCODINGS):
        return _decoded(content, str(asked))
    if _looks_wide(content):
        little = content[1:2] == b"\x00"
        text, _ = _decoded(content, "utf-16-le" if little else "utf-16-be")
        return text, "utf-16"
    for encoding in ENCODINGS[:-1]:
        try:
            return _decoded(content, encoding)
        except CannotRead:
            continue
    return _decoded(content, ENCODINGS[-1])


def _decoded(content: bytes, encoding: str) -> tuple[str, str]:
    # A few bytes stand for no letter in some Windows alphabets: shown as such, not refused.
    errors = "strict" if encoding.startswith("utf") else "replace"
    try:
        text = content.decode(encoding, errors=errors)
    except UnicodeDecodeError as error:
        raise CannotRead("letters") from error
    strange = sum(1 for letter in text[:20_000] if _is_control(letter))
    if "\x00" in text or strange > 20:
        raise CannotRead("letters")
    return "".join(letter for letter in text if not _is_control(letter)), encoding


def _is_control(letter: str) -> bool:
    return (letter < " " and letter not in "\t\r\n") or letter == "\x7f"


def _looks_wide(content: bytes) -> bool:
    start = content[:2000]
    odd, even_ = start[1::2].count(0), start[0::2].count(0)
    return len(start) > 3 and max(odd, even_) > len(start) // 2 * 0.6 and min(odd, even_) == 0


def _declared_delimiter(text: str) -> tuple[str | None, str]:
    """Return what a first line such as ``sep=;`` says, and the text without that line."""
    first, _, rest = text.partition("\n")
    said = first.strip().lower()
    if said.startswith("sep=") and said[4:] in DELIMITERS:
        return said[4:], rest
    return None, text


def likely_delimiter(text: str) -> str:
    """Return the sign that cuts the most rows into the same number of cells; a comma if none."""
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        widths = []
        try:
            for row in csv.reader(io.StringIO(text[:200_000], newline=""), delimiter=delimiter):
                if any(cell.strip() for cell in row):
                    widths.append(len(row))
                if len(widths) >= _LOOKED_AT:
                    break
        except csv.Error:
            continue
        wide = Counter(width for width in widths if width > 1)
        if not wide:
            continue
        width, times = wide.most_common(1)[0]
        score = times / len(widths) + min(width, 10) / 100
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _rows(text: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(MAX_CELL_LETTERS)
    _refuse_wide_lines(text, delimiter)
    try:
        return _cut(text, delimiter, strict=True)
    except CannotRead as refused:
        if refused.key != "open_quote":
            raise
        # Some programs do not double a quote mark inside a cell. Where every row still has as many
        # cells as the others, no row has swallowed the next one.
        rows = _cut(f'{text.rstrip()}\n"{_END}"\n', delimiter, strict=False)
        widths = {len(row) for row in rows[:-1] if any(row)}
        if rows[-1] != [_END] or len(widths) != 1:
            raise
        return rows[:-1]


def _cut(text: str, delimiter: str, *, strict: bool) -> list[list[str]]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    rows: list[list[str]] = []
    cells = 0
    while True:
        try:
            row = next(lines)
        except StopIteration:
            return rows
        except csv.Error as error:
            # An open quote swallows all that follows, and so may look like one long cell.
            raise CannotRead("open_quote", len(rows) + 1) from error
        cells += len(row)
        refuse_size(len(rows) + 1, len(row), cells)
        rows.append([_unguarded(tidy(cell)) for cell in row])


def _refuse_wide_lines(text: str, delimiter: str) -> None:
    # Before the rows are cut: a line of millions of commas would become millions of cells.
    for line in io.StringIO(text):
        if line.count(delimiter) > 4 * MAX_COLUMNS:
            raise CannotRead("too_many_columns", MAX_COLUMNS)


def refuse_size(rows: int, columns: int, cells: int) -> None:
    """Raise CannotRead when a table grows beyond what the server reads."""
    if rows > MAX_ROWS:
        raise CannotRead("too_many_rows", MAX_ROWS)
    if columns > MAX_COLUMNS:
        raise CannotRead("too_many_columns", MAX_COLUMNS)
    if cells > MAX_CELLS:
        raise CannotRead("too_many_cells", MAX_CELLS)


def tidy(cell: str) -> str:
    """Return a cell's text without spaces at its ends; lines inside it stay lines."""
    lines = cell.replace("\xa0", " ").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(" ".join(line.split()) for line in lines).strip()


def _unguarded(cell: str) -> str:
    """Return a cell without the apostrophe that keeps a spreadsheet from running it.

    Files that this program hands out have it before "+44 ...": they must read back the same.
    """
    return cell[1:] if cell[:1] == "'" and cell[1:2] in {"=", "+", "-", "@"} else cell


def even(rows: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    """Return the rows all of one width, without the empty columns and rows at the end.

    Raises CannotRead when nothing is left.
    """
    while rows and not any(rows[-1]):
        rows.pop()
    width = max((_last_used(row) for row in rows), default=0)
    if not width:
        raise CannotRead("empty")
    return tuple(tuple((*row, *[""] * (width - len(row)))[:width]) for row in rows)


def _last_used(row: list[str]) -> int:
    return max((place for place, cell in enumerate(row, start=1) if cell), default=0)
