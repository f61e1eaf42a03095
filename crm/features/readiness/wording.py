"""Readiness as sentences, rows and table cells, in the reader's language. Nothing is counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext as plural

from crm.domain.numbers import round_half_up
from crm.domain.readiness import (
    CAPACITY,
    DEFAULT_LIMITS,
    DEFAULT_TARGETS,
    Finding,
    Gate,
    GateName,
    Index,
    Part,
    Score,
    Target,
    Terms,
    shut_gates,
    whole_index,
)
from crm.features.readiness.queries import Kept
from crm.reads.decisions import Said
from crm.reads.readiness import AreaOwner, Readiness, Standing, Wanted
from crm.web.filters import day as day_text
from crm.web.filters import moment as moment_text
from crm.web.filters import people as people_text
from crm.web.filters import percent as percent_of
from crm.web.filters import percent_by
from crm.web.labels import label

# Areas without a rep that are named; the rest are counted.
MOST_NAMED = 5


def _(message: str, **words: object) -> str:
    return str(gettext(message, **words))


def _n(one: str, several: str, count: int, **words: object) -> str:
    return str(plural(one, several, count, n=people_text(count), **words))


@dataclass(frozen=True, slots=True)
class GateLine:
    """One gate: its word, "open", "shut" or "not known", what it was judged on, the sort of tag."""

    word: str
    state: str
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do next. links: address and words."""

    title: str
    why: str
    links: tuple[tuple[str, str], ...]


Address = Callable[..., str | None]


def headline(one: Standing) -> str:
    """Return the sentence that goes before any number."""
    shut = shut_gates(one.gates)
    red = [str(label(gate.name)) for gate in shut if gate.is_open is False]
    unknown = [str(label(gate.name)) for gate in shut if gate.is_open is None]
    said = []
    if red:
        said.append(_("Not ready. Shut: %(gates)s.", gates=_listed(red)))
    if unknown:
        said.append(
            _("Not known yet: %(gates)s.", gates=_listed(unknown))
            if red
            else _("Nobody can say “ready” yet. Not known: %(gates)s.", gates=_listed(unknown))
        )
    return " ".join(said) or _("Every gate is open.")


def _listed(words: Sequence[str]) -> str:
    return "; ".join(word[:1].lower() + word[1:] for word in words)


def index_text(index: Index) -> str:
    """Return the index as a range of whole numbers, each in the band that it is named with."""
    return _span(whole_index(index.low), whole_index(index.high))


def _span(low: float, high: float) -> str:
    lowest, highest = str(round_half_up(low)), str(round_half_up(high))
    if lowest == highest:
        return lowest
    return _("%(low)s to %(high)s", low=lowest, high=highest)


def index_lines(one: Standing) -> list[str]:
    """Return the sentences under the index."""
    index = one.index
    bands = [str(label(band)) for band in index.bands]
    said = [
        _("That means: %(bands)s.", bands=" / ".join(bands)),
        _("Holds the index down most: %(part)s.", part=_weakest(index)),
        _(
            "With the same weight for every part: %(index)s.",
            index=_span(whole_index(index.equal_low), whole_index(index.equal_high)),
        ),
    ]
    said.append(_asked_words(one))
    if index.unknown:
        said.insert(
            1,
            _(
                "It is a range because this is not fully known: %(parts)s.",
                parts=_listed([str(label(part)) for part in index.unknown]),
            ),
        )
    return said


def _asked_words(one: Standing) -> str:
    """Return of how many people it is known where they stand."""
    people, asked = one.listed.people, one.listed.firm
    if not asked:
        return _(
            "Nobody here was asked first hand lately. So how many are with us is not known: the "
            "index counts nobody as firmly with us until they are asked."
        )
    return _(
        "%(asked)s of %(people)s people on our list were asked first hand lately. Whether the "
        "others are with us is not known.",
        asked=people_text(asked),
        people=people_text(people),
    )


