"""Drafts of notices: exactly what the law of the day asks for, numbers that add up, no names."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.domain.notices import ASKED, Item, Letter, asked_of, content_rule
from crm.domain.rules import KeyDate, rule_book
from crm.models.audit import AuditEntry
from crm.models.ballots import Ballot, BallotCount, BallotPart, BallotQuestion
from crm.models.places import Union, Workplace
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

Clients = Callable[[Named], FlaskClient]
GB = rule_book("GB")


def test_every_row_on_content_has_been_read_for_what_it_asks() -> None:
    rows = {
        (rule.id, rule.from_ or rule.from_change)
        for rule in GB.rules
        if rule.id.endswith(("_content", ".result_info"))
    }
    assert set(ASKED) == rows


@pytest.mark.parametrize(
    ("letter", "key", "day", "asked"),
    [
        (Letter.BALLOT_NOTICE, KeyDate.BALLOT_OPENING, date(2026, 2, 17), 8),
        (Letter.BALLOT_NOTICE, KeyDate.BALLOT_OPENING, date(2026, 2, 18), 5),
        (Letter.ACTION_NOTICE, KeyDate.NOTICE_GIVEN, date(2026, 2, 18), 7),
        (Letter.RESULT_NOTICE, KeyDate.RESULT, date(2026, 11, 23), 5),
    ],
)
def test_the_day_picks_what_a_letter_must_say(
    letter: Letter, key: KeyDate, day: date, asked: int
) -> None:
    rule = content_rule(GB, letter, {key: day})
    assert rule is not None
    assert len(asked_of(rule)) == asked


def test_after_the_change_of_law_the_result_no_longer_says_how_many_were_entitled() -> None:
    begun = {"gb.era2025.s68": date(2027, 4, 6)}
    rule = content_rule(GB, Letter.RESULT_NOTICE, {KeyDate.RESULT: date(2027, 5, 1)}, begun=begun)
    assert rule is not None
    assert not {Item.ENTITLED, Item.HALF_VOTED} & set(asked_of(rule))


def test_where_no_row_says_what_to_write_there_is_no_draft() -> None:
    day = {KeyDate.NOTICE_GIVEN: date(2026, 2, 17)}
    assert content_rule(GB, Letter.ACTION_NOTICE, day) is None


@pytest.fixture
def ballot(world: World) -> uuid.UUID:
    """A ballot of Barnsley branch with six more members at the Mill; returns its public id."""
    return _ballot(world)


def _ballot(world: World, **changes: Any) -> uuid.UUID:
    with unit_of_work(ALL) as session:
        values = {
            "name": "Pay 2027",
            "kind": "action",
            "union_id": world.union.id,
            "jurisdiction": "GB",
            "separate": False,
            "opens_on": date(2026, 12, 10),
            "closes_on": date(2027, 1, 8),
            "action_continuous": False,
            "action_days": "1 and 2 February 2027",
            "place_id": world.branch.id,
            "created_at": NOW,
            **changes,
        }
        row = Ballot(**values)
        session.add(row)
        session.flush()
        at_branch = {"ballot_id": row.id, "place_id": world.branch.id}
        question = BallotQuestion(number=1, kind="strike", **at_branch)
        session.add(question)
        for place in (world.mill, world.depot):
            session.add(BallotPart(ballot_id=row.id, place_id=place.id, jurisdiction="GB"))
        session.flush()
        session.add(
            BallotCount(
                question_id=question.id,
                entitled=8,
                cast=6,
                yes=5,
                no=1,
                spoiled=0,
                recorded_at=NOW,
                **at_branch,
            )
        )
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        union = session.scalars(ALL.select(Union).where(Union.id == world.union.id)).one()
        for number, title in enumerate(["Packer"] * 4 + ["Driver"] * 2):
            person = factories.make_person(session, mill, f"Hidden {number}", job_title=title)
            factories.make_membership(session, person, union)
        return row.public_id


def _plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_ballot_notice_lists_categories_and_workplaces_and_the_total_only(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    page = client_as(world.organiser).get(f"/ballots/{ballot}/letters/ballot_notice").text
    text = _plain(page)
    assert "the ballot opens on 10 December 2026." in text
    assert "Driver Packer" in text
    assert "(job title not known)" in text
    assert "The Depot The Mill" in text
    assert "The total number of employees concerned is 8." in text
    assert "Number at each workplace" not in text
    assert "DRAFT. Check with your union before it goes out." in text
    assert "Hidden" not in page
    assert "Ioana" not in page


def test_the_action_notice_adds_the_number_at_each_workplace_and_the_days(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    page = client_as(world.organiser).get(f"/ballots/{ballot}/letters/action_notice").text
    text = _plain(page)
    assert "The Depot 1 The Mill 7" in text
    assert "discontinuous: on single days." in text
    assert "1 and 2 February 2027" in text
    assert "How the figures were worked out" in text


def test_the_result_notice_says_every_number_that_is_owed(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    text = _plain(client_as(world.organiser).get(f"/ballots/{ballot}/letters/result_notice").text)
    assert "All workplaces together: 8" in text
    assert "All workplaces together: 6" in text
    assert "Strike 5 1" in text
    assert "at least half voted (75.0%)." in text


def test_numbers_of_the_union_go_before_ours_and_the_page_says_where_they_differ(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        part = session.scalars(
            ALL.select(BallotPart).where(BallotPart.place_id == world.mill.id)
        ).one()
        part.stated_members = 30
    client = client_as(world.organiser)
    text = _plain(client.get(f"/ballots/{ballot}/letters/ballot_notice").text)
    assert "The total number of employees concerned is 31." in text
    page = client.get(f"/ballots/{ballot}/letters").text
    assert "The union counts other numbers than our list at: The Mill." in page


def test_the_word_file_holds_the_same_and_tells_nothing_of_who_made_it(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    reply = client_as(world.organiser).get(f"/ballots/{ballot}/letters/action_notice.docx")
    assert reply.status_code == 200
    parts = zipfile.ZipFile(io.BytesIO(reply.data))
    body = _plain(parts.read("word/document.xml").decode())
    assert "The Depot 1 The Mill 7" in body
    assert "Hidden" not in body
    heads = [name for name in parts.namelist() if "header" in name]
    assert any("DRAFT." in parts.read(name).decode() for name in heads)
    about = parts.read("docProps/core.xml").decode()
    assert "python-docx" not in about
    assert "Ana" not in about
    with unit_of_work(ALL) as session:
        row = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "ballot_letter")
        ).one()
        assert row.verb == "export"
        assert row.actor_id == world.organiser.id


def test_a_word_file_of_the_practice_copy_says_so(
    app: Any,
    client_as: Clients,
    world: World,
    ballot: uuid.UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(app.config, "PRACTICE", True)
    reply = client_as(world.organiser).get(f"/ballots/{ballot}/letters/action_notice.docx")
    parts = zipfile.ZipFile(io.BytesIO(reply.data))
    heads = [parts.read(name).decode() for name in parts.namelist() if "header" in name]
    assert any("PRACTICE · DRAFT." in head for head in heads)
    assert "PRACTICE-action_notice.docx" in reply.headers["Content-Disposition"]


def test_other_employers_and_other_people_get_nothing(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    path = f"/ballots/{ballot}/letters/ballot_notice"
    organiser = client_as(world.organiser)
    assert organiser.get(f"{path}?employer={world.brightway.public_id}").status_code == 200
    assert organiser.get(f"{path}?employer={world.saltway.public_id}").status_code == 404
    assert organiser.get(f"{path}?employer=nonsense").status_code == 404
    assert client_as(world.rep).get(path).status_code == 403
    with unit_of_work(ALL) as session:
        inner = session.scalars(ALL.select(Ballot)).one()
        inner.place_id = world.dock.id
    assert organiser.get(path).status_code == 404


@pytest.mark.parametrize("changes", [{"kind": "indicative"}, {"jurisdiction": "DE"}])
def test_no_draft_is_made_up_where_no_law_asks_for_one(
    client_as: Clients, world: World, changes: dict[str, str]
) -> None:
    ballot = _ballot(world, **changes)
    client = client_as(world.organiser)
    assert client.get(f"/ballots/{ballot}/letters/ballot_notice").status_code == 404
    assert client.get(f"/ballots/{ballot}/letters/ballot_notice.docx").status_code == 404
    page = client.get(f"/ballots/{ballot}/letters").text
    assert ("An indicative ballot needs none." in page) or ("Ask your union." in page)
