"""What a user has to do on which day, without a word about whom: for their calendar."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.models.cases import Case, CaseDeadline
from crm.models.conversations import FollowUp
from crm.reads.ballots import list_due_steps

AHEAD = timedelta(days=366)


class DatedKind(StrEnum):
    """A sort of thing with a day."""

    REMINDER = "reminder"
    DEADLINE = "deadline"
    BALLOT = "ballot"


@dataclass(frozen=True, slots=True)
class Dated:
    """How many things of one sort fall on one day. A day before today means: overdue."""

    day: date
    kind: DatedKind
    count: int


def list_dated(session: Session, scope: Scope, *, today: date) -> list[Dated]:
    """Return what the actor has to do, by day, up to a year ahead; what is overdue too.

    Only counts: no name of a person or place may be among it. One statement for each sort.
    """
    return [
        *_reminders(session, scope, today),
        *_deadlines(session, scope, today),
        *_ballots(session, scope, today),
    ]


def _ballots(session: Session, scope: Scope, today: date) -> list[Dated]:
    """Return what the ballots that the actor plans ask for."""
    steps = list_due_steps(session, scope, today=today, ahead=AHEAD)
    counts = Counter(one.milestone.day for one in steps)
    return [Dated(day=day, kind=DatedKind.BALLOT, count=counts[day]) for day in sorted(counts)]


def _reminders(session: Session, scope: Scope, today: date) -> list[Dated]:
    rows = session.execute(
        scope.select(FollowUp.due_on, sa.func.count(FollowUp.id).label("count"))
        .where(
            FollowUp.owner_id == scope.actor_id,
            FollowUp.done_at.is_(None),
            FollowUp.due_on <= today + AHEAD,
            scope.reach(Permission.CONVERSATION_WRITE, FollowUp.place_id),
        )
        .group_by(FollowUp.due_on)
        .order_by(FollowUp.due_on)
    )
    return [Dated(day=row[0], kind=DatedKind.REMINDER, count=int(row[1])) for row in rows]


def _deadlines(session: Session, scope: Scope, today: date) -> list[Dated]:
    """Return the deadlines of cases whose team the actor is on."""
    rows = session.execute(
        scope.select(CaseDeadline.due_on, sa.func.count(CaseDeadline.id).label("count"))
        .join(Case, Case.id == CaseDeadline.case_id)
        .where(
            CaseDeadline.done_at.is_(None),
            CaseDeadline.due_on <= today + AHEAD,
            Case.closed_on.is_(None),
        )
        .group_by(CaseDeadline.due_on)
        .order_by(CaseDeadline.due_on)
    )
    return [Dated(day=row[0], kind=DatedKind.DEADLINE, count=int(row[1])) for row in rows]
