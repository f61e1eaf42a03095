"""Why the members and the share changed between two days: parts that add up to the whole.

A person is, on each of two days, off our list, or on it and a member, not a member or not known.
How many went from which to which is all that is needed: every change of the counts is the sum of
some of these moves, and so is every change of the share. Nothing is left over, and nothing is
called a loss that was only somebody leaving the job.

Source: method paper 2.2 (6): "a fall in density may be hiring, not loss: show members and workers
apart".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fractions import Fraction
from typing import Final


class State(IntEnum):
    """What is known on a day of somebody and the union asked for. Being a member wins."""

    NOT_KNOWN = 0
    NOT_MEMBER = 1
    MEMBER = 2


@dataclass(frozen=True, slots=True)
class Move:
    """One person's two days: whether they had a job here, and what was known of membership."""

    here_before: bool
    before: State
    here_after: bool
    after: State


class Cause(StrEnum):
    """What changed a count. Each person falls under one at most; see cause_of."""

    RECRUITED = "recruited"
    RECRUITED_NEW = "recruited_new"
    CAME_AS_MEMBER = "came_as_member"
    CAME = "came"
    LAPSED = "lapsed"
    NO_LONGER_KNOWN = "no_longer_known"
    MEMBER_LEFT = "member_left"
    OTHER_LEFT = "other_left"
    # Members that a union states without names: more or fewer than before.
    STATED = "stated"
    # Workers whom we cannot name: the rest of the change of the headcount.
    HEADCOUNT = "headcount"


# What one person of a cause adds to the members named and to the people named.
ADDS: Final[Mapping[Cause, tuple[int, int]]] = {
    Cause.RECRUITED: (1, 0),
    Cause.RECRUITED_NEW: (1, 1),
    Cause.CAME_AS_MEMBER: (1, 1),
    Cause.CAME: (0, 1),
    Cause.LAPSED: (-1, 0),
    Cause.NO_LONGER_KNOWN: (-1, 0),
    Cause.MEMBER_LEFT: (-1, -1),
    Cause.OTHER_LEFT: (0, -1),
}


def cause_of(move: Move) -> Cause | None:
    """Return what the move did to the counts; None when it changed none of them.

    Somebody who came on to the list and is a member was recruited if they were not known to be a
    member on the first day, and came as a member if they were.
    """
    if move.here_before and move.here_after:
        if (move.before is State.MEMBER) == (move.after is State.MEMBER):
            return None
        if move.after is State.MEMBER:
            return Cause.RECRUITED
        return Cause.LAPSED if move.after is State.NOT_MEMBER else Cause.NO_LONGER_KNOWN
    if move.here_after:
        if move.after is not State.MEMBER:
            return Cause.CAME
        return Cause.CAME_AS_MEMBER if move.before is State.MEMBER else Cause.RECRUITED_NEW
    if move.here_before:
        return Cause.MEMBER_LEFT if move.before is State.MEMBER else Cause.OTHER_LEFT
    return None


@dataclass(frozen=True, slots=True)
class Named:
    """People on the list on one day: members, known not to be, and not known."""

    members: int
    not_members: int
    not_known: int

    @property
    def people(self) -> int:
        """Everybody on the list."""
        return self.members + self.not_members + self.not_known


@dataclass(frozen=True, slots=True)
class Moves:
    """How many people made each move between the two days. Counts are 0 or more."""

    counts: Mapping[Move, int]

    @property
    def before(self) -> Named:
        """The list on the first day."""
        return self._named(lambda move: (move.here_before, move.before))

    @property
    def after(self) -> Named:
        """The list on the second day."""
        return self._named(lambda move: (move.here_after, move.after))

    def by_cause(self) -> dict[Cause, int]:
        """Return how many people fall under each cause; a cause that nobody does is 0."""
        found = dict.fromkeys(ADDS, 0)
        for move, people in self.counts.items():
            cause = cause_of(move)
            if cause is not None:
                found[cause] += people
        return found

    def _named(self, of: Callable[[Move], tuple[bool, State]]) -> Named:
        sums = dict.fromkeys(State, 0)
        for move, people in self.counts.items():
            here, state = of(move)
            if here:
                sums[state] += people
        return Named(sums[State.MEMBER], sums[State.NOT_MEMBER], sums[State.NOT_KNOWN])


