"""Two records made one lose nothing, count once, and come apart again as they were."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from crm.access import merging
from crm.access.facts import revise
from crm.domain.assessment import Basis
from crm.domain.cover import TieBasis
from crm.domain.merging import contradict, joined
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import CaseKind, CaseMatter, CaseRole, PointKind
from crm.models.audit import AuditEntry
from crm.models.base import Base
from crm.models.cases import Case, CasePerson
from crm.models.contacts import Contact, ContactPoint, Job, Membership, StateSpan
from crm.models.conversations import Conversation, FollowUp, KeptTalk
from crm.models.merging import MergedPerson
from crm.models.places import Area, Branch, Shift, Union, Workplace
from crm.models.ties import Tie
from crm.models.turf import TurfPerson
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL, NOW, World

LATER = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LATEST = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
D = date

# What a merge writes besides: its own record, the trail, and that the kept record has changed.
_NOT_COMPARED = {"audit_entry", "merged_person", "probe", "search_cut"}
_LEFT_OUT = {"contact": {"version"}, "state_span": {"id"}, "search_entry": {"id"}}


def _digest() -> dict[str, list[str]]:
    with db.engine.connect().execution_options(crm_scope=True, read_only=True) as connection:
        return {
            table.name: sorted(
                repr(
                    [
                        (name, value)
                        for name, value in row.items()
                        if name not in _LEFT_OUT.get(table.name, ())
                    ]
                )
                for row in connection.execute(sa.select(table)).mappings()
            )
            for table in Base.metadata.sorted_tables
            if table.name not in _NOT_COMPARED
        }


def _one(session: Any, model: Any, row_id: int) -> Any:
    return session.scalars(ALL.select(model, history=True).where(model.id == row_id)).one()


def _twin(world: World) -> int:
    """Store a second record of Ioana, with something in every sort of table."""
    with unit_of_work(ALL) as session:
        mill = _one(session, Workplace, world.mill.id)
        depot = _one(session, Workplace, world.depot.id)
        packing = _one(session, Area, world.packing.id)
        nights = _one(session, Shift, world.nights.id)
        union = _one(session, Union, world.union.id)
        branch = _one(session, Branch, world.branch.id)
        rep = world.rep.id
        twin = factories.make_person(
            session,
            mill,
            "Joana Popescu",
            area=packing,
            shift=nights,
            since=D(2019, 5, 1),
            until=D(2026, 6, 1),
            job_title="Packer",
            pronouns="she",
        )
        factories.make_job(session, twin, depot, since=D(2025, 1, 1))
        factories.make_membership(session, twin, union, branch=branch, since=D(2024, 1, 1))
        factories.make_assessment(session, twin, packing, 3, day=D(2026, 11, 22), basis=Basis.TOLD)
        for contact_id in (twin.id, world.ioana.id):
            session.add(_point(contact_id, "07700 900123"))
            session.add(_turf(contact_id, world, rep))
        session.add(_point(twin.id, "07700 900456"))
        session.add(
            KeptTalk(
                owner_id=rep,
                talk_id=uuid.uuid4(),
                contact_public_id=twin.public_id,
                fields={},
                typed_at=NOW,
                kept_at=NOW,
            )
        )
        talk = Conversation(
            contact_id=twin.id,
            place_id=packing.id,
            held_by_id=rep,
            day=D(2026, 11, 21),
            held_at=NOW,
            recorded_at=NOW,
        )
        session.add(talk)
        session.add(
            FollowUp(
                contact_id=twin.id,
                place_id=packing.id,
                owner_id=rep,
                due_on=D(2026, 12, 1),
                created_at=NOW,
            )
        )
        for listener, leader in (
            (twin.id, world.ioana.id),
            (world.tomasz.id, twin.id),
            (world.tomasz.id, world.ioana.id),
        ):
            session.add(
                Tie(
                    contact_id=listener,
                    leader_id=leader,
                    workplace_id=mill.id,
                    place_id=mill.id,
                    basis=TieBasis(next(iter(TieBasis))),
                    valid_from=D(2026, 1, 1),
                    recorded_at=NOW,
                )
            )
        case = Case(
            place_id=mill.id,
            reference="Rota",
            kind=next(iter(CaseKind)),
            matter=next(iter(CaseMatter)),
            opened_on=D(2026, 11, 1),
            created_at=NOW,
        )
        session.add(case)
        session.flush()
        for contact_id in (twin.id, world.ioana.id):
            session.add(
                CasePerson(
                    case_id=case.id,
                    contact_id=contact_id,
                    role=next(iter(CaseRole)),
                    added_at=NOW,
                )
            )
        return int(twin.id)


def _point(contact_id: int, number: str) -> ContactPoint:
    return ContactPoint(
        contact_id=contact_id,
        kind=PointKind.PHONE,
        value=number,
        value_key=number,
        recorded_at=NOW,
    )


def _turf(contact_id: int, world: World, rep: int) -> TurfPerson:
    return TurfPerson(
        contact_id=contact_id,
        workplace_id=world.mill.id,
        place_id=world.mill.id,
        user_id=rep,
        valid_from=D(2026, 1, 1),
        recorded_at=NOW,
    )


def _merge(world: World, gone_id: int, kept_id: int | None = None, **more: Any) -> int:
    values: dict[str, Any] = {"fields": {}, "wrong_memberships_of": None, **more}
    with unit_of_work(ALL) as session:
        record = merging.merge(
            session,
            _one(session, Contact, kept_id or world.ioana.id),
            _one(session, Contact, gone_id),
            now=LATER,
            actor_id=None,
            **values,
        )
        session.flush()
        return int(record.id)


def _part(record_id: int) -> None:
    with unit_of_work(ALL) as session:
        record = _one(session, MergedPerson, record_id)
        merging.part(
            session,
            record,
            _one(session, Contact, record.contact_id),
            now=LATEST,
        )


def _all(model: Any, *conditions: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = list(session.scalars(ALL.select(model).where(*conditions).order_by(model.id)))
        session.expunge_all()
        return rows


def test_every_table_that_names_a_contact_is_moved_or_worked_out_anew() -> None:
    named = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name == "contact"
    }
    moved = {(model.__tablename__, name) for model, names in merging.named_in() for name in names}
    aside = {model.__tablename__ for model in merging.DERIVED | merging.KEPT}
    assert named - moved == {(table, name) for table, name in named if table in aside}
    assert aside == {"state_span", "search_entry", "merged_person"}


def test_nothing_of_the_record_that_goes_is_left_behind_but_what_the_other_has_too(
    world: World,
) -> None:
    twin = _twin(world)
    before = {model: len(_all(model)) for model in (Conversation, FollowUp, ContactPoint)}
    _merge(world, twin)
    for model, number in before.items():
        assert len(_all(model)) == number
        assert _all(model, model.contact_id == twin) == []
    phones = _all(
        ContactPoint,
        ContactPoint.contact_id == world.ioana.id,
        ContactPoint.superseded_at.is_(None),
    )
    assert [one.value for one in phones] == ["07700 900123", "07700 900456"]
    (role,) = _all(CasePerson, CasePerson.contact_id == world.ioana.id)
    assert role.removed_at is None


def test_talks_that_are_not_stored_yet_are_about_the_one_that_stays(world: World) -> None:
    _merge(world, _twin(world))
    (kept,) = _all(KeptTalk)
    assert kept.contact_public_id == world.ioana.public_id


def test_spells_of_both_are_joined_and_people_are_counted_once(world: World) -> None:
    twin = _twin(world)
    _merge(world, twin)
    jobs = _all(Job, Job.contact_id == world.ioana.id, Job.superseded_at.is_(None))
    at_mill = [job for job in jobs if job.workplace_id == world.mill.id]
    assert [(job.valid_from, job.valid_to) for job in at_mill] == [(D(2019, 5, 1), None)]
    assert at_mill[0].job_title == "Packer"
    (membership,) = _all(
        Membership,
        Membership.contact_id == world.ioana.id,
        Membership.superseded_at.is_(None),
    )
    assert membership.valid_from == factories.LONG_AGO
    spans = _all(
        StateSpan,
        StateSpan.workplace_id == world.mill.id,
        StateSpan.contact_id.in_((world.ioana.id, twin)),
        StateSpan.to_day > D(2026, 11, 23),
    )
    assert [(one.contact_id, one.member) for one in spans] == [(world.ioana.id, True)]


def test_nobody_listens_to_themselves_and_nobody_is_listened_to_twice(world: World) -> None:
    twin = _twin(world)
    _merge(world, twin)
    ties = _all(Tie, Tie.superseded_at.is_(None))
    assert [(tie.contact_id, tie.leader_id) for tie in ties] == [(world.tomasz.id, world.ioana.id)]


def test_apart_again_everything_is_as_it_was_row_for_row(world: World) -> None:
    twin = _twin(world)
    before = _digest()
    record = _merge(world, twin, fields={"known_as": "Ioana Popescu", "pronouns": "she"})
    assert _digest() != before
    _part(record)
    after = _digest()
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}


def test_three_records_come_apart_in_turn(world: World) -> None:
    twin = _twin(world)
    before = _digest()
    first = _merge(world, twin)
    between = _digest()
    second = _merge(world, world.ioana.id, world.rukhsana.id)
    with unit_of_work(ALL, read_only=True) as session:
        assert _one(session, Contact, twin).merged_into_id == world.rukhsana.id
    _part(second)
    assert _digest() == between
    _part(first)
    assert _digest() == before


def test_what_was_put_right_since_goes_back_with_its_fact(world: World) -> None:
    twin = _twin(world)
    record = _merge(world, twin)
    with unit_of_work(ALL) as session:
        depot_job = session.scalars(
            ALL.select(Job).where(
                Job.workplace_id == world.depot.id,
                Job.contact_id == world.ioana.id,
                Job.superseded_at.is_(None),
            )
        ).one()
        revise(session, depot_job, now=LATEST, actor_id=None, job_title="Driver")
        session.add(_point(world.ioana.id, "07700 900789"))
    _part(record)
    (job,) = _all(
        Job,
        Job.contact_id == twin,
        Job.workplace_id == world.depot.id,
        Job.superseded_at.is_(None),
    )
    assert job.job_title == "Driver"
    kept = _all(ContactPoint, ContactPoint.contact_id == world.ioana.id)
    assert [one.value for one in kept] == ["07700 900123", "07700 900789"]


def test_memberships_that_contradict_each_other_leave_the_one_chosen(world: World) -> None:
    twin = _twin(world)
    before = _digest()
    record = _merge(world, twin, world.tomasz.id, wrong_memberships_of=world.tomasz.id)
    rows = _all(
        Membership,
        Membership.contact_id == world.tomasz.id,
        Membership.superseded_at.is_(None),
    )
    assert [row.status for row in rows] == [MembershipStatus.MEMBER]
    _part(record)
    assert _digest() == before


def test_the_trail_says_of_each_row_that_it_was_moved_and_by_whom(world: World) -> None:
    twin = _twin(world)
    scope = factories.ALL
    _merge(world, twin)
    with unit_of_work(scope, read_only=True) as session:
        rows = list(
            session.scalars(
                scope.select(AuditEntry).where(AuditEntry.reason == "two records made one")
            )
        )
    subjects = {row.subject for row in rows}
    assert {"conversation", "follow_up", "contact_point", "job", "merged_person"} <= subjects
    (made,) = [row for row in rows if row.subject == "merged_person"]
    assert made.new is not None
    assert made.new["done"] == "(hidden)"
    moved = next(row for row in rows if row.subject == "conversation")
    assert (moved.old, moved.new) == ({"contact_id": twin}, {"contact_id": world.ioana.id})


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ((D(2020, 1, 1), None), (D(2021, 1, 1), D(2022, 1, 1)), (D(2020, 1, 1), None)),
        (
            (D(2020, 1, 1), D(2021, 1, 1)),
            (D(2021, 1, 1), D(2022, 1, 1)),
            (D(2020, 1, 1), D(2022, 1, 1)),
        ),
        ((D(2020, 1, 1), D(2021, 1, 1)), (D(2021, 1, 2), None), None),
    ],
)
def test_spells_that_share_or_follow_a_day_are_one(first: Any, second: Any, both: Any) -> None:
    assert joined(first, second) == joined(second, first) == both


def test_only_memberships_that_cannot_both_be_true_contradict() -> None:
    days = (D(2020, 1, 1), None)
    member, not_one = MembershipStatus.MEMBER, MembershipStatus.NOT_MEMBER
    assert contradict((1, member, days), (1, not_one, days))
    assert contradict((1, member, days), (None, not_one, days))
    assert not contradict((1, member, days), (2, not_one, days))
    assert not contradict((1, member, days), (2, member, days))
    past = (D(2010, 1, 1), D(2020, 1, 1))
    assert not contradict((1, member, days), (1, not_one, past))
