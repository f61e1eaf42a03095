"""A list is taken back while somebody else writes about what it brought."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.domain.vocabulary import PointKind
from crm.models.contacts import Contact, ContactPoint
from crm.models.places import Headcount, Workplace
from crm.web.db import unit_of_work
from crm.web.guard import scope_of
from tests import factories
from tests.factories import ALL, NOW, Named, World
from tests.features.imports import wizard
from tests.features.imports.wizard import as_csv

Clients = Callable[[Named], FlaskClient]

# SQLite lets one writer in at a time, so there is nothing to see of this on it.
pytestmark = [
    pytest.mark.usefixtures("fixed_clock"),
    pytest.mark.parametrize("backend", ["postgresql"], indirect=True),
]
# Long enough for the way back to be done, if it need not wait.
_LOOK = 1.0


@contextmanager
def _taking_back(app: Flask, client: FlaskClient, path: str, by: Named) -> Iterator[Any]:
    """Yield a session in which somebody writes; the list is taken back before it ends."""
    undoing = threading.Thread(target=wizard.undo, args=(app, client, path), daemon=True)
    with unit_of_work(read_only=True) as session:
        scope = scope_of(session, by.id, NOW.date())
    with unit_of_work(scope) as session:
        session.info["request_id"] = "somebody-else"
        yield session, scope
        session.flush()
        undoing.start()
        undoing.join(_LOOK)
    undoing.join(20)


def test_somebody_whose_phone_is_written_down_meanwhile_stays_with_it(
    app: Flask, client_as: Clients, world: World
) -> None:
    client = client_as(world.organiser)
    path = wizard.to_check(client, as_csv([["Name", "Site"], ["Aneta Nowak", "The Mill"]]))
    wizard.start(app, client, path)
    with _taking_back(app, client, path, by=world.organiser) as (session, scope):
        found = scope.select(Contact).where(Contact.known_as == "Aneta Nowak")
        session.add(
            ContactPoint(
                contact_id=session.scalars(found).one().id,
                kind=PointKind.PHONE,
                value="07700900150",
                value_key="07700900150",
                recorded_at=NOW,
            )
        )
    with unit_of_work(ALL, read_only=True) as session:
        assert len(session.scalars(ALL.select(ContactPoint)).all()) == 1
        assert session.scalars(found).one()
    assert "Somebody has changed these since." in client.get(path).text


def test_a_place_whose_workers_are_counted_meanwhile_stays_with_its_count(
    app: Flask, client_as: Clients, world: World
) -> None:
    client = client_as(world.boss_of_all)
    sent = wizard.upload(client, as_csv([["Site"], ["The Annex"]]), kind="places")
    chosen = {"employer": str(world.brightway.public_id), "as_at": "2026-11-01"}
    path = wizard.match(client, sent.location, **chosen).location.removesuffix("/check")
    wizard.start(app, client, path)
    with _taking_back(app, client, path, by=world.boss_of_all) as (session, scope):
        found = scope.select(Workplace).where(Workplace.name == "The Annex")
        annex = session.scalars(found).one()
        factories.make_headcount(session, annex, 40)
    with unit_of_work(ALL, read_only=True) as session:
        assert [
            one.low
            for one in session.scalars(ALL.select(Headcount).where(Headcount.place_id == annex.id))
        ] == [40]
    assert "Somebody has changed these since." in client.get(path).text
