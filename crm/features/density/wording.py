"""Densities as sentences and table cells, in the reader's language. Nothing is counted here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import format_date, gettext
from flask_babel import lazy_gettext as later
from flask_babel import ngettext as plural

from crm.domain.bases import PARTS, Basis, Roster
from crm.domain.density import NoDensity
from crm.domain.density_row import DensityRow, NoChange, RowNote
from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.numbers import percent_text, round_half_up
from crm.domain.vocabulary import Sector
from crm.features.density.queries import Answer, Explanation, TrendPoint
from crm.reads.figures import GroupBy
from crm.web.filters import day as day_text
from crm.web.filters import people as people_text
from crm.web.filters import percent as percent_of
from crm.web.labels import INDUSTRIES, label


def _(message: str, **words: object) -> str:
    return str(gettext(message, **words))


def ngettext(one: str, several: str, count: float, **words: object) -> str:
    """Return the sentence for one or for several; `n` in it is the count as a number of people."""
    # The plural forms of most languages ask for whole numbers; a weighted 1.5 goes with several.
    whole = int(count) if count == int(count) else 2
    return str(plural(one, several, whole, n=people_text(count), **words))


Url = Callable[[DensityRow, str], str | None]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a working: what it is, the figure, and why."""

    title: str
    value: str
    why: str


def span(low: float | None, high: float | None) -> str | None:
    """Return "280 to 310", or one number when both are it; None when not known."""
    if low is None or high is None:
        return None
    if low == high:
        return people_text(low)
    return _("%(low)s to %(high)s", low=people_text(low), high=people_text(high))


def sector_name(sector: str) -> str:
    """Return the words for a sector."""
    return label(Sector(sector))


def place_name(row: DensityRow) -> str:
    """Return the name of a row, also of a row that is no place."""
    if row.row == "total":
        return _("All together")
    if row.by == GroupBy.SECTOR and row.place:
        return sector_name(row.place)
    if row.by == GroupBy.INDUSTRY and row.place:
        return str(INDUSTRIES[row.place])
    if row.place:
        return f"{row.place}, {row.place_detail}" if row.place_detail else row.place
    return {
        GroupBy.BRANCH: _("No branch"),
        GroupBy.REGION: _("No region"),
        GroupBy.SECTOR: _("Sector not known"),
        GroupBy.INDUSTRY: _("Industry not known"),
    }.get(GroupBy(row.by), _("No name"))


def at_least(row: DensityRow) -> str | None:
    """Return the low end: "38%", or "6 of 9" at a small place; None when not known."""
    if row.no_density is NoDensity.NO_WORKERS:
        return _("nobody works here")
    if row.is_small:
        return _of(row.members_low, row.workers_high)
    return None if row.low_percent is None else f"{row.low_percent}%"


def at_most(row: DensityRow) -> str | None:
    """Return the high end, as at_least does."""
    if row.no_density is NoDensity.NO_WORKERS:
        return _("nobody works here")
    if row.is_small:
        return _of(_most(row), row.workers_high)
    return None if row.high_percent is None else f"{row.high_percent}%"


def _most(row: DensityRow) -> float:
    return min(row.members_high or 0, row.workers_high or 0)


def _of(people: float, workers: float | None) -> str:
    return _("%(people)s of %(workers)s", people=people_text(people), workers=people_text(workers))


def range_text(row: DensityRow) -> str:
    """Return both ends in few words, for the end of a chart's line."""
    low, high = at_least(row), at_most(row)
    if low is None or high is None:
        return _("no count yet")
    if low == high:
        return low
    if row.is_small:
        return _(
            "%(low)s to %(high)s of %(workers)s",
            low=people_text(row.members_low),
            high=people_text(_most(row)),
            workers=people_text(row.workers_high),
        )
    return _("%(low)s to %(high)s", low=low, high=high)


def source_text(source: str | None) -> str:
    """Return the words for where a headcount comes from."""
    if source is None:
        return ""
    return _("several sources") if source == "several" else label(HeadcountSource(source))


def headcount_text(row: DensityRow) -> str | None:
    """Return the day and source of the headcount; None when there is none."""
    if row.headcount_on is None:
        return None
    source = source_text(row.headcount_source)
    if row.places_counted > 1:
        return _("%(source)s, oldest %(day)s", source=source, day=day_text(row.headcount_on))
    return _("%(source)s, %(day)s", source=source, day=day_text(row.headcount_on))


