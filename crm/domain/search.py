"""What a search for people means: terms from what was typed, one line of text for each job, and
how near a line is to the terms.

A line ("entry text") holds folded words, each with a space before and after it:
`" siobhan oneill lecka | packer packing | 447700900123 "`: names, then job and area, then phones.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from crm.domain.identity import fold, phone_key

# Fewer digits than this are part of a name ("Night packer 3"), not of a telephone number.
LEAST_PHONE_DIGITS: Final = 4
# Shorter parts are looked for where a word begins: inside of words they are everywhere.
LEAST_INNER_PART: Final = 3
# Shorter words have too many neighbours to guess; longer ones may have a second slip.
_ONE_SLIP_FROM: Final = 4
_TWO_SLIPS_FROM: Final = 8
_LONGEST_GUESSED: Final = 40
# "Alli" may be meant for "Ali".
_SHORTEST_MEANT: Final = _ONE_SLIP_FROM - 1
# Slips are looked up by what is left of the first letters of a word when some are taken out.
_HEAD: Final = 7

_NUMBER = re.compile(r"[+(\uff0b]*\d[\d\s().\-/\u2010-\u2015]*")
# Scripts that write names without spaces: each sign counts as a word there.
_SIGN = re.compile(
    "([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff]|[\U00020000-\U0003ffff])"
)


class Closeness(enum.IntEnum):
    """How well a person fits what was typed; the worst of its terms counts. Smaller is better."""

    EXACT = 0
    PREFIX = 1
    PART = 2
    ELSEWHERE = 3
    NEAR = 4


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that must be found in a line: any of the parts.

    word: the folded word, or None for a telephone number. near: known words with a slip or two
    between them and this word, nearest first, which may stand in its place.
    """

    parts: tuple[str, ...]
    word: str | None
    near: tuple[str, ...] = ()

    def ways(self) -> tuple[str, ...]:
        """Return the texts of which a line must hold one."""
        return (*self.parts, *(f" {word} " for word in self.near))


def terms_of(text: str) -> tuple[Term, ...]:
    """Return what must be found, in the order it was typed. Empty when nothing can be looked for.

    A run of four or more digits, in any way of writing a telephone number, is one term.
    """
    found: list[Term] = []
    rest = 0
    for run in _NUMBER.finditer(text):
        digits = "".join(sign for sign in run.group() if sign.isdecimal())
        before, after = text[: run.start()][-1:], text[run.end() :][:1]
        # "B4200" is one word of letters and digits.
        glued = before.isalpha() or (after.isalpha() and run.group()[-1].isdecimal())
        if len(digits) < LEAST_PHONE_DIGITS or glued:
            continue
        found += _words(text[rest : run.start()])
        found.append(_number(run.group(), digits))
        rest = run.end()
    found += _words(text[rest:])
    return tuple(dict.fromkeys(found))


def _words(text: str) -> list[Term]:
    return [_term(word) for word in fold(text).split()]


def _term(word: str) -> Term:
    spaced = " ".join(_SIGN.sub(r" \1 ", word).split())
    if spaced != word or _SIGN.fullmatch(word):
        end = " " if _SIGN.fullmatch(spaced[-1]) else ""
        return Term((f" {spaced}{end}",), spaced)
    return Term((word if len(word) >= LEAST_INNER_PART else f" {word}",), word)


def _number(written: str, digits: str) -> Term:
    plain = "".join(str(int(sign)) for sign in digits)
    # A part of a number may start with the 0 that the stored key has not, or with one inside.
    parts = {plain, plain.lstrip("0"), phone_key(written) or plain}
    return Term(tuple(sorted(part for part in parts if len(part) >= LEAST_PHONE_DIGITS)), None)


def entry_text(
    names: Iterable[str | None], work: Iterable[str | None], phones: Iterable[str]
) -> str:
    """Return the line that is searched for one job of a person.

    names: all that the person is called. work: job title and area. phones: folded numbers. None
    and empty texts are left out.
    """
    parts = (_folded(names), _folded(work), " ".join(sorted(set(phones))))
    return f" {' '.join(' | '.join(parts).split())} "


