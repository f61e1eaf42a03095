"""Forms of the history: which change to undo, and what to look for in the trail."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, SelectField
from wtforms.fields import SelectChoice

from crm.features.history.wording import VERBS
from crm.web.forms import DayField, Form


class UndoForm(Form):
    """The last change, as it was on the page."""

    request = HiddenField()


class TrailForm(Form):
    """What to look for in the trail. Everything may be left open."""

    class Meta(Form.Meta):
        """It only reads, so it needs no token."""

        csrf = False

    since = DayField(_("From"))
    until = DayField(_("Up to and with"))
    who = SelectField(_("Who"), default="")
    verb = SelectField(
        _("What was done"),
        choices=[
            SelectChoice("", _("Everything")),
            *(SelectChoice(verb.value, word) for verb, word in VERBS.items()),
        ],
        default="",
    )

    def offer(self, names: Iterable[str]) -> None:
        """Offer these people to choose from."""
        self.who.choices = [SelectChoice("", _("Everybody")), *(SelectChoice(n, n) for n in names)]
