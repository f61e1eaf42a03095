"""What a group decides and finds, and giving people to see to their reps. Never commits."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.assessment import ExpiryRule
from crm.domain.errors import Refusal
from crm.domain.readiness import Finding, Terms
from crm.features.readiness import queries
from crm.models.conversations import FollowUp
from crm.models.readiness import ReadinessFinding, ReadinessTerms
from crm.reads.readiness import Wanted

LONGEST_AHEAD = timedelta(days=366)


class NotYet(Refusal):
    """What has not happened yet cannot have been found."""

    default_message = "This day has not come yet. Choose today or a day before."


class DayIsOver(Refusal):
    """A reminder for a day that is over would be late at once."""

    default_message = "This day is over. Choose today or a later day."


class TooFarAhead(Refusal):
    """The day is too far ahead to be anything but a slip."""

    default_message = "This day is more than a year ahead. Check the year."


class NobodyHasRep(Refusal):
    """There is nobody whose rep could be reminded."""

    default_message = (
        "None of these people has a rep yet, or all are on a list already. "
        "First say who looks after them."
    )


@dataclass(frozen=True, slots=True)
class Reminded:
    """How many people were given to their reps, by name of the rep; and how many have nobody."""

    by_rep: tuple[tuple[str, int], ...]
    nobody: int

    @property
    def people(self) -> int:
        """How many people were given out."""
        return sum(count for _name, count in self.by_rep)


def record_finding(
    session: Session,
    scope: Scope,
    unit: uuid.UUID,
    *,
    kind: Finding,
    answer: bool,
    on_day: date,
    words: str,
    now: datetime,
    today: date,
) -> None:
    """Write down what a group found or decided on a day. Raises NotFound, NotYet."""
    if on_day > today:
        raise NotYet()
    place = queries.get_unit(session, scope, unit, permission=Permission.DECISION_WRITE)
    session.add(
        ReadinessFinding(
            place_id=place.place_id,
            kind=kind,
            answer=answer,
            on_day=on_day,
            words=words,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
        )
    )


def set_terms(
    session: Session,
    scope: Scope,
    unit: uuid.UUID,
    *,
    terms: Terms,
    from_day: date,
    decided_by: str,
    now: datetime,
) -> None:
    """Keep the weights, targets and limits that a group decided on. Raises NotFound, BadTerms."""
    place = queries.get_unit(session, scope, unit, permission=Permission.DECISION_WRITE)
    kept = terms.as_json()
    Terms.from_json(kept)
    session.add(
        ReadinessTerms(
            place_id=place.place_id,
            from_day=from_day,
            terms=kept,
            decided_by=decided_by,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
        )
    )


def remind_reps(
    session: Session,
    scope: Scope,
    unit: uuid.UUID,
    want: Wanted,
    *,
    due_on: date,
    what: str,
    now: datetime,
    today: date,
    day: date,
    expiry: ExpiryRule,
) -> Reminded:
    """Give each person of the gap to the rep who looks after them, as a reminder.

    what: what to speak of. A person with an open reminder is passed over, so that sending the
    form twice reminds nobody twice. Raises NotFound, DayIsOver, TooFarAhead, NobodyHasRep.
    """
    if due_on < today:
        raise DayIsOver()
    if due_on > today + LONGEST_AHEAD:
        raise TooFarAhead()
    place = queries.get_unit(session, scope, unit)
    found = queries.list_people(session, scope, place, want, today=today, day=day, expiry=expiry)
    given: dict[str, int] = {}
    for person in found.people:
        if person.rep_id is None or person.rep is None:
            continue
        given[person.rep] = given.get(person.rep, 0) + 1
        session.add(
            FollowUp(
                contact_id=person.contact_id,
                place_id=person.place_id,
                owner_id=person.rep_id,
                due_on=due_on,
                what=what[:200],
                created_at=now,
            )
        )
    if not given:
        raise NobodyHasRep()
    return Reminded(
        by_rep=tuple(sorted(given.items())),
        nobody=sum(person.rep_id is None for person in found.people),
    )
