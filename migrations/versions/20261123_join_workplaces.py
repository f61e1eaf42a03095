"""Workplaces may be merged, split or followed by another. A list may say so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_join_workplaces"
down_revision = "20261123_draw_keys_by_lot"

_LISTS = ("people", "places", "ballots", "suppliers")
_TIES = ("supplies",)
_MORE = ("merged_into", "split_into", "followed_by")


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _change(table: str, name: str, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.alter_column(
            "kind",
            existing_type=_enum(name, before),
            type_=_enum(name, after),
            existing_nullable=False,
        )


def upgrade() -> None:
    """Take the new kinds among those that are stored."""
    for table in ("list_import", "import_recipe"):
        _change(table, "import_kind", _LISTS, (*_LISTS, "successions"))
    _change("place_tie", "place_tie_kind", _TIES, (*_TIES, *_MORE))


def downgrade() -> None:
    """Forget what became of workplaces, and lists that said so."""
    op.execute("DELETE FROM place_tie WHERE kind <> 'supplies'")
    op.execute(
        "DELETE FROM import_row WHERE import_id IN "
        "(SELECT id FROM list_import WHERE kind = 'successions')"
    )
    op.execute("DELETE FROM list_import WHERE kind = 'successions'")
    op.execute("DELETE FROM import_recipe WHERE kind = 'successions'")
    _change("place_tie", "place_tie_kind", (*_TIES, *_MORE), _TIES)
    for table in ("list_import", "import_recipe"):
        _change(table, "import_kind", (*_LISTS, "successions"), _LISTS)
