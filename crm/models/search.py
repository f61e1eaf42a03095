"""What a search for people reads: a line of folded words for each job, and the words themselves.

Derived from contacts, phones, jobs and areas by crm/access/search_index.py, and by nothing else.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import AtPlace, Base, OfContact

# Both tell which names there are: crm/access/scope.py locks them as it locks the scoped tables.
# SQLite keeps the trigrams of the lines in a table of its own, which triggers keep in step.
SQLITE_INDEX = "search_entry_fts"


class SearchEntry(AtPlace, OfContact, Base):
    """One person's job as a search sees it: names, job title and area, phones.

    A line for each job, so that a search never tells of a job at a place out of scope. What is
    written in notes is not in it.
    """

    __tablename__ = "search_entry"
    __table_args__ = (
        sa.Index(
            "ix_search_entry_words",
            "words",
            postgresql_using="gin",
            postgresql_ops={"words": "gin_trgm_ops"},
        ).ddl_if(dialect="postgresql"),
    )
    audited = False  # Derived from audited facts in the same transaction.

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(sa.ForeignKey("job.id", ondelete="CASCADE"), unique=True)
    valid_from: Mapped[date]
    # 9999-12-31 stands for "still so", as in state_span.
    valid_to: Mapped[date]
    words: Mapped[str] = mapped_column(sa.Text)


class SearchCut(Base):
    """A word that stands in some line, under a number that words with a slip share with it."""

    __tablename__ = "search_cut"
    __table_args__ = {"sqlite_with_rowid": False}
    audited = False  # Derived, as above.

    cut: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
