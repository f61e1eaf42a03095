"""Plant the root of the place tree and the probe row."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "20261123_plant_the_tree"
down_revision = "20261123_create_tables"

_place = sa.table(
    "place",
    sa.column("public_id", sa.Uuid()),
    sa.column("kind", sa.String()),
    sa.column("name", sa.String()),
    sa.column("name_key", sa.String()),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("version", sa.Integer()),
)


def upgrade() -> None:
    """Make the one place that contains all others."""
    now = datetime.now(UTC)
    if op.get_bind().dialect.name == "sqlite":
        now = now.replace(tzinfo=None)
    op.bulk_insert(
        _place,
        [
            {
                "public_id": uuid.uuid4(),
                "kind": "everything",
                "name": "Everything",
                "name_key": "everything",
                "created_at": now,
                "version": 1,
            }
        ],
    )
    op.execute(
        "INSERT INTO place_closure (ancestor_id, descendant_id) "
        "SELECT id, id FROM place WHERE kind = 'everything'"
    )
    probe = sa.table("probe", sa.column("at", sa.DateTime(timezone=True)))
    op.bulk_insert(probe, [{"at": now}])


def downgrade() -> None:
    """Take the root away."""
    op.execute("DELETE FROM probe")
    op.execute(
        "DELETE FROM place_closure WHERE ancestor_id IN "
        "(SELECT id FROM place WHERE kind = 'everything')"
    )
    op.execute("DELETE FROM place WHERE kind = 'everything'")
