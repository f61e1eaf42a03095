"""Density for places as at a day: the counts behind every figure, under a scope.

What is asked and answered stands in ``density_question``, the places with their headcounts in
``density_places``, who is counted in ``density_people``. Other modules need this one alone.

Several days are answered from one read of the facts. The days asked for are numbered, and what
holds over a run of them is a bit mask: bit 0 is the first day. So a page with a trend, a second
date and a table costs as many statements as the table alone.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.scope import Scope
from crm.domain.bases import (
    PARTS,
    Repeats,
    Roster,
    part_figure,
    total_density,
    total_of_named,
)
from crm.domain.density import Density, Known, StatedMembers, TotalDensity, density
from crm.domain.headcount import (
    Counts,
    Workforce,
    rounding_interval,
    workforce_from,
)
from crm.domain.sic import sections
from crm.models.places import (
    Branch,
    Employer,
    PlaceEdge,
    Region,
    Union,
)
from crm.reads.density_people import (
    BELONGS,
    MEMBER,
    NOT_KNOWN,
    NOT_MEMBER,
    OUTSIDE,
    PERHAPS,
    SURELY,
    Facts,
    People,
    entitled,
    people_from_facts,
    people_on_days,
    read_facts,
)
from crm.reads.density_places import (
    Site,
    headcount_on,
    other_bases,
    read_headcounts,
    read_sites,
    read_statements,
    read_statements_by_union,
    statement_on,
)
from crm.reads.density_question import (
    GroupBy,
    HeadcountUsed,
    NamedPeople,
    Part,
    Question,
    Row,
    StatedUsed,
    Survey,
    Table,
)

_NOBODY = Counter[str]()

__all__ = [
    "GroupBy",
    "HeadcountUsed",
    "NamedPeople",
    "Part",
    "Question",
    "Row",
    "StatedUsed",
    "Survey",
    "Table",
    "density_table",
    "survey",
    "trend",
    "workplace_figure",
]


def density_table(session: Session, scope: Scope, question: Question) -> Table:
    """Return the densities the question asks for, over the places of the scope.

    Every row is sum over sum of its parts; a person at two places counts once in each and once
    in the total. Places without a headcount on the asked basis are left out of the fractions,
    and counted as left out.
    """
    return survey(session, scope, question).table


def trend(
    session: Session, scope: Scope, question: Question, days: Sequence[date]
) -> list[tuple[date, TotalDensity]]:
    """Return the total as at each of the days; each equals the total of that day's table."""
    return list(survey(session, scope, question, days=days).trend)


def survey(
    session: Session,
    scope: Scope,
    question: Question,
    *,
    days: Sequence[date] = (),
    compare: date | None = None,
) -> Survey:
    """Return the table as at the day, the same as at `compare`, and the total on each of `days`.

    The number of statements does not grow with the days.
    """
    if (question.people is not None) != (question.counts is Roster.LIST):
        raise ValueError("The people of a list are asked for on the basis of a list.")
    wanted = sorted({question.as_at, *days, *([] if compare is None else [compare])})
    sites = read_sites(session, scope, question, wanted)
    read = _Read(
        days=tuple(wanted),
        estimates=read_headcounts(session, scope, question, sites, until=wanted[-1]),
        of_sites=read_headcounts(
            session, scope, replace(question, counts=Counts.SITE_ALL), sites, until=wanted[-1]
        )
        if question.counts in PARTS
        else None,
        roster=question.counts if isinstance(question.counts, Roster) else None,
    )
    if question.group_by is GroupBy.UNION:
        table, compared, totals = _by_union(session, scope, question, sites, read, compare)
        return Survey(table, compared, tuple((day, totals[day]) for day in days))
    statements = (
        {}
        if read.roster is not None
        else read_statements(session, scope, question, sites, until=wanted[-1])
    )
    people = people_on_days(session, scope, question, wanted)
    measured = {
        day: read.measure(question, sites, statements, people[day], day)
        for day in ([question.as_at] if compare is None else [question.as_at, compare])
    }

    def _table_of(day: date) -> Table:
        parts = measured[day]
        asked = replace(question, as_at=day)
        groups = _groups(session, scope, asked, parts)
        rows = [
            Row(key, label, detail, place, *_summed(members, people[day], read.roster))
            for (key, label, detail, place), members in groups
        ]
        figure, _, named = _summed(parts, people[day], read.roster)
        return Table(
            question=asked,
            rows=tuple(sorted(rows, key=_order)),
            total=figure,
            parts=tuple(parts),
            named=named,
            other_bases=other_bases(session, scope, asked, sites),
        )

    table = _table_of(question.as_at)
    return Survey(
        table=table,
        compared=None if compare is None else _table_of(compare),
        trend=tuple(
            (
                day,
                table.total
                if day == question.as_at
                else read.total(question, sites, statements, people[day], day),
            )
            for day in days
        ),
    )


