"""What the rows of a list do to ballots: new ones, their questions and workplaces, and counts.

As places.py: ``OfBallots.plan`` finds out and writes nothing, ``store`` does exactly that through
the rule that the pages of ballots write by. A ballot is known by its name at the place that holds
it; workplaces are not made here: they must exist.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.audit import UNDONE
from crm.access.ballots import (
    Asked,
    BallotFacts,
    ClosesBeforeItOpens,
    NotClosedYet,
    add_ballot,
    new_part,
    new_question,
    store_counts,
)
from crm.access.permissions import Permission
from crm.access.removal import Named, rows_that_name
from crm.access.scope import Scope
from crm.analysis.tables.found import Table
from crm.domain.balloting import COUNTED, CountsDoNotAdd, QuestionCount
from crm.domain.columns import Target
from crm.domain.errors import NotFound, Refusal
from crm.domain.identity import fold
from crm.domain.listed import Fault, Matching
from crm.domain.listed_ballots import ListedCount, find_count_repeats, read_ballot_row
from crm.domain.rules import CODES
from crm.domain.vocabulary import BallotKind, QuestionKind, RowOutcome, RowState
from crm.features.imports.people import in_parts
from crm.features.imports.places import SAME_ROW, named_otherwise
from crm.features.imports.rules import Lack, Rules, body
from crm.models.ballots import Ballot, BallotCount, BallotPart, BallotQuestion
from crm.models.imports import ImportRow
from crm.models.places import PlaceClosure, Union, Workplace
from crm.reads.ballot_holders import MOST_PARTS, find_holder
from crm.reads.ballots import find_ballot

# The questions that the matching page asks about the whole list; see Rules.answers.
BALLOT: Final = "ballot"
NAME: Final = "ballot_name"
HOLDER: Final = "holder"
SORT: Final = "ballot_kind"
LAW: Final = "law"
QUESTION: Final = "question"
OPENS: Final = "opens_on"
CLOSES: Final = "closes_on"
# What next month's list has in common with this one; the ballot itself it has not.
KEPT: Final = frozenset({HOLDER, SORT, LAW})

NO_PLACE_COLUMN = "Choose the column that holds the names of the workplaces."
NO_COUNT_COLUMN = "Choose at least one column that holds a count."
SAY_BALLOT = "Choose the ballot, give a new one a name, or choose the column that names it."
SAY_HOLDER = "Say whose ballot it is."
SAY_UNION = "Choose the union that holds the ballot, or the column that names it."
SAY_QUESTION = "Say what was asked, or choose the column that says it."
SAY_LAW = "Choose the law that the ballot was held under."
SAY_CLOSES = "Enter the last day of voting, or choose the column that holds it."
NO_SUCH_PLACE = (
    "No open workplace of this name is part of that place. Put the name right, or bring the "
    "workplaces in first."
)
TWO_OF_THE_NAME = "Two workplaces there have this name. Enter this count on the ballot’s page."
TWO_BALLOTS = "Two ballots there have this name. Choose one of them for the whole list."
COUNTED_TOGETHER = "That ballot counts all its workplaces together. Enter its result on its page."
HELD_BY_ANOTHER = "A ballot of this name is another union’s. Give this one another name."
CLOSED_ELSEWHEN = "A ballot of this name closed on another day. Give this one another name."
NO_CLOSING_DAY = "The last day of voting is not said. Put it in, or enter one for the whole list."
LIST_IS_MADE = "This workplace is not part of that ballot, and its list of voters is made already."
TOO_MANY_PARTS = "One ballot has more than 400 workplaces here. Bring it in as several ballots."
NO_UNION = "The union that holds this ballot is not said."


def lacks(rules: Rules, table: Table, *, today: date) -> Iterator[Lack]:
    """Yield what is missing before a list of ballots can be checked."""
    if not rules.columns_of(Target.PLACE_NAME):
        yield "to0", Refusal(NO_PLACE_COLUMN)
    counts = (Target.CAST, Target.VALID, Target.YES, Target.NO, Target.SPOILED)
    if not rules.columns_of(*counts):
        yield "to0", Refusal(NO_COUNT_COLUMN)
    said = rules.answers
    if not rules.columns_of(Target.QUESTION) and not said.get(QUESTION):
        yield QUESTION, Refusal(SAY_QUESTION)
    if said.get(BALLOT) and not rules.columns_of(Target.BALLOT_NAME):
        return
    if not said.get(NAME) and not rules.columns_of(Target.BALLOT_NAME):
        yield NAME, Refusal(SAY_BALLOT)
    if not said.get(HOLDER):
        yield HOLDER, Refusal(SAY_HOLDER)
    if rules.union is None and not rules.columns_of(Target.UNION):
        yield "union", Refusal(SAY_UNION)
    if said.get(LAW) not in CODES:
        yield LAW, Refusal(SAY_LAW)
    opens, closes = _day(said.get(OPENS)), _day(said.get(CLOSES))
    if closes is None and not rules.columns_of(Target.CLOSES_ON):
        yield CLOSES, Refusal(SAY_CLOSES)
    if opens is not None and closes is not None and closes < opens:
        yield CLOSES, ClosesBeforeItOpens()
    if closes is not None and closes >= today:
        yield CLOSES, NotClosedYet()


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@dataclass(slots=True)
class CountPlan:
    """What a row would do. place_id: the inner id of the workplace."""

    row_no: int
    outcome: RowOutcome
    faults: list[Fault] = field(default_factory=list)
    place_id: int | None = None
    changes: list[str] = field(default_factory=list)
    listed: ListedCount = field(default_factory=lambda: ListedCount(0))
    ballot_name: str = ""
    opens_on: date | None = None
    closes_on: date | None = None
    union_id: int | None = None
    asked: QuestionKind = QuestionKind.OTHER
    law: str | None = None
    count: QuestionCount | None = None

    @property
    def contact_id(self) -> int | None:
        """Return the inner id of the workplace, under the name that plans of people use."""
        return self.place_id

    @property
    def candidates(self) -> tuple[Any, ...]:
        """Return nothing: a count is of one workplace, or it is a problem."""
        return ()


@dataclass(frozen=True, slots=True)
class _Held:
    """A ballot that is there already, with what is stored of it."""

    ballot: Ballot
    questions: Mapping[QuestionKind, BallotQuestion]
    last_number: int
    parts: Mapping[int, BallotPart]
    counts: Mapping[tuple[int, int], BallotCount]


@dataclass(frozen=True, slots=True)
class _Found:
    """What the rows name, as far as the scope may hold ballots there."""

    holder_id: int
    sites: Mapping[str, tuple[int, ...]]
    unions: Mapping[str, int]
    chosen: _Held | None
    by_name: Mapping[str, tuple[_Held, ...]]
    # Names that were said to mean a workplace, and its own: both folded.
    meant: Mapping[str, str]

    def held(self, plan: CountPlan) -> tuple[_Held, ...]:
        """Return the ballots that a row could be about."""
        if self.chosen is not None and plan.listed.ballot_key == "":
            return (self.chosen,)
        return self.by_name.get(fold(plan.ballot_name), ())


@dataclass(frozen=True, slots=True)
class OfBallots:
    """One run over a list of ballots: its rows as they are read."""

    rules: Rules
    listed: Mapping[int, ListedCount]
    repeats: Mapping[int, Fault]
    today: date

    @classmethod
    def read(cls, rules: Rules, table: Table, *, today: date) -> OfBallots:
        """Read the rows of a list. Writes nothing. Raises Refusal for a ballot of too many."""
        matching = Matching(rules.targets, rules.meanings, today)
        listed = {
            number: read_ballot_row(number, cells, matching) for number, cells in body(table, rules)
        }
        each: dict[str, set[str]] = {}
        for row in listed.values():
            each.setdefault(row.ballot_key, set()).add(row.name_key)
        if max(map(len, each.values()), default=0) > MOST_PARTS:
            raise Refusal(TOO_MANY_PARTS)
        repeats = find_count_repeats(
            list(listed.values()), rules.answers.get(QUESTION), rules.union
        )
        return cls(rules, listed, repeats, today)

    def plan(self, session: Session, scope: Scope, row_nos: Sequence[int]) -> list[CountPlan]:
        """Return what each of these rows would do. Writes nothing."""
        rows = [self.listed[number] for number in row_nos]
        found = self._find(session, scope, rows)
        return [self._plan_one(row, found) for row in rows]

    def _plan_one(self, row: ListedCount, found: _Found) -> CountPlan:
        said = self.rules.answers
        plan = CountPlan(row.row_no, RowOutcome.NEW, list(row.faults), listed=row)
        if row.row_no in self.repeats:
            plan.faults.append(self.repeats[row.row_no])
        plan.ballot_name = row.ballot or said.get(NAME, "")
        plan.opens_on = row.opens_on or _day(said.get(OPENS))
        plan.closes_on = row.closes_on or _day(said.get(CLOSES))
        plan.asked = QuestionKind(row.valued.get(Target.QUESTION) or said.get(QUESTION) or "other")
        plan.law = row.valued.get(Target.LAW)
        plan.union_id = found.unions.get(row.valued.get(Target.UNION) or self.rules.union or "")
        sites = found.sites.get(row.name_key, ())
        if row.name_key and len(sites) != 1:
            column = self.rules.columns_of(Target.PLACE_NAME)[0]
            plan.faults.append(
                Fault(None, TWO_OF_THE_NAME) if sites else Fault(column, NO_SUCH_PLACE)
            )
        same = self._same(row, found)
        if same is not None:
            plan.faults.append(Fault(None, SAME_ROW, same))
        if not plan.faults:
            plan.place_id = sites[0]
            self._plan_count(plan, found)
        if plan.faults:
            plan.outcome, plan.place_id, plan.changes = RowOutcome.PROBLEM, None, []
        return plan

    def _same(self, row: ListedCount, found: _Found) -> int | None:
        """Return the number of another row that counts for the same workplace under another name.

        Of two names that were said to mean one workplace the later row gives way; a name that is
        the workplace's own never does.
        """
        own = found.meant.get(row.name_key)
        if own is None:
            return None
        asked = (row.ballot_key, row.valued.get(Target.QUESTION))
        alike = [
            one
            for one in self.listed.values()
            if (one.ballot_key, one.valued.get(Target.QUESTION)) == asked
        ]
        its_own = (one.row_no for one in alike if one.name_key == own)
        earlier = (
            one.row_no
            for one in alike
            if one.row_no < row.row_no
            and one.name_key != row.name_key
            and found.meant.get(one.name_key) == own
        )
        return next(its_own, None) or next(earlier, None)

    def _plan_count(self, plan: CountPlan, found: _Found) -> None:
        ballots = found.held(plan)
        if len(ballots) > 1:
            plan.faults.append(Fault(None, TWO_BALLOTS))
            return
        if not ballots:
            self._refuse_new(plan)
            plan.count = plan.listed.count()
            return
        held = ballots[0]
        fault = _clash(held, plan, is_chosen=held is found.chosen, today=self.today)
        if fault is not None:
            plan.faults.append(Fault(None, fault))
            return
        before: BallotCount | None = None
        part = held.parts.get(plan.place_id or 0)
        question = held.questions.get(plan.asked)
        if part is not None and question is not None:
            before = held.counts.get((part.id, question.id))
        if before is None:
            plan.count = plan.listed.count()
            return
        was = QuestionCount(*(getattr(before, name) for name in COUNTED))
        try:
            plan.count = plan.listed.count(was)
        except CountsDoNotAdd as error:
            plan.faults.append(Fault(plan.listed.column, error.message))
            return
        plan.changes = [name for name in COUNTED if getattr(was, name) != getattr(plan.count, name)]
        if plan.law is not None and part is not None and part.jurisdiction != plan.law:
            plan.changes.append("law")
        plan.outcome = RowOutcome.CHANGED if plan.changes else RowOutcome.UNCHANGED

    def _refuse_new(self, plan: CountPlan) -> None:
        closes, opens = plan.closes_on, plan.opens_on
        column = next(iter(self.rules.columns_of(Target.CLOSES_ON)), None)
        if closes is None:
            plan.faults.append(Fault(column, NO_CLOSING_DAY))
        elif closes >= self.today:
            plan.faults.append(Fault(column, NotClosedYet.default_message))
        elif opens is not None and closes < opens:
            plan.faults.append(Fault(column, ClosesBeforeItOpens.default_message))
        if plan.union_id is None:
            plan.faults.append(Fault(None, NO_UNION))

    def _find(
        self, session: Session, scope: Scope, rows: Sequence[ListedCount], *, lock: bool = False
    ) -> _Found:
        """Return what the rows name. lock: others who write the ballots wait until the end."""
        said = self.rules.answers
        write = Permission.BALLOT_WRITE
        chosen: Ballot | None = None
        if said.get(BALLOT):
            chosen = find_ballot(session, scope, UUID(said[BALLOT]), permission=write)
        if said.get(HOLDER):
            holder_id = find_holder(session, scope, UUID(said[HOLDER])).id
        elif chosen is not None:
            holder_id = chosen.place_id
        else:
            raise NotFound("no place that holds the ballot")
        sites: dict[str, tuple[int, ...]] = {}
        # The workplaces of a ballot that was chosen lie in the place that holds that one.
        at = chosen.place_id if chosen is not None else holder_id
        inside = sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == at)
        for some in in_parts(sorted({row.name_key for row in rows if row.name_key})):
            for inner, key in session.execute(
                scope.select(Workplace.id, Workplace.name_key, permission=write).where(
                    Workplace.name_key.in_(some),
                    Workplace.closed_on.is_(None),
                    Workplace.id.in_(inside),
                )
            ):
                sites[key] = (*sites.get(key, ()), inner)
        lacking = {row.name_key for row in rows if row.name_key} - set(sites)
        meant = named_otherwise(
            session,
            scope,
            self.rules.names,
            lacking,
            Workplace.closed_on.is_(None),
            Workplace.id.in_(inside),
            permission=write,
        )
        sites |= {key: (inner,) for key, (inner, _own) in meant.items()}
        names = {row.ballot_key or fold(said.get(NAME, "")) for row in rows} - {""}
        there = session.scalars(
            scope.select(Ballot, permission=write).where(Ballot.place_id == holder_id)
        ).all()
        wanted = [one for one in there if fold(one.name) in names]
        if chosen is not None and chosen.id not in {one.id for one in wanted}:
            wanted.append(chosen)
        if lock:
            # Whoever types a count in on its page holds the ballot as well: what is read of it
            # from here on is all that there is.
            for one in sorted(wanted, key=lambda ballot: ballot.id):
                find_ballot(session, scope, one.public_id, permission=write, lock=True)
                session.refresh(one)
        held = _read_held(session, scope, wanted)
        by_name: dict[str, tuple[_Held, ...]] = {}
        for one in held:
            if one.ballot.place_id == holder_id:
                key = fold(one.ballot.name)
                by_name[key] = (*by_name.get(key, ()), one)
        return _Found(
            holder_id,
            sites,
            self._unions(session, scope),
            next((one for one in held if chosen is not None and one.ballot.id == chosen.id), None),
            by_name,
            {key: own for key, (_inner, own) in meant.items()},
        )

    def _unions(self, session: Session, scope: Scope) -> dict[str, int]:
        said = {self.rules.union} | {
            meaning
            for place in self.rules.columns_of(Target.UNION)
            for meaning in self.rules.meanings.get(place, {}).values()
        }
        wanted = [UUID(one) for one in said if one]
        rows = session.execute(
            scope.select(Union.public_id, Union.id).where(Union.public_id.in_(wanted))
        )
        return {str(public_id): inner for public_id, inner in rows}

    def store(
        self, session: Session, scope: Scope, row_nos: Sequence[int], *, now: datetime
    ) -> tuple[list[CountPlan], dict[int, list[list[Any]]]]:
        """Plan these rows again and store them; return the plans, and what each stored."""
        rows = [self.listed[number] for number in row_nos]
        found = self._find(session, scope, rows, lock=True)
        plans = [self._plan_one(row, found) for row in rows]
        writing = _Writing(session, scope, found, self.rules.answers, now=now, today=self.today)
        effects = {
            one.row_no: writing.store(one)
            for one in plans
            if one.outcome in {RowOutcome.NEW, RowOutcome.CHANGED}
        }
        return plans, effects


def _clash(held: _Held, plan: CountPlan, *, is_chosen: bool, today: date) -> str | None:
    """Return why a row cannot be a count of a ballot that is there already; None when it can."""
    ballot = held.ballot
    if not ballot.separate:
        return COUNTED_TOGETHER
    if plan.closes_on is not None and ballot.closes_on not in (None, plan.closes_on):
        return CLOSED_ELSEWHEN
    if plan.place_id not in held.parts and ballot.frozen_on is not None:
        return LIST_IS_MADE
    # Of a ballot that was chosen, the union of the whole list says nothing.
    said = plan.listed.valued.get(Target.UNION) is not None or not is_chosen
    if said and plan.union_id is not None and plan.union_id != ballot.union_id:
        return HELD_BY_ANOTHER
    if ballot.closes_on is None or ballot.closes_on >= today:
        return NotClosedYet.default_message
    return None


def _read_held(session: Session, scope: Scope, ballots: Sequence[Ballot]) -> list[_Held]:
    ids = sorted(one.id for one in ballots)
    questions: dict[int, dict[QuestionKind, BallotQuestion]] = {one: {} for one in ids}
    numbers: dict[int, int] = dict.fromkeys(ids, 0)
    parts: dict[int, dict[int, BallotPart]] = {one: {} for one in ids}
    counts: dict[int, dict[tuple[int, int], BallotCount]] = {one: {} for one in ids}
    for some in in_parts(ids):
        for asked in session.scalars(
            scope.select(BallotQuestion)
            .where(BallotQuestion.ballot_id.in_(some))
            .order_by(BallotQuestion.number)
        ):
            questions[asked.ballot_id].setdefault(asked.kind, asked)
            numbers[asked.ballot_id] = asked.number
        for part in session.scalars(scope.select(BallotPart).where(BallotPart.ballot_id.in_(some))):
            parts[part.ballot_id][part.place_id] = part
        for count in session.scalars(
            scope.select(BallotCount).where(
                BallotCount.ballot_id.in_(some), BallotCount.part_id.is_not(None)
            )
        ):
            counts[count.ballot_id][count.part_id or 0, count.question_id] = count
    return [
        _Held(one, questions[one.id], numbers[one.id], parts[one.id], counts[one.id])
        for one in ballots
    ]


class _Writing:
    """Stores rows one after the other; a ballot that an earlier row made is found again."""

    def __init__(
        self,
        session: Session,
        scope: Scope,
        found: _Found,
        answers: Mapping[str, str],
        *,
        now: datetime,
        today: date,
    ) -> None:
        self._session = session
        self._scope = scope
        self._found = found
        self._answers = answers
        self._now = now
        self._today = today
        self._made: dict[str, Ballot] = {}
        self._parts: dict[tuple[int, int], BallotPart] = {}
        self._questions: dict[tuple[int, QuestionKind], BallotQuestion] = {}
        self._last: dict[int, int] = {}

    def store(self, plan: CountPlan) -> list[list[Any]]:
        """Store one row; return what was stored: table, inner id, how it was, how it is.

        How it was is None for a row that is new.
        """
        stored: list[list[Any]] = []
        ballot = self._ballot(plan, stored)
        question = self._question(ballot, plan, stored)
        part = self._part(ballot, plan, stored)
        if plan.count is None:
            raise ValueError("a row that is stored has a count")
        before = self._count_before(ballot, part, question)
        was = None if before is None else {name: getattr(before, name) for name in COUNTED}
        row = store_counts(
            self._session,
            self._scope,
            ballot,
            part,
            {question.id: plan.count},
            now=self._now,
            today=self._today,
        )[0]
        now_is = {name: getattr(row, name) for name in COUNTED}
        if was != now_is:
            stored.append([BallotCount.__tablename__, row.id, was, now_is])
        return stored

    def _held(self, ballot: Ballot) -> _Held | None:
        every = [one for some in self._found.by_name.values() for one in some]
        if self._found.chosen is not None:
            every.append(self._found.chosen)
        return next((one for one in every if one.ballot.id == ballot.id), None)

    def _ballot(self, plan: CountPlan, stored: list[list[Any]]) -> Ballot:
        held = self._found.held(plan)
        if held:
            return held[0].ballot
        key = fold(plan.ballot_name)
        if key in self._made:
            return self._made[key]
        ballot = add_ballot(
            self._session,
            self._scope,
            BallotFacts(
                name=plan.ballot_name,
                kind=BallotKind(self._answers.get(SORT) or BallotKind.ACTION),
                jurisdiction=self._answers.get(LAW, ""),
                separate=True,
                important_public_service=None,
                employer_agreed=False,
                applied_on=None,
                opens_on=plan.opens_on,
                closes_on=plan.closes_on,
                last_post_on=None,
            ),
            [Asked(plan.asked)],
            ballot_id=uuid.uuid4(),
            place_id=self._found.holder_id,
            union_id=plan.union_id or 0,
            workplaces=[plan.place_id or 0],
            now=self._now,
        )
        self._made[key] = ballot
        stored.append([Ballot.__tablename__, ballot.id, None, {"version": ballot.version}])
        read = _read_held(self._session, self._scope, [ballot])[0]
        for question in read.questions.values():
            self._questions[ballot.id, question.kind] = question
            self._last[ballot.id] = question.number
            stored.append([BallotQuestion.__tablename__, question.id, None, {}])
        for part in read.parts.values():
            self._parts[ballot.id, part.place_id] = part
            stored.append([BallotPart.__tablename__, part.id, None, {}])
        return ballot

    def _question(self, ballot: Ballot, plan: CountPlan, stored: list[list[Any]]) -> BallotQuestion:
        held = self._held(ballot)
        found = self._questions.get((ballot.id, plan.asked))
        if found is None and held is not None:
            found = held.questions.get(plan.asked)
        if found is None:
            last = self._last.get(ballot.id, 0 if held is None else held.last_number)
            self._last[ballot.id] = last + 1
            found = new_question(ballot, last + 1, Asked(plan.asked))
            self._session.add(found)
            self._session.flush()
            self._questions[ballot.id, plan.asked] = found
            stored.append([BallotQuestion.__tablename__, found.id, None, {}])
        return found

    def _part(self, ballot: Ballot, plan: CountPlan, stored: list[list[Any]]) -> BallotPart:
        place_id = plan.place_id or 0
        held = self._held(ballot)
        part = self._parts.get((ballot.id, place_id))
        if part is None and held is not None:
            part = held.parts.get(place_id)
        if part is None:
            part = new_part(ballot, place_id)
            part.jurisdiction = plan.law or part.jurisdiction
            self._session.add(part)
            self._session.flush()
            self._parts[ballot.id, place_id] = part
            stored.append([BallotPart.__tablename__, part.id, None, {}])
        elif plan.law is not None and part.jurisdiction != plan.law:
            made = any(one[:2] == [BallotPart.__tablename__, part.id] for one in stored)
            if not made:
                was = {"jurisdiction": part.jurisdiction}
                now_is = {"jurisdiction": plan.law}
                stored.append([BallotPart.__tablename__, part.id, was, now_is])
            part.jurisdiction = plan.law
            self._session.flush()
        return part

    def _count_before(
        self, ballot: Ballot, part: BallotPart, question: BallotQuestion
    ) -> BallotCount | None:
        held = self._held(ballot)
        return None if held is None else held.counts.get((part.id, question.id))


# --- The way back -----------------------------------------------------------------------------

_MODELS: Final[Mapping[str, Any]] = {
    model.__tablename__: model for model in (BallotCount, BallotPart, BallotQuestion, Ballot)
}


def undo_ballots(
    session: Session,
    scope: Scope,
    rows: Sequence[ImportRow],
    request_id: str,
    *,
    now: datetime,
) -> None:
    """Take back what these rows stored, the last first, and mark each as undone, or as kept.

    Kept are rows whose counts somebody has changed since, whose ballot is not theirs to write any
    more, and whose new ballot, question or workplace something else names by now.
    """
    session.info["reason"] = UNDONE
    there = _there(session, scope, rows)
    named: dict[tuple[str, int], set[Named]] = {}
    for table, model in _MODELS.items():
        ids = [inner for name, inner in there if name == table]
        if ids:
            for some in in_parts(ids):
                by_id = rows_that_name(session, model, some)
                named |= {(table, one): by for one, by in by_id.items()}
    gone: set[Named] = set()
    for row in rows:
        stored: list[list[Any]] = (row.effects or {}).get("stored", [])
        own = {(table, inner) for table, inner, was, _now in stored if was is None}
        able = all(
            _is_as_stored(there.get((table, inner)), now_is)
            and (was is not None or named[table, inner] <= gone | own)
            for table, inner, was, now_is in stored
        )
        row.state = RowState.UNDONE if able else RowState.KEPT
        if not able:
            continue
        for table, inner, was, _now_is in reversed(stored):
            found = there[table, inner]
            if was is None:
                gone.add((table, inner))
                session.delete(found)
            else:
                for name, value in was.items():
                    setattr(found, name, value)
            # One after the other: a question goes before the ballot that asks it.
            session.flush()


def _there(session: Session, scope: Scope, rows: Sequence[ImportRow]) -> dict[tuple[str, int], Any]:
    wanted: dict[str, set[int]] = {}
    for row in rows:
        for table, inner, _was, _now in (row.effects or {}).get("stored", []):
            wanted.setdefault(table, set()).add(inner)
    found: dict[tuple[str, int], Any] = {}
    # Held until the end, so that nobody changes a count between the looking and the taking back;
    # the ballots first, as its pages hold them.
    for table in [name for name in reversed(list(_MODELS)) if name in wanted]:
        model = _MODELS[table]
        for some in in_parts(sorted(wanted[table])):
            for one in session.scalars(
                scope.select(model, permission=Permission.BALLOT_WRITE)
                .where(model.id.in_(some))
                .order_by(model.id)
                .with_for_update(of=model)
            ):
                found[table, one.id] = one
    return found


def _is_as_stored(found: Any, now_is: Mapping[str, Any] | None) -> bool:
    """True when a row is there, and is as the import left it; None = whatever it holds."""
    return found is not None and all(
        getattr(found, name) == value for name, value in (now_is or {}).items()
    )
