"""What was typed into a page whose session had ended: it goes through the page that lets them in.

As hidden fields of that page, and back in their own browser's form: nothing of it is stored here.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flask import request

# The fields travel under this prefix, so that none can be taken for a field of the page itself.
KEPT: Final = "kept-"


def kept_fields() -> list[tuple[str, str]]:
    """Return what was typed into the posted form, so that it can be sent again.

    Left out: the form's token, which is stale, and passphrases, which no page ever shows.
    """
    return [
        (name, value)
        for name, values in request.form.lists()
        for value in values
        if name != "csrf_token" and "passphrase" not in name
    ]


def kept_of_stranger() -> list[tuple[str, str]]:
    """Return what a stranger typed; nothing of a form with a file, or one that is too long.

    A file cannot be kept in a page: they go back to the form and choose it again.
    """
    too_long = (request.content_length or 0) > (request.max_content_length or 0)
    return [] if too_long or request.files else kept_fields()


def as_hidden(kept: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the fields under the names that they travel by."""
    return [(KEPT + name, value) for name, value in kept]


def kept_before() -> list[tuple[str, str]]:
    """Return the fields that have travelled here, under their own names again."""
    return [
        (name.removeprefix(KEPT), value)
        for name, values in request.form.lists()
        if name.startswith(KEPT)
        for value in values
    ]


def safe_path(text: str | None) -> str | None:
    """Return a path of this site, or None for anything that a browser could take elsewhere."""
    if not text or not text.startswith("/") or text.startswith("//") or "\\" in text:
        return None
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else text
