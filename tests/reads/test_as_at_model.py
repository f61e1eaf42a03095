"""Counts as at a day, as known at a moment, against a model that walks every fact by hand."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from crm.access.facts import revise, withdraw
from crm.access.spans import refresh_many
from crm.domain.identity import fold
from crm.domain.timeline import MembershipStatus
from crm.models.contacts import Contact, Job, Membership
from crm.reads.figures import GroupBy, Question, density_table, trend
from crm.web.db import unit_of_work
from tests.factories import ALL, World
from tests.recount import recount

_START = date(2025, 1, 1)
_MOMENT = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Fact:
    """One version of a fact: where or what, for which days, and when we believed it."""

    person: int
    what: tuple[int, int | None] | tuple[int | None, str]
    from_: date
    to: date | None
    learned: datetime
    dropped: datetime | None


_days = st.integers(0, 60).map(lambda number: _START + timedelta(days=number))
_moments = st.integers(0, 9).map(lambda number: _MOMENT + timedelta(days=number))


@st.composite
def _spells(draw: st.DrawFn, what: st.SearchStrategy[object]) -> list[_Fact]:
    facts = []
    for _ in range(draw(st.integers(0, 8))):
        from_ = draw(_days)
        length = draw(st.none() | st.integers(0, 40))
        learned = draw(_moments)
        dropped = draw(st.none() | st.integers(1, 5))
        facts.append(
            _Fact(
                person=draw(st.integers(0, 3)),
                what=draw(what),  # type: ignore[arg-type]
                from_=from_,
                to=None if length is None else from_ + timedelta(days=length),
                learned=learned,
                dropped=None if dropped is None else learned + timedelta(days=dropped),
            )
        )
    return facts


_jobs = _spells(st.tuples(st.integers(0, 2), st.none() | st.integers(0, 1)))
_memberships = _spells(
    st.one_of(
        st.tuples(st.integers(0, 1), st.just("member")),
        st.tuples(st.none() | st.integers(0, 1), st.just("not_member")),
    )
)


def _holds(fact: _Fact, day: date, known_at: datetime | None) -> bool:
    believed = (
        fact.dropped is None
        if known_at is None
        else fact.learned <= known_at and (fact.dropped is None or fact.dropped > known_at)
    )
    return believed and fact.from_ <= day and (fact.to is None or day < fact.to)


def _by_hand(
    jobs: list[_Fact],
    memberships: list[_Fact],
    day: date,
    known_at: datetime | None,
    union: int | None,
    *,
    by_area: bool,
) -> dict[object, Counter[str]]:
    found: dict[object, Counter[str]] = {}
    for person in range(4):
        says = [m.what for m in memberships if m.person == person and _holds(m, day, known_at)]
        if union is None:
            member = any(status == "member" for _, status in says)
            outside = any(status == "not_member" and whose is None for whose, status in says)
        else:
            member = (union, "member") in says
            outside = any(
                status == "not_member" and whose in (None, union) for whose, status in says
            )
        state = "member" if member else "not_member" if outside else "not_known"
        places = {
            (job.what if by_area else job.what[0])
            for job in jobs
            if job.person == person and _holds(job, day, known_at)
        }
        for place in places:
            if not by_area or place[1] is not None:  # type: ignore[index]
                found.setdefault(place, Counter())[state] += 1
    return found


class _Undo(Exception):
    """Leaves the block without keeping what was stored."""


def _store(session: Session, world: World, jobs: list[_Fact], memberships: list[_Fact]) -> None:
    """Store versions as the product would: a dropped version is withdrawn or revised away."""
    people = []
    for number in range(4):
        contact = Contact(known_as=f"P{number}", name_key=fold(f"P{number}"), created_at=_MOMENT)
        session.add(contact)
        people.append(contact)
    session.flush()
    sites = (world.mill.id, world.depot.id, world.dock.id)
    areas = (world.packing.id, world.yard.id)
    unions = (world.union.id, world.other_union.id)
    for job in jobs:
        site, area = job.what
        # Areas lie in the mill; elsewhere the draw of an area is left out.
        area_id = areas[area] if area is not None and site == 0 else None  # type: ignore[index]
        row = Job(
            contact_id=people[job.person].id,
            place_id=area_id or sites[site],  # type: ignore[index]
            workplace_id=sites[site],  # type: ignore[index]
            area_id=area_id,
            valid_from=job.from_,
            valid_to=job.to,
            recorded_at=job.learned,
        )
        session.add(row)
        if job.dropped is not None:
            withdraw(row, now=job.dropped)
    for one in memberships:
        whose, status = one.what
        kept = Membership(
            contact_id=people[one.person].id,
            union_id=None if whose is None else unions[whose],  # type: ignore[index]
            status=MembershipStatus(status),
            valid_from=one.from_,
            valid_to=one.to,
            recorded_at=one.learned,
        )
        session.add(kept)
        session.flush()
        if one.dropped is not None:
            # A revision that holds for no day leaves only the old version's past.
            revise(
                session,
                kept,
                now=one.dropped,
                actor_id=None,
                valid_from=one.from_,
                valid_to=one.from_,
            )
    session.flush()
    refresh_many(session, [person.id for person in people])


@pytest.mark.timeout(300)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    jobs=_jobs,
    memberships=_memberships,
    day=_days,
    known_at=st.none() | _moments,
    union=st.none() | st.integers(0, 1),
    by_area=st.booleans(),
)
def test_counts_as_at_a_day_as_known_at_a_moment_equal_the_model(
    app: Flask,
    world: World,
    jobs: list[_Fact],
    memberships: list[_Fact],
    day: date,
    known_at: datetime | None,
    union: int | None,
    by_area: bool,
) -> None:
    jobs = [replace(job, what=(job.what[0], None)) if job.what[0] != 0 else job for job in jobs]
    wanted = _by_hand(jobs, memberships, day, known_at, union, by_area=by_area)
    unions = (world.union.id, world.other_union.id)
    question = Question(
        as_at=day,
        known_at=known_at,
        union_id=None if union is None else unions[union],
        group_by=GroupBy.AREA if by_area else GroupBy.WORKPLACE,
    )
    ids = {0: world.mill.id, 1: world.depot.id, 2: world.dock.id}
    area_ids = {0: world.packing.id, 1: world.yard.id}
    expected = {
        (area_ids[place[1]] if by_area else ids[place]): dict(counts)  # type: ignore[index]
        for place, counts in wanted.items()
    }
    with suppress(_Undo), unit_of_work(ALL) as session:
        # Only the people of this example: the world's own are moved out of the way by asking
        # the difference before and after.
        before = recount(session, ALL, question)
        table_before = {part.place_id: part.density for part in _parts(session, question)}
        _store(session, world, jobs, memberships)
        after = recount(session, ALL, question)
        found = {
            place: {
                state: number - before.get(place, Counter())[state]
                for state, number in counts.items()
                if number - before.get(place, Counter())[state]
            }
            for place, counts in after.items()
        }
        assert {place: counts for place, counts in found.items() if counts} == expected
        for part in _parts(session, question):
            was = table_before[part.place_id]
            counts = expected.get(part.place_id, {})
            assert part.density.members - was.members == counts.get("member", 0)
            assert part.density.not_members - was.not_members == counts.get("not_member", 0)
            grew = part.density.not_known_named - was.not_known_named
            assert grew == counts.get("not_known", 0)
        [(_, total)] = trend(session, ALL, question, [day])
        assert total == density_table(session, ALL, question).total
        raise _Undo


def _parts(session: Session, question: Question):  # type: ignore[no-untyped-def]
    return density_table(session, ALL, question).parts
