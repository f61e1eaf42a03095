"""Making tags and fields, and writing down what they say of people and workplaces.

A name can change at any time: what is stored points at the tag, field or choice, not at its name.
Nothing here is deleted. What is retired stays where it is and is offered to nobody else.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.custom_fields import Answer
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.identity import fold
from crm.domain.vocabulary import FieldKind, FieldSubject
from crm.features.fields.queries import count_at, get_definition_place
from crm.models.contacts import Contact
from crm.models.lists import (
    ContactAnswer,
    ContactTag,
    CustomField,
    FieldChoice,
    PlaceAnswer,
    PlaceTag,
    Tag,
)
from crm.models.places import Place, Workplace
from crm.reads.fields import Extras, FieldSeen, extras_of_contact, extras_of_place

# More than anybody can choose from on a phone.
MOST_TAGS = 100
MOST_FIELDS = 40
MOST_CHOICES = 50

_COLUMNS = {
    FieldKind.TEXT: "text_value",
    FieldKind.NUMBER: "number_value",
    FieldKind.DAY: "day_value",
    FieldKind.YES_NO: "flag_value",
    FieldKind.CHOICE: "choice_id",
}


class NameNeeded(Refusal):
    """The name holds no letter or digit."""

    default_message = "Write a name with at least one letter or number in it."


class NameTaken(Refusal):
    """There is one of this name at the place already."""

    default_message = (
        "There is one with this name already. Choose another name. If it is retired, bring it back."
    )


class TooMany(Refusal):
    """The place has as many as can be used."""

    default_message = "There are %(most)s already, and that is the most. Rename one of them."


class ChoicesNeeded(Refusal):
    """A field to choose from without two choices."""

    default_message = "Write at least two choices, each on its own line."


class LastChoices(Refusal):
    """Fewer than two choices would be left."""

    default_message = "A field needs at least two choices. Retire the field, or add a choice first."


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed about a person or workplace.

    tags: the tags to be on. answers: of every field that the form had, None = not known.
    mark: ``Extras.mark`` of what the form was made from.
    """

    tags: Collection[uuid.UUID]
    answers: Mapping[uuid.UUID, Answer | None]
    mark: str


# --- Tags and fields --------------------------------------------------------------------------


def add_tag(
    session: Session,
    scope: Scope,
    place: uuid.UUID,
    subject: FieldSubject,
    name: str,
    *,
    now: datetime,
) -> None:
    """Make a tag at a branch, or for everything.

    Raises NotFound where the actor may not, NameNeeded, NameTaken, TooMany.
    """
    at = _room(session, scope, place, Tag, MOST_TAGS)
    key = _free_key(session, scope, Tag, name, place_id=at.id, subject=subject)
    session.add(
        Tag(
            place_id=at.id,
            subject=subject,
            name=name,
            name_key=key,
            created_at=now,
            created_by_id=scope.actor_id,
        )
    )


def add_field(
    session: Session,
    scope: Scope,
    place: uuid.UUID,
    subject: FieldSubject,
    kind: FieldKind,
    name: str,
    *,
    hint: str | None,
    choices: Sequence[str],
    now: datetime,
) -> None:
    """Make a field at a branch, or for everything.

    choices: for the kind "choice" only, in the order in which they are offered.
    Raises NotFound where the actor may not, NameNeeded, NameTaken, TooMany, ChoicesNeeded.
    """
    at = _room(session, scope, place, CustomField, MOST_FIELDS)
    key = _free_key(session, scope, CustomField, name, place_id=at.id, subject=subject)
    field = CustomField(
        place_id=at.id,
        subject=subject,
        kind=kind,
        name=name,
        name_key=key,
        hint=hint,
        created_at=now,
        created_by_id=scope.actor_id,
    )
    session.add(field)
    if kind is not FieldKind.CHOICE:
        return
    by_key = {_key(one): one for one in choices}
    if len(by_key) < 2:
        raise ChoicesNeeded()
    if len(by_key) > MOST_CHOICES:
        raise TooMany(most=MOST_CHOICES)
    session.flush()
    for choice_key, choice in by_key.items():
        session.add(
            FieldChoice(place_id=at.id, field_id=field.id, name=choice, name_key=choice_key)
        )


def rename_tag(
    session: Session, scope: Scope, public_id: uuid.UUID, name: str, *, version: int
) -> None:
    """Give a tag another name; it stays on everybody. Raises NotFound, EditConflict, NameTaken."""
    tag = _held(session, scope, Tag, public_id)
    _check_version(tag, version, name=name)
    tag.name_key = _free_key(
        session, scope, Tag, name, but=tag.id, place_id=tag.place_id, subject=tag.subject
    )
    tag.name = name
    tag.version += 1