def weakest_area(found: Readiness) -> str | None:
    """Return the area where the smallest share of people is firmly with us; None without areas,
    and where nobody was asked: what is not known is no weakness."""
    peopled = [area for area in found.areas if area.people]
    if len(peopled) < 2 or not found.whole.listed.firm:
        return None
    one = min(peopled, key=lambda area: (area.with_us / area.people, -area.people))
    return _(
        "Weakest area: %(area)s. %(with_us)s of %(people)s on our list are firmly with us; "
        "%(asked)s of them were asked first hand lately.",
        area=_area_name(one),
        with_us=people_text(one.with_us),
        people=people_text(one.people),
        asked=people_text(one.asked),
    )


def _area_name(area: AreaOwner) -> str:
    if area.is_workplace:
        return area.name
    return _("%(area)s, %(workplace)s", area=area.name, workplace=area.workplace)


def _weakest(index: Index) -> str:
    word = _lower(label(index.weakest.part))
    return _("%(part)s (not known)", part=word) if _unknown(index.weakest) else word


def _lower(word: str) -> str:
    return word[:1].lower() + word[1:]


def base(one: Standing) -> str:
    """Return whom the shares of all workers are made of."""
    if one.workforce is None:
        return _n(
            "%(n)s person on our list. Nobody has counted the workers, so shares of all workers "
            "are not known.",
            "%(n)s people on our list. Nobody has counted the workers, so shares of all workers "
            "are not known.",
            one.listed.people,
        )
    workers = (
        people_text(one.workforce.low)
        if one.workforce.low == one.workforce.high
        else _(
            "%(low)s to %(high)s",
            low=people_text(one.workforce.low),
            high=people_text(one.workforce.high),
        )
    )
    words = _(
        "%(workers)s workers, %(people)s of them on our list.",
        workers=workers,
        people=people_text(one.counted.people),
    )
    if one.counted_places < one.places:
        words += " " + _(
            "Counted at %(counted)s of %(places)s places. The others are not in these shares.",
            counted=people_text(one.counted_places),
            places=people_text(one.places),
        )
    return words


def gate_lines(found: Readiness) -> list[GateLine]:
    """Return the gates, the shut ones first."""
    shut = shut_gates(found.whole.gates)
    rest = [gate for gate in found.whole.gates if gate not in shut]
    return [_gate(gate, found) for gate in (*shut, *rest)]


def _gate(gate: Gate, found: Readiness) -> GateLine:
    state, kind = {
        True: (_("open"), "done"),
        False: (_("shut"), "error"),
        None: (_("not known"), "unknown"),
    }[gate.is_open]
    return GateLine(str(label(gate.name)), state, kind, _why(gate, found))


def _why(gate: Gate, found: Readiness) -> str:
    limits = found.in_force.terms.limits
    if gate.name is GateName.LIST:
        verified = _(
            "%(has)s of %(of)s members have a home address that works. At least %(needs)s needed.",
            has=people_text(gate.has),
            of=people_text(gate.of),
            needs=percent_of(limits.verified_share),
        )
        return f"{verified} {_checked(found.said.get(Finding.LIST_CHECKED), limits.list_age_days)}"
    if gate.name is GateName.LAW and gate.has is not None:
        words = _(
            "The lowest chance in the projections that were kept: %(chance)s. Needs %(needs)s. "
            "A projection is no promise.",
            chance=percent_by(gate.has, limits.chance),
            needs=percent_of(limits.chance),
        )
        if found.whole.balloted < found.whole.to_ballot:
            words += " " + _(
                "Only %(some)s of %(all)s workplaces with members are in a ballot to come, so of "
                "the others it is not known.",
                some=people_text(found.whole.balloted),
                all=people_text(found.whole.to_ballot),
            )
        return words
    if gate.name is GateName.LAW and found.whole.not_projected:
        return _(
            "No projection was kept of: %(ballots)s. Each ballot to come needs one with a chance "
            "of %(needs)s to pass every test of the law.",
            ballots="; ".join(found.whole.not_projected),
            needs=percent_of(limits.chance),
        )
    if gate.name is GateName.LAW:
        return _(
            "Needs a planned ballot with a chance of %(needs)s to pass every test of the law.",
            needs=percent_of(limits.chance),
        )
    if gate.name is GateName.TESTS:
        return _tests_why(gate, found)
    if gate.name is GateName.OWNERS:
        return _owners_why(gate, found)
    kind = Finding.TIMELINE if gate.name is GateName.TIMELINE else Finding.DECISION
    said = found.said.get(kind)
    return _("Nobody has written this down.") if said is None else said_text(said)


