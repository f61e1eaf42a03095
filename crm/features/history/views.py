"""Pages of the history: of a person, of a place, and the trail of everything."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

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
from flask_babel import gettext

from crm.access.audit import UNDONE
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.exports import words_csv
from crm.analysis.safe_files import PRACTICE
from crm.domain.errors import Refusal
from crm.domain.vocabulary import Verb
from crm.features.history import queries, service, wording
from crm.features.history.forms import TrailForm, UndoForm
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.guard import my_today, my_zone, requires
from crm.web.pages import address_of

bp = Blueprint("history", __name__)

PAGE_SIZE = 30


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


@bp.get("/history/person/<uuid:contact_id>")
@requires(Permission.CONTACT_READ)
def person(scope: Scope, contact_id: UUID) -> str:
    """Show what was written about a person, by whom, and what it was before."""
    return _person_page(scope, contact_id, UndoForm())


@bp.post("/history/person/<uuid:contact_id>/undo")
@requires(Permission.CONTACT_WRITE)
def undo_person(scope: Scope, contact_id: UUID) -> Any:
    """Undo the last change to a person's records."""
    form = UndoForm()
    if form.validate():
        try:
            with unit_of_work(scope) as session:
                service.undo_for_person(
                    session, scope, contact_id, form.request.data or "", now=clock.now()
                )
        except Refusal as refusal:
            form.refuse(refusal)
        else:
            flash(gettext("Undone. The history keeps both."), "done")
            return redirect(url_for("history.person", contact_id=contact_id), 303)
    return _person_page(scope, contact_id, form), 422


@bp.get("/history/place/<uuid:place_id>")
@requires(Permission.PLACE_READ)
def place(scope: Scope, place_id: UUID) -> str:
    """Show what was written about a place itself."""
    return _place_page(scope, place_id, UndoForm())


@bp.post("/history/place/<uuid:place_id>/undo")
@requires(Permission.PLACE_WRITE)
def undo_place(scope: Scope, place_id: UUID) -> Any:
    """Undo the last change to a place's own records."""
    form = UndoForm()
    if form.validate():
        try:
            with unit_of_work(scope) as session:
                service.undo_for_place(
                    session, scope, place_id, form.request.data or "", now=clock.now()
                )
        except Refusal as refusal:
            form.refuse(refusal)
        else:
            flash(gettext("Undone. The history keeps both."), "done")
            return redirect(url_for("history.place", place_id=place_id), 303)
    return _place_page(scope, place_id, form), 422


@bp.get("/trail")
@requires(Permission.AUDIT_READ)
def trail(scope: Scope) -> str:
    """Show who did what, when, at the reader's places."""
    return _trail_page(scope, accounts=False)


@bp.get("/trail.csv", endpoint="trail_csv")
@requires(Permission.EXPORT_MAKE)
def trail_csv(scope: Scope) -> Any:
    """Download the trail as CSV, one line for each field that changed."""
    form = TrailForm(formdata=request.args)
    # A reading piece of work of its own, so that nobody's saving waits for a long file.
    with unit_of_work(scope, read_only=True) as session:
        users = queries.users_in_trail(session, scope, accounts=False)
        form.offer([name for _id, name in users])
        if not form.validate():
            return _trail_page(scope, accounts=False), 422
        try:
            found = queries.trail_for_file(session, scope, **_wanted(form, users))
        except Refusal as refusal:
            flash(str(refusal), "wrong")
            return redirect(url_for("history.trail", **_kept()), 303)
    lines = list(wording.file_lines(found))
    with unit_of_work(scope) as session:
        queries.note_file(session, scope, _kept(), rows=len(lines))
    practice = bool(current_app.config["PRACTICE"])
    response = make_response(words_csv(wording.file_headings(), lines, practice=practice))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    name = f"{f'{PRACTICE}-' if practice else ''}trail-{my_today().isoformat()}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@bp.get("/trail/accounts")
@requires(Permission.USER_WRITE)
def accounts(scope: Scope) -> str:
    """Show what was done to accounts, roles and links, and by the machine. No contacts."""
    return _trail_page(scope, accounts=True)


@bp.get("/history/account/<uuid:user_id>")
@requires(Permission.USER_WRITE)
def account(scope: Scope, user_id: UUID) -> str:
    """Show what was done to one account: roles, links, devices. No contacts."""
    with unit_of_work(scope, read_only=True) as session:
        subject = queries.get_account(session, scope, user_id)
        found = queries.history_of_account(
            session, scope, subject.id, limit=PAGE_SIZE, before=_before()
        )
    return _history_page(
        scope,
        subject,
        found,
        UndoForm(),
        undo_url=None,
        back_url=address_of("accounts.user", user_id=user_id),
        page_url=lambda before: url_for("history.account", user_id=user_id, before=before),
        of_account=True,
    )


