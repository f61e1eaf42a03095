"""The part "ballots": how the ballots at the unit stand, and what their counts came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import sqlalchemy as sa

from crm.domain.ballot_days import BallotDays, Stage
from crm.domain.balloting import QuestionCount
from crm.domain.numbers import NOT_APPLICABLE
from crm.domain.report import (
    SMALLEST_GROUP,
    Asked,
    Figure,
    FigureKind,
    Line,
    LineKind,
    PartName,
    ReportPart,
    ReportTable,
    Value,
    count,
    hidden,
    share,
)
from crm.models.ballots import Ballot, BallotPart
from crm.reads.ballots import Question, Result, WholeBallot, passed_on, read_ballots
from crm.reads.report_material import Material

MEASURES = ("entitled", "voted", "yes", "no", "spoiled", "mandates", "days_left")
# More ballots than this are no longer read at a meeting; the last ones.
MOST_BALLOTS = 5


def build(material: Material) -> ReportPart:
    """Return the last ballots held at the unit or of workplaces in it, the newest first.

    One line for a ballot without a declared result; of a declared one a line for each question.
    Where several workplaces voted each for itself, that line says at how many it passed, and a
    second table has a line for each that the reader sees. Never who voted, nor what people told
    us. Thirteen statements at most.
    """
    asked = material.asked
    inside = material.inside()
    parts = sa.select(BallotPart.ballot_id).where(BallotPart.place_id.in_(inside))
    ballots = material.session.scalars(
        material.scope.select(Ballot)
        .where(
            sa.or_(Ballot.place_id.in_(inside), Ballot.id.in_(parts)),
            Ballot.created_at < asked.day_end,
        )
        .order_by(sa.func.coalesce(Ballot.opens_on, date.max).desc(), Ballot.id.desc())
        .limit(MOST_BALLOTS)
    ).all()
    here = set(material.session.execute(inside).scalars())
    lines: list[Line] = []
    places: list[Line] = []
    for ballot in read_ballots(material.session, material.scope, ballots):
        apart = _place_lines(ballot, asked.as_at, here)
        if len({line.key.partition(":")[0] for line in apart}) > 1:
            lines += _sums(ballot, asked.as_at, apart)
            places += apart
        else:
            lines += apart or _lines(ballot, asked.as_at)
    return ReportPart(
        PartName.BALLOTS,
        (
            ReportTable("ballots", MEASURES, tuple(lines)),
            ReportTable("ballot_places", MEASURES, tuple(places)),
        ),
        nothing=not lines,
    )


def _lines(ballot: WholeBallot, as_at: date) -> list[Line]:
    """Return the lines of a ballot as one: of each question, or one while there is no result."""
    stage = _known_on(ballot.days, as_at).stage(as_at)
    left = _days_left(ballot, stage, as_at)
    if stage is not Stage.DECLARED:
        # A line for each workplace and question would say nothing, and push results off the paper.
        waiting = _figures(None, None, None, stage, left)
        key = str(ballot.public_id)
        told = (LineKind.BALLOT, key, ballot.name, as_at, waiting, stage.value)
        return [Line(*told, indicative=ballot.is_indicative)]
    return _of_paper(ballot, as_at, str(ballot.public_id), ballot.name, ballot.together)


def _place_lines(ballot: WholeBallot, as_at: date, here: set[int]) -> list[Line]:
    """Return the lines of each workplace that voted for itself; none without a result."""
    if not ballot.separate or _known_on(ballot.days, as_at).stage(as_at) is not Stage.DECLARED:
        return []
    return [
        line
        for part in ballot.parts
        if part.place_id in here
        for line in _of_paper(
            ballot, as_at, str(part.public_id), f"{ballot.name}: {part.name}", part.result
        )
    ]


def _of_paper(
    ballot: WholeBallot, as_at: date, key: str, name: str, result: Result | None
) -> list[Line]:
    """Return a line for each question of one paper of a declared ballot."""
    return [
        Line(
            LineKind.BALLOT,
            f"{key}:{question.number}",
            name,
            as_at,
            _told(ballot, result, question),
            Stage.DECLARED.value,
            ballot.is_indicative,
            _asked(ballot, question),
        )
        for question in ballot.questions
    ]


def _told(ballot: WholeBallot, result: Result | None, question: Question) -> dict[str, Figure]:
    counts = result.counts.get(question.id) if result else None
    found = _figures(counts, result, question, Stage.DECLARED, NOT_APPLICABLE)
    if ballot.is_indicative:
        # It shows what people think: it passes nothing and gives no mandate.
        none: Value = NOT_APPLICABLE
        found["mandates"] = Figure(FigureKind.SHARE, none, none, none, none, none)
    return found


def _asked(ballot: WholeBallot, question: Question) -> Asked | None:
    if len(ballot.questions) < 2:
        return None
    return Asked(question.number, question.kind, question.words)


def _sums(ballot: WholeBallot, as_at: date, apart: Sequence[Line]) -> list[Line]:
    """Return a line for each question: at how many of the workplaces it passed.

    A workplace whose count is hidden is not known here: else its verdict could be worked out.
    """
    none = _figures(None, None, None, Stage.CLOSED, NOT_APPLICABLE)
    found = []
    for question in ballot.questions:
        number = f":{question.number}"
        verdicts = [line["mandates"] for line in apart if line.key.endswith(number)]
        told = [one.low for one in verdicts if one.low in {0, 1} and one.low == one.high]
        passed = share(
            sum(verdict == 1 for verdict in told),
            len(verdicts),
            not_known=len(verdicts) - len(told),
        )
        found.append(
            Line(
                LineKind.BALLOT,
                f"{ballot.public_id}{number}",
                ballot.name,
                as_at,
                none if ballot.is_indicative else {**none, "mandates": passed},
                Stage.DECLARED.value,
                ballot.is_indicative,
                _asked(ballot, question),
            )
        )
    return found


def _known_on(days: BallotDays, as_at: date) -> BallotDays:
    """Return the days without a result or an end that came after the day of the report."""
    if days.declared_on is not None and days.declared_on > as_at:
        days = replace(days, declared_on=None, carried=None)
    if days.called_off_on is not None and days.called_off_on > as_at:
        days = replace(days, called_off_on=None)
    return days


def _days_left(ballot: WholeBallot, stage: Stage, as_at: date) -> Value:
    """Return the days up to the last one of voting; none are left of a ballot that is over."""
    closes = ballot.days.closes_on
    if stage not in {Stage.PLANNED, Stage.OPEN}:
        return NOT_APPLICABLE
    return None if closes is None else (closes - as_at).days


def _figures(
    told: QuestionCount | None,
    result: Result | None,
    question: Question | None,
    stage: Stage,
    days_left: Value,
) -> dict[str, Figure]:
    over = stage is Stage.DECLARED
    # Before it is declared there is no result that could be unknown.
    none: Value = None if over else NOT_APPLICABLE
    left = Figure(FigureKind.COUNT, days_left, days_left, days_left)
    papers = None if told is None else told.valid if told.cast is None else told.cast
    if papers is not None and 0 < papers < SMALLEST_GROUP:
        kinds = dict.fromkeys(MEASURES, FigureKind.COUNT)
        kinds |= {"voted": FigureKind.SHARE, "mandates": FigureKind.SHARE}
        return {name: hidden(kind) for name, kind in kinds.items()} | {"days_left": left}
    passed = None if question is None else passed_on(result, question)

    def _counted(number: int | None) -> Figure:
        return Figure(FigureKind.COUNT, none, none, none) if number is None else count(number)

    if told is None or told.entitled is None or told.cast is None:
        voted = Figure(FigureKind.SHARE, none, none, none, none, none)
    else:
        voted = share(told.cast, told.entitled)
    return {
        "entitled": _counted(told.entitled if told else None),
        "voted": voted,
        "yes": _counted(told.yes if told else None),
        "no": _counted(told.no if told else None),
        "spoiled": _counted(told.spoiled if told else None),
        "mandates": share(int(passed is True), 1, not_known=int(passed is None))
        if over
        else Figure(FigureKind.SHARE, none, none, none, none, none),
        "days_left": left,
    }
