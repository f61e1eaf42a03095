"""Two who write about the same person or place at the same moment, where the database lets them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from crm.access import spans, tree
from crm.access.scope import MARK, Scope
from crm.features.duplicates import service
from crm.models.conversations import Conversation
from crm.models.merging import DifferentPeople, MergedPerson
from crm.models.places import PlaceClosure
from crm.web import clock
from crm.web.db import db, unit_of_work
from crm.web.guard import scope_of
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

SignIn = Callable[[Named], FlaskClient]

# SQLite lets one writer in at a time, so there is nothing to see of this on it.
pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)

# Long enough for somebody who need not wait to be done; who waits is let go at its end.
_LOOK = 0.5


class _Other:
    """An act of somebody else, begun in a thread while our own unit of work is still open."""

    def __init__(self, app: Flask, act: Callable[[], Any]) -> None:
        self._app, self._act, self._said = app, act, []  # type: tuple[Flask, Any, list[Any]]
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with self._app.app_context():
            try:
                self._said.append(self._act())
            except Exception as error:  # noqa: BLE001 - the test must see it
                self._said.append(error)
            finally:
                db.session.remove()

    def begin(self) -> None:
        """Begin, and give it the time that it needs if it need not wait for us."""
        self._thread.start()
        self._thread.join(_LOOK)

    def end(self) -> Any:
        """Return what came of it."""
        self._thread.join(20)
        return self._said[0]


def _nothing() -> None:
    """Happens between the writing and its end, unless a test says otherwise."""


def _rate(world: World, rating: int, between: Callable[[], None] = _nothing) -> None:
    person: Any = world.ioana
    with unit_of_work(ALL) as session:
        factories.make_assessment(session, person, world.mill, rating, day=TODAY)
        between()


def test_two_talks_about_somebody_at_once_leave_them_counted_once(app: Flask, world: World) -> None:
    other = _Other(app, lambda: _rate(world, 4))
    _rate(world, 2, between=other.begin)
    assert other.end() is None
    with unit_of_work(ALL, read_only=True) as session:
        assert spans.rebuild(session, [world.ioana.id], store=False) == 0


def test_the_tree_is_worked_out_from_both_of_two_changes_at_once(app: Flask, world: World) -> None:
    with unit_of_work(ALL) as session:
        north, south = factories.make_region(session, "North"), factories.make_region(session, "S")
        ids = north.id, south.id

    def _hang(child: int, parent: int, between: Callable[[], None] = _nothing) -> None:
        with unit_of_work(ALL) as session:
            tree.link(
                session,
                child_id=child,
                parent_id=parent,
                since=date(2026, 1, 1),
                now=NOW,
                actor_id=None,
            )
            between()

    other = _Other(app, lambda: _hang(world.brightway.id, ids[1]))
    _hang(world.mill.id, ids[0], between=other.begin)
    assert other.end() is None
    assert _closure() == _worked_out_anew()


def _closure() -> set[tuple[int, int]]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.execute(
            sa.select(PlaceClosure.ancestor_id, PlaceClosure.descendant_id).execution_options(
                **{MARK: True}
            )
        )
        return {(int(above), int(below)) for above, below in rows}


def _worked_out_anew() -> set[tuple[int, int]]:
    with unit_of_work(ALL) as session:
        tree.rebuild_closure(session, today=TODAY)
    return _closure()


def _scope(user: Named) -> Scope:
    with unit_of_work(read_only=True) as session:
        return scope_of(session, user.id, clock.now().date())


def _twin(world: World) -> Named:
    mill: Any = world.mill
    with unit_of_work(ALL) as session:
        twin = factories.make_person(session, mill, "Joana Popescu")
        return Named(id=twin.id, public_id=twin.public_id, name="Joana Popescu")


def _merge(world: World, twin: Named, between: Callable[[], None] = _nothing) -> None:
    scope = _scope(world.organiser)
    with unit_of_work(scope) as session:
        service.merge_people(
            session,
            scope,
            world.ioana.public_id,
            twin.public_id,
            service.Choice(frozenset(), None),
            versions={world.ioana.public_id: 1, twin.public_id: 1},
            now=NOW,
        )
        session.flush()
        between()


def test_a_talk_saved_while_two_records_become_one_is_sent_on_and_not_lost(
    app: Flask, client_as: SignIn, world: World
) -> None:
    twin, client = _twin(world), client_as(world.rep)
    data = {"id": str(uuid.uuid4()), "basis": "said", "rating": "3"}
    # A first page takes longer than later ones: the talk must come while the two become one.
    assert client.get(f"/log/{twin.public_id}").status_code == 200
    other = _Other(app, lambda: client.post(f"/log/{twin.public_id}", data=data))
    _merge(world, twin, between=other.begin)
    answer = other.end()
    assert (answer.status_code, answer.location) == (307, f"/log/{world.ioana.public_id}")
    with unit_of_work(ALL, read_only=True) as session:
        stored = ALL.select(Conversation.id).where(Conversation.public_id == uuid.UUID(data["id"]))
        assert session.scalars(stored).all() == []


def test_of_two_who_part_the_same_records_at_once_one_does_it(
    app: Flask, client_as: SignIn, world: World
) -> None:
    twin, client = _twin(world), client_as(world.organiser)
    _merge(world, twin)
    scope = _scope(world.organiser)
    with unit_of_work(ALL, read_only=True) as session:
        merge_id = session.scalars(ALL.select(MergedPerson.public_id)).one()
    other = _Other(app, lambda: client.post(f"/duplicates/undo/{merge_id}"))
    with unit_of_work(scope) as session:
        service.part_people(session, scope, merge_id, now=NOW)
        session.flush()
        other.begin()
    assert other.end().status_code == 404


def test_of_two_who_say_at_once_that_two_are_different_nobody_is_told_of_a_defect(
    app: Flask, client_as: SignIn, world: World
) -> None:
    twin, client = _twin(world), client_as(world.organiser)
    scope = _scope(world.organiser)
    address = f"/duplicates/{world.ioana.public_id}/{twin.public_id}/different"
    other = _Other(app, lambda: client.post(address))
    with unit_of_work(scope) as session:
        service.say_different(session, scope, twin.public_id, world.ioana.public_id, now=NOW)
        session.flush()
        other.begin()
    assert other.end().status_code == 303
    with unit_of_work(ALL, read_only=True) as session:
        assert session.scalars(ALL.select(sa.func.count(DifferentPeople.id))).one() == 1


def test_of_two_who_save_one_thing_at_once_the_second_is_asked_to_try_again(
    app: Flask, client_as: SignIn, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_as(world.organiser)
    data = {"place": str(world.branch.public_id), "subject": "contact", "name": "Speaks Twi"}
    assert client.get("/fields/tags/new").status_code == 200
    other = _Other(app, lambda: client.post("/fields/tags/new", data=data))
    with unit_of_work(ALL) as session:
        factories.make_tag(session, world.branch, "Speaks Twi")
        other.begin()
    answer = other.end()
    assert answer.status_code == 503
    assert "Wait a minute and try again." in answer.text
    assert "Twi" not in caplog.text
