"""A ballot says when action was over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_end_action"
down_revision = "20261123_date_units"


def upgrade() -> None:
    """Add the last day of action; null = not over, or not known."""
    with op.batch_alter_table("ballot", schema=None) as batch_op:
        batch_op.add_column(sa.Column("action_ended_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Forget when action was over."""
    with op.batch_alter_table("ballot", schema=None) as batch_op:
        batch_op.drop_column("action_ended_on")
