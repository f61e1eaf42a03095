"""A list of a thousand people with planted faults, and what is believed of people in one value."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from crm.models.contacts import Contact, ContactPoint, Job, Membership, StateSpan
from crm.models.conversations import Assessment
from crm.models.search import SearchEntry
from crm.web.db import db

HEAD = ["Name", "Mobile", "Email", "Site", "Dept", "Member?", "Started"]
DAYS = {"as_at": "2026-11-01"}


def digest() -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is believed of people now, without the keys that differ from run to run."""
    people = {
        Contact: ("known_as", "full_name", "name_key", "pronouns", "how_known"),
        ContactPoint: ("contact_id", "kind", "value", "value_key"),
        Job: (
            *("contact_id", "place_id", "workplace_id", "area_id", "shift_id", "job_title"),
            *("valid_from", "valid_to", "from_is_first_seen"),
        ),
        Membership: ("contact_id", "union_id", "status", "source", "valid_from", "valid_to"),
        Assessment: ("contact_id", "place_id", "rating", "day", "basis"),
        StateSpan: ("contact_id", "place_id", "from_day", "to_day", "member", "score"),
        SearchEntry: ("contact_id", "place_id", "words"),
    }
    found: dict[str, list[tuple[Any, ...]]] = {}
    with db.engine.connect().execution_options(crm_scope=True, read_only=True) as connection:
        names = {
            row.id: row.name_key
            for row in connection.execute(sa.select(Contact.id, Contact.name_key))
        }
        for model, columns in people.items():
            table = model.__table__
            asked = sa.select(*(table.c[name] for name in columns))
            if "superseded_at" in table.c:
                asked = asked.where(table.c.superseded_at.is_(None))
            found[table.name] = sorted(
                (
                    tuple(
                        names[value] if name == "contact_id" else str(value)
                        for name, value in zip(columns, row, strict=True)
                    )
                    for row in connection.execute(asked)
                ),
            )
    return found


def thousand() -> tuple[list[list[str]], dict[str, int]]:
    """A thousand rows about different people, forty of them spoilt in known ways."""
    dice = random.Random(7)
    rows = [
        [
            f"{dice.choice(('Ana', 'Bea', 'Cal', 'Dev', 'Eli'))} Worker{number:04}",
            f"07700 90{number:04}",
            f"worker{number}@example.org" if number % 3 else "",
            "The Mill" if number % 2 else "The Depot",
            ("Packing", "Yard", "")[number % 3] if number % 2 else "",
            ("Y", "N", "")[number % 3],
            "01/02/2024" if number % 5 else "",
        ]
        for number in range(1000)
    ]
    spoil: list[Callable[[list[str]], None]] = [
        lambda row: row.__setitem__(0, ""),
        lambda row: row.__setitem__(1, "ask her"),
        lambda row: row.__setitem__(2, "no mail"),
        lambda row: row.__setitem__(3, "The Dock"),
        lambda row: row.__setitem__(3, "Nowhere"),
        lambda row: row.__setitem__(6, "31/02/2024"),
        lambda row: row.__setitem__(6, "01/02/2044"),
        lambda row: row.__setitem__(4, "Moon base"),
        lambda row: row.__setitem__(5, "perhaps"),
    ]
    for at in range(36):
        spoil[at % 9](rows[20 + at * 25])
    # Four more are about somebody of an earlier row.
    for at in range(4):
        rows[950 + at] = list(rows[at])
    return rows, {"New": 960, "Has a problem": 40}
