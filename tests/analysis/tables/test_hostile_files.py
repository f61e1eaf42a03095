"""Files that mean harm, or that are no lists at all: each is refused with a plain sentence."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from crm.analysis.tables.apart import read_apart, read_here
from crm.analysis.tables.found import MAX_COLUMNS, SENTENCES, Asked, CannotRead
from crm.domain.errors import Refusal
from tests.analysis.tables import making

MIB = 1024 * 1024
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><worksheet>&c;</worksheet>'
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    "<worksheet>&a;</worksheet>"
)


def _nested(levels: int) -> bytes:
    return making.sheet_of("<row>" * levels).encode()


def _far_cell() -> bytes:
    return making.raw_xlsx(
        making.sheet_of(
            f'<row r="1">{making.cell("A1", "Name")}</row>'
            f'<row r="1048576">{making.cell("XFD1048576", "far away")}</row>'
        )
    )


def _wide_row() -> bytes:
    cells = "".join(f"<c><v>{number}</v></c>" for number in range(1_000_000))
    return making.raw_xlsx(making.sheet_of(f'<row r="1">{cells}</row>'))


def _many_parts() -> bytes:
    more = {f"xl__media__{number}_dot_png": b"" for number in range(300)}
    return making.raw_xlsx(**more)


def _twice_the_same_part() -> bytes:
    made = io.BytesIO(making.raw_xlsx())
    with zipfile.ZipFile(made, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return made.getvalue()


def _locked_zip() -> bytes:
    content = bytearray(making.raw_xlsx())
    # The mark "this part is locked" in the list of parts at the end of a zip.
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 8] |= 1
        at = content.find(b"PK\x01\x02", at + 4)
    return bytes(content)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "empty"),
    "only blanks": (lambda: b" \r\n\t\n" * 200, "empty"),
    "only commas": (lambda: b",,,,\n" * 200, "empty"),
    "an empty zip": (lambda: b"PK\x05\x06" + b"\x00" * 18, "empty"),
    "zeros": (lambda: b"\x00" * 100_000, "letters"),
    "noise": (lambda: bytes((n * n * 31 + n // 7) % 256 for n in range(50_000)), "letters"),
    "half a letter of utf-16": (lambda: b"\xff\xfe" + b"N\x00a\x00m", "letters"),
    "a zero in a cell": (lambda: b"Name,Phone\nIoana,\x0007700\n", "letters"),
    "a quote never closed": (lambda: b'Name,Phone\n"Ioana,07700\n' + b"x,1\n" * 4000, "open_quote"),
    "a cell of a million letters": (lambda: b"Name\n" + b"x" * MIB, "open_quote"),
    "a line of a million commas": (lambda: b"Name" + b"," * 1_000_000, "too_many_columns"),
    "300 columns": (lambda: b",".join(b"c%d" % n for n in range(300)), "too_many_columns"),
    "1,100,000 rows": (lambda: b"Name\n" * 1_100_000, "too_many_rows"),
    "a row of a million cells": (_wide_row, "too_many_columns"),
    "a cell 17 billion cells away": (_far_cell, "too_big"),
    "a bomb in a sheet": (lambda: making.raw_xlsx(b" " * (60 * MIB)), "too_big"),
    "a tight zip below the limit": (lambda: making.raw_xlsx(b" " * (20 * MIB)), "too_big"),
    "a zip that lies about a size": (lambda: making.lying_zip(b"<x>" * 999_999), "damaged"),
    "300 parts": (_many_parts, "unsafe"),
    "the same part twice": (_twice_the_same_part, "unsafe"),
    "a part that climbs": (lambda: making.raw_xlsx(**{"..____..__etc__x": b"x"}), "unsafe"),
    "a billion laughs": (lambda: making.raw_xlsx(LAUGHS), "unsafe"),
    "laughs in wide letters": (lambda: making.raw_xlsx(LAUGHS.encode("utf-16")), "unsafe"),
    "an entity from outside": (lambda: making.raw_xlsx(OUTSIDE), "unsafe"),
    "an entity in ods": (lambda: making.ods([["x"]], **{"settings.xml": OUTSIDE}), "unsafe"),
    "macros": (lambda: making.raw_xlsx(xl__vbaProject_dot_bin=b"Attribute VB_Name"), "macros"),
    "macros in ods": (lambda: making.ods([["x"]], **{"Basic/M/x.xml": b"<x/>"}), "macros"),
    "macros in an old file": (lambda: making.old_office("Workbook", "_VBA_PROJECT"), "macros"),
    "a locked zip": (_locked_zip, "locked"),
    "a locked office file": (lambda: making.old_office("EncryptedPackage"), "locked"),
    "an old file of another sort": (lambda: making.old_office("WordDocument"), "unknown"),
    "an old file without a list": (lambda: making.old_office("Workbook"), "damaged"),
    "half a spreadsheet": (lambda: making.raw_xlsx()[:-200], "damaged"),
    "a spreadsheet without its sheet": (
        lambda: making.zipped({"xl/workbook.xml": making.WORKBOOK}),
        "damaged",
    ),
    "100,000 tags inside each other": (lambda: making.raw_xlsx(_nested(100_000)), "damaged"),
    "a zip of something else": (lambda: making.zipped({"word/document.xml": "<x/>"}), "unknown"),
    "a photo": (lambda: b"\x89PNG\r\n\x1a\n" + b"\x00" * 500, "unknown"),
    "a paper": (lambda: b"%PDF-1.7\n%\xe2\xe3", "unknown"),
    "a program": (lambda: b"\x7fELF" + b"\x02" * 400, "unknown"),
    "a packed bomb": (lambda: gzip.compress(b"\n" * (200 * MIB)), "unknown"),
    "a web page": (lambda: b"<!doctype html><table><tr><td>=1+1</td></tr></table>", "unknown"),
    "an address book cut short": (lambda: b"BEGIN:VCARD\r\nFN:Ioana\r\n", "damaged"),
}
# Refused whatever the reader makes of them: these differ between versions of the reader.
ALSO = {"half a spreadsheet": {"damaged"}, "100,000 tags inside each other": {"damaged", "empty"}}


# These get past the first look and reach a reader: it works in a process of its own, as always.
# The others are looked at in this process, which saves a third of a second each.
REACH_A_READER = {
    "a quote never closed",
    "a line of a million commas",
    "1,100,000 rows",
    "a row of a million cells",
    "a cell 17 billion cells away",
    "an old file without a list",
    "a spreadsheet without its sheet",
    "100,000 tags inside each other",
    "an address book cut short",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_a_plain_sentence(name: str) -> None:
    make, key = HOSTILE[name]
    allowed = {key} | ALSO.get(name, set())
    if name in REACH_A_READER:
        with pytest.raises(Refusal) as refused:
            read_apart(make())
        assert refused.value.message in {SENTENCES[one] for one in allowed}
        assert "%" not in str(refused.value)
    else:
        with pytest.raises(CannotRead) as found:
            read_here(make(), Asked())
        assert found.value.key in allowed


_WEIGH = """
import resource
from tests.analysis.tables.test_hostile_files import HOSTILE
from crm.analysis.tables.apart import read_apart
from crm.domain.errors import Refusal

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name in ("a cell 17 billion cells away", "a bomb in a sheet", "a row of a million cells"):
    try:
        read_apart(HOSTILE[name][0]())
    except Refusal:
        continue
    raise SystemExit(name + " was read")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_the_server_itself_stays_small_whatever_it_is_handed() -> None:
    # In a process of its own: this one may have had a browser for a child before.
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", _WEIGH],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    grown, of_readers = map(int, done.stdout.split())
    # The files themselves are made there too, the largest of 60 MiB.
    assert grown < 300 * 1024
    assert of_readers < 560 * 1024


def test_the_most_columns_are_said_with_the_number() -> None:
    with pytest.raises(Refusal) as refused:
        read_apart(",".join(f"c{number}" for number in range(MAX_COLUMNS + 1)).encode())
    assert str(refused.value) == (
        "This list has more than 200 columns. Take out those you do not need."
    )
