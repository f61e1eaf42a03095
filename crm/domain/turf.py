"""Whose somebody is: the one rule by which a person has a rep, or nobody.

Source of the number: method and law 1.6, one activist to ten workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

# More than these one rep cannot keep talking to.
THE_TEN: Final = 10


@dataclass(frozen=True, slots=True)
class Patch:
    """A place that a rep looks after on a day. shift: one shift of it, or None for all of it."""

    rep: int
    place: int
    shift: int | None


def patches_by_place(patches: Iterable[Patch]) -> dict[tuple[int, int | None], int]:
    """Return the rep of each place and shift. Of two for the same one the first counts."""
    found: dict[tuple[int, int | None], int] = {}
    for patch in patches:
        found.setdefault((patch.place, patch.shift), patch.rep)
    return found


def rep_of(
    places: Sequence[int],
    shift: int | None,
    *,
    picked_by: int | None,
    patches: Mapping[tuple[int, int | None], int],
) -> int | None:
    """Return the rep in charge of somebody who works there, or None when nobody is.

    places: where they work, the innermost first, up to the workplace. shift: None = not known.
    picked_by: the rep who has them by hand at this workplace. patches: see patches_by_place.
    A rep who has them by hand comes before any area; a smaller area before the larger one around
    it; one shift of an area before all of that area.
    """
    if picked_by is not None:
        return picked_by
    for place in places:
        for key in ((place, shift), (place, None)):
            if key in patches:
                return patches[key]
    return None


def talk_order(last_talk_on: date | None) -> tuple[bool, date]:
    """Return what to sort people by: nobody talked to them yet, then the oldest talk first."""
    return (last_talk_on is not None, last_talk_on or date.min)
