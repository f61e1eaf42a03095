"""What the count of a ballot comes to under the rules in force, and the days around it.

Every share is an exact fraction of counts; nothing is rounded before it is held against a rule.
A count that is not known leaves the outcome not known, and never fails or passes it.
Source of the tests: the rows of `crm/domain/rules.py`. Source of the dates: TULRCA 1992 s.226A,
s.234 and s.234A as in force on 7 April 2026, which count days of receipt, not of posting.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from types import MappingProxyType

from crm.domain.errors import Refusal
from crm.domain.rules import Change, Counted, KeyDate, Period, Rule, RuleBook, RuleKind, Subject
from crm.domain.rules import Unit as PeriodUnit

# The numbers of a count, in the order of QuestionCount.
COUNTED = ("entitled", "cast", "yes", "no", "spoiled")


class CountsDoNotAdd(Refusal):
    """The numbers of a result contradict each other."""


@dataclass(frozen=True, slots=True)
class QuestionCount:
    """The count of one question on one ballot; None = not published or not known.

    entitled: people who could vote. cast: papers sent back, spoiled ones too. spoiled: papers that
    are neither yes nor no to this question, blank ones too. Raises CountsDoNotAdd when the numbers
    cannot all be true. A missing one that follows from the others is worked out.
    """

    entitled: int | None
    cast: int | None
    yes: int | None
    no: int | None
    spoiled: int | None

    def __post_init__(self) -> None:
        parts = (self.yes, self.no, self.spoiled)
        missing = parts.count(None)
        if missing == 0 and self.cast is None:
            object.__setattr__(self, "cast", sum(part or 0 for part in parts))
        if missing == 1 and self.cast is not None:
            rest = self.cast - sum(part or 0 for part in parts)
            name = ("yes", "no", "spoiled")[parts.index(None)]
            if rest < 0:
                raise CountsDoNotAdd(_TOO_MANY_PAPERS)
            object.__setattr__(self, name, rest)
        self._check()

    def _check(self) -> None:
        known = [part for part in (self.yes, self.no, self.spoiled) if part is not None]
        if any(part < 0 for part in (*known, self.cast or 0, self.entitled or 0)):
            raise CountsDoNotAdd("A count cannot be less than 0.")
        if self.cast is not None:
            if sum(known) > self.cast or (len(known) == 3 and sum(known) != self.cast):
                raise CountsDoNotAdd(_TOO_MANY_PAPERS)
            if self.entitled is not None and self.cast > self.entitled:
                raise CountsDoNotAdd(_MORE_THAN_ENTITLED)

    def check_written(self) -> QuestionCount:
        """Return the count itself where somebody may write it down.

        Raises CountsDoNotAdd for more votes than people who could vote, where the papers that came
        back are not known. Counts that were stored before must still be read: so it is apart.
        """
        votes = sum(part or 0 for part in (self.yes, self.no, self.spoiled))
        if self.entitled is not None and votes > self.entitled:
            raise CountsDoNotAdd(_MORE_THAN_ENTITLED)
        return self

    @property
    def valid(self) -> int | None:
        """Papers that say yes or no."""
        if self.yes is not None and self.no is not None:
            return self.yes + self.no
        if self.cast is not None and self.spoiled is not None:
            return self.cast - self.spoiled
        return None

    def sum_of(self, counted: Iterable[Counted]) -> int | None:
        """The sum of these counts, or None when one of them is not known."""
        wanted = set(counted)
        if wanted == {Counted.VALID, Counted.SPOILED}:
            # Papers sent back are often published where their parts are not.
            return self.cast
        known = {
            Counted.ENTITLED: self.entitled,
            Counted.VALID: self.valid,
            Counted.SPOILED: self.spoiled,
            Counted.YES: self.yes,
        }
        values = [known.get(one) for one in wanted]
        return None if None in values else sum(value or 0 for value in values)


_MORE_THAN_ENTITLED = "More papers came back than people were entitled to vote. Check both numbers."
_TOO_MANY_PAPERS = (
    "Yes, no and spoiled must add up to the papers that came back. Check the four numbers."
)


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """One rule held against one question.

    numerator and denominator: people or papers; None = not known. passed: None = not known.
    needed: the smallest numerator that passes, with this denominator. question: None for a test of
    the whole paper.
    """

    rule: Rule
    question: str | None
    numerator: int | None
    denominator: int | None
    passed: bool | None
    needed: int | None

    @property
    def share(self) -> Fraction | None:
        """The exact share, or None when a count is not known or nobody is counted."""
        if self.numerator is None or not self.denominator:
            return None
        return Fraction(self.numerator, self.denominator)

    @property
    def short_by(self) -> int | None:
        """How many more were needed; 0 when it passes, None when not known."""
        if self.needed is None or self.numerator is None:
            return None
        return max(0, self.needed - self.numerator)


@dataclass(frozen=True, slots=True)
class QuestionVerdict:
    """All tests of one question. passed: None when one is not known and none has failed."""

    question: str
    tests: tuple[RuleOutcome, ...]

    @property
    def passed(self) -> bool | None:
        """Whether every test passes; False as soon as one fails."""
        return _all_passed(test.passed for test in self.tests)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a ballot comes to, question by question, under the rules of one day.

    if_begun: the same ballot if the named change of law had begun by its key date; only for
    changes whose day is open and which make a difference to the rows.
    """

    questions: tuple[QuestionVerdict, ...]
    if_begun: tuple[tuple[Change, Verdict], ...] = ()

    @property
    def passed(self) -> bool | None:
        """Whether at least one question is carried: each question is a mandate of its own."""
        outcomes = [question.passed for question in self.questions]
        if True in outcomes:
            return True
        return None if None in outcomes or not outcomes else False


