"""Pages about people: the list, adding somebody, one person, and a form for each part."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from crm.access import audit
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.contact_filter import ContactFilter, Stand
from crm.domain.errors import AlreadyEnded, DatesOutOfOrder, EditConflict, NotFound, Refusal
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import (
    ContractType,
    FieldGroup,
    HowKnown,
    LegalBasis,
    MembershipSource,
    PointKind,
    PointState,
)
from crm.features.contacts import forms, queries, service, wording
from crm.reads.cases import cases_of_person
from crm.reads.contact_filters import Named, named_in
from crm.reads.fields import extras_of_contact
from crm.reads.people import PeoplePage, list_people
from crm.reads.places import Choice, places_to_filter
from crm.reads.saved_lists import Saved, asked_for
from crm.reads.structure import deeds_of
from crm.reads.ties import groups_of, ties_of
from crm.reads.turf import reps_of
from crm.web import clock
from crm.web.attempts import Work, attempt
from crm.web.contact_filter import filter_lines
from crm.web.db import unit_of_work
from crm.web.expiry import expiry_rule
from crm.web.filters import day as day_text
from crm.web.filters import people as people_text
from crm.web.forms import chosen_id
from crm.web.guard import my_today, requires
from crm.web.labels import NOT_KNOWN, label
from crm.web.pages import address_of

bp = Blueprint("contacts", __name__)

PAGE_SIZE = 50

# The field beside which each refusal stands; the first of them that the form has.
_BESIDE: dict[type[Refusal], tuple[str, ...]] = {
    DatesOutOfOrder: ("until", "day", "since"),
    AlreadyEnded: ("day", "since"),
    service.NameNeeded: ("known_as",),
    service.WrongWorkplace: ("branch", "area"),
    service.AlreadyThere: ("value", "field_group", "area"),
    service.SpellsOverlap: ("since",),
    service.BasisNeeded: ("status",),
    service.WordingNeeded: ("wording",),
}

# The work of one request: it gets the session of its unit of work.


def install(app: Flask) -> None:
    """Register the pages about people."""
    app.register_blueprint(bp)


# --- The list ---------------------------------------------------------------------------------


@bp.get("/people")
@requires(Permission.CONTACT_READ)
def index(scope: Scope) -> str:
    """Show the people with a job on a day, by name: all, those of a filter, or of a saved list."""
    words = request.args.to_dict(flat=False)
    form = forms.FilterForm(formdata=request.args)
    number = max(request.args.get("page", 1, type=int), 1)
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        asked = asked_for(session, scope, words)
        chosen, saved = asked.chosen, asked.saved
        if saved is None:
            places = places_to_filter(session, scope, chosen.place if chosen else None)
            forms.offer(form.place, places, first=_("Everywhere"))
        form.validate()
        as_at = form.as_at.data or today
        more = _more_than_the_form(chosen, saved is not None)
        named = named_in(session, scope, more) if more else None
        found = PeoplePage([], 0, 0, as_at)
        if chosen is not None and not (named and named.hidden):
            found = list_people(
                session,
                scope,
                as_at=as_at,
                chosen=chosen,
                limit=PAGE_SIZE,
                offset=min((number - 1) * PAGE_SIZE, 10**9),
                expiry=expiry_rule(),
            )
    if form.as_at.data is None and not form.as_at.errors:
        form.as_at.data = today
    kept = {name: some for name, some in words.items() if name != "page" and any(some)}
    asks = {name: some for name, some in kept.items() if name != "as_at"}
    if len(words.get("stand", ())) > 1:
        # The select holds one; several are shown in words, and kept.
        del form.stand
    return render_template(
        "contacts/index.html",
        twice_url=address_of("duplicates.index") if scope.may(Permission.CONTACT_WRITE) else None,
        union_list_url=address_of("reconcile.index")
        if scope.may(Permission.CONTACT_WRITE)
        else None,
        form=form,
        saved=saved,
        lines=_lines(more, named),
        carried=_carried(more, saved),
        hidden=chosen is None or bool(named and named.hidden),
        rows=[wording.person_row(row, as_at) for row in found.rows],
        total=found.total,
        at_least=found.at_least,
        near=found.near,
        as_at=as_at,
        filtered=bool(asks),
        narrowed=as_at != today or not set(kept) <= {"q", "as_at", *(more.words() if more else ())},
        not_asked=bool(chosen and chosen.stands == {Stand.NOT_ASKED}),
        lists_url=address_of("lists.index"),
        filter_url=address_of("lists.narrow", **asks),
        save_url=address_of("lists.add", **asks) if asks and not saved and chosen else None,
        act_url=address_of("lists.act", **asks) if scope.may(Permission.CONTACT_WRITE) else None,
        out_url=address_of("lists.out", **asks) if scope.may(Permission.EXPORT_MAKE) else None,
        saved_url=address_of("lists.show", list_id=saved.public_id) if saved else None,
        fields_url=address_of("fields.index") if scope.may(Permission.PLACE_WRITE) else None,
        lists_in_url=address_of("imports.index") if scope.may(Permission.IMPORT_MAKE) else None,
        pager=_pager(found, kept, number),
    )


def _more_than_the_form(chosen: ContactFilter | None, saved: bool) -> ContactFilter | None:
    """Return the part of a filter that the form above the list has no field for; None = nothing.

    saved: a saved list shows no form, so all of it.
    """
    if chosen is None or saved:
        return chosen
    several = len(chosen.stands) > 1
    more = replace(
        chosen,
        text="",
        place=None,
        member=None,
        stands=chosen.stands if several else frozenset(),
    )
    return None if more.keeps_everybody else more


def _lines(more: ContactFilter | None, named: Named | None) -> list[tuple[str, str]]:
    if more is None or named is None:
        return []
    return filter_lines(more, named.names, kind=named.kind, choice=named.choice)


def _carried(more: ContactFilter | None, saved: Saved | None) -> list[tuple[str, str]]:
    """Return what the form sends along unseen, so that looking by name keeps the rest."""
    if more is None or saved is not None:
        return []
    return [(name, word) for name, some in more.words().items() for word in some]


def _pager(found: PeoplePage, asked: dict[str, list[str]], number: int) -> dict[str, Any]:
    total, offset, shown = found.total, found.offset, len(found.rows)
    between = {
        "first": people_text(offset + 1),
        "last": people_text(offset + shown),
        "total": people_text(total),
    }
    if found.at_least:
        text = _("%(first)s to %(last)s of at least %(total)s people", **between)
    else:
        text = _("%(first)s to %(last)s of %(total)s people", **between)

    def _to(page: int) -> str:
        query: dict[str, Any] = {**asked, "page": str(page)}
        return url_for("contacts.index", **query)

    return {
        "previous_url": _to(number - 1) if number > 1 else None,
        "next_url": _to(number + 1) if offset + shown < total else None,
        "text": text if shown and total > PAGE_SIZE else None,
    }


# --- Somebody new -----------------------------------------------------------------------------


@bp.get("/people/new")
@requires(Permission.CONTACT_WRITE)
def add(scope: Scope) -> str:
    """Show the form for somebody new; first the question where, when there is a choice."""
    chosen = chosen_id(request.args.get("workplace"))
    with unit_of_work(scope, read_only=True) as session:
        places = queries.workplaces_to_write(session, scope)
        if chosen is None and len(places) == 1:
            chosen = uuid.UUID(places[0].value)
        offered = None if chosen is None else queries.job_choices(session, scope, chosen)
    if offered is None:
        return _which_workplace(places, url_for("contacts.add"), _("Add someone"))
    form = forms.AddForm(
        data={
            "known_as": request.args.get("name", "")[:120],
            # From a blank of the wall chart, which knows the area.
            "area": request.args.get("area", "")[:40],
        }
    )
    form.form_id.data = str(uuid.uuid4())
    _offer_where(form, offered)
    return _add_page(form, offered, len(places) > 1)


@bp.post("/people/new")
@requires(Permission.CONTACT_WRITE)
def add_save(scope: Scope) -> Any:
    """Store somebody new."""
    chosen = chosen_id(request.args.get("workplace"))
    with unit_of_work(scope, read_only=True) as session:
        places = queries.workplaces_to_write(session, scope)
        if chosen is None and len(places) == 1:
            chosen = uuid.UUID(places[0].value)
        if chosen is None:
            raise NotFound("no workplace chosen")
        offered = queries.job_choices(session, scope, chosen)
    form = forms.AddForm()
    _offer_where(form, offered)
    stored: list[uuid.UUID] = []
    if form.validate():
        perhaps = _who_it_may_be(scope, form, offered)
        if perhaps:
            form.looked_for.data = form.asks_for()
            return _add_page(form, offered, len(places) > 1, perhaps), 409
        outcome = _attempt(
            scope,
            form,
            lambda session: stored.append(
                service.add_contact(
                    session,
                    scope,
                    _details(form),
                    offered.workplace.public_id,
                    service.JobEntry(
                        area=chosen_id(form.area.data),
                        shift=chosen_id(form.shift.data),
                        since=form.since.data,
                    ),
                    phone=form.text("phone"),
                    form_id=form.sent_id(),
                    today=my_today(),
                    now=clock.now(),
                )
            ),
        )
        if outcome is None:
            flash(_("Saved."), "done")
            log = address_of("conversations.log", contact_id=stored[0])
            if request.args.get("next") == "log" and log:
                return redirect(log, 303)
            return _to_person(stored[0])
    return _add_page(form, offered, len(places) > 1), 422


def _which_workplace(places: list[Choice], action: str, title: str) -> str:
    return render_template(
        "contacts/where.html",
        places=places,
        action=action,
        title=title,
        next_page=request.args.get("next", "")[:20],
        name=request.args.get("name", "")[:120],
        back_url=url_for("contacts.index"),
    )


def _who_it_may_be(
    scope: Scope, form: forms.AddForm, offered: queries.JobChoices
) -> list[wording.Perhaps]:
    """Return who may be here already, unless the reader has said that it is none of them."""
    if form.looked_for.data == form.asks_for():
        return []
    with unit_of_work(scope, read_only=True) as session:
        if queries.is_on_list(session, scope, service.id_of_form(scope, form.sent_id())):
            return []  # The same form, sent twice.
        found = queries.who_may_it_be(
            session,
            scope,
            known_as=form.text("known_as"),
            phone=form.text("phone"),
            workplace=offered.workplace.public_id,
            today=my_today(),
        )
    return [wording.perhaps(one) for one in found]


def _add_page(
    form: forms.AddForm,
    offered: queries.JobChoices,
    more_places: bool,
    perhaps: Sequence[wording.Perhaps] = (),
) -> str:
    following = "log" if request.args.get("next") == "log" else None
    return render_template(
        "contacts/add.html",
        form=form,
        workplace=offered.workplace,
        other_url=url_for("contacts.add", next=following) if more_places else None,
        action=url_for("contacts.add_save", workplace=offered.workplace.public_id, next=following),
        goes_on=following == "log",
        perhaps=perhaps,
    )


def _offer_where(form: Any, offered: queries.JobChoices) -> None:
    forms.offer(form.area, offered.areas, first=NOT_KNOWN if offered.whole_site else None)
    forms.offer(form.shift, offered.shifts)


def _details(form: Any) -> service.Details:
    whole = isinstance(form, forms.DetailsForm)
    return service.Details(
        known_as=form.text("known_as"),
        full_name=form.text("full_name") if whole else None,
        placeholder_label=form.text("placeholder_label"),
        pronouns=form.text("pronouns") if whole else None,
        languages=form.language_list() if whole else (),
        how_known=forms.chosen_word(HowKnown, form.how_known.data),
    )


# --- One person -------------------------------------------------------------------------------


def _deed_url(scope: Scope, entry_id: uuid.UUID) -> str | None:
    if not scope.may(Permission.CONVERSATION_WRITE):
        return None
    return address_of("campaigns.entry", entry_id=entry_id)


@bp.get("/people/<uuid:contact_id>")
@requires(Permission.CONTACT_READ)
def show(scope: Scope, contact_id: uuid.UUID) -> str:
    """Show one person, and record that somebody looked."""
    with unit_of_work(scope) as session:
        inner_id, page = queries.read_contact(
            session, scope, contact_id, today=my_today(), expiry=expiry_rule()
        )
        reps = reps_of(session, scope, inner_id, as_at=my_today())
        ties = ties_of(session, scope, inner_id, as_at=my_today())
        cases = cases_of_person(session, scope, inner_id)
        groups = groups_of(session, scope, inner_id, as_at=my_today())
        extras = extras_of_contact(session, scope, inner_id)
        deeds = deeds_of(session, scope, inner_id)
        audit.record_view(session, contact_id=inner_id, contact_public_id=contact_id)
    return render_template(
        "contacts/show.html",
        page_of=page,
        reps=reps,
        ties=ties,
        extras=extras,
        extras_url=address_of("fields.of_contact", contact_id=contact_id),
        tie_url=address_of,
        cases=[(address_of("cases.show", case_id=one.public_id), one) for one in cases],
        open_case_url=address_of("cases.new", person=contact_id)
        if scope.may(Permission.CONVERSATION_WRITE)
        else None,
        groups_of=groups,
        deeds=[(_deed_url(scope, one.entry_id), one) for one in deeds],
        person=page.person,
        chart=wording.history_chart(page),
        timeline_items=wording.happenings(page),
        before=wording.before_lines(page),
        words=wording,
        groups=list(FieldGroup),
        log_url=address_of("conversations.log", contact_id=contact_id),
        history_url=address_of("history.person", contact_id=contact_id),
        twice_url=address_of("duplicates.of_person", contact_id=contact_id)
        if scope.may(Permission.CONTACT_WRITE)
        else None,
        stand_url=address_of("conversations.stand", contact_id=contact_id)
        if scope.may(Permission.CONVERSATION_WRITE)
        else None,
        place_url=lambda place: address_of("workplaces.show", place_id=place.public_id),
        may_write=scope.may(Permission.CONTACT_WRITE),
    )


def _note_view(scope: Scope, contact_id: uuid.UUID) -> None:
    """Record that somebody looked: a form filled with what is known shows it as a page does."""
    with unit_of_work(scope) as session:
        queries.note_view(session, scope, contact_id)


@bp.get("/people/<uuid:contact_id>/details")
@requires(Permission.CONTACT_WRITE)
def details(scope: Scope, contact_id: uuid.UUID) -> str:
    """Show the form for the person's own fields."""
    _note_view(scope, contact_id)
    with unit_of_work(scope, read_only=True) as session:
        person = queries.read_person(session, scope, contact_id)
    form = forms.DetailsForm(
        data={
            "version": str(person.version),
            "known_as": person.known_as,
            "full_name": person.full_name,
            "placeholder_label": person.placeholder_label,
            "pronouns": person.pronouns,
            "languages": ", ".join(person.languages),
            "how_known": person.how_known.value if person.how_known else "",
        }
    )
    return _details_page(form, person)


