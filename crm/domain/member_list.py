"""A union's own membership list: what each line says, and which queue it belongs to.

Every line of the list is in exactly one queue, so that their numbers add up to the list.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from crm.domain.identity import fold


class Queue(enum.StrEnum):
    """What is to be done about a line of the list, in the order in which a page shows them."""

    JOINED = "joined"
    LEFT = "left"
    LAPSED = "lapsed"
    MOVED = "moved"
    CHANGED = "changed"
    BAD_ADDRESS = "bad_address"
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


class Part(enum.StrEnum):
    """What a column of the list holds."""

    LEAVE_OUT = "leave_out"
    NAME = "name"
    FIRST = "first"
    LAST = "last"
    PHONE = "phone"
    MAIL = "mail"
    ADDRESS = "address"
    ADDRESS_STATE = "address_state"
    WORKPLACE = "workplace"
    JOB_TITLE = "job_title"
    BRANCH = "branch"
    STANDING = "standing"
    SINCE = "since"
    UNTIL = "until"


# Several columns may hold one of these each; of the others there is one.
REPEATED: Final = frozenset({Part.LEAVE_OUT, Part.PHONE, Part.MAIL, Part.ADDRESS})


class Trouble(enum.StrEnum):
    """Why a line cannot be used as it stands."""

    NO_NAME = "no_name"
    UNKNOWN_STATUS = "unknown_status"
    NOT_A_DAY = "not_a_day"
    TWICE = "twice"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list. number: the row of the file, as a spreadsheet counts. None = not said.

    bad_address: the list says that post to the address came back, or that they have gone away.
    """

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
    bad_address: bool = False
    job_title: str | None = None


@dataclass(frozen=True, slots=True)
class Here:
    """What we hold of the person a line is about, on the day of the list.

    member: of this union; None = not known. branch and workplaces: folded names. phones, mails and
    addresses: as they are compared. good_addresses: those that nobody has marked as bad.
    untitled_job: they have one job, and nobody has said what it is called.
    """

    member: bool | None
    branch: str | None
    workplaces: frozenset[str]
    phones: frozenset[str]
    mails: frozenset[str]
    addresses: frozenset[str]
    good_addresses: frozenset[str] = frozenset()
    untitled_job: bool = False


def queue_of(line: Line, here: Here, new_points: Sequence[str]) -> Queue:
    """Return the queue of a line about somebody who is known here.

    new_points: the kinds of phone, mail, address or job that the list has and we do not.
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
    if new_points:
        return Queue.CHANGED
    return Queue.BAD_ADDRESS if went_bad(line, here) else Queue.SAME


def went_bad(line: Line, here: Here) -> frozenset[str]:
    """Return the addresses held as good, folded, of which the list says that they are bad.

    A list that says so without an address speaks of whatever address we have.
    """
    if not line.bad_address:
        return frozenset()
    if line.address is None:
        return here.good_addresses
    return here.good_addresses & {fold(line.address)}


# Headings as union systems and spreadsheets write them, folded.
_HEADINGS: Final[Mapping[Part, tuple[str, ...]]] = {
    Part.NAME: ("name", "full name", "member name", "member", "display name"),
    Part.FIRST: ("first name", "forename", "forenames", "given name", "first names", "known as"),
    Part.LAST: ("last name", "surname", "family name"),
    Part.PHONE: (
        *("phone", "mobile", "telephone", "tel", "mobile number", "phone number", "mobile phone"),
        *("home phone", "work phone", "telephone number", "home telephone", "mobile telephone"),
    ),
    Part.MAIL: (
        "email",
        "e mail",
        "email address",
        "home email",
        "personal email",
        "e mail address",
    ),
    Part.ADDRESS: (
        *("address", "postal address", "home address", "address 1", "address 2", "address 3"),
        *("address line 1", "address line 2", "address line 3", "town", "city", "postcode"),
        *("post code", "county", "street"),
    ),
    Part.WORKPLACE: ("workplace", "site", "place of work", "workplace name", "work location"),
    Part.BRANCH: ("branch", "branch name"),
    Part.ADDRESS_STATE: (
        *("address status", "mail status", "post status", "returned mail", "returned post"),
        *("gone away", "bad address", "address ok", "address quality", "good address"),
    ),
    Part.JOB_TITLE: (
        *("job title", "job", "role", "grade", "occupation", "post", "position", "job role"),
    ),
    Part.STANDING: ("status", "membership status", "member status", "category", "paying status"),
    Part.SINCE: ("joined", "date joined", "join date", "member since", "joined on", "start date"),
    Part.UNTIL: (
        "left",
        "date left",
        "leaving date",
        "left on",
        "end date",
        "lapsed on",
        "resigned",
    ),
}
# Some unions write "Lapsed" there; others how much somebody pays, and have a status beside it.
_WEAK: Final = "category"
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


# What stands in a column on the state of an address, folded, when the address is bad.
_BAD: Final = frozenset(
    (
        *("bad", "returned", "returned to sender", "gone away", "goneaway", "moved", "unknown"),
        *("return", "wrong", "invalid", "not valid", "undeliverable", "not known", "poor"),
        "incomplete",
    )
)
# Words that mean one thing below "Gone away?" and the other below "Address OK?".
_YES: Final = frozenset(("yes", "y", "true", "1", "x"))
_NO: Final = frozenset(("no", "n", "false", "0"))
_ASKS_IF_GOOD: Final = frozenset(("address ok", "good address"))
# What is written where an address is missing.
_NO_ADDRESS: Final = frozenset(
    (
        *("gone away", "goneaway", "returned", "returned to sender", "address unknown", "unknown"),
        *("no address", "no fixed address", "not known", "n a", "na", "none", "tbc", "see notes"),
        *("moved", "do not use", "bad address"),
    )
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a list is read: what each column holds, and what the words of its status column mean.

    headings: as they stand in the file. private: positions of columns of which nothing was kept,
    because nothing is needed of them and much could be harmed. words: by folded word; None =
    somebody has said that nobody knows what it means. confirmed: whoever brought the list has
    looked at where its columns go; until then that is a guess, and no line is judged by it.
    """

    headings: tuple[str, ...]
    parts: tuple[Part, ...]
    words: Mapping[str, Standing | None]
    private: tuple[int, ...] = ()
    confirmed: bool = False

    def columns(self, part: Part) -> list[int]:
        """Return the positions of the columns that hold this, from 0."""
        return [place for place, one in enumerate(self.parts) if one is part]

    @property
    def has_name(self) -> bool:
        """True when some column holds names."""
        return bool({Part.NAME, Part.FIRST, Part.LAST} & set(self.parts))

    def as_plain(self) -> dict[str, object]:
        """Return values that JSON can hold."""
        return {
            "headings": list(self.headings),
            "private": list(self.private),
            "parts": [one.value for one in self.parts],
            "words": {word: None if one is None else one.value for word, one in self.words.items()},
            "confirmed": self.confirmed,
        }


