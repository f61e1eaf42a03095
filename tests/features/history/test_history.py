"""History and undo: old and new values for those who may read them, and an honest way back."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.domain.vocabulary import GroupKind, Verb
from crm.features.history import wording
from crm.models.audit import AuditEntry
from crm.models.base import Base
from crm.models.contacts import Contact, Job, StateSpan
from crm.models.conversations import (
    Assessment,
    Conversation,
    ConversationIssue,
    ConversationNote,
    FollowUp,
)
from crm.models.places import Workplace
from crm.models.ties import GroupMember, SocialGroup
from crm.web.db import unit_of_work
from tests.factories import ALL, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]


def _rows(model: Any, *where: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        key = model.__mapper__.primary_key[0]
        return list(session.scalars(ALL.select(model).where(*where).order_by(key)))


def _person(person: Named) -> str:
    return f"/history/person/{person.public_id}"


def _rename(client: FlaskClient, person: Named, name: str) -> None:
    page = client.get(f"/people/{person.public_id}/details").text
    version = re.search(r'name="version"[^>]*value="(\d+)"', page)
    assert version is not None
    reply = client.post(
        f"/people/{person.public_id}/details",
        data={"known_as": name, "version": version.group(1)},
    )
    assert reply.status_code == 303, reply.text


def _undo(client: FlaskClient, address: str) -> Any:
    page = client.get(address).text
    found = re.search(r'name="request"[^>]*value="([^"]+)"', page)
    assert found is not None, "no undo is offered"
    return client.post(address + "/undo", data={"request": found.group(1)})


def _log(client: FlaskClient, person: Named, **fields: Any) -> str:
    talk_id = str(uuid.uuid4())
    reply = client.post(f"/log/{person.public_id}", data={"id": talk_id, **fields})
    assert reply.status_code == 303
    return talk_id


def test_a_change_shows_who_made_it_and_the_old_and_the_new_value(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    _rename(rep, world.ioana, "Ioana Pop")
    page = rep.get(_person(world.ioana)).text
    assert world.rep.name in page
    assert "Name they use" in page
    assert "<bdi>Ioana Pop</bdi></ins>" in page
    assert f"<bdi>{world.ioana.name}</bdi></del>" in page


def test_the_last_change_of_a_name_is_undone_and_both_stay_in_the_history(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    (before,) = _rows(Contact, Contact.id == world.ioana.id)
    _rename(rep, world.ioana, "Wrong name")
    assert _undo(rep, _person(world.ioana)).status_code == 303
    (after,) = _rows(Contact, Contact.id == world.ioana.id)
    assert (after.known_as, after.name_key) == (before.known_as, before.name_key)
    assert after.version == before.version + 2
    page = rep.get(_person(world.ioana)).text
    # Once as the new value, once as the old one, once in what undoing the undoing would do.
    assert page.count("Wrong name") == 3
    assert "An earlier change was undone." in page


def test_a_talk_saved_by_mistake_goes_with_all_its_parts(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    spans = _spans(world.rukhsana)
    _log(
        rep,
        world.rukhsana,
        rating="2",
        issues=["pay", "hours"],
        their_words="By mistake",
        again="tomorrow",
    )
    assert len(_rows(Conversation)) == 1
    assert _undo(rep, _person(world.rukhsana)).status_code == 303
    for model in (Conversation, ConversationIssue, ConversationNote):
        assert _rows(model) == []
    assert _rows(FollowUp, FollowUp.contact_id == world.rukhsana.id) == []
    assert _rows(Assessment, Assessment.contact_id == world.rukhsana.id, _known(Assessment)) == []
    assert _spans(world.rukhsana) == spans
    gone = _rows(AuditEntry, AuditEntry.verb == Verb.DELETE)
    assert {row.subject for row in gone} == {"conversation_issue", "conversation_note"}


def _known(model: Any) -> Any:
    return model.superseded_at.is_(None)


def _spans(person: Named) -> list[tuple[Any, ...]]:
    return [
        (one.place_id, one.from_day, one.to_day, one.member, one.score)
        for one in sorted(
            _rows(StateSpan, StateSpan.contact_id == person.id),
            key=lambda one: (one.from_day, one.place_id),
        )
    ]


def test_a_corrected_fact_is_undone_as_a_new_fact(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    (job,) = _rows(Job, Job.contact_id == world.ioana.id, _known(Job))
    spans = _spans(world.ioana)
    page = rep.get(f"/people/{world.ioana.public_id}").text
    end = re.search(rf"/people/{world.ioana.public_id}/jobs/[0-9a-f-]+/end", page)
    assert end is not None
    reply = rep.post(end.group(0), data={"day": TODAY.isoformat()})
    assert reply.status_code == 303, reply.text
    assert _spans(world.ioana) != spans
    assert _undo(rep, _person(world.ioana)).status_code == 303
    (now,) = _rows(Job, Job.contact_id == world.ioana.id, _known(Job))
    assert now.id != job.id
    assert (now.valid_from, now.valid_to, now.place_id) == (
        job.valid_from,
        job.valid_to,
        job.place_id,
    )
    assert _spans(world.ioana) == spans


def test_what_stands_under_something_newer_is_not_undone(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    _rename(rep, world.ioana, "First")
    page = rep.get(_person(world.ioana)).text
    found = re.search(r'name="request"[^>]*value="([^"]+)"', page)
    assert found is not None
    _rename(rep, world.ioana, "Second")
    reply = rep.post(_person(world.ioana) + "/undo", data={"request": found.group(1)})
    assert reply.status_code == 422
    assert "Something newer was written since. Look at the history again." in reply.text
    (now,) = _rows(Contact, Contact.id == world.ioana.id)
    assert now.known_as == "Second"


def test_a_rep_does_not_undo_what_a_colleague_did_but_an_organiser_may(
    world: World, client_as: SignIn
) -> None:
    _rename(client_as(world.organiser), world.ioana, "By the organiser")
    rep = client_as(world.rep)
    page = rep.get(_person(world.ioana)).text
    assert "Undo this change" not in page
    (entry,) = [
        one for one in _rows(AuditEntry, AuditEntry.subject == "contact") if one.verb == Verb.UPDATE
    ]
    reply = rep.post(_person(world.ioana) + "/undo", data={"request": entry.request_id})
    assert reply.status_code == 422
    assert "Somebody else made this change." in reply.text
    assert _undo(client_as(world.organiser), _person(world.ioana)).status_code == 303


def test_a_reader_without_the_right_to_notes_sees_none_through_the_history(
    world: World, client_as: SignIn
) -> None:
    organiser, rep = client_as(world.organiser), client_as(world.rep)
    _log(organiser, world.ioana, their_words="Canary of the organiser")
    _log(rep, world.ioana, their_words="Words of the rep")
    mine = rep.get(_person(world.ioana)).text
    assert "Words of the rep" in mine
    assert "Canary of the organiser" not in mine
    assert "Canary of the organiser" in organiser.get(_person(world.ioana)).text


def test_an_outsider_finds_neither_history_nor_undo(world: World, client_as: SignIn) -> None:
    outsider = client_as(world.dock_rep)
    assert outsider.get(_person(world.ioana)).status_code == 404
    assert outsider.post(_person(world.ioana) + "/undo", data={"request": "x"}).status_code == 404
    assert outsider.get(f"/history/place/{world.mill.public_id}").status_code == 404


def test_looking_at_a_history_is_a_look_that_is_recorded(world: World, client_as: SignIn) -> None:
    client_as(world.rep).get(_person(world.ioana))
    (look,) = [
        one for one in _rows(AuditEntry, AuditEntry.verb == Verb.VIEW) if one.subject == "contact"
    ]
    assert (look.actor_id, look.contact_id) == (world.rep.id, world.ioana.id)


def test_a_place_shows_its_own_changes_and_nobodys_name(world: World, client_as: SignIn) -> None:
    organiser = client_as(world.organiser)
    page = organiser.get(f"/places/{world.mill.public_id}/edit").text
    address = f"/places/{world.mill.public_id}/edit"
    fields = dict(re.findall(r'<input[^>]*name="([a-z_]+)"[^>]*value="([^"]*)"', page))
    fields.pop("csrf_token", None)
    chosen = dict(
        re.findall(r'<select[^>]*name="([a-z_]+)".*?<option selected value="([^"]*)"', page, re.S)
    )
    reply = organiser.post(address, data={**fields, **chosen, "name": "Millside"})
    assert reply.status_code == 303, reply.text
    history = f"/history/place/{world.mill.public_id}"
    text = organiser.get(history).text
    assert "<bdi>Millside</bdi></ins>" in text
    assert world.ioana.name not in text
    undone = _undo(organiser, history)
    assert undone.status_code == 303, undone.text
    (place,) = _rows(Workplace, Workplace.id == world.mill.id)
    assert place.name == world.mill.name


def test_the_trail_is_scoped_filtered_and_paged(world: World, client_as: SignIn) -> None:
    rep, organiser = client_as(world.rep), client_as(world.organiser)
    _log(rep, world.ioana, rating="1")
    dock = client_as(world.dock_rep)
    _log(dock, world.docker, rating="4")
    page = organiser.get("/trail").text
    assert world.ioana.name in page
    assert world.docker.name not in page
    assert world.rep.name in page
    assert rep.get("/trail").status_code == 403
    only = organiser.get("/trail?verb=export").text
    assert "Nothing fits." in only
    assert world.ioana.name not in only
    assert "Nothing fits." in organiser.get("/trail?until=2001-01-01").text


def test_administrators_see_accounts_and_no_contacts(world: World, client_as: SignIn) -> None:
    _log(client_as(world.rep), world.ioana, rating="1", their_words="Canary")
    admin = client_as(world.admin)
    page = admin.get("/trail/accounts").text
    assert "Session" in page or "Signed in" in page or "Role" in page
    for secret in (world.ioana.name, "Canary", world.docker.name):
        assert secret not in page
    assert admin.get("/trail").status_code == 403
    assert client_as(world.organiser).get("/trail/accounts").status_code == 403


def test_the_history_of_an_account_tells_what_was_done_to_it_and_to_no_other(
    world: World, client_as: SignIn
) -> None:
    _log(client_as(world.rep), world.ioana, rating="1", their_words="Canary")
    client_as(world.rep).get("/phone/people")
    admin = client_as(world.admin)
    admin.post(f"/admin/users/{world.rep.public_id}/close")
    admin.post(f"/admin/users/{world.organiser.public_id}/link")
    address = f"/history/account/{world.rep.public_id}"
    user = admin.get(f"/admin/users/{world.rep.public_id}").text
    assert f'href="{address}"' in user
    page = admin.get(address).text
    assert f"History of <bdi>{world.rep.name}</bdi>" in page.replace("</h1>", "")
    assert f"<bdi>{world.admin.name}</bdi>" in page
    assert "List for the phone" in page
    for absent in (world.ioana.name, "Canary", world.organiser.name, "Link to sign in"):
        assert absent not in page
    other = admin.get(f"/history/account/{world.organiser.public_id}").text
    assert "Link to sign in" in other
    assert "List for the phone" not in other
    assert admin.get(f"/history/account/{uuid.uuid4()}").status_code == 404
    assert client_as(world.organiser).get(address).status_code == 403


def test_a_person_just_added_is_not_undone_away(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    reply = rep.post(
        f"/people/new?workplace={world.mill.public_id}",
        data={
            "known_as": "Added",
            "workplace": str(world.mill.public_id),
            "valid_from": TODAY.isoformat(),
        },
    )
    assert reply.status_code == 303, reply.text
    (added,) = _rows(Contact, Contact.known_as == "Added")
    address = f"/history/person/{added.public_id}"
    assert "Undo this change" not in rep.get(address).text
    last = _rows(AuditEntry, AuditEntry.contact_id == added.id, AuditEntry.verb == Verb.CREATE)[-1]
    reply = rep.post(address + "/undo", data={"request": last.request_id})
    assert reply.status_code == 422
    assert "This change cannot be undone here." in reply.text


def test_a_history_takes_few_statements_whatever_its_length(
    world: World, client_as: SignIn, count_statements: list[str]
) -> None:
    rep = client_as(world.rep)
    for number in range(12):
        _log(rep, world.ioana, rating=str(number % 5 + 1), issues=["pay"])
    count_statements.clear()
    rep.get(_person(world.ioana))
    assert len(count_statements) <= 14


def _lines(reply: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))


def test_the_file_of_the_trail_holds_what_may_be_taken_out_and_is_itself_recorded(
    world: World, client_as: SignIn
) -> None:
    rep, officer = client_as(world.rep), client_as(world.officer)
    _rename(rep, world.ioana, "=HYPERLINK(1)")
    _log(rep, world.ioana, rating="1", their_words="Canary")
    _log(client_as(world.dock_rep), world.docker, rating="4")
    assert "Download as CSV" in officer.get("/trail").text
    lines = _lines(officer.get("/trail.csv"))

    renamed = [one for one in lines if one["Now"] == "'=HYPERLINK(1)"]
    assert [one["Before"] for one in renamed] == [world.ioana.name]
    assert renamed[0]["Who"] == world.rep.name
    text = str(lines)
    # An officer reads no notes, and nobody takes out what is at other people's places.
    assert "Canary" not in text
    assert world.docker.name not in text
    taken = _rows(AuditEntry, AuditEntry.subject == "audit_entry")
    assert [(one.verb, one.new["rows"]) for one in taken] == [(Verb.EXPORT, len(lines))]


def test_a_file_of_the_trail_is_for_those_who_may_make_files(
    world: World, client_as: SignIn
) -> None:
    organiser = client_as(world.organiser)
    assert "Download as CSV" not in organiser.get("/trail").text
    for user in (world.organiser, world.rep, world.admin):
        assert client_as(user).get("/trail.csv").status_code == 403
    assert _rows(AuditEntry, AuditEntry.subject == "audit_entry") == []


def test_a_file_too_long_is_refused_with_what_to_do(
    world: World, client_as: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.features.history.queries.MOST_IN_A_FILE", 1)
    _log(client_as(world.rep), world.ioana, rating="1")
    reply = client_as(world.officer).get("/trail.csv", follow_redirects=True)
    assert "Choose fewer days" in reply.text
    assert _rows(AuditEntry, AuditEntry.subject == "audit_entry") == []


def test_every_table_that_is_audited_has_a_word_of_its_own() -> None:
    tables = {
        mapper.class_.__tablename__
        for mapper in Base.registry.mappers
        if getattr(mapper.class_, "audited", True) and mapper.class_.__module__.startswith("crm.")
    }
    assert tables - set(wording.SUBJECTS) == set()


def test_keys_of_groups_and_tags_stand_in_the_trail_by_name(
    world: World, client_as: SignIn
) -> None:
    with unit_of_work(ALL) as session:
        group = SocialGroup(
            name="Sunday league",
            kind=GroupKind.FOOTBALL,
            place_id=world.mill.id,
            need_to_know=False,
            created_at=NOW,
        )
        session.add(group)
        session.flush()
        session.add(
            GroupMember(
                group_id=group.id,
                contact_id=world.ioana.id,
                place_id=world.mill.id,
                valid_from=TODAY,
                recorded_at=NOW,
            )
        )
    page = client_as(world.organiser).get("/trail").text
    assert "Sunday league" in page
