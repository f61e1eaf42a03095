"""What the rows of a list do to people: found out first, stored afterwards, by the same rule.

``Known.load`` reads once whom the file could be about; ``plan`` says for some rows what each of
them would do, and writes nothing; ``store`` does exactly that. Blank cells never erase, dated
facts begin on the day the list is true for, and what is known from a later day stays.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from heapq import nsmallest
from typing import Any, Final, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import bulk, facts, search_index
from crm.access.audit import created_by
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.spans import refresh_many
from crm.domain.assessment import Basis
from crm.domain.columns import Target
from crm.domain.identity import fold, phone_key
from crm.domain.likeness import Reason
from crm.domain.listed import NO_NAME, NO_WORKPLACE, NOT_MATCHED, Fault, Listed
from crm.domain.spells import covers
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import (
    ContractType,
    HowKnown,
    MembershipSource,
    PointKind,
    RowOutcome,
)
from crm.features.imports.areas import NEW_AREA, area_key, make_areas
from crm.features.imports.own import OwnColumns, OwnPlan, plan_own, store_own
from crm.models.audit import AuditEntry
from crm.models.base import Base
from crm.models.contacts import Contact, ContactPoint, Job, Membership, StateSpan
from crm.models.conversations import Assessment
from crm.models.places import Area, Shift, Union, Workplace
from crm.models.search import SearchCut, SearchEntry
from crm.reads.duplicates import find_candidates, known_of

_AT_ONCE: Final = 500
_NAME_KEY: Final = 330
_VALUE_KEY: Final = 300

Item = TypeVar("Item")

NO_SUCH_AREA = "This workplace has no such area. Add it on the page of the workplace, or skip it."
NO_SUCH_SHIFT = "This workplace has no such shift. Add it on the page of the workplace, or skip it."
NO_UNION = "Choose the union that this list speaks of."
NOT_YOUR_AREA = (
    "This workplace has no such area, and only somebody who may change the workplace can add it. "
    "Skip it, or ask them."
)
IN_NONE = "in_none"
# Stands for the area that a row brings, as long as nothing is stored.
_TO_MAKE: Final = -1

# What rows about people are put into, or looked up in.
STORED: Final[tuple[type[Base], ...]] = (*bulk.KINDS, StateSpan, SearchEntry, SearchCut, AuditEntry)

# As many jobs are stored, at most, between the first and the last step of what is typed in by hand.
_TYPED_MEANWHILE: Final = 100
# Those of the last two parts, and some more: between two of a part somebody may type one in.
_MOST_RUNS: Final = 20

# More people than this for one row help nobody to decide.
MOST_CANDIDATES: Final = 5
_MOST_ALIKE: Final = MOST_CANDIDATES + 1


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen for the whole list, with inner ids.

    workplaces, unions: inner ids by public id. areas, shifts: inner ids by workplace and folded
    name; an area that the import makes is added. may_add: workplaces that the scope may add areas
    to. Only places over which the scope may write about people are in it. all_members: who is on
    the list is in the union, and no column says otherwise.
    """

    workplaces: Mapping[str, int]
    areas: dict[tuple[int, str], int]
    may_add: frozenset[int]
    shifts: Mapping[tuple[int, str], int]
    unions: Mapping[str, int]
    workplace: str | None
    union: str | None
    as_at: date
    how_known: HowKnown | None
    basis: Basis
    source: MembershipSource
    all_members: bool = False
    own: OwnColumns = field(default_factory=lambda: OwnColumns({}, has_tags=False))


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody that a row could be about, and why."""

    contact_id: int
    why: tuple[str, ...]


@dataclass(slots=True)
class Plan:
    """What a row would do. The lists hold what ``store`` adds or changes."""

    row_no: int
    outcome: RowOutcome
    faults: list[Fault] = field(default_factory=list)
    contact_id: int | None = None
    candidates: tuple[Candidate, ...] = ()
    changes: list[str] = field(default_factory=list)
    # What the row says otherwise, and what stays as it is here.
    kept: list[str] = field(default_factory=list)
    listed: Listed | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    points: list[tuple[PointKind, str, str]] = field(default_factory=list)
    job: dict[str, Any] | None = None
    job_before: Job | None = None
    job_ends: date | None = None
    membership: dict[str, Any] | None = None
    membership_before: Membership | None = None
    membership_ends: date | None = None
    assessment: dict[str, Any] | None = None
    own: OwnPlan = field(default_factory=OwnPlan)


@dataclass(slots=True)
class Names:
    """Who has which name at which workplace, as two numbers for each: for a list of any length.

    The numbers only say where to look: whoever is found by them is read, and compared by name.
    Others write meanwhile: ``catch_up`` reads who came to these workplaces since.
    """

    _keys: array[int]
    _people: array[int]
    _sites: frozenset[int] = frozenset()
    _later: dict[int, set[int]] = field(default_factory=dict)
    # The highest key of a job at the last look, and at the one before.
    _seen: int = 0
    _seen_before: int = 0
    # First and last keys of people that the list itself has brought since.
    _own: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def load(
        cls, session: Session, scope: Scope, choices: Choices, *, since: int | None = None
    ) -> Names:
        """Read the names at all workplaces of the list, of whom the scope may write about.

        since: the highest key of a job, read under holding.hold_lists before this; None where
        nobody will ask it to catch up.
        """
        keys, people = array("q"), array("q")
        for some in in_parts(sorted(set(choices.workplaces.values()))):
            rows = session.execute(
                scope.select(
                    Contact.id,
                    Contact.known_as,
                    Contact.full_name,
                    Job.workplace_id,
                    permission=Permission.CONTACT_WRITE,
                )
                .join(Job, Job.contact_id == Contact.id)
                .where(Job.workplace_id.in_(some), facts.known(Job))
                .execution_options(yield_per=_AT_ONCE)
            )
            for contact_id, known_as, full_name, workplace_id in rows:
                for name in {fold(name) for name in (known_as, full_name) if name}:
                    keys.append(hash((workplace_id, name)))
                    people.append(contact_id)
        order = sorted(range(len(keys)), key=keys.__getitem__)
        return cls(
            array("q", (keys[at] for at in order)),
            array("q", (people[at] for at in order)),
            frozenset() if since is None else frozenset(choices.workplaces.values()),
            _seen=since or 0,
            _seen_before=max((since or 0) - _TYPED_MEANWHILE, 0),
        )

    def catch_up(self, session: Session, scope: Scope) -> None:
        """Read who came to the workplaces of the list since this was last asked.

        Under holding.hold_lists nothing that another list brought is missed. What is typed in by
        hand meanwhile may be stored later than what has a higher key: therefore it is looked for
        from the look before the last.
        """
        last = last_job(session)
        if self._sites and last > self._seen_before:
            rows = session.execute(
                scope.select(
                    Contact.id,
                    Contact.known_as,
                    Contact.full_name,
                    Job.workplace_id,
                    permission=Permission.CONTACT_WRITE,
                )
                .join(Job, Job.contact_id == Contact.id)
                .where(
                    Job.id > self._seen_before,
                    facts.known(Job),
                    *(sa.not_(Contact.id.between(first, end)) for first, end in self._own),
                )
                .execution_options(yield_per=_AT_ONCE)
            )
            for contact_id, known_as, full_name, workplace_id in rows:
                if workplace_id in self._sites:
                    for name in {fold(name) for name in (known_as, full_name) if name}:
                        self._later.setdefault(hash((workplace_id, name)), set()).add(contact_id)
        self._seen_before, self._seen = self._seen, last

    def brought(self, session: Session, people: Iterable[int]) -> None:
        """Take note of the keys of those whom the list itself has just brought."""
        if session.get_bind().dialect.name == "sqlite":
            # Nobody else can have written since the last look: there is nothing to read again.
            self._seen = self._seen_before = last_job(session)
            return
        self._own = [*self._own, *_runs(people)][-_MOST_RUNS:]

    def find(self, workplace_id: int, name: str) -> Iterator[int]:
        """Yield the inner ids of those who may have this name there."""
        key = hash((workplace_id, name))
        at = bisect_left(self._keys, key)
        while at < len(self._keys) and self._keys[at] == key:
            yield self._people[at]
            at += 1
        yield from self._later.get(key, ())


def last_job(session: Session) -> int:
    """Return the highest key of all jobs; 0 where there is none."""
    return bulk.last_key(session, Job)


def _runs(keys: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first and the last of keys that follow one another, for each run of them."""
    found: list[tuple[int, int]] = []
    for key in sorted(keys):
        if found and key == found[-1][1] + 1:
            found[-1] = (found[-1][0], key)
        else:
            found.append((key, key))
    return found


