"""Pages of campaigns and tests: starting them, their rates, and writing down who took part."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.identity import short_name
from crm.domain.sheet import LINES
from crm.domain.structure import (
    CHECK_SIGNS,
    Deed,
    Evidence,
    Rung,
    read_numbers,
    written_number,
)
from crm.features.campaigns import queries, service, wording
from crm.features.campaigns.forms import (
    CampaignForm,
    DemandForm,
    FindForm,
    KnownForm,
    MarkForm,
    SheetForm,
    TestForm,
    UnitsForm,
)
from crm.reads.places import Choice
from crm.reads.structure import open_tests
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.errors import sentence
from crm.web.filters import day as day_words
from crm.web.forms import chosen_id
from crm.web.guard import my_today, my_zone, requires
from crm.web.labels import NOT_KNOWN, label
from crm.web.pages import address_of
from crm.web.taps import UUID_IN_PATH, About, KeptList, Kind, OnList, Tap, offer

bp = Blueprint("campaigns", __name__)

# Names of one list of words and deeds; the people page has the rest.
NAMES_SHOWN = 60
# Lines of the tracker and of the table on one page, and of what somebody typed in last.
TAPS_SHOWN = 40
LINES_SHOWN = 100
LATEST_SHOWN = 30
# No list is longer than a number of so many digits.
MOST_DIGITS = 7
_FIELD_OF: dict[type[Refusal], tuple[str, ...]] = {
    service.EndsBeforeItStarts: ("to_day",),
    service.NoUnit: ("units",),
    service.DayNotYet: ("voted_on", "day"),
    service.BeforeTheList: ("day",),
    service.ClosedBeforeToday: ("closes_on",),
    service.NobodyToList: ("base",),
    service.VotedWithoutDay: ("voted_on",),
    service.NotOnThisList: ("numbers",),
}


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)
    offer(
        app,
        Kind(
            name="tests",
            address=re.compile(f"/tests/{UUID_IN_PATH}/mine"),
            lists=_lists_to_keep,
            take=_take_tap,
            about=_about_tap,
            keeps=True,
        ),
    )


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
                "rate": wording.rate_words(one.tally, one.target),
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


@bp.route("/campaigns/<uuid:campaign_id>/places", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def units(scope: Scope, campaign_id: UUID) -> Any:
    """Change whom a campaign is about, for tests that begin from now on."""
    with unit_of_work(scope, read_only=True) as session:
        campaign = queries.get_campaign(session, scope, campaign_id)
        offered = queries.units_to_choose(session, scope, campaign_id)
    form, status = UnitsForm(), 200
    both: list[tuple[str, str, str]] = []
    if request.method == "GET":
        given = {"units": list(offered.taken), "version": campaign.version}
        form = UnitsForm(formdata=None, data=given)
    elif form.validate():
        status = 422
        try:
            with unit_of_work(scope) as session:
                service.change_units(
                    session,
                    scope,
                    campaign_id,
                    form.chosen(),
                    version=form.version.data or 0,
                    today=my_today(),
                )
            return _to_campaign(campaign_id, gettext("Saved. Tests from now on follow it."))
        except EditConflict as conflict:
            status = 409
            form.refuse(conflict)
            # Saving again, with this version, is a choice made with both in sight.
            form.version.data, form.version.raw_data = conflict.current["version"], None
            both = [
                (
                    str(form.units.label.text),
                    _said(conflict.current["units"]),
                    _said(conflict.yours["units"]),
                )
            ]
        except Refusal as refusal:
            _refuse(form, refusal)
    else:
        status = 422
    form.offer(offered.choices)
    page = render_template("campaigns/units.html", form=form, campaign=campaign, both=both)
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
def test(scope: Scope, test_id: UUID) -> tuple[str, int]:
    """Show who took part in a test: rates by area and shift, by leader, words and deeds.

    ``knew``: as we knew at the end of that day; without it as we know now.
    """
    today = my_today()
    form = KnownForm(formdata=request.args)
    knew = form.knew.data if form.validate() else None
    if knew is not None and knew >= today:
        knew = None
    moment = None if knew is None else clock.end_of(knew, my_zone())
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_test(session, scope, test_id, known_at=moment)
    held = found.held
    page = render_template(
        "campaigns/test.html",
        found=found,
        held=held,
        today=today,
        knew=knew,
        form=form,
        rate=wording.rate_words(held.tally, held.target),
        target=wording.target_words(held, today),
        funnel=wording.funnel(held.tally, held.frozen_on, today),
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
    return page, 422 if form.errors else 200


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


# Who took part


@bp.get("/tests/<uuid:test_id>/mine")
@requires(Permission.CONVERSATION_WRITE)
def mine(scope: Scope, test_id: UUID) -> Any:
    """Show the reader's people on the list, to be marked with one tap each.

    ``show``: "mine", or "all" that the reader may mark; without it all when nobody is theirs.
    ``only=open``: those not known. ``page``: from 1.
    """
    return _tracker(scope, test_id)


@bp.post("/tests/<uuid:test_id>/mine")
@requires(Permission.CONVERSATION_WRITE)
def tap(scope: Scope, test_id: UUID) -> Any:
    """Write down what was tapped, or take back what was last written; back to the same line."""
    number = 0
    try:
        with unit_of_work(scope) as session:
            for name, value in request.form.items():
                if name in _TAPS or name == "back":
                    number = _number(value)
                    if name == "back":
                        service.take_back(session, scope, test_id, number, now=clock.now())
                    else:
                        service.mark(
                            session,
                            scope,
                            test_id,
                            [number],
                            service.Mark(Deed(name)),
                            today=my_today(),
                            now=clock.now(),
                        )
                    break
            else:
                raise NotFound("nothing tapped")
    except Refusal as refusal:
        return _tracker(scope, test_id, refusal)
    return redirect(
        url_for("campaigns.mine", test_id=test_id, _anchor=f"n{number}", **_asked()), 303
    )


_TAPS = frozenset(deed.value for deed in Deed)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise NotFound("a number that is none")
    return int(text)


def _asked() -> dict[str, Any]:
    """Return the part of the list that is asked for, for the addresses of the tracker."""
    found: dict[str, Any] = {}
    if request.args.get("show") in {"mine", "all"}:
        found["show"] = request.args["show"]
    if request.args.get("only") == "open":
        found["only"] = "open"
    if _page_asked() > 1:
        found["page"] = _page_asked()
    return found


def _page_asked() -> int:
    text = request.args.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < MOST_DIGITS else 1


def _tracker(scope: Scope, test_id: UUID, refusal: Refusal | None = None) -> tuple[str, int]:
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        test, held = queries.get_held(session, scope, test_id)
        lines = queries.list_lines(
            session, scope, test.id, today=today, permission=Permission.CONVERSATION_WRITE
        )
        off = test.called_off_at is not None
    own = [one for one in lines if one.mine]
    show = request.args.get("show") or ("mine" if own else "all")
    shown = own if show == "mine" else lines
    still = [one for one in shown if one.deed not in (Deed.DID, Deed.DID_NOT)]
    known = len(shown) - len(still)
    only_open = request.args.get("only") == "open"
    rows = still if only_open else shown
    page = min(_page_asked(), max(1, -(-len(rows) // TAPS_SHOWN)))
    start = (page - 1) * TAPS_SHOWN
    here: dict[str, Any] = {"test_id": test_id, "show": show}
    filtered: dict[str, Any] = {"only": "open"} if only_open else {}
    words = render_template(
        "campaigns/mine.html",
        held=held,
        off=off,
        rows=rows[start : start + TAPS_SHOWN],
        start=start,
        total=len(rows),
        all_count=len(shown),
        known=known,
        did=sum(one.deed is Deed.DID for one in shown),
        own_count=len(own),
        lines_count=len(lines),
        show=show,
        only_open=only_open,
        taps=[(deed.value, label(deed)) for deed in Deed],
        problem=sentence(refusal) if refusal is not None else None,
        has_errors=refusal is not None,
        target=wording.target_words(held, today),
        action=url_for("campaigns.tap", test_id=test_id, **_asked()),
        mine_url=url_for("campaigns.mine", test_id=test_id, show="mine"),
        everybody_url=url_for("campaigns.mine", test_id=test_id, show="all"),
        open_url=url_for("campaigns.mine", **here, only="open"),
        whole_url=url_for("campaigns.mine", **here),
        previous_url=url_for("campaigns.mine", **here, **filtered, page=page - 1)
        if page > 1
        else None,
        next_url=url_for("campaigns.mine", **here, **filtered, page=page + 1)
        if start + TAPS_SHOWN < len(rows)
        else None,
    )
    return words, 200 if refusal is None else 422


@bp.get("/tests/<uuid:test_id>/people")
@requires(Permission.CONTACT_READ)
def listed(scope: Scope, test_id: UUID) -> str:
    """Show the frozen list as a table: everybody on it, and what is written down of them."""
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        test, held = queries.get_held(session, scope, test_id)
        lines = queries.list_lines(session, scope, test.id, today=today)
    page = min(_page_asked(), max(1, -(-len(lines) // LINES_SHOWN)))
    start = (page - 1) * LINES_SHOWN
    shown = lines[start : start + LINES_SHOWN]
    here: dict[str, Any] = {"test_id": test_id}
    return render_template(
        "campaigns/listed.html",
        held=held,
        today=today,
        columns=wording.list_columns(),
        rows=[
            wording.list_cells(
                one, _salt(test_id), url_for("campaigns.entry", entry_id=one.public_id)
            )
            for one in shown
        ],
        start=start,
        end=start + len(shown),
        total=len(lines),
        previous_url=url_for("campaigns.listed", **here, page=page - 1) if page > 1 else None,
        next_url=url_for("campaigns.listed", **here, page=page + 1)
        if start + LINES_SHOWN < len(lines)
        else None,
    )


@bp.route("/tests/people/<uuid:entry_id>", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def entry(scope: Scope, entry_id: UUID) -> Any:
    """Show all that was written down about somebody on a list; write down more, with why."""
    today = my_today()
    form = MarkForm()
    with unit_of_work(scope, read_only=True) as session:
        test_id, test, line = queries.get_entry(session, scope, entry_id, today=today)
        past = queries.list_history(session, scope, entry_id)
    if request.method == "GET":
        form = MarkForm(
            formdata=None,
            data={
                "deed": (line.deed or Deed.DID).value,
                "why": line.why.value if line.why else "",
                "evidence": line.evidence.value if line.evidence else "",
                "day": today,
            },
        )
    elif form.validate() and _done(
        scope,
        form,
        lambda session: service.mark(
            session,
            scope,
            test_id,
            [line.number],
            form.mark(),
            day=form.day.data,
            today=today,
            now=clock.now(),
        ),
    ):
        flash(gettext("Saved."), "done")
        return redirect(url_for("campaigns.entry", entry_id=entry_id), 303)
    page = render_template(
        "campaigns/entry.html",
        form=form,
        line=line,
        test=test,
        past=past,
        person_url=_person(line.person_id),
        back_url=url_for("campaigns.mine", test_id=test_id),
        back_name=test.name,
    )
    return page, 200 if request.method == "GET" else 422


@bp.route("/tests/<uuid:test_id>/sheet", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def sheet(scope: Scope, test_id: UUID) -> Any:
    """Type in a printed list: many numbers at once, all or nothing."""
    today = my_today()
    form = SheetForm()
    with unit_of_work(scope, read_only=True) as session:
        test, held = queries.get_held(session, scope, test_id)
        lines = queries.list_lines(
            session, scope, test.id, today=today, permission=Permission.CONVERSATION_WRITE
        )
        people, off = test.people, test.called_off_at is not None
    if request.method == "GET":
        form = SheetForm(formdata=None, data={"evidence": Evidence.SHEET.value, "day": today})
    elif form.validate():
        typed = read_numbers(form.text("numbers") or "", salt=_salt(test_id), last=people)
        mine_to_mark = {one.number for one in lines}
        with unit_of_work(scope, read_only=True) as session:
            kept = queries.kept_numbers(session, scope, test.id, typed.numbers)
        wrong = [
            *typed.wrong,
            *(
                written_number(one, _salt(test_id))
                for one in typed.numbers
                if kept.get(one, one) not in mine_to_mark
            ),
        ]
        if wrong or not typed.numbers:
            form.refuse(service.NotOnThisList(numbers=", ".join(wrong)), "numbers")
        elif _done(
            scope,
            form,
            lambda session: service.mark(
                session,
                scope,
                test_id,
                typed.numbers,
                form.mark(),
                day=form.day.data,
                today=today,
                now=clock.now(),
            ),
        ):
            flash(
                ngettext(
                    "Saved for %(num)s person.",
                    "Saved for %(num)s people.",
                    len({kept.get(one, one) for one in typed.numbers}),
                ),
                "done",
            )
            return redirect(url_for("campaigns.sheet", test_id=test_id), 303)
    latest = sorted(
        (one for one in lines if one.by_me and one.at is not None),
        key=lambda one: (one.at or clock.now(), one.number),
        reverse=True,
    )
    page = render_template(
        "campaigns/sheet.html",
        form=form,
        held=held,
        off=off,
        latest=[(written_number(one.number, _salt(test_id)), one) for one in latest[:LATEST_SHOWN]],
        print_url=url_for("campaigns.paper", test_id=test_id),
        back_action=url_for("campaigns.take_back", test_id=test_id),
    )
    return page, 200 if request.method == "GET" else 422


@bp.post("/tests/<uuid:test_id>/back")
@requires(Permission.CONVERSATION_WRITE)
def take_back(scope: Scope, test_id: UUID) -> Any:
    """Take back what was last written down about somebody typed in from a sheet."""
    try:
        with unit_of_work(scope) as session:
            number = _number(request.form.get("back", ""))
            service.take_back(session, scope, test_id, number, now=clock.now())
    except Refusal as refusal:
        flash(sentence(refusal), "error")
    else:
        flash(gettext("Taken back."), "done")
    return redirect(url_for("campaigns.sheet", test_id=test_id), 303)


@bp.get("/tests/<uuid:test_id>/print")
@requires(Permission.CONVERSATION_WRITE)
def paper(scope: Scope, test_id: UUID) -> str:
    """Show the frozen list for printing, and its key on a side of its own. It is recorded.

    ``show=mine``: only the reader's people.
    """
    today = my_today()
    only_mine = request.args.get("show") == "mine"
    with unit_of_work(scope) as session:
        test, held = queries.get_held(session, scope, test_id)
        lines = queries.list_lines(
            session, scope, test.id, today=today, permission=Permission.CONVERSATION_WRITE
        )
        if only_mine:
            lines = [one for one in lines if one.mine]
        service.note_print(session, scope, test_id, rows=len(lines), only_mine=only_mine)
    salt = _salt(test_id)
    drawn = [
        (
            written_number(one.number, salt),
            short_name(one.name) if one.name else None,
            one.name,
        )
        for one in lines
    ]
    return render_template(
        "campaigns/print.html",
        held=held,
        mark=test_id.hex[:6].upper(),
        sheets=[drawn[start : start + LINES] for start in range(0, len(drawn), LINES)],
        back_url=url_for("campaigns.test", test_id=test_id),
        other_url=url_for("campaigns.paper", test_id=test_id)
        if only_mine
        else url_for("campaigns.paper", test_id=test_id, show="mine"),
        only_mine=only_mine,
    )


def _salt(test_id: UUID) -> int:
    return test_id.int % len(CHECK_SIGNS)


# Without signal


def _lists_to_keep(
    session: Any, scope: Scope, today: date, own: Collection[int], limit: int
) -> list[KeptList]:
    return [
        KeptList(
            url_for("campaigns.mine", test_id=test.public_id),
            test.name,
            [
                OnList(str(one.number), one.public_id, one.name)
                for one in queries.people_to_ask(
                    session, scope, test.public_id, own=own, limit=limit
                )
            ],
        )
        for test in open_tests(session, scope, today=today)
    ]


def _take_tap(session: Any, scope: Scope, sent: Tap) -> None:
    """Write down what was tapped without signal. Raises NotFound for what no tap sends."""
    deed, number = _deed_of(sent)
    service.mark(
        session,
        scope,
        sent.ids[0],
        [number],
        service.Mark(deed),
        day=sent.day,
        today=sent.today,
        now=sent.now,
        typed_at=sent.typed_at,
    )


def _deed_of(sent: Tap) -> tuple[Deed, int]:
    for name, values in sent.fields.items():
        if name in _TAPS and values:
            return Deed(name), _number(values[0])
    raise NotFound("nothing tapped")


def _about_tap(session: Any, scope: Scope, sent: Tap) -> About:
    page = url_for("campaigns.mine", test_id=sent.ids[0])
    try:
        deed, number = _deed_of(sent)
        test = queries.find_test(session, scope, sent.ids[0])
        lines = queries.list_lines(
            session,
            scope,
            test.id,
            today=sent.today,
            numbers=(number,),
            permission=Permission.CONVERSATION_WRITE,
        )
    except NotFound:
        return About(page, "", None)
    words = gettext("Test “%(name)s”, “%(deed)s”.", name=test.name, deed=label(deed))
    return About(page, words, lines[0].person_id if lines else None)


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
