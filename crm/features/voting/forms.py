"""The forms of the list of voters."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import RadioField
from wtforms.validators import InputRequired

from crm.domain.vocabulary import NotEntitled
from crm.features.voting.service import LEFT_OUT_BY_HAND
from crm.web.forms import DayField, Form, options
from crm.web.labels import LABELS

CHOOSE = _("Choose one from the list.")


class ListForm(Form):
    """The day whose records make the list."""

    day = DayField(
        _("As records stand for"), [InputRequired(_("Enter the day the list is made for."))]
    )


class LeaveOutForm(Form):
    """Whether somebody has a vote, and why not."""

    reason = RadioField(
        _("Do they vote?"),
        choices=options(
            [("", _("Yes, they are entitled"))]
            + [(one.value, LABELS[one]) for one in LEFT_OUT_BY_HAND]
        ),
        default="",
        validate_choice=True,
    )

    def chosen(self) -> NotEntitled | None:
        """Return why they have no vote, None when they have one."""
        return NotEntitled(self.reason.data) if self.reason.data else None
