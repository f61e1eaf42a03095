"""Union density: members as a share of the workers, always as a range that holds the truth.

Source: our definition, decision 0003. People whose membership we do not know and people we cannot
name are a gap in our list, not a sampling error, so nothing here is estimated or filled in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from crm.domain.headcount import Workforce, rounding_interval

FEWEST_FOR_PERCENT: Final = 10
WIDEST_RANGE: Final = 0.25


class NoDensity(StrEnum):
    """Why there is no density to show."""

    WORKFORCE_UNKNOWN = "workforce_unknown"
    NO_WORKERS = "no_workers"


@dataclass(frozen=True, slots=True)
class Range:
    """Two fractions of 1 with the truth between them: 0 <= low <= high <= 1."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.low <= self.high <= 1.0:
            raise ValueError("A range runs from low to high between 0 and 1.")

    @property
    def is_wide(self) -> bool:
        """Whether the range is over 25 points, so that the thing to do is count the workers."""
        # In binary, 7/12 - 1/3 comes out a hair over 0.25; a billionth is less than one person.
        return round(self.high - self.low, 9) > WIDEST_RANGE


@dataclass(frozen=True, slots=True)
class PeopleRange:
    """Two counts of people with the truth between them: 0 <= low <= high."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (0 <= self.low <= self.high and math.isfinite(self.high)):
            raise ValueError("A range of people runs from low to high, 0 or more.")


@dataclass(frozen=True, slots=True)
class StatedMembers:
    """How many members a union says it has somewhere, without names: from `low` to `high`.

    best: the number as it was stated. 0 <= low <= best <= high; ValueError otherwise.
    """

    low: float
    best: float
    high: float

    def __post_init__(self) -> None:
        if not (0 <= self.low <= self.best <= self.high and math.isfinite(self.high)):
            raise ValueError("Stated members run 0 <= low <= best <= high.")

    @classmethod
    def exactly(cls, count: float) -> StatedMembers:
        """A count stated in full."""
        return cls(low=count, best=count, high=count)

    @classmethod
    def rounded(cls, count: float, rounded_to: float) -> StatedMembers:
        """A count stated in rounded form; the true one is within half of `rounded_to` (above 0)."""
        low, high = rounding_interval(count, rounded_to)
        return cls(low=low, best=count, high=high)


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

    @property
    def could_be(self) -> int:
        """Those who are members or may be."""
        return self.members + self.not_known


@dataclass(frozen=True, slots=True)
class PartOf:
    """What the density of a part of a place was made from, beside those who surely belong to it.

    perhaps, outside: people named of whom it is not known, and who do not belong. site: how many
    work at the whole place; None = not known. stated: members stated for the whole place.
    """

    perhaps: Known
    outside: Known
    site: Workforce | None
    stated: StatedMembers | None


@dataclass(frozen=True, slots=True)
class Density:
    """The density of one place on one basis, with everything it was made from.

    members, not_members, not_known_named: people named, by what we know of their membership.
    stated: members stated without names, when that is the basis.
    workforce: as recorded. workforce_used: the same, raised to the people named when the list
    shows that the record is too low; both None when not known.
    member_range: how many members there can be; with the workforce unknown its high end counts
    only the people named or stated.
    not_named: workers we cannot name, at either end of the workforce; None when not known.
    fraction_range: the density; None with the reason in `no_density`.
    confirmed_fraction: members known of ÷ the best headcount; None without a best above 0, or if a
    stated count exceeds it. Without a stated count it leaves out every member not known of, so it
    is a reading from below and not an estimate.
    part: of a part of those who work there, what else it was made from: see crm/domain/bases.py.
    The people named are then those who surely belong, and stated is None. None: of everybody.
    """

    members: float
    not_members: float
    not_known_named: float
    stated: StatedMembers | None
    workforce: Workforce | None
    workforce_used: Workforce | None
    member_range: PeopleRange
    not_named: PeopleRange | None
    fraction_range: Range | None
    confirmed_fraction: float | None
    no_density: NoDensity | None
    part: PartOf | None = None

    @property
    def named(self) -> float:
        """How many people are on our list: members, not members and not known."""
        return self.members + self.not_members + self.not_known_named

    @property
    def members_known(self) -> float:
        """The numerator of the confirmed fraction: the members named, or stated if that is more."""
        return self.members if self.stated is None else max(self.members, self.stated.best)

    @property
    def list_exceeds_headcount(self) -> bool:
        """Whether more people are named than the highest headcount says work here."""
        return self.workforce is not None and self.named > self.workforce.high

    @property
    def headcount_stale(self) -> bool:
        """Whether the headcount must be too low (or people who left are still on the list).

        True when more people are named, or more members stated, than its highest count; of a part,
        also when it and those outside it are more than the highest count of the place.
        """
        if self.workforce is None:
            return False
        if self.part is not None and self.part.site is not None:
            part, site = self.part, self.part.site
            everybody = max(
                self.named + part.perhaps.people + part.outside.people,
                max(self.workforce.low, self.named) + part.outside.people,
                0.0 if part.stated is None else part.stated.low,
            )
            if everybody > site.high:
                return True
        return max(self.named, self.member_range.low) > self.workforce.high

    @property
    def is_wide(self) -> bool:
        """Whether the range is over 25 points, so that the thing to do is count the workers."""
        return self.fraction_range is not None and self.fraction_range.is_wide

    @property
    def show_as_count(self) -> bool:
        """Whether to say `6 of 9` and no percentage, because fewer than 10 people work here."""
        return self.workforce_used is not None and is_small(self.workforce_used)


class Sums(NamedTuple):
    """The densities of places added up: all that a total is made from.

    places: all of them; every other sum but all_members is over the counted ones, whose workforce
    is known. members, not_members, not_known_named: people named. member_low, member_high: the
    member ranges. low, best, high: the workforces used, and with_best, how many of them have a
    best. named_...: of the places without a stated count, by_name in number. stated_...: of the
    others, what the statements add to the members named, the highest members there, and
    the lowest workforce.
    """

    places: float = 0
    counted_places: float = 0
    stale_places: float = 0
    members: float = 0
    not_members: float = 0
    not_known_named: float = 0
    counted_members: float = 0
    all_members: float = 0
    member_low: float = 0
    member_high: float = 0
    low: float = 0
    best: float = 0
    high: float = 0
    with_best: float = 0
    by_name: float = 0
    named_could_be: float = 0
    named_not_members: float = 0
    named_low: float = 0
    named_high: float = 0
    stated_extra: float = 0
    stated_best_extra: float = 0
    stated_high: float = 0
    stated_low: float = 0

    @property
    def workforce(self) -> Workforce | None:
        """The workforces used together; None without any. Its best needs one of each place."""
        if not self.counted_places:
            return None
        every = self.with_best == self.counted_places
        return Workforce(low=self.low, best=self.best if every else None, high=self.high)


NOTHING: Final = Sums()


@dataclass(frozen=True, slots=True)
class TotalDensity:
    """The density of many places together: sum of members over sum of workers.

    members, not_members, not_known_named: people of the counted places, each counted once.
    workforce: the sum over the counted places; None when there are none.
    counted_places, all_places: `the headcount is known at k of n places`.
    counted_members, all_members: members known of at those k places and at all n. A person with
    jobs at two places counts at each here, because the list of places is what is measured.
    stale_places: counted places whose headcount must be too low.
    perhaps: of parts of places, the people named of whom it is not known whether they belong,
    each once; None when everybody who works there is counted.
    """

    members: float
    not_members: float
    not_known_named: float
    workforce: Workforce | None
    member_range: PeopleRange
    fraction_range: Range | None
    confirmed_fraction: float | None
    no_density: NoDensity | None
    counted_places: int
    all_places: int
    counted_members: float
    all_members: float
    stale_places: int
    perhaps: Known | None = None

    @property
    def excluded_places(self) -> int:
        """Places left out because nobody has a headcount for them."""
        return self.all_places - self.counted_places

    @property
    def excluded_members(self) -> float:
        """Members known of at the places left out."""
        return self.all_members - self.counted_members

    @property
    def covered_fraction(self) -> float | None:
        """The share of our members who are at places with a headcount; None without members."""
        return self.counted_members / self.all_members if self.all_members else None

    @property
    def is_wide(self) -> bool:
        """Whether the range is over 25 points, so that the thing to do is count the workers."""
        return self.fraction_range is not None and self.fraction_range.is_wide

    @property
    def show_as_count(self) -> bool:
        """Whether to give counts and no percentage, because fewer than 10 people work here."""
        return self.workforce is not None and is_small(self.workforce)


def density(
    *,
    members: float,
    not_members: float,
    not_known_named: float,
    workforce: Workforce | None,
    stated: StatedMembers | None = None,
) -> Density:
    """The density of one place, as a range that holds the truth.

    members, not_members, not_known_named: people named, on one day and for one union or for any;
    0 or more, ValueError otherwise. workforce None: not known, and so is the density.
    stated: members stated without names for that same union, or for all unions together.

    With M members, U named people not known, L people named in all, and the true workforce N
    anywhere from H low to H high:
    low = M ÷ H high. high = the greater, at N = H low and N = H high, of
    (M + U + those not named) ÷ N, where those not named are N - L, at least 0; never above 1.
    One of the two ends is always the greatest: below L the share falls as N grows, above it rises.
    With a stated count, members run from the larger of M and its low to the larger of M and its
    high, and neither the not known nor the not named widen that.

    The truth lies inside when the people named do work there, what we know of them is right, the
    stated count is right, and N is in the range of the headcount. If more people are named than H
    high, not all of that can be so. Then the headcount is flagged as stale and H high is raised
    to L: the truth lies inside if the list is right and complete. (If the list still holds
    people who left, or misses others as well, no bound can be promised: hence the flag.)
    Source: decision 0003.
    """
    if not all(
        count >= 0 and math.isfinite(count) for count in (members, not_members, not_known_named)
    ):
        raise ValueError("Counts of people are 0 or more.")
    named = members + not_members + not_known_named
    could_be = members + not_known_named
    known_low = members if stated is None else max(members, stated.low)
    used = None if workforce is None else _raised(workforce, max(named, known_low))
    if stated is None:
        not_named_high = 0.0 if used is None else max(0.0, used.high - named)
        member_range = PeopleRange(low=members, high=could_be + not_named_high)
    else:
        member_range = PeopleRange(low=known_low, high=max(members, stated.high))

    fraction_range: Range | None = None
    confirmed_fraction: float | None = None
    not_named: PeopleRange | None = None
    no_density: NoDensity | None = None
    if used is None:
        no_density = NoDensity.WORKFORCE_UNKNOWN
    else:
        not_named = PeopleRange(low=max(0.0, used.low - named), high=max(0.0, used.high - named))
        if used.high == 0:
            no_density = NoDensity.NO_WORKERS
        else:
            if stated is None:
                high = _highest_share(could_be, named, used)
            else:
                high = _share(member_range.high, used.low)
            fraction_range = Range(low=known_low / used.high, high=high)
            known = members if stated is None else max(members, stated.best)
            confirmed_fraction = confirmed(known, used.best)
    return Density(
        members=members,
        not_members=not_members,
        not_known_named=not_known_named,
        stated=stated,
        workforce=workforce,
        workforce_used=used,
        member_range=member_range,
        not_named=not_named,
        fraction_range=fraction_range,
        confirmed_fraction=confirmed_fraction,
        no_density=no_density,
    )


def sums_of(parts: Iterable[Density]) -> Sums:
    """Return what the densities of places come to, added up."""
    return Sums(*map(sum, zip(NOTHING, *map(sums_of_one, parts), strict=True)))


def sums_of_one(part: Density) -> Sums:
    """Return what one place adds to a total."""
    used = part.workforce_used
    if used is None:
        return NOTHING._replace(places=1, all_members=part.members_known)
    counted = Sums(
        places=1,
        counted_places=1,
        stale_places=int(part.headcount_stale),
        members=part.members,
        not_members=part.not_members,
        not_known_named=part.not_known_named,
        counted_members=part.members_known,
        all_members=part.members_known,
        member_low=part.member_range.low,
        member_high=part.member_range.high,
        low=used.low,
        best=used.best or 0.0,
        high=used.high,
        with_best=int(used.best is not None),
    )
    if part.stated is None:
        return counted._replace(
            by_name=1,
            named_could_be=part.members + part.not_known_named,
            named_not_members=part.not_members,
            named_low=used.low,
            named_high=used.high,
        )
    return counted._replace(
        stated_extra=part.member_range.low - part.members,
        stated_best_extra=part.members_known - part.members,
        stated_high=part.member_range.high,
        stated_low=used.low,
    )


def total(
    sums: Sums,
    *,
    distinct_members: float,
    distinct_not_members: float,
    distinct_not_known_named: float,
) -> TotalDensity:
    """The density of several places together: sum over sum, never the mean of percentages.

    sums: of one Density for each place, all on the same day and basis; see sums_of(). Places
    without a workforce are left out of the fraction and counted apart.
    distinct_...: the people of the places with a workforce, each counted once although they may
    have jobs at several. Each is at most the sum of the parts; ValueError otherwise.

    The bottom is the plain sum of the workforces used. Somebody unnamed with two jobs is in it
    twice and cannot be seen; the range still holds the truth, the confirmed fraction is then a
    little low. Stated counts carry no names, so somebody in two of them, or in one of them and
    named at another place, is counted twice.
    Source: decision 0003.
    """
    _check_distinct(distinct_members, sums.members)
    _check_distinct(distinct_not_members, sums.not_members)
    _check_distinct(distinct_not_known_named, sums.not_known_named)

    # People with two jobs are taken off the not-members of the places counted by name: that can
    # only raise the high end, so the range still holds the truth wherever they work.
    could_be = min(sums.named_could_be, distinct_members + distinct_not_known_named)
    not_members = max(0.0, sums.named_not_members - (sums.not_members - distinct_not_members))

    workforce = sums.workforce
    members_low = distinct_members + sums.stated_extra
    members_high = sums.stated_high + could_be
    fraction_range: Range | None = None
    confirmed_fraction: float | None = None
    no_density: NoDensity | None = None
    if workforce is None:
        no_density = NoDensity.WORKFORCE_UNKNOWN
    else:
        if sums.by_name:
            members_high += max(0.0, sums.named_high - could_be - not_members)
        if workforce.high == 0:
            no_density = NoDensity.NO_WORKERS
        else:
            high = _highest_total_share(
                could_be=could_be,
                named=could_be + not_members,
                named_ends=(sums.named_low, sums.named_high) if sums.by_name else (0.0,),
                stated_members=sums.stated_high,
                stated_low=sums.stated_low,
            )
            # The sum over places may differ in its last binary digit from the sum once each.
            low = min(1.0, members_low / workforce.high)
            fraction_range = Range(low=low, high=max(low, high))
            confirmed_fraction = confirmed(
                distinct_members + sums.stated_best_extra, workforce.best
            )
    return TotalDensity(
        members=distinct_members,
        not_members=distinct_not_members,
        not_known_named=distinct_not_known_named,
        workforce=workforce,
        member_range=PeopleRange(low=members_low, high=max(members_low, members_high)),
        fraction_range=fraction_range,
        confirmed_fraction=confirmed_fraction,
        no_density=no_density,
        counted_places=int(sums.counted_places),
        all_places=int(sums.places),
        counted_members=sums.counted_members,
        all_members=sums.all_members,
        stale_places=int(sums.stale_places),
    )


def is_small(workforce: Workforce) -> bool:
    """Whether fewer than 10 people work there, by the best count, or the highest without one."""
    size = workforce.high if workforce.best is None else workforce.best
    return size < FEWEST_FOR_PERCENT


def _raised(workforce: Workforce, people: float) -> Workforce:
    best = workforce.best
    return Workforce(
        low=workforce.low,
        best=None if best is None else max(best, people),
        high=max(workforce.high, people),
    )


def confirmed(members: float, best: float | None) -> float | None:
    """Return members ÷ the best headcount; None without one above 0, or with more members."""
    # A rounded statement can exceed the best headcount; a share above 1 is no reading at all.
    if not best or members > best:
        return None
    return members / best


def _share(members: float, workers: float) -> float:
    # With a lowest count of 0 any share is possible as soon as one person could be a member.
    if workers == 0:
        return 1.0 if members > 0 else 0.0
    return min(1.0, members / workers)


def _highest_share(could_be: float, named: float, workforce: Workforce) -> float:
    return _highest_total_share(
        could_be=could_be,
        named=named,
        named_ends=(workforce.low, workforce.high),
        stated_members=0.0,
        stated_low=0.0,
    )


def _highest_total_share(
    *,
    could_be: float,
    named: float,
    named_ends: tuple[float, ...],
    stated_members: float,
    stated_low: float,
) -> float:
    # More workers at places with a stated count only lower the share, so their low end is used.
    # At the other places the share first falls and then rises or stays, so one end is highest.
    return max(
        _share(stated_members + could_be + max(0.0, end - named), stated_low + end)
        for end in named_ends
    )


def _check_distinct(distinct: float, summed: float) -> None:
    # Weighted survey people are floats, so the same sum in another order may differ a little.
    if distinct < 0 or (distinct > summed and not math.isclose(distinct, summed)):
        raise ValueError("People counted once are from 0 to the sum over the places.")
