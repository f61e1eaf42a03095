"""Names of a list that are like a workplace that is here: asked about once, and remembered."""

from __future__ import annotations

import html
import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from crm.analysis.place_likeness import find_like_for_each, find_like_places
from crm.domain.place_likeness import KnownPlace
from crm.models.contacts import Contact, Job
from crm.models.places import Headcount, Workplace
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, Named, World
from tests.features.imports import wizard
from tests.features.imports.wizard import as_csv

Clients = Callable[[Named], FlaskClient]


def _workplace(world: World, name: str, postcode: str | None = None) -> Workplace:
    with unit_of_work(ALL) as session:
        site = factories.make_workplace(session, world.brightway, name, branches=(world.branch,))
        site.postcode = postcode
    return site


def _places_to_check(client: FlaskClient, rows: list[list[str]], **chosen: str) -> str:
    sent = wizard.upload(client, as_csv(rows), kind="places")
    answer = wizard.match(client, sent.location, **chosen)
    assert answer.location.endswith("/check"), answer.location
    return answer.location.removesuffix("/check")


def _asked(client: FlaskClient, path: str) -> tuple[dict[str, str], list[str]]:
    data = wizard.form_of(client, f"{path}/check", "fix")
    return data, sorted(name for name in data if name.startswith("w"))


