"""The page of the check: what the import would do, and what can be put right there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.columns import DAYS, VALUED, Target
from crm.domain.likeness import Reason
from crm.domain.listed import NOT_MATCHED, place_key
from crm.domain.vocabulary import ImportKind, RowOutcome
from crm.features.imports import forms, queries, service
from crm.features.imports.areas import NEW_AREA
from crm.features.imports.matching import names_to_settle
from crm.features.imports.opened import Opened
from crm.features.imports.others import OTHERS
from crm.features.imports.places import ITS_OWN, NO_EMPLOYER
from crm.features.imports.rules import (
    NEW_PLACE,
    Rules,
    headings_of,
    month_first,
)
from crm.features.imports.successions import MOVE, PEOPLE
from crm.web.db import unit_of_work
from crm.web.labels import LABELS, label
from crm.web.pages import address_of

SHOWN = 40  # problems and possible duplicates on one page

CHANGES: dict[str, Any] = {
    "full_name": _("Full name"),
    "pronouns": _("Pronouns"),
    # What is there already stays beside it.
    "phone": _("A new phone"),
    "email": _("A new email"),
    "address": _("A new postal address"),
    "job": _("A job here"),
    "started_on": _("Started the job on"),
    "joined_on": _("Joined the union on"),
    "left": _("Left the job"),
    "area_id": _("Department or area"),
    "shift_id": _("Shift"),
    "job_title": _("Job title"),
    "contract_type": _("Contract"),
    "membership": _("Union membership"),
    "tags": _("Tags"),
    "own": _("Fields of ours"),
    "standing": _("Where they stand"),
    "area": _("A new area"),
    "postcode": _("Postcode"),
    "country": _("Country"),
    "headcount": _("Headcount"),
    "members": _("Count of members"),
    "supplies": _("Whom it supplies"),
    "became": _("What became of it"),
    "closed_on": _("The closing day"),
    "entitled": _("Entitled to vote"),
    "cast": _("Papers that came back"),
    "yes": _("Yes"),
    "no": _("No"),
    "spoiled": _("Spoiled or blank"),
    "law": _("Under which law"),
}


@dataclass(frozen=True, slots=True)
class _Alike:
    """A name of the list that could mean a workplace that is here, and the rows that have it.

    key: the folded name. field: of the form.
    """

    key: str
    field: str
    rows: tuple[int, ...]
    first: queries.LikeRow


def _alike(rows: Sequence[queries.LikeRow], opened: Opened) -> list[_Alike]:
    """Return each name once, in the order of the file."""
    (column, *_more) = opened.rules.columns_of(Target.PLACE_NAME)
    found: dict[str, list[queries.LikeRow]] = {}
    for row in rows:
        found.setdefault(place_key(opened.table.rows[row.row_no - 1][column]), []).append(row)
    return [
        _Alike(key, f"w{of[0].row_no}", tuple(row.row_no for row in of), of[0])
        for key, of in found.items()
    ]


@dataclass(frozen=True, slots=True)
class Shown:
    """What can be put right on one page of the check."""

    cells: tuple[tuple[int, int], ...]
    skips: tuple[int, ...]
    people: tuple[int, ...]
    problems: tuple[queries.RowView, ...]
    possible: tuple[queries.RowView, ...]
    alike: tuple[_Alike, ...]
    # Folded names that no workplace has, and the fields that ask what they mean.
    named: Mapping[str, str]


def fix_form(scope: Scope, opened: Opened) -> tuple[Any, Shown]:
    """Return the form of what can be put right, and what of the list it is about.

    Whoever a row could be about is recorded as looked at.
    """
    # Whoever it could be is shown with their phone: that is recorded as a look at them.
    view = opened.view
    problems: list[queries.RowView] = []
    possible: list[queries.RowView] = []
    alike: list[_Alike] = []
    with unit_of_work(scope) as session:
        # To find none among a long list's rows all of them are walked through.
        if view.count(RowOutcome.PROBLEM):
            problems = queries.list_rows(session, scope, view.id, RowOutcome.PROBLEM, limit=SHOWN)
        if view.count(RowOutcome.POSSIBLE) and view.kind is ImportKind.PEOPLE:
            possible = queries.list_rows(session, scope, view.id, RowOutcome.POSSIBLE, limit=SHOWN)
        elif view.count(RowOutcome.POSSIBLE):
            alike = _alike(queries.list_like_rows(session, scope, view.id), opened)
    headings = headings_of(opened.table, opened.rules)
    cells: list[tuple[int, int]] = []
    fixes: list[tuple[str, Any]] = []
    data: dict[str, Any] = {"version": str(opened.view.version)}
    for row in problems:
        for column, _message, _number in row.faults:
            if column is None or (row.row_no, column) in cells:
                continue
            name = f"c{row.row_no}-{column}"
            heading = headings[column] or gettext("Column %(number)s", number=column + 1)
            cells.append((row.row_no, column))
            label = gettext("Row %(row)s, %(column)s", row=row.row_no, column=heading)
            fixes.append((name, label))
            data[name] = opened.table.rows[row.row_no - 1][column]
    people = {
        f"p{row.row_no}": [
            *((str(one.id), _("Same person: %(name)s", name=one.name)) for one in row.candidates),
            ("new", _("Somebody new")),
            ("ask", _("Not sure: leave this row out for now")),
        ]
        for row in possible
    }
    skips = [
        (f"s{row.row_no}", gettext("Leave row %(row)s out", row=row.row_no)) for row in problems
    ]
    places = {
        one.field: [
            *(
                (
                    str(site.public_id),
                    gettext("Same workplace: %(name)s", name=site.name)
                    + (f", {queries.where_is(site)}" if queries.where_is(site) else ""),
                )
                for site, _why in one.first.places
            ),
            (NEW_PLACE, _("A new workplace")),
            ("ask", _("Not sure: leave it out for now")),
        ]
        for one in alike[:SHOWN]
    }
    lack_employer = any(
        message == NO_EMPLOYER for row in problems for _column, message, _no in row.faults
    )
    employers = _employers(scope) if lack_employer else []
    settle: dict[str, tuple[str, list[tuple[str, Any]]]] = {}
    if opened.view.kind in OTHERS:
        with unit_of_work(scope, read_only=True) as session:
            settle = names_to_settle(
                session,
                scope,
                opened.view.kind,
                opened.rules,
                problems,
                lambda row_no, column: opened.table.rows[row_no - 1][column],
            )
    form = forms.fix_form(
        fixes, people, skips, places, len(alike), employers, dict(settle.values()), data=data
    )
    shown = Shown(
        tuple(cells),
        tuple(row.row_no for row in problems),
        tuple(row.row_no for row in possible),
        tuple(problems),
        tuple(possible),
        tuple(alike),
        {key: field for key, (field, _choices) in settle.items()},
    )
    return form, shown


def _employers(scope: Scope) -> list[tuple[str, Any]]:
    """Return what can be the employer of all workplaces of a list that are new."""
    with unit_of_work(scope, read_only=True) as session:
        found = queries.employers_to_choose(session, scope)
    own = [(ITS_OWN, _("Each one its own new employer, of the same name"))]
    may_make = scope.nodes(Permission.EMPLOYER_WRITE) is None
    # Too many to pick from: then a column of the list must name them.
    some = found if len(found) <= queries.MOST_OFFERED else []
    return [*(own if may_make else []), *((one.value, one.label) for one in some)]


def check_page(scope: Scope, opened: Opened, start: forms.StartForm | None) -> str:
    """Return the page. start: the form that imports, when it was refused."""
    form, shown = fix_form(scope, opened)
    view = opened.view
    with unit_of_work(scope, read_only=True) as session:
        counts = opened.table.found.get(service.COUNTS)
        if counts is None:
            counts = queries.counts_of(session, scope, view.id)
        changes, kept = counts["changes"], counts["kept"]
        kept_rows = (
            queries.list_records(session, scope, view.id, limit=SHOWN, keeps=True) if kept else []
        )
        changed = (
            queries.list_records(
                session, scope, view.id, limit=SHOWN, outcomes=[RowOutcome.CHANGED]
            )
            if view.count(RowOutcome.CHANGED)
            else []
        )
    share = service.change_share(view)
    found = view.count(RowOutcome.CHANGED, RowOutcome.UNCHANGED)
    able = view.count(RowOutcome.NEW, RowOutcome.CHANGED)
    start = start or forms.StartForm(formdata=None, data={"version": str(view.version)})
    return render_template(
        "imports/check.html",
        view=view,
        form=form,
        start=start,
        counts=[
            (one, view.count(one), _outcome_words(one, view.kind))
            for one in (
                RowOutcome.NEW,
                RowOutcome.CHANGED,
                RowOutcome.UNCHANGED,
                RowOutcome.POSSIBLE,
                RowOutcome.PROBLEM,
                RowOutcome.LEFT_OUT,
            )
        ],
        total=view.total,
        able=able,
        warn=share is not None and share > service.WARN_SHARE,
        found=found,
        changed=view.count(RowOutcome.CHANGED),
        percent=round(share * 100) if share is not None else None,
        of_people=view.kind is ImportKind.PEOPLE,
        changes=[
            (CHANGES.get(name, name), number)
            for name, number in sorted(changes.items(), key=lambda one: -one[1])
        ],
        kept=[(CHANGES[name], number) for name, number in kept.items()],
        kept_rows=[
            {
                **record_line(row, view.kind),
                "says": _says(opened, row.row_no),
                "kept": [CHANGES[name] for name in row.kept],
            }
            for row in kept_rows
        ],
        changed_rows=[
            {
                **record_line(row, view.kind),
                "says": _says(opened, row.row_no),
                "changes": [CHANGES.get(name, name) for name in dict.fromkeys(row.changes)],
            }
            for row in changed
        ],
        more_changed=view.count(RowOutcome.CHANGED) - len(changed),
        month_first=_month_first(opened),
        unmatched=any(
            message == NOT_MATCHED and opened.rules.targets[column] in VALUED
            for row in shown.problems
            for column, message, _number in row.faults
            if column is not None
        ),
        problems=[_problem(row, opened, set(shown.named.values())) for row in shown.problems],
        more_problems=view.count(RowOutcome.PROBLEM) - len(shown.problems),
        possible=[_possible(row, opened) for row in shown.possible],
        more_possible=view.count(RowOutcome.POSSIBLE) - len(shown.possible),
        alike=[_alike_line(one, opened) for one in shown.alike[:SHOWN]],
        more_alike=len(shown.alike[SHOWN:]),
        new_areas=_new_areas(opened.rules),
        moves=opened.rules.answers.get(PEOPLE) == MOVE,
        # Ballots and mergers have days of their own, not one of the whole list.
        as_at=None if view.kind in OTHERS else opened.rules.as_at,
    )


def _month_first(opened: Opened) -> str | None:
    """Return a date of the list that has its month first, where others of its column have not.

    Then nobody can tell which of the two 4/3/2026 is.
    """
    table, rules = opened.table, opened.rules
    found = (month_first(table, rules, place) for place in rules.columns_of(*DAYS))
    return next(filter(None, found), None)


def record_line(row: queries.RecordView, kind: ImportKind) -> dict[str, Any]:
    """Return what a page shows of a row and the person or workplace it is about."""
    of_people = kind is ImportKind.PEOPLE
    url = None
    if row.id is not None and of_people:
        url = url_for("contacts.show", contact_id=row.id)
    elif row.id is not None:
        url = address_of("workplaces.show", place_id=row.id)
    return {"row": row.row_no, "name": row.name, "url": url}


def _new_areas(rules: Rules) -> list[str]:
    """Return the names of the areas that a list of people makes where a workplace lacks them."""
    found = {
        meaning.removeprefix(NEW_AREA)
        for place in rules.columns_of(Target.AREA)
        for meaning in rules.meanings.get(place, {}).values()
        if meaning.startswith(NEW_AREA)
    }
    return sorted(found)


def _outcome_words(outcome: RowOutcome, kind: ImportKind) -> str:
    if outcome is RowOutcome.POSSIBLE and kind is not ImportKind.PEOPLE:
        return str(gettext("Could be here already"))
    return label(outcome)


def _problem(row: queries.RowView, opened: Opened, named: Set[str]) -> dict[str, Any]:
    """Return what the page shows of a row. named: fields that ask what a name means."""
    return {
        "row": row.row_no,
        "says": _says(opened, row.row_no),
        "faults": [
            {
                "words": gettext(message) % {"row": number},
                "field": f"c{row.row_no}-{column}" if column is not None else None,
                "meant": name if (name := f"n{row.row_no}-{column}") in named else None,
            }
            for column, message, number in row.faults
        ],
        "skip": f"s{row.row_no}",
    }


def _possible(row: queries.RowView, opened: Opened) -> dict[str, Any]:
    return {
        "row": row.row_no,
        "says": _says(opened, row.row_no),
        "field": f"p{row.row_no}",
        "people": [
            {
                "name": one.name,
                "url": url_for("contacts.show", contact_id=one.id),
                "where": one.where,
                "phones": one.phones,
                "why": [LABELS[Reason(reason)] for reason in one.why],
            }
            for one in row.candidates
        ],
    }


def _alike_line(one: _Alike, opened: Opened) -> dict[str, Any]:
    first, *more = one.rows
    return {
        "row": first,
        "more_rows": more,
        "says": _says(opened, first),
        "field": one.field,
        "places": [
            {
                "name": site.name,
                "url": url_for("workplaces.show", place_id=site.public_id),
                "where": queries.where_is(site),
                "why": ", ".join(label(reason) for reason in why),
            }
            for site, why in one.first.places
        ],
    }


def _says(opened: Opened, row_no: int) -> str:
    """Return what a row says in the columns that are used."""
    row, targets = opened.table.rows[row_no - 1], opened.rules.targets
    used = [
        cell
        for cell, target in zip(row, targets, strict=True)
        if cell and target is not Target.LEAVE_OUT
    ]
    return short(" · ".join(used))


def short(cell: str) -> str:
    """Return the text of a cell in one line of at most sixty letters."""
    text = " ".join(cell.split())
    return text if len(text) <= 60 else text[:59] + "…"
