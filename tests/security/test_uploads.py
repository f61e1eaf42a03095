"""Uploads: real files get through, and bombs, rubbish and strangers do not."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crm.web import serving, tasks
from crm.web.headers import UPLOAD_PIECES
from tests.factories import Named, World

Clients = Callable[[Named], FlaskClient]


def _send(client: FlaskClient, content: bytes, **more: str) -> TestResponse:
    fields = {"employer_name": "Ours", "scheme": "ours", "on_day": "2026-01-01", **more}
    data = {f"member-counts-{name}": value for name, value in fields.items()}
    file = {"member-counts-counts": (io.BytesIO(content), "counts.csv")}
    return client.post("/admin/registers/member-counts", data={**data, **file})


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_file_of_many_lines_is_taken(client_as: Clients, world: World, ending: str) -> None:
    lines = ["name,workers,members", *(f"Place {number},20,3" for number in range(20_000))]
    content = ending.join(lines).encode()
    assert len(content) > UPLOAD_PIECES
    assert _send(client_as(world.admin), content).status_code == 303


def test_a_packed_file_is_taken(client_as: Clients, world: World) -> None:
    noise = bytes((number * number * 31 + number // 7) % 256 for number in range(300_000))
    content = gzip.compress(noise, compresslevel=0)
    assert _send(client_as(world.admin), content).status_code == 303


def test_the_words_beside_a_file_stay_short(client_as: Clients, world: World) -> None:
    answer = _send(client_as(world.admin), b"name\n", employer_name="x" * (UPLOAD_PIECES + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize("who", ["rep", "organiser", "officer", "boss_of_all"])
def test_nobody_but_an_administrator_hands_files_in(
    client_as: Clients, world: World, who: str
) -> None:
    assert _send(client_as(getattr(world, who)), b"name\nx\n").status_code == 403


def test_a_stranger_hands_no_file_in(client: FlaskClient) -> None:
    assert _send(client, b"name\nx\n").status_code == 401


class _Counted(io.RawIOBase):
    """A body without an end, which counts how much of it was read."""

    def __init__(self) -> None:
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        self.taken += len(room)
        return len(room)


@pytest.mark.parametrize("address", ["/import", "/member-lists", "/admin/registers/member-counts"])
def test_a_large_body_is_read_only_of_who_may_hand_it_in(
    app: Flask, client: FlaskClient, client_as: Clients, world: World, address: str
) -> None:
    senders = [(client, 401)]
    if address != "/member-lists":
        senders.append((client_as(world.rep), 403))
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        for sender, status in senders:
            body = _Counted()
            answer = sender.post(
                address,
                content_type="multipart/form-data; boundary=cut",
                environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": str(5 * 1024 * 1024)},
            )
            assert (answer.status_code, body.taken) == (status, 0)
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


HEADINGS = b"name,workers,members\n"


@pytest.mark.parametrize(
    "content",
    [
        b"\x00" * 100_000,
        b"\xff\xfe" + "name,workers,members\nMill,3,1\n".encode("utf-16-le"),
        HEADINGS + b"Mill,\x00,1\n",
        HEADINGS + b'"never closed,1,1\n' * 50,
        HEADINGS + b"Mill," + b"9" * 200_000 + b",1\n",
        b"\x1f\x8b" + b"\x00" * 500,
        gzip.compress(HEADINGS + b"Mill,3,1\n")[:-9],
        b"PK\x03\x04" + b"\x00" * 500,
        gzip.compress(HEADINGS + b"\n" * (201 * 1024 * 1024)),
        HEADINGS + b"=cmd|' /C calc'!A0,nan,1e400\n",
        HEADINGS + b"Mill,99999999999999999999999999,-3\n",
    ],
    ids=[
        "nuls",
        "utf-16",
        "a nul in a cell",
        "open quote",
        "a number of 200,000 digits",
        "broken gzip",
        "cut gzip",
        "zip",
        "gzip bomb",
        "not numbers",
        "beyond any number",
    ],
)
def test_a_bad_file_is_answered_with_a_page_and_stores_no_place(
    app: Flask, client_as: Clients, world: World, content: bytes
) -> None:
    client = client_as(world.admin)
    before = client.get("/places").text.count("<li")
    sent = _send(client, content)
    assert sent.status_code == 303
    assert tasks.run_one(app)
    page = client.get(sent.location)
    assert page.status_code == 200
    assert "Something went wrong on the server" not in page.text
    assert "Refresh" not in page.headers
    assert client.get("/places").text.count("<li") == before


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_whatever_stands_before_the_pages_lets_the_longest_list_through(app: Flask) -> None:
    """The page says how long a list may be: the server and the proxy of the guide must agree."""
    longest = int(app.config["LIST_LIMIT"])
    server: Any = serving.bind(app, host="127.0.0.1", port=0)
    try:
        assert server.adj.max_request_body_size > longest
    finally:
        server.close()
    guide = (Path(__file__).parents[2] / "docs" / "server.md").read_text(encoding="utf-8")
    (proxy,) = re.findall(r"client_max_body_size (\d+)m;", guide)
    assert int(proxy) * serving.MIB > longest
