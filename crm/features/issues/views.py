"""What matters to people at a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, render_template, request, url_for
from flask_babel import format_date, gettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.vocabulary import ISSUES, PlaceKind
from crm.features.issues import queries
from crm.features.issues.forms import IssuesForm
from crm.reads.issues import Raised
from crm.web.db import unit_of_work
from crm.web.filters import people, percent
from crm.web.guard import my_today, requires
from crm.web.labels import label
from crm.web.pages import address_of

bp = Blueprint("issues", __name__)

# Months in the trend, the month of the day being the last.
TREND_MONTHS = 12
# Issues that get a column of the trend; a wider table is not read on a phone.
TREND_ISSUES = 5
# A share of fewer people than this is said in people only.
LEAST_FOR_PERCENT = 10

_PAGE_OF = {
    PlaceKind.WORKPLACE: ("workplaces.show", "place_id"),
    PlaceKind.AREA: ("workplaces.area", "area_id"),
    PlaceKind.BRANCH: ("workplaces.branch", "branch_id"),
    PlaceKind.UNION: ("workplaces.union", "union_id"),
    PlaceKind.EMPLOYER: ("workplaces.employer", "employer_id"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """The heading of a column."""

    label: str
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One issue: its word, the share of the base that raised it, the same in words, its words."""

    word: str
    share: float
    text: str
    url: str


def install(app: Flask) -> None:
    """Register the page of this feature."""
    app.register_blueprint(bp)


@bp.get("/places/<uuid:place_id>/issues")
@requires(Permission.CONTACT_READ)
def show(scope: Scope, place_id: UUID) -> str:
    """Show what people at the place raised, as at a day."""
    form = IssuesForm(formdata=request.args)
    today = my_today()
    since, as_at = form.check(today)
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_issues(
            session,
            scope,
            place_id,
            since=since,
            as_at=as_at,
            trend_from=_months_back(as_at),
            issue=form.chosen_issue(),
        )
    if form.as_at.data is None and not form.as_at.errors:
        form.as_at.data = today
    total = found.total
    order = sorted(ISSUES, key=lambda code: (-total.by_issue.get(code, 0), ISSUES.index(code)))
    raised = [code for code in order if total.by_issue.get(code)]
    endpoint, name = _PAGE_OF.get(found.kind, ("workplaces.index", ""))
    return render_template(
        "issues/show.html",
        form=form,
        found=found,
        total=total,
        since=since,
        as_at=as_at,
        everything=form.back.data == "all",
        lines=[_line(code, total, place_id) for code in raised],
        never=[label(code) for code in order if code not in raised],
        tables=_tables(found, raised),
        trend=_trend(found),
        chosen=label(form.chosen_issue()) if form.chosen_issue() else None,
        place_url=address_of(endpoint, **({name: place_id} if name else {})),
        talk_url=lambda talk_id: address_of("conversations.show", talk_id=talk_id),
    )


def _months_back(as_at: date) -> date:
    months = as_at.year * 12 + as_at.month - TREND_MONTHS
    return date(months // 12, months % 12 + 1, 1)


def share_text(part: int, whole: int) -> str:
    """Return "12 of 30 people (40%)"; without the percentage for fewer than ten people."""
    words = gettext("%(part)s of %(whole)s people", part=people(part), whole=people(whole))
    if whole < LEAST_FOR_PERCENT:
        return str(words)
    return f"{words} ({percent(part / whole)})"


def _line(code: str, total: Raised, place_id: UUID) -> Line:
    part = total.by_issue[code]
    asked_for: dict[str, Any] = {
        key: value for key, value in request.args.items() if key in {"as_at", "back"}
    }
    return Line(
        word=label(code),
        share=part / total.noted,
        text=share_text(part, total.noted),
        url=url_for("issues.show", place_id=place_id, issue=code, **asked_for) + "#words",
    )


def _tables(
    found: queries.IssuesRaised, raised: Sequence[str]
) -> list[tuple[str, list[Column], list[list[str]]]]:
    titles = (
        (gettext("By area"), gettext("Area"), found.areas),
        (gettext("By shift"), gettext("Shift"), found.shifts),
        (gettext("By workplace"), gettext("Workplace"), found.workplaces),
    )
    return [
        (
            title,
            [
                Column(first, numeric=False),
                Column(gettext("On the list")),
                Column(gettext("Not talked to")),
                Column(gettext("Nothing noted")),
                Column(gettext("Noted")),
                *(Column(label(code)) for code in raised),
            ],
            [_row(one, raised) for one in groups],
        )
        for title, first, groups in titles
        if groups
    ]


def _row(one: Raised, raised: Sequence[str]) -> list[str]:
    return [
        one.name or gettext("Not known"),
        people(one.on_list),
        people(one.not_talked),
        people(one.nothing_noted),
        people(one.noted),
        # Where nothing is noted there is no answer, which is not the same as nobody.
        *(people(one.by_issue.get(code, 0)) if one.noted else "–" for code in raised),
    ]


def _trend(found: queries.IssuesRaised) -> tuple[list[Column], list[list[str]]]:
    sums: dict[str, int] = {}
    for month in found.months:
        for code, count in month.by_issue.items():
            sums[code] = sums.get(code, 0) + count
    top = sorted(sums, key=lambda code: (-sums[code], ISSUES.index(code)))[:TREND_ISSUES]
    columns = [
        Column(gettext("Month"), numeric=False),
        Column(gettext("Noted")),
        *(Column(label(code)) for code in top),
    ]
    rows = [
        [
            format_date(month.first, "MMM y", rebase=False),
            people(month.noted),
            *(people(month.by_issue.get(code, 0)) if month.noted else "–" for code in top),
        ]
        for month in found.months
    ]
    return columns, rows if sums else []
