"""What the rows of a list do to workplaces that became others: merged, split, followed.

The older one ends on the day; what is known of it stays, and so does every figure of an earlier
day. The people who work there stay written down there for a rep to ask, unless whoever brings the
list says that they went over. As places.py: ``plan`` writes nothing, ``store`` does exactly that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import facts
from crm.access.audit import UNDONE
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.spans import refresh_many
from crm.analysis.tables.found import Table
from crm.domain.columns import Target
from crm.domain.errors import Refusal
from crm.domain.listed import Fault, Matching
from crm.domain.listed_successions import (
    Became,
    ListedSuccession,
    find_days_apart,
    read_succession,
)
from crm.domain.vocabulary import PlaceTieKind, RowOutcome, RowState
from crm.features.imports.people import in_parts
from crm.features.imports.places import SAME_ROW, named_otherwise
from crm.features.imports.rules import Lack, Rules, body
from crm.features.imports.undoing import withdraw_fact
from crm.models.contacts import Job
from crm.models.imports import ImportRow
from crm.models.places import PlaceTie, Workplace

# The questions that the matching page asks about the whole list; see Rules.answers.
HOW: Final = "how"
DAY: Final = "day"
PEOPLE: Final = "people"
MOVE: Final = "move"
KEPT: Final = frozenset({HOW})

NO_PLACE_COLUMN = "Choose the column that holds the names of the workplaces."
NO_OTHER_COLUMN = "Choose the column that holds the names of the other workplaces."
SAY_HOW = "Say what became of them, or choose the column that says it."
SAY_DAY = "Enter the day, or choose the column that holds it."
DAY_TO_COME = "Enter a day that is not in the future."
NO_HOW = "This row does not say that one workplace became another. Leave it out."
NO_DAY = "The day is not said. Put it in, or enter one for the whole list."
NO_SUCH_PLACE = (
    "No workplace of this name is yours to change. Put the name right, or bring the workplaces "
    "in first."
)
TWO_OF_THE_NAME = "Two workplaces of yours have this name. Leave this row out."
ITSELF = "Both names lead to the same workplace. Leave this row out."
ROUND = "By what is known already, it was the other way round. Check the row."
# Where the people of a workplace that was split went, nobody can tell from a list.
_GOES_OVER: Final = frozenset({PlaceTieKind.MERGED_INTO, PlaceTieKind.FOLLOWED_BY})


def lacks(rules: Rules, table: Table, *, today: date) -> Iterator[Lack]:
    """Yield what is missing before such a list can be checked."""
    if not rules.columns_of(Target.PLACE_NAME):
        yield "to0", Refusal(NO_PLACE_COLUMN)
    if not rules.columns_of(Target.OTHER_PLACE):
        yield "to0", Refusal(NO_OTHER_COLUMN)
    if not rules.columns_of(Target.HOW) and not rules.answers.get(HOW):
        yield HOW, Refusal(SAY_HOW)
    day = _day(rules)
    if day is None and not rules.columns_of(Target.HAPPENED_ON):
        yield DAY, Refusal(SAY_DAY)
    if day is not None and day > today:
        yield DAY, Refusal(DAY_TO_COME)


def _day(rules: Rules) -> date | None:
    text = rules.answers.get(DAY)
    return date.fromisoformat(text) if text else None


@dataclass(slots=True)
class SuccessionPlan:
    """What a row would do. old_id, new_id: inner ids of the older and the newer workplace."""

    row_no: int
    outcome: RowOutcome
    faults: list[Fault] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    old_id: int | None = None
    new_id: int | None = None
    kind: PlaceTieKind = PlaceTieKind.FOLLOWED_BY
    day: date | None = None
    tie_before: PlaceTie | None = None
    closes: bool = False

    @property
    def contact_id(self) -> int | None:
        """Return the inner id of the older workplace, under the name that plans of people use."""
        return self.old_id

    @property
    def candidates(self) -> tuple[Any, ...]:
        """Return nothing: a workplace is known by its name, or the row is a problem."""
        return ()


@dataclass(frozen=True, slots=True)
class OfSuccessions:
    """One run over a list: its rows as they are read. twice: rows that tell nothing more."""

    rules: Rules
    listed: Mapping[int, ListedSuccession]
    faults: Mapping[int, Fault]
    twice: frozenset[int]

    @classmethod
    def read(cls, rules: Rules, table: Table, *, today: date) -> OfSuccessions:
        """Read the rows of a list. Writes nothing."""
        matching = Matching(rules.targets, rules.meanings, today)
        listed = {
            number: read_succession(number, cells, matching) for number, cells in body(table, rules)
        }
        faults, twice = find_days_apart(list(listed.values()), cls._how(rules), _day(rules))
        return cls(rules, listed, faults, frozenset(twice))

    @staticmethod
    def _how(rules: Rules) -> Became | None:
        return Became(rules.answers[HOW]) if rules.answers.get(HOW) else None

    def plan(self, session: Session, scope: Scope, row_nos: Sequence[int]) -> list[SuccessionPlan]:
        """Return what each of these rows would do. Writes nothing."""
        rows = [self.listed[number] for number in row_nos]
        names = {name for row in rows for name in self._names(row)} - {""}
        sites: dict[str, list[Workplace]] = {}
        for some in in_parts(sorted(names)):
            for site in session.scalars(
                scope.select(Workplace, permission=Permission.PLACE_WRITE).where(
                    Workplace.name_key.in_(some)
                )
            ):
                sites.setdefault(site.name_key, []).append(site)
        meant = named_otherwise(
            session,
            scope,
            self.rules.names,
            names - set(sites),
            permission=Permission.PLACE_WRITE,
        )
        ids = sorted({inner for inner, _own in meant.values()})
        others: dict[int, Workplace] = {}
        for some_ids in in_parts(ids):
            for site in session.scalars(
                scope.select(Workplace, permission=Permission.PLACE_WRITE).where(
                    Workplace.id.in_(some_ids)
                )
            ):
                others[site.id] = site
        sites |= {key: [others[inner]] for key, (inner, _own) in meant.items()}
        plans = [self._plan_one(row, sites) for row in rows]
        by_id = {site.id: site for some in sites.values() for site in some}
        ties = self._ties(session, scope, sorted(by_id))
        seen: dict[tuple[int | None, int | None], int] = {}
        for one in plans:
            if not one.faults and one.row_no not in self.twice:
                # Two names of one workplace: by their names alone these were two rows.
                first = seen.setdefault((one.old_id, one.new_id), one.row_no)
                if first != one.row_no:
                    one.faults.append(Fault(None, SAME_ROW, first))
            if not one.faults:
                self._plan_tie(one, by_id, ties)
            if one.faults:
                one.outcome, one.old_id, one.changes = RowOutcome.PROBLEM, None, []
        return plans

    def _names(self, row: ListedSuccession) -> tuple[str, str]:
        became = row.became or self._how(self.rules) or Became.FOLLOWED_BY
        old, new, _kind = row.told(became)
        return old, new

    def _plan_one(
        self, row: ListedSuccession, sites: Mapping[str, Sequence[Workplace]]
    ) -> SuccessionPlan:
        plan = SuccessionPlan(row.row_no, RowOutcome.NEW, list(row.faults))
        if row.row_no in self.faults:
            plan.faults.append(self.faults[row.row_no])
        became = row.became or self._how(self.rules)
        plan.day = row.day or _day(self.rules)
        if plan.day is None and not plan.faults:
            column = next(iter(self.rules.columns_of(Target.HAPPENED_ON)), None)
            plan.faults.append(Fault(column, NO_DAY))
        if became is None:
            plan.faults.append(Fault(None, NO_HOW))
        if plan.faults or became is None:
            return plan
        old, new, plan.kind = row.told(became)
        found: list[int] = []
        for name in (old, new):
            there = sites.get(name, ())
            if len(there) == 1:
                found.append(there[0].id)
                continue
            first = name == row.told(Became.FOLLOWED_BY)[0]
            column = self.rules.columns_of(Target.PLACE_NAME if first else Target.OTHER_PLACE)[0]
            plan.faults.append(
                Fault(None, TWO_OF_THE_NAME) if there else Fault(column, NO_SUCH_PLACE)
            )
        if not plan.faults:
            plan.old_id, plan.new_id = found
            if plan.old_id == plan.new_id:
                plan.faults.append(Fault(None, ITSELF))
        return plan

    @staticmethod
    def _ties(
        session: Session, scope: Scope, ids: Sequence[int]
    ) -> dict[tuple[int, int], PlaceTie]:
        found: dict[tuple[int, int], PlaceTie] = {}
        for some in in_parts(ids):
            for tie in session.scalars(
                scope.select(PlaceTie, permission=Permission.PLACE_WRITE).where(
                    PlaceTie.place_id.in_(some),
                    PlaceTie.kind != PlaceTieKind.SUPPLIES,
                    facts.known(PlaceTie),
                )
            ):
                found[tie.place_id, tie.other_id] = tie
        return found

    def _plan_tie(
        self,
        one: SuccessionPlan,
        sites: Mapping[int, Workplace],
        ties: Mapping[tuple[int, int], PlaceTie],
    ) -> None:
        old, new = one.old_id or 0, one.new_id or 0
        if (new, old) in ties:
            one.faults.append(Fault(None, ROUND))
            return
        tie = ties.get((old, new))
        if one.row_no in self.twice or (
            tie is not None and (tie.kind, tie.valid_from) == (one.kind, one.day)
        ):
            one.outcome = RowOutcome.UNCHANGED
            return
        one.closes = sites[old].closed_on is None
        if tie is not None:
            one.tie_before, one.outcome = tie, RowOutcome.CHANGED
            one.changes = ["became", *(["closed_on"] if one.closes else [])]

    def store(
        self, session: Session, scope: Scope, row_nos: Sequence[int], *, now: datetime
    ) -> tuple[list[SuccessionPlan], dict[int, list[list[Any]]]]:
        """Plan these rows again and store them; return the plans, and what each stored."""
        plans = self.plan(session, scope, row_nos)
        effects: dict[int, list[list[Any]]] = {}
        touched: set[int] = set()
        for one in plans:
            if one.outcome not in {RowOutcome.NEW, RowOutcome.CHANGED}:
                continue
            made = _store_tie(session, scope, one, now=now)
            if self.rules.answers.get(PEOPLE) == MOVE and one.kind in _GOES_OVER:
                moved, people = _move_people(session, scope, one, now=now)
                made += moved
                touched |= people
            effects[one.row_no] = made
        session.flush()
        refresh_many(session, sorted(touched))
        return plans, effects


def _store_tie(
    session: Session, scope: Scope, one: SuccessionPlan, *, now: datetime
) -> list[list[Any]]:
    before = one.tie_before
    if before is not None:
        tie = facts.revise(
            session, before, now=now, actor_id=scope.actor_id, kind=one.kind, valid_from=one.day
        )
    else:
        tie = PlaceTie(
            place_id=one.old_id,
            other_id=one.new_id,
            kind=one.kind,
            valid_from=one.day,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
        )
        session.add(tie)
    made: list[list[Any]] = []
    if one.closes:
        # Read again: an earlier row of the same workplace, as of one that was split, closed it.
        site = session.scalars(
            scope.select(Workplace, permission=Permission.PLACE_WRITE).where(
                Workplace.id == one.old_id
            )
        ).one()
        if site.closed_on is None:
            site.closed_on = one.day
            site.version += 1
            made.append([Workplace.__tablename__, site.id, None, {"closed_on": None}])
    session.flush()
    made.append([PlaceTie.__tablename__, tie.id, None if before is None else before.id, None])
    return made


def _move_people(
    session: Session, scope: Scope, one: SuccessionPlan, *, now: datetime
) -> tuple[list[list[Any]], set[int]]:
    """Let the jobs that go on at the older workplace go on at the newer one from the day.

    Only of people whom the scope may write about at both. In which area and on which shift they
    work now is not known. Somebody who is written down at the newer one already only ends here.
    """
    write = Permission.CONTACT_WRITE
    day = one.day
    reach = scope.select(Workplace.id, permission=write).where(Workplace.id == one.new_id)
    if day is None or session.scalars(reach).one_or_none() is None:
        return [], set()
    jobs = session.scalars(
        scope.select(Job, permission=write)
        .where(
            Job.workplace_id == one.old_id,
            facts.known(Job),
            Job.valid_to.is_(None),
            Job.valid_from < day,
        )
        .order_by(Job.id)
    ).all()
    there: set[int] = set()
    for some in in_parts(sorted({job.contact_id for job in jobs})):
        there |= set(
            session.scalars(
                scope.select(Job.contact_id, permission=write).where(
                    Job.workplace_id == one.new_id,
                    Job.contact_id.in_(some),
                    facts.known(Job),
                    sa.or_(Job.valid_to.is_(None), Job.valid_to > day),
                )
            )
        )
    made: list[list[Any]] = []
    for job in jobs:
        ended = facts.revise(session, job, now=now, actor_id=scope.actor_id, valid_to=day)
        session.flush()
        made.append([Job.__tablename__, ended.id, job.id, None])
        if job.contact_id in there:
            continue
        there.add(job.contact_id)
        following = Job(
            contact_id=job.contact_id,
            workplace_id=one.new_id,
            place_id=one.new_id,
            area_id=None,
            shift_id=None,
            job_title=job.job_title,
            contract_type=job.contract_type,
            employer_of_record_id=None,
            valid_from=day,
            valid_to=None,
            from_is_first_seen=False,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
        )
        session.add(following)
        session.flush()
        made.append([Job.__tablename__, following.id, None, None])
    return made, {job.contact_id for job in jobs}


# --- The way back -----------------------------------------------------------------------------

_FACTS: Final[Mapping[str, tuple[Any, Permission]]] = {
    PlaceTie.__tablename__: (PlaceTie, Permission.PLACE_WRITE),
    Job.__tablename__: (Job, Permission.CONTACT_WRITE),
    Workplace.__tablename__: (Workplace, Permission.PLACE_WRITE),
}


def undo_successions(
    session: Session,
    scope: Scope,
    rows: Sequence[ImportRow],
    request_id: str,
    *,
    now: datetime,
) -> None:
    """Take back what these rows stored, the last first, and mark each as undone, or as kept.

    Kept are rows whose closing day, tie or jobs somebody has changed since, or that are not the
    actor's to write any more.
    """
    session.info["reason"] = UNDONE
    touched: set[int] = set()
    for row in rows:
        stored: list[list[Any]] = (row.effects or {}).get("stored", [])
        held = _held(session, scope, stored)
        able = held is not None and _is_as_stored(stored, held)
        row.state = RowState.UNDONE if able else RowState.KEPT
        if held is None or not able:
            continue
        for table, inner, before, old in reversed(stored):
            if old is not None:
                site = held[table, inner]
                site.closed_on = old["closed_on"]
                site.version += 1
                continue
            if table == Job.__tablename__:
                touched.add(held[table, inner].contact_id)
            withdraw_fact(session, scope, held, table, inner, before, now=now)
        session.flush()
    refresh_many(session, sorted(touched))


def _held(
    session: Session, scope: Scope, stored: Sequence[Sequence[Any]]
) -> dict[tuple[str, int], Any] | None:
    """Return every record that the row stored or took the place of; None when one is missing."""
    wanted: dict[str, set[int]] = {}
    for table, inner, before, _old in stored:
        wanted.setdefault(table, set()).update({inner} if before is None else {inner, before})
    found: dict[tuple[str, int], Any] = {}
    for table, ids in wanted.items():
        model, permission = _FACTS[table]
        for some in in_parts(sorted(ids)):
            for one in session.scalars(
                scope.select(model, permission=permission).where(model.id.in_(some))
            ):
                found[table, one.id] = one
    asked = {(table, inner) for table, ids in wanted.items() for inner in ids}
    return found if asked <= set(found) else None


def _is_as_stored(stored: Sequence[Sequence[Any]], held: Mapping[tuple[str, int], Any]) -> bool:
    ties = [held[one[0], one[1]] for one in stored if one[0] == PlaceTie.__tablename__]
    for table, inner, _before, old in stored:
        one = held[table, inner]
        if old is not None:
            if one.closed_on not in {tie.valid_from for tie in ties}:
                return False
        elif one.superseded_at is not None:
            return False
    return True
