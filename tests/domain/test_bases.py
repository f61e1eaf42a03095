"""Members of a part of a place: the bounds hold every truth that fits what is known."""

from __future__ import annotations

import random

import pytest

from crm.domain.bases import (
    PartDensity,
    Repeats,
    part_density,
    part_figure,
    together,
    total_density,
    total_of_named,
)
from crm.domain.density import (
    Known,
    NoDensity,
    PeopleRange,
    Range,
    StatedMembers,
    density,
    sums_of,
)
from crm.domain.headcount import Workforce


def test_people_who_perhaps_belong_are_counted_when_they_cannot_all_be_outside() -> None:
    # 100 on site, 90 direct: at most 10 are not. 40 members of unknown employer: 30 at least are.
    found = part_density(Known(), Known(members=40), Workforce.exactly(90), Workforce.exactly(100))
    assert found is not None
    assert found.members == PeopleRange(30, 90)
    assert found.share == Range(30 / 90, 1.0)


def test_without_the_whole_place_only_those_who_surely_belong_count() -> None:
    found = part_density(
        Known(members=4, not_members=2), Known(members=40), Workforce(10, None, 20), None
    )
    assert found is not None
    assert found.share == Range(4 / 20, 18 / 20)


def test_nobody_in_the_part_has_no_share() -> None:
    assert part_density(Known(), Known(), Workforce.exactly(0), None) is None


def test_the_high_end_never_counts_more_than_can_be_members() -> None:
    # 10 of 12 named and known; only one more could be a member in a part of 5 to 12.
    found = part_density(
        Known(members=1, not_members=3),
        Known(members=1),
        Workforce(5, None, 12),
        Workforce.exactly(12),
    )
    assert found is not None
    assert found.members.high == 9


def test_people_known_to_be_outside_leave_less_room_for_others() -> None:
    # 100 on site, 80 direct: 20 outside, all of them named. So every other one is direct staff.
    found = part_density(
        Known(),
        Known(members=30, not_members=10),
        Workforce.exactly(80),
        Workforce.exactly(100),
        outside=Known(members=15, not_members=5),
    )
    assert found is not None
    assert found.members == PeopleRange(30, 70)


def test_stated_members_are_in_the_part_only_as_far_as_they_cannot_all_be_outside() -> None:
    stated = StatedMembers.exactly(60)
    part, site = Workforce.exactly(70), Workforce.exactly(100)
    found = part_density(Known(), Known(), part, site, stated=stated)
    assert found is not None
    assert found.members == PeopleRange(30, 60)
    alone = part_density(Known(members=2), Known(), part, None, stated=stated)
    assert alone is not None
    assert alone.members == PeopleRange(2, 60)


def test_a_member_in_two_parts_counts_once_at_least_and_twice_at_most() -> None:
    one = part_figure(Known(members=3), Known(), Known(), Workforce.exactly(10), None)
    both = total_density([one, one], surely=Known(members=5), repeats=Repeats(members=1))
    assert both.member_range == PeopleRange(5, 20)
    assert both.fraction_range == Range(5 / 20, 1.0)


def test_no_member_in_two_parts_is_one_worker_and_leaves_more_room_for_members() -> None:
    # Ten at each place, the same one of them no member at both: 18 of 19 may be members.
    one = part_figure(Known(not_members=1), Known(), Known(), Workforce.exactly(10), None)
    both = total_density([one, one], surely=Known(not_members=1), repeats=Repeats(not_members=1))
    assert both.fraction_range is not None
    assert both.fraction_range.high == pytest.approx(18 / 19)


def test_people_on_a_list_of_names_are_the_bottom_once_however_many_jobs_they_have() -> None:
    here, there = (
        density(
            members=1,
            not_members=none,
            not_known_named=0,
            workforce=Workforce.exactly(1 + none),
        )
        for none in (1, 0)
    )
    both = total_of_named(sums_of([here, there]), Known(members=1, not_members=1))
    assert both.workforce == Workforce.exactly(2)
    assert both.fraction_range == Range(1 / 2, 1 / 2)
    assert (both.counted_places, both.all_places) == (2, 2)
    nobody = total_of_named(sums_of([]), Known())
    assert (nobody.workforce, nobody.no_density) == (None, NoDensity.WORKFORCE_UNKNOWN)


