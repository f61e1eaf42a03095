"""Keep what was done with many people of a list at once, so that it can be undone as one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_act_on_many"
down_revision = "20261123_take_lists_out"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "bulk_action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "tag",
                "untag",
                "reminder",
                name="bulk_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("tag_id", sa.Integer(), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_bulk_action_owner_id")
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_bulk_action_tag_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_action")),
        sa.UniqueConstraint("public_id", name=op.f("uq_bulk_action_public_id")),
    )
    with op.batch_alter_table("bulk_action", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bulk_action_owner_id"), ["owner_id"], unique=False)
    op.create_table(
        "bulk_entry",
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("follow_up_id", sa.Integer(), nullable=True),
        sa.Column("was_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("was_set_by_id", sa.Integer(), nullable=True),
        sa.Column("left_as_is", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["action_id"], ["bulk_action.id"], name=op.f("fk_bulk_entry_action_id")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_bulk_entry_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["follow_up_id"], ["follow_up.id"], name=op.f("fk_bulk_entry_follow_up_id")
        ),
        sa.ForeignKeyConstraint(
            ["was_set_by_id"], ["user_account.id"], name=op.f("fk_bulk_entry_was_set_by_id")
        ),
        sa.PrimaryKeyConstraint("action_id", "contact_id", name=op.f("pk_bulk_entry")),
    )
    with op.batch_alter_table("bulk_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bulk_entry_contact_id"), ["contact_id"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("bulk_entry")
    op.drop_table("bulk_action")
