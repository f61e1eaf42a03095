"""Numbers in forms: read as people write them, one plain sentence for what is none."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms.validators import NumberRange, Optional

from crm.web.forms import Form, ShareField, WholeNumberField, WholePercentField


class _Asked(Form):
    whole = WholeNumberField("Papers", [Optional(), NumberRange(0, 9_999, "Enter a number.")])
    target = WholePercentField("Target", [Optional(), NumberRange(1, 100, "Enter 1 to 100.")])
    share = ShareField("Share", places=None, validators=[NumberRange(0, 100, "Enter a share.")])


@pytest.mark.parametrize(
    ("whole", "share", "read"),
    [
        ("1204", "65", (1204, 65.0)),
        ("1,204", "65%", (1204, 65.0)),
        ("1 204", " 62.5 % ", (1204, 62.5)),
        ("", "0", (None, 0.0)),
    ],
)
def test_a_number_is_read_as_people_write_it(
    app: Flask, whole: str, share: str, read: tuple[Any, ...]
) -> None:
    with app.test_request_context():
        form = _Asked(formdata=MultiDict({"whole": whole, "share": share}))
        assert form.validate()
        assert (form.whole.data, float(form.share.data)) == read


@pytest.mark.parametrize("text", ["12,5", "1,2,3", "twelve", "12.5", "1,2045", "99999"])
def test_what_is_no_number_is_refused_in_one_sentence(app: Flask, text: str) -> None:
    with app.test_request_context():
        form = _Asked(formdata=MultiDict({"whole": text, "share": "many"}))
        assert not form.validate()
        assert form.errors == {"whole": ["Enter a number."], "share": ["Enter a share."]}


@pytest.mark.parametrize(("text", "read"), [("65", 65), ("65%", 65), ("65 %", 65), ("65.5%", None)])
def test_a_target_may_have_its_sign(app: Flask, text: str, read: int | None) -> None:
    with app.test_request_context():
        form = _Asked(formdata=MultiDict({"target": text, "share": "1"}))
        assert form.validate() is (read is not None)
        assert form.target.data == read
