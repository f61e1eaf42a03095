"""Rates of structure tests: everyone on the list is the base, and what is not known is a range."""

from __future__ import annotations

import random

import pytest

from crm.domain.structure import (
    CHECK_SIGNS,
    RISK,
    Deed,
    Listed,
    Rung,
    Tally,
    WhyNot,
    by_group,
    by_leader,
    calibration,
    check_sign,
    lowest_share,
    read_numbers,
    tally,
    tally_of,
    words_and_deeds,
    written_number,
)


def _one(key: int, deed: Deed | None = None, **more: object) -> Listed:
    values = {"group": "Pack", "leader": None, "rating": None, "assessor": None, "why": None}
    return Listed(key=key, deed=deed, **{**values, **more})  # type: ignore[arg-type]


def test_every_rung_of_the_ladder_has_a_risk_and_the_ladder_never_goes_down() -> None:
    risks = [RISK[rung] for rung in Rung]
    assert risks == sorted(risks)
    assert set(risks) == {1, 2, 3, 4, 5}


def test_the_rate_is_over_everyone_on_the_list_and_never_over_those_asked() -> None:
    found = tally([(Deed.DID, None)] * 3 + [(Deed.DID_NOT, WhyNot.REFUSED)] + [(None, None)] * 6)
    assert (found.listed, found.did, found.did_not, found.unknown) == (10, 3, 1, 6)
    assert found.low == pytest.approx(0.3)
    assert found.high == pytest.approx(0.9)


def test_a_promise_and_a_not_yet_are_not_known_and_not_done() -> None:
    found = tally([(Deed.WILL, None), (Deed.NOT_YET, None), (None, None), (Deed.DID, None)])
    assert (found.did, found.did_not, found.unknown, found.unheard) == (1, 0, 3, 1)
    assert (found.low, found.high) == (0.25, 1.0)
    assert found.reached == 3


def test_those_nobody_reached_did_not_take_part_and_were_not_reached() -> None:
    found = tally([(Deed.DID_NOT, why) for why in (*WhyNot, None)])
    assert (found.refused, found.not_reached, found.absent, found.did_not_other) == (1, 1, 1, 1)
    assert (found.did_not, found.unknown, found.reached) == (4, 0, 3)
    assert (found.low, found.high) == (0.0, 0.0)


def test_a_list_of_nobody_has_no_rate() -> None:
    assert (tally([]).low, tally([]).high) == (None, None)


@pytest.mark.parametrize(
    ("listed", "did", "target", "needed"),
    [(285, 132, 65, 54), (285, 186, 65, 0), (285, 185, 65, 1), (10, 0, 100, 10), (3, 0, 50, 2)],
)
def test_the_target_is_judged_on_whole_people(
    listed: int, did: int, target: int, needed: int
) -> None:
    assert Tally(listed=listed, did=did).needed(target) == needed


def test_the_groups_sum_to_the_whole_and_the_bounds_always_hold_the_truth() -> None:
    chance = random.Random(4)
    for _round in range(200):
        truth = {key: chance.random() < 0.5 for key in range(chance.randrange(1, 40))}
        people = []
        for key, did in truth.items():
            heard = chance.choice([None, Deed.WILL, Deed.DID if did else Deed.DID_NOT])
            people.append(_one(key, heard, group=chance.choice("abc")))
        whole = tally_of(people)
        assert whole.low is not None
        assert whole.high is not None
        assert whole.low <= sum(truth.values()) / len(truth) <= whole.high
        groups = by_group(people).values()
        for name in ("listed", "did", "did_not", "unknown", "will"):
            assert sum(getattr(one, name) for one in groups) == getattr(whole, name)


def test_a_leader_delivers_those_who_listen_and_never_themselves() -> None:
    people = [
        _one(1, Deed.DID, leader=1),
        _one(2, Deed.DID, leader=1),
        _one(3, leader=1),
        _one(4, Deed.DID),
    ]
    found = by_leader(people)
    assert set(found) == {1}
    assert (found[1].did, found[1].listed, found[1].unknown) == (1, 2, 1)


def test_words_and_deeds_name_only_those_of_whom_it_is_known() -> None:
    people = [
        _one(1, Deed.DID, rating=1),
        _one(2, Deed.DID_NOT, rating=2),
        _one(3, rating=2),
        _one(4, Deed.WILL, rating=1),
        _one(5, Deed.DID, rating=3),
        _one(6, Deed.DID, rating=5),
        _one(7, Deed.DID_NOT, rating=4),
        _one(8, Deed.DID, rating=None),
    ]
    found = words_and_deeds(people)
    assert found.said_yes_did_not == (2,)
    assert found.unsure_did == (5, 6)
    assert found.said_yes_unknown == 2


def test_how_somebody_judges_is_shown_from_ten_judgements_on() -> None:
    nine = [_one(key, Deed.DID, rating=1, assessor=7) for key in range(9)]
    assert calibration(nine) == {}
    tenth = _one(9, Deed.DID_NOT, rating=2, assessor=7)
    unsure = _one(10, Deed.DID, rating=3, assessor=7)
    found = calibration([*nine, tenth, unsure])
    assert (found[7].listed, found[7].did, found[7].did_not) == (10, 9, 1)


def test_a_number_from_the_sheet_is_read_with_its_letter_in_any_case() -> None:
    text = f"{written_number(3, 5).lower()}, {written_number(120, 5)} {written_number(3, 5)}"
    assert read_numbers(text, salt=5, last=120).numbers == (3, 120)


def test_a_wrong_digit_two_digits_that_changed_places_and_another_list_are_noticed() -> None:
    for number in range(1, 400):
        sign = check_sign(number, 11)
        digits = str(number)
        for place in range(len(digits)):
            for digit in "0123456789":
                other = int(digits[:place] + digit + digits[place + 1 :])
                assert other == number or check_sign(other, 11) != sign
        if len(digits) > 1 and digits[-1] != digits[-2]:
            swapped = int(digits[:-2] + digits[-1] + digits[-2])
            assert check_sign(swapped, 11) != sign
        assert check_sign(number, 12) != sign


@pytest.mark.parametrize("word", ["", "K", "3", "0", "999999999K", "-3K", "3KK"])
def test_what_is_no_number_of_the_list_is_handed_back(word: str) -> None:
    found = read_numbers(f"{written_number(2, 0)} {word}", salt=0, last=9)
    assert found.numbers == (2,)
    assert found.wrong == ((word,) if word else ())


def test_a_number_past_the_end_of_the_list_is_wrong() -> None:
    typed = written_number(10, 0)
    assert read_numbers(typed, salt=0, last=9).wrong == (typed,)
    assert len(set(CHECK_SIGNS)) == 23
    assert CHECK_SIGNS.isalpha()


def test_the_lowest_share_passes_over_groups_of_nobody() -> None:
    assert lowest_share([Tally(0), Tally(4, did=3), Tally(4, did=1)]) == 0.25
    assert lowest_share([]) is None
