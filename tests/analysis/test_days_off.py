"""Public holidays: of every law there is, and in any part of its country."""

from __future__ import annotations

from datetime import date

import pytest

from crm.analysis.days_off import days_off
from crm.domain.rules import CODES


@pytest.mark.parametrize("code", CODES)
def test_every_law_knows_its_new_year_and_no_ordinary_tuesday(code: str) -> None:
    is_off = days_off(code)
    # Where a year begins by the moon, and the first of January is a working day, there is none.
    assert is_off(date(2027, 1, 1)) or code in ("IN", "BD")
    assert not is_off(date(2026, 11, 17))


def test_a_holiday_in_one_part_counts_for_the_whole_country() -> None:
    saint_andrew, boyne, cup_day = date(2026, 11, 30), date(2026, 7, 13), date(2026, 11, 3)
    assert days_off("GB")(saint_andrew)
    assert not days_off("NI")(saint_andrew)
    assert days_off("NI")(boyne)
    assert not days_off("GB")(boyne)
    assert days_off("AU")(cup_day)
    # Family Day in British Columbia, and not in Newfoundland.
    assert days_off("CA-BC")(date(2027, 2, 15))
    assert not days_off("CA-NL")(date(2027, 2, 15))


def test_in_sweden_three_eves_are_days_off_and_a_short_afternoon_is_not() -> None:
    assert days_off("SE")(date(2026, 6, 19))
    assert not days_off("SE")(date(2026, 12, 23))
