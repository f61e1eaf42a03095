"""Who listens to whom: the way from each worker to a leader, and one leader for ten workers.

Source: an organic leader is somebody whom others follow, found by asking people whom they go to,
and confirmed only when those who listen to them acted after being asked. The common aim is one
leader for ten workers, in every area and on every shift.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Generic, TypeVar

from crm.domain.errors import Refusal

# One leader for ten workers: the usual aim of workplace organising.
WORKERS_PER_LEADER: Final = 10
# The share of those who listen to a leader that has to act before the leader counts as confirmed.
CONFIRMING_PER_CENT: Final = 70

Key = TypeVar("Key", bound=Hashable)


class Stage(StrEnum):
    """How sure we are that people follow somebody. Not a leader is the absence of a stage."""

    IDENTIFIED = "identified"
    CONFIRMED = "confirmed"


class TieBasis(StrEnum):
    """How we know that one person listens to another."""

    SELF = "self"
    COLLEAGUE = "colleague"
    SEEN = "seen"


class FoundBy(StrEnum):
    """How somebody was found to be a leader."""

    NAMED = "named"
    SEEN = "seen"
    TOLD = "told"


class NotConfirmed(Refusal):
    """Too few of those who listen to somebody acted."""

    default_message = (
        "%(acted)s of the %(all)s people who listen to them took part. "
        "A leader is confirmed from 70%% on. Ask again with the next action."
    )


class NobodyListens(Refusal):
    """Nobody is known to listen to the person, so no action can confirm them."""

    default_message = (
        "Nobody is written down yet who listens to them. First write down who does, then confirm."
    )


class MoreThanListen(Refusal):
    """More took part than listen to the person."""

    default_message = "Only %(all)s people listened to them on that day. Check the number."


def check_confirmed(acted: int, listeners: int) -> None:
    """Return nothing when the action confirms the leader.

    acted: those of the listeners who took part, 0 or more. listeners: all people known to listen
    to the leader on the day of the action, those who were not reached included.
    Raises NobodyListens, MoreThanListen, NotConfirmed.
    """
    if listeners < 1:
        raise NobodyListens()
    if acted > listeners:
        raise MoreThanListen(all=listeners)
    # Judged on whole numbers: a rounded percentage could lift 69.6 over the line.
    if acted * 100 < listeners * CONFIRMING_PER_CENT:
        raise NotConfirmed(acted=acted, all=listeners)


@dataclass(frozen=True, slots=True)
class Cover(Generic[Key]):
    """Who is covered by a leader. covered and uncovered part the people; leaders are covered.

    home: for each covered person one leader: themselves for a leader, else the nearest; of equally
    near ones the one written down first. followers_of: for each leader those whom ties lead to
    them, never themselves, and never a leader to whom their own ties lead.
    """

    covered: frozenset[Key]
    uncovered: frozenset[Key]
    home: Mapping[Key, Key] = field(repr=False)
    followers_of: Mapping[Key, frozenset[Key]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Foot:
    """The leaders of some workers. needed: one for each ten of them or part of ten.

    found: leaders among them, of whom confirmed are sure. uncovered: workers whom no ties lead to
    a leader. All are counts of people on our list; nobody counts twice.
    """

    people: int
    found: int
    confirmed: int
    needed: int
    uncovered: int

    @property
    def missing(self) -> int:
        """How many more leaders are needed, 0 when there are enough."""
        return max(0, self.needed - self.found)


def cover(
    people: Collection[Key], ties: Iterable[tuple[Key, Key]], leaders: Collection[Key]
) -> Cover[Key]:
    """Return who is covered by a leader through whom they listen to.

    people: all workers looked at. ties: (who listens, to whom), the first written first. leaders:
    those known as leaders. Ties and leaders of anybody else are passed over. A way goes from one
    to the next until it comes to a leader and ends there: who listens to somebody who listens to a
    leader is covered by that leader. Walking in a circle leads nowhere, nobody leads themselves,
    and leaders who listen to each other in a circle are not each other's followers.
    """
    here = set(people)
    lead = here & set(leaders)
    # Dictionaries for their order: a set would choose another leader at each start of the program.
    listens: dict[Key, dict[Key, None]] = {}
    for follower, leader in ties:
        if follower != leader and follower in here and leader in here:
            listens.setdefault(follower, {})[leader] = None
    reached = {person: _reach(person, listens, lead) for person in here}
    above = {leader: _all_above(leader, reached) for leader in lead}
    followers: dict[Key, set[Key]] = {leader: set() for leader in lead}
    for person, found in reached.items():
        for leader in found:
            if person not in above[leader]:
                followers[leader].add(person)
    home = {person: found[0] for person, found in reached.items() if found and person not in lead}
    home.update({leader: leader for leader in lead})
    return Cover(
        covered=frozenset(home),
        uncovered=frozenset(here - set(home)),
        home=home,
        followers_of={leader: frozenset(some) for leader, some in followers.items()},
    )


def _reach(start: Key, listens: Mapping[Key, Mapping[Key, None]], lead: set[Key]) -> list[Key]:
    """Return the leaders that the ways of one person end at, the nearest first."""
    found: list[Key] = []
    seen = {start}
    waiting = deque(listens.get(start, ()))
    while waiting:
        one = waiting.popleft()
        if one in seen:
            continue
        seen.add(one)
        if one in lead:
            found.append(one)
        else:
            waiting.extend(listens.get(one, ()))
    return found


def _all_above(leader: Key, reached: Mapping[Key, list[Key]]) -> set[Key]:
    """Return all leaders to whom the ties of a leader lead, through other leaders too."""
    found: set[Key] = set()
    waiting = list(reached[leader])
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(reached[one])
    return found


def leaders_needed(workers: float) -> int:
    """How many leaders so many workers need, one for each ten of them or part of ten."""
    return math.ceil(workers / WORKERS_PER_LEADER)


def foot(
    people: Collection[Key],
    stages: Mapping[Key, Stage],
    found: Cover[Key],
    *,
    workers: float | None = None,
) -> Foot:
    """Return the leaders of these people, who are some of those that the cover was made of.

    workers: how many work there as far as a headcount tells, None = not known; more of them than
    are named need leaders too.
    """
    here = set(people)
    stands = [stages[person] for person in here if person in stages]
    return Foot(
        people=len(here),
        found=len(stands),
        confirmed=sum(stage is Stage.CONFIRMED for stage in stands),
        needed=leaders_needed(max(workers or 0, len(here))),
        uncovered=len(here & found.uncovered),
    )


def nominations(ties: Iterable[tuple[Key, Key, Key | None]]) -> dict[Key, int]:
    """Return for each person how many different people said that somebody listens to them.

    ties: (who listens, to whom, who said so). Counted are people, not ties: one who names the same
    person for five others is one. Left out are those not known, and a person naming themselves.
    """
    said: dict[Key, set[Key]] = {}
    for _follower, leader, teller in ties:
        if teller is not None and teller != leader:
            said.setdefault(leader, set()).add(teller)
    return {leader: len(some) for leader, some in said.items()}