@dataclass(slots=True)
class Known:
    """Whom some rows of a file could be about, among the people the scope may write about.

    Of those who share a phone, a mail address or a name at a workplace only the first few are
    kept: nobody is asked about more, and a list of one name or one phone would take a time and
    a memory that grow with its square. with_name: by phone or mail address, and name.
    """

    by_name: dict[tuple[int, str], set[int]] = field(default_factory=dict)
    with_name: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    by_phone: dict[str, set[int]] = field(default_factory=dict)
    by_email: dict[str, set[int]] = field(default_factory=dict)
    by_number: dict[str, int] = field(default_factory=dict)
    names: dict[int, set[str]] = field(default_factory=dict)
    phones: dict[int, set[str]] = field(default_factory=dict)
    emails: dict[int, set[str]] = field(default_factory=dict)
    came_at: dict[int, datetime] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        session: Session,
        scope: Scope,
        people: Sequence[Listed],
        choices: Choices,
        all_names: Names,
        *,
        came_by: str,
    ) -> Known:
        """Read everybody whom some row could be about, in a few statements for each 500 keys.

        came_by: the id of a request; whom it added is left out. They were not there when the list
        was checked: the import itself brought them with an earlier row.
        """
        found = cls()
        at: dict[tuple[int, str], set[int]] = {}
        for one in people:
            site = workplace_of(one, choices)
            if site is not None and one.name_key and (site, one.name_key) not in at:
                at[site, one.name_key] = set(all_names.find(site, one.name_key))
        for same in at.values():
            found.names.update((contact_id, set()) for contact_id in same)
        phones = sorted({key for one in people for key in one.phone_keys})
        emails = sorted({key for one in people for key in one.email_keys})
        found._load_points(session, scope, PointKind.PHONE, phones)
        found._load_points(session, scope, PointKind.EMAIL, emails)
        came: set[int] = set()
        for some in in_parts(sorted(found.names)):
            came |= created_by(session, came_by, some)
        for contact_id in came:
            del found.names[contact_id]
        for kept in (found.by_phone, found.by_email):
            for reached in kept.values():
                reached -= came
        found._load_numbers(session, scope, sorted({one.number for one in people if one.number}))
        found._load_people(session, scope)
        for (site, name), same in at.items():
            here = {one for one in same if name in found.names.get(one, ())}
            if here:
                found.by_name[site, name] = _first(here)
        found._keep_few()
        return found

    def _keep_few(self) -> None:
        for kept in (self.by_phone, self.by_email):
            for key, reached in kept.items():
                for contact_id in sorted(reached):
                    for name in self.names[contact_id]:
                        some = self.with_name.setdefault((key, name), set())
                        if len(some) < _MOST_ALIKE:
                            some.add(contact_id)
                kept[key] = _first(reached)

    def _load_numbers(self, session: Session, scope: Scope, numbers: Sequence[str]) -> None:
        for some in in_parts(numbers):
            for contact_id, public_id in session.execute(
                scope.select(
                    Contact.id, Contact.public_id, permission=Permission.CONTACT_WRITE
                ).where(Contact.public_id.in_([UUID(one) for one in some]))
            ):
                self.by_number[str(public_id)] = contact_id
                self.names.setdefault(contact_id, set())

    def _load_points(
        self, session: Session, scope: Scope, kind: PointKind, keys: Sequence[str]
    ) -> None:
        kept = self.by_phone if kind is PointKind.PHONE else self.by_email
        for some in in_parts(keys):
            rows = session.execute(
                scope.select(
                    ContactPoint.contact_id,
                    ContactPoint.value_key,
                    permission=Permission.CONTACT_WRITE,
                ).where(
                    ContactPoint.kind == kind,
                    ContactPoint.value_key.in_(some),
                    facts.known(ContactPoint),
                )
            )
            for contact_id, key in rows:
                kept.setdefault(key, set()).add(contact_id)
                self.names.setdefault(contact_id, set())

    def _load_people(self, session: Session, scope: Scope) -> None:
        for some in in_parts(sorted(self.names)):
            people = session.execute(
                scope.select(
                    Contact.id,
                    Contact.known_as,
                    Contact.full_name,
                    Contact.created_at,
                    permission=Permission.CONTACT_WRITE,
                ).where(Contact.id.in_(some))
            )
            for contact_id, known_as, full_name, created_at in people:
                self.came_at[contact_id] = created_at
                self.names[contact_id] = {fold(name) for name in (known_as, full_name) if name}
            points = session.execute(
                scope.select(
                    ContactPoint.contact_id, ContactPoint.kind, ContactPoint.value_key
                ).where(ContactPoint.contact_id.in_(some), facts.known(ContactPoint))
            )
            for contact_id, kind, key in points:
                if kind is not PointKind.ADDRESS:
                    kept = self.phones if kind is PointKind.PHONE else self.emails
                    kept.setdefault(contact_id, set()).add(key)

    def numbered(self, one: Listed) -> int | None:
        """Return whom the number of a row finds, if the row gives them no other name."""
        found = self.by_number.get(one.number or "")
        if found is None or (one.name_key and not self._has_name(found, one)):
            return None
        return found

    def _has_name(self, contact_id: int, one: Listed) -> bool:
        names = {fold(name) for name in (one.known_as, one.full_name) if name}
        return bool(names & self.names[contact_id])

    def find(
        self, one: Listed, workplace_id: int | None, *, since: datetime | None = None
    ) -> tuple[int | None, tuple[Candidate, ...]]:
        """Return whom a row is surely about, or else whom it could be about.

        Surely: the number of a file of ours finds somebody of this name; or one person has this
        name and this phone or mail address; or one person at this workplace has this name, and no
        phone or mail speaks against it. since: only those who came to us after that moment.
        """
        numbered = self.numbered(one) if since is None else None
        if numbered is not None:
            return numbered, ()
        # Somebody of another name has this number: a row that was typed over is a question.
        reached = {self.by_number[one.number]} if one.number in self.by_number else set[int]()
        same = {contact for contact in reached if one.name_key in self.names[contact]}
        for key in (*one.phone_keys, *one.email_keys):
            reached |= self.by_phone.get(key, set()) | self.by_email.get(key, set())
            same |= self.with_name.get((key, one.name_key), set())
        here = self.by_name.get((workplace_id or 0, one.name_key), set())
        if since is not None:
            late = {who for who in reached | same | here if self.came_at[who] > since}
            reached, same, here = reached & late, same & late, here & late
        if len(same) == 1:
            return next(iter(same)), ()
        if not same and not reached and len(here) == 1:
            only = next(iter(here))
            if not self._speaks_against(one, only):
                return only, ()
        people = [*sorted(same), *sorted(here - same), *sorted(reached - here - same)]
        return None, tuple(
            Candidate(person, self._why(one, person)) for person in people[:MOST_CANDIDATES]
        )

    def _speaks_against(self, one: Listed, contact_id: int) -> bool:
        phones, emails = self.phones.get(contact_id, set()), self.emails.get(contact_id, set())
        other_phone = phones and one.phone_keys and not phones & one.phone_keys
        other_email = emails and one.email_keys and not emails & one.email_keys
        return bool(other_phone or (other_email and not phones & one.phone_keys))

    def _why(self, one: Listed, contact_id: int) -> tuple[str, ...]:
        phones, emails = self.phones.get(contact_id, set()), self.emails.get(contact_id, set())
        why = [Reason.SAME_NAME if one.name_key in self.names[contact_id] else Reason.OTHER_NAME]
        if one.phone_keys & phones:
            why.append(Reason.SAME_PHONE)
        elif one.phone_keys and phones:
            why.append(Reason.OTHER_PHONE)
        if one.email_keys & emails:
            why.append(Reason.SAME_MAIL)
        return tuple(reason.value for reason in why)


