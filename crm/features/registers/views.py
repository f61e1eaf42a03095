"""The administrator's page that loads registers, and the work behind it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, current_app, redirect, render_template, url_for
from flask_babel import lazy_gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.vocabulary import PlaceKind
from crm.features.registers import forms, queries, service
from crm.features.registers.service import RegisterKind, StatedCounts
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.guard import requires
from crm.web.headers import takes_upload
from crm.web.tasks import TaskKind, Work, register

bp = Blueprint("registers", __name__)

LOADED = "The register is loaded."

FORMS: dict[RegisterKind, type[forms.FilesForm]] = {
    RegisterKind.GENDER_PAY: forms.GenderPayForm,
    RegisterKind.NHS: forms.NhsForm,
    RegisterKind.MEMBER_COUNTS: forms.MemberCountsForm,
}


def install(app: Flask) -> None:
    """Add the page and the kind of task."""
    app.register_blueprint(bp)
    register(
        app,
        service.TASK_KIND,
        TaskKind(
            title=_("Load a register"),
            back_endpoint="registers.index",
            back_label=_("Registers"),
            permission=Permission.REGISTER_LOAD,
            run=load,
        ),
    )


@bp.get("/admin/registers")
@requires(Permission.REGISTER_LOAD)
def index(scope: Scope) -> Any:
    """Show what each register is, how much of it is here, and the form that loads it."""
    scope.require_everywhere(Permission.REGISTER_LOAD)
    return _page(scope, {kind: _form(kind) for kind in RegisterKind}, None)


@bp.post('/admin/registers/<any("gender-pay", "nhs", "member-counts"):register_name>')
@takes_upload
@requires(Permission.REGISTER_LOAD)
def upload(scope: Scope, register_name: str) -> Any:
    """Hand the files to the worker and show its progress."""
    scope.require_everywhere(Permission.REGISTER_LOAD)
    kind = RegisterKind(register_name)
    form = FORMS[kind](prefix=kind.value)
    if not form.validate():
        others = {other: _form(other) for other in RegisterKind}
        return _page(scope, {**others, kind: form}, form), 422
    with unit_of_work(scope) as session:
        task_id = service.request_load(
            session,
            scope,
            kind,
            files=form.contents(),
            stated=_stated(form),
            now=clock.now(),
        )
    return redirect(url_for("tasks.show", task_id=task_id), 303)


def load(work: Work) -> None:
    """Read the files of the task and store the whole register, or nothing of it."""
    kind = RegisterKind(work.payload["register"])
    given = {name: work.file(name) for name in service.FILES[kind]}
    files = {name: content for name, content in given.items() if content is not None}
    work.progress(0)
    found = service.read_register(kind, files, stated=service.stated_of(work.payload))
    work.progress(0, found.row_count)
    with work.saving() as session:
        loaded = service.load_register(
            session,
            work.scope,
            found,
            now=clock.now(),
            time_zone=str(current_app.config["TIME_ZONE"]),
            progress=work.progress,
        )
        work.end(session, message=LOADED, result=loaded.as_result())


def _form(kind: RegisterKind) -> forms.FilesForm:
    # No form data: the other forms of the page must not show the errors of the one that was sent.
    return FORMS[kind](formdata=None, prefix=kind.value)


def _stated(form: forms.FilesForm) -> StatedCounts | None:
    if not isinstance(form, forms.MemberCountsForm):
        return None
    return StatedCounts(
        employer_name=form.text("employer_name") or "",
        scheme=form.text("scheme") or "",
        on_day=form.on_day.data,
    )


def _page(
    scope: Scope, by_kind: dict[RegisterKind, forms.FilesForm], sent: forms.FilesForm | None
) -> str:
    with unit_of_work(scope, read_only=True) as session:
        counted = queries.count_places(session, scope)
    companies = sum(
        counted.get((scheme, PlaceKind.EMPLOYER), 0)
        for scheme in (service.COMPANIES_HOUSE, service.GENDER_PAY)
    )
    return render_template(
        "registers/index.html",
        forms={kind.value: form for kind, form in by_kind.items()},
        sent=sent,
        companies=companies,
        nhs_employers=counted.get((service.ODS, PlaceKind.EMPLOYER), 0),
        nhs_sites=counted.get((service.ODS, PlaceKind.WORKPLACE), 0),
        megabytes=int(current_app.config["UPLOAD_LIMIT"]) // (1024 * 1024),
    )
