"""What the practice copy needs to read: whether it is filled, and who may be chosen to sign in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from crm.access import tree
from crm.access.facts import covers, known
from crm.access.scope import Grant, Scope
from crm.domain.roles import Role
from crm.models.accounts import AccessGrant, UserAccount
from crm.models.contacts import Contact
from crm.models.places import Area, ExternalId, Place, Workplace

# Schemes of the registers whose entries are workplaces.
REGISTER_SCHEMES = ("ods", "gpg-workplace")


@dataclass(frozen=True, slots=True)
class Part:
    """One role of a user: over the named place, or over everything when the name is None.

    The name of an area has its workplace's name after it.
    """

    role: Role
    place_name: str | None


@dataclass(frozen=True, slots=True)
class Visitor:
    """An invented user whom somebody trying the practice copy can be."""

    public_id: uuid.UUID
    name: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class RegisterWorkplace:
    """A real workplace that came from a public register."""

    id: int
    name: str
    employer_id: int
    scheme: str


def is_filled(session: Session, scope: Scope) -> bool:
    """Return True when the database holds a person or a user already.

    scope: over everything; a narrower one could miss the people of other places.
    """
    users = session.execute(sa.select(UserAccount.id).limit(1)).first()
    people = session.execute(scope.select(Contact.id).limit(1)).first()
    return users is not None or people is not None


def list_visitors(session: Session, *, today: date) -> list[Visitor]:
    """Return the active users in the order they were made, each with the roles in force.

    The name of a place is read with the eyes of the user who holds it.
    """
    root = tree.everything_id(session)
    site = aliased(Place)
    users = session.execute(
        sa.select(UserAccount.id, UserAccount.public_id, UserAccount.name)
        .where(UserAccount.active.is_(True))
        .order_by(UserAccount.id)
    ).all()
    grants = session.execute(
        sa.select(AccessGrant.user_id, AccessGrant.role, AccessGrant.place_id)
        .where(covers(AccessGrant, today), known(AccessGrant))
        .order_by(AccessGrant.id)
    ).all()
    visitors = []
    for user_id, public_id, name in users:
        held = [(role, place_id) for of_user, role, place_id in grants if of_user == user_id]
        scope = Scope(
            actor_id=user_id,
            grants=tuple(Grant(role, place_id, place_id == root) for role, place_id in held),
        )
        places = [place_id for _, place_id in held]
        rows = session.execute(scope.select(Place.id, Place.name).where(Place.id.in_(places)))
        names = {place_id: name for place_id, name in rows}  # noqa: C416 - rows are not pairs
        sites = session.execute(
            scope.select(Area.id, site.name)
            .join(site, site.id == Area.workplace_id)
            .where(Area.id.in_(places))
        )
        for area_id, site_name in sites:
            names[area_id] = f"{names[area_id]}, {site_name}"
        parts = tuple(
            Part(role, None if place_id == root else names.get(place_id)) for role, place_id in held
        )
        visitors.append(Visitor(public_id, name, parts))
    return visitors


def find_visitor(session: Session, public_id: uuid.UUID) -> int | None:
    """Return the inner id of an active user, or None."""
    return session.execute(
        sa.select(UserAccount.id).where(
            UserAccount.public_id == public_id, UserAccount.active.is_(True)
        )
    ).scalar_one_or_none()


def list_register_workplaces(session: Session, scope: Scope) -> list[RegisterWorkplace]:
    """Return the open workplaces that came from public registers, by name."""
    rows = session.execute(
        scope.select(Workplace.id, Workplace.name, Workplace.employer_id, ExternalId.scheme)
        .join(ExternalId, ExternalId.place_id == Workplace.id)
        .where(ExternalId.scheme.in_(REGISTER_SCHEMES), Workplace.closed_on.is_(None))
        .order_by(Workplace.name, Workplace.id)
    )
    return [RegisterWorkplace(*row) for row in rows]
