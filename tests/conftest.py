"""The app on both databases, one clean database a test, and clients signed in as anybody."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache

from crm.app import create_app
from crm.web import clock, migrating
from crm.web.db import db
from tests import factories

_SETTINGS: dict[str, Any] = {
    "SECRET_KEY": "a secret that only tests use, long enough",
    "DATABASE_KEY": None,
    "PUBLIC_URL": "",
    "TRUSTED_HOSTS_LIST": ["127.0.0.1", "localhost"],
    "PROXY_COUNT": 0,
    "PRACTICE": False,
    "ORGANISATION": "Test group",
    "LANGUAGES": ["en"],
    "TRANSLATIONS": "",
    "TIME_ZONE": "Europe/London",
    "EXPIRY_DAYS": (60, 120),
    "MAX_CONTENT_LENGTH": 64 * 1024,
    "MAX_FORM_MEMORY_SIZE": 64 * 1024,
    "MAX_FORM_PARTS": 300,
    "UPLOAD_LIMIT": 6 * 1024 * 1024,
    "LIST_LIMIT": 96 * 1024 * 1024,
    "MINIMUM_FREE_DISK": 0,
    "RUN_WORKER": False,
    "PROPAGATE_DEFECTS": True,
    "WTF_CSRF_ENABLED": False,
}


def pytest_collection_finish() -> None:
    """Look for rubbish less often: each look went through all that the app and its tests hold."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


class _Compiled(BytecodeCache):
    """The templates as the first app of this process compiled them, for all its other apps."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key, bucket.checksum] = bucket.code


Flask.jinja_options = {"bytecode_cache": _Compiled()}


class _Client(FlaskClient):
    """Gives each request an application context of its own, as a server does.

    Inside the one of the `app` fixture, what a request remembers of its user (flask.g) would
    still be there in the next request, whoever makes it.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        with self.application.app_context():
            return super().open(*args, **kwargs)


def app_settings(database_url: str, folder: Path, **changes: Any) -> dict[str, Any]:
    """Return the settings of an app under test."""
    return {
        **_SETTINGS,
        "DATABASE_URL": database_url,
        "INSTANCE_FOLDER": str(folder),
        **changes,
    }


class _Sqlite:
    """A template file with empty tables, copied over the database before each test."""

    def __init__(self, folder: Path) -> None:
        self.kept: dict[str, Any] = {}
        self.path = folder / "test.db"
        self.app = create_app(app_settings(f"sqlite:///{self.path}", folder))
        with self.app.app_context():
            hurry(db.engine)
            migrating.upgrade()
            self.template = self.copy("template")

    def copy(self, name: str) -> Path:
        """Return a copy of the database as it stands."""
        db.session.remove()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()
        return Path(shutil.copy(self.path, self.path.with_name(f"{name}.db")))

    def clean(self) -> None:
        self.put_back(self.template)

    def put_back(self, copy: Path) -> None:
        """Put the copy in the database's place."""
        db.session.remove()
        db.engine.dispose()
        for leftover in ("-wal", "-shm"):
            Path(str(self.path) + leftover).unlink(missing_ok=True)
        shutil.copy(copy, self.path)


class _Postgres:
    """One migrated database, emptied before each test by one call."""

    def __init__(self, url: str, folder: Path) -> None:
        self.kept: dict[str, Any] = {}
        self.app = create_app(app_settings(url, folder))
        with self.app.app_context():
            hurry(db.engine)
            migrating.upgrade()
            self._call("CREATE SCHEMA kept")
            parts = [
                # What is empty already costs a look, and not a deletion.
                f'IF EXISTS (SELECT FROM "{table.name}"{_not_root(table)}) THEN '
                f'DELETE FROM "{table.name}"{_not_root(table)}; END IF;'
                for table in reversed(_tables())
            ]
            self._make("clean", parts)

    def copy(self, name: str) -> str:
        """Keep the rows of all tables as they stand; return the function that puts them back."""
        parts = []
        db.session.remove()
        for table in _tables():
            columns = ", ".join(f'"{column.name}"' for column in table.columns)
            rows = f'SELECT {columns} FROM "{table.name}"{_not_root(table)}'
            if self._call(f"SELECT count(*) FROM ({rows}) AS found"):
                held = f'kept."{name}: {table.name}"'
                self._call(f"CREATE TABLE {held} AS {rows}")
                parts.append(f'INSERT INTO "{table.name}" ({columns}) TABLE {held};')
        self._make(f"put back {name}", parts)
        return f"put back {name}"

    def clean(self) -> None:
        db.session.remove()
        self._call('SELECT kept."clean"()')

    def put_back(self, copy: str) -> None:
        """Put the kept rows into the tables, which must be empty."""
        db.session.remove()
        self._call(f'SELECT kept."{copy}"()')

    def _make(self, name: str, parts: list[str]) -> None:
        # Triggers and foreign keys sleep meanwhile: the audit log refuses to be emptied.
        self._call(
            f'CREATE FUNCTION kept."{name}"() RETURNS void LANGUAGE plpgsql '
            f"SET session_replication_role = replica AS $$ BEGIN {' '.join(parts)} END $$"
        )

    def _call(self, statement: str) -> Any:
        with db.engine.execution_options(crm_scope=True).begin() as connection:
            reply = connection.exec_driver_sql(statement)
            return reply.scalar() if reply.returns_rows else None


