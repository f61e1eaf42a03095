"""One person's facts in words: the timeline, the history and the lines under each heading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from flask import url_for
from flask_babel import gettext

from crm.domain.identity import phone_key
from crm.domain.spells import covers
from crm.domain.timeline import MembershipStatus
from crm.features.contacts.queries import (
    ContactPage,
    JobSeen,
    Judgement,
    MembershipSeen,
    PlaceName,
    Promise,
    Talk,
)
from crm.reads.duplicates import Candidate
from crm.reads.people import PersonRow
from crm.web.expiry import freshness_on
from crm.web.filters import day, moment
from crm.web.labels import label, rating_label
from crm.web.likeness import why
from crm.web.pages import address_of


def _(text: str, /, **values: object) -> str:
    return str(gettext(text, **values))


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the timeline. ``order`` sorts it; the rest is text for the page.

    said: (name, words) of a note. language: the code of the language of quote and said, or "".
    """

    order: tuple[date, datetime]
    day: str
    by: str
    title: str
    lines: list[str]
    said: list[tuple[str, str]]
    quote: str
    language: str
    url: str
    link: str


@dataclass(frozen=True, slots=True)
class Perhaps:
    """Somebody who may be the person that is being added, as the page shows them."""

    name: str
    url: str
    more: str


def perhaps(one: Candidate) -> Perhaps:
    """Return the line for a candidate: where they work, and why it may be them."""
    parts = [", ".join(one.workplaces), ", ".join(why(one.likeness))]
    return Perhaps(
        name=one.name,
        url=url_for("contacts.show", contact_id=one.public_id),
        more=". ".join(part for part in parts if part),
    )


def age_text(days: int) -> str:
    """Return how long ago a day is, in words."""
    if days == 0:
        return _("today")
    if days == 1:
        return _("yesterday")
    return _("%(days)s days ago", days=days)


def stood(one: Judgement) -> str:
    """Return a judgement in a few words: 2 With us (they said so)."""
    words = f"{one.rating} {rating_label(one.rating)}"
    return _("%(words)s (%(basis)s)", words=words, basis=label(one.basis))


def place_text(*places: PlaceName | str | None) -> str:
    """Return the parts that are known with a dot between them."""
    names = (one.name if isinstance(one, PlaceName) else one for one in places)
    return " · ".join(name for name in names if name)


def member_text(member: bool | None) -> str:
    """Return what is known of membership of any union."""
    if member is None:
        return _("Union: not known")
    return _("Member") if member else _("Not a member")


def job_facts(job: JobSeen) -> tuple[list[tuple[str, str]], list[str]]:
    """Return what is known of a job as (name, value), and the names of what is not known."""
    facts = (
        (_("Area"), job.area.name if job.area else None),
        (_("Shift"), job.shift),
        (_("Job"), job.job_title),
        (_("Who pays their wages"), job.employer.name if job.employer else None),
        (_("Contract"), label(job.contract_type) if job.contract_type else None),
    )
    known = [(name, value) for name, value in facts if value]
    return known, [name for name, value in facts if not value]


def spell_text(since: date, until: date | None, *, first_seen: bool = False) -> str:
    """Return the days of a spell in words."""
    start = (
        _("Known of since %(day)s", day=day(since))
        if first_seen
        else _("Since %(day)s", day=day(since))
    )
    if until is None:
        return start
    return _("%(start)s, until %(day)s", start=start, day=day(until))


def membership_text(spell: MembershipSeen) -> str:
    """Return what a membership says: Member of X, Y branch."""
    if spell.union is None:
        return _("In no union")
    if spell.status is MembershipStatus.NOT_MEMBER:
        return _("Not a member of %(union)s", union=spell.union.name)
    if spell.branch is None:
        return _("Member of %(union)s", union=spell.union.name)
    return _("Member of %(union)s, %(branch)s", union=spell.union.name, branch=spell.branch.name)


def in_no_union(page: ContactPage) -> bool:
    """Return True when the person is known to be in no union at all on the day of the page."""
    return any(
        spell.union is None and covers(spell.since, spell.until, page.as_at)
        for spell in page.memberships
    )


