"""Reports: every number worked out anew from the raw tables, and the same in every output."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from crm.domain.assessment import DEFAULT_EXPIRY
from crm.domain.report import FigureRow, PartName, figure_rows
from crm.models.audit import AuditEntry
from crm.models.campaigns import ListEntry, Participation
from crm.models.contacts import Job, Membership
from crm.models.conversations import Assessment, Conversation, FollowUp
from crm.models.places import Branch, Employer, Headcount, PlaceClosure, Workplace
from crm.models.ties import Leading
from crm.reads.report import build_report
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World
from tests.features.reports.conftest import SINCE, talk

Clients = Callable[[Named], FlaskClient]

pytestmark = pytest.mark.usefixtures("fixed_clock")

DAY_END = datetime(2026, 11, 24, tzinfo=UTC)
EVERY_PART = "&".join(f"parts={part.value}" for part in PartName)


def _rows(unit: Named, **more: Any) -> list[FigureRow]:
    asked: dict[str, Any] = {
        "since": SINCE,
        "as_at": TODAY,
        "day": TODAY,
        "day_end": DAY_END,
        "expiry": DEFAULT_EXPIRY,
        **more,
    }
    with unit_of_work(ALL, read_only=True) as session:
        return figure_rows(build_report(session, ALL, unit.public_id, **asked))


def _whole(rows: list[FigureRow], unit: Named) -> dict[str, Any]:
    return {
        f"{row.table}.{row.measure}": row.numerator
        for row in rows
        if row.place_id == str(unit.public_id) and row.line == ""
    }


# Worked out anew, row by row, from what is stored; nothing of the program's own counting is used.


def _stored(model: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        key = model.__mapper__.primary_key[0]
        found = list(session.scalars(ALL.select(model).order_by(key)))
        session.expunge_all()
        return found


def _in_force(fact: Any, day: date) -> bool:
    return (
        fact.superseded_at is None
        and fact.valid_from <= day
        and (fact.valid_to is None or fact.valid_to > day)
    )


class _ByHand:
    def __init__(self, unit: Named) -> None:
        with unit_of_work(ALL, read_only=True) as session:
            self.inside = set(
                session.execute(
                    sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == unit.id)
                ).scalars()
            )
        self.jobs = _stored(Job)
        self.memberships = _stored(Membership)
        self.assessments = _stored(Assessment)

    def here(self, day: date) -> set[int]:
        return {
            job.contact_id
            for job in self.jobs
            if _in_force(job, day) and job.place_id in self.inside
        }

    def member(self, who: int, day: date) -> bool | None:
        said = [
            one.status.value
            for one in self.memberships
            if one.contact_id == who and _in_force(one, day)
        ]
        return True if "member" in said else False if "not_member" in said else None

    def members(self, day: date) -> set[int]:
        return {who for who in self.here(day) if self.member(who, day) is True}

    def standing(self, who: int) -> tuple[int, date] | None:
        found = [
            one for one in self.assessments if one.contact_id == who and one.superseded_at is None
        ]
        last = max(found, key=lambda one: one.day, default=None)
        return None if last is None else (last.rating, last.day)


def _count_workers(place: Named, low: int, high: int) -> None:
    with unit_of_work(ALL) as session:
        site = session.scalars(ALL.select(Workplace).where(Workplace.id == place.id)).one()
        factories.make_headcount(session, site, low, high)


@pytest.mark.parametrize("unit", ["mill", "branch", "packing"])
def test_every_count_of_a_report_is_what_the_raw_tables_give(busy: World, unit: str) -> None:
    place = getattr(busy, unit)
    # Else what is told of all together would tell of the one person there, and is hidden.
    _count_workers(busy.depot, 30, 40)
    found = _whole(_rows(place, parts=tuple(PartName)), place)
    hand = _ByHand(place)
    then, now = hand.members(SINCE), hand.members(TODAY)
    here_then, here_now = hand.here(SINCE), hand.here(TODAY)
    assert found["members.members_then"] == len(then)
    assert found["members.members_now"] == len(now)
    assert found["members.joined"] == len((now - then) & here_then)
    assert found["members.came_as_members"] == len((now - then) - here_then)
    assert found["members.left_as_members"] == len((then - now) - here_now)
    stayed = (then - now) & here_now
    assert found["members.no_longer_members"] == sum(
        hand.member(who, TODAY) is False for who in stayed
    )
    assert found["members.no_longer_known"] == sum(
        hand.member(who, TODAY) is None for who in stayed
    )
    talks = [
        talk
        for talk in _stored(Conversation)
        if talk.place_id in hand.inside and SINCE < talk.day <= TODAY
    ]
    assert found["work.talks"] == len(talks)
    assert found["work.talked_to"] == len({talk.contact_id for talk in talks})
    told = [one for one in hand.assessments if one.place_id in hand.inside and one.day <= TODAY]
    new = {one.contact_id for one in told if one.day > SINCE}
    assert found["work.asked"] == len(new)
    assert found["work.asked_first"] == len(
        new - {one.contact_id for one in told if one.day <= SINCE}
    )
    standings = [hand.standing(who) for who in here_now]
    fresh = [one[0] for one in standings if one and (TODAY - one[1]).days <= 120]
    assert found["support.on_list"] == len(here_now)
    for rating in range(1, 6):
        assert found[f"support.stand_{rating}"] == fresh.count(rating)
    assert found["support.not_asked"] == standings.count(None)
    assert found["support.too_old"] == len(here_now) - len(fresh) - standings.count(None)
    assert found["support.with_us"] == fresh.count(1) + fresh.count(2)
    open_now = [one for one in _stored(FollowUp) if one.place_id in hand.inside]
    assert found["reminders.open"] == len(open_now)
    assert found["reminders.late"] == sum(one.due_on < TODAY for one in open_now)
    assert found["places.members"] == len(now)
    assert found["places.named_not_known"] == sum(
        hand.member(who, TODAY) is None for who in here_now
    )


@pytest.mark.parametrize("unit", ["mill", "branch"])
def test_every_part_of_readiness_is_what_the_raw_tables_and_the_formula_give(
    busy: World, unit: str
) -> None:
    place = getattr(busy, unit)
    rows = _rows(place, parts=[PartName.READINESS])
    told = {row.line: row for row in rows if row.measure == "part_share"}
    points = {row.line: row for row in rows if row.measure == "part_points"}
    hand = _ByHand(busy.mill)  # The Depot has no headcount, so no share counts its people.
    here, now = hand.here(TODAY), hand.members(TODAY)
    standings = {who: hand.standing(who) for who in here}
    firm = {who: one[0] for who, one in standings.items() if one and (TODAY - one[1]).days <= 60}
    workers = max(10, len(here))
    with_us = sum(rating <= 2 for rating in firm.values())
    assert (told["support"].numerator, told["support"].out_of_high) == (with_us, workers)
    assert told["assessed"].numerator == len(firm)
    assert told["density"].numerator == len(now)
    assert told["participation"].numerator == 3
    assert told["coverage"].numerator == 0
    assert (told["capacity"].low, told["capacity"].high) == (None, None)
    floors = {
        "support": (0.30, 0.80),
        "participation": (0.30, 0.80),
        "density": (0.30, 0.75),
        "leaders": (0.30, 0.90),
        "coverage": (0.40, 1.0),
        "contact": (0.70, 0.98),
        "assessed": (0.40, 0.90),
        "capacity": (0.0, 1.0),
    }
    for end, unknown in (("low", 0.0), ("high", 1.0)):
        for name, (floor, target) in floors.items():
            share = getattr(told[name], end)
            share = unknown if share is None else share
            if name == "leaders" or (name, unit) == ("contact", "branch"):
                # Of one leader, who is not confirmed: too few to tell. Of all members of the
                # branch: beside its density they would tell of the one at the Depot.
                assert (share, getattr(points[name], end)) == ("[c]", "[c]")
                continue
            # A petition risks little, so it proves half at most.
            most = 0.5 if name == "participation" else 1.0
            score = max(0.05, min(most, (share - floor) / (target - floor)))
            assert getattr(points[name], end) == pytest.approx(100 * score, abs=1e-3)
    # With the other seven beside it, the index would tell what the one leader is.
    for measure in ("index", "index_equal"):
        index = next(row for row in rows if row.measure == measure)
        assert (index.low, index.high) == ("[c]", "[c]")
    gates = {row.line: row.low for row in rows if row.measure == "gate_open"}
    assert gates == {
        "list": 0.0,
        "law": None,
        "tests": 0.0,
        "owners": 0.0,
        "timeline": None,
        "decision": None,
    }


def test_a_place_that_nobody_counted_has_no_number_of_members_in_its_density(busy: World) -> None:
    rows = _rows(busy.branch, parts=[PartName.DENSITY, PartName.READINESS])
    told = [row for row in rows if row.measure == "density" and row.place == "The Depot"]
    assert {(row.numerator, row.out_of_high, row.low) for row in told} <= {
        (None, None, None),
        ("[c]", "[c]", "[c]"),
    }
    # The gate of the tests is told in people, so that its share can be worked out again.
    gate = {row.measure: row.low for row in rows if row.line == "tests" and row.table == "gates"}
    assert (gate["gate_has"], gate["gate_of"]) == (3, 8)


def test_readiness_of_few_people_is_hidden_and_an_area_has_none(busy: World) -> None:
    of_depot = _rows(busy.depot, parts=[PartName.READINESS])
    for measure in ("index", "part_share", "with_us_firmly"):
        assert {row.numerator for row in of_depot if row.measure == measure} == {"[c]"}
    assert not _rows(busy.packing, parts=[PartName.READINESS])

    def _lines() -> dict[str, Any]:
        return {
            row.place: row.numerator
            for row in _rows(busy.branch, parts=[PartName.READINESS])
            if row.measure == "with_us_firmly"
        }

    # Nobody has counted the workers of the Depot, so all together are those of the Mill.
    lines = _lines()
    assert lines["The Depot"] == "[c]"
    assert lines["The Mill"] == lines["Barnsley branch"] == 4
    _count_workers(busy.depot, 30, 40)
    # One more place is hidden beside the Depot, or it could be had by taking away.
    lines = _lines()
    assert lines["The Depot"] == lines["The Mill"] == "[c]"
    assert isinstance(lines["Barnsley branch"], int)


def test_the_ways_in_and_out_make_the_whole_of_the_change_at_every_place(busy: World) -> None:
    for unit in (busy.mill, busy.branch, busy.packing):
        lines: dict[str, dict[str, float]] = {}
        for row in _rows(unit):
            if row.table == "members" and row.numerator != "[c]":
                assert isinstance(row.numerator, int | float)
                lines.setdefault(row.place_id + row.line, {})[row.measure] = row.numerator
        assert lines
        for line in lines.values():
            ins = line["joined"] + line["came_as_members"]
            outs = line["left_as_members"] + line["no_longer_members"] + line["no_longer_known"]
            assert line["members_then"] + ins - outs == line["members_now"]
    whole = _whole(_rows(busy.mill), busy.mill)
    assert whole["members.joined"] == 1
    assert whole["members.came_as_members"] == 1
    assert whole["members.left_as_members"] == 1
    assert whole["members.no_longer_members"] == 1


def test_leaders_are_needed_for_every_ten_workers_and_reach_those_who_listen(busy: World) -> None:
    found = _whole(_rows(busy.mill), busy.mill)
    hand = _ByHand(busy.mill)
    people = hand.here(TODAY)
    assert found["leaders.on_list"] == len(people)
    assert found["leaders.leaders"] == 1
    assert found["leaders.confirmed"] == 0
    assert found["leaders.needed"] == -(-max(8, len(people)) // 10)
    # The leader, and Ioana who listens to them.
    assert found["leaders.reached"] == 2


def _lead(person: Named, at: Named) -> None:
    with unit_of_work(ALL) as session:
        session.add(
            Leading(
                contact_id=person.id,
                place_id=at.id,
                workplace_id=at.id,
                stage="identified",
                found_by="named",
                valid_from=date(2026, 1, 1),
                recorded_at=NOW,
            )
        )


def test_enough_leaders_is_said_of_the_people_on_our_list_only(
    world: World, client_as: Clients
) -> None:
    with unit_of_work(ALL) as session:
        depot = session.scalars(ALL.select(Workplace).where(Workplace.id == world.depot.id)).one()
        for number in range(5):
            factories.make_person(session, depot, f"Fitter {number}")
    _lead(world.depot_worker, world.depot)
    text = client_as(world.officer).get(f"/reports/{world.depot.public_id}").text
    assert "There are as many leaders as the people on our list need" in text
    assert "Where nobody has counted the workers, only people on our list are counted." in text


def test_who_leads_among_few_people_is_hidden_and_cannot_be_had_by_taking_away(
    busy: World, client_as: Clients
) -> None:
    _lead(busy.depot_worker, busy.depot)
    text = client_as(busy.officer).get(f"/reports/{busy.depot.public_id}").text
    assert "Leaders: hidden, too few people" in text
    told: dict[str, dict[str, Any]] = {}
    for row in _rows(busy.branch, parts=[PartName.LEADERS]):
        told.setdefault(row.place, {})[row.measure] = row.numerator
    assert told["The Depot"]["on_list"] == 1
    for name in ("leaders", "confirmed", "missing", "reached"):
        assert told["The Depot"][name] == told["The Mill"][name] == "[c]"
    assert told["Barnsley branch"]["leaders"] == 2


def test_what_is_known_now_is_not_told_as_if_it_happened_now(
    busy: World, client_as: Clients
) -> None:
    text = client_as(busy.officer).get(f"/reports/{busy.branch.public_id}").text
    assert "New here, and members now" in text
    assert "Came here as members" not in text
    assert "Joined the union" not in text


def test_a_structure_test_counts_everyone_on_the_frozen_list(busy: World) -> None:
    found = {row.measure: row for row in _rows(busy.mill) if row.table == "tests"}
    assert {row.name for row in found.values()} == {"Petition about the rota"}
    entries = _stored(ListEntry)
    did = sum(one.deed is not None and one.deed.value == "did" for one in _stored(Participation))
    assert (found["listed"].numerator, found["did"].numerator) == (len(entries), did) == (8, 3)
    assert (found["did"].low, found["did"].high) == (0.375, 0.875)
    assert (found["did"].not_known, found["did_not"].numerator) == (4, 1)
    assert found["still_needed"].numerator == 1
    # Fewer than five of those on the list work in the yard.
    yard = {row.measure: row for row in _rows(busy.yard) if row.table == "tests"}
    assert yard["listed"].numerator == 3
    assert {yard["did"].numerator, yard["did_not"].numerator, yard["unheard"].numerator} == {"[c]"}


def test_what_only_two_raised_is_hidden_and_what_three_raised_is_told(busy: World) -> None:
    with unit_of_work(ALL) as session:
        talk(session, busy.tomasz, busy.mill, TODAY, "pay")
    raised = {row.line: row for row in _rows(busy.branch) if row.table == "issues"}
    # Workers 1 and 2, Tomasz and Marta; worker 4 has left.
    assert (raised["pay"].numerator, raised["pay"].out_of_high) == (4, 4)
    assert raised["heat"].numerator == "[c]"


def test_membership_is_hidden_where_fewer_than_five_work_and_told_where_more_do(
    busy: World, client_as: Clients
) -> None:
    """At the Depot we know one person; nobody has counted the workers."""

    def _told(unit: Named) -> dict[tuple[str, str], Any]:
        parts = [PartName.CHANGES, PartName.DENSITY]
        return {
            (row.table, row.measure): row.numerator
            for row in _rows(unit, parts=parts)
            if row.place_id == str(busy.depot.public_id) and row.line == ""
        }

    alone = _told(busy.depot)
    shown = {name for name, value in alone.items() if value != "[c]"}
    talks = {("work", one) for one in ("talks", "talked_to", "asked", "asked_first")}
    counted = {"places_counted", "places_counted_then", "counted_on_both"}
    assert shown == {*talks, ("places", "workers"), *(("coverage", one) for one in counted)}
    page = client_as(busy.officer).get(f"/reports/{busy.depot.public_id}").text
    assert page.count("Hidden: too few people to hand round") >= 3
    _count_workers(busy.depot, 30, 40)
    # Of thirty workers nobody can say who the one member is. Where they stand stays hidden.
    assert _told(busy.depot)["members", "members_now"] == 1
    assert _told(busy.branch)["places", "members"] == 1
    stands = [row for row in _rows(busy.depot) if row.table == "support"]
    assert {row.numerator for row in stands if row.measure == "with_us"} == {"[c]"}


def test_no_table_tells_of_members_what_another_hides(busy: World) -> None:
    """Five people left the Depot: of both days there are six, and one of them is there now."""
    with unit_of_work(ALL) as session:
        depot = session.scalars(ALL.select(Workplace).where(Workplace.id == busy.depot.id)).one()
        for number in range(5):
            factories.make_person(session, depot, f"Gone {number}", until=date(2026, 11, 10))
    rows = _rows(busy.branch, parts=[PartName.CHANGES, PartName.DENSITY])
    told = {
        table: {
            row.place
            for row in rows
            if (row.table, row.measure) == (table, measure) and row.numerator == "[c]"
        }
        for table, measure in (("members", "members_now"), ("places", "members"))
    }
    assert "The Depot" in told["members"]
    assert told["members"] == told["places"]


def test_two_sums_of_one_report_never_tell_of_few_people_between_them(
    busy: World, client_as: Clients
) -> None:
    """Densities are of the places whose workers were counted; at the Depot nobody counted them."""
    rows = _rows(busy.branch)
    found = {
        (row.table, row.line, row.measure): row.numerator
        for row in rows
        if row.place_id == str(busy.branch.public_id)
    }
    counted = len(_ByHand(busy.mill).members(TODAY))
    assert found["places", "", "density"] == counted
    # None of these is told beside it: each is of all the people on the list.
    of_all = [
        *(("members", "", name) for name in ("members_then", "joined", "members_now")),
        *(("places", "", name) for name in ("members", "not_members", "named_not_known")),
        ("coverage", "", "members_there"),
        *(("gates", "list", name) for name in ("gate_has", "gate_of", "gate_needs")),
        ("readiness_parts", "contact", "part_share"),
        *(("support", "", name) for name in ("stand_1", "not_asked", "with_us")),
    ]
    assert {found[one] for one in of_all} == {"[c]"}
    assert found["readiness_parts", "support", "part_share"] == 4
    # What is told of the Mill alone stays.
    told = {(row.table, row.measure): row.numerator for row in rows if row.place == "The Mill"}
    assert told["members", "members_now"] == told["places", "members"] == counted
    assert isinstance(told["support", "with_us"], int)
    text = client_as(busy.officer).get(f"/reports/{busy.branch.public_id}").text
    assert text.count("All together are hidden: beside the other figures they would tell") == 2
    assert "hidden of the hidden" not in text


def test_a_few_people_are_not_had_from_the_density_of_the_places_that_were_counted(
    busy: World,
) -> None:
    """One works at the Depot; four at the Shed, where nobody counted: together they are enough to
    hide behind, but in the density the Depot stands beside the Mill alone."""
    _count_workers(busy.depot, 1, 2)
    with unit_of_work(ALL) as session:
        depot = session.scalars(ALL.select(Workplace).where(Workplace.id == busy.depot.id)).one()
        branch = session.scalars(ALL.select(Branch).where(Branch.id == busy.branch.id)).one()
        employer = session.scalars(ALL.select(Employer).where(Employer.id == depot.employer_id))
        shed = factories.make_workplace(session, employer.one(), "The Shed", branches=(branch,))
        for number in range(4):
            factories.make_person(session, shed, f"Shedder {number}")
    rows = _rows(busy.branch, parts=[PartName.DENSITY, PartName.READINESS])
    told = {(row.place, row.measure): row.numerator for row in rows}
    for name in ("density", "with_us_firmly"):
        assert isinstance(told["Barnsley branch", name], int | float)
        for place in ("The Depot", "The Mill", "The Shed"):
            assert told[place, name] == "[c]", (place, name)


def test_readiness_tells_no_number_of_members_that_the_density_hides(busy: World) -> None:
    parts = [PartName.DENSITY, PartName.READINESS]

    def _told(unit: Named) -> dict[tuple[str, str, str], Any]:
        return {
            (row.table, row.line, row.measure): row.numerator
            for row in _rows(unit, parts=parts)
            if row.place_id == str(unit.public_id)
        }

    alone = _told(busy.depot)
    assert alone["places", "", "members"] == alone["gates", "list", "gate_of"] == "[c]"
    # Where workers were counted at a place of few people only, the density is theirs.
    _count_workers(busy.depot, 1, 2)
    with unit_of_work(ALL) as session:
        for one in session.scalars(ALL.select(Headcount).where(Headcount.place_id == busy.mill.id)):
            session.delete(one)
    whole = _told(busy.branch)
    assert whole["places", "", "density"] == whole["coverage", "", "members_there"] == "[c]"
    assert whole["readiness_parts", "density", "part_share"] == "[c]"


def test_where_people_stand_is_hidden_for_a_place_of_few_people(busy: World) -> None:
    rows = [row for row in _rows(busy.depot) if row.table == "support"]
    assert {row.measure: row.numerator for row in rows}["on_list"] == 1
    assert {row.numerator for row in rows if row.measure != "on_list"} == {"[c]"}


def test_the_density_is_that_of_the_density_page(busy: World, client_as: Clients) -> None:
    found = next(
        row for row in _rows(busy.mill) if row.table == "places" and row.measure == "density"
    )
    page = client_as(busy.officer).get(
        f"/dash.csv?as_at=2026-11-23&workplace={busy.mill.public_id}"
    )
    total = list(csv.DictReader(io.StringIO(page.get_data().decode("utf-8-sig"))))[-1]
    assert (total["row"], total["as_at"]) == ("total", "2026-11-23")
    assert found.low == pytest.approx(float(total["low_fraction"]))
    assert found.high == pytest.approx(float(total["high_fraction"]))
    assert found.out_of_high == float(total["workers_high"])


def test_screen_csv_and_workbook_hold_the_same_numbers(busy: World, client_as: Clients) -> None:
    _count_workers(busy.depot, 30, 40)
    officer = client_as(busy.officer)
    address = f"/reports/{busy.branch.public_id}"
    asked = f"?since={SINCE}&as_at={TODAY}&{EVERY_PART}"
    page = officer.get(address + asked)
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    table = list(
        csv.DictReader(
            io.StringIO(officer.get(f"{address}.csv{asked}").get_data().decode("utf-8-sig"))
        )
    )
    by_line: dict[tuple[str, str, str], dict[str, dict[str, str]]] = {}
    for row in table:
        key = (row["table"], row["place_id"], row["line"])
        by_line.setdefault(key, {})[row["measure"]] = row
    members = by_line["members", str(busy.branch.public_id), "[z]"]
    wanted = (
        f"Then {members['members_then']['numerator']}, now {members['members_now']['numerator']}. "
        f"Here before, now known to be members: {members['joined']['numerator']}."
    )
    assert wanted in text
    book = openpyxl.load_workbook(
        io.BytesIO(officer.get(f"{address}.xlsx{asked}").get_data()), data_only=False
    )
    sheet = book["Members who came and went"]
    cells = [[cell.value for cell in row] for row in sheet.iter_rows(max_row=4)]
    assert cells[0][0] == "Place"
    assert cells[1] == [
        "All together",
        *(float(one["numerator"]) for one in members.values()),
    ]
    assert len(sheet.tables) == 1
    assert len(book["Where people stand"]._charts) == 1
    for page_of in book.worksheets:
        for row in page_of.iter_rows():
            assert not any(cell.data_type == "f" for cell in row)


def test_a_workplace_without_areas_has_one_line(busy: World) -> None:
    for table in ("members", "support", "leaders", "work"):
        rows = [row for row in _rows(busy.depot) if row.table == table]
        assert {(row.place, row.line) for row in rows} == {("The Depot", "")}


def test_the_day_of_the_report_is_the_last_day_that_counts(busy: World) -> None:
    _count_workers(busy.depot, 30, 40)
    """Of the talks on the 3rd, the 4th and the 20th of November, and the new member of the 5th."""
    before = _whole(_rows(busy.branch, as_at=date(2026, 11, 4)), busy.branch)
    assert before["work.talks"] == 4
    assert before["members.came_as_members"] == 0
    after = _whole(_rows(busy.branch, as_at=date(2026, 11, 5)), busy.branch)
    assert (after["work.talks"], after["members.came_as_members"]) == (4, 1)
    # What happened on the day of the last meeting was known there.
    later = _whole(_rows(busy.branch, since=date(2026, 11, 4)), busy.branch)
    assert later["work.talks"] == 1


def test_a_file_holds_no_name_of_anybody(busy: World, client_as: Clients) -> None:
    officer = client_as(busy.officer)
    address = f"/reports/{busy.branch.public_id}"
    content = officer.get(f"{address}.csv?{EVERY_PART}").get_data(as_text=True)
    content += officer.get(f"{address}?{EVERY_PART}").get_data(as_text=True)
    for name in ("Ioana", "Tomasz", "Worker 1", "Marta", "Owen Rep"):
        assert name not in content


def test_a_file_is_written_into_the_trail(busy: World, client_as: Clients) -> None:
    for ending in ("csv", "xlsx"):
        answer = client_as(busy.officer).get(
            f"/reports/{busy.branch.public_id}.{ending}?since={SINCE}"
        )
        assert answer.status_code == 200
        with unit_of_work(ALL, read_only=True) as session:
            entry = session.scalars(
                ALL.select(AuditEntry).where(AuditEntry.subject == f"report_{ending}")
            ).one()
            assert entry.place_id == busy.branch.id
            assert entry.actor_id == busy.officer.id


def test_nobody_gets_a_report_of_a_place_that_they_do_not_hold_whole(
    world: World, client_as: Clients
) -> None:
    for user, place in (
        (world.rep, world.branch),
        (world.rep, world.depot),
        (world.dock_rep, world.mill),
        (world.officer, world.brightway),
        (world.officer, world.dock),
    ):
        for ending in ("", "/print"):
            answer = client_as(user).get(f"/reports/{place.public_id}{ending}")
            assert answer.status_code == 404, (user.name, place.name, ending)
    assert client_as(world.officer).get(f"/reports/{world.dock.public_id}.csv").status_code == 404
    assert client_as(world.rep).get(f"/reports/{world.mill.public_id}.csv").status_code == 403
    assert client_as(world.admin).get(f"/reports/{world.mill.public_id}").status_code == 403


def test_cases_are_left_out_unless_asked_for_and_count_only_ones_own(
    busy: World, client_as: Clients
) -> None:
    address = f"/reports/{busy.branch.public_id}"
    assert "of your teams" not in client_as(busy.officer).get(address).get_data(as_text=True)
    asked = client_as(busy.officer).get(f"{address}?parts=cases").get_data(as_text=True)
    assert "1 open case of your teams." in asked
    assert "1 deadline is late" in asked
    other = client_as(busy.organiser).get(f"{address}?parts=cases").get_data(as_text=True)
    assert "You are on the team of no open case here" in other


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("as_at=2027-01-01", "This day has not come yet. Choose today or a day before."),
        (
            "since=2026-11-23",
            "The last meeting must be before the day of the report. Choose an earlier day.",
        ),
        ("as_at=never", "Enter a date like 14/05/2026, or pick one."),
        ("parts=all", "Choose from the list."),
    ],
)
def test_a_wrong_day_or_part_is_refused_in_a_sentence(
    world: World, client_as: Clients, query: str, words: str
) -> None:
    answer = client_as(world.rep).get(f"/reports/{world.mill.public_id}?{query}")
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    printed = client_as(world.rep).get(f"/reports/{world.mill.public_id}/print?{query}")
    assert printed.status_code == 404


def test_the_list_names_the_places_held_and_no_others(world: World, client_as: Clients) -> None:
    text = client_as(world.rep).get("/reports").get_data(as_text=True)
    assert "The Mill" in text
    assert "The Depot" not in text
    assert "Barnsley branch" not in text
    assert "Barnsley branch" in client_as(world.officer).get("/reports").get_data(as_text=True)


def test_the_statements_do_not_grow_with_the_places(
    busy: World, client_as: Clients, count_statements: list[str]
) -> None:
    officer = client_as(busy.officer)
    officer.get(f"/reports/{busy.mill.public_id}")
    one = len(count_statements)
    count_statements.clear()
    officer.get(f"/reports/{busy.branch.public_id}")
    assert len(count_statements) <= one + 2
    assert len(count_statements) <= 60


def test_the_paper_writes_out_every_table(busy: World, client_as: Clients) -> None:
    text = client_as(busy.rep).get(f"/reports/{busy.mill.public_id}/print").get_data(as_text=True)
    assert len(re.findall(r"<details", text)) == len(re.findall(r"<details[^>]* open", text)) > 0
    assert "Contains union data: do not leave on a table." in text


def test_a_place_where_nobody_is_known_hides_no_other(busy: World) -> None:
    """Twenty work at the Shed, and nobody of them is on the list: the sums are of the Depot."""
    _count_workers(busy.depot, 1, 2)
    with unit_of_work(ALL) as session:
        depot = session.scalars(ALL.select(Workplace).where(Workplace.id == busy.depot.id)).one()
        branch = session.scalars(ALL.select(Branch).where(Branch.id == busy.branch.id)).one()
        employer = session.scalars(ALL.select(Employer).where(Employer.id == depot.employer_id))
        shed = factories.make_workplace(session, employer.one(), "The Shed", branches=(branch,))
        factories.make_headcount(session, shed, 20, 20)
        for one in session.scalars(ALL.select(Headcount).where(Headcount.place_id == busy.mill.id)):
            session.delete(one)
    parts = [PartName.DENSITY, PartName.READINESS]
    rows = [row for row in _rows(busy.branch, parts=parts) if row.measure != "density_then"]
    told = {(row.place, row.table, row.line, row.measure): row.numerator for row in rows}
    where = "Barnsley branch"
    assert told["The Shed", "places", "", "members"] == 0
    assert told["The Depot", "places", "", "members"] == "[c]"
    assert told[where, "places", "", "density"] == "[c]"
    assert told[where, "coverage", "", "members_there"] == "[c]"
    assert told[where, "readiness_parts", "density", "part_share"] == "[c]"
    assert {row.numerator for row in rows if row.measure == "members_at_least"} == {"[c]"}
