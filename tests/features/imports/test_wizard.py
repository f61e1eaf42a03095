"""The wizard from the file to the way back."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.domain.vocabulary import PointKind, RowOutcome
from crm.features.imports import service
from crm.models.contacts import Contact, ContactPoint, Job, Membership
from crm.models.conversations import Assessment
from crm.models.imports import ImportRow, ListImport
from crm.web import tasks
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, Named, World
from tests.features.imports import wizard
from tests.features.imports.wizard import as_csv

Clients = Callable[[Named], FlaskClient]

HEAD = ["Name", "Mobile", "Site", "Dept", "Member?"]


def _read(question: Callable[[Any], Any]) -> Any:
    with unit_of_work(ALL, read_only=True) as session:
        return question(session)


def _person(name: str) -> Any:
    return _read(
        lambda session: session.scalars(
            ALL.select(Contact).where(Contact.known_as == name)
        ).one_or_none()
    )


def _facts(model: Any, contact: Any) -> list[Any]:
    return _read(
        lambda session: session.scalars(
            ALL.select(model)
            .where(model.contact_id == contact.id, model.superseded_at.is_(None))
            .order_by(model.id)
        ).all()
    )


def test_a_list_comes_in_with_jobs_areas_phones_and_members(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    path = wizard.to_check(
        client,
        as_csv(
            [
                HEAD,
                ["Aneta Nowak", "7700900150", "The Mill", "PCK", "Y"],
                ["Bilal Hussain", "", "The Depot", "", ""],
                ["Carys Pugh", "07700 900151", "The Mill", "yard", "N"],
            ]
        ),
        values={"v3-0": "packing"},
        as_at="2026-11-01",
        union=str(world.union.public_id),
    )
    assert wizard.counts(client, f"{path}/check")["New"] == 3
    assert _person("Aneta Nowak") is None
    wizard.start(app, client, path)
    assert "Imported" in client.get(path).text
    aneta, bilal, carys = map(_person, ("Aneta Nowak", "Bilal Hussain", "Carys Pugh"))
    assert [point.value for point in _facts(ContactPoint, aneta)] == ["07700900150"]
    (job,) = _facts(Job, aneta)
    assert (job.area_id, str(job.valid_from)) == (world.packing.id, "2026-11-01")
    assert job.from_is_first_seen
    (membership,) = _facts(Membership, aneta)
    assert (membership.status, membership.union_id) == ("member", world.union.id)
    assert _facts(Membership, bilal) == []
    assert _facts(ContactPoint, bilal) == []
    assert [one.status for one in _facts(Membership, carys)] == ["not_member"]
    assert "Aneta Nowak" in client.get("/people?q=aneta").text


def test_the_same_file_twice_adds_nothing_and_undo_takes_all_back(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    rows = as_csv([HEAD, ["Aneta Nowak", "07700 900150", "The Mill", "Packing", ""]])
    path = wizard.to_check(client, rows)
    wizard.start(app, client, path)
    again = wizard.to_check(client, rows)
    assert wizard.counts(client, f"{again}/check") == {"New": 0, "Changed": 0, "As before": 1}
    assert "There is nothing to import." in client.get(f"{again}/check").text
    wizard.undo(app, client, path)
    assert _person("Aneta Nowak") is None
    assert "1 row was taken back." in client.get(path).text
    assert "Aneta" not in client.get("/people?q=aneta").text.split("<main")[1].split("value=")[0]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_of_many_whom_a_row_could_be_about_a_few_are_asked_about(
    client_as: Clients, world: World, fixed_clock: None
) -> None:
    """Else a short list of one name, or of one phone, fills the disk and stops the server."""
    mill: Any = world.mill
    with unit_of_work(ALL) as session:
        for number in range(12):
            person = factories.make_person(session, mill, "Maria Silva", full_name="Maria Silva")
            for value in ("447700900123", f"4477009002{number:02}"):
                session.add(
                    ContactPoint(
                        contact_id=person.id,
                        kind=PointKind.PHONE,
                        value=value,
                        value_key=value,
                        recorded_at=NOW,
                    )
                )
    rows = [
        ["Maria Silva", "07700 900199", "The Mill", "", ""],
        ["Zofia Nowak", "07700 900123", "The Mill", "", ""],
        ["Maria Silva", "07700 900211", "The Mill", "", ""],
    ]
    wizard.to_check(client_as(world.organiser), as_csv([HEAD, *rows]))
    with unit_of_work(ALL, read_only=True) as session:
        found = session.execute(
            ALL.select(ImportRow.outcome, ImportRow.candidates).order_by(ImportRow.row_no)
        ).all()
    assert [len((asked or {"people": []})["people"]) for _outcome, asked in found] == [5, 5, 0]
    assert found[2].outcome is RowOutcome.UNCHANGED


def test_somebody_we_know_gets_what_is_new_and_loses_nothing(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    path = wizard.to_check(
        client,
        as_csv([HEAD, ["Tomasz K", "07700 900160", "The Mill", "Packing", ""]]),
        as_at="2026-11-01",
    )
    assert wizard.counts(client, f"{path}/check")["Changed"] == 1
    refused = client.post(f"{path}/start", data=wizard.form_of(client, f"{path}/check", "start"))
    assert refused.status_code == 422
    assert "Tick the box to say that you have looked at the warning." in refused.text
    before = _facts(Job, _person("Tomasz K"))
    wizard.start(app, client, path, looked="y")
    tomasz = _person("Tomasz K")
    first, second = _facts(Job, tomasz)
    assert (first.area_id, str(first.valid_to)) == (world.yard.id, "2026-11-01")
    assert (second.area_id, str(second.valid_from)) == (world.packing.id, "2026-11-01")
    assert len(_facts(Membership, tomasz)) == 1
    wizard.undo(app, client, path)
    (job,) = _facts(Job, tomasz)
    assert (job.area_id, job.valid_from, job.valid_to) == (
        before[0].area_id,
        before[0].valid_from,
        None,
    )
    assert _facts(ContactPoint, tomasz) == []


def test_a_scale_is_not_taken_without_its_direction(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    rows = as_csv([["Name", "Site", "Support"], ["Aneta Nowak", "The Mill", "5"]])
    sent = wizard.upload(client, rows)
    refused = client.post(sent.location, data=wizard.form_of(client, sent.location, "matching"))
    assert refused.status_code == 422
    assert "Say which end of the scale means the strongest support." in refused.text
    path = wizard.to_check(client, rows, strongest="5")
    wizard.start(app, client, path)
    (standing,) = _facts(Assessment, _person("Aneta Nowak"))
    assert (standing.rating, standing.basis) == (1, "told")


def test_all_that_is_missing_is_said_at_once_beside_its_field(
    client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    head = ["Name", "Joined", "Support", "Support seen on"]
    sent = wizard.upload(client, as_csv([head, ["Aneta Nowak", "3/4/25", "5", ""]]))
    typed = wizard.matching(client, sent.location)
    typed |= {"to1": "joined_on", "to2": "leave_out", "to3": "standing_on", "union": ""}
    refused = client.post(sent.location, data={**typed, "workplace": ""})
    assert refused.status_code == 422
    for name, words in (
        ("to1", service.SAY_MEMBERS),
        ("to3", service.SAY_STANDING),
        ("workplace", service.SAY_WORKPLACE),
    ):
        assert re.search(
            rf'id="{name}-error"[^>]*>(?:<[^>]*>[^<]*</span>)?\s*{words}', refused.text
        )


def test_the_day_a_list_is_true_for_is_read_above_it_or_asked_and_never_made_up(
    client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    row = ["Aneta Nowak", "07700 900150", "The Mill", "Packing", "Y"]
    sent = wizard.upload(client, as_csv([["Members"], ["Printed 1 November 2026"], HEAD, row]))
    assert wizard.form_of(client, sent.location, "matching")["as_at"] == "2026-11-01"
    sent = wizard.upload(client, as_csv([HEAD, row]))
    untouched = wizard.form_of(client, sent.location, "matching")
    assert untouched["as_at"] == ""
    refused = client.post(sent.location, data=untouched)
    assert refused.status_code == 422
    assert service.SAY_DAY in refused.text


def test_lists_are_offered_that_one_may_bring_and_no_others(
    client_as: Clients, world: World, fixed_clock: None
) -> None:
    admin = client_as(world.admin)
    page = admin.get("/import").text
    assert 'value="places"' in page
    assert 'value="people"' not in page
    assert wizard.upload(admin, as_csv([HEAD, ["Aneta", "", "", "", ""]])).status_code == 422
    assert 'value="people"' in client_as(world.organiser).get("/import").text


def test_a_list_of_members_alone_needs_no_column_that_says_so(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    rows = as_csv([["Name", "Site", "Joined"], ["Aneta Nowak", "The Mill", "3/4/25"]])
    more = {"all_members": "y", "union": str(world.union.public_id)}
    path = wizard.to_check(client, rows, **more)
    wizard.start(app, client, path)
    (membership,) = _facts(Membership, _person("Aneta Nowak"))
    assert (membership.status, str(membership.valid_from)) == ("member", "2025-04-03")
    assert wizard.form_of(client, wizard.upload(client, rows).location, "matching")["all_members"]


def test_a_word_without_a_meaning_leads_back_to_where_it_gets_one(
    client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    row = ["Aneta Nowak", "07700 900150", "Nowhere Ltd", "", ""]
    path = wizard.to_check(client, as_csv([HEAD, row]))
    page = client.get(f"{path}/check").text
    assert f'href="{path}/values"' in page
    assert page.count("This value is not matched to anything yet.") == 1
    assert "There is no workplace in this row." not in page


def test_rows_that_were_handed_back_are_matched_as_the_list_was(
    client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    head = ["Who", "Ring", "Where"]
    chosen = {"to0": "full_name", "to1": "phone", "to2": "workplace"}
    rows = [head, ["Aneta Nowak", "ring me", "The Mill"], ["Bilal Hussain", "", "The Mill"]]
    path = wizard.to_check(client, as_csv(rows), **chosen)
    returned = client.get(f"{path}/problems.csv").data.replace(b"ring me", b"07700 900150")
    again = wizard.form_of(client, wizard.upload(client, returned).location, "matching")
    assert again.items() >= {**chosen, "to3": "leave_out", "to4": "leave_out"}.items()


def test_what_a_list_says_otherwise_and_what_stays_is_told(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    head = ["Name", "Site", "Start date", "Joined", "Member?", "Support"]
    rows = [
        head,
        ["Ioana Popescu", "The Mill", "3/4/2019", "", "N", ""],
        ["Tomasz K", "The Mill", "", "", "", "5"],
    ]
    more = {"strongest": "1", "union": str(world.union.public_id), "as_at": "2010-01-01"}
    old = wizard.to_check(client, as_csv(rows), **more)
    page = client.get(f"{old}/check").text
    # All that is known is from a later day than the list.
    for line in ("A job here: 2", "Union membership: 1", "Where they stand: 1"):
        assert f"<li>{line}</li>" in page
    assert "What stays: A job here, Union membership" in page
    assert wizard.figures(wizard.counts(client, f"{old}/check")) == (0, 0, 2)
    new = wizard.to_check(client, as_csv(rows), **{**more, "as_at": "2026-11-01"})
    page = client.get(f"{new}/check").text
    assert "<li>Started the job on: 1</li>" in page
    assert "A job here" not in page
    wizard.start(app, client, new, looked="y")
    (job,) = _facts(Job, _person("Ioana P"))
    assert str(job.valid_from) != "2019-04-03"


def test_a_first_day_takes_the_place_of_since_when_we_knew_of_the_job(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    head = ["Name", "Site", "Start date"]
    first = as_csv([head, ["Aneta Nowak", "The Mill", ""]])
    wizard.start(app, client, wizard.to_check(client, first, as_at="2026-10-01"))
    (seen,) = _facts(Job, _person("Aneta Nowak"))
    assert (str(seen.valid_from), seen.from_is_first_seen) == ("2026-10-01", True)
    told = as_csv([head, ["Aneta Nowak", "The Mill", "3/4/2019"]])
    path = wizard.to_check(client, told, as_at="2026-11-01")
    assert "What changes: Started the job on" in client.get(f"{path}/check").text
    wizard.start(app, client, path, looked="y")
    (job,) = _facts(Job, _person("Aneta Nowak"))
    assert (str(job.valid_from), job.from_is_first_seen) == ("2019-04-03", False)
    again = wizard.to_check(client, told, as_at="2026-11-01")
    assert wizard.figures(wizard.counts(client, f"{again}/check")) == (0, 0, 1)
    wizard.undo(app, client, path)
    (back,) = _facts(Job, _person("Aneta Nowak"))
    assert (back.valid_from, back.from_is_first_seen) == (seen.valid_from, True)


def test_letters_that_were_read_wrongly_are_pointed_at(
    client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    for name, encoding, wrong in (
        ("Grażyna Wąs", "cp1250", True),
        ("Zoë O’Brien", "cp1252", False),
        ("Grażyna Wąs", "utf-8", False),
    ):
        content = as_csv([HEAD, [name, "", "The Mill", "", ""]]).decode().encode(encoding)
        page = client.get(wizard.upload(client, content).location).text
        assert ("Some letters look wrong, as in “Gra¿yna W¹s”." in page) is wrong


def test_dates_with_the_month_first_are_warned_of_before_anything_is_stored(
    client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    head = ["Name", "Site", "Start date"]
    rows = [
        head,
        ["Aneta Nowak", "The Mill", "4/3/2026"],
        ["Bilal Hussain", "The Mill", "4/25/2026"],
    ]
    path = wizard.to_check(client, as_csv(rows))
    assert (
        "The list has a date with the month first: 4/25/2026." in client.get(f"{path}/check").text
    )
    path = wizard.to_check(client, as_csv(rows[:2]))
    assert "month first" not in client.get(f"{path}/check").text


def test_the_check_names_who_would_change_and_the_result_adds_up(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    rows = [
        HEAD,
        ["Tomasz K", "07700 900160", "The Mill", "", ""],
        ["", "07700 900161", "The Mill", "", ""],
        ["Total", "", "", "", "2"],
    ]
    path = wizard.to_check(client, as_csv(rows))
    page = client.get(f"{path}/check").text
    assert f'href="/people/{world.tomasz.public_id}"' in page
    assert "What changes: A new phone" in page
    assert "This would change the one person it finds again." in page
    wizard.start(app, client, path, looked="y")
    found = wizard.counts(client, path)
    assert found == {"New": 0, "Changed": 1, "As before": 0, "Not imported": 1, "Left out": 1}
    with unit_of_work(ALL) as session:
        tomasz = session.scalars(ALL.select(Contact).where(Contact.known_as == "Tomasz K")).one()
        session.scalars(
            ALL.select(ContactPoint).where(ContactPoint.contact_id == tomasz.id)
        ).one().label = "home"
    wizard.undo(app, client, path)
    assert f'Row 2: <a href="/people/{world.tomasz.public_id}">' in client.get(path).text


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("employer_system", "Do not bring in data from your employer’s system."),
        ("union_without_leave", "Do not bring in your union’s data without its permission."),
    ],
)
def test_a_list_that_must_not_be_here_is_refused_unread(
    client_as: Clients, world: World, origin: str, words: str
) -> None:
    refused = wizard.upload(client_as(world.organiser), b"\x00 not even a list", origin=origin)
    assert refused.status_code == 422
    assert words in refused.text


def test_a_long_list_is_checked_by_the_worker(
    app: Flask,
    client_as: Clients,
    world: World,
    fixed_clock: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "CHECKED_AT_ONCE", 2)
    client = client_as(world.organiser)
    rows = [["Name"], *([f"Worker {name}"] for name in ("A", "B", "C"))]
    sent = wizard.upload(client, as_csv(rows))
    answer = wizard.match(client, sent.location, workplace=str(world.mill.public_id))
    assert "/tasks/" in answer.location
    assert tasks.run_one(app)
    assert "The list is checked." in client.get(answer.location).text
    path = sent.location.removesuffix("/match")
    assert wizard.counts(client, f"{path}/check")["New"] == 3


def test_a_list_that_is_looked_at_in_parts_is_looked_at_whole_and_once(
    app: Flask,
    client_as: Clients,
    world: World,
    fixed_clock: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("CHECKED_AT_ONCE", "LOOKED_AT_ONCE", "_FORGOTTEN_AT_ONCE", "_SIGN_EVERY"):
        monkeypatch.setattr(service, name, 2)
    client = client_as(world.organiser)
    names = ("A", "B", "C", "A", "D", "E")
    sent = wizard.upload(client, as_csv([["Name"], *([f"Worker {name}"] for name in names)]))
    path = sent.location.removesuffix("/match")
    for _ in range(2):
        wizard.match(client, sent.location, workplace=str(world.mill.public_id))
        # Until it is checked to its end, nothing of it counts.
        assert client.get(f"{path}/check").status_code == 303
        assert tasks.run_one(app)
        page = client.get(f"{path}/check").text
        assert wizard.counts(client, f"{path}/check")["New"] == 5
        # The fifth row of the file says what the second says, which another part held.
        assert "This row is about the same person as row 2." in page
    wizard.start(app, client, path)
    assert wizard.counts(client, path)["New"] == 5


def test_a_list_is_kept_sealed_and_goes_when_it_is_in(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    path = wizard.to_check(
        client, as_csv([HEAD, ["Aneta Nowak", "07700 900150", "The Mill", "", ""]])
    )
    row = _read(lambda session: session.scalars(ALL.select(ListImport)).one())
    for sealed in (row.sealed_file, row.sealed_table):
        assert sealed
        assert b"Aneta" not in sealed
        assert b"Aneta" not in base64.b64decode(sealed)
    assert "Aneta" not in str(row.settings)
    wizard.start(app, client, path)
    row = _read(lambda session: session.scalars(ALL.select(ListImport)).one())
    assert (row.sealed_file, row.sealed_table) == (None, None)


def test_nobody_else_sees_a_list_on_its_way_in(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    path = wizard.to_check(
        client, as_csv([HEAD, ["Aneta Nowak", "07700 900150", "The Mill", "", ""]])
    )
    for other in (world.boss_of_all, world.officer):
        for page in ("", "/match", "/values", "/check", "/problems.csv"):
            assert client_as(other).get(path + page).status_code == 404
        assert "list.csv" not in client_as(other).get("/import").text
    assert client_as(world.rep).get("/import").status_code == 403


def test_rows_are_put_right_in_place_or_taken_out_as_a_file(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    rows = [
        HEAD,
        ["", "+44 7700 900150", "The Mill", "", ""],
        ["Bilal Hussain", "077", "The Mill", "", ""],
    ]
    path = wizard.to_check(client, as_csv(rows))
    assert wizard.counts(client, f"{path}/check")["Has a problem"] == 2
    file = client.get(f"{path}/problems.csv")
    lines = file.text.lstrip("\ufeff").splitlines()
    assert lines[0] == "Name,Mobile,Site,Dept,Member?,Row,What is wrong"
    assert lines[1].startswith(""",\'+44 7700 900150,The Mill,,,2,"There is no name""")
    data = wizard.form_of(client, f"{path}/check", "fix")
    assert data["c3-1"] == "077"
    sent = client.post(f"{path}/check", data={**data, "c2-0": "Aneta Nowak", "s3": "y"})
    assert sent.status_code == 303
    said = wizard.counts(client, f"{path}/check")
    assert (said["New"], said["Left out"]) == (1, 1)
    assert "Has a problem" not in said


