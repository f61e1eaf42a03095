"""What a row of a list says: cells read as names, days, phones, members, standings.

Blank is never "no" and never takes anything away: it is None here, as everywhere. A cell that
cannot be read is a Fault with the column it stands in; the row is then not used until somebody
has put it right.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import groupby
from typing import ClassVar, Final
from uuid import UUID

from crm.domain.columns import NAMES, Target
from crm.domain.countries import country_code
from crm.domain.identity import fold, phone_key

NAME_LIMIT: Final = 120
FULL_NAME_LIMIT: Final = 200
TEXT_LIMIT: Final = 120
POINT_LIMIT: Final = 300

NO_NAME = "There is no name in this row. Put it in, or leave the row out."
TWO_PEOPLE = (
    "This looks like two people. Leave one of them here, and add the other by hand or with the "
    "next list."
)
NO_PERSON = "This does not look like somebody’s name. Put it right, or leave the row out."
NAME_TOO_LONG = "This name is longer than 120 letters. Shorten it."
TOO_LONG = "This text is too long. Shorten it."
NOT_A_DAY = "This is not a date. Write it like 14/05/2026."
DAY_TO_COME = "This day has not come yet. Write a day up to today."
DAYS_OUT_OF_ORDER = "They left before they started. Check both dates."
NOT_A_PHONE = "This is not a phone number. Write it like 07700 900123."
NOT_AN_EMAIL = "This is not an email address. Write it like ioana@example.org."
NOT_MATCHED = "This value is not matched to anything yet. Choose what it means."
NO_WORKPLACE = "There is no workplace in this row. Put it in, or choose one for the whole list."
NOT_A_COUNT = "This is not a number of people. Write it like 1,204."
NO_PLACE_NAME = "There is no name of a workplace in this row. Put it in, or leave the row out."

# "Not known" written out, in the ways that lists have it.
_UNKNOWN: Final = frozenset(
    {
        "",
        "-",
        "–",
        "?",
        "n/a",
        "na",
        "none",
        "null",
        "unknown",
        "not known",
        "tbc",
        "nan",
        "#n/a",
        "not provided",
        "not given",
        "not stated",
        "not sure",
        "don't know",
        "don’t know",
        "n/k",
        "tba",
    }
)
# People are called so. Beside another part of a name it is one; elsewhere it is an empty cell.
_NAMES_TOO: Final = frozenset({"na", "nan", "null"})
# A long number as a spreadsheet shortens it: 7.7009E+09. Its last digits can be lost.
_SHORTENED: Final = re.compile(r"\d(?:[.,]\d+)?e\+?\d+", re.IGNORECASE)
# How far ahead a year of two figures may lie: 3/4/40 is to come, 3/4/71 was in 1971.
_YEARS_AHEAD: Final = 20
_YES: Final = frozenset({"y", "yes", "true", "1", "member", "m", "x", "✓", "current", "active"})
_NO: Final = frozenset(
    {"n", "no", "false", "0", "non member", "nonmember", "not member", "not a member", "none"}
)
_LAPSED: Final = frozenset({"lapsed", "resigned", "left", "ex member", "former member", "expired"})
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T].*)?")
_BRITISH: Final = re.compile(
    r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4}|\d{2})(?: \d{1,2}:\d{2}(?::\d{2})?)?"
)
_WORDED: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)? ([A-Za-z]{3,9})\.? (\d{4})")
# "£ukasz", "Gra¿yna", "Pawe³": what the letters of Central Europe become when read as Western.
_GARBLED: Final = re.compile(r"[¿³¹¯¥¶¼£][^\W\d_]|[^\W\d_][¿³¹¯¥¶¼£]")
_IN_TEXT: Final = re.compile(
    r"(?<!\d)(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})"
    r"|\d{1,2}(?:st|nd|rd|th)? [A-Za-z]{3,9}\.? \d{4})(?!\d)"
)
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            *(("jan", "january"), ("feb", "february"), ("mar", "march"), ("apr", "april")),
            *(("may",), ("jun", "june"), ("jul", "july"), ("aug", "august")),
            *(("sep", "september", "sept"), ("oct", "october"), ("nov", "november")),
            ("dec", "december"),
        ),
        start=1,
    )
    for name in names
}
# "Smith, Jo & Ann", "Jo and Ann Smith", "Jo/Ann Smith"; but "s/o" and "a/l" are parts of a name.
_TWO_PEOPLE: Final = re.compile(
    r"[^\W\d_]\s*&\s*[^\W\d_]|[^\W\d_]\s+and\s+[^\W\d_]|[^\W\d_]{2}\s*/\s*[^\W\d_]{2}",
    re.IGNORECASE,
)
# Compiled here: to look each up by its text took as long as to use it.
_NOT_A_DIGIT: Final = re.compile(r"\D")
_WORD: Final = re.compile(r"[A-Za-z]{3}")
_MAIL_TO: Final = re.compile(r"^mailto:", re.IGNORECASE)
_BETWEEN_MAILS: Final = re.compile(r"[,\s/]+")
_BETWEEN_PARTS: Final = re.compile(r" ::: |\n|;")
# "Vacancy", "agency x 3", "* on leave", "=A1": notes and posts that stand where names do.
_NO_PERSON: Final = re.compile(r"[\d=*@#<>|/\\]|(?:agency|vacan(?:t|cy|cies))\b", re.IGNORECASE)
_EMAIL: Final = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]+")
_COUNT: Final = re.compile(r"(?:\d{1,9}|\d{1,3}(?:[, ]\d{3}){1,2})(?:\.\d{1,6})?")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing in a row that cannot be used. column: its position, None for the whole row.

    message: a whole sentence that says how to put it right, to be translated when shown;
    ``number`` fills its %(row)s.
    """

    column: int | None
    message: str
    number: int | None = None


