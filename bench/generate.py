"""Invented records in three sizes, the same for the same seed and day, as rows for bulk loading.

``batches`` yields (table name, column names, rows) in an order in which every row comes after
the rows it points to. Values are written as text where both databases read the same text (days,
moments, ids), so that one stream of rows fits both.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from bench import names
from bench.spans import Job, Rated, Status, spans_of
from crm.domain.identity import fold

Batch = tuple[str, Sequence[str], list[tuple[Any, ...]]]

PEOPLE_A_BATCH: Final = 5_000
STILL_SO: Final = "9999-12-31"
# Sign-in names of the users that the measurements sign in as.
REP, ORGANISER, OFFICER, NATIONAL, ADMIN = (
    *("bench-rep-0", "bench-organiser", "bench-officer", "bench-national", "bench-admin"),
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much to generate. Shares are of contacts (0 to 1); talks is the mean of each contact."""

    name: str
    contacts: int
    workplaces: int
    employers: int
    regions: int
    unions: int
    areas: float
    reps: int
    years: int
    talks: float
    second_job: float = 0.146
    membership: float = 0.567
    issues: float = 0.6
    notes: float = 0.2
    followers: float = 0.5


SIZES: Final = {
    "group": Size("group", 200, 2, 1, 1, 1, areas=3, reps=3, years=2, talks=4),
    "branch": Size("branch", 5_000, 40, 15, 2, 2, areas=3, reps=20, years=3, talks=4),
    "national": Size(
        *("national", 1_300_000, 60_000, 20_000, 12, 8),
        areas=0.5,
        reps=2_000,
        years=10,
        talks=3.846,
        issues=0.2,
        notes=0.1,
    ),
}

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "user_account": (
        *("id", "public_id", "name", "sign_in_name", "active", "created_at", "version"),
    ),
    "place": (
        *("id", "public_id", "kind", "name", "name_key", "country", "created_at", "version"),
    ),
    "trade_union": ("id", "abbreviation"),
    "branch": ("id", "union_id"),
    "employer": ("id", "sector", "sic_codes", "sic_section"),
    "workplace": ("id", "employer_id", "region_id", "postcode", "time_zone"),
    "area": ("id", "workplace_id", "area_kind"),
    "place_edge": ("child_id", "parent_id", "valid_from", "recorded_at"),
    "place_closure": ("ancestor_id", "descendant_id"),
    "access_grant": ("public_id", "user_id", "role", "place_id", "valid_from", "recorded_at"),
    "headcount": (
        *("public_id", "place_id", "on_day", "counts", "low", "best", "high", "source_kind"),
        "recorded_at",
    ),
    "contact": (
        *("id", "public_id", "known_as", "full_name", "placeholder_label", "name_key"),
        *("how_known", "do_not_contact", "created_at", "version"),
    ),
    "contact_point": (
        *("public_id", "contact_id", "kind", "value", "value_key", "state", "recorded_at"),
    ),
    "job": (
        *("public_id", "contact_id", "place_id", "workplace_id", "area_id", "job_title"),
        *("contract_type", "from_is_first_seen", "valid_from", "valid_to", "recorded_at"),
    ),
    "membership": (
        *("public_id", "contact_id", "union_id", "branch_id", "status", "source"),
        *("valid_from", "valid_to", "recorded_at"),
    ),
    "conversation": (
        *("id", "public_id", "contact_id", "place_id", "held_by_id", "day", "held_at"),
        *("recorded_at", "channel", "asked", "answer"),
    ),
    "conversation_issue": ("conversation_id", "contact_id", "place_id", "issue"),
    "conversation_note": (
        *("conversation_id", "contact_id", "place_id", "author_id", "their_words"),
    ),
    "assessment": (
        *("public_id", "contact_id", "place_id", "conversation_id", "assessor_id", "day"),
        *("rating", "basis", "recorded_at"),
    ),
    "follow_up": (
        *("public_id", "contact_id", "place_id", "owner_id", "conversation_id", "due_on"),
        *("created_at", "done_at", "version"),
    ),
    "leading": (
        *("public_id", "contact_id", "place_id", "workplace_id", "stage", "found_by"),
        *("valid_from", "recorded_at"),
    ),
    "tie": (
        *("public_id", "contact_id", "place_id", "workplace_id", "leader_id", "basis"),
        *("valid_from", "recorded_at"),
    ),
    "state_span": (
        *("contact_id", "place_id", "workplace_id", "area_id", "from_day", "to_day", "member"),
        *("score", "scored_on", "score_firm"),
    ),
    "audit_entry": ("at", "verb", "subject", "new", "reason"),
}


