"""Collect every text that a person may read, for translators and for the test language.

    python tools/messages.py            write crm/translations/messages.pot
    python tools/messages.py --check    say whether that file is up to date

Texts are: what templates and code hand to gettext, the sentences of refusals, and the reasons
that register readers give for a row.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import write_po

ROOT = Path(__file__).resolve().parents[1]
POT = ROOT / "crm" / "translations" / "messages.pot"

_GETTEXT = {"_", "_l", "gettext", "lazy_gettext", "later"}
_NGETTEXT = {"_n", "ngettext", "lazy_ngettext", "plural"}
_SENTENCES = {"Refusal", "InvalidHeadcount", "DatesOutOfOrder", "EditConflict", "AlreadyEnded"}


def collect() -> Catalog:
    """Return a catalogue of all texts, in the order of their files."""
    catalog = Catalog(project="Shopfloor", charset="utf-8", creation_date=None)
    for path in sorted((ROOT / "templates").rglob("*.html")):
        with path.open("rb") as file:
            found = extract(
                "jinja2.ext:babel_extract",
                file,
                keywords={"_": None, "gettext": None, "ngettext": (1, 2)},
                options={"trimmed": "true", "encoding": "utf-8", "silent": "false"},
            )
            for _line, message, _comments, _context in found:
                catalog.add(message, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    for path in sorted((ROOT / "crm").rglob("*.py")):
        for message in texts_of(path.read_text(encoding="utf-8")):
            catalog.add(message, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    for path in sorted((ROOT / "crm" / "domain" / "reference" / "rules").glob("*.toml")):
        for message in texts_of_rules(path.read_text(encoding="utf-8")):
            catalog.add(message, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    return catalog


def texts_of_rules(source: str) -> Iterator[str]:
    """Yield what a file of rules says in words. Sources stay as they are: they are citations."""
    for book in tomllib.loads(source).get("jurisdiction", []):
        yield book["name"]
        if "note" in book:
            yield book["note"]
        for row in (*book.get("rule", []), *book.get("change", [])):
            yield row["title"]
            yield row["text"]


def texts_of(source: str) -> Iterator[str | tuple[str, str]]:
    """Yield the texts in a module: gettext calls, refusals raised, sentences kept by name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            name = node.func.id if isinstance(node.func, ast.Name) else name
            words = [_text(one) for one in node.args[:2]]
            if name in _NGETTEXT and None not in words and len(words) == 2:
                yield str(words[0]), str(words[1])
            elif (name in _GETTEXT or name in _SENTENCES) and words and words[0]:
                yield words[0]
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            sentence = _text(node.value)
            if isinstance(target, ast.Name) and sentence and sentence.endswith("."):
                # Sentences kept by name, to be said by a refusal or about a row of a file.
                yield sentence


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


# The test language: every letter becomes another, and the page runs from right to left.

_LETTERS = dict(zip("abcdefghijklmnopqrstuvwxyz", "ابتثجحخدذرزسشصضطظعغفقكلمنه", strict=True))
_KEEP = re.compile(r"(%\(\w+\)[sd]|%%|%[sd]|\{\w*\}|<[^>]+>)")


def disguise(text: str) -> str:
    """Return the text in the test language; places for names and numbers stay as they are."""
    parts = _KEEP.split(text)
    return "".join(
        part
        if _KEEP.fullmatch(part)
        else "".join(_LETTERS.get(letter.lower(), letter) for letter in part)
        for part in parts
    )


def write_test_language(folder: Path, locale: str = "ar") -> None:
    """Write a compiled catalogue of the test language below the folder."""
    target = folder / locale / "LC_MESSAGES"
    target.mkdir(parents=True, exist_ok=True)
    catalog = Catalog(locale=locale, charset="utf-8")
    for message in collect():
        if not message.id:
            continue
        if isinstance(message.id, tuple):
            plurals = tuple(disguise(message.id[1]) for _ in range(catalog.num_plurals))
            catalog.add(message.id, plurals)
        else:
            catalog.add(message.id, disguise(str(message.id)))
    with (target / "messages.mo").open("wb") as file:
        write_mo(file, catalog)


def _rendered() -> bytes:
    buffer = io.BytesIO()
    write_po(buffer, collect(), omit_header=False, sort_output=True, no_location=True)
    # The date of making would change the file each day.
    lines = buffer.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if b"POT-Creation-Date" not in line)


def main() -> int:
    """Write or check the file for translators."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        if not POT.exists() or POT.read_bytes() != _rendered():
            print("crm/translations/messages.pot is not up to date: python tools/messages.py")
            return 1
        return 0
    POT.parent.mkdir(parents=True, exist_ok=True)
    POT.write_bytes(_rendered())
    return 0


if __name__ == "__main__":
    sys.exit(main())
