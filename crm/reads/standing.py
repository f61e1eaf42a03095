"""Where people stand as several of us see it: who is seen differently by two raters."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import known
from crm.access.many import one_of
from crm.access.scope import Scope
from crm.domain.assessment import (
    DISAGREEMENT_POINTS,
    Disagreement,
    ExpiryRule,
    disagreement,
)
from crm.domain.assessment import Assessment as Rated
from crm.domain.ids import UserId
from crm.models.conversations import Assessment


def seen_differently(
    session: Session,
    scope: Scope,
    contact_ids: Collection[int] | sa.Select[Any],
    *,
    as_at: date,
    expiry: ExpiryRule,
) -> dict[int, Disagreement]:
    """Return, by inner id, those of the contacts whom two of us see two or more points apart.

    In general, not on one ask; by the judgements that this scope reads and that have not expired
    on the day. One statement, whatever the number of contacts.
    contact_ids: or a statement that finds them, for those of a whole workplace: hundreds of ids
    in a statement take longer than the statement.
    """
    if not isinstance(contact_ids, sa.Select):
        if not contact_ids:
            return {}
        these = one_of(Assessment.contact_id, contact_ids)
    else:
        these = Assessment.contact_id.in_(contact_ids)
    # The rule itself is in crm/domain; the database only leaves out whom it cannot be true of.
    possible = (
        sa.select(Assessment.contact_id)
        .where(these, *_counts(as_at, expiry))
        .group_by(Assessment.contact_id)
        .having(
            sa.func.max(Assessment.rating) - sa.func.min(Assessment.rating) >= DISAGREEMENT_POINTS
        )
    )
    rows = session.execute(
        scope.select(
            Assessment.contact_id,
            Assessment.day,
            Assessment.recorded_at,
            Assessment.rating,
            Assessment.basis,
            Assessment.assessor_id,
        ).where(Assessment.contact_id.in_(possible), *_counts(as_at, expiry))
    )
    views: dict[int, list[Rated]] = {}
    for contact_id, *rest in rows:
        views.setdefault(int(contact_id), []).append(_rated(rest))
    found = {one: disagreement(some, as_at, expiry) for one, some in views.items()}
    return {one: apart for one, apart in found.items() if apart is not None}


def _counts(as_at: date, expiry: ExpiryRule) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        known(Assessment),
        Assessment.ask.is_(None),
        Assessment.assessor_id.is_not(None),
        Assessment.day <= as_at,
        Assessment.day >= as_at - timedelta(days=expiry.stale_days),
    )


def _rated(row: Any) -> Rated:
    day, recorded_at, rating, basis, assessor_id = row
    return Rated(
        day=day,
        recorded_at=recorded_at,
        rating=rating,
        basis=basis,
        assessor_id=UserId(assessor_id),
    )
