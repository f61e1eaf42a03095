"""Public holidays of each country, for periods of law that count working days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache

import holidays

# Northern Ireland has laws and holidays of its own; every other law here holds in a whole country
# or in the part that its code names.
_PARTS = {"GB": ("ENG", "SCT", "WLS"), "NI": ("NIR",)}
_COUNTRIES = {"NI": "GB"}
# Swedish offices are closed on the eve of Midsummer, of Christmas and of the New Year: "de facto".
# Bank closings are not taken: many begin in the afternoon.
_SORTS = ("public", "de_facto")


def days_off(code: str) -> Callable[[date], bool]:
    """Return whether a day is a public holiday under the law of this code (GB, NI, CA-BC, ...).

    A holiday in any part of the country counts: so a notice is never told to be in time when it is
    late somewhere. Saturdays and Sundays are not told of. Holidays declared after the release of
    the library are not known, and those that follow the moon are estimated.
    """
    return _of(code).__contains__


@lru_cache(maxsize=64)
def _of(code: str) -> holidays.HolidayBase:
    country, _, part = code.partition("-")
    country = _COUNTRIES.get(country, country)
    whole = _calendar(country, None)
    parts = _PARTS.get(code) or ((part,) if part else whole.subdivisions)
    found = whole
    for one in parts:
        found = found + _calendar(country, one)
    return found


def _calendar(country: str, part: str | None) -> holidays.HolidayBase:
    known = set(holidays.country_holidays(country).supported_categories)
    return holidays.country_holidays(
        country, subdiv=part, categories=tuple(one for one in _SORTS if one in known)
    )
