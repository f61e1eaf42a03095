"""One ballot or several: what each plan comes to over the same drawn ballots.

All plans are held against the same draws, so that they can be compared. Which workplaces may be
put together is a question of law that nothing here answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from crm.analysis.projection import (
    DEFAULT_ASSUMPTIONS,
    DRAWS,
    HIGH_QUANTILE,
    LOW_QUANTILE,
    Assumptions,
    Estimate,
    Ints,
    Projection,
    Stand,
    project_each,
)
from crm.domain.rules import Comparator, Counted, Threshold

# So much is drawn in full in the time a page may take; more of either share the work.
MANY_DEPARTMENTS: Final = 60
MANY_WORKPLACES: Final = 12
FEWEST_DRAWS: Final = 2_000
# A figure of fewer people would come near to saying how one of them votes.
FEWEST_PEOPLE: Final = 10
POINTS: Final = tuple(np.round(np.arange(0.05, 0.96, 0.05), 2))

Drawn = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one count may come to. chance: that every test is passed, 0 to 1.

    chances: of each test alone, in the order given. turnout_points: quantiles at 5%, 10% … 95%.
    if_none_vote, if_all_vote: the middle turnout if none, or all, of those not asked vote.
    """

    entitled: int
    not_asked: int
    turnout: Estimate
    yes_of_votes: Estimate
    if_none_vote: float
    if_all_vote: float
    chance: float
    chances: tuple[float, ...]
    turnout_points: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Mix:
    """Some workplaces on one count, the others each for itself.

    together, apart: positions of the workplaces. people: expected number with a mandate.
    """

    together: tuple[int, ...]
    apart: tuple[int, ...]
    people: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The plans side by side.

    together: all on one count. each: every workplace for itself, in the order given; None for one
    with too few people to say anything of, see too_few. passing: how many of them pass, a range.
    people_together, people_apart: expected people with a mandate. best: the mix that gives most.
    draws: how many ballots were drawn.
    """

    together: Figures
    each: tuple[Figures | None, ...]
    passing: Estimate
    people_together: float
    people_apart: float
    best: Mix
    draws: int

    def marginal(self, low: float = 0.2, high: float = 0.8) -> tuple[int, ...]:
        """The positions of workplaces that neither surely pass nor surely fail."""
        return tuple(
            at for at, one in enumerate(self.each) if one is not None and low <= one.chance <= high
        )


def too_few(people: Sequence[int]) -> tuple[bool, ...]:
    """Return of which workplaces nothing is said for itself, beside what is said of all together.

    Those with fewer than ten people; and when these are fewer than ten together, the next larger
    workplace: else what they may come to could be had by taking the others away. people: of each.
    """
    found = [0 < number < FEWEST_PEOPLE for number in people]
    for number, at in sorted((number, at) for at, number in enumerate(people)):
        left = sum(one for one, hides in zip(people, found, strict=True) if hides)
        if number >= FEWEST_PEOPLE and 0 < left < FEWEST_PEOPLE:
            found[at] = True
    return tuple(found)


def compare(
    workplaces: Sequence[Sequence[Mapping[Stand, int]]],
    tests: Sequence[Sequence[Threshold]],
    whole_tests: Sequence[Threshold],
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
    *,
    seed: int,
) -> Comparison:
    """Hold all plans against the same drawn ballots.

    workplaces: for each, its departments with people by category; each has somebody. tests: of
    each workplace, by its own law. whole_tests: of one count over all.
    Raises ValueError when there is nobody at all.
    """
    departments = sum(len(groups) for groups in workplaces)
    load = max(1.0, departments / MANY_DEPARTMENTS, len(workplaces) / MANY_WORKPLACES)
    draws = max(FEWEST_DRAWS, int(DRAWS / load))
    drawn = project_each(workplaces, assumptions, seed=seed, draws=draws)
    whole = _sum(drawn)
    passed = [
        _passed(one, wanted, assumptions.spoiled) for one, wanted in zip(drawn, tests, strict=True)
    ]
    people = np.array([one.entitled for one in drawn])
    matrix = np.array(passed)
    whole_figures = _figures(whole, whole_tests, assumptions.spoiled)
    people_together = whole_figures.chance * whole.entitled
    people_apart = float((people @ matrix).mean())
    hidden = too_few([one.entitled for one in drawn])
    everywhere = tuple(range(len(drawn)))
    found = _best(drawn, passed, whole_tests, assumptions.spoiled)
    # Measured over every draw as the others are: the best never gives fewer than either of them,
    # and the same plan never has two numbers. Of equals the plainest stands first.
    plans = [Mix(everywhere, (), people_together), Mix((), everywhere, people_apart)]
    if found.together and found.apart:
        people_mixed = _people_with(found, drawn, passed, whole_tests, assumptions.spoiled)
        plans.append(replace(found, people=people_mixed))
    best = max(plans, key=lambda one: one.people)
    return Comparison(
        together=whole_figures,
        each=tuple(
            None if hides else _figures(one, wanted, assumptions.spoiled)
            for one, wanted, hides in zip(drawn, tests, hidden, strict=True)
        ),
        passing=_range(matrix.sum(axis=0).astype(np.float64)),
        people_together=people_together,
        people_apart=people_apart,
        best=best,
        draws=draws,
    )


def _sum(drawn: Sequence[Projection]) -> Projection:
    """The drawn ballots of all together: the sums, draw by draw."""
    entitled = sum(one.entitled for one in drawn)
    returned = np.sum([one.returned for one in drawn], axis=0)
    yes = np.sum([one.yes for one in drawn], axis=0)
    voted = returned > 0
    of_votes = yes[voted] / returned[voted] if voted.any() else np.zeros(1)

    from_asked = np.sum([one.from_asked for one in drawn], axis=0)
    not_asked = sum(one.not_asked for one in drawn)
    return Projection(
        entitled=entitled,
        not_asked=not_asked,
        returned=returned,
        yes=yes,
        turnout=_range(returned / entitled),
        yes_of_votes=_range(of_votes),
        yes_of_entitled=_range(yes / entitled),
        if_none_vote=_range(from_asked / entitled),
        if_all_vote=_range((from_asked + not_asked) / entitled),
        from_asked=from_asked,
    )


def _passed(one: Projection, tests: Iterable[Threshold], spoiled: float) -> Drawn:
    """For each draw, whether every test is passed. Without any test, nothing stands in the way."""
    found: Drawn = np.ones(one.returned.shape, dtype=bool)
    for test in tests:
        found &= _passes(one, test, spoiled)
    return found


def _passes(one: Projection, test: Threshold, spoiled: float) -> Drawn:
    counted = {
        Counted.ENTITLED: np.full(one.returned.shape, float(one.entitled)),
        Counted.UNIT: np.full(one.returned.shape, float(one.entitled)),
        Counted.VALID: one.returned * (1 - spoiled),
        Counted.SPOILED: one.returned * spoiled,
        Counted.YES: one.yes.astype(np.float64),
    }
    part = sum(counted[name] for name in test.numerator)
    whole = sum(counted[name] for name in test.denominator)
    # Both sides times the denominator: halves of whole numbers then stay exact.
    left = np.round(np.asarray(part) * test.value.denominator, 6)
    right = np.round(np.asarray(whole) * test.value.numerator, 6)
    found: Drawn = left >= right if test.comparator is Comparator.AT_LEAST else left > right
    return found


def _figures(one: Projection, tests: Sequence[Threshold], spoiled: float) -> Figures:
    turnout = one.returned / one.entitled
    return Figures(
        entitled=one.entitled,
        not_asked=one.not_asked,
        turnout=one.turnout,
        yes_of_votes=one.yes_of_votes,
        if_none_vote=one.if_none_vote.median,
        if_all_vote=one.if_all_vote.median,
        chance=float(_passed(one, tests, spoiled).mean()),
        chances=tuple(float(_passes(one, test, spoiled).mean()) for test in tests),
        turnout_points=tuple(float(value) for value in np.quantile(turnout, POINTS)),
    )


def _best(
    drawn: Sequence[Projection],
    passed: Sequence[Drawn],
    whole_tests: Sequence[Threshold],
    spoiled: float,
) -> Mix:
    """The mix that gives most people a mandate, found step by step.

    It starts with all together, and takes out the workplace whose leaving helps most, until none
    helps; then all apart is tried too. It need not be the best of all mixes: those are too many.
    """
    # A fraction of the draws tells plans apart as well as all of them do.
    some = slice(0, FEWEST_DRAWS)
    entitled = [one.entitled for one in drawn]
    returned = [one.returned[some] for one in drawn]
    yes = [one.yes[some] for one in drawn]
    alone = [float(one[some].mean()) * number for one, number in zip(passed, entitled, strict=True)]

    def _together(number: int, back: Ints, agreed: Ints) -> float:
        one = _bare(number, back, agreed)
        return float(_passed(one, whole_tests, spoiled).mean()) * number

    inside = list(range(len(drawn)))
    people, back, agreed = sum(entitled), sum(returned), sum(yes)
    best, outside = _together(people, np.asarray(back), np.asarray(agreed)), 0.0
    while len(inside) > 1:
        tried = [
            (
                _together(people - entitled[at], back - returned[at], agreed - yes[at])
                + alone[at]
                + outside,
                -at,
            )
            for at in inside
        ]
        found, position = max(tried)
        if found <= best + 1e-9:
            break
        at = -position
        best, outside = found, outside + alone[at]
        people, back, agreed = people - entitled[at], back - returned[at], agreed - yes[at]
        inside.remove(at)
    if sum(alone) > best + 1e-9 or len(inside) == 1:
        inside, best = [], sum(alone)
    return Mix(
        together=tuple(inside),
        apart=tuple(at for at in range(len(drawn)) if at not in inside),
        people=best,
    )


def _people_with(
    mix: Mix,
    drawn: Sequence[Projection],
    passed: Sequence[Drawn],
    whole_tests: Sequence[Threshold],
    spoiled: float,
) -> float:
    """The expected number of people with a mandate under a mix of both, over every draw."""
    counted = _sum([drawn[at] for at in mix.together])
    together = float(_passed(counted, whole_tests, spoiled).mean()) * counted.entitled
    return together + sum(float(passed[at].mean()) * drawn[at].entitled for at in mix.apart)


def _bare(entitled: int, returned: npt.NDArray[np.int64], yes: npt.NDArray[np.int64]) -> Projection:
    nothing = Estimate(0.0, 0.0, 0.0)
    return Projection(
        entitled, 0, returned, yes, nothing, nothing, nothing, nothing, nothing, returned
    )


def _range(values: npt.NDArray[np.floating]) -> Estimate:
    low, median, high = np.quantile(values, [LOW_QUANTILE, 0.5, HIGH_QUANTILE])
    return Estimate(float(low), float(median), float(high))


@dataclass(frozen=True, slots=True)
class Running:
    """What the turnout may come to while voting goes on, and the chance to reach what is needed."""

    turnout: Estimate
    chance: float


# Of those who say that they voted, how many did: people say yes to be left alone.
TRUTH_MEAN: Final = 0.95
TRUTH_STRENGTH: Final = 40.0


def while_voting(
    told: int,
    others: Sequence[Mapping[Stand, int]],
    needed: int,
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
    *,
    seed: int,
) -> Running | None:
    """The turnout projected from those who told us that they voted, and beliefs about the others.

    told: people who said so; about 19 in 20 of them did. others: everybody else who is entitled,
    by department and category. needed: papers that must come back. None when nobody is entitled.
    """
    rest = sum(sum(group.values()) for group in others)
    if told + rest == 0:
        return None
    rng = np.random.default_rng(seed)
    truth = rng.beta(TRUTH_MEAN * TRUTH_STRENGTH, (1 - TRUTH_MEAN) * TRUTH_STRENGTH, DRAWS)
    returned = rng.binomial(told, truth)
    if rest:
        returned = returned + project_each([others], assumptions, seed=seed)[0].returned
    return Running(
        turnout=_range(returned / (told + rest)), chance=float((returned >= needed).mean())
    )


def crps_of_points(points: Sequence[float], truth: float) -> float:
    """The continuous ranked probability score of kept quantiles (5% to 95%); 0 is best.

    In the unit of the values: twice the mean pinball loss over the quantiles.
    """
    losses = [
        (truth - value) * level if truth >= value else (value - truth) * (1 - level)
        for level, value in zip(POINTS, points, strict=True)
    ]
    return float(2 * sum(losses) / len(losses))