def _owners_why(gate: Gate, found: Readiness) -> str:
    whole = sum(area.is_workplace for area in found.areas)
    if whole == len(found.areas) == 1:
        return (
            _("A rep looks after the whole workplace. It has no areas written down.")
            if gate.is_open
            else _("No rep looks after the whole workplace. It has no areas written down.")
        )
    words = {"has": people_text(gate.has), "of": people_text(gate.of)}
    if whole == len(found.areas):
        return _("%(has)s of %(of)s workplaces have a rep who looks after all of it.", **words)
    if whole:
        return _(
            "%(has)s of %(of)s areas, and workplaces without areas, have a rep who looks after "
            "all of it.",
            **words,
        )
    return _("%(has)s of %(of)s areas have a rep who looks after all of it.", **words)


def _tests_why(gate: Gate, found: Readiness) -> str:
    limits = found.in_force.terms.limits
    needs = _(
        "Needs two tests, the second with more risk: %(share)s of everybody took part, and "
        "%(area)s in every area. People whose area is not known are in none.",
        share=percent_of(limits.test_share),
        area=percent_of(limits.area_share),
    )
    last = found.whole.last_test
    if last is None:
        return _("No test was held yet.") + " " + needs
    said = _(
        "Last test: %(name)s, %(day)s. %(did)s of %(all)s on its list took part, "
        "%(unknown)s not known.",
        name=last.name,
        day=day_text(last.held_on),
        did=people_text(last.tally.did),
        all=people_text(last.tally.listed),
        unknown=people_text(last.tally.unknown),
    )
    if gate.of == 2:
        said += " " + _("It is the only one so far.")
    return f"{said} {needs}"


def _checked(said: Said | None, days: int) -> str:
    if said is None:
        return _("Nobody has written down when the list was gone through.")
    if not said.answer:
        return _("Was the list gone through? %(said)s", said=said_text(said))
    return _(
        "The list was gone through on %(day)s. It may be %(days)s days old.",
        day=day_text(said.on_day),
        days=people_text(days),
    )


def said_text(said: Said) -> str:
    """Return a finding as a sentence: yes or no, who says so, and whose it is."""
    words = _(
        "%(answer)s, on %(day)s: %(words)s",
        answer=_("Yes") if said.answer else _("No"),
        day=day_text(said.on_day),
        words=said.words,
    )
    if not said.own and said.place:
        words += " " + _("(%(place)s)", place=said.place)
    return words


def parts_chart(found: Readiness) -> dict[str, Any]:
    """Return the chart of the parts, with everything that each was made from in its table."""
    one = found.whole
    return {
        "title": _("Holds the index down most: %(part)s", part=_weakest(one.index)),
        "reading": _("The further right, the stronger. An open ring is the most it can be."),
        "base": base(one),
        "as_at": day_text(found.as_at),
        "open": True,
        "rows": [
            {
                "label": str(label(score.part)),
                "low": score.measure.low,
                "high": score.measure.high,
                "unknown": _unknown(score) or _nobody_asked(score, one),
                "text": _("nobody was asked") if _nobody_asked(score, one) else _share(score),
            }
            for score in one.index.scores
        ],
        "table": {
            "caption": _("The parts, %(day)s", day=day_text(found.as_at)),
            "columns": [
                {"label": _("Part")},
                {"label": _("People"), "numeric": True},
                {"label": _("Out of"), "numeric": True},
                {"label": _("Share"), "numeric": True},
                {"label": _("Nothing to enough"), "numeric": True},
                {"label": _("Points of 100"), "numeric": True},
                {"label": _("Weight"), "numeric": True},
                {"label": _("What it counts"), "wide": True},
            ],
            "rows": [
                _part_cells(score, found.in_force.terms, nobody_asked=_nobody_asked(score, one))
                for score in one.index.scores
            ],
        },
    }


def _unknown(score: Score) -> bool:
    return score.measure.low == 0 and score.measure.high == 1 and not score.measure.is_known


