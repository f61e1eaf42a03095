"""The registers are read as they were published, and bad rows are named."""

from __future__ import annotations

import csv
import gzip
import io
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import pytest

from crm.analysis.registers import gender_pay, member_counts, nhs, reading
from crm.analysis.registers.postcodes import find_postcode, split_postcode
from crm.analysis.registers.reading import Problem
from crm.domain.errors import Refusal

_Row = TypeVar("_Row")
_DATA = Path(__file__).parents[1] / "data"
_EMPLOYERS = _DATA / "uk-employers-gpg-2019-20" / "gpg-2019-2020.csv.gz"
_STAFF = _DATA / "nhs-england-workforce" / "hchs_2018-06.csv.gz"
_SITES = _DATA / "nhs-england-workforce" / "etrust_sites.csv.gz"
_HOSPITALS = _DATA / "nhs-england-workforce" / "Hospital_raw_latin1_not-sign-delimited.csv.gz"
_US = _DATA / "us-union-density"
_BLS = _DATA / "bls-union-table5-2018" / "table5_2018.csv"


def _read(
    reader: Callable[[BinaryIO], tuple[list[_Row], list[Problem]]], path: Path
) -> tuple[list[_Row], list[Problem]]:
    with path.open("rb") as stream:
        return reader(stream)


@lru_cache(maxsize=1)
def _employers() -> tuple[list[gender_pay.Employer], list[Problem]]:
    return _read(gender_pay.read_employers, _EMPLOYERS)


@lru_cache(maxsize=1)
def _sites() -> tuple[list[nhs.TrustOrSite], list[Problem]]:
    return _read(nhs.read_trusts_and_sites, _SITES)


def _employer_file(*rows: dict[str, str], columns: tuple[str, ...] = ()) -> BinaryIO:
    headings = columns or gender_pay.REQUIRED_COLUMNS
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, headings)
    writer.writeheader()
    usual = {
        "EmployerName": "MILL LIMITED",
        "Address": "1 Mill Lane, Leeds, LS1 1AA",
        "CompanyNumber": "01234567",
        "SicCodes": "13100",
        "EmployerSize": "250 to 499",
        "CurrentName": "MILL LIMITED",
        "DueDate": "05/04/2020 00:00:00",
    }
    for row in rows:
        writer.writerow(usual | row)
    return io.BytesIO(text.getvalue().encode())


def _employer(**cells: str) -> gender_pay.Employer:
    rows, problems = gender_pay.read_employers(_employer_file(cells))
    assert problems == []
    return rows[0]


def _refusal(reader: Callable[[BinaryIO], Any], content: bytes) -> str:
    with pytest.raises(Refusal) as refused:
        reader(io.BytesIO(content))
    return str(refused.value)


# Gender pay gap employers


def test_all_6031_employers_are_read_and_only_two_cells_are_reported() -> None:
    rows, problems = _employers()
    assert len(rows) == 6031
    assert problems == [
        Problem(
            3657,
            "Address",
            "Peterborough City Hospital, Edith Cavell Campus�, Bretton Gate",
            gender_pay.LETTERS_LOST,
            row_left_out=False,
        ),
        Problem(
            4281,
            "Address",
            "Number One Riverside, Smith Street, Rochdale�",
            gender_pay.LETTERS_LOST,
            row_left_out=False,
        ),
    ]


def test_row_numbers_are_those_of_a_spreadsheet_although_cells_hold_several_lines() -> None:
    rows, _ = _employers()
    assert [row.row_number for row in rows] == list(range(2, 6033))


def test_company_numbers_are_8_characters_or_not_known() -> None:
    numbers = [row.company_number for row in _employers()[0]]
    assert numbers.count(None) == 1007
    assert Counter(len(number) for number in numbers if number) == {8: 5024}
    starts = Counter(number[:2] for number in numbers if number and number[0].isalpha())
    assert [starts[letters] for letters in ("SC", "OC", "RC", "BR", "NI")] == [250, 83, 75, 42, 13]


def test_size_bands_become_low_and_high_headcounts() -> None:
    sizes = Counter((row.headcount_low, row.headcount_high) for row in _employers()[0])
    assert sizes == {
        (1, 249): 190,
        (250, 499): 2445,
        (500, 999): 1466,
        (1000, 4999): 1499,
        (5000, 19999): 373,
        (20000, None): 52,
        (None, None): 6,
    }


