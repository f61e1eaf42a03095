"""Reads for Today: reminders, and the counts of the week with what is not known."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.speakers import list_speakers
from crm.domain.errors import NotFound
from crm.models.contacts import Contact, StateSpan
from crm.models.conversations import Conversation, FollowUp
from crm.reads.counting import count_people
from crm.reads.people import names_of_users
from crm.reads.places import place_name_of
from crm.reads.talks import LastTalk, last_talks

AHEAD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Reminder:
    """A promise of the actor's to speak to somebody. place_name: where they work.

    rating: where they stand today, None = not asked; scored_on: the day they were.
    done: ticked off since the day began.
    first_due_on: None when it was never put off.
    """

    public_id: uuid.UUID
    contact_public_id: uuid.UUID
    name: str
    place_name: str
    rating: int | None
    scored_on: date | None
    due_on: date
    first_due_on: date | None
    times_put_off: int
    what: str | None
    done: bool
    do_not_contact: bool
    last_talk: LastTalk | None


@dataclass(frozen=True, slots=True)
class OneReminder:
    """A reminder that the actor may put off or pass on. owner: a name, None for nobody known.

    others: users who may log talks where the person works, by public id, the owner left out.
    """

    public_id: uuid.UUID
    name: str
    place_name: str
    due_on: date
    first_due_on: date | None
    times_put_off: int
    what: str | None
    version: int
    done: bool
    own: bool
    owner: str | None
    others: list[tuple[uuid.UUID, str]]


@dataclass(frozen=True, slots=True)
class Reminders:
    """The actor's reminders: due today or before, due in the next seven days, done today."""

    due: list[Reminder]
    coming: list[Reminder]
    done: list[Reminder]


@dataclass(frozen=True, slots=True)
class Week:
    """Talks from Monday to today: the actor's, those at all places in scope, people spoken to."""

    monday: date
    mine: int
    all: int
    people: int


@dataclass(frozen=True, slots=True)
class Asked:
    """How many of the people on the list today we know the standing of; the rest is a gap."""

    on_list: int
    asked: int

    @property
    def not_asked(self) -> int:
        """The people of whom nobody has asked where they stand."""
        return self.on_list - self.asked


def list_reminders(
    session: Session, scope: Scope, *, today: date, day_began: datetime
) -> Reminders:
    """Return the actor's reminders, the longest overdue first. Two statements.

    today and day_began: the reader's day, and the moment it began.
    """
    # Somebody with two jobs has two spans today, somebody who left has none.
    span_of_today = (
        sa.select(sa.func.min(StateSpan.id))
        .where(
            StateSpan.contact_id == FollowUp.contact_id,
            StateSpan.from_day <= today,
            StateSpan.to_day > today,
        )
        .correlate(FollowUp)
        .scalar_subquery()
    )
    rows = session.execute(
        scope.select(
            FollowUp.public_id,
            FollowUp.contact_id,
            FollowUp.due_on,
            FollowUp.first_due_on,
            FollowUp.times_put_off,
            FollowUp.what,
            FollowUp.done_at,
            Contact.public_id.label("contact_public_id"),
            Contact.known_as,
            Contact.placeholder_label,
            Contact.do_not_contact,
            place_name_of(FollowUp.place_id).label("place_name"),
            StateSpan.score.label("rating"),
            StateSpan.scored_on,
            place_name_of(StateSpan.workplace_id).label("workplace_name"),
            place_name_of(StateSpan.area_id).label("area_name"),
        )
        .join(Contact, Contact.id == FollowUp.contact_id)
        .outerjoin(StateSpan, StateSpan.id == span_of_today)
        .where(
            sa.or_(
                sa.and_(
                    FollowUp.owner_id == scope.actor_id,
                    FollowUp.done_at.is_(None),
                    FollowUp.due_on <= today + AHEAD,
                ),
                sa.and_(FollowUp.done_by_id == scope.actor_id, FollowUp.done_at >= day_began),
            )
        )
        .order_by(FollowUp.due_on, Contact.name_key, FollowUp.id)
    ).all()
    talks = last_talks(session, scope, [row.contact_id for row in rows])
    reminders = [_reminder(row, talks) for row in rows]
    waiting = [one for one in reminders if not one.done]
    return Reminders(
        due=[one for one in waiting if one.due_on <= today],
        coming=[one for one in waiting if one.due_on > today],
        done=[one for one in reminders if one.done],
    )


def get_reminder(session: Session, scope: Scope, public_id: uuid.UUID, *, day: date) -> OneReminder:
    """Return a reminder of the actor's own, or one where they share people out.

    day: in UTC, for whom it can go to. Raises NotFound for any other.
    """
    row = session.execute(
        scope.select(
            FollowUp,
            Contact.known_as,
            Contact.placeholder_label,
            place_name_of(FollowUp.place_id).label("place_name"),
            permission=Permission.CONVERSATION_WRITE,
        )
        .join(Contact, Contact.id == FollowUp.contact_id)
        .where(
            FollowUp.public_id == public_id,
            sa.or_(
                FollowUp.owner_id == scope.actor_id,
                scope.reach(Permission.TURF_WRITE, FollowUp.place_id),
            ),
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"follow-up {public_id}")
    found: FollowUp = row[0]
    speakers = list_speakers(session, [found.place_id], day=day)
    return OneReminder(
        public_id=found.public_id,
        name=row.known_as or row.placeholder_label,
        place_name=row.place_name or "",
        due_on=found.due_on,
        first_due_on=found.first_due_on,
        times_put_off=found.times_put_off,
        what=found.what,
        version=found.version,
        done=found.done_at is not None,
        own=found.owner_id == scope.actor_id,
        owner=names_of_users(session, {found.owner_id}).get(found.owner_id),
        others=[(one.public_id, one.name) for one in speakers if one.user_id != found.owner_id],
    )


def count_week(session: Session, scope: Scope, *, today: date) -> Week:
    """Return the counts of talks held from Monday to today, at the places in scope."""
    monday = today - timedelta(days=today.weekday())
    mine = sa.case((Conversation.held_by_id == scope.actor_id, 1))
    row = session.execute(
        scope.select(
            sa.func.count(mine).label("mine"),
            sa.func.count(Conversation.id).label("all"),
            sa.func.count(Conversation.contact_id.distinct()).label("people"),
        ).where(Conversation.day >= monday, Conversation.day <= today)
    ).one()
    return Week(monday=monday, mine=int(row.mine), all=int(row.all), people=int(row.people))


def count_asked(session: Session, scope: Scope, *, today: date) -> Asked:
    """Return how many people work at the places in scope today, and how many of them were asked."""
    spans = scope.select(StateSpan.contact_id, permission=Permission.CONTACT_READ).where(
        StateSpan.from_day <= today, StateSpan.to_day > today
    )
    on_list, asked = count_people(session, scope, spans)
    return Asked(on_list=on_list, asked=asked)


def _reminder(row: Any, talks: dict[int, LastTalk]) -> Reminder:
    return Reminder(
        public_id=row.public_id,
        contact_public_id=row.contact_public_id,
        name=row.known_as or row.placeholder_label,
        place_name=" · ".join(name for name in (row.workplace_name, row.area_name) if name)
        or row.place_name
        or "",
        rating=row.rating,
        scored_on=row.scored_on,
        due_on=row.due_on,
        first_due_on=row.first_due_on,
        times_put_off=row.times_put_off,
        what=row.what,
        done=row.done_at is not None,
        do_not_contact=row.do_not_contact,
        last_talk=talks.get(row.contact_id),
    )
