"""Two of us who see the same person differently, and standings that are too old to count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.domain.assessment import DEFAULT_EXPIRY, Assessment, Basis, disagreement
from crm.domain.ids import UserId
from crm.models.accounts import UserAccount
from crm.models.contacts import Contact
from crm.models.places import Place
from crm.reads.standing import seen_differently
from crm.web.db import unit_of_work
from crm.web.guard import scope_of
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]

_VIEWS = st.lists(
    st.tuples(
        st.sampled_from(["rep", "organiser", "officer", None]),
        st.integers(1, 5),
        st.integers(0, 140),
        st.sampled_from([None, None, "join"]),
    ),
    max_size=7,
)


def _judge(
    person: Named,
    place: Named,
    rating: int,
    by: Named | None,
    *,
    days_ago: int = 0,
    ask: str | None = None,
) -> None:
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == person.id)).one()
        where = session.scalars(ALL.select(Place).where(Place.id == place.id)).one()
        user = session.query(UserAccount).filter_by(id=by.id).one() if by is not None else None
        factories.make_assessment(
            session,
            contact,
            where,
            rating,
            day=TODAY - timedelta(days=days_ago),
            assessor=user,
            ask=ask,
        )


def _apart(who: Named, *people: Named, as_at: date = TODAY) -> set[int]:
    with unit_of_work(ALL) as session:
        scope = scope_of(session, who.id, TODAY)
    with unit_of_work(scope, read_only=True) as session:
        ids = [one.id for one in people]
        return set(seen_differently(session, scope, ids, as_at=as_at, expiry=DEFAULT_EXPIRY))


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(views=_VIEWS)
def test_the_database_finds_just_those_whom_the_rule_finds(world: World, views: Any) -> None:
    with unit_of_work(ALL) as session:
        site = session.scalars(ALL.select(Place).where(Place.id == world.mill.id)).one()
        new = factories.make_person(session, site, "Somebody new")
        person = Named(new.id, new.public_id, "Somebody new")
    rated = []
    for who, rating, days_ago, ask in views:
        by = getattr(world, who) if who else None
        _judge(person, world.mill, rating, by, days_ago=days_ago, ask=ask)
        if ask is None:
            rated.append(
                Assessment(
                    day=TODAY - timedelta(days=days_ago),
                    recorded_at=NOW,
                    rating=rating,
                    basis=Basis.SAID,
                    assessor_id=UserId(by.id) if by else None,
                )
            )
    expected = disagreement(rated, TODAY)
    assert (person.id in _apart(world.organiser, person)) is (expected is not None)


def test_what_is_said_at_places_of_others_tells_nothing(world: World) -> None:
    _judge(world.ioana, world.dock, 5, world.dock_rep)
    assert _apart(world.organiser, world.ioana) == set()
    assert _apart(world.boss_of_all, world.ioana) == {world.ioana.id}


def test_the_wall_marks_and_counts_whom_two_of_us_see_differently(
    world: World, client_as: SignIn
) -> None:
    _judge(world.ioana, world.packing, 4, world.organiser)
    rep = client_as(world.rep)
    wall = f"/places/{world.mill.public_id}/wall"
    page = rep.get(wall).text
    assert "Against, two of us see it differently, " in page
    assert 'class="a y z s4"' in page or ' z s4"' in page
    assert "Two of us see them differently" in page
    rows = rep.get(f"{wall}?view=table&gap=apart").text
    assert "1 person, as at" in rows
    assert world.ioana.name in rows
    assert world.tomasz.name not in rows
    assert "≠ two of us see it differently" in rows
    listed = rep.get(f"/places/{world.mill.public_id}/talk-list?gap=apart").text
    assert "People whom two of us see differently" in listed
    # Both stand side by side on the page of the person.
    person = rep.get(f"/people/{world.ioana.public_id}").text
    assert "Two of us see this differently. Talk it over." in person
    assert world.organiser.name in person


def test_a_standing_too_old_to_count_says_so_wherever_it_is_shown(
    world: World, client_as: SignIn
) -> None:
    _judge(world.rukhsana, world.mill, 1, world.rep, days_ago=121)
    rep = client_as(world.rep)
    for address in (
        "/?show=all",
        "/log",
        "/people?q=Rukhsana",
        f"/people/{world.rukhsana.public_id}",
        f"/places/{world.mill.public_id}",
        f"/places/{world.mill.public_id}/wall",
        f"/places/{world.mill.public_id}/wall?view=table",
    ):
        page = rep.get(address).text
        assert "wc-tile--old" in page, address
        assert "too old to count" in page, address
    words = rep.get(f"/places/{world.mill.public_id}/wall").text
    assert "Leads, too old to count, " in words
    day_before = (TODAY - timedelta(days=1)).isoformat()
    before = rep.get(f"/places/{world.mill.public_id}/wall?as_at={day_before}").text
    assert "Leads, too old to count, " not in before
