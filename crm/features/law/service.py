"""Writing down which rows were checked, and on which day a change of law began."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import known, withdraw
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound, Refusal
from crm.domain.rules import Change, Rule, rule_books
from crm.models.law import LawChange, RuleCheck


class NothingTicked(Refusal):
    """No row was chosen."""

    default_message = "Tick the rules whose source you have read, then save."


class BeforeItWasMade(Refusal):
    """A change cannot begin before it was made."""

    default_message = "This change was made on a later day. Check the day it began."


class NoSource(Refusal):
    """Nobody could check the day again."""

    default_message = "Say where the day is laid down, such as the number of the regulations."


def row_key(rule: Rule) -> str:
    """Return what a form sends for a row: its id and all that it says, as a hash."""
    return f"{rule.id} {rule.words_hash}"


def check_rows(
    session: Session, scope: Scope, keys: Collection[str], *, now: datetime, today: date
) -> int:
    """Write down that the actor read the sources of these rows today; return how many.

    keys: as `row_key` makes them; others are left out, since the row has changed meanwhile.
    Raises NothingTicked; PermissionRefused unless the actor runs the whole server.
    """
    scope.require_everywhere(Permission.UNION_WRITE)
    found = [
        rule for book in rule_books().values() for rule in book.rules if row_key(rule) in set(keys)
    ]
    if not found:
        raise NothingTicked()
    for rule in found:
        session.add(
            RuleCheck(
                rule_id=rule.id,
                words_hash=rule.words_hash,
                checked_on=today,
                recorded_at=now,
                recorded_by_id=scope.actor_id,
            )
        )
    session.flush()
    return len(found)


def say_when_it_began(
    session: Session,
    scope: Scope,
    change_id: str,
    *,
    began_on: date | None,
    source: str | None,
    now: datetime,
) -> Change:
    """Write down the first day of a change of law; None takes back what was said.

    Raises NotFound for a change that no file names, BeforeItWasMade, NoSource; PermissionRefused
    unless the actor runs the whole server.
    """
    scope.require_everywhere(Permission.UNION_WRITE)
    change = _change(change_id)
    if began_on is not None and began_on < change.not_before:
        raise BeforeItWasMade()
    if began_on is not None and not source:
        raise NoSource()
    for earlier in session.scalars(
        sa.select(LawChange).where(LawChange.change_id == change.id, known(LawChange))
    ):
        withdraw(earlier, now=now)
    if began_on is not None and source:
        session.add(
            LawChange(
                change_id=change.id,
                began_on=began_on,
                source=source,
                recorded_at=now,
                recorded_by_id=scope.actor_id,
            )
        )
    session.flush()
    return change


def _change(change_id: str) -> Change:
    for book in rule_books().values():
        for change in book.changes:
            if change.id == change_id:
                return change
    raise NotFound(f"change of law {change_id}")
