"""Erasing what people told us of whether they vote, and lists of voters. The one place for it.

All of a ballot's rows go, whoever asks: a row at a workplace that its branch has lost since would
else stay behind, seen by nobody and erased by nobody.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import audit
from crm.access.scope import MARK
from crm.domain.vocabulary import Verb, VoteWord
from crm.models.ballots import BallotEntry, VoteTold
from crm.models.base import table_of

_FEWEST_TOLD_OF: Final = 10


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


def forget_list(session: Session, *, ballot_id: int) -> int:
    """Delete the list of voters of a ballot that the caller may write; return how many rows."""
    entry = table_of(BallotEntry)
    session.flush()
    gone = session.connection().execute(sa.delete(entry).where(entry.c.ballot_id == ballot_id))
    session.expire_all()
    return int(gone.rowcount)
