"""Keep what administrators and users are told of changes to accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_tell_those_concerned"
down_revision = "20261123_take_talks_back"

_ROLES = ("rep", "organiser", "branch_officer", "administrator")


def upgrade() -> None:
    """Add the notices."""
    op.create_table(
        "account_notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "role_given",
                "link_made",
                name="notice_kind",
                native_enum=False,
                length=24,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("about_id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column(
            "role",
            sa.Enum(*_ROLES, name="role", native_enum=False, length=24, create_constraint=True),
            nullable=True,
        ),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["about_id"], ["user_account.id"], name=op.f("fk_account_notice_about_id")
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["user_account.id"], name=op.f("fk_account_notice_actor_id")
        ),
        sa.ForeignKeyConstraint(
            ["place_id"], ["place.id"], name=op.f("fk_account_notice_place_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_account_notice_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_notice")),
        sa.UniqueConstraint("public_id", name=op.f("uq_account_notice_public_id")),
    )
    with op.batch_alter_table("account_notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_notice_user_id"), ["user_id"], unique=False)


def downgrade() -> None:
    """Take them away."""
    with op.batch_alter_table("account_notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_notice_user_id"))

    op.drop_table("account_notice")