def verdict(
    book: RuleBook,
    counts: Mapping[str, QuestionCount],
    days: Mapping[KeyDate, date],
    *,
    said: Iterable[str] = (),
    begun: Mapping[str, date] = MappingProxyType({}),
) -> Verdict:
    """The verdict on one ballot: every test of an action ballot in force, for every question.

    counts: by the name of the question. days: the key dates that are known; the day of opening
    picks the tests. said: what is true of this ballot, such as `important_public_service`.
    begun: the first days of changes of law that have begun.
    """
    found = _under(book, counts, days, said, begun)
    others = []
    for change in book.changes:
        if change.id in begun:
            continue
        first = max(change.not_before, min(days.values(), default=change.not_before))
        if KeyDate.BALLOT_OPENING not in days or days[KeyDate.BALLOT_OPENING] < first:
            continue
        other = _under(book, counts, days, said, {**begun, change.id: first})
        if other != found:
            others.append((change, other))
    return Verdict(found.questions, tuple(others))


def _under(
    book: RuleBook,
    counts: Mapping[str, QuestionCount],
    days: Mapping[KeyDate, date],
    said: Iterable[str],
    begun: Mapping[str, date],
) -> Verdict:
    rules = [
        rule
        for rule in book.all_in_force(
            days, subject=Subject.ACTION_BALLOT, begun=begun, said=tuple(said)
        )
        if rule.kind is RuleKind.TEST
    ]
    return Verdict(
        tuple(
            QuestionVerdict(name, tuple(outcome(rule, count, name) for rule in rules))
            for name, count in counts.items()
        )
    )


def outcomes_of_numbers(
    book: RuleBook,
    numbers: Mapping[Counted, int | None],
    days: Mapping[KeyDate, date],
    *,
    subject: Subject,
    said: Iterable[str] = (),
    begun: Mapping[str, date] = MappingProxyType({}),
) -> tuple[RuleOutcome, ...]:
    """Every test of a subject in force on its day, held against bare numbers; None = not known.

    For what is no ballot paper by paper, such as a claim for recognition.
    """
    found = []
    for rule in book.all_in_force(days, subject=subject, begun=begun, said=tuple(said)):
        if rule.threshold is None:
            continue
        part = _sum_of(numbers, rule.threshold.numerator)
        whole = _sum_of(numbers, rule.threshold.denominator)
        needed = None if whole is None else rule.threshold.needed(whole)
        passed = None
        if part is not None and whole is not None:
            passed = rule.threshold.is_passed(part, whole)
        found.append(RuleOutcome(rule, None, part, whole, passed, needed))
    return tuple(found)


def _sum_of(numbers: Mapping[Counted, int | None], counted: Iterable[Counted]) -> int | None:
    values = [numbers.get(one) for one in counted]
    return None if None in values else sum(value or 0 for value in values)


def outcome(rule: Rule, count: QuestionCount, question: str | None = None) -> RuleOutcome:
    """One test of one question. Raises ValueError for a rule that is no test."""
    threshold = rule.threshold
    if threshold is None:
        raise ValueError(f"{rule.id} is not a test.")
    part = count.sum_of(threshold.numerator)
    whole = count.sum_of(threshold.denominator)
    needed = None if whole is None else threshold.needed(whole)
    if part is None:
        passed = None
    elif whole is not None:
        passed = threshold.is_passed(part, whole)
    else:
        # Valid papers are no more than papers sent back: what passes of all of those, passes.
        most = count.cast if threshold.denominator == (Counted.VALID,) else None
        passed = True if most is not None and threshold.is_passed(part, most) else None
    return RuleOutcome(rule, question, part, whole, passed, needed)


def _all_passed(outcomes: Iterable[bool | None]) -> bool | None:
    found = list(outcomes)
    if False in found:
        return False
    return None if None in found or not found else True


DayOff = Callable[[date], bool]


def no_days_off(_day: date) -> bool:
    """Of no day is it known that it is a public holiday."""
    return False


