"""The sentences of ballots: stages, days, and what a count comes to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from crm.analysis.ballot_plans import Comparison, Figures
from crm.analysis.projection import DEFAULT_COUNTS_AS, FEWEST_SCORED, Estimate
from crm.domain.ballot_days import Milestone, Step, days_of_action
from crm.domain.balloting import QuestionCount, RuleOutcome, Verdict
from crm.features.ballots.forms import question_words
from crm.features.ballots.queries import Plan, Score
from crm.reads.ballots import Part, Question, Result, WholeBallot, passed_on
from crm.reads.forecasts import Learned
from crm.reads.voters import Stands
from crm.web.filters import chance_text, due_text, people, percent, percent_by
from crm.web.filters import day as day_words
from crm.web.labels import label
from crm.web.law import counted_words, text_of, threshold_words

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
    Step.ACTION_ENDED: _("End"),
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


def _limits(tests: Iterable[RuleOutcome]) -> set[Fraction]:
    """Return the shares that a count is held against: half of the votes, and what the law says."""
    asked = {one.rule.threshold.value for one in tests if one.rule.threshold is not None}
    return {Fraction(1, 2), *asked}


def counts_words(count: QuestionCount, tests: Iterable[RuleOutcome] = ()) -> str:
    """Return the counts of one question in a sentence. What is not known is said so.

    tests: what it is held against; no share reads as a limit that it does not reach.
    """
    limits = _limits(tests)
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
        turnout = percent_by(Fraction(count.cast, count.entitled), *limits, places=1)
        shares.append(gettext("turnout %(share)s", share=turnout))
    if count.yes is not None and count.valid:
        of_valid = percent_by(Fraction(count.yes, count.valid), *limits, places=1)
        shares.append(gettext("yes %(share)s of valid votes", share=of_valid))
    return ", ".join([*parts, *shares]) + "."


def test_line(one: RuleOutcome) -> TestLine:
    """Return the words of one rule held against a count."""
    threshold = one.rule.threshold
    if threshold is None:
        raise ValueError(f"{one.rule.id} is not a test.")
    kind, text = _TESTS[one.passed]
    if one.share is None:
        reading = gettext("A number is missing.")
    else:
        reading = gettext(
            "%(part)s of %(whole)s: %(share)s.",
            part=people(one.numerator),
            whole=people(one.denominator),
            share=percent_by(one.share, threshold.value, places=1),
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
                counts_words(count, result.tests),
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
                counts_words(result.counts[question.id], verdict.tests),
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


# Nobody does such a step any more: the ballot came in with a list, or was never written up.
LONG_AGO = timedelta(days=366)


def day_lines(milestones: Sequence[Milestone], today: date) -> list[DayLine]:
    """Return the days of a ballot in order, with how far off they are or when they were done."""
    found = []
    began = next((one.day for one in milestones if one.step is Step.ACTION_STARTS), None)
    for one in milestones:
        words, kind = "", ""
        if one.too_late and one.done_on is not None:
            kind = "error"
            words = gettext("Too late: %(day)s", day=day_words(one.done_on))
        elif one.done_on is not None:
            kind = "done"
            words = gettext("Done %(day)s", day=day_words(one.done_on))
        elif one.step is Step.ACTION_ENDED and began is not None:
            words = ngettext(
                "%(num)s day, the first and the last counted",
                "%(num)s days, the first and the last counted",
                days_of_action(began, one.day),
            )
        elif one.step is Step.SAMPLE_PAPER and one.day < today:
            words = gettext("Whether it was sent is not noted here")
        elif one.is_due(today, timedelta(days=0)) and one.day < today - LONG_AGO:
            words = gettext("Whether it was done is not written down here")
        elif one.is_due(today, timedelta(days=0)) and one.day < today:
            kind, words = "warning", due_text(one.day, today)
        elif one.is_due(today, timedelta(days=14)):
            words = due_text(one.day, today)
        if one.assumed:
            depends = (
                gettext("not fixed yet: depends on when the employers are told and have the notice")
                if one.step is Step.EARLIEST_ACTION
                else gettext("if the result is told the day after voting")
            )
            words = " · ".join(part for part in (words, depends) if part)
        found.append(
            DayLine(
                title=label(one.step),
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


def _tests_of(result: Result, question: Question) -> tuple[RuleOutcome, ...]:
    if result.verdict is None:
        return result.tests
    of_it = (one for one in result.verdict.questions if one.question == str(question.id))
    return next((one.tests for one in of_it), ())


def part_line(ballot: WholeBallot, part: Part, law: str) -> PartLine:
    """Return the line of one workplace. law: the name of its law."""
    figures = []
    if part.result is not None:
        for question in ballot.questions:
            count = part.result.counts.get(question.id)
            if count is None:
                continue
            limits = _limits(_tests_of(part.result, question))
            shares = []
            if count.cast is not None and count.entitled:
                turnout = percent_by(Fraction(count.cast, count.entitled), *limits, places=1)
                shares.append(
                    gettext(
                        "turnout %(share)s (%(some)s of %(all)s)",
                        share=turnout,
                        some=people(count.cast),
                        all=people(count.entitled),
                    )
                )
            if count.yes is not None and count.valid:
                yes = percent_by(Fraction(count.yes, count.valid), *limits, places=1)
                shares.append(
                    gettext(
                        "yes %(share)s (%(some)s of %(all)s valid votes)",
                        share=yes,
                        some=people(count.yes),
                        all=people(count.valid),
                    )
                )
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


# What the figures of a plan come to, in words


@dataclass(frozen=True, slots=True)
class Column:
    """The heading of a column."""

    label: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class PlanWords:
    """A plan as the page says it. without: the chance if an open change of law had begun."""

    together: tuple[tuple[str, str], ...]
    chance: str
    tests: tuple[tuple[str, str], ...]
    without: str | None
    passing: str
    compared: tuple[tuple[str, str], ...]
    mix: tuple[str, ...]
    marginal: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    draws: str


def _range(low: float, median: float, high: float) -> str:
    return str(
        gettext(
            "%(low)s to %(high)s, in the middle %(median)s",
            low=percent(low),
            high=percent(high),
            median=percent(median),
        )
    )


def plan_words(plan: Plan) -> PlanWords:
    """Return the words of a plan that has voters."""
    compared = plan.compared
    if compared is None:
        raise ValueError("There is nobody to project.")
    whole = compared.together
    names = [one.part.name for one in plan.stands]
    tests = [
        rule
        for rule in plan.ballot.tests(on=plan.ballot.days.opens_on or plan.as_at)
        if rule.threshold
    ]
    without = None
    if plan.without is not None and plan.change is not None:
        without = gettext(
            "If this had begun: “%(change)s” – %(share)s.",
            change=text_of(plan.change.title),
            share=chance_text(plan.without.together.chance),
        )
    return PlanWords(
        together=(
            (gettext("May vote"), people(whole.entitled)),
            (gettext("Of those, never asked where they stand"), people(whole.not_asked)),
            (gettext("Turnout"), _range(*_three(whole.turnout))),
            (gettext("Yes, of the papers sent back"), _range(*_three(whole.yes_of_votes))),
            (
                gettext("Turnout if none, or all, of those not asked vote"),
                f"{percent(whole.if_none_vote)} – {percent(whole.if_all_vote)}",
            ),
        ),
        chance=chance_text(whole.chance),
        tests=tuple(
            (text_of(rule.title), chance_text(chance))
            for rule, chance in zip(tests, whole.chances, strict=True)
        ),
        without=without,
        passing=_passing(compared),
        compared=(
            (gettext("All together"), _expected(compared.people_together, whole.entitled)),
            (gettext("Each for itself"), _expected(compared.people_apart, whole.entitled)),
            (gettext("The best mix found"), _expected(compared.best.people, whole.entitled)),
        ),
        mix=tuple(_mix(compared, names)),
        marginal=tuple(names[at] for at in compared.marginal()),
        columns=(
            Column(gettext("Workplace")),
            Column(gettext("May vote"), numeric=True),
            Column(gettext("Not asked"), numeric=True),
            Column(gettext("Turnout")),
            Column(gettext("Yes of votes")),
            Column(gettext("Chance to pass alone"), numeric=True),
        ),
        rows=tuple(_row(one, found) for one, found in zip(plan.stands, compared.each, strict=True)),
        draws=people(compared.draws),
    )


def _three(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.low, estimate.median, estimate.high


def _passing(compared: Comparison) -> str:
    low, high = round(compared.passing.low), round(compared.passing.high)
    return str(
        gettext(
            "%(low)s to %(high)s of %(all)s workplaces pass alone, in the middle %(median)s.",
            low=people(low),
            high=people(high),
            all=people(len(compared.each)),
            median=people(round(compared.passing.median)),
        )
    )


def _expected(expected: float, entitled: int) -> str:
    return str(
        gettext(
            "%(number)s of %(all)s people have a mandate, on average",
            number=people(round(expected)),
            all=people(entitled),
        )
    )


def _mix(compared: Comparison, names: Sequence[str]) -> Iterable[str]:
    best = compared.best
    if not best.apart:
        yield gettext("All workplaces on one count.")
    elif not best.together:
        yield gettext("Each workplace for itself.")
    else:
        yield gettext(
            "On one count: %(names)s.", names=", ".join(names[at] for at in best.together)
        )
        yield gettext(
            "Each for itself: %(names)s.", names=", ".join(names[at] for at in best.apart)
        )


def _row(one: Stands, found: Figures | None) -> tuple[str, ...]:
    if found is None:
        few = gettext("too few people to say")
        return (one.part.name, people(one.entitled), "–", few, few, few)
    return (
        one.part.name,
        people(found.entitled),
        people(found.not_asked),
        f"{percent(found.turnout.low)} – {percent(found.turnout.high)}",
        f"{percent(found.yes_of_votes.low)} – {percent(found.yes_of_votes.high)}",
        chance_text(found.chance),
    )


def swing_words(found: Learned) -> str:
    """Return how far a whole campaign is taken to swing, and what that was learned from."""
    used = found.assumptions
    words = gettext(
        "How far a whole campaign swings: in about 2 of 3 ballots no more than %(turnout)s points "
        "of turnout and %(yes)s points of yes, where either is near half.",
        turnout=_points(used.turnout_shock),
        yes=_points(used.yes_shock),
    )
    if found.turnouts < FEWEST_SCORED:
        more = ngettext(
            "That is believed beforehand. From %(least)s ballots with a kept projection and a "
            "result it is learned; so far there is %(num)s.",
            "That is believed beforehand. From %(least)s ballots with a kept projection and a "
            "result it is learned; so far there are %(num)s.",
            found.turnouts,
            least=people(FEWEST_SCORED),
        )
    else:
        more = gettext(
            "Learned from %(number)s ballots with a kept projection and a result (yes votes: "
            "%(yes)s); what was believed beforehand still counts as %(default)s ballots.",
            number=people(found.turnouts),
            yes=people(found.yes_shares),
            default=people(DEFAULT_COUNTS_AS),
        )
    return f"{words} {more}"


def _points(shock: float) -> str:
    """Return a shock on the logit scale as points of a share near half."""
    return people(round(100 * (1 / (1 + math.exp(-shock)) - 0.5)))


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """A kept projection beside what came."""

    title: str
    said: str
    came: str
    inside: Word | None
    scores: str


def score_words(found: Sequence[Score]) -> list[ScoreLine]:
    """Return the kept projections with what came of them."""
    lines = []
    for one in found:
        inside = None
        came = gettext("No result yet.")
        if one.actual is not None:
            within = one.turnout_low <= one.actual <= one.turnout_high
            inside = (
                Word("done", gettext("inside the range"))
                if within
                else Word("warning", gettext("outside the range"))
            )
            came = gettext("Turnout came to %(share)s.", share=percent(one.actual, 1))
        scores = []
        if one.brier is not None:
            scores.append(gettext("Brier score %(score)s", score=f"{one.brier:.3f}"))
        if one.crps is not None:
            scores.append(
                gettext(
                    "turnout missed by %(points)s points (CRPS)", points=f"{one.crps * 100:.1f}"
                )
            )
        lines.append(
            ScoreLine(
                title=one.part_name or str(gettext("All together")),
                said=gettext(
                    "Said on %(day)s: turnout %(low)s to %(high)s, chance to pass %(chance)s.",
                    day=day_words(one.made_on),
                    low=percent(one.turnout_low),
                    high=percent(one.turnout_high),
                    chance=chance_text(one.chance),
                ),
                came=came,
                inside=inside,
                scores=", ".join(scores),
            )
        )
    return lines


@dataclass(frozen=True, slots=True)
class Bin:
    """Projections that gave about the same chance, and how many of them passed. Shares are of 1."""

    label: str
    number: int
    said: float
    passed: float
    text: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well chances came true over all results. inside: turnouts that lay in their range."""

    number: int
    bins: tuple[Bin, ...]
    brier: str
    inside: str


