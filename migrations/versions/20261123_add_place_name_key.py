"""Give every place its folded name, so that a search finds it in any spelling of case or accent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm.domain.identity import fold

revision = "20261123_add_place_name_key"
down_revision = "20261123_keep_audit_append_only"

_place = sa.table(
    "place",
    sa.column("id", sa.Integer()),
    sa.column("name", sa.String()),
    sa.column("name_key", sa.String()),
)


def upgrade() -> None:
    """Add the column and fill it from the names."""
    op.add_column(
        "place",
        sa.Column("name_key", sa.String(length=400), server_default="", nullable=False),
    )
    connection = op.get_bind()
    # A migration runs before any scope can exist, and hands nothing of what it reads to anybody.
    rows = connection.execute(
        sa.select(_place.c.id, _place.c.name).execution_options(crm_scope=True)
    ).all()
    if rows:
        connection.execute(
            sa.update(_place)
            .where(_place.c.id == sa.bindparam("key"))
            .values(name_key=sa.bindparam("folded")),
            [{"key": key, "folded": fold(name)[:400]} for key, name in rows],
        )


def downgrade() -> None:
    """Take the column away; it can always be derived again."""
    op.drop_column("place", "name_key")
