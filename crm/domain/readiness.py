"""Strike-readiness of a unit: its parts, its gates, and an index that is a range, never a bluff.

The index is a weighted geometric mean, so that one very weak part cannot be bought off by strong
ones. A part that is not known is neither 0 nor average: the index is worked out with the weakest
and with the strongest value it could have, and both are shown. A red gate goes before any number.

The parts, weights, floors and targets here are a judgement, not an estimate. A group sets its own,
and says so. They tell nothing of leverage, timing or the law, and never rank people.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from crm.domain.errors import Refusal
from crm.domain.headcount import Workforce

# No part may count as nothing at all: a zero would hide how strong or weak the others are.
LOWEST_SCORE: Final = 0.05
TEST_HALF_LIFE_DAYS: Final = 60
LOW_RISK: Final = 2
LOW_RISK_CAP: Final = 0.5
GATE_LIST_AGE_DAYS: Final = 28


class Part(StrEnum):
    """One measured part of readiness."""

    SUPPORT = "support"
    PARTICIPATION = "participation"
    DENSITY = "density"
    LEADERS = "leaders"
    COVERAGE = "coverage"
    CONTACT = "contact"
    ASSESSED = "assessed"
    CAPACITY = "capacity"


@dataclass(frozen=True, slots=True)
class Target:
    """What counts as nothing (floor), what as enough (target), and how much the part weighs.

    floor and target: shares from 0 to 1, floor < target; weight: above 0. ValueError otherwise.
    """

    floor: float
    target: float
    weight: float

    def __post_init__(self) -> None:
        if not (0 <= self.floor < self.target <= 1 and self.weight > 0):
            raise ValueError("A target needs 0 <= floor < target <= 1 and a weight above 0.")


DEFAULT_TARGETS: Final[Mapping[Part, Target]] = MappingProxyType(
    {
        Part.SUPPORT: Target(0.30, 0.80, 0.20),
        Part.PARTICIPATION: Target(0.30, 0.80, 0.25),
        Part.DENSITY: Target(0.30, 0.75, 0.15),
        Part.LEADERS: Target(0.30, 0.90, 0.10),
        Part.COVERAGE: Target(0.40, 1.0, 0.10),
        Part.CONTACT: Target(0.70, 0.98, 0.08),
        Part.ASSESSED: Target(0.40, 0.90, 0.07),
        Part.CAPACITY: Target(0.0, 1.0, 0.05),
    }
)


@dataclass(frozen=True, slots=True)
class Measure:
    """A share as measured: the lowest and the highest it can be, 0 to 1.

    low == high when everything it needs is known; 0 and 1 when nothing is. numerator and
    denominator: people, as known, for the page; None = not known. cap: the score may not exceed
    this, whatever the share.
    """

    low: float
    high: float
    numerator: float | None = None
    denominator: float | None = None
    cap: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 1:
            raise ValueError("A measure needs 0 <= low <= high <= 1.")

    @property
    def is_known(self) -> bool:
        """Whether the share is one number and not a range."""
        return self.low == self.high


UNKNOWN: Final = Measure(0.0, 1.0)


def exact(numerator: float, denominator: float) -> Measure:
    """The measure of a share that is fully known; UNKNOWN when there is nobody to count."""
    if denominator <= 0:
        return UNKNOWN
    share = min(1.0, numerator / denominator)
    return Measure(share, share, numerator, denominator)


def participation(
    low: float, high: float, *, risk: int, age_days: int, took_part: int, listed: int
) -> Measure:
    """The measure of the latest structure test: it fades by half every 60 days.

    low and high: the share of everyone on the frozen list, with those not known counted as did not
    and as did. risk: 1 to 5; a test below 2 proves at most half of what a part can score.
    """
    if age_days < 0:
        raise ValueError("A test cannot lie ahead of the day it is judged on.")
    fade = 2.0 ** (-age_days / TEST_HALF_LIFE_DAYS)
    cap = LOW_RISK_CAP if risk < LOW_RISK else 1.0
    return Measure(low * fade, high * fade, took_part, listed, cap)


def over_workers(people: int, workforce: Workforce | None, *, named: int) -> Measure:
    """The measure of people out of all workers: those we cannot name count as not among them.

    workforce None: not known. Then there are at least as many workers as people named, and nobody
    knows how many more, so the share can be anything from 0 up. named: 0 or more.
    """
    if workforce is None:
        return Measure(0.0, min(1.0, people / named) if named else 1.0, people, None)
    if workforce.high <= 0:
        return UNKNOWN
    high = min(1.0, people / workforce.low) if workforce.low > 0 else 1.0
    low = min(1.0, people / workforce.high)
    return Measure(low, max(low, high), people, workforce.high)


class Finding(StrEnum):
    """What a group checked or decided, as it was written down, with yes or no.

    The first three answer a gate; the others are what an action needs to last.
    """

    LIST_CHECKED = "list_checked"
    TIMELINE = "timeline"
    DECISION = "decision"
    FUND = "fund"
    PICKETS = "pickets"
    HARDSHIP = "hardship"


CAPACITY: Final = (Finding.FUND, Finding.PICKETS, Finding.HARDSHIP)


def capacity(answers: Mapping[Finding, bool]) -> Measure:
    """The measure of what an action needs to last: the share of its three things that stand.

    answers: what was written down; a thing that is not there is not known, and so a range.
    """
    yes = sum(answers.get(one) is True for one in CAPACITY)
    unknown = sum(one not in answers for one in CAPACITY)
    whole = len(CAPACITY)
    return Measure(yes / whole, (yes + unknown) / whole, yes, whole)


@dataclass(frozen=True, slots=True)
class Score:
    """How far one part has come from its floor to its target: low and high, 0.05 to 1."""

    part: Part
    measure: Measure
    target: Target
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Index:
    """The index, 0 to 100, as a range; equal ends when every part is known.

    equal_low and equal_high: with the same weight for every part, to show how much the weights
    decide. unknown: the parts that are a range.
    """

    low: float
    high: float
    equal_low: float
    equal_high: float
    scores: tuple[Score, ...]

    @property
    def unknown(self) -> tuple[Part, ...]:
        """The parts that are not fully known."""
        return tuple(score.part for score in self.scores if not score.measure.is_known)

    @property
    def weakest(self) -> Score:
        """The part that holds the index down most, by what its target would add."""
        return min(self.scores, key=lambda score: score.target.weight * math.log(score.low))

    @property
    def bands(self) -> tuple[Band, ...]:
        """The bands that the range touches, from the lower end to the upper."""
        found = [band for band in Band if band.low <= band_of(self.high).low]
        return tuple(band for band in found if band.low >= band_of(self.low).low)


class Band(StrEnum):
    """What an index of this size asks for next."""

    BUILD = "build"
    ORGANISE = "organise"
    TEST_AGAIN = "test_again"
    READY = "ready"

    @property
    def low(self) -> int:
        """The lowest index of the band."""
        return {"build": 0, "organise": 40, "test_again": 60, "ready": 80}[self.value]


def whole_index(index: float) -> int:
    """The index as the whole number that is shown, 0 to 100: 59.6 has not come to 60.

    What the last binary places of the sum of logarithms lose is given back first.
    """
    return math.floor(round(index, 9))


def band_of(index: float) -> Band:
    """The band of an index from 0 to 100."""
    return [band for band in Band if whole_index(index) >= band.low][-1]


def readiness_index(
    measures: Mapping[Part, Measure], targets: Mapping[Part, Target] = DEFAULT_TARGETS
) -> Index:
    """The index of a unit from its parts. A part without a measure is not known.

    Index = 100 · product of score ** weight, the weights first divided by their sum.
    """
    scores = tuple(
        _score(part, measures.get(part, UNKNOWN), target) for part, target in targets.items()
    )
    weights = [score.target.weight for score in scores]
    same = [1.0] * len(scores)
    return Index(
        low=_mean([score.low for score in scores], weights),
        high=_mean([score.high for score in scores], weights),
        equal_low=_mean([score.low for score in scores], same),
        equal_high=_mean([score.high for score in scores], same),
        scores=scores,
    )


def _score(part: Part, measure: Measure, target: Target) -> Score:
    low, high = (
        max(LOWEST_SCORE, min(measure.cap, (share - target.floor) / (target.target - target.floor)))
        for share in (measure.low, measure.high)
    )
    return Score(part, measure, target, min(low, 1.0), min(high, 1.0))


def _mean(scores: Sequence[float], weights: Sequence[float]) -> float:
    whole = math.fsum(weights)
    return 100 * math.exp(
        math.fsum(
            weight / whole * math.log(score) for score, weight in zip(scores, weights, strict=True)
        )
    )


class GateName(StrEnum):
    """One thing without which nobody should say "ready"."""

    LIST = "list"
    LAW = "law"
    TESTS = "tests"
    OWNERS = "owners"
    TIMELINE = "timeline"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate. is_open: True = green, False = red, None = not known, which does not open it.

    has, of: the people, areas or days it was judged on, None where there are none. needs: the
    limit it was held against, as a share, a number or days; None for a plain yes or no.
    """

    name: GateName
    is_open: bool | None
    has: float | None = None
    of: float | None = None
    needs: float | None = None