def dial_url(number: str) -> str:
    """Return the link that dials a number as typed: "+44 (0)7700 ..." must lose its (0)."""
    key = phone_key(number) or ""
    as_typed = "".join(sign for sign in number if sign.isdecimal())
    # The key is the number as typed unless it carries a country's code in front.
    return f"tel:+{key}" if key != as_typed or number.lstrip("( ")[:1] == "+" else f"tel:{key}"


def person_row(row: PersonRow, as_at: date) -> dict[str, Any]:
    """Return one row of a list of people for the component that draws it."""
    parts = [place_text(row.workplace_name, row.area_name), member_text(row.member)]
    if row.rating is not None and row.scored_on is not None:
        word = rating_label(row.rating)
        if not row.firm:
            word = _("~ %(word)s, not first hand", word=word)
        age = age_text((as_at - row.scored_on).days)
        parts.append(_("%(word)s, %(age)s", word=word, age=age))
    else:
        parts.append(rating_label(None))
    if row.last_talk_on is None:
        parts.append(_("No talk written down"))
    else:
        parts.append(_("Last talk %(day)s", day=day(row.last_talk_on)))
    if row.do_not_contact:
        parts.append(_("Do not contact"))
    return {
        "name": row.name,
        "url": url_for("contacts.show", contact_id=row.public_id),
        "rating": row.rating,
        "freshness": freshness_on(as_at, row.scored_on),
        "more": " · ".join(parts),
    }


def history_chart(page: ContactPage) -> dict[str, Any] | None:
    """Return the chart of where the person stood, with its table; None before the second time.

    One judgement alone is said in full above the place of the chart.
    """
    history = page.history
    if len(history) < 2:
        return None
    first, last = history[0], history[-1]
    span = max((last.day - first.day).days, 1)
    return {
        "title": _("Where they have stood"),
        "reading": _reading(first, last),
        "base": _("%(count)s times written down.", count=len(history)),
        "as_at": day(page.as_at),
        "points": [
            {
                "x": (one.day - first.day).days / span,
                "rating": one.rating,
                "label": day(one.day),
                "firm": one.firm,
            }
            for one in history
        ],
        "table": {
            "caption": _("Where they have stood, newest first"),
            "columns": [
                {"label": _("Day")},
                {"label": _("Stood at")},
                {"label": _("How we know")},
                {"label": _("Who wrote it")},
            ],
            "rows": [
                [
                    day(one.day),
                    f"{one.rating} {rating_label(one.rating)}",
                    label(one.basis),
                    one.by,
                ]
                for one in reversed(history)
            ],
        },
    }


def _reading(first: Judgement, last: Judgement) -> str:
    words = {"then": rating_label(first.rating), "now": rating_label(last.rating)}
    if last.rating < first.rating:
        return _("They have come towards us: %(then)s at first, then %(now)s.", **words)
    if last.rating > first.rating:
        return _("They have moved away from us: %(then)s at first, then %(now)s.", **words)
    return _("First and last time the same: %(now)s.", **words)


def happenings(page: ContactPage) -> list[Happening]:
    """Return the timeline, newest first."""
    found: list[Happening] = []
    found.extend(_talk(talk) for talk in page.talks)
    found.extend(_judged(one) for one in page.other_judgements)
    for promise in page.promises:
        found.extend(_promise(promise))
    for job in page.jobs:
        found.extend(_job(job))
    for spell in page.memberships:
        found.extend(_membership(spell))
    return sorted(found, key=lambda one: one.order, reverse=True)


def _happening(
    on: date,
    title: str,
    *,
    at: datetime | None = None,
    by: str | None = None,
    lines: Iterable[str] = (),
    said: Iterable[tuple[str, str | None]] = (),
    quote: str | None = None,
    language: str | None = None,
    url: str = "",
    link: str = "",
) -> Happening:
    return Happening(
        order=(on, at or datetime.combine(on, time.min, UTC)),
        day=day(on),
        by=by or "",
        title=title,
        lines=list(lines),
        said=[(name, words) for name, words in said if words],
        quote=quote or "",
        language=language or "",
        url=url,
        link=link,
    )


