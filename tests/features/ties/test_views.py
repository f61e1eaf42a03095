"""Ties and leaders on their pages: what is stored, what is refused, who must not learn of it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.access.scope import Grant, Scope
from crm.domain.roles import Role
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact, Job
from crm.models.places import Area, Workplace
from crm.models.ties import GroupMember, Leading, SocialGroup, Tie
from crm.reads.ties import get_following
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, LONG_AGO, NOW, TODAY, World

ClientAs = Callable[[factories.Named], FlaskClient]

pytestmark = pytest.mark.usefixtures("fixed_clock")


def _text(reply: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", reply.text)))


def _person(one: factories.Named) -> str:
    return f"/people/{one.public_id}"


def _form(*people: factories.Named, **more: Any) -> dict[str, Any]:
    ids = [str(one.public_id) for one in people]
    return {"people": ids, "basis": "seen", "day": TODAY.isoformat(), **more}


def _stored(model: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(ALL.select(model).order_by(model.id)).all()
        session.expunge_all()
        return list(rows)


def _tie(
    world: World,
    follower: factories.Named,
    leader: factories.Named,
    *,
    at: factories.Named | None = None,
    **more: Any,
) -> Any:
    at = at or world.mill
    values = {"basis": "seen", "valid_from": LONG_AGO, "recorded_at": NOW, **more}
    with unit_of_work(ALL) as session:
        tie = Tie(
            contact_id=follower.id,
            leader_id=leader.id,
            workplace_id=at.id,
            place_id=at.id,
            **values,
        )
        session.add(tie)
        session.flush()
        return tie.public_id


def _lead(world: World, person: factories.Named, *, at: factories.Named | None = None) -> Any:
    at = at or world.mill
    with unit_of_work(ALL) as session:
        row = Leading(
            contact_id=person.id,
            workplace_id=at.id,
            place_id=at.id,
            stage="identified",
            found_by="named",
            valid_from=LONG_AGO,
            recorded_at=NOW,
        )
        session.add(row)
        session.flush()
        return row.public_id


def _area_rep(world: World, area: factories.Named) -> factories.Named:
    with unit_of_work(ALL) as session:
        place = session.scalars(ALL.select(Area).where(Area.id == area.id)).one()
        user = factories.make_user(session, "Yardley Rep", role=Role.REP, place=place)
        return factories.Named(user.id, user.public_id, user.name)


# Adding


def test_a_tie_is_stored_shown_on_both_pages_and_audited(world: World, client_as: ClientAs) -> None:
    client = client_as(world.rep)
    reply = client.post(
        f"{_person(world.ioana)}/ties/new", data=_form(world.tomasz, basis="self", day="2026-11-02")
    )
    assert (reply.status_code, reply.location) == (303, f"{_person(world.ioana)}#ties")
    (tie,) = _stored(Tie)
    assert (tie.contact_id, tie.leader_id) == (world.ioana.id, world.tomasz.id)
    # She said so herself, so she is the one who named him.
    assert (tie.said_by_id, tie.place_id, tie.recorded_by_id) == (
        world.ioana.id,
        world.packing.id,
        world.rep.id,
    )
    told = "They said so themselves · since 2 November 2026"
    assert f"Listens to Tomasz K · {told}" in _text(client.get(_person(world.ioana)))
    page = _text(client.get(_person(world.tomasz)))
    assert f"Who listens to them Ioana P · {told}" in page
    assert "Named by 1 person." in page
    with unit_of_work(ALL, read_only=True) as session:
        entries = session.scalars(ALL.select(AuditEntry).where(AuditEntry.subject == "tie")).all()
        assert [(one.actor_id, one.contact_id) for one in entries] == [
            (world.rep.id, world.ioana.id)
        ]


def test_several_who_listen_to_one_are_stored_at_once_and_twice_sent_is_once_stored(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.rep)
    for _sent in range(2):
        reply = client.post(
            f"{_person(world.tomasz)}/ties/new?way=from", data=_form(world.ioana, world.rukhsana)
        )
        assert reply.status_code == 303
    assert [(tie.contact_id, tie.leader_id) for tie in _stored(Tie)] == [
        (world.ioana.id, world.tomasz.id),
        (world.rukhsana.id, world.tomasz.id),
    ]


def test_the_colleague_who_told_us_is_found_by_part_of_their_name(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.rep)
    address = f"{_person(world.ioana)}/ties/new"
    data = _form(world.tomasz, basis="colleague", teller="rukh")
    assert client.post(address, data=data).status_code == 303
    assert [tie.said_by_id for tie in _stored(Tie)] == [world.rukhsana.id]
    assert "A colleague told us ( Rukhsana A )" in _text(client.get(_person(world.ioana)))


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"day": "2027-01-01"}, "This day has not come yet. Choose today or a day before."),
        ({"people": []}, "Tick at least one person."),
        ({"basis": ""}, "Choose one."),
        (
            {"basis": "colleague", "teller": "Marta S"},
            "Nobody of this name works here. Check the name, or leave it empty.",
        ),
        (
            {"basis": "colleague", "teller": "a"},
            "More than one person fits: Ioana P, Night packer 3, Rukhsana A, Tomasz K.",
        ),
    ],
)
def test_a_refusal_says_what_to_do_keeps_what_was_typed_and_stores_nothing(
    world: World, client_as: ClientAs, more: dict[str, Any], refusal: str
) -> None:
    reply = client_as(world.rep).post(
        f"{_person(world.ioana)}/ties/new", data=_form(world.tomasz, **more)
    )
    assert reply.status_code == 422
    assert refusal in _text(reply)
    if "people" not in more:
        assert re.search(rf'checked[^>]*value="{world.tomasz.public_id}"', reply.text)
    assert _stored(Tie) == []


def test_nobody_listens_to_themselves(world: World, client_as: ClientAs) -> None:
    reply = client_as(world.rep).post(
        f"{_person(world.ioana)}/ties/new", data=_form(world.tomasz, world.ioana)
    )
    assert reply.status_code == 422
    assert "Nobody listens to themselves here. Choose somebody else." in _text(reply)
    assert _stored(Tie) == []


@pytest.mark.parametrize("who", ["docker", "leaver", "depot_worker"])
def test_whoever_does_not_work_there_now_is_not_found(
    world: World, client_as: ClientAs, who: str
) -> None:
    reply = client_as(world.organiser).post(
        f"{_person(world.ioana)}/ties/new", data=_form(getattr(world, who))
    )
    assert reply.status_code == 404
    assert _stored(Tie) == []


def test_people_are_found_by_part_of_a_name_and_those_of_other_workplaces_never(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)
    page = client.get(f"{_person(world.ioana)}/ties/new?q=t")
    assert "Tomasz K · Yard" in page.text
    assert "Rukhsana" not in page.text
    for name in ("Marta", "Bilal", "Gareth"):
        page = client.get(f"{_person(world.ioana)}/ties/new?q={name}")
        assert "Nobody fits." in _text(page)


# Leaders


def test_a_leader_is_marked_and_confirmed_by_seven_of_ten(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.rep)
    address = f"{_person(world.tomasz)}/leader"
    data = {"found_by": "named", "day": "2026-11-03"}
    assert client.post(address, data=data).status_code == 303
    page = _text(client.get(_person(world.tomasz)))
    assert "Leader, not tested yet since 3 November 2026 · People named them" in page
    again = client.post(address, data=data)
    assert again.status_code == 422
    assert "This is already written down: they are a leader." in _text(again)
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        made = [factories.make_person(session, mill, f"Worker {place}") for place in range(3)]
        others = [factories.Named(one.id, one.public_id, one.known_as) for one in made]
    for one in others:
        _tie(world, one, world.tomasz)
    # Somebody who listened and has left cannot take part any more.
    _tie(world, world.leaver, world.tomasz)
    test = {"action": "Petition", "day": "2026-11-20"}
    few = [str(one.public_id) for one in others[:2]]
    reply = client.post(f"{address}/confirm", data={**test, "people": few})
    assert reply.status_code == 422
    assert "2 of the 3 people who listen to them took part." in _text(reply)
    # Ticks for people who do not listen to the leader count for nothing.
    wrong = [*few, str(world.ioana.public_id), str(world.docker.public_id)]
    assert client.post(f"{address}/confirm", data={**test, "people": wrong}).status_code == 422
    everybody = [str(one.public_id) for one in others]
    reply = client.post(f"{address}/confirm", data={**test, "people": everybody})
    assert reply.status_code == 303
    page = _text(client.get(_person(world.tomasz)))
    assert (
        "Leader, confirmed since 20 November 2026 · Petition , 20 November 2026: "
        "3 of 3 who listened took part"
    ) in page


def test_nobody_is_confirmed_without_somebody_who_listens(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.rep)
    address = f"{_person(world.tomasz)}/leader/confirm"
    assert "First write down who does, then confirm." in _text(client.get(address))
    reply = client.post(address, data={"action": "Petition", "day": TODAY.isoformat()})
    assert reply.status_code == 422
    assert _stored(Leading) == []


def test_whoever_holds_only_an_area_neither_confirms_nor_reads_how_many_listen(
    world: World, client_as: ClientAs
) -> None:
    _tie(world, world.ioana, world.tomasz)
    _lead(world, world.tomasz)
    rep = client_as(world.rep)
    data = {
        "action": "Petition",
        "day": TODAY.isoformat(),
        "people": [str(world.ioana.public_id)],
    }
    assert rep.post(f"{_person(world.tomasz)}/leader/confirm", data=data).status_code == 303
    assert "1 of 1 who listened took part" in _text(rep.get(_person(world.tomasz)))
    client = client_as(_area_rep(world, world.yard))
    assert client.get(f"{_person(world.tomasz)}/leader/confirm").status_code == 404
    page = _text(client.get(_person(world.tomasz)))
    assert "Leader, confirmed" in page
    assert "took part" not in page


def test_a_tie_is_ended_or_withdrawn(world: World, client_as: ClientAs) -> None:
    client = client_as(world.rep)
    over = _tie(world, world.ioana, world.tomasz)
    wrong = _tie(world, world.rukhsana, world.tomasz)
    reply = client.post(f"/ties/{over}/end", data={"how": "over"})
    assert (reply.status_code, reply.location) == (303, f"{_person(world.ioana)}#ties")
    assert client.post(f"/ties/{wrong}/end", data={"how": "wrong"}).status_code == 303
    assert client.post(f"/ties/{wrong}/end", data={"how": "wrong"}).status_code == 404
    assert client.post(f"/ties/{over}/end", data={}).status_code == 404
    assert [
        (tie.contact_id, tie.valid_to, tie.superseded_at is None)
        for tie in sorted(_stored(Tie), key=lambda tie: tie.id)
    ] == [
        (world.ioana.id, None, False),
        (world.rukhsana.id, None, False),
        (world.ioana.id, TODAY, True),
    ]
    assert "nobody written down yet" in _text(client.get(_person(world.tomasz)))


def test_leading_no_longer_ends_both_words_of_it_and_a_mistake_only_itself(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.rep)
    _tie(world, world.ioana, world.tomasz)
    found = _lead(world, world.tomasz)
    data = {
        "action": "Petition",
        "day": "2026-11-20",
        "people": [str(world.ioana.public_id)],
    }
    for _time in range(2):
        client.post(f"{_person(world.tomasz)}/leader/confirm", data=data)
    first = next(one for one in _stored(Leading) if one.stage == "confirmed")
    client.post(f"/leading/{first.public_id}/end", data={"how": "wrong"})
    assert [one.valid_to for one in _stored(Leading) if one.superseded_at is None] == [None, None]
    assert client.post(f"/leading/{found}/end", data={"how": "over"}).status_code == 303
    assert [one.valid_to for one in _stored(Leading) if one.superseded_at is None] == [TODAY, TODAY]
    assert "Not known as a leader" in _text(client.get(_person(world.tomasz)))


# Who may know


def test_ties_of_another_workplace_are_not_found(world: World, client_as: ClientAs) -> None:
    tie = _tie(world, world.ioana, world.tomasz)
    leading = _lead(world, world.tomasz)
    client = client_as(world.dock_rep)
    for address in (
        f"/ties/{tie}/end",
        f"/leading/{leading}/end",
        f"{_person(world.ioana)}/ties/new",
        f"{_person(world.ioana)}/leader",
        f"{_person(world.ioana)}/leader/confirm",
        f"/places/{world.mill.public_id}/leaders",
    ):
        assert client.get(address).status_code == 404, address
    for address in (f"/ties/{tie}/end", f"/leading/{leading}/end"):
        assert client.post(address, data={"how": "wrong"}).status_code == 404


def test_a_tie_to_somebody_outside_the_area_is_as_if_it_were_not_there(
    world: World, client_as: ClientAs
) -> None:
    tie = _tie(world, world.tomasz, world.ioana)
    _tie(world, world.ioana, world.tomasz)
    _lead(world, world.ioana)
    rep = _area_rep(world, world.yard)
    client = client_as(rep)
    page = client.get(_person(world.tomasz))
    assert "Ioana" not in page.text
    assert "Listens to not known yet" in _text(page)
    assert "nobody written down yet" in _text(page)
    assert client.get(f"/ties/{tie}/end").status_code == 404
    cover = _text(client.get(f"/places/{world.mill.public_id}/leaders"))
    assert "Leaders: 0 of 1 1 missing 1 of 1 not reached" in cover
    assert "Ioana" not in cover
    assert "Only the areas you hold." in cover
    scope = Scope(actor_id=rep.id, grants=(Grant(Role.REP, world.yard.id),))
    with unit_of_work(scope, read_only=True) as session:
        found = get_following(session, scope, world.mill.id, as_at=TODAY)
        entries = session.scalars(scope.select(AuditEntry)).all()
    assert (found.ties, dict(found.stages), dict(found.named_by)) == ((), {}, {})
    assert entries == []


def test_the_trail_of_a_tie_is_for_those_who_see_both_people(world: World) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            Tie(
                contact_id=world.tomasz.id,
                leader_id=world.ioana.id,
                workplace_id=world.mill.id,
                place_id=world.yard.id,
                basis="seen",
                valid_from=LONG_AGO,
                recorded_at=NOW,
            )
        )
    for place, seen in ((world.yard, 0), (world.mill, 1)):
        scope = Scope(actor_id=world.officer.id, grants=(Grant(Role.BRANCH_OFFICER, place.id),))
        with unit_of_work(scope, read_only=True) as session:
            entries = session.scalars(
                scope.select(AuditEntry).where(AuditEntry.subject == "tie")
            ).all()
        assert len(entries) == seen


def test_a_tie_follows_people_into_other_areas(world: World, client_as: ClientAs) -> None:
    _tie(world, world.tomasz, world.ioana)
    with unit_of_work(ALL) as session:
        job = session.scalars(ALL.select(Job).where(Job.contact_id == world.ioana.id)).one()
        job.place_id = job.area_id = world.yard.id
    client = client_as(_area_rep(world, world.yard))
    assert "Listens to Ioana P" in _text(client.get(_person(world.tomasz)))


def test_ties_at_a_workplace_that_is_not_held_stay_unseen_though_both_people_are_known(
    world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        dock = session.scalars(ALL.select(Workplace).where(Workplace.id == world.dock.id)).one()
        for one in (world.ioana, world.tomasz):
            person = session.scalars(ALL.select(Contact).where(Contact.id == one.id)).one()
            factories.make_job(session, person, dock)
    tie = _tie(world, world.ioana, world.tomasz, at=world.dock)
    client = client_as(world.rep)
    assert "Tomasz" not in client.get(_person(world.ioana)).text
    assert client.get(f"/ties/{tie}/end").status_code == 404


# How far leaders reach


def test_the_page_of_leaders_counts_by_area_and_shift(world: World, client_as: ClientAs) -> None:
    _lead(world, world.tomasz)
    _tie(world, world.ioana, world.tomasz)
    page = client_as(world.rep).get(f"/places/{world.mill.public_id}/leaders")
    text = _text(page)
    # Night shift in Packing: Ioana, who listens to Tomasz, and the placeholder, who does not.
    assert "Packing Leaders: 0 of 1 1 missing 1 of 2 not reached Nobody on our list" in text
    assert "Yard Nobody on our list Leaders: 1 of 1 0 of 1 not reached" in text
    assert "Area not known Nobody on our list Leaders: 0 of 1 1 missing 1 of 1 not reached" in text
    assert "The whole workplace 0 confirmed leaders Leaders: 1 of 1 2 of 4 not reached" in text
    assert "2 of 4 on our list. Ask them" in text
    assert "1 person comes to them · named by 0 people" in text
    for one in (world.rukhsana, world.placeholder):
        assert f'href="{_person(one)}#ties"' in page.text


def test_the_page_of_leaders_asks_the_database_a_fixed_number_of_times(
    world: World, client_as: ClientAs, count_statements: list[str]
) -> None:
    client = client_as(world.rep)
    address = f"/places/{world.mill.public_id}/leaders"

    client.get(address)
    count_statements.clear()
    client.get(address)
    few = len(count_statements)
    for leader in (world.ioana, world.rukhsana):
        _lead(world, leader)
        _tie(world, world.tomasz, leader)
    count_statements.clear()
    assert client.get(address).status_code == 200
    assert len(count_statements) == few


def test_the_page_of_leaders_stays_light_and_leads_to_the_names_on_the_wall(
    world: World, client_as: ClientAs
) -> None:
    _lead(world, world.tomasz)
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        many = [factories.make_person(session, mill, f"Worker {place}") for place in range(62)]
        session.add_all(
            Tie(
                contact_id=one.id,
                leader_id=world.tomasz.id,
                workplace_id=mill.id,
                place_id=mill.id,
                basis="seen",
                valid_from=LONG_AGO,
                recorded_at=NOW,
            )
            for one in many
        )
    client = client_as(world.rep)
    page = client.get(f"/places/{world.mill.public_id}/leaders")
    assert "62 people come to them" in _text(page)
    assert "Worker 5" not in page.text
    link = re.search(r'href="([^"]+view=table&amp;by=leader&amp;group=[^"]+)"', page.text)
    assert link
    listed = _text(client.get(html.unescape(link[1])))
    # He heads his own column.
    assert "63 people, as at" in listed
    assert "Worker 5 " in listed


# Groups


def _add_group(client: FlaskClient, world: World, **more: Any) -> Any:
    data = {"name": "Bus 22", "kind": "car_share", **more}
    return client.post(f"/places/{world.mill.public_id}/groups", data=data)


def test_people_are_put_into_a_group_and_taken_out(world: World, client_as: ClientAs) -> None:
    client = client_as(world.rep)
    reply = _add_group(client, world)
    assert reply.status_code == 303
    assert _add_group(client, world).location == reply.location
    ticked = {"people": [str(world.ioana.public_id), str(world.tomasz.public_id)]}
    for _sent in range(2):
        assert client.post(reply.location, data=ticked).status_code == 303
    (group,) = _stored(SocialGroup)
    first, second = _stored(GroupMember)
    assert {first.contact_id, second.contact_id} == {world.ioana.id, world.tomasz.id}
    assert "Bus 22 Car share or bus 2 people" in _text(
        client.get(f"/places/{world.mill.public_id}/groups")
    )
    assert "Groups Bus 22 · Car share or bus" in _text(client.get(_person(world.ioana)))
    for fact, how in ((first, "over"), (second, "wrong")):
        reply = client.post(f"/groups/members/{fact.public_id}/end", data={"how": how})
        assert (reply.status_code, reply.location) == (303, f"/groups/{group.public_id}")
    assert "Nobody yet." in _text(client.get(f"/groups/{group.public_id}"))
    assert "Bus 22" not in _text(client.get(_person(world.ioana)))


def test_a_group_gets_another_name_and_keeps_its_people(world: World, client_as: ClientAs) -> None:
    client = client_as(world.rep)
    address = _add_group(client, world).location
    client.post(address, data={"people": [str(world.ioana.public_id)]})
    assert f"{address}/name" in client.get(address).text
    reply = client.post(f"{address}/name", data={"name": "Bus 23", "version": "1"})
    assert (reply.status_code, reply.location) == (303, address)
    (group,) = _stored(SocialGroup)
    assert (group.name, group.version, group.kind.value) == ("Bus 23", 2, "car_share")
    assert len(_stored(GroupMember)) == 1
    changed = [one for one in _stored(AuditEntry) if one.subject == "social_group"]
    assert (changed[-1].old["name"], changed[-1].new["name"]) == ("Bus 22", "Bus 23")


def test_two_who_rename_a_group_at_once_both_see_both_names(
    world: World, client_as: ClientAs
) -> None:
    rep, organiser = client_as(world.rep), client_as(world.organiser)
    address = _add_group(rep, world).location
    assert organiser.post(f"{address}/name", data={"name": "Bus 23", "version": "1"}).location
    late = rep.post(f"{address}/name", data={"name": "Night bus", "version": "1"})
    assert late.status_code == 409
    assert "Saved by somebody else: Bus 23" in _text(late)
    assert 'value="Night bus"' in late.text
    assert re.search(r'<input[^>]* name="version"[^>]* value="2"', late.text)
    assert rep.post(f"{address}/name", data={"name": "Night bus", "version": "2"}).location
    assert [one.name for one in _stored(SocialGroup)] == ["Night bus"]


def test_a_name_that_another_group_bears_and_a_group_that_ended_are_refused(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.rep)
    address = _add_group(client, world).location
    _add_group(client, world, name="Bus 23")
    taken = client.post(f"{address}/name", data={"name": "Bus 23", "version": "1"})
    assert taken.status_code == 422
    assert "There is a group of this name and kind here already." in _text(taken)
    client.post(f"{address}/close")
    ended = client.post(f"{address}/name", data={"name": "Bus 24", "version": "2"})
    assert ended.status_code == 422
    assert "This group has ended." in _text(ended)
    outsider = client_as(world.dock_rep)
    assert outsider.get(f"{address}/name").status_code == 404
    assert outsider.post(f"{address}/name", data={"name": "X", "version": "2"}).status_code == 404
    assert {one.name for one in _stored(SocialGroup)} == {"Bus 22", "Bus 23"}


def test_nobody_is_put_into_a_group_that_has_ended_or_of_another_workplace(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)
    address = _add_group(client, world).location
    other = client.post(address, data={"people": [str(world.depot_worker.public_id)]})
    assert other.status_code == 404
    nobody = client.post(address, data={"people": []})
    assert (nobody.status_code, "Tick at least one person." in _text(nobody)) == (422, True)
    assert client.post(f"{address}/close").status_code == 303
    reply = client.post(address, data={"people": [str(world.ioana.public_id)]})
    assert reply.status_code == 422
    assert "This group has ended. Start a new one if people meet again." in _text(reply)
    assert _stored(GroupMember) == []


@pytest.mark.parametrize("kind", ["language", "prayer"])
def test_groups_that_tell_of_origin_or_belief_are_for_readers_of_notes_and_their_writer(
    world: World, client_as: ClientAs, kind: str
) -> None:
    organiser, rep = client_as(world.organiser), client_as(world.rep)
    address = _add_group(organiser, world, name="Friday prayers", kind=kind).location
    organiser.post(address, data={"people": [str(world.ioana.public_id)]})
    (member,) = _stored(GroupMember)
    list_address = f"/places/{world.mill.public_id}/groups"
    for page in (_person(world.ioana), list_address):
        assert "Friday prayers" in organiser.get(page).text
        assert "Friday prayers" not in rep.get(page).text
    assert rep.get(address).status_code == 404
    assert rep.get(f"/groups/members/{member.public_id}/end").status_code == 404
    assert rep.post(f"{address}/close").status_code == 404
    # What a rep writes down, that rep may read.
    own = _add_group(rep, world, name="Polish table", kind=kind).location
    assert rep.get(own).status_code == 200
    assert [one.need_to_know for one in _stored(SocialGroup)] == [True, True]


def test_groups_are_not_for_those_who_hold_only_an_area_or_another_workplace(
    world: World, client_as: ClientAs
) -> None:
    address = _add_group(client_as(world.rep), world).location
    for who in (_area_rep(world, world.yard), world.dock_rep):
        client = client_as(who)
        assert client.get(f"/places/{world.mill.public_id}/groups").status_code == 404
        assert client.get(address).status_code == 404
        assert _add_group(client, world).status_code == 404
