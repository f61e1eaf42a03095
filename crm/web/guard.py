"""Who is asking, and the lock on every route: undeclared endpoints are refused.

A view is either ``@public`` or ``@requires(permission)``. The second builds the scope from the
grants in force at this moment and hands it to the view as its first argument.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import sqlalchemy as sa
from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask import session as cookie
from flask_login import LoginManager, UserMixin, current_user, login_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from crm.access.facts import covers, known
from crm.access.merging import living
from crm.access.permissions import Permission
from crm.access.scope import MARK, Grant, Scope
from crm.access.tokens import IDLE_LIMIT
from crm.access.tokens import token_hash as token_hash
from crm.domain.errors import NotFound, PermissionRefused
from crm.models.accounts import AccessGrant, UserAccount, UserSession
from crm.models.base import table_of
from crm.models.places import Place
from crm.web import clock
from crm.web.db import unit_of_work

P = ParamSpec("P")
R = TypeVar("R")

# Writing "last seen" at every request would turn every page view into a durable write.
SEEN_STEP = timedelta(minutes=10)

login_manager = LoginManager()


@dataclass(frozen=True, slots=True, eq=False)
class SignedIn(UserMixin):
    """The person behind a request, as their session and grants say at this moment."""

    token: str
    session_id: int
    user_id: int
    name: str
    language: str | None
    theme: str | None
    time_zone: str | None
    last_seen_at: datetime
    grants: tuple[Grant, ...]

    def get_id(self) -> str:
        """Return what Flask-Login keeps in the signed cookie: the session's token."""
        return self.token


