"""Headcounts: which one counts, and which can be the bottom of a density."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from itertools import permutations

import pytest

from crm.domain.errors import InvalidHeadcount
from crm.domain.headcount import (
    Counts,
    Headcount,
    HeadcountSource,
    Workforce,
    check_headcount,
    current_headcount,
    rounding_interval,
    workforce_from,
)


def _headcount(
    best: float | None = None,
    *,
    low: float | None = None,
    high: float | None = None,
    day: date = date(2026, 3, 1),
    hour: int = 9,
    counts: Counts = Counts.SITE_ALL,
) -> Headcount:
    return Headcount(
        on_day=day,
        recorded_at=datetime(2026, 4, 1, hour, tzinfo=UTC),
        counts=counts,
        source=HeadcountSource.ORGANISER_COUNT,
        low=low,
        best=best,
        high=high,
    )


@pytest.mark.parametrize(
    ("low", "best", "high", "sentence"),
    [
        (None, None, None, "Enter how many people work here."),
        (11, None, 10, "Enter a lowest count that is not above the highest."),
        (5, 4, 10, "Enter a best count that is not below the lowest."),
        (5, 11, 10, "Enter a best count that is not above the highest."),
        (-1, None, 10, "Enter a count of 0 or more."),
        (None, math.nan, None, "Enter the count as a number."),
        (None, math.inf, None, "Enter the count as a number."),
        (None, 1_000_000_000, None, "Enter a count below 1,000,000,000."),
    ],
)
def test_counts_that_cannot_be_right_are_refused_with_what_to_do(
    low: float | None, best: float | None, high: float | None, sentence: str
) -> None:
    with pytest.raises(InvalidHeadcount, match=f"^{re.escape(sentence)}$"):
        check_headcount(low=low, best=best, high=high)


def test_counts_at_the_very_edge_are_accepted() -> None:
    refused = []
    for low, best, high in [(0, 0, 0), (10, 10, 10), (None, None, 999_999_999)]:
        try:
            check_headcount(low=low, best=best, high=high)
        except InvalidHeadcount:
            refused.append((low, best, high))
    assert refused == []


def test_a_workforce_out_of_order_cannot_be_made() -> None:
    with pytest.raises(
        InvalidHeadcount, match=r"^Enter a lowest count that is not above the highest\.$"
    ):
        Workforce(low=10, best=None, high=9)


def test_a_workforce_may_be_a_sum_larger_than_any_input() -> None:
    assert Workforce.exactly(3e9).high == 3e9


def test_a_rounded_workforce_is_half_a_step_each_way_and_never_below_none() -> None:
    assert Workforce.rounded(1_950_000, 1000) == Workforce(1_949_500, 1_950_000, 1_950_500)
    assert rounding_interval(2, 10) == (0, 7)
    with pytest.raises(ValueError, match=r"^A rounding step is above 0\.$"):
        rounding_interval(10, 0)


def test_the_latest_day_not_after_the_date_wins() -> None:
    rows = [
        _headcount(100, day=date(2026, 1, 1), hour=23),
        _headcount(120, day=date(2026, 2, 1)),
        _headcount(140, day=date(2026, 3, 1)),
    ]
    assert current_headcount(rows, date(2026, 2, 28), Counts.SITE_ALL) == rows[1]
    assert current_headcount(rows, date(2026, 3, 1), Counts.SITE_ALL) == rows[2]
    assert current_headcount(rows, date(2025, 12, 31), Counts.SITE_ALL) is None


def test_on_one_day_the_last_written_down_wins() -> None:
    rows = [_headcount(150, hour=8), _headcount(100, hour=17)]
    assert current_headcount(rows, date(2026, 3, 1), Counts.SITE_ALL) == rows[1]


def test_a_full_tie_goes_to_the_larger_in_any_order() -> None:
    rows = [
        _headcount(low=80, high=100),
        _headcount(low=90, high=120),
        _headcount(low=80, high=120),
    ]
    for order in permutations(rows):
        assert current_headcount(order, date(2026, 3, 1), Counts.SITE_ALL) == rows[1]


def test_in_a_full_tie_an_open_highest_count_is_the_largest() -> None:
    rows = [_headcount(low=20_000), _headcount(low=15_000, high=19_999)]
    for order in permutations(rows):
        assert current_headcount(order, date(2026, 3, 1), Counts.SITE_ALL) == rows[0]


def test_a_count_of_another_sort_is_never_used_instead() -> None:
    rows = [_headcount(100, counts=Counts.EMPLOYER_DIRECT), _headcount(80.5, counts=Counts.FTE)]
    assert current_headcount(rows, date(2026, 3, 1), Counts.SITE_ALL) is None


def test_full_time_equivalents_are_never_heads() -> None:
    with pytest.raises(
        InvalidHeadcount,
        match=r"^Full-time equivalents are not people\. Use a count of people\.$",
    ):
        workforce_from(_headcount(80.5, counts=Counts.FTE))


@pytest.mark.parametrize(
    ("headcount", "workforce"),
    [
        (None, None),
        (_headcount(90), Workforce(90, 90, 90)),
        (_headcount(90, low=80, high=100), Workforce(80, 90, 100)),
        (_headcount(low=80, high=100), Workforce(80, None, 100)),
        (_headcount(low=20_000), None),
        (_headcount(high=249), None),
        (_headcount(25_000, low=20_000), None),
    ],
)
def test_a_range_with_one_end_open_bounds_nothing(
    headcount: Headcount | None, workforce: Workforce | None
) -> None:
    assert workforce_from(headcount) == workforce
