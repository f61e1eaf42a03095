"""Whom to speak to: the order, who is left out, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import sqlalchemy as sa

from crm.access.scope import Grant, Scope
from crm.domain.roles import Role
from crm.models.contacts import Contact, StateSpan
from crm.models.conversations import Conversation, FollowUp
from crm.models.places import Workplace
from crm.reads.talks import count_people_to_speak_to, people_to_speak_to
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, World


def _make_people(world: World) -> dict[str, int]:
    """Store people of every sort at the Mill and the Depot; return their inner ids by name."""
    made: dict[str, int] = {}
    with unit_of_work(ALL) as session:
        mill, depot = (
            session.scalars(ALL.select(Workplace).where(Workplace.id == one.id)).one()
            for one in (world.mill, world.depot)
        )

        def _add(name: str, talks: Iterable[int] = (), rating: int | None = None) -> Contact:
            person = factories.make_person(session, mill, name)
            made[name] = person.id
            for ago in talks:
                day = TODAY - timedelta(days=ago)
                session.add(
                    Conversation(
                        contact_id=person.id,
                        place_id=mill.id,
                        held_by_id=world.rep.id,
                        day=day,
                        held_at=NOW,
                        recorded_at=NOW,
                    )
                )
            if rating is not None:
                factories.make_assessment(session, person, mill, rating)
            return person

        _add("Zoya New")
        factories.make_job(session, _add("Anna Twice"), depot)
        _add("Bela Spoken", talks=[40, 90])
        _add("Carl Asked", rating=2)
        _add("Dora Asked", talks=[8], rating=1)
        _add("Egon Asked", talks=[60], rating=3)
        _add("Fay Week", talks=[7])
        _add("Gus Lately", talks=[6, 50])
        _add("Hal Today", talks=[0], rating=1)
        _add("Ida Never").do_not_contact = True
        promised = _add("Jan Promised")
        session.add(
            FollowUp(
                contact_id=promised.id,
                place_id=mill.id,
                owner_id=world.organiser.id,
                due_on=TODAY,
                created_at=NOW,
            )
        )
    return made


def _by_hand(world: World, scope: Scope, own: set[int]) -> list[str]:
    """Return the names in the order of the rule, one fact at a time."""
    with unit_of_work(ALL, read_only=True) as session:
        names = dict(
            session.execute(
                ALL.select(
                    Contact.id, sa.func.coalesce(Contact.known_as, Contact.placeholder_label)
                ).where(Contact.do_not_contact.is_(False))
            ).all()
        )
        keys = dict(session.execute(ALL.select(Contact.id, Contact.name_key)).all())
        last: dict[int, date] = dict(
            session.execute(
                ALL.select(Conversation.contact_id, sa.func.max(Conversation.day)).group_by(
                    Conversation.contact_id
                )
            ).all()
        )
        spans = session.execute(
            ALL.select(StateSpan.contact_id, StateSpan.score).where(
                StateSpan.from_day <= TODAY,
                StateSpan.to_day > TODAY,
                StateSpan.workplace_id.in_([world.mill.id, world.depot.id]),
            )
        ).all()
        promised = set(
            session.scalars(
                ALL.select(FollowUp.contact_id).where(
                    FollowUp.owner_id == scope.actor_id, FollowUp.done_at.is_(None)
                )
            )
        )
    scores = {contact: score for contact, score in spans if contact in names}
    kept = [
        one
        for one in scores
        if last.get(one, date.min) <= TODAY - timedelta(days=7) and one not in promised
    ]
    kept.sort(
        key=lambda one: (
            one not in own,
            scores[one] is not None,
            last.get(one, date.min),
            keys[one],
            one,
        )
    )
    return [names[one] for one in kept]


def test_the_first_people_are_the_same_however_few_are_asked_for(world: World) -> None:
    made = _make_people(world)
    scope = Scope(world.organiser.id, (Grant(Role.ORGANISER, world.branch.id),))
    for own in (set(), {made["Dora Asked"], made["Gus Lately"], made["Fay Week"]}):
        wanted = _by_hand(world, scope, own)
        assert {"Ida Never", "Jan Promised", "Gus Lately", "Hal Today"}.isdisjoint(wanted)
        assert wanted.count("Anna Twice") == 1
        for limit in (1, 2, 3, 4, 6, 50):
            with unit_of_work(scope, read_only=True) as session:
                found = people_to_speak_to(session, scope, today=TODAY, limit=limit, own=own)
                number = count_people_to_speak_to(session, scope, today=TODAY)
            assert [one.name for one in found] == wanted[:limit]
            assert [one.own for one in found] == [
                one.name in {"Dora Asked", "Fay Week"} and bool(own) for one in found
            ]
            assert number == len(wanted)
