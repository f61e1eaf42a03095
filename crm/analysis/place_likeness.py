"""Which workplaces, and which names of unions, stand for the same one.

A workplace is held against another by the words of its name, each weighed by how rare it is, and
by the number and the street of its address. A union is known by the words of its name or by their
first letters, and a branch of it by its number. What is sure may be ticked beforehand; the rest is
for somebody to look at. Measured in docs/benchmarks.md.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log2
from typing import Final

from rapidfuzz.distance import OSA

from crm.domain.identity import fold
from crm.domain.likeness import Band
from crm.domain.place_likeness import (
    EMPTY_WORDS,
    OF_UNIONS,
    SAME_WORDS,
    STREETS,
    KnownPlace,
    PlaceLikeness,
    PlaceReason,
    join_initials,
    metres_between,
)

LARGEST_BLOCK: Final = 60
_LARGEST_WIDE_BLOCK: Final = 200
_FEW_WORDS: Final = 500
# Shares of the weight of a name: of the heavier of the two, and of the lighter.
_SURE_OF_HEAVIER: Final = 0.5
_SURE_OF_LIGHTER: Final = 0.75
_MAYBE_BY_POSTCODE: Final = 0.8
_MAYBE_ON_A_STREET: Final = 0.8
_MAYBE_WITHOUT_ADDRESS: Final = 0.9
_LEAST_WEIGHT: Final = 5.0
_CLOSE_BY: Final = 150.0  # metres
_FAR_AWAY: Final = 2_000.0


@dataclass(frozen=True, slots=True)
class PreparedPlace:
    """A workplace ready to be compared. number and postcode: None = not known."""

    known: KnownPlace
    words: tuple[str, ...]
    number: str | None
    street: tuple[str, ...]
    postcode: str | None


@dataclass(frozen=True, slots=True)
class PlacePair:
    """Two workplaces, by their place in what was given, and how alike they are."""

    first: int
    second: int
    likeness: PlaceLikeness


def prepare_place(known: KnownPlace) -> PreparedPlace:
    """Return the workplace ready to be compared."""
    words = (SAME_WORDS.get(word, word) for word in join_initials(fold(known.name)).split())
    number, street = _address(known.address or "")
    return PreparedPlace(
        known=known,
        words=tuple(dict.fromkeys(word for word in words if word not in EMPTY_WORDS)),
        number=number,
        street=street,
        postcode="".join(fold(known.postcode).split()) if known.postcode else None,
    )


def _address(text: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the house number and the other words; of 7146-48 the number is 7146."""
    parts = [STREETS.get(word, word) for word in fold(text).split()]
    number = next((part for part in parts if part[0].isdigit()), None)
    digits = None if number is None else re.match(r"\d+", number)
    return (
        None if digits is None else digits[0],
        tuple(part for part in parts if part != number and (len(part) > 2 or part[0].isdigit())),
    )


def compare_places(
    one: PreparedPlace, other: PreparedPlace, weights: Mapping[str, float]
) -> PlaceLikeness:
    """Return how alike two workplaces are. weights: of words, see ``weights_of_words``."""
    lighter, heavier, weight = _shares(one, other, weights)
    reasons = []
    if heavier >= 0.999:
        reasons.append(PlaceReason.SAME_NAME)
    elif lighter >= _SURE_OF_LIGHTER:
        reasons.append(PlaceReason.NEAR_NAME)
    elif lighter:
        reasons.append(PlaceReason.PART_OF_NAME)
    where = _where(one, other)
    if where is not None:
        reasons.append(where)
    band = None
    agree = heavier >= _SURE_OF_HEAVIER or lighter >= _SURE_OF_LIGHTER
    if where is PlaceReason.SAME_ADDRESS:
        band = Band.SURE if agree else Band.MAYBE
    elif where is PlaceReason.CLOSE_BY:
        band = Band.MAYBE if agree else None
    elif where is PlaceReason.SAME_POSTCODE:
        band = Band.MAYBE if heavier >= _MAYBE_BY_POSTCODE else None
    elif where is PlaceReason.SAME_STREET:
        band = Band.MAYBE if lighter >= _MAYBE_ON_A_STREET else None
    elif where is None:
        enough = lighter >= _MAYBE_WITHOUT_ADDRESS and weight >= _LEAST_WEIGHT
        band = Band.MAYBE if enough or heavier >= 0.999 else None
    return PlaceLikeness(band=band, share=heavier, reasons=tuple(reasons))


