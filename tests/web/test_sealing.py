"""What a phone seals only this server opens, and only together with what it was bound to."""

from __future__ import annotations

import base64

import pytest
from flask import Flask

from crm.web.sealing import NotForUs, open_sealed, public_key, seal


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> object:
    with app.app_context():
        yield


def test_what_is_sealed_to_the_server_is_opened_by_it() -> None:
    letter = seal(b"a talk", "its id", public_key())
    assert open_sealed(letter, "its id") == b"a talk"


def test_two_letters_of_the_same_words_are_not_alike() -> None:
    assert seal(b"a talk", "its id", public_key()) != seal(b"a talk", "its id", public_key())


def test_a_letter_bound_to_another_id_is_refused() -> None:
    with pytest.raises(NotForUs, match="sealed to another server, or changed on its way"):
        open_sealed(seal(b"a talk", "one id", public_key()), "another id")


def test_a_changed_letter_is_refused() -> None:
    raw = bytearray(base64.b64decode(seal(b"a talk", "its id", public_key())))
    raw[-1] ^= 1
    with pytest.raises(NotForUs, match="sealed to another server, or changed on its way"):
        open_sealed(base64.b64encode(raw).decode(), "its id")


@pytest.mark.parametrize("letter", ["", "no letter", "AAAA", base64.b64encode(b"\4" * 90).decode()])
def test_what_is_no_letter_is_refused(letter: str) -> None:
    with pytest.raises(NotForUs, match="not a sealed letter"):
        open_sealed(letter, "its id")


def test_another_secret_opens_nothing_and_an_old_one_still_does(app: Flask) -> None:
    letter = seal(b"a talk", "its id", public_key())
    old = app.config["SECRET_KEY"]
    try:
        app.config["SECRET_KEY"] = "a new secret of thirty-two letters"
        with pytest.raises(NotForUs, match="sealed to another server, or changed on its way"):
            open_sealed(letter, "its id")
        app.config["SECRET_KEY_FALLBACKS"] = [old]
        assert open_sealed(letter, "its id") == b"a talk"
    finally:
        app.config["SECRET_KEY"] = old
        app.config["SECRET_KEY_FALLBACKS"] = None
