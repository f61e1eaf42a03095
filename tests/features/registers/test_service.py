"""Loading registers: what comes in, that a second load changes nothing, and all or nothing."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from crm.access.scope import Grant, Scope
from crm.analysis.registers.gender_pay import read_employers
from crm.domain.errors import PermissionRefused, Refusal
from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.roles import Role
from crm.domain.vocabulary import Sector, Verb
from crm.features.registers import loading, service
from crm.features.registers.service import Loaded, RegisterKind, StatedCounts
from crm.models.audit import AuditEntry
from crm.models.base import Base, table_of
from crm.models.places import (
    Employer,
    ExternalId,
    Headcount,
    MemberCount,
    PlaceClosure,
    PlaceEdge,
    Workplace,
)
from crm.reads.figures import Question, density_table
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, World

_DATA = Path(__file__).parents[2] / "data"
_EMPLOYERS = _DATA / "uk-employers-gpg-2019-20" / "gpg-2019-2020.csv.gz"
_NHS = _DATA / "nhs-england-workforce"
_COUNTIES = _DATA / "us-union-density" / "county_density.csv"
_TABLE_5 = _DATA / "bls-union-table5-2018" / "table5_2018.csv"

_HEADINGS = "EmployerName,Address,CompanyNumber,SicCodes,EmployerSize,CurrentName,DueDate\n"
_COUNTY_COUNTS = StatedCounts("US counties, CPS 2016-2020", "us-county", date(2020, 12, 31), "US")

_STORED: tuple[type[Base], ...] = (
    Employer,
    Workplace,
    ExternalId,
    PlaceEdge,
    PlaceClosure,
    Headcount,
    MemberCount,
    AuditEntry,
)


def _load(register: service.Register, *, now: datetime = NOW, scope: Scope = ALL) -> Loaded:
    with unit_of_work(scope) as session:
        return service.load_register(session, scope, register, now=now, time_zone="Europe/London")


def _gender_pay(*lines: str) -> service.Register:
    text = _HEADINGS + "".join(f"{line}\n" for line in lines)
    return service.read_register(RegisterKind.GENDER_PAY, {"employers": text.encode()})


def _counts(text: str, stated: StatedCounts = _COUNTY_COUNTS) -> service.Register:
    return service.read_register(
        RegisterKind.MEMBER_COUNTS, {"counts": text.encode()}, stated=stated
    )


def _nhs_files() -> service.Register:
    return service.read_register(
        RegisterKind.NHS,
        {
            "sites": (_NHS / "etrust_sites.csv.gz").read_bytes(),
            "staff": (_NHS / "hchs_2018-06.csv.gz").read_bytes(),
            "hospitals": (_NHS / "Hospital_raw_latin1_not-sign-delimited.csv.gz").read_bytes(),
        },
    )


def _all(model: Any, *where: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(session.scalars(ALL.select(model).where(*where).order_by(model.id)).all())


def _value(statement: Any) -> Any:
    with unit_of_work(ALL, read_only=True) as session:
        return session.execute(statement.execution_options(crm_scope=True)).scalar_one()


def _row_counts() -> dict[str, int]:
    return {
        model.__tablename__: _value(sa.select(sa.func.count()).select_from(table_of(model)))
        for model in _STORED
    }


def _tallies(loaded: Loaded) -> dict[str, tuple[int, int, int]]:
    return {
        sort: (tally.new, tally.changed, tally.unchanged) for sort, tally in loaded.tallies.items()
    }


def _reasons(loaded: Loaded) -> list[tuple[str, int, str, bool]]:
    return [
        (p.file, p.problem.row_number, p.problem.message, p.problem.row_left_out)
        for p in loaded.problems
    ]


_TIDEWATER = (
    'Tidewater Ltd,"1 Quay, Hull, HU1 1AA",01234567,52103,250 to 499,Tidewater Ltd,05/04/2020'
)


# Gender pay returns


def test_6031_employers_come_in_within_20_seconds_and_a_second_load_changes_nothing(
    app: Flask,
) -> None:
    register = service.read_register(
        RegisterKind.GENDER_PAY, {"employers": _EMPLOYERS.read_bytes()}
    )
    told: list[tuple[int, int]] = []
    # The work of this process and not the clock on the wall: the machine may be busy with others.
    started = time.process_time()
    with unit_of_work(ALL) as session:
        loaded = service.load_register(
            session,
            ALL,
            register,
            now=NOW,
            time_zone="Europe/London",
            progress=lambda done, total: told.append((done, total)),
        )
    seconds = time.process_time() - started
    assert seconds < 20
    assert _tallies(loaded) == {
        "employers": (6031, 0, 0),
        "workplaces": (6031, 0, 0),
        "headcounts": (6025, 0, 0),
    }
    assert [(row, left) for _, row, _, left in _reasons(loaded)] == [(3657, False), (4281, False)]
    assert told[0] == (500, 6031)
    assert told[-1] == (6031, 6031)

    rows, _ = read_employers(io.BytesIO(_EMPLOYERS.read_bytes()))
    headcount, employer = table_of(Headcount), table_of(Employer)
    assert _value(sa.select(sa.func.sum(headcount.c.low))) == 5_748_440
    assert _value(sa.select(sa.func.sum(headcount.c.high))) == 17_685_027
    endless = sa.select(sa.func.count()).select_from(headcount).where(headcount.c.high.is_(None))
    assert _value(endless) == 52
    numbered = sa.select(sa.func.count(employer.c.company_number))
    assert _value(numbered) == 6031 - 1007
    sectors = {row.sector for row in _all(Employer)}
    assert sectors == {Sector.PUBLIC, None}
    in_public = sa.select(sa.func.count(employer.c.sector))
    assert _value(in_public) == sum(row.public_sector for row in rows)
    assert {row.counts for row in _all(Headcount)} == {Counts.EMPLOYER_DIRECT}
    # Every employer hangs under the root, and every workplace under its employer and the root.
    assert _row_counts()["place_edge"] == 2 * 6031
    assert _row_counts()["place_closure"] == 1 + 2 * 6031 + 3 * 6031

    before = _row_counts()
    again = _load(register, now=NOW + timedelta(days=1))
    assert _row_counts() == before
    assert _tallies(again) == {
        "employers": (0, 0, 6031),
        "workplaces": (0, 0, 6031),
        "headcounts": (0, 0, 6025),
    }


def test_an_employer_comes_with_its_number_codes_address_stand_in_and_band(app: Flask) -> None:
    _load(_gender_pay(_TIDEWATER))
    (employer,) = _all(Employer)
    (site,) = _all(Workplace)
    (headcount,) = _all(Headcount)
    assert (employer.name, employer.country, employer.company_number) == (
        "Tidewater Ltd",
        "GB",
        "01234567",
    )
    assert (employer.sic_codes, employer.sic_section) == (["52103"], "H")
    assert (employer.address, employer.sector) == ("1 Quay, Hull, HU1 1AA", None)
    assert (site.name, site.employer_id) == ("All sites of Tidewater Ltd", employer.id)
    # The registered office need not be where people work.
    assert (site.address, site.postcode) == (None, None)
    assert headcount.place_id == site.id
    assert (headcount.low, headcount.best, headcount.high) == (250, None, 499)
    assert (headcount.counts, headcount.source_kind) == (
        Counts.EMPLOYER_DIRECT,
        HeadcountSource.GENDER_PAY_RETURN,
    )
    assert headcount.on_day == date(2019, 4, 5)
    ids = [(row.scheme, row.value, row.place_id) for row in _all(ExternalId)]
    assert sorted(ids) == [
        ("companies-house", "01234567", employer.id),
        ("gpg-workplace", "company:01234567", site.id),
    ]


def test_the_top_band_has_no_end_and_a_band_not_provided_is_no_headcount(app: Flask) -> None:
    _load(
        _gender_pay(
            'Big,,01234567,1,"20,000 or more",Big,31/03/2020',
            "Quiet,,01234568,,Not Provided,Quiet,05/04/2020",
        )
    )
    assert [(row.low, row.best, row.high) for row in _all(Headcount)] == [(20000, None, None)]
    assert [row.sector for row in _all(Employer)] == [Sector.PUBLIC, None]


def test_a_renamed_employer_is_found_by_its_number_and_takes_the_new_name(app: Flask) -> None:
    _load(_gender_pay(_TIDEWATER))
    (before,) = _all(Employer)
    loaded = _load(
        _gender_pay(_TIDEWATER.replace("499,Tidewater Ltd", "499,Highwater Ltd")),
        now=NOW + timedelta(days=1),
    )
    assert _tallies(loaded) == {
        "employers": (0, 1, 0),
        "workplaces": (0, 1, 0),
        "headcounts": (0, 0, 1),
    }
    (after,) = _all(Employer)
    assert (after.id, after.name, after.version) == (before.id, "Highwater Ltd", 2)
    assert _all(Workplace)[0].name == "All sites of Highwater Ltd"
    (entry,) = _all(AuditEntry, AuditEntry.verb == Verb.UPDATE, AuditEntry.subject == "employer")
    assert entry.old["name"] == "Tidewater Ltd"
    assert entry.new["name"] == "Highwater Ltd"


def test_what_people_put_right_by_hand_stays(app: Flask) -> None:
    register = _gender_pay(_TIDEWATER.replace("Tidewater Ltd", "TIDEWATER LTD"))
    _load(register)
    with unit_of_work(ALL) as session:
        employer = session.scalars(ALL.select(Employer)).one()
        site = session.scalars(ALL.select(Workplace)).one()
        employer.name, employer.sector = "Tidewater Ltd", Sector.PRIVATE
        site.name = "The warehouse"
    before = _row_counts()
    _load(register)
    assert _row_counts() == before
    (employer,), (site,) = _all(Employer), _all(Workplace)
    assert (employer.name, employer.sector) == ("Tidewater Ltd", Sector.PRIVATE)
    assert site.name == "The warehouse"


def test_an_employer_typed_in_by_hand_is_found_by_its_number(app: Flask, world: World) -> None:
    with unit_of_work(ALL) as session:
        employer = session.scalars(ALL.select(Employer).where(Employer.id == world.brightway.id))
        employer.one().company_number = "1234567"
    loaded = _load(_gender_pay(_TIDEWATER))
    assert _tallies(loaded)["employers"] == (0, 1, 0)
    (found,) = _all(Employer, Employer.id == world.brightway.id)
    assert found.name == "Tidewater Ltd"
    assert found.company_number == "1234567"
    assert _tallies(_load(_gender_pay(_TIDEWATER)))["employers"] == (0, 0, 1)


def test_an_employer_without_a_number_is_the_same_one_when_it_gets_a_number(app: Flask) -> None:
    _load(_gender_pay(_TIDEWATER.replace("01234567", "")))
    loaded = _load(_gender_pay(_TIDEWATER))
    assert _tallies(loaded) == {
        "employers": (0, 1, 0),
        "workplaces": (0, 0, 1),
        "headcounts": (0, 0, 1),
    }
    assert [row.company_number for row in _all(Employer)] == ["01234567"]


def test_two_rows_of_one_file_are_never_one_employer(app: Flask) -> None:
    without = _TIDEWATER.replace("01234567", "")
    _load(_gender_pay(without))
    loaded = _load(_gender_pay(_TIDEWATER, without))
    assert _tallies(loaded)["employers"] == (1, 0, 1)


def test_only_one_of_two_numbers_takes_over_the_employer_without_one(app: Flask) -> None:
    _load(_gender_pay(_TIDEWATER.replace("01234567", "")))
    other = _TIDEWATER.replace("01234567", "07654321")
    assert _tallies(_load(_gender_pay(_TIDEWATER, other)))["employers"] == (1, 1, 0)


def test_an_employer_with_a_number_is_not_taken_for_another_company_of_its_name(
    app: Flask,
) -> None:
    _load(_gender_pay(_TIDEWATER.replace("01234567", "")))
    _load(_gender_pay(_TIDEWATER))
    other = _TIDEWATER.replace("01234567", "07654321")
    assert _tallies(_load(_gender_pay(other)))["employers"] == (1, 0, 0)
    assert [row.company_number for row in _all(Employer)] == ["01234567", "07654321"]


def test_another_band_for_the_same_day_is_a_correction_and_the_old_one_is_kept(
    app: Flask,
) -> None:
    _load(_gender_pay(_TIDEWATER))
    later = NOW + timedelta(days=30)
    loaded = _load(_gender_pay(_TIDEWATER.replace("250 to 499", "500 to 999")), now=later)
    assert _tallies(loaded)["headcounts"] == (0, 1, 0)
    old, new = _all(Headcount)
    assert (old.low, old.superseded_at) == (250, later)
    assert (new.low, new.recorded_at, new.superseded_at) == (500, later, None)


def test_the_next_year_is_another_headcount_beside_the_first(app: Flask) -> None:
    _load(_gender_pay(_TIDEWATER))
    loaded = _load(_gender_pay(_TIDEWATER.replace("05/04/2020", "05/04/2021")))
    assert _tallies(loaded)["headcounts"] == (1, 0, 0)
    assert [row.on_day for row in _all(Headcount)] == [date(2019, 4, 5), date(2020, 4, 5)]


def test_a_count_of_our_own_for_the_same_day_stays_beside_the_register(app: Flask) -> None:
    _load(_gender_pay(_TIDEWATER))
    (site,) = _all(Workplace)
    with unit_of_work(ALL) as session:
        factories.make_headcount(
            session, site, 300, on_day=date(2019, 4, 5), counts=Counts.EMPLOYER_DIRECT
        )
    loaded = _load(_gender_pay(_TIDEWATER.replace("250 to 499", "500 to 999")))
    assert _tallies(loaded)["headcounts"] == (0, 1, 0)
    believed = _all(Headcount, Headcount.superseded_at.is_(None))
    assert sorted(row.low for row in believed) == [300, 500]


def test_a_bad_row_is_named_and_the_others_come_in(app: Flask) -> None:
    loaded = _load(
        _gender_pay(_TIDEWATER, ",,,,,,", f"Long,,07654321,,250 to 499,{'L' * 201},05/04/2020")
    )
    assert _tallies(loaded)["employers"] == (1, 0, 0)
    assert _reasons(loaded) == [("employers", 4, "Enter a name of 200 letters or fewer.", True)]
    assert loaded.rows_left_out == 1


def test_a_long_name_without_a_number_still_has_a_key_of_its_own(app: Flask) -> None:
    first, second = "L" * 150 + "a", "L" * 150 + "b"
    register = _gender_pay(*(f"{name},,,,250 to 499,{name},05/04/2020" for name in (first, second)))
    _load(register)
    assert _tallies(_load(register))["employers"] == (0, 0, 2)
    assert max(len(row.value) for row in _all(ExternalId)) <= 80


def test_a_crash_in_the_middle_leaves_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "CHUNK", 1)
    before = _row_counts()
    register = _gender_pay(_TIDEWATER, _TIDEWATER.replace("01234567", "07654321"))

    def _crash(done: int, total: int) -> None:
        if done == 2:
            raise RuntimeError("the power fails")

    with pytest.raises(RuntimeError, match="the power fails"), unit_of_work(ALL) as session:
        service.load_register(
            session, ALL, register, now=NOW, time_zone="Europe/London", progress=_crash
        )
    assert _row_counts() == before


def test_every_row_stored_leaves_an_audit_row(app: Flask) -> None:
    _load(_gender_pay(_TIDEWATER))
    created = [entry.subject for entry in _all(AuditEntry, AuditEntry.verb == Verb.CREATE)]
    assert sorted(created) == [
        "employer",
        "external_id",
        "external_id",
        "headcount",
        "place_edge",
        "place_edge",
        "workplace",
    ]


@pytest.mark.parametrize("role", [Role.REP, Role.ORGANISER, Role.BRANCH_OFFICER])
def test_other_roles_load_nothing(app: Flask, role: Role) -> None:
    scope = Scope(actor_id=None, grants=(Grant(role, 1, covers_everything=True),))
    with pytest.raises(PermissionRefused):
        _load(_gender_pay(_TIDEWATER), scope=scope)


def test_an_administrator_of_one_place_loads_nothing(app: Flask, world: World) -> None:
    scope = Scope(actor_id=world.admin.id, grants=(Grant(Role.ADMINISTRATOR, world.mill.id),))
    with pytest.raises(PermissionRefused):
        _load(_gender_pay(_TIDEWATER), scope=scope)


# NHS


# 18,229 sites take long, and what stores them is what stores the employers above on both databases.
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_trusts_sites_and_staff_come_in_as_the_readme_counts_them(app: Flask) -> None:
    register = _nhs_files()
    loaded = _load(register)
    # 18,371 rows: 141 trusts, 18,229 sites of theirs, and one site whose trust is missing.
    assert _tallies(loaded) == {
        "employers": (141 + 278, 0, 0),
        "workplaces": (18_229, 0, 0),
        "headcounts": (414, 0, 0),
    }
    assert _reasons(loaded) == [
        (
            "sites",
            3161,
            (
                "The trust of this site is not in the file. Add a row for the trust, or add the "
                "trust by hand."
            ),
            True,
        )
    ]
    headcount, workplace = table_of(Headcount), table_of(Workplace)
    total = _value(sa.select(sa.func.sum(headcount.c.best)))
    assert round(total, 3) == 1_061_617.059
    (birmingham,) = _all(ExternalId, ExternalId.value == "R0A")
    (fte,) = _all(Headcount, Headcount.place_id == birmingham.place_id)
    assert (fte.low, fte.best, fte.high) == (17975.71239, 17975.71239, 17975.71239)
    assert (fte.counts, fte.on_day) == (Counts.FTE, date(2018, 6, 30))
    assert fte.source_kind == HeadcountSource.PUBLISHED_REGISTER
    positions = sa.select(sa.func.count(workplace.c.latitude))
    assert _value(positions) > 400
    before = _row_counts()
    again = _load(register)
    assert _row_counts() == before
    assert _tallies(again)["workplaces"] == (0, 0, 18_229)


def _nhs(sites: Sequence[str], staff: str = "") -> service.Register:
    cells = [[*line.split(","), *[""] * 27][:27] for line in sites]
    text = "".join(",".join(row) + "\n" for row in cells)
    heads = "Month,Organisation code,Organisation name,Staff group,Nationality,FTE\n"
    return service.read_register(
        RegisterKind.NHS, {"sites": text.encode(), "staff": (heads + staff).encode()}
    )


_TRUST = "R1C,SOLENT NHS TRUST,Y59,Q87,HIGH STREET,,,,,SO19 8BR,20110401,"
_SITE = "R1C01,BITTERNE HEALTH CENTRE,Y59,Q87,COMMERCIAL STREET,,SOUTHAMPTON,,,SO18 6BT,20110401,"


def test_a_site_hangs_under_its_trust_and_closes_the_day_after_its_last(app: Flask) -> None:
    _load(_nhs([_TRUST, _SITE + "20180331"]))
    (trust,), (site,) = _all(Employer), _all(Workplace)
    assert (trust.sector, trust.address) == (Sector.PUBLIC, "HIGH STREET, SO19 8BR")
    assert (site.employer_id, site.postcode) == (trust.id, "SO18 6BT")
    assert site.address == "COMMERCIAL STREET, SOUTHAMPTON"
    assert site.closed_on == date(2018, 4, 1)
    assert [edge.valid_from for edge in _all(PlaceEdge)] == [date(2011, 4, 1), date(2011, 4, 1)]


def test_full_time_equivalents_never_become_the_bottom_of_a_density(app: Flask) -> None:
    _load(_nhs([_TRUST, _SITE], "2018-JUN,R1C,SOLENT NHS TRUST,Nurses,UK,12.5\n"))
    with unit_of_work(ALL, read_only=True) as session:
        table = density_table(session, ALL, Question(as_at=NOW.date(), union_id=None))
    assert [part.density.workforce for row in table.rows for part in row.parts] == [None]


def test_an_organisation_with_staff_and_no_row_of_its_own_becomes_an_employer(app: Flask) -> None:
    _load(_nhs([_TRUST], "2018-JUN,00J,NHS North Durham CCG,Managers,UK,4\n"))
    assert [row.name for row in _all(Employer)] == ["SOLENT NHS TRUST", "NHS North Durham CCG"]
    (fte,) = _all(Headcount)
    assert (fte.best, fte.place_id) == (4, _all(Employer)[1].id)


# Stated counts


def test_280_counties_give_11_886_per_cent_and_each_its_own(app: Flask) -> None:
    register = service.read_register(
        RegisterKind.MEMBER_COUNTS,
        {"counts": _COUNTIES.read_bytes()},
        stated=_COUNTY_COUNTS,
    )
    loaded = _load(register)
    assert _tallies(loaded) == {
        "employers": (1, 0, 0),
        "workplaces": (280, 0, 0),
        "headcounts": (280, 0, 0),
        "member_counts": (280, 0, 0),
    }
    with unit_of_work(ALL, read_only=True) as session:
        table = density_table(session, ALL, Question(as_at=date(2021, 1, 1), union_id=None))
    assert len(table.rows) == 280
    total = table.total.fraction_range
    assert total is not None
    assert f"{100 * total.low:.3f}" == f"{100 * total.high:.3f}" == "11.886"
    # Names such as Orange stand for several counties, so the pairs are compared in order.
    own = sorted(
        (part.name, part.density.confirmed_fraction) for row in table.rows for part in row.parts
    )
    stated = sorted((row.name, row.members / row.workers) for row in register.rows["counts"])
    assert [name for name, _ in own] == [name for name, _ in stated]
    assert [value for _, value in own] == pytest.approx([value for _, value in stated], abs=1e-12)
    assert dict(own)["Baldwin"] == pytest.approx(0.0552347, abs=1e-7)
    (count,) = _all(MemberCount, MemberCount.members == 3434.60036)
    assert (count.union_id, count.covered, count.rounded_to) == (None, 3780.9055475, None)
    before = _row_counts()
    _load(register)
    assert _row_counts() == before


def test_counts_in_thousands_stay_marked_as_rounded(app: Flask) -> None:
    register = service.read_register(
        RegisterKind.MEMBER_COUNTS,
        {"counts": _TABLE_5.read_bytes()},
        stated=StatedCounts("US states, BLS 2018", "us-state", date(2018, 12, 31)),
    )
    _load(register)
    assert {row.rounded_to for row in _all(Headcount)} == {1000}
    assert {row.rounded_to for row in _all(MemberCount)} == {1000}
    assert len(_all(MemberCount)) == 21


def test_other_members_for_the_same_day_are_a_correction(app: Flask) -> None:
    _load(_counts("id,name,workers,members\n1,Mill,9,3\n2,Yard,,2\n"))
    loaded = _load(_counts("id,name,workers,members\n1,Mill,9,4\n2,Yard,,2\n"))
    assert _tallies(loaded)["member_counts"] == (0, 1, 1)
    assert _tallies(loaded)["headcounts"] == (0, 0, 1)
    believed = _all(MemberCount, MemberCount.superseded_at.is_(None))
    assert sorted(row.members for row in believed) == [2, 4]
    assert len(_all(MemberCount)) == 3


def test_a_count_beyond_all_people_is_left_out_with_its_row(app: Flask) -> None:
    loaded = _load(_counts("name,workers,members\nMill,9,3\nYard,2000000000,3\nDepot,4,7\n"))
    assert _reasons(loaded) == [
        ("counts", 3, "Enter a count below 1,000,000,000.", True),
        ("counts", 4, "There are more members than workers. Check both numbers.", True),
    ]
    assert [row.name for row in _all(Workplace)] == ["Mill"]


def test_counts_go_under_an_employer_that_is_there_already(app: Flask, world: World) -> None:
    stated = replace(_COUNTY_COUNTS, employer_name="brightway")
    loaded = _load(_counts("name,workers,members\nThe Shed,9,3\n", stated))
    assert _tallies(loaded)["employers"] == (0, 0, 1)
    (shed,) = _all(Workplace, Workplace.name == "The Shed")
    assert shed.employer_id == world.brightway.id


def test_a_name_that_two_employers_share_is_refused(app: Flask, world: World) -> None:
    with unit_of_work(ALL) as session:
        factories.make_employer(session, "Brightway")
    stated = replace(_COUNTY_COUNTS, employer_name="Brightway")
    with pytest.raises(Refusal) as refused:
        _load(_counts("name,workers,members\nThe Shed,9,3\n", stated))
    assert str(refused.value) == (
        "More than one employer is called Brightway. Give the places another employer's name."
    )


def test_a_register_without_all_its_files_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        service.read_register(RegisterKind.NHS, {"sites": b"x"})
    assert str(refused.value) == "Choose all the files that this register needs."
