"""Search finds people by a tag, for those who may see the tag."""

from __future__ import annotations

from typing import Any

import pytest

from crm.access.scope import Grant, Scope
from crm.domain.contact_filter import ContactFilter, Stand
from crm.domain.roles import Role
from crm.models.lists import ContactTag
from crm.reads.people import list_people
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World


@pytest.fixture
def tagged(world: World) -> None:
    """Three at the Mill want days; Hull branch's tag is on Rukhsana and on Bilal."""
    with unit_of_work(ALL) as session:
        branch: Any = world.branch
        hull: Any = world.other_branch
        days = factories.make_tag(session, branch, "Wants Señor days")
        crane = factories.make_tag(session, hull, "Crane licence")
        by = {"set_at": NOW, "set_by_id": None}
        session.add_all(
            ContactTag(tag_id=tag.id, contact_id=one.id, **by)
            for tag, people in (
                (days, (world.tomasz, world.ioana, world.leaver)),
                (crane, (world.rukhsana, world.docker)),
            )
            for one in people
        )


def _found(user: Named, place: Named, text: str, **more: Any) -> list[str]:
    scope = Scope(actor_id=user.id, grants=(Grant(Role.REP, place.id),))
    with unit_of_work(scope, read_only=True) as session:
        page = list_people(session, scope, as_at=TODAY, chosen=ContactFilter(text=text, **more))
        assert page.total == len(page.rows)
        return [row.name for row in page.rows]


@pytest.mark.parametrize("text", ["wants", "wants senor", "SEÑOR d", "days"])
def test_people_are_found_by_the_words_of_a_tag(world: World, tagged: None, text: str) -> None:
    assert _found(world.rep, world.mill, text) == ["Ioana P", "Tomasz K"]


@pytest.mark.parametrize("text", ["ants", "w", "%", "crane", "Crane licence", "days wants"])
def test_parts_of_words_and_tags_of_others_find_nobody(
    world: World, tagged: None, text: str
) -> None:
    assert _found(world.rep, world.mill, text) == []


def test_a_tag_is_found_where_it_is_in_use_and_only_of_ones_own_people(
    world: World, tagged: None
) -> None:
    assert _found(world.dock_rep, world.dock, "crane") == ["Bilal H"]
    assert _found(world.dock_rep, world.dock, "wants") == []


def test_names_come_before_tags_and_nobody_twice(world: World, tagged: None) -> None:
    with unit_of_work(ALL) as session:
        mill: Any = world.mill
        factories.make_person(session, mill, "Wanty Days")
        also = factories.make_person(session, mill, "Days A")
        tag = session.scalars(ALL.select(ContactTag)).first()
        assert tag is not None
        session.add(ContactTag(tag_id=tag.tag_id, contact_id=also.id, set_at=NOW))
    found = _found(world.rep, world.mill, "days")
    assert sorted(found[:2]) == ["Days A", "Wanty Days"]
    assert found[2:] == ["Ioana P", "Tomasz K"]


def test_the_rest_of_the_filter_holds_for_tags_too(world: World, tagged: None) -> None:
    two = frozenset({Stand.TWO})
    assert _found(world.rep, world.mill, "wants", stands=two) == ["Ioana P"]
