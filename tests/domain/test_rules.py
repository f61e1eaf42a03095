"""The rows of ballot law: which one holds on a day, and which files are refused."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest

from crm.domain.rules import (
    CODES,
    Comparator,
    Counted,
    FaultyRules,
    KeyDate,
    RuleBook,
    Threshold,
    read_rules,
    rule_book,
    rule_books,
)

REPEAL = "gb.era2025.s68"

ROW = """
[[jurisdiction]]
code = "XX"
name = "Nowhere"
[[jurisdiction.change]]
id = "xx.change"
title = "A change"
text = "It changes."
not_before = 2026-01-01
source = "An act"
[[jurisdiction.rule]]
id = "xx.turnout"
subject = "action_ballot"
kind = "test"
key_date = "ballot_opening"
title = "Half must vote"
text = "Half must vote."
from = 2020-01-01
to = 2024-12-31
numerator = ["valid", "spoiled"]
denominator = ["entitled"]
comparator = ">="
value = "1/2"
source = "An act"
confidence = "sure"
"""


def _second(changed: dict[str, str]) -> str:
    row = ROW[ROW.index("[[jurisdiction.rule]]") :]
    for old, new in changed.items():
        assert old in row
        row = row.replace(old, new)
    return ROW + row


def test_every_jurisdiction_has_a_file_with_rows() -> None:
    assert tuple(rule_books()) == CODES
    assert all(book.rules for book in rule_books().values())


def test_every_row_names_its_source_and_nobody_is_said_to_have_checked_it() -> None:
    for book in rule_books().values():
        for rule in book.rules:
            assert rule.source
            assert not rule.is_checked(date(2026, 11, 23))


@pytest.mark.parametrize(
    ("rule_id", "last"),
    [
        ("gb.ia.support40_ips", date(2026, 2, 17)),
        ("gb.ia.notice_action", date(2026, 2, 17)),
        ("gb.ia.mandate", date(2026, 2, 17)),
        ("gb.rec.ballot40", date(2026, 4, 5)),
        ("gb.ia.msl", date(2025, 12, 18)),
    ],
)
def test_a_row_holds_up_to_its_last_day_and_not_after(rule_id: str, last: date) -> None:
    before = rule_book("GB").in_force(rule_id, last)
    after = rule_book("GB").in_force(rule_id, last + timedelta(days=1))
    assert before is not None
    assert after is None or after != before


def test_the_notice_of_action_is_fourteen_days_and_then_ten() -> None:
    book = rule_book("GB")
    old, new = (book.in_force("gb.ia.notice_action", date(2026, 2, day)) for day in (17, 18))
    assert old is not None
    assert old.period is not None
    assert new is not None
    assert new.period is not None
    assert (old.period.length, old.period.by_agreement) == (14, 7)
    assert (new.period.length, new.period.by_agreement) == (10, None)


def test_no_turnout_was_asked_for_before_march_2017() -> None:
    book = rule_book("GB")
    assert book.in_force("gb.ia.turnout50", date(2017, 2, 28)) is None
    assert book.in_force("gb.ia.turnout50", date(2017, 3, 1)) is not None


def test_an_open_change_ends_a_row_and_begins_its_heir_on_the_same_day() -> None:
    book, day = rule_book("GB"), date(2027, 4, 6)
    begun = {REPEAL: day}
    eve = book.in_force("gb.ia.majority", day - timedelta(days=1), begun=begun)
    then = book.in_force("gb.ia.majority", day, begun=begun)
    assert eve is not None
    assert eve.threshold is not None
    assert then is not None
    assert then.threshold is not None
    assert eve.threshold.denominator == (Counted.VALID, Counted.SPOILED)
    assert then.threshold.denominator == (Counted.VALID,)
    assert book.in_force("gb.ia.turnout50", day, begun=begun) is None
    assert book.in_force("gb.ia.turnout50", day) is not None


def test_no_two_rows_of_one_id_hold_on_one_day() -> None:
    days = [date(2014, 1, 1) + timedelta(days=17 * step) for step in range(300)]
    for book in rule_books().values():
        begins: tuple[dict[str, date], ...] = (
            {},
            {one.id: one.not_before for one in book.changes},
        )
        for begun in begins:
            for day in days:
                held = [(one.id, one.only_if) for one in book.rules if one.holds_on(day, begun)]
                assert len(held) == len(set(held)), (book.code, day)


def test_northern_ireland_has_no_turnout_test() -> None:
    tests = rule_book("NI").all_in_force({KeyDate.BALLOT_OPENING: date(2026, 11, 23)})
    assert "ni.ia.majority" in [one.id for one in tests]
    assert all(
        one.threshold is None or one.threshold.denominator != (Counted.ENTITLED,) for one in tests
    )


@pytest.mark.parametrize(
    ("comparator", "value", "whole", "needed"),
    [
        (Comparator.AT_LEAST, Fraction(1, 2), 50, 25),
        (Comparator.AT_LEAST, Fraction(1, 2), 241, 121),
        (Comparator.MORE_THAN, Fraction(1, 2), 100, 51),
        (Comparator.MORE_THAN, Fraction(1, 2), 99, 50),
        (Comparator.AT_LEAST, Fraction(2, 5), 200, 80),
        (Comparator.AT_LEAST, Fraction(1, 10), 30, 3),
        (Comparator.AT_LEAST, Fraction(3, 4), 5255, 3942),
        (Comparator.AT_LEAST, Fraction(51, 100), 101, 52),
    ],
)
def test_the_votes_needed_are_exact(
    comparator: Comparator, value: Fraction, whole: int, needed: int
) -> None:
    threshold = Threshold((Counted.YES,), (Counted.ENTITLED,), comparator, value)
    assert threshold.needed(whole) == needed
    assert threshold.is_passed(needed, whole)
    assert not threshold.is_passed(needed - 1, whole)


def test_of_nobody_nothing_passes() -> None:
    threshold = Threshold((Counted.YES,), (Counted.VALID,), Comparator.AT_LEAST, Fraction(1, 2))
    assert not threshold.is_passed(0, 0)


def test_two_rows_that_follow_each_other_are_read() -> None:
    text = _second({"from = 2020-01-01\nto = 2024-12-31": "from = 2025-01-01"})
    (book,) = read_rules(text)
    assert isinstance(book, RuleBook)
    assert [rule.from_ for rule in book.rules] == [date(2020, 1, 1), date(2025, 1, 1)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            _second({"to = 2024-12-31": "to = 2025-12-31"}),
            "xx.turnout: two rows hold on the same day.",
        ),
        (
            _second({"from = 2020-01-01\nto = 2024-12-31": "from = 2024-12-31"}),
            "xx.turnout: two rows hold on the same day.",
        ),
        (ROW.replace('source = "An act"\nconf', "conf"), "xx.turnout: source is missing."),
        (ROW.replace('comparator = ">="\n', ""), "xx.turnout: comparator is missing."),
        (
            ROW.replace('value = "1/2"', "value = 0.5"),
            "xx.turnout: value is a text such as '0.5' or '2/3', above 0 and up to 1.",
        ),
        (
            ROW.replace('comparator = ">="', 'comparator = "=="'),
            "xx.turnout: comparator is one of >=, >.",
        ),
        (ROW.replace("from = 2020-01-01\n", ""), "xx.turnout: give either from or from_change."),
        (
            ROW.replace("to = 2024-12-31", "to = 2019-12-31"),
            "xx.turnout: it ends before it begins.",
        ),
        (ROW + "length = 5\n", "xx.turnout: a test has no length."),
        (ROW + "lenght = 5\n", "xx.turnout: no such part: lenght."),
        (
            ROW + 'verified_by = "A. Nother"\n',
            "xx.turnout: give verified_on and verified_by together.",
        ),
        (
            ROW + 'to_change = "xx.other"\n',
            "xx.turnout: the change xx.other is not described.",
        ),
        ('[[jurisdiction]]\ncode = "XX"\nname = "Nowhere"\n', "XX has no rules."),
        ("", "The file names no jurisdiction."),
    ],
)
def test_a_faulty_file_is_refused_and_the_row_named(text: str, fault: str) -> None:
    with pytest.raises(FaultyRules) as refused:
        read_rules(text)
    assert str(refused.value) == fault
