"""Reads of the audit trail: one record's history, and the trail of a whole part of the tree."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.audit import record_export_of_all, record_view
from crm.access.facts import known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound, Refusal
from crm.domain.vocabulary import Verb
from crm.models.accounts import (
    AccessGrant,
    CalendarFeed,
    Invitation,
    UserAccount,
    UserSession,
)
from crm.models.audit import AuditEntry
from crm.models.base import Base, table_of
from crm.models.contacts import Contact, Job, Membership
from crm.models.conversations import Conversation, FollowUp
from crm.models.lists import CustomField, FieldChoice, Tag
from crm.models.merging import MergedPerson
from crm.models.places import Place, Shift
from crm.models.ties import SocialGroup
from crm.reads.people import get_contact, names_of_users, shown_name
from crm.reads.places import names_of

# Values that are inner keys of places and users: shown by name where the reader may know it.
OF_PLACES = (
    "place_id",
    "workplace_id",
    "area_id",
    "employer_of_record_id",
    "union_id",
    "branch_id",
    "shared_with_id",
)
OF_USERS = (
    "held_by_id",
    "assessor_id",
    "owner_id",
    "author_id",
    "done_by_id",
    "recorded_by_id",
    "user_id",
    "from_user_id",
    "to_user_id",
    "passed_by_id",
    "said_by_id",
    "made_by_id",
    "carrier_id",
    "set_by_id",
)
OF_PEOPLE = ("leader_id",)
# Values that are inner keys of things with a name of their own.
NAMED: dict[str, Any] = {
    "shift_id": Shift.name,
    "group_id": SocialGroup.name,
    "tag_id": Tag.name,
    "field_id": CustomField.name,
    "choice_id": FieldChoice.name,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One row that was written: what it is, and the old and new value of each field.

    changes: (field, old, new), values as the trail keeps them; None = nothing there.
    """

    verb: Verb
    subject: str
    subject_id: int | None
    contact_id: int | None
    place_id: int | None
    changes: tuple[tuple[str, Any, Any], ...]


@dataclass(frozen=True, slots=True)
class Act:
    """All that one request wrote, looked at or took out, at one moment.

    request_id: None for what the machine did by itself. by: the user's name, None = the machine.
    reason: why the machine did it. person and place: names, where the reader may know them.
    oldest: where the next page goes on. parted: it made two records one, and they are two again.
    """

    request_id: str | None
    at: datetime
    actor_id: int | None
    by: str | None
    reason: str | None
    person: str | None
    person_id: uuid.UUID | None
    place: str | None
    lines: tuple[Line, ...]
    oldest: int
    parted: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """Names behind inner keys that stand in old and new values; an absent one may not be known."""

    places: dict[int, str]
    users: dict[int, str]
    people: dict[int, str]
    # By the field that holds the key, and the key.
    things: dict[tuple[str, int], str]


@dataclass(frozen=True, slots=True)
class History:
    """A page of acts, the latest first, with the names they need. more: there are older ones."""

    acts: list[Act]
    names: Names
    more: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """The record whose history is asked for."""

    id: int
    public_id: uuid.UUID
    name: str


def get_person(session: Session, scope: Scope, contact_id: uuid.UUID) -> Subject:
    """Return the person. Raises NotFound when absent or out of scope."""
    person = get_contact(session, scope, contact_id)
    return Subject(person.id, person.public_id, shown_name(person))


def get_place(session: Session, scope: Scope, place_id: uuid.UUID) -> Subject:
    """Return the place, of any kind, inside the scope. Raises NotFound."""
    place = session.scalars(
        scope.select(Place, permission=Permission.PLACE_READ).where(Place.public_id == place_id)
    ).one_or_none()
    if place is None:
        raise NotFound(f"place {place_id}")
    return Subject(place.id, place.public_id, place.name)


def history_of_person(
    session: Session, scope: Scope, contact_id: int, *, limit: int, before: int | None = None
) -> History:
    """Return what was written about a person, as far as the reader reads those records.

    before: only entries older than this one. Five statements, whatever the length.
    """
    return _acts(
        session,
        scope,
        _records(scope).where(AuditEntry.contact_id.in_(_records_of(contact_id))),
        limit=limit,
        before=before,
    )