@bp.post("/people/<uuid:contact_id>/details")
@requires(Permission.CONTACT_WRITE)
def details_save(scope: Scope, contact_id: uuid.UUID) -> Any:
    """Store the person's own fields."""
    form = forms.DetailsForm()
    with unit_of_work(scope, read_only=True) as session:
        person = queries.read_person(session, scope, contact_id)
    outcome = _try(
        scope,
        form,
        lambda session: service.change_details(
            session, scope, contact_id, _details(form), version=_number(form.version.data)
        ),
    )
    if outcome is None:
        return _saved(contact_id)
    if outcome.conflict is not None:
        _note_view(scope, contact_id)
    return _details_page(form, person, outcome.conflict), outcome.status


def _details_page(
    form: forms.DetailsForm, person: queries.Person, conflict: EditConflict | None = None
) -> str:
    nameless = person.known_as is None
    return _form_page(
        form,
        person,
        title=_("This is …") if nameless else _("Name and details"),
        lede=_("Write the name they use. What we know of %(name)s stays.", name=person.name)
        if nameless
        else None,
        fields=[
            "known_as",
            "full_name",
            "pronouns",
            "languages",
            "how_known",
            "placeholder_label",
        ],
        conflict=conflict,
    )


@bp.get("/people/<uuid:contact_id>/do-not-contact")
@requires(Permission.CONTACT_WRITE)
def do_not_contact(scope: Scope, contact_id: uuid.UUID) -> str:
    """Show the question whether we may contact the person."""
    with unit_of_work(scope, read_only=True) as session:
        person = queries.read_person(session, scope, contact_id)
    form = forms.DoNotContactForm(
        data={"version": str(person.version), "wanted": "no" if person.do_not_contact else "yes"}
    )
    return _do_not_contact_page(form, person)


