"""The services of docs/server.md start, word for word as they stand there, and they work."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PAGE = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
_PLACE = "/srv/shopfloor/app/.venv/bin/"


def _commands() -> list[list[str]]:
    """Return the lines that start services, with the programs of this Python."""
    lines = re.findall(r"^ExecStart=(.+)$", _PAGE, re.MULTILINE)
    assert all(line.startswith(_PLACE) for line in lines)
    bin_folder = str(Path(sys.executable).parent) + "/"
    return [shlex.split(line.replace(_PLACE, bin_folder)) for line in lines]


@contextmanager
def _running(
    command: list[str], env: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


def _ask(port: int, path: str) -> tuple[int, str]:
    # As the proxy hands it on.
    heads = {"Host": "shopfloor.example.org", "X-Forwarded-Proto": "https"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=heads)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_services_of_the_page_about_servers_start_and_answer(tmp_path: Path) -> None:
    web, worker = _commands()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    web[web.index("--bind") + 1] = f"127.0.0.1:{port}"
    settings = dict(re.findall(r"^(SHOPFLOOR_[A-Z_]+)=(.+)$", _PAGE, re.MULTILINE))
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        **settings,
        "SHOPFLOOR_SECRET_FILE": str(tmp_path / "secret"),
        "SHOPFLOOR_INSTANCE": str(tmp_path / "instance"),
    }
    migrate = [str(Path(sys.executable).parent / "crm"), "migrate"]
    subprocess.run(migrate, cwd=ROOT, env=env, check=True, capture_output=True)
    logs = tmp_path / "web.log", tmp_path / "worker.log"
    with _running(web, env, logs[0]) as serving, _running(worker, env, logs[1]) as working:
        limit = time.monotonic() + 60
        while True:
            assert serving.poll() is None, logs[0].read_text()
            try:
                status, page = _ask(port, "/sign-in")
                break
            except OSError:
                assert time.monotonic() < limit, logs[0].read_text()
                time.sleep(0.1)
        assert (status, "Sign in" in page) == (200, True), logs[0].read_text()
        assert _ask(port, "/readyz")[0] == 200
        assert working.poll() is None, logs[1].read_text()
    assert "Error" not in logs[0].read_text() + logs[1].read_text()
