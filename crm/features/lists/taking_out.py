"""What goes into a file of people: only of places whose lists the actor may take out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.people_files import Card, Cell, Table
from crm.domain.assessment import ExpiryRule
from crm.domain.contact_filter import ContactFilter
from crm.domain.errors import Refusal
from crm.domain.people_columns import (
    FIRST,
    HEADINGS,
    MOST_POINTS,
    ColumnGroup,
    once,
    without_plus,
)
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import FieldSubject, PointKind, PointState
from crm.models.contacts import Contact, ContactPoint, Job, Membership, StateSpan
from crm.models.conversations import Conversation
from crm.models.lists import ContactAnswer, ContactTag, CustomField, FieldChoice, Tag
from crm.models.places import Shift
from crm.reads.people import Match, list_matches
from crm.reads.places import names_of

# More is a copy of the whole organisation, and takes longer than a request may.
MOST_IN_A_FILE = 5000
_TAKE = Permission.EXPORT_MAKE


class TooManyForAFile(Refusal):
    """The list is longer than one file may be."""

    default_message = (
        "More than %(most)s people are on this list. Choose a smaller place, or narrow the list."
    )


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A list as it leaves. people: how many; the table has a row for each job of theirs.

    cards: without labels for people we cannot name, and without those who are not to be contacted.
    """

    table: Table
    cards: tuple[Card, ...]
    people: int


def count_to_take(
    session: Session, scope: Scope, chosen: ContactFilter, *, as_at: date, expiry: ExpiryRule
) -> int:
    """Return how many people of the list the actor may take out. Raises TooManyForAFile."""
    return len(_people(session, scope, chosen, as_at, expiry))


def take_out(
    session: Session,
    scope: Scope,
    chosen: ContactFilter,
    groups: Collection[ColumnGroup],
    *,
    as_at: date,
    expiry: ExpiryRule,
) -> TakenOut:
    """Return the people of a list with the columns asked for. Raises TooManyForAFile.

    At most twenty statements, whatever the number of people.
    """
    people = _people(session, scope, chosen, as_at, expiry)
    ids = [one.contact_id for one in people]
    contacts = {
        row.id: row
        for row in session.scalars(
            scope.select(Contact, permission=_TAKE).where(Contact.id.in_(ids))
        )
    }
    headings = list(FIRST)
    parts: list[dict[tuple[int, int], list[Cell]]] = []
    makers = {
        ColumnGroup.WORK: _work,
        ColumnGroup.DETAILS: _details,
        ColumnGroup.MEMBERSHIP: _membership,
        ColumnGroup.STANDING: _standing,
        ColumnGroup.TALKS: _talks,
        ColumnGroup.OWN: _own,
    }
    for group, make in makers.items():
        if group in groups:
            more, cells = make(session, scope, people, as_at)
            headings += more
            parts.append(cells)
    rows: list[tuple[Cell, ...]] = []
    for one in people:
        contact = contacts[one.contact_id]
        first: list[Cell] = [
            str(one.public_id),
            contact.known_as,
            contact.full_name,
            contact.placeholder_label,
            contact.pronouns,
            contact.do_not_contact,
        ]
        for _workplace, place in one.places:
            key = (one.contact_id, place)
            rows.append((*first, *(cell for part in parts for cell in part[key])))
    return TakenOut(
        table=Table(once(headings), tuple(rows)),
        cards=_cards(session, scope, people, contacts),
        people=len(people),
    )


def _people(
    session: Session, scope: Scope, chosen: ContactFilter, as_at: date, expiry: ExpiryRule
) -> tuple[Match, ...]:
    found = list_matches(
        session,
        scope,
        chosen,
        as_at=as_at,
        most=MOST_IN_A_FILE,
        permission=_TAKE,
        expiry=expiry,
    )
    if found.more:
        raise TooManyForAFile(most=f"{MOST_IN_A_FILE:,}")
    return found.people


# Each of these returns its headings and, for each person at each place, as many cells.
_Part = tuple[tuple[str, ...], dict[tuple[int, int], list[Cell]]]


