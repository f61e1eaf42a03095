"""Members among a part of those who work at a place, when we do not know who belongs to it.

The employer's own staff or a bargaining unit has its own headcount, but for many people nobody has
written down whether they belong. So the members of the part are bounded: by those who surely
belong, and by how many of the others can lie outside it. Nothing is guessed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias

from crm.domain.density import (
    Density,
    Known,
    NoDensity,
    PartOf,
    PeopleRange,
    Range,
    StatedMembers,
    Sums,
    TotalDensity,
    confirmed,
    density,
    sums_of,
    total,
)
from crm.domain.headcount import Counts, Workforce


class Roster(StrEnum):
    """People counted by name, where everybody counted stands on a list.

    BALLOT: those entitled by the list that was made for a ballot. LIST: those on a saved list.
    """

    BALLOT = "ballot"
    LIST = "list"


# Whom a density counts: a headcount of some of them, or a list of names.
Basis: TypeAlias = Counts | Roster
# The bases that somebody can choose for everybody at their places.
CHOSEN: Final[tuple[Basis, ...]] = (
    Counts.SITE_ALL,
    Counts.EMPLOYER_DIRECT,
    Counts.BARGAINING_UNIT,
    Roster.BALLOT,
)
# The bases that count only a part of those who work at a place.
PARTS: Final = frozenset({Counts.EMPLOYER_DIRECT, Counts.BARGAINING_UNIT})
_NOBODY: Final = Known()


def basis_of(word: str) -> Basis:
    """Return the basis of CHOSEN with this name, such as `site_all`; ValueError for any other."""
    for one in CHOSEN:
        if one.value == word:
            return one
    raise ValueError(f"There is no basis {word}.")


@dataclass(frozen=True, slots=True)
class Repeats:
    """How many times too often people are counted when places are added up.

    members: those who surely or perhaps belong to several of the parts. not_members: the same, of
    people known to be none.
    """

    members: int = 0
    not_members: int = 0


_NO_REPEATS: Final = Repeats()


@dataclass(frozen=True, slots=True)
class PartDensity:
    """Members of a part of one place. members: how many there can be. workers: of the part, raised
    to the people who surely belong; share: their share, a range that holds the truth."""

    members: PeopleRange
    workers: Workforce
    share: Range


def part_density(
    surely: Known,
    perhaps: Known,
    part: Workforce,
    site: Workforce | None,
    *,
    outside: Known = _NOBODY,
    stated: StatedMembers | None = None,
) -> PartDensity | None:
    """Return the density of a part of a place; None when nobody belongs to it.

    surely, perhaps, outside: people named who belong, of whom it is not known, and who do not.
    part, site: how many work in the part and at the whole place; site None = not known. stated:
    members a union says it has at the whole place, without names.

    Outside the part are at most site.high - part.low workers, so of the people who perhaps belong
    all but so many do, less those known to be outside. Low: members who surely belong, and those
    of the others (or of the members stated) who cannot all lie outside, ÷ the highest count. High,
    at each possible size of the part: everybody in it who is not known to be no member, but not
    more than there are such people. The truth lies inside when what we know of people is right,
    the statement is right, and both headcounts hold. Where the list names more people than a
    headcount, or more members than a statement, that is raised to them, as density() does; and the
    headcount of the place to the part with those outside it, and to the members stated.
    """
    high_end = max(part.high, float(surely.people))
    if high_end <= 0:
        return None
    low_end = min(max(part.low, float(surely.people)), high_end)
    named = surely.people + perhaps.people + outside.people
    whole = (
        math.inf
        if site is None
        else max(
            site.high,
            high_end,
            float(named),
            low_end + outside.people,
            0.0 if stated is None else stated.low,
        )
    )
    room = max(0.0, whole - low_end - outside.people)
    least = surely.members + max(0.0, perhaps.members - room)
    if stated is not None:
        least = max(least, stated.low - max(0.0, whole - low_end - outside.not_members))
    least = min(least, high_end)
    surely_not = surely.not_members + max(0.0, perhaps.not_members - room)
    could = whole - named + surely.could_be + perhaps.could_be
    if stated is not None:
        members_named = surely.members + perhaps.members + outside.members
        could = min(could, max(least, max(stated.high, members_named) - outside.members))
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
        workers=Workforce(low=low_end, best=_best(part.best, low_end, high_end), high=high_end),
        share=Range(low=min(1.0, low), high=max(min(1.0, low), share)),
    )


def part_figure(
    surely: Known,
    perhaps: Known,
    outside: Known,
    part: Workforce | None,
    site: Workforce | None,
    stated: StatedMembers | None = None,
) -> Density:
    """Return the density of a part of one place with everything it was made from.

    The arguments are those of part_density; part None: nobody has counted the workers of the part,
    so there is no density. Of the figure, the people named are those who surely belong.
    """
    of = PartOf(perhaps=perhaps, outside=outside, site=site, stated=stated)
    found = (
        None
        if part is None
        else part_density(surely, perhaps, part, site, outside=outside, stated=stated)
    )
    if found is None:
        could_be = surely.could_be + perhaps.could_be
        members = PeopleRange(low=surely.members, high=could_be if part is None else 0)
        used, not_named = part, None if part is None else PeopleRange(low=0, high=0)
    else:
        members, used = found.members, found.workers
        not_named = PeopleRange(
            low=max(0.0, used.low - surely.people - perhaps.people),
            high=max(0.0, used.high - surely.people),
        )
    return Density(
        members=surely.members,
        not_members=surely.not_members,
        not_known_named=surely.not_known,
        stated=None,
        workforce=part,
        workforce_used=used,
        member_range=members,
        not_named=not_named,
        fraction_range=None if found is None else found.share,
        confirmed_fraction=None
        if found is None or used is None
        else confirmed(surely.members, used.best),
        no_density=NoDensity.WORKFORCE_UNKNOWN
        if part is None
        else None
        if found
        else NoDensity.NO_WORKERS,
        part=of,
    )


def total_density(
    parts: Iterable[Density],
    *,
    surely: Known,
    perhaps: Known = _NOBODY,
    repeats: Repeats = _NO_REPEATS,
) -> TotalDensity:
    """Return the density of several places together on any basis: sum over sum.

    parts: one Density for each place, on the same day and basis. surely: the people named at the
    places with a workforce, each once. On the basis of a part these are those who surely belong;
    perhaps: those of whom it is not known, each once; repeats: how many times too often people
    of either sort are counted when the places are added up.
    Of whole places see total() of crm/domain/density.py. Of parts, the fewest members are taken as
    if everybody at two places belonged to both parts, and the most as if they were two people; but
    whoever is known to be no member is taken off the workers as often as they may be in them too
    often. So it holds the truth, of members each once out of workers each once.
    """
    every = tuple(parts)
    return total_on_basis(
        sums_of(every),
        surely=surely,
        shares=shares_of(every) if any(one.part for one in every) else None,
        perhaps=perhaps,
        repeats=repeats,
    )


def shares_of(parts: Iterable[Density]) -> list[PartDensity]:
    """Return the density of each part of a place that has one."""
    return [
        PartDensity(one.member_range, one.workforce_used, one.fraction_range)
        for one in parts
        if one.workforce_used is not None and one.fraction_range is not None
    ]


def total_on_basis(
    sums: Sums,
    *,
    surely: Known,
    shares: Sequence[PartDensity] | None = None,
    perhaps: Known = _NOBODY,
    repeats: Repeats = _NO_REPEATS,
) -> TotalDensity:
    """Return total_density() of places that were added up already; it explains the arguments.

    shares: of parts, that of each place that has one; None: of whole places.
    """
    if shares is None:
        return total(
            sums,
            distinct_members=surely.members,
            distinct_not_members=surely.not_members,
            distinct_not_known_named=surely.not_known,
        )
    workforce = sums.workforce
    low = max(surely.members, sums.member_low - repeats.members)
    return TotalDensity(
        members=surely.members,
        not_members=surely.not_members,
        not_known_named=surely.not_known,
        workforce=workforce,
        member_range=PeopleRange(low=low, high=max(low, sums.member_high)),
        fraction_range=together(shares, least=low, too_often=repeats.not_members),
        confirmed_fraction=None if workforce is None else confirmed(surely.members, workforce.best),
        no_density=NoDensity.WORKFORCE_UNKNOWN
        if workforce is None
        else None
        if shares
        else NoDensity.NO_WORKERS,
        counted_places=int(sums.counted_places),
        all_places=int(sums.places),
        # Of a part no union states its members apart, so these are the people named.
        counted_members=sums.counted_members,
        all_members=sums.all_members,
        stale_places=int(sums.stale_places),
        perhaps=perhaps,
    )


def total_of_named(sums: Sums, people: Known) -> TotalDensity:
    """Return the density of people on a list of names (a Roster) at several places together.

    sums: of the density of those on the list at each place. people: all of them, each once.
    They are known by name, so the bottom is how many people they are, however many jobs they have.
    """
    summed = total_on_basis(sums, surely=people)
    one = density(
        members=people.members,
        not_members=people.not_members,
        not_known_named=people.not_known,
        workforce=Workforce.exactly(people.people) if people.people else None,
    )
    return replace(
        summed,
        workforce=one.workforce_used,
        member_range=one.member_range,
        fraction_range=one.fraction_range,
        confirmed_fraction=one.confirmed_fraction,
        no_density=one.no_density,
    )


def together(
    parts: Sequence[PartDensity], *, least: float | None = None, too_often: int = 0
) -> Range | None:
    """Return the share over several places: sum over sum, as a range; None without any.

    least: the fewest members of all together, when it is less than the sum, because some of them
    are at two places. too_often: how many workers who are no members may be in the sum twice. The
    highest is sought over all sizes the places can have: the places with the greatest share as
    large, and the others as small as they can be.
    """
    if not parts:
        return None
    fewest = sum(one.members.low for one in parts) if least is None else least
    ordered = sorted(parts, key=lambda one: -one.share.high)
    workers = sum(one.workers.low for one in ordered) - too_often
    members = sum(one.share.high * one.workers.low for one in ordered)
    most = members / workers if workers > 0 else 1.0
    for one in ordered:
        workers += one.workers.high - one.workers.low
        members += one.share.high * (one.workers.high - one.workers.low)
        most = max(most, members / workers if workers > 0 else 1.0)
    low = min(1.0, fewest / sum(one.workers.high for one in parts))
    return Range(low=low, high=max(low, min(1.0, most)))


def _best(best: float | None, low: float, high: float) -> float | None:
    return None if best is None else min(max(best, low), high)
