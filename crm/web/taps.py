"""Lists that a phone may keep and the taps it sends of them; features offer theirs here.

docs/decisions/0009 says what a phone keeps. The phone's own answers are in the outbox of talks,
which knows no tests and no ballots: it asks the kinds that were offered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from flask import Flask, current_app
from sqlalchemy.orm import Session

from crm.access.scope import Scope

UUID_IN_PATH = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"


class Over(Exception):
    """A tap that may not be kept anywhere any more: what it says is erased by now. words: why."""

    def __init__(self, words: str) -> None:
        """words: a sentence for the writer, without a name in it."""
        super().__init__(words)
        self.words = words


@dataclass(frozen=True, slots=True)
class OnList:
    """Somebody whom a rep still has to ask. key: what a tap on them is sent with."""

    key: str
    public_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class KeptList:
    """A list that a phone may keep. page: its address. people: the reader's own people first."""

    page: str
    name: str
    people: Sequence[OnList]


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap as the phone sent it.

    ids: those in the address it was meant for. fields: what the page would have sent. typed_at:
    when it was tapped, by our clock; day: that day where the writer is. now, today: ours.
    """

    ids: Sequence[UUID]
    fields: Mapping[str, Sequence[str]]
    typed_at: datetime
    day: date
    now: datetime
    today: date


@dataclass(frozen=True, slots=True)
class About:
    """What a tap was about, for its writer. contact_id: None = nobody they may see."""

    page: str
    words: str
    contact_id: UUID | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of list that opens without signal.

    address: matches the whole address that a tap is sent to. lists: (session, scope, today, inner
    ids of the reader's own people, most people of one list). take: stores a tap, in its own unit
    of work; raises NotFound, Refusal, Over. about: never raises. keeps: a tap that is refused is
    kept on the server for its writer; else only the phone keeps the reason.
    """

    name: str
    address: re.Pattern[str]
    lists: Callable[[Session, Scope, date, Collection[int], int], list[KeptList]]
    take: Callable[[Session, Scope, Tap], None]
    about: Callable[[Session, Scope, Tap], About]
    keeps: bool


def offer(app: Flask, kind: Kind) -> None:
    """Have phones keep lists of this kind, and take their taps."""
    app.extensions.setdefault("lists_for_phones", []).append(kind)


def kinds() -> list[Kind]:
    """Return the kinds that were offered, in the order in which a phone shows their lists."""
    found: list[Kind] = current_app.extensions.get("lists_for_phones", [])
    return sorted(found, key=lambda one: one.name)


def kind_of(page: str) -> tuple[Kind, list[UUID]] | None:
    """Return the kind that takes taps sent to this address, and the ids in it; None = no kind."""
    for kind in kinds():
        found = kind.address.fullmatch(page)
        if found is not None:
            return kind, [UUID(one) for one in found.groups()]
    return None
