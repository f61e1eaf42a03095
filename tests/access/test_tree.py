"""The place tree: what a link, an end of one, and a loop do to the closure that scopes use."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from crm.access import tree
from crm.domain.errors import LoopInTree
from crm.models.places import PlaceClosure, Workplace
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL

# Half an hour after midnight in a British summer: in UTC it is still the day before.
JUST_AFTER_MIDNIGHT = datetime(2026, 6, 14, 23, 30, tzinfo=UTC)
TODAY_IN_LONDON = date(2026, 6, 15)


def _is_inside(session: Session, place: int, ancestor: int) -> bool:
    found = session.execute(
        sa.select(PlaceClosure.ancestor_id).where(
            PlaceClosure.descendant_id == place, PlaceClosure.ancestor_id == ancestor
        )
    )
    return found.first() is not None


def _branch_and_mill(session: Session) -> tuple[int, int]:
    branch = factories.make_branch(session, factories.make_union(session))
    mill = factories.make_workplace(session, factories.make_employer(session))
    return branch.id, mill.id


def _link(session: Session, child: int, parent: int, since: date) -> None:
    tree.link(
        session,
        child_id=child,
        parent_id=parent,
        since=since,
        now=JUST_AFTER_MIDNIGHT,
        actor_id=None,
    )


def test_a_link_from_today_holds_at_once_where_the_day_began_before_utc(app: Flask) -> None:
    with unit_of_work(ALL) as session:
        branch, mill = _branch_and_mill(session)
        _link(session, mill, branch, TODAY_IN_LONDON)
        assert _is_inside(session, mill, branch)


def test_a_link_that_ends_today_is_gone_at_once_where_the_day_began_before_utc(app: Flask) -> None:
    with unit_of_work(ALL) as session:
        branch, mill = _branch_and_mill(session)
        _link(session, mill, branch, TODAY_IN_LONDON - timedelta(days=30))
        tree.end_links(
            session,
            child_id=mill,
            parent_ids=[branch],
            until=TODAY_IN_LONDON,
            now=JUST_AFTER_MIDNIGHT,
            actor_id=None,
        )
        assert not _is_inside(session, mill, branch)


def test_what_lies_inside_a_place_moves_with_it(app: Flask) -> None:
    with unit_of_work(ALL) as session:
        branch, mill = _branch_and_mill(session)
        area = factories.make_area(
            session, session.scalars(ALL.select(Workplace).where(Workplace.id == mill)).one()
        )
        assert not _is_inside(session, area.id, branch)
        _link(session, mill, branch, TODAY_IN_LONDON)
        assert _is_inside(session, area.id, branch)


def test_a_place_cannot_be_inside_itself_or_inside_what_it_contains(app: Flask) -> None:
    with unit_of_work(ALL) as session:
        mill = factories.make_workplace(session, factories.make_employer(session))
        area = factories.make_area(session, mill)
        for parent in (mill.id, area.id):
            with pytest.raises(LoopInTree) as refused:
                _link(session, mill.id, parent, TODAY_IN_LONDON)
            assert str(refused.value) == (
                "A place cannot be inside itself. Choose a different parent."
            )


def test_a_rebuild_gives_the_closure_that_the_changes_gave(app: Flask) -> None:
    with unit_of_work(ALL) as session:
        branch, mill = _branch_and_mill(session)
        _link(session, mill, branch, TODAY_IN_LONDON)
        pairs = sa.select(PlaceClosure.ancestor_id, PlaceClosure.descendant_id)
        before = set(session.execute(pairs).all())
        assert tree.rebuild_closure(session, today=TODAY_IN_LONDON) == len(before)
        assert set(session.execute(pairs).all()) == before
