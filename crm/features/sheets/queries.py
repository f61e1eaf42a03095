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
from crm.models.conversations import Conversation, FollowUp
from crm.models.places import Place, PlaceClosure
from crm.models.sheets import Sheet, SheetLine
from crm.reads.people import get_contact, shown_name
from crm.reads.places import place_name_of
from crm.reads.ties import get_following, ties_of
from crm.reads.turf import list_my_people


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody for a sheet. place_id: inner id of a place where talks with them may be logged."""

    contact_id: int
    place_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Party:
    """People who go on sheets of their own. leader: whom they all listen to, as (inner id, name);
    None = they are together for another reason."""

    leader: tuple[int, str] | None
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class People:
    """Whom the sheets are for. title: of what; left_out: people not to be contacted.

    place_id: inner id of the place they were asked for, None when it was not by a place.
    parties: at least one person in each. Somebody who listens to two leaders is in two.
    led_by_nobody: people there who listen to no leader, and so are in no party of a leader;
    carriers: users who may log talks with all of them, as (public id, inner id, name).
    """

    title: str
    place_id: int | None
    parties: tuple[Party, ...]
    left_out: int
    led_by_nobody: int
    carriers: tuple[tuple[uuid.UUID, int, str], ...]

    @property
    def count(self) -> int:
        """Return how many different people there are."""
        return len({one.contact_id for party in self.parties for one in party.people})


@dataclass(frozen=True, slots=True)
class Source:
    """Which people: of a place, of a leader, or, with none of these, the actor's own.

    by_leader: those of the place who listen to a leader, a party for each. promised: to whom the
    actor has promised to speak. picked: those ticked or listed elsewhere, by public id.
    """

    place: uuid.UUID | None = None
    leader: uuid.UUID | None = None
    by_leader: bool = False
    promised: bool = False
    picked: tuple[uuid.UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Spot:
    """A workplace or area where talks may be logged."""

    public_id: uuid.UUID
    name: str
    is_area: bool


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
    title = ""
    if source.leader is not None:
        title, wanted = _followers(session, scope, source.leader, today)
    elif source.place is not None:
        place = _place(session, scope, source.place)
        title, place_id = place.name, place.id
        wanted = Job.place_id.in_(
            sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == place.id)
        )
    elif source.picked:
        wanted = Contact.public_id.in_(source.picked)
    elif source.promised:
        wanted = Job.contact_id.in_(_promised(session, scope))
    else:
        mine = [one.contact_id for one in list_my_people(session, scope, today=today)]
        wanted = Job.contact_id.in_(mine)
    rows = session.execute(
        scope.select(
            Contact.id,
            Contact.known_as,
            Contact.placeholder_label,
            Contact.do_not_contact,
            Job.place_id,
            Job.workplace_id,
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
    parties = [Party(None, tuple(found.values()))] if found else []
    led_by_nobody = 0
    if source.by_leader and found:
        sites = {row.workplace_id for row in rows}
        parties = _by_leader(session, scope, found, sites, today)
        led = {one.contact_id for party in parties for one in party.people}
        led_by_nobody = len(found) - len(led)
    places = {one.place_id for party in parties for one in party.people}
    carriers = [
        (one.public_id, one.user_id, one.name)
        for one in list_speakers(session, sorted(places), day=day)
        if places <= one.place_ids
    ]
    return People(title, place_id, tuple(parties), len(alone), led_by_nobody, tuple(carriers))


def _by_leader(
    session: Session, scope: Scope, found: dict[int, Person], sites: set[int], today: date
) -> list[Party]:
    """Return those who listen to a leader, leader by leader in the order of their names."""
    listeners: dict[int, dict[int, Person]] = {}
    for site in sorted(sites):
        following = get_following(session, scope, site, as_at=today)
        for person_id, leader_id in following.ties:
            if leader_id in following.stages and person_id in found:
                listeners.setdefault(leader_id, {})[person_id] = found[person_id]
    leaders = session.execute(
        scope.select(Contact.id, Contact.known_as, Contact.placeholder_label)
        .where(Contact.id.in_(sorted(listeners)))
        .order_by(Contact.name_key, Contact.id)
    ).all()
    order = {contact_id: place for place, contact_id in enumerate(found)}
    return [
        Party(
            (row.id, row.known_as or row.placeholder_label),
            tuple(sorted(listeners[row.id].values(), key=lambda one: order[one.contact_id])),
        )
        for row in leaders
    ]


def _promised(session: Session, scope: Scope) -> list[int]:
    return list(
        session.scalars(
            scope.select(FollowUp.contact_id, permission=Permission.CONVERSATION_WRITE).where(
                FollowUp.owner_id == scope.actor_id, FollowUp.done_at.is_(None)
            )
        )
    )


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


def get_spot(session: Session, scope: Scope, public_id: uuid.UUID) -> Spot:
    """Return a workplace or area where talks may be logged. Raises NotFound."""
    place = _place(session, scope, public_id)
    return Spot(place.public_id, place.name, place.kind is PlaceKind.AREA)


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
