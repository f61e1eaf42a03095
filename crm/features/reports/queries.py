"""The places somebody can have a report of, and what they keep of reports."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.domain.report import PartName
from crm.domain.vocabulary import PlaceKind, TaskState
from crm.models.places import Place
from crm.models.reports import ReportFile, ReportRecipe
from crm.models.tasks import BackgroundTask
from crm.reads.people import names_of_users
from crm.reads.places import get_place

# A report without a day of the last meeting goes this far back.
FOUR_WEEKS = timedelta(days=28)
MOST_UNITS = 100
MOST_FILES = 20


@dataclass(frozen=True, slots=True)
class Unit:
    """A place somebody can have a report of."""

    public_id: uuid.UUID
    name: str
    kind: PlaceKind


@dataclass(frozen=True, slots=True)
class RecipeRow:
    """A kept report, with the days it last had."""

    public_id: uuid.UUID
    name: str
    unit: Unit
    parts: tuple[PartName, ...]
    since: date
    as_at: date


@dataclass(frozen=True, slots=True)
class FileRow:
    """A report the server made, for its owner."""

    public_id: uuid.UUID
    unit: Unit
    sort: str
    as_at: date
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What somebody keeps of reports. making: the public ids of the tasks under way."""

    recipes: tuple[RecipeRow, ...]
    files: tuple[FileRow, ...]
    making: tuple[uuid.UUID, ...]


def list_units(session: Session, scope: Scope) -> tuple[tuple[Unit, ...], bool]:
    """Return the places whose figures and people the scope holds, widest kinds first, by name;
    and whether there are more than the list holds. Areas are left out. One statement.
    """
    order = (
        PlaceKind.EVERYTHING,
        PlaceKind.UNION,
        PlaceKind.BRANCH,
        PlaceKind.REGION,
        PlaceKind.EMPLOYER,
        PlaceKind.WORKPLACE,
    )
    rows = session.execute(
        scope.select(Place.public_id, Place.name, Place.kind, permission=Permission.DENSITY_READ)
        .where(
            Place.kind.in_(order),
            Place.closed_on.is_(None),
            scope.reach(Permission.CONTACT_READ, Place.id),
        )
        .order_by(*(Place.kind != kind for kind in order), Place.name, Place.id)
        .limit(MOST_UNITS + 1)
    ).all()
    units = tuple(Unit(row.public_id, row.name, row.kind) for row in rows[:MOST_UNITS])
    return units, len(rows) > MOST_UNITS


def list_kept(session: Session, scope: Scope, *, kind: str, now: datetime) -> Kept:
    """Return the actor's recipes, files and reports under way. Three statements.

    kind: of the task that makes reports. Of places that the actor no longer holds nothing is told.
    """
    recipes = session.execute(
        scope.select(
            ReportRecipe.public_id,
            ReportRecipe.name,
            ReportRecipe.parts,
            ReportRecipe.since,
            ReportRecipe.as_at,
            Place.public_id.label("unit_id"),
            Place.name.label("unit"),
            Place.kind,
            permission=Permission.DENSITY_READ,
        )
        .join(Place, Place.id == ReportRecipe.unit_id)
        .where(ReportRecipe.owner_id == scope.actor_id)
        .order_by(ReportRecipe.name, Place.name, ReportRecipe.id)
    )
    files = session.execute(
        scope.select(
            ReportFile.public_id,
            ReportFile.sort,
            ReportFile.as_at,
            ReportFile.expires_at,
            Place.public_id.label("unit_id"),
            Place.name.label("unit"),
            Place.kind,
            permission=Permission.EXPORT_MAKE,
        )
        .join(Place, Place.id == ReportFile.unit_id)
        .where(ReportFile.owner_id == scope.actor_id, ReportFile.expires_at > now)
        .order_by(ReportFile.made_at.desc(), ReportFile.id.desc())
        .limit(MOST_FILES)
    )
    making = session.scalars(
        scope.select(BackgroundTask.public_id)
        .where(
            BackgroundTask.owner_id == scope.actor_id,
            BackgroundTask.kind == kind,
            BackgroundTask.state.in_([TaskState.WAITING, TaskState.RUNNING]),
        )
        .order_by(BackgroundTask.id)
    )
    return Kept(
        recipes=tuple(
            RecipeRow(
                row.public_id,
                row.name,
                Unit(row.unit_id, row.unit, row.kind),
                parts_of(row.parts),
                row.since,
                row.as_at,
            )
            for row in recipes
        ),
        files=tuple(
            FileRow(
                row.public_id,
                Unit(row.unit_id, row.unit, row.kind),
                row.sort,
                row.as_at,
                row.expires_at,
            )
            for row in files
        ),
        making=tuple(making),
    )


def parts_of(names: list[str]) -> tuple[PartName, ...]:
    """Return the parts of stored names; a name that no part has any more is passed over."""
    return tuple(part for part in PartName if part.value in names)


def get_recipe(session: Session, scope: Scope, public_id: uuid.UUID) -> ReportRecipe:
    """Return a recipe of the actor's own. Raises NotFound for anybody else's."""
    found: ReportRecipe | None = session.scalars(
        scope.select(ReportRecipe).where(
            ReportRecipe.public_id == public_id,
            # Also a scope over everything shows nobody what others keep.
            ReportRecipe.owner_id == scope.actor_id,
        )
    ).one_or_none()
    if found is None:
        raise NotFound(f"ReportRecipe {public_id}")
    return found


def find_recipe_name(
    session: Session, scope: Scope, public_id: uuid.UUID | None, unit_id: uuid.UUID
) -> str | None:
    """Return the name of one's own recipe for the unit; None for none, or for another's."""
    if public_id is None:
        return None
    return session.execute(
        scope.select(ReportRecipe.name)
        .join(Place, Place.id == ReportRecipe.unit_id)
        .where(
            ReportRecipe.public_id == public_id,
            ReportRecipe.owner_id == scope.actor_id,
            Place.public_id == unit_id,
        )
    ).scalar_one_or_none()


def get_file(session: Session, scope: Scope, public_id: uuid.UUID, *, now: datetime) -> ReportFile:
    """Return a file of the actor's own. Raises NotFound for anybody else's, for one that has
    expired, and when the actor may no longer take files out of the whole unit."""
    found: ReportFile | None = session.scalars(
        scope.select(ReportFile, permission=Permission.EXPORT_MAKE)
        .join(Place, Place.id == ReportFile.unit_id)
        .where(
            ReportFile.public_id == public_id,
            ReportFile.owner_id == scope.actor_id,
            ReportFile.expires_at > now,
        )
    ).one_or_none()
    if found is None:
        raise NotFound(f"ReportFile {public_id}")
    return found


def unit_key(session: Session, scope: Scope, public_id: uuid.UUID) -> int:
    """Return the inner id of a place. Raises NotFound when absent or out of scope."""
    return get_place(session, scope, Place, public_id).id


def actor_name(session: Session, scope: Scope) -> str:
    """Return the name of the user of the scope; empty for work that no user does."""
    if scope.actor_id is None:
        return ""
    return names_of_users(session, {scope.actor_id}).get(scope.actor_id, "")