@dataclass
class Listed:
    """What one row says of a person. None = the row does not say.

    number: the public id that a file of ours gives them, where the row holds one. own: the filled
    cells of tags and of fields that a branch makes for itself, by column, as they are written.

    valued: what the row holds in columns whose values are matched to a list, by target: the
    meaning that was chosen for the value. unmatched: where it holds a value without a meaning.
    """

    row_no: int
    number: str | None = None
    known_as: str | None = None
    full_name: str | None = None
    pronouns: str | None = None
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    address: str | None = None
    job_title: str | None = None
    started_on: date | None = None
    left_on: date | None = None
    joined_on: date | None = None
    own: dict[int, str] = field(default_factory=dict)
    standing_on: date | None = None
    valued: dict[Target, str] = field(default_factory=dict)
    unmatched: tuple[Target, ...] = ()
    faults: list[Fault] = field(default_factory=list)
    _name_key: str | None = field(default=None, init=False, repr=False, compare=False)
    _phone_keys: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)
    _email_keys: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)

    # Kept by hand: the lock of a cached property of Python 3.11 takes longer than what is kept.
    @property
    def name_key(self) -> str:
        """Return the folded name that people are found by."""
        if self._name_key is None:
            self._name_key = fold(self.full_name or self.known_as or "")
        return self._name_key

    @property
    def phone_keys(self) -> frozenset[str]:
        """Return the phones as digits."""
        if self._phone_keys is None:
            self._phone_keys = frozenset(key for one in self.phones if (key := phone_key(one)))
        return self._phone_keys

    @property
    def email_keys(self) -> frozenset[str]:
        """Return the mail addresses in small letters."""
        if self._email_keys is None:
            self._email_keys = frozenset(one.casefold() for one in self.emails)
        return self._email_keys


def is_blank(cell: str) -> bool:
    """Return True for an empty cell and for "not known" written out."""
    return fold_word(cell) in _UNKNOWN


def fold_word(cell: str) -> str:
    """Return a cell in the form its meaning is kept under: small letters, single spaces."""
    return " ".join(cell.casefold().split())


def guess_member(word: str) -> str | None:
    """Return "member", "not_member" or "not_known" for a word of a list; None for no idea."""
    folded = fold_word(word)
    bare = fold(folded) or folded
    if folded in _UNKNOWN - {"none"}:
        return "not_known"
    if bare in _YES or folded in _YES:
        return "member"
    return "not_member" if bare in _NO | _LAPSED else None


