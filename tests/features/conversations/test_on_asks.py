"""Where people stand on one ask: in a talk and without one, kept apart from how they stand."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.domain.assessment import Basis
from crm.models.contacts import FieldBasis, StateSpan
from crm.models.conversations import Assessment
from crm.web.db import unit_of_work
from tests.factories import ALL, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]

_TALK = "5f0f9f5e-8e2c-4e0f-9d0b-2b1f5a3c7d11"
_BOTH = "Choose both the ask and where they stand on it."


def _judged(person: Named) -> list[tuple[str | None, int, Basis]]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(
            ALL.select(Assessment)
            .where(Assessment.contact_id == person.id, Assessment.superseded_at.is_(None))
            .order_by(Assessment.id)
        )
        return [(row.ask, row.rating, row.basis) for row in rows]


def _score(person: Named) -> int | None:
    with unit_of_work(ALL, read_only=True) as session:
        return session.scalars(
            ALL.select(StateSpan.score)
            .where(StateSpan.contact_id == person.id)
            .order_by(StateSpan.from_day.desc())
        ).first()


def _stand(client: FlaskClient, person: Named, **more: Any) -> Any:
    data = {"id": str(uuid.uuid4()), "rating": "2", "basis": "told", **more}
    return client.post(f"/people/{person.public_id}/stands", data=data)


def _log(client: FlaskClient, person: Named, **more: Any) -> Any:
    return client.post(f"/log/{person.public_id}", data={"id": _TALK, **more})


def test_a_talk_keeps_how_they_stand_on_an_ask_beside_how_they_stand(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    reply = _log(rep, world.rukhsana, rating="3", basis="said", about="strike", about_rating="1")
    assert reply.status_code == 303
    assert _judged(world.rukhsana) == [(None, 3, Basis.SAID), ("strike", 1, Basis.SAID)]
    assert _score(world.rukhsana) == 3
    talk = rep.get(f"/talks/{_TALK}").text
    assert "On “Go on strike”" in talk
    person = rep.get(f"/people/{world.rukhsana.public_id}").text
    assert "<h3>On “Go on strike”</h3>" in person
    assert re.search(r"On “Go on strike”</h3>\s*<p>.*?Leads", person, re.S)


@pytest.mark.parametrize("typed", [{"about": "strike"}, {"about_rating": "1"}])
def test_an_ask_and_its_number_go_together(
    world: World, client_as: SignIn, typed: dict[str, str]
) -> None:
    reply = _log(client_as(world.rep), world.rukhsana, **typed)
    assert reply.status_code == 422
    assert _BOTH in reply.text
    assert _judged(world.rukhsana) == []


def test_how_they_stood_on_an_ask_can_be_put_right_and_taken_away(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    _log(rep, world.rukhsana, about="strike", about_rating="1")
    fields = {"version": "1", "day": TODAY.isoformat(), "about": "strike", "about_rating": "4"}
    assert rep.post(f"/talks/{_TALK}/correct", data=fields).status_code == 303
    assert _judged(world.rukhsana) == [("strike", 4, Basis.SAID)]
    fields = {"version": "2", "day": (TODAY - timedelta(days=1)).isoformat()}
    assert rep.post(f"/talks/{_TALK}/correct", data=fields).status_code == 303
    assert _judged(world.rukhsana) == []
    assert _score(world.rukhsana) is None


def test_without_a_talk_a_judgement_says_how_we_know_and_about_what(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    page = rep.get(f"/people/{world.rukhsana.public_id}").text
    assert f'href="/people/{world.rukhsana.public_id}/stands"' in page
    assert _stand(rep, world.rukhsana, about="vote").status_code == 303
    assert _judged(world.rukhsana) == [("vote", 2, Basis.TOLD)]
    assert _score(world.rukhsana) is None
    assert _stand(rep, world.rukhsana, rating="4", basis="inferred").status_code == 303
    assert _score(world.rukhsana) == 4
    page = rep.get(f"/people/{world.rukhsana.public_id}").text
    assert "On “Vote”" in page
    assert "Someone told us" in page


def test_the_same_form_sent_twice_is_one_judgement(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    key = str(uuid.uuid4())
    for _time in range(2):
        assert _stand(rep, world.rukhsana, id=key).status_code == 303
    assert len(_judged(world.rukhsana)) == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"rating": ""}, "Choose one of the answers shown."),
        ({"basis": "hearsay"}, "Choose one of the answers shown."),
        ({"about": "nothing"}, "Choose one of the answers shown."),
        ({"day": "2026-11-24"}, "This day has not come yet. Choose today or a day before."),
        ({"place": str(uuid.uuid4())}, "Choose one of the places where they work."),
    ],
)
def test_a_judgement_that_cannot_be_is_refused(
    world: World, client_as: SignIn, typed: dict[str, str], sentence: str
) -> None:
    reply = _stand(client_as(world.rep), world.rukhsana, **typed)
    assert reply.status_code == 422
    assert sentence in reply.text
    assert _judged(world.rukhsana) == []


def test_somebody_nobody_spoke_to_is_not_judged_without_a_ground(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    reply = _stand(rep, world.placeholder)
    assert reply.status_code == 422
    assert (
        "Nobody has talked to this person yet. First write down why we may keep where they stand, "
        "or log a talk." in reply.text
    )
    with unit_of_work(ALL) as session:
        session.add(
            FieldBasis(
                contact_id=world.placeholder.id,
                field_group="views",
                basis="legitimate_interest",
                given_on=TODAY,
                recorded_at=NOW,
            )
        )
    assert _stand(rep, world.placeholder).status_code == 303
    assert len(_judged(world.placeholder)) == 1


def test_an_outsider_judges_nobody(world: World, client_as: SignIn) -> None:
    dock = client_as(world.dock_rep)
    assert dock.get(f"/people/{world.ioana.public_id}/stands").status_code == 404
    assert _stand(dock, world.ioana).status_code == 404
    assert client_as(world.admin).get(f"/people/{world.ioana.public_id}/stands").status_code == 403


def test_two_of_us_apart_on_an_ask_stand_side_by_side(world: World, client_as: SignIn) -> None:
    _stand(client_as(world.rep), world.rukhsana, about="strike", rating="1")
    organiser = client_as(world.organiser)
    _stand(organiser, world.rukhsana, about="strike", rating="4")
    page = organiser.get(f"/people/{world.rukhsana.public_id}").text
    assert page.count("Two of us see this differently. Talk it over.") == 1
    # The wall is about how people stand in general.
    wall = organiser.get(f"/places/{world.mill.public_id}/wall").text
    assert "two of us see it differently, " not in wall
