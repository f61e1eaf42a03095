"""Files of people: who may take them, of whom, what is in them, and that it is in the trail."""

from __future__ import annotations

import csv
import html
import io
import re
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient

from crm.domain.roles import Role
from crm.domain.vocabulary import Verb
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact, ContactPoint
from crm.models.conversations import Conversation
from crm.models.lists import ContactAnswer, ContactTag
from crm.models.places import Place
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

ClientAs = Callable[[Named], FlaskClient]

pytestmark = pytest.mark.usefixtures("fixed_clock")
ALL_COLUMNS = ["work", "details", "membership", "standing", "talks", "own"]


def _text(reply: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", reply.text)))


def _take(client: FlaskClient, query: str = "", **data: Any) -> Any:
    values = {"kind": "csv", "columns": [], "reason": "Phone bank on Friday", **data}
    return client.post(f"/lists/out?{query}", data=values)


def _rows(reply: Any) -> list[dict[str, str]]:
    assert reply.status_code == 200, _text(reply)
    return list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))


def _exports() -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        exports = ALL.select(AuditEntry).where(AuditEntry.verb == Verb.EXPORT)
        rows = session.scalars(exports.order_by(AuditEntry.id)).all()
        session.expunge_all()
        return list(rows)


@pytest.fixture
def told(world: World) -> None:
    """What is known of Ioana and Tomasz besides their jobs."""
    ioana, tomasz = {"contact_id": world.ioana.id}, {"contact_id": world.tomasz.id}
    with unit_of_work(ALL) as session:
        branch: Any = world.branch
        drives = factories.make_tag(session, branch, "Drives")
        nights = factories.make_tag(session, branch, "Wants days")
        kids = factories.make_field(session, branch, "Children", "number")
        hull: Any = world.other_branch
        factories.make_field(session, hull, "Crane licence", "yes_no")
        for kind, value, state in (
            ("phone", "+48 600 000 000", None),
            ("phone", "07700 900111", "bad"),
            ("phone", "07700 900123", "works"),
            ("email", "ioana@example.org", None),
        ):
            point = ContactPoint(
                kind=kind, value=value, value_key=value, state=state, recorded_at=NOW, **ioana
            )
            session.add(point)
        by = {"set_at": NOW, "set_by_id": world.rep.id}
        session.add_all(
            [
                ContactTag(tag_id=drives.id, **ioana, **by),
                ContactTag(tag_id=nights.id, **ioana, **by),
                ContactAnswer(field_id=kids.id, number_value=0.0, **tomasz, **by),
                Conversation(
                    day=TODAY, held_at=NOW, recorded_at=NOW, place_id=world.mill.id, **ioana
                ),
            ]
        )


def test_a_file_holds_what_is_known_and_is_empty_elsewhere(
    client_as: ClientAs, world: World, told: None
) -> None:
    reply = _take(client_as(world.officer), "member=member", columns=ALL_COLUMNS)
    by_name = {row["Known as"]: row for row in _rows(reply)}

    assert list(by_name) == ["Ioana P", "Marta S"]
    assert by_name["Ioana P"] == {
        "Shopfloor number": str(world.ioana.public_id),
        "Known as": "Ioana P",
        "Full name": "Ioana Popescu",
        "Label": "",
        "Pronouns": "",
        "Do not contact": "No",
        "Workplace": "The Mill",
        "Area": "Packing",
        "Shift": "Nights",
        "Job title": "",
        "Employer of record": "",
        "Contract type": "",
        "Started on": "2020-01-01",
        "Phone": "0048 600 000 000",
        "Phone 2": "07700 900123",
        "Phone 3": "",
        "Email": "ioana@example.org",
        "Email 2": "",
        "Email 3": "",
        "Address": "",
        "Member": "Yes",
        "Union": "Warehouse Workers' Union",
        "Joined on": "2020-01-01",
        "Standing": "2",
        "Standing asked on": "2026-11-20",
        "Standing first hand": "Yes",
        "Last talk": "2026-11-23",
        "Tags": "Drives, Wants days",
    }
    marta = by_name["Marta S"]
    assert [marta[name] for name in ("Standing", "Last talk", "Tags", "Area", "Phone")] == [""] * 5
    assert reply.headers["Content-Disposition"] == 'attachment; filename="people-2026-11-23.csv"'
    assert reply.headers["Cache-Control"] == "no-store"


