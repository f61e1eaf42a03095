"""The forms for working through a union's membership list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, RadioField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from crm.domain.member_list import Part, Standing
from crm.reads.places import Choice
from crm.web.forms import DayField, Form
from crm.web.labels import LABELS, label

ALLOWED, TAKEN = "allowed", "taken"


class ListForm(Form):
    """The file, whose list it is, and the day it is true for."""

    file = FileField(
        _("The list"),
        description=_("A spreadsheet or CSV file, with the names of the columns above the names."),
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
    sure = BooleanField(_("The list is whole, and none of these people is a member any more"))


_SHOWN = 60  # letters of a word of the file
DO_NOT_KNOW = "do_not_know"


class ColumnsForm(Form):
    """What each column of a list holds; made by ``columns_form``."""


def columns_form(
    headings: Sequence[tuple[int, str]], words: Sequence[str], **more: Any
) -> ColumnsForm:
    """Return the form with a select for each column, and one for each word that nobody knows.

    headings: positions and names of the columns that were kept. words: of the status column.
    """
    fields: dict[str, Any] = {}
    parts = [SelectChoice(one.value, LABELS[one]) for one in Part]
    for place, heading in headings:
        fields[f"to{place}"] = SelectField(
            heading or gettext("Column %(number)s", number=place + 1), choices=parts
        )
    meanings = [
        SelectChoice("", _("Choose")),
        *(SelectChoice(one.value, label(one)) for one in Standing),
        SelectChoice(DO_NOT_KNOW, _("I do not know")),
    ]
    for number, word in enumerate(words):
        fields[f"word{number}"] = SelectField(f"“{word[:_SHOWN]}”", choices=meanings, default="")
    made: ColumnsForm = type("ColumnsForm", (ColumnsForm,), fields)(**more)
    return made


class PlainForm(Form):
    """Nothing but a button and its token."""
