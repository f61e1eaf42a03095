"""Reads for one's own calendar address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from crm.access.feeds import open_feed
from crm.access.scope import Scope


@dataclass(frozen=True, slots=True)
class OwnFeed:
    """The address that works now. read_on: when a program last fetched it; None = never."""

    created_at: datetime
    read_on: date | None


def find_own(session: Session, scope: Scope) -> OwnFeed | None:
    """Return the actor's address, or None when there is none."""
    if scope.actor_id is None:
        return None
    found = open_feed(session, scope.actor_id)
    return None if found is None else OwnFeed(found.created_at, found.read_on)
