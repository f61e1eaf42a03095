"""Who has whom: the overview, a workplace, a rep who hands over, and a move with its undo."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.turf import UndoneAlready
from crm.domain.errors import Refusal
from crm.domain.turf import THE_TEN
from crm.features.turf import queries, service
from crm.features.turf.forms import (
    NOBODY,
    AreaForm,
    GiveForm,
    HandOverForm,
    hand_over_form,
)
from crm.reads.turf import MyPerson
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.forms import chosen_id
from crm.web.guard import my_today, requires
from crm.web.labels import rating_label
from crm.web.pages import address_of

bp = Blueprint("turf", __name__)

EVERYBODY = "all"


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


@bp.get("/turf")
@requires(Permission.TURF_WRITE)
def index(scope: Scope) -> str:
    """Show what waits for a new rep, and the workplaces with who has nobody."""
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_overview(
            session, scope, today=today, day=clock.now().date(), offset=_offset()
        )
    return render_template("turf/index.html", found=found, today=today, pages=_pages(found))


@bp.get("/turf/places/<uuid:place_id>")
@requires(Permission.TURF_WRITE)
def site(scope: Scope, place_id: UUID) -> Any:
    """Show who has whom at a workplace.

    ``of``: a rep's id, or "all"; nothing = nobody's. ``area``: the id of the area that is chosen
    already where an area is given to a rep.
    """
    return _site_page(scope, place_id)


@bp.post("/turf/places/<uuid:place_id>")
@requires(Permission.TURF_WRITE)
def give(scope: Scope, place_id: UUID) -> Any:
    """Give the chosen people to a rep, or to nobody."""
    form = GiveForm()
    if not form.validate_on_submit():
        return _site_page(scope, place_id, giving=form)
    try:
        with unit_of_work(scope) as session:
            move = service.give(
                session,
                scope,
                place_id,
                form.chosen(),
                to=form.to.chosen(),
                today=my_today(),
                now=clock.now(),
            )
    except Refusal as refusal:
        form.refuse(refusal, "people")
        return _site_page(scope, place_id, giving=form)
    return redirect(url_for("turf.move", move_id=move), 303)


@bp.post("/turf/places/<uuid:place_id>/areas")
@requires(Permission.TURF_WRITE)
def add_area(scope: Scope, place_id: UUID) -> Any:
    """Give an area to a rep."""
    form = AreaForm()
    if not form.validate_on_submit():
        return _site_page(scope, place_id, area=form)
    place, rep = form.place.chosen(), form.rep.chosen()
    try:
        with unit_of_work(scope) as session:
            name = service.add_area(
                session,
                scope,
                place_id,
                place=place or place_id,
                shift=form.shift.chosen(),
                to=rep or place_id,
                today=my_today(),
                now=clock.now(),
            )
    except Refusal as refusal:
        form.refuse(refusal)
        return _site_page(scope, place_id, area=form)
    flash(gettext("%(name)s looks after this area from today on.", name=name), "done")
    return redirect(url_for("turf.site", place_id=place_id, _anchor="areas"), 303)


@bp.post("/turf/areas/<uuid:turf_id>/end")
@requires(Permission.TURF_WRITE)
def end_area(scope: Scope, turf_id: UUID) -> Any:
    """End a rep's area today."""
    with unit_of_work(scope) as session:
        place_id = service.take_area(session, scope, turf_id, today=my_today(), now=clock.now())
    flash(gettext("The area is nobody’s from today on. People given by name stay."), "done")
    return redirect(url_for("turf.site", place_id=place_id, _anchor="areas"), 303)


@bp.get("/turf/reps/<uuid:user_id>")
@requires(Permission.TURF_WRITE)
def rep(scope: Scope, user_id: UUID) -> Any:
    """Show all that a rep has here, and ask who takes it over."""
    return _rep_page(scope, user_id)


@bp.post("/turf/reps/<uuid:user_id>")
@requires(Permission.TURF_WRITE)
def hand_over(scope: Scope, user_id: UUID) -> Any:
    """Give all that a rep has here to others."""
    return _rep_page(scope, user_id, sent=True)


@bp.get("/turf/moves/<uuid:move_id>")
@requires(Permission.TURF_WRITE)
def move(scope: Scope, move_id: UUID) -> str:
    """Show what a move did, with a way to undo it."""
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_move(session, scope, move_id)
    return render_template("turf/move.html", found=found)


