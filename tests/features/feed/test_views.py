"""The calendar address: what it tells, to whom, and when it stops working."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar

from crm.access.scope import Scope
from crm.access.tokens import token_hash
from crm.features.accounts.service import change_passphrase
from crm.features.feed import views
from crm.models.accounts import AccessGrant, CalendarFeed, UserAccount, UserSession
from crm.models.audit import AuditEntry
from crm.models.conversations import FollowUp
from crm.web import clock
from crm.web.db import unit_of_work
from tests.factories import ALL, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]


def _remind(person: Named, place: Named, owner: Named, due: date, **more: Any) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            FollowUp(
                contact_id=person.id,
                place_id=place.id,
                owner_id=owner.id,
                due_on=due,
                created_at=NOW,
                what="Ask Ioana about the strike",
                **more,
            )
        )


def _make(client: FlaskClient) -> str:
    """Make an address and return its path."""
    page = client.post("/account/calendar").text
    found = re.search(r"http://localhost(/calendar/[\w-]+/dates\.ics)", page)
    assert found is not None
    return found[1]


def _events(body: bytes) -> list[tuple[date, str]]:
    calendar = Calendar.from_ical(body)
    return [(event.decoded("dtstart"), str(event["summary"])) for event in calendar.walk("VEVENT")]


def _feeds() -> list[CalendarFeed]:
    with unit_of_work() as session:
        return list(session.scalars(sa.select(CalendarFeed).order_by(CalendarFeed.id)))


def _keep_signed_in(at: datetime) -> None:
    with unit_of_work() as session:
        for device in session.scalars(sa.select(UserSession)):
            device.last_seen_at, device.expires_at = at, at + timedelta(days=7)


# What it tells


def test_a_calendar_program_without_a_cookie_gets_counts_by_day(
    world: World, client_as: SignIn, client: FlaskClient
) -> None:
    _remind(world.ioana, world.mill, world.rep, TODAY + timedelta(days=2))
    _remind(world.tomasz, world.mill, world.rep, TODAY + timedelta(days=2))
    _remind(world.ioana, world.mill, world.rep, TODAY)
    _remind(world.ioana, world.mill, world.rep, TODAY - timedelta(days=9))
    _remind(world.tomasz, world.mill, world.rep, TODAY - timedelta(days=2))
    _remind(world.tomasz, world.mill, world.rep, TODAY, done_at=NOW)
    _remind(world.tomasz, world.mill, world.organiser, TODAY)
    answer = client.get(_make(client_as(world.rep)))
    assert answer.status_code == 200
    assert answer.mimetype == "text/calendar"
    assert _events(answer.data) == [
        (TODAY, "2 reminders overdue"),
        (TODAY, "1 reminder"),
        (TODAY + timedelta(days=2), "2 reminders"),
    ]


def test_the_file_is_whole_days_that_are_private_and_leave_the_day_free(
    world: World, client_as: SignIn, client: FlaskClient
) -> None:
    _remind(world.ioana, world.mill, world.rep, TODAY)
    address = _make(client_as(world.rep))
    calendar = Calendar.from_ical(client.get(address).data)
    (event,) = calendar.walk("VEVENT")
    assert event.decoded("dtend") == TODAY + timedelta(days=1)
    assert (str(event["class"]), str(event["transp"])) == ("PRIVATE", "TRANSPARENT")
    assert event.decoded("dtstamp") == NOW
    assert not event.errors
    assert not calendar.errors
    # The same line keeps its id, so that a program replaces it and does not add another.
    _remind(world.tomasz, world.mill, world.rep, TODAY)
    (again,) = Calendar.from_ical(client.get(address).data).walk("VEVENT")
    assert str(again["uid"]) == str(event["uid"])
    assert str(again["summary"]) == "2 reminders"


def test_nothing_in_it_names_a_person_a_place_a_user_or_this_program(
    world: World, client_as: SignIn, client: FlaskClient
) -> None:
    _remind(world.ioana, world.mill, world.rep, TODAY)
    _remind(world.tomasz, world.yard, world.rep, TODAY + timedelta(days=1))
    answer = client.get(_make(client_as(world.rep)))
    text = answer.text.replace("\r\n ", "").lower()
    names = {getattr(world, name).name for name in World.__dataclass_fields__}
    told = {*names, "Popescu", "strike", "union", "Shopfloor", "localhost", "http", "Test group"}
    assert [name for name in told if name.lower() in text] == []
    ids = {str(getattr(world, name).public_id) for name in World.__dataclass_fields__}
    assert [one for one in ids if one in text] == []
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Disposition" not in answer.headers


def test_today_is_the_day_where_the_user_is(
    world: World, client_as: SignIn, client: FlaskClient
) -> None:
    with unit_of_work() as session:
        user = session.scalars(sa.select(UserAccount).where(UserAccount.id == world.rep.id)).one()
        user.time_zone = "Pacific/Auckland"
    _remind(world.ioana, world.mill, world.rep, TODAY)
    address = _make(client_as(world.rep))
    assert _events(client.get(address).data) == [(date(2026, 11, 24), "1 reminder overdue")]


def test_reminders_at_places_that_were_lost_are_not_told(
    world: World, client_as: SignIn, client: FlaskClient
) -> None:
    _remind(world.docker, world.dock, world.rep, TODAY)
    assert _events(client.get(_make(client_as(world.rep))).data) == []


# When it stops working


def test_only_the_hash_of_an_address_is_stored_and_it_is_shown_once(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    token = _make(rep).split("/")[2]
    (feed,) = _feeds()
    assert feed.token_hash == token_hash(token)
    assert token not in rep.get("/account/calendar").text
    with unit_of_work(ALL, read_only=True) as session:
        entries = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "calendar_feed")
        ).all()
    assert [row.actor_id for row in entries] == [world.rep.id]
    assert token not in str([row.new for row in entries])
    assert feed.token_hash not in str([row.new for row in entries])


def test_a_new_address_ends_the_one_before(
    world: World, client_as: SignIn, client: FlaskClient
) -> None:
    rep = client_as(world.rep)
    first, second = _make(rep), _make(rep)
    assert first != second
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200


@pytest.mark.parametrize("how", ["end", "everywhere", "passphrase", "closed", "no role"])
def test_the_address_stops_working_when_it_is_ended_or_access_ends(
    world: World, client_as: SignIn, client: FlaskClient, how: str
) -> None:
    rep = client_as(world.rep)
    address = _make(rep)
    assert client.get(address).status_code == 200
    if how == "end":
        rep.post("/account/calendar/end")
    elif how == "everywhere":
        rep.post("/account/sign-out-everywhere")
    elif how == "passphrase":
        _change_passphrase(world.rep)
    elif how == "closed":
        client_as(world.admin).post(f"/admin/users/{world.rep.public_id}/close")
    else:
        _end_role(world.rep, TODAY)
    assert client.get(address).status_code == 404
    assert [feed.ended_at is not None for feed in _feeds()] == [True]
    # It does not come back to life with a new role, or when the account is opened again.
    client_as(world.admin).post(f"/admin/users/{world.rep.public_id}/open")
    _end_role(world.rep, None)
    assert client.get(address).status_code == 404


def _change_passphrase(user: Named) -> None:
    with unit_of_work() as session:
        row = session.scalars(sa.select(UserAccount).where(UserAccount.id == user.id)).one()
        row.password_hash = "old"
    scope = Scope(actor_id=user.id, grants=())
    with unit_of_work(scope) as session:
        change_passphrase(
            session, scope, old_hash="old", new_hash="new", this_session_id=0, now=NOW
        )


def _end_role(user: Named, until: date | None) -> None:
    with unit_of_work(ALL) as session:
        grant = session.scalars(sa.select(AccessGrant).where(AccessGrant.user_id == user.id)).one()
        grant.valid_to = until


def test_a_wrong_address_looks_like_one_that_was_ended(
    app: Flask, world: World, client_as: SignIn, client: FlaskClient, count_statements: list[str]
) -> None:
    rep = client_as(world.rep)
    ended = _make(rep)
    rep.post("/account/calendar/end")
    answers = []
    for path in ("/calendar/x/dates.ics", f"/calendar/{'a' * 43}/dates.ics", ended):
        count_statements.clear()
        answer = client.get(path)
        body = re.sub(r"<code>[0-9a-f]{16}</code>|value=\"[^\"]*\"", "", answer.text)
        answers.append((answer.status_code, body, len(count_statements)))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 404


def test_too_many_fetches_are_put_off_and_waiting_helps(
    world: World, client_as: SignIn, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "FETCHES_PER_ADDRESS", 3)
    address, other = _make(client_as(world.rep)), _make(client_as(world.organiser))
    assert [client.get(address).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = client.get(address)
    assert (answer.headers["Retry-After"], answer.data) == ("300", b"")
    assert client.get(other).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(minutes=6))
    assert client.get(address).status_code == 200


def test_too_many_wrong_addresses_do_not_shut_out_a_right_one(
    world: World, client_as: SignIn, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "WRONG_PER_NETWORK", 2)
    address = _make(client_as(world.rep))
    wrong = [client.get(f"/calendar/guess{number}/dates.ics").status_code for number in range(4)]
    assert wrong == [404, 404, 429, 429]
    assert client.get(address).status_code == 200


def test_the_owner_sees_the_day_of_the_last_fetch(
    world: World, client_as: SignIn, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    rep = client_as(world.rep)
    address = _make(rep)
    assert "Not yet" in rep.get("/account/calendar").text
    client.get(address)
    assert _feeds()[0].read_on == TODAY
    later = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: later)
    _keep_signed_in(later)
    client.get(address)
    assert "25 November 2026" in rep.get("/account/calendar").text


def test_nobody_reads_or_ends_the_address_of_another(
    world: World, client_as: SignIn, client: FlaskClient
) -> None:
    address = _make(client_as(world.rep))
    organiser = client_as(world.organiser)
    assert "You have no calendar address." in organiser.get("/account/calendar").text
    organiser.post("/account/calendar/end")
    organiser.post("/account/sign-out-everywhere")
    assert client.get(address).status_code == 200


def test_the_address_is_not_in_the_log(
    world: World, client_as: SignIn, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        address = _make(client_as(world.rep))
        client.get(address)
    assert address.split("/")[2] not in caplog.text
    assert "/calendar/<token>/dates.ics" in caplog.text
