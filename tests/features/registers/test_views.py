"""The administrator's page of registers: who gets in, what it refuses, and the whole way round."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crm.domain.roles import Role
from crm.features.registers import service
from crm.models.places import Employer, MemberCount, Workplace
from crm.models.tasks import BackgroundTask, TaskFile
from crm.web.db import unit_of_work
from crm.web.tasks import run_one
from tests import factories
from tests.factories import ALL, World

ClientAs = Callable[[factories.Named], FlaskClient]

_GENDER_PAY = (
    b"EmployerName,Address,CompanyNumber,SicCodes,EmployerSize,CurrentName,DueDate\n"
    b'Tidewater Ltd,"1 Quay, Hull, HU1 1AA",01234567,52103,250 to 499,Tidewater Ltd,05/04/2020\n'
    b",,,,,,\n"
    b"Seawall Ltd,,,,about 300,Seawall Ltd,05/04/2020\n"
)
_NHS_SITES = (
    "\n".join(
        ",".join([*cells, *[""] * 27][:27])
        for cells in (
            ["R1C", "SOLENT", "Y59", "Q87", "", "", "", "", "", "SO19 8BR", "20110401"],
            ["R1C01", "BITTERNE", "Y59", "Q87", "", "", "", "", "", "SO18 6BT", "20110401"],
        )
    )
    + "\n"
).encode()
_NHS_STAFF = (
    b"Month,Organisation code,Organisation name,Staff group,Nationality,FTE\n"
    b"2018-JUN,R1C,SOLENT,Nurses,UK,12.5\n"
)


def _send(client: FlaskClient, register: str, **fields: Any) -> TestResponse:
    data = {
        f"{register}-{name}": (io.BytesIO(value[1]), value[0])
        if isinstance(value, tuple)
        else value
        for name, value in fields.items()
    }
    return client.post(
        f"/admin/registers/{register}", data=data, content_type="multipart/form-data"
    )


def _all(model: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(session.scalars(ALL.select(model).order_by(model.id)).all())


def _words(answer: TestResponse) -> str:
    return " ".join(answer.text.split())


def test_an_administrator_sees_the_three_registers(
    app: Flask, world: World, client_as: ClientAs
) -> None:
    answer = client_as(world.admin).get("/admin/registers")
    assert answer.status_code == 200
    assert "<title>Registers · Shopfloor</title>" in answer.text
    assert "Choose .csv or .csv.gz files, up to 6 MB together." in answer.text
    assert answer.text.count("None is loaded yet.") == 2
    assert (
        "Contains public sector information licensed under the Open Government Licence v3.0."
        in answer.text
    )


@pytest.mark.parametrize("other", ["rep", "organiser", "officer", "boss_of_all"])
def test_other_roles_get_neither_the_page_nor_a_load(
    app: Flask, world: World, client_as: ClientAs, other: str
) -> None:
    client = client_as(getattr(world, other))
    assert client.get("/admin/registers").status_code == 403
    sent = _send(client, "gender-pay", employers=("e.csv", _GENDER_PAY))
    assert sent.status_code == 403
    assert _all(BackgroundTask) == []


def test_an_administrator_of_one_place_is_refused(
    app: Flask, world: World, client_as: ClientAs
) -> None:
    with unit_of_work(ALL) as session:
        local = factories.make_user(
            session, "Local Admin", role=Role.ADMINISTRATOR, place=world.mill
        )
        named = factories.Named(local.id, local.public_id, local.name)
    client = client_as(named)
    assert client.get("/admin/registers").status_code == 403
    sent = _send(client, "gender-pay", employers=("e.csv", _GENDER_PAY))
    assert sent.status_code == 403


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_employers_is_handed_in_loaded_and_reported(
    app: Flask, world: World, client_as: ClientAs, packed: bool
) -> None:
    client = client_as(world.admin)
    file = ("e.csv.gz", gzip.compress(_GENDER_PAY)) if packed else ("E.CSV", _GENDER_PAY)
    sent = _send(client, "gender-pay", employers=file)
    assert sent.status_code == 303
    assert "Waiting: Load a register" in client.get(sent.location).text
    assert run_one(app) is True
    page = _words(client.get(sent.location))
    assert "The register is loaded." in page
    assert "1 thing in the file could not be used. No row was left out." in page
    assert (
        "row 4, EmployerSize:</strong> Enter one of the size bands of the gender pay gap service. "
        "It says: <bdi>about 300</bdi> (row kept without it)" in page
    )
    names = [row.name for row in _all(Employer)]
    assert names[2:] == ["Tidewater Ltd", "Seawall Ltd"]
    assert _all(TaskFile) == []
    assert "2 employers are loaded." in client.get("/admin/registers").text


def test_the_same_file_sent_again_is_all_as_before(
    app: Flask, world: World, client_as: ClientAs
) -> None:
    client = client_as(world.admin)
    for _ in range(2):
        sent = _send(client, "gender-pay", employers=("e.csv", _GENDER_PAY))
        run_one(app)
    assert "<bdi>0 new, 0 changed, 2 as before</bdi>" in _words(client.get(sent.location))


def test_the_nhs_files_go_in_together_and_hospitals_may_be_left_out(
    app: Flask, world: World, client_as: ClientAs
) -> None:
    client = client_as(world.admin)
    sent = _send(client, "nhs", sites=("s.csv", _NHS_SITES), staff=("f.csv", _NHS_STAFF))
    assert run_one(app) is True
    assert "The register is loaded." in client.get(sent.location).text
    assert [row.name for row in _all(Workplace)][-1] == "BITTERNE"
    assert "1 employer is loaded, with 1 site." in client.get("/admin/registers").text


def test_counts_go_in_with_the_employer_the_sort_of_ids_and_the_day(
    app: Flask, world: World, client_as: ClientAs
) -> None:
    client = client_as(world.admin)
    _send(
        client,
        "member-counts",
        counts=("c.csv", b"name,workers,members\nMill,9,3\n"),
        employer_name="US counties",
        scheme="us-county",
        on_day="31/12/2020",
    )
    run_one(app)
    (count,) = _all(MemberCount)
    assert (count.on_day, count.members) == (date(2020, 12, 31), 3)
    assert _all(Employer)[-1].name == "US counties"


def test_a_form_sent_empty_keeps_what_was_typed_and_says_what_to_do(
    app: Flask, world: World, client_as: ClientAs
) -> None:
    answer = _send(client_as(world.admin), "member-counts", employer_name="<US> counties")
    assert answer.status_code == 422
    page = answer.text
    assert "<title>Error: Registers" in page
    assert 'value="&lt;US&gt; counties"' in page
    for words in (
        "Choose a file.",
        "Enter a short name for the sort of ids.",
        "Enter the day the counts are true for.",
    ):
        assert page.count(words) == 2  # In the list above, and by the field; no other form.
    assert _all(BackgroundTask) == []


def test_a_day_to_come_is_refused(app: Flask, world: World, client_as: ClientAs) -> None:
    answer = _send(
        client_as(world.admin),
        "member-counts",
        counts=("c.csv", b"name,workers,members\nMill,9,3\n"),
        employer_name="US counties",
        scheme="us-county",
        on_day="2199-01-01",
    )
    assert answer.status_code == 422
    assert "Enter a day that is not in the future." in answer.text


@pytest.mark.parametrize("name", ["list.xlsx", "list.pdf", "csv", "list.gz"])
def test_a_file_of_another_sort_is_refused_by_its_name(
    app: Flask, world: World, client_as: ClientAs, name: str
) -> None:
    answer = _send(client_as(world.admin), "gender-pay", employers=(name, _GENDER_PAY))
    assert answer.status_code == 422
    assert "Choose a file whose name ends in .csv or .csv.gz." in answer.text
    assert _all(BackgroundTask) == []


def test_a_file_of_another_kind_stops_with_the_readers_words_and_changes_nothing(
    app: Flask, world: World, client_as: ClientAs
) -> None:
    client = client_as(world.admin)
    before = len(_all(Employer))
    sent = _send(client, "gender-pay", employers=("e.csv", b"PK\x03\x04 a spreadsheet"))
    run_one(app)
    page = client.get(sent.location).text
    assert "<title>Stopped: Load a register" in page
    assert "This is a spreadsheet or zip file. Save it as CSV and choose that file." in page
    assert len(_all(Employer)) == before


def test_a_crash_in_the_worker_leaves_nothing_of_the_register(
    app: Flask, world: World, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_as(world.admin)
    before = len(_all(Employer))

    def _crash(self: object, most_problems: int = 500) -> dict[str, Any]:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(service.Loaded, "as_result", _crash)
    sent = _send(client, "gender-pay", employers=("e.csv", _GENDER_PAY))
    run_one(app)
    assert "Something went wrong on the server, so nothing was changed." in _words(
        client.get(sent.location)
    )
    assert len(_all(Employer)) == before


def test_a_file_may_be_larger_than_an_ordinary_form_but_not_than_6_mb(
    app: Flask, world: World, client_as: ClientAs
) -> None:
    client = client_as(world.admin)
    fits = _send(client, "gender-pay", employers=("e.csv", b"x" * (5 * 1024 * 1024)))
    assert fits.status_code == 303
    too_large = _send(client, "gender-pay", employers=("e.csv", b"x" * (7 * 1024 * 1024)))
    assert too_large.status_code == 413


def test_an_unknown_register_is_no_page(app: Flask, world: World, client_as: ClientAs) -> None:
    assert client_as(world.admin).post("/admin/registers/census").status_code == 404


def test_the_page_takes_few_statements(
    app: Flask, world: World, client_as: ClientAs, count_statements: list[str]
) -> None:
    client = client_as(world.admin)
    client.get("/admin/registers")
    count_statements.clear()
    client.get("/admin/registers")
    assert len(count_statements) == 2  # Who is asking; the counts.