def read_day(cell: str) -> date | None:
    """Return the day that a cell names, the day before the month, or None when it names none."""
    text = cell.strip()
    found = _ISO.fullmatch(text)
    if found:
        return _day(found[1], found[2], found[3])
    found = _BRITISH.fullmatch(text)
    if found:
        year = found[3] if len(found[3]) == 4 else _century(found[3])
        return _day(year, found[2], found[1])
    found = _WORDED.fullmatch(text)
    if found and found[2].casefold() in _MONTHS:
        return _day(found[3], str(_MONTHS[found[2].casefold()]), found[1])
    return None


def days_in(text: str) -> set[date]:
    """Return the days that stand somewhere in a text, such as "Printed 1 November 2026"."""
    found = (read_day(one[0]) for one in _IN_TEXT.finditer(text))
    return {day for day in found if day is not None}


def _century(two: str) -> str:
    return ("20" if int(two) < 70 else "19") + two


def _in_our_time(cell: str, found: date | None, today: date) -> date | None:
    """Return 1971 for a 71 that would be far ahead: what a list tells has happened."""
    far = found is not None and found.year > today.year + _YEARS_AHEAD
    short = _BRITISH.fullmatch(cell.strip())
    if found is None or not far or short is None or len(short[3]) != 2:
        return found
    return _day(str(found.year - 100), short[2], short[1])


def _day(year: str, month: str, day: str) -> date | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found if 1900 <= found.year <= 2200 else None


def read_count(cell: str) -> float | None:
    """Return the number of people in a cell such as "1,204" or "407.0", or None for none."""
    text = cell.strip()
    if not _COUNT.fullmatch(text):
        return None
    return float(text.replace(",", "").replace(" ", ""))


@dataclass(frozen=True, slots=True)
class People:
    """How many people: a number, or a range of which no middle is made up.

    best: None for a range. high: None = no upper end is said.
    """

    low: float
    best: float | None
    high: float | None


def read_people(cell: str) -> People | None:
    """Return the number or range in a cell; None for none.

    Ranges as registers and supplier lists have them: "1001-5000", "250 to 499", "20,000 or more",
    "less than 250".
    """
    text = " ".join(cell.casefold().replace("people", "").replace("workers", "").split())
    exact = read_count(text)
    if exact is not None:
        return People(exact, exact, exact)
    for pattern, build in _RANGES:
        found = pattern.fullmatch(text)
        ends = [read_count(end) for end in found.groups()] if found else []
        if ends and None not in ends:
            people = build(*(end for end in ends if end is not None))
            return people if people.high is None or people.low <= people.high else None
    return None


_RANGES: Final[Sequence[tuple[re.Pattern[str], Callable[..., People]]]] = (
    (re.compile(r"([\d,]+) ?(?:-|–|to) ?([\d,]+)"), lambda low, high: People(low, None, high)),
    (re.compile(r"([\d,]+) ?(?:\+|or more|and over)"), lambda low: People(low, None, None)),
    (re.compile(r"(?:more than|over|>) ?([\d,]+)"), lambda low: People(low + 1, None, None)),
    (
        re.compile(r"(?:less than|fewer than|under|<) ?([\d,]+)"),
        lambda end: People(0, None, end - 1),
    ),
)


def read_phone(cell: str) -> str | None:
    """Return a phone number as people write it, or None for what is none.

    A spreadsheet that took it for a number dropped its first 0: that is put back.
    """
    # A spreadsheet keeps a number as text by an apostrophe.
    cell = cell.strip().removeprefix("'")
    digits = _NOT_A_DIGIT.sub("", cell)
    key = phone_key(cell)
    if key is None or not 6 <= len(digits) <= 15 or _WORD.search(cell):
        return None
    if _SHORTENED.fullmatch(cell):
        return None
    if cell.isdigit() and len(digits) == 10 and digits[0] in "12378":
        return "0" + digits
    return cell


def read_phones(cell: str) -> list[str] | None:
    """Return the phones in one cell, such as "07700 900123 / 07700 900124"; None for none."""
    one = read_phone(cell)
    if one is not None:
        return [one]
    parts = [read_phone(part) for part in re.split(r"/|,|\bor\b", cell) if part.strip()]
    phones = [part for part in parts if part is not None]
    return phones if phones and len(phones) == len(parts) else None


def is_garbled(cell: str) -> bool:
    """Return True for a word with a sign in it where a letter of another alphabet should be."""
    return _GARBLED.search(cell) is not None


