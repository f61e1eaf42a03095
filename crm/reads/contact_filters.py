"""A filter on people as conditions on their spans, and what it names, both under one scope.

What a filter names and the scope may not see keeps nobody: not everybody, and nobody is told what
it was.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from crm.access.facts import covers, known
from crm.access.scope import Scope
from crm.domain.assessment import ExpiryRule
from crm.domain.contact_filter import (
    Compare,
    ContactFilter,
    FieldTest,
    MemberFilter,
    Reminder,
    Stand,
)
from crm.domain.custom_fields import NotThatKind, parse_answer
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import FieldKind, FieldSubject
from crm.models.contacts import Contact, Job, Membership, StateSpan
from crm.models.conversations import Conversation, ConversationIssue, FollowUp
from crm.models.lists import ContactAnswer, ContactTag, CustomField, FieldChoice, Tag
from crm.models.places import Area, Place, PlaceClosure, Shift
from crm.models.ties import Leading
from crm.reads.talks import has_open_reminder, said_yes

_COLUMNS: dict[FieldKind, Any] = {
    FieldKind.TEXT: ContactAnswer.text_value,
    FieldKind.NUMBER: ContactAnswer.number_value,
    FieldKind.DAY: ContactAnswer.day_value,
    FieldKind.YES_NO: ContactAnswer.flag_value,
}
# The kinds of answer of which one can be more than another.
ORDERED = frozenset({FieldKind.NUMBER, FieldKind.DAY})


@dataclass(frozen=True, slots=True)
class Named:
    """What a filter names, as the scope sees it: names by public id.

    hidden: it names something that the scope does not see, so it keeps nobody.
    kinds: the kind of the field it asks about. choice: the name of the choice asked for.
    """

    names: Mapping[uuid.UUID, str]
    hidden: bool
    kind: FieldKind | None = None
    choice: str | None = None


def conditions_of(
    session: Session, scope: Scope, chosen: ContactFilter, *, as_at: date, expiry: ExpiryRule
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on StateSpan, for a scoped statement; the text is not among them.

    The statement must hold the spans to the day itself. At most one statement is sent, for the
    kind of the field.
    """
    found = [*_at_work(chosen, as_at), *_with_us(chosen, as_at, expiry)]
    if chosen.tag is not None:
        found.append(_tagged(chosen.tag))
    if chosen.field is not None:
        found.append(_answered(session, scope, chosen.field))
    return [*found, *_spoken_with(chosen, as_at)]


def named_in(session: Session, scope: Scope, chosen: ContactFilter) -> Named:
    """Return the names of what the filter names, as far as this scope sees them.

    One statement for each sort of thing that it names, none for a filter that names nothing.
    """
    wanted: dict[Any, set[uuid.UUID]] = {}
    for model, value in (
        (Place, chosen.place),
        (Place, chosen.employer),
        (Place, chosen.union),
        (Shift, chosen.shift),
        (Tag, chosen.tag),
        (CustomField, chosen.field.field if chosen.field else None),
    ):
        if value is not None:
            wanted.setdefault(model, set()).add(value)
    names: dict[uuid.UUID, str] = {}
    for model, ids in wanted.items():
        rows = session.execute(
            scope.select(model.public_id, model.name).where(model.public_id.in_(sorted(ids)))
        )
        names |= {public_id: str(name) for public_id, name in rows}
    if chosen.place is not None and chosen.place in names:
        # Many workplaces have an area of the same name.
        site = aliased(Place)
        at = session.scalars(
            scope.select(site.name)
            .select_from(Area)
            .join(site, site.id == Area.workplace_id)
            .where(Area.public_id == chosen.place)
        ).one_or_none()
        if at is not None:
            names[chosen.place] = f"{at}: {names[chosen.place]}"
    hidden = not set().union(*wanted.values()) <= set(names)
    kind = choice = None
    if chosen.field is not None and not hidden:
        kind = session.execute(
            scope.select(CustomField.kind).where(CustomField.public_id == chosen.field.field)
        ).scalar_one()
        if kind is FieldKind.CHOICE and chosen.field.value:
            choice = session.execute(
                scope.select(FieldChoice.name).where(
                    FieldChoice.public_id == _id_or_none(chosen.field.value)
                )
            ).scalar_one_or_none()
    return Named(names, hidden, kind, choice)


