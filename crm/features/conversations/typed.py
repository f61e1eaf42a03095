"""What was typed about a talk, whichever way it came: by its page, by the phone, kept for later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from werkzeug.datastructures import MultiDict

from crm.domain.errors import Refusal
from crm.features.conversations import service
from crm.features.conversations.forms import TalkForm

# Which field a refusal stands beside.
_FIELD_OF: dict[type[Refusal], str] = {
    service.TalkInTheFuture: "day",
    service.TalkTooLongAgo: "day",
    service.AgainInThePast: "again_on",
    service.AgainTooFarAhead: "again_on",
    service.NotTheirPlace: "place",
    service.AnswerWithoutAsk: "answer",
}


def field_of(refusal: Refusal) -> str | None:
    """Return the name of the field that a refusal stands beside, or None for the whole form."""
    return _FIELD_OF.get(type(refusal))


def typed_form(fields: Mapping[str, Sequence[str]]) -> TalkForm:
    """Return the form filled with fields that came another way than by its own page."""
    return TalkForm(pairs(fields), meta={"csrf": False})


def pairs(fields: Mapping[str, Sequence[str]]) -> MultiDict[str, str]:
    """Return fields by name as a form reads them: one entry for each value."""
    return MultiDict((name, value) for name, values in fields.items() for value in values)


def typed_fields(form: MultiDict[str, str]) -> dict[str, list[str]]:
    """Return what was typed, name by name, without the form's token and its buttons."""
    names = {field.name for field in TalkForm(None)} - {"csrf_token", "id"}
    return {name: values for name, values in form.lists() if name in names}
