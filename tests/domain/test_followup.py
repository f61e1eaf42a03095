"""The words for "speak again" stand for days that make sense on every day of the year."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.domain.followup import SpeakAgain, due_day


@pytest.mark.parametrize(
    ("when", "today", "due"),
    [
        (SpeakAgain.TOMORROW, date(2026, 12, 31), date(2027, 1, 1)),
        (SpeakAgain.THIS_WEEK, date(2026, 11, 23), date(2026, 11, 26)),  # Monday: Thursday
        (SpeakAgain.THIS_WEEK, date(2026, 11, 27), date(2026, 11, 29)),  # Friday: Sunday
        (SpeakAgain.THIS_WEEK, date(2026, 11, 28), date(2026, 11, 29)),  # Saturday: Sunday
        (SpeakAgain.THIS_WEEK, date(2026, 11, 29), date(2026, 11, 30)),  # Sunday: tomorrow
        (SpeakAgain.NEXT_WEEK, date(2026, 11, 23), date(2026, 11, 30)),
        (SpeakAgain.IN_A_MONTH, date(2027, 1, 31), date(2027, 2, 28)),
        (SpeakAgain.IN_A_MONTH, date(2028, 1, 31), date(2028, 2, 29)),
        (SpeakAgain.IN_A_MONTH, date(2026, 12, 15), date(2027, 1, 15)),
    ],
)
def test_each_word_stands_for_a_day(when: SpeakAgain, today: date, due: date) -> None:
    assert due_day(when, today) == due


@given(st.sampled_from(SpeakAgain), st.dates(date(2020, 1, 1), date(2090, 1, 1)))
def test_the_day_is_always_ahead_and_within_a_month(when: SpeakAgain, today: date) -> None:
    assert timedelta(days=1) <= due_day(when, today) - today <= timedelta(days=31)
