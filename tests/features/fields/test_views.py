"""Tags and fields: who makes them, who sees them, and that renaming keeps what is written."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from crm.access.scope import Grant, Scope
from crm.domain.roles import Role
from crm.domain.vocabulary import Verb
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact
from crm.models.lists import (
    ContactAnswer,
    ContactTag,
    CustomField,
    FieldChoice,
    PlaceAnswer,
    PlaceTag,
    Tag,
)
from crm.models.places import Area, Workplace
from crm.reads.fields import extras_of_contact
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, Named, World

ClientAs = Callable[[Named], FlaskClient]

pytestmark = pytest.mark.usefixtures("fixed_clock")


@pytest.fixture
def made(world: World) -> dict[str, Any]:
    """Two tags and a field of each kind of Barnsley branch, and a tag of Hull branch."""
    branch: Any = world.branch
    with unit_of_work(ALL) as session:
        rows: dict[str, Any] = {
            "drives": factories.make_tag(session, branch, "Drives"),
            "polish": factories.make_tag(session, branch, "Speaks Polish"),
            "hull": factories.make_tag(session, world.other_branch, "Crane licence"),
            "bus": factories.make_field(session, branch, "Bus", choices=("47", "X10")),
        }
        for kind in ("number", "day", "yes_no", "text"):
            rows[kind] = factories.make_field(session, branch, f"Our {kind}", kind)
        for choice in session.scalars(ALL.select(FieldChoice)):
            rows[choice.name] = choice
        return {name: row.public_id for name, row in rows.items()}


def _text(reply: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", reply.text)))


def _mark(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="version"[^>]*value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def _key(public_id: Any) -> str:
    return f"f_{public_id.hex}"


def _path(one: Named) -> str:
    return f"/people/{one.public_id}/fields"


def _save(client: FlaskClient, path: str, **data: Any) -> Any:
    return client.post(path, data={"version": _mark(client, path), **data})


def _rows(model: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        key = model.__mapper__.primary_key[0]
        rows = session.scalars(ALL.select(model).order_by(key)).all()
        session.expunge_all()
        return list(rows)


def _sees(world: World, *grants: Grant) -> dict[str, Any]:
    """What a scope sees of Ioana: names of tags on, answers by the field's name."""
    scope = Scope(actor_id=world.rep.id, grants=grants)
    with unit_of_work(scope, read_only=True) as session:
        extras = extras_of_contact(session, scope, world.ioana.id)
    return {one.name: one.value for one in extras.fields} | {"on": {one.name for one in extras.on}}


# Who makes them


def test_an_organiser_of_the_branch_makes_a_tag_and_a_rep_there_puts_it_on(
    client_as: ClientAs, world: World
) -> None:
    organiser, rep = client_as(world.organiser), client_as(world.rep)
    data = {"name": "Drives", "subject": "contact", "place": str(world.branch.public_id)}
    assert organiser.post("/fields/tags/new", data=data).status_code == 303
    tag = _rows(Tag)[0]
    assert (tag.place_id, tag.name, tag.created_by_id) == (
        world.branch.id,
        "Drives",
        world.organiser.id,
    )
    assert _save(rep, _path(world.ioana), tags=[str(tag.public_id)]).status_code == 303
    assert "Drives" in _text(rep.get(f"/people/{world.ioana.public_id}"))
    use = _rows(ContactTag)[0]
    assert (use.contact_id, use.set_by_id, use.set_at) == (world.ioana.id, world.rep.id, NOW)


def test_a_placeholder_has_tags_too(
    client_as: ClientAs, world: World, made: dict[str, Any]
) -> None:
    rep = client_as(world.rep)
    assert _save(rep, _path(world.placeholder), tags=[str(made["drives"])]).status_code == 303
    assert _rows(ContactTag)[0].contact_id == world.placeholder.id