def keyed_hash(text: str) -> str:
    """Return a hash of the text that cannot be searched for without the server's secret."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def requires(
    permission: Permission,
) -> Callable[[Callable[Concatenate[Scope, P], R]], Callable[P, R]]:
    """Declare the permission a view needs; the view gets the scope as its first argument."""

    def declare(view: Callable[Concatenate[Scope, P], R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            scope = current_scope()
            scope.require(permission)
            try:
                return view(scope, *args, **kwargs)
            except NotFound:
                onward = _onward(scope)
                if onward is None:
                    raise
                return cast(R, onward)

        guarded.access = permission  # type: ignore[attr-defined]
        return guarded

    return declare


def _onward(scope: Scope) -> Response | None:
    """Return the way to the same page of the person whom the asked-for record was put into.

    Links, and talks that a phone still holds, name the record as it was. A form is sent on with
    all that was typed.
    """
    contact_id = (request.view_args or {}).get("contact_id")
    if not isinstance(contact_id, uuid.UUID) or request.endpoint is None:
        return None
    with unit_of_work(scope, read_only=True) as session:
        living_id = living(session, scope, contact_id)
    if living_id is None:
        return None
    values: dict[str, Any] = {**(request.view_args or {}), "contact_id": living_id}
    address = url_for(request.endpoint, **values)
    if request.query_string:
        # As it came: url_for would read words such as "_scheme" as its own.
        address += "?" + request.query_string.decode("ascii", "ignore")
    return redirect(address, 302 if request.method == "GET" else 307)


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Declare that a view answers strangers. The list of such views is one literal in a test."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def current_scope() -> Scope:
    """Return the scope of the person behind this request, made once per request."""
    if "scope" not in g:
        user = signed_in()
        if user is None:
            abort(401)
        g.scope = Scope(actor_id=user.user_id, grants=user.grants)
    scope: Scope = g.scope
    return scope


def scope_of(session: Session, user_id: int, today: date) -> Scope:
    """Return the scope that a user's grants give on a day, for work done when they are away.

    Somebody whose account is closed has no grant left. ``session``: of a unit of work.
    """
    rows = session.execute(_GRANTS, {"user": user_id, "day": today}).all()
    return Scope(
        actor_id=user_id,
        grants=tuple(_grant(row) for row in rows),
    )


def _grant(row: Any) -> Grant:
    return Grant(role=row.role, place_id=row.place_id, covers_everything=row.kind == "everything")


def signed_in() -> SignedIn | None:
    """Return the person behind this request, or None for a stranger."""
    return current_user if current_user.is_authenticated else None


def let_in(token: str) -> SignedIn:
    """Make the rest of this request, and the browser's next ones, those of the session's person.

    token: of a session just stored. Whatever the browser's cookie held before is dropped, so that
    nobody can plant a session or a form token in it beforehand. Raises PermissionRefused when the
    session is not in force.
    """
    user: SignedIn | None = _load(token)
    if user is None:
        raise PermissionRefused("session")
    _forget()
    login_user(user)
    return user


def let_out() -> None:
    """Empty the browser's cookie: the rest of this request is a stranger's."""
    _forget()
    g.pop("_login_user", None)


def _forget() -> None:
    cookie.clear()
    # Both were made for the person who was here before.
    g.pop("scope", None)
    g.pop("csrf_token", None)


def my_zone() -> str:
    """Return the time zone this person lives by."""
    user = signed_in()
    return (user.time_zone if user else None) or str(current_app.config["TIME_ZONE"])


def my_today() -> date:
    """Return today for the person behind this request."""
    return clock.today(my_zone())


def install(app: Flask) -> None:
    """Put the route lock and the sign-in check in front of every request."""
    login_manager.init_app(app)
    login_manager.session_protection = None  # Sessions live in the database; see UserSession.
    app.before_request(_refuse_undeclared)


def access_of(endpoint: str | None) -> Any:
    """Return what an endpoint declares: a Permission, "public", or None for nothing at all."""
    if endpoint is None:
        return None
    if endpoint == "static":
        return "public"
    return getattr(current_app.view_functions.get(endpoint), "access", None)


def _refuse_undeclared() -> Any:
    if request.endpoint is None:
        return None  # No such address: the 404 page follows.
    access = access_of(request.endpoint)
    if access is None:
        abort(403)
    if access == "public":
        return None
    if signed_in() is None:
        # What a stranger typed may be kept; whole files of strangers are not even read.
        request.max_content_length = int(current_app.config["MAX_CONTENT_LENGTH"])
        return current_app.extensions["crm_ask_to_sign_in"]()
    view = current_app.view_functions[request.endpoint]
    if hasattr(view, "takes_upload") and not current_scope().may(access):
        raise PermissionRefused(str(access))
    return None


@login_manager.user_loader
def _load(token: str) -> SignedIn | None:
    now = clock.now()
    today = now.date()
    with unit_of_work(read_only=True) as session:
        rows = session.execute(_LOAD, {"hash": token_hash(token), "now": now, "day": today}).all()
    if not rows:
        return None
    first = rows[0]
    if now - first.last_seen_at > IDLE_LIMIT:
        return None
    grants = tuple(_grant(row) for row in rows if row.role is not None)
    user = SignedIn(
        token=token,
        session_id=first.session_id,
        user_id=first.user_id,
        name=first.name,
        language=first.language,
        theme=first.theme,
        time_zone=first.time_zone,
        last_seen_at=first.last_seen_at,
        grants=grants,
    )
    if now - first.last_seen_at > SEEN_STEP:
        with unit_of_work() as session:
            session.connection().execute(
                sa.update(table_of(UserSession))
                .where(table_of(UserSession).c.id == first.session_id)
                .values(last_seen_at=now)
            )
    return user


_place = table_of(Place)
_IN_FORCE = (known(AccessGrant), covers(AccessGrant, sa.bindparam("day", type_=sa.Date)))
# As below, it names `place` only to learn whether a grant covers everything.
_GRANTS = (
    sa.select(AccessGrant.role, AccessGrant.place_id, _place.c.kind)
    .join(UserAccount, UserAccount.id == AccessGrant.user_id)
    .join(_place, _place.c.id == AccessGrant.place_id)
    .where(
        AccessGrant.user_id == sa.bindparam("user", type_=sa.Integer),
        *_IN_FORCE,
        UserAccount.active.is_(True),
    )
    .execution_options(**{MARK: True})
)
# One statement a request. It names `place` only to learn whether a grant covers everything.
_LOAD = (
    sa.select(
        UserSession.id.label("session_id"),
        UserSession.last_seen_at,
        UserAccount.id.label("user_id"),
        UserAccount.name,
        UserAccount.language,
        UserAccount.theme,
        UserAccount.time_zone,
        AccessGrant.role,
        AccessGrant.place_id,
        _place.c.kind,
    )
    .join(UserAccount, UserAccount.id == UserSession.user_id)
    .outerjoin(
        AccessGrant,
        sa.and_(
            AccessGrant.user_id == UserAccount.id,
            *_IN_FORCE,
        ),
    )
    .outerjoin(_place, _place.c.id == AccessGrant.place_id)
    .where(
        UserSession.token_hash == sa.bindparam("hash"),
        UserSession.ended_at.is_(None),
        UserSession.expires_at > sa.bindparam("now", type_=table_of(UserSession).c.expires_at.type),
        UserAccount.active.is_(True),
    )
    .execution_options(**{MARK: True})
)
