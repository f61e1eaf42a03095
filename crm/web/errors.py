"""Every error page, and the translation of refusals into sentences for the reader."""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, g, render_template, request
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError

from crm.domain.errors import NotFound, PermissionRefused, Refusal
from crm.web.guard import signed_in
from crm.web.kept import kept_fields

log = logging.getLogger(__name__)

# What PostgreSQL says of a row that is there already, and of one that names a row that is gone.
_TWO_AT_ONCE = {"23505", "23503"}
PAGES = (400, 403, 404, 405, 413, 422, 429, 500, 503, 507)


def sentence(refusal: Refusal) -> str:
    """Return the refusal's sentence in the reader's language."""
    return str(gettext(refusal.message)) % refusal.params


def install(app: Flask) -> None:
    """Register the error pages."""
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(PermissionRefused, _refused)
    app.register_error_handler(Refusal, _refusal)
    app.register_error_handler(CSRFError, _stale_page)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(sa.exc.OperationalError, _database)
    app.register_error_handler(sa.exc.IntegrityError, _at_once)
    app.register_error_handler(Exception, _defect)


def _page(status: int, **words: Any) -> tuple[str, int]:
    known = status if status in PAGES else (500 if status >= 500 else 400)
    return render_template(f"errors/{known}.html", **words), status


def _not_found(error: NotFound) -> tuple[str, int]:
    # The reason stays inside: absent and out of scope must look the same.
    return _page(404)


def _refused(error: PermissionRefused) -> tuple[str, int]:
    return _page(403)


def _refusal(error: Refusal) -> tuple[str, int]:
    return _page(422, text=sentence(error))


def _stale_page(error: CSRFError) -> Any:
    """Give back what was typed with a fresh token: nothing typed is lost."""
    ask = current_app.extensions.get("crm_ask_to_sign_in")
    if signed_in() is None and request.form and ask is not None:
        return ask()
    if signed_in() is None or not request.form:
        return _page(400)
    action = request.full_path.rstrip("?")
    return render_template("errors/resend.html", action=action, kept=kept_fields()), 400


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    if status < 400:
        return error
    if isinstance(error, SecurityError):
        # The request names a host that is not ours: no page, because no address can be built.
        return "bad request\n", 400, {"Content-Type": "text/plain; charset=utf-8"}
    if isinstance(error, RequestEntityTooLarge):
        status = 413
    return _page(status)


def _database(error: sa.exc.OperationalError) -> tuple[str, int]:
    text = str(error.orig).lower()
    # The statement and its values may hold names: only the kind of fault is logged.
    log.error("database fault %s", g.get("request_id", "-"))
    if "full" in text or "no space" in text:
        return _page(507)
    return _page(503)


def _at_once(error: sa.exc.IntegrityError) -> tuple[str, int]:
    """Say that it was not saved, where PostgreSQL let two store the same thing at one moment.

    SQLite lets one writer in at a time: there it is a defect, as any other fault of a row is.
    """
    if getattr(error.orig, "sqlstate", None) not in _TWO_AT_ONCE:
        return _defect(error)
    log.error("two saved the same thing at once %s", g.get("request_id", "-"))
    return _page(503)


def _defect(error: Exception) -> tuple[str, int]:
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f"{where.tb_frame.f_code.co_name}:{where.tb_lineno}" if where else "?"
    # The exception's text may hold what somebody typed: its type and place are enough to find it.
    log.error("defect %s at %s (%s)", type(error).__name__, place, g.get("request_id", "-"))
    if current_app.config.get("PROPAGATE_DEFECTS"):
        raise error  # Tests want the exception itself.
    return _page(500)
