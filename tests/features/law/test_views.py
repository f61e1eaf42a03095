"""Rules on screen with who has checked them, first days of changes, and sums of recognition."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from crm.domain.rules import rule_books
from crm.features.law import service
from crm.models.audit import AuditEntry
from crm.models.law import LawChange, RuleCheck
from crm.reads.law import begun_changes
from crm.web.db import unit_of_work
from tests.factories import ALL, Named, World

Clients = Callable[[Named], FlaskClient]
REPEAL = "gb.era2025.s68"
SECTION_68 = "Turnout test goes, and spoiled papers no longer count as votes"


@pytest.mark.parametrize("code", list(rule_books()))
def test_every_rule_of_every_law_stands_on_its_page(
    client_as: Clients, world: World, code: str
) -> None:
    page = client_as(world.rep).get(f"/ballots/rules?law={code}").text
    book = rule_books()[code]
    assert page.count("<code>") == len(book.rules)
    for rule in book.rules:
        assert f"<code>{rule.id}</code>" in page
    assert "Nobody has checked" in page


def test_only_rules_in_force_are_shown_when_a_day_is_asked_for(
    client_as: Clients, world: World
) -> None:
    client = client_as(world.rep)
    then = client.get("/ballots/rules?law=GB&on=2026-02-17").text
    now = client.get("/ballots/rules?law=GB&on=2026-02-18").text
    assert "gb.ia.support40_ips" in then
    assert "gb.ia.support40_ips" not in now
    assert "40% of people entitled to vote" in then


def test_who_runs_the_server_says_that_a_rule_was_checked_and_its_words_make_the_check(
    client_as: Clients, world: World
) -> None:
    rule = next(one for one in rule_books()["GB"].rules if one.id == "gb.ia.scrutineer")
    client = client_as(world.admin)
    reply = client.post("/ballots/rules/checked?law=GB", data={"rows": service.row_key(rule)})
    assert reply.status_code == 303
    page = client.get("/ballots/rules?law=GB").text
    assert "Checked " in page
    assert "by Ade Admin" in page
    with unit_of_work(ALL) as session:
        row = session.scalars(sa.select(RuleCheck)).one()
        assert (row.rule_id, row.words_hash) == (rule.id, rule.words_hash)
        audit = session.scalars(ALL.select(AuditEntry).where(AuditEntry.subject == "rule_check"))
        assert [one.actor_id for one in audit] == [world.admin.id]
        row.words_hash = "0" * 64
    assert "by Ade Admin" not in client.get("/ballots/rules?law=GB").text


def test_a_check_of_nothing_is_refused(client_as: Clients, world: World) -> None:
    reply = client_as(world.admin).post("/ballots/rules/checked", data={"rows": "gb.none 00"})
    assert reply.status_code == 422
    assert "Tick the rules whose source you have read, then save." in reply.text


@pytest.mark.parametrize("path", ["checked", "began"])
@pytest.mark.parametrize("who", ["rep", "organiser", "officer"])
def test_nobody_else_writes_about_the_law(
    client_as: Clients, world: World, who: str, path: str
) -> None:
    reply = client_as(getattr(world, who)).post(f"/ballots/rules/{path}", data={"change": REPEAL})
    assert reply.status_code == 403


def test_a_change_of_law_gets_its_first_day_and_loses_it_again(
    client_as: Clients, world: World
) -> None:
    client = client_as(world.admin)
    data = {"change": REPEAL, "began_on": "2027-04-06", "source": "SI 2027/1"}
    assert client.post("/ballots/rules/began", data=data).status_code == 303
    with unit_of_work(ALL) as session:
        assert begun_changes(session, ALL) == {REPEAL: date(2027, 4, 6)}
    after = client.get("/ballots/rules?law=GB&on=2027-04-06").text
    assert "gb.ia.turnout50" not in after
    assert "Began 6 April 2027" in after
    assert client.post("/ballots/rules/began", data={**data, "began_on": ""}).status_code == 303
    with unit_of_work(ALL) as session:
        assert begun_changes(session, ALL) == {}
        assert len(session.scalars(sa.select(LawChange)).all()) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"began_on": "2025-12-17"},
            "This change was made on a later day. Check the day it began.",
        ),
        (
            {"source": ""},
            "Say where the day is laid down, such as the number of the regulations.",
        ),
        ({"began_on": "soon"}, "Enter a date like 14/05/2026, or pick one."),
    ],
)
def test_a_first_day_that_cannot_be_is_refused_and_nothing_is_stored(
    client_as: Clients, world: World, changes: dict[str, str], message: str
) -> None:
    data = {"change": REPEAL, "began_on": "2027-04-06", "source": "SI 2027/1", **changes}
    reply = client_as(world.admin).post("/ballots/rules/began?law=GB", data=data)
    assert reply.status_code == 422
    assert message in reply.text
    with unit_of_work(ALL) as session:
        assert session.scalars(sa.select(LawChange)).all() == []


def test_a_change_that_no_file_names_is_not_found(client_as: Clients, world: World) -> None:
    data = {"change": "gb.none", "began_on": "2027-04-06", "source": "SI 2027/1"}
    assert client_as(world.admin).post("/ballots/rules/began", data=data).status_code == 404


def _sums(client: FlaskClient, **numbers: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in numbers.items())
    return client.get(f"/ballots/recognition?{query}").text


@pytest.mark.parametrize(
    ("members", "words"), [("10", "Needed: 10 (members in the unit)."), ("9", "1 more.")]
)
def test_one_in_ten_members_lets_a_claim_be_heard(
    client_as: Clients, world: World, members: str, words: str
) -> None:
    page = _sums(client_as(world.rep), law="GB", on="2026-11-23", unit="100", members=members)
    assert words in page


def test_forty_in_a_hundred_of_the_unit_were_needed_before_april_2026(
    client_as: Clients, world: World
) -> None:
    client = client_as(world.rep)
    counts = {"law": "GB", "unit": "100", "valid": "60", "yes": "39"}
    before = _sums(client, on="2026-04-05", **counts)
    after = _sums(client, on="2026-04-06", **counts)
    assert "Recognition ballot: four in ten of the unit" in before
    assert "39 of 100: 39.0%." in before
    assert "Recognition ballot: four in ten of the unit" not in after
    assert "39 of 60: 65.0%." in after


def test_a_tie_loses_an_election_in_the_united_states(client_as: Clients, world: World) -> None:
    client = client_as(world.rep)
    tie = _sums(client, law="US", on="2026-11-23", unit="100", valid="80", yes="40")
    assert "Needed: 41 (yes votes). 1 more." in tie
    won = _sums(client, law="US", on="2026-11-23", unit="100", valid="80", yes="41")
    assert "41 of 80: 51.3%." in won
    assert "more." not in won.split("Winning the election")[1].split("</li>")[0]


def test_what_is_not_entered_is_not_known_and_never_a_no(client_as: Clients, world: World) -> None:
    page = _sums(client_as(world.rep), law="GB", on="2026-11-23", unit="100")
    assert "A number is missing." in page
    assert "Not met" not in page


def test_a_count_that_is_no_number_is_refused_with_what_was_typed(
    client_as: Clients, world: World
) -> None:
    reply = client_as(world.rep).get("/ballots/recognition?law=GB&on=2026-11-23&unit=-4&yes=12")
    assert reply.status_code == 422
    assert "Enter a whole number from 0 up, or leave it empty." in reply.text
    assert 'value="12"' in reply.text
