"""Everything out: every row and column but secrets, in open formats, for its owner only."""

from __future__ import annotations

import csv
import io
import sqlite3
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crm.access.scope import Grant, Scope
from crm.domain.roles import Role
from crm.models.base import Base
from crm.models.contacts import Contact
from crm.models.conversations import Conversation
from crm.web import whole
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, World


@pytest.fixture
def taken(world: World, tmp_path: Path) -> Iterator[zipfile.ZipFile]:
    """The file of the small world, with a talk that was taken back and a name like a formula."""
    with unit_of_work(ALL) as session:
        talk = {"held_at": NOW, "recorded_at": NOW, "place_id": world.mill.id}
        session.add(
            Conversation(
                contact_id=world.ioana.id,
                day=TODAY,
                withdrawn_at=NOW,
                steps_reached=["issues", "ask"],
                **talk,
            )
        )
        tomasz = session.scalars(ALL.select(Contact).where(Contact.id == world.tomasz.id)).one()
        tomasz.known_as = "=HYPERLINK(1)"
    factories.open_session(world.rep.id)
    with unit_of_work(ALL, read_only=True) as session:
        whole.write(session, ALL, tmp_path / "all.zip", now=NOW)
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        yield archive


def _csv(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    text = archive.read(name).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def _sqlite(archive: zipfile.ZipFile, tmp_path: Path) -> sqlite3.Connection:
    return sqlite3.connect(archive.extract(whole.DATABASE, tmp_path / "out"))


def test_every_table_is_in_the_file_or_left_out_with_its_reason() -> None:
    inside = {table.name for table in whole.tables()}
    assert inside | set(whole.LEFT_OUT) == set(Base.metadata.tables)
    assert not inside & set(whole.LEFT_OUT)
    # It is erased when the result is declared; a file would keep it.
    assert "vote_told" not in inside
    assert all(reason.endswith(".") for reason in whole.LEFT_OUT.values())


def test_no_column_that_opens_something_is_in_the_file() -> None:
    words = ("hash", "secret", "token", "password", "key_")
    found = {
        f"{table.name}.{column.name}"
        for table in whole.tables()
        for column in whole.columns_of(table)
        if any(word in column.name for word in words) or isinstance(column.type, sa.LargeBinary)
    }
    # Of the words of a rule of law, and of the headings of a list: to see when they change.
    assert found <= {"rule_check.words_hash", "import_recipe.headings_hash"}


def test_every_row_is_in_both_forms_and_the_same(taken: zipfile.ZipFile, tmp_path: Path) -> None:
    with db.engine.connect().execution_options(crm_scope=True, read_only=True) as connection:
        counts = {
            table.name: connection.execute(
                sa.select(sa.func.count()).select_from(table)
            ).scalar_one()
            for table in whole.tables()
        }
    copy = _sqlite(taken, tmp_path)
    for table in whole.tables():
        rows = _csv(taken, f"tables/{table.name}.csv")
        stored = copy.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0]
        assert len(rows) == stored == counts[table.name], table.name
    assert counts["contact"] >= 7
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_values_stand_as_they_were_and_not_known_is_empty(
    taken: zipfile.ZipFile, tmp_path: Path, world: World
) -> None:
    copy = _sqlite(taken, tmp_path)
    copy.row_factory = sqlite3.Row
    ioana, tomasz = (
        dict(copy.execute("SELECT * FROM contact WHERE id = ?", (one.id,)).fetchone())
        for one in (world.ioana, world.tomasz)
    )
    assert ioana["public_id"] == str(world.ioana.public_id)
    assert (ioana["full_name"], ioana["pronouns"], ioana["do_not_contact"]) == (
        "Ioana Popescu",
        None,
        0,
    )
    assert ioana["created_at"] == "2026-11-23T12:00:00Z"
    assert tomasz["known_as"] == "=HYPERLINK(1)"
    rows = {row["id"]: row for row in _csv(taken, "tables/contact.csv")}
    assert rows[str(world.tomasz.id)]["known_as"] == "'=HYPERLINK(1)"
    assert rows[str(world.ioana.id)]["pronouns"] == ""
    (talk,) = _csv(taken, "tables/conversation.csv")
    assert (talk["day"], talk["withdrawn_at"], talk["steps_reached"]) == (
        "2026-11-23",
        "2026-11-23T12:00:00Z",
        '["issues", "ask"]',
    )


def test_the_dictionary_has_every_column_and_says_what_is_left_out(
    taken: zipfile.ZipFile,
) -> None:
    rows = _csv(taken, whole.DICTIONARY)
    said = {(row["table"], row["column"]) for row in rows}
    assert said >= {
        (table.name, column.name) for table in whole.tables() for column in whole.columns_of(table)
    }
    one: dict[str, Any] = next(
        row for row in rows if (row["table"], row["column"]) == ("membership", "status")
    )
    assert one["values"] == "member, not_member"
    assert one["meaning_of_table"]
    links = [row for row in rows if (row["table"], row["column"]) == ("job", "contact_id")]
    assert links[0]["points_at"] == "contact.id"
    assert {row["table"] for row in rows if row["kind"] == "left out"} == {
        *whole.LEFT_OUT,
        *(table for table, _column in whole.LEFT_OUT_COLUMNS),
    }
    assert "An empty cell means: not known. It never means no." in taken.read("README.txt").decode()


def test_only_its_owner_may_read_the_file_and_no_file_is_written_over(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "all.zip"
    with unit_of_work(ALL, read_only=True) as session:
        whole.write(session, ALL, file, now=NOW)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        before = file.read_bytes()
        with pytest.raises(whole.CannotExport, match="That file is there already"):
            whole.write(session, ALL, file, now=NOW)
        with pytest.raises(whole.CannotExport, match="There is no such folder"):
            whole.write(session, ALL, tmp_path / "none" / "all.zip", now=NOW)
    assert file.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["all.zip"]


def test_nobody_takes_everything_out_by_a_role(world: World, tmp_path: Path) -> None:
    scope = Scope(
        actor_id=world.officer.id,
        grants=(Grant(Role.BRANCH_OFFICER, 1, covers_everything=True),),
    )
    with (
        unit_of_work(scope, read_only=True) as session,
        pytest.raises(whole.CannotExport, match="Only whoever runs the server"),
    ):
        whole.write(session, scope, tmp_path / "all.zip", now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_could_not_be_finished_is_not_left_behind(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _full(*given: object) -> str:
        raise OSError("the disk is full")

    monkeypatch.setattr(whole, "_read_me", _full)
    with unit_of_work(ALL, read_only=True) as session, pytest.raises(OSError, match="full"):
        whole.write(session, ALL, tmp_path / "all.zip", now=NOW)
    assert list(tmp_path.iterdir()) == []
