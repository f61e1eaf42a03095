"""Lists of workplaces that supply an employer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from crm.models.places import Employer, Headcount, PlaceTie, Workplace
from crm.web.db import unit_of_work
from tests.factories import ALL, Named, World
from tests.features.imports import wizard
from tests.features.imports.test_places import _state
from tests.features.imports.wizard import as_csv

Clients = Callable[[Named], FlaskClient]
LISTS = Path(__file__).parents[2] / "data" / "open-supply-hub-lists"


def _to_check(client: FlaskClient, content: bytes, **chosen: str) -> str:
    sent = wizard.upload(client, content, kind="suppliers", origin="published")
    assert sent.status_code == 303, sent.text
    answer = wizard.match(client, sent.location, **chosen)
    if answer.location.endswith("/values"):
        data = wizard.form_of(client, answer.location, "values")
        answer = client.post(answer.location, data=data)
    assert answer.location.endswith("/check"), answer.location
    return answer.location.removesuffix("/check")


def _ties() -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(
            session.execute(
                ALL.select(PlaceTie.place_id, PlaceTie.other_id).where(
                    PlaceTie.superseded_at.is_(None)
                )
            )
        )


def test_a_buyers_list_comes_in_with_the_employers_of_its_suppliers_and_goes_again(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.admin)
    before = _state()
    content = (LISTS / "fall_2017_compliance.csv").read_bytes()
    chosen = {"buyer": str(world.brightway.public_id), "employer": "its_own"}
    path = _to_check(client, content, **chosen)
    found = wizard.counts(client, f"{path}/check")
    assert found.get("Has a problem", 0) == 0
    assert _state() == before
    wizard.start(app, client, path)
    assert len(_ties()) == found["New"] > 20
    with unit_of_work(ALL, read_only=True) as session:
        site = session.scalars(
            ALL.select(Workplace).where(Workplace.name == "Injae Garment Co. Ltd.")
        ).one()
        owner = session.scalars(ALL.select(Employer).where(Employer.id == site.employer_id)).one()
    assert (site.country, owner.name, owner.country) == ("KH", "Injae Garment Co. Ltd.", "KH")
    page = client.get(f"/places/employers/{world.brightway.public_id}").text
    assert "Injae Garment Co. Ltd." in page
    assert "Cambodia" in page
    assert "Brightway" in client.get(f"/places/{site.public_id}").text
    again = _to_check(client, content, **chosen)
    assert wizard.figures(wizard.counts(client, f"{again}/check")) == (0, 0, found["New"])
    # Another buyer's list finds the same workplace, and ties it to that one too.
    rows = [["Factory", "Workers"], ["Injae Garment Co. Ltd.", "1001-5000"]]
    more = {"counts": "site_all", "source": "published_register"}
    other = _to_check(
        client, as_csv(rows), **more, **{**chosen, "buyer": str(world.saltway.public_id)}
    )
    assert wizard.figures(wizard.counts(client, f"{other}/check")) == (0, 1, 0)
    wizard.start(app, client, other, looked="y")
    with unit_of_work(ALL, read_only=True) as session:
        count = session.scalars(ALL.select(Headcount).where(Headcount.place_id == site.id)).one()
    assert (count.low, count.best, count.high) == (1001, None, 5000)
    wizard.undo(app, client, other)
    wizard.undo(app, client, path)
    # The workplace that the second list wrote about was changed by somebody since: it stays.
    assert len(_ties()) == 1
    with unit_of_work(ALL, read_only=True) as session:
        names = session.scalars(ALL.select(Workplace.name)).all()
    assert "Injae Garment Co. Ltd." in names
    assert "Chung Tai Garment Factory" not in names


def test_names_in_any_script_and_a_buyer_column(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.boss_of_all)
    before = _state()
    rows = [
        ["Factory", "Country", "Workers", "Buyer"],
        ["深圳市服装厂", "China", "250 to 499", "Brightway"],
        ["Швейная фабрика № 3", "Moldova", "more than 100", "Brightway"],
        ["কারখানা এক", "Bangladesh", "80", ""],
    ]
    path = _to_check(
        client,
        as_csv(rows),
        employer=str(world.saltway.public_id),
        counts="site_all",
        source="published_register",
    )
    found = wizard.counts(client, f"{path}/check")
    assert (found["New"], found["Has a problem"]) == (2, 1)
    assert "Say whom this workplace supplies." in client.get(f"{path}/check").text
    wizard.start(app, client, path)
    assert len(_ties()) == 2
    wizard.undo(app, client, path)
    assert _state() == before
    assert _ties() == []


def test_only_who_may_add_employers_is_offered_new_ones_and_a_buyer_must_be_said(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    sent = wizard.upload(client, as_csv([["Factory"], ["One"]]), kind="suppliers")
    page = client.get(sent.location).text
    assert "Each one its own new employer" not in page
    assert "Whom do they supply?" in page
    answer = client.post(sent.location, data=wizard.form_of(client, sent.location, "matching"))
    assert answer.status_code == 422
    assert "Choose the employer that they supply, or the column that names it." in answer.text
    forced = {**wizard.matching(client, sent.location), "employer": "its_own"}
    forced["buyer"] = str(world.brightway.public_id)
    check = client.post(sent.location, data=forced).location
    assert "This workplace is new here, and you cannot add it." in client.get(check).text
