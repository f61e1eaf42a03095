"""Random tokens that open a session or an invitation. Only their hash is ever stored."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

# A session that nobody used for this long has ended.
IDLE_LIMIT = timedelta(hours=12)

_BYTES = 32  # 256 bits: nobody guesses one, so a fast hash is enough to store it by.


def new_token() -> str:
    """Return a new random token of 256 bits, written with letters that an address may hold."""
    return secrets.token_urlsafe(_BYTES)


def token_hash(token: str) -> str:
    """Return the hash that is stored in place of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
