"""No English is left when the language changes, and the page then runs from right to left."""

from __future__ import annotations

import re
import uuid
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.app import create_app
from crm.domain.errors import Refusal
from crm.models.conversations import FollowUp
from crm.models.talk_lists import TalkList, TalkListEntry
from crm.models.turf import Turf, TurfMove
from crm.web import migrating
from crm.web.db import unit_of_work
from crm.web.errors import sentence
from tests import factories
from tests.conftest import app_settings
from tools import messages

_REMINDER, _MOVE = uuid.uuid4(), uuid.uuid4()
_CAMPAIGN, _TEST = uuid.uuid4(), uuid.uuid4()
_LIST = uuid.UUID(int=77)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> tuple[Flask, factories.World]:
    """The app in the test language, with the small world."""
    folder = tmp_path_factory.mktemp("language")
    messages.write_test_language(folder / "translations")
    settings = app_settings(
        f"sqlite:///{folder / 'ar.db'}",
        folder,
        LANGUAGES=["ar"],
        TRANSLATIONS=str(folder / "translations"),
    )
    app = create_app(settings)
    with app.app_context():
        migrating.upgrade()
        world = factories.make_world()
        with unit_of_work(factories.ALL) as session:
            reminder = FollowUp(
                public_id=_REMINDER,
                contact_id=world.ioana.id,
                place_id=world.mill.id,
                owner_id=world.rep.id,
                due_on=factories.TODAY,
                first_due_on=factories.LONG_AGO,
                times_put_off=2,
                created_at=factories.NOW,
            )
            given = {"valid_from": factories.LONG_AGO, "recorded_at": factories.NOW}
            area = Turf(place_id=world.mill.id, user_id=world.rep.id, **given)
            move = TurfMove(public_id=_MOVE, owner_id=world.organiser.id, made_at=factories.NOW)
            made = TalkList(
                public_id=_LIST,
                owner_id=world.organiser.id,
                workplace_id=world.mill.id,
                made_at=factories.NOW,
            )
            campaign, demand, test, *_listed = factories.make_test(
                session, world.mill, world.ioana, world.tomasz
            )
            campaign.public_id, campaign.name, demand.words = _CAMPAIGN, "Yard", "Nights"
            test.public_id, test.name = _TEST, "Packing"
            session.add_all([reminder, area, move, made])
            session.flush()
            session.add(
                TalkListEntry(
                    follow_up_id=reminder.id,
                    talk_list_id=made.id,
                    contact_id=world.ioana.id,
                    place_id=world.mill.id,
                )
            )
        return app, world


def _client(app: Flask, user: factories.Named | None) -> FlaskClient:
    client = app.test_client()
    if user is not None:
        with app.app_context():
            token = factories.open_session(user.id)
        with client.session_transaction() as cookie:
            cookie["_user_id"] = token
    return client


