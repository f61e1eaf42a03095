"""What a ballot may come to: many drawn ballots, and a range with hard bounds for each figure.

Each category of people (stands 1 to 5, and not asked) has a turnout and a share of yes, both
uncertain. A shock that the whole campaign shares is drawn once for each imagined ballot: without
it the range would be falsely narrow, because people do not vote as if by the toss of their own
coin. Departments differ by a smaller shock of their own. The defaults are weak beliefs, not
measurements, and the screen says so.

Nothing here says how one person will vote, and nothing is kept about one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

DRAWS: Final = 20_000
LOW_QUANTILE: Final = 0.10
HIGH_QUANTILE: Final = 0.90

# Up to so many departments each category is tossed person by person.
FEW_DEPARTMENTS: Final = 3

Floats: TypeAlias = npt.NDArray[np.floating]
Ints: TypeAlias = npt.NDArray[np.int64]


class Stand(StrEnum):
    """A category of people: where they stand, or that nobody has asked them."""

    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"
    FIVE = "5"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one category: mean turnout and mean yes among voters, 0 to 1, and how
    many people's worth of evidence stands behind both (strength, above 0)."""

    turnout: float
    yes: float
    strength: float

    def __post_init__(self) -> None:
        if not (0 < self.turnout < 1 and 0 < self.yes < 1 and self.strength > 0):
            raise ValueError("A belief needs shares between 0 and 1 and a strength above 0.")


DEFAULT_BELIEFS: Final[Mapping[Stand, Belief]] = MappingProxyType(
    {
        Stand.ONE: Belief(0.90, 0.98, 20),
        Stand.TWO: Belief(0.75, 0.93, 20),
        Stand.THREE: Belief(0.45, 0.70, 15),
        Stand.FOUR: Belief(0.35, 0.30, 10),
        Stand.FIVE: Belief(0.40, 0.05, 10),
        Stand.NOT_ASKED: Belief(0.35, 0.75, 8),
    }
)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """All that a projection assumes. Shocks are standard deviations on the logit scale.

    spoiled: the share of returned papers that are spoiled, 0 to 1.
    """

    beliefs: Mapping[Stand, Belief] = field(default_factory=lambda: DEFAULT_BELIEFS)
    turnout_shock: float = 0.35
    yes_shock: float = 0.35
    department_shock: float = 0.3
    spoiled: float = 0.003

    def treating_not_asked_as(self, stand: Stand) -> Assumptions:
        """The same assumptions, with people not asked believed to be like those of this stand."""
        beliefs = {**self.beliefs, Stand.NOT_ASKED: self.beliefs[stand]}
        return replace(self, beliefs=MappingProxyType(beliefs))


DEFAULT_ASSUMPTIONS: Final = Assumptions()

# Before so many ballots have a projection and a result, their spread says nothing.
FEWEST_SCORED: Final = 5
# The default stays in the sum, as if it had been seen in so many ballots: a handful that happened
# to come close must not make the next range falsely narrow.
DEFAULT_COUNTS_AS: Final = 5


@dataclass(frozen=True, slots=True)
class Miss:
    """By how much one ballot came out otherwise than projected, on the logit scale; above 0 is
    more than projected. yes: None where the yes votes are not known."""

    turnout: float
    yes: float | None


def miss(projected: float, part: int, whole: int) -> float:
    """How far `part` of `whole` lies from a projected share, on the logit scale.

    Half a paper is put on either side, so that nobody or everybody is no infinite surprise.
    """
    came = (part + 0.5) / (whole + 1)
    held = min(max(projected, 1e-3), 1 - 1e-3)
    return math.log(came / (1 - came)) - math.log(held / (1 - held))


def learned(misses: Sequence[Miss], assumptions: Assumptions = DEFAULT_ASSUMPTIONS) -> Assumptions:
    """The assumptions with the shared shocks as wide as the misses of ballots were.

    The root of the mean square of the misses, with the default among them: of a mix of people, who
    move less than each category of them, so a little below the truth where swings are great.
    Unchanged while there are fewer than FEWEST_SCORED; beliefs of categories are left as they are.
    """
    return replace(
        assumptions,
        turnout_shock=_spread([one.turnout for one in misses], assumptions.turnout_shock),
        yes_shock=_spread(
            [one.yes for one in misses if one.yes is not None], assumptions.yes_shock
        ),
    )


