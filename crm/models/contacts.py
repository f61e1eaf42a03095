"""People: contacts, how to reach them, their jobs, their memberships, and the derived spans."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import (
    ContractType,
    FieldGroup,
    HowKnown,
    LegalBasis,
    MembershipSource,
    PointKind,
    PointState,
)
from crm.models.base import (
    AtPlace,
    Base,
    OfContact,
    Public,
    Recorded,
    Scoped,
    Spell,
    enum_of,
    spell_check,
)


class Contact(Public, Scoped, Base):
    """A worker we know of: by the name they use, or as a placeholder until the first talk."""

    __tablename__ = "contact"
    __table_args__ = (
        sa.CheckConstraint(
            "known_as IS NOT NULL OR placeholder_label IS NOT NULL", name="has_a_name_or_label"
        ),
        sa.Index("ix_contact_name_key", "name_key"),
        sa.Index(
            "ix_contact_merged_into_id",
            "merged_into_id",
            # Nearly nobody was; with all in it, SQLite took it for those who were not.
            sqlite_where=sa.column("merged_into_id").is_not(None),
            postgresql_where=sa.column("merged_into_id").is_not(None),
        ),
        # Those whom somebody added, the newest first: the log offers them.
        sa.Index("ix_contact_created", "created_by_id", "created_at"),
        # Whom nobody is to speak to: looked for as one list beside those who may be spoken to.
        sa.Index(
            "ix_contact_do_not_contact",
            "id",
            sqlite_where=sa.column("do_not_contact").is_(True),
            postgresql_where=sa.column("do_not_contact").is_(True),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    known_as: Mapped[str | None] = mapped_column(sa.String(120))
    full_name: Mapped[str | None] = mapped_column(sa.String(200))
    # "Night packer 3": stands for a person nobody could name yet.
    placeholder_label: Mapped[str | None] = mapped_column(sa.String(120))
    # Folded names (accents, case, apostrophes away), for search and order.
    name_key: Mapped[str] = mapped_column(sa.String(330))
    pronouns: Mapped[str | None] = mapped_column(sa.String(40))
    languages: Mapped[list[str] | None]
    how_known: Mapped[HowKnown | None] = mapped_column(enum_of(HowKnown))
    do_not_contact: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    version: Mapped[int] = mapped_column(default=1)
    # The record that this one was put into: scopes leave such rows out, see scope.py. No foreign
    # key: SQLite could not take one away again without copying the table that all others name.
    merged_into_id: Mapped[int | None]


class ContactPoint(Public, Recorded, OfContact, Base):
    """A phone number, mail address or postal address of a contact."""

    __tablename__ = "contact_point"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[PointKind] = mapped_column(enum_of(PointKind))
    value: Mapped[str] = mapped_column(sa.String(300))
    # Digits only for phones, folded text otherwise, so that any written form is found.
    value_key: Mapped[str] = mapped_column(sa.String(300), index=True)
    label: Mapped[str | None] = mapped_column(sa.String(40))
    state: Mapped[PointState | None] = mapped_column(enum_of(PointState))


class FieldBasis(Public, Recorded, OfContact, Base):
    """The basis, and where it is consent the words agreed to, for one group of facts."""

    __tablename__ = "field_basis"

    id: Mapped[int] = mapped_column(primary_key=True)
    field_group: Mapped[FieldGroup] = mapped_column(enum_of(FieldGroup))
    basis: Mapped[LegalBasis] = mapped_column(enum_of(LegalBasis))
    given_on: Mapped[date]
    withdrawn_on: Mapped[date | None]
    wording: Mapped[str | None] = mapped_column(sa.String(300))


class Job(Public, Spell, AtPlace, OfContact, Base):
    """A person's work at a workplace for the days [valid_from, valid_to).

    place_id is the area when it is known, else the workplace: it is what scopes look at.
    """

    __tablename__ = "job"
    __table_args__ = (
        spell_check(),
        sa.Index("ix_job_contact_place", "contact_id", "superseded_at", "place_id"),
        sa.Index("ix_job_workplace_from_to", "workplace_id", "valid_from", "valid_to"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    workplace_id: Mapped[int] = mapped_column(sa.ForeignKey("workplace.id"))
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"))
    shift_id: Mapped[int | None] = mapped_column(sa.ForeignKey("shift.id"))
    job_title: Mapped[str | None] = mapped_column(sa.String(120))
    # Who pays the wages; null = not known. Agency staff have another employer than the site's.
    employer_of_record_id: Mapped[int | None] = mapped_column(sa.ForeignKey("employer.id"))
    contract_type: Mapped[ContractType | None] = mapped_column(enum_of(ContractType))
    # True when valid_from is only the day we first knew of them, not the day they started.
    from_is_first_seen: Mapped[bool] = mapped_column(default=False)


class Membership(Public, Spell, OfContact, Base):
    """What is known of a person's membership of a union, or of none, over days.

    Null union with status not_member means: not in any union.
    """

    __tablename__ = "membership"
    __table_args__ = (
        spell_check(),
        sa.CheckConstraint("status <> 'member' OR union_id IS NOT NULL", name="member_of_a_union"),
        sa.Index("ix_membership_union_from_to", "union_id", "valid_from", "valid_to"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    union_id: Mapped[int | None] = mapped_column(sa.ForeignKey("trade_union.id"))
    branch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("branch.id"), index=True)
    status: Mapped[MembershipStatus] = mapped_column(enum_of(MembershipStatus))
    source: Mapped[MembershipSource | None] = mapped_column(enum_of(MembershipSource))


class StateSpan(AtPlace, OfContact, Base):
    """Derived: one person's state at one workplace over [from_day, to_day).

    Made only by crm/access/spans.py from jobs, memberships and assessments as known now; it can
    always be dropped and rebuilt. Null member = not known; null score = not asked.
    """

    __tablename__ = "state_span"
    __table_args__ = (
        sa.Index("ix_state_span_contact_from", "contact_id", "from_day"),
        sa.Index(
            "ix_state_span_to_from_workplace",
            "to_day",
            "from_day",
            "workplace_id",
            "member",
            "score",
        ),
        sa.Index("ix_state_span_workplace_to", "workplace_id", "to_day", "from_day"),
    )
    audited = False  # Derived from audited facts in the same transaction.

    id: Mapped[int] = mapped_column(primary_key=True)
    workplace_id: Mapped[int] = mapped_column(sa.ForeignKey("workplace.id"))
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"))
    from_day: Mapped[date]
    # 9999-12-31 stands for "still so": an index range needs a value, not a null.
    to_day: Mapped[date]
    member: Mapped[bool | None]
    score: Mapped[int | None]
    scored_on: Mapped[date | None]
    score_firm: Mapped[bool | None]
