"""The figures of a report as sentences, tables and charts. Nothing is counted here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import format_date, gettext
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext as plural

from crm.domain.ballot_days import Stage
from crm.domain.numbers import HIDDEN, NOT_APPLICABLE, percent_text
from crm.domain.readiness import GateName, Part, band_of
from crm.domain.report import (
    Figure,
    FigureKind,
    Line,
    LineKind,
    PartName,
    ReportPack,
    ReportPart,
    ReportTable,
)
from crm.domain.vocabulary import PlaceKind
from crm.features.reports.forms import PARTS
from crm.web.filters import day as day_text
from crm.web.filters import people as people_text
from crm.web.labels import label, question_name, rating_label

# Lines of a table on the screen and on paper; the files have them all.
SCREEN_LINES = 40
PAPER_LINES = 8
# Tables of one line whose every number stands in the sentences above them.
_SAID = frozenset({"coverage", "base"})


def _(message: str, **words: object) -> str:
    return str(gettext(message, **words))


def ngettext(one: str, several: str, count: float, **words: object) -> str:
    """Return the sentence for one or for several; `n` in it is the count as a number of people."""
    whole = int(count) if count == int(count) else 2
    return str(plural(one, several, whole, n=people_text(count), **words))


@dataclass(frozen=True, slots=True)
class Column:
    """The heading of a column."""

    label: str
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table ready to be written. chart: its chart, which holds the table; None = no chart.

    left_out: how many more lines the files have; left_unknown: of these, the lines in which
    something is not known.
    """

    name: str
    columns: list[Column]
    rows: list[list[Any]]
    caption: str
    chart: dict[str, Any] | None
    chart_kind: str
    left_out: int
    left_unknown: int


@dataclass(frozen=True, slots=True)
class ShownPart:
    """A part ready to be written: the answer, the reading of it, what it stands on."""

    key: str
    name: str
    title: str
    reading: list[str]
    base: str
    tables: list[ShownTable]

    @property
    def said_in_chart(self) -> bool:
        """True when the first chart carries the answer, the reading and the base."""
        return bool(self.tables) and self.tables[0].chart is not None


MEASURES: dict[str, Any] = {
    "members_then": _l("Members on %(since)s"),
    "joined": _l("Here before, now known to be members"),
    "came_as_members": _l("New here, and members now"),
    "left_as_members": _l("Left here as members"),
    "no_longer_members": _l("Left the union"),
    "no_longer_known": _l("Not known any more"),
    "members_now": _l("Members on %(as_at)s"),
    "talks": _l("Talks"),
    "talked_to": _l("People talked to"),
    "asked": _l("Asked where they stand"),
    "asked_first": _l("Asked for the first time"),
    "members": _l("Members by name"),
    "not_members": _l("Not members"),
    "named_not_known": _l("Named, not known"),
    "workers": _l("Workers"),
    "density": _l("Density"),
    "density_then": _l("Density on %(since)s"),
    "places_counted": _l("Workplaces with a headcount"),
    "places_counted_then": _l("With a headcount on %(since)s"),
    "same_places": _l("Counted as on %(as_at)s"),
    "counted_on_both": _l("Counted the same way on both days"),
    "members_there": _l("Members at those"),
    "members_at_least": _l("Members, at least"),
    "on_list": _l("On our list"),
    "too_old": _l("Asked too long ago"),
    "not_asked": _l("Not asked"),
    "with_us": _l("With us (1 and 2)"),
    "leaders": _l("Leaders"),
    "confirmed": _l("Of them confirmed"),
    "needed": _l("Needed"),
    "missing": _l("Missing"),
    "reached": _l("Reached by a leader"),
    "gate_open": _l("Open"),
    "gate_has": _l("Has"),
    "gate_of": _l("Out of"),
    "gate_needs": _l("Needs"),
    "part_share": _l("Share"),
    "part_points": _l("Points of 100"),
    "part_terms": _l("Nothing to enough, in 100"),
    "part_weight": _l("Weight, in 100"),
    "gates_open": _l("Gates open"),
    "index": _l("Index"),
    "index_equal": _l("Index with the same weights"),
    "with_us_firmly": _l("Firmly with us"),
    "listed": _l("On the list"),
    "did": _l("Took part"),
    "did_not": _l("Did not"),
    "not_done": _l("Will, or not yet"),
    "unheard": _l("Nothing written down"),
    "target": _l("Target, in 100"),
    "still_needed": _l("Still needed"),
    "entitled": _l("Entitled"),
    "voted": _l("Papers sent back"),
    "yes": _l("Yes"),
    "no": _l("No"),
    "spoiled": _l("Spoiled"),
    "mandates": _l("Passed"),
    "days_left": _l("Days left"),
    "raised": _l("People who raised it"),
    "noted": _l("We noted what matters"),
    "late": _l("Late"),
    "this_week": _l("In the next 7 days"),
    "next_week": _l("In the 7 days after"),
    "after": _l("Later"),
    "open": _l("In all"),
    "cases": _l("Open cases"),
}


