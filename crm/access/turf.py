"""Giving people to reps and taking them back: the one place that writes whose people are whose."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.access.facts import known, revise, withdraw
from crm.access.many import one_of
from crm.access.permissions import Permission
from crm.access.reminders import give as give_reminder
from crm.access.scope import Scope
from crm.access.speakers import Speaker, list_speakers
from crm.domain.errors import NotFound, Refusal
from crm.models.accounts import UserAccount
from crm.models.conversations import FollowUp
from crm.models.turf import FollowUpPass, Turf, TurfMove, TurfPerson


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


class HasItAlready(Refusal):
    """Somebody looks after this area, or this shift of it."""

    default_message = (
        "%(name)s has this area already. End that first, or choose one shift or a smaller area."
    )


class UndoneAlready(Refusal):
    """The same move twice."""

    default_message = "This was undone already."


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
    speaker = None if to is None else get_speaker(session, people, to, day=now.date())
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


def start_move(
    session: Session, scope: Scope, *, from_user_id: int | None, now: datetime
) -> TurfMove:
    """Store and return a move of the actor's, for rows that are to be undone as one."""
    if scope.actor_id is None:
        raise NotFound("no user in this scope")
    move = TurfMove(owner_id=scope.actor_id, from_user_id=from_user_id, made_at=now)
    session.add(move)
    session.flush()
    return move


def give_area(
    session: Session,
    scope: Scope,
    place_id: int,
    shift_id: int | None,
    *,
    to: uuid.UUID,
    today: date,
    now: datetime,
    move: TurfMove | None = None,
) -> str:
    """Give a workplace or area, or one shift of it, to a rep from today on; return their name.

    Inner ids, found by the caller in the scope. Raises HoldsNoneOfThem, and HasItAlready when
    somebody has just this already.
    """
    speakers = list_speakers(session, [place_id], day=now.date())
    speaker = next((one for one in speakers if one.public_id == to), None)
    if speaker is None:
        raise HoldsNoneOfThem()
    same = Turf.shift_id.is_(None) if shift_id is None else Turf.shift_id == shift_id
    holder = session.execute(
        scope.select(UserAccount.name)
        .join(Turf, Turf.user_id == UserAccount.id)
        .where(Turf.place_id == place_id, same, Turf.valid_to.is_(None), known(Turf))
        .limit(1)
    ).scalar_one_or_none()
    if holder is not None:
        raise HasItAlready(name=holder)
    session.add(
        Turf(
            place_id=place_id,
            shift_id=shift_id,
            user_id=speaker.user_id,
            valid_from=today,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
            move_id=None if move is None else move.id,
        )
    )
    session.flush()
    return speaker.name


def end_area(
    session: Session,
    scope: Scope,
    turf: Turf,
    *,
    today: date,
    now: datetime,
    move: TurfMove | None = None,
) -> None:
    """End a rep's area today. turf: an open row that the caller found in the scope."""
    revise(
        session,
        turf,
        now=now,
        actor_id=scope.actor_id,
        valid_to=max(today, turf.valid_from),
        move_id=None if move is None else move.id,
    )
    session.flush()


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo put back, and how much it left alone because somebody changed it since."""

    put_back: int
    left: int


def undo_move(session: Session, scope: Scope, public_id: uuid.UUID, *, now: datetime) -> Undone:
    """Put people, areas and reminders of a move back to whom they were with before.

    What was changed since stays as it is, and is counted. The rows of the move are not deleted:
    each undone one is a new fact. Raises NotFound for a move that is not the actor's own,
    UndoneAlready.
    """
    move = session.scalars(
        scope.select(TurfMove).where(TurfMove.public_id == public_id).with_for_update()
    ).one_or_none()
    if move is None:
        raise NotFound(f"move {public_id}")
    if move.undone_at is not None:
        raise UndoneAlready()
    move.undone_at = now
    counts = [
        _undo_rows(session, scope, TurfPerson, move.id, now=now),
        _undo_rows(session, scope, Turf, move.id, now=now),
        _undo_reminders(session, scope, move.id, now=now),
    ]
    return Undone(
        put_back=sum(one.put_back for one in counts), left=sum(one.left for one in counts)
    )


def _key(row: Turf | TurfPerson) -> tuple[int, int | None]:
    if isinstance(row, TurfPerson):
        return row.contact_id, row.workplace_id
    return row.place_id, row.shift_id


def _undo_rows(
    session: Session,
    scope: Scope,
    model: type[Turf] | type[TurfPerson],
    move_id: int,
    *,
    now: datetime,
) -> Undone:
    written = session.scalars(
        scope.select(model, permission=Permission.TURF_WRITE)
        .where(model.move_id == move_id)
        .order_by(model.id)
    ).all()
    given = {_key(row): row for row in written if row.valid_to is None}
    ended = {_key(row): row for row in written if row.valid_to is not None}
    others = _open_now(session, scope, model, written)
    put_back = left = 0
    for key in {**given, **ended}:
        new, old = given.get(key), ended.get(key)
        now_open = others.get(key)
        untouched = new.superseded_at is None if new is not None else now_open is None
        if not untouched or (old is not None and old.superseded_at is not None):
            left += 1
            continue
        put_back += 1
        if new is not None:
            withdraw(new, now=now)
            # The table takes one open row for each person: this one has to be gone first.
            session.flush()
        if old is not None:
            revise(session, old, now=now, actor_id=scope.actor_id, valid_to=None, move_id=None)
    flush_once(session)
    return Undone(put_back, left)


def _open_now(
    session: Session,
    scope: Scope,
    model: type[Turf] | type[TurfPerson],
    written: Sequence[Turf | TurfPerson],
) -> dict[tuple[int, int | None], Turf | TurfPerson]:
    column = TurfPerson.contact_id if model is TurfPerson else Turf.place_id
    wanted = {_key(row)[0] for row in written}
    rows = session.scalars(
        scope.select(model).where(one_of(column, wanted), model.valid_to.is_(None), known(model))
    )
    return {_key(row): row for row in rows}


def _undo_reminders(session: Session, scope: Scope, move_id: int, *, now: datetime) -> Undone:
    rows = session.execute(
        scope.select(FollowUpPass, FollowUp, permission=Permission.TURF_WRITE)
        .join(FollowUp, FollowUp.id == FollowUpPass.follow_up_id)
        .where(FollowUpPass.move_id == move_id)
        .order_by(FollowUpPass.id)
    ).all()
    put_back = left = 0
    for passed, reminder in rows:
        if reminder.version != passed.version or reminder.done_at is not None:
            left += 1
            continue
        give_reminder(session, scope, reminder, passed.from_user_id, now=now, move_id=None)
        put_back += 1
    return Undone(put_back, left)


def flush_once(session: Session) -> None:
    """Send what was added. Raises SharedMeanwhile when somebody has a rep by hand already."""
    try:
        session.flush()
    except IntegrityError as error:
        raise SharedMeanwhile() from error


def get_speaker(session: Session, people: Iterable[AtSite], to: uuid.UUID, *, day: date) -> Speaker:
    """Return the user who may log talks with all of these people on a day (in UTC).

    to: a public id. Raises HoldsNoneOfThem, HoldsNotAllOfThem.
    """
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
            one_of(TurfPerson.contact_id, {one.contact_id for one in people}),
            one_of(TurfPerson.workplace_id, {one.workplace_id for one in people}),
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
