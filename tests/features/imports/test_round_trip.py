"""What is taken out as a file comes back unchanged: recognised without help, nothing new."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from crm.models.base import Base
from crm.models.contacts import ContactPoint
from crm.models.places import Workplace
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL, NOW, Named, World
from tests.features.imports import wizard

Clients = Callable[[Named], FlaskClient]
COLUMNS = ["work", "details", "membership", "standing", "talks", "own"]
TABLES = ("contact", "contact_point", "job", "membership", "assessment")


def _state() -> dict[str, Any]:
    """Every row about people."""
    with db.engine.connect().execution_options(crm_scope=True, read_only=True) as connection:
        return {
            name: sorted(map(str, connection.execute(sa.select(Base.metadata.tables[name]))))
            for name in TABLES
        }


@pytest.fixture
def known(world: World) -> None:
    """Somebody with a phone from abroad, two jobs and an address on two lines; and two people of
    one name at one workplace, with nothing else that tells them apart.
    """
    with unit_of_work(ALL) as session:
        for kind, value, key in (
            ("phone", "+48 600 000 000", "48600000000"),
            ("email", "ioana@example.org", "ioana@example.org"),
            ("address", "1 Mill Lane\nBarnsley", "1 mill lane barnsley"),
        ):
            session.add(
                ContactPoint(
                    kind=kind,
                    value=value,
                    value_key=key,
                    recorded_at=NOW,
                    contact_id=world.ioana.id,
                )
            )
        sites = {site.id: site for site in session.scalars(ALL.select(Workplace))}
        ioana: Any = world.ioana
        factories.make_job(session, ioana, sites[world.depot.id])
        for _number in range(2):
            factories.make_person(session, sites[world.mill.id], "Sam J", since=date(2026, 6, 1))


def _taken_out(client: FlaskClient, kind: str) -> bytes:
    reply = client.post(
        "/lists/out?", data={"kind": kind, "columns": COLUMNS, "reason": "To put it right"}
    )
    assert reply.status_code == 200, reply.text
    content: bytes = reply.data
    return content


@pytest.mark.parametrize("kind", ["csv", "xlsx", "vcf"])
def test_a_file_of_ours_comes_back_with_nothing_new(
    app: Flask,
    client_as: Clients,
    world: World,
    known: None,
    fixed_clock: None,
    kind: str,
) -> None:
    client = client_as(world.officer)
    content = _taken_out(client, kind)
    before = _state()
    path = wizard.to_check(client, content)
    found = wizard.counts(client, f"{path}/check")
    # Cards leave out labels; the others hold a row for each job.
    rows = {"csv": 8, "xlsx": 8, "vcf": 6}[kind]
    assert (*wizard.figures(found), found.get("Has a problem", 0)) == (0, 0, rows, 0)
    assert found.get("Could be the same person", 0) == 0
    assert "There is nothing to import." in client.get(f"{path}/check").text
    # Sent all the same, it adds nothing.
    fixing = wizard.form_of(client, f"{path}/check", "remove")
    assert client.post(f"{path}/start", data=fixing).status_code == 422
    assert _state() == before


def test_a_row_that_was_typed_over_with_another_name_is_a_question(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.officer)
    rows = [
        ["Shopfloor number", "Known as", "Workplace"],
        [str(world.ioana.public_id), "Somebody Else", "The Mill"],
        [str(world.docker.public_id), "Bilal H", "The Mill"],
    ]
    path = wizard.to_check(client, wizard.as_csv(rows))
    found = wizard.counts(client, f"{path}/check")
    # The number of somebody out of scope finds nobody, like one that was never given.
    assert (found["Could be the same person"], found["New"]) == (1, 1)
    page = client.get(f"{path}/check").text
    assert "Ioana" in page
    assert "Dock" not in page
