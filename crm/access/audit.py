"""The audit trail: a row for every write, in the same transaction, made by the session itself.

Services do not call this for writes: ``install_audit`` listens to every flush. They call
``record_view`` and ``record_export`` for the two kinds of reading that are recorded too.
"""

from __future__ import annotations

import enum
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from json.encoder import encode_basestring_ascii as _as_text
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session, UOWTransaction, object_session

from crm.access import loading
from crm.access.permissions import Permission
from crm.access.scope import MARK, Scope
from crm.access.tree import everything_id
from crm.domain.vocabulary import Verb
from crm.models.audit import AuditEntry
from crm.models.base import AtPlace, Base, OfCase, OfContact, table_of
from crm.models.cases import Case
from crm.models.contacts import Contact
from crm.models.places import Place

# The reason of rows that put an earlier change back; screens have words for it.
UNDONE = "undone"
# The reason of rows that two records of one person made one, or apart again.
MERGED = "two records made one"
PARTED = "two records made apart again"


def install_audit(session_class: Any) -> None:
    """Make every flush of the session class leave its audit rows."""
    if not event.contains(session_class, "after_flush", _record_flush):
        event.listen(session_class, "after_flush", _record_flush)
    for model in (Contact, Place):
        if not event.contains(model, "before_insert", _never_a_removed_key):
            event.listen(model, "before_insert", _never_a_removed_key, propagate=True)


def _never_a_removed_key(mapper: Any, connection: sa.Connection, target: Any) -> None:
    """Give a new person or place a key that the trail has never seen.

    SQLite hands the highest key out again once its row is removed, as by the undoing of an import:
    the trail of whoever bore it would become the history of somebody else.
    """
    session = object_session(target)
    if target.id is not None or session is None or connection.dialect.name != "sqlite":
        return
    target.id = next_key(session, connection, Place if isinstance(target, Place) else Contact)


def next_key(
    session: Session, connection: sa.Connection, model: type[Contact] | type[Place]
) -> int:
    """Return a key that no person, or no place, had before. For SQLite, and for who writes."""
    is_place = model is Place
    # Whoever writes holds the lock of the database, so that the next key is nobody else's.
    name = "last_place" if is_place else "last_contact"
    if name not in session.info:
        entry, own = table_of(AuditEntry), table_of(model).c.id
        in_trail = entry.c.place_id if is_place else entry.c.contact_id
        highest = sa.select(
            sa.select(sa.func.max(own)).scalar_subquery(),
            sa.select(sa.func.max(in_trail)).scalar_subquery(),
        )
        found = connection.execute(highest.execution_options(**{MARK: True})).one()
        session.info[name] = max(one or 0 for one in found)
    session.info[name] += 1
    key: int = session.info[name]
    return key


def record_view(session: Session, *, contact_id: int, contact_public_id: uuid.UUID) -> None:
    """Record that the actor of this unit of work looked at a contact."""
    _insert(
        session,
        [
            _entry(
                session,
                Verb.VIEW,
                subject="contact",
                subject_id=contact_id,
                subject_public_id=contact_public_id,
                contact_id=contact_id,
            )
        ],
    )


def record_case_view(session: Session, *, case_id: int, case_public_id: uuid.UUID) -> None:
    """Record that the actor of this unit of work opened a case. Only its team reads that."""
    _insert(
        session,
        [
            _entry(
                session,
                Verb.VIEW,
                subject=Case.__tablename__,
                subject_id=case_id,
                subject_public_id=case_public_id,
                case_id=case_id,
            )
        ],
    )


def record_export(
    session: Session, *, what: str, filters: Mapping[str, Any], rows: int, place_id: int | None
) -> None:
    """Record that the actor took a file out: what it was, its filters, how many rows."""
    _insert(
        session,
        [
            _entry(
                session,
                Verb.EXPORT,
                subject=what,
                place_id=place_id,
                new={
                    "filters": {key: plain(value) for key, value in filters.items()},
                    "rows": rows,
                },
            )
        ],
    )


def record_export_of_all(
    session: Session, scope: Scope, *, what: str, filters: Mapping[str, Any], rows: int
) -> None:
    """Record a file that is not of one place, in the trail of each place it may hold.

    Those are the places where the actor may take files out: who answers for one of them sees it.
    """
    nodes = scope.nodes(Permission.EXPORT_MAKE)
    for place_id in (everything_id(session),) if nodes is None else nodes:
        record_export(session, what=what, filters=filters, rows=rows, place_id=place_id)


