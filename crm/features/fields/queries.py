"""The tags and fields there are, where one may make them, and whom a form is about."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.audit import record_view
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.domain.vocabulary import FieldKind, FieldSubject, PlaceKind
from crm.models.lists import CustomField, FieldChoice, Tag
from crm.models.places import Place, Workplace
from crm.reads.fields import ChoiceSeen, Extras, choices_of, extras_of_contact, extras_of_place
from crm.reads.people import get_contact, shown_name
from crm.reads.places import Choice, get_place

# A select with more lines than this cannot be used.
MOST_PLACES = 300
# The place of a tag or field is a branch, or everything.
_KINDS = (PlaceKind.EVERYTHING, PlaceKind.BRANCH)


@dataclass(frozen=True, slots=True)
class Definition:
    """A tag, or a field (kind is then set), as its makers see it. at: the name of its place."""

    public_id: uuid.UUID
    subject: FieldSubject
    name: str
    hint: str | None
    kind: FieldKind | None
    choices: tuple[ChoiceSeen, ...]
    retired: bool
    version: int
    at: str
    place_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Made:
    """What was made at one place: first the tags, then the fields, by name."""

    place_id: uuid.UUID
    name: str
    tags: tuple[Definition, ...]
    fields: tuple[Definition, ...]


@dataclass(frozen=True, slots=True)
class About:
    """Whom the form is about, and what is known. mark: of what was known when it was read."""

    name: str
    extras: Extras


def places_to_define(session: Session, scope: Scope) -> list[Choice]:
    """Return everything and the branches where this scope may make tags, everything first.

    At most MOST_PLACES.
    """
    rows = session.execute(
        scope.select(Place.public_id, Place.name, permission=Permission.PLACE_WRITE)
        .where(Place.kind.in_(_KINDS), Place.closed_on.is_(None))
        .order_by(Place.kind != PlaceKind.EVERYTHING, Place.name, Place.id)
        .limit(MOST_PLACES)
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


def list_definitions(session: Session, scope: Scope) -> list[Made]:
    """Return the tags and fields this scope may change, by place. Three statements."""
    write = Permission.PLACE_WRITE
    tags = session.execute(
        scope.select(Tag, Place.public_id, Place.name, permission=write)
        .select_from(Tag)
        .join(Place, Place.id == Tag.place_id)
        .order_by(Place.name, Tag.name_key, Tag.id)
    ).all()
    fields = session.execute(
        scope.select(CustomField, Place.public_id, Place.name, permission=write)
        .select_from(CustomField)
        .join(Place, Place.id == CustomField.place_id)
        .order_by(Place.name, CustomField.name_key, CustomField.id)
    ).all()
    choices = choices_of(session, scope, [field.id for field, _at, _name in fields])
    names = {at: name for _one, at, name in (*tags, *fields)}
    return [
        Made(
            place_id=at,
            name=name,
            tags=tuple(_tag(tag, at, name) for tag, where, _name in tags if where == at),
            fields=tuple(
                _field(field, at, name, choices.get(field.id, ()))
                for field, where, _name in fields
                if where == at
            ),
        )
        for at, name in sorted(names.items(), key=lambda pair: pair[1])
    ]


def read_tag(session: Session, scope: Scope, public_id: uuid.UUID) -> Definition:
    """Return a tag that the actor may change. Raises NotFound."""
    tag, at, name = _one(session, scope, Tag, public_id)
    return _tag(tag, at, name)


def read_field(session: Session, scope: Scope, public_id: uuid.UUID) -> Definition:
    """Return a field that the actor may change. Raises NotFound."""
    field, at, name = _one(session, scope, CustomField, public_id)
    return _field(field, at, name, choices_of(session, scope, [field.id]).get(field.id, ()))


def read_choice(
    session: Session, scope: Scope, public_id: uuid.UUID
) -> tuple[Definition, ChoiceSeen, int]:
    """Return the field, one of its choices and its version. Raises NotFound."""
    choice: FieldChoice | None = session.scalars(
        scope.select(FieldChoice, permission=Permission.PLACE_WRITE).where(
            FieldChoice.public_id == public_id
        )
    ).one_or_none()
    if choice is None:
        raise NotFound(f"choice {public_id}")
    row = session.execute(
        scope.select(CustomField, Place.public_id, Place.name, permission=Permission.PLACE_WRITE)
        .select_from(CustomField)
        .join(Place, Place.id == CustomField.place_id)
        .where(CustomField.id == choice.field_id)
    ).one()
    choices = choices_of(session, scope, [choice.field_id])[choice.field_id]
    seen = next(one for one in choices if one.public_id == public_id)
    return _field(row[0], row[1], row[2], choices), seen, choice.version


def read_of_contact(session: Session, scope: Scope, public_id: uuid.UUID, *, note: bool) -> About:
    """Return the tags and fields of a person whom the actor may change. Raises NotFound.

    note: True to record that somebody looked, for a form that shows what is known.
    """
    contact = get_contact(session, scope, public_id, permission=Permission.CONTACT_WRITE)
    if note:
        record_view(session, contact_id=contact.id, contact_public_id=public_id)
    return About(shown_name(contact), extras_of_contact(session, scope, contact.id))


def read_of_place(session: Session, scope: Scope, public_id: uuid.UUID) -> About:
    """Return the tags and fields of a workplace that the actor may change. Raises NotFound."""
    place = get_place(session, scope, Workplace, public_id, permission=Permission.PLACE_WRITE)
    return About(place.name, extras_of_place(session, scope, place.id))


def get_definition_place(session: Session, scope: Scope, public_id: uuid.UUID) -> Place:
    """Return the branch, or everything, where the actor may make tags. Raises NotFound."""
    place: Place = get_place(session, scope, Place, public_id, permission=Permission.PLACE_WRITE)
    if place.kind not in _KINDS:
        raise NotFound(f"branch {public_id}")
    return place


def _one(session: Session, scope: Scope, model: Any, public_id: uuid.UUID) -> Any:
    row = session.execute(
        scope.select(model, Place.public_id, Place.name, permission=Permission.PLACE_WRITE)
        .select_from(model)
        .join(Place, Place.id == model.place_id)
        .where(model.public_id == public_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"{model.__name__} {public_id}")
    return row


def _tag(tag: Tag, at: uuid.UUID, name: str) -> Definition:
    return Definition(
        tag.public_id,
        tag.subject,
        tag.name,
        None,
        None,
        (),
        tag.retired_on is not None,
        tag.version,
        name,
        at,
    )


def _field(
    field: CustomField, at: uuid.UUID, name: str, choices: tuple[ChoiceSeen, ...]
) -> Definition:
    return Definition(
        field.public_id,
        field.subject,
        field.name,
        field.hint,
        field.kind,
        choices,
        field.retired_on is not None,
        field.version,
        name,
        at,
    )


def count_at(session: Session, scope: Scope, model: Any, place_id: int) -> int:
    """Return how many tags, or fields, are made at a place already, retired ones too."""
    found = session.execute(
        scope.select(sa.func.count(model.id)).where(model.place_id == place_id)
    ).scalar_one()
    return int(found)
