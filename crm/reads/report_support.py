"""The part "support": where people stand, and of how many we do not know."""

from __future__ import annotations

from collections.abc import Iterable

from crm.domain.report import (
    Figure,
    FigureKind,
    PartName,
    ReportPart,
    ReportTable,
    count,
    hidden,
    share,
)
from crm.reads.report_material import Material, Person

STANDS = ("stand_1", "stand_2", "stand_3", "stand_4", "stand_5")
WITH_US = ("stand_1", "stand_2")
# Everybody on the list is in just one of those after the first and before the last.
MEASURES = ("on_list", *STANDS, "too_old", "not_asked", "with_us")


def build(material: Material) -> ReportPart:
    """Return how many people stand where. Groups of few people are hidden, see hidden_groups."""
    roll = material.roll(material.asked.as_at)
    secret = material.stand_lines()
    whole = _figures(roll.people.values(), secret=secret.all_together)
    by_place = {
        place: _figures((roll.people[one] for one in some), secret=place in secret.places)
        for place, some in roll.at.items()
    }
    lines = material.lines(whole, by_place)
    return ReportPart(
        PartName.SUPPORT,
        (ReportTable("support", MEASURES, lines, drawn=(*STANDS, "too_old", "not_asked")),),
        nothing=not roll.people,
    )


def _figures(people: Iterable[Person], *, secret: bool) -> dict[str, Figure]:
    tally = dict.fromkeys((*STANDS, "too_old", "not_asked"), 0)
    for person in people:
        if person.rating is None:
            tally["not_asked"] += 1
        elif person.expired:
            tally["too_old"] += 1
        else:
            tally[f"stand_{person.rating}"] += 1
    on_list = sum(tally.values())
    if secret:
        kinds = dict.fromkeys(MEASURES, FigureKind.COUNT) | {"with_us": FigureKind.SHARE}
        return {name: hidden(kind) for name, kind in kinds.items()} | {"on_list": count(on_list)}
    return {
        "on_list": count(on_list),
        **{name: count(number) for name, number in tally.items()},
        "with_us": share(
            sum(tally[name] for name in WITH_US),
            on_list,
            not_known=tally["too_old"] + tally["not_asked"],
        ),
    }
