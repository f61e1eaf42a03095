"""Finding places by their public id, and naming them."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import known
from crm.access.many import one_of
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.domain.headcount import Counts, current_headcount
from crm.domain.headcount import Headcount as Estimate
from crm.domain.vocabulary import PlaceKind
from crm.models.places import Area, Headcount, Place, Shift, Workplace

Node = TypeVar("Node", bound=Place)

# A select with more lines than this cannot be used.
MOST_TO_FILTER = 300


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to pick from a list: its public id as text, and its words."""

    value: str
    label: str


def get_place(
    session: Session,
    scope: Scope,
    kind: type[Node],
    public_id: uuid.UUID,
    *,
    permission: Permission | None = None,
) -> Node:
    """Return the place of that kind. Raises NotFound if absent or out of scope.

    permission: the right that is needed over it, beyond seeing it.
    """
    found: Node | None = session.scalars(
        scope.select(kind, permission=permission).where(kind.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotFound(f"{kind.__name__} {public_id}")
    return found


def holds_place(
    session: Session, scope: Scope, public_id: uuid.UUID, permission: Permission
) -> bool:
    """Return True when the scope has the right over the whole place, whatever its kind."""
    if not scope.may(permission):
        return False
    found = session.execute(
        scope.select(Place.id, permission=permission).where(Place.public_id == public_id)
    )
    return found.first() is not None


def places_to_filter(session: Session, scope: Scope, chosen: uuid.UUID | None) -> list[Choice]:
    """Return the workplaces with people this scope may see, each followed by its areas.

    At most MOST_TO_FILTER, and the chosen place besides, if the scope may see it.
    """
    read = Permission.CONTACT_READ
    kinds = session.execute(
        scope.select(Workplace.id, Workplace.public_id, Workplace.name, permission=read)
        # By the index over kind and name: of sixty thousand, none is sorted to show the first.
        .where(Workplace.kind == PlaceKind.WORKPLACE)
        .order_by(Workplace.name, Workplace.public_id)
        .limit(MOST_TO_FILTER)
    ).all()
    areas = session.execute(
        scope.select(Area.public_id, Area.name, Area.workplace_id, permission=read)
        .where(Area.kind == PlaceKind.AREA)
        .order_by(Area.name, Area.public_id)
        .limit(MOST_TO_FILTER)
    ).all()
    inside: dict[int, list[tuple[Any, str]]] = {}
    for area_id, name, workplace_id in areas:
        inside.setdefault(workplace_id, []).append((area_id, name))
    found: list[Choice] = []
    for inner_id, public_id, name in kinds:
        found.append(Choice(str(public_id), name))
        found.extend(
            Choice(str(area_id), f"{name}: {area}") for area_id, area in inside.pop(inner_id, ())
        )
    # Of workplaces that are not shown themselves, in the order of their names.
    lost = set(inside)
    found.extend(Choice(str(area_id), name) for area_id, name, at in areas if at in lost)
    found = found[:MOST_TO_FILTER]
    if chosen is not None and str(chosen) not in {choice.value for choice in found}:
        row = session.execute(scope.select(Place.name).where(Place.public_id == chosen)).first()
        if row is not None:
            found.append(Choice(str(chosen), row.name))
    return found


def list_shift_choices(session: Session, scope: Scope, workplace_id: int) -> list[Choice]:
    """Return the shifts of a workplace that are still worked, by name."""
    rows = session.execute(
        scope.select(Shift.public_id, Shift.name)
        .where(Shift.place_id == workplace_id, Shift.closed_on.is_(None))
        .order_by(Shift.name)
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


def place_name_of(column: Any) -> sa.ScalarSelect[Any]:
    """Return a column for a scoped statement: the name of the place whose inner id is in `column`.

    Null when the scope of that statement may not see the place.
    """
    # Left to itself it would take the `place` of a statement that joins one for its own.
    return sa.select(Place.name).where(Place.id == column).correlate_except(Place).scalar_subquery()


def names_of(session: Session, scope: Scope, place_ids: set[int]) -> dict[int, str]:
    """Return the names of those of the places that the scope may see, by inner id."""
    if not place_ids:
        return {}
    rows = session.execute(scope.select(Place.id, Place.name).where(one_of(Place.id, place_ids)))
    return {int(place_id): str(name) for place_id, name in rows}


def headcounts_on(
    session: Session, scope: Scope, place_ids: Collection[int], day: date
) -> dict[int, Estimate]:
    """Return the count of people that holds on the day for each place: all on site, if counted."""
    if not place_ids:
        return {}
    rows = session.execute(
        scope.select(
            Headcount.place_id,
            Headcount.on_day,
            Headcount.recorded_at,
            Headcount.counts,
            Headcount.source_kind,
            Headcount.low,
            Headcount.best,
            Headcount.high,
        ).where(one_of(Headcount.place_id, place_ids), known(Headcount), Headcount.on_day <= day)
    )
    by_place: dict[int, list[Estimate]] = {}
    for place_id, *rest in rows:
        by_place.setdefault(int(place_id), []).append(Estimate(*rest))
    found = {}
    for place_id, estimates in by_place.items():
        for counts in (Counts.SITE_ALL, Counts.EMPLOYER_DIRECT, Counts.BARGAINING_UNIT):
            current = current_headcount(estimates, day, counts)
            if current is not None:
                found[place_id] = current
                break
    return found
