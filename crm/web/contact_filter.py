"""What a filter on people says, in words for a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext

from crm.domain.contact_filter import Compare, ContactFilter, MemberFilter, Reminder, Stand
from crm.domain.custom_fields import NotThatKind, parse_answer
from crm.domain.vocabulary import FieldKind
from crm.web.filters import answer as answer_words
from crm.web.labels import NOT_ASKED, RATINGS, label

MEMBERS: tuple[tuple[MemberFilter, Any], ...] = (
    (MemberFilter.MEMBER, lazy_gettext("Members")),
    (MemberFilter.NOT_MEMBER, lazy_gettext("Not members")),
    (MemberFilter.NOT_KNOWN, lazy_gettext("Not known")),
)
STANDS: tuple[tuple[Stand, Any], ...] = (
    *((Stand(str(rating)), word) for rating, word in RATINGS.items()),
    (Stand.NOT_ASKED, NOT_ASKED),
    (Stand.OLD, lazy_gettext("Too old to count")),
)
REMINDERS: tuple[tuple[Reminder, Any], ...] = (
    (Reminder.DUE, lazy_gettext("A reminder is due")),
    (Reminder.OPEN, lazy_gettext("Somebody has a reminder")),
    (Reminder.NONE, lazy_gettext("Nobody has a reminder")),
)
COMPARES: tuple[tuple[Compare, Any], ...] = (
    (Compare.IS, lazy_gettext("is")),
    (Compare.AT_LEAST, lazy_gettext("is at least, or from")),
    (Compare.AT_MOST, lazy_gettext("is at most, or until")),
    (Compare.NOT_KNOWN, lazy_gettext("is not known")),
)


def filter_lines(
    chosen: ContactFilter,
    names: Mapping[UUID, str],
    *,
    kind: FieldKind | None = None,
    choice: str | None = None,
) -> list[tuple[str, str]]:
    """Return what the filter says as (what, words), in the order of the form.

    names: of what it names, as the reader sees it; what is missing is said to be hidden. kind and
    choice: of the field it asks about.
    """
    return [
        *_work_lines(chosen, names),
        *_union_lines(chosen),
        *_talk_lines(chosen),
        *_own_lines(chosen, names, kind, choice),
    ]


Lines = Iterator[tuple[str, str]]


def _hidden() -> str:
    return str(_("something you may not see"))


def _work_lines(chosen: ContactFilter, names: Mapping[UUID, str]) -> Lines:
    if chosen.text:
        yield _("Name, phone, job, area or tag"), chosen.text
    for words, value in (
        (_("Where"), chosen.place),
        (_("Shift"), chosen.shift),
        (_("Who pays their wages"), chosen.employer),
        (_("Member of"), chosen.union),
    ):
        if value is not None:
            yield words, names.get(value, _hidden())


def _union_lines(chosen: ContactFilter) -> Lines:
    if chosen.stands:
        said = [str(word) for stand, word in STANDS if stand in chosen.stands]
        yield _("Where they stand"), ", ".join(said)
    if chosen.member is not None:
        yield _("In a union"), str(dict(MEMBERS)[chosen.member])
    if chosen.leader:
        yield _("Leaders"), _("Only leaders")


def _talk_lines(chosen: ContactFilter) -> Lines:
    days = chosen.quiet_days
    if days is not None:
        said = ngettext(
            "None in the last %(num)s day, or never",
            "None in the last %(num)s days, or never",
            days,
        )
        yield _("Last talk"), said
    if chosen.reminder is not None:
        yield _("Reminders"), str(dict(REMINDERS)[chosen.reminder])
    if chosen.issue is not None:
        yield _("What matters to them"), label(chosen.issue)
    if chosen.no_task:
        yield _("Promises"), _("Said yes, and nobody follows it up")


def _own_lines(
    chosen: ContactFilter, names: Mapping[UUID, str], kind: FieldKind | None, choice: str | None
) -> Lines:
    if chosen.tag is not None:
        yield _("Tag"), names.get(chosen.tag, _hidden())
    field = chosen.field
    if field is None:
        return
    if field.field not in names:
        yield _("Field"), _hidden()
        return
    how = str(dict(COMPARES)[field.how])
    yield names[field.field], f"{how} {_shown(field.value, kind, choice)}".strip()


def _shown(value: str, kind: FieldKind | None, choice: str | None) -> str:
    if not value or kind is None:
        return ""
    if kind is FieldKind.CHOICE:
        return choice or _("a choice that is gone")
    try:
        return answer_words(parse_answer(kind, value))
    except NotThatKind:
        return value