def measure_label(pack: ReportPack, measure: str) -> str:
    """Return the heading of a measure's column."""
    if measure.startswith("stand_"):
        rating = int(measure.removeprefix("stand_"))
        return f"{rating} {rating_label(rating)}"
    days = {"since": day_text(pack.since), "as_at": day_text(pack.as_at)}
    return str(MEASURES[measure]) % days


def unit_name(pack: ReportPack) -> str:
    """Return the name of the unit."""
    return _("Everything") if pack.unit_kind == PlaceKind.EVERYTHING else pack.unit


def line_name(pack: ReportPack, line: Line) -> str:
    """Return the heading of a line."""
    if line.kind is LineKind.WHOLE:
        return _("All together")
    if line.kind is LineKind.ISSUE:
        return label(line.key)
    if line.kind is LineKind.GATE:
        return label(GateName(line.key))
    if line.kind is LineKind.PART:
        return label(Part(line.key))
    if line.kind is LineKind.DAY:
        return str(format_date(line.as_at, "d MMM y", rebase=False))
    if line.kind is LineKind.BALLOT:
        if line.stage == Stage.DECLARED:
            return ballot_name(line)
        stage = label(Stage(line.stage))
        words = stage[:1].lower() + stage[1:]
        return _("%(name)s: %(words)s", name=ballot_name(line), words=words)
    if line.name:
        return f"{line.name}, {day_text(line.as_at)}" if line.kind is LineKind.TEST else line.name
    area = pack.unit_kind in {PlaceKind.WORKPLACE, PlaceKind.AREA}
    return _("Area not known") if area else _("Workplace not known")


def ballot_name(line: Line) -> str:
    """Return the name of a ballot, stamped where it has no effect in law."""
    name = line.name
    if line.question is not None:
        asked = question_name(line.question.kind, line.question.words)
        name = _("%(ballot)s: %(question)s", ballot=name, question=asked)
    return _("INDICATIVE, no ballot in law: %(name)s", name=name) if line.indicative else name


def number_text(value: Any) -> str | None:
    """Return a number of people in words; None = not known."""
    if value is None:
        return None
    if value == HIDDEN:
        return _("hidden")
    if value == NOT_APPLICABLE:
        return "–"
    return people_text(value)


def span(low: Any, high: Any) -> str | None:
    """Return "280 to 310", or one number when both are it; None = not known."""
    if low is None or high is None:
        return None
    if low == high or isinstance(low, str):
        return number_text(low)
    return _("%(low)s to %(high)s", low=people_text(low), high=people_text(high))


def figure_text(figure: Figure) -> str | None:
    """Return a figure as the cell of a table says it; None = not known."""
    if figure.kind is FigureKind.COUNT:
        return number_text(figure.numerator)
    if figure.kind is FigureKind.RANGE:
        return span(figure.low, figure.high)
    if not isinstance(figure.low, int | float) or not isinstance(figure.high, int | float):
        return number_text(figure.low)
    if figure.small:
        return _("%(some)s of %(all)s", some=_most_of(figure), all=number_text(figure.out_of_high))
    low, high = percent_text(figure.low, 0), percent_text(figure.high, 0)
    # Where the share was weighed beside the count, such as a test that fades, it stands alone.
    if figure.low == figure.high and _is_plain(figure):
        return _(
            "%(share)s%% (%(some)s of %(all)s)",
            share=low,
            some=number_text(figure.numerator),
            all=number_text(figure.out_of_high),
        )
    if low == high:
        return f"{low}%"
    return _("%(low)s%% to %(high)s%%", low=low, high=high)


