"""The words of a row of law: what it asks for, since when, where from, and who has checked it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from wtforms.fields import SelectChoice

from crm.domain.rules import (
    Change,
    Comparator,
    Counted,
    Period,
    Rule,
    Threshold,
    Unit,
    rule_books,
)
from crm.web.filters import day as day_words
from crm.web.forms import options
from crm.web.labels import LABELS

# What may be said of a ballot or a claim so that a row applies to it.
SAID: Mapping[str, Any] = {
    "important_public_service": _("It is in an important public service"),
    "railway_or_airline": _("It is at a railway or an airline"),
    "construction": _("It is in construction"),
    "health_care": _("It is in health care"),
    "public_service": _("It is in a public service"),
    "several_employers": _("It is about several employers at once"),
    "state_employer": _("The state is the employer"),
}

_BOTH_SORTS = _("papers sent back")


def text_of(words: str) -> str:
    """Return a title or text of a rule file in the reader's language."""
    return str(gettext(words))


def law_choices() -> list[SelectChoice]:
    """Return the laws that there are rules of, by code."""
    return options((code, text_of(book.name)) for code, book in rule_books().items())


def share_words(share: Fraction) -> str:
    """Return an exact share in words that lose nothing: 50%, 66.5%, or 2/3."""
    for places in (1, 10):
        if (share * 100 * places).denominator == 1:
            value = share * 100
            return f"{int(value)}%" if places == 1 else f"{float(value):.1f}%"
    return f"{share.numerator}/{share.denominator}"


def counted_words(counted: Iterable[Counted]) -> str:
    """Return what is counted: "votes for", or "papers sent back" for valid and spoiled ones."""
    wanted = tuple(counted)
    if set(wanted) == {Counted.VALID, Counted.SPOILED}:
        return str(_BOTH_SORTS)
    return " + ".join(str(LABELS[one]) for one in wanted)


def threshold_words(threshold: Threshold) -> str:
    """Return what a test asks for."""
    parts = {
        "part": counted_words(threshold.numerator),
        "whole": counted_words(threshold.denominator),
        "share": share_words(threshold.value),
    }
    if threshold.comparator is Comparator.AT_LEAST:
        return str(gettext("Needs %(part)s: at least %(share)s of %(whole)s", **parts))
    return str(gettext("Needs %(part)s: more than %(share)s of %(whole)s", **parts))


def _length_words(length: int, unit: Unit) -> str:
    words = {
        Unit.HOURS: ngettext("%(num)s hour", "%(num)s hours", length),
        Unit.DAYS: ngettext("%(num)s day", "%(num)s days", length),
        Unit.WORKING_DAYS: ngettext("%(num)s working day", "%(num)s working days", length),
        Unit.WEEKS: ngettext("%(num)s week", "%(num)s weeks", length),
        Unit.MONTHS: ngettext("%(num)s month", "%(num)s months", length),
        Unit.YEARS: ngettext("%(num)s year", "%(num)s years", length),
    }
    return str(words[unit])


def period_words(period: Period) -> str:
    """Return a length of time, and the one the parties may agree instead."""
    plain = _length_words(period.length, period.unit)
    if period.by_agreement is None:
        return plain
    agreed = _length_words(period.by_agreement, period.unit)
    return str(
        gettext("%(plain)s, or %(agreed)s if the employer agrees", plain=plain, agreed=agreed)
    )


def value_words(rule: Rule) -> str | None:
    """Return what a row asks for as a figure; None for a duty, whose text says it."""
    if rule.threshold is not None:
        return threshold_words(rule.threshold)
    if rule.period is not None:
        return period_words(rule.period)
    return None if rule.number is None else str(rule.number)


def span_words(rule: Rule, changes: Iterable[Change], begun: Mapping[str, date]) -> str:
    """Return from when to when a row holds; an open change of law is named."""
    titles = {change.id: text_of(change.title) for change in changes}
    starts, ends = rule.starts(begun), rule.ends(begun)
    if starts is None:
        first = gettext(
            "from a day not known yet: “%(change)s”", change=titles.get(rule.from_change or "", "")
        )
    else:
        first = gettext("from %(day)s", day=day_words(starts))
    if ends is not None:
        last = gettext("until %(day)s", day=day_words(date.fromordinal(ends.toordinal() - 1)))
    elif rule.to_change is not None:
        last = gettext(
            "until a day not known yet: “%(change)s”", change=titles.get(rule.to_change, "")
        )
    else:
        last = gettext("no end known")
    return f"{first} · {last}"
