"""A report of a place on screen, on paper and as files."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import (
    Blueprint,
    Flask,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import force_locale, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from crm.access import audit
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.safe_files import PRACTICE
from crm.domain.errors import NotFound, PermissionRefused, Refusal
from crm.domain.report import ALWAYS, PartName, ReportPack, figure_rows
from crm.domain.vocabulary import PlaceKind
from crm.features.reports import files, queries, service, wording
from crm.features.reports.forms import MakeForm, RecipeForm, ReportForm
from crm.features.reports.queries import RecipeRow, Unit
from crm.reads.places import holds_place
from crm.reads.report import build_report
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.expiry import expiry_rule
from crm.web.filters import day as day_text
from crm.web.filters import moment as moment_text
from crm.web.forms import chosen_id
from crm.web.guard import my_today, my_zone, requires, signed_in
from crm.web.labels import label
from crm.web.tasks import TaskKind, Work, register

bp = Blueprint("reports", __name__)

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
READY = "The report is ready. It is kept for a day, then it is deleted."
WITHOUT_PDF = (
    "The report is ready, without a PDF: this server cannot make one. Print it from your browser. "
    "It is kept for a day, then it is deleted."
)


def install(app: Flask) -> None:
    """Register the pages of this feature, and the making of files by the worker."""
    app.register_blueprint(bp)
    register(
        app,
        service.TASK_KIND,
        TaskKind(
            title=_l("Make a report"),
            back_endpoint="reports.index",
            back_label=_l("Reports"),
            permission=Permission.EXPORT_MAKE,
            run=make_file,
            somewhere=True,
            busy=_l("The server is counting."),
            counted=_l("%(done)s of %(total)s parts"),
            file_endpoint="reports.fetch",
            file_label=_l("Fetch the report"),
        ),
    )


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
        kept = queries.list_kept(session, scope, kind=service.TASK_KIND, now=clock.now())
    return render_template(
        "reports/index.html",
        units=[
            {
                "url": url_for("reports.show", place_id=unit.public_id),
                "name": _name(unit),
                "more": label(unit.kind),
            }
            for unit in units
        ],
        more=more,
        recipes=[_recipe(one, my_today()) for one in kept.recipes],
        form=MakeForm(),
        files=[
            {
                "url": url_for("reports.fetch", file_id=file.public_id),
                "name": f"{_name(file.unit)} ({file.sort.upper()})",
                "more": _(
                    "As at %(day)s. Kept until %(until)s.",
                    day=day_text(file.as_at),
                    until=moment_text(file.expires_at),
                ),
            }
            for file in kept.files
        ],
        making=[url_for("tasks.show", task_id=task_id) for task_id in kept.making],
    )


def _name(unit: Unit) -> str:
    return _("Everything") if unit.kind is PlaceKind.EVERYTHING else unit.name


def _recipe(one: RecipeRow, today: date) -> dict[str, Any]:
    """Return the lines of a kept report: the next one, from its last day on, and the last one."""
    parts = [part.value for part in one.parts]
    to: dict[str, Any] = {"place_id": one.unit.public_id, "parts": parts, "recipe": one.public_id}
    next_since = one.as_at if one.as_at < today else one.since
    return {
        "name": one.name,
        "unit": _name(one.unit),
        "next_url": url_for("reports.show", **to, since=next_since, as_at=today),
        "next": _("The next one: since %(day)s", day=day_text(next_since)),
        "last_url": url_for("reports.show", **to, since=one.since, as_at=one.as_at),
        "last": _("The last one again: as at %(day)s", day=day_text(one.as_at)),
        "remove_url": url_for("reports.remove_recipe", recipe_id=one.public_id),
    }


@bp.get("/reports/<uuid:place_id>")
@requires(Permission.DENSITY_READ)
def show(scope: Scope, place_id: uuid.UUID) -> Any:
    """Show the report of a place."""
    return _page(scope, place_id, _read(), None)


def _page(scope: Scope, place_id: uuid.UUID, asked: _Asked, refused: RecipeForm | None) -> Any:
    """Return the report. refused: the form of a recipe that could not be kept."""
    with unit_of_work(scope, read_only=True) as session:
        pack = _build(session, scope, place_id, asked)
        may_export = holds_place(session, scope, place_id, Permission.EXPORT_MAKE)
        name = queries.find_recipe_name(
            session, scope, chosen_id(request.args.get("recipe")), place_id
        )
    address = {"place_id": place_id, **asked.query}
    recipe = refused or RecipeForm(formdata=None, data={"name": name})
    page = render_template(
        "reports/show.html",
        form=asked.form,
        recipe=recipe,
        make_form=MakeForm(formdata=None),
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
            "pdf": url_for("reports.make", sort="pdf", **address),
            "zip": url_for("reports.make", sort="zip", **address),
            "keep": url_for("reports.keep", **address),
        },
    )
    return (page, 422) if asked.form.errors or recipe.errors else page


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
    return _file(files.csv_of(pack, _maker()), "csv", asked.as_at)


@bp.get("/reports/<uuid:place_id>.xlsx", endpoint="xlsx")
@requires(Permission.EXPORT_MAKE)
def xlsx_file(scope: Scope, place_id: uuid.UUID) -> Response:
    """Send the report as a workbook, and record that it was taken out."""
    asked = _checked()
    pack = _export(scope, place_id, asked, "report_xlsx")
    return _file(files.xlsx_of(pack, _maker()), "xlsx", asked.as_at)


# --- Files that take long: the worker makes them ----------------------------------------------


@bp.post('/reports/<uuid:place_id>/make/<any("pdf", "zip"):sort>')
@requires(Permission.EXPORT_MAKE)
def make(scope: Scope, place_id: uuid.UUID, sort: str) -> Response:
    """Hand the making of a PDF, or of all files in one, to the worker; show its progress."""
    asked = _checked()
    if not MakeForm().validate():
        raise NotFound("form")
    payload = {
        "sort": sort,
        "since": asked.since.isoformat(),
        "as_at": asked.as_at.isoformat(),
        "parts": [part.value for part in asked.parts],
        "language": str(get_locale() or "en"),
        "zone": my_zone(),
    }
    with unit_of_work(scope) as session:
        task_id = service.request_report(session, scope, place_id, payload=payload, now=clock.now())
    return redirect(url_for("tasks.show", task_id=task_id), 303)


def make_file(work: Work) -> None:
    """Make the file of a task, in its owner's language, and keep it for a day."""
    told = work.payload
    unit, zone, sort = uuid.UUID(told["unit"]), str(told["zone"]), str(told["sort"])
    since, as_at = date.fromisoformat(told["since"]), date.fromisoformat(told["as_at"])
    with force_locale(str(told["language"])):
        try:
            with unit_of_work(work.scope, read_only=True) as session:
                name = queries.actor_name(session, work.scope)
                pack = build_report(
                    session,
                    work.scope,
                    unit,
                    since=since,
                    as_at=as_at,
                    day=clock.now().date(),
                    day_end=clock.end_of(as_at, zone),
                    expiry=expiry_rule(),
                    parts=queries.parts_of(told["parts"]),
                    permission=Permission.EXPORT_MAKE,
                    on_part=work.progress,
                )
        except NotFound as error:
            # The place was theirs when they asked.
            raise PermissionRefused(str(Permission.EXPORT_MAKE)) from error
        maker = _maker_of(name, moment_text(clock.now(), zone))
        complete = True
        if sort == "pdf":
            content = files.pdf_file(pack, maker)
        else:
            content, complete = files.zip_of(pack, maker, _stem(as_at))
    with work.saving() as session:
        file_id = service.keep_file(
            session,
            work.scope,
            unit,
            sort=sort,
            since=since,
            as_at=as_at,
            figures=len(figure_rows(pack)),
            content=content,
            now=clock.now(),
        )
        work.end(session, message=READY if complete else WITHOUT_PDF, result={"file": str(file_id)})


