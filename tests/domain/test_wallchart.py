"""The rules of the wall chart: blanks, order, gaps, short names, and sharing people out."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.domain.cover import leaders_needed
from crm.domain.wallchart import (
    SHORTEST,
    Gap,
    OnTheWall,
    Shares,
    TalkAge,
    blanks,
    has_gap,
    share_out,
    short_names,
    sums,
    talk_age,
    wall_order,
)

DAY = date(2026, 11, 23)


def _person(key: int = 1, **more: object) -> OnTheWall:
    values: dict[str, object] = {
        "key": key,
        "public_id": uuid.UUID(int=key),
        "name": f"Person {key}",
        "placeholder": False,
        "do_not_contact": False,
        "rating": None,
        "firm": None,
        "scored_on": None,
        "member": None,
        "last_talk_on": None,
        "talk_age": TalkAge.NEVER,
    }
    return OnTheWall(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (0, TalkAge.RECENT),
        (60, TalkAge.RECENT),
        (61, TalkAge.OLDER),
        (120, TalkAge.OLDER),
        (121, TalkAge.OLD),
    ],
)
def test_a_talk_is_recent_for_60_days_and_old_after_120(days: int, age: TalkAge) -> None:
    assert talk_age(DAY - timedelta(days=days), DAY) is age


def test_no_talk_is_not_an_old_talk() -> None:
    assert talk_age(None, DAY) is TalkAge.NEVER


def test_a_column_goes_from_1_to_5_and_ends_with_those_not_asked() -> None:
    people = [_person(place, rating=rating) for place, rating in enumerate([None, 5, 1, 3])]
    assert [one.rating for one in sorted(people, key=wall_order)] == [1, 3, 5, None]


def test_somebody_at_two_places_counts_once_and_what_is_not_known_is_the_rest() -> None:
    people = [
        _person(1, rating=2, member=True),
        _person(1, rating=2, member=True),
        _person(2, rating=4, member=False),
        _person(3),
    ]
    counted = sums(people)
    assert (counted.named, counted.asked, counted.with_us) == (3, 2, 1)
    assert (counted.members, counted.not_members, counted.member_not_known) == (1, 1, 1)
    assert counted.not_asked == 1


@pytest.mark.parametrize(("workers", "leaders"), [(0, 0), (1, 1), (10, 1), (10.5, 2), (31, 4)])
def test_every_ten_workers_or_part_of_ten_need_a_leader(workers: float, leaders: int) -> None:
    assert leaders_needed(workers) == leaders


def test_the_workers_of_a_headcount_whom_nobody_named_are_blank() -> None:
    assert blanks({1: None}, {1: 10}, {1: {7, 8}}) == {1: 8}


def test_no_headcount_gives_no_blank_and_more_names_than_workers_give_none_either() -> None:
    assert blanks({1: None, 2: 1}, {2: 1}, {2: {7, 8}}) == {1: 0, 2: 0}


def test_a_worker_who_is_blank_in_an_area_is_not_blank_again_outside_it() -> None:
    # 20 on site; 12 in the area of whom 4 are named; 3 named elsewhere: 20 - 7 - 8 = 5 more.
    found = blanks({1: None, 2: 1}, {1: 20, 2: 12}, {1: {1, 2, 3}, 2: {4, 5, 6, 7}})
    assert found == {1: 5, 2: 8}


def test_somebody_at_two_areas_fills_one_place_of_the_site() -> None:
    assert blanks({1: None, 2: 1, 3: 1}, {1: 5}, {2: {9}, 3: {9}})[1] == 4


_trees = st.lists(st.integers(0, 5), max_size=6).map(
    lambda above: {0: None, **{place + 1: min(one, place) for place, one in enumerate(above)}}
)


@given(_trees, st.data())
def test_names_and_blanks_together_fill_the_headcount_of_the_whole(
    parents: dict[int, int | None], data: st.DataObject
) -> None:
    people = {
        place: data.draw(st.sets(st.integers(0, 20), max_size=6), label="people")
        for place in parents
    }
    counts = {
        place: data.draw(st.one_of(st.none(), st.integers(0, 30)), label="count")
        for place in parents
    }
    found = blanks(parents, counts, people)
    everybody = len(set().union(*people.values()))
    assert all(count >= 0 for count in found.values())
    if counts[0] is not None:
        assert everybody + sum(found.values()) >= counts[0]
    if counts[0] is not None and found[0] > 0:
        assert everybody + sum(found.values()) == counts[0]


def test_gaps_are_not_asked_no_talk_lately_and_a_yes_without_a_task() -> None:
    person = _person(rating=3, talk_age=TalkAge.OLDER, said_yes=True)
    assert [has_gap(person, gap) for gap in Gap] == [False, True, True, True, False]
    settled = _person(rating=3, talk_age=TalkAge.RECENT, said_yes=True, has_task=True, led=True)
    assert not any(has_gap(settled, gap) for gap in Gap)


def test_nobody_who_asked_to_be_left_alone_is_a_gap() -> None:
    person = _person(do_not_contact=True, said_yes=True)
    assert not any(has_gap(person, gap) for gap in Gap)


def test_short_names_are_as_long_as_needed_to_tell_people_apart() -> None:
    alike = [uuid.UUID("abcde1" + "0" * 26), uuid.UUID("abcde2" + "0" * 26)]
    other = uuid.UUID("12345" + "0" * 27)
    found = short_names([*alike, other])
    assert found == {alike[0]: "abcde1", alike[1]: "abcde2", other: "12345"[:SHORTEST]}


@given(st.sets(st.integers(0, 2**128 - 1).map(lambda one: uuid.UUID(int=one)), max_size=40))
def test_a_short_name_fits_nobody_else(ids: set[uuid.UUID]) -> None:
    found = short_names(ids)
    for one, short in found.items():
        assert [other for other in ids if other.hex.startswith(short)] == [one]


def test_people_are_shared_evenly_and_in_order() -> None:
    shares = share_out([(1, 10), (2, 10), (3, 10)], {7: {10}, 8: {10}}, each=5)
    assert shares == Shares(by_owner={7: [1, 3], 8: [2]}, left_out=[], too_many=0)


def test_nobody_gets_people_of_a_place_they_do_not_hold_nor_more_than_the_limit() -> None:
    shares = share_out([(1, 10), (2, 11), (3, 12), (4, 10)], {7: {10}, 8: {11}}, each=1)
    assert shares == Shares(by_owner={7: [1], 8: [2]}, left_out=[3], too_many=1)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3)), unique_by=lambda one: one[0]),
    st.dictionaries(st.integers(100, 104), st.sets(st.integers(0, 3)), max_size=4),
    st.integers(1, 5),
)
def test_everybody_is_shared_left_out_or_too_many_and_never_twice(
    people: list[tuple[int, int]], holders: dict[int, set[int]], each: int
) -> None:
    shares = share_out(people, holders, each=each)
    given_out = [person for some in shares.by_owner.values() for person in some]
    assert len(given_out) == len(set(given_out))
    assert len(given_out) + len(shares.left_out) + shares.too_many == len(people)
    places = dict(people)
    for owner, some in shares.by_owner.items():
        assert len(some) <= each
        assert all(places[person] in holders[owner] for person in some)
