"""Ballots drawn with a hidden truth: how often ranges of plans hold it, and what results teach.

The truth is drawn here by code of its own: person by person, under a swing that all workplaces of
a campaign share.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pytest

from crm.analysis.ballot_plans import Comparison, compare
from crm.analysis.projection import (
    DEFAULT_ASSUMPTIONS,
    FEWEST_SCORED,
    Assumptions,
    Miss,
    Stand,
    learned,
    miss,
    project,
)
from crm.domain.rules import Comparator, Counted, Threshold

CAMPAIGNS: Final = 1_000
HALF_VOTE = Threshold(
    (Counted.VALID, Counted.SPOILED), (Counted.ENTITLED,), Comparator.AT_LEAST, Fraction(1, 2)
)
MORE_YES = Threshold(
    (Counted.YES,), (Counted.VALID, Counted.SPOILED), Comparator.MORE_THAN, Fraction(1, 2)
)
LAW = (HALF_VOTE, MORE_YES)

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Truths:
    """What happened in each campaign, at each workplace: papers that came back, and yes."""

    returned: Numbers
    yes: Numbers
    entitled: Numbers

    @property
    def passed(self) -> npt.NDArray[np.bool_]:
        return (2 * self.returned >= self.entitled) & (2 * self.yes > self.returned)


def _workplaces(rng: np.random.Generator) -> list[list[dict[Stand, int]]]:
    """Twelve workplaces of two areas each, from strong to weak."""
    found = []
    for at in range(12):
        strong, weak = 22 - 2 * at, 2 + at
        wanted = (strong, strong, 8, weak, weak, 12)
        found.append(
            [
                {
                    stand: max(0, number + int(rng.integers(-2, 3)))
                    for stand, number in zip(Stand, wanted, strict=True)
                }
                for _ in range(2)
            ]
        )
    return found


def _truths(
    workplaces: list[list[dict[Stand, int]]], rng: np.random.Generator, assumed: Assumptions
) -> _Truths:
    shape = (CAMPAIGNS, len(workplaces))
    returned, yes = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    swing = rng.normal(0, (assumed.turnout_shock, assumed.yes_shock), (CAMPAIGNS, 2))
    odds = {}
    for stand in Stand:
        belief = assumed.beliefs[stand]
        drawn = [
            rng.beta(mean * belief.strength, (1 - mean) * belief.strength, CAMPAIGNS)
            for mean in (belief.turnout, belief.yes)
        ]
        held = [np.clip(one, 1e-9, 1 - 1e-9) for one in drawn]
        odds[stand] = [np.log(one / (1 - one)) + swing[:, at] for at, one in enumerate(held)]
    for at, areas in enumerate(workplaces):
        for area in areas:
            here = rng.normal(0, assumed.department_shock, CAMPAIGNS)
            for stand, number in area.items():
                voting = 1 / (1 + np.exp(-(odds[stand][0] + here)))
                agreed = (1 - assumed.spoiled) / (1 + np.exp(-odds[stand][1]))
                papers = rng.binomial(number, voting)
                returned[:, at] += papers
                yes[:, at] += rng.binomial(papers, agreed)
    entitled = np.array([sum(sum(area.values()) for area in areas) for areas in workplaces])
    return _Truths(returned, yes, entitled)


@pytest.fixture(scope="module")
def campaign() -> tuple[Comparison, _Truths]:
    """One plan, and a thousand ways in which it turned out."""
    rng = np.random.default_rng(41)
    workplaces = _workplaces(rng)
    found = compare(workplaces, [LAW] * len(workplaces), LAW, seed=6)
    return found, _truths(workplaces, rng, DEFAULT_ASSUMPTIONS)


def _share_inside(values: npt.NDArray[np.floating], low: float, high: float) -> float:
    return float(((values >= low) & (values <= high)).mean())


def test_ranges_of_one_count_over_all_hold_the_truth_in_eight_of_ten_campaigns(
    campaign: tuple[Comparison, _Truths],
) -> None:
    found, truths = campaign
    returned, yes = truths.returned.sum(axis=1), truths.yes.sum(axis=1)
    turnout, of_votes = found.together.turnout, found.together.yes_of_votes
    assert (
        0.75 <= _share_inside(returned / truths.entitled.sum(), turnout.low, turnout.high) <= 0.85
    )
    assert 0.75 <= _share_inside(yes / returned, of_votes.low, of_votes.high) <= 0.85
    passed = (2 * returned >= truths.entitled.sum()) & (2 * yes > returned)
    assert found.together.chance == pytest.approx(passed.mean(), abs=0.04)


def test_ranges_of_each_workplace_hold_the_truth_in_eight_of_ten_campaigns(
    campaign: tuple[Comparison, _Truths],
) -> None:
    found, truths = campaign
    inside = []
    for at, one in enumerate(found.each):
        assert one is not None
        turnout = truths.returned[:, at] / truths.entitled[at]
        inside.append(_share_inside(turnout, one.turnout.low, one.turnout.high))
        assert one.chance == pytest.approx(truths.passed[:, at].mean(), abs=0.05)
    assert 0.75 <= float(np.mean(inside)) <= 0.85
    # A small workplace has few possible turnouts, so that its own share lies less near.
    assert min(inside) >= 0.74
    assert max(inside) <= 0.88


def test_the_number_that_pass_lies_in_its_range_and_the_expected_number_comes(
    campaign: tuple[Comparison, _Truths],
) -> None:
    found, truths = campaign
    passing = truths.passed.sum(axis=1)
    # Whole numbers: both ends belong to the range, so that it holds a little more than 8 in 10.
    assert 0.79 <= _share_inside(passing, found.passing.low, found.passing.high) <= 0.92
    expected = sum(one.chance for one in found.each if one is not None)
    assert expected == pytest.approx(passing.mean(), abs=0.35)
    assert found.people_apart == pytest.approx(
        (truths.passed * truths.entitled).sum(axis=1).mean(), rel=0.05
    )


def test_marginal_workplaces_pass_sometimes_and_the_others_nearly_always_or_never(
    campaign: tuple[Comparison, _Truths],
) -> None:
    found, truths = campaign
    marginal = set(found.marginal())
    assert 2 <= len(marginal) <= 10
    for at, share in enumerate(truths.passed.mean(axis=0)):
        if at in marginal:
            assert 0.15 <= share <= 0.85
        else:
            assert share <= 0.25 or share >= 0.75


# What results teach


def _misses(true_shock: float, ballots: int, seed: int) -> list[Miss]:
    """The misses of ballots whose campaigns swing by `true_shock`, projected by the defaults."""
    rng = np.random.default_rng(seed)
    group = dict(zip(Stand, (40, 70, 50, 15, 10, 55), strict=True))
    whole = project([group], seed=1)
    swinging = Assumptions(turnout_shock=true_shock, yes_shock=true_shock)
    came = project([group], swinging, seed=seed, draws=ballots)
    order = rng.permutation(ballots)
    return [
        Miss(
            miss(whole.turnout.median, int(came.returned[at]), whole.entitled),
            miss(whole.yes_of_votes.median, int(came.yes[at]), int(came.returned[at])),
        )
        for at in order
    ]


def test_four_ballots_teach_nothing_and_five_do() -> None:
    misses = _misses(1.0, FEWEST_SCORED, seed=3)
    assert learned(misses[:-1]) == DEFAULT_ASSUMPTIONS
    found = learned(misses)
    assert found.turnout_shock > DEFAULT_ASSUMPTIONS.turnout_shock
    assert found.beliefs is DEFAULT_ASSUMPTIONS.beliefs
    without_yes = [Miss(one.turnout, None) for one in misses]
    assert learned(without_yes).yes_shock == DEFAULT_ASSUMPTIONS.yes_shock


def test_a_miss_is_nothing_where_it_came_as_projected_and_finite_where_nobody_voted() -> None:
    assert miss(0.5, 50, 100) == pytest.approx(0)
    assert miss(0.5, 60, 100) == pytest.approx(-miss(0.5, 40, 100))
    assert -10 < miss(0.999999, 0, 10) < -5
    worked = [Miss(0.4, 0.1), Miss(-0.4, 0.1), Miss(0.4, 0.1), Miss(-0.4, 0.1), Miss(0.4, 0.1)]
    found = learned(worked)
    assert found.turnout_shock == pytest.approx(((5 * 0.35**2 + 5 * 0.4**2) / 10) ** 0.5)
    assert found.yes_shock == pytest.approx(((5 * 0.35**2 + 5 * 0.1**2) / 10) ** 0.5)


def test_the_more_ballots_swing_and_the_more_there_are_the_wider_the_learned_shock() -> None:
    wild = _misses(1.0, 60, seed=5)
    shocks = [learned(wild[:number]).turnout_shock for number in (4, 12, 60)]
    assert all(one < other for one, other in pairwise(shocks))
    # A mix of people moves less than each of its categories, so that it stays below the truth.
    assert 0.65 < shocks[-1] < 1.0
    calm = learned(_misses(0.1, 60, seed=5)).turnout_shock
    # The misses hold what is not known of each category too, so that it never comes to nothing.
    assert 0.1 < calm < DEFAULT_ASSUMPTIONS.turnout_shock


def test_ranges_hold_more_of_the_truth_once_ballots_have_taught_how_far_they_swing() -> None:
    rng = np.random.default_rng(12)
    workplaces = _workplaces(rng)
    swinging = Assumptions(turnout_shock=0.8, yes_shock=0.8)
    truths = _truths(workplaces, rng, swinging)
    turnout = truths.returned.sum(axis=1) / truths.entitled.sum()
    held = []
    for assumed in (DEFAULT_ASSUMPTIONS, learned(_misses(0.8, 30, seed=7))):
        found = compare(workplaces, [LAW] * 12, LAW, assumed, seed=2).together.turnout
        held.append(_share_inside(turnout, found.low, found.high))
    before, after = held
    assert before < 0.6
    assert 0.7 < after < 0.85
