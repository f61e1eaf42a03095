"""A talk can be taken back by its writer, with the reminders that came of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_take_talks_back"
down_revision = "20261123_keep_talks"

_INDEX = "ix_conversation_contact_day"


def upgrade() -> None:
    """Add the marks, and put the new one into the index that finds somebody's last talk."""
    op.add_column(
        "conversation",
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
    )
    op.add_column(
        "conversation", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("follow_up", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_index(_INDEX, "conversation")
    op.create_index(_INDEX, "conversation", ["contact_id", "day", "id", "withdrawn_at"])


def downgrade() -> None:
    """Take the marks away. A talk that was taken back would come to life again: it goes."""
    # The parts of a talk that was taken back hang on it; its assessments stay as they are.
    conversation = sa.table("conversation", sa.column("id"), sa.column("withdrawn_at"))
    gone = sa.select(conversation.c.id).where(conversation.c.withdrawn_at.is_not(None))
    for name in ("conversation_issue", "conversation_note"):
        part = sa.table(name, sa.column("conversation_id"))
        op.execute(sa.delete(part).where(part.c.conversation_id.in_(gone)))
    reminder = sa.table("follow_up", sa.column("conversation_id"), sa.column("withdrawn_at"))
    op.execute(sa.delete(reminder).where(reminder.c.withdrawn_at.is_not(None)))
    for name in ("assessment", "follow_up"):
        part = sa.table(name, sa.column("conversation_id"))
        op.execute(
            sa.update(part).where(part.c.conversation_id.in_(gone)).values(conversation_id=None)
        )
    op.execute(sa.delete(conversation).where(conversation.c.withdrawn_at.is_not(None)))
    op.drop_index(_INDEX, "conversation")
    op.create_index(_INDEX, "conversation", ["contact_id", "day", "id"])
    op.drop_column("follow_up", "withdrawn_at")
    op.drop_column("conversation", "withdrawn_at")
    op.drop_column("conversation", "version")