def is_part(row: DensityRow) -> bool:
    """Whether the row counts only a part of those who work there, so that its members are bounded.

    See crm/domain/bases.py.
    """
    return row.basis in PARTS


def basis_name(basis: Basis, saved: str | None = None) -> str:
    """Return whom a density counts. saved: the name of the saved list whose people count."""
    if basis is Roster.LIST:
        return _("people on the list “%(name)s”", name=saved or "")
    return label(basis)


def members_text(row: DensityRow) -> str:
    """Return how many members there can be, in whole people: "20 to 72"."""
    low = float(round_half_up(row.members_low))
    high = float(round_half_up(row.members_low if row.members_high is None else _most(row)))
    return span(low, max(low, high)) or ""


def _asking_helps(row: DensityRow) -> bool:
    """Whether a wide range is made narrower by asking who is a member, more than by counting.

    On a list of people nobody is left to count. Elsewhere: more people are named, with their
    membership not known, than lie between the two ends of the headcount.
    """
    if row.basis in set(Roster):
        return True
    if is_part(row) or row.workers_low is None or row.workers_high is None:
        return False
    return row.not_known_named > row.workers_high - row.workers_low


def notes_text(row: DensityRow) -> str:
    """Return what the reader must know of the row; empty when there is nothing."""
    said = []
    if row.workers_high is None:
        said.append(_("Workforce unknown: not in the total."))
    if RowNote.MORE_THAN_HEADCOUNT in row.notes:
        said.append(_("More people named than the headcount says: count again."))
    elif RowNote.COUNT_THE_WORKERS in row.notes:
        said.append(
            _("Wide range: ask whether they are members.")
            if _asking_helps(row)
            else _("Wide range: count the workers, and write down who employs whom.")
            if is_part(row) and row.basis == Counts.EMPLOYER_DIRECT
            else _("Wide range: count the workers.")
        )
    if RowNote.STATED_ROUNDED in row.notes:
        said.append(_("Members as the union stated them, rounded."))
    elif RowNote.STATED_COUNT in row.notes:
        said.append(_("Members as the union stated them."))
    if RowNote.HEADCOUNT_ROUNDED in row.notes:
        said.append(_("Headcount rounded by its source."))
    if row.workers_high is not None and row.places_counted < row.places:
        said.append(
            _(
                "%(left)s of %(places)s places left out: workforce unknown.",
                left=people_text(row.places - row.places_counted),
                places=people_text(row.places),
            )
        )
    return " ".join(said)


def headline(row: DensityRow, as_at: date) -> str:
    """Return the sentence that says the total."""
    if is_part(row):
        return _part_headline(row, as_at)
    if row.basis in set(Roster):
        return _roster_headline(row)
    if row.workers_high is None:
        return ngettext(
            "%(n)s member confirmed. Density not known: nobody has counted the workers.",
            "%(n)s members confirmed. Density not known: nobody has counted the workers.",
            row.members,
        )
    if row.no_density is NoDensity.NO_WORKERS:
        return _("Nobody works at these places on %(day)s.", day=day_text(as_at))
    words = {
        "workers": span(row.workers_low, row.workers_high),
        "low": at_least(row),
        "high": at_most(row),
    }
    if words["low"] == words["high"]:
        return ngettext(
            "%(n)s member confirmed of %(workers)s workers: %(low)s.",
            "%(n)s members confirmed of %(workers)s workers: %(low)s.",
            row.members,
            **words,
        )
    return ngettext(
        "%(n)s member confirmed of %(workers)s workers: at least %(low)s, at most %(high)s.",
        "%(n)s members confirmed of %(workers)s workers: at least %(low)s, at most %(high)s.",
        row.members,
        **words,
    )


def _part_headline(row: DensityRow, as_at: date) -> str:
    basis = label(Counts(row.basis))
    if row.workers_high is None:
        return _("Out of: %(basis)s. Density not known: nobody has counted them.", basis=basis)
    if row.no_density is NoDensity.NO_WORKERS:
        return _("Nobody works at these places on %(day)s.", day=day_text(as_at))
    words = {
        "members": members_text(row),
        "workers": span(row.workers_low, row.workers_high),
        "low": at_least(row),
        "high": at_most(row),
    }
    if words["low"] == words["high"]:
        return _("%(members)s members of %(workers)s workers: %(low)s.", **words)
    return _(
        "%(members)s members of %(workers)s workers: at least %(low)s, at most %(high)s.", **words
    )


