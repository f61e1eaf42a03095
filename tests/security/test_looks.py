"""Whoever reads what is known of a person leaves a trace, by whichever page they come."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.domain.vocabulary import Verb
from crm.models.audit import AuditEntry
from crm.models.contacts import ContactPoint, Job, Membership
from crm.models.conversations import Conversation
from crm.web.db import unit_of_work
from tests.factories import ALL, NOW, TODAY, Named, World

Clients = Callable[[Named], FlaskClient]


@pytest.fixture
def ids(world: World) -> dict[str, uuid.UUID]:
    """Public ids of what is known of Ioana."""
    with unit_of_work(ALL) as session:
        point = ContactPoint(
            contact_id=world.ioana.id,
            kind="phone",
            value="07700 900777",
            value_key="447700900777",
            recorded_at=NOW,
        )
        session.add(point)
        session.flush()
        found: dict[str, Any] = {"contact": world.ioana.public_id, "point": point.public_id}
        for name, model in (("job", Job), ("membership", Membership)):
            row: Any = session.scalars(
                ALL.select(model).where(model.contact_id == world.ioana.id)
            ).one()
            found[name] = row.public_id
        return found


def _looks(user: Named, contact: Named) -> int:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(
            ALL.select(AuditEntry).where(
                AuditEntry.verb == Verb.VIEW,
                AuditEntry.actor_id == user.id,
                AuditEntry.contact_id == contact.id,
            )
        ).all()
        return len(rows)


_FORMS = [
    "",
    "/details",
    "/reach/{point}",
    "/reach/{point}/remove",
    "/jobs/{job}",
    "/unions/{membership}",
    "/unions/{membership}/end",
    "/unions/{membership}/remove",
]


@pytest.mark.parametrize("page", _FORMS)
def test_each_page_that_shows_what_is_known_records_the_look(
    client_as: Clients, world: World, ids: dict[str, uuid.UUID], page: str
) -> None:
    path = f"/people/{ids['contact']}{page.format(**ids)}"
    assert client_as(world.rep).get(path).status_code == 200
    assert _looks(world.rep, world.ioana) == 1
    assert client_as(world.dock_rep).get(path).status_code == 404
    assert _looks(world.dock_rep, world.ioana) == 0


@pytest.mark.parametrize(
    ("page", "data"),
    [
        ("/details", {"known_as": "Anybody"}),
        ("/reach/{point}", {"value": "07700 900778"}),
        ("/jobs/{job}", {"since": "2020-01-01"}),
        ("/unions/{membership}", {"status": "none", "since": "2020-01-01"}),
    ],
)
def test_a_save_made_to_clash_shows_the_other_version_and_records_the_look(
    client_as: Clients,
    world: World,
    ids: dict[str, uuid.UUID],
    page: str,
    data: dict[str, str],
) -> None:
    path = f"/people/{ids['contact']}{page.format(**ids)}"
    answer = client_as(world.rep).post(path, data={**data, "version": "0"})
    assert answer.status_code == 409
    assert _looks(world.rep, world.ioana) == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [({"rating": "1", "basis": "said", "seen": "made up"}, 409), ({"rating": "9"}, 422)],
)
def test_a_refused_correction_of_a_talk_shows_it_and_records_the_look(
    client_as: Clients, world: World, data: dict[str, str], status: int
) -> None:
    with unit_of_work(ALL) as session:
        talk = Conversation(
            contact_id=world.ioana.id,
            place_id=world.mill.id,
            held_by_id=world.rep.id,
            day=TODAY,
            held_at=NOW,
            recorded_at=NOW,
        )
        session.add(talk)
        session.flush()
        talk_id = talk.public_id
    answer = client_as(world.rep).post(f"/talks/{talk_id}/standing", data=data)
    assert answer.status_code == status
    assert _looks(world.rep, world.ioana) == 1
