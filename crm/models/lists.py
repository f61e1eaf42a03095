"""Tags and fields that a branch makes for itself, what they say of somebody, and saved lists.

A definition belongs to a place: a branch, or everything. It is for the people and the workplaces
inside that place. What it says of somebody is a row; where there is no row nothing is known.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from crm.domain.people_columns import FileKind
from crm.domain.vocabulary import BulkKind, FieldKind, FieldSubject
from crm.models.base import AtPlace, Base, OfContact, Public, Scoped, enum_of


class Tag(Public, AtPlace, Base):
    """A word that a branch puts on people or on workplaces. Retired, it stays where it is."""

    __tablename__ = "tag"
    __table_args__ = (sa.UniqueConstraint("place_id", "subject", "name_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[FieldSubject] = mapped_column(enum_of(FieldSubject))
    name: Mapped[str] = mapped_column(sa.String(60))
    name_key: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    retired_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)


class CustomField(Public, AtPlace, Base):
    """A question that a branch wants answered about each person or workplace."""

    __tablename__ = "custom_field"
    __table_args__ = (sa.UniqueConstraint("place_id", "subject", "name_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[FieldSubject] = mapped_column(enum_of(FieldSubject))
    # Never changed: the answers that are stored would mean something else.
    kind: Mapped[FieldKind] = mapped_column(enum_of(FieldKind))
    name: Mapped[str] = mapped_column(sa.String(60))
    name_key: Mapped[str] = mapped_column(sa.String(200))
    hint: Mapped[str | None] = mapped_column(sa.String(200))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    retired_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)


class FieldChoice(Public, AtPlace, Base):
    """One answer that a field of kind "choice" offers. place_id is that of the field."""

    __tablename__ = "field_choice"
    __table_args__ = (sa.UniqueConstraint("field_id", "name_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    field_id: Mapped[int] = mapped_column(sa.ForeignKey("custom_field.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    name_key: Mapped[str] = mapped_column(sa.String(200))
    retired_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)


class _TagUse:
    """The row that a tag is on something, from when it was put there."""

    set_at: Mapped[datetime]

    @declared_attr
    def tag_id(cls) -> Mapped[int]:  # noqa: N805 - declared_attr methods receive the class
        """The tag."""
        return mapped_column(sa.ForeignKey("tag.id"), primary_key=True)

    @declared_attr
    def set_by_id(cls) -> Mapped[int | None]:  # noqa: N805 - as above
        """The user who put it there; null for a loader or the command line."""
        return mapped_column(sa.ForeignKey("user_account.id"))


class ContactTag(_TagUse, OfContact, Base):
    """A tag on a person."""

    __tablename__ = "contact_tag"

    contact_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id"), primary_key=True, index=True
    )


class PlaceTag(_TagUse, AtPlace, Base):
    """A tag on a workplace."""

    __tablename__ = "place_tag"

    place_id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), primary_key=True, index=True)


class _Answer:
    """The answer to a field: exactly one of the five columns holds it."""

    set_at: Mapped[datetime]
    text_value: Mapped[str | None] = mapped_column(sa.String(300))
    number_value: Mapped[float | None]
    day_value: Mapped[date | None]
    flag_value: Mapped[bool | None]

    @declared_attr
    def field_id(cls) -> Mapped[int]:  # noqa: N805 - as above
        """The field."""
        return mapped_column(sa.ForeignKey("custom_field.id"), primary_key=True)

    @declared_attr
    def choice_id(cls) -> Mapped[int | None]:  # noqa: N805 - as above
        """The choice, of a field of kind "choice"."""
        return mapped_column(sa.ForeignKey("field_choice.id"), index=True)

    @declared_attr
    def set_by_id(cls) -> Mapped[int | None]:  # noqa: N805 - as above
        """The user who wrote it; null for a loader or the command line."""
        return mapped_column(sa.ForeignKey("user_account.id"))


def _one_answer() -> sa.CheckConstraint:
    columns = ("text_value", "number_value", "day_value", "flag_value", "choice_id")
    held = " + ".join(f"CASE WHEN {name} IS NULL THEN 0 ELSE 1 END" for name in columns)
    return sa.CheckConstraint(f"{held} = 1", name="one_answer")


class ContactAnswer(_Answer, OfContact, Base):
    """What is known of a person for a field. No row = not known."""

    __tablename__ = "contact_answer"
    __table_args__ = (_one_answer(),)

    contact_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id"), primary_key=True, index=True
    )


class PlaceAnswer(_Answer, AtPlace, Base):
    """What is known of a workplace for a field. No row = not known."""

    __tablename__ = "place_answer"
    __table_args__ = (_one_answer(),)

    place_id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), primary_key=True, index=True)


class SavedList(Public, Scoped, Base):
    """A filter on people with a name. Whoever opens it sees the people of their own scope.

    Seen by its owner and, once shared, by whoever holds the place it is shared with, or a place
    inside it.
    """

    __tablename__ = "saved_list"
    # What somebody looks for can hold a name.
    audit_hides = frozenset({"filter"})

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    name_key: Mapped[str] = mapped_column(sa.String(200))
    # The words of crm/domain/contact_filter.py.
    filter: Mapped[dict[str, Any]]
    shared_with_id: Mapped[int | None] = mapped_column(sa.ForeignKey("place.id"), index=True)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class FileRecipe(Scoped, Base):
    """Which columns somebody took into a file of people last, so that the next one is the same."""

    __tablename__ = "file_recipe"
    # A habit of its owner. Each file taken out is in the trail with its columns.
    audited = False

    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), primary_key=True)
    kind: Mapped[FileKind] = mapped_column(enum_of(FileKind))
    # Values of ColumnGroup in crm/domain/people_columns.py.
    columns: Mapped[list[str]]


class BulkAction(Public, Scoped, Base):
    """One act on many people of a list: a tag put on or taken off, or reminders. Undone as one."""

    __tablename__ = "bulk_action"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    kind: Mapped[BulkKind] = mapped_column(enum_of(BulkKind))
    tag_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tag.id"))
    # How many people it changed something for; some of them the owner may not see any more.
    people: Mapped[int]
    made_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class BulkEntry(OfContact, Base):
    """Somebody for whom an act changed something."""

    __tablename__ = "bulk_entry"
    audited = False  # Made with the tag or reminder itself, which is audited.

    action_id: Mapped[int] = mapped_column(sa.ForeignKey("bulk_action.id"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id"), primary_key=True, index=True
    )
    follow_up_id: Mapped[int | None] = mapped_column(sa.ForeignKey("follow_up.id"))
    # Of a tag that was taken off: when and by whom it had been put on.
    was_set_at: Mapped[datetime | None]
    was_set_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    # The act was undone, but not for this person: somebody had changed it since.
    left_as_is: Mapped[bool] = mapped_column(default=False)
