"""The log: choose a person, write down the talk, and look at it afterwards."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.assessment import Basis, Freshness
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.features.conversations import outbox as outbox  # Puts its pages on the blueprint.
from crm.features.conversations import paper as paper  # So does this.
from crm.features.conversations import queries, service
from crm.features.conversations.blueprint import bp
from crm.features.conversations.forms import (
    CorrectionForm,
    StandForm,
    StandingForm,
    TakeBackForm,
    TalkForm,
)
from crm.features.conversations.typed import field_of, pairs, typed_fields
from crm.reads.people import PersonRow, search_people
from crm.reads.talks import PersonAtWork, people_to_speak_to, recent_people
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.expiry import freshness_on
from crm.web.forms import chosen_id
from crm.web.guard import my_today, requires
from crm.web.pages import address_of

RECENT = 8
FOUND = 20
LONGEST_SEARCH = 100

# What lies under "More about the talk": it is opened when one of these needs putting right.
_FOLDED = (
    "about",
    "about_rating",
    "day",
    "channel",
    "length_band",
    "steps",
    "their_words",
    "fears",
    "inoculation",
    "next_step",
    "language",
)


def install(app: Flask) -> None:
    """Register the pages of this feature, those of the phone and of paper too."""
    app.register_blueprint(bp)


@dataclass(frozen=True, slots=True)
class PersonLink:
    """One person to tap, as the list of people draws them."""

    url: str
    name: str
    rating: int | None
    freshness: Freshness
    more: str


@bp.get("/log")
@requires(Permission.CONVERSATION_WRITE)
def who(scope: Scope) -> str:
    """Ask who the talk was with: people of late, a search, someone new."""
    asked = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        found = (
            search_people(
                session,
                scope,
                asked,
                today=today,
                limit=FOUND + 1,
                permission=Permission.CONVERSATION_WRITE,
            )
            if asked
            else []
        )
        recent = [] if asked else recent_people(session, scope, today=today, limit=RECENT)
        others = (
            []
            if asked or len(recent) >= RECENT
            else people_to_speak_to(session, scope, today=today, limit=RECENT)
        )
        to_finish = 0 if asked else queries.count_kept(session, scope)
    known = {person.public_id for person in recent}
    others = [person for person in others if person.public_id not in known]
    return render_template(
        "conversations/who.html",
        asked=asked,
        found=[_link(person) for person in found[:FOUND]],
        found_more=len(found) > FOUND,
        recent=[_link(person) for person in recent],
        others=[_link(person) for person in others[: RECENT - len(recent)]],
        add_url=address_of("contacts.add", next="log"),
        to_finish=to_finish,
    )


@bp.route("/log/<uuid:contact_id>", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def log(scope: Scope, contact_id: UUID) -> Any:
    """Show the log form for a person, or store the talk."""
    today = my_today()
    form = TalkForm()
    kept_id = chosen_id(request.args.get("kept"))
    if request.method == "POST" and "later" in request.form:
        return _finish_later(scope, contact_id, form)
    if request.method == "POST" and form.validate():
        try:
            with unit_of_work(scope) as session:
                logged = service.log_talk(
                    session,
                    scope,
                    contact_id=contact_id,
                    talk=form.talk(today),
                    now=clock.now(),
                    today=today,
                )
                if kept_id is not None:
                    service.forget_kept(session, scope, logged.public_id)
        except Refusal as refusal:
            form.refuse(refusal, field_of(refusal))
        else:
            return _after(logged, contact_id)
    elif request.method == "GET":
        form.id.data = str(uuid.uuid4())
        form.day.data = today
        if kept_id is not None:
            form = _kept_form(scope, kept_id, contact_id)
    return _form_page(scope, contact_id, form, today)


def _kept_form(scope: Scope, kept_id: UUID, contact_id: UUID) -> TalkForm:
    """Return the form as it was typed before, with the reason why it was not stored."""
    with unit_of_work(scope, read_only=True) as session:
        kept = queries.find_kept(session, scope, kept_id, contact_id)
    if kept is None:
        raise NotFound(f"kept talk {kept_id}")
    form = TalkForm(pairs(kept.fields))
    form.id.data = str(kept.talk_id)
    if kept.reason is not None:
        form.form_errors.append(kept.reason)
    return form


def _finish_later(scope: Scope, contact_id: UUID, form: TalkForm) -> Any:
    """Keep what was typed so far, whole or not, for its writer alone."""
    now = clock.now()
    with unit_of_work(scope) as session:
        # Only somebody whom the writer may log a talk with.
        queries.get_person(session, scope, contact_id, today=my_today())
        service.keep(
            session,
            scope,
            service.Typed(
                talk_id=chosen_id(form.id.data) or uuid.uuid4(),
                contact_id=contact_id,
                fields=typed_fields(request.form),
                reason=None,
                typed_at=now,
            ),
            now=now,
        )
    flash(gettext("Kept. Nobody else sees it. Finish it when you can."), "done")
    return redirect(url_for("conversations.outbox"), 303)


@bp.get("/talks/<uuid:talk_id>")
@requires(Permission.CONTACT_READ)
def show(scope: Scope, talk_id: UUID) -> str:
    """Show one talk. Looking at it is recorded."""
    with unit_of_work(scope) as session:
        talk = queries.get_talk(session, scope, talk_id)
        queries.note_view(session, scope, talk)
    return _talk_page(talk, StandingForm())


@bp.post("/talks/<uuid:talk_id>/standing")
@requires(Permission.CONVERSATION_WRITE)
def correct(scope: Scope, talk_id: UUID) -> Any:
    """Put right where the person stood in the talk."""
    form = StandingForm()
    if form.validate():
        rating, basis = form.standing()
        try:
            with unit_of_work(scope) as session:
                service.correct_standing(
                    session,
                    scope,
                    talk_id,
                    seen=form.seen.data or None,
                    rating=rating,
                    basis=basis,
                    now=clock.now(),
                )
        except EditConflict as conflict:
            form.refuse(conflict)
            return _talk_again(scope, talk_id, form, 409)
        flash(gettext("Saved: where they stood."), "done")
        return redirect(url_for("conversations.show", talk_id=talk_id), 303)
    return _talk_again(scope, talk_id, form, 422)


@bp.get("/talks/<uuid:talk_id>/correct")
@requires(Permission.CONVERSATION_WRITE)
def edit(scope: Scope, talk_id: UUID) -> Any:
    """Show the form that puts right what was written down of the reader's own talk."""
    talk = _own_talk(scope, talk_id)
    return _edit_page(talk, _filled(talk), None)