def _share(score: Score) -> str:
    measure = score.measure
    if _unknown(score):
        return _("not known")
    if (
        measure.denominator is not None
        and measure.denominator < 10
        and score.part is not Part.CAPACITY
    ):
        return _(
            "%(people)s of %(all)s",
            people=people_text(measure.numerator),
            all=people_text(measure.denominator),
        )
    low, high = percent_of(measure.low), percent_of(measure.high)
    return low if low == high else _("%(low)s to %(high)s", low=low, high=high)


def _nobody_asked(score: Score, one: Standing) -> bool:
    """Whether nobody is known to be with us because nobody was asked."""
    return score.part is Part.SUPPORT and not one.counted.firm


def _part_cells(score: Score, terms: Terms, *, nobody_asked: bool) -> list[Any]:
    measure, target = score.measure, score.target
    whole = sum(one.weight for one in terms.targets.values())
    return [
        str(label(score.part)),
        None if measure.numerator is None else people_text(measure.numerator),
        None if measure.denominator is None else people_text(measure.denominator),
        {"text": _("nobody was asked"), "unknown": True}
        if nobody_asked
        else None
        if _unknown(score)
        else _share(score),
        _("%(low)s to %(high)s", low=percent_of(target.floor), high=percent_of(target.target)),
        _span(score.low * 100, score.high * 100),
        percent_of(target.weight / whole),
        _what(score.part),
    ]


def _what(part: Part) -> str:
    return {
        Part.SUPPORT: _("1 or 2 by what they did or said themselves, lately, of all workers."),
        Part.PARTICIPATION: _(
            "Of everybody on the list of the last test. It fades by half in 60 days."
        ),
        Part.DENSITY: _("Members we know of, of all workers, with those who could be."),
        Part.LEADERS: _("Leaders confirmed by an action and firmly with us, of all we know of."),
        Part.COVERAGE: _("People whose rep looks after 10 people at most, of all workers."),
        Part.CONTACT: _("Members with an address that works and a job we know, of all members."),
        Part.ASSESSED: _("Where they stand is first hand and recent, of all workers."),
        Part.CAPACITY: _("Strike fund, picket rota and hardship plan: those that stand."),
    }[part]


def sites_table(found: Readiness, url: Callable[[UUID], str]) -> dict[str, Any]:
    """Return the table of the workplaces of a unit, by name: never an order of merit."""
    return {
        "caption": _("Workplaces, %(day)s", day=day_text(found.as_at)),
        "columns": [
            {"label": _("Workplace")},
            {"label": _("Gates open"), "numeric": True},
            {"label": _("Index"), "numeric": True},
            {"label": _("Holds it down most"), "wide": True},
            {"label": _("Firmly with us"), "numeric": True},
            {"label": _("Workers"), "numeric": True},
        ],
        "rows": [
            [
                {"text": site.name, "url": url(site.public_id)},
                _(
                    "%(open)s of %(all)s",
                    open=people_text(sum(gate.is_open is True for gate in site.gates)),
                    all=people_text(len(site.gates)),
                ),
                index_text(site.index),
                _weakest(site.index),
                people_text(site.counted.with_us)
                if site.counted.firm or not site.counted.people
                else {"text": _("nobody was asked"), "unknown": True},
                None if site.workforce is None else _span(site.workforce.low, site.workforce.high),
            ]
            for site in found.sites
        ],
    }


TASKS: dict[Wanted, Callable[[], str]] = {
    Wanted.ASK: lambda: _("Ask where they stand"),
    Wanted.JOIN: lambda: _("Ask them to join the union"),
    Wanted.ADDRESS: lambda: _("Check their home address and job for the ballot"),
}


def task_text(want: Wanted) -> str:
    """Return what the rep should do, as it will stand in the reminder."""
    return TASKS[want]()


def people_title(want: Wanted) -> str:
    """Return the heading of the page with the people of a gap."""
    return {
        Wanted.ASK: _("Not asked first hand, lately"),
        Wanted.JOIN: _("With us, and not known to be members"),
        Wanted.ADDRESS: _("Members with details to check"),
    }[want]


def next_steps(found: Readiness, address: Address) -> list[Step]:
    """Return what to do next: for the shut gates first, then for the weakest part."""
    steps: list[Step] = []
    for gate in shut_gates(found.whole.gates):
        step = _gate_step(gate, found, address)
        if step is not None:
            steps.append(step)
    weakest = _part_step(found.whole.index.weakest.part, found, address)
    if weakest is not None and all(weakest.title != step.title for step in steps):
        steps.append(weakest)
    return steps


