"""Writes for accounts: signing in and out, invitations, one's own account, users and grants.

Hashes are made and checked by the caller, outside of any transaction: one takes a quarter of a
second, and on SQLite everybody else who saves something would wait for it.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.access import audit, facts, tree
from crm.access.feeds import end_feeds
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.sessions import open_session
from crm.access.tokens import new_token, token_hash
from crm.domain.errors import AlreadyEnded, DatesOutOfOrder, EditConflict, NotFound, Refusal
from crm.domain.identity import fold
from crm.domain.roles import Role
from crm.domain.vocabulary import NoticeKind, PlaceKind, Verb
from crm.features.accounts.queries import device_key, find_user, open_sessions
from crm.models.accounts import (
    AccessGrant,
    AccountNotice,
    Invitation,
    SignInAttempt,
    UserAccount,
    UserSession,
)
from crm.models.base import table_of
from crm.models.places import Place

INVITATION_LENGTH: Final = timedelta(hours=72)
ATTEMPT_WINDOW: Final = timedelta(minutes=5)
ATTEMPTS_PER_NAME: Final = 10
ATTEMPTS_PER_NETWORK: Final = 50
FIRST_ADMINISTRATOR: Final = "Administrator"

_attempts = table_of(SignInAttempt)


class TooManyTries(Refusal):
    """Somebody, or a whole network, tried too often to sign in."""

    default_message = "Too many tries. Wait 5 minutes, then try again."


class WrongPassphrase(Refusal):
    """The sign-in name and the passphrase do not belong together, or not any more."""

    default_message = "The sign-in name or the passphrase is wrong. Check both and try again."


class SignInNameTaken(Refusal):
    """Somebody else signs in with this name."""

    default_message = "Somebody else has this sign-in name. Choose a different one."


class LastAdministrator(Refusal):
    """Nobody would be left who can let people in."""

    default_message = (
        "This is the last administrator. Make somebody else an administrator first, "
        "and wait until they have signed in."
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try to sign in that was counted, so that a success can take it back."""

    name_bucket: str
    network_attempt_id: int | None


# Signing in and out


def note_attempt(
    session: Session, *, name_bucket: str, network_bucket: str | None, now: datetime
) -> Attempt:
    """Count a try before it is judged. Raises TooManyTries when there were too many lately.

    A bucket is a keyed hash of what the try is counted under: of the name, or of a browser that
    the name signed in from before; and of the network, None for such a browser. It is
    counted first so that many tries at once cannot pass together; refused tries are not counted,
    so that waiting always helps.
    """
    table = _attempts
    connection = session.connection()
    connection.execute(sa.delete(table).where(table.c.at <= now - ATTEMPT_WINDOW))
    found = connection.execute(
        sa.select(table.c.bucket, sa.func.count())
        .where(table.c.bucket.in_([name_bucket, network_bucket or name_bucket]))
        .group_by(table.c.bucket)
    )
    counts = {str(bucket): int(count) for bucket, count in found}
    if (
        counts.get(name_bucket, 0) >= ATTEMPTS_PER_NAME
        or counts.get(str(network_bucket), 0) >= ATTEMPTS_PER_NETWORK
    ):
        raise TooManyTries()
    session.add(SignInAttempt(bucket=name_bucket, at=now))
    network = None if network_bucket is None else SignInAttempt(bucket=network_bucket, at=now)
    if network is not None:
        session.add(network)
    session.flush()
    return Attempt(name_bucket=name_bucket, network_attempt_id=network.id if network else None)


def forgive_attempts(session: Session, attempt: Attempt) -> None:
    """Forget the tries under the name, and this one of the network, after a good one."""
    table = _attempts
    session.connection().execute(
        sa.delete(table).where(
            sa.or_(table.c.bucket == attempt.name_bucket, table.c.id == attempt.network_attempt_id)
        )
    )


def sign_in(
    session: Session,
    user_id: int,
    *,
    checked_hash: str,
    now: datetime,
    better_hash: str | None = None,
) -> str:
    """Open a session for a user whose passphrase was checked, and return its token.

    checked_hash: the stored hash that the passphrase was checked against. better_hash: the
    passphrase hashed with today's settings, when the stored one is weaker. Raises WrongPassphrase
    when another one took its place meanwhile, and NotFound when the user was deactivated.
    """
    user = _active_user(session, user_id, lock=True)
    # To check it takes a while: whoever changes it then, to be rid of somebody, must be rid of
    # them, and the old one must not come back in better clothes.
    if user.password_hash != checked_hash:
        raise WrongPassphrase()
    session.info["actor_id"] = user.id
    if better_hash is not None:
        user.password_hash = better_hash
    return open_session(session, user.id, now=now)


