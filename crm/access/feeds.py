"""Private calendar addresses: made, found by their token, and ended."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.tokens import new_token, token_hash
from crm.models.accounts import CalendarFeed, UserAccount


def make_feed(session: Session, user_id: int, *, now: datetime) -> str:
    """Store a new address for the user and return its token; older addresses stop working."""
    end_feeds(session, user_id, now=now)
    token = new_token()
    session.add(CalendarFeed(token_hash=token_hash(token), user_id=user_id, created_at=now))
    session.flush()
    return token


def end_feeds(session: Session, user_id: int, *, now: datetime) -> int:
    """End the user's address, if there is one; return how many stopped working."""
    still_open = session.scalars(
        sa.select(CalendarFeed).where(
            CalendarFeed.user_id == user_id, CalendarFeed.ended_at.is_(None)
        )
    ).all()
    for one in still_open:
        one.ended_at = now
    return len(still_open)


def open_feed(session: Session, user_id: int) -> CalendarFeed | None:
    """Return the user's address that works now, or None."""
    return session.scalars(
        sa.select(CalendarFeed).where(
            CalendarFeed.user_id == user_id, CalendarFeed.ended_at.is_(None)
        )
    ).first()


def find_feed(session: Session, token: str) -> tuple[CalendarFeed, UserAccount] | None:
    """Return the address of a token and whose it is; None for one that is wrong, was ended, or
    belongs to a closed account. All of these cost the same one look-up."""
    row = session.execute(
        sa.select(CalendarFeed, UserAccount)
        .join(UserAccount, UserAccount.id == CalendarFeed.user_id)
        .where(
            CalendarFeed.token_hash == token_hash(token),
            CalendarFeed.ended_at.is_(None),
            UserAccount.active.is_(True),
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def note_read(feed: CalendarFeed, day: date) -> None:
    """Write down that an address was fetched on a day (UTC); once a day, so as not to fill the
    trail."""
    if feed.read_on != day:
        feed.read_on = day
