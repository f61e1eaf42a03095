"""Who listens to whom and who leads, as at a day. A tie to somebody out of scope is not there."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from crm.access.facts import covers, known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.cover import Cover, FoundBy, Stage, TieBasis, cover, nominations
from crm.domain.vocabulary import GroupKind
from crm.models.contacts import Contact, Job
from crm.models.places import Workplace
from crm.models.ties import GroupMember, Leading, SocialGroup, Tie


@dataclass(frozen=True, slots=True)
class Following:
    """The ties and the leaders of a workplace on a day, by inner ids of people.

    ties: (who listens, to whom), the first written first. stages: leaders only. named_by: for each
    person how many different people said that somebody listens to them; absent = nobody did.
    """

    ties: tuple[tuple[int, int], ...]
    stages: Mapping[int, Stage]
    named_by: Mapping[int, int]

    def cover(self, people: Iterable[int]) -> Cover[int]:
        """Return who of the people is covered by a leader among them."""
        return cover(frozenset(people), self.ties, self.stages)


@dataclass(frozen=True, slots=True)
class TieSeen:
    """A tie to or from somebody. teller: who told us; None = nobody, not written down, or not
    shown to this reader."""

    public_id: uuid.UUID
    person_id: uuid.UUID
    name: str
    basis: TieBasis
    teller: str | None
    since: date


@dataclass(frozen=True, slots=True)
class LeadingSeen:
    """That somebody is a leader, with the evidence: found_by, or the action and who took part.

    The counts are None for a reader who does not hold the whole workplace: they count people
    whom that reader may not see.
    """

    public_id: uuid.UUID
    stage: Stage
    since: date
    found_by: FoundBy | None
    action: str | None
    action_on: date | None
    listeners: int | None
    acted: int | None


@dataclass(frozen=True, slots=True)
class SiteTies:
    """What ties somebody to others at one workplace.

    leading: the surest first. named_by: different people who said that somebody listens to them.
    """

    workplace_id: uuid.UUID
    workplace: str
    whole: bool
    leading: tuple[LeadingSeen, ...]
    listens_to: tuple[TieSeen, ...]
    listened_by: tuple[TieSeen, ...]
    named_by: int

    @property
    def stage(self) -> Stage | None:
        """The surest stage; None = not known as a leader."""
        return self.leading[0].stage if self.leading else None


@dataclass(frozen=True, slots=True)
class GroupSeen:
    """A group that somebody is in."""

    public_id: uuid.UUID
    name: str
    kind: GroupKind


def groups_of(
    session: Session, scope: Scope, contact_id: int, *, as_at: date
) -> tuple[GroupSeen, ...]:
    """Return the groups that the person is in on the day and the reader may know of, by name."""
    rows = session.execute(
        scope.select(SocialGroup.public_id, SocialGroup.name, SocialGroup.kind)
        .join(GroupMember, GroupMember.group_id == SocialGroup.id)
        .where(
            GroupMember.contact_id == contact_id,
            known(GroupMember),
            covers(GroupMember, as_at),
            sa.or_(SocialGroup.closed_on.is_(None), SocialGroup.closed_on > as_at),
        )
        .order_by(SocialGroup.name, SocialGroup.id)
    )
    return tuple(GroupSeen(*row) for row in rows)


def get_following(session: Session, scope: Scope, workplace_id: int, *, as_at: date) -> Following:
    """Return the ties and leaders of a workplace on a day, as we know now. Two statements.

    workplace_id: inner id, of a workplace that the caller has already found in the scope.
    """
    rows = session.execute(
        scope.select(Tie.contact_id, Tie.leader_id, Tie.said_by_id)
        .where(Tie.workplace_id == workplace_id, known(Tie), covers(Tie, as_at))
        .order_by(Tie.valid_from, Tie.id)
    ).all()
    leading = session.execute(
        scope.select(Leading.contact_id, Leading.stage).where(
            Leading.workplace_id == workplace_id, known(Leading), covers(Leading, as_at)
        )
    )
    stages: dict[int, Stage] = {}
    for contact_id, stage in leading:
        if stages.get(contact_id) is not Stage.CONFIRMED:
            stages[contact_id] = stage
    return Following(
        ties=tuple((row.contact_id, row.leader_id) for row in rows),
        stages=stages,
        named_by=nominations((row.contact_id, row.leader_id, row.said_by_id) for row in rows),
    )


def ties_of(
    session: Session, scope: Scope, contact_id: int, *, as_at: date
) -> tuple[SiteTies, ...]:
    """Return a person's ties at each workplace where they have a job on the day, by its name.

    contact_id: inner id, of somebody whom the caller has already found in the scope. Ties to
    people who have no job there on the day are left out. Four statements at most.
    """
    sites = session.execute(
        scope.select(
            Workplace.id,
            Workplace.public_id,
            Workplace.name,
            scope.reach(Permission.CONTACT_READ, Workplace.id).label("whole"),
        )
        .where(
            Workplace.id.in_(
                sa.select(Job.workplace_id).where(
                    Job.contact_id == contact_id, known(Job), covers(Job, as_at)
                )
            )
        )
        .order_by(Workplace.name, Workplace.id)
    ).all()
    if not sites:
        return ()
    ids = [site.id for site in sites]
    up = _ties(session, scope, ids, as_at, mine=Tie.contact_id == contact_id, other=Tie.leader_id)
    down = _ties(session, scope, ids, as_at, mine=Tie.leader_id == contact_id, other=Tie.contact_id)
    leading = session.scalars(
        scope.select(Leading)
        .where(
            Leading.contact_id == contact_id,
            Leading.workplace_id.in_(ids),
            known(Leading),
            covers(Leading, as_at),
        )
        .order_by(Leading.stage, Leading.valid_from.desc(), Leading.id.desc())
    ).all()
    return tuple(
        SiteTies(
            workplace_id=site.public_id,
            workplace=site.name,
            whole=bool(site.whole),
            leading=tuple(
                _leading(one, bool(site.whole)) for one in leading if one.workplace_id == site.id
            ),
            listens_to=tuple(_tie(row) for row in up if row.workplace_id == site.id),
            listened_by=tuple(_tie(row) for row in down if row.workplace_id == site.id),
            named_by=nominations(
                (0, contact_id, row.said_by_id) for row in down if row.workplace_id == site.id
            ).get(contact_id, 0),
        )
        for site in sites
    )


def _ties(
    session: Session, scope: Scope, ids: list[int], as_at: date, *, mine: Any, other: Any
) -> list[Any]:
    person, teller = aliased(Contact), aliased(Contact)
    still_there = sa.select(sa.literal(1)).where(
        Job.contact_id == person.id,
        Job.workplace_id == Tie.workplace_id,
        known(Job),
        covers(Job, as_at),
    )
    return list(
        session.execute(
            scope.select(
                Tie.public_id,
                Tie.workplace_id,
                Tie.basis,
                Tie.valid_from,
                Tie.said_by_id,
                person.public_id.label("person_id"),
                sa.func.coalesce(person.known_as, person.placeholder_label).label("name"),
                sa.func.coalesce(teller.known_as, teller.placeholder_label).label("teller"),
            )
            .join(person, person.id == other)
            .outerjoin(teller, teller.id == Tie.said_by_id)
            .where(mine, Tie.workplace_id.in_(ids), known(Tie), covers(Tie, as_at))
            .where(still_there.exists())
            .order_by(person.name_key, person.id, Tie.id)
        )
    )


def _tie(row: Any) -> TieSeen:
    return TieSeen(
        public_id=row.public_id,
        person_id=row.person_id,
        name=row.name,
        basis=row.basis,
        teller=row.teller,
        since=row.valid_from,
    )


def _leading(one: Leading, whole: bool) -> LeadingSeen:
    return LeadingSeen(
        public_id=one.public_id,
        stage=one.stage,
        since=one.valid_from,
        found_by=one.found_by,
        action=one.action,
        action_on=one.action_on,
        listeners=one.listeners if whole else None,
        acted=one.acted if whole else None,
    )