def test_the_headcount_is_true_for_the_snapshot_day_a_year_before_the_report_was_due() -> None:
    days = Counter(row.headcount_on for row in _employers()[0])
    assert days == {date(2019, 3, 31): 1334, date(2019, 4, 5): 4697}


def test_every_sic_code_has_five_digits_and_the_public_sector_mark_is_not_one() -> None:
    rows, _ = _employers()
    # 7,617 codes of five digits and 73 of four; two rows name the same code twice.
    assert sum(len(row.sic_codes) for row in rows) == 7617 + 73 - 2
    assert {len(code) for row in rows for code in row.sic_codes} == {5}
    assert sum(row.public_sector for row in rows) == 958


def test_sic_codes_on_lines_inside_a_cell_are_read_in_order() -> None:
    life = next(row for row in _employers()[0] if row.company_number == "02566586")
    assert life.sic_codes == ("93110", "93130", "93290")


def test_a_renamed_employer_keeps_both_names_under_one_number() -> None:
    aarti = next(row for row in _employers()[0] if row.company_number == "03725308")
    assert (aarti.name, aarti.current_name, aarti.renamed) == (
        "ACENTA STEEL LIMITED",
        "AARTEE BRIGHT BAR LIMITED",
        True,
    )
    acorns = next(row for row in _employers()[0] if row.company_number == "02036103")
    assert acorns.name == "Acorns Children's Hospice Trust"
    assert not acorns.renamed


def test_each_employer_has_a_match_key_of_its_own() -> None:
    rows, _ = _employers()
    assert len({row.match_key for row in rows}) == 6031


def test_all_but_30_addresses_end_in_a_postcode() -> None:
    rows, _ = _employers()
    assert sum(row.postcode is None for row in rows) == 30
    assert (rows[0].address, rows[0].postcode) == (
        "Aberystwyth University, Penglais, Ceredigion",
        "SY23 3FL",
    )


def test_6031_employers_are_read_in_less_than_a_second() -> None:
    started = time.process_time()
    _read(gender_pay.read_employers, _EMPLOYERS)
    assert time.process_time() - started < 1


def test_reading_twice_gives_equal_rows() -> None:
    assert _read(gender_pay.read_employers, _EMPLOYERS) == _employers()


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("6368740", "06368740"),
        (" sc123456 ", "SC123456"),
        ("SC12345", "SC012345"),
        ("NI 012345", "NI012345"),
        ("ip28985r", "IP28985R"),
        ("", None),
        ("00000000", None),
        ("123456789", None),
        ("not known", None),
        ("8.06E+06", None),
        ("١٢٣٤٥٦٧٨", None),
    ],
)
def test_company_numbers_are_put_in_one_form(written: str, number: str | None) -> None:
    assert gender_pay.company_number(written) == number


def test_a_four_digit_sic_code_gets_its_lost_zero_back() -> None:
    assert _employer(SicCodes="1240,\n1,\n86210").sic_codes == ("01240", "86210")


@pytest.mark.parametrize(
    ("due", "counted_on"),
    [
        ("30/03/2023 00:00:00", date(2022, 3, 31)),
        ("31/03/2020 00:00:00", date(2019, 3, 31)),
        ("2022/04/04 00:00:00", date(2021, 4, 5)),
        ("2022-04-05T00:00:00", date(2021, 4, 5)),
    ],
)
def test_the_day_due_gives_the_snapshot_day(due: str, counted_on: date) -> None:
    assert _employer(DueDate=due).headcount_on == counted_on


@pytest.mark.parametrize("due", ["05/10/2021", "31/02/2020", "soon", "", "01/04/0001", "5/4/0000"])
def test_a_day_due_that_says_no_snapshot_day_is_reported_and_left_unknown(due: str) -> None:
    rows, problems = gender_pay.read_employers(_employer_file({"DueDate": due}))
    assert rows[0].headcount_on is None
    assert problems == [Problem(2, "DueDate", due, gender_pay.DUE_DATE_UNREADABLE, False)]


def test_bad_cells_are_reported_by_row_and_the_row_is_kept() -> None:
    rows, problems = gender_pay.read_employers(
        _employer_file(
            {},
            {"CompanyNumber": "8.06E+06", "SicCodes": "13100, 12345", "EmployerSize": "lots"},
        )
    )
    assert len(rows) == 2
    assert problems == [
        Problem(3, "EmployerSize", "lots", gender_pay.SIZE_UNREADABLE, False),
        Problem(3, "SicCodes", "12345", gender_pay.SIC_NOT_LISTED, False),
        Problem(3, "CompanyNumber", "8.06E+06", gender_pay.NUMBER_UNREADABLE, False),
    ]
    assert (rows[1].company_number, rows[1].sic_codes, rows[1].headcount_low) == (
        None,
        ("13100",),
        None,
    )


