"""The search for people, by what they are called, their phones, job, area and tags.

``fitting`` is a statement for use inside other filters; ``find_people`` gives the first of them in
order, with what a page must say about the rest. Both look only at jobs at places of the scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import search_index
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.identity import fold
from crm.domain.search import Closeness, Term, closeness, cuts, nearest, slips_allowed, terms_of
from crm.domain.vocabulary import FieldSubject
from crm.models.conversations import Conversation
from crm.models.lists import ContactTag, Tag
from crm.models.search import SearchCut, SearchEntry

# More people than this are not put in order: nobody reads on so far. The page says so.
MOST_FOUND = 1000
# With so many found as typed, nobody needs the names that are only nearly the same.
_ENOUGH_AS_TYPED = 10
# A scope with fewer lines is looked through line by line, whatever was typed: the index would
# first give everybody in the country with such a name.
_FEW_LINES = 15_000
_MOST_NEAR_WORDS = 20
# Fewer letters begin too many words.
_SHORTEST_TAG = 2
_MOST_TAGS = 50


@dataclass(frozen=True, slots=True)
class Found:
    """The people found, by inner id, best first.

    near: how many of them, the last ones, have a word that is only nearly what was typed.
    more: True when there may be more than these; the order is then only that of the ones here.
    """

    ids: tuple[int, ...]
    near: int
    more: bool


@dataclass(frozen=True, slots=True)
class _Look:
    """What is looked for, and how: in the few lines of a small scope, or through the index."""

    terms: tuple[Term, ...]
    dialect: str
    few_lines: bool
    as_at: date
    permission: Permission | None


def fitting(
    session: Session, scope: Scope, text: str, *, as_at: date, permission: Permission | None = None
) -> sa.Select[Any]:
    """Return a statement for the inner ids of all people with a job on the day who fit the text.

    For ``.in_()`` in another statement of the same scope. Text without a letter or a digit fits
    nobody. Words that are only nearly the same fit when fewer than ten people fit as typed.
    permission: the right that is needed at the place of the job. Sends up to three statements.
    """
    look = _look(session, scope, text, as_at=as_at, permission=permission)
    if len(_as_typed(session, scope, look, _ENOUGH_AS_TYPED)) < _ENOUGH_AS_TYPED:
        look = _with_near_words(session, scope, look)
    return _people(scope, look, look.terms)


def find_people(
    session: Session,
    scope: Scope,
    text: str,
    *,
    as_at: date,
    among: Sequence[sa.ColumnElement[bool]] = (),
    permission: Permission | None = None,
    most: int = MOST_FOUND,
) -> Found:
    """Return the people that ``fitting`` gives, best first.

    Whole names come first, then names that begin as typed, then names that hold it, then people
    found by job, area or phone, then those with a tag of that name, then names that are nearly the
    same; in each of these but the tags the people with whom the actor has talked first, then by
    name. among: further conditions on SearchEntry. most: how many at most.
    """
    look = _look(session, scope, text, as_at=as_at, permission=permission)
    if not look.terms:
        return Found((), 0, False)
    lines = _lines(session, scope, look, look.terms, among, most)
    people = {line.contact_id for line in lines}
    more = len(people) > most or len(lines) == _lines_for(most)
    if not more:
        if len(people) < _ENOUGH_AS_TYPED and (
            not among or len(_as_typed(session, scope, look, _ENOUGH_AS_TYPED)) < _ENOUGH_AS_TYPED
        ):
            look = _with_near_words(session, scope, look)
            if any(term.near for term in look.terms):
                lines = _lines(session, scope, look, look.terms, among, most)
    else:
        # Too many to take them all: those whose name is, or begins with, what was typed count.
        first: dict[int, Any] = {}
        for terms in (_whole(look.terms), _beginning(look.terms)):
            if len(first) <= most:
                some = _lines(session, scope, look, terms, among, most)
                first.update({line.id: line for line in some})
        lines = [*first.values(), *(line for line in lines if line.id not in first)]
    found = _ordered(session, scope, lines, look.terms, most)
    found = replace(found, more=found.more or more)
    return _with_tagged(session, scope, found, text, look, among, most)


def _with_tagged(
    session: Session,
    scope: Scope,
    found: Found,
    text: str,
    look: _Look,
    among: Sequence[sa.ColumnElement[bool]],
    most: int,
) -> Found:
    """Return what was found with those who have a tag of that name, before names only nearly so.

    The words of a tag are not in the index: whoever sees a person may not see the tag.
    """
    begins = fold(text)
    if len(begins) < _SHORTEST_TAG:
        return found
    tags = session.scalars(
        scope.select(Tag.id)
        .where(
            Tag.subject == FieldSubject.CONTACT,
            sa.or_(
                Tag.name_key.startswith(begins, autoescape=True),
                Tag.name_key.contains(f" {begins}", autoescape=True),
            ),
        )
        .limit(_MOST_TAGS)
    ).all()
    if not tags:
        return found
    tagged = session.scalars(
        scope.select(SearchEntry.contact_id, permission=look.permission)
        .where(
            SearchEntry.contact_id.in_(
                sa.select(ContactTag.contact_id).where(ContactTag.tag_id.in_(tags))
            ),
            SearchEntry.valid_from <= look.as_at,
            SearchEntry.valid_to > look.as_at,
            *among,
        )
        .order_by(SearchEntry.words, SearchEntry.contact_id)
        .limit(_lines_for(most))
    ).all()
    sure = found.ids[: len(found.ids) - found.near]
    near = [one for one in found.ids[len(sure) :] if one not in set(tagged)]
    ids = list(dict.fromkeys([*sure, *tagged, *near]))
    return Found(
        tuple(ids[:most]),
        max(0, len(near) - max(0, len(ids) - most)),
        found.more or len(ids) > most,
    )


def _look(
    session: Session, scope: Scope, text: str, *, as_at: date, permission: Permission | None
) -> _Look:
    terms = terms_of(text)
    few = False
    if terms and scope.nodes(permission or Permission.CONTACT_READ) is not None:
        some = scope.select(SearchEntry.id, permission=permission).limit(_FEW_LINES + 1).subquery()
        counted = session.execute(scope.select(sa.func.count()).select_from(some)).scalar_one()
        few = int(counted) <= _FEW_LINES
    return _Look(terms, session.get_bind().dialect.name, few, as_at, permission)


def _as_typed(session: Session, scope: Scope, look: _Look, most: int) -> list[int]:
    found = _people(scope, look, look.terms).distinct().limit(most)
    return list(session.execute(found).scalars())


def _people(scope: Scope, look: _Look, terms: tuple[Term, ...]) -> sa.Select[Any]:
    return scope.select(SearchEntry.contact_id, permission=look.permission).where(
        *_conditions(look, terms)
    )


def _lines(
    session: Session,
    scope: Scope,
    look: _Look,
    terms: tuple[Term, ...],
    among: Sequence[sa.ColumnElement[bool]],
    most: int,
) -> list[Any]:
    """Return lines enough for one person more than ``most``, so that "more" is known."""
    columns = (SearchEntry.id, SearchEntry.contact_id, SearchEntry.words)
    found = scope.select(*columns, permission=look.permission).where(
        *_conditions(look, terms), *among
    )
    # Somebody may have two jobs on a day; hardly anybody has three.
    return list(session.execute(found.limit(_lines_for(most))).all())


def _lines_for(most: int) -> int:
    return 2 * most + 2


def _conditions(look: _Look, terms: tuple[Term, ...]) -> list[sa.ColumnElement[bool]]:
    if not terms:
        return [sa.false()]
    words: Any = SearchEntry.words
    wanted: list[sa.ColumnElement[bool]] = [
        SearchEntry.valid_from <= look.as_at,
        SearchEntry.valid_to > look.as_at,
    ]
    if look.few_lines:
        # Hidden from the index, which would be the slower way here.
        words = words.concat("")
    else:
        narrower = search_index.holds(look.dialect, SearchEntry.id, [term.ways() for term in terms])
        if narrower is not None:
            wanted.append(narrower)
    for term in terms:
        ways = [search_index.has_text(look.dialect, words, text) for text in term.ways()]
        wanted.append(sa.or_(*ways))
    return wanted


def _with_near_words(session: Session, scope: Scope, look: _Look) -> _Look:
    """Return the look with the known words that may have been meant by those that were typed."""
    numbers = {
        number
        for term in look.terms
        if term.word is not None and slips_allowed(term.word)
        for number in cuts(term.word)
    }
    if not numbers:
        return look
    known = set(
        session.execute(
            scope.select(SearchCut.word).where(SearchCut.cut.in_(sorted(numbers))).distinct()
        ).scalars()
    )
    terms = tuple(
        term
        if term.word is None
        else replace(term, near=nearest(term.word, known, most_words=_MOST_NEAR_WORDS))
        for term in look.terms
    )
    return replace(look, terms=terms)


def _whole(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    return tuple(
        term if term.word is None else Term((f" {term.word} ",), term.word) for term in terms
    )


def _beginning(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    return tuple(
        term if term.word is None else Term((f" {term.word}",), term.word) for term in terms
    )


def _ordered(
    session: Session, scope: Scope, lines: list[Any], terms: tuple[Term, ...], most: int
) -> Found:
    best: dict[int, tuple[Closeness, str]] = {}
    for line in lines:
        fits = closeness(line.words, terms), line.words
        if line.contact_id not in best or fits < best[line.contact_id]:
            best[line.contact_id] = fits
    mine = _talked_with(session, scope, list(best))
    order = sorted(
        best,
        key=lambda one: (best[one][0], one not in mine, best[one][1], one),
    )
    near = sum(best[one][0] is Closeness.NEAR for one in order[:most])
    return Found(tuple(order[:most]), near, len(order) > most)


def _talked_with(session: Session, scope: Scope, contact_ids: list[int]) -> set[int]:
    if scope.actor_id is None or not contact_ids:
        return set()
    found = session.execute(
        scope.select(Conversation.contact_id)
        .where(Conversation.held_by_id == scope.actor_id, Conversation.contact_id.in_(contact_ids))
        .distinct()
    )
    return set(found.scalars())
