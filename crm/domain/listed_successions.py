"""What a row of a list says of two workplaces: which became which, on which day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from crm.domain.columns import Target
from crm.domain.identity import fold
from crm.domain.listed import (
    NO_PLACE_NAME,
    NOT_MATCHED,
    PLACE_NAME_LIMIT,
    Fault,
    Matching,
    RowCells,
    fold_word,
)
from crm.domain.vocabulary import PlaceTieKind

OTHER_DAY = "Row %(row)s says that this was on another day. Put one of the two right."
NO_OTHER_PLACE = "The other workplace is not named. Put it in, or leave the row out."


class Became(StrEnum):
    """What the first workplace of a row is to the other: from which side a list tells it."""

    FOLLOWED_BY = "followed_by"
    MERGED_INTO = "merged_into"
    SPLIT_INTO = "split_into"
    FOLLOWS = "follows"
    MERGED_FROM = "merged_from"
    SPLIT_FROM = "split_from"


# As the older workplace is to the newer one, and whether the row names the newer one first.
TOLD: Final[Mapping[Became, tuple[PlaceTieKind, bool]]] = {
    Became.FOLLOWED_BY: (PlaceTieKind.FOLLOWED_BY, False),
    Became.MERGED_INTO: (PlaceTieKind.MERGED_INTO, False),
    Became.SPLIT_INTO: (PlaceTieKind.SPLIT_INTO, False),
    Became.FOLLOWS: (PlaceTieKind.FOLLOWED_BY, True),
    Became.MERGED_FROM: (PlaceTieKind.MERGED_INTO, True),
    Became.SPLIT_FROM: (PlaceTieKind.SPLIT_INTO, True),
}
# Folded words, with those of the register of schools of England.
WORDS: Final[Mapping[str, Became]] = {
    "successor": Became.FOLLOWED_BY,
    "followed by": Became.FOLLOWED_BY,
    "replaced by": Became.FOLLOWED_BY,
    "became": Became.FOLLOWED_BY,
    "successor merged": Became.MERGED_INTO,
    "successor amalgamated": Became.MERGED_INTO,
    "merged into": Became.MERGED_INTO,
    "successor split school": Became.SPLIT_INTO,
    "split into": Became.SPLIT_INTO,
    "predecessor": Became.FOLLOWS,
    "predecessor merged": Became.MERGED_FROM,
    "predecessor amalgamated": Became.MERGED_FROM,
    "predecessor split school": Became.SPLIT_FROM,
}


@dataclass(slots=True)
class ListedSuccession:
    """What one row says. name, other: as the row has them; None = the row does not say."""

    row_no: int
    name: str = ""
    other: str = ""
    became: Became | None = None
    day: date | None = None
    faults: list[Fault] = field(default_factory=list)

    def told(self, became: Became) -> tuple[str, str, PlaceTieKind]:
        """Return the folded names of the older and the newer workplace, and what became of it.

        became: what the row says, or else what was said of the whole list.
        """
        kind, turned = TOLD[became]
        first, second = fold(self.name)[:400], fold(self.other)[:400]
        return (second, first, kind) if turned else (first, second, kind)


def read_succession(row_no: int, cells: Sequence[str], matching: Matching) -> ListedSuccession:
    """Return what a row says, with a fault for each cell that cannot be used."""
    found = ListedSuccession(row_no)
    cell = RowCells(cells, matching, found.faults)
    for target, name, missing in (
        (Target.PLACE_NAME, "name", NO_PLACE_NAME),
        (Target.OTHER_PLACE, "other", NO_OTHER_PLACE),
    ):
        text = " ".join((cell.text(target, PLACE_NAME_LIMIT) or "").split())
        setattr(found, name, text)
        if not fold(text) and not found.faults:
            column = next(iter(matching.columns_of(target)), None)
            found.faults.append(Fault(column, missing))
    found.day = cell.day(Target.HAPPENED_ON)
    for _target, place in cell.valued():
        meaning = matching.meanings.get(place, {}).get(fold_word(cells[place]))
        if meaning is None:
            found.faults.append(Fault(place, NOT_MATCHED))
        elif meaning:
            found.became = Became(meaning)
    return found


def find_days_apart(
    rows: Sequence[ListedSuccession], became: Became | None, day: date | None
) -> tuple[dict[int, Fault], set[int]]:
    """Return a fault for each row that gives another day than an earlier one, and rows told twice.

    Registers tell of each pair from both sides. became, day: of rows that do not say it.
    """
    seen: dict[tuple[str, str, PlaceTieKind], tuple[date | None, int]] = {}
    faults: dict[int, Fault] = {}
    twice: set[int] = set()
    for row in rows:
        said = row.became or became
        if row.faults or said is None:
            continue
        key = row.told(said)
        on = row.day or day
        if key not in seen:
            seen[key] = (on, row.row_no)
        elif seen[key][0] == on:
            twice.add(row.row_no)
        else:
            faults[row.row_no] = Fault(None, OTHER_DAY, seen[key][1])
    return faults, twice
