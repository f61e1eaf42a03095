"""The density page, its explanations, files and print: who sees what, and that all agree."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import openpyxl
import pandas as pd
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from crm.access import facts
from crm.access.permissions import Permission
from crm.access.spans import refresh_spans
from crm.analysis.frames import density_frame
from crm.domain.headcount import Counts
from crm.domain.roles import Role
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import Verb
from crm.features.density.queries import Filters, read_answer
from crm.features.density.wording import notes_text
from crm.models.accounts import UserAccount
from crm.models.audit import AuditEntry
from crm.models.ballots import Ballot, BallotEntry, BallotPart
from crm.models.contacts import Contact, Membership
from crm.models.lists import SavedList
from crm.models.places import Employer, Place, Workplace
from crm.web import clock, guard
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

ClientAs = Callable[[Named], FlaskClient]
pytestmark = pytest.mark.usefixtures("fixed_clock")


def _get(session: Any, kind: type[Any], named: Named) -> Any:
    return session.scalars(ALL.select(kind).where(kind.id == named.id)).one()


def _csv(client: FlaskClient, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/dash.csv{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def _words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def _table_rows(html: str) -> dict[str, list[str]]:
    """Return the rows of the last table of the page, by the words of their first cell."""
    table = html.split("<table>")[-1]
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", table, flags=re.DOTALL):
        cells = [_words(cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
        found[cells[0]] = cells[1:]
    return found


def test_the_page_says_the_total_with_both_ends_and_what_is_not_known(
    world: World, client_as: ClientAs
) -> None:
    words = _words(client_as(world.boss_of_all).get("/dash").text)
    # The Mill 1 of 8 to 10, the Dock 1 of 20 to 30. Together 2 ÷ 40; at most
    # (2 + 2 named not known + 35 not named) ÷ 40 = 97.5 %.
    assert "2 members confirmed of 28 to 40 workers: at least 5%, at most 98%." in words
    assert "2 people named: membership not known. Workers not named yet: 23 to 35." in words
    assert "We have a headcount for 2 of 3 places, where 67% of our members work." in words
    assert "1 place with an unknown workforce is not in the total." in words
    assert "Members there, and at no counted place: 1." in words


def test_a_place_with_an_unknown_workforce_is_last_and_shows_its_members_only(
    world: World, client_as: ClientAs
) -> None:
    rows = _table_rows(client_as(world.boss_of_all).get("/dash").text)
    assert [*rows] == ["Workplace", "The Mill", "The Dock", "The Depot", "All together"]
    assert rows["The Mill"][:7] == ["1", "1", "2", "4 to 6", "8 to 10", "10%", "90%"]
    assert rows["The Depot"] == [
        *("1", "0", "0", "not known", "not known", "not known", "not known", "not known"),
        "Workforce unknown: not in the total.",
    ]


def test_fewer_than_10_workers_are_shown_as_people_and_never_as_per_cent(
    world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        depot = _get(session, Workplace, world.depot)
        factories.make_headcount(session, depot, 3, 4, best=4)
    client = client_as(world.boss_of_all)
    rows = _table_rows(client.get("/dash").text)
    assert rows["The Depot"][4:7] == ["3 to 4", "1 of 4", "4 of 4"]
    found = {row["place"]: row for row in _csv(client_as(world.officer))}
    assert found["The Depot"]["low_percent"] == "[z]"
    assert found["The Depot"]["low_fraction"] == "0.250000"


def test_a_leaver_is_counted_on_the_compared_day_and_not_today(
    world: World, client_as: ClientAs
) -> None:
    page = client_as(world.rep).get("/dash?compare=2026-02-28").text
    mill = _table_rows(page)["The Mill"]
    assert mill[0] == "1"
    assert mill[7:10] == ["2", "\u22121", "20% to 90%"]


def test_a_person_with_two_jobs_counts_once_in_the_total(world: World, client_as: ClientAs) -> None:
    with unit_of_work(ALL) as session:
        factories.make_job(
            session, _get(session, Contact, world.ioana), _get(session, Workplace, world.dock)
        )
    rows = _table_rows(client_as(world.boss_of_all).get("/dash").text)
    assert (rows["The Mill"][0], rows["The Dock"][0]) == ("1", "2")
    assert rows["All together"][0] == "2"


def test_more_people_named_than_the_headcount_is_flagged(world: World, client_as: ClientAs) -> None:
    with unit_of_work(ALL) as session:
        mill = _get(session, Workplace, world.mill)
        factories.make_headcount(session, mill, 2, 2, on_day=date(2026, 5, 1))
    page = client_as(world.rep).get("/dash").text
    assert "More people named than the headcount says at 1 place. Count the workers there." in page
    assert _table_rows(page)["The Mill"][4:7] == ["2 to 4", "1 of 4", "3 of 4"]


def test_a_basis_without_headcounts_leads_to_the_one_that_has_them(
    world: World, client_as: ClientAs
) -> None:
    page = client_as(world.rep).get("/dash?counts=employer_direct").text
    assert "Density not known: nobody has counted them." in page
    assert "1 place has one for: Everyone on site" in page


def test_out_of_a_part_of_the_workers_every_page_and_file_has_the_same_bounds(
    world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        mill, union = _get(session, Workplace, world.mill), _get(session, Place, world.union)
        factories.make_headcount(session, mill, 10, 10, best=10)
        factories.make_headcount(session, mill, 8, 8, best=8, counts=Counts.EMPLOYER_DIRECT)
        own = factories.make_person(session, mill, "Own", employer_of_record_id=world.brightway.id)
        agency = factories.make_person(session, mill, "Agency", contract_type="agency")
        for person in (own, agency):
            factories.make_membership(session, person, union)
    client, asked = client_as(world.officer), "?counts=employer_direct&by=workplace"
    # 2 of 10 are outside the 8, one of them named. Own is in; Ioana (member), Tomasz (not one) and
    # two not known perhaps. At least Own; at most all but nobody: one of Tomasz can be outside.
    page = _words(client.get(f"/dash{asked}").text)
    assert "1 to 8 members of 8 workers: 1 of 8" not in page
    row = next(row for row in _csv(client, asked) if row["row"] == "place")
    assert [row[name] for name in ("members", "members_low", "members_high")] == ["1", "1", "8"]
    assert [row[f"perhaps_{name}"] for name in ("members", "not_members", "not_known")] == [
        *("1", "1", "2"),
    ]
    assert (row["low_fraction"], row["basis"]) == ("0.125000", "employer_direct")
    assert "4 people named: nobody wrote down whether they belong." in page
    for address in ("/dash/print", "/dash/more", f"/dash/explain/{world.mill.public_id}"):
        assert "1 of 8" in _words(client.get(f"{address}{asked}").text) or address == "/dash/more"
    changed = _words(client.get(f"/dash/changes{asked}").text)
    assert "1 to 8 members of 8 workers." in changed
    assert "cannot be told apart" in changed


def test_out_of_those_entitled_in_the_last_ballot_counts_who_is_still_a_member(
    world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        mill = _get(session, Workplace, world.mill)
        ballot = Ballot(
            name="Pay",
            kind="action",
            union_id=world.union.id,
            jurisdiction="GB",
            separate=False,
            place_id=world.branch.id,
            created_at=NOW,
            frozen_on=date(2026, 6, 1),
            frozen_at=NOW,
        )
        session.add(ballot)
        session.flush()
        part = BallotPart(ballot_id=ballot.id, place_id=mill.id, jurisdiction="GB")
        session.add(part)
        session.flush()
        for named, reason in (
            (world.ioana, None),
            (world.tomasz, None),
            (world.rukhsana, "not_called_out"),
        ):
            session.add(
                BallotEntry(
                    ballot_id=ballot.id,
                    part_id=part.id,
                    contact_id=named.id,
                    place_id=mill.id,
                    entitled=reason is None,
                    left_out=reason,
                )
            )
    client = client_as(world.officer)
    page = _words(client.get("/dash?counts=ballot").text)
    # Ioana still is a member, Tomasz is not; Rukhsana is not called out.
    assert "1 member of 2 on the list: 1 of 2." in page
    assert "Such a list was made for 1 place." in page
    rows = {row["place"]: row for row in _csv(client, "?counts=ballot")}
    assert [rows["The Mill"][name] for name in ("basis", "members", "workers_high")] == [
        *("ballot", "1", "2"),
    ]
    # Where no list was made nobody is counted, and nobody says that there are no members.
    assert "The Depot" not in rows
    before = _words(client.get("/dash?counts=ballot&as_at=2026-05-31").text)
    assert "No list of those entitled in a ballot was made here by this day." in before
    assert "Those entitled in the last ballot" in client.get("/dash/more").text


def test_a_wide_range_says_what_makes_it_narrower(app: Flask, world: World) -> None:
    with unit_of_work(ALL, read_only=True) as session:
        row = read_answer(session, ALL, Filters(as_at=TODAY)).rows[0]
    wide = replace(row, notes=("count_the_workers",), not_known_named=20)
    counted_well = replace(wide, workers_low=100, workers_best=105, workers_high=110)
    counted_badly = replace(wide, workers_low=100, workers_best=150, workers_high=190)
    with app.test_request_context("/"):
        assert "ask whether they are members" in notes_text(counted_well)
        assert "count the workers" in notes_text(counted_badly)
        # Everybody on a list is named: nobody is left to count.
        assert "ask whether they are members" in notes_text(replace(counted_badly, basis="list"))


def test_of_a_saved_list_only_its_people_count_under_the_readers_own_scope(
    world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        officer = _get(session, UserAccount, world.officer)
        everybody = _get(session, Place, world.branch)
        factories.make_saved_list(
            session, officer, "Not members", share_with=everybody, member=["not_member"]
        )
        hers = factories.make_saved_list(session, officer, "Members", member=["member"])
        shared = session.scalars(ALL.select(SavedList).where(SavedList.name == "Not members")).one()
        keys = {"members": hers.public_id, "shared": shared.public_id}
    office = client_as(world.officer)
    rows = {row["place"]: row for row in _csv(office, f"?saved={keys['members']}")}
    told = {
        name: (row["members"], row["workers_high"], row["basis"])
        for name, row in rows.items()
        if name.startswith("The ")
    }
    # Out of the people on the list: all of them members, at each place that has some.
    assert told == dict.fromkeys(("The Mill", "The Depot"), ("1", "1", "list"))
    rep = client_as(world.rep)
    assert rep.get(f"/dash?saved={keys['members']}").status_code == 404
    page = rep.get(f"/dash?saved={keys['shared']}").text
    assert "0 members of 1 on the list" in _words(page)
    assert "The Dock" not in page
    for path in ("/dash/more", "/dash/changes", "/dash/print", "/dash/explain"):
        answer = office.get(f"{path}?saved={keys['members']}")
        assert answer.status_code == 200, path
        assert "people on the list “Members”" in answer.text, path
    assert "Not members" in rep.get("/dash").text
    assert office.get(f"/dash?saved={uuid.uuid4()}").status_code == 404


@pytest.mark.parametrize("page", ["more", "changes"])
def test_paper_and_files_of_the_other_pages_hold_the_same_and_are_written_down(
    world: World, client_as: ClientAs, page: str
) -> None:
    client, asked = client_as(world.officer), "?as_at=2026-11-23&compare=2026-02-28"
    screen, paper = (
        _cells(client.get(f"/dash/{page}{path}{asked}").text) for path in ("", "/print")
    )
    assert screen == paper
    assert len(screen) > 3
    content = client.get(f"/dash/{page}.csv{asked}").data.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    told = {(row["table"], row["line"], row["measure"]): row for row in rows}
    if page == "more":
        density = told["bases", "site_all", "density"]
        # The Mill 1 of 8 to 10; at most 9 of 10.
        ends = ("numerator", "out_of_low", "out_of_high", "low", "high", "not_known")
        assert [density[end] for end in ends] == ["1", "8", "10", "0.1", "0.9", "8"]
        assert told["bases", "employer_direct", "density"]["low"] == "[x]"
        assert told["contracts", "not_known", "people"]["numerator"] == "5"
    else:
        # Who left the Mill on 1 March was a member.
        assert told["members", "member_left", "people"]["numerator"] == "1"
        assert told["members", "member_left", "members"]["numerator"] == "-1"
        first, last = (
            float(told["members", line, "members"]["numerator"])
            for line in ("first_day", "last_day")
        )
        moved = sum(
            float(row["numerator"])
            for (table, line, measure), row in told.items()
            if (table, measure) == ("members", "members") and not line.endswith("_day")
        )
        assert first + moved == last
        assert told["members", "last_day", "members"]["after"] == "2026-02-28"
    assert {row["name"] for row in rows} == {"site_all"}
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"/dash/{page}.xlsx{asked}").data))
    assert len(book.worksheets) >= 3
    with unit_of_work(ALL, read_only=True) as session:
        subjects = set(
            session.scalars(ALL.select(AuditEntry.subject).where(AuditEntry.verb == Verb.EXPORT))
        )
    what = "measures" if page == "more" else page
    assert subjects >= {f"{what}_csv", f"{what}_xlsx"}
    assert client_as(world.rep).get(f"/dash/{page}.csv").status_code == 403
    assert ".csv" not in client_as(world.rep).get(f"/dash/{page}").text
    assert client.get(f"/dash/{page}/print?as_at=never").status_code == 404


def _cells(html: str) -> list[str]:
    """Return the rows of all tables of a page, as words."""
    return [_words(row).strip() for row in re.findall(r"<tr>.*?</tr>", html, flags=re.DOTALL)]


def test_a_rep_sees_only_their_own_place_and_total(world: World, client_as: ClientAs) -> None:
    page = client_as(world.rep).get("/dash").text
    assert "The Dock" not in page
    assert "The Depot" not in page
    assert "1 member confirmed of 8 to 10 workers: at least 10%, at most 90%." in _words(page)


@pytest.mark.parametrize("by", ["workplace", "area", "employer", "union", "branch", "region"])
def test_every_way_of_grouping_shows_with_every_filter(
    world: World, client_as: ClientAs, by: str
) -> None:
    client = client_as(world.boss_of_all)
    for more in (
        "",
        f"&union={world.union.public_id}",
        f"&branch={world.branch.public_id}&region={world.region.public_id}&sector=private",
        f"&employer={world.brightway.public_id}&compare=2026-01-31",
        f"&workplace={world.mill.public_id}&knew=2026-11-22",
    ):
        assert client.get(f"/dash?by={by}{more}").status_code == 200
        assert client.get(f"/dash/print?by={by}{more}").status_code == 200


@pytest.mark.parametrize("path", ["/dash", "/dash/print", "/dash/explain"])
def test_a_filter_on_a_place_outside_the_scope_is_not_found(
    world: World, client_as: ClientAs, path: str
) -> None:
    client = client_as(world.rep)
    missing = client.get(f"{path}?workplace={uuid.uuid4()}")
    for query in (
        f"workplace={world.dock.public_id}",
        f"employer={world.saltway.public_id}",
        f"employer={world.mill.public_id}",
        "branch=nonsense",
    ):
        answer = client.get(f"{path}?{query}")
        assert answer.status_code == 404
        assert (
            _words(answer.text).split("give this code")[0]
            == _words(missing.text).split("give this code")[0]
        )


def test_an_explanation_of_a_place_outside_the_scope_is_not_found(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.rep)
    for place in (world.dock, world.depot, world.saltway, world.other_branch):
        assert client.get(f"/dash/explain/{place.public_id}").status_code == 404
    assert client.get(f"/dash/explain/{world.mill.public_id}").status_code == 200


def test_an_explanation_gives_every_step_with_its_numbers(
    world: World, client_as: ClientAs
) -> None:
    words = _words(client_as(world.rep).get(f"/dash/explain/{world.mill.public_id}").text)
    assert "1 member ÷ 10 workers, the highest count." in words
    assert "At least: 10.000%" in words
    assert (
        "With 8 workers: (1 member + 2 not known + 4 not named) ÷ 8 = 87.500%. "
        "With 10 workers: (1 member + 2 not known + 6 not named) ÷ 10 = 90.000%. "
        "The greater one is taken." in words
    )
    assert "Counted by us, 1 January 2020. It counts: Everyone on site." in words


def test_an_explanation_of_a_sum_names_what_is_left_out(world: World, client_as: ClientAs) -> None:
    client = client_as(world.boss_of_all)
    page = client.get(f"/dash/explain/{world.brightway.public_id}").text
    assert "Left out: workforce unknown" in page
    assert [*_table_rows(page)] == ["Place", "The Depot"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("as_at=yesterday", "Enter a date like 14/05/2026, or pick one."),
        ("by=planet", "Choose one from the list."),
        ("counts=fte", "Choose one from the list."),
        ("sector=%F0%9F%98%80", "Choose one from the list."),
        ("knew=0001-01-01", "Enter a date like 14/05/2026, or pick one."),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused_beside_its_field(
    world: World, client_as: ClientAs, query: str, sentence: str
) -> None:
    answer = client_as(world.rep).get(f"/dash?{query}")
    assert answer.status_code == 422
    assert sentence in answer.text


def test_a_page_number_past_the_end_shows_the_last_page(world: World, client_as: ClientAs) -> None:
    assert "The Mill" in client_as(world.rep).get("/dash?page=99").text
    assert client_as(world.rep).get("/dash?page=-1").status_code == 200


def test_figures_as_known_yesterday_do_not_change_when_a_fact_is_corrected_today(
    world: World, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_days_on = NOW + timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: two_days_on)
    monkeypatch.setattr(guard, "IDLE_LIMIT", timedelta(days=3))
    client = client_as(world.rep)
    before = _table_rows(client.get("/dash?as_at=2026-11-23&knew=2026-11-24").text)["The Mill"]
    with unit_of_work(ALL) as session:
        held = session.scalars(
            ALL.select(Membership).where(Membership.contact_id == world.ioana.id)
        ).one()
        facts.withdraw(held, now=two_days_on)
        refresh_spans(session, world.ioana.id)
    after = _table_rows(client.get("/dash?as_at=2026-11-23&knew=2026-11-24").text)["The Mill"]
    now = _table_rows(client.get("/dash?as_at=2026-11-23").text)["The Mill"]
    assert before == after
    assert before[0] == "1"
    assert (now[0], now[2]) == ("0", "3")


def test_the_numbers_lead_to_the_people_they_count(world: World, client_as: ClientAs) -> None:
    client = client_as(world.rep)
    page = client.get("/dash").text
    address = f"/people?place={world.mill.public_id}&amp;member=not_known&amp;as_at=2026-11-23"
    assert address in page
    people = client.get(address.replace("&amp;", "&")).text
    assert "Rukhsana A" in people
    assert "Night packer 3" in people
    assert "Ioana P" not in people


def test_a_line_for_each_industry_and_one_for_employers_without_a_code(
    world: World, client_as: ClientAs
) -> None:
    # A branch does not hold the employer whose workplace it organises, and yet knows its industry.
    branch = client_as(world.officer).get("/dash?by=industry").text
    assert 'industry=H"' in branch
    assert 'sector=private"' in client_as(world.officer).get("/dash?by=sector").text
    client = client_as(world.boss_of_all)
    page = client.get("/dash?by=industry&as_at=2026-11-23").text
    assert "Transportation and storage" in page
    assert "Industry not known" in page
    inside = "/dash?as_at=2026-11-23&amp;by=workplace&amp;counts=site_all&amp;industry=H"
    assert inside in page
    narrowed = client.get(inside.replace("&amp;", "&")).text
    assert world.mill.name in narrowed
    assert world.dock.name not in narrowed


def test_an_industry_that_is_none_is_refused(world: World, client_as: ClientAs) -> None:
    assert client_as(world.boss_of_all).get("/dash?industry=Z").status_code == 422


def test_a_file_of_industries_names_the_letter_and_what_it_stands_for(
    world: World, client_as: ClientAs
) -> None:
    content = client_as(world.officer).get("/dash.csv?by=industry").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"))))
    found = {(row["place"], row["place_detail"]) for row in rows if row["row"] == "place"}
    assert ("H", "Transportation and storage") in found


def test_the_page_asks_the_database_under_25_times(
    world: World, client_as: ClientAs, count_statements: list[str]
) -> None:
    client = client_as(world.boss_of_all)
    for by in ("workplace", "area", "employer", "union", "branch", "region", "sector", "industry"):
        count_statements.clear()
        assert client.get(f"/dash?by={by}&compare=2026-01-31").status_code == 200
        assert len(count_statements) < 25


def test_a_rep_may_not_take_a_file(world: World, client_as: ClientAs) -> None:
    for user in (world.rep, world.boss_of_all, world.admin):
        assert client_as(user).get("/dash.csv").status_code == 403
        assert client_as(user).get("/dash.xlsx").status_code == 403
    assert "Spreadsheet" not in client_as(world.rep).get("/dash").text
    assert client_as(world.admin).get("/dash").status_code == 403


def test_a_file_leaves_a_line_in_the_audit_trail(world: World, client_as: ClientAs) -> None:
    client_as(world.officer).get(f"/dash.csv?branch={world.branch.public_id}")
    with unit_of_work(ALL, read_only=True) as session:
        row = session.execute(
            ALL.select(AuditEntry).where(AuditEntry.verb == Verb.EXPORT)
        ).scalar_one()
    assert (row.actor_id, row.subject) == (world.officer.id, "density_csv")
    assert row.new == {
        "rows": 3,
        "filters": {
            "as_at": "2026-11-23",
            "by": "workplace",
            "counts": "site_all",
            "branch": str(world.branch.public_id),
        },
    }


def test_a_file_holds_only_places_where_this_person_may_take_files(
    world: World, client_as: ClientAs
) -> None:
    from crm.models.accounts import UserAccount

    with unit_of_work(ALL) as session:
        officer = session.scalars(
            sa.select(UserAccount).where(UserAccount.id == world.officer.id)
        ).one()
        factories.make_grant(session, officer, Role.REP, _get(session, Workplace, world.dock))
    client = client_as(world.officer)
    assert "The Dock" in client.get("/dash").text
    assert [row["place"] for row in _csv(client)] == ["The Mill", "The Depot", "[z]"]


def test_screen_csv_workbook_frame_and_plain_sql_agree(world: World, client_as: ClientAs) -> None:
    client = client_as(world.officer)
    screen = _table_rows(client.get("/dash?compare=2026-02-28").text)
    rows = _csv(client, "?compare=2026-02-28")
    book = openpyxl.load_workbook(
        io.BytesIO(client.get("/dash.xlsx?compare=2026-02-28").data), data_only=False
    )
    about, sheet = book.worksheets
    names = [cell.value for cell in sheet[1]]
    assert names == [*rows[0]]
    lines = [[cell.value for cell in line] for line in sheet.iter_rows(min_row=2)]
    assert len(lines) == len(rows) == 6
    for line, row in zip(lines, rows, strict=True):
        for name, cell in zip(names, line, strict=True):
            assert _same(cell, row[name]), name
    with unit_of_work(ALL, read_only=True) as session:
        from crm.access.scope import Grant, Scope

        scope = Scope(world.officer.id, (Grant(Role.BRANCH_OFFICER, world.branch.id),))
        answer = read_answer(
            session,
            scope,
            Filters(as_at=TODAY, compare=date(2026, 2, 28)),
            permission=Permission.EXPORT_MAKE,
        )
    frame = density_frame(answer.everything)
    file = pd.read_csv(io.BytesIO(client.get("/dash.csv?compare=2026-02-28").data), dtype=str)
    assert [*frame.columns] == [*file.columns]
    for name in ("members", "low_fraction", "high_fraction", "workers_high", "not_known_named"):
        from_file = pd.to_numeric(file[name].replace({"[x]": None, "[z]": None}))
        assert from_file.fillna(-1).tolist() == frame[name].fillna(-1).tolist()
    mill = rows[0]
    assert screen["The Mill"][:3] == [
        mill["members"],
        mill["not_members"],
        mill["not_known_named"],
    ]
    assert screen["The Mill"][5:7] == [f"{mill['low_percent']}%", f"{mill['high_percent']}%"]
    assert _members_by_sql(world.mill.id, TODAY) == int(mill["members"])
    assert _members_by_sql(world.mill.id, date(2026, 2, 28)) == int(rows[3]["members"])
    said = {line[0].value: line[1].value for line in about.iter_rows() if line[0].value}
    assert said["As at"] == "23 November 2026"
    assert said["Made by"] == "Kasia Officer"
    assert said["Compared with"] == "28 February 2026"
    assert "[x] means not known. [z] means does not apply." in said
    assert "Contains union data: do not leave on a table." in said
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref is not None


def _same(cell: Any, text: str) -> bool:
    if isinstance(cell, datetime):
        return cell.date().isoformat() == text
    if isinstance(cell, int | float):
        return float(text) == cell
    return str(cell) == text


def _members_by_sql(workplace_id: int, day: date) -> int:
    """Count by a statement of our own, from the facts, past all of the code under test."""
    with db.engine.connect() as connection:
        return int(
            connection.execute(
                sa.text(
                    "SELECT count(DISTINCT j.contact_id) FROM job j JOIN membership m"
                    " ON m.contact_id = j.contact_id AND m.status = 'member'"
                    " AND m.superseded_at IS NULL AND m.valid_from <= :day"
                    " AND (m.valid_to IS NULL OR m.valid_to > :day)"
                    " WHERE j.superseded_at IS NULL AND j.workplace_id = :place"
                    " AND j.valid_from <= :day AND (j.valid_to IS NULL OR j.valid_to > :day)"
                ).execution_options(crm_scope=True),
                {
                    "day": day.isoformat() if db.engine.dialect.name == "sqlite" else day,
                    "place": workplace_id,
                },
            ).scalar_one()
        )


def test_a_name_that_looks_like_a_formula_stays_text(world: World, client_as: ClientAs) -> None:
    with unit_of_work(ALL) as session:
        mill = _get(session, Workplace, world.mill)
        mill.name = "=1+1"
        depot = _get(session, Workplace, world.depot)
        depot.name = " @SUM(A1)"
    client = client_as(world.officer)
    assert [row["place"] for row in _csv(client)] == ["'=1+1", "' @SUM(A1)", "[z]"]
    book = openpyxl.load_workbook(io.BytesIO(client.get("/dash.xlsx").data))
    cells = [line[5] for line in book.worksheets[1].iter_rows(min_row=2)]
    assert [(cell.value, cell.data_type) for cell in cells] == [
        ("'=1+1", "s"),
        ("' @SUM(A1)", "s"),
        ("[z]", "s"),
    ]
    assert "=1+1" in client.get("/dash").text


def test_a_workplace_name_is_never_markup(world: World, client_as: ClientAs) -> None:
    with unit_of_work(ALL) as session:
        _get(session, Workplace, world.mill).name = "<b>Mill</b> {{ 1 }}"
    client = client_as(world.rep)
    for path in ("/dash", "/dash/print", f"/dash/explain/{world.mill.public_id}"):
        page = client.get(path).text
        assert "<b>Mill" not in page
        assert "&lt;b&gt;Mill&lt;/b&gt; {{ 1 }}" in page


def test_practice_is_marked_on_the_page_on_paper_and_in_files(
    app: Any, world: World, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "PRACTICE", True)
    client = client_as(world.officer)
    assert "PRACTICE" in client.get("/dash").text
    assert "PRACTICE" in client.get("/dash/print").text
    assert {row["practice"] for row in _csv(client)} == {"PRACTICE"}
    answer = client.get("/dash.xlsx")
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="PRACTICE-density-2026-11-23.xlsx"'
    )
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert book.worksheets[0]["A1"].value == "PRACTICE"
    assert book.worksheets[1]["A2"].value == "PRACTICE"


def test_own_union_and_any_union_are_different_figures(world: World, client_as: ClientAs) -> None:
    client = client_as(world.boss_of_all)
    own = _table_rows(client.get(f"/dash?union={world.other_union.public_id}").text)
    assert own["The Dock"][0] == "1"
    assert own["The Mill"][0] == "0"
    by_union = _table_rows(client.get("/dash?by=union").text)
    assert {name: cells[0] for name, cells in by_union.items() if name != "Union"} == {
        "Dockers&#39; Union": "1",
        "Warehouse Workers&#39; Union": "1",
        "All together": "2",
    }


def test_stated_counts_show_a_place_of_which_no_list_is_held(
    world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        place = factories.make_workplace(
            session, _get(session, Employer, world.brightway), "Essex County"
        )
        factories.make_headcount(session, place, 62181.97)
        factories.make_member_count(session, place, 7391)
    client = client_as(world.boss_of_all)
    row = _table_rows(client.get("/dash").text)["Essex County"]
    assert row[0] == "7,391"
    assert row[4:7] == ["62,182.0", "12%", "12%"]
    public_id = _public_id("Essex County")
    words = _words(client.get(f"/dash/explain/{public_id}").text)
    assert "At least: 11.886%" in words
    assert "At most: 11.886%" in words


def _public_id(name: str) -> uuid.UUID:
    with unit_of_work(ALL, read_only=True) as session:
        found: uuid.UUID = session.execute(
            ALL.select(Place.public_id).where(Place.name == name)
        ).scalar_one()
    return found


def test_an_empty_scope_of_places_says_so(world: World, client_as: ClientAs) -> None:
    page = client_as(world.rep).get(f"/dash?branch={world.other_branch.public_id}").text
    assert "No places here on that day." in page


def test_a_not_member_of_one_union_is_not_known_for_any(world: World, client_as: ClientAs) -> None:
    with unit_of_work(ALL) as session:
        rukhsana = _get(session, Contact, world.rukhsana)
        union = session.scalars(ALL.select(Place).where(Place.id == world.union.id)).one()
        factories.make_membership(session, rukhsana, union, status=MembershipStatus.NOT_MEMBER)
    client = client_as(world.rep)
    any_union = _table_rows(client.get("/dash").text)["The Mill"]
    own = _table_rows(client.get(f"/dash?union={world.union.public_id}").text)["The Mill"]
    assert any_union[1:3] == ["1", "2"]
    assert own[1:3] == ["2", "1"]


def test_a_stranger_is_asked_to_sign_in(world: World, client: FlaskClient) -> None:
    for path in ("/dash", "/dash.csv", "/dash.xlsx", "/dash/print", "/dash/explain"):
        assert client.get(path).status_code in {302, 303, 401}


def test_the_bases_offered_leave_out_full_time_equivalents(
    world: World, client_as: ClientAs
) -> None:
    page = client_as(world.rep).get("/dash").text
    assert f'value="{Counts.BARGAINING_UNIT.value}"' in page
    assert f'value="{Counts.FTE.value}"' not in page


def test_what_changed_names_each_cause_and_the_parts_add_up(
    world: World, client_as: ClientAs
) -> None:
    page = client_as(world.rep).get("/dash/changes?compare=2026-02-28").text
    words = _words(page)
    assert "Members: 2 on 28 February 2026, 1 on 23 November 2026. Change: \u22121." in words
    assert "On our list, membership not known: 2 then, 2 now." in words
    assert "At least 20.0% then, at least 10.0% now: \u221210.0 points." in words
    assert "What moved it most: members who left the job (\u22128.5 points)." in words
    assert _table_rows(page) == {
        "What happened": ["Members", "Workers", "Share: points"],
        "28 February 2026": ["2", "10", "20.0%"],
        "Members who left the job": ["\u22121", "\u22121", "\u22128.5"],
        "Workers we cannot name: more or fewer": ["0", "+1", "\u22121.5"],
        "23 November 2026": ["1", "10", "10.0%"],
    }
    assert "1 person left the job from 23 November 2025 to 23 November 2026." in words
    assert "Still here, were members, now not known 0" in words
    assert "Must join in such a year just to stand still, without those not known 1" in words


def test_what_changed_holds_the_filters_and_the_scope(world: World, client_as: ClientAs) -> None:
    docker = _words(client_as(world.dock_rep).get("/dash/changes").text)
    assert "Members: 1 on 23 November 2025, 1 on 23 November 2026. Change: 0." in docker
    assert "Nothing changed between the two days." in docker
    everybody = client_as(world.boss_of_all)
    own = _words(everybody.get(f"/dash/changes?union={world.other_union.public_id}").text)
    assert "Members: 1 on 23 November 2025, 1 on" in own
    private = _words(everybody.get("/dash/changes?sector=private").text)
    assert "Members: 3 on 23 November 2025, 2 on" in private
    for stranger in (world.rep, world.officer):
        asked = f"/dash/changes?workplace={world.dock.public_id}"
        assert client_as(stranger).get(asked).status_code == 404
    assert client_as(world.admin).get("/dash/changes").status_code == 403


def test_what_changed_needs_a_first_day_before_the_last(world: World, client_as: ClientAs) -> None:
    answer = client_as(world.rep).get("/dash/changes?compare=2026-11-23&as_at=2026-11-23")
    assert answer.status_code == 422
    assert "Choose a day before the other one." in answer.text


def test_what_changed_in_a_small_place_has_people_and_no_per_cent(
    world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        factories.make_headcount(session, _get(session, Workplace, world.depot), 3, 4, best=4)
    page = client_as(world.boss_of_all).get(f"/dash/changes?workplace={world.depot.public_id}")
    words = _words(page.text)
    assert "Fewer than 10 workers: no per cents" in words
    assert "%" not in words.split("The share: what moved it")[1].split("Leavers")[0]


def test_density_in_full_says_each_basis_and_its_assumptions(
    world: World, client_as: ClientAs
) -> None:
    page = client_as(world.rep).get(f"/dash/more?workplace={world.mill.public_id}").text
    words = _words(page)
    assert "Density in full: The Mill" in words
    assert "1 of the 2 people whose membership we know are members." in words
    assert "If they are like all 10 workers, between" in words
    assert "Without that assumption: at least 10%, at most 90%." in words
    assert "Are the reps where the people are?" in words
    assert "Packing, Nights 2 no rep" in words
    assert "Warehouse Workers" in words
    away = f"/dash/more?workplace={world.dock.public_id}"
    assert client_as(world.rep).get(away).status_code == 404
    assert client_as(world.rep).get("/dash/more?as_at=soon").status_code == 422
    assert client_as(world.admin).get("/dash/more").status_code == 403


def test_members_of_two_days_are_not_compared_when_other_places_were_counted(
    world: World, client_as: ClientAs
) -> None:
    long_ago = date(1950, 1, 1)
    client = client_as(world.boss_of_all)
    page = client.get(f"/dash?compare={long_ago}").text
    assert "Places with a headcount then: 0, now: 2." in _words(page)
    assert "Change in members" not in page
    # Nobody had counted the workers: that is not known, and never nought members.
    words = _words(client.get(f"/dash?as_at={long_ago}").text)
    assert "How it moved is not known: nobody has counted the workers" in words
    assert "0 members then" not in words


def test_members_of_as_many_but_other_places_are_not_compared(
    world: World, client_as: ClientAs
) -> None:
    # The Depot had a headcount and closed, the Quay got one since: three places on both days.
    first = date(2026, 2, 28)
    with unit_of_work(ALL) as session:
        depot = _get(session, Workplace, world.depot)
        factories.make_headcount(session, depot, 20)
        depot.closed_on = date(2026, 5, 1)
        saltway = session.scalars(ALL.select(Employer).where(Employer.name == "Saltway Docks"))
        quay = factories.make_workplace(session, saltway.one(), "The Quay")
        factories.make_headcount(session, quay, 20, on_day=date(2026, 6, 1))
        union = _get(session, Place, world.other_union)
        for name in ("Ann Q", "Ben Q"):
            person = factories.make_person(session, quay, name)
            factories.make_membership(session, person, union)
        boss = _get(session, UserAccount, world.boss_of_all)
        factories.make_grant(session, boss, Role.BRANCH_OFFICER)
    client = client_as(world.boss_of_all)
    page = client.get(f"/dash?compare={first}").text
    words = _words(page)
    assert "Places with a headcount then: 3, now: 3. The members of the two days are not" in words
    assert "Change in members" not in words
    # Members, the others, then: members on the day, change, range.
    rows = _table_rows(page)
    assert rows["All together"][7:9] == ["4", "not the same places"]
    assert rows["The Mill"][7:9] == ["2", "\u22121"]
    assert rows["The Quay"][7:9] == ["2", "0"]
    # Nor are the first and the last month of the trend.
    assert "more members than on" not in words
    assert "They are not the same places, or not counted the same way, so members" in words
    assert "are not of the same places" in _words(client.get(f"/dash/print?compare={first}").text)
    told = {
        (row["place"], row["as_at"]): (row["members_change"], row["no_change"])
        for row in _csv(client, f"?compare={first}")
    }
    assert told[("[z]", str(TODAY))] == ("[x]", "other_places")
    assert told[("The Mill", str(TODAY))] == ("-1", "[z]")
    assert told[("[z]", str(first))] == ("[z]", "[z]")
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"/dash.xlsx?compare={first}").data))
    cover = " ".join(str(cell.value) for line in book.worksheets[0] for cell in line)
    assert "are not of the same places" in cover


def test_members_that_a_union_states_on_one_day_only_are_no_change(
    world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        dock = _get(session, Workplace, world.dock)
        factories.make_member_count(session, dock, 9, on_day=date(2026, 6, 1))
    client = client_as(world.boss_of_all)
    page = client.get("/dash?compare=2026-02-28").text
    assert "On only one of the two days a union had stated its members" in _words(page)
    assert "Change in members" not in page
    assert _table_rows(page)["The Dock"][8] == "members stated on one day only"
    assert "more members than on" not in page
    moved = _words(client.get("/dash/changes?compare=2026-02-28").text)
    assert "At 1 place a union had stated its members on only one of the two days." in moved
    assert "Change: +" not in moved
    # With a statement on both days the change is told.
    later = client.get("/dash?compare=2026-07-01").text
    assert "Change in members: 0." in _words(later)


def test_a_day_that_has_not_come_has_no_density(world: World, client_as: ClientAs) -> None:
    client = client_as(world.boss_of_all)
    for path in ("/dash", "/dash/more", "/dash/changes"):
        page = client.get(f"{path}?as_at={TODAY + timedelta(days=1)}").text
        assert "This day has not come yet." in page
        assert "at least" not in page


def test_a_total_of_one_sector_says_so(world: World, client_as: ClientAs) -> None:
    client = client_as(world.boss_of_all)
    assert "Only: Private." in _words(client.get("/dash?sector=private").text)
    assert "Only:" not in _words(client.get("/dash").text)