def _links(*pairs: tuple[str | None, str]) -> tuple[tuple[str, str], ...]:
    return tuple((url, words) for url, words in pairs if url is not None)


def _gate_step(gate: Gate, found: Readiness, address: Address) -> Step | None:
    if gate.name is GateName.LIST:
        missing = int((gate.of or 0) - (gate.has or 0))
        return Step(
            _("Put the list right"),
            _n(
                "%(n)s member has no address that is known to work.",
                "%(n)s members have no address that is known to work.",
                missing,
            ),
            _links(
                (address("people", want=Wanted.ADDRESS), _("See who, and tell their reps")),
                (
                    address("found", kind=Finding.LIST_CHECKED),
                    _("We went through the list: write it down"),
                ),
            ),
        )
    if gate.name is GateName.TESTS:
        return Step(
            _("Hold a test that asks for more"),
            _("Choose something that everybody can see, and that risks more than the last one."),
            _links((address("tests"), _("Campaigns and tests"))),
        )
    if gate.name is GateName.OWNERS:
        return _owners_step(found, address)
    if gate.name is GateName.LAW:
        return Step(
            _("Plan the ballot"),
            _(
                "Project it, and keep the projection: %(ballots)s.",
                ballots="; ".join(found.whole.not_projected),
            )
            if found.whole.not_projected
            else _("Workplaces with members are in no ballot to come. Plan one for them, too.")
            if 0 < found.whole.balloted < found.whole.to_ballot
            else _("Without a plan nobody knows whether the ballot would pass."),
            _links((address("ballots"), _("The ballot desk"))),
        )
    kind = Finding.TIMELINE if gate.name is GateName.TIMELINE else Finding.DECISION
    return Step(
        str(label(gate.name)),
        _("Take it to a meeting with a quorum, and write down what was decided.")
        if kind is Finding.DECISION
        else _("Count back from the first day of action: notices, ballot, post."),
        _links((address("found", kind=kind), _("Write down the answer"))),
    )


def _owners_step(found: Readiness, address: Address) -> Step:
    without = [area for area in found.areas if not area.owned]
    links = [
        (
            address("turf", place=area.workplace_id, area=area.public_id),
            _area_name(area),
        )
        for area in sorted(without, key=lambda one: -one.people)[:MOST_NAMED]
    ]
    if len(found.areas) == 1 and found.areas[0].is_workplace:
        return Step(
            _("Find a rep for the workplace"),
            _("No rep looks after all of it."),
            _links(*links),
        )
    return Step(
        _("Find a rep for each area"),
        _n(
            "%(n)s area has no rep who looks after all of it. The largest are first.",
            "%(n)s areas have no rep who looks after all of it. The largest are first.",
            len(without),
        ),
        _links(*links),
    )


def _part_step(part: Part, found: Readiness, address: Address) -> Step | None:
    one = found.whole
    if part in {Part.SUPPORT, Part.ASSESSED}:
        return Step(
            _("Ask people where they stand"),
            _n(
                "%(n)s person on our list was not asked first hand lately.",
                "%(n)s people on our list were not asked first hand lately.",
                one.listed.people - one.listed.firm,
            ),
            _links((address("people", want=Wanted.ASK), _("See who, and tell their reps"))),
        )
    if part is Part.DENSITY:
        return Step(
            _("Ask those who are with us to join"),
            _("Start with people who are firmly with us and not known to be members."),
            _links((address("people", want=Wanted.JOIN), _("See who, and tell their reps"))),
        )
    if part is Part.LEADERS:
        return Step(
            _("Find the leaders, and ask them to act"),
            _(
                "%(committed)s of %(leaders)s leaders we know of are sure and with us.",
                committed=people_text(one.listed.committed),
                leaders=people_text(one.listed.leaders),
            ),
            _links((address("leaders"), _("Who has no leader yet: share them out"))),
        )
    if part is Part.COVERAGE:
        return _owners_step(found, address)
    if part is Part.CONTACT:
        return Step(
            _("Put the list right"),
            _("A member without a right address gets no ballot paper."),
            _links((address("people", want=Wanted.ADDRESS), _("See who, and tell their reps"))),
        )
    if part is Part.CAPACITY:
        open_ = [kind for kind in CAPACITY if kind not in found.said or not found.said[kind].answer]
        return Step(
            _("Get ready to last"),
            _(
                "Not there, or not written down: %(what)s.",
                what=_listed([str(label(k)) for k in open_]),
            ),
            _links(*((address("found", kind=kind), str(label(kind))) for kind in open_)),
        )
    return Step(
        _("Hold a test that asks for more"),
        _("Choose something that everybody can see, and that risks more than the last one."),
        _links((address("tests"), _("Campaigns and tests"))),
    )


