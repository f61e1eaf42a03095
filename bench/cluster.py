"""A PostgreSQL cluster for one measurement: own folder, port and password, gone at the end.

Unlike the cluster of the tests it keeps its promises (fsync and synchronous commit are on):
a durable write is part of what is measured.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.servers import _find_postgres_bin, _run_as_server, _server_user


class NoServer(SystemExit):
    """PostgreSQL is not installed, or did not start."""


@contextmanager
def temporary_cluster() -> Iterator[Callable[[str], str]]:
    """Yield a function that makes an empty database of a name and returns its address."""
    found = _find_postgres_bin()
    if found is None:
        raise NoServer("No PostgreSQL server found. Install it, or leave PostgreSQL out.")
    folder = Path(tempfile.mkdtemp(prefix="shopfloor-bench-pg-"))
    password = secrets.token_hex(16)
    (folder / "password").write_text(password)
    if user := _server_user():
        for path in (folder, folder / "password"):
            os.chown(path, user["user"], user["group"])
    control, cluster = str(found / "pg_ctl"), str(folder / "c")
    try:
        status, said = _run_as_server(
            folder,
            *(str(found / "initdb"), "-D", cluster, "-U", "crm", "-E", "UTF8"),
            *("-A", "scram-sha-256", "--pwfile", str(folder / "password"), "--locale=C.UTF-8"),
        )
        if status == 0:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            options = {
                "port": port,
                "listen_addresses": "127.0.0.1",
                "unix_socket_directories": folder,
                "shared_buffers": "1GB",
                "work_mem": "32MB",
                "max_wal_size": "4GB",
            }
            settings = " ".join(f"-c {name}={value}" for name, value in options.items())
            status, said = _run_as_server(
                *(folder, control, "-D", cluster, "-w", "-l", str(folder / "log")),
                *("-o", settings, "start"),
            )
        if status != 0:
            raise NoServer(f"PostgreSQL did not start:\n{said}")
        server = f"127.0.0.1:{port}"

        def make(name: str) -> str:
            address = f"postgresql://crm:{password}@{server}/postgres"
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
            return f"postgresql+psycopg://crm:{password}@{server}/{name}"

        yield make
    finally:
        _run_as_server(folder, control, "-D", cluster, "-m", "fast", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