def history_of_place(
    session: Session, scope: Scope, place_id: int, *, limit: int, before: int | None = None
) -> History:
    """Return what was written about a place itself: its details, headcounts, shifts. No people."""
    return _acts(
        session,
        scope,
        _records(scope).where(AuditEntry.place_id == place_id, AuditEntry.contact_id.is_(None)),
        limit=limit,
        before=before,
    )


def get_account(session: Session, scope: Scope, user_id: uuid.UUID) -> Subject:
    """Return the account, for those who look after accounts. Raises NotFound."""
    scope.require(Permission.USER_WRITE)
    row = session.execute(
        sa.select(UserAccount.id, UserAccount.public_id, UserAccount.name).where(
            UserAccount.public_id == user_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"user {user_id}")
    return Subject(row.id, row.public_id, row.name)


# What belongs to one account. Their rows end and are never deleted, so a key is never used again.
_OF_ACCOUNT: tuple[Any, ...] = (AccessGrant, Invitation, UserSession, CalendarFeed)


def history_of_account(
    session: Session, scope: Scope, user_id: int, *, limit: int, before: int | None = None
) -> History:
    """Return what was done to one account: its roles, links, devices and lists on phones.

    user_id: inner id. No contact, and nothing that its holder wrote. Six statements at most.
    """
    of_it = [
        sa.and_(AuditEntry.subject == UserAccount.__tablename__, AuditEntry.subject_id == user_id),
        # A list that a phone took has no row of its own: it is the taker's.
        sa.and_(AuditEntry.subject == "phone_list", AuditEntry.actor_id == user_id),
    ]
    for model in _OF_ACCOUNT:
        ids = sa.select(model.id).where(model.user_id == user_id)
        of_it.append(
            sa.and_(AuditEntry.subject == model.__tablename__, AuditEntry.subject_id.in_(ids))
        )
    chosen = scope.select(AuditEntry, permission=Permission.USER_WRITE).where(sa.or_(*of_it))
    return _acts(session, scope, chosen, limit=limit, before=before)


# More lines than this make a file that nobody reads, and a list of everybody in one hand.
MOST_IN_A_FILE = 5000


class TooManyEntries(Refusal):
    """A file of the trail is for some days, not for everything at once."""

    default_message = (
        "That is more than 5,000 entries. Choose fewer days, one person or one kind of act."
    )


def trail_for_file(
    session: Session,
    scope: Scope,
    *,
    verbs: Sequence[Verb] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    actor_id: int | None = None,
) -> History:
    """Return the trail of places whose records the reader may take out, the latest first.

    Raises TooManyEntries when more than MOST_IN_A_FILE fit.
    """
    chosen = _chosen(
        scope,
        Permission.EXPORT_MAKE,
        verbs=verbs,
        since=since,
        until=until,
        actor_id=actor_id,
    )
    found = _acts(session, scope, chosen, limit=MOST_IN_A_FILE, before=None)
    if found.more or sum(len(act.lines) for act in found.acts) > MOST_IN_A_FILE:
        raise TooManyEntries()
    return found


def note_file(session: Session, scope: Scope, filters: Mapping[str, Any], *, rows: int) -> None:
    """Record that the reader took a file of the trail out."""
    record_export_of_all(session, scope, what="audit_entry", filters=filters, rows=rows)


def trail(
    session: Session,
    scope: Scope,
    *,
    accounts: bool,
    verbs: Sequence[Verb] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    actor_id: int | None = None,
    limit: int = 50,
    before: int | None = None,
) -> History:
    """Return the trail of the reader's places; or, with accounts, of accounts and the machine.

    since and until: moments, the second left out. Six statements at most.
    """
    right = Permission.USER_WRITE if accounts else None
    chosen = _chosen(scope, right, verbs=verbs, since=since, until=until, actor_id=actor_id)
    return _acts(session, scope, chosen, limit=limit, before=before)


def _chosen(
    scope: Scope,
    right: Permission | None,
    *,
    verbs: Sequence[Verb],
    since: datetime | None,
    until: datetime | None,
    actor_id: int | None,
) -> sa.Select[*tuple[Any, ...]]:
    chosen = scope.select(AuditEntry, permission=right)
    if verbs:
        chosen = chosen.where(AuditEntry.verb.in_(verbs))
    if since is not None:
        chosen = chosen.where(AuditEntry.at >= since)
    if until is not None:
        chosen = chosen.where(AuditEntry.at < until)
    if actor_id is not None:
        chosen = chosen.where(AuditEntry.actor_id == actor_id)
    return chosen


def entries_of_request(
    session: Session, scope: Scope, request_id: str, column: Any, subject_id: int
) -> list[AuditEntry]:
    """Return what one request wrote about one person or place, in the order it was written."""
    return list(
        session.scalars(
            _records(scope)
            .where(AuditEntry.request_id == request_id, column == subject_id)
            .order_by(AuditEntry.id)
        )
    )


def last_request(
    session: Session, scope: Scope, column: Any, subject_id: int, subjects: Sequence[str]
) -> str | None:
    """Return the request that wrote last in these tables about a person or place, or None.

    Of the records that the reader may read. What an unseen one changed in the same row is noticed
    when the row is put back.
    """
    only = [column == subject_id, AuditEntry.subject.in_(subjects)]
    if column is AuditEntry.place_id:
        only.append(AuditEntry.contact_id.is_(None))
    found: str | None = session.scalars(
        _records(scope)
        .with_only_columns(AuditEntry.request_id)
        .where(*only)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).first()
    return found


def places_of_jobs(session: Session, scope: Scope, contact_id: int) -> list[int]:
    """Return the inner ids of the places of the jobs that are believed of a person."""
    return list(
        session.scalars(scope.select(Job.place_id).where(Job.contact_id == contact_id, known(Job)))
    )


def written_at(
    session: Session, scope: Scope, contact_id: int, place_id: int | None, *, since: datetime
) -> bool:
    """Return True when a talk or reminder was written down of a person at a place since then."""
    talk = scope.select(Conversation.id).where(
        Conversation.contact_id == contact_id,
        Conversation.place_id == place_id,
        Conversation.recorded_at >= since,
    )
    reminder = scope.select(FollowUp.id).where(
        FollowUp.contact_id == contact_id,
        FollowUp.place_id == place_id,
        FollowUp.created_at >= since,
    )
    return any(session.execute(one.limit(1)).first() is not None for one in (talk, reminder))


def has_membership(session: Session, scope: Scope, contact_id: int) -> bool:
    """Return True when something is believed of a person and a union."""
    found = session.execute(
        scope.select(Membership.id)
        .where(Membership.contact_id == contact_id, known(Membership))
        .limit(1)
    )
    return found.first() is not None


def users_in_trail(session: Session, scope: Scope, *, accounts: bool) -> list[tuple[int, str]]:
    """Return who wrote something of late in this trail, by name: inner id and name."""
    right = Permission.USER_WRITE if accounts else None
    recent = session.scalars(
        scope.select(AuditEntry.actor_id, permission=right)
        .where(AuditEntry.actor_id.is_not(None))
        .order_by(AuditEntry.id.desc())
        .limit(1000)
    )
    ids = {int(one) for one in recent}
    return sorted(names_of_users(session, ids).items(), key=lambda one: one[1])


def closed_list(subject: str, field: str) -> type[enum.Enum] | None:
    """Return the list of values that a column of a table is chosen from; None for free text."""
    table = Base.metadata.tables.get(subject)
    column = None if table is None else table.columns.get(field)
    kind = getattr(column.type, "enum_class", None) if column is not None else None
    found: type[enum.Enum] | None = kind
    return found


def note_look(session: Session, scope: Scope, person: Subject) -> None:
    """Record that the reader looked at what is known of a person."""
    record_view(session, contact_id=person.id, contact_public_id=person.public_id)


def _records_of(contact_id: int) -> sa.Select[Any]:
    """Return the ids of a person's record and of those that were put into it."""
    contact = table_of(Contact)
    return sa.select(contact.c.id).where(
        sa.or_(contact.c.id == contact_id, contact.c.merged_into_id == contact_id)
    )


def _records(scope: Scope) -> sa.Select[*tuple[Any, ...]]:
    return scope.select(AuditEntry, history=True)


def _acts(
    session: Session,
    scope: Scope,
    chosen: sa.Select[*tuple[Any, ...]],
    *,
    limit: int,
    before: int | None,
) -> History:
    if before is not None:
        chosen = chosen.where(AuditEntry.id < before)
    # One request may write many rows; some more are read, so that the last act is whole.
    rows = list(session.scalars(chosen.order_by(AuditEntry.id.desc()).limit(8 * limit + 1)))
    groups: list[list[AuditEntry]] = []
    for row in rows:
        last = groups[-1][-1] if groups else None
        same = last is not None and (
            (last.request_id, last.contact_id, last.actor_id)
            == (row.request_id, row.contact_id, row.actor_id)
        )
        if same and row.request_id is not None:
            groups[-1].append(row)
        else:
            groups.append([row])
    more = len(groups) > limit or len(rows) > 8 * limit
    if len(rows) > 8 * limit and len(groups) > 1:
        groups.pop()
    groups = groups[:limit]
    shown = [row for group in groups for row in group]
    named = _keys(shown, OF_PEOPLE)
    people = _people(session, scope, {row.contact_id for row in shown} | named)
    names = _names(session, scope, shown, {one: people[one][0] for one in named & set(people)})
    parted = _parted(session, scope, shown)
    return History(
        acts=[
            replace(_act(group, people, names), parted=group[0].request_id in parted)
            for group in groups
        ],
        names=names,
        more=more,
    )


def _parted(session: Session, scope: Scope, rows: Iterable[AuditEntry]) -> set[str | None]:
    """Return the requests that made two records one which are two again by now."""
    made = {
        row.subject_id: row.request_id
        for row in rows
        if row.subject == MergedPerson.__tablename__
        and row.verb is Verb.CREATE
        and row.request_id is not None
    }
    if not made:
        return set()
    undone = session.scalars(
        scope.select(MergedPerson.id).where(
            MergedPerson.id.in_(made), MergedPerson.undone_at.is_not(None)
        )
    )
    return {made[one] for one in undone}


def _act(group: list[AuditEntry], people: dict[int, tuple[str, uuid.UUID]], names: Names) -> Act:
    last = group[0]
    person = people.get(last.contact_id) if last.contact_id is not None else None
    return Act(
        request_id=last.request_id,
        at=last.at,
        actor_id=last.actor_id,
        by=names.users.get(last.actor_id) if last.actor_id is not None else None,
        reason=last.reason,
        person=person[0] if person else None,
        person_id=person[1] if person else None,
        place=next(
            (names.places[row.place_id] for row in group if row.place_id in names.places), None
        ),
        lines=tuple(_line(row) for row in reversed(group)),
        oldest=group[-1].id,
    )


def _line(row: AuditEntry) -> Line:
    old, new = row.old or {}, row.new or {}
    fields = [*old, *(name for name in new if name not in old)]
    return Line(
        verb=row.verb,
        subject=row.subject,
        subject_id=row.subject_id,
        contact_id=row.contact_id,
        place_id=row.place_id,
        changes=tuple((name, old.get(name), new.get(name)) for name in fields),
    )


def _people(
    session: Session, scope: Scope, ids: Iterable[int | None]
) -> dict[int, tuple[str, uuid.UUID]]:
    wanted = sorted({one for one in ids if one is not None})
    if not wanted:
        return {}
    found = session.scalars(scope.select(Contact).where(Contact.id.in_(wanted)))
    return {one.id: (shown_name(one), one.public_id) for one in found}


def _keys(rows: Iterable[AuditEntry], fields: Sequence[str]) -> set[int]:
    """Return the inner keys that stand in these fields, before or after."""
    return {
        value
        for row in rows
        for values in (row.old or {}, row.new or {})
        for name, value in values.items()
        if name in fields and isinstance(value, int)
    }


def _names(
    session: Session, scope: Scope, rows: Sequence[AuditEntry], people: dict[int, str]
) -> Names:
    users = {row.actor_id for row in rows if row.actor_id is not None} | _keys(rows, OF_USERS)
    places = {row.place_id for row in rows if row.place_id is not None} | _keys(rows, OF_PLACES)
    things: dict[tuple[str, int], str] = {}
    for field, name in NAMED.items():
        keys = _keys(rows, (field,))
        if keys:
            key = name.class_.id
            found = session.execute(scope.select(key, name).where(key.in_(sorted(keys))))
            things |= {(field, int(one)): str(text) for one, text in found}
    return Names(
        places=names_of(session, scope, places),
        users=names_of_users(session, users),
        people=people,
        things=things,
    )
