"""What makes two records look like one person: the reasons, their weights, and the bands.

Weights are added up. They were set on the lists named in docs/benchmarks.md, precision first: two
people made one do more harm than one person who is here twice. How alike two words are is worked
out in crm/analysis/likeness.py.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Final


class Reason(enum.StrEnum):
    """One thing that two records have in common, or in which they differ."""

    SAME_NAME = "same_name"
    SAME_WORDS = "same_words"
    NEAR_NAME = "near_name"
    SHORT_NAME = "short_name"
    INITIAL = "initial"
    ONE_NAME = "one_name"
    OTHER_NAME = "other_name"
    SAME_PHONE = "same_phone"
    SAME_MAIL = "same_mail"
    NEAR_MAIL = "near_mail"
    SAME_ADDRESS = "same_address"
    NEAR_ADDRESS = "near_address"
    SAME_DAY = "same_day"
    NEAR_DAY = "near_day"
    OTHER_DAY = "other_day"
    SAME_WORKPLACE = "same_workplace"
    SAME_AREA = "same_area"
    OTHER_PHONE = "other_phone"
    OTHER_MAIL = "other_mail"


# Points of what is not a name. Names bring theirs word by word, see crm/analysis/likeness.py.
POINTS: Final[dict[Reason, float]] = {
    Reason.SAME_PHONE: 8,
    Reason.SAME_MAIL: 9,
    Reason.NEAR_MAIL: 5,
    Reason.SAME_ADDRESS: 6,
    Reason.NEAR_ADDRESS: 4,
    Reason.SAME_DAY: 8,
    Reason.NEAR_DAY: 4,
    Reason.OTHER_DAY: -3,
    Reason.SAME_WORKPLACE: 3,
    Reason.SAME_AREA: 1,
    Reason.OTHER_PHONE: -1,
    Reason.OTHER_MAIL: -1,
}
# What somebody who does not see the place must not be told of two people.
OF_PLACES: Final = frozenset({Reason.SAME_WORKPLACE, Reason.SAME_AREA})
# Counted up when the rules here or in crm/analysis/likeness.py change: kept pairs are then worked
# out anew.
RULES: Final = 2
# From here on two records are shown as perhaps one person, and as surely one.
MAYBE_FROM: Final = 8.0
SURE_FROM: Final = 12.0


class Band(enum.StrEnum):
    """How sure it is that two records are one person. Only SURE may be ticked beforehand."""

    SURE = "sure"
    MAYBE = "maybe"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one person, as far as it is compared.

    names: every way their name is written. phones: as phone_key makes them. mails and addresses:
    folded. days: days that belong to the person, as a list brings them (a date of birth, which
    the app itself does not keep), as ISO text. workplaces and areas: inner ids, of all their jobs.
    """

    names: tuple[str, ...]
    phones: frozenset[str] = frozenset()
    mails: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    days: frozenset[str] = frozenset()
    workplaces: frozenset[int] = frozenset()
    areas: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two records are: the sum of the points, and each reason with its own points.

    can_be_sure: the names agree and something else is the same; enough points then make it sure.
    """

    points: float
    band: Band | None
    reasons: tuple[tuple[Reason, float], ...] = field(default=())
    can_be_sure: bool = False

    def without(self, hidden: Collection[Reason]) -> Likeness:
        """Return the likeness to somebody who may not know of these reasons."""
        reasons = tuple(one for one in self.reasons if one[0] not in hidden)
        points = sum(value for _, value in reasons)
        band = band_of(points, names_agree=self.can_be_sure, shares_something=self.can_be_sure)
        return Likeness(points, band, reasons, self.can_be_sure)


@lru_cache(maxsize=1)
def _groups() -> dict[str, frozenset[int]]:
    text = (resources.files("crm.domain") / "reference" / "short_names.txt").read_text("utf-8")
    found: dict[str, set[int]] = {}
    for number, line in enumerate(text.splitlines()):
        for name in line.split():
            found.setdefault(name, set()).add(number)
    return {name: frozenset(numbers) for name, numbers in found.items()}


def may_go_by(one: str, other: str) -> bool:
    """Return True when somebody with one folded given name may go by the other: bob, robert."""
    groups = _groups()
    return not groups.get(one, frozenset()).isdisjoint(groups.get(other, frozenset()))


@lru_cache(maxsize=10_000)
def other_forms(name: str) -> frozenset[str]:
    """Return the folded names that somebody of this folded given name may go by, without it."""
    mine = _groups().get(name)
    if mine is None:
        return frozenset()
    return frozenset(
        other
        for other, groups in _groups().items()
        if other != name and not groups.isdisjoint(mine)
    )


def band_of(points: float, *, names_agree: bool, shares_something: bool) -> Band | None:
    """Return how sure it is; None = not worth showing.

    names_agree: two whole names of each fit one another and none of them speaks against it.
    shares_something: a phone, mail, address or day is the same or nearly so. Both are needed to
    be sure: families share phones, and many people share a name.
    """
    if points >= SURE_FROM and names_agree and shares_something:
        return Band.SURE
    return Band.MAYBE if points >= MAYBE_FROM else None


def order(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return each pair once, the smaller first, in order."""
    return sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})
