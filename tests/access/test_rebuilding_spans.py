"""Rebuilding spans: what comes out is what the facts say, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask import Flask

from crm import cli
from crm.access import spans
from crm.models.base import table_of
from crm.models.contacts import StateSpan
from crm.web.db import db, unit_of_work
from tests.factories import ALL, TODAY, World

Crm = Callable[..., Result]
_span = table_of(StateSpan)


def _stored() -> list[Any]:
    columns = [column for column in _span.columns if column.name != "id"]
    with db.engine.connect().execution_options(crm_scope=True, read_only=True) as connection:
        return sorted((tuple(row) for row in connection.execute(sa.select(*columns))), key=repr)


def _lose(contact_id: int) -> None:
    with db.engine.begin() as connection:
        connection.execute(sa.delete(_span).where(_span.c.contact_id == contact_id))


def _begin_too_early(contact_id: int) -> None:
    with db.engine.begin() as connection:
        connection.execute(
            sa.update(_span)
            .where(_span.c.contact_id == contact_id)
            .values(from_day=TODAY - timedelta(days=5000))
        )


@pytest.fixture
def crm(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Crm:
    @contextmanager
    def _same_app() -> Iterator[Flask]:
        yield app

    monkeypatch.setattr(cli, "_app", _same_app)
    return lambda *words: CliRunner().invoke(cli.main, ["spans", "rebuild", *words])


def test_what_is_right_is_left_as_it_is(world: World, crm: Crm) -> None:
    before = _stored()
    done = crm()
    assert done.exit_code == 0
    assert "Put right: 0 of" in done.output
    assert _stored() == before


def test_lost_and_wrong_spans_become_what_the_facts_say(world: World, crm: Crm) -> None:
    before = _stored()
    _lose(world.ioana.id)
    _begin_too_early(world.docker.id)
    assert _stored() != before
    looked = crm("--check")
    assert looked.exit_code == 1
    assert "Wrong: 2 of" in looked.output
    assert _stored() != before
    assert "Put right: 2 of" in crm().output
    assert _stored() == before
    assert crm("--check").exit_code == 0


def test_one_place_is_rebuilt_without_the_others(world: World, crm: Crm) -> None:
    _lose(world.ioana.id)
    _lose(world.docker.id)
    assert "Put right: 1 of" in crm("--place", str(world.dock.public_id)).output
    assert "Wrong: 1 of" in crm("--check").output


def test_a_place_that_is_none_is_said(world: World, crm: Crm) -> None:
    done = crm("--place", "00000000-0000-0000-0000-000000000000")
    assert done.exit_code == 1
    assert "There is no place with this id." in done.output


def test_a_rebuild_that_was_stopped_goes_on_after_the_last_number(
    world: World, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unit_of_work(ALL, read_only=True) as session:
        everybody = spans.next_people(session, after=0)
        first = spans.next_people(session, after=0, limit=2)
        rest = spans.next_people(session, after=first[-1])
    assert first + rest == everybody
    _lose(first[0])
    _lose(rest[-1])
    assert "Put right: 1 of" in crm("--after", str(first[-1])).output
    assert "Wrong: 1 of" in crm("--check").output
