"""Remember which workplaces somebody said are not the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_tell_places_apart"
down_revision = "20261123_tie_workplaces"


def upgrade() -> None:
    """Add the pairs."""
    op.create_table(
        "different_places",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["place_id"], ["place.id"], name=op.f("fk_different_places_place_id")
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["place.id"], name=op.f("fk_different_places_other_id")
        ),
        sa.ForeignKeyConstraint(
            ["said_by_id"], ["user_account.id"], name=op.f("fk_different_places_said_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_different_places")),
        sa.UniqueConstraint(
            "place_id", "other_id", name=op.f("uq_different_places_place_id_other_id")
        ),
    )
    op.create_index(op.f("ix_different_places_place_id"), "different_places", ["place_id"])
    op.create_index(op.f("ix_different_places_other_id"), "different_places", ["other_id"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("different_places")