@bp.post("/people/<uuid:contact_id>/do-not-contact")
@requires(Permission.CONTACT_WRITE)
def do_not_contact_save(scope: Scope, contact_id: uuid.UUID) -> Any:
    """Store whether we may contact the person."""
    form = forms.DoNotContactForm()
    with unit_of_work(scope, read_only=True) as session:
        person = queries.read_person(session, scope, contact_id)
    outcome = _try(
        scope,
        form,
        lambda session: service.set_do_not_contact(
            session,
            scope,
            contact_id,
            form.wanted.data == "no",
            version=_number(form.version.data),
        ),
    )
    if outcome is None:
        return _saved(contact_id)
    return _do_not_contact_page(form, person, outcome.conflict), outcome.status


def _do_not_contact_page(
    form: forms.DoNotContactForm, person: queries.Person, conflict: EditConflict | None = None
) -> str:
    if conflict is not None:
        form.version.data = str(conflict.current["version"])
        conflict = None  # One question: the sentence says enough, and both answers are on the page.
    return _form_page(form, person, title=_("May we contact them?"), fields=["wanted"])


# --- Phones, mail, addresses ------------------------------------------------------------------

_KINDS = "<any(phone, email, address):kind>"


@bp.get(f"/people/<uuid:contact_id>/{_KINDS}/new")
@requires(Permission.CONTACT_WRITE)
def point_add(scope: Scope, contact_id: uuid.UUID, kind: str) -> str:
    """Show the form for another phone, mail or address."""
    with unit_of_work(scope, read_only=True) as session:
        person = queries.read_person(session, scope, contact_id)
    return _point_page(forms.PointForm().of_kind(PointKind(kind)), person)


