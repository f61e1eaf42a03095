"""How many people work somewhere: dated estimates, and what each of them counts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from crm.domain.errors import InvalidHeadcount

# Larger than any one country's workforce; it catches a telephone number typed in the wrong box.
MOST_PEOPLE: Final = 1_000_000_000


class Counts(StrEnum):
    """Whom a headcount counts. A density always names which.

    SITE_ALL: everyone who works at the place, whoever employs them (the headline, because a
    strike is felt at the place). EMPLOYER_DIRECT: only the employer's own staff.
    BARGAINING_UNIT: the workers covered by recognition. FTE: full-time equivalents, which are
    hours and not people, and so never the bottom of a density.
    """

    SITE_ALL = "site_all"
    EMPLOYER_DIRECT = "employer_direct"
    BARGAINING_UNIT = "bargaining_unit"
    FTE = "fte"


class HeadcountSource(StrEnum):
    """Where a headcount comes from."""

    UNION_LIST = "union_list"
    ANNUAL_REPORT = "annual_report"
    GENDER_PAY_RETURN = "gender_pay_return"
    ORGANISER_COUNT = "organiser_count"
    PUBLISHED_REGISTER = "published_register"
    SURVEY = "survey"
    EMPLOYER_TOLD = "employer_told"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Workforce:
    """How many people work somewhere: the true number lies from `low` to `high`, both possible.

    best: the likeliest, or None when only the range is known. People as numbers that may have
    fractions, because survey figures are weighted.
    Raises InvalidHeadcount as check_headcount does, but has no upper limit: it may be a sum.
    """

    low: float
    best: float | None
    high: float

    def __post_init__(self) -> None:
        _check_order(self.low, self.best, self.high)

    @classmethod
    def exactly(cls, count: float) -> Workforce:
        """A workforce that was counted."""
        return cls(low=count, best=count, high=count)

    @classmethod
    def rounded(cls, count: float, rounded_to: float) -> Workforce:
        """A workforce published in rounded form.

        rounded_to: the step, above 0, such as 1000. The true number is within half a step.
        """
        low, high = rounding_interval(count, rounded_to)
        return cls(low=low, best=count, high=high)


@dataclass(frozen=True, slots=True)
class Headcount:
    """One dated estimate for one place. An end of the range that is not known is None.

    on_day: the day it was true for. recorded_at: when it was written down, in UTC.
    """

    on_day: date
    recorded_at: datetime
    counts: Counts
    source: HeadcountSource
    low: float | None
    best: float | None
    high: float | None


def check_headcount(*, low: float | None, best: float | None, high: float | None) -> None:
    """Returns nothing when the counts can be right together; None is a count not known.

    Raises InvalidHeadcount when none is given, when one is below 0, not finite or beyond a
    country's workforce, when the lowest is above the highest, or the best is outside them.
    """
    given = [count for count in (low, best, high) if count is not None]
    if not given:
        raise InvalidHeadcount("Enter how many people work here.")
    if any(math.isfinite(count) and count >= MOST_PEOPLE for count in given):
        raise InvalidHeadcount("Enter a count below 1,000,000,000.")
    _check_order(low, best, high)


def rounding_interval(count: float, rounded_to: float) -> tuple[float, float]:
    """The lowest and highest numbers that round to this count; never below 0.

    rounded_to: the step of the rounding, above 0; ValueError otherwise.
    """
    if not (math.isfinite(rounded_to) and rounded_to > 0):
        raise ValueError("A rounding step is above 0.")
    return max(0.0, count - rounded_to / 2), count + rounded_to / 2


def current_headcount(rows: Iterable[Headcount], as_at: date, counts: Counts) -> Headcount | None:
    """The headcount that counts as at a day, or None when there was none of that sort by then.

    The rule: the latest day wins, then the latest recorded. If even those are equal the larger
    one wins, because it claims the smaller density; so the order of the rows never matters.
    rows: headcounts of one place that are believed now.
    """
    found = (row for row in rows if row.counts == counts and row.on_day <= as_at)
    return max(found, key=_precedence, default=None)


def workforce_from(headcount: Headcount | None) -> Workforce | None:
    """The workforce that a headcount gives, or None when density cannot be worked out from it.

    A best count alone is taken as exact. If only one end of the range is known (a register's top
    band, `20,000 or more`), the answer is None: an open range bounds nothing.
    Raises InvalidHeadcount for full-time equivalents, and as check_headcount does.
    """
    if headcount is None:
        return None
    if headcount.counts == Counts.FTE:
        raise InvalidHeadcount("Full-time equivalents are not people. Use a count of people.")
    low, best, high = headcount.low, headcount.best, headcount.high
    check_headcount(low=low, best=best, high=high)
    if low is not None and high is not None:
        return Workforce(low=low, best=best, high=high)
    if best is not None and low is None and high is None:
        return Workforce.exactly(best)
    return None


def _precedence(row: Headcount) -> tuple[date, datetime, float, float, float]:
    # An unknown highest count could be any number, so it ranks above every known one.
    return (
        row.on_day,
        row.recorded_at,
        math.inf if row.high is None else row.high,
        row.best or 0.0,
        row.low or 0.0,
    )


def _check_order(low: float | None, best: float | None, high: float | None) -> None:
    for count in (low, best, high):
        if count is not None:
            if not math.isfinite(count):
                raise InvalidHeadcount("Enter the count as a number.")
            if count < 0:
                raise InvalidHeadcount("Enter a count of 0 or more.")
    if low is not None and high is not None and low > high:
        raise InvalidHeadcount("Enter a lowest count that is not above the highest.")
    if best is not None:
        if low is not None and best < low:
            raise InvalidHeadcount("Enter a best count that is not below the lowest.")
        if high is not None and best > high:
            raise InvalidHeadcount("Enter a best count that is not above the highest.")