def workplace_figure(
    session: Session, scope: Scope, workplace_id: int, question: Question
) -> Part | None:
    """Return the figure of one workplace, or None when the scope does not see it."""
    asked = replace(question, group_by=GroupBy.WORKPLACE, within=(workplace_id,))
    parts = survey(session, scope, asked).table.parts
    return next((part for part in parts if part.place_id == workplace_id), None)


@dataclass(slots=True)
class _Read:
    """What was read once for all the days; densities worked out on one day serve the next.

    of_sites: the headcounts of everybody at each place, when a part of them is asked for.
    roster: the sort of list that everybody counted stands on; None = a headcount counts them.
    """

    days: tuple[date, ...]
    estimates: dict[int, list[HeadcountUsed]]
    of_sites: dict[int, list[HeadcountUsed]] | None = None
    roster: Roster | None = None
    _densities: dict[Any, Density] = field(default_factory=dict)

    def measure(
        self,
        question: Question,
        sites: Sequence[Site],
        statements: Mapping[int, list[StatedUsed]],
        people: People,
        day: date,
    ) -> list[Part]:
        """Return the figure of each place that was open that day."""
        parts = []
        for site in sites:
            if not self._counts(site, people, day):
                continue
            used = headcount_on(self.estimates, site.place_id, day, question.counts)
            stated = statement_on(statements.get(site.place_id, ()), day)
            parts.append(
                Part(
                    place_id=site.place_id,
                    public_id=site.public_id,
                    name=site.name,
                    workplace_name=site.workplace_name,
                    employer_id=site.employer_id,
                    region_id=site.region_id,
                    sector=site.sector,
                    industry=site.industry,
                    density=self._density(
                        people.by_place.get(site.place_id, _NOBODY),
                        used,
                        self._of_site(site.place_id, day),
                        stated,
                    ),
                    headcount=used,
                    stated=stated,
                )
            )
        return parts

    def total(
        self,
        question: Question,
        sites: Sequence[Site],
        statements: Mapping[int, list[StatedUsed]],
        people: People,
        day: date,
    ) -> TotalDensity:
        """Return the total that day, without the parts it is made of."""
        return _total(
            {
                site.place_id: self._density(
                    people.by_place.get(site.place_id, _NOBODY),
                    headcount_on(self.estimates, site.place_id, day, question.counts),
                    self._of_site(site.place_id, day),
                    statement_on(statements.get(site.place_id, ()), day),
                )
                for site in sites
                if self._counts(site, people, day)
            },
            people,
            self.roster,
        )

    def _counts(self, site: Site, people: People, day: date) -> bool:
        """Whether the place is measured that day. Where nobody stands on a list of names, there is
        nothing to measure."""
        if self.roster is not None and not people.by_place.get(site.place_id):
            return False
        return site.is_open(day)

    def _of_site(self, place_id: int, day: date) -> HeadcountUsed | None:
        if self.of_sites is None:
            return None
        return headcount_on(self.of_sites, place_id, day, Counts.SITE_ALL)

    def _density(
        self,
        counts: Counter[str],
        used: HeadcountUsed | None,
        of_site: HeadcountUsed | None,
        stated: StatedUsed | None,
    ) -> Density:
        # Most places do not change from one month to the next, and many have few people.
        key: Any = (counts[MEMBER], counts[NOT_MEMBER], counts[NOT_KNOWN], id(used), id(stated))
        if self.of_sites is not None:
            perhaps, outside = (
                Known(
                    counts[BELONGS[belongs] + MEMBER],
                    counts[BELONGS[belongs] + NOT_MEMBER],
                    counts[BELONGS[belongs] + NOT_KNOWN],
                )
                for belongs in (PERHAPS, OUTSIDE)
            )
            key = (*key, perhaps, outside, id(of_site))
        found = self._densities.get(key)
        if found is None:
            if self.roster is not None:
                named = counts[MEMBER] + counts[NOT_MEMBER] + counts[NOT_KNOWN]
                found = density(
                    members=counts[MEMBER],
                    not_members=counts[NOT_MEMBER],
                    not_known_named=counts[NOT_KNOWN],
                    workforce=Workforce.exactly(named) if named else None,
                )
            elif self.of_sites is None:
                found = density(
                    members=counts[MEMBER],
                    not_members=counts[NOT_MEMBER],
                    not_known_named=counts[NOT_KNOWN],
                    workforce=_workforce(used),
                    stated=_stated(stated),
                )
            else:
                found = part_figure(
                    Known(counts[MEMBER], counts[NOT_MEMBER], counts[NOT_KNOWN]),
                    perhaps,
                    outside,
                    _workforce(used),
                    _workforce(of_site),
                    _stated(stated),
                )
            self._densities[key] = found
        return found


