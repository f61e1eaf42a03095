"""A membership list that somebody is working through: sealed, its owner's, and soon gone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.member_list import Queue
from crm.domain.vocabulary import ChangeState
from crm.models.base import Base, Public, Scoped, enum_of


class MemberList(Public, Scoped, Base):
    """The union's list as at a day. Only its owner sees it; its lines go when it is closed."""

    __tablename__ = "member_list"
    # Which of the members who are not on it is who; and words that stand in its cells.
    audit_hides = frozenset({"decided", "settings"})

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    union_id: Mapped[int] = mapped_column(sa.ForeignKey("trade_union.id"))
    # The list is of this branch only; null = of all members the owner was given.
    branch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("branch.id"))
    as_at: Mapped[date]
    made_at: Mapped[datetime]
    # How many lines the file has.
    lines: Mapped[int]
    # What the columns hold; see Settings in crm/domain/member_list.py.
    settings: Mapped[dict[str, Any]]
    # When every line had been held against what is known; null before, and while it is done.
    looked_at: Mapped[datetime | None]
    # "off " and the public id of a member who is not on the list: "aside" to leave them.
    decided: Mapped[dict[str, Any]]
    closed_at: Mapped[datetime | None]


class MemberListPart(Scoped, Base):
    """Some rows of the file as they were read, sealed to the server's secret."""

    __tablename__ = "member_list_part"
    __table_args__ = (sa.UniqueConstraint("list_id", "first_number"),)
    audited = False  # What is said yes to leaves audit rows of its own; the rest nobody keeps.

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(sa.ForeignKey("member_list.id"))
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    # The number of its first row in the file; the part reaches to the next one's.
    first_number: Mapped[int]
    sealed: Mapped[str] = mapped_column(sa.Text)


class MemberListLine(Scoped, Base):
    """What is to be done about one line, without anything that stands in its cells."""

    __tablename__ = "member_list_line"
    __table_args__ = (
        sa.UniqueConstraint("list_id", "number"),
        sa.Index("ix_member_list_line_queue", "list_id", "queue", "number"),
        sa.Index("ix_member_list_line_contact", "list_id", "contact_id"),
    )
    audited = False  # As above.

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(sa.ForeignKey("member_list.id"))
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    number: Mapped[int]
    queue: Mapped[Queue] = mapped_column(enum_of(Queue))
    # True until it is looked at again, after the columns were matched in another way.
    stale: Mapped[bool]
    # Whether one press does what the queue says.
    can_confirm: Mapped[bool]
    # The same row stands in the file before; and no other row has this name.
    repeats: Mapped[bool]
    alone: Mapped[bool]
    # The public id of the person somebody said it is about, "new" for nobody here, "aside".
    told: Mapped[str | None] = mapped_column(sa.String(40))
    # Whom it is about, and whom it may be about. No foreign keys: a record that goes must not be
    # kept by a list.
    contact_id: Mapped[int | None]
    candidates: Mapped[dict[str, Any] | None]


class MemberListAct(Public, Scoped, Base):
    """Something that was said yes to, about one line or many, and can be taken back as one."""

    __tablename__ = "member_list_act"

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(sa.ForeignKey("member_list.id"), index=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    # Null: members who are not on the list.
    queue: Mapped[Queue | None] = mapped_column(enum_of(Queue))
    at: Mapped[datetime] = mapped_column(index=True)
    # When somebody asked for the way back; all of it has been gone when undone_at is set.
    undoing_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]


class MemberListChange(Scoped, Base):
    """One person whom an act wrote about. Gone after 30 days, as the way back is."""

    __tablename__ = "member_list_change"
    __table_args__ = (sa.UniqueConstraint("act_id", "contact_id"),)
    audited = False  # The audit rows of the act itself say what was written.

    id: Mapped[int] = mapped_column(primary_key=True)
    act_id: Mapped[int] = mapped_column(sa.ForeignKey("member_list_act.id"))
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    # No foreign key: somebody who came with the list goes when it is taken back.
    contact_id: Mapped[int]
    is_new: Mapped[bool]
    state: Mapped[ChangeState] = mapped_column(enum_of(ChangeState))
