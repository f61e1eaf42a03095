"""Who speaks to whom: areas given to a rep, people picked by hand, and the moves that share them.

Whose somebody is on a day is never stored: crm/domain/turf.py works it out from these facts.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from crm.models.base import AtPlace, Base, OfContact, Public, Scoped, Spell, spell_check

_OPEN = sa.and_(sa.column("valid_to").is_(None), sa.column("superseded_at").is_(None))


class TurfMove(Public, Scoped, Base):
    """One act that gave many people or reminders to others, so that it can be undone as one."""

    __tablename__ = "turf_move"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    # Whose people they were; null when they had nobody, or were several reps'.
    from_user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    made_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class Given(Spell):
    """What both sorts of turf share: the rep, the days [valid_from, valid_to), and the move."""

    @declared_attr
    def user_id(cls) -> Mapped[int]:  # noqa: N805 - declared_attr methods receive the class
        """The rep who speaks to these people."""
        return mapped_column(sa.ForeignKey("user_account.id"), index=True)

    @declared_attr
    def move_id(cls) -> Mapped[int | None]:  # noqa: N805 - as above
        """The move that wrote this row; null when it was written by itself."""
        return mapped_column(sa.ForeignKey("turf_move.id"), index=True)


class Turf(Public, Given, AtPlace, Base):
    """A rep speaks to everyone with a job at a workplace or area, or on one shift of it."""

    __tablename__ = "turf"
    __table_args__ = (spell_check(),)

    id: Mapped[int] = mapped_column(primary_key=True)
    shift_id: Mapped[int | None] = mapped_column(sa.ForeignKey("shift.id"))


class TurfPerson(Public, Given, AtPlace, OfContact, Base):
    """A rep speaks to this person at this workplace, picked by hand.

    place_id is where the person worked when it was written; who may read the row goes by the
    person's jobs at the workplace (see crm/access/scope.py), so that it follows them.
    """

    __tablename__ = "turf_person"
    __table_args__ = (
        spell_check(),
        # Somebody has one rep at a workplace, also when two organisers share people at once.
        sa.Index(
            "ix_turf_person_one_rep",
            "workplace_id",
            "contact_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    workplace_id: Mapped[int] = mapped_column(sa.ForeignKey("workplace.id"))


class FollowUpPass(AtPlace, OfContact, Base):
    """A reminder that went from one user to another."""

    __tablename__ = "follow_up_pass"

    id: Mapped[int] = mapped_column(primary_key=True)
    follow_up_id: Mapped[int] = mapped_column(sa.ForeignKey("follow_up.id"), index=True)
    from_user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    to_user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    passed_at: Mapped[datetime]
    passed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    move_id: Mapped[int | None] = mapped_column(sa.ForeignKey("turf_move.id"), index=True)
    # The reminder's version once it was passed on: a later one has been changed since.
    version: Mapped[int]
