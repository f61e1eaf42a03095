"""What other pages show of cases: to their team alone, as everything about a case."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.domain.vocabulary import CaseRole
from crm.models.cases import Case, CaseDeadline, CasePerson


@dataclass(frozen=True, slots=True)
class CaseOfPerson:
    """A case that somebody has a part in. closed_on: None while it goes on."""

    public_id: uuid.UUID
    reference: str
    role: CaseRole
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class OpenDeadline:
    """Something to be done in a case that goes on."""

    case_id: uuid.UUID
    reference: str
    what: str
    due_on: date


def cases_of_person(session: Session, scope: Scope, contact_id: int) -> list[CaseOfPerson]:
    """Return the cases a contact has a part in and whose team the actor is on, newest first.

    contact_id: inner id. One statement.
    """
    rows = session.execute(
        scope.select(Case.public_id, Case.reference, CasePerson.role, Case.closed_on)
        .join(CasePerson, CasePerson.case_id == Case.id)
        .where(CasePerson.contact_id == contact_id, CasePerson.removed_at.is_(None))
        .order_by(Case.opened_on.desc(), Case.id.desc())
    )
    return [CaseOfPerson(*row) for row in rows]


def list_open_deadlines(
    session: Session, scope: Scope, *, until: date
) -> list[OpenDeadline] | None:
    """Return what is still to be done up to a day in the actor's cases, the longest due first.

    What is overdue is among it. None when the actor is on the team of no case. One statement.
    """
    due = sa.and_(
        CaseDeadline.case_id == Case.id,
        Case.closed_on.is_(None),
        CaseDeadline.done_at.is_(None),
        CaseDeadline.due_on <= until,
    )
    rows = session.execute(
        scope.select(Case.public_id, Case.reference, CaseDeadline.what, CaseDeadline.due_on)
        .outerjoin(CaseDeadline, due)
        .order_by(CaseDeadline.due_on, CaseDeadline.id)
    ).all()
    return [OpenDeadline(*row) for row in rows if row.due_on is not None] if rows else None
