"""Where the columns of a list most likely go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crm.domain.columns import TARGETS, Target, guess_targets, is_sensitive
from crm.domain.vocabulary import ImportKind

HEADERS = json.loads(
    (Path(__file__).parents[1] / "data" / "peer-headers" / "headers.json").read_text("utf-8")
)
PEOPLE = ImportKind.PEOPLE


def _guess(headings: list[str], *values: list[str]) -> list[Target]:
    columns = list(values) or [["x"] for _ in headings]
    return guess_targets(PEOPLE, headings, columns)


def test_what_stands_in_brackets_explains_a_heading_except_of_a_name() -> None:
    found = guess_targets(PEOPLE, ["Stands (1 = with us)", "Name (last, first)"], [["1"], ["x"]])
    assert found == [Target.STANDING, Target.LEAVE_OUT]


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        (
            "google_contacts_csv_old",
            {
                "Given Name": Target.FIRST_NAME,
                "Family Name": Target.LAST_NAME,
                "Name": Target.LEAVE_OUT,
                "Birthday": Target.LEAVE_OUT,
                "E-mail 1 - Value": Target.EMAIL,
                "E-mail 2 - Value": Target.EMAIL,
                "Phone 1 - Value": Target.PHONE,
                "Address 1 - Formatted": Target.ADDRESS,
                "Organization 1 - Department": Target.AREA,
            },
        ),
        (
            "mailchimp_audience_export",
            {
                "Email Address": Target.EMAIL,
                "First Name": Target.FIRST_NAME,
                "Last Name": Target.LAST_NAME,
                "OPTIN_IP": Target.LEAVE_OUT,
                "NOTES": Target.LEAVE_OUT,
            },
        ),
        (
            "action_network_report_csv",
            {
                "first_name": Target.FIRST_NAME,
                "last_name": Target.LAST_NAME,
                "email": Target.EMAIL,
                "Phone Number": Target.PHONE,
                "can2_user_tags": Target.LEAVE_OUT,
            },
        ),
        (
            "outlook_com_csv",
            {
                "First Name": Target.FIRST_NAME,
                "Last Name": Target.LAST_NAME,
                "Department": Target.AREA,
                "Job Title": Target.JOB_TITLE,
                "Mobile Phone": Target.PHONE,
                "Home Phone": Target.PHONE,
                "E-mail Address": Target.EMAIL,
                "Business Fax": Target.LEAVE_OUT,
                "Spouse": Target.LEAVE_OUT,
            },
        ),
    ],
)
def test_the_exports_of_other_programs_are_matched(peer: str, expected: dict[str, Target]) -> None:
    header = HEADERS[peer]["header"]
    found = dict(zip(header, _guess(header), strict=True))
    assert {name: found[name] for name in expected} == expected


def test_english_headings_of_a_branch_list_are_matched() -> None:
    headings = ["Surname+name", "Dept", "Member?", "Mobile no", "Start date", "NI No"]
    assert _guess(headings) == [
        Target.LAST_NAME_FIRST,
        Target.AREA,
        Target.MEMBER,
        Target.PHONE,
        Target.STARTED_ON,
        Target.LEAVE_OUT,
    ]


def test_columns_without_headings_are_told_by_their_values() -> None:
    found = _guess(
        ["", "", ""],
        ["ioana@example.org", "t@example.org"],
        ["07700 900123", "+44 7700 900124"],
        ["Packing", "Yard"],
    )
    assert found == [Target.EMAIL, Target.PHONE, Target.LEAVE_OUT]


@pytest.mark.parametrize(
    "heading",
    ["NI No", "National Insurance Number", "nino", "Passport", "Sickness days", "Date of birth"],
)
def test_a_column_that_could_harm_starts_as_left_out(heading: str) -> None:
    assert is_sensitive(heading, ["x"])
    assert _guess([heading]) == [Target.LEAVE_OUT]


def test_national_insurance_numbers_are_known_under_any_heading() -> None:
    assert is_sensitive("Ref", ["QQ123456C", "AB 12 34 56 D", ""])
    assert not is_sensitive("Nickname", ["Mo"])
    assert not is_sensitive("Notes on unions", ["x"])


def test_nothing_is_matched_twice_but_phones_and_mail() -> None:
    assert _guess(["Department", "Dept"]) == [Target.AREA, Target.LEAVE_OUT]
    assert _guess(["Phone 1", "Phone 2"]) == [Target.PHONE, Target.PHONE]


def test_a_branch_beside_a_workplace_is_not_the_workplace() -> None:
    columns = [["1"], ["The Mill"]]
    assert guess_targets(ImportKind.BALLOTS, ["Branch", "Workplace"], columns) == [
        Target.LEAVE_OUT,
        Target.PLACE_NAME,
    ]
    alone = guess_targets(ImportKind.BALLOTS, ["Branch", "Yes"], columns)
    assert alone == [Target.PLACE_NAME, Target.YES]


def test_a_union_column_of_yes_and_no_asks_who_is_a_member() -> None:
    assert _guess(["Union?"], ["yes", "no", "Y"]) == [Target.MEMBER]
    assert _guess(["Union?"], ["Warehouse Workers", "no"]) == [Target.UNION]


def test_people_and_places_share_only_leaving_out() -> None:
    shared = set(TARGETS[ImportKind.PEOPLE]) & set(TARGETS[ImportKind.PLACES])
    assert shared == {Target.LEAVE_OUT}
