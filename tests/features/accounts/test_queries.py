"""What accounts read: how a role stands on a day, devices, places to choose."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest

from crm.access.scope import Grant, Scope
from crm.domain.errors import PermissionRefused
from crm.domain.roles import Role
from crm.domain.vocabulary import PlaceKind
from crm.features.accounts import queries
from crm.models.accounts import UserSession
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import NOW, TODAY

_PLACE = queries.PlaceLine(uuid.uuid4(), PlaceKind.WORKPLACE, "The Mill", "Brightway")


@pytest.mark.parametrize(
    ("since", "until", "state"),
    [
        (date(2026, 1, 1), None, "now"),
        (TODAY, None, "now"),
        (date(2026, 1, 1), TODAY + timedelta(days=1), "now"),
        (date(2026, 1, 1), TODAY, "ended"),
        (TODAY + timedelta(days=1), None, "later"),
        (TODAY + timedelta(days=1), TODAY + timedelta(days=1), "cancelled"),
    ],
)
def test_a_role_stands_as_its_days_say(since: date, until: date | None, state: str) -> None:
    assert queries.GrantLine(uuid.uuid4(), Role.REP, _PLACE, since, until).state(TODAY) == state


def test_devices_that_ended_ran_out_or_lay_idle_are_not_shown(world: factories.World) -> None:
    ago = NOW - timedelta(hours=1)
    for number, values in enumerate(
        (
            {},
            {"ended_at": ago},
            {"expires_at": NOW},
            {"last_seen_at": NOW - timedelta(hours=12, seconds=1)},
        )
    ):
        given = {"last_seen_at": ago, "expires_at": NOW + timedelta(days=1), **values}
        with unit_of_work() as session:
            session.add(
                UserSession(
                    token_hash=str(number) * 64, user_id=world.rep.id, created_at=ago, **given
                )
            )
    with unit_of_work(read_only=True) as session:
        found = queries.open_sessions(session, world.rep.id, now=NOW)
    assert [one.token_hash for one in found] == ["0" * 64]


def test_users_and_places_are_for_those_who_look_after_users(world: factories.World) -> None:
    scope = Scope(world.organiser.id, (Grant(Role.ORGANISER, 1, covers_everything=True),))
    with unit_of_work(scope, read_only=True) as session:
        with pytest.raises(PermissionRefused):
            queries.list_users(session, scope)
        with pytest.raises(PermissionRefused):
            queries.find_places(session, scope, search="")
        with pytest.raises(PermissionRefused):
            queries.get_user(session, scope, world.rep.public_id, now=NOW)


def test_places_say_what_they_are_part_of_and_long_lists_say_there_is_more(
    world: factories.World,
) -> None:
    with unit_of_work(factories.ALL) as session:
        for number in range(queries.PLACES_SHOWN + 1):
            factories.make_region(session, f"Region {number:02}")
    scope = factories.ALL
    with unit_of_work(scope, read_only=True) as session:
        found, more = queries.find_places(session, scope, search="region")
        assert (len(found), more) == (queries.PLACES_SHOWN, True)
        found, more = queries.find_places(session, scope, search="p")
        inside = {place.name: place.inside for place in found}
        assert inside["Packing"] == "The Mill"
        assert inside["The Depot"] == "Brightway"
        found, more = queries.find_places(session, scope, search="%")
        assert more  # A sign that folding takes out is no search at all.


def test_a_closed_place_is_not_offered(world: factories.World) -> None:
    with unit_of_work(factories.ALL) as session:
        region = factories.make_region(session, "Shut region")
        region.closed_on = TODAY
    with unit_of_work(factories.ALL, read_only=True) as session:
        found, _ = queries.find_places(session, factories.ALL, search="shut")
    assert found == []
