"""Sharing a gap out: evenly, only to those who hold the place, all at once, never twice."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from crm.access.scope import Grant, Scope
from crm.domain.errors import NotFound
from crm.domain.roles import Role
from crm.domain.wallchart import Gap
from crm.features.wallchart import service
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact
from crm.models.conversations import FollowUp
from crm.models.places import Area
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, World

pytestmark = pytest.mark.usefixtures("fixed_clock")


def _scope(user: factories.Named, place: factories.Named) -> Scope:
    return Scope(actor_id=user.id, grants=(Grant(Role.REP, place.id),))


def _share(world: World, owners: list[uuid.UUID], **more: Any) -> service.Shared:
    scope = more.pop("scope", None) or _scope(world.rep, world.mill)
    values = {
        "group": None,
        "each": 10,
        "due_on": TODAY + timedelta(days=7),
        "what": "Ask where they stand",
        "now": NOW,
        "today": TODAY,
        **more,
    }
    with unit_of_work(scope) as session:
        return service.share_gap(
            session, scope, world.mill.public_id, Gap.NOT_ASKED, owners=owners, **values
        )


def _tasks() -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(session.scalars(ALL.select(FollowUp).order_by(FollowUp.id)))


def _one(session: Session, model: Any, inner: int) -> Any:
    return session.scalars(ALL.select(model).where(model.id == inner)).one()


def test_people_of_the_gap_are_shared_evenly_as_follow_ups(world: World) -> None:
    shared = _share(world, [world.rep.public_id, world.organiser.public_id])
    assert shared.by_name == (("Owen Rep", 1), ("Ana Organiser", 1))
    tasks = _tasks()
    assert {task.contact_id for task in tasks} == {world.rukhsana.id, world.placeholder.id}
    assert {task.owner_id for task in tasks} == {world.rep.id, world.organiser.id}
    assert {(task.due_on, task.what, task.created_at) for task in tasks} == {
        (date(2026, 11, 30), "Ask where they stand", NOW)
    }


def test_each_follow_up_leaves_an_audit_row(world: World) -> None:
    _share(world, [world.rep.public_id])
    with unit_of_work(ALL, read_only=True) as session:
        entries = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "follow_up")
        ).all()
    assert [(entry.verb, entry.actor_id) for entry in entries] == [
        ("create", world.rep.id),
        ("create", world.rep.id),
    ]


def test_sending_the_form_twice_shares_nobody_twice(world: World) -> None:
    _share(world, [world.rep.public_id])
    with pytest.raises(service.NobodyLeft) as refused:
        _share(world, [world.organiser.public_id])
    assert str(refused.value) == (
        "Nobody is left to share out. The people may be on a list already."
    )
    assert len(_tasks()) == 2


def test_those_who_asked_to_be_left_alone_are_on_no_list(world: World) -> None:
    with unit_of_work(ALL) as session:
        _one(session, Contact, world.rukhsana.id).do_not_contact = True
    _share(world, [world.rep.public_id])
    assert [task.contact_id for task in _tasks()] == [world.placeholder.id]


def test_a_rep_of_an_area_gets_its_people_and_the_others_are_said_to_be_left_out(
    world: World,
) -> None:
    with unit_of_work(ALL) as session:
        packer = factories.make_user(
            session, "Pat Packing", role=Role.REP, place=_one(session, Area, world.packing.id)
        )
    shared = _share(world, [packer.public_id])
    assert (shared.by_name, shared.left_out, shared.too_many) == ((("Pat Packing", 1),), 1, 0)
    assert [task.contact_id for task in _tasks()] == [world.placeholder.id]


def test_beyond_the_limit_for_each_people_wait_for_the_next_list(world: World) -> None:
    shared = _share(world, [world.rep.public_id], each=1)
    assert (shared.people, shared.too_many) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"due_on": TODAY - timedelta(days=1)}, "This day is over. Choose today or a later day."),
        (
            {"due_on": TODAY + timedelta(days=367)},
            "This day is more than a year ahead. Check the year.",
        ),
    ],
)
def test_a_day_that_cannot_be_is_refused_and_nothing_is_stored(
    world: World, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(service.Refusal) as refused:
        _share(world, [world.rep.public_id], **changes)
    assert str(refused.value) == words
    assert _tasks() == []


@pytest.mark.parametrize("who", ["dock_rep", "admin"])
def test_nobody_who_does_not_hold_the_place_is_given_its_people(world: World, who: str) -> None:
    with pytest.raises(service.NobodyToShareWith) as refused:
        _share(world, [world.rep.public_id, getattr(world, who).public_id])
    assert str(refused.value) == ("Somebody you chose no longer holds this place. Choose again.")
    assert _tasks() == []


def test_an_outsider_shares_nobody(world: World) -> None:
    with pytest.raises(NotFound):
        _share(world, [world.dock_rep.public_id], scope=_scope(world.dock_rep, world.dock))
    assert _tasks() == []


def test_a_rep_of_an_area_shares_only_the_people_of_that_area(
    world: World, crowd: Callable[..., Any]
) -> None:
    crowd(12, areas=2)
    with unit_of_work(ALL) as session:
        factories.make_grant(
            session, world.dock_rep, Role.REP, _one(session, Area, world.packing.id)
        )
    _share(world, [world.dock_rep.public_id], scope=_scope(world.dock_rep, world.packing))
    assert [task.contact_id for task in _tasks()] == [world.placeholder.id]


def _undo(world: World, list_id: uuid.UUID, scope: Scope | None = None) -> service.Undone:
    scope = scope or _scope(world.rep, world.mill)
    with unit_of_work(scope) as session:
        return service.undo_list(session, scope, list_id, now=NOW)


@pytest.mark.parametrize(
    "touch",
    [
        {"done_at": NOW, "version": 2},
        {"due_on": TODAY + timedelta(days=9), "version": 2},
        {"version": 3},
    ],
)
def test_undoing_a_list_takes_back_what_nobody_touched_and_leaves_the_rest(
    world: World, touch: dict[str, Any]
) -> None:
    shared = _share(world, [world.rep.public_id])
    with unit_of_work(ALL) as session:
        task = session.scalars(
            ALL.select(FollowUp).where(FollowUp.contact_id == world.rukhsana.id)
        ).one()
        for name, value in touch.items():
            setattr(task, name, value)
    assert _undo(world, shared.list_id) == service.Undone(taken_back=1, left=1)
    assert [task.contact_id for task in _tasks()] == [world.rukhsana.id]


def test_undoing_leaves_an_audit_row_for_the_list_and_for_each_reminder(world: World) -> None:
    shared = _share(world, [world.rep.public_id])
    _undo(world, shared.list_id)
    with unit_of_work(ALL, read_only=True) as session:
        entries = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.verb == "update").order_by(AuditEntry.id)
        ).all()
    found = [(entry.subject, entry.actor_id) for entry in entries]
    assert sorted(found) == [
        ("follow_up", world.rep.id),
        ("follow_up", world.rep.id),
        ("talk_list", world.rep.id),
    ]


def test_undoing_leaves_reminders_that_are_not_of_the_list(world: World) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            FollowUp(
                contact_id=world.tomasz.id,
                place_id=world.yard.id,
                owner_id=world.rep.id,
                due_on=TODAY,
                created_at=NOW,
            )
        )
    _undo(world, _share(world, [world.rep.public_id]).list_id)
    assert [task.contact_id for task in _tasks()] == [world.tomasz.id]


def test_people_whom_the_maker_no_longer_holds_are_neither_counted_nor_taken_back(
    world: World,
) -> None:
    shared = _share(world, [world.organiser.public_id])
    narrower = _scope(world.rep, world.packing)
    assert _undo(world, shared.list_id, narrower) == service.Undone(taken_back=1, left=0)
    assert [task.contact_id for task in _tasks()] == [world.rukhsana.id]


def test_a_list_of_somebody_else_is_not_found(world: World) -> None:
    shared = _share(world, [world.rep.public_id])
    for scope in (_scope(world.organiser, world.mill), _scope(world.dock_rep, world.dock)):
        with pytest.raises(NotFound):
            _undo(world, shared.list_id, scope)
    assert len(_tasks()) == 2
