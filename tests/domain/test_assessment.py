"""Which assessment counts, how old it is, and when two assessors disagree."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

from crm.domain.assessment import (
    RATING_KEYS,
    Assessment,
    Basis,
    ExpiryRule,
    Freshness,
    current,
    disagreement,
    freshness_of,
    is_firm,
)
from crm.domain.ids import UserId

_DAY = date(2026, 3, 1)


def _assessment(
    rating: int = 3,
    *,
    days: int = 0,
    hour: int = 9,
    basis: Basis = Basis.SAID,
    by: int | None = 1,
) -> Assessment:
    day = _DAY + timedelta(days=days)
    return Assessment(
        day=day,
        recorded_at=datetime(day.year, day.month, day.day, hour, tzinfo=UTC),
        rating=rating,
        basis=basis,
        assessor_id=None if by is None else UserId(by),
    )


def test_nobody_has_assessed_is_none_and_not_a_middle_score() -> None:
    assert current([], _DAY) is None
    assert current([_assessment(1, days=1)], _DAY) is None


def test_the_latest_day_wins_whenever_it_was_written_down() -> None:
    written_late = Assessment(
        day=_DAY,
        recorded_at=datetime(2026, 5, 1, tzinfo=UTC),
        rating=5,
        basis=Basis.TOLD,
        assessor_id=UserId(2),
    )
    newer = _assessment(2, days=3)
    found = current([written_late, newer], _DAY + timedelta(days=10))
    assert found is not None
    assert (found.rating, found.key, found.firm, found.age_days) == (2, "with_us", True, 7)


def test_on_one_day_the_last_written_down_wins() -> None:
    found = current([_assessment(4, hour=17), _assessment(1, hour=8)], _DAY)
    assert found is not None
    assert found.rating == 4


def test_a_full_tie_goes_to_the_cautious_one_in_any_order() -> None:
    tied = [
        _assessment(1),
        _assessment(2, basis=Basis.ACTION),
        _assessment(2, basis=Basis.INFERRED),
    ]
    for order in permutations(tied):
        found = current(order, _DAY)
        assert found is not None
        assert found.assessment == tied[2]


@pytest.mark.parametrize(
    ("age", "freshness"),
    [
        (0, Freshness.FRESH),
        (60, Freshness.FRESH),
        (61, Freshness.STALE),
        (120, Freshness.STALE),
        (121, Freshness.EXPIRED),
    ],
)
def test_freshness_changes_after_the_last_day_of_each_limit(age: int, freshness: Freshness) -> None:
    found = current([_assessment(1)], _DAY + timedelta(days=age))
    assert found is not None
    assert found.freshness is freshness
    assert found.rating == 1


def test_the_limits_are_a_setting_in_order() -> None:
    assert freshness_of(8, ExpiryRule(fresh_days=7, stale_days=7)) is Freshness.EXPIRED
    with pytest.raises(ValueError, match=r"^Days must satisfy 0 <= fresh_days <= stale_days\.$"):
        ExpiryRule(fresh_days=61, stale_days=60)


def test_only_what_they_did_or_said_is_firm() -> None:
    assert [basis for basis in Basis if is_firm(basis)] == [Basis.ACTION, Basis.SAID]


@pytest.mark.parametrize("rating", [0, 6])
def test_a_score_off_the_scale_is_refused(rating: int) -> None:
    with pytest.raises(ValueError, match=r"^A rating is a whole number from 1 to 5\.$"):
        _assessment(rating)


def test_every_score_has_its_words() -> None:
    assert list(RATING_KEYS) == [1, 2, 3, 4, 5]


def test_two_assessors_two_points_apart_disagree() -> None:
    two, four = _assessment(2, by=1), _assessment(4, by=2, days=5)
    found = disagreement([four, two], _DAY + timedelta(days=6))
    assert found is not None
    assert (found.strongest, found.weakest, found.points) == (two, four, 2)


def test_one_point_apart_is_no_disagreement() -> None:
    assert disagreement([_assessment(2, by=1), _assessment(3, by=2)], _DAY) is None


def test_an_assessor_who_changed_their_mind_does_not_disagree_with_themselves() -> None:
    both = [_assessment(1, by=1), _assessment(4, by=1, days=2)]
    assert disagreement(both, _DAY + timedelta(days=2)) is None


def test_each_assessor_speaks_by_their_latest_as_at_the_day() -> None:
    rows = [_assessment(1, by=1), _assessment(5, by=2), _assessment(2, by=2, days=2)]
    before = disagreement(rows, _DAY + timedelta(days=1))
    assert before is not None
    assert before.points == 4
    assert disagreement(rows, _DAY + timedelta(days=2)) is None


def test_an_expired_view_shows_that_the_person_moved_and_not_a_disagreement() -> None:
    rows = [_assessment(1, by=1), _assessment(5, by=2, days=100)]
    assert disagreement(rows, _DAY + timedelta(days=120)) is not None
    assert disagreement(rows, _DAY + timedelta(days=121)) is None


def test_an_assessment_by_nobody_known_is_no_second_assessor() -> None:
    assert disagreement([_assessment(1, by=None), _assessment(5, by=2)], _DAY) is None
