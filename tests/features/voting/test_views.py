"""Who may vote and why not, the list that stays as it was made, and what people tell us."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.models.audit import AuditEntry
from crm.models.ballots import (
    Ballot,
    BallotEntry,
    BallotExclusion,
    BallotPart,
    BallotQuestion,
    VoteTold,
)
from crm.models.contacts import Contact
from crm.models.places import MemberCount, Workplace
from crm.web import tasks
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

Clients = Callable[[Named], FlaskClient]


@pytest.fixture
def ballot(world: World) -> uuid.UUID:
    """A ballot of Barnsley branch that is open; returns its public id."""
    return _ballot(world)


def _ballot(world: World, **changes: Any) -> uuid.UUID:
    with unit_of_work(ALL) as session:
        values = {
            "name": "Pay 2027",
            "kind": "action",
            "union_id": world.union.id,
            "jurisdiction": "GB",
            "separate": False,
            "opens_on": TODAY - timedelta(days=3),
            "closes_on": TODAY + timedelta(days=18),
            "last_post_on": TODAY + timedelta(days=14),
            "place_id": world.branch.id,
            "created_at": NOW,
            **changes,
        }
        row = Ballot(**values)
        session.add(row)
        session.flush()
        for place in (world.mill, world.depot):
            session.add(BallotPart(ballot_id=row.id, place_id=place.id, jurisdiction="GB"))
        session.add(
            BallotQuestion(ballot_id=row.id, place_id=world.branch.id, number=1, kind="strike")
        )
        return row.public_id


def _make(client: FlaskClient, ballot: uuid.UUID, day: date = TODAY) -> Any:
    return client.post(f"/ballots/{ballot}/voters", data={"day": day.isoformat()})


def _entries() -> dict[str, tuple[bool, str | None]]:
    with unit_of_work(ALL) as session:
        rows = session.execute(
            ALL.select(Contact.known_as, BallotEntry.entitled, BallotEntry.left_out).join(
                Contact, Contact.id == BallotEntry.contact_id
            )
        )
        return {
            str(name): (entitled, left_out and left_out.value) for name, entitled, left_out in rows
        }


def test_the_list_says_of_everybody_whether_they_may_vote_and_why_not(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        agency = factories.make_employer(session, "Temps")
        temp = factories.make_person(session, mill, "Hired H", employer_of_record_id=agency.id)
        union = session.scalars(
            ALL.select(factories.Union).where(factories.Union.id == world.union.id)
        ).one()
        factories.make_membership(session, temp, union)
    reply = _make(client_as(world.organiser), ballot)
    assert reply.status_code == 303
    assert _entries() == {
        "Ioana P": (True, None),
        "Marta S": (True, None),
        "Tomasz K": (False, "not_a_member"),
        "Rukhsana A": (False, "not_known_to_be_a_member"),
        "None": (False, "not_known_to_be_a_member"),
        "Hired H": (False, "other_employer"),
    }
    page = client_as(world.organiser).get(f"/ballots/{ballot}/voters").text
    assert "The list is made, as records stood for 23 November 2026." in page
    assert "2 have no home address" in page
    assert "of 6 with a job at these workplaces" in page


def test_people_who_join_later_are_not_on_the_list_and_the_log_keeps_counts_only(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    client = client_as(world.organiser)
    _make(client, ballot)
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == world.rukhsana.id)).one()
        union = session.scalars(
            ALL.select(factories.Union).where(factories.Union.id == world.union.id)
        ).one()
        factories.make_membership(session, contact, union)
    assert _entries()["Rukhsana A"] == (False, "not_known_to_be_a_member")
    with unit_of_work(ALL) as session:
        rows = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "ballot_entry")
        ).all()
        assert [(one.contact_id, one.new) for one in rows] == [
            (None, {"entitled": 2, "not_a_member": 1, "not_known_to_be_a_member": 2})
        ]
    _make(client, ballot)
    assert _entries()["Rukhsana A"] == (True, None)


def test_a_member_is_left_out_with_a_reason_and_taken_in_again(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    client = client_as(world.organiser)
    _make(client, ballot)
    path = f"/ballots/{ballot}/voters/{world.ioana.public_id}"
    assert client.post(path, data={"reason": "not_called_out"}).status_code == 303
    assert _entries()["Ioana P"] == (False, "not_called_out")
    _make(client, ballot)
    assert _entries()["Ioana P"] == (False, "not_called_out")
    assert client.post(path, data={"reason": ""}).status_code == 303
    assert _entries()["Ioana P"] == (True, None)
    with unit_of_work(ALL) as session:
        assert session.scalars(ALL.select(BallotExclusion)).one().ended_at is not None


def test_a_list_without_a_voter_is_refused(client_as: Clients, world: World) -> None:
    ballot = _ballot(world, union_id=world.other_union.id)
    reply = _make(client_as(world.organiser), ballot)
    assert reply.status_code == 422
    assert "nobody at these workplaces is known to be a member of this union." in reply.text
    assert _entries() == {}


def test_a_list_for_a_day_to_come_is_refused(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    reply = _make(client_as(world.organiser), ballot, TODAY + timedelta(days=1))
    assert reply.status_code == 422
    assert "This day has not come yet. Choose today or a day before." in reply.text


@pytest.mark.parametrize(("who", "status"), [("rep", 403), ("dock_rep", 403), ("admin", 403)])
def test_only_who_holds_the_whole_ballot_sees_its_list(
    client_as: Clients, world: World, ballot: uuid.UUID, who: str, status: int
) -> None:
    assert client_as(getattr(world, who)).get(f"/ballots/{ballot}/voters").status_code == status


def test_a_rep_notes_who_voted_at_their_own_place_and_sees_nobody_else(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    _make(client_as(world.organiser), ballot)
    rep = client_as(world.rep)
    page = rep.get(f"/ballots/{ballot}/votes").text
    assert "Ioana P" in page
    assert "Marta S" not in page
    path = f"/ballots/{ballot}/votes/{world.ioana.public_id}"
    assert rep.post(path, data={"said": "voted"}).status_code == 303
    assert rep.post(path, data={"paper": "asked"}).status_code == 303
    page = rep.get(f"/ballots/{ballot}/votes").text
    assert "of 1 who may vote at your places" in page
    assert "needs a new paper" in page
    other = f"/ballots/{ballot}/votes/{world.depot_worker.public_id}"
    assert rep.post(other, data={"said": "voted"}).status_code == 404
    with unit_of_work(ALL) as session:
        row = session.scalars(ALL.select(VoteTold)).one()
        assert (row.said, row.new_paper_asked, row.new_paper_sent) == ("voted", True, False)
        # Drawn by lot, so that the keys do not tell who told us first.
        assert row.id > 1000


def test_what_people_told_us_leaves_no_trace_in_the_log(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    _make(client_as(world.organiser), ballot)
    rep = client_as(world.rep)
    with unit_of_work(ALL) as session:
        before = len(session.scalars(ALL.select(AuditEntry)).all())
    path = f"/ballots/{ballot}/votes/{world.ioana.public_id}"
    for said in ("voted", "rather_not_say", "nothing"):
        assert rep.post(path, data={"said": said}).status_code == 303
    with unit_of_work(ALL) as session:
        assert len(session.scalars(ALL.select(AuditEntry)).all()) == before
        assert session.scalars(ALL.select(VoteTold)).all() == []


def test_the_table_of_what_was_told_holds_neither_when_nor_who_noted_it_nor_how() -> None:
    assert {column.name for column in VoteTold.__table__.columns} == {
        "id",
        "ballot_id",
        "contact_id",
        "place_id",
        "said",
        "new_paper_asked",
        "new_paper_sent",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"opens_on": TODAY + timedelta(days=1)},
        {"opens_on": None, "closes_on": None},
        {"called_off_on": TODAY},
        {
            "opens_on": TODAY - timedelta(days=30),
            "closes_on": TODAY - timedelta(days=9),
            "last_post_on": None,
            "declared_on": TODAY - timedelta(days=1),
        },
        {
            "opens_on": TODAY - timedelta(days=110),
            "closes_on": TODAY - timedelta(days=91),
            "last_post_on": None,
        },
    ],
)
def test_nothing_is_noted_before_voting_opens_or_after_the_result(
    client_as: Clients, world: World, changes: dict[str, Any]
) -> None:
    ballot = _ballot(world, **changes)
    with unit_of_work(ALL) as session:
        inner = session.scalars(ALL.select(Ballot)).one()
        part = session.scalars(ALL.select(BallotPart)).first()
        assert part is not None
        session.add(
            BallotEntry(
                ballot_id=inner.id,
                part_id=part.id,
                place_id=world.mill.id,
                contact_id=world.ioana.id,
                entitled=True,
            )
        )
    path = f"/ballots/{ballot}/votes/{world.ioana.public_id}"
    reply = client_as(world.rep).post(path, data={"said": "voted"}, follow_redirects=True)
    assert "Voting is not open, so nothing of voting is noted." in reply.text
    with unit_of_work(ALL) as session:
        assert session.scalars(ALL.select(VoteTold)).all() == []


@pytest.mark.parametrize(("days", "left"), [(90, 1), (91, 0)])
def test_what_we_were_told_goes_by_itself_where_nobody_declares_the_result(
    app: Flask, world: World, fixed_clock: None, days: int, left: int
) -> None:
    _ballot(
        world,
        opens_on=TODAY - timedelta(days=120),
        closes_on=TODAY - timedelta(days=days),
        last_post_on=None,
    )
    with unit_of_work(ALL) as session:
        inner = session.scalars(ALL.select(Ballot)).one()
        session.add(
            VoteTold(
                ballot_id=inner.id, contact_id=world.ioana.id, place_id=world.mill.id, said="voted"
            )
        )
    tasks.sweep(app)
    with unit_of_work(ALL, read_only=True) as session:
        assert len(session.scalars(ALL.select(VoteTold)).all()) == left
        trail = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "vote_told")
        ).all()
        assert [(one.actor_id, one.old) for one in trail] == [(None, {"rows": 1})] * (1 - left)


def test_somebody_without_a_vote_is_not_noted(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    _make(client_as(world.organiser), ballot)
    path = f"/ballots/{ballot}/votes/{world.tomasz.public_id}"
    reply = client_as(world.rep).post(path, data={"said": "voted"}, follow_redirects=True)
    assert "This person has no vote in this ballot." in reply.text


def test_the_pace_says_how_many_a_day_until_the_last_safe_post(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    client = client_as(world.organiser)
    _make(client, ballot)
    page = client.get(f"/ballots/{ballot}/votes").text
    # Half of 2 voters is 1; today and 14 days are left to post.
    assert "1 more are needed: 1 a day on the 15 days that are left to post." in page
    # Of two people it would say how one of them will act.
    assert "Turnout we may expect:" not in page
    client.post(f"/ballots/{ballot}/votes/{world.ioana.public_id}", data={"said": "voted"})
    assert "Enough people told us that they voted." in client.get(f"/ballots/{ballot}/votes").text


def test_where_each_workplace_votes_for_itself_each_has_its_own_pace(
    client_as: Clients, world: World
) -> None:
    ballot = _ballot(world, separate=True)
    with unit_of_work(ALL) as session:
        part = session.scalars(
            ALL.select(BallotPart).where(BallotPart.place_id == world.mill.id)
        ).one()
        part.stated_members = 40
    client = client_as(world.organiser)
    _make(client, ballot)
    client.post(f"/ballots/{ballot}/votes/{world.ioana.public_id}", data={"said": "voted"})
    words = re.sub(r"<[^>]+>|\s+", " ", client.get(f"/ballots/{ballot}/votes").text)
    words = re.sub(" +", " ", words)
    # Half of 40 at the Mill is 20, one of them told us; the Depot has one voter, who did not.
    assert f"{world.mill.name} 40 1 19 2 " in words
    assert f"{world.depot.name} 1 0 1 1 – –" in words
    # A rep of one of them sees no sums of the others.
    assert world.depot.name not in client_as(world.rep).get(f"/ballots/{ballot}/votes").text


@pytest.mark.parametrize(("kind", "stamped"), [("indicative", True), ("action", False)])
def test_today_stamps_a_vote_without_effect_in_law(
    client_as: Clients, world: World, kind: str, stamped: bool
) -> None:
    _ballot(world, kind=kind)
    page = client_as(world.rep).get("/").text
    assert ("Indicative, no ballot in law. Voting is open" in page) is stamped
    assert "oting is open: bring out the vote" in page


def test_what_the_union_stated_at_a_workplace_is_shown_and_not_taken_over_by_itself(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        for union, place, members in (
            (world.union.id, world.mill.id, 40),
            (None, world.depot.id, 7),
        ):
            session.add(
                MemberCount(
                    place_id=place,
                    union_id=union,
                    on_day=TODAY - timedelta(days=9),
                    members=members,
                    source_kind="union_list",
                    recorded_at=NOW,
                )
            )
    client = client_as(world.organiser)
    page = client.get(f"/ballots/{ballot}/voters").text
    assert "the union counted 40 members there on" in page
    # A number of all unions together is no union's own.
    assert "counted 7 members" not in page
    assert "how many the union counts is not known" in page
    assert "Written down here: 40 on" in client.get(f"/ballots/{ballot}/workplaces").text
    _make(client, ballot)
    assert "The union counts" not in client.get(f"/ballots/{ballot}/votes").text


def test_taking_the_list_back_erases_what_was_told(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    client = client_as(world.organiser)
    _make(client, ballot)
    client.post(f"/ballots/{ballot}/votes/{world.ioana.public_id}", data={"said": "voted"})
    assert client.post(f"/ballots/{ballot}/voters/forget").status_code == 303
    assert _entries() == {}
    with unit_of_work(ALL) as session:
        assert session.scalars(ALL.select(VoteTold)).all() == []
        assert session.scalars(ALL.select(Ballot)).one().frozen_on is None


def test_the_pages_need_no_more_statements_for_more_people(
    client_as: Clients, world: World, ballot: uuid.UUID, count_statements: list[str]
) -> None:
    client = client_as(world.organiser)
    _make(client, ballot)

    def _cost(path: str) -> int:
        client.get(path)
        count_statements.clear()
        client.get(path)
        return len(count_statements)

    paths = [f"/ballots/{ballot}/{name}" for name in ("voters", "votes", "plan")]
    few = [_cost(path) for path in paths]
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        union = session.scalars(
            ALL.select(factories.Union).where(factories.Union.id == world.union.id)
        ).one()
        for number in range(8):
            person = factories.make_person(session, mill, f"More {number}")
            factories.make_membership(session, person, union)
    _make(client, ballot)
    assert [_cost(path) for path in paths] == few
    assert max(few) <= 26


def test_members_whom_the_union_counts_and_we_cannot_name_are_in_what_is_needed(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        part = session.scalars(
            ALL.select(BallotPart).where(BallotPart.place_id == world.mill.id)
        ).one()
        part.stated_members = 40
    client = client_as(world.organiser)
    _make(client, ballot)
    client.post(f"/ballots/{ballot}/votes/{world.ioana.public_id}", data={"said": "voted"})
    page = client.get(f"/ballots/{ballot}/votes").text
    # Half of 41 voters is 21: the 40 at the Mill, of whom we name 1, and 1 at the Depot.
    assert "20 more are needed" in page
    assert "Enough people told us" not in page
    assert "The union counts 39 more members who may vote and are not on our list." in page
    assert "of 2 on our list who may vote at your places" in page


def test_what_people_said_does_not_change_how_many_may_vote(
    client_as: Clients, world: World, ballot: uuid.UUID
) -> None:
    client = client_as(world.organiser)
    _make(client, ballot)
    with unit_of_work(ALL) as session:
        part = session.scalars(
            ALL.select(BallotPart).where(BallotPart.place_id == world.mill.id)
        ).one()
        part.stated_members = 1
    client.post(f"/ballots/{ballot}/votes/{world.ioana.public_id}", data={"said": "voted"})
    assert "The union counts" not in client.get(f"/ballots/{ballot}/votes").text