@dataclass(frozen=True, slots=True)
class GateLimits:
    """The limits of the gates, which a group can set."""

    list_age_days: int = GATE_LIST_AGE_DAYS
    verified_share: float = 0.95
    chance: float = 0.90
    test_share: float = 0.65
    area_share: float = 0.40


DEFAULT_LIMITS: Final = GateLimits()


class BadTerms(Refusal):
    """Terms that cannot be used."""

    default_message = (
        "“Counts as nothing” must be below “counts as enough”. Weights and limits must be above 0."
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """What a group holds itself to: floor, target and weight of each part, limits of the gates."""

    targets: Mapping[Part, Target]
    limits: GateLimits

    def as_json(self) -> dict[str, Any]:
        """Return the terms as plain numbers, to be kept."""
        return {
            "targets": {
                part.value: [one.floor, one.target, one.weight]
                for part, one in self.targets.items()
            },
            "limits": {
                "list_age_days": self.limits.list_age_days,
                "verified_share": self.limits.verified_share,
                "chance": self.limits.chance,
                "test_share": self.limits.test_share,
                "area_share": self.limits.area_share,
            },
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Terms:
        """Return the terms that as_json gave. A part that is not there keeps the usual terms.

        Raises BadTerms for numbers that cannot be used.
        """
        try:
            targets = {
                part: Target(*kept["targets"][part.value])
                if part.value in kept["targets"]
                else usual
                for part, usual in DEFAULT_TARGETS.items()
            }
            limits = GateLimits(**kept["limits"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadTerms() from error
        shares = (limits.verified_share, limits.chance, limits.test_share, limits.area_share)
        if limits.list_age_days < 1 or not all(0 < share <= 1 for share in shares):
            raise BadTerms()
        return cls(targets=targets, limits=limits)


DEFAULT_TERMS: Final = Terms(DEFAULT_TARGETS, DEFAULT_LIMITS)


@dataclass(frozen=True, slots=True)
class HeldTest:
    """A structure test as the gates see it: its risk 1 to 5, and the shares of all who were listed.

    share: people known to have taken part ÷ everybody listed, 0 to 1. worst_area: the lowest such
    share of an area, None when the list names no areas. most, worst_most: the same two if all those
    not known took part; None when everybody is known.
    """

    risk: int
    share: float
    worst_area: float | None
    most: float | None = None
    worst_most: float | None = None


def list_gate(
    age_days: int | None,
    verified: int | None,
    entitled: int,
    limits: GateLimits = DEFAULT_LIMITS,
    *,
    answered_no: bool = False,
) -> Gate:
    """Whether the list was gone through lately and nearly all ballot channels are verified.

    age_days: None when nobody wrote down that the list was gone through; verified: None when it
    is not known of how many members. answered_no: somebody wrote down that it was not gone
    through. What is known to fall short shuts the gate by itself.
    """
    if answered_no:
        is_open: bool | None = False
    elif entitled == 0:
        is_open = None
    elif (verified is not None and verified < limits.verified_share * entitled) or (
        age_days is not None and age_days > limits.list_age_days
    ):
        is_open = False
    else:
        is_open = None if age_days is None or verified is None else True
    return Gate(GateName.LIST, is_open, verified, entitled, limits.verified_share)


def law_gate(
    chance: float | None, limits: GateLimits = DEFAULT_LIMITS, *, everywhere: bool = True
) -> Gate:
    """Whether the ballot would very likely pass every test of the law. chance: 0 to 1.

    everywhere: whether every workplace of the unit with members is in a ballot to come. Where one
    is not, nobody knows of it: a good chance elsewhere does not open the gate of the whole unit.
    """
    is_open = None if chance is None else chance >= limits.chance
    if is_open and not everywhere:
        is_open = None
    return Gate(GateName.LAW, is_open, chance, 1.0, limits.chance)


def structure_gate(tests: Sequence[HeldTest], limits: GateLimits = DEFAULT_LIMITS) -> Gate:
    """Whether the last two tests rose in risk, and the last one reached enough everywhere.

    tests: in the order they were held. None of them leaves the gate red, not unknown: two tests
    are what it asks for. A share that falls short only because people are not known is not known.
    """
    if len(tests) < 2:
        return Gate(GateName.TESTS, False, len(tests), 2, limits.test_share)
    before, last = tests[-2], tests[-1]
    judged = (
        last.risk > before.risk,
        _reaches(last.share, last.most, limits.test_share),
        None
        if last.worst_area is None
        else _reaches(last.worst_area, last.worst_most, limits.area_share),
    )
    is_open = False if False in judged else None if None in judged else True
    return Gate(GateName.TESTS, is_open, last.share, 1.0, limits.test_share)


def _reaches(low: float, high: float | None, limit: float) -> bool | None:
    if low >= limit:
        return True
    return None if high is not None and high >= limit else False


def owners_gate(owned: int, areas: int) -> Gate:
    """Whether every area has a named owner. No areas at all is not known."""
    return Gate(GateName.OWNERS, None if areas == 0 else owned == areas, owned, areas)


def plain_gate(name: GateName, is_open: bool | None) -> Gate:
    """A gate that somebody answers with yes or no: the timeline, the decision of the meeting."""
    return Gate(name, is_open)


def shut_gates(gates: Sequence[Gate]) -> tuple[Gate, ...]:
    """The gates that are not green: red ones first, then the ones not known."""
    return tuple(
        [gate for gate in gates if gate.is_open is False]
        + [gate for gate in gates if gate.is_open is None]
    )