def test_a_second_row_with_the_same_company_number_is_left_out() -> None:
    rows, problems = gender_pay.read_employers(
        _employer_file({}, {"CompanyNumber": "1234567", "EmployerName": "OLD MILL LIMITED"})
    )
    assert [row.name for row in rows] == ["MILL LIMITED"]
    assert problems == [Problem(3, "CompanyNumber", "1234567", gender_pay.NUMBER_TWICE)]


def test_without_numbers_the_same_name_in_another_town_is_another_employer() -> None:
    rows, problems = gender_pay.read_employers(
        _employer_file(
            {"CompanyNumber": ""},
            {"CompanyNumber": "", "Address": "High Street, Bath, BA1 1AA"},
            {"CompanyNumber": "", "CurrentName": "Mill Limited"},
        )
    )
    assert [row.row_number for row in rows] == [2, 3]
    assert problems == [Problem(4, "CurrentName", "Mill Limited", gender_pay.NAME_TWICE)]


def test_a_row_without_a_name_is_left_out() -> None:
    rows, problems = gender_pay.read_employers(_employer_file({"EmployerName": " "}))
    assert rows == []
    assert problems == [Problem(2, "EmployerName", "", gender_pay.NAME_MISSING)]


def test_columns_for_the_id_and_the_postcode_are_read_when_a_file_has_them() -> None:
    columns = (*gender_pay.REQUIRED_COLUMNS, "EmployerId", "PostCode")
    rows, problems = gender_pay.read_employers(
        _employer_file(
            {"Address": "1 Mill Lane, Leeds", "EmployerId": "815", "PostCode": "ls1 1aa"},
            columns=columns,
        )
    )
    assert problems == []
    assert (rows[0].employer_id, rows[0].postcode) == ("815", "LS1 1AA")


def test_a_byte_order_mark_and_plain_csv_are_accepted() -> None:
    content = b"\xef\xbb\xbf" + _employer_file({}).read()
    assert len(gender_pay.read_employers(io.BytesIO(content))[0]) == 1


# Postcodes


@pytest.mark.parametrize("area", ["bolsover", "jarrow"])
def test_every_real_postcode_is_recognised(area: str) -> None:
    path = _DATA / "uk-reference-codes" / f"postcodes_{area}.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        postcodes = [row["Postcode"] for row in csv.DictReader(lines)]
    assert len(postcodes) in (2968, 2465)
    assert [find_postcode(postcode) for postcode in postcodes] == postcodes
    assert [find_postcode(postcode.replace(" ", "")) for postcode in postcodes] == postcodes


@pytest.mark.parametrize(
    ("address", "split"),
    [
        ("1 Angel Court, London, EC2R 7HJ", ("1 Angel Court, London", "EC2R 7HJ")),
        ("Penglais, sy233fl", ("Penglais", "SY23 3FL")),
        ("Aylesbury, HP 21 8AL", ("Aylesbury", "HP21 8AL")),
        ("Leeds LS2 9JZ.", ("Leeds", "LS2 9JZ")),
        ("LS2 9JZ", ("", "LS2 9JZ")),
        ("Leeds, LS2 9JZ, 157", ("Leeds, LS2 9JZ, 157", None)),
        ("Chelmsford, CM2 OLS", ("Chelmsford, CM2 OLS", None)),
        ("Leeds, LS2 9CO", ("Leeds, LS2 9CO", None)),
        ("Boston, Ma 02116", ("Boston, Ma 02116", None)),
        ("Abroad, ZZ99 3CZ", ("Abroad, ZZ99 3CZ", None)),
        ("", ("", None)),
    ],
)
def test_a_postcode_is_taken_from_the_end_only_when_it_is_one(
    address: str, split: tuple[str, str | None]
) -> None:
    assert split_postcode(address) == split


# NHS


