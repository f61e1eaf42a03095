"""Who may import whom: the real tree keeps every contract, and each contract can be broken."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Two features made up for these tests, so that they do not hang on the names of real ones.
_ONE = "crm/features/planted_one"
_TWO = "crm/features/planted_two"
_FEATURE_MODULES = ("__init__", "views", "forms", "service", "queries")

# Contract id -> imports that it must refuse: (file the line is added to, the line).
_PLANTS: dict[str, list[tuple[str, str]]] = {
    "layers": [
        ("crm/domain/planted.py", "import crm.models"),
        ("crm/models/planted.py", "import crm.access"),
        ("crm/models/planted.py", "import crm.analysis"),
        ("crm/analysis/planted.py", "import crm.models"),
        ("crm/access/planted.py", "import crm.web"),
        ("crm/web/planted.py", f"import {_ONE.replace('/', '.')}.service"),
        (f"{_ONE}/views.py", "import crm.app"),
        (f"{_ONE}/service.py", "import crm.cli"),
    ],
    "strangers": [
        (f"{_ONE}/queries.py", f"import {_TWO.replace('/', '.')}.queries"),
        (f"{_TWO}/views.py", f"from {_ONE.replace('/', '.')} import service"),
    ],
    "inside-a-feature": [
        (f"{_ONE}/queries.py", f"from {_ONE.replace('/', '.')} import service"),
        (f"{_ONE}/service.py", f"from {_ONE.replace('/', '.')} import forms"),
        (f"{_ONE}/forms.py", f"from {_ONE.replace('/', '.')} import views"),
    ],
    "pure-domain": [
        ("crm/domain/planted.py", "import flask"),
        ("crm/domain/planted.py", "from sqlalchemy import select"),
        ("crm/domain/planted.py", "import wtforms"),
        ("crm/domain/planted.py", "import pandas"),
        ("crm/domain/planted.py", "import numpy"),
    ],
    "no-http-below": [
        (f"{_ONE}/service.py", "from flask import request"),
        (f"{_ONE}/queries.py", "from flask import g"),
        (f"{_ONE}/service.py", "import wtforms"),
        (f"{_ONE}/service.py", "from flask_login import current_user"),
        ("crm/access/planted.py", "from flask import session"),
        ("crm/access/planted.py", "from flask_wtf import FlaskForm"),
    ],
    "no-tables-above": [
        (f"{_ONE}/views.py", "import crm.models"),
        (f"{_ONE}/views.py", "from sqlalchemy import select"),
        (f"{_ONE}/forms.py", "import crm.models"),
        (f"{_ONE}/forms.py", "from sqlalchemy import func"),
    ],
    "pandas-at-the-edge": [
        (f"{_ONE}/service.py", "import pandas as pd"),
        (f"{_ONE}/views.py", "from pandas import DataFrame"),
        ("crm/web/planted.py", "import pandas"),
        ("crm/planted_new_module.py", "import pandas"),
    ],
    "plain-analysis": [
        ("crm/analysis/planted.py", "import flask"),
        ("crm/analysis/planted.py", "from sqlalchemy import select"),
        ("crm/analysis/planted.py", "import crm.models"),
    ],
}
_ALL_PLANTS = [(contract, *plant) for contract, plants in _PLANTS.items() for plant in plants]


def _contract_names() -> dict[str, str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    return {contract["id"]: contract["name"] for contract in contracts}


def _lint(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo", *arguments],
        cwd=tree,
        env={"PYTHONPATH": str(tree), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def _in_a_clean_python(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def tree_to_break(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program's modules, with two invented features, that a test may spoil."""
    tree = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", tree)
    only_python = shutil.ignore_patterns("static", "translations", "__pycache__", "*.csv")
    shutil.copytree(ROOT / "crm", tree / "crm", ignore=only_python)
    for feature in (_ONE, _TWO):
        (tree / feature).mkdir(parents=True)
        for module in _FEATURE_MODULES:
            (tree / feature / f"{module}.py").write_text("")
    return tree


@pytest.fixture
def spoil(tree_to_break: Path) -> Iterator[Callable[[str, str], None]]:
    """Return a function that adds a line to a file of the copy; undone after the test."""
    before: dict[Path, str | None] = {}

    def add(file: str, line: str) -> None:
        path = tree_to_break / file
        before[path] = path.read_text() if path.exists() else None
        path.write_text(f"{before[path] or ''}\n{line}\n")

    yield add
    for path, text in before.items():
        if text is None:
            path.unlink()
        else:
            path.write_text(text)


def test_the_program_keeps_every_contract() -> None:
    done = _lint(ROOT)

    assert f"Contracts: {len(_PLANTS)} kept, 0 broken." in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_every_contract_has_an_import_that_breaks_it() -> None:
    assert set(_contract_names()) == set(_PLANTS)


def test_the_copy_keeps_every_contract_before_it_is_spoilt(tree_to_break: Path) -> None:
    done = _lint(tree_to_break)

    assert f"Contracts: {len(_PLANTS)} kept, 0 broken." in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(("contract", "file", "line"), _ALL_PLANTS)
def test_a_forbidden_import_breaks_its_contract(
    tree_to_break: Path, spoil: Callable[[str, str], None], contract: str, file: str, line: str
) -> None:
    spoil(file, line)

    done = _lint(tree_to_break, "--contract", contract)

    assert f"{_contract_names()[contract]} BROKEN" in done.stdout, done.stdout + done.stderr
    assert f"{file.removesuffix('.py').replace('/', '.')} ->" in done.stdout
    assert done.returncode == 1


def test_a_new_module_outside_the_layers_is_refused(
    tree_to_break: Path, spoil: Callable[[str, str], None]
) -> None:
    spoil("crm/stray.py", "")

    done = _lint(tree_to_break, "--contract", "layers")

    assert f"{_contract_names()['layers']} BROKEN" in done.stdout, done.stdout + done.stderr
    assert "crm.stray" in done.stdout


def test_the_domain_loads_nothing_but_the_standard_library() -> None:
    """import-linter does not see what a parent package imports, so this one is really run."""
    program = (
        "import pkgutil, importlib, sys, crm.domain;"
        "[importlib.import_module(m.name)"
        " for m in pkgutil.walk_packages(crm.domain.__path__, 'crm.domain.')];"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'flask', 'werkzeug', 'sqlalchemy', 'pandas', 'numpy', 'wtforms', 'babel'}))"
    )

    assert _in_a_clean_python(program) == "[]"


def test_the_domain_names_nothing_but_the_standard_library_and_itself() -> None:
    strangers = []
    for path in sorted((ROOT / "crm" / "domain").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            strangers += [
                f"{path.relative_to(ROOT)}: {name}"
                for name in names
                if name.partition(".")[0] not in sys.stdlib_module_names
                and not f"{name}.".startswith("crm.domain.")
            ]

    assert strangers == []


def test_starting_the_program_does_not_load_pandas() -> None:
    """pandas takes about two seconds to load; the second start must show a page in three."""
    program = "import sys, crm.app, crm.cli; print('pandas' in sys.modules)"

    assert _in_a_clean_python(program) == "False"
