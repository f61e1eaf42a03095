"""Logging a talk over HTTP: four taps, saved once, refused in plain words."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.access.scope import Scope
from crm.domain.assessment import Basis
from crm.domain.vocabulary import Answer
from crm.models.audit import AuditEntry
from crm.models.contacts import StateSpan
from crm.models.conversations import (
    Assessment,
    Conversation,
    ConversationIssue,
    ConversationNote,
    FollowUp,
)
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]

_TALK = "5f0f9f5e-8e2c-4e0f-9d0b-2b1f5a3c7d11"


def _rows(model: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(session.scalars(ALL.select(model).order_by(model.__mapper__.primary_key[0])))


def _talk_rows() -> dict[str, int]:
    kinds = (Conversation, ConversationIssue, ConversationNote, FollowUp)
    return {kind.__tablename__: len(_rows(kind)) for kind in kinds}


def _address(person: Named) -> str:
    return f"/log/{person.public_id}"


def test_four_taps_store_where_somebody_stands(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    assert _address(world.rukhsana) in rep.get("/log").text

    answer = rep.post(_address(world.rukhsana), data={"id": _TALK, "rating": "2"})

    assert (answer.status_code, answer.location) == (303, "/log")
    assert "Saved: talk with Rukhsana A." in rep.get("/log").text
    (talk,) = _rows(Conversation)
    assert str(talk.public_id) == _TALK
    assert (talk.contact_id, talk.place_id) == (world.rukhsana.id, world.mill.id)
    assert (talk.held_by_id, talk.day) == (world.rep.id, TODAY)
    assert (talk.asked, talk.answer, talk.channel, talk.steps_reached) == (None, None, None, None)
    rated = _rows(Assessment)[-1]
    assert (rated.rating, rated.basis, rated.day) == (2, Basis.SAID, TODAY)
    spans = [span for span in _rows(StateSpan) if span.contact_id == world.rukhsana.id]
    assert [span.score for span in spans] == [None, 2]


def test_an_empty_form_stores_only_that_they_spoke(world: World, client_as: SignIn) -> None:
    before = len(_rows(Assessment))
    answer = client_as(world.rep).post(
        _address(world.rukhsana),
        data={"id": _TALK, "rating": "", "basis": "said", "asked": "", "answer": "", "again": ""},
    )
    assert answer.status_code == 303
    assert _talk_rows() == {
        "conversation": 1,
        "conversation_issue": 0,
        "conversation_note": 0,
        "follow_up": 0,
    }
    assert len(_rows(Assessment)) == before


def test_nobody_is_given_a_standing_by_the_form_as_it_opens(
    world: World, client_as: SignIn
) -> None:
    page = client_as(world.rep).get(_address(world.rukhsana)).text
    chosen = [
        line for line in page.split("<input") if 'name="rating"' in line and "checked" in line
    ]
    assert len(chosen) == 1
    assert 'value=""' in chosen[0]


def test_everything_on_the_form_is_stored(world: World, client_as: SignIn) -> None:
    answer = client_as(world.rep).post(
        _address(world.ioana),
        data={
            "id": _TALK,
            "rating": "1",
            "basis": "action",
            "issues": ["pay", "heat"],
            "asked": "petition",
            "answer": "yes",
            "again": "next_week",
            "day": "2026-11-20",
            "channel": "in_person",
            "length_band": "5_to_15",
            "steps": ["issues", "ask"],
            "their_words": "  The line is too fast  ",
            "fears": "Losing shifts",
            "inoculation": "They will say we are family",
            "next_step": "Brings two friends",
        },
    )
    assert answer.status_code == 303
    (talk,) = _rows(Conversation)
    assert (str(talk.day), talk.held_at.isoformat()) == ("2026-11-20", "2026-11-20T12:00:00+00:00")
    assert (talk.asked, talk.answer, talk.steps_reached) == (
        "petition",
        Answer.YES,
        ["issues", "ask"],
    )
    assert {row.issue for row in _rows(ConversationIssue)} == {"pay", "heat"}
    (note,) = _rows(ConversationNote)
    assert (note.their_words, note.author_id) == ("The line is too fast", world.rep.id)
    (reminder,) = _rows(FollowUp)
    assert (str(reminder.due_on), reminder.owner_id) == ("2026-11-30", world.rep.id)
    rated = _rows(Assessment)[-1]
    assert (rated.rating, rated.basis, str(rated.day)) == (1, Basis.ACTION, "2026-11-20")


def test_every_row_of_a_talk_is_in_the_audit(world: World, client_as: SignIn) -> None:
    client_as(world.rep).post(
        _address(world.ioana),
        data={
            "id": _TALK,
            "rating": "1",
            "issues": ["pay"],
            "again": "tomorrow",
            "next_step": "Call",
        },
    )
    written = [row for row in _rows(AuditEntry) if row.actor_id == world.rep.id]
    assert {row.subject for row in written} == {
        "conversation",
        "conversation_issue",
        "conversation_note",
        "assessment",
        "follow_up",
    }
    assert {row.contact_id for row in written} == {world.ioana.id}
    assert len({row.request_id for row in written}) == 1


def test_the_same_form_sent_twice_is_stored_once(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    sent = {"id": _TALK, "rating": "2", "issues": ["pay"], "again": "tomorrow"}
    first = rep.post(_address(world.rukhsana), data=sent)
    rated = len(_rows(Assessment))
    second = rep.post(_address(world.rukhsana), data=sent)
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert _talk_rows() == {
        "conversation": 1,
        "conversation_issue": 1,
        "conversation_note": 0,
        "follow_up": 1,
    }
    assert len(_rows(Assessment)) == rated
    assert "It is kept once, as it was first sent." in rep.get("/log").text


def test_two_taps_at_the_same_moment_are_stored_once(
    app: Flask, world: World, client_as: SignIn
) -> None:
    clients = [client_as(world.rep) for _ in range(4)]
    start = threading.Barrier(len(clients))
    answers: list[int] = []

    def _send(client: FlaskClient) -> None:
        start.wait()
        sent = {"id": _TALK, "rating": "2", "issues": ["pay"], "again": "tomorrow"}
        answers.append(client.post(_address(world.rukhsana), data=sent).status_code)

    threads = [threading.Thread(target=_send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [303] * len(clients)
    assert _talk_rows()["conversation"] == 1
    assert _talk_rows()["follow_up"] == 1
    assert [row.rating for row in _rows(Assessment) if row.contact_id == world.rukhsana.id] == [2]


def test_an_id_that_somebody_else_used_is_not_found(world: World, client_as: SignIn) -> None:
    client_as(world.dock_rep).post(_address(world.docker), data={"id": _TALK})
    for other in (world.rep, world.boss_of_all):
        answer = client_as(other).post(_address(world.ioana), data={"id": _TALK, "rating": "1"})
        assert answer.status_code == 404
    assert _talk_rows()["conversation"] == 1
    assert [row.rating for row in _rows(Assessment) if row.contact_id == world.ioana.id] == [2]


def test_an_id_used_for_another_person_is_not_found(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    rep.post(_address(world.ioana), data={"id": _TALK})
    assert rep.post(_address(world.tomasz), data={"id": _TALK}).status_code == 404
    assert [talk.contact_id for talk in _rows(Conversation)] == [world.ioana.id]


def test_a_damaged_id_is_said_and_nothing_is_saved(world: World, client_as: SignIn) -> None:
    answer = client_as(world.rep).post(_address(world.ioana), data={"id": "'; DROP TABLE--"})
    assert answer.status_code == 422
    assert "This form was damaged on its way. Check it and save it again." in answer.text
    assert _talk_rows()["conversation"] == 0


@pytest.mark.parametrize("method", ["get", "post"])
def test_people_of_other_places_look_like_nobody(
    world: World, client_as: SignIn, method: str
) -> None:
    outsider = getattr(client_as(world.dock_rep), method)
    outside = outsider(_address(world.ioana))
    nobody = outsider(f"/log/{uuid.uuid4()}")
    assert (outside.status_code, nobody.status_code) == (404, 404)
    assert _talk_rows()["conversation"] == 0


@pytest.mark.parametrize("address", ["/log", "/log/5f0f9f5e-8e2c-4e0f-9d0b-2b1f5a3c7d11"])
def test_an_administrator_without_a_place_logs_no_talks(
    world: World, client_as: SignIn, address: str
) -> None:
    assert client_as(world.admin).get(address).status_code == 403


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"day": "2026-11-24"}, "This day has not come yet. Choose today or a day before."),
        ({"day": "2025-11-21"}, "This day is more than a year ago. Check the year."),
        ({"day": "32/05/2026"}, "Enter a date like 14/05/2026, or pick one."),
        ({"again": "day"}, "Enter the day to speak again."),
        (
            {"again": "day", "again_on": "2026-11-22"},
            "This day is over. Choose today or a later day to speak again.",
        ),
        (
            {"again_on": "2036-11-22"},
            "This day is more than two years ahead. Check the year.",
        ),
        (
            {"again": "tomorrow", "again_on": "2026-12-01"},
            "You chose both a word and a day. Keep one of them.",
        ),
        (
            {"asked": "nothing", "answer": "yes"},
            "You asked nothing, so there is no answer. Change one of the two.",
        ),
        ({"rating": "7"}, "Choose one of the answers shown."),
        ({"basis": ""}, "Choose one of the answers shown."),
        ({"issues": ["pay", "<script>"]}, "Choose one of the answers shown."),
        ({"place": "not-an-id"}, "Choose one of the places where they work."),
        ({"their_words": "a" * 1001}, "Use 1000 letters or fewer."),
        ({"fears": "a\x00b"}, "Take out the characters that cannot be shown."),
    ],
)
def test_what_cannot_be_right_is_said_and_what_was_typed_is_kept(
    world: World, client_as: SignIn, typed: dict[str, Any], sentence: str
) -> None:
    answer = client_as(world.rep).post(
        _address(world.ioana),
        data={"id": _TALK, "next_step": "Bring <b>Łukasz</b> 🙂 שלום", **typed},
    )
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Bring &lt;b&gt;Łukasz&lt;/b&gt; 🙂 שלום" in answer.text
    assert _TALK in answer.text
    assert _talk_rows()["conversation"] == 0


def test_notes_of_the_longest_kind_in_any_script_still_fit(world: World, client_as: SignIn) -> None:
    notes = ("their_words", "fears", "inoculation", "next_step")
    answer = client_as(world.rep).post(
        _address(world.ioana), data={"id": _TALK, **dict.fromkeys(notes, "🙂" * 1000)}
    )
    assert answer.status_code == 303
    assert _rows(ConversationNote)[0].fears == "🙂" * 1000


def test_a_place_that_is_not_theirs_is_refused(world: World, client_as: SignIn) -> None:
    answer = client_as(world.organiser).post(
        _address(world.ioana), data={"id": _TALK, "place": str(world.depot.public_id)}
    )
    assert answer.status_code == 422
    assert "Choose one of the places where they work." in answer.text


def test_somebody_with_two_jobs_is_logged_at_the_place_chosen(
    world: World, client_as: SignIn
) -> None:
    with unit_of_work(ALL) as session:
        contact = session.scalars(
            ALL.select(factories.Contact).where(factories.Contact.id == world.ioana.id)
        ).one()
        depot = session.scalars(
            ALL.select(factories.Workplace).where(factories.Workplace.id == world.depot.id)
        ).one()
        factories.make_job(session, contact, depot)
    organiser = client_as(world.organiser)
    page = organiser.get(_address(world.ioana)).text
    assert "Where do they work?" in page
    assert "Where do they work?" not in client_as(world.rep).get(_address(world.ioana)).text
    organiser.post(_address(world.ioana), data={"id": _TALK, "place": str(world.depot.public_id)})
    assert [talk.place_id for talk in _rows(Conversation)] == [world.depot.id]


def test_somebody_who_left_is_logged_at_their_last_place(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    assert "no job there today" in rep.get(_address(world.leaver)).text
    rep.post(_address(world.leaver), data={"id": _TALK})
    assert [talk.place_id for talk in _rows(Conversation)] == [world.mill.id]


def test_a_person_who_wants_no_contact_has_a_clear_notice(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    words = "This person asked us not to contact them. Only write down a talk that they started."
    assert words not in rep.get(_address(world.tomasz)).text
    with unit_of_work(ALL) as session:
        session.scalars(
            ALL.select(factories.Contact).where(factories.Contact.id == world.tomasz.id)
        ).one().do_not_contact = True
    assert words in rep.get(_address(world.tomasz)).text
    assert rep.post(_address(world.tomasz), data={"id": _TALK}).status_code == 303


def test_a_search_finds_people_of_ones_own_places_only(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    assert "Ioana P" in rep.get("/log?q=IOANA").text
    answer = rep.get("/log?q=Bilal")
    assert "Nobody found for “Bilal”." in answer.text
    assert "Bilal H" not in answer.text


def test_after_saving_the_reader_is_back_where_they_came_from(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    from_today = rep.post(_address(world.ioana) + "?next=today", data={})
    elsewhere = rep.post(_address(world.ioana) + "?next=//example.org", data={})
    assert (from_today.location, elsewhere.location) == ("/", "/log")


def test_who_to_log_asks_the_database_no_more_for_more_people(
    world: World, client_as: SignIn, count_statements: list[str]
) -> None:
    rep = client_as(world.rep)
    rep.get("/log")
    count_statements.clear()
    rep.get("/log")
    few = len(count_statements)
    with unit_of_work(ALL) as session:
        mill = session.scalars(
            ALL.select(factories.Workplace).where(factories.Workplace.id == world.mill.id)
        ).one()
        for number in range(30):
            factories.make_person(session, mill, f"Person {number}", created_by_id=world.rep.id)
    count_statements.clear()
    rep.get("/log")
    assert len(count_statements) <= few + 1
    assert few <= 9


def test_a_scope_reads_notes_of_others_only_with_the_right(world: World, client_as: SignIn) -> None:
    client_as(world.organiser).post(
        _address(world.ioana), data={"id": _TALK, "their_words": "Only for organisers"}
    )
    seen: dict[str, bool] = {}
    for user in (world.rep, world.organiser, world.officer, world.boss_of_all):
        text = client_as(user).get(f"/talks/{_TALK}").text
        seen[user.name] = "Only for organisers" in text
    assert seen == {
        "Owen Rep": False,
        "Ana Organiser": True,
        "Kasia Officer": False,
        "Fatima All": True,
    }
    assert isinstance(ALL, Scope)
