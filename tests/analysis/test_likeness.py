"""Which records look like one person, and which must never be taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.likeness import fake_1000, febrl, measure
from crm.analysis.likeness import compare, find_matches, find_pairs, kept_keys, prepare
from crm.domain.likeness import Band, Known, Likeness, Reason, may_go_by

DATA = Path(__file__).parents[1] / "data"
PHONE = frozenset({"447700900123"})


def _alike(one: Known, other: Known) -> Likeness:
    found = compare(prepare(one), prepare(other))
    assert found == compare(prepare(other), prepare(one))
    return found


def _named(*names: str, **more: frozenset[str]) -> Known:
    return Known(names=names, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Siobhán O'Neill", "SIOBHAN ONEILL"),
        ("José García", "Jose Garcia"),
        ("Tomasz Kowalski", "Kowalski Tomasz"),
        ("Bob Smith", "Robert Smith"),
        ("Katarzyna Nowak", "Kasia Nowak"),
        ("Mohammed Hussain", "Muhammad Hussein"),
        ("Rukhsana Ali", "Rukhsanna Ali"),
        ("Сергей Иванов", "Сергей Иваноф"),
        ("山田太郎", "山田太郎"),
        ("فاطمة الزهراء", "فاطِمة الزهراء"),
    ],
)
def test_one_person_by_name_and_phone_is_almost_sure(one: str, other: str) -> None:
    assert _alike(_named(one, phones=PHONE), _named(other, phones=PHONE)).band is Band.SURE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anil Patel", "Sunita Patel"),
        ("John Smith", "James Smith"),
        ("J Smith", "K Smith"),
        ("Ioana P", "Ioana Dumitru"),
        ("李伟", "李娜"),
    ],
)
def test_a_family_that_shares_a_phone_is_never_almost_sure(one: str, other: str) -> None:
    found = _alike(_named(one, phones=PHONE), _named(other, phones=PHONE))
    assert found.band is not Band.SURE
    assert Reason.OTHER_NAME in dict(found.reasons)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Amir Khan", "Amira Khan"), ("Ivan Petrov", "Ivana Petrova"), ("Paul Smith", "Paula Smith")],
)
def test_names_of_a_man_and_a_woman_that_differ_at_the_end_are_never_almost_sure(
    one: str, other: str
) -> None:
    at_home = {"phones": PHONE, "addresses": frozenset({"1 mill lane barnsley"})}
    assert _alike(_named(one, **at_home), _named(other, **at_home)).band is Band.MAYBE


def test_a_name_alone_is_never_almost_sure() -> None:
    here = frozenset({7})
    one = Known(names=("Ioana Popescu",), workplaces=here, areas=frozenset({8}))
    found = _alike(one, one)
    assert found.band is Band.MAYBE
    assert Reason.SAME_WORKPLACE in dict(found.reasons)


def test_a_phone_alone_is_only_a_question() -> None:
    found = _alike(_named("Ioana", phones=PHONE), _named("Ioana Popescu", phones=PHONE))
    assert found.band is Band.MAYBE


def test_names_in_two_scripts_neither_agree_nor_differ() -> None:
    found = _alike(_named("Иван Петров", phones=PHONE), _named("Ivan Petrov", phones=PHONE))
    assert [reason for reason, _ in found.reasons] == [Reason.SAME_PHONE]
    assert found.band is Band.MAYBE


def test_a_name_that_one_goes_by_elsewhere_speaks_for_them() -> None:
    one = _named("Jojo Bloggs", phones=PHONE)
    other = _named("Jojo", "Ferdinand Bloggs", phones=PHONE)
    assert _alike(one, other).band is Band.SURE


def test_the_reasons_add_up_to_the_points() -> None:
    found = _alike(
        _named("Bob Smith", phones=PHONE), _named("Robert Smith", phones=frozenset({"44161"}))
    )
    assert found.points == sum(points for _, points in found.reasons)
    assert dict(found.reasons)[Reason.OTHER_PHONE] < 0


def test_short_forms_go_both_ways_and_do_not_reach_further() -> None:
    assert may_go_by("bob", "robert")
    assert may_go_by("robert", "bob")
    assert not may_go_by("robert", "roberta")
    assert not may_go_by("bob", "bob's")


def test_matches_are_found_among_others_and_come_likeliest_first() -> None:
    others = [
        _named("Ioana Popescu"),
        _named("Ioana Popescu", phones=PHONE),
        _named("Tomasz Kowalski"),
    ]
    (found,) = find_matches([_named("Ioana Popesco", phones=PHONE)], others)
    assert [number for number, _ in found] == [1, 0]
    assert found[0][1].band is Band.SURE


def test_a_name_of_very_many_words_is_kept_under_few_numbers_and_still_found() -> None:
    """By every two of its words a short list of such names would fill the server's memory."""
    words = [f"{first}{second}" for first in "bcdfghjk" for second in ("an", "eo", "il", "um")]
    long = _named(" ".join(words), workplaces=frozenset({1}))  # type: ignore[arg-type]
    assert len(kept_keys(prepare(long))) < 100
    (found,) = find_matches([_named(" ".join(words[:-1]), phones=PHONE)], [long, _named("Bo Li")])
    assert [number for number, _ in found] == [0]


def test_pairs_hold_each_two_once_and_nobody_with_themselves() -> None:
    people = [_named("Ioana Popescu", phones=PHONE)] * 3
    assert sorted((pair.first, pair.second) for pair in find_pairs(people)) == [
        (0, 1),
        (0, 2),
        (1, 2),
    ]


def test_febrl_people_that_are_ticked_beforehand_are_the_same() -> None:
    sure, every, _seconds = measure(febrl(DATA / "dedupe-febrl", 1, days=True))
    assert sure.precision is not None
    assert sure.precision >= 0.99
    assert sure.recall >= 0.7
    assert every.precision is not None
    assert every.precision >= 0.99
    assert every.recall >= 0.95


def test_fake_people_that_are_ticked_beforehand_are_the_same() -> None:
    folder = DATA / "dedupe-splink-fake1000"
    for days, least in ((True, 0.5244), (False, 0.5)):
        sure, every, _seconds = measure(fake_1000(folder, days=days))
        assert sure.precision is not None
        assert sure.precision >= 0.99
        assert every.precision is not None
        assert every.precision >= 0.98
        assert every.recall >= least