@bp.post(f"/people/<uuid:contact_id>/{_KINDS}/new")
@requires(Permission.CONTACT_WRITE)
def point_add_save(scope: Scope, contact_id: uuid.UUID, kind: str) -> Any:
    """Store another phone, mail or address."""
    form = forms.PointForm().of_kind(PointKind(kind))
    with unit_of_work(scope, read_only=True) as session:
        person = queries.read_person(session, scope, contact_id)
    outcome = _try(
        scope,
        form,
        lambda session: service.add_point(
            session, scope, contact_id, form.kind, _point_entry(form), now=clock.now()
        ),
    )
    if outcome is None:
        return _saved(contact_id)
    return _point_page(form, person), outcome.status


@bp.get("/people/<uuid:contact_id>/reach/<uuid:point_id>")
@requires(Permission.CONTACT_WRITE)
def point(scope: Scope, contact_id: uuid.UUID, point_id: uuid.UUID) -> str:
    """Show the form that puts a phone, mail or address right."""
    _note_view(scope, contact_id)
    with unit_of_work(scope, read_only=True) as session:
        person, seen = queries.read_point(session, scope, contact_id, point_id)
    form = forms.PointForm(
        data={
            "version": str(seen.public_id),
            "value": seen.value,
            "label": seen.label,
            "state": seen.state.value if seen.state else "",
        }
    ).of_kind(seen.kind)
    return _point_page(form, person, seen)


@bp.post("/people/<uuid:contact_id>/reach/<uuid:point_id>")
@requires(Permission.CONTACT_WRITE)
def point_save(scope: Scope, contact_id: uuid.UUID, point_id: uuid.UUID) -> Any:
    """Store a phone, mail or address put right."""
    with unit_of_work(scope, read_only=True) as session:
        person, seen = queries.read_point(session, scope, contact_id, point_id)
    form = forms.PointForm().of_kind(seen.kind)
    outcome = _try(
        scope,
        form,
        lambda session: service.correct_point(
            session,
            scope,
            contact_id,
            point_id,
            _point_entry(form),
            version=_version(form),
            now=clock.now(),
        ),
    )
    if outcome is None:
        return _saved(contact_id)
    if outcome.conflict is not None:
        _note_view(scope, contact_id)
    return _point_page(form, person, seen, outcome.conflict), outcome.status


@bp.get("/people/<uuid:contact_id>/reach/<uuid:point_id>/remove")
@requires(Permission.CONTACT_WRITE)
def point_remove(scope: Scope, contact_id: uuid.UUID, point_id: uuid.UUID) -> str:
    """Ask whether to take a phone, mail or address away."""
    _note_view(scope, contact_id)
    with unit_of_work(scope, read_only=True) as session:
        person, seen = queries.read_point(session, scope, contact_id, point_id)
    return _form_page(
        forms.ConfirmForm(),
        person,
        title=_("Remove this?"),
        lede=seen.value,
        fields=[],
        submit=_("Remove"),
        danger=True,
    )


@bp.post("/people/<uuid:contact_id>/reach/<uuid:point_id>/remove")
@requires(Permission.CONTACT_WRITE)
def point_remove_save(scope: Scope, contact_id: uuid.UUID, point_id: uuid.UUID) -> Response:
    """Take a phone, mail or address away."""
    with unit_of_work(scope) as session:
        service.remove_point(session, scope, contact_id, point_id, now=clock.now())
    return _saved(contact_id, _("Removed."))


def _point_entry(form: forms.PointForm) -> service.PointEntry:
    return service.PointEntry(
        value=form.text("value") or "",
        label=form.text("label"),
        state=forms.chosen_word(PointState, form.state.data),
    )


def _point_page(
    form: forms.PointForm,
    person: queries.Person,
    seen: queries.PointSeen | None = None,
    conflict: EditConflict | None = None,
) -> str:
    return _form_page(
        form,
        person,
        title=label(form.kind),
        fields=["value", "label", "state"],
        conflict=conflict,
        remove_url=url_for(
            "contacts.point_remove", contact_id=person.public_id, point_id=seen.public_id
        )
        if seen
        else None,
    )


