"""Keep talks that are unfinished or refused, for their writers alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_keep_talks"
down_revision = "20261123_keep_calendar_addresses"


def upgrade() -> None:
    """Add the table of kept talks."""
    op.create_table(
        "kept_talk",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("talk_id", sa.Uuid(), nullable=False),
        sa.Column("contact_public_id", sa.Uuid(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("typed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_kept_talk_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_talk")),
        sa.UniqueConstraint("owner_id", "talk_id", name=op.f("uq_kept_talk_owner_id_talk_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_kept_talk_public_id")),
    )
    op.create_index(op.f("ix_kept_talk_owner_id"), "kept_talk", ["owner_id"])


def downgrade() -> None:
    """Take the table away, with what is kept in it."""
    op.drop_table("kept_talk")
