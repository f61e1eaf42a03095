"""Looking at one talk, and putting right where somebody stood in it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from crm.domain.assessment import Basis
from crm.domain.vocabulary import Verb
from crm.models.audit import AuditEntry
from crm.models.contacts import StateSpan
from crm.models.conversations import Assessment
from crm.web.db import unit_of_work
from tests.factories import ALL, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]

_TALK = "5f0f9f5e-8e2c-4e0f-9d0b-2b1f5a3c7d11"
_PAGE = f"/talks/{_TALK}"
_CORRECT = f"/talks/{_TALK}/standing"


def _ratings(world: World) -> list[tuple[int, bool]]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(
            ALL.select(Assessment)
            .where(Assessment.contact_id == world.rukhsana.id)
            .order_by(Assessment.id)
        )
        return [(row.rating, row.superseded_at is None) for row in rows]


def _score(world: World) -> int | None:
    with unit_of_work(ALL, read_only=True) as session:
        return session.scalars(
            ALL.select(StateSpan.score)
            .where(StateSpan.contact_id == world.rukhsana.id)
            .order_by(StateSpan.from_day.desc())
        ).first()


def _logged(client: FlaskClient, world: World, **more: str) -> None:
    answer = client.post(f"/log/{world.rukhsana.public_id}", data={"id": _TALK, **more})
    assert answer.status_code == 303


def _seen(client: FlaskClient) -> str:
    found = re.search(r'name="seen" type="hidden" value="([^"]*)"', client.get(_PAGE).text)
    assert found is not None
    return found.group(1)


def test_a_talk_shows_what_was_written_and_the_look_is_recorded(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    _logged(rep, world, rating="2", issues="pay", asked="join", answer="not_yet", fears="Shifts")
    page = rep.get(_PAGE).text
    for words in ("With us", "They said so", "Pay", "Join the union", "Not yet", "Owen Rep"):
        assert words in page
    with unit_of_work(ALL, read_only=True) as session:
        views = session.scalars(ALL.select(AuditEntry).where(AuditEntry.verb == Verb.VIEW)).all()
    assert [(row.contact_id, row.actor_id) for row in views] == [(world.rukhsana.id, world.rep.id)]


def test_a_correction_takes_the_place_of_the_first_and_keeps_it(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    _logged(rep, world, rating="2")
    answer = rep.post(_CORRECT, data={"seen": _seen(rep), "rating": "4", "basis": "told"})
    assert (answer.status_code, answer.location) == (303, _PAGE)
    assert _ratings(world) == [(2, False), (4, True)]
    assert _score(world) == 4


def test_not_asked_after_all_takes_the_standing_back(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    _logged(rep, world, rating="2")
    rep.post(_CORRECT, data={"seen": _seen(rep), "rating": ""})
    assert _ratings(world) == [(2, False)]
    assert _score(world) is None


def test_a_standing_left_out_is_added_on_the_day_of_the_talk(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    _logged(rep, world, day="2026-11-20")
    rep.post(_CORRECT, data={"seen": _seen(rep), "rating": "1", "basis": "action"})
    with unit_of_work(ALL, read_only=True) as session:
        (row,) = session.scalars(
            ALL.select(Assessment).where(Assessment.contact_id == world.rukhsana.id)
        )
        assert (row.rating, row.basis, str(row.day)) == (1, Basis.ACTION, "2026-11-20")


def test_of_two_corrections_the_later_one_sees_both(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    _logged(rep, world, rating="2")
    old = _seen(rep)
    rep.post(_CORRECT, data={"seen": old, "rating": "3", "basis": "said"})
    answer = rep.post(_CORRECT, data={"seen": old, "rating": "5", "basis": "said"})
    assert answer.status_code == 409
    assert (
        "Stored now: Unsure. Your choice is kept below. Save it again if yours is right."
        in answer.text
    )
    assert _ratings(world) == [(2, False), (3, True)]
    again = re.search(r'name="seen" type="hidden" value="([^"]*)"', answer.text)
    assert again is not None
    rep.post(_CORRECT, data={"seen": again.group(1), "rating": "5", "basis": "said"})
    assert _ratings(world) == [(2, False), (3, False), (5, True)]


def test_only_the_one_who_talked_puts_it_right(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    _logged(rep, world, rating="2")
    seen = _seen(rep)
    organiser = client_as(world.organiser)
    assert "Put right where they stood" not in organiser.get(_PAGE).text
    assert organiser.post(_CORRECT, data={"seen": seen, "rating": "5"}).status_code == 404
    assert _ratings(world) == [(2, True)]


def test_a_talk_elsewhere_looks_like_none(world: World, client_as: SignIn) -> None:
    _logged(client_as(world.rep), world, rating="2")
    outsider = client_as(world.dock_rep)
    assert outsider.get(_PAGE).status_code == 404
    assert outsider.post(_CORRECT, data={"rating": "5"}).status_code == 404
    assert client_as(world.admin).get(_PAGE).status_code == 403
