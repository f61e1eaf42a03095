"""Undoing the last change to a person or a place: as new facts, never by editing the past."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from crm.access.audit import UNDONE, count_of_request
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.spans import refresh_spans
from crm.access.undoing import (
    CannotUndo,
    SomethingNewer,
    has_way_back,
    parts_of_talks,
    right_of,
    tables,
    take_back,
)
from crm.domain.errors import NotFound, Refusal
from crm.domain.vocabulary import FieldGroup, Verb
from crm.features.history import queries
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact
from crm.models.places import (
    Place,
)
from crm.reads.people import may_keep


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


# What a talk is made of; only its writer takes that back.
_OF_TALKS = parts_of_talks() - {"follow_up"} | {"assessment"}
# Changes of one book follow each other: undoing the last of them leads back to what was true
# of the whole book before. The tables that are not here are a book each.
_BOOKS = dict.fromkeys((*parts_of_talks(), "assessment"), "talks")


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
        has_way_back(line.subject, line.verb, {name for name, _old, _new in line.changes})
        and (mine or line.subject not in _OF_TALKS)
        and scope.may(right_of(line.subject))
        for line in act.lines
    )


def _book(subject: str) -> str:
    return _BOOKS.get(subject, subject)


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
    subjects = sorted({one for one in (*tables(), *books) if _book(one) in books})
    last = queries.last_request(session, scope, column, subject_id, subjects)
    if not entries or last != request_id:
        raise SomethingNewer()
    mine = entries[0].actor_id == scope.actor_id
    if not mine and any(entry.subject in _OF_TALKS for entry in entries):
        raise NotYourTalk()
    if not mine and not _answers_for(session, scope, column, subject_id):
        raise NotYours()
    for entry in entries:
        if not has_way_back(entry.subject, entry.verb, {*(entry.old or {}), *(entry.new or {})}):
            raise CannotUndo()
    if count_of_request(session, request_id, column, subject_id) != len(entries):
        raise MoreThanSeen()
    session.info["reason"] = UNDONE
    for entry in reversed(entries):
        take_back(session, scope, entry, now=now)
    return entries


def _answers_for(session: Session, scope: Scope, column: Any, subject_id: int) -> bool:
    """Return True when the scope reads the trail at the place, or where the person works."""
    model: Any = Contact if column is AuditEntry.contact_id else Place
    found = session.execute(
        scope.select(model.id, permission=Permission.AUDIT_READ).where(model.id == subject_id)
    )
    return found.first() is not None


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
