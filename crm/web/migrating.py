"""Bringing a database to this version's tables, and asking whether it is there."""

from __future__ import annotations

import logging
from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from flask_migrate import upgrade as run_upgrade

from crm.web.db import db


def upgrade() -> bool:
    """Bring the database to the newest tables. Return True when there was something to do."""
    if is_current():
        return False
    logging.getLogger("alembic").setLevel(logging.WARNING)
    run_upgrade()
    return True


def is_current() -> bool:
    """Return True when the database has the newest tables."""
    return database_head() == code_head()


def database_head() -> str | None:
    """Return the revision the database is at, or None for an empty one."""
    with db.engine.connect().execution_options(read_only=True) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return MigrationContext.configure(connection).get_current_revision()


def code_head() -> str | None:
    """Return the newest revision that this version knows."""
    config = Config()
    folder = Path(current_app.extensions["migrate"].directory)
    config.set_main_option("script_location", str(folder))
    return ScriptDirectory.from_config(config).get_current_head()