def is_month_first(cell: str) -> bool:
    """Return True for a date that can only be one with the month before the day: 4/25/2026."""
    found = _BRITISH.fullmatch(cell.strip())
    return found is not None and int(found[1]) <= 12 < int(found[2]) <= 31


def turned_round(name: str) -> str:
    """Return "KOWALSKI Tomasz" or "Kowalski, Tomasz Jan" with the first name first.

    Words in capitals at the start are the last name; without them the first word is.
    """
    before, comma, after = name.partition(",")
    if comma:
        return " ".join(f"{after} {before}".split())
    words = name.split()
    capitals = 0
    while capitals < len(words) and words[capitals].isupper() and len(words[capitals]) > 1:
        capitals += 1
    cut = capitals if 0 < capitals < len(words) else 1
    return " ".join([*words[cut:], *words[:cut]])


# What is read by ``_read_more``: many lists have no column of it.
_MORE: Final = frozenset(
    {
        *(Target.PRONOUNS, Target.JOB_TITLE, Target.ADDRESS, Target.STARTED_ON, Target.LEFT_ON),
        *(Target.JOINED_ON, Target.STANDING_ON),
    }
)


@dataclass(frozen=True)
class Matching:
    """How the columns of a list are read.

    targets: where each column goes. meanings: for a column with values matched to a list, what
    each folded value means; "" says that the value is left out, as if the cell were empty.
    today: the last day that a fact may begin on.
    """

    targets: Sequence[Target]
    meanings: Mapping[int, Mapping[str, str]]
    today: date

    @cached_property
    def places(self) -> Mapping[Target, Sequence[int]]:
        """Return the positions of the columns that go to each target that has any."""
        found: dict[Target, list[int]] = {}
        for place, target in enumerate(self.targets):
            found.setdefault(target, []).append(place)
        return found

    @cached_property
    def says_more(self) -> bool:
        """Return whether a column holds more of a person than names, and how to reach them."""
        return not _MORE.isdisjoint(self.targets)

    def columns_of(self, *targets: Target) -> Sequence[int]:
        """Return the positions of the columns that go to any of these."""
        if len(targets) == 1:
            return self.places.get(targets[0], ())
        return sorted(place for target in targets for place in self.places.get(target, ()))

    def narrowed(self, targets: frozenset[Target]) -> Matching:
        """Return the matching of the columns that go to these alone, as if no other were there."""
        return Matching(
            [one if one in targets else Target.LEAVE_OUT for one in self.targets],
            {at: words for at, words in self.meanings.items() if self.targets[at] in targets},
            self.today,
        )


def read_person(row_no: int, cells: Sequence[str], matching: Matching) -> Listed:
    """Return what a row says of a person, with a fault for each cell that cannot be used."""
    found = Listed(row_no)
    cell = RowCells(cells, matching, found.faults)
    number = cell.text(Target.NUMBER, TEXT_LIMIT)
    found.number = None if number is None else _read_number(number)
    _read_names(found, cell)
    found.phones = tuple(cell.each(Target.PHONE, read_phones, NOT_A_PHONE))
    found.emails = tuple(cell.each(Target.EMAIL, _read_emails, NOT_AN_EMAIL))
    if matching.says_more:
        _read_more(found, cell)
    for place in matching.columns_of(Target.TAGS, Target.OWN_FIELD):
        if not is_blank(cells[place]):
            found.own[place] = cells[place]
    if found.started_on and found.left_on and found.left_on < found.started_on:
        found.faults.append(
            Fault(matching.columns_of(Target.LEFT_ON)[0], DAYS_OUT_OF_ORDER),
        )
    for target, place in cell.valued():
        value = fold_word(cells[place])
        meaning = matching.meanings.get(place, {}).get(value)
        if meaning is None:
            found.faults.append(Fault(place, NOT_MATCHED))
            found.unmatched += (target,)
        elif meaning:
            found.valued[target] = meaning
    return found


def _read_more(found: Listed, cell: RowCells) -> None:
    found.pronouns = cell.text(Target.PRONOUNS, 40)
    found.job_title = cell.text(Target.JOB_TITLE, TEXT_LIMIT)
    found.address = cell.text(Target.ADDRESS, POINT_LIMIT)
    if found.address:
        found.address = found.address.replace("\n", ", ")
    found.started_on = cell.day(Target.STARTED_ON)
    found.left_on = cell.day(Target.LEFT_ON)
    found.joined_on = cell.day(Target.JOINED_ON)
    found.standing_on = cell.day(Target.STANDING_ON)


