"""Keep which reminders a talk list made, so that the whole list can be undone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_keep_talk_lists"
down_revision = "20261123_check_the_law"


def upgrade() -> None:
    """Add the lists and their reminders."""
    op.create_table(
        "talk_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("workplace_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_talk_list_owner_id")
        ),
        sa.ForeignKeyConstraint(
            ["workplace_id"], ["workplace.id"], name=op.f("fk_talk_list_workplace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talk_list")),
        sa.UniqueConstraint("public_id", name=op.f("uq_talk_list_public_id")),
    )
    op.create_index(op.f("ix_talk_list_owner_id"), "talk_list", ["owner_id"])
    op.create_table(
        "talk_list_entry",
        sa.Column("follow_up_id", sa.Integer(), nullable=False),
        sa.Column("talk_list_id", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_talk_list_entry_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["follow_up_id"], ["follow_up.id"], name=op.f("fk_talk_list_entry_follow_up_id")
        ),
        sa.ForeignKeyConstraint(
            ["place_id"], ["place.id"], name=op.f("fk_talk_list_entry_place_id")
        ),
        sa.ForeignKeyConstraint(
            ["talk_list_id"], ["talk_list.id"], name=op.f("fk_talk_list_entry_talk_list_id")
        ),
        sa.PrimaryKeyConstraint("follow_up_id", name=op.f("pk_talk_list_entry")),
    )
    for column in ("contact_id", "place_id", "talk_list_id"):
        op.create_index(op.f(f"ix_talk_list_entry_{column}"), "talk_list_entry", [column])


def downgrade() -> None:
    """Drop them; the reminders stay."""
    op.drop_table("talk_list_entry")
    op.drop_table("talk_list")
