"""A person's dated facts, cut into spans that every count as at a day is made from.

The spans of one person are stored. When a fact about them changes, the new spans are worked out
whole and compared with the old ones, so back-dated entries and corrections need no special case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from crm.domain.assessment import Assessment, is_firm, latest
from crm.domain.ids import AreaId, JobId, UnionId, WorkplaceId
from crm.domain.spells import check_order, covers


class MembershipStatus(StrEnum):
    """What we know of somebody and a union. Not known is the absence of a row."""

    MEMBER = "member"
    NOT_MEMBER = "not_member"


@dataclass(frozen=True, slots=True)
class JobSpell:
    """One job of one person at a place, `[valid_from, valid_to)`.

    area_id: None when we do not know which area, or the workplace has none.
    """

    job_id: JobId
    workplace_id: WorkplaceId
    area_id: AreaId | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class MembershipSpell:
    """What we know of one person and a union, `[valid_from, valid_to)`.

    union_id None with `member`: in a union, we do not know which. None with `not_member`: in no
    union at all. A named union with `not_member` says nothing of any other union.
    """

    union_id: UnionId | None
    status: MembershipStatus
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Span:
    """A run of days on which one person's state at one place did not change.

    `[from_day, to_day)`, to_day None = still so. member: in any union; None = not known.
    score: 1 (strongest) to 5, with the day it was given and whether it is firm; all three None
    when nobody has assessed the person yet.
    """

    workplace_id: WorkplaceId
    area_id: AreaId | None
    from_day: date
    to_day: date | None
    member: bool | None
    score: int | None
    scored_on: date | None
    score_firm: bool | None


@dataclass(frozen=True, slots=True)
class SpanDiff:
    """The spans to take out and to put in, each in the order of `timeline`."""

    to_delete: tuple[Span, ...]
    to_insert: tuple[Span, ...]


def member_of_any(memberships: Iterable[MembershipSpell], day: date) -> bool | None:
    """Whether the person is in any union that day; None = not known.

    True if any union says so. False only if a row says that they are in no union at all. Somebody
    known not to be in one union may be in another, so that alone leaves it not known.
    """
    in_none = False
    for one in memberships:
        if covers(one.valid_from, one.valid_to, day):
            if one.status == MembershipStatus.MEMBER:
                return True
            in_none = in_none or one.union_id is None
    return False if in_none else None


def member_of(memberships: Iterable[MembershipSpell], union_id: UnionId, day: date) -> bool | None:
    """Whether the person is in that union that day; None = not known.

    True if a row for this union says member. False if one says not a member of it, or of any.
    A member of another union, or of one we cannot name, may be in this one too: not known.
    """
    known_not = False
    for one in memberships:
        if covers(one.valid_from, one.valid_to, day):
            if one.status == MembershipStatus.MEMBER:
                if one.union_id == union_id:
                    return True
            elif one.union_id is None or one.union_id == union_id:
                known_not = True
    return False if known_not else None


def timeline(
    *,
    jobs: Sequence[JobSpell],
    memberships: Sequence[MembershipSpell],
    assessments: Sequence[Assessment],
) -> tuple[Span, ...]:
    """The spans of one person, by workplace, area (none first) and first day.

    jobs, memberships, assessments: facts of this one person that are believed now (corrections
    already applied); assessments are the general ones, not those for a named ask.
    There is one span for each place and longest run of days with an equal state. Two jobs at the
    same place at once make one span. Jobs in two areas of one workplace make a span in each, so a
    count of the whole workplace must count people, not spans.
    Raises DatesOutOfOrder if any spell ends before it starts; spells of no days are left out.
    """
    spells: tuple[JobSpell | MembershipSpell, ...] = (*jobs, *memberships)
    for spell in spells:
        check_order(spell.valid_from, spell.valid_to)
    if not jobs:
        return ()
    changes = _days_of_change(spells, assessments, first=min(job.valid_from for job in jobs))
    states = [(member_of_any(memberships, day), *_score_on(assessments, day)) for day in changes]
    places = sorted(
        {(job.workplace_id, job.area_id) for job in jobs},
        key=lambda place: (place[0], place[1] is not None, place[1] or 0),
    )
    spans: list[Span] = []
    for workplace_id, area_id in places:
        here = [job for job in jobs if (job.workplace_id, job.area_id) == (workplace_id, area_id)]
        open_state: tuple[bool | None, int | None, date | None, bool | None] | None = None
        opened: date | None = None
        for day, state in zip(changes, states, strict=True):
            present = any(covers(job.valid_from, job.valid_to, day) for job in here)
            now = state if present else None
            if now == open_state:
                continue
            if open_state is not None and opened is not None:
                spans.append(Span(workplace_id, area_id, opened, day, *open_state))
            open_state, opened = now, day
        if open_state is not None and opened is not None:
            spans.append(Span(workplace_id, area_id, opened, None, *open_state))
    return tuple(spans)


def diff_spans(old: Iterable[Span], new: Iterable[Span]) -> SpanDiff:
    """What to delete and insert so that the stored spans become the new ones.

    Spans that are in both stay untouched. A span stored twice by mistake loses its extra copy.
    """
    old_spans, new_spans = tuple(old), tuple(new)
    return SpanDiff(
        to_delete=_without(old_spans, new_spans), to_insert=_without(new_spans, old_spans)
    )


def _days_of_change(
    spells: Sequence[JobSpell | MembershipSpell],
    assessments: Sequence[Assessment],
    *,
    first: date,
) -> list[date]:
    # Before the first job there is no place to have a state at.
    days = {one.day for one in assessments}
    for spell in spells:
        days.add(spell.valid_from)
        if spell.valid_to is not None:
            days.add(spell.valid_to)
    return sorted(day for day in days if day >= first)


def _score_on(
    assessments: Sequence[Assessment], day: date
) -> tuple[int | None, date | None, bool | None]:
    found = latest(assessments, day)
    if found is None:
        return None, None, None
    return found.rating, found.day, is_firm(found.basis)


def _without(spans: tuple[Span, ...], others: tuple[Span, ...]) -> tuple[Span, ...]:
    left = Counter(others)
    kept: list[Span] = []
    for span in spans:
        if left[span] > 0:
            left[span] -= 1
        else:
            kept.append(span)
    return tuple(kept)