def _is_plain(figure: Figure) -> bool:
    top, bottom, low = figure.numerator, figure.out_of_high, figure.low
    if not isinstance(top, int | float) or not isinstance(bottom, int | float) or not bottom:
        return False
    return isinstance(low, int | float) and math.isclose(top / bottom, low)


def _most_of(figure: Figure) -> str:
    most = float(figure.numerator or 0) + float(figure.not_known or 0)
    return span(figure.numerator, min(most, float(figure.out_of_high or 0))) or ""


def show(pack: ReportPack, *, lines: int, open_tables: bool = False) -> list[ShownPart]:
    """Return the parts ready to be written, with at most so many lines in each table.

    open_tables: True for paper, where nothing can be opened.
    """
    return [_shown(pack, part, lines, open_tables=open_tables) for part in pack.parts]


def _shown(pack: ReportPack, part: ReportPart, lines: int, *, open_tables: bool) -> ShownPart:
    title, reading = _SAY[part.name](pack, part)
    base = str(_BASES[part.name])
    tables = [
        _table(pack, table, lines, open_tables=open_tables)
        for table in part.tables
        if table.lines and table.name not in _SAID and not part.nothing
    ]
    if tables and tables[0].chart is not None:
        tables[0].chart.update(title=title, reading=" ".join(reading), base=base)
    return ShownPart(
        key=part.name.value,
        name=str(PARTS[part.name]),
        title=title,
        reading=reading,
        base=base,
        tables=tables,
    )


_BASES: dict[PartName, Any] = {
    PartName.CHANGES: _l(
        "Counted: people with a job here whom we know by name, and members of any union. Somebody "
        "who moved between two places here is in the line of each, and not in the line of all. "
        "Members in lines of fewer than 5 people are hidden."
    ),
    PartName.DENSITY: _l(
        "Members of any union ÷ all who work on site. Members are those we know by name or, where "
        "a union states more, the number it states. The range holds the truth: at the low end "
        "nobody else is a member, at the high end all of whom we do not know are. Lines of fewer "
        "than 5 people are hidden."
    ),
    PartName.SUPPORT: _l(
        "Counted: people with a job here whom we know by name. With us: 1 and 2. Lines of fewer "
        "than 5 people are hidden, and one more line where they could be worked out."
    ),
    PartName.TESTS: _l(
        "Out of everyone on the list as it was frozen, also those who left since. Whoever we have "
        "heard nothing of is not known: not a no. Lists of fewer than 5 people here are hidden."
    ),
    PartName.READINESS: _l(
        "A gate that is shut goes before any number. The weights are a judgement: nobody has "
        "measured them. A test fades by half in 60 days: its share here is smaller than under "
        "Structure tests. Do not compare workplaces by it. It says nothing of leverage, timing or "
        "the law. It is for the workers: never show it to management. Figures of places with fewer "
        "than 5 people on our list are hidden, and parts that tell of fewer than 5 leaders."
    ),
    PartName.LEADERS: _l(
        "One leader for ten workers, in each place. Where nobody has counted the workers, only "
        "people on our list are counted. Reached: people who listen to a leader, or to "
        "somebody who does, as far as we have written down. All together is the sum of the places. "
        "Leaders among fewer than 5 people are hidden, and of one more line where they could be "
        "worked out."
    ),
    PartName.BALLOTS: _l(
        "The last ballots here, as counted; a result stands here from the day it is declared. "
        "Each question on the paper has a line. Where each workplace votes for itself, “passed” "
        "says at how many. "
        "Counts of fewer than 5 papers are hidden. Who voted is in no report."
    ),
    PartName.ISSUES: _l(
        "Out of the people of whom we noted what matters, in talks of the last 3 months. Each "
        "person counts once for each thing. What only one or two people raised is hidden."
    ),
    PartName.REMINDERS: _l(
        "Counted: promises to speak to somebody again that were open at the end of the day."
    ),
    PartName.CASES: _l(
        "Only open cases here whose team you are on. Other people see other numbers. That there "
        "is a case can tell on somebody: think before you hand this round."
    ),
}


