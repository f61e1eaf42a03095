"""Verdicts and days of ballots: both sides of each threshold, and results as published."""

from __future__ import annotations

import csv
import json
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from crm.domain.balloting import (
    CountsDoNotAdd,
    QuestionCount,
    Verdict,
    add_period,
    ballot_notice_by,
    earliest_action,
    last_day_before,
    mandate_last_day,
    needs_scrutineer,
    take_period,
    verdict,
)
from crm.domain.numbers import round_half_up
from crm.domain.rules import KeyDate, Period, Unit, rule_book

FOLDER = Path(__file__).parents[1] / "data"
UCU = FOLDER / "ucu-ballots-2018-2019"
REPEAL = "gb.era2025.s68"
IPS = "important_public_service"
GB = rule_book("GB")


def _verdict(
    opening: date,
    count: QuestionCount,
    *,
    said: tuple[str, ...] = (),
    begun: dict[str, date] | None = None,
    code: str = "GB",
) -> Verdict:
    days = {KeyDate.BALLOT_OPENING: opening}
    return verdict(rule_book(code), {"strike": count}, days, said=said, begun=begun or {})


def _outcomes(found: Verdict) -> dict[str, bool | None]:
    return {test.rule.id: test.passed for test in found.questions[0].tests}


def _count(
    entitled: int, cast: int, yes: int, no: int | None = None, spoiled: int | None = None
) -> QuestionCount:
    return QuestionCount(entitled, cast, yes, no, spoiled)


def test_in_an_important_public_service_four_in_ten_had_to_say_yes_until_february_2026() -> None:
    count = _count(200, 100, 60, 38, 2)
    eve = _verdict(date(2026, 2, 17), count, said=(IPS,))
    assert _outcomes(eve) == {
        "gb.ia.turnout50": True,
        "gb.ia.support40_ips": False,
        "gb.ia.majority": True,
    }
    assert eve.passed is False
    assert _verdict(date(2026, 2, 18), count, said=(IPS,)).passed is True
    assert _verdict(date(2026, 2, 17), count).passed is True
    assert _verdict(date(2026, 2, 17), _count(200, 100, 80, 18, 2), said=(IPS,)).passed is True


def test_one_paper_short_of_half_fails_and_says_how_many_were_needed() -> None:
    found = _verdict(date(2026, 3, 1), _count(241, 120, 110, 10, 0))
    turnout = found.questions[0].tests[0]
    assert (turnout.passed, turnout.needed, turnout.short_by) == (False, 121, 1)
    assert round_half_up((turnout.share or Fraction(0)) * 100, 1) == round_half_up(49.8, 1)
    assert _verdict(date(2026, 3, 1), _count(241, 121, 110, 11, 0)).passed is True


def test_exactly_half_of_the_roll_passes_and_exactly_half_yes_does_not() -> None:
    assert _outcomes(_verdict(date(2019, 10, 1), _count(50, 25, 20, 5, 0))) == {
        "gb.ia.turnout50": True,
        "gb.ia.majority": True,
    }
    assert (
        _outcomes(_verdict(date(2019, 10, 1), _count(50, 40, 20, 20, 0)))["gb.ia.majority"] is False
    )


def test_a_spoiled_paper_counts_against_until_the_law_changes() -> None:
    count = _count(120, 100, 50, 46, 4)
    now = _verdict(date(2026, 11, 23), count)
    assert now.passed is False
    ((change, then),) = now.if_begun
    assert change.id == REPEAL
    assert then.passed is True
    later = _verdict(date(2027, 5, 1), count, begun={REPEAL: date(2027, 4, 6)})
    assert later.passed is True
    assert later.if_begun == ()


def test_a_result_is_shown_with_and_without_the_turnout_test_whose_end_is_open() -> None:
    found = _verdict(date(2026, 11, 23), _count(100, 40, 39, 1, 0))
    assert found.passed is False
    ((_, then),) = found.if_begun
    assert then.passed is True
    assert "gb.ia.turnout50" not in _outcomes(then)


def test_a_ballot_before_the_change_was_made_is_not_shown_without_the_test() -> None:
    assert _verdict(date(2024, 5, 1), _count(100, 40, 39, 1, 0)).if_begun == ()


def test_a_mandate_ends_the_day_before_the_same_day_a_year_later() -> None:
    found = mandate_last_day(GB, date(2026, 10, 30), date(2026, 11, 20))
    assert found is not None
    assert found.day == date(2027, 11, 19)


