"""Putting right all that was written down of a talk, and taking a talk back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.domain.vocabulary import Verb
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
from tests.factories import ALL, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]

_TALK = "5f0f9f5e-8e2c-4e0f-9d0b-2b1f5a3c7d11"
_PAGE = f"/talks/{_TALK}"
_EDIT = f"/talks/{_TALK}/correct"
_BACK = f"/talks/{_TALK}/take-back"

_LOGGED: dict[str, Any] = {
    "id": _TALK,
    "rating": "2",
    "issues": ["pay", "heat"],
    "asked": "join",
    "answer": "not_yet",
    "channel": "phone_call",
    "their_words": "Za goraco",
    "language": "pl",
    "again": "tomorrow",
}


def _rows(model: Any, **kinds: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        key = model.__mapper__.primary_key[0]
        return list(session.scalars(ALL.select(model, **kinds).order_by(key)))


def _log(client: FlaskClient, world: World, **more: Any) -> None:
    answer = client.post(f"/log/{world.rukhsana.public_id}", data={**_LOGGED, **more})
    assert answer.status_code == 303


def _right(**more: Any) -> dict[str, Any]:
    """The form as it is filled, with some of it changed."""
    kept = {key: value for key, value in _LOGGED.items() if key not in {"id", "rating", "again"}}
    return {**kept, "version": "1", "day": TODAY.isoformat(), **more}


def _score(world: World) -> int | None:
    with unit_of_work(ALL, read_only=True) as session:
        return session.scalars(
            ALL.select(StateSpan.score)
            .where(StateSpan.contact_id == world.rukhsana.id)
            .order_by(StateSpan.from_day.desc())
        ).first()


def test_everything_that_was_written_down_can_be_put_right(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    _log(rep, world)
    page = rep.get(_EDIT).text
    assert "Za goraco" in page
    assert '<option selected value="pl">' in page
    answer = rep.post(
        _EDIT,
        data=_right(
            day="2026-11-20",
            issues=["pay", "breaks"],
            asked="meeting",
            answer="yes",
            channel="in_person",
            length_band="5_to_15",
            steps=["open", "ask"],
            their_words="",
            fears="The rota",
            language="en",
        ),
    )
    assert answer.status_code == 303
    [talk] = _rows(Conversation)
    assert (talk.day, talk.asked, talk.answer, talk.channel) == (
        date(2026, 11, 20),
        "meeting",
        "yes",
        "in_person",
    )
    assert (talk.length_band, talk.steps_reached, talk.version) == ("5_to_15", ["open", "ask"], 2)
    assert {one.issue for one in _rows(ConversationIssue)} == {"pay", "breaks"}
    [note] = _rows(ConversationNote)
    assert (note.their_words, note.fears, note.language) == (None, "The rota", "en")
    # Where they stood goes with the day of the talk; what was believed before stays on record.
    days = [(one.day, one.superseded_at is None) for one in _rows(Assessment)]
    assert (date(2026, 11, 20), True) in days
    assert (TODAY, False) in days


def test_what_was_put_right_is_audited_with_old_and_new(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    _log(rep, world)
    rep.post(_EDIT, data=_right(asked="meeting"))
    [entry] = [
        one for one in _rows(AuditEntry) if (one.subject, one.verb) == ("conversation", Verb.UPDATE)
    ]
    assert (entry.old["asked"], entry.new["asked"]) == ("join", "meeting")
    assert entry.actor_id == world.rep.id


def test_saving_without_a_change_writes_nothing(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    _log(rep, world)
    before = len([one for one in _rows(AuditEntry) if one.verb != Verb.VIEW])
    assert rep.post(_EDIT, data=_right()).status_code == 303
    assert len([one for one in _rows(AuditEntry) if one.verb != Verb.VIEW]) == before
    assert _rows(Conversation)[0].version == 1


def test_the_second_of_two_who_put_it_right_sees_both(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    _log(rep, world)
    assert rep.post(_EDIT, data=_right(asked="meeting")).status_code == 303
    answer = rep.post(_EDIT, data=_right(their_words="Too hot"))
    assert answer.status_code == 409
    for words in ("Stored now", "Come to the meeting", "Too hot", 'value="2"'):
        assert words in answer.text
    assert rep.post(_EDIT, data=_right(version="2", their_words="Too hot")).status_code == 303
    assert _rows(ConversationNote)[0].their_words == "Too hot"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"day": "2026-11-24"}, "This day has not come yet. Choose today or a day before."),
        ({"day": "2025-01-01"}, "This day is more than a year ago. Check the year."),
        ({"day": ""}, "Enter the day of the talk."),
        (
            {"asked": "nothing"},
            "You asked nothing, so there is no answer. Change one of the two.",
        ),
        ({"language": "xx"}, "Not a valid choice."),
    ],
)
def test_what_cannot_be_is_refused_and_what_was_typed_stays(
    world: World, client_as: SignIn, typed: dict[str, str], sentence: str
) -> None:
    rep = client_as(world.rep)
    _log(rep, world)
    answer = rep.post(_EDIT, data=_right(fears="Kept as typed", **typed))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Kept as typed" in answer.text
    assert _rows(ConversationNote)[0].fears is None


@pytest.mark.parametrize("who", ["organiser", "dock_rep", "boss_of_all"])
@pytest.mark.parametrize("address", [_EDIT, _BACK])
def test_only_its_writer_puts_a_talk_right_or_takes_it_back(
    world: World, client_as: SignIn, who: str, address: str
) -> None:
    _log(client_as(world.rep), world)
    other = client_as(getattr(world, who))
    assert other.get(address).status_code == 404
    assert other.post(address, data=_right()).status_code == 404
    assert _rows(Conversation)[0].version == 1


def test_the_words_of_a_note_carry_their_language(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    _log(rep, world, day="2026-11-01")
    assert 'dir="auto" lang="pl">Za goraco' in rep.get(_PAGE).text
    assert 'lang="pl">Za goraco' in rep.get(f"/people/{world.rukhsana.public_id}").text
    assert 'lang="pl">Za goraco' in rep.get("/?show=all").text


def test_a_talk_without_a_note_keeps_no_language(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    _log(rep, world, their_words="")
    assert _rows(ConversationNote) == []
    assert rep.post(_EDIT, data=_right(their_words="")).status_code == 303
    assert _rows(Conversation)[0].version == 1


def test_a_talk_that_is_taken_back_counts_nowhere(world: World, client_as: SignIn) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            FollowUp(
                contact_id=world.rukhsana.id,
                place_id=world.mill.id,
                owner_id=world.rep.id,
                due_on=TODAY,
                created_at=NOW,
            )
        )
    rep = client_as(world.rep)
    _log(rep, world)
    assert _score(world) == 2
    page = rep.get(_BACK).text
    for words in (
        "What was written down of where they stood goes: 2 With us.",
        "2 things that matter to them go.",
        "Your note goes.",
        "1 reminder that came of it goes.",
        "1 reminder that it ticked off waits again.",
    ):
        assert words in page
    assert rep.post(_BACK).status_code == 303
    assert _score(world) is None
    assert _rows(Conversation) == []
    assert _rows(ConversationIssue) == []
    assert _rows(ConversationNote) == []
    assert [one.superseded_at is None for one in _rows(Assessment)].count(True) == 2  # of others
    [reminder] = _rows(FollowUp)
    assert (reminder.due_on, reminder.done_at, reminder.conversation_id) == (TODAY, None, None)
    # It stays on record.
    [talk] = _rows(Conversation, history=True)
    assert talk.withdrawn_at == NOW
    assert rep.get(_PAGE).status_code == 404
    person = rep.get(f"/people/{world.rukhsana.public_id}").text
    assert "Za goraco" not in person
    assert "Nobody has asked them yet." in person
    assert "Za goraco" not in rep.get("/?show=all").text


def test_a_talk_that_was_taken_back_is_not_stored_again(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    _log(rep, world)
    assert rep.post(_BACK).status_code == 303
    assert rep.post(_BACK).status_code == 404
    _log(rep, world)
    assert _rows(Conversation) == []
    assert "You took this talk with Rukhsana A back." in rep.get("/log").text
