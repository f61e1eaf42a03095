"""What the parts of a report are worked out from: read once, under one scope, for all parts."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.many import one_of
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.assessment import ExpiryRule, Freshness, freshness_of
from crm.domain.density import TotalDensity
from crm.domain.report import (
    SMALLEST_GROUP,
    Figure,
    Line,
    LineKind,
    hidden_groups,
    told_by_taking_away,
    too_small,
)
from crm.domain.vocabulary import PlaceKind
from crm.models.contacts import StateSpan
from crm.models.places import Area, Place, PlaceClosure
from crm.reads.columns import Columns, starts
from crm.reads.figures import GroupBy, Question, Survey, Table, survey

MONTHS = 12
# Stands for what is not known, in columns of numbers.
_NONE: Final = -1


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked for: see build_report. place_id: the inner id of the unit."""

    place_id: int
    public_id: uuid.UUID
    name: str
    kind: PlaceKind
    since: date
    as_at: date
    day: date
    day_end: datetime
    expiry: ExpiryRule
    permission: Permission

    @property
    def by_area(self) -> bool:
        """True when the lines are areas: the unit is a workplace or an area itself."""
        return self.kind in {PlaceKind.WORKPLACE, PlaceKind.AREA}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a job in the unit on a day, by inner ids.

    member: None = not known. rating: 1 to 5, None = not asked. expired: asked too long ago to
    count that day.
    """

    contact_id: int
    member: bool | None
    rating: int | None
    expired: bool


@dataclass(frozen=True, slots=True)
class Roll:
    """Everybody with a job in the unit on a day, each once; and who of them is at which place.

    at: for each place with a line, and None for people whose area is not known.
    """

    people: Mapping[int, Person]
    at: Mapping[int | None, frozenset[int]]


@dataclass(frozen=True, slots=True)
class HiddenLines:
    """The lines of a table that are about too few people: the whole, and places by inner id.

    sums: figures of all the people of the unit may not be told. Others of the report are sums over
    the places alone whose workers were counted, and what lies between the two is too few people;
    or too few are left when the lines that are told are taken away. counted: nor may those of the
    counted places together, for the second reason.
    """

    whole: bool
    places: frozenset[int | None]
    sums: bool = False
    counted: bool = False

    @property
    def all_together(self) -> bool:
        """Whether the figures of all the people of the unit are hidden, for one reason or other."""
        return self.whole or self.sums


@dataclass(slots=True)
class Material:
    """Reads for one report. Each thing is read when a part first asks for it, and then kept."""

    session: Session
    scope: Scope
    asked: Asked
    _rolls: dict[date, Roll] = field(default_factory=dict)
    _kept: dict[str, Any] = field(default_factory=dict)

    def inside(self) -> sa.Select[Any]:
        """Return a SELECT of the inner ids of the unit and all places in it, as they lie now."""
        return sa.select(PlaceClosure.descendant_id).where(
            PlaceClosure.ancestor_id == self.asked.place_id
        )

    def roll(self, day: date) -> Roll:
        """Return who has a job in the unit on a day, as known now. One statement a day."""
        if day not in self._rolls:
            self._rolls[day] = self._read_roll(day)
        return self._rolls[day]

    def _read_roll(self, day: date) -> Roll:
        place = StateSpan.area_id if self.asked.by_area else StateSpan.workplace_id
        columns = Columns(
            self.scope,
            StateSpan.contact_id,
            sa.func.coalesce(place, _NONE),
            sa.case((StateSpan.member.is_(True), 1), (StateSpan.member.is_(False), 0), else_=_NONE),
            sa.func.coalesce(StateSpan.score, _NONE),
            sa.func.coalesce(starts(StateSpan.scored_on), str(_NONE), type_=sa.String()),
        )
        read = columns.read(
            self.session,
            columns.statement.where(
                StateSpan.from_day <= day,
                StateSpan.to_day > day,
                StateSpan.place_id.in_(self.inside()),
            ),
        )
        people: dict[int, Person] = {}
        at: dict[int | None, set[int]] = defaultdict(set)
        expired = {number: self._is_expired(number, day) for number in set(read[-1].tolist())}
        known = {1: True, 0: False}
        for contact_id, place_id, member, score, scored_on in zip(
            *(column.tolist() for column in read), strict=True
        ):
            if contact_id not in people:
                people[contact_id] = Person(
                    contact_id,
                    known.get(member),
                    None if score == _NONE else score,
                    expired[scored_on],
                )
            at[None if place_id == _NONE else place_id].add(contact_id)
        return Roll(people, {place: frozenset(some) for place, some in at.items()})

    def _is_expired(self, scored_on: int, day: date) -> bool:
        """Whether a standing counts no more on the day. scored_on: a day as starts() has it."""
        if scored_on == _NONE:
            return False
        age = (day - date(scored_on // 10000, scored_on // 100 % 100, scored_on % 100)).days
        return freshness_of(age, self.asked.expiry) is Freshness.EXPIRED

    def density(self) -> Survey:
        """Return the densities of the unit on both days and at the ends of the months before."""
        if "density" not in self._kept:
            asked = self.asked
            days = [asked.as_at]
            for _ in range(MONTHS):
                days.append(days[-1].replace(day=1) - timedelta(days=1))
            self._kept["density"] = survey(
                self.session,
                self.scope,
                self._question(GroupBy.AREA if asked.kind is PlaceKind.AREA else GroupBy.WORKPLACE),
                days=days[::-1],
                compare=asked.since,
            )
        found: Survey = self._kept["density"]
        return found

    def density_by_area(self) -> Survey:
        """Return the densities of the areas of a workplace on both days."""
        if "areas" not in self._kept:
            self._kept["areas"] = survey(
                self.session,
                self.scope,
                self._question(GroupBy.AREA),
                compare=self.asked.since,
            )
        found: Survey = self._kept["areas"]
        return found

    def _question(self, group_by: GroupBy) -> Question:
        return Question(
            as_at=self.asked.as_at,
            group_by=group_by,
            within=(self.asked.place_id,),
            permission=self.asked.permission,
        )

    @property
    def site_of_area(self) -> dict[int, int]:
        """The workplace of each area of the unit, by inner ids. One statement."""
        if "sites" not in self._kept:
            rows = self.session.execute(
                self.scope.select(Area.id, Area.workplace_id).where(Area.id.in_(self.inside()))
            )
            self._kept["sites"] = {int(row[0]): int(row[1]) for row in rows}
        found: dict[int, int] = self._kept["sites"]
        return found

    def line_place(self, place_id: int) -> int | None:
        """Return the place whose line a row at a place belongs to; None = area not known."""
        site = self.site_of_area.get(place_id)
        if self.asked.by_area:
            return None if site is None else place_id
        return place_id if site is None else site

    def names(self, place_ids: Iterable[int]) -> dict[int, tuple[uuid.UUID, str]]:
        """Return the public ids and names of places, by inner id. One statement."""
        wanted = set(place_ids)
        if not wanted:
            return {}
        rows = self.session.execute(
            self.scope.select(Place.id, Place.public_id, Place.name).where(one_of(Place.id, wanted))
        )
        return {int(row[0]): (row[1], str(row[2])) for row in rows}

    @property
    def cut(self) -> Survey:
        """The densities of the places that have lines: areas of a workplace, else workplaces."""
        is_site = self.asked.kind is PlaceKind.WORKPLACE
        return self.density_by_area() if is_site else self.density()

    def member_lines(self) -> HiddenLines:
        """Return of which lines nothing may be told of who is in a union, on either day.

        One answer for every table: what one of them hides could else be had from another, or by
        taking the lines of one from the whole of the other. Members are among all who work there
        as far as known, on our list or not; where nobody had counted them on the first day, the
        count of the last day stands. The smaller group of the two days decides.
        """
        if "members" not in self._kept:
            found, cut = self.density(), self.cut
            then, now = self.roll(self.asked.since), self.roll(self.asked.as_at)
            known_now = _known_at(cut.table)
            known_then = known_now | (_known_at(cut.compared) if cut.compared else {})
            nobody: frozenset[int] = frozenset()
            sizes = {
                place: _smaller(
                    (len(then.at.get(place, nobody)), known_then.get(place, 0)),
                    (len(now.at.get(place, nobody)), known_now.get(place, 0)),
                )
                for place in places_of(then.at, now.at, known_now)
            }
            all_now = _most(found.table.total)
            all_then = _most(found.compared.total) if found.compared else 0
            all_people = _smaller(
                (len(then.people), all_then or all_now), (len(now.people), all_now)
            )
            then_counted = self._counted(cut.compared or cut.table)
            days = ((then, then_counted), (now, self._counted(cut.table)))
            sums = any(self._between(sizes, roll.at, counted) is not None for roll, counted in days)
            # On each of the days there must be enough people to hide behind.
            each = [
                self.hidden_lines(
                    sizes,
                    all_people=all_people,
                    listed=roll.at,
                    counted=counted,
                    sums=sums,
                )
                for roll, counted in days
            ]
            self._kept["members"] = HiddenLines(
                each[0].whole,
                each[0].places | each[1].places,
                any(one.sums for one in each),
                any(one.counted for one in each),
            )
        kept: HiddenLines = self._kept["members"]
        return kept

    def stand_lines(self) -> HiddenLines:
        """Return of which lines nothing may be told of where people stand; as member_lines, one
        answer for every table."""
        if "stands" not in self._kept:
            roll = self.roll(self.asked.as_at)
            sizes = {place: len(some) for place, some in roll.at.items()}
            counted = self._counted(self.cut.table)
            self._kept["stands"] = self.hidden_lines(
                sizes,
                all_people=len(roll.people),
                listed=roll.at,
                counted=counted,
                sums=self._between(sizes, roll.at, counted) is not None,
            )
        kept: HiddenLines = self._kept["stands"]
        return kept

    def _counted(self, table: Table) -> frozenset[int | None] | None:
        """Return the places whose workers were counted; None where all figures are of the same.

        The density of a workplace is not made of those of its areas.
        """
        if self.asked.by_area:
            return None
        counted = {row.parts[0].place_id for row in table.rows if row.figure.workforce}
        return frozenset(counted) or None

    def _between(
        self,
        sizes: Mapping[int | None, int],
        listed: Mapping[int | None, Collection[int]],
        counted: frozenset[int | None] | None,
    ) -> frozenset[int] | None:
        """Return the few people whom the whole of all tells of beside the whole of the counted
        places; None where there are none, or enough of them to hide behind."""
        if counted is None:
            return None
        others = [place for place in sizes if place not in counted]
        some = [listed.get(place, ()) for place in others]
        hides = hidden_groups([sizes[place] for place in others], some)
        left = told_by_taking_away(some, hides)
        return left if 0 < len(left) < SMALLEST_GROUP else None

    def hidden_lines(
        self,
        people: Mapping[int | None, int],
        *,
        all_people: int,
        listed: Mapping[int | None, Collection[int]] | None = None,
        counted: frozenset[int | None] | None = None,
        sums: bool = False,
    ) -> HiddenLines:
        """Return of which lines nothing may be told that is about the people in them.

        people: how many each line is about; all_people: the whole, each once. listed: whom of
        them the figures count, by inner id. counted: places of which a whole of their own is told
        beside that of all; sums: that of all is hidden, so nothing can be taken from it. The one
        rule of every part of a report: see hidden_groups in crm/domain/report.py.
        """
        # In one order at all times: two copies of a report must not hide different lines.
        places = sorted(people, key=lambda place: (place is None, place or 0))
        hides = {
            place
            for place, is_hidden in zip(
                places, too_small([people[place] for place in places]), strict=True
            )
            if is_hidden
        }
        wholes: list[list[int | None]] = [] if sums else [places]
        if counted is not None:
            wholes.append([place for place in places if place in counted])
            if not sums:
                wholes.append([place for place in places if place not in counted])
        for some in wholes:
            hides |= {
                place
                for place, is_hidden in zip(
                    some,
                    hidden_groups(
                        [people[place] for place in some],
                        None if listed is None else [listed.get(place, ()) for place in some],
                    ),
                    strict=True,
                )
                if is_hidden
            }

        def _few_left(some: Sequence[int | None], size: int = 0) -> bool:
            """Whether too few are left of these when the lines that are told are taken away: of
            those who are counted, and of all among whom they could be. size: of all of these."""
            if listed is None:
                return False
            of_each = [listed.get(place, ()) for place in some]
            left = told_by_taking_away(of_each, [place in hides for place in some])
            told = sum(people[place] for place in some if place not in hides)
            among = max(sum(people[place] for place in some if place in hides), size - told)
            return len(left) > 0 and among < SMALLEST_GROUP

        return HiddenLines(
            whole=0 < all_people < SMALLEST_GROUP,
            places=frozenset(hides),
            sums=sums or _few_left(places, all_people),
            counted=counted is not None
            and _few_left([place for place in places if place in counted]),
        )

    def lines(
        self, whole: Mapping[str, Figure], by_place: Mapping[int | None, Mapping[str, Figure]]
    ) -> tuple[Line, ...]:
        """Return the line of the whole, then one for each place by name, the not known last.

        Where there is no place inside the unit to tell apart, the whole stands alone.
        """
        first = Line(LineKind.WHOLE, "", "", self.asked.as_at, whole)
        if set(by_place) <= {self.asked.place_id, None}:
            return (first,)
        named = self.names(place for place in by_place if place is not None)
        lines = [
            Line(LineKind.PLACE, str(named[place][0]), named[place][1], self.asked.as_at, figures)
            for place, figures in by_place.items()
            if place is not None and place in named
        ]
        last = [
            Line(LineKind.PLACE, "", "", self.asked.as_at, figures)
            for place, figures in by_place.items()
            if place is None
        ]
        ordered = sorted(lines, key=lambda line: (line.name.casefold(), line.key))
        return (first, *ordered, *last)


def _known_at(table: Table) -> dict[int | None, int]:
    """Return how many people work at each place at least; no place of which nobody knows it."""
    found: dict[int | None, int] = {}
    for row in table.rows:
        most = _most(row.figure)
        if most:
            found[row.parts[0].place_id] = most
    return found


def _most(figure: TotalDensity) -> int:
    """Return how many people there are at least: counted, or in a union by its own count."""
    counted = figure.workforce.low if figure.workforce else 0
    return max(int(counted), int(figure.member_range.low))


def group_of(figure: TotalDensity) -> float:
    """Return how many people the members of a sum are among, as far as known."""
    named = figure.members + figure.not_members + figure.not_known_named
    counted = figure.workforce.low if figure.workforce else 0
    return max(named, counted, figure.member_range.low)


def _smaller(*days: tuple[int, int]) -> int:
    """Return the size of the smaller group of people, 0 for nobody. days: named, and counted."""
    return min((max(named, counted) for named, counted in days if named or counted), default=0)


def places_of(*groups: Sequence[int | None] | Mapping[int | None, Any]) -> list[int | None]:
    """Return every place that stands in one of the groups, each once, in the order of finding."""
    return list(dict.fromkeys(place for group in groups for place in group))
