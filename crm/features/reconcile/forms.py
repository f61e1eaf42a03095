"""The forms for working through a union's membership list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField
from wtforms import HiddenField, RadioField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from crm.reads.places import Choice
from crm.web.forms import DayField, Form

ALLOWED, TAKEN = "allowed", "taken"


class ListForm(Form):
    """The file, whose list it is, and the day it is true for."""

    file = FileField(
        _("The list"),
        description=_("A spreadsheet or CSV file, with the names of the columns in the first row."),
    )
    whose = SelectField(_("Whose members are on it?"), default="")
    as_at = DayField(
        _("On which day was it true?"),
        [InputRequired(_("Enter the day."))],
        description=_("The day the union made the list, not the day you got it."),
    )
    right = RadioField(
        _("May you use this list?"),
        choices=[
            SelectChoice(ALLOWED, _("Yes: the union gave it to us for this work")),
            SelectChoice(TAKEN, _("It was taken from the union’s records without permission")),
        ],
        validators=[InputRequired(_("Choose one."))],
    )

    def offer(self, found: Sequence[Choice]) -> None:
        """Offer these unions and branches."""
        self.whose.choices = [
            SelectChoice("", _("Choose the union or branch")),
            *(SelectChoice(one.value, one.label) for one in found),
        ]

    def validate_file(self, field: Any) -> None:
        """Refuse a form without a file."""
        if not field.data:
            raise ValidationError(gettext("Choose a file."))

    def validate_whose(self, field: Any) -> None:
        """Refuse a list of which nobody has said whose it is."""
        if not field.data:
            raise ValidationError(gettext("Choose whose members are on the list."))

    def validate_right(self, field: Any) -> None:
        """Refuse a list that may not be used."""
        if field.data == TAKEN:
            raise ValidationError(
                gettext("We may not use such a list. Ask the branch secretary for one.")
            )


class ActForm(Form):
    """What is to be done about one line, or about all of a queue."""

    line = HiddenField()
    person = HiddenField()
    act = HiddenField()


class PlainForm(Form):
    """Nothing but a button and its token."""
