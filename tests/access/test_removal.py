"""What was removed for good leaves its trail, and nobody else inherits it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from crm.access.removal import remove_people
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact
from crm.web.db import unit_of_work
from tests.factories import ALL, NOW, World


def _add(name: str) -> int:
    with unit_of_work(ALL) as session:
        person = Contact(known_as=name, name_key=name.lower(), created_at=NOW)
        session.add(person)
        session.flush()
        return person.id


@pytest.mark.usefixtures("world")
def test_the_key_of_somebody_removed_is_never_given_to_another() -> None:
    gone = _add("Secret Samira")
    with unit_of_work(ALL) as session:
        remove_people(
            session, ALL, list(session.scalars(ALL.select(Contact).where(Contact.id == gone)))
        )
    ids = [_add("Bilal"), _add("Cora")]
    assert gone not in ids
    assert len(set(ids)) == 2
    with unit_of_work(ALL, read_only=True) as session:
        trail = session.scalars(ALL.select(AuditEntry).where(AuditEntry.contact_id.in_(ids))).all()
        assert "Samira" not in str([(row.old, row.new) for row in trail])
        # The trail of the one who went is kept.
        kept = session.scalar(
            ALL.select(sa.func.count(AuditEntry.id)).where(AuditEntry.contact_id == gone)
        )
        assert kept


@pytest.mark.usefixtures("world")
def test_many_people_added_at_once_get_keys_of_their_own(world: World) -> None:
    with unit_of_work(ALL) as session:
        people = [Contact(known_as=f"P {n}", name_key=f"p {n}", created_at=NOW) for n in range(5)]
        session.add_all(people)
        session.flush()
        session.add(Contact(known_as="One more", name_key="one more", created_at=NOW))
        session.flush()
        assert len({one.id for one in people}) == 5
