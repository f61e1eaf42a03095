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
    """The milliseconds of the rounds of one thing: by the clock, and of this process's own work.

    The second says what the thing costs even while other programs take the processors; it leaves
    out what a database server does in a process of its own, and the waiting for a disk.
    """

    all: tuple[float, ...]
    worked: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one, in milliseconds."""
        return statistics.median(self.all)

    @property
    def work(self) -> float:
        """The median of this process's own work, in milliseconds."""
        return statistics.median(self.worked)

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
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in things}
    started = time.perf_counter()
    for turn in range(warm_up + rounds):
        if turn >= 3 and time.perf_counter() - started > at_most_seconds:
            break
        for name, thing in things.items():
            before, work = time.perf_counter(), time.process_time()
            thing()
            taken[name].append(
                ((time.perf_counter() - before) * 1000, (time.process_time() - work) * 1000)
            )
    kept = {name: ms[warm_up:] if len(ms) > warm_up + 2 else ms[-3:] for name, ms in taken.items()}
    return {
        name: Times(tuple(clock for clock, _ in ms), tuple(work for _, work in ms))
        for name, ms in kept.items()
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