def _spread(values: Sequence[float], default: float) -> float:
    if len(values) < FEWEST_SCORED:
        return default
    squares = DEFAULT_COUNTS_AS * default**2 + sum(one**2 for one in values)
    return math.sqrt(squares / (DEFAULT_COUNTS_AS + len(values)))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A middle value and the 80% interval around it, 10% of drawn ballots lying on either side."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Projection:
    """The drawn ballots of one constituency of `entitled` people, and what they come to.

    turnout: papers returned ÷ entitled. yes_of_votes: yes ÷ papers returned (spoiled ones count as
    voting). yes_of_entitled: yes ÷ entitled. if_none_vote and if_all_vote: the turnout if none, or
    all, of the people not asked send a paper back. returned and yes: the draws themselves, a
    number of papers for each. from_asked: the papers of people who were asked, in each draw.
    """

    entitled: int
    not_asked: int
    returned: Ints
    yes: Ints
    turnout: Estimate
    yes_of_votes: Estimate
    yes_of_entitled: Estimate
    if_none_vote: Estimate
    if_all_vote: Estimate
    from_asked: Ints

    def chance(self, turnout: float | None, yes: float | None = 0.5) -> float:
        """The share of drawn ballots that pass: turnout at least this, and more than `yes` of the
        papers returned. None leaves that test out."""
        passed = np.ones(self.returned.shape, dtype=bool)
        if turnout is not None:
            passed &= self.returned >= turnout * self.entitled
        if yes is not None:
            passed &= self.yes > yes * self.returned
        return float(passed.mean())


def project(
    groups: Sequence[Mapping[Stand, int]],
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
    *,
    seed: int,
    draws: int = DRAWS,
    shared: bool = True,
) -> Projection:
    """The projection of one ballot over its departments.

    groups: for each department, people by category. One department has no shock of its own: there
    is nothing for it to differ from. seed: the same seed gives the same figures. shared: False
    leaves out the shock of the campaign, only to show what that would hide.
    Raises ValueError for fewer than no people, or when there is nobody at all.
    """
    return project_each([groups], assumptions, seed=seed, draws=draws, shared=shared)[0]


def project_each(
    ballots: Sequence[Sequence[Mapping[Stand, int]]],
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
    *,
    seed: int,
    draws: int = DRAWS,
    shared: bool = True,
) -> list[Projection]:
    """One projection for each separate ballot, all under the same campaign shock in each draw.

    So the draws of the ballots can be added up, and how many pass together can be counted.
    """
    rng = np.random.default_rng(seed)
    turnout_shock = rng.normal(0.0, assumptions.turnout_shock if shared else 0.0, draws)
    yes_shock = rng.normal(0.0, assumptions.yes_shock if shared else 0.0, draws)
    odds = _drawn_odds(assumptions, turnout_shock, yes_shock, rng)
    number = sum(len(groups) for groups in ballots)
    return [
        _projected(
            groups,
            odds,
            [_department(assumptions, rng, draws) if number > 1 else None for _ in groups],
            toss=number <= FEW_DEPARTMENTS,
            rng=rng,
        )
        for groups in ballots
    ]


def _department(assumptions: Assumptions, rng: np.random.Generator, draws: int) -> Floats:
    """What the odds against voting are multiplied by in one department."""
    shock = rng.standard_normal(draws, dtype=np.float32)
    found: Floats = np.exp(-np.float32(assumptions.department_shock) * shock)
    return found


@dataclass(frozen=True)
class _Odds:
    """For one category: the odds against voting, and the chance of yes, one for each draw."""

    against_voting: Floats
    yes: Floats


def _drawn_odds(
    assumptions: Assumptions, turnout_shock: Floats, yes_shock: Floats, rng: np.random.Generator
) -> dict[Stand, _Odds]:
    draws = turnout_shock.shape[0]
    found = {}
    for stand in Stand:
        belief = assumptions.beliefs[stand]
        voting = _logit(_beta(rng, belief.turnout, belief.strength, draws)) + turnout_shock
        yes = _logit(_beta(rng, belief.yes, belief.strength, draws)) + yes_shock
        chance = (1 - assumptions.spoiled) / (1 + np.exp(-yes))
        # A fifth of the time of a projection is saved by half the digits; a ballot has not seven.
        found[stand] = _Odds(np.exp(-voting).astype(np.float32), chance.astype(np.float32))
    return found


def _beta(rng: np.random.Generator, mean: float, strength: float, draws: int) -> Floats:
    return rng.beta(mean * strength, (1 - mean) * strength, draws)


def _logit(share: Floats) -> Floats:
    held = np.clip(share, 1e-9, 1 - 1e-9)
    return np.log(held / (1 - held))


@dataclass(frozen=True)
class _Papers:
    """Papers returned, and yes among them, one number for each draw."""

    returned: Ints
    yes: Ints


