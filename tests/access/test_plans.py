"""How the databases go about our statements: whose plan is kept, and what is never read whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from crm.models.places import Workplace
from crm.web.db import db, unit_of_work
from tests.factories import ALL, Named, World


def test_the_server_makes_a_plan_for_each_scope(world: World, dialect: str) -> None:
    if dialect != "postgresql":
        pytest.skip("SQLite keeps no plan from one execution to the next.")
    asked = (
        "SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements"
        " WHERE statement LIKE %(some)s"
    )
    often = ALL.select(Workplace.id.label("often_asked")).where(Workplace.id == world.mill.id)
    with unit_of_work(ALL, read_only=True) as session:
        # The driver prepares it after five times; the server would keep a plan after five more.
        for _again in range(20):
            session.execute(often).all()
        plans = session.connection().exec_driver_sql(
            asked, {"some": "%often_asked%"}, execution_options={"crm_scope": True}
        )
        kept, made = plans.one()
    assert kept == 0
    assert made > 10


_EVERYBODY = re.compile(
    r"SCAN (contact|contact_point|job|membership|state_span|conversation|follow_up|audit_entry)\b"
    r"(?! USING INDEX ix_contact_do_not_contact| USING COVERING INDEX ix_contact_do_not_contact)"
    r"|\((merged_into_id|superseded_at|done_at|withdrawn_at|valid_to)=\?\)"
)


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/mine", "/log", "/log?q=ioana", "/log/{person}", "/phone/people", "/sheets"),
        *("/people", "/people?q=ioana", "/people?leader=y&stand=1", "/people/{person}", "/lists"),
        *("/places", "/places/{place}", "/places/{place}/wall", "/places/{place}/leaders"),
    ],
)
def test_what_a_rep_opens_goes_through_no_table_of_everybody(
    app: Flask, client_as: Callable[[Named], FlaskClient], world: World, dialect: str, path: str
) -> None:
    if dialect != "sqlite":
        pytest.skip("PostgreSQL reads a small table from end to end, whatever its indexes.")
    sent: list[tuple[str, Any]] = []

    def _note(conn: Any, cursor: Any, statement: str, given: Any, *rest: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            sent.append((statement, given))

    client = client_as(world.rep)
    sa.event.listen(db.engine, "before_cursor_execute", _note)
    try:
        names = {"person": world.ioana.public_id, "place": world.mill.public_id}
        assert client.get(path.format(**names)).status_code == 200
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", _note)
    assert sent
    with db.engine.connect() as connection:
        cursor = connection.connection.cursor()
        for statement, given in sent:
            plan = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", given).fetchall()
            through = [row[3] for row in plan if _EVERYBODY.search(row[3])]
            assert through == [], statement
