"""The figure of each place on each day, and their totals: by columns over places and days.

Most places do not change from one month to the next, and many are alike: each different figure is
worked out once. All totals, of a table as of a trend, add up the same columns in the same way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from crm.analysis.people_counts import Counted, Often
from crm.domain.bases import (
    Basis,
    Repeats,
    Roster,
    part_figure,
    shares_of,
    total_of_named,
    total_on_basis,
)
from crm.domain.density import (
    Density,
    Known,
    StatedMembers,
    Sums,
    TotalDensity,
    density,
    sums_of_one,
)
from crm.domain.headcount import Workforce, rounding_interval, workforce_from
from crm.reads.density_places import Site, headcount_of, newest_statement
from crm.reads.density_question import HeadcountUsed, NamedPeople, Part, StatedUsed

_Numbers: TypeAlias = npt.NDArray[np.int32]
_NONE: Final = -1
# Workforces are sums of estimates and may be fractions of people; all else counts or adds people.
_FRACTIONS: Final = {"low", "best", "high", "named_low", "named_high", "stated_low"}


class _Dated(Protocol):
    @property
    def on_day(self) -> date: ...


_Row = TypeVar("_Row", bound=_Dated)
_Worth = TypeVar("_Worth")


@dataclass(frozen=True, slots=True)
class Picked(Generic[_Row, _Worth]):
    """Which row of each place holds on each day, and what it comes to.

    at: by day and place, the number of a row, or -1. worth: by row, the number of what it comes
    to; worths: what that is. Many rows come to the same.
    """

    rows: list[_Row]
    at: _Numbers
    worth: _Numbers
    worths: list[_Worth]

    def worth_at(self) -> _Numbers:
        """Return by day and place the number of what the row comes to; -1 where there is none."""
        return np.append(self.worth, np.int32(_NONE))[self.at]

    def row(self, day: int, place: int) -> _Row | None:
        """Return the row of a place on a day."""
        number = self.at[day, place]
        return None if number == _NONE else self.rows[number]


def _picked(
    by_place: Mapping[int, Sequence[_Row]],
    sites: Sequence[Site],
    days: Sequence[date],
    newest: Callable[[Sequence[_Row], date], _Row | None],
    worth: Callable[[_Row], _Worth],
    alike: Callable[[_Row], object],
) -> Picked[_Row, _Worth]:
    at = np.full((len(days), len(sites)), _NONE, np.int32)
    rows: list[_Row] = []
    for place, site in enumerate(sites):
        known = by_place.get(site.place_id, ())
        # Another row can hold only from a day on which one begins.
        for begin in sorted({bisect_left(days, row.on_day) for row in known}):
            if begin < len(days):
                found = known[0] if len(known) == 1 else newest(known, days[begin])
                if found is not None:
                    at[begin:, place] = len(rows)
                    rows.append(found)
    numbers: dict[object, int] = {}
    worths: list[_Worth] = []
    worth_of = []
    for row in rows:
        number = numbers.setdefault(alike(row), len(worths))
        if number == len(worths):
            worths.append(worth(row))
        worth_of.append(number)
    return Picked(rows, at, np.array(worth_of, np.int32), worths)


Headcounts: TypeAlias = Picked[HeadcountUsed, Workforce | None]
Statements: TypeAlias = Picked[StatedUsed, StatedMembers]


def pick_headcounts(
    estimates: Mapping[int, Sequence[HeadcountUsed]],
    sites: Sequence[Site],
    days: Sequence[date],
    counts: Basis,
) -> Headcounts:
    """Return the headcount of each place that holds on each of the days, which are in order."""
    return _picked(
        estimates,
        sites,
        days,
        newest=lambda rows, day: headcount_of(rows, day, counts),
        worth=_workforce,
        alike=lambda row: (row.low, row.best, row.high, row.rounded_to),
    )


def pick_statements(
    statements: Mapping[int, Sequence[StatedUsed]], sites: Sequence[Site], days: Sequence[date]
) -> Statements:
    """Return the member count of each place that holds on each of the days, which are in order."""
    return _picked(
        statements,
        sites,
        days,
        newest=newest_statement,
        worth=_stated,
        alike=lambda row: (row.members, row.rounded_to),
    )


@dataclass(frozen=True, slots=True)
class Bottom:
    """What people are held against. of_sites: the headcounts of everybody at each place, when a
    part of them is asked for. roster: the sort of list that everybody counted stands on; None = a
    headcount counts them."""

    picked: Headcounts
    of_sites: Headcounts | None = None
    roster: Roster | None = None


class DayFigures:
    """The figures of the sites on each of the days, of one union or of any."""

    def __init__(
        self,
        sites: Sequence[Site],
        days: Sequence[date],
        people: Counted,
        bottom: Bottom,
        stated: Statements,
    ) -> None:
        self._sites = sites
        self._days = days
        self._people = people
        self._bottom = bottom
        self._stated = stated
        self._ids = np.array([site.place_id for site in sites], np.int64)
        self._closed = np.array([(site.closed_on or date.max).toordinal() for site in sites])
        self._at = people.at(self._ids)
        self._densities: list[Density] = []
        # Which of the densities each place has, by day and place.
        self._figure = np.zeros((len(days), len(sites)), np.int32)
        self._work_out()
        self._ones: dict[int, tuple[TotalDensity, NamedPeople]] = {}
        self._sums = np.array([sums_of_one(one) for one in self._densities], np.float64).reshape(
            -1, len(Sums._fields)
        )
        self._named = np.array([_people_in(one) for one in self._densities], np.int64).reshape(
            -1, 6
        )
        self._counted = np.array([one.workforce_used is not None for one in self._densities], bool)

    def parts(self, day: date) -> list[Part]:
        """Return the figure of each place that is measured on the day, by name of the place."""
        number = bisect_left(self._days, day)
        return [
            self._part(number, place, self._densities[figure])
            for place, figure in self._measured(number)
        ]

    def total(self, day: date) -> tuple[TotalDensity, NamedPeople]:
        """Return the figure of all places together, and everybody on the list at them."""
        number = bisect_left(self._days, day)
        [found] = self._together(number, [np.flatnonzero(self._is_measured(number))])
        return found

    def ways_counted(self, day: date) -> bytes:
        """Return which places the total of the day is the sum of, and at which of them a union
        stated its members: equal on two days when all are the very same, and good for nothing
        else."""
        number = bisect_left(self._days, day)
        counted = self._counted[self._figure[number]] & self._is_measured(number)
        stated = counted & (self._stated.at[number] != _NONE)
        return np.packbits([counted, stated]).tobytes()

    def totals(
        self, day: date, groups: Sequence[Sequence[int]]
    ) -> list[tuple[TotalDensity, NamedPeople]]:
        """Return the same of some of the places. groups: their numbers in parts() of the day."""
        number = bisect_left(self._days, day)
        here = np.flatnonzero(self._is_measured(number))
        figure = self._figure[number, here].tolist()
        several = iter(
            self._together(number, [here[list(group)] for group in groups if len(group) != 1])
        )
        return [
            self._of_one(figure[group[0]]) if len(group) == 1 else next(several) for group in groups
        ]

    def _is_measured(self, number: int) -> npt.NDArray[np.bool_]:
        """Where the place was open. Where nobody stands on a list of names, there is nothing to
        measure."""
        is_open: npt.NDArray[np.bool_] = self._closed > self._days[number].toordinal()
        if self._bottom.roster is None:
            return is_open
        on_list: npt.NDArray[np.bool_] = self._at[number].any(axis=0)
        return is_open & on_list

    def _measured(self, number: int) -> list[tuple[int, int]]:
        here = np.flatnonzero(self._is_measured(number))
        return list(zip(here.tolist(), self._figure[number, here].tolist(), strict=True))

    def _part(self, number: int, place: int, figure: Density) -> Part:
        site = self._sites[place]
        return Part(
            place_id=site.place_id,
            public_id=site.public_id,
            name=site.name,
            workplace_name=site.workplace_name,
            employer_id=site.employer_id,
            region_id=site.region_id,
            sector=site.sector,
            industry=site.industry,
            density=figure,
            headcount=self._bottom.picked.row(number, place),
            stated=self._stated.row(number, place),
        )

    # Densities

    def _work_out(self) -> None:
        """Give each place on each day its figure; each different one is worked out once."""
        of_sites = self._bottom.of_sites
        worths = [self._bottom.picked.worth_at(), self._stated.worth_at()]
        if of_sites is not None:
            worths.append(of_sites.worth_at())
        seen: dict[tuple[int, ...], int] = {}
        before: npt.NDArray[Any] | None = None
        for number in range(len(self._days)):
            keys = np.vstack([*(worth[number] for worth in worths), *self._at[number]])
            if before is None:
                changed = np.arange(len(self._ids))
            else:
                self._figure[number] = self._figure[number - 1]
                changed = np.flatnonzero((keys != before).any(axis=0))
            before = keys
            for place, key in zip(changed.tolist(), keys[:, changed].T.tolist(), strict=True):
                found = seen.get(tuple(key))
                if found is None:
                    found = seen[tuple(key)] = len(self._densities)
                    self._densities.append(self._density(key[: len(worths)], key[len(worths) :]))
                self._figure[number, place] = found

    def _density(self, worths: list[int], people: list[int]) -> Density:
        """Work out one figure. worths: the numbers of what the headcount, the statement, and of
        parts the headcount of the place come to. people: by kind, as Counted has them."""
        members, not_members, not_known = people[:3]
        workforce = None if worths[0] == _NONE else self._bottom.picked.worths[worths[0]]
        stated = None if worths[1] == _NONE else self._stated.worths[worths[1]]
        if self._bottom.of_sites is not None:
            return part_figure(
                Known(members, not_members, not_known),
                Known(*people[3:6]),
                Known(*people[6:9]),
                workforce,
                None if worths[2] == _NONE else self._bottom.of_sites.worths[worths[2]],
                stated,
            )
        if self._bottom.roster is not None:
            named = members + not_members + not_known
            workforce, stated = Workforce.exactly(named) if named else None, None
        return density(
            members=members,
            not_members=not_members,
            not_known_named=not_known,
            workforce=workforce,
            stated=stated,
        )

    # Totals

    def _of_one(self, figure: int) -> tuple[TotalDensity, NamedPeople]:
        """Return the figure of one place. Many places are alike, and nobody is at two of one."""
        found = self._ones.get(figure)
        if found is None:
            one = self._densities[figure]
            named = _people_in(one)
            found = self._ones[figure] = self._made(
                sums_of_one(one),
                counted=[figure] if self._counted[figure] else [],
                once=named if self._counted[figure] else (0,) * 6,
                repeats=Repeats(),
                named=named,
            )
        return found

    def _together(
        self, number: int, groups: Sequence[npt.NDArray[np.intp]]
    ) -> list[tuple[TotalDensity, NamedPeople]]:
        """Return the figure of each group of places; people at several of them are taken once."""
        figures = [self._figure[number, group] for group in groups]
        counted = [
            group[self._counted[figure]] for group, figure in zip(groups, figures, strict=True)
        ]
        everywhere, where_counted = (self._too_often(number, of) for of in (groups, counted))
        return [
            self._made(
                _sums(self._sums[figure].sum(axis=0)),
                counted=figure[self._counted[figure]].tolist(),
                once=self._once(figure[self._counted[figure]], where_counted, at),
                repeats=Repeats(int(where_counted.members[at]), int(where_counted.not_members[at])),
                named=self._once(figure, everywhere, at),
            )
            for at, figure in enumerate(figures)
        ]

    def _too_often(self, number: int, groups: Sequence[npt.NDArray[np.intp]]) -> Often:
        """Return how many times too often people are counted in each group."""
        nothing = np.zeros(0, np.intp)
        return self._people.too_often(
            number,
            self._ids[np.concatenate([nothing, *groups])],
            np.repeat(np.arange(len(groups)), [len(group) for group in groups]),
            len(groups),
        )

    def _once(self, figure: _Numbers, often: Often, at: int) -> list[int]:
        """Return the people at some places by kind, as _people_in has them, each counted once."""
        people = self._named[figure].sum(axis=0)
        people[: len(often.kinds)] -= often.kinds[:, at]
        found: list[int] = people.tolist()
        return found

    def _made(
        self,
        sums: Sums,
        *,
        counted: Sequence[int],
        once: Sequence[int],
        repeats: Repeats,
        named: Sequence[int],
    ) -> tuple[TotalDensity, NamedPeople]:
        """Put a total together. counted: the figures of the places with a workforce; once: their
        people by kind; named: those of all the places."""
        surely, perhaps = Known(*once[:3]), Known(*once[3:])
        of_parts = self._bottom.of_sites is not None and sums.places > 0
        if self._bottom.roster is not None:
            total = total_of_named(sums, surely)
        else:
            total = total_on_basis(
                sums,
                surely=surely,
                shares=shares_of(map(self._densities.__getitem__, counted)) if of_parts else None,
                perhaps=perhaps,
                repeats=repeats,
            )
        members, not_members, not_known, *others = named
        return total, NamedPeople(
            members, not_members, not_known, perhaps=Known(*others) if of_parts else None
        )


def _people_in(figure: Density) -> tuple[int, ...]:
    """Return the people of a place who surely belong, and who perhaps do: members, not members,
    not known."""
    perhaps = Known() if figure.part is None else figure.part.perhaps
    return (
        int(figure.members),
        int(figure.not_members),
        int(figure.not_known_named),
        perhaps.members,
        perhaps.not_members,
        perhaps.not_known,
    )


def _sums(column_sums: npt.NDArray[np.float64]) -> Sums:
    found = Sums(*column_sums.tolist())
    return found._replace(
        **{
            name: int(value)
            for name, value in zip(Sums._fields, found, strict=True)
            if name not in _FRACTIONS and value == int(value)
        }
    )


def _workforce(used: HeadcountUsed) -> Workforce | None:
    found = workforce_from(used)
    if found is None or not used.rounded_to:
        return found
    # Both ends were rounded by the source, so each may be half a step further out.
    return replace(
        found,
        low=rounding_interval(found.low, used.rounded_to)[0],
        high=rounding_interval(found.high, used.rounded_to)[1],
    )


def _stated(used: StatedUsed) -> StatedMembers:
    if used.rounded_to:
        return StatedMembers.rounded(used.members, used.rounded_to)
    return StatedMembers.exactly(used.members)