def rename_field(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    name: str,
    *,
    hint: str | None,
    version: int,
) -> None:
    """Give a field another name or hint; all answers stay.

    Raises NotFound, EditConflict, NameNeeded, NameTaken.
    """
    field = _held(session, scope, CustomField, public_id)
    _check_version(field, version, name=name, hint=hint)
    field.name_key = _free_key(
        session,
        scope,
        CustomField,
        name,
        but=field.id,
        place_id=field.place_id,
        subject=field.subject,
    )
    field.name = name
    field.hint = hint
    field.version += 1


def add_choice(session: Session, scope: Scope, field_id: uuid.UUID, name: str) -> None:
    """Offer one more choice. Raises NotFound, NameNeeded, NameTaken, TooMany."""
    field = _held(session, scope, CustomField, field_id)
    if field.kind is not FieldKind.CHOICE:
        raise NotFound(f"field with choices {field_id}")
    if len(_choices(session, scope, field.id)) >= MOST_CHOICES:
        raise TooMany(most=MOST_CHOICES)
    key = _free_key(session, scope, FieldChoice, name, field_id=field.id)
    session.add(FieldChoice(place_id=field.place_id, field_id=field.id, name=name, name_key=key))


def rename_choice(
    session: Session, scope: Scope, public_id: uuid.UUID, name: str, *, version: int
) -> None:
    """Give a choice another name; whoever has it keeps it. Raises NotFound, EditConflict."""
    choice = _held(session, scope, FieldChoice, public_id)
    _check_version(choice, version, name=name)
    choice.name_key = _free_key(
        session, scope, FieldChoice, name, but=choice.id, field_id=choice.field_id
    )
    choice.name = name
    choice.version += 1


def retire_tag(
    session: Session, scope: Scope, public_id: uuid.UUID, retired: bool, *, today: date
) -> None:
    """Offer a tag no longer, or again. It stays on everybody who has it. Raises NotFound."""
    _retire(_held(session, scope, Tag, public_id), retired, today)


def retire_field(
    session: Session, scope: Scope, public_id: uuid.UUID, retired: bool, *, today: date
) -> None:
    """Ask a field no longer, or again. All answers stay. Raises NotFound."""
    _retire(_held(session, scope, CustomField, public_id), retired, today)


def retire_choice(
    session: Session, scope: Scope, public_id: uuid.UUID, retired: bool, *, today: date
) -> None:
    """Offer a choice no longer, or again; whoever has it keeps it. Raises NotFound, LastChoices."""
    choice = _held(session, scope, FieldChoice, public_id)
    left = [
        one
        for one in _choices(session, scope, choice.field_id)
        if one.retired_on is None and one.id != choice.id
    ]
    if retired and len(left) < 2:
        raise LastChoices()
    _retire(choice, retired, today)


# --- What they say of somebody ----------------------------------------------------------------


def set_of_contact(
    session: Session, scope: Scope, public_id: uuid.UUID, typed: Typed, *, now: datetime
) -> bool:
    """Store the tags and answers about a person; return True when something changed.

    Raises NotFound when the person is out of scope, or a tag, field or choice is not theirs;
    EditConflict when somebody else changed them since the form was made.
    """
    contact: Contact | None = session.scalars(
        scope.select(Contact, permission=Permission.CONTACT_WRITE)
        .where(Contact.public_id == public_id)
        # Two who save about the same person wait for each other.
        .with_for_update(of=Contact)
    ).one_or_none()
    if contact is None:
        raise NotFound(f"contact {public_id}")
    known = extras_of_contact(session, scope, contact.id)
    return _set(session, scope, known, typed, {"contact_id": contact.id}, now)


def set_of_place(
    session: Session, scope: Scope, public_id: uuid.UUID, typed: Typed, *, now: datetime
) -> bool:
    """Store the tags and answers about a workplace; as ``set_of_contact``."""
    place: Workplace | None = session.scalars(
        scope.select(Workplace, permission=Permission.PLACE_WRITE)
        .where(Workplace.public_id == public_id)
        .with_for_update(of=Place)
    ).one_or_none()
    if place is None:
        raise NotFound(f"workplace {public_id}")
    known = extras_of_place(session, scope, place.id)
    return _set(session, scope, known, typed, {"place_id": place.id}, now)


