"""Keep recipes of reports, and for a day the files made of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_keep_reports"
down_revision = "20261123_run_campaigns"


def upgrade() -> None:
    """Add the recipes and the files."""
    op.create_table(
        "report_recipe",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("as_at", sa.Date(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_report_recipe_owner_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["place.id"], name=op.f("fk_report_recipe_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_recipe")),
        sa.UniqueConstraint("public_id", name=op.f("uq_report_recipe_public_id")),
        sa.UniqueConstraint(
            "owner_id", "unit_id", "name", name=op.f("uq_report_recipe_owner_id_unit_id_name")
        ),
    )
    op.create_index(op.f("ix_report_recipe_unit_id"), "report_recipe", ["unit_id"])
    op.create_table(
        "report_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("sort", sa.String(length=10), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("as_at", sa.Date(), nullable=False),
        sa.Column("figures", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_report_file_owner_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["place.id"], name=op.f("fk_report_file_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_file")),
        sa.UniqueConstraint("public_id", name=op.f("uq_report_file_public_id")),
    )
    for column in ("expires_at", "owner_id", "unit_id"):
        op.create_index(op.f(f"ix_report_file_{column}"), "report_file", [column])


def downgrade() -> None:
    """Drop both; the figures they were made from stay."""
    op.drop_table("report_file")
    op.drop_table("report_recipe")
