"""Finding contacts by their public id, and naming people and users."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.domain.identity import fold, phone_key
from crm.domain.vocabulary import FieldGroup, PointKind
from crm.models.accounts import UserAccount
from crm.models.contacts import Contact, ContactPoint, FieldBasis, StateSpan
from crm.models.conversations import Conversation
from crm.models.places import Place, PlaceClosure
from crm.reads.places import place_name_of

# Fewer digits than this are part of a name ("Night packer 3"), not of a telephone number.
_LEAST_PHONE_DIGITS = 4


class MemberFilter(StrEnum):
    """Which people a list keeps by what is known of their membership of any union."""

    MEMBER = "member"
    NOT_MEMBER = "not_member"
    NOT_KNOWN = "not_known"


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
    """One page of a list of people: the rows, how many people the whole list has, and the day."""

    rows: list[PersonRow]
    total: int
    offset: int
    as_at: date


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


def may_keep_membership(session: Session, scope: Scope, contact: Contact) -> bool:
    """Return True when what is known of the person and a union may be held.

    Nothing of a union is kept about somebody who is only a label on a chart (method paper,
    section 5, R2), unless the ground for it is on record.
    """
    if contact.known_as is not None:
        return True
    found = session.execute(
        scope.select(FieldBasis.id).where(
            FieldBasis.contact_id == contact.id,
            FieldBasis.field_group == FieldGroup.MEMBERSHIP,
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


def search_people(
    session: Session,
    scope: Scope,
    text: str,
    *,
    today: date,
    limit: int = 20,
    permission: Permission | None = None,
) -> list[PersonRow]:
    """Return the people with a job on this day whose name or phone fits the text, by name.

    text: part of a name they use, of a full name or of a label, in any order and with or without
    accents; or a phone number in any written form, or four or more of its digits. Empty text
    fits everybody. permission: the right that is needed at the place of the job.
    Two statements, whatever the number of people.
    """
    chosen = _chosen(scope, today, text, permission)
    return _rows(session, scope, chosen, today, (), permission, limit=limit, offset=0)


def list_people(
    session: Session,
    scope: Scope,
    *,
    as_at: date,
    text: str = "",
    place: uuid.UUID | None = None,
    not_asked: bool = False,
    member: MemberFilter | None = None,
    limit: int = 50,
    offset: int = 0,
    permission: Permission | None = None,
) -> PeoplePage:
    """Return a page of the people with a job on a day, by name, as we know now.

    text: as for search_people. place: only people at this place or inside it (any kind of place;
    one that the scope may not see gives an empty list). not_asked: only those whose standing
    nobody had asked by that day. limit: people a page; offset: how many people come before it.
    Three statements, whatever the number of people.
    """
    conditions: list[sa.ColumnElement[bool]] = []
    if place is not None:
        conditions.append(StateSpan.place_id.in_(_inside(place)))
    if not_asked:
        conditions.append(StateSpan.score.is_(None))
    if member is not None:
        conditions.append(_member_is(member))
    chosen = _chosen(scope, as_at, text, permission, conditions)
    total = session.execute(chosen.with_only_columns(sa.func.count(Contact.id))).scalar_one()
    rows = _rows(session, scope, chosen, as_at, conditions, permission, limit=limit, offset=offset)
    return PeoplePage(rows=rows, total=int(total), offset=offset, as_at=as_at)


def _inside(place: uuid.UUID) -> sa.Select[Any]:
    return (
        sa.select(PlaceClosure.descendant_id)
        .join(Place, Place.id == PlaceClosure.ancestor_id)
        .where(Place.public_id == place)
    )


def _member_is(wanted: MemberFilter) -> sa.ColumnElement[bool]:
    if wanted is MemberFilter.NOT_KNOWN:
        return StateSpan.member.is_(None)
    return StateSpan.member.is_(wanted is MemberFilter.MEMBER)


def _chosen(
    scope: Scope,
    as_at: date,
    text: str,
    permission: Permission | None,
    conditions: Sequence[sa.ColumnElement[bool]] = (),
) -> sa.Select[Any]:
    """Return the statement for the contacts of a list, without order or limit."""
    present = sa.select(sa.literal(1)).where(
        StateSpan.contact_id == Contact.id, *_on(as_at), *conditions
    )
    chosen = scope.select(
        Contact.id,
        Contact.public_id,
        Contact.known_as,
        Contact.placeholder_label,
        Contact.do_not_contact,
        permission=permission,
    ).where(present.exists())
    if text.strip():
        chosen = chosen.where(_fits(text))
    return chosen


def _on(day: date) -> tuple[sa.ColumnElement[bool], ...]:
    return (StateSpan.from_day <= day, StateSpan.to_day > day)


def _fits(text: str) -> sa.ColumnElement[bool]:
    """Return the condition that the name holds every word, or a phone holds the digits."""
    ways: list[sa.ColumnElement[bool]] = []
    words = fold(text).split()
    if words:
        ways.append(sa.and_(*(Contact.name_key.contains(word, autoescape=True) for word in words)))
    key = phone_key(text)
    has_letters = any(sign.isalpha() for sign in text)
    if key is not None and not has_letters and len(key) >= _LEAST_PHONE_DIGITS:
        # A part of a number may start with the 0 that the stored key has not, or with one inside.
        digits = "".join(sign for sign in text if sign.isdecimal())
        parts = {part for part in (digits, digits.lstrip("0")) if len(part) >= _LEAST_PHONE_DIGITS}
        number = sa.select(sa.literal(1)).where(
            ContactPoint.contact_id == Contact.id,
            ContactPoint.kind == PointKind.PHONE,
            ContactPoint.superseded_at.is_(None),
            sa.or_(
                ContactPoint.value_key == key,
                *(ContactPoint.value_key.contains(part, autoescape=True) for part in sorted(parts)),
            ),
        )
        ways.append(number.exists())
    return sa.or_(*ways) if ways else sa.false()


def _rows(
    session: Session,
    scope: Scope,
    chosen: sa.Select[Any],
    as_at: date,
    conditions: Sequence[sa.ColumnElement[bool]],
    permission: Permission | None,
    *,
    limit: int,
    offset: int,
) -> list[PersonRow]:
    people = session.execute(
        chosen.order_by(Contact.name_key, Contact.id).limit(limit).offset(offset)
    ).all()
    if not people:
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
            workplace_name.label("workplace_name"),
            area_name.label("area_name"),
            StateSpan.score,
            StateSpan.score_firm,
            StateSpan.scored_on,
            StateSpan.member,
            last_talk.label("last_talk_on"),
            permission=permission,
        )
        .where(StateSpan.contact_id.in_([person.id for person in people]), *_on(as_at), *conditions)
        # Somebody with two jobs is one row: the first place by name, so that it does not jump.
        .order_by(workplace_name, area_name, StateSpan.id)
    )
    by_contact: dict[int, Any] = {}
    for span in spans:
        by_contact.setdefault(span.contact_id, span)
    # Both statements hold the same conditions, so everybody chosen has a span.
    return [_row(person, by_contact[person.id]) for person in people]


def _row(person: Any, span: Any) -> PersonRow:
    return PersonRow(
        public_id=person.public_id,
        name=person.known_as or person.placeholder_label,
        placeholder=person.known_as is None,
        do_not_contact=person.do_not_contact,
        workplace_name=span.workplace_name or "",
        area_name=span.area_name,
        rating=span.score,
        firm=span.score_firm,
        scored_on=span.scored_on,
        member=span.member,
        last_talk_on=span.last_talk_on,
    )
