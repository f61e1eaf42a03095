"""How dated facts change: a correction is a new row, the old one only learns that it is past.

One place for the rule "nothing true is overwritten". "As known at K" is ``known(model, K)``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.models.base import Recorded

Fact = TypeVar("Fact", bound=Any)


def known(model: Any, at: datetime | None = None) -> sa.ColumnElement[bool]:
    """Return the condition that a fact is known: now, or as it was known at a moment."""
    if at is None:
        believed: sa.ColumnElement[bool] = model.superseded_at.is_(None)
        return believed
    return sa.and_(
        model.recorded_at <= at,
        sa.or_(model.superseded_at.is_(None), model.superseded_at > at),
    )


def covers(model: Any, day: Any) -> sa.ColumnElement[bool]:
    """Return the condition that the spell [valid_from, valid_to) covers the day."""
    return sa.and_(model.valid_from <= day, sa.or_(model.valid_to.is_(None), model.valid_to > day))


def revise(
    session: Session, fact: Fact, *, now: datetime, actor_id: int | None, **changes: Any
) -> Fact:
    """Return a new row with the changes, which takes the fact's place from now on."""
    successor = _copy(fact, changes, now=now, actor_id=actor_id)
    withdraw(fact, now=now)
    session.add(successor)
    return successor


def withdraw(fact: Recorded, *, now: datetime) -> None:
    """Mark the fact as no longer believed; reports of what was known before still see it."""
    fact.superseded_at = now


def _copy(fact: Fact, changes: dict[str, Any], *, now: datetime, actor_id: int | None) -> Fact:
    mapper = sa.inspect(type(fact))
    # The key and the public id are the row's own; the moments are this revision's.
    left_out = {"id", "public_id", "recorded_at", "superseded_at", "recorded_by_id"}
    values = {
        attribute.key: getattr(fact, attribute.key)
        for attribute in mapper.column_attrs
        if attribute.key not in left_out
    }
    values.update(changes, recorded_at=now, superseded_at=None, recorded_by_id=actor_id)
    successor: Fact = type(fact)(**values)
    return successor
