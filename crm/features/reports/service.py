"""Asks the worker for reports, keeps the files it made, and keeps recipes for the next meeting."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from crm.access import audit, tasks
from crm.access.permissions import Permission
from crm.access.report_files import delete_expired
from crm.access.scope import Scope
from crm.domain.errors import NotFound, Refusal
from crm.domain.report import PartName
from crm.features.reports.queries import get_file, get_recipe
from crm.models.places import Place
from crm.models.reports import ReportFile, ReportRecipe
from crm.reads.places import get_place

TASK_KIND = "make-report"
KEPT_FOR = timedelta(days=1)
MOST_RECIPES = 50


class TooManyRecipes(Refusal):
    """Somebody keeps more recipes than a list of them can show."""

    default_message = "You keep 50 reports already. Remove one first."


def request_report(
    session: Session,
    scope: Scope,
    unit_id: uuid.UUID,
    *,
    payload: Mapping[str, Any],
    now: datetime,
) -> uuid.UUID:
    """Hand the making of a report to the worker; return the public id of the task.

    Raises NotFound unless the actor may take files out of the whole unit.
    """
    get_place(session, scope, Place, unit_id, permission=Permission.EXPORT_MAKE)
    task = tasks.enqueue(
        session, scope, kind=TASK_KIND, payload={**payload, "unit": str(unit_id)}, now=now
    )
    return task.public_id


def keep_file(
    session: Session,
    scope: Scope,
    unit_id: uuid.UUID,
    *,
    sort: str,
    since: date,
    as_at: date,
    figures: int,
    content: bytes,
    now: datetime,
) -> uuid.UUID:
    """Keep a file for its owner for a day; return its public id. Expired ones of anybody go."""
    delete_expired(session, now=now)
    unit = get_place(session, scope, Place, unit_id, permission=Permission.EXPORT_MAKE)
    if scope.actor_id is None:
        raise ValueError("A file needs an owner.")
    file = ReportFile(
        owner_id=scope.actor_id,
        unit_id=unit.id,
        sort=sort,
        since=since,
        as_at=as_at,
        figures=figures,
        content=content,
        made_at=now,
        expires_at=now + KEPT_FOR,
    )
    session.add(file)
    session.flush()
    return file.public_id


def take_file(
    session: Session, scope: Scope, public_id: uuid.UUID, *, now: datetime
) -> tuple[bytes, str, date]:
    """Return the content, sort and day of a file, and record that it was taken out.

    Raises NotFound for anybody else's, an expired one, and when its owner may no longer take
    files out of the whole unit.
    """
    file = get_file(session, scope, public_id, now=now)
    audit.record_export(
        session,
        what=f"report_{file.sort}",
        filters={"since": str(file.since), "as_at": str(file.as_at)},
        rows=file.figures,
        place_id=file.unit_id,
    )
    return file.content, file.sort, file.as_at


def keep_recipe(
    session: Session,
    scope: Scope,
    unit_id: uuid.UUID,
    *,
    name: str,
    parts: Sequence[PartName],
    since: date,
    as_at: date,
    now: datetime,
) -> None:
    """Keep the parts and days of a report under a name; one of that name is changed.

    Raises NotFound unless the actor may see the figures of the whole unit, and TooManyRecipes.
    """
    unit = get_place(session, scope, Place, unit_id, permission=Permission.DENSITY_READ)
    if scope.actor_id is None:
        raise NotFound("recipe without an owner")
    mine = session.scalars(
        scope.select(ReportRecipe).where(ReportRecipe.owner_id == scope.actor_id)
    ).all()
    found = next((one for one in mine if one.unit_id == unit.id and one.name == name), None)
    if found is None:
        if len(mine) >= MOST_RECIPES:
            raise TooManyRecipes()
        found = ReportRecipe(owner_id=scope.actor_id, unit_id=unit.id, name=name)
        session.add(found)
    found.parts = [part.value for part in parts]
    found.since, found.as_at, found.saved_at = since, as_at, now
    session.flush()


def remove_recipe(session: Session, scope: Scope, public_id: uuid.UUID) -> str:
    """Remove a recipe of the actor's own and return its name. Raises NotFound for any other."""
    found = get_recipe(session, scope, public_id)
    session.delete(found)
    session.flush()
    return found.name
