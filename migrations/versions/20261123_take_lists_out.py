"""Remember which columns somebody took into a file of people last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_take_lists_out"
down_revision = "20261123_hold_ballots"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "file_recipe",
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "csv",
                "xlsx",
                "vcf",
                name="file_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_file_recipe_owner_id")
        ),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_file_recipe")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("file_recipe")
