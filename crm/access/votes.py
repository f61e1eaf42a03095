"""Erasing what people told us of whether they vote, and lists of voters. The one place for it.

All of a ballot's rows go, whoever asks: a row at a workplace that its branch has lost since would
else stay behind, seen by nobody and erased by nobody.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import audit
from crm.access.scope import MARK
from crm.domain.vocabulary import Verb, VoteWord
from crm.models.ballots import Ballot, BallotEntry, VoteTold
from crm.models.base import table_of

_FEWEST_TOLD_OF: Final = 10
# After the last day of voting. A result is known long before, but not everybody declares it here.
KEPT_AFTER: Final = timedelta(days=90)


def erase_told(session: Session, *, ballot_id: int, place_id: int) -> int:
    """Delete every row of what people told us about a ballot; return how many there were.

    ballot_id: inner id of a ballot that the caller has found with the right to write it.
    place_id: where the ballot is held; the one row that the audit log keeps is there, with how
    many rows of each sort there were; of few people only how many rows: the log cannot be erased,
    and of one voter the sort is what that one said.
    """
    told = table_of(VoteTold)
    session.flush()
    connection = session.connection()
    counted = connection.execute(
        sa.select(told.c.said, sa.func.count())
        .where(told.c.ballot_id == ballot_id)
        .group_by(told.c.said)
        .execution_options(**{MARK: True})
    )
    by_word = {word: int(count) for word, count in counted}
    rows = sum(by_word.values())
    sorts = {one.value: by_word.get(one, 0) for one in VoteWord}
    if rows:
        connection.execute(sa.delete(told).where(told.c.ballot_id == ballot_id))
        session.expire_all()
        audit.record_counts(
            session,
            Verb.DELETE,
            subject=VoteTold.__tablename__,
            subject_id=ballot_id,
            place_id=place_id,
            counts={"rows": rows, **(sorts if rows >= _FEWEST_TOLD_OF else {})},
        )
    return rows


def is_kept_too_long(closes_on: date | None, today: date) -> bool:
    """Return whether what people told us of a ballot is erased, declared or not.

    closes_on: the last day of voting, None = not known: then only a declaration erases it.
    """
    return closes_on is not None and today > closes_on + KEPT_AFTER


def has_kept_too_long(session: Session, *, today: date) -> bool:
    """Return whether there is something for ``erase_kept_too_long`` to do. For the sweeper."""
    return bool(_kept_too_long(session, today))


def erase_kept_too_long(session: Session, *, today: date) -> int:
    """Erase what people told us of ballots that nobody has declared; return how many ballots."""
    found = _kept_too_long(session, today)
    for ballot_id, place_id in found:
        erase_told(session, ballot_id=ballot_id, place_id=place_id)
    return len(found)


def _kept_too_long(session: Session, today: date) -> list[tuple[int, int]]:
    ballot, told = table_of(Ballot), table_of(VoteTold)
    rows = session.connection().execute(
        sa.select(ballot.c.id, ballot.c.place_id)
        .where(
            ballot.c.closes_on < today - KEPT_AFTER,
            sa.exists(sa.select(told.c.id).where(told.c.ballot_id == ballot.c.id)),
        )
        .order_by(ballot.c.id)
        .execution_options(**{MARK: True})
    )
    return [(int(ballot_id), int(place_id)) for ballot_id, place_id in rows]


def forget_list(session: Session, *, ballot_id: int) -> int:
    """Delete the list of voters of a ballot that the caller may write; return how many rows."""
    entry = table_of(BallotEntry)
    session.flush()
    gone = session.connection().execute(sa.delete(entry).where(entry.c.ballot_id == ballot_id))
    session.expire_all()
    return int(gone.rowcount)
