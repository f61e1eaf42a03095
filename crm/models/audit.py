"""The audit log: append-only, kept so by triggers in the database (see migrations)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.vocabulary import Verb
from crm.models.base import Base, Scoped, enum_of


class AuditEntry(Scoped, Base):
    """Who did what to which row, when, with the old and new values of what changed."""

    __tablename__ = "audit_entry"
    __table_args__ = (sa.Index("ix_audit_entry_subject", "subject", "subject_id"),)
    audited = False  # It is the audit.

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    # Null: done from the command line or by the worker; the reason then says why.
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    verb: Mapped[Verb] = mapped_column(enum_of(Verb))
    # The table's name and the row's key; contact and place where the row has them.
    subject: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[int | None]
    subject_public_id: Mapped[uuid.UUID | None]
    contact_id: Mapped[int | None] = mapped_column(index=True)
    place_id: Mapped[int | None] = mapped_column(index=True)
    # Set for whatever belongs to a case: only its team reads the row.
    case_id: Mapped[int | None] = mapped_column(index=True)
    old: Mapped[dict[str, Any] | None]
    new: Mapped[dict[str, Any] | None]
    reason: Mapped[str | None] = mapped_column(sa.String(200))
    request_id: Mapped[str | None] = mapped_column(sa.String(32), index=True)