# --- Jobs -------------------------------------------------------------------------------------


@bp.get("/people/<uuid:contact_id>/jobs/new")
@requires(Permission.CONTACT_WRITE)
def job_add(scope: Scope, contact_id: uuid.UUID) -> str:
    """Show the form for another job; first the question where, when there is a choice."""
    person, offered, places = _job_place(scope, contact_id)
    if offered is None:
        here = url_for("contacts.job_add", contact_id=contact_id)
        return _which_workplace(places, here, _("Another job of %(name)s", name=person.name))
    form = forms.JobForm()
    _offer_job(form, offered)
    return _job_page(form, person, offered.workplace, new=True)


@bp.post("/people/<uuid:contact_id>/jobs/new")
@requires(Permission.CONTACT_WRITE)
def job_add_save(scope: Scope, contact_id: uuid.UUID) -> Any:
    """Store another job."""
    person, offered, _places = _job_place(scope, contact_id)
    if offered is None:
        raise NotFound("no workplace chosen")
    form = forms.JobForm()
    _offer_job(form, offered)
    outcome = _try(
        scope,
        form,
        lambda session: service.add_job(
            session,
            scope,
            contact_id,
            offered.workplace.public_id,
            _job_entry(form),
            today=my_today(),
            now=clock.now(),
        ),
    )
    if outcome is None:
        return _saved(contact_id)
    return _job_page(form, person, offered.workplace, new=True), outcome.status


def _job_place(
    scope: Scope, contact_id: uuid.UUID
) -> tuple[queries.Person, queries.JobChoices | None, list[Choice]]:
    chosen = chosen_id(request.args.get("workplace"))
    with unit_of_work(scope, read_only=True) as session:
        person = queries.read_person(session, scope, contact_id)
        places = queries.workplaces_to_write(session, scope)
        if chosen is None and len(places) == 1:
            chosen = uuid.UUID(places[0].value)
        offered = None if chosen is None else queries.job_choices(session, scope, chosen)
    return person, offered, places


@bp.get("/people/<uuid:contact_id>/jobs/<uuid:job_id>")
@requires(Permission.CONTACT_WRITE)
def job(scope: Scope, contact_id: uuid.UUID, job_id: uuid.UUID) -> str:
    """Show the form that puts a job right."""
    _note_view(scope, contact_id)
    person, seen, offered = _job_seen(scope, contact_id, job_id)
    form = forms.JobForm(
        data={
            "version": str(seen.public_id),
            "area": str(seen.area.public_id) if seen.area else "",
            "shift": str(seen.shift_id or ""),
            "job_title": seen.job_title,
            "employer": str(seen.employer.public_id) if seen.employer else "",
            "contract_type": seen.contract_type.value if seen.contract_type else "",
            "since": None if seen.first_seen else seen.since,
            "until": seen.until,
        }
    )
    _offer_job(form, offered, seen)
    return _job_page(form, person, offered.workplace)


@bp.post("/people/<uuid:contact_id>/jobs/<uuid:job_id>")
@requires(Permission.CONTACT_WRITE)
def job_save(scope: Scope, contact_id: uuid.UUID, job_id: uuid.UUID) -> Any:
    """Store a job put right."""
    person, seen, offered = _job_seen(scope, contact_id, job_id)
    form = forms.JobForm()
    _offer_job(form, offered, seen)
    outcome = _try(
        scope,
        form,
        lambda session: service.correct_job(
            session,
            scope,
            contact_id,
            job_id,
            _job_entry(form),
            version=_version(form),
            # A job whose first day stays unknown keeps the day we first knew of it.
            today=seen.since if seen.first_seen else my_today(),
            now=clock.now(),
        ),
    )
    if outcome is None:
        return _saved(contact_id)
    if outcome.conflict is not None:
        _note_view(scope, contact_id)
    return _job_page(form, person, offered.workplace, outcome.conflict), outcome.status


def _job_seen(
    scope: Scope, contact_id: uuid.UUID, job_id: uuid.UUID
) -> tuple[queries.Person, queries.JobSeen, queries.JobChoices]:
    with unit_of_work(scope, read_only=True) as session:
        person, seen = queries.read_job(session, scope, contact_id, job_id)
        if seen.workplace is None:
            raise NotFound("the workplace of the job")
        offered = queries.job_choices(session, scope, seen.workplace.public_id)
    return person, seen, offered


@bp.get("/people/<uuid:contact_id>/jobs/<uuid:job_id>/end")
@requires(Permission.CONTACT_WRITE)
def job_end(scope: Scope, contact_id: uuid.UUID, job_id: uuid.UUID) -> str:
    """Ask from which day the person no longer has the job."""
    person, _seen, offered = _job_seen(scope, contact_id, job_id)
    form = forms.EndForm(data={"day": my_today()})
    return _end_page(form, person, _("They left %(place)s", place=offered.workplace.name))


@bp.post("/people/<uuid:contact_id>/jobs/<uuid:job_id>/end")
@requires(Permission.CONTACT_WRITE)
def job_end_save(scope: Scope, contact_id: uuid.UUID, job_id: uuid.UUID) -> Any:
    """Store the end of a job."""
    person, _seen, offered = _job_seen(scope, contact_id, job_id)
    form = forms.EndForm()
    outcome = _try(
        scope,
        form,
        lambda session: service.end_job(
            session, scope, contact_id, job_id, form.day.data, now=clock.now()
        ),
    )
    if outcome is None:
        return _saved(contact_id)
    title = _("They left %(place)s", place=offered.workplace.name)
    return _end_page(form, person, title), outcome.status


