"""Lists of people as files: CSV, a workbook, and cards for the address book of a phone.

An empty cell is "not known". The headings are those that the import of lists understands, so that
a file can come back as it went out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from crm.analysis.safe_files import (
    PRACTICE,
    About,
    csv_bytes,
    neutral,
    workbook_bytes,
    write_about,
    write_day,
)
from crm.domain.custom_fields import number_text

Cell = str | float | date | bool | None
# Octets of a line in a card; longer ones go on in the next (RFC 6350, section 3.2).
_LINE: Final = 75


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings. Each heading stands once."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One person for an address book: nothing of the union, and nothing of what they think."""

    public_id: UUID
    known_as: str
    full_name: str | None
    phones: tuple[str, ...]
    emails: tuple[str, ...]


def people_csv(table: Table, *, practice: bool) -> bytes:
    """Return the rows as CSV: UTF-8 with a byte order mark, one heading row, days as 2026-05-14.

    practice: marks every row as invented in a last column.
    """
    last = ["practice"] if practice else []
    mark = [PRACTICE] if practice else []
    return csv_bytes(
        [
            [*map(neutral, table.headings), *last],
            *([*map(_text, row), *mark] for row in table.rows),
        ]
    )


def people_xlsx(table: Table, about: About, name: str, *, practice: bool) -> bytes:
    """Return the rows as a workbook: the people first, then a sheet about the file.

    name: of the first sheet. Days are days, and no text is ever a formula.
    """

    def fill(book: Any) -> None:
        _write_table(book, table, name, practice=practice)
        write_about(book, about, practice=practice)

    return workbook_bytes(fill)


def people_vcards(cards: Sequence[Card]) -> bytes:
    """Return the cards as vCard 4.0 (RFC 6350)."""
    lines: list[str] = []
    for card in cards:
        words = (card.full_name or card.known_as).split()
        family = words[-1] if card.full_name and len(words) > 1 else ""
        given = " ".join(words[:-1]) if family else " ".join(words)
        lines += [
            "BEGIN:VCARD",
            "VERSION:4.0",
            f"UID:urn:uuid:{card.public_id}",
            f"FN:{_escaped(card.full_name or card.known_as)}",
            f"N:{_escaped(family)};{_escaped(given)};;;",
        ]
        if card.full_name and card.known_as != card.full_name:
            lines.append(f"NICKNAME:{_escaped(card.known_as)}")
        lines += [f"TEL;VALUE=text:{_escaped(phone)}" for phone in card.phones]
        lines += [f"EMAIL:{_escaped(email)}" for email in card.emails]
        lines.append("END:VCARD")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line)).encode()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "Yes" if cell else "No"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str):
        return neutral(cell)
    return number_text(cell)


def _write_table(book: Any, table: Table, name: str, *, practice: bool) -> None:
    sheet = book.add_worksheet(name)
    heading = book.add_format({"bold": True, "bottom": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    headings = [*table.headings, *(["practice"] if practice else [])]
    for at, words in enumerate(headings):
        sheet.set_column(at, at, 24 if at else 38)
        sheet.write_string(0, at, neutral(words), heading)
    sheet.freeze_panes(1, 0)
    for line, row in enumerate(table.rows, start=1):
        for at, cell in enumerate(row):
            if cell is None:
                continue
            if isinstance(cell, bool | str):
                sheet.write_string(line, at, _text(cell))
            elif isinstance(cell, date):
                write_day(sheet, line, at, cell, day)
            else:
                sheet.write_number(line, at, cell)
        if practice:
            sheet.write_string(line, len(row), PRACTICE)
    sheet.autofilter(0, 0, len(table.rows), len(headings) - 1)


def _escaped(text: str) -> str:
    plain = " ".join(text.split())
    for sign in ("\\", ",", ";"):
        plain = plain.replace(sign, f"\\{sign}")
    return plain


def _folded(line: str) -> list[str]:
    """Return the line cut into pieces of 75 octets, never inside a letter."""
    parts, part, size = [], "", 0
    for letter in line:
        octets = len(letter.encode())
        if size + octets > _LINE:
            parts.append(part)
            # The space that begins what goes on counts too.
            part, size = " ", 1
        part, size = part + letter, size + octets
    return [*parts, part]
