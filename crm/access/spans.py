"""Upkeep of ``state_span``: after a fact about a person changes, their spans are derived anew.

The rule itself is crm/domain/timeline.py; this module reads the facts, calls it and writes the
difference, in the same transaction as the fact.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.scope import MARK
from crm.domain.assessment import Assessment as Rated
from crm.domain.ids import AreaId, JobId, UnionId, UserId, WorkplaceId
from crm.domain.timeline import JobSpell, MembershipSpell, Span, diff_spans, timeline
from crm.models.base import table_of
from crm.models.contacts import Job, Membership, StateSpan
from crm.models.conversations import Assessment

STILL_SO = date(9999, 12, 31)

_job = table_of(Job)
_membership = table_of(Membership)
_assessment = table_of(Assessment)
_span = table_of(StateSpan)
# The spans of a person depend on all of their facts, also on those at places the writer does
# not hold: this module reads them, hands nothing of them back, and writes only derived rows.
_WHOLE_PERSON = {MARK: True}


def refresh_spans(session: Session, contact_id: int) -> None:
    """Derive the spans of one contact from the facts as known now, and store the difference."""
    session.flush()
    connection = session.connection()
    new = timeline(
        jobs=_jobs(connection, contact_id),
        memberships=_memberships(connection, contact_id),
        assessments=_assessments(connection, contact_id),
    )
    stored = _stored(connection, contact_id)
    difference = diff_spans([span for _, span in stored], new)
    gone = list(difference.to_delete)
    ids = []
    for key, span in stored:
        if span in gone:
            gone.remove(span)
            ids.append(key)
    if ids:
        connection.execute(sa.delete(_span).where(_span.c.id.in_(ids)))
    if difference.to_insert:
        connection.execute(
            sa.insert(_span), [row_of(contact_id, span) for span in difference.to_insert]
        )


def row_of(contact_id: int, span: Span) -> dict[str, object]:
    """Return the columns of ``state_span`` for a derived span."""
    return {
        "contact_id": contact_id,
        "place_id": span.area_id or span.workplace_id,
        "workplace_id": span.workplace_id,
        "area_id": span.area_id,
        "from_day": span.from_day,
        "to_day": span.to_day or STILL_SO,
        "member": span.member,
        "score": span.score,
        "scored_on": span.scored_on,
        "score_firm": span.score_firm,
    }


def contacts_with_jobs(session: Session) -> Iterable[int]:
    """Return the ids of all contacts that have a job, for a rebuild."""
    found = session.connection().execute(
        sa.select(_job.c.contact_id)
        .where(_job.c.superseded_at.is_(None))
        .distinct()
        .execution_options(**_WHOLE_PERSON)
    )
    return [int(contact_id) for (contact_id,) in found]


def _jobs(connection: sa.Connection, contact_id: int) -> list[JobSpell]:
    found = connection.execute(
        sa.select(
            _job.c.id, _job.c.workplace_id, _job.c.area_id, _job.c.valid_from, _job.c.valid_to
        )
        .where(_job.c.contact_id == contact_id, _job.c.superseded_at.is_(None))
        .execution_options(**_WHOLE_PERSON)
    )
    return [
        JobSpell(
            job_id=JobId(row[0]),
            workplace_id=WorkplaceId(row[1]),
            area_id=None if row[2] is None else AreaId(row[2]),
            valid_from=row[3],
            valid_to=row[4],
        )
        for row in found
    ]


def _memberships(connection: sa.Connection, contact_id: int) -> list[MembershipSpell]:
    found = connection.execute(
        sa.select(
            _membership.c.union_id,
            _membership.c.status,
            _membership.c.valid_from,
            _membership.c.valid_to,
        )
        .where(_membership.c.contact_id == contact_id, _membership.c.superseded_at.is_(None))
        .execution_options(**_WHOLE_PERSON)
    )
    return [
        MembershipSpell(
            union_id=None if row[0] is None else UnionId(row[0]),
            status=row[1],
            valid_from=row[2],
            valid_to=row[3],
        )
        for row in found
    ]


def _assessments(connection: sa.Connection, contact_id: int) -> list[Rated]:
    found = connection.execute(
        sa.select(
            _assessment.c.day,
            _assessment.c.recorded_at,
            _assessment.c.rating,
            _assessment.c.basis,
            _assessment.c.assessor_id,
        )
        .where(
            _assessment.c.contact_id == contact_id,
            _assessment.c.ask.is_(None),
            _assessment.c.superseded_at.is_(None),
        )
        .execution_options(**_WHOLE_PERSON)
    )
    return [
        Rated(
            day=row[0],
            recorded_at=row[1],
            rating=row[2],
            basis=row[3],
            assessor_id=None if row[4] is None else UserId(row[4]),
        )
        for row in found
    ]


def _stored(connection: sa.Connection, contact_id: int) -> list[tuple[int, Span]]:
    found = connection.execute(
        sa.select(
            _span.c.id,
            _span.c.workplace_id,
            _span.c.area_id,
            _span.c.from_day,
            _span.c.to_day,
            _span.c.member,
            _span.c.score,
            _span.c.scored_on,
            _span.c.score_firm,
        )
        .where(_span.c.contact_id == contact_id)
        .execution_options(**_WHOLE_PERSON)
    )
    return [
        (
            row[0],
            Span(
                workplace_id=WorkplaceId(row[1]),
                area_id=None if row[2] is None else AreaId(row[2]),
                from_day=row[3],
                to_day=None if row[4] == STILL_SO else row[4],
                member=row[5],
                score=row[6],
                scored_on=row[7],
                score_firm=row[8],
            ),
        )
        for row in found
    ]
