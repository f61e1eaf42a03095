"""One row of a table of densities: what the screen, the files and pandas are all made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from crm.domain.bases import PARTS, Roster
from crm.domain.density import Density, Known, NoDensity, Range, TotalDensity
from crm.domain.headcount import Workforce
from crm.domain.numbers import percent_text, round_half_up

FRACTION_PLACES = 6


class RowNote(StrEnum):
    """What a reader must know of a row."""

    COUNT_THE_WORKERS = "count_the_workers"
    MORE_THAN_HEADCOUNT = "more_than_headcount"
    FEWER_THAN_10 = "fewer_than_10"
    STATED_COUNT = "stated_count"
    STATED_ROUNDED = "stated_rounded"
    HEADCOUNT_ROUNDED = "headcount_rounded"


class NoChange(StrEnum):
    """Why the members of two days are not taken from each other.

    OTHER_PLACES: they are not of the same places. STATED_ONCE: at some of them a union stated its
    members on one of the days alone. PART: they are those who surely belong to a part
    of the workers, and more of them may only mean that somebody's employer was written down.
    OTHER_LIST: each day has the list of its own ballot. NOT_THERE: the row has no places on the
    day it is compared with.
    """

    OTHER_PLACES = "other_places"
    STATED_ONCE = "stated_once"
    PART = "part"
    OTHER_LIST = "other_list"
    NOT_THERE = "not_there"


@dataclass(frozen=True, slots=True)
class DensityRow:
    """The density of one place, of a group of places, or of all of them together.

    row: `place` or `total`. by: what the rows stand for, such as `workplace`. basis: what the
    headcount counts. union: the union's name, or `any`. place_id: public id, empty for a row
    that is no place ("no branch"). place, place_detail: names, may be empty.

    members: people known to be members, by name or stated; members_low: the fewest there can be,
    which differs only for a rounded statement; members_high: the most.
    not_members, not_known_named: people named. not_named_low, not_named_high: workers we cannot
    name. workers_low, workers_best, workers_high: the workforce used. All are of the places with
    a headcount, everybody once; of a row without any, they are of all its places. None: not known.
    low_fraction, high_fraction, confirmed_fraction: of 1, rounded half up to 6 places.
    low_percent, high_percent: whole per cents as text, each rounded once from the exact fraction.
    None with the reason in no_density; also None when fewer than 10 people work there.
    places, places_counted: how many, and how many of them have a headcount.
    members_left_out: members only at the places without a headcount.
    perhaps_members, perhaps_not_members, perhaps_not_known: of a part of those who work there, the
    people named of whom nobody wrote down whether they belong to it; members, not_members and
    not_known_named are then those who surely belong. None: everybody who works there counts.
    headcount_on, headcount_source: of the headcount used; for several the oldest day, and the
    source if they share one.
    compared_with: the other day, where there is one. members_change: how many more members than on
    that day; None without one, and when no_change says why it cannot be told.
    """

    row: str
    as_at: date
    by: str
    basis: str
    union: str
    place_id: str
    place: str
    place_detail: str
    members: float
    members_low: float
    members_high: float | None
    not_members: float
    not_known_named: float
    not_named_low: float | None
    not_named_high: float | None
    workers_low: float | None
    workers_best: float | None
    workers_high: float | None
    low_fraction: float | None
    high_fraction: float | None
    confirmed_fraction: float | None
    low_percent: str | None
    high_percent: str | None
    no_density: NoDensity | None
    places: int
    places_counted: int
    members_left_out: float
    perhaps_members: int | None
    perhaps_not_members: int | None
    perhaps_not_known: int | None
    headcount_on: date | None
    headcount_source: str | None
    notes: tuple[RowNote, ...]
    compared_with: date | None = None
    members_change: float | None = None
    no_change: NoChange | None = None

    @property
    def perhaps(self) -> int | None:
        """The people named of whom it is not known whether they belong; None as above."""
        if self.perhaps_members is None:
            return None
        return (
            self.perhaps_members + (self.perhaps_not_members or 0) + (self.perhaps_not_known or 0)
        )

    @property
    def is_small(self) -> bool:
        """Whether to say `6 of 9` and no percentage."""
        return RowNote.FEWER_THAN_10 in self.notes


@dataclass(frozen=True, slots=True)
class HeadcountFact:
    """What a row tells of one headcount it was made with."""

    on_day: date
    source: str
    rounded: bool


@dataclass(frozen=True, slots=True)
class Heading:
    """What a row is about: see the fields of the same names in DensityRow."""

    row: str
    as_at: date
    by: str
    basis: str
    union: str
    place_id: str = ""
    place: str = ""
    place_detail: str = ""


def density_row(
    heading: Heading,
    figure: TotalDensity,
    parts: Sequence[Density],
    *,
    named: tuple[int, int, int],
    perhaps: Known | None = None,
    headcounts: Sequence[HeadcountFact],
    stated_rounded: bool,
) -> DensityRow:
    """Return the row for the places in `parts`, whose total is `figure`.

    named: members, not members and not known on the lists of all the places, each person once.
    perhaps: those of whom it is not known whether they belong, of all the places, each once.
    headcounts: those used. stated_rounded: whether a member count among them was rounded.
    """
    counted = [part for part in parts if part.workforce_used is not None]
    shown = counted or list(parts)
    stated_extra = sum(part.members_known - part.members for part in shown)
    members_high: float | None
    if counted:
        members, not_members, not_known = (
            figure.members,
            figure.not_members,
            figure.not_known_named,
        )
        members_low = figure.member_range.low
        members_high = figure.member_range.high
    else:
        members, not_members, not_known = named
        members_low = members + sum(part.member_range.low - part.members for part in parts)
        # With the workers not counted there may be any number of members we cannot name.
        members_high = None
    members_known = members + stated_extra
    all_extra = sum(part.members_known - part.members for part in parts)
    may_belong = figure.perhaps if counted else perhaps
    used: Workforce | None = figure.workforce
    low, high = _percents(figure)
    return DensityRow(
        row=heading.row,
        as_at=heading.as_at,
        by=heading.by,
        basis=heading.basis,
        union=heading.union,
        place_id=heading.place_id,
        place=heading.place,
        place_detail=heading.place_detail,
        members=members_known,
        members_low=members_low,
        members_high=members_high,
        not_members=not_members,
        not_known_named=not_known,
        not_named_low=_not_named(counted, high_end=False),
        not_named_high=_not_named(counted, high_end=True),
        workers_low=used.low if used else None,
        workers_best=used.best if used else None,
        workers_high=used.high if used else None,
        low_fraction=_fraction(figure.fraction_range.low if figure.fraction_range else None),
        high_fraction=_fraction(figure.fraction_range.high if figure.fraction_range else None),
        confirmed_fraction=_fraction(figure.confirmed_fraction),
        low_percent=low,
        high_percent=high,
        no_density=figure.no_density,
        places=figure.all_places,
        places_counted=figure.counted_places,
        members_left_out=(named[0] + all_extra) - members_known if counted else 0,
        perhaps_members=may_belong.members if may_belong else None,
        perhaps_not_members=may_belong.not_members if may_belong else None,
        perhaps_not_known=may_belong.not_known if may_belong else None,
        headcount_on=min((one.on_day for one in headcounts), default=None),
        headcount_source=_shared_source(headcounts),
        notes=_notes(figure, shown, headcounts, stated_rounded=stated_rounded),
    )


def compared(
    now: DensityRow,
    then: DensityRow | None,
    *,
    day: date,
    same_places: bool,
    same_statements: bool,
) -> DensityRow:
    """Return the row of the later day with how its members changed since `day`, or why not.

    then: the row of the same thing on that day; None when it has no places then. same_places:
    whether the members of both are of the very same places; same_statements: whether a union stated
    its members at the same of them on both days. A sum is of the places with a
    headcount: if one place gets a headcount and another loses its own, there are as many of them,
    and the members are still of other places. Those on a saved list are counted by name, wherever
    they work.
    """
    reason: NoChange | None = None
    if now.basis in PARTS:
        reason = NoChange.PART
    elif now.basis == Roster.BALLOT:
        reason = NoChange.OTHER_LIST
    elif then is None:
        reason = NoChange.NOT_THERE
    elif now.basis != Roster.LIST and not same_places:
        reason = NoChange.OTHER_PLACES
    elif now.basis != Roster.LIST and not same_statements:
        reason = NoChange.STATED_ONCE
    change = None if reason is not None or then is None else now.members - then.members
    return replace(now, compared_with=day, members_change=change, no_change=reason)


def _stated(part: Density) -> bool:
    """Whether a union's own count went into the figure."""
    return part.stated is not None or (part.part is not None and part.part.stated is not None)