def _spread(people: Collection[Match], cells: dict[int, list[Cell]], width: int) -> Any:
    """Return what is so wherever the person works, for each of their places."""
    return {
        (one.contact_id, place): cells.get(one.contact_id, [None] * width)
        for one in people
        for _workplace, place in one.places
    }


def _ids(people: Collection[Match]) -> list[int]:
    return [one.contact_id for one in people]


def _work(session: Session, scope: Scope, people: Collection[Match], as_at: date) -> _Part:
    jobs = session.scalars(
        scope.select(Job, permission=_TAKE)
        .where(Job.contact_id.in_(_ids(people)), known(Job), covers(Job, as_at))
        .order_by(Job.id)
    ).all()
    places = {
        place
        for job in jobs
        for place in (job.workplace_id, job.area_id, job.employer_of_record_id)
        if place is not None
    }
    names = names_of(session, scope, places)
    wanted = {job.shift_id for job in jobs if job.shift_id is not None}
    shifts: dict[int, str] = {}
    if wanted:
        rows = session.execute(scope.select(Shift.id, Shift.name).where(Shift.id.in_(wanted)))
        shifts = {int(shift_id): str(name) for shift_id, name in rows}
    cells: dict[tuple[int, int], list[Cell]] = {}
    for job in jobs:
        cells[job.contact_id, job.place_id] = [
            names.get(job.workplace_id),
            names.get(job.area_id or 0),
            shifts.get(job.shift_id or 0),
            job.job_title,
            names.get(job.employer_of_record_id or 0),
            None if job.contract_type is None else job.contract_type.value.replace("_", " "),
            None if job.from_is_first_seen else job.valid_from,
        ]
    width = len(HEADINGS[ColumnGroup.WORK])
    return HEADINGS[ColumnGroup.WORK], _spread(people, {}, width) | cells


def _details(session: Session, scope: Scope, people: Collection[Match], as_at: date) -> _Part:
    points = _points(session, scope, _ids(people))
    cells: dict[int, list[Cell]] = {}
    for contact_id, kinds in points.items():
        phones = [without_plus(one) for one in kinds.get(PointKind.PHONE, [])]
        mails = kinds.get(PointKind.EMAIL, [])
        address = kinds.get(PointKind.ADDRESS, [])
        cells[contact_id] = [*_padded(phones), *_padded(mails), next(iter(address), None)]
    headings = HEADINGS[ColumnGroup.DETAILS]
    return headings, _spread(people, cells, len(headings))


def _padded(values: list[str]) -> list[Cell]:
    kept = values[:MOST_POINTS]
    return [*kept, *[None] * (MOST_POINTS - len(kept))]


def _points(
    session: Session, scope: Scope, contact_ids: list[int]
) -> dict[int, dict[PointKind, list[str]]]:
    """Return what is known to reach each person by; without what is known not to work."""
    rows = session.scalars(
        scope.select(ContactPoint, permission=_TAKE)
        .where(
            ContactPoint.contact_id.in_(contact_ids),
            known(ContactPoint),
            sa.or_(ContactPoint.state.is_(None), ContactPoint.state != PointState.BAD),
        )
        .order_by(ContactPoint.id)
    )
    found: dict[int, dict[PointKind, list[str]]] = {}
    for row in rows:
        found.setdefault(row.contact_id, {}).setdefault(row.kind, []).append(row.value)
    return found


def _membership(session: Session, scope: Scope, people: Collection[Match], as_at: date) -> _Part:
    rows = session.scalars(
        scope.select(Membership, permission=_TAKE)
        .where(
            Membership.contact_id.in_(_ids(people)),
            known(Membership),
            covers(Membership, as_at),
        )
        .order_by(Membership.status != MembershipStatus.MEMBER, Membership.id)
    ).all()
    names = names_of(session, scope, {row.union_id for row in rows if row.union_id is not None})
    spans = _spans(session, scope, people, as_at)
    first: dict[int, Membership] = {}
    for row in rows:
        first.setdefault(row.contact_id, row)
    cells: dict[tuple[int, int], list[Cell]] = {}
    for key, span in spans.items():
        held = first.get(key[0])
        is_member = held is not None and held.status is MembershipStatus.MEMBER
        cells[key] = [
            span.member,
            names.get(held.union_id or 0) if held is not None and is_member else None,
            held.valid_from if held is not None and is_member else None,
        ]
    return HEADINGS[ColumnGroup.MEMBERSHIP], _spread(people, {}, 3) | cells


