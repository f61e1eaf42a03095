"""The union's list: each line in one queue, each said yes to once, and nobody revealed."""

from __future__ import annotations

import html
import io
import re
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crm.access import member_lists
from crm.access.scope import Scope
from crm.domain.entitled import Missing
from crm.domain.member_list import (
    Line,
    Part,
    Queue,
    Settings,
    Standing,
    Trouble,
    day_in,
    guess_parts,
    read_line,
)
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import PointState
from crm.features.reconcile import opened, service
from crm.models.contacts import Contact, ContactPoint, Job, Membership, StateSpan
from crm.models.member_lists import (
    MemberList,
    MemberListAct,
    MemberListChange,
    MemberListLine,
    MemberListPart,
)
from crm.models.places import Branch, Union, Workplace
from crm.reads.voters import voters_on
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.tasks import run_one
from tests import factories
from tests.factories import ALL, Named, World

SignIn = Callable[[Named], FlaskClient]
pytestmark = pytest.mark.usefixtures("fixed_clock")

HEADINGS = "First name,Surname,Mobile,Workplace,Branch,Status,Date joined,Date left"
LINES = (
    "Ioana,Popescu,,The Mill,Barnsley branch,Member,,",  # 2: as we have it
    "Marta,S,07700 900555,,,Member,,",  # 3: a new phone
    "Tomasz,K,,The Mill,,Active,01/10/2026,",  # 4: joined
    "Gareth,O,,,,Resigned,,15/03/2026",  # 5: left
    "Anna,Nowak,07700 900777,The Mill,,Member,,",  # 6: not here, a place of ours
    "Bilal,H,,The Dock,,Member,,",  # 7: not here, a place of others
    ",,07700 900888,,,Member,,",  # 8: no name
    "Rukhsana,A,,The Mill,,Perhaps,,",  # 9: a word nobody knows
    "Anna,Nowak,07700 900777,The Mill,,Member,,",  # 10: twice
)
QUEUES = {
    Queue.SAME: [2],
    Queue.CHANGED: [3],
    Queue.JOINED: [4],
    Queue.LEFT: [5],
    Queue.NOT_HERE: [6, 7],
    Queue.PROBLEM: [8, 9, 10],
}


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def _send(
    client: FlaskClient, world: World, lines: tuple[str, ...] = LINES, **more: Any
) -> TestResponse:
    answer = _upload(client, world, lines, **more)
    if answer.status_code != 303:
        return answer
    answer = _match(client, answer.location)
    if answer.location.endswith("#words"):
        answer = _match(client, answer.location, word0="do_not_know")
    return answer


def _match(client: FlaskClient, address: str, **changes: str) -> TestResponse:
    """Send the columns as they were guessed, but for the changes."""
    page = client.get(address).text
    fields = {}
    for name, inside in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', page, re.S):
        found = re.search(r'<option selected value="(\w*)"', inside)
        fields[name] = found[1] if found else ""
    return client.post(address.partition("#")[0], data=fields | changes)


def _upload(
    client: FlaskClient,
    world: World,
    lines: tuple[str, ...] = LINES,
    headings: str = HEADINGS,
    **more: Any,
) -> TestResponse:
    content = "\n".join((headings, *lines)).encode()
    return client.post(
        "/member-lists",
        data={
            "file": (io.BytesIO(content), "list.csv"),
            "whose": f"{world.union.public_id} {world.branch.public_id}",
            "as_at": "2026-11-01",
            "right": "allowed",
            **more,
        },
    )


def _counts(page: str) -> dict[str, int]:
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td class="wc-num">(\d+)</td>', page)
    return {_text(name).strip(): int(number) for name, number in rows}


