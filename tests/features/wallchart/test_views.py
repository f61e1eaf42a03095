"""The pages of the wall chart: what they show, what they weigh, whom they let in."""

from __future__ import annotations

import gzip
import html
import random
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.domain.roles import Role
from crm.features.wallchart import wording
from crm.models.campaigns import ListEntry, Participation
from crm.models.contacts import Contact, Job
from crm.models.conversations import FollowUp
from crm.models.places import Area
from crm.models.ties import Leading, Tie
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, World

ClientAs = Callable[[factories.Named], FlaskClient]

pytestmark = pytest.mark.usefixtures("fixed_clock")

# Who is signed in, the workplace, its areas, the people, the ties, the leaders, the counts, the
# last tests and what people did in them, the tags, the fields and the saved lists.
STATEMENTS = 13
# The weight that a wall of 500 people may have over the line; and one of 250, with the signs of the
# last tests on its tiles.
LIGHT = 12 * 1024 - 300
LIGHTER = 10 * 1024 - 300


def _text(reply: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", reply.text)))


def _address(world: World, query: str = "") -> str:
    return f"/places/{world.mill.public_id}/wall{query}"


def _short(reply: Any, name: str) -> str:
    found = re.search(rf"name=p value=([0-9a-f]+)>{name}<", reply.text)
    assert found
    return found[1]


def _one(session: Any, model: Any, inner: int) -> Any:
    return session.scalars(ALL.select(model).where(model.id == inner)).one()


def test_the_workplace_page_leads_to_the_wall(world: World, client_as: ClientAs) -> None:
    page = client_as(world.rep).get(f"/places/{world.mill.public_id}")
    assert f'href="{_address(world)}"' in page.text


def test_the_wall_says_of_each_person_what_its_signs_say(world: World, client_as: ClientAs) -> None:
    page = client_as(world.rep).get(_address(world))
    assert page.status_code == 200
    text = _text(page)
    assert "2 With us, member, no talk yet Ioana P" in text
    assert "3 Unsure, not a member, no talk yet Tomasz K" in text
    assert "? Not asked, membership not known, no talk yet Rukhsana A" in text


def test_a_leader_bears_a_star_with_its_words_and_the_gap_is_told(
    world: World, client_as: ClientAs
) -> None:
    at = {"workplace_id": world.mill.id, "place_id": world.mill.id, "valid_from": TODAY}
    fact = {**at, "recorded_at": NOW}
    test = {"action": "Petition", "action_on": TODAY, "listeners": 1, "acted": 1}
    with unit_of_work(ALL) as session:
        session.add_all(
            [
                Leading(contact_id=world.tomasz.id, stage="confirmed", **test, **fact),
                Leading(contact_id=world.rukhsana.id, stage="identified", found_by="seen", **fact),
                Tie(contact_id=world.ioana.id, leader_id=world.tomasz.id, basis="seen", **fact),
            ]
        )
    client = client_as(world.rep)
    page = client.get(_address(world))
    text = _text(page)
    assert "Tomasz K , confirmed leader" in text
    assert "Rukhsana A , leader, not tested yet" in text
    assert "Leaders 2 of 1 needed" in text
    assert "No leader reaches them 1 of 4 on our list" in text
    assert "Without a leader Packing : 2" in text
    by_leader = _text(client.get(_address(world, "?by=leader")))
    assert re.search(
        r"Rukhsana A 1 person .* Tomasz K 2 people .* No leader yet 1 person", by_leader
    )
    rows = client.get(_address(world, "?view=table&leads=none"))
    assert "Night packer 3" in rows.text
    assert "Ioana" not in rows.text
    assert "Leader, confirmed" in _text(client.get(_address(world, "?view=table&leads=yes")))
    listed = _text(client.get(_talk(world, "?gap=no_leader")))
    assert "1 person to share out." in listed
    assert "Ask whom they go to when something is wrong" in listed
    # Before that day nobody was known as a leader.
    assert "confirmed leader" not in _text(
        client.get(_address(world, "?as_at=2026-11-22&view=table"))
    )


def test_the_figures_name_their_base_and_what_is_not_known(
    world: World, client_as: ClientAs
) -> None:
    text = _text(client_as(world.rep).get(_address(world)))
    for figure in (
        "On our list 4 of 8 to 10",
        "Asked 2 of 4",
        "With us (1 and 2) 1 of 8 to 10",
        "Members 1 of 8 to 10, 2 not known",
        "Leaders 0 of 1 needed",
        "4 workers not named yet",
        "As at 23 November 2026",
    ):
        assert figure in text


def test_a_count_smaller_than_the_list_is_said_and_not_capped(
    world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        factories.make_headcount(session, _one(session, Area, world.packing.id), 1)
    text = _text(client_as(world.rep).get(_address(world)))
    assert "More people are on our list than the count says (1). Count again." in text
    assert "On our list 2 of 1" in text
    assert "With us (1 and 2) 1 of 2 on our list" in text


def test_a_tile_leads_to_the_log_the_person_and_the_move(world: World, client_as: ClientAs) -> None:
    client = client_as(world.rep)
    short = _short(client.get(_address(world)), "Ioana P")
    with unit_of_work(ALL, read_only=True) as session:
        job = session.scalars(
            ALL.select(Job.public_id).where(Job.contact_id == world.ioana.id)
        ).one()
    person = f"/people/{world.ioana.public_id}"
    for act, address in (
        ("log", f"/log/{world.ioana.public_id}?next=wall&place={world.mill.public_id}"),
        ("open", person),
        ("move", f"{person}/jobs/{job}/move"),
    ):
        reply = client.get(_address(world, f"?p={short}&do={act}"))
        assert (reply.status_code, reply.location) == (303, address)
        button = {"log": "", "open": "&o=", "move": "&m="}[act]
        tapped = client.get(_address(world, f"?p={short}{button}"))
        assert (tapped.status_code, tapped.location) == (303, address)
        assert client.get(address).status_code == 200


def test_after_a_talk_logged_from_the_wall_the_rep_is_back_at_the_wall(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.rep)
    address = f"/log/{world.ioana.public_id}?next=wall&place={world.mill.public_id}"
    form_id = re.search(r'name="id"[^>]*value="([^"]+)"', client.get(address).text)
    assert form_id
    reply = client.post(address, data={"id": form_id[1], "day": TODAY.isoformat()})
    assert (reply.status_code, reply.location) == (303, _address(world))


def test_letters_that_fit_two_people_ask_which_one(world: World, client_as: ClientAs) -> None:
    with unit_of_work(ALL) as session:
        for person, last in ((world.ioana.id, "1"), (world.tomasz.id, "2")):
            contact = _one(session, Contact, person)
            contact.public_id = type(contact.public_id)("abcd" + "0" * 27 + last)
    page = client_as(world.rep).get(_address(world, "?p=abcd&do=open"))
    assert page.status_code == 200
    assert "Who do you mean?" in _text(page)
    assert "Ioana P" in page.text
    assert "Tomasz K" in page.text
    # Tomasz and Ioana share 31 letters, so the wall itself tells them apart.
    assert len(_short(client_as(world.rep).get(_address(world)), "Ioana P")) == 32


@pytest.mark.parametrize("short", ["", "zz", "../x", "f" * 33, "00000000"])
def test_letters_that_fit_nobody_are_not_found(
    world: World, client_as: ClientAs, short: str
) -> None:
    assert client_as(world.rep).get(_address(world, f"?p={short}")).status_code == 404


def test_a_blank_leads_to_adding_somebody_with_the_area_chosen(
    world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        factories.make_headcount(session, _one(session, Area, world.yard.id), 5)
    client = client_as(world.rep)
    page = client.get(_address(world))
    found = re.search(r'href="\?add=([0-9a-f]+)"', page.text)
    assert found
    address = f"/people/new?workplace={world.mill.public_id}&area={world.yard.public_id}"
    reply = client.get(_address(world, f"?add={found[1]}"))
    assert (reply.status_code, reply.headers["Location"]) == (303, address)
    # What is no area, or several, leaves the choice to the reader.
    for wrong in ("", "zz", "%00"):
        reply = client.get(_address(world, f"?add={wrong}"))
        assert reply.headers["Location"] == f"/people/new?workplace={world.mill.public_id}"
    outsider = client_as(world.dock_rep).get(_address(world, f"?add={found[1]}"))
    assert outsider.status_code == 404
    form = client.get(address)
    assert f'<option selected value="{world.yard.public_id}">' in form.text


def test_filters_hide_tiles_and_say_so_but_the_figures_count_everybody(
    world: World, client_as: ClientAs
) -> None:
    page = client_as(world.rep).get(_address(world, "?stands=12"))
    text = _text(page)
    assert "1 of 4 people shown. The figures still count everybody." in text
    assert "Ioana P" in text
    assert "Tomasz K" not in text
    assert "On our list 4 of 8 to 10" in text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?not_asked=y", {"Rukhsana A", "Night packer 3"}),
        ("?stands=asked", {"Ioana P", "Tomasz K"}),
        ("?stands=3", {"Tomasz K"}),
        ("?member=member", {"Ioana P"}),
        ("?member=not_known", {"Rukhsana A", "Night packer 3"}),
        ("?issue=pay", set()),
        ("?stands=9&member=x", {"Ioana P", "Tomasz K", "Rukhsana A", "Night packer 3"}),
    ],
)
def test_each_filter_keeps_its_people(
    world: World, client_as: ClientAs, query: str, names: set[str]
) -> None:
    page = client_as(world.rep).get(_address(world, query))
    assert set(re.findall(r"name=p value=[0-9a-f]+>([^<]+)<", page.text)) == names


def test_each_figure_links_to_the_list_of_its_people(world: World, client_as: ClientAs) -> None:
    client = client_as(world.rep)
    page = client.get(_address(world))
    links = re.findall(r'<dd><a href="([^"]+)">(\d+)', page.text)
    assert len(links) == 5 * (1 + 3)
    for query, count in links:
        listed = _text(client.get(_address(world, html.unescape(query))))
        words = "Nobody fits." if count == "0" else rf"\b{count} (?:person|people), as at 23 Nov"
        assert re.search(words, listed), (query, count)


def test_a_day_to_come_is_refused_and_today_is_shown(world: World, client_as: ClientAs) -> None:
    page = client_as(world.rep).get(_address(world, "?as_at=2027-01-01"))
    assert "This day has not come yet. Choose today or a day before." in _text(page)
    assert "As at 23 November 2026" in _text(page)


def test_an_earlier_day_shows_those_of_then_and_no_gaps(world: World, client_as: ClientAs) -> None:
    text = _text(client_as(world.rep).get(_address(world, "?as_at=2026-02-01")))
    assert "Gareth O" in text
    assert "Gaps are for today." in text
    assert "Make a talk list" not in text


def test_the_table_says_the_same_in_words(world: World, client_as: ClientAs) -> None:
    text = _text(client_as(world.rep).get(_address(world, "?view=table&by=shift")))
    assert "4 people, as at 23 November 2026." in text
    assert "Ioana P 2 With us Nights Member None yet" in text
    assert "Rukhsana A ? Not asked Shift not known not known None yet" in text


def test_the_paper_has_initials_and_letters_and_the_key_is_a_sheet_of_its_own(
    world: World, client_as: ClientAs
) -> None:
    page = client_as(world.rep).get(_address(world, "?view=print"))
    chart, key = page.text.split("wl-sheet--key")
    chart = chart.split("<main")[1]
    for told in ("The Mill", "Packing", "Ioana", "union", "Brightway"):
        assert told not in re.sub(r'<span class="wc-unseen">[^<]*</span>', "", chart), told
    assert ">IP<" in chart
    assert ">NP3<" in chart
    assert "Do not leave on a table." in chart
    for told in ("The Mill", "Packing", "1 Leads", "On our list", "do not leave on a table"):
        assert told in key, told
    named = client_as(world.rep).get(_address(world, "?view=print&names=full&paper=a3"))
    assert "Ioana P" in named.text
    assert "wl-paper--a3" in named.text


def test_the_meeting_has_no_menu_but_a_way_to_hide(world: World, client_as: ClientAs) -> None:
    page = client_as(world.rep).get(_address(world, "?view=meeting"))
    assert "wc-tabs" not in page.text
    assert 'href="/hide"' in page.text
    assert "Press Shift three times to hide this." in _text(page)


def test_an_outsider_gets_404_and_an_administrator_403(world: World, client_as: ClientAs) -> None:
    for view in ("", "?view=table", "?view=meeting", "?view=print", "?p=a&do=open"):
        assert client_as(world.dock_rep).get(_address(world, view)).status_code == 404
        assert client_as(world.admin).get(_address(world, view)).status_code == 403


def test_a_rep_of_an_area_is_told_that_it_is_not_all(world: World, client_as: ClientAs) -> None:
    with unit_of_work(ALL) as session:
        yara = factories.make_user(
            session, "Yara Yard", role=Role.REP, place=_one(session, Area, world.yard.id)
        )
        named = factories.Named(yara.id, yara.public_id, yara.name)
    text = _text(client_as(named).get(_address(world)))
    assert "Only the areas you hold" in text
    assert "Tomasz K" in text
    assert "Ioana P" not in text


def test_a_wall_of_500_is_light_and_takes_few_statements(
    world: World, crowd: Callable[..., Any], client_as: ClientAs, count_statements: list[str]
) -> None:
    _tested(world, crowd(496).people)
    client = client_as(world.rep)
    client.get(_address(world))
    for by in ("area", "shift", "job", "employer", "leader"):
        count_statements.clear()
        page = client.get(_address(world, f"?by={by}"))
        # Fifty leaders are fifty columns, drawn one at a time.
        assert page.text.count("name=p value=") >= (0 if by == "leader" else 500), by
        assert len(count_statements) <= STATEMENTS + (by == "shift"), (by, count_statements)
        weight = len(gzip.compress(page.data, 6))
        assert weight <= LIGHT, (by, weight)


def test_a_wall_of_250_is_light_with_the_last_tests_on_its_tiles(
    world: World, crowd: Callable[..., Any], client_as: ClientAs
) -> None:
    _tested(world, crowd(246).people)
    page = client_as(world.rep).get(_address(world))
    assert page.text.count("tests: ") > 240
    weight = len(gzip.compress(page.data, 6))
    assert weight <= LIGHTER, weight


def test_a_larger_wall_leaves_the_tests_to_the_table(
    world: World, crowd: Callable[..., Any], client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wording, "TESTS_DRAWN_UP_TO", 10)
    _tested(world, crowd(12).people)
    client = client_as(world.rep)
    page = client.get(_address(world)).text
    assert "tests: " not in page
    assert "not known, did" in _text(client.get(_address(world, "?view=table")))


def _tested(world: World, people: Sequence[int]) -> None:
    """Store two tests with these people on their lists: some did, some did not, some not known."""
    chance = random.Random(2)
    at = {"place_id": world.mill.id, "workplace_id": world.mill.id}
    with unit_of_work(ALL) as session:
        for number in (1, 2):
            test = factories.make_test(
                session, world.mill, frozen_at=NOW + timedelta(days=number), people=len(people)
            )[2]
            entries = [
                ListEntry(test_id=test.id, number=place, contact_id=one, **at)
                for place, one in enumerate(people, start=1)
            ]
            session.add_all(entries)
            session.flush()
            session.add_all(
                Participation(
                    test_id=test.id,
                    entry_id=one.id,
                    contact_id=one.contact_id,
                    place_id=one.place_id,
                    deed=chance.choice(["did", "did", "did_not"]),
                    day=TODAY,
                    recorded_at=NOW,
                )
                for one in entries
                if chance.random() < 0.7
            )


def test_what_somebody_did_in_the_last_tests_is_on_the_tile_and_in_the_table(
    world: World, client_as: ClientAs
) -> None:
    people: list[Any] = [world.ioana, world.tomasz]
    with unit_of_work(ALL) as session:
        first = factories.make_test(session, world.mill, *people, name="First")
        factories.make_test(
            session, world.mill, people[0], name="Second", frozen_at=NOW + timedelta(hours=1)
        )
        session.add(
            Participation(
                test_id=first[2].id,
                entry_id=first[3].id,
                contact_id=world.ioana.id,
                place_id=first[3].place_id,
                deed="did",
                day=TODAY,
                recorded_at=NOW,
            )
        )
    client = client_as(world.rep)
    page = client.get(_address(world)).text
    assert "tests: did, not known" in page
    assert "tests: not known, not listed" in page
    assert page.count("tests: ") == 2  # Rukhsana and the placeholder were on neither list.
    table = _text(client.get(_address(world, "?view=table")))
    assert "First, Second" in table
    assert "did, not known" in table


def test_a_large_wall_is_folded_with_its_counts_in_sight(
    world: World, crowd: Callable[..., Any], client_as: ClientAs
) -> None:
    crowd(420, areas=3)
    page = client_as(world.rep).get(_address(world))
    assert '<details class="wl-col" open>' not in page.text
    assert "140 people · asked" in _text(page)


def test_a_very_large_wall_draws_one_column_at_a_time(
    world: World,
    crowd: Callable[..., Any],
    client_as: ClientAs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wording, "OPEN_UP_TO", 20)
    monkeypatch.setattr(wording, "DRAWN_UP_TO", 40)
    crowd(60, areas=3)
    client = client_as(world.rep)
    page = client.get(_address(world))
    assert "name=p value=" not in page.text
    links = re.findall(r'href="(\?open=\w+)">Show 20 people<', page.text)
    assert len(links) == 3
    opened = client.get(_address(world, links[0]))
    assert opened.text.count("name=p value=") == 20
    assert opened.text.count('<details class="wl-col" open>') == 1


# Talk lists


def _talk(world: World, query: str = "?gap=not_asked") -> str:
    return f"/places/{world.mill.public_id}/talk-list{query}"


def _tasks() -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(session.scalars(ALL.select(FollowUp)))


def test_a_gap_leads_to_a_talk_list_that_is_shared_out(world: World, client_as: ClientAs) -> None:
    client = client_as(world.rep)
    wall = client.get(_address(world))
    address = html.escape(_talk(world, "?gap=not_asked&group="))
    found = re.search(re.escape(address) + "([0-9a-f]+)", wall.text)
    assert found
    page = client.get(_talk(world, f"?gap=not_asked&group={found[1]}"))
    assert "1 person to share out." in _text(page)
    reply = client.post(
        _talk(world, f"?gap=not_asked&group={found[1]}"),
        data={
            "reps": [str(world.rep.public_id)],
            "each": "10",
            "due_on": "2026-11-30",
        },
    )
    assert reply.status_code == 303
    made = _text(client.get(reply.location))
    assert "Talk list made: 1 person. Owen Rep 1." in made
    assert "Owen Rep Night packer 3" in made
    assert [task.contact_id for task in _tasks()] == [world.placeholder.id]
    today = client.get("/")
    assert "Night packer 3" in today.text
    assert "Ask where they stand" in today.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reps": []}, "Choose at least one person."),
        ({"each": "0"}, "Enter a number from 1 to 50."),
        ({"each": "many"}, "Enter a number from 1 to 50."),
        ({"due_on": ""}, "Enter the day they should do it by."),
        ({"due_on": "2026-11-22"}, "This day is over. Choose today or a later day."),
    ],
)
def test_a_form_that_cannot_be_right_comes_back_with_what_was_typed(
    world: World, client_as: ClientAs, changes: dict[str, Any], words: str
) -> None:
    data = {"reps": [str(world.organiser.public_id)], "each": "7", "due_on": "2026-12-24"}
    page = client_as(world.rep).post(_talk(world), data={**data, **changes})
    assert page.status_code == 422
    assert words in _text(page)
    if "each" not in changes:
        assert 'value="7"' in page.text
    if "reps" not in changes:
        assert re.search(rf'checked[^>]*value="{world.organiser.public_id}"', page.text)
    assert _tasks() == []


