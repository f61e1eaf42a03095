"""Talks a phone sends: each answered for itself, stored once, or kept with the reason."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from crm.access.scope import Scope
from crm.domain.vocabulary import NO_ASK
from crm.features.conversations import service
from crm.features.conversations.outbox import owner_mark
from crm.models.accounts import AccessGrant, UserAccount
from crm.models.audit import AuditEntry
from crm.models.conversations import Assessment, Conversation, ConversationNote, FollowUp, KeptTalk
from crm.web import sealing
from crm.web.db import unit_of_work
from tests.factories import ALL, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]


def _rows(model: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(session.scalars(ALL.select(model).order_by(model.__mapper__.primary_key[0])))


def _item(
    app: Flask,
    owner: Named,
    person: Named,
    fields: dict[str, list[str]],
    *,
    talk_id: str | None = None,
    days_ago: float = 0,
) -> dict[str, str]:
    talk_id = talk_id or str(uuid.uuid4())
    at = (NOW - timedelta(days=days_ago)).timestamp() * 1000
    with app.test_request_context():
        said = {
            "owner": owner_mark(owner.id),
            "contact": str(person.public_id),
            "at": at,
            "fields": list(fields.items()),
        }
        sealed = sealing.seal(json.dumps(said).encode() + b" " * 50, talk_id, sealing.public_key())
    return {"id": talk_id, "sealed": sealed}


def _send(client: FlaskClient, *items: Any, **more: Any) -> list[dict[str, str]]:
    reply = client.post("/phone/talks", json={"talks": list(items), **more})
    assert reply.status_code == 200
    answers: list[dict[str, str]] = reply.get_json()["answers"]
    return answers


def test_a_talk_is_stored_and_sent_again_it_is_stored_once(
    app: Flask, world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    item = _item(app, world.rep, world.ioana, {"rating": ["2"], "issues": ["pay", "hours"]})
    assert [one["answer"] for one in _send(rep, item)] == ["stored"]
    assert [one["answer"] for one in _send(rep, item, item)] == ["again", "again"]
    (talk,) = _rows(Conversation)
    assert str(talk.public_id) == item["id"]
    (stand,) = [one for one in _rows(Assessment) if one.conversation_id == talk.id]
    assert stand.rating == 2


def test_a_talk_that_waited_keeps_its_day_and_its_hour(
    app: Flask, world: World, client_as: SignIn
) -> None:
    _send(
        client_as(world.rep),
        _item(app, world.rep, world.ioana, {"again": ["tomorrow"]}, days_ago=3),
    )
    (talk,) = _rows(Conversation)
    assert talk.day == TODAY - timedelta(days=3)
    assert talk.held_at == NOW - timedelta(days=3)
    assert talk.recorded_at == NOW
    (reminder,) = [one for one in _rows(FollowUp) if one.conversation_id == talk.id]
    assert reminder.due_on == TODAY - timedelta(days=2)


def test_a_talk_that_waited_while_the_secret_was_changed_is_stored(
    app: Flask, world: World, client_as: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = _item(app, world.rep, world.ioana, {"rating": ["2"]})
    old = app.config["SECRET_KEY"]
    monkeypatch.setitem(app.config, "SECRET_KEY", "n" * 64)
    monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [old])
    assert [one["answer"] for one in _send(client_as(world.rep), item)] == ["stored"]
    lost = _item(app, world.rep, world.ioana, {"rating": ["2"]})
    monkeypatch.setitem(app.config, "SECRET_KEY", "m" * 64)
    assert [one["answer"] for one in _send(client_as(world.rep), lost)] == ["damaged"]


def test_a_phone_whose_clock_runs_ahead_is_held_to_now(
    app: Flask, world: World, client_as: SignIn
) -> None:
    _send(client_as(world.rep), _item(app, world.rep, world.ioana, {}, days_ago=-40))
    (talk,) = _rows(Conversation)
    assert (talk.day, talk.held_at) == (TODAY, NOW)


def test_each_talk_is_answered_for_itself_and_a_refused_one_is_kept_whole(
    app: Flask, world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    good = _item(app, world.rep, world.ioana, {"rating": ["1"]})
    words = "They said: not before the review."
    bad = _item(
        app,
        world.rep,
        world.ioana,
        {"asked": [NO_ASK], "answer": ["yes"], "their_words": [words], "rating": ["3"]},
    )
    broken = {"id": str(uuid.uuid4()), "sealed": "AAAA"}
    answers = _send(rep, bad, good, broken)
    assert [one["answer"] for one in answers] == ["kept", "stored", "damaged"]
    assert answers[0]["reason"] == (
        "What did they say? You asked nothing, so there is no answer. Change one of the two."
    )
    page = rep.get("/outbox").text
    assert answers[0]["reason"] in page
    (kept,) = _rows(KeptTalk)
    form = rep.get(f"/log/{world.ioana.public_id}?kept={kept.public_id}").text
    assert words in form
    assert 'name="rating" type="radio" value="3"' in form or 'value="3" checked' in form
    stored = rep.post(
        f"/log/{world.ioana.public_id}?kept={kept.public_id}",
        data={"id": bad["id"], "rating": "3", "their_words": words},
    )
    assert stored.status_code == 303
    assert _rows(KeptTalk) == []
    assert len(_rows(Conversation)) == 2


def test_a_draft_is_kept_for_its_writer_alone(app: Flask, world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    item = _item(app, world.rep, world.ioana, {"later": ["1"], "their_words": ["Half a line"]})
    assert _send(rep, item) == [{"id": item["id"], "answer": "kept"}]
    (kept,) = _rows(KeptTalk)
    assert kept.reason is None
    assert _rows(Conversation) == []
    other = client_as(world.organiser)
    assert "Nothing to finish." in other.get("/outbox").text
    address = f"/log/{world.ioana.public_id}?kept={kept.public_id}"
    assert other.get(address).status_code == 404
    assert other.post(f"/outbox/{kept.public_id}/drop").status_code == 404
    assert rep.post(f"/outbox/{kept.public_id}/drop").status_code == 303
    assert _rows(KeptTalk) == []


def test_finish_later_keeps_what_was_typed_without_any_script(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    reply = rep.post(
        f"/log/{world.ioana.public_id}",
        data={"id": str(uuid.uuid4()), "later": "1", "their_words": "Half", "day": "not a day"},
    )
    assert (reply.status_code, reply.location) == (303, "/outbox")
    (kept,) = _rows(KeptTalk)
    assert kept.fields == {"their_words": ["Half"], "day": ["not a day"]}


def test_what_is_kept_is_not_in_the_trail(app: Flask, world: World, client_as: SignIn) -> None:
    item = _item(app, world.rep, world.ioana, {"later": ["1"], "their_words": ["Canary words"]})
    _send(client_as(world.rep), item)
    trail = [one for one in _rows(AuditEntry) if one.subject == "kept_talk"]
    assert len(trail) == 1
    assert "Canary" not in json.dumps([one.new for one in trail], default=str)


def test_another_user_cannot_send_what_a_rep_sealed(
    app: Flask, world: World, client_as: SignIn
) -> None:
    item = _item(app, world.rep, world.ioana, {"rating": ["1"]})
    answers = _send(client_as(world.organiser), item)
    assert answers == [{"id": item["id"], "answer": "damaged"}]
    assert _rows(Conversation) == []


def test_a_talk_with_somebody_out_of_sight_is_kept_and_nothing_is_told(
    app: Flask, world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    outside = _item(app, world.rep, world.docker, {"their_words": ["My own words"]})
    nobody = Named(id=0, public_id=uuid.uuid4(), name="")
    absent = _item(app, world.rep, nobody, {"their_words": ["My own words"]})
    answers = _send(rep, outside, absent)
    assert {(one["answer"], one["reason"]) for one in answers} == {
        ("kept", "You can no longer see this person.")
    }
    page = rep.get("/outbox").text
    assert world.docker.name not in page
    assert page.count("My own words") == 2
    assert _rows(Conversation) == []


def test_notes_that_were_sent_are_stored_as_the_writers(
    app: Flask, world: World, client_as: SignIn
) -> None:
    _send(client_as(world.rep), _item(app, world.rep, world.ioana, {"fears": ["The rota"]}))
    (note,) = _rows(ConversationNote)
    assert (note.author_id, note.fears) == (world.rep.id, "The rota")


def test_half_a_sign_in_a_note_is_replaced_and_the_talk_is_stored(
    app: Flask, world: World, client_as: SignIn
) -> None:
    item = _item(app, world.rep, world.ioana, {"fears": ["Cut \ud83d off"]})
    assert _send(client_as(world.rep), item) == [{"id": item["id"], "answer": "stored"}]
    (note,) = _rows(ConversationNote)
    assert note.fears == "Cut ? off"


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_defect_in_one_letter_leaves_it_on_the_phone_and_stores_the_others(
    app: Flask,
    world: World,
    client_as: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, good = (_item(app, world.rep, world.ioana, {"rating": ["2"]}) for _ in range(2))
    log_talk = service.log_talk

    def _fails(*asked: Any, **more: Any) -> service.Logged:
        if str(more["talk"].id) == bad["id"]:
            raise LookupError("what Ioana said")
        return log_talk(*asked, **more)

    monkeypatch.setattr(service, "log_talk", _fails)
    answers = _send(client_as(world.rep), None, bad, good)
    assert answers[1:] == [{"id": bad["id"]}, {"id": good["id"], "answer": "stored"}]
    assert "LookupError" in caplog.text
    assert "Ioana" not in caplog.text


def test_letters_nested_without_end_are_refused(
    app: Flask, world: World, client_as: SignIn
) -> None:
    rep, nested = client_as(world.rep), "[" * 20_000 + "]" * 20_000
    body = f'{{"talks": {nested}}}'
    assert rep.post("/phone/talks", data=body, content_type="application/json").status_code == 400
    talk_id = str(uuid.uuid4())
    with app.test_request_context():
        sealed = sealing.seal(nested.encode(), talk_id, sealing.public_key())
    assert _send(rep, {"id": talk_id, "sealed": sealed})[0]["answer"] == "damaged"


@pytest.mark.parametrize("body", [None, [], {"talks": "no"}, {"talks": [{}] * 51}])
def test_what_is_no_list_of_talks_is_refused(world: World, client_as: SignIn, body: Any) -> None:
    assert client_as(world.rep).post("/phone/talks", json=body).status_code == 400


def test_the_list_for_the_phone_holds_short_names_and_little_else(
    world: World, client_as: SignIn
) -> None:
    reply = client_as(world.rep).get("/phone/people")
    people = reply.get_json()["people"]
    assert people
    assert all(set(one) == {"id", "name", "area", "stand"} for one in people)
    assert len(people) <= 30
    assert world.docker.name not in reply.text
    (taken,) = [one for one in _rows(AuditEntry) if one.subject == "phone_list"]
    assert taken.actor_id == world.rep.id


def _state(client: FlaskClient, mark: str) -> Any:
    return client.get("/phone/state", query_string={"owner": mark})


def test_a_phone_learns_that_its_owner_is_in_out_or_may_use_it_no_longer(
    app: Flask, world: World, client_as: SignIn, client: FlaskClient
) -> None:
    with app.test_request_context():
        mine, theirs = owner_mark(world.rep.id), owner_mark(world.organiser.id)
    rep = client_as(world.rep)
    assert _state(rep, mine).get_json()["state"] == "in"
    assert _state(rep, theirs).get_json() == {"state": "other"}
    assert _state(client, mine).get_json() == {"state": "out"}
    assert _state(client, "no mark").get_json() == {"state": "out"}
    with unit_of_work(Scope.everything(reason="tests close an account")) as session:
        user = session.get(UserAccount, world.rep.id)
        assert user is not None
        user.active = False
    for one in (rep, client):
        told = _state(one, mine)
        assert told.get_json()["state"] == "ended"
        assert told.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert rep.post("/phone/talks", json={"talks": []}).status_code == 401


def test_the_empty_page_and_the_worker_say_nothing_of_anybody(
    world: World, client_as: SignIn, client: FlaskClient
) -> None:
    rep = client_as(world.rep)
    for path in ("/phone/shell", "/phone/worker.js", "/phone/app/rota.webmanifest"):
        inside = rep.get(path)
        assert inside.status_code == 200
        assert inside.text == client.get(path).text
    assert client.get("/phone/worker.js").headers["Service-Worker-Allowed"] == "/"
    assert "Shopfloor" not in client.get("/phone/app/rota.webmanifest").text


def test_a_browser_may_go_by_a_dull_name(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    assert "Shopfloor</title>" in rep.get("/mine").text
    reply = rep.post("/phone/look", data={"look": "rota"})
    assert "HttpOnly" in reply.headers["Set-Cookie"]
    page = rep.get("/mine").text
    assert "Rota</title>" in page
    assert "rota.webmanifest" in page
    assert "Shopfloor" not in page
    rep.post("/phone/look", data={"look": "shopfloor"})
    assert "Shopfloor</title>" in rep.get("/mine").text


def test_a_phone_whose_clock_is_wrong_when_it_sends_was_wrong_when_it_wrote(
    app: Flask, world: World, client_as: SignIn
) -> None:
    fast = timedelta(days=2)
    item = _item(app, world.rep, world.ioana, {}, days_ago=3 - 2)
    _send(client_as(world.rep), item, clock=(NOW + fast).timestamp() * 1000)
    (talk,) = _rows(Conversation)
    assert (talk.day, talk.held_at) == (TODAY - timedelta(days=3), NOW - timedelta(days=3))


@pytest.mark.parametrize("clock", [None, "noon", True, 1e300, float("nan"), [], {}])
def test_a_phone_that_tells_no_time_is_taken_at_its_word(
    app: Flask, world: World, client_as: SignIn, clock: Any
) -> None:
    item = _item(app, world.rep, world.ioana, {}, days_ago=1)
    assert [one["answer"] for one in _send(client_as(world.rep), item, clock=clock)] == ["stored"]
    assert [talk.held_at for talk in _rows(Conversation)] == [NOW - timedelta(days=1)]


def test_a_draft_that_comes_after_the_whole_talk_leaves_nothing_behind(
    app: Flask, world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    item = _item(app, world.rep, world.ioana, {"rating": ["2"]})
    draft = _item(app, world.rep, world.ioana, {"later": ["1"]}, talk_id=item["id"])
    assert [one["answer"] for one in _send(rep, item, draft)] == ["stored", "again"]
    assert _rows(KeptTalk) == []


def test_two_who_talk_to_one_person_meanwhile_are_both_kept_and_both_shown(
    app: Flask, world: World, client_as: SignIn
) -> None:
    waiting = _item(app, world.rep, world.ioana, {"rating": ["4"]}, days_ago=1)
    organiser = client_as(world.organiser)
    organiser.post(f"/log/{world.ioana.public_id}", data={"rating": "1", "basis": "said"})
    _send(client_as(world.rep), waiting)
    talks = {talk.held_by_id: talk for talk in _rows(Conversation)}
    assert set(talks) == {world.rep.id, world.organiser.id}
    page = organiser.get(f"/people/{world.ioana.public_id}").text
    for talk in talks.values():
        assert str(talk.public_id) in page
    # The talk that waited is the older one: it does not take the place of what came after it.
    stands = {one.conversation_id: one.day for one in _rows(Assessment) if one.conversation_id}
    older, newer = talks[world.rep.id], talks[world.organiser.id]
    assert stands == {older.id: TODAY - timedelta(days=1), newer.id: TODAY}


def test_a_phone_hears_that_a_role_has_ended_though_the_account_is_open(
    app: Flask, world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    with app.test_request_context():
        mine = owner_mark(world.rep.id)
    with unit_of_work(ALL) as session:
        for grant in session.scalars(
            sa.select(AccessGrant).where(AccessGrant.user_id == world.rep.id)
        ):
            grant.valid_to = TODAY
    page = rep.get("/account").text
    assert 'id="phone"' in page
    assert "data-owner" not in page
    assert _state(rep, mine).get_json()["state"] == "ended"
    assert rep.post("/phone/talks", json={"talks": []}).status_code == 403


def test_whom_the_rep_promised_to_speak_to_comes_first_on_the_phone(
    world: World, client_as: SignIn
) -> None:
    with unit_of_work(ALL) as session:
        for person, days in ((world.placeholder, 2), (world.tomasz, -1), (world.ioana, 30)):
            session.add(
                FollowUp(
                    contact_id=person.id,
                    place_id=world.mill.id,
                    owner_id=world.rep.id,
                    due_on=TODAY + timedelta(days=days),
                    created_at=NOW,
                )
            )
    people = client_as(world.rep).get("/phone/people").get_json()["people"]
    order = [one["id"] for one in people]
    assert order[:2] == [str(world.tomasz.public_id), str(world.placeholder.public_id)]
    assert len(set(order)) == len(order)


def test_what_a_phone_keeps_is_fetched_without_touching_the_session(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    for path in ("/phone/shell", "/phone/worker.js", "/hide"):
        assert "Set-Cookie" not in rep.get(path).headers, path


def test_another_name_for_the_app_has_the_empty_page_fetched_anew(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    before = rep.get("/phone/worker.js").text
    assert rep.get("/phone/worker.js").text == before
    rep.post("/phone/look", data={"look": "rota"})
    assert rep.get("/phone/worker.js").text != before
    assert "Shopfloor" not in rep.get("/phone/shell").text


def test_the_dull_name_outlives_signing_out(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    rep.post("/phone/look", data={"look": "rota"})
    reply = rep.post("/sign-out")
    rep.delete_cookie("look")  # As the browser does when it is told to clear its cookies.
    page = rep.get(reply.location)
    assert "Rota</title>" in page.text
    assert "Shopfloor" not in rep.get("/sign-in").text
    for odd in ("x", "rota;", "<b>"):
        assert "<b>" not in rep.get("/sign-in", query_string={"left": 1, "look": odd}).text


def test_the_log_says_how_many_talks_wait_to_be_finished(
    app: Flask, world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    assert "to finish or put right" not in rep.get("/log").text
    _send(rep, _item(app, world.rep, world.ioana, {"later": ["1"]}))
    assert "1 talk to finish or put right" in rep.get("/log").text
    assert "to finish or put right" not in client_as(world.organiser).get("/log").text
