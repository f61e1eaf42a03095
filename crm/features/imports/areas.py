"""Areas that come with a list: of workplaces, or of people where a workplace has no such area."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from crm.access import tree
from crm.access.holding import hold_to_remove
from crm.access.permissions import Permission
from crm.access.removal import places_named_elsewhere, remove_places
from crm.access.scope import Scope
from crm.access.storing import forget_places
from crm.domain.identity import fold
from crm.domain.vocabulary import AreaKind
from crm.models.places import Area, Place

# Before the word of a list that stands for an area which the workplace may not have yet. No folded
# name of an area begins with it.
NEW_AREA: Final = "+"
_NAME_LIMIT: Final = 200


def new_name_of(word: str) -> str:
    """Return the meaning of a word that names an area or employer to be made where none is."""
    plain = "".join(sign for sign in " ".join(word.split()) if sign.isprintable())
    return NEW_AREA + plain[:_NAME_LIMIT].strip()


def area_key(meaning: str) -> str:
    """Return the folded name of the area that a meaning stands for; "" for one without letters."""
    return fold(meaning.removeprefix(NEW_AREA)) if meaning.startswith(NEW_AREA) else meaning


def make_areas(
    session: Session,
    scope: Scope,
    wanted: Sequence[tuple[int, str]],
    *,
    since: date,
    now: datetime,
) -> list[Area]:
    """Store areas and return them in the same order. wanted: inner id of the workplace, and name.

    The caller knows that the scope may change these workplaces.
    """
    fresh = [
        Area(name=name, workplace_id=site, area_kind=AreaKind.DEPARTMENT, created_at=now)
        for site, name in wanted
    ]
    for area in fresh:
        area.version = 1
    session.add_all(fresh)
    session.flush()
    if fresh:
        tree.link_new(
            session,
            [(area.id, area.workplace_id) for area in fresh],
            since={area.id: since for area in fresh},
            now=now,
            actor_id=scope.actor_id,
        )
        forget_places(session)
    return fresh


def take_areas_back(
    session: Session, scope: Scope, area_ids: Sequence[int], *, now: datetime
) -> None:
    """Take areas out again that came with a list of people, where nobody uses them.

    One that somebody has changed, or that anything names that still holds, stays. One that only
    past facts name, as the jobs that were just taken back, is closed: what was is kept.
    """
    hold_to_remove(session.connection(), Place, area_ids)
    areas: dict[int, Any] = {
        area.id: area
        for area in session.scalars(
            scope.select(Area, permission=Permission.PLACE_WRITE).where(
                Area.id.in_(area_ids), Area.version == 1, Area.closed_on.is_(None)
            )
        )
    }
    used = places_named_elsewhere(session, sorted(areas), holding=True)
    named = places_named_elsewhere(session, sorted(areas))
    remove_places(session, scope, [area for inner, area in areas.items() if inner not in named])
    for inner in named - used:
        areas[inner].closed_on = now.date()
        areas[inner].version += 1