def test_staff_sums_are_those_of_the_publisher_to_the_last_digit() -> None:
    rows, problems = _read(nhs.read_staff, _STAFF)
    assert problems == []
    assert len(rows) == 414
    assert sum(row.fte for row in rows) == Decimal("1061617.05949")
    manchester = next(row for row in rows if row.code == "R0A")
    assert manchester.fte == Decimal("17975.71239")
    assert sum(fte for _, fte in manchester.fte_by_staff_group) == manchester.fte
    assert {row.as_at for row in rows} == {date(2018, 6, 30)}
    assert len({group for row in rows for group, _ in row.fte_by_staff_group}) == 13


def test_41092_staff_lines_are_read_in_less_than_a_second() -> None:
    started = time.process_time()
    _read(nhs.read_staff, _STAFF)
    assert time.process_time() - started < 1


_STAFF_HEADING = ",".join(nhs.STAFF_COLUMNS) + "\n"


def _staff(*lines: str) -> BinaryIO:
    return io.BytesIO((_STAFF_HEADING + "\n".join(lines)).encode())


@pytest.mark.parametrize(
    ("bad_line", "problem"),
    [
        ("2018-JUN,R0A,Trust,Nurses,Irish,-1", ("FTE", "-1", nhs.FTE_UNREADABLE)),
        ("2018-JUN,R0A,Trust,Nurses,Irish,nan", ("FTE", "nan", nhs.FTE_UNREADABLE)),
        ("2018-JUN,R0A,Trust,Nurses,Irish,", ("FTE", "", nhs.FTE_UNREADABLE)),
        ("2018-JUNE,R0A,Trust,Nurses,Irish,1", ("Month", "2018-JUNE", nhs.MONTH_UNREADABLE)),
        ("2018-JUN,R0A,Trust,Nurses,British,1", ("Nationality", "British", nhs.STAFF_LINE_TWICE)),
    ],
)
def test_an_organisation_with_an_unreadable_line_has_no_total_at_all(
    bad_line: str, problem: tuple[str, str, str]
) -> None:
    rows, problems = nhs.read_staff(
        _staff("2018-JUN,R0A,Trust,Nurses,British,2.5", bad_line, "2018-JUN,R0B,B,Nurses,Irish,1")
    )
    assert [(row.code, row.fte) for row in rows] == [("R0B", Decimal(1))]
    assert problems == [Problem(3, *problem)]


def test_a_staff_line_that_belongs_to_no_organisation_refuses_the_file() -> None:
    with pytest.raises(Refusal) as refused:
        nhs.read_staff(_staff("2018-JUN,,Trust,Nurses,British,2.5"))
    assert str(refused.value) == (
        "Row 2 has no organisation code, so no total can be trusted. "
        "Enter the code of the organisation."
    )


def test_a_staff_line_that_lacks_a_cell_refuses_the_file() -> None:
    with pytest.raises(Refusal) as refused:
        nhs.read_staff(_staff("2018-JUN,R0A,Trust,Nurses,British,1", "2018-JUN,R0A,Nurses,Irish,2"))
    assert str(refused.value) == (
        "Row 3 does not have the same number of cells as the heading row, so no total can be "
        "trusted. Look for a missing comma or quote mark."
    )


def test_months_end_on_their_last_day_in_leap_years_too() -> None:
    rows, _ = nhs.read_staff(_staff("2020-FEB,R0A,Trust,Nurses,British,1"))
    assert rows[0].as_at == date(2020, 2, 29)


def test_all_141_trusts_and_18230_sites_are_read_and_the_orphan_site_is_named() -> None:
    rows, problems = _sites()
    assert len(rows) == 18371
    assert Counter(row.trust_code is None for row in rows) == {True: 141, False: 18230}
    assert len({row.code[:3] for row in rows}) == 142
    assert problems == [Problem(3161, "code", "RERRK", nhs.TRUST_MISSING, row_left_out=False)]


def test_a_site_knows_its_trust_address_codes_and_days() -> None:
    rows, _ = _sites()
    assert rows[1] == nhs.TrustOrSite(
        row_number=2,
        code="R1C01",
        name="BITTERNE HEALTH CENTRE",
        trust_code="R1C",
        region_code="Y59",
        area_code="Q87",
        government_region_code="J",
        address_lines=("COMMERCIAL STREET", "SOUTHAMPTON", "HAMPSHIRE"),
        postcode="SO18 6BT",
        opened_on=date(2011, 4, 1),
        last_open_on=None,
    )


def test_123_places_have_closed_and_every_place_has_a_postcode() -> None:
    rows, _ = _sites()
    assert sum(row.last_open_on is not None for row in rows) == 18371 - 18248
    assert all(row.postcode for row in rows)


