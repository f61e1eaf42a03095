"""Pages about people who are here twice: pairs, two people side by side, one made of two."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import EditConflict, Refusal
from crm.domain.likeness import Band
from crm.domain.timeline import MembershipStatus
from crm.features.duplicates import forms, looking, queries, service
from crm.features.duplicates.wording import TABLES
from crm.reads.people import shown_name
from crm.reads.place_likeness import LikeWorkplace, workplace_pairs
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.filters import day as day_text
from crm.web.guard import my_today, requires
from crm.web.labels import label
from crm.web.likeness import why, why_not, why_places
from crm.web.pages import address_of
from crm.web.tasks import register_chore

bp = Blueprint("duplicates", __name__)

PAGE_SIZE = 50


def install(app: Flask) -> None:
    """Register the pages of this feature, and the look through everybody."""
    app.register_blueprint(bp)
    memory = looking.Memory()
    everybody = Scope.everything("to find people who are here twice")
    register_chore(app, "twins", lambda: look(everybody, memory))


def look(everybody: Scope, memory: looking.Memory) -> bool:
    """Look at the next people; return True when there may be more of them."""
    with unit_of_work(everybody, read_only=True) as session:
        if not looking.has_work(session, everybody, now=clock.now()):
            return False
    with unit_of_work(everybody) as session:
        return looking.look_some(session, everybody, memory, now=clock.now()) > 0


@bp.get("/duplicates")
@requires(Permission.CONTACT_WRITE)
def index(scope: Scope) -> str:
    """Show the pairs of people who may be one person, the surest first."""
    form = forms.QueueForm(formdata=request.args)
    with unit_of_work(scope, read_only=True) as session:
        form.offer(queries.places_to_choose(session, scope))
        sound = form.validate()
        found = queries.find_queue(
            session, scope, place=forms.place_of(form) if sound else None, limit=PAGE_SIZE
        )
    return render_template(
        "duplicates/index.html",
        form=form,
        found=found,
        pairs=[
            {
                "name": " · ".join(one.names),
                "url": url_for("duplicates.pair", one_id=one.first, other_id=one.second),
                "band": one.likeness.band,
                "where": ", ".join(one.workplaces),
                "why": ", ".join(why(one.likeness)),
                "why_not": ", ".join(why_not(one.likeness)),
            }
            for one in found.pairs
        ],
        back_url=address_of("contacts.index"),
    )


@bp.get("/duplicates/workplaces")
@requires(Permission.PLACE_WRITE)
def workplaces(scope: Scope) -> str:
    """Show the pairs of workplaces that may be one, the surest first."""
    with unit_of_work(scope, read_only=True) as session:
        found = workplace_pairs(session, scope, most=PAGE_SIZE)
    return render_template(
        "duplicates/workplaces.html",
        form=forms.PlainForm(),
        found=found,
        today=my_today(),
        pairs=[
            {
                "sides": [_workplace(one), _workplace(other)],
                "sure": one.likeness.band is Band.SURE,
                "why": why_places(one.likeness),
                "different_url": url_for(
                    "duplicates.different_workplaces",
                    place_id=one.public_id,
                    other_place_id=other.public_id,
                ),
            }
            for one, other in found.pairs
        ],
        back_url=address_of("workplaces.index"),
    )


def _workplace(one: LikeWorkplace) -> dict[str, Any]:
    return {
        "name": one.name,
        "url": address_of("workplaces.show", place_id=one.public_id),
        "more": ", ".join(part for part in (one.employer, one.address, one.postcode) if part),
    }


@bp.post("/duplicates/workplaces/<uuid:place_id>/<uuid:other_place_id>/different")
@requires(Permission.PLACE_WRITE)
def different_workplaces(scope: Scope, place_id: UUID, other_place_id: UUID) -> Any:
    """Remember that these are two workplaces."""
    forms.PlainForm()
    with unit_of_work(scope) as session:
        service.say_different_workplaces(session, scope, place_id, other_place_id, now=clock.now())
    flash(gettext("Saved. We will not ask about these two again."), "done")
    return redirect(url_for("duplicates.workplaces"), 303)


@bp.get("/duplicates/of/<uuid:contact_id>")
@requires(Permission.CONTACT_WRITE)
def of_person(scope: Scope, contact_id: UUID) -> str:
    """Show who may be the same as this person, and the records that were put into theirs."""
    form = forms.FindForm(formdata=request.args)
    text = form.text("q") if form.validate() else None
    with unit_of_work(scope, read_only=True) as session:
        person = queries.get_person(session, scope, contact_id)
        name, public_id = shown_name(person), person.public_id
        found = queries.candidates_for(session, scope, person, today=my_today())
        others = queries.find_others(session, scope, person, text, today=my_today()) if text else []
        merges = queries.merges_of(session, scope, person.id)

    def _beside(other: UUID) -> str:
        return url_for("duplicates.pair", one_id=public_id, other_id=other)

    return render_template(
        "duplicates/person.html",
        name=name,
        form=form,
        text=text,
        candidates=[
            {
                "name": one.name,
                "url": _beside(one.public_id),
                "more": ". ".join(
                    part
                    for part in (", ".join(one.workplaces), ", ".join(why(one.likeness)))
                    if part
                ),
            }
            for one in found
        ],
        others=[{"name": other, "url": _beside(other_id)} for other_id, other in others],
        merges=merges,
        back_url=address_of("contacts.show", contact_id=public_id),
    )


@bp.get("/duplicates/<uuid:one_id>/<uuid:other_id>")
@requires(Permission.CONTACT_WRITE)
def pair(scope: Scope, one_id: UUID, other_id: UUID) -> str:
    """Show two people side by side, with a choice for each field that differs."""
    with unit_of_work(scope) as session:
        both = queries.read_pair(session, scope, one_id, other_id)
        queries.note_looks(session, scope, both)
    form = forms.MergeForm(
        data={
            "first_version": str(both.kept.version),
            "second_version": str(both.gone.version),
        }
    )
    _offer(form, both)
    return _pair_page(form, both)


@bp.post("/duplicates/<uuid:one_id>/<uuid:other_id>")
@requires(Permission.CONTACT_WRITE)
def make_one(scope: Scope, one_id: UUID, other_id: UUID) -> Any:
    """Make the two records one."""
    with unit_of_work(scope) as session:
        both = queries.read_pair(session, scope, one_id, other_id)
        queries.note_looks(session, scope, both)
    form = forms.MergeForm()
    versions = form.versions(both.kept.public_id, both.gone.public_id)
    _offer(form, both)
    status = 422
    if form.validate():
        sides = {forms.KEPT: both.kept.public_id, forms.GONE: both.gone.public_id}
        choice = service.Choice(
            take_theirs=frozenset(
                name for name in service.FIELDS if name in form and form[name].data == forms.GONE
            ),
            right_memberships=sides.get(form.membership.data or "")
            if "membership" in form
            else None,
        )
        try:
            with unit_of_work(scope) as session:
                stays = service.merge_people(
                    session, scope, one_id, other_id, choice, versions=versions, now=clock.now()
                )
        except EditConflict as conflict:
            form.refuse(conflict)
            # Saving again, with these versions, is a choice made with both in sight.
            form.first_version.data = str(both.kept.version)
            form.second_version.data = str(both.gone.version)
            status = 409
        except service.ChooseMembership as refusal:
            form.refuse(refusal, "membership")
        else:
            flash(gettext("Two records are one now. You can undo it on this page."), "done")
            return redirect(url_for("duplicates.of_person", contact_id=stays), 303)
    return _pair_page(form, both), status


@bp.post("/duplicates/<uuid:one_id>/<uuid:other_id>/different")
@requires(Permission.CONTACT_WRITE)
def different(scope: Scope, one_id: UUID, other_id: UUID) -> Any:
    """Remember that these are two people."""
    forms.PlainForm()
    with unit_of_work(scope) as session:
        service.say_different(session, scope, one_id, other_id, now=clock.now())
    flash(gettext("Saved. We will not ask about these two again."), "done")
    return redirect(url_for("duplicates.index"), 303)


@bp.get("/duplicates/undo/<uuid:merge_id>")
@requires(Permission.CONTACT_WRITE)
def undo(scope: Scope, merge_id: UUID) -> str:
    """Ask whether the two records shall be two again, and say what was written since."""
    return _undo_page(scope, merge_id, forms.PlainForm())


@bp.post("/duplicates/undo/<uuid:merge_id>")
@requires(Permission.CONTACT_WRITE)
def undo_save(scope: Scope, merge_id: UUID) -> Any:
    """Make the two records two again."""
    form = forms.PlainForm()
    try:
        with unit_of_work(scope) as session:
            kept, gone = service.part_people(session, scope, merge_id, now=clock.now())
    except Refusal as refusal:
        form.refuse(refusal)
        return _undo_page(scope, merge_id, form), 422
    flash(gettext("They are two records again."), "done")
    return redirect(url_for("duplicates.pair", one_id=kept, other_id=gone), 303)


def _undo_page(scope: Scope, merge_id: UUID, form: forms.PlainForm) -> str:
    with unit_of_work(scope, read_only=True) as session:
        record, kept = queries.get_merge(session, scope, merge_id)
        since = queries.since_merge(session, scope, record, kept)
        name, contact_id = shown_name(kept), kept.public_id
        gone_name, merged_at = record.gone_name, record.merged_at
    return render_template(
        "duplicates/undo.html",
        form=form,
        name=name,
        gone_name=gone_name,
        merged_at=merged_at,
        since=[f"{TABLES[one.table]}: {one.rows}" for one in since if one.table in TABLES],
        back_url=url_for("duplicates.of_person", contact_id=contact_id),
    )


def _offer(form: forms.MergeForm, both: queries.Pair) -> None:
    """Put a choice into the form for each field that differs, and take the others out."""
    for name in service.FIELDS:
        mine, theirs = getattr(both.kept, name), getattr(both.gone, name)
        if mine and theirs and mine != theirs:
            form.offer(name, _said(mine), _said(theirs))
        else:
            form.drop(name)
    if both.contradict:
        form.offer("membership", _memberships(both.kept), _memberships(both.gone), chosen=None)
    else:
        form.drop("membership")


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return value if type(value) is str else label(value)


def _memberships(side: queries.Side) -> str:
    return "; ".join(_membership(one) for one in side.memberships)


def _membership(one: queries.MemberOf) -> str:
    if one.status is MembershipStatus.MEMBER:
        words = gettext("Member of %(union)s", union=one.union)
    elif one.union is None:
        words = gettext("In no union at all")
    else:
        words = gettext("Not a member of %(union)s", union=one.union)
    return f"{words}, {_days(one.since, one.until)}"


def _days(since: Any, until: Any) -> str:
    if until is None:
        return str(gettext("since %(day)s", day=day_text(since)))
    return str(gettext("%(first)s to %(last)s", first=day_text(since), last=day_text(until)))


def _facts(side: queries.Side) -> list[tuple[str, list[str]]]:
    """Return what is known of one of the two, as the page lists it. All of it is kept."""
    return [
        (gettext("Name they use"), [side.known_as] if side.known_as else []),
        (gettext("Full name"), [side.full_name] if side.full_name else []),
        (
            gettext("Where they work"),
            [
                ", ".join(
                    part
                    for part in (*one.places, one.job_title, _days(one.since, one.until))
                    if part
                )
                for one in side.jobs
            ],
        ),
        (gettext("Union"), [_membership(one) for one in side.memberships]),
        (
            gettext("How to reach them"),
            [f"{label(kind)}: {value}" for kind, value in side.points],
        ),
        (
            gettext("Talks"),
            [ngettext("%(num)s talk you can see", "%(num)s talks you can see", side.talks)],
        ),
    ]


def _pair_page(form: forms.MergeForm, both: queries.Pair) -> str:
    rows = [
        (name, mine, theirs)
        for (name, mine), (_, theirs) in zip(_facts(both.kept), _facts(both.gone), strict=True)
    ]
    return render_template(
        "duplicates/pair.html",
        form=form,
        both=both,
        rows=rows,
        choices=[form[name] for name in (*service.FIELDS, "membership") if name in form],
        why=why(both.likeness),
        why_not=why_not(both.likeness),
        plain=forms.PlainForm(),
        different_url=url_for(
            "duplicates.different",
            one_id=both.kept.public_id,
            other_id=both.gone.public_id,
        ),
        person_url=lambda side: address_of("contacts.show", contact_id=side.public_id),
        back_url=url_for("duplicates.index"),
    )
