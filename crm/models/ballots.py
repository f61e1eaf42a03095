"""Ballots: what is asked of whom, the list of those entitled, counts, and projections.

Nothing here says how anybody voted. Whether somebody told us that they voted stands in
``vote_told`` alone; it leaves no trace in the audit log, and is deleted when the result is
declared, or 90 days after the last day of voting.
"""

from __future__ import annotations

from datetime import date, datetime
from secrets import randbelow
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from crm.domain.vocabulary import BallotKind, NotEntitled, QuestionKind, VoteWord
from crm.models.base import AtPlace, Base, OfContact, Public, enum_of

# The largest key that both databases hold.
MOST_KEY: Final = 2**31 - 1


class OfBallot:
    """A table whose rows belong to the ballot in ``ballot_id``."""

    @declared_attr
    def ballot_id(cls) -> Mapped[int]:  # noqa: N805 - declared_attr methods receive the class
        """The ballot that the row belongs to."""
        return mapped_column(sa.ForeignKey("ballot.id"), index=True)


class Ballot(Public, AtPlace, Base):
    """A ballot of the members at some workplaces inside the place that holds it.

    separate: each workplace votes for itself; else all their papers are counted together.
    jurisdiction: a code of crm/domain/rules.py; a part may lie in another one.
    frozen_on: the day whose records made the list of those entitled; null = not made yet.
    """

    __tablename__ = "ballot"
    __table_args__ = (
        sa.CheckConstraint(
            "opens_on IS NULL OR closes_on IS NULL OR closes_on >= opens_on", name="dates_in_order"
        ),
        sa.CheckConstraint("(frozen_on IS NULL) = (frozen_at IS NULL)", name="frozen_at_a_moment"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[BallotKind] = mapped_column(enum_of(BallotKind))
    union_id: Mapped[int] = mapped_column(sa.ForeignKey("trade_union.id"))
    jurisdiction: Mapped[str] = mapped_column(sa.String(8))
    separate: Mapped[bool]
    # Null = nobody has said; the rules that ask for it are then not applied, and the page says so.
    important_public_service: Mapped[bool | None]
    # The employer agreed to a shorter notice or a longer mandate, where the law lets it.
    employer_agreed: Mapped[bool] = mapped_column(default=False)
    # Of a recognition ballot: the day of the application, which picks the rules.
    applied_on: Mapped[date | None]
    opens_on: Mapped[date | None]
    closes_on: Mapped[date | None]
    # The last day on which a paper put in the post still arrives in time.
    last_post_on: Mapped[date | None]
    ballot_notice_on: Mapped[date | None]
    members_told_on: Mapped[date | None]
    employers_told_on: Mapped[date | None]
    action_notice_on: Mapped[date | None]
    action_starts_on: Mapped[date | None]
    action_ended_on: Mapped[date | None]
    # True: action without a break; False: on single days; null = not decided.
    action_continuous: Mapped[bool | None]
    action_days: Mapped[str | None] = mapped_column(sa.String(300))
    frozen_on: Mapped[date | None]
    frozen_at: Mapped[datetime | None]
    declared_at: Mapped[datetime | None]
    declared_on: Mapped[date | None]
    called_off_on: Mapped[date | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    version: Mapped[int] = mapped_column(default=1)


class BallotQuestion(Public, AtPlace, OfBallot, Base):
    """A question on the paper. words: only where the kind does not say it."""

    __tablename__ = "ballot_question"
    __table_args__ = (sa.UniqueConstraint("ballot_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    kind: Mapped[QuestionKind] = mapped_column(enum_of(QuestionKind))
    words: Mapped[str | None] = mapped_column(sa.String(200))


class BallotPart(Public, AtPlace, OfBallot, Base):
    """A workplace whose members are asked. stated_members: as the union counts them there."""

    __tablename__ = "ballot_part"
    __table_args__ = (
        sa.UniqueConstraint("ballot_id", "place_id"),
        sa.CheckConstraint(
            "stated_members IS NULL OR stated_members >= 0", name="stated_not_negative"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    jurisdiction: Mapped[str] = mapped_column(sa.String(8))
    stated_members: Mapped[int | None]


class BallotCount(Public, AtPlace, OfBallot, Base):
    """The count of one question, in one part or (part null) over all parts together.

    Null = not published or not known. It is at the place of its part, or of the ballot.
    """

    __tablename__ = "ballot_count"
    __table_args__ = (sa.Index("ix_ballot_count_question_part", "question_id", "part_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(sa.ForeignKey("ballot_question.id"))
    part_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ballot_part.id"))
    entitled: Mapped[int | None]
    cast: Mapped[int | None]
    yes: Mapped[int | None]
    no: Mapped[int | None]
    spoiled: Mapped[int | None]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))


class BallotEntry(Public, AtPlace, OfContact, OfBallot, Base):
    """One person of the list made for a ballot: entitled, or not and why.

    place_id: where they worked on that day, so that their reps see them and nobody else does.
    """

    __tablename__ = "ballot_entry"
    __table_args__ = (
        sa.UniqueConstraint("ballot_id", "contact_id"),
        sa.CheckConstraint("(left_out IS NULL) = (entitled = true)", name="left_out_with_a_reason"),
    )
    audited = False  # Made from audited facts in one act, which leaves a row with the counts.

    id: Mapped[int] = mapped_column(primary_key=True)
    part_id: Mapped[int] = mapped_column(sa.ForeignKey("ballot_part.id"), index=True)
    entitled: Mapped[bool]
    left_out: Mapped[NotEntitled | None] = mapped_column(enum_of(NotEntitled, 32))
    # What they do, for the categories of a notice; null = not known.
    category: Mapped[str | None] = mapped_column(sa.String(120))


class BallotExclusion(Public, AtPlace, OfContact, OfBallot, Base):
    """Somebody decided that a member has no vote in a ballot, and why; until taken back."""

    __tablename__ = "ballot_exclusion"

    id: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[NotEntitled] = mapped_column(enum_of(NotEntitled, 32))
    made_at: Mapped[datetime]
    made_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None]


class VoteTold(AtPlace, OfContact, OfBallot, Base):
    """What one person told a rep of whether they vote, and papers asked for. Never how.

    No moment and no author: whoever holds a copy of the database learns no order of voting.
    """

    __tablename__ = "vote_told"
    __table_args__ = (sa.UniqueConstraint("ballot_id", "contact_id"),)
    audited = False  # The log cannot be erased, and these rows are when the result is declared.

    # Drawn by lot: keys in a row would tell who told us first, and with the papers who voted when.
    id: Mapped[int] = mapped_column(primary_key=True, default=lambda: randbelow(MOST_KEY) + 1)
    said: Mapped[VoteWord | None] = mapped_column(enum_of(VoteWord))
    new_paper_asked: Mapped[bool] = mapped_column(default=False)
    new_paper_sent: Mapped[bool] = mapped_column(default=False)


class BallotForecast(Public, AtPlace, OfBallot, Base):
    """A projection that was kept, to be scored when the result is known. Sums only.

    Shares are fractions of 1; low and high hold 80% of the drawn ballots. turnout_points: 19
    quantiles of the turnout, from 5% to 95%. chance: that every test is passed.
    """

    __tablename__ = "ballot_forecast"

    id: Mapped[int] = mapped_column(primary_key=True)
    part_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ballot_part.id"))
    made_on: Mapped[date]
    made_at: Mapped[datetime]
    made_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    entitled: Mapped[int]
    not_asked: Mapped[int]
    turnout_low: Mapped[float]
    turnout_median: Mapped[float]
    turnout_high: Mapped[float]
    yes_low: Mapped[float]
    yes_median: Mapped[float]
    yes_high: Mapped[float]
    turnout_points: Mapped[list[float]] = mapped_column(sa.JSON)
    chance: Mapped[float]