def _number_of(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _number(line: Line, measure: str) -> float:
    value = line[measure].numerator
    return float(value) if isinstance(value, int | float) else 0.0


def _say_changes(pack: ReportPack, part: ReportPart) -> tuple[str, list[str]]:
    members = part.table("members").whole_line()
    work = part.table("work").whole_line()
    since = day_text(pack.since)
    if members["members_now"].numerator == HIDDEN:
        table = part.table("members")
        return _hidden_title(), [*_why_no_sum(table, "members_now"), _talks_words(work)]
    change = _number(members, "members_now") - _number(members, "members_then")
    if change > 0:
        title = ngettext(
            "%(n)s more member than on %(day)s",
            "%(n)s more members than on %(day)s",
            change,
            day=since,
        )
    elif change < 0:
        title = ngettext(
            "%(n)s fewer member than on %(day)s",
            "%(n)s fewer members than on %(day)s",
            -change,
            day=since,
        )
    else:
        title = _("As many members as on %(day)s", day=since)
    words = {name: number_text(members[name].numerator) for name in members.figures}
    return title, [
        _(
            "Then %(members_then)s, now %(members_now)s. Here before, now known to be members: "
            "%(joined)s. New here, and members now: %(came_as_members)s. Left here as members: "
            "%(left_as_members)s. Left the union: %(no_longer_members)s. Not known any more: "
            "%(no_longer_known)s.",
            **words,
        ),
        ngettext(
            "Of %(n)s person here now we do not know whether they are in a union.",
            "Of %(n)s people here now we do not know whether they are in a union.",
            float(members["members_now"].not_known or 0),
        ),
        _talks_words(work),
    ]


def _hidden_title() -> str:
    return _("Hidden: too few people to hand round")


def _why_no_sum(table: ReportTable, measure: str) -> list[str]:
    """Return why all together are hidden where lines of places are not, and what to do."""
    if all(line[measure].numerator == HIDDEN for line in table.others):
        return []
    return [
        _(
            "All together are hidden: beside the other figures they would tell of fewer than 5 "
            "people. Where nobody has counted the workers, write down how many work there: then "
            "they can mostly be shown."
        )
    ]


def _talks_words(work: Line) -> str:
    return _(
        "Talks: %(talks)s, with %(talked_to)s people. Asked where they stand: %(asked)s "
        "people, %(asked_first)s of them for the first time.",
        **{name: number_text(work[name].numerator) for name in work.figures},
    )


def _say_density(pack: ReportPack, part: ReportPart) -> tuple[str, list[str]]:
    whole = part.table("places").whole_line()
    coverage = part.table("coverage").whole_line()
    found = whole["density"]
    words = figure_text(found)
    counted = coverage["places_counted"]
    reading = []
    if found.low == HIDDEN:
        return _hidden_title(), []
    if words is None:
        title = _("Density not known: nobody has counted the workers")
    elif isinstance(found.low, str):
        title = _("Nobody works here on that day")
    else:
        title = _("Density: %(words)s", words=words)
        reading.append(
            _(
                "%(members)s members confirmed of %(workers)s workers. Of up to %(not_known)s "
                "more we do not know.",
                members=people_text(_number(whole, "density")),
                workers=figure_text(whole["workers"]),
                not_known=number_text(found.not_known),
            )
        )
    of_places = {
        "counted": number_text(counted.numerator),
        "places": number_text(counted.out_of_high),
    }
    if counted.out_of_high == 1:
        reading.append(
            _("The workers here were counted.")
            if counted.numerator
            else _("Nobody has counted the workers here.")
        )
        told = HIDDEN not in (coverage["members_there"].low, whole["members"].numerator)
        if told:
            reading.append(
                ngettext(
                    "We know %(n)s member by name.",
                    "We know %(n)s members by name.",
                    _number(whole, "members"),
                )
            )
    elif coverage["members_there"].low == HIDDEN:
        reading.append(
            _("We have a headcount for %(counted)s of %(places)s workplaces.", **of_places)
        )
    else:
        reading.append(
            _(
                "We have a headcount for %(counted)s of %(places)s workplaces. There are "
                "%(there)s of the %(all)s members. We know %(named)s members by name.",
                named=number_text(whole["members"].numerator),
                there=number_text(coverage["members_there"].numerator),
                all=number_text(coverage["members_there"].out_of_high),
                **of_places,
            )
        )
    if _number_of(coverage["places_counted"].out_of_high) > 1:
        reading.append(_("Whoever works at two of them is counted at both."))
    then = figure_text(whole["density_then"])
    reading.append(
        _("On %(day)s it was not known.", day=day_text(pack.since))
        if then is None
        else _("On %(day)s it was %(words)s.", day=day_text(pack.since), words=then)
    )
    both = coverage["counted_on_both"].numerator
    if (
        words is not None
        and then is not None
        and not counted.numerator == coverage["places_counted_then"].numerator == both
    ):
        reading.append(
            _(
                "Workplaces with a headcount then: %(then)s; counted the same way on both days: "
                "%(both)s. So the two shares cannot be compared.",
                then=number_text(coverage["places_counted_then"].numerator),
                both=number_text(both),
            )
        )
    return title, reading


def _say_support(pack: ReportPack, part: ReportPart) -> tuple[str, list[str]]:
    whole = part.table("support").whole_line()
    if part.nothing:
        return _("Nobody is on our list here"), []
    found = whole["with_us"]
    on_list = number_text(whole["on_list"].numerator) or ""
    if found.low == HIDDEN:
        return _hidden_title(), [
            ngettext(
                "%(n)s person is on our list.",
                "%(n)s people are on our list.",
                _number(whole, "on_list"),
            ),
            *_why_no_sum(part.table("support"), "with_us"),
        ]
    title = _(
        "With us: %(some)s of %(all)s people on our list",
        some=number_text(found.numerator),
        all=on_list,
    )
    return title, [
        _(
            "Not asked: %(not_asked)s. Asked too long ago to count: %(too_old)s. So it can be "
            "%(words)s.",
            not_asked=number_text(whole["not_asked"].numerator),
            too_old=number_text(whole["too_old"].numerator),
            words=figure_text(found),
        )
    ]


def _say_tests(pack: ReportPack, part: ReportPart) -> tuple[str, list[str]]:
    if part.nothing:
        return _("No structure test was held here yet"), []
    last = part.table("tests").lines[-1]
    if last["did"].low == HIDDEN:
        return _("The last test, %(name)s: hidden, too few people", name=last.name), []
    reading = [
        _(
            "The list was frozen on %(day)s with %(listed)s people. Took part: %(did)s. Did not: "
            "%(did_not)s. Will, or not yet: %(not_done)s. Nothing written down: %(unheard)s.",
            day=day_text(last.as_at),
            listed=number_text(last["listed"].numerator),
            did=number_text(last["did"].numerator),
            did_not=number_text(last["did_not"].numerator),
            not_done=number_text(last["not_done"].numerator),
            unheard=number_text(last["unheard"].numerator),
        )
    ]
    if last["target"].low is not None:
        reading.append(
            _(
                "Target: %(target)s in 100. Still needed: %(needed)s people.",
                target=number_text(last["target"].low),
                needed=number_text(last["still_needed"].numerator),
            )
        )
    title = _(
        "Took part in the last test, %(name)s: %(words)s",
        name=last.name,
        words=figure_text(last["did"]),
    )
    return title, reading


def _say_readiness(pack: ReportPack, part: ReportPart) -> tuple[str, list[str]]:
    if part.nothing:
        return _(
            "No readiness here: it is of a workplace or of several, with people on the list"
        ), []
    gates = part.table("gates").lines
    shut = [line_name(pack, line) for line in gates if line["gate_open"].high == 0]
    # One that is hidden is not known to whoever reads the report.
    unknown = [line_name(pack, line) for line in gates if line["gate_open"].high in {None, HIDDEN}]
    if shut:
        title = ngettext(
            "Not ready: %(n)s gate is shut", "Not ready: %(n)s gates are shut", len(shut)
        )
    elif unknown:
        title = _("Nobody can say “ready” yet")
    else:
        title = _("Every gate is open")
    reading = []
    if shut:
        reading.append(_("Shut: %(gates)s.", gates="; ".join(shut)))
    if unknown:
        reading.append(_("Not known: %(gates)s.", gates="; ".join(unknown)))
    index = part.table("readiness").whole_line()["index"]
    if isinstance(index.low, int | float) and isinstance(index.high, int | float):
        low, high = label(band_of(index.low)), label(band_of(index.high))
        reading.append(
            _(
                "Index: %(index)s of 100. That means: %(band)s. Held down most by: %(part)s.",
                index=figure_text(index),
                band=low if low == high else _("%(low)s to %(high)s", low=low, high=high),
                part=line_name(pack, part.table("readiness_parts").lines[0]),
            )
        )
    else:
        reading.append(
            _(
                "The index is hidden: beside the other parts it would tell where fewer than 5 "
                "people stand."
            )
        )
    return title, reading


def _say_leaders(pack: ReportPack, part: ReportPart) -> tuple[str, list[str]]:
    whole = part.table("leaders").whole_line()
    if part.nothing:
        return _("Nobody is on our list here"), []
    if whole["leaders"].numerator == HIDDEN:
        return _("Leaders: hidden, too few people"), []
    missing = _number(whole, "missing")
    title = (
        ngettext("%(n)s leader is missing", "%(n)s leaders are missing", missing)
        if missing
        else _("There are as many leaders as the people on our list need")
    )
    return title, [
        _(
            "We know %(leaders)s leaders, %(confirmed)s of them confirmed. Needed: %(needed)s.",
            **{name: number_text(whole[name].numerator) for name in MEASURES_OF_LEADERS},
        ),
        _(
            "A leader reaches %(some)s of %(all)s people on our list. Of the others we do not "
            "know to whom they listen.",
            some=number_text(whole["reached"].numerator),
            all=number_text(whole["reached"].out_of_high),
        ),
    ]


MEASURES_OF_LEADERS = ("leaders", "confirmed", "needed")


def _say_ballots(pack: ReportPack, part: ReportPart) -> tuple[str, list[str]]:
    if part.nothing:
        return _("No ballot was planned or held here yet"), []
    last = part.table("ballots").lines[0]
    left = last["days_left"].numerator
    if isinstance(left, int | float):
        return _("%(name)s: voting ends in %(days)s days", name=ballot_name(last), days=left), []
    passed = last["mandates"]
    if isinstance(passed.out_of_high, int | float) and passed.out_of_high > 1:
        return _(
            "%(name)s: passed at %(words)s workplaces",
            name=ballot_name(last),
            words=_("%(some)s of %(all)s", some=_most_of(passed), all=passed.out_of_high),
        ), []
    voted = last["voted"]
    if not isinstance(voted.low, int | float):
        words = {HIDDEN: _("hidden, too few papers"), None: _("not known")}
        told = words.get(voted.low, _("no result yet"))
        return _("%(name)s: %(words)s", name=ballot_name(last), words=told), []
    return _("%(name)s: %(voted)s voted", name=ballot_name(last), voted=figure_text(voted)), [
        _votes(line)
        for line in part.table("ballots").lines
        if line.key.partition(":")[0] == last.key.partition(":")[0]
    ]


def _votes(line: Line) -> str:
    words = _(
        "Yes: %(yes)s. No: %(no)s.",
        yes=number_text(line["yes"].numerator) or _("not known"),
        no=number_text(line["no"].numerator) or _("not known"),
    )
    if line.question is None:
        return words
    asked = question_name(line.question.kind, line.question.words)
    return _("%(question)s: %(votes)s", question=asked, votes=words)


def _say_issues(pack: ReportPack, part: ReportPart) -> tuple[str, list[str]]:
    base = part.table("base").whole_line()
    told = [line for line in part.table("issues").lines if line["raised"].low != HIDDEN]
    reading = [
        _(
            "We noted what matters to %(noted)s of %(on_list)s people on our list. Of the other "
            "%(not_known)s it is not known.",
            noted=number_text(base["noted"].numerator),
            on_list=number_text(base["on_list"].numerator),
            not_known=number_text(base["noted"].not_known),
        )
    ]
    if part.nothing:
        return _("Nothing is noted yet of what matters to people"), reading
    if not told:
        return _("Nothing was raised by 3 people or more"), reading
    return _("Most raised: %(thing)s", thing=label(told[0].key)), reading


def _say_reminders(pack: ReportPack, part: ReportPart) -> tuple[str, list[str]]:
    whole = part.table("reminders").whole_line()
    late = _number(whole, "late")
    if part.nothing:
        return _("No reminder is open"), []
    title = (
        ngettext("%(n)s reminder is late", "%(n)s reminders are late", late)
        if late
        else _("No reminder is late")
    )
    return title, [_due_words(whole)]


def _say_cases(pack: ReportPack, part: ReportPart) -> tuple[str, list[str]]:
    whole = part.table("cases").whole_line()
    if part.nothing:
        return _("You are on the team of no open case here"), []
    late = _number(whole, "late")
    title = (
        ngettext("%(n)s deadline is late", "%(n)s deadlines are late", late)
        if late
        else _("No deadline is late")
    )
    cases = ngettext(
        "%(n)s open case of your teams.",
        "%(n)s open cases of your teams.",
        _number(whole, "cases"),
    )
    return title, [cases, _due_words(whole)]


def _due_words(line: Line) -> str:
    return _(
        "Late: %(late)s. In the next 7 days: %(this_week)s. In the 7 days after: %(next_week)s. "
        "Later: %(after)s.",
        **{
            name: number_text(line[name].numerator)
            for name in ("late", "this_week", "next_week", "after")
        },
    )


_SAY: dict[PartName, Callable[[ReportPack, ReportPart], tuple[str, list[str]]]] = {
    PartName.CHANGES: _say_changes,
    PartName.DENSITY: _say_density,
    PartName.SUPPORT: _say_support,
    PartName.TESTS: _say_tests,
    PartName.READINESS: _say_readiness,
    PartName.LEADERS: _say_leaders,
    PartName.BALLOTS: _say_ballots,
    PartName.ISSUES: _say_issues,
    PartName.REMINDERS: _say_reminders,
    PartName.CASES: _say_cases,
}


# --- Tables and charts ------------------------------------------------------------------------

CAPTIONS: dict[str, Any] = {
    "members": _l("Members who came and went"),
    "work": _l("Talks and questions"),
    "places": _l("Density of each place"),
    "coverage": _l("Where the workers were counted"),
    "months": _l("Density month by month"),
    "support": _l("Where people stand"),
    "tests": _l("Structure tests, oldest first"),
    "gates": _l("The gates"),
    "readiness_parts": _l("The parts of readiness, first what holds the index down most"),
    "readiness": _l("Readiness of each place"),
    "leaders": _l("Leaders of each place"),
    "ballots": _l("Ballots, newest first"),
    "ballot_places": _l("Each workplace that voted for itself"),
    "issues": _l("What people raised"),
    "base": _l("Whom we talked to"),
    "reminders": _l("Reminders by day"),
    "cases": _l("Deadlines by day"),
}
_FIRST: dict[str, Any] = {
    "tests": _l("Test"),
    "ballots": _l("Ballot"),
    "ballot_places": _l("Ballot"),
    "issues": _l("What"),
    "months": _l("Day"),
    "gates": _l("Gate"),
    "readiness_parts": _l("Part"),
}


def first_column(table: ReportTable) -> str:
    """Return the heading of the column that names the lines."""
    return str(_FIRST.get(table.name, _l("Place")))


def caption(table: ReportTable) -> str:
    """Return what a table holds."""
    return str(CAPTIONS[table.name])


def _table(pack: ReportPack, table: ReportTable, lines: int, *, open_tables: bool) -> ShownTable:
    shown = table.lines[:lines] if table.name != "months" else table.lines
    columns = [Column(first_column(table), numeric=False)]
    columns += [Column(measure_label(pack, measure)) for measure in table.measures]
    rows = [
        [line_name(pack, line), *(_cell(line, measure) for measure in table.measures)]
        for line in shown
    ]
    kind, marks = _chart(pack, table, shown)
    written = {"columns": columns, "rows": rows, "caption": caption(table)}
    chart = None
    if marks:
        chart = {
            "title": caption(table),
            "reading": _months_words(pack, shown) if kind == "band" else "",
            "base": "",
            "as_at": day_text(pack.as_at),
            "table": written,
            "open": open_tables,
            "close": open_tables,
            **marks,
        }
    return ShownTable(
        name=table.name,
        columns=columns,
        rows=rows,
        caption=caption(table),
        chart=chart,
        chart_kind=kind,
        left_out=len(table.lines) - len(shown),
        left_unknown=sum(map(_has_unknown, table.lines[len(shown) :])),
    )


def _has_unknown(line: Line) -> bool:
    return any(figure_text(figure) is None for figure in line.figures.values())


def _in_per_cent(line: Line) -> bool:
    """Whether a gate is judged on a share of no number of people: of a vote, or of no list yet."""
    if line.key == GateName.TESTS:
        return line["gate_has"].low is None
    return line.kind is LineKind.GATE and line.key == GateName.LAW


def _cell(line: Line, measure: str) -> str | None:
    figure = line[measure]
    if _in_per_cent(line):
        if measure == "gate_of":
            return "–"
        if measure != "gate_open" and isinstance(figure.low, int | float):
            # Down: a share just short of its limit never reads as the limit.
            return f"{math.floor(figure.low * 10) / 10:g}%"
    if measure not in {"mandates", "gate_open", "same_places"} or not isinstance(
        figure.low, int | float
    ):
        return figure_text(figure)
    if isinstance(figure.out_of_high, int | float) and figure.out_of_high > 1:
        return _("%(some)s of %(all)s", some=_most_of(figure), all=figure.out_of_high)
    if figure.low == 1:
        return _("yes")
    return _("no") if figure.high == 0 else None


def _chart(
    pack: ReportPack, table: ReportTable, lines: Sequence[Line]
) -> tuple[str, dict[str, Any]]:
    if table.name == "places":
        return "ranges", {"rows": [_range(pack, line, "density") for line in lines]}
    if table.name == "tests":
        return "ranges", {"rows": [_range(pack, line, "did") for line in lines]}
    if table.name == "readiness_parts":
        return "ranges", {"rows": [_range(pack, line, "part_share") for line in lines]}
    if table.name == "months":
        points = [
            {
                "label": line_name(pack, line),
                "low": _end(line["density"].low),
                "high": _end(line["density"].high),
            }
            for line in lines
        ]
        return "band", {"points": points}
    if table.name == "issues":
        return "bars", {"rows": [_bar(line_name(pack, line), line["raised"]) for line in lines]}
    if table.name == "support":
        if all(line["with_us"].low == HIDDEN for line in lines):
            return "", {}
        return "stacked", {"rows": [_standing(pack, line, table.drawn) for line in lines]}
    return "", {}


def _months_words(pack: ReportPack, lines: Sequence[Line]) -> str:
    said = [
        _(
            "%(day)s: %(words)s.",
            day=day_text(line.as_at),
            words=figure_text(line["density"]) or _("not known"),
        )
        for line in (lines[0], lines[-1])
    ]
    if lines[0]["same_places"].numerator == 0:
        said.append(
            _(
                "The two are not of the same workplaces, or not counted the same way, so they "
                "cannot be compared."
            ),
        )
    return " ".join(said)


def _end(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _range(pack: ReportPack, line: Line, measure: str) -> dict[str, Any]:
    figure = line[measure]
    low, high = _end(figure.low), _end(figure.high)
    return {
        "label": line_name(pack, line),
        "low": low,
        "high": high,
        "unknown": low is None,
        "text": figure_text(figure)
        or (_("not known") if line.kind is LineKind.PART else _("no count yet")),
    }


def _bar(name: str, figure: Figure) -> dict[str, Any]:
    share = _end(figure.low)
    if share is None:
        text = number_text(figure.numerator) or ""
    else:
        text = _(
            "%(some)s of %(all)s",
            some=number_text(figure.numerator),
            all=number_text(figure.out_of_high),
        )
    return {"label": name, "share": share, "text": text, "unknown": False}


def _standing(pack: ReportPack, line: Line, measures: Sequence[str]) -> dict[str, Any]:
    """Return the bar of one group: where its people stand, and of how many we do not know."""
    on_list = _number(line, "on_list")
    parts: list[dict[str, Any]] = []
    before = 0.0
    for measure in measures:
        share = _number(line, measure) / on_list if on_list else 0.0
        rating = int(measure[-1]) if measure.startswith("stand_") else None
        if parts and parts[-1]["rating"] is rating is None:
            parts[-1]["share"] += share
        elif share:
            parts.append({"rating": rating, "from": before, "share": share})
        before += share
    found = line["with_us"]
    return {
        "label": line_name(pack, line),
        "parts": parts,
        "text": figure_text(found) or _("not known"),
    }
