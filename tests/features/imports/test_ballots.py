"""Lists of ballots and their results."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from crm.access.ballots import Asked, BallotFacts, add_ballot
from crm.domain.balloting import QuestionCount
from crm.domain.vocabulary import BallotKind, QuestionKind
from crm.features.ballots.service import record_result
from crm.models.audit import AuditEntry
from crm.models.ballots import Ballot, BallotCount, BallotPart, BallotQuestion
from crm.models.base import table_of
from crm.reads.ballots import get_ballot
from crm.web.db import db, unit_of_work
from tests.factories import ALL, NOW, Named, World
from tests.features.imports import wizard
from tests.features.imports.wizard import as_csv

Clients = Callable[[Named], FlaskClient]
HEAD = ["Workplace", "Entitled", "Papers returned", "Yes", "No", "Spoilt", "Blank"]
MILL = ["The Mill", "1,204", "700", "500", "190", "7", "3"]
DEPOT = ["The Depot", "60", "30", "20", "10", "0", "0"]
TOTAL = ["Total", "1,264", "730", "520", "200", "7", "3"]
NO_SUCH_PLACE = (
    "No open workplace of this name is part of that place. Put the name right, or bring the "
    "workplaces in first."
)


def _state() -> dict[str, list[Any]]:
    """Everything stored of ballots."""
    with db.engine.connect().execution_options(crm_scope=True, read_only=True) as connection:
        return {
            table.name: sorted(
                tuple(str(value) for value in row)
                for row in connection.execute(sa.select(*columns))
            )
            for table, columns in (
                (one, [c for c in one.columns if c.name not in {"recorded_at", "recorded_by_id"}])
                for one in map(table_of, (Ballot, BallotQuestion, BallotPart, BallotCount))
            )
        }


def _answers(world: World, **more: str) -> dict[str, str]:
    return {
        "ballot_name": "Pay 2026",
        "question": "strike",
        "holder": str(world.branch.public_id),
        "union": str(world.union.public_id),
        "law": "GB",
        "opens_on": "2026-09-01",
        "closes_on": "2026-09-30",
        **more,
    }


def _to_check(client: FlaskClient, rows: Sequence[Sequence[Any]], **chosen: str) -> str:
    sent = wizard.upload(client, as_csv(rows), kind="ballots")
    assert sent.status_code == 303, sent.text
    answer = wizard.match(client, sent.location, **chosen)
    if answer.location.endswith("/values"):
        data = wizard.form_of(client, answer.location, "values")
        answer = client.post(answer.location, data=data)
    assert answer.location.endswith("/check"), answer.location
    return answer.location.removesuffix("/check")


def test_a_result_comes_in_once_and_goes_again_wholly(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    before = _state()
    rows = [["The ballot on pay"], [], HEAD, MILL, DEPOT, TOTAL]
    path = _to_check(client, rows, **_answers(world))
    assert wizard.figures(wizard.counts(client, f"{path}/check")) == (2, 0, 0)
    assert _state() == before
    wizard.start(app, client, path)
    with unit_of_work(ALL, read_only=True) as session:
        stored = session.scalars(ALL.select(Ballot)).one()
        ballot = get_ballot(session, ALL, stored.public_id)
        written = session.scalars(
            ALL.select(AuditEntry.subject).where(
                AuditEntry.request_id == path.rsplit("/", 1)[1].replace("-", "")
            )
        ).all()
    assert {part.name for part in ballot.parts} == {"The Mill", "The Depot"}
    assert ballot.separate
    (mill,) = [part.result for part in ballot.parts if part.name == "The Mill"]
    assert mill is not None
    (count,) = mill.counts.values()
    assert (count.entitled, count.cast, count.yes, count.no, count.spoiled) == (
        *(1204, 700, 500, 190, 10),
    )
    # 700 of 1,204 is 58%; the law of September 2026 asks for half.
    assert mill.passed is not False
    assert {"ballot", "ballot_question", "ballot_part", "ballot_count"} <= set(written)
    again = _to_check(client, rows, **_answers(world))
    assert wizard.figures(wizard.counts(client, f"{again}/check")) == (0, 0, 2)
    # The same paper asked a second question, and one number was put right.
    second = _to_check(
        client,
        [HEAD, MILL, ["The Depot", "60", "30", "21", "9", "0", "0"]],
        **_answers(world, ballot=str(ballot.public_id), question="short_of_strike"),
    )
    assert wizard.figures(wizard.counts(client, f"{second}/check")) == (2, 0, 0)
    wizard.start(app, client, second)
    between = _state()
    right = _to_check(client, [HEAD, ["The Depot", "", "", "22", "8", "0", "0"]], **_answers(world))
    assert wizard.figures(wizard.counts(client, f"{right}/check")) == (0, 1, 0)
    wizard.start(app, client, right, looked="y")
    wizard.undo(app, client, right)
    assert _state() == between
    # The first list cannot take its ballot away while the second one's counts hang on it.
    wizard.undo(app, client, path)
    assert "Somebody has changed these since." in client.get(path).text
    wizard.undo(app, client, second)
    with unit_of_work(ALL, read_only=True) as session:
        assert len(session.scalars(ALL.select(BallotQuestion)).all()) == 1


def test_a_list_that_nobody_built_on_leaves_nothing_behind(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    before = _state()
    path = _to_check(client, [HEAD, MILL, DEPOT], **_answers(world))
    wizard.start(app, client, path)
    assert _state() != before
    wizard.undo(app, client, path)
    assert _state() == before
    assert "2 rows were taken back." in client.get(path).text


def test_what_cannot_be_is_a_problem_of_its_row(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    rows = [
        [*HEAD[:6], "Ballot", "Closed", "Opened"],
        ["The Mill", "100", "120", "80", "30", "10", "More than may", "2026-09-30", "2026-09-01"],
        ["The Mill", "100", "90", "80", "30", "10", "Does not add", "2026-09-30", "2026-09-01"],
        ["The Moon", "100", "90", "50", "30", "10", "Moon", "2026-09-30", "2026-09-01"],
        ["The Mill", "100", "90", "50", "30", "10", "No day", "", "2026-09-01"],
        ["The Mill", "100", "90", "50", "30", "10", "Backwards", "2026-09-30", "2026-10-01"],
        ["The Mill", "100", "", "", "", "", "", "2026-09-30", "2026-09-01"],
        ["The Mill", "ten", "", "", "", "", "Words", "2026-09-30", "2026-09-01"],
        ["The Mill", "100", "90", "50", "30", "10", "Twice", "2026-09-30", "2026-09-01"],
        ["The Mill", "100", "90", "50", "30", "10", "Twice", "2026-09-30", "2026-09-01"],
        ["The Mill", "100", "", "80", "30", "", "More votes", "2026-09-30", "2026-09-01"],
    ]
    path = _to_check(client, rows, **_answers(world, ballot_name="", opens_on="", closes_on=""))
    found = wizard.counts(client, f"{path}/check")
    assert (found["New"], found["Has a problem"]) == (1, 9)
    page = client.get(f"{path}/check").text
    for said in (
        "More papers came back than people were entitled to vote. Check both numbers.",
        "Yes, no and spoiled must add up to the papers that came back. Check the four numbers.",
        NO_SUCH_PLACE,
        "The last day of voting is not said. Put it in, or enter one for the whole list.",
        "The ballot closes before it opens. Check both days.",
        "There is no name of a ballot in this row. Put it in, or leave the row out.",
        "This is not a number of people. Write it like 1,204.",
        "This row counts the same votes as row 9. Leave one of the two out.",
    ):
        assert said in page, said


def test_a_ballot_is_of_one_union_and_closed_and_a_corrected_row_speaks_for_itself(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    head = [*HEAD[:6], "Union"]
    mine, theirs = world.union.name, world.other_union.name
    path = _to_check(
        client,
        [head, ["The Mill", "100", "90", "50", "30", "10", mine], [*DEPOT[:6], theirs]],
        **_answers(world),
    )
    found = wizard.counts(client, f"{path}/check")
    assert (found["New"], found["Has a problem"]) == (1, 1)
    page = client.get(f"{path}/check").text
    assert "Row 2 gives this ballot another union. Put one of the two right." in page
    wizard.start(app, client, path, looked="y")
    other = _to_check(
        client, [HEAD, DEPOT], **_answers(world, union=str(world.other_union.public_id))
    )
    assert "A ballot of this name is another union’s." in client.get(f"{other}/check").text
    # Papers, yes and no say how many were spoiled, whatever was worked out before.
    right = _to_check(client, [HEAD[:5], ["The Mill", "100", "90", "52", "30"]], **_answers(world))
    assert wizard.figures(wizard.counts(client, f"{right}/check")) == (0, 1, 0)
    wizard.start(app, client, right, looked="y")
    with unit_of_work(ALL) as session:
        count = session.scalars(ALL.select(BallotCount)).one()
        assert (count.cast, count.yes, count.no, count.spoiled) == (90, 52, 30, 8)
        ballot = session.scalars(ALL.select(Ballot)).one()
        ballot.closes_on, key = date(2026, 12, 31), ballot.public_id
    # What the check says is what starting does: votes may still come in.
    open_still = _to_check(client, [HEAD, DEPOT], ballot=str(key), question="strike")
    assert (
        "A result is known only after the last day of voting."
        in client.get(f"{open_still}/check").text
    )


def test_a_workplace_outside_the_scope_reads_like_one_that_is_not_there(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    pages = []
    for site in ("The Dock", "Nowhere at all"):
        path = _to_check(client, [HEAD, [site, *DEPOT[1:]]], **_answers(world))
        page = client.get(f"{path}/check").text.replace(site, "X").replace(path, "")
        pages.append(page.split("<main")[1].split("</main>")[0])
    assert pages[0] == pages[1]
    assert NO_SUCH_PLACE in pages[0]


def test_the_matching_page_says_what_is_missing_and_offers_no_ballot_of_others(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    sent = wizard.upload(client, as_csv([HEAD, MILL]), kind="ballots")
    untouched = wizard.form_of(client, sent.location, "matching")
    page = client.get(sent.location).text
    assert "Hull branch" not in page
    assert "Dock" not in page.split('id="holder"')[1].split("</select>")[0]
    for without, said in (
        ("ballot_name", "Choose the ballot, give a new one a name, or choose the column"),
        ("question", "Say what was asked, or choose the column that says it."),
        ("holder", "Say whose ballot it is."),
        ("law", "Choose the law that the ballot was held under."),
        ("closes_on", "Enter the last day of voting, or choose the column that holds it."),
    ):
        answer = client.post(sent.location, data={**untouched, **_answers(world), without: ""})
        assert answer.status_code == 422, without
        assert said in answer.text
    answer = client.post(
        sent.location, data={**untouched, **_answers(world, closes_on="2027-01-01")}
    )
    assert "A result is known only after the last day of voting. Check the days." in answer.text


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_count_that_is_typed_in_while_a_list_brings_it_stands_once(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    """On PostgreSQL two write at a time: the list waits until the page is done."""
    with unit_of_work(ALL) as session:
        stored = add_ballot(
            session,
            ALL,
            BallotFacts(
                *("Pay 2026", BallotKind.ACTION, "GB", True, None, False, None),
                *(date(2026, 9, 1), date(2026, 9, 30), None),
            ),
            [Asked(QuestionKind.STRIKE)],
            ballot_id=uuid4(),
            place_id=world.branch.id,
            union_id=world.union.id,
            workplaces=[world.mill.id],
            now=NOW,
        )
        ballot = get_ballot(session, ALL, stored.public_id)
    client = client_as(world.organiser)
    path = _to_check(client, [HEAD, MILL], **_answers(world))
    importing = threading.Thread(target=wizard.start, args=(app, client, path))
    with unit_of_work(ALL) as session:
        record_result(
            session,
            ALL,
            ballot.public_id,
            {ballot.questions[0].public_id: QuestionCount(1204, 700, 480, 210, 10)},
            part_id=ballot.parts[0].public_id,
            now=NOW,
            today=NOW.date(),
        )
        importing.start()
        importing.join(2)
    importing.join(20)
    with unit_of_work(ALL, read_only=True) as session:
        counts = session.scalars(ALL.select(BallotCount)).all()
        assert [(one.yes, one.no) for one in counts] == [(500, 190)]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_count_that_is_put_right_while_its_list_is_taken_back_stays(
    app: Flask, client_as: Clients, world: World, fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    path = _to_check(client, [HEAD, MILL], **_answers(world))
    wizard.start(app, client, path)
    with unit_of_work(ALL, read_only=True) as session:
        stored = session.scalars(ALL.select(Ballot)).one()
        ballot = get_ballot(session, ALL, stored.public_id)
    undoing = threading.Thread(target=wizard.undo, args=(app, client, path))
    with unit_of_work(ALL) as session:
        record_result(
            session,
            ALL,
            ballot.public_id,
            {ballot.questions[0].public_id: QuestionCount(1204, 700, 480, 210, 10)},
            part_id=ballot.parts[0].public_id,
            now=NOW,
            today=NOW.date(),
        )
        undoing.start()
        undoing.join(2)
    undoing.join(20)
    with unit_of_work(ALL, read_only=True) as session:
        counts = session.scalars(ALL.select(BallotCount)).all()
        assert [(one.yes, one.no) for one in counts] == [(480, 210)]
    assert "Somebody has changed these since." in client.get(path).text
