"""Two records of one person can be made one, and taken apart again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_make_two_records_one"
down_revision = "20261123_keep_reports"


def upgrade() -> None:
    """Add the mark on the record that went, what was done, and who are two people."""
    op.add_column("contact", sa.Column("merged_into_id", sa.Integer(), nullable=True))
    op.create_index("ix_contact_merged_into_id", "contact", ["merged_into_id"])
    op.create_table(
        "merged_person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("gone_id", sa.Integer(), nullable=False),
        sa.Column("gone_name", sa.String(length=120), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by_id", sa.Integer(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", sa.Integer(), nullable=True),
        sa.Column("done", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_merged_person_contact_id")
        ),
        sa.ForeignKeyConstraint(["gone_id"], ["contact.id"], name=op.f("fk_merged_person_gone_id")),
        sa.ForeignKeyConstraint(
            ["merged_by_id"], ["user_account.id"], name=op.f("fk_merged_person_merged_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["undone_by_id"], ["user_account.id"], name=op.f("fk_merged_person_undone_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merged_person")),
        sa.UniqueConstraint("public_id", name=op.f("uq_merged_person_public_id")),
    )
    op.create_index(op.f("ix_merged_person_contact_id"), "merged_person", ["contact_id"])
    op.create_index(op.f("ix_merged_person_gone_id"), "merged_person", ["gone_id"])
    op.create_table(
        "different_people",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_different_people_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["contact.id"], name=op.f("fk_different_people_other_id")
        ),
        sa.ForeignKeyConstraint(
            ["said_by_id"], ["user_account.id"], name=op.f("fk_different_people_said_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_different_people")),
        sa.UniqueConstraint(
            "contact_id", "other_id", name=op.f("uq_different_people_contact_id_other_id")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_different_people_public_id")),
    )
    op.create_index(op.f("ix_different_people_contact_id"), "different_people", ["contact_id"])
    op.create_index(op.f("ix_different_people_other_id"), "different_people", ["other_id"])


def downgrade() -> None:
    """Take all of it away. Records that were made one stay one."""
    op.drop_table("different_people")
    op.drop_table("merged_person")
    op.drop_index("ix_contact_merged_into_id", "contact")
    op.drop_column("contact", "merged_into_id")
