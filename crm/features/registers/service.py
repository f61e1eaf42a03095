"""Stores what the readers of crm/analysis/registers found. docs/decisions/0006 gives the rules.

``read_register`` reads the files and touches nothing; ``load_register`` stores the whole of it in
the caller's unit of work. Any failure in between rolls everything back.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, BinaryIO, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from crm.access import facts, tasks, tree
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.registers import gender_pay, member_counts, nhs
from crm.analysis.registers.reading import Problem, shorten
from crm.domain.errors import Refusal
from crm.domain.headcount import MOST_PEOPLE, Counts, HeadcountSource
from crm.domain.identity import fold
from crm.domain.sic import sic_section
from crm.domain.vocabulary import Sector
from crm.models.places import Employer, ExternalId, Headcount, MemberCount, Workplace

CHUNK = 500  # rows of a file between two signs of progress
NAME_LIMIT = 200  # characters, as the column of a place's name
ADDRESS_LIMIT = 500
ID_LIMIT = 80
SCHEME_LIMIT = 40

TASK_KIND = "load-register"

COMPANIES_HOUSE = "companies-house"
GENDER_PAY = "gpg"
GENDER_PAY_SITES = "gpg-workplace"
ODS = "ods"
STATED = "stated-counts"

NAME_TOO_LONG = "Enter a name of 200 letters or fewer."
TOO_MANY_PEOPLE = "Enter a count below 1,000,000,000."

Progress = Callable[[int, int], None]
Item = TypeVar("Item")


class RegisterKind(StrEnum):
    """The registers that can be loaded."""

    GENDER_PAY = "gender-pay"
    NHS = "nhs"
    MEMBER_COUNTS = "member-counts"


# The files of each register, the first ones needed, those in OPTIONAL_FILES not.
FILES: Mapping[RegisterKind, tuple[str, ...]] = {
    RegisterKind.GENDER_PAY: ("employers",),
    RegisterKind.NHS: ("sites", "staff", "hospitals"),
    RegisterKind.MEMBER_COUNTS: ("counts",),
}
OPTIONAL_FILES = frozenset({"hospitals"})


@dataclass(frozen=True, slots=True)
class StatedCounts:
    """What the file of stated counts does not say itself.

    employer_name: the employer that the places are put under, such as "US counties, CPS 2016-2020".
    scheme: names the sort of ids in the file, such as "us-county". on_day: the day that the counts
    are true for. source_note: shown beside each figure; the employer's name when None.
    """

    employer_name: str
    scheme: str
    on_day: date
    country: str | None = None
    source_note: str | None = None


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A problem and the file it is in (one of FILES)."""

    file: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Register:
    """The files of one register as read: rows, and the problems found so far."""

    kind: RegisterKind
    rows: Mapping[str, Sequence[Any]]
    problems: tuple[FileProblem, ...]
    stated: StatedCounts | None = None

    @property
    def row_count(self) -> int:
        """Returns how many rows were read, over all files."""
        return sum(len(rows) for rows in self.rows.values())


@dataclass(slots=True)
class Tally:
    """How many records of one sort a load found new, changed and as they were."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(slots=True)
class Loaded:
    """What a load did: a tally for each sort of record, and every problem in file order."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    problems: list[FileProblem] = field(default_factory=list)

    def tally(self, sort: str) -> Tally:
        """Returns the tally of "employers", "workplaces", "headcounts" or "member_counts"."""
        return self.tallies.setdefault(sort, Tally())

    @property
    def rows_left_out(self) -> int:
        """Returns how many rows were not loaded."""
        return len(
            {(p.file, p.problem.row_number) for p in self.problems if p.problem.row_left_out}
        )

    def as_result(self, most_problems: int = 500) -> dict[str, Any]:
        """Returns plain JSON values for a task's result: tallies, problems, how many in all."""
        return {
            "counts": {
                sort: {"new": tally.new, "changed": tally.changed, "unchanged": tally.unchanged}
                for sort, tally in self.tallies.items()
            },
            "problem_count": len(self.problems),
            "rows_left_out": self.rows_left_out,
            "problems": [
                {
                    "file": found.file,
                    "row": found.problem.row_number,
                    "column": found.problem.column,
                    "value": found.problem.value_shown,
                    "message": found.problem.message,
                    "left_out": found.problem.row_left_out,
                }
                for found in self.problems[:most_problems]
            ],
        }


