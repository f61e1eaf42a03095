"""Passphrases: how they are stored, which are refused, and what is offered to people.

argon2id with 64 MiB, three passes and one lane (RFC 9106; OWASP asks for at least 19 MiB and two
passes). Length is what counts: no rules about digits or signs, a list of what is guessed first.
"""

from __future__ import annotations

import base64
import re
import secrets
import threading
import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from crm.domain.errors import Refusal
from crm.domain.identity import fold

SHORTEST: Final = 12
LONGEST: Final = 200
WORDS_OFFERED: Final = 6

_MEMORY_KIB: Final = 65536
_PASSES: Final = 3
_HASHER = PasswordHasher(memory_cost=_MEMORY_KIB, time_cost=_PASSES, parallelism=1)
# Each hash takes 64 MiB: more than two at once would let strangers fill the server's memory.
_AT_ONCE = threading.BoundedSemaphore(2)


class WeakPassphrase(Refusal):
    """A passphrase that is short, or among those that are guessed first."""


def hash_passphrase(text: str) -> str:
    """Return the argon2id hash to store, with its settings and a salt of its own."""
    with _AT_ONCE:
        return _HASHER.hash(_same_form(text))


def verify(stored: str | None, text: str) -> bool:
    """Return True when the text is the passphrase behind the stored hash.

    stored: None when there is no such user or no passphrase yet; the same work is done then, so
    that the time taken tells a stranger nothing.
    """
    with _AT_ONCE:
        try:
            _HASHER.verify(stored or _nobody(), _same_form(text))
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Return True when the hash was made with weaker settings than those of today."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _nobody() -> str:
    """Return a hash that no passphrase has: random bytes in place of a result."""
    salt, result = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32)
    )
    return f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p=1${salt}${result}"


def _same_form(text: str) -> str:
    """Return the text as every keyboard would send it: accents composed, outer space gone."""
    return unicodedata.normalize("NFKC", text).strip()


def suggestion() -> str:
    """Return six random words: more than 60 bits, and something a person can remember."""
    words = word_list()
    return " ".join(secrets.choice(words) for _ in range(WORDS_OFFERED))


@cache
def word_list() -> tuple[str, ...]:
    """Return the plain words that suggestions are made of: at least 1,024, none twice."""
    text = (Path(__file__).with_name("words.txt")).read_text(encoding="ascii")
    return tuple(text.split())


def refuse_weak(text: str, *, names: tuple[str, ...] = ()) -> None:
    """Raise WeakPassphrase when the text is too short, too long or easy to guess.

    names: the sign-in name and the name of the person, which are guessed first.
    """
    plain = _same_form(text)
    if len(plain) < SHORTEST:
        raise WeakPassphrase("Use 12 letters or more. Several words together are best.")
    if len(plain) > LONGEST:
        raise WeakPassphrase("Use 200 letters or fewer.")
    core = fold(plain).replace(" ", "") or plain
    if len(set(core)) < 5 or core in (core + core)[1:-1]:
        raise WeakPassphrase(
            "This repeats itself, so it is easy to guess. Use several different words."
        )
    if len(_without_guesses(core, names)) < 6:
        raise WeakPassphrase(
            "This is easy to guess: it is made of common words, your name or keys in a row. "
            "Use several words that have nothing to do with you."
        )


def _without_guesses(core: str, names: tuple[str, ...]) -> str:
    """Return the different letters that are left when all that is guessed first is taken out."""
    own = {part for name in names for part in (*fold(name).split(), fold(name).replace(" ", ""))}
    guesses = sorted({part for part in own if len(part) >= 3} | _COMMON, key=len, reverse=True)
    for guess in guesses:
        core = core.replace(guess, " ")
    for line in _KEYS_IN_A_ROW:
        for size in range(len(line), 3, -1):
            for start in range(len(line) - size + 1):
                core = core.replace(line[start : start + size], " ")
    return re.sub(r"[\d\s]", "", core)


_ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertz", "azerty")
_KEYS_IN_A_ROW: Final = (*_ROWS, *(row[::-1] for row in _ROWS))

# What lists of leaked passwords start with, and the words that this program's users would add.
_COMMON_WORDS: Final = """
    password passphrase passwort passw0rd p455w0rd pa55word pass word letmein welcome login signin
    admin administrator root user guest test testing default changeme change secret master access
    hello iloveyou love lovely sunshine princess dragon monkey football baseball superman batman
    trustno1 shadow michael jordan charlie ashley bailey jessica daniel thomas george jennifer
    hunter ranger buster soccer hockey killer pepper ginger summer winter spring autumn monday
    tuesday wednesday thursday friday saturday sunday january february march april june july august
    september october november december liverpool arsenal chelsea everton rangers celtic manchester
    london england scotland ireland wales britain starwars pokemon computer internet samsung google
    facebook freedom whatever flower cheese chocolate cookie banana qazwsx 1q2w3e4r 1qaz2wsx zaq1
    abc123 fuckyou money mother father baby angel family please open sesame correct horse battery
    staple shopfloor union unison unite organise organiser organizer solidarity strike workers
    worker branch rep practice workplace
    """
_COMMON: Final = frozenset(_COMMON_WORDS.split())
