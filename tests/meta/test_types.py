"""The type checker sees a view that would answer without a scope. It is really run here."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from crm.web import guard

# The decorator's own text, over stand-ins for what it names: the whole program takes a minute.
_STAGE = """
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

class Permission: ...
class Scope:
    def require(self, permission: Permission) -> None: ...

class NotFound(Exception): ...

def current_scope() -> Scope:
    return Scope()

def _onward(scope: Scope) -> object:
    return None

"""
_SOUND = """
@requires(Permission())
def view(scope: Scope, name: str) -> str:
    return name

view("a")
"""
_WITHOUT = """
@requires(Permission())
def view(name: str) -> str:
    return name
"""
_HANDED_BY_THE_CALLER = _SOUND.replace('view("a")', 'view(Scope(), "a")')


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (_SOUND, "Success: no issues found"),
        (_WITHOUT, 'has incompatible type "Callable[[str], str]"'),
        (_HANDED_BY_THE_CALLER, 'Too many arguments for "view"'),
    ],
)
def test_a_view_without_a_scope_is_refused_by_the_type_checker(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, view: str, said: str
) -> None:
    (tmp_path / "planted.py").write_text(_STAGE + inspect.getsource(guard.requires) + view)
    # One cache for the three: the first reads Python's own types, which takes the seconds.
    cache = tmp_path_factory.getbasetemp() / "types"
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), "planted.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said in done.stdout + done.stderr
