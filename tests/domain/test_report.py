"""The figures of a report: shares, what is hidden, and the rows of a file."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from crm.domain.numbers import HIDDEN, NOT_APPLICABLE
from crm.domain.report import (
    SMALLEST_GROUP,
    FigureKind,
    Line,
    LineKind,
    PartName,
    ReportPack,
    ReportPart,
    ReportTable,
    between,
    count,
    figure_rows,
    hidden,
    hidden_groups,
    share,
)

TODAY = date(2026, 11, 23)


def test_a_share_runs_from_the_known_to_the_known_and_all_not_known() -> None:
    found = share(3, 12, not_known=6)
    assert (found.low, found.high) == (0.25, 0.75)
    assert (found.numerator, found.out_of_low, found.out_of_high, found.not_known) == (3, 12, 12, 6)
    assert not found.small


def test_a_share_of_nobody_does_not_apply_and_is_not_0() -> None:
    found = share(0, 0)
    assert (found.low, found.high) == (NOT_APPLICABLE, NOT_APPLICABLE)


def test_a_share_of_fewer_than_10_is_said_in_people() -> None:
    assert share(3, 9).small
    assert not share(3, 10).small


def test_groups_under_5_people_are_hidden_and_one_more_where_they_could_be_worked_out() -> None:
    assert hidden_groups([]) == ()
    assert hidden_groups([5, 6]) == (False, False)
    assert hidden_groups([4, 20, 6]) == (True, False, True)
    # Two hidden groups of five people together cannot be told from each other.
    assert hidden_groups([2, 3, 20]) == (True, True, False)
    assert hidden_groups([1, 2, 20, 9]) == (True, True, False, True)
    assert hidden_groups([0, 7]) == (False, False)
    # Nobody of the second group is on our list: taking the third from the whole gives the first.
    nobody, first, nine = range(0), range(1), range(20, 29)
    assert hidden_groups([1, 6, 9], [first, nobody, nine]) == (True, False, True)
    few = range(10, 12), range(12, 15)
    assert hidden_groups([1, 6, 9, 9], [first, *few, nine]) == (True, True, True, False)
    assert hidden_groups([3, 9], [nobody, nine]) == (True, False)


def test_people_of_two_groups_hide_nobody_behind_them_twice() -> None:
    three, nine = {1, 2, 3}, set(range(20, 29))
    # The same three at two places are six on paper; taking the nine from the whole gives them.
    assert hidden_groups([3, 3, 9], [three, three, nine]) == (True, True, True)
    # Those of the second group are among the nine, too.
    at_both = set(range(20, 25))
    assert hidden_groups([3, 5, 9], [three, at_both, nine]) == (True, True, True)
    assert hidden_groups([3, 5, 9], [three, {4, 5, 6, 7, 8}, nine]) == (True, True, False)


@given(st.lists(st.integers(0, 30), max_size=8))
def test_what_is_hidden_is_never_one_small_group_beside_shown_ones(sizes: list[int]) -> None:
    found = hidden_groups(sizes)
    behind = [size for size, is_hidden in zip(sizes, found, strict=True) if is_hidden]
    assert all(
        is_hidden for size, is_hidden in zip(sizes, found, strict=True) if 0 < size < SMALLEST_GROUP
    )
    shown = [size for size, is_hidden in zip(sizes, found, strict=True) if not is_hidden and size]
    if behind and shown:
        assert len(behind) > 1
        assert sum(behind) >= SMALLEST_GROUP


def test_a_row_of_a_file_says_what_is_not_known_does_not_apply_and_is_hidden() -> None:
    line = Line(
        LineKind.WHOLE,
        "",
        "",
        TODAY,
        {
            "talks": count(2),
            "workers": between(None, None, None),
            "with_us": hidden(FigureKind.SHARE),
            "reached": share(1, 3),
        },
    )
    table = ReportTable("work", ("talks", "workers", "with_us", "reached"), (line,))
    pack = ReportPack(
        "id", "The Mill", "workplace", TODAY, TODAY, (ReportPart(PartName.CHANGES, (table,)),)
    )
    talks, workers, with_us, reached = figure_rows(pack)
    assert (talks.numerator, talks.out_of_low, talks.not_known) == (
        2,
        NOT_APPLICABLE,
        NOT_APPLICABLE,
    )
    assert (workers.low, workers.high) == (None, None)
    assert {with_us.numerator, with_us.low, with_us.out_of_low, with_us.not_known} == {HIDDEN}
    assert (reached.low, reached.place) == (0.333333, "The Mill")
