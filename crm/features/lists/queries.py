"""What a filter can be made of, and whom a list can be shared with, in the reader's scope."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.contact_filter import ContactFilter
from crm.domain.people_columns import ColumnGroup, FileKind
from crm.domain.vocabulary import FieldKind, FieldSubject, PlaceKind
from crm.models.contacts import Job, Membership
from crm.models.lists import CustomField, FieldChoice, FileRecipe, Tag
from crm.models.places import Place, PlaceClosure, Shift, Workplace
from crm.reads.places import Choice, places_to_filter

# A select with more lines than this cannot be used.
MOST_CHOICES = 300


@dataclass(frozen=True, slots=True)
class Offered:
    """What the form of a filter offers. kinds: of the fields, by their public id as text.

    choices: of the fields with choices, names by public id, by the field's public id as text.
    """

    places: list[Choice]
    shifts: list[Choice]
    employers: list[Choice]
    unions: list[Choice]
    tags: list[Choice]
    fields: list[Choice]
    kinds: dict[str, FieldKind]
    choices: dict[str, dict[uuid.UUID, str]]


def what_to_filter_by(session: Session, scope: Scope, chosen: ContactFilter | None) -> Offered:
    """Return what the reader can ask for. Nine statements at most.

    chosen: the filter the form starts with; its place is offered too, if it may be seen.
    """
    fields = session.execute(
        scope.select(CustomField.id, CustomField.public_id, CustomField.name, CustomField.kind)
        .where(CustomField.subject == FieldSubject.CONTACT)
        .order_by(CustomField.retired_on.is_not(None), CustomField.name_key, CustomField.id)
        .limit(MOST_CHOICES)
    ).all()
    of_fields = {row.id: str(row.public_id) for row in fields}
    choices: dict[str, dict[uuid.UUID, str]] = {}
    if any(row.kind is FieldKind.CHOICE for row in fields):
        found = session.execute(
            scope.select(FieldChoice.field_id, FieldChoice.public_id, FieldChoice.name)
            .where(FieldChoice.field_id.in_(sorted(of_fields)))
            .order_by(FieldChoice.id)
        )
        for field_id, public_id, name in found:
            choices.setdefault(of_fields[field_id], {})[public_id] = name
    return Offered(
        places=places_to_filter(session, scope, chosen.place if chosen else None),
        shifts=_shifts(session, scope),
        employers=_named(
            session,
            scope,
            Place.id.in_(sa.select(Job.employer_of_record_id).where(known(Job))),
        ),
        unions=_named(
            session,
            scope,
            Place.id.in_(sa.select(Membership.union_id).where(known(Membership))),
        ),
        tags=tags_of_people(session, scope),
        fields=[Choice(str(row.public_id), row.name) for row in fields],
        kinds={str(row.public_id): row.kind for row in fields},
        choices=choices,
    )


def tags_of_people(session: Session, scope: Scope, *, in_use: bool = False) -> list[Choice]:
    """Return the tags for people by name; in_use: without those that are retired."""
    wanted = (
        scope.select(Tag.public_id, Tag.name)
        .where(Tag.subject == FieldSubject.CONTACT)
        .order_by(Tag.name_key, Tag.id)
        .limit(MOST_CHOICES)
    )
    if in_use:
        wanted = wanted.where(Tag.retired_on.is_(None))
    return [Choice(str(public_id), name) for public_id, name in session.execute(wanted)]


def places_to_share_with(session: Session, scope: Scope) -> list[Choice]:
    """Return the places whose people the reader may see: everything, branches, then workplaces."""
    kinds = (PlaceKind.EVERYTHING, PlaceKind.BRANCH, PlaceKind.WORKPLACE)
    order = sa.case({kind: number for number, kind in enumerate(kinds)}, value=Place.kind)
    rows = session.execute(
        scope.select(Place.public_id, Place.name, permission=Permission.CONTACT_READ)
        .where(Place.kind.in_(kinds), Place.closed_on.is_(None))
        .order_by(order, Place.name, Place.id)
        .limit(MOST_CHOICES)
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


def _shifts(session: Session, scope: Scope) -> list[Choice]:
    rows = session.execute(
        scope.select(Shift.public_id, Shift.name, Workplace.name.label("workplace"))
        .join(PlaceClosure, PlaceClosure.descendant_id == Shift.place_id)
        .join(Workplace, Workplace.id == PlaceClosure.ancestor_id)
        .order_by(Workplace.name, Shift.name, Shift.id)
        .limit(MOST_CHOICES)
    )
    return [Choice(str(row.public_id), f"{row.workplace}: {row.name}") for row in rows]


def _named(session: Session, scope: Scope, condition: sa.ColumnElement[bool]) -> list[Choice]:
    rows = session.execute(
        scope.select(Place.public_id, Place.name)
        .where(condition)
        .order_by(Place.name, Place.id)
        .limit(MOST_CHOICES)
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What somebody took into a file last."""

    kind: FileKind
    groups: tuple[ColumnGroup, ...]


def find_recipe(session: Session, scope: Scope) -> Recipe | None:
    """Return the kind and columns of the actor's last file; None before the first."""
    row = session.scalars(
        scope.select(FileRecipe).where(FileRecipe.owner_id == scope.actor_id)
    ).one_or_none()
    if row is None:
        return None
    # A column that this program does not know any more is passed over.
    known = set(ColumnGroup)
    return Recipe(row.kind, tuple(ColumnGroup(one) for one in row.columns if one in known))