def _site(**cells: str) -> str:
    usual = {"code": "R1C01", "name": "CLINIC", "postcode": "SO18 6BT", "open": "", "close": ""}
    values = usual | cells
    line = [values["code"], values["name"], "Y59", "Q87", "ROAD", "", "", "TOWN", "COUNTY"]
    line += [values["postcode"], values["open"], values["close"], *[""] * 11, "J", "", "", ""]
    return ",".join(line)


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"code": "R1"}, ("code", "R1", nhs.CODE_UNREADABLE)),
        ({"name": ""}, ("name", "", nhs.NAME_MISSING)),
        ({"open": "20180231"}, ("open date", "20180231", nhs.DAY_UNREADABLE)),
        ({"close": "2018"}, ("close date", "2018", nhs.DAY_UNREADABLE)),
        (
            {"open": "20180401", "close": "20180331"},
            ("close date", "20180331", nhs.CLOSED_BEFORE_OPENED),
        ),
        ({"code": "R1C"}, ("code", "R1C", nhs.CODE_TWICE)),
    ],
)
def test_a_site_that_cannot_be_right_is_left_out(
    cells: dict[str, str], problem: tuple[str, str, str]
) -> None:
    content = "\n".join([_site(code="R1C"), _site(**cells)]).encode()
    rows, problems = nhs.read_trusts_and_sites(io.BytesIO(content))
    assert [row.code for row in rows] == ["R1C"]
    assert problems == [Problem(2, *problem)]


def test_a_site_with_an_unreadable_postcode_is_kept_without_it() -> None:
    content = "\n".join([_site(code="R1C"), _site(postcode="SOUTH")]).encode()
    rows, problems = nhs.read_trusts_and_sites(io.BytesIO(content))
    assert rows[1].postcode is None
    assert problems == [Problem(2, "postcode", "SOUTH", nhs.POSTCODE_UNREADABLE, False)]


def test_the_hospital_list_is_read_through_its_delimiter_and_encoding() -> None:
    rows, problems = _read(nhs.read_hospitals, _HOSPITALS)
    assert problems == []
    assert len(rows) == 1231
    assert Counter(row.sector for row in rows) == {"NHS Sector": 767, "Independent Sector": 464}
    assert sum(row.sub_type is None for row in rows) == 220
    assert len({row.parent_code for row in rows}) == 304
    latitudes = [row.latitude for row in rows if row.latitude is not None]
    assert len(latitudes) == 1230
    assert all(49 < latitude < 56 for latitude in latitudes)
    assert rows[4].longitude == pytest.approx(-0.0306040551)


def test_the_same_hospitals_in_utf_8_give_the_same_rows() -> None:
    recoded = gzip.decompress(_HOSPITALS.read_bytes()).decode("latin-1").encode()
    assert nhs.read_hospitals(io.BytesIO(recoded)) == _read(nhs.read_hospitals, _HOSPITALS)


@pytest.mark.parametrize("latitude", ["north", "nan", "inf", "91", ""])
def test_a_hospital_with_an_impossible_position_is_kept_without_it(latitude: str) -> None:
    values = dict.fromkeys(nhs.HOSPITAL_COLUMNS, "") | {
        "OrganisationCode": "R1C99",
        "OrganisationName": "Château Hospital",
        "ParentODSCode": "R1C",
        "Latitude": latitude,
        "Longitude": "-1",
    }
    text = "¬".join(values) + "\n" + "¬".join(values.values())
    rows, problems = nhs.read_hospitals(io.BytesIO(text.encode("latin-1")))
    assert (rows[0].name, rows[0].latitude, rows[0].longitude) == ("Château Hospital", None, None)
    assert [(p.row_number, p.column, p.message, p.row_left_out) for p in problems] == [
        (2, "Latitude", nhs.POSITION_UNREADABLE, False)
    ]


# Stated counts


def _counts(text: str) -> tuple[list[member_counts.StatedCountRow], list[Problem]]:
    return member_counts.read_member_counts(io.BytesIO(text.encode()))


@pytest.mark.parametrize(
    ("name", "places", "percent"),
    [("county", 280, 11.886), ("metro", 260, None), ("city", 97, None)],
)
def test_us_density_files_are_read_as_they_are(
    name: str, places: int, percent: float | None
) -> None:
    rows, problems = _read(member_counts.read_member_counts, _US / f"{name}_density.csv")
    assert problems == []
    assert len(rows) == places
    assert all(row.workers and row.observations for row in rows)
    if percent is not None:
        density = sum(row.members for row in rows) / sum(row.workers or 0 for row in rows)
        assert round(100 * density, 3) == percent


