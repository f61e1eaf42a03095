"""Changes to the place tree: linking, moving, and the closure that scopes rely on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known, revise
from crm.access.holding import hold_tree
from crm.access.scope import MARK
from crm.domain.errors import LoopInTree
from crm.models.base import table_of
from crm.models.places import Place, PlaceClosure, PlaceEdge

_closure = table_of(PlaceClosure)
_edge = table_of(PlaceEdge)


def everything_id(session: Session) -> int:
    """Return the id of the root place, which the first migration makes."""
    place = table_of(Place)
    # The root holds nothing of anybody; its key is needed before any scope can exist.
    found = session.connection().execute(
        sa.select(place.c.id).where(place.c.kind == "everything").execution_options(**{MARK: True})
    )
    return int(found.scalar_one())


def link(
    session: Session,
    *,
    child_id: int,
    parent_id: int,
    since: date,
    now: datetime,
    actor_id: int | None,
    until: date | None = None,
) -> None:
    """Hang a place under another from a day on. Raises LoopInTree if it would contain itself.

    since: a day that has come where the writer is; callers refuse a day to come.
    """
    hold_tree(session.connection())
    if child_id == parent_id or _contains(session, ancestor_id=child_id, descendant_id=parent_id):
        raise LoopInTree()
    session.add(
        PlaceEdge(
            child_id=child_id,
            parent_id=parent_id,
            valid_from=since,
            valid_to=until,
            recorded_at=now,
            recorded_by_id=actor_id,
        )
    )
    session.flush()
    refresh_below(session, [child_id], today=_latest_day(now, since))


def link_new(
    session: Session,
    links: Sequence[tuple[int, int]],
    *,
    since: Mapping[int, date],
    now: datetime,
    actor_id: int | None,
) -> None:
    """Hang many places that were just stored, and hang nowhere yet, under their parents.

    links: (child, parent) with parents before their own children. since: the day of each child,
    today for one that is not in it; a later day than today is taken as today. What lies above the
    parents is read once, so this suits a register of thousands of places.
    Raises LoopInTree for a place under itself.
    """
    hold_tree(session.connection())
    today = now.date()
    children = {child for child, _ in links}
    outside = sorted({parent for _, parent in links} - children)
    above: dict[int, set[int]] = {}
    for start in range(0, len(outside), 500):
        found = session.connection().execute(
            sa.select(_closure.c.descendant_id, _closure.c.ancestor_id).where(
                _closure.c.descendant_id.in_(outside[start : start + 500])
            )
        )
        for place, ancestor in found:
            above.setdefault(int(place), set()).add(int(ancestor))
    for child, parent in links:
        if child == parent or child in above.get(parent, ()):
            raise LoopInTree()
        above.setdefault(child, {child}).update(above.get(parent, ()))
        session.add(
            PlaceEdge(
                child_id=child,
                parent_id=parent,
                valid_from=min(since.get(child, today), today),
                recorded_at=now,
                recorded_by_id=actor_id,
            )
        )
    session.flush()
    rows = [
        {"ancestor_id": ancestor, "descendant_id": child}
        for child in sorted(children)
        for ancestor in sorted(above[child])
    ]
    if rows:
        session.connection().execute(sa.insert(_closure), rows)


def end_links(
    session: Session,
    *,
    child_id: int,
    parent_ids: Iterable[int],
    until: date,
    now: datetime,
    actor_id: int | None,
) -> None:
    """End the links of a place to the given parents on a day.

    until: a day that has come where the writer is; callers refuse a day to come.
    """
    hold_tree(session.connection())
    wanted = set(parent_ids)
    edges = session.scalars(
        sa.select(PlaceEdge).where(
            PlaceEdge.child_id == child_id,
            PlaceEdge.superseded_at.is_(None),
            PlaceEdge.valid_to.is_(None),
        )
    ).all()
    for edge in edges:
        if edge.parent_id in wanted:
            revise(
                session,
                edge,
                now=now,
                actor_id=actor_id,
                valid_to=max(until, edge.valid_from),
            )
    session.flush()
    refresh_below(session, [child_id], today=_latest_day(now, until))


def _latest_day(now: datetime, day: date) -> date:
    """Return the writer's today if it is ahead of the day in UTC, else the day in UTC."""
    # East of UTC a day begins hours earlier. The closure is not worked out again when UTC gets
    # there: a link from "today" would never be seen, one that ended "today" would go on for good.
    return max(now.date(), day)


def _contains(session: Session, *, ancestor_id: int, descendant_id: int) -> bool:
    found = session.connection().execute(
        sa.select(sa.literal(1)).where(
            _closure.c.ancestor_id == ancestor_id, _closure.c.descendant_id == descendant_id
        )
    )
    return found.first() is not None


def refresh_below(session: Session, place_ids: Iterable[int], *, today: date) -> None:
    """Recompute the closure of the places and of everything inside them."""
    hold_tree(session.connection())
    below = _walk(session, set(place_ids), down=True, today=today)
    connection = session.connection()
    connection.execute(sa.delete(_closure).where(_closure.c.descendant_id.in_(below)))
    parents = _parents_of(session, below, today=today)
    rows = [
        {"ancestor_id": ancestor, "descendant_id": place}
        for place in sorted(below)
        for ancestor in sorted(_ancestors(place, parents))
    ]
    if rows:
        connection.execute(sa.insert(_closure), rows)


def rebuild_closure(session: Session, *, today: date) -> int:
    """Recompute the whole closure from the edges in force; return the number of pairs."""
    connection = session.connection()
    hold_tree(connection)
    connection.execute(sa.delete(_closure))
    place = table_of(Place)
    edge = _edge
    up = sa.select(place.c.id.label("descendant_id"), place.c.id.label("ancestor_id")).cte(
        "up", recursive=True
    )
    up = up.union(
        sa.select(up.c.descendant_id, edge.c.parent_id).where(
            edge.c.child_id == up.c.ancestor_id, *_in_force(today)
        )
    )
    connection.execute(
        sa.insert(_closure)
        .from_select(
            ["ancestor_id", "descendant_id"], sa.select(up.c.ancestor_id, up.c.descendant_id)
        )
        .execution_options(**{MARK: True})  # It reads the ids of places, and nothing else.
    )
    return int(connection.execute(sa.select(sa.func.count()).select_from(_closure)).scalar_one())


def _in_force(today: date) -> tuple[sa.ColumnElement[bool], ...]:
    return known(_edge.c), covers(_edge.c, today)


def _walk(session: Session, start: set[int], *, down: bool, today: date) -> set[int]:
    near, far = (
        (_edge.c.parent_id, _edge.c.child_id)
        if down
        else (
            _edge.c.child_id,
            _edge.c.parent_id,
        )
    )
    seen = set(start)
    edge_of = set(start)
    while edge_of:
        found = session.connection().execute(
            sa.select(far).where(near.in_(edge_of), *_in_force(today))
        )
        edge_of = {int(place) for (place,) in found} - seen
        seen |= edge_of
    return seen


def _parents_of(session: Session, places: set[int], *, today: date) -> dict[int, set[int]]:
    everyone = _walk(session, places, down=False, today=today)
    found = session.connection().execute(
        sa.select(_edge.c.child_id, _edge.c.parent_id).where(
            _edge.c.child_id.in_(everyone), *_in_force(today)
        )
    )
    parents: dict[int, set[int]] = {}
    for child, parent in found:
        parents.setdefault(int(child), set()).add(int(parent))
    return parents


def _ancestors(place: int, parents: dict[int, set[int]]) -> set[int]:
    seen = {place}
    waiting = [place]
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return seen
