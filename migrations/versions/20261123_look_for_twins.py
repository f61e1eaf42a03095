"""Keep who may be here twice, and what people are found by for that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_look_for_twins"
down_revision = "20261123_tap_without_signal"


def upgrade() -> None:
    """Add the pairs, the numbers, who was looked at, and how far the look is."""
    op.create_table(
        "person_block",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contact_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("number", "contact_id", name=op.f("pk_person_block")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_person_block_contact_id"), "person_block", ["contact_id"])
    op.create_table(
        "person_look",
        sa.Column("contact_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_person_look")),
    )
    op.create_table(
        "like_pair",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("points", sa.Double(), nullable=False),
        sa.Column("can_be_sure", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_like_pair")),
        sa.UniqueConstraint(
            "contact_id", "other_id", name=op.f("uq_like_pair_contact_id_other_id")
        ),
    )
    op.create_index(op.f("ix_like_pair_other_id"), "like_pair", ["other_id"])
    op.create_index("ix_like_pair_points", "like_pair", ["points"])
    op.create_table(
        "likeness_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.Column("seen_entry", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_likeness_state")),
    )


def downgrade() -> None:
    """Take them away: they are worked out anew."""
    for table in ("likeness_state", "like_pair", "person_look", "person_block"):
        op.drop_table(table)
