"""Passing reminders on: the one place that gives a reminder to another user."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.access.speakers import Speaker, list_speakers
from crm.domain.errors import Refusal
from crm.models.conversations import FollowUp
from crm.models.turf import FollowUpPass, TurfMove


class MayNotSeeThem(Refusal):
    """The one chosen may not log talks where the person works."""

    default_message = (
        "The one you chose may not see this person: their role does not cover where the person "
        "works. Choose somebody from the list."
    )


def find_speaker(
    session: Session, reminders: Sequence[FollowUp], to: uuid.UUID, *, now: datetime
) -> Speaker:
    """Return the user to whom all of these reminders can go. Raises MayNotSeeThem.

    to: a public id; of nobody, or of somebody without a role there, looks the same.
    """
    places = {one.place_id for one in reminders}
    speakers = list_speakers(session, sorted(places), day=now.date())
    found = next((one for one in speakers if one.public_id == to), None)
    if found is None or not places <= found.place_ids:
        raise MayNotSeeThem()
    return found


def pass_on(
    session: Session,
    scope: Scope,
    reminders: Sequence[FollowUp],
    *,
    to: uuid.UUID,
    now: datetime,
    move: TurfMove | None = None,
) -> tuple[str, int]:
    """Give open reminders to another user; return the user's name and how many went.

    reminders: found by the caller in the scope. Those that are the user's already stay.
    move: the act this is part of. Raises MayNotSeeThem; then nothing is written.
    """
    speaker = find_speaker(session, reminders, to, now=now)
    gone = [one for one in reminders if one.owner_id != speaker.user_id]
    for one in gone:
        give(session, scope, one, speaker.user_id, now=now, move_id=move.id if move else None)
    return speaker.name, len(gone)


def give(
    session: Session,
    scope: Scope,
    reminder: FollowUp,
    user_id: int,
    *,
    now: datetime,
    move_id: int | None,
) -> None:
    """Write that a reminder goes to a user, without asking whether it may."""
    reminder.version += 1
    session.add(
        FollowUpPass(
            follow_up_id=reminder.id,
            contact_id=reminder.contact_id,
            place_id=reminder.place_id,
            from_user_id=reminder.owner_id,
            to_user_id=user_id,
            passed_at=now,
            passed_by_id=scope.actor_id,
            move_id=move_id,
            version=reminder.version,
        )
    )
    reminder.owner_id = user_id


def is_untouched(reminder: FollowUp) -> bool:
    """Return True for a reminder that nobody has done anything about since it was made."""
    # Every change raises the version; a talk that answers it sets done_at.
    return reminder.version == 1 and reminder.done_at is None


def take_back(reminder: FollowUp, *, now: datetime) -> None:
    """Mark a reminder as never given. The caller has asked whether it is untouched."""
    reminder.withdrawn_at = now
    reminder.version += 1
