"""What a row of a list says of a ballot: how one workplace voted on one question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from crm.domain.balloting import COUNTED, CountsDoNotAdd, QuestionCount
from crm.domain.columns import Target
from crm.domain.identity import fold
from crm.domain.listed import (
    NO_PLACE_NAME,
    NOT_A_COUNT,
    NOT_MATCHED,
    PLACE_NAME_LIMIT,
    Fault,
    Matching,
    RowCells,
    fold_word,
    is_blank,
    read_count,
)

BALLOT_NAME_LIMIT: Final = 120
NO_BALLOT_NAME = "There is no name of a ballot in this row. Put it in, or leave the row out."
NOTHING_COUNTED = "There is no count in this row. Put it in, or leave the row out."
VALID_DOES_NOT_ADD = "Yes and no must add up to the valid votes. Check the numbers."
SAME_COUNT = "This row counts the same votes as row %(row)s. Leave one of the two out."
OTHER_UNION = "Row %(row)s gives this ballot another union. Put one of the two right."
VALID_ALONE = "Valid votes alone say too little. Put in yes and no, or the papers that came back."
OTHER_DAYS = "Row %(row)s gives this ballot other days. Put one of the two right."


@dataclass(slots=True)
class ListedCount:
    """What one row says. None = the row does not say.

    name: of the workplace. ballot: its name, where a column holds it. Numbers are of people or
    papers. valued: the question, the law and the union, as their values were matched.
    """

    row_no: int
    name: str = ""
    ballot: str | None = None
    opens_on: date | None = None
    closes_on: date | None = None
    entitled: int | None = None
    cast: int | None = None
    yes: int | None = None
    no: int | None = None
    spoiled: int | None = None
    valued: dict[Target, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    column: int | None = None

    @property
    def name_key(self) -> str:
        """Return the folded name that the workplace is found by."""
        return fold(self.name)[:400]

    @property
    def ballot_key(self) -> str:
        """Return the folded name of the ballot; "" where no column holds it."""
        return fold(self.ballot or "")

    def count(self, before: QuestionCount | None = None) -> QuestionCount:
        """Return the numbers together; what the row does not say stays as it was before.

        But where the row says three of the papers that came back, yes, no and spoiled, the fourth
        follows from them, whatever it was. Raises CountsDoNotAdd.
        """
        said = [getattr(self, name) for name in COUNTED]
        if before is not None and sum(one is not None for one in said[1:]) >= 3:
            said[0] = before.entitled if self.entitled is None else self.entitled
        elif before is not None:
            said = [
                getattr(before, name) if new is None else new
                for name, new in zip(COUNTED, said, strict=True)
            ]
        return QuestionCount(*said).check_written()


def read_ballot_row(row_no: int, cells: Sequence[str], matching: Matching) -> ListedCount:
    """Return what a row says of a ballot, with a fault for each cell that cannot be used."""
    found = ListedCount(row_no)
    cell = RowCells(cells, matching, found.faults)
    found.name = " ".join((cell.text(Target.PLACE_NAME, PLACE_NAME_LIMIT) or "").split())
    if not fold(found.name) and not found.faults:
        column = next(iter(matching.columns_of(Target.PLACE_NAME)), None)
        found.faults.append(Fault(column, NO_PLACE_NAME))
    columns = matching.columns_of(Target.BALLOT_NAME)
    found.ballot = " ".join((cell.text(Target.BALLOT_NAME, BALLOT_NAME_LIMIT) or "").split())
    if columns and not fold(found.ballot):
        found.faults.append(Fault(columns[0], NO_BALLOT_NAME))
    found.opens_on = cell.day(Target.OPENS_ON)
    found.closes_on = cell.day(Target.CLOSES_ON)
    _read_numbers(found, cells, matching)
    for target, place in cell.valued():
        meaning = matching.meanings.get(place, {}).get(fold_word(cells[place]))
        if meaning is None:
            found.faults.append(Fault(place, NOT_MATCHED))
        elif meaning:
            found.valued[target] = meaning
    return found


def _read_numbers(found: ListedCount, cells: Sequence[str], matching: Matching) -> None:
    before = len(found.faults)
    numbers = {
        target: _sum_of(target, cells, matching, found.faults)
        for target in (
            Target.ENTITLED,
            Target.CAST,
            Target.VALID,
            Target.YES,
            Target.NO,
            Target.SPOILED,
        )
    }
    found.entitled, found.cast = numbers[Target.ENTITLED], numbers[Target.CAST]
    found.yes, found.no = numbers[Target.YES], numbers[Target.NO]
    found.spoiled = numbers[Target.SPOILED]
    # Where a number that adds up wrongly is put right: the papers that came back, or the yes votes.
    places = matching.columns_of(Target.CAST) or matching.columns_of(Target.YES)
    found.column = places[0] if places else None
    if len(found.faults) > before:
        return
    if all(number is None for number in numbers.values()):
        found.faults.append(Fault(found.column, NOTHING_COUNTED))
        return
    valid = numbers[Target.VALID]
    try:
        if valid is not None:
            _use_valid(found, valid)
            if found.cast is None and found.yes is None:
                raise CountsDoNotAdd(VALID_ALONE)
        found.count()
    except CountsDoNotAdd as error:
        found.faults.append(Fault(found.column, error.message))


def _use_valid(found: ListedCount, valid: int) -> None:
    """Work out what follows from the valid votes. Raises CountsDoNotAdd."""
    if found.yes is not None and found.no is None:
        found.no = valid - found.yes
    elif found.no is not None and found.yes is None:
        found.yes = valid - found.no
    if found.yes is not None and (found.yes < 0 or (found.no or 0) < 0):
        raise CountsDoNotAdd(VALID_DOES_NOT_ADD)
    if found.yes is not None and found.no is not None and found.yes + found.no != valid:
        raise CountsDoNotAdd(VALID_DOES_NOT_ADD)
    if found.cast is None and found.spoiled is not None:
        found.cast = valid + found.spoiled
    elif found.spoiled is None and found.cast is not None:
        found.spoiled = found.cast - valid


def _sum_of(
    target: Target, cells: Sequence[str], matching: Matching, faults: list[Fault]
) -> int | None:
    """Return the whole number in the columns of a target; None when one of them does not say."""
    numbers: list[int | None] = []
    for place in matching.columns_of(target):
        cell = cells[place] if place < len(cells) else ""
        if is_blank(cell):
            numbers.append(None)
            continue
        number = read_count(cell)
        if number is None or number != int(number):
            faults.append(Fault(place, NOT_A_COUNT))
            return None
        numbers.append(int(number))
    return None if not numbers or None in numbers else sum(number or 0 for number in numbers)


def find_count_repeats(
    rows: Sequence[ListedCount], question: str | None, union: str | None = None
) -> Mapping[int, Fault]:
    """Return a fault for each row that counts what an earlier row counts, or contradicts its days
    or its union.

    question, union: of rows that do not say it themselves.
    """
    seen: dict[tuple[str, str, str], int] = {}
    days: dict[str, tuple[tuple[date | None, date | None], int]] = {}
    unions: dict[str, tuple[str, int]] = {}
    found: dict[int, Fault] = {}
    for row in rows:
        if row.faults:
            continue
        of = row.valued.get(Target.UNION) or union
        said = row.valued.get(Target.QUESTION) or question or ""
        key = (row.ballot_key, row.name_key, said)
        spell = (row.opens_on, row.closes_on)
        if of and unions.get(row.ballot_key, (of, 0))[0] != of:
            found[row.row_no] = Fault(None, OTHER_UNION, unions[row.ballot_key][1])
        elif key in seen:
            found[row.row_no] = Fault(None, SAME_COUNT, seen[key])
        elif days.get(row.ballot_key, (spell, 0))[0] != spell:
            found[row.row_no] = Fault(None, OTHER_DAYS, days[row.ballot_key][1])
        else:
            seen[key] = row.row_no
            if of:
                unions.setdefault(row.ballot_key, (of, row.row_no))
            days.setdefault(row.ballot_key, (spell, row.row_no))
    return found
