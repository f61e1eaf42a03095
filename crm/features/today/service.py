"""Writes for reminders: done, not done after all, later, and somebody else's."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.reminders import pass_on
from crm.access.scope import Scope
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.models.contacts import Contact
from crm.models.conversations import FollowUp
from crm.reads.people import names_of_users

LONGEST_AHEAD = timedelta(days=366)


class DoneAlready(Refusal):
    """A reminder that is ticked off is not put off or passed on."""

    default_message = "This is ticked off already. Undo that first if you still want to do it."


class LaterInThePast(Refusal):
    """The new day is over."""

    default_message = "This day is over. Choose today or a later day."


class LaterTooFarAhead(Refusal):
    """The new day is too far ahead to be anything but a slip."""

    default_message = "This day is more than a year ahead. Check the year."


class AlreadyOnThatDay(Refusal):
    """Nothing would change."""

    default_message = "It is due on that day already. Choose a different day."


class TheirsAlready(Refusal):
    """Nothing would change."""

    default_message = "This person has the reminder already. Choose somebody else."


@dataclass(frozen=True, slots=True)
class Passed:
    """What came of passing a reminder on: about whom, and to whom."""

    person_name: str
    to_name: str


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


def put_off(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    *,
    due_on: date,
    version: int,
    today: date,
) -> str:
    """Move a reminder to another day and return the person's name.

    The first day it was due on is kept, and how often it was put off is counted. version: of the
    reminder as the actor saw it. today: the actor's. Raises NotFound unless it is the actor's own
    or lies where they share people out; DoneAlready, LaterInThePast, LaterTooFarAhead,
    AlreadyOnThatDay, EditConflict.
    """
    reminder, name = _get(session, scope, public_id, to_change=True)
    _check_open(session, reminder, version, due_on=due_on)
    if due_on < today:
        raise LaterInThePast()
    if due_on > today + LONGEST_AHEAD:
        raise LaterTooFarAhead()
    if due_on == reminder.due_on:
        raise AlreadyOnThatDay()
    if reminder.first_due_on is None:
        reminder.first_due_on = reminder.due_on
    reminder.due_on = due_on
    reminder.times_put_off += 1
    reminder.version += 1
    return name


def hand_on(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    *,
    to: uuid.UUID,
    version: int,
    now: datetime,
) -> Passed:
    """Give a reminder to another user who may log talks where the person works.

    version: of the reminder as the actor saw it. Raises NotFound as put_off does; DoneAlready,
    TheirsAlready, EditConflict, and MayNotSeeThem of crm.access.reminders.
    """
    reminder, name = _get(session, scope, public_id, to_change=True)
    _check_open(session, reminder, version)
    to_name, count = pass_on(session, scope, [reminder], to=to, now=now)
    if not count:
        raise TheirsAlready()
    return Passed(person_name=name, to_name=to_name)


def _check_open(
    session: Session, reminder: FollowUp, version: int, due_on: date | None = None
) -> None:
    if reminder.done_at is not None:
        raise DoneAlready()
    if reminder.version != version:
        owner = names_of_users(session, {reminder.owner_id}).get(reminder.owner_id)
        raise EditConflict(
            current={"due_on": reminder.due_on, "owner": owner, "version": reminder.version},
            yours={"due_on": due_on},
        )


def _get(
    session: Session, scope: Scope, public_id: uuid.UUID, *, to_change: bool = False
) -> tuple[FollowUp, str]:
    statement = (
        scope.select(
            FollowUp,
            Contact.known_as,
            Contact.placeholder_label,
            permission=Permission.CONVERSATION_WRITE,
        )
        .join(Contact, Contact.id == FollowUp.contact_id)
        .where(FollowUp.public_id == public_id)
        .with_for_update(of=FollowUp)
    )
    if to_change:
        statement = statement.where(
            sa.or_(
                FollowUp.owner_id == scope.actor_id,
                scope.reach(Permission.TURF_WRITE, FollowUp.place_id),
            )
        )
    found = session.execute(statement).one_or_none()
    if found is None:
        raise NotFound(f"follow-up {public_id}")
    return found[0], found.known_as or found.placeholder_label
