"""Pages for working through the union's membership list: upload, queues, one line at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, url_for
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.entitled import Missing
from crm.domain.errors import NotFound, Refusal
from crm.domain.identity import fold
from crm.domain.member_list import Part, Queue, Settings, Standing, settings_of
from crm.domain.vocabulary import ChangeState, PointKind
from crm.features.reconcile import forms, opened, queries, service
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.errors import sentence
from crm.web.filters import day as day_text
from crm.web.filters import moment
from crm.web.guard import my_today, requires
from crm.web.headers import takes_upload
from crm.web.labels import label
from crm.web.likeness import why
from crm.web.pages import address_of
from crm.web.tasks import TaskKind, Work, register

bp = Blueprint("reconcile", __name__)

SHOWN = 100
# The queue of people who are on no line.
NOT_ON_LIST = "not_on_list"
SAY_SURE = (
    "Tick the box to say that the list is whole. If it has one branch only, or came late, these "
    "people can still be members."
)

LOOKED = "Every line of the list is looked at."
WRITTEN = "What you said yes to is written down."
TAKEN_BACK = "It is undone, as far as nobody has changed anything since."


def install(app: Flask) -> None:
    """Register the pages and the kinds of long work."""
    app.register_blueprint(bp)
    for name, title, run in (
        (service.LOOK_TASK, _("Look through the union’s list"), run_look),
        (service.CONFIRM_TASK, _("Write down what the union’s list says"), run_confirm),
        (service.UNDO_TASK, _("Undo what was written down from the union’s list"), run_undo),
    ):
        register(
            app,
            name,
            TaskKind(
                title=title,
                back_endpoint="reconcile.index",
                back_label=_("The union’s list"),
                permission=Permission.CONTACT_WRITE,
                run=run,
                somewhere=True,
                in_parts=name != service.LOOK_TASK,
                counted=_("%(done)s of %(total)s lines"),
            ),
        )


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
            file = opened.read_file(form.file.data.read())
            with unit_of_work(scope) as session:
                service.add_list(
                    session,
                    scope,
                    form.whose.data,
                    file.settings,
                    opened.sealed(file.rows, list_id),
                    public_id=list_id,
                    lines=len(file.rows),
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
            return redirect(url_for("reconcile.columns", member_list_id=list_id), 303)
    return _index(scope, form), 422


def _index(scope: Scope, form: forms.ListForm) -> str:
    with unit_of_work(scope, read_only=True) as session:
        form.offer(queries.unions_and_branches(session, scope))
        lists = [
            {
                "name": name,
                "url": url_for(
                    "reconcile.columns" if service.columns_are_guessed(one) else "reconcile.show",
                    member_list_id=one.public_id,
                ),
                "more": ngettext("%(num)s line", "%(num)s lines", one.lines)
                + ", "
                + gettext("as at %(day)s", day=day_text(one.as_at)),
            }
            for one, name in queries.list_lists(session, scope)
        ]
        acts = queries.list_acts(session, scope, since=clock.now() - timedelta(service.UNDO_DAYS))
    return render_template(
        "reconcile/index.html",
        form=form,
        lists=lists,
        acts=[_act_row(one) for one in acts],
        back_url=address_of("contacts.index"),
    )


def _act_row(act: queries.Act) -> dict[str, Any]:
    return {
        "name": f"{act.whose}: {_queue_name(act.queue)}",
        "url": url_for("reconcile.act_page", list_act_id=act.public_id),
        "more": ngettext("%(num)s person", "%(num)s people", act.people)
        + f", {moment(act.at)}"
        + (f", {gettext('undone')}" if act.undone_at else ""),
    }


def _queue_name(queue: Queue | None) -> str:
    return gettext("Here as members, not on the list") if queue is None else label(queue)


# --- The columns ------------------------------------------------------------------------------


@bp.get("/member-lists/<uuid:member_list_id>/columns")
@requires(Permission.CONTACT_WRITE)
def columns(scope: Scope, member_list_id: UUID) -> str:
    """Show what each column most likely holds, to be put right."""
    form, shown = _columns(scope, member_list_id, formdata=None)
    return render_template("reconcile/columns.html", form=form, **shown)


@bp.post("/member-lists/<uuid:member_list_id>/columns")
@requires(Permission.CONTACT_WRITE)
def save_columns(scope: Scope, member_list_id: UUID) -> Any:
    """Keep what the columns hold, and hold every line against what is known."""
    form, shown = _columns(scope, member_list_id)
    if not form.validate():
        return render_template("reconcile/columns.html", form=form, **shown), 422
    try:
        with unit_of_work(scope) as session:
            member_list = queries.get_list(session, scope, member_list_id)
            before = settings_of(member_list.settings)
            words = opened.unknown_words(session, scope, member_list, before)
            settings = _chosen(form, before, words)
            service.match(session, scope, member_list_id, settings)
            unknown = opened.unknown_words(session, scope, member_list, settings)
    except NotFound:
        raise
    except Refusal as refusal:
        form.refuse(refusal)
        return render_template("reconcile/columns.html", form=form, **shown), 422
    if unknown:
        address = url_for("reconcile.columns", member_list_id=member_list_id)
        return redirect(f"{address}#words", 303)
    return _look(scope, member_list_id)


def _chosen(form: Any, before: Settings, words: Sequence[str]) -> Settings:
    """Return the settings with what the form says of the columns and of unknown words."""
    told = dict(before.words)
    for number, word in enumerate(words):
        said = form[f"word{number}"].data if f"word{number}" in form else ""
        if said:
            told[fold(word)] = None if said == forms.DO_NOT_KNOW else Standing(said)
    parts = tuple(
        Part.LEAVE_OUT if place in before.private else Part(form[f"to{place}"].data)
        for place in range(len(before.headings))
    )
    return replace(before, parts=parts, words=told)


def _columns(scope: Scope, member_list_id: UUID, **sent: Any) -> tuple[Any, dict[str, Any]]:
    """Return the form for the columns of a list, and what the page shows around it."""
    with unit_of_work(scope, read_only=True) as session:
        member_list = queries.get_list(session, scope, member_list_id)
        settings = settings_of(member_list.settings)
        samples = opened.samples_of(session, scope, member_list)
        words = opened.unknown_words(session, scope, member_list, settings)
        name = queries.whose(session, scope, member_list)
        lines, looked_at = member_list.lines, member_list.looked_at
    kept = [
        (place, heading)
        for place, heading in enumerate(settings.headings)
        if place not in settings.private
    ]
    now = {f"to{place}": settings.parts[place].value for place, _heading in kept}
    back = url_for("reconcile.index")
    if looked_at:
        back = url_for("reconcile.show", member_list_id=member_list_id)
    return forms.columns_form(kept, words, data=now, **sent), {
        "name": name,
        "lines": lines,
        "columns": [(f"to{place}", samples[place]) for place, _heading in kept],
        "private": [settings.headings[place] for place in settings.private],
        "words": [f"word{number}" for number in range(len(words))],
        "back_url": back,
        "back_label": name if looked_at else gettext("The union’s list"),
    }


# --- Looking through --------------------------------------------------------------------------


@bp.post("/member-lists/<uuid:member_list_id>/look")
@requires(Permission.CONTACT_WRITE)
def look(scope: Scope, member_list_id: UUID) -> Any:
    """Hold every line against what is known by now."""
    forms.PlainForm()
    try:
        with unit_of_work(scope) as session:
            service.look_again(session, scope, member_list_id)
    except service.ColumnsFirst as refusal:
        flash(sentence(refusal), "error")
        return redirect(url_for("reconcile.columns", member_list_id=member_list_id), 303)
    return _look(scope, member_list_id)


def _look(scope: Scope, member_list_id: UUID) -> Any:
    """Look through a list at once, or hand a long one to the worker."""
    with unit_of_work(scope, read_only=True) as session:
        long = queries.get_list(session, scope, member_list_id).lines > service.AT_ONCE
    if long:
        with unit_of_work(scope) as session:
            task_id = service.start_look(session, scope, member_list_id, now=clock.now())
        return redirect(url_for("tasks.show", task_id=task_id), 303)
    _look_through(scope, member_list_id, lambda done, total: None)
    return redirect(url_for("reconcile.show", member_list_id=member_list_id), 303)


def _look_through(scope: Scope, list_id: UUID, progress: Callable[[int, int], None]) -> None:
    """Look at the lines that nobody has looked at yet, some at a time, each time stored."""
    with unit_of_work(scope, read_only=True) as session:
        member_list = queries.get_list(session, scope, list_id)
        total = member_list.lines
        marks = opened.marks_of(session, scope, member_list)
        firsts = queries.first_numbers(session, scope, member_list)
    lookup = queries.Lookup()
    done = 0
    for first in firsts:
        progress(done, total)
        with unit_of_work(scope) as session:
            member_list = queries.get_list(session, scope, list_id)
            lines = opened.part_from(session, scope, member_list, first)
            fresh = queries.fresh_numbers(
                session, scope, member_list, [line.number for line in lines]
            )
            todo = [line for line in lines if line.number not in fresh]
            if todo:
                service.look_at(session, scope, member_list, todo, lookup, marks=marks)
        done += len(lines)
    with unit_of_work(scope) as session:
        member_list = queries.get_list(session, scope, list_id)
        service.looked_through(session, scope, member_list, clock.now())


def run_look(work: Work) -> None:
    """Look through a long list."""
    _look_through(work.scope, UUID(work.payload["list"]), work.progress)
    with work.saving() as session:
        work.end(session, message=LOOKED, result={})


# --- The queues -------------------------------------------------------------------------------


@bp.get("/member-lists/<uuid:member_list_id>")
@requires(Permission.CONTACT_WRITE)
def show(scope: Scope, member_list_id: UUID) -> Any:
    """Show how many lines are in each queue; the numbers add up to the lines of the file."""
    with unit_of_work(scope, read_only=True) as session:
        member_list = queries.get_list(session, scope, member_list_id)
        guessed = service.columns_are_guessed(member_list)
        counts = queries.count_lines(session, scope, member_list)
        name = queries.whose(session, scope, member_list)
        as_at = member_list.as_at
        off = 0
        lacking = None
        if counts.looked_at is not None:
            off = len(queries.off_list(session, scope, member_list))
            lacking = queries.lacking(session, scope, member_list, my_today())
        acts = queries.list_acts(
            session,
            scope,
            since=clock.now() - timedelta(service.UNDO_DAYS),
            list_id=member_list.id,
        )
    if guessed:
        return redirect(url_for("reconcile.columns", member_list_id=member_list_id), 303)
    return render_template(
        "reconcile/show.html",
        name=name,
        as_at=as_at,
        found=counts,
        counts=[
            {
                "name": label(queue),
                "number": counts.by_queue.get(queue, 0),
                "url": _queue_url(member_list_id, queue.value),
            }
            for queue in Queue
        ],
        off=off,
        off_url=_queue_url(member_list_id, NOT_ON_LIST),
        lacking=lacking,
        lacks=_lacks(lacking),
        today=my_today(),
        lacking_url=url_for("reconcile.for_ballots", member_list_id=member_list_id),
        acts=[_act_row(one) for one in acts],
        form=forms.PlainForm(),
        columns_url=url_for("reconcile.columns", member_list_id=member_list_id),
        look_url=url_for("reconcile.look", member_list_id=member_list_id),
        close_url=url_for("reconcile.close", member_list_id=member_list_id),
        back_url=url_for("reconcile.index"),
    )


@bp.get("/member-lists/<uuid:member_list_id>/for-ballots")
@requires(Permission.CONTACT_WRITE)
def for_ballots(scope: Scope, member_list_id: UUID) -> str:
    """Show the members on the list of whom a ballot still needs something."""
    with unit_of_work(scope, read_only=True) as session:
        member_list = queries.get_list(session, scope, member_list_id)
        lacking = queries.lacking(session, scope, member_list, my_today())
        people = queries.people_of(session, scope, list(lacking.what)[:SHOWN])
    return render_template(
        "reconcile/for_ballots.html",
        lacking=lacking,
        lacks=_lacks(lacking),
        today=my_today(),
        rows=[
            {
                "name": one.name,
                "url": address_of("contacts.show", contact_id=one.public_id),
                "more": ", ".join(label(what) for what in lacking.what[one.contact_id]),
            }
            for one in people
        ],
        back_url=url_for("reconcile.show", member_list_id=member_list_id),
    )


def _lacks(lacking: Any) -> list[tuple[str, int]]:
    """Return what is missing, and of how many members; nothing for what is missing of nobody."""
    if lacking is None:
        return []
    found = [(label(what), lacking.count(what)) for what in Missing]
    return [(words, number) for words, number in found if number]


def _queue_url(member_list_id: UUID, queue_name: str) -> str:
    return url_for("reconcile.queue", member_list_id=member_list_id, queue_name=queue_name)


_QUEUES = (
    '<any("joined", "left", "lapsed", "moved", "changed", "bad_address", "not_sure",'
    ' "not_here", "problem", "set_aside", "same", "not_on_list"):queue_name>'
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
    said = form.act.data
    try:
        if said == "all" and queue_name == NOT_ON_LIST and not form.sure.data:
            raise Refusal(SAY_SURE)
        if said == "all" and _is_much(scope, member_list_id, queue_name):
            with unit_of_work(scope) as session:
                member_list = queries.get_list(session, scope, member_list_id)
                made = _start(session, scope, member_list, queue_name)
                task_id = service.hand_in_act(session, scope, made, now=clock.now())
            return redirect(url_for("tasks.show", task_id=task_id), 303)
        if said in {"all", "confirm"}:
            done = _confirm(scope, member_list_id, queue_name, form)
            flash(ngettext("%(num)s line is done.", "%(num)s lines are done.", done), "done")
        elif said in {queries.ASIDE, queries.NEW, "is"}:
            _decide(scope, member_list_id, queue_name, form)
        else:
            raise NotFound("no such act")
    except NotFound:
        raise
    except Refusal as refusal:
        form.refuse(refusal)
        return _queue_page(scope, member_list_id, queue_name, form), 422
    return redirect(_queue_url(member_list_id, queue_name), 303)


def _is_much(scope: Scope, member_list_id: UUID, queue_name: str) -> bool:
    with unit_of_work(scope, read_only=True) as session:
        member_list = queries.get_list(session, scope, member_list_id)
        if queue_name == NOT_ON_LIST:
            number = len(queries.off_list(session, scope, member_list))
        else:
            number = queries.count_to_confirm(session, scope, member_list, Queue(queue_name))
    return number > service.AT_ONCE_CONFIRMED


def _decide(scope: Scope, member_list_id: UUID, queue_name: str, form: forms.ActForm) -> None:
    key = form.line.data or ""
    if queue_name == NOT_ON_LIST:
        key = f"{queries.OFF}{form.person.data or ''}"
    value = form.person.data if form.act.data == "is" else form.act.data
    with unit_of_work(scope) as session:
        member_list = service.decide(session, scope, member_list_id, key[:60], str(value)[:40])
        if queue_name != NOT_ON_LIST:
            _look_at(session, scope, member_list, [service.number_of(key)], queries.Lookup())


def _look_at(
    session: Any,
    scope: Scope,
    member_list: Any,
    numbers: Collection[int],
    lookup: queries.Lookup,
) -> list[queries.Row]:
    lines = opened.lines_of(session, scope, member_list, numbers)
    return service.look_at(session, scope, member_list, lines, lookup)


def _start(session: Any, scope: Scope, member_list: Any, queue_name: str) -> Any:
    chosen = None if queue_name == NOT_ON_LIST else Queue(queue_name)
    return service.start_act(
        session, scope, member_list, chosen, public_id=uuid.uuid4(), now=clock.now()
    )


def _confirm(scope: Scope, member_list_id: UUID, queue_name: str, form: forms.ActForm) -> int:
    """Write down one line, or all of a short queue; return how many were done."""
    everything = form.act.data == "all"
    with unit_of_work(scope) as session:
        member_list = queries.get_list(session, scope, member_list_id, hold=True)
        made = _start(session, scope, member_list, queue_name)
        if queue_name == NOT_ON_LIST:
            ids = [
                contact_id
                for contact_id, public_id in queries.off_list(session, scope, member_list)
                if everything or public_id == form.person.data
            ]
            return _end_some(session, scope, member_list, made, ids)
        if everything:
            numbers = queries.numbers_in(
                session,
                scope,
                member_list,
                Queue(queue_name),
                limit=service.AT_ONCE_CONFIRMED,
                can_confirm=True,
            )
        else:
            numbers = [service.number_of(form.line.data or "")]
        return _confirm_some(session, scope, member_list, made, numbers, queries.Lookup())


def _confirm_some(
    session: Any,
    scope: Scope,
    member_list: Any,
    made: Any,
    numbers: Collection[int],
    lookup: queries.Lookup,
) -> int:
    """Look at these lines as things stand at this moment, and write down what they then say."""
    service.wait_for_turn(session)
    rows = [
        row
        for row in _look_at(session, scope, member_list, numbers, lookup)
        if row.queue is made.queue
    ]
    done = service.confirm_rows(session, scope, member_list, made, rows, now=clock.now())
    # What was written may change what other lines about the same people say.
    people = {row.person.contact_id for row in rows if row.person is not None}
    about = queries.numbers_about(session, scope, member_list, people)
    again = {*about, *(row.line.number for row in rows)}
    if again:
        _look_at(session, scope, member_list, again, lookup)
    return done


def _end_some(session: Any, scope: Scope, member_list: Any, made: Any, ids: Sequence[int]) -> int:
    people = queries.people_of(session, scope, ids)
    return service.end_members(session, scope, member_list, made, people, now=clock.now())


def run_confirm(work: Work) -> None:
    """Write down what all lines of a long queue say, some at a time."""
    act_id = UUID(work.payload["act"])
    with unit_of_work(work.scope, read_only=True) as session:
        made, member_list = queries.find_act(session, work.scope, act_id)
        queue, list_id = made.queue, member_list.public_id
        if queue is None:
            total = len(queries.off_list(session, work.scope, member_list))
        else:
            total = queries.count_to_confirm(session, work.scope, member_list, queue)
    lookup = queries.Lookup()
    done = after = 0
    while True:
        work.progress(done, total)
        with unit_of_work(work.scope) as session:
            member_list = queries.get_list(session, work.scope, list_id, hold=True)
            made, _of = queries.find_act(session, work.scope, act_id)
            if made.undoing_at is not None:
                # Taken back while it was still being written down: no more is.
                break
            if queue is None:
                ids = [one for one, _ in queries.off_list(session, work.scope, member_list)][
                    : service.CHUNK
                ]
                some = len(ids)
                _end_some(session, work.scope, member_list, made, ids)
            else:
                numbers = queries.numbers_in(
                    session,
                    work.scope,
                    member_list,
                    queue,
                    after=after,
                    limit=service.CHUNK,
                    can_confirm=True,
                )
                some = len(numbers)
                if some > 1 or (some and done):
                    after = numbers[-1]
                    _confirm_some(session, work.scope, member_list, made, numbers, lookup)
        if not some:
            break
        done += some
    with work.saving() as session:
        work.end(session, message=WRITTEN, result={})


# --- The way back -----------------------------------------------------------------------------


@bp.get("/member-lists/acts/<uuid:list_act_id>")
@requires(Permission.CONTACT_WRITE)
def act_page(scope: Scope, list_act_id: UUID) -> str:
    """Show what was said yes to, and offer the way back."""
    return _act_page(scope, list_act_id, forms.PlainForm())


@bp.post("/member-lists/acts/<uuid:list_act_id>")
@requires(Permission.CONTACT_WRITE)
def undo_act(scope: Scope, list_act_id: UUID) -> Any:
    """Take back what was written down in one go."""
    form = forms.PlainForm()
    try:
        with unit_of_work(scope) as session:
            number = service.start_undo(session, scope, list_act_id, now=clock.now())
            if number > service.AT_ONCE_CONFIRMED:
                task_id = service.hand_in_undo(session, scope, list_act_id, now=clock.now())
    except NotFound:
        raise
    except Refusal as refusal:
        form.refuse(refusal)
        return _act_page(scope, list_act_id, form), 422
    if number > service.AT_ONCE_CONFIRMED:
        return redirect(url_for("tasks.show", task_id=task_id), 303)
    _undo(scope, list_act_id, lambda done: None)
    flash(gettext("Undone. The history keeps both."), "done")
    return redirect(url_for("reconcile.act_page", list_act_id=list_act_id), 303)


def _undo(scope: Scope, act_id: UUID, progress: Callable[[int], None]) -> None:
    done = 0
    lookup = queries.Lookup()
    while True:
        progress(done)
        with unit_of_work(scope) as session:
            ids = service.undo_some(session, scope, act_id, now=clock.now())
            if not ids:
                return
            # The lines ask again, if the list is still there.
            _made, member_list = queries.find_act(session, scope, act_id)
            if member_list.closed_at is None:
                numbers = queries.numbers_about(session, scope, member_list, ids)
                _look_at(session, scope, member_list, numbers, lookup)
        done += len(ids)


def run_undo(work: Work) -> None:
    """Take back what was written about many people, some at a time."""
    _undo(work.scope, UUID(work.payload["act"]), work.progress)
    with work.saving() as session:
        work.end(session, message=TAKEN_BACK, result={})


def _act_page(scope: Scope, act_id: UUID, form: forms.PlainForm) -> str:
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_act(session, scope, act_id)
    return render_template(
        "reconcile/act.html",
        form=form,
        act=found,
        queue=_queue_name(found.queue),
        until=queries.undo_until(found, service.UNDO_DAYS),
        can_undo=found.undone_at is None
        and clock.now() < queries.undo_until(found, service.UNDO_DAYS),
        undone=found.by_state.get(ChangeState.UNDONE, 0),
        kept=found.by_state.get(ChangeState.KEPT, 0),
        names=[
            {"name": name, "url": address_of("contacts.show", contact_id=public_id)}
            for public_id, name in found.kept
        ],
        back_url=url_for("reconcile.index"),
    )


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
    off = queue_name == NOT_ON_LIST
    rows: list[dict[str, Any]]
    moved = 0
    with unit_of_work(scope, read_only=True) as session:
        member_list = queries.get_list(session, scope, member_list_id)
        if off:
            ids = queries.off_list(session, scope, member_list) if member_list.looked_at else []
            total = at_once = len(ids)
            people = queries.people_of(session, scope, [one for one, _ in ids[:SHOWN]])
            rows = [_off_row(one, member_list.as_at) for one in people]
        else:
            chosen = Queue(queue_name)
            total = queries.count_lines(session, scope, member_list).by_queue.get(chosen, 0)
            at_once = queries.count_to_confirm(session, scope, member_list, chosen)
            numbers = queries.numbers_in(session, scope, member_list, chosen, limit=SHOWN)
            found = _as_now(session, scope, member_list, numbers)
            rows = [_row(row, member_list.as_at) for row in found if row.queue is chosen]
            moved = len(found) - len(rows)
    return render_template(
        "reconcile/queue.html",
        form=form,
        title=_queue_name(None if off else Queue(queue_name)),
        rows=rows,
        total=total,
        moved=moved,
        at_once=at_once,
        off=off,
        help=_HELP.get(queue_name, lambda: "")(),
        back_url=url_for("reconcile.show", member_list_id=member_list_id),
    )


def _as_now(
    session: Any, scope: Scope, member_list: Any, numbers: Collection[int]
) -> list[queries.Row]:
    """Return these lines as things stand now, without keeping that."""
    marks = queries.marks_of(session, scope, member_list, numbers)
    return queries.work_out(
        session,
        scope,
        member_list,
        [
            service.as_marked(line, marks[line.number])
            for line in opened.lines_of(session, scope, member_list, numbers)
        ],
        told={number: mark.told for number, mark in marks.items() if mark.told is not None},
        alone={number for number, mark in marks.items() if mark.alone},
        lookup=queries.Lookup(),
    )


_HELP: dict[str, Any] = {
    "not_sure": lambda: gettext("Say who it is, or that it is somebody new."),
    "not_here": lambda: gettext(
        "A line that names a workplace of yours can be added with one press."
    ),
    "problem": lambda: gettext("Put it right in the file and load the list again."),
    "bad_address": lambda: gettext(
        "Say yes to mark our address as bad. Each ballot then asks for another one."
    ),
    NOT_ON_LIST: lambda: gettext(
        "The list may be late or wrong. Ask them before you write that they left."
    ),
}


def _off_row(one: queries.Member, as_at: date) -> dict[str, Any]:
    return {
        "number": None,
        "name": one.name,
        "person": str(one.public_id),
        "url": address_of("contacts.show", contact_id=one.public_id),
        "known_as": one.name,
        "text": [gettext("No member from %(day)s on", day=day_text(as_at))],
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
        if row.job_title:
            said.append(gettext("Job title: %(name)s", name=row.job_title))
    if row.queue is Queue.BAD_ADDRESS:
        said.append(gettext("The union’s list says that post does not reach them."))
        if line.address:
            said.append(f"{label(PointKind.ADDRESS)}: {line.address}")
    return said
