"""How many places each register has brought into the tree."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.domain.vocabulary import PlaceKind
from crm.models.places import ExternalId, Place


def count_places(session: Session, scope: Scope) -> Mapping[tuple[str, PlaceKind], int]:
    """Return how many places the scope sees, by the scheme of their register's id and by kind."""
    rows = session.execute(
        scope.select(ExternalId.scheme, Place.kind, sa.func.count())
        .join(Place, Place.id == ExternalId.place_id)
        .group_by(ExternalId.scheme, Place.kind)
    )
    return {(scheme, kind): int(number) for scheme, kind, number in rows}
