"""The readiness pages: gates before numbers, ranges that hold the truth, and whom to go and see."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from crm.access.scope import Grant, Scope
from crm.domain.assessment import DEFAULT_EXPIRY
from crm.domain.headcount import Workforce
from crm.domain.readiness import Finding, GateName, Index, Measure, Part
from crm.domain.roles import Role
from crm.domain.vocabulary import PlaceKind
from crm.features.readiness.wording import index_text
from crm.models.audit import AuditEntry
from crm.models.ballots import (
    Ballot,
    BallotCount,
    BallotForecast,
    BallotPart,
    BallotQuestion,
)
from crm.models.campaigns import Participation
from crm.models.contacts import Contact, ContactPoint
from crm.models.conversations import FollowUp
from crm.models.places import Area, Place, Workplace
from crm.models.readiness import ReadinessFinding, ReadinessTerms
from crm.models.ties import Leading
from crm.models.turf import Turf
from crm.reads import readiness
from crm.reads.decisions import Unit
from crm.reads.readiness import Readiness, Standing, get_readiness
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL, LONG_AGO, NOW, TODAY, Named, World

ClientAs = Callable[[Named], FlaskClient]
pytestmark = pytest.mark.usefixtures("fixed_clock")


def _get(session: Any, kind: type[Any], named: Named) -> Any:
    return session.scalars(ALL.select(kind).where(kind.id == named.id)).one()


def _words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def _found(named: Named, kind: PlaceKind, scope: Scope = ALL, as_at: date = TODAY) -> Readiness:
    unit = Unit(named.id, named.public_id, kind, named.name)
    with unit_of_work(scope, read_only=True) as session:
        return get_readiness(session, scope, unit, as_at=as_at, day=TODAY, expiry=DEFAULT_EXPIRY)


def _mill(world: World) -> Readiness:
    return _found(world.mill, PlaceKind.WORKPLACE)


def _measures(found: Readiness) -> dict[Part, Measure]:
    return {score.part: score.measure for score in found.whole.index.scores}


def _gates(found: Readiness) -> dict[GateName, bool | None]:
    return {gate.name: gate.is_open for gate in found.whole.gates}


def _address(contact: Named, state: str | None = "works") -> ContactPoint:
    return ContactPoint(
        contact_id=contact.id,
        kind="address",
        value="1 Mill Lane",
        value_key="1 mill lane",
        state=state,
        recorded_at=NOW,
    )


def _turf(user: Named, place: Named) -> Turf:
    return Turf(user_id=user.id, place_id=place.id, valid_from=LONG_AGO, recorded_at=NOW)


def test_each_part_has_the_people_it_counts_and_the_workers_as_a_range(world: World) -> None:
    found = _mill(world)
    measures = _measures(found)
    assert found.whole.workforce == Workforce(8, None, 10)
    assert found.whole.listed.people == 4
    # One 2 and one 3, both said by themselves within 60 days; 8 to 10 workers.
    assert measures[Part.SUPPORT] == Measure(1 / 10, 1 / 8, 1, 10)
    assert measures[Part.ASSESSED] == Measure(2 / 10, 2 / 8, 2, 10)
    assert measures[Part.DENSITY] == Measure(1 / 10, 9 / 10, 1, 10)
    assert measures[Part.COVERAGE] == Measure(0, 0, 0, 10)
    assert measures[Part.CONTACT] == Measure(0, 0, 0, 1)
    for unknown in (Part.PARTICIPATION, Part.LEADERS, Part.CAPACITY):
        assert (measures[unknown].low, measures[unknown].high) == (0, 1)


@pytest.mark.parametrize(("days", "firm"), [(60, 2), (61, 1)])
def test_where_somebody_stands_counts_for_sixty_days_and_no_longer(
    world: World, days: int, firm: int
) -> None:
    day = TODAY - timedelta(days=days)
    with unit_of_work(ALL) as session:
        rukhsana = _get(session, Contact, world.rukhsana)
        mill = _get(session, Workplace, world.mill)
        factories.make_assessment(session, rukhsana, mill, 1, day=day)
    assert _mill(world).whole.counted.with_us == firm


def test_where_nobody_was_asked_nobody_is_said_not_to_be_with_us(
    world: World, client_as: ClientAs
) -> None:
    words = _words(client_as(world.organiser).get(f"/ready/{world.depot.public_id}").text)
    assert "Nobody here was asked first hand lately. So how many are with us is not" in words
    assert "Firmly with us ? nobody was asked" in words
    assert "Firmly with us 0%" not in words
    # It has no areas, so no share of areas is told.
    assert "No rep looks after the whole workplace. It has no areas written down." in words
    asked = _words(client_as(world.organiser).get(f"/ready/{world.mill.public_id}").text)
    assert "2 of 4 people on our list were asked first hand lately." in asked


def test_what_others_told_us_is_not_firm(world: World) -> None:
    with unit_of_work(ALL) as session:
        rukhsana = _get(session, Contact, world.rukhsana)
        mill = _get(session, Workplace, world.mill)
        factories.make_assessment(session, rukhsana, mill, 1, basis="told")
    assert _mill(world).whole.counted.with_us == 1


def test_without_a_headcount_the_share_can_be_anything_from_none_up(world: World) -> None:
    found = _found(world.depot, PlaceKind.WORKPLACE)
    assert _measures(found)[Part.SUPPORT] == Measure(0, 0, 0, None)
    assert _measures(found)[Part.DENSITY] == Measure(0, 1)
    with unit_of_work(ALL) as session:
        worker = _get(session, Contact, world.depot_worker)
        factories.make_assessment(session, worker, _get(session, Workplace, world.depot), 1)
    found = _found(world.depot, PlaceKind.WORKPLACE)
    assert _measures(found)[Part.SUPPORT] == Measure(0, 1, 1, None)


def test_a_branch_counts_each_person_once_and_says_which_places_it_leaves_out(
    world: World,
) -> None:
    with unit_of_work(ALL) as session:
        ioana = _get(session, Contact, world.ioana)
        depot = _get(session, Workplace, world.depot)
        factories.make_headcount(session, depot, 5, 5)
        factories.make_job(session, ioana, depot)
    found = _found(world.branch, PlaceKind.BRANCH)
    assert (found.whole.counted_places, found.whole.places) == (2, 2)
    assert found.whole.counted.people == 5
    assert found.whole.counted.with_us == 1
    by_name = {site.name: site for site in found.sites}
    assert [*by_name] == ["The Depot", "The Mill"]
    assert [by_name[name].counted.with_us for name in by_name] == [1, 1]


def test_places_without_a_headcount_are_in_no_share_of_the_workers(world: World) -> None:
    with unit_of_work(ALL) as session:
        worker = _get(session, Contact, world.depot_worker)
        factories.make_assessment(session, worker, _get(session, Workplace, world.depot), 1)
    found = _found(world.branch, PlaceKind.BRANCH)
    assert (found.whole.counted_places, found.whole.places) == (1, 2)
    assert found.whole.listed.with_us == 2
    assert _measures(found)[Part.SUPPORT].numerator == 1


def test_only_a_leader_who_is_confirmed_and_firmly_with_us_counts(world: World) -> None:
    more = {"workplace_id": world.mill.id, "valid_from": LONG_AGO, "recorded_at": NOW}
    confirmed = {
        "stage": "confirmed",
        "action": "Petition",
        "action_on": TODAY,
        "listeners": 5,
        "acted": 4,
    }
    with unit_of_work(ALL) as session:
        for contact, stage in (
            (world.ioana, confirmed),
            (world.tomasz, confirmed),
            (world.rukhsana, {"stage": "identified", "found_by": "named"}),
        ):
            session.add(Leading(contact_id=contact.id, place_id=world.mill.id, **stage, **more))
    assert _measures(_mill(world))[Part.LEADERS] == Measure(1 / 3, 1 / 3, 1, 3)


def test_a_rep_with_eleven_people_does_not_cover_them(world: World) -> None:
    with unit_of_work(ALL) as session:
        mill = _get(session, Workplace, world.mill)
        session.add(_turf(world.rep, world.mill))
        for number in range(6):
            factories.make_person(session, mill, f"Person {number}")
    assert _mill(world).whole.counted.looked_after == 10
    with unit_of_work(ALL) as session:
        factories.make_person(session, _get(session, Workplace, world.mill), "One more")
    found = _mill(world).whole.counted
    assert (found.has_rep, found.looked_after) == (11, 0)


def test_a_rep_whose_access_ended_looks_after_nobody(world: World) -> None:
    with unit_of_work(ALL) as session:
        gone = factories.make_user(
            session, "Gone", role=Role.REP, place=_get(session, Place, world.mill), until=TODAY
        )
        session.add(
            Turf(user_id=gone.id, place_id=world.mill.id, valid_from=LONG_AGO, recorded_at=NOW)
        )
    found = _mill(world)
    assert found.whole.counted.has_rep == 0
    assert _gates(found)[GateName.OWNERS] is False


def test_an_area_has_the_people_of_the_areas_inside_it_each_once(world: World) -> None:
    with unit_of_work(ALL) as session:
        mill = _get(session, Workplace, world.mill)
        line = factories.make_area(session, mill, "Line 1", parent_area_id=world.packing.id)
        ioana = _get(session, Contact, world.ioana)
        factories.make_job(session, ioana, mill, area=line)
        factories.make_person(session, mill, "Ewa L", area=line)
    told = {one.name: (one.people, one.asked, one.with_us) for one in _mill(world).areas}
    # Ioana, a 2, works in both; with her a placeholder and Ewa, whom nobody asked.
    assert told == {"Packing": (3, 1, 1), "Line 1": (2, 1, 1), "Yard": (1, 1, 0)}
    with unit_of_work(ALL) as session:
        _get(session, Area, world.packing).closed_on = TODAY
    told = {one.name: one.people for one in _mill(world).areas}
    assert told == {"Line 1": 2, "Yard": 1}


def test_every_area_needs_a_rep_for_all_of_it(world: World) -> None:
    with unit_of_work(ALL) as session:
        session.add(_turf(world.rep, world.packing))
    found = _mill(world)
    assert _gates(found)[GateName.OWNERS] is False
    assert {area.name: area.owned for area in found.areas} == {"Packing": True, "Yard": False}
    with unit_of_work(ALL) as session:
        session.add(_turf(world.rep, world.mill))
    assert _gates(_mill(world))[GateName.OWNERS] is True
    with unit_of_work(ALL) as session:
        _get(session, Area, world.yard).closed_on = TODAY
    assert {area.name for area in _mill(world).areas} == {"Packing"}


def _say(place: Named, kind: Finding, answer: bool = True, day: date = TODAY) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            ReadinessFinding(
                place_id=place.id,
                kind=kind,
                answer=answer,
                on_day=day,
                words="Branch meeting, minute 6",
                recorded_at=NOW,
            )
        )


@pytest.mark.parametrize(("days", "is_open"), [(28, True), (29, False)])
def test_the_list_holds_for_28_days_and_needs_addresses_that_work(
    world: World, days: int, is_open: bool
) -> None:
    _say(world.mill, Finding.LIST_CHECKED, day=TODAY - timedelta(days=days))
    assert _gates(_mill(world))[GateName.LIST] is False
    with unit_of_work(ALL) as session:
        session.add(_address(world.ioana, None))
    assert _gates(_mill(world))[GateName.LIST] is False
    with unit_of_work(ALL) as session:
        session.add(_address(world.ioana))
    assert _gates(_mill(world))[GateName.LIST] is is_open


def test_members_without_names_stand_on_no_list(world: World) -> None:
    with unit_of_work(ALL) as session:
        session.add(_address(world.ioana))
        factories.make_member_count(session, _get(session, Workplace, world.mill), 4)
    gate = next(gate for gate in _mill(world).whole.gates if gate.name is GateName.LIST)
    assert (gate.has, gate.of, gate.is_open) == (1, 4, False)


def test_a_member_with_two_jobs_counts_once_of_all_members(world: World) -> None:
    with unit_of_work(ALL) as session:
        ioana = _get(session, Contact, world.ioana)
        factories.make_job(session, ioana, _get(session, Workplace, world.depot))
    before = _found(world.branch, PlaceKind.BRANCH)
    gate = next(gate for gate in before.whole.gates if gate.name is GateName.LIST)
    assert gate.of == _measures(before)[Part.CONTACT].denominator == before.whole.listed.members
    assert sum(site.listed.members for site in before.sites) == before.whole.listed.members + 1


def test_a_list_that_was_not_gone_through_is_told_and_shuts_the_gate(
    world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        session.add(_address(world.ioana))
    assert _gates(_mill(world))[GateName.LIST] is None
    _say(world.mill, Finding.LIST_CHECKED, False)
    assert _gates(_mill(world))[GateName.LIST] is False
    page = client_as(world.rep).get(f"/ready/{world.mill.public_id}")
    text = _words(page.text)
    assert "Was the list gone through? No, on" in text
    assert "Nobody has written down when the list was gone through" not in text


def test_what_the_branch_decided_holds_at_its_workplaces_until_they_decide_themselves(
    world: World,
) -> None:
    _say(world.branch, Finding.DECISION)
    _say(world.branch, Finding.FUND)
    assert _gates(_mill(world))[GateName.DECISION] is True
    assert _measures(_mill(world))[Part.CAPACITY] == Measure(1 / 3, 1, 1, 3)
    _say(world.mill, Finding.DECISION, False, TODAY - timedelta(days=90))
    assert _gates(_mill(world))[GateName.DECISION] is False
    at_dock = _found(world.dock, PlaceKind.WORKPLACE)
    assert _gates(at_dock)[GateName.DECISION] is None
    branch = _found(world.branch, PlaceKind.BRANCH)
    open_at = {
        site.name: next(g.is_open for g in site.gates if g.name is GateName.DECISION)
        for site in branch.sites
    }
    assert open_at == {"The Depot": True, "The Mill": False}


def test_a_finding_of_a_later_day_is_not_known_on_the_day_before(world: World) -> None:
    _say(world.mill, Finding.DECISION)
    before = _found(world.mill, PlaceKind.WORKPLACE, as_at=TODAY - timedelta(days=1))
    assert _gates(before)[GateName.DECISION] is None


def test_a_rep_counts_by_the_terms_of_the_branch_around_the_workplace(world: World) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            ReadinessTerms(
                place_id=world.branch.id,
                from_day=TODAY,
                terms={"targets": {"support": [0.1, 0.2, 0.5]}, "limits": {"chance": 0.8}},
                decided_by="Branch meeting",
                recorded_at=NOW,
            )
        )
    rep = Scope(world.rep.id, (Grant(Role.REP, world.mill.id),))
    for scope in (ALL, rep):
        used = _found(world.mill, PlaceKind.WORKPLACE, scope).in_force
        assert (used.decided_by, used.place, used.own) == (
            "Branch meeting",
            "Barnsley branch",
            False,
        )
        assert used.terms.targets[Part.SUPPORT].target == 0.2
        assert used.terms.targets[Part.DENSITY].target == 0.75
        assert used.terms.limits.chance == 0.8
    before = _found(world.mill, PlaceKind.WORKPLACE, as_at=TODAY - timedelta(days=1))
    assert before.in_force.decided_by is None
    assert _found(world.dock, PlaceKind.WORKPLACE).in_force.decided_by is None


def _hold(world: World, kind: str, did: tuple[Named, ...], day: date, **more: Any) -> None:
    listed = (world.ioana, world.tomasz, world.rukhsana, world.placeholder)
    with unit_of_work(ALL) as session:
        mill = _get(session, Workplace, world.mill)
        frozen = datetime.combine(day, time(12), UTC)
        people = [_get(session, Contact, one) for one in listed]
        made = factories.make_test(
            session, mill, *people, kind=kind, as_at=day, frozen_at=frozen, **more
        )
        for person, entry in zip(listed, made[3:], strict=True):
            if person in did:
                session.add(
                    Participation(
                        test_id=entry.test_id,
                        day=day,
                        entry_id=entry.id,
                        contact_id=person.id,
                        place_id=entry.place_id,
                        deed="did",
                        evidence="saw",
                        recorded_at=NOW,
                    )
                )


def test_a_test_counts_everybody_on_its_list_and_fades_by_half_in_sixty_days(
    world: World,
) -> None:
    _hold(world, "open_petition", (world.ioana,), TODAY - timedelta(days=60))
    measure = _measures(_mill(world))[Part.PARTICIPATION]
    # One of four did; of the other three nothing is known.
    assert (measure.numerator, measure.denominator, measure.cap) == (1, 4, 1.0)
    assert (measure.low, measure.high) == (1 / 8, 1 / 2)
    assert _gates(_mill(world))[GateName.TESTS] is False
    day_before = TODAY - timedelta(days=61)
    before = _found(world.mill, PlaceKind.WORKPLACE, as_at=day_before)
    assert _measures(before)[Part.PARTICIPATION].numerator is None
    at_branch = _found(world.branch, PlaceKind.BRANCH)
    assert _measures(at_branch)[Part.PARTICIPATION] == measure
    last = {site.name: site.last_test for site in at_branch.sites}
    assert last["The Depot"] is None
    assert last["The Mill"] is not None


def test_two_tests_of_rising_risk_open_the_gate_when_every_area_took_part(world: World) -> None:
    everybody = (world.ioana, world.tomasz, world.rukhsana, world.placeholder)
    _hold(world, "quiet_petition", everybody, TODAY - timedelta(days=9))
    _hold(world, "open_petition", everybody, TODAY - timedelta(days=2))
    assert _gates(_mill(world))[GateName.TESTS] is True
    # Three of four; of the one in the Yard nobody knows.
    _hold(world, "photo", (everybody[0], *everybody[2:]), TODAY - timedelta(days=1))
    assert _gates(_mill(world))[GateName.TESTS] is None


def test_people_not_known_leave_the_tests_gate_not_known(world: World) -> None:
    everybody = (world.ioana, world.tomasz, world.rukhsana, world.placeholder)
    _hold(world, "quiet_petition", everybody, TODAY - timedelta(days=9))
    _hold(world, "open_petition", everybody[:2], TODAY - timedelta(days=2))
    assert _gates(_mill(world))[GateName.TESTS] is None


def test_a_test_that_was_called_off_counts_nowhere(world: World) -> None:
    _hold(world, "open_petition", (world.ioana,), TODAY, called_off_at=NOW)
    assert _mill(world).whole.last_test is None


def _project(
    world: World, chance: float, *, part: Named | None = None, made: date = TODAY, **more: Any
) -> None:
    """Store a ballot at the Mill and the Depot, with one projection of it or of one part."""
    with unit_of_work(ALL) as session:
        ballot = Ballot(
            **{
                "name": "Pay",
                "kind": "action",
                "union_id": world.union.id,
                "jurisdiction": "GB",
                "separate": part is not None,
                "place_id": world.branch.id,
                "created_at": NOW,
                **more,
            }
        )
        session.add(ballot)
        session.flush()
        parts = {}
        for site in (world.mill, world.depot):
            parts[site.id] = BallotPart(ballot_id=ballot.id, place_id=site.id, jurisdiction="GB")
            session.add(parts[site.id])
        session.flush()
        session.add(
            BallotForecast(
                ballot_id=ballot.id,
                place_id=part.id if part else world.branch.id,
                part_id=parts[part.id].id if part else None,
                made_on=made,
                made_at=NOW,
                entitled=10,
                not_asked=1,
                turnout_points=[0.5] * 19,
                chance=chance,
                **{
                    f"{what}_{end}": 0.5
                    for what in ("turnout", "yes")
                    for end in ("low", "median", "high")
                },
            )
        )


@pytest.mark.parametrize(("chance", "is_open"), [(0.9, True), (0.8999, False)])
def test_the_law_gate_goes_by_the_kept_projection_of_a_ballot_to_come(
    world: World, chance: float, is_open: bool
) -> None:
    _project(world, chance, made=TODAY - timedelta(days=1))
    assert _gates(_mill(world))[GateName.LAW] is is_open
    assert _gates(_found(world.branch, PlaceKind.BRANCH))[GateName.LAW] is is_open
    assert _gates(_found(world.dock, PlaceKind.WORKPLACE))[GateName.LAW] is None
    before = _found(world.mill, PlaceKind.WORKPLACE, as_at=TODAY - timedelta(days=2))
    assert _gates(before)[GateName.LAW] is None


def test_a_unit_is_not_ready_by_law_while_a_workplace_with_members_is_in_no_ballot(
    world: World, client_as: ClientAs
) -> None:
    _project(world, 0.95, made=TODAY)
    with unit_of_work(ALL) as session:
        out = session.scalars(
            ALL.select(BallotPart).where(BallotPart.place_id == world.depot.id)
        ).one()
        session.delete(out)
    found = _found(world.branch, PlaceKind.BRANCH)
    # The Depot has a member, too. Nobody knows of it; a shut gate elsewhere would stay shut.
    assert _gates(found)[GateName.LAW] is None
    assert (found.whole.balloted, found.whole.to_ballot) == (1, 2)
    assert {site.name: _gate_of(site) for site in found.sites} == {
        "The Depot": None,
        "The Mill": True,
    }
    page = _words(client_as(world.officer).get(f"/ready/{world.branch.public_id}").text)
    assert "Only 1 of 2 workplaces with members are in a ballot to come" in page
    _project(world, 0.2, name="Rotas")
    assert _gates(_found(world.branch, PlaceKind.BRANCH))[GateName.LAW] is False


def _gate_of(site: Standing) -> bool | None:
    return next(gate.is_open for gate in site.gates if gate.name is GateName.LAW)


def test_of_several_projections_the_lowest_chance_is_the_gate(world: World) -> None:
    _project(world, 0.99)
    _project(world, 0.4, part=world.depot)
    # In the second ballot each votes for itself, and nothing is known of the Mill.
    assert _gates(_mill(world))[GateName.LAW] is None
    branch = _found(world.branch, PlaceKind.BRANCH)
    assert next(gate.has for gate in branch.whole.gates if gate.name is GateName.LAW) == 0.4
    law = {
        site.name: next(gate.is_open for gate in site.gates if gate.name is GateName.LAW)
        for site in branch.sites
    }
    assert law == {"The Depot": False, "The Mill": None}


@pytest.mark.parametrize(
    "over",
    [{"kind": "indicative"}, {"declared_on": TODAY}, {"called_off_on": TODAY}],
)
def test_a_ballot_that_is_over_or_binds_nobody_opens_no_gate(
    world: World, over: dict[str, Any]
) -> None:
    _project(world, 0.99, **over)
    assert _gates(_mill(world))[GateName.LAW] is None


def test_a_ballot_that_is_counted_is_not_to_come_though_nobody_declared_it(world: World) -> None:
    _project(world, 0.99)
    with unit_of_work(ALL) as session:
        old = factories.make_open_ballot(session, world, today=date(2023, 5, 1))
    # Voting is over and nobody counted: what it comes to is not known.
    assert _gates(_mill(world))[GateName.LAW] is None
    with unit_of_work(ALL) as session:
        of_old = {"ballot_id": old.id, "place_id": world.branch.id}
        asked = BallotQuestion(number=1, kind="strike", **of_old)
        session.add(asked)
        session.flush()
        session.add(BallotCount(question_id=asked.id, recorded_at=NOW, yes=1, **of_old))
    assert _gates(_mill(world))[GateName.LAW] is True


@pytest.mark.parametrize("ended", ["declared_on", "called_off_on"])
def test_a_ballot_that_ended_later_was_still_to_come(world: World, ended: str) -> None:
    _project(world, 0.99, **{ended: TODAY + timedelta(days=1)})
    assert _gates(_mill(world))[GateName.LAW] is True


def test_a_ballot_without_a_projection_keeps_the_law_gate_from_opening(
    world: World, client_as: ClientAs
) -> None:
    _project(world, 0.99, part=world.mill)
    assert _gates(_mill(world))[GateName.LAW] is True
    assert _gates(_found(world.branch, PlaceKind.BRANCH))[GateName.LAW] is None
    _project(world, 0.99, name="Rotas", made=TODAY + timedelta(days=1))
    assert _gates(_mill(world))[GateName.LAW] is None
    assert _mill(world).whole.not_projected == ("Rotas",)
    page = client_as(world.rep).get(f"/ready/{world.mill.public_id}")
    assert "No projection was kept of: Rotas." in _words(page.text)
    _project(world, 0.2, name="Shifts")
    assert _gates(_mill(world))[GateName.LAW] is False


def test_more_people_and_places_cost_no_more_statements(
    world: World, count_statements: list[str]
) -> None:
    sent = []
    for more in range(2):
        if more:
            with unit_of_work(ALL) as session:
                session.add(_turf(world.rep, world.mill))
                branch = _get(session, Place, world.branch)
                employer = _get(session, Place, world.brightway)
                for number in range(5):
                    site = factories.make_workplace(
                        session, employer, f"Unit {number}", branches=(branch,)
                    )
                    factories.make_headcount(session, site, 5)
                    factories.make_person(session, site, f"Person {number}")
        else:
            with unit_of_work(ALL) as session:
                session.add(_turf(world.rep, world.packing))
        count_statements.clear()
        _found(world.branch, PlaceKind.BRANCH)
        sent.append(len(count_statements))
    assert sent[0] == sent[1] <= 24


# --- The pages ---------------------------------------------------------------------------------


def test_the_page_says_not_ready_before_any_number(world: World, client_as: ClientAs) -> None:
    words = _words(client_as(world.rep).get(f"/ready/{world.mill.public_id}").text)
    assert words.index("Not ready. Shut:") < words.index("of 100, as at")
    assert "The list is right shut 0 of 1 members have a home address that works." in words
    assert "The ballot would pass not known" in words
    assert "Holds the index down most: took part in the last test (not known)." in words
    assert "With the same weight for every part: 5 to 22." in words
    # One of the two in Packing is with us.
    assert "Weakest area: Yard, The Mill. 0 of 1 on our list are firmly with us; " in words
    for caveat in (
        "The weights are a judgement.",
        "Do not compare workplaces by it.",
        "It says nothing of leverage, timing or the law",
        "Never show it to management.",
        "It never ranks people",
    ):
        assert caveat in words
    assert "The usual weights and limits of this program." in words


def test_an_area_without_a_rep_leads_to_where_it_is_given_to_one(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)
    page = html.unescape(client.get(f"/ready/{world.mill.public_id}").text)
    link = re.search(rf'href="([^"]+area={world.packing.public_id}[^"]*)"', page)
    assert link is not None
    assert link[1].endswith("#areas")
    assert f'selected value="{world.packing.public_id}"' in client.get(link[1]).text


def test_the_index_on_the_page_is_not_rounded_up_into_the_next_band(app: Flask) -> None:
    index = Index(low=59.6, high=79.9, equal_low=1.0, equal_high=1.0, scores=())
    with app.test_request_context():
        assert index_text(index) == "59 to 79"


def test_no_name_of_any_worker_stands_on_the_page(world: World, client_as: ClientAs) -> None:
    page = client_as(world.organiser).get(f"/ready/{world.branch.public_id}").text
    assert not any(name in page for name in ("Ioana", "Tomasz", "Rukhsana", "Marta"))


def test_who_holds_a_part_only_gets_no_figure_of_the_whole(
    world: World, client_as: ClientAs
) -> None:
    for user, place in (
        (world.rep, world.branch),
        (world.rep, world.brightway),
        (world.organiser, world.brightway),
        (world.dock_rep, world.mill),
        (world.boss_of_all, world.packing),
    ):
        for page in ("", "/people"):
            assert client_as(user).get(f"/ready/{place.public_id}{page}").status_code == 404
    assert client_as(world.admin).get(f"/ready/{world.mill.public_id}").status_code == 403
    for page in ("found", "terms"):
        assert client_as(world.rep).get(f"/ready/{world.mill.public_id}/{page}").status_code == 403
        away = client_as(world.organiser).get(f"/ready/{world.dock.public_id}/{page}")
        assert away.status_code == 404


def test_a_day_ahead_is_refused_and_today_is_shown(world: World, client_as: ClientAs) -> None:
    answer = client_as(world.rep).get(f"/ready/{world.mill.public_id}?as_at=2026-11-24")
    assert answer.status_code == 422
    assert "This day has not come yet. Choose today or a day before." in answer.text


def test_the_list_of_places_names_those_held_as_a_whole(world: World, client_as: ClientAs) -> None:
    words = _words(client_as(world.organiser).get("/ready").text)
    for name in ("Barnsley branch", "The Mill", "The Depot"):
        assert name in words
    assert "Brightway" not in words


def _people(client: FlaskClient, world: World, want: str) -> str:
    answer = client.get(f"/ready/{world.mill.public_id}/people?want={want}")
    assert answer.status_code == 200
    return _words(answer.text)


def test_each_gap_names_its_people_and_nobody_else(world: World, client_as: ClientAs) -> None:
    client = client_as(world.organiser)
    ask = _people(client, world, "ask")
    assert "Night packer 3" in ask
    assert "Rukhsana A" in ask
    assert "Ioana P" not in ask
    assert "Tomasz K" not in ask
    assert "Nobody is left here." in _people(client, world, "join")
    assert "Ioana P" in _people(client, world, "address")
    with unit_of_work(ALL) as session:
        rukhsana = _get(session, Contact, world.rukhsana)
        factories.make_assessment(session, rukhsana, _get(session, Workplace, world.mill), 1)
        session.add(_address(world.ioana))
    assert "Rukhsana A" in _people(client, world, "join")
    # Her job is not known yet, so the ballot could still miss her.
    assert "Ioana P" in _people(client, world, "address")
    assert client.get(f"/ready/{world.mill.public_id}/people?want=blame").status_code == 404


def test_people_are_given_to_their_own_reps_once(world: World, client_as: ClientAs) -> None:
    client = client_as(world.organiser)
    path = f"/ready/{world.mill.public_id}/people?want=ask"
    refused = client.post(path, data={"due_on": "2026-11-30"})
    assert refused.status_code == 422
    assert "First say who looks after them." in _words(refused.text)
    with unit_of_work(ALL) as session:
        session.add(_turf(world.rep, world.packing))
    late = client.post(path, data={"due_on": "2026-11-22"})
    assert late.status_code == 422
    assert "This day is over. Choose today or a later day." in late.text
    done = client.post(path, data={"due_on": "2026-11-30"})
    assert done.status_code == 303
    said = _words(client.get(done.location).text)
    assert "1 person given to their rep: Owen Rep 1. 1 person has no rep yet." in said
    assert client.post(path, data={"due_on": "2026-11-30"}).status_code == 422
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(ALL.select(FollowUp)).all()
        assert [(row.contact_id, row.owner_id, row.what) for row in rows] == [
            (world.placeholder.id, world.rep.id, "Ask where they stand")
        ]


def test_somebody_who_is_not_to_be_contacted_is_in_no_gap(
    world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        _get(session, Contact, world.rukhsana).do_not_contact = True
    assert "Rukhsana A" not in _people(client_as(world.organiser), world, "ask")


def test_a_finding_is_kept_with_who_says_so_and_nothing_is_overwritten(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.officer)
    path = f"/ready/{world.branch.public_id}/found"
    sent = {"kind": "decision", "answer": "yes", "on_day": "2026-11-20", "words": "37 present"}
    assert client.post(path, data={**sent, "words": " "}).status_code == 422
    ahead = client.post(path, data={**sent, "on_day": "2026-11-24"})
    assert ahead.status_code == 422
    assert "This day has not come yet. Choose today or a day before." in ahead.text
    assert client.post(path, data=sent).status_code == 303
    assert client.post(path, data={**sent, "answer": "no"}).status_code == 303
    page = _words(client_as(world.rep).get(f"/ready/{world.mill.public_id}").text)
    assert "No, on 20 November 2026: 37 present (Barnsley branch)" in page
    history = _words(client.get(path).text)
    assert history.count("37 present") == 2
    assert "Kasia Officer" in history
    with db.engine.connect().execution_options(crm_scope=True) as connection:
        entries = connection.execute(
            sa.select(AuditEntry.actor_id).where(AuditEntry.subject == "readiness_finding")
        ).all()
    assert [entry.actor_id for entry in entries] == [world.officer.id] * 2


def _terms(client: FlaskClient, path: str) -> dict[str, str]:
    page = client.get(path).text
    found = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page)
    return {name: value for name, value in found if not name.startswith("csrf")}


def test_a_group_sets_its_own_terms_and_the_page_says_who_decided(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)
    path = f"/ready/{world.branch.public_id}/terms"
    usual = _terms(client, path)
    assert (usual["support_floor"], usual["support_target"]) == ("30", "80")
    asked = {**usual, "decided_by": "Meeting, minute 6", "support_target": "62.5"}
    below = "“Counts as nothing” must be below “counts as enough”."
    for name, wrong, why in (
        ("support_floor", "70", f'id="support_floor-error">{below}'),
        ("support_weight", "0", 'id="support_weight-error">Enter a number above 0 and up to 100.'),
        ("chance", "0", below),
    ):
        refused = client.post(path, data={**asked, name: wrong})
        assert refused.status_code == 422
        assert why in re.sub(r'<span class="wc-unseen">[^<]*</span>\s*', "", refused.text)
        assert 'value="62.5"' in refused.text
    assert client.post(path, data={**asked, "chance": "101"}).status_code == 422
    done = client.post(path, data=asked)
    assert done.status_code == 303
    words = _words(client_as(world.rep).get(f"/ready/{world.mill.public_id}").text)
    assert (
        "Weights and limits from 23 November 2026, decided by: Meeting, minute 6. "
        "They are those of Barnsley branch." in words
    )
    assert "30% to 63%" in words
    history = _words(client.get(path).text)
    assert "Meeting, minute 6 Firmly with us: 30% to 63%, weight 20% (usual: 30% to 80%" in history
    # A limit of a gate is as much a decision as a weight, and only what changed is told.
    client.post(path, data={**asked, "test_share": "50", "decided_by": "Minute 9"})
    history = _words(client.get(path).text)
    assert "Minute 9 Took part in the last test, at least: 50% (before: 65%) Written" in history


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_who_looks_after_whom_is_gone_through_once_and_not_for_each_workplace(
    client_as: Callable[[Named], FlaskClient], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For thousands of workplaces a report would take minutes."""
    times = 0

    class _Counting(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            nonlocal times
            times += 1
            return super().__iter__()

    in_charge_now = readiness.in_charge_now
    monkeypatch.setattr(
        readiness, "in_charge_now", lambda *asked, **more: _Counting(in_charge_now(*asked, **more))
    )
    answer = client_as(world.organiser).get(f"/ready/{world.branch.public_id}")
    assert answer.status_code == 200
    assert times == 1
