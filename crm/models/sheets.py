"""Talk sheets that were printed: the code on each, and whom each line stands for."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.sheet import Names
from crm.models.base import AtPlace, Base, OfContact, Public, enum_of


class Sheet(Public, AtPlace, Base):
    """One side of paper. Its code means nothing to anybody without this row."""

    __tablename__ = "sheet"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(12), unique=True)
    # Sheets made at once, which are printed together with their key.
    batch_id: Mapped[uuid.UUID] = mapped_column(index=True)
    number: Mapped[int]
    names: Mapped[Names] = mapped_column(enum_of(Names))
    large: Mapped[bool]
    # A code of ASKS; null = the sheet asks nothing.
    ask: Mapped[str | None] = mapped_column(sa.String(80))
    # All on it listen to this person; null = they are on it for another reason. Never printed on
    # the sheet itself: it would tell whoever finds it who leads.
    leader_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id"), index=True)
    # Who talks with the people on it; the talks are theirs, whoever types them in.
    carrier_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    made_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    made_at: Mapped[datetime]


class SheetLine(OfContact, Base):
    """One person on a sheet. talk_id: the id that a talk typed in from this line gets, so that
    the same sheet typed in twice stores it once."""

    __tablename__ = "sheet_line"
    __table_args__ = (sa.UniqueConstraint("sheet_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sheet_id: Mapped[int] = mapped_column(sa.ForeignKey("sheet.id"), index=True)
    number: Mapped[int]
    talk_id: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
