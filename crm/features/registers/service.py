"""Stores what the readers of crm/analysis/registers found. docs/decisions/0006 gives the rules.

``read_register`` reads the files and touches nothing; ``load_register`` stores the whole of it in
the caller's unit of work. Any failure in between rolls everything back.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy.orm import Session

from crm.access import tasks
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.registers import gender_pay, member_counts, nhs
from crm.analysis.registers.reading import Problem
from crm.domain.errors import Refusal
from crm.features.registers.from_counts import StatedCounts, load_member_counts
from crm.features.registers.from_gender_pay import COMPANIES_HOUSE, GENDER_PAY, load_gender_pay
from crm.features.registers.from_nhs import ODS, load_nhs
from crm.features.registers.loading import NAME_LIMIT, FileProblem, Loaded, Progress

__all__ = [
    "COMPANIES_HOUSE",
    "GENDER_PAY",
    "ODS",
    "Loaded",
    "Progress",
    "Register",
    "RegisterKind",
    "StatedCounts",
    "load_gender_pay",
    "load_member_counts",
    "load_nhs",
    "load_register",
    "read_register",
    "request_load",
    "stated_of",
]

SCHEME_LIMIT = 40
TASK_KIND = "load-register"


class RegisterKind(StrEnum):
    """The registers that can be loaded."""

    GENDER_PAY = "gender-pay"
    NHS = "nhs"
    MEMBER_COUNTS = "member-counts"


# The files of each register, the first ones needed, those in OPTIONAL_FILES not.
FILES: Mapping[RegisterKind, tuple[str, ...]] = {
    RegisterKind.GENDER_PAY: ("employers",),
    RegisterKind.NHS: ("sites", "staff", "hospitals"),
    RegisterKind.MEMBER_COUNTS: ("counts",),
}
OPTIONAL_FILES = frozenset({"hospitals"})


@dataclass(frozen=True, slots=True)
class Register:
    """The files of one register as read: rows, and the problems found so far."""

    kind: RegisterKind
    rows: Mapping[str, Sequence[Any]]
    problems: tuple[FileProblem, ...]
    stated: StatedCounts | None = None

    @property
    def row_count(self) -> int:
        """Returns how many rows were read, over all files."""
        return sum(len(rows) for rows in self.rows.values())


def request_load(
    session: Session,
    scope: Scope,
    kind: RegisterKind,
    *,
    files: Mapping[str, bytes],
    now: datetime,
    stated: StatedCounts | None = None,
) -> UUID:
    """Hands the files of a register to the worker and returns the public id of the task.

    Raises PermissionRefused unless the scope may load registers over the whole organisation.
    """
    scope.require_everywhere(Permission.REGISTER_LOAD)
    payload: dict[str, Any] = {"register": kind.value}
    if stated is not None:
        payload["stated"] = {**asdict(stated), "on_day": stated.on_day.isoformat()}
    task = tasks.enqueue(
        session,
        scope,
        kind=TASK_KIND,
        payload=payload,
        files=[tasks.Upload(name, content) for name, content in files.items()],
        now=now,
    )
    return task.public_id


def stated_of(payload: Mapping[str, Any]) -> StatedCounts | None:
    """Returns what ``request_load`` wrote into a task about stated counts, or None."""
    written = payload.get("stated")
    if written is None:
        return None
    return StatedCounts(**{**written, "on_day": date.fromisoformat(written["on_day"])})


def read_register(
    kind: RegisterKind,
    files: Mapping[str, BinaryIO | bytes],
    *,
    stated: StatedCounts | None = None,
) -> Register:
    """Reads the files of a register, plain or gzip, and stores nothing.

    files: by the names of FILES. stated: needed for member counts. Raises Refusal when a file is
    missing, of another kind or damaged.
    """
    for name in FILES[kind]:
        if name not in files and name not in OPTIONAL_FILES:
            raise Refusal("Choose all the files that this register needs.")
    if kind is RegisterKind.MEMBER_COUNTS and stated is None:
        raise Refusal("Say which employer the places belong to, and the day of the counts.")
    if stated is not None and not (
        0 < len(stated.employer_name.strip()) <= NAME_LIMIT
        and 0 < len(stated.scheme) <= SCHEME_LIMIT
    ):
        raise Refusal(
            "Give a name of up to 200 letters, and a word of up to 40 letters for the sort of ids."
        )
    readers: dict[str, Callable[[BinaryIO], tuple[list[Any], list[Problem]]]] = {
        "employers": gender_pay.read_employers,
        "sites": nhs.read_trusts_and_sites,
        "staff": nhs.read_staff,
        "hospitals": nhs.read_hospitals,
        "counts": member_counts.read_member_counts,
    }
    rows: dict[str, Sequence[Any]] = {}
    problems: list[FileProblem] = []
    for name in FILES[kind]:
        if name not in files:
            continue
        content = files[name]
        stream = io.BytesIO(content) if isinstance(content, bytes) else content
        rows[name], found = readers[name](stream)
        problems += [FileProblem(name, problem) for problem in found]
    return Register(kind=kind, rows=rows, problems=tuple(problems), stated=stated)


def load_register(
    session: Session,
    scope: Scope,
    register: Register,
    *,
    now: datetime,
    time_zone: str,
    progress: Progress | None = None,
) -> Loaded:
    """Stores a register and says what was new. Loading it again changes nothing.

    time_zone: of the workplaces, an IANA name. progress: called with (rows done, rows in all).
    Raises PermissionRefused unless the scope may load registers over the whole organisation.
    """
    rows = register.rows
    if register.kind is RegisterKind.GENDER_PAY:
        loaded = load_gender_pay(
            session, scope, rows["employers"], now=now, time_zone=time_zone, progress=progress
        )
    elif register.kind is RegisterKind.NHS:
        loaded = load_nhs(
            session,
            scope,
            places=rows["sites"],
            staff=rows["staff"],
            hospitals=rows.get("hospitals", ()),
            now=now,
            time_zone=time_zone,
            progress=progress,
        )
    else:
        if register.stated is None:
            raise ValueError("Stated counts need an employer, a scheme and a day.")
        loaded = load_member_counts(
            session,
            scope,
            rows["counts"],
            stated=register.stated,
            now=now,
            time_zone=time_zone,
            progress=progress,
        )
    loaded.problems = _merge(register.problems, loaded.problems, register.kind)
    return loaded


def _merge(
    read: Sequence[FileProblem], loading: Sequence[FileProblem], kind: RegisterKind
) -> list[FileProblem]:
    """Returns all problems in the order of the files; a row left out replaces a softer word."""
    left_out = {(p.file, p.problem.row_number, p.problem.message) for p in loading}
    kept = [p for p in read if (p.file, p.problem.row_number, p.problem.message) not in left_out]
    order = FILES[kind].index
    return sorted([*kept, *loading], key=lambda p: (order(p.file), p.problem.row_number))
