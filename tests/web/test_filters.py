"""Numbers in words."""

from __future__ import annotations

import pytest
from flask import Flask

from crm.web.filters import chance_text


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0.0, "under 1%"),
        (0.0049, "under 1%"),
        (0.005, "1%"),
        (0.94, "94%"),
        (0.9949, "99%"),
        (0.995, "over 99%"),
        (1.0, "over 99%"),
    ],
)
def test_a_chance_is_never_said_to_be_none_or_sure(app: Flask, chance: float, words: str) -> None:
    with app.test_request_context():
        assert chance_text(chance) == words
