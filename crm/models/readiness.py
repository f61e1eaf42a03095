"""What a group holds itself to before it acts; what it checked and decided, dated, with words."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.readiness import Finding
from crm.models.base import AtPlace, Base, Public, Recorded, enum_of


class ReadinessTerms(Public, Recorded, AtPlace, Base):
    """Weights, targets and limits that a group set by its own decision, from a day on.

    They hold for the place and for all places inside it that have none of their own. A new
    decision is a new row; the one with the latest day counts, then the latest recorded.
    """

    __tablename__ = "readiness_terms"

    id: Mapped[int] = mapped_column(primary_key=True)
    from_day: Mapped[date]
    # As crm.domain.readiness.Terms writes and reads it.
    terms: Mapped[dict[str, Any]]
    # Who decided, and where that is written down.
    decided_by: Mapped[str] = mapped_column(sa.String(200))


class ReadinessFinding(Public, Recorded, AtPlace, Base):
    """Something a group checked or decided on a day: yes or no, and who says so.

    It holds for the place and for all inside it, until the next one of its kind.
    """

    __tablename__ = "readiness_finding"
    __table_args__ = (sa.Index("ix_readiness_finding_place_kind", "place_id", "kind", "on_day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Finding] = mapped_column(enum_of(Finding))
    on_day: Mapped[date]
    answer: Mapped[bool]
    words: Mapped[str] = mapped_column(sa.String(300))
