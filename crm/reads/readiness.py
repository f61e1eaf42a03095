"""The parts and gates of strike-readiness, counted as at a day, under a scope.

Counts of people only go out: which person stands where is read by inner id, to count each once,
and no further. What the counts mean is crm/domain/readiness.py.
"""

from __future__ import annotations

import enum
import math
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.many import one_of
from crm.access.scope import Scope
from crm.access.speakers import list_speakers, speaks_at
from crm.analysis.people_counts import count_flags
from crm.domain.assessment import ExpiryRule
from crm.domain.cover import Stage
from crm.domain.density import TotalDensity
from crm.domain.headcount import Workforce
from crm.domain.readiness import (
    Finding,
    Gate,
    GateName,
    HeldTest,
    Index,
    Measure,
    Part,
    Terms,
    capacity,
    exact,
    law_gate,
    list_gate,
    over_workers,
    owners_gate,
    participation,
    plain_gate,
    readiness_index,
    structure_gate,
)
from crm.domain.structure import RISK, Deed, Tally, WhyNot, lowest_share, tally
from crm.domain.turf import THE_TEN
from crm.domain.vocabulary import BallotKind, PlaceKind, PointKind, PointState
from crm.models.ballots import Ballot, BallotCount, BallotForecast, BallotPart
from crm.models.base import table_of
from crm.models.campaigns import ListEntry, Participation, StructureTest
from crm.models.contacts import ContactPoint, Job, StateSpan
from crm.models.places import Area, Place, PlaceClosure
from crm.models.ties import Leading
from crm.models.turf import Turf
from crm.reads.columns import Columns, Ints
from crm.reads.decisions import (
    Said,
    TermsInForce,
    Unit,
    findings_in_force,
    findings_of_sites,
    terms_in_force,
)
from crm.reads.figures import Part as DensityPart
from crm.reads.figures import Question, Table, survey
from crm.reads.structure import counted_once
from crm.reads.turf import InCharge, in_charge_at, sites_looked_after


@dataclass(frozen=True, slots=True)
class Counted:
    """People of some workplaces on a day, each once. All are people on our list.

    firm: where they stand was seen in what they did or said, and is recent. with_us: firm, and 1
    or 2. addressed: members whose home address is known to work, which is where a ballot paper
    goes; ready: of them, those whose job is known too. leaders, committed: found or confirmed;
    confirmed and firmly with us. looked_after: with a rep who has ten people at most.
    """

    people: int = 0
    firm: int = 0
    with_us: int = 0
    members: int = 0
    addressed: int = 0
    ready: int = 0
    leaders: int = 0
    committed: int = 0
    has_rep: int = 0
    looked_after: int = 0


class Wanted(enum.StrEnum):
    """What is missing about people, so that somebody should go and see them.

    ASK: where they stand was not asked first hand lately. JOIN: firmly with us, and not known to
    be members. ADDRESS: members whose home address or job is not known to be right.
    """

    ASK = "ask"
    JOIN = "join"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class AreaOwner:
    """An area of a workplace, or a workplace without areas: and whether somebody looks after it.

    people: on our list in it and in areas inside it; asked: of them, where they stand was seen
    first hand lately; with_us: of these, 1 or 2.
    """

    public_id: uuid.UUID
    workplace_id: uuid.UUID
    name: str
    workplace: str
    people: int
    asked: int
    with_us: int
    owned: bool

    @property
    def is_workplace(self) -> bool:
        """Whether it is a workplace without areas."""
        return self.public_id == self.workplace_id