def _counted(
    counts: Sequence[Mapping[Stand, int]],
    stands: Sequence[Stand],
    odds: Mapping[Stand, _Odds],
    departments: Sequence[Floats | None],
    *,
    toss: bool,
    rng: np.random.Generator,
) -> _Papers:
    """The papers of these categories, over all departments.

    toss: draw each category of each department; else draw their sum from its exact mean, spread
    and correlation, which is a thousand times fewer draws and is told apart only where few vote.
    """
    draws = next(iter(odds.values())).yes.shape[0]
    returned, yes = np.zeros(draws, dtype=np.int64), np.zeros(draws, dtype=np.int64)
    mean_v, mean_y, var_v, var_y, cov = (np.zeros(draws, dtype=np.float32) for _ in range(5))
    people = 0
    for count, shock in zip(counts, departments, strict=True):
        for stand in stands:
            number = count.get(stand, 0)
            if number == 0:
                continue
            people += number
            against = odds[stand].against_voting
            p = 1 / (1 + (against if shock is None else against * shock))
            q = odds[stand].yes
            if toss:
                papers = rng.binomial(number, np.minimum(p, 1.0).astype(np.float64))
                returned += papers
                yes += rng.binomial(papers, q.astype(np.float64))
                continue
            v = number * p
            y = v * q
            mean_v += v
            mean_y += y
            var_v += v * (1 - p)
            var_y += y * (1 - p * q)
            cov += y * (1 - p)
    if toss or people == 0:
        return _Papers(returned, yes)
    one, other = rng.standard_normal((2, draws), dtype=np.float32)
    spread_v = np.sqrt(var_v)
    slope = cov / np.maximum(spread_v, 1e-6)
    rest = np.sqrt(np.maximum(var_y - slope**2, 0))
    returned = np.clip(np.rint(mean_v + spread_v * one), 0, people).astype(np.int64)
    yes = np.rint(mean_y + slope * one + rest * other).astype(np.int64)
    return _Papers(returned, np.clip(yes, 0, returned))


def _projected(
    groups: Sequence[Mapping[Stand, int]],
    odds: Mapping[Stand, _Odds],
    departments: Sequence[Floats | None],
    *,
    toss: bool,
    rng: np.random.Generator,
) -> Projection:
    if any(number < 0 for group in groups for number in group.values()):
        raise ValueError("A number of people cannot be less than 0.")
    entitled = sum(sum(group.values()) for group in groups)
    if entitled == 0:
        raise ValueError("There is nobody to project.")
    asked = [stand for stand in Stand if stand is not Stand.NOT_ASKED]
    known = _counted(groups, asked, odds, departments, toss=toss, rng=rng)
    others = _counted(groups, [Stand.NOT_ASKED], odds, departments, toss=toss, rng=rng)
    not_asked = sum(group.get(Stand.NOT_ASKED, 0) for group in groups)
    returned, yes = known.returned + others.returned, known.yes + others.yes
    voted = returned > 0
    of_votes = yes[voted] / returned[voted] if voted.any() else np.zeros(1)
    return Projection(
        entitled=entitled,
        not_asked=not_asked,
        returned=returned,
        yes=yes,
        turnout=_quantiles(returned / entitled),
        yes_of_votes=_quantiles(of_votes),
        yes_of_entitled=_quantiles(yes / entitled),
        if_none_vote=_quantiles(known.returned / entitled),
        if_all_vote=_quantiles((known.returned + not_asked) / entitled),
        from_asked=known.returned,
    )


def _quantiles(values: Floats) -> Estimate:
    low, median, high = np.quantile(values, [LOW_QUANTILE, 0.5, HIGH_QUANTILE])
    return Estimate(float(low), float(median), float(high))


@dataclass(frozen=True)
class SeparateBallots:
    """Several ballots of one campaign: how many pass, and which of them hang in the balance.

    passing: how many pass together, a range over the draws. chances: for each ballot, in the order
    given, the share of draws in which it passes. entitled_with_mandate: people whose ballot
    passes, a range.
    """

    passing: Estimate
    chances: tuple[float, ...]
    entitled_with_mandate: Estimate

    def marginal(self, low: float = 0.2, high: float = 0.8) -> tuple[int, ...]:
        """The positions of the ballots that neither surely pass nor surely fail."""
        return tuple(at for at, chance in enumerate(self.chances) if low <= chance <= high)


def separate(
    projections: Sequence[Projection], turnouts: Sequence[float | None], yes: float = 0.5
) -> SeparateBallots:
    """What separate ballots come to together. turnouts: the turnout each must reach, or None."""
    passed = np.array(
        [
            (one.yes > yes * one.returned)
            & (one.returned >= (0.0 if turnout is None else turnout) * one.entitled)
            for one, turnout in zip(projections, turnouts, strict=True)
        ]
    )
    people = np.array([one.entitled for one in projections])
    return SeparateBallots(
        passing=_quantiles(passed.sum(axis=0).astype(np.float64)),
        chances=tuple(float(chance) for chance in passed.mean(axis=1)),
        entitled_with_mandate=_quantiles((people @ passed).astype(np.float64)),
    )


def brier(chance: float, happened: bool) -> float:
    """The Brier score of one forecast of yes or no: 0 is perfect, 1 is the worst."""
    return (chance - float(happened)) ** 2


def crps(draws: npt.NDArray[np.float64], truth: float) -> float:
    """The continuous ranked probability score of drawn values against what happened, 0 is best.

    In the unit of the values; for one sure value it is how far off that was.
    """
    ordered = np.sort(draws)
    number = ordered.shape[0]
    ranks = 2 * np.arange(1, number + 1) - number - 1
    spread: float = 2 * float((ranks * ordered).sum()) / (number * number)
    away: float = float(np.abs(ordered - truth).mean())
    return away - spread / 2
