"""Strike-readiness on screen, what was decided, and the people to go and see."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound, Refusal
from crm.domain.readiness import DEFAULT_TARGETS, Finding
from crm.domain.vocabulary import PlaceKind
from crm.features.readiness import forms, queries, service, wording
from crm.reads.decisions import Unit, terms_in_force
from crm.reads.places import holds_place
from crm.reads.readiness import Wanted, get_readiness
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.expiry import expiry_rule
from crm.web.filters import day as day_text
from crm.web.guard import my_today, requires
from crm.web.labels import label
from crm.web.pages import address_of

bp = Blueprint("readiness", __name__)

_DUE_IN = timedelta(days=7)


def install(app: Flask) -> None:
    """Register the routes."""
    app.register_blueprint(bp)


@bp.get("/ready")
@requires(Permission.DENSITY_READ)
def index(scope: Scope) -> str:
    """Show the places whose readiness the reader may see."""
    with unit_of_work(scope, read_only=True) as session:
        units, more = queries.list_units(session, scope)
    return render_template(
        "readiness/index.html",
        rows=[
            {
                "name": unit.name,
                "url": url_for("readiness.show", place_id=unit.public_id),
                "more": label(unit.kind),
            }
            for unit in units
        ],
        more=more,
    )


@bp.get("/ready/<uuid:place_id>")
@requires(Permission.DENSITY_READ)
def show(scope: Scope, place_id: UUID) -> Any:
    """Show the gates, the range and what to do next."""
    form = forms.DayForm(formdata=request.args)
    as_at = form.check(my_today())
    with unit_of_work(scope, read_only=True) as session:
        unit = queries.get_unit(session, scope, place_id)
        found = get_readiness(
            session, scope, unit, as_at=as_at, day=clock.now().date(), expiry=expiry_rule()
        )
        may_decide = holds_place(session, scope, place_id, Permission.DECISION_WRITE)

    def _address(what: str, **more: Any) -> str | None:
        return _next_address(scope, unit, may_decide, what, **more)

    page = render_template(
        "readiness/show.html",
        form=form,
        unit=unit,
        as_at=day_text(as_at),
        headline=wording.headline(found.whole),
        gates=wording.gate_lines(found),
        steps=wording.next_steps(found, _address),
        index=wording.index_text(found.whole.index),
        index_lines=wording.index_lines(found.whole),
        weakest_area=wording.weakest_area(found),
        chart=wording.parts_chart(found),
        sites=wording.sites_table(found, _show_url) if found.sites else None,
        said=[wording.said_text(one) for one in found.said.values()],
        terms_line=wording.terms_line(found),
        caveats=wording.caveats(),
        may_decide=may_decide,
        red=any(gate.is_open is False for gate in found.whole.gates),
    )
    return page, 422 if form.errors else 200


def _show_url(public_id: UUID) -> str:
    return url_for("readiness.show", place_id=public_id)


def _next_address(scope: Scope, unit: Unit, may_decide: bool, what: str, **more: Any) -> str | None:
    """Return the address of the page where a step can be done; None where this reader cannot."""
    if what == "people" and scope.may(Permission.CONVERSATION_WRITE):
        return url_for("readiness.people", place_id=unit.public_id, want=more["want"].value)
    if what == "found" and may_decide:
        return url_for("readiness.found", place_id=unit.public_id, kind=more["kind"].value)
    if what == "turf" and scope.may(Permission.TURF_WRITE):
        # Down to where an area is given to a rep, with this one chosen.
        chosen = {"area": more["area"], "_anchor": "areas"}
        return address_of("turf.site", place_id=more["place"], **chosen)
    if what == "tests":
        return address_of("campaigns.index")
    if what == "ballots":
        return address_of("ballots.index")
    may_log = scope.may(Permission.CONVERSATION_WRITE)
    if what == "leaders" and unit.kind is PlaceKind.WORKPLACE and may_log:
        return address_of("wallchart.talk_list", place_id=unit.public_id, gap="no_leader")
    return None


@bp.route("/ready/<uuid:place_id>/people", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def people(scope: Scope, place_id: UUID) -> Any:
    """Show the people of a gap, and give each to the rep who looks after them."""
    try:
        want = Wanted(request.args.get("want") or Wanted.ASK.value)
    except ValueError as error:
        raise NotFound("gap") from error
    today, day = my_today(), clock.now().date()
    form = forms.RemindForm()
    with unit_of_work(scope, read_only=True) as session:
        unit = queries.get_unit(session, scope, place_id)
        found = queries.list_people(
            session, scope, unit, want, today=today, day=day, expiry=expiry_rule()
        )
    if request.method == "POST" and form.validate():
        try:
            with unit_of_work(scope) as session:
                given = service.remind_reps(
                    session,
                    scope,
                    place_id,
                    want,
                    due_on=form.due_on.data,
                    what=wording.task_text(want),
                    now=clock.now(),
                    today=today,
                    day=day,
                    expiry=expiry_rule(),
                )
        except Refusal as refusal:
            form.refuse(refusal, None if isinstance(refusal, service.NobodyHasRep) else "due_on")
        else:
            _say(given)
            return redirect(url_for("readiness.show", place_id=place_id), 303)
    elif request.method == "GET":
        form.due_on.data = today + _DUE_IN
    page = render_template(
        "readiness/people.html",
        form=form,
        unit=unit,
        want=want,
        title=wording.people_title(want),
        task=wording.task_text(want),
        found=found,
        with_rep=sum(person.rep_id is not None for person in found.people),
        by_rep=sorted(Counter(one.rep for one in found.people if one.rep is not None).items()),
        turf_url=_turf_url(scope, unit),
        links={
            person.public_id: address_of("contacts.show", contact_id=person.public_id)
            for person in found.people
        },
    )
    return page, 422 if form.errors or form.form_errors else 200


def _turf_url(scope: Scope, unit: Unit) -> str | None:
    if not scope.may(Permission.TURF_WRITE):
        return None
    if unit.kind is PlaceKind.WORKPLACE:
        return address_of("turf.site", place_id=unit.public_id)
    return address_of("turf.index")


def _say(given: service.Reminded) -> None:
    words = ngettext(
        "%(num)s person given to their rep: %(names)s.",
        "%(num)s people given to their reps: %(names)s.",
        given.people,
        names=", ".join(f"{name} {count}" for name, count in given.by_rep),
    )
    if given.nobody:
        words += " " + ngettext(
            "%(num)s person has no rep yet.", "%(num)s people have no rep yet.", given.nobody
        )
    flash(words)


@bp.route("/ready/<uuid:place_id>/found", methods=["GET", "POST"])
@requires(Permission.DECISION_WRITE)
def found(scope: Scope, place_id: UUID) -> Any:
    """Write down what a group found or decided, and show all that was written down before."""
    form = forms.FindingForm()
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        unit = queries.get_unit(session, scope, place_id, permission=Permission.DECISION_WRITE)
        kept = queries.list_findings(session, scope, unit)
    if request.method == "POST" and form.validate():
        try:
            with unit_of_work(scope) as session:
                service.record_finding(
                    session,
                    scope,
                    place_id,
                    kind=Finding(form.kind.data),
                    answer=form.answer.data == "yes",
                    on_day=form.on_day.data,
                    words=form.text("words") or "",
                    now=clock.now(),
                    today=today,
                )
        except Refusal as refusal:
            form.refuse(refusal, "on_day")
        else:
            flash(_("Written down."))
            return redirect(url_for("readiness.show", place_id=place_id), 303)
    elif request.method == "GET":
        asked = request.args.get("kind")
        form.kind.data = asked if asked in set(Finding) else Finding.LIST_CHECKED.value
        form.on_day.data = today
    page = render_template(
        "readiness/found.html", form=form, unit=unit, history=wording.history_rows(kept)
    )
    return page, 422 if form.errors or form.form_errors else 200


@bp.route("/ready/<uuid:place_id>/terms", methods=["GET", "POST"])
@requires(Permission.DECISION_WRITE)
def terms(scope: Scope, place_id: UUID) -> Any:
    """Set the weights, targets and limits of a group, and show all that it decided before."""
    form = forms.TermsForm()
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        unit = queries.get_unit(session, scope, place_id, permission=Permission.DECISION_WRITE)
        kept = queries.list_terms(session, scope, unit)
        in_force = terms_in_force(session, scope, unit, as_at=today)
    if request.method == "POST" and form.validate():
        try:
            with unit_of_work(scope) as session:
                service.set_terms(
                    session,
                    scope,
                    place_id,
                    terms=form.terms(),
                    from_day=form.from_day.data,
                    decided_by=form.text("decided_by") or "",
                    now=clock.now(),
                )
        except Refusal as refusal:
            form.refuse(refusal, None)
        else:
            flash(_("Weights and limits set from %(day)s.", day=day_text(form.from_day.data)))
            return redirect(url_for("readiness.show", place_id=place_id), 303)
    elif request.method == "GET":
        form.fill(in_force.terms)
        form.from_day.data = today
    page = render_template(
        "readiness/terms.html",
        form=form,
        unit=unit,
        parts=[
            (
                label(part),
                [form[forms.field_name(part, name)] for name in ("floor", "target", "weight")],
            )
            for part in DEFAULT_TARGETS
        ],
        limits=[
            form[name]
            for name in ("list_age_days", "verified_share", "chance", "test_share", "area_share")
        ],
        history=wording.history_rows(kept),
    )
    return page, 422 if form.errors or form.form_errors else 200
