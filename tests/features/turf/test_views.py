"""Who has whom: giving people and areas to reps, handing over when a rep leaves, and undo."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from crm.access import turf
from crm.domain.roles import Role
from crm.models.accounts import AccessGrant, UserAccount, UserSession
from crm.models.audit import AuditEntry
from crm.models.conversations import FollowUp
from crm.models.turf import FollowUpPass, Turf, TurfMove, TurfPerson
from crm.web import clock
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, LONG_AGO, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]


def _person(person: Named, place: Named, rep: Named, workplace: Named, **more: Any) -> None:
    _store(
        TurfPerson(
            contact_id=person.id,
            workplace_id=workplace.id,
            place_id=place.id,
            user_id=rep.id,
            recorded_at=NOW,
            **{"valid_from": LONG_AGO, **more},
        )
    )


def _area(place: Named, rep: Named, **more: Any) -> Turf:
    turf = Turf(place_id=place.id, user_id=rep.id, recorded_at=NOW, valid_from=LONG_AGO, **more)
    _store(turf)
    return turf


def _reminder(person: Named, place: Named, owner: Named) -> uuid.UUID:
    public_id = uuid.uuid4()
    _store(
        FollowUp(
            public_id=public_id,
            contact_id=person.id,
            place_id=place.id,
            owner_id=owner.id,
            due_on=TODAY,
            created_at=NOW,
        )
    )
    return public_id


def _store(row: Any) -> None:
    with unit_of_work(ALL) as session:
        session.add(row)


def _user(name: str, role: Role, place: Named) -> Named:
    with unit_of_work(ALL) as session:
        at: Any = place
        made = factories.make_user(session, name, role=role, place=at)
        return Named(made.id, made.public_id, made.name)


def _leaves(user: Named, how: str = "grant") -> None:
    with unit_of_work(ALL) as session:
        if how == "account":
            row = session.scalars(sa.select(UserAccount).where(UserAccount.id == user.id)).one()
            row.active = False
        else:
            grant = session.scalars(
                sa.select(AccessGrant).where(AccessGrant.user_id == user.id)
            ).one()
            grant.valid_to = TODAY


def _by_hand() -> dict[int, int]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(
            ALL.select(TurfPerson).where(
                TurfPerson.superseded_at.is_(None), TurfPerson.valid_to.is_(None)
            )
        )
        return {row.contact_id: row.user_id for row in rows}


def _areas() -> dict[int, int]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(
            ALL.select(Turf).where(Turf.superseded_at.is_(None), Turf.valid_to.is_(None))
        )
        return {row.place_id: row.user_id for row in rows}


def _owners() -> dict[int, int]:
    with unit_of_work(ALL, read_only=True) as session:
        return {row.contact_id: row.owner_id for row in session.scalars(ALL.select(FollowUp))}


def _part(page: str, key: str) -> str:
    start = page.find(f'id="{key}"')
    return page[start : page.find("</section>", start)] if start >= 0 else ""


def _give(client: FlaskClient, site: Named, people: list[Named], to: Named | str) -> Any:
    return client.post(
        f"/turf/places/{site.public_id}",
        data={
            "people": [str(one.public_id) for one in people],
            "to": to if isinstance(to, str) else str(to.public_id),
        },
    )


# Giving people


def test_an_organiser_gives_people_to_a_rep_and_undoes_it_as_one(
    world: World, client_as: SignIn
) -> None:
    organiser = client_as(world.organiser)
    _person(world.tomasz, world.yard, world.officer, world.mill)
    page = organiser.get(f"/turf/places/{world.mill.public_id}").text
    assert "4 people on our list. 3 of them have nobody." in page
    answer = _give(organiser, world.mill, [world.ioana, world.tomasz], world.rep)
    assert answer.status_code == 303
    assert _by_hand() == {world.ioana.id: world.rep.id, world.tomasz.id: world.rep.id}
    assert "2 of them have nobody." in organiser.get(f"/turf/places/{world.mill.public_id}").text
    assert "Undo all of it" in organiser.get(answer.location).text
    assert organiser.post(f"{answer.location}/undo").status_code == 303
    assert "2 are as they were before." in organiser.get(answer.location).text
    assert _by_hand() == {world.tomasz.id: world.officer.id}
    # Sent twice it happens once.
    assert organiser.post(f"{answer.location}/undo").status_code == 303
    assert _by_hand() == {world.tomasz.id: world.officer.id}
    with unit_of_work(ALL, read_only=True) as session:
        entries = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "turf_person")
        ).all()
    assert {row.actor_id for row in entries} >= {world.organiser.id}
    assert {row.contact_id for row in entries} == {world.ioana.id, world.tomasz.id}


def test_undo_leaves_alone_what_was_changed_since(world: World, client_as: SignIn) -> None:
    organiser = client_as(world.organiser)
    first = _give(organiser, world.mill, [world.ioana, world.tomasz], world.rep).location
    _give(organiser, world.mill, [world.ioana], world.officer)
    organiser.post(f"{first}/undo")
    page = organiser.get(first).text
    assert "1 is as it was before. 1 was changed since, and stays." in page
    assert _by_hand() == {world.ioana.id: world.officer.id}


def test_taken_from_a_rep_somebody_has_nobody_and_undo_gives_them_back(
    world: World, client_as: SignIn
) -> None:
    organiser = client_as(world.organiser)
    _person(world.ioana, world.packing, world.rep, world.mill)
    answer = _give(organiser, world.mill, [world.ioana], "nobody")
    assert _by_hand() == {}
    organiser.post(f"{answer.location}/undo")
    assert _by_hand() == {world.ioana.id: world.rep.id}


def test_nobody_is_given_to_a_rep_whose_role_does_not_cover_them(
    world: World, client_as: SignIn
) -> None:
    yard_rep = _user("Yard Rep", Role.REP, world.yard)
    answer = _give(client_as(world.organiser), world.mill, [world.ioana, world.tomasz], yard_rep)
    assert answer.status_code == 422
    assert (
        "Yard Rep may not see 1 of the people you chose: their role does not cover where those "
        "work. Choose somebody else for them, or ask an administrator to widen the role."
    ) in answer.text
    assert _by_hand() == {}


@pytest.mark.parametrize("who", ["dock_rep", "admin", "absent"])
def test_a_user_without_a_role_there_is_refused_without_a_name(
    world: World, client_as: SignIn, who: str
) -> None:
    to = str(uuid.uuid4()) if who == "absent" else str(getattr(world, who).public_id)
    answer = _give(client_as(world.organiser), world.mill, [world.ioana], to)
    assert answer.status_code == 422
    assert (
        "This person holds no role where these people work. Choose somebody from the list."
    ) in answer.text
    assert "Lukasz" not in answer.text
    assert "Ade Admin" not in answer.text
    assert _by_hand() == {}


@pytest.mark.parametrize(
    ("people", "to", "words"),
    [
        ([], "rep", "Choose at least one person."),
        (["ioana"], "", "Choose a rep, or “Nobody”."),
        (["ioana"], "nobody", "Nothing would change: they are with this rep already."),
    ],
)
def test_a_form_that_gives_nothing_is_refused_and_leaves_no_move(
    world: World, client_as: SignIn, people: list[str], to: str, words: str
) -> None:
    target: Any = world.rep if to == "rep" else to
    chosen = [getattr(world, name) for name in people]
    answer = _give(client_as(world.organiser), world.mill, chosen, target)
    assert answer.status_code == 422
    assert words in answer.text
    with unit_of_work(ALL, read_only=True) as session:
        assert session.scalars(ALL.select(TurfMove)).all() == []


def test_a_person_of_others_is_as_good_as_absent(world: World, client_as: SignIn) -> None:
    organiser = client_as(world.organiser)
    for person in (world.docker, world.depot_worker):
        assert _give(organiser, world.mill, [person], world.rep).status_code == 404
    assert _give(organiser, world.dock, [world.docker], world.rep).status_code == 404
    assert _by_hand() == {}


def test_a_rep_shares_nobody_out(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    assert rep.get("/turf").status_code == 403
    assert _give(rep, world.mill, [world.ioana], world.rep).status_code == 403
    assert "Who has whom" not in rep.get("/mine").text
    assert "Who has whom" in client_as(world.organiser).get("/mine").text


def test_an_organiser_of_one_area_shares_out_that_area_only(
    world: World, client_as: SignIn
) -> None:
    _area(world.mill, world.rep)
    client = client_as(_user("Yard Organiser", Role.ORGANISER, world.yard))
    page = client.get(f"/turf/places/{world.mill.public_id}").text
    assert "1 person on our list." in page
    # That somebody has the whole workplace is known also to who holds a part of it.
    assert "Owen Rep" in page
    assert "Ioana P" not in page
    assert _give(client, world.mill, [world.ioana], world.rep).status_code == 404
    answer = _give(client, world.mill, [world.tomasz], world.rep)
    assert answer.status_code == 303
    assert _by_hand() == {world.tomasz.id: world.rep.id}


def test_the_page_of_one_rep_shows_their_people_and_of_all_who_has_each(
    world: World, client_as: SignIn
) -> None:
    _area(world.packing, world.rep)
    _person(world.tomasz, world.yard, world.officer, world.mill)
    organiser = client_as(world.organiser)
    base = f"/turf/places/{world.mill.public_id}"
    people = _part(organiser.get(base).text, "people")
    assert "Rukhsana A" in people
    assert "Ioana P" not in people
    people = _part(organiser.get(f"{base}?of={world.rep.public_id}").text, "people")
    assert "Ioana P" in people
    assert "Tomasz K" not in people
    everybody = _part(organiser.get(f"{base}?of=all").text, "people")
    assert re.search(r"Tomasz K · Yard · Unsure · with Kasia Officer", everybody)


def test_those_with_a_rep_and_those_without_are_everybody(world: World, client_as: SignIn) -> None:
    mill: Any = world.mill
    with unit_of_work(ALL) as session:
        yard: Any = world.yard
        for number in range(9):
            factories.make_person(session, mill, f"Worker {number}", area=yard)
    _area(world.yard, world.rep)
    _area(world.mill, world.officer, shift_id=world.nights.id)
    _person(world.ioana, world.packing, world.organiser, world.mill)
    page = client_as(world.organiser).get(f"/turf/places/{world.mill.public_id}").text
    counts = [int(one) for one in re.findall(r'wc-nums">(\d+) p', _part(page, "reps"))]
    nobody, *reps, everybody = counts
    assert (nobody, sorted(reps), everybody) == (1, [1, 1, 10], 13)
    assert nobody + sum(reps) == everybody


def test_two_organisers_who_give_the_same_person_at_once_are_told(
    world: World, client_as: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    _person(world.ioana, world.packing, world.officer, world.mill)
    # What the second one read before the first one saved: nobody has her.
    monkeypatch.setattr(turf, "_by_hand", lambda *_: {})
    answer = _give(client_as(world.organiser), world.mill, [world.tomasz, world.ioana], world.rep)
    assert answer.status_code == 422
    assert (
        "Somebody else gave one of these people to a rep a moment ago. Look at the list again."
    ) in answer.text
    assert _by_hand() == {world.ioana.id: world.officer.id}


# Areas


def _give_area(client: FlaskClient, site: Named, place: Named, to: Named, **more: str) -> Any:
    return client.post(
        f"/turf/places/{site.public_id}/areas",
        data={"place": str(place.public_id), "rep": str(to.public_id), "shift": "", **more},
    )


def test_an_area_is_given_and_ended(world: World, client_as: SignIn) -> None:
    organiser, rep = client_as(world.organiser), client_as(world.rep)
    assert _give_area(organiser, world.mill, world.packing, world.rep).status_code == 303
    assert _areas() == {world.packing.id: world.rep.id}
    assert "Ioana P" in rep.get("/mine").text
    page = organiser.get(f"/turf/places/{world.mill.public_id}").text
    end = re.search(r"/turf/areas/[0-9a-f-]+/end", page)
    assert end is not None
    assert organiser.post(end[0]).status_code == 303
    assert _areas() == {}
    assert "Ioana P" not in rep.get("/mine").text
    assert organiser.post(end[0]).status_code == 404


def test_an_area_that_somebody_has_is_not_given_twice_but_one_shift_of_it_is(
    world: World, client_as: SignIn
) -> None:
    organiser = client_as(world.organiser)
    _give_area(organiser, world.mill, world.mill, world.rep)
    answer = _give_area(organiser, world.mill, world.mill, world.officer)
    assert answer.status_code == 422
    assert (
        "Owen Rep has this area already. End that first, or choose one shift or a smaller area."
    ) in answer.text
    nights = str(world.nights.public_id)
    answer = _give_area(organiser, world.mill, world.mill, world.officer, shift=nights)
    assert answer.status_code == 303


def test_an_area_goes_only_to_those_whose_role_covers_it_and_lies_in_the_workplace(
    world: World, client_as: SignIn
) -> None:
    organiser = client_as(world.organiser)
    yard_rep = _user("Yard Rep", Role.REP, world.yard)
    assert _give_area(organiser, world.mill, world.packing, yard_rep).status_code == 422
    assert _give_area(organiser, world.depot, world.packing, world.organiser).status_code == 404
    assert _give_area(organiser, world.mill, world.dock, world.rep).status_code == 404
    bad = _give_area(organiser, world.mill, world.mill, world.rep, shift=str(uuid.uuid4()))
    assert bad.status_code == 404
    assert _areas() == {}


# When a rep leaves


@pytest.mark.parametrize("how", ["grant", "account"])
def test_what_a_rep_had_waits_for_a_new_one_when_their_access_ends(
    world: World, client_as: SignIn, how: str
) -> None:
    _person(world.ioana, world.packing, world.rep, world.mill)
    _area(world.yard, world.rep)
    _reminder(world.rukhsana, world.mill, world.rep)
    organiser = client_as(world.organiser)
    assert "Needs a new rep" not in organiser.get("/turf").text
    assert "need a new rep" not in organiser.get("/").text
    _leaves(world.rep, how)
    waiting = _part(organiser.get("/turf").text, "waiting")
    assert "Owen Rep" in waiting
    assert "1 person by name · 1 area · 1 open reminder" in waiting
    assert ("Account closed" in waiting) is (how == "account")
    assert "Some people or reminders need a new rep" in organiser.get("/").text
    assert "their role does not cover all of these" in _part(
        organiser.get(f"/turf/places/{world.mill.public_id}").text, "reps"
    )


@pytest.mark.parametrize("what", ["person", "area", "reminder"])
def test_each_sort_alone_is_enough_to_be_told(world: World, client_as: SignIn, what: str) -> None:
    if what == "person":
        _person(world.ioana, world.packing, world.rep, world.mill)
    elif what == "area":
        _area(world.yard, world.rep)
    else:
        _reminder(world.rukhsana, world.mill, world.rep)
    _leaves(world.rep)
    assert "need a new rep" in client_as(world.organiser).get("/").text


def test_somebody_who_moved_out_of_their_reps_places_waits_for_a_new_rep(
    world: World, client_as: SignIn
) -> None:
    yard_rep = _user("Yard Rep", Role.REP, world.yard)
    _person(world.ioana, world.yard, yard_rep, world.mill)
    waiting = _part(client_as(world.organiser).get("/turf").text, "waiting")
    assert "Yard Rep" in waiting
    assert "1 person by name" in waiting


def test_what_waits_at_places_of_others_is_not_told(world: World, client_as: SignIn) -> None:
    _person(world.docker, world.dock, world.dock_rep, world.dock)
    _area(world.dock, world.dock_rep)
    _reminder(world.docker, world.dock, world.dock_rep)
    _leaves(world.dock_rep)
    organiser = client_as(world.organiser)
    assert "Lukasz" not in organiser.get("/turf").text
    assert "need a new rep" not in organiser.get("/").text
    address = f"/turf/reps/{world.dock_rep.public_id}"
    absent = f"/turf/reps/{uuid.uuid4()}"
    assert organiser.get(address).status_code == organiser.get(absent).status_code == 404
    assert organiser.post(address, data={"to": str(world.rep.public_id)}).status_code == 404
    assert "Lukasz" in client_as(world.boss_of_all).get("/turf").text


def test_all_that_a_rep_had_goes_to_another_and_comes_back_with_undo(
    world: World, client_as: SignIn
) -> None:
    _person(world.ioana, world.packing, world.rep, world.mill)
    _area(world.yard, world.rep)
    _reminder(world.rukhsana, world.mill, world.rep)
    _leaves(world.rep)
    organiser = client_as(world.organiser)
    address = f"/turf/reps/{world.rep.public_id}"
    page = organiser.get(address).text
    assert "The Mill · Packing" in page
    assert "The Mill · Yard" in page
    answer = organiser.post(address, data={"to": str(world.officer.public_id)})
    assert answer.status_code == 303
    officer = world.officer.id
    assert (_by_hand(), _areas(), _owners()) == (
        {world.ioana.id: officer},
        {world.yard.id: officer},
        {world.rukhsana.id: officer},
    )
    assert "Needs a new rep" not in organiser.get("/turf").text
    assert organiser.get(address).status_code == 404
    mine = client_as(world.officer).get("/mine").text
    assert "Ioana P" in mine
    assert "Tomasz K" in mine
    organiser.post(f"{answer.location}/undo")
    assert "3 are as they were before." in organiser.get(answer.location).text
    rep = world.rep.id
    assert (_by_hand(), _areas(), _owners()) == (
        {world.ioana.id: rep},
        {world.yard.id: rep},
        {world.rukhsana.id: rep},
    )
    assert "Needs a new rep" in organiser.get("/turf").text


def test_places_can_go_to_several_reps(world: World, client_as: SignIn) -> None:
    yard_rep = _user("Yard Rep", Role.REP, world.yard)
    _person(world.ioana, world.packing, world.rep, world.mill)
    _person(world.tomasz, world.yard, world.rep, world.mill)
    _reminder(world.tomasz, world.yard, world.rep)
    _leaves(world.rep)
    organiser = client_as(world.organiser)
    address = f"/turf/reps/{world.rep.public_id}"
    page = organiser.get(address).text
    everything = page[page.index('id="to"') : page.index("</select>", page.index('id="to"'))]
    assert "Yard Rep" not in everything
    answer = organiser.post(
        address,
        data={
            "to": str(world.officer.public_id),
            f"at_{world.yard.public_id.hex}": str(yard_rep.public_id),
        },
    )
    assert answer.status_code == 303
    assert _by_hand() == {world.ioana.id: world.officer.id, world.tomasz.id: yard_rep.id}
    assert _owners() == {world.tomasz.id: yard_rep.id}


def test_one_who_may_not_see_all_of_it_gets_none_of_it(world: World, client_as: SignIn) -> None:
    yard_rep = _user("Yard Rep", Role.REP, world.yard)
    _person(world.ioana, world.packing, world.rep, world.mill)
    _person(world.tomasz, world.yard, world.rep, world.mill)
    _reminder(world.tomasz, world.yard, world.rep)
    organiser = client_as(world.organiser)
    address = f"/turf/reps/{world.rep.public_id}"
    answer = organiser.post(address, data={"to": str(yard_rep.public_id)})
    assert answer.status_code == 422
    assert "This person holds no role where these people work." in answer.text
    rep = world.rep.id
    assert _by_hand() == {world.ioana.id: rep, world.tomasz.id: rep}
    assert _owners() == {world.tomasz.id: rep}
    answer = organiser.post(address, data={"to": ""})
    assert answer.status_code == 422
    assert "Choose who takes over, for everything or for at least one place." in answer.text


def test_undo_leaves_a_reminder_alone_that_was_done_or_put_off_since(
    world: World, client_as: SignIn
) -> None:
    done = _reminder(world.ioana, world.mill, world.rep)
    later = _reminder(world.tomasz, world.mill, world.rep)
    _reminder(world.rukhsana, world.mill, world.rep)
    organiser, officer = client_as(world.organiser), client_as(world.officer)
    answer = organiser.post(
        f"/turf/reps/{world.rep.public_id}", data={"to": str(world.officer.public_id)}
    )
    officer.post(f"/follow-ups/{done}/done")
    officer.post(f"/follow-ups/{later}/later", data={"when": "tomorrow", "version": "2"})
    organiser.post(f"{answer.location}/undo")
    page = organiser.get(answer.location).text
    assert "1 is as it was before. 2 were changed since, and stay." in page
    assert _owners() == {
        world.ioana.id: world.officer.id,
        world.tomasz.id: world.officer.id,
        world.rukhsana.id: world.rep.id,
    }


def test_a_move_is_seen_and_undone_by_who_made_it_only(world: World, client_as: SignIn) -> None:
    address = _give(client_as(world.organiser), world.mill, [world.ioana], world.rep).location
    for who in (world.officer, world.boss_of_all):
        assert client_as(who).get(address).status_code == 404
        assert client_as(who).post(f"{address}/undo").status_code == 404
    assert _by_hand() == {world.ioana.id: world.rep.id}


def test_a_reminder_passed_on_says_from_whom_to_whom(world: World, client_as: SignIn) -> None:
    _reminder(world.ioana, world.mill, world.rep)
    client_as(world.organiser).post(
        f"/turf/reps/{world.rep.public_id}", data={"to": str(world.officer.public_id)}
    )
    with unit_of_work(ALL, read_only=True) as session:
        passed = session.scalars(ALL.select(FollowUpPass)).one()
    assert (passed.from_user_id, passed.to_user_id, passed.passed_by_id) == (
        world.rep.id,
        world.officer.id,
        world.organiser.id,
    )


def test_access_that_ends_on_a_day_to_come_waits_from_that_day_on(
    world: World, client_as: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    _person(world.ioana, world.packing, world.rep, world.mill)
    with unit_of_work(ALL) as session:
        grant = session.scalars(
            sa.select(AccessGrant).where(AccessGrant.user_id == world.rep.id)
        ).one()
        grant.valid_to = date(2026, 11, 24)
    organiser = client_as(world.organiser)
    assert "Needs a new rep" not in organiser.get("/turf").text
    at = datetime(2026, 11, 24, 0, 1, tzinfo=UTC)
    with unit_of_work() as session:
        for device in session.scalars(sa.select(UserSession)):
            device.last_seen_at, device.expires_at = at, datetime(2027, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: at)
    assert "Needs a new rep" in organiser.get("/turf").text


def test_the_pages_need_no_more_statements_for_more_people(
    world: World, client_as: SignIn, count_statements: list[str]
) -> None:
    _area(world.yard, world.rep)
    organiser = client_as(world.organiser)
    paths = ["/turf", f"/turf/places/{world.mill.public_id}?of=all"]

    def _count() -> list[int]:
        counts = []
        for path in paths:
            organiser.get(path)
            count_statements.clear()
            assert organiser.get(path).status_code == 200
            counts.append(len(count_statements))
        return counts

    few = _count()
    mill: Any = world.mill
    with unit_of_work(ALL) as session:
        yard: Any = world.yard
        for number in range(30):
            factories.make_person(session, mill, f"Worker {number}", area=yard)
    assert _count() == few
    assert max(few) <= 22


def test_a_long_list_comes_in_parts(world: World, client_as: SignIn) -> None:
    mill: Any = world.mill
    with unit_of_work(ALL) as session:
        for number in range(120):
            factories.make_person(session, mill, f"Worker {number:03}", since=TODAY)
    organiser = client_as(world.organiser)
    base = f"/turf/places/{world.mill.public_id}"
    first = _part(organiser.get(base).text, "people")
    assert "1 to 100 of 124" in first
    assert first.count('type="checkbox"') == 100
    rest = _part(organiser.get(f"{base}?start=100").text, "people")
    assert rest.count('type="checkbox"') == 24
    assert organiser.get(f"{base}?start=-5&of=nonsense").status_code == 200


def test_the_day_a_rep_gives_way_the_next_one_has_them(world: World, client_as: SignIn) -> None:
    _person(world.ioana, world.packing, world.rep, world.mill)
    organiser = client_as(world.organiser)
    _give(organiser, world.mill, [world.ioana], world.officer)
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(
            ALL.select(TurfPerson).where(TurfPerson.superseded_at.is_(None))
        ).all()
    spells = {row.user_id: (row.valid_from, row.valid_to) for row in rows}
    assert spells == {world.rep.id: (LONG_AGO, TODAY), world.officer.id: (TODAY, None)}
