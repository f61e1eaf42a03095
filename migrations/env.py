"""Runs the migrations on the app's own engine, one transaction for all of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app

from crm.models.base import UtcDateTime


def _render(kind: str, item: Any, autogen: Any) -> str | bool:
    # A migration must not import today's models: types are written as plain SQLAlchemy.
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _same_type(
    ctx: Any, found_column: Any, column: Any, found_type: Any, wanted_type: Any
) -> bool | None:
    if isinstance(wanted_type, UtcDateTime):
        return not isinstance(found_type, sa.DateTime)
    return None


def run() -> None:
    """Apply the migrations."""
    database = current_app.extensions["migrate"].db
    with database.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            render_as_batch=True,
            render_item=_render,
            compare_type=_same_type,
            transaction_per_migration=False,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
