"""Tables come from migrations alone, go up and down with rows in them, and match the models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade

from crm.app import create_app
from crm.models.base import UtcDateTime
from crm.models.cases import Case
from crm.web import migrating
from crm.web.db import db, unit_of_work
from tests import factories
from tests.conftest import app_settings


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_app(request: pytest.FixtureRequest, tmp_path: Path) -> Flask:
    """An app over a database without tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'new.db'}"
    else:
        url = request.getfixturevalue("fresh_pg_database")()
    return create_app(app_settings(url, tmp_path))


def _differences() -> list[object]:
    def _same(context: object, found: object, model: object, was: object, wanted: object) -> object:
        return not isinstance(was, sa.DateTime) if isinstance(wanted, UtcDateTime) else None

    with db.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"

        def _looked_at(item: object, name: str, kind: str, found: bool, other: object) -> bool:
            # Each database has its own index of trigrams: SQLite's is a table of its own.
            return not sqlite or not name.startswith(("search_entry_fts", "ix_search_entry_words"))

        opts = {"compare_type": _same, "include_object": _looked_at}
        context = MigrationContext.configure(connection, opts=opts)
        return list(compare_metadata(context, db.metadata))


def _count(table: str) -> int:
    with db.engine.connect().execution_options(crm_scope=True) as connection:
        found = connection.execute(sa.select(sa.func.count()).select_from(sa.table(table)))
        return int(found.scalar_one())


def test_the_models_equal_the_migrations(empty_app: Flask) -> None:
    with empty_app.app_context():
        assert migrating.upgrade()
        assert _differences() == []


def test_a_model_that_no_migration_knows_is_noticed(empty_app: Flask) -> None:
    with empty_app.app_context():
        migrating.upgrade()
        planted = sa.Table("planted", db.metadata, sa.Column("id", sa.Integer, primary_key=True))
        try:
            assert [change[0] for change in _differences()] == ["add_table"]  # type: ignore[index]
        finally:
            db.metadata.remove(planted)


def test_upgrading_twice_does_nothing_the_second_time(empty_app: Flask) -> None:
    with empty_app.app_context():
        assert migrating.upgrade()
        assert not migrating.upgrade()


def test_each_migration_goes_down_and_up_with_rows(empty_app: Flask) -> None:
    with empty_app.app_context():
        migrating.upgrade()
        factories.make_world()
        people = _count("contact")
        entries = _count("audit_entry")
        assert people == 7
        folder = empty_app.extensions["migrate"].directory
        revisions = list(ScriptDirectory(folder).walk_revisions())
        # All but the last three only add to the first tables: rows survive them going down.
        for revision in revisions[:-3]:
            downgrade(revision=str(revision.down_revision))
            assert _count("contact") == people
        upgrade()
        assert _count("contact") == people
        assert _count("audit_entry") == entries
        assert _differences() == []


def test_an_emptied_database_goes_down_to_nothing_and_up_again(empty_app: Flask) -> None:
    with empty_app.app_context():
        migrating.upgrade()
        downgrade(revision="base")
        names = set(sa.inspect(db.engine).get_table_names())
        assert names == {"alembic_version"}
        assert migrating.upgrade()
        assert _count("place") == 1


def test_there_is_one_head_and_one_line_of_revisions(empty_app: Flask) -> None:
    with empty_app.app_context():
        scripts = ScriptDirectory(empty_app.extensions["migrate"].directory)
        assert len(scripts.get_heads()) == 1
        for revision in scripts.walk_revisions():
            assert revision.doc
            assert revision.path.rsplit("/", 1)[-1].startswith(revision.revision.split("_")[0])


def test_cases_are_not_taken_away_while_their_trail_would_be_open_to_all(empty_app: Flask) -> None:
    with empty_app.app_context():
        migrating.upgrade()
        world = factories.make_world()
        case = {"kind": "individual", "matter": "pay", "opened_on": factories.TODAY}
        with unit_of_work(factories.ALL) as session:
            session.add(
                Case(reference="14", place_id=world.mill.id, created_at=factories.NOW, **case)
            )
        with pytest.raises(SystemExit):
            downgrade(revision="20261123_add_ties")
        assert _count("case_file") == 1


def test_a_server_that_may_not_add_pg_trgm_says_who_can(
    fresh_pg_database: Callable[[], str], tmp_path: Path
) -> None:
    url = sa.make_url(fresh_pg_database())
    owner = sa.create_engine(url)
    with owner.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE plain LOGIN PASSWORD 'plain'")
        connection.exec_driver_sql("CREATE SCHEMA plain AUTHORIZATION plain")
        connection.exec_driver_sql("ALTER ROLE plain SET search_path = plain")
    try:
        plain = url.set(username="plain", password="plain").render_as_string(hide_password=False)
        app = create_app(app_settings(plain, tmp_path))
        with app.app_context():
            with pytest.raises(SystemExit, match="CREATE EXTENSION pg_trgm;"):
                migrating.upgrade()
            assert migrating.database_head() is None
            db.engine.dispose()
            with owner.begin() as connection:
                connection.exec_driver_sql("CREATE EXTENSION pg_trgm SCHEMA plain")
            assert migrating.upgrade()
            db.engine.dispose()
    finally:
        with owner.begin() as connection:
            connection.exec_driver_sql("DROP OWNED BY plain CASCADE")
            connection.exec_driver_sql("DROP ROLE plain")
        owner.dispose()
