"""The lines of the search stay in step with names, phones, jobs and areas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask import Flask

from crm import cli
from crm.access import facts, search_index
from crm.access.scope import MARK, UnscopedQueryError
from crm.models.contacts import Contact, ContactPoint, Job
from crm.models.places import Area, Workplace
from crm.models.search import SearchCut, SearchEntry
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL, NOW, Named, World


def _lines(person: Named | int) -> list[str]:
    contact_id = person if isinstance(person, int) else person.id
    with unit_of_work(ALL, read_only=True) as session:
        found = session.scalars(
            ALL.select(SearchEntry.words)
            .where(SearchEntry.contact_id == contact_id)
            .order_by(SearchEntry.job_id)
        )
        return list(found)


def _words() -> set[str]:
    with unit_of_work(ALL, read_only=True) as session:
        return set(session.scalars(ALL.select(SearchCut.word)))


def _one(session: Any, model: Any, row_id: int) -> Any:
    return session.scalars(ALL.select(model).where(model.id == row_id)).one()


def _in_step() -> None:
    """Fail unless a rebuild would change nothing and the index of trigrams equals the lines."""
    with unit_of_work(ALL) as session:
        people = list(session.scalars(ALL.select(Contact.id).order_by(Contact.id)))
        assert search_index.refresh_many(session, people) == 0
        if session.get_bind().dialect.name == "sqlite":
            session.connection().exec_driver_sql(
                "INSERT INTO search_entry_fts(search_entry_fts, rank) VALUES('integrity-check', 1)"
            )


def test_somebody_new_is_in_it_with_names_work_and_phone(world: World) -> None:
    with unit_of_work(ALL) as session:
        mill = _one(session, Workplace, world.mill.id)
        yard = _one(session, Area, world.yard.id)
        person = factories.make_person(
            session,
            mill,
            "Zosia Ł",
            area=yard,
            job_title="Forklift driver",
            full_name="Zofia Łęcka",
        )
        session.add(
            ContactPoint(
                contact_id=person.id,
                kind="phone",
                value="07700 900123",
                value_key="447700900123",
                recorded_at=NOW,
            )
        )

    assert _lines(person.id) == [
        " zosia l zofia lecka | forklift driver yard | 447700900123 ",
    ]
    assert {"zosia", "lecka", "forklift"} <= _words()
    _in_step()


def test_a_name_a_phone_a_job_and_an_area_that_change_change_the_line(world: World) -> None:
    with unit_of_work(ALL) as session:
        tomasz = _one(session, Contact, world.tomasz.id)
        tomasz.known_as, tomasz.full_name = "Tomek", "Tomasz Kowalski"
        point = ContactPoint(
            contact_id=tomasz.id,
            kind="phone",
            value="07700 900123",
            value_key="447700900123",
            recorded_at=NOW,
        )
        session.add(point)
        _one(session, Area, world.yard.id).name = "Loading bay"
        job = session.scalars(ALL.select(Job).where(Job.contact_id == tomasz.id)).one()
        session.flush()
        facts.revise(session, job, now=NOW, actor_id=None, job_title="Shunter")
    assert _lines(world.tomasz) == [" tomek tomasz kowalski | shunter loading bay | 447700900123 "]

    with unit_of_work(ALL) as session:
        facts.withdraw(_one(session, ContactPoint, point.id), now=NOW)
    assert _lines(world.tomasz) == [" tomek tomasz kowalski | shunter loading bay | "]
    assert "yard" not in _words()
    _in_step()


def test_each_job_has_a_line_of_its_own_and_none_when_it_is_taken_back(world: World) -> None:
    with unit_of_work(ALL) as session:
        ioana = _one(session, Contact, world.ioana.id)
        dock = _one(session, Workplace, world.dock.id)
        factories.make_job(session, ioana, dock, job_title="Crane driver")
    assert _lines(world.ioana) == [
        " ioana p popescu | packing | ",
        " ioana p popescu | crane driver | ",
    ]

    with unit_of_work(ALL) as session:
        first = ALL.select(Job).where(Job.contact_id == world.ioana.id).order_by(Job.id)
        facts.withdraw(session.scalars(first).first(), now=NOW)
    assert _lines(world.ioana) == [" ioana p popescu | crane driver | "]
    _in_step()


def test_somebody_who_is_deleted_leaves_no_line_and_no_word(world: World) -> None:
    with unit_of_work(ALL) as session:
        person = factories.make_person(
            session, _one(session, Workplace, world.mill.id), "Xanthippe Q"
        )
    assert "xanthippe" in _words()

    with unit_of_work(ALL) as session:
        for model in (Job, Contact):
            key = Job.contact_id if model is Job else Contact.id
            for row in session.scalars(ALL.select(model).where(key == person.id)):
                session.delete(row)
            # Their spans are derived too; taken out as an erasure does.
            session.connection().execute(
                sa.text("DELETE FROM state_span WHERE contact_id = :one"), {"one": person.id}
            )
            session.flush()

    assert _lines(person.id) == []
    assert "xanthippe" not in _words()
    _in_step()


def test_what_is_rolled_back_was_never_in_it(world: World) -> None:
    with unit_of_work(ALL) as session:
        _one(session, Contact, world.tomasz.id).known_as = "Zebedee"
        session.flush()
        session.rollback()

    assert _lines(world.tomasz) == [" tomasz k | yard | "]
    assert "zebedee" not in _words()
    _in_step()


def test_a_talk_costs_the_search_nothing(world: World, count_statements: list[str]) -> None:
    with unit_of_work(ALL) as session:
        ioana = _one(session, Contact, world.ioana.id)
        ioana.do_not_contact = True
        count_statements.clear()
        session.flush()

    assert not [one for one in count_statements if "search_" in one]


def test_emptied_tables_are_noticed_and_filled_again(world: World) -> None:
    before = _lines(world.ioana)
    with unit_of_work(ALL) as session:
        assert not search_index.is_missing(session)
        for table in ("search_entry", "search_cut"):
            session.connection().execute(sa.text(f"DELETE FROM {table}"))
    with unit_of_work(ALL) as session:
        assert search_index.is_missing(session)
        people = list(session.scalars(ALL.select(Contact.id).order_by(Contact.id)))
        search_index.refresh_many(session, people[:2])
        assert search_index.is_missing(session)
        search_index.refresh_many(session, people)
        assert not search_index.is_missing(session)

    assert _lines(world.ioana) == before
    _in_step()


def test_words_that_nobody_bears_any_more_are_swept(world: World) -> None:
    with unit_of_work(ALL) as session:
        session.connection().execute(
            sa.text("INSERT INTO search_cut (cut, word) VALUES (:cut, 'nobody')"),
            {"cut": search_index.own_cut("nobody")},
        )
    with unit_of_work(ALL) as session:
        assert search_index.sweep_words(session) == 1
        assert search_index.sweep_words(session) == 0


def test_an_empty_database_has_nothing_missing(app: Flask) -> None:
    with unit_of_work(ALL, read_only=True) as session:
        assert not search_index.is_missing(session)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT words FROM search_entry",
        "SELECT word FROM search_cut",
        "SELECT rowid FROM search_entry_fts WHERE search_entry_fts MATCH 'ana'",
    ],
)
def test_words_are_not_read_without_a_scope(app: Flask, statement: str) -> None:
    with (
        db.engine.connect().execution_options(read_only=True) as connection,
        pytest.raises(UnscopedQueryError),
    ):
        connection.exec_driver_sql(statement)


def test_a_line_says_from_when_to_when_the_job_lasted(world: World) -> None:
    with db.engine.connect().execution_options(read_only=True, **{MARK: True}) as connection:
        found = connection.execute(
            sa.select(SearchEntry.valid_from, SearchEntry.valid_to).where(
                SearchEntry.contact_id == world.leaver.id
            )
        ).one()

    assert tuple(found) == (date(2020, 1, 1), date(2026, 3, 1))


@pytest.fixture
def crm(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    @contextmanager
    def _same_app() -> Iterator[Flask]:
        yield app

    monkeypatch.setattr(cli, "_app", _same_app)
    return lambda *words: CliRunner().invoke(cli.main, words)


def _rename_past_the_session(person: Named) -> None:
    with db.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE contact SET known_as = 'Quentin' WHERE id = :one"), {"one": person.id}
        )


def test_a_rebuild_puts_right_what_was_loaded_past_the_program(
    world: World, crm: Callable[..., Result]
) -> None:
    _rename_past_the_session(world.tomasz)

    assert "Put right: 0 lines" in crm("search", "rebuild", "--after", str(world.docker.id)).output
    done = crm("search", "rebuild")
    assert done.exit_code == 0
    assert "Put right: 1 lines. Looked at 7 people." in done.output
    assert "Tomasz" not in done.output
    assert _lines(world.tomasz) == [" quentin | yard | "]
    assert "tomasz" not in _words()
    _in_step()


def test_an_update_fills_the_search_of_people_who_were_there_before(
    world: World, crm: Callable[..., Result]
) -> None:
    before = _lines(world.ioana)
    with db.engine.begin() as connection:
        for table in ("search_entry", "search_cut"):
            connection.execute(sa.text(f"DELETE FROM {table}"))

    assert "Reading everybody's names" in crm("migrate").output
    assert _lines(world.ioana) == before
    assert "Reading everybody's names" not in crm("migrate").output
    _in_step()
