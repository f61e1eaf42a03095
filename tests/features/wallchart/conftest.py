"""A crowd for the wall chart: many people in several areas, stored in a few statements."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from crm.access.spans import refresh_many
from crm.domain.identity import fold
from crm.features.practice.invented import names
from crm.models.contacts import Contact, Job, Membership
from crm.models.conversations import Assessment, Conversation
from crm.models.places import Workplace
from crm.models.ties import Leading, Tie
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, LONG_AGO, NOW, TODAY, World


@dataclass(frozen=True)
class Crowd:
    """What was stored: the inner ids of the people, and of the areas they are in."""

    people: tuple[int, ...]
    areas: tuple[int, ...]


@pytest.fixture
def crowd(world: World) -> Callable[..., Crowd]:
    """crowd(500, areas=8) stores so many people at the Mill, with talks and standings."""

    def _crowd(count: int, *, areas: int = 8, seed: int = 1) -> Crowd:
        chance = random.Random(seed)
        with unit_of_work(ALL) as session:
            mill = _mill(session, world)
            rooms = [factories.make_area(session, mill, f"Line {place}") for place in range(areas)]
            for room in rooms:
                factories.make_headcount(session, room, count / areas + 3, count / areas + 9)
            people = [_contact(chance) for _one in range(count)]
            session.add_all(people)
            session.flush()
            for place, person in enumerate(people):
                session.add_all(_facts(chance, person, rooms[place % areas], mill, world))
            ids = [person.id for person in people]
            session.add_all(_ties(chance, people, mill))
            refresh_many(session, ids)
            return Crowd(tuple(ids), tuple(room.id for room in rooms))

    return _crowd


def _ties(chance: random.Random, people: list[Any], mill: Any) -> list[Any]:
    """One leader in ten, some confirmed; two of three listen to somebody, mostly to a leader."""
    at = {"workplace_id": mill.id, "place_id": mill.id, "valid_from": LONG_AGO, "recorded_at": NOW}
    leaders = people[::10]
    sure = {"action": "Petition", "action_on": LONG_AGO, "listeners": 5, "acted": 4}
    found: list[Any] = [
        Leading(contact_id=one.id, **at, stage="confirmed", **sure)
        if chance.random() < 0.3
        else Leading(contact_id=one.id, **at, stage="identified", found_by="named")
        for one in leaders
    ]
    for one in people:
        other = chance.choice(leaders if chance.random() < 0.8 else people)
        if other is not one and chance.random() < 0.67:
            found.append(Tie(contact_id=one.id, leader_id=other.id, basis="seen", **at))
    return found


def _mill(session: Any, world: World) -> Any:
    return session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()


def _contact(chance: random.Random) -> Contact:
    name = f"{chance.choice(_FIRST)} {chance.choice('ABCDEFGHIJKLMNOPRSTW')}"
    return Contact(known_as=name, name_key=fold(name), created_at=NOW)


def _facts(chance: random.Random, person: Any, room: Any, mill: Any, world: World) -> list[Any]:
    where = {"contact_id": person.id, "place_id": room.id}
    facts: list[Any] = [
        Job(
            workplace_id=mill.id,
            area_id=room.id,
            valid_from=LONG_AGO,
            recorded_at=NOW,
            shift_id=world.nights.id if chance.random() < 0.4 else None,
            job_title=chance.choice([None, "Picker", "picker", "Packer"]),
            **where,
        )
    ]
    if chance.random() < 0.65:
        ago = timedelta(days=chance.choice([5, 30, 80, 200]))
        facts.append(
            Conversation(
                day=TODAY - ago,
                held_at=NOW,
                recorded_at=NOW,
                held_by_id=world.rep.id,
                asked="join",
                answer=chance.choice(["yes", "no", "not_yet"]),
                **where,
            )
        )
        facts.append(
            Assessment(
                day=TODAY - ago,
                rating=chance.choices([1, 2, 3, 4, 5], [2, 4, 4, 2, 1])[0],
                basis=chance.choices(["said", "told"], [5, 1])[0],
                recorded_at=NOW,
                **where,
            )
        )
    if chance.random() < 0.7:
        member = chance.random() < 0.6
        facts.append(
            Membership(
                contact_id=person.id,
                union_id=world.union.id if member else None,
                status="member" if member else "not_member",
                valid_from=LONG_AGO,
                recorded_at=NOW,
            )
        )
    return facts


_FIRST = sorted(names.FIRST_NAMES)
