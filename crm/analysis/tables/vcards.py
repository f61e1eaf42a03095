"""Address books in vCard 2.1, 3.0 and 4.0 (RFC 2426, RFC 6350) as a table: one person a row."""

from __future__ import annotations

import binascii
import quopri
import re
from dataclasses import dataclass
from typing import Final

from crm.analysis.tables.found import MAX_CELL_LETTERS, Asked, CannotRead, Table
from crm.analysis.tables.texts import decode, even, refuse_size, tidy
from crm.domain.signs import plain_signs

# What is read of a card, and how many of each. Photos, keys and sounds are passed by.
_SEVERAL: Final = {"TEL": ("Phone", 3), "EMAIL": ("Email", 3)}
HEADINGS: Final = (
    "Full name",
    "First name",
    "Last name",
    "Nickname",
    *("Phone", "Phone 2", "Phone 3"),
    *("Email", "Email 2", "Email 3"),
    "Address",
    "Organisation",
    "Department",
    "Job title",
    # Of a card that was taken out of here: there its UID is the person's own.
    "Shopfloor number",
)
_LINE: Final = re.compile(
    r"(?:[A-Za-z0-9-]+\.)?(?P<name>[A-Za-z0-9-]+)(?P<more>(?:;(?:[^:\";]|\"[^\"]*\")*)*):(?P<value>.*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    value: bytes | str
    quoted_printable: bool
    encoding: str


def read_vcards(content: bytes, asked: Asked) -> Table:
    """Return the people of an address book under fixed headings. Raises CannotRead."""
    text, encoding = decode(content, asked.encoding)
    rows: list[list[str]] = [list(HEADINGS)]
    card: dict[str, list[str]] | None = None
    for line in _unfolded(text):
        found = _LINE.match(line)
        if found is None:
            continue
        name = found["name"].upper()
        value = found["value"]
        if name == "BEGIN" and value.strip().upper() == "VCARD":
            card = {}
        elif name == "END" and card is not None:
            rows.append(_row(card))
            refuse_size(len(rows), len(HEADINGS), 0)
            card = None
        elif card is not None and name in _READ:
            card.setdefault(name, []).append(_value(found["more"], value))
    if len(rows) == 1:
        raise CannotRead("damaged" if card is not None else "empty")
    if any(len(cell) > MAX_CELL_LETTERS for row in rows for cell in row):
        raise CannotRead("cell_too_long", MAX_CELL_LETTERS)
    return Table(kind="vcard", rows=even(rows), encoding=encoding)


_READ: Final = frozenset(
    {"FN", "N", "NICKNAME", "TEL", "EMAIL", "ADR", "ORG", "TITLE", "ROLE", "UID"}
)


def _unfolded(text: str) -> list[str]:
    """Return whole lines: a space begins what belongs to the line above; in 2.1 a "=" ends one."""
    lines: list[str] = []
    soft = False
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if soft and lines:
            lines[-1] += "\n" + line
        elif line[:1] in {" ", "\t"} and lines:
            lines[-1] += line[1:]
        else:
            lines.append(line)
        soft = "QUOTED-PRINTABLE" in lines[-1].upper() and line.endswith("=")
    return lines


def _value(more: str, value: str) -> str:
    said = [one.strip().upper() for one in more.split(";") if one]
    encoding = next((one[8:] for one in said if one.startswith("CHARSET=")), "UTF-8")
    if any("QUOTED-PRINTABLE" in one for one in said):
        raw = quopri.decodestring(value.encode("utf-8", "replace"))
        try:
            return raw.decode(encoding)
        except (LookupError, UnicodeError):
            return raw.decode("cp1252", "replace")
    if any(one in {"ENCODING=B", "ENCODING=BASE64", "BASE64"} for one in said):
        try:
            return binascii.a2b_base64(value).decode("utf-8", "replace")
        except binascii.Error:
            return ""
    return value


def _parts(value: str) -> list[str]:
    """Return the parts of a value that are cut by semicolons, their escapes resolved."""
    cut = re.split(r"(?<!\\);", value)
    return [_plain(one) for one in cut]


def _plain(value: str) -> str:
    text = re.sub(r"\\[nN]", "\n", value)
    text = re.sub(r"\\(.)", r"\1", text)
    return tidy(plain_signs(text))


def _row(card: dict[str, list[str]]) -> list[str]:
    last, first, middle = (*_parts(_first(card, "N")), "", "", "")[:3]
    given = " ".join(one for one in (first, middle) if one)
    full = _plain(_first(card, "FN")) or " ".join(one for one in (given, last) if one)
    if full and not (given or last):
        # Phones write "Mum" or "Ewa from nights" as one name: it must not get lost with its column.
        given = full
    organisation, department = (*_parts(_first(card, "ORG")), "", "")[:2]
    row = [full, given, last, _plain(_first(card, "NICKNAME"))]
    for name, (_heading, most) in _SEVERAL.items():
        values = [_without_scheme(_plain(one)) for one in card.get(name, [])]
        kept = [one for one in dict.fromkeys(values) if one][:most]
        row += [*kept, *[""] * (most - len(kept))]
    address = ", ".join(one.replace("\n", ", ") for one in _parts(_first(card, "ADR")) if one)
    title = _plain(_first(card, "TITLE")) or _plain(_first(card, "ROLE"))
    scheme, _colon, number = _first(card, "UID").strip().rpartition(":")
    return [
        *(*row, address, organisation, department, title),
        number if scheme.casefold() == "urn:uuid" else "",
    ]


def _without_scheme(value: str) -> str:
    """Return ``tel:+44-7700-900123;ext=1`` of vCard 4 as a number that people read."""
    bare = re.sub(r"^(?:tel|mailto):", "", value, flags=re.IGNORECASE)
    return bare.split(";", 1)[0]


def _first(card: dict[str, list[str]], name: str) -> str:
    return next((value for value in card.get(name, []) if value.strip()), "")
