"""The invented campaign of the practice copy, with two tests of rising risk."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from crm.domain.cover import FoundBy, Stage, TieBasis
from crm.domain.structure import Deed, Evidence, Rung, VotedHow, WhyNot
from crm.features.practice.invented.talks import TalksMaker
from crm.features.practice.invented.world import Person
from crm.models.campaigns import (
    BasePlace,
    Campaign,
    CampaignUnit,
    Demand,
    ListEntry,
    Participation,
    StructureTest,
)
from crm.models.ties import Leading, Tie
from crm.reads.structure import ToList, people_to_list

# How likely somebody did it, by where they stood; None = not asked. Deeds lag behind words.
_PETITION: Final = {1: 0.95, 2: 0.80, 3: 0.35, 4: 0.08, 5: 0.0, None: 0.20}
_BADGE: Final = {1: 0.85, 2: 0.55, 3: 0.15, 4: 0.03, 5: 0.0, None: 0.08}
# Areas and shifts with a leader, and how many there listen to them.
_LED: Final = (("Pick", "Nights", 9), ("Pack", "Twilight", 11), ("Goods in", "Days", 8))


class CampaignMaker(TalksMaker):
    """Makes the leaders, the campaign and its tests, after everybody's facts are there."""

    def _make_leaders(self) -> None:
        dearne = self.sites[0]
        since = self._ago(200)
        known = {"valid_from": since, "recorded_at": self._moment(since, 19, 0)}
        for area, shift, followers in _LED:
            here = [
                person
                for person in self.people
                if (person.site, person.area, person.shift) == (dearne, area, shift)
                and person.until is None
                and person.since <= since
            ]
            leader = next(person for person in here if person.asked and person.role is None)
            at = {"workplace_id": dearne.workplace_id, "place_id": leader.place_id, **known}
            others = [person for person in here if person is not leader][:followers]
            self._add(
                [
                    Leading(
                        public_id=self._id(),
                        contact_id=leader.contact.id,
                        stage=Stage.IDENTIFIED,
                        found_by=FoundBy.NAMED,
                        recorded_by_id=self.user_ids["Ana"],
                        **at,
                    ),
                    *(self._tie(person, leader, at) for person in others),
                ]
            )

    def _tie(self, person: Person, leader: Person, at: dict[str, object]) -> Tie:
        return Tie(
            public_id=self._id(),
            contact_id=person.contact.id,
            leader_id=leader.contact.id,
            basis=TieBasis.COLLEAGUE,
            recorded_by_id=self.user_ids["Ana"],
            **at,
        )

    def _make_campaign(self) -> None:
        dearne = self.sites[0]
        began = self._ago(90)
        campaign = Campaign(
            public_id=self._id(),
            place_id=dearne.branches[0],
            name="A rota we can live with",
            from_day=began,
            target=65,
            created_at=self._moment(began, 18, 0),
            created_by_id=self.user_ids["Ana"],
        )
        self._add([campaign])
        of_it = {"campaign_id": campaign.id}
        asked = self._moment(began, 18, 5)
        self._add(
            [
                CampaignUnit(place_id=dearne.workplace_id, **of_it),
                *(
                    Demand(
                        public_id=self._id(),
                        place_id=campaign.place_id,
                        words=words,
                        voted_on=voted,
                        voted_how=None if voted is None else VotedHow.MEETING,
                        votes_for=None if voted is None else 63,
                        votes_against=None if voted is None else 4,
                        created_at=asked,
                        created_by_id=self.user_ids["Ana"],
                        **of_it,
                    )
                    for words, voted in (
                        ("The rota four weeks ahead, in writing", self._ago(84)),
                        ("No change of shift without our agreement", self._ago(84)),
                        ("Pay for shifts cancelled on the day", None),
                    )
                ),
            ]
        )
        self._make_test(
            campaign, Rung.QUIET_PETITION, "Petition about the rota", 72, 58, _PETITION, 0.12
        )
        self._make_test(campaign, Rung.BADGE, "Badge day", 9, -5, _BADGE, 0.45)

    def _make_test(
        self,
        campaign: Campaign,
        kind: Rung,
        name: str,
        made_ago: int,
        closes_ago: int,
        chances: dict[int | None, float],
        silent: float,
    ) -> None:
        """Freeze a list and write down what people did. silent: the share nobody heard of."""
        dearne = self.sites[0]
        day = self._ago(made_ago)
        people = people_to_list(self.session, self.scope, [dearne.workplace_id], as_at=day)
        test = StructureTest(
            public_id=self._id(),
            place_id=dearne.workplace_id,
            campaign_id=campaign.id,
            kind=kind,
            name=name,
            as_at=day,
            frozen_at=self._moment(day, 19, 0),
            frozen_by_id=self.user_ids["Ana"],
            people=len(people),
            closes_on=self._ago(closes_ago),
        )
        self._add([test])
        self._add([BasePlace(test_id=test.id, place_id=dearne.workplace_id)])
        entries = [self._entry(test, number, one) for number, one in enumerate(people, start=1)]
        self._add(entries)
        last = min(self._ago(closes_ago), self.today)
        facts = (self._deed(entry, day, last, chances, silent) for entry in entries)
        self._add(fact for fact in facts if fact is not None)

    def _entry(self, test: StructureTest, number: int, one: ToList) -> ListEntry:
        return ListEntry(
            public_id=self._id(),
            test_id=test.id,
            number=number,
            contact_id=one.contact_id,
            place_id=one.place_id,
            workplace_id=one.workplace_id,
            area_id=one.area_id,
            shift_id=one.shift_id,
            rating=one.rating,
            firm=one.firm,
            stood_on=one.stood_on,
            assessor_id=one.assessor_id,
            leader_id=one.leader_id,
        )

    def _deed(
        self,
        entry: ListEntry,
        first: date,
        last: date,
        chances: dict[int | None, float],
        silent: float,
    ) -> Participation | None:
        if self._chance(silent):
            return None
        did = self._chance(chances[entry.rating])
        day = first + timedelta(days=self.rng.randint(0, (last - first).days))
        if did:
            deed, why = Deed.DID, None
        elif last == self.today and self._chance(0.3):
            deed, why = self.rng.choice((Deed.WILL, Deed.NOT_YET)), None
        else:
            weights = {WhyNot.REFUSED: 4, WhyNot.NOT_REACHED: 4, WhyNot.ABSENT: 2, None: 1}
            deed, why = Deed.DID_NOT, self._pick(weights)
        return Participation(
            public_id=self._id(),
            test_id=entry.test_id,
            entry_id=entry.id,
            contact_id=entry.contact_id,
            place_id=entry.place_id,
            deed=deed,
            why=why,
            evidence=Evidence.SHEET if did else Evidence.SAID if deed is not Deed.DID_NOT else None,
            day=day,
            recorded_at=self._evening(day),
            recorded_by_id=self.user_ids[self._pick({"Danuta": 5, "Owen": 2, "Ana": 3})],
        )

    def _evening(self, day: date) -> datetime:
        return self._moment(day, 20)
