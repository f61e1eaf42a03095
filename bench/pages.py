"""The app under measurement: the real one, with two empty routes to compare the others to."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Flask, redirect, render_template_string
from flask.testing import FlaskClient

import config
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.app import create_app
from crm.models.accounts import UserAccount, UserSession
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.guard import requires, token_hash

bp = Blueprint("bench", __name__)

EMPTY = "/bench/empty"
_EMPTY_PAGE = (
    '{% extends "base.html" %}{% block title %}Empty{% endblock %}'
    '{% block main %}<input name="csrf_token" value="{{ page.csrf_token }}">{% endblock %}'
)


@bp.get(EMPTY)
@requires(Permission.ACCOUNT_OWN)
def empty_page(scope: Scope) -> str:
    """Show the base template with nothing in it, to somebody signed in."""
    return render_template_string(_EMPTY_PAGE)


@bp.post(EMPTY)
@requires(Permission.ACCOUNT_OWN)
def empty_post(scope: Scope) -> Any:
    """Do nothing for somebody signed in, and send them on as a form that was saved does."""
    return redirect(EMPTY, 303)


def bench_app(database_url: str, folder: Path) -> Flask:
    """Return the app with the settings of a real server, and the empty routes."""
    settings = config.load({"SHOPFLOOR_INSTANCE": str(folder), "DATABASE_URL": database_url})
    app = create_app(settings)
    app.register_blueprint(bp)
    return app


def sign_in(app: Flask, sign_in_name: str) -> FlaskClient:
    """Return a client with a session of this user, as a browser that signed in would have."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    with app.app_context(), unit_of_work() as session:
        user_id = session.execute(
            sa.select(UserAccount.id).where(UserAccount.sign_in_name == sign_in_name)
        ).scalar_one()
        session.add(
            UserSession(
                token_hash=token_hash(token),
                user_id=user_id,
                created_at=now,
                last_seen_at=now,
                expires_at=now + timedelta(days=7),
            )
        )
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
        cookie["_fresh"] = True
    return client


def get(client: FlaskClient, path: str) -> Callable[[], None]:
    """Return a function that fetches the page whole. It raises RuntimeError for any but a 200."""

    def fetch() -> None:
        answer = client.get(path)
        if answer.status_code != 200 or not answer.get_data():
            raise RuntimeError(f"GET {path} answered {answer.status_code}")

    return fetch


def post(
    client: FlaskClient, path: str, values: Callable[[], dict[str, Any]]
) -> Callable[[], None]:
    """Return a function that sends the form. It raises RuntimeError unless it is sent on (303)."""
    page = client.get(EMPTY).get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    if found is None:
        raise RuntimeError("The empty page holds no form token.")
    token = found[1]
    name = str(client.application.config["SESSION_COOKIE_NAME"])
    kept = client.get_cookie(name)
    if kept is None:
        raise RuntimeError("The client is not signed in.")

    def send() -> None:
        # No page is fetched in between, so the notices of the posts before would pile up in the
        # cookie; a person's browser shows each of them once.
        client.set_cookie(name, kept.value)
        answer = client.post(path, data={"csrf_token": token, **values()})
        if answer.status_code != 303:
            raise RuntimeError(f"POST {path} answered {answer.status_code}")

    return send
