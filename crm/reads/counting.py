"""Counting people over their spans of a day: each once, however many places they work at."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.models.contacts import StateSpan


def count_people(session: Session, scope: Scope, spans: sa.Select[Any]) -> tuple[int, int]:
    """Return how many people have one of these spans, and how many of them were asked.

    spans: a scoped statement over spans of one day; its columns do not matter. A person's standing
    is the same at all their places. One statement.
    """
    score, person = StateSpan.score, StateSpan.contact_id
    if session.get_bind().dialect.name == "sqlite":
        # SQLite sorts for each count of distinct people, the server groups on disk: each way takes
        # up to ten times as long as the other where there are a million.
        people = spans.with_only_columns(sa.func.max(score).label("score")).group_by(person)
        grouped = people.subquery()
        counts = scope.select(sa.func.count(), sa.func.count(grouped.c.score)).select_from(grouped)
    else:
        counts = spans.with_only_columns(
            sa.func.count(person.distinct()),
            sa.func.count(sa.case((score.is_not(None), person)).distinct()),
        )
    row = session.execute(counts).one()
    return int(row[0]), int(row[1])
