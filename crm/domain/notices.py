"""What each notice of a ballot must say, row by row of the law: exactly that, and never a name.

The rows themselves stand in crm/domain/reference/rules; this says what their words ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from crm.domain.rules import KeyDate, Rule, RuleBook


class Letter(StrEnum):
    """A paper that goes out about a ballot."""

    BALLOT_NOTICE = "ballot_notice"
    ACTION_NOTICE = "action_notice"
    RESULT_NOTICE = "result_notice"


class Item(StrEnum):
    """One thing that a row asks a letter to say."""

    INTENTION = "intention"
    OPENING_DAY = "opening_day"
    CATEGORIES = "categories"
    WORKPLACES = "workplaces"
    TOTAL = "total"
    NUMBERS_BY_CATEGORY = "numbers_by_category"
    NUMBERS_BY_WORKPLACE = "numbers_by_workplace"
    EXPLANATION = "explanation"
    CONTINUOUS_OR_NOT = "continuous_or_not"
    ACTION_DAYS = "action_days"
    ENTITLED = "entitled"
    VOTES_CAST = "votes_cast"
    YES_AND_NO = "yes_and_no"
    SPOILED = "spoiled"
    HALF_VOTED = "half_voted"


# By the id of the row and the day, or the change of law, from which it holds.
ASKED: Final[Mapping[tuple[str, date | str], tuple[Item, ...]]] = MappingProxyType(
    {
        ("gb.ia.ballot_notice_content", date(2017, 3, 1)): (
            Item.INTENTION,
            Item.OPENING_DAY,
            Item.CATEGORIES,
            Item.WORKPLACES,
            Item.NUMBERS_BY_CATEGORY,
            Item.NUMBERS_BY_WORKPLACE,
            Item.TOTAL,
            Item.EXPLANATION,
        ),
        ("gb.ia.ballot_notice_content", date(2026, 2, 18)): (
            Item.INTENTION,
            Item.OPENING_DAY,
            Item.CATEGORIES,
            Item.WORKPLACES,
            Item.TOTAL,
        ),
        ("gb.ia.action_notice_content", date(2026, 2, 18)): (
            Item.CATEGORIES,
            Item.WORKPLACES,
            Item.TOTAL,
            Item.NUMBERS_BY_WORKPLACE,
            Item.EXPLANATION,
            Item.CONTINUOUS_OR_NOT,
            Item.ACTION_DAYS,
        ),
        ("gb.ia.result_info", date(2017, 3, 1)): (
            Item.ENTITLED,
            Item.VOTES_CAST,
            Item.YES_AND_NO,
            Item.SPOILED,
            Item.HALF_VOTED,
        ),
        ("gb.ia.result_info", "gb.era2025.s68"): (
            Item.VOTES_CAST,
            Item.YES_AND_NO,
            Item.SPOILED,
        ),
    }
)

_ENDINGS: Final = MappingProxyType(
    {
        Letter.BALLOT_NOTICE: ".ballot_notice_content",
        Letter.ACTION_NOTICE: ".action_notice_content",
        Letter.RESULT_NOTICE: ".result_info",
    }
)


def content_rule(
    book: RuleBook,
    letter: Letter,
    days: Mapping[KeyDate, date],
    *,
    begun: Mapping[str, date] = MappingProxyType({}),
    said: Iterable[str] = (),
) -> Rule | None:
    """The row that says what a letter must contain, or None where no row of this law does.

    days: the key dates that are known; a row whose day is not among them is not found.
    """
    return next(
        (
            rule
            for rule in book.all_in_force(days, begun=begun, said=tuple(said))
            if rule.id.endswith(_ENDINGS[letter])
        ),
        None,
    )


def asked_of(rule: Rule) -> tuple[Item, ...]:
    """What the row asks for. Raises KeyError for a row that nobody has read for this."""
    return ASKED[rule.id, rule.from_ or rule.from_change or ""]
