"""Ticking reminders off, and taking that back."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.models.contacts import Contact
from crm.models.conversations import FollowUp


def finish(session: Session, scope: Scope, public_id: uuid.UUID, *, now: datetime) -> str:
    """Mark a reminder done and return the person's name. One that is done already stays as it is.

    Raises NotFound unless the reminder lies where the actor may log talks.
    """
    reminder, name = _get(session, scope, public_id)
    if reminder.done_at is None:
        reminder.done_at = now
        reminder.done_by_id = scope.actor_id
        reminder.version += 1
    return name


def reopen(session: Session, scope: Scope, public_id: uuid.UUID) -> str:
    """Mark a reminder as not done after all and return the person's name.

    Raises NotFound unless the reminder lies where the actor may log talks.
    """
    reminder, name = _get(session, scope, public_id)
    if reminder.done_at is not None:
        reminder.done_at = None
        reminder.done_by_id = None
        reminder.version += 1
    return name


def _get(session: Session, scope: Scope, public_id: uuid.UUID) -> tuple[FollowUp, str]:
    found = session.execute(
        scope.select(
            FollowUp,
            Contact.known_as,
            Contact.placeholder_label,
            permission=Permission.CONVERSATION_WRITE,
        )
        .join(Contact, Contact.id == FollowUp.contact_id)
        .where(FollowUp.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotFound(f"follow-up {public_id}")
    return found[0], found.known_as or found.placeholder_label
