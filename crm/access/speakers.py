"""Which users may log talks at which places: those to whom people and reminders can be given."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.many import one_of
from crm.access.permissions import Permission, roles_with
from crm.models.accounts import AccessGrant, UserAccount
from crm.models.places import PlaceClosure


@dataclass(frozen=True, slots=True)
class Speaker:
    """A user who may log talks at some of the places asked about.

    place_ids: the inner ids of those that they hold. local: some grant of theirs is at one of
    these places itself, and not only at something larger.
    """

    user_id: int
    public_id: uuid.UUID
    name: str
    place_ids: frozenset[int]
    local: bool


def list_speakers(
    session: Session, places: Collection[int] | sa.ScalarSelect[Any], *, day: date
) -> list[Speaker]:
    """Return the users who may log talks at some of the places on a day, by name, local ones first.

    places: inner ids of places that the caller has found in the scope, or a subquery of such.
    day: in UTC, as the guard reckons grants. Only users with an open account. One statement.
    """
    at = PlaceClosure.descendant_id
    near = at.in_(places) if isinstance(places, sa.ScalarSelect) else one_of(at, places)
    rows = session.execute(
        sa.select(
            UserAccount.id,
            UserAccount.public_id,
            UserAccount.name,
            AccessGrant.place_id,
            PlaceClosure.descendant_id,
        )
        .join(AccessGrant, AccessGrant.user_id == UserAccount.id)
        .join(PlaceClosure, PlaceClosure.ancestor_id == AccessGrant.place_id)
        .where(*may_speak(day), near)
        .order_by(UserAccount.name, UserAccount.id)
    ).all()
    held: dict[int, set[int]] = {}
    local: set[int] = set()
    for row in rows:
        held.setdefault(row.id, set()).add(row.descendant_id)
        if row.place_id == row.descendant_id:
            local.add(row.id)
    people = {row.id: row for row in rows}
    found = [
        Speaker(
            user_id=user_id,
            public_id=people[user_id].public_id,
            name=people[user_id].name,
            place_ids=frozenset(ids),
            local=user_id in local,
        )
        for user_id, ids in held.items()
    ]
    return sorted(found, key=lambda one: not one.local)


def may_speak(day: date) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions on user_account and access_grant for a grant that lets somebody log
    talks on a day."""
    return (
        UserAccount.active.is_(True),
        known(AccessGrant),
        covers(AccessGrant, day),
        AccessGrant.role.in_(sorted(roles_with(Permission.CONVERSATION_WRITE))),
    )


def speaks_at(user: Any, place: Any, day: date) -> sa.ColumnElement[bool]:
    """Return the condition that the user in a column may log talks at the place in a column."""
    return sa.exists(
        sa.select(sa.literal(1))
        .select_from(AccessGrant)
        .join(UserAccount, UserAccount.id == AccessGrant.user_id)
        .join(PlaceClosure, PlaceClosure.ancestor_id == AccessGrant.place_id)
        .where(AccessGrant.user_id == user, PlaceClosure.descendant_id == place, *may_speak(day))
        .correlate_except(AccessGrant, UserAccount, PlaceClosure)
    )
