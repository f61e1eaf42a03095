"""A membership list of the union can be worked through, line by line."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_check_member_lists"
down_revision = "20261123_bring_lists_in"


def upgrade() -> None:
    """Add the table of lists."""
    op.create_table(
        "member_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("union_id", sa.Integer(), nullable=False),
        sa.Column("branch_id", sa.Integer(), nullable=True),
        sa.Column("as_at", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("decided", sa.JSON(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_member_list_owner_id")
        ),
        sa.ForeignKeyConstraint(
            ["union_id"], ["trade_union.id"], name=op.f("fk_member_list_union_id")
        ),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["branch.id"], name=op.f("fk_member_list_branch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_list")),
        sa.UniqueConstraint("public_id", name=op.f("uq_member_list_public_id")),
    )
    op.create_index(op.f("ix_member_list_owner_id"), "member_list", ["owner_id"])


def downgrade() -> None:
    """Take the table away."""
    op.drop_table("member_list")
