"""A union's own membership list: what each line says, and which queue it belongs to.

Every line of the list is in exactly one queue, so that their numbers add up to the list.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from crm.domain.identity import fold


class Queue(enum.StrEnum):
    """What is to be done about a line of the list, in the order in which a page shows them."""

    JOINED = "joined"
    LEFT = "left"
    LAPSED = "lapsed"
    MOVED = "moved"
    CHANGED = "changed"
    NOT_SURE = "not_sure"
    NOT_HERE = "not_here"
    PROBLEM = "problem"
    SET_ASIDE = "set_aside"
    SAME = "same"


class Standing(enum.StrEnum):
    """What the list says of somebody's membership."""

    MEMBER = "member"
    LAPSED = "lapsed"
    LEFT = "left"


class Trouble(enum.StrEnum):
    """Why a line cannot be used as it stands."""

    NO_NAME = "no_name"
    UNKNOWN_STATUS = "unknown_status"
    NOT_A_DAY = "not_a_day"
    TWICE = "twice"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list. number: the row of the file, as a spreadsheet counts. None = not said."""

    number: int
    name: str
    phones: tuple[str, ...] = ()
    mail: str | None = None
    address: str | None = None
    workplace: str | None = None
    branch: str | None = None
    standing: Standing = Standing.MEMBER
    since: date | None = None
    until: date | None = None
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Here:
    """What we hold of the person a line is about, on the day of the list.

    member: of this union; None = not known. branch and workplaces: folded names. phones, mails and
    addresses: as they are compared.
    """

    member: bool | None
    branch: str | None
    workplaces: frozenset[str]
    phones: frozenset[str]
    mails: frozenset[str]
    addresses: frozenset[str]


def queue_of(line: Line, here: Here, new_points: Sequence[str]) -> Queue:
    """Return the queue of a line about somebody who is known here.

    new_points: the kinds of phone, mail or address that the list has and we do not.
    """
    if line.standing is not Standing.MEMBER:
        if here.member:
            return Queue.LAPSED if line.standing is Standing.LAPSED else Queue.LEFT
        return Queue.SAME
    if not here.member:
        return Queue.JOINED
    if line.branch and fold(line.branch) != (here.branch or ""):
        return Queue.MOVED
    if line.workplace and fold(line.workplace) not in here.workplaces:
        return Queue.MOVED
    return Queue.CHANGED if new_points else Queue.SAME


# Headings as union systems and spreadsheets write them, folded.
_HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("name", "full name", "member name", "member", "display name"),
    "first": ("first name", "forename", "forenames", "given name", "first names", "known as"),
    "last": ("last name", "surname", "family name"),
    "phone": (
        *("phone", "mobile", "telephone", "tel", "mobile number", "phone number", "mobile phone"),
        *("home phone", "work phone", "telephone number", "home telephone", "mobile telephone"),
    ),
    "mail": ("email", "e mail", "email address", "home email", "personal email", "e mail address"),
    "address": (
        *("address", "postal address", "home address", "address 1", "address 2", "address 3"),
        *("address line 1", "address line 2", "address line 3", "town", "city", "postcode"),
        *("post code", "county", "street"),
    ),
    "workplace": ("workplace", "site", "place of work", "workplace name", "work location"),
    "branch": ("branch", "branch name"),
    "standing": ("status", "membership status", "member status", "category", "paying status"),
    "since": ("joined", "date joined", "join date", "member since", "joined on", "start date"),
    "until": ("left", "date left", "leaving date", "left on", "end date", "lapsed on", "resigned"),
}
_WORDS: Final[Mapping[Standing, frozenset[str]]] = {
    Standing.MEMBER: frozenset(
        (
            *("member", "active", "current", "yes", "y", "full", "full member", "joined"),
            *("paid up", "in benefit", "paying"),
        )
    ),
    Standing.LAPSED: frozenset(
        ("lapsed", "in arrears", "arrears", "suspended", "out of benefit", "unpaid", "not paying")
    ),
    Standing.LEFT: frozenset(
        (
            *("left", "resigned", "resignation", "former", "ceased", "cancelled", "no", "n"),
            *("transferred out", "deceased"),
        )
    ),
}


def columns_of(headings: Sequence[str]) -> dict[str, list[int]]:
    """Return which columns hold what, by their headings; a column that fits nothing is left out."""
    found: dict[str, list[int]] = {}
    for number, heading in enumerate(headings):
        key = fold(heading)
        for part, words in _HEADINGS.items():
            if key in words:
                found.setdefault(part, []).append(number)
                break
    return found


def read_lines(
    rows: Sequence[Sequence[str]], columns: Mapping[str, Sequence[int]], *, first_number: int
) -> list[Line]:
    """Return the lines of a list, in order. first_number: of the first of these rows in the file.

    Rows without a letter are no lines. A line that says the same as one before it is TWICE.
    """
    lines: list[Line] = []
    seen: set[tuple[str, ...]] = set()
    for number, row in enumerate(rows, start=first_number):
        if not any(row):
            continue
        line = _line(number, row, columns)
        said = tuple(row)
        if line.trouble is None and said in seen:
            line = Line(number=number, name=line.name, trouble=Trouble.TWICE)
        seen.add(said)
        lines.append(line)
    return lines


def _line(number: int, row: Sequence[str], columns: Mapping[str, Sequence[int]]) -> Line:
    def _all(part: str) -> list[str]:
        return [row[one].strip() for one in columns.get(part, ()) if row[one].strip()]

    name = " ".join(_all("name")[:1] or [*_all("first"), *_all("last")])
    if not fold(name):
        return Line(number=number, name="", trouble=Trouble.NO_NAME)
    standing = _standing(_all("standing"))
    days = [_first(_all(part)) for part in ("since", "until")]
    read = [None if text is None else day_in(text) for text in days]
    trouble = None
    if standing is None:
        trouble = Trouble.UNKNOWN_STATUS
    elif any(text is not None and day is None for text, day in zip(days, read, strict=True)):
        trouble = Trouble.NOT_A_DAY
    return Line(
        number=number,
        name=name[:120],
        phones=tuple(text[:60] for text in _all("phone")),
        mail=_first(_all("mail")),
        address=", ".join(_all("address"))[:300] or None,
        workplace=_first(_all("workplace")),
        branch=_first(_all("branch")),
        standing=standing or Standing.MEMBER,
        since=read[0],
        until=read[1],
        trouble=trouble,
    )


def _first(texts: Sequence[str]) -> str | None:
    return texts[0] if texts else None


def _standing(texts: Sequence[str]) -> Standing | None:
    """Return what the words say; a list without such a column is a list of members."""
    if not texts:
        return Standing.MEMBER
    word = fold(texts[0])
    return next((standing for standing, words in _WORDS.items() if word in words), None)


_DAY: Final = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:\s.*)?")


def day_in(text: str) -> date | None:
    """Return the day that is written as 2026-05-14, 14/05/2026 or 14.05.2026; None for none."""
    try:
        found = _DAY.fullmatch(text.strip())
        if found is not None:
            return date(int(found[3]), int(found[2]), int(found[1]))
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
