"""Pages for working through the union's membership list: upload, queues, one line at a time."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, url_for
from flask_babel import gettext, ngettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.tables.apart import read_apart
from crm.analysis.tables.layout import find_layout
from crm.domain.errors import NotFound, Refusal
from crm.domain.member_list import Line, Queue, Standing, Trouble, columns_of, read_lines
from crm.features.reconcile import forms, queries, service
from crm.web import clock, sealing
from crm.web.db import unit_of_work
from crm.web.filters import day as day_text
from crm.web.guard import my_today, requires
from crm.web.headers import takes_upload
from crm.web.labels import label
from crm.web.likeness import why
from crm.web.pages import address_of

bp = Blueprint("reconcile", __name__)

SHOWN = 100
# The queues in which something can be done, and the one of people who are on no line.
NOT_ON_LIST = "not_on_list"


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


@bp.get("/member-lists")
@requires(Permission.CONTACT_WRITE)
def index(scope: Scope) -> str:
    """Show the form that takes a list, and the lists that are being worked through."""
    return _index(scope, forms.ListForm(formdata=None))


@bp.post("/member-lists")
@takes_upload
@requires(Permission.CONTACT_WRITE)
def upload(scope: Scope) -> Any:
    """Read a list and show its queues."""
    form = forms.ListForm()
    with unit_of_work(scope, read_only=True) as session:
        form.offer(queries.unions_and_branches(session, scope))
    if form.validate():
        list_id = uuid.uuid4()
        try:
            lines = _read(form.file.data.read())
            with unit_of_work(scope) as session:
                service.add_list(
                    session,
                    scope,
                    form.whose.data,
                    lines,
                    public_id=list_id,
                    sealed=_sealed(lines, list_id),
                    as_at=form.as_at.data,
                    today=my_today(),
                    now=clock.now(),
                )
        except service.NotYet as refusal:
            form.refuse(refusal, "as_at")
        except NotFound:
            raise
        except Refusal as refusal:
            form.refuse(refusal, "file")
        else:
            return redirect(url_for("reconcile.show", member_list_id=list_id), 303)
    return _index(scope, form), 422


def _index(scope: Scope, form: forms.ListForm) -> str:
    with unit_of_work(scope, read_only=True) as session:
        form.offer(queries.unions_and_branches(session, scope))
        lists = [
            {
                "name": name,
                "url": url_for("reconcile.show", member_list_id=one.public_id),
                "more": ngettext("%(num)s line", "%(num)s lines", one.lines)
                + ", "
                + gettext("as at %(day)s", day=day_text(one.as_at)),
            }
            for one, name in queries.list_lists(session, scope)
        ]
    return render_template(
        "reconcile/index.html", form=form, lists=lists, back_url=address_of("contacts.index")
    )


@bp.get("/member-lists/<uuid:member_list_id>")
@requires(Permission.CONTACT_WRITE)
def show(scope: Scope, member_list_id: UUID) -> str:
    """Show how many lines are in each queue; the numbers add up to the lines of the file."""
    with unit_of_work(scope, read_only=True) as session:
        member_list = queries.get_list(session, scope, member_list_id)
        worked = queries.work_out(session, scope, member_list, _lines_of(member_list))
        name = queries.whose(session, scope, member_list)
        lines, as_at = member_list.lines, member_list.as_at
    counts = [(queue, len(worked.of(queue))) for queue in Queue]
    return render_template(
        "reconcile/show.html",
        name=name,
        as_at=as_at,
        lines=lines,
        counts=[
            {"name": label(queue), "number": number, "url": _queue_url(member_list_id, queue.value)}
            for queue, number in counts
        ],
        total=sum(number for _, number in counts),
        off=len(worked.not_on_list),
        off_url=_queue_url(member_list_id, NOT_ON_LIST),
        form=forms.PlainForm(),
        close_url=url_for("reconcile.close", member_list_id=member_list_id),
        back_url=url_for("reconcile.index"),
    )


def _queue_url(member_list_id: UUID, queue_name: str) -> str:
    return url_for("reconcile.queue", member_list_id=member_list_id, queue_name=queue_name)


_QUEUES = (
    '<any("joined", "left", "lapsed", "moved", "changed", "not_sure", "not_here", "problem",'
    ' "set_aside", "same", "not_on_list"):queue_name>'
)


@bp.get(f"/member-lists/<uuid:member_list_id>/{_QUEUES}")
@requires(Permission.CONTACT_WRITE)
def queue(scope: Scope, member_list_id: UUID, queue_name: str) -> str:
    """Show the lines of one queue, each with what can be done about it."""
    return _queue_page(scope, member_list_id, queue_name, forms.ActForm(formdata=None))


@bp.post(f"/member-lists/<uuid:member_list_id>/{_QUEUES}")
@requires(Permission.CONTACT_WRITE)
def act(scope: Scope, member_list_id: UUID, queue_name: str) -> Any:
    """Do what was said about one line, or about all lines of the queue."""
    form = forms.ActForm()
    done = 0
    try:
        with unit_of_work(scope) as session:
            if form.act.data in {"all", "confirm"}:
                done = _confirm(session, scope, member_list_id, queue_name, form)
            elif form.act.data in {queries.ASIDE, queries.NEW, "is"}:
                key = form.line.data or ""
                if queue_name == NOT_ON_LIST:
                    key = f"{queries.OFF}{form.person.data or ''}"
                value = form.person.data if form.act.data == "is" else form.act.data
                service.decide(session, scope, member_list_id, key[:60], str(value)[:40])
            else:
                raise NotFound("no such act")
    except NotFound:
        raise
    except Refusal as refusal:
        form.refuse(refusal)
        return _queue_page(scope, member_list_id, queue_name, form), 422
    if form.act.data in {"all", "confirm"}:
        flash(ngettext("%(num)s line is done.", "%(num)s lines are done.", done), "done")
    return redirect(_queue_url(member_list_id, queue_name), 303)


def _confirm(
    session: Any, scope: Scope, member_list_id: UUID, queue_name: str, form: forms.ActForm
) -> int:
    """Work the list out as it stands at this moment, and write down what it then says."""
    member_list = queries.get_list(session, scope, member_list_id)
    worked = queries.work_out(session, scope, member_list, _lines_of(member_list))
    everything = form.act.data == "all"
    if queue_name == NOT_ON_LIST:
        people = [
            one
            for one in worked.not_on_list
            if everything or str(one.public_id) == form.person.data
        ]
        return service.end_members(session, scope, member_list, people, now=clock.now())
    rows = [
        row
        for row in worked.of(Queue(queue_name))
        if (everything and row.can_confirm) or str(row.line.number) == form.line.data
    ]
    return service.confirm_rows(session, scope, member_list, rows, now=clock.now())


@bp.post("/member-lists/<uuid:member_list_id>/close")
@requires(Permission.CONTACT_WRITE)
def close(scope: Scope, member_list_id: UUID) -> Any:
    """Throw the list away; what was confirmed stays."""
    forms.PlainForm()
    with unit_of_work(scope) as session:
        service.close_list(session, scope, member_list_id, now=clock.now())
    flash(gettext("The list is gone. What you confirmed stays."), "done")
    return redirect(url_for("reconcile.index"), 303)


def _queue_page(scope: Scope, member_list_id: UUID, queue_name: str, form: forms.ActForm) -> str:
    with unit_of_work(scope, read_only=True) as session:
        member_list = queries.get_list(session, scope, member_list_id)
        worked = queries.work_out(session, scope, member_list, _lines_of(member_list))
        as_at = member_list.as_at
    off = queue_name == NOT_ON_LIST
    if off:
        title = gettext("Here as members, not on the list")
        rows = [_off_row(one) for one in worked.not_on_list]
    else:
        title = label(Queue(queue_name))
        rows = [_row(row, as_at) for row in worked.of(Queue(queue_name))]
    return render_template(
        "reconcile/queue.html",
        form=form,
        title=title,
        rows=rows[:SHOWN],
        total=len(rows),
        at_once=sum(1 for row in rows if row["can_confirm"]),
        off=off,
        help=_HELP.get(queue_name, lambda: "")(),
        back_url=url_for("reconcile.show", member_list_id=member_list_id),
    )


_HELP: dict[str, Any] = {
    "not_sure": lambda: gettext("Say who it is, or that it is somebody new."),
    "not_here": lambda: gettext(
        "A line that names a workplace of yours can be added with one press."
    ),
    "problem": lambda: gettext("Put it right in the file and load the list again."),
    NOT_ON_LIST: lambda: gettext(
        "The list may be late or wrong. Ask them before you write that they left."
    ),
}


def _off_row(one: queries.Member) -> dict[str, Any]:
    return {
        "number": None,
        "name": one.name,
        "person": str(one.public_id),
        "url": address_of("contacts.show", contact_id=one.public_id),
        "known_as": one.name,
        "text": [],
        "can_confirm": True,
        "can_set_aside": True,
        "candidates": [],
    }


def _row(row: queries.Row, as_at: date) -> dict[str, Any]:
    line = row.line
    return {
        "number": line.number,
        "name": line.name or gettext("No name"),
        "person": "",
        "url": address_of("contacts.show", contact_id=row.person.public_id) if row.person else None,
        "known_as": row.person.name if row.person else None,
        "text": _says(row, as_at),
        "can_confirm": row.can_confirm,
        "can_set_aside": row.queue not in {Queue.SAME, Queue.SET_ASIDE, Queue.PROBLEM},
        "candidates": [
            {
                "id": str(one.public_id),
                "name": one.name,
                "url": address_of("contacts.show", contact_id=one.public_id),
                "more": ". ".join(
                    part
                    for part in (", ".join(one.workplaces), ", ".join(why(one.likeness)))
                    if part
                ),
            }
            for one in row.candidates
        ]
        if row.queue is Queue.NOT_SURE
        else [],
    }


def _says(row: queries.Row, as_at: date) -> list[str]:
    """Return what the line says that matters in its queue."""
    line = row.line
    if line.trouble is not None:
        return [label(line.trouble)]
    said = []
    if row.queue is Queue.JOINED:
        said.append(gettext("Member since %(day)s", day=day_text(line.since or as_at)))
    if row.queue in {Queue.LEFT, Queue.LAPSED}:
        said.append(gettext("No member from %(day)s on", day=day_text(line.until or as_at)))
    if row.queue in {Queue.MOVED, Queue.NOT_HERE} and line.workplace:
        said.append(gettext("Workplace: %(name)s", name=line.workplace))
    if row.queue in {Queue.MOVED, Queue.NOT_HERE} and line.branch:
        said.append(gettext("Branch: %(name)s", name=line.branch))
    if row.queue is Queue.CHANGED:
        said += [f"{label(kind)}: {text}" for kind, text in row.points]
    return said


# --- The lines, read and sealed ---------------------------------------------------------------


def _read(content: bytes) -> list[Line]:
    table = read_apart(content)
    layout = find_layout(table.rows)
    if layout.heading_row < 1:
        raise service.NoNames()
    columns = columns_of(table.rows[layout.heading_row - 1])
    if not {"name", "first", "last"} & columns.keys():
        raise service.NoNames()
    first = layout.heading_row + 1
    lines = read_lines(table.rows[layout.heading_row :], columns, first_number=first)
    return [line for line in lines if line.number not in layout.left_out]


def _sealed(lines: list[Line], list_id: UUID) -> str:
    said = json.dumps([asdict(line) for line in lines], default=str).encode()
    return sealing.seal(said, str(list_id), sealing.public_key())


def _lines_of(member_list: Any) -> list[Line]:
    said = json.loads(sealing.open_sealed(member_list.sealed, str(member_list.public_id)))
    return [
        Line(
            **{
                **one,
                "phones": tuple(one["phones"]),
                "standing": Standing(one["standing"]),
                "since": _day(one["since"]),
                "until": _day(one["until"]),
                "trouble": None if one["trouble"] is None else Trouble(one["trouble"]),
            }
        )
        for one in said
    ]


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
