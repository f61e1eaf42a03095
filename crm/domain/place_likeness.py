"""What makes two workplaces look like one, in words; and the words of names that say little.

How alike two names are is worked out in crm/analysis/place_likeness.py.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Final

from crm.domain.likeness import Band

_EARTH: Final = 6_371_000.0  # metres, the mean radius
_LONGEST_ABBREVIATION: Final = 4


class PlaceReason(enum.StrEnum):
    """One thing that two workplaces have in common, or in which they differ."""

    SAME_NAME = "same_name"
    NEAR_NAME = "near_name"
    PART_OF_NAME = "part_of_name"
    SAME_ADDRESS = "same_address"
    SAME_POSTCODE = "same_postcode"
    CLOSE_BY = "close_by"
    SAME_STREET = "same_street"
    OTHER_ADDRESS = "other_address"


def join_initials(folded: str) -> str:
    """Return a folded name with letters that stand alone one after another as one word.

    `wath d c` gives `wath dc`: with dots and without them it is the same name.
    """
    found: list[str] = []
    alone = False
    for word in folded.split():
        single = len(word) == 1 and word.isalpha()
        if single and alone:
            found[-1] += word
        else:
            found.append(word)
        alone = single
    return " ".join(found)


def with_and_without_dots(folded: str) -> set[str]:
    """Return the other folded forms that a name can have by the dots in its abbreviations.

    `wath dc` gives `wath d c`, and the other way round. Of several short words only one at a time
    is taken apart.
    """
    joined = join_initials(folded)
    words = joined.split()
    found = {joined}
    for at, word in enumerate(words):
        if 2 <= len(word) <= _LONGEST_ABBREVIATION and word.isalpha():
            found.add(" ".join((*words[:at], *word, *words[at + 1 :])))
    return found - {folded}


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """What is known of a workplace, as far as it is compared. None = not known."""

    name: str
    address: str | None = None
    postcode: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class PlaceLikeness:
    """How alike two workplaces are. share: of the longer name that is in both, 0 to 1.

    band: None = not worth showing. Only SURE may be ticked beforehand.
    """

    band: Band | None
    share: float
    reasons: tuple[PlaceReason, ...]


def metres_between(one: KnownPlace, other: KnownPlace) -> float | None:
    """Return how far apart two workplaces are, by the haversine formula; None = not known."""
    places = (one.latitude, one.longitude, other.latitude, other.longitude)
    if None in places:
        return None
    north, east, other_north, other_east = (radians(part or 0.0) for part in places)
    half = sin((other_north - north) / 2) ** 2
    half += cos(north) * cos(other_north) * sin((other_east - east) / 2) ** 2
    return 2 * _EARTH * asin(sqrt(half))


# Words of names that many workplaces have, and that lists leave out as they like.
EMPTY_WORDS: Final = frozenset(
    (
        *("the", "of", "and", "at", "for", "in", "a", "an", "inc", "incorporated", "ltd"),
        *("limited", "plc", "llp", "llc", "co", "company", "corp", "corporation", "group"),
        *("site", "sites", "services", "service"),
    )
)
# One way of writing a word for the others, folded.
SAME_WORDS: Final[Mapping[str, str]] = {
    "center": "centre",
    "ctr": "centre",
    "cntr": "centre",
    "saint": "st",
    "dept": "department",
    "hosp": "hospital",
    "univ": "university",
    "sch": "school",
    "assoc": "association",
    "assn": "association",
    "mount": "mt",
    "intl": "international",
    "natl": "national",
    "dist": "district",
}
STREETS: Final[Mapping[str, str]] = {
    "street": "st",
    "road": "rd",
    "avenue": "ave",
    "av": "ave",
    "lane": "ln",
    "drive": "dr",
    "boulevard": "blvd",
    "place": "pl",
    "court": "ct",
    "parkway": "pkwy",
    "square": "sq",
    "close": "cl",
    "terrace": "ter",
    "crescent": "cres",
    "highway": "hwy",
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
}
# Words that the names of most unions have.
OF_UNIONS: Final = frozenset(
    (
        *("the", "of", "and", "for", "in", "at", "to", "a", "an", "union", "unions", "workers"),
        *("worker", "local", "branch", "lodge", "no", "number", "ind", "independent", "aflcio"),
        *("afl", "cio", "tuc", "international", "national", "amalgamated", "united"),
        *("brotherhood", "association"),
    )
)