def _first(people: set[int]) -> set[int]:
    return set(nsmallest(_MOST_ALIKE, people))


def load_choices(
    session: Session,
    scope: Scope,
    *,
    workplaces: Iterable[str],
    unions: Iterable[str],
    **chosen: Any,
) -> Choices:
    """Return the inner ids of what a list names, as far as the scope may write about people there.

    workplaces, unions: public ids as text. chosen: the other fields of Choices.
    """
    wanted = [UUID(one) for one in set(workplaces)]
    sites: dict[str, int] = {}
    for some in in_parts(wanted):
        rows = session.execute(
            scope.select(
                Workplace.public_id, Workplace.id, permission=Permission.CONTACT_WRITE
            ).where(Workplace.public_id.in_(some))
        )
        sites |= {str(public_id): inner for public_id, inner in rows}
    areas: dict[tuple[int, str], int] = {}
    may_add: set[int] = set()
    shifts: dict[tuple[int, str], int] = {}
    for some_ids in in_parts(sorted(sites.values())):
        for inner, name, site in session.execute(
            scope.select(
                Area.id, Area.name, Area.workplace_id, permission=Permission.CONTACT_WRITE
            ).where(Area.workplace_id.in_(some_ids), Area.closed_on.is_(None))
        ):
            areas.setdefault((site, fold(name)), inner)
        may_add.update(
            session.scalars(
                scope.select(Workplace.id, permission=Permission.PLACE_WRITE).where(
                    Workplace.id.in_(some_ids)
                )
            )
        )
        for inner, name, site in session.execute(
            scope.select(Shift.id, Shift.name, Shift.place_id).where(
                Shift.place_id.in_(some_ids), Shift.closed_on.is_(None)
            )
        ):
            shifts.setdefault((site, fold(name)), inner)
    bodies: dict[str, int] = {}
    wanted_unions = [UUID(one) for one in set(unions)]
    if wanted_unions:
        rows = session.execute(
            scope.select(Union.public_id, Union.id).where(Union.public_id.in_(wanted_unions))
        )
        bodies = {str(public_id): inner for public_id, inner in rows}
    return Choices(
        workplaces=sites,
        areas=areas,
        may_add=frozenset(may_add),
        shifts=shifts,
        unions=bodies,
        **chosen,
    )


