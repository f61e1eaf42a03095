"""The phone: the list it may keep, the talks it sends, and talks that are not stored yet.

A phone without signal keeps a list of a few people, sealed under its owner's own code, and talks
sealed to this server. Its scripts are in `crm/static`; docs/decisions/0009 says what they keep.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import (
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.datastructures import MultiDict

from crm.access.merging import living
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.taps import take_once
from crm.domain.errors import NotFound, Refusal
from crm.domain.identity import short_name
from crm.domain.structure import Deed
from crm.domain.vocabulary import VoteWord
from crm.features.conversations import queries, service
from crm.features.conversations.blueprint import bp
from crm.features.conversations.forms import TalkForm
from crm.features.conversations.typed import field_of, typed_fields, typed_form
from crm.reads.phone import people_for_the_phone
from crm.reads.turf import own_people
from crm.web import clock, sealing, taps
from crm.web.db import unit_of_work
from crm.web.errors import sentence
from crm.web.filters import moment as moment_words
from crm.web.forms import chosen_id
from crm.web.guard import current_scope, my_today, my_zone, public, requires, scope_of, signed_in
from crm.web.pages import LOOK, address_of, keep_look, render_kept, static_url

log = logging.getLogger(__name__)

# No more names on a phone than somebody speaks to in a fortnight.
MOST_PEOPLE = 30
MOST_SENT = 50
_KEPT_FILES = (
    *("app.css", "once.js", "vault.js", "phone.js", "offline.js"),
    *("favicon.svg", "icons.svg", "plain.css", "plain.svg"),
)
# For phones that take no SVG; tools/icons.py draws them. A maskable one may be cut to a circle.
_DRAWN_ICONS = ((192, "any"), (512, "any"), (512, "maskable"))
# A talk that waited longer was wiped from the phone; a clock that says so is wrong.
LONGEST_WAIT = timedelta(days=15)


@dataclass(frozen=True, slots=True)
class _Letter:
    """One sealed talk, opened; or a tap. page: where the tap was meant for; empty for a talk.

    contact_id: of a tap, that of the tap itself, for whom it was on is in page and fields.
    """

    talk_id: UUID
    contact_id: UUID
    page: str
    fields: dict[str, list[str]]
    later: bool
    typed_at: datetime


class _Damaged(ValueError):
    """What was sent is no talk of this writer."""


# What the phone keeps open


@bp.get("/outbox")
@requires(Permission.CONVERSATION_WRITE)
def outbox(scope: Scope) -> str:
    """Show what is not sent or not stored: on this phone, and on the server."""
    with unit_of_work(scope, read_only=True) as session:
        kept = queries.list_kept(session, scope)
    return render_template(
        "conversations/outbox.html",
        kept=[
            {
                "name": one.name,
                "reason": one.reason,
                "words": one.words,
                "typed": moment_words(one.typed_at),
                "open_url": _open_url(one),
                "drop_url": url_for("conversations.drop", kept_id=one.public_id),
            }
            for one in kept
        ],
    )


def _open_url(kept: queries.Kept) -> str | None:
    if kept.name is None:
        return None
    if kept.page is not None:
        return kept.page if taps.kind_of(kept.page) else None
    return url_for("conversations.log", contact_id=kept.contact_public_id, kept=kept.public_id)


@bp.post("/outbox/<uuid:kept_id>/drop")
@requires(Permission.CONVERSATION_WRITE)
def drop(scope: Scope, kept_id: UUID) -> Any:
    """Throw away a talk that was unfinished or refused."""
    with unit_of_work(scope) as session:
        service.throw_away(session, scope, kept_id)
    flash(gettext("Thrown away."), "done")
    return redirect(url_for("conversations.outbox"), 303)


@bp.get("/phone")
@requires(Permission.CONVERSATION_WRITE)
def phone(scope: Scope) -> str:
    """Show how to use the phone without signal, and set the code that opens the list."""
    return render_template("conversations/phone.html", most=MOST_PEOPLE)


@bp.post("/phone/look")
@requires(Permission.CONVERSATION_WRITE)
def choose_look(scope: Scope) -> Any:
    """Have this browser show the app's own name and icon, or a dull one that tells nothing."""
    chosen = "rota" if request.form.get(LOOK) == "rota" else "shopfloor"
    answer = redirect(url_for("conversations.phone"), 303)
    keep_look(answer, chosen)
    return answer


@bp.get("/phone/shell")
@public
def shell() -> str:
    """Show the page that opens when there is no signal; it holds nothing of anybody."""
    form = TalkForm(None, meta={"csrf": False})
    return render_kept(
        "conversations/shell.html",
        form=form,
        phone_key=None,
        deeds=list(Deed),
        vote_words=list(VoteWord),
    )


