"""What can go wrong, said as sentences for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class CrmError(Exception):
    """The parent of every error that this program raises on purpose."""


class NotFound(CrmError):
    """There is no such thing, or it is outside what this person may see."""


class PermissionRefused(CrmError):
    """This person's role does not allow the action."""


class Refusal(CrmError):
    """A rule says no. `str()` is a sentence that says what to do.

    message: plain English with `%(name)s` places, so that gettext can translate the template
    before the names are put in. params: the value of each name.
    A percent sign in a message is written `%%`, with or without params.
    A subclass may set `default_message` and is then raised with no message.
    """

    default_message: ClassVar[str] = ""

    def __init__(self, message: str | None = None, **params: object) -> None:
        template = self.default_message if message is None else message
        if not template:
            raise ValueError("A refusal needs a sentence that says what to do.")
        self.message = template
        self.params: Mapping[str, object] = params
        super().__init__(template)

    def __str__(self) -> str:
        return self.message % self.params


class InvalidHeadcount(Refusal):
    """The counts of workers cannot be right together."""


class DatesOutOfOrder(Refusal):
    """A spell ends before it starts."""

    default_message = "The end date is before the start date. Check both dates."


class AlreadyEnded(Refusal):
    """The job, membership or grant has an end date already."""

    default_message = "This has already ended. Start a new one if it has begun again."


class LoopInTree(Refusal):
    """A place or a union would become its own parent."""

    default_message = "A place cannot be inside itself. Choose a different parent."


class EditConflict(Refusal):
    """Somebody else saved the same record first; nothing is lost.

    current: the values now stored, by field name. yours: the values this person sent.
    """

    default_message = (
        "Someone else changed this while you were working. "
        "Look at both versions, then save the one you want."
    )

    def __init__(
        self,
        message: str | None = None,
        *,
        current: Mapping[str, object],
        yours: Mapping[str, object],
        **params: object,
    ) -> None:
        super().__init__(message, **params)
        self.current: dict[str, object] = dict(current)
        self.yours: dict[str, object] = dict(yours)
