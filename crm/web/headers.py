"""The headers on every answer, the origin check, and the request log without personal data."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, request

from crm.web.db import new_request_id

log = logging.getLogger("crm.requests")

UPLOAD_PIECES = 256 * 1024

View = TypeVar("View", bound=Callable[..., Any])

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        # The only two addresses that a script may load as one: the worker, and the vault it uses.
        "trusted-types phone worker",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": (
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), "
        "fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), "
        "payment=(), picture-in-picture=(), publickey-credentials-get=(), "
        "screen-wake-lock=(), sync-xhr=(), usb=(), xr-spatial-tracking=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


def install(app: Flask) -> None:
    """Set the headers on every answer, refuse foreign posts, log each request by its template."""
    app.before_request(_start)
    app.before_request(_refuse_foreign_posts)
    app.after_request(_finish)


def _start() -> None:
    g.request_id = new_request_id()
    g.started = time.monotonic()
    view = current_app.view_functions.get(request.endpoint or "")
    limit = getattr(view, "takes_upload", None)
    if limit is not None:
        request.max_content_length = int(current_app.config[limit])
        # A file is read in pieces of 64 KiB, and what is left of the piece before counts with the
        # next: under the limit of an ordinary form any file with lines in it would be refused.
        request.max_form_memory_size = UPLOAD_PIECES


def takes_upload(view: View) -> View:
    """Declare that a view takes a file, so that its body may be as large as UPLOAD_LIMIT."""
    view.takes_upload = "UPLOAD_LIMIT"  # type: ignore[attr-defined]
    return view


def takes_list(view: View) -> View:
    """Declare that a view takes a list, so that its body may be as large as LIST_LIMIT."""
    view.takes_upload = "LIST_LIMIT"  # type: ignore[attr-defined]
    return view


def _refuse_foreign_posts() -> None:
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        abort(403)
    origin = request.headers.get("Origin")
    # Browsers send "null" with a no-referrer policy on a form post; Sec-Fetch-Site decides then.
    if origin and origin != "null" and not _is_ours(origin):
        abort(403)


def _is_ours(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # A page of the same name without TLS may come from whoever runs the network.
    return parts.netloc == request.host and (parts.scheme == "https" or not request.is_secure)


def _finish(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers[name] = value
    if request.endpoint == "static" and request.args.get("v") and response.status_code == 200:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    elif request.endpoint == "static":
        response.headers["Cache-Control"] = "no-cache"
    else:
        response.headers["Cache-Control"] = "no-store"
    if "request_id" in g:
        response.headers["X-Request-Id"] = g.request_id
        rule = request.url_rule.rule if request.url_rule else "(no such address)"
        spent = (time.monotonic() - g.started) * 1000
        log.info(
            "%s %s %d %.1fms %s", request.method, rule, response.status_code, spent, g.request_id
        )
    return response