@bp.post("/turf/moves/<uuid:move_id>/undo")
@requires(Permission.TURF_WRITE)
def undo(scope: Scope, move_id: UUID) -> Any:
    """Put a move back."""
    try:
        with unit_of_work(scope) as session:
            undone = service.undo(session, scope, move_id, now=clock.now())
    except UndoneAlready:
        # Sent twice: what was asked for has happened.
        return redirect(url_for("turf.move", move_id=move_id), 303)
    words = [
        ngettext(
            "%(num)s is as it was before.", "%(num)s are as they were before.", undone.put_back
        )
    ]
    if undone.left:
        words.append(
            ngettext(
                "%(num)s was changed since, and stays.",
                "%(num)s were changed since, and stay.",
                undone.left,
            )
        )
    flash(" ".join(words), "warning" if undone.left else "done")
    return redirect(url_for("turf.move", move_id=move_id), 303)


def _site_page(
    scope: Scope,
    place_id: UUID,
    *,
    giving: GiveForm | None = None,
    area: AreaForm | None = None,
) -> tuple[str, int]:
    of = request.args.get("of", "")
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_site(
            session,
            scope,
            place_id,
            of=chosen_id(of),
            everybody=of == EVERYBODY,
            today=my_today(),
            day=clock.now().date(),
            offset=_offset(),
        )
    sent = giving or area
    speakers = [(one.public_id, one.name) for one in found.speakers]
    give_form = giving or GiveForm(formdata=None)
    give_form.offer((one.public_id, _in_a_line(one, rep)) for one, rep in found.shown)
    give_form.to.offer(
        [("", gettext("Choose")), *speakers, (NOBODY, gettext("Nobody (take them off by name)"))]
    )
    area_form = area or AreaForm(formdata=None)
    area_form.place.offer((one.public_id, one.name) for one in found.places)
    area_form.shift.offer(
        [("", gettext("All shifts")), *((one.public_id, one.name) for one in found.shifts)]
    )
    area_form.rep.offer([("", gettext("Choose")), *speakers])
    wanted = request.args.get("area", "")
    if area is None and any(wanted == str(one.public_id) for one in found.places):
        area_form.place.data = wanted
    page = render_template(
        "turf/site.html",
        found=found,
        of=of,
        whose=next((one.name for one in found.reps if str(one.user_id) == of), None),
        today=my_today(),
        ten=THE_TEN,
        giving=give_form,
        area=area_form,
        sent=sent,
        has_errors=sent is not None,
        pages=_site_pages(found, place_id, of),
        wall_url=address_of("wallchart.show", place_id=place_id),
    )
    return page, 200 if sent is None else 422


def _rep_page(scope: Scope, user_id: UUID, *, sent: bool = False) -> Any:
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_holdings(session, scope, user_id, today=today, day=clock.now().date())
        parts = [
            (part.public_id, part.name, [(one.public_id, one.name) for one in part.speakers])
            for part in found.parts
        ]
        for_all = [(one.public_id, one.name) for one in found.for_all]
    form = hand_over_form(parts, for_all, **({} if sent else {"formdata": None}))
    if sent and form.validate():
        done = _hand_over(scope, user_id, form)
        if done is not None:
            return redirect(url_for("turf.move", move_id=done), 303)
    page = render_template("turf/rep.html", found=found, form=form, today=today)
    return page, 422 if sent else 200


def _hand_over(scope: Scope, user_id: UUID, form: HandOverForm) -> UUID | None:
    """Return the move, or None with the refusal in the form."""
    try:
        with unit_of_work(scope) as session:
            return service.hand_over(
                session,
                scope,
                user_id,
                to=form.to.chosen(),
                at=form.heirs(),
                today=my_today(),
                now=clock.now(),
            )
    except Refusal as refusal:
        form.refuse(refusal, "to")
        return None


def _in_a_line(one: MyPerson, rep: str | None) -> str:
    parts = (one.name, one.area_name or "", one.shift_name or "", rating_label(one.rating))
    words = " · ".join(part for part in parts if part)
    return words if rep is None else f"{words} · {gettext('with %(name)s', name=rep)}"


def _offset() -> int:
    return max(0, request.args.get("start", 0, type=int) or 0) % 1_000_000


def _pages(found: queries.Overview) -> dict[str, str | None]:
    step = queries.SITES_SHOWN
    before, after = found.offset - step, found.offset + step
    return {
        "previous": url_for("turf.index", start=max(0, before)) if found.offset else None,
        "next": url_for("turf.index", start=after) if after < found.total else None,
    }


def _site_pages(found: queries.SitePage, place_id: UUID, of: str) -> dict[str, str | None]:
    step = queries.PEOPLE_SHOWN
    before, after = found.offset - step, found.offset + step
    kept: dict[str, Any] = {"place_id": place_id, "of": of or None}
    return {
        "previous": url_for("turf.site", **kept, start=max(0, before)) if found.offset else None,
        "next": url_for("turf.site", **kept, start=after) if after < found.matching else None,
    }
