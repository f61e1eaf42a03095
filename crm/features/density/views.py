"""Density on screen, taken apart, as files and on paper."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, current_app, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from crm.access import audit
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.exports import density_csv, density_xlsx
from crm.analysis.report_files import Sheet, figures_csv, workbook
from crm.analysis.safe_files import PRACTICE, About
from crm.domain.bases import Roster, basis_of
from crm.domain.density_row import DensityRow
from crm.domain.errors import NotFound
from crm.domain.headcount import Counts
from crm.domain.report import FigureRow
from crm.features.density import changes, files, forms, more, queries, wording
from crm.features.density.queries import Answer, Filters
from crm.reads.figures import GroupBy
from crm.reads.measures import Measures
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.expiry import expiry_rule
from crm.web.filters import day as day_text
from crm.web.filters import moment as moment_text
from crm.web.filters import people as people_text
from crm.web.guard import my_today, my_zone, requires, signed_in
from crm.web.labels import INDUSTRIES
from crm.web.pages import address_of

bp = Blueprint("density", __name__)

PAGE_SIZE = 50
# What fits on two sides of A4 under the total and the chart, with names on two lines.
PRINT_ROWS = 30
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NOWHERE = uuid.UUID(int=0)


def install(app: Flask) -> None:
    """Register the routes."""
    app.register_blueprint(bp)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A checked set of filters: the form, what it means, and its text for addresses."""

    form: forms.FilterForm
    filters: Filters
    query: dict[str, Any]
    knew: date | None


@bp.get("/dash")
@requires(Permission.DENSITY_READ)
def index(scope: Scope) -> Any:
    """Show the densities of the reader's places."""
    asked = _read_filters()
    with unit_of_work(scope, read_only=True) as session:
        choices = queries.list_choices(session, scope)
        answer = (
            queries.read_answer(
                session, scope, asked.filters, days=queries.month_ends(asked.filters.as_at)
            )
            if not asked.form.errors
            else None
        )
    asked.form.offer(choices, employer_name=answer.names.get("employer") if answer else None)
    words = {
        "form": asked.form,
        "workplace_id": asked.query.get("workplace"),
        "answer": answer,
    }
    if answer is None:
        return render_template("density/index.html", **words), 422
    return render_template("density/index.html", **words, **_shown(scope, asked, answer))


@bp.get("/dash/changes", endpoint="changes")
@requires(Permission.DENSITY_READ)
def what_changed(scope: Scope) -> Any:
    """Show what changed between two days, cause by cause."""
    asked, since = _asked_for_changes()
    found = None
    with unit_of_work(scope, read_only=True) as session:
        choices = queries.list_choices(session, scope)
        if not asked.form.errors:
            found = queries.read_changes(session, scope, asked.filters, since=since)
    asked.form.offer(choices, employer_name=found.names.get("employer") if found else None)
    words = {"form": asked.form, "workplace_id": asked.query.get("workplace")}
    if found is None:
        return render_template("density/changes.html", **words, found=None), 422
    asked.form.compare.data = since
    query = {**asked.query, "compare": since.isoformat()}
    return render_template(
        "density/changes.html",
        **words,
        **_changes_words(asked, found),
        back_url=url_for("density.index", **query),
        urls=_take_out("changes", query),
        may_export=scope.may(Permission.EXPORT_MAKE),
    )


def _asked_for_changes() -> tuple[_Asked, date]:
    asked = _read_filters()
    if asked.filters.counts is Roster.BALLOT:
        # Whoever is entitled stays on that list: what moved it has no causes here.
        asked = replace(asked, filters=replace(asked.filters, counts=Counts.SITE_ALL))
        asked.form.counts.data = Counts.SITE_ALL.value
    asked.form.as_on_changes()
    since = asked.filters.compare or queries.year_before(asked.filters.as_at)
    if not asked.form.errors and since >= asked.filters.as_at:
        asked.form.compare.errors = [_("Choose a day before the other one.")]
    return asked, since


def _changes_words(asked: _Asked, found: queries.Changes) -> dict[str, Any]:
    return {
        "found": changes.page(found, asked.filters),
        "bounded": wording.how_bounded(Roster.LIST) if asked.filters.saved else None,
        "title": _named(str(_("What changed")), found.names),
        "filters": _filter_lines(asked, found.names)[2:],
    }