def _workforce(used: HeadcountUsed | None) -> Workforce | None:
    found = workforce_from(used)
    if found is None or used is None or not used.rounded_to:
        return found
    # Both ends were rounded by the source, so each may be half a step further out.
    return Workforce(
        low=rounding_interval(found.low, used.rounded_to)[0],
        best=found.best,
        high=rounding_interval(found.high, used.rounded_to)[1],
    )


def _stated(used: StatedUsed | None) -> StatedMembers | None:
    if used is None:
        return None
    if used.rounded_to:
        return StatedMembers.rounded(used.members, used.rounded_to)
    return StatedMembers.exactly(used.members)


def _total(densities: Mapping[int, Density], people: People, roster: Roster | None) -> TotalDensity:
    """Return the total over the places; people at several counted places are taken once."""
    counted = {place for place, figure in densities.items() if figure.workforce_used is not None}
    named = _named_at(counted, densities, people)
    surely = Known(named.members, named.not_members, named.not_known)
    if roster is not None:
        return total_of_named(densities.values(), surely)

    def _too_often(repeats: Iterable[tuple[int, ...]]) -> int:
        return sum(max(0, len(counted.intersection(at)) - 1) for at in repeats)

    return total_density(
        densities.values(),
        surely=surely,
        perhaps=named.perhaps or Known(),
        repeats=Repeats(_too_often(people.repeats), _too_often(people.repeats_not)),
    )


def _named_at(places: set[int], densities: Mapping[int, Density], people: People) -> NamedPeople:
    """Return the people on the list at the places, each counted once."""
    sums: Counter[str] = Counter()
    parts = False
    for place in places:
        figure = densities[place]
        sums[MEMBER] += int(figure.members)
        sums[NOT_MEMBER] += int(figure.not_members)
        sums[NOT_KNOWN] += int(figure.not_known_named)
        if figure.part is not None:
            parts, perhaps = True, figure.part.perhaps
            sums[BELONGS[PERHAPS] + MEMBER] += perhaps.members
            sums[BELONGS[PERHAPS] + NOT_MEMBER] += perhaps.not_members
            sums[BELONGS[PERHAPS] + NOT_KNOWN] += perhaps.not_known
    for state, at in people.shared:
        here = len(places.intersection(at))
        if here > 1:
            sums[state] -= here - 1
    surely, of_whom_not_known = (
        Known(*(sums[BELONGS[belongs] + state] for state in (MEMBER, NOT_MEMBER, NOT_KNOWN)))
        for belongs in (SURELY, PERHAPS)
    )
    return NamedPeople(
        surely.members,
        surely.not_members,
        surely.not_known,
        perhaps=of_whom_not_known if parts else None,
    )


def _summed(
    parts: Sequence[Part], people: People, roster: Roster | None
) -> tuple[TotalDensity, tuple[Part, ...], NamedPeople]:
    densities = {part.place_id: part.density for part in parts}
    if len(parts) == 1:
        # Nobody is at two places of one: the walk over everybody with two jobs can be spared.
        people = People({}, ())
    named = _named_at(set(densities), densities, people)
    return _total(densities, people, roster), tuple(parts), named


def _order(row: Row) -> tuple[bool, float, str]:
    found = row.figure.fraction_range
    return (found is None, -(found.low if found else 0.0), row.label.casefold())


# How the parts are cut up


_Key = tuple[str, str, str, uuid.UUID | None]