def _shares(
    one: PreparedPlace, other: PreparedPlace, weights: Mapping[str, float]
) -> tuple[float, float, float]:
    """Return how much of the lighter and of the heavier name is in both, and its weight."""

    def _weight(word: str) -> float:
        return weights.get(word, 7.0)

    left = list(other.words)
    both = 0.0
    for word in one.words:
        match = word if word in left else next((got for got in left if _near(word, got)), None)
        if match is not None:
            left.remove(match)
            both += min(_weight(word), _weight(match))
    sums = sorted((sum(map(_weight, one.words)), sum(map(_weight, other.words))))
    if not sums[0]:
        return 0.0, 0.0, 0.0
    return min(1.0, both / sums[0]), min(1.0, both / sums[1]), both


def _where(one: PreparedPlace, other: PreparedPlace) -> PlaceReason | None:
    """Return what the addresses say; None when nothing is known of one of them."""
    near = any(_near(mine, theirs) for mine in one.street[:2] for theirs in other.street[:2])
    if one.number and other.number and near:
        return PlaceReason.SAME_ADDRESS if one.number == other.number else PlaceReason.SAME_STREET
    metres = metres_between(one.known, other.known)
    if metres is not None and metres <= _CLOSE_BY:
        return PlaceReason.CLOSE_BY
    if one.postcode and one.postcode == other.postcode:
        return PlaceReason.SAME_POSTCODE
    if metres is not None and metres > _FAR_AWAY:
        return PlaceReason.OTHER_ADDRESS
    if near:
        return PlaceReason.SAME_STREET
    if (one.street and other.street) or (one.postcode and other.postcode):
        return PlaceReason.OTHER_ADDRESS
    return None


def _near(one: str, other: str) -> bool:
    """Whether two words are one word, perhaps with slips."""
    if one == other:
        return True
    shorter = min(len(one), len(other))
    if shorter < 4:
        return False
    allowed = 2 if shorter >= 7 else 1
    return OSA.distance(one, other, score_cutoff=allowed) <= allowed


def weights_of_words(places: Iterable[PreparedPlace]) -> dict[str, float]:
    """Return the weight of each word of the names: 0.5 for the commonest, 7 for the rarest."""
    return _weights(Counter(word for place in places for word in place.words))


def _weights(counted: Counter[str]) -> dict[str, float]:
    everything = max(sum(counted.values()), _FEW_WORDS)
    return {
        word: min(7.0, max(0.5, 0.75 * log2(everything / number)))
        for word, number in counted.items()
    }


def find_place_pairs(places: Sequence[KnownPlace]) -> list[PlacePair]:
    """Return the pairs that look like one workplace, the surest first.

    Only places that share a block are compared: the number and a word of the street, two words of
    the name, the whole name, the postcode.
    """
    prepared = [prepare_place(place) for place in places]
    weights = weights_of_words(prepared)
    blocks: defaultdict[object, list[int]] = defaultdict(list)
    for number, place in enumerate(prepared):
        for key in set(_keys(place)):
            blocks[key].append(number)
    pairs = {
        pair
        for members in blocks.values()
        if 1 < len(members) <= LARGEST_BLOCK
        for pair in combinations(members, 2)
    }
    found = []
    for first, second in sorted(pairs):
        likeness = compare_places(prepared[first], prepared[second], weights)
        if likeness.band is not None:
            found.append(PlacePair(first, second, likeness))
    return sorted(found, key=lambda one: (one.likeness.band is Band.MAYBE, -one.likeness.share))


def find_like_places(
    asked: KnownPlace, places: Sequence[KnownPlace]
) -> list[tuple[int, PlaceLikeness]]:
    """Return which of the places look like the one asked about, the surest first.

    An entry is the place among the places and the likeness.
    """
    prepared = [prepare_place(place) for place in places]
    weights = weights_of_words(prepared)
    mine = prepare_place(asked)
    compared = [
        (number, compare_places(mine, other, weights)) for number, other in enumerate(prepared)
    ]
    return sorted(
        (one for one in compared if one[1].band is not None),
        key=lambda one: (one[1].band is Band.MAYBE, -one[1].share, one[0]),
    )


