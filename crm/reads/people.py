"""Finding contacts by their public id, and naming people and users."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.assessment import DEFAULT_EXPIRY, ExpiryRule
from crm.domain.contact_filter import ContactFilter, searchable
from crm.domain.errors import NotFound, Refusal
from crm.domain.vocabulary import FieldGroup
from crm.models.accounts import UserAccount
from crm.models.base import table_of
from crm.models.contacts import Contact, FieldBasis, StateSpan
from crm.models.conversations import Conversation
from crm.models.search import SearchEntry
from crm.reads.contact_filters import conditions_of
from crm.reads.places import place_name_of
from crm.reads.search import find_people

# A list of more people than this is not counted to its end, and ends there.
MANY = 20_000


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person in a list, as at a day.

    rating: 1 (strongest) to 5, None = not asked by that day. firm and scored_on go with it.
    member: of any union; None = not known. last_talk_on: the last talk seen by this scope up to
    that day, None = none written down. area_name: None = not known, or no area there.
    """

    public_id: uuid.UUID
    name: str
    placeholder: bool
    do_not_contact: bool
    workplace_name: str
    area_name: str | None
    rating: int | None
    firm: bool | None
    scored_on: date | None
    member: bool | None
    last_talk_on: date | None


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """One page of a list of people: the rows, how many people the whole list has, and the day.

    at_least: True when there are too many to count them while somebody waits; total is then as far
    as was counted. near: how many of the total, its last ones, fit only nearly what was typed.
    """

    rows: list[PersonRow]
    total: int
    offset: int
    as_at: date
    at_least: bool = False
    near: int = 0


