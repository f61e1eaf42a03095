"""What changed between two days, against a walk over every fact by hand, on both databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.access.scope import Grant, Scope
from crm.domain.bases import Roster
from crm.domain.density import Range
from crm.domain.headcount import Workforce
from crm.domain.movement import Cause, Move, State, YearOfChange
from crm.domain.roles import Role
from crm.domain.timeline import MembershipStatus
from crm.features.density.queries import month_ends
from crm.models.contacts import Contact, Job, Membership
from crm.models.places import Place, Workplace
from crm.reads.figures import Question, density_table
from crm.reads.movement import Movement, movement, year_of_change
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, TODAY, Named, World

SINCE = date(2026, 2, 28)


def _get(session: Any, kind: type[Any], named: Named) -> Any:
    return session.scalars(ALL.select(kind).where(kind.id == named.id)).one()


def _found(question: Question, since: date = SINCE, scope: Scope = ALL) -> Movement:
    with unit_of_work(scope, read_only=True) as session:
        return movement(session, scope, question, since=since)


def test_a_member_who_left_the_job_is_not_called_lapsed(world: World) -> None:
    found = _found(Question(TODAY, within=(world.mill.id,)))
    causes = found.everywhere.by_cause()
    assert causes[Cause.MEMBER_LEFT] == 1
    assert causes[Cause.LAPSED] == 0
    assert (found.everywhere.before.members, found.everywhere.after.members) == (2, 1)
    # At least 2 of 10, then 1 of 10: all of it is the leaver and the place filled again.
    share = {one.cause: one.share for one in found.effects}
    assert sum(share.values(), Fraction()) == Fraction(1, 10) - Fraction(2, 10)
    assert share[Cause.MEMBER_LEFT] == Fraction(-1, 10) + Fraction(3, 200)
    assert share[Cause.HEADCOUNT] == Fraction(-3, 200)


def test_whoever_is_on_a_list_of_names_is_one_worker_however_many_jobs_they_have(
    world: World,
) -> None:
    with unit_of_work(ALL) as session:
        ioana = _get(session, Contact, world.ioana)
        factories.make_job(session, ioana, _get(session, Place, world.dock), since=date(2026, 5, 1))
    people = frozenset({world.ioana.id, world.tomasz.id})
    found = _found(Question(TODAY, counts=Roster.LIST, people=people))
    total = found.total_after
    assert total.workforce == Workforce.exactly(2)
    assert total.fraction_range == Range(1 / 2, 1 / 2)
    # She came to a second place, where nobody of the list was before: that changed no share.
    assert (found.after.members, found.after.workers) == (1, 2)
    assert (found.before.members, found.before.workers) == (1, 2)


def test_a_place_with_a_headcount_on_one_day_only_is_left_out_of_the_share(world: World) -> None:
    with unit_of_work(ALL) as session:
        depot = _get(session, Workplace, world.depot)
        factories.make_headcount(session, depot, 5, 5, on_day=date(2026, 6, 1))
    found = _found(Question(TODAY))
    assert (found.counted_places, found.places) == (2, 3)
    assert (found.before.workers, found.after.workers) == (40, 40)
    assert (found.before.members, found.after.members) == (3, 2)
    assert (found.everywhere.before.members, found.everywhere.after.members) == (4, 3)


def test_somebody_who_changes_jobs_inside_the_unit_has_not_left(world: World) -> None:
    with unit_of_work(ALL) as session:
        leaver = _get(session, Contact, world.leaver)
        depot = _get(session, Workplace, world.depot)
        factories.make_job(session, leaver, depot, since=date(2026, 3, 1))
    assert _found(Question(TODAY)).everywhere.by_cause()[Cause.MEMBER_LEFT] == 0
    at_mill = _found(Question(TODAY, within=(world.mill.id,)))
    assert at_mill.everywhere.by_cause()[Cause.MEMBER_LEFT] == 1


def test_the_people_of_a_closed_place_left_the_job(world: World) -> None:
    with unit_of_work(ALL) as session:
        _get(session, Workplace, world.depot).closed_on = date(2026, 5, 15)
    causes = _found(Question(TODAY, within=(world.depot.id,))).everywhere.by_cause()
    assert causes == {**dict.fromkeys(causes, 0), Cause.MEMBER_LEFT: 1}


def test_members_stated_without_names_are_a_part_of_their_own(world: World) -> None:
    with unit_of_work(ALL) as session:
        dock = _get(session, Workplace, world.dock)
        factories.make_member_count(session, dock, 9, on_day=date(2026, 6, 1))
    found = _found(Question(TODAY, within=(world.dock.id,)))
    assert (found.stated_before, found.stated_after) == (0, 8)
    assert {one.cause: one.members for one in found.effects}[Cause.STATED] == 8
    assert sum(one.share or 0 for one in found.effects) == Fraction(9, 30) - Fraction(1, 30)


def test_one_union_and_what_we_knew_then(world: World) -> None:
    # Written down after the moment asked for: not known then.
    late = factories.NOW + timedelta(days=1)
    with unit_of_work(ALL) as session:
        rukhsana = _get(session, Contact, world.rukhsana)
        union = _get(session, Place, world.other_union)
        factories.make_membership(
            session, rukhsana, union, since=date(2026, 5, 1), recorded_at=late
        )
    own = Question(TODAY, within=(world.mill.id,), union_id=world.other_union.id)
    assert _found(own).everywhere.by_cause()[Cause.RECRUITED] == 1
    then = Question(TODAY, within=(world.mill.id,), known_at=factories.NOW)
    assert _found(then).everywhere.by_cause()[Cause.RECRUITED] == 0


def test_a_rep_of_one_workplace_reads_the_moves_of_that_workplace_only(world: World) -> None:
    rep = Scope(world.dock_rep.id, (Grant(Role.REP, world.dock.id),))
    found = _found(Question(TODAY), scope=rep)
    assert found.everywhere.before.people == found.everywhere.after.people == 1
    assert found.places == 1


def test_a_year_counts_leavers_members_who_left_and_members_who_resigned(world: World) -> None:
    with unit_of_work(ALL) as session:
        tomasz = _get(session, Contact, world.tomasz)
        union = _get(session, Place, world.union)
        factories.make_membership(
            session, tomasz, union, since=date(2025, 1, 1), until=date(2026, 8, 1)
        )
    ends = month_ends(TODAY)[:-1]
    with unit_of_work(ALL, read_only=True) as session:
        asked = Question(TODAY, within=(world.mill.id,))
        found = year_of_change(session, ALL, asked, since=date(2025, 11, 23), month_ends=ends)
    # Five people at four month ends, until that of February, then four.
    assert found == YearOfChange(1, 1, 1, 0, Fraction(4 * 5 + 8 * 4, 12))
    assert found.stand_still == 2


def _year(within: Named) -> YearOfChange:
    with unit_of_work(ALL, read_only=True) as session:
        asked = Question(TODAY, within=(within.id,))
        ends = month_ends(TODAY)[:-1]
        return year_of_change(session, ALL, asked, since=date(2025, 11, 23), month_ends=ends)


def test_a_membership_that_is_only_not_known_any_more_is_no_resignation(world: World) -> None:
    with unit_of_work(ALL) as session:
        rukhsana = _get(session, Contact, world.rukhsana)
        union = _get(session, Place, world.union)
        spell = {"since": date(2025, 1, 1), "until": date(2026, 8, 1)}
        factories.make_membership(session, rukhsana, union, **spell)
    found = _year(world.mill)
    assert (found.resigned, found.no_longer_known, found.stand_still) == (0, 1, 1)


def test_who_left_the_union_before_coming_here_did_not_leave_it_here(world: World) -> None:
    with unit_of_work(ALL) as session:
        union = _get(session, Place, world.union)
        mill = _get(session, Workplace, world.mill)
        came = factories.make_person(session, mill, "Came Later", since=date(2026, 5, 1))
        spell = {"since": date(2025, 1, 1), "until": date(2026, 5, 1)}
        factories.make_membership(session, came, union, **spell)
        factories.make_membership(
            session, came, None, status=MembershipStatus.NOT_MEMBER, since=date(2026, 5, 1)
        )
    assert _year(world.mill).resigned == 0


def test_more_people_and_places_cost_no_more_statements(
    world: World, count_statements: list[str]
) -> None:
    sent = []
    for more in range(2):
        if more:
            with unit_of_work(ALL) as session:
                employer = _get(session, Place, world.brightway)
                for number in range(5):
                    site = factories.make_workplace(session, employer, f"Unit {number}")
                    factories.make_headcount(session, site, 5)
                    factories.make_person(session, site, f"Person {number}")
        count_statements.clear()
        _found(Question(TODAY))
        sent.append(len(count_statements))
    assert sent[0] == sent[1] <= 10


_START = date(2025, 1, 1)
_days = st.integers(0, 40).map(lambda number: _START + timedelta(days=number))
_spell = st.tuples(st.integers(0, 3), _days, st.none() | st.integers(0, 30))
_jobs = st.lists(st.tuples(_spell, st.integers(0, 2)), max_size=8)
_memberships = st.lists(
    st.tuples(
        _spell,
        st.sampled_from([("union", True), ("union", False), ("other", True), (None, False)]),
    ),
    max_size=6,
)


def _covers(spell: tuple[int, date, int | None], person: int, day: date) -> bool:
    who, from_, length = spell
    return (
        who == person and from_ <= day and (length is None or day < from_ + timedelta(days=length))
    )


def _state(
    sayings: Iterable[tuple[Any, tuple[str | None, bool]]],
    person: int,
    day: date,
    union: str | None,
) -> State:
    state = State.NOT_KNOWN
    for spell, (of, member) in sayings:
        if not _covers(spell, person, day):
            continue
        if member and union in {None, of}:
            return State.MEMBER
        if not member and (of is None or of == union):
            state = State.NOT_MEMBER
    return state


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(jobs=_jobs, sayings=_memberships, since=_days, length=st.integers(1, 30))
def test_moves_are_those_of_a_walk_over_every_fact(
    world: World,
    app: Flask,
    jobs: list[Any],
    sayings: list[Any],
    since: date,
    length: int,
) -> None:
    until = since + timedelta(days=length)
    sites = [world.mill, world.depot, world.dock]
    unions = {"union": world.union.id, "other": world.other_union.id, None: None}
    with unit_of_work(ALL) as session:
        people = []
        for _number in range(4):
            person = Contact(known_as="A", name_key="a", created_at=factories.NOW)
            session.add(person)
            session.flush()
            people.append(person.id)
        for (who, from_, days), site in jobs:
            session.add(
                Job(
                    contact_id=people[who],
                    place_id=sites[site].id,
                    workplace_id=sites[site].id,
                    valid_from=from_,
                    valid_to=None if days is None else from_ + timedelta(days=days),
                    recorded_at=factories.NOW,
                )
            )
        for (who, from_, days), (of, member) in sayings:
            session.add(
                Membership(
                    contact_id=people[who],
                    union_id=unions[of],
                    status=MembershipStatus.MEMBER if member else MembershipStatus.NOT_MEMBER,
                    valid_from=from_,
                    valid_to=None if days is None else from_ + timedelta(days=days),
                    recorded_at=factories.NOW,
                )
            )
        session.flush()
        for union in (None, "union"):
            for within in ((), (world.brightway.id,)):
                # Only the people of this example: those of the world are counted apart.
                asked = Question(until, union_id=unions[union], within=within)
                inside = {0, 1, 2} if not within else {0, 1}
                expected: Counter[Move] = Counter()
                for person in range(4):
                    here = [
                        any(_covers(spell, person, day) and site in inside for spell, site in jobs)
                        for day in (since, until)
                    ]
                    if any(here):
                        states = [_state(sayings, person, day, union) for day in (since, until)]
                        expected[Move(here[0], states[0], here[1], states[1])] += 1
                found = movement(session, ALL, asked, since=since).everywhere.counts
                assert Counter(found) - _others(session, asked, since) == expected
        session.rollback()


def _others(session: Any, asked: Question, since: date) -> Counter[Move]:
    """Return the moves of the people who were there before the example: all stayed as they were."""
    marked = ALL.select(Contact.id).where(Contact.known_as == "A", Contact.name_key == "a")
    ours = set(session.scalars(marked))
    table = density_table(session, ALL, asked)
    assert table.total is not None
    rows = session.execute(
        ALL.select(Job.contact_id, Job.workplace_id, Job.valid_from, Job.valid_to)
    ).all()
    inside = {part.place_id for part in table.parts}
    found: Counter[Move] = Counter()
    for person in {row.contact_id for row in rows} - ours:
        here = [
            any(
                row.contact_id == person
                and row.workplace_id in inside
                and row.valid_from <= day
                and (row.valid_to is None or row.valid_to > day)
                for row in rows
            )
            for day in (since, asked.as_at)
        ]
        said = session.execute(
            ALL.select(Membership.union_id, Membership.status).where(
                Membership.contact_id == person
            )
        ).all()
        state = State.NOT_KNOWN
        for union_id, status in said:
            if status == MembershipStatus.MEMBER and asked.union_id in {None, union_id}:
                state = State.MEMBER
            elif status == MembershipStatus.NOT_MEMBER and union_id is None:
                state = State.NOT_MEMBER
        if any(here):
            found[Move(here[0], state, here[1], state)] += 1
    return found


def test_the_first_day_lies_before_the_last(world: World) -> None:
    with pytest.raises(ValueError, match="before"):
        _found(Question(TODAY), since=TODAY)
