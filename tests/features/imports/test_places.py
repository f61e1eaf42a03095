"""Lists of workplaces, headcounts and counts of members."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from crm.models.places import Area, Headcount, MemberCount, Place, PlaceClosure, Workplace
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL, Named, World
from tests.features.imports import wizard
from tests.features.imports.wizard import as_csv

Clients = Callable[[Named], FlaskClient]

BALLOTS = Path(__file__).parents[2] / "data" / "ucu-ballots-2018-2019"
HEAD = ["Site", "Department", "Workers", "Members", "Postcode"]


def _state() -> dict[str, list[Any]]:
    """Every place, count and link that is believed now."""
    with db.engine.connect().execution_options(crm_scope=True, read_only=True) as connection:
        return {
            "places": sorted(
                tuple(str(value) for value in row)
                for row in connection.execute(sa.select(Place.kind, Place.name, Place.country))
            ),
            "sites": sorted(
                tuple(str(value) for value in row)
                for row in connection.execute(sa.select(Workplace.postcode, Workplace.address))
            ),
            "heads": sorted(
                connection.execute(
                    sa.select(Headcount.place_id, Headcount.low).where(
                        Headcount.superseded_at.is_(None)
                    )
                ).all()
            ),
            "members": sorted(
                connection.execute(
                    sa.select(MemberCount.place_id, MemberCount.members).where(
                        MemberCount.superseded_at.is_(None)
                    )
                ).all()
            ),
            "links": [connection.execute(sa.select(sa.func.count(PlaceClosure.ancestor_id))).all()],
        }


def _to_check(client: FlaskClient, content: bytes, **chosen: str) -> str:
    sent = wizard.upload(client, content, kind="places")
    assert sent.status_code == 303, sent.text
    answer = wizard.match(client, sent.location, **chosen)
    assert answer.location.endswith("/check"), answer.location
    return answer.location.removesuffix("/check")


def test_workplaces_areas_and_counts_come_in_and_go_again(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.boss_of_all)
    rows = [
        HEAD,
        ["The Mill", "", "1,204", "300", "S70 1AA"],
        ["The Annex", "", "40", "", "S70 1AB"],
        ["The Annex", "Goods in", "12", "5", ""],
        ["Total", "", "1,244", "300", ""],
    ]
    chosen = {
        "employer": str(world.brightway.public_id),
        "counts": "site_all",
        "source": "union_list",
        "union": str(world.union.public_id),
        "as_at": "2026-11-01",
    }
    before = _state()
    path = _to_check(client, as_csv(rows), **chosen)
    assert wizard.figures(wizard.counts(client, f"{path}/check")) == (2, 1, 0)
    assert _state() == before
    wizard.start(app, client, path, looked="y")
    with unit_of_work(ALL, read_only=True) as session:
        annex = session.scalars(ALL.select(Workplace).where(Workplace.name == "The Annex")).one()
        assert (annex.employer_id, annex.postcode) == (world.brightway.id, "S70 1AB")
        area = session.scalars(ALL.select(Area).where(Area.workplace_id == annex.id)).one()
        heads = session.scalars(
            ALL.select(Headcount).where(Headcount.place_id.in_([annex.id, area.id, world.mill.id]))
        ).all()
        assert {(row.place_id, row.low, str(row.on_day)) for row in heads} >= {
            (annex.id, 40, "2026-11-01"),
            (area.id, 12, "2026-11-01"),
            (world.mill.id, 1204, "2026-11-01"),
        }
    again = _to_check(client, as_csv(rows), **chosen)
    assert wizard.figures(wizard.counts(client, f"{again}/check")) == (0, 0, 3)
    wizard.undo(app, client, path)
    assert _state() == before


def test_a_new_place_that_somebody_works_at_by_now_stays(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.boss_of_all)
    path = _to_check(
        client,
        as_csv([["Site"], ["The Annex"], ["The Shed"]]),
        employer=str(world.brightway.public_id),
    )
    wizard.start(app, client, path)
    with unit_of_work(ALL) as session:
        annex = session.scalars(ALL.select(Workplace).where(Workplace.name == "The Annex")).one()
        factories.make_person(session, annex, "Somebody")
    wizard.undo(app, client, path)
    assert "Somebody has changed these since." in client.get(path).text
    with unit_of_work(ALL, read_only=True) as session:
        names = session.scalars(ALL.select(Workplace.name)).all()
    assert "The Annex" in names
    assert "The Shed" not in names


def test_a_workplace_outside_the_scope_is_not_changed_and_not_told(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    pages = []
    for site in ("The Dock", "Nowhere at all"):
        path = _to_check(
            client,
            as_csv([["Site", "Workers"], [site, "9"]]),
            counts="site_all",
            source="survey",
        )
        page = client.get(f"{path}/check").text.replace(site, "X").replace(path, "")
        pages.append(page.split("<main")[1].split("</main>")[0])
    assert pages[0] == pages[1]
    assert "This workplace is new here, and you cannot add it." in pages[0]


def test_the_ballots_of_2018_come_in_as_workplaces_with_their_members(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.boss_of_all)
    content = (BALLOTS / "2018_pension_strike.csv").read_bytes()
    path = _to_check(
        client,
        content,
        to1="members",
        employer=str(world.saltway.public_id),
        source="published_register",
        union=str(world.other_union.public_id),
        as_at="2018-01-19",
    )
    said = wizard.counts(client, f"{path}/check")
    assert said["New"] == 68
    wizard.start(app, client, path)
    with unit_of_work(ALL, read_only=True) as session:
        total = session.scalar(ALL.select(sa.func.sum(MemberCount.members)))
    mailed = [row["Mailedout"] for row in csv.DictReader(io.StringIO(content.decode()))]
    assert total == sum(float(text.replace(",", "")) for text in mailed if text)
