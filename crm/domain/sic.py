"""UK standard industrial classification of 2007 (SIC 2007): what an employer does.

The list is `reference/sic2007.csv`, as Companies House publishes it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

DORMANT_COMPANY = "99999"

# Office for National Statistics, UK SIC 2007: each section is a run of two-digit divisions.
_SECTIONS: tuple[tuple[str, int, int, str], ...] = (
    ("A", 1, 3, "Agriculture, forestry and fishing"),
    ("B", 5, 9, "Mining and quarrying"),
    ("C", 10, 33, "Manufacturing"),
    ("D", 35, 35, "Electricity, gas, steam and air conditioning supply"),
    ("E", 36, 39, "Water supply, sewerage, waste management and remediation activities"),
    ("F", 41, 43, "Construction"),
    ("G", 45, 47, "Wholesale and retail trade; repair of motor vehicles and motorcycles"),
    ("H", 49, 53, "Transportation and storage"),
    ("I", 55, 56, "Accommodation and food service activities"),
    ("J", 58, 63, "Information and communication"),
    ("K", 64, 66, "Financial and insurance activities"),
    ("L", 68, 68, "Real estate activities"),
    ("M", 69, 75, "Professional, scientific and technical activities"),
    ("N", 77, 82, "Administrative and support service activities"),
    ("O", 84, 84, "Public administration and defence; compulsory social security"),
    ("P", 85, 85, "Education"),
    ("Q", 86, 88, "Human health and social work activities"),
    ("R", 90, 93, "Arts, entertainment and recreation"),
    ("S", 94, 96, "Other service activities"),
    (
        "T",
        97,
        98,
        (
            "Activities of households as employers; undifferentiated goods- and "
            "services-producing activities of households for own use"
        ),
    ),
    ("U", 99, 99, "Activities of extraterritorial organisations and bodies"),
)
_SECTION_OF_DIVISION: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        f"{division:02d}": (letter, name)
        for letter, first, last, name in _SECTIONS
        for division in range(first, last + 1)
    }
)


@lru_cache(maxsize=1)
def sic_codes() -> Mapping[str, str]:
    """Returns every code of the list with its description, in code order; 731 of them.

    Codes are text of five digits. The list is read once for each process.
    """
    listed = resources.files("crm.domain").joinpath("reference", "sic2007.csv")
    lines = listed.read_text(encoding="utf-8").splitlines()
    return MappingProxyType({row["code"]: row["description"] for row in csv.DictReader(lines)})


def sic_description(code: str) -> str | None:
    """Returns what a SIC 2007 code stands for, or None when the list does not hold the code.

    `code` is text of five digits, with its leading zero.
    """
    return sic_codes().get(code)


@lru_cache(maxsize=1)
def sections() -> Mapping[str, str]:
    """Returns the 21 sections of SIC 2007, letter to name, from A to U."""
    return MappingProxyType({letter: name for letter, _, _, name in _SECTIONS})


def sic_section(code: str) -> tuple[str, str] | None:
    """Returns the letter and name of the section that a SIC 2007 code belongs to, or None.

    The first two digits decide, by the Office for National Statistics' table of 21 sections.
    None for a code that is not in the list, and for 99999: Companies House uses it for a dormant
    company, which is no foreign body although section U holds the other codes that start with 99.
    """
    if code == DORMANT_COMPANY or code not in sic_codes():
        return None
    return _SECTION_OF_DIVISION[code[:2]]
