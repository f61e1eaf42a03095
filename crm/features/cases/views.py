"""Cases: the list of one's own, one case, and a page for each thing that is written in it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from wtforms.fields import SelectChoice

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.vocabulary import CaseOutcome, CaseRole, CaseStep, PlaceKind
from crm.features.cases import queries, service
from crm.features.cases.forms import (
    CaseForm,
    CloseForm,
    DeadlineForm,
    EntryForm,
    FindForm,
    PersonForm,
    TeamForm,
)
from crm.reads.people import get_contact, shown_name
from crm.web import clock
from crm.web.attempts import Work, attempt
from crm.web.db import unit_of_work
from crm.web.filters import day as day_words
from crm.web.filters import due_text
from crm.web.forms import Form, chosen_id
from crm.web.guard import my_today, requires
from crm.web.labels import NOT_KNOWN, label
from crm.web.pages import address_of

bp = Blueprint("cases", __name__)

# Which field a refusal stands beside, where the form has it.
_FIELD_OF: dict[type[Refusal], tuple[str, ...]] = {
    service.NotYet: ("opened_on", "closed_on", "day"),
    service.BeforeItOpened: ("closed_on", "due_on"),
    service.OpenedAfterItClosed: ("opened_on",),
    service.DueTooFarAhead: ("due_on",),
    service.NothingWritten: ("words",),
    service.MayNotJoin: ("user",),
}


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


@dataclass(frozen=True, slots=True)
class DueRow:
    """A deadline on the page. words: how far off it is; None when it is met."""

    public_id: UUID
    what: str
    day: date
    words: str | None
    overdue: bool
    done_by: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """An entry as the timeline draws it."""

    day: str
    title: str
    by: str | None
    quote: str | None


@bp.get("/cases")
@requires(Permission.CONVERSATION_WRITE)
def index(scope: Scope) -> str:
    """Show the cases whose team the reader is on."""
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        rows = queries.list_cases(session, scope)
    return render_template(
        "cases/index.html",
        open_rows=[_list_row(row, today) for row in rows if row.closed_on is None],
        closed_rows=[_list_row(row, today) for row in rows if row.closed_on is not None],
    )


def _list_row(row: queries.CaseRow, today: date) -> dict[str, Any]:
    more = [label(row.matter), label(row.kind), row.place_name]
    if row.closed_on is not None:
        ended = gettext(
            "closed %(day)s: %(outcome)s", day=day_words(row.closed_on), outcome=label(row.outcome)
        )
        more.append(ended)
    due = row.next_due if row.closed_on is None else None
    return {
        "url": url_for("cases.show", case_id=row.public_id),
        "name": row.reference,
        "more": " · ".join(part for part in more if part),
        "due": None if due is None else due_text(due, today),
        "overdue": due is not None and due < today,
    }


# A new case


@bp.get("/cases/new")
@requires(Permission.CONVERSATION_WRITE)
def new(scope: Scope) -> Any:
    """Show the form for a new case; first the question where, unless the address says it."""
    chosen = chosen_id(request.args.get("place"))
    if chosen is None:
        with unit_of_work(scope, read_only=True) as session:
            found = queries.places_to_open(session, scope)
            name = _first_name(session, scope)
        if len(found.places) != 1:
            return render_template(
                "cases/where.html",
                found=found,
                name=name,
                links=[
                    (url_for("cases.new", place=one.value, person=_person_asked()), one.label)
                    for one in found.places
                ],
            )
        chosen = uuid.UUID(found.places[0].value)
    form = CaseForm(formdata=None)
    form.id.data = str(uuid.uuid4())
    form.opened_on.data = my_today()
    return _new_page(scope, form, chosen)


@bp.post("/cases/new")
@requires(Permission.CONVERSATION_WRITE)
def create(scope: Scope) -> Any:
    """Open a case; whoever opens it is its team."""
    chosen = chosen_id(request.args.get("place"))
    if chosen is None:
        raise NotFound("no place chosen")
    form = CaseForm()
    person = _person_asked()
    if form.validate():
        problem = _attempt(
            scope,
            form,
            lambda session: service.open_case(
                session,
                scope,
                form.facts(),
                place=chosen_id(form.place.data) or chosen,
                case_id=form.record_id(),
                person=None
                if person is None
                else service.FirstPerson(person, CaseRole(form.role.data)),
                now=clock.now(),
                today=my_today(),
            ),
        )
        if problem is None:
            flash(
                gettext("Saved. Only you can see this case until you put others on the team."),
                "done",
            )
            return _to_case(form.record_id())
    return _new_page(scope, form, chosen, 422)


def _person_asked() -> UUID | None:
    return chosen_id(request.args.get("person"))


def _first_name(session: Any, scope: Scope) -> str | None:
    person = _person_asked()
    return None if person is None else shown_name(get_contact(session, scope, person))


def _new_page(scope: Scope, form: CaseForm, place: UUID, status: int = 200) -> tuple[str, int]:
    with unit_of_work(scope, read_only=True) as session:
        site = queries.get_site(session, scope, place)
        name = _first_name(session, scope)
    form.place.choices = [SelectChoice(one.value, one.label) for one in site.parts]
    page = render_template(
        "cases/new.html",
        form=form,
        site=site,
        name=name,
        action=url_for("cases.create", place=place, person=_person_asked()),
    )
    return page, status


# One case


@bp.get("/cases/<uuid:case_id>")
@requires(Permission.CONVERSATION_WRITE)
def show(scope: Scope, case_id: UUID) -> str:
    """Show a case to its team. Opening it is recorded, for the team to read."""
    today = my_today()
    case = _read(scope, case_id)
    endpoint, key = (
        ("workplaces.area", "area_id")
        if case.place_kind is PlaceKind.AREA
        else ("workplaces.show", "place_id")
    )
    return render_template(
        "cases/show.html",
        case=case,
        place_url=address_of(endpoint, **{key: case.place_public_id}),
        dues=[
            DueRow(
                public_id=one.public_id,
                what=one.what,
                day=one.due_on,
                words=due_text(one.due_on, today) if one.done_at is None else None,
                overdue=one.done_at is None and one.due_on < today,
                done_by=one.done_by,
            )
            for one in case.deadlines
        ],
        items=[
            Item(day=day_words(one.day), title=label(one.step), by=one.by, quote=one.words)
            for one in case.entries
        ],
        person_url=lambda contact_id: address_of("contacts.show", contact_id=contact_id),
    )


@bp.route("/cases/<uuid:case_id>/change", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def change(scope: Scope, case_id: UUID) -> Any:
    """Change what a case is."""
    form = CaseForm()
    form.place.choices = []
    conflict: Refusal | None = None
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate():
            conflict = _attempt(
                scope,
                form,
                lambda session: service.change_case(
                    session,
                    scope,
                    case_id,
                    form.facts(),
                    version=form.version.data or 0,
                    today=my_today(),
                ),
            )
            if conflict is None:
                return _saved(case_id)
    case = _read(scope, case_id)
    if request.method == "GET":
        form = CaseForm(
            formdata=None,
            data={
                "reference": case.reference,
                "kind": case.kind.value,
                "matter": case.matter.value,
                "opened_on": case.opened_on,
                "affected": case.affected,
                "version": case.version,
            },
        )
    both: list[tuple[str, str, str]] = []
    if isinstance(conflict, EditConflict):
        status = 409
        # Saving again, with this version, is a choice made with both in sight.
        form.version.data, form.version.raw_data = conflict.current["version"], None
        both = [
            (str(form[name].label.text), _said(conflict.current[name]), _said(conflict.yours[name]))
            for name in conflict.yours
            if conflict.current[name] != conflict.yours[name]
        ]
    page = render_template("cases/change.html", form=form, case=case, both=both)
    return page, status


def _said(value: Any) -> str:
    if value is None:
        return str(NOT_KNOWN)
    if isinstance(value, date):
        return day_words(value)
    return (
        str(value) if isinstance(value, str | int) and not hasattr(value, "value") else label(value)
    )


@bp.route("/cases/<uuid:case_id>/close", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def close(scope: Scope, case_id: UUID) -> Any:
    """Close a case with how it ended."""
    form = CloseForm(data={"closed_on": my_today()})
    if request.method == "POST" and form.validate():
        problem = _attempt(
            scope,
            form,
            lambda session: service.close_case(
                session,
                scope,
                case_id,
                closed_on=form.closed_on.data,
                outcome=CaseOutcome(form.outcome.data),
                words=form.text("words"),
                today=my_today(),
            ),
        )
        if problem is None:
            return _saved(case_id)
    return _page("cases/close.html", scope, case_id, form)


@bp.post("/cases/<uuid:case_id>/reopen")
@requires(Permission.CONVERSATION_WRITE)
def reopen(scope: Scope, case_id: UUID) -> Any:
    """Open a closed case again."""
    with unit_of_work(scope) as session:
        service.reopen_case(session, scope, case_id)
    return _saved(case_id)


@bp.route("/cases/<uuid:case_id>/entries/new", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def add_entry(scope: Scope, case_id: UUID) -> Any:
    """Write down what happened."""
    form = EntryForm(data={"id": str(uuid.uuid4()), "day": my_today()})
    if request.method == "POST" and form.validate():
        problem = _attempt(
            scope,
            form,
            lambda session: service.add_entry(
                session,
                scope,
                case_id,
                entry_id=form.record_id(),
                day=form.day.data,
                step=CaseStep(form.step.data),
                words=form.text("words"),
                now=clock.now(),
                today=my_today(),
            ),
        )
        if problem is None:
            return _saved(case_id)
    return _page("cases/entry.html", scope, case_id, form)


@bp.route("/cases/<uuid:case_id>/deadlines/new", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def add_deadline(scope: Scope, case_id: UUID) -> Any:
    """Write down something to be done by a day."""
    form = DeadlineForm(data={"id": str(uuid.uuid4())})
    if request.method == "POST" and form.validate():
        problem = _attempt(
            scope,
            form,
            lambda session: service.add_deadline(
                session,
                scope,
                case_id,
                deadline_id=form.record_id(),
                due_on=form.due_on.data,
                what=form.text("what") or "",
                now=clock.now(),
                today=my_today(),
            ),
        )
        if problem is None:
            return _saved(case_id)
    return _page("cases/deadline.html", scope, case_id, form)


@bp.post("/cases/<uuid:case_id>/deadlines/<uuid:deadline_id>/<any(done, open):state>")
@requires(Permission.CONVERSATION_WRITE)
def mark_deadline(scope: Scope, case_id: UUID, deadline_id: UUID, state: str) -> Any:
    """Tick a deadline off, or put it back."""
    done = state == "done"
    with unit_of_work(scope) as session:
        what = service.mark_deadline(
            session, scope, case_id, deadline_id, done=done, now=clock.now()
        )
    words = (
        gettext("Done: %(what)s.", what=what)
        if done
        else gettext("To do again: %(what)s.", what=what)
    )
    return _saved(case_id, words)


@bp.route("/cases/<uuid:case_id>/people", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def people(scope: Scope, case_id: UUID) -> Any:
    """Look for somebody, who then gets a part in the case. A name is sent, so it is no GET."""
    form = FindForm()
    asked = ""
    if request.method == "POST" and form.validate():
        asked = form.text("q") or ""
    with unit_of_work(scope, read_only=True) as session:
        reference, found = queries.find_to_add(session, scope, case_id, asked, today=my_today())
    add = PersonForm(formdata=None)
    page = render_template(
        "cases/people.html",
        form=form,
        add=add,
        case_id=case_id,
        reference=reference,
        asked=asked,
        found=found[: queries.FOUND],
        more=len(found) > queries.FOUND,
    )
    return page, 422 if form.errors else 200


@bp.post("/cases/<uuid:case_id>/people/add")
@requires(Permission.CONVERSATION_WRITE)
def add_person(scope: Scope, case_id: UUID) -> Any:
    """Give somebody a part in the case."""
    form = PersonForm()
    chosen = chosen_id(form.person.data)
    if not form.validate() or chosen is None:
        with unit_of_work(scope, read_only=True) as session:
            queries.find_case(session, scope, case_id)
        flash(gettext("Choose a person and their part in the case."), "error")
        return redirect(url_for("cases.people", case_id=case_id), 303)
    names: list[str] = []
    problem = _attempt(
        scope,
        form,
        lambda session: names.append(
            service.add_person(
                session,
                scope,
                case_id,
                service.FirstPerson(chosen, CaseRole(form.role.data)),
                now=clock.now(),
            )
        ),
    )
    if problem is not None:
        flash(form.form_errors[0], "error")
        return redirect(url_for("cases.people", case_id=case_id), 303)
    return _saved(case_id, gettext("%(name)s is in the case now.", name=names[0]))


@bp.post("/cases/<uuid:case_id>/people/<uuid:in_case_id>/remove")
@requires(Permission.CONVERSATION_WRITE)
def remove_person(scope: Scope, case_id: UUID, in_case_id: UUID) -> Any:
    """End somebody's part in the case."""
    with unit_of_work(scope) as session:
        service.remove_person(session, scope, case_id, in_case_id, now=clock.now())
    return _saved(case_id)


