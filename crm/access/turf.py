"""Giving people to reps and taking them back: the one place that writes whose people are whose."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.access.facts import known, revise
from crm.access.scope import Scope
from crm.access.speakers import Speaker, list_speakers
from crm.domain.errors import Refusal
from crm.models.turf import TurfMove, TurfPerson


class HoldsNoneOfThem(Refusal):
    """The one chosen may log talks with nobody of these."""

    default_message = (
        "This person holds no role where these people work. Choose somebody from the list."
    )


class HoldsNotAllOfThem(Refusal):
    """The one chosen may not see some of the people."""

    default_message = (
        "%(name)s may not see %(count)s of the people you chose: their role does not cover where "
        "those work. Choose somebody else for them, or ask an administrator to widen the role."
    )


class SharedMeanwhile(Refusal):
    """Two people gave the same person to somebody in the same moment."""

    default_message = (
        "Somebody else gave one of these people to a rep a moment ago. Look at the list again."
    )


@dataclass(frozen=True, slots=True)
class AtSite:
    """Somebody at a workplace, as found in the writer's scope. Inner ids.

    place_id: the area where they work if it is known, else the workplace.
    """

    contact_id: int
    workplace_id: int
    place_id: int


@dataclass(frozen=True, slots=True)
class Given:
    """What came of it. to_name: None when they now have nobody. changed: people, at a workplace."""

    to_name: str | None
    changed: int


def give_people(
    session: Session,
    scope: Scope,
    people: Sequence[AtSite],
    *,
    to: uuid.UUID | None,
    today: date,
    now: datetime,
    move: TurfMove | None = None,
) -> Given:
    """Give people to a rep by hand from today on, or take them from whoever has them by hand.

    people: found by the caller in the scope, each once. to: public id of a user, None for nobody.
    Those whom the user has by hand already stay as they are. move: the act this is part of.
    Raises HoldsNoneOfThem, HoldsNotAllOfThem, SharedMeanwhile; then nothing is written.
    """
    speaker = None if to is None else _speaker(session, people, to, day=now.date())
    before = _by_hand(session, scope, people)
    move_id = None if move is None else move.id
    changed = []
    for one in people:
        row = before.get((one.contact_id, one.workplace_id))
        if row is None and speaker is None:
            continue
        if row is not None:
            if speaker is not None and row.user_id == speaker.user_id:
                continue
            _end(session, scope, row, one.place_id, today=today, now=now, move_id=move_id)
        changed.append(one)
    session.flush()
    if speaker is not None:
        session.add_all(
            TurfPerson(
                contact_id=one.contact_id,
                workplace_id=one.workplace_id,
                place_id=one.place_id,
                user_id=speaker.user_id,
                valid_from=today,
                recorded_at=now,
                recorded_by_id=scope.actor_id,
                move_id=move_id,
            )
            for one in changed
        )
        flush_once(session)
    return Given(to_name=None if speaker is None else speaker.name, changed=len(changed))


def flush_once(session: Session) -> None:
    """Send what was added. Raises SharedMeanwhile when somebody has a rep by hand already."""
    try:
        session.flush()
    except IntegrityError as error:
        raise SharedMeanwhile() from error


def _speaker(session: Session, people: Iterable[AtSite], to: uuid.UUID, *, day: date) -> Speaker:
    places = [one.place_id for one in people]
    speakers = list_speakers(session, sorted(set(places)), day=day)
    found = next((one for one in speakers if one.public_id == to), None)
    if found is None:
        # No word about who this is: the id may be of somebody whom the writer does not know.
        raise HoldsNoneOfThem()
    missing = sum(1 for place in places if place not in found.place_ids)
    if missing:
        raise HoldsNotAllOfThem(name=found.name, count=missing)
    return found


def _by_hand(
    session: Session, scope: Scope, people: Sequence[AtSite]
) -> dict[tuple[int, int], TurfPerson]:
    """Return the open rows of these people at these workplaces, whoever has them."""
    rows = session.scalars(
        scope.select(TurfPerson)
        .where(
            TurfPerson.contact_id.in_(sorted({one.contact_id for one in people})),
            TurfPerson.workplace_id.in_(sorted({one.workplace_id for one in people})),
            TurfPerson.valid_to.is_(None),
            known(TurfPerson),
        )
        .with_for_update()
    )
    return {(row.contact_id, row.workplace_id): row for row in rows}


def _end(
    session: Session,
    scope: Scope,
    row: TurfPerson,
    place_id: int,
    *,
    today: date,
    now: datetime,
    move_id: int | None,
) -> None:
    revise(
        session,
        row,
        now=now,
        actor_id=scope.actor_id,
        # Where they work now: the writer may hold nothing of where they worked before.
        place_id=place_id,
        valid_to=max(today, row.valid_from),
        move_id=move_id,
    )