def get_contact(
    session: Session, scope: Scope, public_id: uuid.UUID, *, permission: Permission | None = None
) -> Contact:
    """Return the contact. Raises NotFound if absent or out of scope.

    permission: the right that is needed at a place where the person has or had a job.
    """
    found: Contact | None = session.scalars(
        scope.select(Contact, permission=permission).where(Contact.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotFound(f"contact {public_id}")
    return found


def shown_name(contact: Contact) -> str:
    """Return the name to show: the one they use, else the placeholder's label."""
    return contact.known_as or contact.placeholder_label or ""


def may_keep(session: Session, scope: Scope, contact: Contact, group: FieldGroup) -> bool:
    """Return True when what is known of the person may be held, for one group of facts.

    Nothing of a union, and no standing, is kept about somebody who is only a label on a chart
    (method paper, section 5, R2), unless the ground for it is on record.
    """
    if contact.known_as is not None:
        return True
    found = session.execute(
        scope.select(FieldBasis.id).where(
            FieldBasis.contact_id == contact.id,
            FieldBasis.field_group == group,
            FieldBasis.withdrawn_on.is_(None),
            FieldBasis.superseded_at.is_(None),
        )
    )
    return found.first() is not None


def names_of_users(session: Session, user_ids: set[int]) -> dict[int, str]:
    """Return the users' names by inner id: colleagues see who talked to whom."""
    if not user_ids:
        return {}
    rows = session.execute(
        sa.select(UserAccount.id, UserAccount.name).where(UserAccount.id.in_(sorted(user_ids)))
    )
    return {int(user_id): str(name) for user_id, name in rows}


def find_user_id(session: Session, sign_in_name: str) -> int | None:
    """Return the inner id of the user who may sign in under this name; None when nobody may."""
    return session.execute(
        sa.select(UserAccount.id).where(
            UserAccount.sign_in_name == sign_in_name, UserAccount.active.is_(True)
        )
    ).scalar_one_or_none()


def search_people(
    session: Session,
    scope: Scope,
    text: str,
    *,
    today: date,
    limit: int = 20,
    permission: Permission | None = None,
) -> list[PersonRow]:
    """Return the people with a job on this day who fit the text, as reads/search.py puts them.

    text: names, parts of names, job, area or phone as they were typed. Empty text fits
    everybody, by name. permission: the right that is needed at the place of the job. At most
    seven statements, whatever the number of people.
    """
    return list_people(
        session, scope, as_at=today, text=text, limit=limit, permission=permission
    ).rows


def list_people(
    session: Session,
    scope: Scope,
    *,
    as_at: date,
    text: str = "",
    place: uuid.UUID | None = None,
    chosen: ContactFilter | None = None,
    limit: int = 50,
    offset: int = 0,
    permission: Permission | None = None,
    expiry: ExpiryRule = DEFAULT_EXPIRY,
) -> PeoplePage:
    """Return a page of the people with a job on a day, as we know now: by name, or best first
    when text is looked for.

    chosen: which people are kept; text and place are short for a filter of these alone. text: as
    for search_people. place: only people at this place or inside it (any kind of place; one that
    the scope may not see gives an empty list). limit: people a page; offset: how many people come
    before it. expiry: how long an assessment counts.
    Three statements without text, whatever the number of people; a field takes one more.
    """
    if chosen is None:
        chosen = ContactFilter(text=searchable(text), place=place)
    text = chosen.text
    conditions = conditions_of(session, scope, chosen, as_at=as_at, expiry=expiry)
    if text.strip():
        found = find_people(
            session,
            scope,
            text,
            as_at=as_at,
            among=_present(as_at, conditions),
            permission=permission,
        )
        ids = list(found.ids[offset : offset + limit])
        total, at_least, near = len(found.ids), found.more, found.near
    else:
        total, at_least = _count(session, scope, as_at, conditions, permission)
        by_name = _few_by_name if not at_least else _many_by_name
        statement = by_name(scope, as_at, conditions, permission).limit(limit).offset(offset)
        ids = list(session.execute(statement).scalars()) if total else []
        near = 0
    rows = _rows(session, scope, ids, as_at, conditions, permission)
    return PeoplePage(rows, total, offset, as_at, at_least=at_least, near=near)


def _present(
    as_at: date, conditions: Sequence[sa.ColumnElement[bool]]
) -> Sequence[sa.ColumnElement[bool]]:
    """Return the condition on SearchEntry that the person fits the rest of the filter as well."""
    if not conditions:
        return ()
    fitting = sa.select(sa.literal(1)).where(
        StateSpan.contact_id == SearchEntry.contact_id, *_on(as_at), *conditions
    )
    return [fitting.exists()]


def _count(
    session: Session,
    scope: Scope,
    as_at: date,
    conditions: Sequence[sa.ColumnElement[bool]],
    permission: Permission | None,
) -> tuple[int, bool]:
    """Return how many people there are, and whether that is only as far as was counted."""
    some = (
        sa.select(StateSpan.contact_id).where(*_on(as_at), *conditions).limit(MANY + 1).subquery()
    )
    spans, people = session.execute(
        scope.select(
            sa.func.count(), sa.func.count(some.c.contact_id.distinct()), permission=permission
        ).select_from(some)
    ).one()
    return int(people), int(spans) > MANY


def _few_by_name(
    scope: Scope,
    as_at: date,
    conditions: Sequence[sa.ColumnElement[bool]],
    permission: Permission | None,
) -> sa.Select[Any]:
    """Return the ids by name where there are few: found by their spans, then put in order."""
    seen = sa.select(StateSpan.contact_id).where(*_on(as_at), *conditions).distinct().subquery()
    # The table, not the model: a person with a span in the scope may be seen, and to look up the
    # jobs of each one anew took longer than all the rest.
    contact = table_of(Contact)
    # With the bare column SQLite would walk through everybody in the country in order of name.
    name = contact.c.name_key.concat("")
    return (
        scope.select(contact.c.id, permission=permission)
        .select_from(seen.join(contact, contact.c.id == seen.c.contact_id))
        .order_by(name, contact.c.id)
    )


def _many_by_name(
    scope: Scope,
    as_at: date,
    conditions: Sequence[sa.ColumnElement[bool]],
    permission: Permission | None,
) -> sa.Select[Any]:
    """Return the ids by name where there are many: everybody in order of name, if they fit."""
    contact = table_of(Contact)  # As above.
    present = sa.select(sa.literal(1)).where(
        StateSpan.contact_id == contact.c.id, *_on(as_at), *conditions
    )
    return (
        scope.select(contact.c.id, permission=permission)
        .where(present.exists())
        .order_by(contact.c.name_key, contact.c.id)
    )


def _on(day: date) -> tuple[sa.ColumnElement[bool], ...]:
    return (StateSpan.from_day <= day, StateSpan.to_day > day)


def _rows(
    session: Session,
    scope: Scope,
    ids: list[int],
    as_at: date,
    conditions: Sequence[sa.ColumnElement[bool]],
    permission: Permission | None,
) -> list[PersonRow]:
    """Return the rows of these people, in this order."""
    if not ids:
        return []
    workplace_name = place_name_of(StateSpan.workplace_id)
    area_name = place_name_of(StateSpan.area_id)
    last_talk = (
        sa.select(sa.func.max(Conversation.day))
        .where(Conversation.contact_id == StateSpan.contact_id, Conversation.day <= as_at)
        .scalar_subquery()
    )
    spans = session.execute(
        scope.select(
            StateSpan.contact_id,
            Contact.public_id,
            Contact.known_as,
            Contact.placeholder_label,
            Contact.do_not_contact,
            workplace_name.label("workplace_name"),
            area_name.label("area_name"),
            StateSpan.score,
            StateSpan.score_firm,
            StateSpan.scored_on,
            StateSpan.member,
            last_talk.label("last_talk_on"),
            permission=permission,
        )
        .join(Contact, Contact.id == StateSpan.contact_id)
        .where(StateSpan.contact_id.in_(ids), *_on(as_at), *conditions)
        # Somebody with two jobs is one row: the first place by name, so that it does not jump.
        .order_by(workplace_name, area_name, StateSpan.id)
    )
    by_contact: dict[int, Any] = {}
    for span in spans:
        by_contact.setdefault(span.contact_id, span)
    # All statements hold the same conditions, so everybody chosen has a span.
    return [_row(by_contact[one]) for one in ids]


def _row(span: Any) -> PersonRow:
    return PersonRow(
        public_id=span.public_id,
        name=span.known_as or span.placeholder_label,
        placeholder=span.known_as is None,
        do_not_contact=span.do_not_contact,
        workplace_name=span.workplace_name or "",
        area_name=span.area_name,
        rating=span.score,
        firm=span.score_firm,
        scored_on=span.scored_on,
        member=span.member,
        last_talk_on=span.last_talk_on,
    )


# Of those who fit a text, so many are looked through for the people of one workplace.
_LOOKED_THROUGH = 20_000


def ids_on_list(
    session: Session,
    scope: Scope,
    chosen: ContactFilter,
    here: sa.Select[Any],
    *,
    as_at: date,
    expiry: ExpiryRule = DEFAULT_EXPIRY,
) -> frozenset[int]:
    """Return the inner ids of those people whom ``list_people`` would show, on all its pages.

    here: a statement that finds the inner ids of the people to choose among. One statement
    without text, whatever the number of people; a field takes one more.
    """
    conditions = conditions_of(session, scope, chosen, as_at=as_at, expiry=expiry)
    if chosen.text.strip():
        among = [*_present(as_at, conditions), SearchEntry.contact_id.in_(here)]
        most = _LOOKED_THROUGH
        found = find_people(session, scope, chosen.text, as_at=as_at, among=among, most=most)
        return frozenset(found.ids)
    fitting = scope.select(StateSpan.contact_id).where(
        *_on(as_at), *conditions, StateSpan.contact_id.in_(here)
    )
    return frozenset(session.scalars(fitting.distinct()))


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody on a list, for work on the list as a whole. Inner ids, never to be shown.

    places: (workplace, area if known else workplace) of each job that put them on the list.
    """

    contact_id: int
    public_id: uuid.UUID
    name: str
    placeholder: bool
    do_not_contact: bool
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """The people of a list, by name. more: there are more than were asked for; these are some."""

    people: tuple[Match, ...]
    more: bool


# More people than this on a list of a search are not measured: the list is narrowed first.
MOST_MEASURED = 20_000


class ListTooLong(Refusal):
    """A list keeps more people than can be measured by name."""

    default_message = "Too many people are on this list. Choose a smaller one."


def ids_of(
    session: Session,
    scope: Scope,
    chosen: ContactFilter,
    *,
    as_at: date,
    permission: Permission,
    expiry: ExpiryRule,
) -> frozenset[int]:
    """Return the inner ids of everybody that ``list_people`` would show on all its pages.

    permission: the right that is needed at the place of the job. Raises ListTooLong.
    """
    conditions = conditions_of(session, scope, chosen, as_at=as_at, expiry=expiry)
    if not chosen.text.strip():
        return frozenset(
            session.execute(_few_by_name(scope, as_at, conditions, permission)).scalars()
        )
    found = find_people(
        session,
        scope,
        chosen.text,
        as_at=as_at,
        among=_present(as_at, conditions),
        permission=permission,
        most=MOST_MEASURED + 1,
    )
    if len(found.ids) > MOST_MEASURED:
        raise ListTooLong()
    return frozenset(found.ids)


def list_matches(
    session: Session,
    scope: Scope,
    chosen: ContactFilter,
    *,
    as_at: date,
    most: int,
    permission: Permission | None = None,
    expiry: ExpiryRule = DEFAULT_EXPIRY,
) -> Matches:
    """Return the people that ``list_people`` would show on all its pages, at most ``most``.

    permission: the right that is needed at the place of the job. As many statements as for a page
    of the list, whatever the number of people.
    """
    conditions = conditions_of(session, scope, chosen, as_at=as_at, expiry=expiry)
    if chosen.text.strip():
        among = _present(as_at, conditions)
        found = find_people(
            session,
            scope,
            chosen.text,
            as_at=as_at,
            among=among,
            permission=permission,
            most=most + 1,
        )
        ids = list(found.ids)
    else:
        statement = _few_by_name(scope, as_at, conditions, permission).limit(most + 1)
        ids = list(session.execute(statement).scalars())
    more, ids = len(ids) > most, ids[:most]
    spans = session.execute(
        scope.select(
            StateSpan.contact_id,
            StateSpan.workplace_id,
            StateSpan.place_id,
            Contact.public_id,
            Contact.known_as,
            Contact.placeholder_label,
            Contact.do_not_contact,
            Contact.name_key,
            permission=permission,
        )
        .join(Contact, Contact.id == StateSpan.contact_id)
        .where(StateSpan.contact_id.in_(ids), *_on(as_at), *conditions)
        .order_by(Contact.name_key, Contact.id, StateSpan.id)
    ).all()
    places: dict[int, dict[tuple[int, int], None]] = {}
    for span in spans:
        places.setdefault(span.contact_id, {})[span.workplace_id, span.place_id] = None
    first = {span.contact_id: span for span in reversed(spans)}
    return Matches(
        people=tuple(
            Match(
                contact_id=one,
                public_id=first[one].public_id,
                name=first[one].known_as or first[one].placeholder_label or "",
                placeholder=first[one].known_as is None,
                do_not_contact=first[one].do_not_contact,
                places=tuple(some),
            )
            for one, some in places.items()
        ),
        more=more,
    )