def _roster_headline(row: DensityRow) -> str:
    if row.workers_high is None:
        return (
            _("No list of those entitled in a ballot was made here by this day.")
            if row.basis == Roster.BALLOT
            else _("Nobody of this list works here on this day.")
        )
    words = {"all": people_text(row.workers_high), "low": at_least(row), "high": at_most(row)}
    if words["low"] == words["high"]:
        return ngettext(
            "%(n)s member of %(all)s on the list: %(low)s.",
            "%(n)s members of %(all)s on the list: %(low)s.",
            row.members,
            **words,
        )
    return ngettext(
        "%(n)s member of %(all)s on the list: at least %(low)s, at most %(high)s.",
        "%(n)s members of %(all)s on the list: at least %(low)s, at most %(high)s.",
        row.members,
        **words,
    )


def not_known_text(row: DensityRow) -> str:
    """Return how many people's membership is not known, named and not named."""
    named = ngettext(
        "%(n)s person named: membership not known.",
        "%(n)s people named: membership not known.",
        row.not_known_named,
    )
    if row.perhaps is not None:
        # Whoever surely belongs stands in the table; most readers need to know of the doubt.
        named = ngettext(
            "%(n)s person named: nobody wrote down whether they belong.",
            "%(n)s people named: nobody wrote down whether they belong.",
            row.perhaps,
        )
    unnamed = span(row.not_named_low, row.not_named_high)
    if unnamed is None or row.basis in set(Roster):
        return named
    return named + " " + _("Workers not named yet: %(unnamed)s.", unnamed=unnamed)


def how_bounded(counts: Basis) -> str | None:
    """Return how members among a part of the workers are counted; None among all of them."""
    if counts is Roster.BALLOT:
        return _(
            "Out of those entitled by the last list made for a ballot at each place. Where only "
            "members may vote, it says how many of them still are members."
        )
    if counts is Roster.LIST:
        return _(
            "Only people on the list count, as you see it on this day. On earlier days they are "
            "the same people, as far as they worked here. It says nothing of other workers."
        )
    if counts not in PARTS:
        return None
    return _(
        "“At least” counts those who surely belong, and others only if they cannot all be outside. "
        "“At most” counts everybody who may belong. So the truth is in between."
    )


def coverage(answer: Answer, as_at: date) -> str:
    """Return how many places have a headcount, and what share of our members is there."""
    if answer.total.basis == Roster.LIST:
        return ngettext(
            "People of the list work at %(n)s place on %(day)s.",
            "People of the list work at %(n)s places on %(day)s.",
            answer.total.places,
            day=day_text(as_at),
        )
    if answer.total.basis == Roster.BALLOT:
        return ngettext(
            "Such a list was made for %(n)s place.",
            "Such a list was made for %(n)s places.",
            answer.total.places,
        )
    total = answer.total
    if total.places == 1:
        return (
            _("We have a headcount for this place.")
            if total.places_counted
            else _("We have no headcount for this place.")
        )
    counted, places = people_text(total.places_counted), people_text(total.places)
    if answer.covered_fraction is None or is_part(total):
        return _(
            "We have a headcount for %(counted)s of %(places)s places.",
            counted=counted,
            places=places,
        )
    return _(
        "We have a headcount for %(counted)s of %(places)s places, "
        "where %(share)s of our members work.",
        counted=counted,
        places=places,
        share=percent_of(answer.covered_fraction),
    )


def left_out(answer: Answer) -> str | None:
    """Return what the total leaves out; None when nothing."""
    total = answer.total
    if total.places_counted in {0, total.places}:
        return None
    if is_part(total):
        return ngettext(
            "%(n)s place with an unknown workforce is not in the total. "
            "Members who surely belong there: %(members)s.",
            "%(n)s places with an unknown workforce are not in the total. "
            "Members who surely belong there: %(members)s.",
            total.places - total.places_counted,
            members=people_text(total.members_left_out),
        )
    return ngettext(
        "%(n)s place with an unknown workforce is not in the total. "
        "Members there, and at no counted place: %(members)s.",
        "%(n)s places with an unknown workforce are not in the total. "
        "Members there, and at no counted place: %(members)s.",
        total.places - total.places_counted,
        members=people_text(total.members_left_out),
    )


