"""The wall with columns by a tag or field: everybody once, and not known is no "no"."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.access.scope import Grant, Scope
from crm.domain.roles import Role
from crm.features.wallchart import queries
from crm.features.wallchart.queries import GroupBy, Wall
from crm.models.lists import ContactAnswer, ContactTag, FieldChoice
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

ClientAs = Callable[[Named], FlaskClient]

pytestmark = pytest.mark.usefixtures("fixed_clock")


@pytest.fixture
def own(world: World) -> dict[str, uuid.UUID]:
    """A tag on Ioana, her bus, and a no from Tomasz; a tag of Hull branch on both."""
    with unit_of_work(ALL) as session:
        branch: Any = world.branch
        hull: Any = world.other_branch
        drives = factories.make_tag(session, branch, "Drives")
        crane = factories.make_tag(session, hull, "Crane licence")
        bus = factories.make_field(session, branch, "Bus", choices=("47", "X10"))
        speaks = factories.make_field(session, branch, "Speaks up", "yes_no")
        factories.make_field(session, branch, "Children", "number")
        first = session.scalars(ALL.select(FieldChoice).order_by(FieldChoice.id)).first()
        assert first is not None
        by = {"set_at": NOW, "set_by_id": None}
        session.add_all(
            [
                ContactTag(tag_id=drives.id, contact_id=world.ioana.id, **by),
                ContactTag(tag_id=crane.id, contact_id=world.tomasz.id, **by),
                ContactAnswer(field_id=bus.id, choice_id=first.id, contact_id=world.ioana.id, **by),
                ContactAnswer(
                    field_id=speaks.id, flag_value=False, contact_id=world.tomasz.id, **by
                ),
            ]
        )
        found: dict[str, Any] = {"drives": drives, "crane": crane, "bus": bus, "speaks": speaks}
        return {name: row.public_id for name, row in found.items()}


def _wall(world: World, own: uuid.UUID) -> Wall:
    scope = Scope(actor_id=world.rep.id, grants=(Grant(Role.REP, world.mill.id),))
    with unit_of_work(scope, read_only=True) as session:
        return queries.get_wall(
            session, scope, world.mill.public_id, as_at=TODAY, by=GroupBy.OWN, own=own
        )


def _text(reply: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", reply.text)))


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("drives", {"yes": ["Ioana P"], "unknown": 3}),
        ("bus", {"47": ["Ioana P"], "unknown": 3}),
        ("speaks", {"no": ["Tomasz K"], "unknown": 3}),
    ],
)
def test_everybody_is_in_one_column_and_who_has_no_answer_in_the_last(
    world: World, own: dict[str, uuid.UUID], name: str, columns: dict[str, Any]
) -> None:
    wall = _wall(world, own[name])
    everybody = [person.key for group in wall.groups for person in group.people]
    assert sorted(everybody) == sorted(person.key for person in wall.people)
    *answered, rest = wall.groups
    assert {
        group.key if group.key in {"yes", "no"} else group.label: [
            person.name for person in group.people
        ]
        for group in answered
    } == {key: names for key, names in columns.items() if key != "unknown"}
    assert (rest.key, len(rest.people)) == (queries.NOT_KNOWN_KEY, columns["unknown"])


def test_the_page_offers_a_tab_for_each_and_names_its_columns(
    client_as: ClientAs, world: World, own: dict[str, uuid.UUID]
) -> None:
    rep = client_as(world.rep)
    here = f"/places/{world.mill.public_id}/wall"
    page = rep.get(here)
    tabs = re.findall(r'\?by=own&amp;own=([0-9a-f-]+)">([^<]+)', page.text)
    assert tabs == [
        (str(own["drives"]), "Drives"),
        (str(own["bus"]), "Bus"),
        (str(own["speaks"]), "Speaks up"),
    ]
    by_tag = rep.get(f"{here}?by=own&own={own['drives']}")
    assert "Without this tag" in _text(by_tag)
    assert f'name="own" value="{own["drives"]}"' in by_tag.text
    by_field = _text(rep.get(f"{here}?by=own&own={own['speaks']}"))
    assert "Not known" in by_field
    table = rep.get(f"{here}?by=own&own={own['bus']}&view=table")
    assert "47" in _text(table)
    for view in ("meeting", "print"):
        assert rep.get(f"{here}?by=own&own={own['bus']}&view={view}").status_code == 200


def test_a_tag_of_others_or_none_gives_the_areas_and_no_name(
    client_as: ClientAs, world: World, own: dict[str, uuid.UUID]
) -> None:
    rep = client_as(world.rep)
    here = f"/places/{world.mill.public_id}/wall"
    plain = _text(rep.get(here))
    for one in (own["crane"], uuid.uuid4(), "x", ""):
        reply = rep.get(f"{here}?by=own&own={one}")
        assert reply.status_code == 200
        assert "Crane licence" not in reply.text
        assert _text(reply) == plain


def _names_shown(page: Any) -> list[str]:
    return sorted(re.findall(r"name=p value=[0-9a-f]+>([^<]+)<", page.text))


@pytest.mark.parametrize("by", ["", "by=leader&"])
def test_people_are_chosen_by_a_tag_they_have_or_do_not_have(
    client_as: ClientAs, world: World, own: dict[str, uuid.UUID], by: str
) -> None:
    rep = client_as(world.rep)
    here = f"/places/{world.mill.public_id}/wall?{by}among="
    with_it = rep.get(f"{here}t{own['drives'].hex}")
    assert _names_shown(with_it) == ["Ioana P"]
    assert "1 of 4 people shown. The figures still count everybody." in _text(with_it)
    assert "With: Drives Without: Drives" in _text(with_it)
    assert f'<option selected value="t{own["drives"].hex}">' in with_it.text
    without = rep.get(f"{here}n{own['drives'].hex}")
    assert _names_shown(without) == ["Night packer 3", "Rukhsana A", "Tomasz K"]
    # The other views and columns keep the choice.
    assert f"among=n{own['drives'].hex}&amp;view=table" in without.text
    table = rep.get(f"{here}n{own['drives'].hex}&view=table")
    assert "Ioana P" not in table.text
    assert "Tomasz K" in table.text
    # A tag of another branch, and what is no choice, choose nobody out and tell nothing.
    for wrong in (f"t{own['crane'].hex}", f"t{own['bus'].hex}", "t", "x", f"l{uuid.uuid4().hex}"):
        page = rep.get(here + wrong)
        assert len(_names_shown(page)) == 4
        assert "Crane" not in page.text


def test_people_are_chosen_by_a_saved_list_of_the_reader(
    client_as: ClientAs, world: World, own: dict[str, uuid.UUID]
) -> None:
    with unit_of_work(ALL) as session:
        by_text = factories.make_saved_list(session, world.rep, "Tomaszes", q=["tomasz"])
        tagged = factories.make_saved_list(session, world.rep, "Drivers", tag=[str(own["drives"])])
        others = factories.make_saved_list(session, world.dock_rep, "Not yours")
        ids = [one.public_id.hex for one in (by_text, tagged, others)]
    rep = client_as(world.rep)
    here = f"/places/{world.mill.public_id}/wall?among=l"
    found = [_names_shown(rep.get(here + one)) for one in ids]
    assert found[:2] == [["Tomasz K"], ["Ioana P"]]
    assert len(found[2]) == 4
    page = rep.get(here + ids[0])
    assert "On the list: Drivers" in _text(page)
    assert "Not yours" not in page.text
    assert "0 of 2 people shown." in _text(page)
