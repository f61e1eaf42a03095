"""The page of a task: its owner sees it, nobody else, and it says what came of the work."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.access import tasks
from crm.access.scope import Scope
from crm.domain.vocabulary import TaskState
from crm.web import clock
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import NOW, World

ClientAs = Callable[[factories.Named], FlaskClient]


def _hand_in(owner: factories.Named) -> uuid.UUID:
    scope = Scope(actor_id=owner.id, grants=())
    with unit_of_work(scope) as session:
        task = tasks.enqueue(session, scope, kind="load-register", payload={}, now=NOW)
        return task.public_id


def _claim() -> tasks.Claimed:
    with unit_of_work() as session:
        claimed = tasks.claim_next(session, now=NOW)
    assert claimed is not None
    return claimed


def _end(
    claimed: tasks.Claimed, state: TaskState, message: str, result: dict[str, Any] | None = None
) -> None:
    with unit_of_work(Scope(actor_id=claimed.owner_id, grants=())) as session:
        tasks.end(session, claimed, state=state, message=message, result=result, now=NOW)


def test_a_waiting_task_says_so_and_the_page_looks_again_by_itself(
    app: Flask, world: World, client_as: ClientAs, fixed_clock: None
) -> None:
    answer = client_as(world.admin).get(f"/tasks/{_hand_in(world.admin)}")
    assert answer.status_code == 200
    assert answer.headers["Refresh"] == "5"
    assert "<title>Waiting: Load a register · Shopfloor</title>" in answer.text
    assert "This starts as soon as the server is free." in answer.text
    assert "http-equiv" not in answer.text


NOBODY = "the part of the server that does long work is not running. Nothing is lost."


def test_work_that_nobody_does_is_not_said_to_go_on(
    app: Flask, world: World, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _says(user: factories.Named, seconds: int) -> str:
        monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(seconds=seconds))
        page = client_as(user).get(f"/tasks/{of[user.id]}").text
        lines = ("The work goes on.", "This starts as soon as the server is free.", NOBODY)
        (said,) = [line for line in lines if line in page]
        return said

    of = {user.id: _hand_in(user) for user in (world.admin, world.rep)}
    goes_on, soon = "The work goes on.", "This starts as soon as the server is free."
    assert _says(world.rep, 10) == soon
    # No worker has taken it up, though nothing else is to be done.
    assert _says(world.rep, 20) == NOBODY
    assert (
        "Tell whoever runs the server"
        in client_as(world.rep).get(f"/tasks/{of[world.rep.id]}").text
    )
    assert "Start the worker:" in client_as(world.admin).get(f"/tasks/{of[world.admin.id]}").text
    claimed = _claim()
    assert (_says(world.admin, 50), _says(world.rep, 50)) == (goes_on, soon)
    # The worker that had taken it up has died.
    assert (_says(world.admin, 70), _says(world.rep, 70)) == (NOBODY, NOBODY)
    with db.engine.begin() as connection:
        tasks.beat(connection, claimed, done=1, total=2, now=NOW + timedelta(seconds=70))
    assert _says(world.admin, 80) == goes_on


def test_a_running_task_shows_how_far_it_is(
    app: Flask, world: World, client_as: ClientAs, fixed_clock: None
) -> None:
    task_id = _hand_in(world.admin)
    claimed = _claim()
    with db.engine.begin() as connection:
        tasks.beat(connection, claimed, done=2500, total=6031, now=NOW)
    page = client_as(world.admin).get(f"/tasks/{task_id}").text
    assert "2,500 of 6,031 rows" in page
    assert 'value="2500" max="6031"' in page


def test_a_task_done_shows_counts_and_problems_and_rests(
    app: Flask, world: World, client_as: ClientAs
) -> None:
    task_id = _hand_in(world.admin)
    problem = {
        "file": "counts",
        "row": 3,
        "column": "members",
        "value": "<b>x</b>",
        "message": "Enter a number in digits.",
        "left_out": True,
    }
    _end(
        _claim(),
        TaskState.DONE,
        "The register is loaded.",
        {
            "counts": {"employers": {"new": 1, "changed": 2, "unchanged": 6028}},
            "problems": [problem],
            "problem_count": 1,
            "rows_left_out": 1,
        },
    )
    answer = client_as(world.admin).get(f"/tasks/{task_id}")
    assert "Refresh" not in answer.headers
    words = " ".join(answer.text.split())
    assert "The register is loaded." in words
    assert "1 thing in the file could not be used. 1 row was left out." in words
    assert "Counts, row 3, members:</strong> Enter a number in digits." in words
    assert "<bdi>&lt;b&gt;x&lt;/b&gt;</bdi> (row left out)" in words
    assert "<dt>Employers</dt>" in words
    assert "<bdi>1 new, 2 changed, 6,028 as before</bdi>" in words


def test_a_task_that_failed_gives_the_reason_with_its_numbers(
    app: Flask, world: World, client_as: ClientAs
) -> None:
    task_id = _hand_in(world.admin)
    _end(_claim(), TaskState.FAILED, "Row %(row)s cannot be read.", {"params": {"row": "7"}})
    page = client_as(world.admin).get(f"/tasks/{task_id}").text
    assert "<p>Row 7 cannot be read.</p>" in page
    assert "What was loaded" not in page


@pytest.mark.parametrize("other", ["rep", "officer", "boss_of_all"])
def test_nobody_else_finds_a_task(
    app: Flask, world: World, client_as: ClientAs, other: str
) -> None:
    task_id = _hand_in(world.admin)
    client = client_as(getattr(world, other))
    assert client.get(f"/tasks/{task_id}").status_code == 404
    assert client.get(f"/tasks/{uuid.uuid4()}").status_code == 404


def test_another_administrator_does_not_find_it_either(
    app: Flask, world: World, client_as: ClientAs
) -> None:
    task_id = _hand_in(world.rep)
    assert client_as(world.admin).get(f"/tasks/{task_id}").status_code == 404


def test_the_page_of_a_task_takes_few_statements(
    app: Flask, world: World, client_as: ClientAs, count_statements: list[str]
) -> None:
    task_id = _hand_in(world.admin)
    client = client_as(world.admin)
    client.get(f"/tasks/{task_id}")
    count_statements.clear()
    client.get(f"/tasks/{task_id}")
    assert len(count_statements) == 3  # Who is asking; the task; whether a worker lives.
