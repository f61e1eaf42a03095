"""UK employers from the yearly gender pay gap returns, as the government publishes them.

Source: the download of gender-pay-gap.service.gov.uk, Open Government Licence v3.0. The law
(Equality Act 2010, Gender Pay Gap Information Regulations 2017 and Specific Duties and Public
Authorities Regulations 2017) obliges employers of 250 or more employees to report. Only who the
employer is and how many it employs is read; the pay figures are not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from crm.analysis.registers.postcodes import find_postcode, split_postcode
from crm.analysis.registers.reading import Problem, Problems, read_headed_table, read_text, tidy
from crm.domain.sic import sic_description

REQUIRED_COLUMNS = (
    "EmployerName",
    "Address",
    "CompanyNumber",
    "SicCodes",
    "EmployerSize",
    "CurrentName",
    "DueDate",
)
PUBLIC_SECTOR_CODE = "1"
FIRST_REPORTING_YEAR = 2018  # The first returns were due in March and April 2018.
NO_SIZE_GIVEN = "not provided"

# Low and high number of employees by band, its commas and capitals taken out. Nobody can publish
# pay quarters without a single employee, so the lowest band starts at 1. The top band has no end.
_BANDS: dict[str, tuple[int, int | None]] = {
    "less than 250": (1, 249),
    "250 to 499": (250, 499),
    "500 to 999": (500, 999),
    "1000 to 4999": (1000, 4999),
    "5000 to 19999": (5000, 19999),
    "20000 or more": (20000, None),
}
# The 2019-20 file writes the day first; the year first is accepted too, and a time of day after it.
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})(?: .*)?", re.ASCII)
_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})[/-](?P<month>\d{1,2})[/-](?P<day>\d{1,2})(?:[ T].*)?", re.ASCII
)
_SIC_SEPARATORS = re.compile(r"[,;\s]+")
_COMPANY_NUMBER = re.compile(r"(?=.*[1-9])[A-Z0-9]{8}", re.ASCII)

NAME_MISSING = "Enter the name of the employer."
NUMBER_TWICE = (
    "An employer with this company number stands higher up in the file. Delete one of the two rows."
)
NAME_TWICE = (
    "An employer with this name and postcode and no company number stands higher up in the file. "
    "Delete one of the two rows, or enter their company numbers."
)
NUMBER_UNREADABLE = (
    "Enter the company number with 8 letters and digits, or leave the cell empty if it is not "
    "known."
)
SIC_NOT_LISTED = "Check this SIC code: it is not in the list of 2007."
SIZE_UNREADABLE = "Enter one of the size bands of the gender pay gap service."
DUE_DATE_UNREADABLE = (
    "Enter the date when the report was due: 30 or 31 March, or 4 or 5 April. "
    "Without it the day of the headcount is not known."
)
LETTERS_LOST = "Some letters were lost before this file was published. Put them right by hand."


@dataclass(frozen=True, slots=True)
class Employer:
    """One employer's return for one year.

    row_number: the row that a spreadsheet shows; the first employer is in row 2.
    name: when the return was made. current_name: when the file was published; the same company
    number with another name is one renamed employer.
    address: as published, without the postcode when one stands at its end.
    company_number: 8 letters and digits; None when not known (many public bodies have none).
    sic_codes: five digits each, in file order. public_sector: the publisher's own mark;
    many universities and academy trusts lack it although they report as public authorities.
    headcount_low, headcount_high: people employed, from the size band; both None when the band is
    not given, high None when the band has no upper end. They count the people whom this employer
    employs everywhere in Great Britain, not agency workers and not one site.
    headcount_on: the day for which the count is true; None when not known.
    employer_id: the service's own number; None when the file has no such column, as in 2019-20.
    """

    row_number: int
    name: str
    current_name: str
    address: str
    postcode: str | None
    company_number: str | None
    sic_codes: tuple[str, ...]
    public_sector: bool
    size_band: str
    headcount_low: int | None
    headcount_high: int | None
    headcount_on: date | None
    employer_id: str | None

    @property
    def renamed(self) -> bool:
        """Says whether the name has changed since the return, capitals apart."""
        return self.name.casefold() != self.current_name.casefold()

    @property
    def match_key(self) -> str:
        """Returns the key by which a second load finds the same employer.

        The company number; without one, the current name and postcode. Two schools in two towns
        may share a name, so the name alone would join strangers.
        """
        if self.company_number is not None:
            return f"company:{self.company_number}"
        return f"name:{self.current_name.casefold()}|{self.postcode or ''}"


def read_employers(stream: BinaryIO) -> tuple[list[Employer], list[Problem]]:
    """Reads the employers of one year's gender pay gap file (CSV, UTF-8, plain or gzip).

    Row numbers are those of a spreadsheet. A row without a name, or for an employer that stands
    higher up, is left out; other problems leave the cell unknown and keep the row. Raises Refusal
    when the file is of another kind.
    """
    problems = Problems()
    table = read_headed_table(read_text(stream), problems, required=REQUIRED_COLUMNS)
    places = [table.position(column) for column in REQUIRED_COLUMNS]
    id_place = table.find_position("EmployerId")
    postcode_place = table.find_position("PostCode")
    employers: list[Employer] = []
    seen: set[str] = set()
    for row_number, cells in table.rows:
        name, address, number, sic, size, current_name, due = (cells[place] for place in places)
        if not name.strip():
            problems.leave_out(row_number, "EmployerName", name, NAME_MISSING)
            continue
        found = _Row(row_number, problems)
        street, postcode = split_postcode(tidy(address))
        if postcode is None and postcode_place is not None:
            postcode = find_postcode(cells[postcode_place])
        low, high = found.headcount(size)
        codes, public_sector = found.sic_codes(sic)
        employer = Employer(
            row_number=row_number,
            name=found.text("EmployerName", name),
            current_name=found.text("CurrentName", current_name) or tidy(name),
            address=found.text("Address", street),
            postcode=postcode,
            company_number=found.company_number(number),
            sic_codes=codes,
            public_sector=public_sector,
            size_band=tidy(size),
            headcount_low=low,
            headcount_high=high,
            headcount_on=found.snapshot(due),
            employer_id=(tidy(cells[id_place]) or None) if id_place is not None else None,
        )
        if employer.match_key in seen:
            if employer.company_number is not None:
                problems.leave_out(row_number, "CompanyNumber", number, NUMBER_TWICE)
            else:
                problems.leave_out(row_number, "CurrentName", current_name, NAME_TWICE)
            continue
        seen.add(employer.match_key)
        employers.append(employer)
    return employers, problems.in_order()


def company_number(text: str) -> str | None:
    """Returns a company number in the 8-character form of Companies House, or None.

    Capitals; zeros that a spreadsheet dropped are put back (6368740 is 06368740, SC12345 is
    SC012345). The prefixes of other registers (SC, NI, OC, RC, BR, IP and more) are kept. None
    for an empty cell and for text that cannot be a company number.
    """
    bare = "".join(text.split()).upper()
    letters = bare.rstrip("0123456789")
    if len(letters) in (0, 2) and len(letters) < len(bare) and bare.isascii():
        bare = letters + bare[len(letters) :].zfill(8 - len(letters))
    return bare if _COMPANY_NUMBER.fullmatch(bare) else None


def snapshot_date(due: date) -> date | None:
    """Returns the day for which a return counts employees, from the day when it was due.

    Reports are due within a year: public authorities on 30 March for 31 March of the year before,
    everyone else on 4 April for 5 April of the year before (gov.uk, "When to report", 9 January
    2024). The 2019-20 file gives 31 March and 5 April as the days due, so both are accepted. None
    for any other day, as in the year when the deadline was moved.
    """
    if due.month == 3 and due.day in (30, 31):
        return date(due.year - 1, 3, 31)
    if due.month == 4 and due.day in (4, 5):
        return date(due.year - 1, 4, 5)
    return None


@dataclass(frozen=True, slots=True)
class _Row:
    """Reads the cells of one row and reports those that it cannot use."""

    row_number: int
    problems: Problems

    def text(self, column: str, value: str) -> str:
        if "\ufffd" in value:
            self.problems.keep_without(self.row_number, column, value, LETTERS_LOST)
        return tidy(value)

    def company_number(self, value: str) -> str | None:
        number = company_number(value)
        if number is None and value.strip():
            self.problems.keep_without(self.row_number, "CompanyNumber", value, NUMBER_UNREADABLE)
        return number

    def headcount(self, value: str) -> tuple[int | None, int | None]:
        band = tidy(value).casefold().replace(",", "")
        if band in ("", NO_SIZE_GIVEN):
            return None, None
        if band not in _BANDS:
            self.problems.keep_without(self.row_number, "EmployerSize", value, SIZE_UNREADABLE)
            return None, None
        return _BANDS[band]

    def sic_codes(self, value: str) -> tuple[tuple[str, ...], bool]:
        codes: dict[str, None] = {}
        public_sector = False
        for part in _SIC_SEPARATORS.split(value):
            if part == PUBLIC_SECTOR_CODE:
                public_sector = True
                continue
            # The publisher keeps codes as numbers, so "01240" comes out as "1240".
            code = part.zfill(5) if len(part) == 4 else part
            if sic_description(code) is not None:
                codes[code] = None
            elif part:
                self.problems.keep_without(self.row_number, "SicCodes", part, SIC_NOT_LISTED)
        return tuple(codes), public_sector

    def snapshot(self, value: str) -> date | None:
        due = _find_day(value.strip())
        counted_on = None if due is None else snapshot_date(due)
        if counted_on is None:
            self.problems.keep_without(self.row_number, "DueDate", value, DUE_DATE_UNREADABLE)
        return counted_on


def _find_day(text: str) -> date | None:
    match = _DAY_FIRST.fullmatch(text) or _YEAR_FIRST.fullmatch(text)
    if match is None or int(match["year"]) < FIRST_REPORTING_YEAR:
        return None
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return None
