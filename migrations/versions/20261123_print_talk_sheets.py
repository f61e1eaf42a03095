"""Keep the talk sheets that were printed, so that they can be typed in again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_print_talk_sheets"
down_revision = "20261123_search_people"


def upgrade() -> None:
    """Add sheets and their lines."""
    op.create_table(
        "sheet",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "names",
            sa.Enum(
                "short",
                "initials",
                "numbers",
                name="names",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("large", sa.Boolean(), nullable=False),
        sa.Column("ask", sa.String(length=80), nullable=True),
        sa.Column("carrier_id", sa.Integer(), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["carrier_id"], ["user_account.id"], name=op.f("fk_sheet_carrier_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user_account.id"], name=op.f("fk_sheet_made_by_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_sheet_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet")),
        sa.UniqueConstraint("code", name=op.f("uq_sheet_code")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sheet_public_id")),
    )
    with op.batch_alter_table("sheet", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sheet_batch_id"), ["batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sheet_made_by_id"), ["made_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sheet_place_id"), ["place_id"], unique=False)

    op.create_table(
        "sheet_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("talk_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_sheet_line_contact_id")
        ),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheet.id"], name=op.f("fk_sheet_line_sheet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_line")),
        sa.UniqueConstraint("sheet_id", "number", name=op.f("uq_sheet_line_sheet_id_number")),
        sa.UniqueConstraint("talk_id", name=op.f("uq_sheet_line_talk_id")),
    )
    with op.batch_alter_table("sheet_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sheet_line_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sheet_line_sheet_id"), ["sheet_id"], unique=False)


def downgrade() -> None:
    """Take sheets away; the talks typed in from them stay."""

    with op.batch_alter_table("sheet_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sheet_line_sheet_id"))
        batch_op.drop_index(batch_op.f("ix_sheet_line_contact_id"))

    op.drop_table("sheet_line")
    with op.batch_alter_table("sheet", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sheet_place_id"))
        batch_op.drop_index(batch_op.f("ix_sheet_made_by_id"))
        batch_op.drop_index(batch_op.f("ix_sheet_batch_id"))

    op.drop_table("sheet")
