"""A union has more places and people than PostgreSQL takes parameters of one statement: 65,535."""

from __future__ import annotations

from crm.access.speakers import list_speakers
from crm.domain.assessment import DEFAULT_EXPIRY
from crm.reads.places import headcounts_on, names_of
from crm.reads.standing import seen_differently
from crm.reads.structure import names_of_people, people_to_list, shift_names
from crm.reads.talks import last_talks, people_to_speak_to
from crm.reads.turf import describe, in_charge_at
from crm.web.db import unit_of_work
from tests.factories import ALL, TODAY, World

MANY = 70_000


def test_more_places_and_people_than_there_may_be_parameters_are_read(world: World) -> None:
    ids = set(range(1, MANY))
    with unit_of_work(ALL, read_only=True) as session:
        jobs = in_charge_at(session, ALL, ids, as_at=TODAY)
        assert {job.contact_id for job in jobs} >= {world.ioana.id, world.docker.id}
        assert names_of(session, ALL, ids)[world.mill.id] == "The Mill"
        assert names_of_people(session, ALL, ids)[world.ioana.id][1] == "Ioana P"
        assert headcounts_on(session, ALL, ids, TODAY)[world.mill.id].high == 10
        assert "Nights" in shift_names(session, ALL, ids).values()
        assert len(people_to_list(session, ALL, ids, as_at=TODAY)) == len(
            {job.contact_id for job in jobs}
        )
        assert last_talks(session, ALL, ids) == {}
        assert people_to_speak_to(session, ALL, today=TODAY, limit=3, own=ids)
        seen_differently(session, ALL, ids, as_at=TODAY, expiry=DEFAULT_EXPIRY)
        assert list_speakers(session, ids, day=TODAY)
        assert describe(session, ALL, jobs, today=TODAY)
