"""The few who were put into another record, or are not to be spoken to, are listed apart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_list_merged_apart"
down_revision = "20261123_keep_fronts"

_NAME = "ix_contact_merged_into_id"
_SILENT = "ix_contact_do_not_contact"


def upgrade() -> None:
    """Index only the few who are; and those whom somebody added, the newest first.

    With all in it, SQLite, which keeps no statistics at first, took the index for "not put into
    another": it went through everybody to show one rep the day. And it went through everybody to
    find whom nobody is to speak to, and whom a rep had added.
    """
    op.drop_index(_NAME, "contact")
    put = sa.text("merged_into_id IS NOT NULL")
    op.create_index(_NAME, "contact", ["merged_into_id"], sqlite_where=put, postgresql_where=put)
    silent = sa.column("do_not_contact").is_(True)
    op.create_index("ix_contact_created", "contact", ["created_by_id", "created_at"])
    op.create_index(_SILENT, "contact", ["id"], sqlite_where=silent, postgresql_where=silent)


def downgrade() -> None:
    """Index all again."""
    op.drop_index(_SILENT, "contact")
    op.drop_index("ix_contact_created", "contact")
    op.drop_index(_NAME, "contact")
    op.create_index(_NAME, "contact", ["merged_into_id"])
