"""Which workplaces may be here already, and which stand here twice: within the scope only."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.place_likeness import (
    find_like_for_each,
    find_like_places,
    find_place_pairs,
)
from crm.domain.identity import fold
from crm.domain.place_likeness import EMPTY_WORDS, KnownPlace, PlaceLikeness
from crm.models.likeness import DifferentPlaces
from crm.models.places import Employer, Workplace
from crm.reads.places import names_of

# As many workplaces are compared with each other while somebody waits: about a second.
MOST_COMPARED: Final = 3000
_MOST_NEAR: Final = 400
_SHORTEST_WORD: Final = 3
_WRITE: Final = Permission.PLACE_WRITE
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class LikeWorkplace:
    """A workplace that may be the one asked about."""

    public_id: uuid.UUID
    name: str
    employer: str
    address: str | None
    postcode: str | None
    likeness: PlaceLikeness


@dataclass(frozen=True, slots=True)
class WorkplacePairs:
    """Pairs of workplaces that may be one, the surest first, and how many were compared.

    all_compared: False when there are more workplaces than are compared at once; then only those
    that share a name or a postcode with another were.
    """

    pairs: list[tuple[LikeWorkplace, LikeWorkplace]]
    compared: int
    all_compared: bool


def like_workplaces(
    session: Session, scope: Scope, asked: KnownPlace, *, most: int = 5
) -> list[LikeWorkplace]:
    """Return the open workplaces of the scope that look like the one asked about, surest first.

    Two statements.
    """
    words = [
        word
        for word in fold(asked.name).split()
        if len(word) >= _SHORTEST_WORD and word not in EMPTY_WORDS
    ]
    # A word of the name somewhere in the other's, without its end: slips are mostly there.
    near: list[sa.ColumnElement[bool]] = [
        Workplace.name_key.contains(word[: max(_SHORTEST_WORD, len(word) - 2)], autoescape=True)
        for word in words
    ]
    if asked.postcode:
        near.append(sa.func.lower(Workplace.postcode) == asked.postcode.strip().lower())
    if asked.address:
        near.append(
            sa.func.lower(Workplace.address).startswith(
                asked.address.strip().lower()[:8], autoescape=True
            )
        )
    if not near:
        return []
    rows = session.execute(_workplaces(scope).where(sa.or_(*near)).limit(_MOST_NEAR)).all()
    found = find_like_places(asked, [_known(row) for row in rows])[:most]
    names = names_of(session, scope, {rows[number].employer_id for number, _ in found})
    return [_shown(rows[number], likeness, names) for number, likeness in found]


def workplace_pairs(session: Session, scope: Scope, *, most: int) -> WorkplacePairs:
    """Return the pairs of open workplaces that the scope may change and that look like one.

    Without those of which somebody said that they are two. Four statements.
    """
    rows = session.execute(_workplaces(scope).limit(MOST_COMPARED + 1)).all()
    whole = len(rows) <= MOST_COMPARED
    if not whole:
        sharing = (
            scope.select(column, permission=_WRITE)
            .where(Workplace.closed_on.is_(None), column.is_not(None))
            .group_by(column)
            .having(sa.func.count(Workplace.id) > 1)
            # A question of its own, not about the workplace of the statement that it stands in.
            .correlate(None)
            for column in (Workplace.name_key, Workplace.postcode)
        )
        by_name, by_postcode = sharing
        rows = session.execute(
            _workplaces(scope)
            .where(sa.or_(Workplace.name_key.in_(by_name), Workplace.postcode.in_(by_postcode)))
            .limit(MOST_COMPARED)
        ).all()
    different = {
        frozenset((int(one), int(other)))
        for one, other in session.execute(
            scope.select(DifferentPlaces.place_id, DifferentPlaces.other_id)
        )
    }
    pairs = [
        pair
        for pair in find_place_pairs([_known(row) for row in rows])
        if frozenset((rows[pair.first].id, rows[pair.second].id)) not in different
    ][:most]
    names = names_of(
        session,
        scope,
        {rows[number].employer_id for pair in pairs for number in (pair.first, pair.second)},
    )
    return WorkplacePairs(
        pairs=[
            (
                _shown(rows[pair.first], pair.likeness, names),
                _shown(rows[pair.second], pair.likeness, names),
            )
            for pair in pairs
        ],
        compared=len(rows),
        all_compared=whole,
    )


def like_each(
    session: Session,
    scope: Scope,
    asked: Sequence[KnownPlace],
    *,
    permission: Permission,
    most: int = 5,
) -> list[list[tuple[int, PlaceLikeness]]]:
    """Return for each one asked about which open workplaces look like it, as inner ids.

    Only those over which the scope has the permission. One statement, whatever is asked; nothing
    is kept of the workplaces that are like none.
    """
    return _each(session, asked, _workplaces(scope, permission), most)


def like_employers_each(
    session: Session,
    scope: Scope,
    names: Sequence[str],
    *,
    permission: Permission,
    most: int = 5,
) -> list[list[tuple[int, PlaceLikeness]]]:
    """Return for each name which open employers look like it, as ``like_each`` does."""
    nothing = sa.null()
    employers = (
        scope.select(
            Employer.id,
            Employer.name,
            nothing.label("address"),
            nothing.label("postcode"),
            nothing.label("latitude"),
            nothing.label("longitude"),
            permission=permission,
        )
        .where(Employer.closed_on.is_(None))
        .order_by(Employer.id)
    )
    return _each(session, [KnownPlace(name) for name in names], employers, most)


def _each(
    session: Session, asked: Sequence[KnownPlace], places: sa.Select[Any], most: int
) -> list[list[tuple[int, PlaceLikeness]]]:
    if not asked:
        return []
    ids: list[int] = []

    def _all() -> Iterator[KnownPlace]:
        for row in session.execute(places.execution_options(yield_per=_AT_ONCE)):
            ids.append(row.id)
            yield _known(row)

    found = find_like_for_each(asked, _all())
    return [[(ids[number], likeness) for number, likeness in each[:most]] for each in found]


@dataclass(frozen=True, slots=True)
class ShownWorkplace:
    """A workplace with what tells it from another of its name."""

    public_id: uuid.UUID
    name: str
    employer: str
    address: str | None
    postcode: str | None


def workplaces_shown(
    session: Session, scope: Scope, ids: set[int], *, permission: Permission
) -> dict[int, ShownWorkplace]:
    """Return those of the open workplaces over which the scope has the permission, by inner id."""
    rows: list[Any] = []
    wanted = sorted(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        some = Workplace.id.in_(wanted[start : start + _AT_ONCE])
        rows += session.execute(_workplaces(scope, permission).where(some)).all()
    names = names_of(session, scope, {row.employer_id for row in rows})
    return {
        row.id: ShownWorkplace(
            public_id=row.public_id,
            name=row.name,
            employer=names.get(row.employer_id, ""),
            address=row.address,
            postcode=row.postcode,
        )
        for row in rows
    }


def _workplaces(scope: Scope, permission: Permission = _WRITE) -> sa.Select[Any]:
    return (
        scope.select(
            Workplace.id,
            Workplace.public_id,
            Workplace.name,
            Workplace.address,
            Workplace.postcode,
            Workplace.latitude,
            Workplace.longitude,
            Workplace.employer_id,
            permission=permission,
        )
        .where(Workplace.closed_on.is_(None))
        .order_by(Workplace.id)
    )


def _known(row: Any) -> KnownPlace:
    return KnownPlace(
        name=row.name,
        address=row.address,
        postcode=row.postcode,
        latitude=row.latitude,
        longitude=row.longitude,
    )


def _shown(row: Any, likeness: PlaceLikeness, names: dict[int, str]) -> LikeWorkplace:
    return LikeWorkplace(
        public_id=row.public_id,
        name=row.name,
        employer=names.get(row.employer_id, ""),
        address=row.address,
        postcode=row.postcode,
        likeness=likeness,
    )
