"""Density on its several bases, and what stands beside it, on both databases."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from crm.access.scope import Grant, Scope
from crm.domain.assessment import DEFAULT_EXPIRY
from crm.domain.density import PeopleRange, Range
from crm.domain.headcount import Counts, Workforce
from crm.domain.roles import Role
from crm.domain.sampling import finite_wilson
from crm.domain.vocabulary import ContractType
from crm.models.campaigns import Participation
from crm.models.contacts import Contact
from crm.models.conversations import Conversation, FollowUp
from crm.models.places import BargainingUnit, Place, Recognition, Workplace
from crm.models.turf import Turf
from crm.reads.figures import Question
from crm.reads.measures import Basis, Cell, Measures, measures
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, LONG_AGO, NOW, TODAY, Named, World


def _get(session: Any, kind: type[Any], named: Named) -> Any:
    return session.scalars(ALL.select(kind).where(kind.id == named.id)).one()


def _found(question: Question, scope: Scope = ALL) -> Measures:
    with unit_of_work(scope, read_only=True) as session:
        return measures(session, scope, question, expiry=DEFAULT_EXPIRY, day=TODAY)


def _at_mill(world: World, **more: Any) -> Measures:
    return _found(Question(TODAY, within=(world.mill.id,), **more))


def _basis(found: Measures, counts: Counts) -> Basis:
    return next(one for one in found.bases if one.counts is counts)


def test_the_employers_own_staff_are_those_paid_by_it_and_others_only_as_far_as_they_must_be(
    world: World,
) -> None:
    with unit_of_work(ALL) as session:
        mill = _get(session, Workplace, world.mill)
        union = _get(session, Place, world.union)
        factories.make_headcount(session, mill, 6, 7, counts=Counts.EMPLOYER_DIRECT)
        for name, more in (
            ("Own", {"employer_of_record_id": world.brightway.id}),
            ("Other", {"employer_of_record_id": world.saltway.id}),
            ("Agency", {"contract_type": "agency"}),
        ):
            person = factories.make_person(session, mill, name, **more)
            factories.make_membership(session, person, union)
    found = _basis(_at_mill(world), Counts.EMPLOYER_DIRECT)
    # Own is the only member who surely belongs. Ioana perhaps; up to 4 of 10 are outside.
    # Tomasz, no member, perhaps too.
    assert found.workers == Workforce(6, None, 7)
    assert found.surely == 1
    assert (found.counted_places, found.places) == (1, 1)
    assert found.share is not None
    assert found.share.low == pytest.approx(1 / 7)
    assert found.share.high == 1.0
    assert found.members == PeopleRange(1, 7)


def test_a_bargaining_unit_counts_members_who_cannot_all_be_outside_it(world: World) -> None:
    with unit_of_work(ALL) as session:
        mill = _get(session, Workplace, world.mill)
        union = _get(session, Place, world.union)
        factories.make_headcount(session, mill, 9, 9, counts=Counts.BARGAINING_UNIT)
        for number in range(4):
            person = factories.make_person(session, mill, f"Member {number}")
            factories.make_membership(session, person, union)
    found = _basis(_at_mill(world), Counts.BARGAINING_UNIT)
    # Five members among 8 to 10 on site; at most one of the ten is outside the nine.
    assert found.share is not None
    assert found.share.low == pytest.approx(4 / 9)
    assert found.members is not None
    assert found.members.low == 4


def test_a_basis_nobody_has_counted_is_not_known(world: World) -> None:
    found = _basis(_at_mill(world), Counts.EMPLOYER_DIRECT)
    assert (found.members, found.workers, found.share) == (None, None, None)
    assert (found.counted_places, found.places) == (0, 1)


def test_everyone_on_site_is_the_total_of_the_density_page(world: World) -> None:
    found = _basis(_at_mill(world), Counts.SITE_ALL)
    assert found.share == Range(1 / 10, 9 / 10)
    assert found.workers == Workforce(8, None, 10)


def test_those_asked_are_a_sample_of_the_workers_and_a_stated_count_is_not(world: World) -> None:
    found = _at_mill(world).asked
    assert found is not None
    assert (found.members, found.asked, found.workers) == (1, 2, 10)
    assert found.interval == finite_wilson(1, 2, 10)
    with unit_of_work(ALL) as session:
        factories.make_member_count(session, _get(session, Workplace, world.mill), 4)
    assert _at_mill(world).asked is None
    assert _found(Question(TODAY, within=(world.depot.id,))).asked is None


def test_reps_active_and_organised_people_are_counted_once_each(world: World) -> None:
    at = {"place_id": world.packing.id, "contact_id": world.ioana.id}
    with unit_of_work(ALL) as session:
        mill = _get(session, Workplace, world.mill)
        factories.make_user(
            session, "Area rep", role=Role.REP, place=_get(session, Place, world.yard)
        )
        factories.make_user(session, "Past", role=Role.REP, place=mill, until=TODAY)
        for day, user in ((TODAY, world.rep), (TODAY - timedelta(days=90), world.organiser)):
            session.add(
                Conversation(held_by_id=user.id, day=day, held_at=NOW, recorded_at=NOW, **at)
            )
        for done_at in (NOW, NOW - timedelta(days=1)):
            session.add(
                FollowUp(
                    owner_id=world.rep.id,
                    due_on=TODAY,
                    created_at=NOW,
                    done_at=done_at,
                    done_by_id=world.officer.id,
                    **at,
                )
            )
        rukhsana = _get(session, Contact, world.rukhsana)
        ioana = _get(session, Contact, world.ioana)
        *_, first, second = factories.make_test(session, mill, rukhsana, ioana)
        for entry in (first, second):
            session.add(
                Participation(
                    test_id=entry.test_id,
                    entry_id=entry.id,
                    contact_id=entry.contact_id,
                    place_id=entry.place_id,
                    deed="did",
                    day=TODAY,
                    recorded_at=NOW,
                )
            )
    found = _at_mill(world).beside
    # The talk of 90 days ago is a day too old. Ioana is with us and took part: once.
    assert (found.reps, found.active, found.organised) == (2, 2, 2)


def test_unions_stand_side_by_side_and_somebody_in_two_counts_once_in_any(world: World) -> None:
    with unit_of_work(ALL) as session:
        ioana = _get(session, Contact, world.ioana)
        other = _get(session, Place, world.other_union)
        factories.make_membership(session, ioana, other)
        unit = BargainingUnit(name="Hourly staff", place_id=world.brightway.id)
        session.add(unit)
        session.flush()
        session.add(
            Recognition(
                unit_id=unit.id,
                union_id=world.union.id,
                place_id=world.brightway.id,
                valid_from=LONG_AGO,
                recorded_at=NOW,
            )
        )
    found = {site.place.name: site for site in _found(Question(TODAY)).workplaces}
    mill = found["The Mill"]
    assert mill.by_union == {world.union.id: 1, world.other_union.id: 1}
    assert (mill.any_union, mill.several) == (1, 1)
    assert mill.recognised == {world.union.id}
    assert found["The Dock"].recognised == frozenset()
    own = _at_mill(world, union_id=world.other_union.id)
    assert own.total.members == 1


def test_an_area_and_shift_without_a_rep_is_seen(world: World) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            Turf(
                user_id=world.rep.id,
                place_id=world.packing.id,
                valid_from=LONG_AGO,
                recorded_at=NOW,
            )
        )
    assert _at_mill(world).cells == (
        Cell("Packing", "Nights", 2, 1, 0),
        Cell("Yard", None, 1, 0, 1),
        Cell(None, None, 1, 0, 1),
    )
    assert _found(Question(TODAY)).cells == ()


def test_what_we_knew_then_and_the_scope_hold_here_too(world: World) -> None:
    before = datetime(2026, 11, 1, tzinfo=NOW.tzinfo)
    found = _at_mill(world, known_at=before)
    assert found.total.all_members == 0
    rep = Scope(world.dock_rep.id, (Grant(Role.REP, world.dock.id),))
    seen = _found(Question(TODAY), rep)
    assert [site.place.name for site in seen.workplaces] == ["The Dock"]
    assert seen.total.all_places == 1


def test_each_kind_of_contract_has_its_people_and_the_reps_who_look_after_them(
    world: World,
) -> None:
    with unit_of_work(ALL) as session:
        mill = _get(session, Workplace, world.mill)
        agency = factories.make_person(session, mill, "Agency", contract_type="agency")
        factories.make_job(session, agency, mill, contract_type="permanent")
        session.add(
            Turf(
                user_id=world.rep.id,
                place_id=world.packing.id,
                valid_from=LONG_AGO,
                recorded_at=NOW,
            )
        )
    at_mill = _at_mill(world)
    found = {one.contract: one for one in at_mill.contracts}
    assert [*found] == [ContractType.PERMANENT, ContractType.AGENCY, None]
    # Somebody with both stands in both lines; nobody looks after them.
    assert (found[ContractType.AGENCY].people, found[ContractType.AGENCY].nobody) == (1, 1)
    assert found[ContractType.PERMANENT].reps == 0
    assert found[None].people == 4
    assert found[None].reps == 1
    # What the shares are out of: each person once, though one of them is in two lines.
    assert (at_mill.contract_people, at_mill.contract_reps) == (5, 1)
    assert _found(Question(date(2019, 1, 1))).contracts == ()


def test_more_people_and_places_cost_no_more_statements(
    world: World, count_statements: list[str]
) -> None:
    sent = []
    for more in range(2):
        if more:
            with unit_of_work(ALL) as session:
                employer = _get(session, Place, world.brightway)
                for number in range(5):
                    site = factories.make_workplace(session, employer, f"Unit {number}")
                    factories.make_headcount(session, site, 5)
                    factories.make_person(session, site, f"Person {number}")
        count_statements.clear()
        _found(Question(TODAY))
        sent.append(len(count_statements))
    assert sent[0] == sent[1] <= 30
