"""The same figures from the command line and in a notebook, under one user's rights."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from crm import cli, notebook
from crm.domain.errors import NotFound, PermissionRefused
from crm.models.accounts import AccessGrant, UserAccount
from crm.models.audit import AuditEntry
from crm.web.db import unit_of_work
from tests.factories import ALL, Named, World

Clients = Callable[[Named], FlaskClient]

pytestmark = pytest.mark.usefixtures("fixed_clock")

SINCE = date(2026, 10, 26)
TODAY = date(2026, 11, 23)


@pytest.fixture
def crm(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """crm("report", ...) runs a command over the test's database; two users have names."""

    @contextmanager
    def _same_app(*, practice: bool = False) -> Iterator[Flask]:
        yield app

    monkeypatch.setattr(cli, "_app", _same_app)
    names = {world.officer.id: "kasia", world.rep.id: "owen"}
    with unit_of_work() as session:
        for user in session.query(UserAccount).where(UserAccount.id.in_(names)):
            user.sign_in_name = names[user.id]
    return lambda *words, **more: CliRunner().invoke(cli.main, list(words), **more)


def test_the_command_writes_the_densities_that_the_page_sends(
    world: World, crm: Callable[..., Any], client_as: Clients
) -> None:
    asked = ("report", "density", "--as-at", "2026-10-31", "--by", "workplace", "--format", "csv")
    done = crm(*asked, env={"SHOPFLOOR_AS": "kasia"})
    assert done.exit_code == 0, done.output
    page = client_as(world.officer).get("/dash.csv?as_at=2026-10-31").get_data()
    assert done.stdout_bytes == page
    assert crm(*asked).exit_code == 2
    assert "The Dock" not in done.stdout
    both = crm(*asked, "--compare", "1950-01-01", env={"SHOPFLOOR_AS": "kasia"})
    page = client_as(world.officer).get("/dash.csv?as_at=2026-10-31&compare=1950-01-01")
    assert both.stdout_bytes == page.get_data()
    assert b"other_places" in both.stdout_bytes
    with unit_of_work(ALL, read_only=True) as session:
        entry = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "density_csv")
        ).first()
        assert entry is not None
        assert entry.actor_id == world.officer.id


def test_the_command_writes_the_report_that_the_page_sends(
    world: World, crm: Callable[..., Any], client_as: Clients, tmp_path: Any
) -> None:
    place = str(world.branch.public_id)
    asked = ("--as", "kasia", "--place", place, "--since", str(SINCE), "--as-at", str(TODAY))
    done = crm("report", "pack", *asked)
    assert done.exit_code == 0, done.output
    page = client_as(world.officer).get(f"/reports/{place}.csv?since={SINCE}&as_at={TODAY}")
    assert done.stdout_bytes == page.get_data()
    file = tmp_path / "report.xlsx"
    assert crm("report", "pack", *asked, "--format", "xlsx", "-o", str(file)).exit_code == 0
    assert file.read_bytes().startswith(b"PK")


def test_readiness_and_a_workbook_of_densities_come_from_the_command_line(
    world: World, crm: Callable[..., Any], client_as: Clients, tmp_path: Any
) -> None:
    place = str(world.branch.public_id)
    asked = ("--as", "kasia", "--as-at", str(TODAY))
    done = crm("report", "readiness", *asked, "--place", place)
    assert done.exit_code == 0, done.output
    page = client_as(world.officer).get(
        f"/reports/{place}.csv?since={SINCE}&as_at={TODAY}&parts=readiness"
    )
    assert done.stdout_bytes == page.get_data()
    file = tmp_path / "density.xlsx"
    more = ("--counts", "bargaining_unit", "--format", "xlsx", "-o", str(file))
    assert crm("report", "density", *asked, *more).exit_code == 0
    about, table = openpyxl.load_workbook(file).worksheets
    assert "The bargaining unit" in [cell.value for cell in about["B"]]
    names = [cell.value for cell in table[1]]
    assert table.cell(2, names.index("basis") + 1).value == "bargaining_unit"


