"""The two invented ballots of the practice copy: one that is over, and one that is going on."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from crm.access import audit
from crm.domain.vocabulary import BallotKind, QuestionKind, Verb, VoteWord
from crm.features.practice.invented.campaigns import CampaignMaker
from crm.features.practice.invented.world import Site
from crm.models.ballots import (
    Ballot,
    BallotCount,
    BallotEntry,
    BallotPart,
    BallotQuestion,
    VoteTold,
)
from crm.reads.ballots import get_ballot
from crm.reads.voters import voters_on

# What the depot's count came to.
_COUNTED: Final = {"entitled": 56, "cast": 43, "yes": 38, "no": 4, "spoiled": 1}
# The share of voters that somebody spoke to about voting, and what they said.
_SPOKEN_TO: Final = 0.55
_SAID: Final = {
    VoteWord.VOTED: 11,
    VoteWord.WILL_VOTE: 5,
    VoteWord.NOT_YET: 3,
    VoteWord.RATHER_NOT_SAY: 2,
}


class BallotMaker(CampaignMaker):
    """Makes the ballots, after everybody's jobs and memberships are there."""

    def _make_ballots(self) -> None:
        dearne, _wath, _hoyland, metro = self.sites[:4]
        self._make_declared(metro)
        self._make_running(dearne)

    def _make_declared(self, site: Site) -> None:
        told = self._ago(53)
        ballot, part, question = self._make_ballot(
            site,
            "Bus drivers’ pay",
            opens_on=self._ago(75),
            closes_on=self._ago(54),
            last_post_on=self._ago(57),
            ballot_notice_on=self._ago(88),
            members_told_on=told,
            employers_told_on=told,
            declared_on=told,
            declared_at=self._moment(told, 18, 0),
        )
        self._add(
            [
                BallotCount(
                    public_id=self._id(),
                    ballot_id=ballot.id,
                    question_id=question.id,
                    part_id=part.id,
                    place_id=site.workplace_id,
                    recorded_at=self._moment(told, 17, 30),
                    recorded_by_id=self.user_ids["Ana"],
                    **_COUNTED,
                )
            ]
        )

    def _make_running(self, site: Site) -> None:
        frozen_on = self._ago(24)
        ballot, _part, _question = self._make_ballot(
            site,
            "The rota at Dearne Valley",
            opens_on=self._ago(8),
            closes_on=self._ago(-13),
            last_post_on=self._ago(-9),
            ballot_notice_on=self._ago(22),
            frozen_on=frozen_on,
            frozen_at=self._moment(frozen_on, 19, 0),
        )
        whole = get_ballot(self.session, self.scope, ballot.public_id)
        voters = voters_on(self.session, self.scope, whole, frozen_on)
        entries = [
            BallotEntry(
                public_id=self._id(),
                ballot_id=ballot.id,
                part_id=one.part_id,
                place_id=one.place_id,
                contact_id=one.contact_id,
                entitled=one.left_out is None,
                left_out=one.left_out,
                category=one.category,
            )
            for one in voters
        ]
        self._add(entries)
        audit.record_counts(
            self.session,
            Verb.CREATE,
            subject=BallotEntry.__tablename__,
            subject_id=ballot.id,
            place_id=ballot.place_id,
            counts=Counter("entitled" if one.entitled else str(one.left_out) for one in entries),
        )
        self._add(
            VoteTold(
                ballot_id=ballot.id,
                contact_id=entry.contact_id,
                place_id=entry.place_id,
                said=self._pick(_SAID),
            )
            for entry in entries
            if entry.entitled and self._chance(_SPOKEN_TO)
        )

    def _make_ballot(
        self, site: Site, name: str, **days: Any
    ) -> tuple[Ballot, BallotPart, BallotQuestion]:
        """Return a ballot about a strike at one workplace, its part and its question."""
        made = days["ballot_notice_on"]
        ballot = Ballot(
            public_id=self._id(),
            place_id=site.workplace_id,
            name=name,
            kind=BallotKind.ACTION,
            union_id=self.union.id,
            jurisdiction="GB",
            separate=True,
            important_public_service=False,
            created_at=self._moment(made, 10, 0),
            created_by_id=self.user_ids["Ana"],
            **days,
        )
        self._add([ballot])
        of_it: dict[str, Any] = {"ballot_id": ballot.id, "place_id": site.workplace_id}
        question = BallotQuestion(public_id=self._id(), number=1, kind=QuestionKind.STRIKE, **of_it)
        part = BallotPart(public_id=self._id(), jurisdiction="GB", **of_it)
        self._add([question, part])
        return ballot, part, question
