"""Sharing the people of a gap between reps, all at once or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.domain.assessment import DEFAULT_EXPIRY, ExpiryRule
from crm.domain.errors import Refusal
from crm.domain.wallchart import Gap, share_out
from crm.features.wallchart import queries
from crm.models.conversations import FollowUp

LONGEST_AHEAD = timedelta(days=366)


class DueInThePast(Refusal):
    """The day is over."""

    default_message = "This day is over. Choose today or a later day."


class DueTooFarAhead(Refusal):
    """The day is too far ahead to be anything but a slip."""

    default_message = "This day is more than a year ahead. Check the year."


class NobodyToShareWith(Refusal):
    """One of the chosen users may not log talks there any more."""

    default_message = "Somebody you chose no longer holds this place. Choose again."


class NobodyLeft(Refusal):
    """There is nobody whom those chosen could speak to."""

    default_message = "Nobody is left to share out. The people may be on a list already."


@dataclass(frozen=True, slots=True)
class Shared:
    """How the people were shared. by_name: each owner's name and how many they got.

    left_out: people whose place nobody chosen holds. too_many: people beyond the limit for each.
    """

    by_name: tuple[tuple[str, int], ...]
    left_out: int
    too_many: int

    @property
    def people(self) -> int:
        """How many people were shared out."""
        return sum(count for _name, count in self.by_name)


def share_gap(
    session: Session,
    scope: Scope,
    workplace: uuid.UUID,
    gap: Gap,
    *,
    group: str | None,
    owners: Sequence[uuid.UUID],
    each: int,
    due_on: date,
    what: str,
    now: datetime,
    today: date,
    expiry: ExpiryRule = DEFAULT_EXPIRY,
) -> Shared:
    """Store a follow-up for each person of the gap, shared evenly between the owners.

    group: the key of an area, or None for the whole workplace. owners: public ids of users who
    may log talks there. each: the most people that one owner gets, 1 or more. what: what to
    speak of, in the words of the one who shares.
    expiry: how long an assessment counts. A person with an open follow-up is passed over,
    so that sending the form twice shares nobody twice.
    Raises NotFound for a workplace out of scope; DueInThePast, DueTooFarAhead,
    NobodyToShareWith, NobodyLeft.
    """
    if due_on < today:
        raise DueInThePast()
    if due_on > today + LONGEST_AHEAD:
        raise DueTooFarAhead()
    queries.hold_place(session, scope, workplace)
    found = queries.get_gap(session, scope, workplace, gap, group=group, today=today, expiry=expiry)
    speakers = {
        one.public_id: one
        for one in queries.list_speakers(session, scope, found.workplace_id, today=today)
    }
    if not owners or any(owner not in speakers for owner in owners):
        raise NobodyToShareWith()
    chosen = {speakers[owner].user_id: speakers[owner] for owner in owners}
    places = {person.key: place_id for person, place_id in found.people}
    shares = share_out(
        list(places.items()),
        {user_id: set(one.place_ids) for user_id, one in chosen.items()},
        each=each,
    )
    if not any(shares.by_owner.values()):
        raise NobodyLeft()
    session.add_all(
        FollowUp(
            contact_id=contact_id,
            place_id=places[contact_id],
            owner_id=user_id,
            due_on=due_on,
            what=what[:200],
            created_at=now,
        )
        for user_id, contacts in shares.by_owner.items()
        for contact_id in contacts
    )
    return Shared(
        by_name=tuple(
            (chosen[user_id].name, len(contacts))
            for user_id, contacts in shares.by_owner.items()
            if contacts
        ),
        left_out=len(shares.left_out),
        too_many=shares.too_many,
    )
