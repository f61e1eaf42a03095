"""The wizard that brings a list in: upload, match, check, import, undo."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Mapping, Sequence, Set
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
from crm.analysis.tables.found import DELIMITERS, Asked, Table, table_of
from crm.analysis.tables.front import NotHeld, table_of_front
from crm.analysis.tables.packed import BLOCK, Packed, pack
from crm.analysis.tables.returned import problems_csv
from crm.domain.columns import DAYS, VALUED, Target, is_sensitive
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.likeness import Reason
from crm.domain.listed import NOT_MATCHED, place_key
from crm.domain.vocabulary import (
    ImportKind,
    ImportState,
    ListOrigin,
    RowOutcome,
    RowState,
)
from crm.features.imports import forms, queries, service
from crm.features.imports.areas import NEW_AREA, new_name_of
from crm.features.imports.forms import TARGET_WORDS
from crm.features.imports.matching import (
    NAMED_PLACES,
    chosen,
    like_options,
    match_form,
    names_to_settle,
    offered_meanings,
)
from crm.features.imports.others import OTHERS
from crm.features.imports.places import ITS_OWN, NO_EMPLOYER
from crm.features.imports.rules import (
    MOST_VALUES,
    NEW_PLACE,
    Rules,
    Unready,
    count_rows,
    garbled,
    headings_of,
    month_first,
    proposed_left_out,
    rules_of,
    samples,
    valued_columns,
    values_of,
)
from crm.features.imports.successions import MOVE, PEOPLE
from crm.web import clock, sealing
from crm.web.db import db, unit_of_work
from crm.web.errors import sentence
from crm.web.forms import chosen_id
from crm.web.guard import my_today, requires
from crm.web.headers import takes_list
from crm.web.labels import LABELS, label
from crm.web.pages import address_of
from crm.web.tasks import TaskKind, Work, register

bp = Blueprint("imports", __name__)

LOOK_AGAIN = 3  # seconds
# Each sign of life is a durable write of its own.
_BEAT_EVERY = 1.0  # seconds
SHOWN = 40  # problems and possible duplicates on one page
WESTERN = "cp1252"  # how letters are read when nothing else fits
MOST_NAMED = 200  # numbers of rows in one sentence
HIDDEN = "•••"
# Columns whose words can stand for something that is made with the list.
BRINGS_NEW = frozenset({Target.AREA, Target.EMPLOYER})

IMPORTED = "The list is in."
LOOKED = "The list is checked. Go back to your lists to see what it would do."
TAKEN_BACK = "The import is undone."

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
                sealed_file=_sealed(content, public_id),
                sealed_table=_sealed_table(table, public_id),
                seal_front=_sealer(public_id),
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


# --- The file, sealed -------------------------------------------------------------------------


def _sealed(content: bytes, public_id: UUID) -> bytes:
    return sealing.seal(content, str(public_id), sealing.public_key()).encode()


def _sealed_table(table: Table, public_id: UUID) -> bytes:
    text = json.dumps(table.as_plain(), ensure_ascii=False).encode()
    return _sealed(zlib.compress(text, 1), public_id)


def _sealer(public_id: UUID) -> service.SealFront:
    """Return what seals the part of a list that its pages show."""

    def _seal(plain: Mapping[str, Any]) -> bytes:
        text = json.dumps(plain, ensure_ascii=False).encode()
        return _sealed(zlib.compress(text, 1), public_id)

    return _seal


def _sealed_rest(
    table: Table, view: queries.ImportView, rest_id: UUID, left: Sequence[int]
) -> bytes:
    """Return some rows of a list below its headings, sealed as a list of their own."""
    heading = rules_of(view.settings).heading_row
    numbers = [*([heading] if heading else []), *left]
    blocks = [
        pack([table.rows[number - 1] for number in numbers[first : first + BLOCK]])
        for first in range(0, len(numbers), BLOCK)
    ]
    rows = Packed(blocks, len(numbers), table.width)
    return _sealed_table(Table(kind=table.kind, rows=rows), rest_id)


def _opened(sealed: bytes | None, public_id: UUID) -> bytes:
    """Return what was sealed. Raises Refusal when it is gone, or the server's secret changed."""
    if sealed is None:
        raise Refusal(service.FILE_GONE)
    try:
        return sealing.open_sealed(sealed.decode(), str(public_id))
    except sealing.NotForUs as error:
        raise Refusal(service.FILE_GONE) from error


