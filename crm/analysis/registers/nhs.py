"""NHS organisations in England: staff, trusts with their sites, and hospitals.

Sources: NHS Digital workforce figures by nationality (hchs), the organisation data service's list
of trusts and sites (etrust), and the hospital list of the NHS website, all under the Open
Government Licence v3.0. Region and area codes are kept as codes: NHS England redraws its regions,
and a name would need a date.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import BinaryIO

from crm.analysis.registers.postcodes import find_postcode
from crm.analysis.registers.reading import (
    WRONG_NUMBER_OF_CELLS,
    HeadedTable,
    Problem,
    Problems,
    find_number,
    read_headed_table,
    read_rows,
    read_text,
    tidy,
)
from crm.domain.errors import Refusal

STAFF_COLUMNS = (
    "Month",
    "Organisation code",
    "Organisation name",
    "Staff group",
    "Nationality",
    "FTE",
)
HOSPITAL_COLUMNS = (
    "OrganisationCode",
    "SubType",
    "Sector",
    "OrganisationName",
    "Address1",
    "Address2",
    "Address3",
    "City",
    "County",
    "Postcode",
    "Latitude",
    "Longitude",
    "ParentODSCode",
    "ParentName",
)
SITE_COLUMN_COUNT = 27
HOSPITAL_DELIMITER = "¬"

# The list of trusts and sites has no headings; these are the columns that hold something.
_CODE, _NAME, _REGION, _AREA = 0, 1, 2, 3
_ADDRESS = slice(4, 9)
_POSTCODE, _OPENED, _CLOSED, _GOVERNMENT_REGION = 9, 10, 11, 23

_ORGANISATION_CODE = re.compile(r"[A-Z0-9]{3}", re.ASCII)
_SITE_CODE = re.compile(r"[A-Z0-9]{5}", re.ASCII)
_DAY = re.compile(r"[0-9]{8}", re.ASCII)
_MONTH = re.compile(r"([12][0-9]{3})-([A-Z]{3})", re.ASCII)
# Written out, because the names that Python knows depend on the language of the machine.
_MONTH_NAMES = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]

MONTH_UNREADABLE = (
    "Enter the month as 2018-JUN. The whole organisation is left out, as its total would be wrong."
)
FTE_UNREADABLE = (
    "Enter the FTE as a number of 0 or more. "
    "The whole organisation is left out, as its total would be wrong."
)
STAFF_LINE_TWICE = (
    "This organisation, staff group and nationality stand higher up in the file. Delete one of the "
    "two rows. The whole organisation is left out, as its total would be wrong."
)
CODE_MISSING = "Enter the code of the organisation."
NAME_MISSING = "Enter the name of the organisation or site."
CODE_UNREADABLE = "Enter a code of 3 letters and digits for a trust, or of 5 for a site."
CODE_TWICE = "This code stands higher up in the file. Delete one of the two rows."
TRUST_MISSING = (
    "The trust of this site is not in the file. Add a row for the trust, or add the trust by hand."
)
POSTCODE_UNREADABLE = "Enter a UK postcode, or leave the cell empty if it is not known."
DAY_UNREADABLE = "Enter the day as eight digits: year, month, day."
CLOSED_BEFORE_OPENED = "The closing day is before the opening day. Check both days."
PARENT_MISSING = "Enter the code of the organisation that runs this hospital."
POSITION_UNREADABLE = (
    "Enter latitude and longitude in degrees, or leave both cells empty if they are not known."
)


@dataclass(frozen=True, slots=True)
class OrganisationStaff:
    """Full-time equivalent staff of one organisation in one month, summed over nationalities.

    FTE is not a number of people: two half-time nurses are 1.0. It must never be shown or used as
    a headcount. The publisher changed small figures so that nobody can be recognised.

    row_number: of the organisation's first row in a spreadsheet; the first one is in row 2.
    as_at: the last day of the month. fte: the sum. fte_by_staff_group: in file order; the group
    "Unknown" is the publisher's.
    """

    row_number: int
    code: str
    name: str
    as_at: date
    fte: Decimal
    fte_by_staff_group: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class TrustOrSite:
    """A trust, or a place where a trust works.

    row_number: of the row in a spreadsheet; the file has no headings, so the first row is 1.
    code: 3 characters for a trust, 5 for a site. trust_code: the first 3 characters of a site's
    code; None for a trust. Names and addresses are in capitals, as published.
    address_lines: the lines in use, town and county last when given.
    region_code, area_code: NHS England region (Y59) and its local office (Q87) of 2018.
    government_region_code: government office region (J), W for Wales.
    opened_on: None when not known. last_open_on: the last day in use; None when no closing day is
    given.
    """

    row_number: int
    code: str
    name: str
    trust_code: str | None
    region_code: str | None
    area_code: str | None
    government_region_code: str | None
    address_lines: tuple[str, ...]
    postcode: str | None
    opened_on: date | None
    last_open_on: date | None


@dataclass(frozen=True, slots=True)
class Hospital:
    """A hospital, NHS or independent, with the organisation that runs it.

    row_number: of the row in a spreadsheet; the first hospital is in row 2.
    parent_code: of the organisation that runs it now; it need not be the start of `code`, because
    hospitals keep their code when another trust takes them over.
    sub_type: None when the publisher says UNKNOWN. latitude, longitude: degrees (WGS 84), both
    None when not known. Telephone and mail addresses are not read: some may be a person's own.
    """

    row_number: int
    code: str
    name: str
    sector: str
    sub_type: str | None
    parent_code: str
    parent_name: str
    address_lines: tuple[str, ...]
    city: str | None
    county: str | None
    postcode: str | None
    latitude: float | None
    longitude: float | None


def read_staff(stream: BinaryIO) -> tuple[list[OrganisationStaff], list[Problem]]:
    """Reads staff by organisation from the nationality file (CSV, UTF-8, plain or gzip).

    One row for each organisation and month, in the order of their first rows. An organisation
    with a line that cannot be read is left out whole: a sum over the rest would be too low and
    look right. Raises Refusal when the file is of another kind, and when a row names no
    organisation or lacks cells, because then any of the sums may be too low.
    """
    problems = Problems()
    table = read_headed_table(
        read_text(stream), problems, required=STAFF_COLUMNS, every_row_counts=True
    )
    places = [table.position(column) for column in STAFF_COLUMNS]
    drafts: dict[tuple[str, str], _StaffDraft] = {}
    unusable: set[str] = set()
    lines_seen: set[tuple[str, str, str, str]] = set()
    for row_number, cells in table.rows:
        month, code, name, group, nationality, fte_text = (cells[place].strip() for place in places)
        if not code:
            raise Refusal(
                "Row %(row)s has no organisation code, so no total can be trusted. "
                "Enter the code of the organisation.",
                row=row_number,
            )
        key = (code, month)
        draft = drafts.get(key)
        if draft is None:
            as_at = _find_month_end(month)
            if as_at is None:
                problems.leave_out(row_number, "Month", month, MONTH_UNREADABLE)
                unusable.add(code)
            draft = drafts[key] = _StaffDraft(row_number, tidy(name), as_at, {})
        line = (code, month, group, nationality)
        fte = find_number(fte_text)
        if fte is None or fte < 0:
            problems.leave_out(row_number, "FTE", fte_text, FTE_UNREADABLE)
            unusable.add(code)
        elif line in lines_seen:
            problems.leave_out(row_number, "Nationality", nationality, STAFF_LINE_TWICE)
            unusable.add(code)
        else:
            lines_seen.add(line)
            draft.fte_by_group[group] = draft.fte_by_group.get(group, Decimal(0)) + fte
    return [
        OrganisationStaff(
            row_number=draft.row_number,
            code=code,
            name=draft.name,
            as_at=draft.as_at,
            fte=sum(draft.fte_by_group.values(), Decimal(0)),
            fte_by_staff_group=tuple(draft.fte_by_group.items()),
        )
        for (code, _), draft in drafts.items()
        if draft.as_at is not None and code not in unusable
    ], problems.in_order()


def read_trusts_and_sites(stream: BinaryIO) -> tuple[list[TrustOrSite], list[Problem]]:
    """Reads trusts and their sites (CSV without headings, 27 columns, UTF-8, plain or gzip).

    Row numbers start at 1. A site whose trust is not in the file is read and reported. Raises
    Refusal when the first row is not one of a trust or a site.
    """
    problems = Problems()
    rows: list[TrustOrSite] = []
    seen: set[str] = set()
    numbered = list(read_rows(read_text(stream)))
    first_cells = numbered[0][1] if numbered else []
    if len(first_cells) != SITE_COLUMN_COUNT or not _is_place_code(first_cells[_CODE]):
        raise Refusal(
            "This is not the NHS list of trusts and sites: its first row should have "
            "%(count)s columns and start with a code. Check that it is the right file.",
            count=SITE_COLUMN_COUNT,
        )
    for row_number, cells in numbered:
        row = _find_place(row_number, cells, problems)
        if row is None:
            continue
        if row.code in seen:
            problems.leave_out(row_number, "code", row.code, CODE_TWICE)
            continue
        seen.add(row.code)
        rows.append(row)
    for row in rows:
        if row.trust_code is not None and row.trust_code not in seen:
            problems.keep_without(row.row_number, "code", row.code, TRUST_MISSING)
    return rows, problems.in_order()


def read_hospitals(stream: BinaryIO) -> tuple[list[Hospital], list[Problem]]:
    """Reads hospitals (22 columns with a not sign between them, Latin-1 or UTF-8, plain or gzip).

    Row numbers are those of a spreadsheet. Raises Refusal when the file is of another kind.
    """
    problems = Problems()
    table = read_headed_table(
        # UTF-8 is tried first: a lone not sign of Latin-1 is never valid UTF-8, so it cannot be
        # taken for it, while Latin-1 fits any bytes at all.
        read_text(stream, encodings=("utf-8-sig", "latin-1")),
        problems,
        required=HOSPITAL_COLUMNS,
        delimiter=HOSPITAL_DELIMITER,
        quoted=False,
    )
    return _hospitals(table, problems), problems.in_order()


@dataclass(slots=True)
class _StaffDraft:
    row_number: int
    name: str
    as_at: date | None
    fte_by_group: dict[str, Decimal]


def _find_month_end(month: str) -> date | None:
    match = _MONTH.fullmatch(month.upper())
    if match is None or match[2] not in _MONTH_NAMES:
        return None
    year_number, month_number = int(match[1]), _MONTH_NAMES.index(match[2]) + 1
    return date(year_number, month_number, calendar.monthrange(year_number, month_number)[1])


def _is_place_code(text: str) -> bool:
    return bool(_ORGANISATION_CODE.fullmatch(text) or _SITE_CODE.fullmatch(text))


def _find_place(row_number: int, cells: list[str], problems: Problems) -> TrustOrSite | None:
    if len(cells) != SITE_COLUMN_COUNT:
        problems.leave_out(row_number, None, ", ".join(cells), WRONG_NUMBER_OF_CELLS)
        return None
    code, name = cells[_CODE].strip(), tidy(cells[_NAME])
    if not _is_place_code(code):
        problems.leave_out(row_number, "code", code, CODE_UNREADABLE)
        return None
    if not name:
        problems.leave_out(row_number, "name", name, NAME_MISSING)
        return None
    days: list[date | None] = []
    for column, text in (("open date", cells[_OPENED]), ("close date", cells[_CLOSED])):
        day = _find_day(text)
        # A place whose closing day is lost would look open, so the row cannot be kept without.
        if day is None and text.strip():
            problems.leave_out(row_number, column, text, DAY_UNREADABLE)
            return None
        days.append(day)
    opened_on, last_open_on = days
    if opened_on is not None and last_open_on is not None and last_open_on < opened_on:
        problems.leave_out(row_number, "close date", cells[_CLOSED], CLOSED_BEFORE_OPENED)
        return None
    return TrustOrSite(
        row_number=row_number,
        code=code,
        name=name,
        trust_code=code[:3] if len(code) == 5 else None,
        region_code=cells[_REGION].strip() or None,
        area_code=cells[_AREA].strip() or None,
        government_region_code=cells[_GOVERNMENT_REGION].strip() or None,
        address_lines=_lines_in_use(cells[_ADDRESS]),
        postcode=_postcode(row_number, "postcode", cells[_POSTCODE], problems),
        opened_on=opened_on,
        last_open_on=last_open_on,
    )


def _find_day(text: str) -> date | None:
    digits = text.strip()
    if not _DAY.fullmatch(digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _lines_in_use(lines: list[str]) -> tuple[str, ...]:
    return tuple(tidy(line) for line in lines if line.strip())


def _postcode(row_number: int, column: str, text: str, problems: Problems) -> str | None:
    postcode = find_postcode(text)
    if postcode is None and text.strip():
        problems.keep_without(row_number, column, text, POSTCODE_UNREADABLE)
    return postcode


def _hospitals(table: HeadedTable, problems: Problems) -> list[Hospital]:
    places = [table.position(column) for column in HOSPITAL_COLUMNS]
    hospitals: list[Hospital] = []
    seen: set[str] = set()
    for row_number, cells in table.rows:
        values = dict(zip(HOSPITAL_COLUMNS, (tidy(cells[place]) for place in places), strict=True))
        code, name = values["OrganisationCode"], values["OrganisationName"]
        if not code:
            problems.leave_out(row_number, "OrganisationCode", code, CODE_MISSING)
        elif not name:
            problems.leave_out(row_number, "OrganisationName", name, NAME_MISSING)
        elif not values["ParentODSCode"]:
            problems.leave_out(row_number, "ParentODSCode", "", PARENT_MISSING)
        elif code in seen:
            problems.leave_out(row_number, "OrganisationCode", code, CODE_TWICE)
        else:
            seen.add(code)
            latitude, longitude = _position(row_number, values, problems)
            sub_type = values["SubType"]
            hospitals.append(
                Hospital(
                    row_number=row_number,
                    code=code,
                    name=name,
                    sector=values["Sector"],
                    sub_type=None if sub_type in ("", "UNKNOWN") else sub_type,
                    parent_code=values["ParentODSCode"],
                    parent_name=values["ParentName"],
                    address_lines=_lines_in_use(
                        [values["Address1"], values["Address2"], values["Address3"]]
                    ),
                    city=values["City"] or None,
                    county=values["County"] or None,
                    postcode=_postcode(row_number, "Postcode", values["Postcode"], problems),
                    latitude=latitude,
                    longitude=longitude,
                )
            )
    return hospitals


def _position(
    row_number: int, values: dict[str, str], problems: Problems
) -> tuple[float | None, float | None]:
    written = values["Latitude"], values["Longitude"]
    if written == ("", ""):
        return None, None
    try:
        latitude, longitude = float(written[0]), float(written[1])
    except ValueError:
        latitude = longitude = float("nan")
    # A comparison with "not a number" is false, so nan and inf are caught here too.
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        problems.keep_without(row_number, "Latitude", ", ".join(written), POSITION_UNREADABLE)
        return None, None
    return latitude, longitude