def _read_names(found: Listed, cell: RowCells) -> None:
    full = cell.text(Target.FULL_NAME, FULL_NAME_LIMIT)
    turned = cell.text(Target.LAST_NAME_FIRST, FULL_NAME_LIMIT)
    parts = cell.two_names()
    joined = " ".join(part for part in parts if part) or None
    found.full_name = _one_line(full or (turned_round(turned) if turned else None) or joined)
    found.known_as = _one_line(cell.text(Target.KNOWN_AS, NAME_LIMIT)) or found.full_name
    if found.known_as is None or not fold(found.known_as):
        # Somebody whose name nobody knows leaves in our files by their number alone.
        if found.number is None and not any(fault.message in {TOO_LONG} for fault in found.faults):
            found.faults.append(Fault(cell.first_of_names(), NO_NAME))
    elif len(found.known_as) > NAME_LIMIT:
        found.faults.append(Fault(cell.first_of_names(), NAME_TOO_LONG))
    elif found.number is None and _TWO_PEOPLE.search(found.full_name or found.known_as):
        # Of a person in a file of ours we know that they are one.
        found.faults.append(Fault(cell.first_of_names(), TWO_PEOPLE))
    elif found.number is None and any(
        _NO_PERSON.match(one or "") for one in (full, turned, *parts)
    ):
        found.faults.append(Fault(cell.first_of_names(), NO_PERSON))


def _read_number(cell: str) -> str | None:
    """Return the public id that a cell holds; None for the number of another program."""
    try:
        return str(UUID(cell))
    except ValueError:
        return None


def _one_line(text: str | None) -> str | None:
    return " ".join(text.split()) if text else None


def _read_emails(cell: str) -> list[str] | None:
    bare = _MAIL_TO.sub("", cell.strip())
    parts = [part for part in _BETWEEN_MAILS.split(bare) if part]
    return parts if parts and all(_EMAIL.fullmatch(part) for part in parts) else None


class RowCells:
    """The cells of a row by where they go; what cannot be read is added to the faults."""

    def __init__(self, cells: Sequence[str], matching: Matching, faults: list[Fault]) -> None:
        """Take the cells of a row, and where what cannot be read is added."""
        self._cells = cells
        self._matching = matching
        self._faults = faults

    def _filled(self, target: Target) -> Iterable[tuple[int, str]]:
        # Most targets have no column, and are asked for in every row of a list.
        places = self._matching.places.get(target)
        return self._cells_in(places) if places else ()

    def _cells_in(self, places: Sequence[int]) -> Iterator[tuple[int, str]]:
        for place in places:
            cell = self._cells[place] if place < len(self._cells) else ""
            if not is_blank(cell):
                yield place, cell

    def text(self, target: Target, limit: int) -> str | None:
        """Return the first filled cell; None for none, and a fault for one over the limit."""
        for place, cell in self._filled(target):
            if len(cell) > limit:
                self._faults.append(Fault(place, TOO_LONG))
                return None
            return cell
        return None

    def two_names(self) -> list[str | None]:
        """Return the first and the last name; "Na" is one, where the other is there too."""
        first = self.text(Target.FIRST_NAME, TEXT_LIMIT)
        last = self.text(Target.LAST_NAME, TEXT_LIMIT)
        if first and last is None:
            last = self._name_too(Target.LAST_NAME)
        elif last and first is None:
            first = self._name_too(Target.FIRST_NAME)
        return [first, last]

    def _name_too(self, target: Target) -> str | None:
        cells = (self._cells[place] for place in self._matching.columns_of(target))
        return next((cell for cell in cells if fold_word(cell) in _NAMES_TOO), None)

    def day(self, target: Target) -> date | None:
        """Return the first day that can be read and has come."""
        for place, cell in self._filled(target):
            found = _in_our_time(cell, read_day(cell), self._matching.today)
            if found is None:
                self._faults.append(Fault(place, NOT_A_DAY))
            elif found > self._matching.today:
                self._faults.append(Fault(place, DAY_TO_COME))
            else:
                return found
        return None

    def count(self, target: Target) -> float | None:
        """Return the number of the first filled cell; None for none."""
        for place, cell in self._filled(target):
            found = read_count(cell)
            if found is None:
                self._faults.append(Fault(place, NOT_A_COUNT))
            return found
        return None

    def people(self, target: Target) -> People | None:
        """Return the number or the range of the first filled cell; None for none."""
        for place, cell in self._filled(target):
            found = read_people(cell)
            if found is None:
                self._faults.append(Fault(place, NOT_A_COUNT))
            return found
        return None

    def each(
        self, target: Target, read: Callable[[str], list[str] | None], message: str
    ) -> list[str]:
        """Return what each part of the cells reads as, once; " ::: " and lines cut a cell."""
        values: dict[str, None] = {}
        for place, cell in self._filled(target):
            for part in _BETWEEN_PARTS.split(cell):
                if part is not cell and is_blank(part):
                    continue
                found = read(part)
                if found is None or any(len(value) > POINT_LIMIT for value in found):
                    self._faults.append(Fault(place, message))
                else:
                    values |= dict.fromkeys(found)
        return list(values)

    def valued(self) -> Iterable[tuple[Target, int]]:
        """Yield the filled columns whose values are matched to a list, and where they stand."""
        for place in self._matching.meanings:
            if place < len(self._cells) and not is_blank(self._cells[place]):
                yield self._matching.targets[place], place

    def first_of_names(self) -> int | None:
        """Return the first column of names; None when no column holds names."""
        places = self._matching.columns_of(
            Target.FULL_NAME,
            Target.LAST_NAME_FIRST,
            Target.FIRST_NAME,
            Target.KNOWN_AS,
            Target.LAST_NAME,
        )
        return places[0] if places else None


