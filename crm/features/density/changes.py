"""What changed between two days, as sentences and table cells. Nothing is counted here."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as later
from flask_babel import ngettext as plural

from crm.domain.bases import PARTS, Roster
from crm.domain.density import is_small
from crm.domain.movement import ADDS, Cause, Effect
from crm.domain.numbers import round_half_up
from crm.features.density.queries import Changes, Filters
from crm.features.density.wording import basis_name, change_text, span
from crm.web.filters import day as day_text
from crm.web.filters import people as people_text
from crm.web.filters import percent as percent_of
from crm.web.labels import label

# In the order of the page: what adds members, what takes them away, what moves the workers only.
CAUSES: dict[Cause, Any] = {
    Cause.RECRUITED: later("Here before, now known to be members"),
    Cause.RECRUITED_NEW: later("New on our list, now known to be members"),
    Cause.CAME_AS_MEMBER: later("New on our list, a member already"),
    Cause.STATED: later("Members a union states without names"),
    Cause.MEMBER_LEFT: later("Members who left the job"),
    Cause.LAPSED: later("Left the union"),
    Cause.NO_LONGER_KNOWN: later("Were members, now not known"),
    Cause.CAME: later("New on our list, not a member or not known"),
    Cause.OTHER_LEFT: later("Left the job, not a member or not known"),
    Cause.HEADCOUNT: later("Workers we cannot name: more or fewer"),
}


def _(message: str, **words: object) -> str:
    return str(gettext(message, **words))


def page(found: Changes, filters: Filters) -> dict[str, Any]:
    """Return what the page of changes shows, in words."""
    moved = found.movement
    before = moved.everywhere.before.members + moved.stated_before
    after = moved.everywhere.after.members + moved.stated_after
    return {
        "headline": _headline(found, before, after),
        "not_known": _(
            "On our list, membership not known: %(before)s then, %(after)s now.",
            before=people_text(moved.everywhere.before.not_known),
            after=people_text(moved.everywhere.after.not_known),
        ),
        "stated_once": None
        if not moved.stated_once
        else str(
            plural(
                "At %(n)s place a union had stated its members on only one of the two days. What "
                "it stated there is no change of members.",
                "At %(n)s places a union had stated its members on only one of the two days. What "
                "it stated there is no change of members.",
                moved.stated_once,
                n=people_text(moved.stated_once),
            )
        ),
        "members": _members(found),
        "share": _share(found, filters),
        "year": _year(found),
        "names": found.names,
        "basis": basis_name(filters.counts, found.names.get("saved")),
    }


def _headline(found: Changes, before: float, after: float) -> str:
    moved = found.movement
    words = {
        "before": people_text(before),
        "after": people_text(after),
        "first": day_text(moved.first),
        "last": day_text(moved.last),
    }
    if moved.stated_once:
        return _(
            "Members we know of: %(before)s on %(first)s, %(after)s on %(last)s.",
            **words,
        )
    return _(
        "Members: %(before)s on %(first)s, %(after)s on %(last)s. Change: %(change)s.",
        change=change_text(after - before),
        **words,
    )


def _members(found: Changes) -> dict[str, Any]:
    """The table of members: the parts add up to the change."""
    moved = found.movement
    counted = moved.everywhere.by_cause()
    rows = [
        [
            str(CAUSES[cause]),
            people_text(counted[cause]),
            change_text(counted[cause] * ADDS[cause][0]),
            change_text(counted[cause] * ADDS[cause][1]),
        ]
        for cause in CAUSES
        if counted.get(cause)
    ]
    stated = moved.stated_after - moved.stated_before
    if stated:
        rows.append([str(CAUSES[Cause.STATED]), "", change_text(stated), "0"])
    then, now = moved.everywhere.before, moved.everywhere.after
    return {
        "columns": [
            {"label": _("What happened")},
            {"label": _("People"), "numeric": True},
            {"label": _("Members"), "numeric": True},
            {"label": _("On our list"), "numeric": True},
        ],
        "rows": [
            [
                day_text(moved.first),
                "",
                people_text(then.members + moved.stated_before),
                people_text(then.people),
            ],
            *rows,
        ],
        "foot": [
            day_text(moved.last),
            "",
            people_text(now.members + moved.stated_after),
            people_text(now.people),
        ],
        "caption": _(
            "Members and people on our list, %(first)s to %(last)s",
            first=day_text(moved.first),
            last=day_text(moved.last),
        ),
        "nothing": not rows,
    }


def _share(found: Changes, filters: Filters) -> dict[str, Any]:
    """The table of the share: what each cause added to "at least", in points."""
    moved = found.movement
    places = (
        plural(
            "People of the list worked at %(n)s place on the first or the last day.",
            "People of the list worked at %(n)s places on the first or the last day.",
            moved.places,
            n=people_text(moved.places),
        )
        if filters.counts is Roster.LIST
        else _(
            "%(counted)s of %(places)s places have a headcount on both days.",
            counted=people_text(moved.counted_places),
            places=people_text(moved.places),
        )
    )
    if filters.counts in PARTS:
        return {"places": places, "table": None, "part": _of_part(found, filters)}
    if not moved.counted_places or not (moved.before.workers and moved.after.workers):
        return {"places": places, "table": None, "small": False, "part": None}
    if (
        any(
            total.workforce is not None and is_small(total.workforce)
            for total in (moved.total_before, moved.total_after)
        )
        or min(moved.before.workers, moved.after.workers) < 10
    ):
        return {"places": places, "table": None, "small": True, "part": None}
    order = list(CAUSES)
    causes = sorted(
        (one for one in moved.effects if one.members or one.workers),
        key=lambda one: order.index(one.cause),
    )
    first = moved.before.members / moved.before.workers
    last = moved.after.members / moved.after.workers
    return {
        "places": places,
        "small": False,
        "headline": _(
            "At least %(before)s then, at least %(after)s now: %(change)s points.",
            before=percent_of(first, 1),
            after=percent_of(last, 1),
            change=_points(sum((one.share or Fraction() for one in causes), Fraction())),
        ),
        "biggest": _biggest(causes),
        "table": {
            "columns": [
                {"label": _("What happened")},
                {"label": _("Members"), "numeric": True},
                {"label": _("Workers"), "numeric": True},
                {"label": _("Share: points"), "numeric": True},
            ],
            "rows": [
                [
                    day_text(moved.first),
                    people_text(moved.before.members),
                    people_text(moved.before.workers),
                    percent_of(first, 1),
                ],
                *(
                    [
                        str(CAUSES[one.cause]),
                        change_text(float(one.members)),
                        change_text(float(one.workers)),
                        _points(one.share or Fraction()),
                    ]
                    for one in causes
                ),
            ],
            "foot": [
                day_text(moved.last),
                people_text(moved.after.members),
                people_text(moved.after.workers),
                percent_of(last, 1),
            ],
            "caption": _(
                "What moved the share, %(first)s to %(last)s",
                first=day_text(moved.first),
                last=day_text(moved.last),
            ),
        },
        "basis": basis_name(filters.counts, found.names.get("saved")),
    }


def _of_part(found: Changes, filters: Filters) -> list[str]:
    """Return the share out of a part of the workers on both days, and why it has no causes."""
    moved = found.movement
    said = []
    for day, total in ((moved.first, moved.total_before), (moved.last, moved.total_after)):
        share = total.fraction_range
        if share is None or total.workforce is None:
            said.append(_("%(day)s: not known, nobody has counted them.", day=day_text(day)))
        elif is_small(total.workforce):
            said.append(
                _(
                    "%(day)s: %(members)s members of %(workers)s workers.",
                    day=day_text(day),
                    members=span(
                        float(round_half_up(total.member_range.low)),
                        float(round_half_up(total.member_range.high)),
                    ),
                    workers=span(total.workforce.low, total.workforce.high),
                )
            )
        else:
            said.append(
                _(
                    "%(day)s: at least %(low)s, at most %(high)s.",
                    day=day_text(day),
                    low=percent_of(share.low),
                    high=percent_of(share.high),
                )
            )
    return [
        *said,
        _(
            "What moved it cannot be told apart, because for some people nobody wrote down whether "
            "they belong to: %(basis)s. Choose everybody at the place to see the causes.",
            basis=label(filters.counts),
        ),
    ]


def _biggest(causes: Iterable[Effect]) -> str | None:
    """Return which cause moved the share most, in words."""
    most = max(causes, key=lambda one: abs(one.share or Fraction()), default=None)
    if most is None or not most.share:
        return None
    return _(
        "What moved it most: %(cause)s (%(points)s points).",
        cause=str(CAUSES[most.cause]).lower(),
        points=_points(most.share),
    )


def _points(share: Fraction) -> str:
    """Return a change of a share in points with its sign, to one decimal place."""
    points = round_half_up(share * 100, 1)
    if points == 0:
        return "0.0"
    return f"+{points}" if points > 0 else f"\u2212{-points}"


def _year(found: Changes) -> dict[str, Any]:
    """Who left in the twelve months, in sentences."""
    year = found.year
    said = [
        str(
            plural(
                "%(people)s person left the job from %(first)s to %(last)s.",
                "%(people)s people left the job from %(first)s to %(last)s.",
                year.left,
                people=people_text(year.left),
                first=day_text(found.year_from),
                last=day_text(found.movement.last),
            )
        )
    ]
    if year.leaver_share is not None and year.named_on_average is not None:
        on_average = float(round_half_up(year.named_on_average, 1))
        said.append(
            _(
                "On average we named %(people)s people (mean of 12 month ends).",
                people=people_text(on_average),
            )
        )
        if year.named_on_average >= 10:
            said.append(
                _(
                    "So %(share)s of them left in the year.",
                    share=percent_of(float(year.leaver_share)),
                )
            )
    return {
        "sentences": said,
        "rows": [
            (_("Members who left the job"), people_text(year.members_left)),
            (_("Still here, and left the union"), people_text(year.resigned)),
            (
                _("Still here, were members, now not known"),
                people_text(year.no_longer_known),
            ),
            (
                _("Must join in such a year just to stand still, without those not known"),
                people_text(year.stand_still),
            ),
        ],
        "workers": _workers(found),
    }


def _workers(found: Changes) -> str | None:
    """Return the workers of the last day beside the leavers; None when not counted."""
    used = found.movement.total_after.workforce
    if used is None:
        return None
    return _(
        "%(workers)s workers by the headcount. People we cannot name leave unseen, "
        "so more may have left.",
        workers=span(used.low, used.high) or "",
    )
