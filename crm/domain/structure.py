"""Structure tests: the ladder of what people are asked to do, and the rates of those who did it.

A structure test asks everybody on a list that was frozen at one moment to do the same thing. The
rate is people who did it ÷ everyone on that list, never ÷ those who were asked. Of whom nobody has
told us, it is not known whether they did: they make the rate a range, and are never a "no".
Source of the ladder and of the rule about the base: union organising, see docs/decisions/0003 for
why a range. The order of the ladder is a judgement.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

Key = TypeVar("Key", bound=Hashable)

# Fewer judgements than this say nothing of how somebody judges.
FEWEST_JUDGED: Final = 10
# No per cent of fewer people than this: "6 of 9" says it better.
FEWEST_FOR_PER_CENT: Final = 10
# Letters only, so that nobody takes one for a digit of the number; I, O and Z look like digits. A
# prime number of letters: the sum below then catches every wrong digit and every two that changed
# places.
CHECK_SIGNS: Final = "ABCDEFGHJKLMNPQRSTUVWXY"


class Rung(StrEnum):
    """What a test asks people to do, in the order of the ladder."""

    SURVEY = "survey"
    QUIET_PETITION = "quiet_petition"
    OPEN_PETITION = "open_petition"
    BADGE = "badge"
    PHOTO = "photo"
    MEETING = "meeting"
    INDICATIVE_BALLOT = "indicative_ballot"
    MARCH = "march"
    OPEN_TALKS = "open_talks"
    PLEDGE = "pledge"
    STATUTORY_BALLOT = "statutory_ballot"
    WORK_TO_RULE = "work_to_rule"


# How much somebody risks who does it, 1 (least) to 5 (most).
RISK: Final[Mapping[Rung, int]] = MappingProxyType(
    {
        Rung.SURVEY: 1,
        Rung.QUIET_PETITION: 1,
        Rung.OPEN_PETITION: 2,
        Rung.BADGE: 2,
        Rung.PHOTO: 3,
        Rung.MEETING: 3,
        Rung.INDICATIVE_BALLOT: 3,
        Rung.MARCH: 4,
        Rung.OPEN_TALKS: 4,
        Rung.PLEDGE: 4,
        Rung.STATUTORY_BALLOT: 5,
        Rung.WORK_TO_RULE: 5,
    }
)


class Deed(StrEnum):
    """What is written down about somebody on the list; nothing written = not known."""

    DID = "did"
    WILL = "will"
    NOT_YET = "not_yet"
    DID_NOT = "did_not"


# What leaves it open whether somebody took part.
NOT_KNOWN: Final = (Deed.WILL, Deed.NOT_YET)


def says_more(first: Deed, second: Deed | None) -> bool:
    """Return True when the first tells more of one person who was listed twice than the second.

    Somebody who took part did so on one line of the list only: that counts, whatever the other
    line says. Anything written down tells more than nothing (None).
    """
    return second is None or _told(first) > _told(second)


def _told(deed: Deed) -> int:
    if deed is Deed.DID:
        return 2
    return 0 if deed in NOT_KNOWN else 1


class WhyNot(StrEnum):
    """Why somebody did not take part; null = did not say."""

    REFUSED = "refused"
    NOT_REACHED = "not_reached"
    ABSENT = "absent"


class Evidence(StrEnum):
    """How we know that somebody did it, or did not."""

    SAW = "saw"
    SHEET = "sheet"
    SAID = "said"
    TOLD = "told"


class VotedHow(StrEnum):
    """How members decided on a demand; null = not written down."""

    MEETING = "meeting"
    PAPER_BALLOT = "paper_ballot"
    ONLINE = "online"
    SURVEY = "survey"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of the people on a frozen list, or of some of them. Counts of people.

    listed: everyone on it. The others part those of whom something is written down; the rest of
    `listed` is not known. did_not_other: did not, and why is not written down.
    """

    listed: int
    did: int = 0
    will: int = 0
    not_yet: int = 0
    refused: int = 0
    not_reached: int = 0
    absent: int = 0
    did_not_other: int = 0

    @property
    def did_not(self) -> int:
        """People who did not take part, whatever the reason."""
        return self.refused + self.not_reached + self.absent + self.did_not_other

    @property
    def unknown(self) -> int:
        """People of whom it is not known: nothing is written, or they only said they will."""
        return self.listed - self.did - self.did_not

    @property
    def unheard(self) -> int:
        """People of whom nothing at all is written down."""
        return self.unknown - self.will - self.not_yet

    @property
    def reached(self) -> int:
        """People somebody has an answer of, or saw: all but those unheard and those not reached."""
        return self.listed - self.unheard - self.not_reached

    @property
    def most(self) -> int:
        """The most people who can have done it: those who did, and those not known."""
        return self.did + self.unknown

    @property
    def low(self) -> float | None:
        """The least the rate can be, 0 to 1; None for a list of nobody."""
        return self.did / self.listed if self.listed else None

    @property
    def high(self) -> float | None:
        """The most the rate can be, 0 to 1; None for a list of nobody."""
        return self.most / self.listed if self.listed else None

    def needed(self, target: int) -> int:
        """How many more must do it to come to a target, in per cent of everyone; 0 when reached.

        Judged on whole people: 65 per cent of 285 is 186.
        """
        return max(0, math.ceil(self.listed * target / 100) - self.did)


