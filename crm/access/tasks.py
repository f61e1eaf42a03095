"""The queue of long work: hand in, claim once, show signs of life, end.

A task is claimed by one UPDATE, so two workers never hold the same one. A worker that dies stops
its heartbeat and the task is claimed again. The end of a task is stored in the same transaction
as its work, so what a killed worker leaves behind is either everything or nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from crm.access.scope import MARK, Scope
from crm.domain.vocabulary import TaskState
from crm.models.base import table_of
from crm.models.tasks import BackgroundTask, TaskFile

STALE_AFTER = timedelta(seconds=60)
# A worker that has nothing else to do looks for tasks every second.
TAKEN_WITHIN = timedelta(seconds=15)
MOST_ATTEMPTS = 3

GAVE_UP = (
    "The server stopped three times while it did this, so it was given up. Nothing was changed. "
    "Ask whoever runs the server to look at it, then start again."
)


class Progress(enum.StrEnum):
    """Whether anybody works on a task that is not ended."""

    WORKING = "working"
    # A worker lives and does something else first, or will look for it in a moment.
    ITS_TURN_COMES = "its_turn_comes"
    # No worker shows a sign of life.
    NOBODY = "nobody"


class TaskLost(Exception):
    """Another worker has the task now. Whatever this one did must be rolled back."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file handed to a task. name: its part in the work ("sites"), not its name on a disk."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """A task in this worker's hands. attempt: 1 for the first try; it also proves the claim."""

    task_id: int
    owner_id: int
    kind: str
    payload: Mapping[str, Any]
    attempt: int


def enqueue(
    session: Session,
    scope: Scope,
    *,
    kind: str,
    payload: Mapping[str, Any],
    now: datetime,
    files: Sequence[Upload] = (),
) -> BackgroundTask:
    """Store a task for the actor of the scope and return it, with its ids.

    payload: plain JSON values, no personal data. Raises ValueError for a scope without a user:
    a task is shown to its owner, so it must have one.
    """
    if scope.actor_id is None:
        raise ValueError("A task needs an owner.")
    task = BackgroundTask(owner_id=scope.actor_id, kind=kind, payload=dict(payload), created_at=now)
    session.add(task)
    session.flush()
    for file in files:
        session.add(
            TaskFile(task_id=task.id, owner_id=task.owner_id, name=file.name, content=file.content)
        )
    session.flush()
    return task


def has_work(session: Session, *, now: datetime) -> bool:
    """Return True when a task waits, or was left by a worker that died.

    A cheap look before ``claim_next``, which takes the write lock of SQLite.
    """
    task = table_of(BackgroundTask)
    found = session.connection().execute(
        # It reads that there is a task, and nothing of it.
        sa.select(sa.literal(1))
        .select_from(task)
        .where(sa.or_(task.c.state == TaskState.WAITING, _abandoned(task, now)))
        .limit(1)
        .execution_options(**{MARK: True})
    )
    return found.first() is not None


def progress_of(session: Session, task: BackgroundTask, *, now: datetime) -> Progress:
    """Return whether anybody works on a task that waits or runs. One statement at most.

    Known by signs of life alone: a worker gives one at each step of a task, and takes up the next
    task within seconds.
    """
    if task.state is TaskState.RUNNING:
        if task.heartbeat_at is not None and task.heartbeat_at >= now - STALE_AFTER:
            return Progress.WORKING
    elif now - task.created_at < TAKEN_WITHIN:
        return Progress.ITS_TURN_COMES
    table = table_of(BackgroundTask)
    busy = session.connection().execute(
        # It reads that some task is at work, and nothing of it.
        sa.select(sa.literal(1))
        .select_from(table)
        .where(table.c.state == TaskState.RUNNING, table.c.heartbeat_at >= now - STALE_AFTER)
        .limit(1)
        .execution_options(**{MARK: True})
    )
    return Progress.NOBODY if busy.first() is None else Progress.ITS_TURN_COMES


