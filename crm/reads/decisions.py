"""What groups decided and checked, as it holds for a place on a day; under a scope."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import known
from crm.access.many import one_of
from crm.access.scope import Scope
from crm.domain.readiness import DEFAULT_TERMS, Finding, Terms
from crm.domain.vocabulary import PlaceKind
from crm.models.places import Place, PlaceClosure
from crm.models.readiness import ReadinessFinding, ReadinessTerms
from crm.reads.places import place_name_of

# Of two places that both decided something, the one whose members are the group comes first.
_NEAREST = (
    PlaceKind.AREA,
    PlaceKind.WORKPLACE,
    PlaceKind.BRANCH,
    PlaceKind.UNION,
    PlaceKind.EMPLOYER,
    PlaceKind.REGION,
    PlaceKind.EVERYTHING,
)


@dataclass(frozen=True, slots=True)
class Said:
    """One finding as it was written down. own: of the unit itself, not of a place around it."""

    kind: Finding
    on_day: date
    answer: bool
    words: str
    place: str
    own: bool


@dataclass(frozen=True, slots=True)
class TermsInForce:
    """The weights, targets and limits used. decided_by None = the usual ones of this program."""

    terms: Terms
    from_day: date | None = None
    decided_by: str | None = None
    place: str | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """A place whose readiness is asked for. place_id: inner."""

    place_id: int
    public_id: uuid.UUID
    kind: PlaceKind
    name: str


def terms_in_force(session: Session, scope: Scope, unit: Unit, *, as_at: date) -> TermsInForce:
    """Return the terms that hold for a unit on a day: its own, or the nearest ones."""
    rows = session.execute(
        scope.select(
            ReadinessTerms.place_id,
            ReadinessTerms.terms,
            ReadinessTerms.from_day,
            ReadinessTerms.decided_by,
            *_whose(ReadinessTerms.place_id),
        )
        .where(
            known(ReadinessTerms),
            ReadinessTerms.from_day <= as_at,
            _around(ReadinessTerms.place_id, unit),
        )
        .order_by(ReadinessTerms.from_day, ReadinessTerms.recorded_at, ReadinessTerms.id)
    ).all()
    if not rows:
        return TermsInForce(DEFAULT_TERMS)
    nearest = min(_rank(row, unit) for row in rows)
    last = [row for row in rows if _rank(row, unit) == nearest][-1]
    return TermsInForce(
        terms=Terms.from_json(last.terms),
        from_day=last.from_day,
        decided_by=last.decided_by,
        place=last.place_name,
        own=last.place_id == unit.place_id,
    )


def findings_in_force(
    session: Session, scope: Scope, unit: Unit, *, as_at: date
) -> dict[Finding, Said]:
    """Return the latest finding of each kind: of the unit itself, or of the nearest around it."""
    rows = session.execute(
        _said(scope, as_at)
        .where(_around(ReadinessFinding.place_id, unit))
        .order_by(ReadinessFinding.on_day, ReadinessFinding.recorded_at, ReadinessFinding.id)
    ).all()
    found: dict[Finding, Any] = {}
    for row in rows:
        before = found.get(row.kind)
        if before is None or _rank(row, unit) <= _rank(before, unit):
            found[row.kind] = row
    return {kind: _one(row, own=row.place_id == unit.place_id) for kind, row in found.items()}


def findings_of_sites(
    session: Session, scope: Scope, sites: Collection[int], *, as_at: date
) -> dict[int, dict[Finding, Said]]:
    """Return what each workplace found for itself."""
    if not sites:
        return {}
    rows = session.execute(
        _said(scope, as_at)
        .where(one_of(ReadinessFinding.place_id, sites))
        .order_by(ReadinessFinding.on_day, ReadinessFinding.recorded_at, ReadinessFinding.id)
    )
    found: dict[int, dict[Finding, Said]] = defaultdict(dict)
    for row in rows:
        found[row.place_id][row.kind] = _one(row, own=True)
    return dict(found)


def _said(scope: Scope, as_at: date) -> sa.Select[Any]:
    return scope.select(
        ReadinessFinding.place_id,
        ReadinessFinding.kind,
        ReadinessFinding.on_day,
        ReadinessFinding.answer,
        ReadinessFinding.words,
        *_whose(ReadinessFinding.place_id),
    ).where(known(ReadinessFinding), ReadinessFinding.on_day <= as_at)


def _one(row: Any, *, own: bool) -> Said:
    return Said(
        kind=row.kind,
        on_day=row.on_day,
        answer=bool(row.answer),
        words=row.words,
        place=row.place_name,
        own=own,
    )


def _around(column: Any, unit: Unit) -> sa.ColumnElement[bool]:
    """The condition that the place in the column is the unit, or contains it now."""
    around: sa.ColumnElement[bool] = column.in_(
        sa.select(PlaceClosure.ancestor_id).where(PlaceClosure.descendant_id == unit.place_id)
    )
    return around


def _whose(column: Any) -> tuple[Any, Any]:
    kind = sa.select(Place.kind).where(Place.id == column).correlate_except(Place)
    return (
        place_name_of(column).label("place_name"),
        kind.scalar_subquery().label("place_kind"),
    )


def _rank(row: Any, unit: Unit) -> int:
    return -1 if row.place_id == unit.place_id else _NEAREST.index(row.place_kind)