def record_counts(
    session: Session,
    verb: Verb,
    *,
    subject: str,
    subject_id: int,
    place_id: int | None,
    counts: Mapping[str, int],
) -> None:
    """Record one act on many rows that must leave no trace of whom they are about.

    verb: CREATE or DELETE. subject: their table. subject_id: of what they all belong to. counts:
    how many of each sort.
    """
    _insert(
        session,
        [
            _entry(
                session,
                verb,
                subject=subject,
                subject_id=subject_id,
                place_id=place_id,
                old=dict(counts) if verb is Verb.DELETE else None,
                new=dict(counts) if verb is Verb.CREATE else None,
            )
        ],
    )


def record_act(session: Session, verb: Verb, *, subject: str, subject_id: int | None) -> None:
    """Record an act that changes no row of its own, such as signing in."""
    _insert(session, [_entry(session, verb, subject=subject, subject_id=subject_id)])


def count_of_request(session: Session, request_id: str, column: Any, subject_id: int) -> int:
    """Return how many rows a request wrote about one person or place, seen or not.

    column: contact_id or place_id of AuditEntry. Nothing but the number is handed back: it says
    whether somebody who undoes a change sees all of it.
    """
    written = sa.select(sa.func.count(AuditEntry.id)).where(
        AuditEntry.request_id == request_id,
        column == subject_id,
        AuditEntry.verb.in_([Verb.CREATE, Verb.UPDATE, Verb.DELETE]),
    )
    return int(session.execute(written.execution_options(**{MARK: True})).scalar_one())


def changed_since(
    session: Session, request_id: str, ids: Sequence[int], column: Any = AuditEntry.contact_id
) -> set[int]:
    """Return about which of the people somebody else's request wrote after this one began to.

    column: AuditEntry.place_id for places. Whoever takes something back must leave alone what
    others have built on it since, also where they may not see it: nothing but the fact is handed
    back. At most a thousand ids at once.
    """
    entry = AuditEntry
    own = (
        sa.select(column.label("one"), sa.func.min(entry.id).label("first"))
        .where(entry.request_id == request_id, column.in_(ids))
        .group_by(column)
        .subquery()
    )
    later = (
        sa.select(column)
        .join(own, sa.and_(own.c.one == column, entry.id > own.c.first))
        .where(
            sa.or_(entry.request_id.is_(None), entry.request_id != request_id),
            entry.verb.in_([Verb.CREATE, Verb.UPDATE, Verb.DELETE]),
        )
        .distinct()
    )
    found = session.execute(later.execution_options(**{MARK: True})).scalars()
    return {int(one) for one in found if one is not None}


def created_by(session: Session, request_id: str, contact_ids: Sequence[int]) -> set[int]:
    """Return which of these people a request has added. At most a thousand ids at once.

    Nothing but the fact is handed back, of people whom the caller has found already.
    """
    entry = AuditEntry
    added = sa.select(entry.contact_id).where(
        entry.contact_id.in_(contact_ids),
        entry.request_id == request_id,
        entry.verb == Verb.CREATE,
        entry.subject == Contact.__tablename__,
    )
    found = session.execute(added.execution_options(**{MARK: True})).scalars()
    return {int(one) for one in found if one is not None}


def record_removals(session: Session, rows: Iterable[Any]) -> None:
    """Record that these rows are taken out of their tables, past the session, and what they held.

    For access/removal.py, which deletes whole people in an order that the session does not know.
    """
    _insert(session, [_of_row(session, Verb.DELETE, row, _values(row), None) for row in rows])


def record_created(
    session: Session, rows: Mapping[type[Base], Mapping[str, Sequence[Any]]]
) -> None:
    """Record that these rows were put into the tables of the models, past the session.

    rows: for each model the values of all its rows, by the name of the attribute; keys and
    defaults are among them. What is recorded is what a flush would have recorded. For
    access/bulk.py.
    """
    common = _entry(session, Verb.CREATE, subject="")
    for model, columns in rows.items():
        keys = columns["id"]
        count = len(keys)
        entries: dict[str, Sequence[Any]] = {
            **{name: [value] * count for name, value in common.items()},
            "subject": [model.__tablename__] * count,
            "subject_id": keys,
            "new": _as_json(model, columns),
        }
        if "public_id" in columns:
            entries["subject_public_id"] = columns["public_id"]
        if issubclass(model, OfContact) or model is Contact:
            entries["contact_id"] = keys if model is Contact else columns["contact_id"]
        if issubclass(model, AtPlace):
            entries["place_id"] = columns["place_id"]
        loading.put(
            session.connection(), table_of(AuditEntry), entries, as_they_are=frozenset({"new"})
        )


