"""The part "readiness": the gates, the index as a range, and what each part of it was made from."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence

from crm.domain.density import FEWEST_FOR_PERCENT
from crm.domain.numbers import HIDDEN, NOT_APPLICABLE
from crm.domain.readiness import (
    Gate,
    GateName,
    Index,
    Part,
    Score,
    whole_index,
)
from crm.domain.report import (
    SMALLEST_GROUP,
    Figure,
    FigureKind,
    Line,
    LineKind,
    PartName,
    ReportPart,
    ReportTable,
    between,
    count,
    hidden,
)
from crm.domain.vocabulary import PlaceKind
from crm.reads.decisions import Unit
from crm.reads.readiness import Readiness, Standing, get_readiness
from crm.reads.report_material import Material, group_of

GATES = ("gate_open", "gate_has", "gate_of", "gate_needs")
PARTS = ("part_share", "part_points", "part_terms", "part_weight")
UNITS = ("gates_open", "index", "index_equal", "with_us_firmly", "workers")
# They tell where people stand.
_STANDS = frozenset({Part.SUPPORT, Part.LEADERS})


def build(material: Material) -> ReportPart:
    """Return the readiness of the unit, as its page has it. An area has none.

    Figures that tell where fewer than five people stand are hidden, and the index with them: the
    other parts stand beside it, so what one part holds could be had back from it.
    """
    asked = material.asked
    if asked.kind is PlaceKind.AREA:
        return ReportPart(PartName.READINESS, (), nothing=True)
    unit = Unit(asked.place_id, asked.public_id, asked.kind, asked.name)
    found = get_readiness(
        material.session,
        material.scope,
        unit,
        as_at=asked.as_at,
        day=asked.day,
        expiry=asked.expiry,
        # The whole unit is held with either right, so these are the very same figures.
        table=material.density().table,
    )
    secret = found.whole.listed.people < SMALLEST_GROUP
    return ReportPart(
        PartName.READINESS,
        (
            ReportTable("gates", GATES, _gates(material, found)),
            ReportTable(
                "readiness_parts", PARTS, _parts(material, found, secret), drawn=("part_share",)
            ),
            ReportTable("readiness", UNITS, _units(material, found, secret), drawn=("index",)),
        ),
        nothing=not found.whole.listed.people,
    )


def _gates(material: Material, found: Readiness) -> tuple[Line, ...]:
    return tuple(
        Line(
            LineKind.GATE,
            gate.name.value,
            "",
            material.asked.as_at,
            _gate_figures(material, gate, found),
        )
        for gate in found.whole.gates
    )


def _gate_figures(material: Material, gate: Gate, found: Readiness) -> dict[str, Figure]:
    """Return whether the gate is open, and what it was judged on: people, areas, or in 100."""
    end: float | str | None = None if gate.is_open is None else float(gate.is_open)
    if gate.name is GateName.TESTS and _is_test_of_few(found.whole):
        end = HIDDEN
    return {
        "gate_open": Figure(FigureKind.RANGE, end, end, end),
        **{
            name: Figure(FigureKind.RANGE, value, value, value)
            for name, value in zip(GATES[1:], _judged(material, gate, found), strict=True)
        },
    }


def _judged(material: Material, gate: Gate, found: Readiness) -> Sequence[float | str | None]:
    none = NOT_APPLICABLE
    if gate.name is GateName.LIST:
        if material.member_lines().all_together:
            # It is out of all members.
            return HIDDEN, HIDDEN, HIDDEN
        # The fewest members that reach the share asked for.
        return gate.has, gate.of, math.ceil(round((gate.needs or 0) * (gate.of or 0), 9))
    if gate.name is GateName.OWNERS:
        return gate.has, gate.of, gate.of
    if gate.name is GateName.LAW:
        return _hundred(gate.has), 100.0, _hundred(gate.needs)
    if gate.name is GateName.TESTS:
        last = found.whole.last_test
        if last is not None and last.tally.listed >= SMALLEST_GROUP:
            # The fewest who reach the share: rounded first, so that 65 in 100 of 20 is 13.
            needed = math.ceil(round((gate.needs or 0) * last.tally.listed, 9))
            return last.tally.did, last.tally.listed, needed
        return None, 100.0, _hundred(gate.needs)
    return none, none, none


def _hundred(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 9)


def _parts(material: Material, found: Readiness, secret: bool) -> tuple[Line, ...]:
    """Return the parts, first the one that holds the index down most; the hidden last, so that
    their place among the others tells nothing."""
    terms = found.in_force.terms
    whole = sum(one.weight for one in terms.targets.values())
    scores = sorted(
        found.whole.index.scores,
        key=lambda one: (_is_secret(one, found.whole), one.target.weight * math.log(one.low)),
    )
    # Of all members, how many can be sent a paper: from it all members could be worked out.
    members = material.member_lines()
    also = {Part.CONTACT} if members.all_together else set()
    if members.counted:
        also.add(Part.DENSITY)
    return tuple(
        Line(
            LineKind.PART,
            score.part.value,
            "",
            material.asked.as_at,
            _part_figures(
                score,
                whole,
                secret=secret or score.part in also or _is_secret(score, found.whole),
                # Nobody is known to be with us where nobody was asked: that is no 0.
                asked=score.part is not Part.SUPPORT or found.whole.counted.firm > 0,
            ),
        )
        for score in sorted(scores, key=lambda one: one.part in also)
    )


def _is_secret(score: Score, one: Standing) -> bool:
    """Whether a part tells what fewer than five people did or are, or where they stand."""
    if score.part is Part.PARTICIPATION:
        return _is_test_of_few(one)
    if score.part is Part.DENSITY:
        return 0 < group_of(one.density) < SMALLEST_GROUP
    of = one.listed.leaders if score.part is Part.LEADERS else one.counted.people
    return score.part in _STANDS and 0 < of < SMALLEST_GROUP


def _is_test_of_few(one: Standing) -> bool:
    return one.last_test is not None and one.last_test.tally.listed < SMALLEST_GROUP


def _part_figures(score: Score, whole: float, *, secret: bool, asked: bool) -> dict[str, Figure]:
    measure, target = score.measure, score.target
    judged = {
        "part_terms": between(_hundred(target.floor), None, _hundred(target.target)),
        "part_weight": count(_hundred(target.weight / whole) or 0),
    }
    if secret:
        return {
            "part_share": hidden(FigureKind.SHARE),
            "part_points": hidden(FigureKind.RANGE),
            **judged,
        }
    known = asked and (measure.low > 0 or measure.high < 1)
    return {
        "part_share": Figure(
            FigureKind.SHARE,
            measure.numerator,
            measure.low if known else None,
            measure.high if known else None,
            measure.denominator,
            measure.denominator,
            not_known=None,
            small=measure.denominator is not None
            and measure.denominator < FEWEST_FOR_PERCENT
            and score.part is not Part.CAPACITY,
        ),
        "part_points": between(_hundred(score.low), None, _hundred(score.high)),
        **judged,
    }


def _units(material: Material, found: Readiness, secret: bool) -> tuple[Line, ...]:
    sites = found.sites if len(found.sites) > 1 else ()
    # One answer with the part "support": where people stand is told in both.
    secrets = _hidden_sites(material)
    return (
        Line(
            LineKind.WHOLE,
            "",
            "",
            material.asked.as_at,
            _unit_figures(
                found.whole,
                secret=secret,
                no_index=any(_is_secret(score, found.whole) for score in found.whole.index.scores),
            ),
        ),
        *(
            Line(
                LineKind.PLACE,
                str(site.public_id),
                site.name,
                material.asked.as_at,
                _unit_figures(site, secret=site.public_id in secrets),
            )
            for site in sites
        ),
    )


def _hidden_sites(material: Material) -> set[uuid.UUID]:
    secret = material.stand_lines().places
    return {
        row.public_id
        for row in material.cut.table.rows
        if row.public_id is not None and row.parts[0].place_id in secret
    }


def _unit_figures(one: Standing, *, secret: bool, no_index: bool = False) -> dict[str, Figure]:
    """Return the figures of a unit. no_index: a part of it that is shown beside it is hidden."""
    gates = len(one.gates)
    is_open = sum(gate.is_open is True for gate in one.gates)
    unknown = sum(gate.is_open is None for gate in one.gates)
    used = one.workforce
    workers = between(*((used.low, used.best, used.high) if used else (None, None, None)))
    opened = (
        hidden(FigureKind.SHARE)
        if _is_test_of_few(one)
        else Figure(
            FigureKind.SHARE,
            is_open,
            is_open / gates,
            (is_open + unknown) / gates,
            gates,
            gates,
            unknown,
            small=True,
        )
    )
    index: Index = one.index
    ends = (
        (index.low, index.high),
        (index.equal_low, index.equal_high),
    )
    shown, equal = (
        hidden(FigureKind.RANGE)
        if secret or no_index
        else between(whole_index(low), None, whole_index(high))
        for low, high in ends
    )
    few = secret or 0 < one.counted.people < SMALLEST_GROUP
    return {
        "gates_open": opened,
        "index": shown,
        "index_equal": equal,
        "with_us_firmly": hidden(FigureKind.COUNT) if few else count(one.counted.with_us),
        "workers": workers,
    }
