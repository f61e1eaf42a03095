"""Who may be here already: found within the scope, and nobody outside it."""

from __future__ import annotations

from crm.access.scope import Grant, Scope
from crm.domain.identity import phone_key
from crm.domain.likeness import Band, Reason
from crm.domain.roles import Role
from crm.domain.vocabulary import PointKind
from crm.models.contacts import ContactPoint
from crm.models.places import Workplace
from crm.reads.duplicates import find_candidates, known_of
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, World


def _at(place: factories.Named, user: factories.Named, role: Role = Role.REP) -> Scope:
    return Scope(user.id, (Grant(role, place.id),))


def _phone(session: object, contact_id: int, number: str) -> None:
    session.add(  # type: ignore[attr-defined]
        ContactPoint(
            contact_id=contact_id,
            kind=PointKind.PHONE,
            value=number,
            value_key=phone_key(number) or "",
            recorded_at=NOW,
        )
    )


def test_somebody_with_the_same_phone_and_name_is_found_whatever_the_workplace(
    world: World,
) -> None:
    with unit_of_work(ALL) as session:
        _phone(session, world.ioana.id, "07700 900123")
    asked = known_of(("Popescu Ioana",), phones=("+44 7700 900123",))
    with unit_of_work(_at(world.mill, world.rep), read_only=True) as session:
        (found,) = find_candidates(session, _at(world.mill, world.rep), (asked,))
    assert [(one.name, one.workplaces) for one in found] == [("Ioana P", ("The Mill",))]
    assert found[0].likeness.band is Band.SURE
    assert Reason.SAME_PHONE in dict(found[0].likeness.reasons)


def test_somebody_outside_the_scope_is_never_a_candidate(world: World) -> None:
    with unit_of_work(ALL) as session:
        _phone(session, world.docker.id, "07700 900123")
    asked = known_of(("Bilal H",), phones=("07700 900123",), workplaces=(world.dock.id,))
    for place, user, number in ((world.mill, world.rep, 0), (world.dock, world.dock_rep, 1)):
        scope = _at(place, user)
        with unit_of_work(scope, read_only=True) as session:
            (found,) = find_candidates(session, scope, (asked,), near_names_on=TODAY)
        assert len(found) == number


def test_a_first_name_is_enough_at_the_same_workplace(world: World) -> None:
    asked = known_of(("Ioana",), workplaces=(world.mill.id,))
    scope = _at(world.mill, world.rep)
    with unit_of_work(scope, read_only=True) as session:
        (found,) = find_candidates(session, scope, (asked,))
    assert [one.name for one in found] == ["Ioana P"]


def test_a_name_with_a_slip_is_found_anywhere_when_it_is_typed(world: World) -> None:
    with unit_of_work(ALL) as session:
        depot = session.scalars(ALL.select(Workplace).where(Workplace.id == world.depot.id)).one()
        factories.make_person(session, depot, "Wojciech Zielinski")
    asked = known_of(("Wojciech Zielinsky",), workplaces=(world.mill.id,))
    scope = _at(world.branch, world.organiser, Role.ORGANISER)
    with unit_of_work(scope, read_only=True) as session:
        (typed,) = find_candidates(session, scope, (asked,), near_names_on=TODAY)
        (listed,) = find_candidates(session, scope, (asked,))
    assert [one.name for one in typed] == ["Wojciech Zielinski"]
    assert listed == []


def test_a_label_is_nobodys_name(world: World) -> None:
    asked = known_of(("Night packer 3",), workplaces=(world.mill.id,))
    scope = _at(world.mill, world.rep)
    with unit_of_work(scope, read_only=True) as session:
        (found,) = find_candidates(session, scope, (asked,), near_names_on=TODAY)
    assert found == []


def test_many_records_take_no_more_statements_than_one(
    world: World, count_statements: list[str]
) -> None:
    asked = [known_of((f"Somebody {n}",), workplaces=(world.mill.id,)) for n in range(50)]
    scope = _at(world.mill, world.rep)
    with unit_of_work(scope, read_only=True) as session:
        count_statements.clear()
        find_candidates(session, scope, asked[:1])
        alone = len(count_statements)
        count_statements.clear()
        found = find_candidates(session, scope, asked)
    assert len(found) == 50
    assert len(count_statements) <= alone <= 6