def find_like_for_each(
    asked: Sequence[KnownPlace], places: Iterable[KnownPlace]
) -> list[list[tuple[int, PlaceLikeness]]]:
    """Return for each one asked about which of the places look like it, the surest first.

    As ``find_like_places`` for many at once: an entry is the place among the places and the
    likeness. The places are gone through once, and only those that share a block with one asked
    about are kept: the blocks of pairs, and the first or the last letters of a word of the name.
    """
    mine = [prepare_place(one) for one in asked]
    wanted: defaultdict[object, list[int]] = defaultdict(list)
    for number, prepared in enumerate(mine):
        for key in set(_wide_keys(prepared)):
            wanted[key].append(number)
    counted: Counter[str] = Counter()
    near: dict[int, PreparedPlace] = {}
    blocks: defaultdict[object, list[int]] = defaultdict(list)
    for number, known in enumerate(places):
        place = prepare_place(known)
        counted.update(place.words)
        for key in set(_wide_keys(place)):
            if key in wanted and len(blocks[key]) <= _LARGEST_WIDE_BLOCK:
                blocks[key].append(number)
                near[number] = place
    weights = _weights(counted)
    pairs = {
        (one, other)
        for key, members in blocks.items()
        if len(members) <= _LARGEST_WIDE_BLOCK
        for one in wanted[key]
        for other in members
    }
    found: list[list[tuple[int, PlaceLikeness]]] = [[] for _ in mine]
    for one, other in sorted(pairs):
        likeness = compare_places(mine[one], near[other], weights)
        if likeness.band is not None:
            found[one].append((other, likeness))
    for each in found:
        each.sort(key=lambda one: (one[1].band is Band.MAYBE, -one[1].share, one[0]))
    return found


def _wide_keys(place: PreparedPlace) -> Iterator[object]:
    yield from _keys(place)
    for word in place.words:
        yield ("begins", word[:4])
        yield ("ends", word[-4:])


def _keys(place: PreparedPlace) -> Iterator[object]:
    if place.number:
        yield from (("address", place.number, word[:4]) for word in place.street)
    yield from (("two", *pair) for pair in combinations(sorted(place.words), 2))
    yield ("name", *sorted(place.words))
    if place.postcode:
        yield from (("postcode", place.postcode, word) for word in place.words)


# --- Unions -----------------------------------------------------------------------------------


def compare_unions(one: str, other: str) -> Band | None:
    """Return how sure it is that two names are of one union, or of one branch of it.

    A branch goes by its number: two names with other numbers are never one. SURE when the numbers
    agree, or neither has one, and all words of one are in the other, or one has the first letters
    of the other. A name of several branches is never sure. Nor is one word, when the other name
    has more words of its own: "Teachers" is in the names of several unions, and the branches of
    each are numbered from 1, so such a word and a number are met in two unions by chance.
    """
    my_numbers, mine = _union(one)
    their_numbers, theirs = _union(other)
    if my_numbers and their_numbers and not my_numbers & their_numbers:
        return None
    my_words = [word for word in mine if word not in OF_UNIONS]
    their_words = [word for word in theirs if word not in OF_UNIONS]
    if not my_words or not their_words:
        # "Public and Commercial Services" and "Workers United" are more than their small words.
        return Band.SURE if mine and mine == theirs and my_numbers == their_numbers else None
    letters = _is_initials(my_words, theirs) or _is_initials(their_words, mine)
    together = "".join(my_words) == "".join(their_words)
    share = max(_share_in(my_words, their_words), _share_in(their_words, my_words))
    fits = letters or together or share == 1
    one_numbered = my_numbers == their_numbers and len(my_numbers) <= 1
    if one_numbered and fits and (letters or together or _says_enough(my_words, their_words)):
        return Band.SURE
    return Band.MAYBE if fits or share >= 0.5 else None


def union_named(asked: str, names: Mapping[str, int] | Mapping[str, str]) -> int | str | None:
    """Return what the one name stands for that is surely meant; None for none or for several.

    names: what each name stands for; several names may stand for the same.
    """
    found = {key for name, key in names.items() if compare_unions(asked, name) is Band.SURE}
    return found.pop() if len(found) == 1 else None


def _union(text: str) -> tuple[frozenset[str], list[str]]:
    """Return the numbers of a name, without zeros before them, and its words."""
    apart = re.sub(r"(?<=[^\W\d_])(?=\d)", " ", fold(text))
    numbers, words = set(), []
    for word in apart.split():
        if word[0].isdigit():
            numbers.add(re.sub(r"\D.*", "", word).lstrip("0"))
        else:
            words.append(SAME_WORDS.get(word, word))
    return frozenset(numbers), words


def _is_initials(words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether one of the words is made of the first letters of the others."""
    small = {"of", "and", "the", "for", "in", "at", "local", "branch", "a"}
    letters = {
        "".join(word[0] for word in others),
        "".join(word[0] for word in others if word not in small),
    }
    return any(len(word) >= 3 and word in letters for word in words)


def _share_in(words: Sequence[str], others: Sequence[str]) -> float:
    found = sum(any(_near_or_short(word, other) for other in others) for word in words)
    return found / len(words)


def _says_enough(words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two names have two words of their own in common, or each has but one."""
    fewest, most = sorted((len(set(words)), len(set(others))))
    return fewest > 1 or most == 1


def _near_or_short(one: str, other: str) -> bool:
    short = min(len(one), len(other)) >= 4 and (one.startswith(other) or other.startswith(one))
    return short or _near(one, other)
