"""When to speak to somebody again: the words a rep picks, turned into a day."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

_SUNDAY: Final = 6
_SOON: Final = timedelta(days=3)


class SpeakAgain(StrEnum):
    """The words for "speak again" that stand for a day."""

    TOMORROW = "tomorrow"
    THIS_WEEK = "this_week"
    NEXT_WEEK = "next_week"
    IN_A_MONTH = "in_a_month"


def due_day(when: SpeakAgain, today: date) -> date:
    """The day that the word stands for, always after `today`.

    "This week" is in three days, but never later than Sunday; on a Saturday or Sunday it is
    tomorrow. "Next week" is in seven days. "In a month" is the same day of the next month, or
    that month's last day.
    """
    if when is SpeakAgain.TOMORROW:
        return today + timedelta(days=1)
    if when is SpeakAgain.THIS_WEEK:
        sunday = today + timedelta(days=_SUNDAY - today.weekday())
        return max(min(today + _SOON, sunday), today + timedelta(days=1))
    if when is SpeakAgain.NEXT_WEEK:
        return today + timedelta(days=7)
    return _month_later(today)


def _month_later(day: date) -> date:
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
