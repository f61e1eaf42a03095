"""The kinds of list that are neither of people nor of workplaces, each in a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.domain.listed import Fault
from crm.domain.vocabulary import ImportKind, RowOutcome
from crm.features.imports import ballots, successions
from crm.features.imports.rules import Lack


class OtherPlan(Protocol):
    """What a row would do. contact_id: of the record that it is about, a place; or None."""

    row_no: int
    outcome: RowOutcome
    faults: list[Fault]
    changes: list[str]

    @property
    def contact_id(self) -> int | None:
        """Return the inner id of the record."""

    @property
    def candidates(self) -> tuple[Any, ...]:
        """Return nothing: only people are alike."""


class OfOthers(Protocol):
    """One run over a list: its rows as they are read."""

    @property
    def listed(self) -> Mapping[int, Any]:
        """Return the rows by their number."""

    def plan(self, session: Session, scope: Scope, row_nos: Sequence[int]) -> Sequence[OtherPlan]:
        """Return what each of these rows would do. Writes nothing."""

    def store(
        self, session: Session, scope: Scope, row_nos: Sequence[int], *, now: datetime
    ) -> tuple[Sequence[OtherPlan], dict[int, list[list[Any]]]]:
        """Plan these rows again and store them; return the plans, and what each stored."""


@dataclass(frozen=True, slots=True)
class OtherKind:
    """What the steps need to know of a kind.

    lacks: all that a list cannot be checked without. undo: as undoing.undo_people. kept_answers:
    names of the answers that next month's list has in common with this one.
    """

    lacks: Callable[..., Iterator[Lack]]
    read: Callable[..., OfOthers]
    undo: Callable[..., None]
    kept_answers: frozenset[str]


OTHERS: Final[Mapping[ImportKind, OtherKind]] = {
    ImportKind.BALLOTS: OtherKind(
        ballots.lacks, ballots.OfBallots.read, ballots.undo_ballots, ballots.KEPT
    ),
    ImportKind.SUCCESSIONS: OtherKind(
        successions.lacks,
        successions.OfSuccessions.read,
        successions.undo_successions,
        successions.KEPT,
    ),
}
