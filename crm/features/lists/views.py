"""Pages about lists of people: what to look for, and the lists that were saved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

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
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.turf import HoldsNoneOfThem, HoldsNotAllOfThem
from crm.analysis.people_files import people_csv, people_vcards, people_xlsx
from crm.analysis.safe_files import PRACTICE, About
from crm.domain.contact_filter import EVERYBODY, ContactFilter
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.people_columns import FileKind
from crm.domain.vocabulary import BulkKind
from crm.features.lists import acting, forms, queries, service
from crm.features.lists.forms import Act
from crm.features.lists.taking_out import count_to_take, take_out
from crm.reads.contact_filters import Named, named_in
from crm.reads.people import list_people
from crm.reads.places import Choice
from crm.reads.saved_lists import AskedFor, Saved, asked_for, get_saved, list_saved
from crm.web import clock
from crm.web.contact_filter import filter_lines
from crm.web.db import unit_of_work
from crm.web.expiry import expiry_rule
from crm.web.filters import day as day_text
from crm.web.filters import moment as moment_text
from crm.web.filters import people as people_text
from crm.web.forms import chosen_id
from crm.web.guard import my_today, requires, signed_in
from crm.web.pages import address_of

bp = Blueprint("lists", __name__)

# The field beside which each refusal stands; the others stand above the form.
_BESIDE: dict[type[Refusal], str] = {
    acting.NobodyTicked: "people",
    acting.DueInThePast: "due_on",
    acting.DueTooFarAhead: "due_on",
    HoldsNoneOfThem: "to",
    HoldsNotAllOfThem: "to",
}

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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
        out_url=(
            url_for("lists.out", list=list_id)
            if scope.may(Permission.EXPORT_MAKE) and saved.chosen is not None
            else None
        ),
        density_url=(
            url_for("density.index", saved=list_id)
            if scope.may(Permission.DENSITY_READ) and saved.chosen is not None
            else None
        ),
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


# --- Out as a file ----------------------------------------------------------------------------


@bp.route("/lists/out", methods=["GET", "POST"])
@requires(Permission.EXPORT_MAKE)
def out(scope: Scope) -> Any:
    """Ask what goes into a file of the people and why; then send it, and record that."""
    today, expiry = my_today(), expiry_rule()
    form = forms.FileForm()
    count: int | None = None
    with unit_of_work(scope, read_only=True) as session:
        asked, named = _asked(session, scope)
        chosen = asked.chosen
        if chosen is None or named.hidden:
            raise NotFound("a list of people")
        recipe = queries.find_recipe(session, scope)
        total = list_people(session, scope, as_at=today, chosen=chosen, limit=1, expiry=expiry)
        try:
            count = count_to_take(session, scope, chosen, as_at=today, expiry=expiry)
        except Refusal as refusal:
            form.refuse(refusal)
    if request.method == "POST" and count is not None and form.validate():
        return _file(scope, chosen, named, form)
    if request.method == "GET" and recipe is not None:
        form.kind.data = recipe.kind.value
        form.columns.data = [one.value for one in recipe.groups]
    page = render_template(
        "lists/out.html",
        form=form,
        saved=asked.saved,
        lines=_lines(chosen, named),
        count=count,
        left=None if count is None else total.total - count,
        today=today,
        people_url=_back_url(asked),
    )
    return page, 422 if form.errors or form.form_errors else 200


def _file(scope: Scope, chosen: ContactFilter, named: Named, form: forms.FileForm) -> Response:
    kind, groups, today = FileKind(form.kind.data), form.groups(), my_today()
    with unit_of_work(scope, read_only=True) as session:
        taken = take_out(session, scope, chosen, groups, as_at=today, expiry=expiry_rule())
    practice = bool(current_app.config["PRACTICE"])
    people = len(taken.cards) if kind is FileKind.VCARD else taken.people
    if kind is FileKind.CSV:
        content, sort = people_csv(taken.table, practice=practice), "text/csv; charset=utf-8"
    elif kind is FileKind.VCARD:
        content, sort = people_vcards(taken.cards), "text/vcard; charset=utf-8"
    else:
        about = _about(chosen, named, form, people)
        content, sort = people_xlsx(taken.table, about, _("People"), practice=practice), XLSX
    # Before the file is sent, so that none leaves unrecorded.
    with unit_of_work(scope) as session:
        service.note_file(
            session, scope, chosen, kind, groups, reason=form.text("reason") or "", people=people
        )
    mark = f"{PRACTICE}-" if practice else ""
    response = make_response(content)
    response.headers["Content-Type"] = sort
    name = f"{mark}people-{today.isoformat()}.{kind.value}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _about(chosen: ContactFilter, named: Named, form: forms.FileForm, people: int) -> About:
    user = signed_in()
    return About(
        name=_("About this file"),
        title=_("People, %(day)s", day=day_text(my_today())),
        lines=(
            *_lines(chosen, named),
            (_("People"), people_text(people)),
            (_("As at"), day_text(my_today())),
            (_("What it is for"), form.text("reason") or ""),
            (_("Made by"), user.name if user else ""),
            (_("Made at"), moment_text(clock.now())),
            (_("Organisation"), str(current_app.config["ORGANISATION"])),
        ),
        words=(
            _("Contains union data: do not leave on a table."),
            _("An empty cell means: not known. It never means no."),
            _("Standing goes from 1, the strongest, to 5."),
        ),
    )


# --- One thing with many people ---------------------------------------------------------------


@bp.route("/lists/act", methods=["GET", "POST"])
@requires(Permission.CONTACT_WRITE)
def act(scope: Scope) -> Any:
    """Ask what to do with the people of a list; then do it."""
    today, expiry, now = my_today(), expiry_rule(), clock.now()
    form = forms.ActForm()
    shown = acting.Shown((), "")
    with unit_of_work(scope, read_only=True) as session:
        asked, named = _asked(session, scope)
        chosen = asked.chosen
        if chosen is None or named.hidden:
            raise NotFound("a list of people")
        try:
            shown = acting.show_people(session, scope, chosen, as_at=today, expiry=expiry)
        except Refusal as refusal:
            form.refuse(refusal)
        speakers = acting.who_may_speak(session, scope, shown, day=now.date())
        tags = queries.tags_of_people(session, scope, in_use=True)
    acts = _acts(scope, bool(tags))
    form.offer(
        acts,
        [Choice(str(one.public_id), one.name) for one in speakers],
        tags,
        [(str(one.public_id), one.name) for one in shown.people],
    )
    if request.method == "POST" and shown.people and form.validate():
        done = _do(scope, form, chosen)
        if done is not None:
            return done
    if request.method == "GET":
        form.act.data, form.who.data = acts[0][0], "ticked"
        form.due_on.data = today + timedelta(days=7)
    form.mark.data = shown.mark
    page = render_template(
        "lists/act.html",
        form=form,
        saved=asked.saved,
        lines=_lines(chosen, named),
        count=len(shown.people),
        today=today,
        people_url=_back_url(asked),
        sheet_url=address_of("sheets.new") if scope.may(Permission.CONVERSATION_WRITE) else None,
    )
    return page, 422 if form.errors or form.form_errors else 200


def _acts(scope: Scope, tags: bool) -> list[tuple[str, Any]]:
    acts: list[tuple[str, Any]] = [(Act.REMINDER.value, _("Give somebody reminders"))]
    if tags:
        acts += [(Act.TAG.value, _("Put a tag on")), (Act.UNTAG.value, _("Take a tag off"))]
    if scope.may(Permission.TURF_WRITE):
        acts.append((Act.GIVE.value, _("Give them to a rep to look after")))
    return acts


def _do(scope: Scope, form: forms.ActForm, chosen: ContactFilter) -> Response | None:
    """Do what was asked; None when it was refused."""
    today, now = my_today(), clock.now()
    what = Act(form.act.data)
    to, tag = chosen_id(form.to.data), chosen_id(form.tag.data)
    try:
        with unit_of_work(scope) as session:
            shown = acting.show_people(session, scope, chosen, as_at=today, expiry=expiry_rule())
            people = acting.pick(shown, form.ticked(), form.mark.data or "")
            if what is Act.REMINDER and to:
                done = acting.remind(
                    session,
                    scope,
                    people,
                    to=to,
                    due_on=form.due_on.data,
                    what=form.text("what"),
                    today=today,
                    now=now,
                )
            elif what is Act.GIVE and to:
                done = acting.give(session, scope, people, to=to, today=today, now=now)
            elif what is Act.TAG and tag:
                done = acting.put_tag_on(session, scope, people, tag, now=now)
            elif what is Act.UNTAG and tag:
                done = acting.take_tag_off(session, scope, people, tag, now=now)
            else:
                raise NotFound("whom or which tag")
    except Refusal as refusal:
        form.refuse(refusal, _BESIDE.get(type(refusal)))
        return None
    _say_done(done)
    if what is Act.GIVE:
        return redirect(address_of("turf.move", move_id=done.act) or url_for("lists.index"), 303)
    return redirect(url_for("lists.made", act_id=done.act), 303)


def _say_done(done: acting.Done) -> None:
    flash(
        ngettext("Done for %(num)s person.", "Done for %(num)s people.", done.changed),
        "done",
    )
    if done.left:
        flash(
            ngettext(
                "%(num)s person was passed over: it is so already, or it is not for them.",
                "%(num)s people were passed over: it is so already, or it is not for them.",
                done.left,
            ),
            "warning",
        )


@bp.get("/lists/acts/<uuid:act_id>")
@requires(Permission.CONTACT_WRITE)
def made(scope: Scope, act_id: UUID) -> Any:
    """Show what was done with many people, to whoever did it, with the way to undo it."""
    with unit_of_work(scope, read_only=True) as session:
        found = acting.get_act(session, scope, act_id)
    return _made_page(found, forms.ConfirmForm())


@bp.post("/lists/acts/<uuid:act_id>/undo")
@requires(Permission.CONTACT_WRITE)
def undo(scope: Scope, act_id: UUID) -> Any:
    """Put back what nobody has changed since."""
    form = forms.ConfirmForm()
    with unit_of_work(scope, read_only=True) as session:
        found = acting.get_act(session, scope, act_id)
    if form.validate():
        try:
            with unit_of_work(scope) as session:
                undone = acting.undo_act(session, scope, act_id, now=clock.now())
        except Refusal as refusal:
            form.refuse(refusal)
        else:
            flash(
                ngettext(
                    "Undone for %(num)s person.", "Undone for %(num)s people.", undone.put_back
                ),
                "done",
            )
            return redirect(url_for("lists.made", act_id=act_id), 303)
    return _made_page(found, form), 422


def _made_page(found: acting.Made, form: forms.ConfirmForm) -> str:
    return render_template(
        "lists/made.html",
        found=found,
        form=form,
        title=_made_title(found),
        person_url=lambda row: address_of("contacts.show", contact_id=row.public_id),
    )


def _made_title(found: acting.Made) -> str:
    if found.kind is BulkKind.REMINDER:
        return str(_("Reminders for many people"))
    name = found.tag or _("something you may not see")
    if found.kind is BulkKind.TAG:
        return str(_("Tag put on: %(name)s", name=name))
    return str(_("Tag taken off: %(name)s", name=name))


def _asked(session: Any, scope: Scope) -> tuple[AskedFor, Named]:
    asked = asked_for(session, scope, _words())
    named = named_in(session, scope, asked.chosen) if asked.chosen else Named({}, hidden=True)
    return asked, named


def _back_url(asked: AskedFor) -> str:
    if asked.saved is not None:
        address = address_of("contacts.index", list=asked.saved.public_id)
        return address or url_for("lists.index")
    return _people_url(asked.chosen or EVERYBODY)


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