def settings_of(plain: Mapping[str, Any]) -> Settings:
    """Return the settings that ``as_plain`` made. Raises KeyError or ValueError for others."""
    return Settings(
        headings=tuple(plain["headings"]),
        private=tuple(plain["private"]),
        parts=tuple(Part(one) for one in plain["parts"]),
        words={
            str(word): None if one is None else Standing(one)
            for word, one in plain["words"].items()
        },
        # Lists that were kept before this was asked say nothing of it.
        confirmed=bool(plain.get("confirmed", False)),
    )


def guess_parts(headings: Sequence[str]) -> tuple[Part, ...]:
    """Return what each column most likely holds, by its heading; what fits nothing is left out."""
    found: list[Part] = []
    keys = [fold(heading) for heading in headings]
    status = any(key in _HEADINGS[Part.STANDING] and key != _WEAK for key in keys)
    for key in keys:
        if key == _WEAK and status:
            found.append(Part.LEAVE_OUT)
            continue
        part = next((part for part, words in _HEADINGS.items() if key in words), Part.LEAVE_OUT)
        found.append(Part.LEAVE_OUT if part in found and part not in REPEATED else part)
    # Names in two columns say more than the whole name in one.
    if Part.FIRST in found and Part.LAST in found:
        found = [Part.LEAVE_OUT if one is Part.NAME else one for one in found]
    return tuple(found)


def meaning_of(word: str, settings: Settings) -> Standing | None:
    """Return what a word of the status column means; None when nobody knows."""
    key = fold(word)
    if key in settings.words:
        return settings.words[key]
    return next((standing for standing, words in _WORDS.items() if key in words), None)


def needs_meaning(word: str, settings: Settings) -> bool:
    """Return True for a word that is not known and of which nothing was said yet."""
    return meaning_of(word, settings) is None and fold(word) not in settings.words


def read_line(number: int, row: Sequence[str], settings: Settings) -> Line | None:
    """Return what a row of the file says; None for a row without a letter.

    number: of the row in the file, the first is 1.
    """
    if not any(cell.strip() for cell in row):
        return None

    def _all(part: Part) -> list[str]:
        return [row[one].strip() for one in settings.columns(part) if row[one].strip()]

    name = " ".join(_all(Part.NAME)[:1] or [*_all(Part.FIRST), *_all(Part.LAST)])
    if not fold(name):
        return Line(number=number, name="", trouble=Trouble.NO_NAME)
    words = _all(Part.STANDING)
    # A list without such a column, and a line that says nothing there, is of members.
    standing = meaning_of(words[0], settings) if words else Standing.MEMBER
    days = [_first(_all(part)) for part in (Part.SINCE, Part.UNTIL)]
    read = [None if text is None else day_in(text) for text in days]
    trouble = None
    if standing is None:
        trouble = Trouble.UNKNOWN_STATUS
    elif any(text is not None and day is None for text, day in zip(days, read, strict=True)):
        trouble = Trouble.NOT_A_DAY
    address = ", ".join(_all(Part.ADDRESS))[:300]
    none_there = fold(address) in _NO_ADDRESS
    return Line(
        number=number,
        name=name[:120],
        phones=tuple(text[:60] for text in _all(Part.PHONE)),
        mail=_first(_all(Part.MAIL)),
        address=address if fold(address) and not none_there else None,
        workplace=_first(_all(Part.WORKPLACE)),
        branch=_first(_all(Part.BRANCH)),
        standing=standing or Standing.MEMBER,
        since=read[0],
        until=read[1],
        trouble=trouble,
        bad_address=none_there or _says_bad(row, settings),
        job_title=_job_title(_first(_all(Part.JOB_TITLE))),
    )


def _says_bad(row: Sequence[str], settings: Settings) -> bool:
    for place in settings.columns(Part.ADDRESS_STATE):
        word = fold(row[place])
        asks_if_good = fold(settings.headings[place]) in _ASKS_IF_GOOD
        if word in _BAD or word in (_NO if asks_if_good else _YES):
            return True
    return False


def _job_title(text: str | None) -> str | None:
    if text is None or fold(text) in {"unknown", "not known", "n a", "na", "none", "tbc", "other"}:
        return None
    return text[:120]


def _first(texts: Sequence[str]) -> str | None:
    return texts[0] if texts else None


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
