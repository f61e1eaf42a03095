"""The wall chart: who is on the wall, what is still blank, and how gaps are shared out.

Source of the idea: the paper chart of union organising, with a tile for every worker, not only
for those we know, in columns by area or shift. What nobody knows stays on the wall as a blank.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

from crm.domain.assessment import Freshness, freshness_of
from crm.domain.cover import Stage

# Days without a talk after which somebody counts as not spoken to.
QUIET_DAYS: Final = 60
# The fewest letters of an id that stand for a person on one wall.
SHORTEST: Final = 3

Key = TypeVar("Key", bound=Hashable)


class TalkAge(StrEnum):
    """How long ago the last talk was; the order is that of the wall, latest first."""

    RECENT = "recent"
    OLDER = "older"
    OLD = "old"
    NEVER = "never"


class Gap(StrEnum):
    """What is missing about a person, so that somebody should go and talk to them."""

    NOT_ASKED = "not_asked"
    NO_TALK = "no_talk"
    NO_TASK = "no_task"
    NO_LEADER = "no_leader"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class OnTheWall:
    """A person as at a day. rating None = not asked; member None = not known.

    said_yes: they once said yes to an ask. has_task: somebody has promised to speak to them.
    too_old: where they stand was asked so long ago that it no longer counts. apart: two of us see
    them two or more points differently.
    leads: None = not known as a leader. led: a leader, or reached by one through ties.
    tests: a letter for each of the last tests there, the oldest first: "d" took part, "n" did
    not, "q" not known, "o" not on the list. Empty when they were on none of the lists.
    """

    key: int
    public_id: UUID
    name: str
    placeholder: bool
    do_not_contact: bool
    rating: int | None
    firm: bool | None
    scored_on: date | None
    member: bool | None
    last_talk_on: date | None
    talk_age: TalkAge
    said_yes: bool = False
    has_task: bool = False
    raised_issue: bool = True
    too_old: bool = False
    apart: bool = False
    leads: Stage | None = None
    led: bool = False
    tests: str = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts of people, each once. with_us: standing 1 or 2. What is not known is the rest.

    leaders: found or confirmed; confirmed: those of them who are sure. not_led: reached by none.
    """

    named: int
    asked: int
    with_us: int
    members: int
    not_members: int
    leaders: int
    confirmed: int
    not_led: int

    @property
    def not_asked(self) -> int:
        """The people of whom nobody asked where they stand."""
        return self.named - self.asked

    @property
    def member_not_known(self) -> int:
        """The people of whom we do not know whether they are in a union."""
        return self.named - self.members - self.not_members


@dataclass(frozen=True, slots=True)
class Shares:
    """Who is to speak to whom. left_out: people whose place nobody chosen holds."""

    by_owner: dict[int, list[int]]
    left_out: list[int]
    too_many: int


def talk_age(last_talk_on: date | None, as_at: date) -> TalkAge:
    """How long before `as_at` the last talk was, by the limits that assessments age by."""
    if last_talk_on is None:
        return TalkAge.NEVER
    freshness = freshness_of((as_at - last_talk_on).days)
    if freshness is Freshness.FRESH:
        return TalkAge.RECENT
    return TalkAge.OLDER if freshness is Freshness.STALE else TalkAge.OLD


_BY_AGE = {age: place for place, age in enumerate(TalkAge)}


def wall_order(person: OnTheWall) -> tuple[int, int, bool, int, str, int]:
    """The order inside a column: 1 to 5, then not asked; the latest talk first; then the name."""
    return (
        9 if person.rating is None else person.rating,
        _BY_AGE[person.talk_age],
        person.firm is False,
        {True: 0, None: 1, False: 2}[person.member],
        person.name.casefold(),
        person.key,
    )


