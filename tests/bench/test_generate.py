"""The invented records: the same for the same seed, and as the app itself would derive them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from bench.generate import COLUMNS, SIZES, Generator
from bench.load import AlreadyUsed, load
from bench.spans import Job, Rated, Status, spans_of
from crm.access import tree
from crm.access.spans import refresh_spans
from crm.domain.assessment import Assessment, Basis
from crm.domain.ids import AreaId, JobId, UnionId, WorkplaceId
from crm.domain.timeline import JobSpell, MembershipSpell, MembershipStatus, timeline
from crm.models.base import Base
from crm.web.db import unit_of_work
from tests.factories import ALL

TODAY = date(2026, 11, 23)
_BEGIN = date(2020, 1, 1)

_day = st.integers(0, 40)


@st.composite
def _spell(draw: st.DrawFn) -> tuple[int, int | None]:
    since = draw(_day)
    return since, draw(st.none() | st.integers(since, 45))


_jobs = st.lists(
    st.tuples(st.integers(1, 2), st.none() | st.integers(7, 8), _spell()).map(
        lambda one: (one[0], one[1], *one[2])
    ),
    max_size=4,
)
_statuses = st.lists(
    st.tuples(st.sampled_from([True, False, None]), _spell()).map(lambda one: (one[0], *one[1])),
    max_size=3,
)
_ratings = st.dictionaries(_day, st.tuples(st.integers(1, 5), st.booleans()), max_size=5).map(
    lambda found: [(day, *found[day]) for day in sorted(found)]
)


def _date(day: int | None) -> date | None:
    return None if day is None else _BEGIN + timedelta(days=day)


def _by_the_rule(
    jobs: list[Job], statuses: list[Status], ratings: list[Rated]
) -> list[tuple[Any, ...]]:
    known: dict[bool | None, tuple[UnionId | None, MembershipStatus]] = {
        True: (UnionId(3), MembershipStatus.MEMBER),
        False: (None, MembershipStatus.NOT_MEMBER),
        None: (UnionId(3), MembershipStatus.NOT_MEMBER),
    }
    spans = timeline(
        jobs=[
            JobSpell(
                job_id=JobId(1),
                workplace_id=WorkplaceId(workplace),
                area_id=None if area is None else AreaId(area),
                valid_from=_BEGIN + timedelta(days=since),
                valid_to=_date(until),
            )
            for workplace, area, since, until in jobs
        ],
        memberships=[
            MembershipSpell(*known[kind], _BEGIN + timedelta(days=since), _date(until))
            for kind, since, until in statuses
        ],
        assessments=[
            Assessment(
                day=_BEGIN + timedelta(days=day),
                recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
                rating=rating,
                basis=Basis.SAID if firm else Basis.INFERRED,
                assessor_id=None,
            )
            for day, rating, firm in ratings
        ],
    )
    return [
        (
            *(span.workplace_id, span.area_id, span.from_day, span.to_day),
            *(span.member, span.score, span.scored_on, span.score_firm),
        )
        for span in spans
    ]


@given(jobs=_jobs, statuses=_statuses, ratings=_ratings)
def test_the_quick_spans_are_those_of_the_timeline(
    jobs: list[Job], statuses: list[Status], ratings: list[Rated]
) -> None:
    quick = [
        (one[0], one[1], _date(one[2]), _date(one[3]), one[4], one[5], _date(one[6]), one[7])
        for one in spans_of(jobs, statuses, ratings)
    ]

    assert quick == _by_the_rule(jobs, statuses, ratings)


def _all_rows(seed: int) -> list[Any]:
    made = Generator(SIZES["group"], seed=seed, today=TODAY, root_id=1, first_id=2)
    return list(made.batches())


def test_the_same_seed_gives_the_same_records_and_another_seed_gives_others() -> None:
    assert _all_rows(1) == _all_rows(1)
    assert _all_rows(1) != _all_rows(2)


def test_every_column_that_must_be_filled_is_filled() -> None:
    for name, columns in COLUMNS.items():
        table = Base.metadata.tables[name]
        must = {
            column.name
            for column in table.columns
            if not column.nullable and column.server_default is None
        }
        numbered = set() if next(iter(table.columns)).foreign_keys else {"id"}
        assert must - numbered <= set(columns), name
        assert set(columns) <= set(table.columns.keys()), name


def _table(name: str) -> list[tuple[Any, ...]]:
    columns = [column for column in Base.metadata.tables[name].columns if column.name != "id"]
    with unit_of_work(ALL) as session:
        found = session.connection().execute(sa.select(*columns).execution_options(crm_scope=True))
        return sorted((tuple(row) for row in found), key=repr)


def _indexes() -> set[tuple[str, str]]:
    with unit_of_work(ALL) as session:
        seen = sa.inspect(session.connection())
        return {
            (table, str(index["name"])) for table in COLUMNS for index in seen.get_indexes(table)
        }


def _keys() -> set[tuple[str, str]]:
    with unit_of_work(ALL) as session:
        seen = sa.inspect(session.connection())
        return {
            (table, str(key["name"])) for table in COLUMNS for key in seen.get_foreign_keys(table)
        }


def test_loaded_records_are_what_the_app_would_have_derived(app: Flask) -> None:
    before = _indexes(), _keys()
    loaded = load(app, SIZES["group"], seed=7, today=TODAY)

    assert (_indexes(), _keys()) == before
    assert loaded.rows["contact"] == 200
    closure, spans = _table("place_closure"), _table("state_span")
    with unit_of_work(ALL) as session:
        tree.rebuild_closure(session, today=TODAY)
        session.connection().execute(sa.delete(Base.metadata.tables["state_span"]))
        for contact in range(1, 201):
            refresh_spans(session, contact)
    assert _table("place_closure") == closure
    assert _table("state_span") == spans


def test_every_reference_leads_to_a_row(app: Flask, dialect: str) -> None:
    load(app, SIZES["group"], seed=7, today=TODAY)

    if dialect == "sqlite":
        with unit_of_work(ALL) as session:
            broken = session.connection().exec_driver_sql("PRAGMA foreign_key_check").all()
        assert broken == []
    # PostgreSQL checked them all when the load put its foreign keys back.


def test_a_database_with_records_is_left_alone(app: Flask) -> None:
    load(app, SIZES["group"], seed=7, today=TODAY)

    with pytest.raises(AlreadyUsed, match=r"^This database holds records\. Name an empty one\.$"):
        load(app, SIZES["group"], seed=7, today=TODAY)
