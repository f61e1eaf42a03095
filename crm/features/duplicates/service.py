"""Making two records one and apart again, and remembering who is not the same person."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import merging
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.identity import fold
from crm.features.duplicates import queries
from crm.models.base import table_of
from crm.models.contacts import Contact
from crm.models.likeness import DifferentPlaces, LikePair
from crm.models.merging import DifferentPeople, MergedPerson
from crm.models.places import Place, Workplace

_NAME_KEY_LENGTH = 330
FIELDS = ("known_as", "full_name", "pronouns", "languages", "how_known")


class ChooseMembership(Refusal):
    """The memberships contradict each other, and nobody has said which is true."""

    default_message = "They cannot both be true. Choose what we know of the union."


class LaterMergeFirst(Refusal):
    """Another record was put into the person after this one."""

    default_message = "Another record was put into this person later. Take that one out first."


class NotYours(Refusal):
    """Somebody else made the two records one."""

    default_message = (
        "Somebody else made these two records one. "
        "Ask them, or an organiser or officer of this place."
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader chose: whose value each field takes, and whose memberships are true.

    take_theirs: the fields that take the value of the record that goes. right_memberships: the
    public id of the person whose memberships are true, where the two contradict each other.
    """

    take_theirs: frozenset[str]
    right_memberships: uuid.UUID | None


def merge_people(
    session: Session,
    scope: Scope,
    one_id: uuid.UUID,
    other_id: uuid.UUID,
    choice: Choice,
    *,
    versions: Mapping[uuid.UUID, int],
    now: datetime,
) -> uuid.UUID:
    """Make two records one and return the public id of the one that stays: the older.

    versions: of both records, as the page showed them. Raises NotFound unless the scope may write
    about both people, ChooseMembership, and EditConflict when one has changed since.
    """
    _hold(session, scope, one_id, other_id)
    pair = queries.read_pair(session, scope, one_id, other_id)
    if any(versions.get(side.public_id) != side.version for side in (pair.kept, pair.gone)):
        raise EditConflict(current={}, yours={})
    if pair.contradict and choice.right_memberships not in {
        pair.kept.public_id,
        pair.gone.public_id,
    }:
        raise ChooseMembership()
    kept = queries.get_person(session, scope, pair.kept.public_id)
    gone = queries.get_person(session, scope, pair.gone.public_id)
    wrong = None
    if pair.contradict:
        right = choice.right_memberships
        wrong = gone.id if right == kept.public_id else kept.id
    _forget_pair(session, kept.id, gone.id)
    merging.merge(
        session,
        kept,
        gone,
        fields=_fields(kept, gone, choice.take_theirs),
        wrong_memberships_of=wrong,
        now=now,
        actor_id=scope.actor_id,
    )
    return pair.kept.public_id


def _forget_pair(session: Session, one: int, other: int) -> None:
    """Take a pair out of the queue, by the inner ids of the two."""
    pair = table_of(LikePair)
    first, second = sorted((one, other))
    session.connection().execute(
        sa.delete(pair).where(pair.c.contact_id == first, pair.c.other_id == second)
    )


def _fields(kept: Contact, gone: Contact, take_theirs: frozenset[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in FIELDS:
        mine, theirs = getattr(kept, name), getattr(gone, name)
        # What only one of them knows is not a choice: it is known.
        values[name] = theirs if mine is None or (name in take_theirs and theirs) else mine
    values["placeholder_label"] = kept.placeholder_label or gone.placeholder_label
    # Somebody who asked to be left alone on either record has asked.
    values["do_not_contact"] = kept.do_not_contact or gone.do_not_contact
    names = (values["known_as"], values["full_name"], values["placeholder_label"])
    values["name_key"] = " ".join(fold(name) for name in names if name)[:_NAME_KEY_LENGTH]
    return values


def part_people(
    session: Session, scope: Scope, merge_id: uuid.UUID, *, now: datetime
) -> tuple[uuid.UUID, uuid.UUID]:
    """Take a record out of another again; return the public ids of both people.

    Raises NotFound, NotYours, LaterMergeFirst.
    """
    _record, person = queries.get_merge(session, scope, merge_id)
    _hold(session, scope, person.public_id)
    # What was read before we had to wait may be past: somebody else may have undone it meanwhile.
    session.expire_all()
    record, kept = queries.get_merge(session, scope, merge_id)
    if record.merged_by_id != scope.actor_id and not _answers_for(session, scope, kept):
        raise NotYours()
    later = session.scalars(
        scope.select(MergedPerson.id).where(
            MergedPerson.contact_id == record.contact_id,
            MergedPerson.id > record.id,
            MergedPerson.undone_at.is_(None),
        )
    ).first()
    if later is not None:
        raise LaterMergeFirst()
    gone = merging.part(session, record, kept, now=now)
    record.undone_by_id = scope.actor_id
    return kept.public_id, gone.public_id


def _answers_for(session: Session, scope: Scope, person: Contact) -> bool:
    """Return True when the scope reads the trail at a place of the person, not just anywhere."""
    found = session.execute(
        scope.select(Contact.id, permission=Permission.AUDIT_READ).where(Contact.id == person.id)
    )
    return found.first() is not None


def say_different(
    session: Session, scope: Scope, one_id: uuid.UUID, other_id: uuid.UUID, *, now: datetime
) -> None:
    """Remember that these are two people. Saying it twice is saying it once. Raises NotFound."""
    _hold(session, scope, one_id, other_id)
    pair = queries.read_pair(session, scope, one_id, other_id)
    if pair.different:
        return
    _forget_pair(session, pair.kept.contact_id, pair.gone.contact_id)
    first, second = sorted((pair.kept.contact_id, pair.gone.contact_id))
    session.add(
        DifferentPeople(contact_id=first, other_id=second, said_at=now, said_by_id=scope.actor_id)
    )


def say_different_workplaces(
    session: Session, scope: Scope, one_id: uuid.UUID, other_id: uuid.UUID, *, now: datetime
) -> None:
    """Remember that these are two workplaces. Saying it twice is saying it once.

    Raises NotFound unless the scope may change both, or when they are one.
    """
    held = session.scalars(
        scope.select(Workplace.id, permission=Permission.PLACE_WRITE)
        .where(Workplace.public_id.in_((one_id, other_id)))
        .order_by(Workplace.id)
        .with_for_update(of=Place)
    ).all()
    if len(held) != 2:
        raise NotFound("two workplaces")
    first, second = held
    before = session.scalars(
        scope.select(DifferentPlaces.id).where(
            DifferentPlaces.place_id == first, DifferentPlaces.other_id == second
        )
    ).first()
    if before is None:
        session.add(
            DifferentPlaces(place_id=first, other_id=second, said_at=now, said_by_id=scope.actor_id)
        )


def _hold(session: Session, scope: Scope, *public_ids: uuid.UUID) -> None:
    """Lock the rows, always in the same order, so that two who merge wait for each other."""
    held = session.scalars(
        scope.select(Contact.id, permission=Permission.CONTACT_WRITE)
        .where(Contact.public_id.in_(public_ids))
        .order_by(Contact.id)
        .with_for_update(of=Contact)
    ).all()
    if len(held) != len(set(public_ids)):
        raise NotFound("one of the people")
