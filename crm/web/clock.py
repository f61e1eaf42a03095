"""The one place that reads the clock; tests put another function in its place."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_AREAS_OF_THE_WORLD = (
    "Africa",
    "America",
    "Antarctica",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


def now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)


def today(zone: str) -> date:
    """Return the day it is now in a time zone (an IANA name such as Europe/London)."""
    return now().astimezone(ZoneInfo(zone)).date()


def end_of(day: date, zone: str) -> datetime:
    """Return the first moment after a day in a time zone."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))


@lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    """Return the IANA names that a person or a workplace may keep their time by, in order."""
    return tuple(
        sorted(
            zone
            for zone in available_timezones()
            if zone == "UTC" or zone.partition("/")[0] in _AREAS_OF_THE_WORLD
        )
    )
