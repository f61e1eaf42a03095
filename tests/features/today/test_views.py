"""Today: reminders, whom to speak to, the week; and the two pages that strangers may see."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from crm.domain.vocabulary import Verb
from crm.models.accounts import UserSession
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact
from crm.models.conversations import Conversation, ConversationNote, FollowUp
from crm.models.places import Workplace
from crm.web import clock
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]


def _remind(
    person: Named, place: Named, owner: Named, due: date, **more: Any
) -> tuple[str, uuid.UUID]:
    """Store a reminder and return its address and its public id."""
    public_id = uuid.uuid4()
    with unit_of_work(ALL) as session:
        session.add(
            FollowUp(
                public_id=public_id,
                contact_id=person.id,
                place_id=place.id,
                owner_id=owner.id,
                due_on=due,
                created_at=datetime(2026, 11, 1, tzinfo=UTC),
                **more,
            )
        )
    return f"/follow-ups/{public_id}", public_id


def _talk(person: Named, place: Named, by: Named, day: date, words: str | None = None) -> None:
    with unit_of_work(ALL) as session:
        talk = Conversation(
            contact_id=person.id,
            place_id=place.id,
            held_by_id=by.id,
            day=day,
            held_at=NOW,
            recorded_at=NOW,
        )
        session.add(talk)
        session.flush()
        if words is not None:
            session.add(
                ConversationNote(
                    conversation_id=talk.id,
                    contact_id=person.id,
                    place_id=place.id,
                    author_id=by.id,
                    their_words=words,
                )
            )


def _reminder(public_id: uuid.UUID) -> FollowUp:
    with unit_of_work(ALL, read_only=True) as session:
        return session.scalars(ALL.select(FollowUp).where(FollowUp.public_id == public_id)).one()


def _part(page: str, key: str) -> str:
    """Return the words of one section of the page, or nothing when it is not there."""
    start = page.find(f'id="{key}"')
    return page[start : page.find("</section>", start)] if start >= 0 else ""


def _names(text: str) -> list[str]:
    return [piece.split("</bdi>")[0] for piece in text.split("<bdi>")[1:]]


def test_reminders_are_sorted_into_due_and_coming(world: World, client_as: SignIn) -> None:
    _remind(world.ioana, world.mill, world.rep, date(2026, 11, 20))
    _remind(world.tomasz, world.mill, world.rep, TODAY)
    _remind(world.rukhsana, world.mill, world.rep, date(2026, 11, 24))
    _remind(world.placeholder, world.mill, world.rep, date(2026, 12, 24))
    page = client_as(world.rep).get("/").text
    assert _names(_part(page, "due")) == ["Ioana P", "Tomasz K"]
    assert "Due 3 days ago" in _part(page, "due")
    assert "Due today" in _part(page, "due")
    assert _names(_part(page, "coming")) == ["Rukhsana A"]
    assert "Due tomorrow" in _part(page, "coming")


def test_a_reminder_of_somebody_else_is_not_on_my_day(world: World, client_as: SignIn) -> None:
    _remind(world.ioana, world.mill, world.organiser, TODAY)
    assert _part(client_as(world.rep).get("/").text, "due") == ""
    assert _names(_part(client_as(world.organiser).get("/").text, "due")) == ["Ioana P"]


def test_late_evening_in_summer_is_already_the_next_day_in_london(
    world: World, client_as: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    rep = client_as(world.rep)
    _remind(world.ioana, world.mill, world.rep, date(2027, 7, 2))
    with unit_of_work() as session:
        for device in session.scalars(sa.select(UserSession)):
            device.expires_at = datetime(2028, 1, 1, tzinfo=UTC)
            device.last_seen_at = datetime(2027, 7, 1, 22, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: datetime(2027, 7, 1, 22, 30, tzinfo=UTC))
    assert _part(rep.get("/").text, "due") == ""
    monkeypatch.setattr(clock, "now", lambda: datetime(2027, 7, 1, 23, 30, tzinfo=UTC))
    assert "Due today" in _part(rep.get("/").text, "due")


def test_one_tap_ticks_a_reminder_off_and_one_puts_it_back(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    address, public_id = _remind(world.ioana, world.mill, world.rep, TODAY)
    answer = rep.post(f"{address}/done")
    assert (answer.status_code, answer.location) == (303, "/")
    assert _reminder(public_id).done_by_id == world.rep.id
    page = rep.get("/").text
    assert "Done: Ioana P. You can undo this below." in page
    assert _part(page, "due") == ""
    assert f"{address}/undo" in _part(page, "done")
    assert rep.post(f"{address}/undo").status_code == 303
    assert _reminder(public_id).done_at is None
    assert _names(_part(rep.get("/").text, "due")) == ["Ioana P"]
    with unit_of_work(ALL, read_only=True) as session:
        changes = session.scalars(
            ALL.select(AuditEntry).where(
                AuditEntry.subject == "follow_up", AuditEntry.verb == Verb.UPDATE
            )
        ).all()
    assert [row.actor_id for row in changes] == [world.rep.id, world.rep.id]


def test_a_second_tap_on_done_changes_nothing(world: World, client_as: SignIn) -> None:
    address, public_id = _remind(world.ioana, world.mill, world.rep, TODAY)
    client_as(world.rep).post(f"{address}/done")
    client_as(world.organiser).post(f"{address}/done")
    assert (_reminder(public_id).done_by_id, _reminder(public_id).version) == (world.rep.id, 2)


@pytest.mark.parametrize("act", ["done", "undo"])
def test_a_reminder_at_another_place_looks_like_none(
    world: World, client_as: SignIn, act: str
) -> None:
    address, public_id = _remind(world.docker, world.dock, world.rep, TODAY)
    rep = client_as(world.rep)
    assert rep.post(f"{address}/{act}").status_code == 404
    assert rep.post(f"/follow-ups/{uuid.uuid4()}/{act}").status_code == 404
    assert client_as(world.admin).post(f"{address}/{act}").status_code == 403
    assert _reminder(public_id).done_at is None


def test_a_talk_ticks_off_my_reminders_about_that_person_only(
    world: World, client_as: SignIn
) -> None:
    mine = _remind(world.ioana, world.mill, world.rep, TODAY)[1]
    colleague = _remind(world.ioana, world.mill, world.organiser, TODAY)[1]
    other = _remind(world.tomasz, world.mill, world.rep, TODAY)[1]
    rep = client_as(world.rep)
    page = rep.get(f"/log/{world.ioana.public_id}").text
    assert "Saving ticks off your reminder to speak to them: 23 November 2026." in page
    rep.post(f"/log/{world.ioana.public_id}", data={"again": "next_week"})
    done = [_reminder(one).done_at is not None for one in (mine, colleague, other)]
    assert done == [True, False, False]


def test_a_talk_of_days_ago_leaves_a_newer_reminder_open(world: World, client_as: SignIn) -> None:
    newer = _remind(world.ioana, world.mill, world.rep, TODAY)[1]
    client_as(world.rep).post(f"/log/{world.ioana.public_id}", data={"day": "2026-10-20"})
    assert _reminder(newer).done_at is None


def test_never_asked_come_first_then_the_oldest_talk(world: World, client_as: SignIn) -> None:
    _talk(world.rukhsana, world.mill, world.rep, date(2026, 11, 1))
    _talk(world.ioana, world.packing, world.rep, date(2026, 9, 1))
    _talk(world.tomasz, world.yard, world.rep, date(2026, 8, 1))
    rep = client_as(world.rep)
    short = _part(rep.get("/").text, "speak")
    assert _names(short) == ["Night packer 3", "Rukhsana A", "Tomasz K"]
    assert "Show all 4" in short
    assert _names(_part(rep.get("/?show=all").text, "speak"))[3:] == ["Ioana P"]


def test_people_just_spoken_to_or_not_to_be_contacted_are_left_out(
    world: World, client_as: SignIn
) -> None:
    _talk(world.rukhsana, world.mill, world.organiser, date(2026, 11, 17))
    _talk(world.tomasz, world.mill, world.organiser, date(2026, 11, 16))
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        contact.do_not_contact = True
    page = client_as(world.rep).get("/?show=all").text
    assert _names(_part(page, "speak")) == ["Night packer 3", "Tomasz K"]


def test_words_of_a_talk_are_shown_to_their_writer_and_to_organisers(
    world: World, client_as: SignIn
) -> None:
    _talk(world.ioana, world.packing, world.organiser, date(2026, 9, 1), "After the meeting")
    seen = {
        user.name: "After the meeting" in client_as(user).get("/?show=all").text
        for user in (world.rep, world.organiser, world.officer)
    }
    assert seen == {"Owen Rep": False, "Ana Organiser": True, "Kasia Officer": False}


def test_the_week_counts_from_monday_and_by_place(world: World, client_as: SignIn) -> None:
    _talk(world.ioana, world.packing, world.rep, TODAY)
    _talk(world.ioana, world.packing, world.organiser, TODAY)
    _talk(world.tomasz, world.yard, world.rep, date(2026, 11, 22))
    _talk(world.docker, world.dock, world.dock_rep, TODAY)
    week = " ".join(_part(client_as(world.rep).get("/").text, "week").split())
    for words in (
        "From Monday 23 November 2026 to today.",
        '<p class="wc-figure__value">1</p> <p class="wc-figure__label">talk by you</p>',
        "of 2 at your places",
        "person spoken to at your places",
        "of 4 on the list today",
        "2 not asked. That is a gap, not a no.",
    ):
        assert words in week


def test_an_administrator_without_places_sees_the_server_work_and_no_names(
    world: World, client_as: SignIn
) -> None:
    page = client_as(world.admin).get("/").text
    assert "You look after this server." in page
    for name in ("Ioana", "Tomasz", "Rukhsana", "Bilal"):
        assert name not in page


def test_somebody_with_nobody_on_the_list_is_told_what_to_do(
    world: World, client_as: SignIn
) -> None:
    with unit_of_work(ALL) as session:
        employer = factories.make_employer(session, "New firm")
        place = factories.make_workplace(session, employer, "New place")
        user = factories.make_user(session, "New Rep", role=factories.Role.REP, place=place)
        named = Named(user.id, user.public_id, user.name)
    page = client_as(named).get("/").text
    assert "Add the 5 people you talk to most. You need no list from the employer." in page


def test_today_asks_the_database_no_more_for_more_people(
    world: World, client_as: SignIn, count_statements: list[str]
) -> None:
    rep = client_as(world.rep)
    _remind(world.ioana, world.mill, world.rep, TODAY)
    rep.get("/?show=all")
    count_statements.clear()
    rep.get("/?show=all")
    few = len(count_statements)
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        for number in range(30):
            factories.make_person(session, mill, f"Person {number}")
    count_statements.clear()
    rep.get("/?show=all")
    assert len(count_statements) == few
    assert few <= 8


def test_the_page_to_hide_behind_shows_nothing_of_ours(client: FlaskClient) -> None:
    answer = client.get("/hide")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    text = answer.text.lower()
    assert "<title>allotment rota</title>" in text
    for word in ("shopfloor", "union", "worker", "app.css", "<script", "<a "):
        assert word not in text


def test_about_tells_strangers_the_licence_and_no_figures(client: FlaskClient) -> None:
    text = client.get("/about").text
    assert "GNU Affero General Public License, version 3 or later" in text
    assert "It does not sign you out" in text