def _percents(figure: TotalDensity) -> tuple[str | None, str | None]:
    found: Range | None = figure.fraction_range
    if found is None or figure.show_as_count:
        return None, None
    return percent_text(found.low, 0), percent_text(found.high, 0)


def _fraction(value: float | None) -> float | None:
    return None if value is None else float(round_half_up(value, FRACTION_PLACES))


def _not_named(counted: Sequence[Density], *, high_end: bool) -> float | None:
    ranges = [part.not_named for part in counted if part.not_named is not None]
    if not ranges:
        return None
    return sum(one.high if high_end else one.low for one in ranges)


def _shared_source(headcounts: Sequence[HeadcountFact]) -> str | None:
    sources = {one.source for one in headcounts}
    if not sources:
        return None
    return sources.pop() if len(sources) == 1 else "several"


def _notes(
    figure: TotalDensity,
    shown: Sequence[Density],
    headcounts: Sequence[HeadcountFact],
    *,
    stated_rounded: bool,
) -> tuple[RowNote, ...]:
    found = {
        RowNote.COUNT_THE_WORKERS: figure.is_wide,
        RowNote.MORE_THAN_HEADCOUNT: figure.stale_places > 0,
        RowNote.FEWER_THAN_10: figure.show_as_count,
        RowNote.STATED_COUNT: any(_stated(part) for part in shown),
        RowNote.STATED_ROUNDED: stated_rounded,
        RowNote.HEADCOUNT_ROUNDED: any(one.rounded for one in headcounts),
    }
    return tuple(note for note, holds in found.items() if holds)
