"""The forms about ties and leaders."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, IntegerField, RadioField, SelectMultipleField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, ValidationError
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from crm.domain.cover import FoundBy, TieBasis
from crm.domain.vocabulary import GroupKind
from crm.web.forms import DayField, Form, TextField, chosen_id, options
from crm.web.labels import choices

CHOOSE = _("Choose one.")


class _People(SelectMultipleField):
    """People to tick. Whom it offered may have changed since: the service says so."""

    def __init__(self, label: Any, **more: Any) -> None:
        super().__init__(
            label,
            option_widget=CheckboxInput(),
            widget=ListWidget(prefix_label=False),
            validate_choice=False,
            choices=[],
            **more,
        )

    def offer(self, pairs: Iterable[tuple[uuid.UUID, str]]) -> None:
        """Take these people as the choices."""
        self.choices = [SelectChoice(str(value), name) for value, name in pairs]

    def chosen(self) -> list[uuid.UUID]:
        """Return the public ids that are ticked, each once; what is no id is left out."""
        ids = [chosen_id(value) for value in dict.fromkeys(self.data or [])]
        return [one for one in ids if one is not None]


def _radio(words: Any, kind: type[StrEnum]) -> RadioField:
    return RadioField(
        words,
        choices=options(choices(kind)),
        validators=[InputRequired(CHOOSE)],
    )


class FindForm(Form):
    """Part of a name, to find people of the workplace."""

    class Meta:
        """Nothing is changed by looking."""

        csrf = False

    q = StringField(_("Part of their name"))


class TieForm(Form):
    """Who they are, and how we know."""

    people = _People(_("Tick one or more people"))
    basis = _radio(_("How do you know?"), TieBasis)
    teller = TextField(_("Which colleague told us?"), limit=120)
    day = DayField(_("Since when do you know?"), [InputRequired(_("Enter the day."))])

    def validate_people(self, field: Any) -> None:
        """Raise ValidationError when nobody is ticked."""
        if not field.chosen():
            raise ValidationError(gettext("Tick at least one person."))


class LeaderForm(Form):
    """How somebody was found to be a leader."""

    found_by = _radio(_("How was this found?"), FoundBy)
    day = DayField(_("Since when do you know?"), [InputRequired(_("Enter the day."))])


class ConfirmForm(Form):
    """What a leader asked people to do, and who did it."""

    action = TextField(
        _("What did they ask people to do?"),
        limit=120,
        validators=[InputRequired(_("Write what people were asked to do, such as “petition”."))],
    )
    day = DayField(_("On which day?"), [InputRequired(_("Enter the day."))])
    people = _People(_("Who of those who listen to them took part?"))


class TakeOffForm(Form):
    """Whether it is over, or never was so."""

    how = RadioField(
        _("Why?"),
        choices=[
            SelectChoice("over", _("It was so, but no longer is")),
            SelectChoice("wrong", _("It was written down by mistake")),
        ],
        validators=[InputRequired(CHOOSE)],
    )


class GroupForm(Form):
    """A group that people form by themselves."""

    name = TextField(
        _("What do people call it?"), limit=120, validators=[InputRequired(_("Enter a name."))]
    )
    kind = _radio(_("What holds them together?"), GroupKind)
    need_to_know = BooleanField(_("Only for those who may read notes"))


class RenameForm(Form):
    """What people call a group now, and the version that was on the page."""

    version = IntegerField(widget=HiddenInput())
    name = TextField(
        _("What do people call it?"), limit=120, validators=[InputRequired(_("Enter a name."))]
    )


class MembersForm(Form):
    """Who is in a group."""

    people = _People(_("Tick one or more people"))

    def validate_people(self, field: Any) -> None:
        """Raise ValidationError when nobody is ticked."""
        if not field.chosen():
            raise ValidationError(gettext("Tick at least one person."))
