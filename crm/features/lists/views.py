"""Pages about lists of people: what to look for, and the lists that were saved."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.contact_filter import ContactFilter
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.features.lists import forms, queries, service
from crm.reads.contact_filters import Named, named_in
from crm.reads.people import list_people
from crm.reads.saved_lists import Saved, asked_for, get_saved, list_saved
from crm.web import clock
from crm.web.contact_filter import filter_lines
from crm.web.db import unit_of_work
from crm.web.expiry import expiry_rule
from crm.web.forms import chosen_id
from crm.web.guard import my_today, requires
from crm.web.pages import address_of

bp = Blueprint("lists", __name__)


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


# --- What to look for -------------------------------------------------------------------------


@bp.get("/lists/filter")
@requires(Permission.CONTACT_READ)
def narrow(scope: Scope) -> Any:
    """Show everything that people can be looked for by; sent, go to the people."""
    sent = "sent" in request.args
    with unit_of_work(scope, read_only=True) as session:
        asked = asked_for(session, scope, _words())
        offered = queries.what_to_filter_by(session, scope, asked.chosen)
    form = forms.FilterForm(formdata=request.args if sent else None)
    form.offer(offered)
    if sent and form.validate():
        return redirect(_people_url(form.chosen()), 303)
    if not sent and asked.chosen is not None:
        form.show(asked.chosen)
    page = render_template("lists/filter.html", form=form, people_url=address_of("contacts.index"))
    return page, 422 if form.errors else 200


# --- Saved lists ------------------------------------------------------------------------------


@bp.get("/lists")
@requires(Permission.CONTACT_READ)
def index(scope: Scope) -> str:
    """Show the reader's lists and those shared with them."""
    with unit_of_work(scope, read_only=True) as session:
        found = list_saved(session, scope)
    return render_template(
        "lists/index.html",
        mine=[_line(one) for one in found if one.mine],
        shared=[_line(one) for one in found if not one.mine],
        people_url=address_of("contacts.index"),
    )


@bp.route("/lists/new", methods=["GET", "POST"])
@requires(Permission.CONTACT_READ)
def add(scope: Scope) -> Any:
    """Save what was looked for as a list."""
    with unit_of_work(scope, read_only=True) as session:
        asked = asked_for(session, scope, _words())
        if asked.chosen is None:
            raise NotFound("a filter")
        named = named_in(session, scope, asked.chosen)
        places = queries.places_to_share_with(session, scope)
    chosen = asked.chosen
    form = forms.ListForm()
    form.offer(places)
    if request.method == "POST" and form.validate():
        try:
            with unit_of_work(scope) as session:
                stored = service.add_list(
                    session,
                    scope,
                    form.text("name") or "",
                    chosen,
                    share_with=chosen_id(form.share.data),
                    now=clock.now(),
                )
        except Refusal as refusal:
            form.refuse(refusal, "name")
        else:
            flash(_("Saved."), "done")
            return redirect(url_for("lists.show", list_id=stored), 303)
    page = render_template(
        "lists/new.html",
        form=form,
        lines=_lines(chosen, named),
        people_url=_people_url(chosen),
    )
    return page, 422 if form.errors else 200


@bp.route("/lists/<uuid:list_id>", methods=["GET", "POST"])
@requires(Permission.CONTACT_READ)
def show(scope: Scope, list_id: UUID) -> Any:
    """Show one list: what it asks, how many people that is here; its owner may change it."""
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        saved = get_saved(session, scope, list_id)
        named = named_in(session, scope, saved.chosen) if saved.chosen else None
        places = queries.places_to_share_with(session, scope) if saved.mine else []
        found = None
        if saved.chosen is not None:
            found = list_people(
                session, scope, as_at=today, chosen=saved.chosen, limit=1, expiry=expiry_rule()
            )
    form = forms.ListForm(data={"name": saved.name, "version": str(saved.version)})
    form.offer(places)
    status = 200
    if request.method == "POST":
        if not saved.mine:
            raise NotFound(f"saved list {list_id}")
        answer = _change(scope, saved, form)
        if answer is not None:
            return answer
        status = 409 if form.version.data == "current" else 422
        form.version.data = str(saved.version)
    else:
        form.share.data = str(saved.shared_with_id or "")
    page = render_template(
        "lists/show.html",
        saved=saved,
        form=form,
        lines=_lines(saved.chosen, named) if saved.chosen and named else [],
        hidden=named is None or named.hidden,
        found=found,
        today=today,
        conflict=status == 409,
        people_url=address_of("contacts.index", list=list_id),
    )
    return page, status


def _change(scope: Scope, saved: Saved, form: forms.ListForm) -> Any:
    """Store what was typed; None when it was refused, with the version "current" for a conflict."""
    if not form.validate():
        return None
    try:
        version = int(form.version.data or 0)
    except ValueError as error:
        raise NotFound("version") from error
    try:
        with unit_of_work(scope) as session:
            service.change_list(
                session,
                scope,
                saved.public_id,
                form.text("name") or "",
                share_with=chosen_id(form.share.data),
                version=version,
            )
    except EditConflict:
        form.version.data = "current"
        return None
    except Refusal as refusal:
        form.refuse(refusal, "name")
        return None
    flash(_("Saved."), "done")
    return redirect(url_for("lists.show", list_id=saved.public_id), 303)


@bp.route("/lists/<uuid:list_id>/delete", methods=["GET", "POST"])
@requires(Permission.CONTACT_READ)
def delete(scope: Scope, list_id: UUID) -> Any:
    """Ask whether to throw a list away, and do it."""
    with unit_of_work(scope, read_only=True) as session:
        saved = get_saved(session, scope, list_id)
    if not saved.mine:
        raise NotFound(f"saved list {list_id}")
    form = forms.ConfirmForm()
    if request.method == "POST" and form.validate():
        with unit_of_work(scope) as session:
            service.delete_list(session, scope, list_id)
        flash(_("Deleted. Nothing happened to the people on it."), "done")
        return redirect(url_for("lists.index"), 303)
    page = render_template("lists/delete.html", saved=saved, form=form)
    return page, 422 if form.errors else 200


def _words() -> dict[str, list[str]]:
    return request.args.to_dict(flat=False)


def _people_url(chosen: ContactFilter) -> str:
    return address_of("contacts.index", **chosen.words()) or url_for("lists.index")


def _lines(chosen: ContactFilter, named: Named) -> list[tuple[str, str]]:
    return filter_lines(chosen, named.names, kind=named.kind, choice=named.choice)


def _line(saved: Saved) -> dict[str, Any]:
    if saved.mine:
        more = _sharing(saved) or _("Only you see it")
    else:
        more = _("From %(name)s", name=saved.owner)
    return {
        "name": saved.name,
        "url": url_for("lists.show", list_id=saved.public_id),
        "more": more,
    }


def _sharing(saved: Saved) -> str | None:
    if not saved.shared:
        return None
    if saved.shared_with is None:
        return str(_("Shared"))
    return str(_("Shared with everybody who looks after %(place)s", place=saved.shared_with))
