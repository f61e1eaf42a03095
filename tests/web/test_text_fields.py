"""Fields of text: what is refused, and what is left out of what was typed."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from crm.features.workplaces.forms import LongTextField
from crm.web.forms import Form, TextField

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


class _Words(Form):
    line = TextField("Line", limit=40)
    lines = LongTextField("Lines", limit=40)


def _typed(app: Flask, text: str) -> Any:
    with app.test_request_context(method="POST"):
        form = _Words(MultiDict({"line": text, "lines": text}), meta={"csrf": False})
        form.validate()
        return form


@pytest.mark.parametrize("text", ["a\x00b", "a\x85b", "a\uffffb"])
def test_signs_that_no_file_takes_are_refused(app: Flask, text: str) -> None:
    form = _typed(app, text)
    assert set(form.errors) == {"line", "lines"}


def test_signs_that_turn_what_follows_are_left_out(app: Flask) -> None:
    form = _typed(app, "\u202a07700 900123\u202c")
    assert (form.errors, form.line.data, form.lines.data) == ({}, "07700 900123", "07700 900123")
