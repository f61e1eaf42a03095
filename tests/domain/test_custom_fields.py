"""Answers to fields: what each kind takes, and the whole sentence of each refusal."""

from __future__ import annotations

import uuid
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.domain.custom_fields import NotThatKind, number_text, parse_answer
from crm.domain.vocabulary import FieldKind

# Fixed: they are in the names of the tests, which must be the same in every process.
CAR = uuid.UUID("6d0f6c5e-2f0b-4a0c-9a53-0a6f3a1f0c01")
BUS = uuid.UUID("6d0f6c5e-2f0b-4a0c-9a53-0a6f3a1f0c02")
CHOICES = {CAR: "Own car", BUS: "Autobús 47"}


@pytest.mark.parametrize("kind", list(FieldKind))
@pytest.mark.parametrize("nothing", ["", "  ", "\t"])
def test_nothing_typed_is_not_known_and_never_zero_or_no(kind: FieldKind, nothing: str) -> None:
    assert parse_answer(kind, nothing, CHOICES) is None


@pytest.mark.parametrize(
    ("kind", "typed", "answer"),
    [
        (FieldKind.NUMBER, "0", 0.0),
        (FieldKind.NUMBER, "1,204.5", 1204.5),
        (FieldKind.NUMBER, "-3", -3.0),
        (FieldKind.DAY, "2026-05-14", date(2026, 5, 14)),
        (FieldKind.DAY, "14/05/2026", date(2026, 5, 14)),
        (FieldKind.YES_NO, "No", False),
        (FieldKind.YES_NO, "YES", True),
        (FieldKind.CHOICE, str(CAR), CAR),
        (FieldKind.CHOICE, "autobus 47", BUS),
        (FieldKind.TEXT, "  late bus  ", "late bus"),
    ],
)
def test_what_was_typed_becomes_an_answer_of_its_kind(
    kind: FieldKind, typed: str, answer: object
) -> None:
    found = parse_answer(kind, typed, CHOICES)
    assert found == answer
    assert type(found) is type(answer)


@pytest.mark.parametrize(
    ("kind", "typed", "sentence"),
    [
        (FieldKind.NUMBER, "twelve", "Enter a number like 12 or 12.5."),
        (FieldKind.NUMBER, "12,5", "Enter a number like 12 or 12.5."),
        (FieldKind.NUMBER, "nan", "Enter a number like 12 or 12.5."),
        (FieldKind.NUMBER, "1e5", "Enter a number like 12 or 12.5."),
        (FieldKind.NUMBER, "١٢", "Enter a number like 12 or 12.5."),
        (
            FieldKind.NUMBER,
            "1.23456",
            "Enter a number below 1,000,000,000, with 4 digits or fewer after the dot.",
        ),
        (
            FieldKind.NUMBER,
            "1000000000",
            "Enter a number below 1,000,000,000, with 4 digits or fewer after the dot.",
        ),
        (FieldKind.DAY, "31/02/2026", "Enter a date like 14/05/2026."),
        (FieldKind.DAY, "14/05/0026", "Enter a date like 14/05/2026."),
        (FieldKind.CHOICE, "Bike", "Choose one from the list."),
        (FieldKind.CHOICE, "6d0f6c5e-2f0b-4a0c-9a53-0a6f3a1f0c03", "Choose one from the list."),
        (FieldKind.YES_NO, "maybe", "Enter yes or no. Leave it empty if it is not known."),
        (FieldKind.TEXT, "x" * 301, "Use 300 letters or fewer."),
        (FieldKind.TEXT, "a\x07b", "Take out the characters that cannot be shown."),
    ],
)
def test_what_is_no_such_answer_is_refused_with_what_to_do(
    kind: FieldKind, typed: str, sentence: str
) -> None:
    with pytest.raises(NotThatKind) as refused:
        parse_answer(kind, typed, CHOICES)
    assert str(refused.value) == sentence


@given(st.decimals(-999_999_999, 999_999_999, places=4))
def test_a_number_shown_can_be_typed_again_and_is_the_same(value: object) -> None:
    stored = parse_answer(FieldKind.NUMBER, f"{value:f}")
    assert isinstance(stored, float)
    assert parse_answer(FieldKind.NUMBER, number_text(stored)) == stored


@given(st.sampled_from(list(FieldKind)), st.text(max_size=40))
def test_any_text_is_an_answer_or_a_sentence(kind: FieldKind, typed: str) -> None:
    try:
        answer = parse_answer(kind, typed, CHOICES)
    except NotThatKind as refused:
        said, answer = str(refused), None
    else:
        said = ""
    assert said.endswith(".") or answer is not None or not typed.strip()
