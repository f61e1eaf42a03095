"""Spans agree with a model that asks about every day, and are the fewest possible."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain.assessment import Assessment, Basis
from crm.domain.errors import DatesOutOfOrder
from crm.domain.ids import AreaId, JobId, UnionId, UserId, WorkplaceId
from crm.domain.timeline import (
    JobSpell,
    MembershipSpell,
    MembershipStatus,
    Span,
    diff_spans,
    member_of,
    member_of_any,
    timeline,
)

_START = date(2026, 1, 1)
_LAST = 30
_State: TypeAlias = tuple[bool | None, int | None, date | None, bool | None]

_MEMBER, _NOT = MembershipStatus.MEMBER, MembershipStatus.NOT_MEMBER


def _day(offset: int) -> date:
    return _START + timedelta(days=offset)


def _end(offset: int | None) -> date | None:
    return None if offset is None else _day(offset)


def _job(from_: int, to: int | None, *, workplace: int = 1, area: int | None = None) -> JobSpell:
    return JobSpell(
        job_id=JobId(1),
        workplace_id=WorkplaceId(workplace),
        area_id=None if area is None else AreaId(area),
        valid_from=_day(from_),
        valid_to=_end(to),
    )


def _membership(
    from_: int, to: int | None, status: MembershipStatus = _MEMBER, union: int | None = 1
) -> MembershipSpell:
    return MembershipSpell(
        union_id=None if union is None else UnionId(union),
        status=status,
        valid_from=_day(from_),
        valid_to=_end(to),
    )


def _score(day: int, rating: int, *, hour: int = 9, basis: Basis = Basis.SAID) -> Assessment:
    return Assessment(
        day=_day(day),
        recorded_at=datetime(2026, 6, 1, hour, tzinfo=UTC),
        rating=rating,
        basis=basis,
        assessor_id=UserId(1),
    )


def _span(
    from_: int,
    to: int | None,
    *,
    member: bool | None = None,
    score: int | None = None,
    scored: int | None = None,
    firm: bool | None = None,
    area: int | None = None,
) -> Span:
    return Span(
        workplace_id=WorkplaceId(1),
        area_id=None if area is None else AreaId(area),
        from_day=_day(from_),
        to_day=_end(to),
        member=member,
        score=score,
        scored_on=_end(scored),
        score_firm=firm,
    )


@st.composite
def _dates(draw: st.DrawFn) -> tuple[date, date | None]:
    from_ = draw(st.integers(0, 20))
    length = draw(st.none() | st.integers(0, 9))
    return _day(from_), None if length is None else _day(from_ + length)


_JOBS = st.lists(
    st.builds(
        lambda place, area, dates: JobSpell(JobId(1), place, area, *dates),
        st.integers(1, 2).map(WorkplaceId),
        st.none() | st.integers(1, 2).map(AreaId),
        _dates(),
    ),
    max_size=4,
)
_MEMBERSHIPS = st.lists(
    st.builds(
        lambda union, status, dates: MembershipSpell(union, status, *dates),
        st.none() | st.integers(1, 2).map(UnionId),
        st.sampled_from(MembershipStatus),
        _dates(),
    ),
    max_size=4,
)
_SCORES = st.lists(
    st.builds(
        lambda day, hour, rating, basis: _score(day, rating, hour=hour, basis=basis),
        st.integers(0, 25),
        st.integers(0, 23),
        st.integers(1, 5),
        st.sampled_from(Basis),
    ),
    max_size=4,
    unique_by=lambda one: (one.day, one.recorded_at),
)


def _on(valid_from: date, valid_to: date | None, day: date) -> bool:
    return valid_from <= day and (valid_to is None or valid_to > day)


def _model_state(memberships: list[MembershipSpell], scores: list[Assessment], day: date) -> _State:
    said = [(m.union_id, m.status) for m in memberships if _on(m.valid_from, m.valid_to, day)]
    member: bool | None = None
    if any(status == "member" for _, status in said):
        member = True
    elif (None, "not_member") in said:
        member = False
    so_far = sorted((s.day, s.recorded_at, s.rating, s.basis) for s in scores if s.day <= day)
    if not so_far:
        return member, None, None, None
    scored_on, _, rating, basis = so_far[-1]
    return member, rating, scored_on, basis in ("action", "said")


@settings(max_examples=200, deadline=None)
@given(_JOBS, _MEMBERSHIPS, _SCORES)
def test_spans_say_what_a_model_says_of_every_day(
    jobs: list[JobSpell], memberships: list[MembershipSpell], scores: list[Assessment]
) -> None:
    spans = timeline(jobs=jobs, memberships=memberships, assessments=scores)
    for offset in range(-1, _LAST + 2):
        day = _day(offset)
        state = _model_state(memberships, scores, day)
        expected = {
            (job.workplace_id, job.area_id, *state)
            for job in jobs
            if _on(job.valid_from, job.valid_to, day)
        }
        there = [
            (s.workplace_id, s.area_id, s.member, s.score, s.scored_on, s.score_firm)
            for s in spans
            if _on(s.from_day, s.to_day, day)
        ]
        assert len(there) == len(set(there))
        assert set(there) == expected


@settings(max_examples=200, deadline=None)
@given(_JOBS, _MEMBERSHIPS, _SCORES)
def test_spans_are_in_order_never_empty_and_never_cut_without_a_change(
    jobs: list[JobSpell], memberships: list[MembershipSpell], scores: list[Assessment]
) -> None:
    spans = timeline(jobs=jobs, memberships=memberships, assessments=scores)
    assert all(span.to_day is None or span.from_day < span.to_day for span in spans)
    keys = [(s.workplace_id, s.area_id is not None, s.area_id or 0, s.from_day) for s in spans]
    assert keys == sorted(keys)
    for one, next_one in pairwise(spans):
        if (one.workplace_id, one.area_id) == (next_one.workplace_id, next_one.area_id):
            assert one.to_day is not None
            assert one.to_day <= next_one.from_day
            same = (one.member, one.score, one.scored_on, one.score_firm) == (
                next_one.member,
                next_one.score,
                next_one.scored_on,
                next_one.score_firm,
            )
            assert not (one.to_day == next_one.from_day and same)


@settings(max_examples=100, deadline=None)
@given(_JOBS, _MEMBERSHIPS, _SCORES, st.randoms(use_true_random=False))
def test_the_order_of_the_facts_never_matters(
    jobs: list[JobSpell],
    memberships: list[MembershipSpell],
    scores: list[Assessment],
    chance: Random,
) -> None:
    spans = timeline(jobs=jobs, memberships=memberships, assessments=scores)
    for facts in (jobs, memberships, scores):
        chance.shuffle(facts)
    assert timeline(jobs=jobs, memberships=memberships, assessments=scores) == spans


@settings(max_examples=100, deadline=None)
@given(_JOBS, _JOBS, _MEMBERSHIPS, _SCORES)
def test_taking_out_and_putting_in_turns_the_old_spans_into_the_new(
    before: list[JobSpell],
    after: list[JobSpell],
    memberships: list[MembershipSpell],
    scores: list[Assessment],
) -> None:
    old = timeline(jobs=before, memberships=memberships, assessments=scores)
    new = timeline(jobs=after, memberships=memberships, assessments=scores)
    diff = diff_spans(old, new)
    assert (set(old) - set(diff.to_delete)) | set(diff.to_insert) == set(new)
    assert not set(diff.to_delete) & set(diff.to_insert)
    assert set(diff.to_delete) <= set(old)


def test_equal_spans_leave_nothing_to_do_and_a_double_loses_one_copy() -> None:
    spans = timeline(jobs=[_job(0, 9)], memberships=[_membership(2, 4)], assessments=[])
    same = diff_spans(spans, spans)
    assert (same.to_delete, same.to_insert) == ((), ())
    doubled = diff_spans((*spans, spans[0]), spans)
    assert (doubled.to_delete, doubled.to_insert) == ((spans[0],), ())


def test_a_life_at_work_is_cut_where_something_changes() -> None:
    spans = timeline(
        jobs=[_job(0, 20)],
        memberships=[_membership(0, 5, _NOT, None), _membership(5, 10)],
        assessments=[_score(7, 2), _score(12, 1, basis=Basis.TOLD)],
    )
    assert spans == (
        _span(0, 5, member=False),
        _span(5, 7, member=True),
        _span(7, 10, member=True, score=2, scored=7, firm=True),
        _span(10, 12, member=None, score=2, scored=7, firm=True),
        _span(12, 20, member=None, score=1, scored=12, firm=False),
    )


def test_no_job_makes_no_span() -> None:
    assert timeline(jobs=[], memberships=[_membership(0, None)], assessments=[_score(1, 1)]) == ()
    assert timeline(jobs=[_job(3, 3)], memberships=[], assessments=[]) == ()


def test_what_was_known_before_the_job_counts_from_its_first_day() -> None:
    spans = timeline(
        jobs=[_job(10, None)], memberships=[_membership(0, None)], assessments=[_score(1, 3)]
    )
    assert spans == (_span(10, None, member=True, score=3, scored=1, firm=True),)


def test_two_jobs_at_one_place_make_one_span_there() -> None:
    spans = timeline(jobs=[_job(0, 10), _job(5, 15)], memberships=[], assessments=[])
    assert spans == (_span(0, 15),)


def test_one_job_after_another_without_a_gap_makes_one_span() -> None:
    assert timeline(jobs=[_job(0, 5), _job(5, None)], memberships=[], assessments=[]) == (
        _span(0, None),
    )


def test_coming_back_after_a_gap_makes_two_spans() -> None:
    assert timeline(jobs=[_job(0, 5), _job(6, None)], memberships=[], assessments=[]) == (
        _span(0, 5),
        _span(6, None),
    )


def test_moving_to_another_area_ends_one_span_and_starts_one() -> None:
    spans = timeline(jobs=[_job(0, 5, area=2), _job(5, None)], memberships=[], assessments=[])
    assert spans == (_span(5, None), _span(0, 5, area=2))


def test_a_job_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(
        DatesOutOfOrder, match=r"^The end date is before the start date\. Check both dates\.$"
    ):
        timeline(jobs=[_job(5, 4)], memberships=[], assessments=[])


def test_a_membership_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(
        DatesOutOfOrder, match=r"^The end date is before the start date\. Check both dates\.$"
    ):
        timeline(jobs=[_job(0, 4)], memberships=[_membership(3, 2)], assessments=[])


@pytest.mark.parametrize(
    ("rows", "in_any", "in_first"),
    [
        ([], None, None),
        ([_membership(0, None, _MEMBER, 1)], True, True),
        ([_membership(0, None, _MEMBER, 2)], True, None),
        ([_membership(0, None, _MEMBER, None)], True, None),
        ([_membership(0, None, _NOT, 1)], None, False),
        ([_membership(0, None, _NOT, 2)], None, None),
        ([_membership(0, None, _NOT, None)], False, False),
        ([_membership(0, None, _NOT, 1), _membership(0, None, _MEMBER, 2)], True, False),
        ([_membership(0, None, _NOT, None), _membership(0, None, _MEMBER, 1)], True, True),
        ([_membership(0, 1, _MEMBER, 1)], None, None),
    ],
)
def test_not_being_in_one_union_says_nothing_of_the_others(
    rows: list[MembershipSpell], in_any: bool | None, in_first: bool | None
) -> None:
    assert member_of_any(rows, _day(1)) is in_any
    assert member_of(rows, UnionId(1), _day(1)) is in_first
