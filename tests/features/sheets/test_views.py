"""Talk sheets: printed so that a lost one tells nothing, and typed in once, all or nothing."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm.domain.sheet import new_code, written_code
from crm.domain.vocabulary import Verb
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact, StateSpan
from crm.models.conversations import Assessment, Conversation, ConversationIssue, FollowUp
from crm.models.places import Workplace
from crm.models.sheets import Sheet, SheetLine
from crm.models.ties import Leading, Tie
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

Clients = Callable[[Named], FlaskClient]

pytestmark = pytest.mark.usefixtures("fixed_clock")


def _make(client: FlaskClient, user: Named, query: str = "", **more: Any) -> str:
    data = {"id": str(uuid.uuid4()), "names": "short", "carrier": str(user.public_id), **more}
    reply = client.post(f"/sheets/new{query}", data=data)
    assert reply.status_code == 303, reply.text
    return str(reply.location)


def _at_the_mill(world: World) -> str:
    return f"?place={world.mill.public_id}"


def _all(model: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(session.scalars(ALL.select(model).order_by(model.id)))


def _numbers(sheet: Sheet) -> dict[int, int]:
    """Return the number of each person on the sheet, by inner id."""
    return {one.contact_id: one.number for one in _all(SheetLine) if one.sheet_id == sheet.id}


def _words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


# Printed


def test_a_sheet_tells_nothing_and_its_key_tells_all(world: World, client_as: Clients) -> None:
    rep = client_as(world.rep)
    page = rep.get(_make(rep, world.rep, _at_the_mill(world), names="numbers", ask="join")).text
    sheet, key = page.split("st-sheet--key")
    for words in ("Ioana", "Tomasz", "The Mill", "Leads", "Pay", "Join", "union"):
        assert words not in sheet.split("<main", 1)[1], words
        if words != "union":
            assert words in key, words
    [stored] = _all(Sheet)
    assert written_code(stored.code) in sheet
    assert stored.public_id.hex not in page.replace("-", "")


@pytest.mark.parametrize(("names", "shown"), [("short", "Ioana P"), ("initials", "I. P.")])
def test_names_on_a_sheet_are_as_short_as_chosen(
    world: World, client_as: Clients, names: str, shown: str
) -> None:
    rep = client_as(world.rep)
    sheet = rep.get(_make(rep, world.rep, _at_the_mill(world), names=names)).text
    assert shown in sheet.split("st-sheet--key")[0]


def test_people_who_asked_not_to_be_contacted_are_left_out_and_counted(
    world: World, client_as: Clients
) -> None:
    with unit_of_work(ALL) as session:
        session.scalars(
            ALL.select(Contact).where(Contact.id == world.ioana.id)
        ).one().do_not_contact = True
    rep = client_as(world.rep)
    text = _words(rep.get(f"/sheets/new{_at_the_mill(world)}").text)
    assert "3 people. 1 who asked us not to contact them is left out." in text
    _make(rep, world.rep, _at_the_mill(world))
    assert world.ioana.id not in _numbers(_all(Sheet)[0])


def test_many_people_are_shared_over_sheets_each_with_its_own_code(
    world: World, client_as: Clients
) -> None:
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        for number in range(20):
            factories.make_person(session, mill, f"Worker {number:02}")
    rep = client_as(world.rep)
    _make(rep, world.rep, _at_the_mill(world))
    sheets = _all(Sheet)
    assert [len(_numbers(sheet)) for sheet in sheets] == [20, 4]
    assert len({sheet.code for sheet in sheets}) == 2
    _make(rep, world.rep, _at_the_mill(world), large="y")
    assert [len(_numbers(sheet)) for sheet in _all(Sheet)[2:]] == [12, 12]


def test_a_leaders_sheet_has_those_who_listen_to_them(world: World, client_as: Clients) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            Tie(
                contact_id=world.tomasz.id,
                leader_id=world.ioana.id,
                workplace_id=world.mill.id,
                place_id=world.mill.id,
                basis="seen",
                valid_from=TODAY,
                recorded_at=NOW,
            )
        )
    rep = client_as(world.rep)
    assert "leader=" in rep.get(f"/people/{world.ioana.public_id}").text
    _make(rep, world.rep, f"?leader={world.ioana.public_id}")
    assert set(_numbers(_all(Sheet)[0])) == {world.tomasz.id}


def _leads(session: Session, world: World, leader: Named, *listeners: Named) -> None:
    at = {"workplace_id": world.mill.id, "place_id": world.mill.id}
    since = {"valid_from": TODAY, "recorded_at": NOW}
    session.add(Leading(contact_id=leader.id, stage="identified", found_by="named", **at, **since))
    session.add_all(
        Tie(contact_id=one.id, leader_id=leader.id, basis="seen", **at, **since)
        for one in listeners
    )


def test_each_leader_has_a_page_and_only_the_key_says_whose_it_is(
    world: World, client_as: Clients
) -> None:
    with unit_of_work(ALL) as session:
        _leads(session, world, world.ioana, world.tomasz, world.rukhsana)
        _leads(session, world, world.tomasz, world.rukhsana)
    rep = client_as(world.rep)
    query = f"?place={world.mill.public_id}&by=leader"
    assert query.replace("&", "&amp;") in rep.get(f"/places/{world.mill.public_id}/leaders").text
    text = _words(rep.get(f"/sheets/new{query}").text)
    assert "2 people. 2 who listen to no leader are on no page." in text
    assert "Ioana P : 2 people listen to them" in text
    page = rep.get(_make(rep, world.rep, query, names="initials")).text
    first, second = _all(Sheet)
    assert (first.leader_id, set(_numbers(first))) == (
        world.ioana.id,
        {world.tomasz.id, world.rukhsana.id},
    )
    assert (second.leader_id, set(_numbers(second))) == (world.tomasz.id, {world.rukhsana.id})
    sheets, key = page.split("st-sheet--key")
    assert "who listens to" not in sheets
    assert "Ioana" not in sheets
    assert "who listens to <bdi>Ioana P" in key
    typing = rep.get(f"/log/sheet/{first.public_id}").text
    assert "who listens to <bdi>Ioana P" in typing


def test_a_place_without_leaders_says_so_and_makes_no_page(
    world: World, client_as: Clients
) -> None:
    rep = client_as(world.rep)
    query = f"?place={world.mill.public_id}&by=leader"
    assert "Nobody here listens to a leader yet." in rep.get(f"/sheets/new{query}").text
    data = {"id": str(uuid.uuid4()), "names": "short", "carrier": str(world.rep.public_id)}
    reply = rep.post(f"/sheets/new{query}", data=data)
    assert reply.status_code == 422
    assert _all(Sheet) == []


def test_a_talk_list_goes_onto_paper_without_those_of_other_places(
    world: World, client_as: Clients
) -> None:
    rep = client_as(world.rep)
    listed = rep.get(f"/places/{world.mill.public_id}/talk-list").text
    [picked] = re.findall(r'name="picked" value="([^"]*)"', listed)
    assert str(world.rukhsana.public_id) in picked
    assert str(world.ioana.public_id) not in picked  # She was asked.
    begun = rep.post(
        "/sheets/new", data={"start": "1", "picked": f"{picked} {world.docker.public_id} x"}
    )
    assert begun.status_code == 200
    [kept] = re.findall(r'name="picked"[^>]* value="([^"]*)"', begun.text)
    _make(rep, world.rep, picked=kept)
    numbers = _numbers(_all(Sheet)[0])
    assert world.rukhsana.id in numbers
    assert world.docker.id not in numbers


def test_a_list_of_people_goes_onto_paper_whole_or_those_ticked(
    world: World, client_as: Clients
) -> None:
    rep = client_as(world.rep)
    page = rep.get(f"/lists/act?place={world.mill.public_id}").text
    assert re.search(r'formaction="/sheets/new"[^>]* name="start"', page)
    [everyone] = re.findall(r'name="picked" value="([^"]*)"', page)
    assert len(everyone.split()) >= 4
    ticked = [str(world.ioana.public_id), str(world.tomasz.public_id)]
    for more, number in (
        ({}, 4),
        ({"people": ticked, "who": "ticked"}, 2),
        ({"people": ticked, "who": "all"}, 4),
    ):
        begun = rep.post("/sheets/new", data={"start": "1", "picked": everyone, **more})
        [kept] = re.findall(r'name="picked"[^>]* value="([^"]*)"', begun.text)
        _make(rep, world.rep, picked=kept)
        assert len(_numbers(_all(Sheet)[-1])) == number


def test_reminders_go_onto_paper_and_those_done_do_not(world: World, client_as: Clients) -> None:
    at = {"owner_id": world.rep.id, "place_id": world.mill.id, "created_at": NOW}
    with unit_of_work(ALL) as session:
        session.add(FollowUp(contact_id=world.ioana.id, due_on=TODAY, **at))
        session.add(FollowUp(contact_id=world.tomasz.id, due_on=TODAY, done_at=NOW, **at))
    rep = client_as(world.rep)
    assert "/sheets/new?by=promised" in rep.get("/").text
    _make(rep, world.rep, "?by=promised")
    assert set(_numbers(_all(Sheet)[0])) == {world.ioana.id}


def test_more_lines_than_can_be_printed_are_refused_whole(
    world: World, client_as: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.features.sheets.service.LINES", 2)
    monkeypatch.setattr("crm.features.sheets.service.MOST_SHEETS", 1)
    data = {"id": str(uuid.uuid4()), "names": "short", "carrier": str(world.rep.public_id)}
    reply = client_as(world.rep).post(f"/sheets/new{_at_the_mill(world)}", data=data)
    assert reply.status_code == 422
    assert (
        "These are 4 lines, and at most 2 can be printed at once. Choose one area, or your own"
        " people." in reply.text
    )
    assert _all(Sheet) == []


def test_the_page_of_paper_offers_a_place_only_to_who_holds_it(
    world: World, client_as: Clients
) -> None:
    rep, other = client_as(world.rep), client_as(world.dock_rep)
    page = rep.get(f"/sheets?place={world.mill.public_id}").text
    for link in ("by=leader", "/sign-up", "by=promised"):
        assert link in page
    assert (
        f"/sheets?place={world.mill.public_id}" in rep.get(f"/places/{world.mill.public_id}").text
    )
    assert other.get(f"/sheets?place={world.mill.public_id}").status_code == 404
    assert "by=leader" not in other.get("/sheets").text


def test_the_same_form_sent_twice_makes_the_sheets_once(world: World, client_as: Clients) -> None:
    rep = client_as(world.rep)
    one = str(uuid.uuid4())
    for _twice in range(2):
        _make(rep, world.rep, _at_the_mill(world), id=one)
    assert len(_all(Sheet)) == 1


def test_a_sheet_is_carried_only_by_who_may_see_all_of_them(
    world: World, client_as: Clients
) -> None:
    data = {"id": str(uuid.uuid4()), "names": "short", "carrier": str(world.dock_rep.public_id)}
    reply = client_as(world.rep).post(f"/sheets/new{_at_the_mill(world)}", data=data)
    assert reply.status_code == 422
    assert "The one you chose may not see all of these people." in reply.text
    assert _all(Sheet) == []


def test_an_empty_list_makes_no_sheet(world: World, client_as: Clients) -> None:
    data = {"id": str(uuid.uuid4()), "names": "short", "carrier": str(world.rep.public_id)}
    reply = client_as(world.rep).post("/sheets/new", data=data)
    assert reply.status_code == 422
    assert "Nobody is on this list whom you could talk to." in reply.text


def test_printing_is_recorded_as_taking_people_out(world: World, client_as: Clients) -> None:
    rep = client_as(world.rep)
    rep.get(_make(rep, world.rep, _at_the_mill(world)))
    [taken] = [one for one in _all(AuditEntry) if one.verb is Verb.EXPORT]
    assert (taken.subject, taken.actor_id, taken.new["rows"]) == ("talk_sheet", world.rep.id, 4)


def test_nobody_from_elsewhere_prints_or_types_a_sheet(world: World, client_as: Clients) -> None:
    rep, other = client_as(world.rep), client_as(world.dock_rep)
    address = _make(rep, world.rep, _at_the_mill(world))
    [sheet] = _all(Sheet)
    assert other.get(address).status_code == 404
    assert other.get(f"/log/sheet/{sheet.public_id}").status_code == 404
    assert other.post(f"/log/sheet/{sheet.public_id}", data={"line-1": "2"}).status_code == 404
    assert other.get(f"/sheets/new{_at_the_mill(world)}").status_code == 404
    assert other.get(f"/places/{world.mill.public_id}/sign-up").status_code == 404
    found = other.post("/log/sheet", data={"code": sheet.code})
    nothing = other.post("/log/sheet", data={"code": _another_code(sheet.code)})
    assert found.status_code == nothing.status_code == 422
    assert "There is no such sheet at your places." in found.text
    assert "There is no such sheet at your places." in nothing.text


def _another_code(code: str) -> str:
    while (other := new_code()) == code:
        pass
    return other


def test_the_sign_up_sheet_says_what_is_done_with_it_and_names_nobody(
    world: World, client_as: Clients
) -> None:
    page = client_as(world.rep).get(f"/places/{world.mill.public_id}/sign-up").text
    assert "You can see it, put it right, or take it back at any time" in page
    assert "Test group" in page
    assert "Ioana" not in page


# Typed in


@pytest.fixture
def sheet(world: World, client_as: Clients) -> Sheet:
    """A sheet of the four people at the Mill that asks them to join, carried by the rep."""
    _make(client_as(world.rep), world.rep, _at_the_mill(world), ask="join")
    found: Sheet = _all(Sheet)[0]
    return found


def _typed(sheet: Sheet, lines: dict[int, str], **more: str) -> dict[str, str]:
    numbers = _numbers(sheet)
    typed = {f"line-{numbers[contact]}": text for contact, text in lines.items()}
    return {"day": "2026-11-22", "who": "carrier", **typed, **more}


def test_a_code_leads_to_its_sheet_however_it_is_typed(
    world: World, client_as: Clients, sheet: Sheet
) -> None:
    rep = client_as(world.rep)
    reply = rep.post("/log/sheet", data={"code": written_code(sheet.code).lower()})
    assert reply.location == f"/log/sheet/{sheet.public_id}"
    slip = rep.post("/log/sheet", data={"code": sheet.code[::-1]})
    assert slip.status_code == 422
    assert sheet.code not in slip.request.path


def test_lines_are_shown_in_words_first_and_saved_only_then(
    world: World, client_as: Clients, sheet: Sheet
) -> None:
    rep = client_as(world.rep)
    path = f"/log/sheet/{sheet.public_id}"
    data = _typed(sheet, {world.ioana.id: "1ab y", world.tomasz.id: "x"})
    checked = rep.post(path, data=data)
    text = _words(checked.text)
    assert checked.status_code == 200
    assert "1 Leads, Pay, Hours, said: Yes" in text
    assert "a talk, nothing ticked" in text
    assert _all(Conversation) == []
    assert rep.post(path, data={**data, "save": "1"}).status_code == 303
    talks = {one.contact_id: one for one in _all(Conversation)}
    ioana, tomasz = talks[world.ioana.id], talks[world.tomasz.id]
    assert (ioana.asked, ioana.answer, ioana.day.isoformat()) == ("join", "yes", "2026-11-22")
    # Nobody ticked an answer: whether the ask was made is not known.
    assert (tomasz.asked, tomasz.answer) == (None, None)
    assert {one.issue for one in _all(ConversationIssue)} == {"pay", "hours"}
    with unit_of_work(ALL, read_only=True) as session:
        span = session.scalars(
            ALL.select(StateSpan)
            .where(StateSpan.contact_id == world.ioana.id)
            .order_by(StateSpan.from_day.desc())
        ).first()
        assert span is not None
        assert span.score == 1
    again = rep.get(path).text
    assert again.count("Saved before") == 2


def test_one_wrong_line_keeps_all_that_was_typed_and_saves_none(
    world: World, client_as: Clients, sheet: Sheet
) -> None:
    rep = client_as(world.rep)
    data = _typed(sheet, {world.ioana.id: "1a", world.tomasz.id: "2 9"}, save="1")
    reply = rep.post(f"/log/sheet/{sheet.public_id}", data=data)
    assert reply.status_code == 422
    assert "“9” stands for nothing here." in reply.text
    assert 'value="1a"' in reply.text
    assert 'value="2 9"' in reply.text
    assert "1 line needs putting right. Nothing is saved yet." in reply.text
    assert _all(Conversation) == []


def test_a_line_that_the_service_refuses_takes_the_others_with_it(
    world: World, client_as: Clients, sheet: Sheet
) -> None:
    numbers = _numbers(sheet)
    with unit_of_work(ALL) as session:
        # The talk of this line was stored elsewhere under its id: another person's.
        line = session.scalars(
            ALL.select(SheetLine).where(SheetLine.contact_id == world.tomasz.id)
        ).one()
        session.add(
            Conversation(
                public_id=line.talk_id,
                contact_id=world.docker.id,
                place_id=world.dock.id,
                day=TODAY,
                held_at=NOW,
                recorded_at=NOW,
            )
        )
    data = _typed(sheet, {world.ioana.id: "1a", world.tomasz.id: "2"}, save="1")
    reply = client_as(world.rep).post(f"/log/sheet/{sheet.public_id}", data=data)
    assert reply.status_code == 422
    assert "You can no longer log talks with this person." in reply.text
    assert f'href="#line-{numbers[world.tomasz.id]}"' in reply.text
    assert [one.contact_id for one in _all(Conversation)] == [world.docker.id]
    assert all(one.contact_id != world.ioana.id or one.rating == 2 for one in _all(Assessment))


def test_a_sheet_typed_in_twice_and_by_two_people_is_stored_once(
    world: World, client_as: Clients, sheet: Sheet
) -> None:
    data = _typed(sheet, {world.ioana.id: "1a", world.tomasz.id: "4"}, save="1")
    path = f"/log/sheet/{sheet.public_id}"
    for who in (world.rep, world.rep, world.organiser):
        reply = client_as(who).post(path, data=data)
        assert reply.status_code == 303
    assert len(_all(Conversation)) == 2


def test_a_colleagues_sheet_tells_of_the_colleagues_talks(
    world: World, client_as: Clients, sheet: Sheet
) -> None:
    organiser = client_as(world.organiser)
    path = f"/log/sheet/{sheet.public_id}"
    organiser.post(path, data=_typed(sheet, {world.ioana.id: "1"}, save="1"))
    organiser.post(path, data=_typed(sheet, {world.tomasz.id: "2"}, who="me", save="1"))
    held = {one.contact_id: one.held_by_id for one in _all(Conversation)}
    assert held == {world.ioana.id: world.rep.id, world.tomasz.id: world.organiser.id}
    given = [one for one in _all(Assessment) if one.conversation_id is not None]
    assert {(one.assessor_id, one.recorded_by_id) for one in given} == {
        (world.rep.id, world.organiser.id),
        (world.organiser.id, world.organiser.id),
    }


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"day": "2026-11-24"}, "This day has not come yet."),
        ({"day": "2020-01-01"}, "This day is more than a year ago."),
        ({"day": ""}, "Enter the day of the talks."),
    ],
)
def test_a_wrong_day_is_said_beside_it(
    world: World, client_as: Clients, sheet: Sheet, data: dict[str, str], sentence: str
) -> None:
    typed = _typed(sheet, {world.ioana.id: "1"}, save="1", **data)
    reply = client_as(world.rep).post(f"/log/sheet/{sheet.public_id}", data=typed)
    assert reply.status_code == 422
    assert sentence in reply.text
    assert _all(Conversation) == []


def test_nothing_typed_says_so(world: World, client_as: Clients, sheet: Sheet) -> None:
    reply = client_as(world.rep).post(
        f"/log/sheet/{sheet.public_id}", data={"day": "2026-11-22", "save": "1"}
    )
    assert reply.status_code == 422
    assert "Nothing is typed yet." in reply.text


def test_typing_in_a_full_sheet_reads_it_in_the_same_few_statements(
    world: World, client_as: Clients, sheet: Sheet, count_statements: list[str]
) -> None:
    rep = client_as(world.rep)
    rep.get("/sheets")
    count_statements.clear()
    rep.get(f"/log/sheet/{sheet.public_id}")
    assert len(count_statements) <= 6
    with unit_of_work(ALL, read_only=True) as session:
        assert session.execute(ALL.select(sa.func.count(SheetLine.id))).scalar_one() == 4
