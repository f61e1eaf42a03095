"""Density by hand, and against simulated workplaces whose truth we know."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.density import (
    Density,
    NoDensity,
    PeopleRange,
    Range,
    StatedMembers,
    TotalDensity,
    density,
    sums_of,
    total,
)
from crm.domain.headcount import Workforce
from crm.domain.numbers import percent_text, share_text

_ROUNDING = 1e-12


def _density(
    members: float = 0,
    not_members: float = 0,
    not_known: float = 0,
    *,
    workforce: Workforce | None = None,
    stated: StatedMembers | None = None,
) -> Density:
    return density(
        members=members,
        not_members=not_members,
        not_known_named=not_known,
        workforce=workforce,
        stated=stated,
    )


def _total(*parts: Density) -> TotalDensity:
    """The total when nobody has two jobs."""
    counted = [part for part in parts if part.workforce is not None]
    return total(
        sums_of(parts),
        distinct_members=sum(part.members for part in counted),
        distinct_not_members=sum(part.not_members for part in counted),
        distinct_not_known_named=sum(part.not_known_named for part in counted),
    )


def _percents(found: Density | TotalDensity) -> tuple[str, str]:
    assert found.fraction_range is not None
    return percent_text(found.fraction_range.low), percent_text(found.fraction_range.high)


def test_people_not_named_widen_the_range_as_the_people_not_known_do() -> None:
    found = _density(127, 92, 66, workforce=Workforce(280, None, 310))
    assert _percents(found) == ("41.0", "70.3")
    assert found.named == 285
    assert found.not_named == PeopleRange(0, 25)
    assert found.member_range == PeopleRange(127, 218)
    assert found.is_wide
    assert found.confirmed_fraction is None
    assert not found.headcount_stale


@pytest.mark.parametrize(
    ("members", "not_members", "not_known", "workforce", "percents"),
    [
        (0, 0, 0, Workforce.exactly(40), ("0.0", "100.0")),
        (0, 0, 40, Workforce.exactly(40), ("0.0", "100.0")),
        (40, 0, 0, Workforce.exactly(40), ("100.0", "100.0")),
        (0, 40, 0, Workforce.exactly(40), ("0.0", "0.0")),
        (10, 10, 10, Workforce.exactly(40), ("25.0", "75.0")),
        (10, 30, 0, Workforce.exactly(40), ("25.0", "25.0")),
        (10, 0, 0, Workforce(20, 30, 40), ("25.0", "100.0")),
        (10, 30, 0, Workforce(20, 30, 40), ("25.0", "50.0")),
        (5, 0, 0, Workforce(0, None, 10), ("50.0", "100.0")),
        (0, 5, 0, Workforce(0, None, 10), ("0.0", "50.0")),
    ],
)
def test_ranges_worked_out_by_hand(
    members: float,
    not_members: float,
    not_known: float,
    workforce: Workforce,
    percents: tuple[str, str],
) -> None:
    assert _percents(_density(members, not_members, not_known, workforce=workforce)) == percents


def test_an_unknown_workforce_gives_members_and_no_density() -> None:
    found = _density(12, 3, 5)
    assert found.fraction_range is None
    assert found.confirmed_fraction is None
    assert found.no_density is NoDensity.WORKFORCE_UNKNOWN
    assert found.not_named is None
    assert (found.members, found.member_range) == (12, PeopleRange(12, 17))
    assert not found.headcount_stale
    assert not found.list_exceeds_headcount
    assert not found.is_wide
    assert not found.show_as_count


def test_a_place_with_no_workers_has_no_density_rather_than_none_of_it() -> None:
    found = _density(workforce=Workforce.exactly(0))
    assert found.fraction_range is None
    assert found.no_density is NoDensity.NO_WORKERS
    assert found.show_as_count


def test_a_list_longer_than_the_headcount_is_flagged_and_raises_it() -> None:
    found = _density(60, 30, 30, workforce=Workforce(80, 90, 100))
    assert found.list_exceeds_headcount
    assert found.headcount_stale
    assert found.workforce == Workforce(80, 90, 100)
    assert found.workforce_used == Workforce(80, 120, 120)
    assert _percents(found) == ("50.0", "100.0")
    assert found.confirmed_fraction == 0.5


def test_a_list_within_the_range_is_no_cause_for_a_flag() -> None:
    found = _density(60, 20, 20, workforce=Workforce(80, 90, 100))
    assert not found.list_exceeds_headcount
    assert not found.headcount_stale
    assert found.workforce_used == Workforce(80, 100, 100)


def test_people_named_where_nobody_should_work_are_flagged() -> None:
    found = _density(1, 1, 0, workforce=Workforce.exactly(0))
    assert found.headcount_stale
    assert _percents(found) == ("50.0", "100.0")


def test_the_confirmed_fraction_is_of_the_best_count() -> None:
    found = _density(30, 10, 5, workforce=Workforce(90, 100, 120))
    assert found.confirmed_fraction == 0.3


def test_a_stated_count_takes_the_place_of_those_not_known_and_not_named() -> None:
    found = _density(20, 5, 15, workforce=Workforce.exactly(100), stated=StatedMembers.exactly(50))
    assert _percents(found) == ("50.0", "50.0")
    assert found.member_range == PeopleRange(50, 50)
    assert found.members_known == 50
    assert found.not_named == PeopleRange(60, 60)


def test_a_stated_count_below_the_members_named_gives_way_to_them() -> None:
    found = _density(60, 5, 0, workforce=Workforce.exactly(100), stated=StatedMembers.exactly(50))
    assert _percents(found) == ("60.0", "60.0")
    assert found.confirmed_fraction == 0.6


def test_more_members_stated_than_workers_flags_the_headcount_but_not_the_list() -> None:
    found = _density(workforce=Workforce.exactly(100), stated=StatedMembers.exactly(150))
    assert found.headcount_stale
    assert not found.list_exceeds_headcount
    assert found.workforce_used == Workforce(100, 150, 150)
    assert _percents(found) == ("100.0", "100.0")


def test_a_rounded_statement_above_the_best_headcount_gives_no_confirmed_share() -> None:
    found = _density(workforce=Workforce.exactly(80), stated=StatedMembers.rounded(100, 100))
    assert _percents(found) == ("62.5", "100.0")
    assert found.confirmed_fraction is None


@pytest.mark.parametrize(
    ("workforce", "counts"),
    [
        (Workforce.exactly(9), True),
        (Workforce.exactly(10), False),
        (Workforce(5, None, 12), False),
        (Workforce(5, 9, 12), True),
        (Workforce(5, None, 9), True),
    ],
)
def test_fewer_than_ten_workers_are_shown_as_counts(workforce: Workforce, counts: bool) -> None:
    assert _density(1, workforce=workforce).show_as_count is counts


@pytest.mark.parametrize(
    ("range_", "wide"),
    [
        (Range(0.35, 0.6), False),
        (Range(1 / 3, 7 / 12), False),
        (Range(0.35, 0.601), True),
        (Range(0.4, 0.4), False),
    ],
)
def test_a_range_is_wide_only_above_25_points(range_: Range, wide: bool) -> None:
    assert range_.is_wide is wide


@pytest.mark.parametrize("count", [-1, float("nan"), float("inf")])
def test_a_count_that_cannot_be_is_a_mistake_in_the_program(count: float) -> None:
    with pytest.raises(ValueError, match=r"^Counts of people are 0 or more\.$"):
        _density(members=count)


def test_a_total_is_sum_over_sum_and_not_the_mean_of_percentages() -> None:
    nine_of_ten = _density(9, 1, workforce=Workforce.exactly(10))
    ten_of_ninety = _density(10, 80, workforce=Workforce.exactly(90))
    found = _total(nine_of_ten, ten_of_ninety)
    assert _percents(found) == ("19.0", "19.0")
    assert found.confirmed_fraction == 0.19


def test_places_without_a_headcount_are_left_out_and_said_so() -> None:
    found = _total(
        _density(30, 10, workforce=Workforce.exactly(40)),
        _density(10, 50, workforce=Workforce.exactly(60)),
        _density(20, 5, 5),
    )
    assert _percents(found) == ("40.0", "40.0")
    assert (found.counted_places, found.all_places, found.excluded_places) == (2, 3, 1)
    assert (found.members, found.excluded_members) == (40, 20)
    assert found.covered_fraction is not None
    assert percent_text(found.covered_fraction) == "66.7"


def test_a_person_with_two_jobs_counts_once_in_the_total() -> None:
    parts = [_density(10, 0, workforce=Workforce.exactly(20)) for _ in range(2)]
    found = total(
        sums_of(parts), distinct_members=19, distinct_not_members=0, distinct_not_known_named=0
    )
    assert found.members == 19
    assert found.confirmed_fraction == 19 / 40
    assert found.fraction_range == Range(19 / 40, 1.0)
    assert (found.counted_members, found.all_members) == (20, 20)


def test_one_person_who_is_not_a_member_at_two_places_lowers_the_high_end_once() -> None:
    # The truth: this person at both places, and one member more at each, which is 2 of 3.
    parts = [_density(0, 1, workforce=Workforce.exactly(2)) for _ in range(2)]
    found = total(
        sums_of(parts), distinct_members=0, distinct_not_members=1, distinct_not_known_named=0
    )
    assert found.fraction_range == Range(0.0, 0.75)
    assert found.member_range == PeopleRange(0, 3)


def test_members_named_where_a_count_is_stated_do_not_widen_the_other_places() -> None:
    found = _total(
        _density(5, workforce=Workforce.exactly(10), stated=StatedMembers.exactly(5)),
        _density(0, 10, workforce=Workforce.exactly(10)),
    )
    assert found.fraction_range == Range(0.25, 0.25)
    assert found.member_range == PeopleRange(5, 5)


def test_more_people_once_than_over_all_places_is_a_mistake_in_the_program() -> None:
    with pytest.raises(
        ValueError, match=r"^People counted once are from 0 to the sum over the places\.$"
    ):
        total(
            sums_of([_density(1, workforce=Workforce.exactly(2))]),
            distinct_members=2,
            distinct_not_members=0,
            distinct_not_known_named=0,
        )


def test_a_total_where_no_headcount_is_known_is_not_known() -> None:
    found = _total(_density(5), _density(6))
    assert (found.fraction_range, found.no_density) == (None, NoDensity.WORKFORCE_UNKNOWN)
    assert (found.counted_places, found.all_places) == (0, 2)
    assert (found.covered_fraction, found.excluded_members) == (0.0, 11)


def test_a_total_of_no_places_is_not_known_and_nothing_is_divided() -> None:
    found = _total()
    assert (found.fraction_range, found.workforce, found.covered_fraction) == (None, None, None)


def test_a_total_of_empty_places_does_not_apply() -> None:
    found = _total(_density(workforce=Workforce.exactly(0)))
    assert (found.fraction_range, found.no_density) == (None, NoDensity.NO_WORKERS)


def test_the_total_of_one_place_is_that_place() -> None:
    part = _density(127, 92, 66, workforce=Workforce(280, 300, 310))
    found = _total(part)
    assert found.fraction_range == part.fraction_range
    assert found.member_range == part.member_range
    assert found.confirmed_fraction == part.confirmed_fraction


def test_one_place_without_a_best_count_leaves_the_total_without_one() -> None:
    found = _total(
        _density(1, workforce=Workforce.exactly(10)),
        _density(1, workforce=Workforce(10, None, 20)),
    )
    assert found.workforce == Workforce(20, None, 30)
    assert found.confirmed_fraction is None


def test_a_total_counts_the_places_whose_headcount_is_too_low() -> None:
    found = _total(
        _density(30, 0, workforce=Workforce.exactly(20)),
        _density(10, 0, workforce=Workforce.exactly(20)),
    )
    assert found.stale_places == 1
    assert found.workforce == Workforce(40, 50, 50)


def test_stated_counts_and_lists_add_up_in_one_total() -> None:
    found = _total(
        _density(5, 0, workforce=Workforce.exactly(100), stated=StatedMembers.exactly(40)),
        _density(10, 60, 20, workforce=Workforce.exactly(100)),
    )
    assert _percents(found) == ("25.0", "40.0")
    assert found.member_range == PeopleRange(50, 80)
    assert found.confirmed_fraction == 0.25


# Simulated workplaces: the truth is made first, then what a group would know of it.


@dataclass(frozen=True)
class _Worker:
    member: bool
    membership_known: bool
    places: tuple[int, ...]
    named_at: tuple[int, ...]


def _worker(code: int, places: int) -> _Worker:
    # One number a worker keeps the drawing fast; its bits are the facts about them.
    at_work, on_list = (code >> 2) % 2**places, (code >> (2 + places)) % 2**places
    works_at = [place for place in range(places) if at_work >> place & 1] or [0]
    return _Worker(
        member=bool(code & 1),
        membership_known=bool(code & 2),
        places=tuple(works_at),
        named_at=tuple(place for place in works_at if on_list >> place & 1),
    )


def _workers(places: int) -> st.SearchStrategy[list[_Worker]]:
    codes = st.lists(st.integers(0, 2 ** (2 + 2 * places) - 1), max_size=25)
    return codes.map(lambda found: [_worker(code, places) for code in found])


def _part(workers: list[_Worker], place: int, spread: tuple[int, int]) -> Density:
    there = [one for one in workers if place in one.places]
    named = [one for one in there if place in one.named_at]
    low = max(0, len(there) - spread[0])
    return _density(
        sum(one.member and one.membership_known for one in named),
        sum(not one.member and one.membership_known for one in named),
        sum(not one.membership_known for one in named),
        workforce=Workforce(low, None, len(there) + spread[1]),
    )


def _assert_holds(found: Density | TotalDensity, members: int, workers: int) -> None:
    if workers == 0:
        return
    assert found.fraction_range is not None
    truth = members / workers
    assert found.fraction_range.low - _ROUNDING <= truth
    assert truth <= found.fraction_range.high + _ROUNDING


_SPREAD = st.tuples(st.integers(0, 12), st.integers(0, 12))


@settings(max_examples=200, deadline=None)
@given(_workers(places=1), _SPREAD)
def test_the_truth_is_always_inside_the_range(
    workers: list[_Worker], spread: tuple[int, int]
) -> None:
    found = _part(workers, 0, spread)
    members = sum(one.member for one in workers)
    _assert_holds(found, members, len(workers))
    assert found.member_range.low <= members <= found.member_range.high
    assert found.not_named is not None
    not_named = sum(not one.named_at for one in workers)
    assert found.not_named.low <= not_named <= found.not_named.high


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_the_truth_is_inside_the_total_although_people_have_jobs_at_several_places(
    data: st.DataObject,
) -> None:
    places = data.draw(st.integers(1, 3))
    workers = data.draw(_workers(places=places))
    parts = [_part(workers, place, data.draw(_SPREAD)) for place in range(places)]
    named = [one for one in workers if one.named_at]
    found = total(
        sums_of(parts),
        distinct_members=sum(one.member and one.membership_known for one in named),
        distinct_not_members=sum(not one.member and one.membership_known for one in named),
        distinct_not_known_named=sum(not one.membership_known for one in named),
    )
    members = sum(one.member for one in workers)
    _assert_holds(found, members, len(workers))
    assert found.member_range.low <= members <= found.member_range.high


@settings(max_examples=120, deadline=None)
@given(_workers(places=1), st.integers(1, 12), st.integers(0, 12))
def test_the_truth_is_inside_when_a_complete_list_outgrew_the_headcount(
    workers: list[_Worker], shortfall: int, spread: int
) -> None:
    members = sum(one.member and one.membership_known for one in workers)
    not_members = sum(not one.member and one.membership_known for one in workers)
    high = max(0, len(workers) - shortfall)
    found = _density(
        members,
        not_members,
        len(workers) - members - not_members,
        workforce=Workforce(max(0, high - spread), None, high),
    )
    assert found.list_exceeds_headcount is (len(workers) > 0)
    _assert_holds(found, sum(one.member for one in workers), len(workers))


@settings(max_examples=120, deadline=None)
@given(_workers(places=1), _workers(places=1), _SPREAD, _SPREAD, st.integers(1, 10))
def test_the_truth_is_inside_when_one_place_has_only_a_rounded_statement(
    listed: list[_Worker],
    stated: list[_Worker],
    listed_spread: tuple[int, int],
    stated_spread: tuple[int, int],
    step: int,
) -> None:
    stated_members = sum(one.member for one in stated)
    by_list = _part(listed, 0, listed_spread)
    by_statement = _density(
        workforce=_part(stated, 0, stated_spread).workforce,
        stated=StatedMembers.rounded(round(stated_members / step) * step, step),
    )
    _assert_holds(by_statement, stated_members, len(stated))
    found = _total(by_list, by_statement)
    members = stated_members + sum(one.member for one in listed)
    _assert_holds(found, members, len(listed) + len(stated))


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 200),
    st.integers(0, 60),
)
def test_no_workforce_between_the_ends_gives_more_than_the_high_end(
    members: int, not_members: int, not_known: int, low: int, width: int
) -> None:
    found = _density(members, not_members, not_known, workforce=Workforce(low, None, low + width))
    if found.fraction_range is None:
        return
    for workers in range(max(1, low), low + width + 1):
        not_named = max(0, workers - members - not_members - not_known)
        share = min(1.0, (members + not_known + not_named) / workers)
        assert share <= found.fraction_range.high + _ROUNDING


def test_a_share_printed_from_counts_equals_the_share_printed_from_its_fraction() -> None:
    for workers in range(1, 100):
        for members in range(workers + 1):
            assert share_text(members, workers) == percent_text(members / workers)