def _exists(*conditions: sa.ColumnElement[bool]) -> sa.Exists:
    # Only the span is taken from the statement around it, whatever else that one joins.
    return sa.exists(sa.select(sa.literal(1)).where(*conditions).correlate(StateSpan))


def _at_work(chosen: ContactFilter, as_at: date) -> Iterator[sa.ColumnElement[bool]]:
    if chosen.place is not None:
        yield StateSpan.place_id.in_(_inside(chosen.place))
    if chosen.shift is not None or chosen.employer is not None:
        yield _job(chosen, as_at)


def _with_us(
    chosen: ContactFilter, as_at: date, expiry: ExpiryRule
) -> Iterator[sa.ColumnElement[bool]]:
    if chosen.union is not None:
        yield _in_union(chosen.union, as_at)
    if chosen.stands:
        yield _stands(chosen.stands, as_at, expiry)
    if chosen.member is not None:
        yield _member_is(chosen.member)
    if chosen.leader:
        yield _leads(as_at)


def _spoken_with(chosen: ContactFilter, as_at: date) -> Iterator[sa.ColumnElement[bool]]:
    if chosen.quiet_days is not None:
        yield _quiet(chosen.quiet_days, as_at)
    if chosen.reminder is not None:
        yield _reminded(chosen.reminder, as_at)
    if chosen.issue is not None:
        yield _raised(chosen.issue, as_at)
    if chosen.no_task:
        yield said_yes(StateSpan.contact_id, as_at)
        yield ~has_open_reminder(StateSpan.contact_id)
        # Those who asked to be left alone are no gap: see crm/domain/wallchart.py.
        yield _exists(Contact.id == StateSpan.contact_id, Contact.do_not_contact.is_(False))


