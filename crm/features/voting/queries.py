"""Reads for the list of voters and for bringing out the vote."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.ballot_plans import Running, while_voting
from crm.domain.assessment import ExpiryRule
from crm.domain.ballot_days import Pace, Stage, pace
from crm.domain.balloting import needs_scrutineer
from crm.domain.entitled import Missing
from crm.domain.errors import NotFound
from crm.domain.rules import Counted, rule_book
from crm.domain.vocabulary import NotEntitled, VoteWord
from crm.models.ballots import BallotEntry, VoteTold
from crm.models.contacts import Contact
from crm.reads.ballots import WholeBallot, find_ballot, list_ballots, read_ballots
from crm.reads.forecasts import learn
from crm.reads.places import place_name_of
from crm.reads.turf import own_people
from crm.reads.voters import Told, Voter, list_voters, stands_of, what_was_told


@dataclass(frozen=True, slots=True)
class VoterList:
    """Who may vote, and what is still to be found out. as_at: the day of the records."""

    ballot: WholeBallot
    as_at: date
    voters: tuple[Voter, ...]
    scrutineer: bool | None

    @property
    def entitled(self) -> list[Voter]:
        """Those who may vote."""
        return [one for one in self.voters if one.left_out is None]

    def reasons(self) -> dict[NotEntitled, int]:
        """How many have no vote, by reason."""
        found = Counter(one.left_out for one in self.voters if one.left_out is not None)
        return {reason: found[reason] for reason in NotEntitled if found[reason]}

    def lacking(self) -> dict[Missing, int]:
        """How many voters lack something that must be known."""
        found = Counter(what for one in self.entitled for what in one.missing)
        return {what: found[what] for what in Missing if found[what]}


def get_list(session: Session, scope: Scope, ballot_id: uuid.UUID, *, today: date) -> VoterList:
    """Return the list of voters of a ballot the actor may write. Raises NotFound for any other."""
    ballot = read_ballots(
        session,
        scope,
        [find_ballot(session, scope, ballot_id, permission=Permission.BALLOT_WRITE)],
    )[0]
    voters = list_voters(session, scope, ballot, today)
    scrutineer = None
    if ballot.days.opens_on is not None:
        entitled = sum(one.left_out is None for one in voters)
        scrutineer = needs_scrutineer(
            rule_book(ballot.jurisdiction), ballot.days.opens_on, [entitled]
        )
    return VoterList(ballot, ballot.frozen_on or today, tuple(voters), scrutineer)


def get_voter(
    session: Session, scope: Scope, ballot_id: uuid.UUID, contact_id: uuid.UUID, *, today: date
) -> tuple[WholeBallot, Voter]:
    """Return one person of the list. Raises NotFound."""
    found = get_list(session, scope, ballot_id, today=today)
    for one in found.voters:
        if one.contact_public_id == contact_id:
            return found.ballot, one
    raise NotFound(f"contact {contact_id} in ballot {ballot_id}")


@dataclass(frozen=True, slots=True)
class VoteRow:
    """A voter of the actor's places, and what they told us; said None = nobody has told us.

    mine: the actor looks after them today.
    """

    contact_public_id: uuid.UUID
    name: str
    place_name: str
    told: Told
    mine: bool


@dataclass(frozen=True, slots=True)
class Drive:
    """The vote as far as we are told, over the actor's places.

    counts: people by what they said; None = nobody has told us. pace, running: only where the
    actor sees the whole ballot and all votes are counted together. unnamed: members whom the union
    counts and who are not on our list, among the entitled of both; 0 where neither is told.
    """

    ballot: WholeBallot
    rows: tuple[VoteRow, ...]
    counts: Mapping[VoteWord | None, int]
    entitled: int
    unnamed: int
    papers_wanted: int
    pace: Pace | None
    running: Running | None
    turnout_test: bool


_ORDER: Sequence[VoteWord | None] = (
    None,
    VoteWord.NOT_YET,
    VoteWord.WILL_VOTE,
    VoteWord.RATHER_NOT_SAY,
    VoteWord.VOTED,
)
_NOTHING = Told(None, False, False)


def get_drive(
    session: Session, scope: Scope, ballot_id: uuid.UUID, *, today: date, expiry: ExpiryRule
) -> Drive:
    """Return who of the actor's places may vote and what they told us: those not reached first.

    The actor's own people stand before all others.

    Raises NotFound when the ballot is out of scope.
    """
    ballot = read_ballots(session, scope, [find_ballot(session, scope, ballot_id)])[0]
    rows = session.execute(
        scope.select(
            Contact.id,
            Contact.public_id,
            sa.func.coalesce(Contact.known_as, Contact.placeholder_label).label("name"),
            place_name_of(BallotEntry.place_id).label("place_name"),
            permission=Permission.CONVERSATION_WRITE,
        )
        .join(BallotEntry, BallotEntry.contact_id == Contact.id)
        .where(BallotEntry.ballot_id == ballot.id, BallotEntry.entitled.is_(True))
        .order_by(Contact.name_key, Contact.id)
    ).all()
    told = what_was_told(session, scope, ballot.id)
    own = own_people(session, scope, today=today)
    found = [
        VoteRow(
            row.public_id,
            row.name or "",
            row.place_name or "",
            told.get(row.id, _NOTHING),
            row.id in own,
        )
        for row in rows
    ]
    found.sort(key=lambda one: (not one.mine, _ORDER.index(one.told.said)))
    counts = Counter(one.told.said for one in found)
    speed, running, unnamed = None, None, 0
    test = next(
        (
            rule.threshold
            for rule in ballot.tests()
            if rule.threshold is not None
            and set(rule.threshold.numerator) == {Counted.VALID, Counted.SPOILED}
        ),
        None,
    )
    if ballot.whole and not ballot.separate and found:
        voters = [one for one in list_voters(session, scope, ballot, today) if one.left_out is None]
        voted = {key for key, one in told.items() if one.said is VoteWord.VOTED}
        stands = stands_of(session, scope, ballot, voters, today=today, expiry=expiry, voted=voted)
        unnamed = sum(one.unnamed for one in stands)
        needed = 0 if test is None else test.needed(sum(one.entitled for one in stands))
        days = ballot.days
        last = days.last_post_on or days.closes_on
        if needed and days.opens_on is not None and last is not None:
            speed = pace(
                needed,
                counts[VoteWord.VOTED],
                today=today,
                opens_on=days.opens_on,
                last_post_on=last,
            )
        # Those who have not said that they voted, with the members whom nobody here can name.
        running = while_voting(
            sum(one.contact_id in voted for one in voters),
            [group for one in stands for group in one.groups],
            needed,
            learn(session, scope).assumptions,
            seed=ballot.public_id.int % 2**32,
        )
    return Drive(
        ballot=ballot,
        rows=tuple(found),
        counts=counts,
        entitled=len(found),
        unnamed=unnamed,
        papers_wanted=sum(
            one.told.new_paper_asked and not one.told.new_paper_sent for one in found
        ),
        pace=speed,
        running=running,
        turnout_test=test is not None,
    )


# Ballots whose lists a phone keeps; few organisations have more open at once.
MOST_BALLOTS = 3


def ballots_to_keep(session: Session, scope: Scope, *, today: date) -> list[tuple[uuid.UUID, str]]:
    """Return the public id and name of the ballots that are open for voting. One statement."""
    found = list_ballots(session, scope, today=today)
    return [(one.public_id, one.name) for one in found if one.stage is Stage.OPEN][:MOST_BALLOTS]


def voters_to_ask(
    session: Session, scope: Scope, ballot_id: uuid.UUID, *, own: Collection[int], limit: int
) -> list[tuple[uuid.UUID, str]]:
    """Return public id and name of voters who have not told us that they voted, own people first.

    Nobody who would rather not say, or who asked us not to contact them. own: inner ids. Two
    statements. Raises NotFound.
    """
    ballot = find_ballot(session, scope, ballot_id)
    rows = session.execute(
        scope.select(
            Contact.public_id,
            sa.func.coalesce(Contact.known_as, Contact.placeholder_label).label("name"),
            permission=Permission.CONVERSATION_WRITE,
        )
        .join(BallotEntry, BallotEntry.contact_id == Contact.id)
        .outerjoin(
            VoteTold,
            sa.and_(VoteTold.ballot_id == ballot.id, VoteTold.contact_id == Contact.id),
        )
        .where(
            BallotEntry.ballot_id == ballot.id,
            BallotEntry.entitled.is_(True),
            Contact.do_not_contact.is_(False),
            sa.or_(
                VoteTold.said.is_(None), VoteTold.said.in_((VoteWord.NOT_YET, VoteWord.WILL_VOTE))
            ),
        )
        .order_by(*([Contact.id.not_in(sorted(own))] if own else []), Contact.name_key, Contact.id)
        .limit(limit)
    )
    return [(row.public_id, row.name or "") for row in rows]
