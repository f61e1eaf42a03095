"""Pages of campaigns and tests: starting them, their rates, and writing down who took part."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.structure import Rung
from crm.features.campaigns import queries, service, wording
from crm.features.campaigns.forms import CampaignForm, DemandForm, FindForm, TestForm
from crm.reads.places import Choice
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.filters import day as day_words
from crm.web.forms import chosen_id
from crm.web.guard import my_today, requires
from crm.web.labels import NOT_KNOWN, label
from crm.web.pages import address_of

bp = Blueprint("campaigns", __name__)

# Names of one list of words and deeds; the people page has the rest.
NAMES_SHOWN = 60
_FIELD_OF: dict[type[Refusal], tuple[str, ...]] = {
    service.EndsBeforeItStarts: ("to_day",),
    service.NoUnit: ("units",),
    service.DayNotYet: ("voted_on", "day"),
    service.BeforeTheList: ("day",),
    service.ClosedBeforeToday: ("closes_on",),
    service.NobodyToList: ("base",),
    service.VotedWithoutDay: ("voted_on",),
}


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


# Campaigns


@bp.get("/campaigns")
@requires(Permission.CONTACT_READ)
def index(scope: Scope) -> str:
    """Show the campaigns; with ``at``, those about one place."""
    at = chosen_id(request.args.get("at"))
    with unit_of_work(scope, read_only=True) as session:
        rows = queries.list_campaigns(session, scope, at=at)
    today = my_today()
    over = [row for row in rows if row.to_day is not None and row.to_day < today]
    return render_template(
        "campaigns/index.html",
        going=[row for row in rows if row not in over],
        over=over,
        at=at,
        may_start=scope.may(Permission.CONVERSATION_WRITE),
        all_url=url_for("campaigns.index") if at else None,
    )


@bp.get("/campaigns/new")
@requires(Permission.CONVERSATION_WRITE)
def new(scope: Scope) -> Any:
    """Show the form for a new campaign; first the question whose it is."""
    owner = chosen_id(request.args.get("place"))
    if owner is None:
        text = request.args.get("q", "")[:80]
        with unit_of_work(scope, read_only=True) as session:
            found = queries.places_to_start(session, scope, text)
        if text or found.more or len(found.places) != 1:
            return render_template(
                "campaigns/where.html",
                found=found,
                text=text,
                find=FindForm(formdata=None, data={"q": text}),
            )
        owner = uuid.UUID(found.places[0].value)
    form = CampaignForm(formdata=None)
    form.id.data = str(uuid.uuid4())
    form.from_day.data = my_today()
    form.units.data = [str(owner)]
    return _new_page(scope, form, owner)


@bp.post("/campaigns/new")
@requires(Permission.CONVERSATION_WRITE)
def create(scope: Scope) -> Any:
    """Start a campaign."""
    owner = chosen_id(request.args.get("place"))
    if owner is None:
        raise NotFound("no place chosen")
    form = CampaignForm()
    if form.validate() and _done(
        scope,
        form,
        lambda session: service.start_campaign(
            session,
            scope,
            form.facts(),
            owner=owner,
            units=form.chosen(),
            campaign_id=form.record_id(),
            now=clock.now(),
        ),
    ):
        return _to_campaign(form.record_id(), gettext("The campaign is started."))
    return _new_page(scope, form, owner, 422)


def _new_page(scope: Scope, form: CampaignForm, owner: UUID, status: int = 200) -> tuple[str, int]:
    with unit_of_work(scope, read_only=True) as session:
        name, units = queries.units_of_place(session, scope, owner)
    whole, *parts = units
    form.offer(
        [
            Choice(whole.value, gettext("All of %(name)s", name=name)),
            *parts,
        ]
        if parts
        else units
    )
    page = render_template(
        "campaigns/new.html",
        form=form,
        name=name,
        action=url_for("campaigns.create", place=owner),
    )
    return page, status


@bp.get("/campaigns/<uuid:campaign_id>")
@requires(Permission.CONTACT_READ)
def show(scope: Scope, campaign_id: UUID) -> str:
    """Show a campaign: its demands, its tests, and whether they grow."""
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        campaign = queries.get_campaign(session, scope, campaign_id)
    held = [one for one in campaign.tests if one.tally.listed]
    return render_template(
        "campaigns/show.html",
        campaign=campaign,
        tests=[
            {
                "url": url_for("campaigns.test", test_id=one.public_id),
                "name": one.name,
                "kind": label(one.kind),
                "risk": one.risk,
                "frozen_on": one.frozen_on,
                "closes_on": one.closes_on,
                "rate": wording.rate_words(one.tally),
                "whole": one.whole,
                "target": wording.target_words(one, today),
            }
            for one in reversed(held)
        ],
        chart=wording.steps_chart(held, today) if held else None,
        partly=any(not one.whole for one in held),
    )


@bp.route("/campaigns/<uuid:campaign_id>/change", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def change(scope: Scope, campaign_id: UUID) -> Any:
    """Change the name, the days or the target of a campaign."""
    with unit_of_work(scope, read_only=True) as session:
        campaign = queries.get_campaign(session, scope, campaign_id)
    if not campaign.may_run:
        raise NotFound(f"campaign to change {campaign_id}")
    form = CampaignForm()
    status = 200
    both: list[tuple[str, str, str]] = []
    if request.method == "GET":
        form = CampaignForm(
            formdata=None,
            data={
                "name": campaign.name,
                "from_day": campaign.from_day,
                "to_day": campaign.to_day,
                "target": campaign.target,
                "version": campaign.version,
            },
        )
    else:
        status = 422
        if form.validate():
            try:
                with unit_of_work(scope) as session:
                    service.change_campaign(
                        session,
                        scope,
                        campaign_id,
                        form.facts(),
                        version=form.version.data or 0,
                    )
                return _to_campaign(campaign_id, gettext("Saved."))
            except EditConflict as conflict:
                status = 409
                form.refuse(conflict)
                # Saving again, with this version, is a choice made with both in sight.
                form.version.data, form.version.raw_data = conflict.current["version"], None
                both = [
                    (
                        str(form[name].label.text),
                        _said(conflict.current[name]),
                        _said(conflict.yours[name]),
                    )
                    for name in conflict.yours
                    if conflict.current[name] != conflict.yours[name]
                ]
            except Refusal as refusal:
                _refuse(form, refusal)
    page = render_template("campaigns/change.html", form=form, campaign=campaign, both=both)
    return page, status


def _said(value: object) -> str:
    if value is None:
        return str(NOT_KNOWN)
    return day_words(value) if isinstance(value, date) else str(value)


@bp.route("/campaigns/<uuid:campaign_id>/demands/new", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def add_demand(scope: Scope, campaign_id: UUID) -> Any:
    """Add a demand, and how members voted on it."""
    with unit_of_work(scope, read_only=True) as session:
        campaign = queries.get_campaign(session, scope, campaign_id)
    if not campaign.may_run:
        raise NotFound(f"campaign to change {campaign_id}")
    form = DemandForm(data={"id": str(uuid.uuid4())})
    if (
        request.method == "POST"
        and form.validate()
        and _done(
            scope,
            form,
            lambda session: service.add_demand(
                session,
                scope,
                campaign_id,
                form.text("words") or "",
                form.vote(),
                demand_id=form.record_id(),
                today=my_today(),
                now=clock.now(),
            ),
        )
    ):
        return _to_campaign(campaign_id, gettext("Saved."))
    page = render_template("campaigns/demand.html", form=form, campaign=campaign)
    return page, 200 if request.method == "GET" else 422


@bp.post("/campaigns/demands/<uuid:demand_id>/drop")
@requires(Permission.CONVERSATION_WRITE)
def drop_demand(scope: Scope, demand_id: UUID) -> Any:
    """Say that a demand is dropped, or stands again."""
    with unit_of_work(scope) as session:
        campaign = service.drop_demand(session, scope, demand_id, today=my_today())
    return _to_campaign(campaign, gettext("Saved."))


# Tests


@bp.route("/campaigns/<uuid:campaign_id>/tests/new", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def start_test(scope: Scope, campaign_id: UUID) -> Any:
    """Start a test: its list is frozen with the same act."""
    with unit_of_work(scope, read_only=True) as session:
        campaign = queries.get_campaign(session, scope, campaign_id)
        bases = queries.bases_to_choose(session, scope, campaign_id)
    if not bases:
        raise NotFound(f"places to test of {campaign_id}")
    form = TestForm(data={"id": str(uuid.uuid4())})
    form.offer((one.value, one.label or gettext("Everyone the campaign is about")) for one in bases)
    if (
        request.method == "POST"
        and form.validate()
        and _done(
            scope,
            form,
            lambda session: service.start_test(
                session,
                scope,
                campaign_id,
                test_id=form.record_id(),
                kind=Rung(form.kind.data),
                name=form.text("name") or "",
                base=_base_of(form),
                target=form.target.data,
                closes_on=form.closes_on.data,
                today=my_today(),
                now=clock.now(),
            ),
        )
    ):
        flash(gettext("The list is made. It does not change any more."), "done")
        return redirect(url_for("campaigns.test", test_id=form.record_id()), 303)
    page = render_template("campaigns/start_test.html", form=form, campaign=campaign)
    return page, 200 if request.method == "GET" else 422


def _base_of(form: TestForm) -> UUID | None:
    if not form.base.data:
        return None
    found = chosen_id(form.base.data)
    if found is None:
        raise NotFound("a base that is no place")
    return found


@bp.get("/tests/<uuid:test_id>")
@requires(Permission.CONTACT_READ)
def test(scope: Scope, test_id: UUID) -> str:
    """Show who took part in a test: rates by area and shift, by leader, words and deeds."""
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_test(session, scope, test_id)
    held = found.held
    return render_template(
        "campaigns/test.html",
        found=found,
        held=held,
        today=today,
        rate=wording.rate_words(held.tally),
        target=wording.target_words(held, today),
        reasons=wording.reasons(held.tally),
        columns=wording.tally_columns(
            [
                *([gettext("Workplace")] if found.several_sites else []),
                gettext("Area"),
                gettext("Shift"),
            ]
        ),
        rows=[
            [
                *([row.workplace] if found.several_sites else []),
                row.area,
                row.shift,
                *wording.tally_cells(row.tally),
            ]
            for row in found.groups
        ],
        foot=[
            gettext("Everyone on the list"),
            *([""] if found.several_sites else []),
            "",
            *wording.tally_cells(held.tally),
        ],
        leader_columns=wording.tally_columns([gettext("Leader")]),
        leader_rows=[
            [
                {
                    "text": one.name or gettext("Somebody you do not see"),
                    "url": _person(one.person_id),
                },
                *wording.tally_cells(one.tally),
            ]
            for one in found.leaders
        ],
        unled=wording.tally_cells(found.nobody_known) if found.nobody_known.listed else None,
        judged_columns=wording.tally_columns([gettext("Who judged them 1 or 2")]),
        judged_rows=[[one.name, *wording.tally_cells(one.tally)] for one in found.judged or ()],
        said_yes_did_not=found.said_yes_did_not[:NAMES_SHOWN],
        unsure_did=found.unsure_did[:NAMES_SHOWN],
        person_url=_person,
    )


@bp.route("/tests/<uuid:test_id>/off", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def call_off(scope: Scope, test_id: UUID) -> Any:
    """Call a test off, or say that it counts after all."""
    if request.method == "POST":
        with unit_of_work(scope) as session:
            campaign = service.call_off(session, scope, test_id, now=clock.now())
        return _to_campaign(campaign, gettext("Saved."))
    with unit_of_work(scope, read_only=True) as session:
        found = queries.find_test(session, scope, test_id, permission=Permission.CONVERSATION_WRITE)
        name, off = found.name, found.called_off_at is not None
    return render_template("campaigns/off.html", name=name, off=off, test_id=test_id)


# What the pages share


def _done(scope: Scope, form: Any, work: Callable[[Any], object]) -> bool:
    """Do the work in one unit; put a refusal into the form. Return whether it was done."""
    try:
        with unit_of_work(scope) as session:
            work(session)
    except Refusal as refusal:
        _refuse(form, refusal)
        return False
    return True


def _refuse(form: Any, refusal: Refusal) -> None:
    fields = [name for name in _FIELD_OF.get(type(refusal), ()) if name in form]
    form.refuse(refusal, fields[0] if fields else None)


def _to_campaign(campaign_id: UUID, words: str) -> Any:
    flash(words, "done")
    return redirect(url_for("campaigns.show", campaign_id=campaign_id), 303)


def _person(public_id: UUID | None) -> str | None:
    if public_id is None:
        return None
    return address_of("contacts.show", contact_id=public_id)
