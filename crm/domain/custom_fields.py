"""Answers to the fields that a branch makes for itself: how they are typed, and what is refused.

Whatever brings an answer in (a form, an imported file) goes through ``parse_answer``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Final
from uuid import UUID

from crm.domain.errors import Refusal
from crm.domain.identity import fold
from crm.domain.signs import cannot_be_shown
from crm.domain.vocabulary import FieldKind

LONGEST_TEXT: Final = 300
# Beyond this a number could not be stored exactly with its decimals.
LARGEST: Final = 1e9
MOST_DECIMALS: Final = 4

# The answer as a value: the words, a number, a day, yes or no, or the public id of a choice.
Answer = str | float | date | bool | UUID

_NUMBER: Final = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[+-]?\d+(?:\.\d+)?")
_DAYS: Final = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y")
_YES: Final = frozenset({"yes", "y", "true", "1"})
_NO: Final = frozenset({"no", "n", "false", "0"})


class NotThatKind(Refusal):
    """The words are no answer of the field's kind."""


NOT_A_NUMBER: Final = "Enter a number like 12 or 12.5."
NUMBER_TOO_LONG: Final = "Enter a number below 1,000,000,000, with 4 digits or fewer after the dot."
NOT_A_DAY: Final = "Enter a date like 14/05/2026."
NOT_A_CHOICE: Final = "Choose one from the list."
NOT_YES_OR_NO: Final = "Enter yes or no. Leave it empty if it is not known."
TOO_LONG: Final = "Use %(limit)s letters or fewer."
CANNOT_BE_SHOWN: Final = "Take out the characters that cannot be shown."


def parse_answer(
    kind: FieldKind, text: str, choices: Mapping[UUID, str] | None = None
) -> Answer | None:
    """Return what was typed as an answer of that kind; None for nothing, which is "not known".

    choices: the choices of the field, public id to name; a choice is given by its id or, in any
    case and with or without accents, by its name. Raises NotThatKind with a sentence that says
    what to do.
    """
    typed = text.strip()
    if not typed:
        return None
    if kind is FieldKind.NUMBER:
        return _number(typed)
    if kind is FieldKind.DAY:
        return _day(typed)
    if kind is FieldKind.YES_NO:
        return _yes_or_no(typed)
    if kind is FieldKind.CHOICE:
        return _choice(typed, choices or {})
    if len(typed) > LONGEST_TEXT:
        raise NotThatKind(TOO_LONG, limit=LONGEST_TEXT)
    if cannot_be_shown(typed) or any(letter in "\t\r\n" for letter in typed):
        raise NotThatKind(CANNOT_BE_SHOWN)
    return typed


def answer_text(answer: Answer) -> str:
    """Return an answer as text that ``parse_answer`` takes as the same answer."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, float):
        return number_text(answer)
    return answer.isoformat() if isinstance(answer, date) else str(answer)


def number_text(value: float) -> str:
    """Return a number as it can be typed again: 12 and not 12.0, with a dot and no commas."""
    return str(int(value)) if value == int(value) else f"{value:.{MOST_DECIMALS}f}".rstrip("0")


def _number(typed: str) -> float:
    if not _NUMBER.fullmatch(typed) or not typed.isascii():
        raise NotThatKind(NOT_A_NUMBER)
    value = float(typed.replace(",", ""))
    decimals = len(typed.partition(".")[2].rstrip("0"))
    if not math.isfinite(value) or abs(value) >= LARGEST or decimals > MOST_DECIMALS:
        raise NotThatKind(NUMBER_TOO_LONG)
    return value


def _day(typed: str) -> date:
    for form in _DAYS:
        try:
            found = datetime.strptime(typed, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        if 1900 <= found.year <= 2200:
            return found
    raise NotThatKind(NOT_A_DAY)


def _yes_or_no(typed: str) -> bool:
    word = typed.casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise NotThatKind(NOT_YES_OR_NO)


def _choice(typed: str, choices: Mapping[UUID, str]) -> UUID:
    wanted = fold(typed)
    for public_id, name in choices.items():
        if typed == str(public_id) or (wanted and wanted == fold(name)):
            return public_id
    raise NotThatKind(NOT_A_CHOICE)
