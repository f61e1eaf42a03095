"""The declarative base, column types and the mixins that mark dated and scoped tables."""

from __future__ import annotations

import enum
import uuid
from datetime import UTC, date, datetime
from typing import Any, ClassVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A moment in UTC: aware in Python on both databases, naive text inside SQLite."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return the moment in UTC. Raises ValueError for a moment without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone cannot be stored.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return the stored moment as an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table of one organisation's database."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        uuid.UUID: sa.Uuid(),
        dict[str, Any]: sa.JSON(),
        list[str]: sa.JSON(),
    }

    # Rows of an audited table leave an audit entry at every insert, update and delete.
    # A table that opts out says why beside the line.
    audited: ClassVar[bool] = True
    # Columns whose values must not be copied into the audit log (secrets, hashes, file bytes).
    audit_hides: ClassVar[frozenset[str]] = frozenset()


def enum_of(kind: type[enum.StrEnum], length: int = 24) -> sa.Enum:
    """Return a column type that stores the enum's value as text, checked by the database."""
    return sa.Enum(
        kind,
        native_enum=False,
        length=length,
        create_constraint=True,
        validate_strings=True,
        values_callable=lambda members: [member.value for member in members],
        name=_snake(kind.__name__),
    )


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).strip(
        "_"
    )


class Scoped:
    """Marks a table whose rows only a scope may select. See crm/access/scope.py."""


class AtPlace(Scoped):
    """A scoped table whose rows belong to the place in ``place_id``."""

    @declared_attr
    def place_id(cls) -> Mapped[int]:  # noqa: N805 - declared_attr methods receive the class
        """The workplace or area that the row belongs to."""
        return mapped_column(sa.ForeignKey("place.id"), index=True)


class OfContact(Scoped):
    """A scoped table whose rows are details of the person in ``contact_id``."""

    @declared_attr
    def contact_id(cls) -> Mapped[int]:  # noqa: N805 - declared_attr methods receive the class
        """The contact that the row describes."""
        return mapped_column(sa.ForeignKey("contact.id"), index=True)


class OfCase(Scoped):
    """A scoped table whose rows belong to the case in ``case_id``: only its team reads them."""

    @declared_attr
    def case_id(cls) -> Mapped[int]:  # noqa: N805 - declared_attr methods receive the class
        """The case that the row belongs to."""
        return mapped_column(sa.ForeignKey("case_file.id"), index=True)


class Public:
    """Adds the random id that stands in addresses; the integer key never leaves the server."""

    public_id: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)


class Recorded:
    """When a fact was learned and by whom, and when a correction took its place.

    The fact was known at moment K when recorded_at <= K and superseded_at is null or > K.
    A correction is a new row; the old one only gets superseded_at.
    """

    recorded_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]

    @declared_attr
    def recorded_by_id(cls) -> Mapped[int | None]:  # noqa: N805 - as above
        """The user who recorded it; null for a loader or the command line."""
        return mapped_column(sa.ForeignKey("user_account.id"))


class Spell(Recorded):
    """A fact true for the days [valid_from, valid_to); null valid_to means it still holds."""

    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


def spell_check() -> sa.CheckConstraint:
    """Return the constraint that a spell does not end before it starts."""
    return sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates_in_order")


def table_of(model: type[Base]) -> sa.Table:
    """Return the table of a mapped class, for statements that need no objects."""
    return cast(sa.Table, model.__table__)