def test_an_older_mandate_lasted_six_months_and_nine_where_agreed() -> None:
    opening, last = date(2025, 9, 1), date(2025, 9, 30)
    plain = mandate_last_day(GB, opening, last)
    agreed = mandate_last_day(GB, opening, last, agreed=True)
    assert plain is not None
    assert agreed is not None
    assert (plain.day, agreed.day) == (date(2026, 3, 29), date(2026, 6, 29))


@pytest.mark.parametrize(
    ("last", "ends"),
    [
        (date(2028, 2, 29), date(2029, 2, 28)),
        (date(2028, 3, 1), date(2029, 2, 28)),
        (date(2028, 2, 28), date(2029, 2, 27)),
    ],
)
def test_a_mandate_from_the_29_of_february_lasts_the_whole_february_after(
    last: date, ends: date
) -> None:
    found = mandate_last_day(GB, date(2028, 2, 1), last)
    assert found is not None
    assert found.day == ends


def test_an_older_mandate_from_the_end_of_august_lasted_the_whole_february() -> None:
    found = mandate_last_day(GB, date(2025, 8, 1), date(2025, 8, 31))
    assert found is not None
    assert found.day == date(2026, 2, 28)


def test_action_begins_ten_days_after_the_notice() -> None:
    found = earliest_action(GB, date(2026, 11, 22), result_told=date(2026, 11, 20))
    assert found is not None
    assert found.day == date(2026, 12, 2)


def test_telling_the_result_late_moves_the_first_day_of_action() -> None:
    found = earliest_action(GB, date(2026, 11, 22), result_told=date(2026, 11, 24))
    assert found is not None
    assert found.day == date(2026, 12, 4)


def test_the_employer_could_agree_to_seven_days_until_february_2026() -> None:
    found = earliest_action(GB, date(2026, 2, 17), result_told=None, agreed=True)
    assert found is not None
    assert found.day == date(2026, 2, 24)
    now = earliest_action(GB, date(2026, 2, 18), result_told=None, agreed=True)
    assert now is not None
    assert now.day == date(2026, 2, 28)


def test_the_notice_of_the_ballot_and_the_sample_paper_have_their_days() -> None:
    found = {one.rule.id: one.day for one in ballot_notice_by(GB, date(2026, 12, 10))}
    assert found == {
        "gb.ia.notice_ballot": date(2026, 12, 3),
        "gb.ia.sample_paper": date(2026, 12, 7),
    }


@pytest.mark.parametrize(("entitled", "needed"), [((50,), False), ((51,), True), ((30, 25), True)])
def test_more_than_fifty_entitled_in_all_need_a_scrutineer(
    entitled: tuple[int, ...], needed: bool
) -> None:
    assert needs_scrutineer(GB, date(2026, 11, 23), entitled) is needed


def test_where_no_rule_speaks_of_a_scrutineer_it_is_not_known() -> None:
    assert needs_scrutineer(rule_book("DE"), date(2026, 11, 23), (500,)) is None


def test_in_germany_the_share_is_of_all_entitled_and_not_of_the_votes() -> None:
    found = _verdict(date(2002, 5, 1), QuestionCount(5255, 5033, 4583, 450, 0), code="DE")
    test = found.questions[0].tests[0]
    assert round_half_up((test.share or Fraction(0)) * 100, 1) == round_half_up(87.2, 1)
    assert test.passed is True


def test_a_missing_count_leaves_the_outcome_not_known() -> None:
    found = _verdict(date(2026, 11, 23), QuestionCount(None, 90, 80, None, None))
    assert _outcomes(found) == {"gb.ia.turnout50": None, "gb.ia.majority": True}
    assert found.passed is None


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (
            (100, 90, 80, 20, 0),
            "Yes, no and spoiled must add up to the papers that came back. Check the four numbers.",
        ),
        (
            (100, 101, 80, 21, 0),
            "More papers came back than people were entitled to vote. Check both numbers.",
        ),
        ((100, 90, -1, None, None), "A count cannot be less than 0."),
    ],
)
def test_counts_that_cannot_all_be_true_are_refused(
    counts: tuple[int | None, ...], message: str
) -> None:
    with pytest.raises(CountsDoNotAdd) as refused:
        QuestionCount(*counts)
    assert str(refused.value) == message