@bp.post("/talks/<uuid:talk_id>/correct")
@requires(Permission.CONVERSATION_WRITE)
def edit_save(scope: Scope, talk_id: UUID) -> Any:
    """Put right what was written down of a talk."""
    form = CorrectionForm()
    conflict = None
    if form.validate():
        today = my_today()
        try:
            with unit_of_work(scope) as session:
                service.correct_talk(
                    session,
                    scope,
                    service.Talk(id=talk_id, day=form.day.data, **form.said()),
                    version=form.seen_version(),
                    now=clock.now(),
                    today=today,
                )
        except EditConflict as refusal:
            conflict = refusal
            form.refuse(refusal)
        except Refusal as refusal:
            form.refuse(refusal, field_of(refusal))
        else:
            flash(gettext("Saved. What stood there before is kept in the history."), "done")
            return redirect(url_for("conversations.show", talk_id=talk_id), 303)
    talk = _own_talk(scope, talk_id)
    if conflict is not None:
        form.version.data = str(conflict.current["version"])
    return _edit_page(talk, form, talk if conflict else None), 409 if conflict else 422


@bp.route("/talks/<uuid:talk_id>/take-back", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def take_back(scope: Scope, talk_id: UUID) -> Any:
    """Say what goes with a talk that was saved by mistake, or take it back."""
    form = TakeBackForm()
    if request.method == "POST" and form.validate():
        with unit_of_work(scope) as session:
            gone = service.take_back(session, scope, talk_id, now=clock.now())
        flash(
            gettext(
                "Taken back: the talk with %(name)s. It no longer counts.", name=gone.person_name
            ),
            "done",
        )
        person = gone.contact_public_id
        # There it can be brought back.
        back = address_of("history.person", contact_id=person)
        return redirect(back or url_for("conversations.who"), 303)
    with unit_of_work(scope) as session:
        parts = queries.read_take_back(session, scope, talk_id)
        talk = queries.get_talk(session, scope, talk_id)
        queries.note_view(session, scope, talk)
    page = render_template(
        "conversations/take_back.html",
        form=form,
        talk=talk,
        parts=parts,
        cancel_url=url_for("conversations.show", talk_id=talk_id),
    )
    return page, 422 if form.errors else 200


@bp.route("/people/<uuid:contact_id>/stands", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def stand(scope: Scope, contact_id: UUID) -> Any:
    """Write down where somebody stands, in general or on one ask, without a talk."""
    today = my_today()
    form = StandForm()
    with unit_of_work(scope, read_only=True) as session:
        person = queries.get_person(session, scope, contact_id, today=today)
    person_url = address_of("contacts.show", contact_id=contact_id) or url_for("conversations.who")
    if request.method == "POST" and form.validate():
        try:
            with unit_of_work(scope) as session:
                name = service.judge(
                    session,
                    scope,
                    contact_id,
                    service.Judged(
                        id=form.form_id(),
                        place=form.place_id(),
                        about=form.about.data or None,
                        rating=int(form.rating.data),
                        basis=Basis(form.basis.data),
                        day=form.day.data or today,
                    ),
                    now=clock.now(),
                    today=today,
                )
        except Refusal as refusal:
            form.refuse(refusal, field_of(refusal))
        else:
            flash(gettext("Saved: where %(name)s stands.", name=name), "done")
            return redirect(person_url, 303)
    elif request.method == "GET":
        form.id.data = str(uuid.uuid4())
        form.day.data = today
    form.place.offer((str(place.public_id), place.label) for place in person.places)
    page = render_template(
        "conversations/stand.html",
        form=form,
        person=person,
        has_errors=bool(form.errors),
        cancel_url=person_url,
    )
    return page, 422 if form.errors else 200


def _own_talk(scope: Scope, talk_id: UUID) -> queries.WholeTalk:
    """Return the reader's own talk, to be put right: a form filled with it is a look too."""
    with unit_of_work(scope) as session:
        queries.own_talk(session, scope, talk_id)
        talk = queries.get_talk(session, scope, talk_id)
        queries.note_view(session, scope, talk)
    return talk


def _filled(talk: queries.WholeTalk) -> CorrectionForm:
    form = CorrectionForm(
        data={
            "version": str(talk.version),
            "day": talk.day,
            "issues": list(talk.issues),
            "asked": talk.asked or "",
            "answer": talk.answer.value if talk.answer else "",
            "channel": talk.channel.value if talk.channel else "",
            "length_band": talk.length_band.value if talk.length_band else "",
            "steps": list(talk.steps),
            "about": talk.about or "",
            "about_rating": str(talk.on_ask.rating) if talk.on_ask else "",
            **{name: getattr(talk, name) for name in queries.NOTE_FIELDS},
        }
    )
    if talk.language is not None:
        form.language.data = talk.language
    return form


def _edit_page(
    talk: queries.WholeTalk, form: CorrectionForm, stored: queries.WholeTalk | None
) -> str:
    return render_template(
        "conversations/edit.html",
        form=form,
        talk=talk,
        stored=stored,
        has_errors=bool(form.errors),
        cancel_url=url_for("conversations.show", talk_id=talk.public_id),
    )


def _talk_again(scope: Scope, talk_id: UUID, form: StandingForm, status: int) -> tuple[str, int]:
    """Show the talk as it is now, with what was chosen kept in the form. This is a look too."""
    with unit_of_work(scope) as session:
        talk = queries.get_talk(session, scope, talk_id)
        queries.note_view(session, scope, talk)
    return _talk_page(talk, form, keep=True), status


def _talk_page(talk: queries.WholeTalk, form: StandingForm, *, keep: bool = False) -> str:
    standing = talk.standing
    # Saving again goes on from what is stored now, whatever the page had shown before.
    form.seen.data = str(standing.public_id) if standing else ""
    if not keep:
        form.rating.data = str(standing.rating) if standing else ""
        form.basis.data = standing.basis.value if standing else Basis.SAID.value
    return render_template(
        "conversations/show.html",
        talk=talk,
        form=form,
        conflict=keep and bool(form.form_errors),
        has_errors=bool(form.errors),
        person_url=address_of("contacts.show", contact_id=talk.contact_public_id),
    )


def _form_page(scope: Scope, contact_id: UUID, form: TalkForm, today: date) -> tuple[str, int]:
    with unit_of_work(scope, read_only=True) as session:
        person = queries.get_person(session, scope, contact_id, today=today)
        reminders = queries.my_reminders(session, scope, person.contact_id)
    form.place.offer((str(place.public_id), place.label) for place in person.places)
    page = render_template(
        "conversations/log.html",
        form=form,
        person=person,
        reminders=reminders,
        opened=any(form[name].errors for name in _FOLDED),
        has_errors=bool(form.errors),
        cancel_url=_back(contact_id),
    )
    return page, 422 if form.errors else 200


def _after(logged: service.Logged, contact_id: UUID) -> Any:
    if logged.taken_back:
        flash(
            gettext(
                "You took this talk with %(name)s back. It is not saved again. "
                "To bring it back, open the history of the person.",
                name=logged.person_name,
            ),
            "done",
        )
    elif logged.created:
        flash(gettext("Saved: talk with %(name)s.", name=logged.person_name), "done")
    else:
        flash(
            gettext(
                "This talk with %(name)s was saved before. It is kept once, as it was first sent.",
                name=logged.person_name,
            ),
            "done",
        )
    return redirect(_back(contact_id), 303)


def _back(contact_id: UUID) -> str:
    """Return where the reader came from, out of a closed list: never an address that was sent."""
    came_from = request.args.get("next")
    if came_from == "today":
        return address_of("today.index") or url_for("conversations.who")
    if came_from == "mine":
        return address_of("mine.index") or url_for("conversations.who")
    if came_from == "person":
        person = address_of("contacts.show", contact_id=contact_id)
        return person or url_for("conversations.who")
    if came_from == "wall":
        place_id = chosen_id(request.args.get("place"))
        wall = address_of("wallchart.show", place_id=place_id) if place_id else None
        return wall or url_for("conversations.who")
    return url_for("conversations.who")


def _link(person: PersonRow | PersonAtWork) -> PersonLink:
    names = [name for name in (person.workplace_name, person.area_name) if name]
    return PersonLink(
        url=url_for("conversations.log", contact_id=person.public_id),
        name=person.name,
        rating=person.rating,
        freshness=freshness_on(my_today(), person.scored_on),
        more=" · ".join(names),
    )
