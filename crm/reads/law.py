"""The law of ballots as known here: changes that have begun, and rows that were checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import known
from crm.access.scope import Scope
from crm.domain.rules import Rule
from crm.models.law import LawChange, RuleCheck
from crm.reads.people import names_of_users


@dataclass(frozen=True, slots=True)
class Checked:
    """When a row was last held against its source, and by whom (a name, None = not known)."""

    on: date
    by: str | None


def begun_changes(session: Session, scope: Scope) -> dict[str, date]:
    """Return the first day of each change of law that somebody has said to have begun.

    The law is the same for everybody, so the scope takes nothing away. One statement.
    """
    rows = session.execute(
        sa.select(LawChange.change_id, LawChange.began_on).where(known(LawChange))
    )
    return {str(change): day for change, day in rows}


def checks_of_rows(session: Session, scope: Scope) -> dict[tuple[str, str], Checked]:
    """Return the last check of each row, by the row's id and `words_hash`. Two statements."""
    rows = session.execute(
        sa.select(
            RuleCheck.rule_id,
            RuleCheck.words_hash,
            RuleCheck.checked_on,
            RuleCheck.recorded_by_id,
        )
        .where(known(RuleCheck))
        .order_by(RuleCheck.checked_on, RuleCheck.id)
    ).all()
    names = names_of_users(session, {row[3] for row in rows if row[3] is not None})
    return {(row[0], row[1]): Checked(row[2], names.get(row[3] or 0)) for row in rows}


def check_of(rule: Rule, checks: Mapping[tuple[str, str], Checked]) -> Checked | None:
    """Return the last check of a row: one of these, or the one that the file itself names."""
    found = checks.get((rule.id, rule.words_hash))
    if rule.verified_on is not None and (found is None or found.on < rule.verified_on):
        return Checked(rule.verified_on, rule.verified_by)
    return found