@bp.get("/phone/worker.js")
@public
def worker() -> Any:
    """Return the script that answers for the server when there is no signal."""
    kept = [static_url(name) for name in _KEPT_FILES]
    stamp = hashlib.sha256("\n".join([*kept, shell()]).encode()).hexdigest()[:16]
    head = "const KEEP = {}, SHELL = {}, HIDE = {}, VAULT = {}, STAMP = {};\n".format(
        *(
            json.dumps(one)
            for one in (
                kept,
                url_for("conversations.shell"),
                address_of("today.hide"),
                static_url("vault.js"),
                stamp,
            )
        )
    )
    folder = current_app.static_folder or ""
    answer = make_response(head + (Path(folder) / "worker.js").read_text(encoding="utf-8"))
    answer.mimetype = "text/javascript"
    # It lies in a folder of its own and answers for the whole site.
    answer.headers["Service-Worker-Allowed"] = "/"
    return answer


@bp.get("/phone/app/<any(shopfloor, rota):look>.webmanifest")
@public
def manifest(look: str) -> Any:
    """Return what a phone needs to put the app beside the others, under either name."""
    name, icon = ("Shopfloor", "favicon.svg") if look == "shopfloor" else ("Rota", "plain.svg")
    answer = jsonify(
        name=name,
        short_name=name,
        start_url="/",
        scope="/",
        display="standalone",
        background_color="#ffffff",
        theme_color="#ffffff",
        icons=[
            {"src": static_url(icon), "sizes": "any", "type": "image/svg+xml"},
            *(_drawn_icon(look, size, purpose) for size, purpose in _DRAWN_ICONS),
        ],
    )
    answer.mimetype = "application/manifest+json"
    return answer


def _drawn_icon(look: str, size: int, purpose: str) -> dict[str, str]:
    part = "maskable-" if purpose == "maskable" else ""
    return {
        "src": static_url(f"icon-{look}-{part}{size}.png"),
        "sizes": f"{size}x{size}",
        "type": "image/png",
        "purpose": purpose,
    }


# What the phone asks and sends


@bp.get("/phone/state")
@public
def state() -> Any:
    """Say whether the phone's owner is signed in, signed out, or may use it no longer.

    owner: the mark the phone was given. "ended" has the phone wipe all that it keeps.
    """
    owner = _owner_of(request.args.get("owner"))
    user = signed_in()
    if owner is not None and not _may_log(owner):
        return _ended()
    if user is None:
        return jsonify(state="out")
    if owner != user.user_id:
        return jsonify(state="other")
    return jsonify(state="in", csrf=generate_csrf())


@bp.get("/phone/people")
@requires(Permission.CONVERSATION_WRITE)
def people(scope: Scope) -> Any:
    """Return the few people the phone may keep: first name, initial, area, last stand.

    Of the tests and ballots that go on, first name and initial of those who are still to be asked.
    However many lists there are, no more people are named than fit on one.
    """
    today = my_today()
    with unit_of_work(scope) as session:
        own = own_people(session, scope, today=today)
        lists = [
            one
            for kind in taps.kinds()
            for one in kind.lists(session, scope, today, own, MOST_PEOPLE)
        ]
        found, named = people_for_the_phone(
            session,
            scope,
            today=today,
            limit=MOST_PEOPLE,
            listed=[person.public_id for one in lists for person in one.people],
        )
        queries.note_taken(session, scope, len(named))
    return jsonify(
        lists=[
            {
                "page": one.page,
                "name": one.name,
                "people": [
                    {"key": person.key, "name": short_name(person.name)}
                    for person in one.people
                    if person.public_id in named
                ],
            }
            for one in lists
        ],
        people=[
            {
                "id": str(one.public_id),
                "name": one.short_name,
                "area": one.area,
                "stand": one.rating,
            }
            for one in found
        ],
    )


@bp.post("/phone/talks")
@requires(Permission.CONVERSATION_WRITE)
def take_talks(scope: Scope) -> Any:
    """Store the talks and taps a phone sends; each is answered for itself.

    The answer of each: stored, again (it was stored before), kept (unfinished, or refused with the
    reason beside it, and waiting in the outbox), or damaged (it is no talk of this writer). Of a
    tap: done, kept as a talk is, or dropped with the reason beside it; then nothing of it stays
    here. "over" beside dropped: nor on the phone. None: a defect of ours; it stays on the phone.
    """
    try:
        body = request.get_json(silent=True)
    except RecursionError:
        body = None
    sent = body if isinstance(body, dict) else {}
    items = sent.get("talks")
    if not isinstance(items, list) or len(items) > MOST_SENT:
        return jsonify(error="talks"), 400
    ahead = _ahead(sent.get("clock"))
    return jsonify(
        answers=[_answered(scope, item, ahead) for item in items],
        # For those with a reason beside them; the phone puts in how many there were.
        words=gettext("Could not be stored: {n}. Open the outbox."),
    )


