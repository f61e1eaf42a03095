"""Taking people and places out of the database whole: only those that nothing else names.

For an import that is taken back: a person or a place that only the list knew must not stay behind
as a row that nobody sees. The audit trail keeps what was removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import search_index, spans
from crm.access.audit import record_removals
from crm.access.scope import MARK, Scope
from crm.models.base import Base, table_of
from crm.models.contacts import Contact, ContactPoint, FieldBasis, Job, Membership, StateSpan
from crm.models.conversations import Assessment
from crm.models.likeness import LikePair, PersonBlock, PersonLook
from crm.models.lists import ContactAnswer, ContactTag
from crm.models.places import (
    Area,
    Employer,
    Headcount,
    MemberCount,
    Place,
    PlaceClosure,
    PlaceEdge,
    PlaceTie,
    Workplace,
)
from crm.models.search import SearchEntry

# What a person is made of when a list brought them, in the order in which it must go.
_PARTS: tuple[type[Any], ...] = (
    *(Assessment, Membership, FieldBasis, ContactPoint, Job),
    *(ContactTag, ContactAnswer),
)
_DERIVED: tuple[type[Any], ...] = (StateSpan, SearchEntry)
_OWN = frozenset(table_of(model).name for model in (*_PARTS, *_DERIVED))
# What a place is made of when a list brought it.
_COUNTS: tuple[type[Any], ...] = (Headcount, MemberCount, PlaceTie)
# A row that names another: its table, and its inner id there.
Named = tuple[str, int]
_OF_PLACE = frozenset(table_of(model).name for model in (Headcount, MemberCount, PlaceClosure))


def named_elsewhere(session: Session, contact_ids: Sequence[int]) -> set[int]:
    """Return which of the people a row of any other table names: a talk, a tie, a case.

    Every foreign key to a contact counts, so that a new table cannot be forgotten. Nothing but
    the fact is handed back. At most a thousand people at once.
    """
    found: set[int] = set()
    contact = table_of(Contact)
    for table in Base.metadata.sorted_tables:
        if table.name in _OWN:
            continue
        for column in table.columns:
            if any(key.column is contact.c.id for key in column.foreign_keys):
                asked = sa.select(column).where(column.in_(contact_ids)).distinct()
                rows = session.connection().execute(asked.execution_options(**{MARK: True}))
                found.update(int(one) for one in rows.scalars())
    return found


def places_named_elsewhere(
    session: Session, place_ids: Sequence[int], *, holding: bool = False
) -> set[int]:
    """Return which of the places a row of any other table names: a job, an area, a turf.

    As ``named_elsewhere``; a place's own counts and its links to what contains it do not count.
    holding: nor do facts that something else took the place of, or that were taken back.
    """
    found: set[int] = set()
    nodes = {table_of(model).c.id for model in (Place, Workplace, Area, Employer)}
    own_side = {("place_edge", "child_id"), (PlaceTie.__tablename__, "place_id")}
    for table in Base.metadata.sorted_tables:
        if table.name in _OF_PLACE:
            continue
        for column in table.columns:
            own = column.primary_key or (table.name, column.name) in own_side
            if not own and any(key.column in nodes for key in column.foreign_keys):
                asked = sa.select(column).where(column.in_(place_ids)).distinct()
                if holding and "superseded_at" in table.columns:
                    asked = asked.where(table.c.superseded_at.is_(None))
                rows = session.connection().execute(asked.execution_options(**{MARK: True}))
                found.update(int(one) for one in rows.scalars())
    return found


def rows_that_name(session: Session, model: Any, ids: Sequence[int]) -> dict[int, set[Named]]:
    """Return which rows of all tables name each of these, by table and inner id.

    model: a table whose key is "id". Every foreign key to it counts, so that a new table cannot
    be forgotten; nothing but the fact is handed back. At most a thousand at once.
    """
    found: dict[int, set[Named]] = {one: set() for one in ids}
    own = table_of(model)
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if any(key.column is own.c.id for key in column.foreign_keys):
                asked = sa.select(column, table.c.id).where(column.in_(ids))
                rows = session.connection().execute(asked.execution_options(**{MARK: True}))
                for named, by in rows:
                    found[int(named)].add((table.name, int(by)))
    return found


def remove_places(
    session: Session, scope: Scope, places: Sequence[Area | Workplace | Employer]
) -> None:
    """Delete areas, workplaces or employers with their counts and links, and say so in the trail.

    places: all of one kind, read with the right to change them; nothing else may name them (see
    ``places_named_elsewhere``).
    """
    session.flush()
    if not places:
        return
    ids = [place.id for place in places]
    connection = session.connection()
    edge, closure = table_of(PlaceEdge), table_of(PlaceClosure)
    parts: list[tuple[Any, Any]] = [(one, table_of(one).c.place_id) for one in _COUNTS]
    for model, column in [*parts, (PlaceEdge, edge.c.child_id)]:
        rows = session.scalars(
            sa.select(model).where(column.in_(ids)).execution_options(**{MARK: True})
        ).all()
        record_removals(session, rows)
        for row in rows:
            session.expunge(row)
        connection.execute(sa.delete(column.table).where(column.in_(ids)))
    connection.execute(sa.delete(closure).where(closure.c.descendant_id.in_(ids)))
    record_removals(session, places)
    for place in places:
        session.expunge(place)
    own = table_of(type(places[0]))
    connection.execute(sa.delete(own).where(own.c.id.in_(ids)))
    node = table_of(Place)
    connection.execute(sa.delete(node).where(node.c.id.in_(ids)))


def remove_people(session: Session, scope: Scope, people: Sequence[Contact]) -> None:
    """Delete people with their jobs, memberships, phones and standings, and say so in the trail.

    people: read with the right to write about them; nobody else may name them (see
    ``named_elsewhere``). A row of theirs that the scope may not see goes too: it is theirs.
    """
    session.flush()
    ids = [person.id for person in people]
    connection = session.connection()
    for model in _PARTS:
        rows = session.scalars(
            sa.select(model).where(model.contact_id.in_(ids)).execution_options(**{MARK: True})
        ).all()
        record_removals(session, rows)
        for row in rows:
            session.expunge(row)
        connection.execute(sa.delete(table_of(model)).where(table_of(model).c.contact_id.in_(ids)))
    # Both are derived from the jobs, which are gone.
    spans.refresh_many(session, ids)
    search_index.refresh_many(session, ids)
    # What they were found by, and whom they were like: the next look may be far off.
    block, look, pair = map(table_of, (PersonBlock, PersonLook, LikePair))
    connection.execute(sa.delete(block).where(block.c.contact_id.in_(ids)))
    connection.execute(sa.delete(look).where(look.c.contact_id.in_(ids)))
    either = sa.or_(pair.c.contact_id.in_(ids), pair.c.other_id.in_(ids))
    connection.execute(sa.delete(pair).where(either))
    record_removals(session, people)
    for person in people:
        session.expunge(person)
    connection.execute(sa.delete(table_of(Contact)).where(table_of(Contact).c.id.in_(ids)))
