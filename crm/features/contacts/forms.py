"""The forms about people. Shape is checked here; service.py knows the rest."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import HiddenField, RadioField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from crm.domain.contact_filter import LONGEST_SEARCH
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import (
    ContractType,
    FieldGroup,
    HowKnown,
    LegalBasis,
    MembershipSource,
    PointKind,
    PointState,
)
from crm.reads.places import Choice
from crm.web.contact_filter import MEMBERS, STANDS
from crm.web.forms import DayField, Form, TextField, chosen_id
from crm.web.labels import LABELS, NOT_KNOWN, choices, choices_or_unknown

Member = TypeVar("Member", bound=enum.StrEnum)

# More than anybody speaks; it keeps the list readable and the row small.
MOST_LANGUAGES = 10
LONGEST_LANGUAGE = 40

CHOOSE = _("Choose one from the list.")
MEMBER_CHOICES = [
    ("member", _("Member of this union")),
    ("not_member", _("Not a member of this union")),
    ("none", _("In no union at all")),
]


def chosen_word(kind: type[Member], data: str | None) -> Member | None:
    """Return the member of a closed list; None for "not known"."""
    return kind(data) if data else None


class _Pairs:
    """Choices as (value, word) pairs, for the two fields below."""

    choices: list[SelectChoice]

    def offer(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Take these as the choices."""
        self.choices = [SelectChoice(*pair) for pair in pairs]

    def words(self) -> dict[str, str]:
        """Return the word of each value."""
        return {choice.value: str(choice.label) for choice in self.choices}


class PlainSelect(_Pairs, SelectField):
    """A select whose refusal says what to do. Left out of what was sent, it is "not known"."""

    def __init__(self, label: Any, pairs: Iterable[tuple[str, Any]] = (), **more: Any) -> None:
        values = {"default": "", "invalid_choice_message": CHOOSE, **more}
        super().__init__(label, choices=[SelectChoice(*pair) for pair in pairs], **values)


class PlainRadio(_Pairs, RadioField):
    """Radio buttons whose refusal says what to do."""

    def __init__(self, label: Any, pairs: Iterable[tuple[str, Any]], **more: Any) -> None:
        values = {"invalid_choice_message": CHOOSE, **more}
        super().__init__(label, choices=[SelectChoice(*pair) for pair in pairs], **values)


def offer(field: PlainSelect, found: Sequence[Choice], *, first: Any = NOT_KNOWN) -> None:
    """Fill a select with what the queries found; first: the words of the empty value, or None."""
    pairs: list[tuple[str, Any]] = [(one.value, one.label) for one in found]
    field.offer(pairs if first is None else [("", first), *pairs])


def check_phone(text: str) -> None:
    """Raise ValidationError unless the text could be a telephone number in GB or with its +code.

    Numbers that are possible but not in use pass: Ofcom's numbers for drama are such.
    """
    words = gettext("Enter a phone number like 07700 900123 or +48 600 000 000.")
    if any(sign.isalpha() for sign in text):
        raise ValidationError(words)
    try:
        number = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException as error:
        raise ValidationError(words) from error
    if not phonenumbers.is_possible_number(number):
        raise ValidationError(words)


def check_email(text: str) -> None:
    """Raise ValidationError unless the text has the form of a mail address. Nothing is sent."""
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        raise ValidationError(gettext("Enter an email address like name@example.org.")) from error


class FilterForm(Form):
    """What the list of people shows. More to choose from is on a page of its own."""

    class Meta:
        """Nothing is changed by looking, and the address can be sent to somebody else."""

        csrf = False

    q = TextField(_("Name, phone, job, area or tag"), limit=LONGEST_SEARCH)
    place = PlainSelect(_("Where"))
    member = PlainSelect(
        _("In a union"), pairs=[("", _("Everybody")), *((one.value, word) for one, word in MEMBERS)]
    )
    as_at = DayField(_("As at"))
    stand = PlainSelect(
        _("Where they stand"),
        pairs=[("", _("Everybody")), *((one.value, word) for one, word in STANDS)],
    )


class _Names(Form):
    known_as = TextField(
        _("Name they use"), limit=120, description=_("First name or nickname is enough.")
    )
    placeholder_label = TextField(
        _("Or a label, if you do not know the name yet"),
        limit=120,
        description=_("For example: Night packer 3."),
    )
    how_known = PlainSelect(_("How do we know them?"), pairs=choices_or_unknown(HowKnown))


class _Where(Form):
    area = PlainSelect(_("Area"))
    shift = PlainSelect(_("Shift"))


class AddForm(_Names, _Where):
    """Somebody new: a name or a label, and the place."""

    form_id = HiddenField()
    # The name and phone for which the people who may be the same have been shown.
    looked_for = HiddenField()
    since = DayField(
        _("Working there since"),
        description=_("Leave empty if you are not sure. We then write: first known of today."),
    )
    phone = TextField(_("Phone, if they gave it to you"), limit=60)

    def validate_phone(self, field: Any) -> None:
        """Refuse what cannot be a telephone number."""
        if (field.data or "").strip():
            check_phone(field.data.strip())

    def asks_for(self) -> str:
        """Return what people who may be here already are looked for by, as one text."""
        return " ".join(one for one in (self.text("known_as"), self.text("phone")) if one)

    def sent_id(self) -> uuid.UUID:
        """Return the id this form was shown with; a new one when it was taken out."""
        return chosen_id(self.form_id.data) or uuid.uuid4()


