"""How many people are at each place on each of some days, counted by columns.

Jobs and what is said of membership come as columns of whole numbers. The days asked for are
numbered, and the days on which something holds are a bit mask: bit 0 is the first day. Somebody
with several jobs counts once at each place, and over several places once: ``Counted.too_often``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[np.integer]
Bools: TypeAlias = npt.NDArray[np.bool_]

# Whether a job surely belongs to those who are counted, perhaps, or not. The greatest wins.
SURELY: Final = 2
PERHAPS: Final = 1
OUTSIDE: Final = 0
_BELONG: Final = (SURELY, PERHAPS, OUTSIDE)
# Kinds of people at a place: of each way to belong the members, not members and not known.
_KINDS: Final = 9

# A mask is a whole number of 64 bits with a sign.
_DAYS_AT_ONCE: Final = 60


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of days of people, as columns of one length.

    people: any whole number that stands for a person. first, after: the number of the first day,
    and of the day after the last; none where first is not below after.
    """

    people: Numbers
    first: Numbers
    after: Numbers

    def of(self, chosen: Bools) -> Runs:
        """Return those chosen."""
        return Runs(self.people[chosen], self.first[chosen], self.after[chosen])


@dataclass(frozen=True)
class Jobs:
    """Jobs of people: their days, and in columns of the same length where, and how they belong
    (a column, or one number for all of them)."""

    runs: Runs
    places: Numbers
    belongs: Numbers | int

    def of(self, chosen: Bools) -> Jobs:
        """Return those chosen."""
        belongs = self.belongs if isinstance(self.belongs, int) else self.belongs[chosen]
        return Jobs(self.runs.of(chosen), self.places[chosen], belongs)

    def belonging(self, belongs: int) -> Jobs:
        """Return the same jobs, all of which belong in one way."""
        found = Jobs(self.runs, self.places, belongs)
        # Who has a job where is the same: it takes longer than all the rest.
        found.__dict__["pairs"] = self.pairs
        return found

    @cached_property
    def pairs(self) -> Pairs:
        """Who has a job where."""
        return _pairs(self)


def no_runs() -> Runs:
    """Return runs of nobody."""
    nobody = np.zeros(0, np.int64)
    return Runs(nobody, nobody, nobody)


@dataclass(frozen=True, slots=True)
class _Several:
    """Of everybody who is at several places: a row for each place, and the days as masks.

    people, places: numbers, in the order of the people. kinds: for each kind of SURELY and PERHAPS.
    members, not_members: surely or perhaps there, and known to be one, or to be none.
    """

    people: Ints
    places: Ints
    kinds: Ints
    members: Ints
    not_members: Ints


