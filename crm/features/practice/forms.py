"""The form of the practice copy's first page."""

from __future__ import annotations

from uuid import UUID

from wtforms import StringField

from crm.web.forms import Form


class ChooseForm(Form):
    """Which invented user to be; each button of the page sends one public id."""

    user = StringField()

    def chosen(self) -> UUID | None:
        """Return the public id that was sent, or None for anything else."""
        try:
            return UUID(self.user.data or "")
        except ValueError:
            return None
