"""Keep who has checked the rules of ballots, and when changes of law began"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_check_the_law"
down_revision = "20261123_add_tags_and_fields"


def upgrade() -> None:
    """Add checks of rules and first days of changes."""
    op.create_table(
        "law_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change_id", sa.String(length=80), nullable=False),
        sa.Column("began_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_law_change_recorded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_law_change")),
        sa.UniqueConstraint("public_id", name=op.f("uq_law_change_public_id")),
    )
    with op.batch_alter_table("law_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_law_change_change_id"), ["change_id"], unique=False)

    op.create_table(
        "rule_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.String(length=80), nullable=False),
        sa.Column("words_hash", sa.String(length=64), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_rule_check_recorded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_check")),
        sa.UniqueConstraint("public_id", name=op.f("uq_rule_check_public_id")),
    )
    with op.batch_alter_table("rule_check", schema=None) as batch_op:
        batch_op.create_index("ix_rule_check_rule_hash", ["rule_id", "words_hash"], unique=False)


def downgrade() -> None:
    """Take them away."""
    with op.batch_alter_table("rule_check", schema=None) as batch_op:
        batch_op.drop_index("ix_rule_check_rule_hash")

    op.drop_table("rule_check")
    with op.batch_alter_table("law_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_law_change_change_id"))

    op.drop_table("law_change")
