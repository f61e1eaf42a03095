"""Talk sheets on paper: the code on each, the marks on a line, and how they are typed in again."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final, TypeVar

from crm.domain.errors import Refusal
from crm.domain.vocabulary import ISSUES, Answer

Item = TypeVar("Item")

# No vowel, so that no word comes about, and nothing that is read for something else (0 O, 1 I L,
# Z, 5 S, 8 B, U). A prime number of signs: the sum below then catches every wrong sign and
# every two that changed places.
SIGNS: Final = "234679CDFGHJKMNPQRTVWXY"
RANDOM_SIGNS: Final = 6
GROUP: Final = 4

# How many people fit on one side of A4, with marks that can be ticked with a pen.
LINES: Final = 20
LINES_LARGE: Final = 12
MOST_SHEETS: Final = 10

# The letters of the issues on paper, in the order of the vocabulary: a to l.
LETTERS: Final = "abcdefghijkl"
ISSUE_OF: Final = dict(zip(LETTERS, ISSUES, strict=True))
ANSWER_OF: Final = {"y": Answer.YES, "n": Answer.NO, "w": Answer.NOT_YET}
TALKED_ONLY: Final = "x"


class Names(StrEnum):
    """How people are named on a sheet. The key, a sheet of its own, always has the names."""

    SHORT = "short"
    INITIALS = "initials"
    NUMBERS = "numbers"


class NotUnderstood(Refusal):
    """A sign on a line that stands for nothing."""

    default_message = "“%(sign)s” stands for nothing here. Use 1 to 5, a to l, y, n, w or x."


class TwoStands(Refusal):
    """Two numbers on one line."""

    default_message = "There are two numbers. Where they stand is one number from 1 to 5."


class TwoAnswers(Refusal):
    """Two answers on one line."""

    default_message = "There are two answers. Use one of y (yes), n (no) and w (not yet)."


class NothingAsked(Refusal):
    """An answer on a sheet that asks nothing."""

    default_message = "This sheet asks nothing, so there is no answer. Take y, n or w away."


@dataclass(frozen=True, slots=True)
class Line:
    """What was ticked for one person. rating None = not asked; answer None = not noted."""

    rating: int | None
    issues: tuple[str, ...]
    answer: Answer | None


def new_code() -> str:
    """Return a new code for a sheet: random signs, and one that tells of slips."""
    signs = "".join(secrets.choice(SIGNS) for _one in range(RANDOM_SIGNS))
    return signs + _check_sign(signs)


def written_code(code: str) -> str:
    """Return the code as it stands on paper, in two groups: "7KQ4 WDX"."""
    return f"{code[:GROUP]} {code[GROUP:]}"


def read_code(text: str) -> str | None:
    """Return the code that was typed, in any case and with any gaps; None for a slip."""
    signs = "".join(sign for sign in text.upper() if sign.isalnum())
    right_signs = len(signs) == RANDOM_SIGNS + 1 and all(sign in SIGNS for sign in signs)
    if not right_signs or _check_sign(signs[:RANDOM_SIGNS]) != signs[RANDOM_SIGNS]:
        return None
    return signs


def _check_sign(signs: str) -> str:
    total = sum(place * SIGNS.index(sign) for place, sign in enumerate(signs, start=2))
    return SIGNS[total % len(SIGNS)]


def read_line(text: str, *, asked: bool) -> Line | None:
    """Return what was typed for one person; None when nothing was: there was no talk.

    One digit from 1 to 5 is where they stand; letters a to l are what matters to them; y, n or w
    is what they said to the ask; x alone is a talk with nothing ticked. In any order and case,
    with or without gaps. asked: the sheet asks something.
    Raises NotUnderstood, TwoStands, TwoAnswers, NothingAsked.
    """
    signs = [sign for sign in text.lower() if not sign.isspace() and sign not in ",.;/"]
    if not signs:
        return None
    ratings: list[int] = []
    issues: list[str] = []
    answers: list[Answer] = []
    for sign in signs:
        if sign in "12345":
            ratings.append(int(sign))
        elif sign in ISSUE_OF:
            issues.append(ISSUE_OF[sign])
        elif sign in ANSWER_OF:
            answers.append(ANSWER_OF[sign])
        elif sign != TALKED_ONLY:
            raise NotUnderstood(sign=sign)
    if len(set(ratings)) > 1:
        raise TwoStands()
    if len(set(answers)) > 1:
        raise TwoAnswers()
    if answers and not asked:
        raise NothingAsked()
    return Line(
        rating=ratings[0] if ratings else None,
        issues=tuple(dict.fromkeys(issues)),
        answer=answers[0] if answers else None,
    )


def initials(name: str) -> str:
    """Return the first letters of a name's words, three at most: "Ioana Pop" gives "I. P."."""
    return " ".join(f"{word[0].upper()}." for word in islice(name.split(), 3))


def pages(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Return the items in order, `size` to a sheet."""
    return [items[start : start + size] for start in range(0, len(items), size)]
