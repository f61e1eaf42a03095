"""One thing done with many people: to whom, all or nothing, and undone as one."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.domain.roles import Role
from crm.models.accounts import AccessGrant
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact
from crm.models.conversations import FollowUp
from crm.models.lists import BulkAction, BulkEntry, ContactTag, Tag
from crm.models.turf import TurfPerson
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

ClientAs = Callable[[Named], FlaskClient]

pytestmark = pytest.mark.usefixtures("fixed_clock")
EARLIER = NOW - timedelta(days=3)


def _text(reply: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", reply.text)))


def _rows(model: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        key = model.__mapper__.primary_key[0]
        rows = session.scalars(ALL.select(model).order_by(key)).all()
        session.expunge_all()
        return list(rows)


def _do(client: FlaskClient, act: str, query: str = "", /, **data: Any) -> Any:
    path = f"/lists/act?{query}"
    mark = re.search(r'name="mark"[^>]*value="(\w+)"', client.get(path).text)
    values = {"act": act, "who": "all", "mark": mark[1] if mark else "", **data}
    return client.post(path, data=values)


def _remind(client: FlaskClient, to: Named, query: str = "", /, **data: Any) -> Any:
    values = {"to": str(to.public_id), "due_on": "2026-11-30", "what": "Pay meeting", **data}
    return _do(client, "reminder", query, **values)


@pytest.fixture
def tag(world: World) -> uuid.UUID:
    """A tag of Barnsley branch that Ioana has had for three days."""
    with unit_of_work(ALL) as session:
        branch: Any = world.branch
        made = factories.make_tag(session, branch, "Drives")
        session.add(
            ContactTag(
                tag_id=made.id,
                contact_id=world.ioana.id,
                set_at=EARLIER,
                set_by_id=world.organiser.id,
            )
        )
        return made.public_id


def _tagged() -> set[int]:
    return {row.contact_id for row in _rows(ContactTag)}


def _undo(client: FlaskClient, reply: Any) -> Any:
    assert reply.status_code == 303
    return client.post(f"{reply.location}/undo")


# Tags


def test_a_tag_is_put_on_everybody_who_lacks_it_and_taken_back_as_one(
    client_as: ClientAs, world: World, tag: uuid.UUID
) -> None:
    rep = client_as(world.rep)
    made = _do(rep, "tag", tag=str(tag))
    everybody = {one.id for one in (world.ioana, world.tomasz, world.rukhsana, world.placeholder)}
    assert _tagged() == everybody
    page = _text(rep.get(made.location))
    assert "Done for 3 people. 1 person was passed over" in page
    assert "Tag put on: Drives" in page
    assert "Ioana P" not in page

    assert _undo(rep, made).status_code == 303
    (left,) = _rows(ContactTag)
    assert (left.contact_id, left.set_at, left.set_by_id) == (
        world.ioana.id,
        EARLIER,
        world.organiser.id,
    )
    assert "All of it was put back." in _text(rep.get(made.location))
    again = _undo(rep, made)
    assert again.status_code == 422
    assert "This was undone already." in _text(again)


def test_undo_leaves_and_names_whoever_was_changed_since(
    client_as: ClientAs, world: World, tag: uuid.UUID
) -> None:
    rep = client_as(world.rep)
    made = _do(rep, "tag", tag=str(tag))
    with unit_of_work(ALL) as session:
        for row in session.scalars(ALL.select(ContactTag)):
            if row.contact_id == world.tomasz.id:
                session.delete(row)
            elif row.contact_id == world.rukhsana.id:
                row.set_by_id = world.organiser.id
    assert _text(rep.get(made.location)).count("Changed since") == 2
    _undo(rep, made)
    assert _tagged() == {world.ioana.id, world.rukhsana.id}
    page = _text(rep.get(made.location))
    assert "Something was done about these people since, so they stay as they are." in page
    assert "Rukhsana A" in page
    assert "Tomasz K" in page
    assert "Night packer 3" not in page


def test_a_tag_taken_off_comes_back_as_it_was(
    client_as: ClientAs, world: World, tag: uuid.UUID
) -> None:
    rep = client_as(world.rep)
    made = _do(rep, "untag", "q=ioana", tag=str(tag))
    assert _rows(ContactTag) == []
    _undo(rep, made)
    (row,) = _rows(ContactTag)
    assert (row.set_at, row.set_by_id) == (EARLIER, world.organiser.id)


def test_every_tag_put_on_is_in_the_trail_of_the_person(
    client_as: ClientAs, world: World, tag: uuid.UUID
) -> None:
    _do(client_as(world.rep), "tag", "q=tomasz", tag=str(tag))
    entries = [row for row in _rows(AuditEntry) if row.subject == "contact_tag"]
    assert [(row.contact_id, row.actor_id) for row in entries[-1:]] == [
        (world.tomasz.id, world.rep.id)
    ]


def test_a_tag_is_put_only_on_people_it_is_made_for(client_as: ClientAs, world: World) -> None:
    with unit_of_work(ALL) as session:
        hull: Any = world.other_branch
        crane = factories.make_tag(session, hull, "Crane").public_id
    reply = _do(client_as(world.boss_of_all), "tag", tag=str(crane))
    assert reply.status_code == 303
    assert _tagged() == {world.docker.id}


def test_a_tag_of_others_or_a_retired_one_cannot_be_put_on(
    client_as: ClientAs, world: World, tag: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        hull: Any = world.other_branch
        crane = factories.make_tag(session, hull, "Crane").public_id
        for one in session.scalars(ALL.select(Tag).where(Tag.public_id == tag)):
            one.retired_on = TODAY
    for one in (crane, tag):
        reply = _do(client_as(world.rep), "tag", tag=str(one))
        assert reply.status_code == 422
    assert _tagged() == {world.ioana.id}


# Reminders


def test_reminders_go_to_one_user_once_and_not_to_who_wants_no_contact(
    client_as: ClientAs, world: World
) -> None:
    with unit_of_work(ALL) as session:
        tomasz = session.scalars(ALL.select(Contact).where(Contact.id == world.tomasz.id)).one()
        tomasz.do_not_contact = True
    organiser = client_as(world.organiser)
    at_mill = f"place={world.mill.public_id}"
    made = _remind(organiser, world.rep, at_mill)
    assert "Done for 3 people. 1 person was passed over" in _text(organiser.get(made.location))
    rows = _rows(FollowUp)
    assert {row.contact_id for row in rows} == {
        world.ioana.id,
        world.rukhsana.id,
        world.placeholder.id,
    }
    assert {(row.owner_id, row.due_on, row.what) for row in rows} == {
        (world.rep.id, date(2026, 11, 30), "Pay meeting")
    }
    assert {row.place_id for row in rows} == {world.mill.id, world.packing.id}

    twice = _remind(organiser, world.rep, at_mill)
    assert twice.status_code == 422
    assert "There is nothing to do: it is so already for all of them" in _text(twice)
    assert len(_rows(FollowUp)) == 3
    assert len(_rows(BulkAction)) == 1


def test_undoing_reminders_leaves_those_that_were_done_or_put_off(
    client_as: ClientAs, world: World
) -> None:
    rep = client_as(world.rep)
    made = _remind(rep, world.rep)
    with unit_of_work(ALL) as session:
        for row in session.scalars(ALL.select(FollowUp)):
            if row.contact_id == world.ioana.id:
                row.done_at = NOW
            elif row.contact_id == world.tomasz.id:
                row.version, row.due_on = 2, TODAY
    _undo(rep, made)
    assert {row.contact_id for row in _rows(FollowUp)} == {world.ioana.id, world.tomasz.id}
    page = _text(rep.get(made.location))
    assert "Undone for 2 people." in page
    assert "Ioana P" in page
    assert "Rukhsana A" not in page


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"due_on": "2026-11-22"}, "This day is over. Choose today or a later day."),
        ({"due_on": "2029-11-22"}, "This day is more than a year ahead. Check the year."),
        ({"due_on": ""}, "Enter the day they should do it by."),
        ({"to": ""}, "Choose one from the list."),
        ({"to": str(uuid.UUID(int=5))}, "Choose one from the list."),
        ({"who": "ticked"}, "Tick at least one person, or choose all of them."),
        ({"mark": "0" * 16}, "This list has changed since you opened the page."),
    ],
)
def test_what_cannot_be_done_changes_nothing_and_keeps_what_was_typed(
    client_as: ClientAs, world: World, data: dict[str, str], sentence: str
) -> None:
    reply = _remind(client_as(world.rep), world.rep, **data)
    assert reply.status_code == 422
    assert sentence in _text(reply)
    assert 'value="Pay meeting"' in reply.text
    assert _rows(FollowUp) == []
    assert _rows(BulkAction) == []


def test_who_may_not_see_some_of_the_people_gets_no_reminder_at_all(
    client_as: ClientAs, world: World
) -> None:
    reply = _remind(client_as(world.organiser), world.rep)
    assert reply.status_code == 422
    assert "Owen Rep may not see 1 of the people you chose" in _text(reply)
    assert _rows(FollowUp) == []
    assert _rows(BulkAction) == []


def test_only_the_people_ticked_are_meant(client_as: ClientAs, world: World) -> None:
    people = [str(world.ioana.public_id), str(world.rukhsana.public_id)]
    _remind(client_as(world.rep), world.rep, who="ticked", people=people)
    assert {row.contact_id for row in _rows(FollowUp)} == {world.ioana.id, world.rukhsana.id}


def test_somebody_ticked_who_is_not_on_the_list_stops_it(client_as: ClientAs, world: World) -> None:
    for one in (world.docker, world.tomasz):
        reply = _remind(
            client_as(world.rep),
            world.rep,
            "member=member",
            who="ticked",
            people=[str(world.ioana.public_id), str(one.public_id)],
        )
        assert reply.status_code == 422
    assert _rows(FollowUp) == []


# A rep to look after them


def test_people_are_given_to_a_rep_and_taken_back_as_one_move(
    client_as: ClientAs, world: World
) -> None:
    organiser = client_as(world.organiser)
    reply = _do(organiser, "give", f"place={world.packing.public_id}", to=str(world.rep.public_id))
    assert reply.status_code == 303
    assert reply.location.startswith("/turf/moves/")
    given = [row for row in _rows(TurfPerson) if row.superseded_at is None]
    assert {(row.contact_id, row.user_id, row.valid_from) for row in given} == {
        (world.ioana.id, world.rep.id, TODAY),
        (world.placeholder.id, world.rep.id, TODAY),
    }
    assert organiser.post(f"{reply.location}/undo").status_code == 303
    assert [row for row in _rows(TurfPerson) if row.superseded_at is None] == []


def test_a_rep_does_not_give_people_to_others(client_as: ClientAs, world: World) -> None:
    rep = client_as(world.rep)
    assert "Give them to a rep to look after" not in _text(rep.get("/lists/act"))
    reply = _do(rep, "give", to=str(world.rep.public_id))
    assert reply.status_code == 422
    assert _rows(TurfPerson) == []


# Limits and outsiders


def test_more_people_than_one_can_answer_for_are_refused(
    client_as: ClientAs, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.features.lists.acting.MOST_AT_ONCE", 3)
    reply = client_as(world.rep).get("/lists/act")
    assert reply.status_code == 422
    assert (
        "More than 3 people are on this list. Choose a smaller place, or narrow the list."
        in _text(reply)
    )


def test_five_hundred_people_fit_into_one_form(client_as: ClientAs, world: World) -> None:
    with unit_of_work(ALL) as session:
        made: Any = world.depot
        rows = [
            factories.make_person(session, made, f"Person {number}").public_id
            for number in range(120)
        ]
    people = [str(rows[number % 120]) for number in range(500)]
    reply = _remind(client_as(world.organiser), world.organiser, who="ticked", people=people)
    assert reply.status_code == 303
    assert len(_rows(FollowUp)) == 120


def test_an_act_is_its_makers_alone(client_as: ClientAs, world: World, tag: uuid.UUID) -> None:
    made = _do(client_as(world.rep), "tag", tag=str(tag))
    for other in (world.organiser, world.boss_of_all, world.dock_rep):
        assert client_as(other).get(made.location).status_code == 404
        assert client_as(other).post(f"{made.location}/undo").status_code == 404
    assert client_as(world.admin).get("/lists/act").status_code == 403
    assert len(_rows(BulkEntry)) == 3


def test_people_lost_from_sight_are_counted_not_named_and_not_changed(
    client_as: ClientAs, world: World, tag: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        mill: Any = world.mill
        depot: Any = world.depot
        user = factories.make_user(session, "Two places", role=Role.REP, place=mill)
        grant = factories.make_grant(session, user, Role.REP, depot)
        both, ended = Named(user.id, user.public_id, user.name), grant.id
    client = client_as(both)
    made = _do(client, "tag", tag=str(tag))
    assert "Marta S" in _text(client.get(made.location))
    with unit_of_work(ALL) as session:
        row = session.get(AccessGrant, ended)
        assert row is not None
        row.valid_to = TODAY
    page = _text(client.get(made.location))
    assert "Marta S" not in page
    assert "1 more person is at a place you no longer look after." in page
    _undo(client, made)
    assert _tagged() == {world.ioana.id, world.depot_worker.id}


def test_a_list_with_something_hidden_offers_nothing_to_do(
    client_as: ClientAs, world: World
) -> None:
    rep = client_as(world.rep)
    for query in (f"tag={uuid.uuid4()}", f"list={uuid.uuid4()}", "stand=9"):
        assert rep.get(f"/lists/act?{query}").status_code == 404
        assert rep.post(f"/lists/act?{query}").status_code == 404


def test_an_act_takes_as_many_statements_for_forty_people_as_for_four(
    client_as: ClientAs, world: World, tag: uuid.UUID, count_statements: list[str]
) -> None:
    rep = client_as(world.rep)

    def _count(path: str) -> int:
        rep.get(path)
        count_statements.clear()
        rep.get(path)
        return len(count_statements)

    few = _count("/lists/act"), _count(_do(rep, "tag", tag=str(tag)).location)
    with unit_of_work(ALL) as session:
        mill: Any = world.mill
        for number in range(36):
            factories.make_person(session, mill, f"Person {number}")
    assert (_count("/lists/act"), _count(_do(rep, "tag", tag=str(tag)).location)) == few
