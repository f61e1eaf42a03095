"""A small world in which much happens, so that each part of a report has something to count."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from crm.models.campaigns import Participation
from crm.models.cases import Case, CaseDeadline, CaseTeamMember
from crm.models.contacts import Contact
from crm.models.conversations import Conversation, ConversationIssue, FollowUp
from crm.models.places import Workplace
from crm.models.ties import Leading, Tie
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

SINCE = date(2026, 10, 26)


def talk(session: Any, who: Any, where: Named, day: date, *issues: str) -> None:
    """Store a talk with somebody at a place, and what they raised in it."""
    of = {"contact_id": who.id, "place_id": where.id}
    held = Conversation(day=day, held_at=NOW, recorded_at=NOW, **of)
    session.add(held)
    session.flush()
    session.add_all(
        ConversationIssue(conversation_id=held.id, issue=issue, **of) for issue in issues
    )


def _deed(entry: Any, deed: str, **told: Any) -> Participation:
    at = {"contact_id": entry.contact_id, "place_id": entry.place_id, "entry_id": entry.id}
    return Participation(deed=deed, **at, **told)


@pytest.fixture
def busy(world: World) -> World:
    """The small world with people who come, go, join, leave, talk, lead and are promised talks."""
    with unit_of_work(ALL) as session:
        for number in range(14):
            where = (world.packing, world.yard, None)[number % 3]
            site = session.get_one(Workplace, world.mill.id, execution_options={"crm_scope": True})
            area = None if where is None else where
            person = factories.make_person(
                session,
                site,
                f"Worker {number}",
                area=area,  # type: ignore[arg-type]
                since=date(2026, 11, 5) if number == 3 else date(2026, 1, 1),
                until=date(2026, 11, 10) if number == 4 else None,
            )
            if number in {0, 3, 4}:
                factories.make_membership(session, person, world.union)  # type: ignore[arg-type]
            if number == 5:
                factories.make_membership(
                    session,
                    person,
                    world.union,  # type: ignore[arg-type]
                    since=date(2026, 11, 1),
                )
            if number == 6:
                factories.make_membership(
                    session,
                    person,
                    world.union,  # type: ignore[arg-type]
                    until=date(2026, 11, 2),
                )
                factories.make_membership(
                    session, person, None, status="not_member", since=date(2026, 11, 2)
                )
            if number % 2:
                factories.make_assessment(
                    session, person, where or world.mill, number % 5 + 1, day=date(2026, 11, 1)
                )
            if number == 8:
                factories.make_assessment(session, person, world.mill, 1, day=date(2026, 3, 1))
            if number in {1, 2, 4}:
                talk(session, person, world.mill, date(2026, 11, 3), "pay")
            if number == 2:
                talk(session, person, world.mill, date(2026, 11, 4), "pay", "heat")
            if number == 9:
                talk(session, person, world.mill, SINCE)
                here = {
                    "workplace_id": world.mill.id,
                    "place_id": world.mill.id,
                    "recorded_at": NOW,
                    "valid_from": date(2026, 1, 1),
                }
                session.add(
                    Leading(contact_id=person.id, stage="identified", found_by="named", **here)
                )
                session.add(
                    Tie(contact_id=world.ioana.id, leader_id=person.id, basis="seen", **here)
                )
            if number < 4:
                session.add(
                    FollowUp(
                        contact_id=person.id,
                        place_id=world.mill.id,
                        owner_id=world.rep.id,
                        due_on=TODAY + timedelta(days=(-1, 0, 7, 30)[number]),
                        created_at=NOW,
                    )
                )
        people = session.scalars(
            ALL.select(Contact).where(Contact.known_as.like("Worker %")).order_by(Contact.id)
        ).all()
        _campaign, _demand, _test, *entries = factories.make_test(
            session, world.mill, *people[:8], target=50
        )
        told = {"recorded_at": NOW, "test_id": _test.id, "day": TODAY}
        for entry, deed in zip(entries, ("did", "did", "did", "did_not"), strict=False):
            session.add(_deed(entry, deed, **told))
        talk(session, world.depot_worker, world.depot, date(2026, 11, 20), "pay")
        talk(session, world.docker, world.dock, date(2026, 11, 20), "pay", "heat")
        case = Case(
            reference="Rota",
            kind="collective",
            matter="hours",
            opened_on=date(2026, 11, 1),
            created_at=NOW,
            place_id=world.mill.id,
        )
        session.add(case)
        session.flush()
        session.add_all(
            [
                CaseDeadline(
                    case_id=case.id,
                    due_on=TODAY - timedelta(days=2),
                    what="Appeal",
                    created_at=NOW,
                ),
                CaseTeamMember(case_id=case.id, user_id=world.officer.id, joined_at=NOW),
            ]
        )
    return world
