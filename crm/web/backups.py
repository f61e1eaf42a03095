"""Whole copies of the database, taken while it is in use."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from crm.web import clock
from crm.web.db import db


class CannotBackUp(Exception):
    """The copy cannot be made; the message says what to do."""


def write(app: Flask, file: Path) -> None:
    """Write a consistent copy of the database to a new file, readable by its owner only.

    An encrypted SQLite database gives an encrypted copy, opened by the same key. A PostgreSQL
    copy is in pg_dump's own format. Raises CannotBackUp.
    """
    if file.exists():
        raise CannotBackUp("That file is there already. Choose another name.")
    if not file.parent.is_dir():
        raise CannotBackUp("There is no such folder. Make it first.")
    # Made first and empty, so that the records are never in a file that others may read.
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if db.engine.dialect.name == "sqlite":
        connection = db.engine.raw_connection()
        try:
            # cp of the file would miss what is still in the write-ahead log.
            connection.cursor().execute("VACUUM INTO ?", (str(file),))
        finally:
            connection.close()
        return
    _dump_postgresql(file)


def _dump_postgresql(file: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        file.unlink()
        raise CannotBackUp("pg_dump is not on this machine. Install PostgreSQL's client programs.")
    url = db.engine.url
    environment = dict(os.environ)
    if url.password:
        # In the environment, not on the command line, where others could see it.
        environment["PGPASSWORD"] = str(url.password)
    address = url.set(drivername="postgresql", password=None).render_as_string()
    done = subprocess.run(  # noqa: S603 - a fixed program, and an address from the settings
        [program, "--format=custom", f"--file={file}", f"--dbname={address}"],
        env=environment,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        file.unlink(missing_ok=True)
        raise CannotBackUp("pg_dump could not read the database. Check DATABASE_URL.")


def before_migration(app: Flask) -> Path | None:
    """Keep a copy beside a SQLite database that is about to be updated; return its path.

    None on PostgreSQL, where the people who run it take the copy themselves.
    """
    if db.engine.dialect.name != "sqlite":
        return None
    stamp = clock.now().strftime("%Y%m%d-%H%M%S")
    kept = Path(app.config["INSTANCE_FOLDER"]) / f"before-update-{stamp}.db"
    write(app, kept)
    return kept


def faults(app: Flask) -> list[str]:
    """Return sentences about damage found in a SQLite database; nothing on PostgreSQL."""
    if db.engine.dialect.name != "sqlite":
        return []
    found = []
    with db.engine.connect().execution_options(read_only=True) as connection:
        if connection.execute(sa.text("PRAGMA integrity_check")).scalar() != "ok":
            found.append("The database file is damaged. Restore the newest good backup.")
        if connection.execute(sa.text("PRAGMA foreign_key_check")).first() is not None:
            found.append("Some records point at others that are gone. Restore a good backup.")
    return found
