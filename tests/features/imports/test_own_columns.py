"""Tags and the fields of a branch as columns of a list of people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.models.contacts import Contact
from crm.models.lists import ContactAnswer, ContactTag, FieldChoice, Tag
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, Named, World
from tests.features.imports import wizard
from tests.features.imports.test_round_trip import _taken_out
from tests.features.imports.wizard import as_csv

Clients = Callable[[Named], FlaskClient]

HEAD = ["Name", "Site", "Tags", "Bus", "Hours", "First aider", "Trained on", "Skill"]


@pytest.fixture
def fields(world: World) -> dict[str, int]:
    """Two tags and a field of each kind of the branch; a tag and a field of the other branch."""
    with unit_of_work(ALL) as session:
        made = {
            "Drives": factories.make_tag(session, world.branch),
            "Night shift": factories.make_tag(session, world.branch, "Night shift"),
            "Bus": factories.make_field(session, world.branch, choices=("Red line", "Blue line")),
            "Hours": factories.make_field(session, world.branch, "Hours", "number"),
            "First aider": factories.make_field(session, world.branch, "First aider", "yes_no"),
            "Trained on": factories.make_field(session, world.branch, "Trained on", "day"),
            "Skill": factories.make_field(session, world.branch, "Skill", "text"),
            "Crane": factories.make_field(session, world.other_branch, "Crane", "text"),
            "Docker": factories.make_tag(session, world.other_branch, "Docker"),
        }
        return {name: one.id for name, one in made.items()}


def _said(name: str) -> tuple[list[str], dict[int, Any]]:
    """The tags and answers of somebody; a choice by its name."""
    with unit_of_work(ALL, read_only=True) as session:
        person = session.scalars(ALL.select(Contact.id).where(Contact.known_as == name)).one()
        tags = session.scalars(
            ALL.select(Tag.name)
            .join(ContactTag, ContactTag.tag_id == Tag.id)
            .where(ContactTag.contact_id == person)
        ).all()
        answers = session.execute(
            ALL.select(ContactAnswer, FieldChoice.name)
            .outerjoin(FieldChoice, FieldChoice.id == ContactAnswer.choice_id)
            .where(ContactAnswer.contact_id == person)
        ).all()
        return sorted(tags), {
            row.field_id: choice
            or next(
                value
                for value in (row.text_value, row.number_value, row.day_value, row.flag_value)
                if value is not None
            )
            for row, choice in answers
        }


def test_tags_and_fields_come_in_and_go_again(
    app: Flask, client_as: Clients, world: World, fields: dict[str, int], fixed_clock: None
) -> None:
    client = client_as(world.boss_of_all)
    day = NOW - timedelta(days=400)
    with unit_of_work(ALL) as session:
        person: Any = session.get_one(
            Contact, world.tomasz.id, execution_options={"crm_scope": True}
        )
        session.add(
            ContactAnswer(
                contact_id=person.id, field_id=fields["Hours"], number_value=20, set_at=day
            )
        )
        session.add(ContactTag(contact_id=person.id, tag_id=fields["Drives"], set_at=day))
    rows = [
        HEAD,
        ["Aneta Nowak", "The Mill", "drives; Night Shift", "red LINE", "37.5", "N", "", "=1+1"],
        ["Tomasz K", "The Mill", "Night shift,", "", "12", "", "14/05/2026", ""],
        ["Carys Pugh", "The Mill", "Docker", "", "", "", "", ""],
        ["Dawit Abebe", "The Mill", "", "Green line", "", "", "", ""],
        ["Emrys Cole", "The Mill", "", "", "many", "", "", ""],
    ]
    path = wizard.to_check(client, as_csv(rows), as_at="2026-11-01")
    page = client.get(f"{path}/check").text
    found = wizard.counts(client, f"{path}/check")
    assert (found["New"], found["Changed"], found["Has a problem"]) == (1, 1, 3)
    # A tag of another branch, and one that nobody has, are told by the same words.
    assert "The people of this workplace have no such tag." in page
    assert "Choose one from the list." in page
    assert "Enter a number like 12 or 12.5." in page
    before = _said("Tomasz K")
    wizard.start(app, client, path, looked="y")
    tags, answers = _said("Aneta Nowak")
    assert tags == ["Drives", "Night shift"]
    assert answers == {
        fields["Bus"]: "Red line",
        fields["Hours"]: 37.5,
        fields["First aider"]: False,
        fields["Skill"]: "=1+1",
    }
    tags, answers = _said("Tomasz K")
    assert tags == ["Drives", "Night shift"]
    assert {key: str(one) for key, one in answers.items()} == {
        fields["Hours"]: "12.0",
        fields["Trained on"]: "2026-05-14",
    }
    again = wizard.to_check(client, as_csv(rows[:3]), as_at="2026-11-01")
    assert wizard.figures(wizard.counts(client, f"{again}/check")) == (0, 0, 2)
    wizard.undo(app, client, path)
    assert _said("Tomasz K") == before == (["Drives"], {fields["Hours"]: 20})
    with unit_of_work(ALL, read_only=True) as session:
        names = session.scalars(ALL.select(Contact.known_as)).all()
        assert "Aneta Nowak" not in names
        old = session.scalars(ALL.select(ContactAnswer.set_at)).all()
    assert [one.date() for one in old] == [day.date()]


def test_an_answer_that_is_newer_than_the_list_stays(
    app: Flask, client_as: Clients, world: World, fields: dict[str, int], fixed_clock: None
) -> None:
    client = client_as(world.boss_of_all)
    with unit_of_work(ALL) as session:
        session.add(
            ContactAnswer(
                contact_id=world.tomasz.id, field_id=fields["Hours"], number_value=20, set_at=NOW
            )
        )
    rows = [["Name", "Site", "Hours"], ["Tomasz K", "The Mill", "12"]]
    path = wizard.to_check(client, as_csv(rows), as_at="2020-11-01")
    assert wizard.counts(client, f"{path}/check").get("Changed", 0) == 0


def test_a_column_to_a_field_that_is_not_there_is_refused(
    client_as: Clients, world: World, fields: dict[str, int], fixed_clock: None
) -> None:
    client = client_as(world.organiser)
    # The other branch's field is as unknown to this organiser as one that nobody made.
    for heading in ("Crane", "Nothing at all"):
        sent = wizard.upload(
            client, as_csv([["Name", "Site", heading], ["Aneta", "The Mill", "x"]])
        )
        data = wizard.form_of(client, sent.location, "matching")
        assert data["to2"] == "leave_out"
        refused = client.post(
            sent.location, data={**data, "as_at": "2026-11-01", "to2": "own_field"}
        )
        assert refused.status_code == 422
        assert "no field has its name" in refused.text


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_our_own_file_with_tags_and_fields_comes_back_unchanged(
    client_as: Clients, world: World, fields: dict[str, int], fixed_clock: None, kind: str
) -> None:
    client = client_as(world.officer)
    with unit_of_work(ALL) as session:
        ioana = world.ioana.id
        for tag in ("Drives", "Night shift"):
            session.add(ContactTag(contact_id=ioana, tag_id=fields[tag], set_at=NOW))
        choice = session.scalars(
            ALL.select(FieldChoice.id).where(FieldChoice.field_id == fields["Bus"])
        ).first()
        for name, values in {
            "Bus": {"choice_id": choice},
            "Hours": {"number_value": 37.5},
            "First aider": {"flag_value": True},
            "Trained on": {"day_value": NOW.date()},
            "Skill": {"text_value": "=1+1, or more; perhaps"},
        }.items():
            session.add(
                ContactAnswer(contact_id=ioana, field_id=fields[name], set_at=NOW, **values)
            )
    path = wizard.to_check(client, _taken_out(client, kind))
    found = wizard.counts(client, f"{path}/check")
    assert (found["New"], found["Changed"], found.get("Has a problem", 0)) == (0, 0, 0)
    targets = wizard.form_of(client, f"{path}/match", "matching")
    assert list(targets.values()).count("own_field") == 5
