"""Signs that no text of ours may hold."""

from __future__ import annotations

import pytest

from crm.domain.signs import cannot_be_shown, not_turned, plain_signs


@pytest.mark.parametrize("sign", ["\x00", "\x0b", "\x7f", "\x9f", "\ud800", "\ufdd0", "\uffff"])
def test_what_no_file_or_database_takes_is_known(sign: str) -> None:
    assert cannot_be_shown(f"An{sign}na")
    assert plain_signs(f"An{sign}na") == "Anna"


@pytest.mark.parametrize("sign", ["\u202a", "\u202c", "\u202e", "\u2066", "\u2069"])
def test_what_turns_the_words_behind_it_is_left_out_and_nothing_else(sign: str) -> None:
    assert not cannot_be_shown(f"07700{sign} 900123")
    assert not_turned(f"07700{sign} 900123") == plain_signs(f"07700{sign} 900123") == "07700 900123"


def test_words_of_every_script_keep_all_their_signs() -> None:
    words = "Łukasz\tשלום\u200f \u200eعلی‌رضا 🙂\nक्ष\u200d"
    assert plain_signs(words) == not_turned(words) == words
    assert not cannot_be_shown(words)
