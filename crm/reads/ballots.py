"""Ballots as more than one feature needs them: where they stand, their results and their days."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.days_off import days_off
from crm.domain.ballot_days import BallotDays, Milestone, Stage, Step, milestones
from crm.domain.balloting import QuestionCount, RuleOutcome, Verdict, outcomes_of_numbers, verdict
from crm.domain.errors import NotFound
from crm.domain.rules import Change, Counted, KeyDate, Rule, Subject, rule_book
from crm.domain.vocabulary import BallotKind, QuestionKind
from crm.models.ballots import Ballot, BallotCount, BallotPart, BallotQuestion
from crm.models.places import PlaceClosure, Union
from crm.reads.law import Checked, begun_changes, check_of, checks_of_rows
from crm.reads.places import names_of, place_name_of

IMPORTANT_PUBLIC_SERVICE = "important_public_service"


@dataclass(frozen=True, slots=True)
class Question:
    """A question on the paper. words: None where the kind says it."""

    id: int
    public_id: uuid.UUID
    number: int
    kind: QuestionKind
    words: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """The counts of one paper, question by question, and what they come to.

    counts: by the inner id of the question; questions without a count are not among them.
    tests: for a recognition ballot, which has one question and other tests.
    """

    counts: Mapping[int, QuestionCount]
    verdict: Verdict | None
    tests: tuple[RuleOutcome, ...] = ()

    @property
    def passed(self) -> bool | None:
        """Whether some question is carried; None = not known."""
        if self.tests:
            outcomes = [test.passed for test in self.tests]
            return False if False in outcomes else None if None in outcomes else True
        return None if self.verdict is None else self.verdict.passed


def passed_on(result: Result | None, question: Question) -> bool | None:
    """Return whether one question is carried on one paper; None = not known."""
    if result is None or question.id not in result.counts:
        return None
    if result.verdict is None:
        return result.passed
    return next(
        (one.passed for one in result.verdict.questions if one.question == str(question.id)), None
    )


@dataclass(frozen=True, slots=True)
class Part:
    """A workplace of a ballot. result: None = no count is stored for it."""

    id: int
    public_id: uuid.UUID
    place_id: int
    name: str
    jurisdiction: str
    stated_members: int | None
    result: Result | None


@dataclass(frozen=True, slots=True)
class WholeBallot:
    """A ballot as the reader may see it.

    whole: the reader holds the place of the ballot, and so sees all its parts; else the parts are
    the reader's own, and nothing here says whether there are others. may_write: to plan it and to
    store its result. together: the result of all parts on one count; None where each part votes
    for itself, or nothing is counted yet.
    """

    id: int
    public_id: uuid.UUID
    place_id: int
    place_name: str
    name: str
    kind: BallotKind
    union_id: int
    union_name: str
    jurisdiction: str
    separate: bool
    important_public_service: bool | None
    applied_on: date | None
    days: BallotDays
    action_continuous: bool | None
    action_days: str | None
    frozen_on: date | None
    version: int
    whole: bool
    may_write: bool
    questions: tuple[Question, ...]
    parts: tuple[Part, ...]
    together: Result | None
    begun: Mapping[str, date]
    checks: Mapping[tuple[str, str], Checked]

    @property
    def is_indicative(self) -> bool:
        """Whether it has no effect in law."""
        return self.kind is BallotKind.INDICATIVE

    @property
    def said(self) -> tuple[str, ...]:
        """What is said of the ballot, so that some rows of law apply."""
        return (IMPORTANT_PUBLIC_SERVICE,) if self.important_public_service else ()

    @property
    def carried(self) -> bool | None:
        """Whether some part, or all together, has a mandate; None = not known."""
        results = [part.result for part in self.parts] if self.separate else [self.together]
        outcomes = [None if one is None else one.passed for one in results]
        if True in outcomes:
            return True
        return None if None in outcomes or not outcomes else False

    def stage(self, today: date) -> Stage:
        """Where the ballot stands on a day."""
        return self.days.stage(today)

    def milestones(self, today: date) -> tuple[Milestone, ...]:
        """Everything with a day, under the law of the ballot. An indicative one has no law.

        today: see crm/domain/ballot_days.py.
        """
        if self.is_indicative:
            book_days = BallotDays(
                opens_on=self.days.opens_on,
                closes_on=self.days.closes_on,
                last_post_on=self.days.last_post_on,
            )
            return tuple(
                one
                for one in milestones(rule_book(self.jurisdiction), book_days)
                if one.rule is None
            )
        return milestones(
            rule_book(self.jurisdiction),
            self.days,
            begun=self.begun,
            said=self.said,
            is_off=days_off(self.jurisdiction),
            today=today,
        )

    def tests(
        self,
        jurisdiction: str | None = None,
        on: date | None = None,
        begun: Mapping[str, date] | None = None,
    ) -> tuple[Rule, ...]:
        """The tests that a result is held against: by the law of the ballot or another one, in
        force on the day it opens or another one, given the changes that have begun."""
        day = on or self.days.opens_on
        if day is None:
            return ()
        recognition = self.kind is BallotKind.RECOGNITION
        rules = rule_book(jurisdiction or self.jurisdiction).all_in_force(
            {KeyDate.APPLICATION: self.applied_on or day}
            if recognition
            else {KeyDate.BALLOT_OPENING: day},
            subject=Subject.RECOGNITION if recognition else Subject.ACTION_BALLOT,
            begun=self.begun if begun is None else begun,
            said=self.said,
        )
        return tuple(
            rule
            for rule in rules
            if rule.threshold is not None
            and (not recognition or set(rule.threshold.numerator) == {Counted.YES})
        )

    def is_checked(self, rule: Rule) -> bool:
        """Whether somebody has held the row against its source."""
        return check_of(rule, self.checks) is not None

    def open_changes(self) -> tuple[Change, ...]:
        """Changes of law whose first day is not known and which begin or end a test."""
        book = rule_book(self.jurisdiction)
        named = {
            change
            for rule in book.rules
            if rule.subject is Subject.ACTION_BALLOT and rule.threshold is not None
            for change in (rule.from_change, rule.to_change)
        }
        return tuple(
            change for change in book.changes if change.id in named and change.id not in self.begun
        )


@dataclass(frozen=True, slots=True)
class BallotRow:
    """A ballot in a list."""

    public_id: uuid.UUID
    name: str
    kind: BallotKind
    place_name: str
    union_name: str
    stage: Stage
    opens_on: date | None
    closes_on: date | None
    declared_on: date | None


def list_ballots(
    session: Session,
    scope: Scope,
    *,
    today: date,
    within: int | None = None,
    permission: Permission | None = None,
) -> list[BallotRow]:
    """Return the ballots that the scope may see, those that go on first. One statement.

    within: the inner id of a place; only ballots held at it, inside it, or of workplaces in it.
    """
    statement = scope.select(
        Ballot,
        place_name_of(Ballot.place_id).label("place_name"),
        place_name_of(Ballot.union_id).label("union_name"),
        permission=permission,
    ).order_by(
        sa.func.coalesce(Ballot.declared_on, Ballot.called_off_on).is_not(None),
        Ballot.closes_on.desc(),
        Ballot.id.desc(),
    )
    if within is not None:
        inside = sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == within)
        parts = sa.select(BallotPart.ballot_id).where(BallotPart.place_id.in_(inside))
        statement = statement.where(sa.or_(Ballot.place_id.in_(inside), Ballot.id.in_(parts)))
    return [
        BallotRow(
            public_id=row.Ballot.public_id,
            name=row.Ballot.name,
            kind=row.Ballot.kind,
            place_name=row.place_name or "",
            union_name=row.union_name or "",
            stage=_days_of(row.Ballot).stage(today),
            opens_on=row.Ballot.opens_on,
            closes_on=row.Ballot.closes_on,
            declared_on=row.Ballot.declared_on,
        )
        for row in session.execute(statement)
    ]


def find_ballot(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    *,
    permission: Permission | None = None,
    lock: bool = False,
) -> Ballot:
    """Return the ballot. Raises NotFound when there is none, or it is out of scope.

    permission: the right that is needed at the place of the ballot. lock: others who change it
    wait until this unit of work ends.
    """
    statement = scope.select(Ballot, permission=permission).where(Ballot.public_id == public_id)
    if lock:
        statement = statement.with_for_update(of=Ballot)
    found: Ballot | None = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound(f"ballot {public_id}")
    return found


def get_ballot(session: Session, scope: Scope, public_id: uuid.UUID) -> WholeBallot:
    """Return a ballot with its questions, parts and results. At most twelve statements.

    Raises NotFound as find_ballot does.
    """
    return read_ballots(session, scope, [find_ballot(session, scope, public_id)])[0]


def read_ballots(session: Session, scope: Scope, ballots: Sequence[Ballot]) -> list[WholeBallot]:
    """Return these ballots in full, in the same order. Their number adds no statement."""
    ids = [one.id for one in ballots]
    if not ids:
        return []
    begun = begun_changes(session, scope)
    checks = checks_of_rows(session, scope)
    questions: dict[int, list[Question]] = {}
    for one in session.scalars(
        scope.select(BallotQuestion)
        .where(BallotQuestion.ballot_id.in_(ids))
        .order_by(BallotQuestion.number)
    ):
        questions.setdefault(one.ballot_id, []).append(
            Question(one.id, one.public_id, one.number, one.kind, one.words)
        )
    counts: dict[tuple[int, int | None], dict[int, QuestionCount]] = {}
    for row in session.scalars(scope.select(BallotCount).where(BallotCount.ballot_id.in_(ids))):
        counts.setdefault((row.ballot_id, row.part_id), {})[row.question_id] = QuestionCount(
            row.entitled, row.cast, row.yes, row.no, row.spoiled
        )
    parts: dict[int, list[tuple[BallotPart, str]]] = {}
    for part, name in session.execute(
        scope.select(BallotPart, place_name_of(BallotPart.place_id).label("name"))
        .where(BallotPart.ballot_id.in_(ids))
        .order_by(sa.literal_column("name"), BallotPart.id)
    ):
        parts.setdefault(part.ballot_id, []).append((part, name or ""))
    names = names_of(session, scope, {one.place_id for one in ballots})
    unions = {
        int(key): str(name)
        for key, name in session.execute(
            scope.select(Union.id, Union.name).where(
                Union.id.in_(sorted({one.union_id for one in ballots}))
            )
        )
    }
    held = _held(session, scope, ids, Permission.CONTACT_READ)
    writable = (
        _held(session, scope, ids, Permission.BALLOT_WRITE)
        if scope.may(Permission.BALLOT_WRITE)
        else set()
    )
    found = []
    for one in ballots:
        asked = questions.get(one.id, [])
        found.append(
            WholeBallot(
                id=one.id,
                public_id=one.public_id,
                place_id=one.place_id,
                place_name=names.get(one.place_id, ""),
                name=one.name,
                kind=one.kind,
                union_id=one.union_id,
                union_name=unions.get(one.union_id, ""),
                jurisdiction=one.jurisdiction,
                separate=one.separate,
                important_public_service=one.important_public_service,
                applied_on=one.applied_on,
                days=_days_of(one),
                action_continuous=one.action_continuous,
                action_days=one.action_days,
                frozen_on=one.frozen_on,
                version=one.version,
                whole=one.id in held,
                may_write=one.id in writable,
                questions=tuple(asked),
                parts=tuple(
                    Part(
                        id=part.id,
                        public_id=part.public_id,
                        place_id=part.place_id,
                        name=name,
                        jurisdiction=part.jurisdiction,
                        stated_members=part.stated_members,
                        result=_result(
                            one, part.jurisdiction, counts.get((one.id, part.id)), begun
                        ),
                    )
                    for part, name in parts.get(one.id, [])
                ),
                together=_result(one, one.jurisdiction, counts.get((one.id, None)), begun),
                begun=begun,
                checks=checks,
            )
        )
    return [_with_outcome(one) for one in found]


def _with_outcome(ballot: WholeBallot) -> WholeBallot:
    """Return the ballot with its outcome among its days: what follows depends on it."""
    return replace(ballot, days=replace(ballot.days, carried=ballot.carried))


def _held(session: Session, scope: Scope, ids: Sequence[int], right: Permission) -> set[int]:
    rows = session.scalars(scope.select(Ballot.id, permission=right).where(Ballot.id.in_(ids)))
    return set(rows)


def _days_of(ballot: Ballot) -> BallotDays:
    return BallotDays(
        opens_on=ballot.opens_on,
        closes_on=ballot.closes_on,
        last_post_on=ballot.last_post_on,
        ballot_notice_on=ballot.ballot_notice_on,
        members_told_on=ballot.members_told_on,
        employers_told_on=ballot.employers_told_on,
        action_notice_on=ballot.action_notice_on,
        action_starts_on=ballot.action_starts_on,
        action_ended_on=ballot.action_ended_on,
        declared_on=ballot.declared_on,
        called_off_on=ballot.called_off_on,
        agreed=ballot.employer_agreed,
    )


def _result(
    ballot: Ballot,
    jurisdiction: str,
    counts: Mapping[int, QuestionCount] | None,
    begun: Mapping[str, date],
) -> Result | None:
    if not counts:
        return None
    if ballot.opens_on is None:
        return Result(counts, None)
    book = rule_book(jurisdiction)
    said = (IMPORTANT_PUBLIC_SERVICE,) if ballot.important_public_service else ()
    if ballot.kind is BallotKind.RECOGNITION:
        first = counts[min(counts)]
        numbers = {
            Counted.UNIT: first.entitled,
            Counted.ENTITLED: first.entitled,
            Counted.VALID: first.valid,
            Counted.YES: first.yes,
        }
        tests = outcomes_of_numbers(
            book,
            numbers,
            {KeyDate.APPLICATION: ballot.applied_on or ballot.opens_on},
            subject=Subject.RECOGNITION,
            begun=begun,
        )
        votes = [
            test
            for test in tests
            if test.rule.threshold and set(test.rule.threshold.numerator) == {Counted.YES}
        ]
        return Result(counts, None, tuple(votes))
    return Result(
        counts,
        verdict(
            book,
            {str(question): count for question, count in counts.items()},
            {KeyDate.BALLOT_OPENING: ballot.opens_on},
            said=said,
            begun=begun,
        ),
    )


@dataclass(frozen=True, slots=True)
class DueStep:
    """Something that must be done for a ballot that the actor may write."""

    ballot_id: uuid.UUID
    name: str
    milestone: Milestone


def list_due_steps(
    session: Session, scope: Scope, *, today: date, ahead: timedelta
) -> list[DueStep]:
    """Return what the actor's ballots ask for up to a day ahead, and what is late, by day.

    Nothing for those who plan no ballots. Steps more than a quarter late are left to the page of
    the ballot, and so is the sample paper once voting opens: nobody writes down that it was sent.
    One statement where there is no ballot.
    """
    if not scope.may(Permission.BALLOT_WRITE):
        return []
    ballots = session.scalars(
        scope.select(Ballot, permission=Permission.BALLOT_WRITE).where(
            Ballot.called_off_on.is_(None), Ballot.opens_on.is_not(None)
        )
    ).all()
    late = timedelta(days=91)
    found = [
        DueStep(whole.public_id, whole.name, one)
        for whole in read_ballots(session, scope, ballots)
        for one in whole.milestones(today)
        if one.is_due(today, ahead) and one.day >= today - late and not one.assumed
        if one.step is not Step.SAMPLE_PAPER or today < (whole.days.opens_on or today)
    ]
    return sorted(found, key=lambda one: (one.milestone.day, one.name))
