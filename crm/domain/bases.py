"""Members among a part of those who work at a place, when we do not know who belongs to it.

The employer's own staff or a bargaining unit has its own headcount, but for many people nobody has
written down whether they belong. So the members of the part are bounded: by those who surely
belong, and by how many of the others can lie outside it. Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crm.domain.density import PeopleRange, Range
from crm.domain.headcount import Workforce


@dataclass(frozen=True, slots=True)
class Known:
    """People named, by what is known of their membership. Counts are 0 or more."""

    members: int = 0
    not_members: int = 0
    not_known: int = 0

    @property
    def people(self) -> int:
        """All of them."""
        return self.members + self.not_members + self.not_known


@dataclass(frozen=True, slots=True)
class PartDensity:
    """Members of a part of one place. members: how many there can be. workers: of the part, raised
    to the people who surely belong; share: their share, a range that holds the truth."""

    members: PeopleRange
    workers: Workforce
    share: Range


def part_density(
    surely: Known, perhaps: Known, part: Workforce, site: Workforce | None
) -> PartDensity | None:
    """Return the density of a part of a place; None when nobody belongs to it.

    surely, perhaps: people who belong, and of whom it is not known. Everybody else named does not
    belong. part, site: how many work in the part and at the whole place; site None = not known.

    Outside the part are at most site.high - part.low workers, so of the people who perhaps belong
    all but so many do. Low: members who surely belong, and those of the others who cannot all lie
    outside, ÷ the highest count. High, at each possible size of the part: everybody in it who is
    not known to be no member, but not more than there are such people. The truth lies inside when
    what we know of people is right and both headcounts hold.
    """
    high_end = max(part.high, float(surely.people))
    if high_end <= 0:
        return None
    low_end = min(max(part.low, float(surely.people)), high_end)
    outside = float("inf") if site is None else max(0.0, max(site.high, high_end) - low_end)
    least = surely.members + max(0.0, perhaps.members - outside)
    surely_not = surely.not_members + max(0.0, perhaps.not_members - outside)
    least = min(least, high_end)
    if site is None:
        could = float("inf")
    else:
        named = surely.people + perhaps.people
        unnamed = max(0.0, max(site.high, float(named)) - named)
        could = surely.members + surely.not_known + perhaps.members + perhaps.not_known + unnamed
    sizes = {low_end, high_end}
    if could + surely_not < high_end:
        sizes.add(max(low_end, could + surely_not))
    most = max(min(size - surely_not, could) for size in sizes)
    share = max(
        min(1.0, max(0.0, min(size - surely_not, could)) / size) for size in sizes if size > 0
    )
    low = least / high_end
    return PartDensity(
        members=PeopleRange(low=least, high=max(least, most)),
        workers=Workforce(low=low_end, best=None, high=high_end),
        share=Range(low=min(1.0, low), high=max(min(1.0, low), share)),
    )


def together(parts: Sequence[PartDensity]) -> Range | None:
    """Return the share over several places: sum over sum, as a range; None without any.

    The highest is sought over all sizes the places can have: the places with the greatest share
    as large, and the others as small as they can be.
    """
    if not parts:
        return None
    least = sum(one.members.low for one in parts) / sum(one.workers.high for one in parts)
    ordered = sorted(parts, key=lambda one: -one.share.high)
    workers = sum(one.workers.low for one in ordered)
    members = sum(one.share.high * one.workers.low for one in ordered)
    most = members / workers if workers else 1.0
    for one in ordered:
        workers += one.workers.high - one.workers.low
        members += one.share.high * (one.workers.high - one.workers.low)
        most = max(most, members / workers)
    low = min(1.0, least)
    return Range(low=low, high=max(low, min(1.0, most)))
