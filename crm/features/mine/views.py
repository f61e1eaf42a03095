"""My people: the list, tapped to log a talk; and the page where it is changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, url_for
from flask_babel import gettext, ngettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.assessment import Freshness, freshness_of
from crm.domain.errors import Refusal
from crm.domain.turf import THE_TEN
from crm.features.mine import queries, service
from crm.features.mine.forms import PeopleForm
from crm.reads.turf import MyPerson, list_my_people
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.expiry import expiry_rule
from crm.web.guard import my_today, requires
from crm.web.pages import address_of

bp = Blueprint("mine", __name__)

# A whole workplace is no list to speak from; the page says how many are left out.
MOST = 100


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


@dataclass(frozen=True, slots=True)
class Row:
    """One person on the page, in ready words. freshness goes with rating; None = not asked."""

    name: str
    more: str
    rating: int | None
    firm: bool
    freshness: Freshness | None
    stood: str | None
    talked: str
    never: bool
    log_url: str
    person_url: str | None


@bp.get("/mine")
@requires(Permission.CONVERSATION_WRITE)
def index(scope: Scope) -> str:
    """Show whom the reader looks after: nobody talked to them yet first, then the oldest talk."""
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        people = list_my_people(session, scope, today=today)
    to_talk = [one for one in people if not one.do_not_contact]
    leave_alone = [one for one in people if one.do_not_contact]
    return render_template(
        "mine/index.html",
        today=today,
        rows=[_row(one, today) for one in to_talk[:MOST]],
        number=len(to_talk),
        leave_alone=[_row(one, today) for one in leave_alone[:MOST]],
        never=sum(1 for one in to_talk if one.last_talk is None),
        not_asked=sum(1 for one in to_talk if one.rating is None),
        ten=THE_TEN,
        sheet_url=address_of("sheets.index"),
        turf_url=address_of("turf.index") if scope.may(Permission.TURF_WRITE) else None,
    )


@bp.get("/mine/change")
@requires(Permission.CONVERSATION_WRITE)
def change(scope: Scope) -> Any:
    """Show whom the reader could take on, and whom they could let go."""
    return _change_page(scope)


@bp.post("/mine/take-on")
@requires(Permission.CONVERSATION_WRITE)
def take_on(scope: Scope) -> Any:
    """Put people whom nobody has on the reader's list."""
    form = PeopleForm()
    form.validate()
    try:
        with unit_of_work(scope) as session:
            count = service.take_on(
                session, scope, form.chosen(), today=my_today(), now=clock.now()
            )
    except Refusal as refusal:
        return _change_page(scope, taking=form, refusal=refusal)
    flash(
        ngettext(
            "%(num)s person is on your list now.", "%(num)s people are on your list now.", count
        ),
        "done",
    )
    return redirect(url_for("mine.index"), 303)


@bp.post("/mine/let-go")
@requires(Permission.CONVERSATION_WRITE)
def let_go(scope: Scope) -> Any:
    """Take people off the reader's list."""
    form = PeopleForm(prefix="off-")
    form.validate()
    try:
        with unit_of_work(scope) as session:
            count = service.let_go(session, scope, form.chosen(), today=my_today(), now=clock.now())
    except Refusal as refusal:
        return _change_page(scope, leaving=form, refusal=refusal)
    flash(
        ngettext(
            "%(num)s person is off your list. Nothing else about them has changed.",
            "%(num)s people are off your list. Nothing else about them has changed.",
            count,
        ),
        "done",
    )
    return redirect(url_for("mine.change"), 303)


def _change_page(
    scope: Scope,
    *,
    taking: PeopleForm | None = None,
    leaving: PeopleForm | None = None,
    refusal: Refusal | None = None,
) -> tuple[str, int]:
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        found = queries.list_to_change(session, scope, today=today)
    sent = taking or leaving
    if sent is not None and refusal is not None:
        sent.refuse(refusal, "people")
    on = taking or PeopleForm(formdata=None)
    off = leaving or PeopleForm(formdata=None, prefix="off-")
    on.offer((one.public_id, _in_a_line(one, today)) for one in found.free)
    off.offer((one.public_id, _in_a_line(one, today)) for one in found.by_hand)
    page = render_template(
        "mine/change.html",
        on=on,
        off=off,
        found=found,
        ten=THE_TEN,
        sent=sent,
        has_errors=sent is not None,
    )
    return page, 200 if sent is None else 422


def _row(one: MyPerson, today: date) -> Row:
    names = (one.workplace_name, one.area_name, one.shift_name)
    freshness = None
    stood = None
    if one.scored_on is not None:
        age = (today - one.scored_on).days
        freshness = freshness_of(age, expiry_rule())
        stood = (
            gettext("today") if age <= 0 else ngettext("%(num)s day ago", "%(num)s days ago", age)
        )
    return Row(
        name=one.name,
        more=" · ".join(name for name in names if name),
        rating=one.rating,
        firm=one.firm is not False,
        freshness=freshness,
        stood=stood,
        talked=_talked(one, today),
        never=one.last_talk is None,
        log_url=address_of("conversations.log", contact_id=one.public_id, next="mine") or "",
        person_url=address_of("contacts.show", contact_id=one.public_id),
    )


def _talked(one: MyPerson, today: date) -> str:
    if one.last_talk is None:
        return str(gettext("No talk yet"))
    days = (today - one.last_talk.day).days
    if days <= 0:
        return str(gettext("Talk today"))
    return str(ngettext("Last talk %(num)s day ago", "Last talk %(num)s days ago", days))


def _in_a_line(one: MyPerson, today: date) -> str:
    parts = (one.name, one.area_name or one.workplace_name, one.shift_name, _talked(one, today))
    return " · ".join(part for part in parts if part)
