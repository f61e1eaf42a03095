"""A list may be of ballots and their results."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_bring_ballots_in"
down_revision = "20261123_weigh_readiness"

_BEFORE = ("people", "places")
_AFTER = (*_BEFORE, "ballots")


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
    """Take the new kind among those that are stored."""
    _change(_BEFORE, _AFTER)


def downgrade() -> None:
    """Forget lists of the new kind; what they brought stays."""
    op.execute(
        "DELETE FROM import_row WHERE import_id IN "
        "(SELECT id FROM list_import WHERE kind = 'ballots')"
    )
    op.execute("DELETE FROM list_import WHERE kind = 'ballots'")
    op.execute("DELETE FROM import_recipe WHERE kind = 'ballots'")
    _change(_AFTER, _BEFORE)
