"""Who may be here twice, worked out in the background: what is kept of each person to be found by,
and the pairs that were found.

No foreign keys to people: a record that goes must not be kept by a guess about it. What has gone is
taken out at the next look.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import AtPlace, Base, Scoped


class PersonBlock(Scoped, Base):
    """A number that stands for something of a person: a phone, two words of the name.

    Nobody reads it: only the look itself, which sees everybody.
    """

    __tablename__ = "person_block"
    __table_args__ = {"sqlite_with_rowid": False}
    audited = False  # Derived from audited facts.

    number: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    contact_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)


class PersonLook(Scoped, Base):
    """When somebody was last held against all others."""

    __tablename__ = "person_look"
    audited = False  # As above.

    contact_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    looked_at: Mapped[datetime]


class LikePair(Scoped, Base):
    """Two people who may be one. Read by those who see both: else it would tell of one."""

    __tablename__ = "like_pair"
    __table_args__ = (
        sa.UniqueConstraint("contact_id", "other_id"),
        sa.Index("ix_like_pair_points", "points"),
    )
    audited = False  # As above.

    id: Mapped[int] = mapped_column(primary_key=True)
    # The smaller key first.
    contact_id: Mapped[int]
    other_id: Mapped[int] = mapped_column(index=True)
    points: Mapped[float]
    # Whether the names agree and something else is shared: then enough points make it sure.
    can_be_sure: Mapped[bool]
    # Codes of the reasons, each with its points; nothing that anybody is called.
    reasons: Mapped[dict[str, Any]]
    found_at: Mapped[datetime]


class DifferentPlaces(AtPlace, Base):
    """Somebody looked at these two workplaces and said that they are not the same."""

    __tablename__ = "different_places"
    __table_args__ = (sa.UniqueConstraint("place_id", "other_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    # The smaller key is place_id.
    other_id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), index=True)
    said_at: Mapped[datetime]
    said_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))


class LikenessState(Base):
    """How far the look is: one row.

    rules: of the program that made the pairs; another program looks at everybody anew. seen_entry:
    the last entry of the trail that was dealt with. looked_at: when nobody was left to look at.
    """

    __tablename__ = "likeness_state"
    audited = False  # Holds no fact about anybody.

    id: Mapped[int] = mapped_column(primary_key=True)
    rules: Mapped[int]
    seen_entry: Mapped[int]
    looked_at: Mapped[datetime | None]