def _set(
    session: Session,
    scope: Scope,
    known: Extras,
    typed: Typed,
    about: dict[str, int],
    now: datetime,
) -> bool:
    tags = {tag.public_id: tag for tag in known.tags}
    fields = {field.public_id: field for field in known.fields}
    if not set(typed.tags) <= set(tags) or not set(typed.answers) <= set(fields):
        raise NotFound("a tag or field of somebody else")
    if typed.mark != known.mark:
        raise EditConflict(current=_said(known), yours=_typed(known, typed))
    of_contact = "contact_id" in about
    tag_use: Any = ContactTag if of_contact else PlaceTag
    answer_use: Any = ContactAnswer if of_contact else PlaceAnswer
    by = {"set_at": now, "set_by_id": scope.actor_id}
    changed = False
    for tag in known.tags:
        wanted = tag.public_id in typed.tags
        if wanted and not tag.on:
            session.add(tag_use(tag_id=tag.tag_id, **about, **by))
        elif tag.on and not wanted:
            session.delete(_row(session, scope, tag_use, tag_id=tag.tag_id, **about))
        changed = changed or wanted != tag.on
    for public_id, answer in typed.answers.items():
        field = fields[public_id]
        held: Any = field.choice if field.kind is FieldKind.CHOICE else field.value
        if answer == held:
            continue
        changed = True
        if held is None:
            values = _columns(field, answer)
            session.add(answer_use(field_id=field.field_id, **about, **by, **values))
            continue
        row = _row(session, scope, answer_use, field_id=field.field_id, **about)
        if answer is None:
            session.delete(row)
        else:
            for name, value in {**_columns(field, answer), **by}.items():
                setattr(row, name, value)
    return changed


def _columns(field: FieldSeen, answer: Answer | None) -> dict[str, Any]:
    value: Any = answer
    if field.kind is FieldKind.CHOICE:
        offered = {one.public_id: one.choice_id for one in field.offered()}
        value = offered.get(answer) if isinstance(answer, uuid.UUID) else None
        if value is None:
            raise NotFound(f"choice {answer}")
    return {_COLUMNS[field.kind]: value}


def _row(session: Session, scope: Scope, model: Any, **key: int) -> Any:
    return session.scalars(
        scope.select(model).where(*(getattr(model, name) == at for name, at in key.items()))
    ).one()


def _said(known: Extras) -> dict[str, object]:
    found: dict[str, object] = {str(field.public_id): field.value for field in known.fields}
    return {
        **found,
        "tags": tuple(tag.name for tag in known.on),
        "mark": known.mark,
    }


def _typed(known: Extras, typed: Typed) -> dict[str, object]:
    found: dict[str, object] = {}
    for field in known.fields:
        answer = typed.answers.get(field.public_id)
        names = {one.public_id: one.name for one in field.choices}
        found[str(field.public_id)] = names.get(answer) if isinstance(answer, uuid.UUID) else answer
    return {
        **found,
        "tags": tuple(tag.name for tag in known.tags if tag.public_id in typed.tags),
    }


# --- Shared -----------------------------------------------------------------------------------


def _room(session: Session, scope: Scope, place: uuid.UUID, model: Any, most: int) -> Place:
    at = get_definition_place(session, scope, place)
    if count_at(session, scope, model, at.id) >= most:
        raise TooMany(most=most)
    return at


def _key(name: str) -> str:
    key = fold(name)[:200]
    if not key:
        raise NameNeeded()
    return key


def _free_key(
    session: Session, scope: Scope, model: Any, name: str, *, but: int = 0, **at: Any
) -> str:
    key = _key(name)
    same = session.execute(
        scope.select(model.id).where(
            model.name_key == key,
            model.id != but,
            *(getattr(model, column) == value for column, value in at.items()),
        )
    ).first()
    if same is not None:
        raise NameTaken()
    return key


def _held(session: Session, scope: Scope, model: Any, public_id: uuid.UUID) -> Any:
    found = session.scalars(
        scope.select(model, permission=Permission.PLACE_WRITE)
        .where(model.public_id == public_id)
        .with_for_update(of=model)
    ).one_or_none()
    if found is None:
        raise NotFound(f"{model.__name__} {public_id}")
    return found


def _choices(session: Session, scope: Scope, field_id: int) -> Sequence[FieldChoice]:
    rows: Sequence[FieldChoice] = session.scalars(
        scope.select(FieldChoice).where(FieldChoice.field_id == field_id)
    ).all()
    return rows


def _check_version(row: Any, version: int, **yours: object) -> None:
    if row.version != version:
        current = {name: getattr(row, name) for name in yours}
        raise EditConflict(current={**current, "version": row.version}, yours=yours)


def _retire(row: Any, retired: bool, today: date) -> None:
    if retired != (row.retired_on is not None):
        row.retired_on = today if retired else None
        row.version += 1
