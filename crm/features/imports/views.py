"""The wizard that brings a list in: upload, match, check, import, undo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    url_for,
)
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.tables.apart import read_apart
from crm.analysis.tables.found import DELIMITERS, Asked, Table
from crm.analysis.tables.returned import problems_csv
from crm.domain.columns import Target, is_sensitive
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.vocabulary import (
    ImportKind,
    ImportState,
    ListOrigin,
    RowOutcome,
    RowState,
)
from crm.features.imports import forms, queries, service
from crm.features.imports.areas import NEW_AREA, new_name_of
from crm.features.imports.checking import SHOWN, check_page, fix_form, record_line, short
from crm.features.imports.forms import TARGET_WORDS
from crm.features.imports.matching import (
    NAMED_PLACES,
    chosen,
    like_options,
    match_form,
    offered_meanings,
)
from crm.features.imports.opened import (
    OPEN,
    Opened,
    open_list,
    seal,
    sealed_table,
    sealer,
    unseal,
    with_list,
)
from crm.features.imports.places import ITS_OWN
from crm.features.imports.rules import (
    MOST_VALUES,
    NEW_PLACE,
    Unready,
    count_rows,
    garbled,
    headings_of,
    proposed_left_out,
    samples,
    valued_columns,
    values_of,
)
from crm.features.imports.working import run_check, run_import, run_undo, time_zone
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.errors import sentence
from crm.web.forms import chosen_id
from crm.web.guard import my_today, requires
from crm.web.headers import takes_list
from crm.web.pages import address_of
from crm.web.tasks import TaskKind, register

bp = Blueprint("imports", __name__)

LOOK_AGAIN = 3  # seconds
WESTERN = "cp1252"  # how letters are read when nothing else fits
MOST_NAMED = 200  # numbers of rows in one sentence
HIDDEN = "•••"
# Columns whose words can stand for something that is made with the list.
BRINGS_NEW = frozenset({Target.AREA, Target.EMPLOYER})


def install(app: Flask) -> None:
    """Add the pages and the kinds of long work."""
    app.register_blueprint(bp)
    for name, title, run in (
        (service.IMPORT_TASK, _("Import a list"), run_import),
        (service.CHECK_TASK, _("Check a list"), run_check),
        (service.UNDO_TASK, _("Undo an import"), run_undo),
    ):
        register(
            app,
            name,
            TaskKind(
                title=title,
                back_endpoint="imports.index",
                back_label=_("Lists in"),
                permission=Permission.IMPORT_MAKE,
                run=run,
                somewhere=True,
                in_parts=name != service.CHECK_TASK,
            ),
        )


# --- Upload -----------------------------------------------------------------------------------


@bp.get("/import")
@requires(Permission.IMPORT_MAKE)
def index(scope: Scope) -> Any:
    """Show the form that takes a list, and the lists this person brought before."""
    return _index(scope, forms.upload_form(service.kinds_for(scope)))


@bp.post("/import")
@takes_list
@requires(Permission.IMPORT_MAKE)
def upload(scope: Scope) -> Any:
    """Take a list, read it, and go on to its columns."""
    form = forms.upload_form(service.kinds_for(scope))
    if not form.validate():
        return _index(scope, form), 422
    origin = ListOrigin(form.origin.data)
    try:
        # Before a byte of it is read: a list that must not be here is not looked into.
        service.refuse_origin(origin)
    except Refusal as refusal:
        form.refuse(refusal, "origin")
        return _index(scope, form), 422
    content = form.file.data.read()
    try:
        table = read_apart(content)
    except Refusal as refusal:
        form.refuse(refusal, "file")
        return _index(scope, form), 422
    public_id = uuid4()
    try:
        with unit_of_work(scope) as session:
            service.add_import(
                session,
                scope,
                public_id=public_id,
                kind=ImportKind(form.kind.data),
                origin=origin,
                origin_note=form.text("origin_note"),
                file_name=_plain_name(str(form.file.data.filename)),
                table=table,
                sealed_file=seal(content, public_id),
                sealed_table=sealed_table(table, public_id),
                seal_front=sealer(public_id),
                today=my_today(),
                now=clock.now(),
            )
    except Refusal as refusal:
        form.refuse(refusal, "file")
        return _index(scope, form), 422
    return redirect(url_for("imports.match", import_id=public_id), 303)


def _index(scope: Scope, form: forms.UploadForm) -> str:
    with unit_of_work(scope, read_only=True) as session:
        mine = queries.list_imports(session, scope)
    return render_template(
        "imports/index.html",
        form=form,
        mine=[_line(one) for one in mine],
        megabytes=int(current_app.config["LIST_LIMIT"]) // (1024 * 1024),
    )


def _line(view: queries.ImportView) -> dict[str, Any]:
    return {
        "name": _name_of(view),
        "state": view.state,
        "when": view.finished_at or view.created_at,
        "url": _page_of(view),
        "new": view.count(RowOutcome.NEW) if view.state is ImportState.DONE else None,
        "changed": view.count(RowOutcome.CHANGED) if view.state is ImportState.DONE else None,
    }


def _name_of(view: queries.ImportView) -> str:
    """Return the name of the file; of rows that another list left, that they are these."""
    if view.settings.get("rest_of"):
        return str(gettext("%(name)s: rows left for later", name=view.file_name))
    return view.file_name


def _page_of(view: queries.ImportView) -> str:
    pages = {ImportState.MATCHING: "imports.match", ImportState.CHECKED: "imports.check"}
    return url_for(pages.get(view.state, "imports.show"), import_id=view.id)


def _plain_name(name: str) -> str:
    bare = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in bare if sign.isprintable())[-200:] or "list"


# --- Match ------------------------------------------------------------------------------------


@bp.get("/import/<uuid:import_id>/match")
@requires(Permission.IMPORT_MAKE)
def match(scope: Scope, import_id: UUID) -> Any:
    """Show the columns of a list, and where each is to go."""
    return with_list(scope, import_id, OPEN, lambda opened: _match_page(scope, opened, None, None))


@bp.post("/import/<uuid:import_id>/match")
@requires(Permission.IMPORT_MAKE)
def save_match(scope: Scope, import_id: UUID) -> Any:
    """Keep where the columns go; then ask what values stand for, or check the list."""
    return with_list(scope, import_id, OPEN, lambda opened: _save_match(scope, opened))


def _save_match(scope: Scope, opened: Opened) -> Any:
    import_id = opened.view.id
    form = match_form(scope, opened.view.kind, opened.table, opened.rules)
    if not form.validate():
        return _match_page(scope, opened, form, None), 422
    rules = chosen(form, opened.view.kind, opened.table, opened.rules)
    try:
        with unit_of_work(scope) as session:
            rules = service.match(session, scope, import_id, rules, opened.table, today=my_today())
    except Unready as unready:
        for name, refusal in unready.lacks:
            form.refuse(refusal, name if name in form else None)
        return _match_page(scope, opened, form, None), 422
    except Refusal as refusal:
        form.refuse(refusal)
        return _match_page(scope, opened, form, None), 422
    if any(values_of(opened.table, rules, place) for place in valued_columns(rules)):
        return redirect(url_for("imports.values", import_id=import_id), 303)
    return _run_check(scope, import_id, opened.table)


@bp.post("/import/<uuid:import_id>/read")
@requires(Permission.IMPORT_MAKE)
def read(scope: Scope, import_id: UUID) -> Any:
    """Read the file in another way: another sheet, alphabet, sign or heading row."""
    return with_list(scope, import_id, OPEN, lambda opened: _read(scope, opened))


def _read(scope: Scope, opened: Opened) -> Any:
    import_id = opened.view.id
    form = _read_form(opened)
    if not form.validate():
        return _match_page(scope, opened, None, form), 422
    asked = replace(
        opened.rules.asked,
        sheet=form.sheet.data if "sheet" in form else None,
        encoding=form.encoding.data if "encoding" in form else None,
        delimiter=form.delimiter.data if "delimiter" in form else None,
    )
    try:
        if _reads_otherwise(asked, opened.table):
            _read_again(scope, import_id, asked)
        else:
            _choose_rows(scope, opened, form)
    except Refusal as refusal:
        form.refuse(refusal)
        return _match_page(scope, opened, None, form), 422
    return redirect(url_for("imports.match", import_id=import_id), 303)


def _reads_otherwise(asked: Asked, table: Table) -> bool:
    return (asked.sheet, asked.encoding, asked.delimiter) != (
        table.sheet,
        table.encoding,
        table.delimiter if table.delimiter in DELIMITERS else None,
    )


def _read_again(scope: Scope, import_id: UUID, asked: Asked) -> None:
    with unit_of_work(scope, read_only=True) as session:
        sealed = queries.get_sealed(session, scope, import_id, file=True)
    table = read_apart(unseal(sealed, import_id), asked)
    with unit_of_work(scope) as session:
        service.read_again(
            session,
            scope,
            import_id,
            table=table,
            sealed_table=sealed_table(table, import_id),
            seal_front=sealer(import_id),
            asked=asked,
        )


def _choose_rows(scope: Scope, opened: Opened, form: forms.ReadForm) -> None:
    heading = int(form.heading_row.data)
    proposed = set(proposed_left_out(opened.table, heading))
    ticked = set(form.left_out.data or ()) if "left_out" in form else set()
    same = heading == opened.rules.heading_row
    # Below another heading row other rows look like totals: they are proposed anew.
    left_out = ticked & {*proposed, *opened.rules.left_out} if same else proposed
    with unit_of_work(scope) as session:
        service.choose_rows(
            session,
            scope,
            opened.view.id,
            table=opened.table,
            seal_front=sealer(opened.view.id),
            heading_row=heading,
            left_out=sorted(left_out),
        )


def _read_form(opened: Opened) -> forms.ReadForm:
    table, rules = opened.table, opened.rules
    proposed = {*proposed_left_out(table, rules.heading_row), *rules.left_out}
    shown = sorted(number for number in proposed if 0 < number <= len(table.rows))
    shown = shown[: service.MOST_PROPOSED]
    return forms.read_form(
        table.sheets,
        [
            (
                number,
                gettext(
                    "Row %(row)s: %(text)s",
                    row=number,
                    text=" ".join(cell for cell in table.rows[number - 1] if cell)[:60],
                ),
            )
            for number in shown
        ],
        data={
            "sheet": table.sheet,
            "encoding": table.encoding,
            "delimiter": table.delimiter,
            "heading_row": rules.heading_row,
            "left_out": list(rules.left_out),
        },
    )


def _match_page(scope: Scope, opened: Opened, form: Any, reading: forms.ReadForm | None) -> str:
    rules, table = opened.rules, opened.table
    headings = headings_of(table, rules)
    top = table.rows[rules.heading_row : rules.heading_row + service.PREVIEW]
    shown = list(enumerate(top, start=rules.heading_row + 1))
    private = [
        is_sensitive(heading, samples(table, rules, place, 50))
        for place, heading in enumerate(headings)
    ]
    wrong = None
    if table.encoding == WESTERN:
        asked = (place for place in range(table.width) if not private[place])
        wrong = next(filter(None, (garbled(table, rules, place) for place in asked)), None)
    return render_template(
        "imports/match.html",
        garbled=None if wrong is None else short(wrong),
        left_out=len(rules.left_out),
        view=opened.view,
        form=form or match_form(scope, opened.view.kind, opened.table, opened.rules),
        has_file=opened.rules.rest_of is None,
        reading=reading or _read_form(opened),
        sent_reading=reading is not None,
        columns=[
            {
                "field": f"to{place}",
                "heading": heading or gettext("Column %(number)s", number=place + 1),
                "samples": [short(one) for one in samples(table, rules, place)],
                "sensitive": private[place],
            }
            for place, heading in enumerate(headings)
        ],
        preview=[
            (
                number,
                [
                    HIDDEN if private[place] and cell else short(cell)
                    for place, cell in enumerate(row)
                ],
            )
            for number, row in shown
        ],
        width=table.width,
        row_count=count_rows(table, rules),
    )


# --- Values -----------------------------------------------------------------------------------


@bp.get("/import/<uuid:import_id>/values")
@requires(Permission.IMPORT_MAKE)
def values(scope: Scope, import_id: UUID) -> Any:
    """Ask what the values of some columns stand for."""
    return with_list(
        scope, import_id, OPEN, lambda opened: _values_page(opened, *_values_form(scope, opened))
    )


@bp.post("/import/<uuid:import_id>/values")
@requires(Permission.IMPORT_MAKE)
def save_values(scope: Scope, import_id: UUID) -> Any:
    """Keep what the values stand for, and check the list."""
    return with_list(scope, import_id, OPEN, lambda opened: _save_values(scope, opened))


def _save_values(scope: Scope, opened: Opened) -> Any:
    import_id = opened.view.id
    form, groups = _values_form(scope, opened)
    if not form.validate():
        return _values_page(opened, form, groups), 422
    meanings: dict[int, dict[str, str]] = {}
    for group in groups:
        for name, value in group.values:
            said = form[name].data
            if said == NEW_AREA:
                said = new_name_of(group.words[value])
            if said != "?":
                meanings.setdefault(group.place, {})[value] = said
        if group.new_field and form[group.new_field].data:
            found = meanings.setdefault(group.place, {})
            for value, word in group.words.items():
                if value in group.open_still:
                    found.setdefault(value, new_name_of(word))
    with unit_of_work(scope) as session:
        service.choose_meanings(session, scope, import_id, meanings, opened.table, now=clock.now())
    return _run_check(scope, import_id, opened.table)


@dataclass(frozen=True, slots=True)
class _Group:
    """The values of one column. values: names of their fields, and the folded value.

    more: values that are not shown. cut: there are more places than can be chosen from. words: all
    values of the column as the list writes them; open_still: those without a meaning. new_field:
    of the box that makes new areas or employers of all of these.
    """

    place: int
    heading: str
    target: Target
    values: tuple[tuple[str, str], ...]
    more: int
    cut: bool
    words: Mapping[str, str]
    open_still: frozenset[str]
    new_field: str | None


def _values_form(scope: Scope, opened: Opened) -> tuple[Any, list[_Group]]:
    rules, table = opened.rules, opened.table
    headings = headings_of(table, rules)
    groups: list[_Group] = []
    questions: list[tuple[str, str, Sequence[tuple[str, Any]], str]] = []
    data: dict[str, str] = {}
    ticks: list[tuple[str, int, Target]] = []
    room = 250
    with unit_of_work(scope, read_only=True) as session:
        offered = offered_meanings(session, scope, rules)
        for place in valued_columns(rules):
            target = rules.targets[place]
            found = values_of(table, rules, place)
            known = rules.meanings.get(place, {})
            # What is not matched yet comes first: it is what somebody must decide.
            ordered = sorted(found, key=lambda value: (value in known, value))
            asked = ordered[: min(MOST_VALUES, room)]
            room -= len(asked)
            alike = like_options(
                session, scope, target, {one: found[one] for one in asked}, known, offered[target]
            )
            names = []
            for number, value in enumerate(asked):
                name = f"v{place}-{number}"
                names.append((name, value))
                choices, hint = alike.get(value, (offered[target], ""))
                questions.append((name, found[value], choices, hint))
                data[name] = known.get(value, "?")
                if target in BRINGS_NEW and data[name].startswith(NEW_AREA):
                    data[name] = NEW_AREA
            heading = headings[place] or gettext("Column %(number)s", number=place + 1)
            cut = target in NAMED_PLACES and len(offered[target]) >= queries.MOST_OFFERED
            open_still = frozenset(found) - set(known)
            new = None
            if target in BRINGS_NEW and open_still and NEW_AREA in dict(offered[target]):
                new = f"new{place}"
                ticks.append((new, len(open_still), target))
            more = len(ordered) - len(asked)
            groups.append(
                _Group(place, heading, target, tuple(names), more, cut, found, open_still, new)
            )
    return forms.values_form(questions, ticks, data=data), groups


def _values_page(opened: Opened, form: Any, groups: Sequence[_Group]) -> str:
    return render_template(
        "imports/values.html",
        view=opened.view,
        form=form,
        groups=[
            {
                "heading": group.heading,
                "target": TARGET_WORDS[group.target],
                "fields": [name for name, _value in group.values],
                "new": group.new_field,
                "more": group.more,
                "cut": group.cut,
                "member": group.target is Target.MEMBER,
                "area": group.target is Target.AREA,
                "employer": group.target is Target.EMPLOYER,
                # "Choose" and "Leave out" are always there.
                "nothing": all(len(form[name].choices) < 3 for name, _value in group.values),
            }
            for group in groups
        ],
    )


# --- Check ------------------------------------------------------------------------------------


def _run_check(scope: Scope, import_id: UUID, table: Table) -> Any:
    if len(table.rows) > service.CHECKED_AT_ONCE:
        with unit_of_work(scope) as session:
            task_id = service.request_check(session, scope, import_id, now=clock.now())
        return redirect(url_for("tasks.show", task_id=task_id), 303)
    try:
        with unit_of_work(scope, read_only=True) as session:
            checking = service.prepare_to_look(
                session, scope, import_id, table, today=my_today(), time_zone=time_zone()
            )
            rows = [
                row
                for some in service.read_in_parts(checking)
                for row in service.look(session, scope, checking, some)
            ]
        with unit_of_work(scope) as session:
            service.keep_look(session, scope, import_id, checking, rows, first=True, last=True)
    except Refusal as refusal:
        flash(sentence(refusal), "error")
        return redirect(url_for("imports.match", import_id=import_id), 303)
    return redirect(url_for("imports.check", import_id=import_id), 303)


@bp.get("/import/<uuid:import_id>/check")
@requires(Permission.IMPORT_MAKE)
def check(scope: Scope, import_id: UUID) -> Any:
    """Show what the import would do. Nothing of it is done yet."""

    def _show(opened: Opened) -> Any:
        if opened.view.state is ImportState.MATCHING:
            return redirect(url_for("imports.match", import_id=import_id), 303)
        return check_page(scope, opened, None)

    return with_list(scope, import_id, OPEN, _show)


@bp.post("/import/<uuid:import_id>/check")
@requires(Permission.IMPORT_MAKE)
def save_check(scope: Scope, import_id: UUID) -> Any:
    """Keep what was put right, and check again."""
    checked = [ImportState.CHECKED]
    return with_list(scope, import_id, checked, lambda opened: _save_check(scope, opened))


def _save_check(scope: Scope, opened: Opened) -> Any:
    import_id = opened.view.id
    form, shown = fix_form(scope, opened)
    if not form.validate():
        return check_page(scope, opened, None), 422
    cells: dict[tuple[int, int], str] = {}
    for row_no, column in shown.cells:
        typed = " ".join((form[f"c{row_no}-{column}"].data or "").split())[:1000]
        typed = "".join(sign for sign in typed if sign.isprintable())
        if typed != " ".join(opened.table.rows[row_no - 1][column].split()):
            cells[row_no, column] = typed
    table = opened.table.with_cells(cells) if cells else opened.table
    others = "others" in form and form.others.data
    answers = {
        row_no: "new" if others and said == "ask" else said
        for row_no in shown.people
        if (said := form[f"p{row_no}"].data)
    }
    employer = form.employer.data if "employer" in form else None
    names = {
        one.key: NEW_PLACE if said in {"new", "ask"} else said
        for one in shown.alike[:SHOWN]
        if (said := form[one.field].data) != "ask" or form.all_new.data
    }
    if shown.alike[SHOWN:] and form.all_new.data:
        names |= {one.key: NEW_PLACE for one in shown.alike[SHOWN:]}
    names |= {
        key: said for key, field in shown.named.items() if (said := form[field].data) != "ask"
    }
    try:
        with unit_of_work(scope) as session:
            service.put_right(
                session,
                scope,
                import_id,
                sealed_table=sealed_table(table, import_id) if cells else None,
                skip=[row_no for row_no in shown.skips if form[f"s{row_no}"].data],
                same={
                    row_no: str(found)
                    for row_no, answer in answers.items()
                    if (found := chosen_id(answer)) is not None
                },
                different=[row_no for row_no, answer in answers.items() if answer == "new"],
                employer=str(chosen_id(employer)) if chosen_id(employer) else None,
                own_employer=employer == ITS_OWN,
                version=form.number,
                now=clock.now(),
            )
            if names:
                service.settle_names(session, scope, import_id, names, table, now=clock.now())
    except EditConflict as conflict:
        flash(sentence(conflict), "warning")
        return redirect(url_for("imports.check", import_id=import_id), 303)
    return _run_check(scope, import_id, table)


@bp.get("/import/<uuid:import_id>/problems.csv")
@requires(Permission.IMPORT_MAKE)
def problems(scope: Scope, import_id: UUID) -> Response:
    """Hand the rows with a problem back as a file, with a column that says what is wrong."""
    opened = open_list(scope, import_id, ImportState.CHECKED)
    headings = headings_of(opened.table, opened.rules)
    with unit_of_work(scope) as session:
        rows = queries.list_rows(session, scope, import_id, RowOutcome.PROBLEM, limit=None)
        service.note_download(session, scope, len(rows))
    content = problems_csv(
        [*headings, gettext("Row"), gettext("What is wrong")],
        [
            [
                *opened.table.rows[row.row_no - 1],
                str(row.row_no),
                " ".join(gettext(words) % {"row": number} for _at, words, number in row.faults),
            ]
            for row in rows
        ],
    )
    answer = make_response(content)
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="problems.csv"'
    return answer


# --- Import -----------------------------------------------------------------------------------


@bp.post("/import/<uuid:import_id>/start")
@requires(Permission.IMPORT_MAKE)
def start(scope: Scope, import_id: UUID) -> Any:
    """Hand the import to the worker."""
    form = forms.StartForm()
    valid = form.validate()
    try:
        if not valid:
            raise Refusal(service.NOT_NOW)
        with unit_of_work(scope) as session:
            service.start(
                session,
                scope,
                import_id,
                looked=bool(form.looked.data),
                version=form.number,
                now=clock.now(),
            )
    except Refusal as refusal:
        form.refuse(refusal)

        def _again(opened: Opened) -> str:
            form.version.data = str(opened.view.version)
            return check_page(scope, opened, form)

        return with_list(scope, import_id, [ImportState.CHECKED], _again), 422
    return redirect(url_for("imports.show", import_id=import_id), 303)


@bp.get("/import/<uuid:import_id>")
@requires(Permission.IMPORT_MAKE)
def show(scope: Scope, import_id: UUID) -> Any:
    """Show how far an import is and what came of it. While it runs the browser asks again."""
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_import(session, scope, import_id)
        row = queries.find_row(session, scope, import_id)
        left_alone = queries.is_left_alone(session, scope, row)
        progress = queries.work_on(session, scope, row, now=clock.now())
        kept = queries.list_records(
            session, scope, import_id, limit=MOST_NAMED, states=[RowState.KEPT]
        )
        left_out = queries.row_numbers(session, scope, import_id, outcomes=[RowOutcome.LEFT_OUT])
        left = queries.row_numbers(
            session,
            scope,
            import_id,
            outcomes=[RowOutcome.PROBLEM, RowOutcome.POSSIBLE],
        )
    if view.state in OPEN:
        return redirect(_page_of(view), 303)
    at_work = {ImportState.IMPORTING, ImportState.STOPPING, ImportState.UNDOING}
    running = view.state in at_work and not left_alone
    done = view.total - view.count(RowState.WAITING)
    total = view.total
    if view.state is ImportState.UNDOING:
        total = view.count(RowState.STORED, RowState.UNDONE, RowState.KEPT)
        done = view.count(RowState.UNDONE, RowState.KEPT)
    page = render_template(
        "imports/show.html",
        view=view,
        form=forms.VersionForm(formdata=None),
        running=running,
        progress=progress,
        runs_server=scope.may(Permission.USER_WRITE),
        left_alone=left_alone,
        done=done,
        total=total,
        stored=[
            (
                outcome,
                sum(
                    number
                    for (one, state), number in view.rows.items()
                    if one is outcome and state is RowState.STORED
                ),
            )
            for outcome in (RowOutcome.NEW, RowOutcome.CHANGED)
        ],
        unchanged=view.count(RowOutcome.UNCHANGED),
        waiting=view.count(RowState.WAITING) if view.state is ImportState.STOPPED else 0,
        left=left[:MOST_NAMED],
        left_count=len(left),
        left_out=left_out[:MOST_NAMED],
        left_out_count=len(left_out),
        kept=[record_line(row, view.kind) for row in kept],
        kept_count=view.count(RowState.KEPT),
        undone=view.count(RowState.UNDONE),
        can_undo=view.state in {ImportState.DONE, ImportState.STOPPED}
        and view.expires_at > clock.now(),
        nothing_stored=view.count(RowState.STORED) == 0,
        here=url_for("imports.show", import_id=import_id),
        rest=_rest(scope, view),
        ballots=address_of("ballots.index") if view.kind is ImportKind.BALLOTS else None,
    )
    answer = make_response(page)
    if running:
        answer.headers["Refresh"] = str(LOOK_AGAIN)
    return answer


def _rest(scope: Scope, view: queries.ImportView) -> dict[str, Any] | None:
    """Return where the rows are that a list left for later; None when they are gone or in."""
    rest_id = view.settings.get("rest")
    if rest_id is None:
        return None
    try:
        with unit_of_work(scope, read_only=True) as session:
            rest = queries.get_import(session, scope, UUID(rest_id))
    except NotFound:
        return None
    if rest.state not in OPEN or rest.expires_at <= clock.now():
        return None
    return {"url": _page_of(rest), "until": rest.expires_at}


@bp.post("/import/<uuid:import_id>/stop")
@requires(Permission.IMPORT_MAKE)
def stop(scope: Scope, import_id: UUID) -> Any:
    """Ask a running import to stop."""
    return _do(scope, import_id, lambda session: service.stop(session, scope, import_id))


@bp.post("/import/<uuid:import_id>/go-on")
@requires(Permission.IMPORT_MAKE)
def go_on(scope: Scope, import_id: UUID) -> Any:
    """Go on with an import that was stopped."""
    return _do(
        scope,
        import_id,
        lambda session: service.go_on(session, scope, import_id, now=clock.now()),
    )


@bp.post("/import/<uuid:import_id>/undo")
@requires(Permission.IMPORT_MAKE)
def undo(scope: Scope, import_id: UUID) -> Any:
    """Hand the way back to the worker."""
    return _do(
        scope,
        import_id,
        lambda session: service.start_undo(session, scope, import_id, now=clock.now()),
    )


def _do(scope: Scope, import_id: UUID, act: Callable[[Any], None]) -> Any:
    """Do one act on a list and show how far it is; a refusal is said there."""
    try:
        with unit_of_work(scope) as session:
            act(session)
    except Refusal as refusal:
        flash(sentence(refusal), "error")
    return redirect(url_for("imports.show", import_id=import_id), 303)


@bp.post("/import/<uuid:import_id>/remove")
@requires(Permission.IMPORT_MAKE)
def remove(scope: Scope, import_id: UUID) -> Any:
    """Throw a list away that was not imported."""
    try:
        with unit_of_work(scope) as session:
            service.remove(session, scope, import_id)
    except Refusal as refusal:
        flash(sentence(refusal), "error")
        return redirect(url_for("imports.show", import_id=import_id), 303)
    flash(gettext("The list is thrown away. Nothing of it is kept."), "done")
    return redirect(url_for("imports.index"), 303)
