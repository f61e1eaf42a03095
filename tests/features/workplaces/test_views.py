"""The pages about places: who sees them, what the forms refuse, and that nothing is lost."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from crm.models.audit import AuditEntry
from crm.models.places import (
    Area,
    Branch,
    Employer,
    Headcount,
    MemberCount,
    PlaceEdge,
    Recognition,
    Region,
    Shift,
    Union,
    Workplace,
)
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, TODAY, World

ClientAs = Callable[[factories.Named], FlaskClient]

pytestmark = pytest.mark.usefixtures("fixed_clock")

HEADCOUNT = {
    "on_day": "2026-11-01",
    "counts": "site_all",
    "low": "90",
    "best": "",
    "high": "110",
    "rounded_to": "",
    "source_kind": "organiser_count",
    "source_note": "",
}
WORKPLACE = {
    "name": "The Mill",
    "address": "",
    "postcode": "s70 1aa",
    "region": "",
    "country": "GB",
    "time_zone": "Europe/London",
    "latitude": "",
    "longitude": "",
}


def _text(reply: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", reply.text)))


def _all(model: type[Any], *where: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(session.scalars(ALL.select(model).where(*where).order_by(model.id)))


def _one(model: type[Any], public_id: uuid.UUID) -> Any:
    (row,) = _all(model, model.public_id == public_id)
    return row


def _version(reply: Any) -> str:
    found = re.search(r'name="version"[^>]*value="([^"]+)"', reply.text)
    assert found is not None
    return found[1]


def _audited(subject: str) -> list[AuditEntry]:
    return _all(AuditEntry, AuditEntry.subject == subject)


# Seeing -------------------------------------------------------------------------------------


def test_the_list_shows_the_workplaces_in_scope_under_their_employer(
    world: World, client_as: ClientAs
) -> None:
    text = _text(client_as(world.organiser).get("/places"))
    assert "Brightway The Depot" in text
    assert (
        "The Mill 8 to 10 work here (Everyone on site, 1 January 2020) 4 people on your list"
        in text
    )
    assert "Workforce not known" in text
    assert "The Dock" not in text
    assert "Saltway" not in text


def test_a_name_is_found_in_any_case_and_accent_and_a_postcode_without_its_space(
    world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        owner = session.scalars(ALL.select(Employer).where(Employer.id == world.brightway.id)).one()
        factories.make_workplace(session, owner, "Zakład Łódź", postcode="S70 1AA")
    client = client_as(world.boss_of_all)
    for typed in ("zaklad LODZ", "s701aa", "brightway łódź"):
        text = _text(client.get("/places", query_string={"q": typed}))
        assert "Zakład Łódź" in text
        assert "The Mill" not in text
    for typed in ("%", "_", "mill zzz"):
        reply = client.get("/places", query_string={"q": typed})
        assert "No workplace fits that." in reply.text


def test_the_list_can_show_one_employer_only(world: World, client_as: ClientAs) -> None:
    client = client_as(world.boss_of_all)
    text = _text(client.get(f"/places?employer={world.saltway.public_id}"))
    assert "The Dock" in text
    assert "The Mill" not in text
    assert client.get(f"/places?employer={uuid.uuid4()}").status_code == 404


def test_the_list_of_places_takes_the_same_few_statements_however_long_it_is(
    world: World, client_as: ClientAs, count_statements: list[str]
) -> None:
    with unit_of_work(ALL) as session:
        owner = session.scalars(ALL.select(Employer).where(Employer.id == world.brightway.id)).one()
        for number in range(60):
            place = factories.make_workplace(session, owner, f"Site {number:02}")
            factories.make_headcount(session, place, 5, 9)
    client = client_as(world.boss_of_all)
    client.get("/places/unions")  # The first page after a while also writes "last seen".
    count_statements.clear()
    reply = client.get("/places")
    # One is the sign-in's; the list takes three and its employers one.
    assert len(count_statements) == 5
    assert "1 to 50 of 63 workplaces" in reply.text
    assert "51 to 63 of 63 workplaces" in client.get("/places?page=2").text
    assert "This page of the list is empty." in client.get("/places?page=9").text


def test_a_workplace_shows_its_people_with_unknown_said_as_unknown(
    world: World, client_as: ClientAs
) -> None:
    text = _text(client_as(world.rep).get(f"/places/{world.mill.public_id}"))
    assert "4 people on your list, as at 23 November 2026." in text
    row = text[text.index("Rukhsana A") :][:120]
    assert "Not asked" in row
    assert row.count("not known") == 4
    assert "Gareth O" not in text
    assert "Barnsley branch" in text


def test_an_administrator_sees_the_place_and_neither_its_people_nor_how_many(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.admin)
    for address in (f"/places/{world.mill.public_id}", f"/places/areas/{world.packing.public_id}"):
        text = _text(client.get(address))
        assert "The Mill" in text
        for name in ("Ioana", "Tomasz", "Night packer", "on your list", "The people here"):
            assert name not in text
    assert "on your list" not in client.get("/places").text


def test_a_rep_sees_no_button_that_would_be_refused(world: World, client_as: ClientAs) -> None:
    reply = client_as(world.rep).get(f"/places/{world.mill.public_id}")
    for words in ("Add a count", "Add an area", "Close this workplace", "Correct"):
        assert words not in reply.text
    assert client_as(world.rep).get(f"/places/{world.mill.public_id}/edit").status_code == 403


def test_full_time_equivalents_are_never_shown_as_people(world: World, client_as: ClientAs) -> None:
    with unit_of_work(ALL) as session:
        depot = session.scalars(ALL.select(Workplace).where(Workplace.id == world.depot.id)).one()
        factories.make_headcount(session, depot, 312.5, counts=factories.Counts.FTE)
    client = client_as(world.organiser)
    text = _text(client.get(f"/places/{world.depot.public_id}"))
    assert "312.5 full-time equivalents" in text
    assert "not known work here" in text
    assert "312" not in _text(client.get("/places"))


OUTSIDE = (
    ("GET", "/places/{mill}"),
    ("GET", "/places/areas/{packing}"),
    ("GET", "/places/employers/{brightway}"),
    ("GET", "/places/{mill}/edit"),
    ("POST", "/places/{mill}/edit"),
    ("GET", "/places/{mill}/close"),
    ("POST", "/places/{mill}/close"),
    ("POST", "/places/{mill}/areas/new"),
    ("POST", "/places/{mill}/shifts/new"),
    ("POST", "/places/{mill}/headcounts/new"),
    ("POST", "/places/{mill}/member-counts/new"),
    ("POST", "/places/{mill}/units/new"),
    ("GET", "/places/{mill}/branches"),
    ("POST", "/places/{mill}/branches"),
    ("POST", "/places/{mill}/branches/end"),
    ("POST", "/places/areas/{packing}/edit"),
    ("POST", "/places/areas/{packing}/move"),
    ("POST", "/places/areas/{packing}/close"),
    ("POST", "/places/shifts/{nights}/edit"),
    ("POST", "/places/headcounts/{count}"),
    ("POST", "/places/headcounts/{count}/withdraw"),
    ("POST", "/places/employers/{brightway}/workplaces/new"),
)


@pytest.mark.parametrize(("method", "address"), OUTSIDE)
def test_somebody_of_another_place_finds_nothing(
    world: World, client_as: ClientAs, method: str, address: str
) -> None:
    with unit_of_work(ALL) as session:
        dock = session.scalars(ALL.select(Workplace).where(Workplace.id == world.dock.id)).one()
        outsider = factories._named(
            factories.make_user(session, "Outside", role=factories.Role.ORGANISER, place=dock)
        )
    (count,) = _all(Headcount, Headcount.place_id == world.mill.id)
    ids = {
        name: getattr(world, name).public_id for name in ("mill", "packing", "brightway", "nights")
    }
    ids["count"] = count.public_id
    reply = client_as(outsider).open(address.format(**ids), method=method)
    assert reply.status_code == 404
    assert "Mill" not in reply.text


# Counts -------------------------------------------------------------------------------------


def test_a_count_is_saved_with_who_and_when_and_leaves_an_audit_row(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)
    reply = client.post(f"/places/{world.depot.public_id}/headcounts/new", data=HEADCOUNT)
    assert reply.status_code == 303
    assert reply.location == f"/places/{world.depot.public_id}#headcounts"
    (row,) = _all(Headcount, Headcount.place_id == world.depot.id)
    assert (row.low, row.best, row.high) == (90, None, 110)
    assert row.recorded_by_id == world.organiser.id
    assert [entry.verb for entry in _audited("headcount") if entry.place_id == world.depot.id] == [
        "create"
    ]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"high": "80"}, "low", "Enter a lowest count that is not above the highest."),
        ({"best": "200"}, "best", "Enter a best count that is not above the highest."),
        ({"best": "20"}, "best", "Enter a best count that is not below the lowest."),
        ({"low": "-1"}, "low", "Enter a count of 0 or more."),
        ({"high": "1e12"}, "high", "Enter a count below 1,000,000,000."),
        ({"low": ""}, "low", "Enter the lowest number it can be."),
        ({"low": "   "}, "low", "Enter the lowest number it can be."),
        ({"low": "nan"}, "low", "Enter a number, such as 120."),
        ({"low": "'; DROP TABLE place;--"}, "low", "Enter a number, such as 120."),
        (
            {"on_day": "2026-11-24"},
            "on_day",
            "This day has not come yet. Enter today or an earlier day.",
        ),
        ({"on_day": "31/02/2026"}, "on_day", "Enter a date like 14/05/2026, or pick one."),
        ({"on_day": ""}, "on_day", "Enter the day the count was true."),
        ({"counts": "everyone"}, "counts", "Choose one of the list."),
        (
            {"rounded_to": "0"},
            "rounded_to",
            "Enter a step above 0, such as 100. Leave it empty if it was not rounded.",
        ),
        ({"source_note": "x" * 301}, "source_note", "Use 300 letters or fewer."),
        ({"source_note": "a\x00b"}, "source_note", "Take out the characters that cannot be shown."),
    ],
)
def test_a_count_that_cannot_be_right_is_refused_beside_its_field_and_nothing_is_saved(
    world: World, client_as: ClientAs, changes: dict[str, str], field: str, words: str
) -> None:
    reply = client_as(world.organiser).post(
        f"/places/{world.depot.public_id}/headcounts/new", data={**HEADCOUNT, **changes}
    )
    assert reply.status_code == 422
    beside = re.search(rf'id="{field}-error">(.*?)</p>', reply.text, re.DOTALL)
    assert beside is not None
    assert html.unescape(re.sub(r"<[^>]+>", "", beside[1])).strip() == f"Error: {words}"
    assert _all(Headcount, Headcount.place_id == world.depot.id) == []


def test_an_empty_highest_means_no_upper_limit(world: World, client_as: ClientAs) -> None:
    client = client_as(world.organiser)
    client.post(f"/places/{world.depot.public_id}/headcounts/new", data={**HEADCOUNT, "high": ""})
    (row,) = _all(Headcount, Headcount.place_id == world.depot.id)
    assert row.high is None
    assert "90 or more" in client.get(f"/places/{world.depot.public_id}").text


def test_a_corrected_count_stays_readable_as_what_was_recorded(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)
    (old,) = _all(Headcount, Headcount.place_id == world.mill.id)
    address = f"/places/headcounts/{old.public_id}"
    start = client.get(address)
    assert 'value="2020-01-01"' in start.text
    data = {**HEADCOUNT, "version": _version(start)}
    assert client.post(address, data=data).status_code == 303
    text = _text(client.get(f"/places/{world.mill.public_id}"))
    assert "90 to 110" in text
    assert "was recorded as: 8 to 10" in text
    assert "Corrected 23 November 2026, 12:00." in text


def test_two_people_who_correct_one_count_both_see_both_versions(
    world: World, client_as: ClientAs
) -> None:
    client, other = client_as(world.organiser), client_as(world.officer)
    (old,) = _all(Headcount, Headcount.place_id == world.mill.id)
    address = f"/places/headcounts/{old.public_id}"
    seen = _version(client.get(address))
    other.post(address, data={**HEADCOUNT, "low": "70", "version": seen})
    reply = client.post(address, data={**HEADCOUNT, "low": "95", "version": seen})
    assert reply.status_code == 409
    assert "Lowest it can be 70 95" in _text(reply)
    assert 'value="95"' in reply.text
    again = client.post(address, data={**HEADCOUNT, "low": "95", "version": _version(reply)})
    assert again.status_code == 303
    believed = _all(
        Headcount, Headcount.place_id == world.mill.id, Headcount.superseded_at.is_(None)
    )
    assert [row.low for row in believed] == [95]


def test_a_count_taken_back_is_used_no_more_and_stays_readable(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)
    (old,) = _all(Headcount, Headcount.place_id == world.mill.id)
    reply = client.post(f"/places/headcounts/{old.public_id}/withdraw")
    assert reply.status_code == 303
    text = _text(client.get(f"/places/{world.mill.public_id}"))
    assert "not known work here" in text
    assert "Taken back 23 November 2026, 12:00." in text
    again = client.post(f"/places/headcounts/{old.public_id}/withdraw")
    assert again.status_code == 422
    assert (
        "This count was taken back. If it is right after all, add it to the place again."
        in again.text
    )


def test_a_stated_number_of_members_is_recorded_corrected_and_taken_back(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)
    data = {
        "union": str(world.union.public_id),
        "on_day": "2026-10-01",
        "members": "1,240",
        "covered": "",
        "rounded_to": "10",
        "source_kind": "union_list",
        "source_note": "",
    }
    address = f"/places/{world.mill.public_id}/member-counts/new"
    assert client.post(address, data=data).status_code == 303
    (row,) = _all(MemberCount)
    assert (row.members, row.covered, row.union_id) == (1240, None, world.union.id)
    refused = client.post(address, data={**data, "union": str(uuid.uuid4())})
    assert refused.status_code == 422
    correct = f"/places/member-counts/{row.public_id}"
    version = _version(client.get(correct))
    changed = {**data, "union": "", "members": "1200", "version": version}
    assert client.post(correct, data=changed).status_code == 303
    text = _text(client.get(f"/places/{world.mill.public_id}"))
    assert "All unions together 1,200" in text
    assert "was recorded as: 1,240 members" in text
    assert client.post(f"{correct}/withdraw").status_code == 303
    assert _all(MemberCount, MemberCount.superseded_at.is_(None)) == []


# Editing ------------------------------------------------------------------------------------


def test_two_people_who_change_one_workplace_both_see_both_versions(
    world: World, client_as: ClientAs
) -> None:
    client, other = client_as(world.organiser), client_as(world.officer)
    address = f"/places/{world.mill.public_id}/edit"
    seen = _version(client.get(address))
    first = other.post(address, data={**WORKPLACE, "name": "Mill Lane", "version": seen})
    assert first.status_code == 303
    reply = client.post(address, data={**WORKPLACE, "name": "Mill Road", "version": seen})
    assert reply.status_code == 409
    text = _text(reply)
    assert "Name Mill Lane Mill Road" in text
    assert (
        "Someone else changed this while you were working. "
        "Look at both versions, then save the one you want."
    ) in text
    assert 'value="Mill Road"' in reply.text
    assert _one(Workplace, world.mill.public_id).name == "Mill Lane"
    data = {**WORKPLACE, "name": "Mill Road", "version": _version(reply)}
    assert client.post(address, data=data).status_code == 303
    saved = _one(Workplace, world.mill.public_id)
    assert (saved.name, saved.version, saved.name_key) == ("Mill Road", 3, "mill road")
    updates = [entry for entry in _audited("workplace") if entry.verb == "update"]
    assert [(entry.old["name"], entry.new["name"]) for entry in updates] == [
        ("The Mill", "Mill Lane"),
        ("Mill Lane", "Mill Road"),
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "Enter a name."),
        ({"name": "   "}, "Enter a name."),
        ({"name": "x" * 201}, "Use 200 letters or fewer."),
        ({"time_zone": "Mars/Olympus"}, "Choose one of the list."),
        ({"country": "XX"}, "Choose one of the list."),
        ({"latitude": "91", "longitude": "1"}, "Enter a number from -90 to 90."),
        ({"latitude": "51"}, "Enter both latitude and longitude, or neither."),
        ({"region": "not an id"}, "Choose one of the list."),
    ],
)
def test_a_workplace_that_cannot_be_right_is_refused_and_what_was_typed_is_kept(
    world: World, client_as: ClientAs, changes: dict[str, str], words: str
) -> None:
    data = {**WORKPLACE, "address": "Kept <b>قديم</b> 🏭", "version": "1", **changes}
    reply = client_as(world.organiser).post(f"/places/{world.mill.public_id}/edit", data=data)
    assert reply.status_code == 422
    assert words in _text(reply)
    assert "Kept &lt;b&gt;قديم&lt;/b&gt; 🏭" in reply.text
    assert _one(Workplace, world.mill.public_id).version == 1


def test_a_british_postcode_is_put_in_capitals_with_one_space(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)
    address = f"/places/{world.mill.public_id}/edit"
    client.post(address, data={**WORKPLACE, "version": "1"})
    assert _one(Workplace, world.mill.public_id).postcode == "S70 1AA"
    client.post(
        address,
        data={**WORKPLACE, "postcode": "1012 ab", "country": "NL", "version": "2"},
    )
    assert _one(Workplace, world.mill.public_id).postcode == "1012 ab"


def test_a_new_employer_and_its_first_workplace_are_found_at_once(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.admin)
    data = {
        "name": "Northgate Parcels",
        "country": "GB",
        "company_number": "sc 123456",
        "sector": "private",
        "sic_codes": "52103, 49410",
        "address": "",
        "parent": "brightway",
    }
    reply = client.post("/places/employers/new", data=data)
    assert reply.status_code == 303
    (owner,) = _all(Employer, Employer.name == "Northgate Parcels")
    assert owner.company_number == "SC123456"
    assert (owner.sic_codes, owner.sic_section) == (["52103", "49410"], "H")
    assert owner.parent_employer_id == world.brightway.id
    page = _text(client.get(reply.location))
    assert "Part of Brightway" in page
    new = f"/places/employers/{owner.public_id}/workplaces/new"
    place = client.post(
        new,
        data={**WORKPLACE, "name": "Hub 1", "branch": str(world.branch.public_id)},
    )
    assert place.status_code == 303
    assert "Hub 1" in client_as(world.organiser).get("/places").text
    assert client_as(world.dock_rep).get(place.location).status_code == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sic_codes": "5210"}, "Write each SIC code as 5 digits, such as 52103."),
        ({"sic_codes": "00000"}, "00000 is not a SIC 2007 code. Check it."),
        (
            {"parent": "Nobody"},
            "There is no employer with that name here. Check it, or add it first.",
        ),
        ({"parent": "Brightway"}, "A place cannot be inside itself. Choose a different parent."),
    ],
)
def test_an_employer_that_cannot_be_right_is_refused(
    world: World, client_as: ClientAs, changes: dict[str, str], words: str
) -> None:
    data = {"name": "Brightway", "country": "", "sector": "", "version": "1", **changes}
    reply = client_as(world.admin).post(
        f"/places/employers/{world.brightway.public_id}/edit", data=data
    )
    assert reply.status_code == 422
    assert words in _text(reply)
    assert _one(Employer, world.brightway.public_id).version == 1


def test_only_somebody_over_everything_adds_employers_and_unions(
    world: World, client_as: ClientAs
) -> None:
    for user in (world.organiser, world.officer, world.boss_of_all):
        for address in ("/places/employers/new", "/places/unions/new"):
            assert client_as(user).post(address, data={"name": "X"}).status_code == 403


def test_an_area_may_lie_in_an_area_but_never_inside_itself(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)
    inner = client.post(
        f"/places/{world.mill.public_id}/areas/new",
        data={
            "name": "Pack B",
            "area_kind": "site_part",
            "parent": str(world.packing.public_id),
        },
    )
    assert inner.status_code == 303
    (row,) = _all(Area, Area.name == "Pack B")
    assert row.parent_area_id == world.packing.id
    move = f"/places/areas/{world.packing.public_id}/move"
    refused = client.post(move, data={"parent": str(row.public_id), "version": "1"})
    assert refused.status_code == 422
    assert _one(Area, world.packing.public_id).parent_area_id is None
    twice = client.post(
        f"/places/{world.mill.public_id}/areas/new",
        data={"name": "PACK B", "area_kind": "site_part", "parent": ""},
    )
    assert "There is an area with that name here. Choose another name." in twice.text


def test_moving_an_area_moves_exactly_its_people_between_the_counts(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)

    def _people(area: factories.Named) -> str:
        text = _text(client.get(f"/places/areas/{area.public_id}"))
        found = re.search(r"(\d+) (?:person|people) on your list", text)
        return found[1] if found else "0"

    assert (_people(world.packing), _people(world.yard)) == ("2", "1")
    move = f"/places/areas/{world.packing.public_id}/move"
    version = _version(client.get(move))
    data = {"parent": str(world.yard.public_id), "version": version}
    assert client.post(move, data=data).status_code == 303
    assert (_people(world.packing), _people(world.yard)) == ("2", "3")
    data = {"parent": "", "version": _version(client.get(move))}
    assert client.post(move, data=data).status_code == 303
    assert (_people(world.packing), _people(world.yard)) == ("2", "1")


def test_a_closed_workplace_and_area_say_so_and_can_be_opened_again(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)
    for address, page in (
        (f"/places/{world.mill.public_id}/close", f"/places/{world.mill.public_id}"),
        (
            f"/places/areas/{world.packing.public_id}/close",
            f"/places/areas/{world.packing.public_id}",
        ),
    ):
        data = {"closed_on": "2026-11-20", "version": "1"}
        assert client.post(address, data=data).status_code == 303
        closed = client.get(page).text
        assert "closed on 20 November 2026" in closed
        # Nobody is asked to add people where nobody works any more.
        assert "Add the 5 people" not in closed
        data = {"closed_on": "", "version": "2"}
        assert client.post(address, data=data).status_code == 303
        assert "closed on" not in client.get(page).text


def test_a_shift_is_added_changed_and_ended(world: World, client_as: ClientAs) -> None:
    client = client_as(world.organiser)
    new = f"/places/{world.mill.public_id}/shifts/new"
    data = {"name": "Days", "starts_at": "06:00", "ends_at": ""}
    assert client.post(new, data=data).status_code == 303
    text = _text(client.get(f"/places/{world.mill.public_id}"))
    assert "Days from 06:00, end not known" in text
    assert "Enter a time like 22:00." in client.post(new, data={**data, "starts_at": "9pm"}).text
    (row,) = _all(Shift, Shift.name == "Days")
    edit = f"/places/shifts/{row.public_id}/edit"
    data = {**data, "ends_at": "14:00", "closed_on": "2026-11-01", "version": "1"}
    assert client.post(edit, data=data).status_code == 303
    assert "06:00 to 14:00 · Ended 1 November 2026" in _text(
        client.get(f"/places/{world.mill.public_id}")
    )
    assert client.post(edit, data=data).status_code == 409


def test_a_bargaining_unit_has_its_unions_with_dates(world: World, client_as: ClientAs) -> None:
    client = client_as(world.organiser)
    client.post(
        f"/places/{world.mill.public_id}/units/new",
        data={
            "name": "Warehouse staff",
            "covers": "all below manager",
            "union": str(world.union.public_id),
            "since": "2024-01-01",
        },
    )
    page = client.get(f"/places/{world.mill.public_id}")
    assert "Warehouse Workers' Union since 1 January 2024" in _text(page)
    unit = re.search(r"/places/units/([0-9a-f-]{36})/unions", page.text)
    assert unit is not None
    unions = f"/places/units/{unit[1]}/unions"
    twice = client.post(
        unions, data={"union": str(world.union.public_id), "since": "2025-01-01", "until": ""}
    )
    assert "This union is recognised here on some of those days already." in twice.text
    wrong = client.post(
        f"{unions}/end",
        data={"end-union": str(world.union.public_id), "end-until": "2023-01-01"},
    )
    assert wrong.status_code == 422
    assert "The end date is before the start date. Check both dates." in wrong.text
    ended = client.post(
        f"{unions}/end",
        data={"end-union": str(world.union.public_id), "end-until": "2026-01-01"},
    )
    assert ended.status_code == 303
    assert "from 1 January 2024 to 1 January 2026" in _text(
        client.get(f"/places/{world.mill.public_id}")
    )
    assert len(_all(Recognition)) == 2


def test_a_branch_that_begins_or_stops_organising_changes_who_sees_the_workplace(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.organiser)
    page = f"/places/{world.mill.public_id}"
    with unit_of_work(ALL) as session:
        hull = session.scalars(ALL.select(Branch).where(Branch.id == world.other_branch.id)).one()
        hull_user = factories._named(
            factories.make_user(session, "Hull", role=factories.Role.ORGANISER, place=hull)
        )
    assert client_as(hull_user).get(page).status_code == 404
    data = {"branch": str(world.other_branch.public_id), "since": "2026-11-01"}
    assert client.post(f"{page}/branches", data=data).status_code == 303
    assert client_as(hull_user).get(page).status_code == 200
    assert "That branch organises here already." in client.post(f"{page}/branches", data=data).text
    later = client.post(f"{page}/branches", data={**data, "since": "2027-01-01"})
    assert "This day has not come yet. Enter today or an earlier day." in later.text
    end = {"end-branch": str(world.branch.public_id), "end-until": TODAY.isoformat()}
    gone = client.post(f"{page}/branches/end", data=end)
    assert gone.status_code == 303
    assert gone.location == "/places"
    assert client.get(page).status_code == 404


def test_a_union_its_branches_and_its_wider_bodies_are_kept_with_dates(
    world: World, client_as: ClientAs
) -> None:
    client = client_as(world.admin)
    reply = client.post(
        "/places/unions/new", data={"name": "Bakers", "abbreviation": "BU", "country": "GB"}
    )
    assert reply.status_code == 303
    (union,) = _all(Union, Union.name == "Bakers")
    same = client.post("/places/unions/new", data={"name": "BAKERS", "country": ""})
    assert "There is a union with that name already. Use that one." in same.text
    page = f"/places/unions/{union.public_id}"
    body = {"body_name": "TUC", "since": "2001-01-01", "until": "2000-01-01"}
    wrong = client.post(f"{page}/bodies", data=body)
    assert "The end date is before the start date. Check both dates." in wrong.text
    assert client.post(f"{page}/bodies", data={**body, "until": ""}).status_code == 303
    assert "TUC since 1 January 2001" in _text(client.get(page))
    end = {"end-body_name": "TUC", "end-until": "2020-01-01"}
    assert client.post(f"{page}/bodies/end", data=end).status_code == 303
    first = client.post(f"{page}/branches/new", data={"name": "Leeds", "parent": ""})
    (leeds,) = _all(Branch, Branch.name == "Leeds")
    second = client.post(
        f"{page}/branches/new",
        data={"name": "Leeds East", "abbreviation": "LE7", "parent": str(leeds.public_id)},
    )
    shown = _text(client.get(second.location))
    assert "Part of Leeds" in shown
    assert "Short name LE7" in shown
    east = second.location.rsplit("/", 1)[1]
    loop = client.post(
        f"{first.location}/edit", data={"name": "Leeds", "parent": east, "version": "1"}
    )
    assert "A place cannot be inside itself. Choose a different parent." in loop.text
    assert len(_all(PlaceEdge, PlaceEdge.child_id == leeds.id)) == 1


def test_a_region_that_was_added_can_be_chosen_for_a_workplace_and_for_figures(
    world: World, client_as: ClientAs
) -> None:
    admin, organiser = client_as(world.admin), client_as(world.organiser)
    region = {"name": "East Midlands", "country": "GB"}
    assert admin.post("/places/regions/new", data=region).location == "/places/regions"
    (stored,) = _all(Region, Region.name == "East Midlands")
    assert [row.verb for row in _audited("place") if row.subject_id == stored.id] == ["create"]
    again = admin.post("/places/regions/new", data={**region, "name": "EAST  midlands"})
    assert again.status_code == 422
    assert "There is a region with that name already. Use that one." in again.text
    nameless = admin.post("/places/regions/new", data={**region, "name": " "})
    assert "Enter a name." in nameless.text
    page = f"/places/{world.mill.public_id}"
    version = _version(organiser.get(f"{page}/edit"))
    values = {**WORKPLACE, "region": str(stored.public_id), "version": version}
    assert organiser.post(f"{page}/edit", data=values).status_code == 303
    assert "East Midlands" in _text(organiser.get(page))
    listed = organiser.get("/places/regions")
    assert f'href="/dash?region={stored.public_id}"' in listed.text
    assert "The Mill" in organiser.get(f"/dash?region={stored.public_id}").text
    assert "Add a region" not in listed.text
    assert "Add a region" in admin.get("/places/regions").text
    assert organiser.post("/places/regions/new", data=region).status_code == 403


def test_every_form_opens_for_those_who_may_use_it(world: World, client_as: ClientAs) -> None:
    (count,) = _all(Headcount, Headcount.place_id == world.mill.id)
    admin, organiser = client_as(world.admin), client_as(world.organiser)
    for name in ("edit", "close", "areas/new", "shifts/new", "headcounts/new"):
        assert organiser.get(f"/places/{world.mill.public_id}/{name}").status_code == 200
    for name in ("member-counts/new", "units/new", "branches"):
        assert organiser.get(f"/places/{world.mill.public_id}/{name}").status_code == 200
    for name in ("", "/edit", "/move", "/close"):
        assert organiser.get(f"/places/areas/{world.packing.public_id}{name}").status_code == 200
    assert organiser.get(f"/places/headcounts/{count.public_id}").status_code == 200
    for name in ("", "/edit", "/workplaces/new"):
        assert admin.get(f"/places/employers/{world.brightway.public_id}{name}").status_code == 200
    for name in ("", "/edit", "/bodies", "/branches/new"):
        assert admin.get(f"/places/unions/{world.union.public_id}{name}").status_code == 200
    assert admin.get(f"/places/branches/{world.branch.public_id}/edit").status_code == 200


def test_a_save_that_fails_half_way_leaves_nothing(
    world: World, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crm.access import tree

    def _fail(*args: Any, **more: Any) -> None:
        raise sa.exc.OperationalError("link", {}, Exception("locked"))

    monkeypatch.setattr(tree, "link", _fail)
    reply = client_as(world.organiser).post(
        f"/places/{world.mill.public_id}/areas/new",
        data={"name": "Half", "area_kind": "department", "parent": ""},
    )
    assert reply.status_code == 503
    assert _all(Area, Area.name == "Half") == []


def test_a_workplace_that_may_be_here_is_asked_about_once(
    client_as: ClientAs, world: World
) -> None:
    with unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        mill.address = "7 Canal Road, Barnsley"
    new = f"/places/employers/{world.brightway.public_id}/workplaces/new"
    typed = {"name": "Mill Ltd", "address": "7 Canal Rd\r\nBarnsley", "time_zone": "Europe/London"}
    client = client_as(world.admin)
    asked = client.post(new, data=typed)
    assert asked.status_code == 409
    assert "Is it one of these?" in asked.text
    assert str(world.mill.public_id) in asked.text
    assert "Same address" in asked.text
    found = re.search(r'name="looked_for" type="hidden" value="([^"]*)"', asked.text)
    assert found is not None
    assert "\n" not in html.unescape(found[1])
    saved = client.post(new, data=typed | {"looked_for": html.unescape(found[1])})
    assert saved.status_code == 303
    # Somebody else's workplace is not told of.
    other = client_as(world.organiser).post(
        new, data={**typed, "name": "The Dock", "address": "Dock Road"}
    )
    assert str(world.dock.public_id) not in other.text