def test_somebody_who_could_be_one_of_ours_is_asked_about(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    with unit_of_work(ALL) as session:
        values = {"kind": "phone", "value": "07700 900161", "value_key": "447700900161"}
        session.add(ContactPoint(contact_id=world.tomasz.id, recorded_at=NOW, **values))
    rows = [
        HEAD,
        ["Tomas Kowalski", "07700900161", "The Mill", "", ""],
        # A family shares a phone: that alone makes nobody the same person.
        ["Wanda Nowak", "07700900161", "The Depot", "", ""],
    ]
    path = wizard.to_check(client, as_csv(rows))
    said = wizard.counts(client, f"{path}/check")
    assert said["Could be the same person"] == 2
    data = wizard.form_of(client, f"{path}/check", "fix")
    asked = [name for name in data if name.startswith("p")]
    assert {data[name] for name in asked} == {"ask"}
    page = client.get(f"{path}/check").text
    assert str(world.tomasz.public_id) in page
    same = {name: str(world.tomasz.public_id) for name in asked[:1]}
    # One is chosen, and of all others it is said at once that they are somebody new.
    client.post(f"{path}/check", data={**data, **same, "others": "y"})
    said = wizard.counts(client, f"{path}/check")
    assert "Could be the same person" not in said
    assert (said["As before"] + said["Changed"], said["New"]) == (1, 1)


def _expire(days: int) -> None:
    with unit_of_work(ALL) as session:
        for one in session.scalars(ALL.select(ListImport)):
            one.expires_at = NOW - timedelta(days=days)


def _left() -> tuple[int, int]:
    """How many lists still have their file, and how many rows still say what they stored."""
    with unit_of_work(ALL, read_only=True) as session:
        lists = session.scalars(ALL.select(ListImport.sealed_table)).all()
        rows = session.scalars(ALL.select(ImportRow.id).where(ImportRow.effects.is_not(None))).all()
        return sum(one is not None for one in lists), len(rows)


def test_a_list_nobody_came_back_for_goes_by_itself_but_not_under_work_on_it(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    rows = as_csv([HEAD, ["Aneta Nowak", "7700900150", "The Mill", "", ""]])
    chosen = {"as_at": "2026-11-01", "union": str(world.union.public_id)}
    path = wizard.to_check(client, rows, **chosen)
    wizard.start(app, client, path)
    wizard.to_check(client, rows, **chosen)
    tasks.sweep(app)
    assert _left() == (1, 1)
    client.post(f"{path}/undo")
    _expire(days=1)
    tasks.sweep(app)
    # The way back is asked for and not done yet: it needs to know what was stored.
    assert _left() == (0, 1)
    assert tasks.run_one(app)
    assert _person("Aneta Nowak") is None
    tasks.sweep(app)
    assert _left() == (0, 0)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["people", "places"])
def test_a_file_with_headings_alone_is_said_to_be_that(
    client_as: Clients, world: World, kind: str
) -> None:
    client = client_as(world.organiser)
    head = ["Name", "Mobile", "Site"] if kind == "people" else ["Site", "Postcode"]
    answer = wizard.upload(client, as_csv([head]), kind=kind)
    assert answer.status_code == 422
    words = "This file has headings, but no row below them. Choose the file that holds the list"
    assert words in answer.text
    # The list of one person has one row too.
    one = ["Aneta Nowak", "07700 900150", "The Mill"]
    assert wizard.upload(client, as_csv([one]), kind=kind).status_code == 303
