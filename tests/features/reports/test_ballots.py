"""The ballots of a report: what was counted, from the day it is declared."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from crm.domain.assessment import DEFAULT_EXPIRY
from crm.domain.report import PartName, figure_rows
from crm.features.reports import wording
from crm.models.ballots import Ballot, BallotCount, BallotPart, BallotQuestion
from crm.reads.report import build_report
from crm.web import clock
from crm.web.db import unit_of_work
from tests.factories import ALL, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")


def _ballot(world: World, *, declared: date | None = None, cast: int = 60, **more: Any) -> None:
    values = {
        "name": "Rota ballot",
        "kind": "action",
        "jurisdiction": "GB",
        "separate": False,
        "opens_on": TODAY - timedelta(days=40),
        "closes_on": TODAY - timedelta(days=10),
        **more,
    }
    with unit_of_work(ALL) as session:
        ballot = Ballot(
            union_id=world.union.id,
            place_id=world.branch.id,
            created_at=NOW - timedelta(days=60),
            declared_on=declared,
            declared_at=None if declared is None else NOW,
            **values,
        )
        session.add(ballot)
        session.flush()
        of_it = {"ballot_id": ballot.id, "place_id": world.branch.id}
        question = BallotQuestion(number=1, kind="strike", **of_it)
        part = BallotPart(ballot_id=ballot.id, place_id=world.mill.id, jurisdiction="GB")
        session.add_all([question, part])
        session.flush()
        session.add(
            BallotCount(
                question_id=question.id,
                entitled=100,
                cast=cast,
                yes=cast - 2,
                no=1,
                spoiled=1,
                recorded_at=NOW,
                **of_it,
            )
        )


def test_each_question_has_its_own_verdict(world: World) -> None:
    _ballot(world, declared=TODAY, cast=80)
    with unit_of_work(ALL) as session:
        first = session.scalars(ALL.select(BallotQuestion)).one()
        second = BallotQuestion(
            number=2, kind="short_of_strike", ballot_id=first.ballot_id, place_id=first.place_id
        )
        session.add(second)
        session.flush()
        lost = {"entitled": 100, "cast": 80, "yes": 30, "no": 50, "spoiled": 0}
        session.add(
            BallotCount(
                question_id=second.id,
                ballot_id=first.ballot_id,
                place_id=first.place_id,
                recorded_at=NOW,
                **lost,
            )
        )
    rows = [row for row in figure_rows(_pack(world.mill)) if row.measure == "mandates"]
    assert [(row.name, row.numerator) for row in rows] == [
        ("Rota ballot (1: strike)", 1),
        ("Rota ballot (2: short_of_strike)", 0),
    ]


def _pack(unit: Named) -> Any:
    with unit_of_work(ALL, read_only=True) as session:
        return build_report(
            session,
            ALL,
            unit.public_id,
            since=TODAY - timedelta(days=28),
            as_at=TODAY,
            day=TODAY,
            day_end=clock.end_of(TODAY, "UTC"),
            expiry=DEFAULT_EXPIRY,
            parts=[PartName.BALLOTS],
        )


def _told(unit: Named) -> dict[str, Any]:
    return {row.measure: row for row in figure_rows(_pack(unit))}


def test_a_declared_ballot_is_told_as_it_was_counted(app: Any, world: World) -> None:
    _ballot(world, declared=TODAY - timedelta(days=5))
    for unit in (world.branch, world.mill):
        found = _told(unit)
        assert found["voted"].name == "Rota ballot"
        assert (found["voted"].numerator, found["voted"].out_of_high) == (60, 100)
        assert found["voted"].low == 0.6
        assert [found[name].numerator for name in ("yes", "no", "spoiled")] == [58, 1, 1]
        assert found["mandates"].low == 1
        assert found["days_left"].numerator == "[z]"
    assert _told(world.depot) == {}
    with app.test_request_context():
        (part,) = wording.show(_pack(world.mill), lines=10)
        assert part.title == "Rota ballot: 60% (60 of 100) voted"
        assert part.tables[0].rows[0][-2] == "yes"


def test_no_count_is_told_before_the_ballot_is_declared(world: World) -> None:
    _ballot(world, declared=TODAY + timedelta(days=1))
    found = _told(world.mill)
    assert {row.numerator for row in found.values()} == {"[z]"}


def test_a_ballot_without_a_result_has_one_line_that_says_where_it_stands(
    app: Any, world: World
) -> None:
    _ballot(world, separate=True, closes_on=TODAY - timedelta(days=1))
    with unit_of_work(ALL) as session:
        first = session.scalars(ALL.select(BallotQuestion)).one()
        second = {"number": 2, "kind": "short_of_strike"}
        session.add(BallotQuestion(ballot_id=first.ballot_id, place_id=first.place_id, **second))
    pack = _pack(world.branch)
    (line,) = pack.parts[0].tables[0].lines
    with app.test_request_context():
        words = wording.line_name(pack, line)
    assert words == "Rota ballot: voting is over, not declared yet"


def test_workplaces_that_voted_apart_are_summed_and_told_one_by_one(app: Any, world: World) -> None:
    _ballot(world, separate=True, declared=TODAY)
    with unit_of_work(ALL) as session:
        count = session.scalars(ALL.select(BallotCount)).one()
        first = session.scalars(ALL.select(BallotPart)).one()
        second = BallotPart(
            ballot_id=first.ballot_id, place_id=world.depot.id, jurisdiction=first.jurisdiction
        )
        session.add(second)
        session.flush()
        count.part_id = first.id
        of_it = {"question_id": count.question_id, "ballot_id": first.ballot_id}
        # Four papers are too few to hand round, so nobody learns how the Depot voted.
        few = {"entitled": 6, "cast": 4, "yes": 4, "no": 0, "spoiled": 0}
        session.add(
            BallotCount(part_id=second.id, place_id=count.place_id, recorded_at=NOW, **of_it, **few)
        )
    (part,) = _pack(world.branch).parts
    (whole,) = part.table("ballots").lines
    passed = whole["mandates"]
    assert (whole.name, passed.numerator, passed.out_of_high, passed.not_known) == (
        "Rota ballot",
        1,
        2,
        1,
    )
    assert [(line.name, line["yes"].numerator) for line in part.table("ballot_places").lines] == [
        (f"Rota ballot: {world.depot.name}", "[c]"),
        (f"Rota ballot: {world.mill.name}", 58),
    ]
    with app.test_request_context():
        (shown,) = wording.show(_pack(world.branch), lines=10)
    assert shown.title == "Rota ballot: passed at 1 to 2 of 2 workplaces"
    assert shown.tables[0].rows[0][-2] == "1 to 2 of 2"
    # Whoever holds one of them reads of that one alone.
    assert {row.name for row in figure_rows(_pack(world.mill))} == {
        f"Rota ballot: {world.mill.name}"
    }


def test_an_indicative_ballot_is_stamped_everywhere_and_passes_nothing(
    app: Any, world: World
) -> None:
    _ballot(world, kind="indicative", declared=TODAY)
    pack = _pack(world.mill)
    assert {row.name for row in figure_rows(pack)} == {"[indicative] Rota ballot"}
    told = {row.measure: row for row in figure_rows(pack)}
    assert (told["yes"].numerator, told["mandates"].numerator) == (58, "[z]")
    with app.test_request_context():
        (part,) = wording.show(pack, lines=10)
    stamped = "INDICATIVE, no ballot in law: Rota ballot"
    assert part.title == f"{stamped}: 60% (60 of 100) voted"
    assert part.tables[0].rows[0][0] == stamped


def test_a_ballot_that_goes_on_says_the_days_left(world: World) -> None:
    _ballot(world, closes_on=TODAY + timedelta(days=6))
    assert _told(world.mill)["days_left"].numerator == 6


def test_a_ballot_called_off_later_still_goes_on_in_the_report(world: World) -> None:
    closes = TODAY + timedelta(days=6)
    _ballot(world, closes_on=closes, called_off_on=TODAY + timedelta(days=1))
    assert _told(world.mill)["days_left"].numerator == 6


def test_a_ballot_called_off_by_the_day_has_no_days_left(world: World) -> None:
    _ballot(world, closes_on=TODAY + timedelta(days=6), called_off_on=TODAY)
    assert _told(world.mill)["days_left"].numerator == "[z]"


def test_a_count_of_fewer_than_five_papers_is_hidden(world: World) -> None:
    _ballot(world, declared=TODAY, cast=4)
    found = _told(world.mill)
    assert {row.numerator for name, row in found.items() if name != "days_left"} == {"[c]"}
