"""Taking back what the trail says was written: as new facts, never by editing the past.

One row of the trail at a time. Who may ask for it, and in which order, is for the callers: the
history of a person or place, and lists whose changes go back as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.audit import plain
from crm.access.facts import revise, withdraw
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import Refusal
from crm.domain.vocabulary import Verb
from crm.models.audit import AuditEntry
from crm.models.base import Recorded
from crm.models.contacts import Contact, ContactPoint, FieldBasis, Job, Membership
from crm.models.conversations import (
    Assessment,
    Conversation,
    ConversationIssue,
    ConversationNote,
    FollowUp,
)
from crm.models.places import (
    Area,
    BargainingUnit,
    Branch,
    Employer,
    Headcount,
    MemberCount,
    Shift,
    Union,
    Workplace,
)


class SomethingNewer(Refusal):
    """The change to undo is not the last one any more."""

    default_message = "Something newer was written since. Look at the history again."


class CannotUndo(Refusal):
    """This sort of change has no way back here."""

    default_message = (
        "This change cannot be undone here. Correct the record itself; the history keeps both."
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """How rows of one table are written: their class, and the right that writing them needs."""

    model: type[Any]
    right: Permission


# Facts: taking one back, or putting one back, is a new row. Plain rows get their old values.
_FACTS: dict[str, _Way] = {
    model.__tablename__: _Way(model, right)
    for model, right in (
        (ContactPoint, Permission.CONTACT_WRITE),
        (FieldBasis, Permission.CONTACT_WRITE),
        (Job, Permission.CONTACT_WRITE),
        (Membership, Permission.CONTACT_WRITE),
        (Assessment, Permission.CONVERSATION_WRITE),
        (Headcount, Permission.PLACE_WRITE),
        (MemberCount, Permission.PLACE_WRITE),
    )
}
_PLAIN: dict[str, _Way] = {
    model.__tablename__: _Way(model, right)
    for model, right in (
        (Contact, Permission.CONTACT_WRITE),
        (FollowUp, Permission.CONVERSATION_WRITE),
        (Conversation, Permission.CONVERSATION_WRITE),
        (ConversationNote, Permission.CONVERSATION_WRITE),
        (Workplace, Permission.PLACE_WRITE),
        (Area, Permission.PLACE_WRITE),
        (Shift, Permission.PLACE_WRITE),
        (BargainingUnit, Permission.PLACE_WRITE),
        (Employer, Permission.EMPLOYER_WRITE),
        (Union, Permission.UNION_WRITE),
        (Branch, Permission.UNION_WRITE),
    )
}
# Rows of a talk saved by mistake, and of a reminder: they go again as they came. Those without
# a mark of their own are deleted, and written anew when that is undone.
_PARTS: dict[str, _Way] = {
    model.__tablename__: _Way(model, Permission.CONVERSATION_WRITE)
    for model in (Conversation, ConversationIssue, ConversationNote, FollowUp)
}
_DELETED: dict[str, type[Any]] = {
    model.__tablename__: model for model in (ConversationIssue, ConversationNote)
}
_WAYS = {**_FACTS, **_PLAIN, **_PARTS}
# Where a place hangs in the tree is a dated link too: neither goes without the other.
_IN_THE_TREE = frozenset(
    {"employer_id", "region_id", "parent_employer_id", "parent_area_id", "union_id"}
)


def right_of(subject: str) -> Permission:
    """Return the right that writing rows of this table needs. Raises KeyError for one without."""
    return _WAYS[subject].right


def parts_of_talks() -> frozenset[str]:
    """Return the tables whose rows a talk is made of."""
    return frozenset(_PARTS)


def tables() -> tuple[str, ...]:
    """Return the tables whose rows can be taken back."""
    return tuple(_WAYS)


def has_way_back(subject: str, verb: Verb, fields: set[str]) -> bool:
    """Return True when such a row of the trail can be taken back. fields: those it changed."""
    if verb is Verb.CREATE:
        return subject in _FACTS or subject in _PARTS
    if verb is Verb.DELETE:
        return subject in _DELETED
    hangs_in_tree = subject in _PLAIN and bool(fields & _IN_THE_TREE)
    return verb is Verb.UPDATE and subject in {**_FACTS, **_PLAIN} and not hangs_in_tree


def take_back(session: Session, scope: Scope, entry: AuditEntry, *, now: datetime) -> None:
    """Take back what one row of the trail says, for which ``has_way_back`` is True.

    Raises SomethingNewer when the row has changed since, CannotUndo when it cannot be put back.
    """
    if entry.verb is Verb.DELETE:
        session.add(_written_anew(_DELETED[entry.subject], entry.old or {}))
        return
    row = _row(session, scope, entry)
    if entry.verb is Verb.UPDATE:
        _put_back(session, row, entry, now=now, actor_id=scope.actor_id)
    elif isinstance(row, Recorded):
        if row.superseded_at is not None:
            raise SomethingNewer()
        withdraw(row, now=now)
    elif isinstance(row, Conversation | FollowUp):
        row.withdrawn_at = now
        row.version += 1
    else:
        session.delete(row)


def _row(session: Session, scope: Scope, entry: AuditEntry) -> Any:
    way = _WAYS[entry.subject]
    key = sa.inspect(way.model).primary_key[0]
    row = session.scalars(
        scope.select(way.model, permission=way.right, history=True).where(key == entry.subject_id)
    ).one_or_none()
    if row is None:
        # Gone since, or at a place where the actor may read but not write.
        raise SomethingNewer() if scope.may(way.right) else CannotUndo()
    return row


def _written_anew(model: type[Any], old: dict[str, Any]) -> Any:
    columns = {one.key: one.columns[0].type for one in sa.inspect(model).column_attrs}
    return model(**{name: _typed(columns[name], old[name]) for name in old if name != "id"})


def _put_back(
    session: Session, row: Any, entry: AuditEntry, *, now: datetime, actor_id: int | None
) -> None:
    """Give a plain row its old values; let a fact that was taken back hold again, as a new row."""
    old, new = entry.old or {}, entry.new or {}
    if isinstance(row, Recorded) and "superseded_at" in new:
        if new["superseded_at"] is None or row.superseded_at is None:
            raise CannotUndo()
        moment = row.superseded_at
        revise(session, row, now=now, actor_id=actor_id)
        # The row was past already; when it became so stays as it was.
        row.superseded_at = moment
        return
    columns = {one.key: one for one in sa.inspect(type(row)).column_attrs}
    back = {name: value for name, value in old.items() if name != "version"}
    for name, value in back.items():
        if value == "(hidden)" or name not in columns:
            raise CannotUndo()
        if plain(getattr(row, name)) != new.get(name):
            raise SomethingNewer()
    for name, value in back.items():
        setattr(row, name, _typed(columns[name].columns[0].type, value))
    if "version" in columns:
        row.version += 1


def _typed(kind: Any, value: Any) -> Any:
    """Return a value of the trail as its column holds it."""
    if value is None or not isinstance(value, str):
        return value
    if isinstance(kind, sa.Enum):
        return kind.enum_class(value) if kind.enum_class else value
    # A type of our own around one of SQLAlchemy's says nothing of what it holds itself.
    python: type[Any] = getattr(kind, "impl_instance", kind).python_type
    if python is datetime:
        return datetime.fromisoformat(value)
    if python is date:
        return date.fromisoformat(value)
    if python is time:
        return time.fromisoformat(value)
    if python is UUID:
        return UUID(value)
    return value
