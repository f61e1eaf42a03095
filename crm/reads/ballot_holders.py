"""Where ballots may be held, and the workplaces that may be asked in one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.domain.vocabulary import PlaceKind
from crm.models.places import Place, PlaceClosure, Union, Workplace
from crm.reads.places import Choice

MOST_PLACES = 300
# A ballot of more workplaces than this is planned in parts, employer by employer.
MOST_PARTS = 400

_HOLDERS = (PlaceKind.UNION, PlaceKind.BRANCH, PlaceKind.EMPLOYER, PlaceKind.WORKPLACE)


@dataclass(frozen=True, slots=True)
class Holders:
    """Places that may hold a ballot of the actor's, and unions. more: there are more places."""

    places: tuple[Choice, ...]
    unions: tuple[Choice, ...]
    more: bool


def list_holders(session: Session, scope: Scope) -> Holders:
    """Return where the actor may hold a ballot: branches first, then employers and workplaces."""
    rows = session.execute(
        scope.select(Place.public_id, Place.name, Place.kind, permission=Permission.BALLOT_WRITE)
        .where(Place.kind.in_(_HOLDERS), Place.closed_on.is_(None))
        .order_by(
            sa.case({kind: at for at, kind in enumerate(_HOLDERS)}, value=Place.kind),
            Place.name,
            Place.id,
        )
        .limit(MOST_PLACES + 1)
    ).all()
    unions = session.execute(
        scope.select(Union.public_id, Union.name)
        .where(Union.closed_on.is_(None))
        .order_by(Union.name)
    )
    return Holders(
        places=tuple(Choice(str(row.public_id), row.name) for row in rows[:MOST_PLACES]),
        unions=tuple(Choice(str(key), name) for key, name in unions),
        more=len(rows) > MOST_PLACES,
    )


def find_holder(session: Session, scope: Scope, public_id: uuid.UUID) -> Place:
    """Return the place that is to hold a ballot. Raises NotFound unless the actor may do that."""
    found: Place | None = session.scalars(
        scope.select(Place, permission=Permission.BALLOT_WRITE).where(
            Place.public_id == public_id, Place.kind.in_(_HOLDERS)
        )
    ).one_or_none()
    if found is None:
        raise NotFound(f"place {public_id}")
    return found


def workplaces_inside(session: Session, scope: Scope, place_id: int) -> list[Workplace]:
    """Return the open workplaces at a place or inside it, by name, where ballots may be held.

    One more than MOST_PARTS at most.
    """
    inside = sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == place_id)
    return list(
        session.scalars(
            scope.select(Workplace, permission=Permission.BALLOT_WRITE)
            .where(Workplace.id.in_(inside), Workplace.closed_on.is_(None))
            .order_by(Workplace.name, Workplace.id)
            .limit(MOST_PARTS + 1)
        )
    )