def tally(known: Iterable[tuple[Deed | None, WhyNot | None]]) -> Tally:
    """Return the tally of people, one pair for each on the list; (None, None) = nothing written."""
    counts: Counter[object] = Counter()
    for deed, why in known:
        counts["listed"] += 1
        if deed is Deed.DID_NOT:
            counts[why] += 1
        elif deed is not None:
            counts[deed] += 1
    return Tally(
        listed=counts["listed"],
        did=counts[Deed.DID],
        will=counts[Deed.WILL],
        not_yet=counts[Deed.NOT_YET],
        refused=counts[WhyNot.REFUSED],
        not_reached=counts[WhyNot.NOT_REACHED],
        absent=counts[WhyNot.ABSENT],
        did_not_other=counts[None],
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody on a frozen list, as the rates need them.

    key: of the person. group: what they are counted under, such as area and shift. leader: whom
    they listened to when the list was frozen, None = nobody known. rating: where they stood then,
    1 to 5, None = not asked. assessor: who judged that, None = not known.
    """

    key: int
    group: Hashable
    leader: int | None
    rating: int | None
    assessor: int | None
    deed: Deed | None
    why: WhyNot | None


def tally_of(people: Iterable[Listed]) -> Tally:
    """Return the tally over these people."""
    return tally((one.deed, one.why) for one in people)


def by_group(people: Iterable[Listed]) -> dict[Hashable, Tally]:
    """Return the tally of each group. Everyone is in one group, so the tallies sum to the whole."""
    groups: dict[Hashable, list[Listed]] = {}
    for one in people:
        groups.setdefault(one.group, []).append(one)
    return {key: tally_of(some) for key, some in groups.items()}


def by_leader(people: Iterable[Listed]) -> dict[int, Tally]:
    """Return for each leader how many of those who listened to them did it: their delivery.

    The leader's own deed is not part of it. Whoever listened to nobody known is in none.
    """
    followers: dict[int, list[Listed]] = {}
    for one in people:
        if one.leader is not None and one.leader != one.key:
            followers.setdefault(one.leader, []).append(one)
    return {leader: tally_of(some) for leader, some in followers.items()}


@dataclass(frozen=True, slots=True)
class WordsAndDeeds:
    """Where words and deeds part: keys of people.

    said_yes_did_not: stood at 1 or 2 when the list was frozen, and did not. unsure_did: stood at
    3, 4 or 5, and did. Somebody of whom it is not known whether they did is in neither.
    """

    said_yes_did_not: tuple[int, ...]
    unsure_did: tuple[int, ...]
    said_yes_unknown: int


def words_and_deeds(people: Iterable[Listed]) -> WordsAndDeeds:
    """Return whose deeds do not fit where they stood, in the order given."""
    some = list(people)
    with_us = [one for one in some if one.rating in (1, 2)]
    return WordsAndDeeds(
        said_yes_did_not=tuple(one.key for one in with_us if one.deed is Deed.DID_NOT),
        unsure_did=tuple(
            one.key for one in some if one.rating in (3, 4, 5) and one.deed is Deed.DID
        ),
        said_yes_unknown=sum(one.deed not in (Deed.DID, Deed.DID_NOT) for one in with_us),
    )


def calibration(people: Iterable[Listed], *, fewest: int = FEWEST_JUDGED) -> dict[int, Tally]:
    """Return for each assessor what became of those whom they had judged 1 or 2.

    Counts only. Left out are assessors with fewer than `fewest` such judgements: so few say
    nothing, and would point at persons.
    """
    judged: dict[int, list[Listed]] = {}
    for one in people:
        if one.assessor is not None and one.rating in (1, 2):
            judged.setdefault(one.assessor, []).append(one)
    return {who: tally_of(some) for who, some in judged.items() if len(some) >= fewest}


def check_sign(number: int, salt: int) -> str:
    """Return the letter that goes with a number on paper, and tells of a slip of the finger.

    number: 1 or more. salt: any number that is another for other lists, so that a number of a
    wrong sheet is nearly always noticed.
    """
    digits = reversed(str(number))
    total = salt + sum(place * int(digit) for place, digit in enumerate(digits, start=2))
    return CHECK_SIGNS[total % len(CHECK_SIGNS)]


def written_number(number: int, salt: int) -> str:
    """Return the number as it stands on paper: "17K"."""
    return f"{number}{check_sign(number, salt)}"


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed from a sheet: the numbers understood, each once, and the rest as typed."""

    numbers: tuple[int, ...]
    wrong: tuple[str, ...]


def read_numbers(text: str, *, salt: int, last: int) -> Typed:
    """Return the numbers in a text such as "3F 17k, 204W", each with its sign.

    last: the highest number of the list. Wrong is what has no sign, a sign that does not fit, or
    a number that is not on the list.
    """
    numbers: dict[int, None] = {}
    wrong: list[str] = []
    for word in text.upper().replace(",", " ").replace(";", " ").split():
        digits, sign = word[:-1], word[-1]
        # isdecimal also takes the digits of other scripts, which int() reads as well.
        good = digits.isdecimal() and len(digits) <= 7
        if good and 1 <= int(digits) <= last and check_sign(int(digits), salt) == sign:
            numbers[int(digits)] = None
        else:
            wrong.append(word)
    return Typed(tuple(numbers), tuple(wrong))


def lowest_share(groups: Sequence[Tally]) -> float | None:
    """Return the lowest rate known for sure among groups, 0 to 1; None without any people."""
    shares = [one.low for one in groups if one.low is not None]
    return min(shares, default=None)