@bp.get("/people/<uuid:contact_id>/jobs/<uuid:job_id>/move")
@requires(Permission.CONTACT_WRITE)
def job_move(scope: Scope, contact_id: uuid.UUID, job_id: uuid.UUID) -> str:
    """Ask to which area and shift the person moved, and when."""
    person, seen, offered = _job_seen(scope, contact_id, job_id)
    form = forms.MoveForm(
        data={
            "area": str(seen.area.public_id) if seen.area else "",
            "shift": str(seen.shift_id or ""),
            "since": my_today(),
        }
    )
    _offer_moved(form, offered, seen)
    return _move_page(form, person, offered)


@bp.post("/people/<uuid:contact_id>/jobs/<uuid:job_id>/move")
@requires(Permission.CONTACT_WRITE)
def job_move_save(scope: Scope, contact_id: uuid.UUID, job_id: uuid.UUID) -> Any:
    """Store a move to another area or shift."""
    person, seen, offered = _job_seen(scope, contact_id, job_id)
    form = forms.MoveForm()
    _offer_moved(form, offered, seen)
    outcome = _try(
        scope,
        form,
        lambda session: service.move_job(
            session,
            scope,
            contact_id,
            job_id,
            area=chosen_id(form.area.data),
            shift=chosen_id(form.shift.data),
            since=form.since.data,
            now=clock.now(),
        ),
    )
    if outcome is None:
        return _saved(contact_id)
    return _move_page(form, person, offered), outcome.status


def _job_entry(form: forms.JobForm) -> service.JobEntry:
    return service.JobEntry(
        area=chosen_id(form.area.data),
        shift=chosen_id(form.shift.data),
        since=form.since.data,
        until=form.until.data,
        job_title=form.text("job_title"),
        employer=chosen_id(form.employer.data),
        contract_type=forms.chosen_word(ContractType, form.contract_type.data),
    )


def _offer_job(
    form: forms.JobForm, offered: queries.JobChoices, seen: queries.JobSeen | None = None
) -> None:
    _offer_moved(form, offered, seen)
    forms.offer(form.employer, offered.employers)
    if seen is not None and seen.employer is not None:
        _keep(form.employer, seen.employer.public_id, seen.employer.name)


def _offer_moved(form: Any, offered: queries.JobChoices, seen: queries.JobSeen | None) -> None:
    _offer_where(form, offered)
    if seen is not None and seen.area is not None:
        _keep(form.area, seen.area.public_id, seen.area.name)
    if seen is not None and seen.shift_id is not None:
        _keep(form.shift, seen.shift_id, seen.shift or "")


def _keep(field: Any, public_id: uuid.UUID, name: str) -> None:
    """Offer what is chosen now even if it is closed: saving must not lose it by the way."""
    field.offer((field.words() | {str(public_id): name}).items())


def _job_page(
    form: forms.JobForm,
    person: queries.Person,
    workplace: queries.PlaceName,
    conflict: EditConflict | None = None,
    *,
    new: bool = False,
) -> str:
    return _form_page(
        form,
        person,
        title=_("Job at %(place)s", place=workplace.name),
        fields=["area", "shift", "job_title", "employer", "contract_type", "since", "until"],
        conflict=conflict,
        action=url_for(
            "contacts.job_add_save", contact_id=person.public_id, workplace=workplace.public_id
        )
        if new
        else None,
    )


def _move_page(form: forms.MoveForm, person: queries.Person, offered: queries.JobChoices) -> str:
    return _form_page(
        form,
        person,
        title=_("They moved inside %(place)s", place=offered.workplace.name),
        fields=["area", "shift", "since"],
    )


def _end_page(form: forms.EndForm, person: queries.Person, title: str) -> str:
    return _form_page(form, person, title=title, fields=["day"])


# --- Membership -------------------------------------------------------------------------------


@bp.get("/people/<uuid:contact_id>/unions/new")
@requires(Permission.CONTACT_WRITE)
def membership_add(scope: Scope, contact_id: uuid.UUID) -> str:
    """Show the form for what is known of a union."""
    form = forms.MembershipForm(data={"since": my_today(), "status": "member"})
    person = _offer_unions(scope, contact_id, form)
    return _membership_page(form, person)


@bp.post("/people/<uuid:contact_id>/unions/new")
@requires(Permission.CONTACT_WRITE)
def membership_add_save(scope: Scope, contact_id: uuid.UUID) -> Any:
    """Store what is known of a union."""
    form = forms.MembershipForm()
    person = _offer_unions(scope, contact_id, form)
    outcome = _try(
        scope,
        form,
        lambda session: service.add_membership(
            session, scope, contact_id, _membership_entry(form), now=clock.now()
        ),
    )
    if outcome is None:
        return _saved(contact_id)
    return _membership_page(form, person), outcome.status


@bp.get("/people/<uuid:contact_id>/unions/<uuid:membership_id>")
@requires(Permission.CONTACT_WRITE)
def membership(scope: Scope, contact_id: uuid.UUID, membership_id: uuid.UUID) -> str:
    """Show the form that puts right what is known of a union."""
    _note_view(scope, contact_id)
    with unit_of_work(scope, read_only=True) as session:
        person, seen = queries.read_membership(session, scope, contact_id, membership_id)
    form = forms.MembershipForm(
        data={
            "version": str(seen.public_id),
            "status": _status_word(seen.status, in_a_union=seen.union is not None),
            "union": str(seen.union.public_id) if seen.union else "",
            "branch": str(seen.branch.public_id) if seen.branch else "",
            "source": seen.source.value if seen.source else "",
            "since": seen.since,
            "until": seen.until,
        }
    )
    _offer_unions(scope, contact_id, form)
    return _membership_page(form, person, seen)


