"""The columns of a file of people. The import of lists reads the same headings back in.

The headings are English in every language: they are part of the file's format, like its dates.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class FileKind(StrEnum):
    """The kinds of file that a list of people can leave as."""

    CSV = "csv"
    XLSX = "xlsx"
    VCARD = "vcf"


class ColumnGroup(StrEnum):
    """What somebody can choose to have in the file, besides the names."""

    WORK = "work"
    DETAILS = "details"
    MEMBERSHIP = "membership"
    STANDING = "standing"
    TALKS = "talks"
    OWN = "own"


# Always there: whose row it is, and whether we may speak to them at all.
FIRST: Final = ("Shopfloor number", "Known as", "Full name", "Label", "Pronouns", "Do not contact")
HEADINGS: Final[Mapping[ColumnGroup, tuple[str, ...]]] = {
    ColumnGroup.WORK: (
        *("Workplace", "Area", "Shift", "Job title", "Employer of record", "Contract type"),
        "Started on",
    ),
    ColumnGroup.DETAILS: (
        *("Phone", "Phone 2", "Phone 3", "Email", "Email 2", "Email 3", "Address"),
    ),
    ColumnGroup.MEMBERSHIP: ("Member", "Union", "Joined on"),
    # 1 is the strongest, 5 the weakest.
    ColumnGroup.STANDING: ("Standing", "Standing asked on", "Standing first hand"),
    ColumnGroup.TALKS: ("Last talk",),
    # And one for each field of a branch, under its name.
    ColumnGroup.OWN: ("Tags",),
}
# How many phones, and how many mail addresses, a row holds.
MOST_POINTS: Final = 3


def once(headings: list[str]) -> tuple[str, ...]:
    """Return the headings, with a number behind one that stands there already."""
    found: list[str] = []
    for heading in headings:
        number, one = 1, heading
        while one.casefold() in {other.casefold() for other in found}:
            number += 1
            one = f"{heading} ({number})"
        found.append(one)
    return tuple(found)


def without_plus(phone: str) -> str:
    """Return a phone number that a spreadsheet does not take for a sum: 0048 600, not +48 600."""
    bare = phone.strip()
    return f"00{bare[1:].lstrip()}" if bare.startswith(("+", "\uff0b")) else bare
