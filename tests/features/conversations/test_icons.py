"""The icons beside other apps: there for phones that take no SVG, and drawn by the tool."""

from __future__ import annotations

import importlib.util
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

ROOT = Path(__file__).parents[3]


def _tool() -> Any:
    spec = importlib.util.spec_from_file_location("icons", ROOT / "tools" / "icons.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _rows(content: bytes) -> tuple[int, int, list[bytes]]:
    """Return width, height and rows of pixels of a PNG as the tool writes it."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    place, body, size = 8, b"", (0, 0)
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        kind, part = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            size = struct.unpack(">II", part[:8])
        body += part if kind == b"IDAT" else b""
        place += 12 + length
    raw, line = zlib.decompress(body), 1 + 3 * size[0]
    return *size, [raw[start + 1 : start + line] for start in range(0, len(raw), line)]


@pytest.mark.parametrize("look", ["shopfloor", "rota"])
def test_a_phone_that_takes_no_svg_finds_an_icon_of_each_size(
    client: FlaskClient, look: str
) -> None:
    answer = client.get(f"/phone/app/{look}.webmanifest")
    drawn = [one for one in answer.get_json()["icons"] if one["type"] == "image/png"]
    assert {(one["sizes"], one["purpose"]) for one in drawn} == {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }
    for one in drawn:
        picture = client.get(one["src"])
        assert picture.content_type == "image/png"
        width, height, _pixels = _rows(picture.data)
        assert f"{width}x{height}" == one["sizes"]


@pytest.mark.parametrize("look", ["shopfloor", "rota"])
def test_the_stored_icons_are_what_the_tool_draws(look: str) -> None:
    tool = _tool()
    name = tool.name_of(look, 192, maskable=False)
    stored = (ROOT / "crm" / "static" / name).read_bytes()
    assert _rows(stored)[2] == tool.draw(look, 192, maskable=False)


@pytest.mark.parametrize("look", ["shopfloor", "rota"])
def test_nothing_of_a_maskable_icon_lies_outside_its_circle(look: str) -> None:
    tool = _tool()
    rows = tool.draw(look, 96, maskable=True)
    ground = rows[0][:3]
    for y, row in enumerate(rows):
        for x in range(96):
            far = ((x + 0.5 - 48) ** 2 + (y + 0.5 - 48) ** 2) ** 0.5
            if far > 0.4 * 96 + 1.5:
                assert row[3 * x : 3 * x + 3] == ground, (x, y)