def request_load(
    session: Session,
    scope: Scope,
    kind: RegisterKind,
    *,
    files: Mapping[str, bytes],
    now: datetime,
    stated: StatedCounts | None = None,
) -> UUID:
    """Hands the files of a register to the worker and returns the public id of the task.

    Raises PermissionRefused unless the scope may load registers over the whole organisation.
    """
    scope.require_everywhere(Permission.REGISTER_LOAD)
    payload: dict[str, Any] = {"register": kind.value}
    if stated is not None:
        payload["stated"] = {**asdict(stated), "on_day": stated.on_day.isoformat()}
    task = tasks.enqueue(
        session,
        scope,
        kind=TASK_KIND,
        payload=payload,
        files=[tasks.Upload(name, content) for name, content in files.items()],
        now=now,
    )
    return task.public_id


def stated_of(payload: Mapping[str, Any]) -> StatedCounts | None:
    """Returns what ``request_load`` wrote into a task about stated counts, or None."""
    written = payload.get("stated")
    if written is None:
        return None
    return StatedCounts(**{**written, "on_day": date.fromisoformat(written["on_day"])})


def read_register(
    kind: RegisterKind,
    files: Mapping[str, BinaryIO | bytes],
    *,
    stated: StatedCounts | None = None,
) -> Register:
    """Reads the files of a register, plain or gzip, and stores nothing.

    files: by the names of FILES. stated: needed for member counts. Raises Refusal when a file is
    missing, of another kind or damaged.
    """
    for name in FILES[kind]:
        if name not in files and name not in OPTIONAL_FILES:
            raise Refusal("Choose all the files that this register needs.")
    if kind is RegisterKind.MEMBER_COUNTS and stated is None:
        raise Refusal("Say which employer the places belong to, and the day of the counts.")
    if stated is not None and not (
        0 < len(stated.employer_name.strip()) <= NAME_LIMIT
        and 0 < len(stated.scheme) <= SCHEME_LIMIT
    ):
        raise Refusal(
            "Give a name of up to 200 letters, and a word of up to 40 letters for the sort of ids."
        )
    readers: dict[str, Callable[[BinaryIO], tuple[list[Any], list[Problem]]]] = {
        "employers": gender_pay.read_employers,
        "sites": nhs.read_trusts_and_sites,
        "staff": nhs.read_staff,
        "hospitals": nhs.read_hospitals,
        "counts": member_counts.read_member_counts,
    }
    rows: dict[str, Sequence[Any]] = {}
    problems: list[FileProblem] = []
    for name in FILES[kind]:
        if name not in files:
            continue
        content = files[name]
        stream = io.BytesIO(content) if isinstance(content, bytes) else content
        rows[name], found = readers[name](stream)
        problems += [FileProblem(name, problem) for problem in found]
    return Register(kind=kind, rows=rows, problems=tuple(problems), stated=stated)


def load_register(
    session: Session,
    scope: Scope,
    register: Register,
    *,
    now: datetime,
    time_zone: str,
    progress: Progress | None = None,
) -> Loaded:
    """Stores a register and says what was new. Loading it again changes nothing.

    time_zone: of the workplaces, an IANA name. progress: called with (rows done, rows in all).
    Raises PermissionRefused unless the scope may load registers over the whole organisation.
    """
    rows = register.rows
    if register.kind is RegisterKind.GENDER_PAY:
        loaded = load_gender_pay(
            session, scope, rows["employers"], now=now, time_zone=time_zone, progress=progress
        )
    elif register.kind is RegisterKind.NHS:
        loaded = load_nhs(
            session,
            scope,
            places=rows["sites"],
            staff=rows["staff"],
            hospitals=rows.get("hospitals", ()),
            now=now,
            time_zone=time_zone,
            progress=progress,
        )
    else:
        if register.stated is None:
            raise ValueError("Stated counts need an employer, a scheme and a day.")
        loaded = load_member_counts(
            session,
            scope,
            rows["counts"],
            stated=register.stated,
            now=now,
            time_zone=time_zone,
            progress=progress,
        )
    loaded.problems = _merge(register.problems, loaded.problems, register.kind)
    return loaded


