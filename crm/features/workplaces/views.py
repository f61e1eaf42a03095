"""Pages about places: the list, each kind of place, and the forms that change them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import DatesOutOfOrder, EditConflict, LoopInTree, NotFound, Refusal
from crm.domain.headcount import MOST_PEOPLE
from crm.domain.place_likeness import KnownPlace
from crm.features.workplaces import forms, queries, service
from crm.reads.fields import extras_of_workplace
from crm.reads.figures import Part, Question, workplace_figure
from crm.reads.place_likeness import like_workplaces
from crm.reads.places import Choice, holds_place
from crm.web import clock, filters
from crm.web.db import unit_of_work
from crm.web.expiry import expiry_rule
from crm.web.filters import day, people
from crm.web.forms import chosen_id, options
from crm.web.guard import my_today, my_zone, requires
from crm.web.likeness import why_places
from crm.web.pages import address_of

bp = Blueprint("workplaces", __name__, url_prefix="/places")


def install(app: Flask) -> None:
    """Add the pages about places to the app."""
    app.register_blueprint(bp)
    filters.add(app, "country", forms.country_name)


def _page_asked() -> int:
    """Return the page number in the address; 1 for anything that is not one."""
    text = request.args.get("page", "")
    return int(text) if text.isdecimal() and 0 < len(text) < 7 and int(text) > 0 else 1


def _pages(page: int, pages: int, endpoint: str, **values: Any) -> dict[str, str | None]:
    """Return the addresses of the page before and the page after, None at either end."""

    def _at(number: int) -> str:
        return url_for(endpoint, **values, page=number)

    return {
        "previous_url": _at(min(page - 1, pages)) if page > 1 else None,
        "next_url": _at(page + 1) if page < pages else None,
    }


@bp.get("")
@requires(Permission.PLACE_READ)
def index(scope: Scope) -> ResponseReturnValue:
    """Show the workplaces in scope, by employer."""
    text = request.args.get("q", "").strip()[:100]
    employer_asked = chosen_id(request.args.get("employer"))
    with unit_of_work(scope, read_only=True) as session:
        employer = queries.find_employer(session, scope, employer_asked) if employer_asked else None
        if employer_asked and employer is None:
            raise NotFound(f"employer {employer_asked}")
        found = queries.list_workplaces(
            session,
            scope,
            today=my_today(),
            text=text,
            employer_id=employer[0] if employer else None,
            page=_page_asked(),
        )
        choices = queries.list_employer_choices(session, scope)
    asked = {"q": text or None, "employer": str(employer_asked) if employer_asked else None}
    return render_template(
        "workplaces/index.html",
        found=found,
        text=text,
        employer=str(employer_asked or ""),
        employer_name=employer[1] if employer else None,
        choices=choices,
        pages=_pages(found.page, found.pages, "workplaces.index", **asked),
        today=my_today(),
        may_see_people=scope.may(Permission.CONTACT_READ),
        may_add_employer=_everywhere(scope, Permission.EMPLOYER_WRITE),
        twice_url=address_of("duplicates.workplaces")
        if scope.may(Permission.PLACE_WRITE)
        else None,
    )


def _figures(session: Any, scope: Scope, place_id: UUID) -> Part | None:
    """Return a workplace's density as at today; None where its people are not the reader's."""
    if not scope.may(Permission.DENSITY_READ):
        return None
    inner = queries.density_place(session, scope, place_id)
    return None if inner is None else workplace_figure(session, scope, inner, Question(my_today()))


def _links(scope: Scope) -> dict[str, bool]:
    """Return which pages about people this reader can go on to."""
    known = current_app.view_functions
    return {
        "contact": "contacts.show" in known and scope.may(Permission.CONTACT_READ),
        "add": "contacts.add" in known and scope.may(Permission.CONTACT_WRITE),
        "wall": "wallchart.show" in known and scope.may(Permission.CONTACT_READ),
        "log": "conversations.log" in known and scope.may(Permission.CONVERSATION_WRITE),
    }


def _about_people(session: Any, scope: Scope, place_id: UUID) -> dict[str, str | None]:
    """Return the addresses of pages about all people of a place, where the reader holds it."""
    held = holds_place(session, scope, place_id, Permission.CONTACT_READ)
    may_log = held and scope.may(Permission.CONVERSATION_WRITE)
    counts = held and scope.may(Permission.DENSITY_READ)
    return {
        "issues": address_of("issues.show", place_id=place_id) if held else None,
        "case": address_of("cases.new", place=place_id) if may_log else None,
        "sheets": address_of("sheets.index", place=place_id) if may_log else None,
        "report": address_of("reports.show", place_id=place_id) if counts else None,
        "campaigns": address_of("campaigns.index", at=place_id) if held else None,
    }


def _about_figures(session: Any, scope: Scope, place_id: UUID, name: str) -> list[tuple[str, str]]:
    """Return the pages of figures about a place, where the reader holds all of it.

    name: what the filters of the density page call such a place.
    """
    if not holds_place(session, scope, place_id, Permission.DENSITY_READ):
        return []
    found = [
        (address_of("readiness.show", place_id=place_id), _("Strike-readiness")),
        (address_of("density.changes", **{name: place_id}), _("What changed, and why")),
    ]
    return [(url, str(words)) for url, words in found if url is not None]


def _everywhere(scope: Scope, permission: Permission) -> bool:
    return scope.may(permission) and scope.nodes(permission) is None


@bp.get("/<uuid:place_id>")
@requires(Permission.PLACE_READ)
def show(scope: Scope, place_id: UUID) -> ResponseReturnValue:
    """Show a workplace."""
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_workplace_view(
            session,
            scope,
            place_id,
            today=my_today(),
            expiry=expiry_rule(),
            page=_page_asked(),
        )
        figures = _figures(session, scope, place_id)
        about_figures = _about_figures(session, scope, place_id, "workplace")
        about_people = _about_people(session, scope, place_id)
        extras = extras_of_workplace(session, scope, place_id)
    here = view.people
    return render_template(
        "workplaces/show.html",
        place=view,
        figures=figures,
        about_figures=about_figures,
        about_people=about_people,
        extras=extras,
        extras_url=address_of("fields.of_place", place_id=place_id) if view.may_write else None,
        today=my_today(),
        pages=(_pages(here.page, here.pages, "workplaces.show", place_id=place_id) if here else {}),
        links=_links(scope),
        history_url=address_of("history.place", place_id=place_id),
    )


@bp.get("/areas/<uuid:area_id>")
@requires(Permission.PLACE_READ)
def area(scope: Scope, area_id: UUID) -> ResponseReturnValue:
    """Show an area of a workplace."""
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_area_view(
            session,
            scope,
            area_id,
            today=my_today(),
            expiry=expiry_rule(),
            page=_page_asked(),
        )
        about_people = _about_people(session, scope, area_id)
    here = view.people
    return render_template(
        "workplaces/area.html",
        place=view,
        about_people=about_people,
        today=my_today(),
        pages=(_pages(here.page, here.pages, "workplaces.area", area_id=area_id) if here else {}),
        links=_links(scope),
    )


@bp.get("/employers/<uuid:employer_id>")
@requires(Permission.PLACE_READ)
def employer(scope: Scope, employer_id: UUID) -> ResponseReturnValue:
    """Show an employer."""
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_employer_view(
            session, scope, employer_id, today=my_today(), page=_page_asked()
        )
        about_figures = _about_figures(session, scope, employer_id, "employer")
    found = view.workplaces
    return render_template(
        "workplaces/employer.html",
        place=view,
        about_figures=about_figures,
        today=my_today(),
        pages=_pages(found.page, found.pages, "workplaces.employer", employer_id=employer_id),
        sic_words=forms.sic_words(view.sic_codes),
        may_see_people=scope.may(Permission.CONTACT_READ),
    )


@bp.get("/unions")
@requires(Permission.PLACE_READ)
def unions(scope: Scope) -> ResponseReturnValue:
    """Show all unions."""
    with unit_of_work(scope, read_only=True) as session:
        rows = queries.list_unions(session, scope)
    return render_template(
        "workplaces/unions.html", rows=rows, may_write=_everywhere(scope, Permission.UNION_WRITE)
    )


@bp.get("/unions/<uuid:union_id>")
@requires(Permission.PLACE_READ)
def union(scope: Scope, union_id: UUID) -> ResponseReturnValue:
    """Show a union and its branches."""
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_union_view(session, scope, union_id)
    return render_template(
        "workplaces/union.html", place=view, may_write=_everywhere(scope, Permission.UNION_WRITE)
    )


@bp.get("/branches/<uuid:branch_id>")
@requires(Permission.PLACE_READ)
def branch(scope: Scope, branch_id: UUID) -> ResponseReturnValue:
    """Show a branch and the workplaces in scope where it organises."""
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_branch_view(
            session, scope, branch_id, today=my_today(), page=_page_asked()
        )
        about_people = _about_people(session, scope, branch_id)
        about_figures = _about_figures(session, scope, branch_id, "branch")
        holds = holds_place(session, scope, branch_id, Permission.PLACE_WRITE)
    found = view.workplaces
    return render_template(
        "workplaces/branch.html",
        place=view,
        about_figures=about_figures,
        about_people=about_people,
        fields_url=address_of("fields.index") if holds else None,
        today=my_today(),
        pages=_pages(found.page, found.pages, "workplaces.branch", branch_id=branch_id),
        may_see_people=scope.may(Permission.CONTACT_READ),
        may_write=_everywhere(scope, Permission.UNION_WRITE),
    )


# Forms --------------------------------------------------------------------------------------

Blame = Callable[[Refusal], str | None]


def _form_page(
    scope: Scope,
    form: Any,
    *,
    title: str,
    save: Callable[[Any], Any],
    done: Callable[[Any], str],
    said: str,
    cancel: str,
    blame: Blame | None = None,
    lede: str | None = None,
    submit: str | None = None,
    withdraw_url: str | None = None,
) -> ResponseReturnValue:
    """Show a form, or save it and go on.

    save: one call of a service. done: the address to go to, from what it returned. said: what
    the next page says. blame: the field a refusal belongs to, None for the whole form.
    """
    status = 200
    conflict: list[tuple[str, str, str]] = []
    if form.is_submitted():
        status = 422
        try:
            saved = _save(scope, form, save, blame)
        except EditConflict as meanwhile:
            status, conflict = 409, _compare(form, meanwhile)
        else:
            if saved is not None:
                flash(said, "success")
                return redirect(done(saved[0]), code=303)
    page = render_template(
        "workplaces/form.html",
        form=form,
        title=title,
        lede=lede,
        submit=submit,
        cancel=cancel,
        conflict=conflict,
        withdraw_url=withdraw_url,
    )
    return page, status


def _save(
    scope: Scope, form: Any, save: Callable[[Any], Any], blame: Blame | None
) -> tuple[Any] | None:
    """Return what the service returned, in a tuple; None when the form now says what is wrong.

    Raises EditConflict.
    """
    if not form.validate():
        return None
    try:
        with unit_of_work(scope) as session:
            return (save(session),)
    except EditConflict:
        raise
    except Refusal as refusal:
        form.refuse(refusal, blame(refusal) if blame else None)
        return None


def _compare(form: Any, meanwhile: EditConflict) -> list[tuple[str, str, str]]:
    """Return (label, saved by the other, typed by you) of what differs; the next save wins."""
    form.refuse(meanwhile)
    form.version.data = str(meanwhile.current["version"])
    form.version.raw_data = None
    rows = []
    for one in form.fields_shown():
        if one.name in meanwhile.current:
            theirs, yours = _shown(one, meanwhile.current[one.name]), _shown(one, one.data)
            if theirs != yours:
                rows.append((str(one.label.text), theirs, yours))
    return rows


def _shown(field: Any, value: Any) -> str:
    if value is None or value == "":
        value = ""
    for one in field.iter_choices() if hasattr(field, "iter_choices") else ():
        if str(one.value) == str(value):
            return str(one.label)
    if isinstance(value, date):
        return day(value)
    if isinstance(value, float):
        return people(value) if value == int(value) else str(value)
    return str(value) or _("(empty)")


def _at(endpoint: str, **values: Any) -> Callable[[Any], str]:
    """Return a function that gives one address whatever was saved."""
    return lambda saved: url_for(f"workplaces.{endpoint}", **values)


_SHOWN_AT = {
    "workplace": ("workplaces.show", "place_id"),
    "area": ("workplaces.area", "area_id"),
    "employer": ("workplaces.employer", "employer_id"),
}


def _place_url(kind: str, public_id: UUID) -> str:
    endpoint, key = _SHOWN_AT[kind]
    values: dict[str, Any] = {key: public_id}
    return url_for(endpoint, **values)


def _pairs(choices: list[Choice]) -> list[tuple[str, str]]:
    return [(choice.value, choice.label) for choice in choices]


@bp.route("/employers/new", methods=["GET", "POST"])
@requires(Permission.EMPLOYER_WRITE)
def add_employer(scope: Scope) -> ResponseReturnValue:
    """Add an employer, perhaps inside the one in the address."""
    scope.require_everywhere(Permission.EMPLOYER_WRITE)
    form = forms.EmployerForm()
    inside = chosen_id(request.args.get("inside"))
    if inside and not form.is_submitted():
        with unit_of_work(scope, read_only=True) as session:
            form.parent.data = service.employer_named(session, scope, inside)
    return _form_page(
        scope,
        form,
        title=_("Add an employer"),
        save=lambda session: service.add_employer(
            session, scope, form.values(), now=clock.now(), today=my_today()
        ),
        done=lambda saved: url_for("workplaces.employer", employer_id=saved),
        said=_("Saved. Now add the workplaces where its people work."),
        cancel=url_for("workplaces.index"),
        blame=lambda refusal: "parent",
    )


@bp.route("/employers/<uuid:employer_id>/edit", methods=["GET", "POST"])
@requires(Permission.EMPLOYER_WRITE)
def edit_employer(scope: Scope, employer_id: UUID) -> ResponseReturnValue:
    """Change an employer."""
    with unit_of_work(scope, read_only=True) as session:
        name, start = service.employer_now(session, scope, employer_id)
    form = forms.EmployerForm(data=None if request.method == "POST" else start)
    return _form_page(
        scope,
        form,
        title=_("Change %(name)s", name=name),
        save=lambda session: service.edit_employer(
            session,
            scope,
            employer_id,
            form.values(),
            seen=form.seen(),
            now=clock.now(),
            today=my_today(),
        ),
        done=_at("employer", employer_id=employer_id),
        said=_("Saved."),
        cancel=url_for("workplaces.employer", employer_id=employer_id),
        blame=lambda refusal: "parent",
    )


@bp.route("/employers/<uuid:employer_id>/workplaces/new", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def add_workplace(scope: Scope, employer_id: UUID) -> ResponseReturnValue:
    """Add a workplace to an employer."""
    with unit_of_work(scope, read_only=True) as session:
        name = service.employer_named(session, scope, employer_id)
        regions = queries.list_region_choices(session, scope)
        branches = queries.list_branch_choices(session, scope)
    start = None if request.method == "POST" else {"time_zone": my_zone()}
    form = forms.NewWorkplaceForm(data=start)
    form.region.offer(_pairs(regions))
    form.branch.offer(_pairs(branches))
    perhaps = _perhaps_here(scope, form)
    if perhaps:
        form.looked_for.data = form.asks_for()
        page = render_template(
            "workplaces/form.html",
            form=form,
            title=_("Add a workplace"),
            lede=_("It belongs to %(employer)s.", employer=name),
            submit=_("None of these: add a new workplace"),
            cancel=url_for("workplaces.employer", employer_id=employer_id),
            conflict=[],
            withdraw_url=None,
            perhaps=perhaps,
        )
        return page, 409
    return _form_page(
        scope,
        form,
        title=_("Add a workplace"),
        lede=_("It belongs to %(employer)s.", employer=name),
        save=lambda session: service.add_workplace(
            session,
            scope,
            employer_id,
            form.values(),
            branch_id=form.branch.picked(),
            branch_since=form.branch_since.data,
            now=clock.now(),
            today=my_today(),
        ),
        done=lambda saved: url_for("workplaces.show", place_id=saved),
        said=_("Saved. Now say how many people work here, roughly."),
        cancel=url_for("workplaces.employer", employer_id=employer_id),
        blame=lambda refusal: "branch_since" if isinstance(refusal, service.FutureDay) else None,
    )


def _perhaps_here(scope: Scope, form: forms.NewWorkplaceForm) -> list[dict[str, str]]:
    """Return workplaces that may be the one being added; nothing once they were looked at."""
    if not form.is_submitted() or form.looked_for.data == form.asks_for() or not form.validate():
        return []
    values = form.values()
    asked = KnownPlace(
        values.name, values.address, values.postcode, values.latitude, values.longitude
    )
    with unit_of_work(scope, read_only=True) as session:
        found = like_workplaces(session, scope, asked)
    return [
        {
            "name": one.name,
            "url": url_for("workplaces.show", place_id=one.public_id),
            "more": ". ".join(
                part
                for part in (one.employer, one.address, one.postcode, why_places(one.likeness))
                if part
            ),
        }
        for one in found
    ]


@bp.route("/<uuid:place_id>/edit", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def edit_workplace(scope: Scope, place_id: UUID) -> ResponseReturnValue:
    """Change a workplace."""
    with unit_of_work(scope, read_only=True) as session:
        name, start = service.workplace_now(session, scope, place_id)
        regions = queries.list_region_choices(session, scope)
    form = forms.WorkplaceForm(data=None if request.method == "POST" else start)
    form.region.offer(_pairs(regions))
    return _form_page(
        scope,
        form,
        title=_("Change %(name)s", name=name),
        save=lambda session: service.edit_workplace(
            session,
            scope,
            place_id,
            form.values(),
            seen=form.seen(),
            now=clock.now(),
            today=my_today(),
        ),
        done=_at("show", place_id=place_id),
        said=_("Saved."),
        cancel=url_for("workplaces.show", place_id=place_id),
    )


@bp.route("/<uuid:place_id>/close", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def close_workplace(scope: Scope, place_id: UUID) -> ResponseReturnValue:
    """Write down the day a workplace closed."""
    with unit_of_work(scope, read_only=True) as session:
        name, start = service.closing_now(session, scope, place_id, "workplace")
    form = forms.CloseForm(data=None if request.method == "POST" else start)
    return _form_page(
        scope,
        form,
        title=_("Close %(name)s", name=name),
        lede=_("What we know of it is kept. Nobody’s job is ended: do that for each person."),
        save=lambda session: service.close_workplace(
            session, scope, place_id, on_day=form.closed_on.data, seen=form.seen()
        ),
        done=_at("show", place_id=place_id),
        said=_("Saved."),
        cancel=url_for("workplaces.show", place_id=place_id),
    )


@bp.route("/<uuid:place_id>/areas/new", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def add_area(scope: Scope, place_id: UUID) -> ResponseReturnValue:
    """Add an area to a workplace."""
    with unit_of_work(scope, read_only=True) as session:
        name, parents = service.area_parents(session, scope, place_id)
    start = (
        None
        if request.method == "POST"
        else {"parent": str(chosen_id(request.args.get("inside")) or "")}
    )
    form = forms.NewAreaForm(data=start)
    form.parent.offer(parents)
    return _form_page(
        scope,
        form,
        title=_("Add an area"),
        lede=_("A department or a part of %(place)s.", place=name),
        save=lambda session: service.add_area(
            session,
            scope,
            place_id,
            form.values(),
            parent_id=form.parent.picked(),
            now=clock.now(),
            today=my_today(),
        ),
        done=lambda saved: url_for("workplaces.area", area_id=saved),
        said=_("Saved."),
        cancel=url_for("workplaces.show", place_id=place_id),
        blame=lambda refusal: "name",
    )


@bp.route("/areas/<uuid:area_id>/edit", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def edit_area(scope: Scope, area_id: UUID) -> ResponseReturnValue:
    """Change an area's name and kind."""
    with unit_of_work(scope, read_only=True) as session:
        name, start = service.area_now(session, scope, area_id)
    form = forms.AreaForm(data=None if request.method == "POST" else start)
    return _form_page(
        scope,
        form,
        title=_("Change %(name)s", name=name),
        save=lambda session: service.edit_area(
            session, scope, area_id, form.values(), seen=form.seen()
        ),
        done=_at("area", area_id=area_id),
        said=_("Saved."),
        cancel=url_for("workplaces.area", area_id=area_id),
        blame=lambda refusal: "name",
    )


