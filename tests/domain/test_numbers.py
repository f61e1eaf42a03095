"""Figures round half up, on decimals; what is not a number has a code."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.numbers import (
    people_text,
    percent_beside,
    percent_text,
    round_half_up,
    share_text,
)


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (0.5, 0, "1"),
        (1.5, 0, "2"),
        (2.5, 0, "3"),
        (-2.5, 0, "-3"),
        (-0.4, 0, "0"),
        (2.675, 2, "2.68"),
        (1.005, 2, "1.01"),
        (12, 1, "12.0"),
        (Decimal("0.25"), 1, "0.3"),
        (Fraction(1, 3), 4, "0.3333"),
        (Fraction(1, 8), 2, "0.13"),
        (0.00001, 1, "0.0"),
        (10**40 + 1, 0, str(10**40 + 1)),
    ],
)
def test_a_half_goes_away_from_zero(
    value: int | float | Decimal | Fraction, places: int, text: str
) -> None:
    assert str(round_half_up(value, places)) == text


@settings(max_examples=200)
@given(st.integers(-(10**6), 10**6), st.integers(0, 4))
def test_every_exact_half_rounds_away_from_zero(units: int, places: int) -> None:
    half = Fraction(2 * units + 1, 2 * 10**places)
    away = units + 1 if units >= 0 else units
    assert round_half_up(half, places) == Decimal(away).scaleb(-places)
    assert round_half_up(float(half), places) == Decimal(away).scaleb(-places)


@pytest.mark.parametrize("value", [math.nan, math.inf, Decimal("NaN")])
def test_what_is_not_finite_is_refused(value: float | Decimal) -> None:
    with pytest.raises(ValueError, match=r"^A figure must be a finite number\.$"):
        round_half_up(value)


def test_fewer_than_no_places_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^Places must be 0 or more\.$"):
        round_half_up(1, -1)


def test_a_tie_that_binary_would_round_down_goes_up() -> None:
    assert f"{2.675:.2f}" == "2.67"
    assert percent_text(0.02675, 2) == "2.68"
    assert percent_text(0.1185) == "11.9"
    assert percent_text(0.11886) == "11.9"
    assert percent_text(1) == "100.0"
    assert percent_text(0.666, 0) == "67"


def test_a_share_is_rounded_once_from_the_exact_division() -> None:
    assert share_text(1, 800, 2) == "0.13"
    assert share_text(127, 310) == "41.0"


def test_unknown_is_x_and_a_share_of_nobody_is_z() -> None:
    assert percent_text(None) == "[x]"
    assert people_text(None) == "[x]"
    assert share_text(0, 0) == "[z]"


@pytest.mark.parametrize(
    ("people", "text"),
    [
        (0, "0"),
        (1204, "1,204"),
        (1204.0, "1,204"),
        (62181.9736225, "62,182.0"),
        (0.04, "0.0"),
        (1234567.25, "1,234,567.3"),
    ],
)
def test_whole_people_print_whole_and_weighted_ones_with_one_decimal(
    people: float, text: str
) -> None:
    assert people_text(people) == text


@pytest.mark.parametrize(
    ("share", "limits", "places", "text"),
    [
        (Fraction(500, 1001), (Fraction(1, 2),), 1, "49.95"),
        (Fraction(1, 2), (Fraction(1, 2),), 1, "50.0"),
        (Fraction(501, 1001), (Fraction(1, 2),), 1, "50.05"),
        (Fraction(3, 4), (Fraction(1, 2), Fraction(2, 5)), 1, "75.0"),
        (Fraction(666, 1000), (Fraction(2, 3),), 0, "66.6"),
        (0.7999, (0.8,), 0, "79.99"),
        (Fraction(1, 2) - Fraction(1, 10**12), (Fraction(1, 2),), 1, "50.000000"),
    ],
)
def test_a_share_does_not_read_as_a_limit_that_it_is_not(
    share: Fraction | float, limits: tuple[Fraction | float, ...], places: int, text: str
) -> None:
    assert percent_beside(share, *limits, places=places) == text
