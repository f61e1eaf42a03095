"""Draws the icons of the installed app, for both names, from the shapes of the two SVG files.

``python tools/icons.py`` writes crm/static/icon-*.png. Phones that take no SVG use these. The
shapes are those of crm/static/favicon.svg and plain.svg; draw again when those change.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "crm" / "static"

Point = tuple[float, float]
# A colour, and closed outlines; where two lie over each other there is a hole.
Shape = tuple[str, list[list[Point]]]

# Lines of samples in one row of pixels.
FINE = 8
# A phone may cut a maskable icon down to a circle of 4/5 of its width.
SAFE = 0.8
SIZES = ((192, False), (512, False), (512, True))

INK = "#16161D"
PAPER = "#FAF7F0"
TILES = (
    *((3, 9, "#0B3C6F"), (18, 9, "#4F90CD"), (33, 9, "#DCD3B8")),
    *((3, 26, "#E9A24C"), (18, 26, "#AD4517"), (33, 26, "#FFFFFF")),
)
TILE_WIDTH, TILE_HEIGHT, LINE = 12, 13, 2
DASH, GAP = 3, 2


def shopfloor() -> tuple[float, str, list[Shape]]:
    """Return the width of the drawing, its ground, and its shapes: six tiles, one not known."""
    shapes: list[Shape] = []
    for place, (left, top, colour) in enumerate(TILES):
        right, foot, half = left + TILE_WIDTH, top + TILE_HEIGHT, LINE / 2
        shapes.append((colour, [_box(left, top, right, foot)]))
        if place < len(TILES) - 1:
            outer = _box(left - half, top - half, right + half, foot + half)
            shapes.append((INK, [outer, _box(left + half, top + half, right - half, foot - half)]))
        else:
            shapes += [(INK, [box]) for box in _dashes(left, top)]
    return 48, PAPER, shapes


def rota() -> tuple[float, str, list[Shape]]:
    """Return the same for the plain look: a plant."""
    green = "#4A8F3C"
    leaves = [
        *_curve((8, 8), (3, 8), (2, 4), (2, 2)),
        *_curve((2, 2), (6, 2), (8, 4), (8, 6)),
        *_curve((8, 6), (8, 4), (10, 2), (14, 2)),
        *_curve((14, 2), (14, 5), (12, 8), (8, 8)),
    ]
    # In the SVG the right leaf closes over the stalk; here the stalk is a bar of its own.
    return 16, "#FFFFFF", [(green, [leaves]), (green, [_box(7.4, 7, 8.6, 15)])]


def _box(left: float, top: float, right: float, foot: float) -> list[Point]:
    return [(left, top), (right, top), (right, foot), (left, foot)]


def _dashes(left: float, top: float) -> Iterator[list[Point]]:
    """Yield the dashes around a tile, clockwise from its left upper corner."""
    sides = ((1, 0, TILE_WIDTH), (0, 1, TILE_HEIGHT), (-1, 0, TILE_WIDTH), (0, -1, TILE_HEIGHT))
    x, y, walked, half = left, top, 0.0, LINE / 2
    for right, down, length in sides:
        start = 0.0
        while start < length:
            inside = walked % (DASH + GAP)
            step = min(length - start, (DASH if inside < DASH else DASH + GAP) - inside)
            if inside < DASH:
                a = (x + right * start, y + down * start)
                b = (x + right * (start + step), y + down * (start + step))
                wide, high = abs(down) * half, abs(right) * half
                yield _box(
                    *(min(a[0], b[0]) - wide, min(a[1], b[1]) - high),
                    *(max(a[0], b[0]) + wide, max(a[1], b[1]) + high),
                )
            start, walked = start + step, walked + step
        x, y = x + right * length, y + down * length


def _curve(a: Point, b: Point, c: Point, d: Point, steps: int = 24) -> Iterator[Point]:
    for step in range(steps + 1):
        t = step / steps
        u = 1 - t
        yield (
            u**3 * a[0] + 3 * u * u * t * b[0] + 3 * u * t * t * c[0] + t**3 * d[0],
            u**3 * a[1] + 3 * u * u * t * b[1] + 3 * u * t * t * c[1] + t**3 * d[1],
        )


def draw(look: str, size: int, *, maskable: bool) -> list[bytes]:
    """Return the rows of an icon of size x size pixels, three bytes a pixel.

    maskable: all of the drawing lies in the circle that no phone cuts away.
    """
    width, ground, shapes = {"shopfloor": shopfloor, "rota": rota}[look]()
    scale = size / width
    if maskable:
        middle = width / 2
        reach = max(
            ((x - middle) ** 2 + (y - middle) ** 2) ** 0.5
            for _colour, outlines in shapes
            for outline in outlines
            for x, y in outline
        )
        scale *= min(1.0, SAFE * middle / reach)
    shift = (size - width * scale) / 2
    placed = [
        (_rgb(colour), [[(x * scale + shift, y * scale + shift) for x, y in one] for one in some])
        for colour, some in shapes
    ]
    rows = []
    for row in range(size):
        pixels = [_rgb(ground)] * size
        for colour, outlines in placed:
            for column, cover in enumerate(_cover(outlines, row, size)):
                if cover:
                    old = pixels[column]
                    pixels[column] = (
                        old[0] + (colour[0] - old[0]) * cover,
                        old[1] + (colour[1] - old[1]) * cover,
                        old[2] + (colour[2] - old[2]) * cover,
                    )
        rows.append(bytes(round(part) for pixel in pixels for part in pixel))
    return rows


def _cover(outlines: list[list[Point]], row: int, size: int) -> list[float]:
    """Return how much of each pixel of a row the outlines cover, 0 to 1."""
    found = [0.0] * size
    edges = [(a, b) for one in outlines for a, b in zip(one, [*one[1:], one[0]], strict=True)]
    for line in range(FINE):
        y = row + (line + 0.5) / FINE
        crossed = sorted(
            a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
            for a, b in edges
            if (a[1] <= y) != (b[1] <= y)
        )
        for start, end in zip(crossed[::2], crossed[1::2], strict=True):
            for column in range(max(int(start), 0), min(int(end) + 1, size)):
                part = min(end, column + 1) - max(start, column)
                found[column] += max(part, 0) / FINE
    return [min(one, 1.0) for one in found]


def _rgb(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def png(rows: list[bytes]) -> bytes:
    """Return a PNG file of rows of pixels, three bytes a pixel."""

    def _part(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(b"\x00" + row for row in rows), 9)
    parts = _part(b"IHDR", head) + _part(b"IDAT", body) + _part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def name_of(look: str, size: int, *, maskable: bool) -> str:
    """Return the name of the file."""
    return f"icon-{look}-{'maskable-' if maskable else ''}{size}.png"


def main() -> None:
    """Write all icons."""
    for look in ("shopfloor", "rota"):
        for size, maskable in SIZES:
            rows = draw(look, size, maskable=maskable)
            (FOLDER / name_of(look, size, maskable=maskable)).write_bytes(png(rows))


if __name__ == "__main__":
    main()
