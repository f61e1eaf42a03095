"""weigh readiness."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_weigh_readiness"
down_revision = "20261123_check_member_lists"


def upgrade() -> None:
    """weigh readiness."""
    op.create_table(
        "readiness_terms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        *_shared("readiness_terms"),
    )
    op.create_index(op.f("ix_readiness_terms_place_id"), "readiness_terms", ["place_id"])
    op.create_table(
        "readiness_finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "list_checked",
                "timeline",
                "decision",
                "fund",
                "pickets",
                "hardship",
                name="finding",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("answer", sa.Boolean(), nullable=False),
        sa.Column("words", sa.String(length=300), nullable=False),
        *_shared("readiness_finding"),
    )
    op.create_index(op.f("ix_readiness_finding_place_id"), "readiness_finding", ["place_id"])
    op.create_index(
        "ix_readiness_finding_place_kind", "readiness_finding", ["place_id", "kind", "on_day"]
    )


def _shared(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f(f"fk_{table}_place_id")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f(f"fk_{table}_recorded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{table}_public_id")),
    ]


def downgrade() -> None:
    """Undo it."""
    op.drop_table("readiness_finding")
    op.drop_table("readiness_terms")
