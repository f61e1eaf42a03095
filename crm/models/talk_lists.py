"""Talk lists: which reminders were shared out in one act, so that it can be undone as one."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import AtPlace, Base, OfContact, Public, Scoped


class TalkList(Public, Scoped, Base):
    """One act that shared people of a workplace between some users, as reminders."""

    __tablename__ = "talk_list"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    workplace_id: Mapped[int] = mapped_column(sa.ForeignKey("workplace.id"))
    made_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class TalkListEntry(AtPlace, OfContact, Base):
    """A reminder that a talk list made."""

    __tablename__ = "talk_list_entry"
    audited = False  # Made with its reminder, which is audited, and never changed.

    follow_up_id: Mapped[int] = mapped_column(sa.ForeignKey("follow_up.id"), primary_key=True)
    talk_list_id: Mapped[int] = mapped_column(sa.ForeignKey("talk_list.id"), index=True)
