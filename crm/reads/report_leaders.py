"""The part "leaders": one leader for ten workers, and whom no leader reaches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa

from crm.access.facts import covers, known
from crm.access.many import one_of
from crm.domain.cover import Foot, Stage, cover, foot
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
from crm.domain.vocabulary import PlaceKind
from crm.models.contacts import Job
from crm.models.ties import Leading, Tie
from crm.reads.columns import Columns
from crm.reads.places import headcounts_on
from crm.reads.report_material import Material

MEASURES = ("on_list", "leaders", "confirmed", "needed", "missing", "reached")


def build(material: Material) -> ReportPart:
    """Return the leaders of the unit, with a line for each place. Six statements at most.

    Of several workplaces the whole is their sum, because each of them needs leaders of its own:
    somebody with jobs at two counts at both. A workplace or an area is worked out as one.
    """
    groups = {place: (people, one) for place, people, one in _feet(material)}
    everybody = frozenset(one for people, _foot in groups.values() for one in people)
    own = groups.pop(material.asked.place_id, None) if material.asked.by_area else None
    feet = {place: one for place, (_people, one) in groups.items()}
    whole = _sum(feet.values()) if own is None else own[1]
    missing = whole.missing if own else sum(one.missing for one in feet.values())
    secret = material.hidden_lines(
        {place: len(people) for place, (people, _foot) in groups.items()},
        all_people=len(everybody),
        listed={place: people for place, (people, _foot) in groups.items()},
    )
    lines = material.lines(
        _figures(whole, missing, secret=secret.whole),
        {
            place: _figures(one, one.missing, secret=place in secret.places)
            for place, one in feet.items()
        },
    )
    table = ReportTable("leaders", MEASURES, lines, drawn=("needed", "leaders"))
    return ReportPart(PartName.LEADERS, (table,), nothing=whole.people == 0)


def _feet(material: Material) -> Iterable[tuple[int | None, frozenset[int], Foot]]:
    """Yield each place, who works there, and what their leaders come to."""
    asked, scope = material.asked, material.scope
    jobs = _jobs(material, Job.place_id.in_(material.inside()))
    sites = sorted({site for _contact, site, _area in jobs})
    everybody = defaultdict[int, set[int]](set)
    # For a part of a workplace: ties may lead to a leader in another part of it.
    is_part = asked.kind is PlaceKind.AREA
    for contact, site, _area in (
        _jobs(material, one_of(Job.workplace_id, sites)) if is_part else jobs
    ):
        everybody[site].add(contact)
    ties = defaultdict[int, list[tuple[int, int]]](list)
    for tie in material.session.execute(
        scope.select(Tie.workplace_id, Tie.contact_id, Tie.leader_id)
        .where(one_of(Tie.workplace_id, sites), known(Tie), covers(Tie, asked.as_at))
        .order_by(Tie.valid_from, Tie.id)
    ):
        ties[tie.workplace_id].append((tie.contact_id, tie.leader_id))
    stages = defaultdict[int, dict[int, Stage]](dict)
    for one in material.session.execute(
        scope.select(Leading.workplace_id, Leading.contact_id, Leading.stage).where(
            one_of(Leading.workplace_id, sites), known(Leading), covers(Leading, asked.as_at)
        )
    ):
        held = stages[one.workplace_id]
        if held.get(one.contact_id) is not Stage.CONFIRMED:
            held[one.contact_id] = one.stage
    reached = {site: cover(everybody[site], ties[site], stages[site]) for site in sites}
    groups = defaultdict[tuple[int, int | None], set[int]](set)
    for contact, site, area in jobs:
        groups[site, (area or None) if asked.by_area else site].add(contact)
        if asked.by_area:
            groups[site, asked.place_id].add(contact)
    estimates = headcounts_on(
        material.session,
        scope,
        {place for _site, place in groups if place is not None},
        asked.as_at,
    )
    for (site, place), people in groups.items():
        estimate = None if place is None else estimates.get(place)
        workers = (
            None if estimate is None else estimate.low if estimate.best is None else estimate.best
        )
        feet = foot(people, stages[site], reached[site], workers=workers)
        yield place, frozenset(people), feet


def _jobs(material: Material, where: sa.ColumnElement[bool]) -> list[tuple[int, int, int]]:
    """Return the person, the workplace and the area (0 = not known) of the jobs of the day."""
    area = sa.func.coalesce(Job.area_id, 0)
    columns = Columns(material.scope, Job.contact_id, Job.workplace_id, area)
    read = columns.read(
        material.session,
        columns.statement.where(where, known(Job), covers(Job, material.asked.as_at)),
    )
    people, sites, areas = (column.tolist() for column in read)
    return list(zip(people, sites, areas, strict=True))


def _sum(feet: Iterable[Foot]) -> Foot:
    some = list(feet)
    return Foot(
        people=sum(one.people for one in some),
        found=sum(one.found for one in some),
        confirmed=sum(one.confirmed for one in some),
        needed=sum(one.needed for one in some),
        uncovered=sum(one.uncovered for one in some),
    )


def _figures(one: Foot, missing: int, *, secret: bool) -> dict[str, Figure]:
    """Return the figures of a line. secret: who leads, and who listens, is told of nobody here."""
    alone = {"on_list": count(one.people), "needed": count(one.needed)}
    if secret:
        of_people = dict.fromkeys(("leaders", "confirmed", "missing"), FigureKind.COUNT)
        kinds = of_people | {"reached": FigureKind.SHARE}
        told = alone | {name: hidden(kind) for name, kind in kinds.items()}
    else:
        told = alone | {
            "leaders": count(one.found),
            "confirmed": count(one.confirmed),
            "missing": count(missing),
            # Of those whom no tie leads to a leader it is not known that they listen to nobody.
            "reached": share(one.people - one.uncovered, one.people, not_known=one.uncovered),
        }
    return {name: told[name] for name in MEASURES}
