"""The way back: what an import stored is taken out again, unless somebody built on it since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from crm.access import facts
from crm.access.audit import UNDONE, changed_since, plain
from crm.access.holding import hold_to_remove
from crm.access.permissions import Permission
from crm.access.removal import (
    named_elsewhere,
    places_named_elsewhere,
    remove_people,
    remove_places,
)
from crm.access.scope import Scope
from crm.access.spans import refresh_many
from crm.domain.identity import fold
from crm.domain.vocabulary import RowOutcome, RowState
from crm.features.imports.areas import take_areas_back
from crm.features.imports.own import put_own_back
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact, ContactPoint, Job, Membership
from crm.models.conversations import Assessment
from crm.models.imports import ImportRow
from crm.models.places import (
    Area,
    Employer,
    Headcount,
    MemberCount,
    Place,
    PlaceTie,
    Workplace,
)

_FACTS: Final[Mapping[str, Any]] = {
    model.__tablename__: model for model in (ContactPoint, Job, Membership, Assessment)
}


def undo_people(
    session: Session,
    scope: Scope,
    rows: Sequence[ImportRow],
    request_id: str,
    *,
    now: datetime,
) -> None:
    """Take back what these rows stored, and mark each as undone, or as kept.

    request_id: of the import, as the trail has it. Kept are people who were changed by anybody
    since, whom something else names (a talk, a tie, a case), or whom the scope may not write
    about any more: they stay wholly as they are. People who came with the list go wholly.
    """
    session.info["reason"] = UNDONE
    ids = sorted({row.record_id for row in rows if row.record_id is not None})
    hold_to_remove(session.connection(), Contact, ids)
    people = {
        person.id: person
        for person in session.scalars(
            scope.select(Contact, permission=Permission.CONTACT_WRITE).where(Contact.id.in_(ids))
        )
    }
    changed = changed_since(session, request_id, ids)
    came = {row.record_id for row in rows if row.record_id in people and _is_new(row)}
    named = named_elsewhere(session, sorted(one for one in came if one is not None))
    known = [row for row in rows if not _is_new(row)]
    facts_of = _facts_by_key(session, scope, known, _FACTS, Permission.CONTACT_WRITE)
    gone: list[Contact] = []
    touched: list[int] = []
    for row in rows:
        person = people.get(row.record_id or 0)
        if person is None or person.id in changed or (_is_new(row) and person.id in named):
            row.state = RowState.KEPT
        elif _is_new(row):
            gone.append(person)
            row.state = RowState.UNDONE
        elif _put_back(session, scope, person, row, facts_of, now=now):
            touched.append(person.id)
            row.state = RowState.UNDONE
        else:
            row.state = RowState.KEPT
    session.flush()
    refresh_many(session, touched)
    if gone:
        remove_people(session, scope, gone)
    areas = [
        inner
        for row in rows
        for table, inner, _before, _old in _stored(row)
        if table == Area.__tablename__ and row.state is RowState.UNDONE
    ]
    if areas:
        take_areas_back(session, scope, areas, now=now)


def _is_new(row: ImportRow) -> bool:
    """True when the row brought the person, not only facts about somebody we knew."""
    return row.outcome is RowOutcome.NEW


def _stored(row: ImportRow) -> list[list[Any]]:
    found: list[list[Any]] = (row.effects or {}).get("stored", [])
    return found


def _facts_by_key(
    session: Session,
    scope: Scope,
    rows: Sequence[ImportRow],
    models: Mapping[str, Any],
    permission: Permission,
) -> dict[tuple[str, int], Any]:
    wanted: dict[str, set[int]] = {}
    for row in rows:
        for table, inner, before, _old in _stored(row):
            if table in models:
                wanted.setdefault(table, set()).update(
                    one for one in (inner, before) if one is not None
                )
    found: dict[tuple[str, int], Any] = {}
    for table, ids in wanted.items():
        model = models[table]
        for fact in session.scalars(
            scope.select(model, permission=permission).where(model.id.in_(sorted(ids)))
        ):
            found[table, fact.id] = fact
    return found


def _put_back(
    session: Session,
    scope: Scope,
    person: Contact,
    row: ImportRow,
    facts_of: Mapping[tuple[str, int], Any],
    *,
    now: datetime,
) -> bool:
    """Return True when every fact of the row could be taken back; else nothing is changed."""
    stored = _stored(row)
    of_facts = [one for one in stored if one[0] in _FACTS]
    for table, inner, before, _old in of_facts:
        fact = facts_of.get((table, inner))
        if fact is None or fact.superseded_at is not None:
            return False
        if before is not None and (table, before) not in facts_of:
            return False
    for table, inner, before, _old in reversed(of_facts):
        withdraw_fact(session, scope, facts_of, table, inner, before, now=now)
    put_own_back(session, scope, person.id, stored)
    for table, _inner, _before, old in stored:
        if table == Contact.__tablename__ and old:
            for name, value in old.items():
                setattr(person, name, value)
            names = (person.known_as, person.full_name, person.placeholder_label)
            person.name_key = " ".join(fold(name) for name in names if name)[:330]
            person.version += 1
    return True


_PLACE_FACTS: Final[Mapping[str, Any]] = {
    model.__tablename__: model for model in (Headcount, MemberCount, PlaceTie)
}


def undo_places(
    session: Session,
    scope: Scope,
    rows: Sequence[ImportRow],
    request_id: str,
    *,
    now: datetime,
) -> None:
    """Take back what these rows stored of places, and mark each as undone, or as kept.

    Kept are rows whose counts or fields somebody has changed since, and whose new place something
    else names by now: a job, a headcount of another hand, an area.
    """
    session.info["reason"] = UNDONE
    write = Permission.PLACE_WRITE
    made: dict[str, set[int]] = {"area": set(), "workplace": set(), "employer": set()}
    filled: set[int] = set()
    for row in rows:
        for table, inner, _before, old in _stored(row):
            if table in made and old is None:
                made[table].add(inner)
            elif table == "workplace":
                filled.add(inner)
    new = sorted(made["area"] | made["workplace"] | made["employer"])
    hold_to_remove(session.connection(), Place, [*new, *filled])
    facts_of = _facts_by_key(session, scope, rows, _PLACE_FACTS, write)
    changed = changed_since(session, request_id, new, AuditEntry.place_id)
    sites = {
        site.id: site
        for site in session.scalars(
            scope.select(Workplace, permission=write).where(
                Workplace.id.in_(sorted(filled | made["workplace"]))
            )
        )
    }
    for row in rows:
        stored = _stored(row)
        fresh = {inner for table, inner, _b, old in stored if table in made and old is None}
        able = not fresh & changed and all(
            _is_as_stored(one, facts_of, sites, fresh) for one in stored
        )
        row.state = RowState.UNDONE if able else RowState.KEPT
        if able:
            _take_back(session, scope, stored, facts_of, sites, fresh, now=now)
    session.flush()
    for table, model in (("area", Area), ("workplace", Workplace), ("employer", Employer)):
        _remove_made(session, scope, rows, table, model, made[table])


def _is_as_stored(
    one: Sequence[Any],
    facts_of: Mapping[tuple[str, int], Any],
    sites: Mapping[int, Workplace],
    fresh: set[int],
) -> bool:
    table, inner, before, old = one
    if table in _PLACE_FACTS:
        fact = facts_of.get((table, inner))
        if fact is None or fact.superseded_at is not None:
            return False
        return before is None or (table, before) in facts_of
    # A place that came with the list is looked at when it goes; of another, fields were filled.
    return inner in fresh or (old is not None and inner in sites)


def _take_back(
    session: Session,
    scope: Scope,
    stored: Sequence[Sequence[Any]],
    facts_of: Mapping[tuple[str, int], Any],
    sites: Mapping[int, Workplace],
    fresh: set[int],
    *,
    now: datetime,
) -> None:
    for table, inner, before, old in reversed(stored):
        if table in _PLACE_FACTS:
            fact = facts_of[table, inner]
            if fact.place_id not in fresh:
                withdraw_fact(session, scope, facts_of, table, inner, before, now=now)
        elif old is not None:
            site = sites[inner]
            for name, value in old.items():
                setattr(site, name, value)
            site.version += 1


def _remove_made(
    session: Session,
    scope: Scope,
    rows: Sequence[ImportRow],
    table: str,
    model: Any,
    ids: set[int],
) -> None:
    """Take out the places that came with the list and that nothing names; keep the others."""
    by_place = {
        inner: row
        for row in rows
        for name, inner, _before, old in _stored(row)
        if name == table and old is None
    }
    going = sorted(inner for inner in ids if by_place[inner].state is RowState.UNDONE)
    named = places_named_elsewhere(session, going)
    places = session.scalars(
        scope.select(model, permission=Permission.PLACE_WRITE).where(
            model.id.in_([one for one in going if one not in named])
        )
    ).all()
    seen = {place.id for place in places}
    for inner in going:
        if inner not in seen:
            by_place[inner].state = RowState.KEPT
    remove_places(session, scope, places)


def withdraw_fact(
    session: Session,
    scope: Scope,
    facts_of: Mapping[tuple[str, int], Any],
    table: str,
    inner: int,
    before: int | None,
    *,
    now: datetime,
) -> None:
    """Take a fact back, and let the one whose place it took hold again, as a new row."""
    facts.withdraw(facts_of[table, inner], now=now)
    if before is not None:
        past = facts_of[table, before]
        moment = past.superseded_at
        facts.revise(session, past, now=now, actor_id=scope.actor_id)
        # It was past already; when it became so stays as it was.
        past.superseded_at = moment


def plain_effects(stored: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return what ``store`` gave back, as values that JSON can hold."""
    return {
        "stored": [
            [table, inner, before, {k: plain(v) for k, v in old.items()} if old else None]
            for table, inner, before, old in stored
        ]
    }