def load_gender_pay(
    session: Session,
    scope: Scope,
    rows: Sequence[gender_pay.Employer],
    *,
    now: datetime,
    time_zone: str = "Europe/London",
    progress: Progress | None = None,
) -> Loaded:
    """Stores employers, each with one workplace that stands for all its sites, and its size band.

    Errors and arguments as in ``load_register``.
    """
    load = _Load.start(session, scope, now=now, file="employers", sorts=_SORTS_WITH_HEADCOUNT)
    known = _find_known(session, scope, (COMPANIES_HOUSE, GENDER_PAY))
    by_number = _numbers(session, scope)
    listed = {place_id for (scheme, _), place_id in known.items() if scheme == COMPANIES_HOUSE}
    matching = _GenderPayMatching(
        known=known,
        by_number=by_number,
        numbered=listed | set(by_number.values()),
        # An employer that once came without a number is the same one, unless the file has both.
        without_number={row.match_key for row in rows if row.company_number is None},
        site_of=_stand_ins(session, scope),
    )
    done = 0
    for part in _parts(rows):
        fitting = [r for r in part if load.fits(r.row_number, "CurrentName", r.current_name)]
        _store_gender_pay(load, matching, fitting, time_zone)
        done += len(part)
        _tell(progress, done, len(rows))
    return load.loaded


def load_nhs(
    session: Session,
    scope: Scope,
    *,
    places: Sequence[nhs.TrustOrSite],
    staff: Sequence[nhs.OrganisationStaff],
    hospitals: Sequence[nhs.Hospital] = (),
    now: datetime,
    time_zone: str = "Europe/London",
    progress: Progress | None = None,
) -> Loaded:
    """Stores trusts as employers, sites as their workplaces, and staff as FTE of the employer.

    An organisation with staff but no row of its own becomes an employer too. A hospital gives its
    position to the site with its code. Errors and other arguments as in ``load_register``.
    """
    load = _Load.start(session, scope, now=now, file="sites", sorts=_SORTS_WITH_HEADCOUNT)
    known = _find_known(session, scope, (ODS,))
    positions = {
        hospital.code: (hospital.latitude, hospital.longitude)
        for hospital in hospitals
        if hospital.latitude is not None
    }
    trusts = [row for row in places if row.trust_code is None]
    listed = {row.code for row in trusts}
    others = list({row.code: row for row in staff if row.code not in listed}.values())
    total = len(places) + len(staff)
    done = 0
    bodies: list[nhs.TrustOrSite | nhs.OrganisationStaff] = [*trusts, *others]
    for part in _parts(bodies):
        done += _store_nhs_employers(load, known, part)
        _tell(progress, done, total)
    sites = [row for row in places if row.trust_code is not None]
    for site_part in _parts(sites):
        _store_nhs_sites(load, known, site_part, positions, time_zone)
        done += len(site_part)
        _tell(progress, done, total)
    for staff_part in _parts(staff):
        load.headcounts(
            [
                _Count(
                    place_id=known[ODS, row.code],
                    on_day=row.as_at,
                    counts=Counts.FTE,
                    low=float(row.fte),
                    best=float(row.fte),
                    high=float(row.fte),
                    note="NHS Digital workforce figures",
                )
                for row in staff_part
                if (ODS, row.code) in known
            ],
            HeadcountSource.PUBLISHED_REGISTER,
        )
        done += len(staff_part)
        _tell(progress, min(done, total), total)
    return load.loaded


