"""CSV files of any sort, read as text: the encoding, the sign between cells, the rows."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from crm.analysis.tables.found import (
    DELIMITERS,
    ENCODINGS,
    MAX_CELL_LETTERS,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_SHEET_CELLS,
    MORE_ENCODINGS,
    Asked,
    CannotRead,
    Table,
)
from crm.analysis.tables.packed import BLOCK, Packed, pack
from crm.domain.signs import plain_signs

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT: Final = 50  # rows
# Up to here rows are held as they are. A whole number of blocks.
PACKED_FROM: Final = 20_000
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
# Anything that ``tidy`` would change: most cells hold nothing of the sort.
_UNTIDY: Final = re.compile(r"[^\S ]|  |^ | $")
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
    return Table(kind="csv", rows=_rows(text, delimiter), encoding=encoding, delimiter=delimiter)


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
    strange = len(_CONTROL.findall(text[:20_000]))
    if "\x00" in text or strange > 20:
        raise CannotRead("letters")
    return plain_signs(text), encoding


def _looks_wide(content: bytes) -> bool:
    start = content[:2000]
    odd, even_ = start[1::2].count(0), start[0::2].count(0)
    return len(start) > 3 and max(odd, even_) > len(start) // 2 * 0.6 and min(odd, even_) == 0


def _declared_delimiter(text: str) -> tuple[str | None, str]:
    """Return what a first line such as ``sep=;`` says, and the text without that line."""
    first = text[:20].partition("\n")[0]
    said = first.strip().lower()
    if said.startswith("sep=") and said[4:] in DELIMITERS:
        return said[4:], text[len(first) + 1 :]
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


def _rows(text: str, delimiter: str) -> Sequence[tuple[str, ...]]:
    csv.field_size_limit(MAX_CELL_LETTERS)
    _refuse_wide_lines(text, delimiter)
    try:
        return _kept(_cut(_lines(text), delimiter, strict=True))
    except CannotRead as refused:
        if refused.key != "open_quote":
            raise
        # Some programs do not double a quote mark inside a cell. Where every row still has as many
        # cells as the others, no row has swallowed the next one.
        rows = _Widths(_cut(chain(_lines(text.rstrip()), _ENDING), delimiter, strict=False))
        found = _kept(rows)
        if not rows.ended or len(rows.widths) != 1:
            raise
        return found


_ENDING: Final = ("\n", f'"{_END}"\n')


class _Widths:
    """Passes rows on up to the one that ends the list, and keeps how wide they were."""

    def __init__(self, rows: Iterable[list[str]]) -> None:
        self._rows = rows
        self.widths: set[int] = set()
        self.ended = False

    def __iter__(self) -> Iterator[list[str]]:
        for row in self._rows:
            if self.ended:
                # Something follows the row that should be the last: it is no end.
                self.widths |= {1, 2}
            if row == [_END]:
                self.ended = True
                continue
            if any(row):
                self.widths.add(len(row))
            yield row


def _lines(text: str) -> Iterator[str]:
    """Yield the lines with their ends. Without a copy of the text, which may be all there is."""
    for found in _LINE.finditer(text):
        yield found[0]


def _kept(rows: Iterable[list[str]]) -> Sequence[tuple[str, ...]]:
    """Return the rows all of one width, as ``even`` does; packed when they are many."""
    blocks: list[bytes] = []
    held: list[list[str]] = []
    width = last = number = 0
    for number, row in enumerate(rows, start=1):
        used = _last_used(row)
        if used:
            width, last = max(width, used), number
        held.append(row)
        if number > PACKED_FROM and number % BLOCK == 0:
            blocks += _packed(held)
            held = []
    if number <= PACKED_FROM:
        return even(held)
    blocks += _packed(held)
    if not width:
        raise CannotRead("empty")
    return Packed(blocks, last, width)


def _packed(rows: list[list[str]]) -> list[bytes]:
    return [pack(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)]


def _cut(lines: Iterable[str], delimiter: str, *, strict: bool) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=strict)
    count = cells = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # An open quote swallows all that follows, and so may look like one long cell.
            raise CannotRead("open_quote", count + 1) from error
        count += 1
        cells += len(row)
        refuse_size(count, len(row), cells, most_cells=MAX_CELLS)
        yield [unguarded(tidy(cell)) for cell in row]


def _refuse_wide_lines(text: str, delimiter: str) -> None:
    # Before the rows are cut: a line of millions of commas would become millions of cells.
    for line in _lines(text):
        if line.count(delimiter) > 4 * MAX_COLUMNS:
            raise CannotRead("too_many_columns", MAX_COLUMNS)


def refuse_size(rows: int, columns: int, cells: int, *, most_cells: int = MAX_SHEET_CELLS) -> None:
    """Raise CannotRead when a table grows beyond what the server reads."""
    if rows > MAX_ROWS:
        raise CannotRead("too_many_rows", MAX_ROWS)
    if columns > MAX_COLUMNS:
        raise CannotRead("too_many_columns", MAX_COLUMNS)
    if cells > most_cells:
        raise CannotRead("too_many_cells", most_cells)


def tidy(cell: str) -> str:
    """Return a cell's text without spaces at its ends; lines inside it stay lines."""
    if not _UNTIDY.search(cell):
        return cell
    lines = cell.replace("\xa0", " ").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(" ".join(line.split()) for line in lines).strip()


def unguarded(cell: str) -> str:
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
