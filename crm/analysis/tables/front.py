"""What the pages of a long list need of it, in little memory: some rows, and what was worked out.

Whoever reads a whole list writes this down beside it. Whatever is not in it raises NotHeld; then
the whole list must be opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from crm.analysis.tables.found import Table

Row = tuple[str, ...]

# Rows at the beginning: titles, headings, and some of the list itself.
FIRST: Final = 60


class NotHeld(LookupError):
    """A row, or something to be worked out from all rows, is not among what was written down."""


class HeldRows:
    """As many rows as the list has, of which some are held. No others are ever empty: they raise.

    It is used where a sequence of rows is: by number, by a slice of those held, and from the first
    row on as far as they are held without a gap.
    """

    def __init__(self, rows: Mapping[int, Row], count: int) -> None:
        self._rows = dict(rows)
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return tuple(self[one] for one in range(*place.indices(self._count)))
        if place < 0:
            place += self._count
        if not 0 <= place < self._count:
            raise IndexError(place)
        if place not in self._rows:
            raise NotHeld(place)
        return self._rows[place]

    def __iter__(self) -> Iterator[Row]:
        return (self[place] for place in range(self._count))

    def as_plain(self) -> dict[str, Any]:
        """Return values that JSON can hold."""
        return {"held": [[place, row] for place, row in self._rows.items()], "count": self._count}


def front_of(table: Table, numbers: Iterable[int]) -> dict[str, Any]:
    """Return the first rows of a table, the rows of these numbers and all that was found in it.

    As values that JSON can hold, which ``table_of_front`` reads.
    """
    wanted = {*range(min(FIRST, len(table.rows))), *(number - 1 for number in numbers)}
    held = HeldRows({place: table.rows[place] for place in sorted(wanted)}, len(table.rows))
    meant = Table(
        table.kind, (), table.encoding, table.delimiter, table.sheet, table.sheets
    ).as_plain()
    return {**meant, "rows": held.as_plain(), "found": [[k, v] for k, v in table.found.items()]}


def table_of_front(plain: Mapping[str, Any]) -> Table:
    """Return the table that ``front_of`` wrote down; whatever is not in it raises NotHeld."""
    rows: Any = HeldRows(
        {place: tuple(row) for place, row in plain["rows"]["held"]}, plain["rows"]["count"]
    )
    return Table(
        kind=plain["kind"],
        rows=rows,
        encoding=plain["encoding"],
        delimiter=plain["delimiter"],
        sheet=plain["sheet"],
        sheets=tuple(plain["sheets"]),
        found={_key(key): value for key, value in plain["found"]},
    )


def _key(plain: Any) -> Any:
    """Return a key of ``Table.found``, whose tuples JSON has made lists."""
    return tuple(_key(one) for one in plain) if isinstance(plain, list) else plain
