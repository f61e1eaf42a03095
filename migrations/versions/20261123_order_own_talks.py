"""The last talks of somebody are found without going through all they ever had."""

from __future__ import annotations

from alembic import op

revision = "20261123_order_own_talks"
down_revision = "20261123_list_merged_apart"

_OLD, _NEW = "ix_conversation_held_by_id", "ix_conversation_held_by_recorded"


def upgrade() -> None:
    """Put the talks of each in order."""
    op.create_index(_NEW, "conversation", ["held_by_id", "recorded_at"])
    op.drop_index(_OLD, "conversation")


def downgrade() -> None:
    """Have them in no order again."""
    op.create_index(_OLD, "conversation", ["held_by_id"])
    op.drop_index(_NEW, "conversation")
