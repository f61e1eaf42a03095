"""The days of a ballot: by when the notice of action must be there, and what is done."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from crm.domain.ballot_days import (
    BallotDays,
    Milestone,
    Stage,
    Step,
    days_of_action,
    milestones,
)
from crm.domain.balloting import earliest_action
from crm.domain.rules import rule_book, rule_books

DAY = timedelta(days=1)
START = date(2026, 11, 30)


def _days(**more: date | None) -> BallotDays:
    return BallotDays(
        **{"opens_on": date(2026, 10, 5), "closes_on": date(2026, 11, 3), **more}  # type: ignore[arg-type]
    )


def _step(code: str, step: Step, days: BallotDays) -> Milestone | None:
    return next((one for one in milestones(rule_book(code), days) if one.step is step), None)


def test_the_first_day_of_action_is_never_one_that_no_notice_can_reach() -> None:
    def _first(today: date, **more: date | None) -> date | None:
        steps = milestones(rule_book("GB"), _days(**more), today=today)
        return next((one.day for one in steps if one.step is Step.EARLIEST_ACTION), None)

    told = date(2026, 11, 4)
    # Nobody gave notice yet: from today, and from the day after voting while that is ahead.
    assert _first(date(2026, 10, 10)) == told + 10 * DAY
    assert _first(date(2026, 12, 1), employers_told_on=told) == date(2026, 12, 11)
    # The notice is there, or action began: what is done stands.
    assert _first(date(2026, 12, 1), employers_told_on=told, action_notice_on=told) == date(
        2026, 11, 14
    )
    began = {"employers_told_on": told, "action_starts_on": date(2026, 11, 20)}
    assert _first(date(2026, 12, 1), **began) == date(2026, 11, 14)
    # No day is left once a notice of today would end after the mandate: nor does an earlier one
    # come back, on which action could have started.
    assert _first(date(2028, 1, 1), employers_told_on=told) is None


def test_a_ballot_of_which_only_the_last_day_is_known_is_over_after_it() -> None:
    days = BallotDays(opens_on=None, closes_on=date(2023, 5, 1))
    assert days.stage(date(2023, 5, 1)) is Stage.PLANNED
    assert days.stage(date(2023, 5, 2)) is Stage.CLOSED


@pytest.mark.parametrize("code", sorted(rule_books()))
def test_a_notice_on_its_last_day_is_in_time_and_a_day_later_is_not(code: str) -> None:
    told = date(2026, 11, 4)
    for ahead in range(14):
        start = START + ahead * DAY
        days = _days(employers_told_on=told, action_starts_on=start)
        found = _step(code, Step.ACTION_NOTICE, days)
        book = rule_book(code)
        if found is None:
            assert earliest_action(book, told, result_told=told) is None
            continue
        in_time = earliest_action(book, found.day, result_told=None)
        late = earliest_action(book, found.day + DAY, result_told=None)
        assert in_time is not None
        assert late is not None
        assert in_time.day <= start < late.day


def test_seven_working_days_are_counted_back_from_the_day_of_action() -> None:
    days = _days(employers_told_on=date(2026, 11, 4), action_starts_on=START)
    found = _step("SE", Step.ACTION_NOTICE, days)
    assert found is not None
    assert found.day == date(2026, 11, 19)


def test_the_notice_of_the_ballot_does_not_say_that_the_sample_paper_was_sent() -> None:
    days = _days(ballot_notice_on=date(2026, 9, 20))
    found = _step("GB", Step.SAMPLE_PAPER, days)
    assert found is not None
    assert found.done_on is None


@pytest.mark.parametrize(
    ("told", "notice", "assumed"),
    [
        (None, None, True),
        (None, date(2026, 11, 5), True),
        (date(2026, 11, 4), None, True),
        (date(2026, 11, 4), date(2026, 11, 5), False),
    ],
)
def test_the_first_day_of_action_is_fixed_once_the_employer_is_told_and_has_the_notice(
    told: date | None, notice: date | None, assumed: bool
) -> None:
    days = _days(employers_told_on=told, action_notice_on=notice)
    found = _step("GB", Step.EARLIEST_ACTION, days)
    assert found is not None
    assert found.assumed is assumed


def _stoppages(file: str) -> list[tuple[date, date, str]]:
    path = Path(__file__).parents[1] / "data" / "fmcs-work-stoppages-1981-2014" / "stoppages.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            (
                date.fromisoformat(row["start"]),
                date.fromisoformat(row["end"] or "2019-10-31"),
                row["duration"],
            )
            for row in csv.DictReader(lines)
            if row["file"] == file
        ]


def test_published_stoppages_took_as_many_days_as_was_published() -> None:
    found = _stoppages("October 2019 workbook")
    assert len(found) == 25
    assert [days_of_action(start, end) for start, end, _ in found] == [
        int(published) for _, _, published in found
    ]


def test_a_stoppage_that_ends_before_it_begins_has_no_duration() -> None:
    found = _stoppages("to 2014")
    assert len(found) == 8
    for start, end, _ in found:
        with pytest.raises(ValueError, match="before it begins"):
            days_of_action(start, end)