def stale(answer: Answer) -> str | None:
    """Return the warning that headcounts are out of date; None when they are not."""
    if not answer.stale_places:
        return None
    return ngettext(
        "More people named than the headcount says at %(n)s place. Count the workers there.",
        "More people named than the headcount says at %(n)s places. Count the workers there.",
        answer.stale_places,
    )


def other_basis(counts: Counts, places: int) -> str:
    """Return how many places have a headcount that counts something else."""
    return ngettext(
        "%(n)s place has one for: %(basis)s",
        "%(n)s places have one for: %(basis)s",
        places,
        basis=label(counts),
    )


def columns(group_label: str, earlier: date | None, counts: str) -> list[dict[str, Any]]:
    """Return the headings of the table. counts: whom the headcounts count."""
    people = (
        [_("Surely in: members"), _("Surely in: not members"), _("Surely in: not known")]
        if counts in PARTS
        else [_("Members"), _("Not members"), _("Named, not known")]
    )
    if counts in PARTS:
        people.append(_("Perhaps in"))
    found: list[dict[str, Any]] = [
        {"label": group_label},
        *({"label": words, "numeric": True} for words in people),
        {"label": _("Not named yet"), "numeric": True},
        {"label": _("Workers"), "numeric": True},
        {"label": _("At least"), "numeric": True},
        {"label": _("At most"), "numeric": True},
    ]
    if earlier is not None:
        found += [
            {
                "label": _("Surely in: members on %(day)s", day=day_text(earlier))
                if counts in PARTS
                else _("Members on %(day)s", day=day_text(earlier)),
                "numeric": True,
            },
            {"label": _("Change"), "numeric": True},
            {"label": _("Range on %(day)s", day=day_text(earlier)), "numeric": True},
        ]
    return [*found, {"label": _("Headcount"), "wide": True}, {"label": _("Note"), "wide": True}]


def cells(row: DensityRow, url: Url, *, compared: bool, then: DensityRow | None) -> list[Any]:
    """Return the cells of one row of the table; each number leads to where it comes from."""
    unknown = row.workers_high is None
    low, high = at_least(row), at_most(row)
    found: list[Any] = [
        {"text": place_name(row), "url": url(row, "place")},
        {"text": people_text(row.members), "url": url(row, "member")},
        {"text": people_text(row.not_members), "url": url(row, "not_member")},
        {"text": people_text(row.not_known_named), "url": url(row, "not_known")},
        *([_linked(people_text(row.perhaps or 0), url(row, "explain"))] if is_part(row) else []),
        {
            "text": span(row.not_named_low, row.not_named_high),
            "url": None if unknown else url(row, "explain"),
        },
        _linked(span(row.workers_low, row.workers_high), url(row, "explain")),
        _linked(low, url(row, "explain")),
        _linked(high, url(row, "explain")),
    ]
    if compared:
        found += (
            [None, None, None]
            if then is None
            else [
                people_text(then.members),
                _change_cell(row),
                range_text(then),
            ]
        )
    # The people of a list are all named: nobody has to count them.
    counted = "–" if row.basis in set(Roster) else headcount_text(row)
    return [*found, counted, notes_text(row)]


def paper_table(rows: Sequence[DensityRow], total: DensityRow, group: str) -> dict[str, Any]:
    """Return a table narrow enough for paper: the note is a sign, explained by paper_key."""
    kept = columns(group, None, total.basis)[:-2]
    return {
        "columns": [*kept, {"label": _("Note")}],
        "rows": [_paper_cells(row) for row in rows],
        "foot": _paper_cells(total),
    }


def paper_key() -> str:
    """Return what the signs of paper_table mean."""
    return _(
        "! range of over 25 points: ask who is a member, or count the workers. + more people "
        "named than the headcount says. s members as a union stated them. ? workforce unknown: "
        "not in the total."
    )


