"""One's own calendar address, and what a calendar program fetches from it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import force_locale, gettext, ngettext

from crm.access.feeds import end_feeds, find_feed, note_read
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.throttle import WINDOW, count_try
from crm.analysis.calendars import WholeDay, calendar_file
from crm.features.feed import queries, service
from crm.reads.dated import Dated, DatedKind, list_dated
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.guard import keyed_hash, public, requires, scope_of
from crm.web.networks import network

bp = Blueprint("feed", __name__)

# Programs fetch every few minutes at most. A wrong address is somebody's guess, or an old one.
FETCHES_PER_ADDRESS = 30
WRONG_PER_NETWORK = 50


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


@bp.get("/account/calendar")
@requires(Permission.ACCOUNT_OWN)
def mine(scope: Scope) -> str:
    """Say whether there is a calendar address, and offer to make or to end one."""
    return _page(scope)


@bp.post("/account/calendar")
@requires(Permission.ACCOUNT_OWN)
def make(scope: Scope) -> str:
    """Make a new address and show it, this once."""
    with unit_of_work(scope) as session:
        token = service.make_own(session, scope, now=clock.now())
    base = str(current_app.config["PUBLIC_URL"]) or request.host_url.rstrip("/")
    # It goes nowhere else: not into a cookie, not into a log.
    return _page(scope, address=base + url_for("feed.dates", token=token))


@bp.post("/account/calendar/end")
@requires(Permission.ACCOUNT_OWN)
def end(scope: Scope) -> Any:
    """End the address."""
    with unit_of_work(scope) as session:
        service.end_own(session, scope, now=clock.now())
    flash(gettext("The calendar address no longer works."), "done")
    return redirect(url_for("feed.mine"), 303)


@bp.get("/calendar/<token>/dates.ics")
@public
def dates(token: str) -> Response:
    """Answer a calendar program: how many things are to be done on which day, and nothing else.

    A wrong token, one that was ended, and one of somebody without access look the same.
    """
    now = clock.now()
    with unit_of_work() as session:
        found = find_feed(session, token)
        counted = (
            f"wrong calendar {network(request.remote_addr)}"
            if found is None
            else f"calendar {found[0].id}"
        )
        limit = WRONG_PER_NETWORK if found is None else FETCHES_PER_ADDRESS
        allowed = count_try(session, keyed_hash(counted), limit=limit, now=now)
        scope = scope_of(session, found[1].id if found else 0, now.date())
        if found is not None and not scope.may(Permission.CONVERSATION_WRITE):
            # Their access has ended: the address must not come back to life with a later role.
            end_feeds(session, found[1].id, now=now)
            found = None
        if found is not None and allowed:
            note_read(found[0], now.date())
        seed = "" if found is None else f"{found[0].token_hash}"
        user = None if found is None else found[1]
        zone, language = (user.time_zone, user.language) if user is not None else (None, None)
    if not allowed:
        return _too_many()
    if user is None:
        abort(404)
    today = clock.today(zone or str(current_app.config["TIME_ZONE"]))
    with unit_of_work(scope, read_only=True) as session:
        items = list_dated(session, scope, today=today)
    with force_locale(language or current_app.config["LANGUAGES"][0]):
        return _file(items, today=today, seed=keyed_hash(f"dates {seed}"), now=now)


def _too_many() -> Response:
    seconds = str(int(WINDOW.total_seconds()))
    return Response("", 429, {"Retry-After": seconds}, mimetype="text/plain")


def _file(items: Iterable[Dated], *, today: date, seed: str, now: datetime) -> Response:
    body = calendar_file(
        _days(items, today), name=str(gettext("Reminders")), seed=seed, made_at=now
    )
    return Response(body, mimetype="text/calendar")


def _days(items: Iterable[Dated], today: date) -> list[WholeDay]:
    """Return a line for each day and sort; all that is overdue stands in one line today."""
    late: dict[DatedKind, int] = {}
    found = []
    for one in items:
        if one.day < today:
            late[one.kind] = late.get(one.kind, 0) + one.count
        else:
            found.append(WholeDay(one.day, one.kind.value, _words(one.kind, one.count)))
    return [
        *(WholeDay(today, f"late {kind.value}", _late_words(kind, late[kind])) for kind in late),
        *found,
    ]


def _words(kind: DatedKind, count: int) -> str:
    words = {
        DatedKind.REMINDER: ngettext("%(num)s reminder", "%(num)s reminders", count),
        DatedKind.DEADLINE: ngettext("%(num)s deadline", "%(num)s deadlines", count),
        # Says no more than that something is due: a calendar lies open on shared screens.
        DatedKind.BALLOT: ngettext("%(num)s paper due", "%(num)s papers due", count),
    }
    return str(words[kind])


def _late_words(kind: DatedKind, count: int) -> str:
    words = {
        DatedKind.REMINDER: ngettext(
            "%(num)s reminder overdue", "%(num)s reminders overdue", count
        ),
        DatedKind.DEADLINE: ngettext(
            "%(num)s deadline overdue", "%(num)s deadlines overdue", count
        ),
        DatedKind.BALLOT: ngettext("%(num)s paper overdue", "%(num)s papers overdue", count),
    }
    return str(words[kind])


def _page(scope: Scope, address: str | None = None) -> str:
    with unit_of_work(scope, read_only=True) as session:
        found = queries.find_own(session, scope)
    return render_template("feed/mine.html", found=found, address=address)