def test_a_rep_makes_none_and_a_holder_of_one_workplace_is_told_whom_to_ask(
    client_as: ClientAs, world: World
) -> None:
    assert client_as(world.rep).get("/fields").status_code == 403
    with unit_of_work(ALL) as session:
        site: Any = world.mill
        user = factories.make_user(session, "Site only", role=Role.ORGANISER, place=site)
        one = Named(user.id, user.public_id, user.name)
    client = client_as(one)
    assert "Ask an organiser or officer who looks after the whole branch." in _text(
        client.get("/fields")
    )
    assert client.get("/fields/tags/new").status_code == 404
    data = {"name": "Mine", "subject": "contact", "place": str(world.branch.public_id)}
    assert client.post("/fields/tags/new", data=data).status_code == 404
    assert _rows(Tag) == []


def test_a_tag_is_not_made_for_a_workplace_or_for_another_branch(
    client_as: ClientAs, world: World
) -> None:
    organiser = client_as(world.organiser)
    for place in (world.mill, world.dock, world.other_branch, world.union):
        data = {"name": "Planted", "subject": "contact", "place": str(place.public_id)}
        reply = organiser.post("/fields/tags/new", data=data)
        assert reply.status_code == 422
        assert "Choose one from the list." in _text(reply)
        at = organiser.get(f"/fields/tags/new?at={place.public_id}")
        assert at.status_code == 404
    assert _rows(Tag) == []


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Fill this in."),
        ("!!!", "Write a name with at least one letter or number in it."),
        (
            "drívés",
            (
                "There is one with this name already. Choose another name. "
                "If it is retired, bring it back."
            ),
        ),
        ("x" * 61, "Use 60 letters or fewer."),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_kept_in_the_box(
    client_as: ClientAs, world: World, made: dict[str, Any], typed: str, sentence: str
) -> None:
    data = {"name": typed, "subject": "contact", "place": str(world.branch.public_id)}
    before = len(_rows(Tag))
    reply = client_as(world.organiser).post("/fields/tags/new", data=data)
    assert reply.status_code == 422
    assert sentence in _text(reply)
    assert f'value="{typed}"' in reply.text
    assert len(_rows(Tag)) == before


def test_a_field_to_choose_from_needs_two_different_choices(
    client_as: ClientAs, world: World
) -> None:
    data = {
        "name": "Bus",
        "subject": "contact",
        "kind": "choice",
        "options": "47\n 47 \n",
        "place": str(world.branch.public_id),
    }
    organiser = client_as(world.organiser)
    reply = organiser.post("/fields/new", data=data)
    assert reply.status_code == 422
    assert "Write at least two choices, each on its own line." in _text(reply)
    assert _rows(CustomField) == []
    assert _rows(FieldChoice) == []
    assert organiser.post("/fields/new", data=data | {"options": "47\nX10"}).status_code == 303
    assert [one.name for one in _rows(FieldChoice)] == ["47", "X10"]


# What they say


def test_answers_of_every_kind_are_kept_and_shown(
    client_as: ClientAs, world: World, made: dict[str, Any]
) -> None:
    rep = client_as(world.rep)
    data = {
        _key(made["bus"]): str(made["X10"]),
        _key(made["number"]): "1,204.5",
        _key(made["day"]): "2026-05-14",
        _key(made["yes_no"]): "no",
        _key(made["text"]): "after nights",
    }
    assert _save(rep, _path(world.ioana), **data).status_code == 303
    page = _text(rep.get(f"/people/{world.ioana.public_id}"))
    for words in ("Bus X10", "1204.5", "14 May 2026", "Our yes_no No", "after nights"):
        assert words in page
    form = rep.get(_path(world.ioana)).text
    for value in ("1204.5", "2026-05-14", "after nights"):
        assert f'value="{value}"' in form


def test_an_answer_taken_out_is_not_known_again_and_leaves_no_row(
    client_as: ClientAs, world: World, made: dict[str, Any]
) -> None:
    rep = client_as(world.rep)
    key = _key(made["yes_no"])
    assert _rows(ContactAnswer) == []
    assert _save(rep, _path(world.ioana), **{key: "no"}).status_code == 303
    assert [one.flag_value for one in _rows(ContactAnswer)] == [False]
    assert _save(rep, _path(world.ioana), **{key: ""}).status_code == 303
    assert _rows(ContactAnswer) == []
    assert "Our yes_no not known" in _text(rep.get(f"/people/{world.ioana.public_id}"))