@dataclass(frozen=True, slots=True)
class _Opened:
    view: queries.ImportView
    table: Table
    rules: Rules


def _open(scope: Scope, import_id: UUID, *states: ImportState, whole: bool = True) -> _Opened:
    """Return a list with its rows. Raises NotFound when it is not at one of these steps.

    whole: False for what its pages show, where that is kept by itself.
    """
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_import(session, scope, import_id)
        if view.state not in states:
            raise NotFound(f"ListImport {import_id} at this step")
        front = None if whole else queries.get_sealed(session, scope, import_id, front=True)
        sealed = front or queries.get_sealed(session, scope, import_id)
    plain = json.loads(zlib.decompress(_opened(sealed, import_id)))
    table = table_of(plain) if front is None else table_of_front(plain)
    return _Opened(view, table, rules_of(view.settings))


def _with_list(
    scope: Scope, import_id: UUID, states: Sequence[ImportState], act: Callable[[_Opened], Any]
) -> Any:
    """Answer from what is kept of a list for its pages; from the whole where that is not enough."""
    try:
        return act(_open(scope, import_id, *states, whole=False))
    except NotHeld:
        return act(_open(scope, import_id, *states))


_OPEN = (ImportState.MATCHING, ImportState.CHECKED)


# --- Match ------------------------------------------------------------------------------------


@bp.get("/import/<uuid:import_id>/match")
@requires(Permission.IMPORT_MAKE)
def match(scope: Scope, import_id: UUID) -> Any:
    """Show the columns of a list, and where each is to go."""
    return _with_list(
        scope, import_id, _OPEN, lambda opened: _match_page(scope, opened, None, None)
    )


@bp.post("/import/<uuid:import_id>/match")
@requires(Permission.IMPORT_MAKE)
def save_match(scope: Scope, import_id: UUID) -> Any:
    """Keep where the columns go; then ask what values stand for, or check the list."""
    return _with_list(scope, import_id, _OPEN, lambda opened: _save_match(scope, opened))


def _save_match(scope: Scope, opened: _Opened) -> Any:
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
    return _with_list(scope, import_id, _OPEN, lambda opened: _read(scope, opened))


def _read(scope: Scope, opened: _Opened) -> Any:
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
    table = read_apart(_opened(sealed, import_id), asked)
    with unit_of_work(scope) as session:
        service.read_again(
            session,
            scope,
            import_id,
            table=table,
            sealed_table=_sealed_table(table, import_id),
            seal_front=_sealer(import_id),
            asked=asked,
        )


def _choose_rows(scope: Scope, opened: _Opened, form: forms.ReadForm) -> None:
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
            seal_front=_sealer(opened.view.id),
            heading_row=heading,
            left_out=sorted(left_out),
        )


def _read_form(opened: _Opened) -> forms.ReadForm:
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


def _match_page(scope: Scope, opened: _Opened, form: Any, reading: forms.ReadForm | None) -> str:
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
        garbled=None if wrong is None else _short(wrong),
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
                "samples": [_short(one) for one in samples(table, rules, place)],
                "sensitive": private[place],
            }
            for place, heading in enumerate(headings)
        ],
        preview=[
            (
                number,
                [
                    HIDDEN if private[place] and cell else _short(cell)
                    for place, cell in enumerate(row)
                ],
            )
            for number, row in shown
        ],
        width=table.width,
        row_count=count_rows(table, rules),
    )


def _short(cell: str) -> str:
    text = " ".join(cell.split())
    return text if len(text) <= 60 else text[:59] + "…"


