"""What kept projections of ballots teach, once their results are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.analysis.projection import Assumptions, Miss, learned, miss
from crm.models.ballots import Ballot, BallotForecast
from crm.reads.ballots import WholeBallot, read_ballots


@dataclass(frozen=True, slots=True)
class Learned:
    """The assumptions of a projection, and how many ballots with a result stand behind them.

    turnouts, yes_shares: ballots whose turnout, and whose share of yes, could be held against a
    projection; below FEWEST_SCORED the defaults are unchanged.
    """

    assumptions: Assumptions
    turnouts: int
    yes_shares: int


def learn(session: Session, scope: Scope) -> Learned:
    """Return the assumptions for a projection, taught by the ballots that the scope may see.

    A ballot teaches once, by the last projection kept of each of its papers, taken together: they
    share one swing of the campaign, so ten workplaces of one ballot are no ten lessons.
    """
    declared = session.scalars(
        scope.select(Ballot).where(Ballot.declared_on.is_not(None)).order_by(Ballot.id)
    ).all()
    ballots = read_ballots(session, scope, declared)
    kept: dict[int, dict[int | None, BallotForecast]] = {}
    for row in session.scalars(
        scope.select(BallotForecast)
        .where(BallotForecast.ballot_id.in_([one.id for one in ballots]))
        .order_by(BallotForecast.made_at, BallotForecast.id)
    ):
        kept.setdefault(row.ballot_id, {})[row.part_id] = row
    misses = [
        found
        for one in ballots
        if (found := _miss_of(one, list(kept.get(one.id, {}).values()))) is not None
    ]
    return Learned(
        assumptions=learned(misses),
        turnouts=len(misses),
        yes_shares=sum(one.yes is not None for one in misses),
    )


def _miss_of(ballot: WholeBallot, kept: Sequence[BallotForecast]) -> Miss | None:
    """Return by how much all papers of a ballot that were projected and counted came out
    otherwise; None when there is none."""
    if not ballot.questions:
        return None
    first = ballot.questions[0]
    results = {part.id: part.result for part in ballot.parts}
    entitled = cast = yes = 0
    projected = projected_yes = weight = 0.0
    yes_known = True
    for row in kept:
        result = ballot.together if row.part_id is None else results.get(row.part_id)
        count = None if result is None else result.counts.get(first.id)
        if count is None or not count.entitled or count.cast is None:
            continue
        entitled += count.entitled
        cast += count.cast
        projected += count.entitled * row.turnout_median
        yes_known = yes_known and count.yes is not None
        yes += count.yes or 0
        projected_yes += count.cast * row.yes_median
        weight += count.cast
    if not entitled:
        return None
    return Miss(
        turnout=miss(projected / entitled, cast, entitled),
        yes=miss(projected_yes / weight, yes, cast) if yes_known and weight else None,
    )
