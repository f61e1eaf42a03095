"""Signs that no text of ours needs: they show nothing, break files, or turn the words behind them.

Marks of one letter's direction (U+200E, U+200F) and joiners stay: names in many scripts need them.
"""

from __future__ import annotations

import re
from typing import Final

# Those that control a machine, but for tabs and ends of lines; halves of signs, which no database
# takes; and what is no sign at all, which makes a Word file or a page of XML unreadable.
_BROKEN: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
# They turn or set apart all that follows in the line, also what is not part of the text: with one
# in a name, a list can be made to show another number than it holds. Phones put them round numbers.
_TURNING: Final = r"\u202a-\u202e\u2066-\u2069"

_BREAKS: Final = re.compile(f"[{_BROKEN}]")
_TURNS: Final = re.compile(f"[{_TURNING}]")
_HIDDEN: Final = re.compile(f"[{_BROKEN}{_TURNING}]")


def cannot_be_shown(text: str) -> bool:
    """Return whether a text holds a sign that cannot be stored or shown."""
    return _BREAKS.search(text) is not None


def not_turned(text: str) -> str:
    """Return a text without the signs that turn what follows."""
    return _TURNS.sub("", text)


def plain_signs(text: str) -> str:
    """Return a text without all of these signs."""
    return _HIDDEN.sub("", text)