# --- Values -----------------------------------------------------------------------------------


@bp.get("/import/<uuid:import_id>/values")
@requires(Permission.IMPORT_MAKE)
def values(scope: Scope, import_id: UUID) -> Any:
    """Ask what the values of some columns stand for."""
    return _with_list(
        scope, import_id, _OPEN, lambda opened: _values_page(opened, *_values_form(scope, opened))
    )


@bp.post("/import/<uuid:import_id>/values")
@requires(Permission.IMPORT_MAKE)
def save_values(scope: Scope, import_id: UUID) -> Any:
    """Keep what the values stand for, and check the list."""
    return _with_list(scope, import_id, _OPEN, lambda opened: _save_values(scope, opened))


def _save_values(scope: Scope, opened: _Opened) -> Any:
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


def _values_form(scope: Scope, opened: _Opened) -> tuple[Any, list[_Group]]:
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


def _values_page(opened: _Opened, form: Any, groups: Sequence[_Group]) -> str:
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
                session, scope, import_id, table, today=my_today(), time_zone=_time_zone()
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


def _time_zone() -> str:
    return str(current_app.config["TIME_ZONE"])


@bp.get("/import/<uuid:import_id>/check")
@requires(Permission.IMPORT_MAKE)
def check(scope: Scope, import_id: UUID) -> Any:
    """Show what the import would do. Nothing of it is done yet."""

    def _show(opened: _Opened) -> Any:
        if opened.view.state is ImportState.MATCHING:
            return redirect(url_for("imports.match", import_id=import_id), 303)
        return _check_page(scope, opened, None)

    return _with_list(scope, import_id, _OPEN, _show)


@bp.post("/import/<uuid:import_id>/check")
@requires(Permission.IMPORT_MAKE)
def save_check(scope: Scope, import_id: UUID) -> Any:
    """Keep what was put right, and check again."""
    checked = [ImportState.CHECKED]
    return _with_list(scope, import_id, checked, lambda opened: _save_check(scope, opened))


def _save_check(scope: Scope, opened: _Opened) -> Any:
    import_id = opened.view.id
    form, shown = _fix_form(scope, opened)
    if not form.validate():
        return _check_page(scope, opened, None), 422
    cells: dict[tuple[int, int], str] = {}
    for row_no, column in shown.cells:
        typed = " ".join((form[f"c{row_no}-{column}"].data or "").split())[:1000]
        typed = "".join(sign for sign in typed if sign.isprintable())
        if typed != " ".join(opened.table.rows[row_no - 1][column].split()):
            cells[row_no, column] = typed
    table = opened.table.with_cells(cells) if cells else opened.table
    answers = {row_no: form[f"p{row_no}"].data for row_no in shown.people}
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
                sealed_table=_sealed_table(table, import_id) if cells else None,
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


@dataclass(frozen=True, slots=True)
class _Alike:
    """A name of the list that could mean a workplace that is here, and the rows that have it.

    key: the folded name. field: of the form.
    """

    key: str
    field: str
    rows: tuple[int, ...]
    first: queries.LikeRow


def _alike(rows: Sequence[queries.LikeRow], opened: _Opened) -> list[_Alike]:
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
class _Shown:
    """What can be put right on one page of the check."""

    cells: tuple[tuple[int, int], ...]
    skips: tuple[int, ...]
    people: tuple[int, ...]
    problems: tuple[queries.RowView, ...]
    possible: tuple[queries.RowView, ...]
    alike: tuple[_Alike, ...]
    # Folded names that no workplace has, and the fields that ask what they mean.
    named: Mapping[str, str]


