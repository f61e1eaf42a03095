"""The figures of a report: what the screen, the paper, the files and pandas are all made from.

A report has parts, a part has tables, a table has lines, and a line has one figure for each
measure. Codes and numbers only; the words are put beside them where they are shown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, TypeAlias

from crm.domain.density import FEWEST_FOR_PERCENT
from crm.domain.numbers import HIDDEN, NOT_APPLICABLE, round_half_up
from crm.domain.vocabulary import QuestionKind

# A number; None = not known; `[z]` = does not apply; `[c]` = hidden to protect people.
Value: TypeAlias = float | str | None

FRACTION_PLACES: Final = 6
# Where people stand is told of groups of this size and more. Source: the usual rule of statistics
# offices for counts that may be handed round.
SMALLEST_GROUP: Final = 5
# What one or two people raised is not told: their workmates would know who.
FEWEST_WHO_RAISED: Final = 3


class PartName(StrEnum):
    """The parts a report can have, in the order they stand in."""

    CHANGES = "changes"
    DENSITY = "density"
    SUPPORT = "support"
    TESTS = "tests"
    READINESS = "readiness"
    LEADERS = "leaders"
    BALLOTS = "ballots"
    ISSUES = "issues"
    REMINDERS = "reminders"
    CASES = "cases"


# Cases are known to their team alone, so a sheet for others holds them only when asked for.
ALWAYS: Final = tuple(part for part in PartName if part is not PartName.CASES)


class FigureKind(StrEnum):
    """A count of people or things, a number known only as a range, or a share of 1."""

    COUNT = "count"
    RANGE = "range"
    SHARE = "share"


class LineKind(StrEnum):
    """What a line of a table is about."""

    WHOLE = "whole"
    PLACE = "place"
    ISSUE = "issue"
    DAY = "day"
    TEST = "test"
    BALLOT = "ballot"
    GATE = "gate"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with what it stands on.

    numerator: the count, or the top of a share. out_of_low, out_of_high: the bottom of a share,
    `[z]` for a count. low, high: the ends of the figure: equal to the count when it is known
    exactly; exact fractions of 1 for a share. not_known: how many of the
    people counted might change the figure, because something is not known of them. small: a
    share of so few that one says `6 of 9` and no percentage.
    """

    kind: FigureKind
    numerator: Value
    low: Value
    high: Value
    out_of_low: Value = NOT_APPLICABLE
    out_of_high: Value = NOT_APPLICABLE
    not_known: Value = NOT_APPLICABLE
    small: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on a ballot paper. words: the union's own; None where the kind says it."""

    number: int
    kind: QuestionKind
    words: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table.

    key: the public id of a place or a test, the code of an issue, of a gate or a part of
    readiness, a day,
    the id of a ballot, and once it is declared the id of it or of a part of it with the number of
    the question; empty for the whole, and for people of whom the place is not known. name: of a
    place, test or ballot; empty otherwise. stage: where a ballot stands, a value of Stage in
    crm/domain/ballot_days.py; empty otherwise. indicative: a ballot without effect in law.
    question: of a paper with several questions, which of them the line is about; else None.
    """

    kind: LineKind
    key: str
    name: str
    as_at: date
    figures: Mapping[str, Figure]
    stage: str = ""
    indicative: bool = False
    question: Asked | None = None

    def __getitem__(self, measure: str) -> Figure:
        """Return the figure of a measure. Raises KeyError for one the line does not have."""
        return self.figures[measure]


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Lines with the same measures.

    drawn: the measures a chart of the table shows. after: the figures tell of what happened after
    this day, up to the day of the line; None = they tell how things stood on that day.
    """

    name: str
    measures: tuple[str, ...]
    lines: tuple[Line, ...]
    drawn: tuple[str, ...] = ()
    after: date | None = None

    @property
    def whole(self) -> Line | None:
        """The line of the whole unit, or None."""
        return next((line for line in self.lines if line.kind is LineKind.WHOLE), None)

    def whole_line(self) -> Line:
        """Return the line of the whole unit. Raises LookupError when there is none."""
        if self.whole is None:
            raise LookupError(f"The table {self.name} has no line for the whole.")
        return self.whole

    @property
    def others(self) -> tuple[Line, ...]:
        """The lines that are not the whole, in their order."""
        return tuple(line for line in self.lines if line.kind is not LineKind.WHOLE)


@dataclass(frozen=True, slots=True)
class ReportPart:
    """One part. nothing: True where the reader has none of what it is about."""

    name: PartName
    tables: tuple[ReportTable, ...]
    nothing: bool = False

    def table(self, name: str) -> ReportTable:
        """Return a table by its name. Raises LookupError when the part has none of that name."""
        for table in self.tables:
            if table.name == name:
                return table
        raise LookupError(f"The part {self.name} has no table {name}.")