def sign_out(session: Session, scope: Scope, session_id: int, *, now: datetime) -> None:
    """End one's own session, the one that asks."""
    one = session.scalars(
        sa.select(UserSession).where(
            UserSession.id == session_id, UserSession.user_id == scope.actor_id
        )
    ).one_or_none()
    if one is not None and one.ended_at is None:
        one.ended_at = now
    audit.record_act(session, Verb.SIGN_OUT, subject="user_account", subject_id=scope.actor_id)


def sign_out_everywhere(session: Session, scope: Scope, *, now: datetime) -> int:
    """End all of one's own sessions, this one too. Return how many there were."""
    ended = _end_sessions(session, _self(scope), now=now)
    audit.record_act(session, Verb.SIGN_OUT, subject="user_account", subject_id=scope.actor_id)
    return ended


def end_device(session: Session, scope: Scope, key: uuid.UUID, *, now: datetime) -> int:
    """End one of one's own sessions; return its inner id. Raises NotFound for any other."""
    for one in open_sessions(session, _self(scope), now=now):
        if device_key(one.token_hash) == key:
            one.ended_at = now
            audit.record_act(
                session, Verb.SIGN_OUT, subject="user_account", subject_id=scope.actor_id
            )
            return one.id
    raise NotFound(f"device {key}")


# Invitations


def invite(
    session: Session,
    scope: Scope,
    name: str,
    *,
    role: Role | None,
    place_id: uuid.UUID | None,
    since: date,
    until: date | None = None,
    now: datetime,
    key: uuid.UUID | None = None,
) -> str:
    """Store a new user, with a role at a place, and return the token of their invitation.

    role and place_id: both, or neither for a user who gets no role yet. key: the id of the new
    user, made with the form, so that a form sent twice gives one user and a fresh link.
    Raises NotFound for a place out of scope, Refusal for an empty name, and the refusals of
    ``add_grant``.
    """
    scope.require(Permission.USER_WRITE)
    key = key or uuid.uuid4()
    user = session.scalars(sa.select(UserAccount).where(UserAccount.public_id == key)).one_or_none()
    if user is None:
        user = _new_user(session, name, key=key, now=now)
        if role is not None and place_id is not None:
            add_grant(
                session,
                scope,
                user.public_id,
                role=role,
                place_id=place_id,
                since=since,
                until=until,
                now=now,
            )
        else:
            _tell(session, scope, NoticeKind.LINK_MADE, user, now=now)
    else:
        _tell(session, scope, NoticeKind.LINK_MADE, user, now=now)
    return _new_link(session, user, by=scope.actor_id, now=now)


def invite_administrator(session: Session, scope: Scope, *, name: str, now: datetime) -> str:
    """Store a new administrator over everything; return the token of their invitation.

    Raises Refusal for a name that is empty or longer than 120 letters.
    """
    everything = session.scalars(
        scope.select(Place.public_id).where(Place.kind == PlaceKind.EVERYTHING)
    ).one()
    return invite(
        session,
        scope,
        name,
        role=Role.ADMINISTRATOR,
        place_id=everything,
        since=now.date(),
        now=now,
    )


def new_link(session: Session, scope: Scope, user_id: uuid.UUID, *, now: datetime) -> str:
    """Return the token of a fresh invitation; the user's older ones stop working.

    Raises NotFound, and Refusal for a user who was deactivated.
    """
    user = find_user(session, scope, user_id)
    if not user.active:
        raise Refusal("This account is closed. Open it again first, then make a link.")
    _tell(session, scope, NoticeKind.LINK_MADE, user, now=now)
    return _new_link(session, user, by=scope.actor_id, now=now)


def accept_invitation(
    session: Session,
    token: str,
    *,
    name: str | None,
    sign_in_name: str | None,
    password_hash: str,
    now: datetime,
) -> str:
    """Use an invitation up: set the passphrase, open a session and return that session's token.

    name, sign_in_name: used only when the user sets a passphrase for the first time. All older
    sessions and links of the user end. Raises NotFound for a link that is wrong, used or too old,
    and Refusal for a sign-in name that is too short or taken.
    """
    invitation = session.scalars(
        sa.select(Invitation)
        .where(
            Invitation.token_hash == token_hash(token),
            Invitation.used_at.is_(None),
            Invitation.expires_at > now,
        )
        # Two people with one link: the second waits here, and then finds it used.
        .with_for_update()
    ).one_or_none()
    if invitation is None:
        raise NotFound("invitation")
    user = _active_user(session, invitation.user_id)
    session.info["actor_id"] = user.id
    if user.password_hash is None:
        user.name = (name or "").strip() or user.name
        _set_sign_in_name(session, user, sign_in_name or "")
    user.password_hash = password_hash
    user.version += 1
    invitation.used_at = now
    _end_links(session, user.id, now=now, but=invitation.id)
    _end_sessions(session, user.id, now=now)
    _flush_names(session)
    return open_session(session, user.id, now=now)


