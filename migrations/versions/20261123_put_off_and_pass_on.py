"""Remember when reminders were put off, and from whom to whom they went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_put_off_and_pass_on"
down_revision = "20261123_say_whose_people"


def upgrade() -> None:
    """Add the first day of a reminder, how often it was put off, and whom it went to."""
    op.create_table(
        "follow_up_pass",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("follow_up_id", sa.Integer(), nullable=False),
        sa.Column("from_user_id", sa.Integer(), nullable=False),
        sa.Column("to_user_id", sa.Integer(), nullable=False),
        sa.Column("passed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("passed_by_id", sa.Integer(), nullable=True),
        sa.Column("move_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_follow_up_pass_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["follow_up_id"], ["follow_up.id"], name=op.f("fk_follow_up_pass_follow_up_id")
        ),
        sa.ForeignKeyConstraint(
            ["from_user_id"], ["user_account.id"], name=op.f("fk_follow_up_pass_from_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["move_id"], ["turf_move.id"], name=op.f("fk_follow_up_pass_move_id")
        ),
        sa.ForeignKeyConstraint(
            ["passed_by_id"], ["user_account.id"], name=op.f("fk_follow_up_pass_passed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["place_id"], ["place.id"], name=op.f("fk_follow_up_pass_place_id")
        ),
        sa.ForeignKeyConstraint(
            ["to_user_id"], ["user_account.id"], name=op.f("fk_follow_up_pass_to_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up_pass")),
    )
    with op.batch_alter_table("follow_up_pass", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_follow_up_pass_contact_id"), ["contact_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_follow_up_pass_follow_up_id"), ["follow_up_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_follow_up_pass_move_id"), ["move_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_follow_up_pass_place_id"), ["place_id"], unique=False)

    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.add_column(sa.Column("first_due_on", sa.Date(), nullable=True))
        batch_op.add_column(
            sa.Column("times_put_off", sa.Integer(), server_default="0", nullable=False)
        )


def downgrade() -> None:
    """Take the columns and the table away."""
    with op.batch_alter_table("follow_up_pass", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_follow_up_pass_place_id"))
        batch_op.drop_index(batch_op.f("ix_follow_up_pass_move_id"))
        batch_op.drop_index(batch_op.f("ix_follow_up_pass_follow_up_id"))
        batch_op.drop_index(batch_op.f("ix_follow_up_pass_contact_id"))

    op.drop_table("follow_up_pass")

    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.drop_column("times_put_off")
        batch_op.drop_column("first_due_on")