class _Text(HTMLParser):
    """Gathers what a person reads on a page: text, and the attributes that are read aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []
        self._silent = 0
        self.html: dict[str, str | None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "html":
            self.html = found
        if tag in {"script", "style"}:
            self._silent += 1
        self.read += [
            found[name] or ""
            for name in ("aria-label", "alt", "placeholder", "title")
            if name in found
        ]

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.read.append(data.strip())


# What is data and not words of the screen: names of people and places, and the name of the app.
_DATA = re.compile(
    r"Shopfloor|Warehouse Workers.? Union|Dockers.? Union|Barnsley branch|Hull branch|Yorkshire|"
    r"Brightway|Saltway Docks|The Mill|The Depot|The Dock|Packing|Yard|Nights|Ioana Popescu|"
    r"Ioana P|Tomasz K|Rukhsana A|Gareth O|Night packer 3|Marta S|Bilal H|Owen Rep|Ana Organiser|"
    r"Kasia Officer|Ade Admin|Lukasz Dock|Fatima All|^[A-Z][a-z]+/[A-Za-z/ -]+$|"
    r"[A-Za-z]+/[A-Za-z_]+|XLSX|CSV|GB|UTC|"
    r"Test group|[a-z]+ [a-z]+-[0-9a-f]{6}|^(?:[a-z]+ ){5}[a-z]+$|"
    r"AGPL-3.0-or-later|\b[0-9a-f]{16}\b|\b[0-9A-F]{4,8}\b|\bSIC\b|[a-z]+-[0-9a-f]{6}|[A-Z]{2}\d|H\b"
)
_ENGLISH = re.compile(r"[A-Za-z]{3,}")


def _pages(world: factories.World) -> list[tuple[str, str]]:
    return [
        ("", "/sign-in"),
        ("", "/about"),
        ("", "/hide"),
        ("rep", "/"),
        ("rep", f"/follow-ups/{_REMINDER}/later"),
        ("rep", f"/follow-ups/{_REMINDER}/give"),
        ("rep", "/mine"),
        ("rep", "/mine/change"),
        ("organiser", "/turf"),
        ("organiser", f"/turf/places/{world.mill.public_id}"),
        ("organiser", f"/turf/places/{world.mill.public_id}?of=all"),
        ("organiser", f"/turf/reps/{world.rep.public_id}"),
        ("organiser", f"/turf/moves/{_MOVE}"),
        ("rep", f"/people/{world.ioana.public_id}/ties/new"),
        ("rep", f"/people/{world.ioana.public_id}/leader"),
        ("rep", f"/places/{world.mill.public_id}/leaders"),
        ("rep", f"/places/{world.mill.public_id}/groups"),
        ("rep", "/log"),
        ("rep", f"/log/{world.ioana.public_id}"),
        ("rep", "/people"),
        ("rep", "/people?leader=y&stand=1&stand=old"),
        ("rep", "/lists"),
        ("rep", "/lists/filter"),
        ("organiser", "/lists/act?quiet=60"),
        ("officer", "/lists/out?quiet=60"),
        ("rep", "/lists/new?quiet=60&issue=pay&reminder=none&no_task=y"),
        ("rep", "/people/new"),
        ("rep", f"/people/{world.ioana.public_id}"),
        ("rep", f"/people/{world.ioana.public_id}/jobs/new"),
        ("rep", f"/people/{world.ioana.public_id}/unions/new"),
        ("rep", f"/people/{world.ioana.public_id}/basis/new"),
        ("rep", f"/people/{world.ioana.public_id}/phone/new"),
        ("rep", f"/people/{world.ioana.public_id}/details"),
        ("organiser", "/places"),
        ("organiser", f"/places/{world.mill.public_id}"),
        ("organiser", f"/places/{world.mill.public_id}/wall"),
        ("organiser", f"/places/{world.mill.public_id}/wall?as_at=2026-02-01&stands=12"),
        ("organiser", f"/places/{world.mill.public_id}/wall?view=table&by=shift"),
        ("organiser", f"/places/{world.mill.public_id}/wall?view=meeting"),
        ("organiser", f"/places/{world.mill.public_id}/wall?view=print"),
        ("organiser", f"/places/{world.mill.public_id}/talk-list"),
        ("organiser", f"/talk-lists/{_LIST}"),
        ("organiser", f"/places/{world.mill.public_id}/issues"),
        ("organiser", "/cases"),
        ("rep", "/sheets"),
        ("rep", f"/sheets?place={world.mill.public_id}"),
        ("rep", f"/sheets/new?place={world.mill.public_id}&by=leader"),
        ("rep", f"/sheets/new?place={world.mill.public_id}"),
        ("rep", f"/places/{world.mill.public_id}/sign-up"),
        ("rep", "/log/sheet"),
        ("organiser", "/cases/new"),
        ("organiser", f"/cases/new?place={world.mill.public_id}"),
        ("organiser", "/fields"),
        ("organiser", "/fields/new"),
        ("organiser", "/fields/tags/new"),
        ("rep", f"/people/{world.ioana.public_id}/fields"),
        ("organiser", "/ballots"),
        ("organiser", "/ballots/new"),
        ("organiser", "/campaigns"),
        ("organiser", "/campaigns/new"),
        ("organiser", f"/campaigns/{_CAMPAIGN}"),
        ("organiser", f"/campaigns/{_CAMPAIGN}/places"),
        ("organiser", f"/campaigns/{_CAMPAIGN}/tests/new"),
        ("organiser", f"/tests/{_TEST}"),
        ("organiser", f"/tests/{_TEST}/mine"),
        ("organiser", f"/tests/{_TEST}/people"),
        ("organiser", f"/tests/{_TEST}/sheet"),
        ("organiser", f"/tests/{_TEST}/print"),
        ("officer", "/dash"),
        ("officer", "/dash/print"),
        ("officer", "/dash/changes"),
        ("officer", "/dash/more"),
        ("officer", "/dash/more/print"),
        ("officer", "/dash/changes/print"),
        ("officer", "/ready"),
        ("officer", f"/ready/{world.branch.public_id}"),
        ("officer", f"/ready/{world.mill.public_id}/people"),
        ("officer", f"/ready/{world.mill.public_id}/found"),
        ("officer", f"/ready/{world.mill.public_id}/terms"),
        ("organiser", "/account"),
        ("organiser", "/account/calendar"),
        ("admin", "/admin/users"),
        ("admin", "/admin/users/new"),
        ("admin", f"/admin/users/{world.rep.public_id}"),
        ("admin", "/admin/registers"),
        ("rep", "/nowhere"),
        ("rep", "/admin/users"),
    ]


def test_no_english_is_left_on_any_page(foreign: tuple[Flask, factories.World]) -> None:
    app, world = foreign
    left: dict[str, set[str]] = {}
    for who, path in _pages(world):
        client = _client(app, getattr(world, who) if who else None)
        page = _Text()
        page.feed(client.get(path).text)
        assert (page.html.get("lang"), page.html.get("dir")) == ("ar", "rtl"), path
        english = {text for text in page.read if _ENGLISH.search(_DATA.sub("", text))}
        if english:
            left[path] = english
    assert left == {}


def test_errors_beside_the_fields_are_translated_too(
    foreign: tuple[Flask, factories.World],
) -> None:
    app, world = foreign
    for who, path, data in [
        ("rep", "/people/new", {"known_as": "", "placeholder_label": ""}),
        ("rep", f"/log/{world.ioana.public_id}", {"rating": "9", "day": "x"}),
        ("rep", f"/people/{world.ioana.public_id}/jobs/new", {"valid_from": "x"}),
        ("organiser", f"/places/{world.mill.public_id}/headcounts/new", {"low": "9", "high": "8"}),
        ("organiser", f"/places/{world.mill.public_id}/shifts/new", {"name": ""}),
        ("", "/sign-in", {"sign_in_name": "x", "passphrase": "y"}),
    ]:
        client = _client(app, getattr(world, who) if who else None)
        reply = client.post(path, data=data)
        page = _Text()
        page.feed(reply.text)
        english = {text for text in page.read if _ENGLISH.search(_DATA.sub("", text))}
        assert english == set(), path


def test_a_refusal_is_translated_before_its_names_are_put_in(
    foreign: tuple[Flask, factories.World],
) -> None:
    app, _world = foreign
    with app.test_request_context():
        known = Refusal("The end date is before the start date. Check both dates.")
        assert not _ENGLISH.search(sentence(known))


def test_a_text_without_gettext_is_caught() -> None:
    page = _Text()
    page.feed('<html lang="ar" dir="rtl"><p>Left behind</p><img alt="Also this"></html>')
    assert [text for text in page.read if _ENGLISH.search(_DATA.sub("", text))] == [
        "Left behind",
        "Also this",
    ]


def test_the_disguise_keeps_places_for_names_and_numbers() -> None:
    shown = messages.disguise("Saved: %(name)s, 50%% of <b>%(n)s</b>")
    assert "%(name)s" in shown
    assert "%%" in shown
    assert "<b>" in shown
    assert not re.search(r"\bof\b|Saved", shown)


def test_the_file_for_translators_is_up_to_date() -> None:
    assert Path(messages.ROOT) / "crm" / "translations" / "messages.pot" == messages.POT
    assert messages.POT.read_bytes() == messages._rendered()