def first_administrator_link(session: Session, *, now: datetime) -> str | None:
    """Return a token for the first administrator, or None when there is one who can sign in.

    Stores the user and the role over everything at the first start only. At each further start
    the link is a fresh one, and the one before stops working.
    """
    if _administrators(session, lasting=False, today=now.date()):
        return None
    user = session.scalars(
        sa.select(UserAccount)
        .join(AccessGrant, AccessGrant.user_id == UserAccount.id)
        .where(
            UserAccount.active.is_(True),
            UserAccount.password_hash.is_(None),
            AccessGrant.role == Role.ADMINISTRATOR,
            facts.known(AccessGrant),
            facts.covers(AccessGrant, now.date()),
        )
        .order_by(UserAccount.id)
        .limit(1)
    ).one_or_none()
    if user is None:
        user = _new_user(session, FIRST_ADMINISTRATOR, key=uuid.uuid4(), now=now)
        session.add(
            AccessGrant(
                user_id=user.id,
                role=Role.ADMINISTRATOR,
                place_id=tree.everything_id(session),
                valid_from=now.date(),
                valid_to=None,
                recorded_at=now,
                recorded_by_id=None,
            )
        )
        session.flush()
    return _new_link(session, user, by=None, now=now)


# One's own account


def edit_account(
    session: Session,
    scope: Scope,
    *,
    name: str,
    language: str | None,
    time_zone: str | None,
    theme: str | None,
    version: int,
) -> None:
    """Change one's own name, language, time zone and look. Raises EditConflict when it moved on.

    theme: "light", "dark" or None for what the device says. language: None for the browser's.
    time_zone: an IANA name, or None for the server's.
    """
    user = session.scalars(sa.select(UserAccount).where(UserAccount.id == scope.actor_id)).one()
    yours = {"name": name, "language": language, "time_zone": time_zone, "theme": theme}
    if user.version != version:
        current = {key: getattr(user, key) for key in yours}
        raise EditConflict(current=current | {"version": user.version}, yours=yours)
    for key, value in yours.items():
        setattr(user, key, value)
    user.version += 1


def change_passphrase(
    session: Session,
    scope: Scope,
    *,
    old_hash: str,
    new_hash: str,
    this_session_id: int,
    now: datetime,
) -> None:
    """Store a new passphrase and end the user's other sessions and links.

    old_hash: the stored hash that the old passphrase was checked against. Raises Refusal when
    another one took its place meanwhile.
    """
    user = session.scalars(
        sa.select(UserAccount).where(UserAccount.id == scope.actor_id).with_for_update()
    ).one()
    if user.password_hash != old_hash:
        raise Refusal("Your passphrase was changed a moment ago. Sign in again with the new one.")
    user.password_hash = new_hash
    _end_links(session, user.id, now=now)
    _end_sessions(session, user.id, now=now, but=this_session_id)


# Users and grants


def add_grant(
    session: Session,
    scope: Scope,
    user_id: uuid.UUID,
    *,
    role: Role,
    place_id: uuid.UUID,
    since: date,
    until: date | None,
    now: datetime,
) -> None:
    """Give a user a role at a place for the days [since, until).

    Raises NotFound, DatesOutOfOrder, and Refusal for an administrator over less than everything,
    for days that are over, and for a role that the user has there already on those days.
    """
    user = find_user(session, scope, user_id)
    place = session.scalars(
        scope.select(Place).where(Place.public_id == place_id, Place.closed_on.is_(None))
    ).one_or_none()
    if place is None:
        raise NotFound(f"place {place_id}")
    if until is not None and until <= since:
        raise DatesOutOfOrder()
    if until is not None and until <= now.date():
        raise Refusal("The role would be over already. Choose a later day for its end.")
    if role is Role.ADMINISTRATOR and place.kind is not PlaceKind.EVERYTHING:
        raise Refusal(
            "An administrator runs the whole server. Choose “Everything” as the place, "
            "or a different role."
        )
    if _holds_already(session, user.id, role, place.id, since, until):
        raise Refusal("They have this role here already on some of these days. Check the dates.")
    session.add(
        AccessGrant(
            user_id=user.id,
            role=role,
            place_id=place.id,
            valid_from=since,
            valid_to=until,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
        )
    )
    _tell(session, scope, NoticeKind.ROLE_GIVEN, user, now=now, role=role, place_id=place.id)
    session.flush()


