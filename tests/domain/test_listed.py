"""What a row of a list says, and what it does not say."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest

from crm.domain import listed
from crm.domain.columns import Target
from crm.domain.listed import Listed, Matching, find_repeats, read_person

TODAY = date(2026, 11, 23)


def _read(targets: list[Target], cells: list[str], **meanings: dict[str, str]) -> Listed:
    words = {int(place.removeprefix("c")): one for place, one in meanings.items()}
    return read_person(7, cells, Matching(targets, words, TODAY))


@pytest.mark.parametrize("blank", ["", "-", "n/a", "?", "Unknown", "NULL", "not known", "n/k"])
def test_blank_says_nothing(blank: str) -> None:
    found = _read(
        [Target.FULL_NAME, Target.PHONE, Target.STARTED_ON, Target.MEMBER],
        ["Ioana", blank, blank, blank],
        c3={"y": "member"},
    )
    assert found.faults == []
    assert (found.phones, found.started_on, found.valued) == ((), None, {})


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("14/05/2026", date(2026, 5, 14)),
        ("2026-05-14", date(2026, 5, 14)),
        ("2026-05-14 00:00", date(2026, 5, 14)),
        ("14.5.26", date(2026, 5, 14)),
        ("14.05.2026 00:00", date(2026, 5, 14)),
        ("14 May 2026", date(2026, 5, 14)),
        ("3rd Sept 2025", date(2025, 9, 3)),
        ("01/02/99", date(1999, 2, 1)),
        ("32/05/2026", None),
        ("05/14/2026", None),
        ("yesterday", None),
    ],
)
def test_days_are_read_with_the_day_first(cell: str, day: date | None) -> None:
    assert listed.read_day(cell) == day


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("Y", "member"),
        ("yes", "member"),
        ("1", "member"),
        ("N", "not_member"),
        ("Non-member", "not_member"),
        ("Lapsed", "not_member"),
        ("?", "not_known"),
        ("n/a", "not_known"),
        ("maybe", None),
    ],
)
def test_words_for_members_have_three_meanings(word: str, meaning: str | None) -> None:
    assert listed.guess_member(word) == meaning


@pytest.mark.parametrize(
    ("cell", "people"),
    [("1,204", 1204), ("407.0", 407), ("12 500", 12500), ("0", 0), ("-3", None), ("1.2.3", None)],
)
def test_counts_are_read_with_their_commas(cell: str, people: float | None) -> None:
    assert listed.read_count(cell) == people


@pytest.mark.parametrize(
    ("name", "turned"),
    [
        ("KOWALSKI Tomasz", "Tomasz KOWALSKI"),
        ("Kowalski, Tomasz Jan", "Tomasz Jan Kowalski"),
        ("VAN DER BERG Anna", "Anna VAN DER BERG"),
        ("Kowalski Tomasz", "Tomasz Kowalski"),
        ("Cher", "Cher"),
    ],
)
def test_names_with_the_last_first_are_turned(name: str, turned: str) -> None:
    assert listed.turned_round(name) == turned


@pytest.mark.parametrize(
    ("name", "two"),
    [
        ("SMITH, John & SMITH, Jane", True),
        ("Jo and Ann Smith", True),
        ("Jo/Ann Smith", True),
        ("Kumar s/o Rajan", False),
        ("Sandy Anderson", False),
        ("Llŷr ap Rhys", False),
        ("محمد الأمين", False),
    ],
)
def test_two_people_in_one_cell_are_not_made_one(name: str, two: bool) -> None:
    found = _read([Target.FULL_NAME], [name])
    assert ([fault.message for fault in found.faults] == [listed.TWO_PEOPLE]) is two


@pytest.mark.parametrize(
    ("name", "person"),
    [
        *((name, False) for name in ("Vacancy", "agency x 3", "* on leave", "=cmd()", "3 temps")),
        *((name, True) for name in ("‘Abd al-Rahman", "(Bob) Smith", "Ångström", "Vacanti, Ada")),
    ],
)
def test_notes_and_empty_posts_are_not_made_people(name: str, person: bool) -> None:
    faults = [fault.message for fault in _read([Target.FULL_NAME], [name]).faults]
    assert faults == ([] if person else [listed.NO_PERSON])


def test_a_number_that_lost_its_nought_gets_it_back() -> None:
    assert listed.read_phone("7700900123") == "07700900123"
    assert listed.read_phone("+44 7700 900123") == "+44 7700 900123"
    assert listed.read_phone("'07700 900123") == "07700 900123"
    assert listed.read_phone("ring me") is None
    assert listed.read_phone("077") is None
    # A spreadsheet has shortened it: the last digits can be lost.
    assert listed.read_phone("7.7009E+09") is None


@pytest.mark.parametrize(
    ("cell", "phones"),
    [
        ("07700 900123 / 07700 900124", ("07700 900123", "07700 900124")),
        ("07700900123 or 7700900124", ("07700900123", "07700900124")),
        ("01226 900123/4", ("01226 900123/4",)),
        ("07700 900123 / ring her mum", ()),
    ],
)
def test_two_phones_in_one_cell_are_both_kept(cell: str, phones: tuple[str, ...]) -> None:
    found = _read([Target.FULL_NAME, Target.PHONE], ["Ioana", cell])
    assert found.phones == phones
    assert bool(found.faults) is not bool(phones)


def test_a_short_year_far_ahead_was_long_ago() -> None:
    for cell, day in (("3/4/57", date(1957, 4, 3)), ("3/4/26", date(2026, 4, 3))):
        assert _read([Target.FULL_NAME, Target.JOINED_ON], ["Ioana", cell]).joined_on == day
    # Next year is a slip of the hand, and not a hundred years ago.
    (fault,) = _read([Target.FULL_NAME, Target.JOINED_ON], ["Ioana", "3/4/27"]).faults
    assert fault.message == listed.DAY_TO_COME


def test_only_a_date_that_cannot_be_read_with_the_day_first_has_its_month_first() -> None:
    assert listed.is_month_first("4/25/2026")
    assert not any(map(listed.is_month_first, ["4/3/2026", "25/4/2026", "32/05/2026", "2026"]))


def test_days_are_found_in_the_title_of_a_list() -> None:
    assert listed.days_in("Printed 1 November 2026, page 3") == {date(2026, 11, 1)}
    assert listed.days_in("From 01/10/26 to 2026-10-31") == {date(2026, 10, 1), date(2026, 10, 31)}
    assert listed.days_in("Tel. 01226 900123, 12 members in 2026, v1.2.3456") == set()


def test_somebody_called_na_keeps_the_name() -> None:
    names = [Target.FIRST_NAME, Target.LAST_NAME]
    assert _read(names, ["Ji-woo", "Na"]).full_name == "Ji-woo Na"
    assert _read(names, ["Nan", "Pugh"]).full_name == "Nan Pugh"
    assert _read(names, ["Ioana", "n/a"]).full_name == "Ioana"
    assert [fault.message for fault in _read(names, ["NA", "NA"]).faults] == [listed.NO_NAME]


def test_each_fault_names_its_column_and_what_to_do() -> None:
    found = _read(
        [Target.FULL_NAME, Target.PHONE, Target.EMAIL, Target.STARTED_ON, Target.AREA],
        ["", "07x", "ioana at example", "32/05/2026", "PCK"],
        c4={},
    )
    assert [(fault.column, fault.message) for fault in found.faults] == [
        (0, listed.NO_NAME),
        (1, listed.NOT_A_PHONE),
        (2, listed.NOT_AN_EMAIL),
        (3, listed.NOT_A_DAY),
        (4, listed.NOT_MATCHED),
    ]


def test_a_value_that_means_nothing_is_as_good_as_empty() -> None:
    found = _read([Target.FULL_NAME, Target.AREA], ["Ioana", "XX"], c1={"xx": ""})
    assert (found.valued, found.faults) == ({}, [])


def _one(row_no: int, name: str, phone: str = "", site: str = "mill") -> Listed:
    return Listed(
        row_no,
        known_as=name,
        full_name=name,
        phones=(phone,) if phone else (),
        valued={Target.WORKPLACE: site},
    )


def test_two_rows_about_one_person_are_told() -> None:
    found = find_repeats(
        [
            _one(2, "Ioana Popescu", "07700 900123"),
            _one(3, "IOANA  Popescu"),
            _one(4, "Ioana Popescu", "07700 900199"),
            _one(5, "Ioana Popescu", "+44 7700 900123", site="depot"),
            _one(6, "Ioana Popescu", site="dock"),
        ]
    )
    assert {row: fault.message for row, fault in found.items()} == {
        3: listed.SAME_AS,
        5: listed.SAME_ELSEWHERE,
    }
    assert found[3].number == 2


def _repeats_one_by_one(rows: list[Listed]) -> dict[int, tuple[str, int]]:
    """The rule of repeats as it is said, each row held against every row before it."""
    found: dict[int, tuple[str, int]] = {}
    for place, one in enumerate(rows):
        for other in rows[:place]:
            if other.row_no in found or other.name_key != one.name_key:
                continue
            shared = one.phone_keys & other.phone_keys or one.email_keys & other.email_keys
            apart = (one.phone_keys and other.phone_keys) or (one.email_keys and other.email_keys)
            if one.valued == other.valued and (shared or not apart):
                found[one.row_no] = listed.SAME_AS, other.row_no
            elif shared:
                found[one.row_no] = listed.SAME_ELSEWHERE, other.row_no
            else:
                continue
            break
    return found


def test_repeats_are_those_that_every_row_held_against_every_other_gives() -> None:
    chance = random.Random(5)
    rows = [
        replace(
            _one(
                number,
                chance.choice(("Ioana Popescu", "Maria Silva")),
                chance.choice(("", "", "07700 900101", "07700 900102", "07700 900103")),
                chance.choice(("mill", "depot", "dock")),
            ),
            emails=chance.choice(((), (), ("m@example.org",), ("n@example.org", "o@example.org"))),
        )
        for number in range(300)
    ]
    for start in range(0, 300, 20):
        some = rows[start : start + 20]
        found = {row: (one.message, one.number) for row, one in find_repeats(some).items()}
        assert found == _repeats_one_by_one(some)


def test_a_list_of_one_name_is_looked_at_row_by_row_and_not_each_with_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = 0
    points_of = listed.Repeats._points_of

    def _count(repeats: listed.Repeats, one: int) -> tuple[set[int], set[int]]:
        nonlocal looked
        looked += 1
        return points_of(repeats, one)

    monkeypatch.setattr(listed.Repeats, "_points_of", _count)
    rows = [_one(number, "Maria Silva", f"07700 9{number:05}") for number in range(2000)]
    assert find_repeats(rows) == {}
    assert looked <= 2 * len(rows)
