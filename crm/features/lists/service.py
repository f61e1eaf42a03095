"""Saving lists, sharing them, and throwing them away. The list is a filter, never its people."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from crm.access.audit import record_export_of_all
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.contact_filter import ContactFilter
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.identity import fold
from crm.domain.people_columns import ColumnGroup, FileKind
from crm.models.lists import FileRecipe, SavedList
from crm.models.places import Place
from crm.reads.places import get_place

# More than anybody finds their way in.
MOST_LISTS = 100


class NameNeeded(Refusal):
    """The name holds no letter or digit."""

    default_message = "Write a name with at least one letter or number in it."


class NameTaken(Refusal):
    """The owner has a list of this name."""

    default_message = "You have a list with this name already. Choose another name."


class TooManyLists(Refusal):
    """The owner has as many lists as can be used."""

    default_message = "You have %(most)s lists, and that is the most. Delete one first."


def add_list(
    session: Session,
    scope: Scope,
    name: str,
    chosen: ContactFilter,
    *,
    share_with: uuid.UUID | None,
    now: datetime,
) -> uuid.UUID:
    """Store a list of the actor's and return its public id.

    share_with: a place whose people the actor may see; None = nobody. Raises NameNeeded,
    NameTaken, TooManyLists, and NotFound for another place.
    """
    if scope.actor_id is None:
        raise NotFound("no user in this scope")
    mine = _of_mine(session, scope)
    if len(mine) >= MOST_LISTS:
        raise TooManyLists(most=MOST_LISTS)
    row = SavedList(
        public_id=uuid.uuid4(),
        owner_id=scope.actor_id,
        name=name,
        name_key=_free_key(mine, name),
        filter=dict(chosen.words()),
        shared_with_id=_place(session, scope, share_with),
        created_at=now,
    )
    session.add(row)
    return row.public_id


def change_list(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    name: str,
    *,
    share_with: uuid.UUID | None,
    version: int,
) -> None:
    """Give a list of the actor's another name, share it, or share it no longer.

    share_with: as for ``add_list``. Raises NotFound, EditConflict, NameNeeded, NameTaken.
    """
    row = _mine(session, scope, public_id)
    place_id = row.shared_with_id
    if share_with != _public_id(session, scope, place_id):
        place_id = _place(session, scope, share_with)
    if row.version != version:
        raise EditConflict(current={"name": row.name, "version": row.version}, yours={"name": name})
    others = [one for one in _of_mine(session, scope) if one.id != row.id]
    row.name_key = _free_key(others, name)
    row.name = name
    row.shared_with_id = place_id
    row.version += 1


def delete_list(session: Session, scope: Scope, public_id: uuid.UUID) -> None:
    """Throw a list of the actor's away. Nothing happens to the people. Raises NotFound."""
    session.delete(_mine(session, scope, public_id))


def note_file(
    session: Session,
    scope: Scope,
    chosen: ContactFilter,
    kind: FileKind,
    groups: Collection[ColumnGroup],
    *,
    reason: str,
    people: int,
) -> None:
    """Write into the trails of the places that a file of people is taken out, and remember its
    columns for the next one.

    reason: in the words of the actor. people: how many are in the file.
    """
    words: dict[str, Any] = dict(chosen.words())
    if "q" in words:
        # What was looked for can be a name, and the trail is read by more people than the list.
        words["q"] = ["(hidden)"]
    columns = [one.value for one in ColumnGroup if one in groups]
    noted = {**words, "file": kind.value, "columns": columns, "reason": reason}
    record_export_of_all(session, scope, what="people_file", filters=noted, rows=people)
    row = session.scalars(
        scope.select(FileRecipe).where(FileRecipe.owner_id == scope.actor_id)
    ).one_or_none()
    if row is not None:
        row.kind, row.columns = kind, columns
    elif scope.actor_id is not None:
        session.add(FileRecipe(owner_id=scope.actor_id, kind=kind, columns=columns))


def _mine(session: Session, scope: Scope, public_id: uuid.UUID) -> SavedList:
    row: SavedList | None = session.scalars(
        scope.select(SavedList)
        .where(SavedList.public_id == public_id, SavedList.owner_id == scope.actor_id)
        .with_for_update(of=SavedList)
    ).one_or_none()
    if row is None:
        raise NotFound(f"saved list {public_id}")
    return row


def _of_mine(session: Session, scope: Scope) -> list[SavedList]:
    rows: Any = session.scalars(scope.select(SavedList).where(SavedList.owner_id == scope.actor_id))
    return list(rows)


def _free_key(others: list[SavedList], name: str) -> str:
    key = fold(name)[:200]
    if not key:
        raise NameNeeded()
    if any(one.name_key == key for one in others):
        raise NameTaken()
    return key


def _place(session: Session, scope: Scope, share_with: uuid.UUID | None) -> int | None:
    if share_with is None:
        return None
    place: Place = get_place(session, scope, Place, share_with, permission=Permission.CONTACT_READ)
    return place.id


def _public_id(session: Session, scope: Scope, place_id: int | None) -> uuid.UUID | None:
    if place_id is None:
        return None
    return session.execute(
        scope.select(Place.public_id).where(Place.id == place_id)
    ).scalar_one_or_none()
