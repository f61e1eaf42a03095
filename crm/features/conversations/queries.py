"""Reads for the log form: the person, where they work, and what was promised to them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.models.contacts import Contact, Job
from crm.models.conversations import Conversation, FollowUp
from crm.models.places import Place


@dataclass(frozen=True, slots=True)
class TalkPlace:
    """A place that a talk with this person can be logged at: an area, or a whole workplace."""

    place_id: int
    public_id: uuid.UUID
    workplace_name: str
    area_name: str | None
    now: bool

    @property
    def label(self) -> str:
        """The names of the workplace and of the area, as far as known."""
        return ", ".join(name for name in (self.workplace_name, self.area_name) if name)


@dataclass(frozen=True, slots=True)
class PersonToLog:
    """A person to log a talk with. places: never empty, the one to propose first.

    Each of the places holds a job of today; or, when there is none, the last one held.
    """

    contact_id: int
    public_id: uuid.UUID
    name: str
    do_not_contact: bool
    places: tuple[TalkPlace, ...]


def get_person(session: Session, scope: Scope, public_id: uuid.UUID, *, today: date) -> PersonToLog:
    """Return the person with the places where the actor may log a talk with them.

    Raises NotFound when there is no such person or none of their jobs lies where the actor logs
    talks. One statement: it runs at every talk that is saved.
    """
    # A second copy of `place` in the joins would not be held to the scope: hence the subselect.
    workplace_name = (
        sa.select(Place.name).where(Place.id == Job.workplace_id).correlate(Job).scalar_subquery()
    )
    rows = session.execute(
        scope.select(
            Contact.id,
            Contact.known_as,
            Contact.placeholder_label,
            Contact.do_not_contact,
            Job.place_id,
            Job.area_id,
            Job.valid_from,
            Job.valid_to,
            Place.public_id.label("place_public_id"),
            Place.name.label("place_name"),
            workplace_name.label("workplace_name"),
        )
        .join(Job, Job.contact_id == Contact.id)
        .join(Place, Place.id == Job.place_id)
        .where(
            Contact.public_id == public_id,
            known(Job),
            scope.reach(Permission.CONVERSATION_WRITE, Job.place_id),
        )
        .order_by(Job.valid_from.desc(), Job.id)
    ).all()
    if not rows:
        raise NotFound(f"contact {public_id}")
    first = rows[0]
    places: dict[int, TalkPlace] = {}
    for row in rows:
        works_now = row.valid_from <= today and (row.valid_to is None or row.valid_to > today)
        place = TalkPlace(
            place_id=row.place_id,
            public_id=row.place_public_id,
            workplace_name=row.workplace_name or "",
            area_name=None if row.area_id is None else row.place_name,
            now=works_now,
        )
        if works_now or row.place_id not in places:
            places[row.place_id] = place
    current = tuple(place for place in places.values() if place.now)
    return PersonToLog(
        contact_id=first.id,
        public_id=public_id,
        name=first.known_as or first.placeholder_label,
        do_not_contact=first.do_not_contact,
        places=current or (next(iter(places.values())),),
    )


def my_reminders(session: Session, scope: Scope, contact_id: int) -> list[date]:
    """Return the days on which the actor's open reminders about a contact are due, in order."""
    return list(
        session.scalars(
            scope.select(FollowUp.due_on, permission=Permission.CONVERSATION_WRITE)
            .where(
                FollowUp.contact_id == contact_id,
                FollowUp.owner_id == scope.actor_id,
                FollowUp.done_at.is_(None),
            )
            .order_by(FollowUp.due_on, FollowUp.id)
        )
    )


@dataclass(frozen=True, slots=True)
class StoredTalk:
    """What is needed of a stored talk to know whether it was sent twice."""

    contact_id: int
    held_by_id: int | None


def find_stored(session: Session, scope: Scope, public_id: uuid.UUID) -> StoredTalk | None:
    """Return the talk that carries this id, or None when there is none in the scope."""
    found = session.execute(
        scope.select(Conversation.contact_id, Conversation.held_by_id).where(
            Conversation.public_id == public_id
        )
    ).one_or_none()
    return None if found is None else StoredTalk(found.contact_id, found.held_by_id)
