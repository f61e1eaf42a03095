"""Statements that need a plan of their own are not prepared on PostgreSQL; all others are."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from crm.access.scope import OWN_PLAN
from crm.models.places import Workplace
from crm.web.db import PREPARED_AFTER, unit_of_work
from tests.factories import ALL, World


def _prepared(session: sa.orm.Session, word: str) -> int:
    asked = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %(some)s"
    return int(
        session.connection()
        .exec_driver_sql(asked, {"some": f"%{word} %"}, execution_options={"crm_scope": True})
        .scalar_one()
    )


def test_only_a_statement_marked_so_gets_a_new_plan_each_time(world: World, dialect: str) -> None:
    if dialect != "postgresql":
        pytest.skip("SQLite keeps no plan from one execution to the next.")
    usual = ALL.select(Workplace.id.label("kept_plan")).where(Workplace.id == world.mill.id)
    marked = ALL.select(Workplace.id.label("own_plan")).where(Workplace.id == world.mill.id)
    with unit_of_work(ALL, read_only=True) as session:
        for _again in range(PREPARED_AFTER + 3):
            session.execute(usual).all()
            session.execute(marked.execution_options(**{OWN_PLAN: True})).all()
        assert _prepared(session, "kept_plan") == 1
        assert _prepared(session, "own_plan") == 0
