"""Areas that a list of people brings: made on request, by those who may, and undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from crm.features.imports import people
from crm.models.contacts import Contact, Job
from crm.models.places import Area
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, Named, World
from tests.features.imports import wizard
from tests.features.imports.wizard import as_csv

Clients = Callable[[Named], FlaskClient]

HEAD = ["Name", "Site", "Dept"]
ROWS = [
    HEAD,
    ["Aneta Nowak", "The Mill", "Goods in"],
    ["Bilal Hussain", "The Mill", "goods  IN"],
    ["Carys Pugh", "The Depot", "Goods in"],
    ["Dawit Abebe", "The Mill", "=cmd|x"],
    ["Tomasz K", "The Mill", "Goods in"],
]


def _areas() -> list[tuple[str, int, bool]]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(ALL.select(Area))
        return sorted((row.name, row.workplace_id, row.closed_on is None) for row in rows)


def _values(client: FlaskClient, rows: list[list[str]]) -> tuple[str, dict[str, str]]:
    sent = wizard.upload(client, as_csv(rows))
    path = wizard.match(client, sent.location, as_at="2026-11-01").location
    assert path.endswith("/values"), path
    return path, wizard.form_of(client, path, "values")


def _take_all(client: FlaskClient, rows: list[list[str]]) -> str:
    path, data = _values(client, rows)
    answer = client.post(path, data={**data, "new2": "y"})
    assert answer.location.endswith("/check"), answer.location
    return answer.location.removesuffix("/check")


def _job(name: str) -> Any:
    with unit_of_work(ALL, read_only=True) as session:
        return session.scalars(
            ALL.select(Job)
            .join(Contact, Contact.id == Job.contact_id)
            .where(Contact.known_as == name, Job.superseded_at.is_(None), Job.valid_to.is_(None))
        ).one()


def test_areas_that_are_missing_are_made_once_for_each_workplace_and_go_again(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.boss_of_all)
    before = _areas()
    path = _take_all(client, ROWS)
    assert wizard.figures(wizard.counts(client, f"{path}/check")) == (4, 1, 0)
    page = client.get(f"{path}/check").text
    assert "New areas, where a workplace has none with this name:" in page
    assert _areas() == before
    wizard.start(app, client, path, looked="y")
    came = [("=cmd|x", world.mill.id, True)]
    came += [("Goods in", site.id, True) for site in (world.depot, world.mill)]
    assert sorted(one for one in _areas() if one not in before) == sorted(came)
    assert _job("Aneta Nowak").area_id == _job("Bilal Hussain").area_id == _job("Tomasz K").area_id
    assert _job("Aneta Nowak").place_id == _job("Aneta Nowak").area_id
    again = _take_again(client)
    assert wizard.figures(wizard.counts(client, f"{again}/check")) == (0, 0, 5)
    wizard.undo(app, client, path)
    # The trail of Tomasz K names the one at the mill: it is closed. The others are gone.
    assert [one for one in _areas() if one not in before] == [("Goods in", world.mill.id, False)]
    assert _job("Tomasz K").area_id == world.yard.id


def _take_again(client: FlaskClient) -> str:
    """The recipe knows the answers: nothing is left to choose."""
    path, data = _values(client, ROWS)
    assert "new2" not in client.get(path).text
    return client.post(path, data=data).location.removesuffix("/check")


def test_an_area_that_somebody_uses_by_now_stays_when_the_list_goes(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.boss_of_all)
    path = _take_all(client, ROWS[:4])
    wizard.start(app, client, path)
    area = _job("Aneta Nowak").area_id
    with unit_of_work(ALL) as session:
        person = factories.make_person(session, world.mill, "Somebody")
        job = session.scalars(ALL.select(Job).where(Job.contact_id == person.id)).one()
        job.area_id = job.place_id = area
    wizard.undo(app, client, path)
    assert ("Goods in", world.mill.id, True) in _areas()
    assert ("Goods in", world.depot.id, True) not in _areas()


def test_whoever_may_not_change_a_workplace_cannot_add_an_area_to_it(
    client_as: Clients, world: World, fixed_clock: None, monkeypatch: Any
) -> None:
    client = client_as(world.organiser)
    monkeypatch.setattr("crm.features.imports.queries.may_change_one", lambda *_: False)
    path, data = _values(client, ROWS[:2])
    assert "new2" not in client.get(path).text
    sent = client.post(path, data={**data, "v2-0": "+"})
    assert sent.status_code == 422
    monkeypatch.undo()
    # The same, where the right is lost between the two steps.
    monkeypatch.setattr(people, "load_choices", _without_right(people.load_choices))
    check = client.post(path, data={**data, "v2-0": "+"}).location
    assert people.NOT_YOUR_AREA in client.get(check).text
    assert wizard.counts(client, check)["Has a problem"] == 1


def _without_right(load: Any) -> Any:
    return lambda *args, **more: replace(load(*args, **more), may_add=frozenset())


def test_a_thousand_words_are_made_areas_at_once(
    client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.boss_of_all)
    rows = [HEAD, *([f"Worker {n}", "The Mill", f"Line {n}"] for n in range(1000))]
    path, data = _values(client, rows)
    page = client.get(path).text
    assert "Make all 1,000 words that I have not chosen new areas" in page
    check = client.post(path, data={**data, "new2": "y"}).location
    assert wizard.counts(client, check)["New"] == 1000
    other = client.post(path, data={key: one for key, one in data.items() if key != "new2"})
    # What was chosen stays chosen.
    assert wizard.counts(client, other.location)["New"] == 1000
