"""Runs the long work of the queue: the kinds there are, one task, and the worker's loop."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from crm.access import member_lists, report_files, staged_lists, tasks, votes
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.tasks import Claimed, TaskLost
from crm.domain.errors import PermissionRefused, Refusal
from crm.domain.vocabulary import TaskState
from crm.web import backups, clock
from crm.web.db import db, unit_of_work
from crm.web.guard import scope_of

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds
# Between two steps of a chore others get to the database and to the processor.
BREATH = 0.05  # seconds
CHORES_EVERY = timedelta(seconds=60)
SWEEP_EVERY = timedelta(minutes=10)

READING = lazy_gettext("The server is reading the file.")
ROWS = lazy_gettext("%(done)s of %(total)s rows")
RIGHT_LOST = "Your role does not allow this any more, so nothing was changed. Ask an administrator."
WENT_WRONG = (
    "Something went wrong on the server, so nothing was changed. Start again. "
    "If it stops again, tell whoever runs the server."
)
# For work that is stored in parts: what was stored before it stopped is there.
RIGHT_LOST_ON_THE_WAY = (
    "Your role does not allow this any more, so it has stopped. What was stored before stays. "
    "Ask an administrator."
)
STOPPED_ON_THE_WAY = (
    "Something went wrong on the server, so it has stopped. What was stored before stays. "
    "Go back and look how far it is. If it stops again, tell whoever runs the server."
)
KIND_UNKNOWN = "This server does not know how to do this. Nothing was changed. Start again."

# How far the tasks of this process are. SQLite lets one transaction write at a time, so while a
# task writes, its progress cannot be stored; the page of the same process reads it here.
_live: dict[int, tuple[int, int | None]] = {}


class _Stopping(Exception):
    """The server is told to stop while a task runs."""


@dataclass
class Work:
    """What a kind of task works with.

    scope: what the owner may see and do as the task starts, not as it was handed in; each sign
    of progress brings it up to date, outside the transaction that stores the result.
    today: the day it is for the owner. payload: as it was handed in.
    """

    scope: Scope
    today: date
    payload: Mapping[str, Any]
    _claimed: Claimed
    _kind: TaskKind
    _stopping: threading.Event | None = None
    _writing: bool = field(default=False)
    _ended: bool = field(default=False)

    def file(self, name: str) -> bytes | None:
        """Return a file that was handed in, or None."""
        with unit_of_work(self.scope, read_only=True) as session:
            return tasks.read_file(session, self._claimed, name)

    def progress(self, done: int, total: int | None = None) -> None:
        """Tell the owner how far the work is, and other workers that this one lives.

        Raises PermissionRefused when the owner has lost the right to the work meanwhile.
        """
        if self._stopping is not None and self._stopping.is_set():
            raise _Stopping()
        _live[self._claimed.task_id] = (done, total)
        if self._writing and db.engine.dialect.name == "sqlite":
            # Our own transaction holds the only write lock. Nobody can claim the task meanwhile,
            # because a claim needs that lock too.
            return
        try:
            with db.engine.begin() as connection:
                tasks.beat(connection, self._claimed, done=done, total=total, now=clock.now())
        except sa.exc.OperationalError:
            # A busy database is no reason to lose the work: the next beat will get through.
            log.warning("a task could not store its progress")
        if not self._writing:
            self.scope = _scope_now(self._claimed, self._kind)

    @contextmanager
    def saving(self) -> Iterator[Session]:
        """Yield the session of the one unit of work that stores the result. Call ``end`` in it."""
        with unit_of_work(self.scope) as session:
            self._writing = True
            try:
                yield session
            finally:
                self._writing = False

    def end(self, session: Session, *, message: str, result: Mapping[str, Any]) -> None:
        """End the task well, in the transaction of the work itself.

        message: a sentence for the owner, translated when shown; ``result["params"]`` fills it.
        """
        tasks.end(
            session,
            self._claimed,
            state=TaskState.DONE,
            message=message,
            result=result,
            now=clock.now(),
        )
        self._ended = True

    @property
    def ended(self) -> bool:
        """True once ``end`` was called."""
        return self._ended


@dataclass(frozen=True, slots=True)
class TaskKind:
    """A kind of long work.

    permission: needed over the whole organisation when it starts; with `somewhere`, at some place:
    then the work itself asks for it at the places it touches. title: what the page calls it.
    back_endpoint, back_label: the page that it is handed in on. run: does the work and calls
    ``work.end``. busy, counted: what the page says while it runs, before and after the work has
    told of its progress; `counted` has places for done and total. in_parts: it is stored some at
    a time, so that what was stored stays when it stops. file_endpoint, file_label: where
    the file is fetched whose id stands in the result as `file`.
    """

    title: Any
    back_endpoint: str
    back_label: Any
    permission: Permission
    run: Callable[[Work], None]
    somewhere: bool = False
    in_parts: bool = False
    busy: Any = READING
    counted: Any = ROWS
    file_endpoint: str | None = None
    file_label: Any = ""


def register(app: Flask, name: str, kind: TaskKind) -> None:
    """Add a kind of task to the app. Raises ValueError when the name is taken."""
    kinds = kinds_of(app)
    if name in kinds:
        raise ValueError(f"There is a kind of task called {name} already.")
    kinds[name] = kind


def kinds_of(app: Flask) -> dict[str, TaskKind]:
    """Return the kinds of task that the app knows, by name."""
    kinds: dict[str, TaskKind] = app.extensions.setdefault("crm_tasks", {})
    return kinds


def register_chore(app: Flask, name: str, step: Callable[[], bool]) -> None:
    """Add work that nobody hands in, done by the worker while no task waits.

    step: does a little of it, under a second, and returns True when there is more to do. It makes
    its own units of work. Raises ValueError when the name is taken.
    """
    chores = _chores_of(app)
    if name in chores:
        raise ValueError(f"There is a chore called {name} already.")
    chores[name] = step


def _chores_of(app: Flask) -> dict[str, Callable[[], bool]]:
    chores: dict[str, Callable[[], bool]] = app.extensions.setdefault("crm_chores", {})
    return chores


def do_chores(app: Flask) -> bool:
    """Do one step of each chore; return True when some has more to do.

    One that goes wrong is left until its next turn, and keeps no other from its own.
    """
    more = False
    for name, step in _chores_of(app).items():
        with app.app_context():
            try:
                more = step() or more
            except Exception as error:  # noqa: BLE001 - the loop must outlive any fault
                # The text of an exception may hold what is stored of somebody.
                log.error("chore %s: %s", name, type(error).__name__)
            finally:
                db.session.remove()
    return more


def live_progress(task_id: int) -> tuple[int, int | None] | None:
    """Return (done, total) of a task that runs in this very process, or None."""
    return _live.get(task_id)


def run_one(app: Flask, *, stopping: threading.Event | None = None) -> bool:
    """Claim one task and do it. Return False when there was none.

    stopping: when it is set the task is put back in the queue at its next sign of progress.
    """
    with app.app_context():
        try:
            with unit_of_work(read_only=True) as session:
                waiting = tasks.has_work(session, now=clock.now())
            if not waiting:
                return False
            with unit_of_work() as session:
                claimed = tasks.claim_next(session, now=clock.now())
            if claimed is None:
                return False
            _run(claimed, stopping)
            return True
        finally:
            db.session.remove()


def _run(claimed: Claimed, stopping: threading.Event | None) -> None:
    try:
        _do(claimed, stopping)
    except _Stopping:
        with unit_of_work() as session:
            tasks.release(session, claimed)
    except TaskLost:
        log.warning("task %d was taken over by another worker", claimed.task_id)
    except PermissionRefused:
        _fail(claimed, RIGHT_LOST_ON_THE_WAY if _is_in_parts(claimed) else RIGHT_LOST)
    except Refusal as refusal:
        _fail(claimed, refusal.message, refusal.params)
    except Exception as error:  # noqa: BLE001 - whatever it is, the owner must hear of it
        # The text of an exception may hold a cell of somebody's file: its type must do.
        log.error("task %d of kind %s: %s", claimed.task_id, claimed.kind, type(error).__name__)
        _fail(claimed, STOPPED_ON_THE_WAY if _is_in_parts(claimed) else WENT_WRONG)
    finally:
        _live.pop(claimed.task_id, None)


def _do(claimed: Claimed, stopping: threading.Event | None) -> None:
    kind = kinds_of(current_app).get(claimed.kind)
    if kind is None:
        raise Refusal(KIND_UNKNOWN)
    work = Work(
        scope=_scope_now(claimed, kind),
        today=_today(),
        payload=claimed.payload,
        _claimed=claimed,
        _kind=kind,
        _stopping=stopping,
    )
    # Python looks through all there is for what nobody needs any more, and the program itself is
    # most of that: a fifth of the time of a large import. What is there by now is left out of it.
    gc.freeze()
    try:
        kind.run(work)
    finally:
        gc.unfreeze()
    if not work.ended:
        raise RuntimeError(f"The kind of task {claimed.kind} did not end its task.")


def _scope_now(claimed: Claimed, kind: TaskKind) -> Scope:
    """Return what the owner may see and do at this moment.

    Raises PermissionRefused when they may not do this kind of work. In a session of its own: the
    work may be in the middle of a unit of work.
    """
    with Session(db.engine) as session:
        session.connection(execution_options={"read_only": True})
        scope = scope_of(session, claimed.owner_id, _today())
    if kind.somewhere:
        scope.require(kind.permission)
    else:
        scope.require_everywhere(kind.permission)
    return scope


def _today() -> date:
    return clock.today(str(current_app.config["TIME_ZONE"]))


def _is_in_parts(claimed: Claimed) -> bool:
    kind = kinds_of(current_app).get(claimed.kind)
    return kind is not None and kind.in_parts


def _fail(claimed: Claimed, message: str, params: Mapping[str, object] | None = None) -> None:
    result = {"params": {key: str(value) for key, value in params.items()}} if params else None
    try:
        with unit_of_work(Scope(actor_id=claimed.owner_id, grants=())) as session:
            tasks.end(
                session,
                claimed,
                state=TaskState.FAILED,
                message=message,
                result=result,
                now=clock.now(),
            )
    except TaskLost:
        log.warning("task %d was taken over by another worker", claimed.task_id)


def sweep(app: Flask) -> None:
    """Delete what was kept for some time only and has expired."""
    with app.app_context():
        try:
            with unit_of_work(read_only=True) as session:
                some = report_files.has_expired(session, now=clock.now())
                old = member_lists.has_old(session, now=clock.now())
                staged = staged_lists.has_expired(session, now=clock.now())
                told = votes.has_kept_too_long(session, today=clock.now().date())
            if told:
                with unit_of_work() as session:
                    votes.erase_kept_too_long(session, today=clock.now().date())
            if some or old:
                with unit_of_work() as session:
                    report_files.delete_expired(session, now=clock.now())
                    member_lists.close_old(session, now=clock.now())
            backups.delete_old(app, now=clock.now())
            while staged:
                with unit_of_work() as session:
                    staged = staged_lists.forget_some(session, now=clock.now()) > 0
        finally:
            db.session.remove()


class Worker:
    """A thread that does the tasks of the queue one after another until it is stopped."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="crm-worker", daemon=True)

    def start(self) -> None:
        """Begin to look for tasks."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Stop soon, and wait up to ``timeout`` seconds. A task under way is queued again."""
        self._stopping.set()
        self._thread.join(timeout)

    def join(self) -> None:
        """Wait until the worker has stopped, for a process that does nothing else."""
        self._thread.join()

    def _loop(self) -> None:
        swept: datetime | None = None
        chored: datetime | None = None
        while not self._stopping.is_set():
            try:
                if swept is None or clock.now() - swept >= SWEEP_EVERY:
                    swept = clock.now()
                    sweep(self._app)
                busy = run_one(self._app, stopping=self._stopping)
                if not busy and (chored is None or clock.now() - chored >= CHORES_EVERY):
                    if do_chores(self._app):
                        self._stopping.wait(BREATH)
                        continue
                    chored = clock.now()
            except Exception as error:  # noqa: BLE001 - the loop must outlive any fault
                # A worker that died of a busy database would leave every later task waiting.
                log.error("worker: %s", type(error).__name__)
                busy = False
            if not busy:
                self._stopping.wait(LOOK_EVERY)


def start_worker(app: Flask) -> Worker:
    """Start a worker thread for the app and return it; call its ``stop`` at the end."""
    worker = Worker(app)
    worker.start()
    return worker
