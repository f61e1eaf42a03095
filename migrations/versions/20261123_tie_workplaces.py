"""Workplaces are tied to other places: whom they supply. A list may be of suppliers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_tie_workplaces"
down_revision = "20261123_look_for_twins"

_BEFORE = ("people", "places", "ballots")
_AFTER = (*_BEFORE, "suppliers")


def _kind(values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(
        *values, name="import_kind", native_enum=False, create_constraint=True, length=24
    )


def _change(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    for table in ("list_import", "import_recipe"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column(
                "kind", existing_type=_kind(before), type_=_kind(after), existing_nullable=False
            )


def upgrade() -> None:
    """Make the table, and take the new kind among those that are stored."""
    op.create_table(
        "place_tie",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "supplies",
                name="place_tie_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("source_note", sa.String(length=300), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to >= valid_from",
            name=op.f("ck_place_tie_dates_in_order"),
        ),
        sa.ForeignKeyConstraint(["other_id"], ["place.id"], name=op.f("fk_place_tie_other_id")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_place_tie_place_id")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_place_tie_recorded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_tie")),
        sa.UniqueConstraint("public_id", name=op.f("uq_place_tie_public_id")),
    )
    with op.batch_alter_table("place_tie", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_place_tie_place_id"), ["place_id"], unique=False)
        batch_op.create_index("ix_place_tie_other_kind", ["other_id", "kind"], unique=False)
    _change(_BEFORE, _AFTER)


def downgrade() -> None:
    """Forget whom workplaces supply, and lists that said so."""
    op.execute(
        "DELETE FROM import_row WHERE import_id IN "
        "(SELECT id FROM list_import WHERE kind = 'suppliers')"
    )
    op.execute("DELETE FROM list_import WHERE kind = 'suppliers'")
    op.execute("DELETE FROM import_recipe WHERE kind = 'suppliers'")
    _change(_AFTER, _BEFORE)
    op.drop_table("place_tie")
