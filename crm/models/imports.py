"""Lists that people bring: the file while it is worked on, and what each of its rows did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from crm.domain.vocabulary import ImportKind, ImportState, ListOrigin, RowOutcome, RowState
from crm.models.base import Base, Public, Scoped, enum_of


class ListImport(Public, Scoped, Base):
    """One list on its way in, visible to whoever brought it only."""

    __tablename__ = "list_import"
    audit_hides = frozenset(
        {"file_name", "sealed_file", "sealed_table", "sealed_front", "settings"}
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    kind: Mapped[ImportKind] = mapped_column(enum_of(ImportKind))
    origin: Mapped[ListOrigin] = mapped_column(enum_of(ListOrigin))
    origin_note: Mapped[str | None] = mapped_column(sa.String(300))
    file_name: Mapped[str] = mapped_column(sa.String(200))
    state: Mapped[ImportState] = mapped_column(
        enum_of(ImportState), default=ImportState.MATCHING, index=True
    )
    created_at: Mapped[datetime]
    # The file goes at this moment at the latest, and with it the way back.
    expires_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]
    # The file, and its rows as they were read and put right. Sealed to the server's secret, and
    # null once nothing needs them any more.
    sealed_file: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    sealed_table: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    # Of a long list what its pages show, so that they need not open the whole: sealed too.
    sealed_front: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    # How it is read and matched; see crm/features/imports/rules.py.
    settings: Mapped[dict[str, Any]]
    # Two tabs that check the same list: the later one must know what the earlier one did.
    version: Mapped[int] = mapped_column(default=1)


class ImportRow(Scoped, Base):
    """What one row of a list would do or did, without anything that stands in its cells."""

    __tablename__ = "import_row"
    __table_args__ = (
        sa.UniqueConstraint("import_id", "row_no"),
        sa.Index("ix_import_row_import_state", "import_id", "state", "row_no"),
    )
    audited = False  # What an import writes is in the audit rows of the records themselves.

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(sa.ForeignKey("list_import.id"))
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    row_no: Mapped[int]
    outcome: Mapped[RowOutcome] = mapped_column(enum_of(RowOutcome))
    state: Mapped[RowState] = mapped_column(enum_of(RowState), default=RowState.WAITING)
    # The person or place that the row is about, or became. No foreign key: a record that goes
    # must not be kept by the memory of where it came from.
    record_id: Mapped[int | None]
    # The names of what changes; the faults; the people it could be; what was stored, to undo it.
    changes: Mapped[list[str] | None]
    faults: Mapped[dict[str, Any] | None]
    candidates: Mapped[dict[str, Any] | None]
    effects: Mapped[dict[str, Any] | None]


class ImportRecipe(Scoped, Base):
    """How somebody matched the columns of a list, for the next list with the same headings."""

    __tablename__ = "import_recipe"
    __table_args__ = (sa.UniqueConstraint("owner_id", "kind", "headings_hash"),)
    audited = False  # A convenience of its owner; nothing of anybody on a list.

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    kind: Mapped[ImportKind] = mapped_column(enum_of(ImportKind))
    headings_hash: Mapped[str] = mapped_column(sa.String(64))
    used_at: Mapped[datetime]
    settings: Mapped[dict[str, Any]]
