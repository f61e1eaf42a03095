"""The law of ballots as dated rows: which row is in force on a day, and what it asks for.

The rows stand in `reference/rules/<jurisdiction>.toml`, one file each, so that a change of law is a
change of data. A row holds from its first day to its last day, both included. Where nobody knows
yet on which day a change of law begins, the row names the change instead of a day, and whoever
reads the rules says on which day it began, if it did.

Nothing here is legal advice. A row that nobody has checked says so.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, TypeVar

Choice = TypeVar("Choice", bound=StrEnum)


class FaultyRules(ValueError):
    """Rows that cannot be relied on: one is incomplete, or two hold on the same day."""


class RuleKind(StrEnum):
    """What a row lays down."""

    TEST = "test"
    PERIOD = "period"
    NUMBER = "number"
    DUTY = "duty"


class KeyDate(StrEnum):
    """The event whose day picks the row."""

    BALLOT_OPENING = "ballot_opening"
    NOTICE_GIVEN = "notice_given"
    RESULT = "result"
    ACTION = "action"
    APPLICATION = "application"
    REQUEST = "request"


class Subject(StrEnum):
    """What the row is about; a screen groups by it."""

    ACTION_BALLOT = "action_ballot"
    NOTICE = "notice"
    MANDATE = "mandate"
    RESULT = "result"
    RECOGNITION = "recognition"
    PROTECTION = "protection"


class Comparator(StrEnum):
    """How the share is held against the value: at least, or more than."""

    AT_LEAST = ">="
    MORE_THAN = ">"


class Confidence(StrEnum):
    """How sure whoever wrote the row was of it."""

    SURE = "sure"
    CHECK = "check"


class Unit(StrEnum):
    """What a period is counted in."""

    HOURS = "hours"
    DAYS = "days"
    WORKING_DAYS = "working_days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


class Counted(StrEnum):
    """One thing that is counted in a ballot or an application."""

    ENTITLED = "entitled"
    VALID = "valid"
    SPOILED = "spoiled"
    YES = "yes"
    UNIT = "unit"
    MEMBERS = "members"
    SIGNED = "signed"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A share that must be reached: numerator ÷ denominator, compared with `value`.

    Both sides are sums of counts. value: an exact fraction of 1. per_question: the test is made
    for each question of a paper alone.
    """

    numerator: tuple[Counted, ...]
    denominator: tuple[Counted, ...]
    comparator: Comparator
    value: Fraction
    per_question: bool = False

    def needed(self, whole: int) -> int:
        """The smallest count that passes with this denominator; exact, never rounded first."""
        exact = self.value * whole
        if self.comparator is Comparator.AT_LEAST:
            return -(-exact.numerator // exact.denominator)
        return exact.numerator // exact.denominator + 1

    def words(self) -> tuple[str, ...]:
        """All that it lays down, as plain words in a fixed order."""
        return (
            "+".join(self.numerator),
            "+".join(self.denominator),
            self.comparator.value,
            str(self.value),
            str(self.per_question),
        )

    def is_passed(self, part: int, whole: int) -> bool:
        """Whether `part` of `whole` passes. Of nobody, nothing passes."""
        return whole > 0 and part >= self.needed(whole)


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time, and whether the parties may agree another one."""

    length: int
    unit: Unit
    by_agreement: int | None = None

    def words(self) -> tuple[str, ...]:
        """All that it lays down, as plain words in a fixed order."""
        return (str(self.length), self.unit.value, str(self.by_agreement))


@dataclass(frozen=True, slots=True)
class Rule:
    """One dated row of law.

    from_ and to: first and last day it holds, by the day of `key_date`; to is None while no end is
    known. from_change and to_change: the change of law that begins or ends it, when its day is not
    known. only_if: it applies only where this is said of the ballot, such as
    `important_public_service`. verified_on and verified_by: when somebody last read the source
    again, None = nobody has. review_by: look again by this day.
    """

    id: str
    jurisdiction: str
    subject: Subject
    kind: RuleKind
    key_date: KeyDate
    title: str
    text: str
    from_: date | None
    to: date | None
    from_change: str | None
    to_change: str | None
    only_if: str | None
    threshold: Threshold | None
    period: Period | None
    number: int | None
    source: str
    confidence: Confidence
    verified_on: date | None
    verified_by: str | None
    review_by: date | None

    def starts(self, begun: Mapping[str, date]) -> date | None:
        """The first day it holds, or None when it does not hold yet."""
        if self.from_change is not None:
            return begun.get(self.from_change)
        return self.from_

    def ends(self, begun: Mapping[str, date]) -> date | None:
        """The first day on which it no longer holds, or None when it has no end."""
        ends = [date.fromordinal(self.to.toordinal() + 1)] if self.to is not None else []
        if self.to_change is not None and self.to_change in begun:
            ends.append(begun[self.to_change])
        return min(ends, default=None)

    def holds_on(self, day: date, begun: Mapping[str, date] = MappingProxyType({})) -> bool:
        """Whether the row is in force on this day, given the days on which changes began."""
        starts, ends = self.starts(begun), self.ends(begun)
        return starts is not None and starts <= day and (ends is None or day < ends)

    @property
    def words_hash(self) -> str:
        """A SHA-256, in hexadecimal, of all that the row lays down; not of who has checked it."""
        said = (
            self.id,
            self.title,
            self.text,
            str(self.from_ or self.from_change),
            str(self.to or self.to_change),
            str(self.only_if),
            *([] if self.threshold is None else self.threshold.words()),
            *([] if self.period is None else self.period.words()),
            str(self.number),
            self.source,
        )
        return hashlib.sha256("\n".join(said).encode()).hexdigest()

    def is_checked(self, today: date) -> bool:
        """Whether somebody has checked it against its source, and it is not due again."""
        is_due = self.review_by is not None and self.review_by < today
        return self.verified_on is not None and not is_due


@dataclass(frozen=True, slots=True)
class Change:
    """A change of law that is made or planned, but whose first day is not known.

    not_before: the day it was made or laid; it cannot begin sooner.
    """

    id: str
    jurisdiction: str
    title: str
    text: str
    not_before: date
    source: str


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rows of one jurisdiction. code: GB, NI, IE, US, CA, DE and so on."""

    code: str
    name: str
    note: str | None
    rules: tuple[Rule, ...]
    changes: tuple[Change, ...]

    def in_force(
        self,
        rule_id: str,
        day: date,
        *,
        begun: Mapping[str, date] = MappingProxyType({}),
    ) -> Rule | None:
        """The one row of this id that holds on the day, or None."""
        return next(
            (one for one in self.rules if one.id == rule_id and one.holds_on(day, begun)), None
        )

    def all_in_force(
        self,
        days: Mapping[KeyDate, date],
        *,
        subject: Subject | None = None,
        begun: Mapping[str, date] = MappingProxyType({}),
        said: Iterable[str] = (),
    ) -> tuple[Rule, ...]:
        """Every row that holds on the day of its own key date, in the order of the file.

        days: the days that are known; rows of other key dates are left out. said: what is true of
        this ballot, such as `important_public_service`.
        """
        true = set(said)
        return tuple(
            one
            for one in self.rules
            if (subject is None or one.subject is subject)
            and one.key_date in days
            and one.holds_on(days[one.key_date], begun)
            and (one.only_if is None or one.only_if in true)
        )


CODES: Final = (
    "GB",
    "NI",
    "IE",
    "US",
    "CA",
    "CA-BC",
    "CA-ON",
    "CA-QC",
    "CA-MB",
    "CA-NB",
    "CA-NS",
    "CA-AB",
    "CA-SK",
    "CA-PE",
    "CA-NL",
    "DE",
    "FR",
    "SE",
    "AU",
    "ZA",
    "BD",
    "IN",
    "CN",
    "VN",
)


def rule_book(code: str) -> RuleBook:
    """The rules of one jurisdiction. Raises KeyError for a code without a file."""
    return rule_books()[code]


@lru_cache(maxsize=1)
def rule_books() -> Mapping[str, RuleBook]:
    """All rules, by jurisdiction, in the order of CODES; read once for each process.

    Raises FaultyRules when a file is incomplete or two rows hold on the same day.
    """
    folder = resources.files("crm.domain").joinpath("reference", "rules")
    books: dict[str, RuleBook] = {}
    for stem in sorted({code.partition("-")[0] for code in CODES}, key=_file_order):
        text = folder.joinpath(f"{stem}.toml").read_text(encoding="utf-8")
        books.update({book.code: book for book in read_rules(text)})
    return MappingProxyType({code: books[code] for code in CODES})


def _file_order(stem: str) -> int:
    return next(at for at, code in enumerate(CODES) if code.startswith(stem))


def read_rules(text: str) -> tuple[RuleBook, ...]:
    """The books that a TOML file holds; one for each of its jurisdictions.

    Raises FaultyRules, naming the row, for a row that lacks a part or has one too many, for two
    rows of one id on the same day, and for a change that nobody has described.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise FaultyRules(f"The file is not TOML: {fault}") from None
    books = []
    for part in found.get("jurisdiction", []):
        code = _text(part, "code", "a jurisdiction")
        changes = tuple(_change(code, row) for row in part.get("change", []))
        rules = tuple(_rule(code, row) for row in part.get("rule", []))
        if not rules:
            raise FaultyRules(f"{code} has no rules.")
        _check_changes(rules, changes)
        _check_overlaps(rules, {change.id: change.not_before for change in changes})
        books.append(RuleBook(code, _text(part, "name", code), part.get("note"), rules, changes))
    if not books:
        raise FaultyRules("The file names no jurisdiction.")
    return tuple(books)


_KNOWN_PARTS: Final = frozenset(
    {
        "id",
        "subject",
        "kind",
        "key_date",
        "title",
        "text",
        "from",
        "to",
        "from_change",
        "to_change",
        "only_if",
        "numerator",
        "denominator",
        "comparator",
        "value",
        "per_question",
        "length",
        "unit",
        "by_agreement",
        "number",
        "source",
        "confidence",
        "verified_on",
        "verified_by",
        "review_by",
    }
)
_PARTS_OF: Final[Mapping[RuleKind, frozenset[str]]] = {
    RuleKind.TEST: frozenset({"numerator", "denominator", "comparator", "value", "per_question"}),
    RuleKind.PERIOD: frozenset({"length", "unit", "by_agreement"}),
    RuleKind.NUMBER: frozenset({"number"}),
    RuleKind.DUTY: frozenset(),
}
_NEEDED_BY: Final[Mapping[RuleKind, tuple[str, ...]]] = {
    RuleKind.TEST: ("numerator", "denominator", "comparator", "value"),
    RuleKind.PERIOD: ("length", "unit"),
    RuleKind.NUMBER: ("number",),
    RuleKind.DUTY: (),
}


def _change(code: str, row: Mapping[str, Any]) -> Change:
    name = _text(row, "id", f"a change of {code}")
    not_before = _day(row, "not_before", name)
    if not_before is None:
        raise FaultyRules(f"{name}: not_before is missing.")
    return Change(
        name,
        code,
        _text(row, "title", name),
        _text(row, "text", name),
        not_before,
        _text(row, "source", name),
    )


def _rule(code: str, row: Mapping[str, Any]) -> Rule:
    name = _text(row, "id", f"a rule of {code}")
    if unknown := sorted(set(row) - _KNOWN_PARTS):
        raise FaultyRules(f"{name}: no such part: {', '.join(unknown)}.")
    kind = _one_of(RuleKind, row, "kind", name)
    for part in _NEEDED_BY[kind]:
        if part not in row:
            raise FaultyRules(f"{name}: {part} is missing.")
    for other, parts in _PARTS_OF.items():
        if other is not kind and (foreign := sorted(parts & set(row))):
            raise FaultyRules(f"{name}: a {kind} has no {', '.join(foreign)}.")
    from_, to = _day(row, "from", name), _day(row, "to", name)
    if (from_ is None) is (row.get("from_change") is None):
        raise FaultyRules(f"{name}: give either from or from_change.")
    if from_ is not None and to is not None and to < from_:
        raise FaultyRules(f"{name}: it ends before it begins.")
    if (row.get("verified_on") is None) is not (row.get("verified_by") is None):
        raise FaultyRules(f"{name}: give verified_on and verified_by together.")
    return Rule(
        id=name,
        jurisdiction=code,
        subject=_one_of(Subject, row, "subject", name),
        kind=kind,
        key_date=_one_of(KeyDate, row, "key_date", name),
        title=_text(row, "title", name),
        text=_text(row, "text", name),
        from_=from_,
        to=to,
        from_change=row.get("from_change"),
        to_change=row.get("to_change"),
        only_if=row.get("only_if"),
        threshold=_threshold(row, name) if kind is RuleKind.TEST else None,
        period=_period(row, name) if kind is RuleKind.PERIOD else None,
        number=_whole(row["number"], "number", name) if kind is RuleKind.NUMBER else None,
        source=_text(row, "source", name),
        confidence=_one_of(Confidence, row, "confidence", name),
        verified_on=_day(row, "verified_on", name),
        verified_by=row.get("verified_by"),
        review_by=_day(row, "review_by", name),
    )


def _threshold(row: Mapping[str, Any], name: str) -> Threshold:
    value = row["value"]
    try:
        share = Fraction(value) if isinstance(value, str) else None
    except ValueError:
        share = None
    if share is None or not 0 < share <= 1:
        # A binary number would make 0.1 something else than a tenth.
        raise FaultyRules(f"{name}: value is a text such as '0.5' or '2/3', above 0 and up to 1.")
    return Threshold(
        numerator=_counts(row, "numerator", name),
        denominator=_counts(row, "denominator", name),
        comparator=_one_of(Comparator, row, "comparator", name),
        value=share,
        per_question=bool(row.get("per_question", False)),
    )


def _period(row: Mapping[str, Any], name: str) -> Period:
    agreed = row.get("by_agreement")
    return Period(
        _whole(row["length"], "length", name),
        _one_of(Unit, row, "unit", name),
        None if agreed is None else _whole(agreed, "by_agreement", name),
    )


def _counts(row: Mapping[str, Any], part: str, name: str) -> tuple[Counted, ...]:
    found = row[part]
    if not isinstance(found, list) or not found:
        raise FaultyRules(f"{name}: {part} is a list of what is counted.")
    return tuple(_one_of(Counted, {part: one}, part, name) for one in found)


def _whole(value: object, part: str, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise FaultyRules(f"{name}: {part} is a whole number, 0 or more.")
    return value


def _text(row: Mapping[str, Any], part: str, name: str) -> str:
    found = row.get(part)
    if not isinstance(found, str) or not found.strip():
        raise FaultyRules(f"{name}: {part} is missing.")
    return found


def _day(row: Mapping[str, Any], part: str, name: str) -> date | None:
    found = row.get(part)
    if found is not None and type(found) is not date:
        raise FaultyRules(f"{name}: {part} is a day, such as 2026-02-18.")
    return found


def _one_of(kind: type[Choice], row: Mapping[str, Any], part: str, name: str) -> Choice:
    found = row.get(part)
    if found is None:
        raise FaultyRules(f"{name}: {part} is missing.")
    try:
        return kind(found)
    except ValueError:
        allowed = ", ".join(kind)
        raise FaultyRules(f"{name}: {part} is one of {allowed}.") from None


def _check_changes(rules: Iterable[Rule], changes: Iterable[Change]) -> None:
    known = {change.id for change in changes}
    for rule in rules:
        for change in (rule.from_change, rule.to_change):
            if change is not None and change not in known:
                raise FaultyRules(f"{rule.id}: the change {change} is not described.")


def _check_overlaps(rules: tuple[Rule, ...], not_before: Mapping[str, date]) -> None:
    """Two rows of one id may not hold on one day, whenever the open changes begin."""
    for at, one in enumerate(rules):
        for other in rules[at + 1 :]:
            if one.id != other.id or one.only_if != other.only_if:
                continue
            if not (_ends_first(one, other, not_before) or _ends_first(other, one, not_before)):
                raise FaultyRules(f"{one.id}: two rows hold on the same day.")


def _ends_first(first: Rule, then: Rule, not_before: Mapping[str, date]) -> bool:
    if first.to_change is not None and first.to_change == then.from_change:
        return True
    starts = then.from_ if then.from_change is None else not_before[then.from_change]
    return first.to is not None and starts is not None and first.to < starts
