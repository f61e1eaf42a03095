"""Which records look like one person: words compared with RapidFuzz, and blocks that say which
records are compared at all.

Names are bags of folded words in any script: which word is the family name is not asked, so that
swapped names cost nothing. See crm/domain/likeness.py for the points.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from heapq import nlargest
from itertools import combinations
from math import log2

from rapidfuzz.distance import OSA, DamerauLevenshtein, JaroWinkler, Prefix
from rapidfuzz.fuzz import token_sort_ratio

from crm.domain.identity import fold
from crm.domain.likeness import (
    POINTS,
    Band,
    Known,
    Likeness,
    Reason,
    band_of,
    may_go_by,
    order,
    other_forms,
)
from crm.domain.search import cuts

# Titles and particles say nothing of who somebody is.
_EMPTY_WORDS = frozenset(
    word
    for line in (
        "mr mrs ms miss mx dr prof sir dame lord lady rev captain major general jr sr ii iii",
        "baron baronet bt earl viscount marquess duke count 1st 2nd 3rd 4th 5th 6th 7th 8th 9th",
        "the of de la le du van von der den bin bint al el da dos das di del st saint",
    )
    for word in line.split()
)
# A block of more records than this is a common name or a shared office line: it says nothing.
LARGEST_BLOCK = 60
_MOST_WORDS = 12

_EXACT = 5.0
_NEAR = 3.5
_SHORT = 3.5
_INITIAL = 1.0
_ADDED = -0.5
_AGAINST = -6.0
# From here on, on the scale of Jaro and Winkler (0 to 1), two words may be one word with slips.
_ALIKE = 0.9
_FEW_WORDS = 2000


@dataclass(frozen=True, slots=True)
class Words:
    """A name taken apart: its whole words and its initials, each with its points when it fits."""

    whole: tuple[str, ...]
    initials: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record ready to be compared: its fullest name, every word it goes by, and the rest."""

    known: Known
    name: Words
    every_word: frozenset[str]
    written: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records, by their place in what was given, and how alike they are."""

    first: int
    second: int
    likeness: Likeness


def prepare(known: Known) -> Prepared:
    """Return the record ready to be compared."""
    split = [_words(name) for name in known.names if name]
    fullest = max(
        split,
        key=lambda one: (len(one.whole), len(one.initials)),
        default=Words((), ()),
    )
    return Prepared(
        known=known,
        name=fullest,
        every_word=frozenset(word for one in split for word in one.whole),
        written=frozenset(" ".join(sorted((*one.whole, *one.initials))) for one in split),
    )


def compare(
    one: Prepared, other: Prepared, commonness: Mapping[str, float] | None = None
) -> Likeness:
    """Return how alike two records are.

    commonness: the points of a word that is the same in both, by how rare it is among the records
    (see ``points_of_words``); a word that is not in it has the usual points.
    """
    reasons: list[tuple[Reason, float]] = []
    points_by_word = commonness or {}
    agree = _compare_names(one, other, points_by_word, reasons)
    shares = _compare_rest(one.known, other.known, reasons)
    points = sum(value for _, value in reasons)
    return Likeness(
        points=points,
        band=band_of(points, names_agree=agree, shares_something=shares),
        reasons=tuple(reasons),
        can_be_sure=agree and shares,
    )


def points_of_words(records: Iterable[Prepared]) -> dict[str, float]:
    """Return the points of each word when it is the same in two records: 2.5 for the commonest,
    up to 7 for a word that hardly anybody has."""
    counted = Counter(word for record in records for word in record.every_word)
    return points_of_counts(counted, sum(counted.values()))


def points_of_counts(counted: Mapping[str, int], everybody: int) -> dict[str, float]:
    """Return the points of words that so many records have. everybody: the words of all records.

    See ``points_of_words``. A word that is counted as 0 has the points of one record.
    """
    # Among few people every name is rare: that says little of how many have it elsewhere.
    everybody = max(everybody, _FEW_WORDS)
    return {
        word: min(7.0, max(2.5, 0.75 * log2(everybody / max(number, 1))))
        for word, number in counted.items()
    }


def find_pairs(records: Sequence[Known]) -> list[Pair]:
    """Return the pairs that look like one person, the likeliest first.

    Only records that share a block are compared: a phone, a mail address, an address, two words of
    the name (also with a slip), or a word of the name and a workplace or a day.
    """
    prepared = [prepare(record) for record in records]
    points = points_of_words(prepared)
    pairs = []
    for first, second in _in_one_block(prepared):
        likeness = compare(prepared[first], prepared[second], points)
        if likeness.band is not None:
            pairs.append(Pair(first, second, likeness))
    return sorted(pairs, key=lambda pair: (pair.likeness.band is Band.MAYBE, -pair.likeness.points))


def kept_keys(record: Prepared) -> set[int]:
    """Return the numbers under which a record is kept, so that those like it find it.

    The same phone, mail address, address or two words; a word, or the head of one, at the same
    workplace. Slips are asked for by whoever looks: see ``asked_keys``.
    """
    known = record.known
    whole = _telling(record)
    keys: list[tuple[object, ...]] = [("phone", one) for one in known.phones]
    keys += [("mail", one) for one in known.mails]
    keys += [key for address in known.addresses for key in _address_keys(address)]
    keys += [("two", one, other) for one, other in combinations(whole, 2)]
    for place in known.workplaces:
        keys += [("head and workplace", word[:3], place) for word in whole]
        keys += [("word and workplace", word, place) for word in whole]
    return {_number_of(key) for key in keys}


def asked_keys(record: Prepared, near: Mapping[str, Collection[str]]) -> set[int]:
    """Return the numbers under which records like this one may be kept.

    near: for each of its words the known words that are nearly the same, without itself.
    """
    whole = _telling(record)
    keys: list[tuple[object, ...]] = []
    for word in whole:
        forms = other_forms(word)
        for other in {*near.get(word, ()), *forms}:
            keys += [("two", *sorted((other, one))) for one in whole if one != word]
        for place in record.known.workplaces:
            keys += [("word and workplace", form, place) for form in forms]
    return kept_keys(record) | {_number_of(key) for key in keys}


def word_number(word: str) -> int:
    """Return the number under which it is kept that a record has this word."""
    return _number_of(("word", word))


def near_words(word: str, known: Iterable[str]) -> list[str]:
    """Return those of the known words that may be this one with slips, without itself."""
    found = []
    for other in known:
        allowed = _slips(word, other)
        if other == word or not allowed:
            continue
        near = OSA.distance(word, other, score_cutoff=allowed) <= allowed
        if near or JaroWinkler.similarity(word, other, score_cutoff=_ALIKE):
            found.append(other)
    return found


def _number_of(key: tuple[object, ...]) -> int:
    digest = blake2b(repr(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def find_matches(
    records: Sequence[Known], others: Sequence[Known]
) -> list[list[tuple[int, Likeness]]]:
    """Return for each record those of the others that look like the same person, likeliest first.

    An entry is the place among the others and the likeness. Blocks as for ``find_pairs``; those of
    more than LARGEST_BLOCK of the others are left out.
    """
    if not others:
        return [[] for _ in records]
    prepared = [prepare(other) for other in others]
    points = points_of_words(prepared)
    asking = [prepare(record) for record in records]
    keys = [set(_block_keys(mine)) for mine in asking]
    # Only the blocks that somebody asks for: the others of a large workplace have millions.
    wanted = set().union(*keys)
    blocks: defaultdict[object, list[int]] = defaultdict(list)
    for number, other in enumerate(prepared):
        for key in wanted.intersection(_block_keys(other)):
            blocks[key].append(number)
    found: list[list[tuple[int, Likeness]]] = []
    for mine, my_keys in zip(asking, keys, strict=True):
        near = {
            number
            for key in my_keys
            if len(blocks.get(key, ())) <= LARGEST_BLOCK
            for number in blocks.get(key, ())
        }
        compared = [(number, compare(mine, prepared[number], points)) for number in sorted(near)]
        found.append(
            sorted(
                (one for one in compared if one[1].band is not None),
                key=lambda one: (one[1].band is Band.MAYBE, -one[1].points, one[0]),
            )
        )
    return found


def _in_one_block(records: Sequence[Prepared]) -> list[tuple[int, int]]:
    blocks: defaultdict[object, list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        for key in set(_block_keys(record)):
            blocks[key].append(number)
    return order(
        (first, second)
        for members in blocks.values()
        if 1 < len(members) <= LARGEST_BLOCK
        for place, first in enumerate(members)
        for second in members[place + 1 :]
    )


def _telling(record: Prepared) -> list[str]:
    """Return the words of a name that blocks are made of: the longest, where it has very many.

    The number of blocks grows with the square of the number of words: a list of names of fifty
    words each would fill the memory of the server.
    """
    return sorted(nlargest(_MOST_WORDS, record.every_word, key=lambda word: (len(word), word)))


def _block_keys(record: Prepared) -> Iterator[object]:
    known = record.known
    yield from (("phone", one) for one in known.phones)
    yield from (("mail", one) for one in known.mails)
    for address in known.addresses:
        yield from _address_keys(address)
    whole = _telling(record)
    heads = [word[:3] for word in whole]
    for place, word in enumerate(whole):
        for later in whole[place + 1 :]:
            yield ("two", word, later)
            # One of the two may have a slip anywhere: the other, and some rest of this one.
            yield from (("slip", word, cut) for cut in _cuts(later))
            yield from (("slip", later, cut) for cut in _cuts(word))
    for head in heads:
        yield from (("head and day", head, day) for day in known.days)
        yield from (("head and workplace", head, place) for place in known.workplaces)
    for word in whole:
        for form in sorted(other_forms(word)):
            yield from (
                ("form and workplace", *sorted((form, word)), at) for at in known.workplaces
            )
            yield from (("form", *sorted((form, word)), one) for one in whole if one != word)


def _address_keys(address: str) -> Iterator[tuple[object, ...]]:
    """The number of the house and the end (the postcode, or the town)."""
    parts = address.split()
    yield ("address", address)
    yield ("ends of address", parts[0], parts[-1])
    yield ("head of address", *parts[:2])
    yield ("end of address", *parts[-2:])


# Many people have the same names; each is worked out once.
_cuts = lru_cache(maxsize=50_000)(cuts)


@lru_cache(maxsize=200_000)
def _words(name: str) -> Words:
    words = [word for word in fold(name).split() if word not in _EMPTY_WORDS]
    whole: list[str] = []
    for word in words:
        if len(word) > 1:
            whole += _signs(word)
    return Words(tuple(dict.fromkeys(whole)), tuple(w for w in words if len(w) == 1))


def _signs(word: str) -> list[str]:
    """A name written without spaces (Chinese, Japanese, Korean): its first sign and the rest."""
    if _script(word) == "CJK" and len(word) > 1:
        return [word[:1] + "-", "-" + word[1:]]
    return [word]


@lru_cache(maxsize=200_000)
def _script(word: str) -> str:
    name = unicodedata.name(word[0], "").split(" ", 1)[0]
    return "CJK" if name in {"CJK", "HIRAGANA", "KATAKANA", "HANGUL"} else name


def _compare_names(
    one: Prepared,
    other: Prepared,
    points: Mapping[str, float],
    reasons: list[tuple[Reason, float]],
) -> bool:
    """Add the reasons of the names; return True when they agree in two whole words or more."""
    if not one.name.whole or not other.name.whole:
        if one.written & other.written:
            reasons.append((Reason.SAME_NAME, _EXACT))
        return False
    if _script(one.name.whole[0]) != _script(other.name.whole[0]):
        return False
    if _runs_together(one.name.whole, other.name.whole):
        reasons.append((Reason.NEAR_NAME, 2 * _NEAR))
        return True
    fit = _Fit(list(one.name.whole), list(other.name.whole))
    same = fit.take_same()
    if same and one.written & other.written:
        # Written alike in full: worth something also where the name is a common one.
        reasons.append((Reason.SAME_NAME, max(_EXACT, _sum(same, points))))
    elif same:
        reasons.append((Reason.SAME_WORDS, _sum(same, points)))
    near, short = fit.take_near()
    # Amir and Amira, Petrov and Petrova: near enough to ask, never to be sure.
    sure_near = near - fit.of_two_sexes
    # A word of one that the other goes by too, though not in the fullest name.
    short += fit.take_known(one.every_word, other.every_word)
    initials = fit.take_initials(one.name.initials, other.name.initials)
    found = (
        (Reason.NEAR_NAME, near * _NEAR),
        (Reason.SHORT_NAME, short * _SHORT),
        (Reason.INITIAL, initials * _INITIAL),
        (Reason.OTHER_NAME, _AGAINST if fit.against else 0.0),
        (Reason.ONE_NAME, 0.0 if fit.against else _ADDED * len(fit.mine + fit.theirs)),
    )
    reasons += [(reason, value) for reason, value in found if value]
    return len(same) + sure_near + short >= 2 and not fit.against


def _sum(words: Iterable[str], points: Mapping[str, float]) -> float:
    return sum(points.get(word, _EXACT) for word in words)


@dataclass(slots=True)
class _Fit:
    """The words of two names that have found nothing of the other yet."""

    mine: list[str]
    theirs: list[str]
    against: bool = False
    of_two_sexes: int = 0

    def take_same(self) -> list[str]:
        same = [word for word in self.mine if word in self.theirs]
        self.mine = [word for word in self.mine if word not in same]
        self.theirs = [word for word in self.theirs if word not in same]
        return same

    def take_near(self) -> tuple[int, int]:
        """Return how many words are nearly the same, and how many another form of one."""
        kinds: list[Reason] = []
        for word in list(self.mine):
            found = _nearest(word, self.theirs)
            if found is not None:
                kind, match = found
                self.mine.remove(word)
                self.theirs.remove(match)
                kinds.append(kind)
                if kind is Reason.NEAR_NAME and _of_two_sexes(word, match):
                    self.of_two_sexes += 1
        return kinds.count(Reason.NEAR_NAME), kinds.count(Reason.SHORT_NAME)

    def take_known(self, my_words: frozenset[str], their_words: frozenset[str]) -> int:
        """Return 1 when a word left over is one that the other goes by elsewhere, else 0."""
        known = {word for word in self.mine if word in their_words}
        known |= {word for word in self.theirs if word in my_words}
        self.mine = [word for word in self.mine if word not in known]
        self.theirs = [word for word in self.theirs if word not in known]
        return 1 if known else 0

    def take_initials(self, mine: Sequence[str], theirs: Sequence[str]) -> int:
        """Return how many initials fit; whatever then speaks against one person is noted."""
        both = set(mine) & set(theirs)
        my_loose = _without_fitting([one for one in mine if one not in both], self.theirs)
        their_loose = _without_fitting([one for one in theirs if one not in both], self.mine)
        fitting = len(mine) + len(theirs) - len(both) - len(my_loose) - len(their_loose)
        self.against = bool(
            (self.mine and self.theirs)
            or (my_loose and (self.theirs or their_loose))
            or (their_loose and self.mine)
        )
        return fitting


def _without_fitting(initials: Iterable[str], words: list[str]) -> list[str]:
    """Take the words that begin with one of the initials out; return the initials left over."""
    loose = []
    for initial in initials:
        word = next((one for one in words if one.startswith(initial)), None)
        if word is None:
            loose.append(initial)
        else:
            words.remove(word)
    return loose


def _runs_together(mine: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether names are the same but for slips when their spaces are left out: "boxha ll"."""
    if len(mine) == len(theirs):
        return False
    one, other = "".join(mine), "".join(theirs)
    return min(len(one), len(other)) >= 8 and OSA.distance(one, other, score_cutoff=2) <= 2


