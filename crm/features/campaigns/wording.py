"""The sentences, charts and table cells of a test's figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from flask_babel import gettext, ngettext

from crm.domain.structure import FEWEST_FOR_PER_CENT, Deed, Tally, WhyNot, written_number
from crm.features.campaigns.queries import Line
from crm.reads.structure import HeldAt
from crm.web.filters import day as day_words
from crm.web.filters import moment, people, percent, percent_by
from crm.web.labels import label, rating_label


def rate_words(one: Tally, target: int | None = None) -> str:
    """Return the rate with its base: "31% to 42% (88 of 285)", or "6 of 9" for few people.

    target: in per cent; a rate that is not it never reads as if it were.
    """
    limits = () if target is None else (Fraction(target, 100),)
    if one.low is None or one.high is None:
        return str(gettext("nobody listed"))
    counts = gettext("%(did)s of %(all)s", did=people(one.did), all=people(one.listed))
    if one.listed < FEWEST_FOR_PER_CENT:
        if not one.unknown:
            return str(counts)
        return str(
            gettext(
                "%(low)s to %(high)s of %(all)s",
                low=people(one.did),
                high=people(one.most),
                all=people(one.listed),
            )
        )
    if one.unknown:
        return str(
            gettext(
                "%(low)s to %(high)s (%(counts)s)",
                low=percent_by(Fraction(one.did, one.listed), *limits),
                high=percent_by(Fraction(one.most, one.listed), *limits),
                counts=counts,
            )
        )
    share = percent_by(Fraction(one.did, one.listed), *limits)
    return str(gettext("%(share)s (%(counts)s)", share=share, counts=counts))


def target_words(held: HeldAt, today: date) -> str | None:
    """Return how many more are needed for the target, and until when; None without a target."""
    if held.target is None:
        return None
    more = held.tally.needed(held.target)
    goal = held.tally.needed(held.target) + held.tally.did
    if more == 0:
        return str(
            gettext(
                "The target of %(share)s%% is reached: %(did)s of %(goal)s.",
                share=held.target,
                did=people(held.tally.did),
                goal=people(goal),
            )
        )
    if held.closes_on is not None and held.closes_on < today:
        return str(
            gettext(
                "%(count)s short of %(share)s%% of everyone. The last day was %(day)s.",
                count=people(more),
                share=held.target,
                day=day_words(held.closes_on),
            )
        )
    needed = ngettext(
        "%(count)s more is needed to come to %(share)s%% of everyone.",
        "%(count)s more are needed to come to %(share)s%% of everyone.",
        more,
        count=people(more),
        share=held.target,
    )
    if held.closes_on is not None and held.closes_on >= today:
        last = gettext("The last day is %(day)s.", day=day_words(held.closes_on))
        return f"{needed} {last}"
    return str(needed)


def _limits(held: HeldAt) -> tuple[Fraction, ...]:
    return () if held.target is None else (Fraction(held.target, 100),)


def steps_chart(tests: Sequence[HeldAt], today: date) -> dict[str, Any]:
    """Return the chart of tests in the order they were held, one step each, with its table."""
    points = [
        {
            "label": str(number),
            "low": held.tally.low,
            "high": held.tally.high,
            "text": percent_by(Fraction(held.tally.did, held.tally.listed), *_limits(held))
            if held.tally.listed >= FEWEST_FOR_PER_CENT
            else f"{held.tally.did}/{held.tally.listed}",
            "target": held.target / 100 if held.target is not None else None,
        }
        for number, held in enumerate(tests, start=1)
    ]
    return {
        "title": _steps_title(tests),
        "reading": gettext(
            "The dark part took part. The light part is not known: they may have, or may not."
        ),
        "base": gettext("Everyone on the list of each test, also those nobody reached."),
        "as_at": day_words(today),
        "points": points,
        "table": {
            "columns": [
                {"label": gettext("Test")},
                {"label": gettext("Risk"), "numeric": True},
                {"label": gettext("List made")},
                {"label": gettext("On the list"), "numeric": True},
                {"label": gettext("Did it"), "numeric": True},
                {"label": gettext("Did not"), "numeric": True},
                {"label": gettext("Not known"), "numeric": True},
                {"label": gettext("Share of everyone")},
            ],
            "rows": [
                [
                    f"{number} {held.name}",
                    str(held.risk),
                    day_words(held.frozen_on),
                    people(held.tally.listed),
                    people(held.tally.did),
                    people(held.tally.did_not),
                    people(held.tally.unknown),
                    rate_words(held.tally, held.target),
                ]
                for number, held in enumerate(tests, start=1)
            ],
            "caption": gettext("The tests, in the order they were held"),
        },
    }


def _steps_title(tests: Sequence[HeldAt]) -> str:
    """Say what the last two tests tell for sure, and nothing that the unknown could undo."""
    shares = [held.tally for held in tests if held.tally.listed]
    if len(shares) < 2:
        return str(gettext("One test so far: a second one shows whether we grow"))
    before, last = shares[-2], shares[-1]
    # Compared as whole numbers: a/b > c/d is a·d > c·b.
    if last.did * before.listed > before.most * last.listed:
        return str(gettext("More of us took part in the last test than in the one before"))
    if last.most * before.listed < before.did * last.listed:
        return str(gettext("Fewer of us took part in the last test than in the one before"))
    return str(gettext("It is not sure whether the last test was bigger than the one before"))


def tally_columns(first: Sequence[str]) -> list[dict[str, Any]]:
    """Return the columns of a table of tallies, after those that say of whom."""
    return [
        *({"label": one} for one in first),
        {"label": gettext("On the list"), "numeric": True},
        {"label": gettext("Did it"), "numeric": True},
        {"label": gettext("Will, or not yet"), "numeric": True},
        {"label": gettext("Did not"), "numeric": True},
        {"label": gettext("Nothing known"), "numeric": True},
        {"label": gettext("Share of everyone")},
    ]


def tally_cells(one: Tally) -> list[str]:
    """Return the cells of a tally, as tally_columns heads them."""
    return [
        people(one.listed),
        people(one.did),
        people(one.will + one.not_yet),
        people(one.did_not),
        people(one.unheard),
        rate_words(one),
    ]


def funnel(one: Tally, frozen_on: date, as_at: date) -> dict[str, Any]:
    """Return the chart from the list to the deed: every bar out of everyone on the list."""
    rows = [
        {
            "label": words,
            "share": count / one.listed if count else None,
            "text": people(count),
            # What is not known is drawn as such, never as a no.
            "unknown": not_known,
        }
        for words, count, not_known in _reasons(one)
    ]
    return {
        "title": gettext(
            "%(did)s of %(all)s did it; of %(unknown)s it is not known",
            did=people(one.did),
            all=people(one.listed),
            unknown=people(one.unknown),
        ),
        "reading": gettext("Who only says they will counts as not known until they did it."),
        "base": gettext("Out of everyone on the list of %(day)s.", day=day_words(frozen_on)),
        "as_at": day_words(as_at),
        "rows": rows,
        "table": {
            "columns": [
                {"label": gettext("What we know")},
                {"label": gettext("People"), "numeric": True},
                {"label": gettext("Of everyone on the list"), "numeric": True},
            ],
            "rows": [
                [words, people(count), _share_of(count, one.listed)]
                for words, count, _not_known in _reasons(one)
            ],
            "caption": gettext("From the list to the deed"),
        },
    }


def _share_of(count: int, listed: int) -> str:
    """Return a count as a share of the list; of few people as a count alone."""
    if listed < FEWEST_FOR_PER_CENT:
        return str(gettext("%(some)s of %(all)s", some=people(count), all=people(listed)))
    return str(percent(count / listed))


def _reasons(one: Tally) -> list[tuple[str, int, bool]]:
    """Return what is known of those on the list: (words, count, whether it is not known)."""
    return [
        (gettext("Everyone on the list"), one.listed, False),
        (gettext("We have heard of them"), one.reached, False),
        (label(Deed.DID), one.did, False),
        (gettext("Say they will"), one.will, True),
        (gettext("Not yet"), one.not_yet, True),
        (label(WhyNot.REFUSED), one.refused, False),
        (label(WhyNot.ABSENT), one.absent, False),
        (label(WhyNot.NOT_REACHED), one.not_reached, False),
        (gettext("Did not, no reason written"), one.did_not_other, False),
        (gettext("Nothing known"), one.unheard, True),
    ]


def list_columns() -> list[dict[str, Any]]:
    """Return the columns of the frozen list."""
    return [
        {"label": gettext("Number")},
        {"label": gettext("Name")},
        {"label": gettext("Workplace")},
        {"label": gettext("Area")},
        {"label": gettext("Shift")},
        {"label": gettext("Stood at")},
        {"label": gettext("Listened to")},
        {"label": gettext("What they did")},
        {"label": gettext("How we know")},
        {"label": gettext("Written down")},
    ]


def list_cells(line: Line, salt: int, url: str | None) -> list[Any]:
    """Return the cells of one person on the list, as list_columns heads them."""
    did: Any = None
    if line.deed is not None:
        did = label(line.deed) if line.why is None else f"{label(line.deed)}: {label(line.why)}"
    return [
        written_number(line.number, salt),
        {"text": line.name or gettext("Somebody you do not see"), "url": url},
        line.workplace,
        line.area,
        line.shift,
        gettext("Not asked")
        if line.rating is None
        else f"{'' if line.firm else '~ '}{line.rating} {rating_label(line.rating)}",
        line.leader or gettext("nobody known"),
        did,
        label(line.evidence) if line.evidence else ("" if line.deed is None else None),
        ""
        if line.at is None
        else gettext(
            "%(moment)s by %(name)s", moment=moment(line.at), name=line.by or gettext("somebody")
        ),
    ]