def add_period(day: date, period: Period, is_off: DayOff = no_days_off) -> date:
    """The day that lies one period after `day`. Working days are Monday to Friday.

    is_off: whether a day is a public holiday, which is no working day. A month's end that does not
    exist becomes the last day of that month. Hours count as started days.
    """
    match period.unit:
        case PeriodUnit.HOURS:
            return day + timedelta(days=-(-period.length // 24))
        case PeriodUnit.DAYS:
            return day + timedelta(days=period.length)
        case PeriodUnit.WEEKS:
            return day + timedelta(weeks=period.length)
        case PeriodUnit.WORKING_DAYS:
            return _working_days(day, period.length, is_off)
        case PeriodUnit.MONTHS:
            return _months(day, period.length)
        case PeriodUnit.YEARS:
            return _months(day, 12 * period.length)


def take_period(day: date, period: Period, is_off: DayOff = no_days_off) -> date:
    """The last day that lies a whole period before `day`."""
    match period.unit:
        case PeriodUnit.HOURS:
            return day - timedelta(days=-(-period.length // 24))
        case PeriodUnit.DAYS:
            return day - timedelta(days=period.length)
        case PeriodUnit.WEEKS:
            return day - timedelta(weeks=period.length)
        case PeriodUnit.WORKING_DAYS:
            return _working_days(day, -period.length, is_off)
        case PeriodUnit.MONTHS:
            return _months(day, -period.length)
        case PeriodUnit.YEARS:
            return _months(day, -12 * period.length)


def last_day_before(day: date, period: Period, is_off: DayOff = no_days_off) -> date:
    """The last day from which a whole period is over by `day`.

    Not always the day that `take_period` gives: a period of working days that starts on a Saturday
    ends when one from the Friday does, and one that must be over by a Sunday is over on the Friday.
    """
    last = take_period(day, period, is_off)
    one = timedelta(days=1)
    while add_period(last, period, is_off) > day:
        last -= one
    while add_period(last + one, period, is_off) <= day:
        last += one
    return last


def _working_days(day: date, number: int, is_off: DayOff) -> date:
    step = timedelta(days=1 if number >= 0 else -1)
    left = abs(number)
    while left:
        day += step
        if day.weekday() < 5 and not is_off(day):
            left -= 1
    return day


def _months(day: date, number: int) -> date:
    months = day.year * 12 + day.month - 1 + number
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class Deadline:
    """A day by which, or from which, something may be done, and the row that says so."""

    rule: Rule
    day: date


def ballot_notice_by(
    book: RuleBook,
    opening: date,
    begun: Mapping[str, date] = MappingProxyType({}),
    is_off: DayOff = no_days_off,
) -> tuple[Deadline, ...]:
    """The days by which the employer must have the notice and the sample paper."""
    wanted = ("notice_ballot", "sample_paper")
    return tuple(
        Deadline(rule, take_period(opening, rule.period, is_off))
        for rule in book.all_in_force({KeyDate.BALLOT_OPENING: opening}, begun=begun)
        if rule.period is not None and rule.id.rpartition(".")[2] in wanted
    )


def earliest_action(
    book: RuleBook,
    notice_received: date,
    *,
    result_told: date | None,
    agreed: bool = False,
    begun: Mapping[str, date] = MappingProxyType({}),
    said: Iterable[str] = (),
    is_off: DayOff = no_days_off,
) -> Deadline | None:
    """The first day action may begin, or None where no notice of action is laid down.

    The period runs from the later of the notice and of telling the employer the result.
    agreed: the employer has agreed to the period the law allows to be agreed.
    """
    from_day = max(notice_received, result_told) if result_told is not None else notice_received
    for rule in book.all_in_force(
        {KeyDate.NOTICE_GIVEN: notice_received}, subject=Subject.NOTICE, begun=begun, said=said
    ):
        if rule.period is not None and ".notice" in rule.id:
            return Deadline(rule, add_period(from_day, as_agreed(rule.period, agreed), is_off))
    return None


def mandate_last_day(
    book: RuleBook,
    opening: date,
    last_voting_day: date,
    *,
    agreed: bool = False,
    begun: Mapping[str, date] = MappingProxyType({}),
) -> Deadline | None:
    """The last day on which the result still holds, or None where the law sets no end.

    The period begins with the last day of voting, so it ends the day before the same day. Where
    the month has no such day, it ends with the last day of that month.
    """
    for rule in book.all_in_force(
        {KeyDate.BALLOT_OPENING: opening}, subject=Subject.MANDATE, begun=begun
    ):
        if rule.period is not None:
            period = as_agreed(rule.period, agreed)
            end = add_period(last_voting_day, period)
            by_month = period.unit in (PeriodUnit.MONTHS, PeriodUnit.YEARS)
            if by_month and end.day < last_voting_day.day:
                return Deadline(rule, end)
            return Deadline(rule, end - timedelta(days=1))
    return None


def as_agreed(period: Period, agreed: bool) -> Period:
    """The period, or the one that the employer agreed to where the law lets them agree."""
    if agreed and period.by_agreement is not None:
        return Period(period.by_agreement, period.unit)
    return period


def needs_scrutineer(book: RuleBook, opening: date, entitled: Sequence[int]) -> bool | None:
    """Whether the separate ballots together need a scrutineer; None where no rule says.

    entitled: people entitled in each separate ballot.
    """
    for rule in book.all_in_force({KeyDate.BALLOT_OPENING: opening}):
        if rule.number is not None and rule.id.endswith(".scrutineer"):
            return sum(entitled) > rule.number
    return None
