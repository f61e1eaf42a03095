"""The look through everybody for people who are here twice, a few people at a time.

Each step holds some people against all others by what they are found by (see ``kept_keys`` in
crm/analysis/likeness.py) and stores the pairs, in one short transaction: whatever stops it, the
next step goes on. First those about whom something was written since, by the trail; then those
nobody has looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.analysis.likeness import (
    LARGEST_BLOCK,
    Prepared,
    asked_keys,
    compare,
    kept_keys,
    near_words,
    points_of_counts,
    prepare,
    word_number,
)
from crm.domain.likeness import RULES, Likeness
from crm.domain.search import cuts
from crm.domain.vocabulary import Verb
from crm.models.audit import AuditEntry
from crm.models.base import table_of
from crm.models.contacts import Contact
from crm.models.likeness import LikenessState, LikePair, PersonBlock, PersonLook
from crm.models.merging import DifferentPeople
from crm.models.search import SearchCut
from crm.reads.duplicates import read_known

# People of one transaction: on SQLite others wait to write while it lasts (under a tenth of a
# second).
CHUNK: Final = 50
# Entries of the trail that are younger may have company that is not committed yet.
SETTLED_AFTER: Final = timedelta(seconds=30)
_ENTRIES_AT_ONCE: Final = 500
_AT_ONCE: Final = 500
_MOST_REMEMBERED: Final = 20_000
# What a person is compared by.
_COMPARED: Final = ("contact", "contact_point", "job")


@dataclass(slots=True)
class Memory:
    """What one run over many people need not ask twice: words near a word, how many have one.

    after: nobody with a smaller key is left to be looked at for the first time.
    """

    after: int = 0
    near: dict[str, list[str]] = field(default_factory=dict, repr=False)
    counted: dict[str, int] = field(default_factory=dict, repr=False)

    def forget(self) -> None:
        """Begin anew: other people may have come, with other words."""
        self.after = 0
        self.near.clear()
        self.counted.clear()


def has_work(session: Session, scope: Scope, *, now: datetime) -> bool:
    """Return True when somebody must be looked at: a cheap look before the write lock is taken."""
    state = session.scalars(sa.select(LikenessState)).one_or_none()
    if state is None or state.rules != RULES or state.looked_at is None:
        return True
    if session.execute(_entries(scope, state.seen_entry, now).limit(1)).first() is not None:
        return True
    return session.execute(_not_looked_at(scope, 0).limit(1)).first() is not None


def look_some(session: Session, scope: Scope, memory: Memory, *, now: datetime) -> int:
    """Look at the next people; return how many, 0 when nobody is left.

    scope: over everything, since anybody may be anybody. Pairs of people whom somebody called
    different are not kept.
    """
    state = _state(session)
    ids = _changed(session, scope, state, now=now)
    if not ids:
        ids = list(session.scalars(_not_looked_at(scope, memory.after).limit(CHUNK)))
        if not ids and memory.after:
            memory.forget()
            ids = list(session.scalars(_not_looked_at(scope, 0).limit(CHUNK)))
        if not ids:
            memory.forget()
            state.looked_at = now
            return 0
        memory.after = ids[-1]
    _look_at(session, scope, memory, ids, now=now)
    return len(ids)


def _state(session: Session) -> LikenessState:
    state = session.scalars(sa.select(LikenessState).with_for_update()).one_or_none()
    last = sa.select(sa.func.coalesce(sa.func.max(AuditEntry.id), 0))
    if state is None:
        state = LikenessState(id=1, rules=RULES, seen_entry=0, looked_at=None)
        session.add(state)
        state.seen_entry = _last_entry(session, last)
    elif state.rules != RULES:
        for model in (PersonBlock, PersonLook, LikePair):
            session.connection().execute(sa.delete(table_of(model)))
        state.rules, state.looked_at = RULES, None
        state.seen_entry = _last_entry(session, last)
    session.flush()
    return state


def _last_entry(session: Session, last: Any) -> int:
    # Everybody is looked at from here on, so nothing before this entry is needed.
    scope: Scope = session.info["scope"]
    return int(session.scalars(scope.select(last.scalar_subquery())).one())


def _entries(scope: Scope, after: int, now: datetime) -> sa.Select[Any]:
    return (
        scope.select(AuditEntry.id, AuditEntry.contact_id)
        .where(
            AuditEntry.id > after,
            AuditEntry.contact_id.is_not(None),
            AuditEntry.subject.in_(_COMPARED),
            AuditEntry.verb.in_([Verb.CREATE, Verb.UPDATE, Verb.DELETE]),
            AuditEntry.at <= now - SETTLED_AFTER,
        )
        .order_by(AuditEntry.id)
    )


def _changed(session: Session, scope: Scope, state: LikenessState, *, now: datetime) -> list[int]:
    """Return the next people about whom something was written, and note how far the trail is."""
    found: dict[int, None] = {}
    entries = session.execute(_entries(scope, state.seen_entry, now).limit(_ENTRIES_AT_ONCE)).all()
    for entry_id, contact_id in entries:
        if contact_id not in found and len(found) == CHUNK:
            break
        found[contact_id] = None
        state.seen_entry = entry_id
    return list(found)


def _not_looked_at(scope: Scope, after: int) -> sa.Select[Any]:
    look = table_of(PersonLook)
    seen = sa.select(sa.literal(1)).where(look.c.contact_id == Contact.id).correlate(Contact)
    return scope.select(Contact.id).where(Contact.id > after, ~seen.exists()).order_by(Contact.id)


def _look_at(
    session: Session, scope: Scope, memory: Memory, ids: Sequence[int], *, now: datetime
) -> None:
    _forget(session, ids)
    people = {
        contact_id: prepare(person.known)
        for contact_id, person in read_known(session, scope, ids).items()
    }
    _keep(session, people)
    here = session.scalars(scope.select(Contact.id).where(Contact.id.in_(ids))).all()
    if here:
        session.connection().execute(
            sa.insert(table_of(PersonLook)),
            [{"contact_id": one, "looked_at": now} for one in here],
        )
    near = _near(session, scope, memory, people.values())
    wanted = {one: asked_keys(person, near) for one, person in people.items()}
    others = _found_by(session, scope, wanted)
    more = sorted({one for found in others.values() for one in found} - people.keys())
    known = people | {
        one: prepare(person.known) for one, person in read_known(session, scope, more).items()
    }
    points = _points(session, scope, memory, people.values())
    different = _different(session, scope, ids)
    pairs = {
        (min(one, other), max(one, other))
        for one, found in others.items()
        for other in found
        if other != one and other in known
    }
    rows = []
    for first, second in sorted(pairs - different):
        likeness = compare(known[first], known[second], points)
        if likeness.band is not None:
            rows.append(_row(first, second, likeness, now))
    if rows:
        session.connection().execute(sa.insert(table_of(LikePair)), rows)


def _row(first: int, second: int, likeness: Likeness, now: datetime) -> dict[str, Any]:
    return {
        "contact_id": first,
        "other_id": second,
        "points": likeness.points,
        "can_be_sure": likeness.can_be_sure,
        "reasons": {reason.value: value for reason, value in likeness.reasons},
        "found_at": now,
    }


def _forget(session: Session, ids: Sequence[int]) -> None:
    block, look, pair = map(table_of, (PersonBlock, PersonLook, LikePair))
    connection = session.connection()
    connection.execute(sa.delete(block).where(block.c.contact_id.in_(ids)))
    connection.execute(sa.delete(look).where(look.c.contact_id.in_(ids)))
    either = sa.or_(pair.c.contact_id.in_(ids), pair.c.other_id.in_(ids))
    connection.execute(sa.delete(pair).where(either))


def _keep(session: Session, people: Mapping[int, Prepared]) -> None:
    rows = [
        {"number": number, "contact_id": contact_id}
        for contact_id, person in people.items()
        for number in {*kept_keys(person), *map(word_number, person.every_word)}
    ]
    if rows:
        session.connection().execute(sa.insert(table_of(PersonBlock)), rows)


def _near(
    session: Session, scope: Scope, memory: Memory, people: Iterable[Prepared]
) -> dict[str, list[str]]:
    """Return for each word of the people the words of anybody that are nearly the same."""
    if len(memory.near) > _MOST_REMEMBERED:
        memory.near.clear()
    words = {word for person in people for word in person.every_word}
    by_number: defaultdict[int, set[str]] = defaultdict(set)
    asked: defaultdict[str, set[str]] = defaultdict(set)
    for word in words - memory.near.keys():
        for number in cuts(word) if len(word) > 3 else ():
            by_number[number].add(word)
    for some in _some(sorted(by_number)):
        for number, other in session.execute(
            scope.select(SearchCut.cut, SearchCut.word).where(SearchCut.cut.in_(some))
        ):
            for word in by_number[number]:
                asked[word].add(other)
    for word in words - memory.near.keys():
        memory.near[word] = near_words(word, asked[word])
    return {word: memory.near[word] for word in words}


def _found_by(
    session: Session, scope: Scope, wanted: Mapping[int, Collection[int]]
) -> dict[int, set[int]]:
    """Return for each person those who are kept under one of the numbers.

    A number of more than LARGEST_BLOCK people is a common name, or a shared office line.
    """
    askers: defaultdict[int, list[int]] = defaultdict(list)
    for contact_id, numbers in wanted.items():
        for number in numbers:
            askers[number].append(contact_id)
    found: defaultdict[int, set[int]] = defaultdict(set)
    for some in _some(sorted(askers)):
        small = (
            scope.select(PersonBlock.number)
            .where(PersonBlock.number.in_(some))
            .group_by(PersonBlock.number)
            .having(sa.func.count() <= LARGEST_BLOCK)
        )
        for number, other in session.execute(
            scope.select(PersonBlock.number, PersonBlock.contact_id).where(
                PersonBlock.number.in_(small)
            )
        ):
            for contact_id in askers[number]:
                found[contact_id].add(other)
    return found


def _points(
    session: Session, scope: Scope, memory: Memory, people: Iterable[Prepared]
) -> dict[str, float]:
    """Return the points of the people's words, by how many people have each.

    Of people who are alike the words that count stand in both names.
    """
    if len(memory.counted) > _MOST_REMEMBERED:
        memory.counted.clear()
    words = {word for person in people for word in person.every_word}
    numbers = {word_number(word): word for word in words - memory.counted.keys()}
    for word in numbers.values():
        memory.counted[word] = 0
    for some in _some(sorted(numbers)):
        for number, counted in session.execute(
            scope.select(PersonBlock.number, sa.func.count())
            .where(PersonBlock.number.in_(some))
            .group_by(PersonBlock.number)
        ):
            memory.counted[numbers[number]] = counted
    looked_at = session.scalars(scope.select(sa.func.count(PersonLook.contact_id))).one()
    # Two words for each person, which is near enough for the logarithm that is taken of it.
    return points_of_counts({word: memory.counted[word] for word in words}, 2 * int(looked_at))


def _different(session: Session, scope: Scope, ids: Sequence[int]) -> set[tuple[int, int]]:
    rows = session.execute(
        scope.select(DifferentPeople.contact_id, DifferentPeople.other_id).where(
            sa.or_(DifferentPeople.contact_id.in_(ids), DifferentPeople.other_id.in_(ids))
        )
    )
    return {(min(one, other), max(one, other)) for one, other in rows}


def _some(values: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
