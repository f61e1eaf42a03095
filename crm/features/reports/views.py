"""A report of a place on screen, on paper and as files."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, current_app, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from crm.access import audit
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.exports import PRACTICE
from crm.analysis.report_files import figures_csv, workbook
from crm.domain.errors import NotFound
from crm.domain.report import ALWAYS, PartName, ReportPack, figure_rows
from crm.domain.vocabulary import PlaceKind
from crm.features.reports import files, queries, wording
from crm.features.reports.forms import ReportForm
from crm.reads.places import holds_place
from crm.reads.report import build_report
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.expiry import expiry_rule
from crm.web.filters import day as day_text
from crm.web.filters import moment as moment_text
from crm.web.guard import my_today, my_zone, requires, signed_in
from crm.web.labels import label

bp = Blueprint("reports", __name__)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a report is asked for. query: the same for an address, whole."""

    form: ReportForm
    since: date
    as_at: date
    parts: tuple[PartName, ...]

    @property
    def query(self) -> dict[str, Any]:
        """The days and parts as they stand in an address, so that it means the same later."""
        words: dict[str, Any] = {"since": str(self.since), "as_at": str(self.as_at)}
        if self.parts != ALWAYS:
            words["parts"] = [part.value for part in self.parts]
        return words


@bp.get("/reports")
@requires(Permission.DENSITY_READ)
def index(scope: Scope) -> str:
    """Show the places that the reader can have a report of."""
    with unit_of_work(scope, read_only=True) as session:
        units, more = queries.list_units(session, scope)
    return render_template(
        "reports/index.html",
        units=[
            {
                "url": url_for("reports.show", place_id=unit.public_id),
                "name": _("Everything") if unit.kind is PlaceKind.EVERYTHING else unit.name,
                "more": label(unit.kind),
            }
            for unit in units
        ],
        more=more,
    )


@bp.get("/reports/<uuid:place_id>")
@requires(Permission.DENSITY_READ)
def show(scope: Scope, place_id: uuid.UUID) -> Any:
    """Show the report of a place."""
    asked = _read()
    with unit_of_work(scope, read_only=True) as session:
        pack = _build(session, scope, place_id, asked)
        may_export = holds_place(session, scope, place_id, Permission.EXPORT_MAKE)
    address = {"place_id": place_id, **asked.query}
    page = render_template(
        "reports/show.html",
        form=asked.form,
        name=wording.unit_name(pack),
        since=asked.since,
        as_at=asked.as_at,
        parts=wording.show(pack, lines=wording.SCREEN_LINES),
        may_export=may_export,
        urls={
            "print": url_for("reports.print", **address),
            "csv": url_for("reports.csv", **address),
            "xlsx": url_for("reports.xlsx", **address),
            "link": url_for("reports.show", **address),
        },
    )
    return (page, 422) if asked.form.errors else page


@bp.get("/reports/<uuid:place_id>/print", endpoint="print")
@requires(Permission.DENSITY_READ)
def paper(scope: Scope, place_id: uuid.UUID) -> str:
    """Show the report as a sheet for paper."""
    asked = _checked()
    with unit_of_work(scope, read_only=True) as session:
        pack = _build(session, scope, place_id, asked)
    return render_template(
        "reports/print.html",
        sheet={
            "title": _("Report: %(name)s", name=wording.unit_name(pack)),
            "sub": str(current_app.config["ORGANISATION"]),
            "as_at": day_text(asked.as_at),
            "base": _("Members of any union. Counts only, no names."),
            "back_url": url_for("reports.show", place_id=place_id, **asked.query),
        },
        since=asked.since,
        parts=wording.show(pack, lines=wording.PAPER_LINES, open_tables=True),
    )


@bp.get("/reports/<uuid:place_id>.csv", endpoint="csv")
@requires(Permission.EXPORT_MAKE)
def csv_file(scope: Scope, place_id: uuid.UUID) -> Response:
    """Send every figure of the report as CSV, and record that it was taken out."""
    asked = _checked()
    pack = _export(scope, place_id, asked, "report_csv")
    content = figures_csv(figure_rows(pack), practice=_practice())
    return _file(content, "text/csv; charset=utf-8", asked, "csv")


@bp.get("/reports/<uuid:place_id>.xlsx", endpoint="xlsx")
@requires(Permission.EXPORT_MAKE)
def xlsx_file(scope: Scope, place_id: uuid.UUID) -> Response:
    """Send the report as a workbook, and record that it was taken out."""
    asked = _checked()
    pack = _export(scope, place_id, asked, "report_xlsx")
    user = signed_in()
    about = files.about(
        pack,
        organisation=str(current_app.config["ORGANISATION"]),
        made_by=user.name if user else "",
        made_at=moment_text(clock.now()),
    )
    content = workbook(about, files.sheets(pack), practice=_practice())
    return _file(content, XLSX, asked, "xlsx")


def _read() -> _Asked:
    form = ReportForm(formdata=request.args)
    since, as_at, parts = form.check(my_today())
    return _Asked(form, since, as_at, parts)


def _checked() -> _Asked:
    """Return what is asked for at an address that is only ever reached by a link from the page."""
    asked = _read()
    if asked.form.errors:
        raise NotFound("report")
    return asked


def _build(
    session: Any,
    scope: Scope,
    place_id: uuid.UUID,
    asked: _Asked,
    permission: Permission = Permission.DENSITY_READ,
) -> ReportPack:
    return build_report(
        session,
        scope,
        place_id,
        since=asked.since,
        as_at=asked.as_at,
        day_end=_end_of(asked.as_at),
        expiry=expiry_rule(),
        parts=asked.parts,
        permission=permission,
    )


def _end_of(day: date) -> datetime:
    """Return the first moment after the day where the reader lives."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(my_zone()))


def _export(scope: Scope, place_id: uuid.UUID, asked: _Asked, what: str) -> ReportPack:
    with unit_of_work(scope, read_only=True) as session:
        pack = _build(session, scope, place_id, asked, Permission.EXPORT_MAKE)
        inner = queries.unit_key(session, scope, place_id)
    # In its own, short piece of work, so that nobody's saving waits for the figures; and before
    # the file is sent, so that none leaves unrecorded.
    with unit_of_work(scope) as session:
        audit.record_export(
            session, what=what, filters=asked.query, rows=len(figure_rows(pack)), place_id=inner
        )
    return pack


def _file(content: bytes, mimetype: str, asked: _Asked, ending: str) -> Response:
    mark = f"{PRACTICE}-" if _practice() else ""
    name = f"{mark}report-{asked.as_at.isoformat()}.{ending}"
    response = make_response(content)
    response.headers["Content-Type"] = mimetype
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _practice() -> bool:
    return bool(current_app.config["PRACTICE"])
