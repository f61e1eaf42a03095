"""Invented names for the people of the practice copy, by the language they speak at home."""

from __future__ import annotations

from random import Random
from typing import Final

# Language in English, as the page of a person shows it: (first names, surnames, how common).
_NAMES: Final[dict[str, tuple[str, str, int]]] = {
    "English": (
        (
            "Gareth Claire Darren Shannon Lee Kelly Wayne Tracey Craig Leanne Dean Joanne Scott "
            "Nathan Becky Ryan Donna Callum Stacey Ian Gemma Kev Michelle Liam Hayley Mick "
            "Josh Amber Pete Sharon Jamie Chloe Barry Nicola Aaron Denise Steve Ellie"
        ),
        (
            "Armitage Beaumont Crossley Dyson Earnshaw Firth Gledhill Hinchliffe Illingworth "
            "Kilner Lockwood Micklethwaite Naylor Oldroyd Priestley Ramsden Senior Tordoff Umpleby "
            "Varley Wadsworth Yeardley Bottomley Copley Haigh Marsden Sykes Thackray Whiteley"
        ),
        44,
    ),
    "Polish": (
        (
            "Tomasz Marta Łukasz Agnieszka Piotr Ewa Paweł Małgorzata Krzysztof Joanna Grzegorz "
            "Magdalena Rafał Beata Dariusz Sylwia Mariusz Dorota Jacek Iwona"
        ),
        (
            "Kowalewski Wójtowicz Zielonka Wrona Dąbek Leśniak Mazurek Krawiec Piekarz Grabiec "
            "Nowotny Jabłonka Majcher Olszak Stępniak"
        ),
        16,
    ),
    "Romanian": (
        (
            "Ioana Andrei Elena Mihai Gabriela Cristian Raluca Florin Simona Bogdan Alina Sorin "
            "Mirela Vasile Daniela Cătălin"
        ),
        "Popa Ionașcu Dumitru Stanciu Munteanu Olaru Rusu Ciobanu Lupu Neagu Preda Văduva",
        13,
    ),
    "Urdu": (
        (
            "Rukhsana Bilal Shabnam Imran Aisha Tariq Nazia Usman Farah Kashif Saima Adnan Yasmin "
            "Hamza"
        ),
        "Akhtar Mirza Qureshi Bukhari Chaudhry Rafiq Sadiq Anwar Hashmi Bashir",
        9,
    ),
    "Portuguese": (
        "Jorge Fátima Rui Carla Nuno Sandra Paulo Inês Hugo Teresa",
        "Ferreirinha Carvalhal Moutinho Pinheiro Teixeirinha Brandão Lourenço Azinheira",
        5,
    ),
    "Yoruba": (
        "Folake Tunde Bisi Kunle Yemi Segun Ronke Dele",
        "Adebisi Ogunleye Akinwale Oyelade Fashola Balogun",
        4,
    ),
    "Tigrinya": (
        "Selam Yonas Freweyni Dawit Abrehet Tesfay",
        "Habtemichael Gebreyesus Woldu Tekle Haile",
        3,
    ),
    "Cantonese": ("Wai-Lin Chun Mei-Yee Kin", "Cheung Lau Mak Tsang", 2),
}

FIRST_NAMES: Final = frozenset(name for first, _, _ in _NAMES.values() for name in first.split())
SURNAMES: Final = frozenset(name for _, last, _ in _NAMES.values() for name in last.split())


class NameMaker:
    """Hands out invented names, each full name once."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._given: set[tuple[str, str]] = set()

    def keep(self, first: str, surname: str) -> None:
        """Set a name aside, so that nobody else is given it."""
        self._given.add((first, surname))

    def next(self) -> tuple[str, str, str]:
        """Return a first name, a surname and the language spoken at home."""
        languages = list(_NAMES)
        weights = [_NAMES[language][2] for language in languages]
        while True:
            language = self._rng.choices(languages, weights)[0]
            first = self._rng.choice(_NAMES[language][0].split())
            surname = self._rng.choice(_NAMES[language][1].split())
            if (first, surname) not in self._given:
                self._given.add((first, surname))
                return first, surname, language
