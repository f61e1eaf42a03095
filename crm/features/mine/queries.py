"""Reads for My people: who could be taken on, and whom the reader has by hand."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.turf import AtSite
from crm.domain.errors import NotFound
from crm.models.contacts import Contact, Job
from crm.models.places import Workplace
from crm.reads.turf import MyPerson, describe, in_charge_at, people_of

# More workplaces than these are no list to pick one's ten from.
MOST_SITES = 20
MOST_OFFERED = 50


@dataclass(frozen=True, slots=True)
class ToChange:
    """The reader's people by hand, and those at the reader's places whom nobody has.

    free_in_all: how many those are; only the first of them are in `free`. left_out: workplaces of
    the reader's that were not looked at, because there are too many.
    """

    by_hand: list[MyPerson]
    free: list[MyPerson]
    free_in_all: int
    left_out: int


def list_to_change(session: Session, scope: Scope, *, today: date) -> ToChange:
    """Return whom the reader may let go and whom they may take on, both in the order of talks.

    Those who asked not to be contacted are not offered. Some twenty statements at most, whatever
    the number of people.
    """
    mine = people_of(session, scope, scope.actor_id or 0, as_at=today)
    by_hand = [one for one in mine if one.by_hand]
    sites = list(
        session.scalars(
            scope.select(Workplace.id, permission=Permission.CONVERSATION_WRITE)
            .where(Workplace.closed_on.is_(None))
            .order_by(Workplace.name_key, Workplace.id)
        )
    )
    held = sites[:MOST_SITES] or _sites_of_areas(session, scope, today)
    everyone = in_charge_at(session, scope, held, as_at=today)
    taken = {one.contact_id for one in everyone if one.rep_id is not None}
    free = [one for one in everyone if one.contact_id not in taken]
    offered = [one for one in describe(session, scope, free, today=today) if not one.do_not_contact]
    return ToChange(
        by_hand=describe(session, scope, by_hand, today=today),
        free=offered[:MOST_OFFERED],
        free_in_all=len(offered),
        left_out=max(0, len(sites) - MOST_SITES),
    )


def _sites_of_areas(session: Session, scope: Scope, today: date) -> list[int]:
    """Return the workplaces of which the reader holds areas only."""
    rows = session.scalars(
        scope.select(Job.workplace_id)
        .where(
            known(Job),
            covers(Job, today),
            scope.reach(Permission.CONVERSATION_WRITE, Job.place_id),
        )
        .distinct()
        .limit(MOST_SITES)
    )
    return sorted(rows)


def find_jobs(
    session: Session, scope: Scope, contacts: list[uuid.UUID], *, today: date
) -> dict[uuid.UUID, list[AtSite]]:
    """Return where each of the people works today, at places where the reader logs talks.

    Raises NotFound when one of them works at none of those.
    """
    rows = session.execute(
        scope.select(Contact.public_id, Job.contact_id, Job.workplace_id, Job.place_id)
        .join(Job, Job.contact_id == Contact.id)
        .where(
            Contact.public_id.in_(contacts),
            known(Job),
            covers(Job, today),
            scope.reach(Permission.CONVERSATION_WRITE, Job.place_id),
        )
        .order_by(Job.workplace_id, Job.id)
    )
    found: dict[uuid.UUID, list[AtSite]] = {}
    for row in rows:
        sites = found.setdefault(row.public_id, [])
        if row.workplace_id not in {one.workplace_id for one in sites}:
            sites.append(AtSite(row.contact_id, row.workplace_id, row.place_id))
    if len(found) < len(set(contacts)):
        raise NotFound("a person to take on or to let go")
    return found
