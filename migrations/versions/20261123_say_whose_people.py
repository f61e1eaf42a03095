"""Say whose people are whose: areas given to reps, people picked by hand, moves to undo."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_say_whose_people"
down_revision = "20261123_keep_audit_append_only"


def upgrade() -> None:
    """Add the areas given to reps, the people picked by hand, and the moves."""
    op.create_table(
        "turf_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("from_user_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["from_user_id"], ["user_account.id"], name=op.f("fk_turf_move_from_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_turf_move_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turf_move")),
        sa.UniqueConstraint("public_id", name=op.f("uq_turf_move_public_id")),
    )
    with op.batch_alter_table("turf_move", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_turf_move_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "turf",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shift_id", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("move_id", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_turf_dates_in_order")
        ),
        sa.ForeignKeyConstraint(["move_id"], ["turf_move.id"], name=op.f("fk_turf_move_id")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_turf_place_id")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_turf_recorded_by_id")
        ),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name=op.f("fk_turf_shift_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_turf_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turf")),
        sa.UniqueConstraint("public_id", name=op.f("uq_turf_public_id")),
    )
    with op.batch_alter_table("turf", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_turf_move_id"), ["move_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_turf_place_id"), ["place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_turf_user_id"), ["user_id"], unique=False)

    op.create_table(
        "turf_person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workplace_id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("move_id", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_turf_person_dates_in_order")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_turf_person_contact_id")
        ),
        sa.ForeignKeyConstraint(["move_id"], ["turf_move.id"], name=op.f("fk_turf_person_move_id")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_turf_person_place_id")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_turf_person_recorded_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_turf_person_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["workplace_id"], ["workplace.id"], name=op.f("fk_turf_person_workplace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turf_person")),
        sa.UniqueConstraint("public_id", name=op.f("uq_turf_person_public_id")),
    )
    with op.batch_alter_table("turf_person", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_turf_person_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_turf_person_move_id"), ["move_id"], unique=False)
        batch_op.create_index(
            "ix_turf_person_one_rep",
            ["workplace_id", "contact_id"],
            unique=True,
            sqlite_where=sa.text("valid_to IS NULL AND superseded_at IS NULL"),
            postgresql_where=sa.text("valid_to IS NULL AND superseded_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_turf_person_place_id"), ["place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_turf_person_user_id"), ["user_id"], unique=False)


def downgrade() -> None:
    """Take the three tables away."""
    with op.batch_alter_table("turf_person", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_turf_person_user_id"))
        batch_op.drop_index(batch_op.f("ix_turf_person_place_id"))
        batch_op.drop_index(
            "ix_turf_person_one_rep",
            sqlite_where=sa.text("valid_to IS NULL AND superseded_at IS NULL"),
            postgresql_where=sa.text("valid_to IS NULL AND superseded_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_turf_person_move_id"))
        batch_op.drop_index(batch_op.f("ix_turf_person_contact_id"))

    op.drop_table("turf_person")
    with op.batch_alter_table("turf", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_turf_user_id"))
        batch_op.drop_index(batch_op.f("ix_turf_place_id"))
        batch_op.drop_index(batch_op.f("ix_turf_move_id"))

    op.drop_table("turf")
    with op.batch_alter_table("turf_move", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_turf_move_owner_id"))

    op.drop_table("turf_move")
