"""One ballot or several over the same draws: what adds up, what is best, and what it costs."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest

from crm.analysis.ballot_plans import (
    FEWEST_PEOPLE,
    POINTS,
    Comparison,
    compare,
    crps_of_points,
    too_few,
    while_voting,
)
from crm.analysis.projection import Stand, crps
from crm.domain.rules import Comparator, Counted, Threshold

HALF_VOTE = Threshold(
    (Counted.VALID, Counted.SPOILED), (Counted.ENTITLED,), Comparator.AT_LEAST, Fraction(1, 2)
)
MORE_YES = Threshold(
    (Counted.YES,), (Counted.VALID, Counted.SPOILED), Comparator.MORE_THAN, Fraction(1, 2)
)
LAW = (HALF_VOTE, MORE_YES)

STRONG = [{Stand.ONE: 80, Stand.TWO: 20}]
WEAK = [{Stand.FOUR: 60, Stand.NOT_ASKED: 40}]
MIDDLE = [{Stand.TWO: 30, Stand.THREE: 40, Stand.NOT_ASKED: 30}]


def _compared(*workplaces: list[dict[Stand, int]], seed: int = 7) -> Comparison:
    return compare(workplaces, [LAW] * len(workplaces), LAW, seed=seed)


def test_a_strong_and_a_weak_workplace_each_come_out_as_they_are() -> None:
    found = _compared(STRONG, WEAK, MIDDLE)
    strong, weak, _middle = found.each
    assert strong is not None
    assert weak is not None
    assert strong.chance > 0.95
    assert weak.chance < 0.1
    assert found.passing.low <= 1 <= found.passing.high
    assert found.together.entitled == 300


def test_a_weak_workplace_is_left_out_of_the_count_when_it_would_drag_the_others_down() -> None:
    found = _compared(STRONG, *[WEAK] * 3)
    assert 0 not in found.best.together or len(found.best.together) < 4
    assert found.best.people > found.people_together + 30
    assert sorted(found.best.together + found.best.apart) == [0, 1, 2, 3]


def test_strong_workplaces_carry_a_weaker_one_on_one_count() -> None:
    found = _compared(STRONG, STRONG, STRONG, MIDDLE)
    assert found.best.together == (0, 1, 2, 3)
    assert found.best.apart == ()


def test_the_best_of_the_mixes_is_never_worse_than_either_plain_plan() -> None:
    rng = np.random.default_rng(3)
    for seed in range(5):
        workplaces = [
            [{stand: int(rng.integers(0, 30)) for stand in Stand} | {Stand.TWO: 12}]
            for _ in range(6)
        ]
        found = _compared(*workplaces, seed=seed)
        assert found.best.people >= max(found.people_together, found.people_apart)
        # The same plan never has two numbers.
        if not found.best.apart:
            assert found.best.people == found.people_together
        if not found.best.together:
            assert found.best.people == found.people_apart


def test_of_a_handful_of_people_nothing_is_said() -> None:
    few = [{Stand.ONE: FEWEST_PEOPLE - 1}]
    # All together are told: taking the one from them would leave the other.
    assert _compared(STRONG, few).each == (None, None)
    assert [one is None for one in _compared(STRONG, [{Stand.FOUR: 30}], few).each] == [
        *(False, True, True),
    ]


@pytest.mark.parametrize(
    ("people", "hidden"),
    [
        ([40, 12, 9], [False, True, True]),
        ([40, 12, 9, 1], [False, False, True, True]),
        ([40, 12, 0], [False, False, False]),
        ([9], [True]),
    ],
)
def test_small_workplaces_hide_behind_each_other_or_behind_the_next_larger_one(
    people: list[int], hidden: list[bool]
) -> None:
    assert list(too_few(people)) == hidden


def test_the_bounds_hold_the_projection_between_them() -> None:
    found = _compared(MIDDLE, WEAK).together
    assert found.if_none_vote <= found.turnout.median <= found.if_all_vote


def test_without_the_turnout_test_the_chance_is_no_smaller() -> None:
    with_it = compare([MIDDLE], [LAW], LAW, seed=5).together
    without = compare([MIDDLE], [(MORE_YES,)], (MORE_YES,), seed=5).together
    assert without.chance >= with_it.chance
    assert with_it.chances == pytest.approx((with_it.chances[0], without.chances[0]))


def test_the_same_seed_gives_the_same_figures() -> None:
    assert _compared(MIDDLE, WEAK) == _compared(MIDDLE, WEAK)


def test_sixty_areas_take_no_longer_than_a_page_may() -> None:
    workplaces = [[dict.fromkeys(Stand, 4) for _ in range(6)] for _ in range(10)]
    times = []
    for _ in range(3):
        start = time.perf_counter()
        compare(workplaces, [LAW] * 10, LAW, seed=1)
        times.append(time.perf_counter() - start)
    # 0.15 s is the projection itself, measured in its own test; this adds the plans. Generous,
    # because the machine may be busy with other tests.
    assert min(times) < 1.5


def test_those_who_told_us_count_nearly_whole_and_the_others_by_belief() -> None:
    none_left = while_voting(100, [], 90, seed=1)
    assert none_left is not None
    assert none_left.turnout.median == pytest.approx(0.95, abs=0.02)
    some = while_voting(40, [{Stand.NOT_ASKED: 60}], 50, seed=1)
    assert some is not None
    assert 0.4 < some.turnout.low < some.turnout.median < some.turnout.high < 0.9
    assert while_voting(0, [], 1, seed=1) is None


def test_the_score_of_kept_quantiles_is_near_the_score_of_all_draws() -> None:
    draws = np.random.default_rng(2).beta(20, 18, 20_000)
    points = [float(value) for value in np.quantile(draws, POINTS)]
    for truth in (0.4, 0.53, 0.7):
        assert crps_of_points(points, truth) == pytest.approx(crps(draws, truth), abs=0.01)