@dataclass(frozen=True, slots=True)
class HeldHere:
    """A structure test as far as it is about a unit. worst_area: the lowest rate known for sure of
    an area, worst_most: the lowest that an area can have at most; None when the list names no
    areas."""

    name: str
    held_on: date
    risk: int
    tally: Tally
    worst_area: float | None
    worst_most: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The readiness of a unit, or of one workplace in it, as at a day.

    counted: people at the places with a headcount (or at all, when none has one), which the
    shares of all workers are made of. listed: people at all places. workforce: of the places with
    a headcount; None when none has. entitled: members known of, by name or as a union states them,
    each once. not_projected: names of the ballots to come, here, that no projection was kept of.
    balloted, to_ballot: workplaces in a ballot to come, and those with members that we know of.
    """

    name: str
    public_id: uuid.UUID
    index: Index
    gates: tuple[Gate, ...]
    counted: Counted
    listed: Counted
    workforce: Workforce | None
    density: TotalDensity
    places: int
    counted_places: int
    last_test: HeldHere | None
    entitled: float
    not_projected: tuple[str, ...]
    balloted: int
    to_ballot: int


@dataclass(frozen=True, slots=True)
class Readiness:
    """A unit, its workplaces, and what it was made with.

    sites: by name; empty for a workplace. areas: with and without an owner. said: the latest
    finding of each kind that holds here. waiting: members whose details a ballot needs.
    """

    unit: Unit
    as_at: date
    whole: Standing
    sites: tuple[Standing, ...]
    areas: tuple[AreaOwner, ...]
    said: Mapping[Finding, Said]
    in_force: TermsInForce


def get_readiness(
    session: Session,
    scope: Scope,
    unit: Unit,
    *,
    as_at: date,
    day: date,
    expiry: ExpiryRule,
    table: Table | None = None,
) -> Readiness:
    """Return how ready a unit is, as at a day.

    unit: found in the scope, with the right to figures over it. day: today in UTC, as grants are
    reckoned. table: the densities of its workplaces on the day, when the caller has them. Twenty
    statements at most, whatever the number of people and places.
    """
    if table is None:
        table = survey(session, scope, Question(as_at, within=(unit.place_id,))).table
    ids = {row.parts[0].place_id for row in table.rows}
    with_count = {part.place_id for part in table.parts if part.density.workforce_used is not None}
    base = with_count or ids
    # A job without a rep adds nothing here, and most workplaces of a union have none yet.
    given = sites_looked_after(session, scope, ids, as_at=as_at)
    in_charge = in_charge_now(session, scope, given, as_at=as_at, day=day)
    led = _led(_leaders(session, scope, ids, as_at, expiry), in_charge)
    crowd = _crowd(session, scope, ids, as_at, expiry)
    by_site, together = crowd.by_site(), crowd.together(ids)
    counted = together if base == ids else crowd.together(base)
    held = _tests(session, scope, unit, as_at)
    chances = _chances(session, scope, ids, as_at)
    owners = _areas(session, scope, ids, crowd, as_at, day)
    areas_at: dict[uuid.UUID, list[AreaOwner]] = defaultdict(list)
    for area in owners:
        areas_at[area.workplace_id].append(area)
    said = findings_in_force(session, scope, unit, as_at=as_at)
    own_said = findings_of_sites(session, scope, ids, as_at=as_at)
    in_force = terms_in_force(session, scope, unit, as_at=as_at)

    def _standing(
        row_name: str,
        public_id: uuid.UUID,
        sites: set[int],
        figure: TotalDensity,
        parts: Sequence[DensityPart],
        people: Counted,
        of_base: Counted,
        answers: Mapping[Finding, Said],
        areas: Sequence[AreaOwner],
        tests: Sequence[HeldHere],
        projected: Sequence[_Projected],
    ) -> Standing:
        listed = _with_leaders(people, led, sites)
        entitled = _entitled(listed, parts)
        chance = _lowest(projected, in_force.terms.limits.chance)
        to_ballot = {part.place_id for part in parts if part.density.members_known > 0}
        balloted = (to_ballot | sites) & set(chances)
        of_workers = _with_leaders(of_base, led, sites & base)
        return Standing(
            name=row_name,
            public_id=public_id,
            index=readiness_index(
                _measures(of_workers, listed, figure, entitled, answers, tests, as_at),
                in_force.terms.targets,
            ),
            gates=_gates(
                listed,
                entitled,
                answers,
                areas,
                tests,
                law_gate(chance, in_force.terms.limits, everywhere=to_ballot <= balloted),
                in_force.terms,
                as_at,
            ),
            counted=of_workers,
            listed=listed,
            workforce=figure.workforce,
            density=figure,
            places=figure.all_places,
            counted_places=figure.counted_places,
            last_test=tests[-1] if tests else None,
            entitled=entitled,
            not_projected=tuple(sorted({one.ballot for one in projected if one.chance is None})),
            balloted=len(balloted),
            to_ballot=len(to_ballot | balloted),
        )

    whole = _standing(
        unit.name,
        unit.public_id,
        ids,
        table.total,
        table.parts,
        together,
        counted,
        said,
        owners,
        _held(held, None),
        [one for some in chances.values() for one in some],
    )
    sites: list[Standing] = []
    if unit.kind != PlaceKind.WORKPLACE:
        for row in sorted(table.rows, key=lambda one: one.label.casefold()):
            place_id = row.parts[0].place_id
            people = by_site.get(place_id, Counted())
            sites.append(
                _standing(
                    row.label,
                    row.parts[0].public_id,
                    {place_id},
                    row.figure,
                    row.parts,
                    people,
                    people,
                    {**said, **own_said.get(place_id, {})},
                    areas_at.get(row.parts[0].public_id, ()),
                    _held(held, place_id),
                    chances.get(place_id, ()),
                )
            )
    return Readiness(
        unit=unit,
        as_at=as_at,
        whole=whole,
        sites=tuple(sites),
        areas=tuple(owners),
        said=said,
        in_force=in_force,
    )


def _measures(
    of_workers: Counted,
    listed: Counted,
    figure: TotalDensity,
    entitled: float,
    answers: Mapping[Finding, Said],
    tests: Sequence[HeldHere],
    as_at: date,
) -> dict[Part, Measure]:
    workforce, named = figure.workforce, of_workers.people
    found = {
        Part.SUPPORT: over_workers(of_workers.with_us, workforce, named=named),
        Part.ASSESSED: over_workers(of_workers.firm, workforce, named=named),
        Part.COVERAGE: over_workers(of_workers.looked_after, workforce, named=named),
        Part.LEADERS: exact(listed.committed, listed.leaders),
        Part.CONTACT: exact(listed.ready, entitled),
        Part.CAPACITY: capacity({kind: one.answer for kind, one in answers.items()}),
    }
    if tests:
        last = tests[-1]
        found[Part.PARTICIPATION] = participation(
            last.tally.did / last.tally.listed,
            last.tally.most / last.tally.listed,
            risk=last.risk,
            age_days=(as_at - last.held_on).days,
            took_part=last.tally.did,
            listed=last.tally.listed,
        )
    if figure.fraction_range is not None and workforce is not None:
        found[Part.DENSITY] = Measure(
            figure.fraction_range.low,
            figure.fraction_range.high,
            figure.member_range.low,
            workforce.high,
        )
    return found


def _entitled(listed: Counted, parts: Iterable[DensityPart]) -> float:
    """Return the members known of, each once, whatever the number of their jobs.

    Members that a union states without names stand on no list, so nobody can send them a ballot
    paper: they count too.
    """
    return listed.members + sum(
        part.density.members_known - part.density.members
        for part in parts
        if part.density.stated is not None
    )


def _gates(
    listed: Counted,
    entitled: float,
    answers: Mapping[Finding, Said],
    areas: Sequence[AreaOwner],
    tests: Sequence[HeldHere],
    law: Gate,
    terms: Terms,
    as_at: date,
) -> tuple[Gate, ...]:
    checked = answers.get(Finding.LIST_CHECKED)
    age = (as_at - checked.on_day).days if checked is not None and checked.answer else None

    def _answer(kind: Finding) -> bool | None:
        return answers[kind].answer if kind in answers else None

    return (
        list_gate(
            age,
            listed.addressed,
            math.ceil(entitled),
            terms.limits,
            answered_no=checked is not None and not checked.answer,
        ),
        law,
        structure_gate(
            [
                HeldTest(
                    one.risk,
                    one.tally.did / one.tally.listed,
                    one.worst_area,
                    one.tally.most / one.tally.listed,
                    one.worst_most,
                )
                for one in tests
            ],
            terms.limits,
        ),
        owners_gate(sum(area.owned for area in areas), len(areas)),
        plain_gate(GateName.TIMELINE, _answer(Finding.TIMELINE)),
        plain_gate(GateName.DECISION, _answer(Finding.DECISION)),
    )


# Tests


@dataclass(frozen=True, slots=True)
class _Listed:
    """People of one test, workplace and area with the same thing written down, or nothing."""

    test: Any
    workplace_id: int
    area_id: int | None
    said: list[tuple[Deed | None, WhyNot | None]]


def _tests(session: Session, scope: Scope, unit: Unit, as_at: date) -> list[_Listed]:
    """Read what is known of everybody listed in the unit, the oldest test first. One statement."""
    inside = sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == unit.place_id)
    test = (StructureTest.id, StructureTest.name, StructureTest.kind, StructureTest.as_at)
    key = (ListEntry.workplace_id, ListEntry.area_id, Participation.deed, Participation.why)
    rows = session.execute(
        scope.select(*test, *key, sa.func.count(ListEntry.id).label("people"))
        .join(ListEntry, ListEntry.test_id == StructureTest.id)
        .outerjoin(
            Participation,
            sa.and_(Participation.entry_id == ListEntry.id, known(Participation)),
        )
        .where(
            StructureTest.called_off_at.is_(None),
            StructureTest.as_at <= as_at,
            ListEntry.place_id.in_(inside),
            counted_once(),
        )
        .group_by(*test, StructureTest.frozen_at, *key)
        .order_by(StructureTest.frozen_at, StructureTest.id)
    )
    return [
        _Listed(row, row.workplace_id, row.area_id, [(row.deed, row.why)] * int(row.people))
        for row in rows
    ]


def _held(listed: Iterable[_Listed], site: int | None) -> list[HeldHere]:
    """Return the tests over all that was read, or over one workplace of it, in their order."""
    tests: dict[int, list[_Listed]] = defaultdict(list)
    for one in listed:
        if site is None or one.workplace_id == site:
            tests[one.test.id].append(one)
    found = []
    for some in tests.values():
        areas: dict[int | None, list[tuple[Deed | None, WhyNot | None]]] = defaultdict(list)
        for one in some:
            areas[one.area_id] += one.said
        row = some[0].test
        of_areas = [tally(pairs) for area, pairs in areas.items() if area is not None]
        found.append(
            HeldHere(
                name=row.name,
                held_on=row.as_at,
                risk=RISK[row.kind],
                tally=tally(pair for pairs in areas.values() for pair in pairs),
                worst_area=lowest_share(of_areas),
                worst_most=min(
                    (one.high for one in of_areas if one.high is not None), default=None
                ),
            )
        )
    return found


# Ballots

_STATUTORY = (BallotKind.ACTION, BallotKind.REBALLOT)


@dataclass(frozen=True, slots=True)
class _Projected:
    """The chance, 0 to 1, that a ballot to come passes; None when no projection was kept."""

    ballot: str
    chance: float | None


def _lowest(projected: Iterable[_Projected], limit: float) -> float | None:
    """Return the lowest chance of the ballots, 0 to 1; None when it is not known.

    A ballot without a projection can be the one that fails: the others tell only when one of them
    falls short of the limit by itself.
    """
    chances = [one.chance for one in projected]
    low = min((one for one in chances if one is not None), default=None)
    return None if None in chances and low is not None and low >= limit else low


def _chances(
    session: Session, scope: Scope, sites: Collection[int], as_at: date
) -> dict[int, list[_Projected]]:
    """Return for each workplace that is in a ballot to come the chances of passing.

    By the last projection that was kept of the workplace by itself, or else of the whole ballot,
    of statutory ballots not declared and not called off on the day. Nor is one to come that was
    closed by then and is counted, such as a result of years ago that was brought in and never
    declared here. A workplace in no such ballot is not in it. Two statements.
    """
    if not sites:
        return {}
    # Whoever reads may see no count of theirs among them: the ballot is counted all the same.
    count = table_of(BallotCount).alias("scope_count")
    counted = sa.exists(sa.select(sa.literal(1)).where(count.c.ballot_id == Ballot.id))
    parts = session.execute(
        scope.select(BallotPart.ballot_id, BallotPart.id, BallotPart.place_id, Ballot.name)
        .join(Ballot, Ballot.id == BallotPart.ballot_id)
        .where(
            Ballot.kind.in_(_STATUTORY),
            sa.or_(Ballot.declared_on.is_(None), Ballot.declared_on > as_at),
            sa.or_(Ballot.called_off_on.is_(None), Ballot.called_off_on > as_at),
            sa.or_(Ballot.closes_on.is_(None), Ballot.closes_on >= as_at, ~counted),
            one_of(BallotPart.place_id, sites),
        )
    ).all()
    if not parts:
        return {}
    kept = session.execute(
        scope.select(BallotForecast.ballot_id, BallotForecast.part_id, BallotForecast.chance)
        .where(
            one_of(BallotForecast.ballot_id, {part.ballot_id for part in parts}),
            BallotForecast.made_on <= as_at,
        )
        .order_by(BallotForecast.made_on, BallotForecast.made_at, BallotForecast.id)
    )
    last = {(row.ballot_id, row.part_id): float(row.chance) for row in kept}
    found: dict[int, list[_Projected]] = defaultdict(list)
    for part in parts:
        chance = last.get((part.ballot_id, part.id), last.get((part.ballot_id, None)))
        found[part.place_id].append(_Projected(part.name, chance))
    return found


# People


# What is read of everybody on a day, as bits of one number, in the order of the counts.
_FLAGS: Final = ("firm", "with_us", "members", "addressed", "ready")


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Everybody at some workplaces on a day, as columns: a row for each place of a person.

    flags: what is known of them, as bits in the order of _FLAGS.
    """

    people: Ints
    sites: Ints
    places: Ints
    flags: Ints

    def by_site(self) -> dict[int, Counted]:
        """Return the people of each workplace."""
        return _counts(self.people, self.sites, self.flags)

    def together(self, sites: Collection[int]) -> Counted:
        """Return the people of these workplaces, each once."""
        here = np.isin(self.sites, np.array(sorted(sites), np.int64))
        people = self.people[here]
        return _counts(people, np.zeros_like(people), self.flags[here]).get(0, Counted())

    def by_area(
        self, areas: Mapping[int, Sequence[int]], alone: Collection[int]
    ) -> dict[int, Counted]:
        """Return the people of each area and of the areas inside it, and of workplaces without any.

        areas: of each area, itself and those around it that are asked for. alone: the workplaces.
        """
        ids, at = np.unique(self.places, return_inverse=True)
        around = [areas.get(place, ()) for place in ids.tolist()]
        times = np.array([len(some) for some in around], np.int64)
        begin = np.cumsum(times) - times
        of_row = times[at]
        row = np.repeat(np.arange(len(at)), of_row)
        step = np.arange(len(row)) - np.repeat(np.cumsum(of_row) - of_row, of_row)
        every = np.array([area for some in around for area in some], np.int64)
        whole = np.flatnonzero(np.isin(self.sites, np.array(sorted(alone), np.int64)))
        rows = np.concatenate([row, whole])
        groups = np.concatenate([every[begin[at[row]] + step], self.sites[whole]])
        return _counts(self.people[rows], groups, self.flags[rows])


