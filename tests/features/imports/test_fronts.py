"""The pages of a long list open what they show of it, not the whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.analysis.tables.found import table_of
from crm.features.imports import service
from crm.models.imports import ListImport
from crm.web import tasks
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, Named, World
from tests.features.imports import wizard
from tests.features.imports.wizard import as_csv

Clients = Callable[[Named], FlaskClient]

LONG = 400  # rows, in a list that counts as long from far fewer on

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def _people() -> list[list[str]]:
    rows = [["Name", "Mobile", "Site", "Dept", "Start date"]]
    for number in range(LONG):
        name = "Nadia " + "".join("abcdefghij"[int(digit)] for digit in f"{number:03}")
        rows.append([name, "", "The Mill", ("Packing", "")[number % 2], ""])
    rows[350][1], rows[351][0], rows[390][4] = "not a phone", "", "25/31/2026"
    return [*rows, ["Total: 400", "", "", "", ""]]


def _places() -> list[list[str]]:
    rows = [["Site", "Department"], *([f"Plant {number:03}", ""] for number in range(LONG))]
    rows[333], rows[377] = ["Brightway Parcel Center", ""], ["brightway parcel center", "Goods in"]
    return rows


def _page(client: FlaskClient, path: str) -> str:
    return re.sub(r'name="csrf_token" value="[^"]*"', "", client.get(path).text)


@pytest.mark.parametrize("kind", ["people", "places"])
def test_each_page_of_a_long_list_shows_the_same_without_opening_all_of_it(
    app: Flask, client_as: Clients, world: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(service, "CHECKED_AT_ONCE", 50)
    with unit_of_work(ALL) as session:
        factories.make_workplace(
            session, world.brightway, "Brightway Parcel Centre", branches=(world.branch,)
        )
    client = client_as(world.boss_of_all)
    rows = _people() if kind == "people" else _places()
    opened: list[int] = []

    def _note(plain: Any) -> Any:
        opened.append(1)
        return table_of(plain)

    monkeypatch.setattr("crm.features.imports.opened.table_of", _note)
    sent = wizard.upload(client, as_csv(rows), kind=kind)
    more = {} if kind == "people" else {"employer": str(world.brightway.public_id)}
    pages = {sent.location: _page(client, sent.location)}
    answer = wizard.match(client, sent.location, as_at="2026-11-01", **more)
    if answer.location.endswith("/values"):
        pages[answer.location] = _page(client, answer.location)
        data = wizard.form_of(client, answer.location, "values")
        answer = client.post(answer.location, data=data)
    assert "/tasks/" in answer.location
    assert opened == []
    assert tasks.run_one(app)
    opened.clear()
    check = sent.location.replace("/match", "/check")
    pages[check] = _page(client, check)
    pages[sent.location] = _page(client, sent.location)
    assert opened == []
    assert ("Row 351" if kind == "people" else "(and 1 more row)") in pages[check]
    with unit_of_work(ALL) as session:
        for row in session.scalars(ALL.select(ListImport)):
            row.sealed_front = None
    assert {path: _page(client, path) for path in pages} == pages
    assert opened


def test_what_the_front_does_not_hold_is_put_right_in_the_whole(
    app: Flask, client_as: Clients, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "CHECKED_AT_ONCE", 50)
    client = client_as(world.organiser)
    sent = wizard.upload(client, as_csv(_people()))
    answer = wizard.match(client, sent.location, as_at="2026-11-01")
    values = wizard.form_of(client, answer.location, "values")
    client.post(answer.location, data=values)
    assert tasks.run_one(app)
    path = sent.location.removesuffix("/match")
    before = wizard.counts(client, f"{path}/check")
    data = wizard.form_of(client, f"{path}/check", "fix")
    client.post(f"{path}/check", data={**data, "c351-1": "07700 900123", "s352": "y"})
    assert tasks.run_one(app)
    after = wizard.counts(client, f"{path}/check")
    assert before["Has a problem"] - after["Has a problem"] == 2
    # The heading row is another one now: what was worked out counts no more.
    client.post(
        f"{path}/read",
        data={**wizard.form_of(client, sent.location, "reading"), "heading_row": "5"},
    )
    assert "396 rows" in client.get(sent.location).text