def _ahead(clock_there: Any) -> timedelta:
    """Return how far the phone's clock runs ahead of ours; nothing for one that tells no time."""
    if isinstance(clock_there, bool) or not isinstance(clock_there, int | float):
        return timedelta(0)
    try:
        return datetime.fromtimestamp(clock_there / 1000, UTC) - clock.now()
    except (ValueError, OverflowError, OSError):
        return timedelta(0)


def _answered(scope: Scope, item: Any, ahead: timedelta) -> dict[str, str]:
    """Take one letter; a defect in it keeps none of those beside it on the phone."""
    sent = item if isinstance(item, dict) else {}
    talk_id = str(sent.get("id", ""))[:40]
    try:
        return _take(scope, talk_id, str(sent.get("sealed", "")), ahead)
    except Exception as error:  # noqa: BLE001 - the others would wait on the phone until it wipes them
        # The text of an exception may hold what somebody typed.
        log.error("a letter of a phone: %s", type(error).__name__)
        return {"id": talk_id}


def _take(scope: Scope, talk_id: str, sealed: str, ahead: timedelta) -> dict[str, str]:
    try:
        letter = _opened(scope, talk_id, sealed, ahead)
    except _Damaged:
        return {"id": talk_id, "answer": "damaged"}
    if letter.page:
        return _take_tap(scope, letter)
    if letter.later:
        return _kept_draft(scope, letter)
    form = typed_form(letter.fields)
    form.id.data = str(letter.talk_id)
    day = _day_of(letter.typed_at)
    if not form.validate():
        return _kept(scope, letter, _first_error(form))
    try:
        logged = _stored(scope, letter, form, day)
    except NotFound:
        return _kept(scope, letter, gettext("You can no longer see this person."))
    except Refusal as refusal:
        return _kept(scope, letter, _said_of(form, refusal))
    return {"id": talk_id, "answer": "stored" if logged.created else "again"}


def _take_tap(scope: Scope, letter: _Letter) -> dict[str, str]:
    """Store a tap on a list once."""
    answer = {"id": str(letter.talk_id)}
    found = taps.kind_of(letter.page)
    if found is None:
        return {**answer, "answer": "damaged"}
    kind, ids = found
    sent = taps.Tap(
        ids, letter.fields, letter.typed_at, _day_of(letter.typed_at), clock.now(), my_today()
    )
    try:
        with unit_of_work(scope) as session:
            if take_once(session, letter.talk_id, today=clock.now().date()):
                kind.take(session, scope, sent)
            service.forget_kept(session, scope, letter.talk_id)
    except taps.Over as over:
        return {**answer, "answer": "dropped", "reason": over.words, "over": "1"}
    except NotFound:
        reason = gettext("You can no longer see this person.")
    except Refusal as refusal:
        reason = sentence(refusal)
    else:
        return {**answer, "answer": "done"}
    if not kind.keeps:
        return {**answer, "answer": "dropped", "reason": reason}
    with unit_of_work(scope, read_only=True) as session:
        about = kind.about(session, scope, sent)
    again = {"page": [about.page]}
    whom = about.contact_id or ids[0]
    words = " ".join(one for one in (about.words, reason) if one)
    return _kept(scope, replace(letter, contact_id=whom, fields=again), words)


def _stored(scope: Scope, letter: _Letter, form: TalkForm, day: date) -> service.Logged:
    """Store the talk; with the person whose record the one that the phone knew was put into."""
    try:
        with unit_of_work(scope) as session:
            logged = service.log_talk(
                session,
                scope,
                contact_id=letter.contact_id,
                talk=form.talk(day),
                now=clock.now(),
                today=day,
                typed_at=letter.typed_at,
            )
            service.forget_kept(session, scope, letter.talk_id)
        return logged
    except NotFound:
        with unit_of_work(scope, read_only=True) as session:
            living_id = living(session, scope, letter.contact_id)
        if living_id is None:
            raise
    return _stored(scope, replace(letter, contact_id=living_id), form, day)


def _said_of(form: TalkForm, refusal: Refusal) -> str:
    field = field_of(refusal)
    words = sentence(refusal)
    return words if field is None else _beside(form[field], words)


