"""Users, their dated grants, invitations, sessions and the sign-in throttle."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.roles import Role
from crm.domain.vocabulary import NoticeKind
from crm.models.base import Base, Public, Spell, enum_of, spell_check


class UserAccount(Public, Base):
    """Somebody who signs in."""

    __tablename__ = "user_account"
    audit_hides = frozenset({"password_hash"})

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    # What they type to sign in, folded; never an employer's mail address.
    sign_in_name: Mapped[str] = mapped_column(sa.String(120), unique=True)
    # Null until the invitation is taken up.
    password_hash: Mapped[str | None] = mapped_column(sa.String(200))
    active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str | None] = mapped_column(sa.String(10))
    theme: Mapped[str | None] = mapped_column(sa.String(8))
    time_zone: Mapped[str | None] = mapped_column(sa.String(40))
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class AccessGrant(Public, Spell, Base):
    """A role for a user over a place and all inside it, for the days [valid_from, valid_to)."""

    __tablename__ = "access_grant"
    __table_args__ = (spell_check(),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    role: Mapped[Role] = mapped_column(enum_of(Role))
    place_id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), index=True)


class Invitation(Base):
    """A one-time link that lets a user set a password. Only a hash of its token is kept."""

    __tablename__ = "invitation"
    audit_hides = frozenset({"token_hash"})

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    invited_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))


class UserSession(Base):
    """A signed-in device. Only a hash of its token is kept."""

    __tablename__ = "user_session"
    audit_hides = frozenset({"token_hash"})

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class AccountNotice(Public, Base):
    """What one user is told that somebody did to an account: theirs, or, to an administrator,
    anybody's. It stands on their first page until they say that they have seen it."""

    __tablename__ = "account_notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    kind: Mapped[NoticeKind] = mapped_column(enum_of(NoticeKind))
    about_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    # Null: done from the command line of the server.
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    role: Mapped[Role | None] = mapped_column(enum_of(Role))
    place_id: Mapped[int | None] = mapped_column(sa.ForeignKey("place.id"))
    made_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]


class CalendarFeed(Base):
    """An address from which a calendar program fetches one user's dates. Only its hash is kept."""

    __tablename__ = "calendar_feed"
    audit_hides = frozenset({"token_hash"})

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    # The last day (UTC) on which it was fetched, so that its owner can see that it is in use.
    read_on: Mapped[date | None]


class SignInAttempt(Base):
    """A failed sign-in, counted per folded name (as a keyed hash) and per network; or a fetch of
    a calendar address, counted per address, and per network when the address is wrong."""

    __tablename__ = "sign_in_attempt"
    audited = False  # Holds nobody's record: counters that are swept every day.
    __table_args__ = (sa.Index("ix_sign_in_attempt_bucket_at", "bucket", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    bucket: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime]
