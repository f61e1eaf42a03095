"""How one list is read and matched: plain values that are kept with it, and what they lack."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

from crm.analysis.tables.found import Asked, Table
from crm.analysis.tables.layout import find_layout, find_left_out
from crm.domain.assessment import STRONGEST, WEAKEST, Basis
from crm.domain.columns import DAYS, NAMES, REPEATED, VALUED, Target, guess_targets
from crm.domain.errors import Refusal
from crm.domain.identity import fold
from crm.domain.listed import (
    days_in,
    fold_word,
    guess_member,
    is_blank,
    is_garbled,
    is_month_first,
)
from crm.domain.listed_successions import WORDS
from crm.domain.vocabulary import ContractType, HowKnown, ImportKind, QuestionKind

# Values of one column that are matched by hand; of more than this only those that fit by
# themselves are, and the others are said row by row.
MOST_VALUES: Final = 60
LEFT_OUT: Final = ""
# The answer that everybody on a list of people is in its union.
ALL_MEMBERS: Final = "all_members"
NEW_PLACE: Final = "new"
_SAMPLES: Final = 200
_LOOKED_INTO: Final = 500  # rows
# Different values of a column that a long list keeps beside it for its pages.
HELD: Final = 5000
_EMPTY: Final = "empty"


# One thing that must be said first: the name of its field in the form, and what to do.
Lack = tuple[str, Refusal]


class Unready(Refusal):
    """Things are missing that a list cannot be checked without. lacks: at least one."""

    def __init__(self, lacks: Sequence[Lack]) -> None:
        super().__init__(lacks[0][1].message, **lacks[0][1].params)
        self.lacks = tuple(lacks)


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that was chosen for a list.

    heading_row: its number in the file, 0 for none. left_out: numbers of rows of the body that
    are passed by. targets: where each column goes. workplace, union: public ids for the whole
    list, None where a column says it, or nothing does. as_at: the day the list is true for.
    strongest: which end of a scale of 1 to 5 is the strongest support; None = not said yet.
    meanings: for each column of VALUED, what each folded value means. different: rows that were
    said to be about somebody new; different_at: when, as text. same: the person that a row was
    said to be about. answers: to the questions that only one kind of list asks, by name; see the
    module of the kind. names: what was said of names of workplaces that are like some that are
    here, by folded name: the public id of the workplace, or NEW_PLACE. rest: public id of the list
    of the rows that this one left for later; rest_of: of the list that left these.
    """

    heading_row: int
    left_out: tuple[int, ...]
    targets: tuple[Target, ...]
    asked: Asked = field(default_factory=Asked)
    workplace: str | None = None
    union: str | None = None
    as_at: date | None = None
    how_known: HowKnown | None = None
    strongest: int | None = None
    basis: Basis | None = None
    employer: str | None = None
    counts: str | None = None
    source: str | None = None
    meanings: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    different: tuple[int, ...] = ()
    same: Mapping[int, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    different_at: Mapping[int, str] = field(default_factory=dict)
    rest: str | None = None
    rest_of: str | None = None

    def as_plain(self) -> dict[str, Any]:
        """Return values that JSON can hold."""
        plain = asdict(self)
        plain["as_at"] = self.as_at.isoformat() if self.as_at else None
        return plain

    def columns_of(self, *targets: Target) -> list[int]:
        """Return the positions of the columns that go to any of these."""
        return [place for place, target in enumerate(self.targets) if target in targets]

    @property
    def said_new(self) -> dict[int, datetime | None]:
        """Return the rows that were said to be about somebody new, and when; None = not kept."""
        return {
            number: datetime.fromisoformat(at) if (at := self.different_at.get(number)) else None
            for number in self.different
        }


def rules_of(plain: Mapping[str, Any]) -> Rules:
    """Return the rules that ``as_plain`` wrote down."""
    return Rules(
        heading_row=plain["heading_row"],
        left_out=tuple(plain["left_out"]),
        targets=tuple(Target(one) for one in plain["targets"]),
        asked=Asked(**plain["asked"]),
        workplace=plain["workplace"],
        union=plain["union"],
        as_at=date.fromisoformat(plain["as_at"]) if plain["as_at"] else None,
        how_known=HowKnown(plain["how_known"]) if plain["how_known"] else None,
        strongest=plain["strongest"],
        basis=Basis(plain["basis"]) if plain["basis"] else None,
        employer=plain["employer"],
        counts=plain["counts"],
        source=plain["source"],
        meanings={int(key): dict(words) for key, words in plain["meanings"].items()},
        different=tuple(plain["different"]),
        same={int(key): str(one) for key, one in plain["same"].items()},
        # Lists and recipes that were kept before there were such questions have none.
        answers=dict(plain.get("answers", {})),
        names=dict(plain.get("names", {})),
        different_at={int(key): str(one) for key, one in plain.get("different_at", {}).items()},
        rest=plain.get("rest"),
        rest_of=plain.get("rest_of"),
    )


def first_rules(table: Table, asked: Asked) -> Rules:
    """Return rules for a table nobody has looked at yet: where its headings and its rows are."""
    layout = find_layout(table.rows)
    return Rules(
        heading_row=layout.heading_row,
        left_out=layout.left_out,
        targets=tuple(Target.LEAVE_OUT for _ in range(table.width)),
        asked=asked,
    )


def only_headings(table: Table, kind: ImportKind) -> int:
    """Return the number of the one row of a file that holds nothing but headings; 0 for any other.

    By their words alone: the list of one person has a row too.
    """
    filled = [number for number, row in enumerate(table.rows, start=1) if any(row)]
    if table.kind == "vcard" or len(filled) != 1:
        return 0
    row = [" ".join(cell.split()) for cell in table.rows[filled[0] - 1]]
    # A value that says nothing: a phone number below no heading is somebody's.
    guessed = guess_targets(kind, row, [["·"] for _ in row])
    return filled[0] if any(one is not Target.LEAVE_OUT for one in guessed) else 0


def with_guesses(rules: Rules, kind: ImportKind, table: Table) -> Rules:
    """Return the rules with the columns that the headings and values speak for."""
    headings = headings_of(table, rules)
    columns = [samples(table, rules, place, _SAMPLES) for place in range(table.width)]
    targets = tuple(guess_targets(kind, headings, columns))
    strongest = rules.strongest
    if {Target.STANDING, Target.STANDING_ON} <= set(targets):
        # A file that was taken out of here: its scale is ours.
        strongest = STRONGEST
    return replace(rules, targets=targets, strongest=strongest)


def day_of_titles(table: Table, rules: Rules, *, today: date) -> date | None:
    """Return the one day that is named above the headings; None for none, several, or one to come.

    It is never guessed from the day the file came: lists are late.
    """
    days = {
        day
        for row in table.rows[: max(rules.heading_row - 1, 0)]
        for cell in row
        for day in days_in(cell)
    }
    return next(iter(days)) if len(days) == 1 and max(days) <= today else None


def headings_of(table: Table, rules: Rules) -> list[str]:
    """Return what stands above each column; "" where the list has no headings."""
    if not 0 < rules.heading_row <= len(table.rows):
        return [""] * table.width
    return [" ".join(cell.split()) for cell in table.rows[rules.heading_row - 1]]


def headings_hash(table: Table, rules: Rules, *, without_last: int = 0) -> str | None:
    """Return what tells lists with the same headings; None for one without headings of its own.

    without_last: how many of the last columns do not count.
    """
    headings = [fold(one) for one in headings_of(table, rules)][: table.width - without_last]
    # All address books have one heading row, whatever is in them: guessed anew each time.
    if table.kind == "vcard" or not any(headings):
        return None
    return hashlib.sha256(json.dumps(headings).encode()).hexdigest()


def body(table: Table, rules: Rules) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the number and cells of each row of the list itself, empty rows left out."""
    passed = set(rules.left_out)
    for number, row in enumerate(table.rows, start=1):
        if number > rules.heading_row and number not in passed and any(row):
            yield number, row


def samples(table: Table, rules: Rules, place: int, most: int = 3) -> list[str]:
    """Return the first different values of a column that are not empty."""
    key = _key("samples", rules, place)
    if key in table.found:
        return list(table.found[key][:most])
    found: dict[str, None] = {}
    for _number, row in body(table, rules):
        if row[place]:
            found.setdefault(row[place])
        if len(found) >= most:
            break
    return list(found)


def count_rows(table: Table, rules: Rules) -> int:
    """Return how many rows the list itself has."""
    return int(_looked_up(table, _key("count", rules), lambda: sum(1 for _ in body(table, rules))))


def proposed_left_out(table: Table, heading_row: int) -> tuple[int, ...]:
    """Return the numbers of the rows below the headings that look like totals or notes."""
    key = ("proposed", heading_row)
    return tuple(_looked_up(table, key, lambda: find_left_out(table.rows, heading_row)))


def month_first(table: Table, rules: Rules, place: int) -> str | None:
    """Return a date of a column that has its month first; None where there is none."""

    def _look() -> str | None:
        return next(filter(is_month_first, values_of(table, rules, place).values()), None)

    found: str | None = _looked_up(table, _key("month_first", rules, place), _look)
    return found


def garbled(table: Table, rules: Rules, place: int) -> str | None:
    """Return a cell of the first rows of a column whose letters look wrong; None for none."""

    def _look() -> str | None:
        first = islice(body(table, rules), _LOOKED_INTO)
        return next((row[place] for _number, row in first if is_garbled(row[place])), None)

    found: str | None = _looked_up(table, _key("garbled", rules, place), _look)
    return found


def _key(what: str, rules: Rules, *more: int) -> tuple[Any, ...]:
    return (what, rules.heading_row, rules.left_out, *more)


def _looked_up(table: Table, key: tuple[Any, ...], look: Callable[[], Any]) -> Any:
    if key not in table.found:
        table.found[key] = look()
    return table.found[key]


def look_through(table: Table, rules: Rules) -> None:
    """Walk once through all rows and keep with the table what its pages ask of it.

    Of a column with more different values than HELD they are not kept.
    """
    seen: list[dict[str, None] | None] = [{} for _ in range(table.width)]
    first: list[list[str]] = [[] for _ in range(table.width)]
    count = 0
    days = dict.fromkeys(rules.columns_of(*DAYS))
    for _number, row in body(table, rules):
        count += 1
        for place, known in enumerate(seen):
            if known is not None and row[place] not in known:
                known[row[place]] = None
                if len(known) > HELD:
                    first[place] = [cell for cell in islice(known, _SAMPLES + 1) if cell][:_SAMPLES]
                    seen[place] = None
        for place, found in days.items():
            if found is None and is_month_first(row[place]):
                days[place] = row[place]
    table.found.clear()
    table.found[_key("count", rules)] = count
    for place, known in enumerate(seen):
        if known is not None:
            first[place] = [cell for cell in known if cell][:_SAMPLES]
            values: dict[str, str] = {}
            for cell in known:
                if not is_blank(cell):
                    values.setdefault(fold_word(cell), cell)
            table.found[_key("values", rules, place)] = values
        table.found[_key("samples", rules, place)] = first[place]
        garbled(table, rules, place)
    for place, found in days.items():
        table.found[_key("month_first", rules, place)] = found
    proposed_left_out(table, rules.heading_row)


def values_of(table: Table, rules: Rules, place: int) -> dict[str, str]:
    """Return the values of a column that say something: folded, and as the list writes them.

    Walked through once for each column of a list; asked for again it is looked up.
    """
    key = _key("values", rules, place)
    if key not in table.found:
        found: dict[str, str] = {}
        for cell in dict.fromkeys(row[place] for _number, row in body(table, rules)):
            if not is_blank(cell):
                found.setdefault(fold_word(cell), cell)
        table.found[key] = found
    values: dict[str, str] = table.found[key]
    return values


def valued_columns(rules: Rules) -> list[int]:
    """Return the columns whose values are matched to a list."""
    return [place for place, target in enumerate(rules.targets) if target in VALUED]


def guess_meanings(
    rules: Rules, table: Table, offered: Mapping[Target, Mapping[str, str]]
) -> Rules:
    """Return the rules with a meaning for each value that speaks for itself.

    offered: for each target, folded names and what they stand for. What was chosen before stays.
    """
    meanings: dict[int, dict[str, str]] = {}
    for place in valued_columns(rules):
        target = rules.targets[place]
        known = dict(rules.meanings.get(place, {}))
        found: dict[str, str] = {}
        for value in values_of(table, rules, place):
            meaning = known.get(value)
            if meaning is None:
                meaning = _meaning(target, value, rules, offered.get(target, {}))
            if meaning is not None:
                found[value] = meaning
        meanings[place] = found
    return replace(rules, meanings=meanings)


_MEMBER_WORDS: Final = {
    "member": "member",
    "not_member": "not_member",
    "not_known": LEFT_OUT,
}
_CONTRACT_WORDS: Final = {
    "permanent": ContractType.PERMANENT,
    "perm": ContractType.PERMANENT,
    "fixed term": ContractType.FIXED_TERM,
    "temporary": ContractType.FIXED_TERM,
    "temp": ContractType.FIXED_TERM,
    "agency": ContractType.AGENCY,
    "zero hours": ContractType.ZERO_HOURS,
    "zero hour": ContractType.ZERO_HOURS,
    "casual": ContractType.ZERO_HOURS,
    "bank": ContractType.ZERO_HOURS,
    "self employed": ContractType.SELF_EMPLOYED,
    "other": ContractType.OTHER,
}


_QUESTION_WORDS: Final = {
    "strike": QuestionKind.STRIKE,
    "strike action": QuestionKind.STRIKE,
    "asos": QuestionKind.SHORT_OF_STRIKE,
    "action short of a strike": QuestionKind.SHORT_OF_STRIKE,
    "action short of strike": QuestionKind.SHORT_OF_STRIKE,
    "recognition": QuestionKind.RECOGNITION,
}


def _meaning(target: Target, value: str, rules: Rules, names: Mapping[str, str]) -> str | None:
    if target is Target.MEMBER:
        return _MEMBER_WORDS.get(guess_member(value) or "")
    if target is Target.STANDING:
        return _standing(value, rules.strongest)
    if target is Target.CONTRACT:
        contract = _CONTRACT_WORDS.get(fold(value))
        return contract.value if contract else None
    if target is Target.HOW:
        became = WORDS.get(fold(value))
        return became.value if became else None
    if target is Target.QUESTION:
        question = _QUESTION_WORDS.get(fold(value))
        return question.value if question else None
    return names.get(fold(value))


def _standing(value: str, strongest: int | None) -> str | None:
    """Return the step, 1 for the strongest, that a number of the list's own scale stands for.

    Which end is the strongest differs between unions, and is never guessed.
    """
    number = value.removesuffix(".0")
    if strongest is None or number not in {"1", "2", "3", "4", "5"}:
        return None
    step = int(number)
    return str(step if strongest == STRONGEST else STRONGEST + WEAKEST - step)


def has_name(targets: Sequence[Target]) -> bool:
    """Return True when some column says who the people are."""
    return any(target in NAMES for target in targets)


def as_recipe(rules: Rules, table: Table, kept_answers: Container[str] = ()) -> dict[str, Any]:
    """Return what of the rules is of use for next month's list.

    table: the list; it is noted which of its left out columns are empty. kept_answers: names of
    the answers that are true of such lists, not of this one alone.
    """
    plain = rules.as_plain()
    plain["answers"] = {key: one for key, one in rules.answers.items() if key in kept_answers}
    for key in ("heading_row", "left_out", "asked", "as_at", "different", "different_at", "same"):
        del plain[key]
    for key in ("rest", "rest_of"):
        del plain[key]
    plain[_EMPTY] = [
        place for place in rules.columns_of(Target.LEAVE_OUT) if not samples(table, rules, place, 1)
    ]
    return plain


def with_recipe(rules: Rules, recipe: Mapping[str, Any], kind: ImportKind, table: Table) -> Rules:
    """Return the rules with what was chosen for the last list with the same headings.

    Columns that the last list did not have are left out. One that was empty then goes where its
    heading and its values speak for: nobody has chosen to leave it out.
    """
    found = rules_of({**rules.as_plain(), **recipe})
    targets = [*found.targets, *[Target.LEAVE_OUT] * (len(rules.targets) - len(found.targets))]
    guessed = with_guesses(rules, kind, table).targets
    for place in recipe.get(_EMPTY, ()):
        guess = guessed[place]
        if targets[place] is Target.LEAVE_OUT and (guess in REPEATED or guess not in targets):
            targets[place] = guess
    return replace(found, targets=tuple(targets))
