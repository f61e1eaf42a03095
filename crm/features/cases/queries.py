"""Reads for cases. Every one of them finds only cases whose team the actor is on."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import audit
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.speakers import list_speakers
from crm.domain.errors import NotFound
from crm.domain.headcount import Headcount as Estimate
from crm.domain.identity import fold
from crm.domain.vocabulary import CaseKind, CaseMatter, CaseOutcome, CaseRole, CaseStep, PlaceKind
from crm.models.accounts import UserAccount
from crm.models.cases import Case, CaseDeadline, CaseEntry, CasePerson, CaseTeamMember
from crm.models.contacts import Contact, StateSpan
from crm.models.places import Area, Place, PlaceClosure, Workplace
from crm.reads.people import PersonRow, list_people, names_of_users
from crm.reads.places import Choice, headcounts_on, names_of, place_name_of

MOST_PLACES = 100
FOUND = 20


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in a list. next_due: the first deadline not yet met, None = there is none."""

    public_id: uuid.UUID
    reference: str
    kind: CaseKind
    matter: CaseMatter
    place_name: str
    opened_on: date
    closed_on: date | None
    outcome: CaseOutcome | None
    next_due: date | None


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something to be done by a day. done_by: a name; done_at None = still to do."""

    public_id: uuid.UUID
    due_on: date
    what: str
    done_at: datetime | None
    done_by: str | None


@dataclass(frozen=True, slots=True)
class InCase:
    """A contact with a part in the case."""

    public_id: uuid.UUID
    contact_public_id: uuid.UUID
    name: str
    role: CaseRole


@dataclass(frozen=True, slots=True)
class TeamMember:
    """A user on the team. holds: their role still covers the place, so that they can read it."""

    member_id: uuid.UUID
    user_public_id: uuid.UUID
    name: str
    mine: bool
    holds: bool


@dataclass(frozen=True, slots=True)
class Happened:
    """An entry of the case. by: a name, None = not known. words: None = only the step."""

    day: date
    step: CaseStep
    words: str | None
    by: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PeopleThere:
    """How many people a collective case may be about, as at a day.

    on_list: with a job at the place or inside it. counted: the headcount that holds, None = none.
    """

    on_list: int
    counted: Estimate | None
    as_at: date


@dataclass(frozen=True, slots=True)
class WholeCase:
    """A case with all that its team reads. people_there: only of a collective case."""

    public_id: uuid.UUID
    reference: str
    kind: CaseKind
    matter: CaseMatter
    place_public_id: uuid.UUID
    place_kind: PlaceKind
    place_name: str
    workplace_name: str | None
    opened_on: date
    closed_on: date | None
    outcome: CaseOutcome | None
    outcome_words: str | None
    affected: int | None
    version: int
    deadlines: tuple[Deadline, ...]
    people: tuple[InCase, ...]
    team: tuple[TeamMember, ...]
    entries: tuple[Happened, ...]
    people_there: PeopleThere | None


@dataclass(frozen=True, slots=True)
class Site:
    """A workplace or area where the actor may open a case, and its parts to choose from."""

    public_id: uuid.UUID
    name: str
    kind: PlaceKind
    parts: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class PlacesToOpen:
    """Workplaces where the actor may open a case. more: there are more than are listed."""

    places: tuple[Choice, ...]
    more: bool


def list_cases(session: Session, scope: Scope) -> list[CaseRow]:
    """Return the cases whose team the actor is on: open ones by their next deadline, then closed.

    One statement.
    """
    next_due = (
        sa.select(sa.func.min(CaseDeadline.due_on))
        .where(CaseDeadline.case_id == Case.id, CaseDeadline.done_at.is_(None))
        .correlate(Case)
        .scalar_subquery()
        .label("next_due")
    )
    rows = session.execute(
        scope.select(Case, place_name_of(Case.place_id).label("place_name"), next_due).order_by(
            Case.closed_on.is_not(None),
            Case.closed_on.desc(),
            next_due.is_(None),
            next_due,
            Case.opened_on.desc(),
            Case.id.desc(),
        )
    )
    return [
        CaseRow(
            public_id=row.Case.public_id,
            reference=row.Case.reference,
            kind=row.Case.kind,
            matter=row.Case.matter,
            place_name=row.place_name or "",
            opened_on=row.Case.opened_on,
            closed_on=row.Case.closed_on,
            outcome=row.Case.outcome,
            next_due=row.next_due,
        )
        for row in rows
    ]


def find_case(session: Session, scope: Scope, public_id: uuid.UUID, *, lock: bool = False) -> Case:
    """Return the case. Raises NotFound when there is none or the actor is not on its team.

    lock: others who change the case wait until this unit of work ends.
    """
    statement = scope.select(Case).where(Case.public_id == public_id)
    if lock:
        statement = statement.with_for_update(of=Case)
    found: Case | None = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound(f"case {public_id}")
    return found


def may_open(session: Session, scope: Scope, public_id: uuid.UUID) -> bool:
    """Return True when there is such a case and the actor is on its team."""
    found = session.execute(scope.select(Case.id).where(Case.public_id == public_id))
    return found.first() is not None


def get_case(
    session: Session, scope: Scope, public_id: uuid.UUID, *, today: date, day: date
) -> WholeCase:
    """Return a case with all that its team reads, and record that the actor opened it.

    today: the reader's. day: in UTC, as grants are reckoned. Raises NotFound as find_case does.
    Ten statements at most.
    """
    case = find_case(session, scope, public_id)
    place = session.scalars(scope.select(Place).where(Place.id == case.place_id)).one()
    workplace_id = place.workplace_id if isinstance(place, Area) else None
    above = names_of(session, scope, {workplace_id} if workplace_id else set())
    entries = session.scalars(
        scope.select(CaseEntry)
        .where(CaseEntry.case_id == case.id)
        .order_by(CaseEntry.day.desc(), CaseEntry.id.desc())
    ).all()
    deadlines = session.scalars(
        scope.select(CaseDeadline)
        .where(CaseDeadline.case_id == case.id)
        .order_by(CaseDeadline.done_at.is_not(None), CaseDeadline.due_on, CaseDeadline.id)
    ).all()
    people = session.execute(
        scope.select(
            CasePerson.public_id,
            Contact.public_id.label("contact_public_id"),
            sa.func.coalesce(Contact.known_as, Contact.placeholder_label).label("name"),
            CasePerson.role,
        )
        .join(Contact, Contact.id == CasePerson.contact_id)
        .where(CasePerson.case_id == case.id, CasePerson.removed_at.is_(None))
        .order_by(Contact.name_key, CasePerson.id)
    )
    people_in = tuple(InCase(*row) for row in people)
    names = names_of_users(
        session,
        {one.author_id for one in entries if one.author_id is not None}
        | {one.done_by_id for one in deadlines if one.done_by_id is not None},
    )
    audit.record_case_view(session, case_id=case.id, case_public_id=case.public_id)
    return WholeCase(
        public_id=case.public_id,
        reference=case.reference,
        kind=case.kind,
        matter=case.matter,
        place_public_id=place.public_id,
        place_kind=place.kind,
        place_name=place.name,
        workplace_name=above.get(workplace_id or 0),
        opened_on=case.opened_on,
        closed_on=case.closed_on,
        outcome=case.outcome,
        outcome_words=case.outcome_words,
        affected=case.affected,
        version=case.version,
        deadlines=tuple(
            Deadline(
                one.public_id, one.due_on, one.what, one.done_at, names.get(one.done_by_id or 0)
            )
            for one in deadlines
        ),
        people=people_in,
        team=team_of(session, scope, case, day=day),
        entries=tuple(
            Happened(one.day, one.step, one.words, names.get(one.author_id or 0), one.recorded_at)
            for one in entries
        ),
        people_there=_people_there(session, scope, case, today)
        if case.kind is CaseKind.COLLECTIVE
        else None,
    )


def team_of(session: Session, scope: Scope, case: Case, *, day: date) -> tuple[TeamMember, ...]:
    """Return the users on the team, the actor first. Two statements. day: in UTC."""
    members = session.scalars(
        scope.select(CaseTeamMember)
        .where(CaseTeamMember.case_id == case.id, CaseTeamMember.left_at.is_(None))
        .order_by(CaseTeamMember.joined_at, CaseTeamMember.id)
    ).all()
    holding = {one.user_id for one in list_speakers(session, [case.place_id], day=day)}
    users = _users(session, {one.user_id for one in members})
    found = [
        TeamMember(
            member_id=one.public_id,
            user_public_id=users[one.user_id][0],
            name=users[one.user_id][1],
            mine=one.user_id == scope.actor_id,
            holds=one.user_id in holding,
        )
        for one in members
    ]
    return tuple(sorted(found, key=lambda one: not one.mine))


def list_to_join(
    session: Session, scope: Scope, public_id: uuid.UUID, *, day: date
) -> list[tuple[uuid.UUID, str]]:
    """Return the users who may be put on the team: their role covers the place, and they are not
    on it yet. By name; public ids. day: in UTC. Raises NotFound as find_case does."""
    case = find_case(session, scope, public_id)
    on_it = set(
        session.scalars(
            scope.select(CaseTeamMember.user_id).where(
                CaseTeamMember.case_id == case.id, CaseTeamMember.left_at.is_(None)
            )
        )
    )
    speakers = list_speakers(session, [case.place_id], day=day)
    return [(one.public_id, one.name) for one in speakers if one.user_id not in on_it]


def find_to_add(
    session: Session, scope: Scope, public_id: uuid.UUID, text: str, *, today: date
) -> tuple[str, list[PersonRow]]:
    """Return the case's reference and people at its workplace today whose name or phone fits.

    Raises NotFound as find_case does.
    """
    case = find_case(session, scope, public_id)
    place = session.scalars(scope.select(Place).where(Place.id == case.place_id)).one()
    whole = place
    if isinstance(place, Area):
        whole = (
            session.scalars(scope.select(Place).where(Place.id == place.workplace_id)).one_or_none()
            or place
        )
    found = list_people(
        session, scope, as_at=today, text=text, place=whole.public_id, limit=FOUND + 1
    )
    return case.reference, found.rows


def places_to_open(session: Session, scope: Scope) -> PlacesToOpen:
    """Return the workplaces, and areas held by themselves, where the actor may open a case."""
    rows = session.execute(
        scope.select(Place.public_id, Place.name, permission=Permission.CONVERSATION_WRITE)
        .where(Place.kind.in_([PlaceKind.WORKPLACE, PlaceKind.AREA]), Place.closed_on.is_(None))
        .order_by(Place.kind.desc(), Place.name, Place.id)
        .limit(MOST_PLACES + 1)
    ).all()
    offered = tuple(Choice(str(row.public_id), row.name) for row in rows[:MOST_PLACES])
    return PlacesToOpen(offered, more=len(rows) > MOST_PLACES)


def get_site(session: Session, scope: Scope, public_id: uuid.UUID) -> Site:
    """Return the place to open a case at, with the parts of it to choose from.

    Raises NotFound unless it is a workplace or area where the actor may log talks.
    """
    place = session.scalars(
        scope.select(Place, permission=Permission.CONVERSATION_WRITE).where(
            Place.public_id == public_id,
            Place.kind.in_([PlaceKind.WORKPLACE, PlaceKind.AREA]),
        )
    ).one_or_none()
    if place is None:
        raise NotFound(f"place {public_id}")
    parts = [Choice(str(place.public_id), place.name)]
    if isinstance(place, Workplace):
        areas = session.execute(
            scope.select(Area.public_id, Area.name, permission=Permission.CONVERSATION_WRITE)
            .where(Area.workplace_id == place.id, Area.closed_on.is_(None))
            .order_by(Area.name, Area.id)
        )
        parts += [Choice(str(row.public_id), f"{place.name}, {row.name}") for row in areas]
    return Site(place.public_id, place.name, place.kind, tuple(parts))


@dataclass(frozen=True, slots=True)
class Stuck:
    """An open case that nobody can open any more: no one on its team holds its place."""

    public_id: uuid.UUID
    place_name: str
    opened_on: date


def list_stuck(session: Session, scope: Scope, *, day: date) -> list[Stuck]:
    """Return the open cases that nobody on their team can open. For work over everything.

    day: in UTC, as grants are reckoned. No word that the team wrote is among it.
    """
    cases = session.execute(
        scope.select(Case.id, Case.public_id, Case.place_id, Case.opened_on, Place.name)
        .join(Place, Place.id == Case.place_id)
        .where(Case.closed_on.is_(None))
        .order_by(Case.opened_on, Case.id)
    ).all()
    teams: dict[int, set[int]] = {}
    for case_id, user_id in session.execute(
        scope.select(CaseTeamMember.case_id, CaseTeamMember.user_id).where(
            CaseTeamMember.left_at.is_(None)
        )
    ):
        teams.setdefault(int(case_id), set()).add(int(user_id))
    speakers = list_speakers(session, {case.place_id for case in cases}, day=day)
    held = {one.user_id: one.place_ids for one in speakers}
    return [
        Stuck(case.public_id, case.name, case.opened_on)
        for case in cases
        if not any(case.place_id in held.get(user, ()) for user in teams.get(case.id, ()))
    ]


def user_by_sign_in_name(session: Session, scope: Scope, sign_in_name: str) -> int | None:
    """Return the inner id of the user who signs in under a name, or None. For the command line."""
    found: int | None = session.scalars(
        sa.select(UserAccount.id).where(UserAccount.sign_in_name == fold(sign_in_name))
    ).one_or_none()
    return found


def _users(session: Session, ids: set[int]) -> dict[int, tuple[uuid.UUID, str]]:
    rows = session.execute(
        sa.select(UserAccount.id, UserAccount.public_id, UserAccount.name).where(
            UserAccount.id.in_(sorted(ids))
        )
    )
    return {int(row.id): (row.public_id, row.name) for row in rows}


def _people_there(session: Session, scope: Scope, case: Case, today: date) -> PeopleThere:
    inside = sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == case.place_id)
    on_list = session.execute(
        scope.select(sa.func.count(StateSpan.contact_id.distinct())).where(
            StateSpan.place_id.in_(inside), StateSpan.from_day <= today, StateSpan.to_day > today
        )
    ).scalar_one()
    counted = headcounts_on(session, scope, [case.place_id], today).get(case.place_id)
    return PeopleThere(on_list=int(on_list), counted=counted, as_at=today)
