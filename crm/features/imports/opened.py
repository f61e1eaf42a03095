"""A list on its way in, sealed while it is kept, and opened as a page or the worker needs it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crm.access.scope import Scope
from crm.analysis.tables.found import Table, table_of
from crm.analysis.tables.front import NotHeld, table_of_front
from crm.analysis.tables.packed import BLOCK, Packed, pack
from crm.domain.errors import NotFound, Refusal
from crm.domain.vocabulary import (
    ImportState,
)
from crm.features.imports import queries, service
from crm.features.imports.rules import (
    Rules,
    rules_of,
)
from crm.web import sealing
from crm.web.db import unit_of_work


def seal(content: bytes, public_id: UUID) -> bytes:
    """Return a content that only this server opens, for the list of this public id."""
    return sealing.seal(content, str(public_id), sealing.public_key()).encode()


def sealed_table(table: Table, public_id: UUID) -> bytes:
    """Return all rows of a list, sealed."""
    text = json.dumps(table.as_plain(), ensure_ascii=False).encode()
    return seal(zlib.compress(text, 1), public_id)


def sealer(public_id: UUID) -> service.SealFront:
    """Return what seals the part of a list that its pages show."""

    def _seal(plain: Mapping[str, Any]) -> bytes:
        text = json.dumps(plain, ensure_ascii=False).encode()
        return seal(zlib.compress(text, 1), public_id)

    return _seal


def sealed_rest(
    table: Table, view: queries.ImportView, rest_id: UUID, left: Sequence[int]
) -> bytes:
    """Return some rows of a list below its headings, sealed as a list of their own."""
    heading = rules_of(view.settings).heading_row
    numbers = [*([heading] if heading else []), *left]
    blocks = [
        pack([table.rows[number - 1] for number in numbers[first : first + BLOCK]])
        for first in range(0, len(numbers), BLOCK)
    ]
    rows = Packed(blocks, len(numbers), table.width)
    return sealed_table(Table(kind=table.kind, rows=rows), rest_id)


def unseal(sealed: bytes | None, public_id: UUID) -> bytes:
    """Return what was sealed. Raises Refusal when it is gone, or the server's secret changed."""
    if sealed is None:
        raise Refusal(service.FILE_GONE)
    try:
        return sealing.open_sealed(sealed.decode(), str(public_id))
    except sealing.NotForUs as error:
        raise Refusal(service.FILE_GONE) from error


@dataclass(frozen=True, slots=True)
class Opened:
    """A list with its rows, or with those that its pages show, and what was chosen for it."""

    view: queries.ImportView
    table: Table
    rules: Rules


def open_list(scope: Scope, import_id: UUID, *states: ImportState, whole: bool = True) -> Opened:
    """Return a list with its rows. Raises NotFound when it is not at one of these steps.

    whole: False for what its pages show, where that is kept by itself.
    """
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_import(session, scope, import_id)
        if view.state not in states:
            raise NotFound(f"ListImport {import_id} at this step")
        front = None if whole else queries.get_sealed(session, scope, import_id, front=True)
        sealed = front or queries.get_sealed(session, scope, import_id)
    plain = json.loads(zlib.decompress(unseal(sealed, import_id)))
    table = table_of(plain) if front is None else table_of_front(plain)
    return Opened(view, table, rules_of(view.settings))


def with_list(
    scope: Scope, import_id: UUID, states: Sequence[ImportState], act: Callable[[Opened], Any]
) -> Any:
    """Answer from what is kept of a list for its pages; from the whole where that is not enough."""
    try:
        return act(open_list(scope, import_id, *states, whole=False))
    except NotHeld:
        return act(open_list(scope, import_id, *states))


OPEN = (ImportState.MATCHING, ImportState.CHECKED)
