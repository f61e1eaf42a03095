"""Files of densities: what is not known is said, numbers are numbers, no text is a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, datetime

import openpyxl
import pytest

from crm.analysis.exports import DENSITY_COLUMNS, density_csv, density_xlsx
from crm.analysis.safe_files import About, neutral
from crm.domain.density import NoDensity, density, sums_of, total
from crm.domain.density_row import DensityRow, HeadcountFact, Heading, density_row
from crm.domain.headcount import Workforce

DAY = date(2026, 11, 23)
COVER = About("About", "Density", (("Made by", "=Kasia"),), ("[x] means not known.",))


def _row(
    members: int = 127,
    not_members: int = 92,
    not_known: int = 66,
    workforce: Workforce | None = Workforce(280, None, 310),  # noqa: B008 - it is frozen
    place: str = "Dearne Valley DC",
) -> DensityRow:
    one = density(
        members=members,
        not_members=not_members,
        not_known_named=not_known,
        workforce=workforce,
    )
    counted = workforce is not None
    figure = total(
        sums_of([one]),
        distinct_members=members if counted else 0,
        distinct_not_members=not_members if counted else 0,
        distinct_not_known_named=not_known if counted else 0,
    )
    return density_row(
        Heading("place", DAY, "workplace", "site_all", "any", "an-id", place),
        figure,
        [one],
        named=(members, not_members, not_known),
        headcounts=[HeadcountFact(DAY, "organiser_count", rounded=False)] if counted else [],
        stated_rounded=False,
    )


def _read(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_worked_example_of_decision_0003_comes_out_to_the_digit() -> None:
    row = _read(density_csv([_row()], practice=False))[0]
    assert row["low_fraction"] == "0.409677"
    assert row["high_fraction"] == "0.703226"
    assert (row["low_percent"], row["high_percent"]) == ("41", "70")
    assert (row["members"], row["workers_low"], row["workers_high"]) == ("127", "280", "310")
    assert (row["not_named_low"], row["not_named_high"]) == ("0", "25")
    assert row["notes"] == "count_the_workers"


def test_what_is_not_known_is_x_and_never_empty_or_0() -> None:
    row = _read(density_csv([_row(workforce=None)], practice=False))[0]
    unknown = {name for name, value in row.items() if value == "[x]"}
    assert unknown == {
        *("members_high", "not_named_low", "not_named_high"),
        *("workers_low", "workers_best", "workers_high"),
        *("low_fraction", "high_fraction", "confirmed_fraction", "low_percent", "high_percent"),
        *("headcount_on", "headcount_source"),
    }
    assert "" not in row.values()
    assert row["members"] == "127"


def test_where_nobody_works_a_share_does_not_apply() -> None:
    found = _row(0, 0, 0, Workforce.exactly(0))
    assert found.no_density is NoDensity.NO_WORKERS
    row = _read(density_csv([found], practice=False))[0]
    assert (row["low_fraction"], row["low_percent"], row["workers_high"]) == ("[z]", "[z]", "0")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        *((text, f"'{text}") for text in ("=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\uff1d1")),
        *(("\t=1", "'\t'=1"), ("\r=1", "'\r'=1"), ("\n=1", "'\n'=1")),
    ],
)
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str, written: str) -> None:
    assert neutral(text) == written
    assert _read(density_csv([_row(place=text)], practice=False))[0]["place"] == written
    book = openpyxl.load_workbook(
        io.BytesIO(density_xlsx([_row(place=text)], COVER, "Density", practice=False))
    )
    assert book.worksheets[1]["F2"].data_type == "s"


@pytest.mark.parametrize(
    "text",
    [
        "Mill;=1+1",
        "Mill; =1+1",
        'Mill";"=1+1',
        "Mill;\u200b=1+1",
        "Mill;\uff1d1+1",
        "Mill\t@SUM(A1)",
        "\u00a0=1+1",
        "\u3000\uff1d1+1",
        "\ufeff=1+1",
        ";;+1",
        "a\r\n-1;=2",
        "=1;=2",
    ],
)
@pytest.mark.parametrize("cut", [",", ";", "\t"])
def test_no_cell_is_a_formula_wherever_a_spreadsheet_cuts_the_line(text: str, cut: str) -> None:
    written = density_csv([_row(place=text)], practice=False).decode("utf-8-sig")
    # A program that cuts elsewhere finds quotes in the middle of a cell, and takes them as signs.
    quoting = csv.QUOTE_MINIMAL if cut == "," else csv.QUOTE_NONE
    for line in csv.reader(io.StringIO(written), delimiter=cut, quoting=quoting):
        for cell in line:
            seen = cell.strip().strip('"').lstrip(" \t\r\n\u00a0\u3000\u200b\ufeff")
            assert not seen.startswith(("=", "+", "@", "\uff1d")), (cell, cut)
            assert not (seen.startswith("-") and not seen[1:2].isdigit()), (cell, cut)
            assert seen != "-1", (cell, cut)


@pytest.mark.parametrize(
    "text", ["The Mill", "Smith & Sons", "O'Neill", "3 = 4", "Leeds; Hull", "a-b; c", "محمد", "🙂"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert neutral(text) == text
    assert _read(density_csv([_row(place=text)], practice=False))[0]["place"] == text


def test_a_workbook_has_numbers_as_numbers_days_as_days_and_a_cover() -> None:
    content = density_xlsx([_row(), _row(workforce=None)], COVER, "Density", practice=False)
    about, table = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    names = [cell.value for cell in table[1]]
    assert names == [column.name for column in DENSITY_COLUMNS]
    first = dict(zip(names, (cell.value for cell in table[2]), strict=True))
    assert first["low_fraction"] == 0.409677
    assert first["low_percent"] == 41
    assert first["as_at"] == datetime(2026, 11, 23)  # noqa: DTZ001 - a spreadsheet's day
    second = dict(zip(names, (cell.value for cell in table[3]), strict=True))
    assert second["workers_high"] == "[x]"
    assert [cell.value for cell in about["A"] if cell.value] == [
        "Density",
        "Made by",
        "[x] means not known.",
    ]
    assert about["B3"].value == "'=Kasia"
    assert (table.freeze_panes, table.auto_filter.ref) == ("A2", "A1:AI3")


def test_practice_files_say_so_in_their_first_column() -> None:
    assert [row["practice"] for row in _read(density_csv([_row()], practice=True))] == ["PRACTICE"]
    assert "practice" not in _read(density_csv([_row()], practice=False))[0]


def test_a_weighted_count_keeps_its_decimals() -> None:
    row = replace(_row(), members=7391.25)
    assert _read(density_csv([row], practice=False))[0]["members"] == "7391.25"
