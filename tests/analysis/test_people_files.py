"""Files of people: safe to open, empty where nothing is known, and readable again."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import date

import openpyxl
import pytest

from crm.analysis.people_files import Card, Table, people_csv, people_vcards, people_xlsx
from crm.analysis.safe_files import About
from crm.analysis.tables.apart import read_here
from crm.analysis.tables.found import Asked
from crm.domain.identity import phone_key
from crm.domain.people_columns import once, without_plus

TABLE = Table(
    ("Known as", "Member", "Standing", "Joined on", "Children", "=cmd"),
    (
        ("Ioana P", True, 2, date(2026, 5, 14), 2.5, "=HYPERLINK()"),
        ("Zoë; -1", None, None, None, 0.0, None),
        ("Tomasz K", False, 5, None, None, " +44 7700 900123"),
    ),
)
COVER = About("About", "People", (("People", "3"),), ("An empty cell means: not known.",))


def test_a_table_says_nothing_where_nothing_is_known_and_runs_no_formula() -> None:
    text = people_csv(TABLE, practice=False).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["Known as", "Member", "Standing", "Joined on", "Children", "'=cmd"],
        ["Ioana P", "Yes", "2", "2026-05-14", "2.5", "'=HYPERLINK()"],
        ["Zoë; '-1", "", "", "", "0", ""],
        ["Tomasz K", "No", "5", "", "", "' +44 7700 900123"],
    ]


def test_a_workbook_holds_the_same_with_days_as_days() -> None:
    book = openpyxl.load_workbook(io.BytesIO(people_xlsx(TABLE, COVER, "People", practice=False)))
    assert book.sheetnames == ["People", "About"]
    rows = [[cell.value for cell in row] for row in book["People"].iter_rows()]
    assert rows[1][:2] == ["Ioana P", "Yes"]
    assert rows[1][3].date() == date(2026, 5, 14)
    assert rows[1][5] == "'=HYPERLINK()"
    assert book["People"]["F2"].data_type == "s"
    assert rows[2][1:4] == [None, None, None]
    assert rows[2][4] == 0
    assert book["About"]["A1"].value == "People"


def test_practice_is_on_every_row() -> None:
    text = people_csv(TABLE, practice=True).decode("utf-8-sig")
    assert [row[-1] for row in csv.reader(io.StringIO(text))] == [
        "practice",
        *["PRACTICE"] * 3,
    ]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_reader_of_lists_reads_a_file_as_it_went_out(kind: str) -> None:
    plain = Table(("Known as", "Phone", "Joined on"), (("Łęcka, Ż", "07700 900123", None),))
    content = (
        people_csv(plain, practice=False)
        if kind == "csv"
        else people_xlsx(plain, COVER, "People", practice=False)
    )
    rows = read_here(content, Asked()).rows
    assert [tuple(row) for row in rows[:2]] == [
        ("Known as", "Phone", "Joined on"),
        ("Łęcka, Ż", "07700 900123", ""),
    ]


def test_cards_fold_long_lines_between_letters_and_are_read_again() -> None:
    one = Card(
        uuid.UUID(int=7),
        "Ania",
        "Anna; Żółć, " + "Ż" * 80 + " Nowak",
        ("+48 600 000 000", "07700 900123"),
        ("ania@example.org",),
    )
    content = people_vcards([one])
    lines = content.decode().split("\r\n")
    assert lines[:3] == [
        "BEGIN:VCARD",
        "VERSION:4.0",
        "UID:urn:uuid:00000000-0000-0000-0000-000000000007",
    ]
    assert all(len(line.encode()) <= 75 for line in lines)
    table = read_here(content, Asked())
    (row,) = table.rows[1:]
    assert one.full_name in row
    assert "Ania" in row
    assert {"+48 600 000 000", "07700 900123", "ania@example.org"} <= set(row)


def test_a_card_of_somebody_with_one_name_has_no_family_name() -> None:
    text = people_vcards([Card(uuid.UUID(int=1), "Ania K", None, (), ())]).decode()
    assert "N:;Ania K;;;\r\n" in text
    assert "NICKNAME" not in text


def test_a_phone_without_its_plus_is_the_same_phone() -> None:
    for number in ("+48 600 000 000", "+44 7700 900123", "07700 900123", "＋48600000000"):
        assert phone_key(without_plus(number)) == phone_key(number)
        assert not without_plus(number).startswith(("+", "＋"))


def test_each_heading_stands_once() -> None:
    assert once(["Phone", "phone", "Area", "PHONE"]) == ("Phone", "phone (2)", "Area", "PHONE (3)")