@dataclass(slots=True)
class ListedPlace:
    """What one row says of a workplace. None = the row does not say.

    headcount, members: numbers of people. headcount_column, members_column: where they stand.
    employer_column: the column whose word for the employer has no meaning; None = it has one.
    """

    row_no: int
    name: str = ""
    employer_column: int | None = None
    area: str | None = None
    address: str | None = None
    postcode: str | None = None
    country: str | None = None
    headcount: People | None = None
    headcount_column: int | None = None
    members: float | None = None
    members_column: int | None = None
    valued: dict[Target, str] = field(default_factory=dict)
    unmatched: tuple[Target, ...] = ()
    faults: list[Fault] = field(default_factory=list)
    _name_key: str | None = field(default=None, init=False, repr=False, compare=False)
    _phone_keys: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)
    _email_keys: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def name_key(self) -> str:
        """Return the folded name that the workplace is found by."""
        return place_key(self.name)


def place_key(name: str) -> str:
    """Return the folded name that a workplace is found by."""
    return fold(name)[:400]


PLACE_NAME_LIMIT: Final = 200
ADDRESS_LIMIT: Final = 500
NOT_A_COUNTRY = "Write the country by its English name, or as two letters, like GB."


def read_place(row_no: int, cells: Sequence[str], matching: Matching) -> ListedPlace:
    """Return what a row says of a workplace, with a fault for each cell that cannot be used."""
    found = ListedPlace(row_no)
    cell = RowCells(cells, matching, found.faults)
    name = _one_line(cell.text(Target.PLACE_NAME, PLACE_NAME_LIMIT))
    if not name or not fold(name):
        places = matching.columns_of(Target.PLACE_NAME)
        if not found.faults:
            found.faults.append(Fault(places[0] if places else None, NO_PLACE_NAME))
    found.name = name or ""
    found.area = _one_line(cell.text(Target.AREA_NAME, PLACE_NAME_LIMIT))
    found.address = cell.text(Target.PLACE_ADDRESS, ADDRESS_LIMIT)
    if found.address:
        found.address = found.address.replace("\n", ", ")
    found.postcode = cell.text(Target.POSTCODE, 12)
    country = cell.text(Target.COUNTRY, 60)
    if country is not None:
        found.country = country_code(country)
        if found.country is None:
            found.faults.append(Fault(matching.columns_of(Target.COUNTRY)[0], NOT_A_COUNTRY))
    found.headcount = cell.people(Target.HEADCOUNT)
    found.members = cell.count(Target.MEMBERS)
    for target in (Target.HEADCOUNT, Target.MEMBERS):
        column = next(iter(matching.columns_of(target)), None)
        if target is Target.HEADCOUNT:
            found.headcount_column = column
        else:
            found.members_column = column
    for target, place in cell.valued():
        meaning = matching.meanings.get(place, {}).get(fold_word(cells[place]))
        if meaning is None:
            found.faults.append(Fault(place, NOT_MATCHED))
            found.unmatched += (target,)
            if target is Target.EMPLOYER:
                found.employer_column = place
        elif meaning:
            found.valued[target] = meaning
    return found


