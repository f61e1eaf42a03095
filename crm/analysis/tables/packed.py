"""The rows of a long list in little memory: in blocks that are packed, and unpacked one at a time.

A million rows as texts take half a gigabyte; packed they take about as much as the file as a zip.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, overload

BLOCK: Final = 500  # rows

Row = tuple[str, ...]


def pack(rows: Sequence[Sequence[str]]) -> bytes:
    """Return one block of rows, packed."""
    return zlib.compress(json.dumps(rows, ensure_ascii=False).encode(), 1)


class Packed(Sequence[Row]):
    """Rows of one width in packed blocks of BLOCK rows, the last shorter.

    Rows that are shorter in their block are filled up with "". To read them in order unpacks each
    block once; to read them at random unpacks one for nearly every row.
    """

    def __init__(self, blocks: Sequence[bytes], count: int, width: int) -> None:
        self.blocks = tuple(blocks)
        self.width = width
        self._count = count
        self._at = -1
        self._block: list[Row] = []

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Row]:
        left = self._count
        for block in self.blocks:
            yield from self._unpacked(block)[: max(left, 0)]
            left -= BLOCK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(
            mine == theirs for mine, theirs in zip(self, other, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]  # As a list: it is compared by what it holds.

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Row, ...]: ...

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return tuple(self[one] for one in range(*place.indices(self._count)))
        if place < 0:
            place += self._count
        if not 0 <= place < self._count:
            raise IndexError(place)
        number, inside = divmod(place, BLOCK)
        if number != self._at:
            self._block, self._at = self._unpacked(self.blocks[number]), number
        return self._block[inside]

    def with_rows(self, rows: Mapping[int, Row]) -> Packed:
        """Return the rows with others in some places."""
        blocks = list(self.blocks)
        for number in {place // BLOCK for place in rows}:
            first = number * BLOCK
            block = self._unpacked(blocks[number])
            blocks[number] = pack([rows.get(first + at, row) for at, row in enumerate(block)])
        return Packed(blocks, self._count, self.width)

    def _unpacked(self, block: bytes) -> list[Row]:
        width = self.width
        return [
            tuple(row) if len(row) == width else tuple((*row, *[""] * (width - len(row)))[:width])
            for row in json.loads(zlib.decompress(block))
        ]