def test_somebody_who_is_not_offered_cannot_be_sent_in(world: World, client_as: ClientAs) -> None:
    page = client_as(world.rep).post(
        _talk(world),
        data={"reps": [str(world.dock_rep.public_id)], "each": "7", "due_on": "2026-12-24"},
    )
    assert page.status_code == 422
    assert _tasks() == []


def test_an_outsider_makes_no_talk_list(world: World, client_as: ClientAs) -> None:
    for method in ("get", "post"):
        ask = getattr(client_as(world.dock_rep), method)
        assert ask(_talk(world)).status_code == 404
        ask = getattr(client_as(world.admin), method)
        assert ask(_talk(world)).status_code == 403


def _made(world: World, client: FlaskClient, **more: Any) -> str:
    data = {"reps": [str(world.rep.public_id)], "each": "9", "due_on": "2026-12-24", **more}
    reply = client.post(_talk(world), data=data)
    assert reply.status_code == 303
    return str(reply.location)


def test_a_list_just_made_is_undone_with_one_button_and_once(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.rep)
    address = _made(world, client)
    assert "2 people are taken off it." in _text(client.get(address))
    reply = client.post(f"{address}/undo")
    assert (reply.status_code, reply.location) == (303, address)
    after = _text(client.get(address))
    assert "Undone: 2 people taken off the list." in after
    assert "Nobody is on this list." in after
    assert "Undo this list" not in after
    assert "Ask where they stand" not in _text(client.get("/"))
    again = client.post(f"{address}/undo")
    assert again.status_code == 422
    assert "This list has been undone already." in _text(again)
    _made(world, client)


