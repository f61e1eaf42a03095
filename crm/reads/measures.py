"""Density on its several bases, unions side by side, and what stands beside density: reps,
activists and organised people for so many workers. Counts of people, under a scope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.many import one_of
from crm.access.scope import Scope
from crm.domain import bases
from crm.domain.assessment import ExpiryRule
from crm.domain.density import PeopleRange, Range, TotalDensity
from crm.domain.headcount import Counts, Workforce
from crm.domain.roles import Role
from crm.domain.sampling import Interval, finite_wilson
from crm.domain.structure import Deed
from crm.domain.vocabulary import ContractType
from crm.models.accounts import AccessGrant, UserAccount
from crm.models.campaigns import ListEntry, Participation, StructureTest
from crm.models.contacts import Job, StateSpan
from crm.models.conversations import Conversation, FollowUp
from crm.models.places import PlaceClosure, Recognition, Shift, Union
from crm.reads.columns import Columns
from crm.reads.density_places import only_those
from crm.reads.figures import GroupBy, NamedPeople, Part, Question, Reading
from crm.reads.places import names_of
from crm.reads.readiness import firm_now, in_charge_now
from crm.reads.turf import InCharge

# Days back in which somebody did something for the union to count as active.
ACTIVE_DAYS = 90
_OTHERS = (Counts.EMPLOYER_DIRECT, Counts.BARGAINING_UNIT, bases.Roster.BALLOT)


@dataclass(frozen=True, slots=True)
class Basis:
    """Density on one basis. members, workers, share: over the places that are counted on it.

    share None: nobody has counted anybody on this basis. surely: people known to belong.
    """

    counts: bases.Basis
    members: PeopleRange | None
    workers: Workforce | None
    share: Range | None
    surely: int
    places: int
    counted_places: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Those whose membership we know, taken as a sample of all workers. interval: 95 in 100."""

    members: int
    asked: int
    workers: int
    interval: Interval


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside density. reps: users with the role of a rep at or inside these places.

    active: users who logged a talk or finished a reminder here in 90 days. organised: people
    firmly with us, or who took part in the last test. members, workers: as the total has them.
    """

    reps: int
    active: int
    organised: int
    members: PeopleRange
    workers: Workforce | None


@dataclass(frozen=True, slots=True)
class UnionsHere:
    """The unions at one workplace: members named of each, of any, and of more than one.

    by_union, recognised: by inner id of the union.
    """

    place: Part
    by_union: Mapping[int, int]
    any_union: int
    several: int
    recognised: frozenset[int]


@dataclass(frozen=True, slots=True)
class Cell:
    """One area and shift of a workplace: its people, how many reps look after somebody in it, and
    how many people have nobody. area, shift None: not known."""

    area: str | None
    shift: str | None
    people: int
    reps: int
    nobody: int


@dataclass(frozen=True, slots=True)
class ContractCell:
    """People with one kind of contract, how many reps look after somebody with it, and how many of
    them have nobody. contract None: not known."""

    contract: ContractType | None
    people: int
    reps: int
    nobody: int


@dataclass(frozen=True, slots=True)
class Measures:
    """All of it, as at a day.

    unions: the name of each union by inner id. cells: of a single workplace; empty for several.
    contracts: of all the places, empty without people; contract_people, contract_reps: the people
    and reps in them, each once, though they be in several. Of a saved list only its people are
    counted: then there is one basis, nobody is a sample, and reps and active users are those of
    the places.
    """

    total: TotalDensity
    bases: tuple[Basis, ...]
    asked: Asked | None
    beside: Beside
    workplaces: tuple[UnionsHere, ...]
    unions: Mapping[int, str]
    cells: tuple[Cell, ...]
    contracts: tuple[ContractCell, ...]
    contract_people: int
    contract_reps: int


def measures(
    session: Session,
    scope: Scope,
    question: Question,
    *,
    expiry: ExpiryRule,
    day: date,
) -> Measures:
    """Return the measures of the places of a question, as at its day.

    day: today in UTC, as grants are reckoned: the reps are those of today. At most
    thirty statements, whatever the number of people and places.
    """
    of_list = question.people is not None
    asked = replace(
        question,
        group_by=GroupBy.WORKPLACE,
        counts=bases.Roster.LIST if of_list else Counts.SITE_ALL,
    )
    others = () if of_list else _OTHERS
    reading = Reading(session, scope, asked, [asked.as_at], bases=others)
    whole = reading.figures(asked.counts)
    sites = {part.place_id: part for part in whole.parts(asked.as_at)}
    total, named = whole.total(asked.as_at)
    found = [
        _basis(asked.counts, total, named, len(sites)),
        *(
            _basis(counts, *reading.figures(counts).total(asked.as_at), len(sites))
            for counts in others
        ),
    ]
    in_charge = in_charge_now(session, scope, sites, as_at=asked.as_at, day=day)
    contracts = _contracts(session, scope, in_charge, asked, sites)
    return Measures(
        total=total,
        bases=tuple(found),
        asked=None if of_list else _sample(total),
        beside=Beside(
            reps=_reps(session, sites, day),
            active=_active(session, scope, sites, asked.as_at),
            organised=_organised(session, scope, sites, asked, expiry),
            members=total.member_range,
            workers=total.workforce,
        ),
        workplaces=_unions_here(session, scope, asked, sites, reading),
        unions={
            int(union): str(name)
            for union, name in session.execute(
                scope.select(Union.id, Union.name).order_by(Union.name)
            )
        },
        cells=_cells(session, scope, in_charge, sites) if len(sites) == 1 and not of_list else (),
        contracts=contracts.cells,
        contract_people=contracts.people,
        contract_reps=contracts.reps,
    )


def _sample(total: TotalDensity) -> Asked | None:
    """Take those whose membership is known as a sample; None without a headcount, or when a union
    stated its members, who were not asked."""
    members, asked = int(total.members), int(total.members + total.not_members)
    if total.workforce is None or not asked or total.member_range.low > members:
        return None
    workers = max(round(total.workforce.best or total.workforce.high), asked)
    return Asked(members, asked, workers, finite_wilson(members, asked, workers))


def _basis(counts: bases.Basis, total: TotalDensity, named: NamedPeople, places: int) -> Basis:
    """Return the density on a basis. total, named: of all the places together, on that basis."""
    counted = total.workforce is not None
    return Basis(
        counts=counts,
        members=total.member_range if counted else None,
        workers=total.workforce,
        share=total.fraction_range,
        surely=named.members + named.not_members + named.not_known,
        places=places,
        counted_places=total.counted_places,
    )


# Beside density


def _reps(session: Session, sites: Collection[int], day: date) -> int:
    """Count the users with a rep's role at the workplaces or areas in them, in force today."""
    if not sites:
        return 0
    found = session.execute(
        sa.select(sa.func.count(sa.distinct(AccessGrant.user_id)))
        .join(UserAccount, UserAccount.id == AccessGrant.user_id)
        .where(
            UserAccount.active.is_(True),
            AccessGrant.role == Role.REP,
            known(AccessGrant),
            covers(AccessGrant, day),
            # Joined, SQLite walks through everything below each of the places.
            sa.exists(
                sa.select(sa.literal(1)).where(
                    PlaceClosure.descendant_id == AccessGrant.place_id,
                    one_of(PlaceClosure.ancestor_id, sites),
                )
            ),
        )
    )
    return int(found.scalar_one())


