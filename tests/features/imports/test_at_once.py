"""Two who bring in the same list at the same time: everybody on it is here once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.domain.roles import Role
from crm.features.imports import service
from crm.models.contacts import Contact
from crm.models.places import Area
from crm.web import tasks
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, Named, World
from tests.features.imports import wizard
from tests.features.imports.wizard import as_csv

Clients = Callable[[Named], FlaskClient]

HEAD = ["Name", "Mobile", "Site", "Dept"]


def _handed_in(client: FlaskClient, rows: list[list[str]], **more: str) -> str:
    path = wizard.to_check(client, as_csv([HEAD, *rows]), more)
    data = wizard.form_of(client, f"{path}/check", "start")
    assert client.post(f"{path}/start", data=data).status_code == 303
    return path


def _work_side_by_side(app: Flask, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    """Let workers do their tasks at the same time, none before all have read what is here."""
    ready = threading.Barrier(workers, timeout=30)
    prepare = service.prepare_to_store

    def _together(*args: Any, **more: Any) -> Any:
        prepared = prepare(*args, **more)
        ready.wait()
        return prepared

    monkeypatch.setattr(service, "prepare_to_store", _together)
    monkeypatch.setattr(service, "CHUNK", 5)
    monkeypatch.setattr(service, "MOST_AT_ONCE", 5)
    said: list[Any] = []

    def _run() -> None:
        try:
            said.append(tasks.run_one(app))
        except Exception as error:  # noqa: BLE001 - the test must see it
            said.append(error)

    threads = [threading.Thread(target=_run, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert said == [True] * workers


def _here(*wanted: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(session.execute(ALL.select(*wanted)))


def test_the_same_list_brought_by_two_at_once_adds_everybody_once(
    app: Flask,
    client_as: Clients,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with unit_of_work(ALL) as session:
        user = factories.make_user(
            session, "Bea Organiser", role=Role.ORGANISER, place=world.branch
        )
        other = Named(id=user.id, public_id=user.public_id, name=user.name)
    # Half of them can be told from others only by their name at a workplace.
    rows = [
        [f"Nadia {'abcdefghij'[n // 10]}{'klmnopqrst'[n % 10]}", phone, "The Mill", "Bay 9"]
        for n in range(40)
        for phone in ["" if n % 2 else f"07700 9001{n:02}"]
    ]
    before = len(_here(Contact.id))
    paths = [
        (client, _handed_in(client, rows, new3="y"))
        for client in (client_as(world.organiser), client_as(other))
    ]
    _work_side_by_side(app, monkeypatch, 2)
    names = [row.known_as for row in _here(Contact.known_as) if (row.known_as or "")[:5] == "Nadia"]
    assert len(names) == len(set(names)) == 40
    assert len(_here(Contact.id)) == before + 40
    assert [row.name for row in _here(Area.name) if row.name == "Bay 9"] == ["Bay 9"]
    # Between them they brought each once, and each found what the other had brought.
    said = [wizard.counts(client, path) for client, path in paths]
    assert sum(one["New"] for one in said) == 40
    assert all(one["Not imported"] == 0 for one in said)


def test_somebody_said_to_be_new_is_not_added_beside_the_one_that_another_list_brought_since(
    app: Flask, client_as: Clients, world: World
) -> None:
    """Both organisers look at the same doubt before either list is in, and answer it alike."""
    mill: Any = world.mill
    with unit_of_work(ALL) as session:
        factories.make_person(session, mill, "Maria Silva", full_name="Maria Silva")
        factories.make_person(session, mill, "Maria Silva", full_name="Maria Silva")
    client = client_as(world.organiser)
    ready = []
    for _list in range(2):
        path = wizard.to_check(client, as_csv([HEAD, ["Maria Silva", "", "The Mill", ""]]))
        data = wizard.form_of(client, f"{path}/check", "fix")
        client.post(f"{path}/check", data={**data, "p2": "new"})
        assert wizard.counts(client, f"{path}/check")["New"] == 1
        ready.append(path)
    for path in ready:
        wizard.start(app, client, path)
    assert [row.known_as for row in _here(Contact.known_as)].count("Maria Silva") == 3
