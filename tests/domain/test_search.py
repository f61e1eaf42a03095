"""What a search means: terms, lines, slips of the finger, and who fits best."""

from __future__ import annotations

import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crm.domain.search import (
    Closeness,
    Term,
    closeness,
    cuts,
    entry_text,
    nearest,
    own_cut,
    slips,
    slips_allowed,
    terms_of,
    words_to_guess,
)

_PHONE = "447700900123"


def _fits(typed: str, line: str) -> bool:
    terms = terms_of(typed)
    return bool(terms) and all(any(way in line for way in term.ways()) for term in terms)


@pytest.mark.parametrize(
    "typed",
    [
        "siobhan",
        "SIOBHÁN",
        "Łęcka",
        "lecka sio",
        "o'neill",
        "oneill",
        "neil",
        "p",
        "pa",
        "packing",
        "siobhan packing 900123",
        "07700 900123",
        "+44 (0)7700 900 123",
        "0044 7700-900-123",
        "(07700) 900.123",
        "447700900123",
        "0123",
        "siobhan 07700 900123",
    ],
)
def test_a_line_is_found_by_each_way_of_writing_it(typed: str) -> None:
    line = entry_text(["Siobhán", "Siobhán O’Neill-Łęcka"], ["Packer", "Packing 3"], [_PHONE])

    assert _fits(typed, line)


@pytest.mark.parametrize("typed", ["iob hanna", "07700 900124", "kitchen", "ac", "!!!", "", "|"])
def test_what_is_not_there_does_not_fit(typed: str) -> None:
    line = entry_text(["Siobhán", None], ["Packer"], [_PHONE])

    assert not _fits(typed, line)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Jürgen Groß", "gross"),
        ("Søren Kjær", "soren kjaer"),
        ("İbrahim Yıldız", "ibrahim yildiz"),
        ("IŞIK", "ışık"),
        ("王小明", "小明"),
        ("王小明", "王"),
        ("김민수", "민수"),
        ("Владимир", "влад"),
        ("مُحَمَّد", "محمد"),
        ("प्रिया", "प्रिया"),
    ],
)
def test_names_of_many_scripts_are_found_without_their_marks(name: str, typed: str) -> None:
    assert _fits(typed, entry_text([name], [], []))


def test_short_numbers_belong_to_names_and_long_ones_to_phones() -> None:
    packer, three = terms_of("packer 3")[-2:]

    assert (packer.word, three.word) == ("packer", "3")
    assert terms_of("night 0770")[1].word is None
    assert terms_of("B4200") == (Term(("b4200",), "b4200"),)


def test_the_parts_of_a_line_are_names_work_and_phones() -> None:
    line = entry_text(["Ana", "Ana Silva"], [None, "Yard"], [_PHONE])

    assert line == f" ana silva | yard | {_PHONE} "
    assert words_to_guess(line) == {"ana", "silva", "yard"}


@pytest.mark.parametrize(
    ("typed", "word", "found"),
    [
        ("martta", "marta", 1),
        ("mrta", "marta", 1),
        ("mrata", "marta", 1),
        ("marsa", "marta", 1),
        ("maart", "marta", 2),
        ("kowlaksi", "kowalski", 2),
        ("marta", "pawel", None),
    ],
)
def test_slips_are_counted_with_swapped_letters_as_one(
    typed: str, word: str, found: int | None
) -> None:
    assert slips(typed, word, 2) == found


def test_longer_words_may_hold_more_slips_and_numbers_none() -> None:
    assert [slips_allowed(word) for word in ("ana", "anna", "popescu", "kowalski", "ward42")] == [
        *(0, 1, 1, 2, 0)
    ]
    assert nearest("marta", ["marta", "maria", "martha", "mart", "pawel"], most_words=2) == (
        *("maria", "mart"),
    )


@settings(max_examples=300, deadline=None)
@given(st.text("abcdef", min_size=4, max_size=14), st.integers(0, 10**9))
def test_every_word_within_the_slips_allowed_shares_a_number(typed: str, seed: int) -> None:
    chance = random.Random(seed)
    letters = list(typed)
    for _ in range(slips_allowed(typed)):
        at = chance.randrange(len(letters))
        way = chance.randrange(4)
        if way == 0:
            letters.insert(at, chance.choice("abcdef"))
        elif way == 1:
            letters.pop(at)
        elif way == 2:
            letters[at] = chance.choice("abcdef")
        else:
            letters[at : at + 2] = reversed(letters[at : at + 2])
    word = "".join(letters)

    # A slip in the place of another, as letters swapped around one left out, counts as three.
    assume(slips(typed, word, slips_allowed(typed)) is not None)
    if word in words_to_guess(f" {word} "):
        assert cuts(typed) & cuts(word)
        assert own_cut(word) in cuts(word)


def test_whole_names_fit_better_than_beginnings_parts_and_jobs() -> None:
    lines = {
        Closeness.EXACT: " mark o | | ",
        Closeness.PREFIX: " markus o | | ",
        Closeness.PART: " denmark o | | ",
        Closeness.ELSEWHERE: " ana o | market | ",
        Closeness.NEAR: " marek o | | ",
    }

    assert {fit: closeness(line, terms_of("mark")) for fit, line in lines.items()} == {
        fit: fit for fit in lines
    }
    assert closeness(" mark o | market | ", terms_of("mark market")) is Closeness.ELSEWHERE