@dataclass(frozen=True, slots=True)
class Counted:
    """The people of each day.

    places: the ids of the places with somebody on any of the days, in order. numbers: people by
    day, kind and place. The kinds are members, not members and not known of those who surely
    belong, then of those who perhaps do, and of those who do not; where everybody surely belongs,
    there are only the first three.
    """

    places: Ints
    numbers: npt.NDArray[np.int32]
    _several: tuple[_Several, ...]

    def at(self, places: Ints) -> npt.NDArray[np.int32]:
        """Return the people by day, kind and place, of these places in their order. places: ids."""
        where, known = _find(self.places, places)
        found = np.zeros((*self.numbers.shape[:2], len(places)), np.int32)
        found[:, :, known] = self.numbers[:, :, where[known]]
        return found

    def too_often(self, day: int, places: Ints, groups: Ints, how_many: int) -> Often:
        """Return how many times too often people are counted when the places of a group are added.

        places, groups: columns of one length: the id of a place and the number of a group that it
        is in, 0 to how_many - 1. A place may be in several groups, and in each of them once.
        """
        some, bit = self._several[day // _DAYS_AT_ONCE], day % _DAYS_AT_ONCE
        where, known = _find(self.places, places)
        row, group = _joined(some.places, where[known], groups[known], len(self.places))
        # By group, and in it by person, so that each person of a group is met in one run.
        order = np.argsort(group, kind="stable")
        row, group = row[order], group[order]
        person = some.people[row]
        found = np.zeros((len(some.kinds) + 2, how_many), np.int64)
        for number, mask in enumerate((*some.kinds, some.members, some.not_members)):
            then = np.flatnonzero(mask[row] >> bit & 1)
            here, whose = group[then], person[then]
            again = (here[1:] == here[:-1]) & (whose[1:] == whose[:-1])
            found[number] = np.bincount(here[1:][again], minlength=how_many)
        return Often(found[:-2], found[-2], found[-1])


@dataclass(frozen=True, slots=True)
class Often:
    """How many times too often people are counted in each group.

    kinds: by kind, of those who surely belong at several, and of those who perhaps do. members,
    not_members: of those who surely or perhaps do, and are known to be one, or to be none.
    """

    kinds: Ints
    members: Ints
    not_members: Ints


def count_people(jobs: Jobs, members: Runs, not_members: Runs, days: int) -> Counted:
    """Return the people of the days 0 to days - 1.

    members, not_members: when people are known to be one; being a member wins. Of somebody with
    several jobs at a place, the one that surely belongs wins, then the one that perhaps does.
    """
    pairs = jobs.pairs
    kinds = 3 if isinstance(jobs.belongs, int) and jobs.belongs == SURELY else _KINDS
    numbers = np.zeros((days, kinds, len(pairs.place_ids)), np.int32)
    several = []
    for start in range(0, max(days, 1), _DAYS_AT_ONCE):
        some = min(_DAYS_AT_ONCE, days - start)
        member = _of_people(pairs.people_ids, members, start, some)
        not_member = _of_people(pairs.people_ids, not_members, start, some) & ~member
        held = [_of_pairs(pairs, jobs, belongs, start, some) for belongs in _BELONG[: kinds // 3]]
        for stronger, weaker in ((0, 1), (0, 2), (1, 2)):
            if weaker < len(held):
                held[weaker] &= ~held[stronger]
        yes, no = member[pairs.person], not_member[pairs.person]
        masks = [of for mask in held for of in (mask & yes, mask & no, mask & ~(yes | no))]
        for kind, mask in enumerate(masks):
            _count(numbers[start : start + some, kind], mask, pairs.place)
        several.append(_several(pairs, masks))
    return Counted(pairs.place_ids, numbers, tuple(several))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Who has a job where, each pair once, by person. job: the pair of each job. person, place:
    of each pair, as places in the columns of ids."""

    people_ids: Ints
    place_ids: Ints
    person: Ints
    place: Ints
    job: Ints


@dataclass(frozen=True, slots=True)
class UnionsAt:
    """Members at each place, as columns: of any union, and of several; each person once. And the
    members of each union at a place that has any."""

    places: Ints
    members: Ints
    several: Ints
    union_places: Ints
    unions: Ints
    union_members: Ints


def count_unions(jobs: Jobs, members: Runs, unions: Ints, day: int) -> UnionsAt:
    """Return the members at each place on a day by union, whoever of them belongs.

    members, unions: columns of one length: somebody is a member of this union then.
    """
    pairs = jobs.pairs
    here = _together(pairs.job, _masks(jobs.runs, day, 1), len(pairs.person)).astype(bool)
    then = (members.first <= day) & (members.after > day)
    of = np.unique(np.column_stack([members.people[then], unions[then]]), axis=0)
    who, known = _find(pairs.people_ids, of[:, 0])
    who, union = who[known], of[known, 1]
    of_each = np.bincount(who, minlength=len(pairs.people_ids))
    person, place = pairs.person[here], pairs.place[here]
    row, union = _joined(person, who, union, len(pairs.people_ids))
    width = int(unions.max(initial=0)) + 1
    at, number = np.unique(place[row] * width + union, return_counts=True)
    wide = len(pairs.place_ids)
    return UnionsAt(
        places=pairs.place_ids,
        members=np.bincount(place[of_each[person] > 0], minlength=wide),
        several=np.bincount(place[of_each[person] > 1], minlength=wide),
        union_places=pairs.place_ids[at // width],
        unions=at % width,
        union_members=number,
    )


def count_flags(
    people: Numbers, groups: Numbers, flags: Numbers, bits: int
) -> dict[int, tuple[int, ...]]:
    """Return of each group how many people are in it, and of how many of them each flag is true.

    people, groups, flags: columns of one length; the flags of a row are the lowest `bits` bits of a
    whole number. Somebody with several rows in a group counts once, with the flags of any of them.
    """
    if not len(people):
        return {}
    order = np.lexsort((people, groups))
    person, group, flag = people[order], groups[order], flags[order]
    first = np.flatnonzero(
        np.concatenate([[True], (person[1:] != person[:-1]) | (group[1:] != group[:-1])])
    )
    whole = np.bitwise_or.reduceat(flag, first)
    ids, number = np.unique(group[first], return_inverse=True)
    counted = [
        np.bincount(number, minlength=len(ids)),
        *(
            np.bincount(number[(whole >> bit & 1).astype(bool)], minlength=len(ids))
            for bit in range(bits)
        ),
    ]
    return dict(
        zip(ids.tolist(), zip(*(one.tolist() for one in counted), strict=True), strict=True)
    )


def _find(ids: Ints, wanted: Numbers) -> tuple[Ints, Bools]:
    """Return where the wanted stand among the ids, which are in order; and which are there."""
    if not len(ids):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), bool)
    where = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return where, ids[where] == wanted


def _pairs(jobs: Jobs) -> Pairs:
    people_ids, person = np.unique(jobs.runs.people, return_inverse=True)
    place_ids, place = np.unique(jobs.places, return_inverse=True)
    found, job = np.unique(person * max(1, len(place_ids)) + place, return_inverse=True)
    person, place = np.divmod(found, max(1, len(place_ids)))
    return Pairs(people_ids.astype(np.int64), place_ids.astype(np.int64), person, place, job)


def _masks(runs: Runs, start: int, days: int) -> Ints:
    """Return the days of each run as a mask; bit 0 is the day with the number start."""
    first = np.clip(runs.first - start, 0, days).astype(np.int64)
    after = np.clip(runs.after - start, 0, days).astype(np.int64)
    one = np.int64(1)
    return np.where(after > first, (one << after) - (one << first), 0)


def _together(rows: Ints, masks: Ints, length: int) -> Ints:
    """Return the masks that belong to each of the rows 0 to length - 1, put together."""
    found = np.zeros(length, np.int64)
    np.bitwise_or.at(found, rows, masks)
    return found


def _of_people(people_ids: Ints, runs: Runs, start: int, days: int) -> Ints:
    where, ours = _find(people_ids, runs.people)
    return _together(where[ours], _masks(runs.of(ours), start, days), len(people_ids))


def _of_pairs(pairs: Pairs, jobs: Jobs, belongs: int, start: int, days: int) -> Ints:
    masks = _masks(jobs.runs, start, days)
    rows = pairs.job
    if not isinstance(jobs.belongs, int):
        these = jobs.belongs == belongs
        rows, masks = rows[these], masks[these]
    elif jobs.belongs != belongs:
        return np.zeros(len(pairs.person), np.int64)
    return _together(rows, masks, len(pairs.person))


def _count(numbers: npt.NDArray[np.int32], mask: Ints, place: Ints) -> None:
    """Put down how many of the pairs hold on each day at each place."""
    for bit in _bits(mask, len(numbers)):
        then = (mask >> bit & 1).astype(bool)
        numbers[bit] = np.bincount(place[then], minlength=numbers.shape[1])


def _bits(mask: Ints, days: int) -> Iterator[int]:
    any_day = int(np.bitwise_or.reduce(mask)) if len(mask) else 0
    return (bit for bit in range(days) if any_day >> bit & 1)


def _several(pairs: Pairs, masks: Sequence[Ints]) -> _Several:
    many = np.bincount(pairs.person, minlength=len(pairs.people_ids))[pairs.person] > 1
    kinds = np.array([mask[many] for mask in masks[:6]])
    # Kinds come in threes: members, not members, not known.
    return _Several(
        people=pairs.person[many],
        places=pairs.place[many],
        kinds=kinds,
        members=np.bitwise_or.reduce(kinds[0::3], axis=0),
        not_members=np.bitwise_or.reduce(kinds[1::3], axis=0),
    )


def _joined(
    rows: Ints, places: Ints, groups: Ints, how_many: int
) -> tuple[npt.NDArray[np.intp], Ints]:
    """Return each row with each group that its place is in: its number, and that of the group.

    rows: the place of each row. places, groups: which place is in which group. All places are
    numbers below how_many.
    """
    order = np.argsort(places, kind="stable")
    times = np.bincount(places, minlength=how_many)
    begin = (np.cumsum(times) - times)[rows]
    row = np.repeat(np.arange(len(rows)), times[rows])
    step = np.arange(len(row)) - np.repeat(np.cumsum(times[rows]) - times[rows], times[rows])
    return row, groups[order[begin[row] + step]]
