"""How talk sheets look."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField
from wtforms.fields import SelectChoice

from crm.domain.sheet import Names
from crm.domain.vocabulary import ASKS
from crm.web.forms import Form, chosen_id
from crm.web.labels import ASKS as ASK_WORDS
from crm.web.labels import choices

CHOOSE = _("Choose one from the list.")


class SheetForm(Form):
    """How the sheets look and who carries them."""

    id = HiddenField()
    picked = HiddenField()
    people = SelectMultipleField(choices=[], validate_choice=False)
    who = HiddenField()
    names = RadioField(
        _("How are people named on it?"),
        choices=[SelectChoice(*pair) for pair in choices(Names)],
        default=Names.SHORT.value,
    )
    large = BooleanField(_("Large print: 12 people on a side instead of 20"))
    ask = SelectField(
        _("What will you ask?"),
        choices=[
            SelectChoice("", _("Nothing on this sheet")),
            *(SelectChoice(code, ASK_WORDS[code]) for code in ASKS),
        ],
        default="",
        invalid_choice_message=CHOOSE,
    )
    carrier = SelectField(_("Who will talk to them?"), choices=[], validate_choice=False)

    def offer(self, pairs: Iterable[tuple[uuid.UUID, str]]) -> None:
        """Take these users as those who can carry the sheets."""
        self.carrier.choices = [SelectChoice(str(value), name) for value, name in pairs]

    def picked_ids(self) -> tuple[uuid.UUID, ...]:
        """Return the public ids of people listed on the page before this one; often none.

        Of a list with ticks those ticked, unless all of them are meant or nobody is ticked.
        """
        ticked = self.people.data if self.who.data != "all" else ()
        found = (chosen_id(text) for text in ticked or (self.picked.data or "").split())
        return tuple(one for one in found if one is not None)

    def batch_id(self) -> uuid.UUID:
        """Return the id that was made with the form."""
        return chosen_id(self.id.data) or uuid.uuid4()