def _talk(talk: Talk) -> Happening:
    lines = []
    if talk.issues:
        lines.append(_("What matters: %(list)s", list=_list(talk.issues)))
    lines.extend(_judgement_line(one) for one in talk.judgements)
    if talk.asked is not None:
        lines.append(_asked(talk))
    if talk.length_band is not None:
        lines.append(_("How long: %(length)s", length=label(talk.length_band)))
    if talk.steps:
        lines.append(_("Steps: %(list)s", list=_list(talk.steps)))
    words = talk.words
    said: tuple[tuple[str, str | None], ...] = ()
    if words is not None:
        said = (
            (_("Fears"), words.fears),
            (_("What we said about them"), words.inoculation),
            (_("Next step"), words.next_step),
        )
    title = (
        _("Talk") if talk.channel is None else _("Talk: %(channel)s", channel=label(talk.channel))
    )
    return _happening(
        talk.day,
        title,
        at=talk.held_at,
        by=talk.by,
        lines=lines,
        said=said,
        quote=words.their_words if words is not None else None,
        language=words.language if words is not None else None,
        url=address_of("conversations.show", talk_id=talk.public_id) or "",
        link=_("See or put right"),
    )


def _list(codes: Iterable[str]) -> str:
    return ", ".join(label(code) for code in codes)


def _asked(talk: Talk) -> str:
    ask = label(talk.asked)
    if talk.answer is None:
        return _("Asked: %(ask)s. Answer not known.", ask=ask)
    return _("Asked: %(ask)s. They said: %(answer)s.", ask=ask, answer=label(talk.answer))


def _judgement_line(one: Judgement) -> str:
    if one.ask is None:
        return _("Stands at: %(stood)s", stood=stood(one))
    return _("On “%(ask)s”: %(stood)s", ask=label(one.ask), stood=stood(one))


def _judged(one: Judgement) -> Happening:
    return _happening(one.day, _judgement_line(one), at=one.recorded_at, by=one.by)


def _promise(promise: Promise) -> list[Happening]:
    made = promise.created_at
    what = [promise.what] if promise.what else []
    if promise.first_due_on is not None:
        what.append(_("Put off; first due %(day)s", day=day(promise.first_due_on)))
    found = [
        _happening(
            made.date(),
            _("Speak again by %(day)s", day=day(promise.due_on)),
            at=made,
            by=promise.owner,
            lines=what if promise.done_at is None else [*what, _("Done.")],
        )
    ]
    if promise.done_at is not None:
        found.append(
            _happening(
                promise.done_at.date(),
                _("Spoke again as promised"),
                at=promise.done_at,
                by=promise.owner,
                lines=what,
            )
        )
    return found


def _job(job: JobSeen) -> list[Happening]:
    where = place_text(job.workplace, job.area, job.shift, job.job_title)
    title = _("First known at work") if job.first_seen else _("Started this job")
    found = [_happening(job.since, title, by=job.written.by, lines=[where])]
    if job.until is not None:
        found.append(_happening(job.until, _("Left this job"), lines=[where]))
    return found


def _membership(spell: MembershipSeen) -> list[Happening]:
    text = membership_text(spell)
    source = [] if spell.source is None else [_("Told by: %(who)s", who=label(spell.source))]
    found = [_happening(spell.since, text, by=spell.written.by, lines=source)]
    if spell.until is not None:
        found.append(_happening(spell.until, _("No longer known: %(text)s", text=text)))
    return found


def before_lines(page: ContactPage) -> list[str]:
    """Return what was written down of jobs and unions until it was put right, newest first."""
    old: list[tuple[datetime, str]] = []
    for job in page.jobs_before:
        where = place_text(job.workplace, job.area, job.shift, job.job_title)
        old.append(_before(job, f"{where}. " + spell_text(job.since, job.until)))
    for spell in page.memberships_before:
        old.append(
            _before(spell, f"{membership_text(spell)}. " + spell_text(spell.since, spell.until))
        )
    return [text for _at, text in sorted(old, reverse=True)]


def _before(fact: JobSeen | MembershipSeen, text: str) -> tuple[datetime, str]:
    written = fact.written
    replaced = written.replaced_at or written.at
    return replaced, _(
        "From %(start)s to %(end)s we had written: %(text)s",
        start=moment(written.at),
        end=moment(replaced),
        text=text,
    )
