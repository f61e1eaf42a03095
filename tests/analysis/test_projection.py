"""Projected ballots: worked figures, honest ranges, and what a shared shock is for."""

from __future__ import annotations

import time

import numpy as np
import pytest

from crm.analysis.projection import (
    DEFAULT_ASSUMPTIONS,
    Assumptions,
    Projection,
    Stand,
    brier,
    crps,
    project,
    project_each,
    separate,
)

MIXED = {
    Stand.ONE: 40,
    Stand.TWO: 70,
    Stand.THREE: 50,
    Stand.FOUR: 15,
    Stand.FIVE: 10,
    Stand.NOT_ASKED: 55,
}
MOSTLY_NOT_ASKED = {
    Stand.ONE: 10,
    Stand.TWO: 18,
    Stand.THREE: 18,
    Stand.FOUR: 6,
    Stand.FIVE: 6,
    Stand.NOT_ASKED: 182,
}
ALONE = Assumptions(department_shock=0.0)


def _percents(found: Projection) -> tuple[float, float, float]:
    return (100 * found.turnout.low, 100 * found.turnout.median, 100 * found.turnout.high)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_worked_example_comes_out_whatever_the_seed(seed: int) -> None:
    found = project([MIXED], ALONE, seed=seed)
    assert _percents(found) == pytest.approx((46.7, 57.9, 69.2), abs=1)
    votes = found.yes_of_votes
    assert (100 * votes.low, 100 * votes.median, 100 * votes.high) == pytest.approx(
        (74.8, 83.3, 90.0), abs=1
    )
    assert found.chance(0.5, None) == pytest.approx(0.82, abs=0.011)


def test_without_the_shared_shock_the_chance_is_falsely_sure() -> None:
    assert project([MIXED], ALONE, seed=1, shared=False).chance(0.5, None) == pytest.approx(
        0.91, abs=0.011
    )


def test_the_same_seed_gives_the_same_figures_and_another_does_not() -> None:
    one, same, other = (project([MIXED], seed=seed) for seed in (5, 5, 6))
    assert (one.returned == same.returned).all()
    assert (one.returned != other.returned).any()


def test_what_is_believed_of_people_not_asked_decides_a_wall_full_of_them() -> None:
    found = project([MOSTLY_NOT_ASKED], ALONE, seed=1)
    as_threes = project([MOSTLY_NOT_ASKED], ALONE.treating_not_asked_as(Stand.THREE), seed=1)
    as_fours = project([MOSTLY_NOT_ASKED], ALONE.treating_not_asked_as(Stand.FOUR), seed=1)
    assert as_threes.turnout.median > as_fours.turnout.median
    assert found.if_none_vote.high < found.turnout.median < found.if_all_vote.low
    assert found.not_asked == 182


def test_drawn_sums_agree_with_people_tossed_one_by_one() -> None:
    few = [{stand: number // 3 for stand, number in MIXED.items()} for _ in range(3)]
    # A fourth department of one person moves nothing but the way the draws are made.
    more = [*few, {Stand.THREE: 1}]
    tossed, summed = (project(groups, seed=3) for groups in (few, more))
    assert tossed.turnout.median == pytest.approx(summed.turnout.median, abs=0.01)
    assert tossed.turnout.low == pytest.approx(summed.turnout.low, abs=0.012)
    assert tossed.yes_of_votes.low == pytest.approx(summed.yes_of_votes.low, abs=0.012)
    assert tossed.chance(0.5) == pytest.approx(summed.chance(0.5), abs=0.025)


def test_yes_is_never_more_than_returned_nor_returned_more_than_entitled() -> None:
    for groups in ([{Stand.ONE: 3}], [{Stand.ONE: 2, Stand.NOT_ASKED: 1}] * 8):
        found = project(groups, seed=4)
        assert (found.yes <= found.returned).all()
        assert (found.returned <= found.entitled).all()
        assert (found.yes >= 0).all()


def test_eighty_percent_intervals_hold_the_truth_in_about_eight_of_ten_ballots() -> None:
    rng = np.random.default_rng(8)
    held = 0
    rounds = 1000
    projections = {
        size: project([{stand: size * n // 240 for stand, n in MIXED.items()}], ALONE, seed=9)
        for size in (120, 240, 480)
    }
    for _ in range(rounds):
        size = int(rng.choice([120, 240, 480]))
        true_turnout, true_yes = rng.normal(0, 0.35, 2)
        returned = yes = entitled = 0
        for stand, number in MIXED.items():
            belief = DEFAULT_ASSUMPTIONS.beliefs[stand]
            people = size * number // 240
            entitled += people
            logits = [
                np.log(share / (1 - share))
                for share in (
                    rng.beta(mean * belief.strength, (1 - mean) * belief.strength)
                    for mean in (belief.turnout, belief.yes)
                )
            ]
            papers = rng.binomial(people, 1 / (1 + np.exp(-(logits[0] + true_turnout))))
            returned += papers
            yes += rng.binomial(papers, 1 / (1 + np.exp(-(logits[1] + true_yes))))
        found = projections[size]
        assert entitled == found.entitled
        held += found.turnout.low <= returned / entitled <= found.turnout.high
    assert 0.75 <= held / rounds <= 0.85


def test_separate_ballots_share_the_shock_of_the_campaign() -> None:
    site = {stand: number // 4 for stand, number in MIXED.items()}
    found = project_each([[site]] * 10, seed=2)
    together = np.corrcoef(found[0].returned, found[1].returned)[0, 1]
    assert together > 0.3
    ballots = separate(found, [0.5] * 10)
    assert ballots.passing.low < ballots.passing.median <= ballots.passing.high <= 10
    assert len(ballots.chances) == 10
    assert set(ballots.marginal()) <= set(range(10))
    assert ballots.entitled_with_mandate.high <= sum(one.entitled for one in found)
    no_test = separate(found, [None] * 10)
    assert no_test.passing.median > ballots.passing.median


def test_scores_are_best_for_what_happened() -> None:
    assert brier(1.0, happened=True) == 0
    assert brier(0.9, happened=False) == pytest.approx(0.81)
    sure = np.full(100, 0.6)
    assert crps(sure, 0.6) == pytest.approx(0)
    assert crps(sure, 0.5) == pytest.approx(0.1)
    spread = np.linspace(0.4, 0.8, 101)
    assert 0 < crps(spread, 0.6) < crps(spread, 0.9)


def test_sixty_areas_are_projected_while_a_page_is_asked_for() -> None:
    groups = [{stand: number // 4 + at % 3 for stand, number in MIXED.items()} for at in range(60)]
    project(groups[:4], seed=1)
    begun = time.process_time()
    project(groups, seed=1)
    # Loose for a busy machine; the benchmark holds it to 150 ms.
    assert time.process_time() - begun < 0.6


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([{Stand.ONE: 0}], "There is nobody to project."),
        ([{Stand.ONE: -1}], "A number of people cannot be less than 0."),
    ],
)
def test_nobody_and_fewer_than_nobody_are_refused(
    groups: list[dict[Stand, int]], message: str
) -> None:
    with pytest.raises(ValueError, match=r"people|nobody") as refused:
        project(groups, seed=1)
    assert str(refused.value) == message
