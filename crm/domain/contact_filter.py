"""Which people a list keeps: one value, the same in an address, in a stored list and in a query.

Every part narrows. What is not known is never taken for a "no": it has a choice of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from crm.domain.custom_fields import LONGEST_TEXT
from crm.domain.vocabulary import ISSUES

LONGEST_SEARCH: Final = 100
# Ten years; beyond it a number of days is a slip.
MOST_QUIET_DAYS: Final = 3650


class MemberFilter(StrEnum):
    """Which people a list keeps by what is known of their membership of any union."""

    MEMBER = "member"
    NOT_MEMBER = "not_member"
    NOT_KNOWN = "not_known"


class Stand(StrEnum):
    """Where people stand, 1 (strongest) to 5. Everybody is in exactly one of the seven.

    OLD: whatever was said is too old to count any more.
    """

    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"
    FIVE = "5"
    NOT_ASKED = "not_asked"
    OLD = "old"


class Reminder(StrEnum):
    """Which people a list keeps by the reminders to speak to them again."""

    DUE = "due"
    OPEN = "open"
    NONE = "none"


class Compare(StrEnum):
    """How the answer to a field of a branch is compared."""

    IS = "is"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    NOT_KNOWN = "not_known"


class NotAFilter(ValueError):
    """The words are no filter. A list must then show nobody, rather than people it should not."""


@dataclass(frozen=True, slots=True)
class FieldTest:
    """A comparison with the answer to a field. value: as custom_fields.answer_text writes it.

    value is empty for NOT_KNOWN, and only then. Raises NotAFilter otherwise.
    """

    field: UUID
    how: Compare
    value: str = ""

    def __post_init__(self) -> None:
        if (self.how is Compare.NOT_KNOWN) == bool(self.value) or len(self.value) > LONGEST_TEXT:
            raise NotAFilter("value of a field")


def searchable(text: str) -> str:
    """Return what was typed as a filter takes it: not too long, without signs nobody can type."""
    typed = (letter for letter in text if ord(letter) >= 32 or letter in "\r\n\t")
    return "".join(typed)[:LONGEST_SEARCH]


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """Which people a list keeps, of those with a job on a day. Ids are public ids.

    text: as it was typed into the search. place: any place of the tree, with all inside it.
    employer: who pays their wages. union: that they are a member of. stands: any of these.
    leader: found or confirmed. quiet_days: no talk in this many days, or none at all.
    issue: raised in a talk. no_task: said yes to an ask, and nobody has promised to speak to them.
    """

    text: str = ""
    place: UUID | None = None
    shift: UUID | None = None
    employer: UUID | None = None
    union: UUID | None = None
    stands: frozenset[Stand] = frozenset()
    member: MemberFilter | None = None
    leader: bool = False
    tag: UUID | None = None
    field: FieldTest | None = None
    quiet_days: int | None = None
    reminder: Reminder | None = None
    issue: str | None = None
    no_task: bool = False

    def __post_init__(self) -> None:
        if self.text != searchable(self.text):
            raise NotAFilter("text")
        if self.quiet_days is not None and not 1 <= self.quiet_days <= MOST_QUIET_DAYS:
            raise NotAFilter("days")
        if self.issue is not None and self.issue not in ISSUES:
            raise NotAFilter("issue")

    @property
    def keeps_everybody(self) -> bool:
        """True when nothing is narrowed."""
        return self == ContactFilter()

    def words(self) -> dict[str, list[str]]:
        """Return the filter as plain words by name: for an address, and for storing it.

        ``from_words`` makes the same filter of them.
        """
        found: dict[str, list[str]] = {}
        if self.text:
            found["q"] = [self.text]
        for name in _IDS:
            value: UUID | None = getattr(self, name)
            if value is not None:
                found[name] = [str(value)]
        if self.stands:
            found["stand"] = [stand for stand in Stand if stand in self.stands]
        for name in ("member", "reminder", "issue"):
            word: str | None = getattr(self, name)
            if word is not None:
                found[name] = [str(word)]
        for name in ("leader", "no_task"):
            if getattr(self, name):
                found[name] = ["y"]
        if self.quiet_days is not None:
            found["quiet"] = [str(self.quiet_days)]
        if self.field is not None:
            found["field"] = [str(self.field.field)]
            found["how"] = [self.field.how.value]
            if self.field.value:
                found["value"] = [self.field.value]
        return {name: [str(word) for word in some] for name, some in found.items()}


_IDS: Final = ("place", "shift", "employer", "union", "tag")
NAMES: Final = frozenset(
    {
        *("q", "stand", "member", "reminder", "issue", "leader", "no_task", "quiet"),
        *("field", "how", "value", *_IDS),
    }
)
EVERYBODY: Final = ContactFilter()


def from_words(words: Mapping[str, Sequence[str]], *, strict: bool = False) -> ContactFilter:
    """Return the filter that the words mean. Empty words mean nothing.

    strict: for what was stored: a name that is none of a filter's is not passed over, because
    the list would then show more people than it was made for. Raises NotAFilter.
    """
    if strict and not set(words) <= NAMES:
        raise NotAFilter("a name that is not known")
    given = {name: [one for one in words[name] if one] for name in NAMES if words.get(name)}
    if any(len(some) > 1 for name, some in given.items() if name != "stand"):
        raise NotAFilter("two words where one belongs")
    one = {name: some[0] for name, some in given.items() if some}
    try:
        return ContactFilter(
            text=one.get("q", ""),
            **{name: UUID(one[name]) for name in _IDS if name in one},
            stands=frozenset(map(Stand, given.get("stand", ()))),
            member=MemberFilter(one["member"]) if "member" in one else None,
            leader="leader" in one,
            field=_field(one),
            quiet_days=int(one["quiet"]) if "quiet" in one else None,
            reminder=Reminder(one["reminder"]) if "reminder" in one else None,
            issue=one.get("issue"),
            no_task="no_task" in one,
        )
    except ValueError as error:
        raise NotAFilter("words") from error


def _field(one: Mapping[str, str]) -> FieldTest | None:
    if "field" not in one:
        return None
    how = Compare(one.get("how", Compare.IS.value))
    return FieldTest(UUID(one["field"]), how, one.get("value", ""))
