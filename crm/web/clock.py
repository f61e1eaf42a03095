"""The one place that reads the clock; tests put another function in its place."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)


def today(zone: str) -> date:
    """Return the day it is now in a time zone (an IANA name such as Europe/London)."""
    return now().astimezone(ZoneInfo(zone)).date()
