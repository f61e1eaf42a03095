"""People counted by columns, against a count that walks everybody on every day."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.analysis.people_counts import (
    OUTSIDE,
    PERHAPS,
    SURELY,
    Counted,
    Jobs,
    Runs,
    count_flags,
    count_people,
    count_unions,
)

_PLACES = (7, 3, 11, 5)
_UNKNOWN_PLACE = 99
_DAYS = 5
_days = st.integers(0, _DAYS)
_person = st.integers(1, 4)
_job = st.tuples(
    _person, st.sampled_from(_PLACES), _days, _days, st.sampled_from((SURELY, PERHAPS, OUTSIDE))
)
_said = st.tuples(_person, _days, _days)


def _column(rows, at):  # type: ignore[no-untyped-def]
    return np.array([row[at] for row in rows], np.int64)


def _runs(rows, of=(0, 1, 2)):  # type: ignore[no-untyped-def]
    return Runs(*(_column(rows, at) for at in of))


def _counted(jobs, members, not_members, days=_DAYS):  # type: ignore[no-untyped-def]
    everybody = all(job[4] == SURELY for job in jobs)
    return count_people(
        Jobs(_runs(jobs, (0, 2, 3)), _column(jobs, 1), SURELY if everybody else _column(jobs, 4)),
        _runs(members),
        _runs(not_members),
        days,
    )


def _what(person, day, members, not_members):  # type: ignore[no-untyped-def]
    for state, said in enumerate((members, not_members)):
        if any(one[0] == person and one[1] <= day < one[2] for one in said):
            return state
    return 2


def _belongs(person, place, day, jobs):  # type: ignore[no-untyped-def]
    return max(
        (job[4] for job in jobs if job[:2] == (person, place) and job[2] <= day < job[3]),
        default=None,
    )


@settings(max_examples=200, deadline=None)
@given(
    jobs=st.lists(_job, max_size=14),
    members=st.lists(_said, max_size=6),
    not_members=st.lists(_said, max_size=6),
    groups=st.lists(st.sets(st.sampled_from((*_PLACES, _UNKNOWN_PLACE))), min_size=1, max_size=3),
)
def test_counts_by_columns_are_those_of_a_walk_over_everybody(
    jobs: list[tuple[int, int, int, int, int]],
    members: list[tuple[int, int, int]],
    not_members: list[tuple[int, int, int]],
    groups: list[set[int]],
) -> None:
    counted = _counted(jobs, members, not_members)
    places = (*_PLACES, _UNKNOWN_PLACE)
    found = counted.at(np.array(places))
    pairs = [(number, place) for number, group in enumerate(groups) for place in group]
    for day in range(_DAYS):
        often = counted.too_often(day, _column(pairs, 1), _column(pairs, 0), len(groups))
        states = {person: _what(person, day, members, not_members) for person in range(1, 5)}
        there = {
            (person, place): how
            for person, place in product(states, _PLACES)
            if (how := _belongs(person, place, day, jobs)) is not None
        }
        for how, state in product((SURELY, PERHAPS, OUTSIDE), range(3)):
            kind = 3 * (SURELY, PERHAPS, OUTSIDE).index(how) + state
            here = [at for at, one in there.items() if one == how and states[at[0]] == state]
            for column, place in enumerate(places):
                number = sum(at[1] == place for at in here)
                assert (found[day, kind, column] if kind < found.shape[1] else 0) == number
            if how != OUTSIDE and kind < len(often.kinds):
                for number, group in enumerate(groups):
                    assert often.kinds[kind, number] == _twice(here, group)
        for state, of in enumerate((often.members, often.not_members)):
            inside = [at for at, one in there.items() if one != OUTSIDE and states[at[0]] == state]
            assert of.tolist() == [_twice(inside, group) for group in groups]


def _twice(people: list[tuple[int, int]], group: set[int]) -> int:
    """How many more places of the group there are than people at them."""
    here = [at for at in people if at[1] in group]
    return len(here) - len({person for person, _place in here})


def test_more_days_than_a_mask_has_room_for_are_all_counted() -> None:
    counted: Counted = _counted(
        [(1, 3, 0, 150, SURELY), (1, 5, 59, 61, SURELY)], [(1, 60, 130)], [(1, 0, 200)], days=140
    )
    members, not_members, not_known = counted.at(np.array([3]))[:, :, 0].T.tolist()
    assert members == [0] * 60 + [1] * 70 + [0] * 10
    assert [one + other for one, other in zip(members, not_members, strict=True)] == [1] * 140
    assert not any(not_known)
    twice = [
        counted.too_often(day, np.array([3, 5]), np.zeros(2, np.int64), 1).kinds.sum()
        for day in (58, 59, 60, 61)
    ]
    assert twice == [0, 1, 1, 0]


def test_of_nobody_nothing_is_counted() -> None:
    counted = _counted([], [(1, 0, 5)], [])
    assert not counted.at(np.array([3, 5])).any()
    assert not counted.too_often(0, np.array([3]), np.array([0]), 1).kinds.any()


@given(
    jobs=st.lists(_job, max_size=12),
    members=st.lists(st.tuples(_person, _days, _days, st.integers(1, 3)), max_size=8),
    day=st.integers(0, _DAYS - 1),
)
@settings(max_examples=100, deadline=None)
def test_members_by_union_are_those_of_a_walk_over_everybody(
    jobs: list[tuple[int, int, int, int, int]],
    members: list[tuple[int, int, int, int]],
    day: int,
) -> None:
    columns = Jobs(_runs(jobs, (0, 2, 3)), _column(jobs, 1), SURELY)
    found = count_unions(columns, _runs(members), _column(members, 3), day)
    unions = {
        person: {one[3] for one in members if one[0] == person and one[1] <= day < one[2]}
        for person in range(1, 5)
    }
    here = {job[:2] for job in jobs if job[2] <= day < job[3]}
    for place, any_union, several in zip(found.places, found.members, found.several, strict=True):
        of_each = [len(unions[person]) for person, at in here if at == place]
        assert any_union == sum(number > 0 for number in of_each)
        assert several == sum(number > 1 for number in of_each)
    by_union = Counter((place, union) for person, place in here for union in unions[person])
    columns_found = zip(found.union_places, found.unions, found.union_members, strict=True)
    assert {(place, union): number for place, union, number in columns_found} == by_union


@given(rows=st.lists(st.tuples(_person, st.sampled_from(_PLACES), st.integers(0, 7)), max_size=12))
@settings(max_examples=100, deadline=None)
def test_flags_are_those_of_any_row_of_a_person_in_a_group(
    rows: list[tuple[int, int, int]],
) -> None:
    found = count_flags(*(_column(rows, at) for at in range(3)), bits=3)
    flags: dict[int, dict[int, int]] = {}
    for person, group, flag in rows:
        of_group = flags.setdefault(group, {})
        of_group[person] = of_group.get(person, 0) | flag
    assert found == {
        group: (len(some), *(sum(flag >> bit & 1 for flag in some.values()) for bit in range(3)))
        for group, some in flags.items()
    }
