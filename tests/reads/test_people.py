"""Finding people: by name, by phone, by place, as at a day, and only inside the scope."""

from __future__ import annotations

from datetime import date

import pytest

from crm.access.permissions import Permission
from crm.access.scope import Grant, Scope
from crm.domain.contact_filter import ContactFilter, MemberFilter
from crm.domain.identity import fold, phone_key
from crm.domain.roles import Role
from crm.domain.vocabulary import PointKind
from crm.models.contacts import Contact, ContactPoint
from crm.models.conversations import Conversation
from crm.models.places import Area, Workplace
from crm.reads.people import list_people, search_people
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World


def _scope(user: Named, place: Named, role: Role = Role.REP) -> Scope:
    return Scope(actor_id=user.id, grants=(Grant(role, place.id),))


def _found(scope: Scope, text: str, permission: Permission | None = None) -> list[str]:
    with unit_of_work(scope, read_only=True) as session:
        rows = search_people(session, scope, text, today=TODAY, permission=permission)
        return [row.name for row in rows]


def _give_phone(person: Named, number: str, *, withdrawn: bool = False) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            ContactPoint(
                contact_id=person.id,
                kind=PointKind.PHONE,
                value=number,
                value_key=phone_key(number) or "",
                recorded_at=NOW,
                superseded_at=NOW if withdrawn else None,
            )
        )


def _second_job(person: Named, place: Named) -> None:
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == person.id)).one()
        workplace = session.scalars(ALL.select(Workplace).where(Workplace.id == place.id)).one()
        factories.make_job(session, contact, workplace)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["Ioana P", "Night packer 3", "Rukhsana A", "Tomasz K"]),
        ("tom", ["Tomasz K"]),
        ("  K   TOMASZ ", ["Tomasz K"]),
        ("packer 3", ["Night packer 3"]),
        ("3", ["Night packer 3"]),
        ("nobody", []),
        ("%", []),
        ("_", []),
        ("!!!", []),
        ("bilal", []),
        ("gareth", []),
    ],
)
def test_a_name_is_found_by_its_parts(world: World, text: str, names: list[str]) -> None:
    assert _found(_scope(world.rep, world.mill), text) == names


def test_accents_and_apostrophes_do_not_hide_a_name(world: World) -> None:
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        factories.make_person(session, mill, "Siobhán O’Neill-Łęcka")

    for text in ("siobhan", "oneill", "LECKA", fold("Łęcka")):
        assert _found(_scope(world.rep, world.mill), text) == ["Siobhán O’Neill-Łęcka"]


@pytest.mark.parametrize(
    "text", ["07700 900123", "+44 (0)7700 900 123", "0044 7700900123", "900123", "0123"]
)
def test_a_phone_is_found_in_any_written_form(world: World, text: str) -> None:
    _give_phone(world.tomasz, "07700 900123")

    assert _found(_scope(world.rep, world.mill), text) == ["Tomasz K"]


def test_a_phone_that_was_taken_away_or_is_elsewhere_finds_nobody(world: World) -> None:
    _give_phone(world.tomasz, "07700 900123", withdrawn=True)
    _give_phone(world.docker, "07700 900123")

    assert _found(_scope(world.rep, world.mill), "07700 900123") == []
    assert _found(_scope(world.dock_rep, world.dock), "07700 900123") == ["Bilal H"]


def test_a_list_needs_three_statements(world: World, count_statements: list[str]) -> None:
    scope = _scope(world.organiser, world.branch, Role.ORGANISER)
    count_statements.clear()

    assert len(_found(scope, "", Permission.CONVERSATION_WRITE)) == 5
    assert len(count_statements) == 3


def test_somebody_with_two_jobs_is_one_row_and_counts_once(world: World) -> None:
    _second_job(world.ioana, world.depot)
    scope = _scope(world.organiser, world.branch, Role.ORGANISER)

    with unit_of_work(scope, read_only=True) as session:
        everywhere = list_people(session, scope, as_at=TODAY)
        depot = list_people(session, scope, as_at=TODAY, place=world.depot.public_id)

    assert everywhere.total == len(everywhere.rows) == 5
    assert [(row.name, row.workplace_name) for row in depot.rows] == [
        ("Ioana P", "The Depot"),
        ("Marta S", "The Depot"),
    ]


def test_a_row_shows_the_job_that_the_scope_may_see(world: World) -> None:
    _second_job(world.ioana, world.dock)
    scope = _scope(world.dock_rep, world.dock)

    with unit_of_work(scope, read_only=True) as session:
        (row,) = search_people(session, scope, "ioana", today=TODAY)

    assert (row.workplace_name, row.area_name) == ("The Dock", None)


def test_a_row_holds_the_standing_membership_and_last_talk_as_at_the_day(world: World) -> None:
    with unit_of_work(ALL) as session:
        for day in (date(2026, 11, 1), date(2026, 11, 19), date(2026, 12, 24)):
            session.add(
                Conversation(
                    contact_id=world.ioana.id,
                    place_id=world.packing.id,
                    day=day,
                    held_at=NOW,
                    recorded_at=NOW,
                )
            )
    scope = _scope(world.rep, world.mill)

    with unit_of_work(scope, read_only=True) as session:
        (now,) = search_people(session, scope, "ioana", today=TODAY)
        (then,) = list_people(session, scope, as_at=date(2026, 11, 10), text="ioana").rows

    assert (now.rating, now.firm, now.scored_on, now.member, now.last_talk_on) == (
        2,
        True,
        date(2026, 11, 20),
        True,
        date(2026, 11, 19),
    )
    assert (then.rating, then.firm, then.scored_on, then.last_talk_on) == (
        None,
        None,
        None,
        date(2026, 11, 1),
    )


def test_not_known_is_its_own_answer(world: World) -> None:
    scope = _scope(world.rep, world.mill)

    with unit_of_work(scope, read_only=True) as session:
        counts = {
            member: list_people(
                session, scope, as_at=TODAY, chosen=ContactFilter(member=member)
            ).total
            for member in (*MemberFilter, None)
        }

    assert counts == {
        MemberFilter.MEMBER: 1,
        MemberFilter.NOT_MEMBER: 1,
        MemberFilter.NOT_KNOWN: 2,
        None: 4,
    }


def test_a_place_inside_another_place_counts_with_it(world: World) -> None:
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        packing = session.scalars(ALL.select(Area).where(Area.id == world.packing.id)).one()
        inner = factories.make_area(session, mill, "Packing line 2", parent_area_id=packing.id)
        factories.make_person(session, mill, "Inner Person", area=inner)
    scope = _scope(world.rep, world.mill)

    with unit_of_work(scope, read_only=True) as session:
        page = list_people(session, scope, as_at=TODAY, place=world.packing.public_id)
        branch = list_people(session, scope, as_at=TODAY, place=world.branch.public_id)

    assert [row.name for row in page.rows] == ["Inner Person", "Ioana P", "Night packer 3"]
    # The branch covers the Depot too; a rep of the Mill counts the people of the Mill.
    assert branch.total == 5


def test_pages_follow_each_other_without_a_gap(world: World) -> None:
    scope = _scope(world.rep, world.mill)

    with unit_of_work(scope, read_only=True) as session:
        pages = [
            list_people(session, scope, as_at=TODAY, limit=3, offset=offset).rows
            for offset in (0, 3, 6)
        ]

    assert [[row.name for row in rows] for rows in pages] == [
        ["Ioana P", "Night packer 3", "Rukhsana A"],
        ["Tomasz K"],
        [],
    ]
