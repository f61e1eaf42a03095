"""The rules of changing places, without a page around them."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from crm.access.scope import Grant, Scope
from crm.domain.errors import NotFound, PermissionRefused, Refusal
from crm.domain.roles import Role
from crm.domain.vocabulary import AreaKind
from crm.features.workplaces import service
from crm.web.db import unit_of_work
from tests.factories import NOW, TODAY, World


@pytest.mark.parametrize(
    ("typed", "country", "stored"),
    [
        ("s701aa", "GB", "S70 1AA"),
        (" ec1a  1bb ", None, "EC1A 1BB"),
        ("S70 1AA", "GB", "S70 1AA"),
        ("gate 4", "GB", "GATE 4"),
        ("1012 ab", "NL", "1012 ab"),
        ("12345", None, "12345"),
        (None, "GB", None),
    ],
)
def test_postcodes_are_put_in_one_form_in_britain_and_kept_elsewhere(
    typed: str | None, country: str | None, stored: str | None
) -> None:
    assert service.normal_postcode(typed, country) == stored


def _values(**changes: object) -> service.WorkplaceValues:
    values: dict[str, object] = {
        "name": "Hub",
        "address": None,
        "postcode": None,
        "region": None,
        "country": "GB",
        "time_zone": "Europe/London",
        "latitude": None,
        "longitude": None,
    }
    return service.WorkplaceValues(**{**values, **changes})  # type: ignore[arg-type]


def test_an_organiser_who_holds_the_employer_may_add_a_workplace_and_one_of_a_branch_may_not(
    world: World,
) -> None:
    def _add(place_id: int) -> uuid.UUID:
        grants = (Grant(role=Role.ORGANISER, place_id=place_id),)
        scope = Scope(actor_id=world.organiser.id, grants=grants)
        with unit_of_work(scope) as session:
            return service.add_workplace(
                session,
                scope,
                world.brightway.public_id,
                _values(),
                branch_id=None,
                branch_since=None,
                now=NOW,
                today=TODAY,
            )

    assert _add(world.brightway.id)
    with pytest.raises(NotFound):
        _add(world.branch.id)


def test_an_area_cannot_go_into_an_area_of_another_workplace(world: World) -> None:
    scope = Scope(
        actor_id=world.organiser.id, grants=(Grant(role=Role.ORGANISER, place_id=world.branch.id),)
    )
    values = service.AreaValues(name="Bay", area_kind=AreaKind.DEPARTMENT)
    with unit_of_work(scope) as session, pytest.raises(Refusal) as refused:
        service.add_area(
            session,
            scope,
            world.depot.public_id,
            values,
            parent_id=world.packing.public_id,
            now=NOW,
            today=TODAY,
        )
    assert str(refused.value) == "Choose an area of the same workplace."


def test_a_count_of_tomorrow_is_refused(world: World) -> None:
    with pytest.raises(service.FutureDay) as refused:
        service._check_past(TODAY + timedelta(days=1), TODAY)
    assert str(refused.value) == "This day has not come yet. Enter today or an earlier day."


def test_the_service_itself_keeps_employers_to_those_over_everything(world: World) -> None:
    scope = Scope(
        actor_id=world.admin.id,
        grants=(Grant(role=Role.ADMINISTRATOR, place_id=world.brightway.id),),
    )
    values = service.EmployerValues("X", None, None, None, (), None, None)
    with unit_of_work(scope) as session, pytest.raises(PermissionRefused):
        service.add_employer(session, scope, values, now=NOW, today=TODAY)
