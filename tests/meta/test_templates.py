"""Every template is drawn by a test: one that nobody reaches would break unseen."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template, template_rendered
from flask.testing import FlaskClient
from jinja2 import Template

from crm.app import create_app
from crm.models.contacts import Contact
from crm.web import migrating
from crm.web.db import unit_of_work
from crm.web.errors import PAGES
from tests import factories
from tests.browser.live import one_of_each
from tests.conftest import app_settings
from tests.factories import ALL, Named, World

FOLDER = Path(__file__).resolve().parents[2] / "templates"
# Parts of other templates, and the two that the pages extend.
WOVEN_IN = {"base.html", "paper.html", "print.html"}
# A sheet of all components for those who draw pages; the app never shows it.
# Nor is the page of a PDF: tests/features/reports opens the file itself.
NO_PAGE = {"reports/pdf.html", "style.html"}
ROLES = ("rep", "organiser", "officer", "admin")

Clients = Callable[[Named], FlaskClient]


@pytest.fixture
def drawn(app: Flask) -> Iterator[set[str]]:
    """The names of the templates drawn while the test runs, parts of them included."""
    found: set[str] = set()

    def _note(sender: Flask, template: Template, **more: Any) -> None:
        found.add(template.name or "")

    # Templates that are woven into others are seen when they are looked up.
    original = app.jinja_env.get_template

    def _looked_up(name: Any, *rest: Any, **more: Any) -> Template:
        template = original(name, *rest, **more)
        found.add(template.name or "")
        return template

    app.jinja_env.get_template = _looked_up  # type: ignore[method-assign]
    with template_rendered.connected_to(_note, app):
        yield found
    app.jinja_env.get_template = original  # type: ignore[method-assign]


def _paths(app: Flask, ids: dict[str, Any]) -> Iterator[str]:
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static" and "GET" in (rule.methods or set()):
            values = {
                name: ids.get(f"{rule.endpoint}:{name}") or ids[name] for name in rule.arguments
            }
            yield adapter.build(rule.endpoint, values, method="GET")


def _pages_of_templates() -> set[str]:
    names = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html")}
    return {name for name in names if not name.startswith("components/")} - WOVEN_IN - NO_PAGE


# What is drawn does not depend on the database: once is enough. Slow on a busy machine.
@pytest.mark.timeout(300)
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_every_template_is_drawn(
    app: Flask,
    client: FlaskClient,
    client_as: Clients,
    world: World,
    drawn: set[str],
    tmp_path: Path,
) -> None:
    ids = one_of_each(world)
    paths = [*_paths(app, ids), "/welcome/not-a-link", "/nowhere"]
    clients = [client, *(client_as(getattr(world, who)) for who in ROLES)]
    for path in paths:
        for one in clients:
            shown = one.get(path).status_code == 200
            # The page of one thing is drawn alike for all; others ask some for a place first.
            if shown and re.search(r"[0-9a-f]{8}-", path):
                break
    admin = client_as(world.admin)
    admin.post(
        f"/admin/users/new?place={world.mill.public_id}",
        data={"name": "New", "role": "rep", "since": "2026-01-01", "key": str(uuid.uuid4())},
    )
    for path in ("new", f"{world.rep.public_id}/roles/new"):
        assert admin.get(f"/admin/users/{path}?place={world.mill.public_id}").status_code == 200
    assert client_as(world.rep).get(f"/cases/new?place={world.mill.public_id}").status_code == 200
    for status in PAGES:
        with app.test_request_context("/"):
            render_template(f"errors/{status}.html", text="Enter a day.")
    drawn |= _drawn_by_a_stale_form(app, world)
    _draw_every_view_of_the_wall(client_as(world.rep), world)
    drawn |= _drawn_in_practice(tmp_path)
    assert _pages_of_templates() - drawn == set()


def _drawn_by_a_stale_form(app: Flask, world: World) -> set[str]:
    """Send a form without its token, as an old page does."""
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        client = app.test_client()
        token = factories.open_session(world.rep.id)
        with client.session_transaction() as cookie:
            cookie["_user_id"] = token
        reply = client.post(f"/log/{world.ioana.public_id}", data={"rating": "2"})
        assert reply.status_code == 400
        assert "Save what I typed" in reply.text
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    return {"errors/resend.html"}


def _draw_every_view_of_the_wall(client: FlaskClient, world: World) -> None:
    """Open what one address shows by its query; the last one with two ids that start alike."""
    with unit_of_work(ALL) as session:
        people = session.scalars(
            ALL.select(Contact).where(Contact.id.in_([world.tomasz.id, world.rukhsana.id]))
        ).all()
        for last, person in enumerate(people):
            person.public_id = uuid.UUID(f"abcd{last:028x}")
    for query in ("view=table", "view=meeting", "view=print", "p=abcd"):
        reply = client.get(f"/places/{world.mill.public_id}/wall?{query}")
        assert reply.status_code == 200


def _drawn_in_practice(folder: Path) -> set[str]:
    """Open the first page of the practice copy, which has an app of its own."""
    app = create_app(app_settings(f"sqlite:///{folder / 'p.db'}", folder, PRACTICE=True))
    with app.app_context():
        migrating.upgrade()
    reply = app.test_client().get("/practice")
    assert reply.status_code == 200
    assert "Choose whom to be" in reply.text
    return {"practice/choose.html"}