def _among(column: Any, *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    # As a set and not as a question about each span: what is asked for is often rare, and SQLite
    # would walk through everybody in the country to find three.
    return StateSpan.contact_id.in_(sa.select(column).where(*conditions))


def _inside(place: uuid.UUID) -> sa.Select[Any]:
    return (
        sa.select(PlaceClosure.descendant_id)
        .join(Place, Place.id == PlaceClosure.ancestor_id)
        .where(Place.public_id == place)
    )


def _job(chosen: ContactFilter, as_at: date) -> sa.ColumnElement[bool]:
    conditions = [
        Job.contact_id == StateSpan.contact_id,
        Job.place_id == StateSpan.place_id,
        known(Job),
        covers(Job, as_at),
    ]
    if chosen.shift is not None:
        conditions += [Shift.id == Job.shift_id, Shift.public_id == chosen.shift]
    if chosen.employer is not None:
        conditions += [
            Place.id == Job.employer_of_record_id,
            Place.public_id == chosen.employer,
        ]
    return _exists(*conditions)


def _in_union(union: uuid.UUID, as_at: date) -> sa.ColumnElement[bool]:
    return _exists(
        Membership.contact_id == StateSpan.contact_id,
        Membership.status == MembershipStatus.MEMBER,
        Membership.union_id == Place.id,
        Place.public_id == union,
        known(Membership),
        covers(Membership, as_at),
    )


def _stands(stands: frozenset[Stand], as_at: date, expiry: ExpiryRule) -> sa.ColumnElement[bool]:
    # The last day that still counts: as freshness_of in crm/domain/assessment.py.
    limit = as_at - timedelta(days=expiry.stale_days)
    ways: list[sa.ColumnElement[bool]] = []
    if Stand.NOT_ASKED in stands:
        ways.append(StateSpan.score.is_(None))
    if Stand.OLD in stands:
        ways.append(StateSpan.scored_on < limit)
    scores = sorted(int(one) for one in stands - {Stand.NOT_ASKED, Stand.OLD})
    if scores:
        ways.append(sa.and_(StateSpan.score.in_(scores), StateSpan.scored_on >= limit))
    return sa.or_(*ways)


def _member_is(wanted: MemberFilter) -> sa.ColumnElement[bool]:
    if wanted is MemberFilter.NOT_KNOWN:
        return StateSpan.member.is_(None)
    return StateSpan.member.is_(wanted is MemberFilter.MEMBER)


def _leads(as_at: date) -> sa.ColumnElement[bool]:
    return _exists(
        Leading.contact_id == StateSpan.contact_id,
        Leading.workplace_id == StateSpan.workplace_id,
        known(Leading),
        covers(Leading, as_at),
    )


def _tagged(tag: uuid.UUID) -> sa.ColumnElement[bool]:
    return _among(ContactTag.contact_id, ContactTag.tag_id == Tag.id, Tag.public_id == tag)


def _answered(session: Session, scope: Scope, asked: FieldTest) -> sa.ColumnElement[bool]:
    """The answer fits. Nobody fits a field, choice or value that the reader could not ask for."""
    field = session.execute(
        scope.select(CustomField.id, CustomField.kind, CustomField.place_id).where(
            CustomField.public_id == asked.field, CustomField.subject == FieldSubject.CONTACT
        )
    ).one_or_none()
    if field is None:
        return sa.false()
    answer, mine = ContactAnswer.contact_id, ContactAnswer.field_id == field.id
    if asked.how is Compare.NOT_KNOWN:
        # Of people elsewhere nobody asks this at all: it is not "not known" of them.
        inside = sa.select(PlaceClosure.descendant_id).where(
            PlaceClosure.ancestor_id == field.place_id
        )
        return sa.and_(
            StateSpan.place_id.in_(inside), ~_exists(answer == StateSpan.contact_id, mine)
        )
    if field.kind is FieldKind.CHOICE:
        if asked.how is not Compare.IS:
            return sa.false()
        return _among(
            answer,
            mine,
            ContactAnswer.choice_id == FieldChoice.id,
            FieldChoice.public_id == _id_or_none(asked.value),
        )
    try:
        value: Any = parse_answer(field.kind, asked.value)
    except NotThatKind:
        return sa.false()
    column = _COLUMNS[field.kind]
    if asked.how is Compare.IS:
        fits = column == value
        if isinstance(value, str):
            # SQLite knows the small letters of English only.
            fits = sa.or_(fits, sa.func.lower(column) == value.lower())
        return _among(answer, mine, fits)
    if field.kind not in ORDERED:
        return sa.false()
    return _among(
        answer, mine, column >= value if asked.how is Compare.AT_LEAST else column <= value
    )


def _id_or_none(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _quiet(days: int, as_at: date) -> sa.ColumnElement[bool]:
    return ~_exists(
        Conversation.contact_id == StateSpan.contact_id,
        Conversation.day <= as_at,
        Conversation.day >= as_at - timedelta(days=days),
    )


def _reminded(wanted: Reminder, as_at: date) -> sa.ColumnElement[bool]:
    if wanted is Reminder.DUE:
        return _among(FollowUp.contact_id, FollowUp.done_at.is_(None), FollowUp.due_on <= as_at)
    some = has_open_reminder(StateSpan.contact_id)
    return some if wanted is Reminder.OPEN else ~some


def _raised(issue: str, as_at: date) -> sa.ColumnElement[bool]:
    return _among(
        ConversationIssue.contact_id,
        ConversationIssue.issue == issue,
        Conversation.id == ConversationIssue.conversation_id,
        Conversation.day <= as_at,
    )