def test_an_unknown_workplace_of_people_is_asked_about_once_for_all_its_rows(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    site = _workplace(world, "Brightway Parcel Centre", "S70 1AA")
    client = client_as(world.organiser)
    rows = [
        ["Name", "Site"],
        ["Aneta Nowak", "Brightway Parcel Center"],
        ["Bilal Hussain", "brightway parcel center"],
        ["Carys Pugh", "Somewhere else"],
    ]
    sent = wizard.upload(client, as_csv(rows))
    values = wizard.match(client, sent.location).location
    assert values.endswith("/values")
    page = html.unescape(client.get(values).text)
    asked = "Is it one of these? Brightway Parcel Centre, Brightway, S70 1AA (Same name)"
    assert page.count(asked) == 1
    data = wizard.form_of(client, values, "values")
    # Nothing is ticked beforehand: a name alone is never sure.
    assert data == {"v1-0": "?", "v1-1": "?", **{k: v for k, v in data.items() if k[0] != "v"}}
    path = client.post(values, data=data).location.removesuffix("/check")
    assert "Say what the words mean" in client.get(f"{path}/check").text
    client.post(values, data={**data, "v1-0": str(site.public_id)})
    assert wizard.counts(client, f"{path}/check")["New"] == 2
    wizard.start(app, client, path)
    with unit_of_work(ALL, read_only=True) as session:
        there = session.scalars(
            ALL.select(Contact.known_as)
            .join(Job, Job.contact_id == Contact.id)
            .where(Job.workplace_id == site.id)
        ).all()
    assert sorted(there) == ["Aneta Nowak", "Bilal Hussain"]
    # Next month's list knows it.
    sent = wizard.upload(client, as_csv(rows))
    again = wizard.form_of(client, wizard.match(client, sent.location).location, "values")
    assert str(site.public_id) in again.values()


def test_a_workplace_of_a_list_that_is_like_one_here_waits_for_an_answer(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    site = _workplace(world, "Brightway Parcel Centre", "S70 1AA")
    client = client_as(world.boss_of_all)
    rows = [
        ["Site", "Department", "Workers", "Postcode"],
        ["Brightway Parcel Center Ltd", "", "40", "S70 1AA"],
        ["Brightway Parcel Center Ltd", "Goods in", "12", ""],
        ["Brightway Parcel Centre", "Goods in", "12", ""],
        ["Quite Another Place", "", "9", ""],
    ]
    chosen = {"counts": "site_all", "source": "survey", "employer": str(world.brightway.public_id)}
    path = _places_to_check(client, rows, **chosen)
    said = wizard.counts(client, f"{path}/check")
    assert said["Could be here already"] == 2
    assert (said["New"], said["Changed"]) == (1, 1)
    page = client.get(f"{path}/check").text
    assert "(and 1 more row)" in page
    assert "Same postcode" in page
    data, (name,) = _asked(client, path)
    assert data[name] == "ask"
    answer = client.post(f"{path}/check", data={**data, name: str(site.public_id)})
    assert answer.status_code == 303
    # Its area is in the list twice now, under the workplace's two names.
    assert "This row is about the same place as row 3." in client.get(f"{path}/check").text
    data = wizard.form_of(client, f"{path}/check", "fix")
    client.post(f"{path}/check", data={**data, "s4": "y"})
    wizard.start(app, client, path, looked="y")
    with unit_of_work(ALL, read_only=True) as session:
        alike = ALL.select(sa.func.count(Workplace.id)).where(
            Workplace.name.startswith("Brightway Parcel")
        )
        assert session.scalar(alike) == 1
        heads = session.scalars(ALL.select(Headcount.low).where(Headcount.place_id == site.id))
        assert heads.all() == [40]
    # The answer is kept: nothing is asked again, and nothing is added.
    again = _places_to_check(client, rows[:3], **chosen)
    assert wizard.figures(wizard.counts(client, f"{again}/check")) == (0, 0, 2)


def test_all_that_are_shown_can_be_said_to_be_new_at_once(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    for town in ("Leeds", "Hull"):
        _workplace(world, f"{town} Parcel Depot")
    client = client_as(world.boss_of_all)
    rows = [["Site"], ["Leeds Parcel Depots"], ["Hull Parcel Depots"], ["=Hull Parcel Depot!A1"]]
    path = _places_to_check(client, rows, employer=str(world.brightway.public_id))
    data, names = _asked(client, path)
    assert len(names) == 3
    client.post(f"{path}/check", data={**data, "all_new": "y"})
    said = wizard.counts(client, f"{path}/check")
    assert said["New"] == 3
    assert "Could be here already" not in said
    # Left open, such rows are passed by.
    other = _places_to_check(client, [["Location"], ["Leeds Parcel Depots"]], to0="place_name")
    assert "There is nothing to import." in client.get(f"{other}/check").text


def test_only_workplaces_of_the_scope_are_offered(
    client_as: Clients, world: World, fixed_clock: None
) -> None:
    with unit_of_work(ALL) as session:
        factories.make_workplace(session, world.saltway, "Harbour Grain Terminal")
    client = client_as(world.organiser)
    pages = []
    for site in ("Harbour Grain Terminals", "Nothing Like It Here"):
        path = _places_to_check(client, [["Site", "Postcode"], [site, "S1 1AA"]])
        check = client.get(f"{path}/check").text.replace(path, "")
        sent = wizard.upload(client, as_csv([["Name", "Site"], ["Aneta Nowak", site]]))
        values = client.get(wizard.match(client, sent.location).location).text
        mains = [page.split("<main")[1].split("</main>")[0] for page in (check, values)]
        key = sent.location.removesuffix("/match")
        pages.append([one.replace(site, "X").replace(key, "") for one in mains])
    assert pages[0] == pages[1]
    assert "Harbour Grain Terminal<" not in str(pages)


def test_many_names_are_held_against_many_places_in_one_go() -> None:
    places = [KnownPlace(f"Store {number} {_town(number)}") for number in range(2000)]
    asked = [KnownPlace(f"Stores {_town(number)} {number}") for number in range(0, 2000, 2)]
    began = time.process_time()
    found = find_like_for_each(asked, places)
    assert time.process_time() - began < 5
    for number in range(0, 1000, 250):
        assert [at for at, _likeness in found[number]][:1] == [number * 2]
    one = KnownPlace("Brigthway Parcels", "1 Mill Lane")
    other = KnownPlace("Brightway Parcels", "1 Mill Lane")
    assert find_like_for_each([one], [other]) == [find_like_places(one, [other])]


def _town(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) * 2 for digit in f"{number * 7919 % 10007:05}")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("here", "listed"), [("Wath DC", "WATH D.C."), ("Wath D. C.", "wath dc")])
def test_a_workplace_is_found_with_the_dots_of_its_abbreviation_and_without(
    client_as: Clients, world: World, here: str, listed: str
) -> None:
    _workplace(world, here)
    client = client_as(world.organiser)
    path = wizard.to_check(client, as_csv([["Name", "Site"], ["Aneta Nowak", listed]]))
    assert wizard.counts(client, f"{path}/check")["New"] == 1


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_facilities_of_suppliers_that_are_like_one_here_wait_for_an_answer(
    client_as: Clients, world: World
) -> None:
    _workplace(world, "Brightway Parcel Centre", "S70 1AA")
    client = client_as(world.boss_of_all)
    rows = [["Factory", "Postcode"], ["Brightway Parcel Center Ltd", "S70 1AA"]]
    sent = wizard.upload(client, as_csv(rows), kind="suppliers")
    employer = str(world.brightway.public_id)
    path = wizard.match(client, sent.location, employer=employer, buyer=employer).location
    assert wizard.counts(client, path)["Could be here already"] == 1


@pytest.mark.parametrize("kind", ["ballots", "successions"])
def test_a_name_in_a_list_of_ballots_or_mergers_is_asked_about_once_and_remembered(
    app: Flask, client_as: Clients, world: World, fixed_clock: None, kind: str
) -> None:
    site = _workplace(world, "Brightway Parcel Centre")
    with unit_of_work(ALL) as session:
        factories.make_workplace(session, world.saltway, "Brightway Parcels")
    client = client_as(world.organiser)
    if kind == "ballots":
        rows = [
            ["Workplace", "Yes", "No", "Question"],
            ["Brightway Parcel Center", "9", "1", "Strike"],
            ["brightway parcel center", "8", "2", "ASOS"],
            ["Nothing like it", "8", "2", "Strike"],
        ]
        chosen = {
            "ballot_name": "Pay 2026",
            "holder": str(world.branch.public_id),
            "union": str(world.union.public_id),
            "law": "GB",
            "closes_on": "2026-09-30",
        }
    else:
        rows = [
            ["Name", "LinkName", "LinkType", "LinkEstablishedDate"],
            ["Brightway Parcel Center", "The Mill", "Successor - merged", "01-11-2026"],
            ["Nothing like it", "The Mill", "Successor - merged", "01-11-2026"],
        ]
        chosen = {}

    def _check() -> str:
        sent = wizard.upload(client, as_csv(rows), kind=kind)
        answer = wizard.match(client, sent.location, **chosen)
        if answer.location.endswith("/values"):
            data = wizard.form_of(client, answer.location, "values")
            answer = client.post(answer.location, data=data)
        return answer.location.removesuffix("/check")

    path = _check()
    page = html.unescape(client.get(f"{path}/check").text)
    assert "Brightway Parcel Centre, Brightway (Same name)" in page
    # That of another branch is not offered.
    assert "Brightway Parcels" not in page
    data = wizard.form_of(client, f"{path}/check", "fix")
    asked = [name for name in data if name.startswith("n")]
    assert (asked, data["n2-0"]) == (["n2-0"], "ask")
    client.post(f"{path}/check", data={**data, "n2-0": str(site.public_id)})
    said = wizard.counts(client, f"{path}/check")
    assert (said["New"], said["Has a problem"]) == (len(rows) - 2, 1)
    wizard.start(app, client, path)
    again = _check()
    said = wizard.counts(client, f"{again}/check")
    assert (said["New"], said["As before"], said["Has a problem"]) == (0, len(rows) - 2, 1)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_two_names_of_one_workplace_are_not_counted_both(
    client_as: Clients, world: World, fixed_clock: None
) -> None:
    site = _workplace(world, "Brightway Parcel Centre")
    client = client_as(world.organiser)
    head = ["Workplace", "Yes", "No"]
    names = ["Brightway Parcel Center", "Brightway Parcel Centre", "Brightway Parcels Centre"]
    sent = wizard.upload(
        client, as_csv([head, *([one, "9", "1"] for one in names)]), kind="ballots"
    )
    answer = wizard.match(
        client,
        sent.location,
        ballot_name="Pay 2026",
        question="strike",
        holder=str(world.branch.public_id),
        union=str(world.union.public_id),
        law="GB",
        closes_on="2026-09-30",
    )
    data = wizard.form_of(client, answer.location, "fix")
    here = str(site.public_id)
    client.post(answer.location, data={**data, "n2-0": here, "n4-0": here})
    said = wizard.counts(client, answer.location)
    assert (said["New"], said["Has a problem"]) == (1, 2)
    page = client.get(answer.location).text
    assert page.count("This row is about the same place as row 3. Leave one of the two out.") == 2
