"""Two records of one person made one, and pairs that somebody said are two people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base, OfContact, Public


class MergedPerson(Public, OfContact, Base):
    """One record that was put into another, with all that is needed to take it out again.

    contact_id is the one that stayed; crm/access/merging.py writes and reads ``done``.
    """

    __tablename__ = "merged_person"
    # Keys of rows, also of those at places and in cases that a reader of the trail may not know.
    # The name too: once the two are apart again, the other is not everybody's to know.
    audit_hides = frozenset({"done", "gone_name"})

    id: Mapped[int] = mapped_column(primary_key=True)
    gone_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id"), index=True)
    # The name the other record went by, so that the page can say whom it was made from.
    gone_name: Mapped[str] = mapped_column(sa.String(120))
    merged_at: Mapped[datetime]
    merged_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    done: Mapped[dict[str, Any]]


class DifferentPeople(Public, OfContact, Base):
    """Somebody looked at these two and said that they are not the same person."""

    __tablename__ = "different_people"
    __table_args__ = (sa.UniqueConstraint("contact_id", "other_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    other_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id"), index=True)
    said_at: Mapped[datetime]
    said_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