@dataclass(slots=True)
class _Places:
    """What the people need to know of the places, by the number of the workplace from 0."""

    ids: list[int] = field(default_factory=list)
    areas: list[list[int]] = field(default_factory=list)
    unions: list[int] = field(default_factory=list)
    branches: list[int] = field(default_factory=list)


class Generator:
    """One stream of records. first_id: the first free key of place; root_id: the place tree's."""

    def __init__(self, size: Size, *, seed: int, today: date, root_id: int, first_id: int) -> None:
        self.size = size
        self.root_id = root_id
        self._next_place = first_id
        self._random = random.Random(seed)
        # A stream of its own, so that what else is invented stays as it is in earlier reports.
        self._chance = random.Random(seed + 1)
        # The leaders of each workplace, by its key, and how many people it has had so far.
        self._leaders: dict[int, list[int]] = {}
        self._seen: dict[int, int] = {}
        # Days are counted from a day before anything happened.
        self._today = int(size.years * 365.25 * 1.5)
        begin = today - timedelta(days=self._today)
        days = [begin + timedelta(days=number) for number in range(self._today + 400)]
        self._day = [day.isoformat() for day in days]
        self._moment = [day + " 18:00:00.000000" for day in self._day]
        self._edges: list[tuple[int, int]] = []
        self._users: dict[str, int] = {}
        self._places = _Places()

    def batches(self) -> Iterator[Batch]:
        """Yield every table's rows, places and users first, then the people in batches."""
        places = self._place_rows()
        yield from places
        yield self._batch("place_edge", self._edge_rows())
        yield self._batch("place_closure", self._closure_rows())
        yield self._batch("headcount", self._headcount_rows())
        yield from self._user_rows()
        yield from self._people()
        summary = json.dumps({"rows": self.size.contacts})
        reason = "records invented for a measurement"
        entry = (self._moment[self._today], "create", "contact", summary, reason)
        yield self._batch("audit_entry", [entry])

    def _batch(self, table: str, rows: list[tuple[Any, ...]]) -> Batch:
        return table, COLUMNS[table], rows

    def _uuid(self) -> str:
        bits = self._random.getrandbits(128)
        return f"{bits & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0x2 << 62:032x}"

    # Places

    def _new_place(self, rows: list[tuple[Any, ...]], kind: str, name: str, *parents: int) -> int:
        place_id = self._next_place
        self._next_place += 1
        made = self._moment[0]
        rows.append((place_id, self._uuid(), kind, name, fold(name), "GB", made, 1))
        self._edges.extend((place_id, parent) for parent in parents)
        return place_id

    def _place_rows(self) -> list[Batch]:
        size, rnd = self.size, self._random.random
        found: dict[str, list[tuple[Any, ...]]] = {
            table: []
            for table in ("place", "trade_union", "branch", "employer", "workplace", "area")
        }
        rows = found["place"]
        regions = [
            self._new_place(rows, "region", names.REGIONS[number], self.root_id)
            for number in range(size.regions)
        ]
        unions, branches = [], {}
        for number in range(size.unions):
            union = self._new_place(rows, "union", names.UNIONS[number], self.root_id)
            found["trade_union"].append((union, "".join(names.UNIONS[number].split()[0][:3])))
            unions.append(union)
            for at, region in enumerate(regions):
                name = f"{names.REGIONS[at]} {names.UNIONS[number].split()[0]} branch"
                branch = self._new_place(rows, "branch", name, union)
                found["branch"].append((branch, union))
                branches[union, region] = branch
        employers = []
        for number in range(size.employers):
            last = names.LAST[number * 37 % len(names.LAST)]
            kind = names.EMPLOYER_KINDS[number % len(names.EMPLOYER_KINDS)]
            employer = self._new_place(rows, "employer", f"{last} {kind} {number}", self.root_id)
            section, code = (("H", "52103"), ("Q", "86101"), ("C", "10110"))[number % 3]
            sector = ("private", "public", None)[int(rnd() * 3)]
            found["employer"].append((employer, sector, json.dumps([code]), section))
            employers.append(employer)
        for number in range(size.workplaces):
            employer = employers[number % len(employers)]
            # The first workplaces are all of the first branch, as the rows of a real one are.
            one_branch = size.workplaces <= 100
            region = regions[0 if one_branch else int(rnd() * len(regions))]
            union = unions[0 if one_branch else int(rnd() * len(unions))]
            town = names.LAST[int(rnd() * len(names.LAST))]
            name = f"{town} {names.SITES[number % len(names.SITES)]}"
            branch = branches[union, region]
            workplace = self._new_place(rows, "workplace", name, employer, region, branch)
            found["workplace"].append((workplace, employer, region, None, "Europe/London"))
            areas = []
            for at in range(int(size.areas) + (rnd() < size.areas % 1)):
                area = self._new_place(rows, "area", names.AREAS[at], workplace)
                found["area"].append((area, workplace, "department"))
                areas.append(area)
            self._places.ids.append(workplace)
            self._places.areas.append(areas)
            self._places.unions.append(union)
            self._places.branches.append(branch)
        self._unions = unions
        return [self._batch(table, batch) for table, batch in found.items()]

    def _edge_rows(self) -> list[tuple[Any, ...]]:
        since, recorded = self._day[0], self._moment[0]
        return [(child, parent, since, recorded) for child, parent in self._edges]

    def _closure_rows(self) -> list[tuple[Any, ...]]:
        """Every place with all that contains it. Parents are made first, so one pass is enough."""
        above: dict[int, set[int]] = {self.root_id: {self.root_id}}
        for child, parent in self._edges:
            above.setdefault(child, {child}).update(above[parent])
        return [
            (ancestor, place)
            for place, ancestors in above.items()
            if place != self.root_id  # The first migration stored the root's own pair.
            for ancestor in sorted(ancestors)
        ]

    def _headcount_rows(self) -> list[tuple[Any, ...]]:
        """Up to three estimates for nine workplaces in ten, above the people expected there."""
        rnd, size = self._random.random, self.size
        rows = []
        for number, workplace in enumerate(self._places.ids):
            if rnd() < 0.1:
                continue
            share = ((number + 1) / size.workplaces) ** (1 / _SKEW) - (
                number / size.workplaces
            ) ** (1 / _SKEW)
            best = int(size.contacts * share * (1.3 + 1.5 * rnd())) + 2
            for year in range(1 + int(rnd() * 3)):
                day = self._day[max(0, self._today - 200 - 365 * year)]
                rows.append(
                    (
                        *(self._uuid(), workplace, day, "site_all", int(best * 0.9), best),
                        *(int(best * 1.1) + 1, "organiser_count", day + " 18:00:00.000000"),
                    )
                )
        return rows

    # Users

    def _user_rows(self) -> list[Batch]:
        places = self._places
        wanted = [(ORGANISER, "organiser", places.branches[0])]
        wanted.append((OFFICER, "branch_officer", places.branches[0]))
        wanted.append((NATIONAL, "organiser", self.root_id))
        wanted.append((ADMIN, "administrator", self.root_id))
        wanted += [
            (f"bench-rep-{number}", "rep", places.ids[number % len(places.ids)])
            for number in range(self.size.reps)
        ]
        users, grants = [], []
        since, made = self._day[0], self._moment[0]
        for number, (sign_in_name, role, place) in enumerate(wanted, start=1):
            name = names.FIRST[number % len(names.FIRST)] + " " + names.LAST[number]
            users.append((number, self._uuid(), name, sign_in_name, 1, made, 1))
            grants.append((self._uuid(), number, role, place, since, made))
            self._users[sign_in_name] = number
        return [self._batch("user_account", users), self._batch("access_grant", grants)]

    # People

    def _people(self) -> Iterator[Batch]:
        self._keys = [fold(first) for first in names.FIRST]
        self._last_keys = [fold(last) for last in names.LAST]
        self._next_talk = 1
        for first in range(1, self.size.contacts + 1, PEOPLE_A_BATCH):
            rows: dict[str, list[tuple[Any, ...]]] = {
                table: []
                for table in (
                    *("contact", "contact_point", "job", "membership", "conversation"),
                    *("conversation_issue", "conversation_note", "assessment", "follow_up"),
                    *("leading", "tie", "state_span"),
                )
            }
            end = min(first + PEOPLE_A_BATCH, self.size.contacts + 1)
            for contact in range(first, end):
                self._person(rows, contact)
            for table, batch in rows.items():
                yield self._batch(table, batch)

    def _person(self, rows: dict[str, list[tuple[Any, ...]]], contact: int) -> None:
        rnd, day = self._random.random, self._day
        number = int(self.size.workplaces * rnd() ** _SKEW)
        start = int(self._today * rnd())
        self._contact(rows, contact, start)
        jobs = self._jobs(rows["job"], contact, number, start)
        statuses = self._membership(rows["membership"], contact, number, start)
        ratings = self._talks(rows, contact, number, jobs)
        self._following(rows, contact, jobs[0])
        for span in spans_of(jobs, statuses, ratings):
            workplace, area, since, until, member, score, scored_on, firm = span
            rows["state_span"].append(
                (
                    *(contact, area or workplace, workplace, area, day[since]),
                    STILL_SO if until is None else day[until],
                    None if member is None else int(member),
                    score,
                    None if scored_on is None else day[scored_on],
                    None if firm is None else int(firm),
                )
            )

    def _following(self, rows: dict[str, list[tuple[Any, ...]]], contact: int, job: Job) -> None:
        """One in ten of those still there leads; some of the others listen to a leader."""
        workplace, area, since, until = job
        if until is not None:
            return
        seen = self._seen.get(workplace, 0)
        self._seen[workplace] = seen + 1
        leaders = self._leaders.setdefault(workplace, [])
        day, made = self._day[since], self._moment[since]
        where = (f"{self._chance.getrandbits(128):032x}", contact, area or workplace, workplace)
        if seen % 10 == 0:
            leaders.append(contact)
            rows["leading"].append((*where, "identified", "named", day, made))
        elif self._chance.random() < self.size.followers:
            rows["tie"].append((*where, self._chance.choice(leaders), "self", day, made))

    def _contact(self, rows: dict[str, list[tuple[Any, ...]]], contact: int, start: int) -> None:
        rnd = self._random.random
        made = self._moment[start]
        if rnd() < 0.02:
            label = f"Night packer {contact}"
            named: tuple[Any, ...] = (None, None, label, label.lower())
        else:
            one = int(rnd() * len(names.FIRST))
            other = int(rnd() * len(names.LAST))
            first, last = names.FIRST[one], names.LAST[other]
            known_as = f"{first} {last[0]}"
            key = f"{self._keys[one]} {last[0].lower()} {self._keys[one]} {self._last_keys[other]}"
            named = (known_as, f"{first} {last}", None, key)
        how = ("met", "union_list", None)[int(rnd() * 3)]
        rows["contact"].append((contact, self._uuid(), *named, how, int(rnd() < 0.01), made, 1))
        if rnd() < 0.8:
            last_digits = int(rnd() * 1000)
            rows["contact_point"].append(
                (
                    *(self._uuid(), contact, "phone", f"07700 900{last_digits:03}"),
                    *(f"447700900{last_digits:03}", "works" if rnd() < 0.5 else None, made),
                )
            )

    def _jobs(
        self, rows: list[tuple[Any, ...]], contact: int, number: int, start: int
    ) -> list[Job]:
        """The first job, which one in four has left; and for some a second, after it or beside."""
        rnd, today = self._random.random, self._today
        left = start + 1 + int(rnd() * (today - start)) if rnd() < 0.25 else None
        jobs: list[Job] = [(*self._somewhere(number), start, left)]
        if rnd() < self.size.second_job:
            other = int(self.size.workplaces * rnd() ** _SKEW)
            since = left if left is not None else start + int(rnd() * (today - start))
            jobs.append((*self._somewhere(other), since, None))
        for workplace, area, since, until in jobs:
            title = names.JOB_TITLES[int(rnd() * len(names.JOB_TITLES))]
            contract = ("permanent", "agency", None)[int(rnd() * 3)]
            rows.append(
                (
                    *(self._uuid(), contact, area or workplace, workplace, area, title, contract),
                    *(int(rnd() < 0.5), self._day[since]),
                    *(None if until is None else self._day[until], self._moment[since]),
                )
            )
        return jobs

    def _somewhere(self, number: int) -> tuple[int, int | None]:
        areas = self._places.areas[number]
        area = areas[int(self._random.random() * len(areas))] if areas else None
        return self._places.ids[number], area

    def _membership(
        self, rows: list[tuple[Any, ...]], contact: int, number: int, start: int
    ) -> list[Status]:
        rnd = self._random.random
        if rnd() >= self.size.membership:
            return []
        since = start + int(rnd() * (self._today - start))
        until = since + 1 + int(rnd() * 700) if rnd() < 0.1 else None
        if until is not None and until > self._today:
            until = None
        member = rnd() < 0.7
        union = branch = None
        if member:
            at_home = rnd() < 0.9
            unions = self._unions
            union = self._places.unions[number] if at_home else unions[int(rnd() * len(unions))]
            branch = self._places.branches[number] if at_home else None
        rows.append(
            (
                *(self._uuid(), contact, union, branch, "member" if member else "not_member"),
                *("union_list" if member else "they_said", self._day[since]),
                *(None if until is None else self._day[until], self._moment[since]),
            )
        )
        return [(member, since, until)]

    def _talks(
        self,
        rows: dict[str, list[tuple[Any, ...]]],
        contact: int,
        number: int,
        jobs: Sequence[Job],
    ) -> list[Rated]:
        """Talks, each with an assessment, while the person worked at their first place."""
        rnd, size = self._random.random, self.size
        workplace, area, since, until = jobs[0]
        place = area or workplace
        length = (self._today if until is None else until) - since
        wanted = int(rnd() * (2 * size.talks + 1))
        days = sorted({since + int(rnd() * length) for _ in range(wanted)}) if length else []
        ratings: list[Rated] = []
        rep = self._users[f"bench-rep-{number % size.reps}"]
        for day in days:
            talk = self._next_talk
            self._next_talk += 1
            by = rep if rnd() < 0.7 else self._users[ORGANISER]
            moment, text = self._moment[day], self._day[day]
            asked, answer = (("join", "yes"), ("meeting", "not_yet"), (None, None))[int(rnd() * 3)]
            rows["conversation"].append(
                (
                    *(talk, self._uuid(), contact, place, by, text, moment, moment),
                    *("in_person", asked, answer),
                )
            )
            rating, firm = 1 + int(5 * rnd()), rnd() < 0.6
            basis = "said" if firm else "inferred"
            rows["assessment"].append(
                (self._uuid(), contact, place, talk, by, text, rating, basis, moment)
            )
            ratings.append((day, rating, firm))
            if rnd() < size.issues:
                issue = ("pay", "shifts", "safety", "staffing")[int(rnd() * 4)]
                rows["conversation_issue"].append((talk, contact, place, issue))
            if rnd() < size.notes:
                words = names.WORDS[int(rnd() * len(names.WORDS))]
                rows["conversation_note"].append((talk, contact, place, by, words))
        if days and rnd() < 0.15:
            self._follow_up(rows["follow_up"], contact, place, rep)
        return ratings

    def _follow_up(self, rows: list[tuple[Any, ...]], contact: int, place: int, rep: int) -> None:
        rnd = self._random.random
        owner = rep if rnd() < 0.95 else self._users[ORGANISER]
        due = self._today - 300 + int(rnd() * 330)
        made = self._moment[max(0, due - 10)]
        # What fell due long ago was done; of the last two weeks some still waits.
        waits = due > self._today - 14
        done = None if waits else self._moment[due]
        rows.append(
            (
                self._uuid(),
                contact,
                place,
                owner,
                self._next_talk - 1,
                self._day[due],
                made,
                done,
                1,
            )
        )


# People are spread unevenly: the first workplaces are several times as big as the last.
_SKEW: Final = 1.5