def _rows(model: Any, *conditions: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        key = model.__mapper__.primary_key[0]
        rows = list(session.scalars(ALL.select(model).where(*conditions).order_by(key)))
        session.expunge_all()
        return rows


def _believed(contact_id: int) -> list[Membership]:
    return sorted(
        _rows(Membership, Membership.contact_id == contact_id, Membership.superseded_at.is_(None)),
        key=lambda one: one.valid_from,
    )


def test_the_queues_add_up_to_the_lines_of_the_file(client_as: SignIn, world: World) -> None:
    organiser = client_as(world.organiser)
    answer = _send(organiser, world)
    assert answer.status_code == 303
    counts = _counts(organiser.get(answer.location).text)
    assert counts.pop("All lines of the file") == len(LINES) == sum(counts.values())
    assert counts["Joined the union"] == 1
    assert counts["Left the union"] == 1
    assert counts["New phone, email or address"] == 1
    assert counts["On the list, not here"] == 2
    assert counts["Something is wrong with the line"] == 3
    assert counts["As we have it"] == 1


def test_each_line_is_in_its_queue_with_what_it_says(client_as: SignIn, world: World) -> None:
    organiser = client_as(world.organiser)
    address = _send(organiser, world).location
    for queue, numbers in QUEUES.items():
        words = _text(organiser.get(f"{address}/{queue.value}").text)
        assert [int(one) for one in re.findall(r"Line (\d+) of the file", words)] == numbers
    assert "Member since 1 October 2026" in _text(organiser.get(f"{address}/joined").text)
    assert "No member from 15 March 2026 on" in _text(organiser.get(f"{address}/left").text)
    assert "Phone: 07700 900555" in _text(organiser.get(f"{address}/changed").text)
    wrong = _text(organiser.get(f"{address}/problem").text)
    assert "There is no name in this line." in wrong
    assert "We do not know what the word in the status column means." in wrong
    assert "This line is on the list twice." in wrong


def test_all_that_was_said_yes_to_is_written_down_and_doing_it_again_gives_nothing_new(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    address = _send(organiser, world).location
    for queue in ("joined", "left", "changed", "not_here"):
        assert organiser.post(f"{address}/{queue}", data={"act": "all"}).status_code == 303
    counts = _counts(organiser.get(address).text)
    assert counts["As we have it"] == 5
    assert counts["On the list, not here"] == 1
    again = _counts(organiser.get(_send(organiser, world).location).text)
    assert again == counts

    (joined,) = [one for one in _believed(world.tomasz.id) if one.valid_to is None]
    assert (joined.status, joined.valid_from) == (MembershipStatus.MEMBER, date(2026, 10, 1))
    old, new = _believed(world.leaver.id)
    assert old.valid_to == new.valid_from == date(2026, 3, 15)
    assert new.status is MembershipStatus.NOT_MEMBER
    (anna,) = _rows(Contact, Contact.known_as == "Anna Nowak")
    (job,) = _rows(Job, Job.contact_id == anna.id)
    assert (job.workplace_id, job.valid_from) == (world.mill.id, date(2026, 11, 1))
    assert job.from_is_first_seen is True
    spans = _rows(StateSpan, StateSpan.contact_id == anna.id)
    assert [span.member for span in spans] == [True]
    phones = _rows(ContactPoint, ContactPoint.contact_id == anna.id)
    assert [one.value_key for one in phones] == ["447700900777"]


def test_one_line_is_confirmed_by_itself_and_the_others_wait(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    address = _send(organiser, world).location
    organiser.post(f"{address}/not_here", data={"act": "confirm", "line": "6"})
    assert len(_rows(Contact, Contact.known_as == "Anna Nowak")) == 1
    answer = organiser.post(f"{address}/not_here", data={"act": "confirm", "line": "7"})
    assert answer.status_code == 422
    assert (
        "This cannot be done with one press. Open the person, put it right there, "
        "then set this line aside." in _text(answer.text)
    )


def test_a_line_that_is_set_aside_is_asked_about_no_more(client_as: SignIn, world: World) -> None:
    organiser = client_as(world.organiser)
    address = _send(organiser, world).location
    organiser.post(f"{address}/left", data={"act": "aside", "line": "5"})
    counts = _counts(organiser.get(address).text)
    assert (counts["Left the union"], counts["Set aside"]) == (0, 1)
    assert counts["All lines of the file"] == len(LINES)


def test_who_it_is_is_asked_when_it_is_not_sure(client_as: SignIn, world: World) -> None:
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        twins = [factories.make_person(session, mill, "Ana Silva").public_id for _ in range(2)]
    organiser = client_as(world.organiser)
    address = _send(organiser, world, ("Ana,Silva,,The Mill,,Member,,",)).location
    page = organiser.get(f"{address}/not_sure").text
    assert all(str(one) in page for one in twins)
    organiser.post(f"{address}/not_sure", data={"act": "is", "line": "2", "person": str(twins[0])})
    assert "Line 2" in _text(organiser.get(f"{address}/joined").text)
    organiser.post(f"{address}/not_sure", data={"act": "new", "line": "2"})
    assert "Line 2" in _text(organiser.get(f"{address}/not_here").text)
    stranger = organiser.post(
        f"{address}/not_sure",
        data={"act": "is", "line": "2", "person": str(world.docker.public_id)},
    )
    assert stranger.status_code == 404


def test_somebody_new_is_added_once_however_often_it_is_said(
    client_as: SignIn, world: World
) -> None:
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        for _ in range(2):
            factories.make_person(session, mill, "Ana Silva")
    organiser = client_as(world.organiser)
    address = _send(organiser, world, ("Ana,Silva,,The Mill,,Member,,",)).location
    organiser.post(f"{address}/not_sure", data={"act": "new", "line": "2"})
    for _ in range(2):
        organiser.post(f"{address}/not_here", data={"act": "all"})
    organiser.post(f"{address}/look")
    organiser.post(f"{address}/not_here", data={"act": "confirm", "line": "2"})
    assert len(_rows(Contact, Contact.known_as == "Ana Silva")) == 3
    assert _counts(organiser.get(address).text)["As we have it"] == 1


def test_somebody_new_is_not_added_beside_the_one_that_another_list_brought_since(
    client_as: SignIn, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        for _ in range(2):
            factories.make_person(session, mill, "Ana Silva")
    clients = [client_as(world.organiser), client_as(world.boss_of_all)]
    lines = ("Ana,Silva,,The Mill,,Member,,",)
    lists = [(one, _send(one, world, lines).location) for one in clients]
    for one, address in lists:
        one.post(f"{address}/not_sure", data={"act": "new", "line": "2"})
    later = factories.NOW + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    for one, address in lists:
        one.post(f"{address}/not_here", data={"act": "all"})
    assert len(_rows(Contact, Contact.known_as == "Ana Silva")) == 3
    one, address = lists[1]
    assert _counts(one.get(address).text)["On the list, not here"] == 1


def test_another_branch_ends_the_old_and_begins_the_new(client_as: SignIn, world: World) -> None:
    with unit_of_work(ALL) as session:
        union = session.scalars(ALL.select(Union).where(Union.id == world.union.id)).one()
        leeds = factories.make_branch(session, union, "Leeds branch").id
    organiser = client_as(world.organiser)
    line = ("Ioana,Popescu,,The Mill,Leeds branch,Member,,",)
    address = _send(organiser, world, line, whose=str(world.union.public_id)).location
    assert _counts(organiser.get(address).text)["Moved to another branch or workplace"] == 1
    organiser.post(f"{address}/moved", data={"act": "all"})
    old, new = _believed(world.ioana.id)
    assert (old.branch_id, old.valid_to) == (world.branch.id, date(2026, 11, 1))
    assert (new.branch_id, new.valid_from, new.valid_to) == (leeds, date(2026, 11, 1), None)
    assert _rows(Branch, Branch.id == leeds) != []
    assert _counts(organiser.get(address).text)["As we have it"] == 1


def test_a_branch_that_the_list_writes_otherwise_is_the_same_branch(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    line = ("Ioana,Popescu,,The Mill,Barnsley,Member,,",)
    address = _send(organiser, world, line).location
    assert _counts(organiser.get(address).text)["As we have it"] == 1


def test_another_workplace_moves_the_one_job_and_nobody_is_at_two_places(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    address = _send(organiser, world, ("Ioana,Popescu,,The Depot,,Member,,",)).location
    organiser.post(f"{address}/moved", data={"act": "all"})
    jobs = _rows(Job, Job.contact_id == world.ioana.id, Job.superseded_at.is_(None))
    assert {(job.workplace_id, job.valid_to) for job in jobs} == {
        (world.mill.id, date(2026, 11, 1)),
        (world.depot.id, None),
    }


def test_members_who_are_not_on_the_list_are_named_and_end_only_when_said(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    address = _send(organiser, world, (LINES[0],)).location
    page = organiser.get(f"{address}/not_on_list").text
    assert "Marta S" in page
    assert "Bilal H" not in page
    (still,) = _believed(world.depot_worker.id)
    assert still.valid_to is None
    person = str(world.depot_worker.public_id)
    aside = organiser.post(f"{address}/not_on_list", data={"act": "aside", "person": person})
    assert aside.status_code == 303
    assert "Marta S" not in organiser.get(f"{address}/not_on_list").text
    other = _send(organiser, world, (LINES[0],)).location
    organiser.post(f"{other}/not_on_list", data={"act": "confirm", "person": person})
    assert [one.status for one in _believed(world.depot_worker.id)] == [
        MembershipStatus.MEMBER,
        MembershipStatus.NOT_MEMBER,
    ]


def test_nobody_ends_as_a_member_by_a_list_that_was_not_looked_through(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    address = _upload(organiser, world).location.removesuffix("/columns")
    person = str(world.depot_worker.public_id)
    for act in ("all", "confirm"):
        sent = {"act": act, "person": person, "sure": "y"}
        answer = organiser.post(f"{address}/not_on_list", data=sent)
        assert answer.status_code == 422
        assert "Not every line of this list is looked at." in _text(answer.text)
    (still,) = _believed(world.depot_worker.id)
    assert still.valid_to is None


def test_many_end_as_members_at_once_only_when_somebody_says_that_the_list_is_whole(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    address = f"{_send(organiser, world, (LINES[0],)).location}/not_on_list"
    people = _text(organiser.get(address).text)
    assert people.count("No member from 1 November 2026 on") == 2
    refused = organiser.post(address, data={"act": "all"})
    assert refused.status_code == 422
    assert "Tick the box to say that the list is whole." in refused.text
    assert _text(organiser.get(address).text) == people
    assert organiser.post(address, data={"act": "all", "sure": "y"}).status_code == 303
    for gone in (world.depot_worker, world.leaver):
        now = [one.status for one in _believed(gone.id) if one.valid_to is None]
        assert now == [MembershipStatus.NOT_MEMBER]
    assert "Nothing is left in this part." in organiser.get(address).text


def test_a_number_that_no_line_has_is_nowhere(client_as: SignIn, world: World) -> None:
    organiser = client_as(world.organiser)
    address = _send(organiser, world).location
    for act, status in (("aside", 404), ("confirm", 303)):
        answer = organiser.post(f"{address}/left", data={"act": act, "line": "9" * 50})
        assert answer.status_code == status


def test_nobody_else_sees_the_list_and_it_is_sealed_and_gone_when_closed(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    address = _send(organiser, world).location
    (part,) = _rows(MemberListPart)
    assert "Nowak" not in part.sealed
    for other in (world.officer, world.boss_of_all):
        assert client_as(other).get(address).status_code == 404
        assert client_as(other).post(f"{address}/close").status_code == 404
    assert organiser.post(f"{address}/close").status_code == 303
    assert organiser.get(address).status_code == 404
    (kept,) = _rows(MemberList)
    assert (kept.settings, kept.decided) == ({}, {})
    assert _rows(MemberListPart) == _rows(MemberListLine) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"right": "taken"}, "We may not use such a list. Ask the branch secretary for one."),
        ({"whose": ""}, "Choose whose members are on the list."),
        ({"as_at": "2026-12-24"}, "This day has not come yet."),
        ({"file": (b"1,3\n2,4\n", "x.csv")}, "We found no names of columns in the first rows."),
        ({"file": (b"\x00\x01\x02" * 50, "x.xlsx")}, ""),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_with_what_to_do(
    client_as: SignIn, world: World, changes: dict[str, Any], words: str
) -> None:
    if "file" in changes:
        content, name = changes["file"]
        changes = {"file": (io.BytesIO(content), name)}
    answer = _send(client_as(world.organiser), world, **changes)
    assert answer.status_code == 422
    assert words in _text(answer.text)
    assert _rows(MemberList) == []


def test_a_made_up_line_or_act_is_nowhere(client_as: SignIn, world: World) -> None:
    organiser = client_as(world.organiser)
    address = _send(organiser, world).location
    assert organiser.post(f"{address}/joined", data={"act": "burn"}).status_code == 404
    assert organiser.get(f"{address}/everything").status_code == 404
    assert organiser.get(f"/member-lists/{uuid.uuid4()}").status_code == 404


def test_headings_are_known_however_they_are_written() -> None:
    found = guess_parts(["Forename", "SURNAME", "E-mail", "Post code", "Colour", "Name", "Left"])
    assert found == (
        *(Part.FIRST, Part.LAST, Part.MAIL, Part.ADDRESS, Part.LEAVE_OUT, Part.LEAVE_OUT),
        Part.UNTIL,
    )


def test_a_category_is_no_status_where_another_column_is_one() -> None:
    assert guess_parts(["Category", "Name", "Status"])[::2] == (Part.LEAVE_OUT, Part.STANDING)
    assert guess_parts(["Category"]) == (Part.STANDING,)


def test_a_line_says_what_it_says_and_no_more() -> None:
    parts = (Part.NAME, Part.STANDING, Part.SINCE)
    settings = Settings(("Name", "Status", "Joined"), parts, {"hon life": Standing.MEMBER})
    first = read_line(5, ["Ana Silva", "In Arrears", "14.05.2026"], settings)
    assert first == Line(
        number=5, name="Ana Silva", standing=Standing.LAPSED, since=date(2026, 5, 14)
    )
    assert read_line(6, ["", " ", ""], settings) is None
    third = read_line(7, ["Bo", "Hon. life", "soon"], settings)
    assert third is not None
    assert (third.standing, third.trouble) == (Standing.MEMBER, Trouble.NOT_A_DAY)
    assert day_in("2026-02-30") is None


@pytest.mark.parametrize(
    ("heading", "cell", "bad"),
    [
        ("Gone away", "Yes", True),
        ("Gone away", "No", False),
        ("Address OK", "no", True),
        ("Address OK", "Yes", False),
        ("Address status", "Returned to sender", True),
        ("Address status", "checked", False),
    ],
)
def test_what_a_column_says_of_an_address_depends_on_what_it_asks(
    heading: str, cell: str, bad: bool
) -> None:
    settings = Settings(("Name", heading), (Part.NAME, Part.ADDRESS_STATE), {})
    line = read_line(2, ["Ana Silva", cell], settings)
    assert line is not None
    assert line.bad_address is bad


def test_a_column_that_went_to_the_wrong_place_is_put_right_and_what_was_said_stays(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    answer = _upload(
        organiser,
        world,
        ("Ioana Popescu,The Mill,QQ123456C", "Tomasz K,The Mill,QQ123457C"),
        "Worker,Where,NI number",
    )
    page = _text(organiser.get(answer.location).text)
    assert "We did not keep these columns, because nothing here needs them: NI number" in page
    assert "QQ123456C" not in page
    assert "For example: Ioana Popescu · Tomasz K" in page
    refused = _match(organiser, answer.location)
    assert refused.status_code == 422
    assert "Choose the column that holds the names." in _text(refused.text)
    twice = _match(organiser, answer.location, to0="branch", to1="branch")
    assert twice.status_code == 422
    shown = _match(organiser, answer.location, to0="name", to1="workplace").location
    assert _counts(organiser.get(shown).text)["As we have it"] == 1
    organiser.post(f"{shown}/joined", data={"act": "aside", "line": "3"})
    again = _match(organiser, answer.location, to1="leave_out")
    assert _counts(organiser.get(again.location).text)["Set aside"] == 1
    with unit_of_work(ALL, read_only=True) as session:
        parts = session.scalars(ALL.select(MemberListPart)).all()
        assert all("QQ123456C" not in one.sealed for one in parts)


def test_words_nobody_knows_are_asked_about_once_for_the_whole_list(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    lines = ("Ioana Popescu,Hon. Life", "Tomasz K,Hon. life", "Gareth O,Gone", "Marta S,Z9")
    answer = _upload(organiser, world, lines, "Name,Category")
    asked = _match(organiser, answer.location)
    assert asked.location.endswith("/columns#words")
    page = organiser.get(answer.location).text
    assert "“Hon. Life”" in page
    shown = _match(organiser, answer.location, word0="member", word1="left", word2="do_not_know")
    counts = _counts(organiser.get(shown.location).text)
    assert counts["Left the union"] == 1
    assert counts["Something is wrong with the line"] == 1
    # A line that cannot be used is on the list all the same.
    off = _text(organiser.get(f"{shown.location}/not_on_list").text)
    assert "Marta S" not in off


def test_a_bad_address_goes_to_what_each_ballot_still_asks_for(
    client_as: SignIn, world: World
) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            ContactPoint(
                contact_id=world.ioana.id,
                kind="address",
                value="1 Mill Lane",
                value_key="1 mill lane",
                recorded_at=factories.NOW,
            )
        )
    organiser = client_as(world.organiser)
    lines = ("Ioana Popescu,The Mill,Gone away,Packer",)
    answer = _upload(organiser, world, lines, "Name,Workplace,Address status,Job title")
    address = _match(organiser, answer.location).location
    assert "no home address: 1" not in _text(organiser.get(address).text)
    assert "Job title: Packer" in _text(organiser.get(f"{address}/changed").text)
    organiser.post(f"{address}/changed", data={"act": "all"})
    assert "post does not reach them" in _text(organiser.get(f"{address}/bad_address").text)
    organiser.post(f"{address}/bad_address", data={"act": "confirm", "line": "2"})
    points = _rows(ContactPoint, ContactPoint.contact_id == world.ioana.id)
    assert [(one.state, one.superseded_at is None) for one in points] == [
        (None, False),
        (PointState.BAD, True),
    ]
    (job,) = _rows(Job, Job.contact_id == world.ioana.id, Job.superseded_at.is_(None))
    assert job.job_title == "Packer"
    page = organiser.get(address).text
    assert _counts(page)["As we have it"] == 1
    assert "no home address: 1" in _text(page)
    assert "1 of 1 members on the list" in _text(organiser.get(f"{address}/for-ballots").text)
    # Agency workers have a job; they have no vote here, and so nothing is missing of them.
    with unit_of_work(ALL) as session:
        agency = factories.make_employer(session, "Pack Agency")
        for one in session.scalars(ALL.select(Job).where(Job.contact_id == world.ioana.id)):
            one.employer_of_record_id = agency.id
    page = _text(organiser.get(address).text)
    assert "1 works for another employer, such as an agency" in page
    assert "no job now" not in page
    with unit_of_work(ALL) as session:
        for one in session.scalars(ALL.select(Job).where(Job.contact_id == world.ioana.id)):
            one.employer_of_record_id = None
    part = SimpleNamespace(id=1, place_id=world.mill.id)
    ballot: Any = SimpleNamespace(id=1, union_id=world.union.id, parts=(part,))
    with unit_of_work(ALL, read_only=True) as session:
        (voter,) = [
            one
            for one in voters_on(session, ALL, ballot, factories.TODAY)
            if one.contact_id == world.ioana.id
        ]
    assert Missing.ADDRESS in voter.missing
    assert Missing.CATEGORY not in voter.missing


def test_what_was_said_yes_to_is_undone_in_one_go_but_for_what_was_written_since(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    before = {one: _facts(one) for one in (world.tomasz.id, world.leaver.id, world.depot_worker.id)}
    address = _send(organiser, world).location
    for queue in ("joined", "left", "changed", "not_here"):
        organiser.post(f"{address}/{queue}", data={"act": "all"})
    page = organiser.get("/member-lists").text
    acts = list(dict.fromkeys(re.findall(r'href="(/member-lists/acts/[^"]+)"', page)))
    assert len(acts) == 4
    # Somebody writes about one of them in between.
    client_as(world.officer)
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == world.tomasz.id)).one()
        contact.pronouns = "he"
    for act in acts:
        assert organiser.post(act).status_code == 303
    joined = _text(organiser.get(acts[-1]).text)
    assert "1 person was left as they are: something about them was written since." in joined
    assert "Tomasz K" in joined
    assert _rows(Contact, Contact.known_as == "Anna Nowak") == []
    for contact_id in (world.leaver.id, world.depot_worker.id):
        assert _facts(contact_id) == before[contact_id]
    assert _facts(world.tomasz.id) != before[world.tomasz.id]
    counts = _counts(organiser.get(address).text)
    assert (counts["Left the union"], counts["On the list, not here"]) == (1, 2)
    assert counts["Joined the union"] == 0
    assert "This is undone already." in _text(organiser.post(acts[0]).text)
    assert client_as(world.officer).get(acts[0]).status_code == 404
    assert client_as(world.officer).post(acts[0]).status_code == 404


def test_an_act_is_undone_for_thirty_days_and_no_longer(
    client_as: SignIn, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    organiser = client_as(world.organiser)
    address = _send(organiser, world).location
    organiser.post(f"{address}/left", data={"act": "all"})
    act_id = _rows(MemberListAct)[0].public_id
    scope = Scope(actor_id=world.organiser.id, grants=())
    with unit_of_work(scope) as session, pytest.raises(service.TooLate) as refused:
        service.start_undo(session, scope, act_id, now=factories.NOW + timedelta(days=30))
    assert "30 days are over" in refused.value.message
    with unit_of_work() as session:
        member_lists.close_old(session, now=factories.NOW + timedelta(days=31))
    assert _rows(MemberListAct) == _rows(MemberListChange) == []
    assert [one.status for one in _believed(world.leaver.id)][-1] is MembershipStatus.NOT_MEMBER


def test_a_long_list_is_looked_through_said_yes_to_and_undone_by_the_worker(
    app: Flask, client_as: SignIn, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 3)
    monkeypatch.setattr(service, "AT_ONCE_CONFIRMED", 1)
    monkeypatch.setattr(service, "CHUNK", 2)
    monkeypatch.setattr(opened, "ROWS_IN_PART", 3)
    organiser = client_as(world.organiser)
    surnames = ("Abara", "Kowalczyk", "Dlamini", "Fitzgerald", "Osei")
    newcomers = tuple(f"Newcomer,{name},,The Mill,,Member,," for name in surnames)
    answer = _send(organiser, world, LINES + newcomers)
    assert "/tasks/" in answer.location
    member_list = _rows(MemberList)[0]
    address = f"/member-lists/{member_list.public_id}"
    assert "0 of 14 lines are looked at." in _text(organiser.get(address).text)
    assert run_one(app)
    counts = _counts(organiser.get(address).text)
    assert counts.pop("All lines of the file") == 14 == sum(counts.values())
    assert counts["On the list, not here"] == 7
    # A worker that was killed left some lines: those that are there are not looked at twice.
    with unit_of_work(ALL) as session:
        lost = ALL.select(MemberListLine).where(MemberListLine.number > 8)
        for line in session.scalars(lost):
            line.stale = True
    organiser.post(f"{address}/look")
    assert run_one(app)
    assert _counts(organiser.get(address).text)["On the list, not here"] == 7
    assert "/tasks/" in organiser.post(f"{address}/not_here", data={"act": "all"}).location
    assert run_one(app)
    counts = _counts(organiser.get(address).text)
    assert (counts["On the list, not here"], counts["As we have it"]) == (1, 7)
    (act,) = _rows(MemberListAct)
    assert len(_rows(MemberListChange)) == 6
    assert "/tasks/" in organiser.post(f"/member-lists/acts/{act.public_id}").location
    assert run_one(app)
    assert _rows(Contact, Contact.known_as.like("Newcomer%")) == []
    assert _counts(organiser.get(address).text)["On the list, not here"] == 7


def test_what_is_undone_while_it_waits_to_be_written_down_is_not_written_down(
    app: Flask, client_as: SignIn, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE_CONFIRMED", 0)
    organiser = client_as(world.organiser)
    address = _send(organiser, world).location
    organiser.post(f"{address}/not_here", data={"act": "all"})
    (act,) = _rows(MemberListAct)
    people = len(_rows(Contact))
    organiser.post(f"/member-lists/acts/{act.public_id}")
    assert run_one(app)
    assert len(_rows(Contact)) == people
    assert _rows(MemberListChange) == []


def _facts(contact_id: int) -> set[tuple[Any, ...]]:
    """What is believed of somebody, whichever rows say it."""
    found: set[tuple[Any, ...]] = set()
    for model, names in (
        (Job, ("workplace_id", "valid_from", "valid_to", "job_title")),
        (Membership, ("union_id", "branch_id", "status", "valid_from", "valid_to")),
        (ContactPoint, ("kind", "value_key", "state")),
    ):
        for row in _rows(model, model.contact_id == contact_id, model.superseded_at.is_(None)):
            found.add((model.__tablename__, *(getattr(row, name) for name in names)))
    return found


def test_a_list_that_is_forgotten_is_thrown_away_after_a_month(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    _send(organiser, world)
    for days, gone in ((29, False), (31, True)):
        with unit_of_work() as session:
            now = factories.NOW + timedelta(days=days)
            if member_lists.has_old(session, now=now):
                member_lists.close_old(session, now=now)
        (kept,) = _rows(MemberList)
        assert (_rows(MemberListPart) == [], kept.closed_at is not None) == (gone, gone)


def test_no_line_is_judged_before_somebody_has_looked_at_the_guessed_columns(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    columns = _upload(organiser, world).location
    address = columns.removesuffix("/columns")
    assert organiser.get(address).location == columns
    looked = organiser.post(f"{address}/look")
    assert looked.location == columns
    page = organiser.get(columns).text
    assert "First look whether each column goes to the right place." in page
    assert f'href="{columns}"' in organiser.get("/member-lists").text
    with unit_of_work(ALL, read_only=True) as session:
        assert session.scalars(ALL.select(MemberListLine.id)).all() == []
    _match(organiser, columns)
    assert organiser.get(address).status_code == 200
    assert f'href="{address}"' in organiser.get("/member-lists").text


def test_a_file_with_headings_alone_is_said_to_be_that(client_as: SignIn, world: World) -> None:
    organiser = client_as(world.organiser)
    answer = _upload(organiser, world, lines=())
    assert answer.status_code == 422
    assert "This file has names of columns, but no line below them." in answer.text
