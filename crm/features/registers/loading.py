"""What every load shares: what it counts, how it finds places again, how it stores facts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from crm.access import facts, tree
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.registers.member_counts import StatedCountRow
from crm.analysis.registers.reading import Problem, shorten
from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.identity import fold
from crm.models.places import ExternalId, Headcount, MemberCount

CHUNK = 500  # rows of a file between two signs of progress
NAME_LIMIT = 200  # characters, as the column of a place's name
ADDRESS_LIMIT = 500
ID_LIMIT = 80

NAME_TOO_LONG = "Enter a name of 200 letters or fewer."

SORTS = ("employers", "workplaces", "headcounts")
# What a register of employers says of an employer wins over what stands there; the rest only
# fills gaps, because the people on the spot know their workplace better than a yearly file.
EMPLOYER_WINS = frozenset({"name", "sic_codes", "sic_section", "address"})
NAME_WINS = frozenset({"name"})

Progress = Callable[[int, int], None]
Known = dict[tuple[str, str], int]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A problem and the file it is in (one of FILES)."""

    file: str
    problem: Problem


@dataclass(slots=True)
class Tally:
    """How many records of one sort a load found new, changed and as they were."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(slots=True)
class Loaded:
    """What a load did: a tally for each sort of record, and every problem in file order."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    problems: list[FileProblem] = field(default_factory=list)

    def tally(self, sort: str) -> Tally:
        """Returns the tally of "employers", "workplaces", "headcounts" or "member_counts"."""
        return self.tallies.setdefault(sort, Tally())

    @property
    def rows_left_out(self) -> int:
        """Returns how many rows were not loaded."""
        return len(
            {(p.file, p.problem.row_number) for p in self.problems if p.problem.row_left_out}
        )

    def as_result(self, most_problems: int = 500) -> dict[str, Any]:
        """Returns plain JSON values for a task's result: tallies, problems, how many in all."""
        return {
            "counts": {
                sort: {"new": tally.new, "changed": tally.changed, "unchanged": tally.unchanged}
                for sort, tally in self.tallies.items()
            },
            "problem_count": len(self.problems),
            "rows_left_out": self.rows_left_out,
            "problems": [
                {
                    "file": found.file,
                    "row": found.problem.row_number,
                    "column": found.problem.column,
                    "value": found.problem.value_shown,
                    "message": found.problem.message,
                    "left_out": found.problem.row_left_out,
                }
                for found in self.problems[:most_problems]
            ],
        }


@dataclass(frozen=True, slots=True)
class Count:
    """A headcount that a register states."""

    place_id: int
    on_day: date
    counts: Counts
    low: float
    best: float | None
    high: float | None
    note: str
    rounded_to: float | None = None

    @property
    def stated(self) -> tuple[float | None, ...]:
        """Returns low, best, high and the step of rounding, None for each that is not known."""
        return (self.low, self.best, self.high, self.rounded_to)


