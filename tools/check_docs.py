"""Looks for what goes stale or does not belong in the documents and the source.

``python tools/check_docs.py`` prints each problem with its file and line, and returns 1 when
there is one. The rules are the functions below; ``find_problems`` runs them all.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Written with brackets, so that this file does not hold the words it looks for.
_MACHINE_PATHS = re.compile(
    r"/(?:wor[k]|roo[t]|User[s])/\w|/hom[e]/(?!shopfloor\b)\w|/tm[p]/\w+/|/op[t]/pypi|[A-Z]:\\User[s]"
)
_REGISTRIES = re.compile(
    r"pypi\.or[g]|pythonhosted\.or[g]|npmjs\.(?:or[g]|co[m])|devp[i]|artifactor[y]", re.I
)
_MAKERS = re.compile(
    r"\b(?:clau[d]e|anthropi[c]|chatgp[t]|opena[i]|copilo[t]|ll[m]s?|language mode[l]s?|"
    r"generated b[y] (?:an? )?a[i]|a[i] assistan[t])\b",
    re.I,
)
_UNFINISHED = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X]|lorem ipsu[m])\b")

_TEXT = {
    *(".css", ".html", ".ini", ".js", ".mako", ".md", ".po", ".pot", ".py", ".sh", ".svg"),
    *(".toml", ".txt", ".yml", ""),
}
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
_FENCE = re.compile(r"^\s*(```|~~~)")
_CODE_SPAN = re.compile(r"`([^`]+)`")
_SETTING = re.compile(r"\bSHOPFLOOR_[A-Z_]*[A-Z]\b")


def project_files(root: Path) -> list[Path]:
    """Return the files git keeps or would keep (not the ignored ones), below root, sorted."""
    listed = subprocess.run(
        [
            "git",
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (root / name for name in sorted(set(listed.split("\0"))) if name)
    return [path for path in paths if path.is_file()]


def project_pages(root: Path) -> list[Path]:
    """Return the Markdown pages that we wrote; those that came with test data are not ours."""
    return [
        path
        for path in project_files(root)
        if path.suffix == ".md" and path.relative_to(root).parts[:2] != ("tests", "data")
    ]


def heading_anchors(text: str) -> set[str]:
    """Return the anchors that a page's headings get, in the form that GitHub and Forgejo give."""
    anchors: set[str] = set()
    for line in _unfenced_lines(text):
        if match := re.match(r"#{1,6}\s+(.*?)\s*#*$", line):
            words = re.sub(r"[^\w\- ]", "", match[1].replace("`", "").lower())
            anchors.add(words.replace(" ", "-"))
    return anchors


def _commands(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, code) for each line of a code block and each code span."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if _FENCE.match(line):
            inside = not inside
        elif inside:
            yield number, line.strip()
        else:
            for span in _CODE_SPAN.findall(line):
                yield number, span


def broken_links(root: Path, pages: list[Path]) -> list[str]:
    """Return a line for each link to a file, picture or heading that is not there."""
    problems = []
    for page in pages:
        text = page.read_text()
        for number, line in enumerate(_unfenced_lines(text), 1):
            for target in _LINK.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, anchor = target.partition("#")
                file = (page.parent / name).resolve() if name else page
                where = f"{page.relative_to(root)}:{number}"
                if not file.exists():
                    problems.append(f"{where}: {target} is not there")
                elif (
                    anchor
                    and file.suffix == ".md"
                    and anchor not in heading_anchors(file.read_text())
                ):
                    problems.append(f"{where}: no heading for #{anchor}")
    return problems


def _unfenced_lines(text: str) -> list[str]:
    """Lines with code blocks blanked, so that line numbers stay true."""
    lines, inside = [], False
    for line in text.splitlines():
        fence = bool(_FENCE.match(line))
        inside = inside != fence
        lines.append("" if inside or fence else line)
    return lines


