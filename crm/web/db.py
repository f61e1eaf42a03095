"""The database behind the app: engine options for both databases, and the one unit of work."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import sqlcipher3.dbapi2 as sqlcipher
from flask import Flask, g, has_request_context
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

import crm.models  # noqa: F401 - registers every table with the metadata
from crm.access.audit import install_audit
from crm.access.holding import install_holding
from crm.access.scope import Scope, install_locks
from crm.access.search_index import install_search
from crm.access.storing import install_checks
from crm.models.base import Base

# What a failing statement held may be somebody's name: a command that stops shows it on the screen
# of whoever runs the server, and in what they send on to be helped.
_QUIET = {"hide_parameters": True}

# What every connection to a server asks of it:
_OF_THE_SERVER = " ".join(
    f"-c {one}"
    for one in (
        # The server compiles a statement that it takes for long: of Today for a whole country that
        # took longer than the statement itself.
        "jit=off",
        # It takes a page that lies apart for four times as dear as the next one, as on discs that
        # turn: to show a branch it read what it holds of the whole country.
        "random_page_cost=2",
        # The driver prepares what it has sent five times, and the server would then keep one plan
        # of it for every scope: made for a rep's three places, it takes an organiser of a thousand
        # seconds, and a long import hours.
        "plan_cache_mode=force_custom_plan",
    )
)

db = SQLAlchemy(
    metadata=Base.metadata,
    session_options={"expire_on_commit": False, "autoflush": False},
)


def engine_settings(url: str, key_hex: str | None) -> dict[str, Any]:
    """Return the Flask-SQLAlchemy settings for a database address.

    key_hex: 64 hexadecimal characters to open an encrypted SQLite file with, or None.
    Raises SystemExit for a SQLite library that can corrupt a WAL database.
    """
    if url.startswith("postgresql"):
        options: dict[str, Any] = {
            "pool_pre_ping": True,
            "pool_size": 8,
            "max_overflow": 8,
            "connect_args": {"options": _OF_THE_SERVER},
            **_QUIET,
        }
        return {"SQLALCHEMY_DATABASE_URI": url, "SQLALCHEMY_ENGINE_OPTIONS": options}
    refuse_unsafe_sqlite(sqlcipher.sqlite_version_info)
    path = Path(url.removeprefix("sqlite:///"))
    return {
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{path.resolve()}",
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "creator": lambda: _open_sqlite(path, key_hex),
            "module": sqlcipher,
            "poolclass": QueuePool,
            "pool_size": 8,
            "max_overflow": 8,
            **_QUIET,
        },
    }


def refuse_unsafe_sqlite(version: tuple[int, ...]) -> None:
    """Raise SystemExit when this SQLite has the WAL-reset bug (3.7.0 to 3.51.2, save two
    backports): two connections writing together can corrupt the file."""
    backported = (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    safe = version >= (3, 51, 3) or backported
    if not safe:
        raise SystemExit(
            "This SQLite can corrupt a database in WAL mode. Install sqlcipher3 0.6.4 or newer."
        )


def _open_sqlite(path: Path, key_hex: str | None) -> Any:
    # Long enough to wait for a register being stored (up to 20 seconds) rather than refuse a talk.
    connection = sqlcipher.connect(str(path), check_same_thread=False, timeout=30)
    # The driver must not open transactions behind our back: see _begin below.
    connection.isolation_level = None
    if key_hex is not None:
        connection.execute(f"PRAGMA key=\"x'{key_hex}'\"")
    for pragma in (
        "journal_mode=WAL",
        # NORMAL loses talks that were already answered "saved" when the power fails.
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "trusted_schema=OFF",
        "cell_size_check=ON",
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def install(app: Flask) -> None:
    """Bind the database to the app and put locks, audit and search in place."""
    app.config.update(engine_settings(app.config["DATABASE_URL"], app.config.get("DATABASE_KEY")))
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        event.listen(engine, "begin", _begin)
    install_locks(_session_class(), engine)
    install_checks(_session_class())
    install_holding(_session_class())
    install_audit(_session_class())
    install_search(_session_class())


def _begin(connection: sa.Connection) -> None:
    # A deferred BEGIN that reads and then writes fails at once under load ("database is locked"),
    # whatever the busy timeout: transactions that may write take the lock first.
    read_only = connection.get_execution_options().get("read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _session_class() -> Any:
    return db.session.session_factory


@contextmanager
def unit_of_work(scope: Scope | None = None, *, read_only: bool = False) -> Iterator[Session]:
    """Yield the session for one piece of work, and commit it when the block ends well.

    scope: whose eyes the work sees with; None only for work on accounts and sessions.
    read_only: True for pages that only look. Any exception rolls everything back.
    """
    session: Session = db.session()
    session.rollback()
    session.info.clear()
    session.info["scope"] = scope
    session.info["request_id"] = g.get("request_id") if has_request_context() else None
    if read_only:
        session.connection(execution_options=_reading(session))
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        # Rows seen under one scope must not be found again under the next without a query.
        session.expunge_all()
        session.info.clear()


def _reading(session: Session) -> dict[str, Any]:
    if session.get_bind().dialect.name == "postgresql":
        # All figures of a page come from one snapshot.
        return {
            "read_only": True,
            "postgresql_readonly": True,
            "isolation_level": "REPEATABLE READ",
        }
    return {"read_only": True}


def new_request_id() -> str:
    """Return a random id that ties a request's log line, audit rows and error page together."""
    return secrets.token_hex(8)
