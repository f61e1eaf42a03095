"""The union's list: each line in one queue, each said yes to once, and nobody revealed."""

from __future__ import annotations

import html
import io
import re
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crm.access import member_lists
from crm.domain.member_list import (
    Line,
    Queue,
    Standing,
    Trouble,
    columns_of,
    day_in,
    read_lines,
)
from crm.domain.timeline import MembershipStatus
from crm.models.contacts import Contact, ContactPoint, Job, Membership, StateSpan
from crm.models.member_lists import MemberList
from crm.models.places import Branch, Union, Workplace
from crm.web.db import unit_of_work
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
    content = "\n".join((HEADINGS, *lines)).encode()
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
        rows = list(session.scalars(ALL.select(model).where(*conditions)))
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


def test_nobody_else_sees_the_list_and_it_is_sealed_and_gone_when_closed(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    address = _send(organiser, world).location
    (kept,) = _rows(MemberList)
    assert kept.sealed is not None
    assert "Nowak" not in kept.sealed
    for other in (world.officer, world.boss_of_all):
        assert client_as(other).get(address).status_code == 404
        assert client_as(other).post(f"{address}/close").status_code == 404
    assert organiser.post(f"{address}/close").status_code == 303
    assert organiser.get(address).status_code == 404
    (kept,) = _rows(MemberList)
    assert (kept.sealed, kept.decided) == (None, {})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"right": "taken"}, "We may not use such a list. Ask the branch secretary for one."),
        ({"whose": ""}, "Choose whose members are on the list."),
        ({"as_at": "2026-12-24"}, "This day has not come yet."),
        ({"file": (b"Colour,Size\nred,3\nblue,4\n", "x.csv")}, "no column with names"),
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
    found = columns_of(["Forename(s)", "SURNAME", "E-mail", "Post code", "Colour", "Mobile Number"])
    assert found == {"last": [1], "mail": [2], "address": [3], "phone": [5]}


def test_a_line_says_what_it_says_and_no_more() -> None:
    columns = {"name": [0], "standing": [1], "since": [2]}
    rows = [("Ana Silva", "In Arrears", "14.05.2026"), ("", "", ""), ("Bo", "member", "soon")]
    first, second = read_lines(rows, columns, first_number=5)
    assert first == Line(
        number=5, name="Ana Silva", standing=Standing.LAPSED, since=date(2026, 5, 14)
    )
    assert (second.number, second.trouble) == (7, Trouble.NOT_A_DAY)
    assert day_in("2026-02-30") is None


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
        assert (kept.sealed is None, kept.closed_at is not None) == (gone, gone)
