"""What the figures beside density must ask and work out at the least, by hand.

No scope, no range, no total that counts a person once over several places: what lies between these
and the program is what the program adds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from bench.by_hand import table_sql
from crm.analysis.projection import DRAWS, Assumptions, Stand


def full_sql(node_id: int, day: date) -> list[str]:
    """Return the statements for density in full: the table, members of each union at each
    workplace, who is organised, and who was active in 90 days."""
    inside = f"(SELECT descendant_id FROM place_closure WHERE ancestor_id = {node_id})"
    holds = _holds(day)
    return [
        table_sql(node_id, day),
        f"""
        SELECT j.workplace_id, m.union_id, count(DISTINCT j.contact_id)
        FROM job j JOIN membership m ON m.contact_id = j.contact_id
        WHERE j.place_id IN {inside} AND j.superseded_at IS NULL AND {holds("j")}
          AND m.status = 'member' AND m.superseded_at IS NULL AND {holds("m")}
        GROUP BY j.workplace_id, m.union_id""",
        f"""
        SELECT count(DISTINCT contact_id) FROM state_span
        WHERE from_day <= '{day}' AND to_day > '{day}' AND score <= 2 AND score_firm
          AND scored_on >= '{day - timedelta(days=90)}' AND place_id IN {inside}""",
        f"""
        SELECT count(DISTINCT held_by_id) FROM conversation
        WHERE day > '{day - timedelta(days=90)}' AND day <= '{day}' AND withdrawn_at IS NULL
          AND place_id IN {inside}""",
    ]


def ready_sql(node_id: int, day: date) -> list[str]:
    """Return the statements for readiness: the table, where people stand and who is a member, the
    leaders of each workplace, and members whose address is known to work."""
    inside = f"(SELECT descendant_id FROM place_closure WHERE ancestor_id = {node_id})"
    fresh = day - timedelta(days=90)
    return [
        table_sql(node_id, day),
        f"""
        SELECT workplace_id, count(DISTINCT contact_id),
          count(DISTINCT CASE WHEN score_firm AND scored_on >= '{fresh}' THEN contact_id END),
          count(DISTINCT CASE WHEN score_firm AND scored_on >= '{fresh}' AND score <= 2
            THEN contact_id END),
          count(DISTINCT CASE WHEN member THEN contact_id END)
        FROM state_span
        WHERE from_day <= '{day}' AND to_day > '{day}' AND place_id IN {inside}
        GROUP BY workplace_id""",
        f"""
        SELECT workplace_id, count(DISTINCT contact_id) FROM "leading"
        WHERE superseded_at IS NULL AND {_holds(day)('"leading"')} AND place_id IN {inside}
        GROUP BY workplace_id""",
        f"""
        SELECT s.workplace_id, count(DISTINCT s.contact_id)
        FROM state_span s JOIN contact_point p ON p.contact_id = s.contact_id
        WHERE s.from_day <= '{day}' AND s.to_day > '{day}' AND s.member AND p.kind = 'address'
          AND p.state = 'works' AND p.superseded_at IS NULL AND s.place_id IN {inside}
        GROUP BY s.workplace_id""",
    ]


def _holds(day: date) -> Callable[[str], str]:
    """Return a function that gives the condition that a row of a table holds on the day."""

    def on(table: str) -> str:
        return (
            f"{table}.valid_from <= '{day}' AND ({table}.valid_to IS NULL "
            f"OR {table}.valid_to > '{day}')"
        )

    return on


def project_by_hand(
    areas: Sequence[Mapping[Stand, int]], assumed: Assumptions, seed: int
) -> tuple[float, float]:
    """Return the middle turnout and share of yes of drawn ballots, written as plain as can be: one
    pair of tosses for each category of each area, and no bounds."""
    rng = np.random.default_rng(seed)
    swing = rng.normal(0, (assumed.turnout_shock, assumed.yes_shock), (DRAWS, 2))
    returned = np.zeros(DRAWS, dtype=np.int64)
    yes = np.zeros(DRAWS, dtype=np.int64)
    odds = {}
    for stand in Stand:
        one = assumed.beliefs[stand]
        drawn = [
            rng.beta(mean * one.strength, (1 - mean) * one.strength, DRAWS)
            for mean in (one.turnout, one.yes)
        ]
        odds[stand] = [np.log(each / (1 - each)) + swing[:, at] for at, each in enumerate(drawn)]
    for area in areas:
        here = rng.normal(0, assumed.department_shock, DRAWS)
        for stand, number in area.items():
            papers = rng.binomial(number, 1 / (1 + np.exp(-(odds[stand][0] + here))))
            returned += papers
            yes += rng.binomial(papers, 1 / (1 + np.exp(-odds[stand][1])))
    entitled = sum(sum(area.values()) for area in areas)
    return float(np.median(returned) / entitled), float(np.median(yes / returned))
