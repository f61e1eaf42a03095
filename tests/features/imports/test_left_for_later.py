"""Workplaces that are new: their employer is chosen, made, or their rows wait until it is here."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.models.imports import ListImport
from crm.models.places import Employer, Workplace
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, Named, World
from tests.features.imports import wizard
from tests.features.imports.wizard import as_csv

Clients = Callable[[Named], FlaskClient]

HEAD = ["Site", "Employer", "Postcode"]
ROWS = [HEAD, ["The Mill", "Brightwy", "S70 1AA"], ["Quarry Works", "Stone & Sons", "S70 1AB"]]


def _to_check(client: FlaskClient, rows: list[list[str]], **values: str) -> str:
    sent = wizard.upload(client, as_csv(rows), kind="places")
    answer = wizard.match(client, sent.location)
    if answer.location.endswith("/values"):
        data = {**wizard.form_of(client, answer.location, "values"), **values}
        answer = client.post(answer.location, data=data)
    assert answer.location.endswith("/check"), answer.location
    return answer.location.removesuffix("/check")


def _names(model: Any) -> list[str]:
    with unit_of_work(ALL, read_only=True) as session:
        return sorted(session.scalars(ALL.select(model.name)))


def test_who_may_add_no_employer_brings_in_the_rest_and_keeps_these_rows_for_later(
    app: Flask, client_as: Clients, world: World
) -> None:
    client = client_as(world.organiser)
    path = _to_check(client, ROWS)
    values = html.unescape(client.get(f"{path}/values").text)
    assert "You look after none of these employers" in values
    check = html.unescape(client.get(f"{path}/check").text)
    # Whose the Mill is stands here already: an unknown word for it stops nothing.
    assert wizard.figures(wizard.counts(client, f"{path}/check")) == (0, 1, 0)
    assert "you cannot add it. Leave this row for later, and ask an administrator" in check
    assert "Choose the employer" not in check
    wizard.start(app, client, path, looked="y")
    page = html.unescape(client.get(path).text)
    assert "They are kept for you until" in page
    rest = page.split("Go on with these rows")[0].rsplit('href="', 1)[1].split('"')[0]
    assert "list.csv: rows left for later" in client.get("/import").text
    matching = client.get(rest).text
    assert "1 row" in matching
    assert "They are numbered anew" in matching
    assert "This looks wrong" not in matching
    # An administrator has added it meanwhile.
    with unit_of_work(ALL) as session:
        factories.make_workplace(session, world.brightway, "Quarry Works", branches=(world.branch,))
    answer = wizard.match(client, rest)
    values_sent = wizard.form_of(client, answer.location, "values")
    path = client.post(answer.location, data=values_sent).location.removesuffix("/check")
    assert wizard.figures(wizard.counts(client, f"{path}/check")) == (0, 1, 0)
    wizard.start(app, client, path, looked="y")
    assert "kept for you until" not in client.get(path).text
    with unit_of_work(ALL, read_only=True) as session:
        found = session.scalars(
            ALL.select(Workplace.postcode).where(Workplace.name == "Quarry Works")
        )
        assert found.all() == ["S70 1AB"]
        assert session.scalars(ALL.select(ListImport.sealed_table)).all() == [None, None]


def test_who_may_make_employers_makes_them_with_the_list_and_undoes_them_with_it(
    app: Flask, client_as: Clients, world: World
) -> None:
    client = client_as(world.admin)
    before = (_names(Employer), _names(Workplace))
    rows = [*ROWS, ["Quarry Office", "stone & sons", ""]]
    path = _to_check(client, rows, **{"v1-1": "+"})
    assert wizard.counts(client, f"{path}/check")["New"] == 2
    wizard.start(app, client, path, looked="y")
    assert set(_names(Employer)) - set(before[0]) == {"Stone & Sons"}
    with unit_of_work(ALL, read_only=True) as session:
        made = session.scalars(ALL.select(Employer.id).where(Employer.name == "Stone & Sons")).one()
        sites = session.scalars(ALL.select(Workplace.name).where(Workplace.employer_id == made))
        assert sorted(sites) == ["Quarry Office", "Quarry Works"]
    wizard.undo(app, client, path)
    assert (_names(Employer), _names(Workplace)) == before


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_employer_of_all_that_is_new_is_chosen_where_it_is_missed(
    client_as: Clients, world: World
) -> None:
    client = client_as(world.boss_of_all)
    path = _to_check(client, [["Site"], ["Quarry Works"], ["Quarry Office"]])
    assert "once for all of them" in client.get(f"{path}/check").text
    data = wizard.form_of(client, f"{path}/check", "fix")
    assert data["employer"] == ""
    client.post(f"{path}/check", data={**data, "employer": str(world.brightway.public_id)})
    assert wizard.counts(client, f"{path}/check")["New"] == 2