@pytest.mark.parametrize(
    ("kind", "typed", "sentence"),
    [
        ("number", "twelve", "Enter a number like 12 or 12.5."),
        ("day", "31/02/2026", "Enter a date like 14/05/2026, or pick one."),
        ("bus", "bike", "Choose one from the list."),
        ("yes_no", "maybe", "Choose one from the list."),
        ("text", "x" * 301, "Use 300 letters or fewer."),
    ],
)
def test_an_answer_of_another_kind_is_refused_and_nothing_is_half_saved(
    client_as: ClientAs,
    world: World,
    made: dict[str, Any],
    kind: str,
    typed: str,
    sentence: str,
) -> None:
    rep = client_as(world.rep)
    data = {_key(made[kind]): typed, "tags": [str(made["drives"])]}
    if kind != "text":
        data[_key(made["text"])] = "kept in the box"
    reply = _save(rep, _path(world.ioana), **data)
    assert reply.status_code == 422
    assert sentence in _text(reply)
    assert kind == "text" or 'value="kept in the box"' in reply.text
    assert _rows(ContactAnswer) == []
    assert _rows(ContactTag) == []


def test_a_workplace_has_tags_and_fields_of_its_own(client_as: ClientAs, world: World) -> None:
    branch: Any = world.branch
    with unit_of_work(ALL) as session:
        tag = factories.make_tag(session, branch, "Ballot site", "workplace").public_id
        field = factories.make_field(
            session, branch, "Gates", "number", subject="workplace"
        ).public_id
    organiser = client_as(world.organiser)
    path = f"/places/{world.mill.public_id}/fields"
    assert _save(organiser, path, tags=[str(tag)], **{_key(field): "3"}).status_code == 303
    assert [one.place_id for one in _rows(PlaceTag)] == [world.mill.id]
    assert [one.number_value for one in _rows(PlaceAnswer)] == [3.0]
    assert "Ballot site" in _text(organiser.get(f"/places/{world.mill.public_id}"))
    assert "Ballot site" not in _text(client_as(world.rep).get(_path(world.ioana)))
    assert client_as(world.rep).get(path).status_code == 403


def test_whoever_holds_a_part_of_a_workplace_is_not_told_not_known(
    client_as: ClientAs, world: World
) -> None:
    branch: Any = world.branch
    with unit_of_work(ALL) as session:
        factories.make_field(session, branch, "Gates", "number", subject="workplace")
        area = session.scalars(ALL.select(Area).where(Area.id == world.packing.id)).one()
        user = factories.make_user(session, "Packing rep", role=Role.REP, place=area)
        one = Named(user.id, user.public_id, user.name)
    path = f"/places/{world.mill.public_id}"
    assert "Gates not known" in _text(client_as(world.rep).get(path))
    assert "Gates" not in _text(client_as(one).get(path))


# Renaming and retiring


def test_renaming_a_tag_a_field_and_a_choice_keeps_what_is_written(
    client_as: ClientAs, world: World, made: dict[str, Any]
) -> None:
    rep, organiser = client_as(world.rep), client_as(world.organiser)
    data = {"tags": [str(made["drives"])], _key(made["bus"]): str(made["47"])}
    assert _save(rep, _path(world.ioana), **data).status_code == 303
    for path, name in (
        (f"/fields/tags/{made['drives']}", "Has a car"),
        (f"/fields/{made['bus']}", "Way to work"),
        (f"/fields/choices/{made['47']}", "Bus 47"),
    ):
        assert _save(organiser, path, name=name).status_code == 303
    page = _text(rep.get(f"/people/{world.ioana.public_id}"))
    assert "Has a car" in page
    assert "Way to work Bus 47" in page
    assert len(_rows(ContactTag)) == len(_rows(ContactAnswer)) == 1


