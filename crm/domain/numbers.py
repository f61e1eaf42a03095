"""Numbers as text, rounded one way everywhere; and the codes for what is not a number.

Rounding is half up. A float is taken as the shortest decimal that names it, because the binary
number behind 0.1185 lies just under it and would wrongly round down.
A threshold is judged on exact counts, never on rounded figures.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeAlias

UNKNOWN: Final = "[x]"
NOT_APPLICABLE: Final = "[z]"
HIDDEN: Final = "[c]"
MOST_PLACES: Final = 6

Number: TypeAlias = int | float | Decimal | Fraction


def round_half_up(value: Number, places: int = 0) -> Decimal:
    """The value rounded to so many decimal places; a half goes away from zero.

    places: 0 or more. The result carries exactly that many places, so 12 with 1 gives 12.0.
    Raises ValueError for a value that is not finite, or for fewer than 0 places.
    """
    if places < 0:
        raise ValueError("Places must be 0 or more.")
    exact = _exact(value)
    units = math.floor(abs(exact) * 10**places + Fraction(1, 2))
    digits = tuple(int(digit) for digit in str(units))
    return Decimal((int(exact < 0 and units > 0), digits, -places))


def percent_text(fraction: Number | None, places: int = 1) -> str:
    """A fraction of 1 as a percentage without its sign: 0.1186 gives `11.9`; None gives `[x]`.

    Raises ValueError for a fraction that is not finite.
    """
    if fraction is None:
        return UNKNOWN
    return str(round_half_up(_exact(fraction) * 100, places))


def percent_beside(share: Number, *limits: Number, places: int = 1) -> str:
    """A share as a percentage without its sign that never reads as a limit which it is not.

    So 500 of 1,001 prints as `49.95` where 50 % are needed. places: the fewest decimals; as many
    more as it takes, up to 6. limits: shares that must be reached, as fractions of 1.
    Raises ValueError for a value that is not finite.
    """
    others = [limit for limit in limits if _exact(limit) != _exact(share)]
    text = percent_text(share, places)
    while places < MOST_PLACES and text in {percent_text(one, places) for one in others}:
        places += 1
        text = percent_text(share, places)
    return text


def share_text(numerator: Number, denominator: Number, places: int = 1) -> str:
    """A share as a percentage without its sign, rounded once from the exact division.

    A denominator of 0 gives `[z]`: a share of nobody does not apply.
    """
    if _exact(denominator) == 0:
        return NOT_APPLICABLE
    return percent_text(_exact(numerator) / _exact(denominator), places)


def people_text(people: Number | None) -> str:
    """A count of people: 1204 gives `1,204`, a weighted 62181.97 gives `62,182.0`; None `[x]`.

    Whole numbers print whole; any other prints with one decimal, so that it is seen to be one.
    """
    if people is None:
        return UNKNOWN
    if isinstance(people, int) or (isinstance(people, float) and people.is_integer()):
        # Nearly every count on a page is whole, and needs no exact arithmetic.
        return f"{int(people):,}"
    exact = _exact(people)
    return f"{round_half_up(exact, 0 if exact.denominator == 1 else 1):,}"


def _exact(value: Number) -> Fraction:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("A figure must be a finite number.")
        return Fraction(repr(value))
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("A figure must be a finite number.")
    return Fraction(value)
