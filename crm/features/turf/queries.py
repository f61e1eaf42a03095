"""Reads for who has whom: workplaces, one workplace, one rep, one move."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.many import one_of
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.speakers import Speaker, list_speakers
from crm.access.turf import AtSite
from crm.domain.errors import NotFound
from crm.models.accounts import UserAccount
from crm.models.contacts import Contact, Job
from crm.models.conversations import FollowUp
from crm.models.places import Area, PlaceClosure, Shift, Workplace
from crm.models.turf import FollowUpPass, Turf, TurfMove, TurfPerson
from crm.reads.people import names_of_users
from crm.reads.places import get_place, names_of
from crm.reads.turf import InCharge, MyPerson, describe, in_charge_at, list_stranded

SITES_SHOWN = 50
PEOPLE_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """A user who can no longer look after what is theirs here. active: their account is open."""

    user_id: uuid.UUID
    name: str
    active: bool
    people: int
    areas: int
    reminders: int


@dataclass(frozen=True, slots=True)
class Site:
    """A workplace with how many work there today by our list, and how many have nobody."""

    public_id: uuid.UUID
    name: str
    people: int
    nobody: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What waits for a new rep, and a page of the workplaces. total: workplaces in all."""

    waiting: list[Waiting]
    sites: list[Site]
    total: int
    offset: int


@dataclass(frozen=True, slots=True)
class Rep:
    """A user with people at a workplace. people: in all; by_hand: of them picked by name.

    may: whether their role still lets them log talks at the place of each.
    """

    user_id: uuid.UUID
    name: str
    people: int
    by_hand: int
    may: bool


@dataclass(frozen=True, slots=True)
class GivenArea:
    """An area, or one shift of it, that a rep has. area None = the whole workplace."""

    public_id: uuid.UUID
    area: str | None
    shift: str | None
    rep: str
    since: date
    may_end: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to pick: its public id and its words."""

    public_id: uuid.UUID
    name: str


@dataclass(frozen=True, slots=True)
class SitePage:
    """One workplace: its reps, the areas given, and the people of one filter.

    total: people with a job here today. nobody: of them without a rep. shown: a part of the
    `matching` people, from `offset` on, with who has each.
    """

    public_id: uuid.UUID
    name: str
    total: int
    nobody: int
    reps: list[Rep]
    areas: list[GivenArea]
    shown: list[tuple[MyPerson, str | None]]
    matching: int
    offset: int
    speakers: list[Speaker]
    places: list[Choice]
    shifts: list[Choice]


@dataclass(frozen=True, slots=True)
class Part:
    """What a rep has at one place: people by hand, areas, reminders. Inner and public id."""

    place_id: int
    public_id: uuid.UUID
    name: str
    people: list[AtSite]
    names: list[str]
    areas: list[Turf]
    area_names: list[str]
    reminders: list[FollowUp]
    speakers: list[Speaker]


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that a user has at the places where the actor shares people out, place by place.

    for_all: users who may look after all of it.
    """

    inner_id: int
    user_id: uuid.UUID
    name: str
    parts: list[Part]
    for_all: list[Speaker]


@dataclass(frozen=True, slots=True)
class MoveSeen:
    """A move of the actor's. Counts are of what it gave to somebody, or took from somebody."""

    public_id: uuid.UUID
    made_at: datetime
    undone_at: datetime | None
    from_name: str | None
    people: int
    areas: int
    reminders: int


def get_overview(
    session: Session, scope: Scope, *, today: date, day: date, offset: int = 0
) -> Overview:
    """Return what needs a new rep, and the workplaces by name with who has nobody."""
    stranded = list_stranded(session, scope, today=today, day=day)
    users = {
        user.id: user
        for user in session.scalars(
            sa.select(UserAccount).where(UserAccount.id.in_([one.user_id for one in stranded]))
        )
    }
    waiting = [
        Waiting(
            user_id=users[one.user_id].public_id,
            name=users[one.user_id].name,
            active=users[one.user_id].active,
            people=one.people,
            areas=one.areas,
            reminders=one.reminders,
        )
        for one in stranded
    ]
    sites = scope.select(Workplace.id, Workplace.public_id, Workplace.name).where(
        Workplace.closed_on.is_(None), _shared_out(scope)
    )
    total = session.execute(
        sites.with_only_columns(sa.func.count(Workplace.id), maintain_column_froms=True)
    ).scalar_one()
    rows = session.execute(
        sites.order_by(Workplace.name_key, Workplace.id).limit(SITES_SHOWN).offset(offset)
    ).all()
    everyone = _people(in_charge_at(session, scope, [row.id for row in rows], as_at=today))
    return Overview(
        waiting=sorted(waiting, key=lambda one: (one.name, str(one.user_id))),
        sites=[
            Site(
                public_id=row.public_id,
                name=row.name,
                people=len(everyone.get(row.id, {})),
                nobody=sum(1 for one in everyone.get(row.id, {}).values() if one.rep_id is None),
            )
            for row in rows
        ],
        total=int(total),
        offset=offset,
    )


