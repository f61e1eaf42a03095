"""The invented workplaces of the practice copy: who works where, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DAYS, TWILIGHT, NIGHTS = "Days", "Twilight", "Nights"


@dataclass(frozen=True, slots=True)
class Group:
    """The people of one area and shift today, as counts.

    never_asked: nobody has said where they stand. members and not_members: known; the rest of
    `people` is not known. placeholders: people nobody could name yet, among the never asked.
    """

    area: str
    shift: str | None
    people: int
    never_asked: int
    members: int
    not_members: int
    title: str
    placeholders: int = 0

    @property
    def not_known(self) -> int:
        """How many people there are whose membership is not known."""
        return self.people - self.members - self.not_members


# 285 people: 127 members, 92 in no union, 66 not known; 94 never asked.
DEARNE_VALLEY: Final = (
    Group("Goods in", DAYS, 31, 4, 19, 8, "Goods-in operative"),
    Group("Pick", DAYS, 14, 4, 7, 4, "Picker"),
    Group("Pick", TWILIGHT, 12, 4, 5, 4, "Picker"),
    Group("Pick", NIGHTS, 48, 29, 9, 15, "Picker", placeholders=5),
    Group("Pack", DAYS, 12, 3, 8, 3, "Packer"),
    Group("Pack", TWILIGHT, 40, 6, 24, 12, "Packer"),
    Group("Pack", NIGHTS, 10, 5, 3, 3, "Packer", placeholders=3),
    Group("Returns", DAYS, 18, 6, 7, 7, "Returns clerk"),
    Group("Returns", TWILIGHT, 10, 4, 3, 5, "Returns clerk"),
    Group("Yard", DAYS, 12, 2, 7, 3, "Shunter"),
    Group("Yard", NIGHTS, 10, 5, 4, 3, "Shunter"),
    Group("Canteen", DAYS, 11, 7, 2, 4, "Canteen assistant"),
    Group("Dispatch", DAYS, 16, 2, 11, 4, "Loader"),
    Group("Dispatch", TWILIGHT, 15, 2, 10, 4, "Loader"),
    Group("Dispatch", NIGHTS, 10, 4, 5, 3, "Loader"),
    Group("Office", DAYS, 16, 7, 3, 10, "Planner"),
)

# Area -> lowest and highest count of its workers today. The canteen was never counted.
DEARNE_VALLEY_COUNTS: Final[dict[str, tuple[int, int]]] = {
    "Goods in": (31, 33),
    "Pick": (74, 84),
    "Pack": (60, 68),
    "Returns": (28, 31),
    "Yard": (22, 24),
    "Dispatch": (41, 43),
    "Office": (14, 18),
}

WATH: Final = (
    Group("Inbound", DAYS, 14, 5, 5, 5, "Warehouse operative"),
    Group("Outbound", DAYS, 12, 4, 6, 2, "Loader"),
    Group("Outbound", NIGHTS, 8, 5, 1, 3, "Loader", placeholders=1),
)

HOYLAND: Final = (
    Group("Care", DAYS, 6, 1, 2, 3, "Care worker"),
    Group("Kitchen", DAYS, 3, 1, 1, 1, "Cook"),
)

METRO: Final = (
    Group("Drivers", DAYS, 16, 3, 11, 1, "Bus driver"),
    Group("Engineering", DAYS, 8, 3, 4, 2, "Fitter"),
)

AGENCY_AREAS: Final = frozenset({"Pick", "Pack", "Canteen", "Returns"})

# Invented people at real workplaces: the titles fit the kind of register.
HOSPITAL_TITLES: Final = ("Healthcare assistant", "Porter", "Staff nurse", "Domestic", "Clerk")
EMPLOYER_TITLES: Final = ("Operative", "Driver", "Administrator", "Technician", "Cleaner")
