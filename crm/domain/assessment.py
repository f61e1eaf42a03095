"""Where a person stands: 1 (strongest) to 5, how firmly we know it, and how old that is.

Source of the scale and of its limits: the common five-point scale of union organising, 1 first.
A person nobody has assessed has no Assessment at all, and is never given a middle score.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from crm.domain.ids import UserId

STRONGEST: Final = 1
WEAKEST: Final = 5
DISAGREEMENT_POINTS: Final = 2

# The screen's words are found by these keys, because a group may choose its own words.
RATING_KEYS: Final[dict[int, str]] = {
    1: "leads",
    2: "with_us",
    3: "unsure",
    4: "against",
    5: "blocks",
}


class Basis(StrEnum):
    """How we know: from what they did, said themselves, another told us, or our own reading."""

    ACTION = "action"
    SAID = "said"
    TOLD = "told"
    INFERRED = "inferred"


class Freshness(StrEnum):
    """How far an assessment can still be relied on."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """How many days an assessment stays fresh, and after how many it has expired.

    Each limit is the last day of its state. Raises ValueError unless
    0 <= fresh_days <= stale_days.
    """

    fresh_days: int = 60
    stale_days: int = 120

    def __post_init__(self) -> None:
        if not 0 <= self.fresh_days <= self.stale_days:
            raise ValueError("Days must satisfy 0 <= fresh_days <= stale_days.")


DEFAULT_EXPIRY: Final = ExpiryRule()


@dataclass(frozen=True, slots=True)
class Assessment:
    """One judgement by one person on one day; all of them are kept.

    rating: 1 to 5, where 1 is strongest; ValueError otherwise.
    day: the day it was true. recorded_at: when it was written down, in UTC.
    assessor_id: None when we do not know who judged it (a list from elsewhere).
    """

    day: date
    recorded_at: datetime
    rating: int
    basis: Basis
    assessor_id: UserId | None

    def __post_init__(self) -> None:
        if not STRONGEST <= self.rating <= WEAKEST:
            raise ValueError("A rating is a whole number from 1 to 5.")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands as at a day: the assessment that counts, and its age."""

    assessment: Assessment
    firm: bool
    age_days: int
    freshness: Freshness

    @property
    def rating(self) -> int:
        """The score, 1 (strongest) to 5."""
        return self.assessment.rating

    @property
    def key(self) -> str:
        """The key of the score's words, such as `with_us`."""
        return RATING_KEYS[self.assessment.rating]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two assessors who see the same person differently; they should talk."""

    strongest: Assessment
    weakest: Assessment

    @property
    def points(self) -> int:
        """How far apart the two are, 2 to 4."""
        return self.weakest.rating - self.strongest.rating


def is_firm(basis: Basis) -> bool:
    """Whether this basis is firm: what the person did, or said to us themselves."""
    return basis in (Basis.ACTION, Basis.SAID)


def freshness_of(age_days: int, rule: ExpiryRule = DEFAULT_EXPIRY) -> Freshness:
    """The freshness of an assessment made `age_days` ago (0 or more)."""
    if age_days <= rule.fresh_days:
        return Freshness.FRESH
    if age_days <= rule.stale_days:
        return Freshness.STALE
    return Freshness.EXPIRED


def latest(assessments: Iterable[Assessment], as_at: date) -> Assessment | None:
    """The assessment that counts as at a day, or None when nobody had assessed them by then.

    The rule: the latest day wins, then the latest recorded. If even those are equal the more
    cautious one wins (the weaker score, then the one that is not firm), so that the answer never
    depends on the order of the rows.
    """
    seen = (one for one in assessments if one.day <= as_at)
    return max(seen, key=_precedence, default=None)


def current(
    assessments: Iterable[Assessment], as_at: date, rule: ExpiryRule = DEFAULT_EXPIRY
) -> Standing | None:
    """Where the person stands as at a day, or None when nobody had assessed them by then.

    An expired assessment is still returned, and says that it has expired.
    """
    found = latest(assessments, as_at)
    if found is None:
        return None
    age_days = (as_at - found.day).days
    return Standing(
        assessment=found,
        firm=is_firm(found.basis),
        age_days=age_days,
        freshness=freshness_of(age_days, rule),
    )


def disagreement(
    assessments: Iterable[Assessment], as_at: date, rule: ExpiryRule = DEFAULT_EXPIRY
) -> Disagreement | None:
    """The two assessors furthest apart as at a day, or None if all are within one point.

    Each assessor speaks by their own latest assessment. Expired ones are left out: an old view
    beside a new one shows that the person moved, not that two people see them differently.
    Assessments by nobody known are left out, because they may be the other assessor's own.
    """
    by_assessor: dict[UserId, list[Assessment]] = {}
    for one in assessments:
        if one.assessor_id is not None:
            by_assessor.setdefault(one.assessor_id, []).append(one)
    views = [
        view
        for own in by_assessor.values()
        if (view := latest(own, as_at)) is not None
        and freshness_of((as_at - view.day).days, rule) is not Freshness.EXPIRED
    ]
    if len(views) < 2:
        return None
    strongest = min(views, key=lambda view: (view.rating, view.assessor_id))
    weakest = max(views, key=lambda view: (view.rating, view.assessor_id))
    if weakest.rating - strongest.rating < DISAGREEMENT_POINTS:
        return None
    return Disagreement(strongest=strongest, weakest=weakest)


def _precedence(one: Assessment) -> tuple[date, datetime, int, bool, str]:
    return (one.day, one.recorded_at, one.rating, not is_firm(one.basis), one.basis)
