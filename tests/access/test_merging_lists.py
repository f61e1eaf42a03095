"""Two records on one frozen list, made one: the person counts once, and all comes back apart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from crm.access import merging
from crm.domain.assessment import DEFAULT_EXPIRY
from crm.domain.errors import NotFound
from crm.domain.structure import Deed, says_more
from crm.domain.vocabulary import PlaceKind
from crm.features.campaigns import queries
from crm.models.base import Base
from crm.models.campaigns import ListEntry, Participation, StructureTest
from crm.models.contacts import Contact
from crm.models.merging import MergedPerson
from crm.models.places import Workplace
from crm.reads.decisions import Unit
from crm.reads.readiness import get_readiness
from crm.reads.structure import HeldAt, last_deeds, list_tests, open_tests, participation
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, World

MERGED_AT = NOW + timedelta(days=2)
PARTED_AT = NOW + timedelta(days=3)


def _one(session: Any, model: Any, row_id: int) -> Any:
    return session.scalars(ALL.select(model, history=True).where(model.id == row_id)).one()


def _fact(session: Any, entry: Any, deed: Deed, *, minutes: int, until: int | None = None) -> None:
    session.add(
        Participation(
            test_id=entry.test_id,
            entry_id=entry.id,
            place_id=entry.place_id,
            contact_id=entry.contact_id,
            deed=deed,
            day=TODAY,
            recorded_at=NOW + timedelta(minutes=minutes),
            superseded_at=None if until is None else NOW + timedelta(minutes=until),
        )
    )
    session.flush()


class _Listed:
    """Ioana and her second record, in another area, on the list of one test with Tomasz."""

    def __init__(self, world: World, kept: Deed | None, gone: Deed | None) -> None:
        self.world = world
        with unit_of_work(ALL) as session:
            mill = _one(session, Workplace, world.mill.id)
            area = factories.make_area(session, mill, "Goods in")
            twin = factories.make_person(session, mill, "Joana Popescu", area=area)
            people = [_one(session, Contact, one) for one in (world.ioana.id, world.tomasz.id)]
            _, _, test, mine, tomasz, double = factories.make_test(session, mill, *people, twin)
            if kept is not None:
                _fact(session, mine, kept, minutes=2)
            if gone is not None:
                _fact(session, double, Deed.NOT_YET, minutes=1, until=3)
                _fact(session, double, gone, minutes=3)
            _fact(session, tomasz, Deed.DID, minutes=4)
            self.twin, self.test, self.line = int(twin.id), int(test.id), int(mine.id)
            self.double, self.double_id = int(double.id), double.public_id
            self.area = int(area.id)

    def merge(self) -> int:
        with unit_of_work(ALL) as session:
            record = merging.merge(
                session,
                _one(session, Contact, self.world.ioana.id),
                _one(session, Contact, self.twin),
                fields={},
                wrong_memberships_of=None,
                now=MERGED_AT,
                actor_id=None,
            )
            session.flush()
            return int(record.id)

    def part(self, record_id: int) -> None:
        with unit_of_work(ALL) as session:
            record = _one(session, MergedPerson, record_id)
            kept = _one(session, Contact, record.contact_id)
            merging.part(session, record, kept, now=PARTED_AT)

    def held(self, known_at: datetime | None = None, unit: int | None = None) -> HeldAt | None:
        with unit_of_work(ALL, read_only=True) as session:
            found = list_tests(session, ALL, test=self.test, known_at=known_at, unit=unit)
            return found[0] if found else None

    def counts(self, known_at: datetime | None = None) -> tuple[int, int, int]:
        held = self.held(known_at)
        assert held is not None
        return held.tally.did, held.tally.did_not, held.tally.listed


def _rows() -> dict[str, list[str]]:
    with db.engine.connect().execution_options(crm_scope=True, read_only=True) as connection:
        return {
            model.__tablename__: sorted(
                repr(dict(row)) for row in connection.execute(sa.select(table)).mappings()
            )
            for model in (ListEntry, Participation, StructureTest)
            for table in [Base.metadata.tables[model.__tablename__]]
        }


@pytest.mark.parametrize(
    ("kept", "gone", "before", "after"),
    [
        (None, None, (1, 0, 3), (1, 0, 2)),
        (None, Deed.DID, (2, 0, 3), (2, 0, 2)),
        (Deed.DID, None, (2, 0, 3), (2, 0, 2)),
        (Deed.DID, Deed.DID, (3, 0, 3), (2, 0, 2)),
        (Deed.DID, Deed.DID_NOT, (2, 1, 3), (2, 0, 2)),
        (Deed.DID_NOT, Deed.DID, (2, 1, 3), (2, 0, 2)),
        (Deed.DID_NOT, Deed.WILL, (1, 1, 3), (1, 1, 2)),
        (Deed.NOT_YET, Deed.DID_NOT, (1, 1, 3), (1, 1, 2)),
    ],
)
def test_one_person_on_a_list_twice_counts_once_when_made_one_and_twice_again_apart(
    world: World,
    kept: Deed | None,
    gone: Deed | None,
    before: tuple[int, int, int],
    after: tuple[int, int, int],
) -> None:
    listed = _Listed(world, kept, gone)
    rows = _rows()
    assert listed.counts() == before
    record = listed.merge()
    assert listed.counts() == after
    held = listed.held()
    assert held is not None
    assert held.whole
    listed.part(record)
    assert listed.counts() == before
    assert _rows() == rows


def test_every_read_of_a_list_leaves_out_the_second_line(world: World) -> None:
    listed = _Listed(world, None, None)
    ioana, tomasz, mill = world.ioana.id, world.tomasz.id, world.mill.id
    listed.merge()
    with unit_of_work(ALL, read_only=True) as session:
        people = participation(session, ALL, listed.test)
        assert [one.key for one in people] == [ioana, tomasz]
        lines = queries.list_lines(session, ALL, listed.test, today=TODAY)
        assert [(one.number, one.name) for one in lines] == [
            (1, world.ioana.name),
            (2, world.tomasz.name),
        ]
        _, deeds = last_deeds(session, ALL, mill, as_at=TODAY, tests=3)
        assert deeds == {listed.test: {ioana: None, tomasz: Deed.DID}}
        assert [one.unknown for one in open_tests(session, ALL, today=TODAY)] == [1]
        unit = Unit(mill, world.mill.public_id, PlaceKind.WORKPLACE, world.mill.name)
        ready = get_readiness(session, ALL, unit, as_at=TODAY, day=TODAY, expiry=DEFAULT_EXPIRY)
        held = ready.whole.last_test
        assert held is not None
        assert (held.tally.did, held.tally.listed) == (1, 2)
        with pytest.raises(NotFound):
            queries.get_entry(session, ALL, listed.double_id, today=TODAY)
    with unit_of_work(ALL) as session, pytest.raises(NotFound):
        queries.find_entries(session, ALL, listed.test, (3,))


def test_where_only_the_second_line_stands_nobody_is_listed(world: World) -> None:
    listed = _Listed(world, None, None)
    assert listed.held(unit=listed.area) is not None
    listed.merge()
    assert listed.held(unit=listed.area) is None


def test_what_the_second_line_said_is_told_of_the_moments_before_the_merge_too(
    world: World,
) -> None:
    listed = _Listed(world, None, Deed.DID)
    listed.merge()
    assert listed.counts(NOW + timedelta(minutes=2)) == (0, 0, 2)
    assert listed.counts(NOW + timedelta(minutes=10)) == (2, 0, 2)


def test_what_was_put_right_on_the_line_since_goes_back_with_what_was_said(world: World) -> None:
    listed = _Listed(world, None, Deed.DID)
    record = listed.merge()
    later = MERGED_AT + timedelta(hours=1)
    with unit_of_work(ALL) as session:
        fact = queries.believed(session, ALL, [listed.line])[listed.line]
        assert fact.contact_id == world.ioana.id
        entry = _one(session, ListEntry, listed.line)
        assert fact.place_id == entry.place_id
        fact.superseded_at = later
        session.flush()
        _fact(session, entry, Deed.DID_NOT, minutes=int((later - NOW).total_seconds() // 60))
    listed.part(record)
    with unit_of_work(ALL, read_only=True) as session:
        said = queries.believed(session, ALL, [listed.line, listed.double])
        assert {line: (one.deed, one.contact_id) for line, one in said.items()} == {
            listed.double: (Deed.DID_NOT, listed.twin)
        }
        assert said[listed.double].place_id == listed.area
    assert listed.counts() == (1, 1, 3)


def test_a_list_with_only_one_of_the_two_counts_as_before(world: World) -> None:
    with unit_of_work(ALL) as session:
        mill = _one(session, Workplace, world.mill.id)
        twin = factories.make_person(session, mill, "Joana Popescu")
        _, _, test, entry = factories.make_test(session, mill, twin)
        _fact(session, entry, Deed.DID, minutes=1)
        kept = _one(session, Contact, world.ioana.id)
        merging.merge(
            session, kept, twin, fields={}, wrong_memberships_of=None, now=MERGED_AT, actor_id=None
        )
        test_id = int(test.id)
    with unit_of_work(ALL, read_only=True) as session:
        (held,) = list_tests(session, ALL, test=test_id)
        assert (held.tally.did, held.tally.listed, held.whole) == (1, 1, True)
        assert [one.key for one in participation(session, ALL, test_id)] == [world.ioana.id]


def test_having_taken_part_tells_most_and_anything_tells_more_than_nothing() -> None:
    order = [Deed.DID, Deed.DID_NOT, Deed.WILL]
    for place, deed in enumerate(order):
        assert says_more(deed, None)
        assert [says_more(deed, other) for other in order] == [n > place for n in range(3)]
    assert not says_more(Deed.WILL, Deed.NOT_YET)