@bp.get("/dash/changes/print", endpoint="changes_print")
@requires(Permission.DENSITY_READ)
def changes_on_paper(scope: Scope) -> str:
    """Show what changed as a sheet for paper."""
    asked, since = _asked_for_changes()
    _refuse_errors(asked)
    with unit_of_work(scope, read_only=True) as session:
        found = queries.read_changes(session, scope, asked.filters, since=since)
    query = {**asked.query, "compare": since.isoformat()}
    words = _changes_words(asked, found)
    back_url = url_for("density.changes", **query)
    return render_template(
        "density/changes_print.html",
        **words,
        sheet=_sheet(asked, words["title"], found.names, back_url=back_url),
    )


@bp.get("/dash/changes.csv", endpoint="changes_csv")
@requires(Permission.EXPORT_MAKE)
def changes_csv(scope: Scope) -> Response:
    """Send what changed as CSV, and record that it was taken out."""
    asked, rows, _sheets, _names = _changes_out(scope, "changes_csv")
    content = figures_csv(rows, practice=_practice())
    return _file(content, "text/csv; charset=utf-8", asked, "csv", "changes")


@bp.get("/dash/changes.xlsx", endpoint="changes_xlsx")
@requires(Permission.EXPORT_MAKE)
def changes_xlsx(scope: Scope) -> Response:
    """Send what changed as a workbook, and record that it was taken out."""
    asked, _rows, sheets, names = _changes_out(scope, "changes_xlsx")
    about = _about_figures(asked, names, str(_("What changed")))
    return _file(workbook(about, sheets, practice=_practice()), XLSX, asked, "xlsx", "changes")


def _changes_out(
    scope: Scope, what: str
) -> tuple[_Asked, list[FigureRow], list[Sheet], dict[str, str]]:
    asked, since = _asked_for_changes()
    _refuse_errors(asked)
    with unit_of_work(scope, read_only=True) as session:
        found = queries.read_changes(
            session, scope, asked.filters, since=since, permission=Permission.EXPORT_MAKE
        )
    basis = asked.filters.counts.value
    tables = files.tables_of_changes(found)
    rows = files.rows_of(
        tables,
        part="changes",
        unit=_where(found.names),
        basis=basis,
        as_at=asked.filters.as_at,
        after=since,
    )
    _record(scope, asked, what, len(rows))
    return asked, rows, files.sheets_of(tables), found.names


@bp.get("/dash/more", endpoint="more")
@requires(Permission.DENSITY_READ)
def further(scope: Scope) -> Any:
    """Show density on its several bases, unions side by side, and what stands beside density."""
    asked = _read_filters()
    asked.form.as_on_more()
    found = names = None
    with unit_of_work(scope, read_only=True) as session:
        choices = queries.list_choices(session, scope)
        if not asked.form.errors:
            names, found = queries.read_measures(
                session, scope, asked.filters, expiry=expiry_rule(), day=clock.now().date()
            )
    asked.form.offer(choices, employer_name=names.get("employer") if names else None)
    words = {"form": asked.form, "workplace_id": asked.query.get("workplace")}
    if found is None or names is None:
        return render_template("density/more.html", **words, found=None), 422
    return render_template(
        "density/more.html",
        **words,
        **_more_words(asked, names, found),
        back_url=url_for("density.index", **asked.query),
        urls=_take_out("more", asked.query),
        may_export=scope.may(Permission.EXPORT_MAKE),
    )


def _more_words(asked: _Asked, names: dict[str, str], found: Measures) -> dict[str, Any]:
    return {
        "found": more.page(found, asked.filters.as_at),
        "title": _named(str(_("Density in full")), names),
        "filters": _filter_lines(asked, names)[2 if asked.filters.saved else 3 :],
        "union": names.get("union"),
        "bounded": wording.how_bounded(Roster.LIST) if asked.filters.saved else None,
    }