def _as_json(model: type[Base], columns: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return for each row what the trail keeps of it, as JSON: the columns that hold something.

    As ``_values`` and the driver's JSON have it, put together a column at a time: a list of people
    has few days, kinds and places, and each is written out once.
    """
    parts: list[Sequence[str]] = []
    for attribute in sa.inspect(model).column_attrs:
        name = attribute.key
        if name not in columns:
            continue
        head = f"{_as_text(name)}: "
        plainly = name not in model.audit_hides
        known: dict[int, str] = {id(None): ""}
        texts: list[str] = []
        for value in columns[name]:
            kind = type(value)
            if kind is str and plainly:
                text = head + _as_text(value)
            elif kind is int and plainly:
                text = f"{head}{value}"
            elif (said := known.get(id(value))) is not None:
                text = said
            else:
                text = known[id(value)] = head + json.dumps(_hide(model, name, value))
            texts.append(text)
        parts.append(texts)
    return ["{" + ", ".join(filter(None, row)) + "}" for row in zip(*parts, strict=True)]


def _record_flush(session: Session, context: UOWTransaction) -> None:
    entries: list[dict[str, Any]] = []
    for row in session.new:
        if isinstance(row, Base) and row.audited:
            entries.append(_of_row(session, Verb.CREATE, row, None, _values(row)))
    for row in session.dirty:
        if isinstance(row, Base) and row.audited:
            old, new = _changes(row)
            if new:
                entries.append(_of_row(session, Verb.UPDATE, row, old, new))
    for row in session.deleted:
        if isinstance(row, Base) and row.audited:
            entries.append(_of_row(session, Verb.DELETE, row, _values(row), None))
    _insert(session, entries)


def _insert(session: Session, entries: list[dict[str, Any]]) -> None:
    if entries:
        session.connection().execute(sa.insert(table_of(AuditEntry)), entries)


def _entry(session: Session, verb: Verb, *, subject: str, **more: Any) -> dict[str, Any]:
    scope = session.info.get("scope")
    entry: dict[str, Any] = {
        "at": datetime.now(UTC),
        "actor_id": session.info.get("actor_id", scope.actor_id if scope else None),
        "verb": verb,
        "subject": subject,
        "subject_id": None,
        "subject_public_id": None,
        "contact_id": None,
        "place_id": None,
        "case_id": None,
        "old": None,
        "new": None,
        "reason": session.info.get("reason", scope.reason if scope else None),
        "request_id": session.info.get("request_id"),
    }
    entry.update(more)
    return entry


def _of_row(
    session: Session, verb: Verb, row: Any, old: dict[str, Any] | None, new: dict[str, Any] | None
) -> dict[str, Any]:
    place_id = row.place_id if isinstance(row, AtPlace) else None
    if isinstance(row, Place):
        place_id = row.id
    contact_id = row.contact_id if isinstance(row, OfContact) else None
    if isinstance(row, Contact):
        contact_id = row.id
    case_id = row.case_id if isinstance(row, OfCase) else None
    if isinstance(row, Case):
        # Found by its case alone: with the place, or a person, others would find it too.
        case_id, place_id = row.id, None
    return _entry(
        session,
        verb,
        subject=row.__tablename__,
        subject_id=_key(row),
        subject_public_id=getattr(row, "public_id", None),
        contact_id=contact_id,
        place_id=place_id,
        case_id=case_id,
        old=old,
        new=new,
    )


def _key(row: Any) -> int | None:
    """Return the row's own key; of a row without one, the key of what it belongs to."""
    # A note goes by its talk, a tag on somebody by the tag, an answer by its field.
    for name in ("id", "conversation_id", "tag_id", "field_id"):
        key: int | None = getattr(row, name, None)
        if key is not None:
            return key
    return None


def _values(row: Base) -> dict[str, Any]:
    """Return the row's columns that hold something, as plain JSON values."""
    state = sa.inspect(row)
    found = {}
    for attribute in state.mapper.column_attrs:
        value = state.dict.get(attribute.key)
        if value is not None:
            found[attribute.key] = _hide(row, attribute.key, value)
    return found


def _changes(row: Base) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the old and the new values of the columns this flush changes."""
    state = sa.inspect(row)
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for attribute in state.mapper.column_attrs:
        history = state.attrs[attribute.key].history
        if history.has_changes():
            before = history.deleted[0] if history.deleted else None
            after = history.added[0] if history.added else None
            if before != after:
                old[attribute.key] = _hide(row, attribute.key, before)
                new[attribute.key] = _hide(row, attribute.key, after)
    return old, new


def _hide(row: Base | type[Base], key: str, value: Any) -> Any:
    if key in row.audit_hides and value is not None:
        return "(hidden)"
    return plain(value)


# Most values. Exactly these: the members of an enum are texts too.
_AS_THEY_ARE = frozenset({str, int, float, bool})


def plain(value: Any) -> Any:
    """Return a value as the trail keeps it: text, a number, a list, or None."""
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        return "(bytes)"
    return value
