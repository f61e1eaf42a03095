"""Invented words for invented people and places. Nobody and nowhere here is real."""

from __future__ import annotations

from typing import Final

FIRST: Final = (
    *("Ade", "Agnes", "Aisha", "Ana", "Bilal", "Bronwen", "Carlos", "Chidi", "Ciara", "Danuta"),
    *("Delroy", "Ewa", "Fatima", "Femi", "Gareth", "Grace", "Hamza", "Hanna", "Ifor", "Ioana"),
    *("Jamal", "Joy", "Kasia", "Kwame", "Leila", "Lukasz", "Marek", "Marta", "Megan", "Mihai"),
    *("Nadia", "Niamh", "Olu", "Owen", "Parveen", "Piotr", "Priya", "Rhys", "Rosa", "Rukhsana"),
    *("Sanjay", "Siân", "Sorin", "Tariq", "Teresa", "Tomasz", "Uzma", "Vusi", "Wanda", "Zofia"),
)
_HEADS: Final = (
    *("Al", "Ar", "Bar", "Bel", "Ber", "Bran", "Cal", "Car", "Cor", "Dal", "Dar", "Del", "Dor"),
    *("El", "Er", "Fal", "Fen", "Gal", "Gar", "Gol", "Hal", "Har", "Hol", "Kal", "Kar", "Kor"),
    *("Lam", "Lor", "Mal", "Mar", "Mor", "Nor", "Ol", "Pal", "Pol", "Ros", "Sal", "Tal", "Tor"),
    "Wil",
)
_MIDDLES: Final = (
    *("a", "e", "i", "o", "ab", "ad", "am", "an", "as", "ed", "em", "en", "er", "es", "ib", "id"),
    *("im", "in", "on", "or"),
)
_TAILS: Final = (
    *("bury", "combe", "dale", "den", "escu", "fold", "garth", "ham", "ic", "kar", "ley", "man"),
    *("mont", "oye", "ski", "son", "ton", "wen"),
)
# 40 x 20 x 18 = 14,400 surnames, about as many as a national list has.
LAST: Final = tuple(
    head + middle + tail for tail in _TAILS for middle in _MIDDLES for head in _HEADS
)
EMPLOYER_KINDS: Final = ("Foods", "Logistics", "Care", "Parcels", "Textiles", "Transport", "Works")
SITES: Final = ("Mill", "Depot", "Dock", "Hub", "Yard", "House", "Works", "Site")
AREAS: Final = ("Packing", "Goods in", "Yard", "Office", "Kitchen", "Ward 4")
JOB_TITLES: Final = ("Packer", "Driver", "Carer", "Cleaner", "Team leader", "Technician")
REGIONS: Final = (
    *("North", "North East", "North West", "Dales", "Midlands", "Marches", "Fens", "Wolds"),
    *("Valleys", "South", "South West", "Islands"),
)
UNIONS: Final = (
    *("Warehouse Workers' Union", "Dockers' Union", "Carers' Union", "Drivers' Union"),
    *("Textile Workers' Union", "Kitchen Workers' Union", "Clerks' Union", "Makers' Union"),
)
WORDS: Final = (
    "The new shifts start before the first bus runs.",
    "Pay has not kept up with the rent.",
    "Nobody asked us before the targets went up.",
    "Will come to the meeting if it ends by six.",
)
