"""Today: reminders, whom to speak to, the week; and the two pages that strangers may see."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from crm.domain.vocabulary import Verb
from crm.models.accounts import AccountNotice, UserAccount, UserSession
from crm.models.audit import AuditEntry
from crm.models.ballots import Ballot
from crm.models.contacts import Contact
from crm.models.conversations import Conversation, ConversationNote, FollowUp
from crm.models.places import Workplace
from crm.models.turf import FollowUpPass, Turf, TurfPerson
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


def test_my_own_people_come_before_all_others(world: World, client_as: SignIn) -> None:
    _talk(world.ioana, world.packing, world.rep, date(2026, 9, 1))
    _talk(world.tomasz, world.yard, world.rep, date(2026, 8, 1))
    fact = {"valid_from": date(2026, 1, 1), "recorded_at": NOW}
    with unit_of_work(ALL) as session:
        # Tomasz by hand; all of Packing by area, of which somebody else has Ioana by hand.
        session.add(Turf(user_id=world.rep.id, place_id=world.packing.id, **fact))
        for user, person in ((world.rep, world.tomasz), (world.organiser, world.ioana)):
            session.add(
                TurfPerson(
                    user_id=user.id,
                    contact_id=person.id,
                    workplace_id=world.mill.id,
                    place_id=world.mill.id,
                    **fact,
                )
            )
    rep = client_as(world.rep)
    part = _part(rep.get("/?show=all").text, "speak")
    assert _names(part) == ["Night packer 3", "Tomasz K", "Rukhsana A", "Ioana P"]
    assert part.count("one of your people") == 2
    assert "First your own people." in part
    others = _part(client_as(world.officer).get("/?show=all").text, "speak")
    assert "one of your people" not in others
    assert "First your own people." not in others


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
    # Among them: tests that are open, and ballots that are.
    assert few <= 16


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


# Later


def _put_off(client: FlaskClient, address: str, version: int = 1, **data: str) -> Any:
    return client.post(f"{address}/later", data={"version": str(version), **data})


def test_a_reminder_is_put_off_and_remembers_its_first_day(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    address, public_id = _remind(world.ioana, world.mill, world.rep, date(2026, 11, 20))
    assert f"{address}/later" in rep.get("/").text
    answer = _put_off(rep, address, when="tomorrow")
    assert (answer.status_code, answer.location) == (303, "/")
    page = rep.get("/").text
    assert "Ioana P: put off to 24 November 2026." in page
    assert "Put off once, first due 20 November 2026" in _part(page, "coming")
    assert _put_off(rep, address, version=2, when="day", day="2026-11-26").status_code == 303
    row = _reminder(public_id)
    assert (row.due_on, row.first_due_on, row.times_put_off, row.version) == (
        date(2026, 11, 26),
        date(2026, 11, 20),
        2,
        3,
    )
    assert "Put off 2 times, first due 20 November 2026" in rep.get("/").text
    with unit_of_work(ALL, read_only=True) as session:
        changes = session.scalars(
            ALL.select(AuditEntry).where(
                AuditEntry.subject == "follow_up", AuditEntry.verb == Verb.UPDATE
            )
        ).all()
    assert [row.new["due_on"] for row in changes if row.new] == ["2026-11-24", "2026-11-26"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "Choose when you want to be reminded."),
        ({"when": "soon"}, "Choose when you want to be reminded."),
        ({"when": "day"}, "Enter the day."),
        ({"when": "day", "day": "2026-11-22"}, "This day is over. Choose today or a later day."),
        (
            {"when": "day", "day": "2028-01-01"},
            "This day is more than a year ahead. Check the year.",
        ),
        (
            {"when": "day", "day": "2026-11-23"},
            "It is due on that day already. Choose a different day.",
        ),
    ],
)
def test_a_day_that_cannot_be_is_refused_and_nothing_changes(
    world: World, client_as: SignIn, data: dict[str, str], words: str
) -> None:
    address, public_id = _remind(world.ioana, world.mill, world.rep, TODAY)
    answer = _put_off(client_as(world.rep), address, **data)
    assert answer.status_code == 422
    assert words in answer.text
    assert (_reminder(public_id).due_on, _reminder(public_id).version) == (TODAY, 1)


def test_what_is_ticked_off_is_neither_put_off_nor_passed_on(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    address, public_id = _remind(world.ioana, world.mill, world.rep, TODAY)
    rep.post(f"{address}/done")
    words = "This is ticked off already. Undo that first if you still want to do it."
    assert words in _put_off(rep, address, version=2, when="tomorrow").text
    answer = rep.post(
        f"{address}/give", data={"to": str(world.organiser.public_id), "version": "2"}
    )
    assert words in answer.text
    assert _reminder(public_id).owner_id == world.rep.id


def test_two_who_put_it_off_see_both_days_and_the_second_save_wins(
    world: World, client_as: SignIn
) -> None:
    rep, organiser = client_as(world.rep), client_as(world.organiser)
    address, public_id = _remind(world.ioana, world.mill, world.rep, TODAY)
    assert _put_off(organiser, address, when="day", day="2026-11-30").status_code == 303
    answer = _put_off(rep, address, when="day", day="2026-12-05")
    assert answer.status_code == 409
    assert "30 November 2026" in answer.text
    assert "5 December 2026" in answer.text
    assert 'value="2026-12-05"' in answer.text
    assert _reminder(public_id).due_on == date(2026, 11, 30)
    assert _put_off(rep, address, version=2, when="day", day="2026-12-05").status_code == 303
    assert _reminder(public_id).due_on == date(2026, 12, 5)


@pytest.mark.parametrize("act", ["later", "give"])
def test_a_colleagues_reminder_is_changed_by_organisers_only(
    world: World, client_as: SignIn, act: str
) -> None:
    address, public_id = _remind(world.ioana, world.mill, world.organiser, TODAY)
    data = {"version": "1", "when": "tomorrow", "to": str(world.officer.public_id)}
    for who, expected in ((world.rep, 404), (world.dock_rep, 404), (world.officer, 200)):
        assert client_as(who).get(f"{address}/{act}").status_code == expected
    for who in (world.rep, world.dock_rep):
        assert client_as(who).post(f"{address}/{act}", data=data).status_code == 404
    assert _reminder(public_id).version == 1
    assert client_as(world.officer).post(f"{address}/{act}", data=data).status_code == 303
    assert _reminder(public_id).version == 2


# Somebody else's


def test_a_reminder_goes_to_a_colleague_who_may_see_the_person(
    world: World, client_as: SignIn
) -> None:
    rep, organiser = client_as(world.rep), client_as(world.organiser)
    address, _public_id = _remind(world.ioana, world.mill, world.rep, TODAY)
    page = rep.get(f"{address}/give").text
    assert "Ana Organiser" in page
    assert "Lukasz Dock" not in page
    assert "Ade Admin" not in page
    answer = rep.post(
        f"{address}/give", data={"to": str(world.organiser.public_id), "version": "1"}
    )
    assert (answer.status_code, answer.location) == (303, "/")
    assert "Ana Organiser has the reminder about Ioana P now." in rep.get("/").text
    assert _part(rep.get("/").text, "due") == ""
    assert _names(_part(organiser.get("/").text, "due")) == ["Ioana P"]
    with unit_of_work(ALL, read_only=True) as session:
        passed = session.scalars(ALL.select(FollowUpPass)).one()
    assert (passed.from_user_id, passed.to_user_id, passed.version) == (
        world.rep.id,
        world.organiser.id,
        2,
    )


@pytest.mark.parametrize("who", ["dock_rep", "admin", "nobody"])
def test_a_reminder_goes_to_nobody_who_may_not_see_the_person(
    world: World, client_as: SignIn, who: str
) -> None:
    address, public_id = _remind(world.ioana, world.mill, world.rep, TODAY)
    to = uuid.uuid4() if who == "nobody" else getattr(world, who).public_id
    answer = client_as(world.rep).post(f"{address}/give", data={"to": str(to), "version": "1"})
    assert answer.status_code == 422
    assert (
        "The one you chose may not see this person: their role does not cover where the person "
        "works. Choose somebody from the list."
    ) in answer.text
    assert "Lukasz" not in answer.text
    assert _reminder(public_id).owner_id == world.rep.id


def test_a_reminder_that_somebody_gave_away_meanwhile_is_not_given_twice(
    world: World, client_as: SignIn
) -> None:
    address, public_id = _remind(world.ioana, world.mill, world.rep, TODAY)
    data = {"to": str(world.officer.public_id), "version": "1"}
    assert client_as(world.organiser).post(f"{address}/give", data=data).status_code == 303
    rep = client_as(world.organiser)
    answer = rep.post(f"{address}/give", data={"to": str(world.rep.public_id), "version": "1"})
    assert answer.status_code == 409
    assert "Kasia Officer" in answer.text
    assert _reminder(public_id).owner_id == world.officer.id


# Time zones


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        # At noon in London on the 23rd it is 2 in the morning of the 23rd in Honolulu, and
        # 1 in the morning of the 24th in Auckland.
        ("Pacific/Honolulu", "Due today"),
        ("Pacific/Auckland", "Due 1 day ago"),
    ],
)
def test_overdue_goes_by_the_day_where_the_rep_is(
    world: World, client_as: SignIn, zone: str, due: str
) -> None:
    with unit_of_work() as session:
        user = session.scalars(sa.select(UserAccount).where(UserAccount.id == world.rep.id)).one()
        user.time_zone = zone
    _remind(world.ioana, world.mill, world.rep, TODAY)
    assert due in _part(client_as(world.rep).get("/").text, "due")


def test_ten_in_the_evening_in_honolulu_is_still_the_day_before(
    world: World, client_as: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unit_of_work() as session:
        user = session.scalars(sa.select(UserAccount).where(UserAccount.id == world.rep.id)).one()
        user.time_zone = "Pacific/Honolulu"
    address, _public_id = _remind(world.ioana, world.mill, world.rep, TODAY)
    rep = client_as(world.rep)
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 23, 9, 59, tzinfo=UTC))
    assert "Due tomorrow" in _part(rep.get("/").text, "coming")
    assert _put_off(rep, address, when="tomorrow").status_code == 422
    assert _put_off(rep, address, when="day", day="2026-11-22").status_code == 303
    assert "Due today" in _part(rep.get("/").text, "due")


def test_what_was_done_to_an_account_stands_here_until_it_is_seen(
    world: World, client_as: SignIn
) -> None:
    client = client_as(world.admin)
    with unit_of_work(ALL) as session:
        session.add(
            AccountNotice(
                user_id=world.rep.id,
                kind="role_given",
                about_id=world.rep.id,
                actor_id=world.admin.id,
                role="organiser",
                place_id=world.dock.id,
                made_at=NOW,
            )
        )
        session.add(
            AccountNotice(
                user_id=world.admin.id, kind="link_made", about_id=world.rep.id, made_at=NOW
            )
        )
    rep = client_as(world.rep).get("/").text
    assert f"{world.admin.name} gave you the role “Organiser” at" in rep
    # The place lies outside what they see: its name is not told.
    assert "a place that you do not see" in rep
    assert world.dock.name not in rep
    admin = client.get("/").text
    assert f"command line made a sign-in link for {world.rep.name} on" in admin
    action = re.search(r'action="(/account/notices/[^"]+/seen)"', admin)
    assert action is not None
    assert client_as(world.rep).post(action[1]).status_code == 404
    assert client.post(action[1]).status_code == 303
    assert "made a sign-in link" not in client.get("/").text


def test_a_ballot_whose_voting_is_over_asks_its_officers_for_the_count(
    client_as: SignIn, world: World
) -> None:
    asked = "Voting is over: type in the count, and declare the result"
    with unit_of_work(ALL) as session:
        ballot = factories.make_open_ballot(session, world)
    assert asked not in client_as(world.officer).get("/").text
    with unit_of_work(ALL) as session:
        ballot = session.scalars(ALL.select(Ballot).where(Ballot.id == ballot.id)).one()
        ballot.closes_on = TODAY - timedelta(days=1)
    assert asked in client_as(world.officer).get("/").text
    assert asked not in client_as(world.rep).get("/").text
    with unit_of_work(ALL) as session:
        ballot = session.scalars(ALL.select(Ballot).where(Ballot.id == ballot.id)).one()
        ballot.declared_on = TODAY
    assert asked not in client_as(world.officer).get("/").text