def test_a_list_just_made_goes_onto_paper_for_each_who_speaks(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.rep)
    page = client.get(_made(world, client)).text
    [picked] = re.findall(r'name="picked" value="([^"]*)"', page)
    begun = client.post("/sheets/new", data={"start": "1", "picked": picked})
    assert begun.status_code == 200
    assert len(picked.split()) == 2
    assert "The people on the list 2 people." in _text(begun)


def test_who_was_spoken_to_since_stays_on_the_list_and_is_named(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.rep)
    address = _made(world, client)
    task = next(one for one in _tasks() if one.contact_id == world.rukhsana.id)
    client.post(f"/follow-ups/{task.public_id}/done")
    client.post(f"{address}/undo")
    after = _text(client.get(address))
    assert "1 person stays: something was done since. See below." in after
    assert "Owen Rep Rukhsana A Done" in after
    assert "Night packer 3" not in after


def test_a_list_is_nobody_elses_to_see_or_undo(world: World, client_as: ClientAs) -> None:
    address = _made(world, client_as(world.rep))
    for who, status in ((world.organiser, 404), (world.dock_rep, 404), (world.admin, 403)):
        assert client_as(who).get(address).status_code == status
        assert client_as(who).post(f"{address}/undo").status_code == status
    assert len(_tasks()) == 2
