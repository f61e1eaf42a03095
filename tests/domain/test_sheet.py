"""Codes that tell of slips, and lines typed in from paper."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.domain.errors import Refusal
from crm.domain.sheet import (
    ISSUE_OF,
    RANDOM_SIGNS,
    SIGNS,
    Line,
    initials,
    new_code,
    pages,
    read_code,
    read_line,
    written_code,
)
from crm.domain.vocabulary import ISSUES, Answer


def test_a_code_is_read_however_it_is_typed() -> None:
    for _time in range(50):
        code = new_code()
        assert len(code) == RANDOM_SIGNS + 1
        for typed in (code, written_code(code), code.lower(), f" {code[:3]}-{code[3:]} "):
            assert read_code(typed) == code


def test_the_signs_of_a_code_are_not_mixed_up_by_eye() -> None:
    # 2 stays: without Z beside it nothing looks like it.
    assert not set(SIGNS) & set("0O1ILZ5S8BUAE")
    assert len(SIGNS) == 23


@given(place=st.integers(0, RANDOM_SIGNS), other=st.sampled_from(SIGNS))
def test_one_wrong_sign_is_noticed(place: int, other: str) -> None:
    code = new_code()
    wrong = code[:place] + other + code[place + 1 :]
    assert read_code(wrong) == (code if wrong == code else None)


@given(first=st.integers(0, RANDOM_SIGNS - 1), second=st.integers(0, RANDOM_SIGNS - 1))
def test_two_signs_that_changed_places_are_noticed(first: int, second: int) -> None:
    code = new_code()
    signs = list(code)
    signs[first], signs[second] = signs[second], signs[first]
    swapped = "".join(signs)
    assert read_code(swapped) == (code if swapped == code else None)


@pytest.mark.parametrize("text", ["", "?", "7KQ", "ABCDEFG", "7KQ4WDX7KQ4WDX"])
def test_what_is_no_code_is_none(text: str) -> None:
    assert read_code(text) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", None),
        ("  ", None),
        ("x", Line(None, (), None)),
        ("2", Line(2, (), None)),
        ("2acy", Line(2, ("pay", "shifts"), Answer.YES)),
        ("Y 2 C,A", Line(2, ("shifts", "pay"), Answer.YES)),
        ("w", Line(None, (), Answer.NOT_YET)),
        ("22aa nn", Line(2, ("pay",), Answer.NO)),
    ],
)
def test_a_line_is_read_in_any_order_and_case(text: str, line: Line | None) -> None:
    assert read_line(text, asked=True) == line


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("7", "“7” stands for nothing here. Use 1 to 5, a to l, y, n, w or x."),
        ("2m", "“m” stands for nothing here. Use 1 to 5, a to l, y, n, w or x."),
        ("12", "There are two numbers. Where they stand is one number from 1 to 5."),
        ("yn", "There are two answers. Use one of y (yes), n (no) and w (not yet)."),
    ],
)
def test_a_line_that_cannot_be_right_says_why(text: str, sentence: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_line(text, asked=True)
    assert str(refused.value) == sentence


def test_an_answer_on_a_sheet_that_asks_nothing_is_refused() -> None:
    with pytest.raises(Refusal, match="This sheet asks nothing"):
        read_line("2y", asked=False)


@given(text=st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        line = read_line(text, asked=True)
    except Refusal:
        return
    assert line is None or set(line.issues) <= set(ISSUES)


def test_each_issue_has_a_letter_of_its_own() -> None:
    assert sorted(ISSUE_OF.values()) == sorted(ISSUES)
    assert not set(ISSUE_OF) & set("ynwx")


def test_names_and_pages() -> None:
    assert initials("Ioana Pop") == "I. P."
    assert [list(one) for one in pages(list(range(5)), 2)] == [[0, 1], [2, 3], [4]]
    assert pages([], 20) == []