def _tables() -> list[sa.Table]:
    return [table for table in db.metadata.sorted_tables if table.name != "probe"]


def _not_root(table: sa.Table) -> str:
    """The condition that leaves the root of the place tree standing, which migrations plant."""
    roots = {
        "place": " WHERE kind <> 'everything'",
        "place_closure": " WHERE ancestor_id <> 1 OR descendant_id <> 1",
    }
    return roots.get(table.name, "")


def hurry(engine: sa.Engine) -> None:
    """Let a database that only tests use wait for no disk, and keep all its statements compiled.

    The app has more statements than SQLAlchemy keeps by itself, and a run sends most of them
    again and again. Nothing of what they ask or store changes by this.
    """
    engine._compiled_cache.capacity = 3_000  # type: ignore[union-attr]
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _do_not_wait(connection: Any, record: Any) -> None:
            connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session")
def _made() -> dict[str, Any]:
    """The databases made so far: each file asks for the two in turn, and each is made once."""
    return {}


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def backend(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _made: dict[str, Any]
) -> Any:
    """The database under test; every test that asks for `app` runs on both."""
    if request.param not in _made:
        folder = tmp_path_factory.mktemp(request.param)
        if request.param == "sqlite":
            _made["sqlite"] = _Sqlite(folder)
        else:
            _made["postgresql"] = _Postgres(request.getfixturevalue("pg_url"), folder)
    return _made[request.param]


@pytest.fixture
def app(backend: Any) -> Iterator[Flask]:
    """The app over a database with empty tables, inside an application context."""
    settings = dict(backend.app.config)
    with backend.app.app_context():
        backend.clean()
        backend.app.test_client_class = _Client
        yield backend.app
        db.session.remove()
    # One app serves all tests of a database: no test's change may reach the next.
    backend.app.config.clear()
    backend.app.config.update(settings)


@pytest.fixture
def dialect(app: Flask) -> str:
    """The name of the database under test: sqlite or postgresql."""
    return str(db.engine.dialect.name)


@pytest.fixture
def world(app: Flask, backend: Any) -> factories.World:
    """The small world of tests/factories.py, made once a database and then put back as it was."""
    found: factories.World = made_once(backend, "world", factories.make_world)
    return found


def made_once(backend: Any, name: str, make: Callable[[], Any]) -> Any:
    """Return what ``make`` returns, with the rows it left; made once a database, then put back.

    For what many tests begin with: the tables must be empty, as the ``app`` fixture leaves them.
    """
    if name not in backend.kept:
        made = make()
        backend.kept[name] = (made, backend.copy(name))
    else:
        backend.put_back(backend.kept[name][1])
    return backend.kept[name][0]


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A stranger's client."""
    return app.test_client()


@pytest.fixture
def client_as(app: Flask) -> Callable[[factories.Named], FlaskClient]:
    """client_as(world.rep) gives a client signed in as that user."""

    def _client(user: factories.Named) -> FlaskClient:
        token = factories.open_session(user.id)
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = token
            cookie["_fresh"] = True
        return client

    return _client


@pytest.fixture
def fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is 12:00 UTC on 23 November 2026."""
    monkeypatch.setattr(clock, "now", lambda: factories.NOW)


@pytest.fixture
def count_statements(app: Flask) -> Iterator[list[str]]:
    """A list that fills with the SQL statements sent while the test runs."""
    sent: list[str] = []

    def _note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "ROLLBACK", "COMMIT", "SAVEPOINT")):
            sent.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", _note)
    yield sent
    sa.event.remove(db.engine, "before_cursor_execute", _note)