def _fix_form(scope: Scope, opened: _Opened) -> tuple[Any, _Shown]:
    # Whoever it could be is shown with their phone: that is recorded as a look at them.
    with unit_of_work(scope) as session:
        problems = queries.list_rows(
            session, scope, opened.view.id, RowOutcome.PROBLEM, limit=SHOWN
        )
        possible: list[queries.RowView] = []
        alike: list[_Alike] = []
        if opened.view.kind is ImportKind.PEOPLE:
            possible = queries.list_rows(
                session, scope, opened.view.id, RowOutcome.POSSIBLE, limit=SHOWN
            )
        else:
            alike = _alike(queries.list_like_rows(session, scope, opened.view.id), opened)
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
    shown = _Shown(
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


def _check_page(scope: Scope, opened: _Opened, start: forms.StartForm | None) -> str:
    form, shown = _fix_form(scope, opened)
    view = opened.view
    with unit_of_work(scope, read_only=True) as session:
        changes = queries.count_changes(session, scope, view.id)
        kept = queries.count_kept(session, scope, view.id)
        kept_rows = (
            queries.list_records(session, scope, view.id, limit=SHOWN, keeps=True) if kept else []
        )
        changed = queries.list_records(
            session, scope, view.id, limit=SHOWN, outcomes=[RowOutcome.CHANGED]
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
                **_record(row, view.kind),
                "says": _says(opened, row.row_no),
                "kept": [CHANGES[name] for name in row.kept],
            }
            for row in kept_rows
        ],
        changed_rows=[
            {
                **_record(row, view.kind),
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


def _month_first(opened: _Opened) -> str | None:
    """Return a date of the list that has its month first, where others of its column have not.

    Then nobody can tell which of the two 4/3/2026 is.
    """
    table, rules = opened.table, opened.rules
    found = (month_first(table, rules, place) for place in rules.columns_of(*DAYS))
    return next(filter(None, found), None)


def _record(row: queries.RecordView, kind: ImportKind) -> dict[str, Any]:
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


def _problem(row: queries.RowView, opened: _Opened, named: Set[str]) -> dict[str, Any]:
    """Return what the page shows of a row. named: fields that ask what a name means."""
    return {
        "row": row.row_no,
        "says": _says(opened, row.row_no),
        "faults": [
            {
                "words": gettext(message) % {"row": number},
                "field": f"c{row.row_no}-{column}" if column is not None else None,
                "meant": meant if (meant := f"n{row.row_no}-{column}") in named else None,
            }
            for column, message, number in row.faults
        ],
        "skip": f"s{row.row_no}",
    }


def _possible(row: queries.RowView, opened: _Opened) -> dict[str, Any]:
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


def _alike_line(one: _Alike, opened: _Opened) -> dict[str, Any]:
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


def _says(opened: _Opened, row_no: int) -> str:
    """Return what a row says in the columns that are used."""
    row, targets = opened.table.rows[row_no - 1], opened.rules.targets
    used = [
        cell
        for cell, target in zip(row, targets, strict=True)
        if cell and target is not Target.LEAVE_OUT
    ]
    return _short(" · ".join(used))


@bp.get("/import/<uuid:import_id>/problems.csv")
@requires(Permission.IMPORT_MAKE)
def problems(scope: Scope, import_id: UUID) -> Response:
    """Hand the rows with a problem back as a file, with a column that says what is wrong."""
    opened = _open(scope, import_id, ImportState.CHECKED)
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

        def _again(opened: _Opened) -> str:
            form.version.data = str(opened.view.version)
            return _check_page(scope, opened, form)

        return _with_list(scope, import_id, [ImportState.CHECKED], _again), 422
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
    if view.state in _OPEN:
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
        kept=[_record(row, view.kind) for row in kept],
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
    if rest.state not in _OPEN or rest.expires_at <= clock.now():
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


# --- The worker -------------------------------------------------------------------------------


def run_import(work: Work) -> None:
    """Store the rows of a list chunk by chunk, until there is none left or somebody stops it."""
    import_id = UUID(work.payload["import"])
    with unit_of_work(work.scope, read_only=True) as session:
        view = queries.get_import(session, work.scope, import_id)
        sealed = queries.get_sealed(session, work.scope, import_id)
    done = view.total - view.count(RowState.WAITING)
    if view.state is ImportState.IMPORTING:
        table = table_of(json.loads(zlib.decompress(_opened(sealed, import_id))))
        with unit_of_work(work.scope) as session:
            since = service.people_so_far(session)
        with unit_of_work(work.scope, read_only=True) as session:
            prepared = service.prepare_to_store(
                session,
                work.scope,
                import_id,
                table,
                since=since,
                today=work.today,
                time_zone=_time_zone(),
                alive=lambda: work.progress(done, view.total),
            )
        pace = service.Pace.on(db.engine.dialect.name)
        beaten = -_BEAT_EVERY
        counted, count_at = 0, service.COUNTED_ANEW
        while True:
            began = time.monotonic()
            if began - beaten >= _BEAT_EVERY:
                work.progress(done, view.total)
                beaten = began
            with unit_of_work(work.scope) as session:
                # Here it waits for others who write; at the end, for the disk. Neither grows with
                # the rows: fewer of them would make neither shorter, and only the import longer.
                service.wait_for_turn(session)
                held = time.monotonic()
                rows = service.import_some(
                    session,
                    work.scope,
                    import_id,
                    prepared,
                    now=clock.now(),
                    most=pace.rows,
                    keep=lambda rest_id, left: _sealed_rest(table, view, rest_id, left),
                )
                taken = time.monotonic() - held
            if not rows:
                break
            done += rows
            pace.took(taken)
            time.sleep(pace.rest)
            counted += rows
            if counted >= count_at:
                count_at = counted * 4
                with unit_of_work(work.scope) as session:
                    service.count_anew(session)
    elif view.state is ImportState.STOPPING:
        with unit_of_work(work.scope) as session:
            service.stopped(session, work.scope, import_id)
    with work.saving() as session:
        work.end(session, message=IMPORTED, result={})


def run_check(work: Work) -> None:
    """Find out what each row of a long list would do, and keep that."""
    import_id = UUID(work.payload["import"])
    with unit_of_work(work.scope, read_only=True) as session:
        sealed = queries.get_sealed(session, work.scope, import_id)
    table = table_of(json.loads(zlib.decompress(_opened(sealed, import_id))))
    work.progress(0, len(table.rows))
    with unit_of_work(work.scope, read_only=True) as session:
        checking = service.prepare_to_look(
            session,
            work.scope,
            import_id,
            table,
            today=work.today,
            time_zone=_time_zone(),
            alive=lambda: work.progress(0, len(table.rows)),
        )
    forgotten = 1
    while forgotten:
        with unit_of_work(work.scope) as session:
            forgotten = service.forget_look(session, work.scope, import_id)
        work.progress(0, len(table.rows))
    done = 0
    for some in service.read_in_parts(checking):
        with unit_of_work(work.scope, read_only=True) as session:
            rows = service.look(session, work.scope, checking, some)
        with unit_of_work(work.scope) as session:
            checking = service.keep_look(
                session, work.scope, import_id, checking, rows, first=not done, last=False
            )
        done += len(some) or len(rows)
        work.progress(done, len(table.rows))
    with unit_of_work(work.scope, read_only=True) as session:
        shown = queries.rows_on_pages(session, work.scope, import_id, limit=SHOWN)
    front = service.front(table, checking.rules, _sealer(import_id), shown)
    with work.saving() as session:
        service.keep_look(
            session,
            work.scope,
            import_id,
            checking,
            [],
            first=not done,
            last=True,
            sealed_front=front,
        )
        work.end(session, message=LOOKED, result={})


def run_undo(work: Work) -> None:
    """Take back what an import stored, chunk by chunk."""
    import_id = UUID(work.payload["import"])
    done = 0
    while True:
        work.progress(done)
        with unit_of_work(work.scope) as session:
            rows = service.undo_some(session, work.scope, import_id, now=clock.now())
        if not rows:
            break
        done += rows
    with work.saving() as session:
        work.end(session, message=TAKEN_BACK, result={})
