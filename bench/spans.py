"""The spans of one person, by the rule of crm/domain/timeline.py, for millions of people.

It works on whole numbers of days and skips what generated records never hold (two assessments
on one day). tests/bench/test_generate.py shows that it gives what timeline() gives.
"""

from __future__ import annotations

from collections.abc import Sequence

# workplace, area or None, first day, day after the last one or None
Job = tuple[int, int | None, int, int | None]
# True = member of a union, False = in none, None = not in one named union; first day, end
Status = tuple[bool | None, int, int | None]
# day, rating, firm; in order of day, one a day
Rated = tuple[int, int, bool]
# workplace, area, first day, end or None, member, rating, its day, firm
Span = tuple[int, int | None, int, int | None, bool | None, int | None, int | None, bool | None]

_NOT_ASKED: tuple[None, None, None] = (None, None, None)


def spans_of(
    jobs: Sequence[Job], statuses: Sequence[Status], ratings: Sequence[Rated]
) -> list[Span]:
    """Return the spans of one person, by workplace, area (none first) and first day.

    Days are whole numbers, all counted from the same day.
    """
    if not jobs:
        return []
    days = {rated[0] for rated in ratings}
    for spell in (*(job[2:] for job in jobs), *(status[1:] for status in statuses)):
        days.update(day for day in spell if day is not None)
    first = min(job[2] for job in jobs)
    changes = sorted(day for day in days if day >= first)
    states = _states(changes, statuses, ratings)
    spans: list[Span] = []
    if len(jobs) == 1:
        _cut(spans, changes, states, jobs)
        return spans
    places = sorted({job[:2] for job in jobs}, key=lambda place: (place[0], place[1] or 0))
    for place in places:
        _cut(spans, changes, states, [job for job in jobs if job[:2] == place])
    return spans


_State = tuple[bool | None, int | None, int | None, bool | None]


def _states(
    changes: Sequence[int], statuses: Sequence[Status], ratings: Sequence[Rated]
) -> list[_State]:
    states: list[_State] = []
    seen = 0
    score: tuple[int | None, int | None, bool | None] = _NOT_ASKED
    for day in changes:
        while seen < len(ratings) and ratings[seen][0] <= day:
            scored_on, rating, firm = ratings[seen]
            score = (rating, scored_on, firm)
            seen += 1
        member = None
        for kind, since, until in statuses:
            if since <= day and (until is None or day < until):
                if kind:
                    member = True
                    break
                if kind is False:
                    member = False
        states.append((member, *score))
    return states


def _cut(
    spans: list[Span], changes: Sequence[int], states: Sequence[_State], here: Sequence[Job]
) -> None:
    workplace, area = here[0][:2]
    open_state: _State | None = None
    opened = 0
    for day, state in zip(changes, states, strict=True):
        now = None
        for _, _, since, until in here:
            if since <= day and (until is None or day < until):
                now = state
                break
        if now == open_state:
            continue
        if open_state is not None:
            spans.append((workplace, area, opened, day, *open_state))
        open_state, opened = now, day
    if open_state is not None:
        spans.append((workplace, area, opened, None, *open_state))