def _active(session: Session, scope: Scope, sites: Collection[int], as_at: date) -> int:
    """Count the users who logged a talk or finished a reminder at the workplaces in 90 days."""
    if not sites:
        return 0
    since = as_at - timedelta(days=ACTIVE_DAYS)
    inside = sa.select(PlaceClosure.descendant_id).where(one_of(PlaceClosure.ancestor_id, sites))
    talks = session.scalars(
        scope.select(Conversation.held_by_id)
        .where(
            Conversation.place_id.in_(inside),
            Conversation.day > since,
            Conversation.day <= as_at,
        )
        .distinct()
    )
    done = session.scalars(
        scope.select(FollowUp.done_by_id)
        .where(
            FollowUp.place_id.in_(inside),
            FollowUp.done_at >= _midnight(since + timedelta(days=1)),
            FollowUp.done_at < _midnight(as_at + timedelta(days=1)),
        )
        .distinct()
    )
    return len({user for user in (*talks, *done) if user is not None})


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _organised(
    session: Session, scope: Scope, sites: Collection[int], question: Question, expiry: ExpiryRule
) -> int:
    """Count people who work here, and are firmly with us or took part in the last test here."""
    if not sites:
        return 0
    as_at = question.as_at
    here = (
        StateSpan.from_day <= as_at,
        StateSpan.to_day > as_at,
        one_of(StateSpan.workplace_id, sites),
        *only_those(question, StateSpan.contact_id),
    )
    last = (
        scope.select(StructureTest.id)
        .join(ListEntry, ListEntry.test_id == StructureTest.id)
        .where(
            StructureTest.called_off_at.is_(None),
            StructureTest.as_at <= as_at,
            one_of(ListEntry.workplace_id, sites),
        )
        .order_by(StructureTest.frozen_at.desc(), StructureTest.id.desc())
        .limit(1)
    )
    test = session.scalars(last).one_or_none()
    did = (
        sa.false()
        if test is None
        else sa.exists(
            sa.select(sa.literal(1))
            .select_from(ListEntry)
            .join(Participation, Participation.entry_id == ListEntry.id)
            .where(
                ListEntry.test_id == test,
                ListEntry.contact_id == StateSpan.contact_id,
                known(Participation),
                Participation.deed == Deed.DID,
            )
        )
    )
    found = session.execute(
        scope.select(sa.func.count(sa.distinct(StateSpan.contact_id))).where(
            *here, sa.or_(sa.and_(firm_now(as_at, expiry), StateSpan.score <= 2), did)
        )
    )
    return int(found.scalar_one())