@dataclass(frozen=True, slots=True)
class ReportPack:
    """A report of a unit. since: the day of the last meeting; what happened on it is not in."""

    unit_id: str
    unit: str
    unit_kind: str
    as_at: date
    since: date
    parts: tuple[ReportPart, ...]


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure as a row of a file: see Figure, Line and ReportTable for the fields.

    place: the unit, or the place inside it that the line is about. line: what else the line is
    about: the code of an issue, a day, the id of a test or ballot; `place_not_known` for people of
    whom it is not known where in the unit they work; empty for a place. name: of a test or ballot.
    after: see ReportTable. low, high: shares are rounded half up to 6 places.
    """

    unit: str
    part: str
    table: str
    place_id: str
    place: str
    line: str
    name: str
    measure: str
    kind: str
    after: date | None
    as_at: date
    numerator: Value
    out_of_low: Value
    out_of_high: Value
    low: Value
    high: Value
    not_known: Value


PLACE_NOT_KNOWN: Final = "place_not_known"


def figure_rows(pack: ReportPack) -> list[FigureRow]:
    """Return every figure of the report as one row, in the order of the screen."""
    return [
        FigureRow(
            unit=pack.unit,
            part=part.name.value,
            table=table.name,
            place_id=line.key if line.kind is LineKind.PLACE else pack.unit_id,
            place=line.name if line.kind is LineKind.PLACE else pack.unit,
            line=_line_code(line),
            name=_name_code(line),
            measure=measure,
            kind=line[measure].kind.value,
            after=table.after,
            as_at=line.as_at,
            numerator=line[measure].numerator,
            out_of_low=line[measure].out_of_low,
            out_of_high=line[measure].out_of_high,
            low=written(line[measure], line[measure].low),
            high=written(line[measure], line[measure].high),
            not_known=line[measure].not_known,
        )
        for part in pack.parts
        for table in part.tables
        for line in table.lines
        for measure in table.measures
    ]


# Stands before the name of a ballot without effect in law, in every file.
INDICATIVE: Final = "[indicative]"


def _name_code(line: Line) -> str:
    if line.kind not in {LineKind.TEST, LineKind.BALLOT}:
        return ""
    name = line.name
    if line.question is not None:
        one = line.question
        name = f"{name} ({one.number}: {one.words or one.kind.value})"
    return f"{INDICATIVE} {name}" if line.indicative else name


def _line_code(line: Line) -> str:
    if line.kind is LineKind.PLACE:
        return "" if line.key else PLACE_NOT_KNOWN
    return line.key


def count(number: float, *, not_known: Value = NOT_APPLICABLE) -> Figure:
    """Return the figure of a plain count, 0 or more."""
    return Figure(FigureKind.COUNT, number, number, number, not_known=not_known)


def hidden(kind: FigureKind) -> Figure:
    """Return a figure that is hidden to protect people."""
    bottom = HIDDEN if kind is FigureKind.SHARE else NOT_APPLICABLE
    return Figure(kind, HIDDEN, HIDDEN, HIDDEN, bottom, bottom, HIDDEN)


def between(low: float | None, best: float | None, high: float | None) -> Figure:
    """Return the figure of a number known as a range; all None = not known."""
    return Figure(FigureKind.RANGE, best, low, high)


def share(numerator: float, out_of: float, *, not_known: float = 0) -> Figure:
    """Return the share of the numerator in all, with the not known at most all for it.

    not_known: those of all who are not in the numerator and might belong there, 0 or more.
    A share of nobody does not apply.
    """
    if out_of == 0:
        return Figure(
            FigureKind.SHARE, numerator, NOT_APPLICABLE, NOT_APPLICABLE, out_of, out_of, not_known
        )
    return Figure(
        kind=FigureKind.SHARE,
        numerator=numerator,
        low=numerator / out_of,
        high=(numerator + not_known) / out_of,
        out_of_low=out_of,
        out_of_high=out_of,
        not_known=not_known,
        small=out_of < FEWEST_FOR_PERCENT,
    )


def written(figure: Figure, value: Value) -> Value:
    """Return one end of a figure as files carry it: a share rounded half up to 6 places."""
    if figure.kind is FigureKind.SHARE and isinstance(value, int | float):
        return float(round_half_up(value, FRACTION_PLACES))
    return value


def hidden_groups(
    sizes: Sequence[int], listed: Sequence[Collection[int]] | None = None
) -> tuple[bool, ...]:
    """Return which groups' figures must be hidden beside the figures of the whole.

    Each group under the smallest size is hidden. When those hidden are fewer than that together,
    the next larger group is hidden with them: else their figures could be had by taking the shown
    from the whole. sizes: people in each group. Groups of nobody stay. listed: of each group, the
    people that the figures count, each of them once in the whole: a group of which nobody is
    counted hides no other behind it, and nor does somebody who is in a group that is shown.
    """
    counted = [range(size) for size in sizes] if listed is None else listed
    found = too_small(sizes)
    order = sorted(
        (size, place)
        for place, size in enumerate(sizes)
        if size >= SMALLEST_GROUP and counted[place]
    )
    for _size, place in order:
        groups = sum(hides and bool(some) for some, hides in zip(counted, found, strict=True))
        left = sum(size for size, hides in zip(sizes, found, strict=True) if hides)
        if listed is not None:
            left = len(told_by_taking_away(listed, found))
        if left == 0 or (left >= SMALLEST_GROUP and groups > 1):
            break
        found[place] = True
    return tuple(found)


def too_small(sizes: Sequence[int]) -> list[bool]:
    """Return which groups are of somebody, and of fewer people than may be told of."""
    return [0 < size < SMALLEST_GROUP for size in sizes]


def told_by_taking_away(listed: Sequence[Collection[int]], hides: Sequence[bool]) -> frozenset[int]:
    """Return whom the whole tells of when the groups that are not hidden are taken from it."""
    pairs = list(zip(listed, hides, strict=True))
    shown = {one for some, is_hidden in pairs if not is_hidden for one in some}
    return frozenset({one for some, is_hidden in pairs if is_hidden for one in some} - shown)
