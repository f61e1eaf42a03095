"""The forms of My people: which people to take on, which to let go."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from flask_babel import lazy_gettext as _
from wtforms import SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from crm.web.forms import Form, chosen_id, options


class PeopleForm(Form):
    """People chosen from a list of check-boxes."""

    people = SelectMultipleField(
        _("People"),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        # Whom the form offered may have changed meanwhile: the service says so in a sentence.
        validate_choice=False,
        choices=[],
    )

    def offer(self, pairs: Iterable[tuple[uuid.UUID, str]]) -> None:
        """Take these people as the choices."""
        self.people.choices = options((str(value), name) for value, name in pairs)

    def chosen(self) -> list[uuid.UUID]:
        """Return the public ids of the people chosen, each once; what is no id is left out."""
        ids = [chosen_id(value) for value in dict.fromkeys(self.people.data or [])]
        return [one for one in ids if one is not None]