def load_member_counts(
    session: Session,
    scope: Scope,
    rows: Sequence[member_counts.StatedCountRow],
    *,
    stated: StatedCounts,
    now: datetime,
    time_zone: str = "Europe/London",
    progress: Progress | None = None,
) -> Loaded:
    """Stores a workplace for each row under one employer, with its stated workers and members.

    The members are those of all unions together. Errors and other arguments as in
    ``load_register``.
    """
    load = _Load.start(
        session, scope, now=now, file="counts", sorts=(*_SORTS_WITH_HEADCOUNT, "member_counts")
    )
    employer = _stated_employer(load, stated)
    known = _find_known(session, scope, (stated.scheme,))
    note = (stated.source_note or stated.employer_name)[:300]
    done = 0
    for part in _parts(rows):
        fitting = [
            row
            for row in part
            if load.fits(row.row_number, "name", row.name) and _countable(load, row)
        ]
        new: list[tuple[str, Workplace]] = []
        for row in fitting:
            key = _short(row.external_id)
            if (stated.scheme, key) in known:
                load.loaded.tally("workplaces").unchanged += 1
                continue
            place = Workplace(
                name=row.name,
                employer_id=employer.id,
                country=stated.country,
                time_zone=time_zone,
                created_at=now,
            )
            load.add("workplaces", place)
            new.append((key, place))
        session.flush()
        load.place_new(
            [(place.id, employer.id) for _, place in new],
            {place.id: stated.on_day for _, place in new},
        )
        for key, place in new:
            load.identify(known, stated.scheme, key, place.id)
        load.headcounts(
            [
                _Count(
                    place_id=known[stated.scheme, _short(row.external_id)],
                    on_day=stated.on_day,
                    counts=Counts.SITE_ALL,
                    low=row.workers,
                    best=row.workers,
                    high=row.workers,
                    rounded_to=row.rounded_to,
                    note=note,
                )
                for row in fitting
                if row.workers is not None
            ],
            HeadcountSource.SURVEY,
        )
        load.member_counts(
            [(known[stated.scheme, _short(row.external_id)], row) for row in fitting],
            stated.on_day,
            note,
        )
        done += len(part)
        _tell(progress, done, len(rows))
    return load.loaded


_SORTS_WITH_HEADCOUNT = ("employers", "workplaces", "headcounts")
# What a register of employers says of an employer wins over what stands there; the rest only
# fills gaps, because the people on the spot know their workplace better than a yearly file.
_EMPLOYER_WINS = frozenset({"name", "sic_codes", "sic_section", "address"})
_NAME_WINS = frozenset({"name"})

Known = dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class _Count:
    """A headcount that a register states."""

    place_id: int
    on_day: date
    counts: Counts
    low: float
    best: float | None
    high: float | None
    note: str
    rounded_to: float | None = None

    @property
    def stated(self) -> tuple[float | None, ...]:
        return (self.low, self.best, self.high, self.rounded_to)


