"""The forms about people who are here twice."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, RadioField, SelectField
from wtforms.fields import SelectChoice

from crm.reads.places import Choice
from crm.web.forms import Form, TextField, chosen_id

KEPT, GONE = "first", "second"
_CHOOSE = _("Choose one.")


class QueueForm(Form):
    """Where to look for people who are here twice."""

    class Meta(Form.Meta):
        """It only reads, so it needs no token."""

        csrf = False

    place = SelectField(_("Where"), default="")

    def offer(self, places: Sequence[Choice]) -> None:
        """Offer these workplaces."""
        self.place.choices = [
            SelectChoice("", _("Everywhere")),
            *(SelectChoice(one.value, one.label) for one in places),
        ]


class FindForm(Form):
    """A name to look for, when nobody was suggested."""

    class Meta(Form.Meta):
        """It only reads, so it needs no token."""

        csrf = False

    q = TextField(_("Name or phone of the other record"), limit=100)


def _radio(label: Any) -> RadioField:
    return RadioField(label, invalid_choice_message=_CHOOSE, validate_choice=False)


class MergeForm(Form):
    """Which of two values each field shall have; the fields that do not differ are left out."""

    first_version = HiddenField()
    second_version = HiddenField()
    known_as = _radio(_("Name they use"))
    full_name = _radio(_("Full name"))
    pronouns = _radio(_("Pronouns"))
    languages = _radio(_("Languages they speak"))
    how_known = _radio(_("How do we know them?"))
    membership = _radio(_("What do we know of the union? They cannot both be true."))

    def offer(self, name: str, first: str, second: str, *, chosen: str | None = KEPT) -> None:
        """Offer two values for a field; chosen: which is picked when nothing was sent."""
        field = self[name]
        field.choices = [SelectChoice(KEPT, first), SelectChoice(GONE, second)]
        if field.data not in {KEPT, GONE}:
            field.data = chosen

    def drop(self, name: str) -> None:
        """Take out a field that does not differ."""
        del self[name]

    def versions(self, first: uuid.UUID, second: uuid.UUID) -> dict[uuid.UUID, int]:
        """Return the versions of both records that the page showed; 0 for a made-up one."""
        return {first: _number(self.first_version.data), second: _number(self.second_version.data)}


class PlainForm(Form):
    """Nothing but a button and its token."""


def place_of(form: QueueForm) -> uuid.UUID | None:
    """Return the workplace that was chosen; None for everywhere."""
    return chosen_id(form.place.data)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
