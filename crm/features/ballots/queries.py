"""Reads for the pages of ballots."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.analysis.ballot_plans import FEWEST_PEOPLE, Comparison, compare, crps_of_points
from crm.analysis.projection import Assumptions, Stand, brier
from crm.domain.assessment import ExpiryRule
from crm.domain.errors import NotFound
from crm.domain.rules import Change, Threshold
from crm.models.ballots import Ballot, BallotForecast
from crm.models.places import Place, Union
from crm.reads.ballot_holders import workplaces_inside
from crm.reads.ballots import WholeBallot, get_ballot, passed_on, read_ballots
from crm.reads.forecasts import Learned, learn
from crm.reads.voters import OnRecord, Stands, list_voters, stands_of, stated_on_record


@dataclass(frozen=True, slots=True)
class WorkplaceChoice:
    """A workplace that may be part of a ballot. taken: it is one now. on_record: what the union
    stated there of its members; None = nothing is written down."""

    id: int
    public_id: uuid.UUID
    name: str
    taken: bool
    stated_members: int | None
    on_record: OnRecord | None


def find_union(session: Session, scope: Scope, public_id: uuid.UUID) -> Union:
    """Return a union. Raises NotFound."""
    found: Union | None = session.scalars(
        scope.select(Union).where(Union.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotFound(f"union {public_id}")
    return found


def list_workplaces(
    session: Session, scope: Scope, ballot: WholeBallot, today: date
) -> list[WorkplaceChoice]:
    """Return the workplaces that may be part of a ballot, by name."""
    inside = workplaces_inside(session, scope, ballot.place_id)
    said = stated_on_record(session, scope, ballot, [one.id for one in inside], today)
    taken = {part.place_id: part for part in ballot.parts}
    return [
        WorkplaceChoice(
            id=one.id,
            public_id=one.public_id,
            name=one.name,
            taken=one.id in taken,
            stated_members=taken[one.id].stated_members if one.id in taken else None,
            on_record=said.get(one.id),
        )
        for one in inside
    ]


def get_own(session: Session, scope: Scope, ballot_id: uuid.UUID) -> WholeBallot:
    """Return a ballot that the actor may change. Raises NotFound for any other."""
    ballot = get_ballot(session, scope, ballot_id)
    if not ballot.may_write:
        raise NotFound(f"ballot {ballot_id}")
    return ballot


@dataclass(frozen=True, slots=True)
class Before:
    """The ballot that is to be held again. place, union: None when they are out of reach now."""

    ballot: WholeBallot
    place: uuid.UUID | None
    union: uuid.UUID | None


def get_before(session: Session, scope: Scope, ballot_id: uuid.UUID) -> Before:
    """Return the ballot that a new one renews. Raises NotFound unless the actor may change it."""
    ballot = get_own(session, scope, ballot_id)
    wanted = [ballot.place_id, ballot.union_id]
    rows = session.execute(scope.select(Place.id, Place.public_id).where(Place.id.in_(wanted)))
    ids: dict[int, uuid.UUID] = {row.id: row.public_id for row in rows}
    return Before(ballot, ids.get(ballot.place_id), ids.get(ballot.union_id))


@dataclass(frozen=True, slots=True)
class Plan:
    """What one ballot or several may come to, as at a day. compared: None when too few may vote.

    learned: the assumptions as ballots with a result taught them, before people not asked were
    taken to be like others.
    stands: of each workplace that has voters, in the order of compared.each. tests: those that
    were held against it; without: the changes of law whose test was left out.
    """

    ballot: WholeBallot
    as_at: date
    voters: int
    stands: tuple[Stands, ...]
    compared: Comparison | None
    without: Comparison | None
    change: Change | None
    learned: Learned


def get_plan(
    session: Session,
    scope: Scope,
    ballot_id: uuid.UUID,
    *,
    not_asked_like: Stand | None = None,
    expiry: ExpiryRule,
    today: date,
) -> Plan:
    """Project a ballot of the actor's, all together and each for itself. Raises NotFound.

    not_asked_like: the stand whose beliefs are taken for people not asked; None = their own weak
    ones. A ballot without a first day is held against the law of today. Nothing is kept.
    """
    ballot = get_own(session, scope, ballot_id)
    taught = learn(session, scope)
    assumptions = taught.assumptions
    if not_asked_like is not None:
        assumptions = assumptions.treating_not_asked_as(not_asked_like)
    voters = list_voters(session, scope, ballot, today)
    stands = stands_of(session, scope, ballot, voters, today=today, expiry=expiry)
    compared, without, change = None, None, None
    if sum(one.entitled for one in stands) >= FEWEST_PEOPLE:
        opens_on = ballot.days.opens_on or today
        compared = _compare(ballot, stands, opens_on, ballot.begun, assumptions)
        for one in ballot.open_changes():
            begun = {**ballot.begun, one.id: min(opens_on, today)}
            if opens_on >= one.not_before:
                change = one
                without = _compare(ballot, stands, opens_on, begun, assumptions)
                break
    return Plan(
        ballot=ballot,
        as_at=today,
        voters=sum(one.left_out is None for one in voters),
        stands=tuple(stands),
        compared=compared,
        without=without,
        change=change,
        learned=taught,
    )


def _compare(
    ballot: WholeBallot,
    stands: Sequence[Stands],
    opens_on: date,
    begun: Mapping[str, date],
    assumptions: Assumptions,
) -> Comparison:
    def _tests(code: str) -> list[Threshold]:
        return [rule.threshold for rule in ballot.tests(code, opens_on, begun) if rule.threshold]

    return compare(
        [one.groups for one in stands],
        [_tests(one.part.jurisdiction) for one in stands],
        _tests(ballot.jurisdiction),
        assumptions,
        seed=ballot.public_id.int % 2**32,
    )


@dataclass(frozen=True, slots=True)
class Score:
    """A kept projection beside what came. part_name: None for all together. Shares are of 1.

    happened: whether the paper passed; None = not known. brier and crps: None = no result yet.
    """

    part_name: str | None
    made_on: date
    entitled: int
    turnout_low: float
    turnout_median: float
    turnout_high: float
    chance: float
    actual: float | None
    happened: bool | None
    brier: float | None
    crps: float | None


def list_scores(session: Session, scope: Scope, ballots: Sequence[WholeBallot]) -> list[Score]:
    """Return the kept projections of these ballots with their scores, the oldest first."""
    by_id = {one.id: one for one in ballots}
    rows = session.scalars(
        scope.select(BallotForecast)
        .where(BallotForecast.ballot_id.in_(sorted(by_id)))
        .order_by(BallotForecast.made_at, BallotForecast.id)
    )
    found = []
    for row in rows:
        ballot = by_id[row.ballot_id]
        part = next((one for one in ballot.parts if one.id == row.part_id), None)
        if row.part_id is not None and part is None:
            continue
        result = ballot.together if part is None else part.result
        # What was projected is the first question, and whether that one passes.
        first = ballot.questions[0]
        count = None if result is None else result.counts.get(first.id)
        actual = None
        if count is not None and count.cast is not None and count.entitled:
            actual = count.cast / count.entitled
        happened = passed_on(result, first)
        found.append(
            Score(
                part_name=None if part is None else part.name,
                made_on=row.made_on,
                entitled=row.entitled,
                turnout_low=row.turnout_low,
                turnout_median=row.turnout_median,
                turnout_high=row.turnout_high,
                chance=row.chance,
                actual=actual,
                happened=happened,
                brier=None if happened is None else brier(row.chance, happened),
                crps=None if actual is None else crps_of_points(row.turnout_points, actual),
            )
        )
    return found


def list_all_scores(session: Session, scope: Scope) -> list[Score]:
    """Return the kept projections of all ballots whose result the actor may see."""
    declared = session.scalars(
        scope.select(Ballot).where(Ballot.declared_on.is_not(None)).order_by(Ballot.id)
    ).all()
    return list_scores(session, scope, read_ballots(session, scope, declared))
