"""A membership list that somebody is working through: sealed, its owner's, and soon gone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base, Public, Scoped


class MemberList(Public, Scoped, Base):
    """The union's list as at a day. Only its owner sees it; its lines go when it is closed."""

    __tablename__ = "member_list"
    # Lines of people who may not be known here; and which of them is who.
    audit_hides = frozenset({"sealed", "decided"})

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    union_id: Mapped[int] = mapped_column(sa.ForeignKey("trade_union.id"))
    # The list is of this branch only; null = of all members the owner was given.
    branch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("branch.id"))
    as_at: Mapped[date]
    made_at: Mapped[datetime]
    # How many lines the file has; the lines themselves are sealed, and null once it is closed.
    lines: Mapped[int]
    sealed: Mapped[str | None] = mapped_column(sa.Text)
    # By line: the public id of the person it is about, "new" for nobody here, "aside" to leave it.
    decided: Mapped[dict[str, Any]]
    closed_at: Mapped[datetime | None]