def _paper_cells(row: DensityRow) -> list[Any]:
    signs = {
        "!": RowNote.COUNT_THE_WORKERS in row.notes,
        "+": RowNote.MORE_THAN_HEADCOUNT in row.notes,
        "s": RowNote.STATED_COUNT in row.notes,
        "?": row.workers_high is None,
    }
    found = cells(row, lambda _row, _what: None, compared=False, then=None)[:-2]
    return [*found, " ".join(sign for sign, holds in signs.items() if holds)]


def part_table(rows: Sequence[DensityRow], url: Url, caption: str) -> dict[str, Any] | None:
    """Return the table of the places a figure is the sum of; None when there are none."""
    if not rows:
        return None
    return {
        "columns": columns(_("Place"), None, rows[0].basis),
        "rows": [cells(row, url, compared=False, then=None) for row in rows],
        "caption": caption,
    }


def _linked(text: str | None, url: str | None) -> Any:
    return None if text is None else {"text": text, "url": url}


# Why there is no change, in a cell of the table.
_NO_CHANGE: dict[NoChange, Any] = {
    NoChange.OTHER_PLACES: later("not the same places"),
    NoChange.STATED_ONCE: later("members stated on one day only"),
    NoChange.PART: later("not certain who belongs"),
    NoChange.OTHER_LIST: later("may be another list"),
    NoChange.NOT_THERE: later("not here then"),
}


def _change_cell(row: DensityRow) -> Any:
    if row.no_change is not None:
        return {"text": str(_NO_CHANGE[row.no_change]), "unknown": True}
    return None if row.members_change is None else change_text(row.members_change)


def compared_text(now: DensityRow, then: DensityRow | None) -> str | None:
    """Return the total of the other day with the change in members, or why there is none; None
    when no other day was asked for."""
    if then is None:
        return None
    words = _("On %(day)s: %(words)s", day=day_text(then.as_at), words=headline(then, then.as_at))
    return f"{words} {_changed(now, then)}"


def _changed(now: DensityRow, then: DensityRow) -> str:
    if now.no_change is NoChange.PART:
        return _(
            "How many more or fewer are members cannot be told here, because for some people "
            "nobody wrote down whether they belong."
        )
    if now.no_change is NoChange.OTHER_LIST:
        return _(
            "The lists of the two days may have been made for different ballots, so their members "
            "cannot be compared here."
        )
    if now.no_change is NoChange.STATED_ONCE:
        return _(
            "On only one of the two days a union had stated its members at some of these places. "
            "So the members of the two days cannot be compared here; “What changed” tells who "
            "came and went."
        )
    if now.no_change is not None or now.members_change is None:
        return _(
            "Places with a headcount then: %(then)s, now: %(now)s. The members of the two days "
            "are not of the same places, so they cannot be compared here; “What changed” tells "
            "who came and went.",
            then=people_text(then.places_counted),
            now=people_text(now.places_counted),
        )
    return _("Change in members: %(change)s.", change=change_text(now.members_change))


def change_text(change: float) -> str:
    """Return a change in people with its sign."""
    if change == 0:
        return "0"
    return f"+{people_text(change)}" if change > 0 else f"\u2212{people_text(-change)}"


def line(row: DensityRow, url: Url) -> dict[str, Any]:
    """Return one line of the chart of ranges."""
    text = range_text(row)
    if RowNote.COUNT_THE_WORKERS in row.notes:
        text = f"{text} !"
    return {
        "label": place_name(row),
        "url": url(row, "explain"),
        "low": row.low_fraction,
        "high": row.high_fraction,
        "unknown": row.low_fraction is None,
        "text": text,
    }