def _standing(session: Session, scope: Scope, people: Collection[Match], as_at: date) -> _Part:
    cells: dict[tuple[int, int], list[Cell]] = {
        key: [span.score, span.scored_on, span.score_firm]
        for key, span in _spans(session, scope, people, as_at).items()
    }
    return HEADINGS[ColumnGroup.STANDING], _spread(people, {}, 3) | cells


def _spans(
    session: Session, scope: Scope, people: Collection[Match], as_at: date
) -> dict[tuple[int, int], Any]:
    rows = session.execute(
        scope.select(
            StateSpan.contact_id,
            StateSpan.place_id,
            StateSpan.member,
            StateSpan.score,
            StateSpan.scored_on,
            StateSpan.score_firm,
            permission=_TAKE,
        ).where(
            StateSpan.contact_id.in_(_ids(people)),
            StateSpan.from_day <= as_at,
            StateSpan.to_day > as_at,
        )
    )
    return {(row.contact_id, row.place_id): row for row in rows}


def _talks(session: Session, scope: Scope, people: Collection[Match], as_at: date) -> _Part:
    rows = session.execute(
        scope.select(Conversation.contact_id, sa.func.max(Conversation.day), permission=_TAKE)
        .where(Conversation.contact_id.in_(_ids(people)), Conversation.day <= as_at)
        .group_by(Conversation.contact_id)
    )
    cells: dict[int, list[Cell]] = {int(contact_id): [day] for contact_id, day in rows}
    return HEADINGS[ColumnGroup.TALKS], _spread(people, cells, 1)


def _own(session: Session, scope: Scope, people: Collection[Match], as_at: date) -> _Part:
    ids = _ids(people)
    tags: dict[int, list[str]] = {}
    for contact_id, name in session.execute(
        scope.select(ContactTag.contact_id, Tag.name, permission=_TAKE)
        .join(Tag, Tag.id == ContactTag.tag_id)
        .where(ContactTag.contact_id.in_(ids))
        .order_by(Tag.name_key, Tag.id)
    ):
        tags.setdefault(contact_id, []).append(name)
    fields = session.execute(
        scope.select(CustomField.id, CustomField.name)
        .where(CustomField.subject == FieldSubject.CONTACT)
        .order_by(CustomField.name_key, CustomField.id)
    ).all()
    answers: dict[tuple[int, int], Cell] = {}
    for answer, choice in session.execute(
        scope.select(ContactAnswer, FieldChoice.name, permission=_TAKE)
        .outerjoin(FieldChoice, FieldChoice.id == ContactAnswer.choice_id)
        .where(ContactAnswer.contact_id.in_(ids))
    ):
        values = (answer.text_value, answer.number_value, answer.day_value, answer.flag_value)
        held = next((value for value in values if value is not None), choice)
        answers[answer.contact_id, answer.field_id] = held
    asked = {field_id for _contact, field_id in answers}
    shown = [field for field in fields if field.id in asked]
    cells: dict[int, list[Cell]] = {
        one: [
            ", ".join(tags.get(one, ())) or None,
            *(answers.get((one, field.id)) for field in shown),
        ]
        for one in ids
    }
    headings = (*HEADINGS[ColumnGroup.OWN], *(field.name for field in shown))
    return headings, _spread(people, cells, len(headings))


def _cards(
    session: Session, scope: Scope, people: Collection[Match], contacts: dict[int, Contact]
) -> tuple[Card, ...]:
    named = [one for one in people if not one.placeholder and not one.do_not_contact]
    points = _points(session, scope, _ids(named))
    found = []
    for one in named:
        kinds = points.get(one.contact_id, {})
        found.append(
            Card(
                public_id=one.public_id,
                known_as=one.name,
                full_name=contacts[one.contact_id].full_name,
                phones=tuple(kinds.get(PointKind.PHONE, ())),
                emails=tuple(kinds.get(PointKind.EMAIL, ())),
            )
        )
    return tuple(found)