@dataclass(slots=True)
class _Load:
    """One load under way: where it stores, and what it has done so far."""

    session: Session
    scope: Scope
    now: datetime
    file: str
    root_id: int
    loaded: Loaded

    @classmethod
    def start(
        cls, session: Session, scope: Scope, *, now: datetime, file: str, sorts: Sequence[str]
    ) -> _Load:
        scope.require_everywhere(Permission.REGISTER_LOAD)
        loaded = Loaded({sort: Tally() for sort in sorts})
        return cls(session, scope, now, file, tree.everything_id(session), loaded)

    def fits(self, row_number: int, column: str, name: str, *, file: str = "") -> bool:
        """Says whether the name fits, and reports the row when it does not."""
        if len(name) <= NAME_LIMIT:
            return True
        self.leave_out(row_number, column, name, NAME_TOO_LONG, file=file)
        return False

    def leave_out(
        self, row_number: int, column: str, value: str, message: str, *, file: str = ""
    ) -> None:
        problem = Problem(row_number, column, shorten(value), message)
        self.loaded.problems.append(FileProblem(file or self.file, problem))

    def add(self, sort: str, row: Any) -> None:
        self.session.add(row)
        self.loaded.tally(sort).new += 1

    def update(
        self, sort: str, row: Any, values: Mapping[str, Any], *, wins: frozenset[str]
    ) -> None:
        """Changes what differs. A value that the register does not give never erases one."""
        changed = False
        for key, value in values.items():
            stands = getattr(row, key)
            if value is None or value == stands or (key not in wins and stands is not None):
                continue
            if key == "name" and fold(value) == fold(stands):
                continue  # Somebody put the capitals right by hand.
            setattr(row, key, value)
            changed = True
        tally = self.loaded.tally(sort)
        if changed:
            row.version += 1
            tally.changed += 1
        else:
            tally.unchanged += 1

    def place_new(self, links: Sequence[tuple[int, int]], since: Mapping[int, date]) -> None:
        """Hangs new places under their parents."""
        if links:
            tree.link_new(
                self.session, links, since=since, now=self.now, actor_id=self.scope.actor_id
            )

    def identify(self, known: Known, scheme: str, value: str, place_id: int) -> None:
        """Stores the id that the register gives a place."""
        known[scheme, value] = place_id
        self.session.add(ExternalId(place_id=place_id, scheme=scheme, value=value))

    def headcounts(self, counts: Sequence[_Count], source: HeadcountSource) -> None:
        """Stores headcounts; one of the same place, day and source is revised if it differs."""
        tally = self.loaded.tally("headcounts")
        held = {
            (row.place_id, row.counts, row.on_day): row
            for row in self._facts(Headcount, [count.place_id for count in counts])
            if row.source_kind == source
        }
        for count in counts:
            stands = held.get((count.place_id, count.counts, count.on_day))
            low, best, high, rounded_to = count.stated
            values = {"low": low, "best": best, "high": high, "rounded_to": rounded_to}
            if stands is None:
                self.session.add(
                    Headcount(
                        place_id=count.place_id,
                        on_day=count.on_day,
                        counts=count.counts,
                        source_kind=source,
                        source_note=count.note,
                        recorded_at=self.now,
                        recorded_by_id=self.scope.actor_id,
                        **values,
                    )
                )
                tally.new += 1
            else:
                self._revise(tally, stands, values)
        self.session.flush()

    def member_counts(
        self,
        rows: Sequence[tuple[int, member_counts.StatedCountRow]],
        on_day: date,
        note: str,
    ) -> None:
        """Stores stated members of all unions together; the same day's is revised if it differs."""
        tally = self.loaded.tally("member_counts")
        held = {
            row.place_id: row
            for row in self._facts(MemberCount, [place_id for place_id, _ in rows])
            if row.on_day == on_day
            and row.union_id is None
            and row.source_kind == HeadcountSource.SURVEY
        }
        for place_id, row in rows:
            values = {
                "members": row.members,
                "covered": row.covered,
                "rounded_to": row.rounded_to,
            }
            stands = held.get(place_id)
            if stands is None:
                self.session.add(
                    MemberCount(
                        place_id=place_id,
                        union_id=None,
                        on_day=on_day,
                        source_kind=HeadcountSource.SURVEY,
                        source_note=note,
                        recorded_at=self.now,
                        recorded_by_id=self.scope.actor_id,
                        **values,
                    )
                )
                tally.new += 1
            else:
                self._revise(tally, stands, values)
        self.session.flush()

    def _revise(self, tally: Tally, stands: Any, values: Mapping[str, Any]) -> None:
        if all(getattr(stands, key) == value for key, value in values.items()):
            tally.unchanged += 1
            return
        facts.revise(
            self.session, stands, now=self.now, actor_id=self.scope.actor_id, **dict(values)
        )
        tally.changed += 1

    def _facts(self, model: Any, place_ids: Sequence[int]) -> Iterator[Any]:
        for part in _parts(sorted(set(place_ids))):
            yield from self.session.scalars(
                self.scope.select(model).where(model.place_id.in_(part), facts.known(model))
            )


