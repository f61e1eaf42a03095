"""The forms about tags and fields. The form for the answers is made of the fields there are."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import HiddenField, RadioField, SelectField, SelectMultipleField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from crm.domain.custom_fields import (
    CANNOT_BE_SHOWN,
    LONGEST_TEXT,
    Answer,
    NotThatKind,
    number_text,
    parse_answer,
)
from crm.domain.signs import cannot_be_shown, not_turned
from crm.domain.vocabulary import FieldKind, FieldSubject
from crm.reads.fields import Extras, FieldSeen
from crm.reads.places import Choice
from crm.web.forms import DayField, Form, TextField, chosen_id
from crm.web.labels import NOT_KNOWN, choices

CHOOSE = _("Choose one from the list.")
FILL_IN = _("Fill this in.")
LONGEST_NAME = 60


class _Select(SelectField):
    """A select that takes what was left out as its first, empty choice."""

    def __init__(self, label: Any, pairs: Iterable[tuple[str, Any]] = (), **more: Any) -> None:
        values = {"default": "", "invalid_choice_message": CHOOSE, **more}
        super().__init__(label, choices=[SelectChoice(*pair) for pair in pairs], **values)


class _Radio(RadioField):
    def __init__(self, label: Any, pairs: Iterable[tuple[str, Any]], **more: Any) -> None:
        values = {"invalid_choice_message": CHOOSE, "validators": [InputRequired(CHOOSE)], **more}
        super().__init__(label, choices=[SelectChoice(*pair) for pair in pairs], **values)


def _name(words: Any, **more: Any) -> TextField:
    return TextField(words, limit=LONGEST_NAME, validators=[InputRequired(FILL_IN)], **more)


class NameForm(Form):
    """A new name for a tag or a choice."""

    version = HiddenField()
    name = _name(_("Name"))


class ChoiceForm(Form):
    """One more choice of a field."""

    name = _name(_("Another choice"))


class FieldNameForm(NameForm):
    """A new name for a field, and its hint."""

    hint = TextField(_("A hint for whoever fills it in"), limit=200)


class _Where(Form):
    place = _Select(_("For whom is it?"))
    subject = _Radio(_("What is it about?"), choices(FieldSubject), default="contact")

    def offer(self, places: Iterable[Choice]) -> None:
        """Take these as the places that a tag or field may be made for."""
        self.place.choices = [SelectChoice(one.value, one.label) for one in places]

    def place_id(self) -> uuid.UUID:
        """Return the public id of the place; it was checked to be one of those offered."""
        return uuid.UUID(self.place.data)


class TagForm(_Where):
    """A new tag."""

    name = _name(_("Name of the tag"), description=_("For example: drives a car, works weekends."))


class FieldForm(_Where):
    """A new field."""

    name = _name(_("Name of the field"), description=_("For example: bus route."))
    kind = _Radio(_("What are the answers?"), choices(FieldKind))
    options = TextAreaField(
        _("The choices, for “One from a list”"),
        [Length(max=4000, message=_("Use fewer choices, or shorter ones."))],
        description=_("Each on its own line. You can add more and rename them later."),
    )
    hint = TextField(_("A hint for whoever fills it in"), limit=200)

    def lines(self) -> list[str]:
        """Return the choices typed, in their order, without empty lines."""
        typed = not_turned(self.options.data or "")
        return [line.strip() for line in typed.splitlines() if line.strip()]

    def validate_options(self, field: Any) -> None:
        """Refuse choices that are too long or cannot be shown."""
        for line in self.lines():
            if len(line) > LONGEST_NAME:
                raise ValidationError(gettext("Use 60 letters or fewer for each choice."))
            if cannot_be_shown(line) or "\t" in line:
                raise ValidationError(gettext(CANNOT_BE_SHOWN))


class AnswersForm(Form):
    """What is known of one person or workplace. ``of`` adds a field for each that there is."""

    version = HiddenField()
    extras: Extras

    @classmethod
    def of(cls, extras: Extras) -> type[AnswersForm]:
        """Return the form with the tags and fields of these extras."""
        parts: dict[str, Any] = {"extras": extras}
        if extras.tags:
            parts["tags"] = SelectMultipleField(
                _("Tags"),
                option_widget=CheckboxInput(),
                widget=ListWidget(prefix_label=False),
                validate_choice=False,
                choices=[SelectChoice(str(tag.public_id), tag.name) for tag in extras.tags],
            )
        for field in extras.fields:
            parts[name_of(field)] = _control(field)
        return type("AnswersForm", (cls,), parts)

    def fields_shown(self) -> list[Any]:
        """Return the controls in the order of the page."""
        names = [*(["tags"] if self.extras.tags else []), *map(name_of, self.extras.fields)]
        return [self[name] for name in names]

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        """Return True when each answer is one of its field's kind."""
        good = bool(super().validate(extra_validators))
        self.answers: dict[uuid.UUID, Answer | None] = {}
        for field in self.extras.fields:
            control = self[name_of(field)]
            if control.errors:
                continue
            try:
                self.answers[field.public_id] = _answer(field, control.data)
            except NotThatKind as refusal:
                self.refuse(refusal, name_of(field))
                good = False
        return good

    def ticked(self) -> set[uuid.UUID]:
        """Return the public ids of the tags that are ticked."""
        if not self.extras.tags:
            return set()
        return {found for one in self["tags"].data or [] if (found := chosen_id(one))}

    def fill(self) -> None:
        """Show what is known."""
        self.version.data = self.extras.mark
        if self.extras.tags:
            self["tags"].data = [str(tag.public_id) for tag in self.extras.on]
        for field in self.extras.fields:
            self[name_of(field)].data = _typed(field)


def name_of(field: FieldSeen) -> str:
    """Return the name of a field's control."""
    return f"f_{field.public_id.hex}"


def _control(field: FieldSeen) -> Any:
    if field.kind is FieldKind.DAY:
        return DayField(field.name, description=field.hint or "")
    if field.kind is FieldKind.TEXT:
        return TextField(field.name, limit=LONGEST_TEXT, description=field.hint or "")
    if field.kind is FieldKind.NUMBER:
        words = {"inputmode": "decimal"}
        return TextField(field.name, limit=40, description=field.hint or "", render_kw=words)
    pairs: list[tuple[str, Any]] = [("yes", _("Yes")), ("no", _("No"))]
    if field.kind is FieldKind.CHOICE:
        pairs = [(str(one.public_id), one.name) for one in field.offered()]
    return _Select(field.name, [("", NOT_KNOWN), *pairs], description=field.hint or "")


def _answer(field: FieldSeen, data: Any) -> Answer | None:
    if isinstance(data, date) or data is None:
        return data
    names = {one.public_id: one.name for one in field.choices}
    return parse_answer(field.kind, data, names)


def _typed(field: FieldSeen) -> Any:
    if field.kind is FieldKind.CHOICE:
        return str(field.choice or "")
    if field.kind is FieldKind.YES_NO:
        return {True: "yes", False: "no"}.get(bool(field.value)) if field.value is not None else ""
    if isinstance(field.value, float):
        return number_text(field.value)
    return field.value
