"""Whom a talk sheet is for: the people of a place, one's own, or those who listen to a leader."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.speakers import list_speakers
from crm.domain.errors import NotFound
from crm.domain.vocabulary import PlaceKind
from crm.models.contacts import Contact, Job
from crm.models.conversations import Conversation
from crm.models.places import Place, PlaceClosure
from crm.models.sheets import Sheet, SheetLine
from crm.reads.people import get_contact, shown_name
from crm.reads.places import place_name_of
from crm.reads.ties import ties_of
from crm.reads.turf import list_my_people


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody for a sheet. place_id: inner id of a place where talks with them may be logged."""

    contact_id: int
    place_id: int
    name: str


@dataclass(frozen=True, slots=True)
class People:
    """Whom the sheets are for. title: of what; left_out: people not to be contacted.

    place_id: inner id of the place they were asked for, None when it was not by a place.
    carriers: users who may log talks with all of them, as (public id, inner id, name).
    """

    title: str
    place_id: int | None
    people: tuple[Person, ...]
    left_out: int
    carriers: tuple[tuple[uuid.UUID, int, str], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Which people: of a place, of a leader, or, with neither, the actor's own."""

    place: uuid.UUID | None = None
    leader: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class BatchRow:
    """Sheets made at once. typed: lines of which a talk is stored."""

    batch_id: uuid.UUID
    place_name: str
    made_at: datetime
    sheets: int
    lines: int
    typed: int


def find_people(
    session: Session, scope: Scope, source: Source, *, today: date, day: date
) -> People:
    """Return the people for the sheets who work there today and with whom talks may be logged.

    today: the reader's. day: in UTC, as grants are reckoned. Raises NotFound for a place or
    leader out of scope.
    """
    place_id: int | None = None
    if source.leader is not None:
        title, wanted = _followers(session, scope, source.leader, today)
    elif source.place is not None:
        place = _place(session, scope, source.place)
        title, place_id = place.name, place.id
        wanted = Job.place_id.in_(
            sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == place.id)
        )
    else:
        mine = [one.contact_id for one in list_my_people(session, scope, today=today)]
        title, wanted = "", Job.contact_id.in_(mine)
    rows = session.execute(
        scope.select(
            Contact.id,
            Contact.known_as,
            Contact.placeholder_label,
            Contact.do_not_contact,
            Job.place_id,
        )
        .join(Job, Job.contact_id == Contact.id)
        .where(
            known(Job),
            covers(Job, today),
            scope.reach(Permission.CONVERSATION_WRITE, Job.place_id),
            wanted,
        )
        .order_by(place_name_of(Job.place_id), Contact.name_key, Contact.id, Job.id)
    ).all()
    found: dict[int, Person] = {}
    alone: set[int] = set()
    for row in rows:
        if row.do_not_contact:
            alone.add(row.id)
        else:
            name = row.known_as or row.placeholder_label
            found.setdefault(row.id, Person(row.id, row.place_id, name))
    places = {one.place_id for one in found.values()}
    carriers = [
        (one.public_id, one.user_id, one.name)
        for one in list_speakers(session, sorted(places), day=day)
        if places <= one.place_ids
    ]
    return People(title, place_id, tuple(found.values()), len(alone), tuple(carriers))


def list_batches(session: Session, scope: Scope, *, limit: int) -> list[BatchRow]:
    """Return the sheets that the actor made last, the latest first. One statement."""
    rows = session.execute(
        scope.select(
            Sheet.batch_id,
            sa.func.min(place_name_of(Sheet.place_id)).label("place_name"),
            sa.func.min(Sheet.made_at).label("made_at"),
            sa.func.count(Sheet.id.distinct()).label("sheets"),
            sa.func.count(SheetLine.id.distinct()).label("lines"),
            sa.func.count(Conversation.id.distinct()).label("typed"),
        )
        .join(SheetLine, SheetLine.sheet_id == Sheet.id)
        .outerjoin(Conversation, Conversation.public_id == SheetLine.talk_id)
        .where(Sheet.made_by_id == scope.actor_id)
        .group_by(Sheet.batch_id)
        .order_by(sa.func.min(Sheet.made_at).desc())
        .limit(limit)
    )
    return [
        BatchRow(
            row.batch_id,
            row.place_name or "",
            row.made_at,
            int(row.sheets),
            int(row.lines),
            int(row.typed),
        )
        for row in rows
    ]


def get_place_name(session: Session, scope: Scope, public_id: uuid.UUID) -> str:
    """Return the name of a workplace or area where talks may be logged. Raises NotFound."""
    return _place(session, scope, public_id).name


def _place(session: Session, scope: Scope, public_id: uuid.UUID) -> Place:
    place: Place | None = session.scalars(
        scope.select(Place, permission=Permission.CONVERSATION_WRITE).where(
            Place.public_id == public_id,
            Place.kind.in_([PlaceKind.WORKPLACE, PlaceKind.AREA]),
        )
    ).one_or_none()
    if place is None:
        raise NotFound(f"place {public_id}")
    return place


def _followers(
    session: Session, scope: Scope, leader: uuid.UUID, today: date
) -> tuple[str, sa.ColumnElement[bool]]:
    contact = get_contact(session, scope, leader, permission=Permission.CONVERSATION_WRITE)
    ties = ties_of(session, scope, contact.id, as_at=today)
    people = {one.person_id for site in ties for one in site.listened_by}
    return shown_name(contact), Contact.public_id.in_(sorted(people))