@bp.post("/people/<uuid:contact_id>/unions/<uuid:membership_id>")
@requires(Permission.CONTACT_WRITE)
def membership_save(scope: Scope, contact_id: uuid.UUID, membership_id: uuid.UUID) -> Any:
    """Store what is known of a union, put right."""
    with unit_of_work(scope, read_only=True) as session:
        person, seen = queries.read_membership(session, scope, contact_id, membership_id)
    form = forms.MembershipForm()
    _offer_unions(scope, contact_id, form)
    outcome = _try(
        scope,
        form,
        lambda session: service.correct_membership(
            session,
            scope,
            contact_id,
            membership_id,
            _membership_entry(form),
            version=_version(form),
            now=clock.now(),
        ),
    )
    if outcome is None:
        return _saved(contact_id)
    if outcome.conflict is not None:
        _note_view(scope, contact_id)
    return _membership_page(form, person, seen, outcome.conflict), outcome.status


@bp.get("/people/<uuid:contact_id>/unions/<uuid:membership_id>/end")
@requires(Permission.CONTACT_WRITE)
def membership_end(scope: Scope, contact_id: uuid.UUID, membership_id: uuid.UUID) -> str:
    """Ask from which day a membership no longer holds."""
    _note_view(scope, contact_id)
    with unit_of_work(scope, read_only=True) as session:
        person, seen = queries.read_membership(session, scope, contact_id, membership_id)
    form = forms.EndForm(data={"day": my_today()})
    return _end_page(form, person, _("Ended: %(text)s", text=wording.membership_text(seen)))


@bp.post("/people/<uuid:contact_id>/unions/<uuid:membership_id>/end")
@requires(Permission.CONTACT_WRITE)
def membership_end_save(scope: Scope, contact_id: uuid.UUID, membership_id: uuid.UUID) -> Any:
    """Store the end of a membership."""
    with unit_of_work(scope, read_only=True) as session:
        person, seen = queries.read_membership(session, scope, contact_id, membership_id)
    form = forms.EndForm()
    outcome = _try(
        scope,
        form,
        lambda session: service.end_membership(
            session, scope, contact_id, membership_id, form.day.data, now=clock.now()
        ),
    )
    if outcome is None:
        return _saved(contact_id)
    title = _("Ended: %(text)s", text=wording.membership_text(seen))
    return _end_page(form, person, title), outcome.status


@bp.get("/people/<uuid:contact_id>/unions/<uuid:membership_id>/remove")
@requires(Permission.CONTACT_WRITE)
def membership_remove(scope: Scope, contact_id: uuid.UUID, membership_id: uuid.UUID) -> str:
    """Ask whether to go back to "not known"."""
    _note_view(scope, contact_id)
    with unit_of_work(scope, read_only=True) as session:
        person, seen = queries.read_membership(session, scope, contact_id, membership_id)
    return _form_page(
        forms.ConfirmForm(),
        person,
        title=_("Go back to “not known”?"),
        lede=_("This was written down by mistake: %(text)s.", text=wording.membership_text(seen)),
        fields=[],
        submit=_("Yes, it is not known"),
        danger=True,
    )


@bp.post("/people/<uuid:contact_id>/unions/<uuid:membership_id>/remove")
@requires(Permission.CONTACT_WRITE)
def membership_remove_save(
    scope: Scope, contact_id: uuid.UUID, membership_id: uuid.UUID
) -> Response:
    """Go back to "not known"."""
    with unit_of_work(scope) as session:
        service.withdraw_membership(session, scope, contact_id, membership_id, now=clock.now())
    return _saved(contact_id, _("Saved: this is now not known."))


def _offer_unions(
    scope: Scope, contact_id: uuid.UUID, form: forms.MembershipForm
) -> queries.Person:
    with unit_of_work(scope, read_only=True) as session:
        person = queries.read_person(session, scope, contact_id)
        unions = queries.union_choices(session, scope)
        branches = queries.branch_choices(session, scope)
    forms.offer(form.union, unions, first=_("Choose"))
    forms.offer(form.branch, branches)
    return person


def _membership_entry(form: forms.MembershipForm) -> service.MembershipEntry:
    return service.MembershipEntry(
        union=form.union_id(),
        branch=form.branch_id(),
        status=form.says(),
        source=forms.chosen_word(MembershipSource, form.source.data),
        since=form.since.data,
        until=form.until.data,
    )


def _status_word(status: object, *, in_a_union: bool) -> str:
    if status is MembershipStatus.MEMBER:
        return "member"
    return "not_member" if in_a_union else "none"


def _membership_page(
    form: forms.MembershipForm,
    person: queries.Person,
    seen: queries.MembershipSeen | None = None,
    conflict: EditConflict | None = None,
) -> str:
    if conflict is not None:
        status = _status_word(
            conflict.current["status"], in_a_union=conflict.current["union"] is not None
        )
        conflict.current["status"] = status
    return _form_page(
        form,
        person,
        title=_("Union membership"),
        lede=_("“Not known” needs nothing written down: it is what stands here until you know.")
        if seen is None
        else None,
        fields=["status", "union", "branch", "source", "since", "until"],
        conflict=conflict,
        remove_url=url_for(
            "contacts.membership_remove",
            contact_id=person.public_id,
            membership_id=seen.public_id,
        )
        if seen
        else None,
        remove_label=_("This was a mistake: it is not known"),
    )


# --- Why we may keep it -----------------------------------------------------------------------


