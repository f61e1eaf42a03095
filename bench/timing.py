"""Timing several things in turn, so that whatever else the machine does falls on all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Times:
    """The milliseconds of the rounds of one thing."""

    all: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one, in milliseconds."""
        return statistics.median(self.all)

    @property
    def slow(self) -> float:
        """The one that 19 of 20 rounds stay under, in milliseconds."""
        return sorted(self.all)[max(0, round(len(self.all) * 0.95) - 1)]


def in_turn(
    things: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    warm_up: int = 3,
    at_most_seconds: float = 120.0,
) -> dict[str, Times]:
    """Return the times of each thing, each run once a round.

    at_most_seconds: no new round begins after this long, but there are always three.
    """
    taken: dict[str, list[float]] = {name: [] for name in things}
    started = time.perf_counter()
    for turn in range(warm_up + rounds):
        if turn >= 3 and time.perf_counter() - started > at_most_seconds:
            break
        for name, thing in things.items():
            before = time.perf_counter()
            thing()
            taken[name].append((time.perf_counter() - before) * 1000)
    return {
        name: Times(tuple(ms[warm_up:] if len(ms) > warm_up + 2 else ms[-3:]))
        for name, ms in taken.items()
    }


@contextmanager
def statements_of(engine: sa.Engine) -> Iterator[list[tuple[str, Any]]]:
    """Yield a list that fills with each statement sent meanwhile, and its parameters."""
    sent: list[tuple[str, Any]] = []

    def note(conn: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            sent.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
