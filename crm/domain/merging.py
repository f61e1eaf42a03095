"""When spells of two records of one person say the same, and when they say opposite things."""

from __future__ import annotations

from datetime import date

from crm.domain.spells import overlaps
from crm.domain.timeline import MembershipStatus

Days = tuple[date, date | None]


def joined(first: Days, second: Days) -> Days | None:
    """Return the days `[from, to)` of both spells as one; None when a day lies between them.

    A `to` of None means still so, and stays so when either of the two is.
    """
    starts, ends = min(first[0], second[0]), None
    if first[1] is not None and second[1] is not None:
        ends = max(first[1], second[1])
    touch = first[1] == second[0] or second[1] == first[0]
    return (starts, ends) if touch or overlaps(*first, *second) else None


def contradict(
    first: tuple[int | None, MembershipStatus, Days],
    second: tuple[int | None, MembershipStatus, Days],
) -> bool:
    """Return True when two memberships cannot both be true on some day.

    Each is the union (None = any union at all), the status and the days: member and not a member
    of the same union, or a member of one while in none.
    """
    (union, status, days), (other_union, other_status, other_days) = first, second
    if status == other_status or not overlaps(*days, *other_days):
        return False
    return union == other_union or None in (union, other_union)