@dataclass(slots=True)
class Load:
    """One load under way: where it stores, and what it has done so far."""

    session: Session
    scope: Scope
    now: datetime
    file: str
    root_id: int
    loaded: Loaded

    @classmethod
    def start(
        cls, session: Session, scope: Scope, *, now: datetime, file: str, sorts: Sequence[str]
    ) -> Load:
        """Returns a new load. file: that problems are in by default. sorts: tallied from the start.

        Raises PermissionRefused unless the scope may load registers over the whole organisation.
        """
        scope.require_everywhere(Permission.REGISTER_LOAD)
        loaded = Loaded({sort: Tally() for sort in sorts})
        return cls(session, scope, now, file, tree.everything_id(session), loaded)

    def fits(self, row_number: int, column: str, name: str, *, file: str = "") -> bool:
        """Says whether the name fits, and reports the row when it does not."""
        if len(name) <= NAME_LIMIT:
            return True
        self.leave_out(row_number, column, name, NAME_TOO_LONG, file=file)
        return False

    def leave_out(
        self, row_number: int, column: str, value: str, message: str, *, file: str = ""
    ) -> None:
        """Reports a row that is not loaded, and why."""
        problem = Problem(row_number, column, shorten(value), message)
        self.loaded.problems.append(FileProblem(file or self.file, problem))

    def add(self, sort: str, row: Any) -> None:
        """Adds a new record to the session and to its tally."""
        self.session.add(row)
        self.loaded.tally(sort).new += 1

    def update(
        self, sort: str, row: Any, values: Mapping[str, Any], *, wins: frozenset[str]
    ) -> None:
        """Changes what differs. A value that the register does not give never erases one."""
        changed = False
        for key, value in values.items():
            stands = getattr(row, key)
            if value is None or value == stands or (key not in wins and stands is not None):
                continue
            if key == "name" and fold(value) == fold(stands):
                continue  # Somebody put the capitals right by hand.
            setattr(row, key, value)
            changed = True
        tally = self.loaded.tally(sort)
        if changed:
            row.version += 1
            tally.changed += 1
        else:
            tally.unchanged += 1

    def place_new(self, links: Sequence[tuple[int, int]], since: Mapping[int, date]) -> None:
        """Hangs new places under their parents."""
        if links:
            tree.link_new(
                self.session, links, since=since, now=self.now, actor_id=self.scope.actor_id
            )

    def identify(self, known: Known, scheme: str, value: str, place_id: int) -> None:
        """Stores the id that the register gives a place."""
        known[scheme, value] = place_id
        self.session.add(ExternalId(place_id=place_id, scheme=scheme, value=value))

    def headcounts(self, counts: Sequence[Count], source: HeadcountSource) -> None:
        """Stores headcounts; one of the same place, day and source is revised if it differs."""
        tally = self.loaded.tally("headcounts")
        held = {
            (row.place_id, row.counts, row.on_day): row
            for row in self._facts(Headcount, [count.place_id for count in counts])
            if row.source_kind == source
        }
        for count in counts:
            stands = held.get((count.place_id, count.counts, count.on_day))
            low, best, high, rounded_to = count.stated
            values = {"low": low, "best": best, "high": high, "rounded_to": rounded_to}
            if stands is None:
                self.session.add(
                    Headcount(
                        place_id=count.place_id,
                        on_day=count.on_day,
                        counts=count.counts,
                        source_kind=source,
                        source_note=count.note,
                        recorded_at=self.now,
                        recorded_by_id=self.scope.actor_id,
                        **values,
                    )
                )
                tally.new += 1
            else:
                self._revise(tally, stands, values)
        self.session.flush()

    def member_counts(
        self,
        rows: Sequence[tuple[int, StatedCountRow]],
        on_day: date,
        note: str,
    ) -> None:
        """Stores stated members of all unions together; the same day's is revised if it differs."""
        tally = self.loaded.tally("member_counts")
        held = {
            row.place_id: row
            for row in self._facts(MemberCount, [place_id for place_id, _ in rows])
            if row.on_day == on_day
            and row.union_id is None
            and row.source_kind == HeadcountSource.SURVEY
        }
        for place_id, row in rows:
            values = {
                "members": row.members,
                "covered": row.covered,
                "rounded_to": row.rounded_to,
            }
            stands = held.get(place_id)
            if stands is None:
                self.session.add(
                    MemberCount(
                        place_id=place_id,
                        union_id=None,
                        on_day=on_day,
                        source_kind=HeadcountSource.SURVEY,
                        source_note=note,
                        recorded_at=self.now,
                        recorded_by_id=self.scope.actor_id,
                        **values,
                    )
                )
                tally.new += 1
            else:
                self._revise(tally, stands, values)
        self.session.flush()

    def _revise(self, tally: Tally, stands: Any, values: Mapping[str, Any]) -> None:
        if all(getattr(stands, key) == value for key, value in values.items()):
            tally.unchanged += 1
            return
        facts.revise(
            self.session, stands, now=self.now, actor_id=self.scope.actor_id, **dict(values)
        )
        tally.changed += 1

    def _facts(self, model: Any, place_ids: Sequence[int]) -> Iterator[Any]:
        for part in parts(sorted(set(place_ids))):
            yield from self.session.scalars(
                self.scope.select(model).where(model.place_id.in_(part), facts.known(model))
            )


def find_known(session: Session, scope: Scope, schemes: Sequence[str]) -> Known:
    """Returns the inner ids of the places that the registers' own ids stand for."""
    rows = session.execute(
        scope.select(ExternalId.scheme, ExternalId.value, ExternalId.place_id).where(
            ExternalId.scheme.in_(schemes)
        )
    )
    return {(scheme, value): place_id for scheme, value, place_id in rows}


def fetch(
    session: Session, scope: Scope, kind: type[Any], place_ids: Iterable[int | None]
) -> dict[int, Any]:
    """Returns the places of these inner ids, by id."""
    wanted = sorted({place_id for place_id in place_ids if place_id is not None})
    found = {}
    for part in parts(wanted):
        for place in session.scalars(scope.select(kind).where(kind.id.in_(part))):
            found[place.id] = place
    return found


def parts(rows: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yields the rows in parts of CHUNK, so that progress is seen and statements stay small."""
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def short_key(value: str) -> str:
    """Returns a value that fits the column, still unlike every other."""
    if len(value) <= ID_LIMIT:
        return value
    return f"{value[:40]}#{hashlib.sha256(value.encode()).hexdigest()[:32]}"


def join_address(lines: Iterable[str | None]) -> str | None:
    """Returns an address on one line, at most 500 characters, or None when there is nothing."""
    return ", ".join(line for line in lines if line)[:ADDRESS_LIMIT] or None


def tell(progress: Progress | None, done: int, total: int) -> None:
    """Calls the progress function, if there is one, with rows done and rows in all."""
    if progress is not None:
        progress(done, total)
