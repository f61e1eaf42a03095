"""Upkeep of ``state_span``: after a fact about a person changes, their spans are derived anew.

The rule itself is crm/domain/timeline.py; this module reads the facts, calls it and writes the
difference, in the same transaction as the fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import loading
from crm.access.holding import hold_people
from crm.access.scope import MARK
from crm.domain.assessment import Assessment as Rated
from crm.domain.ids import AreaId, JobId, UnionId, UserId, WorkplaceId
from crm.domain.timeline import JobSpell, MembershipSpell, Span, diff_spans, timeline
from crm.models.base import table_of
from crm.models.contacts import Contact, Job, Membership, StateSpan
from crm.models.conversations import Assessment
from crm.models.places import PlaceClosure

# As it is read back, or as it is about to be stored.
_Row = sa.RowMapping | Mapping[str, Any]
STILL_SO = date(9999, 12, 31)
# Contacts of one batch: few enough for the parameters of one statement on either database.
_AT_ONCE = 1000

_contact = table_of(Contact)
_closure = table_of(PlaceClosure)
_job = table_of(Job)
_membership = table_of(Membership)
_assessment = table_of(Assessment)
_span = table_of(StateSpan)
# The spans of a person depend on all of their facts, also on those at places the writer does
# not hold: this module reads them, hands nothing of them back, and writes only derived rows.
_WHOLE_PERSON = {MARK: True}


# Built once: putting a statement together takes longer than the database takes to answer it.
_PEOPLE: sa.BindParameter[Any] = sa.bindparam("people", expanding=True)
_JOBS = (
    sa.select(
        _job.c.contact_id,
        _job.c.id,
        _job.c.workplace_id,
        _job.c.area_id,
        _job.c.valid_from,
        _job.c.valid_to,
    )
    .where(_job.c.contact_id.in_(_PEOPLE), _job.c.superseded_at.is_(None))
    .execution_options(**_WHOLE_PERSON)
)
_MEMBERSHIPS = (
    sa.select(
        _membership.c.contact_id,
        _membership.c.union_id,
        _membership.c.status,
        _membership.c.valid_from,
        _membership.c.valid_to,
    )
    .where(_membership.c.contact_id.in_(_PEOPLE), _membership.c.superseded_at.is_(None))
    .execution_options(**_WHOLE_PERSON)
)
_ASSESSMENTS = (
    sa.select(
        _assessment.c.contact_id,
        _assessment.c.day,
        _assessment.c.recorded_at,
        _assessment.c.rating,
        _assessment.c.basis,
        _assessment.c.assessor_id,
    )
    .where(
        _assessment.c.contact_id.in_(_PEOPLE),
        _assessment.c.ask.is_(None),
        _assessment.c.superseded_at.is_(None),
    )
    .execution_options(**_WHOLE_PERSON)
)
_STORED = (
    sa.select(
        _span.c.contact_id,
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
    .where(_span.c.contact_id.in_(_PEOPLE))
    .execution_options(**_WHOLE_PERSON)
)


def refresh_spans(session: Session, contact_id: int) -> None:
    """Derive the spans of one contact from the facts as known now, and store the difference."""
    refresh_many(session, (contact_id,))


def refresh_many(session: Session, contact_ids: Iterable[int]) -> None:
    """Do what refresh_spans does for many contacts, with a few statements for each thousand.

    For loaders and rebuilds. Ids may come in any order and twice; each is worked out once.
    """
    session.flush()
    connection = session.connection()
    wanted = sorted(set(contact_ids))
    # Before their facts are read: another's that were stored first must be among them.
    hold_people(connection, wanted)
    for start in range(0, len(wanted), _AT_ONCE):
        _store(connection, _difference(connection, wanted[start : start + _AT_ONCE]))


def next_people(
    session: Session, *, after: int, place_id: int | None = None, limit: int = _AT_ONCE
) -> list[int]:
    """Return the ids of the next people to rebuild, in order, from the first id above ``after``.

    place_id: only people who have, or had, a job or a span at this place or inside it.
    """
    statement = sa.select(_contact.c.id).where(_contact.c.id > after)
    if place_id is not None:
        inside = sa.select(_closure.c.descendant_id).where(_closure.c.ancestor_id == place_id)
        statement = statement.where(
            sa.or_(
                *(
                    _contact.c.id.in_(
                        sa.select(table.c.contact_id).where(table.c.place_id.in_(inside))
                    )
                    for table in (_job, _span)
                )
            )
        )
    found = session.connection().execute(
        statement.order_by(_contact.c.id).limit(limit).execution_options(**_WHOLE_PERSON)
    )
    return list(found.scalars())


def rebuild(session: Session, contact_ids: list[int], *, store: bool = True) -> int:
    """Derive the spans of these people anew; return how many people's were not as they should be.

    store: False only looks. At most a thousand people at once.
    """
    connection = session.connection()
    if store:
        hold_people(connection, contact_ids)
    difference = _difference(connection, contact_ids)
    if store:
        _store(connection, difference)
    return len(difference.people)


def add_new(
    connection: sa.Connection,
    *,
    jobs: Sequence[Mapping[str, Any]],
    memberships: Sequence[Mapping[str, Any]],
    assessments: Sequence[Mapping[str, Any]],
) -> None:
    """Derive and store the spans of people who have none, from all facts there are about them.

    jobs, memberships, assessments: the columns of the rows just stored. Nothing is read back, and
    nobody is held: others see these people when the transaction has ended. For access/bulk.py.
    """
    spells: dict[int, list[JobSpell]] = {}
    for row in jobs:
        spells.setdefault(row["contact_id"], []).append(_job_spell(row))
    members: dict[int, list[MembershipSpell]] = {}
    for row in memberships:
        members.setdefault(row["contact_id"], []).append(_membership_spell(row))
    rated: dict[int, list[Rated]] = {}
    for row in assessments:
        if row["ask"] is None:
            rated.setdefault(row["contact_id"], []).append(_rated(row))
    rows = [
        row_of(contact_id, span)
        for contact_id, mine in spells.items()
        for span in timeline(
            jobs=mine,
            memberships=members.get(contact_id, ()),
            assessments=rated.get(contact_id, ()),
        )
    ]
    loading.put(connection, _span, loading.dicts(rows))


@dataclass(frozen=True, slots=True)
class _Difference:
    """The stored spans to take out, the rows to put in, and whose they are."""

    ids: list[int]
    rows: list[dict[str, object]]
    people: set[int]


def _difference(connection: sa.Connection, contact_ids: list[int]) -> _Difference:
    jobs = _jobs(connection, contact_ids)
    memberships = _memberships(connection, contact_ids)
    assessments = _assessments(connection, contact_ids)
    stored = _stored(connection, contact_ids)
    ids: list[int] = []
    rows: list[dict[str, object]] = []
    people: set[int] = set()
    for contact_id in contact_ids:
        new = timeline(
            jobs=jobs.get(contact_id, []),
            memberships=memberships.get(contact_id, []),
            assessments=assessments.get(contact_id, []),
        )
        before = stored.get(contact_id, [])
        difference = diff_spans([span for _, span in before], new)
        if difference.to_delete or difference.to_insert:
            people.add(contact_id)
        gone = list(difference.to_delete)
        for key, span in before:
            if span in gone:
                gone.remove(span)
                ids.append(key)
        rows.extend(row_of(contact_id, span) for span in difference.to_insert)
    return _Difference(ids, rows, people)


def _store(connection: sa.Connection, difference: _Difference) -> None:
    ids = difference.ids
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        connection.execute(sa.delete(_span).where(_span.c.id.in_(some)))
    if difference.rows:
        connection.execute(sa.insert(_span), difference.rows)


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


def _job_spell(row: _Row) -> JobSpell:
    return JobSpell(
        job_id=JobId(row["id"]),
        workplace_id=WorkplaceId(row["workplace_id"]),
        area_id=None if row["area_id"] is None else AreaId(row["area_id"]),
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
    )


def _membership_spell(row: _Row) -> MembershipSpell:
    return MembershipSpell(
        union_id=None if row["union_id"] is None else UnionId(row["union_id"]),
        status=row["status"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
    )


def _rated(row: _Row) -> Rated:
    return Rated(
        day=row["day"],
        recorded_at=row["recorded_at"],
        rating=row["rating"],
        basis=row["basis"],
        assessor_id=None if row["assessor_id"] is None else UserId(row["assessor_id"]),
    )


def _jobs(connection: sa.Connection, contact_ids: list[int]) -> dict[int, list[JobSpell]]:
    jobs: dict[int, list[JobSpell]] = {}
    for row in connection.execute(_JOBS, {"people": contact_ids}).mappings():
        jobs.setdefault(row["contact_id"], []).append(_job_spell(row))
    return jobs


def _memberships(
    connection: sa.Connection, contact_ids: list[int]
) -> dict[int, list[MembershipSpell]]:
    memberships: dict[int, list[MembershipSpell]] = {}
    for row in connection.execute(_MEMBERSHIPS, {"people": contact_ids}).mappings():
        memberships.setdefault(row["contact_id"], []).append(_membership_spell(row))
    return memberships


def _assessments(connection: sa.Connection, contact_ids: list[int]) -> dict[int, list[Rated]]:
    assessments: dict[int, list[Rated]] = {}
    for row in connection.execute(_ASSESSMENTS, {"people": contact_ids}).mappings():
        assessments.setdefault(row["contact_id"], []).append(_rated(row))
    return assessments


def _stored(connection: sa.Connection, contact_ids: list[int]) -> dict[int, list[tuple[int, Span]]]:
    found = connection.execute(_STORED, {"people": contact_ids})
    stored: dict[int, list[tuple[int, Span]]] = {}
    for row in found:
        span = Span(
            workplace_id=WorkplaceId(row[2]),
            area_id=None if row[3] is None else AreaId(row[3]),
            from_day=row[4],
            to_day=None if row[5] == STILL_SO else row[5],
            member=row[6],
            score=row[7],
            scored_on=row[8],
            score_firm=row[9],
        )
        stored.setdefault(row[0], []).append((row[1], span))
    return stored
