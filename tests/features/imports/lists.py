"""Lists on their way in, one at each step, stored past the wizard."""

from __future__ import annotations

import json
import uuid
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crm.analysis.tables.found import Asked, Table
from crm.domain.vocabulary import HowKnown, ImportKind
from crm.features.imports.rules import first_rules, with_guesses
from crm.models.imports import ImportRow, ListImport
from crm.web import sealing
from tests.factories import TODAY

ROWS = (
    ("Name", "Mobile", "Dept", "NI No"),
    ("Aneta Nowak", "07700 900150", "PCK", "QQ123456C"),
    ("", "07700 900151", "PCK", ""),
    ("T Kowalski", "07700 900152", "Yard", ""),
)


def make_list(owner_id: int, state: str, workplace: uuid.UUID | None = None) -> ListImport:
    """A list that stands at a step, with its rows sealed to this server."""
    public_id = uuid.uuid4()
    table = Table(kind="csv", rows=ROWS, encoding="utf-8", delimiter=",")
    rules = with_guesses(first_rules(table, Asked()), ImportKind.PEOPLE, table)
    rules = replace(
        rules,
        as_at=TODAY,
        how_known=HowKnown.MET,
        workplace=str(workplace) if workplace else None,
        meanings={2: {"pck": "packing"}},
    )

    def _seal(content: bytes) -> bytes:
        return sealing.seal(content, str(public_id), sealing.public_key()).encode()

    text = json.dumps(table.as_plain()).encode()
    now = datetime.now(UTC)
    return ListImport(
        public_id=public_id,
        owner_id=owner_id,
        kind="people",
        origin="our_own",
        file_name="people_of_may.csv",
        state=state,
        created_at=now,
        expires_at=now + timedelta(days=7),
        finished_at=now if state in {"done", "undone"} else None,
        settings=rules.as_plain(),
        sealed_file=_seal(b"Name,Mobile\r\nAneta Nowak,07700 900150\r\n"),
        sealed_table=_seal(zlib.compress(text)),
        version=1,
    )


def make_rows(of: ListImport, candidate: int | None = None, *, stored: bool = False) -> list[Any]:
    """What a check found of the rows of such a list: one new, one without a name, one doubt."""
    values: dict[str, Any] = {"import_id": of.id, "owner_id": of.owner_id}
    people = {"people": [[candidate, ["other_name", "same_phone"]]]} if candidate else None
    no_name = "There is no name in this row. Put it in, or leave the row out."
    return [
        ImportRow(row_no=2, outcome="new", state="stored" if stored else "waiting", **values),
        ImportRow(
            row_no=3,
            outcome="problem",
            state="passed_by" if stored else "waiting",
            faults={"faults": [[0, no_name, None]]},
            **values,
        ),
        ImportRow(
            row_no=4,
            outcome="possible",
            state="passed_by" if stored else "waiting",
            candidates=people,
            **values,
        ),
    ]