def _nearest(word: str, others: Sequence[str]) -> tuple[Reason, str] | None:
    best: tuple[int, str] | None = None
    for other in others:
        allowed = _slips(word, other)
        if allowed:
            between = OSA.distance(word, other, score_cutoff=allowed)
            if between <= allowed and (best is None or between < best[0]):
                best = between, other
    if best is not None:
        return Reason.NEAR_NAME, best[1]
    for other in others:
        if may_go_by(word, other):
            return Reason.SHORT_NAME, other
    alike = [(JaroWinkler.similarity(word, one, score_cutoff=_ALIKE), one) for one in others]
    score, found = max(alike, default=(0.0, ""))
    return (Reason.NEAR_NAME, found) if score and min(len(word), len(found)) >= 4 else None


_ENDS = frozenset({("", "a"), ("", "e"), ("i", "a"), ("o", "a"), ("y", "a"), ("", "na")})


def _of_two_sexes(one: str, other: str) -> bool:
    """Whether two words differ only in an end that tells a woman's name from a man's."""
    head = Prefix.similarity(one, other)
    ends = (one[head:], other[head:])
    return ends in _ENDS or ends[::-1] in _ENDS


def _slips(word: str, other: str) -> int:
    shorter = min(len(word), len(other))
    if shorter < 4:
        return 0
    return 2 if shorter >= 6 else 1


