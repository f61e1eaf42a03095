"""Talk sheets and sign-up sheets: made, printed, and listed until they are typed in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import Refusal
from crm.domain.identity import short_name
from crm.domain.sheet import ISSUE_OF, Names, initials, written_code
from crm.features.sheets import queries, service
from crm.features.sheets.forms import SheetForm
from crm.reads.sheets import SheetOnPaper, get_batch
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.forms import chosen_id
from crm.web.guard import my_today, requires, signed_in
from crm.web.labels import ISSUES
from crm.web.pages import address_of

bp = Blueprint("sheets", __name__)

LATEST = 20
BLANK_LINES = 18


@dataclass(frozen=True, slots=True)
class OnSheet:
    """One line as it is drawn. name: as chosen, None for a number only; whole: for the key."""

    number: int
    name: str | None
    whole: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """One sheet as it is drawn. leader: whom all on it listen to, for the key; None = nobody."""

    code: str
    large: bool
    ask: str | None
    place_name: str
    carrier: str
    leader: str | None
    lines: list[OnSheet]


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


@bp.get("/sheets")
@requires(Permission.CONVERSATION_WRITE)
def index(scope: Scope) -> str:
    """Show what can be printed, for a place or for oneself, and what the reader printed last."""
    place = chosen_id(request.args.get("place"))
    with unit_of_work(scope, read_only=True) as session:
        spot = queries.get_spot(session, scope, place) if place else None
        rows = queries.list_batches(session, scope, limit=LATEST)
    return render_template(
        "sheets/index.html",
        rows=rows,
        spot=spot,
        spot_url=_spot_url(spot) if spot else None,
        type_url=address_of("conversations.which_sheet"),
    )


def _spot_url(spot: queries.Spot) -> str | None:
    if spot.is_area:
        return address_of("workplaces.area", area_id=spot.public_id)
    return address_of("workplaces.show", place_id=spot.public_id)


@bp.route("/sheets/new", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def new(scope: Scope) -> Any:
    """Ask how the sheets should look, or make them: for a place, a leader, or one's own people.

    With ``start``, people listed on another page are sent here to begin with.
    """
    form = SheetForm()
    source = queries.Source(
        place=chosen_id(request.args.get("place")),
        leader=chosen_id(request.args.get("leader")),
        by_leader=request.args.get("by") == "leader",
        promised=request.args.get("by") == "promised",
        picked=form.picked_ids(),
    )
    asked = request.method == "GET" or "start" in request.form
    today, now = my_today(), clock.now()
    if not asked and form.validate():
        batch_id = form.batch_id()
        try:
            with unit_of_work(scope) as session:
                service.make_sheets(
                    session,
                    scope,
                    source,
                    batch_id=batch_id,
                    names=Names(form.names.data),
                    large=form.large.data,
                    ask=form.ask.data or None,
                    carrier=chosen_id(form.carrier.data) or uuid.UUID(int=0),
                    now=now,
                    today=today,
                )
        except Refusal as refusal:
            beside = "carrier" if isinstance(refusal, service.MayNotCarry) else None
            form.refuse(refusal, beside)
        else:
            return redirect(url_for("sheets.show", batch_id=batch_id), 303)
    with unit_of_work(scope, read_only=True) as session:
        found = queries.find_people(session, scope, source, today=today, day=now.date())
    user = signed_in()
    form.offer((key, name) for key, _user, name in found.carriers)
    if asked:
        form.id.data = str(uuid.uuid4())
        form.picked.data = " ".join(str(one) for one in source.picked)
        mine = (str(key) for key, inner, _name in found.carriers if user and inner == user.user_id)
        form.carrier.data = next(mine, None)
    page = render_template(
        "sheets/new.html",
        form=form,
        found=found,
        source=source,
        sides=_sides(found),
        action=url_for(
            "sheets.new",
            place=source.place,
            leader=source.leader,
            by="leader" if source.by_leader else "promised" if source.promised else None,
        ),
    )
    return page, 422 if form.errors else 200


def _sides(found: queries.People) -> list[tuple[str, int]]:
    """Return the name of each leader with how many people listen to them."""
    return [(party.leader[1], len(party.people)) for party in found.parties if party.leader]


@bp.get("/sheets/<uuid:batch_id>")
@requires(Permission.CONVERSATION_WRITE)
def show(scope: Scope, batch_id: UUID) -> str:
    """Show sheets for printing, and their key on a side of its own. It is recorded as taken out."""
    with unit_of_work(scope) as session:
        sheets = get_batch(session, scope, batch_id)
        # Once for each place, so that those who answer for it see that its people left on paper.
        for place_id in dict.fromkeys(one.place_id for one in sheets):
            here = [one for one in sheets if one.place_id == place_id]
            service.note_print(
                session,
                scope,
                filters={"batch": batch_id, "names": here[0].names},
                rows=sum(len(one.lines) for one in here),
                place_id=place_id,
            )
    return render_template(
        "sheets/print.html",
        sheets=[_drawn(one) for one in sheets],
        issues=[(letter, ISSUES[code]) for letter, code in ISSUE_OF.items()],
        back_url=url_for("sheets.index"),
    )


def _drawn(sheet: SheetOnPaper) -> Drawn:
    return Drawn(
        code=written_code(sheet.code),
        large=sheet.large,
        ask=sheet.ask,
        place_name=sheet.place_name,
        carrier=sheet.carrier,
        leader=sheet.leader,
        lines=[OnSheet(one.number, _named(one.name, sheet.names), one.name) for one in sheet.lines],
    )


def _named(name: str, names: Names) -> str | None:
    if names is Names.NUMBERS:
        return None
    return short_name(name) if names is Names.SHORT else initials(name)


@bp.get("/places/<uuid:place_id>/sign-up")
@requires(Permission.CONVERSATION_WRITE)
def sign_up(scope: Scope, place_id: UUID) -> str:
    """Show an empty sheet on which people write themselves down. Nobody's name is on it."""
    with unit_of_work(scope, read_only=True) as session:
        spot = queries.get_spot(session, scope, place_id)
    return render_template(
        "sheets/sign_up.html",
        place_name=spot.name,
        group=str(current_app.config["ORGANISATION"]),
        lines=BLANK_LINES,
        back_url=url_for("sheets.index", place=place_id),
    )
