"""What somebody has said of the law of ballots: rows they checked, and changes that have begun.

The rows themselves are files (crm/domain/reference/rules). They are public, and so are these.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base, Public, Recorded


class RuleCheck(Public, Recorded, Base):
    """Somebody has read the source of a row again and found that the row says the same.

    words_hash: of all that the row said then. A row whose words have changed since is not checked.
    """

    __tablename__ = "rule_check"
    __table_args__ = (sa.Index("ix_rule_check_rule_hash", "rule_id", "words_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_id: Mapped[str] = mapped_column(sa.String(80))
    words_hash: Mapped[str] = mapped_column(sa.String(64))
    checked_on: Mapped[date]


class LawChange(Public, Recorded, Base):
    """The first day of a change of law that the files name without one."""

    __tablename__ = "law_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    change_id: Mapped[str] = mapped_column(sa.String(80), index=True)
    began_on: Mapped[date]
    # Where it is laid down, such as the number of the regulations.
    source: Mapped[str] = mapped_column(sa.String(200))