def _counts(people: Ints, groups: Ints, flags: Ints) -> dict[int, Counted]:
    return {
        group: Counted(people=number, **dict(zip(_FLAGS, found, strict=True)))
        for group, (number, *found) in count_flags(people, groups, flags, len(_FLAGS)).items()
    }


def _crowd(
    session: Session, scope: Scope, sites: Collection[int], as_at: date, expiry: ExpiryRule
) -> _Crowd:
    """Return everybody of the workplaces. One statement."""
    firm, address, job = firm_now(as_at, expiry), _address(), _job_title(as_at)
    member = StateSpan.member.is_(True)
    conditions = (
        firm,
        sa.and_(firm, StateSpan.score <= 2),
        member,
        sa.and_(member, address),
        sa.and_(member, address, job),
    )
    flags: sa.ColumnElement[int] = sa.literal_column("0", sa.Integer)
    for bit, condition in enumerate(conditions):
        flags = flags + sa.case((condition, 1 << bit), else_=0)
    columns = Columns(
        scope, StateSpan.contact_id, StateSpan.workplace_id, StateSpan.place_id, flags
    )
    read = columns.read(
        session,
        columns.statement.where(
            StateSpan.from_day <= as_at,
            StateSpan.to_day > as_at,
            one_of(StateSpan.workplace_id, sites),
        ),
    )
    return _Crowd(*read)


