"""Stated counts of members and workers by place, without names.

The input is a CSV file with one row a place. Headings (capitals and spaces do not matter):

- the place's own id: `geoid`, `external_id`, `id` or `code`; when there is none, the name is used;
- its name: `name`, `workplace`, `place` or `state`;
- workers: `workers` or `employment`, may be empty when not known;
- members: `members`;
- optional: `covered` (or `represented`) by an agreement; `observations`, the people a survey asked;
  `members_pct`, the percentage that the publisher shows.

A count whose heading ends in `_thousands` is multiplied by 1,000 and marked as rounded to it
(`employed_thousands` is accepted too). Other columns are passed over. Survey counts are weighted,
so they may have fractions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import BinaryIO

from crm.analysis.registers.reading import (
    HeadedTable,
    Problem,
    Problems,
    find_number,
    read_headed_table,
    read_text,
    tidy,
)
from crm.domain.errors import Refusal

THOUSAND = 1000
LARGEST_COUNT = 10_000_000_000  # more people than there are on earth

ID_HEADINGS = ("geoid", "external_id", "id", "code")
NAME_HEADINGS = ("name", "workplace", "place", "state")
WORKERS_HEADINGS = ("workers", "employment")
WORKERS_THOUSANDS_HEADINGS = ("workers_thousands", "employment_thousands", "employed_thousands")
MEMBERS_HEADINGS = ("members",)
MEMBERS_THOUSANDS_HEADINGS = ("members_thousands",)
COVERED_HEADINGS = ("covered", "represented")
COVERED_THOUSANDS_HEADINGS = ("covered_thousands", "represented_thousands")
OBSERVATIONS_HEADINGS = ("observations",)
PERCENT_HEADINGS = ("members_pct",)

NAME_MISSING = "Enter the name of the place."
ID_MISSING = "Enter the id of the place."
ID_TWICE = "This id stands higher up in the file. Delete one of the two rows."
NOT_A_NUMBER = "Enter a number in digits."
BELOW_ZERO = "Enter a number of 0 or more."
TOO_LARGE = "Enter a smaller number: this is more people than there are."
MEMBERS_MISSING = "Enter the number of members."
NO_WORKERS = "Enter a number above 0, or leave the cell empty if the number is not known."
MORE_MEMBERS = "There are more members than workers. Check both numbers."
MORE_COVERED = "There are more people covered than workers. Check both numbers."
NOT_WHOLE = "Enter a whole number of 0 or more, or leave the cell empty."
NOT_PERCENT = "Enter a percentage from 0 to 100, or leave the cell empty."


@dataclass(frozen=True, slots=True)
class StatedCountRow:
    """What a union or a survey states about one place.

    row_number: the row that a spreadsheet shows; the first place is in row 2.
    workers, covered: people, None when not stated. members: people. All three may be fractions.
    rounded_to: 1000 when the counts were published in thousands, so that each may be off by 500;
    None when no rounding is known.
    published_fraction: members as a fraction of workers as the publisher shows it, 0.0 to 1.0;
    None when it shows none. It is for comparing only.
    observations: people whom the survey asked; None when it is no survey or not stated.
    """

    row_number: int
    external_id: str
    name: str
    workers: float | None
    members: float
    covered: float | None
    rounded_to: int | None
    published_fraction: float | None
    observations: int | None


def read_member_counts(stream: BinaryIO) -> tuple[list[StatedCountRow], list[Problem]]:
    """Reads stated counts from a CSV file (UTF-8, plain or gzip) as this module describes.

    A row is left out when a count is no number or below 0, when members or people covered are more
    than the workers, or when its id stands higher up. Raises Refusal when the file is of another
    kind, or gives some counts in thousands and others not.
    """
    problems = Problems()
    table = read_headed_table(read_text(stream), problems, required=())
    columns = _Columns.of(table)
    rows: list[StatedCountRow] = []
    seen: set[str] = set()
    for row_number, cells in table.rows:
        row = _find_row(row_number, cells, table.headings, columns, problems)
        if row is None:
            continue
        if row.external_id in seen:
            heading = table.headings[columns.external_id]
            problems.leave_out(row_number, heading, row.external_id, ID_TWICE)
            continue
        seen.add(row.external_id)
        rows.append(row)
    return rows, problems.in_order()


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where each value stands in a row, from 0."""

    external_id: int
    name: int
    workers: int
    members: int
    covered: int | None
    observations: int | None
    percent: int | None
    rounded_to: int | None

    @classmethod
    def of(cls, table: HeadedTable) -> _Columns:
        whole = {
            "workers": _find_first(table, WORKERS_HEADINGS),
            "members": _find_first(table, MEMBERS_HEADINGS),
            "covered": _find_first(table, COVERED_HEADINGS),
        }
        thousands = {
            "workers": _find_first(table, WORKERS_THOUSANDS_HEADINGS),
            "members": _find_first(table, MEMBERS_THOUSANDS_HEADINGS),
            "covered": _find_first(table, COVERED_THOUSANDS_HEADINGS),
        }
        in_thousands = any(place is not None for place in thousands.values())
        if in_thousands and any(place is not None for place in whole.values()):
            raise Refusal(
                "Some counts in this file are in thousands and some are not. "
                "Give all of them in the same way."
            )
        counts: Mapping[str, int | None] = thousands if in_thousands else whole
        name = _find_first(table, NAME_HEADINGS)
        missing = [
            heading
            for heading, place in (
                ("name", name),
                ("workers", counts["workers"]),
                ("members", counts["members"]),
            )
            if place is None
        ]
        workers, members = counts["workers"], counts["members"]
        if name is None or workers is None or members is None:
            raise Refusal(
                "This file has no column called %(columns)s. Check that it is the right file.",
                columns=", ".join(missing),
            )
        external_id = _find_first(table, ID_HEADINGS)
        return cls(
            external_id=name if external_id is None else external_id,
            name=name,
            workers=workers,
            members=members,
            covered=counts["covered"],
            observations=_find_first(table, OBSERVATIONS_HEADINGS),
            percent=_find_first(table, PERCENT_HEADINGS),
            rounded_to=THOUSAND if in_thousands else None,
        )


