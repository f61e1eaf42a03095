"""Who may be here already: people of the scope who look like somebody that is typed or imported.

The comparing itself is crm/analysis/likeness.py, on what this module reads within the scope: only
people whom the reader may see are ever compared, and of their jobs only those at places held.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy.orm import Session

from crm.access.facts import known as believed
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.likeness import find_matches
from crm.domain.identity import fold, phone_key
from crm.domain.likeness import Known, Likeness
from crm.domain.vocabulary import PointKind
from crm.models.contacts import Contact, ContactPoint, Job
from crm.reads.people import shown_name
from crm.reads.places import names_of
from crm.reads.search import find_people

# Few enough for the parameters of one statement on either database.
_AT_ONCE: Final = 500
_MOST_NEAR: Final = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be the person asked about.

    contact_id: inner, never shown. workplaces: the names of their workplaces, now or before, that
    the reader may see. likeness: how sure it is, and each reason with its points.
    """

    contact_id: int
    public_id: uuid.UUID
    name: str
    workplaces: tuple[str, ...]
    likeness: Likeness


def known_of(
    names: Iterable[str | None],
    *,
    phones: Iterable[str | None] = (),
    mails: Iterable[str | None] = (),
    addresses: Iterable[str | None] = (),
    workplaces: Iterable[int] = (),
    areas: Iterable[int] = (),
) -> Known:
    """Return what is known of somebody, from texts as they were typed. None and "" are left out.

    workplaces and areas: inner ids.
    """
    keys = (phone_key(text) for text in phones if text)
    return Known(
        names=tuple(dict.fromkeys(name for name in names if name)),
        phones=frozenset(key for key in keys if key),
        mails=frozenset(text.strip().casefold() for text in mails if text and text.strip()),
        addresses=frozenset(key for key in (fold(text) for text in addresses if text) if key),
        workplaces=frozenset(workplaces),
        areas=frozenset(areas),
    )


