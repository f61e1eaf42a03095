"""What every part of the invented world needs: chance, days, moments, and who was made so far."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, Final

from sqlalchemy.orm import Session

from crm.access import tree
from crm.access.scope import Scope
from crm.domain.vocabulary import (
    HowKnown,
)
from crm.features.practice.invented.cast import CAST, Known
from crm.features.practice.invented.names import NameMaker
from crm.models.contacts import Contact
from crm.models.conversations import (
    Conversation,
)
from crm.models.places import (
    PlaceEdge,
)

# The invented group began its list this many days ago.
LIST_BEGAN: Final = 395


@dataclass(slots=True)
class Site:
    """A workplace and what its people are made from. how_known: None = as chance has it."""

    workplace_id: int
    public_id: uuid.UUID
    name: str
    employer_id: int
    # Name of the user, and how often it is they who hold the talk.
    speakers: dict[str, int]
    branches: tuple[int, ...]
    titles: tuple[str, ...] = ()
    how_known: HowKnown | None = None
    areas: dict[str, int] = field(default_factory=dict)
    shifts: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Person:
    """Somebody invented. member: None = not known; asked: somebody knows where they stand."""

    contact: Contact
    site: Site
    area: str | None
    shift: str | None
    title: str | None
    asked: bool
    member: bool | None
    since: date
    listed: date
    until: date | None = None
    role: Known | None = None
    talks: list[Talk] = field(default_factory=list)

    @property
    def place_id(self) -> int:
        """The inner id of the area where they work, or of the workplace."""
        return self.site.workplace_id if self.area is None else self.site.areas[self.area]


@dataclass(slots=True)
class Talk:
    """A talk, and where the person stood; rating 0 = not asked in this one."""

    row: Conversation
    rating: int


class Maker:
    """Makes the world in order: places, users, people, what is known of them, talks."""

    def __init__(
        self, session: Session, scope: Scope, *, today: date, now: datetime, seed: int
    ) -> None:
        self.session = session
        self.scope = scope
        self.today = today
        self.now = now
        self.rng = Random(f"{seed} {today.isoformat()}")  # noqa: S311 - nothing here is secret
        self.names = NameMaker(self.rng)
        for role in CAST:
            self.names.keep(role.first, role.surname)
        numbers = list(range(1000))
        self.rng.shuffle(numbers)
        self.numbers = iter(numbers)
        self.root = tree.everything_id(session)
        self.people: list[Person] = []
        self.sites: list[Site] = []
        self.user_ids: dict[str, int] = {}
        self.talks = 0

    def _add(self, rows: Iterable[Any]) -> None:
        self.session.add_all(rows)
        self.session.flush()

    def _id(self) -> uuid.UUID:
        return uuid.UUID(int=self.rng.getrandbits(128), version=4)

    def _ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def _moment(self, day: date, hour: int = 12, minute: int | None = None) -> datetime:
        """Return a moment of that day, never one that has not come yet."""
        minute = self.rng.randrange(60) if minute is None else minute
        return min(datetime.combine(day, time(hour, minute), tzinfo=UTC), self.now)

    def _long_ago(self) -> datetime:
        return self._moment(self._ago(LIST_BEGAN), 9, 0)

    def _edge(self, child_id: int, *parent_ids: int) -> list[PlaceEdge]:
        return [
            PlaceEdge(
                child_id=child_id,
                parent_id=parent_id,
                valid_from=self._ago(1500),
                recorded_at=self._long_ago(),
            )
            for parent_id in parent_ids
        ]

    def _place(self, kind: type[Any], name: str, **more: Any) -> Any:
        return kind(
            public_id=self._id(), name=name, country="GB", created_at=self._long_ago(), **more
        )

    def _pick(self, weights: dict[Any, int]) -> Any:
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def _chance(self, share: float) -> bool:
        return self.rng.random() < share

    def _speakers(self, site: Site, area: str | None) -> dict[str, int]:
        if site is self.sites[0] and area == "Pack":
            return {"Owen": 50, "Danuta": 25, "Ana": 15, "Kasia": 10}
        return site.speakers
