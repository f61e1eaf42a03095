"""Talks and what came of them: conversations, notes, assessments, follow-ups."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.domain.assessment import Basis
from crm.domain.vocabulary import Answer, Channel, LengthBand
from crm.models.base import AtPlace, Base, OfContact, Public, Recorded, Scoped, enum_of


class Conversation(Public, AtPlace, OfContact, Base):
    """One organising conversation. Its public_id is made where it was typed, so that sending
    the same talk twice stores it once."""

    __tablename__ = "conversation"
    __table_args__ = (
        # Ends with withdrawn_at, so that "the last talk" is still answered by the index alone.
        sa.Index("ix_conversation_contact_day", "contact_id", "day", "id", "withdrawn_at"),
        # The last talks of somebody, for the log.
        sa.Index("ix_conversation_held_by_recorded", "held_by_id", "recorded_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    held_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    day: Mapped[date]
    held_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    channel: Mapped[Channel | None] = mapped_column(enum_of(Channel))
    length_band: Mapped[LengthBand | None] = mapped_column(enum_of(LengthBand))
    # Codes of STEPS and ASKS in crm/domain/vocabulary.py.
    steps_reached: Mapped[list[str] | None]
    asked: Mapped[str | None] = mapped_column(sa.String(80))
    answer: Mapped[Answer | None] = mapped_column(enum_of(Answer))
    # Counts every change of the talk, its issues and its note.
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    # When its writer took it back: it never was. Scopes leave such rows out, see scope.py.
    withdrawn_at: Mapped[datetime | None]


class ConversationIssue(AtPlace, OfContact, Base):
    """One thing that matters to the person, as raised in one talk."""

    __tablename__ = "conversation_issue"
    __table_args__ = (sa.UniqueConstraint("conversation_id", "issue"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(sa.ForeignKey("conversation.id"), index=True)
    issue: Mapped[str] = mapped_column(sa.String(40), index=True)
    # So that a talk and what came of it are stored in one flush; never read through.
    conversation: Mapped[Conversation] = relationship(lazy="raise")


class ConversationNote(AtPlace, OfContact, Base):
    """The words written down of a talk; kept apart because fewer people may read them."""

    __tablename__ = "conversation_note"

    conversation_id: Mapped[int] = mapped_column(sa.ForeignKey("conversation.id"), primary_key=True)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    their_words: Mapped[str | None] = mapped_column(sa.Text)
    fears: Mapped[str | None] = mapped_column(sa.Text)
    inoculation: Mapped[str | None] = mapped_column(sa.Text)
    next_step: Mapped[str | None] = mapped_column(sa.Text)
    # The language it is written in, so that the page can say so to a screen reader.
    language: Mapped[str | None] = mapped_column(sa.String(10))
    conversation: Mapped[Conversation] = relationship(lazy="raise")


class Assessment(Public, Recorded, AtPlace, OfContact, Base):
    """Where a person stands, 1 (strongest) to 5, on a day. "Not asked" is the absence of a row."""

    __tablename__ = "assessment"
    __table_args__ = (
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="rating_1_to_5"),
        sa.Index("ix_assessment_contact_day", "contact_id", "day", "id", "rating"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("conversation.id"), index=True
    )
    assessor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    day: Mapped[date]
    # The ask it is about; null = in general.
    ask: Mapped[str | None] = mapped_column(sa.String(80))
    rating: Mapped[int] = mapped_column(sa.SmallInteger)
    basis: Mapped[Basis] = mapped_column(enum_of(Basis))
    conversation: Mapped[Conversation | None] = relationship(lazy="raise")


class FollowUp(Public, AtPlace, OfContact, Base):
    """A promise to speak to someone again by a day."""

    __tablename__ = "follow_up"
    __table_args__ = (sa.Index("ix_follow_up_owner_due", "owner_id", "done_at", "due_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    conversation_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("conversation.id"), index=True
    )
    due_on: Mapped[date]
    # The day it was due at first; null when it was never put off.
    first_due_on: Mapped[date | None]
    times_put_off: Mapped[int] = mapped_column(default=0, server_default="0")
    what: Mapped[str | None] = mapped_column(sa.String(200))
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    version: Mapped[int] = mapped_column(default=1)
    # Set when the talk that it came from was taken back. Scopes leave such rows out.
    withdrawn_at: Mapped[datetime | None]
    conversation: Mapped[Conversation | None] = relationship(lazy="raise")


class KeptTalk(Public, Scoped, Base):
    """What somebody typed about a talk that is not stored yet: unfinished, or refused.

    Only its writer sees it. It goes when the talk is stored, or thrown away by the writer.
    """

    __tablename__ = "kept_talk"
    __table_args__ = (sa.UniqueConstraint("owner_id", "talk_id"),)
    # The trail says that something was kept, never what: it is not a record of anybody yet.
    audit_hides = frozenset({"fields", "contact_public_id"})

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    # The id the talk will have. Made where it was typed, so that a second sending is the same one.
    talk_id: Mapped[uuid.UUID]
    # Not a key to the contact: the writer may have lost sight of the person since.
    contact_public_id: Mapped[uuid.UUID]
    fields: Mapped[dict[str, Any]]
    # A sentence for the writer; null for a talk that is only unfinished.
    reason: Mapped[str | None] = mapped_column(sa.String(500))
    typed_at: Mapped[datetime]
    kept_at: Mapped[datetime]


class TakenTap(Base):
    """The mark of a tap that a phone sent: it was taken, and is not stored a second time.

    Nothing says whose tap it was, of whom, or in which list: of a vote nothing may stay behind.
    """

    __tablename__ = "taken_tap"
    audited = False  # Holds nobody's record: random marks that are swept after some days.

    tap_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    taken_on: Mapped[date] = mapped_column(index=True)