@dataclass(frozen=True, slots=True)
class Whole:
    """Members and workers of the same places on one day, as the figure shown was made of them."""

    members: float
    workers: float


@dataclass(frozen=True, slots=True)
class Effect:
    """One cause: its people, what it did to members and workers, and to the share.

    people: of the cause; for STATED and HEADCOUNT the change itself, which may be below 0.
    share: what it added to members ÷ workers, as a fraction of 1, exact; None when there is no
    share on both days.
    """

    cause: Cause
    people: Fraction
    members: Fraction
    workers: Fraction
    share: Fraction | None


def effects(moves: Moves, before: Whole, after: Whole) -> tuple[Effect, ...]:
    """Return what each cause did; the parts add up exactly to the change of the whole.

    before, after: members and workers as the figures of the two days were made of them. What they
    hold beyond the people named is given to STATED (members) and HEADCOUNT (workers).

    With M members and E workers the change of the share is
    M1/E1 - M0/E0 = dM · (1/E0 + 1/E1)/2 - dE · (M0 + M1)/(2 · E0 · E1),
    which is linear in dM and dE: so each cause has its own part, and the order of the causes does
    not matter. Workers of 0 on either day: no share, and the parts have counts only.
    """
    m0, e0, m1, e1 = (
        _exact(number) for number in (before.members, before.workers, after.members, after.workers)
    )
    counted = moves.by_cause()
    found: list[tuple[Cause, Fraction, Fraction, Fraction]] = [
        (cause, Fraction(people), Fraction(people * members), Fraction(people * workers))
        for cause, people in counted.items()
        for members, workers in (ADDS[cause],)
    ]
    stated = (m1 - m0) - sum((one[2] for one in found), Fraction())
    unnamed = (e1 - e0) - sum((one[3] for one in found), Fraction())
    found += [
        (Cause.STATED, stated, stated, Fraction()),
        (Cause.HEADCOUNT, unnamed, Fraction(), unnamed),
    ]
    if e0 <= 0 or e1 <= 0:
        return tuple(Effect(*one, share=None) for one in found)
    of_member = (1 / e0 + 1 / e1) / 2
    of_worker = -(m0 + m1) / (2 * e0 * e1)
    return tuple(
        Effect(cause, people, members, workers, members * of_member + workers * of_worker)
        for cause, people, members, workers in found
    )


@dataclass(frozen=True, slots=True)
class YearOfChange:
    """Who left in the days [first, last], of the people named.

    left: had a job here on some of the days and none on the last. members_left: of them, members
    on their last day here. resigned: still here on the last day, members on an earlier one since
    they came, and known not to be on the last. no_longer_known: the same, but on the last day
    nobody knows. named_on_average: the mean of the people named at each month end; None when
    nobody was ever named.
    """

    left: int
    members_left: int
    resigned: int
    no_longer_known: int
    named_on_average: Fraction | None

    @property
    def leaver_share(self) -> Fraction | None:
        """Leavers ÷ the people named on average; above 1 when most jobs were short."""
        if not self.named_on_average:
            return None
        return self.left / self.named_on_average

    @property
    def stand_still(self) -> int:
        """How many people must join in such a year so that the members do not grow fewer.

        Source: method paper 2.2 (6): members leaving the work and members resigning. Those whose
        membership is only not known any more are in neither.
        """
        return self.members_left + self.resigned


def _exact(number: float) -> Fraction:
    # The shortest decimal that names the float: weighted people print the same way.
    return Fraction(repr(float(number)))
