"""Lists of workplaces that were merged, split, or followed by another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from crm.models.contacts import Job
from crm.models.places import PlaceTie, Workplace
from crm.reads.figures import Question, density_table
from crm.web.db import unit_of_work
from tests.factories import ALL, Named, World
from tests.features.imports import wizard
from tests.features.imports.wizard import as_csv

Clients = Callable[[Named], FlaskClient]
HEAD = ["Name", "LinkName", "LinkType", "LinkEstablishedDate"]
MERGED = ["The Mill", "The Depot", "Successor - merged", "01-11-2026"]
NO_SUCH_PLACE = (
    "No workplace of this name is yours to change. Put the name right, or bring the workplaces "
    "in first."
)


def _state() -> dict[str, list[Any]]:
    """The jobs and ties that are believed now, and which workplaces are closed."""
    with unit_of_work(ALL, read_only=True) as session:
        jobs = session.execute(
            ALL.select(
                Job.contact_id, Job.workplace_id, Job.area_id, Job.valid_from, Job.valid_to
            ).where(Job.superseded_at.is_(None))
        )
        ties = session.execute(
            ALL.select(
                PlaceTie.place_id, PlaceTie.other_id, PlaceTie.kind, PlaceTie.valid_from
            ).where(PlaceTie.superseded_at.is_(None))
        )
        sites = session.execute(ALL.select(Workplace.name, Workplace.closed_on))
        return {
            "jobs": sorted(map(str, jobs)),
            "ties": [tuple(row) for row in ties],
            "sites": sorted(map(str, sites)),
        }


def _density(day: date) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = density_table(session, ALL, Question(as_at=day)).rows
        return sorted((row.label, repr(row.parts[0].density)) for row in rows)


def _to_check(client: FlaskClient, rows: Sequence[Sequence[Any]], **chosen: str) -> str:
    sent = wizard.upload(client, as_csv(rows), kind="successions")
    assert sent.status_code == 303, sent.text
    answer = wizard.match(client, sent.location, **chosen)
    if answer.location.endswith("/values"):
        data = wizard.form_of(client, answer.location, "values")
        answer = client.post(answer.location, data=data)
    assert answer.location.endswith("/check"), answer.location
    return answer.location.removesuffix("/check")


def test_a_merged_workplace_ends_and_its_people_stay_to_be_asked(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    before, figures = _state(), _density(date(2026, 10, 31))
    other_side = ["The Depot", "The Mill", "Predecessor - merged", "01-11-2026"]
    path = _to_check(client, [HEAD, MERGED, other_side])
    # Told from both sides, it is one thing.
    assert wizard.figures(wizard.counts(client, f"{path}/check")) == (1, 0, 1)
    assert _state() == before
    wizard.start(app, client, path)
    after = _state()
    assert after["jobs"] == before["jobs"]
    assert after["ties"] == [(world.mill.id, world.depot.id, "merged_into", date(2026, 11, 1))]
    assert _density(date(2026, 10, 31)) == figures
    page = client.get(f"/places/{world.mill.public_id}").text
    assert "This workplace closed on 1 November 2026." in page
    assert "This one was merged into it on 1 November 2026" in page
    assert "4 people are still written down here. Ask where they work now." in page
    other = client.get(f"/places/{world.depot.public_id}").text
    assert "Merged into this one on 1 November 2026" in other
    again = _to_check(client, [HEAD, MERGED, other_side])
    assert wizard.figures(wizard.counts(client, f"{again}/check")) == (0, 0, 2)
    wizard.undo(app, client, path)
    assert _state() == before


def test_people_go_over_only_when_it_is_said_and_come_back_with_the_undo(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    before, figures = _state(), _density(date(2026, 10, 31))
    path = _to_check(client, [HEAD, MERGED], people="move")
    assert "go over to the new one on that day" in client.get(f"{path}/check").text
    wizard.start(app, client, path)
    with unit_of_work(ALL, read_only=True) as session:
        there = session.scalars(
            ALL.select(Job.contact_id).where(
                Job.workplace_id == world.depot.id,
                Job.superseded_at.is_(None),
                Job.valid_from == date(2026, 11, 1),
            )
        ).all()
    assert {world.ioana.id, world.tomasz.id, world.rukhsana.id} <= set(there)
    assert _density(date(2026, 10, 31)) == figures
    assert _density(date(2026, 11, 1)) != figures
    wizard.undo(app, client, path)
    assert _state() == before
    # What a split left to whom, no list can say: there they stay, whatever is chosen.
    split = [HEAD, ["The Mill", "The Depot", "Successor - Split School", "01-11-2026"]]
    path = _to_check(client, split, people="move")
    wizard.start(app, client, path)
    assert _state()["jobs"] == before["jobs"]


def test_an_end_that_somebody_has_changed_since_is_left_alone(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    path = _to_check(client, [HEAD, MERGED])
    wizard.start(app, client, path)
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        mill.closed_on = date(2026, 11, 15)
    wizard.undo(app, client, path)
    assert "Somebody has changed these since." in client.get(path).text
    assert len(_state()["ties"]) == 1


def test_what_cannot_be_is_a_problem_of_its_row(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    rows = [
        HEAD,
        MERGED,
        ["The Mill", "The Depot", "Successor - merged", "02-11-2026"],
        ["The Mill", "the mill", "Successor", "01-11-2026"],
        ["The Mill", "Nowhere", "Successor", "01-11-2026"],
        ["The Mill", "The Dock", "Successor", "01-11-2026"],
        ["The Depot", "The Mill", "Expansion", "01-11-2026"],
        ["The Depot", "The Mill", "Successor - Split School", ""],
    ]
    path = _to_check(client, rows)
    found = wizard.counts(client, f"{path}/check")
    assert (found["New"], found["Has a problem"]) == (1, 6)
    page = client.get(f"{path}/check").text
    for said in (
        "Row 2 says that this was on another day. Put one of the two right.",
        "Both names lead to the same workplace. Leave this row out.",
        "This value is not matched to anything yet. Choose what it means.",
        "The day is not said. Put it in, or enter one for the whole list.",
    ):
        assert said in page, said
    # A workplace out of scope is told by the same words as one that is not there.
    assert page.count(NO_SUCH_PLACE) == 2
