"""Dots in the abbreviations of a name."""

from __future__ import annotations

import pytest

from crm.domain.identity import fold
from crm.domain.place_likeness import join_initials, with_and_without_dots


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Wath D.C.", "Wath DC"),
        ("R.N.L.I. Boathouse", "RNLI Boathouse"),
        ("J & J Foods", "JJ Foods"),
    ],
)
def test_a_name_with_dots_and_without_is_the_same(name: str, other: str) -> None:
    assert join_initials(fold(name)) == fold(other)
    assert fold(other) in with_and_without_dots(fold(name))
    assert fold(name) in with_and_without_dots(fold(other))


def test_numbers_and_long_words_stay_as_they_are() -> None:
    assert join_initials("unit 4 b") == "unit 4 b"
    assert with_and_without_dots("unit 4 b mill") == {"unit 4 b m i l l", "u n i t 4 b mill"}
    assert with_and_without_dots("packing") == set()
