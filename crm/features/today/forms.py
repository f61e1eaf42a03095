"""The forms of a reminder: when instead, and who instead."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import IntegerField, RadioField
from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from crm.domain.followup import SpeakAgain, due_day
from crm.web.forms import DayField, Form, chosen_id, options

ON_A_DAY = "day"
WHEN = (
    (SpeakAgain.TOMORROW.value, _("Tomorrow")),
    (SpeakAgain.THIS_WEEK.value, _("This week")),
    (SpeakAgain.NEXT_WEEK.value, _("Next week")),
    (SpeakAgain.IN_A_MONTH.value, _("In a month")),
    (ON_A_DAY, _("On a day")),
)


class LaterForm(Form):
    """When to be reminded instead: one of a few words, or a day."""

    when = RadioField(
        _("When instead?"),
        choices=options(WHEN),
        validate_choice=False,
    )
    day = DayField(_("Which day?"), description=_("Only needed for “On a day”."))
    version = IntegerField(widget=HiddenInput())

    def validate_when(self, field: Any) -> None:
        """Raise ValidationError when nothing that was offered is chosen."""
        if field.data is None and self.day.data is not None:
            field.data = ON_A_DAY
        if field.data not in {value for value, _word in WHEN}:
            raise ValidationError(gettext("Choose when you want to be reminded."))

    def validate_day(self, field: Any) -> None:
        """Raise ValidationError when "On a day" is chosen without a day."""
        if self.when.data == ON_A_DAY and field.data is None and not field.errors:
            raise ValidationError(gettext("Enter the day."))

    def due(self, today: date) -> date:
        """Return the day chosen, once the form is valid. today: the reader's."""
        if self.when.data == ON_A_DAY:
            chosen: date = self.day.data
            return chosen
        return due_day(SpeakAgain(self.when.data), today)


class GiveForm(Form):
    """Who speaks to the person instead."""

    to = RadioField(_("Who will speak to them?"), validate_choice=False, choices=[])
    version = IntegerField(widget=HiddenInput())

    def offer(self, pairs: Iterable[tuple[uuid.UUID, str]]) -> None:
        """Take these users as the choices."""
        self.to.choices = options((str(value), name) for value, name in pairs)

    def validate_to(self, field: Any) -> None:
        """Raise ValidationError when nobody is chosen."""
        if chosen_id(field.data) is None:
            raise ValidationError(gettext("Choose who will speak to them."))

    def chosen(self) -> uuid.UUID:
        """Return the public id of the user chosen, once the form is valid."""
        return uuid.UUID(self.to.data)
