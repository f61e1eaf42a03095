"""Density counts as at a day, from spans and from the facts, under a scope."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from crm.access.scope import Scope
from crm.domain.bases import Roster
from crm.domain.headcount import Counts
from crm.models.ballots import BallotEntry
from crm.models.contacts import Contact
from crm.reads.figures import GroupBy, Question, density_table, survey, trend
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, TODAY, World
from tests.recount import recount


def _table(question: Question, scope: Scope = ALL):  # type: ignore[no-untyped-def]
    with unit_of_work(scope, read_only=True) as session:
        return density_table(session, scope, question)


def test_a_workplace_counts_members_not_members_and_not_known(world: World) -> None:
    table = _table(Question(as_at=TODAY))
    mill = next(row for row in table.rows if row.label == "The Mill").parts[0].density
    assert (mill.members, mill.not_members, mill.not_known_named) == (1, 1, 2)
    assert mill.workforce is not None
    assert (mill.workforce.low, mill.workforce.high) == (8, 10)
    assert mill.fraction_range is not None
    assert mill.fraction_range.low == pytest.approx(1 / 10)
    assert mill.fraction_range.high == pytest.approx(9 / 10)


def test_a_leaver_counts_before_the_last_day_and_not_after(world: World) -> None:
    before = _table(Question(as_at=date(2026, 2, 28)))
    after = _table(Question(as_at=date(2026, 3, 1)))
    assert [row.parts[0].density.members for row in before.rows if row.label == "The Mill"] == [2]
    assert [row.parts[0].density.members for row in after.rows if row.label == "The Mill"] == [1]


def test_a_workplace_without_a_headcount_is_left_out_of_the_total_and_said_so(
    world: World,
) -> None:
    figure = _table(Question(as_at=TODAY)).total
    assert (figure.counted_places, figure.all_places) == (2, 3)
    assert figure.counted_members == 2
    assert figure.all_members == 3
    assert figure.workforce is not None
    assert (figure.workforce.low, figure.workforce.high) == (28, 40)


def test_a_person_with_two_jobs_counts_once_in_each_and_once_in_the_total(world: World) -> None:
    with unit_of_work(ALL) as session:
        ioana = session.scalars(
            ALL.select(Contact).where(Contact.public_id == world.ioana.public_id)
        ).one()
        dock = _place(session, world.dock)
        factories.make_job(session, ioana, dock)
    table = _table(Question(as_at=TODAY))
    members = {row.label: row.figure.members for row in table.rows}
    assert members["The Mill"] == 1
    assert members["The Dock"] == 2
    assert table.total.members == 2


def test_a_member_at_two_places_is_one_of_the_fewest_direct_staff_too(world: World) -> None:
    with unit_of_work(ALL) as session:
        employer = factories.make_employer(session, "Kiln Foods")
        sites = [factories.make_workplace(session, employer, name) for name in ("Bakery", "Dairy")]
        ioana = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        for site in sites:
            factories.make_headcount(session, site, 10, 10, counts=Counts.EMPLOYER_DIRECT)
            # That everybody is known to belong must not make two people of her.
            factories.make_job(session, ioana, site, employer_of_record_id=employer.id)
        within = (employer.id,)
    asked = Question(as_at=TODAY, counts=Counts.EMPLOYER_DIRECT, within=within)
    total = _table(asked).total
    assert total.members == 1
    assert total.member_range.low == 1
    assert total.fraction_range is not None
    assert total.fraction_range.low == pytest.approx(1 / 20)


def test_each_union_is_held_against_its_own_ballot(world: World) -> None:
    with unit_of_work(ALL) as session:
        older = factories.make_open_ballot(session, world)
        newer = factories.make_open_ballot(session, world)
        newer.union_id = world.other_union.id
        for ballot, day in ((older, date(2026, 6, 1)), (newer, date(2026, 7, 1))):
            ballot.frozen_on, ballot.frozen_at = day, factories.NOW
    asked = Question(as_at=TODAY, counts=Roster.BALLOT)
    rows = _table(replace(asked, group_by=GroupBy.UNION)).rows
    told = {row.label: (row.figure.members, row.figure.not_members) for row in rows}
    # Ioana and Tomasz stand on both lists, and she is in the first union. Nobody on the list of
    # the other union is in it, so that it has no row.
    of_first = _table(replace(asked, union_id=world.union.id)).total
    assert (
        told
        == {world.union.name: (of_first.members, of_first.not_members)}
        == {world.union.name: (1, 1)}
    )
    with unit_of_work(ALL) as session:
        for entry in session.scalars(
            ALL.select(BallotEntry).where(BallotEntry.ballot_id == newer.id)
        ):
            if entry.contact_id == world.ioana.id:
                session.delete(entry)
    rows = _table(replace(asked, group_by=GroupBy.UNION)).rows
    assert {row.label: row.figure.members for row in rows} == {world.union.name: 1}


def _place(session, named):  # type: ignore[no-untyped-def]
    from crm.models.places import Place

    return session.scalars(ALL.select(Place).where(Place.id == named.id)).one()


def test_own_union_density_does_not_count_members_of_another_union(world: World) -> None:
    table = _table(Question(as_at=TODAY, union_id=world.union.id))
    members = {row.label: row.figure.all_members for row in table.rows}
    assert members == {"The Mill": 1, "The Depot": 1, "The Dock": 0}


def test_rows_by_union_give_each_union_its_own_members(world: World) -> None:
    table = _table(Question(as_at=TODAY, group_by=GroupBy.UNION))
    assert {row.label: row.figure.all_members for row in table.rows} == {
        "Warehouse Workers' Union": 2,
        "Dockers' Union": 1,
    }


@pytest.mark.parametrize(
    ("group_by", "labels"),
    [
        (GroupBy.EMPLOYER, {"Brightway", "Saltway Docks"}),
        (GroupBy.BRANCH, {"Barnsley branch", "Hull branch"}),
        (GroupBy.REGION, {"Yorkshire", ""}),
        (GroupBy.SECTOR, {"private", ""}),
        (GroupBy.AREA, {"Packing", "Yard"}),
    ],
)
def test_each_way_of_grouping_has_its_rows(
    world: World, group_by: GroupBy, labels: set[str]
) -> None:
    assert {row.label for row in _table(Question(as_at=TODAY, group_by=group_by)).rows} == labels


def test_a_rep_sees_figures_of_their_own_workplace_only(world: World) -> None:
    with unit_of_work(ALL, read_only=True) as session:
        from crm.access.scope import Grant
        from crm.domain.roles import Role

        rep = Scope(world.rep.id, (Grant(Role.REP, world.mill.id),))
        table = density_table(session, rep, Question(as_at=TODAY))
    assert [row.label for row in table.rows] == ["The Mill"]
    assert table.total.all_places == 1


def test_spans_and_facts_agree_on_every_day(world: World) -> None:
    for days in range(0, 400, 13):
        question = Question(as_at=TODAY - timedelta(days=days))
        with unit_of_work(ALL, read_only=True) as session:
            fast = density_table(session, ALL, question)
            slow = recount(session, ALL, question)
        for part in fast.parts:
            counts = slow.get(part.place_id, {})
            assert part.density.members == counts.get("member", 0)
            assert part.density.not_members == counts.get("not_member", 0)
            assert part.density.not_known_named == counts.get("not_known", 0)


def test_the_trend_gives_the_total_as_at_each_day(world: World) -> None:
    days = [date(2026, 2, 28), date(2026, 3, 1), TODAY]
    with unit_of_work(ALL, read_only=True) as session:
        found = trend(session, ALL, Question(as_at=TODAY), days)
    assert [figure.members for _, figure in found] == [3, 2, 2]


def test_a_basis_without_headcounts_says_which_basis_has_them(world: World) -> None:
    table = _table(Question(as_at=TODAY, counts=Counts.EMPLOYER_DIRECT))
    assert table.total.workforce is None
    assert table.other_bases == {Counts.SITE_ALL: 2}


def test_out_of_direct_staff_a_hidden_truth_always_lies_in_the_range(world: World) -> None:
    draw = random.Random(20261123)
    direct: dict[int, tuple[int, int]] = {}
    both = 0
    with unit_of_work(ALL) as session:
        union = _place(session, world.union)
        owner = _place(session, world.brightway)
        sites = [factories.make_workplace(session, owner, name) for name in ("North", "South")]
        for number, site in enumerate(sites):
            people = [(draw.random() < 0.6, draw.random() < 0.5) for _ in range(25)]
            inside = [member for own, member in people if own]
            direct[site.id] = (sum(inside), len(inside))
            factories.make_headcount(session, site, 25, 27, best=26)
            factories.make_headcount(
                session,
                site,
                len(inside) - 1,
                len(inside) + 2,
                best=len(inside),
                counts=Counts.EMPLOYER_DIRECT,
            )
            for at, (own, member) in enumerate(people):
                if draw.random() < 0.2:
                    continue  # Nobody has named them.
                employer = site.employer_id if own else None
                known_place = draw.random() < 0.5
                person = factories.make_person(
                    session,
                    site,
                    f"Person {number} {at}",
                    employer_of_record_id=employer if known_place else None,
                    contract_type="agency" if known_place and not own else None,
                )
                if member and draw.random() < 0.8:
                    factories.make_membership(session, person, union)
                    if own and not both:
                        other = sites[1 - number]
                        factories.make_job(session, person, other, contract_type="agency")
                        both += 1
    table = _table(Question(as_at=TODAY, counts=Counts.EMPLOYER_DIRECT, union_id=world.union.id))
    for part in table.parts:
        if part.place_id not in direct:
            continue
        members, workers = direct[part.place_id]
        found = part.density
        assert found.fraction_range is not None
        assert found.fraction_range.low <= members / workers <= found.fraction_range.high
        assert found.member_range.low <= members <= found.member_range.high
        # And it says more than nothing.
        assert found.fraction_range.low > 0
    total = table.total.fraction_range
    assert total is not None
    truth = sum(m for m, _ in direct.values()) / sum(w for _, w in direct.values())
    assert total.low <= truth <= total.high


@pytest.mark.parametrize("counts", [Counts.EMPLOYER_DIRECT, Counts.BARGAINING_UNIT])
@pytest.mark.parametrize("group_by", [GroupBy.WORKPLACE, GroupBy.UNION, GroupBy.REGION])
def test_out_of_a_part_the_days_of_a_trend_equal_the_tables_of_each_day(
    world: World, group_by: GroupBy, counts: Counts
) -> None:
    with unit_of_work(ALL) as session:
        mill, dock = _place(session, world.mill), _place(session, world.dock)
        for site, workers in ((mill, 8), (dock, 20)):
            factories.make_headcount(session, site, workers, workers, counts=counts)
        ioana = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        factories.make_job(session, ioana, dock, since=date(2026, 6, 1))
    before = date(2026, 2, 28)
    asked = Question(as_at=TODAY, group_by=group_by, counts=counts)
    with unit_of_work(ALL, read_only=True) as session:
        found = survey(session, ALL, asked, days=[before, TODAY], compare=before)
        for day, figure in found.trend:
            assert figure == density_table(session, ALL, replace(asked, as_at=day)).total
    # Ioana, a member, perhaps belongs at both: three jobs of members, and two members.
    assert found.table.total.perhaps is not None
    assert found.table.total.perhaps.members == 2


@pytest.mark.parametrize("group_by", list(GroupBy))
def test_a_trend_equals_the_table_of_each_day_on_its_own(world: World, group_by: GroupBy) -> None:
    with unit_of_work(ALL) as session:
        ioana = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        tomasz = session.scalars(ALL.select(Contact).where(Contact.id == world.tomasz.id)).one()
        dock, yard = _place(session, world.dock), _place(session, world.yard)
        factories.make_job(session, ioana, dock, since=date(2026, 1, 1), until=date(2026, 6, 1))
        factories.make_job(session, ioana, _place(session, world.mill), area=yard)
        factories.make_job(session, tomasz, dock, since=date(2026, 4, 30), until=date(2026, 5, 1))
        _place(session, world.depot).closed_on = date(2026, 5, 15)
    days = [TODAY - timedelta(days=back) for back in range(390, -1, -15)]
    for union_id in (None, world.union.id):
        for known_at in (None, factories.NOW):
            asked = Question(TODAY, group_by=group_by, union_id=union_id, known_at=known_at)
            with unit_of_work(ALL, read_only=True) as session:
                found = trend(session, ALL, asked, days)
                alone = [
                    density_table(session, ALL, replace(asked, as_at=day)).total for day in days
                ]
            assert [day for day, _ in found] == days
            assert [figure for _, figure in found] == alone


def test_a_second_day_is_the_table_of_that_day(world: World) -> None:
    before = date(2026, 2, 28)
    for group_by in GroupBy:
        asked = Question(TODAY, group_by=group_by)
        with unit_of_work(ALL, read_only=True) as session:
            both = survey(session, ALL, asked, days=[TODAY], compare=before)
            assert both.table == density_table(session, ALL, asked)
            assert both.compared == density_table(session, ALL, replace(asked, as_at=before))


def test_a_year_of_days_costs_no_more_statements_than_two(
    world: World, count_statements: list[str]
) -> None:
    sent = []
    for days in ([TODAY, date(2026, 1, 31)], [TODAY - timedelta(days=back) for back in range(365)]):
        count_statements.clear()
        with unit_of_work(ALL, read_only=True) as session:
            survey(session, ALL, Question(TODAY), days=sorted(days))
        sent.append(len(count_statements))
    assert sent[0] == sent[1]
