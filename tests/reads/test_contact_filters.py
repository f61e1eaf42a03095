"""Each part of a filter keeps whom it says, in the reader's scope; unknown is never a no."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from crm.access.permissions import Permission
from crm.access.scope import Grant, Scope
from crm.domain.assessment import DEFAULT_EXPIRY
from crm.domain.contact_filter import (
    Compare,
    ContactFilter,
    FieldTest,
    MemberFilter,
    Reminder,
    Stand,
)
from crm.domain.roles import Role
from crm.models.contacts import Contact
from crm.models.conversations import Conversation, ConversationIssue, FollowUp
from crm.models.lists import ContactAnswer, ContactTag, FieldChoice
from crm.models.places import Employer
from crm.models.ties import Leading
from crm.reads.contact_filters import named_in
from crm.reads.people import list_people
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, World

EVERYONE = {"Ioana P", "Tomasz K", "Rukhsana A", "Night packer 3"}


@pytest.fixture
def ids(world: World) -> dict[str, Any]:
    """Tags, answers, talks and reminders at the Mill and the Dock; their public ids by name."""
    with unit_of_work(ALL) as session:
        branch: Any = world.branch
        hull: Any = world.other_branch
        drives = factories.make_tag(session, branch, "Drives")
        crane = factories.make_tag(session, hull, "Crane licence")
        bus = factories.make_field(session, branch, "Bus", choices=("47", "X10"))
        kids = factories.make_field(session, branch, "Children", "number")
        since = factories.make_field(session, branch, "First aid until", "day")
        speaks = factories.make_field(session, branch, "Speaks at meetings", "yes_no")
        words = factories.make_field(session, branch, "Locker", "text")
        hull_field = factories.make_field(session, hull, "Crane", "yes_no")
        first = session.scalars(ALL.select(FieldChoice).order_by(FieldChoice.id)).first()
        assert first is not None
        ioana, tomasz, rukhsana, docker = (
            {"contact_id": one.id}
            for one in (world.ioana, world.tomasz, world.rukhsana, world.docker)
        )
        by = {"set_at": NOW, "set_by_id": world.rep.id}
        session.add_all(
            [
                ContactTag(tag_id=drives.id, **ioana, **by),
                ContactTag(tag_id=crane.id, **docker, **by),
                ContactAnswer(field_id=bus.id, choice_id=first.id, **tomasz, **by),
                ContactAnswer(field_id=kids.id, number_value=2.0, **ioana, **by),
                ContactAnswer(field_id=kids.id, number_value=0.0, **tomasz, **by),
                ContactAnswer(field_id=since.id, day_value=date(2027, 3, 1), **ioana, **by),
                ContactAnswer(field_id=speaks.id, flag_value=False, **tomasz, **by),
                ContactAnswer(field_id=words.id, text_value="Ünder stairs", **ioana, **by),
                ContactAnswer(field_id=hull_field.id, flag_value=True, **docker, **by),
            ]
        )
        at = {"place_id": world.mill.id}
        talk = Conversation(
            day=TODAY - timedelta(days=30),
            held_at=NOW,
            recorded_at=NOW,
            asked="join",
            answer="yes",
            **at,
            **tomasz,
        )
        recent = Conversation(day=TODAY, held_at=NOW, recorded_at=NOW, **at, **ioana)
        session.add_all([talk, recent])
        session.flush()
        mine = {"owner_id": world.rep.id, "created_at": NOW, **at}
        session.add_all(
            [
                ConversationIssue(conversation_id=talk.id, issue="pay", **at, **tomasz),
                FollowUp(due_on=TODAY, **mine, **ioana),
                FollowUp(due_on=TODAY + timedelta(days=9), **mine, **rukhsana),
                Leading(
                    workplace_id=world.mill.id,
                    stage="identified",
                    found_by="named",
                    valid_from=TODAY,
                    recorded_at=NOW,
                    **at,
                    **tomasz,
                ),
            ]
        )
        agency: Employer = factories.make_employer(session, "Quickstaff")
        made = session.scalars(ALL.select(Contact).where(Contact.id == world.placeholder.id)).one()
        factories.make_assessment(session, made, world.mill, 1, day=TODAY - timedelta(days=121))
        return {
            "drives": drives.public_id,
            "crane": crane.public_id,
            "bus": bus.public_id,
            "47": first.public_id,
            "kids": kids.public_id,
            "since": since.public_id,
            "speaks": speaks.public_id,
            "words": words.public_id,
            "hull_field": hull_field.public_id,
            "agency": agency.public_id,
        }


def _scope(world: World, role: Role = Role.REP) -> Scope:
    return Scope(actor_id=world.rep.id, grants=(Grant(role, world.mill.id),))


def _names(scope: Scope, chosen: ContactFilter, as_at: date = TODAY) -> set[str]:
    with unit_of_work(scope, read_only=True) as session:
        page = list_people(session, scope, as_at=as_at, chosen=chosen)
        assert page.total == len(page.rows)
        return {row.name for row in page.rows}


def test_each_part_keeps_whom_it_says(world: World, ids: dict[str, Any]) -> None:
    def _field(name: str, how: Compare, value: str = "") -> ContactFilter:
        return ContactFilter(field=FieldTest(ids[name], how, value))

    kept: list[tuple[ContactFilter, set[str]]] = [
        (ContactFilter(), EVERYONE),
        (ContactFilter(place=world.yard.public_id), {"Tomasz K"}),
        (ContactFilter(place=world.branch.public_id), EVERYONE),
        (ContactFilter(shift=world.nights.public_id), {"Ioana P", "Night packer 3"}),
        (ContactFilter(union=world.union.public_id), {"Ioana P"}),
        (ContactFilter(employer=world.brightway.public_id), set()),
        (ContactFilter(leader=True), {"Tomasz K"}),
        (ContactFilter(tag=ids["drives"]), {"Ioana P"}),
        (ContactFilter(issue="pay"), {"Tomasz K"}),
        (ContactFilter(issue="heat"), set()),
        (ContactFilter(no_task=True), {"Tomasz K"}),
        (ContactFilter(reminder=Reminder.DUE), {"Ioana P"}),
        (ContactFilter(reminder=Reminder.OPEN), {"Ioana P", "Rukhsana A"}),
        (ContactFilter(reminder=Reminder.NONE), {"Tomasz K", "Night packer 3"}),
        # Thirty days ago is within the last thirty days, and never is not.
        (ContactFilter(quiet_days=30), {"Rukhsana A", "Night packer 3"}),
        (ContactFilter(quiet_days=29), {"Tomasz K", "Rukhsana A", "Night packer 3"}),
        (_field("bus", Compare.IS, str(ids["47"])), {"Tomasz K"}),
        (_field("bus", Compare.NOT_KNOWN), EVERYONE - {"Tomasz K"}),
        (_field("bus", Compare.AT_LEAST, str(ids["47"])), set()),
        (_field("bus", Compare.IS, "47"), set()),
        (_field("kids", Compare.IS, "0"), {"Tomasz K"}),
        (_field("kids", Compare.AT_MOST, "2"), {"Ioana P", "Tomasz K"}),
        (_field("kids", Compare.AT_LEAST, "1"), {"Ioana P"}),
        (_field("kids", Compare.IS, "two"), set()),
        (_field("since", Compare.AT_LEAST, "2027-03-01"), {"Ioana P"}),
        (_field("since", Compare.AT_MOST, "2027-02-28"), set()),
        (_field("speaks", Compare.IS, "no"), {"Tomasz K"}),
        (_field("speaks", Compare.IS, "yes"), set()),
        (_field("speaks", Compare.NOT_KNOWN), EVERYONE - {"Tomasz K"}),
        (_field("words", Compare.IS, "Ünder stairs"), {"Ioana P"}),
        (ContactFilter(text="tomasz", leader=True), {"Tomasz K"}),
        (ContactFilter(text="ioana", leader=True), set()),
    ]
    for chosen, names in kept:
        assert _names(_scope(world), chosen) == names, chosen


def test_everybody_stands_in_exactly_one_place_and_what_is_old_does_not_count(
    world: World, ids: dict[str, Any]
) -> None:
    scope = _scope(world)
    found = {stand: _names(scope, ContactFilter(stands=frozenset({stand}))) for stand in Stand}

    assert found[Stand.OLD] == {"Night packer 3"}
    assert found[Stand.ONE] == set()
    assert sorted(name for names in found.values() for name in names) == sorted(EVERYONE)
    last_day = TODAY - timedelta(days=1)
    assert _names(scope, ContactFilter(stands=frozenset({Stand.ONE})), last_day) == {
        "Night packer 3"
    }
    both = ContactFilter(stands=frozenset({Stand.TWO, Stand.NOT_ASKED}))
    assert _names(scope, both) == {"Ioana P", "Rukhsana A"}
    assert DEFAULT_EXPIRY.stale_days == 120


def test_members_not_members_and_not_known_are_everybody_once(world: World) -> None:
    found = [_names(_scope(world), ContactFilter(member=one)) for one in MemberFilter]
    assert sorted(name for names in found for name in names) == sorted(EVERYONE)


def test_what_is_named_from_another_branch_keeps_nobody_and_has_no_name(
    world: World, ids: dict[str, Any]
) -> None:
    scope = _scope(world)
    outside = [
        ContactFilter(place=world.dock.public_id),
        ContactFilter(tag=ids["crane"]),
        ContactFilter(field=FieldTest(ids["hull_field"], Compare.IS, "yes")),
        # Nobody's answer is known here: but the question itself is not this reader's.
        ContactFilter(field=FieldTest(ids["hull_field"], Compare.NOT_KNOWN)),
        ContactFilter(employer=world.saltway.public_id),
        ContactFilter(tag=uuid.uuid4()),
    ]
    for chosen in outside:
        assert _names(scope, chosen) == set(), chosen
        with unit_of_work(scope, read_only=True) as session:
            named = named_in(session, scope, chosen)
        assert (dict(named.names), named.hidden, named.choice) == ({}, True, None), chosen
    dock = Scope(actor_id=world.dock_rep.id, grants=(Grant(Role.REP, world.dock.id),))
    assert _names(dock, ContactFilter(tag=ids["crane"])) == {"Bilal H"}
    assert _names(dock, ContactFilter(tag=ids["drives"])) == set()


def test_not_known_is_asked_only_of_people_the_field_is_for(
    world: World, ids: dict[str, Any]
) -> None:
    both = Scope(
        actor_id=world.rep.id,
        grants=(Grant(Role.REP, world.mill.id), Grant(Role.REP, world.dock.id)),
    )
    asked = ContactFilter(field=FieldTest(ids["speaks"], Compare.NOT_KNOWN))
    assert _names(both, asked) == EVERYONE - {"Tomasz K"}


def test_a_right_narrows_the_list(world: World, ids: dict[str, Any]) -> None:
    scope = _scope(world)
    with unit_of_work(scope, read_only=True) as session:
        page = list_people(
            session,
            scope,
            as_at=TODAY,
            chosen=ContactFilter(tag=ids["drives"]),
            permission=Permission.EXPORT_MAKE,
        )
    assert page.rows == []


def test_a_filter_takes_as_many_statements_whatever_it_finds(
    world: World, ids: dict[str, Any], count_statements: list[str]
) -> None:
    chosen = ContactFilter(
        place=world.branch.public_id,
        tag=ids["drives"],
        stands=frozenset(Stand),
        leader=True,
        quiet_days=1,
        field=FieldTest(ids["kids"], Compare.AT_LEAST, "0"),
    )
    count_statements.clear()
    _names(_scope(world), chosen)
    assert len(count_statements) <= 4
