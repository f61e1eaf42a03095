"""Folded names and numbers find the person however they were typed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.identity import fold, phone_key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Siobhán O’Neill-Łęcka", "siobhan oneill lecka"),
        ("O'Brien", "obrien"),
        ("OʼBrien", "obrien"),
        ("O´Brien", "obrien"),
        ("  Jo   Ann\tSmith ", "jo ann smith"),
        ("Søren Weiß", "soren weiss"),
        ("STRASSE", "strasse"),
        ("Ærøskøbing", "aeroskobing"),
        ("Þórður", "thordur"),
        ("Đặng Văn Đức", "dang van duc"),
        ("İbrahim IŞIK", "ibrahim isik"),
        ("Işık", "isik"),
        ("Zoe\u0308", "zoe"),
        ("Ｔｏｍ", "tom"),
        ("St. Mary's (Ward 3)", "st marys ward 3"),
        ("", ""),
        ("...", ""),
    ],
)
def test_spellings_of_one_name_fold_to_one_key(text: str, key: str) -> None:
    assert fold(text) == key


def test_other_scripts_keep_the_marks_that_make_the_name() -> None:
    assert fold("がく") != fold("かく")
    assert fold("प्रिया") == "प्रिया"
    assert fold("مُحَمَّد") == "محمد"


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "text",
    [
        "07700 900123",
        "+44 7700 900123",
        "+44 (0)7700 900123",
        "(+44) 07700 900-123",
        "0044 7700 900 123",
        "00 44 (0) 7700 900123",
        "447700900123",
        "7700900123",
        "٠٧٧٠٠٩٠٠١٢٣",
        "tel: 07700 900123",
    ],
)
def test_every_way_to_write_a_british_number_gives_one_key(text: str) -> None:
    assert phone_key(text) == "447700900123"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("+33 1 99 00 12 34", "33199001234"),
        ("999", "999"),
        ("0", "0"),
        ("00", "00"),
        ("none", None),
        ("", None),
        ("+", None),
    ],
)
def test_other_numbers_stay_as_they_are_and_no_digit_is_none(text: str, key: str | None) -> None:
    assert phone_key(text) == key


def test_a_number_of_another_region_is_not_given_a_british_code() -> None:
    assert phone_key("01 99 00 12 34", region="FR") == "0199001234"


def test_plain_letters_fold_as_all_others_do() -> None:
    # A letter beyond ASCII at the end makes the same signs take the long way.
    for code in range(128):
        text = f"A{chr(code)}b {chr(code)}"
        assert fold(f"{text} ł") == f"{fold(text)} l", code