def _first_error(form: TalkForm) -> str:
    for field in form:
        if field.errors:
            return _beside(field, str(field.errors[0]))
    return str(gettext("Something in it is not right. Check it and save it again."))


def _beside(field: Any, words: str) -> str:
    return " ".join((str(field.label.text), words))


def _kept_draft(scope: Scope, letter: _Letter) -> dict[str, str]:
    """Keep an unfinished talk, unless the whole of it has arrived by now."""
    with unit_of_work(scope, read_only=True) as session:
        stored = queries.find_stored(session, scope, letter.talk_id)
    if stored is not None and stored.held_by_id == scope.actor_id:
        return {"id": str(letter.talk_id), "answer": "again"}
    return _kept(scope, letter, None)


def _kept(scope: Scope, letter: _Letter, reason: str | None) -> dict[str, str]:
    now = clock.now()
    with unit_of_work(scope) as session:
        # The phone may know a record that was put into another since.
        person = living(session, scope, letter.contact_id) or letter.contact_id
        service.keep(
            session,
            scope,
            service.Typed(letter.talk_id, person, letter.fields, reason, letter.typed_at),
            now=now,
        )
    answer = {"id": str(letter.talk_id), "answer": "kept"}
    return answer if reason is None else {**answer, "reason": reason}


_BAD_LETTER = (
    *(sealing.NotForUs, ValueError, KeyError, TypeError, AttributeError),
    *(OverflowError, OSError, RecursionError),
)


def _whole(text: Any) -> str:
    """Return a text without halves of signs, which no database takes."""
    return str(text).encode(errors="replace").decode()


def _opened(scope: Scope, talk_id: str, sealed: str, ahead: timedelta) -> _Letter:
    """Return what a letter says. Raises _Damaged for one that is not this writer's talk."""
    try:
        said = json.loads(sealing.open_sealed(sealed, talk_id))
        owner = _owner_of(said["owner"])
        fields = {str(name): [_whole(one) for one in values] for name, values in said["fields"]}
        page = str(said.get("page", ""))[:200]
        found = chosen_id(talk_id), chosen_id(talk_id if page else str(said["contact"]))
        typed_at = datetime.fromtimestamp(float(said["at"]) / 1000, UTC) - ahead
    except _BAD_LETTER as error:
        raise _Damaged from error
    if owner != scope.actor_id or found[0] is None or found[1] is None:
        raise _Damaged
    now = clock.now()
    return _Letter(
        talk_id=found[0],
        contact_id=found[1],
        page=page,
        fields=fields
        if page
        else typed_fields(MultiDict((name, one) for name, all_ in fields.items() for one in all_)),
        later="later" in fields,
        # A phone's clock may be wrong: never later than now, nor longer ago than one can wait.
        typed_at=max(min(typed_at, now), now - LONGEST_WAIT),
    )


def _day_of(typed_at: datetime) -> date:
    return typed_at.astimezone(ZoneInfo(my_zone())).date()


# Whose phone it is


def owner_mark(user_id: int) -> str:
    """Return what the phone is given to name its owner by: signed, and no name in it."""
    return str(_signer().dumps(user_id))


def _owner_of(mark: str | None) -> int | None:
    try:
        found = _signer().loads(mark or "")
    except BadSignature:
        return None
    return found if isinstance(found, int) else None


def _signer() -> URLSafeSerializer:
    # The oldest first, as the signer wants them: it signs with the last.
    older = reversed(current_app.config.get("SECRET_KEY_FALLBACKS") or [])
    secrets = [*map(str, older), str(current_app.config["SECRET_KEY"])]
    return URLSafeSerializer(secrets, salt="owner of a phone")


def _may_log(user_id: int) -> bool:
    user = signed_in()
    if user is not None and user.user_id == user_id:
        return current_scope().may(Permission.CONVERSATION_WRITE)
    with unit_of_work(read_only=True) as session:
        scope = scope_of(session, user_id, clock.now().date())
    return scope.may(Permission.CONVERSATION_WRITE)


def _ended() -> Any:
    # The words come with it: on every page they would weigh on those whom they do not concern.
    words = gettext(
        "Your access has ended. This phone has wiped what it kept. What was not sent is gone."
    )
    answer = jsonify(state="ended", words=words)
    # Where the browser can, it wipes by itself, whatever the script does.
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@bp.app_context_processor
def _phone() -> dict[str, Any]:
    """Give every page what its script for the phone needs, where there is somebody to keep for."""
    user = signed_in()
    if user is None or not current_scope().may(Permission.CONVERSATION_WRITE):
        return {"phone_owner": None, "phone_key": None}
    return {"phone_owner": owner_mark(user.user_id), "phone_key": sealing.public_key()}
