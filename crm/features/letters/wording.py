"""The sentences of the drafts, item by item of the law."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from crm.analysis.letters import LetterText, Section
from crm.domain.balloting import QuestionCount
from crm.domain.notices import Item, Letter
from crm.features.letters.queries import Draft
from crm.reads.ballots import Question
from crm.web.filters import day as day_words
from crm.web.filters import people, percent
from crm.web.labels import label

TITLES: dict[Letter, Any] = {
    Letter.BALLOT_NOTICE: _("Notice of a ballot"),
    Letter.ACTION_NOTICE: _("Notice of industrial action"),
    Letter.RESULT_NOTICE: _("Result of the ballot"),
}
_BLANK = "………………"
DRAFT = _("DRAFT. Check with your union before it goes out. It holds no name of any member.")
INDICATIVE = _("INDICATIVE: no ballot in law.")


def letter_text(draft: Draft, language: str) -> LetterText:
    """Return the draft as a letter. A fact that is not known is a line of dots to fill in."""
    title = str(TITLES[draft.letter])
    stamp = str(DRAFT)
    if draft.ballot.is_indicative:
        stamp = f"{INDICATIVE} {stamp}"
    sections = [section for item in draft.items for section in _sections(draft, item)]
    return LetterText(
        title=title,
        stamp=stamp,
        opening=(
            gettext("To: %(employer)s", employer=draft.employer),
            gettext("From: %(union)s", union=draft.ballot.union_name),
            gettext("Date: %(dots)s", dots=_BLANK),
            gettext("About: %(ballot)s", ballot=draft.ballot.name),
        ),
        sections=tuple(sections),
        closing=(gettext("Signed for the union: %(dots)s", dots=_BLANK),),
        language=language,
    )


def _sections(draft: Draft, item: Item) -> Iterable[Section]:
    days = draft.ballot.days
    if item is Item.INTENTION:
        yield Section(
            gettext("A ballot will be held"),
            (
                gettext(
                    "%(union)s intends to hold a ballot of those of its members whom you employ "
                    "in the jobs and at the workplaces below.",
                    union=draft.ballot.union_name,
                ),
            ),
        )
    elif item is Item.OPENING_DAY:
        yield Section(
            gettext("Opening day"),
            (
                gettext(
                    "We reasonably believe that the ballot opens on %(day)s.",
                    day=day_words(days.opens_on) or _BLANK,
                ),
            ),
        )
    elif item is Item.CATEGORIES:
        yield Section(
            gettext("Categories of employee"),
            tuple(name or _unknown() for name, _n in draft.categories),
        )
    elif item is Item.WORKPLACES:
        yield Section(gettext("Workplaces"), tuple(one.part.name for one in draft.workplaces))
    elif item is Item.TOTAL:
        yield Section(
            gettext("Total"),
            (
                ngettext(
                    "The total number of employees concerned is %(number)s.",
                    "The total number of employees concerned is %(number)s.",
                    draft.total,
                    number=people(draft.total),
                ),
            ),
        )
    elif item is Item.NUMBERS_BY_CATEGORY:
        yield Section(
            gettext("Number in each category"),
            table=(
                (gettext("Category"), gettext("Number")),
                *((name or _unknown(), people(number)) for name, number in draft.categories),
            ),
        )
    elif item is Item.NUMBERS_BY_WORKPLACE:
        yield Section(
            gettext("Number at each workplace"),
            table=(
                (gettext("Workplace"), gettext("Number")),
                *((one.part.name, people(one.number)) for one in draft.workplaces),
            ),
        )
    elif item is Item.EXPLANATION:
        yield Section(
            gettext("How the figures were worked out"),
            (
                gettext(
                    "From the union’s own membership records as they stood on %(day)s. "
                    "Members were counted by the job and the workplace that those records show.",
                    day=day_words(draft.as_at),
                ),
            ),
        )
    elif item in (Item.CONTINUOUS_OR_NOT, Item.ACTION_DAYS):
        yield from _action(draft, item)
    else:
        yield from _result(draft, item)


def _unknown() -> str:
    return f"{_BLANK} ({gettext('job title not known')})"


def _action(draft: Draft, item: Item) -> Iterable[Section]:
    if item is Item.CONTINUOUS_OR_NOT:
        words = {
            True: gettext("The action is meant to be continuous."),
            False: gettext("The action is meant to be discontinuous: on single days."),
            None: gettext("The action is meant to be continuous / discontinuous (strike one out)."),
        }
        yield Section(
            gettext("Continuous or discontinuous"), (words[draft.ballot.action_continuous],)
        )
        return
    start = day_words(draft.ballot.days.action_starts_on) or _BLANK
    if draft.ballot.action_continuous:
        line = gettext("It is meant to begin on %(day)s.", day=start)
    else:
        line = gettext(
            "It is meant to take place on: %(days)s.", days=draft.ballot.action_days or start
        )
    yield Section(gettext("Days of action"), (line,))


def _result(draft: Draft, item: Item) -> Iterable[Section]:
    rows = list(_counts(draft))
    if item is Item.ENTITLED:
        lines = [
            f"{where}: {people(count.entitled) if count.entitled is not None else _BLANK}"
            for where, _question, count in rows
        ]
        yield Section(gettext("Number entitled to vote"), tuple(dict.fromkeys(lines)))
    elif item is Item.VOTES_CAST:
        lines = [
            f"{where}: {people(count.cast) if count.cast is not None else _BLANK}"
            for where, _question, count in rows
        ]
        yield Section(gettext("Number of votes cast"), tuple(dict.fromkeys(lines)))
    elif item is Item.YES_AND_NO:
        yield Section(
            gettext("Answers"),
            table=(
                (gettext("Where"), gettext("Question"), gettext("Yes"), gettext("No")),
                *(
                    (where, _asked(question), _number(count.yes), _number(count.no))
                    for where, question, count in rows
                ),
            ),
        )
    elif item is Item.SPOILED:
        yield Section(
            gettext("Spoiled or otherwise invalid papers"),
            table=(
                (gettext("Where"), gettext("Question"), gettext("Number")),
                *(
                    (where, _asked(question), _number(count.spoiled))
                    for where, question, count in rows
                ),
            ),
        )
    elif item is Item.HALF_VOTED:
        lines = []
        for where, _question, count in rows:
            if count.cast is None or not count.entitled:
                lines.append(f"{where}: {_BLANK}")
                continue
            share = percent(count.cast / count.entitled, 1)
            if 2 * count.cast >= count.entitled:
                lines.append(
                    gettext("%(where)s: at least half voted (%(share)s).", where=where, share=share)
                )
            else:
                lines.append(
                    gettext(
                        "%(where)s: fewer than half voted (%(share)s).", where=where, share=share
                    )
                )
        yield Section(gettext("Did at least half vote?"), tuple(dict.fromkeys(lines)))


def _counts(draft: Draft) -> Iterable[tuple[str, Question, QuestionCount]]:
    """Yield place, question and count of every paper that this employer is told about."""
    nothing = QuestionCount(None, None, None, None, None)
    papers = (
        [(one.part.name, one.part.result) for one in draft.workplaces]
        if draft.ballot.separate
        else [(str(gettext("All workplaces together")), draft.ballot.together)]
    )
    for where, result in papers:
        for question in draft.ballot.questions:
            counts = {} if result is None else result.counts
            yield where, question, counts.get(question.id, nothing)


def _asked(question: Question) -> str:
    return question.words or label(question.kind)


def _number(value: int | None) -> str:
    return _BLANK if value is None else people(value)
