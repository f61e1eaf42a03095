"""The page of one task: how far it is, and what came of it. Only its owner finds it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, current_app, make_response, render_template, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.features.tasks import queries
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.filters import people
from crm.web.guard import requires
from crm.web.tasks import kinds_of, live_progress

bp = Blueprint("tasks", __name__)

LOOK_AGAIN = 5  # seconds

SORTS: dict[str, Any] = {
    "employers": _("Employers"),
    "workplaces": _("Workplaces"),
    "headcounts": _("Headcounts"),
    "member_counts": _("Member counts"),
}
FILES: dict[str, Any] = {
    "employers": _("Employers"),
    "sites": _("Trusts and sites"),
    "staff": _("Staff"),
    "hospitals": _("Hospitals"),
    "counts": _("Counts"),
}


def install(app: Flask) -> None:
    """Add the page."""
    app.register_blueprint(bp)


@bp.get("/tasks/<uuid:task_id>")
@requires(Permission.ACCOUNT_OWN)
def show(scope: Scope, task_id: UUID) -> Any:
    """Show a task. While it is under way the browser asks again every few seconds."""
    with unit_of_work(scope, read_only=True) as session:
        task = queries.get_task(session, scope, task_id, now=clock.now())
    kind = kinds_of(current_app).get(task.kind)
    done, total = live_progress(task.id) or (task.done, task.total)
    page = render_template(
        "tasks/show.html",
        task=task,
        title=kind.title if kind else _("Work on the server"),
        back_url=url_for(kind.back_endpoint) if kind else "",
        back_label=kind.back_label if kind else "",
        done=done,
        total=total,
        busy=kind.busy if kind else "",
        counted=str(kind.counted) % {"done": people(done), "total": people(total)}
        if kind and total
        else "",
        file_url=url_for(kind.file_endpoint, file_id=task.file)
        if kind and kind.file_endpoint and task.file
        else "",
        file_label=kind.file_label if kind else "",
        message=str(gettext(task.message)) % task.params if task.message else "",
        here=url_for("tasks.show", task_id=task_id),
        runs_server=scope.may(Permission.USER_WRITE),
        sorts=SORTS,
        files=FILES,
    )
    answer = make_response(page)
    if task.under_way:
        # A header and not a script or a meta element: it works everywhere, and ends by itself.
        answer.headers["Refresh"] = str(LOOK_AGAIN)
    return answer
