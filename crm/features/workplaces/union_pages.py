"""The forms of bargaining units, unions, branches and regions, and of what ties them."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import LoopInTree
from crm.features.workplaces import forms, queries, service
from crm.features.workplaces.blueprint import bp
from crm.features.workplaces.form_page import (
    at,
    blame_day,
    form_page,
    going_on,
    may_everywhere,
    pairs,
    place_url,
    save_form,
    two_forms,
)
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.forms import options
from crm.web.guard import my_today, requires
from crm.web.pages import address_of


@bp.route("/<uuid:place_id>/units/new", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def add_unit(scope: Scope, place_id: UUID) -> ResponseReturnValue:
    """Add a bargaining unit to a workplace or employer."""
    with unit_of_work(scope, read_only=True) as session:
        name, kind = service.place_named(session, scope, place_id)
        unions = queries.list_union_choices(session, scope)
    form = forms.NewUnitForm()
    form.union.offer(pairs(unions))
    return form_page(
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
        done=lambda saved: place_url(kind, place_id) + "#units",
        said=_("Saved."),
        cancel=place_url(kind, place_id),
    )


@bp.route("/units/<uuid:unit_id>/edit", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def edit_unit(scope: Scope, unit_id: UUID) -> ResponseReturnValue:
    """Change a bargaining unit."""
    with unit_of_work(scope, read_only=True) as session:
        name, start, home, kind = service.unit_now(session, scope, unit_id)
    form = forms.UnitForm(data=None if request.method == "POST" else start)
    return form_page(
        scope,
        form,
        title=_("Change %(name)s", name=name),
        save=lambda session: service.edit_unit(
            session, scope, unit_id, form.values(), seen=form.seen()
        ),
        done=lambda saved: place_url(kind, home) + "#units",
        said=_("Saved."),
        cancel=place_url(kind, home),
    )


def _branches_page(scope: Scope, place_id: UUID, ending: bool) -> ResponseReturnValue:
    with unit_of_work(scope, read_only=True) as session:
        name, rows = queries.get_branches_to_change(session, scope, place_id)
        branches = queries.list_branch_choices(session, scope)
    post = request.method == "POST"
    add = forms.BranchLinkForm(formdata=request.form if post and not ending else None)
    end = forms.BranchEndForm(formdata=request.form if ending else None, prefix="end-")
    add.branch.offer(pairs(branches))
    end.branch.offer(going_on(rows))
    now, today = clock.now(), my_today()
    saved = None
    if ending:
        saved = save_form(
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
            blame_day("until"),
        )
    elif post:
        saved = save_form(
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
            blame_day("since"),
        )
    if saved is not None:
        flash(_("Saved."), "success")
        with unit_of_work(scope, read_only=True) as session:
            still = queries.density_place(session, scope, place_id, Permission.PLACE_READ)
        # Ending the link may have taken the workplace out of this person's own reach.
        endpoint = "show" if still else "index"
        return redirect(at(endpoint, **({"place_id": place_id} if still else {}))(None), code=303)
    return two_forms(
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
    add.union.offer(pairs(unions))
    end.union.offer(going_on(rows))
    now = clock.now()
    saved = None
    if ending:
        saved = save_form(
            scope,
            end,
            lambda session: service.end_recognition(
                session, scope, unit_id, end.union.chosen(), until=end.until.data, now=now
            ),
            blame_day("until"),
        )
    elif post:
        saved = save_form(
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
            blame_day("since", "until"),
        )
    if saved is not None:
        flash(_("Saved."), "success")
        return redirect(place_url(kind, home) + "#units", code=303)
    return two_forms(
        _("Unions recognised for %(name)s", name=name),
        _("Recognised means that the employer agrees to bargain with the union."),
        place_url(kind, home),
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
    return form_page(
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
    return form_page(
        scope,
        form,
        title=_("Change %(name)s", name=name),
        save=lambda session: service.edit_union(
            session, scope, union_id, form.values(), seen=form.seen()
        ),
        done=at("union", union_id=union_id),
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
        may_write=may_everywhere(scope, Permission.UNION_WRITE),
    )


@bp.route("/regions/new", methods=["GET", "POST"])
@requires(Permission.UNION_WRITE)
def add_region(scope: Scope) -> ResponseReturnValue:
    """Add a region."""
    scope.require_everywhere(Permission.UNION_WRITE)
    form = forms.RegionForm()
    return form_page(
        scope,
        form,
        title=_("Add a region"),
        lede=_("A part of a country. Workplaces lie in it, and figures can be shown by it."),
        save=lambda session: service.add_region(
            session, scope, form.values(), now=clock.now(), today=my_today()
        ),
        done=at("regions"),
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
        saved = save_form(
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
            blame_day("until"),
        )
    elif post:
        saved = save_form(
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
            blame_day("since", "until"),
        )
    if saved is not None:
        flash(_("Saved."), "success")
        return redirect(url_for("workplaces.union", union_id=union_id), code=303)
    return two_forms(
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
    return form_page(
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
    return form_page(
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
        done=at("branch", branch_id=branch_id),
        said=_("Saved."),
        cancel=url_for("workplaces.branch", branch_id=branch_id),
        blame=lambda refusal: "parent" if isinstance(refusal, LoopInTree) else None,
    )
