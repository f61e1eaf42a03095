"""The base form: where refusals land, and the fields every feature shares."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any

from flask_babel import get_locale, gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, DecimalField, IntegerField, StringField
from wtforms.fields import SelectChoice
from wtforms.fields.choices import Choice
from wtforms.i18n import DummyTranslations, get_builtin_gnu_translations
from wtforms.validators import Length, NumberRange, ValidationError
from wtforms.widgets import Select

from crm.domain.errors import Refusal
from crm.domain.signs import cannot_be_shown, not_turned
from crm.web.errors import sentence

NOT_A_DATE = lazy_gettext("Enter a date like 14/05/2026, or pick one.")


def chosen_id(text: str | None) -> uuid.UUID | None:
    """Return the public id that was picked or stands in an address; None for none, or for no id."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def options(pairs: Iterable[tuple[str, Any]]) -> list[SelectChoice]:
    """Return what a select or a group of radio buttons offers, from (value, words) pairs."""
    return [SelectChoice(value, words) for value, words in pairs]


@cache
def _form_words(language: str) -> Any:
    """Return WTForms' own sentences in a language, English where it has none.

    Kept for good: reading them from disk at each form cost a tenth of saving a talk.
    """
    try:
        return get_builtin_gnu_translations([language])
    except OSError:
        return DummyTranslations()


# The lines as WTForms draws them, once, with room for what goes into them.
_LINE, _CHOSEN = (
    Select.render_option(Choice(value="%s", label="%s", selected=selected, render_kw={}))
    for selected in (False, True)
)


class _Select(Select):
    """A list to choose from. WTForms took a seventh of a page of people to draw 170 places."""

    @classmethod
    def render_option(cls, choice: Any, **more: Any) -> Any:
        """Return the markup of one line, the very one that WTForms makes."""
        if more or choice.render_kw or not isinstance(choice.value, str):
            return super().render_option(choice, **more)
        line = _CHOSEN if choice.selected else _LINE
        return line % (choice.value, choice.label or choice.value)


_SELECT = _Select()


class Form(FlaskForm):
    """A form with a token. Shape is checked here; the service knows the world."""

    class Meta(FlaskForm.Meta):
        """How WTForms finds its sentences."""

        def get_translations(self, form: Any) -> Any:
            """Return the sentences in the reader's language."""
            return _form_words(str(get_locale() or "en"))

        def render_field(self, field: Any, render_kw: Any) -> Any:
            """Draw a field; the lines of a list to choose from are drawn by ``_Select``."""
            if type(field.widget) is Select and not field.widget.multiple:
                field.widget = _SELECT
            return super().render_field(field, render_kw)

    def refuse(self, refusal: Refusal, field: str | None = None) -> None:
        """Show a service's refusal by the field it belongs to, or above the form."""
        words = sentence(refusal)
        if field is None:
            self.form_errors.append(words)
        else:
            errors = self[field].errors
            self[field].errors = [*errors, words]

    def text(self, name: str) -> str | None:
        """Return a text field's content without outer space; None when nothing is there."""
        data = self[name].data
        return (data or "").strip() or None


class TextField(StringField):
    """One line of text. Control characters are refused; length has a clear sentence."""

    def __init__(self, label: Any, *, limit: int, validators: Any = (), **more: Any) -> None:
        message = lazy_gettext("Use %(limit)s letters or fewer.", limit=limit)
        super().__init__(label, [*validators, Length(max=limit, message=message)], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the text without the signs that turn what follows, as phones put round numbers."""
        super().process_formdata([not_turned(text) for text in valuelist])

    def pre_validate(self, form: Any) -> None:
        """Raise ValidationError for characters that cannot be stored or shown."""
        if cannot_be_shown(self.data or ""):
            raise ValidationError(gettext("Take out the characters that cannot be shown."))


class _ReadByItsRange:
    """What is no number is none, and the sentence of the field's own range says what to enter.

    Without a range the library's words are all there is.
    """

    data: Any
    validators: Any

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the number; leave it None where what was typed is none."""
        try:
            super().process_formdata([self.plain(text) for text in valuelist])  # type: ignore[misc]
        except ValueError:
            self.data = None
            if not any(isinstance(one, NumberRange) for one in self.validators):
                raise

    def plain(self, text: str) -> str:
        """Return what was typed as a bare number."""
        return text.strip()


# A comma or a space before exactly three digits, after a digit: 1,204 and 12 500.
_THOUSANDS = re.compile(r"(?<=\d)[,\u00a0\u202f ](?=\d{3}(?:\D|$))")


class WholeNumberField(_ReadByItsRange, IntegerField):
    """A whole number, also with spaces or commas between thousands."""

    def plain(self, text: str) -> str:
        """Return the number without what stands between thousands."""
        return _THOUSANDS.sub("", text.strip())


class WholePercentField(WholeNumberField):
    """A whole number of per cent, also with its sign."""

    def plain(self, text: str) -> str:
        """Return the number without the sign."""
        return text.strip().removesuffix("%").rstrip()


class ShareField(_ReadByItsRange, DecimalField):
    """A number of per cent that may have decimals, also with its sign."""

    def plain(self, text: str) -> str:
        """Return the number without the sign."""
        return text.strip().removesuffix("%").rstrip()


class DayField(DateField):
    """A day, from a date picker or typed as 14/05/2026."""

    data: Any

    def __init__(self, label: Any, validators: Any = (), **more: Any) -> None:
        super().__init__(label, validators, format=["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the day. An empty field is None: a required field says so itself."""
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            super().process_formdata([valuelist[0].strip()])
        except ValueError as error:
            raise ValueError(str(NOT_A_DATE)) from error
        day: date | None = self.data
        if day is not None and not 1900 <= day.year <= 2200:
            self.data = None
            raise ValueError(str(NOT_A_DATE))