@bp.get("/reports/files/<uuid:file_id>")
@requires(Permission.EXPORT_MAKE)
def fetch(scope: Scope, file_id: uuid.UUID) -> Response:
    """Send a file that the worker made, and record that it was taken out."""
    with unit_of_work(scope) as session:
        content, sort, as_at = service.take_file(session, scope, file_id, now=clock.now())
    return _file(content, sort, as_at)


# --- Recipes ----------------------------------------------------------------------------------


@bp.post("/reports/<uuid:place_id>/keep")
@requires(Permission.DENSITY_READ)
def keep(scope: Scope, place_id: uuid.UUID) -> Any:
    """Keep the parts and days of this report under a name, for the next meeting."""
    asked = _checked()
    form = RecipeForm()
    if form.validate():
        name = form.text("name")
        if name is None:
            form.name.errors = [str(form.name.validators[0].message)]
        else:
            try:
                with unit_of_work(scope) as session:
                    service.keep_recipe(
                        session,
                        scope,
                        place_id,
                        name=name,
                        parts=asked.parts,
                        since=asked.since,
                        as_at=asked.as_at,
                        now=clock.now(),
                    )
            except Refusal as refusal:
                form.refuse(refusal, "name")
            else:
                flash(_("Kept. Next time start at Reports: it goes on from this day."), "success")
                return redirect(url_for("reports.index"), 303)
    return _page(scope, place_id, asked, form)


@bp.post("/reports/recipes/<uuid:recipe_id>/remove")
@requires(Permission.DENSITY_READ)
def remove_recipe(scope: Scope, recipe_id: uuid.UUID) -> Response:
    """Remove a kept report. No figure goes with it."""
    if not MakeForm().validate():
        raise NotFound("form")
    with unit_of_work(scope) as session:
        name = service.remove_recipe(session, scope, recipe_id)
    flash(_("“%(name)s” is removed. No figures are lost.", name=name), "success")
    return redirect(url_for("reports.index"), 303)


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
        day=clock.now().date(),
        day_end=clock.end_of(asked.as_at, my_zone()),
        expiry=expiry_rule(),
        parts=asked.parts,
        permission=permission,
    )


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


def _file(content: bytes, sort: str, as_at: date) -> Response:
    response = make_response(content)
    response.headers["Content-Type"] = MEDIA_TYPES[sort]
    response.headers["Content-Disposition"] = f'attachment; filename="{_stem(as_at)}.{sort}"'
    return response


def _stem(as_at: date) -> str:
    mark = f"{PRACTICE}-" if current_app.config["PRACTICE"] else ""
    return f"{mark}report-{as_at.isoformat()}"


def _maker() -> files.Maker:
    user = signed_in()
    return _maker_of(user.name if user else "", moment_text(clock.now()))


def _maker_of(name: str, made_at: str) -> files.Maker:
    return files.Maker(
        organisation=str(current_app.config["ORGANISATION"]),
        made_by=name,
        made_at=made_at,
        practice=bool(current_app.config["PRACTICE"]),
    )
