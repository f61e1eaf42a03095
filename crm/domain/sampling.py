"""What the people we asked would say of all, if they were typical: and only then.

Organisers ask friends first, so such an interval is usually too high. It never stands alone: the
bounds of crm/domain/density.py, which need no such assumption, stand beside it.
Source: Wilson's score interval with the finite-population variance (O'Neill 2021).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

# Two-sided, 95 in 100.
Z_95: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Interval:
    """Two shares of 1 between which the share of all lies 95 times in 100, 0 <= low <= high."""

    low: float
    high: float


def finite_wilson(yes: int, asked: int, everybody: int, z: float = Z_95) -> Interval:
    """Return the interval for the share of yes among everybody, from a sample without repeats.

    0 <= yes <= asked <= everybody, everybody at least 1; ValueError otherwise. Nobody asked gives
    0 to 1, everybody asked the share itself. Never beyond what is possible: yes ÷ everybody, and
    all but those who said no.
    """
    if not (0 <= yes <= asked <= everybody and everybody >= 1):
        raise ValueError("Counts must satisfy 0 <= yes <= asked <= everybody.")
    if asked == 0:
        return Interval(0.0, 1.0)
    share = yes / asked
    if asked == everybody:
        return Interval(share, share)
    size = asked * (everybody - 1) / (everybody - asked)
    k = z * z
    centre = (size * share + k / 2) / (size + k)
    half = z / (size + k) * math.sqrt(size * share * (1 - share) + k / 4)
    return Interval(
        max(centre - half, yes / everybody),
        min(centre + half, (everybody - asked + yes) / everybody),
    )
