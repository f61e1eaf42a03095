"""Pages about people who are here twice: who sees which pair, and what the buttons do."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.access.removal import named_elsewhere, remove_people
from crm.access.scope import Grant, Scope
from crm.domain import likeness
from crm.domain.roles import Role
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import PointKind, Verb
from crm.features.duplicates import looking
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact, ContactPoint, Membership
from crm.models.conversations import FollowUp
from crm.models.likeness import DifferentPlaces, LikePair, PersonBlock, PersonLook
from crm.models.merging import DifferentPeople, MergedPerson
from crm.models.places import Union, Workplace
from crm.reads import place_likeness
from crm.web.db import unit_of_work
from crm.web.tasks import do_chores
from tests import factories
from tests.factories import ALL, NOW, Named, World

SignIn = Callable[[Named], FlaskClient]


def _twin(
    world: World, name: str = "Joana Popescu", *, at: Named | None = None, **more: Any
) -> Named:
    """Store somebody with Ioana's phone, and give Ioana that phone."""
    with unit_of_work(ALL) as session:
        place = session.scalars(
            ALL.select(Workplace).where(Workplace.id == (at or world.mill).id)
        ).one()
        twin = factories.make_person(session, place, name, **more)
        for contact_id in (twin.id, world.ioana.id):
            session.add(
                ContactPoint(
                    contact_id=contact_id,
                    kind=PointKind.PHONE,
                    value="07700 900123",
                    value_key="447700900123",
                    recorded_at=NOW,
                )
            )
        session.flush()
        return Named(id=twin.id, public_id=twin.public_id, name=name)


def _look(*, days: int = 0) -> int:
    """Look through everybody as the worker does; return how many people were looked at."""
    memory, looked = looking.Memory(), 0
    now = datetime.now(UTC) + timedelta(minutes=1, days=days)
    while True:
        with unit_of_work(ALL, read_only=True) as session:
            if not looking.has_work(session, ALL, now=now):
                return looked
        with unit_of_work(ALL) as session:
            looked += looking.look_some(session, ALL, memory, now=now)


def _beside(one: Named, other: Named) -> str:
    return f"/duplicates/{one.public_id}/{other.public_id}"


def _sent(page: str, **more: str) -> dict[str, str]:
    found = dict(re.findall(r'name="(\w+_version)" type="hidden" value="(\d+)"', page))
    return {**found, **more}


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def _rows(model: Any, *conditions: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        key = model.__mapper__.primary_key[0]
        chosen = ALL.select(model, history=True).where(*conditions).order_by(key)
        rows = list(session.scalars(chosen))
        session.expunge_all()
        return rows


def test_a_pair_is_shown_with_its_reasons_and_a_link(client_as: SignIn, world: World) -> None:
    twin = _twin(world)
    _look()
    page = client_as(world.rep).get("/duplicates").text
    assert f"{world.ioana.public_id}/{twin.public_id}" in page
    words = _text(page)
    assert "Almost surely the same person" in words
    assert "Same phone" in words
    assert "1 pair" in words


def test_a_pair_of_which_one_is_out_of_scope_is_not_there(client_as: SignIn, world: World) -> None:
    twin = _twin(world, at=world.dock)
    _look()
    for user in (world.rep, world.dock_rep):
        page = client_as(user).get("/duplicates").text
        assert "Nobody seems to be here twice." in _text(page)
        assert str(twin.public_id) not in page
        for one, other in ((world.ioana, twin), (twin, world.ioana)):
            client = client_as(user)
            assert client.get(_beside(one, other)).status_code == 404
            assert client.post(_beside(one, other), data={}).status_code == 404
            assert client.post(_beside(one, other) + "/different").status_code == 404
    assert "1 pair" in _text(client_as(world.boss_of_all).get("/duplicates").text)


def test_the_queue_of_one_workplace_leaves_out_the_others(client_as: SignIn, world: World) -> None:
    _twin(world)
    _look()
    organiser = client_as(world.organiser)
    here = organiser.get(f"/duplicates?place={world.mill.public_id}").text
    there = organiser.get(f"/duplicates?place={world.depot.public_id}").text
    assert "1 pair" in _text(here)
    assert "0 pairs" in _text(there)


def test_a_shared_workplace_says_nothing_to_those_who_do_not_hold_it(
    client_as: SignIn, world: World
) -> None:
    # Alike by name, and by having worked at the dock: only who holds the dock may know of that.
    with unit_of_work(ALL) as session:
        places = {place.id: place for place in session.scalars(ALL.select(Workplace))}
        twins = [
            factories.make_person(session, places[at.id], "Al Ng")
            for at in (world.mill, world.depot)
        ]
        for twin in twins:
            factories.make_job(session, twin, places[world.dock.id])
        both = {twin.id for twin in twins}
    _look()
    (pair,) = [one for one in _rows(LikePair) if {one.contact_id, one.other_id} == both]
    assert "same_workplace" in pair.reasons
    assert pair.points - pair.reasons["same_workplace"] < likeness.MAYBE_FROM
    assert "0 pairs" in _text(client_as(world.organiser).get("/duplicates").text)
    assert "1 pair" in _text(client_as(world.boss_of_all).get("/duplicates").text)


def test_the_look_goes_on_where_it_stopped_and_only_looks_at_what_changed(
    app: Flask, client_as: SignIn, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "CHUNK", 2)
    twin = _twin(world)
    soon = datetime.now(UTC) + timedelta(minutes=1)
    with unit_of_work(ALL) as session:
        assert looking.look_some(session, ALL, looking.Memory(), now=soon) == 2
    words = _text(client_as(world.rep).get("/duplicates").text)
    assert "Not everybody has been compared yet." in words
    assert "No pair found so far." in words
    everybody = len(_rows(Contact))
    assert _look() == everybody - 2
    assert _look() == 0
    words = _text(client_as(world.rep).get("/duplicates").text)
    assert re.search(r"1 pair · (\d+) of \1 people compared with all others · as at", words)
    # The look reads what was written about people since, and of nobody else.
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == twin.id)).one()
        contact.known_as, contact.full_name = "Bartholomew Quist", None
        contact.name_key = "bartholomew quist"
    assert _look() == 1
    assert [one.reasons for one in _rows(LikePair)] == []
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == twin.id)).one()
        contact.known_as, contact.name_key = "Joana Popescu", "joana popescu"
    assert _look() == 1
    (pair,) = _rows(LikePair)
    assert (pair.contact_id, pair.other_id) == (world.ioana.id, twin.id)
    assert pair.can_be_sure is True
    assert "Popescu" not in str(pair.reasons)


