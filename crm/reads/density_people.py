"""Who is counted: how many people at each place are members on each day, and who is at several.

Two ways lead to the same counts. ``state_span`` answers one day for any union as known now; the
dated facts themselves answer several days, one union, a part of those who work at a place, which
only a job tells, and "as we knew then". Tests compare the two, and both with plain slow counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import known
from crm.access.many import one_of
from crm.access.scope import Scope
from crm.analysis.people_counts import (
    OUTSIDE,
    PERHAPS,
    SURELY,
    Bools,
    Counted,
    Ints,
    Jobs,
    Runs,
    count_people,
    no_runs,
)
from crm.domain.bases import Basis
from crm.domain.headcount import Counts
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import ContractType
from crm.models.ballots import Ballot, BallotEntry, BallotPart
from crm.models.base import table_of
from crm.models.contacts import Job, Membership, StateSpan
from crm.models.places import Workplace
from crm.reads.columns import Columns, ends, starts
from crm.reads.density_places import inside
from crm.reads.density_question import GroupBy, Question

# Stands for "of any union" among the ids of unions.
_ANY = 0


def people_from_spans(session: Session, scope: Scope, question: Question, day: date) -> Counted:
    """Return the people of one day, members of any union or not, as known now. One statement."""
    place = _span_place(question)
    member = sa.case((StateSpan.member.is_(True), 1), (StateSpan.member.is_(False), 0), else_=2)
    spans = Columns(scope, StateSpan.contact_id, place, member, permission=question.permission)
    people, places, members = spans.read(
        session,
        spans.statement.where(
            StateSpan.from_day <= day,
            StateSpan.to_day > day,
            place.is_not(None),
            *inside(question, StateSpan.place_id),
        ),
    )
    whole = Runs(people, np.zeros_like(people), np.ones_like(people))
    return count_people(
        Jobs(whole, places, SURELY), whole.of(members == 1), whole.of(members == 0), days=1
    )


@dataclass(frozen=True, slots=True)
class Sayings:
    """What is said of membership, as columns. unions: _ANY = no union is named."""

    runs: Runs
    unions: Ints
    member: Bools

    def named(self) -> list[int]:
        """Return the unions that are named, once each."""
        return [int(union) for union in np.unique(self.unions) if union != _ANY]


def read_jobs(
    session: Session, scope: Scope, question: Question, days: Sequence[date], *, of_staff: bool
) -> Jobs:
    """Return the jobs held on any of the days, with the days in numbers. One statement.

    of_staff: whether each belongs to the employer's own staff is read as well; else all belong.
    """
    place = Job.area_id if question.group_by is GroupBy.AREA else Job.workplace_id
    columns = Columns(
        scope,
        Job.contact_id,
        place,
        starts(Job.valid_from),
        ends(Job.valid_to),
        *([_belonging()] if of_staff else []),
        permission=question.permission,
    )
    found = columns.statement.where(
        *_overlaps(Job, days),
        known(Job, question.known_at),
        place.is_not(None),
        *inside(question, Job.place_id),
    )
    if of_staff:
        found = found.outerjoin(_job_site, _job_site.c.id == Job.workplace_id)
    people, places, first, after, *belongs = columns.read(session, found)
    jobs = Jobs(_runs(people, first, after, days), places, belongs[0] if belongs else SURELY)
    if question.people is not None:
        jobs = jobs.of(np.isin(people, np.fromiter(question.people, np.int64)))
    return jobs


def jobs_on(jobs: Jobs, counts: Basis) -> Jobs:
    """Return the jobs as they belong to those who are counted. jobs: see read_jobs."""
    if counts is Counts.EMPLOYER_DIRECT:
        return jobs
    # Nobody writes down who is in a bargaining unit.
    return jobs.belonging(PERHAPS if counts is Counts.BARGAINING_UNIT else SURELY)


def read_sayings(
    session: Session, scope: Scope, question: Question, days: Sequence[date]
) -> Sayings:
    """Return what is said of membership on any of the days. One statement."""
    columns = Columns(
        scope,
        Membership.contact_id,
        sa.func.coalesce(Membership.union_id, _ANY),
        sa.case((Membership.status == MembershipStatus.MEMBER, 1), else_=0),
        starts(Membership.valid_from),
        ends(Membership.valid_to),
    )
    people, unions, member, first, after = columns.read(
        session,
        columns.statement.where(*_overlaps(Membership, days), known(Membership, question.known_at)),
    )
    return Sayings(_runs(people, first, after, days), unions, member == 1)


def _runs(people: Ints, first: Ints, after: Ints, days: Sequence[date]) -> Runs:
    """Return the runs over the numbers of the days; what goes on ends after the last of them."""
    on = np.array([day.year * 10_000 + day.month * 100 + day.day for day in days])
    return Runs(people, np.searchsorted(on, first), np.searchsorted(on, after))


def entitled(session: Session, scope: Scope, question: Question, days: Sequence[date]) -> Jobs:
    """Return whom the last list of those entitled names, at each workplace on each day.

    A list counts from the day whose records it was made of, until a later one is made there or the
    ballot is called off. Of one union, only its own ballots count. Two statements.
    """
    site, made = BallotPart.place_id, Ballot.frozen_on
    lists = session.execute(
        scope.select(BallotPart.id, site, made, Ballot.called_off_on)
        .join(Ballot, Ballot.id == BallotPart.ballot_id)
        .where(
            made <= days[-1],
            *([] if question.union_id is None else [Ballot.union_id == question.union_id]),
            *([] if question.known_at is None else [Ballot.frozen_at <= question.known_at]),
        )
        .order_by(made, Ballot.frozen_at, Ballot.id)
    ).all()
    in_force: set[tuple[int, int]] = set()
    for number, day in enumerate(days):
        last = {
            at: part
            for part, at, made_on, called_off in lists
            if made_on <= day and (called_off is None or called_off > day)
        }
        in_force.update((part, number) for part in last.values())
    if not in_force:
        return Jobs(no_runs(), no_runs().people, SURELY)
    place = BallotEntry.place_id if question.group_by is GroupBy.AREA else site
    columns = Columns(
        scope, BallotEntry.contact_id, place, BallotEntry.part_id, permission=question.permission
    )
    people, places, parts = columns.read(
        session,
        columns.statement.join(BallotPart, BallotPart.id == BallotEntry.part_id).where(
            BallotEntry.entitled.is_(True),
            one_of(BallotEntry.part_id, {part for part, _day in in_force}),
            *inside(question, BallotEntry.place_id),
        ),
    )
    # A row for each day that the list of a part counts on.
    part, on = (np.array(column) for column in zip(*sorted(in_force), strict=True))
    begin = np.searchsorted(part, parts)
    times = np.searchsorted(part, parts, side="right") - begin
    row = np.repeat(np.arange(len(parts)), times)
    step = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    first = on[begin[row] + step]
    return Jobs(Runs(people[row], first, first + 1), places[row], SURELY)


def people_from_facts(jobs: Jobs, said: Sayings, union_id: int | None, days: int) -> Counted:
    """Count as member_of_any or, for one union, member_of of crm/domain/timeline.py says."""
    of_any = said.unions == _ANY
    if union_id is None:
        members, not_members = said.member, ~said.member & of_any
    else:
        of_it = said.unions == union_id
        members, not_members = said.member & of_it, ~said.member & (of_it | of_any)
    return count_people(jobs, said.runs.of(members), said.runs.of(not_members), days)


# Only who owns the site of a job. The table, and not the mapped class: the right to density holds
# at the workplace, and the rule would hide the employer above it.
_job_site = table_of(Workplace).alias("job_site")


def _belonging() -> sa.ColumnElement[int]:
    """Return a column over jobs: whether the job belongs to the employer's own staff.

    Those paid by it, and not those of an agency; of others nobody has written down who pays them.
    """
    return sa.case(
        (Job.contract_type == ContractType.AGENCY, OUTSIDE),
        (Job.employer_of_record_id.is_(None), PERHAPS),
        (Job.employer_of_record_id == _job_site.c.employer_id, SURELY),
        else_=OUTSIDE,
    )


def _overlaps(model: Any, days: Sequence[date]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        model.valid_from <= days[-1],
        sa.or_(model.valid_to.is_(None), model.valid_to > days[0]),
    )


def membership_state(question: Question, *when: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """Return a column for a statement grouped by person over their memberships: 2 = a member of
    the union asked for, or of any; 1 = known not to be; 0 = not known.

    when: only memberships for which this holds count, such as that they cover a day.
    """
    member = Membership.status == MembershipStatus.MEMBER
    not_member = sa.and_(
        Membership.status == MembershipStatus.NOT_MEMBER, Membership.union_id.is_(None)
    )
    if question.union_id is not None:
        member = sa.and_(member, Membership.union_id == question.union_id)
        not_member = sa.and_(
            Membership.status == MembershipStatus.NOT_MEMBER,
            sa.or_(Membership.union_id.is_(None), Membership.union_id == question.union_id),
        )
    return sa.func.max(
        sa.case((sa.and_(member, *when), 2), (sa.and_(not_member, *when), 1), else_=0)
    )


def _span_place(question: Question) -> Any:
    return StateSpan.area_id if question.group_by is GroupBy.AREA else StateSpan.workplace_id