def _shared_out(scope: Scope) -> sa.ColumnElement[bool]:
    """Return the condition that the actor shares people out at the workplace or an area of it."""
    nodes = scope.nodes(Permission.TURF_WRITE)
    if nodes is None:
        return sa.true()
    areas = sa.select(Area.workplace_id).where(scope.reach(Permission.TURF_WRITE, Area.id))
    return sa.or_(scope.reach(Permission.TURF_WRITE, Workplace.id), Workplace.id.in_(areas))


def _people(jobs: list[InCharge]) -> dict[int, dict[int, InCharge]]:
    """Return one job of each person by workplace and person; one with a rep before one without."""
    found: dict[int, dict[int, InCharge]] = {}
    for job in jobs:
        here = found.setdefault(job.workplace_id, {})
        if job.contact_id not in here or here[job.contact_id].rep_id is None:
            here[job.contact_id] = job
    return found


def get_site(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    *,
    of: uuid.UUID | None,
    everybody: bool,
    today: date,
    day: date,
    offset: int = 0,
) -> SitePage:
    """Return one workplace with who has whom. Raises NotFound where the actor shares nobody out.

    of: only the people of this user; None = those whom nobody has. everybody: all people.
    Some twenty statements, whatever the number of people.
    """
    site = hold_site(session, scope, public_id)
    jobs = in_charge_at(session, scope, [site.id], as_at=today)
    held = _held_places(session, scope, site.id)
    everyone = _people([one for one in jobs if one.place_id in held]).get(site.id, {})
    speakers = list_speakers(session, sorted(held), day=day)
    by_id = {one.user_id: one for one in speakers}
    reps = _reps(session, everyone, by_id)
    wanted = [
        one
        for one in everyone.values()
        if everybody or (one.rep_id is None if of is None else _key(reps, one.rep_id) == of)
    ]
    people = describe(session, scope, wanted, today=today)
    names = {rep_id: rep.name for rep_id, rep in reps.items()}
    shown = people[offset : offset + PEOPLE_SHOWN]
    return SitePage(
        public_id=site.public_id,
        name=site.name,
        total=len(everyone),
        nobody=sum(1 for one in everyone.values() if one.rep_id is None),
        reps=sorted(reps.values(), key=lambda one: (one.name, str(one.user_id))),
        areas=_given_areas(session, scope, site.id, held, today),
        shown=[(one, names.get(everyone[one.contact_id].rep_id or 0)) for one in shown],
        matching=len(people),
        offset=offset,
        speakers=speakers,
        places=_area_choices(session, scope, site, held),
        shifts=[
            Choice(row.public_id, row.name)
            for row in session.execute(
                scope.select(Shift.public_id, Shift.name)
                .where(Shift.place_id == site.id, Shift.closed_on.is_(None))
                .order_by(Shift.name, Shift.id)
            )
        ],
    )


def _key(reps: dict[int, Rep], rep_id: int | None) -> uuid.UUID | None:
    return reps[rep_id].user_id if rep_id is not None else None


def hold_site(session: Session, scope: Scope, public_id: uuid.UUID) -> Workplace:
    """Return a workplace where the actor shares people out, or a part of it. Raises NotFound."""
    site = get_place(session, scope, Workplace, public_id)
    if not _held_places(session, scope, site.id):
        raise NotFound(f"workplace {public_id}")
    return site


def _held_places(session: Session, scope: Scope, site_id: int) -> set[int]:
    """Return the workplace and its areas as far as the actor shares people out there."""
    rows = session.execute(
        sa.select(PlaceClosure.descendant_id).where(
            PlaceClosure.ancestor_id == site_id,
            scope.reach(Permission.TURF_WRITE, PlaceClosure.descendant_id),
        )
    )
    return {int(place) for (place,) in rows}


def _reps(
    session: Session, everyone: dict[int, InCharge], speakers: dict[int, Speaker]
) -> dict[int, Rep]:
    theirs: dict[int, list[InCharge]] = {}
    for one in everyone.values():
        if one.rep_id is not None:
            theirs.setdefault(one.rep_id, []).append(one)
    users = session.execute(
        sa.select(UserAccount.id, UserAccount.public_id, UserAccount.name).where(
            UserAccount.id.in_(sorted(theirs))
        )
    )
    return {
        user.id: Rep(
            user_id=user.public_id,
            name=user.name,
            people=len(theirs[user.id]),
            by_hand=sum(1 for one in theirs[user.id] if one.by_hand),
            may=user.id in speakers
            and {one.place_id for one in theirs[user.id]} <= speakers[user.id].place_ids,
        )
        for user in users
    }


