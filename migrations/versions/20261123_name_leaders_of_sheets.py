"""A talk sheet knows the leader whom all on it listen to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_name_leaders_of_sheets"
down_revision = "20261123_keep_talk_lists"


def upgrade() -> None:
    """Add the leader of a sheet; those printed before have none."""
    with op.batch_alter_table("sheet", schema=None) as batch_op:
        batch_op.add_column(sa.Column("leader_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_sheet_leader_id"), ["leader_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_sheet_leader_id"), "contact", ["leader_id"], ["id"]
        )


def downgrade() -> None:
    """Take the leader away; the sheets and their lines stay."""
    with op.batch_alter_table("sheet", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_sheet_leader_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_sheet_leader_id"))
        batch_op.drop_column("leader_id")