def test_counts_in_thousands_are_multiplied_and_marked_as_rounded() -> None:
    rows, problems = _read(member_counts.read_member_counts, _BLS)
    assert problems == []
    assert len(rows) == 21
    assert rows[0] == member_counts.StatedCountRow(
        row_number=2,
        external_id="Alabama",
        name="Alabama",
        workers=1_950_000.0,
        members=180_000.0,
        covered=196_000.0,
        rounded_to=1000,
        published_fraction=0.092,
        observations=None,
    )


def test_our_own_format_needs_a_name_workers_and_members_only() -> None:
    rows, problems = _counts('Workplace,Workers,Members\nMill,"1,200",300\nDepot,,7\n')
    assert problems == []
    assert [(row.external_id, row.workers, row.members, row.covered) for row in rows] == [
        ("Mill", 1200.0, 300.0, None),
        ("Depot", None, 7.0, None),
    ]
    assert {row.rounded_to for row in rows} == {None}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2,Mill,10,11,,,", ("members", "11", member_counts.MORE_MEMBERS)),
        ("2,Mill,10,1,11,,", ("covered", "11", member_counts.MORE_COVERED)),
        ("2,Mill,-10,1,,,", ("workers", "-10", member_counts.BELOW_ZERO)),
        ("2,Mill,10,-1,,,", ("members", "-1", member_counts.BELOW_ZERO)),
        ("2,Mill,0,0,,,", ("workers", "0", member_counts.NO_WORKERS)),
        ("2,Mill,ten,1,,,", ("workers", "ten", member_counts.NOT_A_NUMBER)),
        ("2,Mill,10,nan,,,", ("members", "nan", member_counts.NOT_A_NUMBER)),
        ("2,Mill,1e3,1,,,", ("workers", "1e3", member_counts.NOT_A_NUMBER)),
        ("2,Mill,1٠,1,,,", ("workers", "1٠", member_counts.NOT_A_NUMBER)),
        ("2,Mill,99999999999,1,,,", ("workers", "99999999999", member_counts.TOO_LARGE)),
        ("2,Mill,10,,,,", ("members", "", member_counts.MEMBERS_MISSING)),
        (",Mill,10,1,,,", ("id", "", member_counts.ID_MISSING)),
        ("2, ,10,1,,,", ("name", "", member_counts.NAME_MISSING)),
        ("1,Mill,10,1,,,", ("id", "1", member_counts.ID_TWICE)),
        ("2,Mill,10", (None, "2, Mill, 10", reading.WRONG_NUMBER_OF_CELLS)),
    ],
)
def test_a_count_that_cannot_be_right_is_left_out_with_its_row_and_reason(
    line: str, problem: tuple[str | None, str, str]
) -> None:
    heading = "id,name,workers,members,covered,observations,members_pct"
    rows, problems = _counts(f"{heading}\n1,First,10,1,,,\n\n{line}\n3,Last,10,10,10,5,100\n")
    assert [row.external_id for row in rows] == ["1", "3"]
    assert problems == [Problem(4, *problem)]


def test_a_bad_percentage_or_sample_size_leaves_only_that_cell_unknown() -> None:
    rows, problems = _counts("name,workers,members,observations,members_pct\nMill,9,3,1.5,120\n")
    assert (rows[0].published_fraction, rows[0].observations) == (None, None)
    assert problems == [
        Problem(2, "members_pct", "120", member_counts.NOT_PERCENT, False),
        Problem(2, "observations", "1.5", member_counts.NOT_WHOLE, False),
    ]


def test_counts_of_mixed_units_refuse_the_file() -> None:
    content = b"name,workers_thousands,members\nMill,1,300\n"
    assert _refusal(member_counts.read_member_counts, content) == (
        "Some counts in this file are in thousands and some are not. "
        "Give all of them in the same way."
    )


# Files of another kind

_READERS = [
    gender_pay.read_employers,
    nhs.read_staff,
    nhs.read_trusts_and_sites,
    nhs.read_hospitals,
    member_counts.read_member_counts,
]


