"""The steps of a list on its way in. Nothing here commits; the caller's unit of work does.

A list is uploaded, matched, checked, imported and, for 30 days, can be taken back. The check
plans every row and writes nothing but what it found; the import plans each chunk again by the
same rule and stores it, with the state of its rows, in one transaction: whatever stops it, a
chunk is in or it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import loading, tasks
from crm.access.audit import record_export
from crm.access.holding import hold_lists
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.tables.found import Asked, Table
from crm.analysis.tables.front import front_of
from crm.domain.assessment import Basis
from crm.domain.columns import REPEATED, Target, is_sensitive
from crm.domain.errors import EditConflict, Refusal
from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.identity import fold
from crm.domain.listed import (
    Fault,
    Listed,
    ListedPlace,
    Matching,
    Repeats,
    read_person,
    read_place,
)
from crm.domain.rules import rule_books
from crm.domain.vocabulary import (
    HowKnown,
    ImportKind,
    ImportState,
    ListOrigin,
    MembershipSource,
    RowOutcome,
    RowState,
)
from crm.features.imports import people, places, queries, undoing
from crm.features.imports.others import OTHERS, OfOthers, OtherPlan
from crm.features.imports.own import NO_FIELD_OF_THE_NAME, OwnColumns, field_names
from crm.features.imports.people import Choices, Known, Names, Plan
from crm.features.imports.places import PlaceChoices, PlacePlan
from crm.features.imports.rules import (
    ALL_MEMBERS,
    Lack,
    Rules,
    Unready,
    as_recipe,
    body,
    day_of_titles,
    first_rules,
    guess_meanings,
    has_name,
    headings_hash,
    headings_of,
    look_through,
    only_headings,
    proposed_left_out,
    rules_of,
    valued_columns,
    values_of,
    with_guesses,
    with_recipe,
)
from crm.models.base import Base, table_of
from crm.models.imports import ImportRecipe, ImportRow, ListImport

IMPORT_TASK: Final = "import-list"
UNDO_TASK: Final = "undo-import"
CHECK_TASK: Final = "check-list"
# Rows at the beginning of a list that the matching page shows, and rows that could be left out.
PREVIEW: Final = 6
MOST_PROPOSED: Final = 40
# Longer lists are checked by the worker: nobody waits that long for a page.
CHECKED_AT_ONCE: Final = 1500
# Rows of a long list that are looked at together, and kept in one transaction.
LOOKED_AT_ONCE: Final = 2000
_FORGOTTEN_AT_ONCE: Final = 5000
_SIGN_EVERY: Final = 20_000  # rows

DRAFT_DAYS: Final = 7
UNDO_DAYS: Final = 30
# Rows of the first transaction of an import, and the most and fewest of any later one.
CHUNK: Final = 50
MOST_AT_ONCE: Final = 2000
FEWEST_AT_ONCE: Final = 100
# After so many rows, and then four times as many each time, the database looks at its tables anew.
COUNTED_ANEW: Final = 500
# What a transaction aims at until it is handed to the disk. On SQLite nobody else writes while it
# lasts, and whoever waits looks every 25 ms at first whether the lock is free: a rest as long after
# each lets them in.
HOLD_SECONDS: Final = 0.06
REST_SECONDS: Final = 0.03
# Where others may write meanwhile, a longer one saves work, and needs no rest.
LONG_HOLD_SECONDS: Final = 0.6
FEWEST_WHERE_NOBODY_WAITS: Final = 400
WARN_SHARE: Final = 0.3

HOW_KNOWN: Final[Mapping[ListOrigin, HowKnown]] = {
    ListOrigin.OUR_OWN: HowKnown.MET,
    ListOrigin.GIVEN_BY_THEM: HowKnown.CAME_TO_US,
    ListOrigin.UNION_AGREED: HowKnown.UNION_LIST,
    ListOrigin.PUBLISHED: HowKnown.OTHER,
}
_SOURCE: Final[Mapping[ListOrigin, MembershipSource]] = {
    ListOrigin.OUR_OWN: MembershipSource.TOLD_BY_COLLEAGUE,
    ListOrigin.GIVEN_BY_THEM: MembershipSource.THEY_SAID,
    ListOrigin.UNION_AGREED: MembershipSource.UNION_LIST,
    ListOrigin.PUBLISHED: MembershipSource.OTHER,
}

EMPLOYERS_OWN = (
    "Do not bring in data from your employer’s system. Taking it can be a crime and can cost you "
    "your job. Ask people for their details instead."
)
WITHOUT_LEAVE = (
    "Do not bring in your union’s data without its permission. Taking it can be a crime. "
    "Ask your branch for a list that you may use."
)
SAY_WHERE_FROM = "Choose where this list comes from."
NO_NAME_COLUMN = "Choose the column that holds the names."
TWICE = "Two columns go to the same thing. Leave one of them out."
SAY_DAY = "Enter the day that this list is true for."
DAY_TO_COME = "Enter a day that is not in the future."
SAY_STRONGEST = "Say which end of the scale means the strongest support."
SAY_WORKPLACE = "Choose the workplace, or the column that names it."
SAY_UNION = "Choose the union that this list speaks of, or the column that names it."
NO_PLACE_COLUMN = "Choose the column that holds the names of the workplaces."
SAY_WHO_COUNTS = "Say whom the headcount counts."
SAY_SOURCE = "Say where the numbers come from."
MEMBERS_TWICE = "A column says who is a member. Take this tick away, or leave that column out."
SAY_MEMBERS = (
    "Say who is a member too: choose the column that tells, tick that everybody on the list is, "
    "or leave this column out."
)
SAY_STANDING = "Choose the column that says where they stand too, or leave this one out."
SAY_BUYER = "Choose the employer that they supply, or the column that names it."
ONLY_HEADINGS = (
    "This file has headings, but no row below them. Choose the file that holds the list itself."
)
NO_ROWS = (
    "There is no row below the headings. Choose another sheet, or look at the row that holds the "
    "headings, under “This looks wrong”."
)
NOT_NOW = "This list is not at this step any more. Look at it again."
NOTHING_TO_DO = "There is nothing to import: no row is new, and none changes anything."
TOO_LATE = "The 30 days are over, so this cannot be undone in one go any more."
FILE_GONE = "The file is not kept any longer. Upload it again."
LOOK_FIRST = "Tick the box to say that you have looked at the warning."


@dataclass(frozen=True, slots=True)
class OfPeople:
    """One run over a list of people: how its rows are read, and whom they could be about.

    Nothing in it grows with the list but a few numbers a row: rows are read some at a time.
    """

    rules: Rules
    table: Table
    matching: Matching
    repeats: Mapping[int, Fault]
    choices: Choices
    names: Names
    same: Mapping[int, int]
    came_by: str


@dataclass(frozen=True, slots=True)
class OfPlaces:
    """One run over a list of workplaces. came: those that this import has made already.

    settled: which workplaces its names were said to mean.
    """

    rules: Rules
    listed: Mapping[int, ListedPlace]
    repeats: Mapping[int, Fault]
    time_zone: str
    note: str
    came: set[int]
    settled: Mapping[str, int]


Work = OfPeople | OfPlaces | OfOthers
AnyPlan = Plan | PlacePlan | OtherPlan


# --- What the pages of a long list show ---------------------------------------------------------

# Among what was found in a list: how many rows change what, and keep what; see ``counts_of``.
COUNTS: Final = ("counts",)
# Seals what ``front_of`` gave.
SealFront = Callable[[Mapping[str, Any]], bytes]


def front(
    table: Table,
    rules: Rules,
    seal: SealFront,
    shown: Iterable[int] = (),
    counts: Mapping[str, Mapping[str, int]] | None = None,
) -> bytes | None:
    """Return what the pages need of a list that the worker checks, sealed; None for a short one.

    shown: the numbers of rows that the check shows. counts: what else it says of all rows.
    """
    if len(table.rows) <= CHECKED_AT_ONCE:
        return None
    look_through(table, rules)
    if counts is not None:
        table.found[COUNTS] = counts
    proposed = sorted({*proposed_left_out(table, rules.heading_row), *rules.left_out})
    below = range(rules.heading_row, rules.heading_row + PREVIEW + 1)
    numbers = {*below, *proposed[:MOST_PROPOSED], *shown}
    return seal(front_of(table, (one for one in numbers if 0 < one <= len(table.rows))))


# --- Upload -----------------------------------------------------------------------------------


# What a list of a kind writes about, where that is not places.
_NEEDED: Final = {
    ImportKind.PEOPLE: Permission.CONTACT_WRITE,
    ImportKind.BALLOTS: Permission.BALLOT_WRITE,
}


# A list that we handed back has two columns more: the row, and what is wrong with it.
ADDED_COLUMNS: Final = 2


def refuse_origin(origin: ListOrigin | None) -> None:
    """Raise Refusal for a list that must not be brought in (UK DPA 2018, section 170)."""
    if origin is None:
        raise Refusal(SAY_WHERE_FROM)
    if origin is ListOrigin.EMPLOYER_SYSTEM:
        raise Refusal(EMPLOYERS_OWN)
    if origin is ListOrigin.UNION_WITHOUT_LEAVE:
        raise Refusal(WITHOUT_LEAVE)


def kinds_for(scope: Scope) -> list[ImportKind]:
    """Return what the lists may be about that this scope may bring in."""
    return [kind for kind in ImportKind if scope.may(_NEEDED.get(kind, Permission.PLACE_WRITE))]


def add_import(
    session: Session,
    scope: Scope,
    *,
    public_id: UUID,
    kind: ImportKind,
    origin: ListOrigin,
    origin_note: str | None,
    file_name: str,
    table: Table,
    sealed_file: bytes,
    sealed_table: bytes,
    seal_front: SealFront,
    today: date,
    now: datetime,
) -> None:
    """Store a list that was just read, its columns matched as its headings or last time say.

    public_id: what the sealed parts were bound to. Raises Refusal for a list that must not be
    brought in.
    """
    refuse_origin(origin)
    rules = first_rules(table, Asked())
    only = only_headings(table, kind)
    if only and len(table.sheets) < 2:
        raise Refusal(ONLY_HEADINGS)
    # Another sheet may hold the list: the matching page says that there is no row, and offers it.
    rules = replace(rules, heading_row=only) if only else rules
    rules = _matched_as_before(session, scope, kind, table, rules)
    rules = replace(
        rules, as_at=day_of_titles(table, rules, today=today), how_known=HOW_KNOWN[origin]
    )
    row = ListImport(
        public_id=public_id,
        owner_id=scope.actor_id,
        kind=kind,
        origin=origin,
        origin_note=origin_note,
        file_name=file_name[-200:],
        state=ImportState.MATCHING,
        created_at=now,
        expires_at=now + timedelta(days=DRAFT_DAYS),
        settings=rules.as_plain(),
        sealed_file=sealed_file,
        sealed_table=sealed_table,
        sealed_front=front(table, rules, seal_front),
    )
    row.version = 1
    session.add(row)


def _matched_as_before(
    session: Session, scope: Scope, kind: ImportKind, table: Table, rules: Rules
) -> Rules:
    for added in (0, ADDED_COLUMNS):
        headings = headings_hash(table, rules, without_last=added)
        recipe = queries.find_recipe(session, scope, kind, headings)
        if recipe is not None and len(recipe["targets"]) == table.width - added:
            return with_recipe(rules, recipe, kind, table)
    rules = with_guesses(rules, kind, table)
    return _with_own_fields(session, scope, table, rules) if kind is ImportKind.PEOPLE else rules


def _with_own_fields(session: Session, scope: Scope, table: Table, rules: Rules) -> Rules:
    """Return the rules with the columns that have the name of a field and go nowhere else."""
    names = field_names(session, scope)
    targets = list(rules.targets)
    for place, heading in enumerate(headings_of(table, rules) if names else ()):
        free = targets[place] is Target.LEAVE_OUT
        if free and fold(heading)[:200] in names and not is_sensitive(heading, []):
            targets[place] = Target.OWN_FIELD
    return replace(rules, targets=tuple(targets))


def read_again(
    session: Session,
    scope: Scope,
    public_id: UUID,
    *,
    table: Table,
    sealed_table: bytes,
    seal_front: SealFront,
    asked: Asked,
) -> None:
    """Take the rows of a file that was read in another way; what was matched begins anew."""
    row = queries.find_row(session, scope, public_id, hold=True)
    _require(row, ImportState.MATCHING, ImportState.CHECKED)
    before = rules_of(row.settings)
    rules = _matched_as_before(session, scope, row.kind, table, first_rules(table, asked))
    rules = replace(rules, as_at=before.as_at, how_known=before.how_known)
    row.sealed_table = sealed_table
    row.sealed_front = front(table, rules, seal_front)
    _keep(session, row, rules)


def choose_rows(
    session: Session,
    scope: Scope,
    public_id: UUID,
    *,
    table: Table,
    seal_front: SealFront,
    heading_row: int,
    left_out: Sequence[int],
) -> None:
    """Say which row holds the headings, and which rows are not part of the list."""
    row = queries.find_row(session, scope, public_id, hold=True)
    _require(row, ImportState.MATCHING, ImportState.CHECKED)
    before = rules_of(row.settings)
    rules = replace(before, heading_row=heading_row, left_out=tuple(left_out))
    if heading_row != before.heading_row:
        rules = _matched_as_before(session, scope, row.kind, table, replace(rules, meanings={}))
    row.sealed_front = front(table, rules, seal_front)
    _keep(session, row, rules)


def _keep(session: Session, row: ListImport, rules: Rules) -> None:
    """Store rules. What was found by others counts no more; the next check takes it out."""
    row.settings = rules.as_plain()
    row.state = ImportState.MATCHING
    row.version += 1


def _forget_rows(session: Session, import_id: int) -> None:
    rows = table_of(ImportRow)
    session.flush()
    session.connection().execute(sa.delete(rows).where(rows.c.import_id == import_id))


def _require(row: ListImport, *states: ImportState) -> None:
    if row.state not in states:
        raise Refusal(NOT_NOW)


# --- Matching ---------------------------------------------------------------------------------


def match(
    session: Session, scope: Scope, public_id: UUID, rules: Rules, table: Table, *, today: date
) -> Rules:
    """Store how the columns are matched, with the meaning of each value that speaks for itself.

    Raises Unready for what is missing: names, a day, a workplace, the strong end of a scale.
    """
    row = queries.find_row(session, scope, public_id, hold=True)
    _require(row, ImportState.MATCHING, ImportState.CHECKED)
    refuse_unready(row.kind, rules, table, today=today)
    fields = _own_fields(rules, table)
    if not set(fields.values()) <= (field_names(session, scope) if fields else set()):
        raise Refusal(NO_FIELD_OF_THE_NAME)
    rules = guess_meanings(rules, table, offered_names(session, scope, rules, table))
    _keep(session, row, rules)
    _keep_recipe(session, scope, row.kind, rules, table, row.created_at)
    return rules


def refuse_unready(kind: ImportKind, rules: Rules, table: Table, *, today: date) -> None:
    """Raise Unready, with all that is missing, for rules that a list cannot be checked by."""
    if next(body(table, rules), None) is None:
        raise Refusal(NO_ROWS)
    lacks = list(_twice(rules))
    if kind in OTHERS:
        lacks += OTHERS[kind].lacks(rules, table, today=today)
    else:
        lacks += _lacks_day(rules, today)
        lacks += _people_lack(rules) if kind is ImportKind.PEOPLE else _places_lack(rules, kind)
    if lacks:
        raise Unready(lacks)


def _twice(rules: Rules) -> Iterator[Lack]:
    for place, target in enumerate(rules.targets):
        if target in rules.targets[:place] and target not in {Target.LEAVE_OUT, *REPEATED}:
            yield f"to{place}", Refusal(TWICE)


def _lacks_day(rules: Rules, today: date) -> Iterator[Lack]:
    if rules.as_at is None:
        yield "as_at", Refusal(SAY_DAY)
    elif rules.as_at > today:
        yield "as_at", Refusal(DAY_TO_COME)


def _places_lack(rules: Rules, kind: ImportKind) -> Iterator[Lack]:
    if not rules.columns_of(Target.PLACE_NAME):
        yield "to0", Refusal(NO_PLACE_COLUMN)
    if rules.columns_of(Target.HEADCOUNT) and rules.counts is None:
        yield "counts", Refusal(SAY_WHO_COUNTS)
    counted = rules.columns_of(Target.HEADCOUNT, Target.MEMBERS)
    if counted and rules.source is None:
        yield "source", Refusal(SAY_SOURCE)
    buys = rules.answers.get(places.BUYER) or rules.columns_of(Target.SUPPLIES)
    if kind is ImportKind.SUPPLIERS and not buys:
        yield "buyer", Refusal(SAY_BUYER)


def _people_lack(rules: Rules) -> Iterator[Lack]:
    if not has_name(rules.targets):
        yield "to0", Refusal(NO_NAME_COLUMN)
    # Whom a number of ours finds needs no workplace; anybody else in the list does.
    says_who = bool(rules.columns_of(Target.WORKPLACE, Target.NUMBER))
    if rules.workplace is None and not says_who:
        yield "workplace", Refusal(SAY_WORKPLACE)
    told, all_members = rules.columns_of(Target.MEMBER), ALL_MEMBERS in rules.answers
    if told and all_members:
        yield ALL_MEMBERS, Refusal(MEMBERS_TWICE)
    says_union = rules.union is not None or bool(rules.columns_of(Target.UNION))
    if (told or all_members) and not says_union:
        yield "union", Refusal(SAY_UNION)
    if not (told or all_members):
        # Without this they would be passed by, and nobody would be told.
        for place in rules.columns_of(Target.UNION, Target.JOINED_ON):
            yield f"to{place}", Refusal(SAY_MEMBERS)
    if rules.columns_of(Target.STANDING) and rules.strongest is None:
        yield "strongest", Refusal(SAY_STRONGEST)
    if not rules.columns_of(Target.STANDING):
        for place in rules.columns_of(Target.STANDING_ON):
            yield f"to{place}", Refusal(SAY_STANDING)


def offered_names(
    session: Session, scope: Scope, rules: Rules, table: Table
) -> dict[Target, dict[str, str]]:
    """Return, for each target with a list, the folded names that speak for themselves."""
    offered: dict[Target, dict[str, str]] = {}
    sites = list(rules.columns_of(Target.WORKPLACE))
    if sites:
        names = list(values_of(table, rules, sites[0]).values())
        offered[Target.WORKPLACE] = queries.workplaces_by_name(session, scope, names)
    for place in rules.columns_of(Target.UNION):
        names = list(values_of(table, rules, place).values())
        offered[Target.UNION] = queries.union_names(session, scope, names)
    for place in rules.columns_of(Target.SUPPLIES):
        names = list(values_of(table, rules, place).values())
        offered[Target.SUPPLIES] = queries.buyers_by_name(session, scope, names)
    if rules.columns_of(Target.LAW):
        offered[Target.LAW] = {
            fold(word): code for code, book in rule_books().items() for word in (code, book.name)
        }
    for place in rules.columns_of(Target.EMPLOYER):
        names = list(values_of(table, rules, place).values())
        offered[Target.EMPLOYER] = queries.employers_by_name(session, scope, names)
    if rules.columns_of(Target.AREA) or rules.columns_of(Target.SHIFT):
        areas, shifts = queries.parts_of(session, scope, _workplaces(rules, offered))
        offered[Target.AREA] = {key: key for key in areas}
        offered[Target.SHIFT] = {key: key for key in shifts}
    return offered


def _workplaces(rules: Rules, offered: Mapping[Target, Mapping[str, str]]) -> list[str]:
    found = set(offered.get(Target.WORKPLACE, {}).values())
    for place in rules.columns_of(Target.WORKPLACE):
        found |= set(rules.meanings.get(place, {}).values())
    if rules.workplace is not None:
        found.add(rules.workplace)
    return sorted(found - {""})


def workplaces_of(rules: Rules) -> list[str]:
    """Return the public ids of all workplaces that the list is about."""
    return _workplaces(rules, {})


def choose_meanings(
    session: Session,
    scope: Scope,
    public_id: UUID,
    meanings: Mapping[int, Mapping[str, str]],
    table: Table,
    *,
    now: datetime,
) -> None:
    """Store what values stand for; "" for one that is as good as empty.

    A place that the scope may not write at is not taken: the value then stays unmatched.
    """
    row = queries.find_row(session, scope, public_id, hold=True)
    _require(row, ImportState.MATCHING, ImportState.CHECKED)
    rules = rules_of(row.settings)
    merged = {place: dict(words) for place, words in rules.meanings.items()}
    for place, words in meanings.items():
        if place in valued_columns(rules):
            merged.setdefault(place, {}).update(words)
    rules = replace(rules, meanings=merged)
    # Another workplace has other areas: what now speaks for itself is matched too.
    rules = guess_meanings(rules, table, offered_names(session, scope, rules, table))
    _keep(session, row, rules)
    _keep_recipe(session, scope, row.kind, rules, table, now)


def _keep_recipe(
    session: Session,
    scope: Scope,
    kind: ImportKind,
    rules: Rules,
    table: Table,
    now: datetime,
) -> None:
    headings = headings_hash(table, rules)
    if headings is None:
        return
    recipe: ImportRecipe | None = session.scalars(
        scope.select(ImportRecipe).where(
            ImportRecipe.owner_id == scope.actor_id,
            ImportRecipe.kind == kind,
            ImportRecipe.headings_hash == headings,
        )
    ).one_or_none()
    if recipe is None:
        recipe = ImportRecipe(owner_id=scope.actor_id, kind=kind, headings_hash=headings)
        session.add(recipe)
    recipe.used_at = now
    kept = OTHERS[kind].kept_answers if kind in OTHERS else {places.OWN_EMPLOYER, ALL_MEMBERS}
    recipe.settings = as_recipe(rules, table, kept)


# --- Check ------------------------------------------------------------------------------------


def prepare(
    session: Session,
    scope: Scope,
    row: ListImport,
    rules: Rules,
    table: Table,
    *,
    today: date,
    time_zone: str,
    alive: Callable[[], None] = lambda: None,
    since: int | None = None,
) -> Work:
    """Read the rows of a list and what they could be about. Writes nothing.

    time_zone: of workplaces that are new, an IANA name. alive: called now and then, because a long
    list takes longer to read than other workers wait for a sign of life. since: of
    ``people_so_far``, where rows are to be stored.
    """
    if row.kind in OTHERS:
        return OTHERS[row.kind].read(rules, table, today=today)
    matching = Matching(rules.targets, rules.meanings, today)
    if row.kind is not ImportKind.PEOPLE:
        places_listed = {
            number: read_place(number, cells, matching) for number, cells in body(table, rules)
        }
        settled = places.load_settled(session, scope, rules.names)
        return OfPlaces(
            rules,
            places_listed,
            places.find_place_repeats(list(places_listed.values()), settled.meant),
            time_zone,
            (row.origin_note or row.file_name)[:300],
            set(),
            settled.by_name,
        )
    unions = {
        meaning
        for place in rules.columns_of(Target.UNION)
        for meaning in rules.meanings.get(place, {}).values()
        if meaning
    }
    choices = people.load_choices(
        session,
        scope,
        workplaces=workplaces_of(rules),
        unions=[*([rules.union] if rules.union else []), *sorted(unions)],
        workplace=rules.workplace,
        union=rules.union,
        as_at=rules.as_at or today,
        how_known=rules.how_known,
        basis=rules.basis or Basis.TOLD,
        source=_source(rules.how_known),
        all_members=ALL_MEMBERS in rules.answers,
        own=OwnColumns(_own_fields(rules, table), bool(rules.columns_of(Target.TAGS))),
    )
    chosen = queries.people_by_public_id(session, scope, list(rules.same.values()))
    same = {number: chosen[one] for number, one in rules.same.items() if one in chosen}
    return OfPeople(
        rules=rules,
        table=table,
        matching=matching,
        repeats=_repeats(table, rules, matching, alive),
        choices=choices,
        names=Names.load(session, scope, choices, since=since),
        same=same,
        came_by=request_id_of(row.public_id),
    )


def _own_fields(rules: Rules, table: Table) -> dict[int, str]:
    """Return the folded heading of each column that goes to a field of a branch."""
    headings = headings_of(table, rules)
    return {place: fold(headings[place])[:200] for place in rules.columns_of(Target.OWN_FIELD)}


def _repeats(
    table: Table, rules: Rules, matching: Matching, alive: Callable[[], None]
) -> dict[int, Fault]:
    repeats = Repeats()
    narrow = matching.narrowed(Repeats.TOLD_BY)
    for number, cells in body(table, rules):
        repeats.add(read_person(number, cells, narrow))
        if number % _SIGN_EVERY == 0:
            alive()
    return repeats.find()


def _read(work: OfPeople, row_no: int) -> Listed:
    return read_person(row_no, work.table.rows[row_no - 1], work.matching)


def _place_choices(
    session: Session, scope: Scope, work: OfPlaces, rows: Sequence[ListedPlace]
) -> PlaceChoices:
    rules = work.rules
    employers = _meant(rules, Target.EMPLOYER)
    if rules.employer is not None:
        employers.add(rules.employer)
    return places.load_place_choices(
        session,
        scope,
        rows,
        employers=sorted(employers),
        union=rules.union,
        employer=rules.employer,
        as_at=rules.as_at,
        counts=Counts(rules.counts) if rules.counts else Counts.SITE_ALL,
        source=HeadcountSource(rules.source) if rules.source else HeadcountSource.OTHER,
        time_zone=work.time_zone,
        note=work.note,
        buyers=_meant(rules, Target.SUPPLIES) | {rules.answers.get(places.BUYER, "")},
        buyer=rules.answers.get(places.BUYER),
        of_suppliers=bool(rules.answers.get(places.BUYER) or rules.columns_of(Target.SUPPLIES)),
        own_employer=places.OWN_EMPLOYER in rules.answers,
        settled=work.settled,
    )


def _meant(rules: Rules, target: Target) -> set[str]:
    """Return what the values of a column may stand for, in this list."""
    columns = (rules.meanings.get(place, {}) for place in rules.columns_of(target))
    return {meaning for words in columns for meaning in words.values() if meaning}


def _source(how_known: HowKnown | None) -> MembershipSource:
    by_known = {HOW_KNOWN[origin]: source for origin, source in _SOURCE.items()}
    return by_known.get(how_known, MembershipSource.OTHER) if how_known else MembershipSource.OTHER


@dataclass(frozen=True, slots=True)
class Checking:
    """A check that is under way: the version of the list that it looks at, and its rows.

    left_out: numbers of the rows that are passed by.
    """

    version: int
    import_id: int
    owner_id: int
    rules: Rules
    work: Work
    left_out: tuple[int, ...]


def prepare_to_look(
    session: Session,
    scope: Scope,
    public_id: UUID,
    table: Table,
    *,
    today: date,
    time_zone: str,
    alive: Callable[[], None] = lambda: None,
) -> Checking:
    """Return what ``look`` needs. It only reads: nobody waits for it to write.

    Raises Refusal when the list is not matched, or is being imported already.
    """
    row = queries.find_row(session, scope, public_id)
    _require(row, ImportState.MATCHING, ImportState.CHECKED)
    rules = rules_of(row.settings)
    refuse_unready(row.kind, rules, table, today=today)
    work = prepare(session, scope, row, rules, table, today=today, time_zone=time_zone, alive=alive)
    left_out = tuple(
        number for number in rules.left_out if rules.heading_row < number <= len(table.rows)
    )
    return Checking(row.version, row.id, row.owner_id, rules, work, left_out)


def read_in_parts(checking: Checking) -> Iterator[Sequence[Listed]]:
    """Yield the rows of a list of people some at a time, and of any other all at once, as none."""
    work = checking.work
    if not isinstance(work, OfPeople):
        yield []
        return
    some: list[Listed] = []
    for number, cells in body(work.table, work.rules):
        some.append(read_person(number, cells, work.matching))
        if len(some) == LOOKED_AT_ONCE:
            yield some
            some = []
    yield some


def forget_look(session: Session, scope: Scope, public_id: UUID) -> int:
    """Take out some rows of an earlier check, which counts no more; return how many, 0 at the end.

    Some at a time, because others wait to write meanwhile. Raises Refusal at another step.
    """
    row = queries.find_row(session, scope, public_id, hold=True)
    _require(row, ImportState.MATCHING, ImportState.CHECKED)
    row.state = ImportState.MATCHING
    session.flush()
    rows = table_of(ImportRow)
    some = session.scalars(
        scope.select(ImportRow.id).where(ImportRow.import_id == row.id).limit(_FORGOTTEN_AT_ONCE)
    ).all()
    for ids in people.in_parts(some):
        session.connection().execute(sa.delete(rows).where(rows.c.id.in_(ids)))
    return len(some)


def look(
    session: Session, scope: Scope, checking: Checking, some: Sequence[Listed]
) -> list[dict[str, Any]]:
    """Find out what each of these rows would do; return the columns that ``keep_look`` takes.

    Nothing that stands in a cell is among them. It only reads.
    """
    work = checking.work
    plans: Sequence[AnyPlan]
    if isinstance(work, OfPlaces):
        listed = list(work.listed.values())
        choices = _place_choices(session, scope, work, listed)
        of_places = places.plan_places(session, scope, listed, choices, repeats=work.repeats)
        places.look_alike(session, scope, of_places, work.rules.names)
        plans = of_places
    elif not isinstance(work, OfPeople):
        plans = work.plan(session, scope, list(work.listed))
    else:
        found = _plan(session, scope, work, some)
        people.look_alike(session, scope, found, work.choices, different=work.rules.different)
        plans = found
    of_list = {"import_id": checking.import_id, "owner_id": checking.owner_id}
    return [
        {**of_list, "row_no": one.row_no, "state": RowState.WAITING, **_found(one)} for one in plans
    ]


def keep_look(
    session: Session,
    scope: Scope,
    public_id: UUID,
    checking: Checking,
    rows: Sequence[dict[str, Any]],
    *,
    first: bool,
    last: bool,
    sealed_front: bytes | None = None,
) -> Checking:
    """Keep what a check found of some rows. No person and no place is written.

    first: what an earlier check found is forgotten, and the list counts as not checked. last: now
    it is checked, and sealed_front is what its page shows. Return the check as it goes on. Raises
    Refusal when the list was changed while it was looked at.
    """
    row = queries.find_row(session, scope, public_id, hold=True)
    _require(row, ImportState.MATCHING, ImportState.CHECKED)
    if row.version != checking.version:
        raise Refusal(NOT_NOW)
    if first:
        _forget_rows(session, row.id)
        row.state = ImportState.MATCHING
        row.version += 1
    loading.put(session.connection(), table_of(ImportRow), loading.dicts(rows))
    if last:
        _keep_left_out(session, checking)
        row.sealed_front = sealed_front
        row.state = ImportState.CHECKED
        row.version += 1
    return replace(checking, version=row.version)


def _keep_left_out(session: Session, checking: Checking) -> None:
    nothing = dict.fromkeys(("record_id", "changes", "faults", "candidates"))
    rows = [
        {
            "import_id": checking.import_id,
            "owner_id": checking.owner_id,
            "row_no": number,
            "state": RowState.PASSED_BY,
            "outcome": RowOutcome.LEFT_OUT,
            **nothing,
        }
        for number in checking.left_out
    ]
    if rows:
        session.connection().execute(sa.insert(table_of(ImportRow)), rows)


def request_check(session: Session, scope: Scope, public_id: UUID, *, now: datetime) -> UUID:
    """Hand the check of a long list to the worker; return the public id of the task."""
    row = queries.find_row(session, scope, public_id, hold=True)
    _require(row, ImportState.MATCHING, ImportState.CHECKED)
    return _enqueue(session, scope, CHECK_TASK, row, now=now)


def _plan(session: Session, scope: Scope, work: OfPeople, rows: Sequence[Listed]) -> list[Plan]:
    known = Known.load(session, scope, rows, work.choices, work.names, came_by=work.came_by)
    return people.plan(
        session,
        scope,
        rows,
        work.choices,
        known,
        repeats=work.repeats,
        same=work.same,
        different=work.rules.said_new,
    )


def _kept(one: AnyPlan) -> Sequence[str]:
    met = one.outcome in {RowOutcome.CHANGED, RowOutcome.UNCHANGED}
    return list(dict.fromkeys(one.kept)) if isinstance(one, Plan) and met else []


def _found(one: AnyPlan) -> dict[str, Any]:
    """Return the columns of a row that say what was found. Nothing of its cells is among them."""
    return {
        "outcome": one.outcome,
        "record_id": one.contact_id,
        "changes": [*one.changes, *(queries.KEPT + name for name in _kept(one))] or None,
        "faults": (
            {"faults": [[fault.column, fault.message, fault.number] for fault in one.faults]}
            if one.faults
            else None
        ),
        "candidates": (
            {"people": [[each.contact_id, list(each.why)] for each in one.candidates]}
            if one.candidates
            else None
        ),
    }


def put_right(
    session: Session,
    scope: Scope,
    public_id: UUID,
    *,
    sealed_table: bytes | None = None,
    skip: Iterable[int] = (),
    same: Mapping[int, str] | None = None,
    different: Iterable[int] = (),
    employer: str | None = None,
    own_employer: bool = False,
    version: int,
    now: datetime,
) -> None:
    """Keep what was put right in the check: cells, rows to skip, who is whom.

    sealed_table: the rows with the new cells. employer, own_employer: of workplaces that are new,
    None and False where nothing was said. Raises EditConflict when the list was checked
    again in another tab since.
    """
    row = queries.find_row(session, scope, public_id, hold=True)
    _require(row, ImportState.CHECKED)
    if row.version != version:
        raise EditConflict(current={"version": row.version}, yours={"version": version})
    rules = rules_of(row.settings)
    new = set(different)
    rules = replace(
        rules,
        left_out=tuple(sorted({*rules.left_out, *skip})),
        same={**rules.same, **(same or {})},
        different=tuple(sorted({*rules.different, *new})),
        different_at={**rules.different_at, **dict.fromkeys(new, now.isoformat())},
    )
    if employer is not None or own_employer:
        answers = {key: one for key, one in rules.answers.items() if key != places.OWN_EMPLOYER}
        answers |= {places.OWN_EMPLOYER: places.ITS_OWN} if own_employer else {}
        rules = replace(rules, employer=employer, answers=answers)
    if sealed_table is not None:
        row.sealed_table = sealed_table
        row.sealed_front = None
    row.settings = rules.as_plain()
    row.version += 1


def settle_names(
    session: Session,
    scope: Scope,
    public_id: UUID,
    names: Mapping[str, str],
    table: Table,
    *,
    now: datetime,
) -> None:
    """Keep which workplaces names mean, in the list and for the next one with its headings.

    names: as Rules.names.
    """
    row = queries.find_row(session, scope, public_id, hold=True)
    _require(row, ImportState.CHECKED)
    rules = rules_of(row.settings)
    rules = replace(rules, names={**rules.names, **names})
    row.settings = rules.as_plain()
    _keep_recipe(session, scope, row.kind, rules, table, now)


# --- Import -----------------------------------------------------------------------------------


def change_share(view: queries.ImportView) -> float | None:
    """Return which share of the people found again would change, from 0 to 1; None for nobody."""
    found = view.count(RowOutcome.CHANGED, RowOutcome.UNCHANGED)
    return view.count(RowOutcome.CHANGED) / found if found else None


def start(
    session: Session, scope: Scope, public_id: UUID, *, looked: bool, version: int, now: datetime
) -> None:
    """Hand the import to the worker.

    looked: the warning was seen, which is needed when over 30 % of the people found again would
    change. version: of the check that was looked at. Raises Refusal when nothing can be imported,
    or the check is not the latest.
    """
    row = queries.find_row(session, scope, public_id, hold=True)
    _require(row, ImportState.CHECKED)
    if row.version != version:
        raise Refusal(NOT_NOW)
    view = queries.get_import(session, scope, public_id)
    if not view.count(RowOutcome.NEW, RowOutcome.CHANGED):
        raise Refusal(NOTHING_TO_DO)
    share = change_share(view)
    if share is not None and share > WARN_SHARE and not looked:
        raise Refusal(LOOK_FIRST)
    row.expires_at = now + timedelta(days=UNDO_DAYS)
    _hand_in(session, scope, row, now=now)


def go_on(session: Session, scope: Scope, public_id: UUID, *, now: datetime) -> None:
    """Hand the rest of an import to the worker that was stopped, or that its server gave up."""
    row = queries.find_row(session, scope, public_id, hold=True)
    waits = queries.is_left_alone(session, scope, row)
    if row.state is not ImportState.STOPPED and not waits:
        raise Refusal(NOT_NOW)
    if row.state is ImportState.UNDOING:
        _enqueue(session, scope, UNDO_TASK, row, now=now)
        return
    _hand_in(session, scope, row, now=now)


def _hand_in(session: Session, scope: Scope, row: ListImport, *, now: datetime) -> None:
    row.state = ImportState.IMPORTING
    row.version += 1
    _enqueue(session, scope, IMPORT_TASK, row, now=now)


def _enqueue(session: Session, scope: Scope, kind: str, row: ListImport, *, now: datetime) -> UUID:
    payload = {"import": str(row.public_id)}
    return tasks.enqueue(session, scope, kind=kind, payload=payload, now=now).public_id


def stop(session: Session, scope: Scope, public_id: UUID) -> None:
    """Ask the import to stop after the chunk it is at."""
    row = queries.find_row(session, scope, public_id, hold=True)
    _require(row, ImportState.IMPORTING)
    row.state = ImportState.STOPPING


def stopped(session: Session, scope: Scope, public_id: UUID) -> None:
    """Record that an import that was asked to stop has done so."""
    row = queries.find_row(session, scope, public_id, hold=True)
    if row.state is ImportState.STOPPING:
        row.state = ImportState.STOPPED


def wait_for_turn(session: Session) -> None:
    """Wait until nobody else stores rows of a list, and keep them waiting till this is committed.

    ``import_some`` does so by itself. Before it, it is for whoever measures how long that takes.
    """
    hold_lists(session.connection())


def people_so_far(session: Session) -> int:
    """Return the mark that ``prepare_to_store`` needs: who comes later is looked for later."""
    hold_lists(session.connection())
    return people.last_job(session)


def prepare_to_store(
    session: Session,
    scope: Scope,
    public_id: UUID,
    table: Table,
    *,
    since: int,
    today: date,
    time_zone: str,
    alive: Callable[[], None] = lambda: None,
) -> Work:
    """Return what ``import_some`` needs, as far as what was there before this import.

    since: of ``people_so_far``, in a unit of work that ended before this one began.
    """
    row = queries.find_row(session, scope, public_id)
    work = prepare(
        session,
        scope,
        row,
        rules_of(row.settings),
        table,
        today=today,
        time_zone=time_zone,
        alive=alive,
        since=since,
    )
    if isinstance(work, OfPlaces):
        stored = session.scalars(
            scope.select(ImportRow.record_id).where(
                ImportRow.import_id == row.id,
                ImportRow.state == RowState.STORED,
                ImportRow.outcome == RowOutcome.NEW,
            )
        )
        work.came.update(one for one in stored if one is not None)
    return work


@dataclass(slots=True)
class Pace:
    """How many rows go into one transaction: as many as take about its time, here and now.

    rest: seconds to let others in after each. fewest: rows that it never goes below.
    """

    hold: float
    rest: float
    fewest: int = FEWEST_AT_ONCE
    rows: int = field(default_factory=lambda: CHUNK)

    @classmethod
    def on(cls, dialect: str) -> Pace:
        """Return the pace for a database, by the name of its SQLAlchemy dialect."""
        if dialect == "sqlite":
            return cls(HOLD_SECONDS, REST_SECONDS)
        return cls(LONG_HOLD_SECONDS, 0.0, FEWEST_WHERE_NOBODY_WAITS)

    def took(self, seconds: float) -> None:
        """Learn from a transaction of ``rows`` rows. By small steps: one slow moment is no rule."""
        if seconds > self.hold * 1.15:
            self.rows = max(self.rows * 4 // 5, min(self.fewest, MOST_AT_ONCE))
        elif seconds < self.hold * 0.85:
            self.rows = min(self.rows * 5 // 4 + 1, MOST_AT_ONCE)


def count_anew(session: Session) -> None:
    """Have the database look at how much is in the tables that lists of people go to."""
    models: tuple[type[Base], ...] = (*people.STORED, ImportRow)
    loading.analyse(session.connection(), [table_of(model) for model in models])


def import_some(
    session: Session,
    scope: Scope,
    public_id: UUID,
    work: Work,
    *,
    now: datetime,
    most: int = CHUNK,
    keep: KeepRest | None = None,
) -> int:
    """Store the next rows, at most so many; return how many rows were dealt with, 0 at the end.

    All that is written, and that these rows are done, is one unit of work. The trail names it by
    the id of the import. keep: seals the rows that are left for later, see ``KeepRest``.
    """
    hold_lists(session.connection())
    row = queries.find_row(session, scope, public_id, hold=True, with_rules=False)
    if row.state is ImportState.STOPPING:
        row.state = ImportState.STOPPED
        return 0
    if row.state is not ImportState.IMPORTING:
        return 0
    session.info["request_id"] = request_id_of(public_id)
    waiting = session.execute(
        scope.select(ImportRow.id, ImportRow.row_no, ImportRow.outcome)
        .where(ImportRow.import_id == row.id, ImportRow.state == RowState.WAITING)
        .order_by(ImportRow.row_no)
        .limit(most)
    ).all()
    if not waiting:
        row = queries.find_row(session, scope, public_id, hold=True)
        if keep is not None:
            _keep_rest(session, scope, row, keep, now=now)
        _finish(row, now=now)
        return 0
    able = {RowOutcome.NEW, RowOutcome.CHANGED, RowOutcome.UNCHANGED}
    todo = [one.row_no for one in waiting if one.outcome in able]
    plans: Sequence[AnyPlan]
    effects: Mapping[int, list[list[Any]]]
    if isinstance(work, OfPlaces):
        new = {one.row_no for one in waiting if one.outcome is RowOutcome.NEW}
        plans, effects = _store_places(session, scope, work, todo, new, now=now)
    elif not isinstance(work, OfPeople):
        plans, effects = work.store(session, scope, todo, now=now)
    else:
        plans, effects = _store_people(session, scope, work, todo, now=now)
    by_row = {one.row_no: one for one in plans}
    _mark(session, [(one.id, by_row.get(one.row_no)) for one in waiting], effects)
    return len(waiting)


def _mark(
    session: Session,
    done: Sequence[tuple[int, AnyPlan | None]],
    effects: Mapping[int, list[list[Any]]],
) -> None:
    """Say of rows that they are done, and what was stored; None for one that stores nothing.

    Past the session, as they are kept by ``keep_look``: they are nobody's records.
    """
    rows = table_of(ImportRow)
    passed = [inner for inner, plan in done if plan is None]
    for some in people.in_parts(passed):
        session.connection().execute(
            sa.update(rows).where(rows.c.id.in_(some)).values(state=RowState.PASSED_BY)
        )
    told: list[dict[str, Any]] = []
    for inner, plan in done:
        if plan is not None:
            stored = effects.get(plan.row_no)
            told.append(
                {
                    "id": inner,
                    **_found(plan),
                    "state": RowState.STORED if stored else RowState.PASSED_BY,
                    "effects": undoing.plain_effects(stored) if stored else None,
                }
            )
    if told:
        columns = dict(loading.dicts(told))
        keys = columns.pop("id")
        loading.change(session.connection(), rows, keys, columns)


def _store_people(
    session: Session, scope: Scope, work: OfPeople, todo: Sequence[int], *, now: datetime
) -> tuple[list[Plan], dict[int, list[list[Any]]]]:
    """Plan and store rows about people, with the areas that they bring."""
    listed = [_read(work, number) for number in todo]
    work.names.catch_up(session, scope)
    areas = people.add_areas(session, scope, listed, work.choices, now=now)
    plans = _plan(session, scope, work, listed)
    effects = people.store(session, scope, plans, now=now)
    new = [one.contact_id for one in plans if one.outcome is RowOutcome.NEW]
    work.names.brought(session, [one for one in new if one is not None])
    for row_no, made in people.first_in(plans, work.choices, areas).items():
        effects[row_no] = [*effects.get(row_no, ()), *made]
    return plans, effects


def _store_places(
    session: Session,
    scope: Scope,
    work: OfPlaces,
    todo: Sequence[int],
    new: set[int],
    *,
    now: datetime,
) -> tuple[list[PlacePlan], dict[int, list[list[Any]]]]:
    """Plan and store rows about places. A row about a place that an earlier row made is new too."""
    listed = [work.listed[number] for number in todo]
    choices = _place_choices(session, scope, work, listed)
    plans = places.plan_places(session, scope, listed, choices, repeats=work.repeats)
    effects = places.store_places(session, scope, plans, choices, now=now)
    for one in plans:
        if one.outcome is RowOutcome.NEW and one.place_id is not None:
            work.came.add(one.place_id)
        elif one.outcome is RowOutcome.CHANGED and one.row_no in new and one.place_id in work.came:
            one.outcome = RowOutcome.NEW
    return plans, effects


def request_id_of(public_id: UUID) -> str:
    """Return how the trail names what an import wrote."""
    return public_id.hex


# Given the public id that they are bound to and the numbers of rows: the headings, if the list has
# any, and these rows, sealed.
KeepRest = Callable[[UUID, Sequence[int]], bytes]


def _keep_rest(
    session: Session, scope: Scope, row: ListImport, keep: KeepRest, *, now: datetime
) -> None:
    """Keep the rows with a problem or an open question as a list of their own, matched as this one.

    Its owner goes on with it when they know more, for as long as the import can be undone.
    """
    left = session.scalars(
        scope.select(ImportRow.row_no)
        .where(
            ImportRow.import_id == row.id,
            ImportRow.outcome.in_([RowOutcome.PROBLEM, RowOutcome.POSSIBLE]),
        )
        .order_by(ImportRow.row_no)
    ).all()
    if not left:
        return
    rest_id = uuid4()
    rules = rules_of(row.settings)
    of_rest = replace(
        rules,
        heading_row=1 if rules.heading_row else 0,
        left_out=(),
        different=(),
        different_at={},
        same={},
        rest_of=str(row.public_id),
    )
    row.settings = replace(rules, rest=str(rest_id)).as_plain()
    rest = ListImport(
        public_id=rest_id,
        owner_id=row.owner_id,
        kind=row.kind,
        origin=row.origin,
        origin_note=row.origin_note,
        file_name=row.file_name,
        state=ImportState.MATCHING,
        created_at=now,
        expires_at=now + timedelta(days=UNDO_DAYS),
        settings=of_rest.as_plain(),
        sealed_table=keep(rest_id, left),
    )
    rest.version = 1
    session.add(rest)


def _finish(row: ListImport, *, now: datetime) -> None:
    row.state = ImportState.DONE
    row.finished_at = now
    row.expires_at = now + timedelta(days=UNDO_DAYS)
    # Nothing of the file is needed for the way back.
    row.sealed_file = row.sealed_table = row.sealed_front = None


# --- Undo -------------------------------------------------------------------------------------


def start_undo(session: Session, scope: Scope, public_id: UUID, *, now: datetime) -> None:
    """Hand the way back to the worker. Raises Refusal after 30 days."""
    row = queries.find_row(session, scope, public_id, hold=True)
    _require(row, ImportState.DONE, ImportState.STOPPED)
    if now >= row.expires_at:
        raise Refusal(TOO_LATE)
    row.state = ImportState.UNDOING
    row.sealed_file = row.sealed_table = row.sealed_front = None
    _enqueue(session, scope, UNDO_TASK, row, now=now)


def undo_some(session: Session, scope: Scope, public_id: UUID, *, now: datetime) -> int:
    """Take back what the next rows stored, the last first; return how many, 0 at the end."""
    row = queries.find_row(session, scope, public_id, hold=True)
    if row.state is not ImportState.UNDOING:
        return 0
    session.info["request_id"] = f"u{request_id_of(public_id)[:31]}"
    stored = session.scalars(
        scope.select(ImportRow)
        .where(ImportRow.import_id == row.id, ImportRow.state == RowState.STORED)
        .order_by(ImportRow.row_no.desc())
        .limit(CHUNK)
    ).all()
    if not stored:
        row.state = ImportState.UNDONE
        row.finished_at = now
        return 0
    undo: Callable[..., None]
    if row.kind in OTHERS:
        undo = OTHERS[row.kind].undo
    else:
        undo = undoing.undo_people if row.kind is ImportKind.PEOPLE else undoing.undo_places
    undo(session, scope, stored, request_id_of(public_id), now=now)
    return len(stored)


# --- Away with it -----------------------------------------------------------------------------


def remove(session: Session, scope: Scope, public_id: UUID) -> None:
    """Throw a list away that was never imported. Raises Refusal for any other."""
    row = queries.find_row(session, scope, public_id, hold=True)
    _require(row, ImportState.MATCHING, ImportState.CHECKED)
    _forget_rows(session, row.id)
    session.delete(row)


def note_download(session: Session, scope: Scope, rows: int) -> None:
    """Record that the rows with a problem were taken out as a file."""
    record_export(session, what="import_problems", filters={}, rows=rows, place_id=None)
