"""Writes for who has whom: people and areas given, all that a rep had handed over, undo."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.reminders import pass_on
from crm.access.scope import Scope
from crm.access.turf import (
    Undone,
    end_area,
    give_area,
    give_people,
    start_move,
    undo_move,
)
from crm.domain.errors import NotFound, Refusal
from crm.features.turf import queries
from crm.models.places import Area, Shift, Workplace
from crm.reads.places import get_place


class NothingChosen(Refusal):
    """The form came without anybody."""

    default_message = "Choose at least one person."


class NothingChanged(Refusal):
    """Everybody chosen is with that rep already, or with nobody."""

    default_message = "Nothing would change: they are with this rep already. Choose again."


class NobodyToTakeOver(Refusal):
    """No part was given to anybody."""

    default_message = "Choose who takes over, for everything or for at least one place."


def give(
    session: Session,
    scope: Scope,
    workplace: uuid.UUID,
    contacts: Sequence[uuid.UUID],
    *,
    to: uuid.UUID | None,
    today: date,
    now: datetime,
) -> uuid.UUID:
    """Give people of a workplace to a rep by hand, or to nobody; return the move to undo it by.

    Raises NotFound for a workplace or person out of the actor's reach, NothingChosen,
    NothingChanged, and the refusals of crm.access.turf.give_people.
    """
    if not contacts:
        raise NothingChosen()
    site = queries.hold_site(session, scope, workplace)
    people = queries.find_people(session, scope, site.id, list(contacts), today=today)
    move = start_move(session, scope, from_user_id=None, now=now)
    given = give_people(session, scope, people, to=to, today=today, now=now, move=move)
    if not given.changed:
        raise NothingChanged()
    return move.public_id


def add_area(
    session: Session,
    scope: Scope,
    workplace: uuid.UUID,
    *,
    place: uuid.UUID,
    shift: uuid.UUID | None,
    to: uuid.UUID,
    today: date,
    now: datetime,
) -> str:
    """Give the workplace or an area of it, or one shift of that, to a rep; return their name.

    Raises NotFound for what is out of the actor's reach or not of this workplace, and the
    refusals of crm.access.turf.give_area.
    """
    site = queries.hold_site(session, scope, workplace)
    if place == site.public_id:
        held = get_place(session, scope, Workplace, place, permission=Permission.TURF_WRITE)
        place_id = held.id
    else:
        area = get_place(session, scope, Area, place, permission=Permission.TURF_WRITE)
        if area.workplace_id != site.id:
            raise NotFound("an area of another workplace")
        place_id = area.id
    shift_id = None
    if shift is not None:
        shift_id = session.scalars(
            scope.select(Shift.id).where(Shift.public_id == shift, Shift.place_id == site.id)
        ).one_or_none()
        if shift_id is None:
            raise NotFound(f"shift {shift}")
    return give_area(session, scope, place_id, shift_id, to=to, today=today, now=now)


def take_area(
    session: Session, scope: Scope, turf: uuid.UUID, *, today: date, now: datetime
) -> uuid.UUID:
    """End a rep's area today; return the public id of its workplace. Raises NotFound."""
    found, site = queries.find_turf(session, scope, turf)
    end_area(session, scope, found, today=today, now=now)
    return site.public_id


def hand_over(
    session: Session,
    scope: Scope,
    user_id: uuid.UUID,
    *,
    to: uuid.UUID | None,
    at: Mapping[uuid.UUID, uuid.UUID],
    today: date,
    now: datetime,
) -> uuid.UUID:
    """Give all that a user has where the actor shares people out to others; return the move.

    to: who gets what `at` names nobody for; None leaves that where it is. at: by the public id of
    a place, who gets what is there. People by hand, areas and open reminders go together.
    Raises NotFound when the user has nothing there, NobodyToTakeOver, and the refusals of
    crm.access.turf and crm.access.reminders; then nothing is written.
    """
    found = queries.get_holdings(session, scope, user_id, today=today, day=now.date())
    move = start_move(session, scope, from_user_id=found.inner_id, now=now)
    given = False
    for part in found.parts:
        heir = at.get(part.public_id, to)
        if heir is None:
            continue
        given = True
        if part.people:
            give_people(session, scope, part.people, to=heir, today=today, now=now, move=move)
        for turf in part.areas:
            end_area(session, scope, turf, today=today, now=now, move=move)
            give_area(
                session,
                scope,
                turf.place_id,
                turf.shift_id,
                to=heir,
                today=today,
                now=now,
                move=move,
            )
        if part.reminders:
            pass_on(session, scope, part.reminders, to=heir, now=now, move=move)
    if not given:
        raise NobodyToTakeOver()
    return move.public_id


def undo(session: Session, scope: Scope, move: uuid.UUID, *, now: datetime) -> Undone:
    """Put a move of the actor's back. Raises NotFound, and UndoneAlready of crm.access.turf."""
    return undo_move(session, scope, move, now=now)
