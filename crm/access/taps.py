"""Taps that phones send late: each is stored once, however often it arrives."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.models.base import table_of
from crm.models.conversations import TakenTap

# A phone wipes what waited 14 days; after that no tap can arrive again.
KEPT_FOR = timedelta(days=20)


def take_once(session: Session, tap_id: uuid.UUID, *, today: date) -> bool:
    """Mark a tap as taken; return False where it was taken before, at the same moment too.

    The mark stands or falls with the unit of work that stores the tap. Old marks go.
    """
    marks = table_of(TakenTap)
    session.connection().execute(sa.delete(marks).where(marks.c.taken_on < today - KEPT_FOR))
    try:
        with session.begin_nested():
            session.add(TakenTap(tap_id=tap_id, taken_on=today))
            session.flush()
    except IntegrityError:
        return False
    return True