@dataclass(slots=True)
class _GenderPayMatching:
    """Finds the employer that a row is about.

    known: places by the ids of the registers. by_number: employers by the company number that
    somebody typed. numbered: all employers with a number. without_number: the keys of the file's
    rows without one. site_of: the workplace that stands for an employer's sites.
    """

    known: Known
    by_number: dict[str, int]
    numbered: set[int]
    without_number: set[str]
    site_of: dict[int, int]

    def employer_id(self, row: gender_pay.Employer) -> int | None:
        """Returns the employer's inner id, or None when it is new."""
        if row.company_number is None:
            return self.known.get((GENDER_PAY, _short(row.match_key)))
        number = row.company_number
        found = self.known.get((COMPANIES_HOUSE, number)) or self.by_number.get(number)
        if found is None:
            earlier = replace(row, company_number=None).match_key
            same_name = self.known.get((GENDER_PAY, _short(earlier)))
            # An employer with another number already is another company of that name.
            if earlier not in self.without_number and same_name not in self.numbered:
                found = same_name
                # A later row of this file may not be taken for the same employer.
                self.without_number.add(earlier)
        return found


def _store_gender_pay(
    load: _Load,
    matching: _GenderPayMatching,
    rows: Sequence[gender_pay.Employer],
    time_zone: str,
) -> None:
    """Stores one part of the employers, their stand-in workplaces, ids, links and size bands."""
    session = load.session
    matches = [matching.employer_id(row) for row in rows]
    held = _fetch(session, load.scope, Employer, matches)
    site_ids = [matching.site_of.get(match) for match in matches if match is not None]
    held_sites = _fetch(session, load.scope, Workplace, site_ids)
    employers: list[Employer] = []
    old_names: list[str | None] = []
    for row, match in zip(rows, matches, strict=True):
        employer = held.get(match) if match is not None else None
        values = _gender_pay_values(row)
        if employer is None:
            employer = Employer(name=row.current_name, country="GB", created_at=load.now, **values)
            load.add("employers", employer)
            old_names.append(None)
        else:
            old_names.append(employer.name)
            values["name"] = row.current_name
            load.update("employers", employer, values, wins=_EMPLOYER_WINS)
        employers.append(employer)
    session.flush()
    sites: list[Workplace] = []
    links: list[tuple[int, int]] = []
    since: dict[int, date] = {}
    for employer, match, old_name in zip(employers, matches, old_names, strict=True):
        if match is None:
            links.append((employer.id, load.root_id))
        name = _sites_name(employer.name)
        site = held_sites.get(matching.site_of.get(employer.id, 0))
        if site is None:
            site = Workplace(
                name=name,
                employer_id=employer.id,
                country="GB",
                time_zone=time_zone,
                created_at=load.now,
            )
            load.add("workplaces", site)
        else:
            # A name that somebody gave the workplace by hand stays.
            follows = old_name is not None and site.name == _sites_name(old_name)
            load.update("workplaces", site, {"name": name} if follows else {}, wins=_NAME_WINS)
        sites.append(site)
    session.flush()
    for row, employer, site in zip(rows, employers, sites, strict=True):
        scheme, value = _gender_pay_id(row)
        if (scheme, value) not in matching.known:
            load.identify(matching.known, scheme, value, employer.id)
        if employer.id not in matching.site_of:
            matching.site_of[employer.id] = site.id
            links.append((site.id, employer.id))
            session.add(
                ExternalId(place_id=site.id, scheme=GENDER_PAY_SITES, value=_short(row.match_key))
            )
        if row.headcount_on is not None:
            since[employer.id] = since[site.id] = row.headcount_on
    load.place_new(links, since)
    load.headcounts(
        [
            _Count(
                place_id=site.id,
                on_day=row.headcount_on,
                counts=Counts.EMPLOYER_DIRECT,
                low=row.headcount_low,
                best=None,
                high=row.headcount_high,
                note=f"Gender pay gap return: {row.size_band}",
            )
            for row, site in zip(rows, sites, strict=True)
            if row.headcount_low is not None and row.headcount_on is not None
        ],
        HeadcountSource.GENDER_PAY_RETURN,
    )


def _gender_pay_values(row: gender_pay.Employer) -> dict[str, Any]:
    section = sic_section(row.sic_codes[0]) if row.sic_codes else None
    return {
        "company_number": row.company_number,
        "sic_codes": list(row.sic_codes) or None,
        "sic_section": section[0] if section else None,
        "address": _address([row.address, row.postcode]),
        # Without the publisher's mark the sector is not known: many public bodies lack it.
        "sector": Sector.PUBLIC if row.public_sector else None,
    }


