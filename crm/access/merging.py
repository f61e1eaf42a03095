"""Making two records of one person one, and apart again, so that nothing is lost on the way.

Every row of every table that names the record that goes is given to the one that stays, whatever
place or case it belongs to: a part left behind would be seen by nobody. So this module works over
all rows, hands none of them back, and is called only for two people whom the actor may write
about. Which tables there are is read from the models: a new one cannot be forgotten.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql import visitors

from crm.access import search_index
from crm.access.audit import MERGED, PARTED
from crm.access.facts import known, revise, withdraw
from crm.access.scope import Scope
from crm.access.spans import refresh_many
from crm.domain.merging import contradict, joined
from crm.domain.structure import says_more
from crm.models.base import Base, Recorded, table_of
from crm.models.campaigns import ListEntry, Participation
from crm.models.contacts import Contact, ContactPoint, FieldBasis, Job, Membership, StateSpan
from crm.models.conversations import KeptTalk
from crm.models.merging import MergedPerson
from crm.models.search import SearchEntry
from crm.models.ties import GroupMember, Leading, Tie

# Worked out anew from the others.
DERIVED: Final[frozenset[type[Any]]] = frozenset({StateSpan, SearchEntry})
# Say which records were made one: they keep naming those records.
KEPT: Final[frozenset[type[Any]]] = frozenset({MergedPerson})


@dataclass(frozen=True, slots=True)
class _Joins:
    """How two spells of one person become one.

    of: the column that names the person. same: the columns that must be equal. fill: those of
    which the one that is known is taken.
    """

    model: type[Any]
    of: str
    same: tuple[str, ...]
    fill: tuple[str, ...] = ()


_SPELLS: Final[tuple[_Joins, ...]] = (
    _Joins(
        Job,
        "contact_id",
        ("workplace_id", "area_id", "shift_id"),
        ("job_title", "employer_of_record_id", "contract_type"),
    ),
    _Joins(Membership, "contact_id", ("union_id", "status"), ("branch_id", "source")),
    _Joins(Tie, "contact_id", ("workplace_id", "leader_id"), ("said_by_id",)),
    _Joins(Tie, "leader_id", ("workplace_id", "contact_id"), ("said_by_id",)),
    _Joins(GroupMember, "contact_id", ("group_id",)),
)
# Facts without days that need not be there twice: equal in these columns.
_TWICE: Final[dict[type[Any], tuple[str, ...]]] = {
    ContactPoint: ("kind", "value_key"),
    FieldBasis: ("field_group", "basis", "given_on", "wording", "withdrawn_on"),
    Leading: ("workplace_id", "stage", "found_by", "action", "action_on"),
}


def living(session: Session, scope: Scope, public_id: uuid.UUID) -> uuid.UUID | None:
    """Return the public id of the person whom this record was put into; None for all others.

    None also where the scope does not see that person: old addresses lead nobody any further.
    """
    gone = table_of(Contact).alias("scope_gone")
    into = sa.select(gone.c.merged_into_id).where(gone.c.public_id == public_id).scalar_subquery()
    found: uuid.UUID | None = session.scalars(
        scope.select(Contact.public_id).where(Contact.id == into)
    ).one_or_none()
    return found


@lru_cache(maxsize=1)
def named_in() -> tuple[tuple[type[Any], tuple[str, ...]], ...]:
    """Return every mapped class that names contacts by key, and the columns that do.

    Without the derived tables and the records of merges themselves.
    """
    found = []
    for mapper in Base.registry.mappers:
        columns = tuple(
            attribute.key
            for attribute in mapper.column_attrs
            for key in attribute.columns[0].foreign_keys
            if key.column.table.name == Contact.__tablename__
        )
        if columns and mapper.class_ not in DERIVED | KEPT:
            found.append((mapper.class_, columns))
    return tuple(sorted(found, key=lambda one: str(one[0].__tablename__)))


@dataclass(slots=True)
class _Done:
    """What a merge did, in the order in which it is taken back from the end."""

    moved: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    left: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    withdrawn: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    # (table, the new row, the rows in whose place it stands)
    joined: list[tuple[str, int, list[int]]] = field(default_factory=list)
    fields: dict[str, list[Any]] = field(default_factory=dict)
    # Talks that are not stored yet: they name the person by public id.
    kept_talks: list[int] = field(default_factory=list)
    # Facts given to another line of a list: (row, its line and place before, and after)
    lines: list[tuple[int, list[int], list[int]]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "moved": dict(self.moved),
            "left": dict(self.left),
            "withdrawn": dict(self.withdrawn),
            "joined": [list(one) for one in self.joined],
            "fields": self.fields,
            "kept_talks": self.kept_talks,
            "lines": [list(one) for one in self.lines],
        }


def merge(
    session: Session,
    kept: Contact,
    gone: Contact,
    *,
    fields: Mapping[str, Any],
    wrong_memberships_of: int | None,
    now: datetime,
    actor_id: int | None,
) -> MergedPerson:
    """Put one record into the other, and return what says so.

    fields: columns of the kept record with the values it shall have. wrong_memberships_of: the id
    of the record whose memberships give way where the two contradict each other. Facts that both
    have are joined, the rest is kept from both. Both rows must be held by the caller.
    """
    done = _Done()
    with _over_everything(session, MERGED, actor_id) as every:
        if wrong_memberships_of is not None:
            _withdraw_wrong(session, every, kept.id, gone.id, wrong_memberships_of, done, now)
        for joins in _SPELLS:
            _join_spells(session, every, joins, kept.id, gone.id, done, now)
        for model, columns in _TWICE.items():
            _leave_one(session, every, model, columns, kept.id, gone.id, done, now)
        session.flush()
        for model, keys in named_in():
            _move(session, every, model, keys, kept.id, gone.id, done, now)
        _join_lines(session, every, kept.id, gone.id, done, now)
        done.kept_talks = _send_on(session, every, gone.public_id, kept.public_id)
        for stub in session.scalars(
            every.select(Contact, history=True).where(Contact.merged_into_id == gone.id)
        ):
            done.moved["contact.merged_into_id"].append([stub.id])
            stub.merged_into_id = kept.id
        for name, value in fields.items():
            if getattr(kept, name) != value:
                done.fields[name] = [getattr(kept, name), value]
                setattr(kept, name, value)
        kept.version += 1
        gone.merged_into_id = kept.id
        record = MergedPerson(
            contact_id=kept.id,
            gone_id=gone.id,
            gone_name=(gone.known_as or gone.placeholder_label or "")[:120],
            merged_at=now,
            merged_by_id=actor_id,
            done=done.as_json(),
        )
        session.add(record)
        _refresh(session, kept.id, gone.id)
    return record


@dataclass(frozen=True, slots=True)
class Since:
    """What was written after two records were made one: how many rows of each table."""

    table: str
    rows: int


def part(session: Session, record: MergedPerson, kept: Contact, *, now: datetime) -> Contact:
    """Take the record that went out again, and return it: each row goes back to where it was.

    What was written since stays with the kept record; what was put right since, of a fact that
    goes back, goes with it. The caller holds the kept row, and sees that the merge is not undone
    and that no later merge stands on it.
    """
    done = record.done
    with _over_everything(session, PARTED, None) as every:
        gone: Contact = session.scalars(
            every.select(Contact, history=True).where(Contact.id == record.gone_id)
        ).one()
        for table, row_id, others in reversed(done["joined"]):
            _unjoin(session, every, table, row_id, others, gone.id)
        # Merges that were made before lists were looked at do not have it.
        _move_lines_back(session, every, done.get("lines", []))
        for name, keys in done["moved"].items():
            table, column = name.split(".")
            alone = set(done["withdrawn"].get(table, ()))
            _move_back(session, every, _model(table), column, keys, kept.id, gone.id, alone)
        _send_on(session, every, kept.public_id, gone.public_id, only=done["kept_talks"])
        # Only now: until they are back, the kept record may hold one of the same.
        for table, ids in done["withdrawn"].items():
            for row in _rows(session, every, _model(table), ids):
                if row.superseded_at == record.merged_at:
                    row.superseded_at = None
        for name, (before, after) in done["fields"].items():
            if getattr(kept, name) == after:
                setattr(kept, name, before)
        kept.version += 1
        gone.merged_into_id = None
        record.undone_at = now
        _refresh(session, kept.id, gone.id)
    return gone


def written_since(
    session: Session, scope: Scope, record: MergedPerson, kept: Contact
) -> list[Since]:
    """Return what was written about the kept record after the merge, by table: it stays there.

    Only what the scope sees is counted: the rest is not the reader's to know of.
    """
    found = []
    for model, columns in named_in():
        moment = next((name for name in _MOMENTS if name in sa.inspect(model).column_attrs), None)
        if moment is None or "contact_id" not in columns:
            continue
        rows = session.execute(
            scope.select(sa.func.count())
            .select_from(model)
            .where(model.contact_id == kept.id, getattr(model, moment) > record.merged_at)
        ).scalar_one()
        if rows and not _is_of_case(model):
            found.append(Since(model.__tablename__, int(rows)))
    return found


# Rows of who told us that they voted go when the result is declared, and nothing may say that there
# was one: they stay with the kept record, whatever becomes of the merge.
_UNREMEMBERED: Final = frozenset({"vote_told", "ballot_entry"})
_MOMENTS: Final = ("recorded_at", "created_at", "set_at", "passed_at", "said_at")


def _is_of_case(model: type[Any]) -> bool:
    # Whether there is a case is told to nobody but its team.
    return "case_id" in sa.inspect(model).column_attrs


@contextmanager
def _over_everything(session: Session, reason: str, actor_id: int | None) -> Iterator[Scope]:
    """Let what is flushed meanwhile be rows of any place; whoever asked stays the actor."""
    mine: Scope | None = session.info.get("scope")
    session.flush()
    every = Scope.everything(reason, actor_id=mine.actor_id if mine is not None else actor_id)
    session.info["scope"] = every
    try:
        yield every
        session.flush()
    finally:
        session.info["scope"] = mine


def _refresh(session: Session, *contact_ids: int) -> None:
    session.flush()
    refresh_many(session, contact_ids)
    search_index.refresh_many(session, contact_ids)


def _model(table: str) -> type[Any]:
    return next(
        mapper.class_ for mapper in Base.registry.mappers if mapper.class_.__tablename__ == table
    )


def _key(row: Any) -> list[Any]:
    return [getattr(row, column.key) for column in sa.inspect(type(row)).primary_key]


def _believed(
    session: Session, every: Scope, model: type[Any], contact_id: int, column: str = "contact_id"
) -> list[Any]:
    return list(
        session.scalars(
            every.select(model)
            .where(getattr(model, column) == contact_id, known(model))
            .order_by(model.id)
        )
    )


def _rows(session: Session, every: Scope, model: type[Any], ids: Sequence[int]) -> list[Any]:
    return list(session.scalars(every.select(model, history=True).where(model.id.in_(ids))))


def _withdraw_wrong(
    session: Session,
    every: Scope,
    kept_id: int,
    gone_id: int,
    wrong_id: int,
    done: _Done,
    now: datetime,
) -> None:
    right_id = kept_id if wrong_id == gone_id else gone_id
    right = _believed(session, every, Membership, right_id)
    for row in _believed(session, every, Membership, wrong_id):
        if any(contradict(_said(row), _said(other)) for other in right):
            withdraw(row, now=now)
            done.withdrawn[Membership.__tablename__].append(row.id)


def _said(row: Membership) -> Any:
    return row.union_id, row.status, (row.valid_from, row.valid_to)


def _join_spells(
    session: Session,
    every: Scope,
    joins: _Joins,
    kept_id: int,
    gone_id: int,
    done: _Done,
    now: datetime,
) -> None:
    model = joins.model
    mine = _believed(session, every, model, kept_id, joins.of)
    for theirs in _believed(session, every, model, gone_id, joins.of):
        for row in list(mine):
            if any(getattr(row, name) != getattr(theirs, name) for name in joins.same):
                continue
            days = joined((row.valid_from, row.valid_to), (theirs.valid_from, theirs.valid_to))
            if days is None:
                continue
            fill = {
                name: getattr(theirs, name)
                for name in joins.fill
                if getattr(row, name) is None and getattr(theirs, name) is not None
            }
            if "from_is_first_seen" in sa.inspect(model).column_attrs:
                earlier = row if row.valid_from <= theirs.valid_from else theirs
                fill["from_is_first_seen"] = earlier.from_is_first_seen
            new = revise(
                session,
                row,
                now=now,
                actor_id=every.actor_id,
                valid_from=days[0],
                valid_to=days[1],
                **fill,
            )
            withdraw(theirs, now=now)
            session.flush()
            done.joined.append((model.__tablename__, new.id, [row.id, theirs.id]))
            mine[mine.index(row)] = new
            break


def _send_on(
    session: Session,
    every: Scope,
    from_id: uuid.UUID,
    to_id: uuid.UUID,
    only: Sequence[int] | None = None,
) -> list[int]:
    """Let talks that are typed but not stored be about the other record; return their ids."""
    found = every.select(KeptTalk).where(KeptTalk.contact_public_id == from_id)
    if only is not None:
        found = found.where(KeptTalk.id.in_(only))
    talks = session.scalars(found).all()
    for talk in talks:
        talk.contact_public_id = to_id
    return [talk.id for talk in talks]


def _leave_one(
    session: Session,
    every: Scope,
    model: type[Any],
    columns: Sequence[str],
    kept_id: int,
    gone_id: int,
    done: _Done,
    now: datetime,
) -> None:
    mine = {
        tuple(getattr(row, name) for name in columns)
        for row in _believed(session, every, model, kept_id)
    }
    for row in _believed(session, every, model, gone_id):
        if tuple(getattr(row, name) for name in columns) in mine:
            withdraw(row, now=now)
            done.withdrawn[model.__tablename__].append(row.id)


def _move(
    session: Session,
    every: Scope,
    model: type[Any],
    columns: Sequence[str],
    kept_id: int,
    gone_id: int,
    done: _Done,
    now: datetime,
) -> None:
    """Give the rows that name the one record to the other, but those that cannot go there.

    What cannot go: a second row where the table holds one only, and a row that would tie a person
    to themselves. Facts are no longer believed then; the rest stays with the record that went.
    """
    table = str(model.__tablename__)
    for column in columns:
        attribute = getattr(model, column)
        taken = [
            (unique, _values(session, every, model, unique, attribute == kept_id))
            for unique in _unique_with(model.__tablename__, column)
        ]
        rows = list(session.scalars(every.select(model, history=True).where(attribute == gone_id)))
        for row in rows:
            others = [getattr(row, name) for name in columns if name != column]
            if kept_id in others or (gone_id in others and len(columns) > 1):
                _leave(row, table, done, now, move=False)
                continue
            if any(
                unique.holds(row) and unique.values(row, {column: kept_id}) in values
                for unique, values in taken
            ):
                if not isinstance(row, Recorded):
                    _leave(row, table, done, now, move=False)
                    continue
                _leave(row, table, done, now, move=True)
                session.flush()
            if table not in _UNREMEMBERED:
                done.moved[f"{table}.{column}"].append(_key(row))
            setattr(row, column, kept_id)
    session.flush()


def _join_lines(
    session: Session, every: Scope, kept_id: int, gone_id: int, done: _Done, now: datetime
) -> None:
    """Let the line that stays on each frozen list say what is known from both lines.

    A list never changes, so the other line stays on it; whoever counts leaves it out.
    """
    lines: dict[int, dict[int, ListEntry]] = defaultdict(dict)
    for line in session.scalars(
        every.select(ListEntry).where(ListEntry.contact_id.in_((kept_id, gone_id)))
    ):
        lines[line.test_id][line.contact_id] = line
    for both in lines.values():
        if len(both) == 2:
            _join_facts(session, every, both[kept_id], both[gone_id], done, now)
    session.flush()


def _join_facts(
    session: Session, every: Scope, line: ListEntry, double: ListEntry, done: _Done, now: datetime
) -> None:
    facts = session.scalars(
        every.select(Participation, history=True)
        .where(Participation.entry_id.in_((line.id, double.id)))
        .order_by(Participation.id)
    ).all()
    mine = [fact for fact in facts if fact.entry_id == line.id]
    theirs = [fact for fact in facts if fact.entry_id == double.id]
    if not mine:
        # As a whole, so that what was known at a moment of the past is still told of the line.
        for fact in theirs:
            before, after = [double.id, double.place_id], [line.id, line.place_id]
            done.lines.append((fact.id, before, after))
            fact.entry_id, fact.place_id = line.id, line.place_id
        return
    said = next((fact for fact in mine if fact.superseded_at is None), None)
    more = next((fact for fact in theirs if fact.superseded_at is None), None)
    if more is None or not says_more(more.deed, None if said is None else said.deed):
        return
    if said is not None:
        withdraw(said, now=now)
        # It leaves first: only one of a line may be believed.
        session.flush()
    new = revise(
        session,
        more,
        now=now,
        actor_id=more.recorded_by_id,
        entry_id=line.id,
        place_id=line.place_id,
    )
    session.flush()
    first = more if said is None else said
    done.joined.append((Participation.__tablename__, new.id, [first.id, more.id]))


def _leave(row: Any, table: str, done: _Done, now: datetime, *, move: bool) -> None:
    if isinstance(row, Recorded) and row.superseded_at is None:
        withdraw(row, now=now)
        done.withdrawn[table].append(row.id)  # type: ignore[attr-defined]
    if not move and table not in _UNREMEMBERED:
        done.left[table].append(_key(row))


@dataclass(frozen=True, slots=True)
class _Unique:
    """Columns whose values only one row of a table may have, among those where others are null."""

    columns: tuple[str, ...]
    null: tuple[str, ...] = ()

    def holds(self, row: Any) -> bool:
        return all(getattr(row, name) is None for name in self.null)

    def values(self, row: Any, changed: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
        new = changed or {}
        return tuple(new[name] if name in new else getattr(row, name) for name in self.columns)


@lru_cache(maxsize=256)
def _unique_with(name: str, column: str) -> tuple[_Unique, ...]:
    table = Base.metadata.tables[name]
    found = [_Unique(tuple(one.key for one in table.primary_key.columns))]
    for constraint in table.constraints:
        if isinstance(constraint, sa.UniqueConstraint):
            found.append(_Unique(tuple(one.key for one in constraint.columns)))
    for index in table.indexes:
        if index.unique:
            where = index.dialect_options["sqlite"]["where"]
            null = () if where is None else tuple(_named(where))
            found.append(_Unique(tuple(one.key for one in index.columns), null))
    return tuple(one for one in found if column in one.columns)


def _named(condition: Any) -> Iterable[str]:
    return sorted(
        {one.name for one in visitors.iterate(condition) if isinstance(one, sa.ColumnClause)}
    )


def _values(
    session: Session, every: Scope, model: type[Any], unique: _Unique, mine: Any
) -> set[tuple[Any, ...]]:
    rows = session.scalars(every.select(model, history=True).where(mine))
    return {unique.values(row) for row in rows if unique.holds(row)}


def _unjoin(
    session: Session, every: Scope, table: str, row_id: int, others: Sequence[int], gone_id: int
) -> None:
    """Take a joined spell out again; one that was put right since stays, beside what went."""
    model = _model(table)
    rows = {row.id: row for row in _rows(session, every, model, [row_id, *others])}
    new = rows.get(row_id)
    mine, theirs = rows.get(others[0]), rows.get(others[1])
    if new is not None and new.superseded_at is None:
        session.delete(new)
        # Only when it is gone: of a line of a list one fact may be believed.
        session.flush()
        if mine is not None:
            mine.superseded_at = None
    if theirs is not None:
        theirs.superseded_at = None
    session.flush()


def _move_lines_back(session: Session, every: Scope, lines: Sequence[Sequence[Any]]) -> None:
    """Give facts back to the lines they were written on, with what was put right of them since."""
    wanted = {(row_id,) for row_id, _, _ in lines}
    for row_id, (line_id, place_id), (now_at, _) in lines:
        facts = session.scalars(
            every.select(Participation, history=True).where(Participation.entry_id == now_at)
        ).all()
        for fact in facts:
            if fact.id == row_id:
                for one in (fact, *_successors(fact, facts, wanted)):
                    one.entry_id, one.place_id = line_id, place_id
        session.flush()


def _move_back(
    session: Session,
    every: Scope,
    model: type[Any],
    column: str,
    keys: Sequence[Sequence[Any]],
    kept_id: int,
    gone_id: int,
    alone: set[int],
) -> None:
    """Give rows back to the record that went, with what was put right of them since.

    alone: ids of facts that the merge itself took back; nothing stands in their place.
    """
    primary = [one.key for one in sa.inspect(model).primary_key]
    attribute = getattr(model, column)
    if column in primary:
        keys = [
            [kept_id if name == column else value for name, value in zip(primary, key, strict=True)]
            for key in keys
        ]
    wanted = {tuple(key) for key in keys}
    rows = list(session.scalars(every.select(model, history=True).where(attribute == kept_id)))
    for row in rows:
        if tuple(_key(row)) in wanted:
            later = [] if getattr(row, "id", None) in alone else _successors(row, rows, wanted)
            for one in (row, *later):
                setattr(one, column, gone_id)
    session.flush()


def _successors(row: Any, rows: Sequence[Any], wanted: set[tuple[Any, ...]]) -> list[Any]:
    """Return the rows that took this one's place since: a correction goes with what it corrects."""
    found: list[Any] = []
    while isinstance(row, Recorded) and row.superseded_at is not None:
        after = [
            one
            for one in rows
            if one.recorded_at == row.superseded_at
            and one.id > row.id  # type: ignore[attr-defined]
            and tuple(_key(one)) not in wanted
        ]
        if not after:
            break
        row = min(after, key=lambda one: one.id)
        found.append(row)
    return found
