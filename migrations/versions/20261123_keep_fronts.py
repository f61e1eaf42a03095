"""A long list keeps what its pages show of it by itself, so that they need not open the whole."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_keep_fronts"
down_revision = "20261123_end_action"


def upgrade() -> None:
    """Add the column."""
    with op.batch_alter_table("list_import", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sealed_front", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Drop it: the pages open the whole list again."""
    with op.batch_alter_table("list_import", schema=None) as batch_op:
        batch_op.drop_column("sealed_front")
