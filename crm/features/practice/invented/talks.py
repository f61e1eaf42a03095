"""The invented talks, what came of them, and the promises to speak again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from crm.domain.assessment import Basis
from crm.domain.vocabulary import (
    ISSUES,
    NO_ASK,
    STEPS,
    Answer,
    Channel,
    LengthBand,
)
from crm.features.practice.invented import ground, words
from crm.features.practice.invented.cast import Known
from crm.features.practice.invented.people import PeopleMaker
from crm.features.practice.invented.world import Person, Talk
from crm.models.conversations import (
    Assessment,
    Conversation,
    ConversationIssue,
    ConversationNote,
    FollowUp,
)
from crm.models.turf import TurfPerson

_TALKS_BEGAN: Final = 119
# The reps were given their people this many days ago.
_TURF_GIVEN: Final = 60
_HOURS: Final = {ground.DAYS: 12, ground.TWILIGHT: 17, ground.NIGHTS: 21, None: 12}
# Days from today on which a promise is due, for each user who speaks to people.
_DUE: Final[dict[str, tuple[int, ...]]] = {
    "Danuta": (-9, -4, -2, 0, 0, 0, 0, 1, 2, 4, 7, 11),
    "Owen": (-3, 0, 0, 1, 3, 6),
    "Ana": (-6, -1, 0, 0, 2, 5, 9, 14),
    "Kasia": (-2, 0, 3, 8),
    "Marek": (-1, 0, 2, 6),
    "Priya": (0, 0, 4),
}


class TalksMaker(PeopleMaker):
    """Makes the talks, where people stood at each, and the reminders."""

    def _make_talks(self) -> None:
        planned: list[tuple[Person, int, str, int, bool]] = []
        old: list[Assessment] = []
        for person in self.people:
            if person.until is not None or not person.asked:
                continue
            if person.role is not None:
                planned += [
                    (person, days, name, rating, True) for days, name, rating in person.role.talks
                ]
            elif (self.today - person.since).days > 210 and self._chance(0.1):
                old.append(self._old_assessment(person))
            else:
                planned += self._plan(person)
        planned.sort(key=lambda one: (-one[1], one[0].contact.name_key, one[0].contact.id))
        talks = []
        for person, days, name, rating, rated in planned:
            talk = Talk(self._talk(person, days, name, rating), rating if rated else 0)
            person.talks.append(talk)
            talks.append((person, talk))
        self._add([talk.row for _, talk in talks])
        rows: list[Any] = [*old]
        for person, talk in talks:
            rows += self._what_came_of(person, talk)
        self._add(rows)
        self.talks = len(talks)

    def _plan(self, person: Person) -> list[tuple[Person, int, str, int, bool]]:
        longest = min(_TALKS_BEGAN, (self.today - max(person.since, person.listed)).days)
        number = self.rng.choices((1, 2, 3, 4), (38, 34, 20, 8))[0]
        days = sorted(
            {1 + int(max(longest - 1, 0) * self.rng.random() ** 1.3) for _ in range(number)},
            reverse=True,
        )
        if self._chance(0.02):
            days.append(0)
        weights = {True: (22, 48, 22, 6, 2), False: (1, 16, 42, 30, 11), None: (3, 27, 50, 16, 4)}
        final = self.rng.choices((1, 2, 3, 4, 5), weights[person.member])[0]
        plan = []
        for place, ago in enumerate(days):
            last = place == len(days) - 1
            rating = final if last else max(1, min(5, final + self.rng.choice((0, 0, 1, 1, -1))))
            name = self._pick(self._speakers(person.site, person.area))
            plan.append((person, ago, name, rating, last or self._chance(0.85)))
        return plan

    def _old_assessment(self, person: Person) -> Assessment:
        """Where somebody stood so long ago that it no longer counts as known."""
        ago = self.rng.randint(125, 200)
        speaker = self._pick(self._speakers(person.site, person.area))
        return Assessment(
            public_id=self._id(),
            contact_id=person.contact.id,
            place_id=person.place_id,
            assessor_id=self.user_ids[speaker],
            day=self._ago(ago),
            rating=self.rng.choices((1, 2, 3, 4, 5), (8, 30, 40, 16, 6))[0],
            basis=self.rng.choice((Basis.INFERRED, Basis.TOLD)),
            recorded_at=self._moment(self._ago(ago), 20),
            recorded_by_id=self.user_ids[speaker],
        )

    def _talk(self, person: Person, days: int, name: str, rating: int) -> Conversation:
        asks = {
            "petition": 30,
            "meeting": 25,
            "talk_to_colleague": 12,
            "wear_badge": 6,
            NO_ASK: 12,
            None: 5,
        }
        if not person.member:
            asks["join"] = 35
        asked: str | None = self._pick(asks)
        answer = None
        if asked not in (None, NO_ASK):
            shares = {
                1: (85, 3, 12),
                2: (70, 5, 25),
                3: (25, 15, 60),
                4: (5, 55, 40),
                5: (1, 90, 9),
            }[rating]
            answer = self.rng.choices((Answer.YES, Answer.NO, Answer.NOT_YET), shares)[0]
            if asked == "join" and answer is Answer.YES:
                # Whoever said yes to joining would be a member by now.
                answer = Answer.NOT_YET
        day = self._ago(days)
        held_at = self._moment(day, _HOURS[person.shift] if days else 0)
        reached = self.rng.randint(2, 6) if asked in (None, NO_ASK) else self.rng.randint(6, 9)
        return Conversation(
            public_id=self._id(),
            contact_id=person.contact.id,
            place_id=person.place_id,
            held_by_id=self.user_ids[name],
            day=day,
            held_at=held_at,
            recorded_at=min(held_at + timedelta(minutes=self.rng.randint(4, 50)), self.now),
            channel=self._pick(
                {
                    Channel.IN_PERSON: 68,
                    Channel.PHONE_CALL: 16,
                    Channel.MESSAGE: 6,
                    Channel.MEETING: 6,
                    None: 4,
                }
            ),
            length_band=self._pick(
                {
                    LengthBand.UNDER_5_MINUTES: 22,
                    LengthBand.FROM_5_TO_15_MINUTES: 48,
                    LengthBand.OVER_15_MINUTES: 20,
                    None: 10,
                }
            ),
            steps_reached=list(STEPS[:reached]) if self._chance(0.6) else None,
            asked=asked,
            answer=answer,
        )

    def _what_came_of(self, person: Person, talk: Talk) -> list[Any]:
        row = talk.row
        where = {"contact_id": row.contact_id, "place_id": row.place_id}
        rows: list[Any] = []
        number = self.rng.choices((0, 1, 2, 3), (6, 44, 36, 14))[0]
        weights = dict(zip(ISSUES, (28, 9, 12, 22, 12, 10, 7, 12, 10, 4, 10, 4), strict=True))
        issues = list(dict.fromkeys(self._pick(weights) for _ in range(number)))
        rows += [
            ConversationIssue(conversation_id=row.id, issue=issue, **where) for issue in issues
        ]
        if issues and (person.role is not None or self._chance(0.65)):
            rows.append(self._note(person, talk, issues[0], where))
        if talk.rating:
            rows.append(self._assessment(talk, where))
        if row.asked == "petition" and row.answer is Answer.YES and self._chance(0.6):
            signed = min(row.day + timedelta(days=self.rng.randint(0, 4)), self.today)
            rows.append(
                Assessment(
                    public_id=self._id(),
                    assessor_id=row.held_by_id,
                    day=signed,
                    ask="petition",
                    rating=1,
                    basis=Basis.ACTION,
                    recorded_at=max(row.recorded_at, self._moment(signed, 20)),
                    recorded_by_id=row.held_by_id,
                    **where,
                )
            )
        return rows

    def _note(
        self, person: Person, talk: Talk, issue: str, where: dict[str, int]
    ) -> ConversationNote:
        said = self.rng.choice(words.SAID[issue])
        next_step = self.rng.choice(words.NEXT_STEPS) if self._chance(0.6) else None
        language = "en"
        spoken = {"Polish": "pl", "Romanian": "ro"}.get((person.contact.languages or [""])[0])
        if spoken is not None and self._chance(0.4):
            written = [one for one in words.SAID_ELSEWHERE if one[0] == spoken]
            language, said, next_step = self.rng.choice(written)
        english = language == "en"
        return ConversationNote(
            conversation_id=talk.row.id,
            author_id=talk.row.held_by_id,
            their_words=said,
            fears=self.rng.choice(words.FEARS) if english and self._chance(0.25) else None,
            inoculation=(
                self.rng.choice(words.INOCULATION) if english and self._chance(0.2) else None
            ),
            next_step=next_step,
            language=language,
            **where,
        )

    def _assessment(self, talk: Talk, where: dict[str, int]) -> Assessment:
        row = talk.row
        shares = {1: (60, 35, 2, 3), 5: (55, 30, 10, 5)}.get(talk.rating, (12, 62, 10, 16))
        basis = self.rng.choices((Basis.ACTION, Basis.SAID, Basis.TOLD, Basis.INFERRED), shares)[0]
        return Assessment(
            public_id=self._id(),
            conversation_id=row.id,
            assessor_id=row.held_by_id,
            day=row.day,
            rating=talk.rating,
            basis=basis,
            recorded_at=row.recorded_at,
            recorded_by_id=row.held_by_id,
            **where,
        )

    # Promises to speak again

    def _make_reminders(self) -> None:
        rows = self._kept_promises()
        taken: set[int] = set()
        by_role = {person.role: person for person in self.people if person.role is not None}
        for person, owner, due, what in self._cast_reminders(by_role):
            taken.add(person.contact.id)
            rows.append(self._reminder(person, owner, due, what))
        for name, days in _DUE.items():
            mine = [
                person
                for person in self.people
                if person.talks
                and person.talks[-1].row.held_by_id == self.user_ids[name]
                and person.talks[-1].rating != 5
                and not person.contact.do_not_contact
                and person.role is None
            ]
            # The latest talks first: promises are about what was said lately.
            mine.sort(key=lambda one: (one.talks[-1].row.day, one.contact.id), reverse=True)
            for due, person in zip(
                days, (one for one in mine if one.contact.id not in taken), strict=False
            ):
                taken.add(person.contact.id)
                rows.append(self._reminder(person, name, due, self.rng.choice(words.REMINDERS)))
        self._add(rows)

    # Whose people are whose

    def _make_turf(self) -> None:
        """Give each of the two reps their ten: six who had a talk, and four who had none."""
        dearne = self.sites[0]
        given = self._ago(_TURF_GIVEN)
        taken: set[int] = set()
        for name, area in (("Owen", "Pack"), ("Danuta", None)):
            here = [
                person
                for person in self.people
                if person.site is dearne
                and area in {None, person.area}
                and person.until is None
                and person.since <= given
                and not person.contact.do_not_contact
                and person.contact.id not in taken
            ]
            talked = [person for person in here if person.talks]
            never = [person for person in here if not person.talks]
            chosen = [*talked[:6], *never[:4]]
            taken |= {person.contact.id for person in chosen}
            self._add(
                TurfPerson(
                    public_id=self._id(),
                    contact_id=person.contact.id,
                    workplace_id=dearne.workplace_id,
                    place_id=person.place_id,
                    user_id=self.user_ids[name],
                    valid_from=given,
                    recorded_at=self._moment(given, 18, 0),
                    recorded_by_id=self.user_ids["Ana"],
                )
                for person in chosen
            )

    def _cast_reminders(self, people: dict[Known, Person]) -> list[tuple[Person, str, int, str]]:
        by_first = {role.first: person for role, person in people.items()}
        return [
            (by_first["Tomasz"], "Danuta", 0, "Said: ask me after the meeting"),
            (by_first["Gareth"], "Danuta", -2, "Bring the joining form for his friend"),
            (by_first["Ioana"], "Danuta", 0, "Ask who else signed on nights"),
            (by_first["Rukhsana"], "Owen", 0, "Nobody has asked her yet"),
        ]

    def _reminder(self, person: Person, name: str, due: int, what: str) -> FollowUp:
        talk = person.talks[-1].row if person.talks else None
        day = self._ago(-due)
        made = talk.recorded_at if talk is not None else self._moment(self._ago(11), 18)
        if talk is not None and day < talk.day:
            # It was promised before that talk and is about something else.
            made, talk = self._moment(day - timedelta(days=5), 18), None
        return FollowUp(
            public_id=self._id(),
            contact_id=person.contact.id,
            place_id=person.place_id,
            owner_id=self.user_ids[name],
            conversation_id=talk.id if talk is not None else None,
            due_on=day,
            what=what,
            created_at=made,
        )

    def _kept_promises(self) -> list[FollowUp]:
        kept = []
        for person in self.people:
            for before, after in zip(person.talks, person.talks[1:], strict=False):
                if before.row.held_by_id != after.row.held_by_id or not self._chance(0.6):
                    continue
                kept.append(
                    FollowUp(
                        public_id=self._id(),
                        contact_id=person.contact.id,
                        place_id=person.place_id,
                        owner_id=before.row.held_by_id,
                        conversation_id=before.row.id,
                        due_on=max(
                            before.row.day + timedelta(days=1),
                            after.row.day + timedelta(days=self.rng.randint(-3, 2)),
                        ),
                        what=self.rng.choice(words.REMINDERS),
                        created_at=before.row.recorded_at,
                        done_at=after.row.recorded_at,
                        done_by_id=after.row.held_by_id,
                    )
                )
        return kept