@bp.get("/dash/more/print", endpoint="more_print")
@requires(Permission.DENSITY_READ)
def more_on_paper(scope: Scope) -> str:
    """Show density in full as a sheet for paper."""
    asked = _checked_filters()
    with unit_of_work(scope, read_only=True) as session:
        names, found = queries.read_measures(
            session, scope, asked.filters, expiry=expiry_rule(), day=clock.now().date()
        )
    words = _more_words(asked, names, found)
    sheet = _sheet(asked, words["title"], names, back_url=url_for("density.more", **asked.query))
    if not asked.filters.saved:
        # The page has every basis, each in a line of its own.
        sheet["base"] = ""
    return render_template("density/more_print.html", **words, sheet=sheet)


@bp.get("/dash/more.csv", endpoint="more_csv")
@requires(Permission.EXPORT_MAKE)
def more_csv(scope: Scope) -> Response:
    """Send density in full as CSV, and record that it was taken out."""
    asked, rows, _sheets, _names = _more_out(scope, "measures_csv")
    content = figures_csv(rows, practice=_practice())
    return _file(content, "text/csv; charset=utf-8", asked, "csv", "density-in-full")


@bp.get("/dash/more.xlsx", endpoint="more_xlsx")
@requires(Permission.EXPORT_MAKE)
def more_xlsx(scope: Scope) -> Response:
    """Send density in full as a workbook, and record that it was taken out."""
    asked, _rows, sheets, names = _more_out(scope, "measures_xlsx")
    about = _about_figures(asked, names, str(_("Density in full")))
    content = workbook(about, sheets, practice=_practice())
    return _file(content, XLSX, asked, "xlsx", "density-in-full")


def _more_out(
    scope: Scope, what: str
) -> tuple[_Asked, list[FigureRow], list[Sheet], dict[str, str]]:
    asked = _checked_filters()
    with unit_of_work(scope, read_only=True) as session:
        names, found = queries.read_measures(
            session,
            scope,
            asked.filters,
            expiry=expiry_rule(),
            day=clock.now().date(),
            permission=Permission.EXPORT_MAKE,
        )
    tables = files.tables_of_measures(found)
    rows = files.rows_of(
        tables,
        part="density_in_full",
        unit=_where(names),
        basis=found.bases[0].counts.value,
        as_at=asked.filters.as_at,
    )
    _record(scope, asked, what, len(rows))
    return asked, rows, files.sheets_of(tables), names


def _take_out(page: str, query: dict[str, Any]) -> dict[str, str]:
    return {sort: url_for(f"density.{page}_{sort}", **query) for sort in ("print", "xlsx", "csv")}


def _refuse_errors(asked: _Asked) -> None:
    """Raise NotFound for filters that cannot be, in an address that a link of the page made."""
    if asked.form.errors:
        raise NotFound("filters")


def _where(names: dict[str, str]) -> str:
    """Return the places asked for in words."""
    return _named("", names).removeprefix(": ") or str(_("Everything you hold"))


def _record(scope: Scope, asked: _Asked, what: str, rows: int) -> None:
    # In its own, short piece of work, so that nobody's saving waits for the figures; and before
    # the file is sent, so that none leaves unrecorded.
    with unit_of_work(scope) as session:
        audit.record_export_of_all(session, scope, what=what, filters=asked.query, rows=rows)


@bp.get("/dash/explain/<uuid:place_id>")
@requires(Permission.DENSITY_READ)
def explain(scope: Scope, place_id: uuid.UUID) -> str:
    """Show how one place's figure was worked out."""
    asked = _checked_filters()
    with unit_of_work(scope, read_only=True) as session:
        found = queries.explain_place(session, scope, asked.filters, place_id)
    return _explained(scope, asked, found)


@bp.get("/dash/explain")
@requires(Permission.DENSITY_READ)
def explain_total(scope: Scope) -> str:
    """Show how the total of the table was worked out."""
    asked = _checked_filters()
    with unit_of_work(scope, read_only=True) as session:
        found = queries.explain_total(session, scope, asked.filters)
    return _explained(scope, asked, found)