def sums(people: Iterable[OnTheWall]) -> Sums:
    """The counts over the people; somebody who is there twice counts once."""
    once = {person.key: person for person in people}.values()
    return Sums(
        named=len(once),
        asked=sum(person.rating is not None for person in once),
        with_us=sum(person.rating in (1, 2) for person in once),
        members=sum(person.member is True for person in once),
        not_members=sum(person.member is False for person in once),
        leaders=sum(person.leads is not None for person in once),
        confirmed=sum(person.leads is Stage.CONFIRMED for person in once),
        not_led=sum(not person.led for person in once),
    )


def has_gap(person: OnTheWall, gap: Gap) -> bool:
    """Whether the gap is open for the person. Those who asked to be left alone have none."""
    if person.do_not_contact:
        return False
    if gap is Gap.NOT_ASKED:
        return person.rating is None
    if gap is Gap.NO_TALK:
        return person.talk_age is not TalkAge.RECENT
    if gap is Gap.NO_LEADER:
        return not person.led
    if gap is Gap.APART:
        return person.apart
    return person.said_yes and not person.has_task


def subtree(parents: Mapping[Key, Key | None], top: Key) -> set[Key]:
    """The place and all that lie inside it. parents: the place each one lies in, or None."""
    found = {top}
    growing = True
    while growing:
        more = {key for key, parent in parents.items() if parent in found} - found
        found |= more
        growing = bool(more)
    return found


def blanks(
    parents: Mapping[Key, Key | None],
    counts: Mapping[Key, float | None],
    people: Mapping[Key, set[int]],
) -> dict[Key, int]:
    """How many workers of each place have no name yet, as far as a headcount tells.

    parents: every place with the one it lies in. counts: workers at a place and inside it; None
    or absent = not known, which gives no blank. people: those named right there.
    A worker is blank once: what an area inside accounts for is not blank again outside it.
    """
    depth = {key: len(_upwards(parents, key)) for key in parents}
    found: dict[Key, int] = {}
    for key in sorted(parents, key=lambda one: -depth[one]):
        inside = subtree(parents, key)
        count = counts.get(key)
        if count is None:
            found[key] = 0
            continue
        named = len(set().union(*(people.get(one, set()) for one in inside)))
        told = sum(found[one] for one in inside if one != key)
        found[key] = max(0, math.floor(count) - named - told)
    return found


def _upwards(parents: Mapping[Key, Key | None], key: Key) -> list[Key]:
    found = [key]
    while (above := parents.get(found[-1])) is not None and above not in found:
        found.append(above)
    return found


def short_names(ids: Iterable[UUID]) -> dict[UUID, str]:
    """For each id the first letters that no other of them starts with, SHORTEST at least."""
    ordered = sorted({one.hex for one in ids})
    found = {}
    for place, text in enumerate(ordered):
        beside = ordered[max(0, place - 1) : place] + ordered[place + 1 : place + 2]
        shared = max((_shared(text, other) for other in beside), default=0)
        found[UUID(text)] = text[: max(SHORTEST, shared + 1)]
    return found


def _shared(one: str, other: str) -> int:
    return next(
        (place for place, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]),
        len(one),
    )


def share_out(
    people: Sequence[tuple[int, int]], holders: Mapping[int, set[int]], *, each: int
) -> Shares:
    """Share people between those who may speak to them, evenly and in the order given.

    people: (person, place). holders: for each owner the places they hold. each: the most people
    that one owner gets, 1 or more. Nobody is given twice. A person whom somebody could speak to
    but for that limit is counted as too many.
    """
    by_owner: dict[int, list[int]] = {owner: [] for owner in holders}
    left_out: list[int] = []
    too_many = 0
    for person, place in people:
        able = [owner for owner in by_owner if place in holders[owner]]
        free = [owner for owner in able if len(by_owner[owner]) < each]
        if free:
            by_owner[min(free, key=lambda owner: len(by_owner[owner]))].append(person)
        elif able:
            too_many += 1
        else:
            left_out.append(person)
    return Shares(by_owner=by_owner, left_out=left_out, too_many=too_many)
