"""Ballots on screen: planned, counted, declared; who sees them; what is refused."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.access.scope import Grant, Scope
from crm.analysis.projection import DEFAULT_ASSUMPTIONS
from crm.domain.ballot_days import Step
from crm.domain.roles import Role
from crm.features.ballots.queries import list_all_scores
from crm.models.audit import AuditEntry
from crm.models.ballots import Ballot, BallotCount, BallotForecast, BallotPart, VoteTold
from crm.models.places import Union, Workplace
from crm.reads.ballots import list_due_steps
from crm.reads.forecasts import learn
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

Clients = Callable[[Named], FlaskClient]


@pytest.fixture
def plan(client_as: Clients, world: World) -> Callable[..., uuid.UUID]:
    """Plan a ballot as the organiser does; returns its public id."""

    def _plan(**changes: Any) -> uuid.UUID:
        ballot_id = uuid.uuid4()
        data = {
            "id": str(ballot_id),
            "place": str(world.branch.public_id),
            "union": str(world.union.public_id),
            "name": "Pay 2027",
            "kind": "action",
            "questions": ["strike", "short_of_strike"],
            "jurisdiction": "GB",
            "separate": "",
            "opens_on": "2026-10-01",
            "closes_on": "2026-10-30",
            **changes,
        }
        reply = client_as(world.organiser).post("/ballots/new", data=data)
        assert reply.status_code == 303, reply.text
        return ballot_id

    return _plan


def _counted(client: FlaskClient, ballot_id: uuid.UUID, **numbers: Any) -> Any:
    data = {f"q1_{name}": str(value) for name, value in numbers.items()}
    return client.post(f"/ballots/{ballot_id}/result", data=data)


def test_a_ballot_of_a_branch_asks_all_its_open_workplaces(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    page = client_as(world.organiser).get(f"/ballots/{ballot_id}").text
    assert "The Mill" in page
    assert "The Depot" in page
    assert "The Dock" not in page
    assert "Needs papers sent back: at least 50% of people entitled to vote" in page
    with unit_of_work(ALL) as session:
        audit = session.scalars(ALL.select(AuditEntry).where(AuditEntry.subject == "ballot")).one()
        assert audit.actor_id == world.organiser.id
        assert audit.place_id == world.branch.id


def test_sending_the_form_twice_plans_one_ballot(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    same = str(uuid.uuid4())
    plan(id=same)
    plan(id=same)
    with unit_of_work(ALL) as session:
        assert len(session.scalars(ALL.select(Ballot)).all()) == 1
        assert len(session.scalars(ALL.select(BallotPart)).all()) == 2


def test_a_rep_sees_the_ballot_with_their_own_workplace_and_no_other(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    page = client_as(world.rep).get(f"/ballots/{ballot_id}").text
    assert "The Mill" in page
    assert "The Depot" not in page
    assert "Barnsley branch" not in page
    assert "You see your own workplaces in this ballot. It may have others." in page
    assert "Pay 2027" in client_as(world.rep).get("/ballots").text
    assert client_as(world.rep).get(f"/ballots/{ballot_id}/change").status_code == 403


def test_nobody_else_learns_that_there_is_a_ballot(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    assert client_as(world.dock_rep).get(f"/ballots/{ballot_id}").status_code == 404
    assert "Pay 2027" not in client_as(world.dock_rep).get("/ballots").text
    assert client_as(world.admin).get(f"/ballots/{ballot_id}").status_code == 403


def test_a_ballot_at_a_place_of_others_is_not_planned(client_as: Clients, world: World) -> None:
    data = {
        "id": str(uuid.uuid4()),
        "place": str(world.dock.public_id),
        "union": str(world.union.public_id),
        "name": "Planted",
        "kind": "action",
        "questions": "strike",
        "jurisdiction": "GB",
    }
    assert client_as(world.organiser).post("/ballots/new", data=data).status_code == 404
    with unit_of_work(ALL) as session:
        assert session.scalars(ALL.select(Ballot)).all() == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "Give the ballot a name, such as “Pay 2027”."),
        (
            {"opens_on": "2026-11-02", "closes_on": "2026-11-01"},
            "The ballot closes before it opens. Check both days.",
        ),
        (
            {"opens_on": "2026-11-02", "closes_on": "2026-11-20", "last_post_on": "2026-11-21"},
            "The last safe day to post lies outside the days of the ballot. Check the three days.",
        ),
        ({"questions": []}, "Tick what is asked, or write the question."),
        ({"jurisdiction": "ZZ"}, "Choose a law from the list."),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(
    client_as: Clients, world: World, changes: dict[str, Any], message: str
) -> None:
    data = {
        "id": str(uuid.uuid4()),
        "place": str(world.branch.public_id),
        "union": str(world.union.public_id),
        "name": "Pay 2027",
        "kind": "action",
        "questions": ["strike"],
        "jurisdiction": "GB",
        **changes,
    }
    reply = client_as(world.organiser).post("/ballots/new", data=data)
    assert reply.status_code == 422
    assert message in reply.text
    with unit_of_work(ALL) as session:
        assert session.scalars(ALL.select(Ballot)).all() == []


def test_the_verdict_says_how_many_were_needed_and_what_an_open_change_would_make_of_it(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    client = client_as(world.organiser)
    numbers = {"entitled": 241, "cast": 120, "yes": 110, "no": 10, "spoiled": 0}
    assert _counted(client, ballot_id, **numbers).status_code == 303
    page = client.get(f"/ballots/{ballot_id}").text
    assert "120 of 241: 49.8%. Needed: 121 (papers sent back). 1 more." in page
    assert "Not carried" in page
    assert "If this had begun: “Turnout test goes, and spoiled papers no longer count" in page
    assert "– Carried." in page
    assert "The mandate" not in page


def test_a_carried_ballot_says_how_long_its_mandate_holds_and_when_to_renew_it(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    client = client_as(world.organiser)
    _counted(client, ballot_id, entitled=100, cast=60, yes=50, no=10, spoiled=0)
    page = client.get(f"/ballots/{ballot_id}").text
    assert "The mandate holds until 29 October 2027." in page
    link = f"/ballots/new?after={ballot_id}"
    assert link not in page  # Not declared yet.
    client.post(f"/ballots/{ballot_id}/declare", data={"declared_on": str(TODAY)})
    assert link in client.get(f"/ballots/{ballot_id}").text
    again = client.get(link).text
    assert re.search(r'value="reballot"[^>]*checked|checked[^>]*value="reballot"', again)
    for value in (world.branch.public_id, world.union.public_id):
        assert re.search(
            rf'<option[^>]*selected[^>]*value="{value}"|value="{value}" selected', again
        )
    assert "Pay 2027" not in again
    assert client.get(f"/ballots/new?after={uuid.uuid4()}").status_code == 404
    # 10 days of notice of action, 30 days of voting, 7 days of notice of the ballot.
    assert "Notice of a new ballot, so that no day is lost" in page
    assert "13 September 2027" in page


def test_counts_that_cannot_be_are_refused_beside_the_field_and_kept(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    reply = _counted(
        client_as(world.organiser), ballot_id, entitled=100, cast=60, yes=50, no=20, spoiled=0
    )
    assert reply.status_code == 422
    assert "Yes, no and spoiled must add up to the papers that came back." in reply.text
    assert 'value="50"' in reply.text
    with unit_of_work(ALL) as session:
        assert session.scalars(ALL.select(BallotCount)).all() == []


def test_a_count_before_the_last_day_of_voting_is_refused(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    later = (TODAY + timedelta(days=30)).isoformat()
    ballot_id = plan(closes_on=later)
    reply = _counted(client_as(world.organiser), ballot_id, entitled=10, yes=5, no=1, spoiled=0)
    assert reply.status_code == 422
    assert "A result is known only after the last day of voting. Check the days." in reply.text


def test_a_corrected_count_leaves_the_old_one_in_the_trail(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    client = client_as(world.organiser)
    _counted(client, ballot_id, entitled=100, cast=60, yes=50, no=10, spoiled=0)
    _counted(client, ballot_id, entitled=100, cast=60, yes=49, no=11, spoiled=0)
    with unit_of_work(ALL) as session:
        assert [one.yes for one in session.scalars(ALL.select(BallotCount))] == [49]
        changed = session.scalars(
            ALL.select(AuditEntry).where(
                AuditEntry.subject == "ballot_count", AuditEntry.verb == "update"
            )
        ).one()
        assert changed.old is not None
        assert changed.old["yes"] == 50


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        # Of one voter the sort would be what that one said, and the trail cannot be erased.
        (0, {"rows": 3}),
        (8, {"rows": 11, "voted": 10, "will_vote": 0, "not_yet": 0, "rather_not_say": 1}),
    ],
)
def test_declaring_erases_who_told_us_and_the_trail_keeps_only_how_many(
    plan: Callable[..., uuid.UUID],
    client_as: Clients,
    world: World,
    more: int,
    kept: dict[str, int],
) -> None:
    ballot_id = plan()
    client = client_as(world.organiser)
    with unit_of_work(ALL) as session:
        ballot = session.scalars(ALL.select(Ballot)).one()
        inner = ballot.id
        site = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        people: Any = (
            *((factories.make_person(session, site, f"M {n}"), site, "voted") for n in range(more)),
        )
        for person, place, said in (
            (world.ioana, world.mill, "voted"),
            (world.tomasz, world.mill, "rather_not_say"),
            # At a place that this organiser does not hold: it is erased all the same.
            (world.docker, world.dock, "voted"),
            *people,
        ):
            session.add(
                VoteTold(ballot_id=inner, contact_id=person.id, place_id=place.id, said=said)
            )
    assert "Bring out the vote" in client.get(f"/ballots/{ballot_id}").text
    refused = client.post(f"/ballots/{ballot_id}/declare", data={"declared_on": "2026-11-02"})
    assert refused.status_code == 422
    assert "Enter the count of at least one question first." in refused.text
    _counted(client, ballot_id, entitled=100, cast=60, yes=50, no=10, spoiled=0)
    done = client.post(
        f"/ballots/{ballot_id}/declare", data={"declared_on": "2026-11-02"}, follow_redirects=True
    )
    assert f"Declared. What {3 + more} people told us of voting is erased." in done.text
    assert "Bring out the vote" not in done.text
    with unit_of_work(ALL) as session:
        assert session.scalars(ALL.select(VoteTold)).all() == []
        rows = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "vote_told")
        ).all()
        assert len(rows) == 1
        assert rows[0].contact_id is None
        assert rows[0].old == kept


def test_an_indicative_ballot_says_so_on_every_page(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan(kind="indicative")
    client = client_as(world.organiser)
    for page in ("", "/workplaces", "/days", "/result", "/declare", "/call-off"):
        assert "INDICATIVE: no ballot in law" in client.get(f"/ballots/{ballot_id}{page}").text
    _counted(client, ballot_id, entitled=100, cast=60, yes=50, no=10, spoiled=0)
    page = client.get(f"/ballots/{ballot_id}").text
    assert "Held against the tests of the law, only to compare:" in page
    assert "The mandate" not in page
    assert "notice of action" not in page


def test_two_who_change_a_ballot_at_once_see_both_versions(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    client = client_as(world.organiser)
    data = {"name": "Pay and hours", "kind": "action", "jurisdiction": "GB", "version": "1"}
    assert client.post(f"/ballots/{ballot_id}/change", data=data).status_code == 303
    late = client.post(f"/ballots/{ballot_id}/change", data={**data, "name": "Pay only"})
    assert late.status_code == 409
    assert "Pay and hours" in late.text
    assert "Pay only" in late.text
    again = client.post(
        f"/ballots/{ballot_id}/change", data={**data, "name": "Pay only", "version": "2"}
    )
    assert again.status_code == 303


def test_workplaces_are_left_out_and_get_the_count_of_the_union(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan(separate="separate")
    client = client_as(world.organiser)
    key = world.mill.public_id
    data = {"taken": str(key), f"members-{key}": "40", f"law-{key}": "NI"}
    assert client.post(f"/ballots/{ballot_id}/workplaces", data=data).status_code == 303
    page = client.get(f"/ballots/{ballot_id}").text
    assert "The Depot" not in page
    assert "40 members, says the union" in page
    assert "Law of Northern Ireland" in page
    dock = {"taken": str(world.dock.public_id)}
    refused = client.post(f"/ballots/{ballot_id}/workplaces", data=dock)
    assert refused.status_code == 422
    assert "The Dock" not in refused.text
    wrong = client.post(f"/ballots/{ballot_id}/workplaces", data={**data, f"members-{key}": "lots"})
    assert "Enter members as a whole number, or leave it empty." in wrong.text
    assert 'value="lots"' in wrong.text


def test_a_share_just_short_of_the_test_does_not_read_as_the_test(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    client = client_as(world.organiser)
    _counted(client, ballot_id, entitled=1001, cast=500, yes=400, no=100, spoiled=0)
    page = client.get(f"/ballots/{ballot_id}").text
    assert "500 of 1,001: 49.95%" in page
    assert "turnout 49.95%" in page
    assert "50.0%" not in page


def test_a_projection_is_scored_on_the_first_question_alone(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    _members(world, world.mill, 30, 1)
    client = client_as(world.organiser)
    client.post(f"/ballots/{ballot_id}/plan/keep")
    lost = {"entitled": 32, "cast": 28, "yes": 10, "no": 18, "spoiled": 0}
    won = {"entitled": 32, "cast": 30, "yes": 25, "no": 5, "spoiled": 0}
    data = {f"q1_{name}": value for name, value in lost.items()}
    data |= {f"q2_{name}": value for name, value in won.items()}
    assert client.post(f"/ballots/{ballot_id}/result", data=data).status_code == 303
    client.post(f"/ballots/{ballot_id}/declare", data={"declared_on": "2026-11-02"})
    with unit_of_work(ALL, read_only=True) as session:
        (score,) = list_all_scores(session, ALL)
    assert score.happened is False
    assert score.actual == 28 / 32


def test_the_sample_paper_is_asked_for_until_voting_opens_and_never_called_done(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    opens = TODAY + timedelta(days=2)
    days = {"opens_on": opens.isoformat(), "closes_on": (opens + timedelta(30)).isoformat()}
    ballot_id = plan(**days)
    client = client_as(world.organiser)
    notice = {"ballot_notice_on": (TODAY - timedelta(days=6)).isoformat()}
    client.post(f"/ballots/{ballot_id}/days", data=notice)
    page = client.get(f"/ballots/{ballot_id}").text
    assert "Whether it was sent is not noted here" in page

    def _asked(today: date) -> list[Step]:
        with unit_of_work(ALL, read_only=True) as session:
            steps = list_due_steps(session, ALL, today=today, ahead=timedelta(days=14))
            return [one.milestone.step for one in steps]

    assert Step.SAMPLE_PAPER in _asked(TODAY)
    assert Step.SAMPLE_PAPER not in _asked(opens)


def test_a_notice_that_came_too_late_is_said_and_a_day_to_come_is_refused(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    client = client_as(world.organiser)
    late = {"ballot_notice_on": "2026-09-25"}
    assert client.post(f"/ballots/{ballot_id}/days", data=late).status_code == 303
    assert "Too late: 25 September 2026" in client.get(f"/ballots/{ballot_id}").text
    ahead = (TODAY + timedelta(days=9)).isoformat()
    reply = client.post(f"/ballots/{ballot_id}/days", data={"members_told_on": ahead})
    assert reply.status_code == 422
    assert "This day has not come yet. Choose today or a day before." in reply.text


def test_one_ballot_costs_the_same_statements_for_one_workplace_or_two(
    plan: Callable[..., uuid.UUID],
    client_as: Clients,
    world: World,
    count_statements: list[str],
) -> None:
    ballot_id = plan(separate="separate")
    client = client_as(world.organiser)

    def _cost() -> int:
        client.get(f"/ballots/{ballot_id}")
        count_statements.clear()
        client.get(f"/ballots/{ballot_id}")
        return len(count_statements)

    two = _cost()
    key = world.mill.public_id
    client.post(f"/ballots/{ballot_id}/workplaces", data={"taken": str(key)})
    assert _cost() == two <= 16


# Planning


def _members(world: World, place: Named, number: int, rating: int | None) -> None:
    with unit_of_work(ALL) as session:
        site = session.scalars(ALL.select(Workplace).where(Workplace.id == place.id)).one()
        union = session.scalars(ALL.select(Union).where(Union.id == world.union.id)).one()
        for at in range(number):
            person = factories.make_person(session, site, f"{place.name} {at}")
            factories.make_membership(session, person, union)
            if rating is not None:
                factories.make_assessment(session, person, site, rating)


def test_the_plan_compares_one_ballot_with_several_and_names_the_best_mix(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan(opens_on="2027-01-10", closes_on="2027-02-10")
    _members(world, world.mill, 30, 1)
    _members(world, world.depot, 30, 4)
    page = client_as(world.organiser).get(f"/ballots/{ballot_id}/plan").text
    assert "Chance that every test is passed:" in page
    assert "of 62 people have a mandate, on average" in page
    assert "The best mix found:" in page
    assert "If this had begun: “Turnout test goes" in page
    again = client_as(world.organiser).get(f"/ballots/{ballot_id}/plan").text
    assert _figures(again) == _figures(page)
    as_against = client_as(world.organiser).get(f"/ballots/{ballot_id}/plan?like=4").text
    assert _figures(as_against) != _figures(page)


def _figures(page: str) -> list[str]:
    return re.findall(r"[0-9]+%", page)


def test_members_whom_only_the_union_counts_are_taken_as_not_asked(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan(opens_on="2027-01-10", closes_on="2027-02-10")
    client = client_as(world.organiser)
    mill, depot = world.mill.public_id, world.depot.public_id
    data = {"taken": [str(mill), str(depot)], f"members-{mill}": "41", f"members-{depot}": ""}
    assert client.post(f"/ballots/{ballot_id}/workplaces", data=data).status_code == 303
    page = client.get(f"/ballots/{ballot_id}/plan").text
    # Ioana and 40 others at the Mill, Marta at the Depot.
    assert re.search(r"May vote</dt>\s*<dd><bdi>42<", page)
    assert re.search(r"never asked where they stand</dt>\s*<dd><bdi>41<", page)


def test_a_plan_of_nobody_says_what_to_do(client_as: Clients, world: World, plan: Any) -> None:
    ballot_id = plan(union=str(world.other_union.public_id))
    page = client_as(world.organiser).get(f"/ballots/{ballot_id}/plan").text
    assert "Nobody is known who may vote." in page


def test_nothing_is_projected_of_a_handful_of_people(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    page = client_as(world.organiser).get(f"/ballots/{plan()}/plan").text
    assert "Fewer than 10 people may vote, as far as is known." in page
    assert "Chance that every test is passed" not in page
    assert "Keep today’s projection" not in page


def test_a_kept_projection_is_scored_against_the_result(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    _members(world, world.mill, 30, 1)
    client = client_as(world.organiser)
    kept = client.post(f"/ballots/{ballot_id}/plan/keep", follow_redirects=True)
    assert "1 projection is kept." in kept.text
    assert "No result yet." in kept.text
    _counted(client, ballot_id, entitled=32, cast=28, yes=25, no=3, spoiled=0)
    client.post(f"/ballots/{ballot_id}/declare", data={"declared_on": "2026-11-02"})
    page = client.get(f"/ballots/{ballot_id}/scores").text
    assert "Turnout came to 87.5%." in page
    assert "Brier score 0.0" in page
    assert "1 projection with a result; mean Brier score" in page
    late = client.post(f"/ballots/{ballot_id}/plan/keep", follow_redirects=True)
    assert "The result is declared." in late.text
    with unit_of_work(ALL) as session:
        row = session.scalars(ALL.select(BallotForecast)).one()
        assert (row.entitled, len(row.turnout_points), row.part_id) == (32, 19, None)


def test_a_projection_of_a_handful_of_people_is_not_kept(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan(separate="separate")
    reply = client_as(world.organiser).post(
        f"/ballots/{ballot_id}/plan/keep", follow_redirects=True
    )
    assert "A projection of so few is not kept." in reply.text
    with unit_of_work(ALL) as session:
        assert session.scalars(ALL.select(BallotForecast)).all() == []


def test_when_action_is_over_its_days_are_counted_and_it_cannot_end_before_it_starts(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    client = client_as(world.organiser)
    typed = {"action_starts_on": "2026-11-03", "action_ended_on": "2026-11-02"}
    refused = client.post(f"/ballots/{ballot_id}/days", data=typed)
    assert refused.status_code == 422
    assert "Action ends before it starts. Check its first and its last day." in refused.text
    to_come = {**typed, "action_ended_on": str(TODAY + timedelta(days=1))}
    assert client.post(f"/ballots/{ballot_id}/days", data=to_come).status_code == 422
    typed["action_ended_on"] = "2026-11-05"
    shown = client.post(f"/ballots/{ballot_id}/days", data=typed, follow_redirects=True).text
    assert "Last day of action" in shown
    assert "3 days, the first and the last counted" in shown


def test_public_holidays_are_no_working_days_of_a_notice(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan(jurisdiction="SE")
    client = client_as(world.organiser)
    typed = {"action_starts_on": "2026-12-30"}
    assert client.post(f"/ballots/{ballot_id}/days", data=typed).status_code == 303
    # Seven working days before it, with no work from the 24th to the 27th.
    body = client.get(f"/ballots/{ballot_id}/days.ics").text
    found = re.findall(r"DTSTART;VALUE=DATE:(\d+)", body)
    assert "20261217" in found, found
    assert "20261221" not in found


def test_a_step_of_a_ballot_long_ago_is_not_called_hundreds_of_days_late(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    client = client_as(world.organiser)
    lately = client.get(f"/ballots/{plan()}").text
    assert "days late" in lately
    long_ago = client.get(f"/ballots/{plan(opens_on='2024-10-01', closes_on='2024-10-30')}").text
    assert "days late" not in long_ago
    assert "Whether it was done is not written down here" in long_ago


# The days elsewhere


def test_the_days_go_into_a_calendar_without_a_name_and_the_export_is_recorded(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    reply = client_as(world.rep).get(f"/ballots/{ballot_id}/days.ics")
    assert reply.mimetype == "text/calendar"
    body = reply.text
    assert "DTSTART;VALUE=DATE:20260924" in body
    assert "SUMMARY:Notice due" in body
    for word in ("Pay 2027", "Barnsley", "Mill", "ballot", "strike", "Warehouse"):
        assert word not in body
    with unit_of_work(ALL) as session:
        row = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "ballot_days")
        ).one()
        assert row.actor_id == world.rep.id
    stamped = plan(kind="indicative")
    assert "SUMMARY:Indicative: " in client_as(world.rep).get(f"/ballots/{stamped}/days.ics").text


def test_today_says_what_a_ballot_asks_for_to_those_who_plan_it(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    plan(opens_on="2026-12-04", closes_on="2026-12-20")
    words = "The employer must have the notice of the ballot"
    assert words in client_as(world.organiser).get("/").text
    assert words not in client_as(world.rep).get("/").text
    assert words not in client_as(world.dock_rep).get("/").text


def test_today_sends_reps_to_bring_out_the_vote_while_voting_is_open(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    plan(opens_on="2026-11-20", closes_on="2026-12-20")
    words = "Voting is open: bring out the vote"
    assert words in client_as(world.rep).get("/").text
    assert words not in client_as(world.dock_rep).get("/").text


def test_the_first_day_of_action_is_not_fixed_before_the_employers_are_told(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    client = client_as(world.organiser)
    open_words = "not fixed yet: depends on when the employers are told and have the notice"
    notice = {"action_notice_on": "2026-11-05"}
    assert client.post(f"/ballots/{ballot_id}/days", data=notice).status_code == 303
    assert open_words in client.get(f"/ballots/{ballot_id}").text
    both = {**notice, "employers_told_on": "2026-11-04"}
    assert client.post(f"/ballots/{ballot_id}/days", data=both).status_code == 303
    assert open_words not in client.get(f"/ballots/{ballot_id}").text


def test_a_ballot_that_asks_nothing_teaches_nothing(world: World) -> None:
    with unit_of_work(ALL) as session:
        ballot = factories.make_open_ballot(session, world)
        ballot.declared_on = TODAY
    with unit_of_work(ALL, read_only=True) as session:
        assert learn(session, ALL).turnouts == 0


def test_five_ballots_with_a_result_teach_how_far_a_campaign_swings(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballots = [plan(name=f"Pay {year}") for year in range(2020, 2026)]
    _members(world, world.mill, 30, 1)
    client = client_as(world.organiser)
    for number, ballot_id in enumerate(ballots[:5]):
        client.post(f"/ballots/{ballot_id}/plan/keep")
        if number == 4:
            page = client.get(f"/ballots/{ballots[5]}/plan").text
            assert "no more than 9 points of turnout and 9 points of yes" in page
            assert "so far there are 4." in page
        _counted(client, ballot_id, entitled=32, cast=31, yes=30, no=1, spoiled=0)
        client.post(f"/ballots/{ballot_id}/declare", data={"declared_on": "2026-11-02"})
    page = client.get(f"/ballots/{ballots[5]}/plan").text
    assert "Learned from 5 ballots with a kept projection and a result (yes votes: 5)" in page
    assert "9 points of turnout" not in page
    with unit_of_work(ALL, read_only=True) as session:
        found = learn(session, ALL)
    assert (found.turnouts, found.yes_shares) == (5, 5)
    assert found.assumptions.turnout_shock > 0.5
    # Whoever may not see those ballots is told nothing of them.
    with unit_of_work(ALL, read_only=True) as session:
        grant = Grant(Role.ORGANISER, world.dock.id)
        nothing = learn(session, Scope(world.dock_rep.id, (grant,)))
    assert (nothing.turnouts, nothing.assumptions) == (0, DEFAULT_ASSUMPTIONS)


def test_no_projection_is_kept_once_something_is_counted(
    plan: Callable[..., uuid.UUID], client_as: Clients, world: World
) -> None:
    ballot_id = plan()
    _members(world, world.mill, 30, 1)
    client = client_as(world.organiser)
    _counted(client, ballot_id, entitled=32, cast=28, yes=25, no=3, spoiled=0)
    late = client.post(f"/ballots/{ballot_id}/plan/keep", follow_redirects=True)
    assert "A count is entered already. A projection made now would know too much." in late.text
    with unit_of_work(ALL, read_only=True) as session:
        assert session.scalars(ALL.select(BallotForecast)).all() == []
