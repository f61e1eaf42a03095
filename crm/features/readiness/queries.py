"""Units, the people to go and see, and what was decided. Every read runs under a scope."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.assessment import ExpiryRule
from crm.domain.errors import NotFound
from crm.domain.readiness import Finding, Terms
from crm.domain.vocabulary import PlaceKind
from crm.models.contacts import Contact, StateSpan
from crm.models.conversations import FollowUp
from crm.models.places import Place, PlaceClosure
from crm.models.readiness import ReadinessFinding, ReadinessTerms
from crm.reads.decisions import Unit
from crm.reads.people import names_of_users
from crm.reads.places import place_name_of
from crm.reads.readiness import Wanted, in_charge_now, wanted

# A list that somebody can still read, and that can be shared out at one go.
MOST_PEOPLE = 200
MOST_UNITS = 100
_UNITS = (
    PlaceKind.BRANCH,
    PlaceKind.EMPLOYER,
    PlaceKind.WORKPLACE,
    PlaceKind.UNION,
    PlaceKind.REGION,
    PlaceKind.EVERYTHING,
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to go and see. rep: who looks after them, None = nobody. Ids are inner ones."""

    contact_id: int
    public_id: uuid.UUID
    name: str
    place_id: int
    place: str
    rep_id: int | None
    rep: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The people of one gap, by place and name. busy: others who are on somebody's list already.

    left_out: people beyond the most that are shown.
    """

    people: tuple[Person, ...]
    busy: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Kept:
    """One row of what was decided or found, newest first. by: who wrote it down."""

    day: date
    recorded_at: datetime
    by: str | None
    words: str
    kind: Finding | None = None
    answer: bool | None = None
    terms: Terms | None = None


def get_unit(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    *,
    permission: Permission = Permission.DENSITY_READ,
) -> Unit:
    """Return the place. Raises NotFound unless the scope has the right over all of it.

    Half a unit would give a wrong figure under the unit's name, so holding a part is not enough.
    """
    row = session.execute(
        scope.select(
            Place.id, Place.public_id, Place.kind, Place.name, permission=permission
        ).where(Place.public_id == public_id, Place.kind.in_(_UNITS))
    ).one_or_none()
    if row is None:
        raise NotFound(f"unit {public_id}")
    return Unit(row.id, row.public_id, row.kind, row.name)


def list_units(session: Session, scope: Scope) -> tuple[list[Unit], bool]:
    """Return the places whose readiness this scope may see, widest first; and if there are more."""
    order = sa.case(
        {kind.value: number for number, kind in enumerate(reversed(_UNITS))}, value=Place.kind
    )
    rows = session.execute(
        scope.select(
            Place.id,
            Place.public_id,
            Place.kind,
            Place.name,
            permission=Permission.DENSITY_READ,
        )
        .where(Place.kind.in_(_UNITS), Place.closed_on.is_(None))
        .order_by(order, Place.name, Place.id)
        .limit(MOST_UNITS + 1)
    ).all()
    found = [Unit(row.id, row.public_id, row.kind, row.name) for row in rows]
    return found[:MOST_UNITS], len(found) > MOST_UNITS


def list_people(
    session: Session,
    scope: Scope,
    unit: Unit,
    want: Wanted,
    *,
    today: date,
    day: date,
    expiry: ExpiryRule,
) -> Waiting:
    """Return who of the unit should be seen about something, where the actor logs talks.

    Left out: people who are not to be contacted, and those with an open reminder of anybody.
    day: today in UTC. Seven statements, whatever the number of people.
    """
    busy = sa.exists(
        sa.select(sa.literal(1)).where(
            FollowUp.contact_id == Contact.id, FollowUp.done_at.is_(None)
        )
    )
    rows = list(
        session.execute(
            scope.select(
                Contact.id,
                Contact.public_id,
                sa.func.coalesce(Contact.known_as, Contact.placeholder_label).label("name"),
                StateSpan.place_id,
                StateSpan.workplace_id,
                place_name_of(StateSpan.place_id).label("place"),
                busy.label("busy"),
            )
            .join(StateSpan, StateSpan.contact_id == Contact.id)
            .where(
                StateSpan.from_day <= today,
                StateSpan.to_day > today,
                StateSpan.place_id.in_(
                    sa.select(PlaceClosure.descendant_id).where(
                        PlaceClosure.ancestor_id == unit.place_id
                    )
                ),
                scope.reach(Permission.CONVERSATION_WRITE, StateSpan.place_id),
                Contact.do_not_contact.is_(False),
                wanted(want, today, expiry),
            )
            .order_by(Contact.name_key, Contact.id, StateSpan.id)
        )
    )
    rows.sort(key=lambda row: (row.place or "").casefold())
    once = {row.id: row for row in reversed(rows)}
    free = [row for row in rows if once.get(row.id) is row and not row.busy]
    shown = free[:MOST_PEOPLE]
    ids = {row.id for row in shown}
    jobs = in_charge_now(session, scope, {row.workplace_id for row in shown}, as_at=today, day=day)
    reps = {(job.contact_id, job.workplace_id): job.rep_id for job in jobs if job.contact_id in ids}
    names = names_of_users(session, {rep for rep in reps.values() if rep is not None})
    return Waiting(
        people=tuple(
            Person(
                contact_id=row.id,
                public_id=row.public_id,
                name=row.name,
                place_id=row.place_id,
                place=row.place or "",
                rep_id=(rep := reps.get((row.id, row.workplace_id))),
                rep=names.get(rep) if rep is not None else None,
            )
            for row in shown
        ),
        busy=sum(row.busy for row in once.values()),
        left_out=len(free) - len(shown),
    )


def list_terms(session: Session, scope: Scope, unit: Unit) -> list[Kept]:
    """Return the terms that the unit itself ever decided on, newest first."""
    rows = session.execute(
        scope.select(
            ReadinessTerms.from_day,
            ReadinessTerms.recorded_at,
            ReadinessTerms.recorded_by_id,
            ReadinessTerms.decided_by,
            ReadinessTerms.terms,
        )
        .where(ReadinessTerms.place_id == unit.place_id, known(ReadinessTerms))
        .order_by(
            ReadinessTerms.from_day.desc(),
            ReadinessTerms.recorded_at.desc(),
            ReadinessTerms.id.desc(),
        )
    ).all()
    names = names_of_users(session, {row.recorded_by_id for row in rows if row.recorded_by_id})
    return [
        Kept(
            day=row.from_day,
            recorded_at=row.recorded_at,
            by=names.get(row.recorded_by_id),
            words=row.decided_by,
            terms=Terms.from_json(row.terms),
        )
        for row in rows
    ]


def list_findings(session: Session, scope: Scope, unit: Unit) -> list[Kept]:
    """Return what the unit itself ever found or decided, newest first."""
    rows = session.execute(
        scope.select(
            ReadinessFinding.on_day,
            ReadinessFinding.recorded_at,
            ReadinessFinding.recorded_by_id,
            ReadinessFinding.words,
            ReadinessFinding.kind,
            ReadinessFinding.answer,
        )
        .where(ReadinessFinding.place_id == unit.place_id, known(ReadinessFinding))
        .order_by(ReadinessFinding.on_day.desc(), ReadinessFinding.recorded_at.desc())
    ).all()
    names = names_of_users(session, {row.recorded_by_id for row in rows if row.recorded_by_id})
    return [
        Kept(
            day=row.on_day,
            recorded_at=row.recorded_at,
            by=names.get(row.recorded_by_id),
            words=row.words,
            kind=row.kind,
            answer=bool(row.answer),
        )
        for row in rows
    ]
