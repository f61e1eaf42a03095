"""What is typed, sought or looked at never reaches a log, whatever goes wrong on the way."""

from __future__ import annotations

import io
import logging
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from crm.models.contacts import Contact
from crm.web import tasks
from crm.web.db import unit_of_work
from tests.factories import ALL, NOW, Named, World

Clients = Callable[[Named], FlaskClient]
CANARY = "Zebedee-Quillfeather"


@pytest.fixture
def in_use(app: Flask) -> Any:
    """The app answers defects with a page, as in use."""
    app.config["PROPAGATE_DEFECTS"] = False
    yield app
    app.config["PROPAGATE_DEFECTS"] = True


def _make_requests(client: FlaskClient, world: World) -> None:
    person = f"/people/{world.ioana.public_id}"
    for path in ("/people", "/log", "/places", "/admin/users", "/people/new", "/dash", "/sign-in"):
        client.get(path, query_string={"q": CANARY, "name": CANARY, "next": f"/{CANARY}"})
    client.get(f"/{CANARY}", headers={"Referer": f"http://localhost/{CANARY}"})
    client.get(f"/welcome/{CANARY}")
    client.get("/", headers={"User-Agent": CANARY, "Cookie": f"s={CANARY}"})
    typed = {"known_as": CANARY, "value": CANARY, "their_words": CANARY, "since": CANARY}
    for path in (f"{person}/details", f"{person}/phone/new", f"{person}/jobs/new"):
        client.post(path, data={**typed, "version": "1"})
        client.post(path, data={**typed, "version": CANARY})
    client.post(f"/log/{world.ioana.public_id}", data={**typed, "id": CANARY})
    client.post(
        f"/log/{world.ioana.public_id}",
        data={"id": str(uuid.uuid4()), "their_words": CANARY, "basis": "said"},
    )
    client.post("/sign-in", data={"name": CANARY, "passphrase": CANARY})
    client.post(f"/people/{CANARY}", data=typed)
    client.post(f"{person}/details", data={"known_as": CANARY * 5000})
    client.post(f"{person}/details", data=CANARY, content_type="application/json")


def test_no_request_leaves_what_was_typed_or_sought_in_a_log(
    in_use: Flask, client_as: Clients, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for user in (world.rep, world.admin):
        _make_requests(client_as(user), world)
    _make_requests(in_use.test_client(), world)
    assert "/people/<uuid:contact_id>" in caplog.text
    assert CANARY not in caplog.text
    assert str(world.ioana.public_id) not in caplog.text
    assert "Ioana" not in caplog.text


@pytest.mark.parametrize(
    "fault",
    [
        ValueError(CANARY),
        sa.exc.IntegrityError("INSERT", {"name": CANARY}, Exception(CANARY)),
        sa.exc.OperationalError("INSERT", {"name": CANARY}, Exception(CANARY)),
        sa.exc.DataError("INSERT", {"name": CANARY}, Exception(CANARY)),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_defect_shows_and_logs_its_kind_and_not_what_was_typed(
    in_use: Flask,
    client_as: Clients,
    world: World,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
) -> None:
    def _break(*args: Any, **kwargs: Any) -> None:
        raise fault

    monkeypatch.setattr("crm.features.contacts.queries.read_contact", _break)
    caplog.set_level(logging.DEBUG)
    answer = client_as(world.rep).get(f"/people/{world.ioana.public_id}")
    assert answer.status_code in {500, 503}
    assert CANARY not in caplog.text
    assert CANARY not in answer.text
    assert "Traceback" not in answer.text


def test_a_file_that_cannot_be_read_leaves_nothing_of_itself_in_a_log(
    in_use: Flask, client_as: Clients, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    content = f"name,workers,members\n{CANARY},{CANARY},9\n".encode() + b"\x00\xff"
    answer = client_as(world.admin).post(
        "/admin/registers/member-counts",
        data={
            "member-counts-counts": (io.BytesIO(content), f"{CANARY}.csv"),
            "member-counts-employer_name": CANARY,
            "member-counts-scheme": CANARY,
            "member-counts-on_day": "2026-01-01",
        },
    )
    assert answer.status_code == 303
    assert tasks.run_one(in_use)
    assert CANARY not in caplog.text
    page = client_as(world.rep).get(answer.location)
    assert page.status_code == 404
    with unit_of_work() as session:
        left = session.connection().execute(
            sa.text("SELECT count(*) FROM task_file").execution_options(crm_scope=True)
        )
        assert left.scalar_one() == 0


def test_an_error_of_the_database_does_not_hold_what_was_to_be_stored(world: World) -> None:
    """A command that stops shows the text of its error to whoever runs the server."""
    with pytest.raises(sa.exc.IntegrityError) as broken, unit_of_work(ALL) as session:
        session.add(
            Contact(
                known_as=CANARY,
                name_key=CANARY,
                created_at=NOW,
                # Somebody else has this one.
                public_id=world.ioana.public_id,
            )
        )
    assert CANARY not in str(broken.value)
