"""Taps on a phone without signal: when they were tapped, and which were taken already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_tap_without_signal"
down_revision = "20261123_work_through_long_lists"


def upgrade() -> None:
    """Make the marks, and room for the moment of a tap."""
    op.create_table(
        "taken_tap",
        sa.Column("tap_id", sa.Uuid(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("tap_id", name=op.f("pk_taken_tap")),
    )
    op.create_index(op.f("ix_taken_tap_taken_on"), "taken_tap", ["taken_on"])
    op.add_column("participation", sa.Column("typed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take both away. What was tapped stays; only the moment of the tap is lost."""
    op.drop_column("participation", "typed_at")
    op.drop_index(op.f("ix_taken_tap_taken_on"), "taken_tap")
    op.drop_table("taken_tap")
