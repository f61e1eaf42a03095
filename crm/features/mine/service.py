"""Writes for My people: a rep takes on people whom nobody has, and lets people go."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.access.turf import AtSite, give_people
from crm.domain.errors import NotFound, Refusal
from crm.features.mine import queries
from crm.models.accounts import UserAccount
from crm.reads.turf import in_charge_at, people_of


class SomebodyHasThem(Refusal):
    """Another rep looks after one of the people."""

    default_message = (
        "Another rep has taken on one of these people meanwhile. Ask an organiser if you think "
        "they should be yours."
    )


class NothingChosen(Refusal):
    """The form came without anybody."""

    default_message = "Choose at least one person."


def take_on(
    session: Session,
    scope: Scope,
    contacts: Sequence[uuid.UUID],
    *,
    today: date,
    now: datetime,
) -> int:
    """Put people whom nobody has on the actor's own list, by hand; return how many people.

    Raises NotFound for anybody out of the actor's places, NothingChosen, SomebodyHasThem.
    """
    if not contacts:
        raise NothingChosen()
    found = queries.find_jobs(session, scope, list(contacts), today=today)
    people = [site for sites in found.values() for site in sites]
    everyone = in_charge_at(session, scope, {one.workplace_id for one in people}, as_at=today)
    wanted = {(one.contact_id, one.workplace_id) for one in people}
    others = {
        one.rep_id
        for one in everyone
        if (one.contact_id, one.workplace_id) in wanted and one.rep_id is not None
    } - {scope.actor_id}
    if others:
        raise SomebodyHasThem()
    give_people(session, scope, people, to=_own_id(session, scope), today=today, now=now)
    return len(found)


def let_go(
    session: Session,
    scope: Scope,
    contacts: Sequence[uuid.UUID],
    *,
    today: date,
    now: datetime,
) -> int:
    """Take people off the actor's own list; return how many. Areas given by others stay.

    Raises NotFound for anybody whom the actor does not have by hand, NothingChosen.
    """
    if not contacts:
        raise NothingChosen()
    found = queries.find_jobs(session, scope, list(contacts), today=today)
    mine = {
        (one.contact_id, one.workplace_id)
        for one in people_of(session, scope, scope.actor_id or 0, as_at=today)
        if one.by_hand
    }
    people: list[AtSite] = []
    for sites in found.values():
        own = [one for one in sites if (one.contact_id, one.workplace_id) in mine]
        if not own:
            raise NotFound("not by hand on the actor's list")
        people += own
    give_people(session, scope, people, to=None, today=today, now=now)
    return len(found)


def _own_id(session: Session, scope: Scope) -> uuid.UUID:
    return session.scalars(
        sa.select(UserAccount.public_id).where(UserAccount.id == scope.actor_id)
    ).one()
