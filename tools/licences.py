"""Writes docs/licences.md: the parts that a running copy of Shopfloor uses, with their licences.

``python tools/licences.py`` writes the file; ``--check`` only says whether it is up to date.
The list is worked out from pyproject.toml and from what each installed part says about itself.
Which parts are needed differs a little between versions of Python, so the list is made, and
compared, on the oldest one that Shopfloor supports.
"""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "licences.md"
EXTRAS = ("", "server")
MADE_ON = (3, 11)

# Parts that state their licence in a file only. Each was read, in the version that is pinned.
_READ = {"sqlcipher3": "Zlib"}

# Short names for the long-winded licence fields of parts without an SPDX expression.
_SHORT = {
    "apache license, version 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD",
    "bsd license": "BSD",
    "bsd 3-clause": "BSD-3-Clause",
    "mit license": "MIT",
    "the unlicense (unlicense)": "Unlicense",
    "zpl 2.1": "ZPL-2.1",
    "zope public license": "ZPL-2.1",
    "zlib/libpng license": "Zlib",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
}


class NotInstalled(Exception):
    """A part that Shopfloor needs is not installed in this environment."""


def licence_of(part: Distribution) -> str:
    """Return the licence a part states, as SPDX where it says so; "not stated" if nowhere."""
    if expressions := part.metadata.get_all("License-Expression"):
        return str(expressions[0])
    classifiers = part.metadata.get_all("Classifier") or []
    stated = [
        text.rpartition(" :: ")[2]
        for text in classifiers
        if text.startswith("License :: ") and not text.endswith("OSI Approved")
    ]
    fields = part.metadata.get_all("License") or []
    if not stated and fields and "\n" not in fields[0].strip():
        stated = [fields[0].strip()]
    found = " or ".join(_SHORT.get(text.lower(), text) for text in stated)
    return found or _READ.get(canonicalize_name(part.metadata["Name"]), "not stated")


def runtime_parts() -> dict[str, Distribution]:
    """Return every part a running copy needs, with the parts they need, by name.

    Raises NotInstalled when one is missing here.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [Requirement(text) for text in project["dependencies"]]
    for extra in EXTRAS:
        wanted += [Requirement(text) for text in project["optional-dependencies"].get(extra, [])]
    parts: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        need = wanted.pop()
        name, extras = canonicalize_name(need.name), frozenset(need.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            part = distribution(name)
        except PackageNotFoundError as missing:
            raise NotInstalled(
                f"{name} is not installed: type make check, which installs it"
            ) from missing
        parts[name] = part
        for text in part.requires or []:
            further = Requirement(text)
            if further.marker is None or any(
                further.marker.evaluate({"extra": extra}) for extra in ["", *extras]
            ):
                wanted.append(further)
    return parts


def page(parts: dict[str, Distribution]) -> str:
    """Return the text of docs/licences.md. A part that states no licence is shown as such."""
    lines = [
        "# Parts and their licences",
        "",
        "Shopfloor is licensed under AGPL-3.0-or-later ([LICENSE](../LICENSE)).",
        "A running copy uses the parts below. Each keeps its own licence, stated here as the part",
        "states it; the versions are in [constraints.txt](../constraints.txt). Parts that carry",
        "other programs inside them (sqlcipher3: SQLCipher, SQLite and OpenSSL; psycopg-binary:",
        "libpq and OpenSSL; numpy: OpenBLAS) bring the licences of those along.",
        "",
        "`make licences` writes this list anew.",
        "",
        "| Part | Licence |",
        "| --- | --- |",
    ]
    lines += [f"| {name} | {licence_of(part)} |" for name, part in sorted(parts.items())]
    lines += ["", f"{len(parts)} parts.", ""]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Write the list, or with --check compare it. Returns 0, or 1 when it is out of date."""
    if sys.version_info[:2] != MADE_ON:
        print("the list of licences is made on Python {}.{} only".format(*MADE_ON), file=sys.stderr)
        return 0 if "--check" in arguments else 1
    try:
        text = page(runtime_parts())
    except NotInstalled as problem:
        print(problem, file=sys.stderr)
        return 1
    if "--check" in arguments:
        if not TARGET.exists() or TARGET.read_text() != text:
            print("docs/licences.md is out of date: type make licences", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
