"""Taps a phone sends late, on the lists of tests and ballots: once each, never over newer ones."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.domain.structure import Deed
from crm.domain.vocabulary import VoteWord
from crm.features.conversations.outbox import owner_mark
from crm.models.ballots import Ballot, VoteTold
from crm.models.campaigns import Participation, StructureTest
from crm.models.contacts import Contact
from crm.models.conversations import KeptTalk, TakenTap
from crm.models.turf import TurfPerson
from crm.web import sealing
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]


@pytest.fixture
def badge(world: World) -> uuid.UUID:
    """A test of yesterday with Ioana (1), Tomasz (2) and Rukhsana (3) on its list."""
    people: list[Any] = [world.ioana, world.tomasz, world.rukhsana]
    with unit_of_work(ALL) as session:
        test = factories.make_test(
            session,
            world.mill,
            *people,
            name="Badge day",
            as_at=TODAY - timedelta(days=9),
            frozen_at=NOW - timedelta(days=9),
        )[2]
        found: uuid.UUID = test.public_id
    return found


@pytest.fixture
def ballot(world: World) -> uuid.UUID:
    """An open ballot with Ioana and Tomasz among its voters."""
    with unit_of_work(ALL) as session:
        found: uuid.UUID = factories.make_open_ballot(session, world).public_id
    return found


def _item(
    app: Flask, owner: Named, page: str, *fields: tuple[str, str], hours_ago: float = 1
) -> dict[str, str]:
    tap_id = str(uuid.uuid4())
    with app.test_request_context():
        said = {
            "owner": owner_mark(owner.id),
            "page": page,
            "at": (NOW - timedelta(hours=hours_ago)).timestamp() * 1000,
            "fields": [(name, [value]) for name, value in fields],
        }
        sealed = sealing.seal(json.dumps(said).encode(), tap_id, sealing.public_key())
    return {"id": tap_id, "sealed": sealed}


def _send(client: FlaskClient, *items: Any) -> list[dict[str, str]]:
    reply = client.post("/phone/talks", json={"talks": list(items)})
    assert reply.status_code == 200
    answers: list[dict[str, str]] = reply.get_json()["answers"]
    return answers


def _deeds() -> list[tuple[Deed, Any]]:
    with unit_of_work(ALL, read_only=True) as session:
        asked = ALL.select(Participation.deed, Participation.typed_at)
        rows = session.execute(asked.where(Participation.superseded_at.is_(None)))
        return [tuple(row) for row in rows]


def _said() -> list[VoteWord | None]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(session.scalars(ALL.select(VoteTold.said)))


def _kept() -> list[KeptTalk]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(session.scalars(ALL.select(KeptTalk)))


def test_taps_are_stored_once_in_the_order_of_the_phone_with_when_they_were_tapped(
    app: Flask, world: World, client_as: SignIn, badge: uuid.UUID
) -> None:
    rep = client_as(world.rep)
    first = _item(app, world.rep, f"/tests/{badge}/mine", ("will", "2"), hours_ago=30)
    second = _item(app, world.rep, f"/tests/{badge}/mine", ("did", "2"), hours_ago=29)
    assert [one["answer"] for one in _send(rep, first, second)] == ["done", "done"]
    # The answer was lost: both come again, and the older does not undo the newer.
    assert [one["answer"] for one in _send(rep, first, second, first)] == ["done"] * 3
    assert _deeds() == [(Deed.DID, NOW - timedelta(hours=29))]
    with unit_of_work(ALL, read_only=True) as session:
        assert len(session.scalars(ALL.select(Participation)).all()) == 2
        days = session.scalars(ALL.select(Participation.day)).all()
        assert set(days) == {TODAY - timedelta(days=1)}
    entry = rep.get(f"/tests/{badge}/mine?show=all").text.split("/tests/people/")[2][:36]
    assert "without signal" in rep.get(f"/tests/people/{entry}").text


def test_a_tap_that_waited_does_not_undo_what_was_written_down_after_it(
    app: Flask, world: World, client_as: SignIn, badge: uuid.UUID
) -> None:
    client_as(world.organiser).post(f"/tests/{badge}/mine", data={"did": "1"})
    rep = client_as(world.rep)
    late = _item(app, world.rep, f"/tests/{badge}/mine", ("did_not", "1"))
    (answer,) = _send(rep, late)
    assert answer["answer"] == "kept"
    assert answer["reason"] == (
        "Test “Badge day”, “Did not”. "
        "Something newer was written down about this person. It stays as it is."
    )
    assert _deeds() == [(Deed.DID, None)]
    page = rep.get("/outbox").text
    assert answer["reason"] in page
    assert f'href="/tests/{badge}/mine"' in page
    (kept,) = _kept()
    assert rep.get(f"/log/{world.ioana.public_id}?kept={kept.public_id}").status_code == 404
    # What was taken back since is newer too.
    client_as(world.organiser).post(f"/tests/{badge}/mine", data={"back": "1"})
    assert _send(rep, _item(app, world.rep, f"/tests/{badge}/mine", ("will", "1")))[0]["reason"]
    assert _deeds() == []


def test_a_refused_tap_says_why_and_another_writer_or_place_gets_nothing(
    app: Flask, world: World, client_as: SignIn, badge: uuid.UUID
) -> None:
    rep, dock = client_as(world.rep), client_as(world.dock_rep)
    page = f"/tests/{badge}/mine"
    stolen = _item(app, world.rep, page, ("did", "1"))
    assert _send(dock, stolen)[0]["answer"] == "damaged"
    (answer,) = _send(dock, _item(app, world.dock_rep, page, ("did", "1")))
    assert (answer["answer"], answer["reason"]) == ("kept", "You can no longer see this person.")
    assert "Badge day" not in dock.get("/outbox").text
    for wrong in ("/tests/x/mine", "/people", f"/tests/{badge}/off"):
        assert _send(rep, _item(app, world.rep, wrong, ("did", "1")))[0]["answer"] == "damaged"
    with unit_of_work(ALL) as session:
        session.scalars(ALL.select(StructureTest)).one().called_off_at = NOW
    (answer,) = _send(rep, _item(app, world.rep, page, ("did", "1")))
    assert answer["reason"] == (
        "Test “Badge day”, “Did it”. "
        "This test was called off. Nothing more can be written down about it."
    )
    assert _deeds() == []


def test_a_late_word_on_voting_is_noted_once_and_never_over_a_stronger_one(
    app: Flask, world: World, client_as: SignIn, ballot: uuid.UUID
) -> None:
    rep = client_as(world.rep)
    page = f"/ballots/{ballot}/votes/{world.ioana.public_id}"
    first = _item(app, world.rep, page, ("said", "will_vote"))
    assert _send(rep, first)[0]["answer"] == "done"
    rep.post(page, data={"said": "voted"})
    assert _send(rep, first)[0]["answer"] == "done"
    (answer,) = _send(rep, _item(app, world.rep, page, ("said", "not_yet")))
    assert (answer["answer"], answer["reason"]) == (
        "dropped",
        "This person told us something else by now. It stays as it is.",
    )
    assert _said() == [VoteWord.VOTED]
    assert _kept() == []


def test_a_late_tap_asks_for_no_paper_that_was_sent_by_now(
    app: Flask, world: World, client_as: SignIn, ballot: uuid.UUID
) -> None:
    rep = client_as(world.rep)
    page = f"/ballots/{ballot}/votes/{world.ioana.public_id}"
    rep.post(page, data={"paper": "sent"})
    for paper, answer in (("asked", "dropped"), ("none", "dropped"), ("sent", "done")):
        assert _send(rep, _item(app, world.rep, page, ("paper", paper)))[0]["answer"] == answer
    with unit_of_work(ALL, read_only=True) as session:
        row = session.scalars(ALL.select(VoteTold)).one()
        assert (row.new_paper_asked, row.new_paper_sent) == (True, True)


def test_a_word_on_voting_that_comes_after_the_result_is_dropped_and_leaves_nothing(
    app: Flask, world: World, client_as: SignIn, ballot: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        session.scalars(ALL.select(Ballot)).one().declared_on = TODAY
    page = f"/ballots/{ballot}/votes/{world.ioana.public_id}"
    (answer,) = _send(client_as(world.rep), _item(app, world.rep, page, ("said", "voted")))
    assert answer.pop("id")
    assert answer == {
        "answer": "dropped",
        "reason": "Voting is not open any more, so this tap is dropped. "
        "What people told us is erased when the result is declared.",
        "over": "1",
    }
    assert _said() == []
    assert _kept() == []
    with unit_of_work(ALL, read_only=True) as session:
        assert session.scalars(ALL.select(TakenTap)).all() == []


def test_the_phone_keeps_short_names_of_those_still_to_ask_own_people_first(
    app: Flask, world: World, client_as: SignIn, badge: uuid.UUID, ballot: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        for person in session.scalars(ALL.select(Contact)):
            if person.id == world.rukhsana.id:
                person.known_as = "Rukhsana Akhtar"
        session.add(
            TurfPerson(
                user_id=world.rep.id,
                contact_id=world.rukhsana.id,
                workplace_id=world.mill.id,
                place_id=world.mill.id,
                valid_from=TODAY,
                recorded_at=NOW,
            )
        )
    rep = client_as(world.rep)
    rep.post(f"/tests/{badge}/mine", data={"did": "2"})
    rep.post(f"/ballots/{ballot}/votes/{world.tomasz.public_id}", data={"said": "voted"})
    lists = {one["page"]: one for one in rep.get("/phone/people").get_json()["lists"]}
    assert lists == {
        f"/tests/{badge}/mine": {
            "page": f"/tests/{badge}/mine",
            "name": "Badge day",
            "people": [
                {"key": "3", "name": "Rukhsana A."},
                {"key": "1", "name": "Ioana P."},
            ],
        },
        f"/ballots/{ballot}/votes": {
            "page": f"/ballots/{ballot}/votes",
            "name": "Pay 2027",
            "people": [{"key": str(world.ioana.public_id), "name": "Ioana P."}],
        },
    }
    assert client_as(world.dock_rep).get("/phone/people").get_json()["lists"] == []


def test_a_phone_names_no_more_people_than_it_may_however_many_lists_there_are(
    app: Flask,
    world: World,
    client_as: SignIn,
    badge: uuid.UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("crm.features.conversations.outbox.MOST_PEOPLE", 2)
    told = client_as(world.rep).get("/phone/people").get_json()
    named = {one["name"] for one in told["people"]}
    named |= {person["name"] for one in told["lists"] for person in one["people"]}
    assert len(named) == 2
    assert told["lists"][0]["people"]
