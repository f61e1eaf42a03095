"""The sentences of ballots: stages, days, and what a count comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from crm.domain.ballot_days import Milestone, Stage, Step
from crm.domain.balloting import QuestionCount, RuleOutcome, Verdict
from crm.features.ballots.forms import question_words
from crm.reads.ballots import Part, Question, Result, WholeBallot
from crm.web.filters import day as day_words
from crm.web.filters import due_text, people, percent
from crm.web.law import counted_words, text_of, threshold_words

STAGES: dict[Stage, Any] = {
    Stage.PLANNED: _("Planned"),
    Stage.OPEN: _("Voting is open"),
    Stage.CLOSED: _("Voting is over, not declared yet"),
    Stage.DECLARED: _("Declared"),
    Stage.CALLED_OFF: _("Called off"),
}

STEPS: dict[Step, Any] = {
    Step.BALLOT_NOTICE: _("The employer must have the notice of the ballot"),
    Step.SAMPLE_PAPER: _("The employer must have a sample of the voting paper"),
    Step.OPENS: _("Voting opens"),
    Step.LAST_POST: _("Last safe day to post a vote"),
    Step.CLOSES: _("Last day of voting"),
    Step.TELL_MEMBERS: _("Tell everyone who could vote the result, as soon as you can"),
    Step.TELL_EMPLOYERS: _("Tell every employer the result, as soon as you can"),
    Step.SCRUTINEER_REPORT: _("The scrutineer’s report must be there"),
    Step.ACTION_NOTICE: _("The employer must have the notice of action"),
    Step.EARLIEST_ACTION: _("First day on which action may start"),
    Step.ACTION_STARTS: _("First day of action, as planned"),
    Step.REBALLOT_NOTICE: _("Notice of a new ballot, so that no day is lost"),
    Step.MANDATE_ENDS: _("Last day of the mandate"),
}

# On a calendar that others may see: no word of ballots, strikes or places.
PLAIN_STEPS: dict[Step, Any] = {
    Step.BALLOT_NOTICE: _("Notice due"),
    Step.SAMPLE_PAPER: _("Sample due"),
    Step.OPENS: _("Opens"),
    Step.LAST_POST: _("Last post"),
    Step.CLOSES: _("Closes"),
    Step.TELL_MEMBERS: _("Tell members"),
    Step.TELL_EMPLOYERS: _("Send result"),
    Step.SCRUTINEER_REPORT: _("Report due"),
    Step.ACTION_NOTICE: _("Second notice due"),
    Step.EARLIEST_ACTION: _("Earliest day"),
    Step.ACTION_STARTS: _("First day"),
    Step.REBALLOT_NOTICE: _("Renewal notice due"),
    Step.MANDATE_ENDS: _("Last day"),
}

# verdict -> the kind of tag and its word.
_OUTCOMES: dict[bool | None, tuple[str, Any]] = {
    True: ("done", _("Carried")),
    False: ("error", _("Not carried")),
    None: ("unknown", _("Not known")),
}
_TESTS: dict[bool | None, tuple[str, Any]] = {
    True: ("done", _("Met")),
    False: ("error", _("Not met")),
    None: ("unknown", _("Not known")),
}


@dataclass(frozen=True, slots=True)
class Word:
    """A word in a tag. kind: of the tag."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class TestLine:
    """One rule held against one question."""

    word: Word
    title: str
    asks: str
    reading: str
    needed: str
    source: str


@dataclass(frozen=True, slots=True)
class QuestionLines:
    """One question of a paper: its counts in a sentence, its verdict, its tests."""

    title: str
    counts: str
    word: Word
    tests: tuple[TestLine, ...]
    others: tuple[str, ...]


def outcome_word(passed: bool | None) -> Word:
    """Return the word for a verdict."""
    kind, text = _OUTCOMES[passed]
    return Word(kind, str(text))


def counts_words(count: QuestionCount) -> str:
    """Return the counts of one question in a sentence. What is not known is said so."""
    unknown = gettext("not known")

    def _shown(value: int | None) -> str:
        return unknown if value is None else people(value)

    parts = [
        gettext("Entitled: %(number)s", number=_shown(count.entitled)),
        gettext("papers back: %(number)s", number=_shown(count.cast)),
        gettext("yes: %(number)s", number=_shown(count.yes)),
        gettext("no: %(number)s", number=_shown(count.no)),
        gettext("spoiled or blank: %(number)s", number=_shown(count.spoiled)),
    ]
    shares = []
    if count.cast is not None and count.entitled:
        shares.append(gettext("turnout %(share)s", share=percent(count.cast / count.entitled, 1)))
    if count.yes is not None and count.valid:
        shares.append(
            gettext("yes %(share)s of valid votes", share=percent(count.yes / count.valid, 1))
        )
    return ", ".join([*parts, *shares]) + "."


def test_line(one: RuleOutcome) -> TestLine:
    """Return the words of one rule held against a count."""
    threshold = one.rule.threshold
    if threshold is None:
        raise ValueError(f"{one.rule.id} is not a test.")
    kind, text = _TESTS[one.passed]
    if one.share is None:
        reading = gettext("Not known: a number is missing.")
    else:
        reading = gettext(
            "%(part)s of %(whole)s: %(share)s.",
            part=people(one.numerator),
            whole=people(one.denominator),
            share=percent(float(one.share), 1),
        )
    needed = ""
    if one.needed is not None:
        needed = gettext(
            "Needed: %(count)s (%(what)s).",
            count=people(one.needed),
            what=counted_words(threshold.numerator),
        )
        if one.short_by:
            needed += " " + ngettext("%(num)s more.", "%(num)s more.", one.short_by)
    return TestLine(
        Word(kind, str(text)),
        text_of(one.rule.title),
        threshold_words(threshold),
        reading,
        needed,
        one.rule.source,
    )