@bp.get("/dash/print", endpoint="print")
@requires(Permission.DENSITY_READ)
def paper(scope: Scope) -> str:
    """Show the densities as a sheet for paper."""
    asked = _checked_filters()
    with unit_of_work(scope, read_only=True) as session:
        answer = queries.read_answer(
            session, scope, asked.filters, days=queries.month_ends(asked.filters.as_at)
        )
    rows = answer.rows[:PRINT_ROWS]
    group = str(forms.GROUPS[asked.filters.by])
    trend = wording.trend_chart(answer.trend, answer.total, asked.filters.as_at)
    return render_template(
        "density/print.html",
        sheet=_sheet(
            asked,
            _title(answer),
            answer.names,
            back_url=url_for("density.index", **asked.query),
        ),
        filters=_filter_lines(asked, answer.names),
        total=_total_words(asked, answer),
        trend=trend,
        table=wording.paper_table(rows, answer.total, group),
        caption=_caption(asked),
        key=wording.paper_key(),
        left=len(answer.rows) - len(rows),
    )


@bp.get("/dash.csv", endpoint="csv")
@requires(Permission.EXPORT_MAKE)
def csv_file(scope: Scope) -> Response:
    """Send the densities as CSV, and record that they were taken out."""
    asked = _checked_filters()
    answer = _export(scope, asked, "density_csv")
    content = density_csv(answer.everything, practice=_practice())
    return _file(content, "text/csv; charset=utf-8", asked, "csv")


@bp.get("/dash.xlsx", endpoint="xlsx")
@requires(Permission.EXPORT_MAKE)
def xlsx_file(scope: Scope) -> Response:
    """Send the densities as a workbook, and record that they were taken out."""
    asked = _checked_filters()
    answer = _export(scope, asked, "density_xlsx")
    content = density_xlsx(
        answer.everything, _about(asked, answer), _("Density"), practice=_practice()
    )
    return _file(content, XLSX, asked, "xlsx")


def _sheet(asked: _Asked, title: str, names: dict[str, str], *, back_url: str) -> dict[str, str]:
    """Return what stands around a sheet for paper."""
    basis = wording.basis_name(asked.filters.counts, names.get("saved"))
    return {
        "title": title,
        "sub": str(current_app.config["ORGANISATION"]),
        "as_at": day_text(asked.filters.as_at),
        "base": str(_("Out of: %(basis)s.", basis=basis)),
        "back_url": back_url,
    }


# --- What was asked ---------------------------------------------------------------------------


def _read_filters() -> _Asked:
    """Return the filters of the address. Raises NotFound for a place id that cannot be one."""
    today = my_today()
    form = forms.FilterForm(formdata=request.args)
    form.validate()
    if form.as_at.data is None and not form.as_at.errors:
        form.as_at.data = today
    for field in (form.as_at, getattr(form, "compare", None)):
        if field is not None and field.data is not None and field.data > today:
            field.errors = [str(forms.NOT_YET)]
    try:
        places = {name: forms.place_id(request.args.get(name)) for name in forms.PLACES}
        saved = forms.place_id(request.args.get("saved"))
    except ValueError as error:
        raise NotFound("place id") from error
    if form.errors:
        return _Asked(form, Filters(as_at=today), {}, None)
    knew: date | None = form.knew.data
    filters = Filters(
        as_at=form.as_at.data,
        by=GroupBy(form.by.data),
        counts=Roster.LIST if saved else basis_of(form.counts.data),
        saved=saved,
        expiry=expiry_rule(),
        sector=form.sector.data or None,
        industry=form.industry.data or None,
        known_at=None if knew is None or knew >= today else _end_of(knew),
        compare=form.compare.data,
        **places,
    )
    return _Asked(form, filters, _query_of(filters, knew), knew)


def _checked_filters() -> _Asked:
    """Return the filters, for an address that is only ever reached by a link from the page."""
    asked = _read_filters()
    _refuse_errors(asked)
    return asked


