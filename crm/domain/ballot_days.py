"""The days of one ballot: where it stands, what is to be done by when, and how fast votes come in.

Source of the periods: the rows of crm/domain/rules.py. A day by which the employer must have a
paper is a day of receipt, not of posting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from crm.domain.balloting import (
    DayOff,
    Deadline,
    add_period,
    as_agreed,
    ballot_notice_by,
    earliest_action,
    last_day_before,
    mandate_last_day,
    no_days_off,
    take_period,
)
from crm.domain.rules import KeyDate, Rule, RuleBook, Subject


class Stage(StrEnum):
    """Where a ballot stands on a day."""

    PLANNED = "planned"
    OPEN = "open"
    CLOSED = "closed"
    DECLARED = "declared"
    CALLED_OFF = "called_off"


@dataclass(frozen=True, slots=True)
class BallotDays:
    """The days of a ballot that are known; None = not known, or not done yet.

    ballot_notice_on, action_notice_on: when the employer received the notice. carried: whether
    the result gives a mandate; None = not known yet.
    """

    opens_on: date | None = None
    closes_on: date | None = None
    last_post_on: date | None = None
    ballot_notice_on: date | None = None
    members_told_on: date | None = None
    employers_told_on: date | None = None
    action_notice_on: date | None = None
    action_starts_on: date | None = None
    action_ended_on: date | None = None
    declared_on: date | None = None
    called_off_on: date | None = None
    agreed: bool = False
    carried: bool | None = None

    def stage(self, today: date) -> Stage:
        """Where the ballot stands. It is open from its first to its last day, both included."""
        if self.called_off_on is not None:
            return Stage.CALLED_OFF
        if self.declared_on is not None:
            return Stage.DECLARED
        # Of a ballot long ago only the last day may be known.
        if self.closes_on is not None and today > self.closes_on:
            return Stage.CLOSED
        if self.opens_on is None or today < self.opens_on:
            return Stage.PLANNED
        return Stage.OPEN


class Step(StrEnum):
    """Something that happens, or must be done, on or by a day."""

    BALLOT_NOTICE = "ballot_notice"
    SAMPLE_PAPER = "sample_paper"
    OPENS = "opens"
    LAST_POST = "last_post"
    CLOSES = "closes"
    TELL_MEMBERS = "tell_members"
    TELL_EMPLOYERS = "tell_employers"
    SCRUTINEER_REPORT = "scrutineer_report"
    ACTION_NOTICE = "action_notice"
    EARLIEST_ACTION = "earliest_action"
    ACTION_STARTS = "action_starts"
    ACTION_ENDED = "action_ended"
    REBALLOT_NOTICE = "reballot_notice"
    MANDATE_ENDS = "mandate_ends"


# What somebody has to do by the day; the other steps happen by themselves.
TO_DO = frozenset(
    {
        Step.BALLOT_NOTICE,
        Step.SAMPLE_PAPER,
        Step.TELL_MEMBERS,
        Step.TELL_EMPLOYERS,
        Step.ACTION_NOTICE,
        Step.REBALLOT_NOTICE,
    }
)


@dataclass(frozen=True, slots=True)
class Milestone:
    """A step and its day. rule: the row that says so, None for a day that the group chose.

    done_on: when it was done, None = not yet. too_late: it was done after its day, so what follows
    may not stand. assumed: the day rests on another day that is not fixed yet.
    """

    step: Step
    day: date
    rule: Rule | None = None
    done_on: date | None = None
    assumed: bool = False

    @property
    def too_late(self) -> bool:
        """Whether it was done after its day."""
        return self.done_on is not None and self.done_on > self.day

    def is_due(self, today: date, within: timedelta) -> bool:
        """Whether somebody has to do it by a day no further ahead than `within`, or late."""
        return self.step in TO_DO and self.done_on is None and self.day <= today + within


def milestones(
    book: RuleBook,
    days: BallotDays,
    *,
    begun: Mapping[str, date] = MappingProxyType({}),
    said: Iterable[str] = (),
    is_off: DayOff = no_days_off,
    today: date | None = None,
) -> tuple[Milestone, ...]:
    """Everything with a day in a ballot under one law, in order of day.

    is_off: whether a day is a public holiday, for periods in working days. A step whose day cannot
    be told yet is left out. today: what nobody has done by this day is done on it at the earliest,
    so that the first day of action never lies where no notice can reach. Nothing after the result
    is told of a ballot that is known to be lost.
    """
    said = tuple(said)
    found = [*_before(book, days, begun, is_off), *_voting(days)]
    found += _result(book, days, begun, is_off)
    if days.carried is not False:
        found += _action(book, days, begun, said, is_off, today)
    return tuple(sorted(found, key=lambda one: (one.day, list(Step).index(one.step))))


def _before(
    book: RuleBook, days: BallotDays, begun: Mapping[str, date], is_off: DayOff
) -> Iterable[Milestone]:
    if days.opens_on is None:
        return
    for deadline in ballot_notice_by(book, days.opens_on, begun, is_off):
        if deadline.rule.id.endswith("sample_paper"):
            # Nobody writes down that it was sent, and the notice does not say so.
            yield Milestone(Step.SAMPLE_PAPER, deadline.day, deadline.rule)
        else:
            yield Milestone(Step.BALLOT_NOTICE, deadline.day, deadline.rule, days.ballot_notice_on)


def _voting(days: BallotDays) -> Iterable[Milestone]:
    for step, day in (
        (Step.OPENS, days.opens_on),
        (Step.LAST_POST, days.last_post_on),
        (Step.CLOSES, days.closes_on),
    ):
        if day is not None:
            yield Milestone(step, day)


def _result(
    book: RuleBook, days: BallotDays, begun: Mapping[str, date], is_off: DayOff
) -> Iterable[Milestone]:
    if days.opens_on is None or days.closes_on is None:
        return
    told = days.declared_on or days.closes_on + timedelta(days=1)
    rules = book.all_in_force(
        {KeyDate.RESULT: told, KeyDate.BALLOT_OPENING: days.opens_on},
        subject=Subject.RESULT,
        begun=begun,
    )
    for rule in rules:
        if rule.id.endswith(".result_info"):
            assumed = days.declared_on is None
            yield Milestone(Step.TELL_MEMBERS, told, rule, days.members_told_on, assumed)
            yield Milestone(Step.TELL_EMPLOYERS, told, rule, days.employers_told_on, assumed)
        if rule.id.endswith(".scrutineer_report") and rule.period is not None:
            by = add_period(days.closes_on, rule.period, is_off)
            yield Milestone(Step.SCRUTINEER_REPORT, by, rule)


def _action(
    book: RuleBook,
    days: BallotDays,
    begun: Mapping[str, date],
    said: tuple[str, ...],
    is_off: DayOff,
    today: date | None,
) -> Iterable[Milestone]:
    if days.opens_on is None or days.closes_on is None:
        return
    told = days.employers_told_on or days.declared_on or days.closes_on + timedelta(days=1)
    notice = days.action_notice_on or told

    def _first(told: date, notice: date) -> Deadline | None:
        return earliest_action(
            book,
            notice,
            result_told=told,
            agreed=days.agreed,
            begun=begun,
            said=said,
            is_off=is_off,
        )

    first = _first(told, notice)
    mandate = mandate_last_day(book, days.opens_on, days.closes_on, agreed=days.agreed, begun=begun)
    if today is not None and (days.action_starts_on is None or days.action_starts_on > today):
        from_today = _first(
            days.employers_told_on or max(told, today),
            days.action_notice_on or max(notice, today),
        )
        if from_today is not None:
            # Once the mandate would be over by then, there is no day left to start on.
            first = from_today if mandate is None or from_today.day <= mandate.day else None
    if first is not None:
        assumed = days.action_notice_on is None or days.employers_told_on is None
        yield Milestone(Step.EARLIEST_ACTION, first.day, first.rule, assumed=assumed)
        if days.action_starts_on is not None and first.rule.period is not None:
            period = as_agreed(first.rule.period, days.agreed)
            last = last_day_before(days.action_starts_on, period, is_off)
            yield Milestone(Step.ACTION_NOTICE, last, first.rule, days.action_notice_on)
    if days.action_starts_on is not None:
        yield Milestone(Step.ACTION_STARTS, days.action_starts_on)
    if days.action_ended_on is not None:
        yield Milestone(Step.ACTION_ENDED, days.action_ended_on)
    if mandate is not None:
        yield Milestone(Step.MANDATE_ENDS, mandate.day, mandate.rule)
        if days.carried:
            by = _new_notice_by(book, days, mandate.day, begun, is_off)
            yield Milestone(Step.REBALLOT_NOTICE, by, mandate.rule)


def _new_notice_by(
    book: RuleBook,
    days: BallotDays,
    mandate_ends: date,
    begun: Mapping[str, date],
    is_off: DayOff,
) -> date:
    """The last day for the notice of a new ballot as long as this one, so that no day is lost."""
    if days.opens_on is None or days.closes_on is None:
        raise ValueError("A ballot without its days has no mandate.")
    day = mandate_ends + timedelta(days=1)
    for rule in book.all_in_force({KeyDate.NOTICE_GIVEN: day}, subject=Subject.NOTICE, begun=begun):
        if rule.period is not None and rule.id.endswith(".notice_action"):
            day = take_period(day, rule.period, is_off)
            break
    day -= days.closes_on - days.opens_on + timedelta(days=1)
    notices = [one.day for one in ballot_notice_by(book, day, begun, is_off)]
    return min(notices, default=day)


def days_of_action(first: date, last: date) -> int:
    """Return how many days a stoppage took, its first and its last day both counted.

    So counts the monthly workbook of the US Federal Mediation and Conciliation Service. Raises
    ValueError when it ends before it begins.
    """
    if last < first:
        raise ValueError("A stoppage cannot end before it begins.")
    return (last - first).days + 1


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast votes must come in. needed: voters, in all. told: those who told us they voted.

    days_left: days on which a paper can still be posted, today included; 0 = none is left.
    """

    needed: int
    told: int
    days_left: int

    @property
    def missing(self) -> int:
        """How many more must vote, if only those voted who told us."""
        return max(0, self.needed - self.told)

    @property
    def per_day(self) -> int | None:
        """How many more a day, rounded up; None when no day is left."""
        return None if self.days_left <= 0 else -(-self.missing // self.days_left)


def pace(needed: int, told: int, *, today: date, opens_on: date, last_post_on: date) -> Pace:
    """The pace that is needed from today, or from the opening when that is still ahead."""
    start = max(today, opens_on)
    return Pace(needed, told, max(0, (last_post_on - start).days + 1))