def test_what_is_retired_stays_with_whoever_has_it_and_is_offered_to_nobody_else(
    client_as: ClientAs, world: World, made: dict[str, Any]
) -> None:
    rep, organiser = client_as(world.rep), client_as(world.organiser)
    data = {"tags": [str(made["drives"])], _key(made["number"]): "4"}
    assert _save(rep, _path(world.ioana), **data).status_code == 303
    for path in (f"/fields/tags/{made['drives']}", f"/fields/{made['number']}"):
        assert organiser.post(f"{path}/retire", data={"retired": "yes"}).status_code == 303
    assert "Drives" in _text(rep.get(f"/people/{world.ioana.public_id}"))
    other = _text(rep.get(_path(world.tomasz)))
    assert "Drives" not in other
    assert "Our number" not in other
    assert (
        organiser.post(f"/fields/tags/{made['drives']}/retire", data={"retired": "no"}).status_code
        == 303
    )
    assert "Drives" in _text(rep.get(_path(world.tomasz)))


def test_a_field_keeps_two_choices(client_as: ClientAs, world: World, made: dict[str, Any]) -> None:
    organiser = client_as(world.organiser)
    reply = organiser.post(f"/fields/choices/{made['47']}/retire", data={"retired": "yes"})
    assert reply.status_code == 422
    assert "A field needs at least two choices. Retire the field, or add a choice first." in _text(
        reply
    )
    more = organiser.post(f"/fields/{made['bus']}/choices", data={"name": "Train"})
    assert more.status_code == 303
    again = organiser.post(f"/fields/{made['bus']}/choices", data={"name": "train"})
    assert again.status_code == 422
    retired = organiser.post(f"/fields/choices/{made['47']}/retire", data={"retired": "yes"})
    assert retired.status_code == 303
    assert "47" not in _text(client_as(world.rep).get(_path(world.ioana)))


def test_two_who_rename_the_same_tag_both_see_what_the_other_wrote(
    client_as: ClientAs, world: World, made: dict[str, Any]
) -> None:
    organiser, officer = client_as(world.organiser), client_as(world.officer)
    path = f"/fields/tags/{made['drives']}"
    old = _mark(organiser, path)
    assert _save(officer, path, name="Has a car").status_code == 303
    reply = organiser.post(path, data={"version": old, "name": "Driver"})
    assert reply.status_code == 409
    assert "Saved by somebody else: Has a car" in _text(reply)
    assert 'value="Driver"' in reply.text
    found = re.search(r'name="version"[^>]*value="([^"]+)"', reply.text)
    assert found
    assert organiser.post(path, data={"version": found[1], "name": "Driver"}).status_code == 303


# Two at once


def test_two_who_change_the_same_person_see_both_versions_and_lose_nothing(
    client_as: ClientAs, world: World, made: dict[str, Any]
) -> None:
    rep, organiser = client_as(world.rep), client_as(world.organiser)
    path = _path(world.ioana)
    old = _mark(rep, path)
    key = _key(made["bus"])
    assert _save(organiser, path, **{key: str(made["47"])}).status_code == 303
    data = {key: str(made["X10"]), "tags": [str(made["polish"])]}
    reply = rep.post(path, data={"version": old, **data})
    assert reply.status_code == 409
    page = _text(reply)
    assert "Bus 47 X10" in page
    assert "Tags none Speaks Polish" in page
    assert _rows(ContactTag) == []
    found = re.search(r'name="version"[^>]*value="([^"]+)"', reply.text)
    assert found
    assert rep.post(path, data={"version": found[1], **data}).status_code == 303
    assert [one.set_by_id for one in _rows(ContactAnswer)] == [world.rep.id]


# Who sees them


def test_tags_of_another_branch_are_neither_offered_nor_taken(
    client_as: ClientAs, world: World, made: dict[str, Any]
) -> None:
    rep = client_as(world.rep)
    assert "Crane licence" not in _text(rep.get(_path(world.ioana)))
    assert _save(rep, _path(world.ioana), tags=[str(made["hull"])]).status_code == 404
    assert _rows(ContactTag) == []
    assert rep.get(_path(world.docker)).status_code == 404
    organiser = client_as(world.organiser)
    assert organiser.get(f"/fields/tags/{made['hull']}").status_code == 404
    assert "Crane licence" not in _text(organiser.get("/fields"))


