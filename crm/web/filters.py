"""How numbers, days and moments are written. The only place that formats them for a page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import flask_babel
from flask import Flask
from flask_babel import gettext, ngettext
from jinja2 import pass_context
from jinja2.runtime import Context

from crm.domain.custom_fields import number_text
from crm.domain.numbers import people_text, percent_beside, percent_text
from crm.web.guard import my_zone
from crm.web.labels import NOT_KNOWN, label, rating_label


def install(app: Flask) -> None:
    """Register the filters with Jinja."""
    filters: dict[str, Callable[..., object]] = {
        "day": day,
        "moment": moment,
        "people": people,
        "percent": percent,
        "label": label,
        "rating": rating_label,
        "answer": answer,
    }
    for name, words in filters.items():
        add(app, name, words)


def add(app: Flask, name: str, words: Callable[..., object]) -> None:
    """Register a filter whose words depend on the reader.

    Jinja would call a plain function of a constant, like ``none|rating``, once: when a template
    is first opened, in the language of whoever opened it. All after them would read that one.
    """

    @pass_context
    def _for_reader(context: Context, *args: Any, **kwargs: Any) -> object:
        return words(*args, **kwargs)

    app.jinja_env.filters[name] = _for_reader


def day(value: date | None) -> str:
    """Return a day in words: 14 May 2026."""
    if value is None:
        return ""
    return str(flask_babel.format_date(value, "d MMMM y", rebase=False))


def moment(value: datetime | None, zone: str | None = None) -> str:
    """Return a moment in the place's time zone, or else the reader's: 14 May 2026, 18:05."""
    if value is None:
        return ""
    local = value.astimezone(ZoneInfo(zone or my_zone()))
    return str(flask_babel.format_datetime(local, "d MMMM y, HH:mm", rebase=False))


def people(value: float | None) -> str:
    """Return a number of people: 1,204; one decimal for a survey's weighted figure."""
    return people_text(value)


def percent(fraction: float | None, places: int = 0) -> str:
    """Return a fraction as a percentage with its sign: 38%."""
    return f"{percent_text(fraction, places)}%" if fraction is not None else ""


def chance_text(chance: float) -> str:
    """Return a chance of 0 to 1 as a percentage. Never 0% or 100%: drawn ballots prove nothing."""
    if chance >= 0.995:
        return str(gettext("over %(share)s", share="99%"))
    if chance < 0.005:
        return str(gettext("under %(share)s", share="1%"))
    return percent(chance)


def percent_by(share: float | Fraction, *limits: float | Fraction, places: int = 0) -> str:
    """Return a share as a percentage, with as many decimals as set it apart from each limit.

    For a share that stands next to a limit it must reach: 49.95%, not 50%, where it falls short.
    """
    return f"{percent_beside(share, *limits, places=places)}%"


def due_text(due_on: date, today: date) -> str:
    """Return how far off a day is, in words."""
    days = (due_on - today).days
    if days < 0:
        return str(ngettext("%(num)s day late", "%(num)s days late", -days))
    if days == 0:
        return str(gettext("Due today"))
    if days == 1:
        return str(gettext("Due tomorrow"))
    return str(ngettext("Due in %(num)s day", "Due in %(num)s days", days))


def answer(value: object) -> str:
    """Return the answer to a field of a branch as it is shown: Yes, 12.5, 14 May 2026, or words.

    "Not known" for None.
    """
    if value is None:
        return str(NOT_KNOWN)
    if isinstance(value, bool):
        return str(gettext("Yes")) if value else str(gettext("No"))
    if isinstance(value, date):
        return day(value)
    return number_text(value) if isinstance(value, float) else str(value)
