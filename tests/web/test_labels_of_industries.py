"""The words for industries are those of the published list."""

from __future__ import annotations

from flask import Flask

from crm.domain.sic import sections
from crm.web.labels import INDUSTRIES


def test_every_section_of_the_list_has_its_published_name(app: Flask) -> None:
    with app.test_request_context("/"):
        assert {letter: str(words) for letter, words in INDUSTRIES.items()} == dict(sections())
