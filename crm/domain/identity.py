"""Names and telephone numbers folded to one form, so that a search finds the person.

A folded form is for finding only. It is never shown, and two people may share one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Letters that Unicode does not take apart into a plain letter and a mark.
_LETTERS: Final = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ħ": "h",
        "ŧ": "t",
        "ı": "i",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ß": "ss",
        "ŋ": "n",
        "ĸ": "k",
    }
)
# Apostrophes of every keyboard, and the marks that stand in for them (also the Hawaiian 'okina).
_APOSTROPHES: Final = frozenset("'’‘ʼʻ`´′＇")
_PLAIN: Final = {
    code: None if chr(code) in _APOSTROPHES else " "
    for code in range(128)
    if not chr(code).isalnum()
}
# Vowel points that writers of Hebrew and Arabic leave out, and the accents of European letters.
# Other scripts' marks stay: without them a Japanese or Hindi name is another name.
_MARKS: Final = ((0x0300, 0x036F), (0x0591, 0x05C7), (0x064B, 0x0652), (0x0670, 0x0670))

_NOT_A_DIGIT: Final = re.compile(r"[^0-9]+")
_TRUNK_PREFIX: Final = "0"
_CALLING_CODES: Final[dict[str, str]] = {"GB": "44"}
_GB_NATIONAL_DIGITS: Final = 10


def fold(text: str) -> str:
    """The text as a search key: lower case, no accents, no apostrophes, single spaces.

    `Siobhán O’Neill-Łęcka` gives `siobhan oneill lecka`. Punctuation other than apostrophes
    becomes a space. Letters of other scripts stay in their script. Folding twice changes nothing.
    """
    if text.isascii():
        # Most names, and thirty times as fast: lists of a hundred thousand people are folded.
        return " ".join(text.lower().translate(_PLAIN).split())
    split = unicodedata.normalize("NFKD", text.replace("´", "'")).casefold()
    plain = unicodedata.normalize("NFKD", split).translate(_LETTERS)
    kept = (
        "" if letter in _APOSTROPHES or _is_dropped_mark(letter) else letter for letter in plain
    )
    spaced = (
        letter if letter.isalnum() or unicodedata.category(letter).startswith("M") else " "
        for letter in "".join(kept)
    )
    return unicodedata.normalize("NFC", " ".join("".join(spaced).split()))


def phone_key(text: str, region: str = "GB") -> str | None:
    """The number as digits with its country's code first, or None when there is no digit.

    `07700 900123`, `+44 (0)7700 900123` and `0044 7700 900 123` all give `447700900123`. In GB, a
    number of ten digits that starts with 1, 2, 3, 7 or 8 is taken to have lost its 0 in a
    spreadsheet.
    Limits: no check that the number exists; an extension's digits are kept as if part of the
    number; only GB's own numbers are given their code, those of other regions are left as written.
    """
    cleaned = text.strip()
    if cleaned.isascii():
        # Ten times as fast, for lists of a million people.
        digits = _NOT_A_DIGIT.sub("", cleaned)
    else:
        digits = "".join(
            str(value) for sign in cleaned if (value := unicodedata.decimal(sign, -1)) >= 0
        )
    if not digits:
        return None
    code = _CALLING_CODES.get(region)
    if cleaned.lstrip("( ").startswith(("+", "＋")):
        return _without_trunk(digits, code)
    if digits.startswith("00"):
        return _without_trunk(digits[2:], code) or digits
    if code is None:
        return digits
    if digits.startswith(_TRUNK_PREFIX):
        return code + digits[1:] if len(digits) > 1 else digits
    if len(digits) == _GB_NATIONAL_DIGITS and digits[0] in "12378":
        return code + digits
    return digits


def _without_trunk(digits: str, code: str | None) -> str:
    if code is not None and digits.startswith(code + _TRUNK_PREFIX):
        return code + digits[len(code) + 1 :]
    return digits


def _is_dropped_mark(letter: str) -> bool:
    return any(first <= ord(letter) <= last for first, last in _MARKS)


def short_name(name: str) -> str:
    """The first word of a name and the initial of its last: "Rukhsana Ali" gives "Rukhsana A.".

    A name of one word, one that ends in a number ("Night packer 3") or in an initial, stays as it
    is.
    """
    words = name.split()
    if len(words) < 2 or not words[-1][0].isalpha():
        return name
    return f"{words[0]} {words[-1][0].upper()}."
