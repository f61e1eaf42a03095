"""The published tallies of elections for recognition, judged by the program's own rules.

    python -m bench elections --file elections.csv.gz

The file is a public record (see tests/data/nlrb-elections-2017-2019/README.md): each row holds the
count of one tally, and in what way the board closed the case. The count alone does not always give
what was certified, so a certified outcome is a fact of its own; how often the two part is printed.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from crm.domain.balloting import outcomes_of_numbers
from crm.domain.rules import Counted, KeyDate, Subject, rule_book

# The days stand in the file; the rule has been the same all along.
_NO_DAY = date(2017, 1, 1)
_ELECTION = "us.nlra.election"
_REPRESENTATIVE = "Certific. of Representative"
_RESULTS = "Certification of Results"


class Outcome(StrEnum):
    """What a tally came to by its count."""

    WON = "won"
    TIED = "tied"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Tally:
    """One row of the file. Numbers of papers; None = the cell is empty.

    others_for: votes for a second and third union. certified: whether the union was certified;
    None where the case was not closed by a certification. names_union: another cell of the row
    names a union to certify.
    """

    case: str
    kind: str
    category: str
    filed_on: date
    impounded: bool
    challenges_decide: bool
    entitled: int | None
    void: int | None
    votes_for: int | None
    others_for: int
    against: int | None
    valid: int | None
    challenged: int | None
    certified: bool | None
    names_union: bool

    @property
    def adds_up(self) -> bool:
        """Whether the votes for each union and against make up the valid votes."""
        return (self.votes_for or 0) + self.others_for + (self.against or 0) == self.valid

    def outcome(self) -> Outcome | None:
        """What the rule in force on the day of filing makes of the count, or None when a count is
        missing."""
        found = outcomes_of_numbers(
            rule_book("US"),
            {Counted.UNIT: self.entitled, Counted.VALID: self.valid, Counted.YES: self.votes_for},
            {KeyDate.APPLICATION: self.filed_on},
            subject=Subject.RECOGNITION,
        )
        passed = next(one.passed for one in found if one.rule.id == _ELECTION)
        if passed is None:
            return None
        if passed:
            return Outcome.WON
        return Outcome.TIED if self.votes_for == self.against else Outcome.LOST

    @property
    def half_took_part(self) -> bool:
        """Whether papers of any sort came from at least half of those entitled; not, where nobody
        says how many they were."""
        papers = (self.valid or 0) + (self.void or 0) + (self.challenged or 0)
        return self.entitled is not None and 2 * papers >= self.entitled


def read_tallies(path: Path) -> list[Tally]:
    """Return the rows of the file, plain or gzipped, in its order."""
    packed = path.suffix == ".gz"
    text = (gzip.decompress(path.read_bytes()) if packed else path.read_bytes()).decode()
    return [_tally(row) for row in csv.DictReader(io.StringIO(text, newline=""))]


def _tally(row: dict[str, str]) -> Tally:
    def number(name: str) -> int | None:
        return int(row[name]) if row[name].strip() else None

    closed = row["Closed Reason"]
    return Tally(
        case=row["Case Number"],
        kind=row["Tally Type"],
        category=row["Tally Category"],
        filed_on=date.fromisoformat(row["Case Filed Date"]) if row["Case Filed Date"] else _NO_DAY,
        impounded=row["Ballots Impounded"] == "Y",
        challenges_decide=row["Challenges R Determinitive"] == "Y",
        entitled=number("Num Eligible Voters"),
        void=number("Num Void Ballots"),
        votes_for=number("Votes For Labor Org1"),
        others_for=sum(number(f"Votes For Labor Org{at}") or 0 for at in (2, 3)),
        against=number("Votes Cast Against Labor Org"),
        valid=number("Num Valid Votes Counted"),
        challenged=number("Num Challenged Ballots"),
        certified={_REPRESENTATIVE: True, _RESULTS: False}.get(closed),
        names_union=bool(row["Union To Certify"].strip()),
    )


def clean(tallies: Iterable[Tally]) -> list[Tally]:
    """Return the tallies whose count alone should say what was certified.

    The first tally, and the only row, of a petition by one union, whose votes add up, with no
    paper impounded and no challenged papers that decide, in a case that was closed by certifying.
    """
    every = list(tallies)
    rows_of = Counter(one.case for one in every)
    return [
        one
        for one in every
        if "-RC-" in one.case
        and one.category == "Single Labor Organization"
        and one.kind == "Initial"
        and rows_of[one.case] == 1
        and one.certified is not None
        and one.adds_up
        and not one.challenges_decide
        and not one.impounded
    ]


def counts(tallies: Sequence[Tally]) -> dict[str, int]:
    """Return how often the rule's outcome is what was certified, and each way in which it is not.

    tallies: clean ones.
    """
    judged = [(one, one.outcome()) for one in tallies]
    agree = [one for one, found in judged if (found is Outcome.WON) is one.certified]
    won_not_certified = [
        one for one, found in judged if found is Outcome.WON and one.certified is False
    ]
    return {
        "clean": len(judged),
        "won": sum(found is Outcome.WON for _, found in judged),
        "certified": sum(one.certified is True for one in tallies),
        "agree": len(agree),
        "tied": sum(found is Outcome.TIED for _, found in judged),
        "won, closed without a union": len(won_not_certified),
        "of these, the row names a union to certify": sum(
            one.names_union for one in won_not_certified
        ),
        "lost, and a union certified": sum(
            found is Outcome.LOST and one.certified is True for one, found in judged
        ),
        "tied, and a union certified": sum(
            found is Outcome.TIED and one.certified is True for one, found in judged
        ),
        "half took part": sum(one.half_took_part for one in tallies),
    }


def main(path: Path) -> None:
    """Print the counts of the whole file."""
    tallies = read_tallies(path)
    print(f"| rows | {len(tallies):,} |\n|---|---|")
    print(f"| the votes do not add up | {sum(not one.adds_up for one in tallies):,} |")
    for name, number in counts(clean(tallies)).items():
        print(f"| {name} | {number:,} |")