def trend_chart(points: Sequence[TrendPoint], total: DensityRow, as_at: date) -> dict[str, Any]:
    """Return the chart of the total over the months."""
    first, last = points[0], points[-1]
    # None: the sums are of other places, or of none.
    change = (
        None
        if last.members is None or first.members is None
        else None
        if last.same_places != first.same_places
        else last.members - first.members
    )
    since = day_text(first.day)
    by_name = total.basis in set(Roster)
    if by_name:
        title = _("Now: %(range)s", range=range_text(total))
    elif is_part(total):
        # The fewest members can rise without anybody joining: somebody's employer was written down.
        title = _("Now: %(range)s", range=range_text(total))
    elif last.members is None:
        title = _("How it moved is not known: nobody has counted the workers")
    elif change is None:
        title = _("Now: %(range)s", range=range_text(total))
    elif change > 0:
        title = ngettext(
            "%(n)s more member than on %(day)s",
            "%(n)s more members than on %(day)s",
            change,
            day=since,
        )
    elif change < 0:
        title = ngettext(
            "%(n)s fewer member than on %(day)s",
            "%(n)s fewer members than on %(day)s",
            -change,
            day=since,
        )
    else:
        title = _("As many members as on %(day)s", day=since)
    if (is_part(total) or by_name) and (
        total.is_small or last.low_fraction is None or not first.low_fraction
    ):
        reading = _("The table has the months that are known.")
    elif change is None and (
        total.is_small or last.low_fraction is None or first.low_fraction is None
    ):
        reading = _("The table has the months that are known.") if last.members is not None else ""
    elif total.is_small or last.low_fraction is None or first.low_fraction is None:
        reading = _(
            "%(then)s members then, %(now)s now.",
            then=people_text(first.members or 0),
            now=people_text(last.members or 0),
        )
    else:
        reading = _(
            "At least %(low)s, at most %(high)s now. Then it was at least %(low_then)s, "
            "at most %(high_then)s.",
            low=percent_of(last.low_fraction),
            high=percent_of(last.high_fraction),
            low_then=percent_of(first.low_fraction),
            high_then=percent_of(first.high_fraction),
        )
        if change is None and not (is_part(total) or by_name):
            reading += " " + _(
                "Places with a headcount then: %(then)s, now: %(now)s. They are not the same "
                "places, or not counted the same way, so members of the two days cannot be "
                "compared here.",
                then=people_text(first.places_counted),
                now=people_text(last.places_counted),
            )
    return {
        "title": title,
        "reading": reading,
        "base": _base(total),
        "as_at": day_text(as_at),
        "points": [
            {
                "label": str(format_date(point.day, "MMM y", rebase=False)),
                "low": point.low_fraction,
                "high": point.high_fraction,
            }
            for point in points
        ],
        "table": {
            "caption": _("Members and workers, month by month"),
            "columns": [
                {"label": _("Day")},
                {
                    "label": _("Members, at least") if is_part(total) else _("Members"),
                    "numeric": True,
                },
                {"label": _("Workers"), "numeric": True},
                {"label": _("At least"), "numeric": True},
                {"label": _("At most"), "numeric": True},
            ],
            "rows": [_trend_cells(point) for point in reversed(points)],
        },
    }


def _trend_cells(point: TrendPoint) -> list[Any]:
    if point.members is None or point.workers_high is None:
        # No list or no headcount that day: nobody says that there were no members.
        return [day_text(point.day), None, None, None, None]
    low, high = point.low_fraction, point.high_fraction
    small = point.workers_high < 10
    return [
        day_text(point.day),
        people_text(float(round_half_up(point.members))),
        span(point.workers_low, point.workers_high),
        _of(point.members, point.workers_high)
        if small
        else None
        if low is None
        else percent_of(low),
        "" if small else None if high is None else percent_of(high),
    ]


def _base(total: DensityRow) -> str:
    if total.workers_high is None:
        return _("No headcount for any of %(places)s places.", places=people_text(total.places))
    if total.basis in set(Roster):
        return ngettext(
            "%(n)s member of %(all)s on the list.",
            "%(n)s members of %(all)s on the list.",
            total.members,
            all=people_text(total.workers_high or 0),
        )
    if is_part(total):
        return _(
            "%(members)s members of %(workers)s workers at %(counted)s of %(places)s places.",
            members=members_text(total),
            workers=span(total.workers_low, total.workers_high),
            counted=people_text(total.places_counted),
            places=people_text(total.places),
        )
    return ngettext(
        "%(n)s member of %(workers)s workers at %(counted)s of %(places)s places.",
        "%(n)s members of %(workers)s workers at %(counted)s of %(places)s places.",
        total.members,
        workers=span(total.workers_low, total.workers_high),
        counted=people_text(total.places_counted),
        places=people_text(total.places),
    )


