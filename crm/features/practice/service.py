"""Filling an empty database with invented people, so that every screen can be tried.

Nobody here is real. Phones come from 07700 900000 to 900999, which Ofcom keeps for drama, and
mail addresses from example.org. The same seed and day give the same people.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from crm.access import sessions, tree
from crm.access.scope import Scope
from crm.access.spans import refresh_many
from crm.domain.errors import NotFound, PermissionRefused, Refusal
from crm.features.practice.invented import ground
from crm.features.practice.invented.ballots import BallotMaker
from crm.features.practice.invented.cast import CAST
from crm.features.practice.queries import find_visitor, is_filled

__all__ = ["EXTRACTS", "PracticeUser", "PracticeWorld", "fill", "is_filled", "sign_in_as"]

# Cut from the public registers; see the README beside them.
EXTRACTS: Final = Path(__file__).resolve().parent / "data"


class NotEmpty(Refusal):
    """The database holds people or users already."""

    default_message = "This database is not empty. Practice people are only put in a new one."


@dataclass(frozen=True, slots=True)
class PracticeUser:
    """An invented user: the name, what they may do in plain English, and their public id."""

    name: str
    role_label: str
    public_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class PracticeWorld:
    """What was invented. workplaces: name and public id, Dearne Valley DC first, then the other
    invented ones; register_workplaces: names of the real ones that invented people work at."""

    users: tuple[PracticeUser, ...]
    workplaces: tuple[tuple[str, uuid.UUID], ...]
    register_workplaces: tuple[str, ...]
    people: int
    talks: int


def fill(
    session: Session, scope: Scope, *, today: date, now: datetime, seed: int = 1871
) -> PracticeWorld:
    """Invent the practice people, their talks and memberships, and return what was invented.

    scope: over everything. The database may hold places from the registers, but no person and
    no user: raises NotEmpty, and PermissionRefused for a narrower scope. today: the day that all
    other days are counted from. now: the latest moment that anything was recorded at.
    """
    if not scope.is_everything:
        raise PermissionRefused("practice data")
    if is_filled(session, scope):
        raise NotEmpty()
    return _World(session, scope, today=today, now=now, seed=seed).fill()


def sign_in_as(session: Session, public_id: uuid.UUID, *, now: datetime) -> str:
    """Open a session for an invented user and return its token. Raises NotFound.

    Only for the practice copy, where everybody is invented: nothing is asked of the visitor.
    """
    user_id = find_visitor(session, public_id)
    if user_id is None:
        raise NotFound("practice user")
    return sessions.open_session(session, user_id, now=now)


class _World(BallotMaker):
    """Makes the world in order: places, users, people, what is known of them, talks."""

    def fill(self) -> PracticeWorld:
        """Make everything and return the summary."""
        self._make_unions()
        self._make_invented_sites()
        registers = self._choose_register_sites()
        users = self._make_users()
        dearne, wath, hoyland, metro = self.sites[:4]
        self._people_of(dearne, ground.DEARNE_VALLEY, cast=CAST)
        self._leavers_of(dearne, 24)
        self._people_of(wath, ground.WATH)
        self._people_of(hoyland, ground.HOYLAND)
        self._people_of(metro, ground.METRO)
        for site in registers:
            self._people_of(site, (self._register_group(site),))
        self._add([person.contact for person in self.people])
        self._make_facts(wath)
        self._make_talks()
        self._make_reminders()
        self._make_turf()
        self._make_leaders()
        tree.rebuild_closure(self.session, today=self.today)
        refresh_many(self.session, [person.contact.id for person in self.people])
        self._make_campaign()
        self._make_ballots()
        return PracticeWorld(
            users=tuple(PracticeUser(*user) for user in users),
            workplaces=tuple((site.name, site.public_id) for site in self.sites[:4]),
            register_workplaces=tuple(site.name for site in registers),
            people=len(self.people),
            talks=self.talks,
        )