def claim_next(session: Session, *, now: datetime) -> Claimed | None:
    """Claim the oldest task that waits or was abandoned, and return it; None when there is none.

    One UPDATE with its own choice of row: on PostgreSQL rows that another worker is claiming are
    skipped, on SQLite the write lock lets one worker in at a time. A task that was abandoned at
    its third attempt is ended as failed instead.
    """
    _give_up(session, now=now)
    task = table_of(BackgroundTask)
    other = task.alias("waiting")
    oldest = (
        sa.select(other.c.id)
        .where(sa.or_(other.c.state == TaskState.WAITING, _abandoned(other, now)))
        .order_by(other.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    row = (
        session.connection()
        .execute(
            sa.update(task)
            .where(task.c.id == oldest)
            .values(
                state=TaskState.RUNNING,
                claimed_at=now,
                heartbeat_at=now,
                attempts=task.c.attempts + 1,
                progress_done=0,
            )
            .returning(task.c.id, task.c.owner_id, task.c.kind, task.c.payload, task.c.attempts)
        )
        .first()
    )
    if row is None:
        return None
    return Claimed(
        task_id=row.id,
        owner_id=row.owner_id,
        kind=row.kind,
        payload=row.payload,
        attempt=row.attempts,
    )


def beat(
    connection: sa.Connection,
    claimed: Claimed,
    *,
    done: int,
    total: int | None,
    now: datetime,
) -> None:
    """Store how far the work is, and that the worker lives. Raises TaskLost when it was taken.

    connection: one of its own, so that others see the progress before the work is committed.
    """
    task = table_of(BackgroundTask)
    changed = connection.execute(
        sa.update(task)
        .where(*_still_mine(task, claimed))
        .values(progress_done=done, progress_total=total, heartbeat_at=now)
    )
    if changed.rowcount != 1:
        raise TaskLost()


def read_file(session: Session, claimed: Claimed, name: str) -> bytes | None:
    """Return the content of one of the task's files, or None when it has none of that name."""
    content: bytes | None = session.scalars(
        _owner(claimed)
        .select(TaskFile.content)
        .where(TaskFile.task_id == claimed.task_id, TaskFile.name == name)
    ).one_or_none()
    return content


def end(
    session: Session,
    claimed: Claimed,
    *,
    state: TaskState,
    message: str,
    now: datetime,
    result: Mapping[str, Any] | None = None,
) -> None:
    """End a task as done or failed and delete its files. Raises TaskLost when it was taken.

    message: a sentence to be translated when it is shown; ``result["params"]`` fills its places.
    Call it in the unit of work that did the work.
    """
    task: BackgroundTask | None = session.scalars(
        _owner(claimed)
        .select(BackgroundTask)
        .where(*_still_mine(BackgroundTask, claimed))
        .with_for_update()
    ).one_or_none()
    if task is None:
        raise TaskLost()
    task.state = state
    task.message = message
    task.finished_at = now
    task.result = dict(result) if result is not None else None
    if state == TaskState.DONE and task.progress_total is not None:
        task.progress_done = task.progress_total
    files = session.scalars(
        _owner(claimed)
        .select(TaskFile)
        .where(TaskFile.task_id == claimed.task_id)
        .options(defer(TaskFile.content))
    ).all()
    for file in files:
        session.delete(file)
    session.flush()


def release(session: Session, claimed: Claimed) -> None:
    """Put a task back in the queue because the server stops; the try does not count."""
    task = table_of(BackgroundTask)
    session.connection().execute(
        sa.update(task)
        .where(*_still_mine(task, claimed))
        .values(
            state=TaskState.WAITING,
            heartbeat_at=None,
            attempts=task.c.attempts - 1,
            progress_done=0,
        )
    )


def _give_up(session: Session, *, now: datetime) -> None:
    task = table_of(BackgroundTask)
    ended = session.connection().execute(
        sa.update(task)
        .where(
            task.c.state == TaskState.RUNNING,
            task.c.heartbeat_at < now - STALE_AFTER,
            task.c.attempts >= MOST_ATTEMPTS,
        )
        .values(state=TaskState.FAILED, message=GAVE_UP, finished_at=now)
        .returning(task.c.id)
    )
    given_up = [row.id for row in ended]
    if given_up:
        file = table_of(TaskFile)
        session.connection().execute(sa.delete(file).where(file.c.task_id.in_(given_up)))


def _abandoned(task: Any, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(task.c.state == TaskState.RUNNING, task.c.heartbeat_at < now - STALE_AFTER)


def _still_mine(task: Any, claimed: Claimed) -> tuple[sa.ColumnElement[bool], ...]:
    columns = task.c if isinstance(task, sa.Table) else task
    return (
        columns.id == claimed.task_id,
        columns.state == TaskState.RUNNING,
        columns.attempts == claimed.attempt,
    )


def _owner(claimed: Claimed) -> Scope:
    # The eyes of the owner without any place: enough for the task and its files, for nothing else.
    return Scope(actor_id=claimed.owner_id, grants=())
