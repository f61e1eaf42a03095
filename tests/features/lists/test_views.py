"""Lists: what they ask is kept, whom they show goes by the reader, and who may change them."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from crm.domain.vocabulary import Verb
from crm.models.audit import AuditEntry
from crm.models.lists import ContactTag, SavedList
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, Named, World

ClientAs = Callable[[Named], FlaskClient]

pytestmark = pytest.mark.usefixtures("fixed_clock")


def _text(reply: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", reply.text)))


def _people(reply: Any) -> list[str]:
    return re.findall(r'wc-row__name"[^>]*><bdi>([^<]+)', reply.text)


def _lists() -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(ALL.select(SavedList).order_by(SavedList.id)).all()
        session.expunge_all()
        return list(rows)


def _save(client: FlaskClient, query: str, **data: Any) -> Any:
    return client.post(f"/lists/new?{query}", data={"name": "To ask", "share": "", **data})


def _list(world: World, owner: Named, share_with: Any = None, **words: Any) -> uuid.UUID:
    with unit_of_work(ALL) as session:
        made = factories.make_saved_list(session, owner, share_with=share_with, **words)
        return made.public_id


def _tag(world: World, place: Any, *people: Named) -> uuid.UUID:
    with unit_of_work(ALL) as session:
        tag = factories.make_tag(session, place, "Crane licence")
        session.add_all(
            ContactTag(tag_id=tag.id, contact_id=one.id, set_at=NOW, set_by_id=None)
            for one in people
        )
        return tag.public_id


# What to look for


def test_the_filter_page_leads_to_the_people_it_means(client_as: ClientAs, world: World) -> None:
    rep = client_as(world.rep)
    sent = "sent=y&stand=2&stand=not_asked&quiet=60&reminder=none&shift="
    reply = rep.get(f"/lists/filter?{sent}{world.nights.public_id}&how=is")

    assert reply.status_code == 303
    assert parse_qs(urlsplit(reply.location).query) == {
        "stand": ["2", "not_asked"],
        "quiet": ["60"],
        "reminder": ["none"],
        "shift": [str(world.nights.public_id)],
    }
    page = rep.get(reply.location)
    assert _people(page) == ["Ioana P", "Night packer 3"]
    assert (
        "Shift Nights Where they stand With us, Not asked "
        "Last talk None in the last 60 days, or never Reminders Nobody has a reminder"
        in _text(page)
    )


def test_looking_by_name_keeps_what_else_was_asked(client_as: ClientAs, world: World) -> None:
    page = client_as(world.rep).get("/people?quiet=60&stand=2&stand=not_asked")

    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', page.text)
    assert hidden == [("stand", "2"), ("stand", "not_asked"), ("quiet", "60")]
    assert 'name="stand"' not in re.sub(r'<input type="hidden"[^>]*>', "", page.text)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("quiet=soon", "Enter a number of days from 1 to 3650."),
        ("quiet=0", "Enter a number of days from 1 to 3650."),
        ("stand=7", "Choose one from the list."),
        ("tag=nonsense", "Choose one from the list."),
    ],
)
def test_what_cannot_be_looked_for_is_said_beside_its_field(
    client_as: ClientAs, world: World, query: str, sentence: str
) -> None:
    reply = client_as(world.rep).get(f"/lists/filter?sent=y&how=is&{query}")

    assert reply.status_code == 422
    assert sentence in _text(reply)


def test_an_answer_must_be_of_the_kind_of_its_field(client_as: ClientAs, world: World) -> None:
    with unit_of_work(ALL) as session:
        branch: Any = world.branch
        number = factories.make_field(session, branch, "Children", "number").public_id
        bus = factories.make_field(session, branch, "Bus", choices=("47", "X10")).public_id
    rep = client_as(world.rep)

    def _said(field: uuid.UUID, how: str, value: str) -> str:
        return _text(rep.get(f"/lists/filter?sent=y&field={field}&how={how}&value={value}"))

    assert "Enter a number like 12 or 12.5." in _said(number, "is", "two")
    assert "Write the answer to look for." in _said(number, "is", "")
    assert "Only numbers and dates can be more or less." in _said(bus, "at_least", "47")
    found = rep.get(f"/lists/filter?sent=y&field={bus}&how=is&value=x10")
    asked = parse_qs(urlsplit(found.location).query)
    assert asked["field"] == [str(bus)]
    # By its id: the list still means this choice when it is renamed.
    assert str(uuid.UUID(asked["value"][0])) == asked["value"][0]
    assert "Bus is X10" in _text(rep.get(found.location))
    assert 'value="X10"' in rep.get(f"/lists/filter?{urlsplit(found.location).query}").text


@pytest.mark.parametrize("query", ["place=x", "stand=9", "member=perhaps", "quiet=-1", "q=a&q=b"])
def test_what_is_no_filter_shows_nobody_and_not_everybody(
    client_as: ClientAs, world: World, query: str
) -> None:
    reply = client_as(world.rep).get(f"/people?{query}")

    assert reply.status_code == 200
    assert _people(reply) == []
    assert "This is not something people can be looked for by. It shows you nobody." in _text(reply)


# Saving


def test_a_list_is_saved_and_opened_by_its_name_alone(client_as: ClientAs, world: World) -> None:
    rep = client_as(world.rep)
    assert "Save this list" in _text(rep.get("/people?q=ioana"))
    reply = _save(rep, "q=ioana&member=member", name="Members like Ioana")

    made = _lists()[0]
    assert reply.status_code == 303
    assert reply.location == f"/lists/{made.public_id}"
    assert (made.owner_id, made.name, made.filter, made.shared_with_id) == (
        world.rep.id,
        "Members like Ioana",
        {"q": ["ioana"], "member": ["member"]},
        None,
    )
    about = rep.get(reply.location)
    assert "1 person As at 23 November 2026" in _text(about)
    # The address of a list says nothing of whom it looks for.
    assert f'href="/people?list={made.public_id}"' in about.text
    assert _people(rep.get(f"/people?list={made.public_id}")) == ["Ioana P"]
    assert "Members like Ioana" in _text(rep.get("/lists"))


def test_a_list_names_the_workplace_of_its_area(client_as: ClientAs, world: World) -> None:
    """Every second warehouse has an area called Packing."""
    rep = client_as(world.rep)
    about = _save(rep, f"place={world.packing.public_id}").location
    assert "Where The Mill: Packing" in _text(rep.get(about))


def test_a_list_leads_to_its_file_only_for_who_may_take_it_out(
    client_as: ClientAs, world: World
) -> None:
    for who, may in ((world.officer, True), (world.organiser, False)):
        client = client_as(who)
        about = _save(client, "q=ioana").location
        link = f'href="/lists/out?list={about.removeprefix("/lists/")}"'
        assert (link in client.get(about).text) is may
        # Density takes the people of a list as its whole: the list leads there.
        assert f'href="/dash?saved={about.removeprefix("/lists/")}"' in client.get(about).text


def test_saving_is_in_the_trail_without_what_was_looked_for(
    client_as: ClientAs, world: World
) -> None:
    _save(client_as(world.rep), "q=ioana")
    with unit_of_work(ALL, read_only=True) as session:
        entry = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "saved_list")
        ).one()
        assert (entry.verb, entry.actor_id, entry.new["name"]) == (
            Verb.CREATE,
            world.rep.id,
            "To ask",
        )
        assert entry.new["filter"] == "(hidden)"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Fill this in."),
        ("???", "Write a name with at least one letter or number in it."),
        ("to ASK again", "You have a list with this name already. Choose another name."),
        ("x" * 81, "Use 80 letters or fewer."),
    ],
)
def test_a_list_needs_a_name_of_its_own(
    client_as: ClientAs, world: World, name: str, sentence: str
) -> None:
    _list(world, world.rep, stand=["1"])
    reply = _save(client_as(world.rep), "stand=2", name=name)

    assert reply.status_code == 422
    assert sentence in _text(reply)
    assert len(_lists()) == 1


def test_two_people_may_use_the_same_name(client_as: ClientAs, world: World) -> None:
    _list(world, world.organiser, stand=["1"])
    assert _save(client_as(world.rep), "stand=1", name="To ask again").status_code == 303


def test_nobody_keeps_more_lists_than_can_be_used(
    client_as: ClientAs, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.features.lists.service.MOST_LISTS", 1)
    _list(world, world.rep, stand=["1"])
    reply = _save(client_as(world.rep), "stand=2")
    assert "You have 1 lists, and that is the most. Delete one first." in _text(reply)


# Sharing


def test_a_shared_list_shows_each_reader_their_own_people(
    client_as: ClientAs, world: World
) -> None:
    organiser = client_as(world.organiser)
    _save(organiser, "member=member", share=str(world.branch.public_id))
    one = _lists()[0].public_id

    assert _people(organiser.get(f"/people?list={one}")) == ["Ioana P", "Marta S"]
    rep = client_as(world.rep)
    assert _people(rep.get(f"/people?list={one}")) == ["Ioana P"]
    about = _text(rep.get(f"/lists/{one}"))
    assert "From Ana Organiser" in about
    assert "1 person As at" in about
    assert "Change it" not in about
    assert "To ask From Ana Organiser" in _text(rep.get("/lists"))
    boss = client_as(world.boss_of_all)
    assert _people(boss.get(f"/people?list={one}")) == ["Bilal H", "Ioana P", "Marta S"]


def test_nobody_else_opens_a_list_or_learns_that_there_is_one(
    client_as: ClientAs, world: World
) -> None:
    mine = _list(world, world.rep, stand=["1"])
    branch_only = _list(world, world.organiser, share_with=world.branch, stand=["1"])
    for reader, one in (
        (world.organiser, mine),
        (world.boss_of_all, mine),
        (world.dock_rep, branch_only),
    ):
        client = client_as(reader)
        for path in (f"/lists/{one}", f"/people?list={one}", f"/lists/new?list={one}"):
            assert client.get(path).status_code == 404, path
        assert str(one) not in client.get("/lists").text


def test_only_the_owner_changes_or_deletes_a_shared_list(client_as: ClientAs, world: World) -> None:
    one = _list(world, world.organiser, share_with=world.branch, stand=["1"])
    rep = client_as(world.rep)
    data = {"name": "Mine now", "share": "", "version": "1"}
    assert rep.post(f"/lists/{one}", data=data).status_code == 404
    assert rep.post(f"/lists/{one}/delete").status_code == 404
    assert rep.get(f"/lists/{one}/delete").status_code == 404
    assert _lists()[0].name == "To ask again"


def test_a_list_is_shared_only_where_the_owner_sees_people(
    client_as: ClientAs, world: World
) -> None:
    for place in (world.branch, world.depot, world.dock):
        reply = _save(client_as(world.rep), "stand=1", share=str(place.public_id))
        assert reply.status_code == 422
        assert "Choose one from the list." in _text(reply)
    assert _lists() == []


def test_the_owner_renames_shares_and_stops_sharing(client_as: ClientAs, world: World) -> None:
    one = _list(world, world.organiser, share_with=world.branch, stand=["1"])
    organiser, rep = client_as(world.organiser), client_as(world.rep)
    assert rep.get(f"/lists/{one}").status_code == 200
    data = {"name": "Leaders", "share": "", "version": "1"}
    assert organiser.post(f"/lists/{one}", data=data).status_code == 303
    assert rep.get(f"/lists/{one}").status_code == 404
    made = _lists()[0]
    assert (made.name, made.shared_with_id, made.version, made.filter) == (
        "Leaders",
        None,
        2,
        {"stand": ["1"]},
    )
    late = organiser.post(f"/lists/{one}", data=data | {"name": "Older page"})
    assert late.status_code == 409
    assert "You changed this list somewhere else meanwhile. It is now called: Leaders." in _text(
        late
    )
    assert 'value="Older page"' in late.text
    again = re.search(r'name="version"[^>]*value="(\d+)"', late.text)
    assert again
    data = {"name": "Older page", "share": "", "version": again[1]}
    assert organiser.post(f"/lists/{one}", data=data).status_code == 303
    assert _lists()[0].name == "Older page"


def test_deleting_a_list_leaves_its_people(client_as: ClientAs, world: World) -> None:
    one = _list(world, world.rep, member=["member"])
    rep = client_as(world.rep)
    assert "Nothing happens to the people on it." in _text(rep.get(f"/lists/{one}/delete"))
    assert rep.post(f"/lists/{one}/delete").status_code == 303
    assert _lists() == []
    assert _people(rep.get("/people?member=member")) == ["Ioana P"]


# What it may not tell


def test_a_shared_list_that_asks_for_a_tag_of_others_shows_nobody_and_no_name(
    client_as: ClientAs, world: World
) -> None:
    tag = _tag(world, world.other_branch, world.docker, world.ioana)
    everything: Any = Named(1, uuid.uuid4(), "Everything")
    one = _list(world, world.boss_of_all, share_with=everything, tag=[str(tag)])
    assert _people(client_as(world.boss_of_all).get(f"/people?list={one}")) == [
        "Bilal H",
        "Ioana P",
    ]
    rep = client_as(world.rep)
    for path in (f"/lists/{one}", f"/people?list={one}"):
        reply = rep.get(path)
        assert "Crane licence" not in reply.text
        assert _people(reply) == []
        assert "This list asks for something you may not see. It shows you nobody." in _text(reply)
        assert "Tag something you may not see" in _text(reply)
        assert "1 person" not in _text(reply)


def test_a_place_of_others_keeps_its_name(client_as: ClientAs, world: World) -> None:
    everything: Any = Named(1, uuid.uuid4(), "Everything")
    one = _list(world, world.boss_of_all, share_with=everything, place=[str(world.dock.public_id)])
    reply = client_as(world.rep).get(f"/lists/{one}")
    assert "The Dock" not in reply.text
    assert "Where something you may not see" in _text(reply)


def test_a_list_that_this_program_does_not_understand_shows_nobody(
    client_as: ClientAs, world: World
) -> None:
    one = _list(world, world.rep, member=["member"], of_a_later_program=["x"])
    reply = client_as(world.rep).get(f"/people?list={one}")
    assert _people(reply) == []
    about = client_as(world.rep).get(f"/lists/{one}")
    assert "It shows you nobody." in _text(about)


def test_the_lists_take_as_many_statements_for_thirty_as_for_one(
    client_as: ClientAs, world: World, count_statements: list[str]
) -> None:
    rep = client_as(world.rep)
    _list(world, world.rep, stand=["1"])
    rep.get("/lists")
    count_statements.clear()
    rep.get("/lists")
    few = len(count_statements)
    with unit_of_work(ALL) as session:
        for number in range(30):
            factories.make_saved_list(session, world.organiser, f"List {number}", stand=["1"])
            factories.make_saved_list(session, world.rep, f"Mine {number}", stand=["1"])
    count_statements.clear()
    rep.get("/lists")
    assert len(count_statements) == few
