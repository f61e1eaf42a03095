"""Dates as a calendar file (iCalendar, RFC 5545)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from icalendar import Calendar, Event

# Says nothing of what made it: a calendar lies open on shared screens and at other firms.
PRODUCT: Final = "-//Dates//EN"
FETCH_AGAIN: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class WholeDay:
    """One line on one day. key: what tells it from others of that day, the same at each fetch."""

    day: date
    key: str
    words: str


def calendar_file(days: Iterable[WholeDay], *, name: str, seed: str, made_at: datetime) -> bytes:
    """Return the days as the bytes of an .ics file.

    name: of the calendar, as programs show it. seed: makes the ids of this calendar's own, and
    cannot be found from them. made_at: in UTC. Every line lasts the whole day, is marked private
    and leaves the day free.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", FETCH_AGAIN, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", "PT6H")
    for one in days:
        event = Event()
        text = f"{seed} {one.day.isoformat()} {one.key}"
        event.add("uid", hashlib.sha256(text.encode()).hexdigest()[:32])
        event.add("dtstamp", made_at)
        event.add("dtstart", one.day)
        event.add("dtend", one.day + timedelta(days=1))
        event.add("summary", one.words)
        event.add("class", "PRIVATE")
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    packed: bytes = calendar.to_ical()
    return packed
