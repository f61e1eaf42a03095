"""Sharing the people of a gap between reps, all at once or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from crm.access.reminders import is_untouched, take_back
from crm.access.scope import Scope
from crm.domain.assessment import DEFAULT_EXPIRY, ExpiryRule
from crm.domain.errors import NotFound, Refusal
from crm.domain.wallchart import Gap, share_out
from crm.features.wallchart import queries
from crm.models.conversations import FollowUp
from crm.models.talk_lists import TalkList, TalkListEntry

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


class AlreadyUndone(Refusal):
    """The list was undone before."""

    default_message = "This list has been undone already."


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing a list did. taken_back: reminders taken back. left: those left as they are."""

    taken_back: int
    left: int


@dataclass(frozen=True, slots=True)
class Shared:
    """How the people were shared. by_name: each owner's name and how many they got.

    list_id: the public id of the list, to look at it and to undo it.

    left_out: people whose place nobody chosen holds. too_many: people beyond the limit for each.
    """

    list_id: uuid.UUID
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
    made = TalkList(
        public_id=uuid.uuid4(),
        owner_id=scope.actor_id,
        workplace_id=found.workplace_id,
        made_at=now,
    )
    reminders = [
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
    ]
    session.add_all([made, *reminders])
    session.flush()
    session.add_all(
        TalkListEntry(
            follow_up_id=one.id,
            talk_list_id=made.id,
            contact_id=one.contact_id,
            place_id=one.place_id,
        )
        for one in reminders
    )
    return Shared(
        list_id=made.public_id,
        by_name=tuple(
            (chosen[user_id].name, len(contacts))
            for user_id, contacts in shares.by_owner.items()
            if contacts
        ),
        left_out=len(shares.left_out),
        too_many=shares.too_many,
    )


def undo_list(session: Session, scope: Scope, public_id: uuid.UUID, *, now: datetime) -> Undone:
    """Take back the reminders of a list that nobody has done anything about; leave the others.

    Raises NotFound for a list of somebody else, AlreadyUndone.
    """
    made = session.scalars(
        scope.select(TalkList).where(TalkList.public_id == public_id).with_for_update(of=TalkList)
    ).one_or_none()
    if made is None:
        raise NotFound(f"talk list {public_id}")
    if made.undone_at is not None:
        raise AlreadyUndone()
    made.undone_at = now
    # Held, so that one that is ticked off at this very moment is not taken back under the hand.
    reminders = session.scalars(
        queries.reminders_of(scope, made.id, FollowUp)
        .order_by(FollowUp.id)
        .with_for_update(of=FollowUp)
    ).all()
    back = [one for one in reminders if is_untouched(one)]
    for one in back:
        take_back(one, now=now)
    return Undone(taken_back=len(back), left=len(reminders) - len(back))
