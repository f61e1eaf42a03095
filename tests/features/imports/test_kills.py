"""A server that is killed in the middle of an import: what is stored is whole, the rest follows."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from crm.models.contacts import Contact
from crm.models.imports import ImportRow
from crm.models.tasks import BackgroundTask
from crm.web import clock, tasks
from crm.web.db import db
from tests.conftest import _SETTINGS
from tests.factories import Named, World
from tests.features.imports import wizard
from tests.features.imports.thousand import HEAD, digest, thousand

Clients = Callable[[Named], FlaskClient]

# A worker that stops between two chunks is no test: it is killed at any moment, twice here and
# more often by hand.
KILLS = int(os.environ.get("IMPORT_KILLS", "2"))
# Rows in all and in a chunk, so that something is left to do at the last of the kills.
ROWS, CHUNK = (150, 10) if KILLS < 5 else (1000, 3)

WORKER = """
import json, sys
from crm.app import create_app
from crm.web import tasks
from crm.features.imports import service
settings = json.loads(sys.argv[1])
settings["EXPIRY_DAYS"] = tuple(settings["EXPIRY_DAYS"])
service.CHUNK = service.MOST_AT_ONCE = int(sys.argv[2])
app = create_app(settings)
print("ready", flush=True)
tasks.run_one(app)
"""


def _worker(app: Flask) -> subprocess.Popen[bytes]:
    names = {*_SETTINGS, "DATABASE_URL", "INSTANCE_FOLDER"}
    settings = json.dumps({name: app.config[name] for name in names})
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, settings, str(CHUNK)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def _done() -> int:
    return _count(sa.select(sa.func.count()).where(ImportRow.__table__.c.state != "waiting"))


def _left() -> int:
    return _count(sa.select(sa.func.count()).where(ImportRow.__table__.c.state == "waiting"))


def _count(statement: sa.Select[tuple[int]]) -> int:
    with db.engine.connect().execution_options(crm_scope=True, read_only=True) as connection:
        return int(connection.execute(statement).scalar_one())


def _people() -> int:
    return _count(sa.select(sa.func.count()).select_from(Contact.__table__))


def _stored() -> int:
    rows = ImportRow.__table__.c
    new = sa.select(sa.func.count()).where(rows.state == "stored", rows.outcome == "new")
    return _count(new)


def _forget_claim() -> None:
    """Make the dead worker's claim old, and its attempts few, as after a minute of waiting."""
    task = BackgroundTask.__table__
    with db.engine.begin() as connection:
        connection.execute(
            sa.update(task).values(heartbeat_at=clock.now() - timedelta(minutes=5), attempts=1)
        )


def _ready(client: FlaskClient, world: World, rows: list[list[str]]) -> str:
    path = wizard.to_check(
        client,
        wizard.as_csv([HEAD, *rows]),
        union=str(world.union.public_id),
        as_at="2026-11-01",
    )
    data = wizard.form_of(client, f"{path}/check", "start")
    assert client.post(f"{path}/start", data=data).status_code == 303
    return path


@pytest.mark.timeout(1800)
def test_an_import_killed_at_any_moment_ends_as_one_that_was_not(
    app: Flask, client_as: Clients, world: World
) -> None:
    client = client_as(world.organiser)
    rows = thousand()[0][:ROWS]
    path = _ready(client, world, rows)
    assert tasks.run_one(app)
    whole = digest()
    wizard.undo(app, client, path)
    path = _ready(client, world, rows)
    people = _people()
    dice = random.Random(11)
    killed = 0
    while killed < KILLS:
        before = _done()
        process = _worker(app)
        # Not before it has begun, and then at any moment, also in the middle of a chunk.
        limit = time.monotonic() + 60
        while _done() == before and time.monotonic() < limit and process.poll() is None:
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 0.1))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        # A chunk is in with its rows marked, or it is not in at all.
        assert _people() - people == _stored(), killed
        _forget_claim()
        if _left():
            killed += 1
            continue
        # The worker was faster than the killer: it has to be done over again.
        tasks.run_one(app)
        assert digest() == whole
        wizard.undo(app, client, path)
        path = _ready(client, world, rows)
        killed, people = 0, _people()
    assert tasks.run_one(app)
    assert "Imported" in client.get(path).text
    assert digest() == whole
