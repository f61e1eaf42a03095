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
from crm.analysis.ballot_plans import FEWEST_PEOPLE, Running, while_voting
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
from crm.reads.voters import (
    OnRecord,
    Told,
    Voter,
    list_voters,
    stands_of,
    stated_on_record,
    what_was_told,
)


@dataclass(frozen=True, slots=True)
class VoterList:
    """Who may vote, and what is still to be found out. as_at: the day of the records.

    on_record: what the union stated of its members at each workplace, by inner id.
    """

    ballot: WholeBallot
    as_at: date
    voters: tuple[Voter, ...]
    scrutineer: bool | None
    on_record: Mapping[int, OnRecord]

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
    places = [part.place_id for part in ballot.parts]
    return VoterList(
        ballot,
        ballot.frozen_on or today,
        tuple(voters),
        scrutineer,
        stated_on_record(session, scope, ballot, places, today),
    )


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
class Speed:
    """How votes come in where they are counted as one: of the whole ballot, or at one workplace.

    entitled: with the unnamed, whom the union counts and who are not on our list. voted: who told
    us so. pace: None = no turnout test, or no days yet. running: None = too few people, or none.
    """

    name: str
    entitled: int
    unnamed: int
    voted: int
    pace: Pace | None
    running: Running | None


@dataclass(frozen=True, slots=True)
class Drive:
    """The vote as far as we are told, over the actor's places.

    counts: people by what they said; None = nobody has told us. speed: of all votes, where they
    are counted together or at one workplace alone. speeds: of each workplace, where each votes for
    itself. Both only where the actor sees the whole ballot.
    """

    ballot: WholeBallot
    rows: tuple[VoteRow, ...]
    counts: Mapping[VoteWord | None, int]
    entitled: int
    papers_wanted: int
    speed: Speed | None
    speeds: tuple[Speed, ...]

    @property
    def unnamed(self) -> int:
        """Members whom the union counts, and who are not on our list; 0 where none is told of."""
        told = self.speeds or ((self.speed,) if self.speed else ())
        return sum(one.unnamed for one in told)


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
    speeds: tuple[Speed, ...] = ()
    if ballot.whole and found:
        speeds = _speeds(session, scope, ballot, told, today=today, expiry=expiry)
    alone = len(speeds) == 1
    return Drive(
        ballot=ballot,
        rows=tuple(found),
        counts=counts,
        entitled=len(found),
        papers_wanted=sum(
            one.told.new_paper_asked and not one.told.new_paper_sent for one in found
        ),
        speed=speeds[0] if alone else None,
        speeds=() if alone else speeds,
    )


def _speeds(
    session: Session,
    scope: Scope,
    ballot: WholeBallot,
    told: Mapping[int, Told],
    *,
    today: date,
    expiry: ExpiryRule,
) -> tuple[Speed, ...]:
    """Return how votes come in, once for each count of votes that there will be."""
    voters = [one for one in list_voters(session, scope, ballot, today) if one.left_out is None]
    voted = {key for key, one in told.items() if one.said is VoteWord.VOTED}
    stands = stands_of(session, scope, ballot, voters, today=today, expiry=expiry, voted=voted)
    assumptions = learn(session, scope).assumptions
    counted = [[one] for one in stands] if ballot.separate else [stands] if stands else []
    found = []
    for number, together in enumerate(counted):
        parts = {one.part.id for one in together}
        said = sum(one.contact_id in voted for one in voters if one.part_id in parts)
        entitled = sum(one.entitled for one in together)
        law = together[0].part.jurisdiction if ballot.separate else None
        needed = _papers_needed(ballot, law, entitled)
        # Those who have not said that they voted, with the members whom nobody here can name.
        running = while_voting(
            said,
            [group for one in together for group in one.groups],
            needed,
            assumptions,
            seed=(ballot.public_id.int + number) % 2**32,
        )
        found.append(
            Speed(
                together[0].part.name if ballot.separate else "",
                entitled,
                sum(one.unnamed for one in together),
                said,
                _pace(ballot, needed, said, today),
                running if entitled >= FEWEST_PEOPLE else None,
            )
        )
    return tuple(found)


def _papers_needed(ballot: WholeBallot, law: str | None, entitled: int) -> int:
    """Return how many papers a turnout test asks for; 0 = there is no such test."""
    for rule in ballot.tests(law):
        test = rule.threshold
        if test is not None and set(test.numerator) == {Counted.VALID, Counted.SPOILED}:
            return test.needed(entitled)
    return 0


def _pace(ballot: WholeBallot, needed: int, voted: int, today: date) -> Pace | None:
    opens, last = ballot.days.opens_on, ballot.days.last_post_on or ballot.days.closes_on
    if not needed or opens is None or last is None:
        return None
    return pace(needed, voted, today=today, opens_on=opens, last_post_on=last)


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
