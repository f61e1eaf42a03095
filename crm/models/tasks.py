"""Long work done by the worker: the task table and the files handed to it or made by it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.vocabulary import TaskState
from crm.models.base import Base, Public, Scoped, enum_of


class BackgroundTask(Public, Scoped, Base):
    """A piece of long work, visible to its owner only."""

    __tablename__ = "background_task"
    __table_args__ = (sa.Index("ix_background_task_state_id", "state", "id"),)
    audit_hides = frozenset({"payload", "result"})

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(40))
    payload: Mapped[dict[str, Any]]
    state: Mapped[TaskState] = mapped_column(enum_of(TaskState), default=TaskState.WAITING)
    created_at: Mapped[datetime]
    # A running task whose heartbeat is old was left by a worker that died: it is claimed again.
    claimed_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int | None]
    # A sentence for the owner; holds no personal data.
    message: Mapped[str | None] = mapped_column(sa.String(500))
    result: Mapped[dict[str, Any] | None]


class TaskFile(Scoped, Base):
    """Bytes handed to a task; deleted when the task ends."""

    __tablename__ = "task_file"
    audit_hides = frozenset({"content"})

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(sa.ForeignKey("background_task.id"), index=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)


class Probe(Base):
    """One row that /readyz writes, to know that the database really takes writes."""

    __tablename__ = "probe"
    audited = False  # Holds a clock reading, nothing of anybody.

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
