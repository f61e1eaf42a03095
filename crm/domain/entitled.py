"""Who may vote in a ballot, and why somebody who works there may not.

Source: TULRCA 1992 s.227: all members whom the union reasonably thinks will be called out, and
nobody else. What is not known of somebody never makes them a voter, and never counts them out
for good: they are on the list of those whom somebody must ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from crm.domain.vocabulary import NotEntitled


class Missing(StrEnum):
    """What must be known of a voter and is not."""

    ADDRESS = "address"
    CATEGORY = "category"
    EMPLOYER = "employer"
    # Never of a voter: a ballot asks those who work at its workplaces.
    WORKPLACE = "workplace"


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """What is known of somebody who works at a place of a ballot on its day.

    member: of the union that holds the ballot; None = not known. other_employer: whether somebody
    else than the employer of the workplace pays them; None = not known. decided: why somebody
    decided to leave them out; None = nobody did.
    """

    member: bool | None
    other_employer: bool | None
    decided: NotEntitled | None
    has_address: bool
    category: str | None


def left_out(facts: WorkerFacts) -> NotEntitled | None:
    """Why they have no vote, or None when they have one."""
    if facts.member is None:
        return NotEntitled.NOT_KNOWN_TO_BE_A_MEMBER
    if not facts.member:
        return NotEntitled.NOT_A_MEMBER
    if facts.other_employer:
        return NotEntitled.OTHER_EMPLOYER
    return facts.decided


def missing(facts: WorkerFacts) -> tuple[Missing, ...]:
    """What must still be found out about a voter; nothing for those without a vote."""
    if left_out(facts) is not None:
        return ()
    found = []
    if not facts.has_address:
        found.append(Missing.ADDRESS)
    if not facts.category:
        found.append(Missing.CATEGORY)
    if facts.other_employer is None:
        found.append(Missing.EMPLOYER)
    return tuple(found)