class DetailsForm(_Names):
    """The person's own fields."""

    version = HiddenField()
    full_name = TextField(_("Full name"), limit=200)
    pronouns = TextField(_("Pronouns"), limit=40, description=_("For example: she, he, they."))
    languages = TextField(
        _("Languages they speak"),
        limit=300,
        description=_("With a comma between them: Polish, English."),
    )

    def language_list(self) -> tuple[str, ...]:
        """Return the languages, each once, in the order typed."""
        parts = (part.strip() for part in (self.languages.data or "").split(","))
        return tuple(dict.fromkeys(part for part in parts if part))

    def validate_languages(self, field: Any) -> None:
        """Refuse lists that are no lists of languages."""
        found = self.language_list()
        if len(found) > MOST_LANGUAGES or any(len(one) > LONGEST_LANGUAGE for one in found):
            raise ValidationError(gettext("Write up to 10 languages, with a comma between them."))


class DoNotContactForm(Form):
    """Whether we may speak to the person."""

    version = HiddenField()
    wanted = PlainRadio(
        _("May we contact them?"),
        pairs=[("yes", _("Yes")), ("no", _("No, they asked us not to"))],
    )


class PointForm(Form):
    """A phone number, mail address or postal address."""

    version = HiddenField()
    value = TextField(_("Phone"), limit=300)
    label = TextField(
        _("What it is"), limit=40, description=_("For example: home, mobile, their sister’s.")
    )
    state = PlainSelect(_("Does it work?"), pairs=choices_or_unknown(PointState))

    kind: PointKind = PointKind.PHONE

    def of_kind(self, kind: PointKind) -> PointForm:
        """Return the form, set up for this kind of value."""
        self.kind = kind
        self.value.label.text = LABELS[kind]
        return self

    def validate_value(self, field: Any) -> None:
        """Refuse an empty value, and one that is not of its kind."""
        text = (field.data or "").strip()
        if not text:
            raise ValidationError(gettext("Fill this in."))
        if self.kind is PointKind.PHONE:
            check_phone(text)
        elif self.kind is PointKind.EMAIL:
            check_email(text)


class JobForm(_Where):
    """A job at a workplace that is known already."""

    version = HiddenField()
    job_title = TextField(_("Job"), limit=120, description=_("For example: picker."))
    employer = PlainSelect(
        _("Who pays their wages?"),
        description=_("For agency staff this is the agency, not the site."),
    )
    contract_type = PlainSelect(_("Kind of contract"), pairs=choices_or_unknown(ContractType))
    since = DayField(
        _("Since"),
        description=_("Leave empty if you are not sure. We then write the day you filled this in."),
    )
    until = DayField(
        _("First day they no longer worked there"),
        description=_("Leave empty if they still work there."),
    )


class EndForm(Form):
    """The day from which something is no longer so."""

    day = DayField(
        _("From which day is this no longer so?"),
        [InputRequired(_("Enter the day."))],
    )


class MoveForm(_Where):
    """Another area or shift of the same workplace, from a day on."""

    since = DayField(_("From which day?"), [InputRequired(_("Enter the day."))])


class MembershipForm(Form):
    """What is known of a person and a union."""

    version = HiddenField()
    status = PlainRadio(_("What do we know?"), pairs=MEMBER_CHOICES)
    union = PlainSelect(_("Union"))
    branch = PlainSelect(_("Branch"))
    source = PlainSelect(_("Who told us?"), pairs=choices_or_unknown(MembershipSource))
    since = DayField(
        _("From which day?"),
        [InputRequired(_("Enter the day. If you are not sure, use the day you were told."))],
        description=_("If you are not sure, use the day you were told."),
    )
    until = DayField(
        _("First day this was no longer so"), description=_("Leave empty if it is still so.")
    )

    def validate_union(self, field: Any) -> None:
        """A union is needed unless they are in none."""
        if self.status.data != "none" and not field.data:
            raise ValidationError(gettext("Choose the union."))

    def says(self) -> MembershipStatus:
        """Return what is known, as it is stored."""
        if self.status.data == "member":
            return MembershipStatus.MEMBER
        return MembershipStatus.NOT_MEMBER

    def union_id(self) -> uuid.UUID | None:
        """Return the union's public id; None for "in no union at all"."""
        return None if self.status.data == "none" else chosen_id(self.union.data)

    def branch_id(self) -> uuid.UUID | None:
        """Return the branch's public id; only members have one."""
        return chosen_id(self.branch.data) if self.status.data == "member" else None


class BasisForm(Form):
    """Why we may keep a group of facts."""

    field_group = PlainSelect(_("Which facts?"), pairs=choices(FieldGroup))
    basis = PlainSelect(_("Why may we keep them?"), pairs=choices(LegalBasis))
    given_on = DayField(_("Since which day?"), [InputRequired(_("Enter the day."))])
    wording = TextField(
        _("The words they agreed to, or our reason"),
        limit=300,
        description=_("If they agreed, write what you asked and what they said."),
    )


class ConfirmForm(Form):
    """Nothing but a button and its token."""
