"""What invented people say in the talks of the practice copy. Nobody said any of this."""

from __future__ import annotations

from typing import Final

# Code of the issue -> what the person says about it.
SAID: Final[dict[str, tuple[str, ...]]] = {
    "pay": (
        "Rent went up £60 and pay went up 20p. I do the sums every week.",
        "The agency gets £2 an hour more for me than I get.",
        "I have been here nine years and a new starter gets the same.",
        "Overtime should be time and a half again.",
    ),
    "hours": (
        "They send us home at two and do not pay the rest.",
        "I never know on Friday if I work on Monday.",
        "I asked for more hours in March. Still nothing in writing.",
    ),
    "shifts": (
        "Four nights, two off, four nights. I never see the kids.",
        "They moved me to twilight with two days’ notice.",
        "The rota changes after it is on the wall.",
    ),
    "targets": (
        "The rate went from 95 to 110 and nobody asked us.",
        "The scanner counts the time in the toilet.",
        "I help the new ones and then my rate is red.",
    ),
    "safety": (
        "The guard on line 3 has been off since last month.",
        "Forklifts and people use the same door in the yard.",
        "I reported the loose racking twice.",
    ),
    "heat": (
        "It was 34 degrees up on the mezzanine in July.",
        "The fans only blow on the offices.",
        "In winter the dock doors stay open all night.",
    ),
    "bullying": (
        "The night manager shouts at people in front of everyone.",
        "He wrote me up for talking.",
    ),
    "contracts": (
        "Two years here through the agency. I want a real contract.",
        "My contract says 7.5 hours a week. I work 40.",
    ),
    "staffing": (
        "There were eight of us on this line. Now we are five.",
        "Nobody covers when someone is off sick.",
    ),
    "discrimination": (
        "The same people always get the heavy jobs.",
        "English speakers get the day shift first.",
    ),
    "breaks": (
        "It takes six minutes to walk to the canteen and six back.",
        "The break was cut by five minutes and nobody told us why.",
    ),
    "other": (
        "The bus stops before our shift ends. We wait an hour.",
        "They took away the staff fridge.",
    ),
}

# The same, as a rep wrote it down in another language: (language, what they said, next step).
SAID_ELSEWHERE: Final[tuple[tuple[str, str, str], ...]] = (
    ("pl", "Norma jest za wysoka. Nikt nas nie pytał.", "Porozmawiać znowu po wypłacie."),
    ("pl", "Chcę stałej umowy, a nie ciągle przez agencję.", "Zaprosić na zebranie w czwartek."),
    ("pl", "W nocy kierownik krzyczy na ludzi.", "Przynieść ulotkę po polsku."),
    ("pl", "Boję się, że agencja mnie już nie weźmie.", "Poznać ją z Martą z pakowania."),
    ("ro", "Vara este prea cald la etaj.", "Vorbim din nou săptămâna viitoare."),
    ("ro", "Vreau ore sigure în fiecare săptămână.", "Îl chem la întâlnirea de joi."),
    ("ro", "Nu știam că am voie să intru în sindicat.", "Îi duc formularul de înscriere."),
    ("ro", "Pauza este prea scurtă. Drumul până la cantină durează.", "Vorbim după tură."),
)

FEARS: Final = (
    "Scared the agency will not call again.",
    "Thinks the manager will find out who signed.",
    "Worried about the visa. Asked what the union can do.",
    "Was let down by a union in the last job.",
    "Cannot lose a single shift this month.",
    "Partner says to keep out of it.",
)

INOCULATION: Final = (
    "We talked about the letter that managers sent last time, and what it left out.",
    "Told them a manager may ask them to a chat, and that they may bring a rep.",
    "We went through what happened at Wath: nobody who signed was sacked.",
    "They will say there is no money. We looked at the yearly profit together.",
)

NEXT_STEPS: Final = (
    "Bring the form on Thursday.",
    "Speak again after pay day.",
    "Will introduce us to two people on the same line.",
    "Come with them to the meeting.",
    "Ask how the talk with the manager went.",
    "Find them on the late break, not on the line.",
    "Send the date of the meeting by text.",
)

REMINDERS: Final = (
    "Said: ask me after the meeting",
    "Bring the joining form",
    "Ask how the meeting with the manager went",
    "Has two people who want to talk",
    "Wants to hear what was decided",
    "Could not talk on shift, call in the evening",
    "Promised to sign the petition",
)

CONSENT: Final = (
    "Yes, you can keep my number to tell me about meetings.",
    "Yes, write down that I am a member.",
    "You can note what I said. Do not pass it on.",
)
