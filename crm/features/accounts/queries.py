"""Reads for accounts: links and devices, users with their roles, places to give a role at."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.tokens import IDLE_LIMIT, token_hash
from crm.domain.errors import NotFound
from crm.domain.identity import fold
from crm.domain.roles import Role
from crm.domain.vocabulary import PlaceKind
from crm.models.accounts import AccessGrant, Invitation, UserAccount, UserSession
from crm.models.places import Area, Branch, Place, Workplace
from crm.reads.places import names_of

PAGE_SIZE = 50
PLACES_SHOWN = 30

_DEVICE_NAMES = uuid.UUID("6f0c64a2-4a63-4d18-9a52-0a1f6d1f8d11")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a passphrase is checked against; both None when nobody may sign in by that name."""

    user_id: int | None
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """An invitation that still works, and whose it is."""

    user_name: str
    is_first: bool
    sign_in_name: str | None


@dataclass(frozen=True, slots=True)
class Device:
    """A browser in which somebody is signed in."""

    key: uuid.UUID
    since: datetime
    last_seen_at: datetime
    is_this: bool


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody's own account, as they see it."""

    name: str
    sign_in_name: str
    language: str | None
    time_zone: str | None
    theme: str | None
    version: int
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """A place to choose: what it is, and what it is part of, so that two Mills differ."""

    public_id: uuid.UUID
    kind: PlaceKind
    name: str
    inside: str | None


@dataclass(frozen=True, slots=True)
class GrantLine:
    """A role at a place for the days [valid_from, valid_to)."""

    public_id: uuid.UUID
    role: Role
    place: PlaceLine
    valid_from: date
    valid_to: date | None

    def state(self, today: date) -> str:
        """Return 'now', 'later', 'ended' or, for a role that never began, 'cancelled'."""
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            return "cancelled"
        if self.valid_to is not None and self.valid_to <= today:
            return "ended"
        return "later" if self.valid_from > today else "now"


@dataclass(frozen=True, slots=True)
class UserLine:
    """A user as administrators see them: never with anything about contacts."""

    public_id: uuid.UUID
    name: str
    active: bool
    has_passphrase: bool
    grants: tuple[GrantLine, ...]


