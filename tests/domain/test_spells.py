"""Spells are half-open, and knowledge of them too."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.errors import DatesOutOfOrder
from crm.domain.spells import check_order, covers, known_at, overlaps

_START = date(2026, 3, 1)
_OFFSET = st.integers(0, 12)


def _day(offset: int) -> date:
    return _START + timedelta(days=offset)


def test_the_first_day_counts_and_the_end_day_does_not() -> None:
    assert covers(_day(0), _day(2), _day(0))
    assert covers(_day(0), _day(2), _day(1))
    assert not covers(_day(0), _day(2), _day(2))
    assert not covers(_day(0), _day(2), _day(0) - timedelta(days=1))


def test_an_open_spell_never_stops_counting() -> None:
    assert covers(_day(0), None, date(9999, 12, 31))


def test_a_spell_of_no_days_covers_nothing() -> None:
    assert not covers(_day(1), _day(1), _day(1))
    assert not overlaps(_day(1), _day(1), _day(0), None)


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(
        DatesOutOfOrder, match=r"^The end date is before the start date\. Check both dates\.$"
    ):
        check_order(_day(1), _day(0))


def test_equal_and_open_ends_are_in_order() -> None:
    assert check_order(_day(1), _day(1)) is None
    assert check_order(_day(1), None) is None


def test_spells_that_meet_on_a_day_do_not_overlap() -> None:
    assert not overlaps(_day(0), _day(3), _day(3), None)
    assert overlaps(_day(0), _day(4), _day(3), None)


@settings(max_examples=200)
@given(_OFFSET, st.none() | _OFFSET, _OFFSET, st.none() | _OFFSET)
def test_overlap_means_a_shared_day(a: int, b: int | None, c: int, d: int | None) -> None:
    first = (_day(a), None if b is None else _day(b))
    second = (_day(c), None if d is None else _day(d))
    shared = any(covers(*first, _day(n)) and covers(*second, _day(n)) for n in range(40))
    assert overlaps(*first, *second) is shared
    assert overlaps(*second, *first) is shared


def test_a_fact_is_believed_from_its_recording_until_its_correction() -> None:
    recorded = datetime(2026, 3, 1, 9, tzinfo=UTC)
    corrected = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert not known_at(recorded, None, recorded - timedelta(seconds=1))
    assert known_at(recorded, None, recorded)
    assert known_at(recorded, corrected, corrected - timedelta(seconds=1))
    assert not known_at(recorded, corrected, corrected)
    assert known_at(corrected, None, corrected)