@pytest.mark.parametrize("reader", _READERS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "This file is empty. Choose another file."),
        (b" \r\n", "This file is empty. Choose another file."),
        (
            b"PK\x03\x04rest",
            "This is a spreadsheet or zip file. Save it as CSV and choose that file.",
        ),
        (
            gzip.compress(b"name,workers,members\n" * 50)[:-20],
            "This file is damaged. Download it again, then try once more.",
        ),
        (
            b"\x1f\x8bnot gzip at all",
            "This file is damaged. Download it again, then try once more.",
        ),
        (
            "name,workers".encode("utf-16"),
            "Some letters in this file cannot be read. Save it as “CSV UTF-8”, then try again.",
        ),
    ],
    # Named, because gzip writes the time into its bytes and each worker would see another name.
    ids=["empty", "blank", "zip", "cut short", "not gzip", "utf-16"],
)
def test_a_file_that_is_no_readable_text_is_refused(
    reader: Callable[[BinaryIO], Any], content: bytes, message: str
) -> None:
    assert _refusal(reader, content) == message


@pytest.mark.parametrize(
    ("reader", "message"),
    [
        (
            gender_pay.read_employers,
            (
                "This file has no column called EmployerName, Address, CompanyNumber, SicCodes, "
                "EmployerSize, CurrentName, DueDate. Check that it is the right file."
            ),
        ),
        (
            nhs.read_staff,
            (
                "This file has no column called Month, Organisation code, Organisation name, "
                "Staff group, Nationality, FTE. Check that it is the right file."
            ),
        ),
        (
            nhs.read_trusts_and_sites,
            (
                "This is not the NHS list of trusts and sites: its first row should have 27 "
                "columns and start with a code. Check that it is the right file."
            ),
        ),
        (
            member_counts.read_member_counts,
            (
                "This file has no column called name, workers, members. "
                "Check that it is the right file."
            ),
        ),
    ],
)
@pytest.mark.parametrize("content", [b"colour,shape\nred,round\n", b"\xef\xbb\xbf"])
def test_a_file_of_another_kind_is_refused(
    reader: Callable[[BinaryIO], Any], message: str, content: bytes
) -> None:
    assert _refusal(reader, content) == message


def test_a_heading_that_stands_twice_is_refused() -> None:
    assert _refusal(member_counts.read_member_counts, b"name,workers,members,Members\n") == (
        "Two columns of this file are called members. Rename or delete one of them."
    )


def test_a_quote_mark_that_is_never_closed_is_refused_with_its_row() -> None:
    content = b'name,workers,members\nMill,9,3\n"Depot,9,3\nYard,9,3\n'
    assert _refusal(member_counts.read_member_counts, content) == (
        "Row 3 cannot be read. Check that each quote mark in it is closed."
    )


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_that_is_too_large_unpacked_is_refused(
    monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr(reading, "MAX_EXPANDED_BYTES", 2 * 1024 * 1024)
    content = b"name,workers,members\n" + b"Mill,9,3\n" * 300_000
    assert (
        _refusal(member_counts.read_member_counts, gzip.compress(content) if packed else content)
        == "This file is larger than 2 MB unpacked. Split it into smaller files."
    )


def test_a_file_with_problems_without_end_is_refused() -> None:
    content = b"name,workers,members\n" + b"Mill\n" * 10_001
    assert _refusal(member_counts.read_member_counts, content) == (
        "This file has more than 10000 problems. Check that it is the right file."
    )


def test_a_long_cell_is_cut_in_the_report() -> None:
    _, problems = _counts("name,workers,members\nMill," + "x" * 200 + ",3\n")
    assert problems[0].value_shown == "x" * 79 + "…"


def test_a_line_of_countless_cells_is_refused_before_it_is_split() -> None:
    with pytest.raises(
        Refusal, match=r"^Line 2 has more than 1000 cells\. Check that it is the right file\.$"
    ):
        _counts("name,workers,members\n" + "," * 2_000_000 + "\n")


def test_a_file_of_countless_lines_is_refused() -> None:
    with pytest.raises(
        Refusal,
        match=r"^This file has more than 500000 lines\. Check that it is the right file\.$",
    ):
        _counts("name,workers,members\n" + "\n" * 600_000)


def test_countless_headings_are_refused_at_once() -> None:
    headings = ",".join(f"column {number}" for number in range(20_000))
    with pytest.raises(Refusal, match=r"^Line 1 has more than 1000 cells\."):
        _counts(headings + "\n")
