"""Keep lists of people that somebody made by a filter and gave a name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_save_lists"
down_revision = "20261123_name_leaders_of_sheets"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "saved_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("shared_with_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_saved_list_owner_id")
        ),
        sa.ForeignKeyConstraint(
            ["shared_with_id"], ["place.id"], name=op.f("fk_saved_list_shared_with_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_list")),
        sa.UniqueConstraint("public_id", name=op.f("uq_saved_list_public_id")),
    )
    with op.batch_alter_table("saved_list", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_list_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_saved_list_shared_with_id"), ["shared_with_id"], unique=False
        )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("saved_list")