def firm_now(as_at: date, expiry: ExpiryRule) -> sa.ColumnElement[bool]:
    """Return the condition on a span of the day that where the person stands is firm and recent."""
    return sa.and_(
        StateSpan.score_firm.is_(True),
        StateSpan.scored_on >= as_at - timedelta(days=expiry.fresh_days),
    )


def _address() -> sa.ColumnElement[bool]:
    return sa.exists(
        sa.select(sa.literal(1)).where(
            ContactPoint.contact_id == StateSpan.contact_id,
            ContactPoint.kind == PointKind.ADDRESS,
            ContactPoint.state == PointState.WORKS,
            known(ContactPoint),
        )
    )


def _job_title(as_at: date) -> sa.ColumnElement[bool]:
    return sa.exists(
        sa.select(sa.literal(1)).where(
            Job.contact_id == StateSpan.contact_id,
            Job.workplace_id == StateSpan.workplace_id,
            Job.job_title.is_not(None),
            known(Job),
            covers(Job, as_at),
        )
    )


def wanted(want: Wanted, as_at: date, expiry: ExpiryRule) -> sa.ColumnElement[bool]:
    """Return the condition on a span of the day that something is missing about the person."""
    firm = sa.func.coalesce(firm_now(as_at, expiry), False)
    if want is Wanted.ASK:
        return ~firm
    member = sa.func.coalesce(StateSpan.member, False)
    if want is Wanted.JOIN:
        return sa.and_(firm, StateSpan.score <= 2, ~member)
    return sa.and_(member, ~sa.and_(_address(), _job_title(as_at)))