def _person_page(scope: Scope, contact_id: UUID, form: UndoForm) -> str:
    # Reading somebody's history is a look at them, and is recorded.
    with unit_of_work(scope) as session:
        subject = queries.get_person(session, scope, contact_id)
        found = queries.history_of_person(
            session, scope, subject.id, limit=PAGE_SIZE, before=_before()
        )
        queries.note_look(session, scope, subject)
    return _history_page(
        scope,
        subject,
        found,
        form,
        undo_url=url_for("history.undo_person", contact_id=contact_id)
        if scope.may(Permission.CONTACT_WRITE)
        else None,
        back_url=address_of("contacts.show", contact_id=contact_id),
        page_url=lambda before: url_for("history.person", contact_id=contact_id, before=before),
    )


def _place_page(scope: Scope, place_id: UUID, form: UndoForm) -> str:
    with unit_of_work(scope, read_only=True) as session:
        subject = queries.get_place(session, scope, place_id)
        found = queries.history_of_place(
            session, scope, subject.id, limit=PAGE_SIZE, before=_before()
        )
    return _history_page(
        scope,
        subject,
        found,
        form,
        undo_url=url_for("history.undo_place", place_id=place_id)
        if scope.may(Permission.PLACE_WRITE)
        else None,
        back_url=address_of("workplaces.show", place_id=place_id),
        page_url=lambda before: url_for("history.place", place_id=place_id, before=before),
    )


def _history_page(
    scope: Scope,
    subject: queries.Subject,
    found: queries.History,
    form: UndoForm,
    *,
    undo_url: str | None,
    back_url: str | None,
    page_url: Any,
    of_account: bool = False,
) -> str:
    # What is on an older page has something newer before it, unless proved otherwise.
    way_back = service.undoable(scope, found.acts) if undo_url and _before() is None else set()
    return render_template(
        "history/show.html",
        subject=subject,
        acts=[_act(act, found.names, undo=act.request_id in way_back) for act in found.acts],
        form=form,
        undo_url=undo_url,
        back_url=back_url,
        of_account=of_account,
        older_url=page_url(found.acts[-1].oldest) if found.more and found.acts else None,
    )


def _trail_page(scope: Scope, *, accounts: bool) -> str:
    form = TrailForm(formdata=request.args)
    with unit_of_work(scope, read_only=True) as session:
        users = queries.users_in_trail(session, scope, accounts=accounts)
        form.offer([name for _id, name in users])
        wanted = _wanted(form, users) if form.validate() else {}
        found = queries.trail(
            session, scope, accounts=accounts, limit=PAGE_SIZE, before=_before(), **wanted
        )
    kept = _kept()
    here = "history.accounts" if accounts else "history.trail"
    older: dict[str, Any] = {}
    if found.more and found.acts:
        older = {**kept, "before": found.acts[-1].oldest}
    return render_template(
        "history/trail.html",
        acts=[_act(act, found.names) for act in found.acts],
        form=form,
        of_accounts=accounts,
        here=url_for(here),
        filtered=bool(kept),
        other_url=_other_trail(scope, accounts=accounts),
        older_url=url_for(here, **older) if older else None,
        file_url=url_for("history.trail_csv", **kept)
        if not accounts and scope.may(Permission.EXPORT_MAKE)
        else None,
    )


def _kept() -> dict[str, Any]:
    return {name: value for name, value in request.args.items() if value and name != "before"}


def _wanted(form: TrailForm, users: list[tuple[int, str]]) -> dict[str, Any]:
    """Return what a sound form asks for, by the names that the queries take."""
    who = {name: user_id for user_id, name in users}
    return {
        "verbs": [Verb(form.verb.data)] if form.verb.data else (),
        "since": _start(form.since.data),
        "until": _start(form.until.data, later=1),
        "actor_id": who.get(form.who.data or ""),
    }


def _other_trail(scope: Scope, *, accounts: bool) -> str | None:
    if accounts:
        return url_for("history.trail") if scope.may(Permission.AUDIT_READ) else None
    return url_for("history.accounts") if scope.may(Permission.USER_WRITE) else None


def _act(act: queries.Act, names: queries.Names, *, undo: bool = False) -> dict[str, Any]:
    return {
        "at": act.at,
        "by": act.by,
        "undone": act.reason == UNDONE,
        "parted": act.parted,
        "reason": wording.reason_text(act.reason) if act.reason != UNDONE else None,
        "undo": act.request_id if undo else None,
        "way_back": wording.way_back(act, names) if undo else [],
        "person": act.person,
        "person_url": address_of("contacts.show", contact_id=act.person_id)
        if act.person_id
        else None,
        "place": act.place,
        "lines": [
            {
                "verb": wording.verb_text(line),
                "subject": wording.subject_text(line),
                "changes": wording.change_rows(line, names),
            }
            for line in act.lines
        ],
    }


def _before() -> int | None:
    return request.args.get("before", type=int)


def _start(day: date | None, *, later: int = 0) -> datetime | None:
    if day is None:
        return None
    start = datetime.combine(day + timedelta(days=later), time(), tzinfo=ZoneInfo(my_zone()))
    return start.astimezone(UTC)
