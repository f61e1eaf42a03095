"""Campaigns and tests on the screen: the list is frozen, everybody on it counts, nothing leaks."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.domain.roles import Role
from crm.domain.structure import Deed, Rung, WhyNot
from crm.features.campaigns import queries, service
from crm.models.audit import AuditEntry
from crm.models.campaigns import Campaign, ListEntry, Participation, StructureTest
from crm.models.contacts import Contact, Job
from crm.models.ties import Leading, Tie
from crm.reads.structure import list_tests
from crm.web.db import unit_of_work
from crm.web.guard import scope_of
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")
ClientAs = Callable[[Named], FlaskClient]


def _scope(user: Named) -> Scope:
    with unit_of_work(read_only=True) as session:
        return scope_of(session, user.id, TODAY)


def _start(client: FlaskClient, place: Named, **more: Any) -> uuid.UUID:
    campaign = uuid.uuid4()
    data = {
        "id": campaign,
        "name": "Fair rota",
        "from_day": TODAY,
        "units": [place.public_id],
        **more,
    }
    answer = client.post(f"/campaigns/new?place={place.public_id}", data=data)
    assert answer.status_code == 303, answer.text
    return campaign


def _test(client: FlaskClient, campaign: uuid.UUID, base: Any, **more: Any) -> uuid.UUID:
    test = uuid.uuid4()
    data = {"id": test, "kind": "badge", "name": "Badge day", "base": base, **more}
    answer = client.post(f"/campaigns/{campaign}/tests/new", data=data)
    assert answer.status_code == 303, answer.text
    return test


def _entries(test: uuid.UUID) -> dict[str, ListEntry]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.execute(
            ALL.select(sa.func.coalesce(Contact.known_as, Contact.placeholder_label), ListEntry)
            .join(ListEntry, ListEntry.contact_id == Contact.id)
            .join(StructureTest, StructureTest.id == ListEntry.test_id)
            .where(StructureTest.public_id == test)
        )
        return {row[0]: row[1] for row in rows}


def _mark(user: Named, test: uuid.UUID, name: str, deed: Deed, **more: Any) -> None:
    scope = _scope(user)
    number = _entries(test)[name].number
    with unit_of_work(scope) as session:
        given = service.Mark(deed, **more)
        service.mark(session, scope, test, [number], given, today=TODAY, now=NOW)


@pytest.fixture
def campaign(world: World, client_as: ClientAs) -> uuid.UUID:
    """A campaign of the Mill, started by its rep, with a target."""
    return _start(client_as(world.rep), world.mill, target="65")


@pytest.fixture
def badge(world: World, client_as: ClientAs, campaign: uuid.UUID) -> uuid.UUID:
    """A test of everybody at the Mill."""
    return _test(client_as(world.rep), campaign, world.mill.public_id)


# Campaigns


def test_units_change_for_later_tests_and_lists_made_before_stay(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)
    campaign = _start(client, world.branch, units=[world.mill.public_id])
    before = _test(client, campaign, world.mill.public_id)
    listed = set(_entries(before))
    page = f"/campaigns/{campaign}/places"
    assert "Tests that you start from now on follow it." in client.get(page).text
    refused = client.post(page, data={"version": "1"})
    assert refused.status_code == 422
    data = {"version": "1", "units": [world.depot.public_id]}
    assert client.post(page, data=data).status_code == 303
    assert set(_entries(before)) == listed
    shown = client.get(f"/campaigns/{campaign}").text
    assert "was in it until" in shown
    assert "came in on" in shown
    offered = client.get(f"/campaigns/{campaign}/tests/new").text
    assert str(world.depot.public_id) in offered
    assert str(world.mill.public_id) not in offered
    # Those of the first list still see what became of it.
    assert client_as(world.rep).get(f"/campaigns/{campaign}").status_code == 200
    late = client.post(page, data={"version": "1", "units": [world.mill.public_id]})
    assert late.status_code == 409
    assert "The Depot" in late.text
    data = {"version": "2", "units": [world.mill.public_id, world.depot.public_id]}
    assert client.post(page, data=data).status_code == 303
    assert str(world.mill.public_id) in client.get(f"/campaigns/{campaign}/tests/new").text
    with unit_of_work(ALL, read_only=True) as session:
        trail = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "campaign_unit")
        ).all()
        assert [one.actor_id for one in trail] == [world.organiser.id] * len(trail)
        assert len(trail) == 4  # the first; one went and one came; one came back


def test_nobody_else_changes_whom_a_campaign_is_about(
    world: World, client_as: ClientAs, campaign: uuid.UUID
) -> None:
    page = f"/campaigns/{campaign}/places"
    assert client_as(world.dock_rep).get(page).status_code == 404
    data = {"version": "1", "units": [world.dock.public_id]}
    answer = client_as(world.rep).post(page, data=data)
    assert answer.status_code in (404, 422)
    assert "The Dock" not in client_as(world.rep).get(f"/campaigns/{campaign}").text


def test_a_rep_starts_a_campaign_with_demands_that_members_voted(
    world: World, client_as: ClientAs, campaign: uuid.UUID
) -> None:
    client = client_as(world.rep)
    data = {
        "id": uuid.uuid4(),
        "words": "Two weeks’ notice of shifts",
        "voted_on": "2026-11-01",
        "voted_how": "meeting",
        "votes_for": "41",
    }
    for _sent_twice in range(2):
        answer = client.post(f"/campaigns/{campaign}/demands/new", data=data)
        assert answer.status_code == 303
    page = client.get(f"/campaigns/{campaign}").text
    assert page.count("Two weeks’ notice of shifts") == 2  # the demand, and the name of its button
    assert "Members voted on it on 1 November 2026" in page
    assert "for: 41, against: not known" in page
    assert "65% of everyone on the list" in page
    assert "Fair rota" in client.get("/campaigns").text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"voted_on": "2026-11-24"}, "This day has not come yet. Choose today or a day before."),
        ({"votes_for": "3"}, "Enter the day members voted, or leave the vote empty."),
        ({"words": ""}, "Say what you ask for."),
    ],
)
def test_a_demand_that_cannot_be_right_is_refused_with_what_was_typed(
    world: World, client_as: ClientAs, campaign: uuid.UUID, data: dict[str, str], words: str
) -> None:
    given = {"id": str(uuid.uuid4()), "words": "More staff", **data}
    answer = client_as(world.rep).post(f"/campaigns/{campaign}/demands/new", data=given)
    assert answer.status_code == 422
    assert words in answer.text
    assert all(value in answer.text for value in data.values())


def test_a_dropped_demand_stays_readable_and_comes_back(
    world: World, client_as: ClientAs, campaign: uuid.UUID
) -> None:
    client = client_as(world.rep)
    demand = uuid.uuid4()
    client.post(f"/campaigns/{campaign}/demands/new", data={"id": demand, "words": "More staff"})
    client.post(f"/campaigns/demands/{demand}/drop")
    assert "dropped 23 November 2026" in client.get(f"/campaigns/{campaign}").text
    client.post(f"/campaigns/demands/{demand}/drop")
    assert "dropped" not in client.get(f"/campaigns/{campaign}").text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"to_day": "2026-11-22"}, "The last day is before the first. Check both days."),
        ({"units": []}, "Choose whom the campaign is about: all of it, or some of the places."),
        ({"target": "101"}, "Enter a whole number from 1 to 100, or leave it empty."),
        ({"name": " "}, "Give the campaign a name."),
    ],
)
def test_a_campaign_that_cannot_be_right_is_not_started(
    world: World, client_as: ClientAs, data: dict[str, Any], words: str
) -> None:
    given = {
        "id": uuid.uuid4(),
        "name": "Pay",
        "from_day": TODAY,
        "units": [world.mill.public_id],
        **data,
    }
    path = f"/campaigns/new?place={world.mill.public_id}"
    answer = client_as(world.rep).post(path, data=given)
    assert answer.status_code == 422
    assert words in answer.text
    with unit_of_work(ALL, read_only=True) as session:
        assert session.scalar(ALL.select(sa.func.count(Campaign.id))) == 0


def test_two_who_change_a_campaign_see_both_versions(
    world: World, client_as: ClientAs, campaign: uuid.UUID
) -> None:
    client = client_as(world.rep)
    data = {"name": "Fair rota now", "from_day": TODAY, "target": "70", "version": "1"}
    assert client.post(f"/campaigns/{campaign}/change", data=data).status_code == 303
    late = client.post(f"/campaigns/{campaign}/change", data={**data, "name": "Rota"})
    assert late.status_code == 409
    assert "Fair rota now" in late.text
    assert 'value="Rota"' in late.text
    again = client.post(f"/campaigns/{campaign}/change", data={**data, "version": "2"})
    assert again.status_code == 303


def test_a_branch_campaign_is_seen_and_tested_by_the_rep_of_one_of_its_workplaces(
    world: World, client_as: ClientAs
) -> None:
    campaign = _start(client_as(world.organiser), world.branch)
    rep = client_as(world.rep)
    page = rep.get(f"/campaigns/{campaign}").text
    assert "Barnsley branch" in page
    assert "The Depot" not in page
    test = _test(rep, campaign, world.mill.public_id)
    assert set(_entries(test)) == {"Ioana P", "Tomasz K", "Rukhsana A", "Night packer 3"}
    everybody = _test(client_as(world.organiser), campaign, world.branch.public_id)
    assert "Marta S" in _entries(everybody)
    shown = rep.get(f"/tests/{everybody}").text
    assert "Only the people at places you hold are counted here." in shown
    assert "0 to 4 of 4" in shown
    # Changing it, and testing the whole branch, are for those who hold the branch.
    assert rep.get(f"/campaigns/{campaign}/change").status_code == 404
    data = {"id": uuid.uuid4(), "kind": "badge", "name": "X", "base": world.branch.public_id}
    assert rep.post(f"/campaigns/{campaign}/tests/new", data=data).status_code == 404


@pytest.mark.parametrize("path", ["/campaigns/{campaign}", "/tests/{badge}"])
def test_outsiders_and_administrators_see_no_campaign_and_no_test(
    world: World, client_as: ClientAs, campaign: uuid.UUID, badge: uuid.UUID, path: str
) -> None:
    filled = path.format(campaign=campaign, badge=badge)
    assert client_as(world.rep).get(filled).status_code == 200
    assert client_as(world.dock_rep).get(filled).status_code == 404
    assert client_as(world.admin).get(filled).status_code in {403, 404}
    assert "Fair rota" not in client_as(world.dock_rep).get("/campaigns").text


# The frozen list


def test_the_list_is_everybody_with_a_job_there_today_as_they_stand(
    world: World, badge: uuid.UUID
) -> None:
    found = _entries(badge)
    assert set(found) == {"Ioana P", "Tomasz K", "Rukhsana A", "Night packer 3"}
    ioana, rukhsana = found["Ioana P"], found["Rukhsana A"]
    assert (ioana.area_id, ioana.shift_id) == (world.packing.id, world.nights.id)
    assert (ioana.rating, ioana.firm, ioana.assessor_id) == (2, True, world.rep.id)
    assert (rukhsana.rating, rukhsana.area_id, rukhsana.assessor_id) == (None, None, None)
    assert sorted(one.number for one in found.values()) == [1, 2, 3, 4]


def test_later_joiners_are_not_on_the_list_and_leavers_stay_on_it(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        factories.make_person(session, world.mill, "Joiner J", since=TODAY)  # type: ignore[arg-type]
        job = session.scalars(ALL.select(Job).where(Job.contact_id == world.tomasz.id)).one()
        job.valid_to = TODAY
    assert set(_entries(badge)) == {"Ioana P", "Tomasz K", "Rukhsana A", "Night packer 3"}
    _mark(world.rep, badge, "Tomasz K", Deed.DID)
    assert "1 to 4 of 4" in client_as(world.rep).get(f"/tests/{badge}").text


def test_the_same_test_sent_twice_is_one_list(
    world: World, client_as: ClientAs, campaign: uuid.UUID
) -> None:
    test = uuid.uuid4()
    data = {"id": test, "kind": "photo", "name": "Photo", "base": world.packing.public_id}
    for _sent_twice in range(2):
        answer = client_as(world.rep).post(f"/campaigns/{campaign}/tests/new", data=data)
        assert answer.status_code == 303
    assert set(_entries(test)) == {"Ioana P", "Night packer 3"}


def test_somebody_with_two_jobs_is_on_the_list_once(
    world: World, client_as: ClientAs, campaign: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        factories.make_job(session, contact, world.mill, area=world.yard, since=TODAY)  # type: ignore[arg-type]
    test = _test(client_as(world.rep), campaign, world.mill.public_id)
    assert _entries(test)["Ioana P"].area_id == world.packing.id
    assert len(_entries(test)) == 4


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"closes_on": "2026-11-22"},
            "The last day of the test has passed already. Choose today or a later day.",
        ),
        ({"name": ""}, "Give the test a name."),
        ({"kind": "sing"}, "Choose one of the list."),
        ({"target": "0"}, "Enter a whole number from 1 to 100, or leave it empty."),
    ],
)
def test_a_test_that_cannot_be_right_makes_no_list(
    world: World, client_as: ClientAs, campaign: uuid.UUID, data: dict[str, str], words: str
) -> None:
    given = {
        "id": uuid.uuid4(),
        "kind": "badge",
        "name": "Badge",
        "base": world.mill.public_id,
        **data,
    }
    answer = client_as(world.rep).post(f"/campaigns/{campaign}/tests/new", data=given)
    assert answer.status_code == 422
    assert words in answer.text
    with unit_of_work(ALL, read_only=True) as session:
        assert session.scalar(ALL.select(sa.func.count(ListEntry.id))) == 0


def test_a_list_of_nobody_is_refused(world: World, client_as: ClientAs) -> None:
    with unit_of_work(ALL) as session:
        empty = factories.make_area(session, world.mill, "Empty hall")  # type: ignore[arg-type]
        place = Named(empty.id, empty.public_id, empty.name)
    campaign = _start(client_as(world.rep), world.mill)
    data = {"id": uuid.uuid4(), "kind": "badge", "name": "B", "base": place.public_id}
    answer = client_as(world.rep).post(f"/campaigns/{campaign}/tests/new", data=data)
    assert answer.status_code == 422
    assert "Nobody is on our list there, so there is nobody to test." in answer.text


def test_the_list_of_a_place_of_others_is_not_made(
    world: World, client_as: ClientAs, campaign: uuid.UUID
) -> None:
    for place in (world.dock, world.depot, world.branch):
        data = {"id": uuid.uuid4(), "kind": "badge", "name": "B", "base": place.public_id}
        answer = client_as(world.rep).post(f"/campaigns/{campaign}/tests/new", data=data)
        assert answer.status_code == 404


def test_a_rep_of_one_area_tests_that_area_and_sees_only_its_people(
    world: World, client_as: ClientAs, campaign: uuid.UUID, badge: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        user = factories.make_user(session, "Area Rep", role=Role.REP, place=world.packing)
        person = Named(user.id, user.public_id, user.name)
    client = client_as(person)
    page = client.get(f"/tests/{badge}").text
    assert "0 to 2 of 2" in page
    assert "Yard" not in page
    assert client.get(f"/campaigns/{campaign}").status_code == 200
    test = _test(client, campaign, world.packing.public_id)
    assert len(_entries(test)) == 2
    data = {"id": uuid.uuid4(), "kind": "badge", "name": "B", "base": world.mill.public_id}
    assert client.post(f"/campaigns/{campaign}/tests/new", data=data).status_code == 404
    assert client.get(f"/tests/{badge}/off").status_code == 404


# The rates


def test_the_page_shows_the_range_the_base_and_what_is_not_known(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    _mark(world.rep, badge, "Ioana P", Deed.DID)
    _mark(world.rep, badge, "Tomasz K", Deed.DID_NOT, why=WhyNot.REFUSED)
    _mark(world.rep, badge, "Rukhsana A", Deed.WILL)
    page = client_as(world.rep).get(f"/tests/{badge}").text
    assert "1 to 3 of 4" in page
    assert "Not known of 2 people" in page
    assert "2 more are needed to come to 65% of everyone." in page
    assert "As at 23 November 2026" in page


def test_delivery_of_a_leader_is_of_those_who_listened_when_the_list_was_made(
    world: World, client_as: ClientAs, campaign: uuid.UUID
) -> None:
    here = {"workplace_id": world.mill.id, "place_id": world.mill.id, "recorded_at": NOW}
    with unit_of_work(ALL) as session:
        session.add_all(
            [
                Leading(
                    contact_id=world.tomasz.id,
                    stage="identified",
                    found_by="named",
                    valid_from=TODAY,
                    **here,
                ),
                *(
                    Tie(
                        contact_id=one.id,
                        leader_id=world.tomasz.id,
                        basis="seen",
                        valid_from=TODAY,
                        **here,
                    )
                    for one in (world.ioana, world.rukhsana)
                ),
            ]
        )
    test = _test(client_as(world.rep), campaign, world.mill.public_id)
    with unit_of_work(ALL) as session:
        session.scalars(
            ALL.select(Tie).where(Tie.contact_id == world.ioana.id)
        ).one().superseded_at = NOW
    _mark(world.rep, test, "Ioana P", Deed.DID)
    scope = _scope(world.rep)
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_test(session, scope, test)
    assert [(one.name, one.tally.did, one.tally.listed) for one in found.leaders] == [
        ("Tomasz K", 1, 2)
    ]
    assert found.nobody_known.listed == 1  # The leader is nobody's follower.


def test_words_and_deeds_are_named_for_those_who_see_the_people(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    _mark(world.rep, badge, "Ioana P", Deed.DID_NOT)
    _mark(world.rep, badge, "Tomasz K", Deed.DID)
    scope = _scope(world.rep)
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_test(session, scope, badge)
    assert [one.name for one in found.said_yes_did_not] == ["Ioana P"]
    assert [one.name for one in found.unsure_did] == ["Tomasz K"]


def test_how_we_judge_is_for_organisers_and_officers(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    for user, shown in ((world.rep, False), (world.organiser, True), (world.officer, True)):
        page = client_as(user).get(f"/tests/{badge}").text
        assert ("How well we judge" in page) is shown


def test_a_test_that_was_called_off_counts_nowhere_until_it_counts_again(
    world: World, client_as: ClientAs, campaign: uuid.UUID, badge: uuid.UUID
) -> None:
    client = client_as(world.rep)
    assert client.post(f"/tests/{badge}/off").status_code == 303
    assert "Called off, and not counted:" in client.get(f"/campaigns/{campaign}").text
    assert "It counts in no figure." in client.get(f"/tests/{badge}").text
    with unit_of_work(ALL, read_only=True) as session:
        assert list_tests(session, ALL) == []
    with pytest.raises(service.TestIsOff):
        _mark(world.rep, badge, "Ioana P", Deed.DID)
    assert client.post(f"/tests/{badge}/off").status_code == 303
    _mark(world.rep, badge, "Ioana P", Deed.DID)


# What was written down


def test_a_correction_keeps_what_was_written_before_and_both_are_audited(
    world: World, badge: uuid.UUID
) -> None:
    _mark(world.rep, badge, "Ioana P", Deed.DID)
    _mark(world.organiser, badge, "Ioana P", Deed.DID_NOT, why=WhyNot.ABSENT)
    entry = _entries(badge)["Ioana P"]
    with unit_of_work(ALL, read_only=True) as session:
        past = queries.list_history(session, ALL, entry.public_id)
        trail = session.execute(
            ALL.select(AuditEntry.verb, AuditEntry.actor_id, AuditEntry.contact_id)
            .where(AuditEntry.subject == "participation")
            .order_by(AuditEntry.id)
        ).all()
    assert [(one.deed, one.why, one.by) for one in past] == [
        (Deed.DID_NOT, WhyNot.ABSENT, "Ana Organiser"),
        (Deed.DID, None, "Owen Rep"),
    ]
    assert [one.until for one in past] == [None, NOW]
    assert [(row.verb, row.actor_id) for row in trail] == [
        ("create", world.rep.id),
        ("update", world.organiser.id),
        ("create", world.organiser.id),
    ]
    assert {row.contact_id for row in trail} == {world.ioana.id}


def test_the_same_word_twice_is_written_once(world: World, badge: uuid.UUID) -> None:
    _mark(world.rep, badge, "Ioana P", Deed.DID)
    _mark(world.organiser, badge, "Ioana P", Deed.DID)
    with unit_of_work(ALL, read_only=True) as session:
        assert session.scalar(ALL.select(sa.func.count(Participation.id))) == 1


def test_taking_back_brings_back_what_stood_before(world: World, badge: uuid.UUID) -> None:
    scope = _scope(world.rep)
    number = _entries(badge)["Ioana P"].number

    def _deed() -> Deed | None:
        with unit_of_work(scope, read_only=True) as session:
            test = queries.find_test(session, scope, badge)
            line = queries.list_lines(session, scope, test.id, today=TODAY, numbers=(number,))
            return line[0].deed

    later = NOW + timedelta(minutes=1)
    _mark(world.rep, badge, "Ioana P", Deed.WILL)
    with unit_of_work(scope) as session:
        given = service.Mark(Deed.DID)
        service.mark(session, scope, badge, [number], given, today=TODAY, now=later)
    with unit_of_work(scope) as session:
        service.take_back(session, scope, badge, number, now=later + timedelta(minutes=1))
    assert _deed() is Deed.WILL
    other = _entries(badge)["Tomasz K"].number
    with pytest.raises(service.NothingToTakeBack), unit_of_work(scope) as session:
        service.take_back(session, scope, badge, other, now=later)


def test_nobody_writes_about_people_of_others_and_a_batch_is_all_or_nothing(
    world: World, client_as: ClientAs
) -> None:
    campaign = _start(client_as(world.organiser), world.branch)
    test = _test(client_as(world.organiser), campaign, world.branch.public_id)
    numbers = [one.number for one in _entries(test).values()]
    scope = _scope(world.rep)
    with pytest.raises(NotFound), unit_of_work(scope) as session:
        service.mark(session, scope, test, numbers, service.Mark(Deed.DID), today=TODAY, now=NOW)
    with unit_of_work(ALL, read_only=True) as session:
        assert session.scalar(ALL.select(sa.func.count(Participation.id))) == 0


@pytest.mark.parametrize(
    ("day", "refusal"),
    [
        (TODAY + timedelta(days=1), service.DayNotYet),
        (TODAY - timedelta(days=1), service.BeforeTheList),
    ],
)
def test_a_deed_lies_between_the_list_and_today(
    world: World, badge: uuid.UUID, day: date, refusal: type[Exception]
) -> None:
    scope = _scope(world.rep)
    given = service.Mark(Deed.DID)
    with pytest.raises(refusal), unit_of_work(scope) as session:
        service.mark(session, scope, badge, [1], given, day=day, today=TODAY, now=NOW)


def test_what_was_known_then_can_be_read_again(world: World, badge: uuid.UUID) -> None:
    _mark(world.rep, badge, "Ioana P", Deed.DID)
    scope = _scope(world.rep)
    with unit_of_work(scope, read_only=True) as session:
        then = list_tests(session, scope, known_at=NOW - timedelta(hours=1))[0]
        now = list_tests(session, scope)[0]
        earlier = list_tests(session, scope, as_at=TODAY - timedelta(days=1))
        inside = list_tests(session, scope, unit=world.packing.id)[0]
    assert (then.tally.did, now.tally.did) == (0, 1)
    assert (now.tally.listed, now.whole, now.risk, now.target) == (4, True, 2, 65)
    assert earlier == []
    assert (inside.tally.listed, inside.tally.did, inside.worst_area) == (2, 1, 0.5)
    assert now.worst_area == 0.0


def test_the_pages_take_the_same_number_of_statements_for_more_people(
    world: World, client_as: ClientAs, campaign: uuid.UUID, count_statements: list[str]
) -> None:
    client = client_as(world.organiser)
    sizes = []
    for more in (0, 15):
        with unit_of_work(ALL) as session:
            for number in range(more):
                factories.make_person(session, world.mill, f"Extra {number}")  # type: ignore[arg-type]
        test = _test(client, campaign, world.mill.public_id, name=f"Test {more}")
        count_statements.clear()
        assert client.get(f"/tests/{test}").status_code == 200
        sizes.append(len(count_statements))
    assert sizes[0] == sizes[1]
    assert sizes[0] <= 25


def test_every_rung_can_be_started(world: World, client_as: ClientAs, campaign: uuid.UUID) -> None:
    client = client_as(world.rep)
    for rung in Rung:
        _test(client, campaign, world.packing.public_id, kind=rung.value, name=rung.value)
    page = client.get(f"/campaigns/{campaign}").text
    assert "risk 5 of 5" in page
    assert "It is not sure whether the last test was bigger than the one before" in page
