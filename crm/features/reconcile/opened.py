"""The rows of a membership list: read from the file, sealed in parts, and opened again in parts.

A part is some rows sealed as one, so that a page opens what it shows and not the whole list.
"""

from __future__ import annotations

import json
import uuid
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.analysis.tables.apart import read_apart
from crm.analysis.tables.layout import find_layout
from crm.domain.columns import is_sensitive
from crm.domain.errors import Refusal
from crm.domain.identity import fold
from crm.domain.member_list import (
    Line,
    Part,
    Settings,
    guess_parts,
    needs_meaning,
    read_line,
    settings_of,
)
from crm.features.reconcile import queries, service
from crm.models.member_lists import MemberList
from crm.web import sealing

ROWS_IN_PART = 100
_SAMPLES = 3
_LOOKED_AT = 50
_MOST_WORDS = 30

Row = tuple[int, list[str]]


class Gone(Refusal):
    """The rows cannot be opened any more."""

    default_message = "The rows of this list cannot be read any more. Load the list again."


@dataclass(frozen=True, slots=True)
class File:
    """A list as it came: what its columns most likely hold, and its rows with their numbers."""

    settings: Settings
    rows: list[Row]


def read_file(content: bytes) -> File:
    """Return a file's columns and rows. Columns that nothing is needed of are emptied here.

    Raises NoHeadings, NoLines, and Refusal for a file that cannot be read.
    """
    table = read_apart(content)
    layout = find_layout(table.rows)
    if layout.heading_row < 1:
        filled = [row for row in table.rows if any(row)]
        named = len(filled) == 1 and any(
            part is not Part.LEAVE_OUT for part in guess_parts(filled[0])
        )
        raise service.NoLines() if named else service.NoHeadings()
    headings = table.rows[layout.heading_row - 1]
    body = [
        (number, list(row))
        for number, row in enumerate(table.rows[layout.heading_row :], layout.heading_row + 1)
        if number not in layout.left_out and any(row)
    ]
    if not body:
        raise service.NoLines()
    private = tuple(
        place
        for place, heading in enumerate(headings)
        if is_sensitive(heading, [row[place] for _, row in body[:_LOOKED_AT] if row[place]])
    )
    for _, row in body:
        for place in private:
            row[place] = ""
    parts = [
        Part.LEAVE_OUT if place in private else part
        for place, part in enumerate(guess_parts(headings))
    ]
    return File(Settings(tuple(headings), tuple(parts), {}, private), body)


def sealed(rows: Sequence[Row], list_id: uuid.UUID) -> dict[int, str]:
    """Return the rows in sealed parts, each by the number of its first row."""
    key = sealing.public_key()
    found = {}
    for start in range(0, len(rows), ROWS_IN_PART):
        some = rows[start : start + ROWS_IN_PART]
        text = json.dumps(some, ensure_ascii=False).encode()
        found[some[0][0]] = sealing.seal(text, str(list_id), key)
    return found


def _rows(
    session: Session, scope: Scope, member_list: MemberList, first_numbers: Collection[int]
) -> Iterator[Row]:
    for letter in queries.sealed_parts(session, scope, member_list, first_numbers):
        try:
            said = sealing.open_sealed(letter, str(member_list.public_id))
        except sealing.NotForUs as error:
            raise Gone() from error
        yield from json.loads(said)


def _one_by_one(session: Session, scope: Scope, member_list: MemberList) -> Iterator[Row]:
    """Yield all rows, one part in memory at a time."""
    for first in queries.first_numbers(session, scope, member_list):
        yield from _rows(session, scope, member_list, (first,))


def lines_of(
    session: Session, scope: Scope, member_list: MemberList, numbers: Collection[int]
) -> list[Line]:
    """Return these lines of the list, in order. Raises Gone when they cannot be opened."""
    firsts = queries.first_numbers(session, scope, member_list)
    holding = {firsts[bisect_right(firsts, number) - 1] for number in numbers} if firsts else set()
    settings = settings_of(member_list.settings)
    wanted = set(numbers)
    found = [
        read_line(number, cells, settings)
        for number, cells in _rows(session, scope, member_list, holding)
        if number in wanted
    ]
    return [line for line in found if line is not None]


def part_from(session: Session, scope: Scope, member_list: MemberList, first: int) -> list[Line]:
    """Return the lines of the part that begins with this row. Raises Gone."""
    settings = settings_of(member_list.settings)
    found = [
        read_line(number, cells, settings)
        for number, cells in _rows(session, scope, member_list, (first,))
    ]
    return [line for line in found if line is not None]


def marks_of(
    session: Session, scope: Scope, member_list: MemberList
) -> dict[int, tuple[bool, bool]]:
    """Return for each line whether the same row stands before it, and whether its name is alone.

    Rows and names are told apart by short hashes, so that a long list takes little memory.
    """
    settings = settings_of(member_list.settings)
    seen: set[bytes] = set()
    names: Counter[bytes] = Counter()
    found: dict[int, tuple[bool, bytes]] = {}
    for number, cells in _one_by_one(session, scope, member_list):
        line = read_line(number, cells, settings)
        if line is None:
            continue
        row = _hash("\0".join(cells))
        name = _hash(queries.name_key(line.name))
        repeats = line.trouble is None and row in seen
        seen.add(row)
        found[number] = repeats, name
        names[name] += not repeats
    return {number: (repeats, names[name] == 1) for number, (repeats, name) in found.items()}


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=12).digest()


def samples_of(session: Session, scope: Scope, member_list: MemberList) -> list[list[str]]:
    """Return up to three different values of each column, from the first rows."""
    firsts = queries.first_numbers(session, scope, member_list)[:1]
    rows = [cells for _, cells in _rows(session, scope, member_list, firsts)]
    width = len(settings_of(member_list.settings).headings)
    return [
        list(dict.fromkeys(row[place] for row in rows if row[place]))[:_SAMPLES]
        for place in range(width)
    ]


def unknown_words(
    session: Session, scope: Scope, member_list: MemberList, settings: Settings
) -> list[str]:
    """Return the words of the status column that nobody has given a meaning yet, at most 30."""
    places = settings.columns(Part.STANDING)
    found: dict[str, str] = {}
    for _, cells in _one_by_one(session, scope, member_list) if places else ():
        word = next((cells[place].strip() for place in places if cells[place].strip()), "")
        if word and needs_meaning(word, settings):
            found.setdefault(fold(word), word)
            if len(found) == _MOST_WORDS:
                break
    return list(found.values())
