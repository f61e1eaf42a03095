"""Which law on which day, and the counts of a recognition claim."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, SelectField
from wtforms.validators import InputRequired, NumberRange, Optional

from crm.domain.rules import Counted, RuleBook
from crm.web.forms import DayField, Form, TextField, WholeNumberField, options

CHOOSE = _("Choose one from the list.")
_COUNT = _("Enter a whole number from 0 up, or leave it empty.")
HOME = "GB"


class _Asking(Form):
    """Nothing is changed by looking, and the address can be sent to somebody else."""

    class Meta:
        """No token."""

        csrf = False

    def offer(self, books: Mapping[str, RuleBook], name_of: Any) -> None:
        """Fill the list of jurisdictions."""
        self.law.choices = options((code, name_of(book.name)) for code, book in books.items())

    def chosen(self, books: Mapping[str, RuleBook]) -> RuleBook:
        """Return the chosen rules; those of Great Britain when nothing that exists is chosen."""
        return books.get(self.law.data or "", books[HOME])

    law = SelectField(_("Law of"), default=HOME, invalid_choice_message=CHOOSE)


class RulesForm(_Asking):
    """Which rules to show."""

    on = DayField(_("In force on"), description=_("Leave it empty to see old and coming ones too."))

    def day(self) -> date | None:
        """Return the day asked for, None for all rows."""
        return None if self.on.errors else self.on.data


class BeganForm(Form):
    """The first day of a change of law."""

    change = HiddenField()
    began_on = DayField(
        _("It began on"), description=_("Leave the day empty to say that it is not known.")
    )
    source = TextField(
        _("Where is the day laid down?"),
        limit=200,
        description=_("Such as the number of the regulations."),
    )


def _count(label: Any, hint: Any = "") -> WholeNumberField:
    return WholeNumberField(
        label, [Optional(), NumberRange(0, 10_000_000, _COUNT)], description=hint
    )


class RecognitionForm(_Asking):
    """The counts of a claim for recognition. What is left empty is not known."""

    on = DayField(_("Day of the application"), [InputRequired(_("Enter the day."))])
    unit = _count(_("Workers in the bargaining unit"))
    members = _count(_("Members in the unit"))
    signed = _count(_("Workers who signed a card or a petition"))
    valid = _count(_("Valid votes"), _("Papers that say yes or no."))
    yes = _count(_("Votes for recognition"))

    def numbers(self) -> dict[Counted, int | None]:
        """Return what is known of each thing that is counted."""
        return {
            Counted.UNIT: self.unit.data,
            Counted.MEMBERS: self.members.data,
            Counted.SIGNED: self.signed.data,
            Counted.VALID: self.valid.data,
            Counted.YES: self.yes.data,
            # Everybody in the unit may vote.
            Counted.ENTITLED: self.unit.data,
        }
