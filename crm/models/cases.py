"""Grievances and other cases, which only their team may read.

Every table here is locked by crm/access/scope.py to the people on the case team, whatever role
others hold: organisers, branch officers and administrators included.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.vocabulary import CaseKind, CaseMatter, CaseOutcome, CaseRole, CaseStep
from crm.models.base import AtPlace, Base, OfCase, Public, enum_of


class Case(Public, AtPlace, Base):
    """A case of one worker or of many, at a workplace or an area of one.

    reference: what the team calls it; the screen asks for words that name nobody.
    """

    __tablename__ = "case_file"
    __table_args__ = (
        sa.CheckConstraint("affected IS NULL OR affected > 0", name="affected_people"),
        sa.CheckConstraint("(closed_on IS NULL) = (outcome IS NULL)", name="closed_with_outcome"),
        sa.CheckConstraint("closed_on IS NULL OR closed_on >= opened_on", name="dates_in_order"),
    )
    # The words stay in one place only, so that taking them out there takes them out.
    audit_hides = frozenset({"outcome_words"})

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(sa.String(80))
    kind: Mapped[CaseKind] = mapped_column(enum_of(CaseKind))
    matter: Mapped[CaseMatter] = mapped_column(enum_of(CaseMatter))
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]
    outcome: Mapped[CaseOutcome | None] = mapped_column(enum_of(CaseOutcome))
    outcome_words: Mapped[str | None] = mapped_column(sa.Text)
    # How many workers it is about, as the team reckons; null = not known.
    affected: Mapped[int | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    version: Mapped[int] = mapped_column(default=1)


class CaseTeamMember(Public, OfCase, Base):
    """A user on the team of a case, until they leave or are taken off. The lock reads this."""

    __tablename__ = "case_team_member"
    __table_args__ = (
        sa.Index(
            "uq_case_team_member_open",
            "case_id",
            "user_id",
            unique=True,
            sqlite_where=sa.column("left_at").is_(None),
            postgresql_where=sa.column("left_at").is_(None),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    joined_at: Mapped[datetime]
    added_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    left_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))


class CasePerson(Public, OfCase, Base):
    """A contact who has a part in a case. Read only by the team, and only while the contact is
    in the reader's scope."""

    __tablename__ = "case_person"
    __table_args__ = (
        sa.Index(
            "uq_case_person_open",
            "case_id",
            "contact_id",
            unique=True,
            sqlite_where=sa.column("removed_at").is_(None),
            postgresql_where=sa.column("removed_at").is_(None),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id"), index=True)
    role: Mapped[CaseRole] = mapped_column(enum_of(CaseRole))
    added_at: Mapped[datetime]
    added_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    removed_at: Mapped[datetime | None]


class CaseDeadline(Public, OfCase, Base):
    """A day by which something in a case has to be done."""

    __tablename__ = "case_deadline"

    id: Mapped[int] = mapped_column(primary_key=True)
    due_on: Mapped[date] = mapped_column(index=True)
    what: Mapped[str] = mapped_column(sa.String(120))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))


class CaseEntry(Public, OfCase, Base):
    """What happened in a case on a day, or a note about it. Written once, never changed."""

    __tablename__ = "case_entry"
    audit_hides = frozenset({"words"})

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    step: Mapped[CaseStep] = mapped_column(enum_of(CaseStep))
    words: Mapped[str | None] = mapped_column(sa.Text)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