def _compare_rest(one: Known, other: Known, reasons: list[tuple[Reason, float]]) -> bool:
    """Add the reasons of everything but the name; return True when one identifier is the same."""
    found: list[Reason] = []
    if one.phones and other.phones:
        found.append(Reason.SAME_PHONE if one.phones & other.phones else Reason.OTHER_PHONE)
    if one.mails and other.mails:
        if one.mails & other.mails:
            found.append(Reason.SAME_MAIL)
        elif any(
            DamerauLevenshtein.distance(a, b, score_cutoff=2) <= 2
            for a in one.mails
            for b in other.mails
        ):
            found.append(Reason.NEAR_MAIL)
        else:
            found.append(Reason.OTHER_MAIL)
    if one.addresses and other.addresses:
        if one.addresses & other.addresses:
            found.append(Reason.SAME_ADDRESS)
        elif any(token_sort_ratio(a, b) >= 75 for a in one.addresses for b in other.addresses):
            found.append(Reason.NEAR_ADDRESS)
    if one.days and other.days:
        found.append(_days(one.days, other.days))
    if one.workplaces & other.workplaces:
        found.append(Reason.SAME_WORKPLACE)
        if one.areas & other.areas:
            found.append(Reason.SAME_AREA)
    reasons += [(reason, POINTS[reason]) for reason in found]
    return not _IDENTIFIERS.isdisjoint(found)


_IDENTIFIERS = {
    Reason.SAME_PHONE,
    Reason.SAME_MAIL,
    Reason.NEAR_MAIL,
    Reason.SAME_ADDRESS,
    Reason.NEAR_ADDRESS,
    Reason.SAME_DAY,
    Reason.NEAR_DAY,
}


def _days(mine: frozenset[str], theirs: frozenset[str]) -> Reason:
    if mine & theirs:
        return Reason.SAME_DAY
    for one in mine:
        for other in theirs:
            first, second = one.replace("-", ""), other.replace("-", "")
            if OSA.distance(first, second) <= 1 or (
                sorted(first[4:]) == sorted(second[4:]) and (first[:4] == second[:4])
            ):
                return Reason.NEAR_DAY
    return Reason.OTHER_DAY
