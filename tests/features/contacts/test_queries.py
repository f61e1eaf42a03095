"""What is read of one person, and what their forms offer."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest

from crm.access import facts
from crm.access.scope import Grant, Scope
from crm.domain.assessment import DEFAULT_EXPIRY, Basis, ExpiryRule, Freshness
from crm.domain.errors import NotFound
from crm.domain.roles import Role
from crm.features.contacts import queries
from crm.models.contacts import Contact, Job
from crm.models.places import Area
from crm.reads.places import places_to_filter
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World


def _scope(user: Named, place: Named, role: Role = Role.REP) -> Scope:
    return Scope(actor_id=user.id, grants=(Grant(role, place.id),))


def _read(
    world: World, person: Named, today: date = TODAY, expiry: ExpiryRule = DEFAULT_EXPIRY
) -> queries.ContactPage:
    scope = _scope(world.rep, world.mill)
    with unit_of_work(scope, read_only=True) as session:
        _inner_id, page = queries.read_contact(
            session, scope, person.public_id, today=today, expiry=expiry
        )
        return page


def test_an_old_judgement_says_that_it_is_too_old(world: World) -> None:
    page = _read(world, world.tomasz, today=date(2027, 11, 23))

    assert page.stands is not None
    assert (page.stands.judgement.rating, page.stands.freshness) == (3, Freshness.EXPIRED)


def test_nobody_asked_is_none_and_never_a_middle_score(world: World) -> None:
    page = _read(world, world.rukhsana)

    assert page.stands is None
    assert page.history == []


def test_a_judgement_on_one_ask_is_no_general_standing(world: World) -> None:
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == world.rukhsana.id)).one()
        area = session.scalars(ALL.select(Area).where(Area.id == world.packing.id)).one()
        factories.make_assessment(session, contact, area, 1, ask="petition", basis=Basis.ACTION)

    page = _read(world, world.rukhsana)

    assert page.stands is None
    assert [one.ask for one in page.other_judgements] == ["petition"]


def test_what_was_corrected_is_told_apart_from_what_is_believed(world: World) -> None:
    with unit_of_work(ALL) as session:
        job = session.scalars(ALL.select(Job).where(Job.contact_id == world.ioana.id)).one()
        facts.revise(
            session, job, now=NOW + timedelta(hours=1), actor_id=world.rep.id, job_title="Picker"
        )

    page = _read(world, world.ioana)

    assert [job.job_title for job in page.jobs] == ["Picker"]
    assert [job.written.by for job in page.jobs] == ["Owen Rep"]
    (old,) = page.jobs_before
    assert old.written.replaced_at == NOW + timedelta(hours=1)


def test_somebody_outside_the_scope_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        _read(world, world.docker)


def test_workplaces_to_write_hold_those_of_which_only_a_part_is_held(world: World) -> None:
    for place, names in (
        (world.mill, ["The Mill"]),
        (world.packing, ["The Mill"]),
        (world.branch, ["The Depot", "The Mill"]),
    ):
        scope = _scope(world.rep, place)
        with unit_of_work(scope, read_only=True) as session:
            found = queries.workplaces_to_write(session, scope)
        assert [choice.label for choice in found] == names


def test_who_holds_an_area_is_offered_that_area_only(world: World) -> None:
    scope = _scope(world.rep, world.packing)

    with unit_of_work(scope, read_only=True) as session:
        offered = queries.job_choices(session, scope, world.mill.public_id)

    assert offered.whole_site is False
    assert [choice.label for choice in offered.areas] == ["Packing"]


def test_a_workplace_outside_the_scope_offers_nothing(world: World) -> None:
    scope = _scope(world.rep, world.mill)

    with pytest.raises(NotFound), unit_of_work(scope, read_only=True) as session:
        queries.job_choices(session, scope, world.dock.public_id)


def test_branches_are_named_with_their_union(world: World) -> None:
    scope = _scope(world.rep, world.mill)

    with unit_of_work(scope, read_only=True) as session:
        found = queries.branch_choices(session, scope)

    assert [choice.label for choice in found] == [
        "Dockers' Union: Hull branch",
        "Warehouse Workers' Union: Barnsley branch",
    ]


def test_the_filter_offers_workplaces_with_their_areas(world: World) -> None:
    scope = _scope(world.rep, world.mill)

    with unit_of_work(scope, read_only=True) as session:
        found = places_to_filter(session, scope, world.dock.public_id)
        absent = places_to_filter(session, scope, uuid.uuid4())

    labels = ["The Mill", "The Mill: Packing", "The Mill: Yard"]
    assert [choice.label for choice in found] == labels
    assert [choice.label for choice in absent] == labels


def test_how_long_a_judgement_counts_follows_the_rule_of_the_server(world: World) -> None:
    stands = _read(world, world.tomasz).stands
    assert stands is not None
    age = stands.age_days
    rules = [ExpiryRule(age, age), ExpiryRule(age - 1, age), ExpiryRule(0, age - 1)]

    found = [_read(world, world.tomasz, expiry=rule).stands for rule in rules]

    assert [one.freshness for one in found if one is not None] == [
        Freshness.FRESH,
        Freshness.STALE,
        Freshness.EXPIRED,
    ]