def _find_first(table: HeadedTable, headings: Sequence[str]) -> int | None:
    places = (table.find_position(heading) for heading in headings)
    return next((place for place in places if place is not None), None)


def _find_row(
    row_number: int,
    cells: list[str],
    headings: Sequence[str],
    columns: _Columns,
    problems: Problems,
) -> StatedCountRow | None:
    """Returns the row, or None after saying why it is left out."""

    def leave_out(place: int, message: str) -> None:
        problems.leave_out(row_number, headings[place], cells[place], message)

    name, external_id = tidy(cells[columns.name]), tidy(cells[columns.external_id])
    if not name:
        leave_out(columns.name, NAME_MISSING)
        return None
    if not external_id:
        leave_out(columns.external_id, ID_MISSING)
        return None
    stated: list[Decimal | None] = []
    for place in (columns.workers, columns.members, columns.covered):
        text = "" if place is None else cells[place].strip()
        count = find_number(text)
        if place is not None and text:
            fault = _fault_of(count)
            if fault is not None:
                leave_out(place, fault)
                return None
        stated.append(None if count is None else count * (columns.rounded_to or 1))
    workers, members, covered = stated
    if members is None:
        leave_out(columns.members, MEMBERS_MISSING)
        return None
    if workers == 0:
        leave_out(columns.workers, NO_WORKERS)
        return None
    for place, count, fault in (
        (columns.members, members, MORE_MEMBERS),
        (columns.covered, covered, MORE_COVERED),
    ):
        if place is not None and _is_above(count, workers):
            leave_out(place, fault)
            return None
    return StatedCountRow(
        row_number=row_number,
        external_id=external_id,
        name=name,
        workers=None if workers is None else float(workers),
        members=float(members),
        covered=None if covered is None else float(covered),
        rounded_to=columns.rounded_to,
        published_fraction=_fraction(row_number, cells, headings, columns.percent, problems),
        observations=_whole(row_number, cells, headings, columns.observations, problems),
    )


def _is_above(count: Decimal | None, limit: Decimal | None) -> bool:
    return count is not None and limit is not None and count > limit


def _fault_of(count: Decimal | None) -> str | None:
    if count is None:
        return NOT_A_NUMBER
    if count < 0:
        return BELOW_ZERO
    if count > LARGEST_COUNT:
        return TOO_LARGE
    return None


def _fraction(
    row_number: int,
    cells: list[str],
    headings: Sequence[str],
    place: int | None,
    problems: Problems,
) -> float | None:
    if place is None or not cells[place].strip():
        return None
    percent = find_number(cells[place])
    if percent is None or not 0 <= percent <= 100:
        problems.keep_without(row_number, headings[place], cells[place], NOT_PERCENT)
        return None
    return float(percent / 100)


def _whole(
    row_number: int,
    cells: list[str],
    headings: Sequence[str],
    place: int | None,
    problems: Problems,
) -> int | None:
    if place is None or not cells[place].strip():
        return None
    number = find_number(cells[place])
    if number is None or number < 0 or number != number.to_integral_value():
        problems.keep_without(row_number, headings[place], cells[place], NOT_WHOLE)
        return None
    return int(number)