def test_a_number_that_follows_from_the_others_is_worked_out() -> None:
    assert QuestionCount(100, None, 50, 40, 5).cast == 95
    assert QuestionCount(100, 95, 50, None, 5).no == 40
    assert QuestionCount(100, 95, 50, 40, None).spoiled == 5


@pytest.mark.parametrize(
    ("day", "period", "after", "before"),
    [
        (date(2026, 1, 31), Period(1, Unit.MONTHS), date(2026, 2, 28), date(2025, 12, 31)),
        (date(2024, 2, 29), Period(1, Unit.YEARS), date(2025, 2, 28), date(2023, 2, 28)),
        (date(2026, 11, 20), Period(3, Unit.WORKING_DAYS), date(2026, 11, 25), date(2026, 11, 17)),
        (date(2026, 11, 20), Period(72, Unit.HOURS), date(2026, 11, 23), date(2026, 11, 17)),
        (date(2026, 11, 20), Period(4, Unit.WEEKS), date(2026, 12, 18), date(2026, 10, 23)),
    ],
)
def test_periods_are_added_and_taken(day: date, period: Period, after: date, before: date) -> None:
    assert (add_period(day, period), take_period(day, period)) == (after, before)


def test_a_public_holiday_is_no_working_day() -> None:
    three = Period(3, Unit.WORKING_DAYS)
    christmas = {date(2026, 12, 25), date(2026, 12, 28)}.__contains__
    assert add_period(date(2026, 12, 23), three, christmas) == date(2026, 12, 30)
    assert take_period(date(2026, 12, 30), three, christmas) == date(2026, 12, 23)
    assert last_day_before(date(2026, 12, 30), three, christmas) == date(2026, 12, 23)
    # Two days off in a row with the weekend: counting days and not working days takes none out.
    assert add_period(date(2026, 12, 23), Period(7, Unit.DAYS), christmas) == date(2026, 12, 30)


def _number(text: str) -> int | None:
    return int(float(text.replace(",", ""))) if text.strip() else None


def _branches(name: str) -> list[dict[str, str]]:
    with (UCU / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return [row for row in csv.DictReader(file) if row["University"].strip()]


def _carried(name: str, opening: date) -> set[str]:
    """The universities where the question was carried under the law of their own country."""
    carried = set()
    for row in _branches(name):
        spoiled, blank = _number(row["Spoilt"]), _number(row["Blank"])
        count = QuestionCount(
            _number(row["Mailedout"]),
            _number(row["Turnout"]),
            _number(row["Yes"]),
            _number(row["No"]),
            None if spoiled is None else spoiled + (blank or 0),
        )
        # The sheets flag one college of Belfast wrongly; see the README of the data.
        is_northern = row["Require50"] in ("False", "0.0") or "Belfast" in row["University"]
        if _verdict(opening, count, code="NI" if is_northern else "GB").passed:
            carried.add(row["University"].strip())
    return carried


def test_the_ballots_of_2018_and_2019_come_out_as_published() -> None:
    published = json.loads((UCU / "expected.json").read_text())["published"]
    in_2018 = _carried("2018_pension_strike", date(2017, 11, 29))
    assert len(in_2018) == published["2018 pension: universities with a strike mandate"] == 61
    pay = _carried("2019_pay_strike", date(2019, 9, 9))
    pension = _carried("2019_pension_strike", date(2019, 9, 9))
    either = published["2019: universities with a mandate in either dispute"]
    assert len(pay | pension) == either == 60
    assert (len(pay - pension), len(pay & pension), len(pension - pay)) == (14, 43, 3)
    assert "Bishop Grosseteste University" in pay


def test_every_published_notice_has_the_verdict_that_was_published() -> None:
    with (FOLDER / "uk-ballot-notices" / "notices.csv").open(encoding="utf-8", newline="") as file:
        notices = list(csv.DictReader(file))
    assert len(notices) == 8
    for row in notices:
        count = _count(*(int(row[name]) for name in ("entitled", "cast", "yes", "no", "spoiled")))
        # One page bears no date; the law of 2018 is the law it speaks of.
        opening = date.fromisoformat(row["closed"] or "2018-01-01")
        service = row["ips_category"].rstrip("?") == "transport"
        found = _verdict(opening, count, said=(IPS,) if service else ())
        assert found.passed is (row["published_verdict"] == "mandate"), row
        if row["published_verdict"] == "40% met, 50% not met":
            assert _outcomes(found)["gb.ia.support40_ips"] is True
            assert _outcomes(found)["gb.ia.turnout50"] is False