def in_parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield the items 500 at a time: few enough for the parameters of one statement."""
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


def workplace_of(one: Listed, choices: Choices) -> int | None:
    """Return the inner id of the workplace that a row is about, None when it is not told."""
    public_id = one.valued.get(Target.WORKPLACE) or choices.workplace
    return choices.workplaces.get(public_id) if public_id else None


def plan(
    session: Session,
    scope: Scope,
    people: Sequence[Listed],
    choices: Choices,
    known: Known,
    *,
    repeats: Mapping[int, Fault],
    same: Mapping[int, int],
    different: Mapping[int, datetime | None],
) -> list[Plan]:
    """Return what each row would do. Writes nothing.

    repeats: rows about somebody of an earlier row. same, different: what was said of rows that
    could be about somebody we know: the inner id of the person, or that it is somebody new, and
    when that was said: whoever came later they were not held against. At most a few statements
    for each 500 rows.
    """
    plans: list[Plan] = []
    for one in people:
        numbered = known.numbered(one)
        faults = [*one.faults, *_place_faults(one, choices, numbered is not None)]
        if one.row_no in repeats and numbered is None:
            faults.append(repeats[one.row_no])
        if not one.name_key and numbered is None and not faults:
            faults.append(Fault(None, NO_NAME))
        if faults:
            plans.append(Plan(one.row_no, RowOutcome.PROBLEM, faults, listed=one))
            continue
        workplace_id = workplace_of(one, choices)
        contact_id: int | None = same.get(one.row_no)
        candidates: tuple[Candidate, ...] = ()
        if contact_id is None and one.row_no not in different:
            contact_id, candidates = known.find(one, workplace_id)
        elif contact_id is None and (said_at := different[one.row_no]) is not None:
            contact_id, candidates = known.find(one, workplace_id, since=said_at)
        outcome = RowOutcome.POSSIBLE if candidates else RowOutcome.NEW
        plans.append(
            Plan(
                one.row_no,
                outcome if contact_id is None else RowOutcome.UNCHANGED,
                contact_id=contact_id,
                candidates=candidates,
                listed=one,
            )
        )
    for fresh in plans:
        if fresh.outcome is RowOutcome.NEW:
            _plan_new(fresh, choices)
    met = [one for one in plans if one.outcome is RowOutcome.UNCHANGED]
    for some in in_parts(met):
        _plan_met(session, scope, some, choices)
    _plan_own(session, scope, plans, choices)
    for one_met in met:
        # Our files hold a row for each job of a person. A second one that changes something waits
        # for the first to be stored: both would add the same phone.
        if one_met.outcome is RowOutcome.CHANGED and one_met.row_no in repeats:
            one_met.outcome, one_met.changes = RowOutcome.PROBLEM, []
            one_met.faults = [repeats[one_met.row_no]]
    return plans


def _plan_own(session: Session, scope: Scope, plans: Sequence[Plan], choices: Choices) -> None:
    able = {RowOutcome.NEW, RowOutcome.CHANGED, RowOutcome.UNCHANGED}
    asked = [
        (one, one.listed, workplace_of(one.listed, choices))
        for one in plans
        if one.outcome in able and one.listed is not None and one.listed.own
    ]
    rows = [(listed, one.contact_id, site) for one, listed, site in asked]
    found = plan_own(session, scope, rows, choices.own, choices.as_at)
    for (one, _listed, _site), own in zip(asked, found, strict=True):
        if own.faults:
            one.outcome, one.contact_id, one.changes = RowOutcome.PROBLEM, None, []
            one.faults = own.faults
            continue
        one.own = own
        one.kept += ["own"] if own.kept else []
        if own.changes and one.outcome is not RowOutcome.NEW:
            one.outcome = RowOutcome.CHANGED
            one.changes += own.changes


def look_alike(
    session: Session,
    scope: Scope,
    plans: Sequence[Plan],
    choices: Choices,
    *,
    different: Iterable[int],
) -> None:
    """Turn rows that would add somebody new into a question where we know somebody like them.

    By the rule that the form for one new person asks by (reads/duplicates.py). A handful of
    statements for each 500 rows.
    """
    said = set(different)
    new = [one for one in plans if one.outcome is RowOutcome.NEW and one.row_no not in said]
    records = []
    for one in new:
        listed = one.listed
        assert listed is not None  # noqa: S101 - as plan made it
        site = workplace_of(listed, choices)
        records.append(
            known_of(
                [listed.known_as, listed.full_name],
                phones=listed.phones,
                mails=listed.emails,
                addresses=[listed.address],
                workplaces=[] if site is None else [site],
            )
        )
    # All at once: everybody at the workplaces of the list is read for it.
    found = find_candidates(session, scope, records, permission=Permission.CONTACT_WRITE)
    for one, people in zip(new, found, strict=True):
        if people:
            one.outcome = RowOutcome.POSSIBLE
            one.candidates = tuple(
                Candidate(
                    person.contact_id,
                    tuple(reason.value for reason, _points in person.likeness.reasons),
                )
                for person in people[:MOST_CANDIDATES]
            )


def _place_faults(one: Listed, choices: Choices, numbered: bool) -> list[Fault]:
    """Return what is wrong with the places and the union of a row.

    numbered: a number of ours says who it is, so it need not say where they work.
    """
    found: list[Fault] = []
    site = workplace_of(one, choices)
    if site is None:
        if Target.WORKPLACE in one.unmatched:
            return found  # That is said already.
        told = Target.WORKPLACE in one.valued
        if numbered and not told:
            return found
        # A place outside the scope and one that nobody knows are told by the same words.
        found.append(Fault(None, NOT_MATCHED if told else NO_WORKPLACE))
        return found
    area, shift = one.valued.get(Target.AREA), one.valued.get(Target.SHIFT)
    if area is not None and (site, area_key(area)) not in choices.areas:
        if not area.startswith(NEW_AREA) or not area_key(area):
            found.append(Fault(None, NO_SUCH_AREA))
        elif site not in choices.may_add:
            found.append(Fault(None, NOT_YOUR_AREA))
    if shift is not None and (site, shift) not in choices.shifts:
        found.append(Fault(None, NO_SUCH_SHIFT))
    member = _member_said(one, choices)
    unsaid = member in {"member", "not_member"} and _union_of(one, choices) is None
    # Our files name the union of members only.
    if unsaid and not (numbered and member == "not_member"):
        found.append(Fault(None, NO_UNION))
    return found


def _member_said(one: Listed, choices: Choices) -> str | None:
    return "member" if choices.all_members else one.valued.get(Target.MEMBER)


def _union_of(one: Listed, choices: Choices) -> int | None:
    public_id = one.valued.get(Target.UNION) or choices.union
    return choices.unions.get(public_id) if public_id else None


def _job_values(one: Listed, choices: Choices) -> dict[str, Any]:
    site = workplace_of(one, choices)
    assert site is not None  # noqa: S101 - rows without a workplace have a fault
    area_name, shift_name = one.valued.get(Target.AREA), one.valued.get(Target.SHIFT)
    area = None
    if area_name is not None:
        # Whatever is not there is there to be made: else the row has a fault.
        area = choices.areas.get((site, area_key(area_name)), _TO_MAKE)
    contract = one.valued.get(Target.CONTRACT)
    return {
        "workplace_id": site,
        "place_id": area or site,
        "area_id": area,
        "shift_id": choices.shifts[site, shift_name] if shift_name is not None else None,
        "job_title": one.job_title,
        "contract_type": ContractType(contract) if contract else None,
        "employer_of_record_id": None,
    }


def _job_since(one: Listed, choices: Choices) -> dict[str, Any]:
    """The first day is the one the list names, else the day it is true for: "first seen then"."""
    # A job must have a day: of somebody who left, all that is known is that they were there before.
    last = choices.as_at if one.left_on is None else one.left_on - timedelta(days=1)
    since = one.started_on or min(choices.as_at, last)
    return {
        "valid_from": since,
        "valid_to": one.left_on,
        "from_is_first_seen": one.started_on is None,
    }


def _points(one: Listed) -> list[tuple[PointKind, str, str]]:
    found = [(PointKind.PHONE, value, phone_key(value) or "") for value in one.phones]
    found += [(PointKind.EMAIL, value, value.casefold()) for value in one.emails]
    if one.address:
        found.append((PointKind.ADDRESS, one.address, fold(one.address)))
    return [(kind, value, key[:_VALUE_KEY]) for kind, value, key in found if key]


def _membership_values(one: Listed, choices: Choices) -> dict[str, Any] | None:
    said = _member_said(one, choices)
    if said is None or (said != IN_NONE and _union_of(one, choices) is None):
        return None
    return {
        "union_id": None if said == IN_NONE else _union_of(one, choices),
        "branch_id": None,
        "status": (MembershipStatus.MEMBER if said == "member" else MembershipStatus.NOT_MEMBER),
        "source": choices.source,
        "valid_from": (one.joined_on if said == "member" else None) or choices.as_at,
        "valid_to": None,
    }


def _assessment_values(one: Listed, choices: Choices, place_id: int) -> dict[str, Any] | None:
    said = one.valued.get(Target.STANDING)
    if said is None:
        return None
    return {
        "place_id": place_id,
        "day": one.standing_on or choices.as_at,
        "rating": int(said),
        "basis": choices.basis,
        "ask": None,
        "assessor_id": None,
        "conversation_id": None,
    }


def _plan_new(planned: Plan, choices: Choices) -> None:
    one = planned.listed
    assert one is not None  # noqa: S101 - as plan made it
    planned.fields = {
        "known_as": one.known_as,
        "full_name": one.full_name,
        "pronouns": one.pronouns,
        "how_known": choices.how_known,
    }
    planned.points = _points(one)
    planned.job = {**_job_values(one, choices), **_job_since(one, choices)}
    planned.membership = _membership_values(one, choices)
    planned.assessment = _assessment_values(one, choices, planned.job["place_id"])


def _plan_met(session: Session, scope: Scope, plans: Sequence[Plan], choices: Choices) -> None:
    ids = sorted({one.contact_id for one in plans if one.contact_id is not None})
    people = {
        person.id: person
        for person in session.scalars(
            scope.select(Contact, permission=Permission.CONTACT_WRITE).where(Contact.id.in_(ids))
        )
    }
    jobs = _by_contact(session, scope, Job, ids)
    memberships = _by_contact(session, scope, Membership, ids)
    points = _by_contact(session, scope, ContactPoint, ids)
    standings = _by_contact(session, scope, Assessment, ids)
    for one in plans:
        person = people.get(one.contact_id or 0)
        if person is None:
            # Out of reach since it was matched: no more is said than of anybody unknown.
            one.outcome, one.contact_id = RowOutcome.PROBLEM, None
            one.faults = [Fault(None, NOT_MATCHED)]
            continue
        _plan_fields(one, person)
        _plan_points(one, points.get(person.id, []))
        if one.listed is not None and workplace_of(one.listed, choices) is not None:
            _plan_job(one, jobs.get(person.id, []), choices)
            _plan_standing(one, standings.get(person.id, []), choices)
        _plan_membership(one, memberships.get(person.id, []), choices)
        if one.changes:
            one.outcome = RowOutcome.CHANGED


def _by_contact(
    session: Session, scope: Scope, model: Any, ids: Sequence[int]
) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    rows = session.scalars(
        scope.select(model).where(model.contact_id.in_(ids), facts.known(model)).order_by(model.id)
    )
    for row in rows:
        found.setdefault(row.contact_id, []).append(row)
    return found


def _plan_fields(one: Plan, person: Contact) -> None:
    """A list fills what is not known; it never changes the name that people chose."""
    listed = one.listed
    assert listed is not None  # noqa: S101 - as plan made it
    for name, said in (("full_name", listed.full_name), ("pronouns", listed.pronouns)):
        held = getattr(person, name)
        if said is not None and held is not None and fold(said) != fold(held):
            one.kept.append(name)
        if said is None or held is not None:
            continue
        if name == "full_name" and person.known_as and fold(said) == fold(person.known_as):
            continue  # It says nothing that is not known.
        one.fields[name] = said
        one.changes.append(name)


def _plan_points(one: Plan, held: Sequence[ContactPoint]) -> None:
    assert one.listed is not None  # noqa: S101 - as plan made it
    keys = {(point.kind, point.value_key) for point in held}
    for kind, value, key in _points(one.listed):
        if (kind, key) not in keys:
            one.points.append((kind, value, key))
            one.changes.append(kind.value)


def _plan_job(one: Plan, held: Sequence[Job], choices: Choices) -> None:
    """A new job, an end, or a move to another area from the day of the list.

    What began after the day of the list is newer, and stays as it is.
    """
    listed = one.listed
    assert listed is not None  # noqa: S101 - as plan made it
    said = _job_values(listed, choices)
    here = [job for job in held if job.workplace_id == said["workplace_id"]]
    day = choices.as_at
    now = [job for job in here if covers(job.valid_from, job.valid_to, day)]
    if not now:
        if any(job.valid_from >= day for job in here):
            one.kept.append("job")
        elif not _ended_as_said(here, listed):
            one.job = {**said, **_job_since(listed, choices)}
            one.changes.append("job")
        return
    job = _likeliest(now, said)
    changes = _job_changes(job, said)
    if listed.left_on is not None and job.valid_to is None and listed.left_on >= job.valid_from:
        one.job_before, one.job_ends = job, listed.left_on
        one.changes.append("left")
    elif changes:
        one.job_before = job
        one.job = changes
        if {"area_id", "shift_id", "job_title", "contract_type"} & _said_before(job, changes):
            one.job_ends = day if day > job.valid_from else None
        elif "area_id" in changes and day > job.valid_from:
            # In which area they were before that day is not known.
            one.job_ends = day
        one.changes.extend(sorted(name for name in changes if name != "place_id"))
    if listed.started_on is not None and listed.started_on != job.valid_from:
        _plan_first_day(one, job, listed.started_on, alone=len(here) == 1)


def _plan_first_day(one: Plan, job: Job, started_on: date, *, alone: bool) -> None:
    """The first day takes the place of one that only says since when we know of the job.

    Not of a job that ends or goes on otherwise by the same row, nor beside an earlier one there.
    """
    if job.from_is_first_seen and started_on < job.valid_from and alone and one.job_ends is None:
        one.job_before = job
        one.job = {**(one.job or {}), "valid_from": started_on, "from_is_first_seen": False}
        one.changes.append("started_on")
    else:
        one.kept.append("started_on")


def _ended_as_said(here: Sequence[Job], listed: Listed) -> bool:
    """True when the list says that they left, and we know of a job that has ended."""
    return listed.left_on is not None and any(job.valid_to is not None for job in here)


def _likeliest(now: Sequence[Job], said: Mapping[str, Any]) -> Job:
    """Return the job of several that the row is about: in the same area if there is one."""
    same = [job for job in now if said["area_id"] is not None and job.area_id == said["area_id"]]
    return (same or list(now))[0]


def _job_changes(job: Job, said: Mapping[str, Any]) -> dict[str, Any]:
    changes = {
        name: said[name]
        for name in ("area_id", "shift_id", "job_title", "contract_type")
        if said[name] is not None and said[name] != getattr(job, name)
    }
    title = changes.get("job_title")
    if title is not None and job.job_title and fold(title) == fold(job.job_title):
        del changes["job_title"]
    if "area_id" in changes:
        changes["place_id"] = said["place_id"]
    return changes


def _said_before(job: Job, changes: Mapping[str, Any]) -> set[str]:
    return {name for name in changes if getattr(job, name) is not None and name != "place_id"}


def _plan_membership(one: Plan, held: Sequence[Membership], choices: Choices) -> None:
    assert one.listed is not None  # noqa: S101 - as plan made it
    said = _membership_values(one.listed, choices)
    if said is None:
        return
    against = [spell for spell in held if _about_the_same(spell, said)]
    on_day = [spell for spell in against if covers(spell.valid_from, spell.valid_to, choices.as_at)]
    so = [spell for spell in on_day if _says_so(spell, said)]
    if so:
        if one.listed.joined_on is not None and said["valid_from"] != so[0].valid_from:
            one.kept.append("joined_on")
        return
    if (
        # Something newer is known.
        any(spell.valid_from >= choices.as_at for spell in against)
        or len(on_day) > 1
        or any(spell.valid_to is not None for spell in on_day)
    ):
        one.kept.append("membership")
        return
    day = choices.as_at
    ended = max((spell.valid_to for spell in against if spell.valid_to), default=None)
    if on_day:
        one.membership_before, one.membership_ends = on_day[0], day
        said["valid_from"] = day
    elif ended is not None and said["valid_from"] < ended:
        said["valid_from"] = day
    if one.listed.joined_on not in {None, said["valid_from"]} and said["union_id"] is not None:
        one.kept.append("joined_on")
    one.membership = said
    one.changes.append("membership")


def _about_the_same(spell: Membership, said: Mapping[str, Any]) -> bool:
    """True when the two cannot both hold: one union, or "in no union" against being in one."""
    if spell.union_id == said["union_id"]:
        return True
    in_none = spell.union_id is None or said["union_id"] is None
    return in_none and MembershipStatus.MEMBER in (spell.status, said["status"])


def _says_so(spell: Membership, said: Mapping[str, Any]) -> bool:
    return bool(spell.union_id == said["union_id"] and spell.status == said["status"])


def _plan_standing(one: Plan, held: Sequence[Assessment], choices: Choices) -> None:
    listed = one.listed
    assert listed is not None  # noqa: S101 - as plan made it
    values = _job_values(listed, choices)
    said = _assessment_values(listed, choices, values["place_id"])
    if said is None:
        return
    day = said["day"]
    if any(fact.day == day and fact.rating == said["rating"] for fact in held):
        return
    if any(fact.day > day for fact in held if fact.ask is None):
        one.kept.append("standing")  # Somebody has asked since.
        return
    one.assessment = said
    one.changes.append("standing")


# --- Storing ----------------------------------------------------------------------------------


def add_areas(
    session: Session, scope: Scope, people: Sequence[Listed], choices: Choices, *, now: datetime
) -> dict[tuple[int, str], int]:
    """Make the areas that rows bring and that their workplaces lack; return them by place and name.

    Before the rows are planned, so that they find them. The same ones are added to the choices,
    and those that somebody else has made since these were read.
    """
    wanted: dict[tuple[int, str], str] = {}
    for one in people:
        site, area = workplace_of(one, choices), one.valued.get(Target.AREA, "")
        if site is None or not area.startswith(NEW_AREA) or one.faults:
            continue
        key = (site, area_key(area))
        if key[1] and key not in choices.areas and site in choices.may_add:
            wanted.setdefault(key, area.removeprefix(NEW_AREA))
    for some in in_parts(sorted({site for site, _key in wanted})):
        for inner, name, site in session.execute(
            scope.select(
                Area.id, Area.name, Area.workplace_id, permission=Permission.CONTACT_WRITE
            ).where(Area.workplace_id.in_(some), Area.closed_on.is_(None))
        ):
            choices.areas.setdefault((site, fold(name)), inner)
            wanted.pop((site, fold(name)), None)
    places = [(site, name) for (site, _key), name in wanted.items()]
    made = make_areas(session, scope, places, since=choices.as_at, now=now)
    found = {key: area.id for key, area in zip(wanted, made, strict=True)}
    choices.areas.update(found)
    return found


def first_in(
    plans: Sequence[Plan], choices: Choices, made: Mapping[tuple[int, str], int]
) -> dict[int, list[list[Any]]]:
    """Return for each area that was made, by the first row that needs it, what undoes it."""
    left = dict(made)
    found: dict[int, list[list[Any]]] = {}
    for one in plans:
        if one.listed is None or one.outcome not in {RowOutcome.NEW, RowOutcome.CHANGED}:
            continue
        site = workplace_of(one.listed, choices)
        area = area_key(one.listed.valued.get(Target.AREA, ""))
        if site is not None and (site, area) in left:
            inner = left.pop((site, area))
            found[one.row_no] = [[Area.__tablename__, inner, None, None]]
    return found


def store(
    session: Session, scope: Scope, plans: Sequence[Plan], *, now: datetime
) -> dict[int, list[list[Any]]]:
    """Store what the plans say; return by row number what was stored, for the way back.

    Each item is [table, inner id, inner id of the fact whose place it took or None, old values].
    Rows with a problem, possible duplicates and rows without a change store nothing.
    """
    fresh = [one for one in plans if one.outcome is RowOutcome.NEW]
    changed = [one for one in plans if one.outcome is RowOutcome.CHANGED]
    made: dict[int, list[tuple[Any, Any, dict[str, Any] | None]]] = {
        one.row_no: [] for one in changed
    }
    with search_index.at_once(session):
        effects = _store_new(session, scope, fresh, now=now)
        _store_people(session, scope, changed, made)
        # The jobs that end are written before those that follow, as contacts/service.py does.
        for store_part in (_end_job, _store_job):
            for one in changed:
                store_part(session, scope, one, made[one.row_no], now=now)
            session.flush()
        for one in changed:
            _store_rest(session, scope, one, made[one.row_no], now=now)
    refresh_many(session, [one.contact_id for one in changed if one.contact_id is not None])
    for row_no, rows in made.items():
        effects[row_no] = [
            [row.__tablename__, row.id, None if before is None else before.id, old]
            for row, before, old in rows
        ]
    saying = [
        (one.row_no, one.contact_id, one.own)
        for one in (*fresh, *changed)
        if one.contact_id is not None and one.own.changes
    ]
    for row_no, stored in store_own(session, scope, saying, now=now).items() if saying else ():
        effects[row_no] = [*effects[row_no], *stored]
    return effects


def _store_new(
    session: Session, scope: Scope, fresh: Sequence[Plan], *, now: datetime
) -> dict[int, list[list[Any]]]:
    """Store people who are new, with what is said of them, past the session (access/bulk.py)."""
    rows: dict[type[Base], list[dict[str, Any]]] = {model: [] for model in bulk.KINDS}
    whose: dict[type[Base], list[int]] = {model: [] for model in bulk.KINDS}
    for one, key in zip(fresh, bulk.reserve_people(session, len(fresh)), strict=True):
        one.contact_id = key
        names = (one.fields["known_as"], one.fields["full_name"])
        person = {
            **one.fields,
            "id": key,
            "name_key": _name_key(names),
            "created_at": now,
            "created_by_id": scope.actor_id,
        }
        points = [
            {"kind": kind, "value": value, "value_key": point_key}
            for kind, value, point_key in one.points
        ]
        said: tuple[tuple[type[Base], list[dict[str, Any] | None]], ...] = (
            (Job, [one.job]),
            (ContactPoint, list(points)),
            (Membership, [one.membership]),
            (Assessment, [one.assessment]),
        )
        rows[Contact].append(person)
        whose[Contact].append(one.row_no)
        for model, facts_said in said:
            for values in facts_said:
                if values is not None:
                    stamp = {
                        "contact_id": key,
                        "recorded_at": now,
                        "recorded_by_id": scope.actor_id,
                    }
                    rows[model].append({**values, **stamp})
                    whose[model].append(one.row_no)
    effects: dict[int, list[list[Any]]] = {one.row_no: [] for one in fresh}
    for model, keys in bulk.store_people(session, rows).items():
        for row_no, key in zip(whose[model], keys, strict=True):
            effects[row_no].append([model.__tablename__, key, None, None])
    return effects


def _store_people(session: Session, scope: Scope, changed: Sequence[Plan], made: Any) -> None:
    met = {one.contact_id: one for one in changed if one.fields}
    for some in in_parts(sorted(key for key in met if key is not None)):
        people = session.scalars(
            scope.select(Contact, permission=Permission.CONTACT_WRITE).where(Contact.id.in_(some))
        )
        for person in people:
            one = met[person.id]
            old = {name: getattr(person, name) for name in one.fields}
            for name, value in one.fields.items():
                setattr(person, name, value)
            person.name_key = _name_key(
                (person.known_as, person.full_name, person.placeholder_label)
            )
            person.version += 1
            made[one.row_no].append((person, None, old))


def _name_key(names: Iterable[str | None]) -> str:
    return " ".join(fold(name) for name in names if name)[:_NAME_KEY]


def _end_job(session: Session, scope: Scope, one: Plan, made: Any, *, now: datetime) -> None:
    before = one.job_before
    if before is not None and (one.job is None or one.job_ends is not None):
        ended = facts.revise(
            session, before, now=now, actor_id=scope.actor_id, valid_to=one.job_ends
        )
        made.append((ended, before, None))


def _store_job(session: Session, scope: Scope, one: Plan, made: Any, *, now: datetime) -> None:
    before = one.job_before
    if one.job is None:
        return
    if before is None:
        made.append((_add(session, scope, Job, one, one.job, now=now), None, None))
    elif one.job_ends is not None:
        following = {
            name: getattr(before, name)
            for name in (
                *("workplace_id", "place_id", "area_id", "shift_id", "job_title"),
                *("employer_of_record_id", "contract_type"),
            )
        }
        values = {**following, **one.job, "valid_from": one.job_ends, "valid_to": None}
        made.append((_add(session, scope, Job, one, values, now=now), None, None))
    else:
        revised = facts.revise(session, before, now=now, actor_id=scope.actor_id, **one.job)
        made.append((revised, before, None))


def _store_rest(session: Session, scope: Scope, one: Plan, made: Any, *, now: datetime) -> None:
    for kind, value, key in one.points:
        values = {"kind": kind, "value": value, "value_key": key}
        made.append((_add(session, scope, ContactPoint, one, values, now=now), None, None))
    before = one.membership_before
    if before is not None:
        ended = facts.revise(
            session, before, now=now, actor_id=scope.actor_id, valid_to=one.membership_ends
        )
        made.append((ended, before, None))
    if one.membership is not None:
        made.append((_add(session, scope, Membership, one, one.membership, now=now), None, None))
    if one.assessment is not None:
        made.append((_add(session, scope, Assessment, one, one.assessment, now=now), None, None))


def _add(
    session: Session,
    scope: Scope,
    model: Any,
    one: Plan,
    values: Mapping[str, Any],
    *,
    now: datetime,
) -> Any:
    row = model(
        contact_id=one.contact_id,
        recorded_at=now,
        recorded_by_id=scope.actor_id,
        superseded_at=None,
        **values,
    )
    session.add(row)
    return row
