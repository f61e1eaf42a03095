"""Whole copies of the database, taken while it is in use."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from flask import Flask

from crm.web import clock
from crm.web.db import db

# As long as docs/backup.md has people keep theirs.
KEPT_FOR: Final = timedelta(days=35)
_BEFORE_UPDATE: Final = "before-update-%Y%m%d-%H%M%S.db"


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
    kept = Path(app.config["INSTANCE_FOLDER"]) / clock.now().strftime(_BEFORE_UPDATE)
    write(app, kept)
    return kept


def delete_old(app: Flask, *, now: datetime) -> int:
    """Delete the copies from before an update that are older than KEPT_FOR; return how many.

    What was erased since then, such as who told us that they voted, is still in them.
    """
    gone = 0
    for file in Path(app.config["INSTANCE_FOLDER"]).glob("before-update-*.db"):
        try:
            made = datetime.strptime(file.name, _BEFORE_UPDATE).replace(tzinfo=UTC)
        except ValueError:
            continue  # Somebody named it otherwise: it is theirs.
        if now - made > KEPT_FOR:
            file.unlink(missing_ok=True)
            gone += 1
    return gone


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