def test_more_members_named_than_a_union_states_may_all_be_in_the_part() -> None:
    # An old statement of 5; 8 are named, and nobody wrote down who is in the unit of 10 of 20.
    part, site = Workforce.exactly(10), Workforce.exactly(20)
    found = part_density(Known(), Known(members=8), part, site, stated=StatedMembers.exactly(5))
    assert found is not None
    assert found.members == PeopleRange(0, 8)


def test_a_count_of_the_place_too_low_for_what_is_known_of_it_narrows_nothing() -> None:
    # Ten direct staff and three named of an agency cannot be the ten counted on site.
    part, site = Workforce.exactly(10), Workforce.exactly(10)
    figure = part_figure(Known(), Known(), Known(not_members=3), part, site)
    assert figure.fraction_range == Range(0.0, 1.0)
    assert figure.headcount_stale
    # Fifteen members stated cannot be on a site of ten: ten more may be outside a part of 5 to 8.
    stated = part_figure(
        Known(), Known(), Known(), Workforce(5, None, 8), site, StatedMembers.exactly(15)
    )
    assert stated.fraction_range == Range(5 / 8, 1.0)
    assert stated.headcount_stale


def test_more_people_named_than_work_at_the_whole_place_is_stale() -> None:
    part = Workforce.exactly(5)
    figure = part_figure(
        Known(members=1), Known(members=3), Known(members=3), part, Workforce.exactly(6)
    )
    assert figure.headcount_stale


def test_a_part_that_nobody_counted_has_members_and_no_density() -> None:
    figure = part_figure(Known(members=2), Known(not_known=3), Known(), None, Workforce.exactly(9))
    assert figure.no_density is NoDensity.WORKFORCE_UNKNOWN
    assert (figure.fraction_range, figure.member_range) == (None, PeopleRange(2, 5))
    whole = total_density([figure], surely=Known())
    assert (whole.workforce, whole.no_density) == (None, NoDensity.WORKFORCE_UNKNOWN)
    assert whole.all_members == 2


@pytest.mark.parametrize("seed", range(40))
def test_bounds_always_hold_the_hidden_truth(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(25):
        parts: list[PartDensity] = []
        true_members = true_workers = 0
        for _site in range(draw.randint(1, 4)):
            people = [
                (draw.random() < 0.6, draw.random() < draw.random())
                for _ in range(draw.randint(1, 30))
            ]
            inside = [member for belongs, member in people if belongs]
            counts = {True: [0, 0, 0], None: [0, 0, 0], False: [0, 0, 0]}
            for belongs, member in people:
                if draw.random() < 0.4:
                    continue  # Not named.
                knows_place = draw.random() < 0.5
                state = (0 if member else 1) if draw.random() < 0.7 else 2
                counts[belongs if knows_place else None][state] += 1
            spread = draw.randint(0, 5)
            part = Workforce(max(0, len(inside) - spread), None, len(inside) + draw.randint(0, 5))
            site = (
                None
                if draw.random() < 0.3
                else Workforce(max(0, len(people) - spread), None, len(people) + draw.randint(0, 5))
            )
            everybody = sum(member for _, member in people)
            off = draw.randint(0, 3)
            stated = StatedMembers(max(0, everybody - off), everybody, everybody + off)
            found = part_density(
                Known(*counts[True]),
                Known(*counts[None]),
                part,
                site,
                outside=Known(*counts[False]) if draw.random() < 0.7 else Known(),
                stated=stated if draw.random() < 0.3 else None,
            )
            if found is None:
                assert not inside
                continue
            assert found.members.low <= sum(inside) <= found.members.high
            if inside:
                assert found.share.low <= sum(inside) / len(inside) + 1e-12
                assert sum(inside) / len(inside) <= found.share.high + 1e-12
            parts.append(found)
            true_members += sum(inside)
            true_workers += len(inside)
        whole = together(parts)
        if whole is not None and true_workers:
            assert whole.low - 1e-12 <= true_members / true_workers <= whole.high + 1e-12
