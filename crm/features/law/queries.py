"""Reads for the page of rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.rules import Change, Rule, RuleBook
from crm.models.law import LawChange
from crm.reads.law import Checked, check_of, checks_of_rows


@dataclass(frozen=True, slots=True)
class Row:
    """A row of law. checked: None = nobody has yet. due: its check is too old, or there is none."""

    rule: Rule
    checked: Checked | None
    due: bool


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change of law. began_on: None = no day is known."""

    change: Change
    began_on: date | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Book:
    """The rows of one jurisdiction, in the order of the file. may_write: the actor keeps them."""

    code: str
    name: str
    note: str | None
    rows: tuple[Row, ...]
    changes: tuple[ChangeRow, ...]
    may_write: bool

    @property
    def unchecked(self) -> int:
        """How many rows nobody has checked, or must be looked at again."""
        return sum(row.due for row in self.rows)


def read_book(
    session: Session, scope: Scope, book: RuleBook, *, on: date | None, today: date
) -> Book:
    """Return the rows of a jurisdiction; with `on`, only those in force that day.

    Three statements.
    """
    checks = checks_of_rows(session, scope)
    changes = session.execute(
        sa.select(LawChange.change_id, LawChange.began_on, LawChange.source).where(known(LawChange))
    )
    said = {change_id: (began, source) for change_id, began, source in changes}
    begun = {change_id: began for change_id, (began, _source) in said.items()}
    rules = [rule for rule in book.rules if on is None or rule.holds_on(on, begun)]
    rows = []
    for rule in rules:
        checked = check_of(rule, checks)
        # Checked since it was due again: the next look is then for the file to say.
        late = rule.review_by is not None and rule.review_by < today
        due = checked is None or (
            late and rule.review_by is not None and checked.on < rule.review_by
        )
        rows.append(Row(rule, checked, due))
    return Book(
        code=book.code,
        name=book.name,
        note=book.note,
        rows=tuple(rows),
        changes=tuple(
            ChangeRow(change, *said.get(change.id, (None, None))) for change in book.changes
        ),
        may_write=scope.may(Permission.UNION_WRITE) and scope.nodes(Permission.UNION_WRITE) is None,
    )
