"""How long the commands take that people wait for: starting the server, loading a register."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

_CRM = Path(sys.executable).with_name("crm")


def seconds_to_first_page(folder: Path, *, limit: float = 60.0) -> float:
    """Start ``crm serve`` on the records in the folder; return the seconds until a page came."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.perf_counter()
    server = subprocess.Popen(
        [_CRM, "serve", "--port", str(port)],
        env=_environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(port):
            if server.poll() is not None:
                raise RuntimeError(f"crm serve ended with status {server.returncode}")
            if time.perf_counter() - started > limit:
                raise RuntimeError("crm serve did not answer")
            time.sleep(0.02)
        return time.perf_counter() - started
    finally:
        server.terminate()
        server.wait(20)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
            return bool(page.read())
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def migrate(folder: Path, database_url: str) -> None:
    """Bring the database to the newest tables with ``crm migrate``."""
    subprocess.run(
        [_CRM, "migrate"],
        env=_environment(folder, database_url),
        stdout=subprocess.DEVNULL,
        check=True,
    )


def seconds_to_load_register(folder: Path, file: Path, database_url: str = "") -> float:
    """Return the seconds of ``crm load gender-pay``, the start of the program included."""
    started = time.perf_counter()
    subprocess.run(
        [_CRM, "load", "gender-pay", str(file)],
        env=_environment(folder, database_url),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started


def _environment(folder: Path, database_url: str = "") -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "SHOPFLOOR" not in name}
    kept.pop("DATABASE_URL", None)
    settings = {"SHOPFLOOR_INSTANCE": str(folder)}
    if database_url:
        settings["DATABASE_URL"] = database_url
    return kept | settings