@bp.route("/areas/<uuid:area_id>/move", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def move_area(scope: Scope, area_id: UUID) -> ResponseReturnValue:
    """Put an area inside another."""
    with unit_of_work(scope, read_only=True) as session:
        name, start, parents = service.moving_now(session, scope, area_id)
    form = forms.MoveAreaForm(data=None if request.method == "POST" else start)
    form.parent.offer(parents)
    return _form_page(
        scope,
        form,
        title=_("Move %(name)s", name=name),
        save=lambda session: service.move_area(
            session,
            scope,
            area_id,
            form.parent.picked(),
            seen=form.seen(),
            now=clock.now(),
            today=my_today(),
        ),
        done=_at("area", area_id=area_id),
        said=_("Moved."),
        submit=_("Move"),
        cancel=url_for("workplaces.area", area_id=area_id),
        blame=lambda refusal: "parent",
    )


@bp.route("/areas/<uuid:area_id>/close", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def close_area(scope: Scope, area_id: UUID) -> ResponseReturnValue:
    """Write down the day an area closed."""
    with unit_of_work(scope, read_only=True) as session:
        name, start = service.closing_now(session, scope, area_id, "area")
    form = forms.CloseForm(data=None if request.method == "POST" else start)
    return _form_page(
        scope,
        form,
        title=_("Close %(name)s", name=name),
        lede=_("What we know of it is kept. Nobody’s job is ended: do that for each person."),
        save=lambda session: service.close_area(
            session, scope, area_id, on_day=form.closed_on.data, seen=form.seen()
        ),
        done=_at("area", area_id=area_id),
        said=_("Saved."),
        cancel=url_for("workplaces.area", area_id=area_id),
    )


@bp.route("/<uuid:place_id>/shifts/new", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def add_shift(scope: Scope, place_id: UUID) -> ResponseReturnValue:
    """Add a shift to a workplace."""
    with unit_of_work(scope, read_only=True) as session:
        name, _parents = service.area_parents(session, scope, place_id)
    form = forms.ShiftForm()
    return _form_page(
        scope,
        form,
        title=_("Add a shift"),
        lede=_("At %(place)s.", place=name),
        save=lambda session: service.add_shift(session, scope, place_id, form.values()),
        done=_at("show", place_id=place_id, _anchor="shifts"),
        said=_("Saved."),
        cancel=url_for("workplaces.show", place_id=place_id),
    )


@bp.route("/shifts/<uuid:shift_id>/edit", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def edit_shift(scope: Scope, shift_id: UUID) -> ResponseReturnValue:
    """Change a shift, or say that it is no longer worked."""
    with unit_of_work(scope, read_only=True) as session:
        name, start, home = service.shift_now(session, scope, shift_id)
    form = forms.EditShiftForm(data=None if request.method == "POST" else start)
    return _form_page(
        scope,
        form,
        title=_("Change %(name)s", name=name),
        save=lambda session: service.edit_shift(
            session, scope, shift_id, form.values(), seen=form.seen()
        ),
        done=_at("show", place_id=home, _anchor="shifts"),
        said=_("Saved."),
        cancel=url_for("workplaces.show", place_id=home),
    )


def _blame_count(form: Any, *names: str) -> Blame:
    """Return the function that finds the field of a count which a refusal is about."""

    def _find(refusal: Refusal) -> str | None:
        if isinstance(refusal, service.FutureDay):
            return "on_day"
        if isinstance(refusal, service.InvalidStep):
            return "rounded_to"
        for name in names:
            number = form[name].data
            if number is not None and not 0 <= number < MOST_PEOPLE:
                return name
        if "high" not in names:
            return None
        low, high = form.low.data, form.high.data
        return "low" if high is not None and low > high else "best"

    return _find


@bp.route("/<uuid:place_id>/headcounts/new", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def add_headcount(scope: Scope, place_id: UUID) -> ResponseReturnValue:
    """Record how many people work at a workplace, area or employer."""
    with unit_of_work(scope, read_only=True) as session:
        name, kind = service.place_named(session, scope, place_id)
    start = {"on_day": my_today(), "source_kind": "organiser_count"}
    form = forms.HeadcountForm(data=None if request.method == "POST" else start)
    return _form_page(
        scope,
        form,
        title=_("How many people work at %(name)s?", name=name),
        lede=_("A rough count with a lowest and a highest number is better than none."),
        save=lambda session: service.add_headcount(
            session, scope, place_id, form.values(), now=clock.now(), today=my_today()
        ),
        done=lambda saved: _place_url(kind, place_id) + "#headcounts",
        said=_("Saved."),
        cancel=_place_url(kind, place_id),
        blame=_blame_count(form, "low", "best", "high"),
    )


@bp.route("/headcounts/<uuid:count_id>", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def correct_headcount(scope: Scope, count_id: UUID) -> ResponseReturnValue:
    """Put right a count of workers."""
    with unit_of_work(scope, read_only=True) as session:
        name, kind, home, start = service.headcount_now(session, scope, count_id)
    form = forms.HeadcountForm(data=None if request.method == "POST" else start)
    return _form_page(
        scope,
        form,
        title=_("Correct a count at %(name)s", name=name),
        lede=_("What was recorded before stays readable under the list."),
        save=lambda session: service.correct_headcount(
            session,
            scope,
            count_id,
            form.values(),
            seen=form.seen(),
            now=clock.now(),
            today=my_today(),
        ),
        done=lambda saved: _place_url(kind, home) + "#headcounts",
        said=_("Corrected."),
        cancel=_place_url(kind, home),
        blame=_blame_count(form, "low", "best", "high"),
        withdraw_url=url_for("workplaces.withdraw_headcount", count_id=count_id),
    )


@bp.post("/headcounts/<uuid:count_id>/withdraw")
@requires(Permission.PLACE_WRITE)
def withdraw_headcount(scope: Scope, count_id: UUID) -> ResponseReturnValue:
    """Take a count of workers back."""
    with unit_of_work(scope) as session:
        home = service.withdraw_headcount(session, scope, count_id, now=clock.now())
        kind = service.place_named(session, scope, home)[1]
    flash(_("Taken back. No figure uses that count from now on."), "success")
    return redirect(_place_url(kind, home) + "#headcounts", code=303)


@bp.route("/<uuid:place_id>/member-counts/new", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def add_member_count(scope: Scope, place_id: UUID) -> ResponseReturnValue:
    """Record a number of members stated without names."""
    with unit_of_work(scope, read_only=True) as session:
        name, kind = service.place_named(session, scope, place_id)
        unions = queries.list_union_choices(session, scope)
    start = {"on_day": my_today(), "source_kind": "union_list"}
    form = forms.MemberCountForm(data=None if request.method == "POST" else start)
    form.union.offer(_pairs(unions))
    return _form_page(
        scope,
        form,
        title=_("How many members work at %(name)s?", name=name),
        lede=_("Use this when a union says how many members it has but not who they are."),
        save=lambda session: service.add_member_count(
            session, scope, place_id, form.values(), now=clock.now(), today=my_today()
        ),
        done=lambda saved: _place_url(kind, place_id) + "#member-counts",
        said=_("Saved."),
        cancel=_place_url(kind, place_id),
        blame=_blame_count(form, "members", "covered"),
    )


@bp.route("/member-counts/<uuid:count_id>", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def correct_member_count(scope: Scope, count_id: UUID) -> ResponseReturnValue:
    """Put right a number of members stated without names."""
    with unit_of_work(scope, read_only=True) as session:
        name, kind, home, start = service.member_count_now(session, scope, count_id)
        unions = queries.list_union_choices(session, scope)
    form = forms.MemberCountForm(data=None if request.method == "POST" else start)
    form.union.offer(_pairs(unions))
    return _form_page(
        scope,
        form,
        title=_("Correct a number of members at %(name)s", name=name),
        lede=_("What was recorded before stays readable under the list."),
        save=lambda session: service.correct_member_count(
            session,
            scope,
            count_id,
            form.values(),
            seen=form.seen(),
            now=clock.now(),
            today=my_today(),
        ),
        done=lambda saved: _place_url(kind, home) + "#member-counts",
        said=_("Corrected."),
        cancel=_place_url(kind, home),
        blame=_blame_count(form, "members", "covered"),
        withdraw_url=url_for("workplaces.withdraw_member_count", count_id=count_id),
    )


@bp.post("/member-counts/<uuid:count_id>/withdraw")
@requires(Permission.PLACE_WRITE)
def withdraw_member_count(scope: Scope, count_id: UUID) -> ResponseReturnValue:
    """Take a stated number of members back."""
    with unit_of_work(scope) as session:
        home = service.withdraw_member_count(session, scope, count_id, now=clock.now())
        kind = service.place_named(session, scope, home)[1]
    flash(_("Taken back. No figure uses that number from now on."), "success")
    return redirect(_place_url(kind, home) + "#member-counts", code=303)


@bp.route("/<uuid:place_id>/units/new", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def add_unit(scope: Scope, place_id: UUID) -> ResponseReturnValue:
    """Add a bargaining unit to a workplace or employer."""
    with unit_of_work(scope, read_only=True) as session:
        name, kind = service.place_named(session, scope, place_id)
        unions = queries.list_union_choices(session, scope)
    form = forms.NewUnitForm()
    form.union.offer(_pairs(unions))
    return _form_page(
        scope,
        form,
        title=_("Add a bargaining unit"),
        lede=_("A group of workers at %(place)s that the employer bargains for.", place=name),
        save=lambda session: service.add_unit(
            session,
            scope,
            place_id,
            form.values(),
            union_id=form.union.picked(),
            since=form.since.data,
            now=clock.now(),
            today=my_today(),
        ),
        done=lambda saved: _place_url(kind, place_id) + "#units",
        said=_("Saved."),
        cancel=_place_url(kind, place_id),
    )


@bp.route("/units/<uuid:unit_id>/edit", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def edit_unit(scope: Scope, unit_id: UUID) -> ResponseReturnValue:
    """Change a bargaining unit."""
    with unit_of_work(scope, read_only=True) as session:
        name, start, home, kind = service.unit_now(session, scope, unit_id)
    form = forms.UnitForm(data=None if request.method == "POST" else start)
    return _form_page(
        scope,
        form,
        title=_("Change %(name)s", name=name),
        save=lambda session: service.edit_unit(
            session, scope, unit_id, form.values(), seen=form.seen()
        ),
        done=lambda saved: _place_url(kind, home) + "#units",
        said=_("Saved."),
        cancel=_place_url(kind, home),
    )


def _two_forms(
    title: str,
    lede: str,
    back: str,
    rows: tuple[queries.DatedLink, ...],
    *,
    add: Any,
    add_url: str,
    add_title: str,
    end: Any,
    end_url: str,
    end_title: str,
) -> ResponseReturnValue:
    """Show dated links with a form that begins one and, if any goes on, a form that ends one."""
    page = render_template(
        "workplaces/dated.html",
        title=title,
        lede=lede,
        back=back,
        rows=rows,
        add=add,
        add_url=add_url,
        add_title=add_title,
        end=end,
        end_url=end_url,
        end_title=end_title,
        going_on=any(row.valid_to is None for row in rows),
        has_errors=bool(add.errors or end.errors),
    )
    return page, 422 if add.errors or end.errors else 200


def _going_on(rows: tuple[queries.DatedLink, ...]) -> list[tuple[str, str]]:
    return [(str(row.place.public_id), row.place.name) for row in rows if row.valid_to is None]


def _blame_day(since: str, until: str | None = None) -> Blame:
    """Return the function that puts a refusal about days beside the day, others above."""

    def _find(refusal: Refusal) -> str | None:
        if isinstance(refusal, DatesOutOfOrder):
            return until or since
        return since if isinstance(refusal, service.FutureDay) else None

    return _find


def _branches_page(scope: Scope, place_id: UUID, ending: bool) -> ResponseReturnValue:
    with unit_of_work(scope, read_only=True) as session:
        name, rows = queries.get_branches_to_change(session, scope, place_id)
        branches = queries.list_branch_choices(session, scope)
    post = request.method == "POST"
    add = forms.BranchLinkForm(formdata=request.form if post and not ending else None)
    end = forms.BranchEndForm(formdata=request.form if ending else None, prefix="end-")
    add.branch.offer(_pairs(branches))
    end.branch.offer(_going_on(rows))
    now, today = clock.now(), my_today()
    saved = None
    if ending:
        saved = _save(
            scope,
            end,
            lambda session: service.end_branch_link(
                session,
                scope,
                place_id,
                end.branch.chosen(),
                until=end.until.data,
                now=now,
                today=today,
            ),
            _blame_day("until"),
        )
    elif post:
        saved = _save(
            scope,
            add,
            lambda session: service.add_branch_link(
                session,
                scope,
                place_id,
                add.branch.chosen(),
                since=add.since.data,
                now=now,
                today=today,
            ),
            _blame_day("since"),
        )
    if saved is not None:
        flash(_("Saved."), "success")
        with unit_of_work(scope, read_only=True) as session:
            still = queries.density_place(session, scope, place_id, Permission.PLACE_READ)
        # Ending the link may have taken the workplace out of this person's own reach.
        endpoint = "show" if still else "index"
        return redirect(_at(endpoint, **({"place_id": place_id} if still else {}))(None), code=303)
    return _two_forms(
        _("Branches that organise at %(name)s", name=name),
        _("Everyone with a role in a branch sees the workplaces where it organises."),
        url_for("workplaces.show", place_id=place_id),
        rows,
        add=add,
        add_url=url_for("workplaces.branches", place_id=place_id),
        add_title=_("Add a branch"),
        end=end,
        end_url=url_for("workplaces.end_branch", place_id=place_id),
        end_title=_("A branch has stopped"),
    )


@bp.route("/<uuid:place_id>/branches", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def branches(scope: Scope, place_id: UUID) -> ResponseReturnValue:
    """Show and add the branches that organise at a workplace."""
    return _branches_page(scope, place_id, ending=False)


@bp.post("/<uuid:place_id>/branches/end")
@requires(Permission.PLACE_WRITE)
def end_branch(scope: Scope, place_id: UUID) -> ResponseReturnValue:
    """Write down that a branch stopped organising at a workplace."""
    return _branches_page(scope, place_id, ending=True)


def _recognitions_page(scope: Scope, unit_id: UUID, ending: bool) -> ResponseReturnValue:
    with unit_of_work(scope, read_only=True) as session:
        name, _start, home, kind = service.unit_now(session, scope, unit_id)
        rows = queries.get_unit_row(session, scope, unit_id).unions
        unions = queries.list_union_choices(session, scope)
    post = request.method == "POST"
    add = forms.RecognitionForm(formdata=request.form if post and not ending else None)
    end = forms.RecognitionEndForm(formdata=request.form if ending else None, prefix="end-")
    add.union.offer(_pairs(unions))
    end.union.offer(_going_on(rows))
    now = clock.now()
    saved = None
    if ending:
        saved = _save(
            scope,
            end,
            lambda session: service.end_recognition(
                session, scope, unit_id, end.union.chosen(), until=end.until.data, now=now
            ),
            _blame_day("until"),
        )
    elif post:
        saved = _save(
            scope,
            add,
            lambda session: service.add_recognition(
                session,
                scope,
                unit_id,
                add.union.chosen(),
                since=add.since.data,
                until=add.until.data,
                now=now,
            ),
            _blame_day("since", "until"),
        )
    if saved is not None:
        flash(_("Saved."), "success")
        return redirect(_place_url(kind, home) + "#units", code=303)
    return _two_forms(
        _("Unions recognised for %(name)s", name=name),
        _("Recognised means that the employer agrees to bargain with the union."),
        _place_url(kind, home),
        rows,
        add=add,
        add_url=url_for("workplaces.recognitions", unit_id=unit_id),
        add_title=_("Add a recognised union"),
        end=end,
        end_url=url_for("workplaces.end_recognition", unit_id=unit_id),
        end_title=_("A union is no longer recognised"),
    )


@bp.route("/units/<uuid:unit_id>/unions", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def recognitions(scope: Scope, unit_id: UUID) -> ResponseReturnValue:
    """Show and add the unions recognised for a bargaining unit."""
    return _recognitions_page(scope, unit_id, ending=False)


@bp.post("/units/<uuid:unit_id>/unions/end")
@requires(Permission.PLACE_WRITE)
def end_recognition(scope: Scope, unit_id: UUID) -> ResponseReturnValue:
    """Write down that a union is no longer recognised."""
    return _recognitions_page(scope, unit_id, ending=True)


@bp.route("/unions/new", methods=["GET", "POST"])
@requires(Permission.UNION_WRITE)
def add_union(scope: Scope) -> ResponseReturnValue:
    """Add a union."""
    scope.require_everywhere(Permission.UNION_WRITE)
    form = forms.UnionForm()
    return _form_page(
        scope,
        form,
        title=_("Add a union"),
        save=lambda session: service.add_union(
            session, scope, form.values(), now=clock.now(), today=my_today()
        ),
        done=lambda saved: url_for("workplaces.union", union_id=saved),
        said=_("Saved."),
        cancel=url_for("workplaces.unions"),
        blame=lambda refusal: "name",
    )


@bp.route("/unions/<uuid:union_id>/edit", methods=["GET", "POST"])
@requires(Permission.UNION_WRITE)
def edit_union(scope: Scope, union_id: UUID) -> ResponseReturnValue:
    """Change a union."""
    with unit_of_work(scope, read_only=True) as session:
        name, start = service.union_now(session, scope, union_id)
    form = forms.UnionForm(data=None if request.method == "POST" else start)
    return _form_page(
        scope,
        form,
        title=_("Change %(name)s", name=name),
        save=lambda session: service.edit_union(
            session, scope, union_id, form.values(), seen=form.seen()
        ),
        done=_at("union", union_id=union_id),
        said=_("Saved."),
        cancel=url_for("workplaces.union", union_id=union_id),
        blame=lambda refusal: "name",
    )


@bp.get("/regions")
@requires(Permission.PLACE_READ)
def regions(scope: Scope) -> ResponseReturnValue:
    """Show all regions."""
    with unit_of_work(scope, read_only=True) as session:
        rows = queries.list_region_choices(session, scope)
    may_see_figures = scope.may(Permission.DENSITY_READ)
    return render_template(
        "workplaces/regions.html",
        rows=[
            (row.label, address_of("density.index", region=row.value) if may_see_figures else None)
            for row in rows
        ],
        may_write=_everywhere(scope, Permission.UNION_WRITE),
    )


@bp.route("/regions/new", methods=["GET", "POST"])
@requires(Permission.UNION_WRITE)
def add_region(scope: Scope) -> ResponseReturnValue:
    """Add a region."""
    scope.require_everywhere(Permission.UNION_WRITE)
    form = forms.RegionForm()
    return _form_page(
        scope,
        form,
        title=_("Add a region"),
        lede=_("A part of a country. Workplaces lie in it, and figures can be shown by it."),
        save=lambda session: service.add_region(
            session, scope, form.values(), now=clock.now(), today=my_today()
        ),
        done=_at("regions"),
        said=_("Saved."),
        cancel=url_for("workplaces.regions"),
        blame=lambda refusal: "name",
    )


def _affiliations_page(scope: Scope, union_id: UUID, ending: bool) -> ResponseReturnValue:
    with unit_of_work(scope, read_only=True) as session:
        name, _start = service.union_now(session, scope, union_id)
        bodies = queries.get_union_view(session, scope, union_id).affiliations
    rows = tuple(
        queries.DatedLink(queries.PlaceLink(union_id, body), None, since, until)
        for body, since, until in bodies
    )
    post = request.method == "POST"
    add = forms.AffiliationForm(formdata=request.form if post and not ending else None)
    end = forms.AffiliationEndForm(formdata=request.form if ending else None, prefix="end-")
    end.body_name.choices = options(
        (row.place.name, row.place.name) for row in rows if row.valid_to is None
    )
    now = clock.now()
    saved = None
    if ending:
        saved = _save(
            scope,
            end,
            lambda session: service.end_affiliation(
                session,
                scope,
                union_id,
                body_name=end.body_name.data,
                until=end.until.data,
                now=now,
            ),
            _blame_day("until"),
        )
    elif post:
        saved = _save(
            scope,
            add,
            lambda session: service.add_affiliation(
                session,
                scope,
                union_id,
                body_name=add.text("body_name") or "",
                since=add.since.data,
                until=add.until.data,
                now=now,
            ),
            _blame_day("since", "until"),
        )
    if saved is not None:
        flash(_("Saved."), "success")
        return redirect(url_for("workplaces.union", union_id=union_id), code=303)
    return _two_forms(
        _("Wider bodies %(name)s belongs to", name=name),
        _("Such as a national centre or an international federation."),
        url_for("workplaces.union", union_id=union_id),
        rows,
        add=add,
        add_url=url_for("workplaces.affiliations", union_id=union_id),
        add_title=_("Add a body"),
        end=end,
        end_url=url_for("workplaces.end_affiliation", union_id=union_id),
        end_title=_("The union has left a body"),
    )


@bp.route("/unions/<uuid:union_id>/bodies", methods=["GET", "POST"])
@requires(Permission.UNION_WRITE)
def affiliations(scope: Scope, union_id: UUID) -> ResponseReturnValue:
    """Show and add the wider bodies a union belongs to."""
    return _affiliations_page(scope, union_id, ending=False)


@bp.post("/unions/<uuid:union_id>/bodies/end")
@requires(Permission.UNION_WRITE)
def end_affiliation(scope: Scope, union_id: UUID) -> ResponseReturnValue:
    """Write down that a union left a wider body."""
    return _affiliations_page(scope, union_id, ending=True)


@bp.route("/unions/<uuid:union_id>/branches/new", methods=["GET", "POST"])
@requires(Permission.UNION_WRITE)
def add_branch(scope: Scope, union_id: UUID) -> ResponseReturnValue:
    """Add a branch to a union."""
    with unit_of_work(scope, read_only=True) as session:
        name, parents = service.branches_in_union(session, scope, union_id)
    form = forms.BranchForm()
    form.parent.offer(parents)
    return _form_page(
        scope,
        form,
        title=_("Add a branch"),
        lede=_("Of %(union)s.", union=name),
        save=lambda session: service.add_branch(
            session, scope, union_id, form.values(), now=clock.now(), today=my_today()
        ),
        done=lambda saved: url_for("workplaces.branch", branch_id=saved),
        said=_("Saved."),
        cancel=url_for("workplaces.union", union_id=union_id),
    )


@bp.route("/branches/<uuid:branch_id>/edit", methods=["GET", "POST"])
@requires(Permission.UNION_WRITE)
def edit_branch(scope: Scope, branch_id: UUID) -> ResponseReturnValue:
    """Change a branch."""
    with unit_of_work(scope, read_only=True) as session:
        name, start, parents = service.branch_now(session, scope, branch_id)
    form = forms.BranchForm(data=None if request.method == "POST" else start)
    form.parent.offer(parents)
    return _form_page(
        scope,
        form,
        title=_("Change %(name)s", name=name),
        save=lambda session: service.edit_branch(
            session,
            scope,
            branch_id,
            form.values(),
            seen=form.seen(),
            now=clock.now(),
            today=my_today(),
        ),
        done=_at("branch", branch_id=branch_id),
        said=_("Saved."),
        cancel=url_for("workplaces.branch", branch_id=branch_id),
        blame=lambda refusal: "parent" if isinstance(refusal, LoopInTree) else None,
    )
