"""What a person holding two roles, or two places, must not get by mixing them."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.access.scope import Grant, Scope
from crm.domain.roles import Role
from crm.models.audit import AuditEntry
from crm.models.contacts import ContactPoint
from crm.models.conversations import Conversation, ConversationNote
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

Clients = Callable[[Named], FlaskClient]


def _talk(contact: Named, place: Named, author: Named, words: str) -> uuid.UUID:
    with unit_of_work(ALL) as session:
        talk = Conversation(
            contact_id=contact.id,
            place_id=place.id,
            held_by_id=author.id,
            day=TODAY,
            held_at=NOW,
            recorded_at=NOW,
        )
        session.add(talk)
        session.flush()
        session.add(
            ConversationNote(
                conversation_id=talk.id,
                contact_id=contact.id,
                place_id=place.id,
                author_id=author.id,
                their_words=words,
            )
        )
        return talk.public_id


def _user(name: str, *grants: tuple[Role, Named | None]) -> Named:
    with unit_of_work(ALL) as session:
        user = factories.make_user(session, name)
        for role, place in grants:
            factories.make_grant(session, user, role, place)
        return Named(user.id, user.public_id, user.name)


def _csv(client: FlaskClient, query: str) -> list[dict[str, str]]:
    answer = client.get(f"/dash.csv?{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "knew=2026-11-22",
        "by=union",
        "by=employer",
        "by=branch",
        "by=area",
        "compare=2026-01-01",
        "union={union}",
        "union={other_union}&knew=2026-11-22",
    ],
)
def test_a_file_holds_only_places_where_the_person_may_take_files_out(
    client_as: Clients, world: World, query: str, fixed_clock: None
) -> None:
    both = _user("Both", (Role.BRANCH_OFFICER, world.mill), (Role.REP, world.dock))
    query = query.format(union=world.union.public_id, other_union=world.other_union.public_id)
    rows = _csv(client_as(both), query)
    only = _csv(client_as(_user("Only", (Role.BRANCH_OFFICER, world.mill))), query)
    assert rows == only
    assert not any(name in str(rows) for name in ("The Dock", "Saltway"))


def test_an_administrator_who_is_a_rep_at_one_place_sees_no_people_of_another(
    client_as: Clients, world: World
) -> None:
    both = _user("Both", (Role.ADMINISTRATOR, None), (Role.REP, world.mill))
    client = client_as(both)
    for path in (
        "/",
        "/people",
        "/people?q=Bilal",
        "/log?q=Bilal",
        f"/people?place={world.dock.public_id}",
        f"/places/{world.dock.public_id}",
        f"/places/employers/{world.saltway.public_id}",
        "/places",
        "/dash",
        f"/dash?workplace={world.dock.public_id}",
        "/dash?by=union",
        f"/dash?union={world.other_union.public_id}&by=workplace",
    ):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "Bilal H" not in answer.text, path
    assert client.get(f"/people/{world.docker.public_id}").status_code == 404
    assert client.get(f"/log/{world.docker.public_id}").status_code == 404
    explained = client.get(f"/dash/explain/{world.dock.public_id}")
    assert explained.status_code == 404


def test_a_person_at_two_places_shows_each_reader_only_their_own_place(
    client_as: Clients, world: World
) -> None:
    docker: Any = world.docker
    mill: Any = world.mill
    with unit_of_work(ALL) as session:
        factories.make_job(session, docker, mill, job_title="canary weekend job")
        factories.make_assessment(session, docker, mill, 5)
    talk = _talk(world.docker, world.mill, world.organiser, "canary words at the mill")
    client = client_as(world.dock_rep)
    for path in (
        "/",
        "/people",
        "/log",
        f"/people/{world.docker.public_id}",
        f"/log/{world.docker.public_id}",
        "/dash",
        f"/dash?employer={world.brightway.public_id}",
    ):
        answer = client.get(path)
        assert "canary" not in answer.text, path
        assert "The Mill" not in answer.text, path
    assert client.get(f"/talks/{talk}").status_code == 404
    assert client.post(f"/talks/{talk}/standing", data={"rating": "1"}).status_code == 404


# The audit trail holds all that was ever written: its readers are held to the same rules.


def _words_in_audit(scope: Scope) -> str:
    with unit_of_work(scope, read_only=True) as session:
        found = session.scalars(scope.select(AuditEntry)).all()
        return " ".join(str((one.subject, one.old, one.new)) for one in found)


def test_the_audit_trail_shows_notes_only_to_those_who_may_read_notes(world: World) -> None:
    _talk(world.ioana, world.mill, world.rep, "canary words")
    officer = Scope(world.officer.id, (Grant(Role.BRANCH_OFFICER, world.branch.id),))
    organiser = Scope(world.organiser.id, (Grant(Role.ORGANISER, world.branch.id),))
    assert "canary words" in _words_in_audit(organiser)
    assert "conversation" in _words_in_audit(officer)
    assert "canary words" not in _words_in_audit(officer)


def test_the_audit_trail_of_a_person_leaves_out_what_happened_at_places_of_others(
    world: World,
) -> None:
    docker: Any = world.docker
    mill: Any = world.mill
    with unit_of_work(ALL) as session:
        factories.make_job(session, docker, mill)
        session.add(
            ContactPoint(
                contact_id=docker.id,
                kind="phone",
                value="07700 900777",
                value_key="447700900777",
                recorded_at=NOW,
            )
        )
    _talk(world.docker, world.dock, world.dock_rep, "canary words at the dock")
    organiser = Scope(world.organiser.id, (Grant(Role.ORGANISER, world.mill.id),))
    seen = _words_in_audit(organiser)
    assert "07700 900777" in seen
    assert "canary words at the dock" not in seen


def test_nobody_reads_the_audit_rows_of_accounts_from_a_place(world: World) -> None:
    organiser = Scope(world.organiser.id, (Grant(Role.ORGANISER, world.branch.id),))
    assert "user_account" not in _words_in_audit(organiser)
