"""A thousand rows with forty planted faults: what the check says is what happens."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from crm.models.contacts import Contact, ContactPoint
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, Named, World
from tests.features.imports import wizard
from tests.features.imports.thousand import DAYS, HEAD, digest, thousand

Clients = Callable[[Named], FlaskClient]


def test_what_the_check_says_is_what_happens_and_can_be_taken_back(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    before = digest()
    rows, expected = thousand()
    content = wizard.as_csv([HEAD, *rows])
    path = wizard.to_check(client, content, union=str(world.union.public_id), **DAYS)
    said = wizard.counts(client, f"{path}/check")
    assert {name: said[name] for name in expected} == expected
    assert digest() == before
    outside = [row for row in (said,) if "The Dock" in client.get(f"{path}/check").text]
    assert outside  # The list's own word for it is shown, and that is all.
    wizard.start(app, client, path)
    done = wizard.counts(client, path)
    assert (done["New"], done["Changed"], done["Not imported"]) == (960, 0, 40)
    with unit_of_work(ALL, read_only=True) as session:
        people = session.scalar(ALL.select(sa.func.count(Contact.id)))
    assert people == len(before["contact"]) + 960
    again = wizard.to_check(client, content, union=str(world.union.public_id), **DAYS)
    said = wizard.counts(client, f"{again}/check")
    assert (said["New"], said["Changed"], said["As before"]) == (0, 0, 960)
    wizard.undo(app, client, path)
    assert digest() == before


def test_whoever_was_changed_since_is_left_alone_and_listed(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    rows = [[f"Worker {name}", "", "", "The Mill", "", "", ""] for name in ("A", "B", "C")]
    path = wizard.to_check(client, wizard.as_csv([HEAD, *rows]), **DAYS)
    wizard.start(app, client, path)
    with unit_of_work(ALL) as session:
        edited = session.scalars(ALL.select(Contact).where(Contact.known_as == "Worker B")).one()
        edited.pronouns = "she"
        mill = session.scalars(ALL.select(Contact).where(Contact.known_as == "Worker C")).one()
        factories.make_assessment(session, mill, world.mill, 2)
    wizard.undo(app, client, path)
    page = client.get(path).text
    assert "Somebody has changed these since. They were left as they are." in page
    assert [f"<li>Row {row}:" in page for row in (2, 3, 4)] == [False, True, True]
    with unit_of_work(ALL, read_only=True) as session:
        left = session.scalars(
            ALL.select(Contact.known_as).where(Contact.known_as.like("Worker _"))
        ).all()
    assert sorted(left) == ["Worker B", "Worker C"]


def test_nothing_of_places_outside_the_scope_is_told(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    pages = []
    for site in ("The Dock", "No such place at all"):
        rows = [HEAD, ["Aneta Nowak", "", "", site, "", "", ""]]
        path = wizard.to_check(client, wizard.as_csv(rows), **DAYS)
        page = client.get(f"{path}/check").text.replace(site, "X").replace(path, "")
        pages.append(page.split("<main")[1].split('name="version"')[0])
    assert pages[0] == pages[1]


def test_somebody_at_a_place_of_others_is_not_found_by_their_phone(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            ContactPoint(
                contact_id=world.docker.id,
                kind="phone",
                value="07700 900777",
                value_key="447700900777",
                recorded_at=factories.NOW,
            )
        )
    client = client_as(world.organiser)
    rows = [HEAD, [world.docker.name, "07700 900777", "", "The Mill", "", "", ""]]
    path = wizard.to_check(client, wizard.as_csv(rows), **DAYS)
    assert wizard.counts(client, f"{path}/check") == {"New": 1, "Changed": 0, "As before": 0}