@pytest.fixture
def shared(world: World, made: dict[str, Any]) -> None:
    """Ioana has a job at the Dock too, and Barnsley branch has written things about her."""
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        dock = session.scalars(ALL.select(Workplace).where(Workplace.id == world.dock.id)).one()
        factories.make_job(session, contact, dock)
        ids = dict(session.execute(ALL.select(Tag.public_id, Tag.id)).all())
        field = session.execute(
            ALL.select(CustomField.id).where(CustomField.public_id == made["text"])
        ).scalar_one()
        by = {"contact_id": contact.id, "set_at": NOW}
        session.add(ContactTag(tag_id=ids[made["drives"]], **by))
        session.add(ContactTag(tag_id=ids[made["hull"]], **by))
        session.add(ContactAnswer(field_id=field, text_value="only for Barnsley", **by))


def test_two_branches_that_share_a_person_see_each_their_own_tags_and_answers(
    world: World, shared: None
) -> None:
    mill = _sees(world, Grant(Role.REP, world.mill.id))
    assert mill["on"] == {"Drives"}
    assert mill["Our text"] == "only for Barnsley"
    dock = _sees(world, Grant(Role.ORGANISER, world.dock.id))
    assert dock == {"on": {"Crane licence"}}
    assert _sees(world, Grant(Role.ORGANISER, 1, covers_everything=True))["on"] == {
        "Drives",
        "Crane licence",
    }


@pytest.mark.parametrize(("at", "seen"), [("dock", False), ("mill", True)])
def test_the_trail_tells_of_an_answer_only_where_its_field_is_in_use(
    world: World, shared: None, at: str, seen: bool
) -> None:
    scope = Scope(world.officer.id, (Grant(Role.BRANCH_OFFICER, getattr(world, at).id),))
    with unit_of_work(scope, read_only=True) as session:
        rows = session.execute(
            scope.select(AuditEntry.subject, AuditEntry.new).where(
                AuditEntry.contact_id == world.ioana.id
            )
        ).all()
    told = [row for row in rows if "only for Barnsley" in str(row.new)]
    assert bool(told) is seen
    assert rows


def test_every_change_leaves_its_audit_row_and_a_look_at_the_form_too(
    client_as: ClientAs, world: World, made: dict[str, Any]
) -> None:
    rep = client_as(world.rep)
    key = _key(made["number"])
    for value in ("4", "5", ""):
        assert _save(rep, _path(world.ioana), **{key: value}).status_code == 303
    with unit_of_work(ALL, read_only=True) as session:
        entries = session.execute(
            ALL.select(AuditEntry)
            .where(AuditEntry.contact_id == world.ioana.id, AuditEntry.actor_id == world.rep.id)
            .order_by(AuditEntry.id)
        ).scalars()
        verbs = [(one.verb, one.subject) for one in entries]
        changed = session.execute(
            ALL.select(AuditEntry.old, AuditEntry.new).where(
                AuditEntry.subject == "contact_answer", AuditEntry.verb == Verb.UPDATE
            )
        ).one()
    assert [verb for verb, subject in verbs if subject == "contact_answer"] == [
        Verb.CREATE,
        Verb.UPDATE,
        Verb.DELETE,
    ]
    assert verbs.count((Verb.VIEW, "contact")) == 3
    assert (changed.old["number_value"], changed.new["number_value"]) == (4.0, 5.0)


def test_the_form_takes_no_more_statements_for_twenty_fields_than_for_six(
    client_as: ClientAs, world: World, made: dict[str, Any], count_statements: list[str]
) -> None:
    rep = client_as(world.rep)
    count_statements.clear()
    rep.get(_path(world.ioana))
    few = len(count_statements)
    branch: Any = world.branch
    with unit_of_work(ALL) as session:
        for number in range(14):
            factories.make_field(session, branch, f"Field {number}", choices=("a", "b"))
    count_statements.clear()
    assert "Field 13" in rep.get(_path(world.ioana)).text
    assert len(count_statements) <= few


def test_exactly_one_answer_is_in_a_row(world: World, made: dict[str, Any]) -> None:
    field = _rows(CustomField)[0]
    values = {"field_id": field.id, "contact_id": world.ioana.id, "set_at": NOW}
    for wrong in ({}, {"text_value": "a", "number_value": 1.0}):
        with pytest.raises(sa.exc.IntegrityError), unit_of_work(ALL) as session:
            session.add(ContactAnswer(**values, **wrong))