SAME_AS = "This row is about the same person as row %(row)s. Leave one of the two out."
SAME_ELSEWHERE = (
    "The same person is in row %(row)s at another workplace. Load this row by itself afterwards."
)


@dataclass
class Repeats:
    """Finds the rows of a list that are about a person of an earlier row, in little memory.

    Two rows are about one person when they have one name, and share a phone or mail address, or
    have nothing that tells them apart at the same workplace. Two people of one name and different
    phones are two people. Of each row only numbers are held, about 60 bytes of them.
    """

    TOLD_BY: ClassVar[frozenset[Target]] = frozenset(
        {*NAMES, Target.LAST_NAME, Target.PHONE, Target.EMAIL, Target.WORKPLACE}
    )

    _rows: array[int] = field(default_factory=lambda: array("q"))
    _names: array[int] = field(default_factory=lambda: array("q"))
    _sites: array[int] = field(default_factory=lambda: array("q"))
    _points: array[int] = field(default_factory=lambda: array("q"))
    # Where the phones and the mails of each row end among the points.
    _phones_to: array[int] = field(default_factory=lambda: array("q"))
    _emails_to: array[int] = field(default_factory=lambda: array("q"))

    def add(self, one: Listed) -> None:
        """Take note of the next row. One without a name is like no other."""
        if not one.name_key:
            return
        self._rows.append(one.row_no)
        # Of 64 bits, and other ones in each process: nobody can make two names meet.
        self._names.append(hash(one.name_key))
        self._sites.append(hash(one.valued.get(Target.WORKPLACE)))
        self._points.extend(hash(key) for key in one.phone_keys)
        self._phones_to.append(len(self._points))
        self._points.extend(hash(key) for key in one.email_keys)
        self._emails_to.append(len(self._points))

    def find(self) -> dict[int, Fault]:
        """Return a fault for each row that is about a person of an earlier row."""
        found: dict[int, Fault] = {}
        # Sorting keeps rows of one name in the order of the list.
        order = sorted(range(len(self._names)), key=self._names.__getitem__)
        for _name, same in groupby(order, key=self._names.__getitem__):
            # Where each phone, each mail address, and each site with or without them came first:
            # held against every other row, a list of one name would take the square of its length.
            first: dict[tuple[object, ...], int] = {}
            for one in same:
                phones, emails = self._points_of(one)
                shared = [*(("phone", key) for key in phones), *(("mail", key) for key in emails)]
                at = self._sites[one]
                like = [
                    (at, with_phones, with_emails)
                    for with_phones in ((False,) if phones else (False, True))
                    for with_emails in ((False,) if emails else (False, True))
                ]
                earlier = [first[key] for key in (*shared, *like) if key in first]
                if earlier:
                    found[self._rows[one]] = self._fault(one, min(earlier))
                else:
                    for key in (*shared, (at, bool(phones), bool(emails))):
                        first.setdefault(key, one)
        return dict(sorted(found.items()))

    def _fault(self, one: int, other: int) -> Fault:
        message = SAME_AS if self._sites[one] == self._sites[other] else SAME_ELSEWHERE
        return Fault(None, message, self._rows[other])

    def _points_of(self, one: int) -> tuple[set[int], set[int]]:
        start = self._emails_to[one - 1] if one else 0
        middle, end = self._phones_to[one], self._emails_to[one]
        return set(self._points[start:middle]), set(self._points[middle:end])


def find_repeats(people: Iterable[Listed]) -> dict[int, Fault]:
    """Return a fault for each row that is about a person of an earlier row, as ``Repeats`` does."""
    repeats = Repeats()
    for one in people:
        repeats.add(one)
    return repeats.find()
