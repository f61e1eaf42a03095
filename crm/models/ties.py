"""Who listens to whom, who leads, and the groups that people form by themselves at work."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.cover import FoundBy, Stage, TieBasis
from crm.domain.vocabulary import GroupKind
from crm.models.base import AtPlace, Base, OfContact, Public, Spell, enum_of, spell_check


class Tie(Public, Spell, AtPlace, OfContact, Base):
    """The person listens to another at a workplace, as somebody said, for days.

    place_id is where the one who listens worked when it was written: the area when it is known,
    else the workplace. Who may read the row goes by both people's jobs at the workplace.
    """

    __tablename__ = "tie"
    __table_args__ = (
        spell_check(),
        sa.CheckConstraint("contact_id <> leader_id", name="not_to_themselves"),
        sa.Index("ix_tie_workplace_from_to", "workplace_id", "valid_from", "valid_to"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    workplace_id: Mapped[int] = mapped_column(sa.ForeignKey("workplace.id"))
    leader_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id"), index=True)
    basis: Mapped[TieBasis] = mapped_column(enum_of(TieBasis))
    # The person who told us; null = not written down, or one of us saw it.
    said_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id"), index=True)


class Leading(Public, Spell, AtPlace, OfContact, Base):
    """The person was found to be a leader at a workplace, or confirmed as one, for days.

    Both may stand at once: the stage that counts is the surer one. place_id as of a tie.
    """

    __tablename__ = "leading"
    __table_args__ = (
        spell_check(),
        sa.CheckConstraint(
            "(stage = 'identified' AND found_by IS NOT NULL)"
            " OR (stage = 'confirmed' AND action IS NOT NULL AND action_on IS NOT NULL"
            " AND listeners >= 1 AND acted BETWEEN 0 AND listeners)",
            name="has_its_evidence",
        ),
        sa.Index("ix_leading_workplace_from_to", "workplace_id", "valid_from", "valid_to"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    workplace_id: Mapped[int] = mapped_column(sa.ForeignKey("workplace.id"))
    stage: Mapped[Stage] = mapped_column(enum_of(Stage))
    found_by: Mapped[FoundBy | None] = mapped_column(enum_of(FoundBy))
    # What the leader asked people to do, on which day, how many listened to the leader that day
    # and how many of them did it.
    action: Mapped[str | None] = mapped_column(sa.String(120))
    action_on: Mapped[date | None]
    listeners: Mapped[int | None]
    acted: Mapped[int | None]


class SocialGroup(Public, AtPlace, Base):
    """A group that people at a workplace form by themselves: a car share, a language, a team."""

    __tablename__ = "social_group"
    __table_args__ = (
        # Which language people speak or where they pray tells of origin and belief.
        sa.CheckConstraint(
            "kind NOT IN ('language', 'prayer') OR need_to_know", name="belief_is_need_to_know"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[GroupKind] = mapped_column(enum_of(GroupKind))
    # True: seen only by those who may read notes, and by whoever wrote it down.
    need_to_know: Mapped[bool]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    closed_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)


class GroupMember(Public, Spell, AtPlace, OfContact, Base):
    """The person is in a group for days."""

    __tablename__ = "group_member"
    __table_args__ = (spell_check(),)

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(sa.ForeignKey("social_group.id"), index=True)