@bp.get("/people/<uuid:contact_id>/basis/new")
@requires(Permission.CONTACT_WRITE)
def basis_add(scope: Scope, contact_id: uuid.UUID) -> str:
    """Show the form for why we may keep a group of facts."""
    with unit_of_work(scope, read_only=True) as session:
        person = queries.read_person(session, scope, contact_id)
    form = forms.BasisForm(data={"given_on": my_today(), "field_group": request.args.get("facts")})
    return _basis_page(form, person)


@bp.post("/people/<uuid:contact_id>/basis/new")
@requires(Permission.CONTACT_WRITE)
def basis_add_save(scope: Scope, contact_id: uuid.UUID) -> Any:
    """Store why we may keep a group of facts."""
    with unit_of_work(scope, read_only=True) as session:
        person = queries.read_person(session, scope, contact_id)
    form = forms.BasisForm()
    outcome = _try(
        scope,
        form,
        lambda session: service.add_basis(
            session,
            scope,
            contact_id,
            field_group=FieldGroup(form.field_group.data),
            basis=LegalBasis(form.basis.data),
            given_on=form.given_on.data,
            wording=form.text("wording"),
            now=clock.now(),
        ),
    )
    if outcome is None:
        return _saved(contact_id)
    return _basis_page(form, person), outcome.status


@bp.get("/people/<uuid:contact_id>/basis/<uuid:basis_id>/withdraw")
@requires(Permission.CONTACT_WRITE)
def basis_withdraw(scope: Scope, contact_id: uuid.UUID, basis_id: uuid.UUID) -> str:
    """Ask from which day a consent or another ground no longer holds."""
    with unit_of_work(scope, read_only=True) as session:
        person, seen = queries.read_basis(session, scope, contact_id, basis_id)
    form = forms.EndForm(data={"day": my_today()})
    return _end_page(form, person, _("Taken back: %(text)s", text=label(seen.basis)))


@bp.post("/people/<uuid:contact_id>/basis/<uuid:basis_id>/withdraw")
@requires(Permission.CONTACT_WRITE)
def basis_withdraw_save(scope: Scope, contact_id: uuid.UUID, basis_id: uuid.UUID) -> Any:
    """Store that a consent or another ground was taken back."""
    with unit_of_work(scope, read_only=True) as session:
        person, seen = queries.read_basis(session, scope, contact_id, basis_id)
    form = forms.EndForm()
    outcome = _try(
        scope,
        form,
        lambda session: service.withdraw_basis(
            session, scope, contact_id, basis_id, form.day.data, now=clock.now()
        ),
    )
    if outcome is None:
        return _saved(contact_id)
    title = _("Taken back: %(text)s", text=label(seen.basis))
    return _end_page(form, person, title), outcome.status


def _basis_page(form: forms.BasisForm, person: queries.Person) -> str:
    return _form_page(
        form,
        person,
        title=_("Why we may keep this"),
        fields=["field_group", "basis", "given_on", "wording"],
    )


# --- Shared by the forms ----------------------------------------------------------------------


class _Outcome:
    """Why a form comes back: the status to answer with, and the other version if there is one."""

    def __init__(self, status: int, conflict: EditConflict | None = None) -> None:
        self.status = status
        self.conflict = conflict


def _try(scope: Scope, form: Any, work: Work) -> _Outcome | None:
    """Check the form and do the work; return None when it is stored."""
    if not form.validate():
        return _Outcome(422)
    return _attempt(scope, form, work)


def _attempt(scope: Scope, form: Any, work: Work) -> _Outcome | None:
    refusal = attempt(scope, form, work, _BESIDE)
    if isinstance(refusal, EditConflict):
        return _Outcome(409, refusal)
    return None if refusal is None else _Outcome(422)


def _form_page(
    form: Any,
    person: queries.Person,
    *,
    title: str,
    fields: list[str],
    lede: str | None = None,
    conflict: EditConflict | None = None,
    action: str | None = None,
    submit: str | None = None,
    danger: bool = False,
    remove_url: str | None = None,
    remove_label: str | None = None,
) -> str:
    both: list[tuple[str, str, str]] = []
    if conflict is not None:
        # Saving again, with this version, is a choice made with both in sight.
        form.version.data = str(conflict.current["version"])
        both = [
            (
                str(form[name].label.text),
                _said(form[name], conflict.current.get(name)),
                _said(form[name], conflict.yours.get(name)),
            )
            for name in fields
        ]
    return render_template(
        "contacts/edit.html",
        form=form,
        person=person,
        title=title,
        lede=lede,
        fields=[form[name] for name in fields],
        both=[row for row in both if row[1] != row[2]],
        action=action,
        submit=submit,
        danger=danger,
        remove_url=remove_url,
        remove_label=remove_label or _("Remove"),
        back_url=url_for("contacts.show", contact_id=person.public_id),
    )


def _said(field: Any, value: Any) -> str:
    """Return a field's value as the page says it."""
    if value is None or value == "" or value == ():
        return str(NOT_KNOWN)
    if isinstance(value, date):
        return day_text(value)
    if isinstance(value, tuple):
        return ", ".join(value)
    key = str(getattr(value, "value", value))
    words = field.words() if hasattr(field, "words") else {}
    return str(words.get(key, key))


def _version(form: Any) -> uuid.UUID:
    """Return the version a form about a fact was made from; a made-up one is nobody's."""
    return chosen_id(form.version.data) or uuid.UUID(int=0)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _to_person(contact_id: uuid.UUID) -> Response:
    return redirect(url_for("contacts.show", contact_id=contact_id), 303)


def _saved(contact_id: uuid.UUID, words: str | None = None) -> Response:
    flash(words or _("Saved."), "done")
    return _to_person(contact_id)
