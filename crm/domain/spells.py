"""Spells of time: half-open `[from, to)`, where a `to` of None means still going on.

The last day that counts is the day before `to`, so that one spell can end and the next begin on
the same day with nothing counted twice. A spell whose two dates are equal covers no day.
"""

from __future__ import annotations

from datetime import date, datetime

from crm.domain.errors import DatesOutOfOrder


def check_order(from_: date, to: date | None) -> None:
    """Returns nothing when the dates are in order.

    Raises DatesOutOfOrder if the spell ends before it starts. Equal dates are in order.
    """
    if to is not None and to < from_:
        raise DatesOutOfOrder()


def covers(from_: date, to: date | None, day: date) -> bool:
    """Whether the spell `[from_, to)` was going on that day."""
    return from_ <= day and (to is None or day < to)


def overlaps(
    first_from: date, first_to: date | None, second_from: date, second_to: date | None
) -> bool:
    """Whether the two spells share at least one day."""
    starts = max(first_from, second_from)
    return covers(first_from, first_to, starts) and covers(second_from, second_to, starts)


def known_at(recorded_at: datetime, superseded_at: datetime | None, moment: datetime) -> bool:
    """Whether a fact was what we believed at that moment.

    recorded_at: when we wrote it down. superseded_at: when a correction took its place, or None.
    All three moments are in UTC, and all with or all without a time zone.
    Knowledge is half-open too: at the very moment of a correction only the new fact is believed.
    """
    return recorded_at <= moment and (superseded_at is None or moment < superseded_at)