def _groups(
    session: Session, scope: Scope, question: Question, parts: Sequence[Part]
) -> list[tuple[_Key, list[Part]]]:
    if question.group_by in {GroupBy.WORKPLACE, GroupBy.AREA}:
        area = question.group_by is GroupBy.AREA
        return [
            (
                (
                    str(part.public_id),
                    part.name,
                    part.workplace_name if area else "",
                    part.public_id,
                ),
                [part],
            )
            for part in parts
        ]
    keys = _keys(session, scope, question, parts)
    groups: dict[_Key, list[Part]] = defaultdict(list)
    for part in parts:
        for key in keys.get(part.place_id) or [("none", "", "", None)]:
            groups[key].append(part)
    return list(groups.items())


def _keys(
    session: Session, scope: Scope, question: Question, parts: Sequence[Part]
) -> dict[int, list[_Key]]:
    """Return the group or groups each workplace falls into as at the day."""
    if question.group_by is GroupBy.SECTOR:
        return {
            part.place_id: [(part.sector, part.sector, "", None)] for part in parts if part.sector
        }
    if question.group_by is GroupBy.INDUSTRY:
        return {
            part.place_id: [(part.industry, part.industry, sections()[part.industry], None)]
            for part in parts
            if part.industry
        }
    if question.group_by is GroupBy.BRANCH:
        links = session.execute(
            scope.select(PlaceEdge.child_id, Branch.public_id, Branch.name)
            .join(Branch, Branch.id == PlaceEdge.parent_id)
            .where(covers(PlaceEdge, question.as_at), known(PlaceEdge, question.known_at))
            .order_by(Branch.name)
        )
        found: dict[int, list[_Key]] = defaultdict(list)
        for child, public_id, name in links:
            found[child].append((str(public_id), name, "", public_id))
        return found
    kind, of = (
        (Employer, {part.place_id: part.employer_id for part in parts})
        if question.group_by is GroupBy.EMPLOYER
        else (Region, {part.place_id: part.region_id for part in parts})
    )
    named = {
        place_id: (str(public_id), name, "", public_id)
        for place_id, public_id, name in session.execute(
            scope.select(kind.id, kind.public_id, kind.name)
        )
    }
    return {
        place: [named[group]] for place, group in of.items() if group is not None and group in named
    }


def _by_union(
    session: Session,
    scope: Scope,
    question: Question,
    sites: Sequence[Site],
    read: _Read,
    compare: date | None,
) -> tuple[Table, Table | None, dict[date, TotalDensity]]:
    """A row for each union: its own members ÷ all workers. Rows may sum to more than any-union.

    Out of those entitled in a ballot, each union is held against its own ballots: two statements
    more for each union.
    """
    unions = session.execute(
        scope.select(Union.id, Union.public_id, Union.name).order_by(Union.name)
    ).all()
    facts = read_facts(session, scope, question, read.days)
    statements = (
        {}
        if read.roster is not None
        else read_statements_by_union(session, scope, question, sites, until=read.days[-1])
    )
    involved = {union for _, union, _, _ in facts.sayings} | set(statements)

    def _facts_of(union: int | None) -> Facts:
        if union is None or question.counts is not Roster.BALLOT:
            return facts
        own = replace(question, union_id=union)
        return replace(facts, jobs=entitled(session, scope, own, read.days))

    people = {
        union: people_from_facts(_facts_of(union), union, read.days) for union in {None, *involved}
    }

    def _table_of(day: date) -> Table:
        asked = replace(question, as_at=day)
        rows = []
        for union_id, public_id, name in unions:
            if union_id not in involved:
                continue
            stated = statements.get(union_id, {})
            parts = read.measure(asked, sites, stated, people[union_id][day], day)
            figure, _, named = _summed(parts, people[union_id][day], read.roster)
            if figure.all_members or any(part.stated for part in parts):
                rows.append(Row(str(public_id), name, "", public_id, figure, tuple(parts), named))
        parts = read.measure(asked, sites, statements.get(None, {}), people[None][day], day)
        figure, _, named = _summed(parts, people[None][day], read.roster)
        return Table(
            question=asked,
            rows=tuple(sorted(rows, key=_order)),
            total=figure,
            parts=tuple(parts),
            named=named,
            other_bases=other_bases(session, scope, asked, sites),
        )

    totals = {
        day: read.total(question, sites, statements.get(None, {}), people[None][day], day)
        for day in read.days
    }
    return (
        _table_of(question.as_at),
        None if compare is None else _table_of(compare),
        totals,
    )