def test_an_answer_of_none_is_no_empty_cell_and_fields_of_others_are_no_column(
    client_as: ClientAs, world: World, told: None
) -> None:
    rows = _rows(_take(client_as(world.officer), "member=not_member", columns=["own"]))
    assert [(row["Known as"], row["Children"]) for row in rows] == [("Tomasz K", "0")]
    assert "Crane licence" not in rows[0]


def test_only_what_was_ticked_is_in_the_file(client_as: ClientAs, world: World, told: None) -> None:
    (row,) = _rows(_take(client_as(world.officer), "q=ioana"))
    assert list(row) == [
        "Shopfloor number",
        "Known as",
        "Full name",
        "Label",
        "Pronouns",
        "Do not contact",
    ]


def test_somebody_with_two_jobs_has_a_row_for_each(client_as: ClientAs, world: World) -> None:
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        depot = session.scalars(ALL.select(Place).where(Place.id == world.depot.id)).one()
        factories.make_job(session, contact, depot, since=date(2026, 1, 5))
    rows = _rows(_take(client_as(world.officer), "q=ioana", columns=["work"]))
    assert [(row["Workplace"], row["Started on"]) for row in rows] == [
        ("The Mill", "2020-01-01"),
        ("The Depot", "2026-01-05"),
    ]
    assert _exports()[0].new["rows"] == 1


# Who, and of whom


@pytest.mark.parametrize("who", ["rep", "organiser", "admin", "boss_of_all"])
def test_only_an_officer_takes_lists_out(client_as: ClientAs, world: World, who: str) -> None:
    client = client_as(getattr(world, who))
    assert client.get("/lists/out").status_code == 403
    assert _take(client).status_code == 403
    if who != "admin":
        assert "Take out as a file" not in client.get("/people").text
    assert _exports() == []


def test_a_file_holds_nobody_from_a_place_that_is_only_looked_after(
    client_as: ClientAs, world: World
) -> None:
    with unit_of_work(ALL) as session:
        mill: Any = world.mill
        dock: Any = world.dock
        user = factories.make_user(session, "Both", role=Role.REP, place=mill)
        factories.make_grant(session, user, Role.BRANCH_OFFICER, dock)
        both = Named(user.id, user.public_id, user.name)
    client = client_as(both)
    page = client.get("/lists/out")
    assert "1 person As at 23 November 2026" in _text(page)
    assert "4 more are at places whose lists you may not take out." in _text(page)
    rows = _rows(_take(client, columns=ALL_COLUMNS))
    assert [row["Known as"] for row in rows] == ["Bilal H"]
    (entry,) = _exports()
    assert entry.place_id == world.dock.id


def test_a_list_of_somebody_else_or_about_what_is_hidden_gives_no_file(
    client_as: ClientAs, world: World
) -> None:
    with unit_of_work(ALL) as session:
        hull: Any = world.other_branch
        tag = factories.make_tag(session, hull, "Crane").public_id
        theirs = factories.make_saved_list(session, world.rep, stand=["1"]).public_id
    officer = client_as(world.officer)
    for query in (f"list={theirs}", f"list={uuid.uuid4()}", "list=x", f"tag={tag}", "stand=9"):
        assert officer.get(f"/lists/out?{query}").status_code == 404, query
        assert _take(officer, query).status_code == 404, query
    assert _exports() == []


