"""Writes for one's own calendar address."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from crm.access.feeds import end_feeds, make_feed
from crm.access.scope import Scope
from crm.domain.errors import NotFound


def make_own(session: Session, scope: Scope, *, now: datetime) -> str:
    """Make a new address for the actor and return its token; the one before stops working."""
    return make_feed(session, _self(scope), now=now)


def end_own(session: Session, scope: Scope, *, now: datetime) -> int:
    """End the actor's address; return how many stopped working."""
    return end_feeds(session, _self(scope), now=now)


def _self(scope: Scope) -> int:
    if scope.actor_id is None:
        raise NotFound("no user in this scope")
    return scope.actor_id
