"""The two addresses that a supervisor asks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.features.health import views
from crm.models.tasks import Probe
from crm.web import clock, migrating
from crm.web.db import db, unit_of_work
from tests.factories import ALL


@pytest.fixture(autouse=True)
def looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "KEPT_FOR", -1.0)


def test_strangers_who_ask_again_and_again_cause_one_write_in_ten_seconds(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/readyz")
    monkeypatch.setattr(views, "KEPT_FOR", 10.0)
    with unit_of_work(ALL, read_only=True) as session:
        before = session.query(Probe).one().at
    assert {client.get("/readyz").status_code for _ in range(5)} == {200}
    with unit_of_work(ALL, read_only=True) as session:
        assert session.query(Probe).one().at == before
    app.extensions["crm_readiness"].looked_at -= 11
    client.get("/readyz")
    with unit_of_work(ALL, read_only=True) as session:
        assert session.query(Probe).one().at > before


def test_a_living_process_says_ok(client: FlaskClient) -> None:
    reply = client.get("/healthz")
    assert (reply.status_code, reply.text) == (200, "ok\n")


def test_ready_means_that_a_write_went_through(client: FlaskClient, app: Flask) -> None:
    before = clock.now()
    reply = client.get("/readyz")
    assert (reply.status_code, reply.text) == (200, "ready\n")
    with unit_of_work(ALL, read_only=True) as session:
        assert session.query(Probe).one().at >= before


def test_a_full_disk_is_not_ready_and_strangers_learn_no_reason(
    client: FlaskClient, app: Flask
) -> None:
    app.config["MINIMUM_FREE_DISK"] = 10**18
    try:
        reply = client.get("/readyz")
    finally:
        app.config["MINIMUM_FREE_DISK"] = 0
    assert (reply.status_code, reply.text) == (503, "not ready\n")


def test_old_tables_are_not_ready(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "database_head", lambda: "an older one")
    assert client.get("/readyz").status_code == 503


def test_a_clock_that_went_back_an_hour_is_not_ready(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/readyz").status_code == 200
    real = clock.now()
    monkeypatch.setattr(clock, "now", lambda: real - timedelta(hours=1))
    assert client.get("/readyz").status_code == 503


def test_a_database_that_refuses_writes_is_not_ready(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _refuse(*args: object, **more: object) -> None:
        raise OSError("disk is read-only")

    monkeypatch.setattr(db.engine.dialect, "do_commit", _refuse)
    assert client.get("/readyz").status_code == 503
