"""Doing what a form asks for, and saying in the form why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.domain.errors import Refusal
from crm.web.db import unit_of_work

Work = Callable[[Session], object]


def attempt(
    scope: Scope,
    form: Any,
    work: Work,
    beside: Mapping[type[Refusal], Sequence[str]],
) -> Refusal | None:
    """Do the work in one unit of work, and return what refuses it, or None when it is stored.

    The refusal is said in the form: next to the first field named in `beside` for its class that
    the form has, else above the form.
    """
    try:
        with unit_of_work(scope) as session:
            work(session)
    except Refusal as refusal:
        names = beside.get(type(refusal), ())
        form.refuse(refusal, next((name for name in names if name in form), None))
        return refusal
    return None
