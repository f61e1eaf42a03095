"""Ids of other people's places and people, sent in a form's fields instead of its address."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from crm.domain.roles import Role
from crm.models.conversations import Conversation
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL, Named, World

Clients = Callable[[Named], FlaskClient]


@pytest.fixture
def theirs(world: World) -> dict[str, uuid.UUID]:
    """Public ids of an area and a shift at the Dock, which Barnsley branch does not hold."""
    dock: Any = world.dock
    with unit_of_work(ALL) as session:
        area = factories.make_area(session, dock, "Crane deck")
        shift = factories.make_shift(session, dock, "Dock nights")
        return {"area": area.public_id, "shift": shift.public_id}


def _rows() -> dict[str, int]:
    """Return how many rows each table has, save those that record the request itself."""
    passing = {"audit_entry", "user_session", "probe"}
    with db.engine.connect().execution_options(crm_scope=True, read_only=True) as connection:
        return {
            table.name: connection.execute(
                sa.select(sa.func.count()).select_from(table)
            ).scalar_one()
            for table in db.metadata.sorted_tables
            if table.name not in passing
        }


def _refused(client: FlaskClient, path: str, data: dict[str, Any]) -> None:
    before = _rows()
    answer = client.post(path, data={key: str(value) for key, value in data.items()})
    assert answer.status_code in {404, 422}, answer.status_code
    assert not any(name in answer.text for name in ("Crane deck", "Dock nights", "The Dock"))
    assert _rows() == before


@pytest.mark.parametrize("field", ["area", "shift"])
def test_a_new_person_is_not_put_into_an_area_or_shift_of_others(
    client_as: Clients, world: World, theirs: dict[str, uuid.UUID], field: str
) -> None:
    data = {"known_as": "Planted", "form_id": uuid.uuid4(), field: theirs[field]}
    path = f"/people/new?workplace={world.mill.public_id}"
    _refused(client_as(world.rep), path, data)


@pytest.mark.parametrize("where", ["people/new", "jobs/new"])
def test_a_person_is_not_put_into_a_workplace_of_others(
    client_as: Clients, world: World, where: str
) -> None:
    path = "/people/new" if where == "people/new" else f"/people/{world.ioana.public_id}/jobs/new"
    data = {"known_as": "Planted", "form_id": uuid.uuid4()}
    _refused(client_as(world.rep), f"{path}?workplace={world.dock.public_id}", data)


@pytest.mark.parametrize("field", ["area", "shift", "employer"])
def test_a_job_does_not_name_places_of_others(
    client_as: Clients, world: World, theirs: dict[str, uuid.UUID], field: str
) -> None:
    value = theirs.get(field, world.saltway.public_id)
    path = f"/people/{world.ioana.public_id}/jobs/new?workplace={world.mill.public_id}"
    _refused(client_as(world.rep), path, {field: value, "since": "2026-11-01"})


@pytest.mark.parametrize("place", ["dock", "area", "depot", "brightway", "union"])
def test_a_talk_is_not_logged_at_a_place_of_others(
    client_as: Clients, world: World, theirs: dict[str, uuid.UUID], place: str
) -> None:
    value = theirs["area"] if place == "area" else getattr(world, place).public_id
    path = f"/log/{world.ioana.public_id}"
    _refused(client_as(world.rep), path, {"id": uuid.uuid4(), "place": value, "basis": "said"})


def test_the_id_of_a_talk_of_others_neither_changes_nor_shows_it(
    client_as: Clients, world: World
) -> None:
    with unit_of_work(ALL) as session:
        talk = Conversation(
            contact_id=world.docker.id,
            place_id=world.dock.id,
            held_by_id=world.dock_rep.id,
            day=factories.TODAY,
            held_at=factories.NOW,
            recorded_at=factories.NOW,
        )
        session.add(talk)
        session.flush()
        talk_id = talk.public_id
    path = f"/log/{world.ioana.public_id}"
    _refused(client_as(world.rep), path, {"id": talk_id, "basis": "said"})


@pytest.mark.parametrize("field", ["union", "branch"])
def test_a_membership_names_a_union_and_its_branch_and_no_other_sort_of_place(
    client_as: Clients, world: World, field: str
) -> None:
    data = {"status": "member", "since": "2026-11-01", "union": world.union.public_id}
    data[field] = world.dock.public_id
    path = f"/people/{world.tomasz.public_id}/unions/new"
    _refused(client_as(world.rep), path, data)


def test_an_area_does_not_move_into_a_workplace_of_others(
    client_as: Clients, world: World, theirs: dict[str, uuid.UUID]
) -> None:
    path = f"/places/areas/{world.packing.public_id}/move"
    data = {"parent": theirs["area"], "version": "1"}
    _refused(client_as(world.organiser), path, data)
    data = {"name": "Planted", "area_kind": "department", "parent": theirs["area"]}
    path = f"/places/{world.mill.public_id}/areas/new"
    _refused(client_as(world.organiser), path, data)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/places/{depot}/edit", {"name": "Mine now", "time_zone": "Europe/London"}),
        ("/places/{depot}/branches", {"branch": "{branch}", "since": "2026-01-01"}),
        ("/places/{depot}/branches/end", {"branch": "{branch}", "until": "2026-01-01"}),
        ("/places/employers/{brightway}/workplaces/new", {"name": "Mine"}),
        ("/places/{depot}/headcounts/new", {"on_day": "2026-01-01", "low": "1"}),
        ("/places/{brightway}/headcounts/new", {"on_day": "2026-01-01", "low": "1"}),
    ],
)
def test_an_organiser_of_one_workplace_changes_nothing_of_the_next_or_of_the_employer(
    client_as: Clients, world: World, path: str, data: dict[str, str]
) -> None:
    mill: Any = world.mill
    with unit_of_work(ALL) as session:
        user = factories.make_user(session, "Only here", role=Role.ORGANISER, place=mill)
        depot: Any = world.depot
        # To read the next workplace as its rep is not to change it as an organiser.
        factories.make_grant(session, user, Role.REP, depot)
        person = Named(user.id, user.public_id, user.name)
    ids = {name: getattr(world, name).public_id for name in ("depot", "branch", "brightway")}
    filled = {key: value.format(**ids) for key, value in data.items()}
    before = _rows()
    answer = client_as(person).post(path.format(**ids), data=filled)
    assert answer.status_code == 404
    assert _rows() == before


def test_fields_that_a_form_does_not_have_are_not_stored(client_as: Clients, world: World) -> None:
    data = {
        "name": "Owen Rep",
        "language": "",
        "theme": "",
        "version": "1",
        "sign_in_name": "taken over",
        "active": "",
        "password_hash": "x",
        "role": "administrator",
        "id": str(world.admin.id),
    }
    assert client_as(world.rep).post("/account", data=data).status_code == 303
    with unit_of_work(ALL) as session:
        users = factories.UserAccount
        rep = session.get_one(users, world.rep.id)
        assert rep.active
        assert rep.password_hash is None
        assert rep.sign_in_name != "taken over"


@pytest.mark.parametrize(
    ("who", "path", "data"),
    [
        ("rep", "/people/new?workplace={mill}", {"known_as": "Ours", "area": "{packing}"}),
        (
            "rep",
            "/people/{rukhsana}/jobs/new?workplace={mill}",
            {"since": "2019-01-01", "until": "2019-02-01", "area": "{yard}", "shift": "{nights}"},
        ),
        ("rep", "/log/{ioana}", {"basis": "said", "place": "{packing}"}),
        (
            "rep",
            "/people/{tomasz}/unions/new",
            {"status": "member", "since": "2026-11-01", "union": "{union}", "branch": "{branch}"},
        ),
        ("organiser", "/places/areas/{packing}/move", {"parent": "{yard}", "version": "1"}),
        (
            "organiser",
            "/places/{mill}/areas/new",
            {"name": "Canteen", "area_kind": "department", "parent": "{yard}"},
        ),
    ],
)
def test_the_same_forms_with_our_own_ids_are_saved(
    client_as: Clients, world: World, who: str, path: str, data: dict[str, str]
) -> None:
    """Without this the refusals above could come from a form that is never taken."""
    ids = {
        name: value.public_id
        for name in World.__dataclass_fields__
        if (value := getattr(world, name))
    }
    filled = {key: value.format(**ids) for key, value in data.items()}
    filled |= {"form_id": str(uuid.uuid4()), "id": str(uuid.uuid4())}
    answer = client_as(getattr(world, who)).post(path.format(**ids), data=filled)
    assert answer.status_code == 303, answer.text
