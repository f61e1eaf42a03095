"""The forms of headcounts and of stated member counts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import Refusal
from crm.domain.headcount import MOST_PEOPLE
from crm.features.workplaces import forms, queries, service
from crm.features.workplaces.blueprint import bp
from crm.features.workplaces.form_page import Blame, form_page, pairs, place_url
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.guard import my_today, requires


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
    return form_page(
        scope,
        form,
        title=_("How many people work at %(name)s?", name=name),
        lede=_("A rough count with a lowest and a highest number is better than none."),
        save=lambda session: service.add_headcount(
            session, scope, place_id, form.values(), now=clock.now(), today=my_today()
        ),
        done=lambda saved: place_url(kind, place_id) + "#headcounts",
        said=_("Saved."),
        cancel=place_url(kind, place_id),
        blame=_blame_count(form, "low", "best", "high"),
    )


@bp.route("/headcounts/<uuid:count_id>", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def correct_headcount(scope: Scope, count_id: UUID) -> ResponseReturnValue:
    """Put right a count of workers."""
    with unit_of_work(scope, read_only=True) as session:
        name, kind, home, start = service.headcount_now(session, scope, count_id)
    form = forms.HeadcountForm(data=None if request.method == "POST" else start)
    return form_page(
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
        done=lambda saved: place_url(kind, home) + "#headcounts",
        said=_("Corrected."),
        cancel=place_url(kind, home),
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
    return redirect(place_url(kind, home) + "#headcounts", code=303)


@bp.route("/<uuid:place_id>/member-counts/new", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def add_member_count(scope: Scope, place_id: UUID) -> ResponseReturnValue:
    """Record a number of members stated without names."""
    with unit_of_work(scope, read_only=True) as session:
        name, kind = service.place_named(session, scope, place_id)
        unions = queries.list_union_choices(session, scope)
    start = {"on_day": my_today(), "source_kind": "union_list"}
    form = forms.MemberCountForm(data=None if request.method == "POST" else start)
    form.union.offer(pairs(unions))
    return form_page(
        scope,
        form,
        title=_("How many members work at %(name)s?", name=name),
        lede=_("Use this when a union says how many members it has but not who they are."),
        save=lambda session: service.add_member_count(
            session, scope, place_id, form.values(), now=clock.now(), today=my_today()
        ),
        done=lambda saved: place_url(kind, place_id) + "#member-counts",
        said=_("Saved."),
        cancel=place_url(kind, place_id),
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
    form.union.offer(pairs(unions))
    return form_page(
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
        done=lambda saved: place_url(kind, home) + "#member-counts",
        said=_("Corrected."),
        cancel=place_url(kind, home),
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
    return redirect(place_url(kind, home) + "#member-counts", code=303)