def _gender_pay_id(row: gender_pay.Employer) -> tuple[str, str]:
    if row.company_number is not None:
        return COMPANIES_HOUSE, row.company_number
    return GENDER_PAY, _short(row.match_key)


def _sites_name(employer_name: str) -> str:
    return f"All sites of {employer_name}"[:NAME_LIMIT]


def _store_nhs_employers(
    load: _Load,
    known: Known,
    rows: Sequence[nhs.TrustOrSite | nhs.OrganisationStaff],
) -> int:
    """Stores trusts and other organisations as employers; returns how many rows of sites."""
    fitting = [
        row
        for row in rows
        if load.fits(
            row.row_number,
            "name",
            row.name,
            file="sites" if isinstance(row, nhs.TrustOrSite) else "staff",
        )
    ]
    held = _fetch(load.session, load.scope, Employer, [known.get((ODS, r.code)) for r in fitting])
    new: list[tuple[nhs.TrustOrSite | nhs.OrganisationStaff, Employer]] = []
    for row in fitting:
        values: dict[str, Any] = {"name": row.name, "sector": Sector.PUBLIC}
        if isinstance(row, nhs.TrustOrSite):
            values["address"] = _address([*row.address_lines, row.postcode])
            values["closed_on"] = _closed_on(row)
        employer = held.get(known.get((ODS, row.code), 0))
        if employer is None:
            employer = Employer(country="GB", created_at=load.now, **values)
            load.add("employers", employer)
            new.append((row, employer))
        else:
            load.update("employers", employer, values, wins=_EMPLOYER_WINS)
    load.session.flush()
    load.place_new(
        [(employer.id, load.root_id) for _, employer in new],
        {employer.id: day for row, employer in new if (day := _since(row)) is not None},
    )
    for row, employer in new:
        load.identify(known, ODS, row.code, employer.id)
    return sum(isinstance(row, nhs.TrustOrSite) for row in rows)


def _store_nhs_sites(
    load: _Load,
    known: Known,
    rows: Sequence[nhs.TrustOrSite],
    positions: Mapping[str, tuple[float | None, float | None]],
    time_zone: str,
) -> None:
    fitting = []
    for row in rows:
        if (ODS, str(row.trust_code)) not in known:
            load.leave_out(row.row_number, "code", row.code, nhs.TRUST_MISSING)
        elif load.fits(row.row_number, "name", row.name):
            fitting.append(row)
    held = _fetch(load.session, load.scope, Workplace, [known.get((ODS, r.code)) for r in fitting])
    new: list[tuple[nhs.TrustOrSite, Workplace]] = []
    for row in fitting:
        latitude, longitude = positions.get(row.code, (None, None))
        values = {
            "name": row.name,
            "address": _address(row.address_lines),
            "postcode": row.postcode,
            "closed_on": _closed_on(row),
            "latitude": latitude,
            "longitude": longitude,
        }
        site = held.get(known.get((ODS, row.code), 0))
        if site is None:
            site = Workplace(
                employer_id=known[ODS, str(row.trust_code)],
                country="GB",
                time_zone=time_zone,
                created_at=load.now,
                **values,
            )
            load.add("workplaces", site)
            new.append((row, site))
        else:
            load.update("workplaces", site, values, wins=frozenset())
    load.session.flush()
    load.place_new(
        [(site.id, site.employer_id) for _, site in new],
        {site.id: row.opened_on for row, site in new if row.opened_on is not None},
    )
    for row, site in new:
        load.identify(known, ODS, row.code, site.id)


def _closed_on(row: nhs.TrustOrSite) -> date | None:
    # The register gives the last day of use; here a place is closed from a day on.
    return row.last_open_on + timedelta(days=1) if row.last_open_on is not None else None


def _since(row: nhs.TrustOrSite | nhs.OrganisationStaff) -> date | None:
    return row.opened_on if isinstance(row, nhs.TrustOrSite) else row.as_at