def result_lines(ballot: WholeBallot, result: Result) -> list[QuestionLines]:
    """Return the result of one paper, question by question."""
    by_id = {str(one.id): one for one in ballot.questions}
    if result.verdict is None:
        return [
            QuestionLines(
                question_words(by_id[str(key)]),
                counts_words(count),
                outcome_word(result.passed),
                tuple(test_line(one) for one in result.tests),
                (),
            )
            for key, count in sorted(result.counts.items())
            if str(key) in by_id
        ]
    found = []
    for verdict in result.verdict.questions:
        question = by_id.get(verdict.question)
        if question is None:
            continue
        found.append(
            QuestionLines(
                question_words(question),
                counts_words(result.counts[question.id]),
                outcome_word(verdict.passed),
                tuple(test_line(one) for one in verdict.tests),
                tuple(_others(result.verdict, verdict.question)),
            )
        )
    return found


def _others(verdict: Verdict, question: str) -> Iterable[str]:
    """Yield what the question comes to if an open change of law had begun."""
    for change, other in verdict.if_begun:
        for one in other.questions:
            if one.question == question:
                yield gettext(
                    "If this had begun: “%(change)s” – %(outcome)s.",
                    change=text_of(change.title),
                    outcome=outcome_word(one.passed).text,
                )


@dataclass(frozen=True, slots=True)
class DayLine:
    """A milestone as the page draws it. kind: of its tag, "" for none."""

    title: str
    day: date
    words: str
    kind: str
    source: str | None


def day_lines(milestones: Sequence[Milestone], today: date) -> list[DayLine]:
    """Return the days of a ballot in order, with how far off they are or when they were done."""
    found = []
    for one in milestones:
        words, kind = "", ""
        if one.too_late and one.done_on is not None:
            kind = "error"
            words = gettext("Too late: %(day)s", day=day_words(one.done_on))
        elif one.done_on is not None:
            kind = "done"
            words = gettext("Done %(day)s", day=day_words(one.done_on))
        elif one.is_due(today, timedelta(days=0)) and one.day < today:
            kind, words = "warning", due_text(one.day, today)
        elif one.is_due(today, timedelta(days=14)):
            words = due_text(one.day, today)
        if one.assumed:
            words = " · ".join(
                part
                for part in (words, gettext("if the result is told the day after voting"))
                if part
            )
        found.append(
            DayLine(
                title=str(STEPS[one.step]),
                day=one.day,
                words=words,
                kind=kind,
                source=None if one.rule is None else one.rule.source,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class PartLine:
    """A workplace of a ballot in the list. figure: its turnout and yes, as far as known."""

    name: str
    public_id: Any
    word: Word | None
    figure: str
    law: str | None


def part_line(ballot: WholeBallot, part: Part, law: str) -> PartLine:
    """Return the line of one workplace. law: the name of its law."""
    figures = []
    if part.result is not None:
        for question in ballot.questions:
            count = part.result.counts.get(question.id)
            if count is None:
                continue
            shares = []
            if count.cast is not None and count.entitled:
                shares.append(
                    gettext("turnout %(share)s", share=percent(count.cast / count.entitled, 1))
                )
            if count.yes is not None and count.valid:
                shares.append(gettext("yes %(share)s", share=percent(count.yes / count.valid, 1)))
            figures.append(f"{question_words(question)}: " + ", ".join(shares))
    elif part.stated_members is not None:
        figures.append(
            ngettext(
                "%(num)s member, says the union",
                "%(num)s members, says the union",
                part.stated_members,
            )
        )
    return PartLine(
        name=part.name,
        public_id=part.public_id,
        word=None if part.result is None else outcome_word(part.result.passed),
        figure=" · ".join(figures),
        law=None if part.jurisdiction == ballot.jurisdiction else law,
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """How many separate ballots are carried, for one question. people: entitled in those."""

    title: str
    carried: int
    lost: int
    unknown: int
    people: int | None


def tallies(ballot: WholeBallot) -> list[Tally]:
    """Return for each question how many workplaces have a mandate."""
    found = []
    for question in ballot.questions:
        outcomes = []
        people_in: int | None = 0
        for part in ballot.parts:
            passed = passed_on(part.result, question)
            outcomes.append(passed)
            if passed and part.result is not None and people_in is not None:
                entitled = part.result.counts[question.id].entitled
                people_in = None if entitled is None else people_in + entitled
        found.append(
            Tally(
                question_words(question),
                outcomes.count(True),
                outcomes.count(False),
                outcomes.count(None),
                people_in,
            )
        )
    return found


def passed_on(result: Result | None, question: Question) -> bool | None:
    """Return whether one question is carried on one paper; None = not known."""
    if result is None or question.id not in result.counts:
        return None
    if result.verdict is None:
        return result.passed
    return next(
        (one.passed for one in result.verdict.questions if one.question == str(question.id)), None
    )
