"""What the reads about places hand out, and that an alias is held to the scope too."""

from __future__ import annotations

from sqlalchemy.orm import aliased

from crm.access.scope import Grant, Scope
from crm.domain.assessment import DEFAULT_EXPIRY
from crm.domain.roles import Role
from crm.features.workplaces import queries
from crm.models.places import Place, Workplace
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, TODAY, World


def _scope(user: factories.Named, role: Role, place: factories.Named) -> Scope:
    return Scope(actor_id=user.id, grants=(Grant(role=role, place_id=place.id),))


def test_a_branch_organiser_reads_whose_workplaces_theirs_are_and_no_other_employer(
    world: World,
) -> None:
    scope = _scope(world.organiser, Role.ORGANISER, world.branch)
    with unit_of_work(scope, read_only=True) as session:
        found = queries.list_workplaces(session, scope, today=TODAY)
        employers = queries.list_employer_choices(session, scope)
    assert [group.employer.name for group in found.groups if group.employer] == ["Brightway"]
    assert [choice.label for choice in employers] == ["Brightway"]


def test_an_alias_joined_with_its_own_condition_is_filtered_by_its_own_place(world: World) -> None:
    # Everything here joins every place to the workplaces in scope: only places in scope may come.
    scope = _scope(world.rep, Role.REP, world.mill)
    other = aliased(Place)
    with unit_of_work(scope, read_only=True) as session:
        names = session.scalars(
            scope.select(other.name)
            .select_from(Workplace)
            .join(other, other.id != Workplace.id)
            .order_by(other.name)
        ).all()
    for outside in (world.dock, world.depot, world.saltway):
        assert outside.name not in names
    assert world.brightway.name in names
    assert world.packing.name in names


def test_a_person_in_two_areas_is_counted_once_in_what_contains_both(world: World) -> None:
    with unit_of_work(ALL) as session:
        contact = session.scalars(
            ALL.select(factories.Contact).where(factories.Contact.id == world.ioana.id)
        ).one()
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        yard = session.scalars(
            ALL.select(factories.Area).where(factories.Area.id == world.yard.id)
        ).one()
        factories.make_job(session, contact, mill, area=yard)
    with unit_of_work(ALL, read_only=True) as session:
        view = queries.get_workplace_view(
            session, ALL, world.mill.public_id, today=TODAY, expiry=DEFAULT_EXPIRY
        )
    assert view.people is not None
    assert view.people.total == 4
    assert {area.name: area.people for area in view.areas} == {"Packing": 2, "Yard": 2}


def test_somebody_who_holds_one_area_sees_its_people_and_is_told_so(world: World) -> None:
    scope = _scope(world.rep, Role.REP, world.packing)
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_workplace_view(
            session, scope, world.mill.public_id, today=TODAY, expiry=DEFAULT_EXPIRY
        )
    assert view.people is not None
    assert view.people.partly
    assert sorted(row.name for row in view.people.rows) == ["Ioana P", "Night packer 3"]
    assert [area.name for area in view.areas] == ["Packing"]
    assert view.counted.headcounts == ()
