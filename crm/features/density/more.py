"""Density on its several bases, and what stands beside it, as sentences and cells."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext
from flask_babel import ngettext as plural

from crm.domain.bases import Roster
from crm.domain.density import FEWEST_FOR_PERCENT, PeopleRange
from crm.domain.headcount import Workforce
from crm.domain.numbers import round_half_up
from crm.features.density.wording import span
from crm.reads.measures import Asked, Basis, Beside, Measures, UnionsHere
from crm.web.filters import day as day_text
from crm.web.filters import people as people_text
from crm.web.filters import percent as percent_of
from crm.web.labels import label

# More unions than this make a table that nobody reads; the rest stand together.
MOST_UNIONS = 5
MOST_WORKPLACES = 50


def _(message: str, **words: object) -> str:
    return str(gettext(message, **words))


def page(found: Measures, as_at: date) -> dict[str, Any]:
    """Return what the page shows, in words."""
    of_list = found.bases[0].counts is Roster.LIST
    return {
        "as_at": day_text(as_at),
        "bases": {
            "columns": [
                {"label": _("Out of")},
                {"label": _("Members"), "numeric": True},
                {"label": _("Workers"), "numeric": True},
                {"label": _("At least"), "numeric": True},
                {"label": _("At most"), "numeric": True},
                {"label": _("Places counted"), "numeric": True},
                {"label": _("Surely belong"), "numeric": True},
            ],
            "rows": [_basis(one) for one in found.bases],
            "caption": _("Density by whom it counts, %(day)s", day=day_text(as_at)),
        },
        "asked": [] if of_list else _asked(found),
        "beside": _beside(found.beside, as_at, of_list=of_list),
        "unions": _unions(found, as_at),
        "cells": _cells(found, as_at) if found.cells else None,
        "contracts": _contracts(found, as_at) if found.contracts else None,
    }


def _basis(one: Basis) -> list[Any]:
    few = one.workers is not None and one.workers.high < FEWEST_FOR_PERCENT
    return [
        label(one.counts),
        None if one.members is None else _people(one.members),
        None if one.workers is None else span(one.workers.low, one.workers.high),
        *(
            [None, None]
            if one.share is None
            else ["", ""]
            if few
            else [percent_of(one.share.low), percent_of(one.share.high)]
        ),
        _(
            "%(counted)s of %(places)s",
            counted=people_text(one.counted_places),
            places=people_text(one.places),
        ),
        people_text(one.surely),
    ]


def _people(members: PeopleRange) -> str:
    low, high = float(round_half_up(members.low)), float(round_half_up(members.high))
    return span(low, high) or ""


def _asked(found: Measures) -> list[str]:
    one: Asked | None = found.asked
    if one is None:
        return [
            _("Not worked out: there is no headcount, nobody was asked, or a union stated members.")
        ]
    said = [
        _(
            "%(members)s of the %(asked)s people whose membership we know are members.",
            members=people_text(one.members),
            asked=people_text(one.asked),
        )
    ]
    if one.workers < FEWEST_FOR_PERCENT:
        return [*said, _("Fewer than 10 workers: no per cents.")]
    bounds = found.total.fraction_range
    said.append(
        _(
            "If they are like all %(workers)s workers, between %(low)s and %(high)s are members "
            "(95 times in 100).",
            workers=people_text(one.workers),
            low=percent_of(one.interval.low),
            high=percent_of(one.interval.high),
        )
    )
    if bounds is not None:
        said.append(
            _(
                "Without that assumption: at least %(low)s, at most %(high)s.",
                low=percent_of(bounds.low),
                high=percent_of(bounds.high),
            )
        )
    said.append(
        _("They are often not alike: we ask people we know first. So it is usually too high.")
    )
    return said


def _beside(one: Beside, as_at: date, *, of_list: bool) -> dict[str, Any]:
    return {
        "columns": [
            {"label": _("Measure")},
            {"label": _("Count"), "numeric": True},
            {"label": _("Of all workers"), "numeric": True},
            {"label": _("For each"), "numeric": True},
            {"label": _("What it counts"), "wide": True},
        ],
        "rows": [
            *([] if of_list else _of_places(one)),
            [
                _("Organised"),
                people_text(one.organised),
                _share(one.organised, one.workers),
                "",
                _("Firmly with us, or took part in the last test."),
            ],
        ],
        "caption": _("Beside density, %(day)s", day=day_text(as_at)),
    }


def _of_places(one: Beside) -> list[list[Any]]:
    """The lines of reps and active users, who are of the places and on no list."""
    return [
        [
            _("Reps"),
            people_text(one.reps),
            _share(one.reps, one.workers),
            _for_each(one.reps, one),
            _("People with the role of a rep here, or at a part of it, today."),
        ],
        [
            _("Active"),
            people_text(one.active),
            _share(one.active, one.workers),
            "",
            _("Users who logged a talk or finished a reminder here in 90 days."),
        ],
    ]


def _share(people: int, workers: Workforce | None) -> str | None:
    if workers is None or workers.high == 0:
        return None
    if workers.high < FEWEST_FOR_PERCENT:
        return ""
    low = percent_of(min(1.0, people / workers.high))
    high = percent_of(min(1.0, people / workers.low) if workers.low else float(people > 0))
    return low if low == high else _("%(low)s to %(high)s", low=low, high=high)


def _for_each(reps: int, one: Beside) -> str | None:
    if not reps:
        return _("no rep")
    if one.workers is None:
        return None
    low, high = (float(round_half_up(end / reps, 1)) for end in (one.workers.low, one.workers.high))
    return _(
        "workers: %(workers)s, members: %(members)s",
        workers=span(low, high) or "",
        members=people_text(float(round_half_up(one.members.low / reps, 1))),
    )


def _cells(found: Measures, as_at: date) -> dict[str, Any]:
    """The table of areas and shifts: whether the reps are where the people are."""
    people = sum(cell.people for cell in found.cells)
    reps = sum(cell.reps for cell in found.cells)
    few = people < FEWEST_FOR_PERCENT
    return {
        "columns": [
            {"label": _("Area and shift")},
            {"label": _("People"), "numeric": True},
            {"label": _("Share of people"), "numeric": True},
            {"label": _("Reps"), "numeric": True},
            {"label": _("Share of reps"), "numeric": True},
            {"label": _("With no rep"), "numeric": True},
        ],
        "rows": [
            [
                ", ".join(
                    (
                        cell.area or _("area not known"),
                        cell.shift or _("shift not known"),
                    )
                ),
                people_text(cell.people),
                "" if few else percent_of(cell.people / people),
                people_text(cell.reps) if cell.reps else _("no rep"),
                "" if few or not reps else percent_of(cell.reps / reps),
                people_text(cell.nobody),
            ]
            for cell in found.cells
        ],
        "caption": _("People on our list and reps, %(day)s", day=day_text(as_at)),
    }


def _contracts(found: Measures, as_at: date) -> dict[str, Any]:
    """The table of kinds of contract: whether agency and short-term workers have a rep, too."""
    people, reps = found.contract_people, found.contract_reps
    few = people < FEWEST_FOR_PERCENT
    return {
        "columns": [
            {"label": _("Contract")},
            {"label": _("People"), "numeric": True},
            {"label": _("Share of people"), "numeric": True},
            {"label": _("Reps"), "numeric": True},
            {"label": _("Share of reps"), "numeric": True},
            {"label": _("With no rep"), "numeric": True},
        ],
        "rows": [
            [
                label(cell.contract),
                people_text(cell.people),
                "" if few else percent_of(cell.people / people),
                people_text(cell.reps) if cell.reps else _("no rep"),
                "" if few or not reps else percent_of(cell.reps / reps),
                people_text(cell.nobody),
            ]
            for cell in found.contracts
        ],
        "caption": _("People on our list and reps, by contract, %(day)s", day=day_text(as_at)),
        "base": _(
            "Shares are out of %(people)s people on our list, and out of %(reps)s reps who look "
            "after somebody here.",
            people=people_text(people),
            reps=people_text(reps),
        ),
    }


def _unions(found: Measures, as_at: date) -> dict[str, Any]:
    """The table of unions side by side, workplaces by name."""
    sums: dict[int, int] = {}
    for site in found.workplaces:
        for union, members in site.by_union.items():
            sums[union] = sums.get(union, 0) + members
        for union in site.recognised:
            sums.setdefault(union, 0)
    shown = sorted(sums, key=lambda union: (-sums[union], found.unions.get(union, "")))
    shown, rest = shown[:MOST_UNIONS], shown[MOST_UNIONS:]
    sites = [site for site in found.workplaces if site.by_union or site.recognised]
    return {
        "columns": [
            {"label": _("Workplace")},
            *({"label": found.unions.get(union, ""), "numeric": True} for union in shown),
            *([{"label": _("Other unions"), "numeric": True}] if rest else []),
            {"label": _("In more than one"), "numeric": True},
            {"label": _("Members of any"), "numeric": True},
            {"label": _("Recognised"), "wide": True},
        ],
        "rows": [_union_row(site, shown, rest, found) for site in sites[:MOST_WORKPLACES]],
        "caption": _("Members named, by union, %(day)s", day=day_text(as_at)),
        "left": str(
            plural(
                "%(num)s more workplace is not shown.",
                "%(num)s more workplaces are not shown.",
                len(sites) - MOST_WORKPLACES,
            )
        )
        if len(sites) > MOST_WORKPLACES
        else None,
    }


def _union_row(site: UnionsHere, shown: list[int], rest: list[int], found: Measures) -> list[Any]:
    names = sorted(found.unions[union] for union in site.recognised if union in found.unions)
    return [
        site.place.name,
        *(people_text(site.by_union.get(union, 0)) for union in shown),
        *([people_text(sum(site.by_union.get(union, 0) for union in rest))] if rest else []),
        people_text(site.several),
        people_text(site.any_union),
        ", ".join(names) or _("none that we know of"),
    ]