@dataclass(frozen=True, slots=True)
class UserPage:
    """One page of users, and how many there are in all."""

    rows: tuple[UserLine, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class UserDetail:
    """One user with all of their roles, and what an administrator can do about them."""

    user: UserLine
    sign_in_name: str | None
    created_at: datetime
    link_open_until: datetime | None
    devices: int


def is_placeholder(sign_in_name: str) -> bool:
    """Return True for the stand-in that an account has until its person chooses a sign-in name.

    It starts with a sign that folding takes out, so that nobody can type it.
    """
    return sign_in_name.startswith("#")


def find_credentials(session: Session, *, typed_name: str) -> Credentials:
    """Return what to check a passphrase against, for a sign-in name as it was typed."""
    row = session.execute(
        sa.select(UserAccount.id, UserAccount.password_hash).where(
            UserAccount.sign_in_name == fold(typed_name), UserAccount.active.is_(True)
        )
    ).one_or_none()
    return Credentials(None, None) if row is None else Credentials(row.id, row.password_hash)


def own_credentials(session: Session, scope: Scope) -> tuple[Credentials, tuple[str, str]]:
    """Return what to check one's own passphrase against, and one's names."""
    row = session.execute(
        sa.select(
            UserAccount.id,
            UserAccount.password_hash,
            UserAccount.name,
            UserAccount.sign_in_name,
        ).where(UserAccount.id == scope.actor_id)
    ).one()
    return Credentials(row.id, row.password_hash), (row.name, row.sign_in_name)


def find_link(session: Session, token: str, *, now: datetime) -> Link:
    """Return whose link this is. Raises NotFound when it is wrong, used, ended or too old."""
    row = session.execute(
        sa.select(UserAccount.name, UserAccount.sign_in_name, UserAccount.password_hash)
        .join(Invitation, Invitation.user_id == UserAccount.id)
        .where(
            Invitation.token_hash == token_hash(token),
            Invitation.used_at.is_(None),
            Invitation.expires_at > now,
            UserAccount.active.is_(True),
        )
    ).one_or_none()
    if row is None:
        raise NotFound("invitation")
    first = row.password_hash is None
    return Link(
        user_name=row.name, is_first=first, sign_in_name=None if first else row.sign_in_name
    )


def device_key(hashed: str) -> uuid.UUID:
    """Return the id of a session for the screen; the token cannot be found from it."""
    return uuid.uuid5(_DEVICE_NAMES, hashed)


def open_sessions(session: Session, user_id: int, *, now: datetime) -> list[UserSession]:
    """Return the user's sessions that still let them in, the last used first."""
    return list(
        session.scalars(
            sa.select(UserSession)
            .where(
                UserSession.user_id == user_id,
                UserSession.ended_at.is_(None),
                UserSession.expires_at > now,
                UserSession.last_seen_at >= now - IDLE_LIMIT,
            )
            .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
        )
    )


def get_account(
    session: Session, scope: Scope, *, this_session_id: int | None, now: datetime
) -> Account:
    """Return the account of the person who asks. this_session_id: the device they ask from."""
    user = session.scalars(sa.select(UserAccount).where(UserAccount.id == scope.actor_id)).one()
    devices = tuple(
        Device(
            key=device_key(one.token_hash),
            since=one.created_at,
            last_seen_at=one.last_seen_at,
            is_this=one.id == this_session_id,
        )
        for one in open_sessions(session, user.id, now=now)
    )
    return Account(
        name=user.name,
        sign_in_name=user.sign_in_name,
        language=user.language,
        time_zone=user.time_zone,
        theme=user.theme,
        version=user.version,
        devices=devices,
    )


def list_users(session: Session, scope: Scope, *, search: str = "", page: int = 1) -> UserPage:
    """Return one page of users by name. search: part of a name, upper or lower case."""
    scope.require(Permission.USER_WRITE)
    wanted: sa.ColumnElement[bool] = sa.true()
    if "\x00" in search:
        wanted = sa.false()  # No name holds this sign, and PostgreSQL refuses to look for it.
    elif search.strip():
        wanted = UserAccount.name.icontains(search.strip(), autoescape=True)
    total = session.scalar(sa.select(sa.func.count(UserAccount.id)).where(wanted)) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, page), pages)
    users = session.scalars(
        sa.select(UserAccount)
        .where(wanted)
        .order_by(UserAccount.active.desc(), sa.func.lower(UserAccount.name), UserAccount.id)
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    ).all()
    grants = _grants_of(session, scope, [user.id for user in users])
    return UserPage(
        rows=tuple(_line(user, grants.get(user.id, ())) for user in users),
        total=total,
        page=page,
        pages=pages,
    )


def get_user(session: Session, scope: Scope, public_id: uuid.UUID, *, now: datetime) -> UserDetail:
    """Return one user with all of their roles. Raises NotFound."""
    user = find_user(session, scope, public_id)
    open_until = session.scalar(
        sa.select(sa.func.max(Invitation.expires_at)).where(
            Invitation.user_id == user.id,
            Invitation.used_at.is_(None),
            Invitation.expires_at > now,
        )
    )
    return UserDetail(
        user=_line(user, _grants_of(session, scope, [user.id]).get(user.id, ())),
        sign_in_name=None if is_placeholder(user.sign_in_name) else user.sign_in_name,
        created_at=user.created_at,
        link_open_until=open_until,
        devices=len(open_sessions(session, user.id, now=now)),
    )


def find_user(session: Session, scope: Scope, public_id: uuid.UUID) -> UserAccount:
    """Return the user's row, for somebody who looks after users. Raises NotFound."""
    scope.require(Permission.USER_WRITE)
    user = session.scalars(
        sa.select(UserAccount).where(UserAccount.public_id == public_id)
    ).one_or_none()
    if user is None:
        raise NotFound(f"user {public_id}")
    return user


