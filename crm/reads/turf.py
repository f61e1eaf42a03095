"""Whose people are whose on a day, under the reader's scope, and the list of one rep."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.many import one_of
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.speakers import speaks_at
from crm.domain.turf import Patch, patches_by_place, rep_of, talk_order
from crm.models.contacts import Contact, Job, StateSpan
from crm.models.conversations import FollowUp
from crm.models.places import Area, PlaceClosure, Shift
from crm.models.turf import Turf, TurfPerson
from crm.reads.people import names_of_users
from crm.reads.places import names_of
from crm.reads.talks import LastTalk, last_talks


@dataclass(frozen=True, slots=True)
class InCharge:
    """One job of a person on a day, and who is in charge of them there.

    Inner ids. place_id: the area where it is known, else the workplace. shift_id: None = not
    known. rep_id: None = nobody. by_hand: the rep has them by hand, not by an area.
    """

    contact_id: int
    workplace_id: int
    place_id: int
    shift_id: int | None
    rep_id: int | None
    by_hand: bool


@dataclass(frozen=True, slots=True)
class MyPerson:
    """Somebody a rep looks after, as at a day.

    rating: 1 (strongest) to 5, None = not asked; firm and scored_on go with it. last_talk: the
    last one this scope may see, None = none written down. by_hand: picked, not from an area.
    """

    contact_id: int
    public_id: uuid.UUID
    name: str
    do_not_contact: bool
    workplace_name: str
    area_name: str | None
    shift_name: str | None
    rating: int | None
    firm: bool | None
    scored_on: date | None
    last_talk: LastTalk | None
    by_hand: bool


def in_charge_at(
    session: Session, scope: Scope, workplace_ids: Collection[int], *, as_at: date
) -> list[InCharge]:
    """Return every job held at the workplaces on a day, with who is in charge of the person there.

    workplace_ids: inner ids of workplaces found in the scope. Four statements at most, whatever
    the number of people.
    """
    if not workplace_ids:
        return []
    jobs = session.execute(_jobs(scope, as_at).where(one_of(Job.workplace_id, workplace_ids)))
    return _settle(session, scope, jobs.all(), as_at)


def sites_looked_after(
    session: Session, scope: Scope, workplace_ids: Collection[int], *, as_at: date
) -> set[int]:
    """Return those of the workplaces where somebody can be in charge of anybody on a day: all or
    part of them, or a person there, was given to somebody. At the others nobody is. Two statements.
    """
    if not workplace_ids:
        return set()
    inside = session.scalars(
        scope.select(PlaceClosure.ancestor_id)
        .join(Turf, Turf.place_id == PlaceClosure.descendant_id)
        .where(one_of(PlaceClosure.ancestor_id, workplace_ids), known(Turf), covers(Turf, as_at))
        .distinct()
    )
    by_hand = session.scalars(
        scope.select(TurfPerson.workplace_id)
        .where(
            one_of(TurfPerson.workplace_id, workplace_ids),
            known(TurfPerson),
            covers(TurfPerson, as_at),
        )
        .distinct()
    )
    return {*inside, *by_hand}


def people_of(session: Session, scope: Scope, user_id: int, *, as_at: date) -> list[InCharge]:
    """Return the jobs on a day, seen by this scope, of the people whom a user is in charge of.

    user_id: inner id. Somebody with two jobs may stand in it twice. Five statements at most.
    """
    given = (known(TurfPerson), covers(TurfPerson, as_at), TurfPerson.user_id == user_id)
    by_hand = session.execute(
        _jobs(scope, as_at)
        .join(
            TurfPerson,
            sa.and_(
                TurfPerson.contact_id == Job.contact_id,
                TurfPerson.workplace_id == Job.workplace_id,
            ),
        )
        .where(*given)
    ).all()
    by_area = session.execute(
        _jobs(scope, as_at)
        .join(PlaceClosure, PlaceClosure.descendant_id == Job.place_id)
        .join(Turf, Turf.place_id == PlaceClosure.ancestor_id)
        .where(
            known(Turf),
            covers(Turf, as_at),
            Turf.user_id == user_id,
            sa.or_(Turf.shift_id.is_(None), Turf.shift_id == Job.shift_id),
        )
    ).all()
    jobs = {row.id: row for row in (*by_hand, *by_area)}
    settled = _settle(session, scope, list(jobs.values()), as_at)
    return [one for one in settled if one.rep_id == user_id]


def reps_of(session: Session, scope: Scope, contact_id: int, *, as_at: date) -> list[str]:
    """Return the names of those in charge of a person on a day, as far as this scope sees it.

    contact_id: inner id. Usually one name; none when nobody is, and several for somebody with
    jobs at several workplaces.
    """
    jobs = session.execute(_jobs(scope, as_at).where(Job.contact_id == contact_id)).all()
    reps = {one.rep_id for one in _settle(session, scope, jobs, as_at) if one.rep_id is not None}
    return sorted(names_of_users(session, reps).values())


def own_people(session: Session, scope: Scope, *, today: date) -> frozenset[int]:
    """Return the inner ids of the people whom the actor is in charge of today.

    Two statements for somebody who was given nobody, five at most.
    """
    if scope.actor_id is None:
        return frozenset()
    jobs = people_of(session, scope, scope.actor_id, as_at=today)
    return frozenset(one.contact_id for one in jobs)


def list_my_people(session: Session, scope: Scope, *, today: date) -> list[MyPerson]:
    """Return the people whom the actor is in charge of today, and may log talks with.

    Nobody talked to them yet first, then the oldest talk, then by name. Somebody with two jobs is
    one row. Nine statements at most, whatever the number of people.
    """
    if scope.actor_id is None:
        return []
    return describe(
        session, scope, people_of(session, scope, scope.actor_id, as_at=today), today=today
    )


def describe(
    session: Session, scope: Scope, jobs: Iterable[InCharge], *, today: date
) -> list[MyPerson]:
    """Return the people of these jobs where talks may be logged, as at today and in that order."""
    wanted: dict[int, InCharge] = {}
    for job in jobs:
        wanted.setdefault(job.contact_id, job)
    if not wanted:
        return []
    rows = session.execute(
        scope.select(
            Contact.id,
            Contact.public_id,
            Contact.known_as,
            Contact.placeholder_label,
            Contact.name_key,
            Contact.do_not_contact,
            StateSpan.workplace_id,
            StateSpan.area_id,
            StateSpan.score,
            StateSpan.score_firm,
            StateSpan.scored_on,
        )
        .join(StateSpan, StateSpan.contact_id == Contact.id)
        .where(
            one_of(Contact.id, wanted),
            StateSpan.from_day <= today,
            StateSpan.to_day > today,
            scope.reach(Permission.CONVERSATION_WRITE, StateSpan.place_id),
        )
        .order_by(StateSpan.id)
    ).all()
    spans: dict[int, Any] = {}
    for row in rows:
        if row.id not in spans or row.workplace_id == wanted[row.id].workplace_id:
            spans[row.id] = row
    talks = last_talks(session, scope, spans)
    places = {place for row in spans.values() for place in (row.workplace_id, row.area_id) if place}
    names = names_of(session, scope, places)
    shifts = _shift_names(session, scope, {wanted[one].shift_id for one in spans})
    people = [
        MyPerson(
            contact_id=row.id,
            public_id=row.public_id,
            name=row.known_as or row.placeholder_label,
            do_not_contact=row.do_not_contact,
            workplace_name=names.get(row.workplace_id, ""),
            area_name=names.get(row.area_id),
            shift_name=shifts.get(wanted[row.id].shift_id or 0),
            rating=row.score,
            firm=row.score_firm,
            scored_on=row.scored_on,
            last_talk=talks.get(row.id),
            by_hand=wanted[row.id].by_hand,
        )
        for row in sorted(spans.values(), key=lambda row: (row.name_key, row.id))
    ]
    return sorted(people, key=lambda one: talk_order(one.last_talk.day if one.last_talk else None))


def _shift_names(session: Session, scope: Scope, ids: set[int | None]) -> dict[int, str]:
    wanted = [one for one in ids if one is not None]
    if not wanted:
        return {}
    rows = session.execute(scope.select(Shift.id, Shift.name).where(one_of(Shift.id, wanted)))
    return {int(shift_id): str(name) for shift_id, name in rows}


def _jobs(scope: Scope, as_at: date) -> sa.Select[Any]:
    return scope.select(
        Job.id, Job.contact_id, Job.workplace_id, Job.place_id, Job.area_id, Job.shift_id
    ).where(known(Job), covers(Job, as_at))


def _settle(session: Session, scope: Scope, jobs: Collection[Any], as_at: date) -> list[InCharge]:
    """Say of each job who is in charge. What others hold counts as far as this scope sees it,
    which is far enough: see the rules of both tables in crm/access/scope.py."""
    sites = {job.workplace_id for job in jobs}
    if not sites:
        return []
    picks = session.execute(
        scope.select(TurfPerson.workplace_id, TurfPerson.contact_id, TurfPerson.user_id)
        .where(one_of(TurfPerson.workplace_id, sites), known(TurfPerson), covers(TurfPerson, as_at))
        .order_by(TurfPerson.id.desc())
    )
    picked = {(row.workplace_id, row.contact_id): int(row.user_id) for row in picks}
    turfs = session.execute(
        scope.select(Turf.user_id, Turf.place_id, Turf.shift_id)
        .join(PlaceClosure, PlaceClosure.descendant_id == Turf.place_id)
        .where(one_of(PlaceClosure.ancestor_id, sites), known(Turf), covers(Turf, as_at))
        .order_by(Turf.recorded_at, Turf.id)
    )
    patches = patches_by_place(Patch(row.user_id, row.place_id, row.shift_id) for row in turfs)
    above: dict[int, int | None] = {}
    if patches:
        areas = session.execute(
            scope.select(Area.id, Area.parent_area_id).where(one_of(Area.workplace_id, sites))
        )
        above = {int(area): parent for area, parent in areas}
    found = []
    # All jobs at a place on a shift have the same rep, but those of people held by hand.
    settled: dict[tuple[int, int | None, int | None, int | None], int | None] = {}
    for job in jobs:
        by_hand = picked.get((job.workplace_id, job.contact_id))
        same = (job.workplace_id, job.area_id, job.shift_id, by_hand)
        if same not in settled:
            settled[same] = rep_of(
                _outwards(job, above), job.shift_id, picked_by=by_hand, patches=patches
            )
        found.append(
            InCharge(
                contact_id=job.contact_id,
                workplace_id=job.workplace_id,
                place_id=job.place_id,
                shift_id=job.shift_id,
                rep_id=settled[same],
                by_hand=by_hand is not None,
            )
        )
    return found


def _outwards(job: Any, above: dict[int, int | None]) -> list[int]:
    """Return the places a job is in, the innermost area first and the workplace last."""
    chain: list[int] = []
    area = job.area_id
    while area is not None and area not in chain:
        chain.append(area)
        area = above.get(area)
    return [*chain, job.workplace_id]


@dataclass(frozen=True, slots=True)
class Stranded:
    """What one user can no longer look after in this scope, because their access ended or shrank.

    Inner id of the user. people: by hand. areas: given to them. reminders: open ones.
    """

    user_id: int
    people: int
    areas: int
    reminders: int


def list_stranded(session: Session, scope: Scope, *, today: date, day: date) -> list[Stranded]:
    """Return what needs a new rep at the places where the actor shares people out, by user.

    today: the actor's. day: the same in UTC, as the guard reckons grants. Worked out from the
    grants in force, so nothing has to happen when one ends, and nothing can be forgotten.
    Three statements.
    """
    people = session.execute(
        scope.select(TurfPerson.user_id, sa.func.count(TurfPerson.contact_id.distinct()))
        .join(
            Job,
            sa.and_(
                Job.contact_id == TurfPerson.contact_id,
                Job.workplace_id == TurfPerson.workplace_id,
            ),
        )
        .where(*_given_up(scope, TurfPerson, Job.place_id, today, day), known(Job))
        .where(covers(Job, today))
        .group_by(TurfPerson.user_id)
    )
    areas = session.execute(
        scope.select(Turf.user_id, sa.func.count(Turf.id))
        .where(*_given_up(scope, Turf, Turf.place_id, today, day))
        .group_by(Turf.user_id)
    )
    reminders = session.execute(
        scope.select(FollowUp.owner_id, sa.func.count(FollowUp.id))
        .where(
            FollowUp.done_at.is_(None),
            scope.reach(Permission.TURF_WRITE, FollowUp.place_id),
            ~speaks_at(FollowUp.owner_id, FollowUp.place_id, day),
        )
        .group_by(FollowUp.owner_id)
    )
    counted: list[dict[int, int]] = [
        {int(user): int(count) for user, count in rows} for rows in (people, areas, reminders)
    ]
    return [
        Stranded(user, *(one.get(user, 0) for one in counted))
        for user in sorted(set().union(*counted))
    ]


def _given_up(
    scope: Scope, model: Any, place: Any, today: date, day: date
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        known(model),
        covers(model, today),
        scope.reach(Permission.TURF_WRITE, place),
        ~speaks_at(model.user_id, place, day),
    )


def something_stranded(session: Session, scope: Scope, *, today: date, day: date) -> bool:
    """Return whether list_stranded would return anything.

    Asks of each pair of user and place once, not of each reminder: it runs on the first page.
    """
    reminders = (
        scope.select(FollowUp.owner_id.label("user_id"), FollowUp.place_id)
        .where(FollowUp.done_at.is_(None), scope.reach(Permission.TURF_WRITE, FollowUp.place_id))
        .distinct()
        .subquery()
    )
    pairs = session.execute(
        scope.select(reminders.c.user_id)
        .where(~speaks_at(reminders.c.user_id, reminders.c.place_id, day))
        .limit(1)
    ).first()
    if pairs is not None:
        return True
    people = (
        scope.select(TurfPerson.user_id, Job.place_id)
        .join(
            Job,
            sa.and_(
                Job.contact_id == TurfPerson.contact_id,
                Job.workplace_id == TurfPerson.workplace_id,
            ),
        )
        .where(known(TurfPerson), covers(TurfPerson, today), known(Job), covers(Job, today))
        .where(scope.reach(Permission.TURF_WRITE, Job.place_id))
        .distinct()
        .subquery()
    )
    return (
        session.execute(
            scope.select(people.c.user_id)
            .where(~speaks_at(people.c.user_id, people.c.place_id, day))
            .limit(1)
        ).first()
        is not None
        or session.execute(
            scope.select(Turf.id).where(*_given_up(scope, Turf, Turf.place_id, today, day)).limit(1)
        ).first()
        is not None
    )