@dataclass(frozen=True, slots=True)
class _Contracts:
    cells: tuple[ContractCell, ...]
    people: int
    reps: int


def _contracts(
    session: Session,
    scope: Scope,
    in_charge: Iterable[InCharge],
    question: Question,
    sites: Collection[int],
) -> _Contracts:
    """Return the kinds of contract with their people and reps, the not known last.

    Somebody with two jobs of different kinds is in both. One statement.
    """
    if not sites:
        return _Contracts((), 0, 0)
    kinds = (*ContractType, None)
    columns = Columns(
        scope,
        Job.contact_id,
        Job.workplace_id,
        sa.case(
            *((Job.contract_type == kind, number) for number, kind in enumerate(ContractType)),
            else_=len(kinds) - 1,
        ),
    )
    holders, at, of_kind = columns.read(
        session,
        columns.statement.where(
            covers(Job, question.as_at), known(Job), one_of(Job.workplace_id, sites)
        ),
    )
    jobs = [
        job for job in in_charge if question.people is None or job.contact_id in question.people
    ]
    people = np.fromiter((job.contact_id for job in jobs), np.int64, len(jobs))
    places = np.fromiter((job.workplace_id for job in jobs), np.int64, len(jobs))
    reps = np.fromiter((job.rep_id or 0 for job in jobs), np.int64, len(jobs))
    width = max(sites) + 1
    cells, counted, led_by = [], [], []
    for number, kind in enumerate(kinds):
        held = of_kind == number
        here = np.isin(people * width + places, holders[held] * width + at[held])
        led = here & (reps > 0)
        some, theirs = np.unique(people[here]), np.unique(reps[led])
        counted.append(some)
        led_by.append(theirs)
        if len(some):
            nobody = len(some) - len(np.unique(people[led]))
            cells.append(ContractCell(kind, len(some), len(theirs), nobody))
    return _Contracts(
        tuple(cells),
        len(np.unique(np.concatenate(counted))),
        len(np.unique(np.concatenate(led_by))),
    )


def _cells(
    session: Session, scope: Scope, jobs: Iterable[InCharge], sites: Collection[int]
) -> tuple[Cell, ...]:
    """Return the areas and shifts of a workplace with their people and reps, by name."""
    people: dict[tuple[int, int | None], set[int]] = defaultdict(set)
    led: dict[tuple[int, int | None], set[int]] = defaultdict(set)
    reps: dict[tuple[int, int | None], set[int]] = defaultdict(set)
    for job in jobs:
        cell = (job.place_id, job.shift_id)
        people[cell].add(job.contact_id)
        if job.rep_id is not None:
            led[cell].add(job.contact_id)
            reps[cell].add(job.rep_id)
    names = names_of(session, scope, {place for place, _shift in people} - set(sites))
    shifts = {
        int(shift): str(name)
        for shift, name in session.execute(
            scope.select(Shift.id, Shift.name).where(one_of(Shift.place_id, sites))
        )
    }
    cells = [
        Cell(
            area=names.get(place),
            shift=shifts.get(shift) if shift is not None else None,
            people=len(some),
            reps=len(reps[place, shift]),
            nobody=len(some - led[place, shift]),
        )
        for (place, shift), some in people.items()
    ]
    return tuple(
        sorted(
            cells,
            key=lambda one: (one.area is None, one.area or "", one.shift is None, one.shift or ""),
        )
    )


# Unions side by side


def _unions_here(
    session: Session,
    scope: Scope,
    question: Question,
    sites: Mapping[int, Part],
    reading: Reading,
) -> tuple[UnionsHere, ...]:
    if not sites:
        return ()
    found = reading.unions_here(question.as_at)
    of_any = dict(zip(found.places.tolist(), found.members.tolist(), strict=True))
    several = dict(zip(found.places.tolist(), found.several.tolist(), strict=True))
    by_union: dict[int, dict[int, int]] = defaultdict(dict)
    for site, union, members in zip(
        found.union_places.tolist(),
        found.unions.tolist(),
        found.union_members.tolist(),
        strict=True,
    ):
        by_union[site][union] = members
    recognised: dict[int, set[int]] = defaultdict(set)
    for place, union in session.execute(
        scope.select(Recognition.place_id, Recognition.union_id).where(
            covers(Recognition, question.as_at), known(Recognition, question.known_at)
        )
    ):
        recognised[place].add(union)
    return tuple(
        UnionsHere(
            place=part,
            by_union=by_union.get(place_id, {}),
            any_union=of_any.get(place_id, 0),
            several=several.get(place_id, 0),
            recognised=frozenset(
                recognised.get(place_id, set()) | recognised.get(part.employer_id, set())
            ),
        )
        for place_id, part in sites.items()
    )
