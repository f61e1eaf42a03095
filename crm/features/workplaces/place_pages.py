"""The forms of employers, workplaces, areas and shifts."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.place_likeness import KnownPlace
from crm.features.workplaces import forms, queries, service
from crm.features.workplaces.blueprint import bp
from crm.features.workplaces.form_page import at, form_page, pairs
from crm.reads.place_likeness import like_workplaces
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.forms import chosen_id
from crm.web.guard import my_today, my_zone, requires
from crm.web.likeness import why_places


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
    return form_page(
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
    return form_page(
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
        done=at("employer", employer_id=employer_id),
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
    form.region.offer(pairs(regions))
    form.branch.offer(pairs(branches))
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
    return form_page(
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
    form.region.offer(pairs(regions))
    return form_page(
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
        done=at("show", place_id=place_id),
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
    return form_page(
        scope,
        form,
        title=_("Close %(name)s", name=name),
        lede=_("What we know of it is kept. Nobody’s job is ended: do that for each person."),
        save=lambda session: service.close_workplace(
            session, scope, place_id, on_day=form.closed_on.data, seen=form.seen()
        ),
        done=at("show", place_id=place_id),
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
    return form_page(
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
    return form_page(
        scope,
        form,
        title=_("Change %(name)s", name=name),
        save=lambda session: service.edit_area(
            session, scope, area_id, form.values(), seen=form.seen()
        ),
        done=at("area", area_id=area_id),
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
    return form_page(
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
        done=at("area", area_id=area_id),
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
    return form_page(
        scope,
        form,
        title=_("Close %(name)s", name=name),
        lede=_("What we know of it is kept. Nobody’s job is ended: do that for each person."),
        save=lambda session: service.close_area(
            session, scope, area_id, on_day=form.closed_on.data, seen=form.seen()
        ),
        done=at("area", area_id=area_id),
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
    return form_page(
        scope,
        form,
        title=_("Add a shift"),
        lede=_("At %(place)s.", place=name),
        save=lambda session: service.add_shift(session, scope, place_id, form.values()),
        done=at("show", place_id=place_id, _anchor="shifts"),
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
    return form_page(
        scope,
        form,
        title=_("Change %(name)s", name=name),
        save=lambda session: service.edit_shift(
            session, scope, shift_id, form.values(), seen=form.seen()
        ),
        done=at("show", place_id=home, _anchor="shifts"),
        said=_("Saved."),
        cancel=url_for("workplaces.show", place_id=home),
    )
