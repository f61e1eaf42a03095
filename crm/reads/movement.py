"""Why members and shares changed between two days, and who left in a year; under a scope.

Each person's two days are read in one statement over the dated facts, whatever the number of
people; the rule of what a move did is crm/domain/movement.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.many import one_of
from crm.access.scope import Scope
from crm.domain.bases import PARTS, Roster
from crm.domain.density import TotalDensity
from crm.domain.headcount import Counts
from crm.domain.movement import (
    Effect,
    Move,
    Moves,
    Named,
    State,
    Whole,
    YearOfChange,
    effects,
)
from crm.models.contacts import Job, Membership
from crm.reads.density_people import membership_state
from crm.reads.density_places import only_those
from crm.reads.figures import GroupBy, Part, Question, Survey, places_counted, stated_places, survey


@dataclass(frozen=True, slots=True)
class Movement:
    """What changed from the first day to the last, over the places of a question.

    everywhere: the moves at all places open on either day. stated_before, stated_after: members
    there that unions state beyond those named. counted: the moves at the places with a headcount
    on both days, which the effects are worked out over; before, after: members confirmed and the
    highest count of workers there. Out of a part of those who work there, nobody can say what each
    move did to the share: there are no effects. places, counted_places: how many there are of each.
    total_before, total_after: the figures of the two days over all places, as on the other pages.
    stated_once: places where a union stated its members on one of the days alone, so that what it
    states there came or went without anybody joining or leaving.
    """

    first: date
    last: date
    everywhere: Moves
    stated_before: float
    stated_after: float
    counted: Moves
    before: Whole
    after: Whole
    effects: tuple[Effect, ...]
    places: int
    counted_places: int
    total_before: TotalDensity
    total_after: TotalDensity
    stated_once: int


def movement(session: Session, scope: Scope, question: Question, *, since: date) -> Movement:
    """Return what changed from `since` to the day of the question.

    Raises ValueError unless `since` lies before it. A place that closed between the two days is
    counted on the first only: its people left the job. The share is followed over places with a
    headcount on both days, because a place that is counted for the first time would look like
    growth. Ten statements at most, and twenty
    out of a part of the workers, whatever the number of people.
    """
    if since >= question.as_at:
        raise ValueError("The first day lies before the last.")
    asked = replace(question, group_by=GroupBy.WORKPLACE)
    found = survey(session, scope, asked, compare=since)
    if question.counts in PARTS:
        return _of_part(session, scope, asked, found, since)
    then = found.compared.parts if found.compared else ()
    now = found.table.parts
    everywhere = _moves(session, scope, asked, since, _ids(then), _ids(now))
    all_places = _ids(then) | _ids(now)
    # Whoever stands on a list of names is counted wherever they work, by name and each once.
    of_names = isinstance(question.counts, Roster)
    both = all_places if of_names else set(places_counted(then) & places_counted(now))
    counted = (
        everywhere
        if both == all_places
        else _moves(session, scope, asked, since, both, both)
        if both
        else Moves({})
    )
    before = _whole(counted.before, then, both, of_names=of_names)
    after = _whole(counted.after, now, both, of_names=of_names)
    return Movement(
        first=since,
        last=question.as_at,
        everywhere=everywhere,
        stated_before=_stated(then),
        stated_after=_stated(now),
        counted=counted,
        before=before,
        after=after,
        effects=effects(counted, before, after),
        places=len(all_places),
        counted_places=len(both),
        total_before=found.compared.total if found.compared else found.table.total,
        total_after=found.table.total,
        stated_once=0 if of_names else len(stated_places(then) ^ stated_places(now)),
    )


def _of_part(
    session: Session, scope: Scope, question: Question, part: Survey, since: date
) -> Movement:
    """Return the moves of everybody, and beside them the figures out of the part."""
    whole = movement(session, scope, replace(question, counts=Counts.SITE_ALL), since=since)
    then = part.compared.parts if part.compared else ()
    return replace(
        whole,
        counted=Moves({}),
        before=Whole(0, 0),
        after=Whole(0, 0),
        effects=(),
        counted_places=len(places_counted(then) & places_counted(part.table.parts)),
        total_before=part.compared.total if part.compared else part.table.total,
        total_after=part.table.total,
    )


def year_of_change(
    session: Session,
    scope: Scope,
    question: Question,
    *,
    since: date,
    month_ends: Sequence[date],
) -> YearOfChange:
    """Return who left after `since` and up to the day of the question, of the people named.

    At the places open on that day. month_ends: the days in between that the mean is taken over,
    one at least. Six statements.
    """
    first, last = since, question.as_at
    asked = replace(question, group_by=GroupBy.WORKPLACE)
    sites = _ids(survey(session, scope, asked).table.parts)
    if not sites:
        return YearOfChange(0, 0, 0, 0, None)
    people = _year(scope, asked, sites, first, last, month_ends)
    named = [people.c[f"on_{number}"] for number in range(len(month_ends))]
    left = sa.case((people.c.here == 0, 1), else_=0)
    sums = session.execute(
        scope.select(sa.func.sum(left), *(sa.func.sum(column) for column in named))
    ).one()
    on_days = [int(count or 0) for count in sums[1:]]
    was_member = sa.and_(
        Membership.valid_from < people.c.last_day,
        sa.or_(Membership.valid_to.is_(None), Membership.valid_to >= people.c.last_day),
    )
    ended_here = sa.and_(
        Membership.valid_from <= last,
        Membership.valid_to > first,
        # Whoever left the union before they came here never left it here.
        Membership.valid_to > people.c.first_day,
    )
    per_person = (
        scope.select(
            people.c.here,
            membership_state(asked, was_member).label("at_the_end"),
            membership_state(asked, ended_here).label("within"),
            membership_state(asked, covers(Membership, last)).label("now"),
        )
        .select_from(people)
        .join(Membership, Membership.contact_id == people.c.contact_id)
        .where(known(Membership, question.known_at))
        .group_by(people.c.contact_id, people.c.here)
    ).subquery()
    members_left = sa.and_(per_person.c.here == 0, per_person.c.at_the_end == int(State.MEMBER))
    was_one_here = sa.and_(per_person.c.here == 1, per_person.c.within == int(State.MEMBER))
    resigned = sa.and_(was_one_here, per_person.c.now == int(State.NOT_MEMBER))
    not_known = sa.and_(was_one_here, per_person.c.now == int(State.NOT_KNOWN))
    counted = (members_left, resigned, not_known)
    out = session.execute(
        scope.select(*(sa.func.sum(sa.case((one, 1), else_=0)) for one in counted))
    ).one()
    return YearOfChange(
        left=int(sums[0] or 0),
        members_left=int(out[0] or 0),
        resigned=int(out[1] or 0),
        no_longer_known=int(out[2] or 0),
        named_on_average=Fraction(sum(on_days), len(on_days)) if sum(on_days) else None,
    )


def _year(
    scope: Scope,
    question: Question,
    sites: set[int],
    first: date,
    last: date,
    month_ends: Sequence[date],
) -> sa.Subquery:
    """A row for each person with a job here after the first day: here on the last day or not, their
    first day here, the day after their last one here (null = goes on), and whether they were here
    at each month end."""

    def _on(day: date) -> sa.ColumnElement[int]:
        return sa.func.max(sa.case((covers(Job, day), 1), else_=0))

    return (
        scope.select(
            Job.contact_id.label("contact_id"),
            _on(last).label("here"),
            sa.func.min(Job.valid_from).label("first_day"),
            sa.func.max(Job.valid_to).label("last_day"),
            *(_on(day).label(f"on_{number}") for number, day in enumerate(month_ends)),
            permission=question.permission,
        )
        .where(
            known(Job, question.known_at),
            Job.valid_from <= last,
            sa.or_(Job.valid_to.is_(None), Job.valid_to > first),
            # A spell of no days says that somebody was never here.
            sa.or_(Job.valid_to.is_(None), Job.valid_to > Job.valid_from),
            one_of(Job.workplace_id, sites),
            *only_those(question, Job.contact_id),
        )
        .group_by(Job.contact_id)
    ).subquery()


def _moves(
    session: Session,
    scope: Scope,
    question: Question,
    since: date,
    open_then: set[int],
    open_now: set[int],
) -> Moves:
    """Count people by what they were on both days, in one statement."""
    sites = open_then | open_now
    if not sites:
        return Moves({})
    until = question.as_at

    def _here(day: date, closed: Collection[int]) -> sa.ColumnElement[int]:
        there = covers(Job, day)
        if closed:
            there = sa.and_(there, ~one_of(Job.workplace_id, closed))
        return sa.func.max(sa.case((there, 1), else_=0))

    def _either(model: Any) -> sa.ColumnElement[bool]:
        return sa.or_(covers(model, since), covers(model, until))

    people = (
        scope.select(
            _here(since, sites - open_then).label("here_before"),
            membership_state(question, covers(Membership, since)).label("before"),
            _here(until, sites - open_now).label("here_after"),
            membership_state(question, covers(Membership, until)).label("after"),
            permission=question.permission,
        )
        .select_from(Job)
        .outerjoin(
            Membership,
            sa.and_(
                Membership.contact_id == Job.contact_id,
                _either(Membership),
                known(Membership, question.known_at),
            ),
        )
        .where(
            _either(Job),
            known(Job, question.known_at),
            one_of(Job.workplace_id, sites),
            *only_those(question, Job.contact_id),
        )
        .group_by(Job.contact_id)
    ).subquery()
    columns = (people.c.here_before, people.c.before, people.c.here_after, people.c.after)
    rows = session.execute(scope.select(*columns, sa.func.count()).group_by(*columns))
    return Moves(
        {
            Move(bool(here_before), State(before), bool(here_after), State(after)): int(number)
            for here_before, before, here_after, after, number in rows
        }
    )


def _ids(parts: Iterable[Part]) -> set[int]:
    return {part.place_id for part in parts}


def _stated(parts: Iterable[Part], only: set[int] | None = None) -> float:
    """Return how many members unions state at the places beyond those named."""
    return sum(
        part.density.member_range.low - part.density.members
        for part in parts
        if part.density.stated is not None and (only is None or part.place_id in only)
    )


def _whole(named: Named, parts: Sequence[Part], only: set[int], *, of_names: bool) -> Whole:
    if of_names:
        return Whole(members=named.members, workers=named.people)
    used = [part.density.workforce_used for part in parts if part.place_id in only]
    return Whole(
        members=named.members + _stated(parts, only),
        workers=sum(workforce.high for workforce in used if workforce is not None),
    )