def caveats() -> list[str]:
    """Return what the number does not say. They stand on every page that shows it."""
    return [
        _("The weights are a judgement. Nobody has measured them."),
        _("Do not compare workplaces by it."),
        _("It says nothing of leverage, timing or the law, or whether a strike will win."),
        _("It is for the workers. Never show it to management."),
        _("It never ranks people, and says nothing of how one person will vote."),
    ]


def terms_line(found: Readiness) -> str:
    """Return whose weights, targets and limits these are."""
    used = found.in_force
    if used.decided_by is None or used.from_day is None:
        return _("The usual weights and limits of this program. No group has set its own.")
    words = _(
        "Weights and limits from %(day)s, decided by: %(who)s.",
        day=day_text(used.from_day),
        who=used.decided_by,
    )
    if not used.own and used.place:
        words += " " + _("They are those of %(place)s.", place=used.place)
    return words


def history_rows(kept: Sequence[Kept], zone: str | None = None) -> list[dict[str, Any]]:
    """Return what was written down, for a timeline."""
    return [
        {
            "day": day_text(one.day),
            "by": one.by or "",
            "title": str(label(one.kind)) if one.kind is not None else _("Weights and limits"),
            "lines": [
                *([] if one.answer is None else [_("Yes") if one.answer else _("No")]),
                one.words,
                *([] if one.terms is None else _terms_lines(one.terms, _earlier(kept, at))),
                _("Written down %(moment)s", moment=moment_text(one.recorded_at, zone)),
            ],
        }
        for at, one in enumerate(kept)
    ]


# The limits of the gates, by their names in GateLimits; all but the first are shares.
_LIMITS = {
    "list_age_days": _l("Days since the list was gone through, at most"),
    "verified_share": _l("Members whose address is known to be right, at least"),
    "chance": _l("Chance that the ballot passes, at least"),
    "test_share": _l("Took part in the last test, at least"),
    "area_share": _l("And in every area, at least"),
}


def _terms_lines(terms: Terms, earlier: Terms | None) -> list[str]:
    """What a decision changed, one line each; what it left alone is not said again.

    earlier: the terms of the decision before it; None = the first, held beside the usual ones.
    """
    before = earlier or Terms(DEFAULT_TARGETS, DEFAULT_LIMITS)
    changed = []
    for name, words in _LIMITS.items():
        was, now = (getattr(one.limits, name) for one in (before, terms))
        if was != now:
            said = people_text if name == "list_age_days" else percent_of
            changed.append((str(words), said(now), said(was)))
    for part, one in terms.targets.items():
        if one != before.targets[part]:
            changed.append(
                (str(label(part)), _target_words(one), _target_words(before.targets[part]))
            )
    if not changed:
        return [_("As before.") if earlier else _("All as is usual.")]
    sentence = (
        _l("%(what)s: %(now)s (before: %(was)s)")
        if earlier
        else _l("%(what)s: %(now)s (usual: %(was)s)")
    )
    return [str(sentence) % {"what": what, "now": now, "was": was} for what, now, was in changed]


def _earlier(kept: Sequence[Kept], at: int) -> Terms | None:
    return next((one.terms for one in kept[at + 1 :] if one.terms is not None), None)


def _target_words(target: Target) -> str:
    return _(
        "%(low)s to %(high)s, weight %(weight)s",
        low=percent_of(target.floor),
        high=percent_of(target.target),
        weight=percent_of(target.weight),
    )
