"""The wall as data: columns part the people, feet equal plain counts, days and scopes hold."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from crm.access.scope import MARK, Grant, Scope
from crm.domain.errors import NotFound
from crm.domain.roles import Role
from crm.domain.wallchart import Gap, TalkAge
from crm.features.wallchart import queries
from crm.features.wallchart.queries import HIDDEN_KEY, NOT_KNOWN_KEY, GroupBy, Wall
from crm.models.contacts import Contact, Job, StateSpan
from crm.models.conversations import Conversation, ConversationIssue, FollowUp
from crm.models.places import Area, Workplace
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, World

pytestmark = pytest.mark.usefixtures("fixed_clock")


def _scope(user: factories.Named, role: Role, place: factories.Named) -> Scope:
    return Scope(actor_id=user.id, grants=(Grant(role, place.id),))


def _wall(world: World, scope: Scope | None = None, **more: Any) -> Wall:
    scope = scope or _scope(world.rep, Role.REP, world.mill)
    with unit_of_work(scope, read_only=True) as session:
        return queries.get_wall(session, scope, world.mill.public_id, **{"as_at": TODAY, **more})


def _names(wall: Wall) -> dict[str, list[str]]:
    return {group.label or group.key: [one.name for one in group.people] for group in wall.groups}


def _row(session: Any, model: Any, inner: int) -> Any:
    return session.scalars(ALL.select(model).where(model.id == inner)).one()


def test_each_person_stands_in_the_column_of_their_area(world: World) -> None:
    assert _names(_wall(world)) == {
        "Packing": ["Ioana P", "Night packer 3"],
        "Yard": ["Tomasz K"],
        NOT_KNOWN_KEY: ["Rukhsana A"],
    }


def test_the_site_headcount_leaves_blanks_beside_those_without_an_area(world: World) -> None:
    wall = _wall(world)
    # 8 at least on site, 4 named, no area counted.
    assert wall.blanks == 4
    assert [group.blanks for group in wall.groups] == [0, 0, 4]


def test_by_shift_and_by_job_nobody_is_lost(world: World) -> None:
    assert _names(_wall(world, by=GroupBy.SHIFT)) == {
        "Nights": ["Ioana P", "Night packer 3"],
        NOT_KNOWN_KEY: ["Tomasz K", "Rukhsana A"],
    }
    with unit_of_work(ALL) as session:
        for job in session.scalars(ALL.select(Job).where(Job.place_id == world.packing.id)):
            job.job_title = "Packer" if job.contact_id == world.ioana.id else "pácker"
    assert sorted(_names(_wall(world, by=GroupBy.JOB)).values()) == [
        ["Ioana P", "Night packer 3"],
        ["Tomasz K", "Rukhsana A"],
    ]


def test_by_employer_those_of_an_employer_outside_the_scope_are_kept_apart(world: World) -> None:
    with unit_of_work(ALL) as session:
        job = session.scalars(ALL.select(Job).where(Job.contact_id == world.tomasz.id)).one()
        job.employer_of_record_id = world.saltway.id
        job = session.scalars(ALL.select(Job).where(Job.contact_id == world.ioana.id)).one()
        job.employer_of_record_id = world.brightway.id
    assert _names(_wall(world, by=GroupBy.EMPLOYER)) == {
        "Brightway": ["Ioana P"],
        HIDDEN_KEY: ["Tomasz K"],
        NOT_KNOWN_KEY: ["Night packer 3", "Rukhsana A"],
    }


def test_on_an_earlier_day_leavers_are_present_joiners_are_not_and_standings_are_of_then(
    world: World,
) -> None:
    with unit_of_work(ALL) as session:
        mill, yard = _row(session, Workplace, world.mill.id), _row(session, Area, world.yard.id)
        factories.make_person(session, mill, "Newly Come", since=date(2026, 6, 1))
        tomasz = _row(session, Contact, world.tomasz.id)
        factories.make_assessment(session, tomasz, yard, 5, day=date(2026, 1, 10))
    then = _wall(world, as_at=date(2026, 2, 1))
    now = _wall(world)
    assert "Gareth O" in [one.name for one in then.people]
    assert "Newly Come" not in [one.name for one in then.people]
    assert "Gareth O" not in [one.name for one in now.people]
    assert "Newly Come" in [one.name for one in now.people]
    ratings = [
        next(one.rating for one in wall.people if one.name == "Tomasz K") for wall in (then, now)
    ]
    assert ratings == [5, 3]


def test_a_person_in_two_areas_is_in_both_columns_and_counted_once(world: World) -> None:
    with unit_of_work(ALL) as session:
        factories.make_job(
            session,
            _row(session, Contact, world.ioana.id),
            _row(session, Workplace, world.mill.id),
            area=_row(session, Area, world.yard.id),
        )
    wall = _wall(world)
    assert [name for some in _names(wall).values() for name in some].count("Ioana P") == 2
    assert wall.sums.named == len(wall.people) == 4


def test_an_area_counts_those_in_the_areas_inside_it_but_draws_them_once(world: World) -> None:
    with unit_of_work(ALL) as session:
        mill = _row(session, Workplace, world.mill.id)
        line = factories.make_area(session, mill, "Line 2", parent_area_id=world.packing.id)
        factories.make_person(session, mill, "Marek L", area=line)
        factories.make_headcount(session, _row(session, Area, world.packing.id), 6)
        factories.make_headcount(session, line, 3)
    groups = {group.label: group for group in _wall(world).groups}
    assert [one.name for one in groups["Line 2"].people] == ["Marek L"]
    assert "Marek L" not in [one.name for one in groups["Packing"].people]
    assert (groups["Packing"].sums.named, groups["Packing"].inside) == (3, True)
    # 6 in Packing: 3 named and the 2 blanks of Line 2 leave 1.
    assert (groups["Line 2"].blanks, groups["Packing"].blanks) == (2, 1)


@pytest.mark.parametrize("by", list(GroupBy))
@pytest.mark.parametrize("seed", [1, 2])
def test_columns_part_the_people(
    world: World, crowd: Callable[..., Any], by: GroupBy, seed: int
) -> None:
    made = crowd(120, areas=5, seed=seed)
    with unit_of_work(ALL) as session:
        mill = _row(session, Workplace, world.mill.id)
        for one in made.people[:7]:
            factories.make_job(
                session,
                _row(session, Contact, one),
                mill,
                area=_row(session, Area, made.areas[3]),
                job_title="Driver",
            )
    wall = _wall(world, by=by)
    for group in wall.groups:
        keys = [one.key for one in group.people]
        assert len(keys) == len(set(keys)), "a tile once in a column"
    shown = {one.key for group in wall.groups for one in group.people}
    with unit_of_work(ALL, read_only=True) as session:
        present = set(
            session.scalars(
                ALL.select(StateSpan.contact_id).where(
                    StateSpan.workplace_id == world.mill.id,
                    StateSpan.from_day <= TODAY,
                    StateSpan.to_day > TODAY,
                )
            )
        )
    assert shown == {one.key for one in wall.people} == present
    assert wall.sums.named == len(present)
    if by is GroupBy.LEADER:
        tiles = [one.key for group in wall.groups for one in group.people]
        assert len(tiles) == len(present), "each person has one leader at home, or none"


def test_leaders_under_the_columns_equal_counts_made_another_way(
    world: World, crowd: Callable[..., Any]
) -> None:
    crowd(150, areas=4)
    wall = _wall(world)
    statement = """
        WITH RECURSIVE here AS (
            SELECT DISTINCT contact_id, area_id FROM job WHERE workplace_id = :mill
            AND superseded_at IS NULL AND valid_from <= :day
            AND (valid_to IS NULL OR valid_to > :day)
        ), reached AS (
            SELECT contact_id FROM "leading" WHERE contact_id IN (SELECT contact_id FROM here)
            UNION SELECT tie.contact_id FROM tie JOIN reached ON reached.contact_id = tie.leader_id
            WHERE tie.contact_id IN (SELECT contact_id FROM here)
        )
        SELECT here.area_id, COUNT(led.contact_id),
            SUM(CASE WHEN led.stage = 'confirmed' THEN 1 ELSE 0 END),
            SUM(CASE WHEN reached.contact_id IS NULL THEN 1 ELSE 0 END)
        FROM here LEFT JOIN "leading" AS led ON led.contact_id = here.contact_id
        LEFT JOIN reached ON reached.contact_id = here.contact_id GROUP BY here.area_id
    """
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.connection().execute(
            sa.text(statement).bindparams(sa.bindparam("day", type_=sa.Date())),
            {"mill": world.mill.id, "day": TODAY},
            execution_options={MARK: True},
        )
        keys = {
            one.id: str(one.public_id)
            for one in session.execute(ALL.select(Area.id, Area.public_id))
        }
        counted = {keys.get(row[0], NOT_KNOWN_KEY): tuple(row[1:]) for row in rows}
    feet = {
        group.key: (group.sums.leaders, group.sums.confirmed, group.sums.not_led)
        for group in wall.groups
    }
    assert feet == counted
    assert wall.sums.not_led == sum(row[2] for row in counted.values())
    assert 0 < wall.sums.not_led < wall.sums.named


def test_feet_equal_counts_made_another_way(world: World, crowd: Callable[..., Any]) -> None:
    crowd(150, areas=4)
    wall = _wall(world)
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.execute(
            ALL.select(
                StateSpan.area_id,
                sa.func.count(StateSpan.contact_id.distinct()),
                sa.func.sum(sa.case((StateSpan.score.is_not(None), 1), else_=0)),
                sa.func.sum(sa.case((StateSpan.score <= 2, 1), else_=0)),
                sa.func.sum(sa.case((StateSpan.member.is_(True), 1), else_=0)),
                sa.func.sum(sa.case((StateSpan.member.is_(False), 1), else_=0)),
            )
            .where(
                StateSpan.workplace_id == world.mill.id,
                StateSpan.from_day <= TODAY,
                StateSpan.to_day > TODAY,
            )
            .group_by(StateSpan.area_id)
        ).all()
        keys = {
            one.id: str(one.public_id)
            for one in session.execute(ALL.select(Area.id, Area.public_id))
        }
    counted = {keys.get(row[0], NOT_KNOWN_KEY): tuple(row[1:]) for row in rows}
    feet = {
        group.key: (
            group.sums.named,
            group.sums.asked,
            group.sums.with_us,
            group.sums.members,
            group.sums.not_members,
        )
        for group in wall.groups
    }
    assert feet == counted
    assert len(feet) == 7


def test_a_rep_of_an_area_sees_its_people_and_no_blank_of_the_site(world: World) -> None:
    wall = _wall(world, _scope(world.rep, Role.REP, world.yard))
    assert _names(wall) == {"Yard": ["Tomasz K"]}
    assert (wall.whole, wall.headcount, wall.blanks, wall.sums.named) == (False, None, 0, 1)


def test_a_rep_of_an_area_sees_the_blanks_of_that_area(world: World) -> None:
    with unit_of_work(ALL) as session:
        factories.make_headcount(session, _row(session, Area, world.yard.id), 5)
    wall = _wall(world, _scope(world.rep, Role.REP, world.yard))
    assert [group.blanks for group in wall.groups] == [4]


def test_an_outsider_finds_no_wall_nobody_by_letters_and_no_gap(world: World) -> None:
    scope = _scope(world.dock_rep, Role.REP, world.dock)
    with unit_of_work(scope, read_only=True) as session:
        with pytest.raises(NotFound):
            queries.get_wall(session, scope, world.mill.public_id, as_at=TODAY)
        with pytest.raises(NotFound):
            queries.find_people(session, scope, world.mill.public_id, "a", today=TODAY)
        with pytest.raises(NotFound):
            queries.get_gap(
                session, scope, world.mill.public_id, Gap.NOT_ASKED, group=None, today=TODAY
            )


def test_an_issue_marks_those_who_raised_it_by_then(world: World) -> None:
    with unit_of_work(ALL) as session:
        talk = _talk(world, TODAY - timedelta(days=3))
        session.add(talk)
        session.flush()
        session.add(
            ConversationIssue(
                conversation_id=talk.id,
                issue="pay",
                contact_id=world.tomasz.id,
                place_id=world.yard.id,
            )
        )
    wall = _wall(world, issue="pay")
    assert [one.name for one in wall.people if one.raised_issue] == ["Tomasz K"]
    earlier = _wall(world, issue="pay", as_at=TODAY - timedelta(days=4))
    assert [one.name for one in earlier.people if one.raised_issue] == []


def _talk(world: World, day: date, **more: Any) -> Conversation:
    return Conversation(
        contact_id=world.tomasz.id,
        place_id=world.yard.id,
        held_by_id=world.rep.id,
        day=day,
        held_at=NOW,
        recorded_at=NOW,
        **more,
    )


def test_the_last_talk_is_the_last_one_by_the_day_shown(world: World) -> None:
    with unit_of_work(ALL) as session:
        session.add_all([_talk(world, date(2026, 5, 1)), _talk(world, date(2026, 11, 20))])

    def _age(day: date) -> TalkAge:
        return next(
            one.talk_age for one in _wall(world, as_at=day).people if one.name == "Tomasz K"
        )

    assert _age(TODAY) is TalkAge.RECENT
    assert _age(date(2026, 8, 1)) is TalkAge.OLDER
    assert _age(date(2026, 4, 1)) is TalkAge.NEVER


def test_a_yes_without_a_task_is_a_gap_until_somebody_promises(world: World) -> None:
    scope = _scope(world.rep, Role.REP, world.mill)

    def _gap() -> list[str]:
        with unit_of_work(scope, read_only=True) as session:
            found = queries.get_gap(
                session, scope, world.mill.public_id, Gap.NO_TASK, group=None, today=TODAY
            )
        return [person.name for person, _place in found.people]

    assert _gap() == []
    with unit_of_work(ALL) as session:
        session.add(_talk(world, date(2026, 11, 1), asked="petition", answer="yes"))
    assert _gap() == ["Tomasz K"]
    with unit_of_work(ALL) as session:
        session.add(
            FollowUp(
                contact_id=world.tomasz.id,
                place_id=world.yard.id,
                owner_id=world.organiser.id,
                due_on=TODAY,
                created_at=NOW,
            )
        )
    assert _gap() == []


def test_a_gap_of_an_area_takes_in_the_areas_inside_it_only(world: World) -> None:
    scope = _scope(world.rep, Role.REP, world.mill)
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_gap(
            session,
            scope,
            world.mill.public_id,
            Gap.NOT_ASKED,
            group=str(world.packing.public_id),
            today=TODAY,
        )
        assert [person.name for person, _place in found.people] == ["Night packer 3"]
        assert found.group_label == "Packing"
        with pytest.raises(NotFound):
            queries.get_gap(
                session,
                scope,
                world.mill.public_id,
                Gap.NOT_ASKED,
                group=str(uuid.uuid4()),
                today=TODAY,
            )


def test_those_who_may_log_talks_there_are_offered_with_what_they_hold(world: World) -> None:
    with unit_of_work(ALL) as session:
        yard_rep = factories.make_user(
            session, "Yara Yard", role=Role.REP, place=_row(session, Area, world.yard.id)
        )
        gone = factories.make_user(
            session,
            "Gone Rep",
            role=Role.REP,
            place=_row(session, Area, world.yard.id),
            until=TODAY,
        )
    scope = _scope(world.rep, Role.REP, world.mill)
    with unit_of_work(scope, read_only=True) as session:
        found = queries.list_speakers(session, scope, world.mill.id, today=TODAY)
    names = [one.name for one in found]
    assert names == ["Owen Rep", "Yara Yard", "Ana Organiser", "Fatima All", "Kasia Officer"]
    assert gone.name not in names
    holds = {one.name: (one.whole, one.place_ids) for one in found}
    assert holds[yard_rep.name] == (False, frozenset({world.yard.id}))
    assert holds["Ana Organiser"][0] is True
