"""What the rows of a list do to workplaces: new ones, areas, headcounts, counts of members.

As people.py: ``plan`` finds out and writes nothing, ``store`` does exactly that. A list fills what
is not known of a workplace and never changes its name; counts are facts of the day the list is
true for, and stand beside those of other days. Employers are not made here: they must exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from crm.access import facts, tree
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.storing import forget_places
from crm.domain.columns import Target
from crm.domain.headcount import MOST_PEOPLE, Counts, HeadcountSource
from crm.domain.identity import fold
from crm.domain.listed import NOT_MATCHED, Fault, ListedPlace
from crm.domain.place_likeness import KnownPlace, PlaceReason
from crm.domain.vocabulary import PlaceTieKind, RowOutcome
from crm.features.imports.areas import NEW_AREA, make_areas
from crm.features.imports.people import Candidate, in_parts
from crm.features.imports.rules import NEW_PLACE
from crm.models.places import (
    Area,
    Employer,
    Headcount,
    MemberCount,
    PlaceTie,
    Union,
    Workplace,
)
from crm.reads.place_likeness import like_each

# Answers to the questions about the whole list; see Rules.answers.
BUYER: Final = "buyer"
OWN_EMPLOYER: Final = "own_employer"
ITS_OWN: Final = "its_own"

NO_EMPLOYER = "Choose the employer of this workplace, because it is new here."
# Of those who look after no employer: nothing could be chosen.
ASK_FOR_IT = (
    "This workplace is new here, and you cannot add it. Leave this row for later, and ask an "
    "administrator to add the workplace."
)
NOT_YOURS = "Only somebody who may change this employer’s places can add a workplace to it."
TWO_OF_THE_NAME = "Two workplaces have this name. Put the count in on the page of the right one."
NO_BUYER = "Say whom this workplace supplies."
TWO_EMPLOYERS = "Two employers have this name. Choose one of them for the whole list."
TOO_MANY = "This is more people than any workplace has. Check the number."
SAME_ROW = "This row is about the same place as row %(row)s. Leave one of the two out."
# What stands against a workplace only as long as it counts as new, or as none of two.
# How much of the longer name must be in both where no address speaks for them: a row waits for the
# answer. Of 3,016 names of employers one in 27 is so like one of 3,015 others; one in 7 is less so.
_WORTH_ASKING: Final = 0.67
_NEAR_BY: Final = frozenset(
    {PlaceReason.SAME_ADDRESS, PlaceReason.SAME_POSTCODE, PlaceReason.CLOSE_BY}
)
_OF_NEW_ONES: Final = frozenset(
    {NO_EMPLOYER, ASK_FOR_IT, NOT_YOURS, TWO_EMPLOYERS, TWO_OF_THE_NAME}
)
# Before the name of an employer that is to be made unless it is here; see areas.new_name_of.
NEW_EMPLOYER: Final = NEW_AREA


@dataclass(frozen=True, slots=True)
class PlaceChoices:
    """What was chosen for the whole list, with inner ids.

    by_name: workplaces that the scope may change, by folded name. employers: inner ids by public
    id, only those under which the scope may add a workplace. areas: by workplace and folded name.
    union: whose members are counted, None for all unions together. buyers: employers that the
    scope sees, by public id; buyer: whom all of the list supply, if of_suppliers. own_employer: a
    new workplace comes with an employer of its own name, one of by_employer (folded names) where
    it is there; new_employers: the same may be said of words of a column. may_choose: there is an
    employer that the scope may add workplaces to. settled: which workplace a folded name was said
    to mean that is not one's alone.
    """

    by_name: Mapping[str, tuple[int, ...]]
    employers: Mapping[str, int]
    areas: Mapping[tuple[int, str], int]
    employer: str | None
    union: int | None
    as_at: date
    counts: Counts
    source: HeadcountSource
    time_zone: str
    note: str
    buyer: str | None = None
    buyers: Mapping[str, int] = field(default_factory=dict)
    of_suppliers: bool = False
    own_employer: bool = False
    new_employers: bool = False
    may_choose: bool = True
    by_employer: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    settled: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class PlacePlan:
    """What a row would do. place_id None = the workplace is new."""

    row_no: int
    outcome: RowOutcome
    faults: list[Fault] = field(default_factory=list)
    place_id: int | None = None
    changes: list[str] = field(default_factory=list)
    listed: ListedPlace | None = None
    employer_id: int | None = None
    new_employer: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    area_id: int | None = None
    new_area: str | None = None
    headcount: dict[str, Any] | None = None
    headcount_before: Headcount | None = None
    members: dict[str, Any] | None = None
    members_before: MemberCount | None = None
    buyer_id: int | None = None
    # Workplaces that it could be, under the names that plans of people use.
    candidates: tuple[Candidate, ...] = ()

    @property
    def contact_id(self) -> int | None:
        """Return the inner id of the workplace, under the name that plans of people use."""
        return self.place_id


def load_place_choices(
    session: Session,
    scope: Scope,
    rows: Sequence[ListedPlace],
    *,
    employers: Sequence[str],
    union: str | None,
    buyers: Set[str],
    own_employer: bool,
    settled: Mapping[str, int],
    **chosen: Any,
) -> PlaceChoices:
    """Return what the rows name, as far as the scope may change it."""
    write = Permission.PLACE_WRITE
    by_name: dict[str, tuple[int, ...]] = {}
    for some in in_parts(sorted({row.name_key for row in rows if row.name_key})):
        for inner, key in session.execute(
            scope.select(Workplace.id, Workplace.name_key, permission=write).where(
                Workplace.name_key.in_(some), Workplace.closed_on.is_(None)
            )
        ):
            by_name[key] = (*by_name.get(key, ()), inner)
    found: dict[str, int] = {}
    known = sorted({one for one in employers if not one.startswith(NEW_EMPLOYER)})
    for some_ids in in_parts([UUID(one) for one in known]):
        for public_id, inner in session.execute(
            scope.select(Employer.public_id, Employer.id, permission=write).where(
                Employer.public_id.in_(some_ids)
            )
        ):
            found[str(public_id)] = inner
    areas: dict[tuple[int, str], int] = {}
    sites = sorted({*settled.values(), *(inner for each in by_name.values() for inner in each)})
    for some_sites in in_parts(sites):
        for inner, name, site in session.execute(
            scope.select(Area.id, Area.name, Area.workplace_id, permission=write).where(
                Area.workplace_id.in_(some_sites), Area.closed_on.is_(None)
            )
        ):
            areas.setdefault((site, fold(name)), inner)
    body = None
    if union is not None:
        body = session.scalars(
            scope.select(Union.id).where(Union.public_id == UUID(union))
        ).one_or_none()
    # Employers are made by those who may make them anywhere, as on their own page.
    may_make = scope.nodes(Permission.EMPLOYER_WRITE) is None
    own = own_employer and may_make
    new = {row.name_key for row in rows if own and row.name_key} - set(by_name)
    said = {one for one in employers if may_make and one.startswith(NEW_EMPLOYER)}
    new |= {fold(one.removeprefix(NEW_EMPLOYER)) for one in said}
    return PlaceChoices(
        by_name=by_name,
        employers=found,
        areas=areas,
        union=body,
        buyers=_buyers(session, scope, buyers),
        own_employer=own,
        new_employers=may_make,
        may_choose=may_make or _looks_after_employers(session, scope),
        by_employer=_employers_of(session, scope, sorted(new - {""})),
        settled=settled,
        **chosen,
    )


def _buyers(session: Session, scope: Scope, public_ids: Set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in in_parts([UUID(one) for one in sorted(public_ids) if one]):
        for public_id, inner in session.execute(
            scope.select(Employer.public_id, Employer.id).where(Employer.public_id.in_(some))
        ):
            found[str(public_id)] = inner
    return found


def _employers_of(
    session: Session, scope: Scope, names: Sequence[str]
) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for some in in_parts(names):
        for inner, key in session.execute(
            scope.select(Employer.id, Employer.name_key, permission=Permission.PLACE_WRITE).where(
                Employer.name_key.in_(some), Employer.closed_on.is_(None)
            )
        ):
            found[key] = (*found.get(key, ()), inner)
    return found


def _looks_after_employers(session: Session, scope: Scope) -> bool:
    """Return True when there is an employer that the scope may add a workplace to."""
    one = scope.select(Employer.id, permission=Permission.PLACE_WRITE).where(
        Employer.closed_on.is_(None)
    )
    return session.scalars(one.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Settled:
    """Names that were said to mean a workplace.

    by_name: its inner id by the folded name that the list has. meant: the same, and the
    workplaces' own folded names: two names of one workplace are in it with one id.
    """

    by_name: Mapping[str, int]
    meant: Mapping[str, int]


def load_settled(session: Session, scope: Scope, names: Mapping[str, str]) -> Settled:
    """Return what was said of names, as far as the scope may change those workplaces.

    names: as Rules.names. A name that one workplace has by now means that one.
    """
    write = Permission.PLACE_WRITE
    said = {key: UUID(one) for key, one in names.items() if one != NEW_PLACE}
    own: dict[UUID, tuple[int, str]] = {}
    for some_ids in in_parts(sorted(set(said.values()))):
        for public_id, inner, key in session.execute(
            scope.select(
                Workplace.public_id, Workplace.id, Workplace.name_key, permission=write
            ).where(Workplace.public_id.in_(some_ids), Workplace.closed_on.is_(None))
        ):
            own[public_id] = (inner, key)
    having: dict[str, int] = {}
    for some in in_parts(sorted(said)):
        for key in session.scalars(
            scope.select(Workplace.name_key, permission=write).where(
                Workplace.name_key.in_(some), Workplace.closed_on.is_(None)
            )
        ):
            having[key] = having.get(key, 0) + 1
    by_name = {key: own[one][0] for key, one in said.items() if one in own and having.get(key) != 1}
    return Settled(by_name, {**{key: inner for inner, key in own.values()}, **by_name})


def named_otherwise(
    session: Session,
    scope: Scope,
    names: Mapping[str, str],
    keys: Set[str],
    *where: ColumnElement[bool],
    permission: Permission,
) -> dict[str, tuple[int, str]]:
    """Return which workplace each of these folded names was said to mean, and its own folded name.

    names: as Rules.names. where: what else must be true of the workplaces.
    """
    said = {key: UUID(names[key]) for key in keys if names.get(key, NEW_PLACE) != NEW_PLACE}
    found: dict[UUID, tuple[int, str]] = {}
    for some in in_parts(sorted(set(said.values()))):
        for public_id, inner, own in session.execute(
            scope.select(
                Workplace.public_id, Workplace.id, Workplace.name_key, permission=permission
            ).where(Workplace.public_id.in_(some), *where)
        ):
            found[public_id] = (inner, own)
    return {key: found[one] for key, one in said.items() if one in found}


def find_place_repeats(rows: Sequence[ListedPlace], meant: Mapping[str, int]) -> dict[int, Fault]:
    """Return a fault for each row about a place that an earlier row is about.

    meant: as Settled.meant.
    """
    seen: dict[tuple[str | int, str, str], int] = {}
    found: dict[int, Fault] = {}
    for row in rows:
        if not row.name_key:
            continue
        name = meant.get(row.name_key, row.name_key)
        key = (name, fold(row.area or ""), row.valued.get(Target.EMPLOYER, ""))
        if key in seen:
            found[row.row_no] = Fault(None, SAME_ROW, seen[key])
        else:
            seen[key] = row.row_no
    return found


def plan_places(
    session: Session,
    scope: Scope,
    rows: Sequence[ListedPlace],
    choices: PlaceChoices,
    *,
    repeats: Mapping[int, Fault],
    came: Mapping[str, int] | None = None,
) -> list[PlacePlan]:
    """Return what each row would do. Writes nothing.

    came: workplaces that this import has made already, by folded name: rows about their areas
    find them.
    """
    plans = [_plan_one(row, choices, repeats, came or {}) for row in rows]
    met = [one for one in plans if one.place_id is not None and not one.faults]
    for some in in_parts(met):
        _plan_met(session, scope, some, choices)
    return plans


def _plan_one(
    row: ListedPlace,
    choices: PlaceChoices,
    repeats: Mapping[int, Fault],
    came: Mapping[str, int],
) -> PlacePlan:
    plan = PlacePlan(row.row_no, RowOutcome.NEW, list(row.faults), listed=row)
    if row.row_no in repeats:
        plan.faults.append(repeats[row.row_no])
    most = None if row.headcount is None else row.headcount.high or row.headcount.low
    for count, column in ((most, row.headcount_column), (row.members, row.members_column)):
        if count is not None and count > MOST_PEOPLE:
            plan.faults.append(Fault(column, TOO_MANY))
    sites = choices.by_name.get(row.name_key, ())
    if row.name_key in came:
        sites = (came[row.name_key],)
    elif len(sites) != 1 and row.name_key in choices.settled:
        sites = (choices.settled[row.name_key],)
    if len(sites) > 1:
        plan.faults.append(Fault(None, TWO_OF_THE_NAME))
    elif sites:
        plan.place_id = sites[0]
        plan.outcome = RowOutcome.UNCHANGED
        # Whose it is stands here already: what the list calls them is not asked.
        plan.faults = [
            one for one in plan.faults if one.column is None or one.column != row.employer_column
        ]
    else:
        plan.faults.extend(_find_employer(plan, row, choices))
        if not choices.may_choose:
            column = row.employer_column
            plan.faults = [
                Fault(None, ASK_FOR_IT) if one == Fault(column, NOT_MATCHED) else one
                for one in plan.faults
            ]
    plan.faults.extend(_find_buyer(plan, row, choices))
    if plan.faults:
        plan.outcome, plan.place_id = RowOutcome.PROBLEM, None
        return plan
    plan.fields = {
        name: value
        for name, value in (
            ("address", row.address),
            ("postcode", row.postcode),
            ("country", row.country),
        )
        if value is not None
    }
    if row.area is not None:
        plan.area_id = choices.areas.get((plan.place_id or 0, fold(row.area)))
        if plan.area_id is None:
            plan.new_area = row.area
            plan.changes.append("area")
    plan.headcount = _headcount(row, choices)
    plan.members = _members(row, choices)
    return plan


def look_alike(
    session: Session, scope: Scope, plans: Sequence[PlacePlan], names: Mapping[str, str]
) -> None:
    """Turn rows about a workplace that seems new into a question where one like it is here.

    names: what was said before, as Rules.names: what was said to be new is not asked again. A
    name is asked about once, by the first row that has it. One statement.
    """
    by_name: dict[str, list[PlacePlan]] = {}
    for one in plans:
        listed = one.listed
        open_still = {fault.message for fault in one.faults} <= _OF_NEW_ONES
        if listed is None or one.place_id is not None or not open_still:
            continue
        if listed.name_key and names.get(listed.name_key) != NEW_PLACE:
            by_name.setdefault(listed.name_key, []).append(one)
    asked = [
        KnownPlace(first.listed.name, first.listed.address, first.listed.postcode)
        for first, *_more in by_name.values()
        if first.listed is not None
    ]
    alike = like_each(session, scope, asked, permission=Permission.PLACE_WRITE)
    for rows, found in zip(by_name.values(), alike, strict=True):
        candidates = tuple(
            Candidate(inner, tuple(reason.value for reason in likeness.reasons))
            for inner, likeness in found
            if likeness.share >= _WORTH_ASKING or not _NEAR_BY.isdisjoint(likeness.reasons)
        )
        for one in rows if candidates else ():
            one.outcome, one.candidates = RowOutcome.POSSIBLE, candidates
            one.faults, one.changes = [], []


def _find_employer(plan: PlacePlan, row: ListedPlace, choices: PlaceChoices) -> list[Fault]:
    """Find the employer of a workplace that is new; return what stands against it."""
    public_id = row.valued.get(Target.EMPLOYER) or choices.employer
    plan.employer_id = choices.employers.get(public_id or "")
    if public_id is None and choices.own_employer:
        plan.new_employer = row.name
    elif public_id is not None and public_id.startswith(NEW_EMPLOYER) and choices.new_employers:
        plan.new_employer = public_id.removeprefix(NEW_EMPLOYER)
    if plan.new_employer is not None:
        same = choices.by_employer.get(fold(plan.new_employer), ())
        plan.employer_id = same[0] if same else None
        return [Fault(None, TWO_EMPLOYERS)] if len(same) > 1 else []
    if public_id is None:
        # A name without a meaning is said already.
        lacking = NO_EMPLOYER if choices.may_choose else ASK_FOR_IT
        return [] if Target.EMPLOYER in row.unmatched else [Fault(None, lacking)]
    return [] if plan.employer_id is not None else [Fault(None, NOT_YOURS)]


def _find_buyer(plan: PlacePlan, row: ListedPlace, choices: PlaceChoices) -> list[Fault]:
    """Find whom a workplace supplies; return what stands against it."""
    if not choices.of_suppliers:
        return []
    public_id = row.valued.get(Target.SUPPLIES) or choices.buyer
    plan.buyer_id = choices.buyers.get(public_id or "")
    if public_id is None:
        return [] if Target.SUPPLIES in row.unmatched else [Fault(None, NO_BUYER)]
    return [] if plan.buyer_id is not None else [Fault(None, NOT_MATCHED)]


def _headcount(row: ListedPlace, choices: PlaceChoices) -> dict[str, Any] | None:
    if row.headcount is None:
        return None
    return {
        "on_day": choices.as_at,
        "counts": choices.counts,
        "low": row.headcount.low,
        "best": row.headcount.best,
        "high": row.headcount.high,
        "rounded_to": None,
        "source_kind": choices.source,
        "source_note": choices.note,
    }


def _members(row: ListedPlace, choices: PlaceChoices) -> dict[str, Any] | None:
    if row.members is None:
        return None
    return {
        "on_day": choices.as_at,
        "union_id": choices.union,
        "members": row.members,
        "covered": None,
        "rounded_to": None,
        "source_kind": choices.source,
        "source_note": choices.note,
    }


def _plan_met(
    session: Session, scope: Scope, plans: Sequence[PlacePlan], choices: PlaceChoices
) -> None:
    write = Permission.PLACE_WRITE
    ids = sorted({one.place_id for one in plans if one.place_id is not None})
    sites = {
        site.id: site
        for site in session.scalars(
            scope.select(Workplace, permission=write).where(Workplace.id.in_(ids))
        )
    }
    at = sorted({*ids, *(one.area_id for one in plans if one.area_id is not None)})
    day = choices.as_at
    heads = {
        (row.place_id, row.counts): row
        for row in session.scalars(
            scope.select(Headcount, permission=write).where(
                Headcount.place_id.in_(at),
                Headcount.on_day == day,
                Headcount.source_kind == choices.source,
                facts.known(Headcount),
            )
        )
    }
    members = {
        (row.place_id, row.union_id): row
        for row in session.scalars(
            scope.select(MemberCount, permission=write).where(
                MemberCount.place_id.in_(at),
                MemberCount.on_day == day,
                MemberCount.source_kind == choices.source,
                facts.known(MemberCount),
            )
        )
    }
    sold_to = {
        (row.place_id, row.other_id)
        for row in session.scalars(
            scope.select(PlaceTie, permission=write).where(
                PlaceTie.place_id.in_(ids),
                PlaceTie.kind == PlaceTieKind.SUPPLIES,
                facts.known(PlaceTie),
                facts.covers(PlaceTie, day),
            )
        )
    }
    for one in plans:
        site = sites.get(one.place_id or 0)
        if site is None:
            one.outcome, one.place_id = RowOutcome.PROBLEM, None
            one.faults = [Fault(None, NOT_MATCHED)]
            continue
        one.fields = {
            name: value for name, value in one.fields.items() if getattr(site, name) is None
        }
        one.changes += sorted(one.fields)
        if one.buyer_id is not None and (site.id, one.buyer_id) in sold_to:
            one.buyer_id = None
        elif one.buyer_id is not None:
            one.changes.append("supplies")
        where = one.area_id or (0 if one.new_area else site.id)
        if one.headcount is not None:
            one.headcount_before = heads.get((where, choices.counts))
            if _same(one.headcount_before, one.headcount, ("low", "best", "high")):
                one.headcount = None
            else:
                one.changes.append("headcount")
        if one.members is not None:
            one.members_before = members.get((where, choices.union))
            if _same(one.members_before, one.members, ("members",)):
                one.members = None
            else:
                one.changes.append("members")
        if one.changes:
            one.outcome = RowOutcome.CHANGED


def _same(before: Any, said: Mapping[str, Any], names: Sequence[str]) -> bool:
    return before is not None and all(getattr(before, name) == said[name] for name in names)


def store_places(
    session: Session,
    scope: Scope,
    plans: Sequence[PlacePlan],
    choices: PlaceChoices,
    *,
    now: datetime,
) -> dict[int, list[list[Any]]]:
    """Store what the plans say; return what was stored as ``people.store`` does.

    Rows about areas of one new workplace share it: the first makes it.
    """
    doing = [one for one in plans if one.outcome in {RowOutcome.NEW, RowOutcome.CHANGED}]
    made: dict[int, list[tuple[Any, Any, dict[str, Any] | None]]] = {
        one.row_no: [] for one in doing
    }
    _store_new(session, scope, doing, made, choices, now=now)
    for some in in_parts(
        [one for one in doing if one.outcome is RowOutcome.CHANGED and one.fields]
    ):
        by_id = {
            site.id: site
            for site in session.scalars(
                scope.select(Workplace, permission=Permission.PLACE_WRITE).where(
                    Workplace.id.in_([one.place_id for one in some])
                )
            )
        }
        for one in some:
            site = by_id[one.place_id or 0]
            old = {name: getattr(site, name) for name in one.fields}
            for name, value in one.fields.items():
                setattr(site, name, value)
            site.version += 1
            made[one.row_no].append((site, None, old))
    _store_areas(session, scope, doing, made, choices, now=now)
    for one in doing:
        if one.buyer_id is not None and one.place_id is not None:
            tie = PlaceTie(
                place_id=one.place_id,
                other_id=one.buyer_id,
                kind=PlaceTieKind.SUPPLIES,
                valid_from=choices.as_at,
                source_note=choices.note,
                recorded_at=now,
                recorded_by_id=scope.actor_id,
            )
            session.add(tie)
            made[one.row_no].append((tie, None, None))
        where = one.area_id or one.place_id
        for model, values, before in (
            (Headcount, one.headcount, one.headcount_before),
            (MemberCount, one.members, one.members_before),
        ):
            if values is None:
                continue
            if before is not None:
                row = facts.revise(session, before, now=now, actor_id=scope.actor_id, **values)
            else:
                row = model(
                    place_id=where, recorded_at=now, recorded_by_id=scope.actor_id, **values
                )
                session.add(row)
            made[one.row_no].append((row, before, None))
    session.flush()
    return {
        row_no: [
            [row.__tablename__, row.id, None if before is None else before.id, old]
            for row, before, old in rows
        ]
        for row_no, rows in made.items()
    }


def _store_new(
    session: Session,
    scope: Scope,
    doing: Sequence[PlacePlan],
    made: Any,
    choices: PlaceChoices,
    *,
    now: datetime,
) -> None:
    _store_employers(session, scope, doing, made, choices, now=now)
    fresh: dict[tuple[int, str], Workplace] = {}
    for one in doing:
        if one.outcome is not RowOutcome.NEW or one.listed is None or one.employer_id is None:
            continue
        key = (one.employer_id, one.listed.name_key)
        if key not in fresh:
            site = Workplace(
                name=one.listed.name,
                employer_id=one.employer_id,
                time_zone=choices.time_zone,
                created_at=now,
                **one.fields,
            )
            site.version = 1
            fresh[key] = site
            made[one.row_no].append((site, None, None))
    session.add_all(fresh.values())
    session.flush()
    links = [(site.id, site.employer_id) for site in fresh.values()]
    if links:
        tree.link_new(
            session,
            links,
            since={child: choices.as_at for child, _parent in links},
            now=now,
            actor_id=scope.actor_id,
        )
        forget_places(session)
    for one in doing:
        if one.outcome is RowOutcome.NEW and one.listed is not None:
            one.place_id = fresh[one.employer_id or 0, one.listed.name_key].id


def _store_employers(
    session: Session,
    scope: Scope,
    doing: Sequence[PlacePlan],
    made: Any,
    choices: PlaceChoices,
    *,
    now: datetime,
) -> None:
    """Store the employers that new workplaces bring with them and that are not here yet."""
    fresh: dict[str, Employer] = {}
    bringing = [
        (one, one.new_employer)
        for one in doing
        if one.outcome is RowOutcome.NEW and one.employer_id is None and one.new_employer
    ]
    for one, name in bringing:
        key = fold(name)
        if key not in fresh:
            fresh[key] = Employer(name=name, country=one.fields.get("country"), created_at=now)
            fresh[key].version = 1
            made[one.row_no].append((fresh[key], None, None))
    if not fresh:
        return
    scope.require_everywhere(Permission.EMPLOYER_WRITE)
    session.add_all(fresh.values())
    session.flush()
    root = tree.everything_id(session)
    tree.link_new(
        session,
        [(row.id, root) for row in fresh.values()],
        since={row.id: choices.as_at for row in fresh.values()},
        now=now,
        actor_id=scope.actor_id,
    )
    forget_places(session)
    for one, name in bringing:
        one.employer_id = fresh[fold(name)].id


def _store_areas(
    session: Session,
    scope: Scope,
    doing: Sequence[PlacePlan],
    made: Any,
    choices: PlaceChoices,
    *,
    now: datetime,
) -> None:
    lacking: list[tuple[PlacePlan, int, str]] = []
    for one in doing:
        if one.new_area is None or one.place_id is None:
            continue
        lacking.append((one, one.place_id, one.new_area))
    wanted = [(site, name) for _one, site, name in lacking]
    fresh = make_areas(session, scope, wanted, since=choices.as_at, now=now)
    for (one, _site, _name), area in zip(lacking, fresh, strict=True):
        one.area_id = area.id
        made[one.row_no].append((area, None, None))
