"""Writing ballots: what they are, their parts, their counts, and the declaration that erases."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from crm.access.ballots import (
    Asked,
    BallotFacts,
    NoLawKnown,
    NoQuestion,
    NotClosedYet,
    add_ballot,
    check_facts,
    columns_of,
    new_part,
    store_counts,
)
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.votes import erase_told
from crm.analysis.ballot_plans import FEWEST_PEOPLE, Figures
from crm.domain.balloting import QuestionCount
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.rules import CODES
from crm.features.ballots import queries
from crm.models.ballots import (
    Ballot,
    BallotCount,
    BallotForecast,
    BallotPart,
    BallotQuestion,
)
from crm.reads.ballot_holders import MOST_PARTS, find_holder, workplaces_inside
from crm.reads.ballots import find_ballot


class NoWorkplace(Refusal):
    """Nobody would be asked."""

    default_message = "There is no open workplace of yours there. Choose another place."


class TooManyWorkplaces(Refusal):
    """More workplaces than one plan holds."""

    default_message = "More than 400 workplaces lie inside this place. Choose a smaller one."


class ListIsMade(Refusal):
    """The list of voters stands."""

    default_message = (
        "The list of voters is made already, so the workplaces stay as they are. "
        "Take the list back first."
    )


class NothingCounted(Refusal):
    """There is no result to declare."""

    default_message = "Enter the count of at least one question first."


class IsDeclared(Refusal):
    """The result stands."""

    default_message = "The result is declared. Who told us that they voted is erased for good."


class IsCounted(Refusal):
    """Part of the result is known."""

    default_message = "A count is entered already. A projection made now would know too much."


class NobodyToProject(Refusal):
    """Too few people to say anything of."""

    default_message = (
        "Fewer than 10 people may vote, as far as is known. A projection of so few is not kept."
    )


class NotYet(Refusal):
    """A day that has not come."""

    default_message = "This day has not come yet. Choose today or a day before."


class EndsBeforeItStarts(Refusal):
    """Action is said to be over before it began."""

    default_message = "Action ends before it starts. Check its first and its last day."


@dataclass(frozen=True, slots=True)
class DoneDays:
    """When things were done, and what action is planned."""

    ballot_notice_on: date | None
    members_told_on: date | None
    employers_told_on: date | None
    action_notice_on: date | None
    action_starts_on: date | None
    action_ended_on: date | None
    action_continuous: bool | None
    action_days: str | None


def create_ballot(
    session: Session,
    scope: Scope,
    facts: BallotFacts,
    asked: Sequence[Asked],
    *,
    ballot_id: uuid.UUID,
    place: uuid.UUID,
    union: uuid.UUID,
    now: datetime,
) -> uuid.UUID:
    """Plan a ballot of all open workplaces at a place or inside it; return its public id.

    ballot_id: made with the form, so that sending it twice stores it once. Raises NotFound,
    ClosesBeforeItOpens, PostAfterItCloses, NoQuestion, NoLawKnown, NoWorkplace,
    TooManyWorkplaces.
    """
    check_facts(facts)
    if not asked:
        raise NoQuestion()
    holder = find_holder(session, scope, place)
    of_union = queries.find_union(session, scope, union)
    stored = session.execute(
        scope.select(Ballot.id, permission=Permission.BALLOT_WRITE).where(
            Ballot.public_id == ballot_id
        )
    )
    if stored.first() is not None:
        return ballot_id
    workplaces = workplaces_inside(session, scope, holder.id)
    if not workplaces:
        raise NoWorkplace()
    if len(workplaces) > MOST_PARTS:
        raise TooManyWorkplaces()
    add_ballot(
        session,
        scope,
        facts,
        asked,
        ballot_id=ballot_id,
        place_id=holder.id,
        union_id=of_union.id,
        workplaces=[one.id for one in workplaces],
        now=now,
    )
    return ballot_id


def _own(session: Session, scope: Scope, ballot_id: uuid.UUID) -> Ballot:
    return find_ballot(session, scope, ballot_id, permission=Permission.BALLOT_WRITE, lock=True)


def change_ballot(
    session: Session, scope: Scope, ballot_id: uuid.UUID, facts: BallotFacts, *, version: int
) -> None:
    """Store what a ballot is. version: of the ballot as the actor saw it.

    Parts in the old law of the ballot go over to the new one. Raises NotFound, EditConflict, and
    what create_ballot raises of the facts.
    """
    ballot = _own(session, scope, ballot_id)
    check_facts(facts)
    now_stored = {name: getattr(ballot, name) for name in columns_of(facts)}
    if ballot.version != version:
        raise EditConflict(
            current={"version": ballot.version, **now_stored}, yours=columns_of(facts)
        )
    if ballot.jurisdiction != facts.jurisdiction:
        for part in _parts(session, scope, ballot):
            if part.jurisdiction == ballot.jurisdiction:
                part.jurisdiction = facts.jurisdiction
    for name, value in columns_of(facts).items():
        setattr(ballot, name, value)
    ballot.version += 1
    session.flush()


def _parts(session: Session, scope: Scope, ballot: Ballot) -> list[BallotPart]:
    return list(session.scalars(scope.select(BallotPart).where(BallotPart.ballot_id == ballot.id)))


def set_parts(
    session: Session,
    scope: Scope,
    ballot_id: uuid.UUID,
    chosen: Mapping[uuid.UUID, tuple[int | None, str]],
) -> None:
    """Store which workplaces are asked, how many members the union counts at each (None = not
    known), and the law each lies in, by the public id of the workplace.

    Raises NotFound for a workplace outside the ballot's place, ListIsMade, NoWorkplace, NoLawKnown.
    """
    ballot = _own(session, scope, ballot_id)
    if not chosen:
        raise NoWorkplace()
    if any(code not in CODES for _stated, code in chosen.values()):
        raise NoLawKnown()
    offered = {one.public_id: one.id for one in workplaces_inside(session, scope, ballot.place_id)}
    if not set(chosen) <= set(offered):
        raise NotFound("a workplace outside the place of the ballot")
    wanted = {offered[key]: value for key, value in chosen.items()}
    present = {part.place_id: part for part in _parts(session, scope, ballot)}
    if set(wanted) != set(present) and ballot.frozen_on is not None:
        raise ListIsMade()
    for place_id, part in present.items():
        if place_id in wanted:
            part.stated_members, part.jurisdiction = wanted[place_id]
        else:
            session.delete(part)
    for place_id, (stated, code) in wanted.items():
        if place_id not in present:
            added = new_part(ballot, place_id)
            added.stated_members, added.jurisdiction = stated, code
            session.add(added)
    ballot.version += 1
    session.flush()


def set_done_days(
    session: Session, scope: Scope, ballot_id: uuid.UUID, days: DoneDays, *, today: date
) -> None:
    """Store when notices were received and people were told, and the action that is planned.

    Raises NotFound; NotYet for something done on a day that has not come; EndsBeforeItStarts.
    """
    ballot = _own(session, scope, ballot_id)
    done = (
        days.ballot_notice_on,
        days.members_told_on,
        days.employers_told_on,
        days.action_notice_on,
        days.action_ended_on,
    )
    if any(day is not None and day > today for day in done):
        raise NotYet()
    if days.action_ended_on is not None and (
        days.action_starts_on is None or days.action_ended_on < days.action_starts_on
    ):
        raise EndsBeforeItStarts()
    for name, value in columns_of(days).items():
        setattr(ballot, name, value)
    ballot.version += 1
    session.flush()


def record_result(
    session: Session,
    scope: Scope,
    ballot_id: uuid.UUID,
    counts: Mapping[uuid.UUID, QuestionCount],
    *,
    part_id: uuid.UUID | None,
    now: datetime,
    today: date,
) -> None:
    """Store the counts of one part, or (None) of all parts together, by question.

    Counts stored before are corrected; the trail keeps what they were. Counting comes after the
    last day of voting: NotClosedYet. Raises NotFound.
    """
    ballot = _own(session, scope, ballot_id)
    questions = {
        one.public_id: one
        for one in session.scalars(
            scope.select(BallotQuestion).where(BallotQuestion.ballot_id == ballot.id)
        )
    }
    part = None
    if part_id is not None:
        part = next(
            (one for one in _parts(session, scope, ballot) if one.public_id == part_id), None
        )
    if not set(counts) <= set(questions) or (part is None) is not (part_id is None):
        raise NotFound("a question or a part of another ballot")
    if ballot.separate is (part is None):
        raise NotFound("the count of a part, or of all together, that is not held")
    by_inner = {questions[key].id: count for key, count in counts.items()}
    store_counts(session, scope, ballot, part, by_inner, now=now, today=today)


def declare(
    session: Session,
    scope: Scope,
    ballot_id: uuid.UUID,
    *,
    declared_on: date,
    now: datetime,
    today: date,
) -> int:
    """Declare the result; return how many people's words on whether they voted were erased.

    They are deleted for good, everywhere but in copies made before; the audit log keeps only how
    many there were. Raises NotFound, NotYet, NotClosedYet, NothingCounted.
    """
    ballot = _own(session, scope, ballot_id)
    if declared_on > today:
        raise NotYet()
    if ballot.closes_on is None or declared_on <= ballot.closes_on:
        raise NotClosedYet()
    counted = session.execute(
        scope.select(BallotCount.id).where(BallotCount.ballot_id == ballot.id).limit(1)
    )
    if counted.first() is None:
        raise NothingCounted()
    erased = erase_told(session, ballot_id=ballot.id, place_id=ballot.place_id)
    ballot.declared_on = declared_on
    ballot.declared_at = ballot.declared_at or now
    ballot.version += 1
    session.flush()
    return erased


def call_off(session: Session, scope: Scope, ballot_id: uuid.UUID, *, on: date) -> None:
    """Call a ballot off; what people told us is erased. Raises NotFound, IsDeclared."""
    ballot = _own(session, scope, ballot_id)
    if ballot.declared_on is not None:
        raise IsDeclared()
    erase_told(session, ballot_id=ballot.id, place_id=ballot.place_id)
    ballot.called_off_on = on
    ballot.version += 1
    session.flush()


def keep_forecasts(
    session: Session, scope: Scope, plan: queries.Plan, *, now: datetime, today: date
) -> int:
    """Keep the projections of a plan, of all together and of each workplace; return how many.

    Sums only, and none of fewer than ten people. Raises IsDeclared, or IsCounted, once a result
    is known: a projection made afterwards would be none. Raises NobodyToProject.
    """
    ballot = _own(session, scope, plan.ballot.public_id)
    if ballot.declared_on is not None:
        raise IsDeclared()
    counted = scope.select(BallotCount.id).where(BallotCount.ballot_id == ballot.id).limit(1)
    if session.execute(counted).first() is not None:
        raise IsCounted()
    if plan.compared is None:
        raise NobodyToProject()
    figures: list[tuple[BallotPart | None, Figures | None]] = []
    if plan.ballot.separate:
        parts = {part.id: part for part in _parts(session, scope, ballot)}
        figures = [
            (parts[one.part.id], found)
            for one, found in zip(plan.stands, plan.compared.each, strict=True)
        ]
    elif plan.compared.together.entitled >= FEWEST_PEOPLE:
        figures = [(None, plan.compared.together)]
    kept = 0
    for part, one in figures:
        if one is None:
            continue
        kept += 1
        session.add(
            BallotForecast(
                ballot_id=ballot.id,
                part_id=None if part is None else part.id,
                place_id=ballot.place_id if part is None else part.place_id,
                made_on=today,
                made_at=now,
                made_by_id=scope.actor_id,
                entitled=one.entitled,
                not_asked=one.not_asked,
                turnout_low=one.turnout.low,
                turnout_median=one.turnout.median,
                turnout_high=one.turnout.high,
                yes_low=one.yes_of_votes.low,
                yes_median=one.yes_of_votes.median,
                yes_high=one.yes_of_votes.high,
                turnout_points=list(one.turnout_points),
                chance=one.chance,
            )
        )
    if not kept:
        raise NobodyToProject()
    session.flush()
    return kept