def find_candidates(
    session: Session,
    scope: Scope,
    records: Sequence[Known],
    *,
    permission: Permission | None = None,
    near_names_on: date | None = None,
    but: Iterable[int] = (),
) -> list[list[Candidate]]:
    """Return for each record the people of the scope who may be that person, likeliest first.

    Looked at are people with the same phone or mail address, with the same name, and everybody
    at the record's workplaces. near_names_on: a day; people with a job on that day and a name that
    is nearly the same are looked at too, anywhere in the scope (some statements for each record:
    for one that is being typed). permission: the right that is needed where they work. but: inner
    ids of people to leave out. A handful of statements for each 500 records and each 500 people
    found.
    """
    ids = set(_with_a_point(session, scope, records, permission))
    ids |= set(_with_the_name(session, scope, records, permission))
    ids |= set(_at_workplaces(session, scope, records, permission))
    if near_names_on is not None:
        for record in records:
            for name in record.names:
                found = find_people(
                    session,
                    scope,
                    name,
                    as_at=near_names_on,
                    permission=permission,
                    most=_MOST_NEAR,
                )
                ids |= set(found.ids)
    ids -= set(but)
    people = read_known(session, scope, ids, permission=permission)
    order = sorted(people)
    matches = find_matches(records, [people[one].known for one in order])
    wanted = {
        workplace
        for found_here in matches
        for number, _ in found_here
        for workplace in people[order[number]].known.workplaces
    }
    names = names_of(session, scope, wanted) if wanted else {}
    return [
        [_candidate(people[order[number]], likeness, names) for number, likeness in found_here]
        for found_here in matches
    ]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the scope, with what is compared of them."""

    contact_id: int
    public_id: uuid.UUID
    name: str
    known: Known


def read_known(
    session: Session,
    scope: Scope,
    contact_ids: Iterable[int],
    *,
    permission: Permission | None = None,
) -> dict[int, Person]:
    """Return what is known of these people, as far as the scope sees it, by inner id.

    Placeholders are left out: a label such as "Night packer 3" is nobody's name. Three statements
    for each 500 people.
    """
    found: dict[int, Person] = {}
    for some in _chunks(sorted(set(contact_ids))):
        points: dict[int, dict[PointKind, set[str]]] = {}
        for row in session.execute(
            scope.select(
                ContactPoint.contact_id,
                ContactPoint.kind,
                ContactPoint.value_key,
                permission=permission,
            ).where(ContactPoint.contact_id.in_(some), believed(ContactPoint))
        ):
            points.setdefault(row.contact_id, {}).setdefault(row.kind, set()).add(row.value_key)
        places: dict[int, tuple[set[int], set[int]]] = {}
        for row in session.execute(
            scope.select(
                Job.contact_id, Job.workplace_id, Job.area_id, permission=permission
            ).where(Job.contact_id.in_(some), believed(Job))
        ):
            workplaces, areas = places.setdefault(row.contact_id, (set(), set()))
            workplaces.add(row.workplace_id)
            if row.area_id is not None:
                areas.add(row.area_id)
        people: Iterable[Contact] = session.scalars(
            scope.select(Contact, permission=permission).where(
                Contact.id.in_(some), Contact.known_as.is_not(None)
            )
        )
        for contact in people:
            mine = points.get(contact.id, {})
            workplaces, areas = places.get(contact.id, (set(), set()))
            found[contact.id] = Person(
                contact_id=contact.id,
                public_id=contact.public_id,
                name=shown_name(contact),
                known=Known(
                    names=tuple(one for one in (contact.known_as, contact.full_name) if one),
                    phones=frozenset(mine.get(PointKind.PHONE, ())),
                    mails=frozenset(mine.get(PointKind.EMAIL, ())),
                    addresses=frozenset(mine.get(PointKind.ADDRESS, ())),
                    workplaces=frozenset(workplaces),
                    areas=frozenset(areas),
                ),
            )
    return found


def _candidate(person: Person, likeness: Likeness, names: dict[int, str]) -> Candidate:
    return Candidate(
        contact_id=person.contact_id,
        public_id=person.public_id,
        name=person.name,
        workplaces=tuple(sorted(names[one] for one in person.known.workplaces if one in names)),
        likeness=likeness,
    )


def _with_a_point(
    session: Session, scope: Scope, records: Sequence[Known], permission: Permission | None
) -> Iterator[int]:
    for kind, keys in (
        (PointKind.PHONE, {key for record in records for key in record.phones}),
        (PointKind.EMAIL, {key for record in records for key in record.mails}),
        (PointKind.ADDRESS, {key for record in records for key in record.addresses}),
    ):
        for some in _chunks(sorted(keys)):
            yield from session.scalars(
                scope.select(ContactPoint.contact_id, permission=permission).where(
                    ContactPoint.value_key.in_(some),
                    ContactPoint.kind == kind,
                    believed(ContactPoint),
                )
            )


def _with_the_name(
    session: Session, scope: Scope, records: Sequence[Known], permission: Permission | None
) -> Iterator[int]:
    """The key of a name is that of the name they use, and then that of the full name."""
    keys: set[str] = set()
    for record in records:
        folded = [fold(name) for name in record.names]
        keys |= {*folded, " ".join(folded)}
        keys |= {" ".join(reversed(one.split())) for one in folded}
    for some in _chunks(sorted(keys - {""})):
        yield from session.scalars(
            scope.select(Contact.id, permission=permission).where(Contact.name_key.in_(some))
        )


def _at_workplaces(
    session: Session, scope: Scope, records: Sequence[Known], permission: Permission | None
) -> Iterator[int]:
    wanted = sorted({one for record in records for one in record.workplaces})
    for some in _chunks(wanted):
        yield from session.scalars(
            scope.select(Job.contact_id, permission=permission)
            .where(Job.workplace_id.in_(some), believed(Job))
            .distinct()
        )


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
