"""Saved lists: a filter with a name, read by its owner and by those it is shared with."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.domain.contact_filter import ContactFilter, NotAFilter, from_words
from crm.domain.errors import NotFound
from crm.models.accounts import UserAccount
from crm.models.lists import SavedList
from crm.models.places import Place
from crm.reads.places import place_name_of


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved list. mine: the reader owns it. shared_with: None = with nobody.

    chosen: None when this program does not understand the filter; the list then shows nobody.
    shared_with_id: only for the owner, who may change it.
    """

    public_id: uuid.UUID
    name: str
    owner: str
    mine: bool
    shared: bool
    shared_with: str | None
    shared_with_id: uuid.UUID | None
    chosen: ContactFilter | None
    version: int


@dataclass(frozen=True, slots=True)
class AskedFor:
    """Which people an address asks for: by a saved list, or by a filter. None = nobody."""

    chosen: ContactFilter | None
    saved: Saved | None


def list_saved(session: Session, scope: Scope) -> list[Saved]:
    """Return the lists of the reader, then those shared with them, each by name. One statement."""
    rows = session.execute(
        _saved(scope).order_by(
            SavedList.owner_id != scope.actor_id, SavedList.name_key, SavedList.id
        )
    )
    return [_of(scope, row) for row in rows]


def get_saved(session: Session, scope: Scope, public_id: uuid.UUID) -> Saved:
    """Return a list that the reader may open. Raises NotFound. One statement."""
    row = session.execute(_saved(scope).where(SavedList.public_id == public_id)).one_or_none()
    if row is None:
        raise NotFound(f"saved list {public_id}")
    return _of(scope, row)


def asked_for(session: Session, scope: Scope, words: Mapping[str, Sequence[str]]) -> AskedFor:
    """Return which people the words of an address ask for; ``list`` names a saved list.

    Raises NotFound for a list that the reader may not open; what is no filter asks for nobody.
    """
    named = [one for one in words.get("list", ()) if one]
    if named:
        try:
            wanted = uuid.UUID(named[0])
        except ValueError as error:
            raise NotFound("saved list") from error
        saved = get_saved(session, scope, wanted)
        return AskedFor(saved.chosen, saved)
    return AskedFor(_understood(words, strict=False), None)


def _saved(scope: Scope) -> sa.Select[Any]:
    return scope.select(
        SavedList,
        UserAccount.name.label("owner"),
        place_name_of(SavedList.shared_with_id).label("shared_with"),
        sa.select(Place.public_id)
        .where(Place.id == SavedList.shared_with_id)
        .correlate_except(Place)
        .scalar_subquery()
        .label("shared_with_id"),
    ).join(UserAccount, UserAccount.id == SavedList.owner_id)


def _of(scope: Scope, row: Any) -> Saved:
    one: SavedList = row.SavedList
    mine = one.owner_id == scope.actor_id
    return Saved(
        public_id=one.public_id,
        name=one.name,
        owner=row.owner,
        mine=mine,
        shared=one.shared_with_id is not None,
        shared_with=row.shared_with,
        shared_with_id=row.shared_with_id if mine else None,
        chosen=_understood(one.filter, strict=True),
        version=one.version,
    )


def _understood(words: Mapping[str, Sequence[str]], *, strict: bool) -> ContactFilter | None:
    try:
        return from_words(words, strict=strict)
    except NotAFilter:
        return None
