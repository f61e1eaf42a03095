"""The interval for a share of a known number of people, against worked figures and enumeration."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.domain.sampling import Interval, finite_wilson


@pytest.mark.parametrize(
    ("yes", "asked", "everybody", "low", "high"),
    [
        (12, 20, 40, 0.4441, 0.7380),
        (30, 50, 120, 0.4937, 0.6976),
        (61, 88, 140, 0.6315, 0.7486),
        (0, 10, 30, 0.0, 0.2094),
        (10, 10, 30, 0.7906, 1.0),
        (8, 8, 200, 0.6834, 1.0),
        (45, 60, 60, 0.75, 0.75),
    ],
)
def test_the_worked_figures_come_out(
    yes: int, asked: int, everybody: int, low: float, high: float
) -> None:
    found = finite_wilson(yes, asked, everybody)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_nobody_asked_says_nothing_and_impossible_counts_are_refused() -> None:
    assert finite_wilson(0, 0, 9) == Interval(0, 1)
    for counts in ((2, 1, 9), (1, 10, 9), (-1, 1, 9), (0, 0, 0)):
        with pytest.raises(ValueError, match="Counts"):
            finite_wilson(*counts)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), st.data())
def test_it_never_goes_beyond_what_is_possible(pair: tuple[int, int], data: st.DataObject) -> None:
    everybody, asked = pair
    yes = data.draw(st.integers(0, asked))
    found = finite_wilson(yes, asked, everybody)
    assert yes / everybody <= found.low + 1e-12
    assert found.high <= (everybody - asked + yes) / everybody + 1e-12
    assert found.low <= found.high + 1e-12


@pytest.mark.parametrize("everybody", [60, 100, 120, 200])
def test_over_every_sample_it_holds_the_truth_as_often_as_is_stated(everybody: int) -> None:
    """Mean coverage 0.950 to 0.954 where 20 or more are asked; the worst single case 0.80, where
    one person of all says yes."""
    for asked in (20, 30, 50):
        intervals = [finite_wilson(yes, asked, everybody) for yes in range(asked + 1)]
        coverages = []
        for true in range(everybody + 1):
            held = 0
            for yes in range(max(0, asked - everybody + true), min(asked, true) + 1):
                found = intervals[yes]
                if found.low - 1e-12 <= true / everybody <= found.high + 1e-12:
                    held += comb(true, yes) * comb(everybody - true, asked - yes)
            coverages.append(held / comb(everybody, asked))
        assert 0.950 <= sum(coverages) / len(coverages) <= 0.955
        assert min(coverages) >= 0.80 - 1e-12
        if (everybody, asked) == (100, 20):
            assert min(coverages) == pytest.approx(0.80)
            assert coverages.index(min(coverages)) == 1
