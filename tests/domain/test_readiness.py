"""The readiness index and its gates, against worked figures and at both sides of each limit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.domain.headcount import Workforce
from crm.domain.readiness import (
    DEFAULT_TARGETS,
    DEFAULT_TERMS,
    UNKNOWN,
    BadTerms,
    Band,
    Finding,
    GateName,
    HeldTest,
    Measure,
    Part,
    Target,
    Terms,
    band_of,
    capacity,
    exact,
    law_gate,
    list_gate,
    over_workers,
    owners_gate,
    participation,
    plain_gate,
    readiness_index,
    shut_gates,
    structure_gate,
    whole_index,
)

WORKED = {
    Part.SUPPORT: 0.46,
    Part.PARTICIPATION: 0.58,
    Part.DENSITY: 0.62,
    Part.LEADERS: 0.70,
    Part.COVERAGE: 0.75,
    Part.CONTACT: 0.93,
    Part.ASSESSED: 0.77,
    Part.CAPACITY: 0.50,
}


def _known(shares: dict[Part, float]) -> dict[Part, Measure]:
    return {part: Measure(share, share) for part, share in shares.items()}


def test_the_worked_example_comes_out() -> None:
    index = readiness_index(_known(WORKED))
    assert round(index.low, 1) == round(index.high, 1) == pytest.approx(55.4)
    arithmetic = sum(score.target.weight * score.low for score in index.scores)
    assert round(100 * arithmetic, 1) == pytest.approx(57.8)
    assert index.unknown == ()
    assert index.bands == (Band.ORGANISE,)


def test_the_weights_add_up_to_one() -> None:
    assert math.isclose(sum(target.weight for target in DEFAULT_TARGETS.values()), 1)


def test_a_part_not_known_makes_a_range_that_holds_every_value_it_could_have() -> None:
    without = {part: share for part, share in WORKED.items() if part is not Part.DENSITY}
    ranged = readiness_index(_known(without))
    assert ranged.unknown == (Part.DENSITY,)
    for percent in range(101):
        whole = readiness_index(_known({**without, Part.DENSITY: percent / 100}))
        assert ranged.low - 1e-9 <= whole.low <= ranged.high + 1e-9
    assert len(ranged.bands) > 1


def test_nothing_known_is_neither_ready_nor_lost() -> None:
    index = readiness_index({})
    assert (round(index.low, 6), round(index.high, 6)) == (5, 100)
    assert index.bands == tuple(Band)


@given(
    st.dictionaries(
        st.sampled_from(list(Part)), st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=8
    )
)
def test_the_index_lies_between_five_and_a_hundred_and_low_is_not_above_high(
    shares: dict[Part, tuple[float, float]],
) -> None:
    index = readiness_index({part: Measure(min(one), max(one)) for part, one in shares.items()})
    assert 5 - 1e-9 <= index.low <= index.high <= 100 + 1e-9
    assert 5 - 1e-9 <= index.equal_low <= index.equal_high <= 100 + 1e-9
    assert index.weakest in index.scores


def test_a_test_fades_by_half_in_sixty_days() -> None:
    fresh = participation(0.6, 0.7, risk=2, age_days=0, took_part=60, listed=100)
    old = participation(0.6, 0.7, risk=2, age_days=60, took_part=60, listed=100)
    assert (fresh.low, fresh.high) == (0.6, 0.7)
    assert (old.low, old.high) == (0.3, 0.35)


def test_a_test_of_the_lowest_risk_proves_at_most_half() -> None:
    weak = participation(1.0, 1.0, risk=1, age_days=0, took_part=100, listed=100)
    real = participation(1.0, 1.0, risk=2, age_days=0, took_part=100, listed=100)
    scores = [
        next(
            score.low
            for score in readiness_index({Part.PARTICIPATION: one}).scores
            if score.part is Part.PARTICIPATION
        )
        for one in (weak, real)
    ]
    assert scores == [0.5, 1.0]


def test_a_share_of_nobody_is_not_known() -> None:
    assert exact(0, 0) == UNKNOWN
    assert exact(3, 4).low == 0.75


@pytest.mark.parametrize(
    ("index", "band"),
    [
        (0, Band.BUILD),
        (39.99, Band.BUILD),
        (40, Band.ORGANISE),
        (59.99, Band.ORGANISE),
        (60, Band.TEST_AGAIN),
        (79.99, Band.TEST_AGAIN),
        (80, Band.READY),
        (100, Band.READY),
    ],
)
def test_bands_begin_where_they_say(index: float, band: Band) -> None:
    assert band_of(index) is band


@pytest.mark.parametrize(
    ("age", "verified", "entitled", "is_open"),
    [
        (28, 95, 100, True),
        (29, 95, 100, False),
        (28, 94, 100, False),
        (None, 95, 100, None),
        (28, None, 100, None),
        (28, 0, 0, None),
    ],
)
def test_the_list_gate(
    age: int | None, verified: int | None, entitled: int, is_open: bool | None
) -> None:
    assert list_gate(age, verified, entitled).is_open is is_open


def test_a_list_that_was_not_gone_through_shuts_the_gate() -> None:
    assert list_gate(None, 100, 100, answered_no=True).is_open is False
    assert list_gate(None, 0, 0, answered_no=True).is_open is False


@pytest.mark.parametrize(
    ("index", "shown"), [(59.6, 59), (60.0, 60), (59.9999999999, 60), (5.0000001, 5), (100.0, 100)]
)
def test_the_index_that_is_shown_lies_in_its_band(index: float, shown: int) -> None:
    assert whole_index(index) == shown
    assert band_of(index) is band_of(shown)


@pytest.mark.parametrize(("chance", "is_open"), [(0.90, True), (0.8999, False), (None, None)])
def test_the_law_gate(chance: float | None, is_open: bool | None) -> None:
    assert law_gate(chance).is_open is is_open


@pytest.mark.parametrize(
    ("tests", "is_open"),
    [
        ([], False),
        ([HeldTest(3, 0.9, 0.9)], False),
        ([HeldTest(2, 0.7, 0.5), HeldTest(3, 0.65, 0.40)], True),
        ([HeldTest(3, 0.7, 0.5), HeldTest(3, 0.9, 0.9)], False),
        ([HeldTest(2, 0.7, 0.5), HeldTest(3, 0.6499, 0.5)], False),
        ([HeldTest(2, 0.7, 0.5), HeldTest(3, 0.65, 0.3999)], False),
        ([HeldTest(2, 0.7, None), HeldTest(3, 0.7, None)], None),
        # 60 of 100 did, of 40 nobody knows; then of 4 only, and then an area that can be enough.
        ([HeldTest(2, 0.7, 0.5), HeldTest(3, 0.6, 0.5, 1.0, 1.0)], None),
        ([HeldTest(2, 0.7, 0.5), HeldTest(3, 0.6, 0.5, 0.64, 0.6)], False),
        ([HeldTest(2, 0.7, 0.5), HeldTest(3, 0.7, 0.3, 0.9, 0.4)], None),
        ([HeldTest(2, 0.7, 0.5), HeldTest(3, 0.6, 0.3, 1.0, 0.39)], False),
        ([HeldTest(3, 0.7, 0.5), HeldTest(3, 0.6, 0.5, 1.0, 1.0)], False),
    ],
)
def test_the_tests_gate(tests: list[HeldTest], is_open: bool | None) -> None:
    assert structure_gate(tests).is_open is is_open


def test_every_area_needs_an_owner() -> None:
    assert owners_gate(3, 3).is_open is True
    assert owners_gate(2, 3).is_open is False
    assert owners_gate(0, 0).is_open is None


def test_red_gates_come_before_those_not_known_and_green_ones_are_left_out() -> None:
    gates = [
        plain_gate(GateName.TIMELINE, None),
        plain_gate(GateName.DECISION, True),
        owners_gate(1, 2),
    ]
    assert [gate.name for gate in shut_gates(gates)] == [GateName.OWNERS, GateName.TIMELINE]


@pytest.mark.parametrize("numbers", [(0.5, 0.5, 1.0), (0.6, 0.5, 1.0), (0.1, 1.1, 1.0), (0, 1, 0)])
def test_a_target_that_makes_no_sense_is_refused(numbers: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="A target needs 0 <= floor < target <= 1"):
        Target(*numbers)


@given(
    truth=st.integers(1, 400),
    share=st.floats(0, 1),
    below=st.integers(0, 50),
    above=st.integers(0, 50),
)
def test_a_share_of_all_workers_always_lies_in_its_range(
    truth: int, share: float, below: int, above: int
) -> None:
    people = round(share * truth)
    workforce = Workforce(max(0, truth - below), None, truth + above)
    found = over_workers(people, workforce, named=people)
    assert found.low <= people / truth <= found.high
    unknown = over_workers(people, None, named=min(truth, people + 3))
    assert unknown.low <= people / truth <= unknown.high


def test_of_no_workers_no_share_is_known() -> None:
    assert over_workers(0, Workforce.exactly(0), named=0) == UNKNOWN
    assert over_workers(0, None, named=0) == Measure(0, 1, 0)


@pytest.mark.parametrize(
    ("answers", "low", "high"),
    [
        ({}, 0, 1),
        ({Finding.FUND: True}, 1 / 3, 1),
        ({Finding.FUND: False, Finding.PICKETS: True}, 1 / 3, 2 / 3),
        ({Finding.FUND: True, Finding.PICKETS: True, Finding.HARDSHIP: True}, 1, 1),
        ({Finding.DECISION: True}, 0, 1),
    ],
)
def test_what_lasts_is_a_range_until_all_three_are_known(
    answers: dict[Finding, bool], low: float, high: float
) -> None:
    assert (capacity(answers).low, capacity(answers).high) == (low, high)


def test_terms_come_back_as_they_were_kept_and_bad_ones_are_refused() -> None:
    assert Terms.from_json(DEFAULT_TERMS.as_json()) == DEFAULT_TERMS
    some = Terms.from_json({"targets": {"support": [0.1, 0.2, 3]}, "limits": {"chance": 0.5}})
    assert some.targets[Part.SUPPORT] == Target(0.1, 0.2, 3)
    assert some.targets[Part.DENSITY] == DEFAULT_TARGETS[Part.DENSITY]
    assert some.limits.chance == 0.5
    for bad in (
        {"targets": {"support": [0.2, 0.2, 1]}, "limits": {}},
        {"targets": {"support": [0.1, 0.2, 0]}, "limits": {}},
        {"targets": {}, "limits": {"chance": 0}},
        {"targets": {}, "limits": {"list_age_days": 0}},
        {"targets": {}, "limits": {"luck": 1}},
        {},
    ):
        with pytest.raises(BadTerms):
            Terms.from_json(bad)


def test_what_is_known_to_fall_short_shuts_the_list_gate_by_itself() -> None:
    assert list_gate(None, 94, 100).is_open is False
    assert list_gate(None, 95, 100).is_open is None
    assert list_gate(29, None, 100).is_open is False
    assert list_gate(28, 95, 100).is_open is True