def end_grant(
    session: Session,
    scope: Scope,
    user_id: uuid.UUID,
    grant_id: uuid.UUID,
    *,
    until: date,
    now: datetime,
) -> int:
    """End a role, and return the inner id of the user who had it.

    until: the first day without the role; today takes it away at once.
    Raises NotFound, AlreadyEnded, LastAdministrator, and Refusal for a day that is past: they
    did have the role then, and the record must go on saying so.
    """
    user = find_user(session, scope, user_id)
    today = now.date()
    administrators = _administrators(session, lasting=True, today=today)
    grant = session.scalars(
        sa.select(AccessGrant)
        .where(
            AccessGrant.public_id == grant_id,
            AccessGrant.user_id == user.id,
            facts.known(AccessGrant),
        )
        .with_for_update()
    ).one_or_none()
    if grant is None:
        raise NotFound(f"grant {grant_id}")
    if grant.valid_to is not None and grant.valid_to <= max(today, grant.valid_from):
        raise AlreadyEnded()
    if until < today:
        raise Refusal("Choose today or a later day.")
    if _is_administrators(grant) and not administrators - {grant.id}:
        raise LastAdministrator()
    facts.revise(
        session,
        grant,
        now=now,
        actor_id=scope.actor_id,
        # A role that has not begun ends on the day it would begin: it was never in force.
        valid_to=max(until, grant.valid_from),
    )
    return user.id


def deactivate(session: Session, scope: Scope, user_id: uuid.UUID, *, now: datetime) -> None:
    """Close an account: nobody can sign in to it, and all its sessions and links end at once.

    The user's roles and records stay as they were. Raises NotFound, LastAdministrator.
    """
    user = find_user(session, scope, user_id)
    administrators = _administrators(session, lasting=True, today=now.date())
    own = set(
        session.scalars(
            sa.select(AccessGrant.id).where(
                AccessGrant.user_id == user.id, AccessGrant.id.in_(administrators)
            )
        )
    )
    holds = session.scalar(
        sa.select(sa.func.count(AccessGrant.id)).where(
            AccessGrant.user_id == user.id,
            AccessGrant.role == Role.ADMINISTRATOR,
            facts.known(AccessGrant),
            facts.covers(AccessGrant, now.date()),
        )
    )
    if holds and not administrators - own:
        raise LastAdministrator()
    user.active = False
    user.version += 1
    _end_links(session, user.id, now=now)
    _end_sessions(session, user.id, now=now)


def reactivate(session: Session, scope: Scope, user_id: uuid.UUID) -> None:
    """Open a closed account again; its passphrase and its roles are as before."""
    user = find_user(session, scope, user_id)
    user.active = True
    user.version += 1


# Who is told


def see_notice(session: Session, scope: Scope, notice_id: uuid.UUID, *, now: datetime) -> None:
    """Mark one of the actor's own notices as seen. Raises NotFound for any other."""
    notice = session.scalars(
        sa.select(AccountNotice).where(
            AccountNotice.public_id == notice_id, AccountNotice.user_id == _self(scope)
        )
    ).one_or_none()
    if notice is None:
        raise NotFound(f"notice {notice_id}")
    notice.seen_at = notice.seen_at or now


def _tell(
    session: Session,
    scope: Scope,
    kind: NoticeKind,
    about: UserAccount,
    *,
    now: datetime,
    role: Role | None = None,
    place_id: int | None = None,
) -> None:
    """Tell the other administrators what the actor did, and the user whom it is about.

    One person can give themselves every right, or a way into somebody's account: that must not
    stay unseen. Somebody who never signed in yet is not told of their own invitation.
    """
    told = set(
        session.scalars(
            sa.select(AccessGrant.user_id)
            .join(UserAccount, UserAccount.id == AccessGrant.user_id)
            .where(
                AccessGrant.role == Role.ADMINISTRATOR,
                facts.known(AccessGrant),
                facts.covers(AccessGrant, now.date()),
                UserAccount.active.is_(True),
            )
        )
    )
    if about.password_hash is not None:
        told.add(about.id)
    session.add_all(
        AccountNotice(
            user_id=user_id,
            kind=kind,
            about_id=about.id,
            actor_id=scope.actor_id,
            role=role,
            place_id=place_id,
            made_at=now,
        )
        for user_id in sorted(told - {scope.actor_id})
    )