def _given_areas(
    session: Session, scope: Scope, site_id: int, held: set[int], today: date
) -> list[GivenArea]:
    rows = session.execute(
        scope.select(Turf, UserAccount.name.label("rep"))
        .join(UserAccount, UserAccount.id == Turf.user_id)
        .join(PlaceClosure, PlaceClosure.descendant_id == Turf.place_id)
        .where(PlaceClosure.ancestor_id == site_id, known(Turf), covers(Turf, today))
        .order_by(Turf.place_id, Turf.id)
    ).all()
    places = names_of(session, scope, {row[0].place_id for row in rows})
    shifts = _shift_names(session, scope, {row[0].shift_id for row in rows})
    return [
        GivenArea(
            public_id=row[0].public_id,
            area=None if row[0].place_id == site_id else places.get(row[0].place_id),
            shift=shifts.get(row[0].shift_id),
            rep=row.rep,
            since=row[0].valid_from,
            may_end=row[0].place_id in held,
        )
        for row in rows
    ]


def _shift_names(session: Session, scope: Scope, ids: set[int | None]) -> dict[int | None, str]:
    rows = session.execute(
        scope.select(Shift.id, Shift.name).where(
            Shift.id.in_(sorted(one for one in ids if one is not None))
        )
    )
    return {row.id: row.name for row in rows}


def _area_choices(session: Session, scope: Scope, site: Workplace, held: set[int]) -> list[Choice]:
    rows = session.execute(
        scope.select(Area.public_id, Area.name)
        .where(Area.workplace_id == site.id, Area.closed_on.is_(None), Area.id.in_(sorted(held)))
        .order_by(Area.name_key, Area.id)
    )
    areas = [Choice(row.public_id, row.name) for row in rows]
    return [Choice(site.public_id, site.name), *areas] if site.id in held else areas


def find_people(
    session: Session, scope: Scope, site_id: int, contacts: list[uuid.UUID], *, today: date
) -> list[AtSite]:
    """Return where the people work today at the workplace, each once. Raises NotFound for
    anybody who does not work there, or where the actor does not share people out."""
    rows = session.execute(
        scope.select(Contact.public_id, Job.contact_id, Job.place_id)
        .join(Job, Job.contact_id == Contact.id)
        .where(
            Contact.public_id.in_(contacts),
            Job.workplace_id == site_id,
            known(Job),
            covers(Job, today),
            scope.reach(Permission.TURF_WRITE, Job.place_id),
        )
        .order_by(Job.id)
    )
    found: dict[uuid.UUID, AtSite] = {}
    for row in rows:
        found.setdefault(row.public_id, AtSite(row.contact_id, site_id, row.place_id))
    if len(found) < len(set(contacts)):
        raise NotFound("a person to give to a rep")
    return [found[one] for one in dict.fromkeys(contacts)]


def find_turf(session: Session, scope: Scope, public_id: uuid.UUID) -> tuple[Turf, Workplace]:
    """Return an area that somebody has now, and its workplace. Raises NotFound."""
    turf = session.scalars(
        scope.select(Turf, permission=Permission.TURF_WRITE)
        .where(Turf.public_id == public_id, known(Turf), Turf.valid_to.is_(None))
        .with_for_update()
    ).one_or_none()
    if turf is None:
        raise NotFound(f"turf {public_id}")
    site = session.scalars(
        scope.select(Workplace)
        .join(PlaceClosure, PlaceClosure.ancestor_id == Workplace.id)
        .where(PlaceClosure.descendant_id == turf.place_id)
    ).one()
    return turf, site


