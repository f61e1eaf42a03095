"""Builds the app. The one module that knows every feature."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from crm.web import db as database
from crm.web import errors, filters, guard, headers, pages

HERE = Path(__file__).resolve().parent

FEATURES: tuple[str, ...] = (
    "accounts",
    "contacts",
    "health",
    "conversations",
    "today",
    "mine",
    "turf",
    "ties",
    "feed",
    "registers",
    "imports",
    "tasks",
    "density",
    "readiness",
    "workplaces",
    "wallchart",
    "fields",
    "lists",
    "issues",
    "reports",
    "history",
    "duplicates",
    "reconcile",
    "cases",
    "law",
    "ballots",
    "voting",
    "letters",
    "sheets",
    "campaigns",
    "practice",
)

csrf = CSRFProtect()


def create_app(settings: dict[str, Any]) -> Flask:
    """Return the app for these settings (see config.load)."""
    app = Flask("crm", template_folder=str(_beside("templates")), static_folder="static")
    app.config.update(settings)
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)
    # It asks for a Referer over TLS, which our own Referrer-Policy keeps back: nobody could save
    # anything. The origin check of crm/web/headers.py stands in its place.
    app.config["WTF_CSRF_SSL_STRICT"] = False
    _cookies(app)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    if app.config["PROXY_COUNT"]:
        count = int(app.config["PROXY_COUNT"])
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )
    app.config["TRUSTED_HOSTS"] = app.config["TRUSTED_HOSTS_LIST"]
    database.install(app)
    Migrate(app, database.db, directory=str(_beside("migrations")), render_as_batch=True)
    headers.install(app)
    # Before the token of a form is looked for: to look for it reads the whole body.
    guard.install(app)
    csrf.init_app(app)
    errors.install(app)
    pages.install(app)
    filters.install(app)
    for name in FEATURES:
        import_module(f"crm.features.{name}.views").install(app)
    return app


def _beside(name: str) -> Path:
    """Return a top-level folder: inside the wheel, or beside the package in a checkout."""
    inside = HERE / name
    return inside if inside.exists() else HERE.parent / name


def _cookies(app: Flask) -> None:
    https = str(app.config["PUBLIC_URL"]).startswith("https://")
    app.config.update(
        # __Host- binds the cookie to this host over TLS; browsers refuse the prefix on plain http.
        SESSION_COOKIE_NAME="__Host-s" if https else "s",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )


def load_settings(*, practice: bool = False) -> dict[str, Any]:
    """Return the settings of the environment."""
    try:
        module = import_module("crm._config")
    except ModuleNotFoundError:
        module = import_module("config")
    settings: dict[str, Any] = module.load(os.environ, practice=practice)
    return settings
