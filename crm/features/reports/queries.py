"""What a report is made from, and the places somebody can have one of."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.vocabulary import PlaceKind
from crm.models.places import Place
from crm.reads.places import get_place

MOST_UNITS = 100


@dataclass(frozen=True, slots=True)
class Unit:
    """A place somebody can have a report of."""

    public_id: uuid.UUID
    name: str
    kind: PlaceKind


def list_units(session: Session, scope: Scope) -> tuple[tuple[Unit, ...], bool]:
    """Return the places whose figures and people the scope holds, widest kinds first, by name;
    and whether there are more than the list holds. Areas are left out. One statement.
    """
    order = (
        PlaceKind.EVERYTHING,
        PlaceKind.UNION,
        PlaceKind.BRANCH,
        PlaceKind.REGION,
        PlaceKind.EMPLOYER,
        PlaceKind.WORKPLACE,
    )
    rows = session.execute(
        scope.select(Place.public_id, Place.name, Place.kind, permission=Permission.DENSITY_READ)
        .where(
            Place.kind.in_(order),
            Place.closed_on.is_(None),
            scope.reach(Permission.CONTACT_READ, Place.id),
        )
        .order_by(*(Place.kind != kind for kind in order), Place.name, Place.id)
        .limit(MOST_UNITS + 1)
    ).all()
    units = tuple(Unit(row.public_id, row.name, row.kind) for row in rows[:MOST_UNITS])
    return units, len(rows) > MOST_UNITS


def unit_key(session: Session, scope: Scope, public_id: uuid.UUID) -> int:
    """Return the inner id of a place. Raises NotFound when absent or out of scope."""
    return get_place(session, scope, Place, public_id).id
