"""Browsers that somebody signed in from before: they keep a count of tries of their own.

Without it, ten wrong tries by a stranger would keep the true owner of a sign-in name out. Signing
out makes the browser forget this too: on a shared computer nothing may say who was here.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta

from flask import after_this_request, current_app, request
from werkzeug.wrappers import Response

from crm.web.guard import keyed_hash

KEPT_FOR = timedelta(days=180)
_LONGEST = 200


def known_device(folded_name: str) -> str | None:
    """Return the id of this browser when this name signed in from it before, else None.

    folded_name: the sign-in name as typed, folded. A browser that knows one name is a stranger
    to every other, and a value that this server did not sign is nobody's.
    """
    value = request.cookies.get(_cookie(), "")[:_LONGEST]
    device, _, mark = value.partition(".")
    good = hmac.compare_digest(mark.encode(), _mark(device, folded_name).encode())
    return device if device and good else None


def remember_device(folded_name: str) -> None:
    """Have the browser keep, with this answer, that the name signed in from it.

    The cookie holds a random id and a mark made with the server's secret: no name, and nothing
    that lets anybody in.
    """
    device = known_device(folded_name) or secrets.token_hex(16)

    @after_this_request
    def keep(answer: Response) -> Response:
        answer.set_cookie(
            _cookie(),
            f"{device}.{_mark(device, folded_name)}",
            max_age=KEPT_FOR,
            secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
            httponly=True,
            samesite="Lax",
            path="/",
        )
        return answer


def _cookie() -> str:
    # The same prefix as the session's cookie: over TLS it is bound to this host.
    return str(current_app.config["SESSION_COOKIE_NAME"]).removesuffix("s") + "d"


def _mark(device: str, folded_name: str) -> str:
    return keyed_hash(f"device {device} {folded_name}")