def test_the_flask_command_has_the_same_reports(
    app: Flask, world: World, crm: Callable[..., Any]
) -> None:
    app.cli.add_command(cli.report_group)
    asked = ["report", "density", "--as", "kasia", "--as-at", "2026-10-31"]
    done = app.test_cli_runner().invoke(args=asked)
    assert done.exit_code == 0, done.output
    assert done.stdout == crm(*asked).stdout


@pytest.mark.parametrize(
    ("who", "place", "words"),
    [
        ("nobody", "mill", "Nobody signs in under this name."),
        ("owen", "mill", "This user may not take files out."),
        ("kasia", "dock", "or this user may not take files out of all of it."),
    ],
)
def test_the_command_refuses_what_the_user_may_not_take_out(
    world: World, crm: Callable[..., Any], who: str, place: str, words: str
) -> None:
    done = crm("report", "pack", "--as", who, "--place", str(getattr(world, place).public_id))
    assert done.exit_code == 1
    assert words in done.output
    with unit_of_work(ALL, read_only=True) as session:
        assert not session.scalars(
            ALL.select(AuditEntry.id).where(AuditEntry.subject == "report_csv")
        ).all()


def test_the_command_writes_no_densities_of_a_day_to_come(
    world: World, crm: Callable[..., Any]
) -> None:
    done = crm("report", "density", "--as", "kasia", "--as-at", str(TODAY + timedelta(days=1)))
    assert (done.exit_code, "This day has not come yet." in done.output) == (1, True)


def test_the_frame_of_a_notebook_holds_the_figures_of_the_file(
    app: Flask, world: World, crm: Callable[..., Any], client_as: Clients
) -> None:
    place = world.branch.public_id
    with notebook.figures_as("kasia", app=app) as figures:
        frame = figures.report(place, since=SINCE, as_at=TODAY)
        densities = figures.density(as_at=TODAY)
        with pytest.raises(ValueError, match="has not come yet"):
            figures.density(as_at=TODAY + timedelta(days=1))
    page = client_as(world.officer).get(f"/reports/{place}.csv?since={SINCE}&as_at={TODAY}")
    rows = list(csv.DictReader(io.StringIO(page.get_data().decode("utf-8-sig"))))
    assert list(frame.columns) == list(rows[0])
    assert len(frame) == len(rows)
    for name in ("numerator", "out_of_low", "out_of_high", "low", "high", "not_known"):
        told = [None if row[name].startswith("[") else float(row[name]) for row in rows]
        held = [None if value is None else value for value in frame[name].astype(object)]
        assert [None if one is None or one != one else one for one in _plain(held)] == told
    for name in ("measure", "place", "part"):
        assert list(frame[name]) == [row[name] for row in rows]
    assert str(frame["as_at"].dtype) == "datetime64[s]"
    assert list(densities["place"].dropna()) == ["The Mill", "The Depot"]
    with unit_of_work(ALL, read_only=True) as session:
        entry = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "report_frame")
        ).one()
        assert (entry.actor_id, entry.place_id) == (world.officer.id, world.branch.id)


def _plain(values: list[Any]) -> list[float | None]:
    return [float(value) if isinstance(value, int | float) else None for value in values]


def test_a_notebook_holds_nobody_elses_places(
    app: Flask, world: World, crm: Callable[..., Any]
) -> None:
    with (
        notebook.figures_as("kasia", app=app) as figures,
        pytest.raises(NotFound),
    ):
        figures.report(world.dock.public_id)
    with notebook.figures_as("kasia", app=app) as figures:
        with pytest.raises(ValueError, match="has not come yet"):
            figures.report(world.branch.public_id, as_at=TODAY + timedelta(days=1))
        # The notebook stays open overnight, and their role ends.
        with unit_of_work(ALL) as session:
            for grant in session.scalars(
                sa.select(AccessGrant).where(AccessGrant.user_id == world.officer.id)
            ):
                grant.valid_to = TODAY
        for made in (figures.density, lambda: figures.report(world.branch.public_id)):
            with pytest.raises(PermissionRefused):
                made()
    for name in ("owen", "nobody"):
        with pytest.raises(PermissionRefused), notebook.figures_as(name, app=app):
            pass