def test_a_list_that_is_too_long_is_refused(
    client_as: ClientAs, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.features.lists.taking_out.MOST_IN_A_FILE", 4)
    reply = _take(client_as(world.officer))
    assert reply.status_code == 422
    assert (
        "More than 4 people are on this list. Choose a smaller place, or narrow the list."
        in _text(reply)
    )
    assert _exports() == []


# The trail and the habit


def test_a_file_is_in_the_trail_of_its_places_without_what_was_searched(
    client_as: ClientAs, world: World
) -> None:
    _take(client_as(world.officer), "q=ioana&member=member", columns=["details"])
    (entry,) = _exports()
    assert (entry.actor_id, entry.subject, entry.place_id, entry.new) == (
        world.officer.id,
        "people_file",
        world.branch.id,
        {
            "filters": {
                "q": ["(hidden)"],
                "member": ["member"],
                "file": "csv",
                "columns": ["details"],
                "reason": "Phone bank on Friday",
            },
            "rows": 1,
        },
    )
    trail = client_as(world.organiser).get("/trail")
    assert "File of people" in _text(trail)


def test_no_file_without_a_reason(client_as: ClientAs, world: World) -> None:
    reply = _take(client_as(world.officer), reason="  ")
    assert reply.status_code == 422
    assert "Write what you need the file for." in _text(reply)
    assert _exports() == []


def test_the_next_file_starts_with_the_columns_of_the_last(
    client_as: ClientAs, world: World
) -> None:
    officer = client_as(world.officer)

    def _ticked() -> list[str]:
        page = officer.get("/lists/out").text
        return re.findall(r'<input[^>]*\bchecked\b[^>]*value="(\w+)"', page)

    assert _ticked() == ["xlsx"]
    _take(officer, kind="csv", columns=["work", "talks"])
    assert _ticked() == ["csv", "work", "talks"]
    _take(officer, kind="xlsx", columns=["own"])
    assert _ticked() == ["xlsx", "own"]


# Cards


def test_cards_leave_out_labels_and_who_does_not_want_to_be_contacted(
    client_as: ClientAs, world: World, told: None
) -> None:
    with unit_of_work(ALL) as session:
        tomasz = session.scalars(ALL.select(Contact).where(Contact.id == world.tomasz.id)).one()
        tomasz.do_not_contact = True
    reply = _take(client_as(world.officer), f"place={world.mill.public_id}", kind="vcf")
    text = reply.data.decode()
    assert re.findall(r"FN:(.*)\r", text) == ["Ioana Popescu", "Rukhsana A"]
    assert "TEL;VALUE=text:+48 600 000 000" in text
    # An address book is copied to other firms' servers: nothing of the union is in it.
    for word in ("07700 900111", "Union", "Member", "The Mill", "Drives"):
        assert word not in text
    assert reply.headers["Content-Type"] == "text/vcard; charset=utf-8"
    assert _exports()[0].new["rows"] == 2


def test_a_workbook_says_what_it_is_and_who_made_it(
    client_as: ClientAs, world: World, told: None
) -> None:
    reply = _take(client_as(world.officer), "quiet=30", kind="xlsx", columns=["work"])
    book = openpyxl.load_workbook(io.BytesIO(reply.data))
    about = {row[0].value: row[1].value for row in book["About this file"].iter_rows(max_col=2)}
    assert about["Last talk"] == "None in the last 30 days, or never"
    assert (about["People"], about["Made by"]) == ("4", "Kasia Officer")
    assert book["People"].max_row == 5


def test_a_file_takes_as_many_statements_for_forty_people_as_for_five(
    client_as: ClientAs, world: World, told: None, count_statements: list[str]
) -> None:
    officer = client_as(world.officer)
    _take(officer, columns=ALL_COLUMNS)
    count_statements.clear()
    _take(officer, columns=ALL_COLUMNS)
    few = len(count_statements)
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Place).where(Place.id == world.mill.id)).one()
        for number in range(35):
            factories.make_person(session, mill, f"Person {number}")
    count_statements.clear()
    _take(officer, columns=ALL_COLUMNS)
    assert len(count_statements) == few
