"""Whose somebody is: by hand, by the smallest area, by shift, or nobody's."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from crm.domain.turf import Patch, patches_by_place, rep_of, talk_order

AREA, AROUND, SITE = 1, 2, 3
PLACES = [AREA, AROUND, SITE]
NIGHTS = 7


def test_by_hand_comes_before_everything() -> None:
    patches = patches_by_place([Patch(5, AREA, NIGHTS)])
    assert rep_of(PLACES, NIGHTS, picked_by=4, patches=patches) == 4


def test_the_smallest_area_comes_first_and_in_it_the_shift() -> None:
    everything = [
        Patch(1, SITE, None),
        Patch(2, SITE, NIGHTS),
        Patch(3, AROUND, None),
        Patch(4, AREA, None),
        Patch(5, AREA, NIGHTS),
    ]
    for number in (5, 4, 3, 2, 1):
        patches = patches_by_place(one for one in everything if one.rep <= number)
        assert rep_of(PLACES, NIGHTS, picked_by=None, patches=patches) == number


def test_a_shift_that_is_not_known_is_no_shift_at_all() -> None:
    patches = patches_by_place([Patch(5, AREA, NIGHTS)])
    assert rep_of(PLACES, None, picked_by=None, patches=patches) is None


def test_two_for_the_same_place_leave_it_with_the_first() -> None:
    patches = patches_by_place([Patch(2, AREA, None), Patch(1, AREA, None)])
    assert rep_of(PLACES, None, picked_by=None, patches=patches) == 2


@given(
    patches=st.lists(
        st.builds(
            Patch,
            rep=st.integers(1, 9),
            place=st.integers(1, 5),
            shift=st.sampled_from([None, NIGHTS, 8]),
        )
    ),
    shift=st.sampled_from([None, NIGHTS, 8]),
)
def test_somebody_has_a_rep_exactly_when_some_patch_covers_them(
    patches: list[Patch], shift: int | None
) -> None:
    covering = {one.rep for one in patches if one.place in PLACES and one.shift in {None, shift}}
    found = rep_of(PLACES, shift, picked_by=None, patches=patches_by_place(patches))
    assert (found in covering) if covering else found is None


def test_nobody_talked_to_comes_before_the_oldest_talk() -> None:
    days = [date(2026, 5, 1), None, date(2025, 5, 1)]
    assert sorted(days, key=talk_order) == [None, date(2025, 5, 1), date(2026, 5, 1)]