@bp.route("/cases/<uuid:case_id>/team", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def team(scope: Scope, case_id: UUID) -> Any:
    """Put somebody on the team."""
    form = TeamForm()
    if request.method == "POST":
        names: list[str] = []
        problem = _attempt(
            scope,
            form,
            lambda session: names.append(
                service.add_to_team(
                    session,
                    scope,
                    case_id,
                    user=chosen_id(form.user.data) or uuid.UUID(int=0),
                    now=clock.now(),
                )
            ),
        )
        if problem is None:
            return _saved(case_id, gettext("%(name)s is on the team now.", name=names[0]))
    with unit_of_work(scope, read_only=True) as session:
        offered = queries.list_to_join(session, scope, case_id, day=clock.now().date())
    form.offer(offered)
    return _page("cases/team.html", scope, case_id, form, offered=offered)


@bp.post("/cases/<uuid:case_id>/team/<uuid:user_id>/remove")
@requires(Permission.CONVERSATION_WRITE)
def leave(scope: Scope, case_id: UUID, user_id: UUID) -> Any:
    """Take somebody off the team, or leave it oneself."""
    form = TeamForm()
    names: list[str] = []
    problem = _attempt(
        scope,
        form,
        lambda session: names.append(
            service.take_off_team(session, scope, case_id, user=user_id, now=clock.now())
        ),
    )
    if problem is not None:
        flash(form.form_errors[0], "error")
        return _to_case(case_id)
    flash(gettext("%(name)s is no longer on the team.", name=names[0]), "done")
    with unit_of_work(scope, read_only=True) as session:
        still_mine = queries.may_open(session, scope, case_id)
    return _to_case(case_id) if still_mine else redirect(url_for("cases.index"), 303)


def _read(scope: Scope, case_id: UUID) -> queries.WholeCase:
    with unit_of_work(scope) as session:
        return queries.get_case(session, scope, case_id, today=my_today(), day=clock.now().date())


def _page(template: str, scope: Scope, case_id: UUID, form: Form, **more: Any) -> tuple[str, int]:
    """Return the page of a form about a case; it shows its name, so it is recorded as a look."""
    page = render_template(template, form=form, case=_read(scope, case_id), **more)
    return page, 422 if form.errors else 200


def _attempt(scope: Scope, form: Form, work: Work) -> Refusal | None:
    """Do the work in one unit of work; put what refuses it into the form and return it."""
    return attempt(scope, form, work, _FIELD_OF)


def _to_case(case_id: UUID) -> Any:
    return redirect(url_for("cases.show", case_id=case_id), 303)


def _saved(case_id: UUID, words: str | None = None) -> Any:
    flash(words or gettext("Saved."), "done")
    return _to_case(case_id)
