"""Reads a task for the page of its owner."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.access.tasks import Progress, progress_of
from crm.domain.errors import NotFound
from crm.domain.vocabulary import TaskState
from crm.models.tasks import BackgroundTask


@dataclass(frozen=True, slots=True)
class CountRow:
    """How many records of one sort a task found new, changed and as they were."""

    sort: str
    new: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A cell or row of a file that could not be used. message: to be translated."""

    file: str
    row: int
    column: str | None
    value: str
    message: str
    left_out: bool


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task as its owner sees it.

    done, total: the work's own units; total is None until it is known. message: a sentence to be
    translated, with ``params`` for its places. problem_count: of all, also of those not listed.
    file: the public id of a file that came of it; None = none did. progress: None once it is
    ended.
    """

    id: int
    kind: str
    state: TaskState
    created_at: datetime
    finished_at: datetime | None
    done: int
    total: int | None
    message: str | None
    params: Mapping[str, Any]
    counts: tuple[CountRow, ...]
    problems: tuple[ProblemRow, ...]
    problem_count: int
    rows_left_out: int
    file: str | None
    progress: Progress | None

    @property
    def under_way(self) -> bool:
        """Returns True while the task waits or runs."""
        return self.state in {TaskState.WAITING, TaskState.RUNNING}


def get_task(session: Session, scope: Scope, public_id: uuid.UUID, *, now: datetime) -> TaskView:
    """Return a task of the actor's own. Raises NotFound for anybody else's."""
    task: BackgroundTask | None = session.scalars(
        scope.select(BackgroundTask).where(
            BackgroundTask.public_id == public_id,
            # Also a scope over everything shows nobody the tasks of others.
            BackgroundTask.owner_id == scope.actor_id,
        )
    ).one_or_none()
    if task is None:
        raise NotFound(f"BackgroundTask {public_id}")
    result = task.result or {}
    return TaskView(
        id=task.id,
        kind=task.kind,
        state=task.state,
        created_at=task.created_at,
        finished_at=task.finished_at,
        done=task.progress_done,
        total=task.progress_total,
        message=task.message,
        params=result.get("params", {}),
        counts=tuple(CountRow(sort, **tally) for sort, tally in result.get("counts", {}).items()),
        problems=tuple(ProblemRow(**problem) for problem in result.get("problems", ())),
        problem_count=result.get("problem_count", 0),
        rows_left_out=result.get("rows_left_out", 0),
        file=result.get("file"),
        progress=None
        if task.state in {TaskState.DONE, TaskState.FAILED}
        else progress_of(session, task, now=now),
    )
