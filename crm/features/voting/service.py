"""Making the list of voters, leaving people out of it, and what people tell us of voting."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from crm.access import audit
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.votes import erase_told, forget_list, is_kept_too_long
from crm.domain.errors import NotFound, Refusal
from crm.domain.vocabulary import NotEntitled, Verb, VoteWord
from crm.models.ballots import Ballot, BallotEntry, BallotExclusion, VoteTold
from crm.reads.ballots import find_ballot, get_ballot
from crm.reads.people import get_contact
from crm.reads.voters import voters_on


class DayToCome(Refusal):
    """Records of a day that has not come do not exist."""

    default_message = "This day has not come yet. Choose today or a day before."


class IsOver(Refusal):
    """The result is declared, or the ballot is called off."""

    default_message = "This ballot is over. Its list of voters stays as it is."


class NobodyMayVote(Refusal):
    """The list would be empty."""

    default_message = (
        "On that day nobody at these workplaces is known to be a member of this union. "
        "Note memberships first."
    )


class NotOpen(Refusal):
    """Nobody can have voted."""

    default_message = "Voting is not open, so nothing of voting is noted."


class NotAVoter(Refusal):
    """The person has no vote in this ballot."""

    default_message = "This person has no vote in this ballot."


class ToldMore(Refusal):
    """A tap that waited for a signal must not undo what somebody told us since."""

    default_message = "This person told us something else by now. It stays as it is."


LEFT_OUT_BY_HAND = (NotEntitled.NOT_CALLED_OUT, NotEntitled.AGREED_TO_LEAVE_OUT)


def _own(session: Session, scope: Scope, ballot_id: uuid.UUID) -> Ballot:
    ballot = find_ballot(session, scope, ballot_id, permission=Permission.BALLOT_WRITE, lock=True)
    if ballot.declared_on is not None or ballot.called_off_on is not None:
        raise IsOver()
    return ballot


def make_list(
    session: Session,
    scope: Scope,
    ballot_id: uuid.UUID,
    *,
    day: date,
    now: datetime,
    today: date,
) -> int:
    """Store who may vote as records stand for a day; return how many may. A list made before goes.

    The log keeps how many there are, by reason. Raises NotFound, IsOver, DayToCome, NobodyMayVote.
    """
    ballot = _own(session, scope, ballot_id)
    if day > today:
        raise DayToCome()
    whole = get_ballot(session, scope, ballot_id)
    voters = voters_on(session, scope, whole, day)
    counts = Counter("entitled" if one.left_out is None else one.left_out.value for one in voters)
    if not counts["entitled"]:
        raise NobodyMayVote()
    forget_list(session, ballot_id=ballot.id)
    for one in voters:
        session.add(
            BallotEntry(
                ballot_id=ballot.id,
                part_id=one.part_id,
                place_id=one.place_id,
                contact_id=one.contact_id,
                entitled=one.left_out is None,
                left_out=one.left_out,
                category=one.category,
            )
        )
    ballot.frozen_on, ballot.frozen_at = day, now
    ballot.version += 1
    session.flush()
    audit.record_counts(
        session,
        Verb.CREATE,
        subject=BallotEntry.__tablename__,
        subject_id=ballot.id,
        place_id=ballot.place_id,
        counts=counts,
    )
    return counts["entitled"]


def take_list_back(session: Session, scope: Scope, ballot_id: uuid.UUID) -> None:
    """Forget the list, and with it what people told us of voting. Raises NotFound, IsOver."""
    ballot = _own(session, scope, ballot_id)
    erase_told(session, ballot_id=ballot.id, place_id=ballot.place_id)
    gone = forget_list(session, ballot_id=ballot.id)
    ballot.frozen_on, ballot.frozen_at = None, None
    ballot.version += 1
    session.flush()
    audit.record_counts(
        session,
        Verb.DELETE,
        subject=BallotEntry.__tablename__,
        subject_id=ballot.id,
        place_id=ballot.place_id,
        counts={"rows": gone},
    )


def leave_out(
    session: Session,
    scope: Scope,
    ballot_id: uuid.UUID,
    contact_public_id: uuid.UUID,
    reason: NotEntitled | None,
    *,
    now: datetime,
    day: date,
) -> None:
    """Leave somebody out of the list for a reason of ours; None takes them in again.

    day: whose records say where they work while no list is made. Raises NotFound, IsOver.
    """
    ballot = _own(session, scope, ballot_id)
    person = get_contact(session, scope, contact_public_id)
    whole = get_ballot(session, scope, ballot_id)
    voter = next(
        (
            one
            for one in voters_on(session, scope, whole, ballot.frozen_on or day)
            if one.contact_id == person.id
        ),
        None,
    )
    if voter is None:
        raise NotFound(f"contact {contact_public_id} in ballot {ballot_id}")
    for earlier in session.scalars(
        scope.select(BallotExclusion).where(
            BallotExclusion.ballot_id == ballot.id,
            BallotExclusion.contact_id == person.id,
            BallotExclusion.ended_at.is_(None),
        )
    ):
        earlier.ended_at = now
    if reason is not None:
        session.add(
            BallotExclusion(
                ballot_id=ballot.id,
                place_id=voter.place_id,
                contact_id=person.id,
                reason=reason,
                made_at=now,
                made_by_id=scope.actor_id,
            )
        )
    entry = session.scalars(
        scope.select(BallotEntry).where(
            BallotEntry.ballot_id == ballot.id, BallotEntry.contact_id == person.id
        )
    ).one_or_none()
    if entry is not None and entry.left_out in (None, *LEFT_OUT_BY_HAND):
        entry.left_out, entry.entitled = reason, reason is None
    session.flush()


class Paper(StrEnum):
    """Where somebody stands with a new voting paper."""

    NONE = "none"
    ASKED = "asked"
    SENT = "sent"


def note_told(
    session: Session,
    scope: Scope,
    ballot_id: uuid.UUID,
    contact_public_id: uuid.UUID,
    said: VoteWord | None,
    *,
    today: date,
    late: bool = False,
) -> None:
    """Note what somebody told us of whether they vote; None takes it back. Never how.

    Nothing is stored of when, or of who noted it. late: it waited on a phone for a signal, so
    that it may be older than what is noted: who voted, or would rather not say, stays so.
    Raises NotFound, NotOpen, NotAVoter, ToldMore.
    """
    row = _told(session, scope, ballot_id, contact_public_id, today=today)
    if late and row.said in _STAYS and row.said is not said:
        raise ToldMore()
    row.said = said
    _keep(session, row)


def note_paper(
    session: Session,
    scope: Scope,
    ballot_id: uuid.UUID,
    contact_public_id: uuid.UUID,
    paper: Paper,
    *,
    today: date,
    late: bool = False,
) -> None:
    """Note that somebody needs a new voting paper, or was sent one. Raises as note_told.

    late: as of note_told: a paper that was sent by now is not asked for again.
    """
    row = _told(session, scope, ballot_id, contact_public_id, today=today)
    if late and row.new_paper_sent and paper is not Paper.SENT:
        raise ToldMore()
    row.new_paper_asked = paper is not Paper.NONE
    row.new_paper_sent = paper is Paper.SENT
    _keep(session, row)


_STAYS = (VoteWord.VOTED, VoteWord.RATHER_NOT_SAY)


def _told(
    session: Session,
    scope: Scope,
    ballot_id: uuid.UUID,
    contact_public_id: uuid.UUID,
    *,
    today: date,
) -> VoteTold:
    # Held until the end: the rows that a declaration erases must not come back behind it.
    ballot = find_ballot(session, scope, ballot_id, lock=True)
    if ballot.declared_on is not None or ballot.called_off_on is not None:
        raise NotOpen()
    if ballot.opens_on is None or today < ballot.opens_on:
        raise NotOpen()
    if is_kept_too_long(ballot.closes_on, today):
        raise NotOpen()
    person = get_contact(
        session, scope, contact_public_id, permission=Permission.CONVERSATION_WRITE
    )
    entry = session.scalars(
        scope.select(BallotEntry, permission=Permission.CONVERSATION_WRITE).where(
            BallotEntry.ballot_id == ballot.id, BallotEntry.contact_id == person.id
        )
    ).one_or_none()
    if entry is None or not entry.entitled:
        raise NotAVoter()
    row: VoteTold | None = session.scalars(
        scope.select(VoteTold).where(
            VoteTold.ballot_id == ballot.id, VoteTold.contact_id == person.id
        )
    ).one_or_none()
    return row or VoteTold(
        ballot_id=ballot.id,
        contact_id=person.id,
        place_id=entry.place_id,
        new_paper_asked=False,
        new_paper_sent=False,
    )


def _keep(session: Session, row: VoteTold) -> None:
    """Store the row; one that says nothing any more is taken away."""
    if row.said is None and not row.new_paper_asked:
        if row.id is not None:
            session.delete(row)
    else:
        session.add(row)
    session.flush()
