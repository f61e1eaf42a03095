"""Choosing whom to be: only in the practice copy, and only somebody who was invented."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.app import create_app
from crm.features.practice import service
from crm.features.practice.service import PracticeWorld
from crm.web import clock, migrating
from crm.web.db import db, unit_of_work
from tests import factories
from tests.conftest import app_settings
from tests.factories import ALL


@pytest.fixture(scope="module")
def practice_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("practice")
    settings = app_settings(f"sqlite:///{folder / 'practice.db'}", folder, PRACTICE=True)
    app = create_app(settings)
    with app.app_context():
        migrating.upgrade()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def made(practice_app: Flask) -> PracticeWorld:
    now = clock.now()
    with practice_app.app_context(), unit_of_work(ALL) as session:
        return service.fill(session, ALL, today=clock.today("Europe/London"), now=now)


@pytest.fixture
def visitor(practice_app: Flask, made: PracticeWorld) -> FlaskClient:
    return practice_app.test_client()


def test_the_first_page_names_everybody_with_their_role_and_place(visitor: FlaskClient) -> None:
    page = visitor.get("/practice").get_data(as_text=True)
    for name, words in (
        ("Danuta", "Rep · <bdi>Dearne Valley DC</bdi>"),
        ("Owen", "Rep · <bdi>Pack, Dearne Valley DC</bdi>"),
        ("Ana", "Organiser · <bdi>Barnsley</bdi>"),
        ("Ana", "Organiser · <bdi>Sheffield Hospitals</bdi>"),
        ("Kasia", "Branch officer · <bdi>Barnsley</bdi>"),
        ("Priya", "Rep · <bdi>Metro Bus Depot</bdi>"),
        ("Ade", "Administrator</p>"),
    ):
        assert f">Be {name}</button>" in page
        assert words in page
    assert "PRACTICE" in page
    assert (
        "Contains public sector information licensed under the Open Government Licence v3.0."
        in page
    )


def test_the_first_page_names_no_contact(visitor: FlaskClient) -> None:
    assert "Tomasz" not in visitor.get("/practice").get_data(as_text=True)


def test_choosing_somebody_makes_the_visitor_them(
    visitor: FlaskClient, made: PracticeWorld
) -> None:
    owen = next(user for user in made.users if user.name == "Owen")
    answer = visitor.post("/practice", data={"user": str(owen.public_id)})
    assert answer.status_code == 303
    assert answer.location == "/"
    page = visitor.get("/practice").get_data(as_text=True)
    assert 'Signed in as <bdi class="wc-strong">Owen</bdi>' in " ".join(page.split())


def test_one_can_choose_somebody_else_afterwards(visitor: FlaskClient, made: PracticeWorld) -> None:
    for user in made.users[:2]:
        visitor.post("/practice", data={"user": str(user.public_id)})
        page = " ".join(visitor.get("/practice").get_data(as_text=True).split())
        assert f'Signed in as <bdi class="wc-strong">{user.name}</bdi>' in page


@pytest.mark.parametrize(
    "chosen", ["", "1", "Danuta", "' OR 1=1 --", "😀", str(uuid.UUID(int=0)), "x" * 5000]
)
def test_anybody_else_is_not_found(visitor: FlaskClient, chosen: str) -> None:
    assert visitor.post("/practice", data={"user": chosen}).status_code == 404
    assert "Signed in as" not in visitor.get("/practice").get_data(as_text=True)


def test_a_stranger_at_any_page_is_asked_whom_to_be(visitor: FlaskClient) -> None:
    for path in ("/account", "/people", "/sign-in"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.location) == (303, "/practice"), path


def test_what_was_typed_is_still_there_after_the_session_was_lost(
    visitor: FlaskClient, made: PracticeWorld
) -> None:
    typed = {"name": "Danuta <b>", "user": "their own field"}
    answer = visitor.post("/account?from=here", data=typed)
    assert answer.status_code == 401
    page = answer.get_data(as_text=True)
    assert "You were signed out. What you typed is kept. Choose whom to be, then save it." in page
    held = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    del held["csrf_token"]
    assert held == {
        "next": "/account?from=here",
        "kept-name": "Danuta &lt;b&gt;",
        "kept-user": "their own field",
    }
    be = {"user": str(made.users[0].public_id), **held, "kept-name": "Danuta <b>"}
    again = visitor.post("/practice", data=be).get_data(as_text=True)
    assert "What you typed is kept below and is not saved yet." in again
    assert '<form method="post" action="/account?from=here">' in again
    assert 'name="name" value="Danuta &lt;b&gt;"' in again
    assert 'name="user" value="their own field"' in again


def test_what_was_typed_goes_to_no_other_site(visitor: FlaskClient, made: PracticeWorld) -> None:
    be = {"user": str(made.users[0].public_id), "next": "//example.org/x", "kept-name": "Danuta"}
    answer = visitor.post("/practice", data=be)
    assert (answer.status_code, answer.location) == (303, "/")


def test_of_a_file_a_stranger_is_told_that_it_was_not_saved(visitor: FlaskClient) -> None:
    data = {"kind": "people", "file": (io.BytesIO(b"Name"), "list.csv")}
    answer = visitor.post("/import", data=data)
    assert answer.status_code == 401
    words = "You were signed out, so this was not saved. Choose whom to be, then try again."
    page = answer.get_data(as_text=True)
    assert words in page
    assert "kept-" not in page


def test_signing_out_leads_back_to_the_choice(visitor: FlaskClient, made: PracticeWorld) -> None:
    visitor.post("/practice", data={"user": str(made.users[0].public_id)})
    page = visitor.post("/sign-out", follow_redirects=True).get_data(as_text=True)
    assert ">Be Danuta</button>" in page
    assert "Signed in as" not in page


def test_a_choice_without_the_pages_token_is_not_taken(
    practice_app: Flask, visitor: FlaskClient, made: PracticeWorld
) -> None:
    practice_app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = visitor.post("/practice", data={"user": str(made.users[0].public_id)})
    finally:
        practice_app.config["WTF_CSRF_ENABLED"] = False
    assert answer.status_code in {303, 400}
    assert "Signed in as" not in visitor.get("/practice").get_data(as_text=True)


def test_outside_practice_there_is_no_such_page(
    client: FlaskClient, world: factories.World
) -> None:
    assert client.get("/practice").status_code == 404
    answer = client.post("/practice", data={"user": str(world.rep.public_id)})
    assert answer.status_code == 404
    assert client.get("/account").location != "/practice"


def test_outside_practice_the_page_lets_nobody_in_even_when_it_was_registered_by_mistake(
    practice_app: Flask, made: PracticeWorld
) -> None:
    visitor = practice_app.test_client()
    practice_app.config["PRACTICE"] = False
    try:
        assert visitor.get("/practice").status_code == 404
        answer = visitor.post("/practice", data={"user": str(made.users[0].public_id)})
        assert answer.status_code == 404
    finally:
        practice_app.config["PRACTICE"] = True


def test_every_main_page_opens_for_everybody_who_may_see_it(
    practice_app: Flask, made: PracticeWorld
) -> None:
    for user in made.users:
        visitor = practice_app.test_client()
        visitor.post("/practice", data={"user": str(user.public_id)})
        page = visitor.get("/")
        assert page.status_code == 200, user.name
        assert "PRACTICE" in page.get_data(as_text=True)