def _stated_employer(load: _Load, stated: StatedCounts) -> Employer:
    """Returns the employer that the places are put under, made when there is none of the name."""
    session, scope = load.session, load.scope
    key = _short(fold(stated.employer_name))
    known = _find_known(session, scope, (STATED,))
    if (STATED, key) in known:
        load.loaded.tally("employers").unchanged += 1
        earlier: Employer = _fetch(session, scope, Employer, [known[STATED, key]])[
            known[STATED, key]
        ]
        return earlier
    same_name = session.scalars(
        scope.select(Employer).where(Employer.name_key == fold(stated.employer_name)[:400])
    ).all()
    if len(same_name) > 1:
        raise Refusal(
            "More than one employer is called %(name)s. Give the places another employer's name.",
            name=stated.employer_name,
        )
    employer: Employer
    if same_name:
        employer = same_name[0]
        load.loaded.tally("employers").unchanged += 1
    else:
        employer = Employer(name=stated.employer_name, country=stated.country, created_at=load.now)
        load.add("employers", employer)
        session.flush()
        load.place_new([(employer.id, load.root_id)], {employer.id: stated.on_day})
    load.identify(known, STATED, key, employer.id)
    session.flush()
    return employer


def _countable(load: _Load, row: member_counts.StatedCountRow) -> bool:
    for column, count in (("workers", row.workers), ("members", row.members)):
        if count is not None and count >= MOST_PEOPLE:
            load.leave_out(row.row_number, column, str(count), TOO_MANY_PEOPLE)
            return False
    return True


def _find_known(session: Session, scope: Scope, schemes: Sequence[str]) -> Known:
    """Returns the inner ids of the places that the registers' own ids stand for."""
    rows = session.execute(
        scope.select(ExternalId.scheme, ExternalId.value, ExternalId.place_id).where(
            ExternalId.scheme.in_(schemes)
        )
    )
    return {(scheme, value): place_id for scheme, value, place_id in rows}


def _numbers(session: Session, scope: Scope) -> dict[str, int]:
    """Returns employers by company number, in the form of the register."""
    rows = session.execute(
        scope.select(Employer.company_number, Employer.id).where(
            Employer.company_number.is_not(None)
        )
    )
    found = ((gender_pay.company_number(number), employer_id) for number, employer_id in rows)
    return {number: employer_id for number, employer_id in found if number is not None}


def _stand_ins(session: Session, scope: Scope) -> dict[int, int]:
    """Returns the workplace that stands for all sites of an employer, by employer."""
    rows = session.execute(
        scope.select(Workplace.employer_id, Workplace.id)
        .join(ExternalId, ExternalId.place_id == Workplace.id)
        .where(ExternalId.scheme == GENDER_PAY_SITES)
    )
    return {int(employer_id): int(place_id) for employer_id, place_id in rows}


def _fetch(
    session: Session, scope: Scope, kind: type[Any], place_ids: Iterable[int | None]
) -> dict[int, Any]:
    """Returns the places of these inner ids, by id."""
    wanted = sorted({place_id for place_id in place_ids if place_id is not None})
    found = {}
    for part in _parts(wanted):
        for place in session.scalars(scope.select(kind).where(kind.id.in_(part))):
            found[place.id] = place
    return found


def _parts(rows: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def _short(value: str) -> str:
    """Returns a value that fits the column, still unlike every other."""
    if len(value) <= ID_LIMIT:
        return value
    return f"{value[:40]}#{hashlib.sha256(value.encode()).hexdigest()[:32]}"


def _address(parts: Iterable[str | None]) -> str | None:
    return ", ".join(part for part in parts if part)[:ADDRESS_LIMIT] or None


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)


def _merge(
    read: Sequence[FileProblem], loading: Sequence[FileProblem], kind: RegisterKind
) -> list[FileProblem]:
    """Returns all problems in the order of the files; a row left out replaces a softer word."""
    left_out = {(p.file, p.problem.row_number, p.problem.message) for p in loading}
    kept = [p for p in read if (p.file, p.problem.row_number, p.problem.message) not in left_out]
    order = FILES[kind].index
    return sorted([*kept, *loading], key=lambda p: (order(p.file), p.problem.row_number))
