"""The server around the app: the key of the database, its copies, and where it may listen."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlcipher
from flask import Flask

from crm.app import create_app
from crm.web import backups, migrating, serving
from crm.web.db import db, refuse_unsafe_sqlite
from tests.conftest import app_settings

KEY = "0123456789abcdef" * 4
PLAIN_HEADER = b"SQLite format 3\x00"


def _new_app(folder: Path, **changes: object) -> Flask:
    app = create_app(app_settings(f"sqlite:///{folder / 'kept.db'}", folder, **changes))
    with app.app_context():
        migrating.upgrade()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return app


def _revision(file: Path, key: str | None) -> str:
    connection = sqlcipher.connect(str(file))
    try:
        if key is not None:
            connection.execute(f"PRAGMA key=\"x'{key}'\"")
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    finally:
        connection.close()
    return str(found[0])


def test_with_a_key_neither_the_database_nor_its_copy_can_be_read_without_it(
    tmp_path: Path,
) -> None:
    app = _new_app(tmp_path, DATABASE_KEY=KEY)
    copy = tmp_path / "copy.db"
    with app.app_context():
        backups.write(app, copy)
        head = migrating.code_head()
        db.engine.dispose()
    for file in (tmp_path / "kept.db", copy):
        assert not file.read_bytes().startswith(PLAIN_HEADER)
        with pytest.raises(sqlcipher.DatabaseError):
            _revision(file, None)
        with pytest.raises(sqlcipher.DatabaseError):
            _revision(file, KEY[::-1])
        assert _revision(file, KEY) == head


def test_a_copy_is_whole_and_for_its_owner_only_and_never_written_over_a_file(
    tmp_path: Path,
) -> None:
    app = _new_app(tmp_path)
    copy = tmp_path / "copy.db"
    with app.app_context():
        backups.write(app, copy)
        assert _revision(copy, None) == migrating.code_head()
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        with pytest.raises(backups.CannotBackUp) as refused:
            backups.write(app, copy)
        assert str(refused.value) == "That file is there already. Choose another name."
        with pytest.raises(backups.CannotBackUp) as refused:
            backups.write(app, tmp_path / "no such folder" / "copy.db")
        assert str(refused.value) == "There is no such folder. Make it first."
        assert backups.faults(app) == []
        db.engine.dispose()


def test_a_copy_from_before_an_update_is_kept_beside_the_database(tmp_path: Path) -> None:
    app = _new_app(tmp_path)
    with app.app_context():
        kept = backups.before_migration(app)
        assert kept is not None
        assert kept.parent == tmp_path
        assert _revision(kept, None) == migrating.code_head()
        db.engine.dispose()


def test_copies_from_before_an_update_are_deleted_after_35_days(tmp_path: Path) -> None:
    """What was erased since is still in them."""
    app = _plain_app(tmp_path)
    names = ("20260901-101500.db", "20261101-101500.db", "mine.db")
    for name in names:
        (tmp_path / f"before-update-{name}").write_bytes(b"a copy")
    assert backups.delete_old(app, now=datetime(2026, 11, 23, tzinfo=UTC)) == 1
    left = sorted(path.name for path in tmp_path.glob("before-update-*"))
    assert left == [f"before-update-{name}" for name in names[1:]]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_only_this_machine_is_listened_to_without_more_ado(tmp_path: Path, host: str) -> None:
    assert serving.is_loopback(host)
    serving.check_address(_plain_app(tmp_path), host)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.20", "::", "shopfloor.example.org"])
def test_listening_to_others_needs_tls_in_front(tmp_path: Path, host: str) -> None:
    app = _plain_app(tmp_path)
    with pytest.raises(serving.NotSafe) as refused:
        serving.check_address(app, host)
    assert str(refused.value) == (
        "Others could reach this address, and nothing would be encrypted. Leave --host out, or "
        "put a proxy with TLS in front and set SHOPFLOOR_PUBLIC_URL to its https address."
    )
    app.config["PUBLIC_URL"] = "https://shopfloor.example.org"
    serving.check_address(app, host)


def _plain_app(folder: Path) -> Flask:
    app = Flask("nothing but settings")
    app.config.update(app_settings("sqlite:///", folder))
    return app


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 44, 5), (3, 45, 0), (3, 50, 6), (3, 51, 2)])
def test_a_sqlite_that_can_corrupt_the_records_is_refused(version: tuple[int, ...]) -> None:
    with pytest.raises(SystemExit) as refused:
        refuse_unsafe_sqlite(version)
    assert str(refused.value) == (
        "This SQLite can corrupt a database in WAL mode. Install sqlcipher3 0.6.4 or newer."
    )


@pytest.mark.parametrize("version", [(3, 44, 6), (3, 50, 7), (3, 51, 3), (3, 53, 0)])
def test_a_sqlite_without_the_fault_is_taken(version: tuple[int, ...]) -> None:
    assert refuse_unsafe_sqlite(version) is None