def unknown_make_targets(root: Path, pages: list[Path]) -> list[str]:
    """Return a line for each "make something" in a page that the Makefile does not have."""
    known = set(re.findall(r"^([a-z][a-z-]*):", (root / "Makefile").read_text(), re.M))
    problems = []
    for page in pages:
        for number, code in _commands(page.read_text()):
            if (match := re.match(r"(?:\$ )?make ([a-z][a-z-]*)\b", code)) and (
                match[1] not in known
            ):
                problems.append(f"{page.relative_to(root)}:{number}: no such target: {match[0]}")
    return problems


def program_commands(pages: list[Path]) -> set[tuple[str, ...]]:
    """Return the commands of the program that pages tell people to type, as ("load", "nhs")."""
    return {
        tuple(match[1].split())
        for page in pages
        for _, code in _commands(page.read_text())
        if (match := re.search(r"(?:^|[ /])crm ((?:[a-z][a-z-]*)(?: [a-z][a-z-]+)*)", code))
    }


def unknown_settings(root: Path, pages: list[Path]) -> list[str]:
    """Return a line for each SHOPFLOOR_ setting in a page that the program does not read."""
    sources = (root / "config.py", root / "crm" / "cli.py")
    known = {name for one in sources if one.exists() for name in _SETTING.findall(one.read_text())}
    return [
        f"{page.relative_to(root)}:{number}: config.py reads no {name}"
        for page in pages
        for number, line in enumerate(page.read_text().splitlines(), 1)
        for name in _SETTING.findall(line)
        if name not in known
    ]


def pages_nobody_links_to(root: Path, pages: list[Path]) -> list[str]:
    """Return a line for each page in docs/ that no chain of links from README.md reaches.

    Decisions are numbered and stand in their own folder, so they need no link each.
    """
    reached: set[Path] = set()
    to_visit = [root / "README.md"]
    while to_visit:
        page = to_visit.pop()
        if page in reached or not page.exists():
            continue
        reached.add(page)
        for target in _LINK.findall(page.read_text()):
            name = target.partition("#")[0]
            if name and not re.match(r"[a-z]+:", name):
                linked = (page.parent / name).resolve()
                # A link to a folder stands for the pages in it.
                to_visit += linked.glob("*.md") if linked.is_dir() else []
                to_visit += [linked] if linked.suffix == ".md" else []
    return [
        f"{page.relative_to(root)}: no page links to it"
        for page in pages
        if page.is_relative_to(root / "docs")
        and page not in reached
        and not page.is_relative_to(root / "docs" / "decisions")
    ]


def unwanted_words(root: Path, files: list[Path]) -> list[str]:
    """Return a line for each machine path, registry address or unfinished mark in a text file."""
    rules = [
        (_MACHINE_PATHS, "a path of one machine"),
        (_REGISTRIES, "the address of a registry"),
        (_MAKERS, "a word about who builds the project"),
        (_UNFINISHED, "something left undone"),
    ]
    problems = []
    for path in files:
        name = path.relative_to(root)
        if path.suffix not in _TEXT or name.parts[:2] == ("tests", "data"):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            for pattern, what in rules:
                if found := pattern.search(line):
                    problems.append(f"{name}:{number}: {what}: {found[0]}")
            if path.suffix == ".md" and "\N{EM DASH}" in line:
                problems.append(f"{name}:{number}: an em dash; use a full stop, comma or colon")
    return problems


def find_problems(root: Path) -> list[str]:
    """Return every problem found below root, as "file:line: what is wrong"."""
    files = project_files(root)
    pages = project_pages(root)
    return [
        *broken_links(root, pages),
        *unknown_make_targets(root, pages),
        *unknown_settings(root, pages),
        *pages_nobody_links_to(root, pages),
        *unwanted_words(root, files),
    ]


def main() -> int:
    """Print the problems of this project. Returns 1 when there are any, else 0."""
    problems = find_problems(ROOT)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
