"""The few people whose first name a phone may keep, for when there is no signal."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.domain.identity import short_name
from crm.reads.talks import people_to_speak_to, promised_people
from crm.reads.turf import list_my_people

# As far ahead as Today looks.
SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class OnThePhone:
    """All that a phone keeps of a person. rating: 1 (strongest) to 5, None = not asked."""

    public_id: uuid.UUID
    short_name: str
    area: str | None
    rating: int | None


def people_for_the_phone(
    session: Session,
    scope: Scope,
    *,
    today: date,
    limit: int,
    listed: Collection[uuid.UUID] = (),
) -> tuple[list[OnThePhone], frozenset[uuid.UUID]]:
    """Return whom the actor promised to speak to, their own people, and others, `limit` at most.

    In the order in which they would be spoken to. Nobody who is not to be contacted. listed: public
    ids of people to ask on other lists; after the actor's own they come before strangers. The
    second part is all who may be named on the phone: the first, and those of the listed for whom
    there is room; together `limit` at most. Sixteen statements or so, whatever the number of
    people.
    """
    found: dict[uuid.UUID, OnThePhone] = {}
    for one in promised_people(session, scope, until=today + SOON, today=today, limit=limit):
        found[one.public_id] = OnThePhone(
            one.public_id, short_name(one.name), one.area_name, one.rating
        )
    promised = list(found)
    for mine in list_my_people(session, scope, today=today):
        if not mine.do_not_contact:
            found.setdefault(
                mine.public_id,
                OnThePhone(mine.public_id, short_name(mine.name), mine.area_name, mine.rating),
            )
    to_ask = set(listed)
    first = (*promised, *(one for one in found if one in to_ask), *found, *listed)
    named = frozenset(list(dict.fromkeys(first))[:limit])
    if len(named) < limit:
        for other in people_to_speak_to(session, scope, today=today, limit=limit):
            if other.public_id in named or len(named) < limit:
                named |= {other.public_id}
                found.setdefault(
                    other.public_id,
                    OnThePhone(
                        other.public_id, short_name(other.name), other.area_name, other.rating
                    ),
                )
    return [one for one in found.values() if one.public_id in named], named
