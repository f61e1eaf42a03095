"""Tags and fields as this reader sees them, and what they say of one person or workplace."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.vocabulary import FieldKind, FieldSubject
from crm.models.contacts import Job
from crm.models.lists import (
    ContactAnswer,
    ContactTag,
    CustomField,
    FieldChoice,
    PlaceAnswer,
    PlaceTag,
    Tag,
)
from crm.models.places import PlaceClosure, Workplace


@dataclass(frozen=True, slots=True)
class TagSeen:
    """A tag. on: it is on the person or workplace that was asked for. retired: no longer put on."""

    tag_id: int
    public_id: uuid.UUID
    name: str
    retired: bool
    on: bool


@dataclass(frozen=True, slots=True)
class ChoiceSeen:
    """One answer that a field offers; retired: only those who have it already keep it."""

    choice_id: int
    public_id: uuid.UUID
    name: str
    retired: bool


@dataclass(frozen=True, slots=True)
class FieldSeen:
    """A field and its answer. value: words, number, day or yes/no; None = not known.

    Of a choice, value is its name and choice its public id.
    """

    field_id: int
    public_id: uuid.UUID
    name: str
    hint: str | None
    kind: FieldKind
    retired: bool
    choices: tuple[ChoiceSeen, ...]
    value: str | float | date | bool | None
    choice: uuid.UUID | None

    def offered(self) -> tuple[ChoiceSeen, ...]:
        """Return the choices a form offers: those in use, and the one that is held."""
        return tuple(one for one in self.choices if not one.retired or one.public_id == self.choice)


@dataclass(frozen=True, slots=True)
class Extras:
    """All tags and fields for one person or workplace, by name, with what is known.

    Retired ones are here only where they hold something.
    """

    tags: tuple[TagSeen, ...]
    fields: tuple[FieldSeen, ...]

    @property
    def on(self) -> tuple[TagSeen, ...]:
        """The tags that are on."""
        return tuple(tag for tag in self.tags if tag.on)

    @property
    def mark(self) -> str:
        """A short mark of what is known: it differs as soon as one answer or tag does."""
        held = [
            *(str(tag.public_id) for tag in self.on),
            *(f"{one.public_id}={one.choice or one.value!r}" for one in self.fields),
        ]
        return hashlib.sha256("\n".join(held).encode()).hexdigest()[:16]


def extras_of_contact(session: Session, scope: Scope, contact_id: int) -> Extras:
    """Return the tags and fields for a person. contact_id: inner id of one the scope sees.

    Offered are those whose place holds a workplace that the person has, or had, a job at, of the
    jobs the scope sees. At most three statements.
    """
    nodes = (
        sa.select(PlaceClosure.ancestor_id)
        .join(Job, Job.place_id == PlaceClosure.descendant_id)
        .where(Job.contact_id == contact_id, known(Job))
    )
    about = FieldSubject.CONTACT
    return _extras(session, scope, about, nodes, ContactTag, ContactAnswer, contact_id)


def extras_of_place(session: Session, scope: Scope, place_id: int) -> Extras:
    """Return the tags and fields for a workplace. place_id: inner id of one the scope sees."""
    nodes = sa.select(PlaceClosure.ancestor_id).where(PlaceClosure.descendant_id == place_id)
    return _extras(session, scope, FieldSubject.WORKPLACE, nodes, PlaceTag, PlaceAnswer, place_id)


def _extras(
    session: Session,
    scope: Scope,
    subject: FieldSubject,
    nodes: sa.Select[Any],
    tag_use: Any,
    answer: Any,
    about: int,
) -> Extras:
    of_tag = tag_use.contact_id if subject is FieldSubject.CONTACT else tag_use.place_id
    of_answer = answer.contact_id if subject is FieldSubject.CONTACT else answer.place_id
    tags = session.execute(
        scope.select(Tag, tag_use.set_at.is_not(None).label("put_on"))
        .select_from(Tag)
        .outerjoin(tag_use, sa.and_(tag_use.tag_id == Tag.id, of_tag == about))
        .where(
            Tag.subject == subject,
            sa.or_(
                tag_use.set_at.is_not(None),
                sa.and_(Tag.retired_on.is_(None), Tag.place_id.in_(nodes)),
            ),
        )
        .order_by(Tag.name_key, Tag.id)
    ).all()
    fields = session.execute(
        scope.select(CustomField, answer)
        .select_from(CustomField)
        .outerjoin(answer, sa.and_(answer.field_id == CustomField.id, of_answer == about))
        .where(
            CustomField.subject == subject,
            sa.or_(
                answer.field_id.is_not(None),
                sa.and_(CustomField.retired_on.is_(None), CustomField.place_id.in_(nodes)),
            ),
        )
        .order_by(CustomField.name_key, CustomField.id)
    ).all()
    choices = choices_of(
        session, scope, [row[0].id for row in fields if row[0].kind is FieldKind.CHOICE]
    )
    return Extras(
        tags=tuple(
            TagSeen(tag.id, tag.public_id, tag.name, tag.retired_on is not None, bool(put_on))
            for tag, put_on in tags
        ),
        fields=tuple(field_seen(one, choices.get(one.id, ()), held) for one, held in fields),
    )


def choices_of(
    session: Session, scope: Scope, field_ids: Iterable[int]
) -> dict[int, tuple[ChoiceSeen, ...]]:
    """Return the choices of each field, in the order they were made."""
    wanted = sorted(set(field_ids))
    if not wanted:
        return {}
    rows = session.scalars(
        scope.select(FieldChoice).where(FieldChoice.field_id.in_(wanted)).order_by(FieldChoice.id)
    )
    found: dict[int, list[ChoiceSeen]] = {}
    for row in rows:
        found.setdefault(row.field_id, []).append(
            ChoiceSeen(row.id, row.public_id, row.name, row.retired_on is not None)
        )
    return {field_id: tuple(some) for field_id, some in found.items()}


def field_seen(
    one: CustomField, choices: tuple[ChoiceSeen, ...], held: Any | None = None
) -> FieldSeen:
    """Return a field with the answer in the row ``held``; None = not known."""
    by_id: Mapping[int, ChoiceSeen] = {choice.choice_id: choice for choice in choices}
    chosen = by_id.get(held.choice_id) if held is not None else None
    return FieldSeen(
        field_id=one.id,
        public_id=one.public_id,
        name=one.name,
        hint=one.hint,
        kind=one.kind,
        retired=one.retired_on is not None,
        choices=choices,
        value=chosen.name if chosen is not None else _value(held),
        choice=chosen.public_id if chosen is not None else None,
    )


def _value(held: Any | None) -> str | float | date | bool | None:
    if held is None:
        return None
    for column in ("text_value", "number_value", "day_value", "flag_value"):
        value: str | float | date | bool | None = getattr(held, column)
        if value is not None:
            return value
    return None


def extras_of_workplace(session: Session, scope: Scope, public_id: uuid.UUID) -> Extras | None:
    """Return the tags and fields for a workplace that the scope holds whole; else None.

    Whoever holds only a part of it may not read the answers, and must not be told "not known".
    """
    row = session.execute(
        scope.select(Workplace.id).where(
            Workplace.public_id == public_id, scope.reach(Permission.PLACE_READ, Workplace.id)
        )
    ).one_or_none()
    return None if row is None else extras_of_place(session, scope, row.id)
