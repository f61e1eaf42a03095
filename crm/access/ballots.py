"""How a ballot and its counts are written, whoever writes them: a page, or a list brought in."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.domain.balloting import COUNTED, QuestionCount
from crm.domain.errors import Refusal
from crm.domain.rules import CODES
from crm.domain.vocabulary import BallotKind, QuestionKind
from crm.models.ballots import Ballot, BallotCount, BallotPart, BallotQuestion


class ClosesBeforeItOpens(Refusal):
    """The days are the wrong way round."""

    default_message = "The ballot closes before it opens. Check both days."


class PostAfterItCloses(Refusal):
    """A paper cannot be posted so late."""

    default_message = (
        "The last safe day to post lies outside the days of the ballot. Check the three days."
    )


class NoQuestion(Refusal):
    """Nothing is asked."""

    default_message = "Tick what is asked, or write the question."


class NoLawKnown(Refusal):
    """No file of rules has this code."""

    default_message = "Choose a law from the list."


class NotClosedYet(Refusal):
    """Votes may still come in."""

    default_message = "A result is known only after the last day of voting. Check the days."


@dataclass(frozen=True, slots=True)
class BallotFacts:
    """What a ballot is, as its form holds it."""

    name: str
    kind: BallotKind
    jurisdiction: str
    separate: bool
    important_public_service: bool | None
    employer_agreed: bool
    applied_on: date | None
    opens_on: date | None
    closes_on: date | None
    last_post_on: date | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to put on the paper."""

    kind: QuestionKind
    words: str | None = None


def columns_of(facts: Any) -> dict[str, Any]:
    """Return the values of a dataclass by the names of the columns that hold them."""
    return {one.name: getattr(facts, one.name) for one in fields(facts)}


def check_facts(facts: BallotFacts) -> None:
    """Raise NoLawKnown, ClosesBeforeItOpens or PostAfterItCloses for what cannot be."""
    if facts.jurisdiction not in CODES:
        raise NoLawKnown()
    if facts.opens_on and facts.closes_on and facts.closes_on < facts.opens_on:
        raise ClosesBeforeItOpens()
    if facts.last_post_on is not None:
        too_early = facts.opens_on is not None and facts.last_post_on < facts.opens_on
        too_late = facts.closes_on is not None and facts.last_post_on > facts.closes_on
        if too_early or too_late:
            raise PostAfterItCloses()


def add_ballot(
    session: Session,
    scope: Scope,
    facts: BallotFacts,
    asked: Sequence[Asked],
    *,
    ballot_id: uuid.UUID,
    place_id: int,
    union_id: int,
    workplaces: Iterable[int],
    now: datetime,
) -> Ballot:
    """Store a ballot with its questions and parts.

    place_id: the inner id of the place that holds it, found with the right to hold ballots there;
    workplaces: those inside it that are asked. Raises NoQuestion, and what ``check_facts`` raises.
    """
    check_facts(facts)
    if not asked:
        raise NoQuestion()
    ballot = Ballot(
        public_id=ballot_id,
        place_id=place_id,
        union_id=union_id,
        created_at=now,
        created_by_id=scope.actor_id,
        **columns_of(facts),
    )
    session.add(ballot)
    session.flush()
    for number, one in enumerate(asked, start=1):
        session.add(new_question(ballot, number, one))
    for workplace in workplaces:
        session.add(new_part(ballot, workplace))
    session.flush()
    return ballot


def new_question(ballot: Ballot, number: int, asked: Asked) -> BallotQuestion:
    """Return a question of a ballot, not stored yet. number: from 1, in the order of the paper."""
    return BallotQuestion(
        ballot_id=ballot.id,
        place_id=ballot.place_id,
        number=number,
        kind=asked.kind,
        words=asked.words,
    )


def new_part(ballot: Ballot, place_id: int) -> BallotPart:
    """Return a workplace of a ballot under the ballot's own law, not stored yet."""
    return BallotPart(ballot_id=ballot.id, place_id=place_id, jurisdiction=ballot.jurisdiction)


def store_counts(
    session: Session,
    scope: Scope,
    ballot: Ballot,
    part: BallotPart | None,
    counts: Mapping[int, QuestionCount],
    *,
    now: datetime,
    today: date,
) -> list[BallotCount]:
    """Store the counts of one part, or (None) of all parts together; return their rows.

    ballot, part: found with the right to write the ballot. counts: by the inner id of a question
    of this ballot. Counts stored before are corrected; the trail keeps what they were. Counting
    comes after the last day of voting: NotClosedYet.
    """
    if ballot.closes_on is None or today <= ballot.closes_on:
        raise NotClosedYet()
    stored = {
        one.question_id: one
        for one in session.scalars(
            scope.select(BallotCount).where(
                BallotCount.ballot_id == ballot.id,
                BallotCount.part_id.is_(None) if part is None else BallotCount.part_id == part.id,
            )
        )
    }
    rows = []
    for question_id, count in counts.items():
        row = stored.get(question_id)
        if row is None:
            row = BallotCount(
                ballot_id=ballot.id,
                question_id=question_id,
                part_id=None if part is None else part.id,
                place_id=ballot.place_id if part is None else part.place_id,
            )
            session.add(row)
        for name in COUNTED:
            setattr(row, name, getattr(count, name))
        row.recorded_at, row.recorded_by_id = now, scope.actor_id
        rows.append(row)
    session.flush()
    return rows
