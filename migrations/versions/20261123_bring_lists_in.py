"""Lists on their way in: the file, what each of its rows did, and how its columns were matched."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_bring_lists_in"
down_revision = "20261123_act_on_many"


def upgrade() -> None:
    """Add the tables of imports."""
    op.create_table(
        "import_recipe",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "people",
                "places",
                name="import_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("headings_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_import_recipe_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_recipe")),
        sa.UniqueConstraint(
            "owner_id",
            "kind",
            "headings_hash",
            name=op.f("uq_import_recipe_owner_id_kind_headings_hash"),
        ),
    )
    with op.batch_alter_table("import_recipe", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_recipe_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "list_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "people",
                "places",
                name="import_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "origin",
            sa.Enum(
                "our_own",
                "given_by_them",
                "union_agreed",
                "published",
                "employer_system",
                "union_without_leave",
                name="list_origin",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("origin_note", sa.String(length=300), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "matching",
                "checked",
                "importing",
                "stopping",
                "stopped",
                "done",
                "undoing",
                "undone",
                name="import_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_file", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_table", sa.LargeBinary(), nullable=True),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_list_import_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_import")),
        sa.UniqueConstraint("public_id", name=op.f("uq_list_import_public_id")),
    )
    with op.batch_alter_table("list_import", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_list_import_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_list_import_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_list_import_state"), ["state"], unique=False)

    op.create_table(
        "import_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "new",
                "changed",
                "unchanged",
                "possible",
                "problem",
                "left_out",
                name="row_outcome",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "stored",
                "passed_by",
                "undone",
                "kept",
                name="row_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=True),
        sa.Column("faults", sa.JSON(), nullable=True),
        sa.Column("candidates", sa.JSON(), nullable=True),
        sa.Column("effects", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"], ["list_import.id"], name=op.f("fk_import_row_import_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_import_row_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_row")),
        sa.UniqueConstraint("import_id", "row_no", name=op.f("uq_import_row_import_id_row_no")),
    )
    with op.batch_alter_table("import_row", schema=None) as batch_op:
        batch_op.create_index(
            "ix_import_row_import_state", ["import_id", "state", "row_no"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_import_row_owner_id"), ["owner_id"], unique=False)


def downgrade() -> None:
    """Take them away, with what is on its way in."""
    with op.batch_alter_table("import_row", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_row_owner_id"))
        batch_op.drop_index("ix_import_row_import_state")

    op.drop_table("import_row")
    with op.batch_alter_table("list_import", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_list_import_state"))
        batch_op.drop_index(batch_op.f("ix_list_import_owner_id"))
        batch_op.drop_index(batch_op.f("ix_list_import_expires_at"))

    op.drop_table("list_import")
    with op.batch_alter_table("import_recipe", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_recipe_owner_id"))

    op.drop_table("import_recipe")