def calibration(found: Sequence[Score]) -> Calibration | None:
    """Return how well chances came true; None while there is no projection with a result."""
    scored = [one for one in found if one.brier is not None and one.happened is not None]
    if not scored:
        return None
    bins = []
    for at in range(5):
        low, high = at / 5, (at + 1) / 5
        here = [
            one for one in scored if low <= one.chance < high or (at == 4 and one.chance == 1.0)
        ]
        if here:
            said = sum(one.chance for one in here) / len(here)
            passed = sum(bool(one.happened) for one in here) / len(here)
            bins.append(
                Bin(
                    f"{percent(low)} – {percent(high)}",
                    len(here),
                    said,
                    passed,
                    gettext(
                        "said %(said)s, passed %(passed)s of %(number)s",
                        said=percent(said),
                        passed=percent(passed),
                        number=people(len(here)),
                    ),
                )
            )
    ranged = [one for one in found if one.actual is not None]
    inside = sum(
        one.actual is not None and one.turnout_low <= one.actual <= one.turnout_high
        for one in ranged
    )
    return Calibration(
        number=len(scored),
        bins=tuple(bins),
        brier=f"{sum(one.brier or 0.0 for one in scored) / len(scored):.3f}",
        inside=gettext(
            "%(number)s of %(all)s turnouts lay inside their range; 8 in 10 should.",
            number=people(inside),
            all=people(len(ranged)),
        ),
    )