def _folded(texts: Iterable[str | None]) -> str:
    words = [word for text in texts if text for word in fold(text).split()]
    spaced = " ".join(dict.fromkeys(words))
    return " ".join(_SIGN.sub(r" \1 ", spaced).split())


def words_to_guess(text: str) -> set[str]:
    """Return the words of a line that may be meant when a word was typed with a slip."""
    return {
        word
        for word in text.split()
        if _SHORTEST_MEANT <= len(word) <= _LONGEST_GUESSED
        and not any(sign.isdecimal() for sign in word)
    }


def slips_allowed(word: str) -> int:
    """Return how many slips a typed word may hold: 0, 1 or 2 by its length; none in numbers."""
    if not _ONE_SLIP_FROM <= len(word) <= _LONGEST_GUESSED or any(
        sign.isdecimal() for sign in word
    ):
        return 0
    return 2 if len(word) >= _TWO_SLIPS_FROM else 1


def cuts(word: str) -> set[int]:
    """Return numbers under which a word is kept, so that the same word with slips shares one.

    Each number stands for what is left of the word's first letters when some are taken out: two
    words with a slip between them have such a rest in common (deletion neighbourhood).
    """
    # A typed word of eight letters may miss two of a word of ten, or have two more than one of six.
    depth = 2 if len(word) >= _TWO_SLIPS_FROM - 2 else 1
    head = word[:_HEAD]
    rests = {head}
    for gone in range(1, depth + 1):
        for kept in combinations(head, max(len(head) - gone, 0)):
            rests.add("".join(kept))
    return {_number_of(rest) for rest in rests}


def own_cut(word: str) -> int:
    """Return the number of the word's own first letters, one of its ``cuts``."""
    return _number_of(word[:_HEAD])


def _number_of(rest: str) -> int:
    return int.from_bytes(hashlib.blake2b(rest.encode(), digest_size=6).digest())


def slips(typed: str, word: str, most: int) -> int | None:
    """Return the slips between two words: letters left out, put in, changed or swapped with the
    next. None when there are more than `most`.
    """
    if abs(len(typed) - len(word)) > most:
        return None
    before: list[int] = []
    row = list(range(len(word) + 1))
    for i, letter in enumerate(typed, start=1):
        above, before_above = row, before
        row = [i]
        for j, other in enumerate(word, start=1):
            least = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (0 if letter == other else 1))
            if i > 1 and j > 1 and letter == word[j - 2] and typed[i - 2] == other:
                least = min(least, before_above[j - 2] + 1)
            row.append(least)
        before = above
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None


def nearest(typed: str, known: Iterable[str], *, most_words: int) -> tuple[str, ...]:
    """Return the known words that the typed one may stand for, nearest first, without itself."""
    allowed = slips_allowed(typed)
    found = []
    for word in set(known) - {typed}:
        between = slips(typed, word, allowed)
        if between is not None:
            found.append((between, word))
    return tuple(word for _, word in sorted(found)[:most_words])


def closeness(text: str, terms: Sequence[Term]) -> Closeness:
    """Return how well a line fits the terms, all of which it must hold."""
    names = text.split("|", 1)[0]
    return max((_closeness(text, names, term) for term in terms), default=Closeness.EXACT)


def _closeness(text: str, names: str, term: Term) -> Closeness:
    if term.word is None:
        whole = any(f" {part} " in text for part in term.parts)
        return Closeness.EXACT if whole else Closeness.PART
    if f" {term.word} " in names:
        return Closeness.EXACT
    if f" {term.word}" in names:
        return Closeness.PREFIX
    if any(part in names for part in term.parts):
        return Closeness.PART
    if any(part in text for part in term.parts):
        return Closeness.ELSEWHERE
    return Closeness.NEAR


def grams(part: str) -> tuple[str, ...]:
    """Return each three letters in a row of a text, as both databases keep them in their index."""
    return tuple(dict.fromkeys(part[i : i + 3] for i in range(len(part) - 2)))
