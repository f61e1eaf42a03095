"""The few invented people whom the rest of the practice copy is told around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crm.features.practice.invented import ground


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody the screens are told about by name: where they work and what is known."""

    first: str
    surname: str
    language: str
    area: str
    shift: str
    asked: bool
    member: bool | None
    # Where they stood at each talk, oldest first: (days ago, who spoke to them, rating).
    talks: tuple[tuple[int, str, int], ...] = ()
    agency: bool = False
    do_not_contact: bool = False
    second_workplace: bool = False
    other_union: bool = False


CAST: Final = (
    Known(
        "Ioana",
        "Popa",
        "Romanian",
        "Pick",
        ground.NIGHTS,
        True,
        False,
        ((96, "Danuta", 3), (61, "Ana", 3), (24, "Danuta", 2), (3, "Danuta", 2)),
        agency=True,
    ),
    Known(
        "Tomasz",
        "Kowalewski",
        "Polish",
        "Pick",
        ground.NIGHTS,
        True,
        None,
        ((40, "Danuta", 4), (12, "Danuta", 3)),
    ),
    Known("Shabnam", "Mirza", "Urdu", "Pick", ground.NIGHTS, False, None),
    Known("Rukhsana", "Akhtar", "Urdu", "Pack", ground.TWILIGHT, False, None, agency=True),
    Known(
        "Gareth",
        "Oldroyd",
        "English",
        "Pack",
        ground.TWILIGHT,
        True,
        True,
        ((80, "Owen", 3), (16, "Danuta", 2)),
    ),
    Known(
        "Marta",
        "Wrona",
        "Polish",
        "Pack",
        ground.TWILIGHT,
        True,
        True,
        ((110, "Ana", 2), (55, "Owen", 1), (8, "Owen", 1)),
    ),
    Known(
        "Łukasz",
        "Majcher",
        "Polish",
        "Pack",
        ground.TWILIGHT,
        True,
        False,
        ((70, "Owen", 4), (20, "Ana", 5)),
    ),
    Known(
        "Folake",
        "Balogun",
        "Yoruba",
        "Goods in",
        ground.DAYS,
        True,
        True,
        ((33, "Danuta", 2),),
        second_workplace=True,
    ),
    Known(
        "Dawit",
        "Tekle",
        "Tigrinya",
        "Dispatch",
        ground.DAYS,
        True,
        True,
        ((47, "Kasia", 2),),
        other_union=True,
    ),
    Known(
        "Nuno",
        "Brandão",
        "Portuguese",
        "Returns",
        ground.DAYS,
        True,
        False,
        ((52, "Danuta", 4),),
        do_not_contact=True,
    ),
    # Two people see them differently: they should talk.
    Known(
        "Agnieszka",
        "Zielonka",
        "Polish",
        "Dispatch",
        ground.TWILIGHT,
        True,
        True,
        ((9, "Danuta", 2), (6, "Ana", 4)),
    ),
    Known(
        "Darren",
        "Sykes",
        "English",
        "Yard",
        ground.DAYS,
        True,
        True,
        ((14, "Kasia", 1), (10, "Danuta", 3)),
    ),
)
