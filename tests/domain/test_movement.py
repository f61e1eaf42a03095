"""Causes of a change: each move has at most one, and together they are the whole change."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.domain.movement import (
    Cause,
    Move,
    Moves,
    Named,
    State,
    Whole,
    YearOfChange,
    cause_of,
    effects,
)

_EVERY = [
    Move(here_before, before, here_after, after)
    for here_before, before, here_after, after in product(
        (False, True), State, (False, True), State
    )
]
_moves = st.dictionaries(st.sampled_from(_EVERY), st.integers(0, 300)).map(Moves)
_numbers = st.integers(1, 5000).map(float) | st.floats(0.5, 9999, allow_nan=False).map(
    lambda number: round(number, 2)
)

K, N, M = State.NOT_KNOWN, State.NOT_MEMBER, State.MEMBER


@pytest.mark.parametrize(
    ("move", "cause"),
    [
        (Move(True, N, True, M), Cause.RECRUITED),
        (Move(True, K, True, M), Cause.RECRUITED),
        (Move(False, K, True, M), Cause.RECRUITED_NEW),
        (Move(False, N, True, M), Cause.RECRUITED_NEW),
        (Move(False, M, True, M), Cause.CAME_AS_MEMBER),
        (Move(False, N, True, N), Cause.CAME),
        (Move(False, M, True, K), Cause.CAME),
        (Move(True, M, True, N), Cause.LAPSED),
        (Move(True, M, True, K), Cause.NO_LONGER_KNOWN),
        (Move(True, M, False, M), Cause.MEMBER_LEFT),
        (Move(True, M, False, N), Cause.MEMBER_LEFT),
        (Move(True, N, False, N), Cause.OTHER_LEFT),
        (Move(True, K, False, M), Cause.OTHER_LEFT),
        (Move(True, K, True, N), None),
        (Move(True, M, True, M), None),
        (Move(False, M, False, M), None),
    ],
)
def test_each_move_has_the_cause_that_its_two_days_say(move: Move, cause: Cause | None) -> None:
    assert cause_of(move) is cause


def test_a_small_unit_worked_by_hand() -> None:
    # 40 of 100, then: 6 recruited, 2 lapsed, 5 members and 4 others left, 15 workers more.
    moves = Moves(
        {
            Move(True, M, True, M): 33,
            Move(True, N, True, M): 6,
            Move(True, M, True, N): 2,
            Move(True, M, False, M): 5,
            Move(True, N, False, N): 4,
        }
    )
    assert moves.before == Named(40, 10, 0)
    assert moves.after == Named(39, 2, 0)
    found = {one.cause: one for one in effects(moves, Whole(40.0, 100.0), Whole(39.0, 115.0))}
    of_member, of_worker = (
        (Fraction(1, 100) + Fraction(1, 115)) / 2,
        Fraction(79, 2 * 100 * 115),
    )
    assert found[Cause.RECRUITED].share == 6 * of_member
    assert found[Cause.LAPSED].share == -2 * of_member
    assert found[Cause.MEMBER_LEFT].share == -5 * of_member + 5 * of_worker
    # A worker who is no member goes, and the share rises: that is no success of ours.
    assert found[Cause.OTHER_LEFT].share == 4 * of_worker
    # 15 more workers, though 9 named ones left: 24 came whom we cannot name.
    assert found[Cause.HEADCOUNT].people == 24
    assert found[Cause.HEADCOUNT].share == -24 * of_worker
    assert sum(one.share or 0 for one in found.values()) == Fraction(39, 115) - Fraction(40, 100)


@given(moves=_moves, workers=st.tuples(_numbers, _numbers), stated=st.tuples(_numbers, _numbers))
def test_the_parts_add_up_exactly_to_every_whole(
    moves: Moves, workers: tuple[float, float], stated: tuple[float, float]
) -> None:
    before = Whole(moves.before.members + round(stated[0]), workers[0])
    after = Whole(moves.after.members + round(stated[1]), workers[1])
    found = effects(moves, before, after)
    e0, e1 = Fraction(repr(workers[0])), Fraction(repr(workers[1]))
    m0, m1 = Fraction(int(before.members)), Fraction(int(after.members))
    assert sum(one.members for one in found) == m1 - m0
    assert sum(one.workers for one in found) == e1 - e0
    assert sum(one.share or 0 for one in found) == m1 / e1 - m0 / e0


@given(moves=_moves)
def test_the_causes_of_named_people_explain_both_lists_and_nothing_else(moves: Moves) -> None:
    counted = moves.by_cause()
    joined = counted[Cause.RECRUITED] + counted[Cause.RECRUITED_NEW]
    came = counted[Cause.RECRUITED_NEW] + counted[Cause.CAME_AS_MEMBER] + counted[Cause.CAME]
    left = counted[Cause.MEMBER_LEFT] + counted[Cause.OTHER_LEFT]
    lost = counted[Cause.LAPSED] + counted[Cause.NO_LONGER_KNOWN] + counted[Cause.MEMBER_LEFT]
    assert moves.after.people - moves.before.people == came - left
    assert (
        moves.after.members - moves.before.members == joined + counted[Cause.CAME_AS_MEMBER] - lost
    )


def test_no_workers_on_a_day_gives_counts_and_no_share() -> None:
    found = effects(Moves({Move(True, M, False, M): 3}), Whole(3.0, 8.0), Whole(0.0, 0.0))
    assert {one.share for one in found} == {None}
    assert sum(one.members for one in found) == -3


def test_nobody_named_in_a_year_gives_no_rate() -> None:
    assert YearOfChange(0, 0, 0, 0, None).leaver_share is None
    year = YearOfChange(6, 2, 3, 1, Fraction(24))
    assert (year.leaver_share, year.stand_still) == (Fraction(1, 4), 5)
