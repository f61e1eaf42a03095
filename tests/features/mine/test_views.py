"""My people: whose list somebody is on, its order, and taking people on or letting them go."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.domain.roles import Role
from crm.features.mine import queries, views
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact
from crm.models.conversations import Conversation
from crm.models.turf import Turf, TurfPerson
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, LONG_AGO, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]


def _give(person: Named, workplace: Named, place: Named, rep: Named, **more: Any) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            TurfPerson(
                contact_id=person.id,
                workplace_id=workplace.id,
                place_id=place.id,
                user_id=rep.id,
                recorded_at=NOW,
                **{"valid_from": LONG_AGO, **more},
            )
        )


def _give_area(place: Named, rep: Named, **more: Any) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            Turf(
                place_id=place.id,
                user_id=rep.id,
                recorded_at=NOW,
                **{"valid_from": LONG_AGO, **more},
            )
        )


def _talk(person: Named, place: Named, day: date) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            Conversation(
                contact_id=person.id, place_id=place.id, day=day, held_at=NOW, recorded_at=NOW
            )
        )


def _names(page: str) -> list[str]:
    main = page[page.index("<main") : page.index("</main>")]
    return [piece.split("</bdi>")[0] for piece in main.split("<bdi>")[1:]]


def _rows() -> list[TurfPerson]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(session.scalars(ALL.select(TurfPerson).order_by(TurfPerson.id)))


def _open() -> dict[int, int]:
    """Return who has whom by hand now, as inner ids."""
    return {
        row.contact_id: row.user_id
        for row in _rows()
        if row.superseded_at is None and row.valid_to is None
    }


# The list


def test_nobody_talked_to_comes_first_and_then_the_oldest_talk(
    world: World, client_as: SignIn
) -> None:
    for person in (world.ioana, world.tomasz, world.rukhsana, world.placeholder):
        _give(person, world.mill, world.mill, world.rep)
    _talk(world.ioana, world.packing, TODAY - timedelta(days=3))
    _talk(world.tomasz, world.yard, TODAY - timedelta(days=40))
    page = client_as(world.rep).get("/mine").text
    assert _names(page) == ["Night packer 3", "Rukhsana A", "Tomasz K", "Ioana P"]
    assert "Last talk 40 days ago" in page
    assert "2 have had no talk yet." in page
    # Where they stood, with its age: 20 November and 1 October.
    assert "Stood at “With us” 3 days ago" in page
    assert "Stood at “Unsure” 53 days ago" in page
    assert f"/log/{world.ioana.public_id}?next=mine" in page


def test_a_list_is_of_one_rep_and_nobody_elses(world: World, client_as: SignIn) -> None:
    _give(world.ioana, world.mill, world.packing, world.organiser)
    assert _names(client_as(world.rep).get("/mine").text) == []
    assert _names(client_as(world.organiser).get("/mine").text) == ["Ioana P"]


def test_an_area_brings_everyone_with_a_job_in_it_on_the_day(
    world: World, client_as: SignIn
) -> None:
    _give_area(world.packing, world.rep)
    assert _names(client_as(world.rep).get("/mine").text) == ["Ioana P", "Night packer 3"]
    with unit_of_work(ALL) as session:
        packing: Any = world.packing
        mill: Any = world.mill
        factories.make_person(session, mill, "Joined today", area=packing, since=TODAY)
        factories.make_person(session, mill, "Left today", area=packing, until=TODAY)
    assert "Joined today" in _names(client_as(world.rep).get("/mine").text)
    assert "Left today" not in _names(client_as(world.rep).get("/mine").text)


def test_by_hand_comes_before_an_area_and_an_area_before_the_whole_workplace(
    world: World, client_as: SignIn
) -> None:
    _give_area(world.mill, world.rep)
    _give_area(world.packing, world.officer)
    _give(world.placeholder, world.mill, world.packing, world.organiser)
    assert _names(client_as(world.rep).get("/mine").text) == ["Rukhsana A", "Tomasz K"]
    assert _names(client_as(world.officer).get("/mine").text) == ["Ioana P"]
    assert _names(client_as(world.organiser).get("/mine").text) == ["Night packer 3"]


def test_one_shift_of_an_area_comes_before_all_of_it(world: World, client_as: SignIn) -> None:
    _give_area(world.mill, world.rep)
    _give_area(world.mill, world.officer, shift_id=world.nights.id)
    assert _names(client_as(world.officer).get("/mine").text) == ["Ioana P", "Night packer 3"]
    assert _names(client_as(world.rep).get("/mine").text) == ["Rukhsana A", "Tomasz K"]


@pytest.mark.parametrize(
    "spell",
    [
        {"valid_from": TODAY + timedelta(days=1)},
        {"valid_to": TODAY},
        {"superseded_at": NOW - timedelta(days=1)},
    ],
)
def test_what_is_over_or_to_come_or_withdrawn_does_not_count(
    world: World, client_as: SignIn, spell: dict[str, Any]
) -> None:
    _give(world.ioana, world.mill, world.packing, world.rep, **spell)
    _give_area(world.yard, world.rep, **spell)
    assert _names(client_as(world.rep).get("/mine").text) == []


def test_somebody_who_left_is_on_no_list(world: World, client_as: SignIn) -> None:
    _give(world.leaver, world.mill, world.mill, world.rep)
    assert _names(client_as(world.rep).get("/mine").text) == []


def test_somebody_given_to_a_rep_without_a_role_there_stays_unseen(
    world: World, client_as: SignIn
) -> None:
    _give(world.docker, world.dock, world.dock, world.rep)
    _give_area(world.dock, world.rep)
    page = client_as(world.rep).get("/mine").text
    assert "Bilal H" not in page
    assert "Nobody is on your list yet." in page


def test_those_who_asked_not_to_be_contacted_stand_apart_without_a_way_to_log(
    world: World, client_as: SignIn
) -> None:
    _give(world.ioana, world.mill, world.packing, world.rep)
    with unit_of_work(ALL) as session:
        ioana = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        ioana.do_not_contact = True
    page = client_as(world.rep).get("/mine").text
    assert "Asked us not to contact them" in page
    assert f"/log/{world.ioana.public_id}" not in page


def test_more_than_ten_are_said_to_be_too_many(world: World, client_as: SignIn) -> None:
    mill: Any = world.mill
    with unit_of_work(ALL) as session:
        for number in range(7):
            factories.make_person(session, mill, f"Worker {number}")
    _give_area(world.mill, world.rep)
    words = "You look after more than 10 people."
    assert words in client_as(world.rep).get("/mine").text
    with unit_of_work(ALL) as session:
        session.scalars(ALL.select(Turf)).one().valid_to = TODAY
    assert words not in client_as(world.rep).get("/mine").text


def test_a_long_list_says_how_many_are_left_out(
    world: World, client_as: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MOST", 3)
    monkeypatch.setattr(queries, "MOST_OFFERED", 2)
    rep = client_as(world.rep)
    page = rep.get("/mine/change").text
    assert page.count('type="checkbox"') == 2
    assert "These are the first 2 of 4 people." in page
    _give_area(world.mill, world.rep)
    page = rep.get("/mine").text
    assert len(_names(page)) == 3
    assert "4 people." in page
    assert "These are the first 3 of 4 people." in page


def test_an_administrator_without_places_has_no_such_list(world: World, client_as: SignIn) -> None:
    assert client_as(world.admin).get("/mine").status_code == 403


def test_the_list_needs_no_more_statements_for_more_people(
    world: World, client_as: SignIn, count_statements: list[str]
) -> None:
    _give_area(world.mill, world.rep)
    rep = client_as(world.rep)
    rep.get("/mine")
    count_statements.clear()
    rep.get("/mine")
    few = len(count_statements)
    mill: Any = world.mill
    with unit_of_work(ALL) as session:
        for number in range(30):
            factories.make_person(session, mill, f"Worker {number}")
    count_statements.clear()
    rep.get("/mine")
    assert len(count_statements) == few <= 12


def test_a_logged_talk_leads_back_to_the_list(world: World, client_as: SignIn) -> None:
    _give(world.ioana, world.mill, world.packing, world.rep)
    answer = client_as(world.rep).post(
        f"/log/{world.ioana.public_id}?next=mine", data={"id": str(uuid.uuid4()), "basis": "said"}
    )
    assert (answer.status_code, answer.location) == (303, "/mine")


def test_the_page_of_a_person_says_who_looks_after_them(world: World, client_as: SignIn) -> None:
    address = f"/people/{world.ioana.public_id}"
    assert "Looked after by" not in client_as(world.organiser).get(address).text
    _give(world.ioana, world.mill, world.packing, world.rep)
    assert "Looked after by <bdi>Owen Rep</bdi>." in client_as(world.organiser).get(address).text


def test_who_looks_after_somebody_elsewhere_is_not_told(world: World, client_as: SignIn) -> None:
    with unit_of_work(ALL) as session:
        ioana = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        dock: Any = world.dock
        factories.make_job(session, ioana, dock)
    _give(world.ioana, world.dock, world.dock, world.dock_rep)
    address = f"/people/{world.ioana.public_id}"
    assert "Lukasz" not in client_as(world.rep).get(address).text
    assert "Owen" not in client_as(world.dock_rep).get(address).text
    assert "Lukasz Dock" in client_as(world.dock_rep).get(address).text


# Taking on and letting go


def test_a_rep_takes_on_people_whom_nobody_has(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    assert "Ioana P" in rep.get("/mine/change").text
    answer = rep.post(
        "/mine/take-on", data={"people": [str(world.ioana.public_id), str(world.tomasz.public_id)]}
    )
    assert (answer.status_code, answer.location) == (303, "/mine")
    page = rep.get("/mine").text
    assert "2 people are on your list now." in page
    assert sorted(_names(page)) == ["Ioana P", "Tomasz K"]
    assert _open() == {world.ioana.id: world.rep.id, world.tomasz.id: world.rep.id}
    with unit_of_work(ALL, read_only=True) as session:
        entries = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "turf_person")
        ).all()
    assert {(row.contact_id, row.actor_id) for row in entries} == {
        (world.ioana.id, world.rep.id),
        (world.tomasz.id, world.rep.id),
    }


def test_taking_somebody_on_twice_stores_them_once(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    for _ in range(2):
        rep.post("/mine/take-on", data={"people": [str(world.ioana.public_id)]})
    assert len(_rows()) == 1


@pytest.mark.parametrize("how", ["by hand", "by area"])
def test_a_rep_takes_nobody_from_another_rep(world: World, client_as: SignIn, how: str) -> None:
    if how == "by hand":
        _give(world.ioana, world.mill, world.packing, world.officer)
    else:
        _give_area(world.packing, world.officer)
    rep = client_as(world.rep)
    assert str(world.ioana.public_id) not in rep.get("/mine/change").text
    answer = rep.post("/mine/take-on", data={"people": [str(world.ioana.public_id)]})
    assert answer.status_code == 422
    assert (
        "Another rep has taken on one of these people meanwhile. Ask an organiser if you think "
        "they should be yours."
    ) in answer.text
    assert world.rep.id not in _open().values()


def test_nobody_chosen_is_said_so(world: World, client_as: SignIn) -> None:
    for path in ("/mine/take-on", "/mine/let-go"):
        answer = client_as(world.rep).post(path)
        assert answer.status_code == 422
        assert "Choose at least one person." in answer.text


def test_letting_go_ends_it_today_and_keeps_what_was(world: World, client_as: SignIn) -> None:
    _give(world.ioana, world.mill, world.packing, world.rep)
    rep = client_as(world.rep)
    answer = rep.post("/mine/let-go", data={"off-people": [str(world.ioana.public_id)]})
    assert (answer.status_code, answer.location) == (303, "/mine/change")
    assert _open() == {}
    old, new = _rows()
    assert old.superseded_at is not None
    assert (new.valid_from, new.valid_to, new.user_id) == (LONG_AGO, TODAY, world.rep.id)
    assert _names(rep.get("/mine").text) == []


def test_nobody_lets_the_people_of_another_rep_go(world: World, client_as: SignIn) -> None:
    _give(world.ioana, world.mill, world.packing, world.officer)
    answer = client_as(world.rep).post(
        "/mine/let-go", data={"off-people": [str(world.ioana.public_id)]}
    )
    assert answer.status_code == 404
    assert _open() == {world.ioana.id: world.officer.id}


@pytest.mark.parametrize("path", ["/mine/take-on", "/mine/let-go"])
def test_people_of_others_are_as_good_as_absent(world: World, client_as: SignIn, path: str) -> None:
    field = "people" if path.endswith("on") else "off-people"
    rep = client_as(world.rep)
    theirs = rep.post(path, data={field: [str(world.docker.public_id)]})
    nobody = rep.post(path, data={field: [str(uuid.uuid4())]})
    assert theirs.status_code == nobody.status_code == 404
    assert _rows() == []


def test_the_rep_of_an_area_follows_somebody_who_moved_to_another(
    world: World, client_as: SignIn
) -> None:
    """The row says Packing; who holds only the Yard, where they work now, must know of it."""
    _give(world.tomasz, world.mill, world.packing, world.organiser)
    with unit_of_work(ALL) as session:
        yard: Any = world.yard
        made = factories.make_user(session, "Yard only", role=Role.REP, place=yard)
        user = Named(made.id, made.public_id, made.name)
    client = client_as(user)
    assert "Tomasz K" not in client.get("/mine/change").text
    answer = client.post("/mine/take-on", data={"people": [str(world.tomasz.public_id)]})
    assert answer.status_code == 422
