"""Who is covered by a leader: parts, circles, the nearest leader, feet, who confirms one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.domain.cover import (
    MoreThanListen,
    NobodyListens,
    NotConfirmed,
    Stage,
    check_confirmed,
    cover,
    foot,
    nominations,
)

_PEOPLE = st.integers(0, 11)
_TIES = st.lists(st.tuples(_PEOPLE, _PEOPLE), max_size=30)
_SOME = st.sets(_PEOPLE)


@given(people=_SOME, ties=_TIES, leaders=_SOME)
def test_covered_and_uncovered_part_the_people(
    people: set[int], ties: list[tuple[int, int]], leaders: set[int]
) -> None:
    found = cover(people, ties, leaders)
    assert found.covered | found.uncovered == people
    assert not found.covered & found.uncovered
    assert set(found.home) == found.covered
    assert set(found.home.values()) <= people & leaders


@given(people=_SOME, ties=_TIES, leaders=_SOME)
def test_nobody_leads_themselves_and_no_two_leaders_follow_each_other(
    people: set[int], ties: list[tuple[int, int]], leaders: set[int]
) -> None:
    found = cover(people, ties, leaders)
    for leader, followers in found.followers_of.items():
        assert leader not in followers
        for other in followers & set(found.followers_of):
            assert leader not in found.followers_of[other]


@given(people=_SOME, ties=_TIES, leaders=_SOME)
def test_whoever_is_covered_and_no_leader_follows_the_leader_at_home(
    people: set[int], ties: list[tuple[int, int]], leaders: set[int]
) -> None:
    found = cover(people, ties, leaders)
    for person, leader in found.home.items():
        assert person == leader or person in found.followers_of[leader]


@given(ties=_TIES, leaders=_SOME)
def test_the_cover_is_what_walking_all_ways_finds(
    ties: list[tuple[int, int]], leaders: set[int]
) -> None:
    people = set(range(12))
    reached = set(leaders)
    # The other way round and without a search: whoever listens to somebody reached is reached.
    while more := {one for one, other in ties if other in reached} - reached:
        reached |= more
    assert cover(people, ties, leaders).covered == reached


def test_a_circle_leads_nowhere() -> None:
    assert cover({1, 2, 3}, [(1, 2), (2, 3), (3, 1)], set()).uncovered == {1, 2, 3}
    assert cover({1, 2}, [(1, 1), (2, 2)], {2}).uncovered == {1}


def test_leaders_in_a_circle_are_not_followers_of_each_other() -> None:
    found = cover({1, 2, 3, 4}, [(1, 2), (2, 3), (3, 1), (4, 1)], {1, 2, 3})
    assert found.followers_of == {1: {4}, 2: frozenset(), 3: frozenset()}


def test_a_leader_who_listens_to_another_is_their_follower() -> None:
    found = cover({1, 2, 3}, [(1, 2), (3, 1)], {1, 2})
    assert found.followers_of == {1: {3}, 2: {1}}
    assert found.home == {1: 1, 2: 2, 3: 1}


def test_the_nearest_leader_is_the_one_at_home_then_the_one_written_down_first() -> None:
    ties = [("ann", "bo"), ("bo", "far"), ("ann", "near"), ("ann", "later")]
    found = cover({"ann", "bo", "far", "near", "later"}, ties, {"far", "near", "later"})
    assert found.home["ann"] == "near"
    assert found.home["bo"] == "far"
    assert "ann" in found.followers_of["far"]


def test_ties_through_somebody_who_is_not_there_lead_nowhere() -> None:
    assert cover({1, 3}, [(1, 2), (2, 3)], {3}).uncovered == {1}


def test_a_foot_needs_one_leader_for_ten_of_those_counted_or_named() -> None:
    people = set(range(11))
    stages = {0: Stage.CONFIRMED, 5: Stage.IDENTIFIED}
    found = cover(people, [(1, 0)], stages)
    named = foot(people, stages, found)
    assert (named.people, named.found, named.confirmed, named.needed) == (11, 2, 1, 2)
    assert (named.uncovered, named.missing) == (8, 0)
    assert foot(people, stages, found, workers=38.5).needed == 4
    assert foot(people, stages, found, workers=3).needed == 2
    assert foot(set(), {}, found).missing == 0


@given(acted=st.integers(0, 40), listeners=st.integers(1, 40))
def test_seven_of_ten_confirm(acted: int, listeners: int) -> None:
    if acted > listeners:
        with pytest.raises(MoreThanListen):
            check_confirmed(acted, listeners)
    elif 10 * acted >= 7 * listeners:
        check_confirmed(acted, listeners)
    else:
        with pytest.raises(NotConfirmed, match=f"^{acted} of the {listeners} people who listen"):
            check_confirmed(acted, listeners)


def test_with_nobody_listening_nothing_confirms() -> None:
    with pytest.raises(NobodyListens):
        check_confirmed(0, 0)


def test_nominations_count_different_tellers_and_nobody_who_names_themselves() -> None:
    ties = [(1, 9, 1), (2, 9, 1), (3, 9, 3), (4, 9, None), (5, 9, 9), (1, 8, None)]
    assert nominations(ties) == {9: 2}