@dataclass(frozen=True, slots=True)
class _Leader:
    contact_id: int
    workplace_id: int
    confirmed: bool
    firmly_with_us: bool


def _leaders(
    session: Session, scope: Scope, sites: Collection[int], as_at: date, expiry: ExpiryRule
) -> list[_Leader]:
    """Return the leaders who work at the workplaces on the day, in the order of nothing."""
    if not sites:
        return []
    rows = session.execute(
        scope.select(
            Leading.contact_id,
            Leading.workplace_id,
            Leading.stage,
            StateSpan.score,
            StateSpan.score_firm,
            StateSpan.scored_on,
        )
        .join(
            StateSpan,
            sa.and_(
                StateSpan.contact_id == Leading.contact_id,
                StateSpan.workplace_id == Leading.workplace_id,
                StateSpan.from_day <= as_at,
                StateSpan.to_day > as_at,
            ),
        )
        .where(known(Leading), covers(Leading, as_at), one_of(Leading.workplace_id, sites))
    )
    oldest = as_at - timedelta(days=expiry.fresh_days)
    return [
        _Leader(
            contact_id=row.contact_id,
            workplace_id=row.workplace_id,
            confirmed=row.stage is Stage.CONFIRMED,
            firmly_with_us=bool(
                row.score is not None
                and row.score <= 2
                and row.score_firm
                and row.scored_on >= oldest
            ),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class _Led:
    """Leaders, and who looks after whom, by workplace: read anew for each of thousands of
    workplaces they would take the square of their number. of_rep: how many people a rep has."""

    leaders: Mapping[int, Sequence[_Leader]]
    looked_after: Mapping[int, Sequence[tuple[int, int]]]
    of_rep: Mapping[int, int]


def _led(leaders: Iterable[_Leader], jobs: Iterable[InCharge]) -> _Led:
    leading: dict[int, list[_Leader]] = defaultdict(list)
    for one in leaders:
        leading[one.workplace_id].append(one)
    pairs: dict[int, list[tuple[int, int]]] = defaultdict(list)
    everybody_of: dict[int, set[int]] = defaultdict(set)
    for job in jobs:
        if job.rep_id is not None:
            pairs[job.workplace_id].append((job.rep_id, job.contact_id))
            everybody_of[job.rep_id].add(job.contact_id)
    return _Led(leading, pairs, {rep: len(some) for rep, some in everybody_of.items()})


def _with_leaders(people: Counted, led: _Led, sites: set[int]) -> Counted:
    here = [one for site in sites for one in led.leaders.get(site, ())]
    found = {one.contact_id for one in here}
    sure = {one.contact_id for one in here if one.confirmed}
    committed = sure & {one.contact_id for one in here if one.firmly_with_us}
    pairs = [pair for site in sites for pair in led.looked_after.get(site, ())]
    return replace(
        people,
        leaders=len(found),
        committed=len(committed),
        has_rep=len({contact for _rep, contact in pairs}),
        looked_after=len({contact for rep, contact in pairs if led.of_rep[rep] <= THE_TEN}),
    )


def in_charge_now(
    session: Session, scope: Scope, sites: Collection[int], *, as_at: date, day: date
) -> list[InCharge]:
    """Return what in_charge_at returns, with nobody in charge where the rep may no longer log
    talks where the person works. day: in UTC, as grants are reckoned."""
    jobs = in_charge_at(session, scope, sites, as_at=as_at)
    if not any(job.rep_id is not None for job in jobs):
        return jobs
    places = sorted({job.place_id for job in jobs if job.rep_id is not None})
    held = {one.user_id: one.place_ids for one in list_speakers(session, places, day=day)}
    return [
        job
        if job.rep_id is None or job.place_id in held.get(job.rep_id, ())
        else replace(job, rep_id=None)
        for job in jobs
    ]


def _areas(
    session: Session,
    scope: Scope,
    sites: Collection[int],
    crowd: _Crowd,
    as_at: date,
    day: date,
) -> list[AreaOwner]:
    """Return the areas of the workplaces, and workplaces without any, and who has no owner."""
    if not sites:
        return []
    owned = sa.exists(
        sa.select(sa.literal(1))
        .select_from(Turf)
        .join(PlaceClosure, PlaceClosure.ancestor_id == Turf.place_id)
        .where(
            PlaceClosure.descendant_id == Place.id,
            Turf.shift_id.is_(None),
            known(Turf),
            covers(Turf, as_at),
            speaks_at(Turf.user_id, Place.id, day),
        )
        .correlate(Place)
    )

    every = session.execute(
        scope.select(Area.id, Area.workplace_id, Area.parent_area_id, Area.closed_on).where(
            one_of(Area.workplace_id, sites)
        )
    ).all()
    areas = {
        int(area.id): int(area.workplace_id)
        for area in every
        if area.closed_on is None or area.closed_on > as_at
    }
    alone = set(sites) - set(areas.values())
    wanted = set(areas) | alone
    counted = crowd.by_area(_around({one.id: one.parent_area_id for one in every}, areas), alone)
    rows = session.execute(
        scope.select(
            Place.id,
            Place.public_id,
            Place.name,
            owned.label("owned"),
        )
        .where(one_of(Place.id, wanted | set(sites)))
        .order_by(Place.name, Place.id)
    ).all()
    named = {row.id: row for row in rows}
    return [
        AreaOwner(
            public_id=row.public_id,
            workplace_id=site.public_id,
            name=row.name,
            workplace=site.name,
            people=(here := counted.get(row.id, Counted())).people,
            asked=here.firm,
            with_us=here.with_us,
            owned=bool(row.owned),
        )
        for row in rows
        if row.id in wanted and (site := named.get(areas.get(row.id, row.id))) is not None
    ]


def _around(parent: Mapping[int, int | None], wanted: Collection[int]) -> dict[int, list[int]]:
    """Return of each area itself and the areas around it, as far as they are wanted."""
    found: dict[int, list[int]] = {}
    for area in parent:
        at: int | None = area
        found[area] = []
        while at is not None:
            if at in wanted:
                found[area].append(at)
            at = parent.get(at)
    return found