def test_other_rules_look_at_everybody_anew(
    world: World, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    _look()
    monkeypatch.setattr(looking, "RULES", likeness.RULES + 1)
    assert _look() == len(_rows(Contact))


def test_a_record_that_goes_is_not_kept_by_a_guess(app: Flask, world: World) -> None:
    twin = _twin(world)
    _look()
    with unit_of_work(ALL) as session:
        person = session.scalars(ALL.select(Contact).where(Contact.id == twin.id)).one()
        assert named_elsewhere(session, [twin.id]) == set()
        remove_people(session, ALL, [person])
    # At once: the look through everybody may be far off, or not run at all.
    assert _rows(LikePair) == []
    for model in (PersonBlock, PersonLook):
        assert _rows(model, model.contact_id == twin.id) == []


def test_the_worker_looks_by_itself_when_no_task_waits(app: Flask, world: World) -> None:
    _twin(world)
    while do_chores(app):
        pass
    assert len(_rows(LikePair)) == 1


def test_the_queue_takes_the_same_number_of_statements_for_more_people(
    client_as: SignIn, world: World, count_statements: list[str]
) -> None:
    _twin(world)
    _look()
    rep = client_as(world.rep)
    rep.get("/duplicates")
    count_statements.clear()
    rep.get("/duplicates")
    before = len(count_statements)
    for number in range(5):
        _twin(world, f"Joana Popescu{number}a")
    _look()
    count_statements.clear()
    rep.get("/duplicates")
    assert len(count_statements) <= before <= 14


def test_both_are_shown_side_by_side_and_both_looks_are_recorded(
    client_as: SignIn, world: World
) -> None:
    twin = _twin(world, pronouns="she")
    page = client_as(world.rep).get(_beside(twin, world.ioana)).text
    words = _text(page)
    assert "Phone: 07700 900123" in words
    assert 'name="known_as"' in page
    assert 'name="pronouns"' not in page
    looks = _rows(AuditEntry, AuditEntry.verb == Verb.VIEW)
    assert {look.contact_id for look in looks} == {world.ioana.id, twin.id}


def test_one_is_made_of_two_with_the_values_that_were_chosen(
    client_as: SignIn, world: World
) -> None:
    twin = _twin(world, pronouns="she", do_not_contact=True)
    rep = client_as(world.rep)
    page = rep.get(_beside(world.ioana, twin)).text
    answer = rep.post(_beside(world.ioana, twin), data=_sent(page, known_as="second"))
    assert answer.status_code == 303
    assert answer.location.endswith(f"/duplicates/of/{world.ioana.public_id}")
    (kept,) = _rows(Contact, Contact.id == world.ioana.id)
    assert (kept.known_as, kept.full_name) == ("Joana Popescu", "Ioana Popescu")
    assert kept.name_key == "joana popescu ioana popescu"
    assert kept.pronouns == "she"
    assert kept.do_not_contact is True
    after = _text(rep.get(answer.location).text)
    assert "Joana Popescu" in after
    assert "Undo: make them two again" in after


def test_the_old_address_leads_to_the_person_also_with_what_was_typed(
    client_as: SignIn, world: World
) -> None:
    twin = _twin(world)
    rep = client_as(world.rep)
    page = rep.get(_beside(world.ioana, twin)).text
    rep.post(_beside(world.ioana, twin), data=_sent(page))
    look = rep.get(f"/people/{twin.public_id}?x=1")
    assert (look.status_code, look.location) == (302, f"/people/{world.ioana.public_id}?x=1")
    talk = rep.post(f"/log/{twin.public_id}", data={"rating": "2"})
    assert talk.status_code == 307
    assert talk.location.startswith(f"/log/{world.ioana.public_id}")
    assert client_as(world.dock_rep).get(f"/people/{twin.public_id}").status_code == 404
    assert rep.get(f"/people/{uuid.uuid4()}").status_code == 404


def test_a_merge_is_undone_by_whoever_made_it_and_they_are_two_again(
    client_as: SignIn, world: World
) -> None:
    twin = _twin(world)
    rep = client_as(world.rep)
    page = rep.get(_beside(world.ioana, twin)).text
    rep.post(_beside(world.ioana, twin), data=_sent(page))
    (merged,) = _rows(MergedPerson)
    address = f"/duplicates/undo/{merged.public_id}"
    assert "Nothing was written about them since then." in _text(rep.get(address).text)
    assert client_as(world.dock_rep).get(address).status_code == 404
    assert client_as(world.dock_rep).post(address).status_code == 404
    assert rep.post(address).status_code == 303
    assert rep.get(f"/people/{twin.public_id}").status_code == 200
    assert rep.get(address).status_code == 404
    (merged,) = _rows(MergedPerson)
    assert merged.undone_by_id == world.rep.id


def test_another_rep_does_not_undo_it_and_an_organiser_does(
    client_as: SignIn, world: World
) -> None:
    twin = _twin(world)
    organiser = client_as(world.organiser)
    page = organiser.get(_beside(world.ioana, twin)).text
    organiser.post(_beside(world.ioana, twin), data=_sent(page))
    (merged,) = _rows(MergedPerson)
    address = f"/duplicates/undo/{merged.public_id}"
    answer = client_as(world.rep).post(address)
    assert answer.status_code == 422
    assert (
        "Somebody else made these two records one. "
        "Ask them, or an organiser or officer of this place." in _text(answer.text)
    )
    assert client_as(world.officer).post(address).status_code == 303


def test_what_was_written_since_is_listed_before_it_is_undone(
    client_as: SignIn, world: World
) -> None:
    twin = _twin(world)
    rep = client_as(world.rep)
    page = rep.get(_beside(world.ioana, twin)).text
    rep.post(_beside(world.ioana, twin), data=_sent(page))
    rep.post(f"/people/{world.ioana.public_id}/phone/new", data={"value": "07700 900777"})
    (merged,) = _rows(MergedPerson)
    words = _text(rep.get(f"/duplicates/undo/{merged.public_id}").text)
    assert "Phones, emails or addresses: 1" in words


def test_what_others_wrote_since_at_their_own_place_is_not_counted_for_the_reader(
    client_as: SignIn, world: World
) -> None:
    twin = _twin(world)
    rep = client_as(world.rep)
    page = rep.get(_beside(world.ioana, twin)).text
    rep.post(_beside(world.ioana, twin), data=_sent(page))
    with unit_of_work(ALL) as session:
        session.add(
            FollowUp(
                contact_id=world.ioana.id,
                place_id=world.dock.id,
                owner_id=world.dock_rep.id,
                due_on=NOW.date(),
                created_at=NOW + timedelta(days=400),
            )
        )
    (merged,) = _rows(MergedPerson)
    words = _text(rep.get(f"/duplicates/undo/{merged.public_id}").text)
    assert "Nothing was written about them since then." in words


def test_apart_again_the_other_name_is_told_only_to_those_who_see_that_person(
    client_as: SignIn, world: World
) -> None:
    twin = _twin(world, "Joana Hidden", at=world.dock)
    boss = client_as(world.boss_of_all)
    page = boss.get(_beside(world.ioana, twin)).text
    assert boss.post(_beside(world.ioana, twin), data=_sent(page)).status_code == 303
    (merged,) = _rows(MergedPerson)
    assert boss.post(f"/duplicates/undo/{merged.public_id}").status_code == 303
    rep = client_as(world.rep)
    for address in (f"/duplicates/of/{world.ioana.public_id}", f"/people/{world.ioana.public_id}"):
        assert "Joana Hidden" not in _text(rep.get(address).text)
    assert "Joana Hidden" in _text(boss.get(f"/duplicates/of/{world.ioana.public_id}").text)
    (written,) = _rows(
        AuditEntry, AuditEntry.subject == "merged_person", AuditEntry.verb == Verb.CREATE
    )
    assert "Joana Hidden" not in str(written.new)


def test_the_later_merge_comes_apart_first(client_as: SignIn, world: World) -> None:
    rep = client_as(world.rep)
    for name in ("Joana Popescu", "Ioana Popesku"):
        twin = _twin(world, name)
        page = rep.get(_beside(world.ioana, twin)).text
        rep.post(_beside(world.ioana, twin), data=_sent(page))
    first, second = sorted(_rows(MergedPerson), key=lambda one: one.id)
    answer = rep.post(f"/duplicates/undo/{first.public_id}")
    assert answer.status_code == 422
    assert "Another record was put into this person later. Take that one out first." in _text(
        answer.text
    )
    assert rep.post(f"/duplicates/undo/{second.public_id}").status_code == 303
    assert rep.post(f"/duplicates/undo/{first.public_id}").status_code == 303


def test_a_record_that_changed_meanwhile_is_looked_at_again(
    client_as: SignIn, world: World
) -> None:
    twin = _twin(world)
    rep = client_as(world.rep)
    page = rep.get(_beside(world.ioana, twin)).text
    rep.post(
        f"/people/{twin.public_id}/details",
        data={"version": "1", "known_as": "Joana", "full_name": "Joana Popescu"},
    )
    answer = rep.post(_beside(world.ioana, twin), data=_sent(page))
    assert answer.status_code == 409
    assert "Someone else changed this while you were working." in _text(answer.text)
    assert _rows(MergedPerson) == []
    again = rep.post(_beside(world.ioana, twin), data=_sent(answer.text))
    assert again.status_code == 303


def test_memberships_that_contradict_must_be_chosen(client_as: SignIn, world: World) -> None:
    twin = _twin(world)
    with unit_of_work(ALL) as session:
        person = session.scalars(ALL.select(Contact).where(Contact.id == twin.id)).one()
        union = session.scalars(ALL.select(Union).where(Union.id == world.union.id)).one()
        factories.make_membership(session, person, union, status=MembershipStatus.NOT_MEMBER)
    rep = client_as(world.rep)
    page = rep.get(_beside(world.ioana, twin)).text
    answer = rep.post(_beside(world.ioana, twin), data=_sent(page))
    assert answer.status_code == 422
    assert "They cannot both be true. Choose what we know of the union." in _text(answer.text)
    assert _rows(MergedPerson) == []
    rep.post(_beside(world.ioana, twin), data=_sent(page, membership="second"))
    rows = _rows(
        Membership, Membership.contact_id == world.ioana.id, Membership.superseded_at.is_(None)
    )
    assert [row.status for row in rows] == [MembershipStatus.NOT_MEMBER]


def test_two_people_are_never_asked_about_again_in_either_order(
    client_as: SignIn, world: World
) -> None:
    twin = _twin(world)
    rep = client_as(world.rep)
    for one, other in ((twin, world.ioana), (world.ioana, twin)):
        assert rep.post(_beside(one, other) + "/different").status_code == 303
    (said,) = _rows(DifferentPeople)
    assert said.said_by_id == world.rep.id
    assert [row.verb for row in _rows(AuditEntry, AuditEntry.subject == "different_people")] == [
        Verb.CREATE
    ]
    assert "0 pairs" in _text(rep.get("/duplicates").text)
    assert "We found nobody who looks like the same person." in _text(
        rep.get(f"/duplicates/of/{twin.public_id}").text
    )
    assert "said that they are two people" in _text(rep.get(_beside(twin, world.ioana)).text)


def test_the_other_record_is_found_by_name_and_nobody_is_their_own_twin(
    client_as: SignIn, world: World
) -> None:
    rep = client_as(world.rep)
    page = rep.get(f"/duplicates/of/{world.ioana.public_id}?q=Tomasz").text
    assert _beside(world.ioana, world.tomasz) in page
    own = rep.get(f"/duplicates/of/{world.ioana.public_id}?q=Ioana").text
    assert "Nobody found with this name or phone." in _text(own)
    assert rep.get(_beside(world.ioana, world.ioana)).status_code == 404


def test_the_history_of_both_records_is_one(client_as: SignIn, world: World) -> None:
    twin = _twin(world)
    rep = client_as(world.rep)
    rep.post(
        f"/people/{twin.public_id}/details",
        data={"version": "1", "known_as": "Joana P", "full_name": "Joana Popescu"},
    )
    page = rep.get(_beside(world.ioana, twin)).text
    rep.post(_beside(world.ioana, twin), data=_sent(page))
    history = _text(rep.get(f"/history/person/{world.ioana.public_id}").text)
    assert "Another record put into this one" in history
    assert "Joana P" in history


def test_a_merge_shows_nobody_the_history_of_others(client_as: SignIn, world: World) -> None:
    twin = _twin(world)
    rep = client_as(world.rep)
    page = rep.get(_beside(world.ioana, twin)).text
    rep.post(_beside(world.ioana, twin), data=_sent(page))
    assert rep.get(f"/history/person/{world.docker.public_id}").status_code == 404
    dock = client_as(world.dock_rep)
    assert dock.get(f"/history/person/{world.ioana.public_id}").status_code == 404
    for scope in (
        Scope(world.dock_rep.id, (Grant(Role.REP, world.dock.id),)),
        Scope(world.officer.id, (Grant(Role.BRANCH_OFFICER, world.other_branch.id),)),
    ):
        with unit_of_work(scope, read_only=True) as session:
            for history in (True, False):
                seen = session.scalars(
                    scope.select(AuditEntry.contact_id, history=history).where(
                        AuditEntry.contact_id.in_((world.ioana.id, twin.id, world.tomasz.id))
                    )
                ).all()
                assert seen == []


def test_workplaces_that_may_be_one_are_shown_until_somebody_says_they_are_two(
    client_as: SignIn, world: World
) -> None:
    organiser = client_as(world.organiser)
    assert "No workplace seems to be here twice." in _text(
        organiser.get("/duplicates/workplaces").text
    )
    with unit_of_work(ALL) as session:
        for place in session.scalars(ALL.select(Workplace)):
            if place.id in {world.mill.id, world.dock.id}:
                place.address = "7 Canal Road"
            if place.id == world.depot.id:
                place.name, place.name_key, place.address = "Mill", "mill", "7 Canal Rd"
    words = _text(organiser.get("/duplicates/workplaces").text)
    assert "Almost surely the same workplace" in words
    assert "Same address" in words
    # The dock has the address too, and is nobody's here.
    assert "The Dock" not in words
    pair = f"{world.mill.public_id}/{world.depot.public_id}"
    for outsider, status in ((world.dock_rep, 403), (world.rep, 403)):
        assert client_as(outsider).get("/duplicates/workplaces").status_code == status
    other = f"{world.mill.public_id}/{world.dock.public_id}"
    assert organiser.post(f"/duplicates/workplaces/{other}/different").status_code == 404
    for _ in range(2):
        answer = organiser.post(f"/duplicates/workplaces/{pair}/different")
        assert answer.status_code == 303
    assert len(_rows(DifferentPlaces)) == 1
    assert "No workplace seems to be here twice." in _text(
        organiser.get("/duplicates/workplaces").text
    )


def test_the_history_says_that_a_merge_was_taken_back(client_as: SignIn, world: World) -> None:
    twin = _twin(world)
    rep = client_as(world.rep)
    page = rep.get(_beside(world.ioana, twin)).text
    sent = _sent(page, known_as="kept")
    assert rep.post(_beside(world.ioana, twin), data=sent).status_code == 303
    history = f"/history/person/{world.ioana.public_id}"
    said = "Taken back: the two records are two again."
    assert said not in rep.get(history).text
    (merge,) = _rows(MergedPerson)
    assert rep.post(f"/duplicates/undo/{merge.public_id}").status_code == 303
    assert rep.get(history).text.count(said) == 1


def test_among_very_many_workplaces_those_of_one_name_or_postcode_are_held_against_each_other(
    client_as: SignIn, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place_likeness, "MOST_COMPARED", 2)
    with unit_of_work(ALL) as session:
        for place in session.scalars(ALL.select(Workplace)):
            # No other workplace has the dock's: it is not among those that are compared.
            place.postcode = "S71 9ZZ" if place.id == world.dock.id else "S70 1AA"
            if place.id == world.depot.id:
                place.name, place.name_key = "Mill", "mill"
    boss = client_as(world.boss_of_all)
    words = _text(boss.get("/duplicates/workplaces").text)
    assert "Same postcode" in words
    assert "The Dock" not in words
