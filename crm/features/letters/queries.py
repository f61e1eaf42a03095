"""Reads for the drafts: numbers by workplace and by what people do, and never a name."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from crm.access import audit
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.domain.notices import Item, Letter, asked_of, content_rule
from crm.domain.rules import KeyDate, Rule, rule_book
from crm.models.places import Employer, Workplace
from crm.reads.ballots import Part, WholeBallot, find_ballot, read_ballots
from crm.reads.voters import list_voters


@dataclass(frozen=True, slots=True)
class At:
    """A workplace in a letter. number: as the union counts, else those on our list who may vote."""

    part: Part
    number: int


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a letter to one employer may say.

    rule and items: what the law asks for; None and empty where no row says so. categories: what
    people do, with numbers; "" for those of whom it is not known. differs: where the union counts
    other numbers than our list has.
    """

    ballot: WholeBallot
    letter: Letter
    rule: Rule | None
    items: tuple[Item, ...]
    employer: str
    employers: tuple[tuple[uuid.UUID, str], ...]
    chosen: uuid.UUID
    workplaces: tuple[At, ...]
    categories: tuple[tuple[str, int], ...]
    total: int
    differs: tuple[str, ...]
    as_at: date


def get_draft(
    session: Session,
    scope: Scope,
    ballot_id: uuid.UUID,
    letter: Letter,
    *,
    employer: uuid.UUID | None,
    today: date,
) -> Draft:
    """Return what a letter says to an employer; None = the first by name.

    Raises NotFound for a ballot that is not the actor's, and for an employer without a workplace
    in it.
    """
    ballot = read_ballots(
        session,
        scope,
        [find_ballot(session, scope, ballot_id, permission=Permission.BALLOT_WRITE)],
    )[0]
    owner_of = {
        int(workplace): int(owner)
        for workplace, owner in session.execute(
            scope.select(Workplace.id, Workplace.employer_id).where(
                Workplace.id.in_(sorted(part.place_id for part in ballot.parts))
            )
        )
    }
    owners = session.execute(
        scope.select(Employer.id, Employer.public_id, Employer.name)
        .where(Employer.id.in_(sorted(set(owner_of.values()))))
        .order_by(Employer.name, Employer.id)
    ).all()
    employers = [(row.public_id, row.name) for row in owners]
    inner = {row.public_id: row.id for row in owners}
    chosen = next((one for one in employers if employer is None or one[0] == employer), None)
    if chosen is None:
        raise NotFound(f"employer {employer} in ballot {ballot_id}")
    theirs = {key for key, owner in owner_of.items() if owner == inner[chosen[0]]}
    voters = [one for one in list_voters(session, scope, ballot, today) if one.left_out is None]
    workplaces, differs = [], []
    parts = {part.id: part for part in ballot.parts if part.place_id in theirs}
    for part in parts.values():
        named = sum(one.part_id == part.id for one in voters)
        stated = part.stated_members
        workplaces.append(At(part, named if stated is None else stated))
        if stated is not None and stated != named:
            differs.append(part.name)
    counts = Counter((one.category or "").strip() for one in voters if one.part_id in parts)
    rule = content_rule(
        rule_book(ballot.jurisdiction), letter, _days(ballot, today), begun=ballot.begun
    )
    return Draft(
        ballot=ballot,
        letter=letter,
        rule=None if ballot.is_indicative else rule,
        items=() if rule is None or ballot.is_indicative else asked_of(rule),
        employer=chosen[1],
        employers=tuple(employers),
        chosen=chosen[0],
        workplaces=tuple(workplaces),
        categories=tuple(sorted(counts.items(), key=lambda one: (one[0] == "", one[0]))),
        total=sum(one.number for one in workplaces),
        differs=tuple(differs),
        as_at=ballot.frozen_on or today,
    )


def _days(ballot: WholeBallot, today: date) -> dict[KeyDate, date]:
    """Return the key days; what is not fixed yet is taken as it is planned, or today."""
    days = ballot.days
    after = (days.closes_on or today) + timedelta(days=1)
    return {
        KeyDate.BALLOT_OPENING: days.opens_on or today,
        KeyDate.NOTICE_GIVEN: days.action_notice_on or max(after, today),
        KeyDate.RESULT: days.declared_on or max(after, today),
    }


def note_taken_out(session: Session, scope: Scope, draft: Draft) -> None:
    """Record that the actor took the draft out as a file."""
    audit.record_export(
        session,
        what="ballot_letter",
        filters={
            "ballot": draft.ballot.public_id,
            "letter": draft.letter.value,
            "employer": draft.chosen,
        },
        rows=1,
        place_id=draft.ballot.place_id,
    )
