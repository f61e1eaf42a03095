"""Undoing the last change to a person or a place: as new facts, never by editing the past."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.audit import UNDONE, count_of_request, plain
from crm.access.facts import revise, withdraw
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.spans import refresh_spans
from crm.domain.errors import NotFound, Refusal
from crm.domain.vocabulary import FieldGroup, Verb
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
from crm.models.places import (
    Area,
    BargainingUnit,
    Branch,
    Employer,
    Headcount,
    MemberCount,
    Place,
    Shift,
    Union,
    Workplace,
)
from crm.reads.people import may_keep


class SomethingNewer(Refusal):
    """The change to undo is not the last one any more."""

    default_message = "Something newer was written since. Look at the history again."


class CannotUndo(Refusal):
    """This sort of change has no way back here."""

    default_message = (
        "This change cannot be undone here. Correct the record itself; the history keeps both."
    )


class MoreThanSeen(Refusal):
    """The request wrote rows that the actor may not read; half of it must not be undone."""

    default_message = (
        "This change wrote more than you can see. Put the record itself right; "
        "the history keeps both."
    )


class NotYours(Refusal):
    """Somebody else made the change."""

    default_message = (
        "Somebody else made this change. Ask them, or an organiser or officer of this place."
    )


class NotYourTalk(Refusal):
    """Somebody else wrote the talk."""

    default_message = "Somebody else wrote this. Only they can take it back."


class LastJob(Refusal):
    """Without this job the person would be at no workplace that the reader holds."""

    default_message = (
        "This is their only job here. Without it nobody would find them. "
        "Write down the job they have first."
    )


class TalksStandOnIt(Refusal):
    """Talks or reminders were written down at the place of the job since."""

    default_message = (
        "Talks or reminders were written down at this job since. "
        "Put the job right instead; the history keeps both."
    )


class MembershipStandsOnIt(Refusal):
    """A membership is on record that may only be kept with what would go."""

    default_message = (
        "We may keep their union membership only because of this. Take the membership back first."
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
# What a talk is made of; only its writer takes that back.
_OF_TALKS = frozenset(_PARTS) - {"follow_up"} | {"assessment"}
# Changes of one book follow each other: undoing the last of them leads back to what was true
# of the whole book before. The tables that are not here are a book each.
_BOOKS = dict.fromkeys((*_PARTS, "assessment"), "talks")


def undo_for_person(
    session: Session, scope: Scope, contact_id: UUID, request_id: str, *, now: datetime
) -> None:
    """Undo the last change of some records of a person, all that one request wrote.

    The last: nothing newer is written in the same books (jobs, memberships, talks and so on).
    Raises NotFound for a person out of scope; SomethingNewer, NotYours, NotYourTalk, LastJob,
    TalksStandOnIt, MembershipStandsOnIt or CannotUndo, and then nothing is changed.
    """
    person = session.scalars(
        scope.select(Contact, permission=Permission.CONTACT_WRITE)
        .where(Contact.public_id == contact_id)
        .with_for_update(of=Contact)
    ).one_or_none()
    if person is None:
        raise NotFound(f"contact {contact_id}")
    entries = _undo(session, scope, request_id, AuditEntry.contact_id, person.id, now=now)
    session.flush()
    _refuse_what_stands_on_it(session, scope, person, entries)
    refresh_spans(session, person.id)


def undo_for_place(
    session: Session, scope: Scope, place_id: UUID, request_id: str, *, now: datetime
) -> None:
    """Undo the last change of a place's own records, all that one request wrote.

    Raises as undo_for_person does.
    """
    place = session.scalars(
        scope.select(Place, permission=Permission.PLACE_WRITE)
        .where(Place.public_id == place_id)
        .with_for_update(of=Place)
    ).one_or_none()
    if place is None:
        raise NotFound(f"place {place_id}")
    _undo(session, scope, request_id, AuditEntry.place_id, place.id, now=now)


def undoable(scope: Scope, acts: Iterable[queries.Act]) -> set[str]:
    """Return the requests of a history, the latest first, that are worth an undo button."""
    found: set[str] = set()
    newer: set[str] = set()
    for act in acts:
        books = {_book(line.subject) for line in act.lines}
        if act.request_id is not None and not books & newer and _may_undo(scope, act):
            found.add(act.request_id)
        newer |= books
    return found


def _may_undo(scope: Scope, act: queries.Act) -> bool:
    mine = act.actor_id == scope.actor_id
    return (mine or scope.may(Permission.AUDIT_READ)) and all(
        _has_way_back(line.subject, line.verb, {name for name, _old, _new in line.changes})
        and (mine or line.subject not in _OF_TALKS)
        and scope.may(_WAYS[line.subject].right)
        for line in act.lines
    )


def _book(subject: str) -> str:
    return _BOOKS.get(subject, subject)


def _has_way_back(subject: str, verb: Verb, fields: set[str]) -> bool:
    if verb is Verb.CREATE:
        return subject in _FACTS or subject in _PARTS
    if verb is Verb.DELETE:
        return subject in _DELETED
    hangs_in_tree = subject in _PLAIN and bool(fields & _IN_THE_TREE)
    return verb is Verb.UPDATE and subject in {**_FACTS, **_PLAIN} and not hangs_in_tree


def _undo(
    session: Session,
    scope: Scope,
    request_id: str,
    column: Any,
    subject_id: int,
    *,
    now: datetime,
) -> list[AuditEntry]:
    """Put back all that one request wrote; return what that was."""
    entries = queries.entries_of_request(session, scope, request_id, column, subject_id)
    books = {_book(entry.subject) for entry in entries}
    subjects = sorted({one for one in (*_WAYS, *books) if _book(one) in books})
    last = queries.last_request(session, scope, column, subject_id, subjects)
    if not entries or last != request_id:
        raise SomethingNewer()
    mine = entries[0].actor_id == scope.actor_id
    if not mine and any(entry.subject in _OF_TALKS for entry in entries):
        raise NotYourTalk()
    if not mine and not _answers_for(session, scope, column, subject_id):
        raise NotYours()
    for entry in entries:
        if not _has_way_back(entry.subject, entry.verb, {*(entry.old or {}), *(entry.new or {})}):
            raise CannotUndo()
    if count_of_request(session, request_id, column, subject_id) != len(entries):
        raise MoreThanSeen()
    session.info["reason"] = UNDONE
    for entry in reversed(entries):
        _undo_one(session, scope, entry, now=now)
    return entries


def _answers_for(session: Session, scope: Scope, column: Any, subject_id: int) -> bool:
    """Return True when the scope reads the trail at the place, or where the person works."""
    model: Any = Contact if column is AuditEntry.contact_id else Place
    found = session.execute(
        scope.select(model.id, permission=Permission.AUDIT_READ).where(model.id == subject_id)
    )
    return found.first() is not None


def _undo_one(session: Session, scope: Scope, entry: AuditEntry, *, now: datetime) -> None:
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


def _refuse_what_stands_on_it(
    session: Session, scope: Scope, person: Contact, entries: Sequence[AuditEntry]
) -> None:
    """Raise a refusal when something that was written since needs what is taken back."""
    added = [one for one in entries if (one.subject, one.verb) == ("job", Verb.CREATE)]
    if added:
        jobs = set(queries.places_of_jobs(session, scope, person.id))
        if not jobs:
            raise LastJob()
        for entry in added:
            if entry.place_id not in jobs and queries.written_at(
                session, scope, person.id, entry.place_id, since=entry.at
            ):
                raise TalksStandOnIt()
    if not may_keep(session, scope, person, FieldGroup.MEMBERSHIP) and queries.has_membership(
        session, scope, person.id
    ):
        raise MembershipStandsOnIt()


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
