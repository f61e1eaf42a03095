"""Rules about the code itself, each with a planted breach that the rule catches."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CRM = ROOT / "crm"
TEMPLATES = ROOT / "templates"

# Who may put the scope's mark on a statement by hand, or take everything: one line each, so that
# a new one is seen in review.
MARKS_BY_HAND = {
    # Asks for the highest key before new people are put in, and hands back only the next ones.
    "access/bulk.py",
    "access/audit.py",
    # To hold people while they are written about: it hands none of them back.
    "access/holding.py",
    "access/member_lists.py",
    "access/removal.py",
    "access/scope.py",
    "access/search_index.py",
    "access/spans.py",
    "access/report_files.py",
    "access/staged_lists.py",
    "access/storing.py",
    "access/tasks.py",
    "access/tree.py",
    # Erases what people told us of whether they vote, whoever still sees their workplace.
    "access/votes.py",
    "web/guard.py",
}
TAKES_EVERYTHING = {
    "access/merging.py",
    "access/scope.py",
    "cli.py",
    # Anybody may be anybody: who is here twice is looked for in everybody.
    "features/duplicates/views.py",
    "features/health/views.py",
}
READS_THE_CLOCK = {"web/clock.py", "access/audit.py"}


def _modules() -> list[Path]:
    return sorted(CRM.rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(CRM).as_posix()


def _files_matching(pattern: str, files: Iterable[Path] | None = None) -> set[str]:
    wanted = re.compile(pattern)
    return {
        _name(path)
        for path in (files or _modules())
        if wanted.search(_without_comments(path.read_text(encoding="utf-8")))
    }


def _without_comments(source: str) -> str:
    return re.sub(r'"""(?:.|\n)*?"""|#[^\n]*', "", source)


def test_only_named_modules_mark_statements_by_hand() -> None:
    assert _files_matching(r"crm_scope|\bMARK\b") <= MARKS_BY_HAND


def test_only_named_modules_take_a_scope_over_everything() -> None:
    assert _files_matching(r"Scope\.everything\(") <= TAKES_EVERYTHING
    assert _files_matching(r"Scope\([^)]*reason=") == set()


def test_only_an_import_stores_people_past_the_session() -> None:
    assert _files_matching(r"\bbulk\.\w+\(|import bulk\b|access\.bulk\b") == {
        "features/imports/people.py"
    }


def test_only_the_clock_reads_the_clock() -> None:
    found = _files_matching(r"date\.today\(|datetime\.now\(|datetime\.utcnow\(|time\.time\(")
    assert found <= READS_THE_CLOCK


def test_nobody_reads_rows_by_key_or_by_the_old_query() -> None:
    # session.get of a row already loaded sends no SQL, and so passes the scope by.
    pattern = r"session\.get\(|session\.query\(|\b[A-Z]\w*\.query\b|read_sql|to_sql|get_or_404"
    assert _files_matching(pattern) == set()


def test_raw_sql_text_stays_in_named_modules() -> None:
    assert _files_matching(r"\bsa\.text\(|exec_driver_sql\(") <= {
        "web/db.py",
        "web/backups.py",
        # Made of the names of our own tables alone.
        "access/loading.py",
    }


def test_only_named_modules_put_rows_in_past_the_session() -> None:
    # Each of them holds the scope against the rows, or writes rows that are nobody's.
    found = _files_matching(r"\bloading\.(?:put|put_missing|change)\(|import loading\b")
    assert found <= {
        "access/audit.py",
        "access/bulk.py",
        "access/search_index.py",
        "access/spans.py",
        "features/imports/service.py",
    }


def test_only_the_unit_of_work_commits() -> None:
    assert _files_matching(r"\.commit\(\)") <= {"web/db.py"}


def test_no_user_text_is_marked_as_safe() -> None:
    assert _files_matching(r"\bMarkup\(") == set()
    for template in TEMPLATES.rglob("*"):
        if template.is_file():
            text = template.read_text(encoding="utf-8")
            assert "|safe" not in text.replace(" ", ""), template.name
            assert "autoescape false" not in text, template.name


_INLINE = re.compile(
    r"<[a-z][^>]*\s(?:style|on[a-z]+)\s*=|<style|<script(?![^>]*\bsrc=)|javascript:"
)


def test_templates_hold_no_inline_style_or_script() -> None:
    for template in TEMPLATES.rglob("*"):
        if template.is_file():
            text = template.read_text(encoding="utf-8")
            assert not _INLINE.search(text), template.relative_to(TEMPLATES)


@pytest.mark.parametrize(
    "planted",
    [
        '<p style="color:red">',
        '<a href="/" onclick="x()">',
        "<style>p{}</style>",
        "<script>alert(1)</script>",
        '<a href="javascript:x">',
    ],
)
def test_a_planted_inline_style_or_script_is_caught(planted: str) -> None:
    assert _INLINE.search(planted)


def test_no_page_names_another_site() -> None:
    # The SVG namespace is a name, not an address that a browser asks.
    pattern = re.compile(r"""(?:src|href|action|url)\s*[=(]\s*["']?(?:https?:)?//""", re.IGNORECASE)
    for path in [*TEMPLATES.rglob("*"), *(CRM / "static").rglob("*")]:
        if path.is_file() and path.suffix in {".html", ".css", ".js", ".svg"}:
            assert not pattern.search(path.read_text(encoding="utf-8")), path.name


# The shape of a feature


def _features() -> list[str]:
    return sorted(
        path.name
        for path in (CRM / "features").iterdir()
        if path.is_dir() and not path.name.startswith("_")
    )


def test_a_feature_has_only_the_files_that_every_feature_has() -> None:
    allowed = {"__init__.py", "views.py", "forms.py", "service.py", "queries.py"}
    for feature in _features():
        code = {path.name for path in (CRM / "features" / feature).glob("*.py")}
        extra = code - allowed
        assert extra <= EXTRA_FILES.get(feature, set()), (feature, extra)


# A feature may hold one more module when its own idea needs one; named here to be seen in review.
EXTRA_FILES: dict[str, set[str]] = {
    # What the phone asks for and sends: answers in JSON, and talks that are not stored yet; talk
    # sheets typed in; what all three share.
    "conversations": {"blueprint.py", "outbox.py", "paper.py", "typed.py"},
    "accounts": {"passphrases.py"},
    # The forms by what they are about; the blueprint and the form page that all of them share.
    "workplaces": {
        *("blueprint.py", "form_page.py", "count_pages.py", "place_pages.py", "union_pages.py")
    },
    # The rows of the union's list: sealed in parts, and opened as a page needs them.
    "reconcile": {"opened.py"},
    # Tables, fields and values of the trail, as the screens call them.
    "history": {"wording.py"},
    # What was written after two records were made one; the look through everybody by the worker.
    "duplicates": {"looking.py", "wording.py"},
    # The words of the timeline: what happened, in one sentence for each kind of fact.
    "contacts": {"wording.py"},
    # The sentences of a figure, shared by the page, the print and the files; and those of
    # what changed, and of the measures beside density.
    "density": {"changes.py", "files.py", "more.py", "wording.py"},
    # The sentences and tables of a report, and the same as the sheets of a workbook.
    "reports": {"wording.py", "files.py"},
    # Gates, parts and next steps, in sentences.
    "readiness": {"wording.py"},
    # The tiles, figures and gaps of the wall, as the screen, the meeting and the paper say them.
    "wallchart": {"wording.py"},
    # The sentences of a ballot: its stages, its days, what a count comes to.
    "ballots": {"wording.py"},
    # The sentences of notices, item by item of the law.
    "letters": {"wording.py"},
    # The sentences, charts and table cells of a test's figures.
    "campaigns": {"wording.py"},
    # What a file of people holds, and what is done with many people: nothing of saved lists.
    "lists": {"taking_out.py", "acting.py"},
    # The settings of a list; what a row does to people; what it does to places; the areas that come
    # with it; tags and fields; the way back; the other kinds of list, one module each, what is
    # asked about them, the matching page, that of the check, the sealed file, and the worker.
    "imports": {
        *("areas.py", "own.py", "people.py", "places.py", "rules.py", "undoing.py"),
        *("asking.py", "ballots.py", "matching.py", "others.py", "successions.py"),
        *("checking.py", "opened.py", "working.py"),
    },
    # One module for each register, over what they share.
    "registers": {"from_counts.py", "from_gender_pay.py", "from_nhs.py", "loading.py"},
}


def _public_functions(layer: str) -> list[tuple[str, Callable[..., object]]]:
    found = []
    for feature in _features():
        if not (CRM / "features" / feature / f"{layer}.py").exists():
            continue
        module = import_module(f"crm.features.{feature}.{layer}")
        for name, function in vars(module).items():
            ours = inspect.isfunction(function) and function.__module__ == module.__name__
            if ours and not name.startswith("_"):
                found.append((f"{feature}.{layer}.{name}", function))
    return found


def _is_scoped(function: Callable[..., object]) -> bool:
    names = list(inspect.signature(function).parameters)
    return names[:2] == ["session", "scope"]


@pytest.mark.parametrize("layer", ["service", "queries"])
def test_every_public_function_starts_with_session_and_scope(layer: str) -> None:
    unscoped = {
        name
        for name, function in _public_functions(layer)
        if "session" in inspect.signature(function).parameters and not _is_scoped(function)
    }
    assert unscoped <= WITHOUT_A_SCOPE


# Work before anybody is signed in: there is no scope yet, and no scoped table is touched.
WITHOUT_A_SCOPE = {
    "accounts.queries.device_key",
    "accounts.queries.find_credentials",
    "accounts.queries.find_link",
    "accounts.queries.is_placeholder",
    "accounts.queries.open_sessions",
    "accounts.queries.own_credentials",
    "accounts.service.accept_invitation",
    "accounts.service.first_administrator_link",
    "accounts.service.forgive_attempts",
    "accounts.service.note_attempt",
    "accounts.service.sign_in",
    "practice.queries.find_visitor",
    "practice.queries.list_visitors",
    "practice.service.sign_in_as",
    # Looks at how much is in the tables, at nothing that is in them.
    # They wait for others who write, and read one number.
    "imports.service.people_so_far",
    "imports.service.wait_for_turn",
    "reconcile.service.wait_for_turn",
    "imports.service.count_anew",
}


def test_a_planted_function_without_a_scope_is_caught() -> None:
    def _unscoped(session: object, contact_id: int) -> None: ...

    assert not _is_scoped(_unscoped)


def test_services_never_commit_and_never_render() -> None:
    services = [CRM / "features" / name / "service.py" for name in _features()]
    here = [path for path in services if path.exists()]
    assert _files_matching(r"\.commit\(|\.rollback\(|render_template|unit_of_work", here) == set()


# The tests themselves


def _test_files() -> list[Path]:
    return sorted((ROOT / "tests").rglob("test_*.py"))


def test_every_test_checks_something() -> None:
    for path in _test_files():
        functions = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef)
        ]
        # A helper of the same file that asserts counts as a check of the test that calls it.
        checking = {node.name for node in functions if _checks(ast.unparse(node), set())}
        for node in functions:
            if node.name.startswith("test_"):
                found = _checks(ast.unparse(node), checking - {node.name})
                assert found, f"{path.name}: {node.name} checks nothing"


def _checks(source: str, helpers: set[str]) -> bool:
    calls = "|".join(re.escape(name) + r"\(" for name in sorted(helpers)) or r"(?!)"
    return bool(re.search(rf"\bassert\b|pytest\.raises|expect\(|\b(?:{calls})", source))


def test_helpers_in_test_files_start_with_an_underscore() -> None:
    for path in _test_files():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith(("test_", "_")):
                assert node.decorator_list, f"{path.name}: {node.name}"


def test_no_two_tests_of_a_file_share_a_name() -> None:
    for path in _test_files():
        names = [
            node.name
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
        ]
        assert len(names) == len(set(names)), path.name
