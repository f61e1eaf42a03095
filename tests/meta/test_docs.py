"""The documents tell the truth about the commands, files and settings that there are."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from crm import cli
from tools import check_docs, licences

ROOT = Path(__file__).parents[2]

# The text that the Free Software Foundation publishes as agpl-3.0.txt, byte for byte.
_AGPL_SHA256 = "0d96a4ff68ad6d4b6f1f30f713b18d5184912ba8dd389f86aa7710db079abcb0"


def _project(folder: Path, files: dict[str, str]) -> Path:
    """Make a small project that has no problem of its own, plus the given files."""
    sound = {
        "README.md": "# Read me\n\nType `make run`. See [the server](docs/server.md#tables).\n",
        "docs/server.md": "# Server\n\n## Tables\n\nSet `SHOPFLOOR_PUBLIC_URL`.\n",
        "Makefile": "run:\n\ttrue\n",
        "config.py": 'KNOWN = "SHOPFLOOR_PUBLIC_URL"\n',
    }
    for name, text in (sound | files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    return folder


def test_the_documents_of_this_project_have_no_problem() -> None:
    assert check_docs.find_problems(ROOT) == []


def test_a_sound_project_has_no_problem(tmp_path: Path) -> None:
    assert check_docs.find_problems(_project(tmp_path, {})) == []


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("NEW.md", "See [it](docs/none.md).\n", "NEW.md:1: docs/none.md is not there"),
        ("NEW.md", "![Log](docs/log.png)\n", "NEW.md:1: docs/log.png is not there"),
        ("NEW.md", "\n[x](docs/server.md#gone)\n", "NEW.md:2: no heading for #gone"),
        ("NEW.md", "[x](#gone)\n", "NEW.md:1: no heading for #gone"),
        ("NEW.md", "Type `make coffee`.\n", "NEW.md:1: no such target: make coffee"),
        ("NEW.md", "```\nmake tea\n```\n", "NEW.md:2: no such target: make tea"),
        ("NEW.md", "`SHOPFLOOR_MOOD`\n", "NEW.md:1: config.py reads no SHOPFLOOR_MOOD"),
        ("docs/lost.md", "# Lost\n", "docs/lost.md: no page links to it"),
        ("a.py", "P = '/hom" + "e/ana/x'\n", "a.py:1: a path of one machine: /hom" + "e/a"),
        ("a.py", "P = '/wor" + "k/x'\n", "a.py:1: a path of one machine: /wor" + "k/x"),
        (
            "a.txt",
            "get it from PyPI.or" + "g\n",
            "a.txt:1: the address of a registry: PyPI.or" + "g",
        ),
        ("a.html", "<p>TOD" + "O</p>\n", "a.html:1: something left undone: TOD" + "O"),
        (
            "a.css",
            "/* made by ChatGP" + "T */\n",
            "a.css:1: a word about who builds the project: ChatGP" + "T",
        ),
        (
            "NEW.md",
            "One \N{EM DASH} two\n",
            "NEW.md:1: an em dash; use a full stop, comma or colon",
        ),
    ],
)
def test_a_planted_problem_is_found(tmp_path: Path, name: str, text: str, problem: str) -> None:
    assert check_docs.find_problems(_project(tmp_path, {name: text})) == [problem]


def test_files_that_git_ignores_are_not_looked_at(tmp_path: Path) -> None:
    files = {".gitignore": "instance/\n", "instance/notes.md": "[x](gone.md)\n"}

    assert check_docs.find_problems(_project(tmp_path, files)) == []


def test_an_example_in_a_code_block_is_not_taken_for_a_link(tmp_path: Path) -> None:
    assert check_docs.find_problems(_project(tmp_path, {"N.md": "```\n[x](gone.md)\n```\n"})) == []


def _is_a_command(words: tuple[str, ...]) -> bool:
    found: click.Command = cli.main
    for word in words:
        if not isinstance(found, click.Group) or word not in found.commands:
            return False
        found = found.commands[word]
    return True


def test_every_command_that_the_documents_name_is_there() -> None:
    named = sorted(check_docs.program_commands(check_docs.project_pages(ROOT)))

    assert ("serve",) in named
    assert not _is_a_command(("no-such-command",))
    assert not _is_a_command(("serve", "no-such-command"))
    assert [words for words in named if not _is_a_command(words)] == []


def test_the_installed_program_is_these_commands() -> None:
    program = Path(sys.executable).with_name("crm")
    done = subprocess.run([program, "load", "--help"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("Usage: crm load ")
    assert all(name in done.stdout for name in cli.load.commands)


def test_commands_are_read_from_code_and_not_from_sentences(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "The crm package. Type `crm load nhs FILE`.\n```\n.venv/bin/crm serve --port 1\n```\n"
    )

    assert check_docs.program_commands([page]) == {("load", "nhs"), ("serve",)}


def test_every_make_target_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.M)
    assert phony is not None
    explained = re.findall(r"^([a-z]+):.*## \S", makefile, re.M)

    assert sorted(explained) == sorted(phony[1].split())


def test_the_build_runs_exactly_make_test() -> None:
    script = (ROOT / ".ci" / "run").read_text()

    assert re.findall(r"^make .*$", script, re.M) == [
        "make test </dev/null 2>&1 | sed -u '/^make: \\*\\*\\* /d'"
    ]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_the_licence_is_the_text_of_the_agpl() -> None:
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == _AGPL_SHA256
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "AGPL-3.0-or-later"


def test_every_part_of_a_running_copy_is_listed_with_its_licence() -> None:
    listed = dict(re.findall(r"^\| ([a-z0-9.-]+) \| (.+) \|$", licences.TARGET.read_text(), re.M))

    assert set(licences.runtime_parts()) <= set(listed)
    assert "not stated" not in listed.values()


def test_every_pin_is_a_version_and_holds_no_address() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()

    odd = [
        line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; [\w.' =<>!-]+)?", line)
    ]
    assert odd == []