def find_places(
    session: Session, scope: Scope, *, search: str, kind: PlaceKind | None = None
) -> tuple[list[PlaceLine], bool]:
    """Return the open places whose name holds the text, and whether there were more.

    kind: only places of this kind. No text: the first by name. At most PLACES_SHOWN.
    """
    scope.require(Permission.USER_WRITE)
    wanted = [Place.closed_on.is_(None), Place.kind != PlaceKind.EVERYTHING]
    if kind is not None:
        wanted.append(Place.kind == kind)
    key = fold(search)
    if key:
        wanted.append(Place.name_key.contains(key, autoescape=True))
    rows = session.execute(
        scope.select(Place.id, Place.public_id, Place.kind, Place.name)
        .where(*wanted)
        .order_by(Place.name_key, Place.id)
        .limit(PLACES_SHOWN + 1)
    ).all()
    lines = _place_lines(session, scope, rows)
    return [lines[row.id] for row in rows[:PLACES_SHOWN]], len(rows) > PLACES_SHOWN


def get_place_line(session: Session, scope: Scope, public_id: uuid.UUID) -> PlaceLine:
    """Return a place to choose, by its id. Raises NotFound."""
    rows = session.execute(
        scope.select(Place.id, Place.public_id, Place.kind, Place.name).where(
            Place.public_id == public_id
        )
    ).all()
    if not rows:
        raise NotFound(f"place {public_id}")
    return _place_lines(session, scope, rows)[rows[0].id]


def get_everything(session: Session, scope: Scope) -> PlaceLine:
    """Return the root place, which holds every other."""
    row = session.execute(
        scope.select(Place.public_id, Place.name).where(Place.kind == PlaceKind.EVERYTHING)
    ).one()
    return PlaceLine(row.public_id, PlaceKind.EVERYTHING, row.name, None)


def get_grant(session: Session, scope: Scope, user_id: uuid.UUID, grant_id: uuid.UUID) -> GrantLine:
    """Return one role of a user as it is known now. Raises NotFound."""
    user = find_user(session, scope, user_id)
    for grant in _grants_of(session, scope, [user.id]).get(user.id, ()):
        if grant.public_id == grant_id:
            return grant
    raise NotFound(f"grant {grant_id}")


def _line(user: UserAccount, grants: Iterable[GrantLine]) -> UserLine:
    return UserLine(
        public_id=user.public_id,
        name=user.name,
        active=user.active,
        has_passphrase=user.password_hash is not None,
        grants=tuple(grants),
    )


def _grants_of(
    session: Session, scope: Scope, user_ids: list[int]
) -> dict[int, tuple[GrantLine, ...]]:
    if not user_ids:
        return {}
    rows = session.execute(
        scope.select(
            AccessGrant.user_id,
            AccessGrant.public_id.label("grant_id"),
            AccessGrant.role,
            AccessGrant.valid_from,
            AccessGrant.valid_to,
            Place.id,
            Place.public_id,
            Place.kind,
            Place.name,
        )
        .join(Place, Place.id == AccessGrant.place_id)
        .where(AccessGrant.user_id.in_(user_ids), known(AccessGrant))
        .order_by(AccessGrant.valid_from.desc(), AccessGrant.id.desc())
    ).all()
    places = _place_lines(session, scope, rows)
    found: dict[int, tuple[GrantLine, ...]] = {}
    for row in rows:
        line = GrantLine(row.grant_id, row.role, places[row.id], row.valid_from, row.valid_to)
        found[row.user_id] = (*found.get(row.user_id, ()), line)
    return found


def _place_lines(session: Session, scope: Scope, found: Iterable[Any]) -> dict[int, PlaceLine]:
    """Return the places with the name of what each is part of, in four statements at most."""
    rows = list(found)
    holders: dict[int, int] = {}
    for kind, model, column in (
        (PlaceKind.AREA, Area, Area.workplace_id),
        (PlaceKind.WORKPLACE, Workplace, Workplace.employer_id),
        (PlaceKind.BRANCH, Branch, Branch.union_id),
    ):
        ids = {row.id for row in rows if row.kind is kind}
        if ids:
            pairs = session.execute(scope.select(model.id, column).where(model.id.in_(ids)))
            holders.update({int(place): int(holder) for place, holder in pairs})
    names = names_of(session, scope, set(holders.values()))
    return {
        row.id: PlaceLine(row.public_id, row.kind, row.name, names.get(holders.get(row.id, 0)))
        for row in rows
    }