def range_chart(
    rows: Sequence[DensityRow], total: DensityRow, as_at: date, table: dict[str, Any], url: Url
) -> dict[str, Any]:
    """Return the chart of ranges, one line for each row, with its table written out."""
    too_wide = [row for row in rows if RowNote.COUNT_THE_WORKERS in row.notes]
    wide = len(too_wide)
    to_ask = sum(_asking_helps(row) for row in too_wide)
    unknown = sum(row.low_fraction is None for row in rows)
    best = rows[0]
    if unknown == len(rows):
        title = _("No headcount yet for any of these")
    elif wide and not to_ask:
        title = ngettext(
            "%(n)s line is too wide to rank: count the workers there",
            "%(n)s lines are too wide to rank: count the workers there",
            wide,
        )
    elif wide and to_ask == wide:
        title = ngettext(
            "%(n)s line is too wide to rank: ask there who is a member",
            "%(n)s lines are too wide to rank: ask there who is a member",
            wide,
        )
    elif wide:
        title = _("%(n)s lines are too wide to rank: the notes say what to do", n=wide)
    else:
        title = _("From the highest to the lowest")
    reading = (
        _("Until somebody counts the workers, we can only count members.")
        if best.low_fraction is None
        else _("%(place)s: %(range)s.", place=place_name(best), range=range_text(best))
    )
    if wide:
        reading += " " + _("! means a range of over 25 points.")
    return {
        "title": title,
        "reading": reading,
        "base": _base(total),
        "as_at": day_text(as_at),
        "rows": [line(row, url) for row in rows],
        "table": table,
        "open": True,
    }


def steps(found: Explanation, as_at: date) -> list[Step]:
    """Return the working of a figure, each step with its numbers."""
    row = found.row
    if is_part(row):
        return _part_steps(found)
    listed = _("From the list of people with a job here on %(day)s.", day=day_text(as_at))
    if found.kind not in {GroupBy.WORKPLACE, GroupBy.AREA}:
        listed = _("From the lists of the places counted. A person with two jobs counts once.")
    lines = [
        Step(_("Members"), people_text(row.members), _stated_words(found) or listed),
        Step(
            _("Known not to be members"),
            people_text(row.not_members),
            _("Somebody told us so. Nobody is put here by guessing."),
        ),
        Step(
            _("Named, membership not known"),
            people_text(row.not_known_named),
            _("They may be members. So they make the range wider and are never counted as no."),
        ),
        Step(
            _("Workers"),
            span(row.workers_low, row.workers_high) or _("not known"),
            _workers_words(found),
        ),
    ]
    if row.low_fraction is None or row.high_fraction is None:
        return lines
    return [
        *lines,
        Step(
            _("Not named yet"),
            span(row.not_named_low, row.not_named_high) or _("not known"),
            _("Workers, take away the people named. They may be members too.")
            if found.stated_members is None
            else _("We hold no names for them. The union's count says how many are members."),
        ),
        Step(
            _("At least"),
            _exact(row.low_fraction),
            ngettext(
                "%(n)s member ÷ %(workers)s workers, the highest count.",
                "%(n)s members ÷ %(workers)s workers, the highest count.",
                row.members_low,
                workers=people_text(row.workers_high),
            ),
        ),
        Step(_("At most"), _exact(row.high_fraction), _high_words(found)),
    ]


