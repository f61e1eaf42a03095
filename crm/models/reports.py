"""Reports: recipes kept for the next meeting, and files that the worker made."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base, Public, Scoped


class ReportRecipe(Public, Scoped, Base):
    """Which parts somebody wants of a unit's report, and the days it last had. Its owner's own."""

    __tablename__ = "report_recipe"
    __table_args__ = (sa.UniqueConstraint("owner_id", "unit_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    # Names of parts, see PartName in crm/domain/report.py.
    parts: Mapped[list[str]]
    since: Mapped[date]
    as_at: Mapped[date]
    saved_at: Mapped[datetime]


class ReportFile(Public, Scoped, Base):
    """A report as a file, made by the worker for its owner; deleted when it has expired.

    Whoever asks for it must still hold the unit: see features/reports.
    """

    __tablename__ = "report_file"
    audit_hides = frozenset({"content"})

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), index=True)
    # pdf or zip.
    sort: Mapped[str] = mapped_column(sa.String(10))
    since: Mapped[date]
    as_at: Mapped[date]
    # How many figures are in it, for the trail.
    figures: Mapped[int]
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
