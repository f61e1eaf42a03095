"""Typing in a filled talk sheet: its code, then one short line for each person, by keyboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import Refusal
from crm.domain.sheet import ISSUE_OF, Line, read_code, read_line, written_code
from crm.features.conversations import queries, service
from crm.features.conversations.blueprint import bp
from crm.features.conversations.forms import CARRIER, CodeForm, SheetForm
from crm.reads.sheets import SheetOnPaper, find_code, get_sheet
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.errors import sentence
from crm.web.guard import my_today, requires
from crm.web.labels import ISSUES, label, rating_label
from crm.web.pages import address_of

# Longer than any line that makes sense: a digit, twelve letters, an answer, and gaps.
LONGEST_LINE = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the form. said: what was understood, None for nothing; error: why it was not."""

    number: int
    field: str
    name: str
    typed: str
    said: str | None
    error: str | None
    stored: bool


@bp.route("/log/sheet", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def which_sheet(scope: Scope) -> Any:
    """Ask for the code of a sheet. It is sent, not put into an address."""
    form = CodeForm()
    if request.method == "POST" and form.validate():
        code = read_code(form.text("code") or "")
        found = None
        if code is None:
            form.code.errors = [
                gettext("This is no code of a sheet: a sign is wrong, or two changed places.")
            ]
        else:
            with unit_of_work(scope, read_only=True) as session:
                found = find_code(session, scope, code)
            if found is None:
                form.code.errors = [gettext("There is no such sheet at your places.")]
        if found is not None:
            return redirect(url_for("conversations.type_sheet", sheet_id=found), 303)
    page = render_template(
        "conversations/which_sheet.html", form=form, make_url=address_of("sheets.index")
    )
    return page, 422 if form.errors else 200


@bp.route("/log/sheet/<uuid:sheet_id>", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def type_sheet(scope: Scope, sheet_id: UUID) -> Any:
    """Show the lines of a sheet to type in; then what was understood; then store it all at once."""
    today = my_today()
    form = SheetForm()
    with unit_of_work(scope, read_only=request.method == "POST") as session:
        sheet = get_sheet(session, scope, sheet_id)
        if request.method == "GET":
            queries.note_sheet(session, scope, sheet)
    if request.method == "GET":
        form.day.data, form.who.data = today, CARRIER
    form.offer(sheet.carrier, mine=sheet.mine)
    typed = {
        line.number: request.form.get(_field(line.number), "")[:LONGEST_LINE]
        for line in sheet.lines
    }
    errors: dict[int, str] = {}
    lines: dict[int, Line] = {}
    for line in sheet.lines:
        try:
            read = read_line(typed[line.number], asked=sheet.ask is not None)
        except Refusal as refusal:
            errors[line.number] = sentence(refusal)
        else:
            if read is not None:
                lines[line.number] = read
    ready = request.method == "POST" and form.validate() and not errors
    if ready and not lines:
        form.refuse(service.NothingOnIt())
        ready = False
    if ready and "save" in request.form:
        try:
            with unit_of_work(scope) as session:
                done = service.log_sheet(
                    session,
                    scope,
                    sheet_id,
                    lines,
                    day=form.day.data,
                    speaker_id=sheet.carrier_id if form.who.data == CARRIER else None,
                    now=clock.now(),
                    today=today,
                )
        except service.LineRefused as refused:
            errors[refused.number] = sentence(refused.reason)
        except Refusal as refusal:
            form.refuse(refusal, "day")
        else:
            return _after(sheet, done)
        ready = False
    page = render_template(
        "conversations/sheet.html",
        form=form,
        sheet=sheet,
        code=written_code(sheet.code),
        rows=[_row(line, typed, lines, errors) for line in sheet.lines],
        ready=ready,
        start=None if ready else _start(sheet, errors),
        people=len(lines),
        wrong_lines=len(errors),
        issues=[(letter, ISSUES[code]) for letter, code in ISSUE_OF.items()],
        has_errors=bool(errors or form.errors),
    )
    return page, 422 if errors or form.errors else 200


def _start(sheet: SheetOnPaper, errors: dict[int, str]) -> int | None:
    """Return the line that the keyboard stands on: the first wrong one, or the first to type."""
    if errors:
        return min(errors)
    return next((line.number for line in sheet.lines if not line.typed), None)


def _field(number: int) -> str:
    return f"line-{number}"


def _row(line: Any, typed: dict[int, str], lines: dict[int, Line], errors: dict[int, str]) -> Row:
    read = lines.get(line.number)
    return Row(
        number=line.number,
        field=_field(line.number),
        name=line.name,
        typed=typed[line.number],
        said=None if read is None else _said(read),
        error=errors.get(line.number),
        stored=line.typed,
    )


def _said(line: Line) -> str:
    words = [] if line.rating is None else [f"{line.rating} {rating_label(line.rating)}"]
    words += [label(issue) for issue in line.issues]
    if line.answer is not None:
        words.append(gettext("said: %(answer)s", answer=label(line.answer)))
    return ", ".join(words) or gettext("a talk, nothing ticked")


def _after(sheet: SheetOnPaper, done: service.Stored) -> Any:
    words = ngettext(
        "Sheet %(code)s: %(num)s talk saved.",
        "Sheet %(code)s: %(num)s talks saved.",
        done.new,
        code=written_code(sheet.code),
    )
    if done.before:
        words += " " + ngettext(
            "%(num)s had been saved before and is kept once.",
            "%(num)s had been saved before and are kept once.",
            done.before,
        )
    flash(words, "done")
    return redirect(url_for("conversations.which_sheet"), 303)
