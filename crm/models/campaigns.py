"""Campaigns, and the structure tests that show how strong a group is before it acts.

The list of a test is frozen once and never changes: later joiners are not on it, and those who
leave stay on it. What people did is a dated fact like others: corrected by a new row.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.structure import Deed, Evidence, Rung, VotedHow, WhyNot
from crm.models.base import AtPlace, Base, OfContact, Public, Recorded, enum_of


class Campaign(Public, AtPlace, Base):
    """Something that a group fights for. place_id: the group whose campaign it is.

    target: of everyone on a list, in per cent; null = the group has set none.
    """

    __tablename__ = "campaign"
    __table_args__ = (
        sa.CheckConstraint("to_day IS NULL OR to_day >= from_day", name="dates_in_order"),
        sa.CheckConstraint("target IS NULL OR target BETWEEN 1 AND 100", name="target_per_cent"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    from_day: Mapped[date]
    to_day: Mapped[date | None]
    target: Mapped[int | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    version: Mapped[int] = mapped_column(default=1)


class CampaignUnit(AtPlace, Base):
    """A place whose workers a campaign is about, or was until a day.

    from_day: null = since the campaign began. ended_on: null = still; the row stays, so that those
    who were on its lists still see them.
    """

    __tablename__ = "campaign_unit"
    __table_args__ = (sa.UniqueConstraint("campaign_id", "place_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(sa.ForeignKey("campaign.id"), index=True)
    from_day: Mapped[date | None]
    ended_on: Mapped[date | None]


class Demand(Public, AtPlace, Base):
    """Something a campaign asks for, and how members decided on it. place_id: the campaign's.

    voted_on null: not voted yet. The counts are null when nobody counted.
    """

    __tablename__ = "demand"
    __table_args__ = (
        sa.CheckConstraint(
            "(votes_for IS NULL OR votes_for >= 0)"
            " AND (votes_against IS NULL OR votes_against >= 0)",
            name="votes_counted",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(sa.ForeignKey("campaign.id"), index=True)
    words: Mapped[str] = mapped_column(sa.String(300))
    voted_on: Mapped[date | None]
    voted_how: Mapped[VotedHow | None] = mapped_column(enum_of(VotedHow))
    votes_for: Mapped[int | None]
    votes_against: Mapped[int | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    # The day from which the campaign no longer asks for it.
    dropped_on: Mapped[date | None]


class StructureTest(Public, AtPlace, Base):
    """One thing that everybody on a frozen list was asked to do.

    place_id: where those who run it hold: the one place of the list, or the campaign's own.
    as_at: the day by which people were put on the list; frozen_at: the moment that was done.
    """

    __tablename__ = "structure_test"
    __table_args__ = (
        sa.CheckConstraint("target IS NULL OR target BETWEEN 1 AND 100", name="target_per_cent"),
        sa.CheckConstraint("closes_on IS NULL OR closes_on >= as_at", name="dates_in_order"),
        sa.CheckConstraint("people >= 1", name="has_people"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(sa.ForeignKey("campaign.id"), index=True)
    kind: Mapped[Rung] = mapped_column(enum_of(Rung))
    name: Mapped[str] = mapped_column(sa.String(120))
    target: Mapped[int | None]
    as_at: Mapped[date]
    frozen_at: Mapped[datetime]
    frozen_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    # How many people were put on the list.
    people: Mapped[int]
    closes_on: Mapped[date | None]
    # The list was wrong, or the test was not held: it counts nowhere, and stays readable.
    called_off_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class BasePlace(AtPlace, Base):
    """A place whose workers were put on the list of a test."""

    __tablename__ = "base_place"
    __table_args__ = (sa.UniqueConstraint("test_id", "place_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    test_id: Mapped[int] = mapped_column(sa.ForeignKey("structure_test.id"), index=True)


class ListEntry(Public, AtPlace, OfContact, Base):
    """Somebody on the frozen list of a test, as they were then. Each person once; never changed.

    place_id: the area where they worked, or the workplace: it is what scopes look at.
    """

    __tablename__ = "list_entry"
    __table_args__ = (
        sa.UniqueConstraint("test_id", "contact_id"),
        sa.UniqueConstraint("test_id", "number"),
    )
    # Written in one act with the test, whose own row says who froze how many people, and when.
    audited = False

    id: Mapped[int] = mapped_column(primary_key=True)
    test_id: Mapped[int] = mapped_column(sa.ForeignKey("structure_test.id"))
    # 1 and up, in the order of the printed list.
    number: Mapped[int]
    workplace_id: Mapped[int] = mapped_column(sa.ForeignKey("workplace.id"), index=True)
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"))
    shift_id: Mapped[int | None] = mapped_column(sa.ForeignKey("shift.id"))
    # Where they stood; null = not asked. The judgement of the latest day, and whose it was.
    rating: Mapped[int | None]
    firm: Mapped[bool | None]
    stood_on: Mapped[date | None]
    assessor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    # The leader they listened to, themselves for a leader; null = nobody known.
    leader_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id"), index=True)


_BELIEVED = sa.column("superseded_at").is_(None)


class Participation(Public, Recorded, AtPlace, OfContact, Base):
    """What somebody on a list did, as one of us wrote it down. No row: not known.

    place_id: that of the entry. day: when they did it, or when we learned that they did not.
    """

    __tablename__ = "participation"
    __table_args__ = (
        sa.CheckConstraint("why IS NULL OR deed = 'did_not'", name="why_they_did_not"),
        # Two who tap at the same moment must not both be believed.
        sa.Index(
            "uq_participation_believed",
            "entry_id",
            unique=True,
            sqlite_where=_BELIEVED,
            postgresql_where=_BELIEVED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    test_id: Mapped[int] = mapped_column(sa.ForeignKey("structure_test.id"), index=True)
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("list_entry.id"), index=True)
    deed: Mapped[Deed] = mapped_column(enum_of(Deed))
    why: Mapped[WhyNot | None] = mapped_column(enum_of(WhyNot))
    evidence: Mapped[Evidence | None] = mapped_column(enum_of(Evidence))
    day: Mapped[date]
    # When it was tapped on a phone that sent it later; null = when it was recorded.
    typed_at: Mapped[datetime | None]