def _part_steps(found: Explanation) -> list[Step]:
    """The working of a figure out of a part of the workers: see crm/domain/bases.py."""
    row, one = found.row, found.density
    part = one.part if one else None
    lines = [
        Step(
            _("Surely belong"),
            people_text(row.members + row.not_members + row.not_known_named),
            _(
                "%(members)s are members, %(not_members)s are not, of %(not_known)s it is not "
                "known.",
                members=people_text(row.members),
                not_members=people_text(row.not_members),
                not_known=people_text(row.not_known_named),
            ),
        ),
        Step(
            _("Perhaps belong"),
            people_text(row.perhaps or 0),
            _(
                "Nobody wrote down whether they belong. %(members)s are members, %(not_members)s "
                "are not, of %(not_known)s it is not known.",
                members=people_text(row.perhaps_members or 0),
                not_members=people_text(row.perhaps_not_members or 0),
                not_known=people_text(row.perhaps_not_known or 0),
            ),
        ),
        Step(
            _("Workers"),
            span(row.workers_low, row.workers_high) or _("not known"),
            _workers_words(found),
        ),
    ]
    if part is not None:
        lines.append(
            Step(
                _("Workers of the whole place"),
                _("not known")
                if part.site is None
                else span(part.site.low, part.site.high) or _("not known"),
                ngettext(
                    "The others can be outside, up to this number. %(n)s named person surely is.",
                    "The others can be outside, up to this number. %(n)s people named surely are.",
                    part.outside.people,
                ),
            )
        )
        stated = _stated_words(found)
        if stated is not None:
            lines.append(Step(_("Members stated"), people_text(found.stated_members or 0), stated))
    if row.low_fraction is None or row.high_fraction is None:
        return lines
    return [
        *lines,
        Step(
            _("At least"),
            _exact(row.low_fraction),
            _(
                "Members who surely belong, and those who cannot all be outside: %(members)s ÷ "
                "%(workers)s workers, the highest count.",
                members=people_text(row.members_low),
                workers=people_text(row.workers_high),
            ),
        ),
        Step(
            _("At most"),
            _exact(row.high_fraction),
            _(
                "Everybody who may belong and is not known to be no member: %(members)s at most. "
                "÷ workers, at the count that gives the greatest share.",
                members=people_text(row.members_high or 0),
            ),
        ),
    ]


def _exact(fraction: float) -> str:
    return f"{percent_text(fraction, 3)}%"


def _stated_words(found: Explanation) -> str | None:
    if found.stated_members is None or found.stated_on is None:
        return None
    words = _(
        "The union stated %(members)s on %(day)s, without names. Source: %(source)s.",
        members=people_text(found.stated_members),
        day=day_text(found.stated_on),
        source=source_text(found.stated_source),
    )
    if found.stated_rounded_to:
        words += " " + _(
            "It was rounded to %(step)s, so it may be half of that more or less.",
            step=people_text(found.stated_rounded_to),
        )
    return words


def _workers_words(found: Explanation) -> str:
    row = found.row
    if row.basis in set(Roster):
        return _("Everybody here stands on the list by name, so nobody else is counted.")
    if row.workers_high is None:
        return _("Nobody has counted them. So the density is not known, and not in any total.")
    said = [
        _("%(headcount)s.", headcount=headcount_text(row) or ""),
        _("It counts: %(basis)s.", basis=label(Counts(row.basis))),
    ]
    if found.headcount_note:
        said.append(_("Note: %(note)s", note=found.headcount_note))
    if found.headcount_rounded_to:
        said.append(
            _(
                "Its source rounded it to %(step)s, so half of that is added at both ends.",
                step=people_text(found.headcount_rounded_to),
            )
        )
    if RowNote.MORE_THAN_HEADCOUNT in row.notes and found.headcount_high is not None:
        said.append(
            _(
                "It says at most %(high)s, but we name more people. So the highest count was "
                "raised to them. Count the workers, or end the jobs of those who left.",
                high=people_text(found.headcount_high),
            )
        )
    return " ".join(said)


def _high_words(found: Explanation) -> str:
    one = found.density
    if one is None or one.workforce_used is None:
        return _(
            "Members, not known and not named yet, all added up over the places, ÷ workers. "
            "The end that gives the greater share is taken."
        )
    used = one.workforce_used
    if one.stated is not None:
        return _(
            "%(members)s members at most ÷ %(workers)s workers, the lowest count.",
            members=people_text(one.member_range.high),
            workers=people_text(used.low),
        )
    could_be = one.members + one.not_known_named
    ends = [
        ngettext(
            "With %(workers)s workers: (%(n)s member + %(not_known)s not known + "
            "%(not_named)s not named) ÷ %(workers)s = %(share)s.",
            "With %(workers)s workers: (%(n)s members + %(not_known)s not known + "
            "%(not_named)s not named) ÷ %(workers)s = %(share)s.",
            one.members,
            workers=people_text(end),
            not_known=people_text(one.not_known_named),
            not_named=people_text(max(0.0, end - one.named)),
            share=_exact(min(1.0, (could_be + max(0.0, end - one.named)) / end)),
        )
        for end in dict.fromkeys((used.low, used.high))
        if end > 0
    ]
    return " ".join([*ends, _("The greater one is taken.")] if len(ends) > 1 else ends)
