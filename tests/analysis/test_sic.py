"""Rules of the SIC 2007 list."""

from __future__ import annotations

import pytest

from crm.domain.sic import sic_codes, sic_description, sic_section


def test_the_list_holds_all_731_codes_with_five_digits_each() -> None:
    assert len(sic_codes()) == 731
    assert {len(code) for code in sic_codes()} == {5}


def test_a_code_with_a_leading_zero_is_found_only_with_its_zero() -> None:
    assert sic_description("01120") == "Growing of rice"
    assert sic_description("1120") is None


def test_an_unknown_code_has_no_description_and_no_section() -> None:
    assert sic_description("00000") is None
    assert sic_section("00000") is None


@pytest.mark.parametrize(
    ("code", "letter"),
    [
        ("01110", "A"),
        ("05101", "B"),
        ("33200", "C"),
        ("35110", "D"),
        ("36000", "E"),
        ("43999", "F"),
        ("45111", "G"),
        ("53202", "H"),
        ("56302", "I"),
        ("58110", "J"),
        ("66300", "K"),
        ("68100", "L"),
        ("75000", "M"),
        ("82990", "N"),
        ("84110", "O"),
        ("85421", "P"),
        ("86101", "Q"),
        ("93290", "R"),
        ("96090", "S"),
        ("98000", "T"),
        ("99000", "U"),
    ],
)
def test_the_first_two_digits_decide_the_section(code: str, letter: str) -> None:
    section = sic_section(code)
    assert section is not None
    assert section[0] == letter


def test_every_code_but_the_dormant_company_has_one_of_21_sections() -> None:
    without = [code for code in sic_codes() if sic_section(code) is None]
    letters = {section[0] for code in sic_codes() if (section := sic_section(code))}
    assert without == ["99999"]
    assert sorted(letters) == list("ABCDEFGHIJKLMNOPQRSTU")
