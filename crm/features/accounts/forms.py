"""Forms of accounts: signing in, taking up a link, one's own account, users and their roles."""

from __future__ import annotations

import uuid
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import HiddenField, IntegerField, PasswordField, RadioField, SelectField
from wtforms.validators import InputRequired, ValidationError
from wtforms.widgets import HiddenInput

from crm.domain.roles import Role
from crm.web.forms import DayField, Form, TextField, chosen_id, options
from crm.web.labels import choices

_NEW = {"autocomplete": "new-password", "spellcheck": "false"}
_SIGN_IN_NAME = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}


class _Secret(PasswordField):
    """A passphrase. What was typed is never written into a page again."""

    def __init__(self, label: Any, validators: Any = (), **more: Any) -> None:
        super().__init__(label, validators, **more)

    def pre_validate(self, form: Any) -> None:
        """Raise ValidationError for a text so long that hashing it would be a burden."""
        if len(self.data or "") > 1000:
            raise ValidationError(gettext("Use 200 letters or fewer."))


class SignInForm(Form):
    """Name and passphrase, and where to go afterwards."""

    name = TextField(
        _("Sign-in name"),
        limit=120,
        validators=[InputRequired(_("Enter your sign-in name."))],
        render_kw=_SIGN_IN_NAME,
    )
    passphrase = _Secret(
        _("Passphrase"),
        [InputRequired(_("Enter your passphrase."))],
        render_kw={"autocomplete": "current-password", "spellcheck": "false"},
    )
    next = HiddenField()


def _new_passphrase() -> _Secret:
    return _Secret(
        _("New passphrase"),
        [InputRequired(_("Choose a passphrase."))],
        description=_("12 letters or more. Several words are easy to remember and hard to guess."),
        render_kw=_NEW,
    )


def _once_more() -> _Secret:
    return _Secret(
        _("New passphrase, once more"),
        [InputRequired(_("Type the new passphrase a second time."))],
        render_kw=_NEW,
    )


class NewPassphraseForm(Form):
    """What a person chooses when they have a sign-in name already."""

    passphrase = _new_passphrase()
    passphrase_again = _once_more()

    def validate_passphrase_again(self, field: Any) -> None:
        """Raise ValidationError when the two differ."""
        _refuse_two_passphrases(self, field)


class WelcomeForm(Form):
    """What a person chooses when they take up their link for the first time."""

    name = TextField(
        _("Your name"),
        limit=120,
        validators=[InputRequired(_("Enter the name your colleagues know you by."))],
        description=_("Your colleagues see this name."),
        render_kw={"autocomplete": "name"},
    )
    sign_in_name = TextField(
        _("Sign-in name"),
        limit=120,
        validators=[InputRequired(_("Choose a sign-in name."))],
        description=_("You type this to sign in. Do not use your work email."),
        render_kw=_SIGN_IN_NAME,
    )
    passphrase = _new_passphrase()
    passphrase_again = _once_more()

    def validate_passphrase_again(self, field: Any) -> None:
        """Raise ValidationError when the two differ."""
        _refuse_two_passphrases(self, field)


class ChangePassphraseForm(Form):
    """The old passphrase, and the new one twice."""

    old_passphrase = _Secret(
        _("Your passphrase now"),
        [InputRequired(_("Enter the passphrase you have now."))],
        render_kw={"autocomplete": "current-password", "spellcheck": "false"},
    )
    passphrase = _new_passphrase()
    passphrase_again = _once_more()

    def validate_passphrase_again(self, field: Any) -> None:
        """Raise ValidationError when the two differ."""
        _refuse_two_passphrases(self, field)


class AccountForm(Form):
    """One's own name, language, time zone and look."""

    name = TextField(
        _("Your name"),
        limit=120,
        validators=[InputRequired(_("Enter the name your colleagues know you by."))],
        description=_("Your colleagues see this name."),
        render_kw={"autocomplete": "name"},
    )
    language = SelectField(_("Language"))
    time_zone = SelectField(
        _("Time zone"),
        default="",
        description=_("Where you are. It decides when your day begins, and what is overdue."),
    )
    theme = RadioField(
        _("Colours"),
        choices=options(
            [("", _("As my device is set")), ("light", _("Light")), ("dark", _("Dark"))]
        ),
    )
    version = IntegerField(widget=HiddenInput())


class GrantForm(Form):
    """A role at a place that was chosen on the page before."""

    role = RadioField(
        _("Role"),
        choices=options(choices(Role)),
        validators=[InputRequired(_("Choose a role."))],
    )
    since = DayField(_("From"), [InputRequired(_("Enter the day the role begins."))])
    until = DayField(
        _("First day without it"),
        description=_("Leave this empty if there is no end yet."),
    )


class InviteForm(GrantForm):
    """A new user with their first role."""

    name = TextField(
        _("Name"),
        limit=120,
        validators=[InputRequired(_("Enter the person’s name."))],
        description=_("They can change it when they open their link."),
        render_kw={"autocomplete": "off"},
    )
    key = HiddenField()

    def user_key(self) -> uuid.UUID:
        """Return the id that the new user will have; a fresh one when the field was spoilt."""
        return chosen_id(self.key.data) or uuid.uuid4()


class EndGrantForm(Form):
    """When a role ends."""

    until = DayField(
        _("First day without the role"),
        [InputRequired(_("Enter the first day without the role."))],
        description=_("Choose today to take it away at once."),
    )


class ButtonForm(Form):
    """A form with a button and nothing to fill in."""


def _refuse_two_passphrases(form: Any, field: Any) -> None:
    if field.data and form.passphrase.data != field.data:
        raise ValidationError(gettext("The two passphrases are not the same. Type both again."))