def get_holdings(
    session: Session, scope: Scope, user_id: uuid.UUID, *, today: date, day: date
) -> Holdings:
    """Return all that a user has at the places where the actor shares people out.

    Raises NotFound when that is nothing: who the users of other places are is not said.
    """
    user = session.execute(
        sa.select(UserAccount.id, UserAccount.public_id, UserAccount.name).where(
            UserAccount.public_id == user_id
        )
    ).one_or_none()
    if user is None:
        raise NotFound(f"user {user_id}")
    people = _by_hand(session, scope, user.id, today)
    areas = session.scalars(
        scope.select(Turf, permission=Permission.TURF_WRITE)
        .where(Turf.user_id == user.id, known(Turf), Turf.valid_to.is_(None))
        .order_by(Turf.id)
    ).all()
    reminders = session.scalars(
        scope.select(FollowUp, permission=Permission.TURF_WRITE)
        .where(FollowUp.owner_id == user.id, FollowUp.done_at.is_(None))
        .order_by(FollowUp.due_on, FollowUp.id)
    ).all()
    places = {row.place_id for row in (*people, *areas, *reminders)}
    if not places:
        raise NotFound(f"user {user_id} has nothing here")
    speakers = [
        one for one in list_speakers(session, sorted(places), day=day) if one.user_id != user.id
    ]
    shifts = _shift_names(session, scope, {one.shift_id for one in areas})
    parts = [
        Part(
            place_id=place_id,
            public_id=key,
            name=name,
            people=[
                AtSite(row.contact_id, row.workplace_id, row.place_id)
                for row in people
                if row.place_id == place_id
            ],
            names=[
                row.known_as or row.placeholder_label for row in people if row.place_id == place_id
            ],
            areas=[one for one in areas if one.place_id == place_id],
            area_names=[shifts.get(one.shift_id, "") for one in areas if one.place_id == place_id],
            reminders=[one for one in reminders if one.place_id == place_id],
            speakers=[one for one in speakers if place_id in one.place_ids],
        )
        for place_id, key, name in _named_places(session, scope, places)
    ]
    return Holdings(
        inner_id=user.id,
        user_id=user.public_id,
        name=user.name,
        parts=parts,
        for_all=[one for one in speakers if places <= one.place_ids],
    )


def _by_hand(session: Session, scope: Scope, user_id: int, today: date) -> list[Any]:
    rows = session.execute(
        scope.select(
            TurfPerson.contact_id,
            TurfPerson.workplace_id,
            Job.place_id,
            Contact.known_as,
            Contact.placeholder_label,
        )
        .join(
            Job,
            sa.and_(
                Job.contact_id == TurfPerson.contact_id,
                Job.workplace_id == TurfPerson.workplace_id,
            ),
        )
        .join(Contact, Contact.id == TurfPerson.contact_id)
        .where(
            TurfPerson.user_id == user_id,
            known(TurfPerson),
            TurfPerson.valid_to.is_(None),
            known(Job),
            covers(Job, today),
            scope.reach(Permission.TURF_WRITE, Job.place_id),
        )
        .order_by(Contact.name_key, Contact.id, Job.id)
    )
    found: dict[tuple[int, int], Any] = {}
    for row in rows:
        found.setdefault((row.contact_id, row.workplace_id), row)
    return list(found.values())


def _named_places(
    session: Session, scope: Scope, places: set[int]
) -> list[tuple[int, uuid.UUID, str]]:
    """Return the places with their names, areas after their workplace's name, in that order."""
    areas = session.execute(
        scope.select(Area.id, Area.public_id, Area.name, Area.workplace_id).where(
            one_of(Area.id, places)
        )
    ).all()
    sites = session.execute(
        scope.select(Workplace.id, Workplace.public_id, Workplace.name).where(
            one_of(Workplace.id, places | {row.workplace_id for row in areas})
        )
    ).all()
    names = {row.id: row.name for row in sites}
    found = [(row.id, row.public_id, row.name) for row in sites if row.id in places]
    found += [
        (row.id, row.public_id, f"{names.get(row.workplace_id, '')} · {row.name}") for row in areas
    ]
    return sorted(found, key=lambda one: (one[2], one[0]))


def get_move(session: Session, scope: Scope, public_id: uuid.UUID) -> MoveSeen:
    """Return a move of the actor's own. Raises NotFound for any other."""
    move = session.scalars(
        scope.select(TurfMove).where(TurfMove.public_id == public_id)
    ).one_or_none()
    if move is None:
        raise NotFound(f"move {public_id}")
    people = session.execute(
        scope.select(
            sa.func.count(TurfPerson.contact_id.distinct()),
        ).where(TurfPerson.move_id == move.id)
    ).scalar_one()
    areas = session.execute(
        scope.select(Turf.place_id, Turf.shift_id).where(Turf.move_id == move.id).distinct()
    ).all()
    reminders = session.execute(
        scope.select(sa.func.count(FollowUpPass.id)).where(FollowUpPass.move_id == move.id)
    ).scalar_one()
    owner = move.from_user_id
    return MoveSeen(
        public_id=move.public_id,
        made_at=move.made_at,
        undone_at=move.undone_at,
        from_name=names_of_users(session, {owner}).get(owner) if owner is not None else None,
        people=int(people),
        areas=len(areas),
        reminders=int(reminders),
    )
