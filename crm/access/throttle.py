"""Counting tries of strangers, so that nobody can ask without end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.models.accounts import SignInAttempt
from crm.models.base import table_of

# Tries older than this are swept by whoever counts next, here and at the sign-in.
WINDOW: Final = timedelta(minutes=5)

_attempts = table_of(SignInAttempt)


def count_try(session: Session, bucket: str, *, limit: int, now: datetime) -> bool:
    """Count a try and return True, or return False when there were `limit` in the last window.

    bucket: a keyed hash of what is counted. Refused tries are not counted, so that waiting helps.
    """
    connection = session.connection()
    connection.execute(
        sa.delete(_attempts).where(_attempts.c.bucket == bucket, _attempts.c.at <= now - WINDOW)
    )
    tries = connection.execute(
        sa.select(sa.func.count()).select_from(_attempts).where(_attempts.c.bucket == bucket)
    ).scalar_one()
    if tries >= limit:
        return False
    session.add(SignInAttempt(bucket=bucket, at=now))
    session.flush()
    return True
