"""Undoing the last change to a person or a place: as new facts, never by editing the past."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.audit import plain
from crm.access.facts import revise, withdraw
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.spans import refresh_spans
from crm.domain.errors import NotFound, Refusal
from crm.domain.vocabulary import Verb
from crm.features.history import queries
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
from crm.models.places import Area, Employer, Headcount, MemberCount, Place, Shift, Workplace


class SomethingNewer(Refusal):
    """The change to undo is not the last one any more."""

    default_message = "Something newer was written since. Look at the history again."


class CannotUndo(Refusal):
    """This sort of change has no way back here."""

    default_message = (
        "This change cannot be undone here. Correct the record itself; the history keeps both."
    )


class NotYours(Refusal):
    """Somebody else made the change."""

    default_message = (
        "Somebody else made this change. Ask them, or an organiser or officer of this place."
    )


# Facts: taking one back, or putting one back, is a new row. Plain rows get their old values.
_FACTS: dict[str, type[Any]] = {
    model.__tablename__: model
    for model in (
        ContactPoint,
        FieldBasis,
        Job,
        Membership,
        Assessment,
        Headcount,
        MemberCount,
    )
}
_PLAIN: dict[str, type[Any]] = {
    model.__tablename__: model
    for model in (
        Contact,
        FollowUp,
        Workplace,
        Area,
        Employer,
        Shift,
        Conversation,
        ConversationNote,
    )
}
# Rows of a talk saved by mistake, and of a reminder: they go again as they came.
_PARTS: dict[str, type[Any]] = {
    model.__tablename__: model
    for model in (Conversation, ConversationIssue, ConversationNote, FollowUp)
}


def undo_for_person(
    session: Session, scope: Scope, contact_id: UUID, request_id: str, *, now: datetime
) -> None:
    """Undo the last change to a person's records, all that one request wrote.

    Raises NotFound for a person out of scope; SomethingNewer, NotYours or CannotUndo, and then
    nothing is changed.
    """
    person = session.scalars(
        scope.select(Contact, permission=Permission.CONTACT_WRITE).where(
            Contact.public_id == contact_id
        )
    ).one_or_none()
    if person is None:
        raise NotFound(f"contact {contact_id}")
    _undo(session, scope, request_id, AuditEntry.contact_id, person.id, now=now)
    session.flush()
    refresh_spans(session, person.id)


def undo_for_place(
    session: Session, scope: Scope, place_id: UUID, request_id: str, *, now: datetime
) -> None:
    """Undo the last change to a place's own records, all that one request wrote.

    Raises as undo_for_person does.
    """
    place = session.scalars(
        scope.select(Place, permission=Permission.PLACE_WRITE).where(Place.public_id == place_id)
    ).one_or_none()
    if place is None:
        raise NotFound(f"place {place_id}")
    _undo(session, scope, request_id, AuditEntry.place_id, place.id, now=now)


def can_undo(scope: Scope, act: queries.Act) -> bool:
    """Whether the undo button is worth showing under the latest act."""
    return (
        act.request_id is not None
        and (act.actor_id == scope.actor_id or scope.may(Permission.AUDIT_READ))
        and all(_has_way_back(line.subject, line.verb) for line in act.lines)
    )


def _has_way_back(subject: str, verb: Verb) -> bool:
    if verb is Verb.CREATE:
        return subject in _FACTS or subject in _PARTS
    return verb is Verb.UPDATE and (subject in _FACTS or subject in _PLAIN)


def _undo(
    session: Session,
    scope: Scope,
    request_id: str,
    column: Any,
    subject_id: int,
    *,
    now: datetime,
) -> None:
    if queries.last_request(session, scope, column, subject_id) != request_id:
        raise SomethingNewer()
    entries = queries.entries_of_request(session, scope, request_id, column, subject_id)
    if not entries:
        raise SomethingNewer()
    if entries[0].actor_id != scope.actor_id and not scope.may(Permission.AUDIT_READ):
        raise NotYours()
    if not all(_has_way_back(entry.subject, entry.verb) for entry in entries):
        raise CannotUndo()
    for entry in reversed(entries):
        row = _row(session, scope, entry)
        if entry.verb is Verb.UPDATE:
            _put_back(session, row, entry, now=now, actor_id=scope.actor_id)
        elif entry.subject in _FACTS:
            withdraw(row, now=now)
        elif isinstance(row, Conversation | FollowUp):
            row.withdrawn_at = now
            row.version += 1
        else:
            session.delete(row)


def _row(session: Session, scope: Scope, entry: AuditEntry) -> Any:
    kinds = {**_FACTS, **_PLAIN, **_PARTS}
    model = kinds[entry.subject]
    key = sa.inspect(model).primary_key[0]
    row = session.scalars(scope.select(model).where(key == entry.subject_id)).one_or_none()
    if row is None:
        raise SomethingNewer()
    return row


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
    python: type[Any] = kind.python_type
    if python is datetime:
        return datetime.fromisoformat(value)
    if python is date:
        return date.fromisoformat(value)
    if python is time:
        return time.fromisoformat(value)
    if python is UUID:
        return UUID(value)
    return value