# Parts


def _self(scope: Scope) -> int:
    if scope.actor_id is None:
        raise NotFound("no user in this scope")
    return scope.actor_id


def _new_user(session: Session, name: str, *, key: uuid.UUID, now: datetime) -> UserAccount:
    if not 1 <= len(name.strip()) <= 120:
        raise Refusal("Enter a name of 120 letters or fewer.")
    user = UserAccount(
        public_id=key,
        name=name.strip(),
        # Nobody can type this: folding takes the sign out. See queries.is_placeholder.
        sign_in_name="#" + secrets.token_hex(8),
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def _active_user(session: Session, user_id: int, *, lock: bool = False) -> UserAccount:
    wanted = sa.select(UserAccount).where(UserAccount.id == user_id, UserAccount.active.is_(True))
    user = session.scalars(wanted.with_for_update() if lock else wanted).one_or_none()
    if user is None:
        raise NotFound("user")
    return user


def _set_sign_in_name(session: Session, user: UserAccount, typed: str) -> None:
    folded = fold(typed)
    if len(folded) < 3:
        raise Refusal("Use 3 letters or numbers or more for your sign-in name.")
    taken = session.scalar(
        sa.select(UserAccount.id).where(
            UserAccount.sign_in_name == folded, UserAccount.id != user.id
        )
    )
    if taken is not None:
        raise SignInNameTaken()
    user.sign_in_name = folded


def _flush_names(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        # Two people chose the same name in the same moment; the table takes it once.
        raise SignInNameTaken() from error


def _end_sessions(session: Session, user_id: int, *, now: datetime, but: int | None = None) -> int:
    still_open = [
        one
        for one in session.scalars(
            sa.select(UserSession).where(
                UserSession.user_id == user_id, UserSession.ended_at.is_(None)
            )
        )
        if one.id != but
    ]
    for one in still_open:
        one.ended_at = now
    # Whoever loses a device or their access must not leave a calendar behind that goes on.
    end_feeds(session, user_id, now=now)
    return len(still_open)


def _new_link(session: Session, user: UserAccount, *, by: int | None, now: datetime) -> str:
    _end_links(session, user.id, now=now)
    token = new_token()
    session.add(
        Invitation(
            token_hash=token_hash(token),
            user_id=user.id,
            created_at=now,
            expires_at=now + INVITATION_LENGTH,
            invited_by_id=by,
        )
    )
    session.flush()
    return token


def _end_links(session: Session, user_id: int, *, now: datetime, but: int | None = None) -> None:
    for link in session.scalars(
        sa.select(Invitation).where(
            Invitation.user_id == user_id,
            Invitation.used_at.is_(None),
            Invitation.expires_at > now,
        )
    ):
        if link.id != but:
            link.expires_at = now


def _is_administrators(grant: AccessGrant) -> bool:
    return grant.role is Role.ADMINISTRATOR


def _administrators(session: Session, *, lasting: bool, today: date) -> set[int]:
    """Return the ids of the grants by which somebody who can sign in runs the server today.

    lasting: only those without an end. The rows are locked until the work is done: two
    administrators who end each other in the same moment must not both succeed.
    """
    statement = (
        sa.select(AccessGrant)
        .join(UserAccount, UserAccount.id == AccessGrant.user_id)
        .where(
            AccessGrant.role == Role.ADMINISTRATOR,
            facts.known(AccessGrant),
            facts.covers(AccessGrant, today),
            UserAccount.active.is_(True),
            UserAccount.password_hash.is_not(None),
        )
        .order_by(AccessGrant.id)
        .with_for_update()
    )
    if lasting:
        statement = statement.where(AccessGrant.valid_to.is_(None))
    return {grant.id for grant in session.scalars(statement)}


def _holds_already(
    session: Session, user_id: int, role: Role, place_id: int, since: date, until: date | None
) -> bool:
    overlap = [
        AccessGrant.user_id == user_id,
        AccessGrant.role == role,
        AccessGrant.place_id == place_id,
        facts.known(AccessGrant),
        sa.or_(AccessGrant.valid_to.is_(None), AccessGrant.valid_to > since),
        # A role that was cancelled before it began holds no day.
        sa.or_(AccessGrant.valid_to.is_(None), AccessGrant.valid_to > AccessGrant.valid_from),
    ]
    if until is not None:
        overlap.append(AccessGrant.valid_from < until)
    return session.scalar(sa.select(AccessGrant.id).where(*overlap).limit(1)) is not None
