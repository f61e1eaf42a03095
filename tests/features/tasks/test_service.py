"""The queue: claimed once, taken up again, ended in the transaction of the work, by right."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from crm.access import tasks
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import Refusal
from crm.domain.vocabulary import TaskState
from crm.models.accounts import AccessGrant, UserAccount
from crm.models.audit import AuditEntry
from crm.models.places import Employer
from crm.models.tasks import BackgroundTask, TaskFile
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.tasks import (
    RIGHT_LOST,
    RIGHT_LOST_ON_THE_WAY,
    WENT_WRONG,
    TaskKind,
    Work,
    kinds_of,
    run_one,
    start_worker,
)
from tests import factories
from tests.factories import NOW, World


class _Killed(BaseException):
    """Stands for a process that is killed: no handler of the program sees it."""


@pytest.fixture
def kind(app: Flask) -> Iterator[dict[str, Any]]:
    """A kind of task whose work is the function in kind["run"]."""
    box: dict[str, Any] = {"run": _make_employer}
    kinds_of(app)["for-tests"] = TaskKind(
        title="A test",
        back_endpoint="tasks.show",
        back_label="Back",
        permission=Permission.REGISTER_LOAD,
        run=lambda work: box["run"](work),
    )
    yield box
    del kinds_of(app)["for-tests"]


def _make_employer(work: Work) -> None:
    work.progress(0, 2)
    with work.saving() as session:
        session.add(Employer(name=work.payload["name"], created_at=NOW))
        session.flush()
        work.progress(1, 2)
        work.end(session, message="Made it.", result={"made": 1})


def _hand_in(owner: factories.Named, name: str = "Tidewater", *, file: bytes = b"abc") -> int:
    scope = Scope(actor_id=owner.id, grants=())
    with unit_of_work(scope) as session:
        task = tasks.enqueue(
            session,
            scope,
            kind="for-tests",
            payload={"name": name},
            files=[tasks.Upload("employers", file)],
            now=clock.now(),
        )
        return task.id


def _all(model: Any) -> list[Any]:
    with unit_of_work(factories.ALL, read_only=True) as session:
        return list(session.scalars(factories.ALL.select(model).order_by(model.id)).all())


def _task() -> BackgroundTask:
    (task,) = _all(BackgroundTask)
    return task  # type: ignore[no-any-return]


def _employers() -> list[str]:
    return [row.name for row in _all(Employer)]


def _later(seconds: float, monkeypatch: pytest.MonkeyPatch) -> datetime:
    moment = datetime.now(NOW.tzinfo) + timedelta(seconds=seconds)
    monkeypatch.setattr(clock, "now", lambda: moment)
    return moment


def _claim(now: datetime | None = None) -> tasks.Claimed | None:
    with unit_of_work() as session:
        return tasks.claim_next(session, now=now or clock.now())


def test_four_workers_at_once_claim_each_task_exactly_once(app: Flask, world: World) -> None:
    handed_in = [_hand_in(world.admin, str(number)) for number in range(40)]
    claimed: list[int] = []
    start = threading.Barrier(4)

    def _work() -> None:
        with app.app_context():
            start.wait()
            while (task := _claim()) is not None:
                claimed.append(task.task_id)

    threads = [threading.Thread(target=_work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(claimed) == handed_in


def test_the_oldest_task_comes_first(world: World) -> None:
    first, second = _hand_in(world.admin), _hand_in(world.admin)
    claims = [_claim(), _claim(), _claim()]
    assert [claim.task_id if claim else None for claim in claims] == [first, second, None]


def test_a_task_whose_worker_lives_is_not_claimed_again(world: World) -> None:
    _hand_in(world.admin)
    _claim(NOW)
    assert _claim(NOW + timedelta(seconds=60)) is None


def test_a_task_is_claimed_again_when_its_heartbeat_is_over_a_minute_old(world: World) -> None:
    task_id = _hand_in(world.admin)
    _claim(NOW)
    again = _claim(NOW + timedelta(seconds=61))
    assert again is not None
    assert (again.task_id, again.attempt) == (task_id, 2)


def test_a_task_abandoned_three_times_fails_with_a_sentence_and_loses_its_file(
    world: World,
) -> None:
    _hand_in(world.admin)
    moments = [NOW + timedelta(minutes=2 * step) for step in range(4)]
    attempts = [claim.attempt if (claim := _claim(moment)) else None for moment in moments]
    assert attempts == [1, 2, 3, None]
    task = _task()
    assert (task.state, task.finished_at) == (TaskState.FAILED, moments[3])
    assert task.message == (
        "The server stopped three times while it did this, so it was given up. Nothing was "
        "changed. Ask whoever runs the server to look at it, then start again."
    )
    assert _all(TaskFile) == []


def test_a_task_done_keeps_its_result_and_loses_its_file(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    _hand_in(world.admin)
    assert run_one(app) is True
    assert run_one(app) is False
    task = _task()
    assert (task.state, task.message, task.result) == (TaskState.DONE, "Made it.", {"made": 1})
    assert (task.progress_done, task.progress_total) == (2, 2)
    assert task.attempts == 1
    assert "Tidewater" in _employers()
    assert _all(TaskFile) == []


def test_the_file_comes_to_the_work_as_it_was_handed_in(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    seen: list[bytes | None] = []

    def _look(work: Work) -> None:
        seen.extend([work.file("employers"), work.file("staff")])
        _make_employer(work)

    kind["run"] = _look
    _hand_in(world.admin, file=b"\x00\xff,1")
    run_one(app)
    assert seen == [b"\x00\xff,1", None]


def test_the_worker_writes_in_the_name_of_the_owner(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    _hand_in(world.admin)
    run_one(app)
    (made,) = [e for e in _all(AuditEntry) if e.new and e.new.get("name") == "Tidewater"]
    assert (made.actor_id, made.subject, made.reason) == (world.admin.id, "employer", None)


def test_what_is_in_a_task_and_its_file_stays_out_of_the_audit_log(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    _hand_in(world.admin, file=b"secret cell")
    run_one(app)
    about = [e for e in _all(AuditEntry) if e.subject in {"background_task", "task_file"}]
    assert about
    assert {(e.new or {}).get("payload", "(hidden)") for e in about} == {"(hidden)"}
    assert not any("secret" in str((e.old, e.new)) for e in about)


def test_an_owner_who_lost_the_right_meanwhile_changes_nothing(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    _hand_in(world.admin)
    with unit_of_work(factories.ALL) as session:
        grant = session.scalars(
            sa.select(AccessGrant).where(AccessGrant.user_id == world.admin.id)
        ).one()
        grant.valid_to = clock.now().date()
    run_one(app)
    task = _task()
    assert (task.state, task.message) == (TaskState.FAILED, RIGHT_LOST)
    assert "Tidewater" not in _employers()
    assert _all(TaskFile) == []


def test_an_owner_who_loses_the_right_on_the_way_goes_no_further(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    """Long work may take hours: what somebody may do ends when their role does, not with it."""

    def _two(work: Work) -> None:
        for name in ("First", "Second"):
            work.progress(0, 2)
            with unit_of_work(work.scope) as session:
                session.add(Employer(name=name, created_at=NOW))
            with unit_of_work(factories.ALL) as session:
                account = session.scalars(
                    sa.select(UserAccount).where(UserAccount.id == world.admin.id)
                ).one()
                account.active = False

    kind["run"] = _two
    _hand_in(world.admin)
    kinds_of(app)["for-tests"] = replace(kinds_of(app)["for-tests"], in_parts=True)
    run_one(app)
    assert {"First", "Second"} & set(_employers()) == {"First"}
    assert (_task().state, _task().message) == (TaskState.FAILED, RIGHT_LOST_ON_THE_WAY)


def test_an_owner_whose_account_was_closed_changes_nothing(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    _hand_in(world.admin)
    with unit_of_work(factories.ALL) as session:
        account = session.get(UserAccount, world.admin.id)
        assert account is not None
        account.active = False
    run_one(app)
    assert (_task().state, _task().message) == (TaskState.FAILED, RIGHT_LOST)


def test_the_right_must_hold_over_the_whole_organisation(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    with unit_of_work(factories.ALL) as session:
        local = factories.make_user(
            session, "Local Admin", role=factories.Role.ADMINISTRATOR, place=world.mill
        )
        local_admin = factories.Named(local.id, local.public_id, local.name)
    _hand_in(local_admin)
    run_one(app)
    assert (_task().state, _task().message) == (TaskState.FAILED, RIGHT_LOST)


def test_a_refusal_reaches_the_owner_with_its_words(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    def _refuse(work: Work) -> None:
        raise Refusal("Row %(row)s cannot be read.", row=7)

    kind["run"] = _refuse
    _hand_in(world.admin)
    run_one(app)
    task = _task()
    assert (task.state, task.message) == (TaskState.FAILED, "Row %(row)s cannot be read.")
    assert task.result == {"params": {"row": "7"}}


def test_a_crash_in_the_middle_leaves_nothing_and_says_so(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    def _crash(work: Work) -> None:
        with work.saving() as session:
            session.add(Employer(name="Half made", created_at=NOW))
            session.flush()
            raise RuntimeError("a cell of somebody's file")

    kind["run"] = _crash
    _hand_in(world.admin)
    run_one(app)
    assert (_task().state, _task().message) == (TaskState.FAILED, WENT_WRONG)
    assert "Half made" not in _employers()


def test_work_that_does_not_end_its_task_is_a_failure(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    kind["run"] = lambda work: work.progress(1, 1)
    _hand_in(world.admin)
    run_one(app)
    assert (_task().state, _task().message) == (TaskState.FAILED, WENT_WRONG)


def test_a_kind_that_the_server_does_not_know_fails_with_a_sentence(
    app: Flask, world: World
) -> None:
    _hand_in(world.admin)
    run_one(app)
    assert _task().message == (
        "This server does not know how to do this. Nothing was changed. Start again."
    )


def test_the_task_of_a_killed_worker_is_done_by_the_next(
    app: Flask, world: World, kind: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def _die(work: Work) -> None:
        with work.saving() as session:
            session.add(Employer(name="Half made", created_at=NOW))
            session.flush()
            raise _Killed()

    kind["run"] = _die
    _hand_in(world.admin)
    with pytest.raises(_Killed):
        run_one(app)
    assert _task().state == TaskState.RUNNING
    assert run_one(app) is False
    _later(61, monkeypatch)
    kind["run"] = _make_employer
    assert run_one(app) is True
    assert (_task().state, _task().attempts) == (TaskState.DONE, 2)
    assert "Tidewater" in _employers()
    assert "Half made" not in _employers()


def test_a_worker_that_lost_its_task_stores_nothing(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    def _sleep_too_long(work: Work) -> None:
        # Meanwhile another worker takes the task over.
        assert _claim(clock.now() + timedelta(seconds=61)) is not None
        with work.saving() as session:
            session.add(Employer(name="Twice made", created_at=NOW))
            work.end(session, message="Made it.", result={})

    kind["run"] = _sleep_too_long
    _hand_in(world.admin)
    run_one(app)
    assert (_task().state, _task().attempts) == (TaskState.RUNNING, 2)
    assert "Twice made" not in _employers()


def test_progress_is_seen_by_others_before_the_work_is_stored(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    seen: list[tuple[int, int | None]] = []

    def _watch(work: Work) -> None:
        work.progress(3, 9)
        seen.append((_task().progress_done, _task().progress_total))
        _make_employer(work)

    kind["run"] = _watch
    _hand_in(world.admin)
    run_one(app)
    assert seen == [(3, 9)]


def test_a_server_that_stops_puts_its_task_back_and_does_not_count_the_try(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    stopping = threading.Event()

    def _stop_midway(work: Work) -> None:
        with work.saving() as session:
            session.add(Employer(name="Half made", created_at=NOW))
            session.flush()
            stopping.set()
            work.progress(1, 2)

    kind["run"] = _stop_midway
    _hand_in(world.admin)
    run_one(app, stopping=stopping)
    assert (_task().state, _task().attempts) == (TaskState.WAITING, 0)
    assert "Half made" not in _employers()


def test_a_worker_does_what_waits_and_stops_when_told(
    app: Flask, world: World, kind: dict[str, Any]
) -> None:
    _hand_in(world.admin)
    worker = start_worker(app)
    try:
        until = time.monotonic() + 20
        while _task().state != TaskState.DONE and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        worker.stop()
    assert _task().state == TaskState.DONE
    assert "crm-worker" not in [thread.name for thread in threading.enumerate()]


def test_a_task_needs_an_owner(app: Flask) -> None:
    with (
        unit_of_work(factories.ALL) as session,
        pytest.raises(ValueError, match=r"^A task needs an owner\.$"),
    ):
        tasks.enqueue(session, factories.ALL, kind="for-tests", payload={}, now=NOW)
