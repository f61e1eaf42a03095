"""What is looked at before a file is read: what it really is, and whether it is built to harm.

A spreadsheet is a zip of XML parts. A few kilobytes of zip can unpack to gigabytes, and XML can
name other files or repeat itself without end: both are refused before any reader sees them.
Limits: security paper, section 3.3 (200 parts, 50 MiB unpacked, ratio 120, no DTD).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Final

from crm.analysis.tables.found import CannotRead

MAX_PARTS: Final = 200
MAX_UNPACKED: Final = 50 * 1024 * 1024
MAX_RATIO: Final = 120
# A short part of a spreadsheet repeats itself a lot; the ratio says something only beyond this.
RATIO_FROM: Final = 1024 * 1024

_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PIECE: Final = 256 * 1024
_DTD: Final = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_VCARD: Final = re.compile(r"\s*BEGIN:VCARD\s", re.IGNORECASE)
# Files of other sorts by their first bytes, so that a photo is not read as a table of one cell.
_OTHERS: Final = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!",
    b"\x7fELF",
    b"MZ",
    b"SQLite format 3",
    b"{\\rtf",
    b"BZh",
    b"\xfd7zXZ",
)
_MARKUP: Final = re.compile(r"\s*<(?:\?xml|!doctype|html|svg|table|workbook)", re.IGNORECASE)


def sort_of(content: bytes) -> str:
    """Return what a file is by its content: "csv", "xlsx", "xls", "ods" or "vcard".

    Raises CannotRead for anything else, and for a file that is built to harm.
    """
    if not content.strip():
        raise CannotRead("empty")
    if content.startswith(_EMPTY_ZIP):
        raise CannotRead("empty")
    if content.startswith(_ZIP):
        return _check_zip(content)
    if content.startswith(_OLD_OFFICE):
        return _check_old_office(content)
    if content.startswith(_OTHERS):
        raise CannotRead("unknown")
    start = _first_letters(content)
    if _VCARD.match(start):
        return "vcard"
    if _MARKUP.match(start):
        raise CannotRead("unknown")
    return "csv"


def _first_letters(content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return content[:400].decode("utf-16" if wide else "utf-8-sig", errors="replace")


def _check_old_office(content: bytes) -> str:
    # The directory of such a file names its streams in two-byte letters.
    names = {
        name
        for name in ("EncryptedPackage", "VBA", "_VBA_PROJECT", "Workbook", "Book")
        if name.encode("utf-16-le") in content
    }
    if "EncryptedPackage" in names:
        raise CannotRead("locked")
    if names & {"VBA", "_VBA_PROJECT"}:
        raise CannotRead("macros")
    if not names & {"Workbook", "Book"}:
        raise CannotRead("unknown")
    return "xls"


def _check_zip(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS:
                raise CannotRead("unsafe")
            if len({part.filename for part in parts}) != len(parts):
                raise CannotRead("unsafe")
            if any(part.flag_bits & 1 for part in parts):
                raise CannotRead("locked")
            _check_sizes(content, parts)
            names = {part.filename for part in parts}
            sort = _sort_of_parts(archive, names)
            for part in parts:
                _check_part(archive, part)
            return sort
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, OSError) as error:
        raise CannotRead("damaged") from error
    # Raised by zipfile itself: a way of packing it does not know, or a part that is locked.
    except (NotImplementedError, RuntimeError) as error:
        raise CannotRead("unsafe") from error


def _check_sizes(content: bytes, parts: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED:
        raise CannotRead("too_big")
    if unpacked > RATIO_FROM and unpacked > MAX_RATIO * max(len(content), 1):
        raise CannotRead("too_big")


def _sort_of_parts(archive: zipfile.ZipFile, names: set[str]) -> str:
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise CannotRead("macros")
    if any(name.startswith("Basic/") for name in names):
        raise CannotRead("macros")
    if "mimetype" in names:
        with archive.open("mimetype") as part:
            if part.read(200).strip() != b"application/vnd.oasis.opendocument.spreadsheet":
                raise CannotRead("unknown")
        if "META-INF/manifest.xml" in names:
            with archive.open("META-INF/manifest.xml") as part:
                if b"encryption-data" in part.read(MAX_UNPACKED):
                    raise CannotRead("locked")
        return "ods"
    if "xl/workbook.xml" in names:
        return "xlsx"
    raise CannotRead("unknown")


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Unpack a part to its end, holding no more than a piece of it: sizes that are stated may lie.

    Raises CannotRead when it is larger than stated, packed too tightly, or XML with a DTD.
    """
    if part.filename.startswith("/") or ".." in part.filename.split("/"):
        raise CannotRead("unsafe")
    size = 0
    before = b""
    with archive.open(part) as unpacked:
        while piece := unpacked.read(_PIECE):
            size += len(piece)
            if size > part.file_size or size > MAX_UNPACKED:
                raise CannotRead("too_big")
            # Two-byte letters of UTF-16 are read as one-byte ones: only the plain letters matter.
            text = (before + piece).replace(b"\x00", b"")
            if _DTD.search(text):
                raise CannotRead("unsafe")
            before = piece[-64:]
    if size > RATIO_FROM and size > MAX_RATIO * max(part.compress_size, 1):
        raise CannotRead("too_big")
