"""Opening a session for a user, whichever way they proved who they are."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from crm.access import audit
from crm.access.tokens import new_token, token_hash
from crm.domain.vocabulary import Verb
from crm.models.accounts import UserSession

SESSION_LENGTH = timedelta(days=7)


def open_session(session: Session, user_id: int, *, now: datetime) -> str:
    """Store a signed-in session for the user, record the sign-in, and return its token.

    The caller has made sure that the user exists, is active and is who is asking. Only the
    token's hash is stored: hand the token on to ``crm.web.guard.let_in`` once this is committed.
    """
    session.info["actor_id"] = user_id
    token = new_token()
    session.add(
        UserSession(
            token_hash=token_hash(token),
            user_id=user_id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + SESSION_LENGTH,
        )
    )
    session.flush()
    audit.record_act(session, Verb.SIGN_IN, subject="user_account", subject_id=user_id)
    return token