def _end_of(day: date) -> datetime:
    """Return the last moment of the day where the reader lives."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(my_zone()))
    return midnight - timedelta(microseconds=1)


def _query_of(filters: Filters, knew: date | None) -> dict[str, Any]:
    """Return the filters as they stand in an address, whole, so that it means the same later."""
    values: dict[str, Any] = {
        "as_at": filters.as_at,
        "by": filters.by.value,
        "counts": None if filters.saved else filters.counts.value,
        "saved": filters.saved,
        **{name: getattr(filters, name) for name in forms.PLACES},
        "sector": filters.sector,
        "industry": filters.industry,
        "knew": knew,
        "compare": filters.compare,
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def _filter_lines(asked: _Asked, names: dict[str, str]) -> list[tuple[str, str]]:
    """Return the filters in words, for paper and for the cover of a workbook."""
    filters = asked.filters
    lines = [
        (_("As at"), day_text(filters.as_at)),
        (_("A line for each"), str(forms.GROUPS[filters.by])),
        (_("Out of"), wording.basis_name(filters.counts, names.get("saved"))),
        (_("Members of"), names.get("union", _("Any union"))),
    ]
    words = {
        "branch": _("Branch"),
        "region": _("Region"),
        "employer": _("Employer"),
        "workplace": _("Workplace"),
    }
    lines += [(words[name], names[name]) for name in words if name in names]
    if filters.sector:
        lines.append((_("Sector"), wording.sector_name(filters.sector)))
    if filters.industry:
        lines.append((_("Industry"), str(INDUSTRIES[filters.industry])))
    if filters.compare is not None:
        lines.append((_("Compared with"), day_text(filters.compare)))
    lines.append((_("What we know"), _knew_words(asked)))
    return lines


def _knew_words(asked: _Asked) -> str:
    if asked.knew is None:
        return str(_("What we know now"))
    return str(_("What we knew on %(day)s", day=day_text(asked.knew)))


# --- The page ---------------------------------------------------------------------------------


class _Links:
    """Addresses of what stands behind each number, made once for each sort and then filled in."""

    def __init__(self, scope: Scope, asked: _Asked) -> None:
        self._asked = asked
        self._explain = url_for("density.explain", place_id=_NOWHERE, **asked.query)
        self._total = url_for("density.explain_total", **asked.query)
        views = current_app.view_functions
        self._workplace = (
            url_for("workplaces.show", place_id=_NOWHERE) if "workplaces.show" in views else None
        )
        # The list of people speaks of members of any union, as known now, at one place.
        people = (
            "contacts.index" in views
            and scope.may(Permission.CONTACT_READ)
            and asked.filters.union is None
            and asked.filters.known_at is None
            and asked.filters.counts is Counts.SITE_ALL
            and asked.filters.by in {GroupBy.WORKPLACE, GroupBy.AREA}
        )
        self._people = url_for("contacts.index") if people else None

    def of(self, row: DensityRow, what: str) -> str | None:
        """Return the address behind a number of the row; what: place, explain or a membership."""
        if row.row == "total":
            return self._total
        if what == "place":
            return self._place(row)
        if what == "explain" or self._people is None:
            return self._explain.replace(str(_NOWHERE), row.place_id) if row.place_id else None
        query = urlencode(
            {"place": row.place_id, "member": what, "as_at": self._asked.filters.as_at.isoformat()}
        )
        return f"{self._people}?{query}"

    def _place(self, row: DensityRow) -> str | None:
        by = self._asked.filters.by
        if by is GroupBy.WORKPLACE:
            return self._workplace and self._workplace.replace(str(_NOWHERE), row.place_id)
        if by is GroupBy.AREA or not row.place:
            return self.of(row, "explain")
        value = row.place if by in {GroupBy.SECTOR, GroupBy.INDUSTRY} else row.place_id
        query = {**self._asked.query, "by": GroupBy.WORKPLACE.value, by.value: value}
        return url_for("density.index", **query)


def _shown(scope: Scope, asked: _Asked, answer: Answer) -> dict[str, Any]:
    pages = max(1, -(-len(answer.rows) // PAGE_SIZE))
    number = min(max(request.args.get("page", 1, type=int), 1), pages)
    start = (number - 1) * PAGE_SIZE
    rows = answer.rows[start : start + PAGE_SIZE]
    links = _Links(scope, asked)
    as_at = asked.filters.as_at
    return {
        "title": _title(answer),
        "total": _total_words(asked, answer),
        "explain_url": url_for("density.explain_total", **asked.query),
        "trend": wording.trend_chart(answer.trend, answer.total, as_at),
        "ranges": wording.range_chart(
            rows, answer.total, as_at, _table(asked, answer, rows, links), links.of
        )
        if rows
        else None,
        "pager_words": _pager(asked, number, pages, start, len(rows), len(answer.rows)),
        "urls": {
            "csv": url_for("density.csv", **asked.query),
            "xlsx": url_for("density.xlsx", **asked.query),
            "print": url_for("density.print", **asked.query),
            "reports": address_of("reports.index"),
            "link": url_for("density.index", **asked.query),
            "more": url_for(
                "density.more",
                **{name: value for name, value in asked.query.items() if name != "by"},
            ),
            "ready": address_of("readiness.index"),
            "changes": url_for(
                "density.changes",
                **{name: value for name, value in asked.query.items() if name != "by"},
            ),
            "everything": url_for("density.index", as_at=as_at.isoformat()),
        },
        "may_export": scope.may(Permission.EXPORT_MAKE),
    }


def _title(answer: Answer) -> str:
    return _named(str(_("Density")), answer.names)


def _named(title: str, names: dict[str, str]) -> str:
    where = [names[name] for name in names if name not in {"union", "saved"}]
    return str(_("%(title)s: %(where)s", title=title, where=", ".join(where)) if where else title)


def _total_words(asked: _Asked, answer: Answer) -> dict[str, Any]:
    total, filters = answer.total, asked.filters
    return {
        "headline": wording.headline(total, filters.as_at),
        "not_known": wording.not_known_text(total),
        "coverage": wording.coverage(answer, filters.as_at),
        "left_out": wording.left_out(answer),
        "stale": wording.stale(answer),
        "bounded": wording.how_bounded(filters.counts),
        "basis": wording.basis_name(filters.counts, answer.names.get("saved")),
        "union": answer.names.get("union"),
        "only": _only(asked, answer.names),
        "knew": None if asked.knew is None else _knew_words(asked),
        "then": wording.compared_text(total, answer.earlier_total),
        "other_bases": [
            (
                url_for("density.index", **{**asked.query, "counts": counts.value}),
                wording.other_basis(counts, places),
            )
            for counts, places in answer.other_bases.items()
            if not total.places_counted
        ],
    }


def _only(asked: _Asked, names: dict[str, str]) -> str | None:
    """Return what else the total is narrowed to; None when nothing. The heading has the places."""
    found = []
    if asked.filters.sector:
        found.append(wording.sector_name(asked.filters.sector))
    if asked.filters.industry:
        found.append(str(INDUSTRIES[asked.filters.industry]))
    return _("Only: %(what)s.", what="; ".join(found)) if found else None


def _table(
    asked: _Asked, answer: Answer, rows: tuple[DensityRow, ...], links: _Links
) -> dict[str, Any]:
    compared = answer.earlier is not None
    then = {_key(row): row for row in answer.earlier or ()}
    group = str(forms.GROUPS[asked.filters.by])
    return {
        "columns": wording.columns(
            group, asked.filters.compare if compared else None, asked.filters.counts
        ),
        "rows": [
            wording.cells(row, links.of, compared=compared, then=then.get(_key(row)))
            for row in rows
        ],
        "foot": wording.cells(answer.total, links.of, compared=compared, then=answer.earlier_total),
        "caption": _caption(asked),
    }


def _caption(asked: _Asked) -> str:
    words = _(
        "Density by %(group)s, %(day)s",
        group=str(forms.GROUPS[asked.filters.by]).lower(),
        day=day_text(asked.filters.as_at),
    )
    return str(words)


def _key(row: DensityRow) -> tuple[str, str]:
    return row.place_id, "" if row.place_id else row.place


def _pager(
    asked: _Asked, number: int, pages: int, start: int, shown: int, total: int
) -> dict[str, str | None]:
    def _to(page: int) -> str:
        return url_for("density.index", **{**asked.query, "page": str(page)})

    return {
        "previous_url": _to(number - 1) if number > 1 else None,
        "next_url": _to(number + 1) if number < pages else None,
        "text": _(
            "%(first)s to %(last)s of %(total)s lines",
            first=people_text(start + 1),
            last=people_text(start + shown),
            total=people_text(total),
        )
        if pages > 1
        else None,
    }


def _explained(scope: Scope, asked: _Asked, found: queries.Explanation) -> str:
    as_at = asked.filters.as_at
    links = _Links(scope, _about_parts(asked, found))
    counted = [part for part in found.parts if part.workers_high is not None]
    unknown = [part for part in found.parts if part.workers_high is None]
    return render_template(
        "density/explain.html",
        title=_("How we worked out: %(place)s", place=wording.place_name(found.row))
        if found.row.row == "place"
        else _("How we worked out the total"),
        back_url=url_for("density.index", **asked.query),
        as_at=day_text(as_at),
        headline=wording.headline(found.row, as_at),
        notes=wording.notes_text(found.row),
        filters=_filter_lines(asked, found.names),
        steps=wording.steps(found, as_at),
        parts=wording.part_table(counted[:PAGE_SIZE], links.of, _("What it is the sum of")),
        unknown=wording.part_table(unknown[:PAGE_SIZE], links.of, _("Left out")),
        parts_left=max(0, len(counted) - PAGE_SIZE),
        unknown_left=max(0, len(unknown) - PAGE_SIZE),
    )


def _about_parts(asked: _Asked, found: queries.Explanation) -> _Asked:
    """Return the filters under which each part of the figure is explained."""
    if asked.filters.by is GroupBy.AREA and found.kind is None:
        return asked
    union = uuid.UUID(found.row.place_id) if found.kind is GroupBy.UNION else asked.filters.union
    filters = replace(asked.filters, by=GroupBy.WORKPLACE, union=union)
    return _Asked(asked.form, filters, _query_of(filters, asked.knew), asked.knew)


# --- Files ------------------------------------------------------------------------------------


def _export(scope: Scope, asked: _Asked, what: str) -> Answer:
    """Return what goes into the file: only places whose figures this person may take out."""
    with unit_of_work(scope, read_only=True) as session:
        answer = queries.read_answer(
            session, scope, asked.filters, permission=Permission.EXPORT_MAKE
        )
    _record(scope, asked, what, len(answer.everything))
    return answer


def _file(
    content: bytes, mimetype: str, asked: _Asked, ending: str, stem: str = "density"
) -> Response:
    mark = f"{PRACTICE}-" if _practice() else ""
    name = f"{mark}{stem}-{asked.filters.as_at.isoformat()}.{ending}"
    response = make_response(content)
    response.headers["Content-Type"] = mimetype
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _practice() -> bool:
    return bool(current_app.config["PRACTICE"])


def _about_figures(asked: _Asked, names: dict[str, str], title: str) -> About:
    """Return the first sheet of a workbook of figures."""
    user = signed_in()
    return About(
        name=_("About"),
        title=_(
            "%(title)s as at %(day)s",
            title=_named(title, names),
            day=day_text(asked.filters.as_at),
        ),
        lines=(
            *_filter_lines(asked, names),
            (_("Made by"), user.name if user else ""),
            (_("Made at"), moment_text(clock.now())),
            (_("Organisation"), str(current_app.config["ORGANISATION"])),
        ),
        words=(
            *filter(None, [wording.how_bounded(asked.filters.counts)]),
            _("Contains union data: do not leave on a table."),
            _("Counts only, no names."),
            _("“Not known” is never counted as “no”."),
            _("[x] means not known. [z] means does not apply."),
        ),
    )


def _about(asked: _Asked, answer: Answer) -> About:
    user = signed_in()
    return About(
        name=_("About"),
        title=_("%(title)s as at %(day)s", title=_title(answer), day=day_text(asked.filters.as_at)),
        lines=(
            *_filter_lines(asked, answer.names),
            (_("Total"), wording.headline(answer.total, asked.filters.as_at)),
            (_("Not known"), wording.not_known_text(answer.total)),
            (_("Headcounts"), wording.coverage(answer, asked.filters.as_at)),
            *(
                [(_("Compared"), words)]
                if (words := wording.compared_text(answer.total, answer.earlier_total))
                else []
            ),
            (_("Made by"), user.name if user else ""),
            (_("Made at"), moment_text(clock.now())),
            (_("Organisation"), str(current_app.config["ORGANISATION"])),
        ),
        words=(
            *filter(None, [wording.how_bounded(asked.filters.counts)]),
            _("Contains union data: do not leave on a table."),
            _("“Not known” is never counted as “no”."),
            _("[x] means not known. [z] means does not apply."),
            _("At least: members ÷ the highest count of workers."),
            _("At most: members, not known and not named yet ÷ workers."),
            _("Fewer than 10 workers: no per cents, because one person changes them too much."),
            _("A row “total” counts each person once. It is not the sum of the rows above it."),
        ),
    )
