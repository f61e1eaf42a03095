"""The forms of who has whom: people to a rep, an area to a rep, all of a rep's to others."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import SelectField, SelectMultipleField
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from crm.web.forms import Form, chosen_id, options

NOBODY = "nobody"


class _Pick(SelectField):
    """A select of public ids. What it offered may have changed: the service says so."""

    def __init__(self, label: Any, **more: Any) -> None:
        super().__init__(label, validate_choice=False, choices=[], **more)

    def offer(self, pairs: Iterable[tuple[uuid.UUID | str, Any]]) -> None:
        """Take these as the choices."""
        self.choices = options((str(value), words) for value, words in pairs)

    def chosen(self) -> uuid.UUID | None:
        """Return the public id chosen; None for nothing, and for what is no id."""
        return chosen_id(self.data)


class GiveForm(Form):
    """Which people go to whom."""

    people = SelectMultipleField(
        _("People"),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        validate_choice=False,
        choices=[],
    )
    to = _Pick(_("Who will look after them?"))

    def offer(self, pairs: Iterable[tuple[uuid.UUID, str]]) -> None:
        """Take these people as the choices."""
        self.people.choices = options((str(value), name) for value, name in pairs)

    def validate_to(self, field: Any) -> None:
        """Raise ValidationError when neither a rep nor "Nobody" is chosen."""
        if field.data != NOBODY and field.chosen() is None:
            raise ValidationError(gettext("Choose a rep, or “Nobody”."))

    def chosen(self) -> list[uuid.UUID]:
        """Return the public ids of the people chosen, each once; what is no id is left out."""
        ids = [chosen_id(value) for value in dict.fromkeys(self.people.data or [])]
        return [one for one in ids if one is not None]


class AreaForm(Form):
    """Which area, or shift of it, goes to whom."""

    place = _Pick(_("Area"))
    shift = _Pick(_("Shift"))
    rep = _Pick(_("Who will look after it?"))

    def validate_place(self, field: Any) -> None:
        """Raise ValidationError when no area is chosen."""
        if field.chosen() is None:
            raise ValidationError(gettext("Choose an area, or the whole workplace."))

    def validate_rep(self, field: Any) -> None:
        """Raise ValidationError when no rep is chosen."""
        if field.chosen() is None:
            raise ValidationError(gettext("Choose a rep."))


class HandOverForm(Form):
    """Who takes over all that a rep has; for each place somebody else can be chosen."""

    to = _Pick(_("Everything to"))

    def heirs(self) -> dict[uuid.UUID, uuid.UUID]:
        """Return whom was chosen for single places, by the public id of the place."""
        found = {}
        for one in self:
            place = chosen_id(one.name.removeprefix(_PART)) if one.name.startswith(_PART) else None
            heir = one.chosen() if place is not None else None
            if place is not None and heir is not None:
                found[place] = heir
        return found

    def part(self, place: uuid.UUID) -> Any:
        """Return the field of one place."""
        return self[_PART + place.hex]


_PART = "at_"


def hand_over_form(
    places: Sequence[tuple[uuid.UUID, str, Sequence[tuple[uuid.UUID, str]]]],
    for_all: Sequence[tuple[uuid.UUID, str]],
    **start: Any,
) -> HandOverForm:
    """Return the form with a select for each place. places: public id, name, and the choices."""
    fields = {
        _PART + place.hex: _Pick(_("%(place)s: to", place=name)) for place, name, _who in places
    }
    form: HandOverForm = type("HandOverForm", (HandOverForm,), fields)(**start)
    form.to.offer([("", _("Choose for each place")), *for_all])
    for place, _name, choices in places:
        form.part(place).offer([("", _("As chosen for everything")), *choices])
    return form
