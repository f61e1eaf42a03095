"""The small world stands on both databases."""

from __future__ import annotations

from crm.access.scope import Scope
from crm.models.contacts import Contact, StateSpan
from crm.web.db import unit_of_work
from tests.factories import ALL, World


def test_the_world_has_seven_people_with_spans(world: World) -> None:
    with unit_of_work(ALL, read_only=True) as session:
        assert len(session.scalars(ALL.select(Contact)).all()) == 7
        assert len({span.contact_id for span in session.scalars(ALL.select(StateSpan))}) == 7
    assert isinstance(ALL, Scope)
