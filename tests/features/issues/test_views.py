"""What matters to people: counts of people, what nobody knows, and whose words are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.features.issues import queries
from crm.features.issues.views import share_text
from crm.models.conversations import Conversation, ConversationIssue, ConversationNote
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

Clients = Callable[[Named], FlaskClient]

pytestmark = pytest.mark.usefixtures("fixed_clock")


def _talk(
    who: Named,
    where: Named,
    *issues: str,
    day: date = TODAY,
    words: str | None = None,
    by: Named | None = None,
) -> None:
    of = {"contact_id": who.id, "place_id": where.id}
    with unit_of_work(ALL) as session:
        talk = Conversation(
            day=day, held_at=NOW, recorded_at=NOW, held_by_id=by.id if by else None, **of
        )
        session.add(talk)
        session.flush()
        session.add_all(
            ConversationIssue(conversation_id=talk.id, issue=issue, **of) for issue in issues
        )
        if words:
            session.add(
                ConversationNote(
                    conversation_id=talk.id,
                    author_id=by.id if by else None,
                    their_words=words,
                    language="en",
                    **of,
                )
            )


def _found(place: Named, **more: Any) -> queries.IssuesRaised:
    asked: dict[str, Any] = {"since": date(2026, 1, 1), "as_at": TODAY, **more}
    with unit_of_work(ALL, read_only=True) as session:
        return queries.get_issues(
            session, ALL, place.public_id, trend_from=date(2025, 12, 1), **asked
        )


def test_people_are_counted_once_however_often_they_say_it(world: World) -> None:
    for _time in range(3):
        _talk(world.ioana, world.packing, "pay", "heat")
    _talk(world.tomasz, world.yard, "pay")
    _talk(world.rukhsana, world.mill)
    total = _found(world.mill).total
    # Four people work at the Mill today: the leaver is gone, the placeholder is there.
    assert (total.on_list, total.talked, total.noted) == (4, 3, 2)
    assert total.by_issue == {"pay": 2, "heat": 1}
    assert (total.nothing_noted, total.not_talked) == (1, 1)


def test_areas_shifts_and_not_known_are_lines_of_their_own(world: World) -> None:
    _talk(world.ioana, world.packing, "pay")
    _talk(world.rukhsana, world.mill, "heat")
    found = _found(world.mill)
    areas = {one.name: (one.on_list, one.noted, dict(one.by_issue)) for one in found.areas}
    assert areas == {"Packing": (2, 1, {"pay": 1}), "Yard": (1, 0, {}), None: (1, 1, {"heat": 1})}
    shifts = {one.name: (one.on_list, dict(one.by_issue)) for one in found.shifts}
    assert shifts == {"Nights": (2, {"pay": 1}), None: (2, {"heat": 1})}


def test_who_moved_keeps_what_they_said_and_who_left_is_not_on_the_list(world: World) -> None:
    # Said in the Yard, by somebody whose job is in Packing.
    _talk(world.ioana, world.yard, "shifts")
    _talk(world.leaver, world.mill, "pay", day=date(2026, 2, 10))
    found = _found(world.mill)
    assert found.total.by_issue == {"shifts": 1}
    assert [one.by_issue for one in found.areas if one.name == "Packing"] == [{"shifts": 1}]
    months = {one.first: (one.noted, dict(one.by_issue)) for one in found.months}
    assert months[date(2026, 2, 1)] == (1, {"pay": 1})
    assert len(found.months) == 12
    then = _found(world.mill, as_at=date(2026, 2, 20))
    assert then.total.by_issue == {"pay": 1}


def test_what_was_said_at_another_workplace_is_not_counted_here(world: World) -> None:
    with unit_of_work(ALL) as session:
        depot: Any = world.depot
        factories.make_job(session, world.ioana, depot)  # type: ignore[arg-type]
    _talk(world.ioana, world.depot, "breaks")
    assert _found(world.mill).total.by_issue == {}
    assert _found(world.depot).total.by_issue == {"breaks": 1}
    branch = _found(world.branch)
    assert branch.total.by_issue == {"breaks": 1}
    assert {one.name: dict(one.by_issue) for one in branch.workplaces} == {
        "The Depot": {"breaks": 1},
        "The Mill": {},
    }
    # At the Mill and at the Depot, but one person in the branch: 4 + 1 people.
    assert branch.total.on_list == 5


def test_only_talks_of_the_window_count(world: World) -> None:
    _talk(world.ioana, world.packing, "pay", day=date(2026, 3, 1))
    assert _found(world.mill, since=date(2026, 3, 1)).total.by_issue == {"pay": 1}
    assert _found(world.mill, since=date(2026, 3, 2)).total.by_issue == {}
    assert _found(world.mill, as_at=date(2026, 2, 28)).total.by_issue == {}


def test_the_page_says_the_base_and_what_is_not_known(world: World, client_as: Clients) -> None:
    _talk(world.ioana, world.packing, "pay")
    page = client_as(world.rep).get(f"/places/{world.mill.public_id}/issues").text
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "1 person of whom we noted what matters of 4 on the list" in text
    assert "3 people not talked to" in text
    assert "1 of 1 people" in text
    assert "100%" not in text
    assert "Raised by nobody yet:" in text


def test_a_share_of_few_people_is_said_without_a_percentage(app: Any) -> None:
    with app.test_request_context():
        assert share_text(6, 9) == "6 of 9 people"
        assert share_text(6, 12) == "6 of 12 people (50%)"


def test_words_are_for_those_who_may_read_notes_here_and_stand_without_names(
    world: World, client_as: Clients
) -> None:
    _talk(world.ioana, world.packing, "pay", words="Rent eats it all.", by=world.organiser)
    _talk(world.tomasz, world.yard, "heat", words="Forty degrees again.", by=world.rep)
    path = f"/places/{world.mill.public_id}/issues"
    organiser = client_as(world.organiser).get(path).text
    assert "Rent eats it all." in organiser
    assert "Forty degrees again." in organiser
    assert "Ioana" not in organiser
    only = client_as(world.organiser).get(path + "?issue=heat").text
    assert "Forty degrees again." in only
    assert "Rent eats it all." not in only
    for who in (world.rep, world.officer):
        page = client_as(who).get(path + "?issue=heat").text
        assert "Forty degrees again." not in page
        assert "Rent eats it all." not in page


def test_only_who_holds_the_whole_place_sees_its_page(world: World, client_as: Clients) -> None:
    def _status(who: Named, place: Named) -> int:
        return client_as(who).get(f"/places/{place.public_id}/issues").status_code

    assert _status(world.dock_rep, world.mill) == 404
    assert _status(world.rep, world.branch) == 404
    assert _status(world.admin, world.mill) == 403
    assert _status(world.organiser, world.branch) == 200
    assert _status(world.rep, world.packing) == 200


def test_places_link_to_it_only_for_those_who_may_open_it(world: World, client_as: Clients) -> None:
    link = f"/places/{world.branch.public_id}/issues"
    path = f"/places/branches/{world.branch.public_id}"
    assert link in client_as(world.organiser).get(path).text
    assert link not in client_as(world.rep).get(path).text
    assert link not in client_as(world.admin).get(path).text
    mill = f"/places/{world.mill.public_id}"
    assert f"{mill}/issues" in client_as(world.rep).get(mill).text


@pytest.mark.parametrize("query", ["?as_at=2099-01-01", "?as_at=soon", "?back=x", "?issue=x"])
def test_a_choice_that_is_not_offered_is_said_beside_its_field(
    world: World, client_as: Clients, query: str
) -> None:
    reply = client_as(world.organiser).get(f"/places/{world.mill.public_id}/issues{query}")
    assert reply.status_code == 200
    assert "There is a problem" in reply.text


def test_the_page_takes_the_same_statements_however_many_people(
    world: World, client_as: Clients, count_statements: list[str]
) -> None:
    client = client_as(world.organiser)
    path = f"/places/{world.mill.public_id}/issues"
    client.get(path)
    count_statements.clear()
    client.get(path)
    before = len(count_statements)
    with unit_of_work(ALL) as session:
        mill: Any = world.mill
        people = [factories.make_person(session, mill, f"Worker {number}") for number in range(9)]
        named = [Named(one.id, one.public_id, str(one.known_as)) for one in people]
    for one in named:
        _talk(one, world.mill, "pay", "hours")
    count_statements.clear()
    client.get(path)
    assert len(count_statements) == before <= 14
