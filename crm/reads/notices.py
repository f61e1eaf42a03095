"""What the reader is told that others did to accounts: their own, or anybody's they look after."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session, aliased

from crm.access.scope import Scope
from crm.domain.roles import Role
from crm.domain.vocabulary import NoticeKind
from crm.models.accounts import AccountNotice, UserAccount
from crm.models.places import Place

# More than this many at once are read a part at a time.
MOST = 20

_About = aliased(UserAccount)
_Actor = aliased(UserAccount)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that was done. actor_name: None when it was done on the server's command line.

    about_reader: it was done to the reader's own account. by_themselves: whoever did it did it
    to their own. place_name: None where the reader does not see the place.
    """

    public_id: uuid.UUID
    kind: NoticeKind
    about_name: str
    actor_name: str | None
    about_reader: bool
    by_themselves: bool
    role: Role | None
    place_name: str | None
    made_at: datetime


def list_notices(session: Session, scope: Scope) -> list[Notice]:
    """Return what the reader has not yet marked as seen, newest first; 20 at most."""
    rows = session.execute(
        scope.select(
            AccountNotice, _About.name.label("about"), _Actor.name.label("actor"), Place.name
        )
        .join(_About, _About.id == AccountNotice.about_id)
        .outerjoin(_Actor, _Actor.id == AccountNotice.actor_id)
        .outerjoin(Place, Place.id == AccountNotice.place_id)
        .where(AccountNotice.user_id == scope.actor_id, AccountNotice.seen_at.is_(None))
        .order_by(AccountNotice.made_at.desc(), AccountNotice.id.desc())
        .limit(MOST)
    ).all()
    return [
        Notice(
            public_id=row.AccountNotice.public_id,
            kind=row.AccountNotice.kind,
            about_name=row.about,
            actor_name=row.actor,
            about_reader=row.AccountNotice.about_id == scope.actor_id,
            by_themselves=row.AccountNotice.about_id == row.AccountNotice.actor_id,
            role=row.AccountNotice.role,
            place_name=row.name,
            made_at=row.AccountNotice.made_at,
        )
        for row in rows
    ]
